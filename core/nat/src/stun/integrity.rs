//! Who wrote a message: HMAC over all that stands before.
//!
//! RFC 8489 sections 9 and 14.5 to 14.6. `rtc-stun` knows SHA-1 only; both are here, compared in constant time.

use base::Secret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use sha1::Sha1;
use sha2::Sha256;

use super::attribute;

/// By which hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// `MESSAGE-INTEGRITY`.
    Sha1,
    /// `MESSAGE-INTEGRITY-SHA256`.
    Sha256,
}

/// A secret that both sides have.
#[derive(Clone, Debug)]
pub struct Key(Secret<Vec<u8>>);

impl Key {
    /// Of a password that was told for this session (ICE). RFC 8489 section 9.1.1.
    pub fn short_term(password: &str) -> Self {
        Self(Secret::new(password.as_bytes().to_vec()))
    }

    /// Of an account at a server (TURN), by the password algorithm that it asks for. RFC 8489 section 9.2.2.
    pub fn long_term(user: &str, realm: &str, password: &Secret<String>, algorithm: Algorithm) -> Self {
        let text = Secret::new(format!("{user}:{realm}:{}", password.expose()));
        Self(Secret::new(match algorithm {
            Algorithm::Sha1 => Md5::digest(text.expose()).to_vec(),
            Algorithm::Sha256 => Sha256::digest(text.expose()).to_vec(),
        }))
    }

    /// Of these very bytes.
    pub fn raw(bytes: Vec<u8>) -> Self {
        Self(Secret::new(bytes))
    }

    /// Over `message`, whose length already counts the attribute that the result goes into.
    pub(super) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        match algorithm {
            Algorithm::Sha1 => self.sha1(&[message]).finalize().into_bytes().to_vec(),
            Algorithm::Sha256 => self.sha256(&[message]).finalize().into_bytes().to_vec(),
        }
    }

    fn sha1(&self, parts: &[&[u8]]) -> Hmac<Sha1> {
        let mut mac = Hmac::<Sha1>::new_from_slice(self.0.expose()).expect("HMAC takes a key of any length");
        for part in parts {
            mac.update(part);
        }
        mac
    }

    fn sha256(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.expose()).expect("HMAC takes a key of any length");
        for part in parts {
            mac.update(part);
        }
        mac
    }

    /// The better one that is there must be right. A SHA-256 may be cut to no less than 16 octets (RFC 8489 section 14.6).
    pub(super) fn check(&self, message: &[u8]) -> Option<Algorithm> {
        let sha256 = find(message, attribute::MESSAGE_INTEGRITY_SHA256.value());
        let (algorithm, (at, value)) = match sha256 {
            Some(found) => (Algorithm::Sha256, found),
            None => (Algorithm::Sha1, find(message, attribute::MESSAGE_INTEGRITY.value())?),
        };
        // The length as it was when the attribute was the last one.
        let length = u16::try_from(at + 4 + value.len() - 20).ok()?;
        let head = [message[0], message[1], length.to_be_bytes()[0], length.to_be_bytes()[1]];
        let parts = [&head[..], &message[4..at]];
        let right = match algorithm {
            Algorithm::Sha1 => self.sha1(&parts).verify_slice(value).is_ok(),
            Algorithm::Sha256 if (16..=32).contains(&value.len()) => {
                self.sha256(&parts).verify_truncated_left(value).is_ok()
            }
            Algorithm::Sha256 => false,
        };
        right.then_some(algorithm)
    }
}

/// Where an attribute begins, and its value. The message was read: no attribute is cut.
fn find(message: &[u8], wanted: u16) -> Option<(usize, &[u8])> {
    let mut at = 20;
    while let Some(head) = message.get(at..at + 4) {
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        if u16::from_be_bytes([head[0], head[1]]) == wanted {
            return Some((at, message.get(at + 4..at + 4 + length)?));
        }
        at += 4 + length.next_multiple_of(4);
    }
    None
}
