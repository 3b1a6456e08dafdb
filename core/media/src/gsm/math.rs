//! The arithmetic that GSM 06.10 is defined in (its section 5.1): words of 16 bits that saturate.

/// Clamps to 16 bits.
#[inline]
pub(super) const fn sat(v: i32) -> i16 {
    if v > 32_767 {
        32_767
    } else if v < -32_768 {
        -32_768
    } else {
        v as i16
    }
}

/// The product of two fractions in Q15, rounded down.
#[inline]
pub(super) const fn mult(a: i16, b: i16) -> i16 {
    sat((a as i32 * b as i32) >> 15)
}

/// The product of two fractions in Q15, rounded to the nearest.
#[inline]
pub(super) const fn mult_r(a: i16, b: i16) -> i16 {
    sat((a as i32 * b as i32 + 0x4000) >> 15)
}

/// `a / b` in Q15 for `0 <= a <= b`, `b > 0`; 1 is the largest fraction.
#[inline]
pub(super) const fn div(a: i16, b: i16) -> i16 {
    if a >= b { 32_767 } else { (((a as i32) << 15) / b as i32) as i16 }
}

/// Left shifts that normalise a positive word.
#[inline]
pub(super) const fn norm16(v: i16) -> u32 {
    v.leading_zeros() - 1
}

/// Left shifts that normalise a positive double word.
#[inline]
pub(super) const fn norm32(v: i32) -> u32 {
    v.leading_zeros() - 1
}

/// The largest magnitude; that of -32768 is 32767.
#[inline]
pub(super) fn peak(row: &[i16]) -> i16 {
    row.iter().fold(0, |most, v| most.max(v.saturating_abs()))
}

/// The sum of products. The caller scales so that it fits.
#[inline]
pub(super) fn dot(a: &[i16], b: &[i16]) -> i32 {
    a.iter().zip(b).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum()
}
