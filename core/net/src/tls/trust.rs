//! Whom we trust: the platform's authorities, or for one server what its account says.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use base::{ClientCertificate, Fingerprint};
use rustls::client::{Resumption, WantsClientCert};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};

use super::Unusable;
use super::judge::{Judge, Signer, digest, provider};

/// Servers whose sessions can be resumed, of each way to trust.
const RESUMABLE: usize = 32;

/// Whom to trust for one server.
#[derive(Clone)]
pub struct Trust {
    judge: Arc<Judge>,
    pub(super) config: Arc<ClientConfig>,
}

/// Whom to trust for which server: who is not named here must be trusted by the platform. Clones share what was loaded, and
/// the sessions that can be resumed.
#[derive(Clone, Default)]
pub struct Trusts {
    by_name: BTreeMap<String, Trust>,
    /// What accounts say of their servers: before the others.
    known: BTreeMap<String, Trust>,
    /// And whom they trust for them.
    authorities: Authorities,
    /// Loaded when first asked for: on some platforms that reads hundreds of files.
    platform: Arc<OnceLock<Option<Trust>>>,
}

/// Whom accounts trust for their servers: clones are one, so that an account may come while others have connections.
#[derive(Clone, Default)]
pub struct Authorities(Arc<RwLock<BTreeMap<u32, Named>>>);

/// Servers, by their [`key`], and whom to trust for them.
type Named = (Vec<String>, Trust);

impl Authorities {
    /// By that account the servers of those names are trusted by this; `None`: as if there were no such account.
    pub fn set(&self, account: u32, names: &[String], trust: Option<Trust>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match trust {
            Some(trust) => drop(all.insert(account, (names.iter().map(|name| key(name)).collect(), trust))),
            None => drop(all.remove(&account)),
        }
    }

    /// Of several accounts the first decides.
    fn of(&self, key: &str) -> Option<Trust> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let named = all.values().find(|(names, _)| names.iter().any(|name| name == key));
        named.map(|(_, trust)| trust.clone())
    }
}

impl Trust {
    /// Whoever has a certificate signed by one of these (PEM); or the very certificate, if it is its own signer.
    ///
    /// # Errors
    /// - [`Unusable`]: show its sentence with the file's name.
    pub fn authority(pem: &[u8]) -> Result<Self, Unusable> {
        let (mut roots, mut own) = (RootCertStore::empty(), Vec::new());
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| Unusable::Certificate)?;
            own.push(digest(&certificate));
            roots.add(certificate).map_err(|_| Unusable::Certificate)?;
        }
        if roots.is_empty() {
            Err(Unusable::Certificate)
        } else {
            Ok(Self::by(Signer::Authority(roots, own)))
        }
    }

    /// The one certificate with this SHA-256, whoever signed it, whatever its name and date.
    pub fn pin(fingerprint: Fingerprint) -> Self {
        Self::by(Signer::Known(fingerprint))
    }

    /// The same, but that a server which asks who connects is shown this.
    ///
    /// # Errors
    /// - [`Unusable`]: show its sentence beside the setting.
    pub fn showing(&self, shown: &ClientCertificate) -> Result<Self, Unusable> {
        let chain = shown.chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
        let key = PrivateKeyDer::try_from(shown.key.expose().as_slice()).map_err(|_| Unusable::Key)?;
        if shown.chain.is_empty() {
            return Err(Unusable::Certificate);
        }
        let judged = judged(Arc::clone(&self.judge));
        let config = judged.with_client_auth_cert(chain, key.clone_key()).map_err(|_| Unusable::Pair)?;
        Ok(Self { judge: Arc::clone(&self.judge), config: resuming(config) })
    }

    fn by(signer: Signer) -> Self {
        let judge = Arc::new(Judge::by(signer));
        let config = resuming(judged(Arc::clone(&judge)).with_no_client_auth());
        Self { judge, config }
    }
}

fn judged(judge: Arc<Judge>) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("ring has the suites of TLS 1.2 and 1.3")
        .dangerous() // the judge is ours, and stricter than what it replaces
        .with_custom_certificate_verifier(judge)
}

/// Sessions go on where they can. Nothing is sent before the handshake is done, for it could be sent again by anybody
/// (RFC 8446 section 8).
fn resuming(mut config: ClientConfig) -> Arc<ClientConfig> {
    config.resumption = Resumption::in_memory_sessions(RESUMABLE);
    config.enable_early_data = false;
    Arc::new(config)
}

impl Trusts {
    /// Says whom to trust for the server of that name (the domain of the URI that leads there, or an address).
    pub fn set(&mut self, name: &str, trust: Trust) {
        self.by_name.insert(key(name), trust);
    }

    /// Where accounts say whom they trust, at any time: before the platform.
    pub fn authorities(&self) -> &Authorities {
        &self.authorities
    }

    /// Says what an account knows of the server of that name: the only certificate that it may have, and what it is shown
    /// when it asks who connects. Without either all is as [`Trusts::set`] said.
    ///
    /// # Errors
    /// - [`Unusable`]: what should be shown cannot be; nothing is shown.
    pub fn know(
        &mut self,
        name: &str,
        pin: Option<Fingerprint>,
        shown: Option<&ClientCertificate>,
    ) -> Result<(), Unusable> {
        self.known.remove(&key(name));
        if pin.is_none() && shown.is_none() {
            return Ok(());
        }
        // A platform that trusts nobody trusts nobody for this one either.
        let Some(trust) = pin.map(Trust::pin).or_else(|| self.trust(name)) else { return Ok(()) };
        let showing = shown.map(|shown| trust.showing(shown));
        let unusable = showing.as_ref().and_then(|showing| showing.as_ref().err()).copied();
        self.known.insert(key(name), showing.and_then(Result::ok).unwrap_or(trust));
        unusable.map_or(Ok(()), Err)
    }

    /// How TLS is spoken with the server of that name, whatever goes in it; `None`: the platform trusts nobody.
    pub fn of(&self, name: &str) -> Option<Arc<ClientConfig>> {
        self.trust(name).map(|trust| trust.config)
    }

    fn trust(&self, name: &str) -> Option<Trust> {
        let name = key(name);
        if let Some(trust) = self.known.get(&name).or_else(|| self.by_name.get(&name)) {
            return Some(trust.clone());
        }
        if let Some(trust) = self.authorities.of(&name) {
            return Some(trust);
        }
        let load = || {
            let platform = rustls_platform_verifier::Verifier::new(provider()).ok()?;
            Some(Trust::by(Signer::Platform(platform)))
        };
        self.platform.get_or_init(load).clone()
    }
}

/// Names are the same in any case, addresses with and without brackets.
fn key(name: &str) -> String {
    name.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase()
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trust")
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorities")
    }
}

impl fmt::Debug for Trusts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_name.keys().chain(self.known.keys())).finish()
    }
}
