//! The arithmetic that G.729 is defined in: 16- and 32-bit words that saturate at every step.
//!
//! ITU-T basic operators, under their customary names. Exactness depends on each of them, in the order written at
//! the call; none may be replaced by wider arithmetic unless it is shown that nothing clamps. Knows no codec.

/// Clamps to 16 bits.
#[inline]
pub(super) const fn sat16(v: i32) -> i16 {
    if v > 32767 {
        32767
    } else if v < -32768 {
        -32768
    } else {
        v as i16
    }
}

#[inline]
pub(super) const fn add(a: i16, b: i16) -> i16 {
    a.saturating_add(b)
}

#[inline]
pub(super) const fn sub(a: i16, b: i16) -> i16 {
    a.saturating_sub(b)
}

#[inline]
pub(super) const fn abs_s(a: i16) -> i16 {
    a.saturating_abs()
}

#[inline]
pub(super) const fn negate(a: i16) -> i16 {
    a.saturating_neg()
}

/// Shift left with saturation; a negative count shifts right.
#[inline]
pub(super) const fn shl(a: i16, n: i32) -> i16 {
    if n < 0 {
        return shr(a, -n);
    }
    let n = if n > 16 { 16 } else { n };
    let wide = (a as i64) << n;
    if wide > 32767 {
        32767
    } else if wide < -32768 {
        -32768
    } else {
        wide as i16
    }
}

/// Arithmetic shift right; a negative count shifts left with saturation.
#[inline]
pub(super) const fn shr(a: i16, n: i32) -> i16 {
    if n < 0 { shl(a, if n < -16 { 16 } else { -n }) } else { a >> (if n > 15 { 15 } else { n }) }
}

/// Shift right, rounding on the last bit shifted out.
#[inline]
pub(super) const fn shr_r(a: i16, n: i32) -> i16 {
    if n > 15 {
        0
    } else if n <= 0 {
        shr(a, n)
    } else {
        (a >> n) + ((a >> (n - 1)) & 1)
    }
}

#[inline]
pub(super) const fn mult(a: i16, b: i16) -> i16 {
    sat16((a as i32 * b as i32) >> 15)
}

#[inline]
pub(super) const fn mult_r(a: i16, b: i16) -> i16 {
    sat16((a as i32 * b as i32 + 0x4000) >> 15)
}

/// Left shifts that normalise a 16-bit word; 0 for 0.
#[inline]
pub(super) const fn norm_s(a: i16) -> i32 {
    if a == 0 { 0 } else { (if a < 0 { !a } else { a }).leading_zeros() as i32 - 1 }
}

/// `a / b` in Q15 for `0 <= a <= b`, `b > 0`. Outside that domain the largest fraction, never a panic.
#[inline]
pub(super) const fn div_s(a: i16, b: i16) -> i16 {
    if a < 0 || b <= 0 || a >= b { 32767 } else { (((a as i32) << 15) / b as i32) as i16 }
}

#[inline]
pub(super) const fn l_mult(a: i16, b: i16) -> i32 {
    (a as i32 * b as i32).saturating_mul(2)
}

#[inline]
pub(super) const fn l_add(x: i32, y: i32) -> i32 {
    x.saturating_add(y)
}

#[inline]
pub(super) const fn l_sub(x: i32, y: i32) -> i32 {
    x.saturating_sub(y)
}

#[inline]
pub(super) const fn l_mac(x: i32, a: i16, b: i16) -> i32 {
    x.saturating_add(l_mult(a, b))
}

#[inline]
pub(super) const fn l_msu(x: i32, a: i16, b: i16) -> i32 {
    x.saturating_sub(l_mult(a, b))
}

#[inline]
pub(super) const fn l_abs(x: i32) -> i32 {
    x.saturating_abs()
}

#[inline]
pub(super) const fn l_negate(x: i32) -> i32 {
    x.saturating_neg()
}

/// Shift left with saturation; a negative count shifts right.
#[inline]
pub(super) const fn l_shl(x: i32, n: i32) -> i32 {
    if n <= 0 {
        return x >> (if n < -31 { 31 } else { -n });
    }
    let n = if n > 31 { 31 } else { n };
    let shifted = x << n;
    if shifted >> n == x {
        shifted
    } else if x > 0 {
        i32::MAX
    } else {
        i32::MIN
    }
}

/// Arithmetic shift right; a negative count shifts left with saturation.
#[inline]
pub(super) const fn l_shr(x: i32, n: i32) -> i32 {
    if n < 0 { l_shl(x, if n < -32 { 32 } else { -n }) } else { x >> (if n > 31 { 31 } else { n }) }
}

/// Shift right, rounding on the last bit shifted out.
#[inline]
pub(super) const fn l_shr_r(x: i32, n: i32) -> i32 {
    if n > 31 {
        0
    } else if n <= 0 {
        l_shr(x, n)
    } else {
        (x >> n) + ((x >> (n - 1)) & 1)
    }
}

/// Left shifts that normalise a 32-bit word; 0 for 0.
#[inline]
pub(super) const fn norm_l(x: i32) -> i32 {
    if x == 0 { 0 } else { (if x < 0 { !x } else { x }).leading_zeros() as i32 - 1 }
}

/// The high word.
#[inline]
pub(super) const fn high(x: i32) -> i16 {
    (x >> 16) as i16
}

/// The low word; wraps, the one operator that does.
#[inline]
pub(super) const fn low(x: i32) -> i16 {
    x as i16
}

/// A word as the high half.
#[inline]
pub(super) const fn deposit_h(a: i16) -> i32 {
    (a as i32) << 16
}

/// The high word, rounded.
#[inline]
pub(super) const fn round(x: i32) -> i16 {
    high(x.saturating_add(0x8000))
}

/// A 32-bit value as two words, `hi * 65536 + lo * 2`; the last bit is lost, and the standard wants it lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct HiLo {
    pub(super) hi: i16,
    pub(super) lo: i16,
}

impl HiLo {
    pub(super) const ZERO: Self = Self { hi: 0, lo: 0 };
}

#[inline]
pub(super) const fn split(x: i32) -> HiLo {
    HiLo { hi: high(x), lo: ((x & 0xFFFF) >> 1) as i16 }
}

#[inline]
pub(super) const fn join(p: HiLo) -> i32 {
    l_mac(deposit_h(p.hi), p.lo, 1)
}

/// Product of two pairs: low by low is dropped, each cross product floored to a word first.
#[inline]
pub(super) const fn mpy32(p: HiLo, q: HiLo) -> i32 {
    let x = l_mult(p.hi, q.hi);
    let x = l_mac(x, mult(p.hi, q.lo), 1);
    l_mac(x, mult(p.lo, q.hi), 1)
}

/// Product of a pair and a word, the low product floored to a word first.
#[inline]
pub(super) const fn mpy32_16(p: HiLo, n: i16) -> i32 {
    if n == i16::MIN {
        return l_mac(l_mult(p.hi, n), mult(p.lo, n), 1);
    }
    // By any other word nothing clamps, and flooring the low product is flooring the whole.
    let whole = ((p.hi as i32) << 15) + p.lo as i32;
    2 * ((whole as i64 * n as i64) >> 15) as i32
}

/// `num / den` in Q31 for a normalised `den`, to the precision of one Newton step.
pub(super) const fn div32(num: i32, den: HiLo) -> i32 {
    let q = div_s(0x3FFF, den.hi);
    let x = l_sub(0x7FFF_FFFF, mpy32_16(den, q));
    let x = mpy32_16(split(x), q);
    l_shl(mpy32(split(num), split(x)), 2)
}

/// An accumulator that remembers whether any step clamped: the standard's overflow flag, kept local.
#[derive(Clone, Copy, Debug)]
pub(super) struct Acc {
    pub(super) value: i32,
    pub(super) clamped: bool,
}

impl Acc {
    #[inline]
    pub(super) const fn new(value: i32) -> Self {
        Self { value, clamped: false }
    }

    #[inline]
    const fn take(&mut self, wide: i64) {
        if wide > i32::MAX as i64 {
            self.value = i32::MAX;
            self.clamped = true;
        } else if wide < i32::MIN as i64 {
            self.value = i32::MIN;
            self.clamped = true;
        } else {
            self.value = wide as i32;
        }
    }

    #[inline]
    const fn product(&mut self, a: i16, b: i16) -> i64 {
        let p = 2 * a as i64 * b as i64;
        // -32768 * -32768 clamps by itself, before it is added.
        if p > i32::MAX as i64 {
            self.clamped = true;
            i32::MAX as i64
        } else {
            p
        }
    }

    #[inline]
    pub(super) const fn mac(&mut self, a: i16, b: i16) {
        let p = self.product(a, b);
        self.take(self.value as i64 + p);
    }

    #[inline]
    pub(super) const fn msu(&mut self, a: i16, b: i16) {
        let p = self.product(a, b);
        self.take(self.value as i64 - p);
    }

    /// Shift left, `n >= 0`.
    #[inline]
    pub(super) const fn shl(&mut self, n: i32) {
        self.take((self.value as i64) << n);
    }

    #[inline]
    pub(super) const fn round(&mut self) -> i16 {
        self.take(self.value as i64 + 0x8000);
        high(self.value)
    }
}

/// Sum of doubled products from `start`, clamping at each step.
#[inline]
pub(super) fn mac_all(start: i32, a: &[i16], b: &[i16]) -> i32 {
    a.iter().zip(b).fold(start, |x, (a, b)| l_mac(x, *a, *b))
}

/// The same, and whether a step clamped.
#[inline]
pub(super) fn mac_all_watched(start: i32, a: &[i16], b: &[i16]) -> Acc {
    let mut acc = Acc::new(start);
    for (a, b) in a.iter().zip(b) {
        acc.mac(*a, *b);
    }
    acc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_give_the_specification_s_check_values() {
        assert_eq!([mult(-1, 1), mult(-3, 16384), mult_r(-3, 16384)], [-1, -2, -1]);
        assert_eq!((shr_r(-3, 1), shr_r(5, -1), l_shr_r(-3, 1)), (-1, 10, -1));
        assert_eq!(split(-5), HiLo { hi: -1, lo: 32765 });
        assert_eq!(mpy32_16(split(-123_456_789), -24660), 92_909_070);
    }

    #[test]
    fn a_pair_times_a_word_is_what_the_operators_make_of_it() {
        let words = [-32768, -32767, -16385, -2, -1, 0, 1, 3, 12_345, 32766, 32767];
        for (hi, lo, n) in
            words.iter().flat_map(|hi| words.iter().flat_map(move |lo| words.map(|n| (*hi, *lo, n))))
        {
            let by_operators = l_mac(l_mult(hi, n), mult(lo, n), 1);
            assert_eq!(mpy32_16(HiLo { hi, lo }, n), by_operators, "{hi} {lo} {n}");
        }
    }

    #[test]
    fn the_ends_of_the_range_clamp_and_never_panic() {
        assert_eq!(
            (mult(-32768, -32768), mult_r(-32768, -32768), l_mult(-32768, -32768)),
            (32767, 32767, i32::MAX)
        );
        assert_eq!(
            (abs_s(-32768), negate(-32768), l_abs(i32::MIN), l_negate(i32::MIN)),
            (32767, 32767, i32::MAX, i32::MAX)
        );
        for n in [-40, -17, -16, -1, 0, 1, 15, 16, 31, 32, 33, 70] {
            for a in [-32768, -1, 0, 1, 32767] {
                let _ = (shl(a, n), shr(a, n), shr_r(a, n));
                let _ = (l_shl(i32::from(a) << 16, n), l_shr(i32::from(a), n), l_shr_r(i32::from(a), n));
            }
        }
        assert_eq!((shl(1, 16), shl(-1, 99), shl(0, 99), shr(-1, 99), shr(5, 99)), (32767, -32768, 0, -1, 0));
        assert_eq!((l_shl(1, 40), l_shl(-1, 31), l_shr(-7, 99)), (i32::MAX, i32::MIN, -1));
        assert_eq!((norm_s(-1), norm_s(0), norm_l(-1), norm_l(0), norm_l(1)), (15, 0, 31, 0, 30));
        assert_eq!(
            (div_s(5, 0), div_s(6, 5), div_s(-1, 5), div_s(5, 5), div_s(1, 2)),
            (32767, 32767, 32767, 32767, 16384)
        );
    }

    #[test]
    fn a_watched_sum_equals_the_plain_one_and_tells_of_clamping() {
        let big = [32767; 8];
        let sum = mac_all_watched(0, &big, &big);
        assert!(sum.clamped);
        assert_eq!(sum.value, mac_all(0, &big, &big));
        let minus = [-32768i16];
        assert!(mac_all_watched(-1, &minus, &minus).clamped, "the product itself clamps");
        assert!(!mac_all_watched(1, &[3, 4], &[5, -6]).clamped);
    }
}
