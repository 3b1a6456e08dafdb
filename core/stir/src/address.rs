//! Where a certificate is said to be, and whether anybody is to be asked there.
//!
//! RFC 8224 section 4 (`info`), RFC 8225 section 4.3 (`x5u`); https and its ports alone, as ATIS-1000080 has it for SHAKEN. A
//! stranger writes this address, and whoever follows it asks from inside a home or an office: so what is not plainly
//! public is refused before and after its name is resolved. Knows no resolver and no client.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest address.
const LONGEST: usize = 512;
/// A host without a port is asked here.
const HTTPS: u16 = 443;
/// The other port that is asked of hosts that nobody has named.
const ALTERNATIVE: u16 = 8443;

/// An address that may be asked, as far as can be seen without resolving its name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    text: String,
    place: Place,
}

/// A host and a port.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    host: String,
    port: u16,
}

/// Why nobody is asked. `Display` is a sentence for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// It is none, or not as one is written.
    #[error("the address of its certificate is none")]
    Broken,
    /// Not https.
    #[error("its certificate is not to be had by https")]
    NotHttps,
    /// Neither 443 nor 8443.
    #[error("its certificate is at a port that is not https's")]
    Port,
    /// An address within a house, or this machine's.
    #[error("its certificate is said to be within a private network")]
    Private,
    /// The account asks others only.
    #[error("its certificate is at a server that the account does not ask")]
    NotNamed,
}

impl Address {
    /// Reads an address. `named`: the only places that are asked, and then whatever they are; empty: any that is public.
    ///
    /// # Errors
    /// [`BadAddress`]: show its sentence.
    pub fn read(text: &str, named: &[Place]) -> Result<Self, BadAddress> {
        // What a browser would mend or read otherwise (`\`, a user, a fragment, a blank) is no address here.
        let odd = |it: u8| !it.is_ascii_graphic() || br#""<>\^`{|}#"#.contains(&it);
        if text.len() > LONGEST || text.bytes().any(odd) {
            return Err(BadAddress::Broken);
        }
        let (scheme, rest) = text.split_once("://").ok_or(BadAddress::Broken)?;
        if !scheme.eq_ignore_ascii_case("https") {
            return Err(BadAddress::NotHttps);
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let place: Place = rest[..end].parse()?;
        let path = if end == rest.len() { "/" } else { &rest[end..] };
        if !named.is_empty() {
            if !named.contains(&place) {
                return Err(BadAddress::NotNamed);
            }
        } else if ![HTTPS, ALTERNATIVE].contains(&place.port) {
            return Err(BadAddress::Port);
        } else if !place.may_be_public() {
            return Err(BadAddress::Private);
        }
        Ok(Self { text: format!("https://{place}{path}"), place })
    }

    /// All of it, to be asked.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whom to ask.
    pub fn place(&self) -> &Place {
        &self.place
    }
}

/// What it leads to may say who called.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.place)
    }
}

impl Place {
    /// In lower case; an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether that is seen of its name alone: the addresses that the name has must be looked at as well ([`is_public`]).
    fn may_be_public(&self) -> bool {
        if let Ok(ip) = self.host.parse::<IpAddr>() {
            return is_public(ip);
        }
        let last = self.host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
        // `127.1`, `0x7f.1` and `2130706433` are addresses to whoever resolves them.
        let is_number = last.bytes().all(|it| it.is_ascii_digit()) || last.starts_with("0x");
        // RFC 6761 section 6.3, RFC 6762 section 3, and a name of one word, which is within a house.
        let is_local = ["localhost", "local", "internal", "home", "lan"].contains(&last);
        self.host.contains('.') && !is_number && !is_local
    }
}

impl std::str::FromStr for Place {
    type Err = BadAddress;

    /// `HOST`, `HOST:PORT` or `[IPV6]:PORT`.
    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or(BadAddress::Broken)?;
                let ip: Ipv6Addr = host.parse().map_err(|_| BadAddress::Broken)?;
                (ip.to_string(), if port.is_empty() { None } else { port.strip_prefix(':').or(Some("")) })
            }
            None => {
                let (host, port) =
                    text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
                let good = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'.' | b'_');
                if host.is_empty() || host.len() > 253 || host.contains("..") || !host.bytes().all(good) {
                    return Err(BadAddress::Broken);
                }
                (host.to_ascii_lowercase(), port)
            }
        };
        let port = match port {
            Some(port) if port.bytes().all(|it| it.is_ascii_digit()) => {
                port.parse().ok().filter(|it| *it != 0).ok_or(BadAddress::Broken)?
            }
            Some(_) => return Err(BadAddress::Broken),
            None => HTTPS,
        };
        Ok(Self { host, port })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]", self.host)?;
        } else {
            f.write_str(&self.host)?;
        }
        if self.port == HTTPS { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether an address is one that anybody on the internet may be reached at: not of a house, a carrier's inside, a cloud's
/// metadata, this machine, an example or a group. IANA's special-purpose registries (RFC 6890).
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => match ip.segments() {
            // What is IPv4 in another dress goes where that goes: mapped, translated (RFC 6052), 6to4.
            [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
                is_public_v4(v4(high, low))
            }
            [0x2002, high, low, ..] => is_public_v4(v4(high, low)),
            // Teredo, benchmarks, ORCHID and examples.
            [0x2001, second, ..] => second >= 0x200 && second != 0xdb8,
            [first, second, ..] => first & 0xe000 == 0x2000 && !(first == 0x3fff && second < 0x1000),
        },
    }
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    !matches!(
        ip.octets(),
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 168, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, BadAddress> {
        Address::read(text, &[]).map(|it| it.as_str().to_owned())
    }

    #[test]
    fn a_public_server_is_asked_by_https_at_its_two_ports() {
        for (text, asked) in [
            ("https://cr.carrier.test/a.pem", "https://cr.carrier.test/a.pem"),
            ("HTTPS://CR.Carrier.test:443/a?b=c", "https://cr.carrier.test/a?b=c"),
            ("https://cr.carrier.test:8443", "https://cr.carrier.test:8443/"),
            ("https://[2606:4700::1]/c", "https://[2606:4700::1]/c"),
            ("https://8.8.8.8/c", "https://8.8.8.8/c"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(asked), "{text}");
        }
    }

    #[test]
    fn what_leads_inside_or_away_from_tls_is_refused_for_its_reason() {
        use BadAddress::{Broken, NotHttps, Port, Private};
        for (text, why) in [
            ("http://cr.carrier.test/a", NotHttps),
            ("file:///etc/passwd", NotHttps),
            ("https://cr.carrier.test:22/a", Port),
            ("https://cr.carrier.test:0/a", Broken),
            ("https://cr.carrier.test:4x3/a", Broken),
            ("https://cr.carrier.test:/a", Broken),
            ("https://user@cr.carrier.test/a", Broken),
            ("https://cr.carrier.test/a#b", Broken),
            ("https://cr.carrier.test\\@evil.test/", Broken),
            ("https://a b.test/", Broken),
            ("https:///a", Broken),
            ("https://", Broken),
            ("", Broken),
            ("https://[::1]/", Private),
            ("https://[::ffff:10.0.0.1]/", Private),
            ("https://[64:ff9b::a9fe:a9fe]/", Private),
            ("https://[fd00::1]/", Private),
            ("https://[fe80::1]/", Private),
            ("https://[::1/", Broken),
            ("https://127.0.0.1/", Private),
            ("https://127.1/", Private),
            ("https://0x7f.1/", Private),
            ("https://2130706433/", Private),
            ("https://10.0.0.1:8443/", Private),
            ("https://169.254.169.254/latest/meta-data/", Private),
            ("https://100.64.0.1/", Private),
            ("https://localhost/", Private),
            ("https://printer.local/", Private),
            ("https://router/", Private),
            ("https://metadata.google.internal/", Private),
        ] {
            assert_eq!(read(text), Err(why), "{text}");
        }
        assert_eq!(read(&format!("https://a.test/{}", "x".repeat(600))), Err(Broken));
    }

    #[test]
    fn who_names_places_asks_those_alone_wherever_they_are() {
        let named = ["localhost:8080".parse().unwrap(), "CR.carrier.test".parse().unwrap()];
        assert!(Address::read("https://localhost:8080/c", &named).is_ok());
        assert!(Address::read("https://cr.carrier.test/c", &named).is_ok());
        for text in ["https://localhost/c", "https://other.test/c", "https://cr.carrier.test:8443/c"] {
            assert_eq!(Address::read(text, &named), Err(BadAddress::NotNamed), "{text}");
        }
        assert_eq!(Address::read("http://localhost:8080/c", &named), Err(BadAddress::NotHttps));
    }

    #[test]
    fn addresses_of_no_public_host_are_known() {
        for ip in ["1.1.1.1", "172.32.0.1", "192.0.1.1", "100.128.0.1", "2a00::1", "64:ff9b::808:808"] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in [
            "0.0.0.0",
            "172.31.255.255",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "ff02::1",
            "fc00::1",
            "2001:db8::1",
            "2001::1",
            "2002:7f00:1::",
            "::7f00:1",
            "64:ff9b:1::1",
        ] {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
    }
}
