//! Hold, and two calls at once: RFC 5359 sections 2.1 and 2.2.

use phone::{CallState, Command};

use crate::stage::*;

#[test]
fn a_call_is_held_and_resumed() {
    let (mut w, [ann, _, bob]) = pair("RFC 5359 section 2.1");
    talking(&mut w, ann, bob, "bob");
    let call = w.live(bob);
    w.command(bob, Command::Hold(call));
    w.run_until_state(ann, CallState::RemoteHeld);
    w.run_for(secs(5.0));
    w.command(bob, Command::Resume(call));
    w.run_until_state(ann, CallState::Active);
    w.run_for(secs(2.0));
    w.hang_up(ann);
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn both_may_hold_and_one_may_resume() {
    let (mut w, [ann, _, bob]) = pair("RFC 3264 section 8.4; RFC 6337 section 5.3");
    talking(&mut w, ann, bob, "bob");
    let (of_ann, of_bob) = (w.live(ann), w.live(bob));
    w.command(ann, Command::Hold(of_ann));
    w.run_for(secs(1.0));
    w.command(bob, Command::Hold(of_bob));
    w.run_for(secs(1.0));
    w.command(ann, Command::Resume(of_ann));
    w.run_for(secs(1.0));
    assert_eq!((w.state(ann), w.state(bob)), (Some(CallState::RemoteHeld), Some(CallState::Held)));
    w.command(bob, Command::Resume(of_bob));
    w.run_until_state(ann, CallState::Active);
    w.hang_up(ann);
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn a_held_call_waits_while_another_is_consulted() {
    let (mut w, [ann, _, bob, cem]) = trio("RFC 5359 section 2.2");
    talking(&mut w, ann, bob, "bob");
    let first = w.live(bob);
    talk(&mut w, bob, cem, "cem");
    assert_eq!(w.state(ann), Some(CallState::RemoteHeld));
    w.hang_up(cem);
    w.run_for(secs(1.0));
    w.command(bob, Command::Resume(first));
    w.run_until_state(ann, CallState::Active);
    w.run_for(secs(1.0));
    w.hang_up(ann);
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn a_second_caller_rings_through_and_the_two_are_swapped() {
    let (mut w, [ann, _, bob, cem]) = trio("our own: call waiting");
    talking(&mut w, ann, bob, "bob");
    w.call(cem, "bob");
    w.run_for(secs(2.0));
    w.answer(bob);
    w.run_until_state(cem, CallState::Active);
    w.run_for(secs(1.0));
    assert_eq!(w.state(ann), Some(CallState::RemoteHeld));
    w.command(bob, Command::Swap);
    w.run_until_state(ann, CallState::Active);
    w.run_for(secs(1.0));
    assert_eq!(w.state(cem), Some(CallState::RemoteHeld));
    w.hang_up(ann);
    w.hang_up(cem);
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn without_call_waiting_a_second_caller_is_told_that_it_is_busy() {
    let (mut w, [ann, _, bob, cem]) = trio("our own: call waiting off");
    talking(&mut w, ann, bob, "bob");
    w.command(bob, Command::CallWaiting(false));
    w.call(cem, "bob");
    w.run_until("refused", |w| w.state(cem).is_none());
    assert_eq!(w.state(ann), Some(CallState::Active));
    keep(&w);
}
