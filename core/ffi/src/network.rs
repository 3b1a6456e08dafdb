//! The networks of a device, as its platform tells of them.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base::{NetworkId, Redacted};
use offhook_net::Bind;

use crate::error::PhoneError;

/// No phone has more addresses or name servers on one network.
const MOST: usize = 32;
/// Longer than any hash or operator's code.
const LONGEST_IDENTITY: usize = 255;

/// The handle of no network.
pub(crate) const NO_NETWORK: i64 = i64::MIN;

/// The network that is to be used from now on.
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
    /// What it is known by when it comes again: a hash of the Wi-Fi's name, the operator's code. Empty: nothing that is learnt
    /// of it is remembered.
    #[uniffi(default = "")]
    pub identity: String,
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
        {
            return Err(PhoneError::TooLong);
        }
        let addrs: Vec<IpAddr> = self.addresses.iter().map(|text| address(text)).collect::<Result<_, _>>()?;
        let servers: Vec<IpAddr> =
            self.name_servers.iter().map(|text| address(text)).collect::<Result<_, _>>()?;
        let kind = match self.kind {
            NetworkKind::Wifi => phone::NetworkKind::Wifi,
            NetworkKind::Cellular => phone::NetworkKind::Cellular,
            NetworkKind::Ethernet => phone::NetworkKind::Ethernet,
            NetworkKind::Other => phone::NetworkKind::Other,
        };
        Ok(phone::Network {
            metered: self.metered,
            roaming: self.roaming,
            identity: (!self.identity.is_empty()).then(|| Redacted::new(self.identity.clone())),
            name_servers: servers.into_iter().map(|ip| SocketAddr::new(ip, 53)).collect(),
            ..phone::Network::new(NetworkId(self.handle), kind, addrs)
        })
    }
}

/// An address as the platforms write it, perhaps with a zone (`fe80::1%wlan0`).
fn address(text: &str) -> Result<IpAddr, PhoneError> {
    let bare = text.split('%').next().unwrap_or(text);
    bare.parse().map_err(|_| PhoneError::BadArgument { sentence: "that is no address of a network".into() })
}

/// Binds sockets to the network of the day.
pub(crate) struct Binder {
    platform: Arc<dyn SocketBinder>,
    network: AtomicI64,
}

impl Binder {
    pub(crate) fn new(platform: Arc<dyn SocketBinder>) -> Self {
        Self { platform, network: AtomicI64::new(0) }
    }

    /// Media, which names no network, goes by that one.
    pub(crate) fn use_network(&self, handle: i64) {
        self.network.store(handle, Ordering::Relaxed);
    }
}

impl Bind for Binder {
    fn bind(&self, socket: BorrowedFd<'_>, network: NetworkId) {
        let NetworkId(network) = match network {
            NetworkId::SYSTEM => NetworkId(self.network.load(Ordering::Relaxed)),
            named => named,
        };
        if network != NetworkId::SYSTEM.0 {
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
