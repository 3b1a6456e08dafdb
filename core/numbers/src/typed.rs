//! What a person typed, taken apart: whom to call, whether to be seen, and what to press once they answer.
//!
//! `#31#` before a number hides the caller for one call and `*31#` shows it (3GPP TS 22.030 section 6.5.2, annex B). Behind
//! it a comma or `p` waits two seconds, a semicolon or `w` for the person, and what follows are keys (3GPP TS 22.101
//! annex A.21 calls them post-dial).

/// Whether the called person is to see who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Showing {
    /// In spite of the account's setting.
    Show,
    /// In spite of the account's setting.
    Hide,
}

/// The parts of what was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// Whom: a number without what people put between digits, or an address as it was typed.
    pub whom: String,
    /// For this call alone.
    pub showing: Option<Showing>,
    /// Keys to press when they have answered: digits, `,` for two seconds, `;` until the person says so.
    pub keys: Option<String>,
}

impl Typed {
    /// Takes `text` apart. What has a letter beside its digits is spelled by the keys of a telephone only if it begins like a
    /// number (`1-800-FLOWERS`): `bob2` is a name.
    pub fn of(text: &str) -> Self {
        let text = text.trim();
        let lower = text.to_ascii_lowercase();
        if ["sip:", "sips:", "tel:"].iter().any(|scheme| lower.starts_with(scheme)) || text.contains('@') {
            return Self { whom: text.to_owned(), showing: None, keys: None };
        }
        let (showing, rest) = match (text.strip_prefix("#31#"), text.strip_prefix("*31#")) {
            (Some(rest), _) if !rest.is_empty() => (Some(Showing::Hide), rest),
            (_, Some(rest)) if !rest.is_empty() => (Some(Showing::Show), rest),
            _ => (None, text),
        };
        let (whom, keys) = split(rest);
        let Some(whom) = number(whom) else {
            return Self { whom: text.to_owned(), showing: None, keys: None };
        };
        Self { whom, showing, keys: keys.and_then(pressed) }
    }
}

impl Typed {
    /// Whether it is a number, and not an address or a name.
    pub fn is_number(&self) -> bool {
        let digits = self.whom.strip_prefix('+').unwrap_or(&self.whom);
        !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit() || b"*#".contains(&it))
    }
}

/// At the first pause behind a digit.
fn split(text: &str) -> (&str, Option<&str>) {
    let mut seen = false;
    for (at, letter) in text.char_indices() {
        let pause = matches!(letter, ',' | ';') || matches!(letter, 'p' | 'P' | 'w' | 'W') && !has_word(text);
        if pause && seen {
            return (&text[..at], Some(&text[at..]));
        }
        seen |= letter.is_ascii_digit();
    }
    (text, None)
}

/// Whether it has letters that are no pauses: then all of its letters are a word's.
fn has_word(text: &str) -> bool {
    text.chars().any(|it| it.is_ascii_alphabetic() && !matches!(it, 'p' | 'P' | 'w' | 'W'))
}

/// Digits, spelled ones too; `None`: it is no number.
fn number(text: &str) -> Option<String> {
    let mut number = String::new();
    let (mut digits, mut letters) = (0, 0);
    for letter in text.chars() {
        match letter {
            '+' if number.is_empty() => number.push('+'),
            '0'..='9' | '*' | '#' => {
                digits += 1;
                number.push(letter);
            }
            'a'..='z' | 'A'..='Z' if digits > 2 || number.len() > 1 && number.starts_with('1') => {
                letters += 1;
                number.push(key(letter));
            }
            ' ' | '\u{a0}' | '-' | '.' | '(' | ')' | '/' => {}
            // An Arabic or Indian keyboard has digits of its own.
            other => {
                number.push(char::from_digit(decimal(other)?, 10)?);
                digits += 1;
            }
        }
    }
    // `1002a` is a name with digits in it; a word on a keypad has some letters.
    (digits > 0 && (letters == 0 || letters > 2)).then_some(number)
}

/// ITU-T E.161.
fn key(letter: char) -> char {
    match letter.to_ascii_lowercase() {
        'a'..='c' => '2',
        'd'..='f' => '3',
        'g'..='i' => '4',
        'j'..='l' => '5',
        'm'..='o' => '6',
        'p'..='s' => '7',
        't'..='v' => '8',
        _ => '9',
    }
}

/// The value of a digit of Arabic, Persian, Devanagari, Bengali or full width.
fn decimal(letter: char) -> Option<u32> {
    let zero = ['\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{ff10}'];
    let value = |zero: char| (letter as u32).checked_sub(zero as u32).filter(|value| *value < 10);
    zero.into_iter().find_map(value)
}

/// Keys and pauses, in two letters of pause alone.
fn pressed(text: &str) -> Option<String> {
    let mut keys = String::new();
    for letter in text.chars() {
        match letter {
            ',' | 'p' | 'P' => keys.push(','),
            ';' | 'w' | 'W' => keys.push(';'),
            '0'..='9' | '*' | '#' => keys.push(letter),
            _ => {}
        }
    }
    keys.chars().any(|it| !matches!(it, ',' | ';')).then_some(keys)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_typed_is_taken_apart_into_whom_how_seen_and_what_to_press() {
        let hide = Some(Showing::Hide);
        for (text, whom, showing, keys) in [
            ("1002", "1002", None, None),
            (" +49 (30) 123-456 ", "+4930123456", None, None),
            ("#31#030123", "030123", hide, None),
            ("*31#030123", "030123", Some(Showing::Show), None),
            ("#31#", "#31#", None, None),
            ("*21#", "*21#", None, None),
            ("0301,,12#", "0301", None, Some(",,12#")),
            ("0301;7 8", "0301", None, Some(";78")),
            ("0301p12w3", "0301", None, Some(",12;3")),
            ("0301,", "0301", None, None),
            ("1-800-FLOWERS", "18003569377", None, None),
            ("٠٣٠١", "0301", None, None),
            ("bob", "bob", None, None),
            ("bob2", "bob2", None, None),
            ("ann.smith", "ann.smith", None, None),
            ("sip:bob@example.com;transport=tcp", "sip:bob@example.com;transport=tcp", None, None),
            ("bob@example.com", "bob@example.com", None, None),
            ("tel:+1-201-555-0123;ext=7", "tel:+1-201-555-0123;ext=7", None, None),
            ("#31#bob", "#31#bob", None, None),
            ("", "", None, None),
        ] {
            let expected = Typed { whom: whom.into(), showing, keys: keys.map(str::to_owned) };
            assert_eq!(Typed::of(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_typed_breaks_it(text in ".{0,60}") {
            let _ = Typed::of(&text);
        }
    }
}
