//! Who stands for a signer: his certificate, those that have issued it, up to one that the account believes.
//!
//! RFC 5280 section 6 by `rustls-webpki`, which builds the path and bounds its own work; here are the keys that it may meet
//! (ES256 alone, by `p256`), and what it leaves: key usage, anchors' own dates, and whether every certificate on the path
//! that names numbers names the caller's (RFC 8226 section 9). Not looked at: revocation. A certificate that makes a demand
//! that is not known here, by a critical extension, is not used. Knows not how certificates come.

use std::sync::Arc;

use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, UnixTime, alg_id,
};
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, anchor_from_trusted_cert};

use crate::certificate::{Contents, Unusable};
use crate::claims::Claims;
use crate::numbers::Numbers;
use crate::token::{Party, Token};

/// Certificates that come with a signer's own, at most, and his. SHAKEN has one or two authorities below an anchor.
const MOST: usize = 5;
/// Anchors that one account believes.
const MOST_ANCHORS: usize = 64;
/// Longest certificate: those of SHAKEN have less than 1,000 bytes.
const LONGEST: usize = 8 * 1024;

/// Authorities whom an account believes to issue certificates to those only who may sign for callers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anchors(Arc<Vec<Anchor>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Anchor {
    der: CertificateDer<'static>,
    valid: (u64, u64),
}

/// Certificates as somebody hands them out: his own first.
#[derive(Clone, Debug)]
pub struct Chain {
    own: CertificateDer<'static>,
    others: Vec<CertificateDer<'static>>,
}

/// A signer whom an anchor stands for.
#[derive(Clone, Debug)]
pub struct Credential {
    key: VerifyingKey,
    who: Who,
    valid: (u64, u64),
    /// Of each certificate that names any, his own first.
    numbers: Vec<Numbers>,
    /// Whether his own does.
    has_numbers: bool,
    domains: Vec<String>,
    claims: Vec<Claims>,
}

/// Who a signer is, as his certificate says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// The organisation's name.
    pub name: Option<String>,
    /// The carrier's code.
    pub carrier: Option<String>,
}

/// Whether a certificate is for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Covers {
    /// It names the number, or the domain.
    Named,
    /// It names a carrier, and so stands for any number that this carrier says is his.
    Any,
    /// It does not.
    No,
}

/// Why a chain is not believed. `Display` is a sentence for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// No anchor stands for it.
    #[error("nobody whom the account believes has issued its certificate")]
    Stranger,
    /// One that is on every path is past its time.
    #[error("its certificate is no longer good")]
    Expired,
    /// One is before it.
    #[error("its certificate is not good yet")]
    TooEarly,
    /// A signature between two of them does not fit.
    #[error("its certificate is forged")]
    Forged,
    /// Of an authority's, a server's or another kind of key.
    #[error("its certificate is not for signing callers")]
    OtherUse,
    /// It makes demands that are not known here, or cannot be read to its end.
    #[error("its certificate cannot be judged")]
    Unknown,
}

impl Anchors {
    /// Reads all certificates in PEM.
    ///
    /// # Errors
    /// - [`Unusable`]: show its sentence with the file's name.
    pub fn read(pem: &[u8]) -> Result<Self, Unusable> {
        let mut anchors = Vec::new();
        for der in CertificateDer::pem_slice_iter(pem) {
            let der = der.map_err(|_| Unusable::Certificate)?;
            let contents = Contents::read(&der)?;
            if contents.key.is_none() {
                return Err(Unusable::OtherKey);
            }
            anchor_from_trusted_cert(&der).map_err(|_| Unusable::Certificate)?;
            anchors.push(Anchor { der, valid: contents.valid });
            if anchors.len() > MOST_ANCHORS {
                return Err(Unusable::TooMany);
            }
        }
        if anchors.is_empty() { Err(Unusable::Certificate) } else { Ok(Self(Arc::new(anchors))) }
    }

    /// These and those; what is beyond the most that one account may have is left out.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        Self(Arc::new(self.0.iter().chain(&*others.0).take(MOST_ANCHORS).cloned().collect()))
    }

    /// Nobody is believed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Chain {
    /// Reads what was fetched: PEM, or one certificate in DER.
    ///
    /// # Errors
    /// - [`Unusable`]: it is nothing, too much, or of another kind.
    pub fn read(bytes: &[u8]) -> Result<Self, Unusable> {
        let mut all = Vec::new();
        if bytes.first() == Some(&0x30) {
            all.push(CertificateDer::from(bytes.to_vec()));
        } else {
            for der in CertificateDer::pem_slice_iter(bytes) {
                all.push(der.map_err(|_| Unusable::Certificate)?);
                if all.len() > MOST {
                    return Err(Unusable::TooMany);
                }
            }
        }
        if all.iter().any(|der| der.len() > LONGEST) {
            return Err(Unusable::TooMany);
        }
        let mut all = all.into_iter();
        let own = all.next().ok_or(Unusable::Certificate)?;
        if Contents::read(&own)?.key.is_none() {
            return Err(Unusable::OtherKey);
        }
        Ok(Self { own, others: all.collect() })
    }

    /// Finds the way to an anchor. `at`: seconds since 1970. It costs a hundred signatures at most, where somebody wants it to
    /// cost much, and three as a rule.
    ///
    /// # Errors
    /// - [`Untrusted`]: show its sentence.
    pub fn check(&self, anchors: &Anchors, at: u64) -> Result<Credential, Untrusted> {
        let own = Contents::read(&self.own).map_err(|_| Untrusted::Unknown)?;
        let key = own.key.ok_or(Untrusted::OtherUse)?;
        if !own.signs {
            return Err(Untrusted::OtherUse);
        }
        let good = anchors.0.iter().filter(|it| (it.valid.0..=it.valid.1).contains(&at));
        let good: Vec<_> = good.filter_map(|it| anchor_from_trusted_cert(&it.der).ok()).collect();
        let end = EndEntityCert::try_from(&self.own).map_err(|_| Untrusted::Unknown)?;
        let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(at));
        let path = end.verify_for_usage(&[&Es256], &good, &self.others, time, AnyUse, None, None);
        let path = path.map_err(|error| why(&error))?;
        let mut valid = own.valid;
        let (has_numbers, mut claims) = (own.numbers.is_some(), own.claims);
        let mut numbers: Vec<_> = own.numbers.into_iter().collect();
        for issuer in path.intermediate_certificates() {
            let issuer = Contents::read(&issuer.der()).map_err(|_| Untrusted::Unknown)?;
            if !issuer.issues {
                return Err(Untrusted::OtherUse);
            }
            valid = (valid.0.max(issuer.valid.0), valid.1.min(issuer.valid.1));
            numbers.extend(issuer.numbers);
            claims.extend(issuer.claims);
        }
        let carrier = numbers.first().filter(|_| has_numbers).and_then(Numbers::carrier).map(str::to_owned);
        // RFC 5922 section 7.1: sip: addresses without a user, and names.
        let uris = end.valid_uri_names().filter_map(|uri| uri.strip_prefix("sip:"));
        let domains = uris.chain(end.valid_dns_names()).map(str::to_ascii_lowercase).take(MOST_ANCHORS);
        Ok(Credential {
            key,
            who: Who { name: own.name, carrier },
            valid,
            numbers,
            has_numbers,
            domains: domains.collect(),
            claims,
        })
    }
}

impl Credential {
    /// Who it is.
    pub fn who(&self) -> &Who {
        &self.who
    }

    /// From when to when all certificates up to the anchor are good.
    pub fn valid(&self) -> (u64, u64) {
        self.valid
    }

    /// Whether he has signed that.
    pub fn has_signed(&self, token: &Token) -> bool {
        token.is_signed_by(&self.key)
    }

    /// Whether he may say such things.
    pub fn allows(&self, token: &Token) -> bool {
        self.claims.iter().all(|claims| claims.allow(token.claims()))
    }

    /// Whether he may sign for that caller.
    pub fn covers(&self, party: &Party) -> Covers {
        let number = match party {
            Party::Number(number) => number,
            Party::Uri(uri) => {
                let host = uri.rsplit_once('@').map(|(_, host)| host);
                let host = host.map(|it| it.split([':', ';', '?']).next().unwrap_or(it).to_ascii_lowercase());
                let named = host.is_some_and(|host| self.domains.contains(&host));
                return if named { Covers::Named } else { Covers::No };
            }
        };
        let Some(own) = self.numbers.first().filter(|_| self.has_numbers) else { return Covers::No };
        let covers = match (own.lists(number), own.carrier()) {
            (true, _) => Covers::Named,
            (false, Some(_)) => Covers::Any,
            (false, None) => return Covers::No,
        };
        // What an issuer is for holds what it has issued is for; a carrier's numbers are known to the carrier alone.
        let holds = |issuer: &Numbers| {
            issuer.lists(number)
                || if covers == Covers::Named { issuer.carrier().is_some() } else { issuer.has_carriers(own) }
        };
        if self.numbers[1..].iter().all(holds) { covers } else { Covers::No }
    }
}

fn why(error: &webpki::Error) -> Untrusted {
    use webpki::Error;
    match error {
        Error::CertExpired { .. } => Untrusted::Expired,
        Error::CertNotValidYet { .. } => Untrusted::TooEarly,
        Error::InvalidSignatureForPublicKey => Untrusted::Forged,
        Error::CaUsedAsEndEntity | Error::EndEntityUsedAsCa => Untrusted::OtherUse,
        Error::UnknownIssuer
        | Error::MaximumPathDepthExceeded
        | Error::MaximumPathBuildCallsExceeded
        | Error::MaximumSignatureChecksExceeded
        | Error::PathLenConstraintViolated
        | Error::NameConstraintViolation => Untrusted::Stranger,
        _ => Untrusted::Unknown,
    }
}

/// No use is demanded of a STIR certificate beyond its key's.
struct AnyUse;

impl ExtendedKeyUsageValidator for AnyUse {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

/// ECDSA on P-256 with SHA-256, as certificates write its signatures.
#[derive(Debug)]
struct Es256;

impl SignatureVerificationAlgorithm for Es256 {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let key = VerifyingKey::from_sec1_bytes(key).map_err(|_| InvalidSignature)?;
        let signature = Signature::from_der(signature).map_err(|_| InvalidSignature)?;
        key.verify(message, &signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P256
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA256
    }
}

#[cfg(test)]
mod tests;
