//! 16 or 48 kHz down to 8 kHz: a windowed-sinc low-pass, computed only where a sample is kept.
//!
//! For files and devices that do not speak telephone. Whole factors only, so no crate is worth its weight here.

/// Taps on either side of the middle, for each unit of the factor.
const HALF_WIDTH: usize = 16;
/// Half-power point in Hz. With the window's slope the band is flat to 3.3 kHz and gone above 4.1 kHz.
const CUTOFF: f32 = 3650.0;

/// Turns a stream of samples at a multiple of 8 kHz into one at 8 kHz.
#[derive(Clone, Debug)]
pub struct Decimator {
    factor: usize,
    taps: Vec<f32>,
    /// The newest samples, as many as taps, written twice so that they can be read in one piece.
    history: Vec<f32>,
    at: usize,
    phase: usize,
}

impl Decimator {
    /// For input at `rate` Hz: 8,000 (a plain copy), 16,000 or 48,000. `None` for any other.
    pub fn new(rate: u32) -> Option<Self> {
        let factor = match rate {
            8_000 => 1,
            16_000 => 2,
            48_000 => 6,
            _ => return None,
        };
        let taps = if factor == 1 { vec![1.0] } else { low_pass(rate as f32, factor) };
        Some(Self { factor, history: vec![0.0; taps.len() * 2], taps, at: 0, phase: 0 })
    }

    /// Takes one sample; every `factor`th time one comes out.
    pub fn feed(&mut self, sample: i16) -> Option<i16> {
        let count = self.taps.len();
        self.history[self.at] = f32::from(sample);
        self.history[self.at + count] = f32::from(sample);
        self.at = (self.at + 1) % count;
        self.phase = (self.phase + 1) % self.factor;
        if self.phase != 0 {
            return None;
        }
        let newest = &self.history[self.at..self.at + count];
        let sum: f32 = newest.iter().zip(&self.taps).map(|(s, t)| s * t).sum();
        Some(sum.round() as i16)
    }
}

/// A sinc under a Hamming window, its gain at 0 Hz made exactly 1.
fn low_pass(rate: f32, factor: usize) -> Vec<f32> {
    let half = (HALF_WIDTH * factor) as f32;
    let turn = std::f32::consts::TAU * CUTOFF / rate;
    let taps: Vec<f32> = (0..=2 * HALF_WIDTH * factor)
        .map(|n| {
            let x = n as f32 - half;
            let sinc = if x == 0.0 { turn } else { (turn * x).sin() / x };
            sinc * (0.54 + 0.46 * (std::f32::consts::PI * x / half).cos())
        })
        .collect();
    let gain: f32 = taps.iter().sum();
    taps.into_iter().map(|t| t / gain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The level of a tone after decimation against before, in dB.
    fn gain(rate: u32, hz: f32) -> f32 {
        let mut decimator = Decimator::new(rate).unwrap();
        let tone = (0..rate)
            .map(|n| (10_000.0 * (std::f32::consts::TAU * hz * n as f32 / rate as f32).sin()) as i16);
        let out: Vec<f32> = tone.filter_map(|s| decimator.feed(s)).skip(200).map(f32::from).collect();
        let power: f32 = out.iter().map(|s| s * s).sum::<f32>() / out.len() as f32;
        10.0 * (power / (10_000.0 * 10_000.0 / 2.0)).max(1e-9).log10()
    }

    #[test]
    fn speech_passes_and_what_would_alias_does_not() {
        for rate in [16_000, 48_000] {
            for hz in [100.0, 1000.0, 3000.0] {
                assert!(gain(rate, hz).abs() < 0.2, "{hz} Hz at {rate}: {}", gain(rate, hz));
            }
            for hz in [4500.0, 5000.0, 7000.0] {
                assert!(gain(rate, hz) < -45.0, "{hz} Hz at {rate}: {}", gain(rate, hz));
            }
        }
    }

    #[test]
    fn telephone_rate_is_copied_and_strange_rates_are_refused() {
        let mut same = Decimator::new(8_000).unwrap();
        assert_eq!([1, -2, i16::MIN].map(|s| same.feed(s)), [Some(1), Some(-2), Some(i16::MIN)]);
        assert!(Decimator::new(44_100).is_none());
    }
}
