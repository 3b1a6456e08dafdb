//! The networks of a device, as its platform tells of them.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base::{NetworkId, Redacted};
use offhook_net::Bind;

use crate::error::PhoneError;
use crate::identity::Facts;

/// No phone has more addresses or name servers on one network.
const MOST: usize = 32;
/// Longer than any hash or operator's code.
const LONGEST_IDENTITY: usize = 255;
/// Longer than any prefix, written out.
const LONGEST_PREFIX: usize = 64;

/// A network that the device is on.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Network {
    /// The platform's name for it, given back in [`SocketBinder::bind`]; Android's `Network.getNetworkHandle()`.
    pub handle: i64,
    /// What it is.
    pub kind: NetworkKind,
    /// Our addresses on it.
    pub addresses: Vec<String>,
    /// Its name servers; none: the system's.
    pub name_servers: Vec<String>,
    /// Whether its user pays by the byte.
    pub metered: bool,
    /// Whether it is another operator's.
    pub roaming: bool,
    /// What it is known by when it comes again, where the platform knows such a thing. Empty: it is recognised by its
    /// operator, router, name servers and domain; and where those fit any network, nothing that is learnt of it is remembered.
    #[uniffi(default = "")]
    pub identity: String,
    /// The prefix by which IPv4 is reached from it, as `64:ff9b::/96`. Empty: not told, and asked for where it is needed.
    /// RFC 6052.
    #[uniffi(default = "")]
    pub nat64: String,
    /// Its routers.
    #[uniffi(default = [])]
    pub gateways: Vec<String>,
    /// The domain that it names for its names; empty: none.
    #[uniffi(default = "")]
    pub domain: String,
    /// The mobile operator's code (MCC and MNC); empty: it is no operator's.
    #[uniffi(default = "")]
    pub operator: String,
}

/// What a network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum NetworkKind {
    /// Wi-Fi.
    Wifi,
    /// A mobile operator's.
    Cellular,
    /// A wire.
    Ethernet,
    /// Whatever else: a VPN, say.
    Other,
}

/// Binds a socket to a network, so that what is sent does not leave by another. Called from the phone's threads.
#[uniffi::export(with_foreign)]
pub trait SocketBinder: Send + Sync {
    /// Binds it; false: it could not, and the socket goes by whichever network the system takes.
    fn bind(&self, socket: i32, network: i64) -> bool;
}

impl Network {
    pub(crate) fn told(&self) -> Result<phone::Network, PhoneError> {
        if self.addresses.len() > MOST
            || self.name_servers.len() > MOST
            || self.identity.len() > LONGEST_IDENTITY
            || self.nat64.len() > LONGEST_PREFIX
        {
            return Err(PhoneError::TooLong);
        }
        let read = |texts: &[String]| texts.iter().map(|text| address(text)).collect::<Result<Vec<_>, _>>();
        let (addrs, servers) = (read(&self.addresses)?, read(&self.name_servers)?);
        // Anybody on the network can announce a router.
        let gateways = read(&self.gateways[..self.gateways.len().min(MOST)])?;
        let facts = Facts {
            kind: self.kind,
            roaming: self.roaming,
            operator: &self.operator,
            domain: &self.domain,
            gateways: &gateways,
            name_servers: &servers,
            addresses: &addrs,
        };
        let named = (!self.identity.is_empty()).then(|| self.identity.clone());
        let identity = named.or_else(|| facts.identity()).map(Redacted::new);
        let kind = match self.kind {
            NetworkKind::Wifi => phone::NetworkKind::Wifi,
            NetworkKind::Cellular => phone::NetworkKind::Cellular,
            NetworkKind::Ethernet => phone::NetworkKind::Ethernet,
            NetworkKind::Other => phone::NetworkKind::Other,
        };
        Ok(phone::Network {
            metered: self.metered,
            roaming: self.roaming,
            identity,
            name_servers: servers.into_iter().map(|ip| SocketAddr::new(ip, 53)).collect(),
            nat64: if self.nat64.is_empty() { None } else { Some(prefix(&self.nat64)?) },
            ..phone::Network::new(NetworkId::new(self.handle), kind, addrs)
        })
    }
}

/// An address as the platforms write it, perhaps with a zone (`fe80::1%wlan0`).
fn address(text: &str) -> Result<IpAddr, PhoneError> {
    let bare = text.split('%').next().unwrap_or(text);
    bare.parse().map_err(|_| PhoneError::BadArgument { sentence: "that is no address of a network".into() })
}

/// A prefix and its length. Whether a translator can have such a one is the phone's to judge: networks tell nonsense.
fn prefix(text: &str) -> Result<(Ipv6Addr, u8), PhoneError> {
    let parts = text.split_once('/').and_then(|(address, length)| {
        Some((address.parse().ok()?, length.parse().ok().filter(|length| *length <= 128)?))
    });
    parts.ok_or_else(|| PhoneError::BadArgument { sentence: "that is no prefix of a network".into() })
}

/// Binds sockets to the networks that they are for.
pub(crate) struct Binder {
    platform: Arc<dyn SocketBinder>,
    /// The one that there is, where the platform tells of one at a time; 0: the system's choice.
    network: AtomicI64,
}

impl Binder {
    pub(crate) fn new(platform: Arc<dyn SocketBinder>) -> Self {
        Self { platform, network: AtomicI64::new(NetworkId::SYSTEM.id()) }
    }

    /// What names no network goes by that one. Signalling and media name theirs once a network was told.
    pub(crate) fn use_network(&self, handle: i64) {
        self.network.store(handle, Ordering::Relaxed);
    }

    /// What names no network goes where the system likes.
    pub(crate) fn use_none(&self) {
        self.use_network(NetworkId::SYSTEM.id());
    }
}

impl Bind for Binder {
    fn bind(&self, socket: BorrowedFd<'_>, network: NetworkId) {
        let network = match network.whole() {
            NetworkId::SYSTEM => self.network.load(Ordering::Relaxed),
            named => named.id(),
        };
        if network != NetworkId::SYSTEM.id() {
            // Where it fails the system's choice is as good as any; a registration will tell.
            let _ = self.platform.bind(socket.as_raw_fd(), network);
        }
    }
}

impl fmt::Debug for Binder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binder").field("network", &self.network).finish_non_exhaustive()
    }
}
