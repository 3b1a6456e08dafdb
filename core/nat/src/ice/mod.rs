//! ICE: which of the many pairs of addresses carries, and whether it still does.
//!
//! RFC 8445 with RFC 6544 (streams, once they are open) and RFC 7675 (consent). The checks and their nomination are
//! `rtc-ice`'s; this is the seam around it, and does what it leaves open:
//!
//! * Nothing reaches it that was not authenticated: it would switch its role for anybody.
//! * It is given host and relayed addresses only. A reflexive one is told to the other side but checked from its base, so it
//!   needs no pair of its own (RFC 8445 section 6.1.2.4).
//! * When a round of checks goes out is decided here, in widening steps; it would repeat all pairs every few milliseconds.
//! * Its answer to a role conflict is heard here (it ignores 487), checks that come before the description are kept, and
//!   consent is ours.
//!
//! One agent is one component. Knows no socket: `local` names one of ours by its address.

mod agent;
mod consent;
mod converted;
mod crypto;
#[cfg(test)]
mod tests;
mod words;

pub use agent::Agent;
pub use words::{Check, Counts, Event, Pair};

use base::{Rng, Secret};

/// What checks are authenticated with, of one side. RFC 8445 section 5.3.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The user name's half.
    pub fragment: String,
    /// 128 bits and more.
    pub password: Secret<String>,
}

impl Credentials {
    /// Fresh ones, as short as may be: they stand in an INVITE that must fit a datagram. 6 bits a letter: 24 bits and 132, of
    /// which RFC 8445 section 5.3 asks for 24 and 128.
    pub fn draw(rng: &mut Rng) -> Self {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut letters = |count| (0..count).map(|_| char::from(LETTERS[rng.below(64) as usize])).collect();
        Self { fragment: letters(4), password: Secret::new(letters(22)) }
    }

    /// Whether these could be anybody's: RFC 8839 section 5.4 bounds both.
    pub fn are_sound(&self) -> bool {
        let fits = |text: &str, least| {
            let letters = |c: u8| c.is_ascii_alphanumeric() || c == b'+' || c == b'/';
            (least..=256).contains(&text.len()) && text.bytes().all(letters)
        };
        fits(&self.fragment, 4) && fits(self.password.expose(), 22)
    }
}

/// By secrets, without a word of them.
impl PartialEq for Credentials {
    fn eq(&self, other: &Self) -> bool {
        self.fragment == other.fragment && self.password.expose() == other.password.expose()
    }
}

impl Eq for Credentials {}
