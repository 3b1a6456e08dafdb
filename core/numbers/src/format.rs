//! Numbers as people of a region write them, whole and while they are typed; and as all the world does (ITU-T E.164).
//!
//! Whole numbers are the `phonenumber` crate's. While one is typed, the first of the region's formats that its beginning
//! fits is filled from the left.

use std::fmt::Write as _;

use phonenumber::metadata::{DATABASE, Format};
use phonenumber::{Metadata, Mode, country};

/// Digits of a number that are looked at.
const LONGEST: usize = 32;

/// The same number however it is written: `+4930123456`. `None`: it is none, or of the region's short ones.
pub fn normal(number: &str, region: Option<&str>) -> Option<String> {
    if number.len() > 2 * LONGEST {
        return None;
    }
    let parsed = phonenumber::parse(region.and_then(id), number).ok()?;
    phonenumber::is_valid(&parsed).then(|| parsed.format().mode(Mode::E164).to_string())
}

/// As people of `region` write it: its own numbers in their way, others with the sign of their country. What is no whole
/// number stays as it is.
pub fn shown(number: &str, region: Option<&str>) -> String {
    let own = region.and_then(id);
    match phonenumber::parse(own, number).ok().filter(phonenumber::is_valid) {
        Some(parsed) => {
            let here = own.is_some() && parsed.country().id() == own;
            let mode = if here { Mode::National } else { Mode::International };
            parsed.format().mode(mode).to_string()
        }
        None => number.to_owned(),
    }
}

/// A number as it stands while it is typed: `+493012345` is `+49 30 12345`. Only digits and `+` are moved apart; with
/// anything else in it, it stays as it is.
pub fn as_typed(typed: &str, region: Option<&str>) -> String {
    let plain = typed.strip_prefix('+').unwrap_or(typed);
    if plain.is_empty() || plain.len() > LONGEST || !plain.bytes().all(|it| it.is_ascii_digit()) {
        return typed.to_owned();
    }
    let formatted =
        if typed.starts_with('+') { abroad(plain) } else { region.and_then(|region| at_home(plain, region)) };
    formatted.unwrap_or_else(|| typed.to_owned())
}

fn id(region: &str) -> Option<country::Id> {
    region.to_ascii_uppercase().parse().ok()
}

/// With the sign of a country in front, once that is whole.
fn abroad(digits: &str) -> Option<String> {
    let (code, plan) = (1..=3.min(digits.len())).find_map(|length| {
        let code: u16 = digits[..length].parse().ok()?;
        Some((&digits[..length], DATABASE.by_code(&code)?.into_iter().next()?))
    })?;
    let rest = &digits[code.len()..];
    if rest.is_empty() {
        return Some(format!("+{code}"));
    }
    let formats =
        if plan.international_formats().is_empty() { plan.formats() } else { plan.international_formats() };
    Some(format!("+{code} {}", filled(formats, rest).unwrap_or_else(|| rest.to_owned())))
}

/// With the region's own prefix in front, if it was typed.
fn at_home(digits: &str, region: &str) -> Option<String> {
    let plan: &Metadata = DATABASE.by_id(&region.to_ascii_uppercase())?;
    let prefix = plan.national_prefix().filter(|prefix| digits.starts_with(prefix)).unwrap_or_default();
    let rest = &digits[prefix.len()..];
    if rest.len() < 3 {
        return None;
    }
    let formatted = filled(plan.formats(), rest)?;
    // `030 123`, but `1 (201) 555`: a prefix of one zero is written on to the number.
    Some(if prefix == "0" || prefix.is_empty() {
        format!("{prefix}{formatted}")
    } else {
        format!("{prefix} {formatted}")
    })
}

fn filled(formats: &[Format], digits: &str) -> Option<String> {
    formats.iter().filter(|format| begins(format, digits)).find_map(|format| fill(format, digits))
}

/// A format names what numbers begin with, more exactly with each step: as many steps are asked as there are digits for.
fn begins(format: &Format, digits: &str) -> bool {
    let steps = format.leading_digits();
    let step = steps.get(digits.len().saturating_sub(3).min(steps.len().saturating_sub(1)));
    step.is_none_or(|step| step.find(digits).is_some_and(|found| found.start() == 0))
}

/// Puts digits into the format's groups from the left; `None`: there are more than it has room for.
fn fill(format: &Format, digits: &str) -> Option<String> {
    let groups = groups(format.pattern().as_str())?;
    let mut rest = digits;
    let mut parts = Vec::new();
    for (at, most) in groups.iter().enumerate() {
        let last = at + 1 == groups.len();
        let take = if last { rest.len() } else { rest.len().min(*most) };
        if last && take > *most {
            return None;
        }
        let (part, others) = rest.split_at(take);
        parts.push(part);
        rest = others;
    }
    let mut whole = String::new();
    let mut between = String::new();
    let mut letters = format.format().chars().peekable();
    while let Some(letter) = letters.next() {
        match letter.to_digit(10).filter(|_| between.ends_with('$')) {
            Some(number) => {
                between.pop();
                let part = parts.get((number as usize).checked_sub(1)?)?;
                if part.is_empty() {
                    break; // what is behind it is not typed yet
                }
                let _ = write!(whole, "{between}{part}");
                between.clear();
            }
            None => between.push(letter),
        }
        if letters.peek().is_none() && !between.contains('$') {
            whole.push_str(&between);
        }
    }
    Some(whole)
}

/// How many digits each group of a pattern takes at most: `(\d{3})(\d{3,4})`, `(7\d\d)(\d+)`. `None`: it is of another kind.
fn groups(pattern: &str) -> Option<Vec<usize>> {
    let mut groups = Vec::new();
    let mut letters = pattern.chars().peekable();
    let (mut inside, mut width, mut last) = (false, 0_usize, 0_usize);
    while let Some(letter) = letters.next() {
        match letter {
            '(' if !inside && letters.peek() != Some(&'?') => (inside, width, last) = (true, 0, 0),
            ')' if inside => {
                inside = false;
                groups.push(width);
            }
            '\\' if letters.next()? == 'd' => (width, last) = (width + 1, 1),
            '0'..='9' => (width, last) = (width + 1, 1),
            '[' => {
                letters.by_ref().find(|it| *it == ']')?;
                (width, last) = (width + 1, 1);
            }
            '{' => {
                let range: String = letters.by_ref().take_while(|it| *it != '}').collect();
                let most = range.rsplit(',').next()?;
                let most = if most.is_empty() { LONGEST } else { most.parse().ok()? };
                width = width - last + most;
            }
            '+' | '*' => width += LONGEST,
            '?' => {}
            _ => return None,
        }
    }
    (!groups.is_empty()).then_some(groups)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        for (number, region, expected) in [
            ("030 123456", Some("DE"), Some("+4930123456")),
            ("+49 (30) 123-456", None, Some("+4930123456")),
            ("0049 30 123456", Some("DE"), Some("+4930123456")),
            ("(201) 555-0123", Some("US"), Some("+12015550123")),
            ("030 123456", None, None),
            ("110", Some("DE"), None),
            ("1002", Some("DE"), None),
            ("bob", Some("DE"), None),
        ] {
            assert_eq!(normal(number, region).as_deref(), expected, "{number} in {region:?}");
        }
    }

    #[test]
    fn a_whole_number_is_shown_as_people_of_the_region_write_it() {
        assert_eq!(shown("+4930123456", Some("DE")), "030 123456");
        assert_eq!(shown("+4930123456", Some("US")), "+49 30 123456");
        assert_eq!(shown("+12015550123", Some("US")), "(201) 555-0123");
        assert_eq!(shown("1002", Some("DE")), "1002");
        assert_eq!(shown("bob", None), "bob");
    }

    #[test]
    fn a_number_is_moved_apart_while_it_is_typed() {
        for (typed, region, expected) in [
            ("+", None, "+"),
            ("+4", None, "+4"),
            ("+49", None, "+49"),
            ("+4930", None, "+49 30"),
            ("+49301", None, "+49 30 1"),
            ("+4930123456", None, "+49 30 123456"),
            ("0301", Some("DE"), "030 1"),
            ("201555", Some("US"), "201-555"), // seven digits are a local number there
            ("2015550123", Some("US"), "(201) 555-0123"),
            ("12015550123", Some("US"), "1 (201) 555-0123"),
            ("0612345678", Some("FR"), "06 12 34 56 78"),
            ("1002", Some("DE"), "1002"),
            ("*21#", Some("DE"), "*21#"),
            ("0301", None, "0301"),
        ] {
            assert_eq!(as_typed(typed, region), expected, "{typed} in {region:?}");
        }
    }

    proptest! {
        #[test]
        fn typing_moves_digits_apart_and_loses_none(digits in "[0-9]{1,20}", plus: bool, region in "US|DE|FR|GB|CN|BR|RU|IN") {
            let typed = if plus { format!("+{digits}") } else { digits };
            let shown = as_typed(&typed, Some(&region));
            let kept: String = shown.chars().filter(|it| it.is_ascii_digit() || *it == '+').collect();
            prop_assert_eq!(kept, typed);
        }
    }
}
