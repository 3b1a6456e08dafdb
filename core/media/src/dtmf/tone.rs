//! Digits out as they sound, for who takes no telephone events.
//!
//! ITU-T Q.23's eight frequencies, at the levels and lengths that Q.24's receivers are made for. A tone and the silence
//! after it take the voice's place; in a comma's pause the voice goes on, as it does beside telephone events. A hook
//! flash has no sound.

use std::collections::VecDeque;
use std::fmt;

use super::{Digit, Key, Keys, PAUSE};
use crate::oscillator::{Oscillator, TICKS_PER_MS, amplitude, faded, swell, ticks_per_sample};

/// The rows of the keypad, in Hz. ITU-T Q.23.
pub(super) const LOW: [u16; 4] = [697, 770, 852, 941];
/// The columns of the keypad, in Hz. ITU-T Q.23.
pub(super) const HIGH: [u16; 4] = [1209, 1336, 1477, 1633];
/// The keypad by row and column.
pub(super) const KEYPAD: [[u8; 4]; 4] = [*b"123A", *b"456B", *b"789C", *b"*0#D"];

/// The level of a row's tone, in dBm0.
const LOW_DBM0: f32 = -9.0;
/// The level of a column's tone, in dBm0: lines lose more of what is high.
const HIGH_DBM0: f32 = -7.0;
/// Tone, and silence after it, in ticks. Q.24 wants 40 ms of each; a packet may be lost of ours.
const SOUND: u32 = 100 * TICKS_PER_MS;
/// See [`SOUND`].
const SILENCE: u32 = 100 * TICKS_PER_MS;

/// The two frequencies of a digit, row and column; none of the hook flash.
pub(super) fn frequencies(digit: Digit) -> Option<(u16, u16)> {
    let name = digit.as_char();
    let row = KEYPAD.iter().position(|row| row.iter().any(|key| char::from(*key) == name))?;
    let column = KEYPAD[row].iter().position(|key| char::from(*key) == name)?;
    Some((LOW[row], HIGH[column]))
}

/// A keypad that is heard.
pub struct Tones {
    queue: VecDeque<Key>,
    phase: Phase,
    low: Oscillator,
    high: Oscillator,
    /// What a full swell is multiplied by.
    amplitudes: (f32, f32),
    skipped: u64,
}

/// ```text
///          digit            sounded           silent
///   Idle ---------> Sound ----------> Silence -------> Idle
///    |                                                  ^
///    +-------- comma -------> Pause --------------------+
/// ```
#[derive(Clone, Copy)]
enum Phase {
    Idle,
    Sound { hz: (u16, u16), at: u32, lasts: u32 },
    Silence { left: u32 },
    Pause { left: u32 },
}

/// Neither the digit that sounds is shown nor its sines: their phases would tell it.
impl fmt::Debug for Tones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tones").field("waiting", &self.queue.len()).finish_non_exhaustive()
    }
}

impl Default for Tones {
    fn default() -> Self {
        Self {
            queue: VecDeque::with_capacity(Keys::MOST),
            phase: Phase::Idle,
            low: Oscillator::default(),
            high: Oscillator::default(),
            amplitudes: (amplitude(LOW_DBM0), amplitude(HIGH_DBM0)),
            skipped: 0,
        }
    }
}

impl Tones {
    /// Presses these when all before them has been pressed.
    pub fn press(&mut self, keys: &Keys) {
        self.queue.extend(keys.iter());
    }

    /// Forgets what was not begun; a tone that sounds fades at once.
    pub fn clear(&mut self) {
        self.queue.clear();
        self.interrupt();
    }

    /// Nothing can be heard for a while: the digit that sounds is not taken up again.
    pub fn interrupt(&mut self) {
        if let Phase::Sound { at, lasts, .. } = &mut self.phase {
            *lasts = faded(*at).min(*lasts);
        }
    }

    /// Whether nothing sounds and nothing waits.
    pub fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle) && self.queue.is_empty()
    }

    /// Hook flashes that had no sound, since the beginning.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Puts what is pressed over the next samples of the voice, of any number, at 8, 16 or 48 kHz. Samples beside tones
    /// and their silences stay as they are. Whether any was replaced.
    pub fn fill(&mut self, frame: &mut [i16], rate: u32) -> bool {
        let ticks = ticks_per_sample(rate);
        let mut replaced = false;
        for sample in frame {
            if let Some(tone) = self.next(ticks, rate) {
                *sample = tone;
                replaced = true;
            }
        }
        replaced
    }

    fn next(&mut self, ticks: u32, rate: u32) -> Option<i16> {
        loop {
            match &mut self.phase {
                Phase::Idle => match self.queue.pop_front()? {
                    Key::Digit(digit) => match frequencies(digit) {
                        Some(hz) => self.phase = Phase::Sound { hz, at: 0, lasts: SOUND },
                        None => self.skipped += 1,
                    },
                    Key::Pause => self.phase = Phase::Pause { left: PAUSE.as_millis() as u32 * TICKS_PER_MS },
                },
                Phase::Sound { at, lasts, .. } if *at >= *lasts => {
                    self.phase = Phase::Silence { left: SILENCE };
                }
                Phase::Sound { hz: (low, high), at, lasts } => {
                    let swell = swell(*at, *lasts);
                    *at += ticks;
                    let low = self.low.next((*low).into(), rate) * self.amplitudes.0;
                    let high = self.high.next((*high).into(), rate) * self.amplitudes.1;
                    return Some(((low + high) * swell).round() as i16);
                }
                Phase::Silence { left: 0 } | Phase::Pause { left: 0 } => self.phase = Phase::Idle,
                Phase::Silence { left } => {
                    *left = left.saturating_sub(ticks);
                    return Some(0);
                }
                Phase::Pause { left } => {
                    *left = left.saturating_sub(ticks);
                    return None;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oscillator::tests::level_dbm0;

    /// What the voice is meanwhile: a value that no tone's silence has.
    const VOICE: i16 = 1234;

    fn samples(typed: &str, rate: u32, ms: u32, frame: usize) -> Vec<i16> {
        let mut tones = Tones::default();
        tones.press(&Keys::read(typed).unwrap());
        let mut all = vec![VOICE; (ms * rate / 1000) as usize];
        for frame in all.chunks_mut(frame) {
            let before = frame.to_vec();
            let replaced = tones.fill(frame, rate);
            assert_eq!(replaced, frame != before);
        }
        all
    }

    #[test]
    fn every_digit_is_its_two_frequencies_at_their_levels_and_nothing_else_within_20_db() {
        for rate in [8000, 16_000] {
            for (row, keys) in KEYPAD.iter().enumerate() {
                for (column, key) in keys.iter().enumerate() {
                    let name = char::from(*key);
                    let sound = samples(&name.to_string(), rate, 100, 160);
                    // The middle 80 ms, which is full.
                    let full = &sound[sound.len() / 10..sound.len() * 9 / 10];
                    let level = |hz: u16| level_dbm0(full, hz.into(), rate);
                    let (low, high) = (level(LOW[row]), level(HIGH[column]));
                    assert!((low + 9.0).abs() < 0.15 && (high + 7.0).abs() < 0.15, "{name}: {low} {high}");
                    let power = |dbm0: f64| 10_f64.powf(dbm0 / 10.0);
                    for harmonic in [2, 3] {
                        for hz in [LOW[row], HIGH[column]] {
                            let other = power(level(hz * harmonic));
                            assert!(other < power(low.max(high) - 20.0), "{name}: {hz} x {harmonic}");
                        }
                    }
                    let square = |s: &i16| f64::from(*s).powi(2);
                    let all = full.iter().map(square).sum::<f64>() / full.len() as f64;
                    let tones = (power(low) + power(high)) * f64::from(amplitude(0.0)).powi(2) / 2.0;
                    assert!((all / tones - 1.0).abs() < 0.05, "{name}: {}", all / tones);
                }
            }
        }
    }

    #[test]
    fn a_digit_is_100_ms_of_tone_and_100_ms_of_silence_whatever_the_frames_are() {
        for rate in [8000, 16_000, 48_000] {
            let ms = rate as usize / 1000;
            let sound = samples("15", rate, 450, 20 * ms);
            let silent = |from: usize, to: usize| sound[from * ms..to * ms].iter().all(|s| *s == 0);
            let loudest = |from: usize, to: usize| sound[from * ms..to * ms].iter().map(|s| s.abs()).max();
            assert!(loudest(10, 90) > Some(15_000) && loudest(210, 290) > Some(15_000));
            assert!(silent(100, 200) && silent(300, 400));
            assert!(sound[400 * ms..].iter().all(|s| *s == VOICE), "then the voice is back");
            for frame in [1, 7, 80, 1000] {
                assert!(samples("15", rate, 450, frame) == sound, "frames of {frame}");
            }
        }
    }

    #[test]
    fn it_swells_and_fades_without_a_click() {
        let sound = samples("D", 48_000, 100, 960);
        // The two sines at their steepest.
        let steepest =
            std::f32::consts::TAU / 48_000.0 * (941.0 * amplitude(-9.0) + 1633.0 * amplitude(-7.0));
        let jump = sound.windows(2).map(|w| (f32::from(w[1]) - f32::from(w[0])).abs()).fold(0.0, f32::max);
        assert!(jump < steepest * 1.02 && sound[0] == 0, "{jump} of {steepest}");
        assert!(sound[..48].iter().chain(&sound[4752..]).all(|s| s.abs() < 2000), "the first and last ms");
    }

    #[test]
    fn the_voice_goes_on_in_a_comma_and_a_flash_is_skipped_and_counted() {
        let sound = samples("1,!2", 8000, 2400, 160);
        assert!(sound[8 * 200..8 * 2200].iter().all(|s| *s == VOICE));
        assert!(sound[8 * 2210..8 * 2290].iter().any(|s| *s > 15_000));

        let mut tones = Tones::default();
        tones.press(&Keys::read("!!").unwrap());
        assert!(!tones.is_idle() && !tones.fill(&mut [VOICE; 160], 8000));
        assert!(tones.is_idle() && tones.skipped() == 2);
    }

    #[test]
    fn what_is_cleared_fades_and_the_rest_is_forgotten() {
        let mut tones = Tones::default();
        tones.press(&Keys::read("123").unwrap());
        tones.fill(&mut [0; 160], 8000);
        tones.clear();
        let mut frame = [VOICE; 160];
        assert!(tones.fill(&mut frame, 8000));
        assert!(frame[..20].iter().any(|s| s.abs() > 1000) && frame[40..].iter().all(|s| *s == 0));
        for _ in 0..5 {
            tones.fill(&mut frame, 8000);
        }
        assert!(tones.is_idle());
    }

    #[test]
    fn no_digit_is_shown_by_debug() {
        let mut tones = Tones::default();
        tones.press(&Keys::read("47").unwrap());
        tones.fill(&mut [0; 80], 8000);
        assert_eq!(format!("{tones:?}"), "Tones { waiting: 1, .. }");
    }
}
