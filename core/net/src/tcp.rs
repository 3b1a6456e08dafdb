//! TCP, and what lies over it: listeners, and connections with a bounded write queue.
//!
//! Framing and message limits are `sip`'s; here only how long they may be useless, and how much may wait for a slow reader.
//! How they come to be is `dial`'s. Knows nothing of messages, but that WebSocket keeps them apart.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use base::{NetworkId, Transport};
use bytes::Bytes;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::Limits;
use crate::dial::Connected;
use crate::tls::Session;
use crate::web::{Heard, Web};

/// Connections waiting to be accepted.
const BACKLOG: u32 = 1024;

/// How long sent bytes may stay unacknowledged: with the phone's ping every 45 s, a dead peer is known within the minute.
const UNACKNOWLEDGED: Duration = Duration::from_secs(15);

/// What may wait to be answered to a WebSocket's pings.
const ROOM_FOR_ANSWERS: usize = 16 * 1024;

pub(crate) fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if addr.is_ipv6() {
        SockRef::from(&socket).set_only_v6(true)?;
    }
    socket.set_reuseaddr(true)?; // a restarted server: old connections still in TIME-WAIT
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// A socket as what sessions read and write: it never waits.
pub(crate) struct Io<'a>(pub(crate) &'a TcpStream);

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
    web: Option<Web>,
    pub(crate) transport: Transport,
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
        Connected { tcp, tls, web, transport }: Connected,
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
            web,
            transport,
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

    /// Sends a message, or more bytes of a stream: writes what goes at once and keeps the rest, up to `bound` bytes.
    pub(crate) fn send(&mut self, bytes: Bytes, bound: usize) -> Result<(), Clogged> {
        self.unanswered = false;
        self.quiet = 0;
        let bytes = match &mut self.web {
            Some(web) => web.message(&bytes),
            None => bytes,
        };
        self.write(bytes, bound)
    }

    fn write(&mut self, mut bytes: Bytes, bound: usize) -> Result<(), Clogged> {
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

    /// Reads the next piece of a stream, or the next message, into `room`; 0 is the end.
    pub(crate) fn poll_read(&mut self, room: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            match self.web.as_mut().map(Web::hear) {
                None => return self.poll_read_bytes(room),
                Some(Heard::Message(message)) => {
                    // One that is too long has ended the connection before.
                    let len = message.len().min(room.len());
                    room[..len].copy_from_slice(&message[..len]);
                    return Poll::Ready(Ok(len));
                }
                Some(Heard::Answer(pong)) => {
                    // Who asks and asks and does not read is over.
                    if self.write(pong, ROOM_FOR_ANSWERS).is_err() {
                        return Poll::Ready(Ok(0));
                    }
                }
                Some(Heard::Over(close)) => {
                    let _ = self.write(close, ROOM_FOR_ANSWERS);
                    return Poll::Ready(Ok(0));
                }
                Some(Heard::Nothing) => {
                    let len = match ready!(self.poll_read_bytes(room))? {
                        0 => return Poll::Ready(Ok(0)),
                        len => len,
                    };
                    if let Some(web) = &mut self.web {
                        web.came(&room[..len]);
                    }
                }
            }
        }
    }

    fn poll_read_bytes(&mut self, room: &mut [u8]) -> Poll<io::Result<usize>> {
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

    /// Says goodbye, where there is a word for it.
    pub(crate) fn say_goodbye(&mut self) {
        if let Some(close) = self.web.as_mut().map(Web::close) {
            let _ = self.write(close, usize::MAX);
        }
        if let Some(tls) = &mut self.tls {
            tls.close();
            let _ = tls.flush(&mut Io(&self.tcp));
        }
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
