//! Who we are at a relay: the long-term credentials of STUN, and what a server asked for them with.
//!
//! RFC 8489 section 9.2: realm and nonce, SHA-256 where the server offers it, a hash for a name where it wants that, and
//! the cookie in the nonce by which a weakened challenge is seen. Knows nothing of what is asked. Names and passwords
//! are taken as they are: the `OpaqueString` profile of RFC 8265 changes only what few keyboards write.

use base::{Redacted, Secret};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::stun::{Algorithm, Key, Message, Writer, attribute};

/// The longest realm or nonce that is kept, in bytes. RFC 8489 sections 14.9 and 14.10.
const MAX_TEXT: usize = 763;
/// The longest list of password algorithms that is repeated to the server, in bytes. Two are known: RFC 8489 section 18.5.
const MAX_ALGORITHMS: usize = 64;
/// The longest user name, in bytes. RFC 8489 section 14.3.
pub(super) const MAX_USER: usize = 508;

/// Somebody at a server.
#[derive(Clone, Debug)]
pub struct Account {
    /// The name. At most 508 bytes.
    pub user: Redacted<String>,
    /// What proves it.
    pub password: Secret<String>,
}

/// What a server wants to see in a signed request. Given to the next client of the same server it spares a round trip,
/// where the server takes a nonce from another port: some do not, and nothing is lost but the hope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    realm: String,
    nonce: Vec<u8>,
    /// `PASSWORD-ALGORITHMS`, word for word.
    algorithms: Option<Vec<u8>>,
    /// A hash of the name instead of the name. RFC 8489 section 14.4.
    anonymous: bool,
}

/// What is wrong with a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// No realm or no nonce, or too long.
    Missing,
    /// The nonce says that there was a list of algorithms, and it is gone. RFC 8489 section 9.2.5.
    Weakened,
    /// None of the algorithms is known here.
    Unknown,
}

impl Challenge {
    /// Out of an error response. Without a realm the one of `before` still holds.
    pub(super) fn read(message: &Message, before: Option<&Self>) -> Result<Self, Flaw> {
        let realm = message.text(attribute::REALM).or(before.map(|it| it.realm.as_str()));
        let (realm, nonce) = realm.zip(message.value(attribute::NONCE)).ok_or(Flaw::Missing)?;
        if realm.len() > MAX_TEXT || nonce.len() > MAX_TEXT {
            return Err(Flaw::Missing);
        }
        let features = features(nonce);
        let algorithms = message.value(attribute::PASSWORD_ALGORITHMS);
        match algorithms {
            None if features.algorithms => return Err(Flaw::Weakened),
            Some(list) if list.len() > MAX_ALGORITHMS || best(list).is_none() => return Err(Flaw::Unknown),
            _ => {}
        }
        Ok(Self {
            realm: realm.to_owned(),
            nonce: nonce.to_vec(),
            algorithms: algorithms.map(<[u8]>::to_vec),
            anonymous: features.anonymous,
        })
    }

    pub(super) fn nonce(&self) -> &[u8] {
        &self.nonce
    }

    pub(super) fn realm(&self) -> &str {
        &self.realm
    }
}

/// Whether a response carries the mark of a server that listed its algorithms, and not the list. RFC 8489 section 9.2.5.
pub(super) fn is_weakened(message: &Message) -> bool {
    message.value(attribute::NONCE).is_some_and(|nonce| features(nonce).algorithms)
        && !message.has(attribute::PASSWORD_ALGORITHMS)
}

/// What a nonce says of its server. RFC 8489 sections 9.2 and 18.1.
struct Features {
    algorithms: bool,
    anonymous: bool,
}

fn features(nonce: &[u8]) -> Features {
    let bits = nonce.strip_prefix(b"obMatJos2").and_then(|rest| rest.get(..4)).and_then(|four| {
        // Base64: the first letter has the first six of the 24 bits.
        let digit = |letter: u8| match letter {
            b'A'..=b'Z' => Some(letter - b'A'),
            b'a'..=b'z' => Some(letter - b'a' + 26),
            b'0'..=b'9' => Some(letter - b'0' + 52),
            b'+' => Some(62),
            b'/' => Some(63),
            _ => None,
        };
        four.iter().all(|letter| digit(*letter).is_some()).then_some(())?;
        digit(four[0])
    });
    let bits = bits.unwrap_or(0);
    Features { algorithms: bits & 0x20 != 0, anonymous: bits & 0x10 != 0 }
}

/// The better of the algorithms in a list: SHA-256 where there are both (RFC 8656 section 6), in the form of
/// `PASSWORD-ALGORITHM`. RFC 8489 section 14.11.
fn best(mut list: &[u8]) -> Option<Algorithm> {
    let mut best = None;
    while let Some(([a, b, c, d], rest)) = list.split_first_chunk::<4>() {
        match (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d])) {
            (2, 0) => best = Some(Algorithm::Sha256),
            (1, 0) => best = best.or(Some(Algorithm::Sha1)),
            _ => {}
        }
        let parameters = usize::from(u16::from_be_bytes([*c, *d])).next_multiple_of(4);
        list = rest.get(parameters..).unwrap_or_default();
    }
    best
}

/// An account with a challenge: what signs requests and judges responses.
#[derive(Clone, Debug)]
pub(super) struct Seal {
    account: Account,
    challenge: Challenge,
    key: Key,
}

impl Seal {
    pub(super) fn new(account: Account, challenge: Challenge) -> Self {
        let password = challenge.algorithms.as_deref().and_then(best).unwrap_or(Algorithm::Sha1);
        // RFC 8489 section 9.2.2: quotes and trailing nulls are no part of it.
        let realm = challenge.realm.trim_end_matches('\0').trim_matches('"');
        let key = Key::long_term(account.user.reveal(), realm, &account.password, password);
        Self { account, challenge, key }
    }

    pub(super) fn challenge(&self) -> &Challenge {
        &self.challenge
    }

    /// Which hash signs: the newer one as soon as the server listed password algorithms, whichever of them was taken.
    fn algorithm(&self) -> Algorithm {
        if self.challenge.algorithms.is_some() { Algorithm::Sha256 } else { Algorithm::Sha1 }
    }

    /// Finishes a request. RFC 8489 sections 9.2.3.2 and 9.2.5.
    pub(super) fn sign(&self, writer: Writer) -> Bytes {
        let user = self.account.user.reveal();
        let mut writer = if self.challenge.anonymous {
            let hash = Sha256::digest(format!("{user}:{}", self.challenge.realm));
            writer.value(attribute::USERHASH, &hash)
        } else {
            writer.text(attribute::USERNAME, user)
        };
        writer = writer
            .text(attribute::REALM, &self.challenge.realm)
            .value(attribute::NONCE, &self.challenge.nonce);
        if let Some((list, best)) = self.challenge.algorithms.as_deref().and_then(|it| Some((it, best(it)?)))
        {
            let number: u8 = if best == Algorithm::Sha256 { 2 } else { 1 };
            writer = writer
                .value(attribute::PASSWORD_ALGORITHMS, list)
                .value(attribute::PASSWORD_ALGORITHM, &[0, number, 0, 0]);
        }
        writer.signed(&self.key, self.algorithm())
    }

    /// Whether the server wrote this: by the hash that we signed with, so that nobody talks us down.
    pub(super) fn wrote(&self, message: &Message) -> bool {
        message.written_by(&self.key) == Some(self.algorithm())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stun::{Method, TransactionId};

    fn account() -> Account {
        Account { user: Redacted::new("user".into()), password: Secret::new("pass".into()) }
    }

    fn challenge(nonce: &str, algorithms: Option<&[u8]>) -> Result<Challenge, Flaw> {
        let request = Writer::request(Method::Allocate, TransactionId([1; 12])).unsigned();
        let mut answer = Writer::error(&Message::read(&request).unwrap(), 401, "Unauthenticated")
            .text(attribute::REALM, "realm")
            .text(attribute::NONCE, nonce);
        if let Some(list) = algorithms {
            answer = answer.value(attribute::PASSWORD_ALGORITHMS, list);
        }
        Challenge::read(&Message::read(&answer.unsigned()).unwrap(), None)
    }

    fn signed(challenge: Challenge) -> Message {
        let writer = Writer::request(Method::Refresh, TransactionId([2; 12]));
        Message::read(&Seal::new(account(), challenge).sign(writer)).unwrap()
    }

    #[test]
    fn an_old_server_gets_the_old_hash() {
        let message = signed(challenge("n", None).unwrap());
        let key = Key::long_term("user", "realm", &account().password, Algorithm::Sha1);
        assert_eq!(message.written_by(&key), Some(Algorithm::Sha1));
        assert!(!message.has(attribute::PASSWORD_ALGORITHM));
    }

    #[test]
    fn sha_256_is_taken_where_both_are_offered_in_whatever_order() {
        for list in [[0, 1, 0, 0, 0, 2, 0, 0], [0, 2, 0, 0, 0, 1, 0, 0]] {
            let message = signed(challenge("obMatJos2gAAAn", Some(&list)).unwrap());
            let key = Key::long_term("user", "realm", &account().password, Algorithm::Sha256);
            assert_eq!(message.written_by(&key), Some(Algorithm::Sha256));
            assert_eq!(message.value(attribute::PASSWORD_ALGORITHM), Some(&[0, 2, 0, 0][..]));
            assert_eq!(message.value(attribute::PASSWORD_ALGORITHMS), Some(&list[..]));
        }
    }

    #[test]
    fn a_list_of_md5_alone_still_signs_with_sha_256() {
        let message = signed(challenge("obMatJos2gAAAn", Some(&[0, 1, 0, 0])).unwrap());
        let key = Key::long_term("user", "realm", &account().password, Algorithm::Sha1);
        assert_eq!(message.written_by(&key), Some(Algorithm::Sha256));
    }

    #[test]
    fn a_challenge_whose_list_was_taken_away_is_seen() {
        assert_eq!(challenge("obMatJos2gAAAn", None), Err(Flaw::Weakened));
        assert_eq!(challenge("obMatJos2gAAAn", Some(&[0, 9, 0, 0])), Err(Flaw::Unknown));
        assert!(challenge("obMatJos2AAAAn", None).is_ok());
    }

    #[test]
    fn a_server_that_wants_no_names_gets_a_hash() {
        let message = signed(challenge("obMatJos2QAAAn", None).unwrap());
        assert_eq!(message.value(attribute::USERHASH), Some(&Sha256::digest("user:realm")[..]));
        assert!(!message.has(attribute::USERNAME));
    }
}
