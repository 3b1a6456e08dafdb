//! One TCP connection of a media stream: to a relay, perhaps under TLS, or punched through routers to the other side.
//!
//! Never blocks: it is looked at once a tick. Several share one local address, connecting and listening at once (RFC 6544
//! section 7.1), for which each needs both SO_REUSEADDR and SO_REUSEPORT. What does not get out in time is dropped: late
//! sound is no sound. Knows nothing of what the messages say.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd as _;
use std::time::Duration;

use base::{Instant, NetworkId};
use nat::framing::{self, Framing, Splitter};
use nix::poll::{PollFd, PollFlags};
use offhook_net::Bind;
use offhook_net::tls::{Session, Shake};
use socket2::{Domain, Protocol, Socket, Type};

/// Bytes that may wait for the network: a fifth of a second of G.711 and some control.
const MOST_WAITING: usize = 16 * 1024;
/// Bytes read in one tick.
const READS: usize = 16;
const ROOM: usize = 4096;
/// A connection that is not there by then never comes. Punching has deadlines of its own.
const PATIENCE: Duration = Duration::from_secs(20);
/// A handshake that is not done by then is given up.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Connections that wait to be taken.
const BACKLOG: i32 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Connecting {
        since: Instant,
    },
    /// It is there, and who the other side is has yet to be shown.
    Shaking {
        since: Instant,
    },
    Open,
}

/// A connection, on its way or open.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    tls: Option<Session>,
    state: State,
    framing: Framing,
    splitter: Splitter,
    waiting: Vec<u8>,
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
}

/// What became of a connection in a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Nothing new.
    Same,
    /// It is open.
    Up,
    /// It is gone, or never came; a refusal (RST) while connecting is told apart from silence.
    Down { refused: bool },
}

impl Connection {
    /// Begins to connect.
    pub(super) fn begin(
        from: Option<SocketAddr>,
        to: SocketAddr,
        framing: Framing,
        binder: Option<(&dyn Bind, NetworkId)>,
        now: Instant,
    ) -> io::Result<Self> {
        let socket = shared(to, from, binder)?;
        match socket.connect(&to.into()) {
            Ok(()) => {}
            Err(e) if e.raw_os_error() == Some(nix::errno::Errno::EINPROGRESS as i32) => {}
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
            Err(e) => return Err(e),
        }
        Self::over(socket.into(), to, framing, State::Connecting { since: now })
    }

    fn over(stream: TcpStream, remote: SocketAddr, framing: Framing, state: State) -> io::Result<Self> {
        let local = stream.local_addr()?;
        let _ = stream.set_nodelay(true);
        let splitter = Splitter::new(framing);
        Ok(Self { stream, tls: None, state, framing, splitter, waiting: Vec::new(), local, remote })
    }

    /// The same under TLS, once it is there.
    pub(super) fn under(self, tls: Session) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// What is waited for: that it is there, or what it says.
    pub(super) fn waits(&self) -> PollFd<'_> {
        let flags = match self.state {
            State::Connecting { .. } => PollFlags::POLLOUT,
            State::Shaking { .. } | State::Open => PollFlags::POLLIN,
        };
        PollFd::new(self.stream.as_fd(), flags)
    }

    /// How it stands.
    pub(super) fn look(&mut self, now: Instant) -> Look {
        let since = match self.state {
            State::Connecting { since } => since,
            State::Shaking { since } => return self.shake(since, now),
            State::Open => return Look::Same,
        };
        match self.stream.take_error() {
            Ok(None) => {}
            Ok(Some(e)) => return Look::Down { refused: e.kind() == io::ErrorKind::ConnectionRefused },
            Err(_) => return Look::Down { refused: false },
        }
        if self.stream.peer_addr().is_ok() {
            if self.tls.is_some() {
                self.state = State::Shaking { since: now };
                return self.shake(now, now);
            }
            self.state = State::Open;
            return Look::Up;
        }
        if now.since(since) > PATIENCE { Look::Down { refused: false } } else { Look::Same }
    }

    fn shake(&mut self, since: Instant, now: Instant) -> Look {
        match self.tls.as_mut().map_or(Ok(Shake::Done), |tls| tls.shake(&mut self.stream)) {
            Ok(Shake::Done) => {
                self.state = State::Open;
                Look::Up
            }
            Ok(Shake::Read | Shake::Write) if now.since(since) <= HANDSHAKE => Look::Same,
            Ok(Shake::Read | Shake::Write) | Err(_) => Look::Down { refused: false },
        }
    }

    /// Takes all messages that are there, each whole. False: the connection is over.
    pub(super) fn read(&mut self, mut message: impl FnMut(&[u8])) -> bool {
        if self.state != State::Open {
            return true;
        }
        let mut room = [0; ROOM];
        for _ in 0..READS {
            let read = match &mut self.tls {
                Some(tls) => tls.read(&mut self.stream, &mut room),
                None => self.stream.read(&mut room),
            };
            match read {
                Ok(0) => return false,
                Ok(n) => {
                    self.splitter.feed(&room[..n]);
                    loop {
                        match self.splitter.next_message() {
                            Ok(Some(whole)) => message(whole),
                            Ok(None) => break,
                            Err(_) => return false,
                        }
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return true,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        true
    }

    /// Sends one message, or drops it when too much waits already. False: the connection is over.
    pub(super) fn send(&mut self, message: &[u8]) -> bool {
        if self.state != State::Open {
            return true;
        }
        if self.waiting.len() < MOST_WAITING {
            // What is too long for its frame is nothing that we write.
            let _ = framing::write(self.framing, message, &mut self.waiting);
        }
        self.flush()
    }

    /// Sends what waits. False: the connection is over.
    pub(super) fn flush(&mut self) -> bool {
        while !self.waiting.is_empty() && self.state == State::Open {
            let written = match &mut self.tls {
                Some(tls) => tls.write(&mut self.stream, &self.waiting),
                None => self.stream.write(&self.waiting),
            };
            match written {
                Ok(n) => drop(self.waiting.drain(..n)),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return true,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        match self.tls.as_mut().filter(|_| self.state == State::Open) {
            Some(tls) => tls.flush(&mut self.stream).map_or_else(
                |e| matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted),
                |()| true,
            ),
            None => true,
        }
    }
}

/// A listener that shares its address with those that connect from it.
#[derive(Debug)]
pub(super) struct Listener {
    listener: TcpListener,
    pub(super) local: SocketAddr,
}

impl Listener {
    pub(super) fn at(at: SocketAddr, binder: Option<(&dyn Bind, NetworkId)>) -> io::Result<Self> {
        let socket = shared(at, Some(at), binder)?;
        socket.listen(BACKLOG)?;
        let listener: TcpListener = socket.into();
        Ok(Self { local: listener.local_addr()?, listener })
    }

    pub(super) fn waits(&self) -> PollFd<'_> {
        PollFd::new(self.listener.as_fd(), PollFlags::POLLIN)
    }

    /// The next connection that waits. Those that are taken carry media: RFC 4571.
    pub(super) fn take(&self) -> Option<Connection> {
        let (stream, remote) = self.listener.accept().ok()?;
        stream.set_nonblocking(true).ok()?;
        Connection::over(stream, remote, Framing::Rfc4571, State::Open).ok()
    }
}

fn shared(
    toward: SocketAddr,
    bind: Option<SocketAddr>,
    binder: Option<(&dyn Bind, NetworkId)>,
) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(toward), Type::STREAM, Some(Protocol::TCP))?;
    if let Some((binder, network)) = binder {
        binder.bind(socket.as_fd(), network);
    }
    socket.set_nonblocking(true)?;
    if let Some(bind) = bind {
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(true)?;
        socket.bind(&bind.into())?;
    }
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    const ANY: &str = "127.0.0.1:0";

    /// Until it is so; a local connection takes a moment, not a while.
    fn until(mut is_so: impl FnMut() -> bool) {
        while !is_so() {
            std::thread::yield_now();
        }
    }

    #[test]
    fn one_port_listens_connects_and_is_connected_to_at_once() {
        let now = clock::now();
        let server = Listener::at(ANY.parse().unwrap(), None).unwrap();
        let from = Some(ANY.parse().unwrap());
        let mut out = Connection::begin(from, server.local, Framing::Turn, None, now).unwrap();
        until(|| out.look(now) == Look::Up);
        let here = Listener::at(out.local, None).unwrap();
        let mut other = Connection::begin(None, here.local, Framing::Rfc4571, None, now).unwrap();
        until(|| other.look(now) == Look::Up);
        let mut taken = None;
        until(|| {
            taken = here.take();
            taken.is_some()
        });
        let mut taken = taken.unwrap();
        assert!(other.send(b"a packet") && other.send(b"another"));
        let mut got = Vec::new();
        until(|| {
            assert!(taken.read(|message| got.push(message.to_vec())));
            got.len() == 2
        });
        assert_eq!(got, [b"a packet".to_vec(), b"another".to_vec()]);
        drop(other);
        until(|| !taken.read(|_| ()));
    }

    #[test]
    fn nobody_there_is_a_refusal() {
        let gone = Listener::at(ANY.parse().unwrap(), None).unwrap().local;
        let now = clock::now();
        // Some kernels refuse loopback at once.
        if let Ok(mut connection) = Connection::begin(None, gone, Framing::Rfc4571, None, now) {
            let mut look = Look::Same;
            until(|| {
                look = connection.look(now);
                look != Look::Same
            });
            assert_eq!(look, Look::Down { refused: true });
        }
    }

    #[test]
    fn two_that_connect_to_each_other_at_once_have_one_stream() {
        let now = clock::now();
        let a = Listener::at(ANY.parse().unwrap(), None).unwrap().local;
        let b = Listener::at(ANY.parse().unwrap(), None).unwrap().local;
        // Without listeners a first connect may be refused, or meet itself: that is what retries are for.
        let open = (0..200).any(|_| {
            let Ok(mut one) = Connection::begin(Some(a), b, Framing::Rfc4571, None, now) else {
                return false;
            };
            let Ok(mut two) = Connection::begin(Some(b), a, Framing::Rfc4571, None, now) else {
                return false;
            };
            one.look(now) == Look::Up && two.look(now) == Look::Up
        });
        // Loopback delivers the first SYN before the second socket exists: only that it never panics or hangs is ours.
        let _ = open;
    }

    /// A relay's side, in a thread: says back what it hears. Its certificate, in PEM.
    #[cfg(feature = "tls")]
    fn echo_under_tls(name: &str) -> (SocketAddr, String) {
        use offhook_net::tls::Identity;
        let key = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let (certificate, key) = (key.cert.pem(), key.signing_key.serialize_pem());
        let identity = Identity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
        let listener = TcpListener::bind(ANY).unwrap();
        let at = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut tcp, _) = listener.accept().unwrap();
            let mut session = Session::accepted(&identity);
            if session.shake(&mut tcp).is_err() {
                return;
            }
            let mut room = [0; 4096];
            while let Ok(n @ 1..) = session.read(&mut tcp, &mut room) {
                session.write(&mut tcp, &room[..n]).unwrap();
            }
        });
        (at, certificate)
    }

    #[cfg(feature = "tls")]
    #[test]
    fn a_relay_under_tls_is_spoken_to_once_it_has_shown_that_it_is_the_one() {
        use offhook_net::tls::{Trust, Trusts};
        for (asked, up) in [("relay.test", true), ("other.test", false)] {
            let (at, certificate) = echo_under_tls("relay.test");
            let mut trusts = Trusts::default();
            trusts.set(asked, Trust::authority(certificate.as_bytes()).unwrap());
            let now = clock::now();
            let begun = Connection::begin(None, at, Framing::Rfc4571, None, now).unwrap();
            let mut connection = begun.under(Session::toward(&trusts, asked).unwrap());
            assert!(connection.send(b"too early, and dropped"));
            let mut look = Look::Same;
            until(|| {
                look = connection.look(now);
                look != Look::Same
            });
            assert_eq!(look, if up { Look::Up } else { Look::Down { refused: false } }, "{asked}");
            if !up {
                continue;
            }
            assert!(connection.send(b"a packet") && connection.send(&[7; 1200]));
            let mut got = Vec::new();
            until(|| {
                assert!(connection.flush() && connection.read(|message| got.push(message.to_vec())));
                got.len() == 2
            });
            assert_eq!(got, [b"a packet".to_vec(), vec![7; 1200]]);
        }
    }

    #[cfg(feature = "tls")]
    #[test]
    fn a_relay_that_says_nothing_is_given_up() {
        use offhook_net::tls::Trusts;
        let silent = TcpListener::bind(ANY).unwrap();
        let now = clock::now();
        let begun = Connection::begin(None, silent.local_addr().unwrap(), Framing::Turn, None, now).unwrap();
        let mut connection = begun.under(Session::toward(&Trusts::default(), "relay.test").unwrap());
        until(|| connection.look(now) == Look::Same && connection.state != State::Connecting { since: now });
        assert_eq!(connection.look(now + HANDSHAKE), Look::Same);
        let late = now + HANDSHAKE + Duration::from_secs(1);
        assert_eq!(connection.look(late), Look::Down { refused: false });
    }
}
