//! Our relay client at coturn, over plain sockets.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use base::{Instant, Redacted, Rng, Secret};
use hmac::{Hmac, KeyInit as _, Mac as _};
use nat::framing::{Framing, Splitter};
use nat::turn::{Account, Bound, Client, Config, ConnectionId, Event, Family, Relaying, Why, rest};
use offhook_interop::{Coturn, SOON, can_run, skipped};

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

fn config(server: SocketAddr, password: &str) -> Config {
    let account = Account { user: Redacted::new("ann".into()), password: Secret::new(password.into()) };
    Config { loopback: true, ..Config::new(server, Some(account)) }
}

/// Our end of the way to the server.
enum Way {
    Udp(UdpSocket),
    Tcp(TcpStream, Box<Splitter>),
}

impl Way {
    fn open(config: &Config) -> Self {
        if config.reliable {
            let stream = TcpStream::connect(config.server).expect("coturn listens");
            stream.set_nodelay(true).expect("a stream takes the option");
            Self::Tcp(stream, Box::new(Splitter::new(Framing::Turn)))
        } else {
            let socket = UdpSocket::bind((config.server.ip(), 0)).expect("loopback takes a socket");
            socket.connect(config.server).expect("loopback is reached");
            Self::Udp(socket)
        }
    }

    fn send(&mut self, message: &[u8]) {
        match self {
            Self::Udp(socket) => {
                let _ = socket.send(message);
            }
            Self::Tcp(stream, _) => {
                let mut framed = Vec::new();
                nat::framing::write(Framing::Turn, message, &mut framed).expect("it is short");
                stream.write_all(&framed).expect("coturn reads");
            }
        }
    }

    /// Whole messages, as far as any come within a moment.
    fn receive(&mut self) -> Vec<Vec<u8>> {
        const MOMENT: Option<Duration> = Some(Duration::from_millis(20));
        let (mut buffer, mut messages) = ([0; 4096], Vec::new());
        match self {
            Self::Udp(socket) => {
                socket.set_read_timeout(MOMENT).expect("a timeout can be set");
                messages.extend(socket.recv(&mut buffer).map(|n| buffer[..n].to_vec()));
            }
            Self::Tcp(stream, splitter) => {
                stream.set_read_timeout(MOMENT).expect("a timeout can be set");
                let n = stream.read(&mut buffer).unwrap_or(0);
                splitter.feed(&buffer[..n]);
                while let Some(message) = splitter.next_message().expect("coturn keeps its frames") {
                    messages.push(message.to_vec());
                }
            }
        }
        messages
    }
}

/// A client on its socket, in real time.
struct Driven {
    client: Client,
    config: Config,
    way: Way,
    began: std::time::Instant,
    events: VecDeque<Event>,
}

impl Driven {
    fn new(config: Config) -> Self {
        let way = Way::open(&config);
        let client =
            Client::new(config.clone(), None, Rng::from_number(1), Instant::ZERO).expect("it may ask");
        Self { client, config, way, began: std::time::Instant::now(), events: VecDeque::new() }
    }

    fn now(&self) -> Instant {
        Instant::ZERO + self.began.elapsed()
    }

    fn step(&mut self) {
        let now = self.now();
        self.client.due(now);
        while let Some(bytes) = self.client.poll_send() {
            self.way.send(&bytes);
        }
        for message in self.way.receive() {
            let now = self.now();
            assert!(self.client.heard(&message, now), "coturn says what nobody asked: {message:x?}");
        }
        while let Some(bytes) = self.client.poll_send() {
            self.way.send(&bytes);
        }
        self.events.extend(std::iter::from_fn(|| self.client.poll_event()));
    }

    /// Waits until this says so; complains of what happened instead.
    fn until<T>(&mut self, what: &str, mut found: impl FnMut(&mut Self) -> Option<T>) -> T {
        let end = std::time::Instant::now() + SOON;
        loop {
            if let Some(found) = found(self) {
                return found;
            }
            assert!(
                std::time::Instant::now() < end,
                "no {what}: {:?}, {:?}",
                self.events,
                self.client.dropped()
            );
            self.step();
        }
    }

    fn event(&mut self) -> Event {
        self.until("event", |it| it.events.pop_front())
    }

    fn allocated(config: Config) -> (Self, SocketAddr) {
        let mut driven = Self::new(config);
        match driven.event() {
            Event::Allocated { relayed, mapped, .. } => {
                if let Way::Udp(socket) = &driven.way {
                    assert_eq!(mapped, socket.local_addr().expect("it is bound"));
                }
                (driven, relayed)
            }
            event => panic!("{event:?}"),
        }
    }

    fn ready(&mut self, peer: SocketAddr) -> Option<u16> {
        let now = self.now();
        self.client.permit(peer, now).expect("it may be a peer");
        match self.event() {
            Event::PeerReady { peer: it, channel } if it == peer => channel,
            event => panic!("{event:?}"),
        }
    }

    /// A datagram there and another back.
    fn talks(&mut self, relayed: SocketAddr, peer: &UdpSocket) {
        let (at, mut buffer) = (peer.local_addr().expect("it is bound"), [0; 2000]);
        peer.set_read_timeout(Some(SOON)).expect("a timeout can be set");
        for size in [0, 1, 172, 1200] {
            self.client.send(at, &vec![b'a'; size]).expect("it is ready");
            self.step();
            let (n, from) = peer.recv_from(&mut buffer).expect("coturn relays");
            assert_eq!((n, from), (size, relayed));
            peer.send_to(&vec![b'b'; size], relayed).expect("loopback is reached");
            assert_eq!(self.event(), Event::Data { peer: at, bytes: vec![b'b'; size].into() });
        }
    }

    /// A stream of its own, joined to a peer's.
    fn bind(&mut self, connection: ConnectionId) -> TcpStream {
        let now = self.now();
        let mut handshake = self.client.bind(connection, now);
        let mut way = Way::open(&self.config);
        while let Some(bytes) = handshake.poll_send() {
            way.send(&bytes);
        }
        self.until("bound stream", |it| {
            for message in way.receive() {
                handshake.heard(&message, it.now());
                while let Some(bytes) = handshake.poll_send() {
                    way.send(&bytes);
                }
            }
            match handshake.bound() {
                Bound::NotYet => None,
                Bound::Yes => Some(()),
                Bound::No(why) => panic!("{why}"),
            }
        });
        let Way::Tcp(stream, splitter) = way else { panic!("streams are relayed over streams") };
        assert!(splitter.rest().is_empty());
        stream.set_read_timeout(Some(SOON)).expect("a timeout can be set");
        stream
    }
}

fn echo_words(a: &mut TcpStream, b: &mut TcpStream) {
    let mut buffer = [0; 5];
    a.write_all(b"there").expect("it is open");
    b.read_exact(&mut buffer).expect("it is relayed");
    assert_eq!(&buffer, b"there");
    b.write_all(b"again").expect("it is open");
    a.read_exact(&mut buffer).expect("it is relayed");
    assert_eq!(&buffer, b"again");
}

#[test]
fn datagrams_go_both_ways_over_udp_and_tcp_and_the_allocation_is_given_up() {
    if !can_run("relaying at coturn", &["turnserver"]) {
        return;
    }
    let coturn = Coturn::with_user(&[]);
    for reliable in [false, true] {
        let config = Config { reliable, mobility: false, ..config(coturn.at(V4), "secret") };
        let (mut driven, relayed) = Driven::allocated(config);
        let peer = UdpSocket::bind((V4, 0)).expect("loopback takes a socket");
        assert_eq!(driven.ready(peer.local_addr().expect("it is bound")), Some(0x4000));
        driven.talks(relayed, &peer);

        // By indications, where only a permission is asked for.
        let other = UdpSocket::bind((V4, 0)).expect("loopback takes a socket");
        let (at, now) = (other.local_addr().expect("it is bound"), driven.now());
        driven.client.permit_only(at, now).expect("it may be a peer");
        assert_eq!(driven.event(), Event::PeerReady { peer: at, channel: None });
        driven.talks(relayed, &other);

        let now = driven.now();
        driven.client.close(now);
        assert_eq!(driven.event(), Event::Closed);
        assert_eq!(driven.client.dropped(), nat::turn::Dropped::default());
    }
}

#[test]
fn refreshes_are_granted_in_an_hour_that_passes_at_once() {
    if !can_run("refreshes at coturn", &["turnserver"]) {
        return;
    }
    let coturn = Coturn::with_user(&[]);
    let (mut driven, relayed) = Driven::allocated(config(coturn.at(V4), "secret"));
    let peer = UdpSocket::bind((V4, 0)).expect("loopback takes a socket");
    driven.ready(peer.local_addr().expect("it is bound"));
    // The client's clock is put forward: coturn sees early refreshes, which are as good as any.
    for _ in 0..15 {
        driven.began -= Duration::from_secs(240);
        driven.step();
        driven.until("granted refresh", |it| {
            let wake = it.client.next_wake().expect("there is more to refresh");
            (wake.at > it.now() + Duration::from_secs(60)).then_some(())
        });
    }
    assert_eq!(driven.events, []);
    driven.talks(relayed, &peer);
}

#[test]
fn a_wrong_password_is_said() {
    if !can_run("a wrong password at coturn", &["turnserver"]) {
        return;
    }
    let coturn = Coturn::with_user(&[]);
    let mut driven = Driven::new(config(coturn.at(V4), "guess"));
    assert_eq!(driven.event(), Event::Failed(Why::WrongPassword));
}

#[test]
fn a_user_with_too_many_allocations_is_told_so() {
    if !can_run("the quota at coturn", &["turnserver"]) {
        return;
    }
    let coturn = Coturn::with_user(&["--user-quota=1"]);
    let (_first, _) = Driven::allocated(config(coturn.at(V4), "secret"));
    assert_eq!(Driven::new(config(coturn.at(V4), "secret")).event(), Event::Failed(Why::Quota));
}

#[test]
fn a_nonce_that_goes_stale_is_replaced_and_nobody_notices() {
    if !can_run("stale nonces at coturn", &["turnserver"]) {
        return;
    }
    let coturn = Coturn::with_user(&["--stale-nonce=1"]);
    let (mut driven, relayed) = Driven::allocated(config(coturn.at(V4), "secret"));
    let peer = UdpSocket::bind((V4, 0)).expect("loopback takes a socket");
    let at = peer.local_addr().expect("it is bound");
    let first = driven.client.challenge().expect("it was challenged");
    driven.until("new nonce", |it| {
        let now = it.now();
        it.client.forget(at, now);
        it.client.permit(at, now).expect("it may be a peer");
        it.until("ready peer", |it| it.events.pop_front());
        it.client.challenge().filter(|now| *now != first)
    });
    driven.talks(relayed, &peer);
}

#[test]
fn an_allocation_moves_with_us_to_another_socket() {
    // coturn 4.6.1 cuts its answer to who moved down to the signature, unless it leaves SOFTWARE out.
    if !can_run("mobility at coturn", &["turnserver"]) {
        return;
    }
    let coturn = Coturn::with_user(&["--mobility", "--no-software-attribute"]);
    let (mut driven, relayed) = Driven::allocated(config(coturn.at(V4), "secret"));
    let peer = UdpSocket::bind((V4, 0)).expect("loopback takes a socket");
    driven.ready(peer.local_addr().expect("it is bound"));
    driven.talks(relayed, &peer);
    for _ in 0..2 {
        driven.way = Way::open(&driven.config);
        let now = driven.now();
        driven.client.moved(now);
        assert_eq!(driven.event(), Event::Moved);
        driven.talks(relayed, &peer);
    }
}

#[test]
fn without_mobility_a_move_brings_another_address_and_the_peer_back() {
    if !can_run("a move at coturn", &["turnserver"]) {
        return;
    }
    let coturn = Coturn::with_user(&[]);
    let (mut driven, first) = Driven::allocated(config(coturn.at(V4), "secret"));
    let peer = UdpSocket::bind((V4, 0)).expect("loopback takes a socket");
    driven.ready(peer.local_addr().expect("it is bound"));
    driven.way = Way::open(&driven.config);
    let now = driven.now();
    driven.client.moved(now);
    let Event::Allocated { relayed, .. } = driven.event() else { panic!("no new address") };
    assert_ne!(relayed, first);
    assert!(matches!(driven.event(), Event::PeerReady { channel: Some(_), .. }));
    driven.talks(relayed, &peer);
}

#[test]
fn streams_are_relayed_to_a_peer_and_from_one() {
    if !can_run("streams at coturn", &["turnserver"]) {
        return;
    }
    let coturn = Coturn::with_user(&[]);
    let config = Config { reliable: true, relaying: Relaying::Tcp, ..config(coturn.at(V4), "secret") };
    let (mut driven, relayed) = Driven::allocated(config);

    let listener = TcpListener::bind((V4, 0)).expect("loopback takes a socket");
    let (peer, now) = (listener.local_addr().expect("it is bound"), driven.now());
    driven.client.connect(peer, now).expect("it may be a peer");
    let Event::Connected { peer: whom, connection } = driven.event() else { panic!("not connected") };
    assert_eq!(whom, peer);
    let (mut theirs, from) = listener.accept().expect("coturn connects");
    assert_eq!(from, relayed);
    theirs.set_read_timeout(Some(SOON)).expect("a timeout can be set");
    echo_words(&mut driven.bind(connection), &mut theirs);

    // Nobody listens there any more.
    drop((listener, theirs));
    let gone = TcpListener::bind((V4, 0)).and_then(|it| it.local_addr()).expect("a port that was free");
    let now = driven.now();
    driven.client.connect(gone, now).expect("it may be a peer");
    assert_eq!(driven.event(), Event::ConnectFailed { peer: gone, why: Why::CannotConnect });

    assert_eq!(driven.ready(peer), None);
    let mut theirs = TcpStream::connect(relayed).expect("coturn listens at the relayed address");
    theirs.set_read_timeout(Some(SOON)).expect("a timeout can be set");
    let Event::PeerConnects { peer: whom, connection } = driven.event() else { panic!("no attempt") };
    assert_eq!(whom, theirs.local_addr().expect("it is bound"));
    echo_words(&mut driven.bind(connection), &mut theirs);
}

#[test]
fn an_ipv6_address_is_relayed_alone_and_beside_an_ipv4_one() {
    if !can_run("IPv6 at coturn", &["turnserver"]) {
        return;
    }
    if !Coturn::has_ipv6() {
        return skipped("IPv6 at coturn", "this machine has no ::1");
    }
    let coturn = Coturn::with_user(&[]);
    let six = UdpSocket::bind((V6, 0)).expect("loopback takes a socket");
    let at = six.local_addr().expect("it is bound");
    for server in [V4, V6] {
        let alone = Config { family: Family::V6, ..config(coturn.at(server), "secret") };
        let (mut driven, relayed) = Driven::allocated(alone);
        assert!(relayed.is_ipv6());
        driven.ready(at);
        driven.talks(relayed, &six);
    }
    let both = Config { family: Family::Both, ..config(coturn.at(V4), "secret") };
    let mut driven = Driven::new(both);
    let event = driven.event();
    let Event::Allocated { relayed, relayed6: Some(relayed6), .. } = event else { panic!("{event:?}") };
    assert!(relayed.is_ipv4());
    driven.ready(at);
    driven.talks(relayed6, &six);
}

#[test]
fn another_server_that_is_named_is_passed_on() {
    if !can_run("redirects at coturn", &["turnserver"]) {
        return;
    }
    let other = Coturn::with_user(&[]);
    let coturn = Coturn::with_user(&["--alternate-server", &other.at(V4).to_string()]);
    let named = match Driven::new(config(coturn.at(V4), "secret")).event() {
        Event::Elsewhere(named) => named,
        event => panic!("{event:?}"),
    };
    assert_eq!(named, other.at(V4));
    Driven::allocated(config(coturn.at(V4), "secret").elsewhere(named));
}

#[test]
fn credentials_for_a_while_are_taken_until_they_have_ended() {
    if !can_run("credentials for a while at coturn", &["turnserver"]) {
        return;
    }
    let coturn = Coturn::start(&["--use-auth-secret", "--static-auth-secret", "shared"]);
    // As the web service would, an hour from now, and an hour ago.
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("it is later than 1970").as_secs();
    for (until, good) in [(now + 3600, true), (now - 3600, false)] {
        let user = format!("{until}:ann");
        let mut mac = Hmac::<sha1::Sha1>::new_from_slice(b"shared").expect("any length");
        mac.update(user.as_bytes());
        let password = base64(&mac.finalize().into_bytes());
        let answer = format!(
            r#"{{"username":"{user}","password":"{password}","ttl":60,"uris":["turn:127.0.0.1:{}?transport=udp"]}}"#,
            coturn.port
        );
        let grant = rest::Grant::read(answer.as_bytes()).expect("it is in order");
        let server = &grant.servers[0];
        let address = server.address().expect("no name");
        let mut driven = Driven::new(Config { loopback: true, ..grant.config(server, address) });
        let event = driven.event();
        assert_eq!(matches!(event, Event::Allocated { .. }), good, "{event:?}");
        assert_eq!(event == Event::Failed(Why::WrongPassword), !good, "{event:?}");
    }
}

/// RFC 4648 section 4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, b| bits << 8 | u32::from(*b)) << (8 * (3 - three.len()));
        for at in 0..4 {
            let digit = char::from(LETTERS[(bits >> (18 - 6 * at) & 63) as usize]);
            text.push(if at <= three.len() { digit } else { '=' });
        }
    }
    text
}
