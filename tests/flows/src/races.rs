//! What crosses on the way: RFC 5407, RFC 3261 sections 9.1, 14.1 and 15.

use offhook_sim::{Link, World};
use phone::{CallState, Command};

use crate::stage::*;

/// Slow enough for things to cross.
fn slow(w: &mut World) {
    w.set_links(Link { delay: millis(100), ..Link::default() });
}

#[test]
fn a_cancel_that_crosses_the_answer_becomes_a_bye() {
    let (mut w, [ann, _, bob]) = pair("RFC 5407 section 3.1.2");
    slow(&mut w);
    w.call(ann, "bob");
    w.run_until_state(ann, CallState::Ringing);
    w.run_for(secs(1.0));
    w.answer(bob);
    w.run_for(millis(50));
    w.hang_up(ann);
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn a_caller_who_hangs_up_at_once_cancels_when_something_has_been_heard() {
    let (mut w, [ann, ..]) = pair("RFC 3261 section 9.1");
    slow(&mut w);
    w.call(ann, "bob");
    w.run_for(millis(10));
    w.hang_up(ann);
    w.run_until_quiet();
    w.run_for(secs(1.0));
    keep(&w);
}

#[test]
fn two_offers_that_cross_are_both_refused_and_tried_again_at_different_times() {
    let (mut w, [ann, _, bob]) = pair("RFC 5407 section 3.3.1; RFC 3261 section 14.1");
    talking(&mut w, ann, bob, "bob");
    slow(&mut w);
    let (of_ann, of_bob) = (w.live(ann), w.live(bob));
    w.command(ann, Command::Hold(of_ann));
    w.command(bob, Command::Hold(of_bob));
    w.run_for(secs(10.0));
    assert_eq!((w.state(ann), w.state(bob)), (Some(CallState::Held), Some(CallState::Held)));
    w.hang_up(ann);
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn two_hang_ups_that_cross_are_both_answered() {
    let (mut w, [ann, _, bob]) = pair("RFC 5407 section 3.2.1");
    talking(&mut w, ann, bob, "bob");
    slow(&mut w);
    w.hang_up(ann);
    w.hang_up(bob);
    w.run_until_quiet();
    w.run_for(secs(1.0));
    keep(&w);
}

#[test]
fn a_hang_up_crosses_a_hold() {
    let (mut w, [ann, _, bob]) = pair("RFC 5407 section 3.2.2");
    talking(&mut w, ann, bob, "bob");
    slow(&mut w);
    let call = w.live(bob);
    w.command(bob, Command::Hold(call));
    w.run_for(millis(150));
    w.hang_up(ann);
    w.run_until_quiet();
    w.run_for(secs(1.0));
    keep(&w);
}

#[test]
fn a_lost_ack_is_asked_for_by_repeating_the_answer() {
    let (mut w, [ann, proxy, bob]) = pair("RFC 3261 section 13.3.1.4");
    w.call(ann, "bob");
    ring(&mut w, bob);
    w.run_for(secs(1.0));
    w.answer(bob);
    w.run_for(millis(8));
    w.cut(ann, proxy, true);
    w.run_until_state(ann, CallState::Active);
    w.run_for(millis(800));
    w.cut(ann, proxy, false);
    w.run_for(secs(3.0));
    w.hang_up(ann);
    w.run_until_quiet();
    keep(&w);
}
