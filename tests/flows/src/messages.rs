//! Text messages: RFC 3428.

use base::Redacted;
use offhook_sim::{NodeId, World};
use phone::{Command, Event, MessageId, Why};

use crate::stage::*;

fn send(w: &mut World, from: NodeId, to: &str) {
    let (to, text) = (Redacted::new(to.to_owned()), Redacted::new("lunch?".to_owned()));
    w.command(from, Command::Message { message: MessageId(1), account: None, to, text, written: None });
    w.run_for(secs(1.0));
}

fn has_told(w: &World, phone: NodeId, what: impl Fn(&Event) -> bool) -> bool {
    w.at(phone).events().iter().any(|(_, event)| what(event))
}

fn is_lunch(event: &Event) -> bool {
    matches!(event, Event::Message { text, .. } if text.reveal() == "lunch?")
}

#[test]
fn a_message_is_relayed_and_its_delivery_told() {
    let (mut w, [ann, _, bob]) = pair("RFC 3428 section 10");
    send(&mut w, ann, "bob");
    assert!(has_told(&w, bob, is_lunch));
    assert!(has_told(&w, ann, |it| matches!(it, Event::MessageSent { status: 200, .. })));
    keep(&w);
}

#[test]
fn a_message_to_somebody_who_is_away_waits_and_is_tried_again() {
    let (mut w, [ann, ..]) = pair("RFC 3428 section 7");
    send(&mut w, ann, "cem");
    let waits =
        |it: &Event| matches!(it, Event::MessageWaits { status: Some(480), why: Some(Why::Unavailable), .. });
    assert!(has_told(&w, ann, waits));
    w.run_for(secs(35.0));
    keep(&w);
}

#[test]
fn a_message_to_nobody_is_told_to_be_undelivered() {
    let (mut w, [ann, ..]) = pair("RFC 3428 section 7");
    send(&mut w, ann, "dia");
    assert!(has_told(&w, ann, |it| matches!(it, Event::MessageSent { status: 404, .. })));
    keep(&w);
}

#[test]
fn a_message_that_was_written_without_a_network_goes_once_the_account_is_registered() {
    let (mut w, [ann, _, bob]) = pair("RFC 3428, RFC 3261 section 10");
    let home = w.ip(ann);
    w.offline(ann);
    w.begin();
    send(&mut w, ann, "bob");
    w.online(ann, home);
    w.run_for(secs(3.0));
    assert!(has_told(&w, bob, is_lunch));
    keep(&w);
}
