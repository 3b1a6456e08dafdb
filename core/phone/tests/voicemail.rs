//! Messages that wait at the provider, asked for and told, in virtual time.

#![allow(clippy::unwrap_used)] // helpers beside the tests

mod town;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use offhook_phone::{Event, Voicemail};
use sip::message::{Draft, Message, Method, Name};
use town::{Town, at, at_home, bytes, response};

const SECOND: Duration = Duration::from_secs(1);

fn text(message: &Message, name: Name) -> String {
    String::from_utf8_lossy(message.first(name).unwrap()).into_owned()
}

/// A NOTIFY in the subscription that this SUBSCRIBE asks for, or to nobody who has asked.
fn notify(to: &Message, state: &str, summary: &str) -> Bytes {
    let contact = text(to, Name::Contact);
    let target = contact.split(['<', '>']).nth(1).unwrap().to_owned();
    let mut draft = Draft::request(&Method::Notify, &target);
    draft.push(Name::Via, "SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKnotify-".to_owned() + &state.len().to_string());
    draft.push(Name::MaxForwards, 70);
    draft.push(Name::From, format!("{};tag=peer", text(to, Name::To)));
    draft.push(Name::To, text(to, Name::From));
    draft.push(Name::CallId, text(to, Name::CallId));
    draft.push(Name::CSeq, format!("{} NOTIFY", state.len()));
    draft.push(Name::Contact, "<sip:peer@10.0.0.9>");
    draft.push(Name::Event, "message-summary").push(Name::SubscriptionState, state);
    draft.body("application/simple-message-summary", Bytes::from(summary.to_owned()));
    bytes(&draft)
}

fn granted(request: &Message) -> Bytes {
    let mut draft = response(request, 200);
    draft.push(Name::Contact, format!("{};expires=3600", text(request, Name::Contact)));
    bytes(&draft)
}

fn told(town: &mut Town, ann: SocketAddr) -> Vec<Voicemail> {
    let events = town.handset(ann).events.iter();
    let voicemail = |event: &Event| match event {
        Event::Voicemail { voicemail, .. } => Some(voicemail.clone()),
        _ => None,
    };
    events.filter_map(voicemail).collect()
}

fn registered(voicemail: bool, summary: &'static str) -> (Town, SocketAddr) {
    let mut town = Town::new();
    town.peer(9, move |request, _| match request.method() {
        Method::Register => vec![granted(request)],
        Method::Subscribe => {
            let mut ok = response(request, 200);
            ok.push(Name::Expires, 3600).push(Name::Contact, "<sip:peer@10.0.0.9>");
            vec![bytes(&ok), notify(request, "active;expires=3600", summary)]
        }
        _ => Vec::new(),
    });
    let mut account = at_home("ann", 1);
    account.proxy = Some("sip:10.0.0.9;lr".parse().unwrap());
    (account.register, account.voicemail) = (true, voicemail);
    let ann = town.phone(1, account);
    town.run(2 * SECOND);
    (town, ann)
}

#[test]
fn an_account_that_wants_it_is_told_of_messages_that_wait_and_asks_once() {
    let (mut town, ann) = registered(true, "Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n");
    assert_eq!(told(&mut town, ann), [Voicemail { waiting: true, new: 2, old: 8, mailbox: None }]);
    let asked = |town: &Town| town.heard(at(9)).iter().filter(|it| it.method() == Method::Subscribe).count();
    assert_eq!(asked(&town), 1);
    let first = town.heard(at(9)).iter().find(|it| it.method() == Method::Subscribe).unwrap();
    assert_eq!(
        (text(first, Name::Event), text(first, Name::Expires)),
        ("message-summary".into(), "3600".into())
    );
    town.run(600 * SECOND);
    assert_eq!(asked(&town), 1, "a refresh of the registration is no reason to ask again");
}

#[test]
fn one_that_does_not_want_it_asks_nobody_and_nonsense_is_told_to_nobody() {
    let (town, _) = registered(false, "");
    assert!(town.heard(at(9)).iter().all(|it| it.method() != Method::Subscribe));
    let (mut town, ann) = registered(true, "<html>");
    assert!(told(&mut town, ann).is_empty());
}

#[test]
fn a_provider_that_tells_without_being_asked_is_heard() {
    let (mut town, ann) = registered(false, "");
    let register = town.heard(at(9)).iter().find(|it| it.method() == Method::Register).unwrap().clone();
    let loose = notify(&register, "active", "Messages-Waiting: no\r\n");
    // To nobody's dialog.
    let loose = String::from_utf8(loose.to_vec()).unwrap();
    let (before, to) = loose.split_once("\r\nTo: ").unwrap();
    let (to, after) = to.split_once("\r\n").unwrap();
    let to = to.split(";tag=").next().unwrap();
    town.say(at(9), ann, Bytes::from(format!("{before}\r\nTo: {to}\r\n{after}")));
    town.run(SECOND);
    assert_eq!(told(&mut town, ann), [Voicemail::default()]);
}
