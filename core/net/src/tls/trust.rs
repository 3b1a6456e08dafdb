//! Whom we trust: the platform's authorities, or for one server what its account says.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use super::Unusable;
use super::judge::{Judge, Signer, digest, provider};

/// Whom to trust for one server.
#[derive(Clone)]
pub struct Trust(Arc<ClientConfig>);

/// Whom to trust for which server: who is not named here must be trusted by the platform. Clones share what was loaded, and
/// the sessions that can be resumed.
#[derive(Clone, Default)]
pub struct Trusts {
    by_name: BTreeMap<String, Trust>,
    /// Loaded when first asked for: on some platforms that reads hundreds of files.
    platform: Arc<OnceLock<Option<Arc<ClientConfig>>>>,
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
    ///
    /// # Errors
    /// - [`Unusable::Fingerprint`]: show its sentence.
    pub fn pin(fingerprint: &str) -> Result<Self, Unusable> {
        let digits: Vec<u8> = fingerprint.bytes().filter(|b| !b" :".contains(b)).collect();
        let mut known = [0; 32];
        if digits.len() != 2 * known.len() {
            return Err(Unusable::Fingerprint);
        }
        for (byte, pair) in known.iter_mut().zip(digits.chunks(2)) {
            let value = |digit: u8| char::from(digit).to_digit(16).ok_or(Unusable::Fingerprint);
            *byte = (value(pair[0])? << 4 | value(pair[1])?) as u8;
        }
        Ok(Self::by(Signer::Known(known)))
    }

    fn by(signer: Signer) -> Self {
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("ring has the suites of TLS 1.2 and 1.3")
            .dangerous() // the judge is ours, and stricter than what it replaces
            .with_custom_certificate_verifier(Arc::new(Judge::by(signer)))
            .with_no_client_auth();
        Self(Arc::new(config))
    }
}

impl Trusts {
    /// Says whom to trust for the server of that name (the domain of the URI that leads there, or an address).
    pub fn set(&mut self, name: &str, trust: Trust) {
        self.by_name.insert(name.to_ascii_lowercase(), trust);
    }

    /// How TLS is spoken with the server of that name, whatever goes in it; `None`: the platform trusts nobody.
    pub fn of(&self, name: &str) -> Option<Arc<ClientConfig>> {
        if let Some(Trust(own)) = self.by_name.get(&name.to_ascii_lowercase()) {
            return Some(Arc::clone(own));
        }
        let load = || {
            let platform = rustls_platform_verifier::Verifier::new(provider()).ok()?;
            Some(Trust::by(Signer::Platform(platform)).0)
        };
        self.platform.get_or_init(load).clone()
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trust")
    }
}

impl fmt::Debug for Trusts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_name.keys()).finish()
    }
}
