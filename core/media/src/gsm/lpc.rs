//! The short-term filter's coefficients: from samples to codes, from codes to what the filters run on.
//!
//! GSM 06.10 sections 5.2.4 to 5.2.9 and 5.3.3. Both directions interpolate between the last frame's coefficients and
//! this one's, so both keep [`Ratios`].

use super::math::{div, dot, mult, mult_r, norm16, norm32, peak, sat};
use super::{ORDER, SAMPLES};

/// How a log area ratio is quantised: `code = a * ratio + b`, from `least` on. Table 5.1, with 5.2's inverse of `a`.
struct Quantiser {
    a: i16,
    inverse: i16,
    b: i16,
    least: i16,
    most: i16,
}

const QUANTISERS: [Quantiser; ORDER] = [
    Quantiser { a: 20_480, inverse: 13_107, b: 0, least: -32, most: 31 },
    Quantiser { a: 20_480, inverse: 13_107, b: 0, least: -32, most: 31 },
    Quantiser { a: 20_480, inverse: 13_107, b: 2048, least: -16, most: 15 },
    Quantiser { a: 20_480, inverse: 13_107, b: -2560, least: -16, most: 15 },
    Quantiser { a: 13_964, inverse: 19_223, b: 94, least: -8, most: 7 },
    Quantiser { a: 15_360, inverse: 17_476, b: -1792, least: -8, most: 7 },
    Quantiser { a: 8534, inverse: 31_454, b: -341, least: -4, most: 3 },
    Quantiser { a: 9036, inverse: 29_708, b: -1144, least: -4, most: 3 },
];

/// The codes of a frame's log area ratios. The samples lose the bits that the analysis cannot hold; the filter that
/// follows wants them so.
pub(super) fn analyse(samples: &mut [i16; SAMPLES]) -> [u8; ORDER] {
    let ratios = reflections(&autocorrelation(samples)).map(ratio);
    let mut codes = [0; ORDER];
    for ((code, ratio), q) in codes.iter_mut().zip(ratios).zip(&QUANTISERS) {
        let rounded = i32::from(mult(q.a, ratio)) + i32::from(q.b) + 256;
        *code = ((sat(rounded) >> 9).clamp(q.least, q.most) - q.least) as u8;
    }
    codes
}

/// Section 5.2.4, without its factor of two: only quotients matter.
fn autocorrelation(samples: &mut [i16; SAMPLES]) -> [i32; ORDER + 1] {
    let most = peak(samples);
    let shift = if most == 0 { 0 } else { 4_u32.saturating_sub(norm16(most)) };
    if shift == 0 {
        return sums(samples);
    }
    let factor = 16_384 >> (shift - 1);
    let scaled = samples.map(|s| mult_r(s, factor));
    *samples = scaled.map(|s| s << shift);
    sums(&scaled)
}

fn sums(samples: &[i16; SAMPLES]) -> [i32; ORDER + 1] {
    std::array::from_fn(|k| dot(&samples[k..], &samples[..SAMPLES - k]))
}

/// Schur's recursion in words. Section 5.2.5.
fn reflections(sums: &[i32; ORDER + 1]) -> [i16; ORDER] {
    let mut all = [0; ORDER];
    if sums[0] == 0 {
        return all;
    }
    let shift = norm32(sums[0]);
    let mut p = sums.map(|s| ((s << shift) >> 16) as i16);
    let mut k = p;
    for (n, out) in all.iter_mut().enumerate() {
        let magnitude = p[1].saturating_abs();
        if p[0] < magnitude {
            break;
        }
        let r = if p[1] > 0 { -div(magnitude, p[0]) } else { div(magnitude, p[0]) };
        *out = r;
        p[0] = p[0].saturating_add(mult_r(p[1], r));
        for m in 1..ORDER - n {
            let (ahead, behind) = (p[m + 1], k[m]);
            p[m] = ahead.saturating_add(mult_r(behind, r));
            k[m] = behind.saturating_add(mult_r(ahead, r));
        }
    }
    all
}

/// A reflection coefficient's log area ratio, in three straight pieces. Section 5.2.6.
fn ratio(reflection: i16) -> i16 {
    let magnitude = match reflection.saturating_abs() {
        r @ ..22_118 => r >> 1,
        r @ ..31_130 => r - 11_059,
        r => (r - 26_112) << 2,
    };
    if reflection < 0 { -magnitude } else { magnitude }
}

/// The inverse. Section 5.2.9.2.
fn reflection(ratio: i16) -> i16 {
    let magnitude = match ratio.saturating_abs() {
        r @ ..11_059 => r << 1,
        r @ ..20_070 => r + 11_059,
        r => (r >> 2).saturating_add(26_112),
    };
    if ratio < 0 { -magnitude } else { magnitude }
}

/// Where the filter's coefficients change within a frame. Section 5.2.9.1.
pub(super) const PIECES: [std::ops::Range<usize>; 4] = [0..13, 13..27, 27..40, 40..SAMPLES];

/// The decoded log area ratios of the last frame.
#[derive(Clone, Debug, Default)]
pub(super) struct Ratios([i16; ORDER]);

impl Ratios {
    /// The reflection coefficients of each of [`PIECES`], going from the last frame's to those of `codes`.
    pub(super) fn follow(&mut self, codes: [u8; ORDER]) -> [[i16; ORDER]; 4] {
        let last = self.0;
        for ((now, code), q) in self.0.iter_mut().zip(codes).zip(&QUANTISERS) {
            let above = ((i16::from(code) + q.least) << 10).saturating_sub(q.b << 1);
            let half = mult_r(q.inverse, above);
            *now = half.saturating_add(half);
        }
        let mut pieces = [[0; ORDER]; 4];
        for i in 0..ORDER {
            let (a, b) = (last[i], self.0[i]);
            pieces[0][i] = reflection((a >> 2).saturating_add(b >> 2).saturating_add(a >> 1));
            pieces[1][i] = reflection((a >> 1).saturating_add(b >> 1));
            pieces[2][i] = reflection((a >> 2).saturating_add(b >> 2).saturating_add(b >> 1));
            pieces[3][i] = reflection(b);
        }
        pieces
    }
}
