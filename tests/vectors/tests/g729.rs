//! G.729 Annexes A and B word for word: the ITU's sets, and made streams that reach what those do not.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use media::g729::{Coded, Decoder, Encoder, FRAME_SAMPLES, Frame};
use offhook_vectors::elsewhere;

/// Good frame, in the ITU's serial format.
const SYNC: u16 = 0x6B21;
const ONE: u16 = 0x0081;
const ZERO: u16 = 0x007F;

fn words(path: &Path) -> Vec<u16> {
    fs::read(path)
        .expect("a vector is read")
        .chunks_exact(2)
        .map(|b| u16::from_le_bytes([b[0], b[1]]))
        .collect()
}

/// The files of a folder with an ending, in any case and in order.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).expect("the set is complete");
    let mut files: Vec<PathBuf> = listed.filter_map(|e| Some(e.ok()?.path())).collect();
    files.retain(|p| p.extension().is_some_and(|e| e.eq_ignore_ascii_case(ending)));
    files.sort();
    files
}

/// One frame of the serial format, and what follows it.
fn next(serial: &[u16]) -> Option<(u16, &[u16], &[u16])> {
    let [sync, n, rest @ ..] = serial else { return None };
    let n = usize::from(*n);
    (rest.len() >= n).then(|| (*sync, &rest[..n], &rest[n..]))
}

/// Words that differ, of how many frames.
struct Compared {
    frames: usize,
    mismatches: usize,
}

fn decode(bits: &Path, samples: &Path) -> Compared {
    let (serial, expected) = (words(bits), words(samples));
    let mut decoder = Decoder::default();
    let mut got = Vec::new();
    let mut rest = serial.as_slice();
    while let Some((sync, bits, after)) = next(rest) {
        rest = after;
        let mut bytes = [0; 10];
        if matches!(bits.len(), 80 | 16) {
            for (i, _) in bits.iter().enumerate().filter(|(_, bit)| **bit == ONE) {
                bytes[i / 8] |= 0x80 >> (i % 8);
            }
        }
        // A frame with bits is erased by zero words whatever its sync word, one without by its sync word alone.
        let erased = if bits.is_empty() { sync != SYNC } else { bits.contains(&0) };
        let frame = match bits.len() {
            _ if erased => Frame::Erased,
            80 => Frame::Speech(&bytes),
            16 => Frame::Sid([bytes[0], bytes[1]]),
            _ => Frame::Untransmitted,
        };
        got.extend(decoder.decode(frame).map(|s| s as u16));
    }
    let mismatches = got.iter().zip(&expected).filter(|(a, b)| a != b).count();
    Compared {
        frames: got.len() / FRAME_SAMPLES,
        mismatches: mismatches + got.len().abs_diff(expected.len()),
    }
}

fn encode(samples: &Path, bits: &Path, silence_compression: bool) -> Compared {
    let (input, expected) = (words(samples), words(bits));
    let mut encoder = Encoder::new(silence_compression);
    let mut rest = expected.as_slice();
    let mut compared = Compared { frames: 0, mismatches: 0 };
    for samples in input.chunks_exact(FRAME_SAMPLES) {
        let frame = std::array::from_fn(|i| samples[i] as i16);
        let bytes = match encoder.encode(&frame) {
            Coded::Speech(bytes) => bytes.to_vec(),
            Coded::Sid(bytes) => bytes.to_vec(),
            Coded::Nothing => Vec::new(),
        };
        let bit = |i: usize| if bytes[i / 8] >> (7 - i % 8) & 1 == 1 { ONE } else { ZERO };
        let got: Vec<u16> = (0..bytes.len() * 8).map(bit).collect();
        let (_, wanted, after) = next(rest).unwrap_or_default();
        compared.frames += 1;
        compared.mismatches += usize::from(got != wanted);
        rest = after;
    }
    compared.mismatches += rest.len();
    compared
}

fn report(what: &str, file: &Path, compared: &Compared) -> usize {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let Compared { frames, mismatches } = compared;
    let _ = writeln!(std::io::stdout(), "{what} {name}: {frames} frames compared, {mismatches} mismatches");
    compared.mismatches
}

#[test]
fn every_stream_decodes_to_the_same_words() {
    let Some(root) = elsewhere("g729") else { return };
    let mut mismatches = 0;
    for set in ["annex-a", "annex-b", "stress"] {
        for bits in files(&root.join(set), "bit") {
            let samples = ["PST", "pst", "out"].iter().map(|e| bits.with_extension(e)).find(|p| p.exists());
            if let Some(samples) = samples {
                mismatches += report("decode", &bits, &decode(&bits, &samples));
            }
        }
    }
    assert_eq!(mismatches, 0);
}

#[test]
fn every_input_encodes_to_the_same_bits() {
    let Some(root) = elsewhere("g729") else { return };
    let mut mismatches = 0;
    for (set, ways) in [
        ("annex-a", &[("BIT", false)][..]),
        ("annex-b", &[("bit", true)]),
        ("stress", &[("bit", false), ("dtx.bit", true)]),
    ] {
        for samples in files(&root.join(set), "in") {
            for (ending, silence_compression) in ways {
                let bits = samples.with_extension(ending);
                mismatches += report("encode", &bits, &encode(&samples, &bits, *silence_compression));
            }
        }
    }
    assert_eq!(mismatches, 0);
}
