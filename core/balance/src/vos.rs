//! The web interfaces of VOS switches: the vendor's JSON, and the older form.
//!
//! By the vendor's manual (V2.1.9.07) and operators' scripts, never tried against a live switch: reading forgives what is
//! missing. The JSON interface is meant for a backend of the operator's, not for phones: the address is the operator's own.

use crate::amount::Amount;
use crate::json::Json;
use crate::reading::{Balance, Unread};
use crate::template::{Body, Template};

/// What can be asked for, of the JSON interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// What is left: `GetCustomer`.
    Customer,
    /// How long it is enough for, to `{number}`: `GetAvailableTime`.
    AvailableTime,
    /// Top-up by a card: `PayByPhoneCard`. What is printed on it is the vendor's `pin`, and what was hidden its `password`.
    PayByPhoneCard,
    /// The switch rings both: `CallBack`.
    CallBack,
}

impl Call {
    /// Asked at `base`, which ends before the name of what is asked: `https://billing.example/external/server`.
    pub fn template(self, base: &str) -> Template {
        let (name, body) = match self {
            Self::Customer => ("GetCustomer", r#"{"accounts":["{account}"]}"#),
            Self::AvailableTime => {
                ("GetAvailableTime", r#"{"billingName":"{account}","billingMode":0,"calleeE164":"{number}"}"#)
            }
            Self::PayByPhoneCard => (
                "PayByPhoneCard",
                r#"{"ownerName":"{account}","ownerType":2,"pin":"{card}","password":"{pin}"}"#,
            ),
            Self::CallBack => ("CallBack", r#"{"callerE164":"{caller}","calleeE164s":["{callee}"]}"#),
        };
        Template::post(format!("{}/{name}", base.trim_end_matches('/')), Body::Json(body.into()))
    }
}

/// Where a switch's JSON interface is, by what a person knows of it: `billing.example`, `billing.example:8080`, or all of it.
pub fn base_of(server: &str) -> String {
    let server = server.trim().trim_end_matches('/');
    let whole = if server.contains("://") { server.to_owned() } else { format!("https://{server}") };
    let has_path = whole.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
    if has_path { whole } else { whole + "/external/server" }
}

/// The older form, asked at `https://billing.example/thirdparty/getcustomer.jsp`.
pub fn form(url: &str) -> Template {
    let fields =
        [("name", "{account}"), ("type", "2"), ("loginName", "{user}"), ("loginPassword", "{password}")];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Template::post(url, Body::Form(fields.into()))
}

/// What a reply of the JSON interface refuses, if it does.
pub(crate) fn refusal(reply: Json<'_>) -> Result<(), Unread> {
    let code = reply.at("/retCode").and_then(Json::integer).ok_or(Unread::NoSuchField)?;
    if code == 0 {
        return Ok(());
    }
    let words = reply.at("/exception").and_then(Json::text).unwrap_or_default();
    Err(Unread::Refused { code, words: known(code, &words) })
}

/// In our words where the code is known, else in theirs.
fn known(code: i64, words: &str) -> String {
    let ours = match code {
        -10007 => "it is not known there",
        -10033 => "too long a time was asked for",
        -10124 => "what was asked is not understood there",
        -12103 => "something is missing in what was asked",
        _ => return words.chars().filter(|it| !it.is_control()).take(200).collect(),
    };
    ours.to_owned()
}

pub(crate) fn customer(reply: Json<'_>) -> Result<Balance, Unread> {
    refusal(reply)?;
    let customer = reply.at("/infoCustomers/0").ok_or(Unread::NoSuchField)?;
    let limit = customer.at("/limitMoney").map(Json::amount).transpose()?;
    Ok(Balance {
        amount: customer.at("/money").ok_or(Unread::NoSuchField)?.amount()?,
        overdraft: limit.filter(|limit| *limit != Amount::whole(0)),
        valid_until: customer.at("/validTime").and_then(Json::integer).filter(|time| *time > 0),
        currency: None,
    })
}

/// What is left for the number that was asked about: seconds, or why there is none.
pub(crate) fn time_remain(reply: Json<'_>) -> Result<u64, Unread> {
    refusal(reply)?;
    let remain = reply.at("/infoAvailableTime/timeRemain").ok_or(Unread::NoSuchField)?;
    let remain = remain.as_it_stands().parse().map_err(|_| Unread::NoTime)?;
    seconds(remain, 1)
}

/// So many of a unit of so many seconds; what is below zero is a refusal with that code.
pub(crate) fn seconds(amount: Amount, unit: u32) -> Result<u64, Unread> {
    amount.times(unit).ok_or_else(|| {
        let code = amount.to_decimals(0).to_string().parse().unwrap_or_default();
        Unread::Refused { code, words: "calls to this number are not possible".into() }
    })
}

/// The code and what is behind it, of the older form: `code|...`.
pub(crate) fn coded(reply: &str) -> Result<&str, Unread> {
    let (code, rest) = reply.trim().split_once('|').ok_or(Unread::NoSuchField)?;
    let code: i64 = code.trim().parse().map_err(|_| Unread::NoSuchField)?;
    if code == 0 { Ok(rest) } else { Err(Unread::Refused { code, words: known(code, rest) }) }
}

/// `0|account;name;balance;validity;overdraft` or `code|message`.
pub(crate) fn form_reply(reply: &str) -> Result<Balance, Unread> {
    let rest = coded(reply)?;
    let mut fields = rest.split(';').map(str::trim);
    let amount = fields.nth(2).ok_or(Unread::NoSuchField)?.parse().map_err(|_| Unread::NoAmount)?;
    let valid_until = fields.next().and_then(|it| it.parse().ok()).filter(|time| *time > 0);
    let overdraft: Option<Amount> = fields.next().and_then(|it| it.parse().ok());
    let overdraft = overdraft.filter(|limit| *limit != Amount::whole(0));
    Ok(Balance { amount, overdraft, valid_until, currency: None })
}
