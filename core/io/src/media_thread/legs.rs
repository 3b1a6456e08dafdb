//! All sockets and connections of one media stream, and what comes and goes by them.
//!
//! What comes is sorted by its first byte (RFC 7983): RTP and RTCP are media; STUN and DTLS go to the phone, where it wants to
//! be told; channel data (RFC 8656 section 12.4) is unwrapped, and is then one or the other. What goes out takes the leg that the
//! route names: a datagram, a frame on a stream, or channel data to a relay. Knows nothing of which way is the right one.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd as _;

use base::{Instant, NetworkId};
use bytes::Bytes;
use media::Outgoing;
use nat::channel;
use nat::framing::Framing;
use nat::path::{Leg, Route, Target};
use nix::poll::{PollFd, PollFlags};
use offhook_net::Bind;
use offhook_net::tls::{Session, Unmade};
use phone::MediaNews;

use super::connection::{Connection, Listener, Look};
use super::socket::{Moment, Reader, Sockets};
use crate::capture::{Tap, Way, ends};

/// Datagrams read from one socket in one tick; a flood waits, and the kernel drops what is too much.
const READS: usize = 64;
/// News for the phone that wait for the end of the tick; more is a flood.
const WAITING: usize = 64;
/// Connections at one time, those that strangers opened among them.
const MOST_CONNECTIONS: usize = 24;
/// Channels at all relays.
const MOST_CHANNELS: usize = 64;

/// Where sockets are bound: to which addresses, and to which network by whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) bind: &'a [IpAddr],
    pub(super) network: NetworkId,
    pub(super) binder: Option<&'a dyn Bind>,
}

/// A relay's short name for a peer.
#[derive(Debug)]
struct Channel {
    leg: Leg,
    server: SocketAddr,
    number: u16,
    peer: SocketAddr,
}

/// One stream's legs.
#[derive(Debug)]
pub(super) struct Legs {
    sockets: Vec<(Leg, Sockets)>,
    connections: BTreeMap<Leg, Connection>,
    listeners: Vec<Listener>,
    channels: Vec<Channel>,
    /// The phone wants to be told of what is no media.
    listens: bool,
    news: VecDeque<MediaNews>,
    target: Option<Target>,
    /// Of RTCP that has a port of its own.
    control_target: Option<Target>,
    /// The socket of a plain route.
    plain: Leg,
    taken: u32,
    /// That new connections go by: the latest pair's.
    network: NetworkId,
    /// Reused for channel data.
    wrapped: Vec<u8>,
}

/// A packet of media, as it came.
pub(super) struct Came<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) from: SocketAddr,
    /// To RTCP's own port.
    pub(super) control: bool,
    pub(super) at: Moment,
}

impl Legs {
    pub(super) fn new(sockets: Sockets, network: NetworkId) -> Self {
        Self {
            sockets: vec![(Leg::FIRST, sockets)],
            connections: BTreeMap::new(),
            listeners: Vec::new(),
            channels: Vec::new(),
            listens: false,
            news: VecDeque::new(),
            target: None,
            control_target: None,
            plain: Leg::FIRST,
            taken: Leg::TAKEN,
            network,
            wrapped: Vec::new(),
        }
    }

    /// Of the socket of a plain route.
    pub(super) fn local(&self) -> SocketAddr {
        self.pair(self.plain).local
    }

    fn pair(&self, leg: Leg) -> &Sockets {
        let known = self.sockets.iter().find(|(known, _)| *known == leg);
        &known.unwrap_or(&self.sockets[0]).1
    }

    /// Whether a packet waits at the first socket.
    #[cfg(test)]
    pub(super) fn has_packet(&self) -> bool {
        self.sockets[0].1.rtp.peek(&mut [0]).is_ok()
    }

    /// Tells of what is no media from now on.
    pub(super) fn listen_for_all(&mut self) {
        self.listens = true;
    }

    /// Whether it must be read though it is not open.
    pub(super) fn listens(&self) -> bool {
        self.listens
    }

    /// Media goes so from now on.
    pub(super) fn lead(&mut self, route: &Route) {
        self.target = target(route);
    }

    /// RTCP that has a port of its own goes so from now on.
    pub(super) fn lead_control(&mut self, route: &Route) {
        self.control_target = target(route);
    }

    /// One more pair of sockets.
    pub(super) fn add(&mut self, leg: Leg, sockets: Sockets, network: NetworkId) {
        self.network = network;
        self.sockets.push((leg, sockets));
    }

    /// Plain media goes by this pair from now on; what comes to the others is still taken.
    pub(super) fn go_by(&mut self, leg: Leg) {
        if self.sockets.iter().any(|(known, _)| *known == leg) {
            self.plain = leg;
        }
    }

    /// Connects a stream; `StreamUp` or `StreamDown` follows.
    pub(super) fn connect(
        &mut self,
        leg: Leg,
        (from, to): (Option<SocketAddr>, SocketAddr),
        framing: Framing,
        tls: Option<Result<Session, Unmade>>,
        binder: Option<&dyn Bind>,
        now: Instant,
    ) {
        let binder = binder.map(|binder| (binder, self.network));
        let begun = match tls {
            _ if self.connections.len() >= MOST_CONNECTIONS => Err(io::ErrorKind::QuotaExceeded.into()),
            // Nothing that should be under TLS goes without.
            Some(Err(_)) => Err(io::ErrorKind::Unsupported.into()),
            Some(Ok(tls)) => Connection::begin(from, to, framing, binder, now).map(|it| it.under(tls)),
            None => Connection::begin(from, to, framing, binder, now),
        };
        match begun {
            Ok(connection) => drop(self.connections.insert(leg, connection)),
            Err(e) => {
                let refused = e.kind() == io::ErrorKind::ConnectionRefused;
                self.tell_phone(MediaNews::StreamDown { leg, refused });
            }
        }
    }

    /// Takes streams at this address.
    pub(super) fn listen(&mut self, at: SocketAddr, binder: Option<&dyn Bind>) {
        if !self.listeners.iter().any(|known| known.local == at)
            && let Ok(listener) = Listener::at(at, binder.map(|binder| (binder, self.network)))
        {
            self.listeners.push(listener);
        }
    }

    /// Closes a connection, or a pair of sockets unless it is the last.
    pub(super) fn close(&mut self, leg: Leg) {
        self.connections.remove(&leg);
        self.channels.retain(|it| it.leg != leg);
        if self.sockets.len() > 1 {
            self.sockets.retain(|(known, _)| *known != leg);
        }
    }

    /// A relay's channel stands for this peer.
    pub(super) fn channel(&mut self, leg: Leg, server: SocketAddr, number: u16, peer: SocketAddr) {
        self.channels.retain(|it| (it.leg, it.server, it.number) != (leg, server, number));
        if self.channels.len() < MOST_CHANNELS {
            self.channels.push(Channel { leg, server, number, peer });
        }
    }

    /// News for the phone.
    pub(super) fn poll_news(&mut self) -> Option<MediaNews> {
        self.news.pop_front()
    }

    fn tell_phone(&mut self, news: MediaNews) {
        keep(&mut self.news, news);
    }

    /// All that may come, and connections that are on their way.
    pub(super) fn waits_for<'a>(&'a self, fds: &mut Vec<PollFd<'a>>) {
        let sockets = self.sockets.iter().flat_map(|(_, pair)| [&pair.rtp, &pair.rtcp]);
        fds.extend(sockets.map(|socket| PollFd::new(socket.as_fd(), PollFlags::POLLIN)));
        fds.extend(self.listeners.iter().map(Listener::waits));
        fds.extend(self.connections.values().map(Connection::waits));
    }

    /// Reads all legs; media goes to `take`.
    pub(super) fn receive(
        &mut self,
        reader: &mut Reader,
        present: Moment,
        mut tap: Option<&mut Tap>,
        mut take: impl FnMut(Came<'_>),
    ) {
        let Self { sockets, channels, listens, news, .. } = self;
        for (leg, pair) in sockets {
            let rtcp = (&pair.rtcp, pair.local_rtcp(), leg.control());
            for (socket, local, as_leg) in [(&pair.rtp, pair.local, *leg), rtcp] {
                for _ in 0..READS {
                    let Some(got) = reader.read(socket, present) else { break };
                    if let Some(tap) = &mut tap {
                        tap.media(Way::In, ends(local, got.from), got.at.wall, got.bytes);
                    }
                    let came = Came { bytes: got.bytes, from: got.from, control: as_leg != *leg, at: got.at };
                    sort(channels, *listens, news, as_leg, came, &mut take);
                }
            }
        }
        let mut gone = Vec::new();
        for (leg, connection) in &mut self.connections {
            match connection.look(present.now) {
                Look::Same => {}
                Look::Up => {
                    let (local, remote) = (connection.local, connection.remote);
                    keep(news, MediaNews::StreamUp { leg: *leg, local, remote });
                }
                Look::Down { refused } => {
                    gone.push((*leg, refused));
                    continue;
                }
            }
            let (local, remote) = (connection.local, connection.remote);
            let alive = connection.read(|bytes| {
                if let Some(tap) = &mut tap {
                    tap.media(Way::In, ends(local, remote), present.wall, bytes);
                }
                sort(
                    channels,
                    *listens,
                    news,
                    *leg,
                    Came { bytes, from: remote, control: leg.is_control(), at: present },
                    &mut take,
                );
            });
            if !(alive && connection.flush()) {
                gone.push((*leg, false));
            }
        }
        for (leg, refused) in gone {
            self.connections.remove(&leg);
            keep(&mut self.news, MediaNews::StreamDown { leg, refused });
        }
        self.take_connections();
    }

    fn take_connections(&mut self) {
        for listener in &self.listeners {
            while let Some(connection) = listener.take() {
                if self.connections.len() >= MOST_CONNECTIONS {
                    break;
                }
                let leg = Leg(self.taken);
                self.taken += 1;
                let (local, remote) = (connection.local, connection.remote);
                keep(&mut self.news, MediaNews::StreamUp { leg, local, remote });
                self.connections.insert(leg, connection);
            }
        }
    }

    /// Sends a packet by the route: of media, or what belongs to it.
    pub(super) fn send(&mut self, outgoing: Outgoing<'_>, present: Moment, tap: Option<&mut Tap>) {
        let target = if outgoing.rtcp_port { self.control_target } else { self.target };
        let Some(Target { leg, to, relay }) = target else {
            let pair = self.pair(self.plain);
            return datagram(pair, outgoing.rtcp_port, outgoing.to, outgoing.bytes, present, tap);
        };
        match relay {
            None => self.put(leg, to, outgoing.bytes, present, tap),
            Some((server, number)) => {
                let mut wrapped = std::mem::take(&mut self.wrapped);
                wrapped.clear();
                if channel::write(number, outgoing.bytes, &mut wrapped).is_ok() {
                    self.put(leg, server, &wrapped, present, tap);
                }
                self.wrapped = wrapped;
            }
        }
    }

    /// Sends what is no media.
    pub(super) fn tell(&mut self, leg: Leg, to: SocketAddr, bytes: &[u8], tap: Option<&mut Tap>) {
        self.put(leg, to, bytes, Moment::read(), tap);
    }

    fn put(&mut self, leg: Leg, to: SocketAddr, bytes: &[u8], present: Moment, tap: Option<&mut Tap>) {
        if let Some(connection) = self.connections.get_mut(&leg) {
            if let Some(tap) = tap {
                tap.media(Way::Out, ends(connection.local, connection.remote), present.wall, bytes);
            }
            if !connection.send(bytes) {
                self.connections.remove(&leg);
                keep(&mut self.news, MediaNews::StreamDown { leg, refused: false });
            }
            return;
        }
        let control = |known: &&(Leg, Sockets)| known.0 == leg || known.0.control() == leg;
        if let Some((known, pair)) = self.sockets.iter().find(control) {
            datagram(pair, *known != leg, to, bytes, present, tap);
        }
    }
}

fn target(route: &Route) -> Option<Target> {
    match route {
        Route::Plain => None,
        Route::Checked { target, .. } => *target,
    }
}

fn datagram(
    pair: &Sockets,
    control: bool,
    to: SocketAddr,
    bytes: &[u8],
    present: Moment,
    tap: Option<&mut Tap>,
) {
    let (socket, local) = if control { (&pair.rtcp, pair.local_rtcp()) } else { (&pair.rtp, pair.local) };
    // What the system does not take is lost, as on any link; the reports tell of it.
    if socket.send_to(bytes, to).is_ok()
        && let Some(tap) = tap
    {
        tap.media(Way::Out, ends(local, to), present.wall, bytes);
    }
}

/// To the phone, or to `take`. RFC 7983 section 7.
fn sort(
    channels: &[Channel],
    listens: bool,
    news: &mut VecDeque<MediaNews>,
    leg: Leg,
    came: Came<'_>,
    take: &mut impl FnMut(Came<'_>),
) {
    let told =
        |came: &Came<'_>| MediaNews::Told { leg, from: came.from, bytes: Bytes::copy_from_slice(came.bytes) };
    match came.bytes.first() {
        Some(0..=3 | 20..=63) if listens => keep(news, told(&came)),
        Some(64..=79) if listens => {
            let known = channel::read(came.bytes).and_then(|(number, inside)| {
                let is_it = |it: &&Channel| (it.leg, it.server, it.number) == (leg, came.from, number);
                Some((channels.iter().find(is_it)?.peer, inside))
            });
            match known {
                Some((peer, inside)) if matches!(inside.first(), Some(20..=63)) => {
                    keep(news, told(&Came { bytes: inside, from: peer, control: false, at: came.at }));
                }
                // STUN inside is the relay's client's to unwrap, which knows more of it.
                Some((peer, inside)) if !nat::stun::is_stun(inside) => {
                    take(Came { bytes: inside, from: peer, ..came });
                }
                Some(_) | None => keep(news, told(&came)),
            }
        }
        Some(_) => take(came),
        None => {}
    }
}

/// Keeps the latest.
fn keep<T>(waiting: &mut VecDeque<T>, it: T) {
    if waiting.len() == WAITING {
        waiting.pop_front();
    }
    waiting.push_back(it);
}

/// Binds a pair that reaches `toward`, or else what the first of `bind` reaches.
///
/// # Errors
/// A sentence for the user.
pub(super) fn bind_pair(place: Place<'_>, toward: Option<IpAddr>) -> Result<Sockets, String> {
    let Place { bind, network, binder } = place;
    let fits = |ip: &&IpAddr| toward.is_none_or(|toward| toward.is_ipv4() == ip.is_ipv4());
    let bind = *bind.iter().find(fits).ok_or_else(|| match toward {
        Some(IpAddr::V6(_)) => "there is no IPv6 network for the audio".to_owned(),
        Some(IpAddr::V4(_)) => "there is no IPv4 network for the audio".to_owned(),
        None => "there is no network for the audio".to_owned(),
    })?;
    let sockets = shown(bind, toward).and_then(|shown| Sockets::bind(bind, shown, binder, network));
    sockets.map_err(|e| format!("no port can be had for the audio: {e}"))
}

/// The address to tell the other side.
fn shown(bind: IpAddr, toward: Option<IpAddr>) -> io::Result<IpAddr> {
    if !bind.is_unspecified() {
        return Ok(bind);
    }
    match toward {
        Some(toward) => offhook_net::local_toward(toward),
        None => Ok(offhook_net::concrete(SocketAddr::new(bind, 0)).ip()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    /// By whom, and what.
    type Taken<T> = Vec<(SocketAddr, T)>;

    /// What the phone is told, and what media gets.
    fn sorted(bytes: &[u8], listens: bool) -> (Taken<Bytes>, Taken<Vec<u8>>) {
        let channel =
            Channel { leg: Leg::FIRST, server: at("10.0.0.1:3478"), number: 0x4000, peer: at("10.9.9.9:9") };
        let came = Came { bytes, from: channel.server, control: false, at: Moment::read() };
        let (mut news, mut media) = (VecDeque::new(), Vec::new());
        sort(&[channel], listens, &mut news, Leg::FIRST, came, &mut |came: Came<'_>| {
            media.push((came.from, came.bytes.to_vec()));
        });
        let told = news.into_iter().map(|news| match news {
            MediaNews::Told { from, bytes, .. } => (from, bytes),
            other => panic!("{other:?}"),
        });
        (told.collect(), media)
    }

    const HELLO: &[u8] = &[22, 0xfe, 0xfd, 0];

    #[test]
    fn dtls_goes_to_the_phone_when_it_listens() {
        assert_eq!(sorted(HELLO, true), (vec![(at("10.0.0.1:3478"), Bytes::from_static(HELLO))], vec![]));
        assert_eq!(sorted(HELLO, false).0, vec![]);
    }

    #[test]
    fn dtls_out_of_a_relays_channel_is_the_peers() {
        let mut wrapped = Vec::new();
        channel::write(0x4000, HELLO, &mut wrapped).expect("it fits");
        assert_eq!(sorted(&wrapped, true), (vec![(at("10.9.9.9:9"), Bytes::from_static(HELLO))], vec![]));
    }
}
