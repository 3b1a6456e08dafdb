//! An account as the QR codes of other softphones write it: `sip:user:password@host;transport=tls`.
//!
//! RFC 3261 section 19.1.1, read generously: a password may hold what should have been escaped. `sips:` means that the server
//! is reached by TLS.

use base::Secret;
use sip::message::{Scheme, Uri, escape_user, unescape};

use crate::form::Form;
use crate::proposal::Unusable;
use crate::words::{Hidden, LONGEST, SipUri, Text, TransportName, is_hidden};

/// Whether it looks like one: the scheme, perhaps with a name before it.
pub(crate) fn is_one(text: &str) -> bool {
    let (_, address) = parts(text);
    scheme(address).is_some()
}

/// `"Ann" <sip:...>`, to name and address.
fn parts(text: &str) -> (Option<&str>, &str) {
    match text.split_once('<').and_then(|(name, rest)| Some((name, rest.trim_end().strip_suffix('>')?))) {
        Some((name, address)) => (Some(name.trim().trim_matches('"').trim()), address),
        None => (None, text),
    }
}

/// What follows the scheme, and whether that asks for TLS.
fn scheme(address: &str) -> Option<(bool, &str)> {
    let (scheme, rest) = address.split_once(':')?;
    match scheme.to_ascii_lowercase().as_str() {
        "sip" => Some((false, rest)),
        "sips" => Some((true, rest)),
        _ => None,
    }
}

pub(crate) fn read(text: &str) -> Result<Form, Unusable> {
    let (name, address) = parts(text);
    let (secure, rest) = scheme(address).ok_or(Unusable::Unknown)?;
    // The last: a password may hold another.
    let (who, place) = rest.rsplit_once('@').ok_or(Unusable::Nobody)?;
    let (user, password) = match who.split_once(':') {
        Some((user, password)) => (user, Some(unescape(password).into_owned())),
        None => (who, None),
    };
    let user = unescape(user);
    if user.trim().is_empty() {
        return Err(Unusable::Nobody);
    }
    if user.chars().any(is_hidden)
        || password.iter().any(|it| it.len() > LONGEST || it.chars().any(is_hidden))
    {
        return Err(Unusable::Address);
    }
    let written: Uri =
        format!("sip:{}@{place}", escape_user(&user)).parse().map_err(|_| Unusable::Address)?;
    let view = written.view();
    debug_assert_eq!(view.scheme, Scheme::Sip, "it was written so");
    let transport = match view.transport() {
        None if view.param("transport").is_some() => return Err(Unusable::Address),
        Some(base::Transport::Ws) if secure => Some(base::Transport::Wss),
        Some(transport) if !secure || transport.is_secure() => Some(transport),
        _ if secure => Some(base::Transport::Tls),
        _ => None,
    };
    let port = view.port.map(|port| format!(":{port}")).unwrap_or_default();
    let uri = format!("sip:{}@{}{port}", escape_user(&user), view.host);
    Ok(Form {
        uri: Some(uri.parse::<SipUri>().map_err(|_| Unusable::Address)?),
        password: password.filter(|it| !it.is_empty()).map(|it| Hidden(Secret::new(it))),
        display_name: match name.filter(|it| !it.is_empty()) {
            Some(name) => Some(name.parse::<Text>().map_err(|_| Unusable::Address)?),
            None => None,
        },
        transport: transport.map(|it| TransportName(Some(it))),
        ..Form::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_ways_to_write_an_account_are_read() {
        let read = |text: &str| {
            let form = read(text).unwrap();
            let password = form.password.map(|it| it.0.expose().clone());
            let transport = form.transport.map(|it| it.to_string());
            (form.uri.unwrap().to_string(), password, transport)
        };
        let told = |uri: &str, password: Option<&str>, transport: Option<&str>| {
            (uri.to_owned(), password.map(str::to_owned), transport.map(str::to_owned))
        };
        for (text, expected) in [
            ("sip:1001@h.test", told("sip:1001@h.test", None, None)),
            (
                "sip:1001:hush@h.test:5070;transport=TLS",
                told("sip:1001@h.test:5070", Some("hush"), Some("tls")),
            ),
            ("sips:ann@h.test", told("sip:ann@h.test", None, Some("tls"))),
            (
                "SIPS:ann:x@[2001:db8::1]:5061;transport=tcp",
                told("sip:ann@[2001:db8::1]:5061", Some("x"), Some("tls")),
            ),
            ("sips:ann@h.test;transport=ws", told("sip:ann@h.test", None, Some("wss"))),
            ("sip:ann:p%40ss:w%C3%B6rd@h.test", told("sip:ann@h.test", Some("p@ss:w\u{f6}rd"), None)),
            ("sip:ann:p@ss#1@h.test", told("sip:ann@h.test", Some("p@ss#1"), None)),
            ("sip:1001@h.test;user=phone?subject=x", told("sip:1001@h.test", None, None)),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        let named = super::read("\"Ann Smith\" <sip:1001:x@h.test>").unwrap();
        assert_eq!(named.display_name.unwrap().as_str(), "Ann Smith");
    }

    #[test]
    fn what_names_nobody_or_nothing_that_can_be_reached_is_refused_without_its_password() {
        for text in [
            "sip:h.test",
            "sip:@h.test",
            "sip::hush@h.test",
            "sip:ann:hush@",
            "sip:ann:hush@h test",
            "sip:ann:hush@h.test;transport=sctp",
            "sip:ann:hu\nsh@h.test",
            "sip:a\u{202e}nn:hush@h.test",
            "sip:ann:hush@h.test:99999",
            "sip:ann:hush@h.t\u{435}st",
        ] {
            let told = read(text).unwrap_err().to_string();
            assert!(!told.contains("hush"), "{text}: {told}");
        }
    }
}
