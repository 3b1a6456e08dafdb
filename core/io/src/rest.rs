//! Asks a web service for relays and a password that is good for a while.
//!
//! The answer is read by [`nat::turn::rest`] (draft-uberti-behave-turn-rest); here it is fetched: one GET, by TLS unless the
//! service is on this machine, with the account's trust. Knows not when to ask again.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use base::Secret;
use nat::turn::rest::{Grant, MAX_ANSWER, Unusable, Way};
use offhook_net::tls::Trusts;
use phone::{Relay, RelayWay, Server};
use reqwest::Url;

use crate::web::{self, NoBody, NoClient, host};

/// Why there are no relays. Its `Display` is a sentence for a person, and quotes neither the address nor the answer: both
/// may hold a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRelays {
    /// Let the user correct it.
    #[error(
        "the service that hands out the relay's password must be https://HOST/PATH (http: on this machine alone)"
    )]
    Address,
    /// It cannot be sent as it is. Let the user correct it.
    #[error("the token for the service that hands out the relay's password has characters that no token has")]
    Token,
    /// No connection, or a certificate that is not trusted. Ask again later.
    #[error(
        "the service that hands out the relay's password cannot be reached, or its certificate is not trusted"
    )]
    Unreachable,
    /// Ask again later.
    #[error("the service that hands out the relay's password does not answer")]
    Silent,
    /// Not 2xx. Ask again later; 401 and 403 are for the user to see to.
    #[error("the service that hands out the relay's password answers with status {0}")]
    Status(u16),
    /// What it answers is of no use.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// This machine is out of something. Ask again later.
    #[error("there is nothing left to ask for the relay's password with")]
    System,
}

/// What was handed out.
#[derive(Clone, Debug)]
pub struct Handed {
    /// In the order in which they are to be tried.
    pub relays: Vec<Relay>,
    /// For how long from now on they take the password.
    pub lasts: Duration,
}

/// A service that hands out relays' passwords.
#[derive(Clone)]
pub struct Service {
    // Some take their key in the query.
    url: Secret<String>,
    host: String,
    token: Option<Secret<String>>,
}

impl Service {
    /// By its address, and what it is to be shown as `Authorization: Bearer`.
    ///
    /// # Errors
    /// - [`NoRelays::Address`]: show its sentence.
    pub fn new(url: String, token: Option<Secret<String>>) -> Result<Self, NoRelays> {
        let url = Secret::new(url);
        let parsed = Url::parse(url.expose()).ok().filter(may_be_asked).ok_or(NoRelays::Address)?;
        Ok(Self { url, host: host(&parsed).ok_or(NoRelays::Address)?.to_owned(), token })
    }

    /// The name that [`Trusts`] knows it by; an IPv6 address is without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Asks it, for five seconds at most: not for a thread that has something else to do.
    ///
    /// # Errors
    /// Whatever it says. Show the sentence, and ask again later.
    pub fn ask(&self, trusts: &Trusts) -> Result<Handed, NoRelays> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|_| NoRelays::System)?;
        let answer = runtime.block_on(self.fetch(trusts));
        // The system's resolver may sit in a thread of its own for longer than anybody waits.
        runtime.shutdown_background();
        let grant = Grant::read(&answer?)?;
        Ok(Handed { relays: relays(&grant), lasts: grant.lasts })
    }

    async fn fetch(&self, trusts: &Trusts) -> Result<Vec<u8>, NoRelays> {
        let url = Url::parse(self.url.expose()).map_err(|_| NoRelays::Address)?;
        let client = web::client(trusts, &self.host, url.scheme() == "https", may_be_asked);
        let client = client.map_err(|why| match why {
            NoClient::Trust => NoRelays::Unreachable,
            NoClient::System => NoRelays::System,
        })?;
        let mut request = client.get(url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose());
        }
        let mut answer = request.send().await.map_err(|error| refusal(&error))?;
        if !answer.status().is_success() {
            return Err(NoRelays::Status(answer.status().as_u16()));
        }
        web::body(&mut answer, MAX_ANSWER).await.map_err(|why| match why {
            NoBody::TooLong => Unusable::TooLong.into(),
            NoBody::Broken(error) => refusal(&error),
        })
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Service")
    }
}

/// A password that anybody on the way can read is everybody's.
fn may_be_asked(url: &Url) -> bool {
    let here = |host: &str| host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    url.scheme() == "https" || url.scheme() == "http" && host(url).is_some_and(here)
}

/// The client's own words quote the address.
fn refusal(error: &reqwest::Error) -> NoRelays {
    if error.is_timeout() {
        NoRelays::Silent
    } else if error.is_builder() {
        NoRelays::Token
    } else {
        NoRelays::Unreachable
    }
}

/// Ways to one place that follow each other are one relay's.
fn relays(grant: &Grant) -> Vec<Relay> {
    let mut relays: Vec<Relay> = Vec::new();
    for server in &grant.servers {
        let way = match server.way {
            Way::Udp => RelayWay::Udp,
            Way::Tcp => RelayWay::Tcp,
            Way::Tls => RelayWay::Tls,
        };
        let place = Server { host: server.host.clone(), port: server.port };
        match relays.last_mut().filter(|last| last.server == place) {
            Some(last) => last.ways.push(way),
            None => relays.push(Relay {
                server: place,
                ways: vec![way],
                user: grant.account.user.clone(),
                password: grant.account.password.clone(),
            }),
        }
    }
    relays
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener};

    use offhook_net::tls::Trust;

    use super::*;
    use crate::web_service::{moved, ok, service, service_by, under_tls};

    const ANSWER: &str = r#"{"username": "1700000000:ann", "password": "c2VjcmV0", "ttl": 7200, "uris": [
        "turn:relay.offhook.test", "turn:relay.offhook.test?transport=tcp", "turns:[2001:db8::9]"]}"#;

    fn ask(address: SocketAddr, path: &str) -> Result<Handed, NoRelays> {
        Service::new(format!("http://{address}{path}"), None).unwrap().ask(&Trusts::default())
    }

    #[test]
    fn a_service_shown_its_token_hands_out_relays_and_says_how_long_they_last() {
        let (address, requests) = service(|_| Some(ok(ANSWER)));
        let token = Secret::new("key-7".to_owned());
        let service = Service::new(format!("http://{address}/turn?key=key-8"), Some(token)).unwrap();
        let handed = service.ask(&Trusts::default()).unwrap();
        assert_eq!(handed.lasts, Duration::from_secs(7200));
        let places: Vec<_> =
            handed.relays.iter().map(|it| (&*it.server.host, it.server.port, &*it.ways)).collect();
        let expected = [
            ("relay.offhook.test", 3478, &[RelayWay::Udp, RelayWay::Tcp][..]),
            ("2001:db8::9", 5349, &[RelayWay::Tls][..]),
        ];
        assert_eq!(places, expected);
        assert_eq!(handed.relays[1].user.reveal(), "1700000000:ann");
        let request = requests.recv().unwrap();
        assert!(request.starts_with("GET /turn?key=key-8 HTTP/1.1\r\n"), "{request}");
        assert!(request.to_ascii_lowercase().contains("\r\nauthorization: bearer key-7\r\n"), "{request}");
        let shown = format!("{service:?} {handed:?}");
        assert!(!shown.contains("key-") && !shown.contains("ann") && !shown.contains("c2VjcmV0"), "{shown}");
    }

    #[test]
    fn what_is_of_no_use_is_said_in_a_sentence_without_the_address() {
        let (address, _requests) = service(|path| {
            let answer = match path {
                "/long" => ok(&"x".repeat(MAX_ANSWER + 1)),
                "/endless" => format!("HTTP/1.1 200 OK\r\n\r\n{}", " ".repeat(4 * MAX_ANSWER)),
                "/page" => ok("<html>"),
                "/broken" => "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n".into(),
                "/round" => moved("/round"),
                "/down" => moved("http://192.0.2.1/"),
                "/on" => moved("/good"),
                "/good" => ok(ANSWER),
                "/cut" => "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{".into(),
                _ => "220 mail\r\n".into(),
            };
            Some(answer)
        });
        let expected = [
            ("/long", NoRelays::Unusable(Unusable::TooLong)),
            ("/endless", NoRelays::Unusable(Unusable::TooLong)),
            ("/page", NoRelays::Unusable(Unusable::NotJson)),
            ("/broken", NoRelays::Status(500)),
            ("/round", NoRelays::Status(302)),
            ("/down", NoRelays::Status(302)),
            ("/cut", NoRelays::Unreachable),
            ("/mail", NoRelays::Unreachable),
        ];
        for (path, why) in expected {
            assert_eq!(ask(address, path).err(), Some(why), "{path}");
            assert!(!why.to_string().contains("127.0.0.1"), "{why}");
        }
        assert_eq!(ask(address, "/on").unwrap().relays.len(), 2);
    }

    #[test]
    fn a_service_under_tls_is_asked_if_it_is_trusted_and_does_not_send_us_on_without() {
        let (accept, authority) = under_tls();
        let (address, requests) = service_by(accept, |path, _| {
            Some(if path == "/down" { moved("http://localhost/") } else { ok(ANSWER) })
        });

        let service =
            |path| Service::new(format!("https://localhost:{}{path}", address.port()), None).unwrap();
        let mut trusts = Trusts::default();
        trusts.set("localhost", Trust::pin(base::Fingerprint([7; 32])));
        assert_eq!(service("/turn").ask(&trusts).err(), Some(NoRelays::Unreachable));
        trusts.set("localhost", Trust::authority(authority.as_bytes()).unwrap());
        assert_eq!(service("/turn").ask(&trusts).unwrap().relays.len(), 2);
        assert_eq!(service("/down").ask(&trusts).err(), Some(NoRelays::Status(302)));
        assert_eq!(requests.try_iter().count(), 2);
    }

    #[test]
    fn a_service_that_says_nothing_or_is_not_there_is_not_waited_for() {
        let (address, _requests) = service(|_| None);
        assert_eq!(ask(address, "/").err(), Some(NoRelays::Silent));
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert_eq!(ask(closed, "/").err(), Some(NoRelays::Unreachable));
    }

    #[test]
    fn a_password_is_asked_for_under_tls_alone_unless_on_this_machine() {
        let made = |url: &str| Service::new(url.into(), None).map(|it| it.host().to_owned());
        assert_eq!(made("https://relays.offhook.test/turn"), Ok("relays.offhook.test".into()));
        assert_eq!(made("http://[::1]:8080/"), Ok("::1".into()));
        for url in
            ["http://relays.offhook.test/", "http://127.0.0.1.offhook.test/", "ftp://127.0.0.1/", "turn", ""]
        {
            assert_eq!(made(url), Err(NoRelays::Address), "{url}");
        }
    }
}
