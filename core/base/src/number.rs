//! Whether two ways of writing name the same line: `+49 30 123456`, `0049 30123456` and `030 123456` do.
//!
//! ITU-T E.164 section 6: a country's code has up to three digits, and dialled from within it a number goes without, most
//! often behind a 0. Knows no country's plan: where only one of two says its country, that is believed to be the other's.

/// Shortest number of a subscriber that is told by its end: shorter ones, such as extensions, are the same only when all of
/// it is.
const WHOLE: usize = 7;
/// As long as that a number without a country is whole although no 0 stands before it: North America's.
const WITHOUT_ZERO: usize = 10;
/// Digits of a country's code, at most.
const COUNTRY: usize = 3;

/// A number without what people put between its digits; an address in lower case, without its scheme,
/// port and parameters.
///
/// ```
/// # use offhook_base::number::bare;
/// assert_eq!(bare("+49 (30) 12-34"), "+49301234");
/// assert_eq!(bare("sip:Ann@X.test;transport=tcp"), "ann@x.test");
/// ```
pub fn bare(number: &str) -> String {
    let number = number.trim();
    let after = ["sip:", "sips:", "tel:"].into_iter().find_map(|scheme| {
        let head = number.get(..scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then(|| &number[scheme.len()..])
    });
    let number = after.unwrap_or(number).split([';', '?']).next().unwrap_or_default();
    if number.chars().any(char::is_alphabetic) {
        let (host, port) = number.rsplit_once(':').unwrap_or((number, ""));
        let is_port = !port.is_empty() && port.bytes().all(|it| it.is_ascii_digit());
        return if is_port { host } else { number }.to_lowercase();
    }
    number.chars().filter(|it| it.is_ascii_digit() || matches!(it, '+' | '*' | '#')).collect()
}

/// Whether two numbers, each [`bare`], are the same line's.
pub fn same(one: &str, other: &str) -> bool {
    if one == other {
        return !one.is_empty();
    }
    match (Line::of(one), Line::of(other)) {
        (Some(Line::World(one)), Some(Line::World(other))) => one == other,
        (Some(Line::World(world)), Some(Line::Home(home)))
        | (Some(Line::Home(home)), Some(Line::World(world))) => {
            let country = world.strip_suffix(home).map_or(0, str::len);
            (1..=COUNTRY).contains(&country)
        }
        _ => false,
    }
}

/// A whole number.
enum Line<'a> {
    /// With its country's code, without what stands before that.
    World(&'a str),
    /// Without, and without the 0 that stands for it.
    Home(&'a str),
}

impl<'a> Line<'a> {
    fn of(number: &'a str) -> Option<Self> {
        let world = number.strip_prefix('+').or_else(|| number.strip_prefix("00"));
        let (digits, shortest) = match (world, number.strip_prefix('0')) {
            (Some(digits), _) | (None, Some(digits)) => (digits, WHOLE),
            (None, None) => (number, WITHOUT_ZERO),
        };
        let whole = digits.len() >= shortest && digits.bytes().all(|it| it.is_ascii_digit());
        whole.then_some(if world.is_some() { Self::World(digits) } else { Self::Home(digits) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_the_same_however_it_is_dialled() {
        for (one, other) in [
            ("+49 30 123456", "030/123456"),
            ("0049 30 123456", "+4930123456"),
            ("(202) 555-0123", "+1 202 555 0123"),
            ("1002", "1002"),
            ("*31#", "*31#"),
            ("sip:Ann@X.test;transport=udp", "ann@x.test"),
            ("tel:+4930123456;phone-context=x", "+4930123456"),
        ] {
            assert!(same(&bare(one), &bare(other)) && same(&bare(other), &bare(one)), "{one} {other}");
        }
    }

    #[test]
    fn lines_that_only_end_alike_are_not_the_same() {
        for (one, other) in [
            ("123456", "+4930123456"), // no area
            ("1002", "+491002"),       // an extension
            ("030 123456", "030123457"),
            ("030 123456", "+123430123456"), // four digits are no country
            ("+4930123456", "+4330123456"),
            ("ann@x.test", "ann@y.test"),
            ("", ""),
        ] {
            assert!(!same(&bare(one), &bare(other)), "{one} {other}");
        }
    }

    #[test]
    fn what_is_no_number_breaks_nothing() {
        for odd in ["", "+", "00", "0", "é", "sip:", "sips", "+4930;12", "\u{661}\u{662}", "tel:?"] {
            assert!(!same(&bare(odd), &bare("+4930123456")), "{odd}");
        }
    }
}
