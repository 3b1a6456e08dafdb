//! Who a server is, or a client that is asked: certificates and their key.

use std::fmt;
use std::sync::Arc;

use base::{ClientCertificate, Fingerprint, Secret};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::judge::provider;
use super::{Trust, Unusable};

/// Who a server is. Shows nothing of itself.
#[derive(Clone)]
pub struct Identity(pub(super) Arc<ServerConfig>);

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

impl Identity {
    /// Reads certificates, the server's own first, and its key, both PEM.
    ///
    /// # Errors
    /// - [`Unusable`]: show its sentence with the file's name.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, Unusable> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(certificates)
            .collect::<Result<_, _>>()
            .map_err(|_| Unusable::Certificate)?;
        if chain.is_empty() {
            return Err(Unusable::Certificate);
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| Unusable::Key)?;
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("ring has the suites of TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|_| Unusable::Pair)?;
        Ok(Self(Arc::new(config)))
    }
}

/// Reads certificates of ours, the own one first, and its key, both PEM, to be shown to a server that asks.
///
/// # Errors
/// - [`Unusable`]: show its sentence with the file's name.
pub fn client_certificate(certificates: &[u8], key: &[u8]) -> Result<ClientCertificate, Unusable> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(certificates)
        .map(|certificate| certificate.map(|der| der.to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|_| Unusable::Certificate)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| Unusable::Key)?;
    let shown = ClientCertificate { chain, key: Secret::new(key.secret_der().to_vec()) };
    // It is the judge's business whom we trust: any will do to see whether the two belong together.
    Trust::pin(Fingerprint([0; 32])).showing(&shown)?;
    Ok(shown)
}
