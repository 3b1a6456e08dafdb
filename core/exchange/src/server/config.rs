//! The server's set-up as people write it: shapes and defaults, checked while they are read.
//!
//! Which file it is and on which line an error lies, the reader of the file (the console) knows.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use balance::Amount;
use base::Secret;
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use sip::digest::Algorithm;
use sip::message::{Scheme, UriRef};
use stir::Seal;

use crate::redirect::Redirect;
use crate::{Config, DomainRoute, Funds, Ledger, Limits};

/// Everything that `offhook exchange` can be told. [`ServerConfig::default`] is what it does untold.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// The domain it answers for; also the digest realm.
    #[serde(default = "domain")]
    pub domain: String,
    /// Other host names that mean it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Where users and bindings are kept; absent: in memory.
    #[serde(default)]
    pub database: Option<PathBuf>,
    /// Where it listens.
    #[serde(default)]
    pub listen: Listen,
    /// Whether calls and messages of own users are challenged like their registrations are.
    #[serde(default = "yes")]
    pub challenge: bool,
    /// Digest algorithms to offer, the most liked first: `["SHA-256", "MD5"]`. For a phone that reads only the first
    /// challenge and knows only MD5: `["MD5"]`.
    #[serde(default = "algorithms", deserialize_with = "known_algorithms")]
    pub digest: Vec<Algorithm>,
    /// Shortest registration in seconds; a shorter wish is answered 423.
    #[serde(default = "min_expires")]
    pub min_expires: u32,
    /// Longest registration in seconds.
    #[serde(default = "max_expires")]
    pub max_expires: u32,
    /// What a minute of a call costs its caller: `"0.06"`. Absent: nothing.
    #[serde(default, deserialize_with = "money")]
    pub rate: Option<Amount>,
    /// Users. Those of an earlier configuration that are missing here are forgotten.
    #[serde(default)]
    pub user: Vec<User>,
    /// Numbers that have moved.
    #[serde(default)]
    pub redirect: Vec<RedirectRule>,
    /// Next hops of other domains.
    #[serde(default)]
    pub domain_route: Vec<DomainRule>,
    /// Who it is to those who connect by TLS.
    #[serde(default)]
    pub tls: Option<TlsFiles>,
    /// Signs for its users who call (STIR); absent: nobody does.
    #[serde(default)]
    pub stir: Option<StirFiles>,
}

/// By what calls are signed for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StirFiles {
    /// The key, on P-256: a PEM file.
    pub key: PathBuf,
    /// Where its certificate is had, by https. Handing it out is another server's.
    pub x5u: String,
}

/// Certificate and key, each a PEM file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// Its own certificate first, then those that lead to its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Listening addresses; port 0 takes a free one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// For datagrams.
    pub udp: Option<SocketAddr>,
    /// For streams.
    pub tcp: Option<SocketAddr>,
    /// For STUN, over datagrams and streams: the rendezvous of hole punching.
    pub stun: Option<SocketAddr>,
    /// STUN's second host and port, to tell kinds of NAT by: all four combinations are listened on. RFC 5780 section 6.
    pub stun_other: Option<SocketAddr>,
    /// For streams under TLS; `[tls]` says with which certificate.
    pub tls: Option<SocketAddr>,
    /// For WebSocket (RFC 7118), at any path.
    pub ws: Option<SocketAddr>,
    /// The same under TLS, with the same certificate.
    pub wss: Option<SocketAddr>,
    /// For datagrams under VOS encryption, 5070 as a rule: the key is each user's password, or `vos_key`.
    pub vos: Option<SocketAddr>,
    /// For the web: balances, status.
    pub http: Option<SocketAddr>,
}

impl Listen {
    /// Both transports at one address.
    pub fn at(addr: SocketAddr) -> Self {
        Self { udp: Some(addr), tcp: Some(addr), ..Self::nowhere() }
    }

    const fn nowhere() -> Self {
        Self {
            udp: None,
            tcp: None,
            stun: None,
            stun_other: None,
            tls: None,
            ws: None,
            wss: None,
            vos: None,
            http: None,
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self::at(SocketAddr::from((Ipv4Addr::LOCALHOST, 5060)))
    }
}

/// One user.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The user part of the address-of-record, and the digest's user name.
    #[serde(deserialize_with = "number")]
    pub number: String,
    /// The password.
    #[serde(deserialize_with = "secret")]
    pub password: Secret<String>,
    /// VOS encryption: who they say to be in clear, where it is not the number.
    #[serde(default)]
    pub vos_id: Option<String>,
    /// VOS encryption: the key, where it is not the password.
    #[serde(default, deserialize_with = "secret_if_any")]
    pub vos_key: Option<Secret<String>>,
    /// What the user has left at the start: `"12.34"`. Absent: no account of money.
    #[serde(default, deserialize_with = "money")]
    pub balance: Option<Amount>,
    /// In what: `"EUR"`.
    #[serde(default)]
    pub currency: Option<String>,
}

impl User {
    /// A user.
    pub fn new(number: &str, password: &str) -> Self {
        Self {
            number: number.into(),
            password: Secret::new(password.into()),
            vos_id: None,
            vos_key: None,
            balance: None,
            currency: None,
        }
    }
}

/// Numbers with this prefix are answered 302.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedirectRule {
    /// The beginning of the number.
    pub prefix: String,
    /// A SIP URI, `{number}` in it for the number.
    #[serde(deserialize_with = "contact")]
    pub contact: String,
}

/// Requests for a domain go to this address.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DomainRule {
    /// The domain.
    pub domain: String,
    /// Address and port.
    pub next_hop: SocketAddr,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            domain: domain(),
            aliases: Vec::new(),
            database: None,
            listen: Listen::default(),
            challenge: true,
            digest: algorithms(),
            min_expires: min_expires(),
            max_expires: max_expires(),
            user: (1001..=1009).map(|n| User::new(&n.to_string(), &format!("secret-{n}"))).collect(),
            rate: None,
            redirect: Vec::new(),
            domain_route: Vec::new(),
            tls: None,
            stir: None,
        }
    }
}

impl ServerConfig {
    /// What users have left.
    pub(crate) fn ledger(&self) -> Ledger {
        let funds = self.user.iter().filter_map(|user| {
            let funds = Funds { balance: user.balance?, currency: user.currency.clone() };
            Some((user.number.clone(), funds))
        });
        Ledger::new(funds.collect(), self.rate)
    }

    /// What the machines need of it, with the users that the database gave.
    pub(crate) fn machines(
        &self,
        users: BTreeMap<String, Secret<String>>,
        key: Secret<[u8; 16]>,
        seal: Option<Seal>,
    ) -> Config {
        let redirects =
            self.redirect.iter().map(|r| Redirect { prefix: r.prefix.clone(), contact: r.contact.clone() });
        let key_of = |user: &User| user.vos_key.clone().unwrap_or_else(|| user.password.clone());
        let vos_keys =
            self.user.iter().map(|u| (u.vos_id.clone().unwrap_or_else(|| u.number.clone()), key_of(u)));
        let vos_keys = if self.listen.vos.is_some() { vos_keys.collect() } else { BTreeMap::new() };
        let routes =
            self.domain_route.iter().map(|r| DomainRoute { domain: r.domain.clone(), next_hop: r.next_hop });
        Config {
            domain: self.domain.clone(),
            aliases: self.aliases.clone(),
            users,
            vos_keys,
            redirects: redirects.collect(),
            domain_routes: routes.collect(),
            challenge: self.challenge,
            algorithms: self.digest.clone(),
            limits: Limits {
                min_expires: self.min_expires,
                max_expires: self.max_expires.max(self.min_expires),
                ..Limits::default()
            },
            seal,
            key: Some(key),
            ..Config::default()
        }
    }
}

fn domain() -> String {
    Config::default().domain
}

fn algorithms() -> Vec<Algorithm> {
    Config::default().algorithms
}

const fn yes() -> bool {
    true
}

fn min_expires() -> u32 {
    Limits::default().min_expires
}

fn max_expires() -> u32 {
    Limits::default().max_expires
}

/// In quotes, for a number of TOML is a float.
fn money<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Amount>, D::Error> {
    let text = String::deserialize(value)?;
    text.parse().map(Some).map_err(|_| D::Error::custom("an amount in quotes, like \"12.34\""))
}

fn secret<'de, D: Deserializer<'de>>(value: D) -> Result<Secret<String>, D::Error> {
    String::deserialize(value).map(Secret::new)
}

fn secret_if_any<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Secret<String>>, D::Error> {
    secret(value).map(Some)
}

fn known_algorithms<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<Algorithm>, D::Error> {
    let words = Vec::<String>::deserialize(value)?;
    let known = |word: &String| {
        Algorithm::from_word(word).ok_or_else(|| D::Error::custom(format!("no digest algorithm {word}")))
    };
    match words.iter().map(known).collect::<Result<Vec<_>, _>>()? {
        none if none.is_empty() => Err(D::Error::custom("at least one digest algorithm is needed")),
        some => Ok(some),
    }
}

fn number<'de, D: Deserializer<'de>>(value: D) -> Result<String, D::Error> {
    let number = String::deserialize(value)?;
    let user = format!("sip:{number}@h");
    match UriRef::read(user.as_bytes()) {
        Ok(uri) if uri.user_decoded() == number && !number.is_empty() => Ok(number),
        Ok(_) | Err(_) => Err(D::Error::custom("a number is made of letters, digits and -_.+*#")),
    }
}

fn contact<'de, D: Deserializer<'de>>(value: D) -> Result<String, D::Error> {
    let contact = String::deserialize(value)?;
    match UriRef::read(contact.replace("{number}", "1").as_bytes()) {
        Ok(uri) if uri.scheme != Scheme::Other => Ok(contact),
        Ok(_) | Err(_) => {
            Err(D::Error::custom("not a SIP URI (expected for example sip:{number}@host:port)"))
        }
    }
}
