//! Opening a TCP stream between two hosts that are both behind routers.
//!
//! RFC 5128 section 3.4, RFC 6544 appendices A and B. Both hosts have asked a server S under which address it sees them, over
//! TCP and from one port; both have been told the other's addresses. Now both listen on that very port and at the same time
//! connect from it. The first SYN out opens the own router for the other's; which host gets its stream from `connect` and which
//! from `accept` is up to the systems, and neither host is the caller.
//!
//! ```text
//!        A                 router A             router B                 B
//!        | SYN ---------------> |                    |                   |
//!        |                      | SYN -------------> | x (not asked for) |
//!        |                      |                    | <------------ SYN |
//!        | <------------------- | <------------ SYN  |                   |
//!        | both sent a SYN: open at once, or by the SYN that is repeated after a second
//! ```
//!
//! A router that answers the unasked-for SYN with RST undoes the hole it has just been offered: [`Punch`] tries again, for the
//! second SYN out may well be the one that finds the other's hole open. A router that maps each
//! destination anew (RFC 5382 REQ-1 forbids it) can't be punched: that is what relays are for.
//!
//! [`Punch`] is alone ([`Keep::One`]), and then both hosts agree on one stream and hand it out plain; or it serves ICE
//! ([`Keep::All`]), which gets every stream and judges by itself. Sockets have both SO_REUSEADDR and SO_REUSEPORT set and are
//! bound to the one port: whoever carries out the [`Order`]s knows how.

mod agreement;
mod machine;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use bytes::Bytes;

pub use machine::{DEADLINE, MOST_REMOTES, MOST_STREAMS, MOST_TRIES, Punch, PunchConfig};

use crate::stun::Key;

/// A try to connect, by number; none is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attempt(pub u32);

/// A stream: one that we opened, or one that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StreamId {
    /// By that try of ours.
    Dialled(Attempt),
    /// As whoever accepted it numbers it; none is used twice.
    Accepted(u32),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Listen on our port, beside what else is bound to it.
    ListenTcp {
        /// Which.
        local: SocketAddr,
    },
    /// No stream is taken any more.
    StopListening,
    /// Connect, from our port and without waiting.
    ConnectTcp {
        /// Our port.
        local: SocketAddr,
        /// Where to.
        remote: SocketAddr,
        /// Which try this is.
        attempt: Attempt,
    },
    /// Close a stream, or give up a try that hasn't ended.
    CloseTcp {
        /// Which.
        stream: StreamId,
    },
    /// Write to a stream.
    WriteTcp {
        /// Which.
        stream: StreamId,
        /// All of it.
        bytes: Bytes,
    },
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News<'a> {
    /// A try of ours has become a stream; by the other's SYN perhaps.
    Connected {
        /// Which.
        attempt: Attempt,
    },
    /// A stream came in at the listener.
    Accepted {
        /// Its number.
        stream: u32,
        /// Who it is from.
        from: SocketAddr,
    },
    /// RST: nobody there, or a router that says so.
    Refused {
        /// Which try.
        attempt: Attempt,
    },
    /// The system has repeated its SYN as often as it does.
    TimedOut {
        /// Which try.
        attempt: Attempt,
    },
    /// No route, or ICMP says that there is none further on.
    Unreachable {
        /// Which try.
        attempt: Attempt,
    },
    /// The port, or the pair of addresses, is in use: by a stream that has just come in, say.
    AddressInUse {
        /// Which try; `None`: the listener.
        attempt: Option<Attempt>,
    },
    /// Bytes came on a stream. Only asked for with [`Keep::One`].
    Bytes {
        /// Which.
        stream: StreamId,
        /// The next piece.
        bytes: &'a [u8],
    },
    /// A stream has ended.
    Closed {
        /// Which.
        stream: StreamId,
    },
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A stream is open. With [`Keep::One`] both sides have agreed on it, and it is the last event.
    Open {
        /// Which; it is the owner's from now on.
        stream: StreamId,
        /// Whom it leads to.
        remote: SocketAddr,
        /// What the other side has already said beyond the agreement.
        rest: Bytes,
    },
    /// None is, and none will be. Take a relay.
    Failed(Failure),
}

/// Why no stream could be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No address was given that may be connected to.
    #[error("there is no address to connect to")]
    NowhereToGo,
    /// Somebody else has our port: bind with both SO_REUSEADDR and SO_REUSEPORT, also the socket that asked S.
    #[error("the port is in use")]
    PortInUse,
    /// All tries were answered with RST: a router on the way answers so, or the other side hasn't begun.
    #[error("every try was refused")]
    Refused,
    /// Nobody answered: a router on the way maps each destination anew, or the other side hasn't begun.
    #[error("nobody answered")]
    Silence,
    /// A stream opened, and it was not them.
    #[error("somebody else answered")]
    Stranger,
}

/// What becomes of the streams that open.
#[derive(Clone, Debug)]
pub enum Keep {
    /// Each is told of; somebody else decides, and says so by [`Punch::stop`].
    All,
    /// Both sides keep the same one, and nobody else gets in: a word and a secret that both know.
    One {
        /// What the secret is for; the same on both sides. Its first 120 letters count.
        name: String,
        /// Of [`Key::short_term`].
        key: Key,
    },
}

/// The addresses of one host's port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// As S sees it.
    pub outside: SocketAddr,
    /// As the host itself does, on each of its networks.
    pub inside: Vec<SocketAddr>,
}

impl Endpoints {
    /// Where to look for `them`: at their outside address; behind the same router at the inside ones first, for not every
    /// router sends back in what its own hosts send to its outside (RFC 5128 section 3.4: hairpinning).
    pub fn toward(&self, them: &Self) -> Vec<SocketAddr> {
        let mut remotes = Vec::new();
        if self.outside.ip() == them.outside.ip() {
            remotes.extend(them.inside.iter().copied());
        }
        if !remotes.contains(&them.outside) {
            remotes.push(them.outside);
        }
        remotes
    }
}
