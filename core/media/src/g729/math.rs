//! Elementary functions, the random generator and the sizes that every stage of G.729 shares.
//!
//! ITU-T G.729 with Annexes A and B, in basic operators. Knows no frame.

use super::ops::*;
use super::tables::*;

/// Order of the linear prediction.
pub(super) const ORDER: usize = 10;
/// Samples of a subframe.
pub(super) const SUBFRAME: usize = 40;
/// Samples of a frame, 10 ms.
pub(super) const FRAME: usize = 80;

/// A prediction filter, Q12, `[0]` = 4096.
pub(super) type Lpc = [i16; ORDER + 1];
/// Ten line spectral values.
pub(super) type Lsp = [i16; ORDER];
/// One subframe of samples.
pub(super) type Block = [i16; SUBFRAME];

fn from_table(table: &[i16], i: i16, a: i16) -> i32 {
    let i = usize::from(i.unsigned_abs()).min(table.len() - 2);
    l_msu(deposit_h(table[i]), table[i].wrapping_sub(table[i + 1]), a)
}

/// Logarithm to base two: whole part and fraction in Q15; (0, 0) for nothing or less.
pub(super) fn log2(x: i32) -> (i16, i16) {
    if x <= 0 {
        return (0, 0);
    }
    let n = norm_l(x);
    let x = (x << n) >> 9;
    (30 - n as i16, high(from_table(&LOG2_TAB, high(x) - 32, low(x >> 1) & 0x7FFF)))
}

/// `2^(e + f/32768)` for `0 <= e <= 30`.
pub(super) fn pow2(e: i16, f: i16) -> i32 {
    let x = l_mult(f, 32);
    l_shr_r(from_table(&POW2_TAB, high(x), low(x >> 1) & 0x7FFF), 30 - i32::from(e))
}

/// `2^30 / sqrt(x)`; the largest value for nothing or less.
pub(super) fn inv_sqrt(x: i32) -> i32 {
    if x <= 0 {
        return 0x3FFF_FFFF;
    }
    let n = norm_l(x);
    let e = 30 - n;
    let x = (x << n) >> (if e % 2 == 0 { 10 } else { 9 });
    l_shr(from_table(&INVSQRT_TAB, high(x) - 16, low(x >> 1) & 0x7FFF), (e >> 1) + 1)
}

/// Square root of half of `x`, 14 bits. The last bit is never tried, so the result is even.
pub(super) fn sqrt14(x: i32) -> i16 {
    let mut r = 0;
    for bit in (1..=14).rev() {
        let b = 1i16 << bit;
        if l_sub(x, l_mult(r + b, r + b)) >= 0 {
            r += b;
        }
    }
    r
}

/// A 16-bit linear congruential generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seed(pub(super) i16);

impl Seed {
    pub(super) fn draw(&mut self) -> i16 {
        self.0 = (i32::from(self.0).wrapping_mul(31821).wrapping_add(13849)) as i16;
        self.0
    }

    /// Roughly Gaussian: twelve draws summed.
    pub(super) fn gauss(&mut self) -> i16 {
        low((0..12).map(|_| i32::from(self.draw())).sum::<i32>() >> 7)
    }
}

/// Bandwidth expansion `A(z/g)`, `g` in Q15.
pub(super) fn weight(a: &Lpc, g: i16) -> Lpc {
    let mut out = *a;
    let mut f = g;
    for y in &mut out[1..ORDER] {
        *y = round(l_mult(*y, f));
        f = round(l_mult(f, g));
    }
    out[ORDER] = round(l_mult(out[ORDER], f));
    out
}

/// The excitation: adaptive vector `exc` times its gain (Q14) and `code` times its own (Q1).
///
/// A pitch gain is not negative, so the sum stays below 2^31; and what clamps on the way, as a long word doubled twice,
/// clamps as a sample.
pub(super) fn mix(exc: &mut [i16], pitch_gain: i16, code: &Block, code_gain: i16) {
    for (e, c) in exc.iter_mut().zip(code) {
        let sum = i32::from(*e) * i32::from(pitch_gain) + i32::from(*c) * i32::from(code_gain);
        *e = sat16((sum + 0x2000) >> 14);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elementary_functions_give_the_specification_s_check_values() {
        assert_eq!(
            [1, 3, 1000, 12_345_678, i32::MAX].map(log2),
            [(0, 0), (1, 19167), (9, 31644), (23, 18266), (30, 32766)]
        );
        assert_eq!(
            [1, 2, 1000, 12_345_678, i32::MAX].map(inv_sqrt),
            [1_073_709_056, 759_234_560, 33_955_840, 305_599, 23170]
        );
        assert_eq!(
            [pow2(0, 0), pow2(14, 0), pow2(14, 12345), pow2(7, 20000), pow2(30, 32767)],
            [1, 16384, 21273, 195, 2_147_373_248]
        );
        assert_eq!([1000, 12_345_678, i32::MAX].map(sqrt14), [22, 2484, 32766]);
        assert_eq!(sqrt14(-1), 0);
    }

    #[test]
    fn random_draws_follow_the_specification() {
        let mut fer = Seed(21845);
        assert_eq!([fer.draw(), fer.draw(), fer.draw()], [3242, 23867, -11048]);
        let mut cng = Seed(11111);
        assert_eq!([cng.gauss(), cng.gauss(), cng.0], [114, -811, -13617]);
    }
}
