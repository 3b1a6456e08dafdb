//! The encoder's fixed codebook: four signed pulses, found track by track.
//!
//! G.729 section 3.8, in the reduced search of Annex A section A.3.8. Knows nothing of gains.

use super::kernels::{Kernels, Plain};
use super::math::{Block, SUBFRAME};
use super::ops::*;
use super::pitch::backward_filter;

/// The pulses found.
#[derive(Clone, Debug)]
pub(super) struct Pulses {
    /// Positions code, 13 bits.
    pub(super) positions: u16,
    /// Signs code, 4 bits.
    pub(super) signs: u8,
    /// The code vector, Q13, not yet sharpened.
    pub(super) code: Block,
    /// The code through the impulse response, Q12.
    pub(super) filtered: Block,
}

type Matrix = [[i16; SUBFRAME]; SUBFRAME];

/// A candidate's squared correlation over its energy, compared without dividing.
#[derive(Clone, Copy)]
pub(super) struct Ratio {
    pub(super) square: i16,
    pub(super) energy: i16,
}

impl Ratio {
    pub(super) const NONE: Self = Self { square: -1, energy: 1 };

    pub(super) fn beats(self, other: Self) -> bool {
        // The saturating difference has the sign of the exact one.
        i32::from(other.energy) * i32::from(self.square) > i32::from(other.square) * i32::from(self.energy)
    }
}

fn track(t: usize) -> impl Iterator<Item = usize> {
    (t..SUBFRAME).step_by(5)
}

/// Searches the code for `target`, `h` being the impulse response already sharpened at the pitch.
pub(super) fn search<K: Kernels>(h: &Block, target: &Block) -> Pulses {
    let mut d = backward_filter::<K>(h, target);
    let plus: [bool; SUBFRAME] = std::array::from_fn(|n| d[n] >= 0);
    for d in &mut d {
        if *d < 0 {
            *d = negate(*d);
        }
    }
    let positions = K::pulses(h, &d, &plus);

    let mut code = [0; SUBFRAME];
    let mut filtered = [0; SUBFRAME];
    let mut signs = 0;
    for (k, m) in positions.into_iter().enumerate() {
        signs |= u8::from(plus[m]) << k;
        code[m] = if plus[m] { 8191 } else { -8192 };
        for (y, h) in filtered[m..].iter_mut().zip(h) {
            *y = if plus[m] { add(*y, *h) } else { sub(*y, *h) };
        }
    }
    let [m0, m1, m2, m3] = positions.map(|m| (m / 5) as u16);
    let jitter = u16::from(positions[3] % 5 == 4);
    Pulses { positions: m0 + 8 * m1 + 64 * m2 + 512 * (2 * m3 + jitter), signs, code, filtered }
}

/// The impulse response, so that its correlations fill a word.
pub(super) fn scale<K: Kernels>(h: &Block) -> Block {
    let energy = K::energy(0, h).value;
    if high(energy) > 32000 {
        h.map(|h| shr(h, 1))
    } else {
        let up = norm_l(energy) >> 1;
        h.map(|h| shl(h, up))
    }
}

/// Correlations of the impulse response with itself, off the diagonal signed for the pulses' signs.
fn correlations(h: &Block, plus: &[bool; SUBFRAME]) -> Matrix {
    let hs = scale::<Plain>(h);
    let mut phi = [[0; SUBFRAME]; SUBFRAME];
    for apart in 0..SUBFRAME {
        let mut s = 0;
        for n in 0..SUBFRAME - apart {
            s = l_mac(s, hs[n], hs[n + apart]);
            let (i, j) = (SUBFRAME - 1 - apart - n, SUBFRAME - 1 - n);
            let v = high(s);
            let v = if apart == 0 {
                v
            } else if plus[i] == plus[j] {
                mult(v, 32767)
            } else {
                mult(v, -32768)
            };
            phi[i][j] = v;
            phi[j][i] = v;
        }
    }
    phi
}

/// Positions by track: 0, 1, 2, and 3 or 4.
pub(super) fn search_tracks(h: &Block, d: &Block, plus: &[bool; SUBFRAME]) -> [usize; 4] {
    let phi = &correlations(h, plus);
    let mut found = [0, 1, 2, 3];
    let mut best = Ratio::NONE;
    for (u, v, x, y) in [(2, 3, 0, 1), (3, 0, 1, 2), (2, 4, 0, 1), (4, 0, 1, 2)] {
        let (p, q, correlation, energy) = first_pair(d, phi, u, v);
        let (x, y, ratio) = second_pair(d, phi, (p, q, correlation, energy), x, y);
        if ratio.beats(best) {
            best = ratio;
            for m in [p, q, x, y] {
                found[(m % 5).min(3)] = m;
            }
        }
    }
    found
}

/// Two starts in track `u` by the target alone, track `v` in full.
fn first_pair(d: &Block, phi: &Matrix, u: usize, v: usize) -> (usize, usize, i16, i16) {
    let largest = |but: Option<usize>| {
        let mut best = (-1, u);
        for p in track(u).filter(|p| Some(*p) != but) {
            if d[p] > best.0 {
                best = (d[p], p);
            }
        }
        best.1
    };
    let first = largest(None);
    let mut best = Ratio::NONE;
    let mut pair = (0, 0, 0);
    for p in [first, largest(Some(first))] {
        let a1 = l_mult(phi[p][p], 8192);
        for q in track(v) {
            let c = add(d[p], d[q]);
            let a = l_mac(l_mac(a1, phi[p][q], 16384), phi[q][q], 8192);
            let ratio = Ratio { square: mult(c, c), energy: round(a) };
            if ratio.beats(best) {
                best = ratio;
                pair = (p, q, c);
            }
        }
    }
    (pair.0, pair.1, pair.2, best.energy)
}

fn second_pair(
    d: &Block,
    phi: &Matrix,
    (p, q, c, energy): (usize, usize, i16, i16),
    tx: usize,
    ty: usize,
) -> (usize, usize, Ratio) {
    let a0 = l_mult(energy, 8192);
    let mut rest = [0; SUBFRAME];
    for y in track(ty) {
        let t = l_mac(l_mult(phi[p][y], 8192), phi[q][y], 8192);
        rest[y] = round(l_mac(t, phi[y][y], 4096));
    }
    let mut best = Ratio::NONE;
    let mut pair = (0, 0);
    for x in track(tx) {
        let c1 = add(c, d[x]);
        let a1 = l_mac(l_mac(l_mac(a0, phi[p][x], 4096), phi[q][x], 4096), phi[x][x], 2048);
        for y in track(ty) {
            let c2 = add(c1, d[y]);
            let a2 = l_mac(l_mac(a1, phi[x][y], 4096), rest[y], 16384);
            let ratio = Ratio { square: mult(c2, c2), energy: round(a2) };
            if ratio.beats(best) {
                best = ratio;
                pair = (x, y);
            }
        }
    }
    (pair.0, pair.1, best)
}
