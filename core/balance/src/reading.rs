//! Where in an answer the money stands: by JSON pointer (RFC 6901), by a path of XML elements, by a regular expression, in
//! the forms of VOS switches, or all of it.
//!
//! An answer that is a web page, which is what a login page in the way looks like, is told as that.

use regex_lite::Regex;

use crate::amount::Amount;
use crate::json::Json;
use crate::place::{self, element};
use crate::vos;

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

/// Why an answer is of no use. Each is a sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// Longer than any answer about money is.
    #[error("the answer is too long to be one about an account")]
    TooLong,
    /// HTML: somebody wants a person to log in, or the address is wrong.
    #[error("the answer is a web page: is the address right, and does this network want a login first?")]
    WebPage,
    /// Not in the form that was said.
    #[error("the answer is not in the form that was expected")]
    NotSo,
    /// The place that was named is empty.
    #[error("the answer has nothing where it was expected")]
    NoSuchField,
    /// Something stands there, but no money.
    #[error("what stands in the answer is no amount of money")]
    NoAmount,
    /// Something stands there, but no length of time.
    #[error("what stands in the answer is no length of time")]
    NoTime,
    /// The provider says no.
    #[error("the provider refuses{}: {words}", numbered(*.code))]
    Refused {
        /// Its number; 0: it gave none.
        code: i64,
        /// Its words, or ours for them.
        words: String,
    },
    /// The expression cannot be used. Show it beside the field.
    #[error("that is no expression that can be used")]
    BadExpression,
}

fn numbered(code: i64) -> String {
    if code == 0 { String::new() } else { format!(" ({code})") }
}

impl Reading {
    /// By an expression.
    ///
    /// # Errors
    /// - [`Unread::BadExpression`]: show it beside the field.
    pub fn text(expression: &str) -> Result<Self, Unread> {
        place::expression(expression).map(Self::Text)
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// - [`Unread`]: show its sentence; the last balance stays, with its age.
    pub fn read(&self, answer: &[u8]) -> Result<Balance, Unread> {
        let text = place::text(answer)?;
        let text = &*text;
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
                let amount = element(&document, amount).ok_or(Unread::NoSuchField)?;
                let currency = currency.as_ref().and_then(|path| element(&document, path));
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
    pub(crate) fn of(amount: Amount, currency: Option<&str>) -> Self {
        let currency: Option<String> = currency
            .map(|it| it.trim().chars().filter(|it| !it.is_control()).take(LONGEST_CURRENCY).collect());
        Self { amount, currency: currency.filter(|it| !it.is_empty()), overdraft: None, valid_until: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_ANSWER;

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
        assert_eq!(refused.unwrap_err().to_string(), "the provider refuses (-10007): it is not known there");
        let refused = shown(&Reading::VosJson, r#"{"retCode":-9,"exception":"Go away"}"#).unwrap_err();
        assert_eq!(refused.to_string(), "the provider refuses (-9): Go away");

        let balance = Reading::VosForm.read(b"0|10011;Ann;12.345;1893456000000;0\n").unwrap();
        assert_eq!((balance.amount.to_string(), balance.overdraft), ("12.345".into(), None));
        assert!(matches!(
            shown(&Reading::VosForm, "-10007|nobody"),
            Err(Unread::Refused { code: -10007, .. })
        ));
    }

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
    fn what_is_no_number_is_no_money_in_any_form_and_a_debt_is_one() {
        let expression = Reading::text(r"is (\S+)").unwrap();
        let json = || Reading::Json { amount: "/b".into(), currency: None };
        let xml = || Reading::Xml { amount: "b".into(), currency: None };
        for (reading, before, behind) in [
            (json(), r#"{"b":""#, r#""}"#),
            (xml(), "<b>", "</b>"),
            (expression, "it is ", " now"),
            (Reading::Bare, "", ""),
            (Reading::Auto, "", ""),
            (Reading::Auto, r#"{"balance":""#, r#""}"#),
            (Reading::VosForm, "0|1;Ann;", ";0;0"),
            (Reading::VosJson, r#"{"retCode":0,"infoCustomers":[{"money":""#, r#""}]}"#),
        ] {
            for no in
                ["NaN", "-NaN", "1e309", "-1e309", "Infinity", "inf", "0x10", "1e-99999999999", "null", "--1"]
            {
                let answer = format!("{before}{no}{behind}");
                assert!(shown(&reading, &answer).is_err(), "{answer}");
            }
            assert_eq!(shown(&reading, &format!("{before}-3.50{behind}")), Ok("-3.50".into()));
        }
    }

    #[test]
    fn hostile_answers_are_told_for_what_they_are_and_cost_little() {
        let json = Reading::Json { amount: "/b".into(), currency: None };
        for (answer, why) in [
            ("<!DOCTYPE html><title>Login</title>".to_owned(), Unread::WebPage),
            ("  <HTML>".to_owned(), Unread::WebPage),
            ("<?xml version=\"1.0\"?>\n<!DOCTYPE html><html/>".to_owned(), Unread::WebPage),
            ("\u{feff}<!-- portal --><HtMl lang=en>".to_owned(), Unread::WebPage),
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
