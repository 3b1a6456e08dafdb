//! The beep that tells both sides of a call that it is recorded.
//!
//! 1400 Hz every 15 seconds is the customary one; a country's law may ask for another, or for words. Knows no
//! recording.

use crate::oscillator::{Oscillator, TICKS_PER_MS, swell, ticks_per_sample};

const HZ: u32 = 1400;
const LASTS: u32 = 200 * TICKS_PER_MS;
/// From one beginning to the next.
const EVERY: u32 = 15_000 * TICKS_PER_MS;
/// Of a sine at -20 dBov, where 0 is a full square wave: heard beside speech and not above it.
const AMPLITUDE: f32 = 32_768.0 * std::f32::consts::SQRT_2 / 10.0;

/// A beep now, and again every 15 seconds.
#[derive(Clone, Debug, Default)]
pub struct Beep {
    sine: Oscillator,
    /// Since the last one began.
    at: u32,
}

impl Beep {
    /// Fills any number of samples, at 8, 16 or 48 kHz; between two beeps, with silence.
    pub fn fill(&mut self, frame: &mut [i16], rate: u32) {
        let ticks = ticks_per_sample(rate);
        for sample in frame {
            *sample = 0;
            if self.at < LASTS {
                let sine = self.sine.next(HZ, rate);
                *sample = (sine * AMPLITUDE * swell(self.at, LASTS)) as i16;
            }
            self.at += ticks;
            if self.at >= EVERY {
                *self = Self::default();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Level;

    #[test]
    fn it_sounds_for_a_fifth_of_a_second_every_15_seconds_at_20_dbov() {
        for rate in [8000, 16_000, 48_000] {
            let mut beep = Beep::default();
            let mut frames = vec![vec![0; rate as usize / 50]; 1600];
            for frame in &mut frames {
                beep.fill(frame, rate);
            }
            let sounding: Vec<usize> = (0..1600).filter(|n| frames[*n].iter().any(|s| *s != 0)).collect();
            let wanted: Vec<usize> = [0..10, 750..760, 1500..1510].into_iter().flatten().collect();
            assert_eq!(sounding, wanted, "{rate} Hz");
            let mut level = Level::default();
            level.feed(&frames[5]);
            assert!((level.dbov() + 20.0).abs() < 0.1, "{} dBov", level.dbov());
            let turns = frames[0..10].concat().windows(2).filter(|w| w[0] < 0 && w[1] >= 0).count();
            assert!((278..=280).contains(&turns), "{turns} turns at {rate} Hz");
        }
    }
}
