//! The networks of a device, as its platform tells of them, and which of them an account may use.
//!
//! Knows no sockets: whoever owns them has one for each network, and hears by which one to open a flow.

mod known;
mod phone;
mod table;

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use base::{NetworkId, Redacted};

pub(crate) use known::Known;
pub use known::{Learnt, NetworkKey};
pub(crate) use table::{Choice, Networks};

/// One network that the device is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its name for as long as it is there.
    pub id: NetworkId,
    /// What it is.
    pub kind: NetworkKind,
    /// Our addresses on it; empty: not told.
    pub addrs: Vec<IpAddr>,
    /// Whether its user pays by the byte.
    pub metered: bool,
    /// Whether it is another operator's than the user's own.
    pub roaming: bool,
    /// What it is known by when it comes again: a hash of the Wi-Fi's name and access point, the operator's code. What is
    /// learnt of it is remembered under its hash ([`NetworkKey`]); without one it is forgotten when the network goes.
    pub identity: Option<Redacted<String>>,
    /// Whom to ask for names there; empty: whom the system asks.
    pub name_servers: Vec<SocketAddr>,
    /// The prefix by which IPv4 is reached from it, and its length. RFC 6052, RFC 7050.
    pub nat64: Option<(Ipv6Addr, u8)>,
}

impl Network {
    /// A network of which no more is known.
    pub fn new(id: NetworkId, kind: NetworkKind, addrs: Vec<IpAddr>) -> Self {
        Self {
            id,
            kind,
            addrs,
            metered: false,
            roaming: false,
            identity: None,
            name_servers: Vec::new(),
            nat64: None,
        }
    }
}

/// What a network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkKind {
    /// Wi-Fi.
    Wifi,
    /// A mobile operator's.
    Cellular,
    /// A wire.
    Ethernet,
    /// Whatever else: a VPN, say, or one of which nothing is known.
    Other,
}

/// How the networks changed. A platform that knows of one at a time tells [`Up`](Self::Up) and [`Down`](Self::Down), others
/// the rest; not both.
#[derive(Clone, Debug)]
pub enum NetworkNews {
    /// There is one more.
    Appeared(Network),
    /// One has other addresses or properties than were told.
    Changed(Network),
    /// One is gone, and all sockets on it.
    Vanished(NetworkId),
    /// One looks dead, though nobody says that it is gone: a call's media stopped coming, say.
    Suspect(NetworkId),
    /// There is one now, or another one than before, and no other: [`NetworkId::SYSTEM`].
    Up {
        /// Our addresses on it.
        addrs: Vec<IpAddr>,
    },
    /// There is none.
    Down,
}

/// Which networks an account may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NetworkPolicy {
    /// No mobile operator's: the account waits with [`crate::Why::WifiOnly`].
    WifiOnly,
    /// All, but a foreign operator's only once its user has said so ([`crate::Command::AllowRoaming`]): until then the
    /// account waits with [`crate::Why::RoamingNotAllowed`].
    AskRoaming,
    /// All.
    #[default]
    Any,
}
