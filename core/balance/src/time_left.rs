//! For how long the money is enough, to one number: read from an answer, exact to the second.
//!
//! Knows not how it is shown, but for a sentence in whole minutes: no provider charges by less than it tells.

use std::fmt;

use crate::amount::Amount;
use crate::json::Json;
use crate::place::{self, Place};
use crate::reading::Unread;
use crate::vos;

/// How long a call may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeLeft {
    /// Whole ones; what is less is dropped.
    pub seconds: u64,
}

/// What the number in an answer counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    #[default]
    Seconds,
    /// Minutes, perhaps with a fraction.
    Minutes,
}

/// How an answer about a number is read.
#[derive(Clone, Debug)]
pub enum TimeReading {
    /// A VOS switch's JSON: `GetAvailableTime`.
    VosJson,
    /// A number at a place, or a time as clocks show it there: `12:34`, `1:02:03`.
    At(Place, Unit),
    /// A VOS switch's, or JSON with `seconds` or `minutes` where they mostly stand.
    Auto,
}

/// Where in JSON a time mostly stands. A bare number is nowhere among them: it does not say what it counts.
const USUAL: [(&str, Unit); 6] = [
    ("/seconds", Unit::Seconds),
    ("/minutes", Unit::Minutes),
    ("/seconds_left", Unit::Seconds),
    ("/minutes_left", Unit::Minutes),
    ("/data/seconds", Unit::Seconds),
    ("/data/minutes", Unit::Minutes),
];

impl TimeReading {
    /// Reads an answer.
    ///
    /// # Errors
    /// - [`Unread`]: say its sentence instead; a call is not for this to hold up.
    pub fn read(&self, answer: &[u8]) -> Result<TimeLeft, Unread> {
        let text = place::text(answer)?;
        let seconds = match self {
            Self::VosJson => vos::time_remain(Json::of(&text)?)?,
            Self::At(place, unit) => seconds(&place.find(&text)?, *unit)?,
            Self::Auto => {
                let answer = Json::of(&text)?;
                if answer.at("/retCode").is_some() {
                    vos::time_remain(answer)?
                } else {
                    let found = USUAL.iter().find_map(|(at, unit)| Some((answer.at(at)?, *unit)));
                    let (found, unit) = found.ok_or(Unread::NoSuchField)?;
                    seconds(&found.as_it_stands(), unit)?
                }
            }
        };
        Ok(TimeLeft { seconds })
    }
}

fn seconds(text: &str, unit: Unit) -> Result<u64, Unread> {
    if text.contains(':') {
        return clock(text).ok_or(Unread::NoTime);
    }
    let amount: Amount = text.parse().map_err(|_| Unread::NoTime)?;
    let unit = match unit {
        Unit::Seconds => 1,
        Unit::Minutes => 60,
    };
    vos::seconds(amount, unit)
}

/// `m:ss` or `h:mm:ss`.
fn clock(text: &str) -> Option<u64> {
    let parts: Vec<&str> = text.trim().split(':').collect();
    let all_digits =
        |part: &&str| (1..=9).contains(&part.len()) && part.bytes().all(|it| it.is_ascii_digit());
    if !(2..=3).contains(&parts.len()) || !parts.iter().all(all_digits) {
        return None;
    }
    let mut seconds = 0;
    for (place, part) in parts.iter().enumerate() {
        let part: u64 = part.parse().ok()?;
        if place > 0 && part > 59 {
            return None;
        }
        seconds = seconds * 60 + part;
    }
    Some(seconds)
}

/// `12 minutes`, `1 minute`, `40 seconds`.
impl fmt::Display for TimeLeft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, word) =
            if self.seconds < 60 { (self.seconds, "second") } else { (self.seconds / 60, "minute") };
        write!(f, "{count} {word}{}", if count == 1 { "" } else { "s" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reading: &TimeReading, answer: &str) -> Result<u64, Unread> {
        reading.read(answer.as_bytes()).map(|it| it.seconds)
    }

    fn json(unit: Unit) -> TimeReading {
        TimeReading::At(Place::Json("/a/left".into()), unit)
    }

    #[test]
    fn a_switch_says_seconds_and_below_zero_why_not() {
        let vos = |remain: &str| {
            let answer = format!(
                r#"{{"retCode":0,"infoAvailableTime":{{"accountMoney":9.5,"timeRemain":{remain}}}}}"#
            );
            let told = read(&TimeReading::VosJson, &answer);
            assert_eq!(read(&TimeReading::Auto, &answer), told);
            told
        };
        assert_eq!((vos("3600"), vos("0"), vos("\"727\"")), (Ok(3600), Ok(0), Ok(727)));
        let refused = vos("-3").unwrap_err();
        assert_eq!(refused.to_string(), "the provider refuses (-3): calls to this number are not possible");
        assert_eq!(
            (vos("null"), vos("1e309"), vos("{}")),
            (Err(Unread::NoTime), Err(Unread::NoTime), Err(Unread::NoTime))
        );
        let no = r#"{"retCode":-10033,"exception":"Query interval too long."}"#;
        assert!(matches!(read(&TimeReading::VosJson, no), Err(Unread::Refused { code: -10033, .. })));
        assert_eq!(read(&TimeReading::VosJson, r#"{"retCode":0}"#), Err(Unread::NoSuchField));
    }

    #[test]
    fn a_time_is_found_by_pointer_path_or_expression_in_the_unit_that_was_said() {
        for (text, unit, seconds) in [
            ("90", Unit::Seconds, 90),
            ("90.9", Unit::Seconds, 90),
            ("12.5", Unit::Minutes, 750),
            ("0.1", Unit::Minutes, 6), // where a float has 5.999...
            ("\"12,50\"", Unit::Minutes, 750),
            ("\"2:05\"", Unit::Minutes, 125),
            ("\"1:02:03\"", Unit::Seconds, 3723),
        ] {
            assert_eq!(read(&json(unit), &format!(r#"{{"a":{{"left":{text}}}}}"#)), Ok(seconds), "{text}");
        }
        let xml = TimeReading::At(Place::Xml("r/call/@max".into()), Unit::Minutes);
        assert_eq!(read(&xml, r#"<r><call max="3"/></r>"#), Ok(180));
        let text = TimeReading::At(Place::text(r"(\d+) min").unwrap(), Unit::Minutes);
        assert_eq!(read(&text, "You have 7 min."), Ok(420));
        let clock = TimeReading::At(Place::text(r"\d+:\d\d").unwrap(), Unit::Minutes);
        assert_eq!(read(&clock, "You have 7:30 left"), Ok(450));
        assert_eq!(read(&TimeReading::At(Place::Whole, Unit::Seconds), " 61\n"), Ok(61));
        assert_eq!(read(&TimeReading::Auto, r#"{"minutes":2}"#), Ok(120));
        assert_eq!(read(&TimeReading::Auto, "{}"), Err(Unread::NoSuchField));
        assert_eq!(read(&TimeReading::Auto, "120"), Err(Unread::NoSuchField));
    }

    #[test]
    fn what_is_no_time_is_told_and_a_page_is_a_page() {
        let at = json(Unit::Minutes);
        for no in [
            "NaN",
            "\"NaN\"",
            "1e309",
            "null",
            "\"1:60\"",
            "\"1:2:3:4\"",
            "\":\"",
            "\"-1:00\"",
            "\"9999999999:00\"",
        ] {
            let told = read(&at, &format!(r#"{{"a":{{"left":{no}}}}}"#));
            assert!(matches!(told, Err(Unread::NoTime | Unread::NotSo)), "{no}: {told:?}");
        }
        let below = read(&at, r#"{"a":{"left":-2.5}}"#);
        assert!(matches!(below, Err(Unread::Refused { code: -2, .. })), "{below:?}");
        assert_eq!(read(&at, r#"{"a":{"left":999999999999999}}"#), Ok(59_999_999_999_999_940));
        assert_eq!(read(&at, "<html>"), Err(Unread::WebPage));
        assert_eq!(read(&at, &" ".repeat(crate::MAX_ANSWER + 1)), Err(Unread::TooLong));
    }

    #[test]
    fn it_is_said_in_whole_minutes_and_in_seconds_when_there_are_none() {
        let said = |seconds| TimeLeft { seconds }.to_string();
        assert_eq!(
            [0, 1, 59, 60, 119, 7260].map(said),
            ["0 seconds", "1 second", "59 seconds", "1 minute", "1 minute", "121 minutes"]
        );
    }
}
