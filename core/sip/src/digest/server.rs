//! Asking who is there: challenges whose nonces prove their own age, and answers checked against a password.
//!
//! RFC 7616 sections 3.3, 3.4 and 5.4, RFC 3261 section 22.4. A nonce carries its birth and a seal under this
//! server's secret, so that nothing is kept for a stranger; only answered nonces are, for their counts. Knows no users.

use std::collections::BTreeMap;
use std::time::Duration;

use base::{Instant, Rng, Secret};
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::params::{Params, Quoted};
use super::{Algorithm, Credentials, Input, Qop};
use crate::message::{Message, Name};

/// Answered nonces whose counts are kept; the oldest give way, and are stale from then on.
const MAX_NONCES: usize = 65_536;

/// What came of checking a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The user is who the request says.
    Ok {
        /// Name of the user.
        user: String,
    },
    /// No answer for this realm: challenge.
    Missing,
    /// The right password on a nonce too old, repeated or from before a restart: challenge with `stale`.
    Stale {
        /// Name of the user.
        user: String,
    },
    /// A wrong password or a user unknown: challenge anew, and count it against them.
    Wrong {
        /// The name given.
        user: String,
    },
}

/// A realm's doorkeeper.
#[derive(Clone, Debug)]
pub struct Verifier {
    realm: String,
    algorithms: Vec<Algorithm>,
    lifetime: Duration,
    secret: Secret<[u8; 32]>,
    counts: BTreeMap<(u64, u64), Window>,
}

/// Counts seen of one nonce: the highest, and which of the 64 below it.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    highest: u32,
    seen: u64,
}

impl Window {
    /// Takes a count once. UDP may bring counts out of order.
    fn take(&mut self, count: u32) -> bool {
        if count > self.highest {
            let by = count - self.highest;
            self.seen = if by < 64 { self.seen << by | 1 } else { 1 };
            self.highest = count;
            return true;
        }
        let behind = self.highest - count;
        let fresh = behind < 64 && count > 0 && self.seen >> behind & 1 == 0;
        if fresh {
            self.seen |= 1 << behind;
        }
        fresh
    }
}

impl Verifier {
    /// A doorkeeper for `realm`; `algorithms` as offered, the best first.
    pub fn new(realm: &str, algorithms: &[Algorithm], lifetime: Duration, rng: &mut Rng) -> Self {
        let mut secret = Secret::new([0; 32]);
        rng.fill(secret.expose_mut());
        Self { realm: realm.into(), algorithms: algorithms.into(), lifetime, secret, counts: BTreeMap::new() }
    }

    /// The challenges to send, one header field each.
    pub fn challenges(&self, stale: bool, now: Instant, rng: &mut Rng) -> impl Iterator<Item = String> {
        let nonce = self.nonce(now.as_nanos(), rng.bits());
        self.algorithms.iter().map(move |algorithm| {
            format!(
                "Digest realm={}, nonce=\"{nonce}\", algorithm={}, qop=\"auth,auth-int\"{}",
                Quoted(&self.realm),
                algorithm.word(),
                if stale { ", stale=true" } else { "" },
            )
        })
    }

    /// Checks a request; `password` finds a user's, by name.
    pub fn check<B: AsRef<[u8]>>(
        &mut self,
        request: &Message<B>,
        proxy: bool,
        now: Instant,
        password: impl FnOnce(&str) -> Option<Credentials>,
    ) -> Verdict {
        let name = if proxy { Name::ProxyAuthorization } else { Name::Authorization };
        let ours = |p: &Params<'_>| p.get("realm").is_some_and(|realm| *realm == *self.realm);
        let Some(p) = request.all(name).filter_map(Params::read).find(ours) else {
            return Verdict::Missing;
        };
        let get = |name| p.get(name).unwrap_or_default();
        let user = get("username").into_owned();
        let algorithm = p.get("algorithm").map_or(Some(Algorithm::Md5), |a| Algorithm::from_word(&a));
        let protection = match &*get("qop") {
            "" => Some(None),
            "auth" => Some(Some(Qop::Auth)),
            "auth-int" => Some(Some(Qop::AuthInt)),
            _ => None,
        };
        let count = u32::from_str_radix(&get("nc"), 16);
        let (Some(algorithm), Some(qop), Some(who)) =
            (algorithm.filter(|a| self.algorithms.contains(a)), protection, password(&user))
        else {
            return Verdict::Wrong { user };
        };
        let (nonce, cnonce, uri) = (get("nonce"), get("cnonce"), get("uri"));
        let method = request.method();
        let expected = Input {
            user: &user,
            realm: &self.realm,
            password: who.password.expose(),
            method: method.as_str(),
            // Proxies on the way may have changed the Request-URI; the digest is over what the client saw.
            uri: &uri,
            body: request.body(),
            nonce: &nonce,
            protection: qop.map(|qop| (&*cnonce, count.clone().unwrap_or(0), qop)),
        }
        .response(algorithm);
        if !same(expected.as_bytes(), get("response").to_ascii_lowercase().as_bytes()) {
            return Verdict::Wrong { user };
        }
        let count = if qop.is_some() { count.unwrap_or(0) } else { u32::MAX };
        if self.accept(&nonce, count, now) { Verdict::Ok { user } } else { Verdict::Stale { user } }
    }

    /// Whether a nonce is ours, young, and new with this count. Without `qop` (`u32::MAX`) it is good once.
    fn accept(&mut self, nonce: &str, count: u32, now: Instant) -> bool {
        let field = |at: usize| nonce.get(at..at + 16).and_then(|h| u64::from_str_radix(h, 16).ok());
        let (Some(born), Some(salt)) = (field(0), field(16)) else { return false };
        if !same(self.nonce(born, salt).as_bytes(), nonce.as_bytes()) {
            return false;
        }
        let oldest = now.as_nanos().saturating_sub(self.lifetime.as_nanos() as u64);
        if born < oldest || born > now.as_nanos() {
            return false;
        }
        self.counts = self.counts.split_off(&(oldest, 0));
        if !self.counts.contains_key(&(born, salt)) && self.counts.len() == MAX_NONCES {
            self.counts.pop_first();
        }
        self.counts.entry((born, salt)).or_default().take(count)
    }

    /// Birth, salt, and a seal over both.
    fn nonce(&self, born: u64, salt: u64) -> String {
        let mut seal =
            Hmac::<Sha256>::new_from_slice(self.secret.expose()).expect("a MAC takes a key of any length");
        seal.update(&born.to_be_bytes());
        seal.update(&salt.to_be_bytes());
        format!("{born:016x}{salt:016x}{}", HEXLOWER.encode(&seal.finalize().into_bytes()[..12]))
    }
}

/// Equality in a time that tells nothing of where they differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |d, (a, b)| d | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verifier() -> Verifier {
        Verifier::new("r", &[Algorithm::Md5], Duration::from_secs(60), &mut Rng::from_number(1))
    }

    #[test]
    fn counts_are_taken_once_each_in_any_order() {
        let mut verifier = verifier();
        let nonce = verifier.nonce(5, 5);
        let mut take = |count| verifier.accept(&nonce, count, Instant::from_nanos(10));
        let taken = [1, 3, 2, 2, 3, 200, 150, 100].map(&mut take);
        assert_eq!(taken, [true, true, true, false, false, true, true, false]);
    }

    #[test]
    fn a_nonce_from_the_future_or_with_a_digit_changed_is_not_ours() {
        let mut verifier = verifier();
        let nonce = verifier.nonce(50, 5);
        assert!(!verifier.accept(&nonce, 1, Instant::from_nanos(10)));
        assert!(!verifier.accept(&nonce.replacen('5', "6", 1), 1, Instant::from_nanos(100)));
        assert!(!verifier.accept("\u{e9}", 1, Instant::from_nanos(100)));
        assert!(verifier.accept(&nonce, 1, Instant::from_nanos(100)));
    }
}
