//! What a network is known by when it comes again, where its platform may not say its name.
//!
//! The name of a Wi-Fi is a place, and platforms hide it from who may not know the place. What is left: a mobile network's
//! operator; of others, what the network itself told the device and tells it each time: its router, name servers and
//! domain, and the prefix of its own that a router makes up once (RFC 4193). Addresses that a provider hands out anew are
//! none of it. Two homes with the same unconfigured router and no IPv6 look alike: what was learnt in one is then the first
//! guess in the other, and is found wrong there as it is anywhere.
//!
//! A hash, so that no file tells where somebody was. Knows nothing of what is learnt.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv6Addr};

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use crate::NetworkKind;

/// As much of the hash as tells the networks of a life apart.
const BYTES: usize = 16;

/// What the platform tells of a network.
pub(crate) struct Facts<'a> {
    pub(crate) kind: NetworkKind,
    pub(crate) roaming: bool,
    pub(crate) operator: &'a str,
    pub(crate) domain: &'a str,
    pub(crate) gateways: &'a [IpAddr],
    pub(crate) name_servers: &'a [IpAddr],
    pub(crate) addresses: &'a [IpAddr],
}

impl Facts<'_> {
    /// `None`: they fit any network.
    pub(crate) fn identity(&self) -> Option<String> {
        let mut text = format!("{:?}\n", self.kind);
        if self.kind == NetworkKind::Cellular {
            if self.operator.is_empty() {
                return None;
            }
            // Abroad another one's routers are on the way.
            let _ = write!(text, "operator {} {}", self.operator, self.roaming);
        } else {
            let mut marks = self.marks();
            if marks.is_empty() {
                return None;
            }
            marks.sort();
            marks.dedup();
            let _ = write!(text, "domain {}\n{}", self.domain.to_ascii_lowercase(), marks.join("\n"));
        }
        let hash = Sha256::digest(text.as_bytes());
        Some(HEXLOWER.encode(&hash[..BYTES]))
    }

    fn marks(&self) -> Vec<String> {
        let lasting = |ip: &&IpAddr| match ip {
            IpAddr::V4(ip) => !ip.is_unspecified(),
            IpAddr::V6(ip) => ip.is_unicast_link_local() || ip.is_unique_local(),
        };
        let gateways = self.gateways.iter().filter(lasting).map(|ip| format!("gateway {ip}"));
        let servers = self.name_servers.iter().filter(lasting).map(|ip| format!("name server {ip}"));
        let prefixes = self.addresses.iter().filter_map(|ip| match ip {
            IpAddr::V6(ip) if ip.is_unique_local() => Some(format!("prefix {}", prefix(*ip))),
            IpAddr::V6(_) | IpAddr::V4(_) => None,
        });
        gateways.chain(servers).chain(prefixes).collect()
    }
}

/// The half of an address that is the network's.
fn prefix(ip: Ipv6Addr) -> Ipv6Addr {
    Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(text: &str) -> Vec<IpAddr> {
        text.split_whitespace().map(|ip| ip.parse().unwrap()).collect()
    }

    fn wifi(gateways: &str, servers: &str, addresses: &str) -> Option<String> {
        let (gateways, name_servers, addresses) = (ips(gateways), ips(servers), ips(addresses));
        Facts {
            kind: NetworkKind::Wifi,
            roaming: false,
            operator: "",
            domain: "Home",
            gateways: &gateways,
            name_servers: &name_servers,
            addresses: &addresses,
        }
        .identity()
    }

    fn mobile(operator: &str, roaming: bool) -> Option<String> {
        let kind = NetworkKind::Cellular;
        let none = [];
        Facts { kind, roaming, operator, domain: "", gateways: &none, name_servers: &none, addresses: &none }
            .identity()
    }

    #[test]
    fn a_network_that_comes_again_with_other_addresses_is_the_same() {
        let first =
            wifi("192.168.1.1 fe80::1", "192.168.1.1 2001:db8:1::1", "192.168.1.7 2001:db8:1::7 fd12::7");
        let again =
            wifi("fe80::1 192.168.1.1", "192.168.1.1 2001:db8:2::1", "192.168.1.8 2001:db8:2::9 fd12::9");
        assert!(first.is_some());
        assert_eq!(first, again);
        assert_eq!(first.map(|hash| hash.len()), Some(2 * BYTES));
    }

    #[test]
    fn another_router_name_server_or_prefix_is_another_network() {
        let home = ("192.168.1.1", "192.168.1.1", "192.168.1.7 fd12::7");
        let of = |(gateways, servers, addresses)| wifi(gateways, servers, addresses).unwrap();
        for other in [
            ("192.168.1.254", home.1, home.2),
            ("192.168.1.1 fe80::2", home.1, home.2),
            (home.0, "9.9.9.9", home.2),
            (home.0, home.1, "192.168.1.7 fd13::7"),
        ] {
            assert_ne!(of(home), of(other), "{other:?}");
        }
    }

    #[test]
    fn a_mobile_network_is_its_operators_and_abroad_it_is_another() {
        assert_eq!(mobile("26201", false), mobile("26201", false));
        assert_ne!(mobile("26201", false), mobile("26202", false));
        assert_ne!(mobile("26201", false), mobile("26201", true));
    }

    #[test]
    fn what_fits_any_network_identifies_none() {
        assert_eq!(wifi("", "2001:db8::1", "192.0.2.7 2001:db8::7"), None);
        assert_eq!(wifi("0.0.0.0", "", ""), None);
        assert_eq!(mobile("", false), None);
    }
}
