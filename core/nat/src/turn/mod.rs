//! A relay's client: one allocation at one server by one way.
//!
//! RFC 8656 (TURN, with IPv6), RFC 8489 section 9.2 (who we are), RFC 8016 (an allocation moves with us), RFC 6062 (streams
//! to peers). Stands on [`crate::stun`]. The crate `rtc-turn` was looked at and is not used: it has no SHA-256, no IPv6, no
//! mobility, no streams, and leaves every error to its caller.
//!
//! The client is given whole messages and hands out whole messages: which socket, how a stream is cut and padded
//! ([`crate::framing`]) and TLS are somebody else's. Knows no candidate and no call; it keeps no NAT
//! binding open by itself either, for who uses the same socket knows how long that one lasts ([`Client::keep_alive`]).

mod ask;
mod auth;
mod client;
mod peers;
pub mod rest;
mod stream;
mod why;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

pub use auth::{Account, Challenge};
pub use client::Client;
pub use peers::MAX_PEERS;
pub use stream::{Bound, DataConnection};
pub use why::{Misuse, Why};

/// The most bytes to a peer at once: as an indication they must remain a message that we would read ourselves.
pub const MAX_DATA: usize = 4000;

/// What is wanted, and of whom.
#[derive(Clone, Debug)]
pub struct Config {
    /// The relay.
    pub server: SocketAddr,
    /// Who we are there; `None` at a relay that asks nobody. With an account, only what the server has signed is believed.
    pub account: Option<Account>,
    /// The way to it loses nothing (TCP, TLS): no retransmission. RFC 8489 section 6.2.2.
    pub reliable: bool,
    /// Which relayed addresses.
    pub family: Family,
    /// What is relayed.
    pub relaying: Relaying,
    /// For how long at once. The relay gives at least its default (10 minutes) and at most what it likes (an hour, mostly).
    pub lifetime: Duration,
    /// Ask for a ticket, so that [`Client::moved`] keeps the relayed address. RFC 8016.
    pub mobility: bool,
    /// Loopback peers are no mistake: in tests.
    pub loopback: bool,
    /// The server was named by another one, which is followed once. RFC 8489 section 10.
    pub redirected: bool,
}

impl Config {
    /// UDP relayed by way of UDP, for an hour at once, with a ticket.
    pub fn new(server: SocketAddr, account: Option<Account>) -> Self {
        Self {
            server,
            account,
            reliable: false,
            family: Family::Default,
            relaying: Relaying::Udp,
            lifetime: Duration::from_secs(3600),
            mobility: true,
            loopback: false,
            redirected: false,
        }
    }

    /// The same at the server that [`Event::Elsewhere`] named.
    #[must_use]
    pub fn elsewhere(mut self, server: SocketAddr) -> Self {
        (self.server, self.redirected) = (server, true);
        self
    }
}

/// Which relayed addresses. RFC 8656 section 7.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// Nothing is said: IPv4, also from relays that know no other.
    #[default]
    Default,
    /// IPv4, said aloud.
    V4,
    /// IPv6.
    V6,
    /// One of each; one may be all that there is.
    Both,
}

/// What is relayed between the server and the peers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Relaying {
    /// Datagrams.
    #[default]
    Udp,
    /// Streams, each by a connection of its own: RFC 6062. Only over a reliable way.
    Tcp,
}

/// A stream between the relay and a peer, waiting to be joined to one of ours. RFC 6062 section 6.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnectionId(pub u32);

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// There is an allocation. Told again where the relay lost it and gave another: peers must hear the new address, and
    /// each is told ready again, by a channel that may be another.
    Allocated {
        /// Where peers send to: IPv4 where both were asked for.
        relayed: SocketAddr,
        /// The second one, IPv6.
        relayed6: Option<SocketAddr>,
        /// Where the server saw us.
        mapped: SocketAddr,
        /// For how long; it is refreshed before.
        lifetime: Duration,
    },
    /// There never was one. The client is done; [`Why::try_again_after`] says whether and when another one may help.
    Failed(Why),
    /// It is gone. The client is done.
    Lost(Why),
    /// It was given up as asked by [`Client::close`]. The client is done.
    Closed,
    /// The server is busy and names another: begin a client with [`Config::elsewhere`]. The client is done.
    Elsewhere(SocketAddr),
    /// The allocation is now used from our new address; its relayed address is what it was.
    Moved,
    /// The peer may send to us, and we to it.
    PeerReady {
        /// Who.
        peer: SocketAddr,
        /// By which channel; `None` where only a permission was asked for. See [`crate::channel`].
        channel: Option<u16>,
    },
    /// The relay does not let us talk to this peer, any more or at all. It is forgotten.
    PeerRefused {
        /// Who.
        peer: SocketAddr,
        /// Why.
        why: Why,
    },
    /// A router says that a datagram to this peer did not arrive; the port may be 0. Nobody has signed that: a hint.
    PeerUnreachable {
        /// Who.
        peer: SocketAddr,
    },
    /// A datagram from a peer. Its port may be one that we have not spoken to; its address is permitted.
    Data {
        /// From whom.
        peer: SocketAddr,
        /// What.
        bytes: Bytes,
    },
    /// The relay has a stream to the peer: open one to the same server and run [`Client::bind`] on it within 30 seconds.
    Connected {
        /// Whom.
        peer: SocketAddr,
        /// Which.
        connection: ConnectionId,
    },
    /// It has none. Before the same is asked for again wait 10 seconds (RFC 6062 section 4.3).
    ConnectFailed {
        /// Whom.
        peer: SocketAddr,
        /// Why.
        why: Why,
    },
    /// A permitted peer has opened a stream to the relayed address: as for `Connected`, or let it be.
    PeerConnects {
        /// Who.
        peer: SocketAddr,
        /// Which.
        connection: ConnectionId,
    },
}

/// What was dropped, for diagnostics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Answers to our requests that the server has not written.
    pub forged: u64,
    /// No message, or none that a relay sends.
    pub malformed: u64,
    /// From peers that we do not know.
    pub strangers: u64,
    /// Came faster than it was fetched.
    pub overrun: u64,
}
