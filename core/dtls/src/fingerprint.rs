//! Hashes of certificates, by which a session description says who will be met. RFC 8122 section 5.
//!
//! SHA-1 and MD5 are not taken: a certificate can be made to fit them. Knows no text form.

use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// A hash function that is good enough to know a certificate by. The later, the stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hash {
    /// `sha-256`: what everybody must have.
    Sha256,
    /// `sha-384`.
    Sha384,
    /// `sha-512`.
    Sha512,
}

impl Hash {
    /// Reads a name of RFC 8122's; case does not count. `None` for what is unknown, and for SHA-1 and MD5.
    pub fn read(name: &str) -> Option<Self> {
        [Self::Sha256, Self::Sha384, Self::Sha512].into_iter().find(|h| name.eq_ignore_ascii_case(h.name()))
    }

    /// Its name in a description.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    /// Bytes of a digest.
    pub const fn digest_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
}

/// One certificate's hash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint {
    hash: Hash,
    digest: Vec<u8>,
}

impl Fingerprint {
    /// As read. `None` when the digest has not its hash's length.
    pub fn new(hash: Hash, digest: Vec<u8>) -> Option<Self> {
        (digest.len() == hash.digest_len()).then_some(Self { hash, digest })
    }

    /// Of a certificate in DER.
    pub fn of(hash: Hash, certificate: &[u8]) -> Self {
        Self { hash, digest: hash.of(certificate) }
    }

    /// By which function.
    pub const fn hash(&self) -> Hash {
        self.hash
    }

    /// The hash.
    pub fn digest(&self) -> &[u8] {
        &self.digest
    }
}

/// What the other side's certificate must match: at least one fingerprint.
///
/// The order that they stand in does not count: the same set is the same peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprints(Vec<Fingerprint>);

impl Fingerprints {
    /// Fingerprints kept of one description.
    const MOST: usize = 16;

    /// Of a description's, at most the first 16. `None` when there is none: nobody could be known by it.
    pub fn new(all: impl IntoIterator<Item = Fingerprint>) -> Option<Self> {
        let mut all: Vec<_> = all.into_iter().take(Self::MOST).collect();
        all.sort();
        all.dedup();
        (!all.is_empty()).then_some(Self(all))
    }

    /// Whether a certificate is one of those meant: by the strongest function that was used, and by that alone (RFC 8122
    /// section 5.1), so that a weaker one cannot be slipped in beside it.
    pub fn match_certificate(&self, certificate: &[u8]) -> bool {
        let Some(hash) = self.0.iter().map(|f| f.hash).max() else { return false };
        let digest = hash.of(certificate);
        self.0.iter().any(|f| f.hash == hash && f.digest == digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE: &[u8] = b"a certificate";

    fn of(hash: Hash) -> Fingerprint {
        Fingerprint::of(hash, CERTIFICATE)
    }

    #[test]
    fn a_certificate_is_known_by_any_of_the_three_hashes() {
        for hash in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
            let known = Fingerprints::new([of(hash)]).expect("one is enough");
            assert!(known.match_certificate(CERTIFICATE), "{hash:?}");
            assert!(!known.match_certificate(b"another"), "{hash:?}");
        }
    }

    #[test]
    fn one_of_several_certificates_is_enough() {
        let known = Fingerprints::new([Fingerprint::of(Hash::Sha256, b"another"), of(Hash::Sha256)]);
        assert!(known.expect("two are enough").match_certificate(CERTIFICATE));
    }

    #[test]
    fn only_the_strongest_hash_counts() {
        let wrong = Fingerprint::of(Hash::Sha512, b"another");
        let known = Fingerprints::new([of(Hash::Sha256), wrong]).expect("two are enough");
        assert!(!known.match_certificate(CERTIFICATE));
    }

    #[test]
    fn weak_hashes_have_no_name_here_and_case_does_not_count() {
        assert_eq!((Hash::read("sha-1"), Hash::read("md5")), (None, None));
        assert_eq!(Hash::read("SHA-384"), Some(Hash::Sha384));
    }

    #[test]
    fn a_digest_of_another_length_is_no_fingerprint() {
        assert_eq!(Fingerprint::new(Hash::Sha256, vec![0; 20]), None);
    }

    #[test]
    fn the_same_fingerprints_in_another_order_are_the_same_peer() {
        let one = Fingerprints::new([of(Hash::Sha256), of(Hash::Sha384)]);
        assert_eq!(one, Fingerprints::new([of(Hash::Sha384), of(Hash::Sha256)]));
        assert_eq!(Fingerprints::new([]), None);
    }
}
