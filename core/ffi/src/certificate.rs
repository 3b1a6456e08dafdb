//! Certificates: the server's, which the person is asked about, and the account's own.
//!
//! The own key goes to the platform's store and nowhere else. Knows nothing of what a certificate says.

use account::Document;
use account::words::{Hidden, Pin};
use base::{BadFingerprint, ClientCertificate, Fingerprint, Secret};
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use offhook_io::client_certificate;
use phone::Command;

use crate::Phone;
use crate::error::PhoneError;

/// Longer than any chain and key that a handshake carries.
const LONGEST: usize = 64 * 1024;

#[uniffi::export]
impl Phone {
    /// The certificate that [`crate::Event::Certificate`] has shown is the server's: this one and no other from now on. It is kept,
    /// until the account's server is changed.
    ///
    /// # Errors
    /// `NoAccount`; `BadArgument`: that is no fingerprint.
    pub fn trust(&self, account: u32, fingerprint: String) -> Result<(), PhoneError> {
        let id = self.account(account)?;
        let read = |error: BadFingerprint| PhoneError::BadArgument { sentence: error.to_string() };
        self.handle.command(Command::Trust(id, fingerprint.parse().map_err(read)?));
        Ok(())
    }

    /// Shows this to the account's server when it asks who connects: certificates as DER, the own one first, and its key
    /// (PKCS #8, PKCS #1 or SEC 1). Without any, nothing is shown any more.
    ///
    /// # Errors
    /// - `NoAccount`.
    /// - `BadArgument`: far too much of it, no key, or the key of another certificate.
    /// - `Secrets`, `Store`: it cannot be kept, and is not used.
    pub fn set_client_certificate(
        &self,
        account: u32,
        chain: Vec<Vec<u8>>,
        key: Vec<u8>,
    ) -> Result<(), PhoneError> {
        let key = Secret::new(key);
        self.kept_account(account)?;
        let long = chain.iter().map(Vec::len).sum::<usize>() + key.expose().len() > LONGEST;
        if long || chain.is_empty() != key.expose().is_empty() {
            let sentence = "that is no certificate with its key".into();
            return Err(PhoneError::BadArgument { sentence });
        }
        let mut store = self.store();
        let document = store.document(account)?;
        let mut secrets = store.secrets(account)?.unwrap_or_default();
        let mut form = document.form().clone();
        let chain_text = in_pem("CERTIFICATE", &chain);
        secrets.tls_key = if chain.is_empty() { None } else { Some(Hidden(key_for(&chain_text, &key)?)) };
        form.tls_certificate = match &secrets.tls_key {
            Some(_) => Some(chain_text.parse().map_err(|_| PhoneError::TooLong)?),
            None => None,
        };
        let changed = crate::document::readable(document.with(form).0)?;
        // The key first: without it the certificate is not shown.
        store.keep_secrets(account, &secrets)?;
        store.keep(&self.handle, account, changed)?;
        self.give(&store, account)
    }
}

impl Phone {
    /// The person has taken this certificate for that of the account's server.
    pub(crate) fn keep_trust(&self, account: u32, fingerprint: Fingerprint) -> Result<(), PhoneError> {
        let mut store = self.store();
        let document = store.document(account)?;
        let mut form = document.form().clone();
        form.tls_pin = Some(Pin(fingerprint));
        let changed = document.with(form).0;
        store.keep(&self.handle, account, changed)
    }
}

/// What is shown to a server, if both can be read.
pub(crate) fn shown(chain: &str, key: &Secret<String>) -> Option<ClientCertificate> {
    client_certificate(chain.as_bytes(), key.expose().as_bytes()).ok()
}

/// The key of the account's certificate, which was kept in hexadecimal once; none: it is of no use.
pub(crate) fn key_of_hex(document: &Document, key: &Secret<String>) -> Option<Secret<String>> {
    let chain = document.form().tls_certificate.as_ref()?;
    let der = Secret::new(HEXLOWER_PERMISSIVE.decode(key.expose().as_bytes()).ok()?);
    key_for(chain.as_str(), &der).ok()
}

/// Certificates that were kept in hexadecimal once.
pub(crate) fn chain_of_hex(chain: &[String]) -> Option<String> {
    let chain: Option<Vec<_>> =
        chain.iter().map(|text| HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()).collect();
    chain.filter(|chain| !chain.is_empty()).map(|chain| in_pem("CERTIFICATE", &chain))
}

/// The key in PEM. Which kind of key it is, a line above it says: the one by which it fits the certificate.
fn key_for(chain: &str, key: &Secret<Vec<u8>>) -> Result<Secret<String>, PhoneError> {
    let kinds = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];
    let written = kinds.map(|kind| Secret::new(in_pem(kind, std::slice::from_ref(key.expose()))));
    let fits = |key: &Secret<String>| shown(chain, key).is_some();
    written
        .into_iter()
        .find(fits)
        .ok_or_else(|| PhoneError::BadArgument { sentence: "that is no certificate with its key".into() })
}

/// RFC 7468 section 2.
fn in_pem(label: &str, all: &[Vec<u8>]) -> String {
    let mut text = String::new();
    for der in all {
        text.extend(["-----BEGIN ", label, "-----\n"]);
        let encoded = Secret::new(BASE64.encode(der));
        for line in encoded.expose().as_bytes().chunks(64) {
            text.extend(line.iter().map(|byte| char::from(*byte)));
            text.push('\n');
        }
        text.extend(["-----END ", label, "-----\n"]);
    }
    text
}
