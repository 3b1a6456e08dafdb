//! What the user typed, to a URI that can be called.
//!
//! Numbers and extensions belong to the account's domain (RFC 3261 section 19.1.6, RFC 3966). Which numbers are for
//! emergencies, and how a provider wants the others, is [`numbers`]'s to say.

use std::net::IpAddr;

use numbers::{Regions, Showing, Typed};
use sip::message::{Scheme, Uri};

use crate::Account;

/// Longest text that is looked at. RFC 3966 numbers and mail-like addresses stay far below.
const MAX_TYPED: usize = 256;

/// Why what was typed cannot be called. `Display` is a sentence to show beside the text field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTarget {
    /// Nothing but space.
    #[error("there is nothing to call")]
    Empty,
    /// Longer than any address.
    #[error("that is too long to be a number or an address")]
    TooLong,
    /// A URI of a kind that is not called.
    #[error("only sip:, sips: and tel: addresses can be called")]
    Scheme,
    /// It calls for help: hand it to the platform's own dialer, which knows where the phone is.
    #[error("this is an emergency number: call it by the telephone itself")]
    Emergency,
    /// Neither a number, an extension nor a URI.
    #[error("that is neither a number nor an address")]
    NotDialable,
}

/// A call that was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whom to call.
    pub uri: Uri,
    /// Whether the called person is not to see who calls, where that was typed for this call (`#31#`, `*31#`).
    pub hide: Option<bool>,
    /// What to press once they answer: keys, `,` for a pause, `;` until the person says so.
    pub keys: Option<String>,
}

/// Reads what was typed to be called by `account`. An emergency number is recognised before anything else and never
/// rewritten; other numbers go through the account's plan.
///
/// # Errors
/// [`BadTarget`]: show it beside the text field.
pub fn target(typed: &str, account: &Account, regions: &Regions) -> Result<Target, BadTarget> {
    if typed.len() > MAX_TYPED {
        return Err(BadTarget::TooLong);
    }
    let taken = Typed::of(typed);
    // Four numbers with points between are a host's.
    if !taken.is_number() || typed.trim().parse::<IpAddr>().is_ok() {
        return Ok(Target { uri: dial(typed, &account.uri)?, hide: None, keys: None });
    }
    let emergency = regions.is_emergency(&taken.whom);
    let number = match (emergency, account.emergency) {
        (true, false) => return Err(BadTarget::Emergency),
        (true, true) => taken.whom,
        (false, _) => account.dial_plan.apply(&taken.whom).number,
    };
    Ok(Target {
        uri: dial(&number, &account.uri)?,
        hide: taken.showing.map(|showing| showing == Showing::Hide),
        keys: taken.keys.filter(|_| !emergency),
    })
}

/// Reads what was typed for the account whose address of record is `aor`.
///
/// # Errors
/// [`BadTarget`]: show it beside the text field.
pub fn dial(typed: &str, aor: &Uri) -> Result<Uri, BadTarget> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err(BadTarget::Empty);
    }
    if typed.len() > MAX_TYPED {
        return Err(BadTarget::TooLong);
    }
    if let Some(number) = strip_scheme(typed, "tel:") {
        return telephone(number, aor);
    }
    if strip_scheme(typed, "sip:").is_some() || strip_scheme(typed, "sips:").is_some() {
        return address(typed);
    }
    if let Ok(ip) = typed.trim_matches(['[', ']']).parse::<IpAddr>() {
        return address(&match ip {
            IpAddr::V4(ip) => format!("sip:{ip}"),
            IpAddr::V6(ip) => format!("sip:[{ip}]"),
        });
    }
    if has_scheme(typed) {
        return Err(BadTarget::Scheme);
    }
    if typed.contains('@') {
        return address(&format!("sip:{typed}"));
    }
    if let Some(number) = number(typed) {
        return in_domain(&number, aor, "");
    }
    if typed.contains(':') {
        return Err(BadTarget::Scheme);
    }
    if typed.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.!~'".contains(&b)) {
        return in_domain(typed, aor, "");
    }
    Err(BadTarget::NotDialable)
}

/// A typed or tapped SIP URI, without the header fields that a link may have smuggled in (RFC 3261 section 19.1.5).
fn address(text: &str) -> Result<Uri, BadTarget> {
    let text = text.split('?').next().unwrap_or(text);
    text.parse().map_err(|_| BadTarget::NotDialable)
}

/// A `tel:` URI becomes a `sip:` one in the account's domain, its parameters inside the user part. RFC 3261 section 19.1.6.
fn telephone(subscriber: &str, aor: &Uri) -> Result<Uri, BadTarget> {
    let (digits, params) = subscriber.split_at(subscriber.find(';').unwrap_or(subscriber.len()));
    let digits = number(digits).ok_or(BadTarget::NotDialable)?;
    in_domain(&format!("{digits}{}", params.to_ascii_lowercase()), aor, ";user=phone")
}

/// The digits of a number, its punctuation left out and `#` escaped; `None` when it is no number. RFC 3966 section 3.
fn number(typed: &str) -> Option<String> {
    let mut out = String::new();
    for c in typed.chars() {
        match c {
            '0'..='9' | '*' => out.push(c),
            '#' => out.push_str("%23"),
            '+' if out.is_empty() => out.push(c),
            ' ' | '\u{a0}' | '-' | '.' | '(' | ')' | '/' => {}
            _ => return None,
        }
    }
    (!matches!(out.as_str(), "" | "+")).then_some(out)
}

fn in_domain(user: &str, aor: &Uri, params: &str) -> Result<Uri, BadTarget> {
    let scheme = match aor.view().scheme {
        Scheme::Sips => "sips",
        Scheme::Sip | Scheme::Tel | Scheme::Other => "sip",
    };
    format!("{scheme}:{user}@{}{params}", domain(aor)).parse().map_err(|_| BadTarget::NotDialable)
}

/// Whom a URI names, as people write it: its user part without escapes (`#`, not `%23`), or all of it where it names nobody
/// that can be shown. So what [`dial`] makes of a number is read back.
#[must_use]
pub fn number_of(uri: &str) -> String {
    let parsed: Result<Uri, _> = uri.parse();
    let user = parsed.map(|uri| uri.view().user_decoded().into_owned()).unwrap_or_default();
    if user.is_empty() || user.contains(char::is_control) { uri.to_owned() } else { user }
}

/// The host and port of an address of record, as text: where its numbers live.
pub(crate) fn domain(aor: &Uri) -> String {
    let view = aor.view();
    match view.port {
        Some(port) => format!("{}:{port}", view.host),
        None => view.host.to_string(),
    }
}

/// Whether it begins like a URI: a scheme (RFC 3986 section 3.1) and a colon. `bob:secret@host`, which SIP allows and
/// nobody should type, looks the same.
fn has_scheme(text: &str) -> bool {
    text.split_once(':').is_some_and(|(head, _)| {
        head.starts_with(|c: char| c.is_ascii_alphabetic())
            && head.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    })
}

fn strip_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (head, tail) = text.split_at_checked(scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then_some(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialled(typed: &str) -> Result<String, BadTarget> {
        dial(typed, &"sip:1001@offhook.test".parse().unwrap()).map(|uri| uri.to_string())
    }

    #[test]
    fn numbers_and_extensions_go_to_the_accounts_domain() {
        for (typed, uri) in [
            ("1002", "sip:1002@offhook.test"),
            (" +49 (30) 1234-56 ", "sip:+4930123456@offhook.test"),
            ("*21#", "sip:*21%23@offhook.test"),
            ("030/12.34.56", "sip:030123456@offhook.test"),
            ("ann.smith", "sip:ann.smith@offhook.test"),
        ] {
            assert_eq!(dialled(typed).as_deref(), Ok(uri), "{typed}");
        }
    }

    #[test]
    fn a_port_in_the_address_of_record_is_part_of_its_domain() {
        let uri = dial("1002", &"sip:1001@[::1]:5070".parse().unwrap()).unwrap();
        assert_eq!(uri.to_string(), "sip:1002@[::1]:5070");
    }

    #[test]
    fn addresses_are_called_as_they_are_less_their_header_fields() {
        for (typed, uri) in [
            ("sip:bob@example.com;transport=tcp", "sip:bob@example.com;transport=tcp"),
            ("bob@example.com", "sip:bob@example.com"),
            ("sip:bob@example.com?Replaces=a%3Bto-tag%3Db", "sip:bob@example.com"),
            ("192.0.2.7", "sip:192.0.2.7"),
            ("2001:db8::1", "sip:[2001:db8::1]"),
        ] {
            assert_eq!(dialled(typed).as_deref(), Ok(uri), "{typed}");
        }
    }

    #[test]
    fn telephone_uris_become_sip_uris_in_the_accounts_domain() {
        assert_eq!(dialled("tel:+1-201-555-0123").as_deref(), Ok("sip:+12015550123@offhook.test;user=phone"));
        assert_eq!(
            dialled("TEL:7042;phone-context=example.com").as_deref(),
            Ok("sip:7042;phone-context=example.com@offhook.test;user=phone")
        );
    }

    #[test]
    fn a_uri_is_shown_as_the_number_that_was_dialled() {
        for number in ["1002", "*21#", "+4930123456", "ann.smith"] {
            assert_eq!(number_of(&dialled(number).unwrap()), number);
        }
        assert_eq!(number_of("sip:%2B4930@example.com"), "+4930");
        for whole in ["sip:example.com", "sip:a%0D%0Ab@example.com", "not a uri"] {
            assert_eq!(number_of(whole), whole);
        }
    }

    #[test]
    fn what_cannot_be_called_is_refused_with_its_reason() {
        for (typed, why) in [
            ("  ", BadTarget::Empty),
            ("mailto:bob", BadTarget::Scheme),
            ("mailto:bob@example.com", BadTarget::Scheme),
            ("bob smith", BadTarget::NotDialable),
            ("1002\r\nVia", BadTarget::NotDialable),
            ("sip:", BadTarget::NotDialable),
            ("tel:", BadTarget::NotDialable),
            ("+", BadTarget::NotDialable),
        ] {
            assert_eq!(dialled(typed), Err(why), "{typed}");
        }
        assert_eq!(dialled(&"1".repeat(300)), Err(BadTarget::TooLong));
    }
}
