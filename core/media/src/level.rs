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
        let sum: i64 = frame.iter().map(|s| i64::from(*s) * i64::from(*s)).sum();
        let power = sum as f32 / frame.len().max(1) as f32;
        self.power = power.max(self.power * Self::FALL);
    }

    /// The level now, -127.0..=0.0.
    pub fn dbov(self) -> f32 {
        let full = 32_768.0_f32 * 32_768.0;
        (10.0 * (self.power / full).log10()).clamp(Self::FLOOR_DBOV, 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
