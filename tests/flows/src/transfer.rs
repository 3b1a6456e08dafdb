//! Transfer: RFC 5359 sections 2.4 and 2.5, RFC 5589.

use base::Redacted;
use phone::{CallState, Command};

use crate::stage::*;

#[test]
pub(crate) fn blind_transfer_reports_progress_and_ends_the_first_call() {
    let (mut w, [ann, _, bob, cem]) = trio("RFC 5359 section 2.4; RFC 5589 section 6.1");
    talking(&mut w, ann, bob, "bob");
    let call = w.live(bob);
    w.command(bob, Command::Transfer { call, to: Redacted::new("cem".into()) });
    ring(&mut w, cem);
    w.run_for(secs(1.0));
    w.answer(cem);
    w.run_until_state(cem, CallState::Active);
    w.run_until("bob is out of it", |w| w.state(bob).is_none());
    w.run_for(secs(2.0));
    w.hang_up(cem);
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn a_blind_transfer_that_fails_leaves_the_first_call() {
    let (mut w, [ann, _, bob, cem]) = trio("RFC 5589 section 6.2");
    talking(&mut w, ann, bob, "bob");
    let call = w.live(bob);
    w.command(cem, Command::DoNotDisturb(true));
    w.command(bob, Command::Transfer { call, to: Redacted::new("cem".into()) });
    w.run_for(secs(5.0));
    assert_eq!(w.state(bob), Some(CallState::Held));
    w.command(bob, Command::Resume(call));
    w.run_for(secs(1.0));
    assert_eq!((w.state(ann), w.state(bob)), (Some(CallState::Active), Some(CallState::Active)));
    w.hang_up(ann);
    w.run_until_quiet();
    keep(&w);
}

#[test]
pub(crate) fn attended_transfer_puts_the_two_others_through() {
    let (mut w, [ann, _, bob, cem]) = trio("RFC 5359 section 2.5; RFC 5589 section 7.1");
    talking(&mut w, ann, bob, "bob");
    let first = w.live(bob);
    talk(&mut w, bob, cem, "cem");
    let second = w.live(bob);
    w.command(bob, Command::TransferTo { call: first, other: second });
    w.run_until("bob is out of it", |w| w.state(bob).is_none());
    w.run_for(secs(2.0));
    assert_eq!((w.state(ann), w.state(cem)), (Some(CallState::Active), Some(CallState::Active)));
    w.hang_up(ann);
    w.run_until_quiet();
    keep(&w);
}
