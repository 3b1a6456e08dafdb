//! Session timers: RFC 4028.

use offhook_sim::account;
use phone::{Account, CallState};
use sip::message::{Method, Name};

use crate::stage::*;

fn brief(account: &mut Account) {
    account.session_expires = 90;
}

#[test]
fn a_session_is_refreshed_at_half_its_time() {
    let (w, [ann, _, bob]) = pair_with("RFC 4028 section 10", trusting(), brief, |_| {});
    let mut w = w.about(&[Name::SessionExpires]).hiding(Method::Register);
    w.begin();
    talk(&mut w, ann, bob, "bob");
    w.run_for(secs(100.0));
    assert_eq!(w.state(ann), Some(CallState::Active));
    w.hang_up(ann);
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn a_session_whose_refreshes_fail_is_ended_by_both() {
    let (w, [ann, _, bob]) = pair_with("RFC 4028 section 10", trusting(), brief, |_| {});
    let mut w = w.about(&[Name::SessionExpires]).hiding(Method::Register);
    w.begin();
    talk(&mut w, ann, bob, "bob");
    w.sleep(ann);
    w.note("ann's phone stops");
    w.run_until("bob gives up", |w| w.state(bob).is_none());
    w.wake(ann);
    w.note("ann's phone goes on");
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn a_session_that_is_too_brief_is_tried_again_as_long_as_the_other_side_wants() {
    let mut w = world("RFC 4028 section 6").about(&[Name::SessionExpires, Name::MinSe]);
    let ann = w.phone(
        "ann",
        Some(Account { proxy: None, register: false, session_expires: 90, ..account("ann", ip(1)) }),
    );
    let bob = w.stranger("bob");
    w.call(ann, "sip:bob@10.0.0.2");
    let invite = w.hears(bob, "INVITE");
    w.says(bob, &invite, invite.reply("422 Session Interval Too Small", "b1", "Min-SE: 600", ""));
    w.hears(bob, "ACK");
    let invite = w.hears(bob, "INVITE");
    assert_eq!((invite.header("Session-Expires"), invite.header("Min-SE")), ("600", "600"));
    w.says(bob, &invite, invite.reply("486 Busy Here", "b2", "", ""));
    w.run_until_quiet();
    keep(&w);
}
