//! The loops where the time goes, twice: as the Recommendation says them, and fast.
//!
//! [`Plain`] takes every step with a saturating operator and is the oracle. [`Fast`] first proves that no step can
//! clamp (a bound on the peaks, or Cauchy-Schwarz on the energies) and then takes wrapping sums that the compiler
//! turns into vectors; where the proof fails it does as [`Plain`] does. Both give the same words, always: a test
//! runs them side by side. Knows no frame.

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

/// The same words in less time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fast;

/// Sum of squares, exact.
fn squares(a: &[i16]) -> i64 {
    const HALF: usize = 8;
    let (blocks, rest) = a.as_chunks::<{ 2 * HALF }>();
    let mut lanes = [0u64; HALF];
    for block in blocks {
        let (low, high) = block.split_at(HALF);
        for ((lane, a), b) in lanes.iter_mut().zip(low).zip(high) {
            // Two squares are at most 2^31 together.
            *lane +=
                u64::from((i32::from(*a) * i32::from(*a)) as u32 + (i32::from(*b) * i32::from(*b)) as u32);
        }
    }
    let rest: u64 = rest.iter().map(|x| (i32::from(*x) * i32::from(*x)) as u64).sum();
    (lanes.iter().sum::<u64>() + rest) as i64
}

/// Whether no partial sum of doubled products can reach 2^31, by Cauchy-Schwarz from the energies of both sides.
fn cannot_clamp(a: i64, b: i64) -> bool {
    i128::from(a) * i128::from(b) < (1 << 60) - (1 << 32)
}

fn products(a: &[i16], b: &[i16]) -> i32 {
    a.iter().zip(b).fold(0i32, |s, (a, b)| s.wrapping_add(i32::from(*a) * i32::from(*b)))
}

/// [`products`] of as many as the interpolation has, apart so that its vectors run along the taps.
#[inline(never)]
fn products_of(a: &[i16; 24], b: &[i16; 24]) -> i32 {
    products(a, b)
}

/// [`products`] of `a` with every window of `b`, doubled. Of a length that the compiler knows, each is a handful of
/// vector steps.
fn slide_products<const N: usize>(a: &[i16; N], b: &[i16], out: &mut [i32]) {
    for (window, out) in b.array_windows::<N>().zip(out) {
        *out = 2 * products(a, window);
    }
}

fn peak(x: &[i16]) -> i32 {
    let high = x.iter().copied().fold(0, i16::max);
    let low = x.iter().copied().fold(0, i16::min);
    i32::from(high).max(-i32::from(low))
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

/// Samples that the synthesis makes in one go.
const STEP: usize = 8;

/// What ten samples, the newest last, take from the sums of the next eight. Apart, or the compiler makes scalars of it.
#[inline(never)]
fn take_past(past: &[i16], taken: &[[i16; STEP]; ORDER], sums: &mut [i32; STEP]) {
    for (past, taken) in past.iter().rev().zip(taken) {
        for (s, a) in sums.iter_mut().zip(taken) {
            *s = s.wrapping_sub(i32::from(*past) * i32::from(*a));
        }
    }
}

impl Kernels for Fast {
    fn dot(start: i32, a: &[i16], b: &[i16]) -> i32 {
        if cannot_clamp(squares(a), squares(b)) {
            let sum = match (<&Block>::try_from(a), <&Block>::try_from(b)) {
                (Ok(a), Ok(b)) => products(a, b),
                _ => products(a, b),
            };
            start + 2 * sum
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
            slide_products(a, b, out);
        } else if let Ok(a) = <&[i16; WINDOW]>::try_from(a) {
            slide_products(a, b, out);
        } else {
            for (i, out) in out.iter_mut().enumerate() {
                *out = 2 * products(a, &b[i..i + a.len()]);
            }
        }
    }

    fn synthesis<const N: usize>(a: &Lpc, x: &[i16; N], memory: &Lsp, out: &mut [i16; N]) -> bool {
        // Eight samples at a time: first what the past gives to all of them, then what they give to each other.
        // By age of the past sample: what it is taken by in each of the eight.
        let taken: [[i16; STEP]; ORDER] =
            std::array::from_fn(|m| std::array::from_fn(|l| a.get(m + l + 1).copied().unwrap_or(0)));
        let wide = a.map(i32::from);
        let mut y = [0i16; ORDER + SUBFRAME];
        y[..ORDER].copy_from_slice(memory);
        let mut reach = 0;
        for (n, x) in x.as_chunks::<STEP>().0.iter().enumerate() {
            let y = &mut y[n * STEP..][..ORDER + STEP];
            let mut s = x.map(|x| i32::from(a[0]) * i32::from(x));
            take_past(&y[..ORDER], &taken, &mut s);
            for l in 0..STEP {
                // Not clamped here, where one sample waits for the other: a stream that needs it is done again.
                let now = s[l].wrapping_add(2048) >> 12;
                reach |= s[l].wrapping_add(1 << 27) | s[l].wrapping_add((1 << 27) + 2048);
                y[ORDER + l] = now as i16;
                for k in l + 1..STEP {
                    s[k] = s[k].wrapping_sub(now.wrapping_mul(wide[k - l]));
                }
            }
        }
        let clamped = reach >> 28 != 0;
        if clamped || !fits(a, peak(x).max(peak(&y))) {
            return Plain::synthesis(a, x, memory, out);
        }
        out.copy_from_slice(&y[ORDER..ORDER + N]);
        false
    }

    fn residual(a: &Lpc, x: &[i16; ORDER + SUBFRAME], out: &mut Block) {
        if !fits(a, peak(x)) {
            return Plain::residual(a, x, out);
        }
        let mut s = [0i32; SUBFRAME];
        for (j, a) in a.iter().enumerate() {
            for (s, x) in s.iter_mut().zip(&x[ORDER - j..]) {
                *s += i32::from(*a) * i32::from(*x);
            }
        }
        for (y, s) in out.iter_mut().zip(s) {
            *y = sample(s);
        }
    }

    fn interpolate(exc: &mut [i16], at: usize, lag: i16, fraction: i16) {
        const TAPS: usize = 20;
        const BLOCK: usize = 8;
        // Up to whole vectors.
        const PADDED: usize = 24;
        let (start, f) = phase(at, lag, fraction);
        // In time order, the first tap nine samples before the middle.
        let mut taps = [0i16; PADDED];
        for i in 0..10 {
            taps[9 - i] = INTER_3L[f + 3 * i];
            taps[10 + i] = INTER_3L[3 - f + 3 * i];
        }
        // The shortest lag leaves ten samples between what a block of eight reads and what it writes.
        for n in (0..SUBFRAME).step_by(BLOCK) {
            let from = start + n - 9;
            let mut window = [0i16; PADDED + BLOCK];
            window[..TAPS + BLOCK - 1].copy_from_slice(&exc[from..from + TAPS + BLOCK - 1]);
            if fits(&taps, peak(&window)) {
                for (e, window) in
                    exc[at + n..at + n + BLOCK].iter_mut().zip(window.array_windows::<PADDED>())
                {
                    // The doubled sum, rounded and clamped.
                    *e = ((products_of(&taps, window) + 0x4000) >> 15).min(32767) as i16;
                }
            } else {
                for (i, e) in exc[at + n..at + n + BLOCK].iter_mut().enumerate() {
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
