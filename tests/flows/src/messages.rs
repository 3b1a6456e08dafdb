//! Text messages: RFC 3428.

use base::Redacted;
use offhook_sim::World;
use phone::{Command, Event, MessageId};

use crate::stage::*;

fn send(w: &mut World, from: offhook_sim::NodeId, to: &str) {
    let (to, text) = (Redacted::new(to.to_owned()), Redacted::new("lunch?".to_owned()));
    w.command(from, Command::Message { message: MessageId(1), account: None, to, text });
    w.run_for(secs(1.0));
}

#[test]
fn a_message_is_relayed_and_its_delivery_told() {
    let (mut w, [ann, _, bob]) = pair("RFC 3428 section 10");
    send(&mut w, ann, "bob");
    let heard = w
        .at(bob)
        .events()
        .iter()
        .any(|(_, e)| matches!(e, Event::Message { text, .. } if text.reveal() == "lunch?"));
    let told = w.at(ann).events().iter().any(|(_, e)| matches!(e, Event::MessageSent { status: 200, .. }));
    assert!(heard && told);
    keep(&w);
}

#[test]
fn a_message_to_somebody_who_is_away_is_told_to_be_undelivered() {
    let (mut w, [ann, ..]) = pair("RFC 3428 section 7");
    send(&mut w, ann, "cem");
    let told =
        w.at(ann).events().iter().any(|(_, e)| matches!(e, Event::MessageSent { status: 400..=699, .. }));
    assert!(told);
    keep(&w);
}
