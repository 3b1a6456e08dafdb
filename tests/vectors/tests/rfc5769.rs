//! STUN octet for octet: RFC 5769, and RFC 8489 appendix B.1.

use std::fs;

use base::Secret;
use nat::stun::{Algorithm, Class, Key, Malformed, Message, Method, TransactionId, Writer, attribute};
use offhook_vectors::{elsewhere, stun};

const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";
const USER: &str = "\u{30de}\u{30c8}\u{30ea}\u{30c3}\u{30af}\u{30b9}";
const REALM: &str = "example.org";

/// As OpaqueString leaves it: RFC 8265 is for whoever asks the user.
fn long_term(algorithm: Algorithm) -> Key {
    Key::long_term(USER, REALM, &Secret::new("TheMatrIX".into()), algorithm)
}

fn read(bytes: &[u8]) -> Message {
    Message::read(bytes).expect("a sound message")
}

/// Believed with the right key, and with no bit changed before the fingerprint, which stands behind what is signed.
fn believed(bytes: &[u8], key: &Key, by: Algorithm) {
    assert_eq!(read(bytes).written_by(key), Some(by));
    assert_eq!(read(bytes).written_by(&Key::short_term("another")), None);
    let fingerprint = if read(bytes).has(attribute::FINGERPRINT) { 8 } else { 0 };
    for bit in 0..(bytes.len() - fingerprint) * 8 {
        let mut bent = bytes.to_vec();
        bent[bit / 8] ^= 1 << (bit % 8);
        let bent = Message::read(&bent);
        assert!(!bent.is_ok_and(|message| message.written_by(key).is_some()), "bit {bit} is anybody's");
    }
}

#[test]
fn the_request_of_section_2_1_is_read_and_believed() {
    let bytes = stun("request");
    let message = read(bytes);
    assert_eq!((message.class(), message.method()), (Class::Request, Method::Binding));
    assert_eq!(message.id(), TransactionId(*b"\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"));
    assert_eq!(message.text(attribute::SOFTWARE), Some("STUN test client"));
    assert_eq!(message.text(attribute::USERNAME), Some("evtj:h6vY"));
    assert_eq!(message.number(attribute::PRIORITY), Some(0x6e00_01ff));
    assert_eq!(message.value(attribute::ICE_CONTROLLED), Some(&b"\x93\x2f\xf9\xb1\x51\x26\x3b\x36"[..]));
    assert!(message.has(attribute::FINGERPRINT));
    believed(bytes, &Key::short_term(PASSWORD), Algorithm::Sha1);
}

#[test]
fn the_responses_of_sections_2_2_and_2_3_are_read_and_believed() {
    for (name, mapped) in [
        ("ipv4-response", "192.0.2.1:32853"),
        ("ipv6-response", "[2001:db8:1234:5678:11:2233:4455:6677]:32853"),
    ] {
        let message = read(stun(name));
        assert_eq!((message.class(), message.method()), (Class::Success, Method::Binding), "{name}");
        assert_eq!(message.text(attribute::SOFTWARE), Some("test vector"), "{name}");
        assert_eq!(message.mapped(), mapped.parse().ok(), "{name}");
        believed(stun(name), &Key::short_term(PASSWORD), Algorithm::Sha1);
    }
}

#[test]
fn the_long_term_request_of_section_2_4_is_read_believed_and_written_alike() {
    let bytes = stun("request-long-term");
    let message = read(bytes);
    assert_eq!(message.text(attribute::USERNAME), Some(USER));
    assert_eq!(message.text(attribute::REALM), Some(REALM));
    assert_eq!(message.text(attribute::NONCE), Some("f//499k954d6OL34oL9FSTvy64sA"));
    let key = long_term(Algorithm::Sha1);
    believed(bytes, &key, Algorithm::Sha1);
    let written = Writer::request(Method::Binding, message.id())
        .text(attribute::USERNAME, USER)
        .text(attribute::NONCE, "f//499k954d6OL34oL9FSTvy64sA")
        .text(attribute::REALM, REALM)
        .signed(&key, Algorithm::Sha1);
    assert_eq!(&written[..], bytes);
}

/// Its length counts the header too: who read on by it would take 20 octets of the next message on a stream.
#[test]
fn the_request_of_rfc_8489_appendix_b_1_is_refused_for_its_length() {
    let printed = stun("request-long-term-sha256");
    assert_eq!(usize::from(u16::from_be_bytes([printed[2], printed[3]])), printed.len());
    assert_eq!(Message::read(printed).err(), Some(Malformed));
}

#[test]
fn the_request_of_rfc_8489_appendix_b_1_put_right_is_believed() {
    let Some(set) = elsewhere("stun") else { return };
    let bytes = fs::read(set.join("sample_request_long_term_auth_sha256.bin")).expect("the set is complete");
    let message = read(&bytes);
    assert_eq!(message.text(attribute::NONCE), Some("obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA"));
    assert_eq!(message.text(attribute::REALM), Some(REALM));
    // Who put it right made the key by MD5, the password algorithm when none is named (RFC 8489 section 9.2.2).
    believed(&bytes, &long_term(Algorithm::Sha1), Algorithm::Sha256);
}
