//! Who encrypts calls, who insists on it, and what becomes of those that cannot be, in virtual time.

#![allow(clippy::unwrap_used)] // helpers beside the tests

mod town;

use std::net::SocketAddr;
use std::time::Duration;

use media::Protection;
use media::srtp::Keys;
use offhook_phone::{
    Account, CallId, CallState, Command, Encrypted, Event, KeysBy, MediaEncryption, Why, With,
};
use sip::message::{Message, Method, Name};
use town::{Town, at, at_home, bytes, description, in_a_call_of, response};

use MediaEncryption::{Off, Optional, Required};

const SECOND: Duration = Duration::from_secs(1);
const ONE: CallId = CallId(1);

/// The same at home, whoever can read along.
fn account(name: &str, last: u8, policy: MediaEncryption) -> Account {
    let keys = KeysBy::Sdes;
    Account {
        media_encryption: policy,
        media_encryption_by: keys,
        sdes_in_clear: true,
        ..at_home(name, last)
    }
}

fn required(account: &mut Account) {
    (account.media_encryption, account.media_encryption_by) = (Required, KeysBy::Sdes);
    account.sdes_in_clear = true;
}

fn keys(town: &mut Town, phone: SocketAddr) -> Option<(Keys, Keys)> {
    let streams = town.handset(phone).open_streams();
    match &streams.first()?.plan.as_ref()?.protection {
        Protection::Keyed { send, receive } => Some((send.clone(), receive.clone())),
        Protection::Clear | Protection::Awaited => None,
    }
}

/// Both have keys, and each other's.
#[track_caller]
fn assert_keyed(town: &mut Town, ann: SocketAddr, bob: SocketAddr) -> (Keys, Keys) {
    let (ours, theirs) = (keys(town, ann).expect("ann's"), keys(town, bob).expect("bob's"));
    assert_eq!((&ours.0, &ours.1), (&theirs.1, &theirs.0));
    let shown = (town.view(ann, ONE).encrypted, town.view(bob, ONE).encrypted);
    town.expect(shown, (Encrypted::Sdes, Encrypted::Sdes));
    ours
}

/// A peer that answers INVITEs so: the description's profile and what stands below it.
fn answers(town: &mut Town, mut line: impl FnMut(usize) -> (u16, String) + 'static) -> SocketAddr {
    let mut count = 0;
    town.peer(9, move |request, _| {
        let method = request.method();
        if !request.is_request() || method == Method::Ack {
            return vec![];
        }
        let mut draft = response(request, 200);
        if method == Method::Invite {
            let (status, body) = line(count);
            count += 1;
            draft = response(request, status);
            draft.push(Name::Contact, "<sip:peer@10.0.0.9>");
            if !body.is_empty() {
                draft.body("application/sdp", body.into_bytes());
            }
        }
        vec![bytes(&draft)]
    })
}

fn secure(line: &str) -> String {
    format!("{}{line}\r\n", description(5000).replace("RTP/AVP", "RTP/SAVP"))
}

const LINE: &str = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

fn calls_the_peer(town: &mut Town, policy: MediaEncryption) -> SocketAddr {
    let ann = town.phone(1, account("ann", 1, policy));
    town.call(ann, "sip:peer@10.0.0.9");
    town.run(SECOND);
    ann
}

fn offers(town: &Town) -> Vec<String> {
    let invites = town.heard(at(9)).iter().filter(|request| request.method() == Method::Invite);
    invites.map(|request: &Message| String::from_utf8_lossy(request.body()).into_owned()).collect()
}

#[test]
fn two_who_insist_talk_under_each_others_keys_and_change_them_with_every_offer() {
    let (mut town, ann, bob) = in_a_call_of(required);
    let first = assert_keyed(&mut town, ann, bob);
    town.command(ann, Command::Hold(ONE));
    town.run(SECOND);
    let held = assert_keyed(&mut town, ann, bob);
    assert!(held.0 != first.0 && held.1 == first.1, "the answer's own key stays");
    town.command(bob, Command::Hold(ONE));
    town.run(SECOND);
    let both = assert_keyed(&mut town, ann, bob);
    assert!(both.1 != held.1);
    town.command(ann, Command::Resume(ONE));
    town.command(bob, Command::Resume(ONE));
    town.run(SECOND * 5);
    assert_keyed(&mut town, ann, bob);
    // A refresh says the same again, and changes nothing.
    let before = keys(&mut town, ann);
    for with in [With::Reinvite, With::Update] {
        town.command(ann, Command::Refresh { call: ONE, with });
        town.run(SECOND);
        assert_eq!(keys(&mut town, ann), before);
    }
    assert_keyed(&mut town, ann, bob);
}

#[test]
fn who_may_encrypt_and_who_must_not_talk_in_clear() {
    let mut town = Town::new();
    let ann = town.phone(1, account("ann", 1, Optional));
    let bob = town.phone(2, account("bob", 2, Off));
    town.call(ann, "sip:bob@10.0.0.2");
    town.run(SECOND);
    town.command(bob, Command::Answer(ONE));
    town.run(SECOND);
    let states = (town.view(ann, ONE).state, town.view(ann, ONE).encrypted, keys(&mut town, bob));
    town.expect(states, (CallState::Active, Encrypted::None, None));
}

#[test]
fn a_caller_in_clear_is_turned_away_by_who_insists_and_both_are_told_why() {
    let mut town = Town::new();
    let ann = town.phone(1, account("ann", 1, Off));
    let bob = town.phone(2, account("bob", 2, Required));
    town.call(ann, "sip:bob@10.0.0.2");
    town.run(SECOND);
    let (ours, theirs) = (town.view(ann, ONE), town.view(bob, ONE));
    town.expect((ours.state, ours.status), (CallState::Ended, Some(488)));
    town.expect((theirs.state, theirs.explanation), (CallState::Ended, Some(Why::NotEncrypted)));
    assert!(town.handset(bob).streams.is_empty());
}

#[test]
fn who_insists_is_told_that_the_other_side_does_not_take_it() {
    let mut town = Town::new();
    let ann = town.phone(1, account("ann", 1, Required));
    let bob = town.phone(2, account("bob", 2, Off));
    town.call(ann, "sip:bob@10.0.0.2");
    town.run(SECOND);
    let whys = (town.view(ann, ONE).explanation, town.view(bob, ONE).explanation);
    town.expect(whys, (Some(Why::EncryptionRefused), Some(Why::EncryptionOff)));
}

#[test]
fn who_refuses_an_offer_of_either_is_asked_in_the_secure_profile_within_the_same_call() {
    let mut town = Town::new();
    let peer =
        answers(&mut town, |count| if count == 0 { (488, String::new()) } else { (200, secure(LINE)) });
    let ann = calls_the_peer(&mut town, Optional);
    let view = town.view(ann, ONE);
    town.expect((view.state, view.encrypted), (CallState::Active, Encrypted::Sdes));
    let offers = offers(&town);
    assert!(offers[0].contains(" RTP/AVP ") && offers[1].contains(" RTP/SAVP "), "{offers:?}");
    assert_eq!(offers.len(), 2);
    let calls = town.heard(peer).iter().filter(|request| request.method() == Method::Invite);
    let ids: std::collections::BTreeSet<_> = calls.map(|it| it.call_id().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 2, "an INVITE anew is a call of its own to them");
    let over = |event: &&Event| matches!(event, Event::Call(view) if view.call != ONE || view.state == CallState::Ended);
    assert!(town.handset(ann).events.iter().find(over).is_none(), "and the same to the person");
}

#[test]
fn each_way_to_ask_is_tried_once_and_whoever_wants_none_is_believed() {
    for (policy, by, status, asked, why) in [
        (Optional, KeysBy::Sdes, 488, &["RTP/AVP", "RTP/SAVP"][..], Why::NoCommonCodec),
        (Optional, KeysBy::Both, 606, &["RTP/AVP", "UDP/TLS/RTP/SAVP", "RTP/SAVP"], Why::NoCommonCodec),
        (Optional, KeysBy::Both, 486, &["RTP/AVP"], Why::Busy),
        (Off, KeysBy::Both, 488, &["RTP/AVP"], Why::NoCommonCodec),
        (Required, KeysBy::Sdes, 488, &["RTP/SAVP"], Why::EncryptionRefused),
        (Required, KeysBy::Both, 488, &["UDP/TLS/RTP/SAVP", "RTP/SAVP"], Why::EncryptionRefused),
        (Required, KeysBy::Both, 606, &["UDP/TLS/RTP/SAVP", "RTP/SAVP"], Why::EncryptionRefused),
    ] {
        let mut town = Town::new();
        answers(&mut town, move |_| (status, String::new()));
        let ann = town.phone(1, Account { media_encryption_by: by, ..account("ann", 1, policy) });
        town.call(ann, "sip:peer@10.0.0.9");
        town.run(SECOND);
        let view = town.view(ann, ONE);
        town.expect((view.state, view.status), (CallState::Ended, Some(status)));
        let offers = offers(&town);
        let profiles: Vec<_> = offers.iter().map(|offer| profile(offer)).collect();
        assert_eq!(profiles, asked, "{policy:?} {by:?} {status}");
        assert_eq!(view.explanation, Some(why), "{policy:?} {by:?} {status}");
    }
}

/// How the first line of media is called.
fn profile(offer: &str) -> &str {
    offer.lines().find_map(|line| line.strip_prefix("m=audio ")?.split(' ').nth(1)).unwrap()
}

#[test]
fn without_tls_no_key_is_said_unless_the_user_insists() {
    for (policy, why) in [(Required, Some(Why::KeysInClear)), (Optional, None)] {
        let mut town = Town::new();
        let peer = answers(&mut town, |_| (200, description(5000)));
        let ann = town.phone(1, Account { sdes_in_clear: false, ..account("ann", 1, policy) });
        town.call(ann, "sip:peer@10.0.0.9");
        town.run(SECOND);
        let view = town.view(ann, ONE);
        town.expect((view.explanation, view.encrypted), (why, Encrypted::None));
        assert_eq!(town.heard(peer).is_empty(), why.is_some());
        assert!(offers(&town).iter().all(|offer| !offer.contains("crypto")));
    }
}

#[test]
fn early_media_in_clear_is_not_heard_by_who_insists() {
    let mut town = Town::new();
    answers(&mut town, |_| (183, description(5000)));
    let ann = calls_the_peer(&mut town, Required);
    assert!(town.handset(ann).open_streams().is_empty());
    assert!(offers(&town)[0].contains(" RTP/SAVP 0 8 101\r\n"));
}

#[test]
fn an_answer_in_clear_ends_the_call_of_who_insists_and_no_stream_was_ever_open() {
    for (body, why) in [
        (description(5000), Why::NotEncrypted),
        (secure("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA"), Why::BadKeys),
        (secure("a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:AAAA"), Why::BadKeys),
    ] {
        let mut town = Town::new();
        let peer = answers(&mut town, move |_| (200, body.clone()));
        let ann = calls_the_peer(&mut town, Required);
        let view = town.view(ann, ONE);
        town.expect((view.state, view.explanation), (CallState::Ended, Some(why)));
        assert_eq!(view.bad_keys, u32::from(why == Why::BadKeys), "a key too short is counted");
        assert!(town.handset(ann).streams.values().all(|stream| stream.plan.is_none()));
        let ended = town.heard(peer).iter().any(|request| request.method() == Method::Bye);
        town.expect(ended, true);
    }
}

#[test]
fn encryption_dropped_in_mid_call_ends_it_or_is_told() {
    for (policy, ends) in [(Required, true), (Optional, false)] {
        let mut town = Town::new();
        answers(&mut town, |count| (200, if count == 0 { secure(LINE) } else { description(5000) }));
        let ann = calls_the_peer(&mut town, policy);
        let encrypted = town.view(ann, ONE).encrypted;
        town.expect(encrypted, Encrypted::Sdes);
        town.command(ann, Command::Hold(ONE));
        town.run(SECOND);
        let lost = |event: &Event| matches!(event, Event::EncryptionLost { call: ONE });
        let told = town.handset(ann).events.iter().filter(|event| lost(event)).count();
        let view = town.view(ann, ONE);
        if ends {
            town.expect(
                (view.state, view.explanation, told),
                (CallState::Ended, Some(Why::EncryptionEnded), 0),
            );
            assert!(
                town.handset(ann).streams.values().all(|stream| stream
                    .plan
                    .as_ref()
                    .is_some_and(|plan| plan.protection != Protection::Clear))
            );
        } else {
            town.expect((view.state, view.encrypted, told), (CallState::Held, Encrypted::None, 1));
        }
    }
}

#[test]
fn a_refused_offer_leaves_the_keys_as_they_were() {
    let mut town = Town::new();
    answers(&mut town, |count| if count == 0 { (200, secure(LINE)) } else { (488, String::new()) });
    let ann = calls_the_peer(&mut town, Required);
    let before = keys(&mut town, ann).expect("keyed");
    town.command(ann, Command::Hold(ONE));
    town.run(SECOND);
    let view = town.view(ann, ONE);
    town.expect(view.state, CallState::Active);
    assert_eq!(keys(&mut town, ann), Some(before));
    assert_eq!(offers(&town).len(), 2);
}

#[test]
fn no_view_and_no_log_says_a_key() {
    let (mut town, ann, bob) = in_a_call_of(required);
    let (send, _) = assert_keyed(&mut town, ann, bob);
    let streams = format!("{:?}", town.handset(ann).streams);
    let printed = streams + &town.debug(ann);
    let digits = format!("{:?}", send.material());
    assert!(!printed.contains(digits.trim_matches(['[', ']'])));
    assert!(!printed.contains("inline:"), "{printed}");
}
