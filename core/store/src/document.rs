//! JSON documents of others that are kept as they are: that they are JSON (RFC 8259), not too long, and hold no secret.
//!
//! A document is the file's for good, and files are copied; secrets are the platform's to keep. One that slips in is found
//! by the name of its key. A word of a name is what stands between signs, or from one capital to the next, and a name is a
//! secret's when
//!
//! - a word of it ends with `password`, `passwd`, `passphrase` or `secret` (`authPassword`, `client_secret`), or
//! - its last word is `pass`, `pwd`, `psk`, `ha1`, `token`, `credential` or `key` (`vos_key`, `private-key`).
//!
//! Except for `keys`, the plural is no other word: `srtp_keys` is how keys are agreed on. `null`, `true` and `false` are no
//! secret: `"password": true` may say that there is one. What a document means, this does not know.

use std::fmt;

use serde::Deserialize as _;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::StoreError;

/// Bytes of one document, at most.
pub(crate) const LONGEST: usize = 256 * 1024;

const ANYWHERE: [&str; 4] = ["password", "passwd", "passphrase", "secret"];
const LAST: [&str; 7] = ["pass", "pwd", "psk", "ha1", "token", "credential", "key"];

/// Refuses what is no document, or is not ours to keep.
pub(crate) fn check(text: &str) -> Result<(), StoreError> {
    if text.len() > LONGEST {
        return Err(StoreError::TooMuch("a document has at most 256 KiB"));
    }
    let mut secret = None;
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Walk(&mut secret).deserialize(&mut reader).and_then(|()| reader.end());
    match (secret, read) {
        (Some(key), _) => Err(StoreError::Secret(key)),
        (None, Err(error)) => Err(StoreError::NotJson(error.to_string())),
        (None, Ok(())) => Ok(()),
    }
}

/// The same for a document that is kept under a name.
pub(crate) fn check_named(name: &str, text: &str) -> Result<(), StoreError> {
    check(text)?;
    if names_a_secret(name) && !["null", "true", "false"].contains(&text.trim()) {
        return Err(StoreError::Secret(name.to_owned()));
    }
    Ok(())
}

/// Whether a secret would be kept under that name.
fn names_a_secret(key: &str) -> bool {
    let mut words = vec![String::new()];
    let mut small = false;
    for c in key.chars() {
        if c.is_uppercase() && small || !c.is_alphanumeric() {
            words.push(String::new());
        }
        small = c.is_lowercase();
        if c.is_alphanumeric() {
            words.last_mut().expect("there is one from the start").extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    let is_last = |word: &String| LAST.contains(&word.as_str());
    let one = |word: &String| match word.strip_suffix('s') {
        Some(one) if one != "key" => one.to_owned(),
        _ => word.clone(),
    };
    let ends = |word: &String| ANYWHERE.iter().any(|end| one(word).ends_with(end));
    words.iter().any(ends) || words.last().is_some_and(|word| is_last(word) || is_last(&one(word)))
}

/// Goes through a value and leaves the name of the first secret. As it is read: of two members of one name, `Value` would
/// show the last alone.
struct Walk<'a>(&'a mut Option<String>);

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Walk(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(key) = members.next_key::<String>()? {
            if names_a_secret(&key) {
                if !matches!(members.next_value_seed(Whole)?, Value::Null | Value::Bool(_)) {
                    *self.0 = Some(key);
                    return Err(A::Error::custom("a secret"));
                }
            } else {
                members.next_value_seed(Walk(self.0))?;
            }
        }
        Ok(())
    }
}

struct Whole;

impl<'de> DeserializeSeed<'de> for Whole {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        Value::deserialize(reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_at_any_depth_and_named() {
        for (text, key) in [
            (r#"{"password":"x"}"#, "password"),
            (r#"{"nat":{"turn":[{"user":"u","Password":"p"}]}}"#, "Password"),
            (r#"[[[{"clientSecret":7}]]]"#, "clientSecret"),
            (r#"{"vos":{"id":"gw","key":"k"}}"#, "key"),
            (r#"{"tls_private-key":"-----"}"#, "tls_private-key"),
            (r#"{"authpassword":"x"}"#, "authpassword"),
            (r#"{"accessTokens":[]}"#, "accessTokens"),
            (r#"{"HA1":"d41d"}"#, "HA1"),
            (r#"{"a":{"pass":{"nested":1}}}"#, "pass"),
            (r#"{"secret_of_two":"x"}"#, "secret_of_two"),
            (r#"{"pass\u0077ord":"x"}"#, "password"),
            (r#"{"password":"x","password":null}"#, "password"),
            (r#"{"password":"x""#, "password"),
        ] {
            let found = check(text).unwrap_err();
            assert!(matches!(&found, StoreError::Secret(found) if found == key), "{text}: {found}");
            assert!(found.to_string().contains(key), "{found}");
        }
    }

    #[test]
    fn what_only_looks_like_a_secret_is_kept() {
        for text in [
            r#"{"srtp_keys":"sdes","keypad":true,"keyboard":1,"bypass":"x","pass_through":"x","tls_pin":"ab"}"#,
            r#"{"password":true,"token":null,"url":"https://b.test/?u={user}&p={password}"}"#,
            r#"["password"]"#,
            "7",
            "null",
            r#"{"uri":"sip:1001@offhook.test","expires":3e2,"nested":[{},[],-1.5]}"#,
        ] {
            assert!(check(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_document_is_refused_and_never_a_panic() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        for text in ["", "{", "{\"a\":1}x", "NaN", "{'a':1}", "\"\u{1}\"", "1e999", &deep] {
            assert!(matches!(check(text), Err(StoreError::NotJson(_))), "{}", &text[..text.len().min(9)]);
        }
        let long = format!("\"{}\"", "x".repeat(LONGEST));
        assert!(matches!(check(&long), Err(StoreError::TooMuch(_))));
    }
}
