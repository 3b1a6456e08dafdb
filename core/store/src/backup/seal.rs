//! Secrets under a passphrase: the part `passwords` of a backup.
//!
//! ```text
//! { "kdf": "argon2id", "memory_kib": 65536, "passes": 3, "lanes": 4, "salt": "hex",
//!   "cipher": "aes-256-gcm", "nonce": "hex", "body": "hex" }
//! ```
//!
//! The key is Argon2id's of the passphrase, by the second of RFC 9106 section 4's recommendations (64 MiB: the first asks
//! for 2 GiB, which no phone has); AES-256-GCM (RFC 5116 section 5.2) seals by it, with all words above `body` as
//! associated data. A passphrase is taken as RFC 8265 section 4.2 has it: typed on another keyboard it is the same. What is
//! sealed is [`Inside`], as JSON and blanks, so that its length tells little. Knows no table.

use std::collections::BTreeMap;

use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use aes_gcm::{Aes256Gcm, Nonce};
use argon2::{Algorithm, Argon2, Params, Version};
use base::Secret;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use super::BackupError;

const KDF: &str = "argon2id";
const CIPHER: &str = "aes-256-gcm";
/// RFC 9106 section 4, the second recommendation; also the most that a document may ask of us.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;
/// Bytes that are sealed come in multiples of so many.
const STEP: usize = 512;
const TAG: usize = 16;
/// Bytes of what is sealed, at most.
const MOST: usize = 4 * 1024 * 1024;

/// As it stands in the document.
#[derive(Serialize, Deserialize)]
pub(super) struct Sealed {
    kdf: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
    cipher: String,
    nonce: String,
    body: String,
}

impl Sealed {
    /// `inside` under a passphrase; `salt` and `nonce` are random.
    pub(super) fn close(
        inside: &Secret<Vec<u8>>,
        passphrase: &Secret<String>,
        salt: [u8; 16],
        nonce: [u8; 12],
    ) -> Result<Self, BackupError> {
        Self::close_at([MEMORY_KIB, PASSES, LANES], inside, passphrase, salt, nonce)
    }

    /// At another cost: the tests' would be minutes.
    fn close_at(
        [memory_kib, passes, lanes]: [u32; 3],
        inside: &Secret<Vec<u8>>,
        passphrase: &Secret<String>,
        salt: [u8; 16],
        nonce: [u8; 12],
    ) -> Result<Self, BackupError> {
        let mut sealed = Self {
            kdf: KDF.into(),
            memory_kib,
            passes,
            lanes,
            salt: HEXLOWER.encode(&salt),
            cipher: CIPHER.into(),
            nonce: HEXLOWER.encode(&nonce),
            body: String::new(),
        };
        let inside = inside.expose();
        // Of its whole size from the start: what grows leaves copies behind.
        let mut bytes = Secret::new(Vec::with_capacity(inside.len().next_multiple_of(STEP) + TAG));
        let buffer = bytes.expose_mut();
        buffer.extend_from_slice(inside);
        buffer.resize(inside.len().next_multiple_of(STEP), b' ');
        let tag = sealed
            .cipher(passphrase, &salt)?
            .encrypt_inout_detached(&Nonce::from(nonce), &sealed.associated(), buffer.as_mut_slice().into())
            .expect("far below the 64 GiB of one nonce");
        buffer.extend_from_slice(&tag);
        sealed.body = HEXLOWER.encode(buffer);
        Ok(sealed)
    }

    /// What is inside.
    pub(super) fn open(&self, passphrase: &Secret<String>) -> Result<Secret<Vec<u8>>, BackupError> {
        // What a document asks of us is bounded by what ours ask.
        let fair = self.memory_kib <= MEMORY_KIB && self.passes <= PASSES && self.lanes <= LANES;
        if self.kdf != KDF || self.cipher != CIPHER || !fair || self.body.len() > 2 * (MOST + TAG) {
            return Err(BackupError::UnknownLock);
        }
        let parts = (
            HEXLOWER_PERMISSIVE.decode(self.salt.as_bytes()),
            HEXLOWER_PERMISSIVE.decode(self.nonce.as_bytes()),
            HEXLOWER_PERMISSIVE.decode(self.body.as_bytes()),
        );
        let (Ok(salt), Ok(nonce), Ok(sealed)) = parts else { return Err(BackupError::UnknownLock) };
        let nonce = <[u8; 12]>::try_from(nonce).map_err(|_| BackupError::UnknownLock)?;
        let at = sealed.len().checked_sub(TAG).ok_or(BackupError::UnknownLock)?;
        let mut inside = Secret::new(sealed);
        let (body, tag) = inside.expose_mut().split_at_mut(at);
        let tag = <[u8; TAG]>::try_from(&*tag).expect("split so");
        self.cipher(passphrase, &salt)?
            .decrypt_inout_detached(&Nonce::from(nonce), &self.associated(), body.into(), &tag.into())
            .map_err(|_| BackupError::WrongPassphrase)?;
        inside.expose_mut().truncate(at);
        Ok(inside)
    }

    fn cipher(&self, passphrase: &Secret<String>, salt: &[u8]) -> Result<Aes256Gcm, BackupError> {
        let passphrase = prepared(passphrase)?;
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32));
        let params = params.map_err(|_| BackupError::UnknownLock)?;
        let mut key = Secret::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose().as_bytes(), salt, key.expose_mut())
            .map_err(|error| match error {
                argon2::Error::OutOfMemory => BackupError::NoMemory,
                _ => BackupError::UnknownLock,
            })?;
        Ok(Aes256Gcm::new(key.expose().into()))
    }

    fn associated(&self) -> Vec<u8> {
        let Self { kdf, memory_kib, passes, lanes, salt, cipher, nonce, .. } = self;
        format!(
            "{} {} {kdf} {memory_kib} {passes} {lanes} {salt} {cipher} {nonce}",
            super::FORMAT,
            super::VERSION
        )
        .into_bytes()
    }
}

/// What is sealed. What an account is set to stands beside its secrets, so that a backup in which that was changed does not
/// send a password to somebody else.
#[derive(Serialize, Deserialize)]
pub(super) struct Inside {
    pub(super) accounts: Vec<InsideAccount>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct InsideAccount {
    pub(super) id: i64,
    pub(super) settings: String,
    pub(super) secrets: BTreeMap<String, Told>,
}

/// A secret on its way into what is sealed, or out of it.
pub(super) struct Told(pub(super) Secret<String>);

impl Serialize for Told {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.expose().serialize(to)
    }
}

impl<'de> Deserialize<'de> for Told {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self(Secret::new(text)))
    }
}

impl Inside {
    /// As it is sealed.
    pub(super) fn write(&self) -> Secret<Vec<u8>> {
        // A letter is at most six when it is escaped. What grows leaves copies behind.
        let of = |account: &InsideAccount| {
            let secrets = account.secrets.iter().map(|(name, it)| name.len() + it.0.expose().len() + 2);
            100 + 6 * (account.settings.len() + secrets.sum::<usize>())
        };
        let most = 100 + self.accounts.iter().map(of).sum::<usize>();
        let mut text = Secret::new(Vec::with_capacity(most));
        serde_json::to_writer(text.expose_mut(), self).expect("strings and numbers, to memory");
        text
    }

    /// None: it is not of ours.
    pub(super) fn read(text: &Secret<Vec<u8>>) -> Option<Self> {
        serde_json::from_slice(text.expose()).ok()
    }
}

/// As any keyboard would have it: `OpaqueString`, RFC 8265 section 4.2.
fn prepared(passphrase: &Secret<String>) -> Result<Secret<String>, BackupError> {
    let typed = passphrase.expose();
    if typed.is_empty() {
        return Err(BackupError::NoPassphrase);
    }
    // No letter is more than three times as long when it is composed, and what grows leaves copies behind.
    let mut prepared = Secret::new(String::with_capacity(typed.len() * 3));
    let blank = |c: char| if c.is_whitespace() && !c.is_ascii() { ' ' } else { c };
    prepared.expose_mut().extend(typed.chars().map(blank).nfc());
    Ok(prepared)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrase(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    fn closed(text: &str, passphrase: &str) -> Sealed {
        let inside = Secret::new(text.into());
        Sealed::close_at([64, 2, 2], &inside, &phrase(passphrase), [7; 16], [9; 12]).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_by_its_passphrase_however_it_is_typed_and_by_no_other() {
        let sealed = closed("inside", "caf\u{e9} au lait");
        for same in ["caf\u{e9} au lait", "cafe\u{301} au lait", "caf\u{e9}\u{a0}au\u{2003}lait"] {
            let inside = sealed.open(&phrase(same)).unwrap();
            assert_eq!((&inside.expose()[..6], inside.expose().len()), (&b"inside"[..], STEP));
        }
        for other in ["cafe au lait", "CAF\u{c9} AU LAIT", "caf\u{e9} au lait ", " "] {
            assert!(matches!(sealed.open(&phrase(other)), Err(BackupError::WrongPassphrase)), "{other}");
        }
        assert!(matches!(sealed.open(&phrase("")), Err(BackupError::NoPassphrase)));
    }

    #[test]
    fn the_length_of_what_is_sealed_tells_little_and_nothing_of_it_shows() {
        let [short, long] = ["x", &"x".repeat(400)].map(|text| closed(text, "p").body);
        assert_eq!(short.len(), long.len());
        assert!(!short.contains(&HEXLOWER.encode(b"x   ")));
    }

    #[test]
    fn a_word_that_was_changed_is_noticed() {
        let text = serde_json::to_string(&closed("inside", "p")).unwrap();
        let open = |text: &str| serde_json::from_str::<Sealed>(text).unwrap().open(&phrase("p"));
        assert!(open(&text).is_ok());
        for (from, to) in [
            ("\"passes\":2", "\"passes\":3"),
            ("\"memory_kib\":64", "\"memory_kib\":65"),
            ("\"lanes\":2", "\"lanes\":1"),
            ("0707\"", "0708\""),
            ("0909\"", "090a\""),
        ] {
            assert!(text.contains(from));
            assert!(matches!(open(&text.replace(from, to)), Err(BackupError::WrongPassphrase)), "{from}");
        }
    }

    #[test]
    fn a_lock_that_asks_for_too_much_or_is_none_of_ours_is_refused_before_any_work() {
        let text = serde_json::to_string(&closed("inside", "p")).unwrap();
        for (from, to) in [
            ("\"passes\":2", "\"passes\":4000000000"),
            ("\"memory_kib\":64", "\"memory_kib\":65537"),
            ("\"memory_kib\":64", "\"memory_kib\":1"),
            ("\"lanes\":2", "\"lanes\":0"),
            ("argon2id", "md5"),
            ("aes-256-gcm", "rot13"),
            ("\"salt\":\"07", "\"salt\":\"zz"),
            ("\"nonce\":\"09", "\"nonce\":\""),
            ("\"body\":\"", "\"body\":\"x"),
        ] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text);
            let sealed: Sealed = serde_json::from_str(&changed).unwrap();
            assert!(matches!(sealed.open(&phrase("p")), Err(BackupError::UnknownLock)), "{to}");
        }
        let sealed = Sealed { body: "00".repeat(TAG - 1), ..closed("inside", "p") };
        assert!(matches!(sealed.open(&phrase("p")), Err(BackupError::UnknownLock)));
    }
}
