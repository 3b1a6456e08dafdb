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
    /// Their last bit counts for nothing.
    y: [i32; 2],
}

impl HighPass {
    /// The encoder's, which also halves.
    pub(super) const fn input() -> Self {
        Self { zeros: &B140, poles: &A140, shifts: (3, 0), x: [0; 2], y: [0; 2] }
    }

    /// The decoder's.
    pub(super) const fn output() -> Self {
        Self { zeros: &B100, poles: &A100, shifts: (2, 1), x: [0; 2], y: [0; 2] }
    }

    /// The next sample.
    ///
    /// A pair of words times a word, its cross product floored, is the whole number's product floored; and where the
    /// sizes of all terms add up to less than 2^31, no sum on the way can clamp.
    pub(super) fn sample(&mut self, x0: i16) -> i16 {
        let fed = |y: i32, pole: i16| 2 * ((i64::from(y >> 1) * i64::from(pole)) >> 15);
        let taken = |x: i16, zero: i16| 2 * i64::from(x) * i64::from(zero);
        let terms = [
            fed(self.y[0], self.poles[1]),
            fed(self.y[1], self.poles[2]),
            taken(x0, self.zeros[0]),
            taken(self.x[0], self.zeros[1]),
            taken(self.x[1], self.zeros[2]),
        ];
        let t = if terms.iter().map(|t| t.abs()).sum::<i64>() < 1 << 31 {
            terms.iter().sum::<i64>() as i32
        } else {
            self.plain(x0)
        };
        let t = l_shl(t, self.shifts.0);
        self.x = [x0, self.x[0]];
        self.y = [t, self.y[0]];
        round(l_shl(t, self.shifts.1))
    }

    /// The sum as the Recommendation says it.
    #[cold]
    fn plain(&self, x0: i16) -> i32 {
        let [y0, y1] = self.y.map(split);
        let mut t = mpy32_16(y0, self.poles[1]);
        t = l_add(t, mpy32_16(y1, self.poles[2]));
        t = l_mac(t, x0, self.zeros[0]);
        t = l_mac(t, self.x[0], self.zeros[1]);
        l_mac(t, self.x[1], self.zeros[2])
    }
}

#[cfg(test)]
mod tests {
    use base::Rng;

    use super::*;

    #[test]
    fn the_sum_is_the_operators_for_any_samples() {
        for seed in 0..4 {
            let mut rng = Rng::from_number(seed);
            for mut filter in [HighPass::input(), HighPass::output()] {
                for n in 0..50_000 {
                    let loud = 1 << (n / 500 % 16);
                    let x = if n / 8000 % 2 == 0 {
                        (rng.below(2 * loud) as i64 - loud as i64) as i16
                    } else {
                        [i16::MIN, i16::MAX][n / 20 % 2]
                    };
                    let mut other = filter.clone();
                    let t = l_shl(filter.plain(x), filter.shifts.0);
                    assert_eq!((other.sample(x), other.y[0]), (round(l_shl(t, filter.shifts.1)), t));
                    filter = other;
                }
            }
        }
    }
}
