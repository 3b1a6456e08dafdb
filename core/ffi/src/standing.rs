//! What stands behind an account while it is in use: the authority that signs for its servers, and relays that a web service
//! hands out.
//!
//! Both are in the account's document, which comes from a provider or a backup; no screen has them. Knows neither TLS nor HTTP.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use account::{Document, Secrets};
use offhook_io::{KeptRelays, NoRelays, Service, Trust, provider_hosts, servers_of};
use phone::{Account, AccountId, Command, Relay};

use crate::Phone;

impl Phone {
    /// The authority that an account names is believed for its servers. Before it goes to the phone: its connections begin there.
    pub(crate) fn believe(&self, id: u32, document: &Document, secrets: &Secrets, account: &Account) {
        let pem = document.form().tls_ca.as_ref();
        let trust = pem.and_then(|pem| Trust::authority(pem.as_str().as_bytes()).ok());
        let mut names = servers_of(account);
        names.extend(service(document, secrets).map(|service| service.host().to_owned()));
        let provider = document.provider(secrets).ok().flatten();
        names.extend(provider.iter().flat_map(provider_hosts));
        self.trusts.authorities().set(id, &names, trust);
    }

    /// The service that hands out an account's relays is asked for them, now and as they lapse. Once the phone has the account.
    pub(crate) fn ask_for_relays(&self, id: u32, document: &Document, secrets: &Secrets) {
        let begun = service(document, secrets).and_then(|service| {
            let this = self.this.clone();
            let told = move |relays: Result<Vec<Relay>, NoRelays>| {
                let Some(phone) = this.upgrade() else { return false };
                match relays {
                    Ok(relays) => phone.handle.command(Command::Relays(AccountId(id), relays)),
                    Err(why) => phone.log.note(format!("account {id} has no relays: {why}")),
                }
                true
            };
            KeptRelays::begin(service, self.trusts.clone(), told).ok()
        });
        let mut all = self.kept_relays();
        // Two threads would give it two answers.
        all.remove(&id);
        all.extend(begun.map(|begun| (id, begun)));
    }

    /// The account is in use no longer.
    pub(crate) fn stand_no_more(&self, id: u32) {
        self.kept_relays().remove(&id);
        self.trusts.authorities().set(id, &[], None);
    }

    fn kept_relays(&self) -> MutexGuard<'_, BTreeMap<u32, KeptRelays>> {
        self.relays.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn service(document: &Document, secrets: &Secrets) -> Option<Service> {
    let named = document.relay_service(secrets)?;
    Service::new(named.url.expose().clone(), named.token).ok()
}
