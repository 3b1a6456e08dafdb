//! Which addresses may be sent to at all, whoever names them.
//!
//! Knows nothing of who named one.

use std::net::{IpAddr, SocketAddr};

/// Whether an address is one host's: neither nobody's, nor everybody's, nor a group's.
pub fn is_unicast(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(v4) => {
            // 240.0.0.0/4 is nobody's (RFC 1112 section 4), its last one everybody's.
            !v4.is_multicast() && v4.octets()[0] != 0 && v4.octets()[0] < 240
        }
        IpAddr::V6(v6) => !v6.is_unspecified() && !v6.is_multicast(),
    }
}

/// Whether something may be sent from `local` to an address that a stranger named: one host's, with a port, of our family,
/// and on loopback or link-local only when we are there too.
pub fn may_reach(local: IpAddr, remote: SocketAddr) -> bool {
    let (local, ip) = (local.to_canonical(), remote.ip().to_canonical());
    is_unicast(ip)
        && remote.port() != 0
        && ip.is_ipv4() == local.is_ipv4()
        && (!ip.is_loopback() || local.is_loopback())
        && (!is_link_local(ip) || is_link_local(local))
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_addresses_are_not_sent_to() {
        let home: IpAddr = "192.168.1.2".parse().unwrap();
        for hostile in [
            "0.0.0.0:1",
            "0.1.2.3:1",
            "255.255.255.255:1",
            "240.0.0.1:1",
            "224.0.0.1:1",
            "127.0.0.1:1",
            "169.254.1.1:1",
            "192.0.2.1:0",
            "[::]:1",
            "[ff02::1]:1",
            "[::1]:1",
            "[2001:db8::1]:1",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert!(!may_reach(home, hostile.parse().unwrap()), "{hostile}");
        }
        assert!(may_reach(home, "192.0.2.1:9".parse().unwrap()));
        assert!(may_reach("127.0.0.1".parse().unwrap(), "127.0.0.2:9".parse().unwrap()));
        assert!(may_reach("fe80::1".parse().unwrap(), "[fe80::2]:9".parse().unwrap()));
    }
}
