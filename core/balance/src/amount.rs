//! An amount of money: its digits and where the point stands among them.
//!
//! Knows no currency: `12.34` and `12.340` are equal amounts that are shown as they were told.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// Digits behind the point, at most: switches charge in millionths.
const MOST_DECIMALS: u32 = 9;
/// Digits before the point, at most: what is more is no money.
const MOST_WHOLE: usize = 15;

/// Digits that are written, at most: all of them are read before some are dropped.
const MOST_WRITTEN: usize = 36;

/// An exact decimal.
#[derive(Clone, Copy, Debug)]
pub struct Amount {
    /// Without its point.
    digits: i128,
    /// How many of them are behind it.
    decimals: u32,
}

/// It is no amount: no digits, too many, or something else among them. Say that the answer was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("that is no amount of money")]
pub struct NoAmount;

impl Amount {
    /// So many whole ones.
    pub const fn whole(amount: i64) -> Self {
        Self { digits: amount as i128, decimals: 0 }
    }

    /// Whether it is below zero.
    pub const fn is_negative(self) -> bool {
        self.digits < 0
    }

    fn at(self, decimals: u32) -> i128 {
        self.digits * 10_i128.pow(decimals - self.decimals)
    }

    fn both(self, other: Self) -> (i128, i128, u32) {
        let decimals = self.decimals.max(other.decimals);
        (self.at(decimals), other.at(decimals), decimals)
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let (a, b, decimals) = self.both(other);
        Self { digits: a + b, decimals }
    }

    /// This one less the other.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        self.plus(Self { digits: -other.digits, ..other })
    }

    /// So much a minute, for so many seconds; what is less than a unit of its last place is charged as one.
    #[must_use]
    pub fn for_seconds(self, seconds: u32) -> Self {
        let decimals = MOST_DECIMALS.min(self.decimals + 4);
        let product = self.at(decimals) * i128::from(seconds);
        let up = i128::from(product % 60 > 0);
        Self { digits: product / 60 + up, decimals }
    }

    /// For how many seconds it is enough at so much a minute.
    pub fn seconds_at(self, rate: Self) -> u64 {
        let (have, rate, _) = self.both(rate);
        if rate <= 0 { u64::MAX } else { u64::try_from(have.max(0) * 60 / rate).unwrap_or(u64::MAX) }
    }

    /// So many times as much, in whole ones: rounded down; `None`: it is below zero.
    pub(crate) fn times(self, factor: u32) -> Option<u64> {
        let whole = self.digits * i128::from(factor) / 10_i128.pow(self.decimals);
        u64::try_from(whole).ok().filter(|_| !self.is_negative())
    }

    /// Rounded toward zero to so many places, or shown with as many.
    #[must_use]
    pub fn to_decimals(self, decimals: u32) -> Self {
        let decimals = decimals.min(MOST_DECIMALS);
        if decimals >= self.decimals {
            return Self { digits: self.at(decimals), decimals };
        }
        Self { digits: self.digits / 10_i128.pow(self.decimals - decimals), decimals }
    }
}

impl PartialEq for Amount {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Amount {}

impl PartialOrd for Amount {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Amount {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b, _) = self.both(*other);
        a.cmp(&b)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_negative() { "-" } else { "" };
        let (digits, decimals) = (self.digits.unsigned_abs().to_string(), self.decimals as usize);
        if decimals == 0 {
            return write!(f, "{sign}{digits}");
        }
        let digits = format!("{digits:0>width$}", width = decimals + 1);
        let (whole, behind) = digits.split_at(digits.len() - decimals);
        write!(f, "{sign}{whole}.{behind}")
    }
}

impl FromStr for Amount {
    type Err = NoAmount;

    /// As people and programs write it: `12.34`, `-0,5`, `1.234,56`, `1 234.56`, `1.5e2`. One kind of mark with three digits
    /// behind each of several groups parts thousands; the last mark of another kind, or a single one, is the point.
    fn from_str(text: &str) -> Result<Self, NoAmount> {
        let text: String =
            text.trim().chars().filter(|it| !matches!(it, ' ' | '\'' | '\u{a0}' | '\u{202f}')).collect();
        let (text, exponent) = match text.split_once(['e', 'E']) {
            Some((text, exponent)) => (text, exponent.parse::<i32>().map_err(|_| NoAmount)?),
            None => (&*text, 0),
        };
        let (negative, text) = match text.strip_prefix(['-', '\u{2212}']) {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if !text.chars().all(|it| it.is_ascii_digit() || matches!(it, '.' | ',')) {
            return Err(NoAmount);
        }
        let point = point(text);
        let behind = point.map_or(0, |at| text.len() - at - 1);
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let decimals = i32::try_from(behind).map_err(|_| NoAmount)?.saturating_sub(exponent);
        if digits.is_empty() || digits.len() > MOST_WRITTEN || decimals.unsigned_abs() as usize > MOST_WRITTEN
        {
            return Err(NoAmount);
        }
        let digits: i128 = digits.parse().map_err(|_| NoAmount)?;
        let digits = if negative { -digits } else { digits };
        let amount = match u32::try_from(decimals) {
            // Behind the ninth place is no money.
            Ok(decimals) => Self { digits, decimals }.to_decimals(decimals),
            Err(_) => {
                let digits = digits.checked_mul(10_i128.pow(decimals.unsigned_abs())).ok_or(NoAmount)?;
                Self { digits, decimals: 0 }
            }
        };
        let most = 10_i128.pow(MOST_WHOLE as u32);
        if amount.digits / 10_i128.pow(amount.decimals) < most
            && amount.digits / 10_i128.pow(amount.decimals) > -most
        {
            Ok(amount)
        } else {
            Err(NoAmount)
        }
    }
}

/// Where the decimal point stands; `None`: there is none, and marks part thousands.
fn point(text: &str) -> Option<usize> {
    let last = text.rfind(['.', ','])?;
    let mark = text.as_bytes()[last];
    let same = text.bytes().filter(|it| *it == mark).count();
    let other = text.bytes().any(|it| matches!(it, b'.' | b',') && it != mark);
    // `1.234.567`: a point stands once. `1,234`: English thousands rather than three decimals; `0,123` is not.
    let thousands =
        same > 1 || mark == b',' && !other && text.len() - last == 4 && !text.starts_with(['0', ',']);
    (!thousands).then_some(last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        text.parse::<Amount>().map_or_else(|_| "none".into(), |amount| amount.to_string())
    }

    #[test]
    fn amounts_are_read_as_they_are_written_anywhere_and_kept_to_the_digit() {
        for (text, expected) in [
            ("12.34", "12.34"),
            ("10.0", "10.0"),
            ("-0,5", "-0.5"),
            ("1.234,56", "1234.56"),
            ("1,234.56", "1234.56"),
            ("1 234,56", "1234.56"),
            ("1,234", "1234"),
            ("0,123", "0.123"),
            ("1.234", "1.234"),
            ("1.234.567", "1234567"),
            ("0.1", "0.1"),
            ("1.5e2", "150"),
            ("25e-2", "0.25"),
            ("9007199254740993", "none"),
            ("900719925474099.3", "900719925474099.3"),
            ("1e309", "none"),
            ("NaN", "none"),
            ("inf", "none"),
            ("", "none"),
            ("-", "none"),
            (".", "none"),
            ("12 EUR", "none"),
            ("\u{2212}3", "-3"),
            ("0.1234567891", "0.123456789"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn sums_are_exact_where_floats_are_not() {
        let amount = |text: &str| text.parse::<Amount>().unwrap();
        assert_eq!(amount("0.1").plus(amount("0.2")), amount("0.3"));
        assert_eq!(amount("12.34").minus(amount("0.005")).to_string(), "12.335");
        assert_eq!(amount("0.06").for_seconds(90), amount("0.09"));
        assert_eq!(amount("0.01").for_seconds(1).to_string(), "0.000167");
        assert!(amount("1.10") == amount("1.1") && amount("-1") < amount("0.0"));
        assert_eq!(amount("12.349").to_decimals(2).to_string(), "12.34");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(digits in -999_999_999_999_i64..999_999_999_999, decimals in 0_u32..9) {
            let amount = Amount { digits: i128::from(digits), decimals };
            // Three places without a whole part are the one form that another reader could take for thousands.
            prop_assert_eq!(amount.to_string().parse(), Ok(amount));
        }

        #[test]
        fn nothing_that_is_written_breaks_it(text in ".{0,40}") {
            let _ = text.parse::<Amount>();
        }
    }
}
