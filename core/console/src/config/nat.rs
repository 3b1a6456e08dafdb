//! `[nat]`: by which servers and ways media gets through routers.

use phone::{Nat, Server};
use serde::{Deserialize, Deserializer, de};

use super::parts::Later;

/// `[nat]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NatTable {
    #[serde(default)]
    stun: Stun,
    ice: Option<bool>,
    udp: Option<bool>,
    #[serde(rename = "turn")]
    _turn: Option<Later>,
    #[serde(rename = "tcp_punch")]
    _tcp_punch: Option<Later>,
}

impl From<NatTable> for Nat {
    fn from(table: NatTable) -> Self {
        // Who names servers wants them used.
        Self { ice: table.ice.unwrap_or(true), stun: table.stun.0, udp: table.udp.unwrap_or(true) }
    }
}

/// One server or several, as `stun:HOST[:PORT]`.
#[derive(Debug, Default)]
struct Stun(Vec<Server>);

impl<'de> Deserialize<'de> for Stun {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Given {
            One(String),
            Many(Vec<String>),
        }
        let given = match Given::deserialize(source)? {
            Given::One(uri) => vec![uri],
            Given::Many(uris) => uris,
        };
        let servers = given.iter().map(|uri| stun(uri).ok_or_else(|| de::Error::custom(not_stun(uri))));
        servers.collect::<Result<_, _>>().map(Self)
    }
}

fn not_stun(uri: &str) -> String {
    format!("`{uri}` is not a STUN server: stun:HOST or stun:HOST:PORT")
}

/// RFC 7064 section 3.1.
fn stun(uri: &str) -> Option<Server> {
    server(uri.strip_prefix("stun:")?, Server::STUN_PORT)
}

/// `HOST`, `HOST:PORT`, `[IPv6]:PORT`.
pub(super) fn server(text: &str, default_port: u16) -> Option<Server> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port.parse().ok()?),
        Some(_) if !text.starts_with('[') => return None,
        Some(_) | None => (text, default_port),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let sound = match inside {
        Some(ip) => ip.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(is_name),
    };
    (sound && port != 0).then(|| Server { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_named_as_rfc_7064_does() {
        let read = |uri: &str| stun(uri).map(|server| (server.host, server.port));
        assert_eq!(read("stun:stun.example.com"), Some(("stun.example.com".into(), 3478)));
        assert_eq!(read("stun:192.0.2.1:19302"), Some(("192.0.2.1".into(), 19302)));
        assert_eq!(read("stun:[2001:db8::1]:3479"), Some(("[2001:db8::1]".into(), 3479)));
        assert_eq!(read("stun:[2001:db8::1]"), Some(("[2001:db8::1]".into(), 3478)));
        for bad in
            ["stun.example.com", "stun:", "stun:host:0", "stun:host:99999", "stun:2001:db8::1", "stun:a b"]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
