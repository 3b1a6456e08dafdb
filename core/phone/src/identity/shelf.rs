//! Certificates of those who sign for callers: had, asked for, or not to be had.
//!
//! One question at a time for each address and a few at once; what came is kept for as long as its server says, within
//! bounds, and what did not come is not asked for again for a minute. Whether an authority stands for a certificate is
//! found once for the anchors that ask. Told the time. Knows no account, no call and no web.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::Instant;
use stir::{Address, Anchors, BadAddress, Chain, Credential, Untrusted};

/// Certificates that are kept. A stranger chooses the address: so the ones that were used least lately go.
const MOST: usize = 32;
/// Questions at once.
const MOST_ASKED: usize = 4;
/// How long a call waits to be shown better, and a question is under way at most.
const PATIENCE: Duration = Duration::from_secs(3);
/// As long as what came without a word on it is kept, and the bounds of what a server may say.
const USUAL: Duration = Duration::from_hours(1);
const SHORTEST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_hours(24);
/// As long as what did not come is not asked for again.
const RETRY: Duration = Duration::from_mins(1);
/// The same where we have asked too much to ask for more.
const RETRY_BUSY: Duration = Duration::from_secs(5);
/// For how long a chain that is not believed is not tried again, in seconds.
const RECHECK: u64 = 60;

/// Longest answer with certificates, in bytes: a chain has some 3,000.
pub const MAX_CERTIFICATES: usize = 16 * 1024;

/// A question for a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FetchId(pub u32);

/// An answer with certificates.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// At most [`MAX_CERTIFICATES`] bytes.
    pub bytes: Vec<u8>,
    /// For how long its server lets it be kept (`Cache-Control: max-age`), where it says so.
    pub good_for: Option<Duration>,
}

/// Why a certificate is not to be had. `Display` is a sentence for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotHad {
    /// Nobody is asked there.
    #[error("{0}")]
    Address(BadAddress),
    /// No connection, or to a server that nobody vouches for.
    #[error("the server with its certificate cannot be reached, or is not trusted")]
    Unreachable,
    /// No answer within three seconds.
    #[error("the server with its certificate does not answer")]
    Silent,
    /// Another answer than 200.
    #[error("the server with its certificate answers with status {0}")]
    Status(u16),
    /// To somewhere else, which is not followed: a stranger has named this address.
    #[error("the server with its certificate sends us on to another")]
    Moved,
    /// Longer than any.
    #[error("what its certificate should be is longer than any")]
    TooLong,
    /// Not one.
    #[error("what its certificate should be is none")]
    Unreadable,
    /// Too many others are being asked for.
    #[error("too many certificates are being asked for")]
    Busy,
    /// This program was built without.
    #[error("certificates are not fetched in this build")]
    NotBuilt,
}

/// What is known of a certificate.
pub(super) enum Shelved {
    /// Nothing.
    Not,
    /// It is asked for.
    Asked,
    Failed(NotHad),
    Untrusted(Untrusted),
    Trusted(Arc<Credential>),
}

/// All of them.
#[derive(Default)]
pub(crate) struct Shelf {
    books: BTreeMap<Address, Book>,
    last: u32,
}

struct Book {
    state: State,
    used: Instant,
}

/// ```text
///   (not here) -- asked for --> Asked -- an answer --> Had -- its time is over --> (not here)
///                                 |--- a failure --> Failed -- a minute later --> (not here)
///                                 '--- 3 s ------> Failed -- an answer all the same --> Had
/// ```
enum State {
    Asked { fetch: FetchId, until: Instant },
    Had { chain: Chain, until: Instant, checked: Option<Checked> },
    Failed { why: NotHad, until: Instant, fetch: Option<FetchId> },
}

/// What was found of a chain, by whose anchors, and until when that holds.
struct Checked {
    anchors: Anchors,
    valid: (u64, u64),
    found: Result<Arc<Credential>, Untrusted>,
}

impl Shelf {
    /// What is here of that address, for who believes those. `wall`: seconds since 1970.
    pub(super) fn look(&mut self, address: &Address, anchors: &Anchors, wall: u64, now: Instant) -> Shelved {
        let Some(book) = self.books.get_mut(address) else { return Shelved::Not };
        book.used = now;
        match &mut book.state {
            State::Asked { .. } => Shelved::Asked,
            State::Failed { until, .. } | State::Had { until, .. } if *until <= now => {
                self.books.remove(address);
                Shelved::Not
            }
            State::Failed { why, .. } => Shelved::Failed(*why),
            State::Had { chain, checked, .. } => {
                let holds =
                    |it: &&mut Checked| it.anchors == *anchors && (it.valid.0..=it.valid.1).contains(&wall);
                let found = match checked.as_mut().filter(holds) {
                    Some(checked) => checked.found.clone(),
                    None => {
                        let found = chain.check(anchors, wall).map(Arc::new);
                        let valid = found.as_ref().map_or((wall, wall + RECHECK), |it| it.valid());
                        *checked = Some(Checked { anchors: anchors.clone(), valid, found: found.clone() });
                        found
                    }
                };
                found.map_or_else(Shelved::Untrusted, Shelved::Trusted)
            }
        }
    }

    /// Wants a certificate that is not here. `None`: too many are asked for already, and it counts as not to be had.
    pub(crate) fn ask(&mut self, address: Address, now: Instant) -> Option<FetchId> {
        while self.books.len() >= MOST {
            let idle = self.books.iter().filter(|(_, book)| !book.is_asked());
            let Some(oldest) = idle.min_by_key(|(_, book)| book.used).map(|(address, _)| address.clone())
            else {
                break;
            };
            self.books.remove(&oldest);
        }
        let busy = self.books.values().filter(|book| book.is_asked()).count() >= MOST_ASKED;
        let fetch = (!busy).then(|| {
            self.last = self.last.wrapping_add(1);
            FetchId(self.last)
        });
        let state = match fetch {
            Some(fetch) => State::Asked { fetch, until: now + PATIENCE },
            None => State::Failed { why: NotHad::Busy, until: now + RETRY_BUSY, fetch: None },
        };
        self.books.insert(address, Book { state, used: now });
        fetch
    }

    /// What came of a question. One that is answered late is kept for the next call.
    pub(crate) fn told(&mut self, of: FetchId, answer: Result<Fetched, NotHad>, now: Instant) {
        let is_it = |book: &&mut Book| match book.state {
            State::Asked { fetch, .. } => fetch == of,
            State::Failed { fetch, .. } => fetch == Some(of),
            State::Had { .. } => false,
        };
        let Some(book) = self.books.values_mut().find(is_it) else { return };
        let had = answer.and_then(|it| {
            if it.bytes.len() > MAX_CERTIFICATES {
                return Err(NotHad::TooLong);
            }
            let chain = Chain::read(&it.bytes).map_err(|_| NotHad::Unreadable)?;
            Ok((chain, it.good_for.unwrap_or(USUAL).clamp(SHORTEST, LONGEST)))
        });
        book.state = match had {
            Ok((chain, keep)) => State::Had { chain, until: now + keep, checked: None },
            Err(why) => State::Failed { why, until: now + RETRY, fetch: None },
        };
    }

    /// Gives up what was waited for long enough.
    pub(crate) fn overdue(&mut self, now: Instant) {
        for book in self.books.values_mut() {
            if let State::Asked { fetch, until } = book.state
                && until <= now
            {
                book.state = State::Failed { why: NotHad::Silent, until: now + RETRY, fetch: Some(fetch) };
            }
        }
    }

    /// When something will have been waited for long enough.
    pub(crate) fn next(&self) -> Option<Instant> {
        let until = |book: &Book| match book.state {
            State::Asked { until, .. } => Some(until),
            State::Had { .. } | State::Failed { .. } => None,
        };
        self.books.values().filter_map(until).min()
    }
}

impl Book {
    fn is_asked(&self) -> bool {
        matches!(self.state, State::Asked { .. })
    }
}

#[cfg(test)]
mod tests;
