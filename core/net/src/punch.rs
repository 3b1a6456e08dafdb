//! The sockets of TCP hole punching: many on one port, listening and connecting at once.
//!
//! RFC 5128 section 3.4, RFC 6544 appendix B. Each has SO_REUSEADDR and SO_REUSEPORT set and is bound before it connects, also
//! the one that asks S. Carries out `nat`'s orders and tells its news; when to try and whom to believe it leaves to
//! [`Punch`].

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant as Clock};

use base::{Instant, Rng};
use bytes::Bytes;
use nat::framing::{Framing, Splitter};
use nat::punch::{Attempt, Event, Failure, News, Order, Punch, PunchConfig, StreamId};
use nat::stun::{Message, Method, TransactionId, Writer};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::Bind;

/// Connections waiting to be accepted: the other host has a handful of ways to us.
const BACKLOG: u32 = 16;
/// How long S may take to be connected to and to answer.
const ASKING: Duration = Duration::from_secs(10);

type Dial = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

/// The sockets on one port.
pub struct PunchSockets {
    binder: Option<Arc<dyn Bind>>,
    listener: Option<TcpListener>,
    /// The listener could not be had, which is yet to be told.
    deaf: bool,
    dials: BTreeMap<Attempt, Dial>,
    streams: BTreeMap<StreamId, TcpStream>,
    accepted: u32,
    room: Vec<u8>,
}

impl fmt::Debug for PunchSockets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dials: Vec<_> = self.dials.keys().collect();
        f.debug_struct("PunchSockets")
            .field("dials", &dials)
            .field("streams", &self.streams)
            .finish_non_exhaustive()
    }
}

/// [`News`] whose bytes lie in the room.
enum Heard {
    Told(News<'static>),
    Bytes(StreamId, usize),
}

impl PunchSockets {
    /// None yet: [`Order`]s make them. The binder has its say on each.
    pub fn new(binder: Option<Arc<dyn Bind>>) -> Self {
        Self {
            binder,
            listener: None,
            deaf: false,
            dials: BTreeMap::new(),
            streams: BTreeMap::new(),
            accepted: 0,
            room: vec![0; 2048],
        }
    }

    /// Does what is ordered. What comes of it is news.
    pub fn execute(&mut self, order: Order) {
        match order {
            Order::ListenTcp { local } => {
                self.listener =
                    on_port(local, self.binder.as_deref()).and_then(|socket| socket.listen(BACKLOG)).ok();
                self.deaf = self.listener.is_none();
            }
            Order::StopListening => self.listener = None,
            Order::ConnectTcp { local, remote, attempt } => {
                let socket = on_port(local, self.binder.as_deref());
                self.dials.insert(attempt, Box::pin(async move { socket?.connect(remote).await }));
            }
            Order::CloseTcp { stream } => {
                if let StreamId::Dialled(attempt) = stream {
                    self.dials.remove(&attempt);
                }
                self.streams.remove(&stream);
            }
            Order::WriteTcp { stream, bytes } => {
                let Some(tcp) = self.streams.get(&stream) else { return };
                // Not through tokio: it would refuse until its first round has told that the socket is writable. All that is
                // written before the agreement fits a fresh socket's buffer; a stream that does not take it is useless, which
                // its silence will tell.
                let _ = SockRef::from(tcp).send(&bytes);
            }
        }
    }

    /// The next piece of news. Nothing is lost when it is not waited for.
    pub async fn next(&mut self) -> News<'_> {
        let heard = poll_fn(|cx| self.poll(cx)).await;
        match heard {
            Heard::Told(news) => news,
            Heard::Bytes(stream, len) => News::Bytes { stream, bytes: &self.room[..len] },
        }
    }

    /// Gives a stream away, with what has not been read from it.
    pub fn take(&mut self, stream: StreamId) -> Option<TcpStream> {
        self.streams.remove(&stream)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Heard> {
        if std::mem::take(&mut self.deaf) {
            return Poll::Ready(Heard::Told(News::AddressInUse { attempt: None }));
        }
        for (&attempt, dial) in &mut self.dials {
            if let Poll::Ready(dialled) = dial.as_mut().poll(cx) {
                self.dials.remove(&attempt);
                return Poll::Ready(Heard::Told(match dialled {
                    Ok(tcp) => {
                        self.streams.insert(StreamId::Dialled(attempt), prepared(tcp));
                        News::Connected { attempt }
                    }
                    Err(error) => ended(attempt, &error),
                }));
            }
        }
        if let Some(listener) = &self.listener
            && let Poll::Ready(accepted) = listener.poll_accept(cx)
        {
            // An error is that of a connection which is gone again; it wakes us for the next.
            match accepted {
                Ok((tcp, from)) => {
                    self.accepted += 1;
                    self.streams.insert(StreamId::Accepted(self.accepted), prepared(tcp));
                    return Poll::Ready(Heard::Told(News::Accepted { stream: self.accepted, from }));
                }
                Err(_) => cx.waker().wake_by_ref(),
            }
        }
        for (&stream, tcp) in &self.streams {
            match read(tcp, &mut self.room, cx) {
                Poll::Pending => {}
                Poll::Ready(Ok(len)) if len > 0 => return Poll::Ready(Heard::Bytes(stream, len)),
                Poll::Ready(Ok(_) | Err(_)) => {
                    self.streams.remove(&stream);
                    return Poll::Ready(Heard::Told(News::Closed { stream }));
                }
            }
        }
        Poll::Pending
    }
}

/// Punches until it is over: the stream that both sides keep, and what the other side has already said on it. For a
/// [`PunchConfig`] with [`nat::punch::Keep::One`].
///
/// # Errors
/// [`Failure`]: take a relay, or try again together.
pub async fn punch(
    config: PunchConfig,
    rng: Rng,
    binder: Option<Arc<dyn Bind>>,
) -> Result<(TcpStream, Bytes), Failure> {
    let (began, mut sockets) = (Clock::now(), PunchSockets::new(binder));
    let now = || Instant::from_nanos(began.elapsed().as_nanos() as u64);
    let mut machine = Punch::new(config, rng, now());
    loop {
        while let Some(order) = machine.poll_order() {
            sockets.execute(order);
        }
        match machine.poll_event() {
            Some(Event::Open { stream, rest, .. }) => {
                // Gone in the very moment: as good as never opened.
                return sockets.take(stream).map(|tcp| (tcp, rest)).ok_or(Failure::Silence);
            }
            Some(Event::Failed(failure)) => return Err(failure),
            None => {}
        }
        let wait = machine.next_wake().map_or(ASKING, |wake| wake.at.since(now()));
        match tokio::time::timeout(wait, sockets.next()).await {
            Ok(news) => machine.handle(news, now()),
            Err(_) => machine.due(now()),
        }
    }
}

/// Asks S from a port of ours under which address it is seen. The connection is to be kept while the hole is punched: it holds
/// the router's mapping. Port 0 takes a free one; the stream's own address is then what to punch from.
///
/// # Errors
/// S cannot be reached, or is no STUN server, or the port cannot be had.
pub async fn ask_outside(
    local: SocketAddr,
    server: SocketAddr,
    rng: &mut Rng,
    binder: Option<&dyn Bind>,
) -> io::Result<(TcpStream, SocketAddr)> {
    tokio::time::timeout(ASKING, async {
        let stream = prepared(on_port(local, binder)?.connect(server).await?);
        let id = TransactionId::draw(rng);
        SockRef::from(&stream).send(&Writer::request(Method::Binding, id).unsigned())?;
        let (mut splitter, mut room) = (Splitter::new(Framing::Turn), [0; 1024]);
        loop {
            let len = poll_fn(|cx| read(&stream, &mut room, cx)).await?;
            if len == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            splitter.feed(&room[..len]);
            while let Some(message) = splitter.next_message().map_err(io::Error::other)? {
                let answer = Message::read(message).map_err(io::Error::other)?;
                if answer.id() == id {
                    let mapped =
                        answer.mapped().ok_or_else(|| io::Error::other("S does not say who we are"))?;
                    return Ok((stream, mapped));
                }
            }
        }
    })
    .await?
}

/// A socket on our port, beside the others there.
fn on_port(local: SocketAddr, binder: Option<&dyn Bind>) -> io::Result<TcpSocket> {
    let socket = if local.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(binder) = binder {
        binder.bind(socket.as_fd(), base::NetworkId::SYSTEM);
    }
    if local.is_ipv6() {
        SockRef::from(&socket).set_only_v6(true)?;
    }
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(local)?;
    Ok(socket)
}

/// Voice and questions do not wait for more bytes.
fn prepared(tcp: TcpStream) -> TcpStream {
    let _ = tcp.set_nodelay(true);
    tcp
}

fn read(tcp: &TcpStream, room: &mut [u8], cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
    loop {
        ready!(tcp.poll_read_ready(cx))?;
        match tcp.try_read(room) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return Poll::Ready(done),
        }
    }
}

fn ended(attempt: Attempt, error: &io::Error) -> News<'static> {
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => News::Refused { attempt },
        io::ErrorKind::TimedOut => News::TimedOut { attempt },
        // The second one is how Linux says that this pair of addresses has a stream already.
        io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable => {
            News::AddressInUse { attempt: Some(attempt) }
        }
        _ => News::Unreachable { attempt },
    }
}

#[cfg(test)]
mod tests {
    use nat::punch::{DEADLINE, Keep};
    use nat::stun::Key;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn free(host: &str) -> SocketAddr {
        let addr = std::net::TcpListener::bind((host, 0)).unwrap().local_addr();
        addr.unwrap()
    }

    fn config(local: SocketAddr, remotes: &[SocketAddr], password: &str, within: Duration) -> PunchConfig {
        let keep = Keep::One { name: "a call".into(), key: Key::short_term(password) };
        PunchConfig { local, remotes: remotes.to_vec(), keep, within }
    }

    /// Both punch, the second one later; then both say something.
    async fn meet(lag: Duration, seed: u64) {
        let (a, b) = (free("127.0.0.1"), free("127.0.0.2"));
        let mut rng = Rng::from_number(seed);
        let first = punch(config(a, &[b], "s", DEADLINE), rng.split(), None);
        let second = async {
            tokio::time::sleep(lag).await;
            punch(config(b, &[a], "s", DEADLINE), rng.split(), None).await
        };
        let (first, second) = tokio::join!(first, second);
        let ((mut first, rest_a), (mut second, rest_b)) = (first.unwrap(), second.unwrap());
        assert_eq!((first.local_addr().unwrap(), first.peer_addr().unwrap()), (a, b));
        assert_eq!((second.local_addr().unwrap(), second.peer_addr().unwrap()), (b, a));
        assert!(rest_a.is_empty() && rest_b.is_empty());
        let mut room = [0; 5];
        first.write_all(b"hello").await.unwrap();
        second.read_exact(&mut room).await.unwrap();
        second.write_all(&room).await.unwrap();
        first.read_exact(&mut room).await.unwrap();
        assert_eq!(&room, b"hello");
    }

    #[tokio::test]
    async fn two_hosts_that_begin_at_once_open_one_stream() {
        for seed in 0..20 {
            meet(Duration::ZERO, seed).await;
        }
    }

    /// The first is refused by its system's RST until the other is there.
    #[tokio::test]
    async fn one_who_was_refused_tries_again_until_the_other_is_there() {
        meet(Duration::from_millis(300), 1).await;
    }

    #[tokio::test]
    async fn who_does_not_know_the_secret_gets_no_stream() {
        let (a, b) = (free("127.0.0.1"), free("127.0.0.1"));
        let within = Duration::from_millis(400);
        let mut rng = Rng::from_number(1);
        let (first, second) = tokio::join!(
            punch(config(a, &[b], "right", within), rng.split(), None),
            punch(config(b, &[a], "wrong", within), rng.split(), None),
        );
        assert_eq!((first.err(), second.err()), (Some(Failure::Stranger), Some(Failure::Stranger)));
    }

    #[tokio::test]
    async fn a_port_that_somebody_else_holds_is_said_to_be_in_use() {
        let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = holder.local_addr().unwrap();
        let within = Duration::from_millis(200);
        let failed = punch(config(taken, &[free("127.0.0.1")], "s", within), Rng::from_number(1), None).await;
        assert_eq!(failed.err(), Some(Failure::PortInUse));
    }

    #[tokio::test]
    async fn the_port_that_asked_s_is_punched_from_while_s_stays_connected() {
        let s = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = s.local_addr().unwrap();
        let serve = async {
            let (mut stream, from) = s.accept().await.unwrap();
            let mut room = [0; 20];
            stream.read_exact(&mut room).await.unwrap();
            let request = Message::read(&room).unwrap();
            let answer = Writer::success(&request)
                .hidden_address(nat::stun::attribute::XOR_MAPPED_ADDRESS, from)
                .unsigned();
            stream.write_all(&answer).await.unwrap();
            stream
        };
        let mut rng = Rng::from_number(1);
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let (asked, _served) = tokio::join!(ask_outside(any, server, &mut rng, None), serve);
        let (to_s, outside) = asked.unwrap();
        let local = to_s.local_addr().unwrap();
        assert_eq!(outside, local);
        let b = free("127.0.0.2");
        let (first, second) = tokio::join!(
            punch(config(local, &[b], "s", DEADLINE), rng.split(), None),
            punch(config(b, &[outside], "s", DEADLINE), rng.split(), None),
        );
        assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
    }
}
