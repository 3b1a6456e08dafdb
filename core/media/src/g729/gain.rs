//! The code gain's prediction from the energies of past frames, shared by decoder and encoder.
//!
//! G.729 sections 3.9.1 and 4.1.5. Knows nothing of the search.

use super::kernels::Kernels;
use super::math::{Block, log2, pow2};
use super::ops::*;
use super::tables::*;

/// Quantised energies of the last four subframes, Q10 dB, newest first.
#[derive(Clone, Debug)]
pub(super) struct Energies(pub(super) [i16; 4]);

/// The floor of the energy memory, -14 dB.
const FLOOR: i16 = -14336;

impl Default for Energies {
    fn default() -> Self {
        Self([FLOOR; 4])
    }
}

impl Energies {
    /// The gain expected for `code` (Q13), as mantissa and Q format.
    pub(super) fn predict<K: Kernels>(&self, code: &Block) -> (i16, i16) {
        let (e, f) = log2(K::energy(0, code).value);
        let t = mpy32_16(HiLo { hi: e, lo: f }, -24660);
        let t = l_shl(l_mac(t, 32588, 32), 10);
        let db = high(mac_all(t, &GAIN_PRED, &self.0));
        let HiLo { hi: e, lo: f } = split(l_shr(l_mult(db, 5439), 8));
        (low(pow2(14, f)), 14 - e)
    }

    /// Remembers the correction `factor` (Q13) that was sent.
    pub(super) fn push(&mut self, factor: i32) {
        let (e, f) = log2(factor);
        self.shift_in(mult(high(l_shl(join(HiLo { hi: e - 13, lo: f }), 13)), 24660));
    }

    /// After an erased frame: the mean of the memory less 4 dB.
    pub(super) fn push_erased(&mut self) {
        let mean = low(self.0.iter().map(|e| i32::from(*e)).sum::<i32>() >> 2);
        self.shift_in(sub(mean, 4096).max(FLOOR));
    }

    fn shift_in(&mut self, energy: i16) {
        self.0.rotate_right(1);
        self.0[0] = energy;
    }
}

/// The code gain in Q1: correction `factor` (Q13) times the predicted one.
pub(super) fn code_gain(factor: i32, (mantissa, q): (i16, i16)) -> i16 {
    high(l_shl(l_mult(low(factor >> 1), mantissa), 4 - i32::from(q)))
}

/// How strongly the next subframe's code is sharpened with this pitch gain.
pub(super) fn sharpening(pitch_gain: i16) -> i16 {
    pitch_gain.clamp(3277, 13017)
}
