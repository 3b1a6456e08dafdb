//! The STUN server's sockets: one UDP socket and one TCP listener at each of its addresses.
//!
//! RFC 8489 section 6.2.2 for streams: messages one behind the other, any number on a connection. A task for each socket and
//! each connection, on the exchange's one thread. Bounded: so many connections in all and from one host, each closed when
//! nothing came for a while. Decides nothing: [`StunServer`] does.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant as Clock};

use base::Transport;
use nat::framing::{Framing, Splitter};
use offhook_net::ListenError;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};

use super::{Listen, StartError, now};
use crate::stun::{Origin, StunCounters, StunServer};

/// Connections at once.
const MOST_STREAMS: usize = 256;
/// Connections at once from one host.
const MOST_PER_HOST: usize = 32;
/// A connection on which nothing comes for so long is closed. A hole is punched within seconds, and a router keeps the
/// connection's mapping longer than this anyway (RFC 5382 REQ-5).
const QUIET: Duration = Duration::from_secs(180);
/// How often free ports are looked for when the same ones are needed on two hosts and for two transports.
const TRIES: u32 = 32;

/// What all tasks share.
struct Shared {
    server: Mutex<StunServer>,
    streams: Mutex<BTreeMap<IpAddr, usize>>,
    began: Clock,
}

/// The running server's end that its owner holds.
pub(super) struct Stun {
    shared: Arc<Shared>,
}

/// Sockets of one address.
struct Bound {
    udp: UdpSocket,
    tcp: TcpListener,
}

impl Stun {
    /// Listens, and answers as long as the runtime that it is called in runs. `None`: nobody wants it.
    pub(super) fn begin(listen: &Listen, began: Clock) -> Result<Option<Self>, StartError> {
        let (first, other) = match (listen.stun, listen.stun_other) {
            (None, None) => return Ok(None),
            (None, Some(_)) => return Err(StartError::Config("stun_other is nothing without stun".into())),
            (Some(first), other) => (first, other),
        };
        if let Some(other) = other {
            check_pair(first, other)?;
        }
        let bound = bind_all(first, other)?;
        let at = |origin: Origin| bound.get(&origin).and_then(|bound| bound.udp.local_addr().ok());
        let first = at(Origin::ALL[0]).expect("the first address is bound");
        let server = StunServer::new(first, at(Origin { other_host: true, other_port: true }));
        let shared = Arc::new(Shared { server: Mutex::new(server), streams: Mutex::default(), began });
        let mut sockets = BTreeMap::new();
        for (origin, Bound { udp, tcp }) in bound {
            sockets.insert(origin, Arc::new(udp));
            tokio::spawn(accept(shared.clone(), origin, tcp));
        }
        let sockets = Arc::new(sockets);
        for (origin, udp) in &*sockets {
            tokio::spawn(serve_datagrams(shared.clone(), *origin, udp.clone(), sockets.clone()));
        }
        Ok(Some(Self { shared }))
    }

    /// The first address.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.shared.server().address(Origin::default())
    }

    /// The second one.
    pub(super) fn other_address(&self) -> Option<SocketAddr> {
        self.shared.server().address(Origin { other_host: true, other_port: true })
    }

    pub(super) fn counters(&self) -> StunCounters {
        *self.shared.server().counters()
    }
}

impl Shared {
    fn server(&self) -> MutexGuard<'_, StunServer> {
        self.server.lock().expect("the machine does not panic")
    }
}

/// RFC 5780 section 6: two hosts, and two ports on each.
fn check_pair(first: SocketAddr, other: SocketAddr) -> Result<(), StartError> {
    let wrong = if first.ip().is_unspecified() || other.ip().is_unspecified() {
        "stun and stun_other each name an address, not all of them"
    } else if first.is_ipv4() != other.is_ipv4() {
        "stun and stun_other are of one address family"
    } else if first.ip() == other.ip() {
        "stun and stun_other are on two addresses"
    } else if first.port() == other.port() && first.port() != 0 {
        "stun and stun_other have two ports"
    } else {
        return Ok(());
    };
    Err(StartError::Config(wrong.into()))
}

fn bind_all(first: SocketAddr, other: Option<SocketAddr>) -> Result<BTreeMap<Origin, Bound>, ListenError> {
    let any = first.port() == 0 || other.is_some_and(|other| other.port() == 0);
    let mut tries = if any { TRIES } else { 1 };
    loop {
        tries -= 1;
        match bind_once(first, other) {
            // The port that one socket was given may be somebody else's elsewhere.
            Err(ListenError::InUse { .. }) if tries > 0 => {}
            done => return done,
        }
    }
}

fn bind_once(first: SocketAddr, other: Option<SocketAddr>) -> Result<BTreeMap<Origin, Bound>, ListenError> {
    let mut bound = BTreeMap::new();
    let primary = bind(first)?;
    let first_port = port(&primary);
    bound.insert(Origin::ALL[0], primary);
    if let Some(other) = other {
        let far = bind(other)?;
        let other_port = port(&far);
        bound.insert(Origin { other_host: true, other_port: true }, far);
        let near = bind(SocketAddr::new(first.ip(), other_port))?;
        bound.insert(Origin { other_host: false, other_port: true }, near);
        let far = bind(SocketAddr::new(other.ip(), first_port))?;
        bound.insert(Origin { other_host: true, other_port: false }, far);
    }
    Ok(bound)
}

fn port(bound: &Bound) -> u16 {
    bound.udp.local_addr().map_or(0, |addr| addr.port())
}

/// Both transports at one address and one port.
fn bind(addr: SocketAddr) -> Result<Bound, ListenError> {
    let udp = bind_udp(addr).map_err(|error| ListenError::of(Transport::Udp, addr, error))?;
    let addr = udp.local_addr().map_err(|error| ListenError::of(Transport::Udp, addr, error))?;
    let tcp = listen_tcp(addr).map_err(|error| ListenError::of(Transport::Tcp, addr, error))?;
    Ok(Bound { udp, tcp })
}

#[allow(clippy::disallowed_types)] // made here, and tokio's from the next line on
fn bind_udp(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind(addr)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

fn listen_tcp(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?; // a restarted server: old connections still in TIME-WAIT
    socket.bind(addr)?;
    socket.listen(MOST_STREAMS as u32)
}

async fn serve_datagrams(
    shared: Arc<Shared>,
    at: Origin,
    socket: Arc<UdpSocket>,
    sockets: Arc<BTreeMap<Origin, Arc<UdpSocket>>>,
) {
    let mut room = vec![0; 2048]; // what is longer is cut, and then no message
    loop {
        let Ok((len, from)) = socket.recv_from(&mut room).await else {
            // That of an earlier answer which came back; should it be another, it is not asked for without a pause.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let reply = shared.server().datagram(at, from, &room[..len], now(shared.began));
        let Some(reply) = reply else { continue };
        let out = sockets.get(&reply.from).expect("the machine names sockets that are bound");
        // Who gets no answer asks again.
        let _ = out.send_to(&reply.bytes, reply.to).await;
    }
}

async fn accept(shared: Arc<Shared>, at: Origin, listener: TcpListener) {
    loop {
        let Ok((stream, from)) = listener.accept().await else {
            // No descriptors are left, say: others end in the meantime.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        if let Some(seat) = Seat::take(&shared, from.ip()) {
            tokio::spawn(async move {
                // Whatever ends a connection, the other side sees it end.
                let _ = serve_stream(&seat, at, stream, from).await;
            });
        }
    }
}

/// A connection's place among those there may be.
struct Seat {
    shared: Arc<Shared>,
    host: IpAddr,
}

impl Seat {
    fn take(shared: &Arc<Shared>, host: IpAddr) -> Option<Self> {
        let mut streams = shared.streams.lock().expect("nothing panics while counting");
        let all: usize = streams.values().sum();
        let here = streams.get(&host).copied().unwrap_or(0);
        if all >= MOST_STREAMS || here >= MOST_PER_HOST {
            return None;
        }
        streams.insert(host, here + 1);
        Some(Self { shared: shared.clone(), host })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut streams = self.shared.streams.lock().expect("nothing panics while counting");
        match streams.get_mut(&self.host) {
            Some(here) if *here > 1 => *here -= 1,
            Some(_) | None => drop(streams.remove(&self.host)),
        }
    }
}

async fn serve_stream(seat: &Seat, at: Origin, mut stream: TcpStream, from: SocketAddr) -> io::Result<()> {
    let _ = stream.set_nodelay(true);
    let (mut splitter, mut room) = (Splitter::new(Framing::Turn), [0; 1024]);
    loop {
        let Ok(read) = tokio::time::timeout(QUIET, stream.read(&mut room)).await else { return Ok(()) };
        let len = read?;
        if len == 0 {
            return Ok(());
        }
        splitter.feed(&room[..len]);
        while let Some(message) = splitter.next_message().map_err(io::Error::other)? {
            let shared = &seat.shared;
            let answer = shared.server().stream_message(at, from, message, now(shared.began));
            // One who does not read what they asked for is not waited for.
            if let Some(answer) = answer {
                tokio::time::timeout(Duration::from_secs(5), stream.write_all(&answer)).await??;
            }
        }
    }
}
