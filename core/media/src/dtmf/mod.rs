//! Keypad digits: what can be pressed, the four bytes that tell of it as a telephone event, and the two tones of it.
//!
//! RFC 4733 sections 2.3 and 3.2, and RFC 2833's hook flash, at whichever clock the audio has; ITU-T Q.23 and Q.24 for
//! who takes no events. Digits are passwords: none of the types here shows one by `Debug`. Knows nothing of which way a
//! call goes.

mod detector;
mod receiver;
mod sender;
mod tone;

use std::fmt;
use std::time::Duration;

use thiserror::Error;

pub use detector::Detector;
pub use receiver::Receiver;
pub use sender::Sender;
pub use tone::Tones;

/// What a comma is worth, as in every modem's dial string.
pub const PAUSE: Duration = Duration::from_secs(2);
/// The event clock when the SDP says nothing, in Hz. RFC 4733 section 2.4.
const CLOCK: u32 = 8000;
/// The longest that a report can say, in ticks: longer events come in segments. RFC 4733 section 2.5.1.3.
const SEGMENT: u32 = 0xffff;
/// Bytes of one report. RFC 4733 section 2.3.
const REPORT: usize = 4;

/// The ticks in a millisecond of a clock of so many Hz: 8 to 48 for every codec that there is.
fn ticks_per_ms(clock: u32) -> u32 {
    (clock / 1000).clamp(1, 192)
}

/// A key of the keypad, by its event code. RFC 4733 section 3.2.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digit(u8);

impl Digit {
    /// `0` to `9`, `*`, `#`, `A` to `D`, and `!`, the hook flash: the place is the code.
    const NAMES: [u8; 17] = *b"0123456789*#ABCD!";

    /// Reads a digit; letters in any case.
    pub fn from_char(name: char) -> Option<Self> {
        let code = Self::NAMES.iter().position(|known| char::from(*known) == name.to_ascii_uppercase())?;
        Some(Self(code as u8))
    }

    /// As people write it.
    pub fn as_char(self) -> char {
        char::from(Self::NAMES[usize::from(self.0)])
    }

    /// The hook flash is no tone, and has no volume.
    const fn is_tone(self) -> bool {
        self.0 < 16
    }

    /// By the code of its telephone event.
    pub fn from_event(code: u8) -> Option<Self> {
        (usize::from(code) < Self::NAMES.len()).then_some(Self(code))
    }
}

impl fmt::Debug for Digit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[digit]")
    }
}

/// By which way a digit came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Told as a telephone event.
    Event,
    /// Heard in the voice.
    Tone,
}

/// One step of what a person dials into a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A digit.
    Digit(Digit),
    /// `,`: nothing for two seconds.
    Pause,
}

/// What a person dials into a call: never empty, never longer than [`Keys::MOST`].
#[derive(Clone, PartialEq, Eq)]
pub struct Keys(Vec<Key>);

/// Not a row of keys. Say so beside the text field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("digits are 0 to 9, *, #, A to D, ! for a flash and a comma for a pause, at most {}", Keys::MOST)]
pub struct BadKeys;

impl Keys {
    /// The most at one time: longer than any card number with its pauses.
    pub const MOST: usize = 64;

    /// Reads what was typed.
    ///
    /// # Errors
    /// [`BadKeys`]: one of them is no key, or there are none or too many.
    pub fn read(typed: &str) -> Result<Self, BadKeys> {
        let key = |name| if name == ',' { Some(Key::Pause) } else { Digit::from_char(name).map(Key::Digit) };
        let keys: Vec<Key> =
            typed.chars().take(Self::MOST + 1).map(key).collect::<Option<_>>().ok_or(BadKeys)?;
        if (1..=Self::MOST).contains(&keys.len()) { Ok(Self(keys)) } else { Err(BadKeys) }
    }

    /// These, if there are neither none nor too many.
    pub fn of(keys: impl IntoIterator<Item = Key>) -> Option<Self> {
        let keys: Vec<Key> = keys.into_iter().collect();
        (1..=Self::MOST).contains(&keys.len()).then_some(Self(keys))
    }

    /// How many; never 0.
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = Key> {
        self.0.iter().copied()
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} keys]", self.0.len())
    }
}

/// Which events one side takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Events(u32);

impl Events {
    /// Every digit that is a tone: what is meant when nothing is said. RFC 4733 section 2.5.1.1.
    pub const TONES: Self = Self(0xffff);

    /// Those in this range of codes, and those before it. Codes that are no digit are let pass.
    #[must_use]
    pub fn with(self, codes: std::ops::RangeInclusive<u8>) -> Self {
        let codes = (0..=16).filter(|code| codes.contains(code));
        Self(codes.fold(self.0, |known, code| known | 1 << code))
    }

    /// None at all.
    pub const fn none() -> Self {
        Self(0)
    }

    /// Whether this digit is among them.
    pub fn has(self, digit: Digit) -> bool {
        self.0 & 1 << digit.0 != 0
    }

    /// Whether all of these can be sent.
    pub fn takes(self, keys: &Keys) -> bool {
        keys.iter().all(|key| match key {
            Key::Digit(digit) => self.has(digit),
            Key::Pause => true,
        })
    }
}

/// What a packet tells of an event: RFC 4733 figure 1.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Report {
    event: u8,
    /// It is over.
    end: bool,
    /// In -dBm0: 0 is the loudest.
    volume: u8,
    /// Since its beginning, which is the packet's timestamp, in ticks.
    duration: u16,
}

impl Report {
    fn read(bytes: [u8; REPORT]) -> Self {
        let [event, flags, high, low] = bytes;
        Self {
            event,
            end: flags & 0x80 != 0,
            volume: flags & 0x3f,
            duration: u16::from_be_bytes([high, low]),
        }
    }

    fn write(self) -> [u8; REPORT] {
        let [high, low] = self.duration.to_be_bytes();
        [self.event, u8::from(self.end) << 7 | self.volume & 0x3f, high, low]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_in_any_case_and_nothing_else_is_a_key() {
        let shown = |keys: &Keys| -> String {
            keys.iter().map(|key| if let Key::Digit(digit) = key { digit.as_char() } else { ',' }).collect()
        };
        assert_eq!(Keys::read("0123456789*#abcdAD!,").map(|k| shown(&k)), Ok("0123456789*#ABCDAD!,".into()));
        for typed in ["", "12e", "1 2", "+49", "１", "1\u{300}", &"1".repeat(65)] {
            assert_eq!(Keys::read(typed), Err(BadKeys), "{typed}");
        }
        assert!(Keys::read(&"1".repeat(64)).is_ok());
    }

    #[test]
    fn no_digit_is_shown_by_debug() {
        let keys = Keys::read("4711").unwrap();
        let mut sender = Sender::default();
        sender.press(&keys);
        let printed = format!("{keys:?} {:?} {sender:?}", Digit::from_char('4'));
        assert!(printed.contains("[4 keys] Some([digit])") && !printed.contains("Digit(4"), "{printed}");
    }

    #[test]
    fn a_report_is_four_bytes() {
        let report = Report { event: 11, end: true, volume: 10, duration: 1280 };
        assert_eq!(report.write(), [11, 0x8a, 0x05, 0x00]);
        // The R bit is to be ignored.
        assert!(Report::read([11, 0xca, 0x05, 0x00]) == report);
    }

    #[test]
    fn who_takes_eleven_events_takes_no_letters() {
        let events = Events::none().with(0..=9).with(10..=11).with(16..=255);
        assert!(events.takes(&Keys::read("0,9*#").unwrap()) && !events.takes(&Keys::read("1A").unwrap()));
        assert!(Events::none().with(0..=255).takes(&Keys::read("D!").unwrap()));
        assert!(
            Events::TONES.takes(&Keys::read("0D").unwrap())
                && !Events::TONES.takes(&Keys::read("!").unwrap())
        );
    }
}
