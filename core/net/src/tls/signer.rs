//! What checking a caller's signature needs of the certificate it was made by. RFC 8226 section 3, RFC 5480 section 2.
//!
//! The person has given the certificate and is believed: nobody is asked who has signed it, or for which numbers.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use webpki::EndEntityCert;

use super::reading::read;
use super::{SignerCertificate, Unusable};

/// How a key on P-256 begins, up to its point: RFC 5480 section 2.1, with a point that is written whole.
const P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Reads the first certificate in PEM.
///
/// # Errors
/// - [`Unusable`]: show its sentence with the file's name.
pub fn signer_certificate(pem: &[u8]) -> Result<SignerCertificate, Unusable> {
    let der = CertificateDer::from_pem_slice(pem).map_err(|_| Unusable::Certificate)?;
    let said = read(&der).ok_or(Unusable::Certificate)?;
    let certificate = EndEntityCert::try_from(&der).map_err(|_| Unusable::Certificate)?;
    let key = certificate.subject_public_key_info();
    let point = key.strip_prefix(&P256).ok_or(Unusable::OtherKey)?;
    let valid = seconds(&said.not_before).zip(seconds(&said.not_after)).ok_or(Unusable::Certificate)?;
    Ok(SignerCertificate { key: point.to_vec(), valid })
}

/// Since 1970, of `2026-11-27 18:00:00 UTC`; times before are 0.
fn seconds(text: &str) -> Option<u64> {
    let part = |at: std::ops::Range<usize>| text.get(at)?.parse::<i64>().ok();
    let (year, month, day) = (part(0..4)?, part(5..7)?, part(8..10)?);
    let (hour, minute, second) = (part(11..13)?, part(14..16)?, part(17..19)?);
    if !(1..=12).contains(&month) {
        return None;
    }
    // Years begin in March, so that the day that some of them lack is the last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    u64::try_from((days * 24 + hour) * 3600 + minute * 60 + second).ok().or(Some(0))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P384_SHA384, date_time_ymd};

    use super::*;

    #[test]
    fn a_signers_certificate_gives_its_key_and_its_time() {
        let mut params = CertificateParams::new(vec!["carrier.test".to_owned()]).unwrap();
        params.not_before = date_time_ymd(1960, 1, 1);
        params.not_after = date_time_ymd(2028, 3, 1);
        let pair = KeyPair::generate().unwrap();
        let made = params.self_signed(&pair).unwrap();
        let signer = signer_certificate(made.pem().as_bytes()).unwrap();
        assert_eq!(signer.key, pair.public_key_raw());
        assert_eq!(signer.valid, (0, 1_835_481_600));
        assert_eq!(seconds("2024-02-29 12:30:01 UTC"), Some(1_709_209_801));
    }

    #[test]
    fn what_is_no_certificate_or_has_another_kind_of_key_is_said_to_be_so() {
        assert_eq!(signer_certificate(b"hello"), Err(Unusable::Certificate));
        let params = CertificateParams::new(vec!["carrier.test".to_owned()]).unwrap();
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        let made = params.self_signed(&pair).unwrap();
        assert_eq!(signer_certificate(made.pem().as_bytes()), Err(Unusable::OtherKey));
    }
}
