//! What a certificate lets its tokens say. RFC 8226 section 8, and RFC 9118 section 4, which also forbids.
//!
//! Knows not whose certificate it is.

use der::asn1::{Ia5StringRef, ObjectIdentifier, Utf8StringRef};
use der::{Decode as _, Sequence};
use serde_json::{Map, Value};

/// `id-pe-JWTClaimConstraints` and `id-pe-eJWTClaimConstraints`.
pub(crate) const EXTENSIONS: [ObjectIdentifier; 2] =
    [ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.27"), ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.33")];
/// What every token has to say needs no leave. RFC 8226 section 8.
const USUAL: [&str; 3] = ["orig", "dest", "iat"];

/// What is demanded of a token's claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Claims {
    These {
        /// Must be there.
        must: Vec<String>,
        /// Where it is there, it must be one of these.
        one_of: Vec<(String, Vec<String>)>,
        /// Must not be there.
        must_not: Vec<String>,
    },
    /// They cannot be read: nothing fits.
    Unread,
}

#[derive(Sequence)]
struct Read<'a> {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    must: Option<Vec<Ia5StringRef<'a>>>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    one_of: Option<Vec<Permitted<'a>>>,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", optional = "true")]
    must_not: Option<Vec<Ia5StringRef<'a>>>,
}

#[derive(Sequence)]
struct Permitted<'a> {
    claim: Ia5StringRef<'a>,
    values: Vec<Utf8StringRef<'a>>,
}

impl Claims {
    pub(crate) fn read(der: &[u8]) -> Self {
        let Ok(read) = Read::from_der(der) else { return Self::Unread };
        let names = |all: Option<Vec<Ia5StringRef<'_>>>| {
            all.into_iter().flatten().map(|it| it.as_str().to_owned()).collect()
        };
        let one_of = read.one_of.into_iter().flatten().map(|it| {
            let values = it.values.iter().map(|value| value.as_str().to_owned()).collect();
            (it.claim.as_str().to_owned(), values)
        });
        Self::These { one_of: one_of.collect(), must: names(read.must), must_not: names(read.must_not) }
    }

    /// Whether a token may say this.
    pub(crate) fn allow(&self, claims: &Map<String, Value>) -> bool {
        let Self::These { must, one_of, must_not } = self else { return false };
        let is_one = |value: &Value, values: &[String]| match value {
            Value::String(text) => values.contains(text),
            Value::Array(all) => {
                all.iter().all(|it| it.as_str().is_some_and(|text| values.iter().any(|value| value == text)))
            }
            other => values.contains(&other.to_string()),
        };
        must.iter().all(|name| claims.contains_key(name))
            && one_of.iter().all(|(name, values)| claims.get(name).is_none_or(|value| is_one(value, values)))
            && must_not.iter().all(|name| USUAL.contains(&name.as_str()) || !claims.contains_key(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tagged(tag: u8, body: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(body.len()).unwrap()], body].concat()
    }

    fn allows(der: &[u8], claims: &str) -> bool {
        let Value::Object(claims) = serde_json::from_str(claims).unwrap() else { panic!("{claims}") };
        Claims::read(der).allow(&claims)
    }

    #[test]
    fn a_claim_must_be_there_be_one_of_those_or_not_be_there() {
        let attest = tagged(0x16, b"attest");
        let must = tagged(0x30, &tagged(0xa0, &tagged(0x30, &attest)));
        assert!(allows(&must, r#"{"attest":"A"}"#) && !allows(&must, r#"{"iat":1}"#));

        let values = [tagged(0x0c, b"B"), tagged(0x0c, b"C")].concat();
        let permitted = tagged(0x30, &[attest.clone(), tagged(0x30, &values)].concat());
        let one_of = tagged(0x30, &tagged(0xa1, &tagged(0x30, &permitted)));
        assert!(allows(&one_of, r#"{"attest":"C"}"#) && allows(&one_of, "{}"));
        assert!(!allows(&one_of, r#"{"attest":"A"}"#) && !allows(&one_of, r#"{"attest":["B","A"]}"#));

        let must_not = tagged(0x30, &tagged(0xa2, &tagged(0x30, &attest)));
        assert!(allows(&must_not, "{}") && !allows(&must_not, r#"{"attest":"C"}"#));
    }

    #[test]
    fn what_cannot_be_read_allows_nothing() {
        for der in [&b""[..], b"\x30\x02\xa0\x00", b"\x30\x84\xff\xff\xff\xff", b"\x04\x00"] {
            assert!(!allows(der, "{}"), "{der:?}");
        }
        assert!(allows(b"\x30\x00", "{}"), "no demand is none");
    }
}
