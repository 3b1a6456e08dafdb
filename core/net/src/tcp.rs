//! TCP, and TLS over it: listeners, connections being made, and streams with a bounded write queue.
//!
//! Framing and message limits are `sip`'s; here only how many connections there are, how long they may be useless, and how
//! much may wait for a slow reader. Knows nothing of messages.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use base::{NetworkId, Transport};
use bytes::Bytes;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::tls::{Session, Shake, Trusts, Unmade};
use crate::{Bind, Limits};

/// Connections waiting to be accepted.
const BACKLOG: u32 = 1024;

/// How long sent bytes may stay unacknowledged: with the phone's ping every 45 s, a dead peer is known within the minute.
const UNACKNOWLEDGED: Duration = Duration::from_secs(15);

pub(crate) fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if addr.is_ipv6() {
        SockRef::from(&socket).set_only_v6(true)?;
    }
    socket.set_reuseaddr(true)?; // a restarted server: old connections still in TIME-WAIT
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// A connection that is there, with its session where it is under TLS.
pub(crate) struct Connected {
    pub(crate) tcp: TcpStream,
    pub(crate) tls: Option<Session>,
}

/// Whom a connection is made to, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Whom {
    pub(crate) network: NetworkId,
    pub(crate) transport: Transport,
    pub(crate) remote: SocketAddr,
    /// Under TLS: whose certificate it must be.
    pub(crate) name: Option<Arc<str>>,
}

/// A connection being made; or one that was, and has yet to show that it speaks TLS.
pub(crate) struct Dial {
    pub(crate) whom: Whom,
    pub(crate) accepted: bool,
    pub(crate) waker: Waker,
    connecting: Pin<Box<dyn Future<Output = Result<Connected, Unmade>> + Send>>,
}

impl fmt::Debug for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dial({})", self.whom.remote)
    }
}

impl Dial {
    /// Connects from the address that our datagrams come from, when that is a concrete one.
    pub(crate) fn to(
        whom: Whom,
        from: Option<IpAddr>,
        binder: Option<Arc<dyn Bind>>,
        (limits, trusts): (&Limits, &Trusts),
        waker: Waker,
    ) -> Self {
        let Whom { network, remote, .. } = whom;
        let (within, shaken_within) = (limits.connect, limits.handshake);
        // Before the connection, for it may be in vain.
        let session = match (whom.transport, &whom.name) {
            (Transport::Tls, Some(name)) => Session::toward(trusts, name).map(Some),
            // Nobody to be sure of.
            (Transport::Tls, None) => Err(Unmade::Broken),
            (Transport::Udp | Transport::Tcp | Transport::Ws | Transport::Wss, _) => Ok(None),
        };
        let connect = async move {
            let socket = if remote.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
            if let Some(binder) = binder {
                binder.bind(socket.as_fd(), network);
            }
            if let Some(from) = from {
                socket.bind(SocketAddr::new(from, 0))?;
            }
            tokio::time::timeout(within, socket.connect(remote)).await?
        };
        let connecting = async move {
            let session = session?;
            let tcp = connect.await.map_err(|_: io::Error| Unmade::Broken)?;
            match session {
                Some(session) => shaken(tcp, session, shaken_within).await,
                None => Ok(Connected { tcp, tls: None }),
            }
        };
        Self { whom, accepted: false, waker, connecting: Box::pin(connecting) }
    }

    /// The handshake of one that was accepted.
    pub(crate) fn by(
        (network, remote): (NetworkId, SocketAddr),
        tcp: TcpStream,
        session: Session,
        within: Duration,
        waker: Waker,
    ) -> Self {
        let whom = Whom { network, transport: Transport::Tls, remote, name: None };
        Self { whom, accepted: true, waker, connecting: Box::pin(shaken(tcp, session, within)) }
    }

    pub(crate) fn poll(&mut self) -> Poll<Result<Connected, Unmade>> {
        self.connecting.as_mut().poll(&mut Context::from_waker(&self.waker))
    }
}

async fn shaken(tcp: TcpStream, mut session: Session, within: Duration) -> Result<Connected, Unmade> {
    let _ = tcp.set_nodelay(true);
    let shake = async {
        loop {
            let ready = match session.shake(&mut Io(&tcp))? {
                Shake::Done => return Ok(()),
                Shake::Read => tcp.readable().await,
                Shake::Write => tcp.writable().await,
            };
            ready.map_err(|_| Unmade::Broken)?;
        }
    };
    tokio::time::timeout(within, shake).await.map_err(|_| Unmade::Broken)??;
    Ok(Connected { tcp, tls: Some(session) })
}

/// A socket as what sessions read and write: it never waits.
struct Io<'a>(&'a TcpStream);

impl Read for Io<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(room)
    }
}

impl Write for Io<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One connection. What is yet to be written waits in order, in the buffers that it came in.
#[derive(Debug)]
pub(crate) struct Stream {
    tcp: TcpStream,
    tls: Option<Session>,
    pub(crate) network: NetworkId,
    pub(crate) remote: SocketAddr,
    pub(crate) waker: Waker,
    waiting: VecDeque<Bytes>,
    waiting_bytes: usize,
    /// Accepted, and we have not yet found anything on it worth an answer.
    pub(crate) unanswered: bool,
    pub(crate) accepted: bool,
    /// Closed by us; only what waits is still written.
    pub(crate) closing: bool,
    /// Sweeps since the last byte in either direction.
    pub(crate) quiet: u32,
    /// Sweeps since it was accepted or told to close.
    pub(crate) age: u32,
}

/// Why a stream takes no more.
pub(crate) enum Clogged {
    /// Too much waits to be written.
    Full,
    /// The connection is gone.
    Gone,
}

impl Stream {
    pub(crate) fn new(
        Connected { tcp, tls }: Connected,
        (network, remote): (NetworkId, SocketAddr),
        accepted: bool,
        limits: &Limits,
        waker: Waker,
    ) -> Self {
        let socket = SockRef::from(&tcp);
        // None of these is worth failing a call for.
        let _ = socket.set_tcp_nodelay(true);
        let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(limits.keepalive));
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
        Self {
            tcp,
            tls,
            network,
            remote,
            waker,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            unanswered: accepted,
            accepted,
            closing: false,
            quiet: 0,
            age: 0,
        }
    }

    pub(crate) fn local(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Writes what goes at once and keeps the rest, up to `bound` bytes.
    pub(crate) fn send(&mut self, mut bytes: Bytes, bound: usize) -> Result<(), Clogged> {
        self.unanswered = false;
        self.quiet = 0;
        while self.waiting.is_empty() && !bytes.is_empty() {
            match try_write(&self.tcp, self.tls.as_mut(), &bytes) {
                Ok(n) => drop(bytes.split_to(n)),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return Err(Clogged::Gone),
            }
        }
        if bytes.is_empty() {
            if !self.is_flushed() {
                self.waker.wake_by_ref();
            }
            return Ok(());
        }
        if self.waiting_bytes + bytes.len() > bound {
            return Err(Clogged::Full);
        }
        self.waiting_bytes += bytes.len();
        self.waiting.push_back(bytes);
        self.waker.wake_by_ref(); // to have writability watched
        Ok(())
    }

    /// Writes on what waits.
    pub(crate) fn poll_flush(&mut self) -> Poll<io::Result<()>> {
        let mut cx = Context::from_waker(&self.waker);
        while let Some(front) = self.waiting.front_mut() {
            ready!(self.tcp.poll_write_ready(&mut cx))?;
            match try_write(&self.tcp, self.tls.as_mut(), front) {
                Ok(n) => {
                    self.quiet = 0;
                    self.waiting_bytes -= n;
                    drop(front.split_to(n));
                    if front.is_empty() {
                        self.waiting.pop_front();
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(e) => return Poll::Ready(Err(e)),
            }
        }
        while let Some(tls) = self.tls.as_mut().filter(|tls| !tls.is_flushed()) {
            ready!(self.tcp.poll_write_ready(&mut cx))?;
            match tls.flush(&mut Io(&self.tcp)) {
                Ok(()) => self.quiet = 0,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(e) => return Poll::Ready(Err(e)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads the next piece into `room`; 0 is the end.
    pub(crate) fn poll_read(&mut self, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut cx = Context::from_waker(&self.waker);
        loop {
            // A session may have clear bytes although nothing more comes.
            let read = match &mut self.tls {
                Some(tls) => tls.read(&mut Io(&self.tcp), room),
                None => {
                    ready!(self.tcp.poll_read_ready(&mut cx))?;
                    self.tcp.try_read(room)
                }
            };
            match read {
                Ok(n) => {
                    self.quiet = 0;
                    return Poll::Ready(Ok(n));
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(e) => return Poll::Ready(Err(e)),
            }
            ready!(self.tcp.poll_read_ready(&mut cx))?;
        }
    }

    /// Says goodbye, where the session has a word for it.
    pub(crate) fn say_goodbye(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.close();
            let _ = tls.flush(&mut Io(&self.tcp));
        }
    }

    pub(crate) fn transport(&self) -> Transport {
        if self.tls.is_some() { Transport::Tls } else { Transport::Tcp }
    }

    pub(crate) fn is_flushed(&self) -> bool {
        self.waiting.is_empty() && self.tls.as_ref().is_none_or(Session::is_flushed)
    }
}

fn try_write(tcp: &TcpStream, tls: Option<&mut Session>, bytes: &[u8]) -> io::Result<usize> {
    match tls {
        Some(tls) => tls.write(&mut Io(tcp), bytes),
        None => tcp.try_write(bytes),
    }
}

/// What counts as one address: an IPv6 host has a /64 to itself.
pub(crate) fn crowd(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits() & !u128::from(u64::MAX),
    }
}
