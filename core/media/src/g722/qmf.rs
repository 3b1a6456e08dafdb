//! The mirror filters that part 16 kHz into two bands of 8 kHz, and join them.
//!
//! ITU-T G.722 sections 3.1 and 4.4, with the coefficients of its table 11. Both run in blocks: the filters' memory
//! stands in front of the block, so that every output is one product of straight rows.

use super::BLOCK;

/// Taps of one phase; the filter has twice as many.
const TAPS: usize = 12;

/// Coefficients 0, 2, .. 22 of the filter, in Q13. It is symmetric: the odd ones are these backwards.
const EVEN: [i16; TAPS] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];
const ODD: [i16; TAPS] = {
    let mut odd = EVEN;
    let mut i = 0;
    while i < TAPS {
        odd[i] = EVEN[TAPS - 1 - i];
        i += 1;
    }
    odd
};

/// A row of samples behind the filter's memory.
#[derive(Clone, Debug)]
struct Row([i16; TAPS - 1 + BLOCK]);

impl Default for Row {
    fn default() -> Self {
        Self([0; TAPS - 1 + BLOCK])
    }
}

impl Row {
    fn put(&mut self, samples: impl Iterator<Item = i16>) {
        for (place, sample) in self.0[TAPS - 1..].iter_mut().zip(samples) {
            *place = sample;
        }
    }

    /// The products of each window with the coefficients, oldest sample first.
    fn filtered(&self, coefficients: &[i16; TAPS]) -> impl Iterator<Item = i32> {
        self.0.array_windows::<TAPS>().map(move |window| {
            window.iter().zip(coefficients).map(|(s, c)| i32::from(*s) * i32::from(*c)).sum::<i32>()
        })
    }

    /// Keeps the end of a block of `count` as the memory of the next.
    fn shift(&mut self, count: usize) {
        self.0.copy_within(count..count + TAPS - 1, 0);
    }
}

/// One band of 16 kHz to two of 8 kHz.
#[derive(Clone, Debug, Default)]
pub(super) struct Split {
    first: Row,
    second: Row,
}

impl Split {
    /// At most [`BLOCK`] pairs of samples to as many of the lower and upper band, of 15 bits each.
    pub(super) fn run(&mut self, pairs: &[[i16; 2]], out: &mut [(i16, i16)]) {
        self.first.put(pairs.iter().map(|p| p[0]));
        self.second.put(pairs.iter().map(|p| p[1]));
        // The newest sample of a pair meets coefficient 0. Rows run from old to new, so each phase is read backwards.
        let phases = self.second.filtered(&ODD).zip(self.first.filtered(&EVEN));
        for (out, (even, odd)) in out.iter_mut().zip(phases) {
            *out = (limit((even + odd) >> 14), limit((even - odd) >> 14));
        }
        self.first.shift(pairs.len());
        self.second.shift(pairs.len());
    }
}

/// Two bands of 8 kHz to one of 16 kHz.
#[derive(Clone, Debug, Default)]
pub(super) struct Join {
    sum: Row,
    difference: Row,
}

impl Join {
    /// At most [`BLOCK`] samples of the lower and upper band, of 15 bits each, to as many pairs.
    pub(super) fn run(&mut self, bands: &[(i16, i16)], out: &mut [[i16; 2]]) {
        self.difference.put(bands.iter().map(|(low, high)| low - high));
        self.sum.put(bands.iter().map(|(low, high)| low + high));
        let phases = self.difference.filtered(&ODD).zip(self.sum.filtered(&EVEN));
        for (out, (first, second)) in out.iter_mut().zip(phases) {
            *out = [clip(first >> 11), clip(second >> 11)];
        }
        self.difference.shift(bands.len());
        self.sum.shift(bands.len());
    }
}

fn limit(v: i32) -> i16 {
    v.clamp(-16_384, 16_383) as i16
}

fn clip(v: i32) -> i16 {
    v.clamp(-32_768, 32_767) as i16
}
