//! The balance that was told last, and when: what is shown, with its age, while the provider is away.
//!
//! One line of JSON for whoever keeps it over a restart. There is no secret in it. Knows no files.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::amount::Amount;
use crate::json::Json;
use crate::reading::Balance;

/// A balance with its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What was told.
    pub balance: Balance,
    /// When: milliseconds since 1970.
    pub told: i64,
}

/// How long ago something was told; its `Display` is in words: `3 minutes ago`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age(pub Duration);

impl Kept {
    /// How old it is at a time, in milliseconds since 1970. A clock that was set back makes nothing older than it is.
    pub fn age(&self, now: i64) -> Age {
        Age(Duration::from_millis(u64::try_from(now.saturating_sub(self.told)).unwrap_or_default()))
    }

    /// To be kept.
    pub fn to_line(&self) -> String {
        let Balance { amount, currency, overdraft, valid_until } = &self.balance;
        let mut line = json!({"told": self.told, "amount": amount.to_string()});
        let more = [
            ("currency", currency.clone().map(Value::from)),
            ("overdraft", overdraft.map(|it| it.to_string().into())),
            ("valid_until", valid_until.map(Value::from)),
        ];
        for (name, value) in more {
            if let Some(value) = value {
                line[name] = value;
            }
        }
        line.to_string()
    }

    /// What was kept; `None`: it is not whole.
    pub fn of_line(line: &str) -> Option<Self> {
        let line = Json::of(line.trim()).ok()?;
        let amount = |name: &str| line.at(name)?.amount().ok();
        let amount: &dyn Fn(&str) -> Option<Amount> = &amount;
        let mut balance =
            Balance::of(amount("/amount")?, line.at("/currency").and_then(Json::text).as_deref());
        balance.overdraft = amount("/overdraft");
        balance.valid_until = line.at("/valid_until").and_then(Json::integer);
        Some(Self { balance, told: line.at("/told")?.integer()? })
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (count, word) = match seconds {
            0..10 => return f.write_str("just now"),
            10..60 => (seconds, "second"),
            60..3600 => (seconds / 60, "minute"),
            3600..86400 => (seconds / 3600, "hour"),
            _ => (seconds / 86400, "day"),
        };
        write!(f, "{count} {word}{} ago", if count == 1 { "" } else { "s" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_kept_to_its_last_digit_and_what_is_broken_is_nothing() {
        for (amount, currency, overdraft, valid_until) in
            [("12.340", Some("EUR"), Some("5.0"), Some(1_893_456_000_000)), ("-0.000001", None, None, None)]
        {
            let mut balance = Balance::of(amount.parse().unwrap(), currency);
            balance.overdraft = overdraft.map(|it: &str| it.parse().unwrap());
            balance.valid_until = valid_until;
            let kept = Kept { balance, told: 1_700_000_000_000 };
            let again = Kept::of_line(&kept.to_line()).unwrap();
            assert_eq!((again.balance.amount.to_string().as_str(), &again), (amount, &kept));
        }
        for broken in
            ["", "{", "{}", r#"{"told":1}"#, r#"{"amount":"1"}"#, r#"{"told":1,"amount":"x"}"#, "[]", "7"]
        {
            assert_eq!(Kept::of_line(broken), None, "{broken}");
        }
    }

    #[test]
    fn an_age_is_said_in_its_largest_unit_and_is_never_below_nothing() {
        let kept = Kept { balance: Balance::of(Amount::whole(1), None), told: 1_000_000 };
        let said = |now: i64| kept.age(now).to_string();
        assert_eq!(said(1_009_000), "just now");
        assert_eq!(said(1_059_000), "59 seconds ago");
        assert_eq!(said(1_000_000 + 61_000), "1 minute ago");
        assert_eq!(said(1_000_000 + 7_200_000), "2 hours ago");
        assert_eq!(said(1_000_000 + 86_400_000), "1 day ago");
        assert_eq!((said(0), said(i64::MIN)), ("just now".into(), "just now".into()));
        assert!(said(i64::MAX).ends_with("days ago"));
    }
}
