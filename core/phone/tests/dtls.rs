//! Keys that are agreed on where media goes, with a peer that plays its part or does not, in virtual time.

#![allow(clippy::unwrap_used)] // helpers beside the tests

mod town;

use std::net::SocketAddr;
use std::time::Duration;

use base::{Instant, Rng};
use bytes::Bytes;
use dtls::{Certificate, Fingerprint, Fingerprints, Handshake, Hash, Keys, Output, Role};
use media::Protection;
use nat::path::Leg;
use offhook_phone::{
    Account, CallId, CallState, Encrypted, Event, Input, KeysBy, MediaEncryption, MediaId, MediaNews, Why,
};
use sip::message::{Method, Name};
use town::{Town, at_home, bytes, description, response};

const SECOND: Duration = Duration::from_secs(1);
const ONE: CallId = CallId(1);

fn account(policy: MediaEncryption) -> Account {
    Account { media_encryption: policy, media_encryption_by: KeysBy::Dtls, ..at_home("ann", 1) }
}

fn certificate(seed: u64) -> Certificate {
    Certificate::generate(&mut Rng::from_number(seed))
}

/// A line's value.
fn written(fingerprint: &Fingerprint) -> String {
    let digest: Vec<String> = fingerprint.digest().iter().map(|byte| format!("{byte:02X}")).collect();
    format!("sha-256 {}", digest.join(":"))
}

/// Calls a peer that answers with this certificate's fingerprint, and will say hello.
fn calls(town: &mut Town, policy: MediaEncryption, described: &Certificate) -> SocketAddr {
    answered(town, policy, described, "a=rtcp-mux\r\n")
}

/// The same, with more in the answer.
fn answered(town: &mut Town, policy: MediaEncryption, described: &Certificate, more: &str) -> SocketAddr {
    let lines = format!("{more}a=setup:active\r\na=fingerprint:{}\r\n", written(&described.fingerprint()));
    let protocol = if policy == MediaEncryption::Required { "UDP/TLS/RTP/SAVP" } else { "RTP/AVP" };
    let body = format!("{}{lines}", description(5000).replace("RTP/AVP", protocol));
    town.peer(9, move |request, _| {
        let method = request.method();
        if !request.is_request() || method == Method::Ack {
            return vec![];
        }
        let mut draft = response(request, 200);
        if method == Method::Invite {
            draft.push(Name::Contact, "<sip:peer@10.0.0.9>");
            draft.body("application/sdp", body.clone().into_bytes());
        }
        vec![bytes(&draft)]
    });
    let ann = town.phone(1, account(policy));
    town.call(ann, "sip:peer@10.0.0.9");
    town.run(SECOND);
    ann
}

/// What the first INVITE says of our certificate.
fn announced(town: &Town) -> Fingerprints {
    let peer = town::at(9);
    let invite = town.heard(peer).iter().find(|m| m.method() == Method::Invite).unwrap();
    let sdp = sip::sdp::Sdp::read(invite.body()).unwrap();
    let media = sdp.media().next().unwrap();
    let lines = media.fingerprints().map(|line| Fingerprint::new(Hash::Sha256, line.digest).unwrap());
    Fingerprints::new(lines).unwrap()
}

/// The peer's media shakes hands with the phone's, under this certificate; what it came to.
fn shakes_hands(town: &mut Town, ann: SocketAddr, certificate: &Certificate) -> Option<Keys> {
    let (mut out, mut keys) = (Vec::new(), None);
    let known = announced(town);
    let now = Instant::ZERO;
    let mut theirs = Handshake::begin(Role::Active, certificate, known, Some(1), now, &mut out);
    for _ in 0..8 {
        for output in std::mem::take(&mut out) {
            match output {
                Output::Send(bytes) => says(town, ann, bytes),
                Output::Keyed(agreed) => keys = Some(agreed),
                Output::Failed(_) | Output::Closed => {}
            }
        }
        for stream in town.handset(ann).streams.values_mut() {
            for (to, bytes) in stream.told.drain(..) {
                assert_eq!(to, "10.0.0.9:5000".parse().unwrap());
                theirs.handle(&bytes, now, &mut out);
            }
        }
    }
    keys
}

fn says(town: &mut Town, ann: SocketAddr, bytes: Bytes) {
    let news = MediaNews::Told { leg: Leg::FIRST, from: "10.0.0.9:5000".parse().unwrap(), bytes };
    town.tell(ann, Input::Media { media: MediaId(1), news });
}

fn protection(town: &mut Town, ann: SocketAddr) -> Option<Protection> {
    Some(town.handset(ann).open_streams().first()?.plan.as_ref()?.protection.clone())
}

#[test]
fn the_keys_of_both_sides_are_the_same_and_nothing_goes_before_them() {
    for policy in [MediaEncryption::Required, MediaEncryption::Optional] {
        let mut town = Town::new();
        let theirs = certificate(7);
        let ann = calls(&mut town, policy, &theirs);
        assert_eq!(protection(&mut town, ann), Some(Protection::Awaited));
        assert_eq!(town.view(ann, ONE).encrypted, Encrypted::None);

        let keys = shakes_hands(&mut town, ann, &theirs).unwrap();

        let Some(Protection::Keyed { send, receive }) = protection(&mut town, ann) else { panic!("no keys") };
        assert_eq!(send.material(), [&keys.receive.key.expose()[..], keys.receive.salt.expose()].concat());
        assert_eq!(receive.material(), [&keys.send.key.expose()[..], keys.send.salt.expose()].concat());
        let view = town.view(ann, ONE);
        assert_eq!((view.encrypted, view.no_reports), (Encrypted::Dtls, false));
    }
}

/// RFC 5764 section 3: a port of their own would need keys of their own.
#[test]
fn who_wants_reports_on_a_port_of_their_own_gets_none_under_agreed_keys_and_the_view_says_so() {
    let mut town = Town::new();
    let theirs = certificate(7);
    let ann = answered(&mut town, MediaEncryption::Required, &theirs, "");
    shakes_hands(&mut town, ann, &theirs).unwrap();
    let view = town.view(ann, ONE);
    assert_eq!((view.encrypted, view.no_reports), (Encrypted::Dtls, true));
    let plan = town.handset(ann).open_streams()[0].plan.clone().unwrap();
    assert!(!plan.reports && !plan.rtcp_mux);
}

#[test]
fn somebody_with_another_certificate_ends_the_call_in_words() {
    for policy in [MediaEncryption::Required, MediaEncryption::Optional] {
        let mut town = Town::new();
        let ann = calls(&mut town, policy, &certificate(7));
        // He may think that it is done: his own last word is all that he needs.
        shakes_hands(&mut town, ann, &certificate(8));
        assert!(protection(&mut town, ann).is_none_or(|it| it == Protection::Awaited));
        town.run(SECOND);
        let view = town.view(ann, ONE);
        town.expect((view.state, view.explanation), (CallState::Ended, Some(Why::WrongCertificate)));
        let bye = town.heard(town::at(9)).iter().any(|m| m.method() == Method::Bye);
        assert!(bye, "the peer is told that it is over");
    }
}

#[test]
fn a_peer_that_agreed_and_then_says_nothing_is_not_talked_to_in_clear() {
    let mut town = Town::new();
    let ann = calls(&mut town, MediaEncryption::Optional, &certificate(7));
    town.run(20 * SECOND);
    assert_eq!(protection(&mut town, ann), Some(Protection::Awaited));
    town.run(15 * SECOND);
    let view = town.view(ann, ONE);
    town.expect((view.state, view.explanation), (CallState::Ended, Some(Why::KeysNotAgreed)));
    let lost = |event: &Event| matches!(event, Event::EncryptionLost { .. });
    assert!(!town.handset(ann).events.iter().any(lost));
}
