//! The two bands' coders, without the filters around them: what the ITU's test sequences exercise.
//!
//! ITU-T G.722 sections 3.2 to 3.6 and 4.1 to 4.3, arithmetic of its section 6. A sample of a band has 15 bits.
//! The lower band is coded in six bits of which the adaptation knows four, so that the last one or two may be taken
//! for data on the way (modes 2 and 3); the upper band in two.

use super::predictor::{Predictor, mult};

/// How many bits of an octet are the lower band's; the rest of six is somebody's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Six: 64 kbit/s.
    One,
    /// Five: 56 kbit/s.
    Two,
    /// Four: 48 kbit/s.
    Three,
}

/// Both bands to octets.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    low: Low,
    high: High,
}

impl Encoder {
    /// One sample of each band, -16384..=16383, to one octet.
    #[inline]
    pub fn encode(&mut self, low: i16, high: i16) -> u8 {
        let low_code = self.low.quantise(low);
        let high_code = self.high.quantise(high);
        self.low.adapt(low_code >> 2);
        self.high.adapt(high_code);
        high_code << 6 | low_code
    }
}

/// Octets to both bands.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    low: Low,
    high: High,
}

impl Decoder {
    /// One octet to one sample of the lower and one of the upper band, -16384..=16383.
    #[inline]
    pub fn decode(&mut self, code: u8, mode: Mode) -> (i16, i16) {
        let (low_code, high_code) = (code & 0x3f, code >> 6);
        let low = self.low.reconstruct(low_code, mode);
        let high = self.high.reconstruct(high_code);
        self.low.adapt(low_code >> 2);
        self.high.adapt(high_code);
        (low, high)
    }

    /// One sample of each band that was never sent: what would have come of it.
    #[inline]
    pub fn follow(&mut self, low: i16, high: i16) -> (i16, i16) {
        let code = self.high.quantise(high) << 6 | self.low.quantise(low);
        self.decode(code, Mode::One)
    }
}

/// The lower band: prediction, and the step as a logarithm and as it is.
#[derive(Clone, Debug)]
struct Low {
    predictor: Predictor,
    log_step: i16,
    step: i16,
}

impl Default for Low {
    fn default() -> Self {
        Self { predictor: Predictor::default(), log_step: 0, step: antilog(0, 8) }
    }
}

impl Low {
    #[inline]
    fn quantise(&self, sample: i16) -> u8 {
        let error = sample.saturating_sub(self.predictor.prediction);
        // Of a negative one the complement: -1 falls where 0 does.
        let magnitude = error ^ (error >> 15);
        let step = u32::from(self.step.cast_unsigned());
        // All levels at once: cheaper than to branch through them.
        let above = |level: &u16| u16::from(magnitude >= ((u32::from(*level) * step) >> 16) as i16);
        let interval = LEVELS.iter().map(above).sum::<u16>();
        CODES[usize::from(error < 0)][usize::from(interval).min(31)]
    }

    #[inline]
    fn reconstruct(&self, code: u8, mode: Mode) -> i16 {
        let scaled = match mode {
            Mode::One => SIX_BITS[usize::from(code) % 64],
            Mode::Two => FIVE_BITS[usize::from(code >> 1) % 32],
            Mode::Three => FOUR_BITS[usize::from(code >> 2) % 16],
        };
        limit(self.predictor.prediction.saturating_add(mult(self.step, scaled)))
    }

    /// Takes the upper four bits of a code.
    #[inline]
    fn adapt(&mut self, code: u8) {
        let code = usize::from(code) % 16;
        self.predictor.adapt(mult(self.step, FOUR_BITS[code]));
        self.log_step = (mult(self.log_step, LEAK) + LOW_GAINS[code]).clamp(0, 18_432);
        self.step = antilog(self.log_step, 8);
    }
}

/// The upper band, alike.
#[derive(Clone, Debug)]
struct High {
    predictor: Predictor,
    log_step: i16,
    step: i16,
}

impl Default for High {
    fn default() -> Self {
        Self { predictor: Predictor::default(), log_step: 0, step: antilog(0, 10) }
    }
}

impl High {
    #[inline]
    fn quantise(&self, sample: i16) -> u8 {
        let error = sample.saturating_sub(self.predictor.prediction);
        let magnitude = i32::from(error ^ (error >> 15));
        // Codes run -large, -small, large, small.
        let small = magnitude < (i32::from(self.step) * 564) >> 12;
        u8::from(error >= 0) << 1 | u8::from(small)
    }

    #[inline]
    fn reconstruct(&self, code: u8) -> i16 {
        limit(self.predictor.prediction.saturating_add(mult(self.step, TWO_BITS[usize::from(code) % 4])))
    }

    #[inline]
    fn adapt(&mut self, code: u8) {
        let code = usize::from(code) % 4;
        self.predictor.adapt(mult(self.step, TWO_BITS[code]));
        self.log_step = (mult(self.log_step, LEAK) + HIGH_GAINS[code]).clamp(0, 22_528);
        self.step = antilog(self.log_step, 10);
    }
}

/// The step of a logarithm in 11 fractional bits that stands `octaves` below the table. Blocks SCALEL and SCALEH.
#[inline]
fn antilog(log: i16, octaves: i32) -> i16 {
    let mantissa = i32::from(ANTILOG[(log >> 6) as usize % ANTILOG.len()]);
    // A shift to the right or, at the end of the range, one place to the left.
    (((mantissa << 1) >> (octaves + 1 - i32::from(log >> 11))) << 2) as i16
}

fn limit(v: i16) -> i16 {
    v.clamp(-16_384, 16_383)
}

/// What is left of a logarithm after a sample, 127/128 in Q15.
const LEAK: i16 = 32_512;

/// `2048 * 2^(i / 32)`. Table ILB.
const ANTILOG: [i16; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896,
    2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];

/// Decision levels of the six-bit quantiser, 16 times table Q6 so that a product's upper half is the threshold.
/// The last three fill the row to a round length: past them lies no other code.
const LEVELS: [u16; 32] = {
    const Q6: [u16; 29] = [
        35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121,
        1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
    ];
    let mut levels = [u16::MAX; 32];
    let mut i = 0;
    while i < Q6.len() {
        levels[i] = Q6[i] * 16;
        i += 1;
    }
    levels
};

/// Codes of the intervals between the levels, of positive and of negative differences. Tables ILP and ILN.
const CODES: [[u8; 32]; 2] = [
    [
        61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37,
        36, 35, 34, 33, 32, 32, 32,
    ],
    [
        63, 62, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8,
        7, 6, 5, 4, 4, 4,
    ],
];

/// Differences over steps in Q15, by code. Tables QM6, QM5, QM4, QM2.
const SIX_BITS: [i16; 64] = [
    -136, -136, -136, -136, -24_808, -21_904, -19_008, -16_704, -14_984, -13_512, -12_280, -11_192, -10_232,
    -9360, -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032,
    -1688, -1360, -1040, -728, 24_808, 21_904, 19_008, 16_704, 14_984, 13_512, 12_280, 11_192, 10_232, 9360,
    8576, 7856, 7192, 6576, 6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040,
    728, 432, 136, -432, -136,
];
const FIVE_BITS: [i16; 32] = [
    -280, -280, -23_352, -17_560, -14_120, -11_664, -9752, -8184, -6864, -5712, -4696, -3784, -2960, -2208,
    -1520, -880, 23_352, 17_560, 14_120, 11_664, 9752, 8184, 6864, 5712, 4696, 3784, 2960, 2208, 1520, 880,
    280, -280,
];
const FOUR_BITS: [i16; 16] =
    [0, -20_456, -12_896, -8968, -6288, -4240, -2584, -1200, 20_456, 12_896, 8968, 6288, 4240, 2584, 1200, 0];
const TWO_BITS: [i16; 4] = [-7408, -1616, 7408, 1616];

/// What a code adds to the logarithm of the step. Tables WL by RL42, and WH by RH2.
const LOW_GAINS: [i16; 16] =
    [-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60];
const HIGH_GAINS: [i16; 4] = [798, -214, 798, -214];
