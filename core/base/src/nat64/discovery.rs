//! Which IPv4 a network without IPv4 still reaches: its translator's prefix, and the addresses of a CLAT.
//!
//! RFC 7050 section 3 (the prefix shows in the AAAA records of a name that has none), RFC 6052 section 2.2 (where in an
//! address), RFC 8781 section 4 (a router tells it), RFC 7335 (what a CLAT gives its own device). Says what to ask and reads
//! the answer; knows no name server, and nothing of when to ask again.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Prefix64;

/// The name that has IPv4 addresses alone. RFC 7050 section 8.2.
pub const NAME: &str = "ipv4only.arpa";

/// Its addresses. RFC 7050 section 2.2.
const ADDRESSES: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 0, 170), Ipv4Addr::new(192, 0, 0, 171)];

/// Prefixes kept of one answer; a network with more of them has made it up.
const MOST: usize = 4;

/// The prefixes in the AAAA records of [`NAME`], in the order received.
///
/// A record is believed if one of the name's addresses stands in it at one of the six places and nowhere else. Somebody who
/// answers every name with a page of his own (a captive portal) is not taken for a translator.
pub fn prefixes(records: impl IntoIterator<Item = Ipv6Addr>) -> Vec<Prefix64> {
    let mut found = Vec::new();
    for prefix in records.into_iter().take(16).filter_map(prefix_in) {
        if found.len() < MOST && !found.contains(&prefix) {
            found.push(prefix);
        }
    }
    found
}

fn prefix_in(record: Ipv6Addr) -> Option<Prefix64> {
    ADDRESSES.into_iter().find_map(|wanted| {
        let read = |length| {
            let prefix = Prefix64::new(record, length)?;
            prefix.stands_for(wanted, record).then_some(prefix)
        };
        let mut places = Prefix64::LENGTHS.into_iter().filter_map(read);
        let prefix = places.next()?;
        // Twice in one address: which is the translator's doing cannot be told by this one. RFC 7050 section 3.
        let once = places.next().is_none() && occurrences(record, wanted) <= 1;
        once.then_some(prefix)
    })
}

/// How often the four octets stand in an address, wherever an octet begins.
fn occurrences(record: Ipv6Addr, wanted: Ipv4Addr) -> usize {
    record.octets().windows(4).filter(|window| *window == wanted.octets()).count()
}

/// Whether an address is a CLAT's: IPv4 that this device makes of IPv6 by itself. RFC 7335: 192.0.0.0/29. It means nothing to
/// anybody else, and nothing comes by it that would not by IPv6.
pub fn is_clat(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(ip) if ip.octets()[..3] == [192, 0, 0] && ip.octets()[3] < 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v6(text: &str) -> Ipv6Addr {
        text.parse().unwrap()
    }

    #[test]
    fn each_of_the_six_lengths_is_found() {
        for (record, prefix) in [
            ("2001:db8:c000:aa::", "2001:db8::/32"),
            ("2001:db8:1c0:0:aa::", "2001:db8:100::/40"),
            ("2001:db8:122:c000:0:ab00::", "2001:db8:122::/48"),
            ("2001:db8:122:3c0:0:aa::", "2001:db8:122:300::/56"),
            ("2001:db8:122:344:c0:0:ab00::", "2001:db8:122:344::/64"),
            ("2001:db8:122:344::c000:aa", "2001:db8:122:344::/96"),
        ] {
            let found: Vec<String> = prefixes([v6(record)]).iter().map(ToString::to_string).collect();
            assert_eq!(found, [prefix]);
        }
        assert_eq!(prefixes([v6("64:ff9b::c000:aa"), v6("64:ff9b::c000:ab")]), [Prefix64::WELL_KNOWN]);
    }

    #[test]
    fn several_prefixes_stay_in_their_order() {
        let found =
            prefixes([v6("2001:db8:43::c000:aa"), v6("2001:db8:42::c000:ab"), v6("64:ff9b::c000:aa")]);
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["2001:db8:43::/96", "2001:db8:42::/96", "64:ff9b::/96"]);
    }

    #[test]
    fn a_page_that_answers_every_name_is_no_translator() {
        assert_eq!(
            prefixes([v6("2001:db8::1"), v6("fe80::c000:aa"), v6("::ffff:192.0.0.170"), v6("::1")]),
            []
        );
        // Where no translator would put it.
        assert_eq!(prefixes([v6("2001:db8:0:c0:0:aa00::")]), []);
    }

    #[test]
    fn an_address_that_holds_it_twice_tells_nothing_of_itself() {
        let twice = v6("2001:db8:c000:aa:0:0:c000:aa");
        assert_eq!(prefixes([twice]), []);
        let own = Prefix64::new(v6("2001:db8:c000:aa::"), 96).unwrap();
        assert_eq!(prefixes([twice, v6("2001:db8:c000:aa:0:0:c000:ab")]), [own], "the other one does");
    }

    #[test]
    fn a_clats_addresses_are_eight() {
        let is = |text: &str| is_clat(text.parse().unwrap());
        assert!(is("192.0.0.0") && is("192.0.0.4") && is("192.0.0.7"));
        assert!(!is("192.0.0.8") && !is("192.0.1.4") && !is("10.0.0.1") && !is("64:ff9b::c000:4"));
    }
}
