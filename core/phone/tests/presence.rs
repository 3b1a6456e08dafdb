//! Others watched, and ourselves published, against a scripted server in virtual time.

#![allow(clippy::unwrap_used)] // helpers beside the tests

mod town;

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use base::Redacted;
use bytes::Bytes;
use offhook_phone::{Command, Event, OwnPresence, PresenceState, Refusal, WatchBy};
use sip::message::{Draft, Message, Method, Name};
use town::{MAIN, Town, at, at_home, bytes, response};

const SECOND: Duration = Duration::from_secs(1);

/// How the server answers a PUBLISH: the status, and further fields.
type Publishing = Rc<RefCell<Vec<(u16, Vec<(Name, String)>)>>>;

fn text(message: &Message, name: Name) -> String {
    String::from_utf8_lossy(message.first(name).unwrap_or_default()).into_owned()
}

/// A NOTIFY in the subscription that this SUBSCRIBE asks for.
fn notify(to: &Message, seq: u32, state: &str, kind: &str, body: &str) -> Bytes {
    let contact = text(to, Name::Contact);
    let target = contact.split(['<', '>']).nth(1).unwrap().to_owned();
    let mut draft = Draft::request(&Method::Notify, &target);
    let n = text(to, Name::CSeq).len() + body.len();
    draft
        .push(Name::Via, format!("SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKn{seq}-{n}-{}", text(to, Name::CallId)));
    draft.push(Name::MaxForwards, 70);
    let whom = text(to, Name::To);
    let whom = if whom.contains(";tag=") { whom } else { whom + ";tag=peer" };
    draft.push(Name::From, whom).push(Name::To, text(to, Name::From));
    draft.push(Name::CallId, text(to, Name::CallId)).push(Name::CSeq, format!("{seq} NOTIFY"));
    draft.push(Name::Contact, "<sip:peer@10.0.0.9>");
    draft.push(Name::Event, text(to, Name::Event)).push(Name::SubscriptionState, state);
    if !body.is_empty() {
        draft.body(kind, Bytes::from(body.to_owned()));
    }
    bytes(&draft)
}

fn pidf(basic: &str) -> String {
    format!("<presence><tuple id=\"a\"><status><basic>{basic}</basic></status></tuple></presence>")
}

/// ann's phone at a server that grants subscriptions, and answers PUBLISHes as told (with a fresh tag where nothing is told).
fn registered(publish: bool) -> (Town, SocketAddr, Publishing) {
    let mut town = Town::new();
    let publishing = Publishing::default();
    let (told, mut tags) = (publishing.clone(), 0);
    town.peer(9, move |request, _| match request.method() {
        Method::Register => {
            let mut draft = response(request, 200);
            draft.push(Name::Contact, format!("{};expires=3600", text(request, Name::Contact)));
            vec![bytes(&draft)]
        }
        Method::Subscribe => {
            let mut ok = response(request, 200);
            ok.push(Name::Expires, text(request, Name::Expires)).push(Name::Contact, "<sip:peer@10.0.0.9>");
            vec![bytes(&ok)]
        }
        Method::Publish => {
            tags += 1;
            let usual = || (200, vec![(Name::SipEtag, format!("tag-{tags}")), (Name::Expires, "600".into())]);
            let next = if told.borrow().is_empty() { usual() } else { told.borrow_mut().remove(0) };
            let mut draft = response(request, next.0);
            for (name, value) in next.1 {
                draft.push(name, value);
            }
            vec![bytes(&draft)]
        }
        _ => Vec::new(),
    });
    let mut account = at_home("ann", 1);
    account.proxy = Some("sip:10.0.0.9;lr".parse().unwrap());
    (account.register, account.publish_presence) = (true, publish);
    let ann = town.phone(1, account);
    (town, ann, publishing)
}

fn heard(town: &Town, method: &Method) -> Vec<Message> {
    town.heard(at(9)).iter().filter(|it| it.method() == *method).cloned().collect()
}

fn shown(town: &mut Town, ann: SocketAddr) -> Vec<(String, PresenceState)> {
    let those = town.handset(ann).events.iter();
    let one = |event: &Event| match event {
        Event::Presence { who, presence, .. } => Some((who.reveal().clone(), presence.state)),
        _ => None,
    };
    those.filter_map(one).collect()
}

fn watch(town: &mut Town, ann: SocketAddr, who: &str, by: WatchBy) {
    town.command(ann, Command::Watch { account: None, who: Redacted::new(who.into()), by });
    town.run(SECOND);
}

#[test]
fn a_watched_person_is_shown_as_told_and_no_more_once_let_go() {
    let (mut town, ann, _) = registered(false);
    watch(&mut town, ann, "sip:bob@10.0.0.9", WatchBy::Presence);
    let asked = heard(&town, &Method::Subscribe).remove(0);
    assert_eq!((text(&asked, Name::Event), text(&asked, Name::Expires)), ("presence".into(), "600".into()));
    for (seq, basic) in [(1, "open"), (2, "open"), (3, "closed")] {
        town.say(
            at(9),
            ann,
            notify(&asked, seq, "active;expires=3600", "application/pidf+xml", &pidf(basic)),
        );
        town.run(SECOND);
    }
    let bob = |state| ("sip:bob@10.0.0.9".to_owned(), state);
    assert_eq!(
        shown(&mut town, ann),
        [bob(PresenceState::Free), bob(PresenceState::Offline)],
        "changes alone"
    );
    town.command(ann, Command::Unwatch { account: None, who: Redacted::new("sip:bob@10.0.0.9".into()) });
    town.run(SECOND);
    let last = heard(&town, &Method::Subscribe).pop().unwrap();
    assert_eq!(text(&last, Name::Expires), "0");
    town.say(
        at(9),
        ann,
        notify(&asked, 4, "terminated;reason=timeout", "application/pidf+xml", &pidf("open")),
    );
    town.run(SECOND);
    assert_eq!(shown(&mut town, ann).len(), 2);
    assert!(heard(&town, &Method::Publish).is_empty(), "an account that does not want it is not published");
}

#[test]
fn a_busy_lamp_that_missed_a_change_asks_for_the_whole() {
    let (mut town, ann, _) = registered(false);
    watch(&mut town, ann, "sip:bob@10.0.0.9", WatchBy::Lamp);
    let asked = heard(&town, &Method::Subscribe).remove(0);
    let lamp = |version: u32, kind: &str, state: &str| {
        format!(
            "<dialog-info version=\"{version}\" state=\"{kind}\"><dialog id=\"a\" direction=\"recipient\">\
             <state>{state}</state></dialog></dialog-info>"
        )
    };
    for (seq, version, kind, state) in
        [(1, 0, "full", "early"), (2, 1, "partial", "confirmed"), (3, 4, "partial", "terminated")]
    {
        let body = lamp(version, kind, state);
        town.say(
            at(9),
            ann,
            notify(&asked, seq, "active;expires=3600", "application/dialog-info+xml", &body),
        );
        town.run(SECOND);
    }
    let states: Vec<PresenceState> = shown(&mut town, ann).into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, [PresenceState::Ringing, PresenceState::Busy]);
    assert_eq!(heard(&town, &Method::Subscribe).len(), 2, "{}", town.story());
}

#[test]
fn documents_that_make_no_sense_are_counted_and_change_nothing() {
    let (mut town, ann, _) = registered(false);
    watch(&mut town, ann, "sip:bob@10.0.0.9", WatchBy::Presence);
    let asked = heard(&town, &Method::Subscribe).remove(0);
    let bomb = "<!DOCTYPE p [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]><presence>&b;</presence>";
    let deep = "<a>".repeat(5000);
    let bad = ["<presence", bomb, &deep, "\u{0}", "<html/>", "<dialog-info version=\"1\" state=\"full\"/>"];
    for (seq, body) in bad.into_iter().enumerate() {
        let seq = seq as u32 + 1;
        town.say(at(9), ann, notify(&asked, seq, "active", "application/pidf+xml", body));
        town.run(SECOND);
    }
    assert!(shown(&mut town, ann).is_empty());
    assert_eq!(town.handset(ann).phone.unread(), 6);
}

/// RFC 6665 section 4.1.3: what a notifier's reasons and refusals mean.
#[test]
fn a_subscription_that_ends_is_made_anew_unless_whoever_decides_said_no() {
    for (reason, anew) in
        [("timeout", true), ("deactivated", true), ("rejected", false), ("noresource", false)]
    {
        let (mut town, ann, _) = registered(false);
        watch(&mut town, ann, "sip:bob@10.0.0.9", WatchBy::Presence);
        let asked = heard(&town, &Method::Subscribe).remove(0);
        town.say(at(9), ann, notify(&asked, 1, "active", "application/pidf+xml", &pidf("open")));
        town.run(SECOND);
        let over = format!("terminated;reason={reason}");
        town.say(at(9), ann, notify(&asked, 2, &over, "", ""));
        town.run(100 * SECOND);
        assert_eq!(heard(&town, &Method::Subscribe).len(), 1 + usize::from(anew), "{reason}");
        let last = shown(&mut town, ann).pop().unwrap().1;
        assert_eq!(last, PresenceState::Unknown, "{reason}");
    }
}

#[test]
fn more_people_than_there_is_room_for_are_refused() {
    let (mut town, ann, _) = registered(false);
    for n in 0..65 {
        watch(&mut town, ann, &format!("sip:u{n}@10.0.0.9"), WatchBy::Presence);
    }
    let refused: Vec<Refusal> = town.refusals(ann).into_iter().map(|(_, refusal)| refusal).collect();
    assert_eq!(refused, [Refusal::TooManyWatched]);
    let own = OwnPresence::Automatic;
    town.command(ann, Command::SetPresence { own, note: Some(Redacted::new("x".repeat(201))) });
    assert_eq!(town.refusals(ann).pop().unwrap().1, Refusal::TextTooLong);
}

/// RFC 3903 section 4: initial, modified, refreshed without a body, removed. Not more than one in five seconds.
#[test]
fn our_own_state_is_published_changed_refreshed_and_taken_back() {
    let (mut town, ann, _) = registered(true);
    town.run(2 * SECOND);
    let first = heard(&town, &Method::Publish).remove(0);
    assert_eq!(
        (text(&first, Name::Event), text(&first, Name::SipIfMatch)),
        ("presence".into(), String::new())
    );
    assert!(String::from_utf8_lossy(first.body()).contains("<basic>open</basic>"));
    for own in [OwnPresence::Away, OwnPresence::Busy, OwnPresence::Away, OwnPresence::Busy] {
        town.command(ann, Command::SetPresence { own, note: None });
    }
    town.run(10 * SECOND);
    let those = heard(&town, &Method::Publish);
    assert_eq!((those.len(), text(&those[1], Name::SipIfMatch)), (2, "tag-1".into()));
    assert!(String::from_utf8_lossy(those[1].body()).contains("<rpid:busy/>"));
    // Granted for 600 s; the registration wakes every 45 s at most.
    town.run(700 * SECOND);
    let refresh = heard(&town, &Method::Publish).remove(2);
    assert_eq!((refresh.body().len(), text(&refresh, Name::SipIfMatch)), (0, "tag-2".into()));
    town.command(ann, Command::Unregister(MAIN));
    town.run(2 * SECOND);
    let last = heard(&town, &Method::Publish).pop().unwrap();
    assert_eq!((text(&last, Name::Expires), text(&last, Name::SipIfMatch)), ("0".into(), "tag-3".into()));
    assert!(!town.handset(ann).wakes.contains_key("subscription refresh"));
}

#[test]
fn what_is_being_said_when_the_phone_leaves_is_taken_back_once_it_stands() {
    let (mut town, ann, _) = registered(true);
    town.run(10 * SECOND);
    town.command(ann, Command::SetPresence { own: OwnPresence::Away, note: None });
    town.command(ann, Command::Shutdown);
    town.run(2 * SECOND);
    let those = heard(&town, &Method::Publish);
    let ends = those.iter().map(|it| (text(it, Name::SipIfMatch), text(it, Name::Expires) == "0"));
    let expected = [("", false), ("tag-1", false), ("tag-2", true)];
    assert_eq!(ends.collect::<Vec<_>>(), expected.map(|(tag, last)| (tag.to_owned(), last)));
}

/// RFC 3903 sections 4.3 and 11.2.
#[test]
fn a_publication_that_is_lost_is_made_anew_and_one_that_is_too_brief_is_asked_for_longer() {
    let (mut town, ann, publishing) = registered(true);
    publishing.borrow_mut().push((423, vec![(Name::MinExpires, "7200".into())]));
    town.run(2 * SECOND);
    let those = heard(&town, &Method::Publish);
    assert_eq!(text(&those[1], Name::Expires), "7200");
    publishing.borrow_mut().push((412, Vec::new()));
    town.run(5 * SECOND);
    town.command(ann, Command::DoNotDisturb(true));
    town.run(SECOND);
    let those = heard(&town, &Method::Publish);
    assert_eq!((those.len(), those[3].has(Name::SipIfMatch)), (4, false));
    assert!(String::from_utf8_lossy(those[3].body()).contains("busy"));
}

#[test]
fn a_server_that_takes_no_presence_is_asked_once_and_the_app_is_told() {
    for status in [489, 405, 501] {
        let (mut town, ann, publishing) = registered(true);
        publishing.borrow_mut().push((status, Vec::new()));
        town.run(600 * SECOND);
        town.command(ann, Command::DoNotDisturb(true));
        town.run(60 * SECOND);
        assert_eq!(heard(&town, &Method::Publish).len(), 1, "{status}");
        let told =
            |event: &&Event| matches!(event, Event::PresenceRefused { status: it, .. } if *it == status);
        assert_eq!(town.handset(ann).events.iter().filter(told).count(), 1);
    }
}

#[test]
fn a_server_that_fails_is_asked_again_with_the_registration() {
    let (mut town, _, publishing) = registered(true);
    publishing.borrow_mut().push((500, Vec::new()));
    town.run(120 * SECOND);
    assert_eq!(heard(&town, &Method::Publish).len(), 2);
}

/// What is watched and published goes along with the registration.
#[test]
fn watching_and_publishing_wake_the_device_no_more_often_than_registering() {
    let regular = |set: bool| {
        let (mut town, ann, _) = registered(set);
        if set {
            watch(&mut town, ann, "sip:bob@10.0.0.9", WatchBy::Presence);
            watch(&mut town, ann, "sip:cem@10.0.0.9", WatchBy::Lamp);
        }
        town.run(4 * 3600 * SECOND);
        let wakes = town.handset(ann).wakes.clone();
        (wakes.get("register").copied().unwrap_or_default(), wakes)
    };
    let (without, with) = (regular(false), regular(true));
    let presence = |it: &'static str| with.1.get(it).copied().unwrap_or_default();
    assert!(with.0 <= without.0 + 2, "{with:?} {without:?}");
    assert!(presence("subscription refresh") + presence("presence") <= 4, "{with:?}");
}
