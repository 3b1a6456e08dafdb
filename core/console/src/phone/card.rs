//! A card as it is typed: its number, then its PIN, each in a line of its own that nobody keeps.

use base::Secret;

/// How far it has come.
pub(crate) enum Entry {
    Number,
    Pin(Secret<String>),
}

/// What a line has made of it.
pub(crate) enum Then {
    /// The next one is awaited.
    More(Entry),
    /// It is whole.
    Whole { number: Secret<String>, pin: Secret<String> },
    /// Nothing was typed: the person does not want to.
    Nothing,
}

impl Entry {
    pub(crate) const fn prompt(&self) -> &'static str {
        match self {
            Self::Number => "the card's number? (nothing: never mind)",
            Self::Pin(_) => "its PIN? (nothing: it has none)",
        }
    }

    /// Takes a line, and whatever it leaves of it is wiped.
    pub(crate) fn line(self, line: String) -> Then {
        let line = Secret::new(line);
        match self {
            // As it is printed, in groups.
            Self::Number => {
                let mut number = String::with_capacity(line.expose().len());
                number.extend(line.expose().chars().filter(|it| !it.is_whitespace()));
                if number.is_empty() { Then::Nothing } else { Then::More(Self::Pin(Secret::new(number))) }
            }
            Self::Pin(number) => Then::Whole { number, pin: Secret::new(line.expose().trim().to_owned()) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_two_lines_and_an_empty_first_one_is_none() {
        let Then::More(entry) = Entry::Number.line(" 1234 5678\r".into()) else { panic!("a PIN is next") };
        let Then::Whole { number, pin } = entry.line(" 42 ".into()) else { panic!("it is whole") };
        assert_eq!((&**number.expose(), &**pin.expose()), ("12345678", "42"));
        assert!(matches!(Entry::Number.line(" \t".into()), Then::Nothing));
    }
}
