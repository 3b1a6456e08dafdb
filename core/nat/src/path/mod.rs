//! The way of one media stream: from its sockets to the pair of addresses that its packets go by.
//!
//! ```text
//!            a socket          all have answered,                their description
//!   Waiting ----------> Gathering ------------------> Ready ------------------------> Checking
//!                                  or 250 ms are over   |                             |  ^  |
//!                                                       | they know no ICE            |  |  | no pair carries
//!                                                       v                             v  |  v
//!                                                     Plain <--------------------- Carrying  (Plain)
//!                                                                                  restart
//! ```
//!
//! RFC 8445 and RFC 8839 from the side of one stream: gathers addresses (our own, those that STUN servers see, a relay's),
//! makes the description's part of it, checks what the other side describes by [`crate::ice`], and says by which socket, to
//! which address and under which channel the media goes ([`Route`]). Where the other side knows no ICE, or nothing carries, the
//! route is plain: to the address in the description, then to where packets come from, as media itself decides.
//!
//! Where the other side does not carry RTCP on RTP's port, that is a second component, with sockets, checks and a route of its own
//! (see `components`). The diagram is each one's.
//!
//! Which address is chosen, and why: the straightest that carries. One of the own network before one that a router maps, a
//! stream only where datagrams do not pass, and a relay only where nothing else does.
//!
//! Knows no socket (legs are names that their owner understands), no SDP and no codec.

mod components;
mod description;
mod gather;
mod machine;
mod punching;
mod relays;
#[cfg(test)]
mod tests;
mod words;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

pub use components::Path;
pub use description::Description;
pub use words::{Reached, Report};

use crate::framing::Framing;
use crate::turn::Account;

/// One socket or connection of a stream's, as its owner knows it. RTP's UDP socket is even and RTCP's the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leg(pub u32);

impl Leg {
    /// RTP's first socket.
    pub const FIRST: Self = Self(0);

    /// The next stream that we open. Those that are taken have names of their owner's choice, from [`Self::TAKEN`] on.
    pub(crate) const fn stream(last: &mut u32) -> Self {
        *last += 1;
        Self(Self::OPENED + *last)
    }

    const OPENED: u32 = 1 << 8;
    /// From here on the names of streams are RTCP's.
    const CONTROL: u32 = 1 << 15;
    /// Where the names of streams begin that were taken, not opened.
    pub const TAKEN: u32 = 1 << 16;

    /// RTCP's socket beside this one of RTP.
    #[must_use]
    pub const fn control(self) -> Self {
        Self(self.0 + 1)
    }

    /// Whether what comes by it is for RTCP's own port.
    pub const fn is_control(self) -> bool {
        match self.0 {
            0..Self::OPENED => self.0 % 2 == 1,
            leg => leg > Self::OPENED + Self::CONTROL && leg < Self::TAKEN,
        }
    }
}

/// Longest that addresses are waited for before the description is made.
pub const GATHER_FOR: Duration = Duration::from_millis(250);

/// Datagrams that were not answered by then may be blocked: streams are prepared as well.
const SUSPECT_AFTER: Duration = Duration::from_millis(90);

/// The components of a stream. RFC 8445 section 5.1.1.1.
const RTP: u16 = 1;
const RTCP: u16 = 2;

/// RTCP's socket beside RTP's.
const fn control_of(local: SocketAddr) -> SocketAddr {
    SocketAddr::new(local.ip(), local.port().wrapping_add(1))
}

/// What a path works with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Ways are described and checked. Without, a server's word is all: media is told to come to the outside address, and two
    /// who send to each other's open both their routers.
    pub ice: bool,
    /// STUN servers, already resolved; two are asked at most.
    pub stun: Vec<SocketAddr>,
    /// Relays, already resolved, each with one way to it; those by datagrams are tried first.
    pub turn: Vec<Turn>,
    /// Datagrams may be tried. Without them all is left to streams.
    pub udp: bool,
    /// When streams to the other side are tried.
    pub tcp: Tcp,
    /// By what a relay was reached from here the last time: no way up to it waits for another to fail.
    pub rung: Rung,
}

/// When streams to the other side are tried, through both sides' routers at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tcp {
    /// Never.
    Never,
    /// When no server answers datagrams at once.
    #[default]
    IfBlocked,
    /// Always.
    Always,
}

/// A relay and one way to it.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Where it is.
    pub server: SocketAddr,
    /// By what it is reached.
    pub way: Way,
    /// Who we are there; `None` where nobody is asked.
    pub account: Option<Account>,
    /// Another relay named it; that is followed once.
    pub(crate) redirected: bool,
    /// The socket that it is asked from.
    pub(crate) from: Option<(Leg, SocketAddr)>,
}

impl Turn {
    /// A relay, one way to it, and who we are there.
    pub const fn new(server: SocketAddr, way: Way, account: Option<Account>) -> Self {
        Self { server, way, account, redirected: false, from: None }
    }
}

/// By what a relay is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
    /// A stream under TLS, to a server of this name.
    Tls(String),
}

impl Way {
    /// How far up the ladder it is.
    pub const fn rung(&self) -> Rung {
        match self {
            Self::Udp => Rung::Datagrams,
            Self::Tcp => Rung::Stream,
            Self::Tls(_) => Rung::Tls,
        }
    }
}

/// How far up its ladder a relay is reached: what a network lets pass, and worth remembering of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// By datagrams.
    #[default]
    Datagrams,
    /// By a stream.
    Stream,
    /// By a stream under TLS.
    Tls,
}

impl Default for Settings {
    fn default() -> Self {
        let (stun, turn) = (Vec::new(), Vec::new());
        Self { ice: true, stun, turn, udp: true, tcp: Tcp::default(), rung: Rung::default() }
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Send a message: a datagram, or on a stream in its frame.
    Send {
        /// By which socket or connection.
        leg: Leg,
        /// To whom; a stream's other end.
        to: SocketAddr,
        /// All of it.
        bytes: Bytes,
    },
    /// Connect a stream, which is then called by this name.
    Connect {
        /// Its name.
        leg: Leg,
        /// From this very address, shared with other streams; `None`: any.
        from: Option<SocketAddr>,
        /// Whom to.
        to: SocketAddr,
        /// How messages lie on it.
        framing: Framing,
        /// Under TLS, to a server of this name.
        name: Option<String>,
    },
    /// Packets that come from a relay under this channel are a peer's.
    Channel {
        /// By which socket or stream they come.
        leg: Leg,
        /// From which relay.
        server: SocketAddr,
        /// The channel.
        number: u16,
        /// Whose they are.
        peer: SocketAddr,
    },
    /// Take streams at this address, shared with those that connect from it. Each gets a name of its owner's choice.
    Listen {
        /// Where.
        at: SocketAddr,
    },
    /// Close a connection, or a pair of sockets.
    Close {
        /// Which.
        leg: Leg,
    },
    /// Media goes so from now on.
    Route(Route),
    /// RTCP that has a port of its own goes so from now on.
    ControlRoute(Route),
}

/// How media goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Route {
    /// To the address in the description, then to where packets come from.
    #[default]
    Plain,
    /// Checked: to nobody but `target`, and from nobody but `admitted`.
    Checked {
        /// Whereto; `None` until a pair carries.
        target: Option<Target>,
        /// Those who have shown that they know our secret.
        admitted: Vec<SocketAddr>,
    },
}

/// Where media is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// By which socket or connection.
    pub leg: Leg,
    /// Whom to: the other side, also behind a relay of ours.
    pub to: SocketAddr,
    /// Through a relay of ours: the relay's own address, and the channel that stands for the other side.
    pub relay: Option<(SocketAddr, u16)>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The description can be made.
    Gathered,
    /// Addresses came after that: tell them if the other side takes them.
    More,
    /// A relay was reached so: worth remembering of this network.
    Relay(Rung),
    /// Media reaches them so.
    Reached(Reached),
    /// Nothing that was described carries. Media goes plain.
    Unreachable,
    /// The way in use is dead: it did not answer, or may be used no more.
    Lost,
}
