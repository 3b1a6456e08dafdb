//! The decoder's postfilter: long-term, short-term with tilt compensation, and gain control.
//!
//! G.729 Annex A section A.4.2. Works on one subframe; knows nothing of where the samples came from.

use super::kernels::Kernels;
use super::math::{Block, Lpc, Lsp, ORDER, SUBFRAME, inv_sqrt, weight};
use super::ops::*;

/// The longest lag looked at.
const LAG_MAX: usize = 143;

/// The postfilter's memories.
#[derive(Clone, Debug)]
pub(super) struct PostFilter {
    /// The last samples before filtering.
    before: Lsp,
    /// Residual history, and the same at a quarter: `[LAG_MAX]` is the subframe's first sample.
    res: [i16; LAG_MAX + SUBFRAME],
    quarter: [i16; LAG_MAX + SUBFRAME],
    synth: Lsp,
    tilt: i16,
    /// Gain of the last sample, Q12.
    gain: i16,
}

impl Default for PostFilter {
    fn default() -> Self {
        Self {
            before: [0; ORDER],
            res: [0; LAG_MAX + SUBFRAME],
            quarter: [0; LAG_MAX + SUBFRAME],
            synth: [0; ORDER],
            tilt: 0,
            gain: 4096,
        }
    }
}

impl PostFilter {
    /// Filters one subframe of synthesis `s` with its filter `a` and pitch `lag`; `voiced` frames get the pitch filter.
    pub(super) fn subframe<K: Kernels>(&mut self, s: &Block, a: &Lpc, lag: i16, voiced: bool) -> Block {
        let numerator = weight(a, 18022);
        let denominator = weight(a, 22938);
        let mut past = [0; ORDER + SUBFRAME];
        past[..ORDER].copy_from_slice(&self.before);
        past[ORDER..].copy_from_slice(s);
        self.before.copy_from_slice(&s[SUBFRAME - ORDER..]);
        let mut r = [0; SUBFRAME];
        K::residual(&numerator, &past, &mut r);
        self.res[LAG_MAX..].copy_from_slice(&r);
        for (q, r) in self.quarter[LAG_MAX..].iter_mut().zip(&r) {
            *q = shr(*r, 2);
        }

        let mut y = r;
        if voiced {
            self.long_term::<K>(lag, &mut y);
        }
        self.tilt::<K>(&numerator, &denominator, &mut y);
        let mut z = [0; SUBFRAME];
        K::synthesise(&denominator, &y, &mut self.synth, &mut z);
        self.control_gain::<K>(s, &mut z);

        self.res.copy_within(SUBFRAME.., 0);
        self.quarter.copy_within(SUBFRAME.., 0);
        z
    }

    /// Adds the best pitch-delayed residual when that predicts by 3 dB or more.
    fn long_term<K: Kernels>(&self, lag: i16, y: &mut Block) {
        let (low_lag, high_lag) = if lag + 3 > 143 { (137, 143) } else { (lag - 3, lag + 3) };
        let now = &self.quarter[LAG_MAX..];
        let then = |t: i16| &self.quarter[LAG_MAX - t as usize..][..SUBFRAME];
        let mut best = (i32::MIN, low_lag);
        // The longest lag reads the earliest samples: the correlations come last lag first.
        let mut correlations = [0; 7];
        K::slide(
            now,
            &self.quarter[LAG_MAX - high_lag as usize..LAG_MAX + SUBFRAME - low_lag as usize],
            &mut correlations,
        );
        for (t, c) in (low_lag..=high_lag).zip(correlations.into_iter().rev()) {
            if c > best.0 {
                best = (c, t);
            }
        }
        let (c, t) = (best.0.max(0), best.1);
        let delayed_energy = K::energy(1, then(t)).value;
        let energy = K::energy(1, now).value;
        let n = norm_l(c.max(delayed_energy).max(energy));
        let [c, en, e0] = [c, delayed_energy, energy].map(|v| round(l_shl(v, n)));
        if l_sub(l_mult(c, c), l_shr(l_mult(en, e0), 1)) < 0 {
            return;
        }
        let (g0, g) = if c > en {
            (21845, 10923)
        } else {
            let c = shr(mult(c, 16384), 1);
            let d = add(c, shr(en, 1));
            if d > 0 {
                let g = div_s(c, d);
                (sub(32767, g), g)
            } else {
                (32767, 0)
            }
        };
        let delayed = &self.res[LAG_MAX - t as usize..][..SUBFRAME];
        for (y, then) in y.iter_mut().zip(delayed) {
            *y = add(mult(g0, *y), mult(g, *then));
        }
    }

    fn tilt<K: Kernels>(&mut self, numerator: &Lpc, denominator: &Lpc, y: &mut Block) {
        const LEN: usize = 22;
        // Two more, so that the synthesis goes by eights.
        let mut impulse = [0; LEN + 2];
        impulse[..=ORDER].copy_from_slice(numerator);
        let mut h = [0; LEN + 2];
        K::synthesis(denominator, &impulse, &[0; ORDER], &mut h);
        h[LEN..].fill(0);
        let r0 = high(K::energy(0, &h).value);
        let mut then = [0; LEN + 2];
        then[..LEN - 1].copy_from_slice(&h[1..LEN]);
        let r1 = high(K::dot(0, &h, &then));
        let k = if r1 <= 0 { 0 } else { div_s(mult(r1, 26214), r0) };
        let mut before = [0; SUBFRAME];
        before[0] = self.tilt;
        before[1..].copy_from_slice(&y[..SUBFRAME - 1]);
        self.tilt = y[SUBFRAME - 1];
        for (y, before) in y.iter_mut().zip(before) {
            // The coefficient is not negative, so the product does not clamp.
            *y = sub(*y, ((i32::from(k) * i32::from(before)) >> 15) as i16);
        }
    }

    /// Brings the output back to the energy of `s`, smoothly.
    fn control_gain<K: Kernels>(&mut self, s: &Block, z: &mut Block) {
        let energy = |x: &Block| K::energy(0, &x.map(|x| shr(x, 2))).value;
        let out = energy(z);
        if out == 0 {
            self.gain = 0;
            return;
        }
        let shift = norm_l(out) - 1;
        let go = round(l_shl(out, shift));
        let wanted = energy(s);
        let g0 = if wanted == 0 {
            0
        } else {
            let n = norm_l(wanted);
            let gi = round(l_shl(wanted, n));
            let ratio = l_shr(l_shl(i32::from(div_s(go, gi)), 7), shift - n);
            mult(round(l_shl(inv_sqrt(ratio), 9)), 3276)
        };
        let mut g = self.gain;
        let mut gains = [0; SUBFRAME];
        for gain in &mut gains {
            // The two factors of a step towards the new gain are below one together.
            g = mult(g, 29491) + g0;
            *gain = g;
        }
        for (z, g) in z.iter_mut().zip(gains) {
            // What would clamp as a long word clamps as a sample.
            *z = sat16((i32::from(*z) * i32::from(g)) >> 12);
        }
        self.gain = g;
    }
}
