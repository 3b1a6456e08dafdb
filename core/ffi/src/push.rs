//! What a push says: somebody calls, and the call itself is on its way.
//!
//! The payload is a JSON object of strings, as the push gateway sends it on (RFC 8599 leaves its form open):
//! `{"account": "sip:1001@example.com", "call-id": "...", "from": "sip:1002@example.com", "name": "Bob"}`. All but `account`
//! may be missing; with neither `from` nor `call-id` nobody calls, and the phone only registers anew. Knows nothing of who
//! sent it.

use serde::Deserialize;

use crate::error::PhoneError;

/// Apple and Google take at most 4 KiB.
const LONGEST: usize = 4096;

/// What is known of a call that a push announced. The platform must be told of it before its handler ends.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Announced {
    /// Somebody calls: ring. `answer`, `reject` and `hang_up` may be called at once; the phone does so when the call is there.
    Call {
        /// The call.
        call: u32,
        /// To which account.
        account: u32,
        /// The caller's URI; empty: not said.
        remote: String,
        /// The number in it.
        number: String,
        /// The caller's name.
        name: Option<String>,
    },
    /// Nobody calls; the phone registers anew.
    Nothing,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Payload {
    pub(crate) account: String,
    pub(crate) call_id: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) name: Option<String>,
}

impl Payload {
    pub(crate) fn read(payload: &str) -> Result<Self, PhoneError> {
        if payload.len() > LONGEST {
            return Err(PhoneError::TooLong);
        }
        // The parser's own words may quote the payload.
        let mut payload: Self = serde_json::from_str(payload)
            .map_err(|_| PhoneError::BadArgument { sentence: "that is no push of ours".into() })?;
        for field in [&mut payload.call_id, &mut payload.from, &mut payload.name] {
            field.take_if(|text| text.is_empty()); // what some gateways write for what they do not know
        }
        Ok(payload)
    }

    /// Whether it is for the account of this address of record.
    pub(crate) fn is_for(&self, uri: &sip::message::Uri) -> bool {
        self.account.parse::<sip::message::Uri>().is_ok_and(|named| named.view().equals(&uri.view()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_is_for_the_account_whose_address_it_names_however_it_is_written() {
        let payload =
            Payload::read(r#"{"account":"sip:1001@Offhook.TEST","from":"sip:1002@offhook.test"}"#).unwrap();
        assert!(payload.is_for(&"sip:1001@offhook.test".parse().unwrap()));
        assert!(!payload.is_for(&"sip:1002@offhook.test".parse().unwrap()));
        assert_eq!(payload.from.as_deref(), Some("sip:1002@offhook.test"));
        let empty = Payload::read(r#"{"account":"sip:1001@offhook.test","from":"","call-id":""}"#).unwrap();
        assert_eq!((empty.from, empty.call_id), (None, None));
    }

    #[test]
    fn what_is_no_push_of_ours_is_an_error_that_quotes_nothing() {
        for payload in ["", "{}", "[]", "\"alice\"", r#"{"account":7,"from":"alice"}"#] {
            let Err(PhoneError::BadArgument { sentence }) = Payload::read(payload).map(|_| ()) else {
                panic!("{payload}")
            };
            assert!(!sentence.contains("alice"));
        }
        assert!(matches!(Payload::read(&"x".repeat(5000)), Err(PhoneError::TooLong)));
    }
}
