//! One certificate, as far as a signature on a caller needs it.
//!
//! RFC 5280 section 4, RFC 8226. Keys are on P-256 and nothing else: ES256 is all that STIR has (RFC 8225 section 4.1).
//! Knows not who has issued it: that is `chain`'s.

use base::text::is_unseen;
use der::asn1::ObjectIdentifier;
use der::{Decode as _, Encode as _};
use p256::ecdsa::VerifyingKey;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use x509_cert::ext::pkix::KeyUsage;
use x509_cert::name::Name;

use crate::claims::{self, Claims};
use crate::numbers::{self, Numbers};

/// Longest name that is shown of a signer.
const LONGEST_NAME: usize = 64;
/// `organizationName` and `commonName`. RFC 4519 sections 2.19 and 2.3.
const NAMES: [ObjectIdentifier; 2] =
    [ObjectIdentifier::new_unwrap("2.5.4.10"), ObjectIdentifier::new_unwrap("2.5.4.3")];

/// Who signs for callers, as an account knows him: by his key, whoever has issued his certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The address of his certificate as his tokens name it (`info`, `x5u`); `None`: whatever they name.
    pub info: Option<String>,
    /// His key on P-256, as SEC 1 section 2.3.3 writes points.
    pub key: Vec<u8>,
    /// From when to when his certificate is good, in seconds since 1970.
    pub valid: (u64, u64),
}

/// Why a certificate is of no use. `Display` is a sentence for a person, behind the file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Neither PEM nor DER of one.
    #[error("it is no certificate in PEM")]
    Certificate,
    /// Its key is of another kind.
    #[error("its key is not one on P-256, which is what signs for callers")]
    OtherKey,
    /// Not a key in PEM.
    #[error("it is no key in PEM")]
    Key,
    /// More of them than anybody needs.
    #[error("it holds too many certificates")]
    TooMany,
}

impl Signer {
    /// By the first certificate in PEM. The person has given it and is believed: nobody is asked who has issued it, or for
    /// which numbers.
    ///
    /// # Errors
    /// - [`Unusable`]: show its sentence with the file's name.
    pub fn read(pem: &[u8], info: Option<String>) -> Result<Self, Unusable> {
        let der = CertificateDer::from_pem_slice(pem).map_err(|_| Unusable::Certificate)?;
        let contents = Contents::read(&der)?;
        let key = contents.key.ok_or(Unusable::OtherKey)?;
        Ok(Self { info, key: key.to_sec1_point(false).as_bytes().to_vec(), valid: contents.valid })
    }
}

/// What stands in a certificate.
pub(crate) struct Contents {
    /// `None`: of another kind.
    pub(crate) key: Option<VerifyingKey>,
    pub(crate) valid: (u64, u64),
    /// Whom it is about.
    pub(crate) name: Option<String>,
    /// Whether its key may sign tokens, and certificates.
    pub(crate) signs: bool,
    pub(crate) issues: bool,
    /// Which numbers it is for; `None`: it says nothing of that.
    pub(crate) numbers: Option<Numbers>,
    pub(crate) claims: Vec<Claims>,
}

impl Contents {
    pub(crate) fn read(der: &[u8]) -> Result<Self, Unusable> {
        let read = x509_cert::Certificate::from_der(der).map_err(|_| Unusable::Certificate)?;
        let of = read.tbs_certificate();
        let key = of.subject_public_key_info().to_der().ok().and_then(|it| point(&it));
        let usage = of.get_extension::<KeyUsage>().map_err(|_| Unusable::Certificate)?;
        let may = |what: fn(&KeyUsage) -> bool| usage.as_ref().is_none_or(|(_, usage)| what(usage));
        let extensions = of.extensions().into_iter().flatten();
        let found =
            |id| extensions.clone().filter(move |it| it.extn_id == id).map(|it| it.extn_value.as_bytes());
        Ok(Self {
            key,
            valid: (
                of.validity().not_before.to_unix_duration().as_secs(),
                of.validity().not_after.to_unix_duration().as_secs(),
            ),
            name: name(of.subject()),
            signs: may(KeyUsage::digital_signature),
            issues: may(KeyUsage::key_cert_sign),
            numbers: found(numbers::EXTENSION).next().map(Numbers::read),
            claims: claims::EXTENSIONS.iter().flat_map(|id| found(*id)).map(Claims::read).collect(),
        })
    }
}

/// How a key on P-256 begins, up to its point: RFC 5480 section 2.1, with a point that is written whole.
const P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

fn point(key: &[u8]) -> Option<VerifyingKey> {
    VerifyingKey::from_sec1_bytes(key.strip_prefix(&P256)?).ok()
}

/// The organisation, or what it is called else; without what steers a screen or turns what follows.
fn name(subject: &Name) -> Option<String> {
    let named = |id| subject.iter().find(|it| it.oid == id);
    let value = &NAMES.into_iter().find_map(named)?.value;
    let text = String::from_utf8_lossy(value.value());
    let name: String = text.chars().filter(|it| !is_unseen(*it)).take(LONGEST_NAME).collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P384_SHA384, date_time_ymd};

    use super::*;

    #[test]
    fn a_signers_certificate_gives_its_key_and_its_time() {
        let mut params = CertificateParams::new(vec!["carrier.test".to_owned()]).unwrap();
        params.not_before = date_time_ymd(1971, 1, 1);
        params.not_after = date_time_ymd(2028, 3, 1);
        let pair = KeyPair::generate().unwrap();
        let made = params.self_signed(&pair).unwrap();
        let signer = Signer::read(made.pem().as_bytes(), None).unwrap();
        assert_eq!(signer.key, pair.public_key_raw());
        assert_eq!(signer.valid, (31_536_000, 1_835_481_600));
    }

    #[test]
    fn what_is_no_certificate_or_has_another_kind_of_key_is_said_to_be_so() {
        assert_eq!(Signer::read(b"hello", None), Err(Unusable::Certificate));
        let params = CertificateParams::new(vec!["carrier.test".to_owned()]).unwrap();
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        let made = params.self_signed(&pair).unwrap();
        assert_eq!(Signer::read(made.pem().as_bytes(), None), Err(Unusable::OtherKey));
    }
}
