//! IPv4 addresses inside IPv6 ones, as a translator (NAT64) reads them.
//!
//! RFC 6052 section 2; `discovery` reads a network's prefix from a name server's answer. Here, because whoever locates a server
//! needs it as much as whoever reads a description.

mod discovery;

pub use discovery::{NAME, is_clat, prefixes};

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A prefix under which a translator reaches IPv4.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix64 {
    /// Nothing set beyond the prefix.
    bits: [u8; 16],
    /// In octets: 4 to 8, or 12.
    length: u8,
}

/// Bits 64 to 71 are nobody's: RFC 6052 section 2.2 keeps them zero.
const HOLE: usize = 8;

impl Prefix64 {
    /// The lengths that there are, in bits, the shortest first. RFC 6052 section 2.2.
    pub const LENGTHS: [u8; 6] = [32, 40, 48, 56, 64, 96];

    /// 64:ff9b::/96, for global IPv4 addresses only. RFC 6052 section 3.1.
    pub const WELL_KNOWN: Self =
        Self { bits: [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], length: 12 };

    /// The prefix of `length` bits that `address` begins with. `None`: none such may be a translator's: a length that there
    /// is not, bits 64 to 71 set, or no addresses that a packet crosses networks with.
    pub fn new(address: Ipv6Addr, length: u8) -> Option<Self> {
        let bits = address.octets();
        let octets = usize::from(length / 8);
        let first = u16::from_be_bytes([bits[0], bits[1]]);
        // 0000::/16 holds ::, ::1 and IPv4's own disguises; of 64:: the well-known prefix alone.
        let cannot_be = first == 0 || first & 0xffc0 == 0xfe80 || bits[0] == 0xff;
        let sound = Self::LENGTHS.contains(&length) && !cannot_be && (octets <= HOLE || bits[HOLE] == 0);
        sound.then(|| {
            let mut kept = [0; 16];
            kept[..octets].copy_from_slice(&bits[..octets]);
            Self { bits: kept, length: octets as u8 }
        })
    }

    /// Where the four octets stand. RFC 6052 section 2.2, figure 1.
    fn places(self) -> [usize; 4] {
        let first = usize::from(self.length);
        [0, 1, 2, 3].map(|n| if first <= HOLE && first + n >= HOLE { first + n + 1 } else { first + n })
    }

    /// The IPv6 address that stands for that one here. `None`: it must not be sent to a translator, for it means something
    /// on the spot only, or is nobody's; or it is no global one, and the prefix is the well-known one (RFC 6052 section 3.1).
    pub fn embed(self, ip: Ipv4Addr) -> Option<Ipv6Addr> {
        if is_local(ip) || self == Self::WELL_KNOWN && !is_global(ip) {
            return None;
        }
        Some(self.with(ip))
    }

    fn with(self, ip: Ipv4Addr) -> Ipv6Addr {
        let mut bits = self.bits;
        for (place, octet) in self.places().into_iter().zip(ip.octets()) {
            bits[place] = octet;
        }
        Ipv6Addr::from(bits)
    }

    /// Whether that is what a translator's name server writes for this IPv4 address, whatever may be sent there.
    pub fn stands_for(self, ip: Ipv4Addr, address: Ipv6Addr) -> bool {
        self.with(ip) == address
    }

    /// The IPv4 address in an IPv6 one. `None`: it is not under this prefix.
    pub fn extract(self, ip: Ipv6Addr) -> Option<Ipv4Addr> {
        let bits = ip.octets();
        let length = usize::from(self.length);
        let is_ours = bits[..length] == self.bits[..length] && bits[HOLE] == 0;
        is_ours.then(|| Ipv4Addr::from(self.places().map(|place| bits[place])))
    }

    /// What to send to in order to reach that address by IPv6: an IPv6 one is reached as it is.
    pub fn toward(self, ip: IpAddr) -> Option<IpAddr> {
        match ip {
            IpAddr::V4(ip) => self.embed(ip).map(IpAddr::V6),
            IpAddr::V6(_) => Some(ip),
        }
    }

    /// The same with a port.
    pub fn endpoint(self, address: SocketAddr) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.toward(address.ip())?, address.port()))
    }
}

impl fmt::Display for Prefix64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv6Addr::from(self.bits), u32::from(self.length) * 8)
    }
}

impl fmt::Debug for Prefix64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prefix64({self})")
    }
}

/// Whether an IPv4 address means something only where it is said: no translator is to be asked for it.
fn is_local(ip: Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    let nobodys = a == 0 || a == 127 || a >= 224;
    // 192.0.0.0/24 holds the CLAT's own addresses (RFC 7335) and ipv4only.arpa's.
    nobodys || (a, b) == (169, 254) || ip.octets()[..3] == [192, 0, 0]
}

/// Whether an IPv4 address is everybody's. RFC 6890 section 2.2.2.
fn is_global(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let shared = a == 100 && b & 0xc0 == 64;
    let benchmark = a == 198 && b & 0xfe == 18;
    let example = matches!((a, b, c), (192, 0, 2) | (198, 51, 100) | (203, 0, 113));
    !(is_local(ip) || ip.is_private() || shared || benchmark || example)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v6(text: &str) -> Ipv6Addr {
        text.parse().unwrap()
    }

    /// RFC 6052 section 2.4, tables 1 and 2.
    const TABLE: [(&str, u8, &str); 6] = [
        ("2001:db8::", 32, "2001:db8:c000:221::"),
        ("2001:db8:100::", 40, "2001:db8:1c0:2:21::"),
        ("2001:db8:122::", 48, "2001:db8:122:c000:2:2100::"),
        ("2001:db8:122:300::", 56, "2001:db8:122:3c0:0:221::"),
        ("2001:db8:122:344::", 64, "2001:db8:122:344:c0:2:2100::"),
        ("2001:db8:122:344::", 96, "2001:db8:122:344::192.0.2.33"),
    ];

    #[test]
    fn the_table_of_the_rfc_is_written_and_read_exactly() {
        let ip = Ipv4Addr::new(192, 0, 2, 33);
        for (prefix, length, embedded) in TABLE {
            let prefix = Prefix64::new(v6(prefix), length).unwrap();
            assert_eq!(prefix.embed(ip), Some(v6(embedded)), "{prefix}");
            assert_eq!(prefix.extract(v6(embedded)), Some(ip), "{prefix}");
        }
        let global = Ipv4Addr::new(198, 41, 0, 4);
        assert_eq!(Prefix64::WELL_KNOWN.embed(global), Some(v6("64:ff9b::198.41.0.4")));
        assert_eq!(Prefix64::WELL_KNOWN.extract(v6("64:ff9b::192.0.2.33")), Some(ip));
    }

    #[test]
    fn the_well_known_prefix_is_for_global_addresses_alone() {
        let own = Prefix64::new(v6("2001:db8:64::"), 96).unwrap();
        for private in ["10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "198.18.0.1", "203.0.113.1"] {
            let ip = private.parse().unwrap();
            assert_eq!(Prefix64::WELL_KNOWN.embed(ip), None, "{private}");
            assert!(own.embed(ip).is_some(), "{private}");
        }
        for local in ["0.0.0.0", "127.0.0.1", "169.254.1.1", "224.0.0.1", "255.255.255.255", "192.0.0.4"] {
            assert_eq!(own.embed(local.parse().unwrap()), None, "{local}");
        }
    }

    #[test]
    fn what_cannot_be_a_translators_prefix_is_none() {
        for (prefix, length) in [
            ("2001:db8::", 33),
            ("2001:db8::", 0),
            ("2001:db8::", 128),
            ("2001:db8:1:2:100::", 96),
            ("::ffff:0:0", 96),
            ("fe80::", 64),
            ("ff02::", 96),
            ("::", 96),
        ] {
            assert_eq!(Prefix64::new(v6(prefix), length), None, "{prefix}/{length}");
        }
        assert_eq!(Prefix64::new(v6("64:ff9b::1.2.3.4"), 96), Some(Prefix64::WELL_KNOWN));
        assert_eq!(Prefix64::WELL_KNOWN.to_string(), "64:ff9b::/96");
    }

    #[test]
    fn an_address_under_another_prefix_holds_nothing() {
        let own = Prefix64::new(v6("2001:db8:122:344::"), 64).unwrap();
        assert_eq!(own.extract(v6("2001:db8:122:345:c0:2:2100::")), None);
        assert_eq!(own.extract(v6("2001:db8:122:344:1c0:2:2100::")), None, "bits 64 to 71");
    }
}
