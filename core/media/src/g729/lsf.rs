//! Line spectral frequencies: what decoder and encoder share of their quantiser, and the way from them to a filter.
//!
//! G.729 sections 3.2.4 to 3.2.6 and 4.1.1, 4.1.2. Frequencies are angles in Q13, pairs their cosines in Q15.
//! Knows nothing of searching.

use super::math::{Lpc, Lsp, ORDER};
use super::ops::*;
use super::tables::*;

/// One mode's moving-average predictor: four frames back.
pub(super) type Predictor = [[i16; ORDER]; 4];

/// The last four codebook sums, newest first. Speech frames and silence descriptors share it.
#[derive(Clone, Debug)]
pub(super) struct History(pub(super) [Lsp; 4]);

impl Default for History {
    fn default() -> Self {
        Self([LSF_RESET; 4])
    }
}

impl History {
    /// The frequencies of a codebook sum, and the sum remembered.
    pub(super) fn compose(&mut self, sum: &Lsp, predictor: &Predictor, rest: &Lsp) -> Lsp {
        let mut lsf = [0; ORDER];
        for (j, out) in lsf.iter_mut().enumerate() {
            let mut acc = l_mult(sum[j], rest[j]);
            for (past, weight) in self.0.iter().zip(predictor) {
                acc = l_mac(acc, past[j], weight[j]);
            }
            *out = high(acc);
        }
        self.push(sum);
        lsf
    }

    /// The codebook sum that would give `lsf`: what the searches aim at, and what an erased frame leaves behind.
    pub(super) fn target(&self, lsf: &Lsp, predictor: &Predictor, rest_inverse: &Lsp) -> Lsp {
        let mut sum = [0; ORDER];
        for (j, out) in sum.iter_mut().enumerate() {
            let mut acc = deposit_h(lsf[j]);
            for (past, weight) in self.0.iter().zip(predictor) {
                acc = l_msu(acc, past[j], weight[j]);
            }
            *out = high(l_shl(l_mult(high(acc), rest_inverse[j]), 3));
        }
        sum
    }

    pub(super) fn push(&mut self, sum: &Lsp) {
        self.0.rotate_right(1);
        self.0[0] = *sum;
    }
}

/// Pushes neighbours apart to `gap`, one pass over the pairs that end at `pairs`.
pub(super) fn spread(v: &mut Lsp, pairs: std::ops::RangeInclusive<usize>, gap: i16) {
    for j in pairs {
        let m = shr(add(sub(v[j - 1], v[j]), gap), 1);
        if m > 0 {
            v[j - 1] = sub(v[j - 1], m);
            v[j] = add(v[j], m);
        }
    }
}

/// The codebook sum of a speech frame, spaced.
pub(super) fn speech_sum(first: u8, second: [u8; 2]) -> Lsp {
    let one = &LSPCB1[usize::from(first & 127)];
    let two = second.map(|i| &LSPCB2[usize::from(i & 31)]);
    let mut sum = std::array::from_fn(|j| add(one[j], two[usize::from(j >= 5)][j]));
    spread(&mut sum, 1..=9, 10);
    spread(&mut sum, 1..=9, 5);
    sum
}

/// The codebook sum of a silence descriptor, spaced once.
pub(super) fn noise_sum(first: u8, second: u8) -> Lsp {
    let one = &LSPCB1[usize::from(SID_LSF_MAP1[usize::from(first & 31)])];
    let two = SID_LSF_MAP2.map(|half| &LSPCB2[usize::from(half[usize::from(second & 15)])]);
    let mut sum = std::array::from_fn(|j| add(one[j], two[usize::from(j >= 5)][j]));
    spread(&mut sum, 1..=9, 10);
    sum
}

/// Makes the frequencies a stable filter: ordered (one pass of swaps, not a sort), apart, within bounds.
pub(super) fn stabilise(lsf: &mut Lsp) {
    for j in 0..9 {
        if lsf[j + 1] < lsf[j] {
            lsf.swap(j, j + 1);
        }
    }
    lsf[0] = lsf[0].max(40);
    for j in 0..9 {
        if i32::from(lsf[j + 1]) - i32::from(lsf[j]) < 321 {
            lsf[j + 1] = add(lsf[j], 321);
        }
    }
    lsf[9] = lsf[9].min(25681);
}

/// Frequencies to pairs.
pub(super) fn to_lsp(lsf: &Lsp) -> Lsp {
    lsf.map(|f| {
        let w = mult(f, 20861);
        let n = (w >> 8).clamp(0, 63) as usize;
        add(COS64[n], low(l_shr(l_mult(SLOPE_COS[n], w & 255), 13)))
    })
}

/// Pairs to frequencies, as the quantisers want them.
pub(super) fn from_lsp(lsp: &Lsp) -> Lsp {
    let mut lsf = [0; ORDER];
    let mut n = 63;
    for i in (0..ORDER).rev() {
        while n > 0 && COS64[n] < lsp[i] {
            n -= 1;
        }
        let t = l_mult(SLOPE_ACOS[n], sub(lsp[i], COS64[n]));
        lsf[i] = mult(add(shl(n as i16, 9), low(l_shr(t, 12))), 25736);
    }
    lsf
}

/// The product of the five quadratics of every second pair from `first`, Q24.
///
/// In wide words: where none of the coefficients on the way reaches 2^30, nothing clamps, and a pair of words times a
/// word is the whole number's product floored.
fn polynomial(lsp: &Lsp, first: usize) -> [i32; 6] {
    let c: [_; 5] = std::array::from_fn(|i| i64::from(lsp[first + 2 * i]));
    let mut f = [1 << 24, -1024 * c[0], 0, 0, 0, 0];
    let mut reach = f[1].unsigned_abs();
    times_quadratic::<2>(&mut f, c[1], &mut reach);
    times_quadratic::<3>(&mut f, c[2], &mut reach);
    times_quadratic::<4>(&mut f, c[3], &mut reach);
    times_quadratic::<5>(&mut f, c[4], &mut reach);
    if reach >= 1 << 30 { polynomial_plain(lsp, first) } else { f.map(|f| f as i32) }
}

/// One quadratic more, the `I`th. Of constant length, or the compiler makes loops of it.
#[inline]
fn times_quadratic<const I: usize>(f: &mut [i64; 6], c: i64, reach: &mut u64) {
    f[I] = f[I - 2];
    for k in (2..=I).rev() {
        f[k] += f[k - 2] - 4 * (((f[k - 1] >> 1) * c) >> 15);
        *reach |= f[k].unsigned_abs();
    }
    f[1] -= 1024 * c;
    *reach |= f[1].unsigned_abs();
}

/// As the Recommendation says it.
#[cold]
fn polynomial_plain(lsp: &Lsp, first: usize) -> [i32; 6] {
    let mut f = [0i32; 6];
    f[0] = 1 << 24;
    f[1] = l_msu(0, lsp[first], 512);
    for i in 2..=5 {
        let c = lsp[first + 2 * (i - 1)];
        f[i] = f[i - 2];
        for k in (2..=i).rev() {
            let t = l_shl(mpy32_16(split(f[k - 1]), c), 1);
            f[k] = l_sub(l_add(f[k], f[k - 2]), t);
        }
        f[1] = l_msu(f[1], c, 512);
    }
    f
}

/// Pairs to a prediction filter.
pub(super) fn to_lpc(lsp: &Lsp) -> Lpc {
    let (mut f1, mut f2) = (polynomial(lsp, 0), polynomial(lsp, 1));
    for i in (1..=5).rev() {
        f1[i] = l_add(f1[i], f1[i - 1]);
        f2[i] = l_sub(f2[i], f2[i - 1]);
    }
    let mut a = [0; ORDER + 1];
    a[0] = 4096;
    for i in 1..=5 {
        a[i] = low(l_shr_r(l_add(f1[i], f2[i]), 13));
        a[11 - i] = low(l_shr_r(l_sub(f1[i], f2[i]), 13));
    }
    a
}

/// The filters of both subframes: the first half way from the last frame's pairs.
pub(super) fn subframe_filters(lsp: &Lsp, before: &Lsp) -> [Lpc; 2] {
    let mid: Lsp = std::array::from_fn(|i| add(shr(lsp[i], 1), shr(before[i], 1)));
    [to_lpc(&mid), to_lpc(lsp)]
}

#[cfg(test)]
mod tests {
    use base::Rng;

    use super::*;

    #[test]
    fn conversions_give_the_specification_s_check_values() {
        assert_eq!(
            to_lsp(&LSF_RESET),
            [31435, 27561, 21458, 13613, 4664, -4659, -13609, -21450, -27556, -31435]
        );
        assert_eq!(to_lpc(&to_lsp(&LSF_RESET)), [4096, -3, 8, -1, 6, 1, 3, 1, 1, 0, 1]);
        assert_eq!(to_lpc(&LSP_INIT), [4096, -3750, 6003, -4924, 5959, -4316, 4045, -2402, 1808, -729, 346]);
        assert_eq!(to_lpc(&SID_LSP_INIT), [4096, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn a_polynomial_is_the_operators_for_any_pairs() {
        let mut rng = Rng::from_number(1);
        for n in 0..100_000 {
            let narrow = 1 << (n % 16);
            let lsp = std::array::from_fn(|_| match n % 3 {
                0 => (rng.below(65536) as i32 - 32768) as i16,
                1 => (32767 - rng.below(narrow) as i32) as i16,
                _ => (rng.below(narrow) as i32 - 32768) as i16,
            });
            for first in [0, 1] {
                assert_eq!(polynomial(&lsp, first), polynomial_plain(&lsp, first), "{lsp:?}");
            }
        }
    }

    #[test]
    fn frequencies_in_any_disorder_become_a_filter_s() {
        let mut lsf = [30000, -5, 7, 7, 32767, -32768, 12, 0, 900, 1];
        stabilise(&mut lsf);
        assert!(lsf[0] >= 40 && lsf[9] <= 25681);
    }
}
