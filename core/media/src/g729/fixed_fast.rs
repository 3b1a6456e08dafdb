//! The pulse search of [`super::fixed`] without a clamp in it, because none can happen.
//!
//! The impulse response is scaled so that its energy stays below 2^31 doubled, so every correlation is at most 32767
//! in size (Cauchy-Schwarz), and the target so that each correlation is below 2^13. Then the largest sum of the search,
//! `32767 * (16384 + 4096 + 4 * 8192) + 20480 * 32768`, is below 2^31, four targets stay below 2^15, and ratios are
//! compared in 64 bits, where the sign is what the saturating difference would have. Same pulses, always.

use wide::{i16x8, i32x8};

use super::fixed::{Ratio, scale};
use super::kernels::Fast;
use super::math::{Block, SUBFRAME};

/// Places in a track.
const PLACES: usize = 8;
/// A track's places side by side.
type Row = i16x8;

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
        let signs = std::array::from_fn(|t| row(|k| -i16::from(!plus[t + 5 * k])));
        Self { by_later, signs }
    }

    fn energy(&self, i: usize) -> i32 {
        i32::from(self.by_later[SUBFRAME - 1 - i][0])
    }

    /// One pulse against every place of a track.
    fn row(&self, i: usize, track: usize) -> Row {
        let flat = self.by_later.as_flattened();
        let place = &PLACE[i][track];
        let v = row(|k| flat[usize::from(place[k])]);
        // Times 32767 or -32768 in Q15, floored.
        let minus = self.signs[track] ^ i16x8::splat(self.signs[i % 5].as_array()[i / 5]);
        (v ^ minus) - minus + (v.simd_gt(i16x8::ZERO) & !minus)
    }

    fn energies(&self, track: usize) -> Row {
        row(|k| self.energy(track + 5 * k) as i16)
    }
}

fn row(value: impl Fn(usize) -> i16) -> Row {
    Row::new(std::array::from_fn(value))
}

/// As long words.
fn wide(row: Row) -> i32x8 {
    i32x8::from_i16x8(row)
}

fn targets(d: &Block, track: usize) -> Row {
    row(|k| d[track + 5 * k])
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

/// The best of eight candidates in a row, kept when it beats what stands: from their correlations and, with a word's
/// fraction, their energies.
#[inline]
fn pick(c: Row, energy: i32x8, best: &mut Ratio) -> Option<usize> {
    // The square's two words, from which the Q15 one is put together.
    let (high, low) = (c.mul_keep_high(c), c * c);
    let square: Row = (high << 1) - (low >> 15);
    let energy = Row::from_i32x8_saturate(energy >> 16);
    let lead = square.widening_mul(Row::splat(best.energy)) - energy.widening_mul(Row::splat(best.square));
    if lead.simd_gt(i32x8::ZERO).none() {
        return None;
    }
    let (square, energy) = (square.to_array(), energy.to_array());
    let mut won = None;
    for k in 0..PLACES {
        let ratio = Ratio { square: square[k], energy: energy[k] };
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
    let (dv, ev) = (targets(d, v), (wide(phi.energies(v)) << 14) + 0x8000);
    let mut best = Ratio::NONE;
    let mut pair = (0, 0, 0);
    for p in [first, largest(Some(first))] {
        let c = dv + d[p];
        let energy = (wide(phi.row(p, v)) << 15) + ev + phi.energy(p) * 16384;
        if let Some(k) = pick(c, energy, &mut best) {
            pair = (p, v + 5 * k, i32::from(c.as_array()[k]));
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
    let rest = {
        let (rp, rq, e) = (wide(phi.row(p, ty)), wide(phi.row(q, ty)), wide(phi.energies(ty)));
        (((rp + rq) << 14) + (e << 13) + 0x8000) >> 16 << 15
    };
    let starts = {
        let (rp, rq, e) = (wide(phi.row(p, tx)), wide(phi.row(q, tx)), wide(phi.energies(tx)));
        let starts: i32x8 = ((rp + rq) << 13) + (e << 12) + (energy * 16384 + 0x8000);
        starts.to_array()
    };
    let (dx, dy) = (targets(d, tx) + c as i16, targets(d, ty));
    let mut best = Ratio::NONE;
    let mut pair = (0, 0);
    for k in 0..PLACES {
        let energy = (wide(block[k]) << 13) + rest + starts[k];
        if let Some(y) = pick(dy + dx.as_array()[k], energy, &mut best) {
            pair = (tx + 5 * k, ty + 5 * y);
        }
    }
    (pair.0, pair.1, best)
}
