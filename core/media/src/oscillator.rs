//! Sines for the tones that a phone makes itself: exact in frequency, at a level in dBm0, without clicks.
//!
//! The level's reference is ITU-T G.711 section 4: a sine that just overloads mu-law is 3.17 dBm0. Knows no cadence.

use std::f32::consts::{PI, TAU};

/// Time is counted so finely that a sample of 8, 16 and 48 kHz is a whole number of ticks: a tone's length holds when
/// the rate changes within it.
pub(crate) const TICKS_PER_MS: u32 = 48;
/// How long a tone swells and fades. Short beside the shortest digit, long enough to be no click.
const RAMP: u32 = 5 * TICKS_PER_MS;
/// Mu-law's virtual decision value 8159, in 16 bits.
const OVERLOAD: f32 = 8159.0 * 4.0;
/// Of a sine that reaches it, in dBm0.
const OVERLOAD_DBM0: f32 = 3.17;

/// The ticks in one sample. Rates that do not divide 48 kHz have none that is right.
pub(crate) fn ticks_per_sample(rate: u32) -> u32 {
    debug_assert!(rate > 0 && (1000 * TICKS_PER_MS).is_multiple_of(rate), "{rate} Hz");
    (1000 * TICKS_PER_MS / rate.max(1)).max(1)
}

/// The amplitude of a sine of that level, in 16-bit samples.
pub(crate) fn amplitude(dbm0: f32) -> f32 {
    OVERLOAD * 10_f32.powf((dbm0 - OVERLOAD_DBM0) / 20.0)
}

/// How far a tone has swelled, 0.0..=1.0, `at` so many ticks of the `lasts` that it sounds.
pub(crate) fn swell(at: u32, lasts: u32) -> f32 {
    let from_edge = at.min(lasts.saturating_sub(at));
    if from_edge >= RAMP { 1.0 } else { 0.5 - 0.5 * (PI * from_edge as f32 / RAMP as f32).cos() }
}

/// When a tone ends that is to fade from `at` on, in its ticks.
pub(crate) fn faded(at: u32) -> u32 {
    at.saturating_add(RAMP)
}

/// One sine.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Oscillator {
    /// In 2^-32 turns, which wrap as turns do: the frequency is exact to a millionth of a hertz.
    phase: u32,
}

impl Oscillator {
    /// The next sample of this frequency at this rate, -1.0..=1.0.
    pub(crate) fn next(&mut self, hz: u32, rate: u32) -> f32 {
        let now = self.phase as i32 as f32 * (TAU / 4_294_967_296.0);
        let step = (u64::from(hz) << 32) / u64::from(rate.max(1));
        self.phase = self.phase.wrapping_add(step as u32);
        now.sin()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The level of one frequency in dBm0, by correlation. Give it whole periods, or so many that it does not matter.
    pub(crate) fn level_dbm0(samples: &[i16], hz: f64, rate: u32) -> f64 {
        let turn = std::f64::consts::TAU * hz / f64::from(rate);
        let (mut re, mut im) = (0.0, 0.0);
        for (n, sample) in samples.iter().enumerate() {
            let (sin, cos) = (turn * n as f64).sin_cos();
            re += f64::from(*sample) * cos;
            im += f64::from(*sample) * sin;
        }
        let amplitude = 2.0 * re.hypot(im) / samples.len() as f64;
        20.0 * (amplitude / f64::from(amplitude_of_zero())).log10()
    }

    fn amplitude_of_zero() -> f32 {
        amplitude(0.0)
    }

    #[test]
    fn zero_dbm0_is_3_17_db_below_the_overload_sine() {
        assert!((20.0 * (OVERLOAD / amplitude(0.0)).log10() - 3.17).abs() < 1e-4);
        assert!((amplitude(-20.0) * 10.0 / amplitude(0.0) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn a_tone_swells_and_fades_and_one_that_is_cut_short_does_not_jump() {
        let lasts = 100 * TICKS_PER_MS;
        assert!(swell(0, lasts) < 1e-6 && swell(lasts, lasts) < 1e-6);
        assert!((swell(lasts / 2, lasts) - 1.0).abs() < 1e-6);
        for cut in [0, RAMP / 3, RAMP, lasts / 2] {
            let ends = faded(cut);
            let steps = (cut..ends).map(|at| (swell(at + 1, ends) - swell(at, ends)).abs());
            assert!(steps.fold(0.0, f32::max) < 0.01, "cut at {cut}");
        }
    }

    #[test]
    fn a_frequency_is_kept_across_a_change_of_rate() {
        let mut sine = Oscillator::default();
        let first: Vec<f32> = (0..8000).map(|_| sine.next(697, 8000)).collect();
        let second: Vec<f32> = (0..16_000).map(|_| sine.next(697, 16_000)).collect();
        // Whole seconds are whole turns.
        assert!(first[0].abs() < 1e-4 && second[0].abs() < 1e-4);
        assert!((first[1] - second[2]).abs() < 1e-4);
    }
}
