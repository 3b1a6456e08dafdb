//! How alike two stretches of sound are, how loud they are, and how one fades into the other.

/// Correlation of two stretches of one length, -1.0..=1.0; 0 when either is silent.
pub(super) fn alike(a: &[f32], b: &[f32]) -> f32 {
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    let norm = (aa * bb).sqrt();
    // Under one step of 16 bits it is rounding, not sound.
    if norm > a.len() as f32 { ab / norm } else { 0.0 }
}

/// Gains of the old and the new at `part` (0.0..=1.0) of a fade between sounds that are `alike` so much: the power
/// stays level, whether they are the same or have nothing in common.
pub(super) fn fade(part: f32, alike: f32) -> (f32, f32) {
    let new = 0.5 - 0.5 * (part * std::f32::consts::PI).cos();
    let old = 1.0 - new;
    let power = old * old + new * new + 2.0 * old * new * alike.max(0.0);
    let level = power.sqrt().recip();
    (old * level, new * level)
}

/// To 16 bits.
pub(super) fn rounded(sample: f32) -> i16 {
    // `as` saturates.
    sample.round() as i16
}

/// The front of `out` becomes `samples`.
pub(super) fn widen(samples: &[i16], out: &mut [f32]) {
    for (wide, sample) in out.iter_mut().zip(samples) {
        *wide = f32::from(*sample);
    }
}

/// The period of a voice at the end of `samples`, and how sure that is (the correlation across one period).
///
/// Looks for 2.5 ms..=15 ms (400 to 67 Hz), in a window of 15 ms, or what there is. The shortest that is nearly as good
/// as the best: its multiples repeat as well, but carry less of the last moment.
pub(super) fn period(samples: &[f32], rate: u32) -> (usize, f32) {
    let ms = rate as usize / 1000;
    let (shortest, longest) = (5 * ms / 2, 15 * ms);
    let window = (15 * ms).min(samples.len().saturating_sub(longest)).max(4 * ms);
    let longest = longest.min(samples.len().saturating_sub(window));
    if longest <= shortest {
        return (samples.len().clamp(1, shortest.max(1)), 0.0);
    }
    let recent = &samples[samples.len() - window..];
    let likeness = |lag: usize| alike(recent, &samples[samples.len() - window - lag..samples.len() - lag]);
    // At 16 kHz every other lag first; a peak is wider than that.
    let step = (rate as usize / 8000).max(1);
    let mut best = (shortest, -1.0);
    let mut lag = shortest;
    let mut curve = [0.0_f32; 256];
    while lag <= longest {
        let score = likeness(lag);
        curve[(lag / step).min(255)] = score;
        if score > best.1 {
            best = (lag, score);
        }
        lag += step;
    }
    for divisor in (2..=6).rev() {
        let near = best.0 / divisor;
        let reach = 2 * step;
        if near < shortest + reach {
            continue;
        }
        let sub = (near - reach..=near + reach)
            .step_by(step)
            .map(|lag| (lag / step * step, curve[(lag / step).min(255)]))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((lag, score)) = sub.filter(|(_, score)| *score > 0.85 * best.1 && best.1 > 0.3) {
            best = (lag, score);
            break;
        }
    }
    if step > 1 {
        let around = best.0.saturating_sub(step - 1).max(shortest)..=(best.0 + step - 1).min(longest);
        for lag in around {
            let score = likeness(lag);
            if score > best.1 {
                best = (lag, score);
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_period_of_a_voice_is_found_at_both_rates_and_noise_has_none() {
        for rate in [8000u32, 16_000] {
            for hertz in [80.0f32, 125.0, 210.0, 330.0] {
                let voice: Vec<f32> = (0..rate * 6 / 100)
                    .map(|n| {
                        let t = n as f32 / rate as f32 * std::f32::consts::TAU * hertz;
                        3000.0 * t.sin() + 2000.0 * (2.0 * t).sin() + 1500.0 * (3.0 * t + 1.0).sin()
                    })
                    .collect();
                let (found, sure) = period(&voice, rate);
                let right = rate as f32 / hertz;
                assert!((found as f32 - right).abs() <= 1.0 && sure > 0.9, "{rate} {hertz}: {found}, {sure}");
            }
            let mut state = 1u32;
            let noise: Vec<f32> = (0..rate * 6 / 100)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 16) as f32 - 32768.0
                })
                .collect();
            assert!(period(&noise, rate).1 < 0.5);
        }
    }

    #[test]
    fn a_fade_keeps_the_power_level() {
        for alike in [0.0, 0.5, 1.0] {
            for n in 0..=10 {
                let (old, new) = fade(n as f32 / 10.0, alike);
                let power = old * old + new * new + 2.0 * old * new * alike;
                assert!((power - 1.0).abs() < 1e-4);
            }
        }
    }
}
