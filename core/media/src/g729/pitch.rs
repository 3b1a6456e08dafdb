//! The encoder's pitch searches: open loop over the frame, closed loop in each subframe, and the taming of its gain.
//!
//! G.729 sections 3.4, 3.7 and 3.7.3, Annex A section A.3.4 and A.3.7. Knows nothing of the fixed code.

use std::ops::RangeInclusive;

use super::kernels::Kernels;
use super::math::{Block, FRAME, SUBFRAME, inv_sqrt};
use super::ops::*;
use super::tables::TAB_ZONE;

/// Every second sample of the weighted speech.
const HALF: usize = 112;
/// Lags that a closed loop tries at most.
const MAX_WINDOW: usize = 10;

/// The longest lag.
pub(super) const LAG_MAX: usize = 143;

/// The lag of the whole frame, from weighted speech whose `[LAG_MAX]` is the frame's first sample.
pub(super) fn open_loop<K: Kernels>(weighted: &[i16; LAG_MAX + FRAME]) -> i16 {
    // Every second sample only: the frame's own and, by parity, those before it.
    let decimate = |from: usize| -> [i16; HALF] {
        std::array::from_fn(|n| weighted.get(from + 2 * n).copied().unwrap_or(0))
    };
    let (mut even, mut odd) = (decimate(1), decimate(0));
    let energy = K::energy(0, &odd);
    let scale = |x: i16| {
        if energy.clamped {
            shr(x, 3)
        } else if energy.value < 1 << 20 {
            shl(x, 3)
        } else {
            x
        }
    };
    even = even.map(scale);
    odd = odd.map(scale);
    // The frame begins at LAG_MAX, which is odd: `even[71 - k/2..]` lies an even `k` before it, `odd[71 - k/2..]` an odd one.
    let then = |k: usize| -> &[i16] {
        if k.is_multiple_of(2) { &even[71 - k / 2..][..SUBFRAME] } else { &odd[71 - k / 2..][..SUBFRAME] }
    };
    let now = then(0);
    let mut by_even = [0; 72];
    let mut by_odd = [0; 72];
    K::slide(now, &even, &mut by_even);
    K::slide(now, &odd, &mut by_odd);
    let correlation = |k: usize| if k.is_multiple_of(2) { by_even[71 - k / 2] } else { by_odd[71 - k / 2] };
    let best_of = |lags: &mut dyn Iterator<Item = usize>, start: usize| {
        let mut best = (i32::MIN, start);
        for k in lags {
            let r = correlation(k);
            if r > best.0 {
                best = (r, k);
            }
        }
        best
    };
    let one = best_of(&mut (20..40), 20);
    let two = best_of(&mut (40..80), 40);
    let mut three = best_of(&mut (80..143).step_by(2), 80);
    let around = three.1;
    for k in [around + 1, around - 1] {
        let r = correlation(k);
        if r > three.0 {
            three = (r, k);
        }
    }
    let normalised = |(r, t): (i32, usize)| {
        let e = K::energy(1, then(t)).value;
        (low(mpy32(split(r), split(inv_sqrt(e)))), t as i16)
    };
    let ((mut m1, t1), (mut m2, t2), (m3, t3)) = (normalised(one), normalised(two), normalised(three));
    // Shorter lags are favoured when a longer one is their multiple.
    let near = |a: i16, b: i16, by: i16| (a - b).abs() < by;
    if near(2 * t2, t3, 5) {
        m2 = add(m2, shr(m3, 2));
    }
    if near(3 * t2, t3, 7) {
        m2 = add(m2, shr(m3, 2));
    }
    if near(2 * t1, t2, 5) {
        m1 = add(m1, mult(m2, 6554));
    }
    if near(3 * t1, t2, 7) {
        m1 = add(m1, mult(m2, 6554));
    }
    let mut lag = t1;
    if m1 < m2 {
        (m1, lag) = (m2, t2);
    }
    if m1 < m3 { t3 } else { lag }
}

/// The lags that a subframe's closed loop tries.
pub(super) fn window(lag: i16, below: i16, width: i16) -> RangeInclusive<i16> {
    let from = (lag - below).max(20);
    if from + width > 143 { 143 - width..=143 } else { from..=from + width }
}

/// Correlates `x` backward through `h`, scaled to 13 bits or so.
pub(super) fn backward_filter<K: Kernels>(h: &Block, x: &Block) -> Block {
    let mut padded = [0; 2 * SUBFRAME];
    padded[..SUBFRAME].copy_from_slice(x);
    let mut c = [0; SUBFRAME];
    K::slide(h, &padded, &mut c);
    let peak = c.iter().map(|c| l_abs(*c)).max().unwrap_or(0);
    let v = norm_l(peak).min(16);
    c.map(|c| low(l_shr(c, 18 - v)))
}

/// The best lag and third of it; leaves the adaptive codebook vector in `exc[at..]`. `coarse_above`: the lag beyond
/// which no fraction is tried.
pub(super) fn closed_loop<K: Kernels>(
    exc: &mut [i16],
    at: usize,
    d: &Block,
    lags: RangeInclusive<i16>,
    coarse_above: i16,
) -> (i16, i16) {
    let (first, last) = (*lags.start() as usize, *lags.end() as usize);
    let mut correlations = [0; MAX_WINDOW];
    let correlations = &mut correlations[..=last - first];
    K::slide(d, &exc[at - last..at + SUBFRAME - first], correlations);
    let mut best = (i32::MIN, first);
    // Slid from the past: the longest lag first.
    for (t, c) in (first..=last).zip(correlations.iter().rev()) {
        if *c > best.0 {
            best = (*c, t);
        }
    }
    let lag = best.1 as i16;
    let mut attempt = |f| {
        K::interpolate(exc, at, lag, f);
        let v: Block = std::array::from_fn(|n| exc[at + n]);
        (K::dot(0, d, &v), f, v)
    };
    let mut best = attempt(0);
    if lag <= coarse_above {
        for f in [-1, 1] {
            let tried = attempt(f);
            if tried.0 > best.0 {
                best = tried;
            }
        }
        exc[at..at + SUBFRAME].copy_from_slice(&best.2);
    }
    (lag, best.1)
}

/// How much an error in the excitation could grow, by lag zone, Q14, newest first.
#[derive(Clone, Debug)]
pub(super) struct Taming([i32; 4]);

impl Default for Taming {
    fn default() -> Self {
        Self([16384; 4])
    }
}

impl Taming {
    /// Whether the pitch gain must be held down at this lag.
    pub(super) fn needed(&self, lag: i16, fraction: i16) -> bool {
        let t = if fraction > 0 { lag + 1 } else { lag };
        let zone = |i: i16| usize::from(TAB_ZONE[i as usize]);
        let zones = zone((t - 50).max(0))..=zone(t + 8);
        self.0[zones].iter().max().is_some_and(|z| *z > 983_040_000)
    }

    /// Follows the error through a subframe of pitch gain `gain` (Q14).
    pub(super) fn update(&mut self, gain: i16, lag: i16) {
        let grown = |z: i32| l_add(16384, l_shl(mpy32_16(split(z), gain), 1));
        let worst = if lag < 40 {
            let once = grown(self.0[0]);
            once.max(grown(once)).max(-1)
        } else {
            let zones = usize::from(TAB_ZONE[lag as usize - 40])..=usize::from(TAB_ZONE[lag as usize - 1]);
            self.0[zones].iter().map(|z| grown(*z)).max().unwrap_or(-1).max(-1)
        };
        self.0.rotate_right(1);
        self.0[0] = worst;
    }
}
