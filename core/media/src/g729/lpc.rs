//! Linear prediction analysis: window, autocorrelation, Levinson-Durbin, and the filter's line spectral pairs.
//!
//! G.729 sections 3.2.1 to 3.2.3, Annex A section A.3.2. Knows no quantiser.

use super::kernels::Kernels;
use super::math::{Lpc, Lsp, ORDER};
use super::ops::*;
use super::tables::{GRID, LAG_H, LAG_L, LPC_WINDOW};

/// Lags kept: two more than the filter needs, for the voice detector.
pub(super) const LAGS: usize = 13;
/// Samples under the window.
pub(super) const WINDOW: usize = 240;

/// Autocorrelation of a windowed stretch of speech.
#[derive(Clone, Debug)]
pub(super) struct Correlation {
    /// Normalised, lag-windowed, `[0]` the energy.
    pub(super) r: [HiLo; LAGS],
    /// The high words of the first eleven, before the lag window.
    pub(super) plain: [i16; ORDER + 1],
    /// Exponent of `r[0]`.
    pub(super) exponent: i16,
}

pub(super) fn correlate<K: Kernels>(speech: &[i16; WINDOW]) -> Correlation {
    let mut y: [i16; WINDOW] = std::array::from_fn(|n| mult_r(speech[n], LPC_WINDOW[n]));
    let mut exponent = 1;
    let energy = loop {
        let s = K::energy(1, &y);
        if !s.clamped {
            break s.value;
        }
        y = y.map(|y| shr(y, 2));
        exponent += 4;
    };
    let v = norm_l(energy);
    let mut r = [HiLo::ZERO; LAGS];
    r[0] = split(l_shl(energy, v));
    let mut shifted = [0; WINDOW + LAGS];
    shifted[..WINDOW].copy_from_slice(&y);
    let mut sums = [0; LAGS - 1];
    K::slide(&y, &shifted[1..], &mut sums);
    for (r, s) in r[1..].iter_mut().zip(sums) {
        *r = split(l_shl(s, v));
    }
    let plain = std::array::from_fn(|i| r[i].hi);
    for (i, r) in r.iter_mut().enumerate().skip(1) {
        *r = split(mpy32(*r, HiLo { hi: LAG_H[i - 1], lo: LAG_L[i - 1] }));
    }
    Correlation { r, plain, exponent: exponent - v as i16 }
}

/// Where the frame being coded begins under the window: one subframe of look-ahead lies behind its end.
pub(super) const PRESENT: usize = 120;

/// The last stable filter, kept for the next unstable one. One memory for every use in an encoder.
#[derive(Clone, Debug)]
pub(super) struct Levinson {
    a: Lpc,
    reflection: [i16; 2],
}

/// A filter found.
#[derive(Clone, Debug)]
pub(super) struct Prediction {
    pub(super) a: Lpc,
    /// The first two reflection coefficients, Q15.
    pub(super) reflection: [i16; 2],
    /// Residual energy; none when the recursion was unstable and the last filter stands in.
    pub(super) error: Option<i16>,
}

impl Default for Levinson {
    fn default() -> Self {
        let mut a = [0; ORDER + 1];
        a[0] = 4096;
        Self { a, reflection: [0; 2] }
    }
}

impl Levinson {
    pub(super) fn solve(&mut self, r: &[HiLo]) -> Prediction {
        let mut reflection = [0; ORDER];
        // The filter so far as hi/lo in Q27, from index 1.
        let mut p = [HiLo::ZERO; ORDER + 1];

        let first = join(r[1]);
        let t = div32(l_abs(first), r[0]);
        let mut k = split(if first > 0 { l_negate(t) } else { t });
        reflection[0] = k.hi;
        p[1] = split(l_shr(join(k), 4));
        let shrink = |k: HiLo, by: HiLo| mpy32(by, split(l_sub(0x7FFF_FFFF, l_abs(mpy32(k, k)))));
        let error = shrink(k, r[0]);
        let mut exponent = norm_l(error);
        let mut alpha = split(l_shl(error, exponent));

        for i in 2..=ORDER {
            let t = (1..i).fold(0, |t, j| l_add(t, mpy32(r[j], p[i - j])));
            let t = l_add(l_shl(t, 4), join(r[i]));
            let u = div32(l_abs(t), alpha);
            let u = l_shl(if t > 0 { l_negate(u) } else { u }, exponent);
            k = split(u);
            reflection[i - 1] = k.hi;
            if abs_s(k.hi) > 32750 {
                return Prediction { a: self.a, reflection: self.reflection, error: None };
            }
            let before = p;
            for j in 1..i {
                p[j] = split(l_add(mpy32(k, before[i - j]), join(before[j])));
            }
            p[i] = split(l_shr(u, 4));
            let error = shrink(k, alpha);
            let v = norm_l(error);
            alpha = split(l_shl(error, v));
            exponent += v;
        }
        let mut a = [4096; ORDER + 1];
        for i in 1..=ORDER {
            a[i] = round(l_shl(join(p[i]), 1));
        }
        *self = Self { a, reflection: [reflection[0], reflection[1]] };
        Prediction { a, reflection: self.reflection, error: Some(shr(alpha.hi, exponent)) }
    }
}

/// The line spectral pairs of a filter; `fallback` when not all ten are found.
pub(super) fn to_lsp(a: &Lpc, fallback: &Lsp) -> Lsp {
    let (f, q10) = polynomials(a);
    let mut lsp = [0; ORDER];
    let mut found = 0;
    let mut j = 0;
    let value = |x, which: usize| chebyshev(x, &f[which], q10);
    let mut xl = GRID[0];
    let mut yl = value(xl, 0);
    while found < ORDER && j < 50 {
        j += 1;
        let (mut xh, mut yh) = (xl, yl);
        xl = GRID[j];
        yl = value(xl, found % 2);
        if l_mult(yl, yh) > 0 {
            continue;
        }
        for _ in 0..2 {
            let xm = add(shr(xl, 1), shr(xh, 1));
            let ym = value(xm, found % 2);
            if l_mult(yl, ym) <= 0 {
                (xh, yh) = (xm, ym);
            } else {
                (xl, yl) = (xm, ym);
            }
        }
        let (dx, dy) = (sub(xh, xl), sub(yh, yl));
        let root = if dy == 0 {
            xl
        } else {
            let m = abs_s(dy);
            let v = norm_s(m);
            let q = div_s(16383, shl(m, v));
            let g = low(l_shr(l_mult(dx, q), 20 - v));
            let g = if dy < 0 { negate(g) } else { g };
            sub(xl, low(l_shr(l_mult(yl, g), 11)))
        };
        lsp[found] = root;
        found += 1;
        xl = root;
        yl = value(xl, found % 2);
    }
    if found < ORDER { *fallback } else { lsp }
}

/// Sum and difference polynomials in Q11, or in Q10 when that would overflow.
fn polynomials(a: &Lpc) -> ([[i16; 6]; 2], bool) {
    let attempt = |half: i16, one: i16| {
        let mut clamped = false;
        let mut f = [[one; 6]; 2];
        for i in 0..5 {
            let mut plus = Acc::new(l_mult(a[i + 1], half));
            plus.mac(a[10 - i], half);
            let mut minus = Acc::new(l_mult(a[i + 1], half));
            minus.msu(a[10 - i], half);
            let (x, y) = (high(plus.value), high(minus.value));
            f[0][i + 1] = sub(x, f[0][i]);
            f[1][i + 1] = add(y, f[1][i]);
            clamped |= plus.clamped
                || minus.clamped
                || i32::from(f[0][i + 1]) != i32::from(x) - i32::from(f[0][i])
                || i32::from(f[1][i + 1]) != i32::from(y) + i32::from(f[1][i]);
        }
        (f, clamped)
    };
    match attempt(16384, 2048) {
        (f, false) => (f, false),
        _ => (attempt(8192, 1024).0, true),
    }
}

/// A polynomial's value at cosine `x`, Q14.
///
/// What a recursion of operators gives ([`chebyshev_plain`]) in three products of 64 bits: a pair of words times a word,
/// its cross product floored, is the whole number's product floored. Nothing clamps while the sums stay below 2^28.
fn chebyshev(x: i16, f: &[i16; 6], q10: bool) -> i16 {
    let (c0, c1, last) = if q10 { (128, 256, 7) } else { (256, 512, 6) };
    let times = |b: i32| ((i64::from(b >> 1) * i64::from(x)) >> 15) as i32;
    let mut before = c0 << 16;
    let mut b = 2 * i32::from(x) * c1 + i32::from(f[1]) * 8192;
    let mut widest = b.unsigned_abs();
    for f in &f[2..5] {
        let t = times(b).wrapping_mul(4).wrapping_sub(before & !1).wrapping_add(i32::from(*f) * 8192);
        widest |= t.unsigned_abs();
        (before, b) = (b, t);
    }
    let t = (2 * times(b)).wrapping_sub(before & !1).wrapping_add(i32::from(f[5]) * 4096);
    if widest >= 1 << 28 {
        return chebyshev_plain(x, f, q10);
    }
    high(l_shl(t, last))
}

/// As the Recommendation says it.
#[cold]
fn chebyshev_plain(x: i16, f: &[i16; 6], q10: bool) -> i16 {
    let (c0, c1, last) = if q10 { (128, 256, 7) } else { (256, 512, 6) };
    let mut b2 = HiLo { hi: c0, lo: 0 };
    let mut b1 = split(l_mac(l_mult(x, c1), f[1], 4096));
    for f in &f[2..5] {
        let mut t = l_shl(mpy32_16(b1, x), 1);
        t = l_mac(t, b2.hi, -32768);
        t = l_msu(t, b2.lo, 1);
        t = l_mac(t, *f, 4096);
        (b2, b1) = (b1, split(t));
    }
    let mut t = mpy32_16(b1, x);
    t = l_mac(t, b2.hi, -32768);
    t = l_msu(t, b2.lo, 1);
    t = l_mac(t, f[5], 2048);
    high(l_shl(t, last))
}

#[cfg(test)]
mod tests {
    use base::Rng;

    use super::*;

    #[test]
    fn a_polynomial_has_the_same_value_both_ways() {
        let mut rng = Rng::from_number(1);
        let mut word = |bits: u64| (rng.below(1 << bits) as i32 - (1 << (bits - 1))) as i16;
        for n in 0..200_000 {
            let bits = [8, 12, 14, 16][n % 4];
            let f = std::array::from_fn(|_| word(bits));
            let x = word(16);
            for q10 in [false, true] {
                assert_eq!(chebyshev(x, &f, q10), chebyshev_plain(x, &f, q10), "{x} {f:?} {q10}");
            }
        }
    }
}
