//! GSM full rate word for word: the ETSI's sequences.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use media::gsm::{BYTES, Decoder, Encoder, SAMPLES};
use offhook_vectors::elsewhere;

/// Words of a frame's codes.
const CODES: usize = 76;

fn words(path: &Path) -> Vec<u16> {
    let bytes = fs::read(path).expect("the set is complete");
    bytes.as_chunks().0.iter().map(|b| u16::from_le_bytes(*b)).collect()
}

/// Bits of each code, as RFC 3551 table 2 has them.
fn widths() -> Vec<usize> {
    let mut widths = vec![6, 6, 5, 5, 4, 4, 3, 3];
    for _ in 0..4 {
        widths.extend([7, 2, 2, 6]);
        widths.extend([3; 13]);
    }
    widths
}

/// A frame's codes as RTP carries them: bit by bit behind the signature.
fn packed(codes: &[u16]) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    bytes[0] = 0xd0;
    let mut at = 4;
    for (code, width) in codes.iter().zip(widths()) {
        for bit in (0..width).rev() {
            bytes[at / 8] |= ((code >> bit & 1) as u8) << (7 - at % 8);
            at += 1;
        }
    }
    assert_eq!(at, BYTES * 8);
    bytes
}

fn report(what: &str, frames: usize, mismatches: usize) -> usize {
    let _ = writeln!(std::io::stdout(), "{what}: {frames} frames compared, {mismatches} mismatches");
    assert!(frames > 0);
    mismatches
}

#[test]
fn every_sequence_encodes_to_the_same_codes() {
    let Some(set) = elsewhere("gsm") else { return };
    let mut mismatches = 0;
    // The fifth is for decoders alone.
    for name in ["Seq01", "Seq02", "Seq03", "Seq04"] {
        let samples = words(&set.join(name).with_extension("inp"));
        let codes = words(&set.join(name).with_extension("cod"));
        assert_eq!(samples.len() / SAMPLES, codes.len() / CODES);
        let mut encoder = Encoder::default();
        let frames = samples.as_chunks::<SAMPLES>().0.iter().zip(codes.chunks_exact(CODES));
        let differ =
            frames.filter(|(samples, codes)| encoder.encode(&samples.map(|s| s as i16)) != packed(codes));
        mismatches += report(&format!("encode {name}"), codes.len() / CODES, differ.count());
    }
    assert_eq!(mismatches, 0);
}

#[test]
fn every_sequence_decodes_to_the_same_samples() {
    let Some(set) = elsewhere("gsm") else { return };
    let mut mismatches = 0;
    for name in ["Seq01", "Seq02", "Seq03", "Seq04", "Seq05"] {
        let codes = words(&set.join(name).with_extension("cod"));
        let samples = words(&set.join(name).with_extension("out"));
        assert_eq!(samples.len() / SAMPLES, codes.len() / CODES);
        let (mut decoder, mut out) = (Decoder::default(), [0; SAMPLES]);
        let frames = samples.as_chunks::<SAMPLES>().0.iter().zip(codes.chunks_exact(CODES));
        let differ = frames.filter(|(samples, codes)| {
            decoder.decode(&packed(codes), &mut out).expect("the signature is there");
            out != samples.map(|s| s as i16)
        });
        mismatches += report(&format!("decode {name}"), codes.len() / CODES, differ.count());
    }
    assert_eq!(mismatches, 0);
}
