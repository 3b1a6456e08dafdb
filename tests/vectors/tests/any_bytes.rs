//! Any bytes at all where sound, packets and STUN come in: a short turn of what the fuzzers do for longer.

use base::Rng;
use offhook_vectors::{Mutator, STUN, exercise};

/// Buffers of random length and content, with runs of one byte that random bytes never have.
fn buffers(seed: u64) -> impl Iterator<Item = Vec<u8>> {
    let mut rng = Rng::from_number(seed);
    (0..200).map(move |_| {
        let mut bytes = vec![0; rng.below(2000) as usize];
        rng.fill(&mut bytes);
        let (a, b) = (rng.below(bytes.len() as u64) as usize, rng.below(bytes.len() as u64) as usize);
        let value = rng.bits() as u8;
        bytes[a.min(b)..a.max(b)].fill(value);
        bytes
    })
}

/// Four pieces of a report: SR with a block, SDES, XR with all that is known, BYE.
const REPORT: &[u8] = b"\x81\xc8\0\x0c\0\0\0\x01\xb4\x4d\xb7\x05\x20\0\0\0\0\0\0\x09\0\0\0\x0a\0\0\x06\x40\
    \x0a\x0b\x0c\x0d\x40\xff\xff\xfe\0\x01\0\x05\0\0\0\x11\xb7\x05\x20\0\0\x05\x40\0\
    \x81\xca\0\x02\0\0\0\x01\x01\x02ab\
    \x80\xcf\0\x11\0\0\0\x01\x04\0\0\x02\xb4\x4d\xb7\x05\x20\0\0\0\x05\0\0\x03\0\0\0\x07\xb7\x05\x20\0\0\x05\x40\0\
    \x07\0\0\x08\x0a\x0b\x0c\x0d\x0c\x0d\x54\x0a\0\x78\x02\x08\0\x51\0\x69\xed\x7f\x7f\x10\x5b\x7f\x2c\x2b\xb5\0\0\x3c\0\xa0\x01\x90\
    \x81\xcb\0\x01\0\0\0\x01";

#[test]
fn readers_of_packets_keep_their_word_on_mutated_ones() {
    exercise::rtcp(REPORT);
    let stream = b"\xb1\x80\x12\x34\0\0\x03\x20\0\0\0\x09\0\0\0\x07\xbe\xde\0\x01abcdpayload\x02";
    exercise::rtp(stream);
    let (mut mutator, mut mutant) = (Mutator::new(3550), Vec::new());
    for _ in 0..20_000 {
        mutator.mutate(REPORT, stream, &mut mutant);
        exercise::rtcp(&mutant);
        mutator.mutate(stream, REPORT, &mut mutant);
        exercise::rtp(&mutant);
    }
}

#[test]
fn readers_of_stun_and_of_streams_keep_their_word_on_mutated_messages() {
    let stream = b"\0\x10\0\x04abcd\0\0\0\x14";
    let (mut mutator, mut mutant) = (Mutator::new(8489), Vec::new());
    for _ in 0..2000 {
        for (_, message) in STUN {
            mutator.mutate(message, STUN[0].1, &mut mutant);
            exercise::stun(&mutant);
            let mut turn = vec![1, mutant.len() as u8];
            turn.extend_from_slice(&mutant);
            exercise::stream_frames(&turn);
        }
        mutator.mutate(stream, STUN[0].1, &mut mutant);
        exercise::stream_frames(&mutant);
    }
    buffers(6).for_each(|bytes| exercise::stream_frames(&bytes));
}

/// To a server in pieces of three: a text, a ping, a message in two pieces with a pong between, a close.
const WEB: &[u8] = b"\x01\x02\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x89\x82abcdef\x02\x83\0\0\0\0INV\
    \x8a\x80abcd\x80\x83\0\0\0\0ITE\x88\x82\0\0\0\0\x03\xe8";

#[test]
fn the_reader_of_websockets_keeps_its_word_on_mutated_ones() {
    let upgrade =
        b"\0\x05GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n\r\n";
    exercise::web_frames(WEB);
    let (mut mutator, mut mutant) = (Mutator::new(6455), Vec::new());
    for _ in 0..10_000 {
        mutator.mutate(WEB, WEB, &mut mutant);
        exercise::web_frames(&mutant);
        mutator.mutate(upgrade, WEB, &mut mutant);
        exercise::web_frames(&mutant);
    }
    buffers(7).for_each(|bytes| exercise::web_frames(&bytes));
}

/// A challenge, an answer with an allocation, a peer that is let in, its channel granted, data, time, a move, the end.
const RELAYED: &[u8] = b"\x10\x06\x14xobMatJos2gAAAnonce12\x01\0\x0b\x03\0\0\x01\x01\0\x0c\x04\0\0\x01v\
    \x08\x09\0\0\x01\0\0\x13\x02hi\x0a\x01\x18\x01\0\x04\x02\0\x04\x0e\0\x01\x09\x80\x30\x06ticket\x0f\x01\x03\x01\0";

#[test]
fn a_relays_client_keeps_its_word_whatever_strangers_and_the_relay_say() {
    exercise::turn_client(RELAYED);
    let (mut mutator, mut mutant) = (Mutator::new(8656), Vec::new());
    for round in 0..20_000 {
        mutator.mutate(RELAYED, STUN[round % STUN.len()].1, &mut mutant);
        exercise::turn_client(&mutant);
    }
    for bytes in buffers(7) {
        // Short steps: many of them.
        let tame: Vec<u8> = bytes.iter().map(|byte| byte & 0x1f).collect();
        exercise::turn_client(&tame);
    }
}

#[test]
fn a_session_keeps_its_word_whatever_it_is_sent() {
    buffers(4).for_each(|bytes| exercise::media_session(&bytes));
    let (mut mutator, mut mutant) = (Mutator::new(3611), Vec::new());
    for seed in 0..100 {
        let tame: Vec<u8> = buffers(seed).next().expect("endless").iter().map(|byte| byte & 0x3f).collect();
        mutator.mutate(&tame, REPORT, &mut mutant);
        exercise::media_session(&mutant);
    }
}

#[test]
fn decoders_and_encoders_keep_their_word_on_any_bytes() {
    buffers(1).for_each(|bytes| exercise::g722(&bytes));
    buffers(2).for_each(|bytes| exercise::gsm(&bytes));
    buffers(3).for_each(|bytes| exercise::comfort_noise(&bytes));
    for pick in 0..7 {
        for mut bytes in buffers(5) {
            bytes.insert(0, pick);
            exercise::decoders(&bytes);
        }
    }
}
