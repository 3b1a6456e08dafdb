//! `[nat]`: by which servers and ways media gets through routers.

use std::str::FromStr;

use base::{Redacted, Secret};
#[cfg(feature = "rest")]
pub(crate) use offhook_io::Service;
use phone::{Nat, Relay, RelayWay, Server, Tcp};
use serde::{Deserialize, Deserializer, de};

/// `[nat]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NatTable {
    #[serde(default)]
    stun: Stun,
    ice: Option<bool>,
    udp: Option<bool>,
    #[serde(default)]
    turn: Turn,
    tcp_punch: Option<bool>,
}

impl NatTable {
    /// Who hands out relays, if they are not named.
    pub(crate) fn take_service(&mut self) -> Option<Service> {
        self.turn.service.take()
    }
}

/// None in this build.
#[cfg(not(feature = "rest"))]
#[derive(Debug)]
pub(crate) enum Service {}

impl From<NatTable> for Nat {
    fn from(table: NatTable) -> Self {
        let udp = table.udp.unwrap_or(true);
        Self {
            // Who names servers wants them used.
            ice: table.ice.unwrap_or(true),
            stun: table.stun.0,
            turn: table.turn.relays,
            udp,
            tcp_punch: match table.tcp_punch {
                Some(false) => Tcp::Never,
                Some(true) if !udp => Tcp::Always,
                Some(true) | None => Tcp::IfBlocked,
            },
        }
    }
}

/// A server on the command line: as in a file, or without `stun:`.
#[derive(Clone, Debug)]
pub(crate) struct StunServer(pub(crate) Server);

impl FromStr for StunServer {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        let bare = given.strip_prefix("stun:").unwrap_or(given);
        server(bare, Server::STUN_PORT).map(Self).ok_or_else(|| not_stun(given))
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

/// One relay or several, each with who we are there; or a service that hands them out.
#[derive(Debug, Default)]
struct Turn {
    relays: Vec<Relay>,
    service: Option<Service>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceTable {
    service: String,
    token: Option<String>,
}

#[cfg(feature = "rest")]
fn service(table: ServiceTable) -> Result<Service, String> {
    Service::new(table.service, table.token.map(Secret::new)).map_err(|error| error.to_string())
}

#[cfg(not(feature = "rest"))]
fn service(table: ServiceTable) -> Result<Service, String> {
    drop((table.service, table.token));
    Err(format!("service is {}", super::parts::NOT_IN_THIS_BUILD))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RelayTable {
    uri: String,
    user: String,
    password: String,
}

impl<'de> Deserialize<'de> for Turn {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Given {
            Service(ServiceTable),
            One(RelayTable),
            Many(Vec<RelayTable>),
        }
        let given = match Given::deserialize(source)? {
            Given::Service(table) => {
                let service = service(table).map_err(de::Error::custom)?;
                return Ok(Self { relays: Vec::new(), service: Some(service) });
            }
            Given::One(relay) => vec![relay],
            Given::Many(relays) => relays,
        };
        let relays = given.into_iter().map(|table| {
            let RelayTable { uri, user, password } = table;
            let (server, ways) = turn(&uri).ok_or_else(|| de::Error::custom(not_turn(&uri)))?;
            Ok(Relay { server, ways, user: Redacted::new(user), password: Secret::new(password) })
        });
        Ok(Self { relays: relays.collect::<Result<_, _>>()?, service: None })
    }
}

fn not_turn(uri: &str) -> String {
    format!("`{uri}` is not a TURN server: turn:HOST[:PORT][?transport=udp|tcp] or turns:HOST[:PORT]")
}

/// RFC 7065 section 3.1. Without a transport: datagrams, and a stream where they do not pass.
fn turn(uri: &str) -> Option<(Server, Vec<RelayWay>)> {
    let (uri, transport) = match uri.split_once("?transport=") {
        Some((uri, transport)) => (uri, Some(transport)),
        None => (uri, None),
    };
    if let Some(rest) = uri.strip_prefix("turns:") {
        let way = matches!(transport, None | Some("tcp")).then_some(RelayWay::Tls)?;
        return Some((server(rest, TURNS_PORT)?, vec![way]));
    }
    let ways = match transport {
        None => vec![RelayWay::Udp, RelayWay::Tcp],
        Some("udp") => vec![RelayWay::Udp],
        Some("tcp") => vec![RelayWay::Tcp],
        Some(_) => return None,
    };
    Some((server(uri.strip_prefix("turn:")?, Server::STUN_PORT)?, ways))
}

/// RFC 8656 section 4.
const TURNS_PORT: u16 = 5349;

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
    fn relays_are_named_as_rfc_7065_does() {
        let read = |uri: &str| turn(uri).map(|(server, ways)| (server.port, ways));
        assert_eq!(read("turn:relay.example.com"), Some((3478, vec![RelayWay::Udp, RelayWay::Tcp])));
        assert_eq!(read("turn:192.0.2.1:80?transport=tcp"), Some((80, vec![RelayWay::Tcp])));
        assert_eq!(read("turns:relay.example.com:443"), Some((443, vec![RelayWay::Tls])));
        for bad in ["stun:x", "turn:x?transport=sctp", "turns:x?transport=udp", "turn:"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn on_the_command_line_a_server_needs_no_scheme() {
        let read = |given: &str| given.parse().map(|StunServer(server)| (server.host, server.port));
        assert_eq!(read("192.0.2.1:3479"), Ok(("192.0.2.1".into(), 3479)));
        assert_eq!(read("stun:stun.example.com"), Ok(("stun.example.com".into(), 3478)));
        assert!(read("turn:x:y").unwrap_err().contains("`turn:x:y` is not a STUN server"));
    }

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
