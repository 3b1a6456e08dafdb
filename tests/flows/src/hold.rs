//! Hold, and two calls at once: RFC 5359 sections 2.1 and 2.2.

use offhook_sim::{account, sdp};
use phone::{Account, CallState, Command};

use crate::stage::*;

#[test]
pub(crate) fn a_call_is_held_and_resumed() {
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
pub(crate) fn both_may_hold_and_one_may_resume() {
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
pub(crate) fn a_held_call_waits_while_another_is_consulted() {
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

#[test]
fn a_stranger_who_asks_for_an_offer_in_a_call_gets_one_and_answers_in_the_ack() {
    let mut w = world("RFC 3261 section 14.2; RFC 6337 section 2.1");
    let ann = w.phone("ann", Some(Account { proxy: None, register: false, ..account("ann", ip(1)) }));
    let gateway = w.stranger("gateway");
    let media = sdp((ip(2), 9000).into(), &["PCMU"], "sendrecv");
    w.call(ann, "sip:bob@10.0.0.2");
    let invite = w.hears(gateway, "INVITE");
    w.says(gateway, &invite, invite.reply("200 OK", "g", "Contact: <sip:10.0.0.2>", &media));
    w.hears(gateway, "ACK");
    w.run_for(secs(1.0));
    w.begin();
    w.says(gateway, &invite, invite.back("INVITE", 1, "g", "Contact: <sip:10.0.0.2>", ""));
    let offer = w.hears(gateway, "200");
    assert!(offer.body().contains("m=audio"));
    let answer = sdp((ip(2), 9000).into(), &["PCMU"], "sendonly");
    w.says(gateway, &offer, offer.onward("ACK", 1, "", &answer));
    w.run_until_state(ann, CallState::RemoteHeld);
    w.hang_up(ann);
    let bye = w.hears(gateway, "BYE");
    w.says(gateway, &bye, bye.reply("200 OK", "", "", ""));
    w.run_until_quiet();
    keep(&w);
}
