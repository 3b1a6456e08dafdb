//! How loud it is: a level meter in dBov.
//!
//! dBov as RFC 6464 section 3 uses it: 0 is the overload point's square wave, speech lies near -26, -127 is
//! digital silence. Knows nothing of hearing or of tone against noise.

/// A meter that rises at once and falls slowly enough to be read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Level {
    /// Mean square of the samples, after the fall's smoothing.
    power: f32,
}

impl Level {
    /// The level of digital silence.
    pub const FLOOR_DBOV: f32 = -127.0;

    /// The share of the old power that is left after a frame of 20 ms: about -20 dB in 300 ms.
    const FALL: f32 = 0.74;

    /// Takes one frame.
    pub fn feed(&mut self, frame: &[i16]) {
        self.power = power(frame).max(self.power * Self::FALL);
    }

    /// The level now, -127.0..=0.0.
    pub fn dbov(self) -> f32 {
        to_dbov(self.power)
    }
}

/// How loud speech is, and how loud the pauses are: told apart by the quietest that is heard.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct VoiceLevel {
    /// Mean squares; `None` before the first.
    noise: Option<f32>,
    speech: Option<f32>,
}

impl VoiceLevel {
    /// Speech is this much louder than what is heard in pauses: 10 dB.
    const ABOVE: f32 = 10.0;
    /// And louder than this, -55 dBov: below it nobody understands a word.
    const LEAST: f32 = 32_768.0 * 32_768.0 * 3.16e-6;
    /// The floor rises by this factor a frame of 20 ms, 1 dB a second, so that a background that grew is one again.
    const RISE: f32 = 1.004_62;
    /// The share of a new frame in the level of speech: a second's memory.
    const SHARE: f32 = 0.02;

    /// Takes one frame.
    pub(crate) fn feed(&mut self, frame: &[i16]) {
        let power = power(frame);
        // Digital silence is no background: nothing is played, or somebody has muted.
        if power < 1.0 {
            return;
        }
        let noise = self.noise.map_or(power, |noise| power.min(noise * Self::RISE));
        self.noise = Some(noise);
        if power > (noise * Self::ABOVE).max(Self::LEAST) {
            let speech = self.speech.get_or_insert(power);
            *speech += (power - *speech) * Self::SHARE;
        }
    }

    /// Of speech and of pauses; `None` before any was heard.
    pub(crate) fn dbov(self) -> (Option<f32>, Option<f32>) {
        (self.speech.map(to_dbov), self.noise.filter(|_| self.speech.is_some()).map(to_dbov))
    }
}

/// The mean square.
fn power(frame: &[i16]) -> f32 {
    let sum: i64 = frame.iter().map(|s| i64::from(*s) * i64::from(*s)).sum();
    sum as f32 / frame.len().max(1) as f32
}

fn to_dbov(power: f32) -> f32 {
    let full = 32_768.0_f32 * 32_768.0;
    (10.0 * (power / full).log10()).clamp(Level::FLOOR_DBOV, 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speech_and_the_noise_between_it_are_measured_apart() {
        let mut level = VoiceLevel::default();
        level.feed(&[0; 160]);
        assert_eq!(level.dbov(), (None, None));
        for n in 0..500 {
            level.feed(&[if n % 50 < 25 { 3277 } else { 33 }; 160]);
        }
        let (speech, noise) = level.dbov();
        assert!((speech.unwrap() + 20.0).abs() < 0.1, "{speech:?}");
        assert!((noise.unwrap() + 60.0).abs() < 1.0, "{noise:?}");
    }

    #[test]
    fn silence_a_sine_and_overload_read_as_defined() {
        let mut silent = Level::default();
        silent.feed(&[0; 160]);
        assert!((silent.dbov() - Level::FLOOR_DBOV).abs() < 1e-3);

        let mut full = Level::default();
        full.feed(&[i16::MIN; 160]);
        assert!(full.dbov().abs() < 1e-3);

        let sine: Vec<i16> =
            (0..160).map(|n| ((n as f32 * std::f32::consts::TAU / 16.0).sin() * 32_767.0) as i16).collect();
        let mut tone = Level::default();
        tone.feed(&sine);
        assert!((tone.dbov() + 3.01).abs() < 0.01, "{}", tone.dbov());
    }

    #[test]
    fn it_rises_at_once_and_falls_slowly() {
        let mut level = Level::default();
        level.feed(&[10_000; 160]);
        let loud = level.dbov();
        level.feed(&[0; 160]);
        assert!(level.dbov() < loud && level.dbov() > loud - 3.0);
    }
}
