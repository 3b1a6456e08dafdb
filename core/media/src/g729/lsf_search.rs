//! The encoder's LSF quantisers: of speech frames and of silence descriptors.
//!
//! G.729 section 3.2.4, Annex B section B.4.2.2. Knows nothing of how the frequencies were found.

use wide::i32x4;

use super::lanes::{load, pair};
use super::lsf::{History, from_lsp, noise_sum, speech_sum, spread, stabilise, to_lsp};
use super::math::{Lsp, ORDER};
use super::ops::*;
use super::tables::*;

/// What a speech frame sends, and the pairs that the decoder will see.
#[derive(Clone, Debug)]
pub(super) struct Quantised {
    pub(super) mode: u8,
    pub(super) first: u8,
    pub(super) second: [u8; 2],
    pub(super) lsp: Lsp,
}

pub(super) fn quantise(lsp: &Lsp, history: &mut History) -> Quantised {
    let lsf = from_lsp(lsp);
    let weights = weights(&lsf);
    let tries: [_; 2] = std::array::from_fn(|mode| {
        let target = history.target(&lsf, &FG[mode], &FG_SUM_INV[mode]);
        let first = nearest(&distances(&target));
        let near = &LSPCB1[first];
        let mut v = *near;
        let mut half = |columns: std::ops::Range<usize>| {
            let i = nearest(&weighted_distances(columns.clone(), &target, near, &weights));
            for j in columns.clone() {
                v[j] = add(v[j], LSPCB2[i][j]);
            }
            // Pairs that end in this half, so the upper half also moves the lower one's last.
            spread(&mut v, columns.start.max(1)..=columns.end - 1, 10);
            i as u8
        };
        let second = [half(0..5), half(5..ORDER)];
        spread(&mut v, 1..=9, 5);
        let distortion = (0..ORDER).fold(0, |s, j| {
            let e = mult(sub(v[j], target[j]), FG_SUM[mode][j]);
            l_mac(s, high(l_shl(l_mult(weights[j], e), 4)), e)
        });
        (distortion, first as u8, second)
    });
    let mode = usize::from(l_sub(tries[1].0, tries[0].0) < 0);
    let (_, first, second) = tries[mode];
    let mut lsf = history.compose(&speech_sum(first, second), &FG[mode], &FG_SUM[mode]);
    stabilise(&mut lsf);
    Quantised { mode: mode as u8, first, second, lsp: to_lsp(&lsf) }
}

/// All terms have one sign, so clamping at the end is clamping on the way.
fn distance(target: &Lsp, entry: &Lsp) -> i32 {
    let sum: i64 = target
        .iter()
        .zip(entry)
        .map(|(t, e)| {
            let e = i32::from(sub(*t, *e));
            i64::from(e * e)
        })
        .sum();
    (2 * sum).min(i64::from(i32::MAX)) as i32
}

/// A codebook by columns, so that its entries stand side by side.
const fn by_columns<const N: usize>(entries: &[[i16; ORDER]; N]) -> [[i16; N]; ORDER] {
    let mut columns = [[0; N]; ORDER];
    let mut i = 0;
    while i < N * ORDER {
        columns[i % ORDER][i / ORDER] = entries[i / ORDER][i % ORDER];
        i += 1;
    }
    columns
}

const COLUMNS1: [[i16; 128]; ORDER] = by_columns(&LSPCB1);
static COLUMNS2: [[i16; 32]; ORDER] = by_columns(&LSPCB2);

/// The first codebook by pairs of columns: four entries' pairs side by side.
static PAIRS1: [[[i16; 8]; 32]; ORDER / 2] = {
    let mut pairs = [[[0; 8]; 32]; ORDER / 2];
    let mut n = 0;
    while n < 128 * ORDER {
        let (i, j) = (n / ORDER, n % ORDER);
        pairs[j / 2][i / 4][2 * (i % 4) + j % 2] = LSPCB1[i][j];
        n += 1;
    }
    pairs
};

/// A difference so small that ten of its doubled squares stay below 2^31: `10 * 2 * 10361^2 < 2^31`.
const SMALL: i32 = 10_361;

/// The least and the largest of each column.
const fn ends<const N: usize>(columns: &[[i16; N]; ORDER]) -> [[i16; 2]; ORDER] {
    let mut ends = [[i16::MAX, i16::MIN]; ORDER];
    let mut i = 0;
    while i < N * ORDER {
        let (end, v) = (&mut ends[i % ORDER], columns[i % ORDER][i / ORDER]);
        end[0] = if v < end[0] { v } else { end[0] };
        end[1] = if v > end[1] { v } else { end[1] };
        i += 1;
    }
    ends
}

static ENDS1: [[i16; 2]; ORDER] = ends(&COLUMNS1);
static ENDS2: [[i16; 2]; ORDER] = ends(&COLUMNS2);

fn is_small(target: i16, ends: [i16; 2]) -> bool {
    ends.iter().all(|end| (i32::from(target) - i32::from(*end)).abs() <= SMALL)
}

/// Every entry's distance from the target, as [`distance`] has it.
fn distances(target: &Lsp) -> [i32; 128] {
    if !target.iter().zip(ENDS1).all(|(t, ends)| is_small(*t, ends)) {
        return LSPCB1.map(|entry| distance(target, &entry));
    }
    let target: [_; ORDER / 2] = std::array::from_fn(|p| pair(target[2 * p], target[2 * p + 1]));
    let mut distances = [0; 128];
    for (n, out) in distances.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        let sum = target.iter().zip(&PAIRS1).fold(i32x4::ZERO, |sum, (target, pairs)| {
            let e = target.saturating_sub(load(&pairs[n]));
            sum + e.dot(e)
        });
        *out = (sum + sum).to_array();
    }
    distances
}

/// Every entry's weighted distance from what the first stage left of the target, over `columns`.
fn weighted_distances(columns: std::ops::Range<usize>, target: &Lsp, near: &Lsp, weights: &Lsp) -> [i32; 32] {
    let rest: Lsp = std::array::from_fn(|j| sub(target[j], near[j]));
    if columns.clone().all(|j| is_small(rest[j], ENDS2[j])) {
        let mut sums = [0i32; 32];
        for j in columns {
            for (s, c) in sums.iter_mut().zip(&COLUMNS2[j]) {
                let e = sub(rest[j], *c);
                // A weight is below one and positive, so this is within the square and cannot clamp.
                let weighted = ((i32::from(weights[j]) * i32::from(e)) >> 15) as i16;
                *s += 2 * i32::from(weighted) * i32::from(e);
            }
        }
        return sums;
    }
    LSPCB2.map(|c| {
        columns.clone().fold(0, |d, j| {
            let e = sub(rest[j], c[j]);
            l_mac(d, mult(weights[j], e), e)
        })
    })
}

/// The lowest index of the smallest distance.
fn nearest(distances: &[i32]) -> usize {
    let least = distances.iter().copied().fold(i32::MAX, i32::min);
    // All at the ceiling: the first stands.
    distances.iter().position(|d| *d == least).unwrap_or(0)
}

/// How much each frequency matters: the closer its neighbours, the more.
fn weights(lsf: &Lsp) -> Lsp {
    let mut w: Lsp = std::array::from_fn(|i| {
        let gap = match i {
            0 => sub(lsf[1], 9221),
            9 => sub(15485, lsf[8]),
            _ => sub(sub(lsf[i + 1], lsf[i - 1]), 8192),
        };
        if gap > 0 {
            return 2048;
        }
        let u = high(l_shl(l_mult(gap, gap), 2));
        add(high(l_shl(l_mult(u, 20480), 2)), 2048)
    });
    for w in &mut w[4..6] {
        *w = high(l_shl(l_mult(*w, 19661), 1));
    }
    let v = norm_s(w.iter().copied().max().unwrap_or(0));
    w.map(|w| shl(w, v))
}

/// What a silence descriptor sends of its spectrum, and the pairs that the decoder will see.
#[derive(Clone, Debug)]
pub(super) struct QuantisedNoise {
    pub(super) mode: u8,
    pub(super) first: u8,
    pub(super) second: u8,
    pub(super) lsp: Lsp,
}

pub(super) fn quantise_noise(lsp: &Lsp, history: &mut History) -> QuantisedNoise {
    let mut lsf = from_lsp(lsp);
    lsf[0] = lsf[0].max(40);
    for i in 0..9 {
        if sub(lsf[i + 1], lsf[i]) < 642 {
            lsf[i + 1] = add(lsf[i], 642);
        }
    }
    lsf[9] = lsf[9].min(25681);
    if lsf[9] < lsf[8] {
        lsf[8] = sub(lsf[9], 321);
    }
    let weights = weights(&lsf);
    let targets: [Lsp; 2] = std::array::from_fn(|p| history.target(&lsf, &NOISE_FG[p], &NOISE_FG_SUM_INV[p]));
    let entry = |m: usize| &LSPCB1[usize::from(SID_LSF_MAP1[m])];
    let mut scores: [[i16; 32]; 2] = std::array::from_fn(|p| {
        std::array::from_fn(|m| mult(high(distance(&targets[p], entry(m))), SID_MP[p]))
    });
    let mut best = (32767, (0, 0, 0));
    for q in 0..4 {
        let mut pick = (32767, (0, 0));
        for (p, row) in scores.iter().enumerate() {
            for (m, s) in row.iter().enumerate() {
                if *s < pick.0 {
                    pick = (*s, (p, m));
                }
            }
        }
        let (p, m) = pick.1;
        scores[p][m] = 32767;
        if q == 0 {
            best.1 = (p, m, 0);
        }
        for i in 0..16 {
            let t = (0..ORDER).fold(0, |t, j| {
                let n = NOISE_FG_SUM[p][j];
                let w = mult(high(l_shl(l_mult(n, n), 2)), weights[j]);
                let row = usize::from(SID_LSF_MAP2[usize::from(j >= 5)][i]);
                let e = sub(sub(targets[p][j], entry(m)[j]), LSPCB2[row][j]);
                l_mac(t, high(l_shl(l_mult(w, e), 3)), e)
            });
            if high(t) < best.0 {
                best = (high(t), (p, m, i));
            }
        }
    }
    let (p, m, i) = best.1;
    let mut lsf = history.compose(&noise_sum(m as u8, i as u8), &NOISE_FG[p], &NOISE_FG_SUM[p]);
    stabilise(&mut lsf);
    QuantisedNoise { mode: p as u8, first: m as u8, second: i as u8, lsp: to_lsp(&lsf) }
}
