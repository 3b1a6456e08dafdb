//! What the user typed, to a URI that can be called.
//!
//! Numbers and extensions belong to the account's domain (RFC 3261 section 19.1.6, RFC 3966). Knows no dial plan and no
//! country: a number goes out as it was typed, less its punctuation.

use std::net::IpAddr;

use sip::message::{Scheme, Uri};

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
    /// Neither a number, an extension nor a URI.
    #[error("that is neither a number nor an address")]
    NotDialable,
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

/// What was typed before a number to be seen or not to be, for one call: `#31#` hides, `*31#` shows (3GPP TS 22.030 section
/// 6.5.2); and what is behind it.
pub(crate) fn showing(typed: &str) -> (Option<bool>, &str) {
    let typed = typed.trim();
    let behind = |code| typed.strip_prefix(code).filter(|rest| number(rest).is_some());
    match (behind("#31#"), behind("*31#")) {
        (Some(rest), _) => (Some(true), rest),
        (None, Some(rest)) => (Some(false), rest),
        (None, None) => (None, typed),
    }
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
    fn a_code_before_a_number_hides_or_shows_who_calls_once() {
        assert_eq!(showing("#31#030 1"), (Some(true), "030 1"));
        assert_eq!(showing(" *31#1002"), (Some(false), "1002"));
        assert_eq!(showing("#31#"), (None, "#31#"));
        assert_eq!(showing("*21#"), (None, "*21#"));
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
