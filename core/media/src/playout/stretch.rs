//! Plays a little faster or slower without changing the pitch: one period is left out, or heard twice.
//!
//! Overlap and add in step with the pitch, where two stretches are so much alike that the joint is not heard, or
//! in a pause. Knows samples; when and how much is decided elsewhere.

use super::similar::{alike, fade, rounded, widen};
use super::wave::{HISTORY, Wave};

/// Longest and shortest stretch that is left out or repeated, in half milliseconds: 2.5 ms and 15 ms.
const SHORTEST: usize = 5;
const LONGEST: usize = 30;
/// Half milliseconds over which one stretch fades into the other.
const OVERLAP: usize = 14;
/// Waiting sound that is looked at, in microseconds: enough to leave out the longest.
pub(super) const NEEDED: i64 = 30_000;
/// Samples looked at, at most: the same at 16 kHz, and the history.
const LOOK: usize = HISTORY + 40 * 16;
/// So much alike must voices be.
const ALIKE: f32 = 0.88;

/// What is to be done about the delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Leave something out.
    Faster,
    /// Repeat something.
    Slower,
}

/// Its working room.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    look: Box<[f32; LOOK]>,
}

/// Where to jump from, how far, and how well that fits.
#[derive(Clone, Copy, Debug)]
struct Joint {
    at: usize,
    lag: usize,
    alike: f32,
}

impl Stretch {
    pub(super) fn new() -> Self {
        Self { look: Box::new([0.0; LOOK]) }
    }

    /// Leaves out or repeats one stretch of what waits, of at most `most` samples; `pause` says that what waits is a
    /// pause, where everything fits. Returns how many samples that were; 0 when nothing fits.
    pub(super) fn once(&mut self, wave: &mut Wave, rate: u32, way: Way, most: usize, pause: bool) -> usize {
        let half = rate as usize / 2000;
        let overlap = OVERLAP * half;
        let waiting = wave.waiting().len().min(LOOK - HISTORY);
        let longest = (LONGEST * half).min(most);
        let shortest = if pause { LONGEST * half / 3 } else { SHORTEST * half };
        if longest < shortest || waiting < overlap {
            return 0;
        }
        widen(wave.played(), &mut self.look[..HISTORY]);
        widen(&wave.waiting()[..waiting], &mut self.look[HISTORY..]);
        let joint = self.find(way, waiting, overlap, shortest..=longest, half);
        let Some(joint) = joint.filter(|joint| pause || joint.alike >= ALIKE) else { return 0 };
        let from = HISTORY + joint.at;
        let to = match way {
            Way::Faster => from + joint.lag,
            Way::Slower => from - joint.lag,
        };
        let mut joined = [0; OVERLAP * 8];
        for (n, sample) in joined[..overlap].iter_mut().enumerate() {
            let (old, new) = fade((n + 1) as f32 / (overlap + 1) as f32, joint.alike);
            *sample = rounded(self.look[from + n] * old + self.look[to + n] * new);
        }
        match way {
            Way::Faster => wave.cut(joint.at, joint.lag),
            Way::Slower => wave.repeat(joint.at, joint.lag),
        }
        wave.waiting_mut()[joint.at..joint.at + overlap].copy_from_slice(&joined[..overlap]);
        joint.lag
    }

    /// The joint that fits best.
    fn find(
        &self,
        way: Way,
        waiting: usize,
        overlap: usize,
        lags: std::ops::RangeInclusive<usize>,
        half: usize,
    ) -> Option<Joint> {
        // At 16 kHz every other lag first; a peak is wider than that.
        let step = (half / 4).max(1);
        let mut best: Option<Joint> = None;
        let mut consider = |at: usize, lag: usize| {
            let reach = if way == Way::Faster { at + lag + overlap } else { at + overlap };
            if reach > waiting || way == Way::Slower && lag > HISTORY + at {
                return;
            }
            let from = HISTORY + at;
            let to = if way == Way::Faster { from + lag } else { from - lag };
            let alike = alike(&self.look[from..from + overlap], &self.look[to..to + overlap]);
            if best.is_none_or(|best| alike > best.alike) {
                best = Some(Joint { at, lag, alike });
            }
        };
        for at in (0..=waiting.saturating_sub(overlap)).step_by(6 * half) {
            for lag in lags.clone().step_by(step) {
                consider(at, lag);
            }
        }
        let coarse = best?;
        if step > 1 {
            let mut consider = |lag: usize| {
                let from = HISTORY + coarse.at;
                let fits = way == Way::Slower || coarse.at + lag + overlap <= waiting;
                if !lags.contains(&lag) || !fits {
                    return;
                }
                let to = if way == Way::Faster { from + lag } else { from - lag };
                let alike = alike(&self.look[from..from + overlap], &self.look[to..to + overlap]);
                if best.is_none_or(|best| alike > best.alike) {
                    best = Some(Joint { lag, alike, ..coarse });
                }
            };
            consider(coarse.lag - 1);
            consider(coarse.lag + 1);
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave_of(samples: &[i16], played: usize) -> Wave {
        let mut wave = Wave::new();
        wave.room(samples.len()).copy_from_slice(samples);
        wave.add(samples.len());
        wave.play(&mut vec![0; played]);
        wave
    }

    fn voice(rate: u32, n: usize) -> i16 {
        let t = n as f64 / f64::from(rate) * std::f64::consts::TAU * 137.0;
        (6000.0 * t.sin() + 3000.0 * (2.0 * t + 1.0).sin()) as i16
    }

    #[test]
    fn a_voice_is_made_longer_and_shorter_by_one_period_without_a_step() {
        for rate in [8000u32, 16_000] {
            let samples: Vec<i16> = (0..rate as usize / 5).map(|n| voice(rate, n)).collect();
            let steepest = |s: &[i16]| s.windows(2).map(|w| (i32::from(w[1]) - i32::from(w[0])).abs()).max();
            for way in [Way::Faster, Way::Slower] {
                let mut wave = wave_of(&samples, rate as usize / 6);
                let before = wave.waiting().len();
                let lag = Stretch::new().once(&mut wave, rate, way, 10_000, false);
                let periods = lag as f64 * 137.0 / f64::from(rate);
                assert!(lag > 0 && (periods - periods.round()).abs() < 0.03, "{lag}");
                let after = wave.waiting().len();
                assert_eq!(after, if way == Way::Faster { before - lag } else { before + lag });
                assert!(steepest(wave.waiting()) <= steepest(&samples).map(|s| s + s / 50));
            }
        }
    }

    #[test]
    fn a_voice_that_is_not_alike_is_left_alone_unless_it_is_a_pause() {
        let mut state = 1u32;
        let noise: Vec<i16> = (0..1600)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 20) as i16 - 2048
            })
            .collect();
        for way in [Way::Faster, Way::Slower] {
            let mut wave = wave_of(&noise, 1200);
            assert_eq!(Stretch::new().once(&mut wave, 8000, way, 1000, false), 0);
            assert_eq!(wave.waiting(), &noise[1200..]);
            assert!(Stretch::new().once(&mut wave, 8000, way, 1000, true) >= 80);
        }
    }
}
