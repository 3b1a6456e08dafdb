//! What the demo's two say: public-domain speech, four seconds each, in the binary.
//!
//! tests/vectors/speech/PROVENANCE.md says where it is from.

use std::io::Cursor;

use media::wav;

/// The caller's words, a WAV file.
pub(crate) const ANN: &[u8] = include_bytes!("../../speech/ann.wav");
/// The called one's words, a WAV file.
pub(crate) const BOB: &[u8] = include_bytes!("../../speech/bob.wav");

/// The caller's words.
pub(crate) fn ann() -> Vec<i16> {
    samples(ANN)
}

/// The called one's words.
pub(crate) fn bob() -> Vec<i16> {
    samples(BOB)
}

fn samples(file: &'static [u8]) -> Vec<i16> {
    let mut reader = wav::Reader::new(Cursor::new(file)).expect("a file of our own");
    let mut out = vec![0; reader.samples() as usize];
    let count = reader.read(&mut out).expect("memory reads without errors");
    out.truncate(count);
    out
}
