//! From 8, 16 or 48 kHz to another of them: a windowed-sinc low-pass, computed only where a sample is kept or given.
//!
//! Between files, devices, ears and codecs. Whole factors only, so no crate is worth its weight here.

/// Taps on either side of the middle, for each unit of the factor.
const HALF_WIDTH: usize = 16;
/// Half-power point as a share of the lower rate. At 8 kHz, with the window's slope, the band is flat to 3.3 kHz and gone
/// above 4.1 kHz.
const CUTOFF: f32 = 3650.0 / 8000.0;

/// Turns a stream of samples into one at a lower rate.
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
    /// From `rate` Hz to `lower` Hz, each 8,000, 16,000 or 48,000; a plain copy when they are equal. `None` for any other.
    pub fn new(rate: u32, lower: u32) -> Option<Self> {
        let factor = factor(rate, lower)?;
        let taps = if factor == 1 { vec![1.0] } else { low_pass(factor) };
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

/// Turns a stream of samples into one at a higher rate.
#[derive(Clone, Debug)]
pub struct Interpolator {
    factor: usize,
    /// The taps of the first phase, then of the second, each from the oldest sample to the newest.
    taps: Vec<f32>,
    history: Vec<f32>,
    at: usize,
    phase: usize,
}

impl Interpolator {
    /// From `lower` Hz to `rate` Hz, as for the way down.
    pub fn new(lower: u32, rate: u32) -> Option<Self> {
        let factor = factor(rate, lower)?;
        let taps = if factor == 1 { vec![1.0] } else { phases(&low_pass(factor), factor) };
        Some(Self { factor, history: vec![0.0; taps.len() / factor * 2], taps, at: 0, phase: 0 })
    }

    /// The next sample; every `factor`th time one is taken from `source`.
    pub fn pull(&mut self, source: impl FnOnce() -> i16) -> i16 {
        let count = self.history.len() / 2;
        if self.phase == 0 {
            let sample = f32::from(source());
            self.history[self.at] = sample;
            self.history[self.at + count] = sample;
            self.at = (self.at + 1) % count;
        }
        let newest = &self.history[self.at..self.at + count];
        let taps = &self.taps[self.phase * count..];
        self.phase = (self.phase + 1) % self.factor;
        let sum: f32 = newest.iter().zip(taps).map(|(s, t)| s * t).sum();
        sum.round() as i16
    }
}

/// Either way, whichever is the lower.
#[derive(Clone, Debug)]
pub enum Resampler {
    /// To a lower rate, or the same.
    Down(Decimator),
    /// To a higher rate.
    Up(Interpolator),
}

impl Resampler {
    /// From one rate to another, each 8,000, 16,000 or 48,000 Hz. `None` for any other.
    pub fn new(from: u32, to: u32) -> Option<Self> {
        if from < to {
            Interpolator::new(from, to).map(Self::Up)
        } else {
            Decimator::new(from, to).map(Self::Down)
        }
    }

    /// Appends what becomes of these samples: their number times the rates' ratio, once it began on a whole multiple.
    pub fn feed(&mut self, samples: &[i16], out: &mut Vec<i16>) {
        match self {
            Self::Down(down) if down.factor == 1 => out.extend_from_slice(samples),
            Self::Down(down) => out.extend(samples.iter().filter_map(|sample| down.feed(*sample))),
            Self::Up(up) => {
                for sample in samples {
                    out.extend((0..up.factor).map(|_| up.pull(|| *sample)));
                }
            }
        }
    }
}

const fn factor(rate: u32, lower: u32) -> Option<usize> {
    match (lower, rate) {
        (8_000, 8_000) | (16_000, 16_000) | (48_000, 48_000) => Some(1),
        (8_000, 16_000) => Some(2),
        (16_000, 48_000) => Some(3),
        (8_000, 48_000) => Some(6),
        _ => None,
    }
}

/// One filter sorted into its phases, each as loud as the whole.
fn phases(taps: &[f32], factor: usize) -> Vec<f32> {
    let count = taps.len().div_ceil(factor);
    let tap = |n: usize| taps.get(n).map_or(0.0, |tap| tap * factor as f32);
    (0..factor).flat_map(|phase| (0..count).rev().map(move |n| tap(n * factor + phase))).collect()
}

/// A sinc under a Hamming window, its gain at 0 Hz made exactly 1.
fn low_pass(factor: usize) -> Vec<f32> {
    let half = (HALF_WIDTH * factor) as f32;
    let turn = std::f32::consts::TAU * CUTOFF / factor as f32;
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
        let mut decimator = Decimator::new(rate, 8_000).unwrap();
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
    fn speech_goes_up_and_comes_down_again_as_it_was() {
        for rate in [16_000, 48_000] {
            let (mut up, mut down) =
                (Interpolator::new(8_000, rate).unwrap(), Decimator::new(rate, 8_000).unwrap());
            let mut speech = (0..).map(|n| ((n as f32 * 0.7).sin() * 9000.0) as i16);
            let high: Vec<i16> = (0..rate).map(|_| up.pull(|| speech.next().unwrap())).collect();
            assert!(high.windows(2).all(|w| (w[1] - w[0]).unsigned_abs() < 9000 / 2), "no steps at {rate}");
            let low: Vec<i16> = high.iter().filter_map(|sample| down.feed(*sample)).collect();
            let delay = (2 * HALF_WIDTH - 1) as f32 + 8000.0 / rate as f32;
            let same =
                |n: usize| (f32::from(low[n]) - ((n as f32 - delay) * 0.7).sin() * 9000.0).abs() < 150.0;
            assert!((100..8000).all(same), "{rate}");
        }
    }

    #[test]
    fn going_up_adds_nothing_beyond_the_telephones_band() {
        let mut up = Interpolator::new(8_000, 48_000).unwrap();
        let mut tone = (0..).map(|n| ((n as f32 * std::f32::consts::FRAC_PI_4).sin() * 9000.0) as i16); // 1 kHz
        let high: Vec<f32> =
            (0..48_000).map(|_| f32::from(up.pull(|| tone.next().unwrap()))).skip(480).collect();
        let level = |hz: f32| {
            let turn = |n: usize| std::f32::consts::TAU * hz * n as f32 / 48_000.0;
            let (re, im) = high
                .iter()
                .enumerate()
                .fold((0.0, 0.0), |(re, im), (n, s)| (re + s * turn(n).cos(), im + s * turn(n).sin()));
            20.0 * ((re * re + im * im).sqrt() / (high.len() as f32 / 2.0 * 9000.0)).log10()
        };
        assert!(level(1000.0).abs() < 0.2, "{}", level(1000.0));
        for image in [7000.0, 9000.0, 15_000.0, 17_000.0] {
            assert!(level(image) < -45.0, "{image} Hz: {} dB", level(image));
        }
    }

    #[test]
    fn telephone_rate_is_copied_and_strange_rates_are_refused() {
        let mut same = Decimator::new(8_000, 8_000).unwrap();
        assert_eq!([1, -2, i16::MIN].map(|s| same.feed(s)), [Some(1), Some(-2), Some(i16::MIN)]);
        let mut same = Interpolator::new(8_000, 8_000).unwrap();
        assert_eq!([1, -2, i16::MIN].map(|s| same.pull(|| s)), [1, -2, i16::MIN]);
        assert!(Decimator::new(44_100, 8_000).is_none() && Resampler::new(8_000, 44_100).is_none());
    }

    #[test]
    fn wide_speech_goes_to_a_device_and_back_with_all_of_its_band() {
        let mut way = [Resampler::new(16_000, 48_000).unwrap(), Resampler::new(48_000, 16_000).unwrap()];
        let wave = |n: f32| (std::f32::consts::TAU * 6500.0 / 16_000.0 * n).sin() * 9000.0;
        let tone: Vec<i16> = (0..16_000).map(|n| wave(n as f32) as i16).collect();
        let (mut high, mut back) = (Vec::new(), Vec::new());
        way[0].feed(&tone, &mut high);
        way[1].feed(&high, &mut back);
        assert_eq!((high.len(), back.len()), (48_000, 16_000));
        let peak = back[1000..15_000].iter().map(|s| s.unsigned_abs()).max().unwrap();
        assert!((8500..9500).contains(&peak), "{peak}");
    }
}
