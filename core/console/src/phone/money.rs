//! What is told of the account's money: as JSON lines, and as sentences.

use offhook_io::NotDone;
use offhook_io::balance::{Age, Balance, Receipt, TimeLeft};
use serde::Serialize;

use super::picture::harmless;
use crate::history;

/// One object on stdout. Absent is what is not known.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(crate) enum Money {
    /// What is left on the account.
    Balance(Left),
    /// How long that is enough for, to a number.
    Minutes {
        to: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        seconds: Option<u64>,
        /// Whole ones.
        #[serde(skip_serializing_if = "Option::is_none")]
        minutes: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// What came of a card.
    #[serde(rename = "top_up")]
    TopUp(Came),
    /// What came of a call that the provider was asked to make.
    Callback {
        to: String,
        #[serde(flatten)]
        came: Came,
    },
}

/// A balance, whole.
#[derive(Debug, Serialize)]
pub(crate) struct Left {
    amount: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overdraft: Option<String>,
    /// Milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<i64>,
    /// How old it is; absent: it was just told.
    #[serde(skip_serializing_if = "Option::is_none")]
    age_s: Option<u64>,
    /// The same in words.
    #[serde(skip)]
    age: Option<String>,
}

/// What came of something that was to be done.
#[derive(Debug, Serialize)]
pub(crate) struct Came {
    /// Absent: nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    done: Option<bool>,
    /// The provider's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    says: Option<String>,
    /// Why it was not done, or why nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Money {
    /// `age`: of a balance that was not told just now.
    pub(crate) fn balance(balance: &Balance, age: Option<Age>) -> Self {
        Self::Balance(Left {
            amount: balance.amount.to_string(),
            currency: balance.currency.clone(),
            overdraft: balance.overdraft.map(|limit| limit.to_string()),
            valid_until: balance.valid_until,
            age_s: age.map(|age| age.0.as_secs()),
            age: age.map(|age| age.to_string()),
        })
    }

    pub(crate) fn minutes(to: String, left: Result<TimeLeft, String>) -> Self {
        let seconds = left.as_ref().ok().map(|left| left.seconds);
        Self::Minutes { to, seconds, minutes: seconds.map(|seconds| seconds / 60), reason: left.err() }
    }

    /// Why it was not done, where something was to be done and was not, or perhaps was not.
    pub(crate) fn failure(&self) -> Option<String> {
        match self {
            Self::TopUp(came) | Self::Callback { came, .. } if came.reason.is_some() => Some(self.sentence()),
            _ => None,
        }
    }

    /// For people.
    pub(crate) fn sentence(&self) -> String {
        let sentence = match self {
            Self::Balance(left) => left.sentence(),
            Self::Minutes { to, seconds: Some(seconds), .. } => {
                format!("{} left to {to}", TimeLeft { seconds: *seconds })
            }
            Self::Minutes { to, reason, .. } => {
                format!("minutes left to {to}: {}", reason.as_deref().unwrap_or("not known"))
            }
            Self::TopUp(came) => {
                came.sentence("the card is paid in", "the card was not paid in", "it took the card")
            }
            Self::Callback { to, came } => came.sentence(
                &format!("the provider calls back, and then calls {to}"),
                "the provider does not call back",
                "it calls back",
            ),
        };
        harmless(&sentence)
    }
}

impl Left {
    /// `12.34 EUR left, valid until 2030-01-01, as told 3 minutes ago`.
    fn sentence(&self) -> String {
        let currency = self.currency.as_deref().map(|it| format!(" {it}")).unwrap_or_default();
        let mut sentence = format!("{}{currency} left", self.amount);
        let more = [
            self.overdraft.as_ref().map(|limit| format!("and {limit}{currency} more may be spent")),
            self.valid_until.and_then(history::day).map(|day| format!("valid until {day}")),
            self.age.as_ref().map(|age| format!("as told {age}")),
        ];
        for more in more.into_iter().flatten() {
            sentence = sentence + ", " + &more;
        }
        sentence
    }
}

impl Came {
    fn sentence(&self, done: &str, not_done: &str, whether: &str) -> String {
        let says = self.says.as_ref().map(|says| format!(": {says}")).unwrap_or_default();
        match (self.done, &self.reason) {
            (Some(true), _) => format!("{done}{says}"),
            (_, Some(reason)) if self.done.is_some() => format!("{not_done}: {reason}"),
            (_, Some(reason)) => reason.clone(),
            (_, None) => {
                format!("the provider has answered, and does not say clearly whether {whether}{says}")
            }
        }
    }
}

impl From<Result<Receipt, NotDone>> for Came {
    fn from(told: Result<Receipt, NotDone>) -> Self {
        match told {
            Ok(Receipt { certain, words }) => {
                Self { done: certain.then_some(true), says: words, reason: None }
            }
            Err(why) => {
                let done = matches!(why, NotDone::No(_)).then_some(false);
                Self { done, says: None, reason: Some(why.to_string()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use offhook_io::NoBalance;
    use offhook_io::balance::Amount;

    use super::*;

    fn shown(money: &Money) -> (String, String) {
        (serde_json::to_string(money).unwrap(), money.sentence())
    }

    #[test]
    fn a_balance_is_told_with_its_limits_and_an_old_one_with_its_age() {
        let balance = Balance {
            amount: "12.340".parse().unwrap(),
            currency: Some("EUR".into()),
            overdraft: Some(Amount::whole(5)),
            valid_until: Some(1_893_456_000_000),
        };
        let (json, sentence) = shown(&Money::balance(&balance, Some(Age(Duration::from_secs(180)))));
        assert_eq!(
            json,
            r#"{"event":"balance","amount":"12.340","currency":"EUR","overdraft":"5","valid_until":1893456000000,"age_s":180}"#
        );
        assert!(
            sentence.starts_with("12.340 EUR left, and 5 EUR more may be spent, valid until 20"),
            "{sentence}"
        );
        assert!(sentence.ends_with(", as told 3 minutes ago"), "{sentence}");
        let bare = Balance { currency: None, overdraft: None, valid_until: Some(i64::MAX), ..balance };
        assert_eq!(shown(&Money::balance(&bare, None)).1, "12.340 left");
    }

    #[test]
    fn minutes_are_told_or_why_there_are_none() {
        let left = Money::minutes("1002".into(), Ok(TimeLeft { seconds: 725 }));
        let json = r#"{"event":"minutes","to":"1002","seconds":725,"minutes":12}"#;
        assert_eq!(shown(&left), (json.into(), "12 minutes left to 1002".into()));
        let none = Money::minutes("1\u{1b}[2J".into(), Err("no".into()));
        assert_eq!(none.sentence(), "minutes left to 1\u{fffd}[2J: no");
    }

    #[test]
    fn what_came_of_a_card_is_yes_no_or_not_known() {
        let came = |told| shown(&Money::TopUp(Came::from(told)));
        let receipt = |certain, words: &str| Receipt {
            certain,
            words: Some(words.to_owned()).filter(|it| !it.is_empty()),
        };
        assert_eq!(
            came(Ok(receipt(true, "5 more"))),
            (
                r#"{"event":"top_up","done":true,"says":"5 more"}"#.into(),
                "the card is paid in: 5 more".into()
            )
        );
        assert_eq!(came(Ok(receipt(false, ""))).0, r#"{"event":"top_up"}"#);
        let (json, sentence) = came(Err(NotDone::No(NoBalance::Status(404))));
        assert_eq!(
            json,
            r#"{"event":"top_up","done":false,"reason":"the provider answers with status 404"}"#
        );
        assert_eq!(sentence, "the card was not paid in: the provider answers with status 404");
        let (json, sentence) = came(Err(NotDone::InDoubt(NoBalance::Silent)));
        assert!(
            !json.contains("done\":") && sentence.ends_with("whether it was done is not known"),
            "{json} {sentence}"
        );
        let call = Money::Callback { to: "1002".into(), came: Ok(receipt(true, "")).into() };
        let json = r#"{"event":"callback","to":"1002","done":true}"#;
        assert_eq!(shown(&call), (json.into(), "the provider calls back, and then calls 1002".into()));
    }
}
