//! What a pocket exchange is told once, at its start.
//!
//! Values only; reading them from a file is the server's and the console's.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use base::Secret;
use sip::digest::Algorithm;
use stir::Seal;

use crate::redirect::Redirect;

/// Requests for `domain` go straight to `next_hop`, without asking the DNS. RFC 3261 section 16.6 item 6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainRoute {
    /// The host part of the Request-URI, in any case.
    pub domain: String,
    /// Where to send, by UDP unless the Request-URI names a transport.
    pub next_hop: SocketAddr,
}

/// How registrations are limited. RFC 3261 section 10.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Seconds; a shorter wish (and not zero) is answered 423.
    pub min_expires: u32,
    /// Seconds, when the REGISTER names none.
    pub default_expires: u32,
    /// Seconds; a longer wish is cut to it.
    pub max_expires: u32,
    /// Bindings of one user; a REGISTER for more is answered 403.
    pub bindings_per_user: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { min_expires: 60, default_expires: 3600, max_expires: 7200, bindings_per_user: 10 }
    }
}

/// The exchange's set-up. [`Config::default`] is the domain `offhook.test` without users.
#[derive(Clone, Debug)]
pub struct Config {
    /// The one domain it answers for; also the digest realm.
    pub domain: String,
    /// Other host names that mean it.
    pub aliases: Vec<String>,
    /// Users and their passwords, by the user part of their address-of-record.
    pub users: BTreeMap<String, Secret<String>>,
    /// Keys of VOS encryption, by the id that is sent in clear: the user's number and password, as a rule.
    pub vos_keys: BTreeMap<String, Secret<String>>,
    /// Numbers that have moved. A user of that name goes first.
    pub redirects: Vec<Redirect>,
    /// Next hops of other domains. A domain without one is looked up (RFC 3263).
    pub domain_routes: Vec<DomainRoute>,
    /// Whether requests from own users are challenged (407) like their REGISTER is. Requests within a call that the
    /// exchange has seen begin are not.
    pub challenge: bool,
    /// Digest algorithms that are offered, the most liked first (RFC 8760 section 2.3). Phones exist that read the first
    /// challenge only.
    pub algorithms: Vec<Algorithm>,
    /// Registration limits.
    pub limits: Limits,
    /// Whether a 200 to REGISTER tells the phone to send everything through the exchange. RFC 3608.
    pub service_route: bool,
    /// How long a forked or forwarded INVITE may ring. Over 3 minutes: RFC 3261 section 16.6 item 11.
    pub timer_c: Duration,
    /// The Server header field of its own responses.
    pub server: String,
    /// Signs for own users who call (STIR); absent: nobody does.
    pub seal: Option<Seal>,
    /// Makes flow tokens and loop marks; drawn anew at each start when absent, and then calls do not survive a restart.
    pub key: Option<Secret<[u8; 16]>>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            domain: String::from("offhook.test"),
            aliases: Vec::new(),
            users: BTreeMap::new(),
            vos_keys: BTreeMap::new(),
            redirects: Vec::new(),
            domain_routes: Vec::new(),
            challenge: true,
            algorithms: vec![Algorithm::Sha256, Algorithm::Md5],
            limits: Limits::default(),
            service_route: false,
            timer_c: Duration::from_secs(185),
            server: String::from("offhook-exchange"),
            seal: None,
            key: None,
        }
    }
}

impl Config {
    /// The next hop configured for `domain`.
    pub(crate) fn route_to(&self, domain: &str) -> Option<SocketAddr> {
        self.domain_routes.iter().find(|r| r.domain.eq_ignore_ascii_case(domain)).map(|r| r.next_hop)
    }

    /// Whether `name` is one of the exchange's own host names.
    pub(crate) fn is_domain(&self, name: &str) -> bool {
        self.domain.eq_ignore_ascii_case(name) || self.aliases.iter().any(|a| a.eq_ignore_ascii_case(name))
    }
}
