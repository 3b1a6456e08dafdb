//! A certificate of our own: ECDSA on P-256, signed by itself, with no name in it. RFC 5763 section 5, RFC 8122 section 6.
//!
//! Nobody looks at anything but its hash, so it says as little as RFC 5280 lets it: no person, no host, and the same
//! dates on every phone. A key is good for as long as its owner likes; one for each account and each run of the program
//! tells two calls apart from nobody.

use base::{Rng, Secret};
use p256::SecretKey;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::sec1::ToSec1Point as _;
use zeroize::Zeroizing;

use crate::{Fingerprint, Hash};

/// A certificate and its key.
#[derive(Clone, Debug)]
pub struct Certificate {
    der: Vec<u8>,
    /// As an `ECPrivateKey`, RFC 5915.
    key: Secret<Vec<u8>>,
}

impl Certificate {
    /// A new one. The same generator makes the same one.
    pub fn generate(rng: &mut Rng) -> Self {
        let secret = loop {
            let mut scalar = Zeroizing::new([0; 32]);
            rng.fill(&mut *scalar);
            // Zero and what is past the group's order are no keys: less than one in 2^32.
            if let Ok(secret) = SecretKey::from_slice(&*scalar) {
                break secret;
            }
        };
        let mut serial = [0; 16];
        rng.fill(&mut serial);
        serial[0] = serial[0] & 0x7f | 0x40; // positive, and no leading zero
        let point = secret.public_key().to_sec1_point(false);

        let signed = sequence(&[
            &[0xa0, 3, 2, 1, 2], // version 3
            &tagged(0x02, &[&serial]),
            ECDSA_WITH_SHA256,
            NAME, // issuer
            VALIDITY,
            NAME, // subject
            &sequence(&[EC_PUBLIC_KEY_P256, &bits(point.as_bytes())]),
        ]);
        let signature: Signature = SigningKey::from(&secret).sign(&signed);
        let der = sequence(&[&signed, ECDSA_WITH_SHA256, &bits(signature.to_der().as_bytes())]);

        let scalar = Zeroizing::new(secret.to_bytes());
        let key = sequence(&[
            &[2, 1, 1], // version 1
            &tagged(0x04, &[&scalar]),
            &tagged(0xa0, &[P256]),
            &tagged(0xa1, &[&bits(point.as_bytes())]),
        ]);
        Self { der, key: Secret::new(key) }
    }

    /// In DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// What the description says of it: the hash that it is signed with (RFC 8122 section 5.1).
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(Hash::Sha256, &self.der)
    }

    /// For the engine, which keeps a copy of the key.
    pub(crate) fn engine(&self) -> dimpl::DtlsCertificate {
        dimpl::DtlsCertificate { certificate: self.der.clone(), private_key: self.key.expose().clone() }
    }
}

/// `prime256v1`.
const P256: &[u8] = &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];

/// `id-ecPublicKey` on `prime256v1`, as an `AlgorithmIdentifier`. RFC 5480 section 2.
const EC_PUBLIC_KEY_P256: &[u8] =
    &[0x30, 19, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];

/// `ecdsa-with-SHA256`. RFC 5758 section 3.2.
const ECDSA_WITH_SHA256: &[u8] = &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];

/// CN=srtp.
const NAME: &[u8] = &[0x30, 15, 0x31, 13, 0x30, 11, 6, 3, 0x55, 4, 3, 12, 4, b's', b'r', b't', b'p'];

/// 2020 to the end of 2049, the last year of this form.
const VALIDITY: &[u8] = b"\x30\x1e\x17\x0d200101000000Z\x17\x0d491231235959Z";

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tagged(0x30, parts)
}

fn bits(bytes: &[u8]) -> Vec<u8> {
    tagged(0x03, &[&[0], bytes]) // no unused bits
}

/// Tag, length and contents. X.690 section 8.1.
fn tagged(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let len: usize = parts.iter().map(|p| p.len()).sum();
    let mut out = Vec::with_capacity(4 + len);
    out.push(tag);
    match len {
        0..=0x7f => out.push(len as u8),
        0x80..=0xff => out.extend([0x81, len as u8]),
        _ => out.extend([0x82, (len >> 8) as u8, len as u8]),
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_generator_makes_one_certificate_and_another_makes_another() {
        let made = |seed| Certificate::generate(&mut Rng::from_number(seed));
        assert_eq!(made(1).der(), made(1).der());
        assert_ne!(made(1).fingerprint(), made(2).fingerprint());
    }

    #[test]
    fn a_certificate_prints_no_key() {
        let certificate = Certificate::generate(&mut Rng::from_number(1));
        assert!(format!("{certificate:?}").contains("key: [secret]"));
    }

    #[test]
    fn a_length_past_one_byte_says_how_many_bytes_it_takes() {
        assert_eq!(tagged(4, &[&[0; 0x7f]])[..2], [4, 0x7f]);
        assert_eq!(tagged(4, &[&[0; 0x80]])[..3], [4, 0x81, 0x80]);
        assert_eq!(tagged(4, &[&[0; 0x123]])[..4], [4, 0x82, 1, 0x23]);
    }
}
