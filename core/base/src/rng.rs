//! Randomness from a seed that somebody else found.
//!
//! ChaCha12: unguessable when the seed is, so tags, branches and nonces may come from it (RFC 3261 section 19.3).
//! `io` seeds it from the operating system, tests from a number they print when they fail.

use rand_chacha::ChaCha12Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// A seeded generator.
#[derive(Clone, Debug)]
pub struct Rng(ChaCha12Rng);

impl Rng {
    /// From 32 bytes of real entropy.
    pub fn from_entropy(seed: [u8; 32]) -> Self {
        Self(ChaCha12Rng::from_seed(seed))
    }

    /// From a test's number.
    pub fn from_number(seed: u64) -> Self {
        Self(ChaCha12Rng::seed_from_u64(seed))
    }

    /// A generator of its own for a part of the machine, so that one part's draws do not shift another's.
    pub fn split(&mut self) -> Self {
        let mut seed = [0; 32];
        self.0.fill_bytes(&mut seed);
        Self::from_entropy(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Fills `out`.
    pub fn fill(&mut self, out: &mut [u8]) {
        self.0.fill_bytes(out);
    }

    /// A whole number in `0..bound`; 0 when `bound` is 0. Bias below 2^-32 for bounds that fit 32 bits.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// A fraction in `0.0..1.0`.
    pub fn fraction(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// `N` characters of lower-case letters and digits (5 bits each): a token safe anywhere in SIP and SDP.
    pub fn token<const N: usize>(&mut self) -> [u8; N] {
        const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        let mut out = [0; N];
        for chunk in out.chunks_mut(12) {
            let mut bits = self.bits();
            for c in chunk {
                *c = ALPHABET[(bits & 31) as usize];
                bits >>= 5;
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_tells_the_same_story_and_another_does_not() {
        let draw = |seed| Rng::from_number(seed).token::<16>();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn a_split_generator_does_not_shift_its_parent() {
        let mut a = Rng::from_number(7);
        let mut b = Rng::from_number(7);
        let mut child = a.split();
        let _ = b.split();
        child.bits();
        assert_eq!(a.bits(), b.bits());
    }

    #[test]
    fn draws_below_a_bound_stay_below_it_and_reach_both_ends() {
        let mut rng = Rng::from_number(3);
        let draws: Vec<u64> = (0..200).map(|_| rng.below(4)).collect();
        assert!((0..4).all(|n| draws.contains(&n)) && draws.iter().all(|n| *n < 4));
        assert_eq!(rng.below(0), 0);
    }
}
