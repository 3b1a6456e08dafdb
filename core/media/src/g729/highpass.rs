//! The second-order high-pass filters at both ends: 140 Hz before the encoder, 100 Hz behind the decoder.
//!
//! G.729 sections 3.1 and 4.2.5.

use super::kernels::peak;
use super::lanes::eight_windows;
use super::math::FRAME;
use super::ops::*;
use super::tables::{A100, A140, B100, B140};

/// The encoder's, which also halves.
pub(super) type Input = HighPass<3, 0>;
/// The decoder's.
pub(super) type Output = HighPass<2, 1>;

/// One filter and its memory. `UP`: bits that bring the feedback to its Q format; `DOWN`: those from there to a sample.
#[derive(Clone, Debug)]
pub(super) struct HighPass<const UP: i32, const DOWN: i32> {
    zeros: &'static [i16; 3],
    poles: &'static [i16; 3],
    x: [i16; 2],
    /// Their last bit counts for nothing.
    y: [i32; 2],
}

impl Input {
    pub(super) const fn new() -> Self {
        Self { zeros: &B140, poles: &A140, x: [0; 2], y: [0; 2] }
    }
}

impl Output {
    pub(super) const fn new() -> Self {
        Self { zeros: &B100, poles: &A100, x: [0; 2], y: [0; 2] }
    }
}

impl<const UP: i32, const DOWN: i32> HighPass<UP, DOWN> {
    /// What the products lose less when the feedback is kept before its shift up and the doubling.
    const KEPT: i32 = UP + 1;

    /// The next samples.
    ///
    /// A pair of words times a word, its cross product floored, is the whole number's product floored; and where the
    /// sizes of all terms add up to less than 2^31, no sum on the way can clamp. Peaks bound all terms at once: a
    /// block that is too loud for that goes sample by sample, as the operators do.
    pub(super) fn block(&mut self, x: &[i16; FRAME]) -> [i16; FRAME] {
        // One more than the filter sees, for taps come in pairs, and then up to whole vectors.
        let mut past = [0; FRAME + 8];
        past[..2].copy_from_slice(&[self.x[1], self.x[0]]);
        past[2..][..FRAME].copy_from_slice(x);
        let zeros = self.zeros;
        let mut taken = [0; FRAME];
        for (n, taken) in taken.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let window: &[i16; 11] = past[8 * n..].first_chunk().expect("it reaches the block's end");
            // Halves of the doubled sums: at most 2^30 in size.
            *taken = eight_windows(&[zeros[2], zeros[1], zeros[0], 0], window);
        }
        let [p0, p1] = [self.poles[1], self.poles[2]].map(i64::from);
        let [mut y0, mut y1] = self.y.map(|y| i64::from(y) >> Self::KEPT);
        let mut loudest = y0.abs().max(y1.abs());
        let mut made = [0; FRAME];
        for (made, taken) in made.iter_mut().zip(&taken) {
            let t = ((y0 * p0) >> (16 - Self::KEPT)) + (((y1 * p1) >> (16 - Self::KEPT)) + i64::from(*taken));
            (y0, y1) = (t, y0);
            loudest = loudest.max(t.abs());
            *made = t as i32;
        }
        let fed = ((loudest << Self::KEPT) * (p0.abs() + p1.abs())) >> 15;
        let taken =
            2 * i64::from(peak(&past)) * i64::from(zeros.iter().map(|z| i32::from(*z).abs()).sum::<i32>());
        let shifted_out = self.y.iter().any(|y| y % (1 << Self::KEPT) != 0);
        if shifted_out || loudest << Self::KEPT >= 1 << 31 || fed + taken >= 1 << 31 {
            return x.map(|x| self.sample(x));
        }
        self.x = [x[FRAME - 1], x[FRAME - 2]];
        self.y = [made[FRAME - 1], made[FRAME - 2]].map(|y| y << Self::KEPT);
        // The shift and the rounding in one: what would clamp on the way clamps in the end.
        made.map(|y| sat16((y << Self::KEPT).saturating_add(0x8000 >> DOWN) >> (16 - DOWN)))
    }

    fn sample(&mut self, x0: i16) -> i16 {
        let t = l_shl(self.plain(x0), UP);
        self.x = [x0, self.x[0]];
        self.y = [t, self.y[0]];
        round(l_shl(t, DOWN))
    }

    /// The sum as the Recommendation says it.
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

    fn check<const UP: i32, const DOWN: i32>(mut filter: HighPass<UP, DOWN>, seed: u64) {
        let mut rng = Rng::from_number(seed);
        for n in 0..1000 {
            let loud = 1 << (n / 6 % 16);
            let x = std::array::from_fn(|i| match n / 100 % 3 {
                0 => (rng.below(2 * loud) as i64 - loud as i64) as i16,
                1 => [i16::MIN, i16::MAX][(n * FRAME + i) / 20 % 2],
                _ => [-(loud as i64) as i16, (loud - 1) as i16][(n * FRAME + i) / 33 % 2],
            });
            let mut other = filter.clone();
            let plain = x.map(|x| other.sample(x));
            assert_eq!((filter.block(&x), filter.x, filter.y), (plain, other.x, other.y));
        }
    }

    #[test]
    fn a_block_is_the_operators_for_any_samples() {
        for seed in 0..4 {
            check(Input::new(), seed);
            check(Output::new(), seed);
        }
    }
}
