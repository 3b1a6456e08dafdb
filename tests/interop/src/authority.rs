//! Who vouches for the servers on loopback: an authority made for the moment, known to nobody else.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// A key that signs, and its certificate.
#[derive(Clone, Debug)]
pub struct Authority {
    key: String,
    certificate: String,
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    /// A new one, on P-256.
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("the system has randomness");
        let certificate = params(&[]).self_signed(&key).expect("all of it can be signed");
        Self { key: key.serialize_pem(), certificate: certificate.pem() }
    }

    /// Writes its certificate (PEM): for `tls_ca`.
    pub fn write(&self, to: &Path) {
        std::fs::write(to, &self.certificate).expect("the folder takes a file");
    }

    /// Writes a new certificate of 127.0.0.1 and its key, on P-256, into one file (PEM).
    pub fn certify(&self, to: &Path) {
        let own = KeyPair::from_pem(&self.key).expect("it was written by the same crate");
        let issuer = Issuer::new(params(&[]), own);
        let key = KeyPair::generate().expect("the system has randomness");
        let mut of = params(&["127.0.0.1"]);
        of.is_ca = IsCa::ExplicitNoCa;
        let certificate = of.signed_by(&key, &issuer).expect("all of it can be signed");
        std::fs::write(to, certificate.pem() + &key.serialize_pem()).expect("the folder takes a file");
    }
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let name = names.first().cloned().unwrap_or_else(|| "Authority of a test".to_owned());
    let mut params = CertificateParams::new(names).expect("an address or nothing");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}
