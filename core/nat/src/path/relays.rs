//! A path's relays: an allocation at a TURN server by the first way that gets through.
//!
//! The ladder: datagrams; a stream where those are not answered in a moment, or not allowed; TLS where that is not either. A
//! stream may also go by the other IP family, in its turn (RFC 8305), for the socket's own may lead nowhere. What worked the last
//! time does not wait. The first allocation is kept and the others are let go. What a client says is turned into the path's words
//! here: an address of ours, a channel, a check that came through. Knows no pair.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use base::{Instant, Rng, Wake};
use bytes::Bytes;

use super::{Leg, Order, Rung, Settings, Turn, Way};
use crate::framing::Framing;
use crate::turn::{self, Client, Config};

/// How long a way is waited for before the next one is tried too; a family as long as a way (RFC 8305 section 5).
const NEXT_WAY: Duration = Duration::from_millis(250);
/// Relays tried at one time.
const MOST: usize = 6;

/// What became of it.
#[derive(Debug)]
pub(super) enum Told {
    /// Peers may be told this address. It is spoken to from `local`, and seen there as `mapped`.
    Allocated { relayed: SocketAddr, local: SocketAddr, mapped: SocketAddr, leg: Leg, by: Rung },
    /// The peer is reached by this channel.
    Ready { relayed: SocketAddr, peer: SocketAddr },
    /// A message came through it.
    Came { relayed: SocketAddr, peer: SocketAddr, bytes: Bytes },
    /// An address is no more.
    Gone { relayed: SocketAddr },
}

/// ```text
///             up                 allocated            another way was chosen
///   Opening ------> Asking(client) ------> Held(client) -----------------------> Leaving
///      \                \                   \                                      \
///       `----------------`-------------------`--------------------------------------`--> removed: failed, lost, given back,
///                                                                                        or another was first
/// ```
#[derive(Debug)]
struct Relay {
    server: SocketAddr,
    leg: Leg,
    /// The socket's or the stream's own address; a stream's once it is up.
    local: Option<SocketAddr>,
    /// `None`: its stream is being opened.
    client: Option<Client>,
    turn: Turn,
    relayed: Option<SocketAddr>,
    channels: Vec<(SocketAddr, u16)>,
    /// When its ladder was begun: from the present socket, or an earlier one.
    generation: u32,
    /// It is being given back.
    leaving: bool,
}

impl Relay {
    fn over_stream(&self) -> bool {
        self.turn.way != Way::Udp
    }
}

/// All of one path's.
#[derive(Debug, Default)]
pub(super) struct Relays {
    list: Vec<Relay>,
    /// Ways that were not tried yet, and from when on they are.
    ladder: VecDeque<(Instant, Turn)>,
    told: VecDeque<Told>,
    peers: Vec<SocketAddr>,
    generation: u32,
    closing: bool,
}

impl Relays {
    /// There is a socket: the ladder is begun from it.
    pub(super) fn begin(&mut self, leg: Leg, local: SocketAddr, settings: &Settings, now: Instant) {
        self.generation += 1;
        self.closing = false;
        self.ladder.clear();
        // One socket has one allocation at a server: what is said to it from now on is for the new one.
        self.list.retain(|relay| !(relay.leaving && relay.leg == leg));
        let mut at = now;
        let mut of_other_family = Vec::new();
        for rung in [Rung::Datagrams, Rung::Stream, Rung::Tls] {
            let here = settings.turn.iter().filter(|turn| turn.way.rung() == rung);
            let (own, other): (Vec<&Turn>, Vec<&Turn>) =
                here.partition(|turn| turn.server.is_ipv4() == local.is_ipv4());
            let own = own.into_iter().filter(|_| settings.udp || rung != Rung::Datagrams);
            let due: Vec<Turn> = own.chain(std::mem::take(&mut of_other_family)).cloned().collect();
            if rung != Rung::Datagrams {
                of_other_family = other;
            }
            if due.is_empty() {
                continue;
            }
            self.ladder.extend(due.into_iter().map(|turn| (at, turn)));
            if rung >= settings.rung {
                at += NEXT_WAY;
            }
        }
        self.ladder.extend(of_other_family.into_iter().map(|turn| (at, turn.clone())));
        for (_, turn) in self.ladder.iter_mut().filter(|(_, turn)| turn.way == Way::Udp) {
            turn.from = Some((leg, local));
        }
    }

    /// The ways are found anew from this socket: a relay that was given back, or belongs to a socket that was left, is asked for
    /// again; one that is there is kept.
    pub(super) fn renew(&mut self, leg: Leg, local: SocketAddr, settings: &Settings, now: Instant) {
        self.peers.clear();
        // One from this very socket is good again, also when another socket came and went meanwhile.
        let generation = self.generation;
        for relay in self.list.iter_mut().filter(|relay| relay.leg == leg) {
            relay.generation = generation;
        }
        if self.closing || !(self.is_held() || self.is_asked()) {
            self.begin(leg, local, settings, now);
        }
    }

    /// Whether an answer is still awaited that a description should have.
    pub(super) fn is_waited_for(&self) -> bool {
        self.is_asked() && !(self.closing || self.is_held())
    }

    fn is_asked(&self) -> bool {
        !self.ladder.is_empty() || self.present().next().is_some()
    }

    fn is_held(&self) -> bool {
        self.present().any(|relay| relay.relayed.is_some())
    }

    fn present(&self) -> impl Iterator<Item = &Relay> {
        self.list.iter().filter(|relay| relay.generation == self.generation && !relay.leaving)
    }

    pub(super) fn due(&mut self, legs: &mut u32, rng: &mut Rng, now: Instant, out: &mut VecDeque<Order>) {
        while self.ladder.front().is_some_and(|(at, _)| *at <= now) {
            let Some((_, turn)) = self.ladder.pop_front() else { break };
            if !self.is_held() && !self.closing && self.list.len() < MOST {
                self.open(turn, legs, rng, now, out);
            }
        }
        for relay in &mut self.list {
            if let Some(client) = &mut relay.client {
                client.due(now);
            }
        }
        self.collect(now, out);
    }

    fn open(&mut self, turn: Turn, legs: &mut u32, rng: &mut Rng, now: Instant, out: &mut VecDeque<Order>) {
        let (leg, local, client) = match (&turn.way, turn.from) {
            (Way::Udp, Some((leg, local))) => (leg, Some(local), client(&turn, local, rng, now)),
            (Way::Udp, None) => return,
            (Way::Tcp | Way::Tls(_), _) => {
                let leg = Leg::stream(legs);
                let name = match &turn.way {
                    Way::Tls(name) => Some(name.clone()),
                    Way::Udp | Way::Tcp => None,
                };
                out.push_back(Order::Connect {
                    leg,
                    from: None,
                    to: turn.server,
                    framing: Framing::Turn,
                    name,
                });
                (leg, None, None)
            }
        };
        if local.is_some() && client.is_none() {
            return;
        }
        let server = turn.server;
        let generation = self.generation;
        let (relayed, channels, leaving) = (None, Vec::new(), false);
        self.list.push(Relay { server, leg, local, client, turn, relayed, channels, generation, leaving });
    }

    /// A stream to a relay is open.
    pub(super) fn stream_up(&mut self, leg: Leg, local: SocketAddr, rng: &mut Rng, now: Instant) -> bool {
        let Some(relay) = self.list.iter_mut().find(|relay| relay.leg == leg && relay.over_stream()) else {
            return false;
        };
        relay.local = Some(local);
        relay.client = client(&relay.turn, local, rng, now);
        true
    }

    /// A stream is gone, or was never had.
    pub(super) fn stream_down(&mut self, leg: Leg) -> bool {
        let Some(at) = self.list.iter().position(|relay| relay.leg == leg && relay.over_stream()) else {
            return false;
        };
        let relay = self.list.remove(at);
        self.told.extend(relay.relayed.map(|relayed| Told::Gone { relayed }));
        self.hurry();
        true
    }

    /// A socket is no more, and what was got from it with it.
    pub(super) fn socket_gone(&mut self, leg: Leg) {
        for relay in self.list.extract_if(.., |relay| relay.leg == leg) {
            self.told.extend(relay.relayed.map(|relayed| Told::Gone { relayed }));
        }
    }

    /// Gives back what is held for nothing: all but that of this relayed address. What is being asked for stays.
    pub(super) fn release(&mut self, keep: SocketAddr, now: Instant, out: &mut VecDeque<Order>) {
        let idle = |relay: &&mut Relay| relay.relayed.is_some_and(|it| it != keep) && !relay.leaving;
        for relay in self.list.iter_mut().filter(idle) {
            relay.leaving = true;
            if let Some(client) = &mut relay.client {
                client.close(now);
            }
        }
        self.collect(now, out);
    }

    /// A way failed, or is not answered as it should be: the next one need not wait.
    pub(super) fn hurry(&mut self) {
        if let Some((at, _)) = self.ladder.front_mut() {
            *at = Instant::ZERO;
        }
    }

    /// Lets these through, once there is an allocation.
    pub(super) fn permit(&mut self, peers: impl Iterator<Item = SocketAddr>, now: Instant) {
        for peer in peers {
            if !self.peers.contains(&peer) && self.peers.len() < turn::MAX_PEERS {
                self.peers.push(peer);
            }
        }
        for relay in &mut self.list {
            if let Some(client) = &mut relay.client {
                for peer in &self.peers {
                    // One that cannot be a peer of this relay (another family, a hostile address) is none.
                    let _ = client.permit(*peer, now);
                }
            }
        }
    }

    /// A message came from somewhere; false: not from a relay.
    pub(super) fn heard(&mut self, leg: Leg, from: SocketAddr, bytes: &[u8], now: Instant) -> bool {
        let relay = self.list.iter_mut().find(|relay| relay.leg == leg && relay.server == from);
        relay.and_then(|relay| relay.client.as_mut()).is_some_and(|client| client.heard(bytes, now))
    }

    /// Sends a check through a relay; what is not ready yet is asked for, and the check is repeated.
    pub(super) fn send(&mut self, relayed: SocketAddr, peer: SocketAddr, bytes: &[u8], now: Instant) {
        if let Some(relay) = self.list.iter_mut().find(|relay| relay.relayed == Some(relayed))
            && let Some(client) = &mut relay.client
            && client.send(peer, bytes).is_err()
        {
            let _ = client.permit(peer, now);
        }
    }

    /// By which leg, server and channel a peer is reached from a relayed address.
    pub(super) fn way(&self, relayed: SocketAddr, peer: SocketAddr) -> Option<(Leg, SocketAddr, u16)> {
        let relay = self.list.iter().find(|relay| relay.relayed == Some(relayed))?;
        let (_, channel) = relay.channels.iter().find(|(known, _)| *known == peer)?;
        Some((relay.leg, relay.server, *channel))
    }

    /// Takes what the clients have come to.
    pub(super) fn collect(&mut self, now: Instant, out: &mut VecDeque<Order>) {
        let mut first = None;
        let mut failed = false;
        for relay in &mut self.list {
            let (leg, server) = (relay.leg, relay.server);
            let Some(client) = &mut relay.client else { continue };
            while let Some(event) = client.poll_event() {
                match event {
                    turn::Event::Allocated { relayed, mapped, .. } => {
                        if let Some(before) =
                            relay.relayed.replace(relayed).filter(|before| *before != relayed)
                        {
                            self.told.push_back(Told::Gone { relayed: before });
                        }
                        for peer in &self.peers {
                            let _ = client.permit(*peer, now);
                        }
                        let local = relay.local.unwrap_or(mapped);
                        let by = relay.turn.way.rung();
                        self.told.push_back(Told::Allocated { relayed, local, mapped, leg, by });
                        first = first.or(Some(leg));
                    }
                    turn::Event::PeerReady { peer, channel: Some(number) } => {
                        relay.channels.retain(|(known, _)| *known != peer);
                        relay.channels.push((peer, number));
                        out.push_back(Order::Channel { leg, server, number, peer });
                        if let Some(relayed) = relay.relayed {
                            self.told.push_back(Told::Ready { relayed, peer });
                        }
                    }
                    turn::Event::Data { peer, bytes } => {
                        if let Some(relayed) = relay.relayed {
                            self.told.push_back(Told::Came { relayed, peer, bytes });
                        }
                    }
                    turn::Event::PeerRefused { peer, .. } => {
                        relay.channels.retain(|(known, _)| *known != peer);
                    }
                    turn::Event::Failed(_) | turn::Event::Lost(_) | turn::Event::Closed => failed = true,
                    turn::Event::Elsewhere(other) => {
                        failed = true;
                        let turn = Turn { server: other, redirected: true, ..relay.turn.clone() };
                        if !relay.turn.redirected {
                            self.ladder.push_front((now, turn));
                        }
                    }
                    turn::Event::PeerReady { channel: None, .. }
                    | turn::Event::Moved
                    | turn::Event::PeerUnreachable { .. }
                    | turn::Event::Connected { .. }
                    | turn::Event::ConnectFailed { .. }
                    | turn::Event::PeerConnects { .. } => {}
                }
            }
            while let Some(bytes) = client.poll_send() {
                out.push_back(Order::Send { leg, to: server, bytes });
            }
        }
        if let Some(first) = first {
            self.ladder.clear();
            // The others are late: what they get is given back.
            for relay in self.list.iter_mut().filter(|relay| relay.leg != first && relay.relayed.is_none()) {
                match &mut relay.client {
                    Some(client) => client.close(now),
                    None => out.push_back(Order::Close { leg: relay.leg }),
                }
            }
        }
        if failed {
            self.remove_done(out);
            self.hurry();
        }
    }

    fn remove_done(&mut self, out: &mut VecDeque<Order>) {
        let done = |relay: &mut Relay| relay.client.as_ref().is_some_and(Client::is_done);
        for relay in self.list.extract_if(.., done) {
            self.told.extend(relay.relayed.map(|relayed| Told::Gone { relayed }));
            if relay.turn.way != Way::Udp {
                out.push_back(Order::Close { leg: relay.leg });
            }
        }
    }

    pub(super) fn next_wake(&self) -> Option<Wake> {
        let ladder = self.ladder.front().map(|(at, _)| Wake { at: *at, why: "relay ladder" });
        let clients = self.list.iter().filter_map(|relay| relay.client.as_ref()?.next_wake());
        clients.fold(ladder, |earliest, wake| Wake::earlier(earliest, Some(wake)))
    }

    /// Nobody needs them any more.
    pub(super) fn close(&mut self, now: Instant, out: &mut VecDeque<Order>) {
        self.closing = true;
        self.ladder.clear();
        for relay in &mut self.list {
            match &mut relay.client {
                Some(client) => client.close(now),
                None => out.push_back(Order::Close { leg: relay.leg }),
            }
        }
        self.list.retain(|relay| relay.client.is_some());
        self.collect(now, out);
    }

    pub(super) fn poll(&mut self) -> Option<Told> {
        self.told.pop_front()
    }
}

fn client(turn: &Turn, local: SocketAddr, rng: &mut Rng, now: Instant) -> Option<Client> {
    let config = Config {
        reliable: turn.way != Way::Udp,
        loopback: local.ip().is_loopback(),
        redirected: turn.redirected,
        ..Config::new(turn.server, turn.account.clone())
    };
    // An account that cannot be written is no account anywhere: there is no relay then.
    Client::new(config, None, rng.split(), now).ok()
}
