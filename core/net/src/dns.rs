//! Names looked up: NAPTR, SRV, A and AAAA by hickory, told in `sip::locate`'s words.
//!
//! The resolver, its cache and the system's configuration come into being with the first question: a phone whose proxy is
//! an address never pays for them. `/etc/hosts` is read before any server is asked. Knows nothing of SIP's order of asking.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use sip::locate::{Answer, Question, Record};

/// How long one name server may take for one try; there are two. RFC 3263 leaves it open: a caller is waiting.
const TRY_FOR: Duration = Duration::from_secs(3);

/// Answers cached, within their times to live.
const CACHED: u64 = 256;

/// Records of one answer handed on; a hostile zone may have more.
const RECORDS: usize = 64;

/// Whom to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NameServers {
    /// As the system is configured (`/etc/resolv.conf`).
    #[default]
    System,
    /// These, in this order, by UDP and then TCP.
    These(Vec<SocketAddr>),
}

pub(crate) struct Dns {
    servers: NameServers,
    resolver: Option<TokioResolver>,
}

pub(crate) type Asking = Pin<Box<dyn Future<Output = Answer> + Send>>;

impl fmt::Debug for Dns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dns({:?})", self.servers)
    }
}

impl Dns {
    pub(crate) fn new(servers: NameServers) -> Self {
        Self { servers, resolver: None }
    }

    /// The network changed: other servers, other answers.
    pub(crate) fn forget(&mut self) {
        self.resolver = None;
    }

    pub(crate) fn set_servers(&mut self, servers: NameServers) {
        self.servers = servers;
        self.forget();
    }

    /// Begins to ask; `None` when there is nobody to ask or the name is none.
    pub(crate) fn ask(&mut self, question: &Question) -> Option<Asking> {
        let (name, kind) = match question {
            Question::Naptr(name) => (name, RecordType::NAPTR),
            Question::Srv(name) => (name, RecordType::SRV),
            Question::A(name) => (name, RecordType::A),
            Question::Aaaa(name) => (name, RecordType::AAAA),
        };
        let mut name = Name::from_utf8(name).ok()?;
        name.set_fqdn(true); // a SIP domain is never completed by a search list
        let resolver = match &self.resolver {
            Some(resolver) => resolver.clone(),
            None => self.resolver.insert(build(&self.servers)?).clone(),
        };
        Some(Box::pin(async move { told(resolver.lookup(name, kind).await) }))
    }
}

fn build(servers: &NameServers) -> Option<TokioResolver> {
    let mut builder = match servers {
        NameServers::System => TokioResolver::builder_tokio().ok()?,
        NameServers::These(addrs) => {
            let servers = addrs.iter().map(|addr| {
                let mut server = NameServerConfig::udp_and_tcp(addr.ip());
                for connection in &mut server.connections {
                    connection.port = addr.port();
                }
                server
            });
            let config = ResolverConfig::from_parts(None, Vec::new(), servers.collect());
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    let options = builder.options_mut();
    options.timeout = TRY_FOR;
    options.cache_size = CACHED;
    builder.build().ok()
}

fn told(lookup: Result<hickory_resolver::lookup::Lookup, NetError>) -> Answer {
    match lookup {
        Ok(lookup) => {
            let records: Vec<_> =
                lookup.answers().iter().filter_map(|r| read(&r.data)).take(RECORDS).collect();
            // A bare CNAME is no answer to our question.
            if records.is_empty() { Answer::NotFound } else { Answer::Records(records) }
        }
        Err(NetError::Dns(DnsError::NoRecordsFound(none))) => match none.response_code {
            ResponseCode::NoError | ResponseCode::NXDomain => Answer::NotFound,
            _ => Answer::Failed,
        },
        Err(_) => Answer::Failed,
    }
}

fn read(data: &RData) -> Option<Record> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(match data {
        RData::A(a) => Record::A(a.0),
        RData::AAAA(a) => Record::Aaaa(a.0),
        RData::SRV(srv) => Record::Srv {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: bare(&srv.target),
        },
        RData::NAPTR(naptr) => Record::Naptr {
            order: naptr.order,
            preference: naptr.preference,
            flags: text(&naptr.flags),
            service: text(&naptr.services),
            regexp: text(&naptr.regexp),
            replacement: bare(&naptr.replacement),
        },
        _ => return None,
    })
}

/// A name without its trailing dot; the root stays `.`.
fn bare(name: &Name) -> String {
    let mut text = name.to_ascii();
    if text.len() > 1 && text.ends_with('.') {
        text.pop();
    }
    text
}
