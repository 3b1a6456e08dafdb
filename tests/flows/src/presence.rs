//! Who is free: RFC 3856 section 8, RFC 3903 section 15, RFC 6665.

use base::Redacted;
use offhook_sim::{NodeId, World, account};
use phone::{Account, CallState, Command, Event, OwnPresence, PresenceState, WatchBy};
use sip::message::Name;

use crate::stage::*;

const ABOUT: [Name; 5] =
    [Name::Event, Name::Expires, Name::SubscriptionState, Name::SipEtag, Name::SipIfMatch];

fn watch(w: &mut World, from: NodeId, who: &str, by: WatchBy) {
    w.command(from, Command::Watch { account: None, who: Redacted::new(who.to_owned()), by });
}

/// How a phone's owner saw others, from change to change.
fn seen(w: &World, phone: NodeId) -> Vec<PresenceState> {
    let one = |event: &Event| match event {
        Event::Presence { presence, .. } => Some(presence.state),
        _ => None,
    };
    w.at(phone).events().iter().filter_map(|(_, event)| one(event)).collect()
}

fn shown(w: &mut World, from: NodeId, own: OwnPresence) {
    w.command(from, Command::SetPresence { own, note: None });
    w.run_for(secs(6.0));
}

/// ann, the proxy and bob, who publishes.
fn publishing(source: &str) -> (World, [NodeId; 3]) {
    pair_with(source, trusting(), |_| {}, |bob| bob.publish_presence = true)
}

#[test]
fn who_watches_is_told_at_once_and_at_every_change() {
    let (w, [ann, _, bob]) = publishing("RFC 3856 section 8; RFC 3903 section 15");
    let mut w = w.about(&ABOUT);
    w.run_for(secs(1.0));
    w.begin();
    watch(&mut w, ann, "bob", WatchBy::Presence);
    w.run_for(secs(6.0));
    shown(&mut w, bob, OwnPresence::Away);
    w.command(ann, Command::Unwatch { account: None, who: Redacted::new("bob".to_owned()) });
    w.run_until_quiet();
    assert_eq!(seen(&w, ann), [PresenceState::Free, PresenceState::Away]);
    keep(&w);
}

#[test]
fn a_phone_in_a_call_is_busy_to_those_who_watch_and_free_again_behind_it() {
    let mut w = world("RFC 3856 section 6.7; RFC 4480 section 3.2");
    let ann = w.phone("ann", Some(account("ann", ip(2))));
    w.exchange("proxy", trusting());
    let bob = w.phone("bob", Some(Account { publish_presence: true, ..account("bob", ip(2)) }));
    let cem = w.phone("cem", Some(account("cem", ip(2))));
    w.run_until_registered(&[ann, bob, cem]);
    watch(&mut w, ann, "bob", WatchBy::Presence);
    w.run_for(secs(6.0));
    w.begin();
    talk(&mut w, cem, bob, "bob");
    w.run_for(secs(5.0));
    w.hang_up(cem);
    w.run_for(secs(6.0));
    assert_eq!(seen(&w, ann), [PresenceState::Free, PresenceState::Busy, PresenceState::Free]);
    keep(&w);
}

#[test]
fn a_busy_lamp_shows_what_the_proxy_sees_of_a_line() {
    let (mut w, [ann, _, bob, cem]) = trio("RFC 4235 section 3.10");
    watch(&mut w, ann, "bob", WatchBy::Lamp);
    w.run_for(secs(2.0));
    w.begin();
    w.call(cem, "bob");
    ring(&mut w, bob);
    w.run_for(secs(2.0));
    w.answer(bob);
    w.run_until_state(cem, CallState::Active);
    w.run_for(secs(2.0));
    w.hang_up(cem);
    w.run_for(secs(2.0));
    let lamp = [PresenceState::Free, PresenceState::Ringing, PresenceState::Busy, PresenceState::Free];
    assert_eq!(seen(&w, ann), lamp);
    keep(&w);
}

#[test]
fn a_phone_that_leaves_takes_back_what_it_has_published_and_is_gone() {
    let (mut w, [ann, _, bob]) = publishing("RFC 3903 section 4.5");
    watch(&mut w, ann, "bob", WatchBy::Presence);
    w.run_for(secs(6.0));
    let mut w = w.about(&ABOUT);
    w.begin();
    w.command(bob, Command::Unregister(offhook_sim::ACCOUNT));
    w.run_for(secs(6.0));
    assert_eq!(seen(&w, ann), [PresenceState::Free, PresenceState::Offline]);
    keep(&w);
}

/// A stranger for a server: what it answers is the test's to say.
fn at_a_stranger(source: &str) -> (World, NodeId, NodeId) {
    let mut w = world(source).about(&ABOUT);
    let publishing = Account { publish_presence: true, register: false, ..account("ann", ip(2)) };
    let ann = w.phone("ann", Some(publishing));
    let server = w.stranger("server");
    (w, ann, server)
}

#[test]
fn a_publication_is_refreshed_and_one_that_the_server_has_lost_is_made_anew() {
    let (mut w, ann, server) = at_a_stranger("RFC 3903 sections 4.2 and 4.3");
    let publish = w.hears(server, "PUBLISH");
    assert!(publish.body().contains("<basic>open</basic>"), "{}", publish.text);
    w.says(server, &publish, publish.reply("200 OK", "s", "SIP-ETag: one\nExpires: 120", ""));
    let refresh = w.hears(server, "PUBLISH");
    assert_eq!((refresh.header("SIP-If-Match"), refresh.body()), ("one", ""));
    w.says(server, &refresh, refresh.reply("412 Conditional Request Failed", "s", "", ""));
    let anew = w.hears(server, "PUBLISH");
    assert!(anew.headers("SIP-If-Match").next().is_none() && anew.body().contains("open"), "{}", anew.text);
    w.says(server, &anew, anew.reply("200 OK", "s", "SIP-ETag: two\nExpires: 3600", ""));
    shown(&mut w, ann, OwnPresence::Busy);
    let modified = w.hears(server, "PUBLISH");
    assert_eq!(modified.header("SIP-If-Match"), "two");
    w.says(server, &modified, modified.reply("200 OK", "s", "SIP-ETag: three\nExpires: 3600", ""));
    w.run_for(secs(1.0));
    keep(&w);
}

#[test]
fn a_server_that_knows_no_presence_is_asked_once() {
    let (mut w, ann, server) = at_a_stranger("RFC 3903 section 11.2; RFC 6665 section 8.3.2");
    let publish = w.hears(server, "PUBLISH");
    w.says(server, &publish, publish.reply("489 Bad Event", "s", "Allow-Events: message-summary", ""));
    shown(&mut w, ann, OwnPresence::Away);
    watch(&mut w, ann, "bob", WatchBy::Presence);
    let subscribe = w.hears(server, "SUBSCRIBE");
    w.says(server, &subscribe, subscribe.reply("489 Bad Event", "s", "Allow-Events: message-summary", ""));
    w.run_for(secs(600.0));
    assert_eq!((w.said(ann, "PUBLISH"), w.said(ann, "SUBSCRIBE")), (1, 1));
    assert_eq!(seen(&w, ann), [PresenceState::Unknown]);
    keep(&w);
}

/// RFC 6665 sections 4.1.2 and 4.1.3.
#[test]
fn a_subscription_is_refreshed_and_made_anew_when_the_notifier_lets_it_go() {
    let (mut w, ann, server) = at_a_stranger("RFC 6665 sections 4.1.2.2 and 4.1.3");
    let publish = w.hears(server, "PUBLISH");
    w.says(server, &publish, publish.reply("501 Not Implemented", "s", "", ""));
    w.run_for(secs(1.0));
    w.begin();
    let contact = "Contact: <sip:bob@10.0.0.2>";
    let pidf = |basic: &str| {
        format!("<presence><tuple id=\"a\"><status><basic>{basic}</basic></status></tuple></presence>")
    };
    let told = |state: &str| {
        format!("{contact}\nEvent: presence\nSubscription-State: {state}\nContent-Type: application/pidf+xml")
    };
    watch(&mut w, ann, "bob", WatchBy::Presence);
    let first = w.hears(server, "SUBSCRIBE");
    w.says(server, &first, first.reply("200 OK", "s", &format!("{contact}\nExpires: 120"), ""));
    w.says(server, &first, first.back("NOTIFY", 1, "s", &told("active;expires=120"), &pidf("open")));
    let refresh = w.hears(server, "SUBSCRIBE");
    assert!(refresh.header("To").contains("tag=s"), "{}", refresh.text);
    w.says(server, &refresh, refresh.reply("200 OK", "s", &format!("{contact}\nExpires: 120"), ""));
    let state = told("terminated;reason=deactivated");
    w.says(server, &first, first.back("NOTIFY", 2, "s", &state, &pidf("open")));
    w.command(ann, Command::DoNotDisturb(false));
    let anew = w.hears(server, "SUBSCRIBE");
    assert!(!anew.header("To").contains("tag="), "{}", anew.text);
    w.says(server, &anew, anew.reply("403 Forbidden", "s", "", ""));
    w.run_for(secs(300.0));
    assert_eq!(w.said(ann, "SUBSCRIBE"), 3);
    assert_eq!(seen(&w, ann), [PresenceState::Free, PresenceState::Unknown]);
    keep(&w);
}
