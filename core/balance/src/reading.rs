//! Where in an answer the money stands: by JSON pointer (RFC 6901), by a path of XML elements, by a regular expression, in
//! the forms of VOS switches, or all of it.
//!
//! Expressions are of the linear kind: none takes longer than its text. An answer that is a web page, which is what a login
//! page in the way looks like, is told as that.

use regex_lite::{Regex, RegexBuilder};

use crate::amount::Amount;
use crate::json::Json;
use crate::{MAX_ANSWER, vos};

/// Largest compiled expression, in bytes.
const LARGEST_REGEX: usize = 64 * 1024;
/// Letters of a currency's name that are shown.
const LONGEST_CURRENCY: usize = 12;

/// What is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// How much.
    pub amount: Amount,
    /// In what, where the answer says so.
    pub currency: Option<String>,
    /// How far below zero it may go.
    pub overdraft: Option<Amount>,
    /// Until when it can be used: milliseconds since 1970.
    pub valid_until: Option<i64>,
}

/// How an answer is read.
#[derive(Clone, Debug)]
pub enum Reading {
    /// A VOS switch's JSON.
    VosJson,
    /// A VOS switch's older form.
    VosForm,
    /// JSON: pointers to the amount and, if there is one, to the currency.
    Json {
        /// `/account/balance`.
        amount: String,
        /// `/account/currency`.
        currency: Option<String>,
    },
    /// XML: names of elements from the root on, the last perhaps `@attribute`.
    Xml {
        /// `response/balance`, `response/account/@money`.
        amount: String,
        /// `response/currency`.
        currency: Option<String>,
    },
    /// Text: the first group of an expression is the amount; one named `currency` is that.
    Text(Regex),
    /// The answer is the amount.
    Bare,
    /// Whichever of these it is: a VOS switch's, JSON with the money where it mostly stands, or the bare amount.
    Auto,
}

/// Where in JSON the money mostly stands, and its currency.
const USUAL: [(&str, &str); 7] = [
    ("/balance", "/currency"),
    ("/balance/amount", "/balance/currency"),
    ("/money", "/currency"),
    ("/credit", "/currency"),
    ("/amount", "/currency"),
    ("/data/balance", "/data/currency"),
    ("/account/balance", "/account/currency"),
];

/// Why there is no balance. Each is a sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// Longer than any balance is.
    #[error("the answer is too long to be a balance")]
    TooLong,
    /// HTML: somebody wants a person to log in, or the address is wrong.
    #[error(
        "the answer is a web page and not a balance: is the address right, and does this network want a login first?"
    )]
    WebPage,
    /// Not in the form that was said.
    #[error("the answer is not in the form that was expected")]
    NotSo,
    /// The place that was named is empty.
    #[error("the answer has no balance where one was expected")]
    NoSuchField,
    /// Something stands there, but no money.
    #[error("what stands in the answer is no amount of money")]
    NoAmount,
    /// The provider says no.
    #[error("the provider refuses ({code}): {words}")]
    Refused {
        /// Its number.
        code: i64,
        /// Its words, or ours for them.
        words: String,
    },
    /// The expression cannot be used. Show it beside the field.
    #[error("that is no expression that can be used")]
    BadExpression,
}

impl Reading {
    /// By an expression.
    ///
    /// # Errors
    /// - [`Unread::BadExpression`]: show it beside the field.
    pub fn text(expression: &str) -> Result<Self, Unread> {
        let made = RegexBuilder::new(expression).size_limit(LARGEST_REGEX).build();
        made.map(Self::Text).map_err(|_| Unread::BadExpression)
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// - [`Unread`]: show its sentence; the last balance stays, with its age.
    pub fn read(&self, answer: &[u8]) -> Result<Balance, Unread> {
        if answer.len() > MAX_ANSWER {
            return Err(Unread::TooLong);
        }
        let text = String::from_utf8_lossy(answer);
        let text = text.trim_start_matches('\u{feff}').trim();
        let begins = |word: &str| text.get(..word.len()).is_some_and(|it| it.eq_ignore_ascii_case(word));
        if begins("<!doctype html") || begins("<html") {
            return Err(Unread::WebPage);
        }
        match self {
            Self::VosJson => vos::customer(Json::of(text)?),
            Self::VosForm => vos::form_reply(text),
            Self::Json { amount, currency } => {
                let answer = Json::of(text)?;
                let amount = answer.at(amount).ok_or(Unread::NoSuchField)?.amount()?;
                let currency = currency.as_ref().and_then(|place| answer.at(place)?.text());
                Ok(Balance::of(amount, currency.as_deref()))
            }
            Self::Xml { amount, currency } => {
                let document = roxmltree::Document::parse(text).map_err(|_| Unread::NotSo)?;
                let amount = at(&document, amount).ok_or(Unread::NoSuchField)?;
                let currency = currency.as_ref().and_then(|path| at(&document, path));
                Ok(Balance::of(amount.parse().map_err(|_| Unread::NoAmount)?, currency.as_deref()))
            }
            Self::Text(expression) => {
                let found = expression.captures(text).ok_or(Unread::NoSuchField)?;
                let amount = found.get(1).ok_or(Unread::NoSuchField)?;
                let currency = found.name("currency").map(|it| it.as_str());
                Ok(Balance::of(amount.as_str().parse().map_err(|_| Unread::NoAmount)?, currency))
            }
            Self::Auto if text.starts_with('{') => {
                let answer = Json::of(text)?;
                if answer.at("/retCode").is_some() {
                    return vos::customer(answer);
                }
                let found = USUAL.iter().find_map(|(amount, currency)| {
                    let amount = answer.at(amount)?.amount().ok()?;
                    Some(Balance::of(amount, answer.at(currency).and_then(Json::text).as_deref()))
                });
                found.ok_or(Unread::NoSuchField)
            }
            Self::Auto if text.contains('|') => vos::form_reply(text),
            Self::Auto | Self::Bare => Ok(Balance::of(text.parse().map_err(|_| Unread::NoAmount)?, None)),
        }
    }
}

impl Balance {
    fn of(amount: Amount, currency: Option<&str>) -> Self {
        let currency: Option<String> = currency
            .map(|it| it.trim().chars().filter(|it| !it.is_control()).take(LONGEST_CURRENCY).collect());
        Self { amount, currency: currency.filter(|it| !it.is_empty()), overdraft: None, valid_until: None }
    }
}

/// The text of the first element, or attribute, by that path.
fn at(document: &roxmltree::Document<'_>, path: &str) -> Option<String> {
    let mut names = path.split('/').filter(|name| !name.is_empty());
    let mut node = document.root_element();
    if names.next()? != node.tag_name().name() {
        return None;
    }
    for name in names {
        if let Some(attribute) = name.strip_prefix('@') {
            return node.attribute(attribute).map(str::to_owned);
        }
        node = node.children().find(|child| child.is_element() && child.tag_name().name() == name)?;
    }
    node.text().map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(reading: &Reading, answer: &str) -> Result<String, Unread> {
        reading.read(answer.as_bytes()).map(|it| {
            let currency = it.currency.map(|it| format!(" {it}")).unwrap_or_default();
            format!("{}{currency}", it.amount)
        })
    }

    #[test]
    fn the_forms_of_vos_switches_are_read_with_their_limits_and_their_refusals() {
        let answer = r#"{"retCode":0,"infoCustomers":[{"account":"10011","name":"Ann","money":10.10,
            "limitMoney":5.0,"validTime":1893456000000,"todayConsumption":0.5,"lockType":0}]}"#;
        let balance = Reading::VosJson.read(answer.as_bytes()).unwrap();
        assert_eq!(
            (balance.amount.to_string(), balance.valid_until),
            ("10.10".into(), Some(1_893_456_000_000))
        );
        assert_eq!(balance.overdraft, Some(Amount::whole(5)));
        let refused =
            shown(&Reading::VosJson, r#"{"retCode":-10007,"exception":"Not found, operation failed."}"#);
        assert_eq!(
            refused.unwrap_err().to_string(),
            "the provider refuses (-10007): the account is not known there"
        );
        let refused = shown(&Reading::VosJson, r#"{"retCode":-9,"exception":"Go away"}"#).unwrap_err();
        assert_eq!(refused.to_string(), "the provider refuses (-9): Go away");

        let balance = Reading::VosForm.read(b"0|10011;Ann;12.345;1893456000000;0\n").unwrap();
        assert_eq!((balance.amount.to_string(), balance.overdraft), ("12.345".into(), None));
        assert!(matches!(
            shown(&Reading::VosForm, "-10007|nobody"),
            Err(Unread::Refused { code: -10007, .. })
        ));

        let left = |text: &str| minutes(text.as_bytes());
        assert_eq!(left(r#"{"retCode":0,"infoAvailableTime":{"timeRemain":3600}}"#), Ok(3600));
        assert!(left(r#"{"retCode":0,"infoAvailableTime":{"timeRemain":-3}}"#).is_err());
    }

    use crate::vos::minutes;

    #[test]
    fn a_balance_is_found_by_pointer_path_or_expression_to_its_last_digit() {
        let json = Reading::Json { amount: "/a/0/b".into(), currency: Some("/c".into()) };
        assert_eq!(
            shown(&json, r#"{"a":[{"b":0.10000000000000000001}],"c":"EUR"}"#),
            Ok("0.100000000 EUR".into())
        );
        assert_eq!(shown(&json, r#"{"a":[{"b":"12,50"}]}"#), Ok("12.50".into()));
        for (answer, shows) in [
            (r#"{"balance":"12.34","currency":"EUR"}"#, "12.34 EUR"),
            (r#"{"data":{"balance":3}}"#, "3"),
            (r#"{"retCode":0,"infoCustomers":[{"money":10.5}]}"#, "10.5"),
            ("0|1;A;7.5;0;0", "7.5"),
            ("9,99", "9.99"),
        ] {
            assert_eq!(shown(&Reading::Auto, answer), Ok(shows.into()));
        }
        let xml = Reading::Xml { amount: "r/account/@money".into(), currency: Some("r/cur".into()) };
        assert_eq!(shown(&xml, r#"<r><account money="-3.5"/><cur>USD</cur></r>"#), Ok("-3.5 USD".into()));
        let text = Reading::text(r"Balance:\s*([\d.,]+)\s*(?<currency>[A-Z]{3})").unwrap();
        assert_eq!(shown(&text, "Hello Ann! Balance: 1.234,50 EUR."), Ok("1234.50 EUR".into()));
        assert_eq!(shown(&Reading::Bare, " 7.00 \r\n"), Ok("7.00".into()));
    }

    #[test]
    fn hostile_answers_are_told_for_what_they_are_and_cost_little() {
        let json = Reading::Json { amount: "/b".into(), currency: None };
        for (answer, why) in [
            ("<!DOCTYPE html><title>Login</title>".to_owned(), Unread::WebPage),
            ("  <HTML>".to_owned(), Unread::WebPage),
            ("{".to_owned(), Unread::NotSo),
            (r#"{"b":NaN}"#.to_owned(), Unread::NotSo),
            (r#"{"b":1e309}"#.to_owned(), Unread::NoAmount),
            (r#"{"b":null}"#.to_owned(), Unread::NoAmount),
            (r#"{"b":{}}"#.to_owned(), Unread::NoAmount),
            (r#"{"x":1}"#.to_owned(), Unread::NoSuchField),
            (" ".repeat(MAX_ANSWER + 1), Unread::TooLong),
            ("[".repeat(100_000), Unread::NotSo),
        ] {
            assert_eq!(shown(&json, &answer), Err(why), "{answer:.40}");
        }
        assert_eq!(shown(&json, r#"{"b":-1}"#), Ok("-1".into()));
        let bomb =
            r#"<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><r>&b;</r>"#;
        let xml = Reading::Xml { amount: "r".into(), currency: None };
        assert_eq!(shown(&xml, bomb), Err(Unread::NotSo));
        assert_eq!(shown(&xml, &"<r>".repeat(60_000)), Err(Unread::NotSo));
        assert_eq!(Reading::text("(").unwrap_err(), Unread::BadExpression);
        assert_eq!(Reading::text("(a{1000}){1000}").unwrap_err(), Unread::BadExpression);
        // An expression that would take an age by going back and forth.
        let slow = Reading::text("(a*)*b(\\d)").unwrap();
        assert_eq!(shown(&slow, &"a".repeat(50_000)), Err(Unread::NoSuchField));
    }
}
