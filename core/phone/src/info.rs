//! Keypad digits in the body of an INFO: one digit each, in the two forms that the field has agreed on.
//!
//! RFC 6086 carries it and says nothing of the body; `application/dtmf-relay` (`Signal=5`, `Duration=160`) is what gateways
//! send, `application/dtmf` (`5`) what some exchanges do, `application/hook-flash` tells of the flash. Knows no calls.

use media::dtmf::Digit;

/// How long a digit is said to be, in milliseconds: what gateways say.
const DURATION_MS: u32 = 160;

/// A form that digits take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Form {
    /// `application/dtmf-relay`.
    #[default]
    Relay,
    /// `application/dtmf`.
    Plain,
}

/// The Content-Type and body that tell of a digit.
pub(crate) fn write(digit: Digit, form: Form) -> (&'static str, String) {
    match (digit.as_char(), form) {
        ('!', _) => ("application/hook-flash", "signal=hf\r\n".into()),
        (name, Form::Relay) => {
            ("application/dtmf-relay", format!("Signal={name}\r\nDuration={DURATION_MS}\r\n"))
        }
        (name, Form::Plain) => ("application/dtmf", format!("{name}\r\n")),
    }
}

/// The digit that an INFO tells of; `None`: it is about something else, or cannot be read.
pub(crate) fn read(content_type: &str, body: &[u8]) -> Option<Digit> {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let text = std::str::from_utf8(body).ok()?;
    if kind.eq_ignore_ascii_case("application/hook-flash") {
        return Digit::from_char('!');
    }
    let is_relay = kind.eq_ignore_ascii_case("application/dtmf-relay");
    if !is_relay && !kind.eq_ignore_ascii_case("application/dtmf") {
        return None;
    }
    let signal = text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        name.trim().eq_ignore_ascii_case("signal").then_some(value)
    });
    // Some write the plain form as the relay's.
    digit(signal.or_else(|| (!is_relay).then(|| text.lines().next().unwrap_or_default()))?.trim())
}

/// As itself, or as the code of its telephone event.
fn digit(name: &str) -> Option<Digit> {
    let mut letters = name.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) => Digit::from_char(letter),
        _ => Digit::from_event(name.parse().ok()?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(content_type: &str, body: &str) -> Option<char> {
        read(content_type, body.as_bytes()).map(Digit::as_char)
    }

    #[test]
    fn every_digit_is_read_as_it_was_written() {
        for digit in "0123456789*#ABCD!".chars().map(|name| Digit::from_char(name).unwrap()) {
            for form in [Form::Relay, Form::Plain] {
                let (content_type, body) = write(digit, form);
                assert!(read(content_type, body.as_bytes()) == Some(digit), "{content_type} {body}");
            }
        }
    }

    #[test]
    fn what_the_field_writes_is_read() {
        for (content_type, body, digit) in [
            ("application/dtmf-relay", "Signal= 5\r\nDuration= 250\r\n", Some('5')),
            ("Application/DTMF-Relay; charset=x", "signal=#", Some('#')),
            ("application/dtmf-relay", "Duration=100\nSignal=11\n", Some('#')),
            ("application/dtmf-relay", "Signal=16", Some('!')),
            ("application/dtmf", "7", Some('7')),
            ("application/dtmf", "10\r\n", Some('*')),
            ("application/dtmf", "Signal=3\r\nDuration=160", Some('3')),
            ("application/hook-flash", "", Some('!')),
            ("application/dtmf-relay", "5", None),
            ("application/dtmf-relay", "Signal=17", None),
            ("application/dtmf", "", None),
            ("text/plain", "5", None),
        ] {
            assert_eq!(name(content_type, body), digit, "{content_type} {body:?}");
        }
        assert!(read("application/dtmf", b"\xff").is_none());
    }
}
