//! Names for the ways that bytes travel.
//!
//! Knows no socket: `net` opens flows and tells their names.

use std::fmt;

/// A way for signalling bytes: a bound UDP socket, or one stream connection. Given out by whoever owns the sockets;
/// never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(pub u32);

/// A network that this machine is on: a Wi-Fi, a mobile operator's, a wire. Named by whoever owns the sockets.
///
/// A lane is a part of it with sockets of its own: what is ordered by a lane shares no flow with anything else on that network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkId {
    id: i64,
    lane: Option<u32>,
}

impl NetworkId {
    /// Whichever network the system's routes choose; the only one of a machine that tells of none.
    pub const SYSTEM: Self = Self::new(0);

    /// None: what would go by it goes nowhere.
    pub const NOWHERE: Self = Self::new(i64::MIN);

    /// The network that its owner calls so.
    pub const fn new(id: i64) -> Self {
        Self { id, lane: None }
    }

    /// What its owner calls it.
    pub const fn id(self) -> i64 {
        self.id
    }

    /// A lane of this network: datagrams only, by sockets of its own.
    pub const fn apart(self, lane: u32) -> Self {
        Self { id: self.id, lane: Some(lane) }
    }

    /// Which lane, where it is one.
    pub const fn lane(self) -> Option<u32> {
        self.lane
    }

    /// The network that a lane is a part of; else itself.
    pub const fn whole(self) -> Self {
        Self::new(self.id)
    }
}

/// A question to the name servers, answered by the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(pub u32);

/// Why a server's certificate was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Untrusted {
    /// Nobody whom we trust has signed it, or what it says of itself does not fit.
    Issuer,
    /// It is another server's. RFC 5922 section 7.
    Name,
    /// Its time is over, or has not come.
    Date,
    /// It is another than the one that the account knows: somebody stands between, or the server has a new one.
    Changed,
}

/// What carries SIP. RFC 3261 section 18, RFC 7118 for WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
    /// A stream under TLS.
    Tls,
    /// WebSocket.
    Ws,
    /// WebSocket under TLS.
    Wss,
}

impl Transport {
    /// Whether the carrier itself repeats what was lost, so that SIP need not. RFC 3261 section 17.
    pub const fn is_reliable(self) -> bool {
        match self {
            Self::Udp => false,
            Self::Tcp | Self::Tls | Self::Ws | Self::Wss => true,
        }
    }

    /// Whether bytes come in any pieces, and messages must be found among them. RFC 7118 section 5: WebSocket keeps them apart.
    pub const fn is_stream(self) -> bool {
        match self {
            Self::Udp | Self::Ws | Self::Wss => false,
            Self::Tcp | Self::Tls => true,
        }
    }

    /// Whether a connection is made to a server of a certain name, and not just to an address.
    pub const fn is_named(self) -> bool {
        match self {
            Self::Udp | Self::Tcp => false,
            Self::Tls | Self::Ws | Self::Wss => true,
        }
    }

    /// Whether an eavesdropper is kept out.
    pub const fn is_secure(self) -> bool {
        match self {
            Self::Tls | Self::Wss => true,
            Self::Udp | Self::Tcp | Self::Ws => false,
        }
    }

    /// The word in a Via header field. RFC 3261 section 25.1, RFC 7118 section 5.2.
    pub const fn via_word(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }

    /// The word in a `transport=` URI parameter. RFC 7118 section 5.2: `ws` is both, and a `sips` URI or who has come by it
    /// says which.
    pub const fn uri_param(self) -> &'static str {
        match self {
            Self::Wss => "ws",
            Self::Udp | Self::Tcp | Self::Tls | Self::Ws => self.uri_word(),
        }
    }

    /// Whether it is a WebSocket.
    pub const fn is_web(self) -> bool {
        match self {
            Self::Ws | Self::Wss => true,
            Self::Udp | Self::Tcp | Self::Tls => false,
        }
    }

    /// Whether this is what a `transport=` URI parameter means that reads as `named`.
    pub fn is_meant_by(self, named: Self) -> bool {
        named == self || named.uri_param() == self.uri_param()
    }

    /// The word for a person, in lower case; also read in a URI.
    pub const fn uri_word(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    /// Reads either word, in any case.
    pub fn from_word(word: &[u8]) -> Option<Self> {
        [Self::Udp, Self::Tcp, Self::Tls, Self::Ws, Self::Wss]
            .into_iter()
            .find(|t| word.eq_ignore_ascii_case(t.uri_word().as_bytes()))
    }

    /// The port when none is named. RFC 3261 section 19.1.2, RFC 7118 section 5.1.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.uri_word())
    }
}
