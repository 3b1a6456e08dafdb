//! The encoder's gain quantiser: the two-stage codebook entry of least error.
//!
//! G.729 section 3.9, preselection of section 3.9.2. Knows nothing of how the vectors were found.

use super::gain::{Energies, code_gain};
use super::kernels::Kernels;
use super::math::Block;
use super::ops::*;
use super::tables::*;

/// A number as mantissa and Q format.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scaled {
    pub(super) value: i16,
    pub(super) q: i32,
}

/// The gains chosen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gains {
    /// Pitch gain, Q14.
    pub(super) pitch: i16,
    /// Code gain, Q1.
    pub(super) code: i16,
    /// First-stage index as sent.
    pub(super) stage_a: u8,
    /// Second-stage index as sent.
    pub(super) stage_b: u8,
}

/// Finds the gains. `pitch_terms`: the first two coefficients of the error, from the adaptive part; `x` the pitch
/// target, `y` the adaptive vector and `filtered` the code through the filter; `code` sharpened.
pub(super) fn search<K: Kernels>(
    [c0, c1]: [Scaled; 2],
    (x, y, filtered, code): (&Block, &Block, &Block, &Block),
    energies: &mut Energies,
    tame: bool,
) -> Gains {
    let ys: Block = filtered.map(|v| shr(v, 3));
    let term = |a: &Block, q: i32| {
        let s = K::dot(1, a, &ys);
        let v = norm_l(s);
        Scaled { value: round(l_shl(s, v)), q: v + q }
    };
    let c2 = term(&ys, 3);
    let c3 = term(x, -7);
    let c3 = Scaled { value: negate(c3.value), ..c3 };
    let c4 = term(y, -7);
    let (g0, qg) = energies.predict::<K>(code);
    let qg = i32::from(qg);

    let (i0, j0) = preselect([c0, c1, c2, c3, c4], g0, qg, tame);

    let exponents = [c0.q + 13, c1.q + 14, c2.q + 2 * qg - 21, c3.q + qg - 3, c4.q + qg - 4];
    let smallest = exponents.into_iter().min().unwrap_or(0);
    let c: [HiLo; 5] = std::array::from_fn(|i| {
        split(l_shr(deposit_h([c0, c1, c2, c3, c4][i].value), exponents[i] - smallest))
    });
    let mut best = (i32::MAX, i0, j0);
    for i in i0..i0 + 4 {
        for j in j0..j0 + 8 {
            let gp = add(GBK1[i][0], GBK2[j][0]);
            if tame && gp >= 16383 {
                continue;
            }
            let gc = mult(g0, low(l_shr(i32::from(GBK1[i][1]) + i32::from(GBK2[j][1]), 1)));
            let mut d = mpy32_16(c[0], mult(gp, gp));
            d = l_add(d, mpy32_16(c[1], gp));
            d = l_add(d, mpy32_16(c[2], mult(gc, gc)));
            d = l_add(d, mpy32_16(c[3], gc));
            d = l_add(d, mpy32_16(c[4], mult(gc, gp)));
            if l_sub(d, best.0) < 0 {
                best = (d, i, j);
            }
        }
    }
    let (_, i, j) = best;
    let factor = i32::from(GBK1[i][1]) + i32::from(GBK2[j][1]);
    energies.push(factor);
    Gains {
        pitch: add(GBK1[i][0], GBK2[j][0]),
        code: code_gain(factor, (g0, qg as i16)),
        stage_a: MAP1[i],
        stage_b: MAP2[j],
    }
}

/// A long word with its Q format.
type Long = (i32, i32);

fn difference((a, qa): Long, (b, qb): Long) -> Long {
    if qa > qb { (l_sub(l_shr(a, qa - qb), b), qb) } else { (l_sub(a, l_shr(b, qb - qa)), qa) }
}

/// The same with one bit of headroom.
fn half_difference((a, qa): Long, (b, qb): Long) -> Long {
    if qa > qb {
        (l_sub(l_shr(a, qa - qb + 1), l_shr(b, 1)), qb - 1)
    } else {
        (l_sub(l_shr(a, 1), l_shr(b, qb - qa + 1)), qa - 1)
    }
}

fn normalise((v, q): Long) -> Scaled {
    let n = norm_l(v);
    Scaled { value: high(l_shl(v, n)), q: q + n - 16 }
}

/// The first entries of both stages worth trying, from the unquantised optimum.
fn preselect([c0, c1, c2, c3, c4]: [Scaled; 5], g0: i16, qg: i32, tame: bool) -> (usize, usize) {
    let product = |a: Scaled, b: Scaled, q: i32| (l_mult(a.value, b.value), a.q + b.q + q);
    let determinant = normalise(difference(product(c0, c2, -1), product(c4, c4, 1)));
    let inverse = negate(div_s(16384, determinant.value));
    let q_inverse = 29 - determinant.q;
    let solve = |n: Scaled, q: i32| high(l_shr(l_mult(n.value, inverse), n.q + q_inverse - q));
    let mut best_pitch = solve(normalise(half_difference(product(c2, c1, 0), product(c3, c4, 1))), 24);
    if tame {
        best_pitch = best_pitch.min(481);
    }
    let best_code = solve(normalise(half_difference(product(c0, c3, 0), product(c1, c4, 1))), 17);
    let g4 = if qg >= 4 { shr(g0, qg - 4) } else { high(l_shl(i32::from(g0), 20 - qg)) };

    let k = l_mult(COEF[0][0], best_pitch);
    let t = l_add(k, l_shr(L_COEF[1][1], 15));
    let t = l_sub(l_shl(i32::from(best_code), 7), l_mult(high(t), g4));
    let x = l_mult(high(l_shl(t, 2)), -17103);
    let t = l_sub(k, l_shr(L_COEF[0][1], 10));
    let t = l_mult(mult(high(t), g4), COEF[1][0]);
    let t = l_sub(t, l_shr(l_mult(COEF[0][0], best_code), 3));
    let y = l_mult(high(l_shl(t, 2)), -17103);

    let count = |v: i32, thresholds: &[i16], shift: i32| {
        let beyond = |thr: i16| {
            let d = l_sub(v, l_shr(l_mult(thr, g4), shift));
            if g4 > 0 { d > 0 } else { d < 0 }
        };
        thresholds.iter().take_while(|thr| beyond(**thr)).count()
    };
    (count(y, &THR1, 3), count(x, &THR2, 5))
}
