//! Names looked up: NAPTR, SRV, A and AAAA by hickory, told in `sip::locate`'s words.
//!
//! The resolver, its cache and the system's configuration come into being with the first question: a phone whose proxy is
//! an address never pays for them. `/etc/hosts` is read before any server is asked. Knows nothing of SIP's order of asking.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd as _;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base::NetworkId;
use hickory_resolver::Resolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::iocompat::AsyncIoTokioAsStd;
use hickory_resolver::net::runtime::{RuntimeProvider, TokioHandle, TokioRuntimeProvider, TokioTime};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use sip::locate::{Answer, Question, Record};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};

use crate::Bind;

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

#[derive(Default)]
pub(crate) struct Dns {
    servers: NameServers,
    ways: Ways,
    resolver: Option<Resolver<Ways>>,
}

/// By which network the servers are asked.
#[derive(Clone, Default)]
struct Ways {
    network: NetworkId,
    /// Our addresses there; none: the system's choice.
    from: Vec<IpAddr>,
    binder: Option<Arc<dyn Bind>>,
    tokio: TokioRuntimeProvider,
}

pub(crate) type Asking = Pin<Box<dyn Future<Output = Answer> + Send>>;

impl fmt::Debug for Dns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dns({:?})", self.servers)
    }
}

impl Dns {
    pub(crate) fn new(servers: NameServers) -> Self {
        Self { servers, ..Self::default() }
    }

    /// One whose questions go by that network.
    pub(crate) fn by(
        network: NetworkId,
        servers: NameServers,
        from: Vec<IpAddr>,
        binder: Option<Arc<dyn Bind>>,
    ) -> Self {
        let ways = Ways { network, from, binder, tokio: TokioRuntimeProvider::default() };
        Self { servers, ways, resolver: None }
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
            None => self.resolver.insert(build(&self.servers, &self.ways)?).clone(),
        };
        Some(Box::pin(async move { told(resolver.lookup(name, kind).await) }))
    }
}

fn build(servers: &NameServers, ways: &Ways) -> Option<Resolver<Ways>> {
    let mut builder = match servers {
        NameServers::System => Resolver::builder(ways.clone()).ok()?,
        NameServers::These(addrs) => {
            let servers = addrs.iter().map(|addr| {
                let mut server = NameServerConfig::udp_and_tcp(addr.ip());
                for connection in &mut server.connections {
                    connection.port = addr.port();
                }
                server
            });
            let config = ResolverConfig::from_parts(None, Vec::new(), servers.collect());
            Resolver::builder_with_config(config, ways.clone())
        }
    };
    let options = builder.options_mut();
    options.timeout = TRY_FOR;
    options.cache_size = CACHED;
    builder.build().ok()
}

impl Ways {
    /// The address to ask from, of the server's family.
    fn source(&self, server: SocketAddr) -> Option<IpAddr> {
        self.from.iter().copied().find(|ip| ip.is_ipv4() == server.is_ipv4())
    }
}

impl RuntimeProvider for Ways {
    type Handle = TokioHandle;
    type Timer = TokioTime;
    type Udp = UdpSocket;
    type Tcp = AsyncIoTokioAsStd<TcpStream>;

    fn create_handle(&self) -> Self::Handle {
        self.tokio.create_handle()
    }

    fn connect_tcp(
        &self,
        server: SocketAddr,
        bind: Option<SocketAddr>,
        timeout: Option<Duration>,
    ) -> Pin<Box<dyn Send + Future<Output = io::Result<Self::Tcp>>>> {
        let ways = self.clone();
        Box::pin(async move {
            let socket = if server.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
            if let Some(binder) = &ways.binder {
                binder.bind(socket.as_fd(), ways.network);
            }
            if let Some(from) = ways.source(server).map(|ip| SocketAddr::new(ip, 0)).or(bind) {
                socket.bind(from)?;
            }
            let connecting = tokio::time::timeout(timeout.unwrap_or(TRY_FOR), socket.connect(server));
            connecting.await?.map(AsyncIoTokioAsStd)
        })
    }

    fn bind_udp(
        &self,
        local: SocketAddr,
        server: SocketAddr,
    ) -> Pin<Box<dyn Send + Future<Output = io::Result<Self::Udp>>>> {
        let ways = self.clone();
        Box::pin(async move {
            let from = ways.source(server).map_or(local, |ip| SocketAddr::new(ip, local.port()));
            let socket = Socket::new(Domain::for_address(from), Type::DGRAM, Some(Protocol::UDP))?;
            if let Some(binder) = &ways.binder {
                binder.bind(socket.as_fd(), ways.network);
            }
            socket.set_nonblocking(true)?;
            socket.bind(&from.into())?;
            UdpSocket::from_std(socket.into())
        })
    }
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
