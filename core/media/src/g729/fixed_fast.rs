//! The pulse search of [`super::fixed`] without a clamp in it, because none can happen.
//!
//! The impulse response is scaled so that its energy stays below 2^31 doubled, so every correlation is at most 32767
//! in size (Cauchy-Schwarz), and the target so that each correlation is below 2^13. Then the largest sum of the search,
//! `32767 * (16384 + 4096 + 4 * 8192) + 20480 * 32768`, is below 2^31, four targets stay below 2^15, and ratios are
//! compared in 64 bits, where the sign is what the saturating difference would have. Same pulses, always.

use super::fixed::{Ratio, scale};
use super::kernels::Fast;
use super::math::{Block, SUBFRAME};

/// Places in a track.
const PLACES: usize = 8;
type Row = [i32; PLACES];

/// Correlations of the impulse response with itself, unsigned yet: stored as they are summed, signed when read.
struct Correlations {
    /// By later index, the last first, then by distance: `[PLACE[i][t][k]]` of the flattened is `i` against `t + 5k`.
    by_later: [[i16; SUBFRAME]; SUBFRAME],
    /// By track and place: -1 for a minus, else 0.
    signs: [Row; 5],
}

/// Where a pulse meets the eight places of each track.
static PLACE: [[[u16; PLACES]; 5]; SUBFRAME] = {
    let mut place = [[[0; PLACES]; 5]; SUBFRAME];
    let mut n = 0;
    while n < SUBFRAME * SUBFRAME {
        let (i, j) = (n / SUBFRAME, n % SUBFRAME);
        let later = if i > j { i } else { j };
        place[i][j % 5][j / 5] = ((SUBFRAME - 1 - later) * SUBFRAME + i.abs_diff(j)) as u16;
        n += 1;
    }
    place
};

impl Correlations {
    fn new(h: &Block, plus: &[bool; SUBFRAME]) -> Self {
        let hs = scale::<Fast>(h);
        let mut by_later = [[0; SUBFRAME]; SUBFRAME];
        // Eight distances at a time, their sums in a register each; the last seven rows of a block hold leftovers.
        for apart in (0..SUBFRAME).step_by(PLACES) {
            let mut padded = [0; SUBFRAME + PLACES];
            padded[..SUBFRAME - apart].copy_from_slice(&hs[apart..]);
            let mut sums = [0i32; PLACES];
            let windows = padded.array_windows::<PLACES>();
            for ((row, window), h) in by_later.iter_mut().zip(windows).zip(&hs[..SUBFRAME - apart]) {
                let row = &mut row[apart..apart + PLACES];
                for ((v, s), other) in row.iter_mut().zip(&mut sums).zip(window) {
                    *s += i32::from(*h) * i32::from(*other);
                    *v = (*s >> 15) as i16;
                }
            }
        }
        let signs = std::array::from_fn(|t| std::array::from_fn(|k| -i32::from(!plus[t + 5 * k])));
        Self { by_later, signs }
    }

    fn energy(&self, i: usize) -> i32 {
        i32::from(self.by_later[SUBFRAME - 1 - i][0])
    }

    /// One pulse against every place of a track.
    fn row(&self, i: usize, track: usize) -> Row {
        let sign = self.signs[i % 5][i / 5];
        let flat = self.by_later.as_flattened();
        let values = PLACE[i][track].map(|at| i32::from(flat[usize::from(at)]));
        // Times 32767 or -32768 in Q15, floored.
        std::array::from_fn(|k| {
            let (v, minus) = (values[k], sign ^ self.signs[track][k]);
            (v ^ minus) - minus - (i32::from(v > 0) & !minus)
        })
    }

    fn energies(&self, track: usize) -> Row {
        std::array::from_fn(|k| self.energy(track + 5 * k))
    }
}

fn targets(d: &Block, track: usize) -> Row {
    std::array::from_fn(|k| i32::from(d[track + 5 * k]))
}

/// Positions by track: 0, 1, 2, and 3 or 4.
pub(super) fn search_tracks(h: &Block, d: &Block, plus: &[bool; SUBFRAME]) -> [usize; 4] {
    let phi = Correlations::new(h, plus);
    let block = |x: usize, y: usize| -> [Row; PLACES] { std::array::from_fn(|k| phi.row(x + 5 * k, y)) };
    let blocks = [block(0, 1), block(1, 2)];
    let mut found = [0, 1, 2, 3];
    let mut best = Ratio::NONE;
    for (u, v, x) in [(2, 3, 0), (3, 0, 1), (2, 4, 0), (4, 0, 1)] {
        let (p, q, correlation, energy) = first_pair(d, &phi, u, v);
        let (px, py, ratio) = second_pair(d, &phi, (p, q, correlation, energy), x, &blocks[x]);
        if ratio.beats(best) {
            best = ratio;
            for m in [p, q, px, py] {
                found[(m % 5).min(3)] = m;
            }
        }
    }
    found
}

/// The best of eight candidates in a row, kept when it beats what stands.
fn pick(square: &Row, energy: &Row, best: &mut Ratio) -> Option<usize> {
    let mut won = None;
    for k in 0..PLACES {
        let ratio = Ratio { square: square[k] as i16, energy: energy[k] as i16 };
        if ratio.beats(*best) {
            *best = ratio;
            won = Some(k);
        }
    }
    won
}

fn first_pair(d: &Block, phi: &Correlations, u: usize, v: usize) -> (usize, usize, i32, i32) {
    let largest = |but: Option<usize>| {
        let mut best = (-1, u);
        for p in (u..SUBFRAME).step_by(5).filter(|p| Some(*p) != but) {
            if d[p] > best.0 {
                best = (d[p], p);
            }
        }
        best.1
    };
    let first = largest(None);
    let (dv, ev) = (targets(d, v), phi.energies(v));
    let mut best = Ratio::NONE;
    let mut pair = (0, 0, 0);
    for p in [first, largest(Some(first))] {
        let a1 = phi.energy(p) * 16384;
        let row = phi.row(p, v);
        let c: Row = std::array::from_fn(|k| i32::from(d[p]) + dv[k]);
        let square = c.map(|c| (c * c) >> 15);
        let energy = std::array::from_fn(|k| (a1 + row[k] * 32768 + ev[k] * 16384 + 0x8000) >> 16);
        if let Some(k) = pick(&square, &energy, &mut best) {
            pair = (p, v + 5 * k, c[k]);
        }
    }
    (pair.0, pair.1, pair.2, i32::from(best.energy))
}

fn second_pair(
    d: &Block,
    phi: &Correlations,
    (p, q, c, energy): (usize, usize, i32, i32),
    track: usize,
    block: &[Row; PLACES],
) -> (usize, usize, Ratio) {
    let (tx, ty) = (track, track + 1);
    let rest: Row = {
        let (rp, rq, e) = (phi.row(p, ty), phi.row(q, ty), phi.energies(ty));
        std::array::from_fn(|k| (((rp[k] + rq[k]) * 16384 + e[k] * 8192 + 0x8000) >> 16) * 32768)
    };
    let (rp, rq, ex) = (phi.row(p, tx), phi.row(q, tx), phi.energies(tx));
    let (dx, dy) = (targets(d, tx), targets(d, ty));
    let mut best = Ratio::NONE;
    let mut pair = (0, 0);
    for k in 0..PLACES {
        let c1 = c + dx[k];
        let a1 = energy * 16384 + (rp[k] + rq[k]) * 8192 + ex[k] * 4096 + 0x8000;
        let square = dy.map(|d| ((c1 + d) * (c1 + d)) >> 15);
        let energy = std::array::from_fn(|y| (a1 + block[k][y] * 8192 + rest[y]) >> 16);
        if let Some(y) = pick(&square, &energy, &mut best) {
            pair = (tx + 5 * k, ty + 5 * y);
        }
    }
    (pair.0, pair.1, best)
}
