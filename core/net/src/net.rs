//! All sockets of a phone or an exchange, polled by one task: orders in, news out.
//!
//! Reads into one buffer and lends it with the event; writes from the buffers it is given. Opening, accepting and
//! asking are bounded, for strangers do them too. Knows nothing of messages, and keeps no policy beyond [`Limits`].

mod networks;
mod opening;

use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use base::{ClientCertificate, Fingerprint, FlowId, NetworkId, QueryId, Transport};
use bytes::Bytes;
use sip::locate::{Answer, Question};
use sip::order::Order;
use tokio::net::TcpListener;
use tokio::time::Sleep;

use crate::dial::{Dial, Whom};
use crate::dns::{Asking, Dns};
use crate::ready::Ready;
use crate::route::{Routes, concrete};
use crate::tcp::{Clogged, Stream, crowd};
use crate::tls::{Identity, Trusts, Unusable};
use crate::udp::{Udp, Udping};
use crate::{Bind, Counters, ListenError, NameServers, NetEvent, tcp};

/// The largest datagram, and what is read of a stream at once.
const ROOM: usize = 65_535;

/// How often connections are looked over.
const SWEEP: Duration = Duration::from_secs(2);

/// Lookups under way; more are answered `Failed` at once.
const QUERIES: usize = 256;

/// Counts of accepted connections: all of them, and those that are still within a handshake.
const ALL: usize = 0;
const SHAKING: usize = 1;

/// How many connections, and how long they may be useless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Accepted connections in all.
    pub connections: usize,
    /// Accepted connections from one IPv4 address or IPv6 /64.
    pub per_address: usize,
    /// An accepted connection on which we have sent nothing for this long is closed: it has sent nothing worth an answer.
    pub answered_within: Duration,
    /// An accepted connection silent for this long is closed. Longer than a registration's usual hour.
    pub idle: Duration,
    /// Bytes that may wait for a slow reader before its connection is closed.
    pub write_queue: usize,
    /// How long a connection may take to be made.
    pub connect: Duration,
    /// How long a TLS handshake and an upgrade to WebSocket may take together.
    pub handshake: Duration,
    /// Accepted connections that are still within one of those, in all.
    pub handshakes: usize,
    /// The same, from one IPv4 address or IPv6 /64.
    pub handshakes_per_address: usize,
    /// Silence after which the system asks whether the other end is still there.
    pub keepalive: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            per_address: 200,
            answered_within: Duration::from_secs(32),
            idle: Duration::from_hours(2),
            write_queue: 128 * 1024,
            connect: Duration::from_secs(5),
            handshake: Duration::from_secs(10),
            handshakes: 512,
            handshakes_per_address: 64,
            keepalive: Duration::from_mins(2),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Token {
    Udp(FlowId),
    Listener(usize),
    Stream(FlowId),
    Dial(u32),
    Query(QueryId),
    Sweep,
}

#[derive(Debug)]
struct Listener {
    network: NetworkId,
    tcp: TcpListener,
    bound: SocketAddr,
    waker: Waker,
    transport: Transport,
    /// It is listened to under TLS, and shows this.
    identity: Option<Identity>,
}

struct Ask {
    asking: Asking,
    waker: Waker,
}

/// The sockets. Live inside a tokio runtime; dropped, they close.
pub struct Net {
    limits: Limits,
    ready: Ready<Token>,
    udp: BTreeMap<FlowId, Udp>,
    /// By number; one that was closed leaves its place.
    listeners: Vec<Option<Listener>>,
    streams: BTreeMap<FlowId, Stream>,
    /// Accepted connections by address, and how many of them are still within a handshake.
    crowds: BTreeMap<u128, [usize; 2]>,
    accepted: [usize; 2],
    dials: BTreeMap<u32, Dial>,
    asks: BTreeMap<QueryId, Ask>,
    binder: Option<Arc<dyn Bind>>,
    trusts: Trusts,
    /// Where on a server of that name, in lower case, its WebSocket is; else at the root.
    paths: BTreeMap<String, String>,
    identity: Option<Identity>,
    /// Of each network that has servers of its own.
    dns: BTreeMap<NetworkId, Dns>,
    routes: Routes,
    /// What orders brought about at once.
    news: VecDeque<NetEvent<'static>>,
    room: Box<[u8]>,
    last_flow: u32,
    last_dial: u32,
    sweep: Option<Pin<Box<Sleep>>>,
    sweep_waker: Waker,
    counters: Counters,
}

/// What was found, with bytes still in the buffer.
enum Found {
    Bytes { flow: FlowId, from: SocketAddr, len: usize },
    News(NetEvent<'static>),
}

impl Net {
    /// One without sockets.
    pub fn new(limits: Limits, name_servers: NameServers) -> Self {
        let ready = Ready::new();
        Self {
            limits,
            udp: BTreeMap::new(),
            listeners: Vec::new(),
            streams: BTreeMap::new(),
            crowds: BTreeMap::new(),
            accepted: [0; 2],
            dials: BTreeMap::new(),
            asks: BTreeMap::new(),
            binder: None,
            trusts: Trusts::default(),
            paths: BTreeMap::new(),
            identity: None,
            dns: BTreeMap::from([(NetworkId::SYSTEM, Dns::new(name_servers))]),
            routes: Routes::default(),
            news: VecDeque::new(),
            room: vec![0; ROOM].into_boxed_slice(),
            last_flow: 0,
            last_dial: 0,
            sweep: None,
            sweep_waker: ready.source(Token::Sweep),
            ready,
            counters: Counters::default(),
        }
    }

    /// Binds a socket; returns its address with the real port. A UDP socket's name follows as `FlowUp`.
    ///
    /// # Errors
    /// - [`ListenError`]: show its sentence; it names the port.
    pub fn listen(&mut self, transport: Transport, addr: SocketAddr) -> Result<SocketAddr, ListenError> {
        self.listen_by(NetworkId::SYSTEM, transport, addr)
    }

    fn listen_by(
        &mut self,
        network: NetworkId,
        transport: Transport,
        addr: SocketAddr,
    ) -> Result<SocketAddr, ListenError> {
        let bound = match transport {
            Transport::Udp => self.bind_udp(network, addr),
            Transport::Tcp | Transport::Ws => self.bind_tcp(network, transport, addr, None),
            Transport::Tls | Transport::Wss => {
                let identity = self.identity.clone().ok_or(ListenError::NoCertificate { transport, addr })?;
                self.bind_tcp(network, transport, addr, Some(identity))
            }
        };
        bound.map_err(|error| ListenError::of(transport, addr, error))
    }

    fn bind_udp(&mut self, network: NetworkId, addr: SocketAddr) -> io::Result<SocketAddr> {
        let flow = self.new_flow();
        let udp = Udp::bind(network, addr, self.binder.as_deref(), self.ready.source(Token::Udp(flow)))?;
        let bound = udp.bound;
        self.udp.insert(flow, udp);
        let local = concrete(bound);
        let transport = Transport::Udp;
        self.news.push_back(NetEvent::FlowUp { network, flow, transport, local, remote: None });
        Ok(bound)
    }

    fn bind_tcp(
        &mut self,
        network: NetworkId,
        transport: Transport,
        addr: SocketAddr,
        identity: Option<Identity>,
    ) -> io::Result<SocketAddr> {
        let tcp = tcp::listen(addr)?;
        let bound = tcp.local_addr()?;
        let waker = self.ready.source(Token::Listener(self.listeners.len()));
        self.listeners.push(Some(Listener { network, tcp, bound, waker, transport, identity }));
        Ok(bound)
    }

    /// Closes what listens at `addr`, as [`Net::listen`] told it. Streams that were accepted there live on.
    pub fn unlisten(&mut self, addr: SocketAddr) {
        for listener in &mut self.listeners {
            if listener.as_ref().is_some_and(|l| l.bound == addr) {
                *listener = None;
            }
        }
        // Lanes of the same place go with it.
        let beside = |udp: &Udp| udp.network.lane().is_some() && udp.bound.ip() == addr.ip();
        let those = self.udp.iter().filter(|(_, udp)| udp.bound == addr || beside(udp));
        let flows: Vec<_> = those.map(|(flow, _)| *flow).collect();
        for flow in flows {
            self.close(flow);
        }
    }

    /// Carries out one order. Never blocks; what it brings about comes as news.
    pub fn execute(&mut self, order: Order) {
        match order {
            Order::Send { flow, to, bytes } => self.send(flow, to, bytes),
            Order::OpenFlow { network, transport, remote, name } => {
                self.open(Whom { network, transport, remote, name });
            }
            Order::SwitchPort { network, further } => self.switch_port(network, further),
            Order::CloseFlow { flow } => self.close(flow),
            Order::Resolve { network, query, question } => self.resolve(network, query, &question),
        }
    }

    /// The system's network is another now: routes and the system's name servers are asked for anew.
    pub fn network_changed(&mut self) {
        self.routes.forget();
        self.dns.values_mut().for_each(Dns::forget);
    }

    /// Shows every socket made from now on to `binder`, before it is used.
    pub fn set_binder(&mut self, binder: Option<Arc<dyn Bind>>) {
        self.binder = binder;
    }

    /// Trusts these from now on when it opens streams under TLS.
    pub fn set_trusts(&mut self, trusts: Trusts) {
        self.trusts = trusts;
    }

    /// Where the WebSocket of the server of that name is, from now on.
    pub fn set_path(&mut self, name: &str, path: &str) {
        self.paths.insert(name.to_ascii_lowercase(), path.to_owned());
    }

    /// What an account knows of the server of that name, from now on; connections that are there stay.
    ///
    /// # Errors
    /// - [`Unusable`]: what should be shown to the server cannot be.
    pub fn know(
        &mut self,
        name: &str,
        pin: Option<Fingerprint>,
        shown: Option<&ClientCertificate>,
    ) -> Result<(), Unusable> {
        self.trusts.know(name, pin, shown)
    }

    /// Shows this where it listens for TLS from now on.
    pub fn set_identity(&mut self, identity: Identity) {
        self.identity = Some(identity);
    }

    /// Asks these name servers from now on, by the system's network.
    pub fn set_name_servers(&mut self, servers: NameServers) {
        self.dns.entry(NetworkId::SYSTEM).or_default().set_servers(servers);
    }

    /// The next piece of news, when there is one. May be dropped while it waits: nothing is lost.
    pub async fn next(&mut self) -> NetEvent<'_> {
        let found = poll_fn(|cx| {
            let found = self.find();
            if found.is_none() {
                self.ready.park(cx);
            }
            found.map_or(Poll::Pending, Poll::Ready)
        })
        .await;
        self.lend(found)
    }

    /// The next piece of news, if there is one now: what else one wake-up brought.
    pub fn try_next(&mut self) -> Option<NetEvent<'_>> {
        self.find().map(|found| self.lend(found))
    }

    /// What happened how often.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    fn lend(&self, found: Found) -> NetEvent<'_> {
        match found {
            Found::Bytes { flow, from, len } => NetEvent::Bytes { flow, from, bytes: &self.room[..len] },
            Found::News(news) => news,
        }
    }

    /// One round over what was woken; `None` when it gave nothing (what was woken meanwhile waits for the next call).
    fn find(&mut self) -> Option<Found> {
        if let Some(news) = self.news.pop_front() {
            return Some(Found::News(news));
        }
        self.ready.begin_round();
        while let Some(token) = self.ready.next() {
            let found = match token {
                Token::Udp(flow) => self.poll_udp(flow),
                Token::Stream(flow) => self.poll_stream(flow),
                Token::Listener(index) => self.poll_listener(index),
                Token::Dial(dial) => self.poll_dial(dial),
                Token::Query(query) => self.poll_query(query),
                Token::Sweep => self.poll_sweep(),
            };
            if found.is_some() {
                return found;
            }
            if let Some(news) = self.news.pop_front() {
                return Some(Found::News(news));
            }
        }
        None
    }

    fn poll_udp(&mut self, flow: FlowId) -> Option<Found> {
        let udp = self.udp.get_mut(&flow)?;
        let Poll::Ready(got) = udp.poll(&mut self.room) else { return None };
        udp.waker.wake_by_ref(); // there may be more; the others first
        Some(match got {
            Udping::Datagram { len, from } => {
                self.counters.received += 1;
                Found::Bytes { flow, from, len }
            }
            Udping::NobodyThere(remote) => {
                self.counters.unreachable += 1;
                let (network, transport) = (udp.network, Transport::Udp);
                Found::News(NetEvent::FlowFailed { network, transport, remote })
            }
        })
    }

    fn poll_stream(&mut self, flow: FlowId) -> Option<Found> {
        let stream = self.streams.get_mut(&flow)?;
        let flushed = stream.poll_flush();
        if stream.closing {
            if flushed.is_ready() {
                self.forget_stream(flow);
            }
            return None;
        }
        if let Poll::Ready(Err(_)) = flushed {
            return self.end_stream(flow);
        }
        match stream.poll_read(&mut self.room) {
            Poll::Pending => None,
            Poll::Ready(Ok(len)) if len > 0 => {
                stream.waker.wake_by_ref();
                self.counters.received += 1;
                Some(Found::Bytes { flow, from: stream.remote, len })
            }
            Poll::Ready(Ok(_) | Err(_)) => self.end_stream(flow),
        }
    }

    fn poll_query(&mut self, query: QueryId) -> Option<Found> {
        let ask = self.asks.get_mut(&query)?;
        let Poll::Ready(answer) = ask.asking.as_mut().poll(&mut Context::from_waker(&ask.waker)) else {
            return None;
        };
        self.asks.remove(&query);
        Some(Found::News(NetEvent::Resolved { query, answer }))
    }

    fn end_stream(&mut self, flow: FlowId) -> Option<Found> {
        self.forget_stream(flow).then_some(Found::News(NetEvent::FlowDown { flow }))
    }

    fn forget_stream(&mut self, flow: FlowId) -> bool {
        let Some(stream) = self.streams.remove(&flow) else { return false };
        if stream.accepted {
            self.one_less(stream.remote, ALL);
        }
        true
    }

    /// An accepted connection is gone, or is through with its handshake.
    fn one_less(&mut self, remote: SocketAddr, of: usize) {
        self.accepted[of] -= 1;
        let crowd = crowd(remote.ip());
        if let Some(counts) = self.crowds.get_mut(&crowd) {
            counts[of] -= 1;
            if *counts == [0; 2] {
                self.crowds.remove(&crowd);
            }
        }
    }

    fn send(&mut self, flow: FlowId, to: SocketAddr, bytes: Bytes) {
        if let Some(udp) = self.udp.get(&flow) {
            match udp.send(to, &bytes) {
                Ok(()) => self.counters.sent += 1,
                // A full buffer is loss like any other; what else the system refuses will not go by a repetition either.
                Err(e) => {
                    self.counters.unsent += 1;
                    if e.kind() != io::ErrorKind::WouldBlock {
                        let (network, transport) = (udp.network, Transport::Udp);
                        self.news.push_back(NetEvent::FlowFailed { network, transport, remote: to });
                    }
                }
            }
            return;
        }
        let Some(stream) = self.streams.get_mut(&flow).filter(|s| !s.closing) else {
            self.counters.stray += 1;
            return;
        };
        match stream.send(bytes, self.limits.write_queue) {
            Ok(()) => self.counters.sent += 1,
            Err(why) => {
                match why {
                    Clogged::Full => self.counters.clogged += 1,
                    Clogged::Gone => {}
                }
                self.forget_stream(flow);
                self.news.push_back(NetEvent::FlowDown { flow });
            }
        }
    }

    fn close(&mut self, flow: FlowId) {
        let Some(stream) = self.streams.get_mut(&flow).filter(|s| !s.closing) else {
            if self.udp.remove(&flow).is_some() {
                self.news.push_back(NetEvent::FlowDown { flow });
            }
            return;
        };
        stream.say_goodbye();
        if stream.is_flushed() {
            self.forget_stream(flow);
        } else {
            stream.closing = true;
            stream.age = 0;
            self.arm_sweep();
        }
        self.news.push_back(NetEvent::FlowDown { flow });
    }

    fn resolve(&mut self, network: NetworkId, query: QueryId, question: &Question) {
        let room = self.asks.len() < QUERIES;
        let dns = self.dns.get_mut(&network).filter(|_| room);
        match dns.and_then(|dns| dns.ask(question)) {
            Some(asking) => {
                let waker = self.ready.source(Token::Query(query));
                self.asks.insert(query, Ask { asking, waker });
            }
            None => self.news.push_back(NetEvent::Resolved { query, answer: Answer::Failed }),
        }
    }

    fn arm_sweep(&mut self) {
        if self.sweep.is_none() {
            self.sweep = Some(Box::pin(tokio::time::sleep(SWEEP)));
            self.sweep_waker.wake_by_ref();
        }
    }

    /// Looks over what may not stay: only while there is such.
    fn poll_sweep(&mut self) -> Option<Found> {
        let sleep = self.sweep.as_mut()?;
        if sleep.as_mut().poll(&mut Context::from_waker(&self.sweep_waker)).is_pending() {
            return None;
        }
        self.sweep = None;
        let sweeps =
            |d: Duration| u32::try_from(d.as_millis().div_ceil(SWEEP.as_millis())).unwrap_or(u32::MAX);
        let (answered_within, idle) = (sweeps(self.limits.answered_within), sweeps(self.limits.idle));
        let mut over = Vec::new();
        for (flow, stream) in &mut self.streams {
            stream.age = stream.age.saturating_add(1);
            stream.quiet = stream.quiet.saturating_add(1);
            if stream.unanswered && stream.age > answered_within {
                self.counters.unanswered += 1;
                over.push(*flow);
            } else if stream.accepted && stream.quiet > idle {
                self.counters.idle += 1;
                over.push(*flow);
            } else if stream.closing && stream.age > answered_within {
                over.push(*flow);
            }
        }
        for flow in over {
            let told = self.streams.get(&flow).is_some_and(|s| s.closing);
            if self.forget_stream(flow) && !told {
                self.news.push_back(NetEvent::FlowDown { flow });
            }
        }
        for listener in self.listeners.iter().flatten() {
            listener.waker.wake_by_ref();
        }
        if self.streams.values().any(|s| s.accepted || s.closing) {
            self.arm_sweep();
        }
        None
    }

    fn new_flow(&mut self) -> FlowId {
        // Four thousand million connections are not reached in a process's life.
        self.last_flow = self.last_flow.wrapping_add(1);
        FlowId(self.last_flow)
    }
}
