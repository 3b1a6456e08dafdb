use std::time::Duration;

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use p256::SecretKey;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::sec1::ToSec1Point as _;

use super::*;
use crate::identity::shelf::Fetched;

mod certified;

const X5U: &str = "https://cert.example.org/passport.cer";
const NOW: u64 = 1_443_208_345;
const ORIG: &str = r#""orig":{"tn":"12155551212"}"#;
const DEST: &str = r#""dest":{"tn":["12155551213"]}"#;

fn encode(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

/// Somebody's key pair, always the same for a number.
struct Pair(SecretKey);

impl Pair {
    fn of(number: u8) -> Self {
        Self(SecretKey::from_slice(&[number; 32]).unwrap())
    }

    fn signer(&self, info: Option<&str>) -> Signer {
        let key = self.0.public_key().to_sec1_point(false).as_bytes().to_vec();
        Signer { info: info.map(str::to_owned), key, valid: (0, u64::MAX) }
    }

    fn sign(&self, header: &str, payload: &str) -> (String, String) {
        let signed = format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()));
        let signature: Signature = SigningKey::from(&self.0).sign(signed.as_bytes());
        (signed, encode(&signature.to_bytes()))
    }

    fn full(&self, header: &str, payload: &str) -> String {
        let (signed, signature) = self.sign(header, payload);
        let ppt = if header.contains("ppt") { ";ppt=shaken" } else { "" };
        format!("Identity: {signed}.{signature};info=<{X5U}>;alg=ES256{ppt}\r\n")
    }

    /// As a carrier of that level signs.
    fn shaken(&self, attest: &str, orig: &str, dest: &str, iat: u64) -> String {
        let header = format!(r#"{{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"{X5U}"}}"#);
        let id = r#""origid":"123e4567-e89b-12d3-a456-426655440000""#;
        self.full(&header, &format!(r#"{{"attest":"{attest}",{dest},"iat":{iat},{orig},{id}}}"#))
    }
}

fn message(from: &str, to: &str, fields: &str) -> Message {
    let text = format!(
        "INVITE sip:phone@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\n\
         From: <{from}>;tag=f\r\nTo: <{to}>\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n\
         Date: Fri, 25 Sep 2015 19:12:25 GMT\r\n{fields}\r\n"
    );
    Message::read(Bytes::from(text)).unwrap()
}

const BOB: &str = "sip:+12155551212@example.com;user=phone";
const US: &str = "sip:+12155551213@example.com";

fn judge(message: &Message, signers: &[Signer], wall: Option<u64>) -> Option<Passport> {
    let stir = Stir { signers: signers.to_vec(), ..Stir::default() };
    let wall = wall.map(Duration::from_secs);
    let invite = Invite { message, by_provider: true, wall };
    Judge::new(&invite, &stir, &mut Shelf::default(), Instant::ZERO).of(&message.from().unwrap())
}

fn judged_at(fields: &str, signers: &[Signer], seconds: u64) -> Option<Passport> {
    judge(&message(BOB, US, fields), signers, Some(seconds))
}

fn signed(attest: Attest) -> Option<Passport> {
    Some(Passport::Signed(Signed { attest, by: SignedBy::Known, forwarded: false }))
}

fn unproven(why: Unproven) -> Option<Passport> {
    Some(Passport::Unproven(why))
}

fn false_for(why: False) -> Option<Passport> {
    Some(Passport::False(why))
}

fn judged(fields: &str, signers: &[Signer]) -> Option<Passport> {
    judged_at(fields, signers, NOW)
}

#[test]
fn a_known_signers_token_is_worth_its_level_and_a_strangers_proves_nothing() {
    let carrier = Pair::of(1);
    for (level, attest) in [("A", Attest::Number), ("B", Attest::Customer), ("C", Attest::Gateway)] {
        let field = carrier.shaken(level, ORIG, DEST, NOW);
        assert_eq!(judged(&field, &[carrier.signer(Some(X5U))]), signed(attest));
        assert_eq!(judged(&field, &[Pair::of(2).signer(None), carrier.signer(None)]), signed(attest));
        let stranger = unproven(Unproven::Stranger);
        assert_eq!(judged(&field, &[Pair::of(2).signer(None)]), stranger);
        assert_eq!(judged(&field, &[carrier.signer(Some("https://elsewhere.test/c"))]), stranger);
        assert_eq!(judged(&field, &[]), unproven(Unproven::NobodyBelieved));
    }
    let unknown = carrier.shaken("D", ORIG, DEST, NOW);
    assert_eq!(judged(&unknown, &[carrier.signer(None)]), unproven(Unproven::Broken));
    assert_eq!(judged("", &[carrier.signer(None)]), None);
}

#[test]
fn who_signs_in_a_known_signers_name_or_for_another_caller_pretends() {
    let (carrier, mallory) = (Pair::of(1), Pair::of(2));
    let known = [carrier.signer(Some(X5U))];
    assert_eq!(judged(&mallory.shaken("A", ORIG, DEST, NOW), &known), false_for(False::Tampered));
    let other = r#""orig":{"tn":"12155559999"}"#;
    assert_eq!(judged(&carrier.shaken("A", other, DEST, NOW), &known), false_for(False::AnotherCaller));
    // One that fits outweighs those that do not.
    let both = mallory.shaken("A", ORIG, DEST, NOW) + &carrier.shaken("B", ORIG, DEST, NOW);
    assert_eq!(judged(&both, &known), signed(Attest::Customer));
}

#[test]
fn a_token_that_is_stale_for_somebody_else_or_of_an_old_key_proves_nothing_and_says_why() {
    let carrier = Pair::of(1);
    let known = [carrier.signer(Some(X5U))];
    let field = carrier.shaken("A", ORIG, DEST, NOW);
    for (seconds, fresh) in [(NOW + 60, true), (NOW + 61, false), (NOW - 60, true), (NOW - 61, false)] {
        let expected = if fresh { signed(Attest::Number) } else { unproven(Unproven::Stale) };
        assert_eq!(judged_at(&field, &known, seconds), expected, "{seconds}");
    }
    let elsewhere = r#""dest":{"tn":["4930123456"],"uri":["sip:x@y.test"]}"#;
    assert_eq!(judged(&carrier.shaken("A", ORIG, elsewhere, NOW), &known), unproven(Unproven::AnotherCalled));
    let old = Signer { valid: (0, NOW - 1), ..carrier.signer(Some(X5U)) };
    assert_eq!(judged(&field, &[old]), unproven(Unproven::Stranger));
    assert_eq!(judge(&message(BOB, US, &field), &known, None), unproven(Unproven::NoClock));
}

#[test]
fn numbers_are_compared_as_lines_and_addresses_as_addresses() {
    let carrier = Pair::of(1);
    let orig = r#""orig":{"tn":"493012345678"}"#;
    let dest = r#""dest":{"uri":["sip:Ann@Example.COM"]}"#;
    let field = carrier.shaken("A", orig, dest, NOW);
    let known = [carrier.signer(Some(X5U))];
    for (from, fits) in [
        ("sip:+49-30-1234-5678@x", true),
        ("sip:03012345678@x", true), // as it is dialled there
        ("tel:+493012345678", true),
        ("sip:+493012345679@x", false),
        ("sip:bob@x", false),
    ] {
        let message = message(from, "sip:Ann@example.com;transport=tcp", &field);
        let expected = if fits { signed(Attest::Number) } else { false_for(False::AnotherCaller) };
        assert_eq!(judge(&message, &known, Some(NOW)), expected, "{from}");
    }
}

#[test]
fn a_compact_token_is_made_again_of_the_request_and_accuses_nobody() {
    let field = |pair: &Pair| {
        let header = format!(r#"{{"alg":"ES256","typ":"passport","x5u":"{X5U}"}}"#);
        let payload = format!(r#"{{{DEST},"iat":{NOW},{ORIG}}}"#);
        let (_, signature) = pair.sign(&header, &payload);
        format!("Identity: ..{signature};info=<{X5U}>\r\n")
    };
    let known = [Pair::of(1).signer(Some(X5U))];
    assert_eq!(judged(&field(&Pair::of(1)), &known), signed(Attest::Number));
    assert_eq!(judged(&field(&Pair::of(2)), &known), unproven(Unproven::Rewritten));
}

/// The full form in RFC 8224 section 4.1.1, which the public key in RFC 8225 appendix A.2 fits. The signature in RFC 8225 itself
/// is of neither of the keys beside it.
#[test]
fn the_example_of_rfc_8224_is_of_the_key_that_rfc_8225_shows() {
    let header = r#"{"alg":"ES256","typ":"passport","x5u":"https://cert.example.org/passport.cer"}"#;
    let payload =
        r#"{"dest":{"uri":["sip:alice@example.com"]},"iat":"1443208345","orig":{"tn":"12155551212"}}"#;
    let text = "eyJhbGciOiJFUzI1NiIsInR5cCI6InBhc3Nwb3J0IiwieDV1IjoiaHR0cHM6Ly9jZXJ0LmV4YW1wbGUub3JnL3Bhc3Nwb3J0\
                LmNlciJ9.eyJkZXN0Ijp7InVyaSI6WyJzaXA6YWxpY2VAZXhhbXBsZS5jb20iXX0sImlhdCI6IjE0NDMyMDgzNDUiLCJvcmln\
                Ijp7InRuIjoiMTIxNTU1NTEyMTIifX0";
    assert_eq!(format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes())), text);
    let signature = "rq3pjT1hoRwakEGjHCnWSwUnshd0-zJ6F1VOgFWSjHBr8Qjpjlk-cpFYpFYsojNCpTzO3QfPOlckGaS6hEck7w";
    let spki = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8HNbQd_TmvCKwPKHkMF9fScavGeH78YTU8qLS8I5HLHSSmlATLcslQMhNC_OhlWB\
                YC626nIlo7XeebYS7Sb37g";
    let key = BASE64URL_NOPAD.decode(spki.as_bytes()).unwrap()[26..].to_vec();
    let signer = Signer { info: Some(X5U.to_owned()), key, valid: (0, u64::MAX) };
    let verdict = |token: &str| {
        let field = format!("Identity: {token};info=<https://biloxi.example.org/biloxi.cert>\r\n");
        let message = message("sip:12155551212@example.com;user=phone", "sip:alice@example.com", &field);
        judge(&message, std::slice::from_ref(&signer), Some(NOW + 2))
    };
    assert_eq!(verdict(&format!("{text}.{signature}")), signed(Attest::Number));
    let changed = text.replace("MTIxNTU1NTEyMTIifX0", &encode(br#"12155551219"}}"#));
    assert_eq!(verdict(&format!("{changed}.{signature}")), false_for(False::Tampered));
}

#[test]
fn hostile_fields_cost_little_and_prove_nothing() {
    let carrier = Pair::of(1);
    let known: Vec<Signer> = (0..100).map(|_| Pair::of(2).signer(None)).collect();
    let good = carrier.shaken("A", ORIG, DEST, NOW);
    let deep = encode(format!("{}1{}", "[".repeat(1500), "]".repeat(1500)).as_bytes());
    let same = encode(&[1; 64]);
    for field in [
        "Identity: \r\n".to_owned(),
        "Identity: ;info=<>\r\n".into(),
        "Identity: a.b.c;info=<x>\r\n".into(),
        "Identity: a.b.c.d;info=<x\r\n".into(),
        format!("Identity: {deep}.{deep}.{same};info=<x>\r\n"),
        format!("Identity: {}.{same};info=<x>\r\n", "e".repeat(5_000)),
        format!("Identity: ..{};info=<x>\r\n", encode(&[0; 64])),
        format!("Identity: ..{};info=<x>\r\n", encode(&[255; 64])),
        good.replace("shaken\r\n", "div\r\n"),
    ] {
        assert_eq!(judged(&field, &known), unproven(Unproven::Broken), "{field:.80}");
    }
    // Of a kind that is not ours to judge.
    for field in [good.replace("ES256", "none"), good.replace("shaken\r\n", "rph\r\n")] {
        assert_eq!(judged(&field, &known), None, "{field:.80}");
    }
    let nonsense = [Signer { key: vec![4; 65], ..carrier.signer(None) }];
    assert_eq!(judged(&good, &nonsense), unproven(Unproven::Stranger));
    // Neither keys nor fields without end: the right key comes too late.
    let mut many = known;
    many.push(carrier.signer(None));
    assert_eq!(judged(&good, &many), unproven(Unproven::TooMany));
}

#[test]
fn a_signature_goes_before_what_anybody_but_the_provider_says() {
    use crate::Said;
    use crate::identity::caller;

    let (carrier, mallory) = (Pair::of(1), Pair::of(2));
    let stir = Stir { signers: vec![carrier.signer(Some(X5U))], ..Stir::default() };
    let found = |fields: &str| {
        let message = message(BOB, US, fields);
        let invite = Invite { message: &message, by_provider: true, wall: Some(Duration::from_secs(NOW)) };
        let (caller, _) = caller(&invite, &stir, &mut Shelf::default(), Instant::ZERO);
        let identity = caller.unwrap().identity;
        (identity.by, identity.passport)
    };
    let rpid = "Remote-Party-ID: <sip:1001@offhook.test>;party=calling\r\n";
    let pai = "P-Asserted-Identity: <sip:+12155551212@offhook.test>\r\n";
    let other = "P-Asserted-Identity: <sip:1001@offhook.test>\r\n";
    let of = |level| carrier.shaken(level, ORIG, DEST, NOW);
    let number = || signed(Attest::Number);
    assert_eq!(found(&(of("A") + rpid)), (Said::Signer, number()));
    assert_eq!(found(&of("A")), (Said::Signer, number()));
    assert_eq!(found(&(of("A") + rpid + pai)), (Said::Provider, number()));
    assert_eq!(found(&(of("A") + other)), (Said::Provider, None));
    // Who is known is no number, and a gateway knows nobody.
    assert_eq!(found(&(of("B") + rpid)), (Said::RemoteParty, None));
    assert_eq!(found(&of("C")), (Said::Caller, signed(Attest::Gateway)));
    let pretended = mallory.shaken("A", ORIG, DEST, NOW);
    let tampered = || false_for(False::Tampered);
    assert_eq!(found(&pretended), (Said::Caller, tampered()));
    assert_eq!(found(&(pretended + rpid)), (Said::RemoteParty, tampered()));
    assert_eq!(found(rpid), (Said::RemoteParty, None));
}
