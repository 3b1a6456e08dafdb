//! Which numbers a certificate is for: its TN Authorization List. RFC 8226 section 9.
//!
//! Not fetched: a list that is kept elsewhere (section 10.1). Knows not whose certificate it is.

#![allow(clippy::unnested_or_patterns)] // in what is derived

use der::asn1::{Ia5StringRef, ObjectIdentifier};
use der::{Choice, Decode as _, Sequence};

/// `id-pe-TNAuthList`.
pub(crate) const EXTENSION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.26");
/// Entries that are read; a list with more is for nothing.
const MOST: usize = 1000;

/// What a list names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// Codes of carriers: each stands for whatever numbers that carrier has.
    carriers: Vec<String>,
    /// The first, and how many.
    ranges: Vec<(String, u64)>,
    one: Vec<String>,
}

/// `TNEntry`; the module has explicit tags.
#[derive(Choice)]
enum Entry<'a> {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", constructed = "true")]
    Carrier(Ia5StringRef<'a>),
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", constructed = "true")]
    Range(Range<'a>),
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", constructed = "true")]
    One(Ia5StringRef<'a>),
}

/// `TelephoneNumberRange`.
#[derive(Sequence)]
struct Range<'a> {
    start: Ia5StringRef<'a>,
    count: u64,
}

impl Numbers {
    /// Reads a list. One that cannot be read, or is longer than any, is for no number.
    pub(crate) fn read(der: &[u8]) -> Self {
        let Ok(entries) = Vec::<Entry<'_>>::from_der(der) else { return Self::default() };
        let mut numbers = Self::default();
        if entries.len() > MOST {
            return numbers;
        }
        for entry in entries {
            match entry {
                Entry::Carrier(code) => numbers.carriers.push(code.as_str().to_owned()),
                Entry::Range(Range { start, count }) => {
                    numbers.ranges.push((start.as_str().to_owned(), count));
                }
                Entry::One(number) => numbers.one.push(number.as_str().to_owned()),
            }
        }
        numbers
    }

    /// The first carrier's code.
    pub(crate) fn carrier(&self) -> Option<&str> {
        self.carriers.first().map(String::as_str)
    }

    /// Whether all carriers of the other list are in this one, too.
    pub(crate) fn has_carriers(&self, other: &Self) -> bool {
        other.carriers.iter().all(|code| self.carriers.contains(code))
    }

    /// Whether that number (digits, `#`, `*`) is one of those that are listed themselves.
    pub(crate) fn lists(&self, number: &str) -> bool {
        let within = |(start, count): &(String, u64)| {
            let place =
                |text: &str| text.bytes().all(|it| it.is_ascii_digit()).then(|| text.parse::<u64>().ok());
            // Numbers of another length are not between these, whatever they count to.
            let (Some(Some(first)), Some(Some(it))) = (place(start), place(number)) else { return false };
            start.len() == number.len() && it >= first && it - first < *count
        };
        self.one.iter().any(|it| it == number) || self.ranges.iter().any(within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `openssl` writes `TNAuthList = SEQUENCE { [0] EXPLICIT IA5String "1234" }`, which SHAKEN certificates have.
    const CARRIER: &[u8] = &[0x30, 0x08, 0xa0, 0x06, 0x16, 0x04, b'1', b'2', b'3', b'4'];

    fn tagged(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let body = parts.concat();
        [&[tag, u8::try_from(body.len()).unwrap()], &body[..]].concat()
    }

    fn list(entries: &[Vec<u8>]) -> Numbers {
        let body: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        Numbers::read(&tagged(0x30, &body))
    }

    fn range(start: &str, count: &[u8]) -> Vec<u8> {
        let range = tagged(0x30, &[&tagged(0x16, &[start.as_bytes()]), &tagged(0x02, &[count])]);
        tagged(0xa1, &[&range])
    }

    fn one(number: &str) -> Vec<u8> {
        tagged(0xa2, &[&tagged(0x16, &[number.as_bytes()])])
    }

    #[test]
    fn a_carriers_code_lists_no_number_and_is_read() {
        let numbers = Numbers::read(CARRIER);
        assert_eq!(numbers.carrier(), Some("1234"));
        assert!(!numbers.lists("1234"));
    }

    #[test]
    fn a_range_begins_with_its_first_number_and_ends_before_the_one_behind_its_last() {
        let numbers = list(&[range("12155551000", &[0x03, 0xe8]), one("493012345")]);
        for (number, listed) in [
            ("12155551000", true),
            ("12155551999", true),
            ("12155552000", false),
            ("12155550999", false),
            ("012155551000", false), // as many, and another number
            ("2155551000", false),
            ("493012345", true),
            ("4930123450", false),
            ("", false),
            ("1215555100#", false),
        ] {
            assert_eq!(numbers.lists(number), listed, "{number}");
        }
    }

    #[test]
    fn a_list_that_lies_is_for_no_number() {
        let huge = list(&[range("1", &[0x01, 0, 0, 0, 0, 0, 0, 0, 0])]);
        assert_eq!(huge, Numbers::default());
        assert!(!list(&[range("12155551000", &[0xff])]).lists("12155551000"), "minus one of them");
        assert!(!list(&[range("99999999999999999999999", &[5])]).lists("99999999999999999999999"));
        assert!(list(&[range("18446744073709551615", &[5])]).lists("18446744073709551615"));
        for der in [&b""[..], b"\x30", b"\x30\x84\xff\xff\xff\xff", b"\x30\x02\xa3\x00", &CARRIER[..9]] {
            assert_eq!(Numbers::read(der), Numbers::default());
        }
        let many: Vec<u8> = one("1").repeat(MOST + 1);
        let length = u16::try_from(many.len()).unwrap().to_be_bytes();
        let der = [&[0x30, 0x82][..], &length, &many].concat();
        assert_eq!(Numbers::read(&der), Numbers::default());
    }
}
