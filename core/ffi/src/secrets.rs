//! What of accounts is secret: in the platform's store, all of one account's as one, under the account's number.
//!
//! As JSON, by the names that [`Secrets::to_map`] gives them. An account without an entry has lost its secrets: one that has
//! none has an empty entry. Earlier versions kept each by itself; those are brought together when they are first read.

use std::collections::BTreeMap;
use std::sync::Arc;

use account::words::Hidden;
use account::{Document, Secrets};
use base::Secret;

use crate::certificate::key_of_hex;
use crate::relay;

/// Where the platform keeps secrets: Keystore, Keychain. Called from any thread, now and then; it may take its time.
#[uniffi::export(with_foreign)]
pub trait SecretStore: Send + Sync {
    /// The secret of that name; none if it was never put.
    ///
    /// # Errors
    /// `Lost`: there was one; `Unavailable`: perhaps later.
    fn get(&self, name: String) -> Result<Option<String>, SecretError>;
    /// Keeps a secret, in place of an older one.
    ///
    /// # Errors
    /// `Unavailable`: the user is asked again.
    fn put(&self, name: String, value: String) -> Result<(), SecretError>;
    /// Forgets a secret; one that never was is no error.
    ///
    /// # Errors
    /// `Unavailable`: it stays; no account refers to it.
    fn remove(&self, name: String) -> Result<(), SecretError>;
}

/// Why a secret cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum SecretError {
    /// What was kept is gone for good: the key was invalidated, the device restored.
    #[error("{sentence}")]
    Lost {
        /// For a person.
        sentence: String,
    },
    /// Not now: the device is locked, the store is busy.
    #[error("{sentence}")]
    Unavailable {
        /// For a person.
        sentence: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for SecretError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unavailable { sentence: error.reason }
    }
}

/// The secrets of accounts.
pub(crate) struct Vault(Arc<dyn SecretStore>);

impl Vault {
    pub(crate) const fn new(platform: Arc<dyn SecretStore>) -> Self {
        Self(platform)
    }

    /// Those of an account, whose document this is; none: they are lost, or never came here.
    pub(crate) fn get(&self, id: u32, document: &Document) -> Result<Option<Secrets>, SecretError> {
        let Some(kept) = self.0.get(name(id))?.map(Secret::new) else { return self.gather(id, document) };
        let map: BTreeMap<String, String> =
            serde_json::from_str(kept.expose()).map_err(|_| SecretError::Lost {
                sentence: "what the platform kept of the account's secrets makes no sense".into(),
            })?;
        Ok(Some(Secrets::of_map(&map.into_iter().map(|(name, it)| (name, Secret::new(it))).collect())))
    }

    /// Keeps these, in place of all that there were.
    pub(crate) fn put(&self, id: u32, secrets: &Secrets) -> Result<(), SecretError> {
        let map = secrets.to_map();
        let map: BTreeMap<&str, &str> =
            map.iter().map(|(name, it)| (name.as_str(), it.expose().as_str())).collect();
        let written = serde_json::to_string(&map)
            .map_err(|error| SecretError::Unavailable { sentence: error.to_string() })?;
        self.0.put(name(id), written)
    }

    /// Forgets all of an account's. What cannot be forgotten now is of no account any more.
    pub(crate) fn remove(&self, id: u32) {
        let _ = self.0.remove(name(id));
        self.remove_apart(id);
        self.remove_of_balance(id);
    }

    /// What an earlier version has kept, each by itself.
    fn gather(&self, id: u32, document: &Document) -> Result<Option<Secrets>, SecretError> {
        // It was kept of every account, be it empty.
        let Some(password) = self.0.get(apart(id, PASSWORD))? else { return Ok(None) };
        let hidden = |text: String| Hidden(Secret::new(text));
        let password = Some(password).filter(|it| !it.is_empty()).map(hidden);
        let mut secrets = Secrets { password, ..Secrets::default() };
        if let Some(kept) = self.0.get(apart(id, RELAYS))?.map(Secret::new) {
            let known: Vec<(String, String, String)> =
                serde_json::from_str(kept.expose()).unwrap_or_default();
            for (server, user, password) in known {
                if let Some(relay) = relay::meant(document, &server, &user) {
                    secrets.relays.insert(relay.key(), hidden(password));
                }
            }
        }
        let key = self.0.get(apart(id, KEY))?.map(Secret::new);
        secrets.tls_key = key.and_then(|key| key_of_hex(document, &key)).map(Hidden);
        self.put(id, &secrets)?;
        self.remove_apart(id);
        Ok(Some(secrets))
    }

    /// What its balance was asked for with once.
    pub(crate) fn of_balance(&self, id: u32) -> Result<Option<String>, SecretError> {
        self.0.get(apart(id, BALANCE))
    }

    pub(crate) fn remove_of_balance(&self, id: u32) {
        let _ = self.0.remove(apart(id, BALANCE));
    }

    fn remove_apart(&self, id: u32) {
        for what in [PASSWORD, RELAYS, KEY] {
            let _ = self.0.remove(apart(id, what));
        }
    }
}

fn name(id: u32) -> String {
    format!("account/{id}")
}

const PASSWORD: &str = "password";
const RELAYS: &str = "relays";
const KEY: &str = "client-key";
const BALANCE: &str = "balance";

fn apart(id: u32, what: &str) -> String {
    format!("account/{id}/{what}")
}
