//! What an agent says: checks to send, pairs, what became of it, and what it dropped.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::Kind;

/// A message that wants to be sent.
#[derive(Clone, Debug)]
pub struct Check {
    /// From this address of ours.
    pub local: SocketAddr,
    /// On a stream that is open between the two.
    pub tcp: bool,
    /// To this one of theirs.
    pub to: SocketAddr,
    /// All of it.
    pub bytes: Bytes,
}

/// Two addresses that reach each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Ours: a socket's, a stream's or the relay's.
    pub local: SocketAddr,
    /// How we came by it.
    pub local_kind: Kind,
    /// Theirs.
    pub remote: SocketAddr,
    /// How they came by it, or we.
    pub remote_kind: Kind,
    /// It is a stream.
    pub tcp: bool,
    /// Ours as they see it.
    pub mapped: SocketAddr,
}

impl Pair {
    /// The higher, the straighter.
    pub(super) fn rank(&self) -> u8 {
        match (self.is_relayed(), self.tcp) {
            (false, false) => 3,
            (false, true) => 2,
            (true, _) => 1,
        }
    }

    /// Whether a server stands between us.
    pub fn is_relayed(&self) -> bool {
        self.local_kind == Kind::Relayed || self.remote_kind == Kind::Relayed
    }
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// This pair carries and may be used until one is chosen (RFC 8445 section 12.1). Better ones may follow.
    Usable(Pair),
    /// Both sides use this pair from now on.
    Chosen(Pair),
    /// There is no pair.
    Failed,
    /// The chosen pair does not answer any more, though it was asked in earnest: look for another, at once.
    Dead,
    /// The other side's consent has run out: nothing may be sent there. RFC 7675.
    Expired,
}

/// What was dropped, for diagnostics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// No STUN, or not a check.
    pub malformed: u64,
    /// Not by the other side: wrong name or wrong integrity.
    pub forged: u64,
    /// Answers to what was not asked.
    pub unasked: u64,
    /// Candidates that cannot be used, are hostile, or are too many.
    pub candidates: u64,
    /// Messages with late candidates that are of no present generation, or cannot be read. RFC 8840 section 4.4.
    pub stale: u64,
    /// Role conflicts that were settled.
    pub conflicts: u64,
}
