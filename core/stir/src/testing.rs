//! For tests: authorities, the certificates that they issue, and lists of numbers.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

use p256::SecretKey;
use p256::elliptic_curve::sec1::ToSec1Point as _;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};

use crate::{Anchors, Seal};

/// Somebody who issues certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// Somebody who has one.
pub struct Holder {
    /// His own, in PEM.
    pub pem: String,
    /// His key's number.
    pub key: [u8; 32],
}

impl Authority {
    /// One that nobody stands above; always the same for a number.
    pub fn new(name: &str, number: u8) -> Self {
        Self(CertifiedIssuer::self_signed(issuer(name), pair([number; 32])).unwrap())
    }

    /// One below this one.
    pub fn below(&self, name: &str, number: u8, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = issuer(name);
        change(&mut params);
        Self(CertifiedIssuer::signed_by(params, pair([number; 32]), &self.0).unwrap())
    }

    /// Its certificate.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// To be believed.
    pub fn anchors(&self) -> Anchors {
        Anchors::read(self.pem().as_bytes()).unwrap()
    }

    /// Issues one to a signer of that name, for those numbers (a list as [`list`] writes it).
    pub fn issue(&self, name: &str, number: u8, numbers: Option<Vec<u8>>) -> Holder {
        self.issue_other(name, number, numbers, |_| {})
    }

    /// The same, and otherwise.
    pub fn issue_other(
        &self,
        name: &str,
        number: u8,
        numbers: Option<Vec<u8>>,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Holder {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::OrganizationName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.custom_extensions.extend(numbers.map(numbers_extension));
        change(&mut params);
        let key = [number; 32];
        Holder { pem: params.signed_by(&pair(key), &self.0).unwrap().pem(), key }
    }
}

impl Holder {
    /// Signs as he, whose certificate is there.
    pub fn seal(&self, x5u: &str) -> Seal {
        Seal::new(&self.key, x5u).unwrap()
    }
}

/// The extension that names numbers.
pub fn numbers_extension(list: Vec<u8>) -> CustomExtension {
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 26], list)
}

/// A list of entries, as [`carrier`], [`range`] and [`one`] write them.
pub fn list(entries: &[Vec<u8>]) -> Vec<u8> {
    tagged(0x30, &entries.concat())
}

/// All numbers of that carrier.
pub fn carrier(code: &str) -> Vec<u8> {
    tagged(0xa0, &tagged(0x16, code.as_bytes()))
}

/// So many numbers from that one on, at most 127.
pub fn range(start: &str, count: u8) -> Vec<u8> {
    tagged(0xa1, &tagged(0x30, &[tagged(0x16, start.as_bytes()), tagged(0x02, &[count])].concat()))
}

/// One number.
pub fn one(number: &str) -> Vec<u8> {
    tagged(0xa2, &tagged(0x16, number.as_bytes()))
}

/// A value of DER of less than 128 bytes.
pub fn tagged(tag: u8, body: &[u8]) -> Vec<u8> {
    assert!(body.len() < 128);
    [&[tag, body.len() as u8], body].concat()
}

/// The key of that number, in PEM.
pub fn key_pem(number: u8) -> String {
    pair([number; 32]).serialize_pem()
}

fn issuer(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new([]).unwrap();
    params.distinguished_name.push(DnType::OrganizationName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

/// A pair of that number, as PKCS #8 has it (RFC 5915, RFC 5958).
fn pair(number: [u8; 32]) -> KeyPair {
    const BEFORE: [u8; 36] = [
        0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
        0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01,
        0x04, 0x20,
    ];
    let point = SecretKey::from_slice(&number).unwrap().public_key().to_sec1_point(false);
    let der = [&BEFORE[..], &number, &[0xa1, 0x44, 0x03, 0x42, 0x00], point.as_bytes()].concat();
    KeyPair::from_pkcs8_der_and_sign_algo(&der.into(), &PKCS_ECDSA_P256_SHA256).unwrap()
}
