//! A caller whose network has signed for the number, as the called person sees it.

#![allow(clippy::unwrap_used)] // helpers beside the tests

mod town;

use std::net::SocketAddr;
use std::time::Duration;

use base::Redacted;
use bytes::Bytes;
use offhook_phone::{
    Account, Attest, BadAddress, CallId, CallState, Command, False, Fetched, Input, NotHad, Passport, Said,
    Signed, SignedBy, Signer, Stir, Unproven, Why,
};
use stir::Party;
use stir::testing::{Authority, carrier, list};
use town::{MAIN, Town, at, at_home};

/// The public key in RFC 8225 appendix A.2, as a point.
const KEY: &str = "04f0735b41dfd39af08ac0f28790c17d7d271abc6787efc61353ca8b4bc2391cb1d24a69404cb72c950321342fce865581602eb6ea7225a3b5de79b612ed26f7ee";
/// The INVITE in RFC 8224 section 5.1, with the full form of section 4.1.1.
const TOKEN: &str = "eyJhbGciOiJFUzI1NiIsInR5cCI6InBhc3Nwb3J0IiwieDV1IjoiaHR0cHM6Ly9jZXJ0LmV4YW1wbGUub3JnL3Bhc3Nwb3J0\
                     LmNlciJ9.eyJkZXN0Ijp7InVyaSI6WyJzaXA6YWxpY2VAZXhhbXBsZS5jb20iXX0sImlhdCI6IjE0NDMyMDgzNDUiLCJvcmln\
                     Ijp7InRuIjoiMTIxNTU1NTEyMTIifX0.rq3pjT1hoRwakEGjHCnWSwUnshd0-zJ6F1VOgFWSjHBr8Qjpjlk-cpFYpFYsojNC\
                     pTzO3QfPOlckGaS6hEck7w";

fn key() -> Vec<u8> {
    (0..KEY.len()).step_by(2).map(|at| u8::from_str_radix(&KEY[at..at + 2], 16).unwrap()).collect()
}

fn call(token: &str) -> Bytes {
    let sdp = town::description(4000);
    Bytes::from(format!(
        "INVITE sip:alice@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKnashds8\r\n\
         To: Alice <sip:alice@example.com>\r\nFrom: Bob <sip:12155551212@example.com;user=phone>;tag=1928301774\r\n\
         Call-ID: a84b4c76e66710\r\nCSeq: 314159 INVITE\r\nMax-Forwards: 70\r\n\
         Date: Fri, 25 Sep 2015 19:12:25 GMT\r\nContact: <sip:12155551212@10.0.0.9>\r\n\
         Identity: {token};info=<https://biloxi.example.org/biloxi.cert>\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    ))
}

fn identity(town: &mut Town, phone: SocketAddr) -> (Said, Option<Passport>) {
    let identity = town.view(phone, CallId(1)).identity.unwrap();
    (identity.by, identity.passport)
}

#[test]
fn a_caller_is_seen_as_signed_for_and_rings_whatever_the_signature_is_worth() {
    let info = Some("https://cert.example.org/passport.cer".to_owned());
    let signer = Signer { info, key: key(), valid: (0, u64::MAX) };
    let broken = TOKEN.replace("rq3p", "rq3q");
    let known = Signed { attest: Attest::Number, by: SignedBy::Known, forwarded: false };
    for (token, signers, by, passport) in [
        (TOKEN, vec![signer.clone()], Said::Signer, Passport::Signed(known)),
        (TOKEN, vec![], Said::Caller, Passport::Unproven(Unproven::NobodyBelieved)),
        (&broken, vec![signer], Said::Caller, Passport::False(False::Tampered)),
    ] {
        let mut town = Town::new();
        let stir = Stir { signers, ..Stir::default() };
        let alice = town.phone(1, Account { stir, ..at_home("alice", 1) });
        town.peer(9, |_, _| Vec::new());
        let now = town.now;
        town.handset(alice).phone.set_wall_clock(Duration::from_secs(1_443_208_346), now);
        town.say(at(9), alice, call(token));
        town.run(Duration::from_secs(1));
        let view = town.view(alice, CallId(1));
        assert_eq!((view.state, view.account), (CallState::Ringing, MAIN));
        assert_eq!(identity(&mut town, alice), (by, Some(passport)));
    }
}

const X5U: &str = "https://cr.carrier.test/c.pem";
const NOW: u64 = 1_767_225_600;

/// A phone that believes whom an authority stands for, called at the time that its clock shows by who has signed for that; and the
/// certificate.
struct Called {
    town: Town,
    alice: SocketAddr,
    pem: String,
}

impl Called {
    fn by(from: &str, fields: &str, blocked: Option<&str>) -> Self {
        let root = Authority::new("Root", 1);
        let holder = root.issue("Carrier", 9, Some(list(&[carrier("1234")])));
        let mut town = Town::new();
        let stir = Stir { anchors: root.anchors(), ..Stir::default() };
        let alice = town.phone(1, Account { stir, ..at_home("alice", 1) });
        if let Some(number) = blocked {
            town.command(alice, Command::Block(vec![Redacted::new(number.to_owned())]));
        }
        town.peer(9, |_, _| Vec::new());
        let now = town.now;
        town.handset(alice).phone.set_wall_clock(Duration::from_secs(NOW), now);
        let (orig, dest) = (Party::Number("12155551212".into()), Party::Uri("sip:alice@10.0.0.1".into()));
        let token = holder.seal(X5U).sign(Attest::Number, &orig, &dest, NOW, "x");
        let invite = String::from_utf8(call("TOKEN").to_vec()).unwrap();
        let invite = invite
            .replace("Bob <sip:12155551212@example.com;user=phone>", from)
            .replace("<sip:alice@example.com>", "<sip:alice@10.0.0.1>")
            .replace(
                "Identity: TOKEN;info=<https://biloxi.example.org/biloxi.cert>\r\n",
                &format!("Identity: {token}\r\n{fields}"),
            );
        town.say(at(9), alice, Bytes::from(invite));
        town.run(Duration::from_millis(500));
        Self { town, alice, pem: holder.pem }
    }

    fn answered(&mut self, answer: Result<Fetched, NotHad>) {
        let asked = self.town.handset(self.alice).fetches.clone();
        let [fetch] = &asked[..] else { panic!("{asked:?}") };
        assert_eq!((&*fetch.url, &*fetch.host, fetch.named), (X5U, "cr.carrier.test", false));
        self.town.tell(self.alice, Input::Fetched { fetch: fetch.id, answer });
        self.town.run(Duration::from_millis(100));
    }

    fn came(&mut self) {
        let bytes = self.pem.clone().into_bytes();
        self.answered(Ok(Fetched { bytes, good_for: None }));
    }

    fn identity(&mut self) -> (Said, Option<Passport>) {
        identity(&mut self.town, self.alice)
    }

    fn state(&mut self) -> CallState {
        self.town.state(self.alice, CallId(1))
    }
}

const BOB: &str = "Bob <sip:+12155551212@example.com;user=phone>";
const RPID: &str = "Remote-Party-ID: \"R\" <sip:1002@example.com>;party=calling\r\n";

#[test]
fn a_call_rings_at_once_and_is_seen_as_signed_for_once_the_certificate_has_come() {
    let mut called = Called::by(BOB, RPID, None);
    assert_eq!((called.state(), called.identity().0), (CallState::Ringing, Said::RemoteParty));

    called.came();

    let view = called.town.view(called.alice, CallId(1));
    assert_eq!((view.state, view.name.unwrap().reveal().as_str()), (CallState::Ringing, "Bob"));
    assert!(view.remote.reveal().contains("12155551212"));
    let (by, Some(Passport::Signed(signed))) = called.identity() else { panic!("{:?}", called.identity()) };
    assert_eq!((by, signed.attest), (Said::Signer, Attest::Number));
    assert_eq!(signed.by.to_string(), "Carrier (carrier 1234)");
    called.town.command(called.alice, Command::HangUp(CallId(1)));
    called.town.run(Duration::from_secs(60));
    assert!(called.town.handset(called.alice).phone.is_quiet());
}

#[test]
fn a_certificate_that_does_not_come_is_waited_for_three_seconds_and_no_longer() {
    let mut called = Called::by(BOB, "", None);
    assert_eq!(called.identity(), (Said::Caller, Some(Passport::Asking)));
    called.town.run(Duration::from_millis(2400));
    assert_eq!(called.identity().1, Some(Passport::Asking));
    called.town.run(Duration::from_millis(200));
    let silent = Some(Passport::Unproven(Unproven::NoCertificate(NotHad::Silent)));
    assert_eq!(called.identity(), (Said::Caller, silent.clone()));
    // What comes after that changes nothing that the person has read.
    called.came();
    assert_eq!((called.state(), called.identity().1), (CallState::Ringing, silent));
}

#[test]
fn why_a_certificate_is_not_had_is_told() {
    for why in [NotHad::Status(404), NotHad::Moved, NotHad::TooLong, NotHad::Address(BadAddress::Private)] {
        let mut called = Called::by(BOB, "", None);
        called.answered(Err(why));
        assert_eq!(called.identity().1, Some(Passport::Unproven(Unproven::NoCertificate(why))));
    }
}

#[test]
fn a_call_that_was_answered_before_is_seen_better_all_the_same_and_one_that_is_over_is_not() {
    let mut called = Called::by(BOB, "", None);
    called.town.command(called.alice, Command::Answer(CallId(1)));
    called.town.run(Duration::from_millis(100));
    called.came();
    assert_eq!((called.state(), called.identity().0), (CallState::Active, Said::Signer));

    let mut called = Called::by(BOB, "", None);
    called.town.command(called.alice, Command::Reject(CallId(1), 486));
    called.town.run(Duration::from_millis(100));
    called.came();
    assert_eq!(
        (called.state(), called.identity().1),
        (CallState::Ended, Some(Passport::Unproven(Unproven::Over)))
    );
}

#[test]
fn who_is_turned_away_makes_the_phone_ask_for_nothing() {
    let mut called = Called::by(BOB, "", Some("+12155551212"));
    assert_eq!(called.state(), CallState::Ended);
    assert!(called.town.handset(called.alice).fetches.is_empty());
}

#[test]
fn who_turns_out_to_be_blocked_rings_no_longer() {
    let mut called = Called::by(BOB, RPID, Some("+12155551212"));
    assert_eq!(called.state(), CallState::Ringing);
    called.came();
    let view = called.town.view(called.alice, CallId(1));
    assert_eq!(
        (view.state, view.status, view.explanation),
        (CallState::Ended, Some(603), Some(Why::YouBlocked))
    );
}
