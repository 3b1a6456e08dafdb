//! Reliable provisional responses, and offers before the answer: RFC 3262, RFC 3311.

use phone::{Account, CallState, Command, With};
use sip::message::Name;
use sip::ua::Reliable;

use crate::stage::*;

fn required(account: &mut Account) {
    account.reliable_provisional = Reliable::Required;
}

#[test]
fn a_provisional_response_that_must_not_be_lost_is_acknowledged_by_prack() {
    let (w, [ann, proxy, bob]) = pair_with("RFC 3262 section 3", trusting(), required, |_| {});
    let mut w = w.about(&[Name::RSeq, Name::RAck]);
    w.begin();
    w.call(ann, "bob");
    ring(&mut w, bob);
    w.run_for(millis(1500));
    w.note("bob's way is cut for a moment");
    w.cut(proxy, ann, true);
    let call = w.live(bob);
    w.command(bob, Command::Progress(call));
    w.run_for(millis(700));
    w.cut(proxy, ann, false);
    w.run_until_state(ann, CallState::Early);
    w.run_for(secs(1.0));
    w.answer(bob);
    w.run_until_state(ann, CallState::Active);
    w.hang_up(ann);
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn a_call_that_requires_reliability_of_a_phone_without_it_is_refused() {
    let off = |account: &mut Account| account.reliable_provisional = Reliable::Off;
    let (w, [ann, ..]) = pair_with("RFC 3262 section 4", trusting(), required, off);
    let mut w = w.about(&[Name::Require, Name::Unsupported]);
    w.begin();
    w.call(ann, "bob");
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn a_session_is_refreshed_by_update_or_by_reinvite() {
    let (mut w, [ann, _, bob]) = pair("RFC 3311 section 5; RFC 4028 section 7.4");
    talking(&mut w, ann, bob, "bob");
    let call = w.live(ann);
    w.command(ann, Command::Refresh { call, with: With::Update });
    w.run_for(secs(1.0));
    w.command(ann, Command::Refresh { call, with: With::Reinvite });
    w.run_for(secs(1.0));
    w.hang_up(bob);
    w.run_until_quiet();
    keep(&w);
}
