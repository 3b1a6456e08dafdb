//! What a push says: somebody calls, and the call itself is on its way.
//!
//! The payload is a JSON object of strings, as the push gateway sends it on (RFC 8599 leaves its form open):
//! `{"account": "sip:1001@example.com", "call-id": "...", "from": "sip:1002@example.com", "name": "Bob"}`. All but `account`
//! may be missing; with neither `from` nor `call-id` nobody calls, and the phone only registers anew. Knows nothing of who
//! sent it.
//!
//! And by what its provider may wake the phone: the service is the account's, what the service knows this phone by the platform
//! says (RFC 8599 section 4.1).

use std::collections::BTreeMap;

use account::words::{Hidden, Text};
use account::{Document, LONGEST_PRID, Secrets};
use base::Secret;
use serde::Deserialize;

use crate::Phone;
use crate::error::PhoneError;

/// What push services know this phone by, as far as the platform has said it in this run.
pub(crate) type Tokens = BTreeMap<String, Secret<String>>;

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

#[uniffi::export]
impl Phone {
    /// What a push service (`fcm`, `apns`, `webpush`) knows this phone by: say it at each start and whenever it is another. It is
    /// sealed like a password, and registrations of the accounts that name this service tell it. How many those are. It waits for
    /// a disk.
    ///
    /// # Errors
    /// `BadArgument`: no service or no token; `TooLong`: a token of more than 1,024 bytes; `Secrets`: it cannot be kept: say so.
    pub fn set_push_token(&self, service: String, token: String) -> Result<u32, PhoneError> {
        self.require_open()?;
        let token = Secret::new(token);
        if token.expose().len() > LONGEST_PRID {
            return Err(PhoneError::TooLong);
        }
        if service.is_empty() || token.expose().trim().is_empty() {
            return Err(PhoneError::BadArgument {
                sentence: "that is no push service, or no token of one".into(),
            });
        }
        self.tokens().insert(service.clone(), token);
        let store = self.store();
        let its = |document: &Document| service_of(document) == Some(&*service);
        let kept = store.accounts().iter().filter(|it| it.document.as_ref().is_ok_and(its));
        let accounts: Vec<u32> = kept.map(|it| it.id).collect();
        for id in &accounts {
            let Some(known) = store.secrets(*id)? else { continue };
            let secrets = self.with_token(store.document(*id)?, known.clone());
            if secrets != known {
                store.keep_secrets(*id, &secrets)?;
                self.give(&store, *id)?;
            }
        }
        Ok(accounts.len() as u32)
    }
}

impl Phone {
    /// With what the account's push service knows this phone by, where that is known.
    pub(crate) fn with_token(&self, document: &Document, mut secrets: Secrets) -> Secrets {
        let tokens = self.tokens();
        if let Some(token) = service_of(document).and_then(|service| tokens.get(service)) {
            secrets.push_prid = Some(Hidden(token.clone()));
        }
        secrets
    }
}

fn service_of(document: &Document) -> Option<&str> {
    document.form().push.as_ref()?.provider.as_ref().map(Text::as_str)
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
