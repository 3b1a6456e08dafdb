//! VOS encryption byte for byte, from programs that were written apart from this one.

use base::Secret;
use offhook_vectors::{Mutator, exercise};
use sip::codec::vos::{Frame, Seal};
use sip::codec::{FlowCodec as _, Unopened};

/// Id, key, message, datagram in hexadecimal.
const DATAGRAMS: [(&str, &str, &[u8], &str); 3] = [
    (
        "1001",
        "secret",
        b"OPTIONS sip:192.0.2.1 SIP/2.0\r\n\r\n",
        "4b53000000010027000431303031a2668655cdea858641a2cbe6c2dfc7199d1940ccb2d39715205346c9ea675f12b5",
    ),
    // Key bytes are unsigned; a body may hold any.
    (
        "gw-7",
        "Schl\u{fc}ssel",
        b"SIP/2.0 200 OK\r\n\r\n\0\x01\0\xff",
        "4b5300000001001c000467772d3735f56860e81dc54a8340ae2d27bab9cd478eac957e91",
    ),
    // An id may be empty, a key of one byte.
    ("", "k", b"\r\n\r\n", "4b53000000010006000062e8ad5b"),
];

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("two digits");
    (0..hex.len()).step_by(2).map(digit).collect()
}

#[test]
fn every_datagram_is_sealed_and_opened_byte_for_byte() {
    for (id, key, message, wire) in DATAGRAMS {
        let mut seal = Seal::new(id, Secret::new(key.into())).expect("an id and a key");
        let (mut sealed, mut room, wire) = (b"before".to_vec(), Vec::new(), bytes(wire));
        seal.seal(message, &mut sealed);
        assert_eq!(sealed, [b"before", &wire[..]].concat(), "behind what is there");
        assert_eq!(seal.open(&wire, &mut room), Ok(message));
        assert_eq!(Frame::read(&wire).map(|frame| frame.id), Ok(id.as_bytes()));
    }
}

#[test]
fn no_datagram_but_the_whole_one_is_opened() {
    let (id, key, _, wire) = DATAGRAMS[0];
    let (mut seal, wire) = (Seal::new(id, Secret::new(key.into())).expect("an id and a key"), bytes(wire));
    let mut room = Vec::new();
    for length in 0..wire.len() {
        assert!(seal.open(&wire[..length], &mut room).is_err(), "{length}");
    }
    for bit in 0..10 * 8 {
        let mut bent = wire.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        // Only another length of the id passes for a frame, and what is then inside is none.
        let expected = match bit / 8 {
            0..2 => Unopened::Plain,
            9 if usize::from(bent[9]) + 10 <= wire.len() => Unopened::Noise,
            _ => Unopened::Broken,
        };
        assert_eq!(seal.open(&bent, &mut room), Err(expected), "bit {bit}");
    }
}

#[test]
fn readers_of_what_is_sealed_keep_their_word_on_mutated_datagrams() {
    let seeds = [bytes(DATAGRAMS[0].3), b"\x04\x061001secretbody\0with\0nul".to_vec(), vec![0; 100]];
    let (mut mutator, mut mutant) = (Mutator::new(5070), Vec::new());
    for round in 0..20_000 {
        mutator.mutate(&seeds[round % 3], &seeds[(round + 1) % 3], &mut mutant);
        exercise::ks(&mutant);
        exercise::disguise(&mutant);
    }
    exercise::ks(&[&[4, 6][..], b"1001secret", &vec![7; 70_000]].concat());
}
