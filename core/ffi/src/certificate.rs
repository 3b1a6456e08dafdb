//! Certificates: the server's, which the person is asked about, and the account's own.
//!
//! The own key goes to the platform's store and nowhere else. Knows nothing of what a certificate says.

use base::{BadFingerprint, ClientCertificate, Secret};
use phone::{AccountId, Command};

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
    /// `NoAccount`; `BadArgument`: far too much of it, or no key; `Secrets`, `Store`: it cannot be kept, and is not used.
    pub fn set_client_certificate(
        &self,
        account: u32,
        chain: Vec<Vec<u8>>,
        key: Vec<u8>,
    ) -> Result<(), PhoneError> {
        let key = Secret::new(key);
        let id = self.account(account)?;
        let long = chain.iter().map(Vec::len).sum::<usize>() + key.expose().len() > LONGEST;
        if long || chain.is_empty() != key.expose().is_empty() {
            let sentence = "that is no certificate with its key".into();
            return Err(PhoneError::BadArgument { sentence });
        }
        let mut store = self.store();
        let shown = (!chain.is_empty()).then_some(ClientCertificate { chain, key });
        store.set_certificate(account, shown.as_ref())?;
        self.tell_again(id, &store)
    }
}

impl Phone {
    /// Gives the phone an account once more, for what is kept of it has changed.
    fn tell_again(&self, id: AccountId, store: &crate::store::Store) -> Result<(), PhoneError> {
        let settings = store.get(id.0).ok_or(PhoneError::NoAccount)?;
        let password = store.password(id.0)?.unwrap_or_else(|| Secret::new(String::new()));
        let relays = store.relay_passwords(id.0).unwrap_or_default();
        let mut account = settings.account(password, &relays)?;
        account.connection = store.connection(id.0);
        self.handle.command(Command::AddAccount(id, account));
        Ok(())
    }
}
