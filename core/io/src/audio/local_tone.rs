//! The tone that sounds beside the calls: its country's, faded out where it is cut off.
//!
//! Which tone is due is `phone`'s policy, how it goes `media`'s. Knows no devices.

use media::tones::{Country, Tones};
use phone::Tone;

use super::{FRAME, RATE};

/// Whether ringback, busy and their like are played, where the network plays none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalTones {
    /// Whoever started the phone plays them.
    Off,
    /// As the exchanges of this country do.
    Of(Country),
}

/// Of a country that is not known.
impl Default for LocalTones {
    fn default() -> Self {
        Self::Of(Country::default())
    }
}

#[derive(Debug)]
struct Playing {
    tones: Tones,
    /// By so many times 6 dB.
    softer: u32,
}

#[derive(Debug)]
pub(super) struct LocalTone {
    of: LocalTones,
    now: Option<Playing>,
    /// In the next 20 ms it fades out, and then comes the next.
    fades: bool,
    next: Option<Playing>,
}

impl LocalTone {
    pub(super) const fn new(of: LocalTones) -> Self {
        Self { of, now: None, fades: false, next: None }
    }

    /// This one from now on.
    pub(super) fn set(&mut self, tone: Option<Tone>) {
        let playing = match (self.of, tone) {
            (LocalTones::Off, _) | (_, None) => None,
            (LocalTones::Of(country), Some(kind)) => {
                // It knocks; it does not drown who is talking.
                let softer = if kind == Tone::CallWaiting { 2 } else { 0 };
                Some(Playing { tones: Tones::new(country, kind), softer })
            }
        };
        if self.now.is_some() {
            (self.fades, self.next) = (true, playing);
        } else {
            self.now = playing;
        }
    }

    /// Whether it has something to say, be it the last of a fade or a pause between two beeps.
    pub(super) const fn sounds(&self) -> bool {
        self.now.is_some()
    }

    /// Adds the next 20 ms to what is heard.
    pub(super) fn add(&mut self, heard: &mut [i32; FRAME]) {
        let Some(Playing { tones, softer }) = &mut self.now else { return };
        let mut frame = [0; FRAME];
        tones.fill(&mut frame, RATE);
        for (n, (sum, sample)) in heard.iter_mut().zip(frame).enumerate() {
            let left = if self.fades { FRAME - n } else { FRAME };
            *sum += (i32::from(sample) * left as i32 / FRAME as i32) >> *softer;
        }
        if std::mem::take(&mut self.fades) {
            self.now = self.next.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(tone: &mut LocalTone) -> [i32; FRAME] {
        let mut sum = [0; FRAME];
        tone.add(&mut sum);
        sum
    }

    fn loudest(frame: &[i32]) -> i32 {
        frame.iter().map(|sample| sample.abs()).max().unwrap()
    }

    #[test]
    fn a_tone_that_is_cut_off_fades_and_is_gone_after_20_ms() {
        let mut tone = LocalTone::new(LocalTones::default());
        tone.set(Some(Tone::Busy));
        heard(&mut tone);
        let loud = loudest(&heard(&mut tone));
        tone.set(None);
        assert!(tone.sounds());
        let last = heard(&mut tone);
        assert!(loudest(&last[..80]) > loud / 2 && loudest(&last[FRAME - 16..]) < loud / 10);
        assert!(!tone.sounds() && heard(&mut tone) == [0; FRAME]);
    }

    #[test]
    fn the_last_of_hasty_changes_is_played() {
        let mut tone = LocalTone::new(LocalTones::default());
        for kind in [Some(Tone::Ringback), None, Some(Tone::Busy), None, Some(Tone::CallWaiting)] {
            tone.set(kind);
        }
        heard(&mut tone);
        assert!(tone.sounds() && loudest(&heard(&mut tone)) > 0);
        tone.set(None);
        heard(&mut tone);
        assert!(!tone.sounds());
    }

    #[test]
    fn who_knocks_during_a_talk_does_so_softly() {
        let loud = |kind| {
            let mut tone = LocalTone::new(LocalTones::default());
            tone.set(Some(kind));
            (0..5).map(|_| loudest(&heard(&mut tone))).max().unwrap()
        };
        let (ringback, knock) = (loud(Tone::Ringback), loud(Tone::CallWaiting));
        assert!((ringback / 5..ringback / 3).contains(&knock), "{ringback} {knock}");
    }

    #[test]
    fn switched_off_nothing_sounds() {
        let mut tone = LocalTone::new(LocalTones::Off);
        tone.set(Some(Tone::Ringback));
        assert!(!tone.sounds() && heard(&mut tone) == [0; FRAME]);
    }
}
