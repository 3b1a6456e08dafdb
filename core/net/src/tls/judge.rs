//! Whether a certificate is signed by whom we trust, and whose it is.
//!
//! RFC 5922 section 7: `sip:` URIs among the alternative names speak before DNS names do, names are compared whole, and a
//! wildcard is nobody's name. Addresses are compared as addresses, for exchanges on a local network that have no name.
//! Does not look at a subject's common name (7.1 allows it, no authority has signed such for years), nor ask for RFC 5924's
//! extended key usage, which none signs.

use std::fmt;
use std::sync::Arc;

use base::{Certificate, Fingerprint, Untrusted};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use sha2::{Digest as _, Sha256};
use webpki::EndEntityCert;

use super::reading;

/// What all sessions are made with.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Who must have signed.
pub(super) enum Signer {
    /// Somebody whom this device trusts.
    Platform(rustls_platform_verifier::Verifier),
    /// One of these, by SHA-256 where it is the server's own.
    Authority(RootCertStore, Vec<[u8; 32]>),
    /// Nobody: the certificate is known by its SHA-256, and so is whose it is.
    Known(Fingerprint),
}

/// Why a certificate was refused, and what it says of itself: carried through `rustls` as an error.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) why: Untrusted,
    pub(super) certificate: Option<Certificate>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.why)
    }
}

impl std::error::Error for Refused {}

impl Refused {
    /// What is in that error, if it was made here.
    pub(super) fn of(error: &Error) -> Option<&Self> {
        let Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) = error else {
            return None;
        };
        inner.downcast_ref()
    }
}

/// See the module.
pub(super) struct Judge {
    signer: Signer,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Judge {
    pub(super) fn by(signer: Signer) -> Self {
        Self { signer, algorithms: provider().signature_verification_algorithms }
    }
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Judge")
    }
}

impl Judge {
    fn judge(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<(), Untrusted> {
        match &self.signer {
            Signer::Known(known) => {
                let is_it = digest(end_entity) == known.0;
                return if is_it { Ok(()) } else { Err(Untrusted::Changed) };
            }
            // It asks for a DNS name as well: a public authority signs none without.
            Signer::Platform(platform) => {
                let verified = platform.verify_server_cert(end_entity, intermediates, server_name, ocsp, now);
                verified.map_err(|error| why(&error))?;
            }
            Signer::Authority(roots, own) => {
                let parsed = ParsedCertificate::try_from(end_entity).map_err(|error| why(&error))?;
                let algorithms = self.algorithms.all;
                match verify_server_cert_signed_by_trust_anchor(
                    &parsed,
                    roots,
                    intermediates,
                    now,
                    algorithms,
                ) {
                    // What common tools make when asked for a certificate that signs itself. Its date was looked at before.
                    Err(error) if is_authority(&error) && own.contains(&digest(end_entity)) => {}
                    other => other.map_err(|error| why(&error))?,
                }
            }
        }
        let certificate = EndEntityCert::try_from(end_entity).map_err(|_| Untrusted::Issuer)?;
        if is_of(&certificate, server_name) { Ok(()) } else { Err(Untrusted::Name) }
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.judge(end_entity, intermediates, server_name, ocsp, now) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(why) => {
                let refused = Refused { why, certificate: reading::read(end_entity) };
                Err(CertificateError::Other(OtherError(Arc::new(refused))).into())
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

pub(super) fn digest(certificate: &CertificateDer<'_>) -> [u8; 32] {
    Sha256::digest(certificate).into()
}

/// Refused only for being an authority's own, shown as a server's.
fn is_authority(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) = error else { return false };
    matches!(inner.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

fn why(error: &Error) -> Untrusted {
    match error {
        Error::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        ) => Untrusted::Date,
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => Untrusted::Name,
        _ => Untrusted::Issuer,
    }
}

/// RFC 5922 sections 7.1 and 7.2.
fn is_of(certificate: &EndEntityCert<'_>, name: &ServerName<'_>) -> bool {
    let ServerName::DnsName(name) = name else {
        return certificate.verify_is_valid_for_subject_name(name).is_ok();
    };
    let is = |domain: &str| domain.trim_end_matches('.').eq_ignore_ascii_case(name.as_ref());
    let mut uris = certificate.valid_uri_names().filter_map(sip_domain).peekable();
    if uris.peek().is_some() { uris.any(is) } else { certificate.valid_dns_names().any(is) }
}

/// The host of a `sip:` URI that names a domain, not a person in it.
fn sip_domain(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once(':')?;
    let host = rest.split([':', ';', '?']).next()?;
    (scheme.eq_ignore_ascii_case("sip") && !rest.contains('@')).then_some(host)
}
