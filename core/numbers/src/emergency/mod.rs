//! Which numbers call for help, by region. They are recognised before any dial plan, and never rewritten.
//!
//! 112 and 911 are known in every mobile network (3GPP TS 22.101 section 10.1), whatever the region. A phone hands them to
//! the platform's own dialer: that knows where the phone is.

mod table;

/// Known everywhere.
const EVERYWHERE: [&str; 2] = ["112", "911"];
/// Without a region: what a phone without a SIM knows besides (3GPP TS 22.101 section 10.1.1).
const WITHOUT_REGION: [&str; 6] = ["000", "08", "110", "118", "119", "999"];

/// Whether `number`, as it was typed, calls for help in `region`; `None`: the region is not known.
pub fn is_emergency(number: &str, region: Option<&str>) -> bool {
    let digits = bare(number);
    if EVERYWHERE.contains(&&*digits) {
        return true;
    }
    match region.and_then(of) {
        Some(known) => known.split(' ').any(|known| fits(known, &digits)),
        None => WITHOUT_REGION.contains(&&*digits),
    }
}

/// Whether `number`, as it was typed, calls for help wherever the phone is. An office's exchange may have the others as
/// extensions.
pub fn is_emergency_anywhere(number: &str) -> bool {
    EVERYWHERE.contains(&&*bare(number))
}

fn bare(number: &str) -> String {
    number.chars().filter(|it| !matches!(it, ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}')).collect()
}

/// The numbers of a region; `?` stands for any digit.
pub fn of(region: &str) -> Option<&'static str> {
    let named = |names: &str| names.split(' ').any(|name| name.eq_ignore_ascii_case(region));
    table::TABLE.iter().find(|(names, _)| named(names)).map(|(_, numbers)| *numbers)
}

fn fits(known: &str, digits: &str) -> bool {
    known.len() == digits.len()
        && known
            .bytes()
            .zip(digits.bytes())
            .all(|(known, digit)| if known == b'?' { digit.is_ascii_digit() } else { known == digit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_is_recognised_by_region_and_everywhere_by_the_two_that_all_networks_know() {
        for (number, region, expected) in [
            ("112", None, true),
            ("911", Some("DE"), true),
            ("110", Some("DE"), true),
            ("1-1-0", Some("DE"), true),
            ("110", Some("US"), false),
            ("999", Some("GB"), true),
            ("999", Some("gb"), true),
            ("999", Some("FR"), false),
            ("15", Some("FR"), true),
            ("000", Some("AU"), true),
            ("000", None, true),
            ("1345", Some("GA"), true),
            ("1122", Some("DE"), false),
            ("112", Some("XX"), true),
            ("999", Some("XX"), true),
            ("", None, false),
        ] {
            assert_eq!(is_emergency(number, region), expected, "{number} in {region:?}");
        }
    }

    #[test]
    fn every_region_stands_once_and_every_number_is_one() {
        let mut names: Vec<&str> = table::TABLE.iter().flat_map(|(names, _)| names.split(' ')).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert!(names.len() == all && names.iter().all(|name| name.len() == 2), "{all}");
        let numbers = table::TABLE.iter().flat_map(|(_, numbers)| numbers.split(' '));
        for number in numbers {
            assert!(
                (2..=6).contains(&number.len()) && number.bytes().all(|it| it.is_ascii_digit() || it == b'?')
            );
        }
    }
}
