//! The loops where the time goes, twice: as the Recommendation says them, and fast.
//!
//! [`Plain`] takes every step with a saturating operator and is the oracle. [`Fast`] first proves that no step can
//! clamp (a bound on the peaks, or Cauchy-Schwarz on the energies) and then takes wrapping sums that the compiler
//! turns into vectors; where the proof fails it does as [`Plain`] does. Both give the same words, always: a test
//! runs them side by side. Knows no frame.

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

    /// `out[i]`: the doubled products of `a` with `b[i..]`, for windows of `a`'s length.
    fn slide(a: &[i16], b: &[i16], out: &mut [i32]);

    /// LP synthesis `1/A(z)` from ten samples of `memory`, which is left alone. Says whether anything clamped.
    fn synthesis(a: &Lpc, x: &Block, memory: &Lsp, out: &mut Block) -> bool;

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

    fn slide(a: &[i16], b: &[i16], out: &mut [i32]) {
        for (i, out) in out.iter_mut().enumerate() {
            *out = mac_all(0, a, &b[i..i + a.len()]);
        }
    }

    fn synthesis(a: &Lpc, x: &Block, memory: &Lsp, out: &mut Block) -> bool {
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
        out.copy_from_slice(&y[ORDER..]);
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
    a.chunks(32)
        .map(|c| c.iter().map(|x| (i32::from(*x) * i32::from(*x)) as u32 as u64).sum::<u64>() as i64)
        .sum()
}

/// Whether no partial sum of doubled products can reach 2^31, by Cauchy-Schwarz from the energies of both sides.
fn cannot_clamp(a: i64, b: i64) -> bool {
    i128::from(a) * i128::from(b) < (1 << 60) - (1 << 32)
}

fn products(a: &[i16], b: &[i16]) -> i32 {
    a.iter().zip(b).fold(0i32, |s, (a, b)| s.wrapping_add(i32::from(*a) * i32::from(*b)))
}

fn peak(x: &[i16]) -> i32 {
    let high = x.iter().copied().fold(0, i16::max);
    let low = x.iter().copied().fold(0, i16::min);
    i32::from(high).max(-i32::from(low))
}

/// The largest sample with which a filter's undoubled sums stay below 2^30.
fn limit(a: &[i16]) -> i32 {
    let sum: i32 = a.iter().map(|a| i32::from(*a).abs()).sum();
    ((1 << 30) - 1) / sum.max(1)
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

    fn slide(a: &[i16], b: &[i16], out: &mut [i32]) {
        if !cannot_clamp(squares(a), squares(&b[..out.len() + a.len() - 1])) {
            return Plain::slide(a, b, out);
        }
        for (i, out) in out.iter_mut().enumerate() {
            *out = 2 * products(a, &b[i..i + a.len()]);
        }
    }

    fn synthesis(a: &Lpc, x: &Block, memory: &Lsp, out: &mut Block) -> bool {
        // Transposed: what each sample owes the next ten is added up as soon as it is known.
        let minus: [i32; ORDER] = std::array::from_fn(|k| -i32::from(a[k + 1]));
        let mut owed = [0i32; ORDER + 1];
        let mut pass_on = |y: i16| -> i32 {
            let y = i32::from(y);
            for k in 0..ORDER {
                owed[k] = owed[k + 1].wrapping_add(minus[k].wrapping_mul(y));
            }
            owed[0]
        };
        let mut next = 0;
        for y in memory {
            next = pass_on(*y);
        }
        let gain = i32::from(a[0]);
        let (mut highest, mut lowest) = (0, 0);
        for (x, out) in x.iter().zip(out.iter_mut()) {
            let s = next.wrapping_add(gain * i32::from(*x));
            (highest, lowest) = (highest.max(s), lowest.min(s));
            *out = sat16((s.wrapping_add(2048)) >> 12);
            next = pass_on(*out);
        }
        if peak(x).max(peak(memory)).max(peak(out)) > limit(a) {
            return Plain::synthesis(a, x, memory, out);
        }
        lowest < -(1 << 27) || highest >= (1 << 27) - 2048
    }

    fn residual(a: &Lpc, x: &[i16; ORDER + SUBFRAME], out: &mut Block) {
        if peak(x) > limit(a) {
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
        let (start, f) = phase(at, lag, fraction);
        // In time order, the first tap nine samples before the middle.
        let mut taps = [0i16; TAPS];
        for i in 0..10 {
            taps[9 - i] = INTER_3L[f + 3 * i];
            taps[10 + i] = INTER_3L[3 - f + 3 * i];
        }
        let limit = limit(&taps);
        // The shortest lag leaves ten samples between what a block of eight reads and what it writes.
        for n in (0..SUBFRAME).step_by(BLOCK) {
            let from = start + n - 9;
            let mut window = [0i16; TAPS + BLOCK];
            window.copy_from_slice(&exc[from..from + TAPS + BLOCK]);
            let mut s = [0i32; BLOCK];
            if peak(&window[..TAPS + BLOCK - 1]) <= limit {
                for (k, tap) in taps.iter().enumerate() {
                    for (s, x) in s.iter_mut().zip(&window[k..]) {
                        *s += i32::from(*tap) * i32::from(*x);
                    }
                }
                for (e, s) in exc[at + n..].iter_mut().zip(s) {
                    *e = round(2 * s);
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
