//! Credentials for a while: the answer of a web service that hands them out.
//!
//! The convention of draft-uberti-behave-turn-rest section 2.2, `{"username", "password", "ttl", "uris"}`, with the URIs of
//! RFC 7065. To the relay they are an account like any other: the name has the time in it until which the password is good.
//! Knows no HTTP and resolves no name.

use std::net::{Ipv6Addr, SocketAddr};
use std::time::Duration;

use base::{Redacted, Secret};
use serde_json::Value;

use super::auth::MAX_USER;
use super::{Account, Config};

/// The longest answer that is read, in bytes.
pub const MAX_ANSWER: usize = 16 * 1024;
/// The most servers that are kept of one.
pub const MAX_SERVERS: usize = 16;
/// For how long where nothing is said: a day, as the convention recommends.
const LASTS: Duration = Duration::from_secs(86_400);
/// The longest name of a server, in bytes. RFC 1035 section 2.3.4.
const MAX_HOST: usize = 255;

/// Why an answer is of no use. Its `Display` is a sentence for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Longer than [`MAX_ANSWER`].
    #[error("the service that hands out the relay's password answers with too much")]
    TooLong,
    /// No JSON object.
    #[error("the service that hands out the relay's password answers something else")]
    NotJson,
    /// This is missing, or not what it should be.
    #[error("the service that hands out the relay's password does not say its {0}")]
    Missing(&'static str),
    /// No address among them that we could use.
    #[error("the service that hands out the relay's password names no relay that can be reached")]
    NoServer,
}

/// By which way a server is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
    /// A stream in TLS.
    Tls,
}

/// Where a relay is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// A name to resolve, or an address; IPv6 without brackets.
    pub host: String,
    /// The port: 3478, and 5349 in TLS, where none is said.
    pub port: u16,
    /// By which way.
    pub way: Way,
}

impl Server {
    /// Its address, where no name needs to be resolved.
    pub fn address(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.host.parse().ok()?, self.port))
    }

    /// Out of a URI; `None`: it is none of a relay, or of a way that we do not go (DTLS).
    pub fn read(uri: &str) -> Option<Self> {
        let (scheme, rest) = uri.split_once(':')?;
        let tls = match scheme {
            _ if scheme.eq_ignore_ascii_case("turn") => false,
            _ if scheme.eq_ignore_ascii_case("turns") => true,
            _ => return None,
        };
        let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
        let transport = query.and_then(|it| it.split('&').find_map(|it| it.strip_prefix("transport=")));
        let way = match (tls, transport.map(str::to_ascii_lowercase).as_deref()) {
            (false, None | Some("udp")) => Way::Udp,
            (false, Some("tcp")) => Way::Tcp,
            (true, None | Some("tcp")) => Way::Tls,
            _ => return None,
        };
        let (host, port) = match place.strip_prefix('[') {
            Some(six) => {
                let (host, port) = six.split_once(']')?;
                host.parse::<Ipv6Addr>().ok()?;
                (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
            }
            None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
        };
        let known = if tls { 5349 } else { 3478 };
        let port = port.map_or(Some(known), |port| port.parse().ok()).filter(|port| *port != 0)?;
        let letters = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':');
        let good = !host.is_empty() && host.len() <= MAX_HOST && host.bytes().all(letters);
        good.then(|| Self { host: host.to_owned(), port, way })
    }
}

/// What was handed out.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Who we are until then.
    pub account: Account,
    /// For how long from now on. A relay may refuse refreshes after that, and an allocation cannot change its user (RFC 8656
    /// section 5): have another grant and another client before.
    pub lasts: Duration,
    /// Where, in the order in which they are to be tried.
    pub servers: Vec<Server>,
}

impl Grant {
    /// Reads an answer's body.
    ///
    /// # Errors
    /// It is of no use: show the sentence, and ask again when the user has seen to it.
    pub fn read(body: &[u8]) -> Result<Self, Unusable> {
        if body.len() > MAX_ANSWER {
            return Err(Unusable::TooLong);
        }
        let Ok(Value::Object(answer)) = serde_json::from_slice(body) else {
            return Err(Unusable::NotJson);
        };
        let text = |name| answer.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let user =
            text("username").filter(|it| it.len() <= MAX_USER).ok_or(Unusable::Missing("user name"))?;
        let password = text("password").or(text("credential")).ok_or(Unusable::Missing("password"))?;
        let lasts = match answer.get("ttl") {
            None | Some(Value::Null) => LASTS,
            Some(Value::Number(ttl)) => {
                ttl.as_u64().map(Duration::from_secs).ok_or(Unusable::Missing("duration"))?
            }
            // Some say it in quotes.
            Some(other) => {
                let seconds = other.as_str().and_then(|it| it.parse().ok());
                seconds.map(Duration::from_secs).ok_or(Unusable::Missing("duration"))?
            }
        };
        let uris = answer.get("uris").or(answer.get("urls")).and_then(Value::as_array);
        let uris = uris.ok_or(Unusable::Missing("addresses"))?.iter().filter_map(Value::as_str);
        let servers: Vec<_> = uris.filter_map(Server::read).take(MAX_SERVERS).collect();
        if servers.is_empty() {
            return Err(Unusable::NoServer);
        }
        let account =
            Account { user: Redacted::new(user.to_owned()), password: Secret::new(password.to_owned()) };
        Ok(Self { account, lasts, servers })
    }

    /// For a client of one of its servers, whose address is known by now.
    pub fn config(&self, server: &Server, address: SocketAddr) -> Config {
        let account = Some(self.account.clone());
        Config { reliable: server.way != Way::Udp, ..Config::new(address, account) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"{"username": "1700000000:ann", "password": "c2VjcmV0", "ttl": 7200, "uris": [
        "turn:relay.example.test:3479?transport=udp", "stun:relay.example.test",
        "TURN:192.0.2.9?transport=tcp", "turns:[2001:db8::9]", "turns:relay.example.test?transport=udp"]}"#;

    #[test]
    fn an_answer_becomes_an_account_and_the_servers_that_can_be_reached_in_order() {
        let grant = Grant::read(ANSWER.as_bytes()).unwrap();
        assert_eq!(grant.account.user.reveal(), "1700000000:ann");
        assert_eq!(grant.account.password.expose(), "c2VjcmV0");
        assert_eq!(grant.lasts, Duration::from_secs(7200));
        let server = |host: &str, port, way| Server { host: host.into(), port, way };
        let expected = [
            server("relay.example.test", 3479, Way::Udp),
            server("192.0.2.9", 3478, Way::Tcp),
            server("2001:db8::9", 5349, Way::Tls),
        ];
        assert_eq!(grant.servers, expected);
        assert_eq!(grant.servers[0].address(), None);
        let address = grant.servers[2].address().unwrap();
        assert!(grant.config(&grant.servers[2], address).reliable);
        assert!(!format!("{grant:?}").contains("ann"));
    }

    #[test]
    fn what_is_of_no_use_is_said_in_a_sentence() {
        let long = format!("{{\"username\":\"{}\"}}", "x".repeat(MAX_ANSWER));
        let missing = |what: &str| ANSWER.replace(&format!("\"{what}\""), "\"other\"");
        let answers = [
            (long, Unusable::TooLong),
            ("<html>".into(), Unusable::NotJson),
            ("[1]".into(), Unusable::NotJson),
            ("[".repeat(9000), Unusable::NotJson),
            (missing("username"), Unusable::Missing("user name")),
            (missing("password"), Unusable::Missing("password")),
            (missing("uris"), Unusable::Missing("addresses")),
            (ANSWER.replace("7200", "-1"), Unusable::Missing("duration")),
            (ANSWER.replace("turn", "http").replace("TURN", "http"), Unusable::NoServer),
        ];
        for (answer, why) in answers {
            assert_eq!(Grant::read(answer.as_bytes()).err(), Some(why), "{why}");
        }
        assert_eq!(Grant::read(missing("ttl").as_bytes()).unwrap().lasts, LASTS);
    }

    #[test]
    fn a_uri_that_is_none_is_none() {
        for uri in [
            "turn:",
            "turn",
            "turn:a:0",
            "turn:a:99999",
            "turn:[::1",
            "turn:[a]",
            "turn:a b",
            "turn:a?transport=sctp",
        ] {
            assert_eq!(Server::read(uri), None, "{uri}");
        }
        let many = vec!["\"turn:a\""; 100].join(",");
        let answer = format!(r#"{{"username":"u","password":"p","uris":[{many}]}}"#);
        assert_eq!(Grant::read(answer.as_bytes()).unwrap().servers.len(), MAX_SERVERS);
    }
}
