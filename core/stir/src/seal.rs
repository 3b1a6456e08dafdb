//! Signs for callers, as a provider does. RFC 8224 section 6.1, RFC 8588 section 5.
//!
//! Signatures are made without randomness (RFC 6979): the same call at the same second has the same. Knows not who may sign
//! for whom.

use std::fmt;

use p256::SecretKey;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::DecodePrivateKey as _;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::Value;

use crate::certificate::Unusable;
use crate::token::{Attest, Party, claims, encode, header, signed};

/// A signer's own key, and where his certificate is.
#[derive(Clone)]
pub struct Seal {
    key: SigningKey, // which wipes itself
    x5u: String,
}

impl Seal {
    /// By a key on P-256 in PEM, as PKCS #8 or SEC 1 writes it.
    ///
    /// # Errors
    /// - [`Unusable`]: show its sentence with the file's name.
    pub fn read(pem: &[u8], x5u: &str) -> Result<Self, Unusable> {
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| Unusable::Key)?;
        let key = match &key {
            PrivateKeyDer::Pkcs8(der) => SecretKey::from_pkcs8_der(der.secret_pkcs8_der()).ok(),
            PrivateKeyDer::Sec1(der) => SecretKey::from_sec1_der(der.secret_sec1_der()).ok(),
            _ => None,
        };
        let key = key.ok_or(Unusable::OtherKey)?;
        Ok(Self { key: SigningKey::from(key), x5u: x5u.to_owned() })
    }

    /// By its number, 32 bytes. `x5u`: where the certificate is had. `None`: it is no such key.
    pub fn new(key: &[u8], x5u: &str) -> Option<Self> {
        let key = SecretKey::from_slice(key).ok()?;
        Some(Self { key: SigningKey::from(key), x5u: x5u.to_owned() })
    }

    /// Its key's public part, as SEC 1 section 2.3.3 writes points.
    pub fn point(&self) -> Vec<u8> {
        self.key.verifying_key().to_sec1_point(false).as_bytes().to_vec()
    }

    /// What the Identity header field of a call says. `iat`: seconds since 1970; `origid`: names the caller's way in, to the
    /// signer alone (RFC 8588 section 5), as a UUID.
    pub fn sign(&self, attest: Attest, orig: &Party, dest: &Party, iat: u64, origid: &str) -> String {
        let mut claims = claims(orig, dest, iat);
        claims.insert("attest".to_owned(), Value::from(attest.word()));
        claims.insert("origid".to_owned(), Value::from(origid));
        self.field(&signed(&header(&self.x5u, Some("shaken")), &claims), "shaken")
    }

    /// The same of a call that was to `from` and goes to `dest` now. RFC 8946 section 4.
    pub fn sign_forwarded(&self, orig: &Party, from: &Party, dest: &Party, iat: u64) -> String {
        let mut all = claims(orig, dest, iat);
        let by_orig = claims(from, dest, iat).remove("orig").unwrap_or_default();
        all.insert("div".to_owned(), by_orig);
        self.field(&signed(&header(&self.x5u, Some("div")), &all), "div")
    }

    fn field(&self, signed: &[u8], ppt: &str) -> String {
        let signature: Signature = self.key.sign(signed);
        let token = String::from_utf8_lossy(signed);
        format!("{token}.{};info=<{}>;alg=ES256;ppt=\"{ppt}\"", encode(&signature.to_bytes()), self.x5u)
    }
}

/// Not the key.
impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seal({})", self.x5u)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use data_encoding::BASE64;
    use sip::message::Message;

    use super::*;
    use crate::{Token, testing};

    const X5U: &str = "https://cr.carrier.test/c.pem";

    #[test]
    fn what_is_signed_is_read_again_by_its_key_alone() {
        let seal = Seal::new(&[5; 32], X5U).unwrap();
        let number = |digits: &str| Party::Number(digits.to_owned());
        let field = seal.sign(Attest::Customer, &number("493012"), &number("493013"), 1000, "x");
        let message = b"INVITE sip:1@h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\nFrom: <sip:1@h>;tag=f\r\n\
            To: <sip:1@h>\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n\r\n";
        let message = Message::read(Bytes::from_static(message)).unwrap();
        let token = Token::read(field.as_bytes(), &message, &message.from().unwrap()).unwrap();
        assert_eq!((token.info(), token.attest(), token.iat()), (X5U, Some(Attest::Customer), 1000));
        assert_eq!((token.orig(), token.dest()), (&number("493012"), &[number("493013")][..]));
        assert!(token.is_signed_by_point(&seal.point()));
        assert!(!token.is_signed_by_point(&Seal::new(&[7; 32], X5U).unwrap().point()));
    }

    #[test]
    fn a_key_is_read_as_either_kind_of_file_writes_it() {
        let key = [5; 32];
        let point = Seal::new(&key, X5U).unwrap().point();
        // RFC 5915 section 3, with nothing that may be left out.
        let sec1 = [&[0x30, 0x25, 2, 1, 1, 4, 0x20][..], &key].concat();
        let sec1 = format!(
            "-----BEGIN EC PRIVATE KEY-----\n{}\n-----END EC PRIVATE KEY-----\n",
            BASE64.encode(&sec1)
        );
        for pem in [sec1, testing::key_pem(5)] {
            assert_eq!(Seal::read(pem.as_bytes(), X5U).unwrap().point(), point, "{pem}");
        }
    }

    #[test]
    fn a_key_of_another_kind_signs_nothing() {
        let other = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_pem();
        assert_eq!(Seal::read(other.as_bytes(), X5U).err(), Some(Unusable::OtherKey));
        assert_eq!(Seal::read(b"hello", X5U).err(), Some(Unusable::Key));
        assert!(Seal::new(&[0; 32], X5U).is_none());
        assert_eq!(format!("{:?}", Seal::new(&[5; 32], X5U).unwrap()), format!("Seal({X5U})"));
    }
}
