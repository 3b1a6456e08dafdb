//! Sums of products of words, eight windows side by side.
//!
//! Every machine worth the name multiplies eight pairs of words and adds neighbours in one step; a broadcast pair of
//! taps against a window gives every second sum, against the window one later the others. All sums wrap: callers know
//! that they do not, or look afterwards. Knows no filter.

use wide::{i16x8, i32x4};

/// Eight words as they lie.
#[inline]
pub(super) fn load(x: &[i16; 8]) -> i16x8 {
    i16x8::new(*x)
}

/// The eight words from `at` on.
#[inline]
pub(super) fn load_at(x: &[i16], at: usize) -> i16x8 {
    load(x[at..].first_chunk().expect("eight words from here"))
}

/// One pair of words four times.
#[inline]
pub(super) fn pair(a: i16, b: i16) -> i16x8 {
    i16x8::new([a, b, a, b, a, b, a, b])
}

/// Sums of even and of odd number as one row.
#[inline]
pub(super) fn merge(even: i32x4, odd: i32x4) -> [i32; 8] {
    let (even, odd) = (even.to_array(), odd.to_array());
    std::array::from_fn(|i| if i % 2 == 0 { even[i / 2] } else { odd[i / 2] })
}

/// The sums of products of `taps` with the eight windows that begin at `x[0..8]`; taps are even in number and `x` as
/// long as the last window ends.
#[inline]
pub(super) fn eight_windows<const TAPS: usize, const SPAN: usize>(
    taps: &[i16; TAPS],
    x: &[i16; SPAN],
) -> [i32; 8] {
    const { assert!(TAPS.is_multiple_of(2) && SPAN == TAPS + 7) };
    let (mut even, mut odd) = (i32x4::ZERO, i32x4::ZERO);
    for j in (0..TAPS).step_by(2) {
        let taps = pair(taps[j], taps[j + 1]);
        even += taps.dot(load_at(x, j));
        odd += taps.dot(load_at(x, j + 1));
    }
    merge(even, odd)
}

/// Sum of products.
#[inline]
pub(super) fn products(a: &[i16], b: &[i16]) -> i32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks(), b.as_chunks());
    let sum = a.iter().zip(b).fold(i32x4::ZERO, |sum, (a, b)| sum + load(a).dot(load(b)));
    let rest = a_rest.iter().zip(b_rest).map(|(a, b)| i32::from(*a) * i32::from(*b));
    rest.fold(sum.reduce_add(), i32::wrapping_add)
}

/// Sum of squares, exact for up to 2^15 words.
#[inline]
pub(super) fn squares(a: &[i16]) -> i64 {
    let (eights, rest) = a.as_chunks();
    let word = i32x4::splat(0xFFFF);
    let (mut low, mut high) = (i32x4::ZERO, i32x4::ZERO);
    for eight in eights {
        // Two squares are at most 2^31 together: unsigned.
        let both = load(eight).dot(load(eight));
        low += both & word;
        high += (both >> 16) & word;
    }
    let rest: i64 = rest.iter().map(|x| i64::from(*x) * i64::from(*x)).sum();
    i64::from(low.reduce_add()) + (i64::from(high.reduce_add()) << 16) + rest
}
