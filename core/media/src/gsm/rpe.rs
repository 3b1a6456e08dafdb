//! The regular pulses that stand for what no prediction caught: every third sample, of three bits each.
//!
//! GSM 06.10 sections 5.2.13 to 5.2.17 and 5.3.1.

use super::bits::Subframe;
use super::math::{mult, mult_r, peak, sat};
use super::{PULSES, SUBFRAME};

/// The weighting filter in Q13; symmetric. Table 5.4.
const WEIGHTS: [i16; 11] = [-134, -374, 0, 2054, 5741, 8192, 5741, 2054, 0, -374, -134];
/// Zeros on either side of what is weighted.
const MARGIN: usize = WEIGHTS.len() / 2;

/// Mantissas of the peak, for quantising and for its inverse, in Q15. Tables 5.5 and 5.6.
const INVERSE_MANTISSAS: [i16; 8] = [29_128, 26_215, 23_832, 21_846, 20_165, 18_725, 17_476, 16_384];
const MANTISSAS: [i16; 8] = [18_431, 20_479, 22_527, 24_575, 26_623, 28_671, 30_719, 32_767];

/// A coded peak taken apart.
#[derive(Clone, Copy)]
struct Scale {
    mantissa: usize,
    /// Places by which a pulse is shifted, 0..=10: six less the exponent.
    shift: u32,
}

/// By code of the peak. Section 5.2.15.
const SCALES: [Scale; 64] = {
    let mut scales = [Scale { mantissa: 7, shift: 10 }; 64];
    let mut code = 1;
    while code < 64 {
        let mut exponent = if code > 15 { (code as i32 >> 3) - 1 } else { 0 };
        let mut mantissa = code - ((exponent as usize) << 3);
        while mantissa <= 7 {
            mantissa = mantissa << 1 | 1;
            exponent -= 1;
        }
        scales[code] = Scale { mantissa: mantissa - 8, shift: (6 - exponent) as u32 };
        code += 1;
    }
    scales
};

/// The grid, peak and pulses of a sub-segment's remaining residual. Lag and gain are left alone.
pub(super) fn quantise(residual: &[i16; SUBFRAME], codes: &mut Subframe) {
    let weighted = weight(residual);
    let grids: [[i16; PULSES]; 4] = std::array::from_fn(|m| std::array::from_fn(|i| weighted[m + 3 * i]));
    let (mut grid, mut most) = (0, 0);
    for (m, pulses) in grids.iter().enumerate() {
        let energy = pulses.iter().map(|x| i32::from(x >> 2).pow(2)).sum::<i32>();
        if energy > most {
            (grid, most) = (m, energy);
        }
    }
    codes.grid = grid as u8;
    let pulses = &grids[grid];
    let top = peak(pulses);
    let exponent = (top >> 9).checked_ilog2().map_or(0, |log| log + 1);
    codes.peak = (top >> (exponent + 5)) as u8 + (exponent << 3) as u8;
    let Scale { mantissa, shift } = SCALES[usize::from(codes.peak) % SCALES.len()];
    codes.pulses = pulses.map(|x| ((mult(x << shift, INVERSE_MANTISSAS[mantissa]) >> 12) + 4) as u8);
}

/// Where the codes put pulses, and how high.
pub(super) fn reconstruct(codes: &Subframe) -> [i16; SUBFRAME] {
    let Scale { mantissa, shift } = SCALES[usize::from(codes.peak) % SCALES.len()];
    let half = (1 << shift) >> 1;
    let mut out = [0; SUBFRAME];
    let places = out[usize::from(codes.grid)..].iter_mut().step_by(3);
    for (place, pulse) in places.zip(codes.pulses) {
        let fraction = (2 * i16::from(pulse) - 7) << 12;
        *place = mult_r(MANTISSAS[mantissa], fraction).saturating_add(half) >> shift;
    }
    out
}

fn weight(residual: &[i16; SUBFRAME]) -> [i16; SUBFRAME] {
    let mut wide = [0; SUBFRAME + 2 * MARGIN];
    wide[MARGIN..MARGIN + SUBFRAME].copy_from_slice(residual);
    let mut sums = [4096; SUBFRAME];
    for (i, weight) in WEIGHTS.iter().enumerate() {
        for (sum, sample) in sums.iter_mut().zip(&wide[i..]) {
            *sum += i32::from(*sample) * i32::from(*weight);
        }
    }
    sums.map(|sum| sat(sum >> 13))
}
