//! A caller whose network has signed for the number, as the called person sees it.

#![allow(clippy::unwrap_used)] // helpers beside the tests

mod town;

use std::time::Duration;

use bytes::Bytes;
use offhook_phone::{Account, Attest, CallId, CallState, Passport, Said, Signer};
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

#[test]
fn a_caller_is_seen_as_signed_for_and_rings_whatever_the_signature_is_worth() {
    let info = Some("https://cert.example.org/passport.cer".to_owned());
    let signer = Signer { info, key: key(), valid: (0, u64::MAX) };
    let broken = TOKEN.replace("rq3p", "rq3q");
    for (token, signers, by, passport) in [
        (TOKEN, vec![signer.clone()], Said::Signer, Some(Passport::Signed(Attest::Number))),
        (TOKEN, vec![], Said::Caller, None),
        (&broken, vec![signer], Said::Caller, Some(Passport::False)),
    ] {
        let mut town = Town::new();
        let account = Account { signers, ..at_home("alice", 1) };
        let alice = town.phone(1, account);
        town.peer(9, |_, _| Vec::new());
        let now = town.now;
        town.handset(alice).phone.set_wall_clock(Duration::from_secs(1_443_208_346), now);
        town.say(at(9), alice, call(token));
        town.run(Duration::from_secs(1));
        let view = town.view(alice, CallId(1));
        assert_eq!((view.state, view.account), (CallState::Ringing, MAIN));
        let identity = view.identity.unwrap();
        assert_eq!((identity.by, identity.passport), (by, passport));
    }
}
