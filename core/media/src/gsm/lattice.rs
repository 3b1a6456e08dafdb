//! The short-term filters: lattices of eight stages, from samples to what of them is not their spectrum, and back.
//!
//! GSM 06.10 sections 5.2.10 and 5.3.4. Each stage needs the one before it, and every sum saturates, so nothing can be
//! folded. Speed comes from how stages are laid out in time, and every layout gives the same words.

use super::lpc::PIECES;
use super::math::{mult_r, sat};
use super::{ORDER, SAMPLES};

/// Samples to the residual.
#[derive(Clone, Debug, Default)]
pub(super) struct Analysis {
    /// What each stage delays.
    delayed: [i16; ORDER],
}

/// What leaves each stage: the forward and the backward wave.
#[derive(Clone, Copy, Default)]
struct Waves {
    forward: [i16; ORDER],
    backward: [i16; ORDER],
}

impl Analysis {
    /// Filters a frame in place, each of [`PIECES`] with its own coefficients.
    ///
    /// Stage `i` is at sample `t - i` while stage 0 is at sample `t`: so all stages of a step are independent of each
    /// other and go through vector registers together. A stage that has no sample yet, or no more, keeps what it
    /// delays.
    pub(super) fn run(&mut self, pieces: &[[i16; ORDER]; 4], samples: &mut [i16; SAMPLES]) {
        let (mut waves, mut coefficients) = (Waves::default(), [0; ORDER]);
        for (piece, range) in pieces.iter().zip(PIECES) {
            let (head, body) = (range.start..range.start + ORDER, range.start + ORDER..range.end);
            for (i, t) in head.enumerate() {
                coefficients[i] = piece[i];
                let before = self.delayed;
                self.step(&coefficients, samples[t], &mut waves);
                if t < ORDER {
                    self.delayed[t + 1..].copy_from_slice(&before[t + 1..]);
                }
                if t + 1 >= ORDER {
                    samples[t + 1 - ORDER] = waves.forward[ORDER - 1];
                }
            }
            for t in body {
                self.step(&coefficients, samples[t], &mut waves);
                samples[t + 1 - ORDER] = waves.forward[ORDER - 1];
            }
        }
        for done in 1..ORDER {
            let before = self.delayed;
            self.step(&coefficients, 0, &mut waves);
            self.delayed[..done].copy_from_slice(&before[..done]);
            samples[SAMPLES + done - ORDER] = waves.forward[ORDER - 1];
        }
    }

    #[inline]
    fn step(&mut self, coefficients: &[i16; ORDER], sample: i16, waves: &mut Waves) {
        let (forward, backward) = (push(&waves.forward, sample), push(&waves.backward, sample));
        for i in 0..ORDER {
            waves.backward[i] = self.delayed[i].saturating_add(mult_r(coefficients[i], forward[i]));
            waves.forward[i] = forward[i].saturating_add(mult_r(coefficients[i], self.delayed[i]));
        }
        self.delayed = backward;
    }
}

/// The row moved on by one stage.
#[inline]
fn push(row: &[i16; ORDER], first: i16) -> [i16; ORDER] {
    let mut next = [first; ORDER];
    next[1..].copy_from_slice(&row[..ORDER - 1]);
    next
}

/// The residual to samples.
#[derive(Clone, Debug, Default)]
pub(super) struct Synthesis {
    state: State,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// What each stage delays.
    delayed: [i32; ORDER],
    /// The last sample that came out.
    last: i32,
}

/// The weight of the de-emphasis in Q15. Section 5.3.5.
const EMPHASIS: i32 = 28_180;
/// Samples that are filtered before it is looked whether one had to be clamped.
const BLOCK: usize = 24;
/// What makes a word in range a number below [`SPAN`].
const BIAS: i32 = 0x8000;
const SPAN: i32 = 0x1_0000;

impl Synthesis {
    /// Filters a frame in place, each of [`PIECES`] with its own coefficients, and takes the emphasis out.
    pub(super) fn run(&mut self, pieces: &[[i16; ORDER]; 4], samples: &mut [i16; SAMPLES]) {
        for (coefficients, range) in pieces.iter().zip(PIECES) {
            let coefficients = coefficients.map(i32::from);
            let mut clamping = false;
            for block in samples[range].chunks_mut(BLOCK) {
                // Where it once clamped it is loud, and likely to clamp again.
                clamping = clamping || !self.state.run_unclamped(&coefficients, block);
                if clamping {
                    self.state.run_clamped(&coefficients, block);
                }
            }
        }
    }
}

impl State {
    /// As [`Self::run_clamped`] while no word of the lattice has to be clamped; else does nothing and says so.
    ///
    /// Clamping lengthens the chain that every sample waits for, and speech hardly ever needs it. Words are kept
    /// biased, so that one look at all of them together tells whether any left its range.
    fn run_unclamped(&mut self, coefficients: &[i32; ORDER], samples: &mut [i16]) -> bool {
        let mut out = [0; BLOCK];
        let (mut delayed, mut last) = (self.delayed.map(|v| v + BIAS), self.last);
        let unbias = coefficients.map(|c| 0x4000 - c * BIAS);
        let product = |i: usize, v: i32| coefficients[i].wrapping_mul(v).wrapping_add(unbias[i]) >> 15;
        let mut all = 0;
        for (sample, out) in samples.iter().zip(&mut out) {
            let mut forward = i32::from(*sample) + BIAS;
            for i in (0..ORDER).rev() {
                forward = forward.wrapping_sub(product(i, delayed[i]));
                all |= forward;
                if i + 1 < ORDER {
                    delayed[i + 1] = delayed[i].wrapping_add(product(i, forward));
                    all |= delayed[i + 1];
                }
            }
            delayed[0] = forward;
            *out = shape(&mut last, forward.wrapping_sub(BIAS));
        }
        let stayed = (0..SPAN).contains(&all);
        if stayed {
            samples.copy_from_slice(&out[..samples.len()]);
            *self = Self { delayed: delayed.map(|v| v - BIAS), last };
        }
        stayed
    }

    fn run_clamped(&mut self, coefficients: &[i32; ORDER], samples: &mut [i16]) {
        let product = |i: usize, v: i32| (coefficients[i] * v + 0x4000) >> 15;
        for sample in samples {
            let mut forward = i32::from(*sample);
            for i in (0..ORDER).rev() {
                forward = clamp(forward - product(i, self.delayed[i]));
                if i + 1 < ORDER {
                    self.delayed[i + 1] = clamp(self.delayed[i] + product(i, forward));
                }
            }
            self.delayed[0] = forward;
            *sample = shape(&mut self.last, forward);
        }
    }
}

/// De-emphasis, doubling, and the standard's 13 bits. Sections 5.3.5 to 5.3.7.
#[inline]
fn shape(last: &mut i32, sample: i32) -> i16 {
    *last = clamp(sample.wrapping_add((*last * EMPHASIS + 0x4000) >> 15));
    clamp(*last * 2) as i16 & !7
}

#[inline]
fn clamp(v: i32) -> i32 {
    i32::from(sat(v))
}
