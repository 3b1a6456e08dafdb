//! Comfort noise: an excitation of a wanted gain, half pitch, half Gaussian, with four pulses that set the energy.
//!
//! G.729 Annex B section B.4.4. Decoder and encoder draw the same; the encoder also wants to know what was drawn.

use super::kernels::Kernels;
use super::math::{Block, SUBFRAME, Seed, inv_sqrt, sqrt14};
use super::ops::*;

/// Where the noise seed starts anew in every speech frame.
pub(super) const SEED: Seed = Seed(11111);

/// What a subframe drew, for the encoder's taming.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drawn {
    /// Pitch gain, Q14; 0 when the adaptive part was dropped.
    pub(super) gain: i16,
    /// Pitch lag, 40 to 103.
    pub(super) lag: i16,
}

/// The gain that a frame of noise is made with: smoothed unless it is the first after speech.
pub(super) fn smoothed(current: i16, sid: i16, first: bool) -> i16 {
    if first { sid } else { add(mult_r(current, 28672), mult_r(sid, 4096)) }
}

/// Fills `exc[at..at + 80]`. Without gain it is silence, nothing is drawn and nothing is told.
pub(super) fn excitation<K: Kernels>(
    gain: i16,
    exc: &mut [i16],
    at: usize,
    seed: &mut Seed,
) -> Option<[Drawn; 2]> {
    if gain == 0 {
        exc[at..at + 2 * SUBFRAME].fill(0);
        return None;
    }
    let one = subframe::<K>(gain, exc, at, seed);
    Some([one, subframe::<K>(gain, exc, at + SUBFRAME, seed)])
}

fn subframe<K: Kernels>(gain: i16, exc: &mut [i16], at: usize, seed: &mut Seed) -> Drawn {
    let r1 = seed.draw();
    let r2 = seed.draw();
    let r3 = seed.draw();
    let bits = |r: i16, from: u32, mask: i16| (r >> from) & mask;
    let fraction = match bits(r1, 0, 3) - 1 {
        2 => 0,
        f => f,
    };
    let lag = bits(r1, 2, 63) + 40;
    let pulses = [
        (5 * bits(r1, 8, 7), bits(r1, 11, 1)),
        (5 * bits(r1, 12, 7) + 1, bits(r1, 15, 1)),
        (5 * bits(r2, 0, 7) + 2, bits(r2, 3, 1)),
        (5 * bits(r2, 5, 7) + 3 + bits(r2, 4, 1), bits(r2, 8, 1)),
    ]
    .map(|(position, sign)| (position as usize, sign == 1));
    let mut pitch_gain = r3 & 0x1FFF;
    let pitch_gain_q15 = shl(pitch_gain, 1);

    let w = gaussian::<K>(gain, seed);

    K::interpolate(exc, at, lag, fraction);
    let e = &mut exc[at..at + SUBFRAME];
    for (e, w) in e.iter_mut().zip(&w) {
        *e = add(mult_r(*e, pitch_gain_q15), *w);
    }

    // The pulses' amplitude x solves x^2 + 2 I x + (energy - wanted) = 0, scaled so that nothing overflows.
    let peak = e.iter().map(|e| abs_s(*e)).max().unwrap_or(0);
    let mut down = if peak == 0 { 0 } else { (3 - norm_s(peak)).max(0) };
    let scaled: Block = std::array::from_fn(|i| shr(e[i], down));
    let energy = K::energy(0, &scaled).value;
    let signed_sum = |x: &Block| {
        pulses.iter().fold(0, |sum, (p, plus)| if *plus { add(sum, x[*p]) } else { sub(sum, x[*p]) })
    };
    let mut inner = signed_sum(&scaled);
    let wanted = l_mult(gain, low(l_shr(l_mult(gain, 40), 6)));
    let mut d = l_sub(l_shr(wanted, 1 + 2 * down), energy);
    inner = shr(inner, 1);
    d = l_mac(d, inner, inner);
    down += 1;
    if d < 0 {
        // No real solution with the adaptive part in: the Gaussian part alone.
        e.copy_from_slice(&w);
        let or = pulses.iter().fold(0, |or, (p, _)| or | abs_s(w[*p]));
        down = if or & 0x4000 != 0 { 2 } else { 1 };
        let scaled: Block = std::array::from_fn(|i| shr(w[i], down));
        inner = signed_sum(&scaled);
        d = l_shr(mpy32_16(split(wanted), 24576), 2 * down - 1);
        d = l_mac(d, inner, inner);
        pitch_gain = 0;
    }
    let root = sqrt14(d);
    let (x1, x2) = (sub(root, inner), negate(add(inner, root)));
    let x = if abs_s(x2) < abs_s(x1) { x2 } else { x1 };
    let amplitude = shr_r(x, 2 - down).clamp(-5000, 5000);
    for (p, plus) in pulses {
        e[p] = if plus { add(e[p], amplitude) } else { sub(e[p], amplitude) };
    }
    Drawn { gain: pitch_gain, lag }
}

/// Gaussian noise of a little more than the wanted gain.
fn gaussian<K: Kernels>(gain: i16, seed: &mut Seed) -> Block {
    let w: Block = std::array::from_fn(|_| seed.gauss());
    let norm = inv_sqrt(l_shr(K::energy(0, &w).value, 1));
    let level = mpy32_16(split(norm), add(gain, mult_r(gain, 19043)));
    let n = norm_l(level);
    let factor = high(l_shl(level, n));
    w.map(|w| shr_r(mult_r(w, factor), n - 14))
}
