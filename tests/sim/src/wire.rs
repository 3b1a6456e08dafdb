//! The network between the nodes: addresses, datagrams, streams, and the packets on their way.
//!
//! ```text
//!     ann 192.168.1.2        ben 192.168.1.2                     a node may be in several networks, and an inside
//!        |                      |                                address may occur in each of them
//!     ---+--- home A         ---+--- home B
//!        |                      |
//!      [NAT]                  [NAT]                              a router is between an inside network and an outside one
//!        | 203.0.113.1          | 203.0.113.2
//!     ---+------+--------+------+------- the internet
//!               |        |
//!         S 10.0.0.1   relay 10.0.0.2
//! ```
//!
//! A stream is a pair of flows with bytes in order; loss delays it, a cut holds it, and one held for too long goes down.
//! Knows nothing of SIP or RTP. `route` finds the way through routers, `tcp` opens streams, `stream` is one that is open.
//! What names no node means the internet's nodes; inside addresses need to be said whose they are.

mod networks;
mod route;
mod stream;
mod tcp;

pub use route::NetworkId;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base::{FlowId, Instant, Rng};
use bytes::Bytes;

use crate::Link;
use crate::nat::{Kind, Parcel};
use route::{Network, Place, Trip};
use stream::{End, Held};
use tcp::Attempt;

/// How long a stream waits for a cut to end before it is given up, and a connection attempt likewise.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often a held segment is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// One machine in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(pub usize);

/// Who listens at an address for datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Socket {
    /// Signalling, under this name.
    Signalling(FlowId),
    /// Media: the stream's number at its node, and whether it is the RTCP port.
    Media(u32, bool),
}

/// What a TCP stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tag {
    /// Signalling.
    Signalling,
    /// Media: the number of the media stream at its node, and one of the node's own beneath it.
    Media(u32, u32),
}

/// Why a stream could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// RST or an ICMP error came: from the host, or from a router on the way.
    Refused,
    /// Nothing came for a minute.
    TimedOut,
    /// There is one between these two endpoints, or there will be.
    InUse,
    /// The node has no such address, or no way leads there.
    Unreachable,
}

/// What reached a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// A datagram.
    Datagram {
        /// At which of its sockets.
        socket: Socket,
        /// Who sent it.
        from: SocketAddr,
        /// What it is.
        bytes: Bytes,
    },
    /// The next bytes of a stream.
    Chunk {
        /// Which stream.
        flow: FlowId,
        /// What it is for.
        tag: Tag,
        /// Its other end.
        from: SocketAddr,
        /// Some of the bytes sent.
        bytes: Bytes,
    },
    /// A stream is up: asked for, or taken by a listener.
    Up {
        /// Its name.
        flow: FlowId,
        /// What it is for.
        tag: Tag,
        /// This end.
        local: SocketAddr,
        /// The other end.
        remote: SocketAddr,
    },
    /// A stream is gone.
    Down {
        /// Its name.
        flow: FlowId,
        /// What it was for.
        tag: Tag,
    },
    /// A stream could not be had.
    Failed {
        /// What it was for.
        tag: Tag,
        /// From where; unspecified when the node has no address for it.
        local: SocketAddr,
        /// Whom it was to reach.
        remote: SocketAddr,
        /// Why.
        reason: Reason,
    },
}

/// What becomes of a datagram, for the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is on its way (perhaps twice). A router may yet drop it.
    OnTheWay,
    /// The link lost it.
    Lost,
    /// Nobody has that address.
    NoOneThere,
}

/// A connection as its own end names it: the node, its endpoint, and the other as seen from there.
type Key = (NodeId, SocketAddr, SocketAddr);

/// Something on its way.
#[derive(Debug)]
enum Packet {
    Arrival(Arrival),
    /// The first word of an open stream: the other end is up.
    Up(FlowId),
    /// A packet that a node's kernel or a router has to look at.
    Trip(Trip),
    /// A SYN is sent again, unless the attempt with this serial number is over.
    Again(Key, u64),
    /// A stream's segment or end that could not be sent; tried again until it is too old.
    Held(Held),
    /// A router wants to say something.
    Due,
}

/// The network.
#[derive(Debug)]
pub struct Wire {
    rng: Rng,
    default: Link,
    links: BTreeMap<(NodeId, NodeId), Link>,
    networks: Vec<Network>,
    /// In which network an address of a node is.
    attached: BTreeMap<(NodeId, IpAddr), NetworkId>,
    preferred: BTreeMap<NodeId, NetworkId>,
    /// A node's own way into a network, up and down.
    access: BTreeMap<(NodeId, NetworkId), Link>,
    sockets: BTreeMap<(NodeId, SocketAddr), Socket>,
    listeners: BTreeMap<(NodeId, SocketAddr), Tag>,
    /// Streams that are being opened.
    attempts: BTreeMap<Key, Attempt>,
    ends: BTreeMap<FlowId, End>,
    on_the_way: BTreeMap<(Instant, u64), (Place, Packet)>,
    serial: u64,
    last_flow: u32,
    last_port: u16,
}

impl Wire {
    /// A network without nodes.
    pub fn new(rng: Rng) -> Self {
        Self {
            rng,
            default: Link::default(),
            links: BTreeMap::new(),
            networks: vec![Network::default()],
            attached: BTreeMap::new(),
            preferred: BTreeMap::new(),
            access: BTreeMap::new(),
            sockets: BTreeMap::new(),
            listeners: BTreeMap::new(),
            attempts: BTreeMap::new(),
            ends: BTreeMap::new(),
            on_the_way: BTreeMap::new(),
            serial: 0,
            last_flow: 0,
            last_port: 39_999,
        }
    }

    /// What every link of the internet without one of its own is like.
    pub fn set_default(&mut self, link: Link) {
        self.default = link;
    }

    /// What the way from one node to another is like; the way back has its own. With routers between them it is the part
    /// of it that goes neither up nor down.
    pub fn set_link(&mut self, from: NodeId, to: NodeId, link: Link) {
        self.links.insert((from, to), link);
    }

    /// The way from one node to another.
    pub fn link(&self, from: NodeId, to: NodeId) -> Link {
        self.links.get(&(from, to)).copied().unwrap_or(self.default)
    }

    /// A fresh flow.
    pub fn flow(&mut self) -> FlowId {
        self.last_flow += 1;
        FlowId(self.last_flow)
    }

    /// A fresh even port, with the odd one above it free too.
    pub fn port(&mut self) -> u16 {
        self.last_port = if self.last_port >= 65_000 { 40_001 } else { self.last_port + 2 };
        self.last_port - 1
    }

    /// Listens for datagrams at an address of the internet.
    pub fn bind(&mut self, addr: SocketAddr, socket: Socket) {
        if let Some(node) = self.host(addr.ip()) {
            self.bind_at(node, addr, socket);
        }
    }

    /// Listens for datagrams.
    pub fn bind_at(&mut self, node: NodeId, addr: SocketAddr, socket: Socket) {
        self.sockets.insert((node, addr), socket);
    }

    /// Listens no more at an address of the internet.
    pub fn unbind(&mut self, addr: SocketAddr) {
        if let Some(node) = self.host(addr.ip()) {
            self.unbind_at(node, addr);
        }
    }

    /// Listens no more.
    pub fn unbind_at(&mut self, node: NodeId, addr: SocketAddr) {
        self.sockets.remove(&(node, addr));
    }

    /// Takes streams of signalling at this address of the internet.
    pub fn listen(&mut self, addr: SocketAddr) {
        if let Some(node) = self.host(addr.ip()) {
            self.listen_at(node, addr, Tag::Signalling);
        }
    }

    /// Takes streams for this. Other streams may come from and go out of the same port.
    pub fn listen_at(&mut self, node: NodeId, addr: SocketAddr, tag: Tag) {
        self.listeners.insert((node, addr), tag);
    }

    /// Takes streams for a media stream, under a number of the node's own.
    pub fn listen_media(&mut self, node: NodeId, addr: SocketAddr, media: u32, leg: u32) {
        self.listen_at(node, addr, Tag::Media(media, leg));
    }

    /// Takes no more streams there; those that it took stay.
    pub fn unlisten(&mut self, node: NodeId, addr: SocketAddr) {
        self.listeners.remove(&(node, addr));
    }

    /// The signalling socket of a node that reaches `toward`, and its address.
    pub fn signalling(&self, node: NodeId, toward: IpAddr) -> Option<(FlowId, SocketAddr)> {
        let mine = self.sockets.iter().filter_map(|((n, addr), socket)| match socket {
            Socket::Signalling(flow) if *n == node && addr.is_ipv4() == toward.is_ipv4() => {
                Some((*flow, *addr))
            }
            Socket::Signalling(_) | Socket::Media(..) => None,
        });
        let source = self.source(node, toward);
        // The one at the address from which packets go there, else any.
        mine.min_by_key(|(_, addr)| source != Some(addr.ip()))
    }

    /// The address of a signalling socket.
    pub fn signalling_addr(&self, flow: FlowId) -> Option<SocketAddr> {
        self.sockets.iter().find(|(_, s)| **s == Socket::Signalling(flow)).map(|((_, addr), _)| *addr)
    }

    /// Both ends of an open stream.
    pub fn stream_addrs(&self, flow: FlowId) -> Option<(SocketAddr, SocketAddr)> {
        self.ends.get(&flow).filter(|e| e.open).map(|e| (e.local, e.remote))
    }

    /// How many streams a node holds open, and how many media sockets.
    pub fn held(&self, node: NodeId) -> (usize, usize) {
        let media =
            self.sockets.iter().filter(|((n, _), s)| matches!(s, Socket::Media(..)) && *n == node).count();
        (self.ends.values().filter(|e| e.node == node && e.open).count(), media)
    }

    /// Sends a datagram from an address of the internet. The sender's address must be its own.
    pub fn send(&mut self, from: SocketAddr, to: SocketAddr, bytes: Bytes, now: Instant) -> Fate {
        match self.host(from.ip()) {
            Some(node) => self.send_from(node, from, to, bytes, now),
            None => Fate::NoOneThere,
        }
    }

    /// Sends a datagram from one of a node's addresses.
    pub fn send_from(
        &mut self,
        node: NodeId,
        from: SocketAddr,
        to: SocketAddr,
        bytes: Bytes,
        now: Instant,
    ) -> Fate {
        let Some(network) = self.network_of(node, from.ip()) else { return Fate::NoOneThere };
        let parcel = Parcel { kind: Kind::Udp, from, to, bytes };
        let trip = Trip { network, down: false, parcel, origin: (node, from, to), inward: false };
        let Some((place, links)) = self.hop(Place::Node(node), &trip) else { return Fate::NoOneThere };
        let times = Link::datagrams(&links, now, &mut self.rng);
        if times.is_empty() {
            return Fate::Lost;
        }
        if let Place::Node(receiver) = place {
            let Some(socket) = self.sockets.get(&(receiver, to)).copied() else { return Fate::NoOneThere };
            for at in times {
                let bytes = trip.parcel.bytes.clone();
                self.put(at, place, Packet::Arrival(Arrival::Datagram { socket, from, bytes }));
            }
        } else {
            for at in times {
                self.put(at, place, Packet::Trip(trip.arrived(place)));
            }
        }
        Fate::OnTheWay
    }

    /// A node's process ends: its sockets close, its streams end, what was on its way to it finds nobody.
    pub fn kill(&mut self, node: NodeId, now: Instant) {
        self.sockets.retain(|(n, _), _| *n != node);
        self.listeners.retain(|(n, _), _| *n != node);
        self.on_the_way.retain(|_, (to, packet)| {
            *to != Place::Node(node) || matches!(packet, Packet::Trip(t) if t.parcel.kind == Kind::Syn)
        });
        self.attempts.retain(|(n, ..), _| *n != node);
        let flows: Vec<FlowId> = self.ends.iter().filter(|(_, e)| e.node == node).map(|(f, _)| *f).collect();
        for flow in flows {
            self.close_now(flow, now);
        }
    }

    /// A node loses all its networks: as `kill`, but no word of it reaches anybody, and its addresses are free. Says which
    /// flows it lost; their other ends find out for themselves.
    pub fn unplug(&mut self, node: NodeId) -> Vec<FlowId> {
        let mine: Vec<IpAddr> = self.addresses(node).collect();
        let mut lost: Vec<FlowId> = mine.iter().flat_map(|ip| self.silence(node, *ip)).collect();
        lost.sort_by_key(|flow| self.ends.contains_key(flow));
        // Whatever is on its way to it finds nobody.
        self.on_the_way.retain(|_, (to, _)| *to != Place::Node(node));
        lost
    }

    /// When something arrives next.
    pub fn next(&self) -> Option<Instant> {
        self.on_the_way.keys().next().map(|(at, _)| *at)
    }

    /// What has arrived by now, and where; call until `None`.
    pub fn pop_due(&mut self, now: Instant) -> Option<(NodeId, Arrival)> {
        loop {
            if self.next()? > now {
                return None;
            }
            let ((at, _), (place, packet)) = self.on_the_way.pop_first()?;
            let arrived = match (place, packet) {
                (Place::Node(node), Packet::Arrival(arrival)) => {
                    self.is_wanted(node, &arrival).then_some((node, arrival))
                }
                (Place::Node(_), Packet::Up(flow)) => self.is_up(flow),
                (Place::Node(node), Packet::Trip(trip)) => self.at_host(node, trip, at),
                (Place::Node(_), Packet::Again(key, serial)) => self.again(key, serial, at),
                (Place::Node(_), Packet::Held(held)) => self.try_again(held, at),
                (Place::Router(inside), Packet::Trip(trip)) => {
                    self.at_router(inside, trip, at);
                    None
                }
                (Place::Router(inside), Packet::Due) => {
                    self.router_speaks(inside, at);
                    None
                }
                (Place::Node(_), Packet::Due) | (Place::Router(_), _) => None,
            };
            if arrived.is_some() {
                return arrived;
            }
        }
    }

    /// A packet is at the kernel of the node that it was sent to.
    fn at_host(&mut self, node: NodeId, trip: Trip, now: Instant) -> Option<(NodeId, Arrival)> {
        if trip.parcel.kind != Kind::Udp {
            return self.tcp(node, trip, now);
        }
        let Parcel { from, to, bytes, .. } = trip.parcel;
        let socket = self.sockets.get(&(node, to)).copied()?;
        Some((node, Arrival::Datagram { socket, from, bytes }))
    }

    /// Whether there is still somebody for it; sees to the ends of streams.
    fn is_wanted(&mut self, node: NodeId, arrival: &Arrival) -> bool {
        match arrival {
            Arrival::Datagram { socket, .. } => {
                self.sockets.iter().any(|((n, _), s)| (*n, s) == (node, socket))
            }
            Arrival::Chunk { flow, .. } | Arrival::Up { flow, .. } => {
                self.ends.get(flow).is_some_and(|e| e.open)
            }
            Arrival::Down { flow, .. } => self.is_over(*flow),
            Arrival::Failed { local, remote, reason, .. } => {
                if *reason != Reason::InUse {
                    self.attempts.remove(&(node, *local, *remote));
                }
                true
            }
        }
    }

    fn put(&mut self, at: Instant, place: Place, packet: Packet) {
        self.serial += 1;
        self.on_the_way.insert((at, self.serial), (place, packet));
    }
}

#[cfg(test)]
mod tests;
