//! Which of our addresses a remote sees: a socket connected for a moment, and remembered.
//!
//! Connecting a UDP socket sends nothing; the system picks the route and the source address (RFC 6724).
//! Knows nothing of NAT: what the remote sees behind one is `rport`'s and STUN's to tell.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Remotes remembered; a server that has seen more begins anew.
const KEPT: usize = 1024;

#[derive(Debug, Default)]
pub(crate) struct Routes(BTreeMap<SocketAddr, IpAddr>);

impl Routes {
    /// Our address toward `remote`.
    pub(crate) fn local_toward(&mut self, mut remote: SocketAddr) -> io::Result<IpAddr> {
        remote.set_port(9); // any but 0; addresses are remembered without ports
        if let Some(local) = self.0.get(&remote) {
            return Ok(*local);
        }
        let local = probe(remote)?;
        if self.0.len() >= KEPT {
            self.0.clear();
        }
        self.0.insert(remote, local);
        Ok(local)
    }

    /// The network changed: forget all.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }
}

/// The address that we have toward `remote`, as the system would choose it now. Sends nothing.
///
/// # Errors
/// The system has no way there: there is no network of that family.
pub fn local_toward(remote: IpAddr) -> io::Result<IpAddr> {
    probe(SocketAddr::new(remote, 9))
}

/// Documentation prefixes (RFC 5737, RFC 3849): surely not on a local network, so the default route is asked for.
const FAR: (Ipv4Addr, Ipv6Addr) =
    (Ipv4Addr::new(198, 51, 100, 1), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

/// Our addresses toward everywhere, of IPv4 and of IPv6: those of the default routes.
pub fn addresses() -> Vec<IpAddr> {
    [FAR.0.into(), FAR.1.into()].into_iter().filter_map(|far| local_toward(far).ok()).collect()
}

/// `bound` with a concrete address in place of the unspecified one: that of the default route, else loopback.
pub fn concrete(bound: SocketAddr) -> SocketAddr {
    if !bound.ip().is_unspecified() {
        return bound;
    }
    let (far, loopback): (IpAddr, IpAddr) = match bound {
        SocketAddr::V4(_) => (FAR.0.into(), Ipv4Addr::LOCALHOST.into()),
        SocketAddr::V6(_) => (FAR.1.into(), Ipv6Addr::LOCALHOST.into()),
    };
    SocketAddr::new(local_toward(far).unwrap_or(loopback), bound.port())
}

fn probe(remote: SocketAddr) -> io::Result<IpAddr> {
    let any: IpAddr = match remote {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
    socket.connect(remote)?;
    Ok(socket.local_addr()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toward_loopback_we_are_loopback_and_an_unspecified_address_becomes_concrete() {
        let mut routes = Routes::default();
        let remote = "127.0.0.1:5060".parse().unwrap();
        assert_eq!(routes.local_toward(remote).unwrap(), Ipv4Addr::LOCALHOST);
        assert_eq!(routes.0.len(), 1);
        let told = concrete("0.0.0.0:5060".parse().unwrap());
        assert!(!told.ip().is_unspecified() && told.port() == 5060);
        let bound = "127.0.0.7:5060".parse().unwrap();
        assert_eq!(concrete(bound), bound);
    }
}
