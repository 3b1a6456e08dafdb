//! The loops where the time goes, twice: as the Recommendation says them, and fast.
//!
//! [`Plain`] takes every step with a saturating operator and is the oracle. [`Fast`] first proves that no step can
//! clamp (a bound on the peaks, or Cauchy-Schwarz on the energies) and then takes wrapping sums that the compiler
//! turns into vectors; where the proof fails it does as [`Plain`] does. Both give the same words, always: a test
//! runs them side by side. Knows no frame.

use wide::i32x4;

use super::lanes::{eight_windows, load, load_at, merge, pair, products, squares};
use super::lpc::WINDOW;
use super::math::{Block, Lpc, Lsp, ORDER, SUBFRAME};
use super::ops::*;
use super::tables::INTER_3L;
use super::{fixed, fixed_fast};

/// The loops.
pub(super) trait Kernels {
    /// Sum of doubled products from `start`, each step clamping.
    fn dot(start: i32, a: &[i16], b: &[i16]) -> i32;

    /// Sum of doubled squares from `start`, and whether a step clamped.
    fn energy(start: i32, a: &[i16]) -> Acc;

    /// Sum of doubled products, each step clamping, and whether one did.
    fn dot_watched(a: &Block, b: &Block) -> Acc;

    /// `out[i]`: the doubled products of `a` with `b[i..]`, for windows of `a`'s length.
    fn slide(a: &[i16], b: &[i16], out: &mut [i32]);

    /// LP synthesis `1/A(z)` of a multiple of eight samples, from ten of `memory`, which is left alone. Says whether
    /// anything clamped.
    fn synthesis<const N: usize>(a: &Lpc, x: &[i16; N], memory: &Lsp, out: &mut [i16; N]) -> bool;

    /// LP residual `A(z)` of `x[10..]`, whose first ten samples are history.
    fn residual(a: &Lpc, x: &[i16; ORDER + SUBFRAME], out: &mut Block);

    /// The adaptive codebook: `exc[at..at + 40]` from `lag - fraction/3` samples before, each sample seeing the new
    /// ones.
    fn interpolate(exc: &mut [i16], at: usize, lag: i16, fraction: i16);

    /// The positions of the four pulses for an impulse response, the target's correlations and their signs.
    fn pulses(h: &Block, d: &Block, plus: &[bool; SUBFRAME]) -> [usize; 4];

    /// LP synthesis that leaves its last ten samples in `memory`.
    fn synthesise(a: &Lpc, x: &Block, memory: &mut Lsp, out: &mut Block) {
        Self::synthesis(a, x, memory, out);
        memory.copy_from_slice(&out[SUBFRAME - ORDER..]);
    }
}

/// Where interpolation reads and which of the three filters it takes.
fn phase(at: usize, lag: i16, fraction: i16) -> (usize, usize) {
    let (start, f) = (at - lag as usize, -fraction);
    if f < 0 { (start - 1, (f + 3) as usize) } else { (start, f as usize) }
}

/// As the Recommendation says it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plain;

impl Kernels for Plain {
    fn dot(start: i32, a: &[i16], b: &[i16]) -> i32 {
        mac_all(start, a, b)
    }

    fn energy(start: i32, a: &[i16]) -> Acc {
        mac_all_watched(start, a, a)
    }

    fn dot_watched(a: &Block, b: &Block) -> Acc {
        mac_all_watched(0, a, b)
    }

    fn slide(a: &[i16], b: &[i16], out: &mut [i32]) {
        for (i, out) in out.iter_mut().enumerate() {
            *out = mac_all(0, a, &b[i..i + a.len()]);
        }
    }

    fn synthesis<const N: usize>(a: &Lpc, x: &[i16; N], memory: &Lsp, out: &mut [i16; N]) -> bool {
        let mut y = [0i16; ORDER + SUBFRAME];
        y[..ORDER].copy_from_slice(memory);
        let mut clamped = false;
        for (i, x) in x.iter().enumerate() {
            let mut s = Acc::new(0);
            s.mac(*x, a[0]);
            for j in 1..=ORDER {
                s.msu(a[j], y[ORDER + i - j]);
            }
            s.shl(3);
            y[ORDER + i] = s.round();
            clamped |= s.clamped;
        }
        out.copy_from_slice(&y[ORDER..ORDER + N]);
        clamped
    }

    fn residual(a: &Lpc, x: &[i16; ORDER + SUBFRAME], out: &mut Block) {
        for (i, y) in out.iter_mut().enumerate() {
            let mut s = l_mult(x[ORDER + i], a[0]);
            for j in 1..=ORDER {
                s = l_mac(s, a[j], x[ORDER + i - j]);
            }
            *y = round(l_shl(s, 3));
        }
    }

    fn interpolate(exc: &mut [i16], at: usize, lag: i16, fraction: i16) {
        let (start, f) = phase(at, lag, fraction);
        for n in 0..SUBFRAME {
            let p = start + n;
            let mut s = 0;
            for i in 0..10 {
                s = l_mac(s, exc[p - i], INTER_3L[f + 3 * i]);
                s = l_mac(s, exc[p + 1 + i], INTER_3L[3 - f + 3 * i]);
            }
            exc[at + n] = round(s);
        }
    }

    fn pulses(h: &Block, d: &Block, plus: &[bool; SUBFRAME]) -> [usize; 4] {
        fixed::search_tracks(h, d, plus)
    }
}

/// Taps of the interpolation.
const TAPS: usize = 20;

/// Its three filters in time order, the first tap nine samples before the middle, and the peak up to which no sum
/// reaches 2^30.
static IN_TIME: [([i16; TAPS], i32); 3] = {
    let mut filters = [([0; TAPS], 0); 3];
    let mut f = 0;
    while f < 3 {
        let (mut i, mut sizes) = (0, 0);
        while i < 10 {
            let (before, after) = (INTER_3L[f + 3 * i], INTER_3L[3 - f + 3 * i]);
            (filters[f].0[9 - i], filters[f].0[10 + i]) = (before, after);
            sizes += (before as i32).abs() + (after as i32).abs();
            i += 1;
        }
        filters[f].1 = ((1 << 30) - 1) / sizes;
        f += 1;
    }
    filters
};

/// Samples that filters make in one go.
const STEP: usize = 8;

/// The same words in less time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fast;

/// Whether no partial sum of doubled products can reach 2^31, by Cauchy-Schwarz from the energies of both sides.
fn cannot_clamp(a: i64, b: i64) -> bool {
    i128::from(a) * i128::from(b) < (1 << 60) - (1 << 32)
}

/// `out[i]`: the doubled products of `taps` with `x[i..]`.
fn slide<const TAPS: usize, const SPAN: usize>(taps: &[i16; TAPS], x: &[i16], out: &mut [i32]) {
    let mut at = 0;
    for out in out.chunks_mut(8) {
        let sums = match x[at..].first_chunk::<SPAN>() {
            Some(x) => eight_windows(taps, x),
            None => {
                let mut padded = [0; SPAN];
                padded[..x.len() - at].copy_from_slice(&x[at..]);
                eight_windows(taps, &padded)
            }
        };
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = 2 * sum;
        }
        at += 8;
    }
}

/// No sample is larger than this, and the largest at most one smaller.
pub(super) fn peak(x: &[i16]) -> i32 {
    i32::from(x.iter().fold(0, |peak, x| peak.max(x ^ (x >> 15)))) + 1
}

/// Whether a filter's undoubled sums over samples of this peak stay below 2^30.
fn fits(a: &[i16], peak: i32) -> bool {
    let sum: i32 = a.iter().map(|a| i32::from(*a).abs()).sum();
    i64::from(sum) * i64::from(peak) < 1 << 30
}

/// An undoubled Q12 sum as a sample: the standard's shift by three and rounding, with their clamps.
fn sample(s: i32) -> i16 {
    sat16((s + 2048) >> 12)
}

impl Kernels for Fast {
    fn dot(start: i32, a: &[i16], b: &[i16]) -> i32 {
        if cannot_clamp(squares(a), squares(b)) {
            start + 2 * products(a, b)
        } else {
            Plain::dot(start, a, b)
        }
    }

    fn energy(start: i32, a: &[i16]) -> Acc {
        // All terms have one sign: clamping at the end is clamping on the way.
        let wide = i64::from(start) + 2 * squares(a);
        let value = wide.min(i64::from(i32::MAX)) as i32;
        // Two halves of full scale clamp as a product, which the sum alone would not show.
        let clamped = wide > i64::from(i32::MAX);
        Acc { value, clamped }
    }

    fn dot_watched(a: &Block, b: &Block) -> Acc {
        if cannot_clamp(squares(a), squares(b)) {
            Acc::new(2 * products(a, b))
        } else {
            Plain::dot_watched(a, b)
        }
    }

    fn slide(a: &[i16], b: &[i16], out: &mut [i32]) {
        if !cannot_clamp(squares(a), squares(&b[..out.len() + a.len() - 1])) {
            return Plain::slide(a, b, out);
        }
        if let Ok(a) = <&[i16; SUBFRAME]>::try_from(a) {
            slide::<SUBFRAME, { SUBFRAME + 7 }>(a, b, out);
        } else if let Ok(a) = <&[i16; WINDOW]>::try_from(a) {
            slide::<WINDOW, { WINDOW + 7 }>(a, b, out);
        } else {
            for (i, out) in out.iter_mut().enumerate() {
                *out = 2 * products(a, &b[i..i + a.len()]);
            }
        }
    }

    fn synthesis<const N: usize>(a: &Lpc, x: &[i16; N], memory: &Lsp, out: &mut [i16; N]) -> bool {
        // Eight samples at a time: first what the past gives to all of them, then what they give to each other.
        let wide = a.map(i32::from);
        let mut later = [0; ORDER + STEP];
        later[..ORDER].copy_from_slice(&a[1..]);
        // By pairs of past samples, the newest first: what each sample of even and of odd number takes of them.
        let taken: [_; ORDER / 2] =
            std::array::from_fn(|p| [load_at(&later, 2 * p), load_at(&later, 2 * p + 1)]);
        let mut past: [_; ORDER / 2] = std::array::from_fn(|p| pair(memory[9 - 2 * p], memory[8 - 2 * p]));
        let now = [pair(a[0], 0), pair(0, a[0])];
        let mut y = [0; N];
        let mut reach = 0;
        for (x, y) in x.as_chunks::<STEP>().0.iter().zip(y.as_chunks_mut::<STEP>().0) {
            let mut sums = now.map(|now| load(x).dot(now) + i32x4::splat(2048));
            for (past, taken) in past.iter().zip(&taken) {
                for (sum, taken) in sums.iter_mut().zip(taken) {
                    *sum -= past.dot(*taken);
                }
            }
            let mut s = merge(sums[0], sums[1]);
            for l in 0..STEP {
                s[l] >>= 12;
                reach |= s[l].wrapping_add(0x8000) as u32;
                for k in l + 1..STEP {
                    s[k] = s[k].wrapping_sub(s[l].wrapping_mul(wide[k - l]));
                }
            }
            // Not clamped here, where one sample waits for the other: a stream that needs it is done again.
            *y = s.map(|s| s as i16);
            past = [pair(y[7], y[6]), pair(y[5], y[4]), pair(y[3], y[2]), pair(y[1], y[0]), past[0]];
        }
        if reach > 0xFFFF || !fits(a, peak(x).max(peak(memory)).max(peak(&y))) {
            return Plain::synthesis(a, x, memory, out);
        }
        *out = y;
        false
    }

    fn residual(a: &Lpc, x: &[i16; ORDER + SUBFRAME], out: &mut Block) {
        if !fits(a, peak(x)) {
            return Plain::residual(a, x, out);
        }
        // In time order, with a tap of zero to make pairs.
        let mut taps = [0; ORDER + 2];
        for (tap, a) in taps[1..].iter_mut().zip(a.iter().rev()) {
            *tap = *a;
        }
        let mut padded = [0; 1 + ORDER + SUBFRAME];
        padded[1..].copy_from_slice(x);
        for (n, y) in out.as_chunks_mut::<STEP>().0.iter_mut().enumerate() {
            let window: &[i16; ORDER + 9] =
                padded[n * STEP..].first_chunk().expect("it reaches the block's end");
            *y = eight_windows(&taps, window).map(sample);
        }
    }

    fn interpolate(exc: &mut [i16], at: usize, lag: i16, fraction: i16) {
        let (start, f) = phase(at, lag, fraction);
        let (taps, loudest) = (&IN_TIME[f].0, IN_TIME[f].1);
        // The shortest lag leaves ten samples between what a block of eight reads and what it writes.
        for n in (0..SUBFRAME).step_by(STEP) {
            // Five words more than it takes: whole vectors.
            let window: [i16; TAPS + 12] =
                *exc[start + n - 9..].first_chunk().expect("the block itself lies further on");
            if peak(&window) <= loudest {
                let window: &[i16; TAPS + 7] = window.first_chunk().expect("it is longer");
                // The doubled sum, rounded and clamped.
                let block = eight_windows(taps, window).map(|s| ((s + 0x4000) >> 15).min(32767) as i16);
                exc[at + n..at + n + STEP].copy_from_slice(&block);
            } else {
                for (i, e) in exc[at + n..at + n + STEP].iter_mut().enumerate() {
                    let mut s = 0;
                    for j in 0..10 {
                        s = l_mac(s, window[i + 9 - j], taps[9 - j]);
                        s = l_mac(s, window[i + 10 + j], taps[10 + j]);
                    }
                    *e = round(s);
                }
            }
        }
    }

    fn pulses(h: &Block, d: &Block, plus: &[bool; SUBFRAME]) -> [usize; 4] {
        fixed_fast::search_tracks(h, d, plus)
    }
}
