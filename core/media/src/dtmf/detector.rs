//! Digits in as they sound: which of them are in a stream of voice at 8 kHz, each once.
//!
//! ITU-T Q.24 in the values that operators use: a frequency counts within 1.5 % and not beyond 3.5 %, a tone from 40 ms
//! on and not up to 23 ms, a pause from 40 ms on and not up to 10 ms; the high tone up to 4 dB above the low one, or 8
//! dB below it; 0 to -25 dBm0 each. What lies between those limits may go either way.
//!
//! Every 5 ms the last 20 ms are looked at through a Hann window at the eight frequencies. The strongest row and column
//! are a digit when they are most of the power that is there (speech and music hold more), are balanced, and each runs
//! at its frequency, which is read off its phase's advance since the last look: that is finer than a filter of 20 ms is
//! narrow. Knows nothing of telephone events, nor that a digit was also told by one.

use std::f32::consts::{PI, TAU};

use super::Digit;
use super::tone::{HIGH, KEYPAD, LOW};
use crate::oscillator::amplitude;

/// Samples a second of what is fed.
const RATE: f32 = 8000.0;
/// Samples that are looked at: 20 ms, so that the shortest tone fills a few looks and a short noise fills none.
const WINDOW: usize = 160;
/// Samples from one look to the next: 5 ms. Also how far off a frequency may be before its phase misleads: 100 Hz.
const HOP: usize = 40;
/// A frequency counts within this share of itself: the middle of Q.24's 1.5 % and 3.5 %.
const OFF: f32 = 0.025;
/// The least level of one tone: -30 dBm0, which is 5 dB more than Q.24 asks, 8 dB of twist below that, and room for
/// noise.
const FAINTEST_DBM0: f32 = -40.0;
/// How far the high tone may be above the low one, in dB: Q.24's 4 and room for noise.
const TWIST: f32 = 5.5;
/// How far the high tone may be below the low one, in dB: Q.24's 8 and room for noise.
const REVERSE_TWIST: f32 = 9.5;
/// The least share of the power that is the two tones. At 15 dB above noise they are 0.97 of it.
const PURITY: f32 = 0.82;
/// Looks that agree before a digit is believed. A tone of 40 ms gives five and more, one of 23 ms three.
const BELIEVED: u8 = 4;
/// Looks in a row that may fail before that. Noise spoils one now and then.
const SPOILT: u8 = 1;
/// Looks without the digit after which it is over. An interruption of 10 ms gives five, a pause of 40 ms ten.
const OVER: u8 = 8;

/// A listener. About 12 kB, most of it the tables of its eight filters.
#[derive(Clone)]
pub struct Detector {
    filters: Box<[Filter; 8]>,
    /// The last [`WINDOW`] samples, the oldest first, and how many of the newest [`HOP`] are yet to come.
    heard: [f32; WINDOW],
    missing: usize,
    faintest: f32,
    /// What was found at the last look: the filters' outputs.
    last: [Complex; 8],
    candidate: Option<Candidate>,
    /// What sounds, and how many looks have not found it since.
    sounding: Option<(Digit, u8)>,
}

/// What may become a digit.
#[derive(Clone, Copy)]
struct Candidate {
    digit: Digit,
    looks: u8,
    failed: u8,
}

#[derive(Clone, Copy, Default)]
struct Complex {
    re: f32,
    im: f32,
}

/// One frequency through the window.
#[derive(Clone, Copy)]
struct Filter {
    hz: f32,
    taps: [(f32, f32); WINDOW],
}

fn window(n: usize) -> f32 {
    // Half a sample in, so that it is symmetric and no sample is lost to a zero.
    0.5 - 0.5 * (TAU * (n as f32 + 0.5) / WINDOW as f32).cos()
}

impl Filter {
    fn new(hz: u16) -> Self {
        let hz = f32::from(hz);
        let taps = std::array::from_fn(|n| {
            let (sin, cos) = (TAU * hz * n as f32 / RATE).sin_cos();
            // A sine of amplitude 1 at this frequency gives 1.
            let scale = window(n) * 4.0 / WINDOW as f32;
            (cos * scale, -sin * scale)
        });
        Self { hz, taps }
    }

    fn hear(&self, samples: &[f32; WINDOW]) -> Complex {
        let mut sum = Complex::default();
        for (sample, (cos, sin)) in samples.iter().zip(&self.taps) {
            sum.re += sample * cos;
            sum.im += sample * sin;
        }
        sum
    }

    /// How far off this frequency a tone is, in Hz, by two looks at it.
    fn off(&self, last: Complex, now: Complex) -> f32 {
        let advance = now.angle() - last.angle() - TAU * self.hz * HOP as f32 / RATE;
        let turns = advance / TAU;
        (turns - turns.round()) * RATE / HOP as f32
    }
}

impl Complex {
    fn power(self) -> f32 {
        self.re * self.re + self.im * self.im
    }

    fn angle(self) -> f32 {
        self.im.atan2(self.re)
    }
}

/// What the Hann window leaves of the amplitude of a tone that is so many Hz off.
fn response(off: f32) -> f32 {
    let bins = off * WINDOW as f32 / RATE;
    if bins.abs() < 1e-3 {
        return 1.0;
    }
    (PI * bins).sin() / (PI * bins * (1.0 - bins * bins))
}

impl Default for Detector {
    fn default() -> Self {
        let filter = |n: usize| Filter::new(if n < 4 { LOW[n] } else { HIGH[n - 4] });
        Self {
            filters: Box::new(std::array::from_fn(filter)),
            heard: [0.0; WINDOW],
            missing: HOP,
            faintest: amplitude(FAINTEST_DBM0).powi(2),
            last: [Complex::default(); 8],
            candidate: None,
            sounding: None,
        }
    }
}

/// What it hears is not shown: digits are passwords.
impl std::fmt::Debug for Detector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Detector").finish_non_exhaustive()
    }
}

impl Detector {
    /// Takes the next samples, 8 kHz, of any number; `heard` is told of each digit once, some 40 ms after its
    /// beginning.
    pub fn feed(&mut self, mut samples: &[i16], mut heard: impl FnMut(Digit)) {
        while !samples.is_empty() {
            let (now, later) = samples.split_at(self.missing.min(samples.len()));
            samples = later;
            let at = WINDOW - self.missing;
            for (place, sample) in self.heard[at..].iter_mut().zip(now) {
                *place = f32::from(*sample);
            }
            self.missing -= now.len();
            if self.missing == 0 {
                let found = self.look();
                if let Some(digit) = self.found(found) {
                    heard(digit);
                }
                self.heard.copy_within(HOP.., 0);
                self.missing = HOP;
            }
        }
    }

    /// The stream begins anew: what was heard of a digit does not count any more.
    pub fn forget(&mut self) {
        self.heard.fill(0.0);
        self.last = [Complex::default(); 8];
        (self.candidate, self.sounding) = (None, None);
    }

    /// The digit in the window.
    fn look(&mut self) -> Option<Digit> {
        let total: f32 = self.heard.iter().enumerate().map(|(n, s)| (s * window(n)).powi(2)).sum();
        // In squares of amplitudes, as the filters give them: a sine's mean square is half of that.
        let total = total * 2.0 / (WINDOW as f32 * 3.0 / 8.0);
        let last = self.last;
        for (output, filter) in self.last.iter_mut().zip(self.filters.iter()) {
            *output = filter.hear(&self.heard);
        }
        if total < self.faintest {
            return None;
        }
        let now = &self.last;
        let strongest = |group: std::ops::Range<usize>| {
            group.max_by(|a, b| now[*a].power().total_cmp(&now[*b].power())).unwrap_or_default()
        };
        let (row, column) = (strongest(0..4), strongest(4..8));
        let mut powers = [0.0; 2];
        for (power, n) in powers.iter_mut().zip([row, column]) {
            let filter = &self.filters[n];
            let off = filter.off(last[n], now[n]);
            if off.abs() > filter.hz * OFF {
                return None;
            }
            *power = now[n].power() / response(off).powi(2);
        }
        let [low, high] = powers;
        let twist = 10.0 * (high / low).log10();
        let is_digit = low.min(high) >= self.faintest
            && (-REVERSE_TWIST..=TWIST).contains(&twist)
            && low + high >= PURITY * total;
        is_digit.then(|| Digit::from_char(char::from(KEYPAD[row][column - 4]))).flatten()
    }

    /// What a look found, after those before it: a digit that is new.
    fn found(&mut self, found: Option<Digit>) -> Option<Digit> {
        if let Some((digit, since)) = &mut self.sounding {
            if found == Some(*digit) {
                *since = 0;
                self.candidate = None;
                return None;
            }
            *since += 1;
            if *since >= OVER {
                self.sounding = None;
            }
        }
        let Some(digit) = found else {
            if let Some(candidate) = &mut self.candidate {
                candidate.failed += 1;
                if candidate.failed > SPOILT {
                    self.candidate = None;
                }
            }
            return None;
        };
        let looks = match self.candidate {
            Some(candidate) if candidate.digit == digit => candidate.looks + 1,
            _ => 1,
        };
        if looks < BELIEVED {
            self.candidate = Some(Candidate { digit, looks, failed: 0 });
            return None;
        }
        self.candidate = None;
        self.sounding = Some((digit, 0));
        Some(digit)
    }
}

#[cfg(test)]
#[path = "detector_tests.rs"]
mod tests;
