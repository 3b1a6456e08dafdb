//! The second-order high-pass filters at both ends: 140 Hz before the encoder, 100 Hz behind the decoder.
//!
//! G.729 sections 3.1 and 4.2.5.

use super::ops::*;
use super::tables::{A100, A140, B100, B140};

/// One filter and its memory.
#[derive(Clone, Debug)]
pub(super) struct HighPass {
    zeros: &'static [i16; 3],
    poles: &'static [i16; 3],
    /// Bits that bring the feedback to Q format, and those from there to a sample.
    shifts: (i32, i32),
    x: [i16; 2],
    y: [HiLo; 2],
}

impl HighPass {
    /// The encoder's, which also halves.
    pub(super) const fn input() -> Self {
        Self { zeros: &B140, poles: &A140, shifts: (3, 0), x: [0; 2], y: [HiLo::ZERO; 2] }
    }

    /// The decoder's.
    pub(super) const fn output() -> Self {
        Self { zeros: &B100, poles: &A100, shifts: (2, 1), x: [0; 2], y: [HiLo::ZERO; 2] }
    }

    pub(super) fn sample(&mut self, x0: i16) -> i16 {
        let mut t = mpy32_16(self.y[0], self.poles[1]);
        t = l_add(t, mpy32_16(self.y[1], self.poles[2]));
        t = l_mac(t, x0, self.zeros[0]);
        t = l_mac(t, self.x[0], self.zeros[1]);
        t = l_mac(t, self.x[1], self.zeros[2]);
        t = l_shl(t, self.shifts.0);
        self.x = [x0, self.x[0]];
        self.y = [split(t), self.y[0]];
        round(l_shl(t, self.shifts.1))
    }
}
