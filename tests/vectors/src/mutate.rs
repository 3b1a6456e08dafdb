//! Broken copies of sound bytes, the same ones for the same seed.
//!
//! Knows what breaks readers of text: lost and doubled stretches, flipped bits, separators where none belong, two messages
//! grown together. Not a coverage-guided fuzzer: that is `tests/fuzz`.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Makes mutants.
pub struct Mutator {
    rng: ChaCha8Rng,
}

/// What readers trip over.
const SPICE: [&[u8]; 24] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"\r\n ",
    b":",
    b";",
    b",",
    b"<",
    b">",
    b"\"",
    b"\\",
    b"=",
    b"@",
    b"[",
    b"]",
    b"%",
    b"%00",
    b"?",
    b" ",
    b"\0",
    b"\xff",
    b"4294967296",
    b"SIP/2.0",
];

impl Mutator {
    /// A mutator whose every step follows from `seed`: print it when a test fails.
    pub fn new(seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed) }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.rng.next_u32() as usize % limit.max(1)
    }

    /// A stretch of at most `most` bytes within `len`.
    fn stretch(&mut self, len: usize, most: usize) -> std::ops::Range<usize> {
        let start = self.below(len);
        start..(start + 1 + self.below(most)).min(len)
    }

    /// Writes a mutant of `original` into `out`. `other` lends a stretch now and then.
    pub fn mutate(&mut self, original: &[u8], other: &[u8], out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(original);
        for _ in 0..=self.below(6) {
            let at = self.below(out.len() + 1);
            match self.below(8) {
                0 => {
                    let cut = self.stretch(out.len(), 64);
                    out.drain(cut);
                }
                1 => {
                    let twice = self.stretch(out.len(), 64);
                    let copy = out[twice].to_vec();
                    out.splice(at..at, copy);
                }
                2 => {
                    if let Some(byte) = out.get_mut(at) {
                        *byte ^= 1 << self.below(8);
                    }
                }
                3 => {
                    let byte = self.below(256) as u8;
                    if let Some(place) = out.get_mut(at) {
                        *place = byte;
                    }
                }
                4 | 5 => {
                    let spice = SPICE[self.below(SPICE.len())];
                    out.splice(at..at, spice.iter().copied());
                }
                6 => {
                    let lent = self.stretch(other.len(), 256);
                    out.splice(at..at, other[lent].iter().copied());
                }
                _ => out.truncate(at),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_mutants() {
        let run = |seed| {
            let (mut mutator, mut out, mut all) = (Mutator::new(seed), Vec::new(), Vec::new());
            for _ in 0..50 {
                mutator.mutate(b"INVITE sip:a SIP/2.0\r\n\r\n", b"other", &mut out);
                all.push(out.clone());
            }
            all
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }
}
