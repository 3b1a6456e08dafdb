//! Networks, the routers between them, and the way of a packet from one to the next.
//!
//! A packet first goes up, from inside to outside, until it is in the network where its destination is; it crosses that one,
//! and goes down. Each router has a link of its own on both sides; what is crossed is the link between the two nodes, if it
//! was set, else the network's. Knows nothing of what a router decides: that is `nat`'s.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base::{FlowId, Instant};

use super::{Key, NodeId, Packet, Socket, Wire};
use crate::Link;
use crate::nat::{Kind, Nat, NatBox, Parcel, Verdict};

/// What a packet takes on each side of a router.
const SIDE: Duration = Duration::from_micros(500);

/// What it takes from one inside host to another.
const INSIDE: Duration = Duration::from_millis(1);

/// Longer ways are loops.
const HOPS: usize = 16;

/// One network: the internet, or what is behind a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NetworkId(pub usize);

impl NetworkId {
    /// The one that is behind no router.
    pub const INTERNET: Self = Self(0);
}

/// Where a packet can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Node(NodeId),
    /// The router of that inside network.
    Router(NetworkId),
}

#[derive(Debug, Default)]
pub(super) struct Network {
    hosts: BTreeMap<IpAddr, Place>,
    router: Option<Router>,
}

#[derive(Debug)]
struct Router {
    nat: NatBox,
    /// The network that it is a host of.
    outside: NetworkId,
    inner: Link,
    outer: Link,
}

/// A packet on its way through networks.
#[derive(Clone, Debug)]
pub(super) struct Trip {
    /// Where it is.
    pub(super) network: NetworkId,
    /// It has crossed already: it goes only from outside to inside from here on.
    pub(super) down: bool,
    /// It came to the router where it is from outside.
    pub(super) inward: bool,
    pub(super) parcel: Parcel,
    /// Who sent it, and what it is to them. A router's own words have the one they are for.
    pub(super) origin: Key,
}

impl Trip {
    /// The same at its next place: a router that is not the network's own is met from its outside.
    pub(super) fn arrived(&self, place: Place) -> Self {
        let inward = matches!(place, Place::Router(inside) if inside != self.network);
        Self { inward, ..self.clone() }
    }
}

impl Wire {
    // Who is where

    /// A new network behind a router of this kind, which is at these addresses of the outside network.
    pub fn add_network(&mut self, nat: Nat, outside: NetworkId, faces: Vec<IpAddr>) -> NetworkId {
        let id = NetworkId(self.networks.len());
        for face in &faces {
            self.networks[outside.0].hosts.insert(*face, Place::Router(id));
            if let Some(router) = &mut self.networks[outside.0].router {
                router.nat.attach(*face);
            }
        }
        let side = Link { delay: SIDE, ..Link::default() };
        let nat = NatBox::new(nat, faces, self.rng.split());
        let router = Router { nat, outside, inner: side, outer: side };
        self.networks.push(Network { hosts: BTreeMap::new(), router: Some(router) });
        id
    }

    /// The router of an inside network.
    pub fn nat(&self, network: NetworkId) -> Option<&NatBox> {
        self.networks[network.0].router.as_ref().map(|r| &r.nat)
    }

    /// The same, to be changed; not its addresses.
    pub fn nat_mut(&mut self, network: NetworkId) -> Option<&mut NatBox> {
        self.networks[network.0].router.as_mut().map(|r| &mut r.nat)
    }

    /// A router gets other outside addresses and forgets its mappings.
    pub fn rebind(&mut self, network: NetworkId, faces: Vec<IpAddr>) {
        let Some(router) = &mut self.networks[network.0].router else { return };
        router.nat.rebind(faces.clone());
        let outside = router.outside;
        let outside = &mut self.networks[outside.0];
        outside.hosts.retain(|_, place| *place != Place::Router(network));
        outside.hosts.extend(faces.iter().map(|face| (*face, Place::Router(network))));
        if let Some(upper) = &mut outside.router {
            for face in &faces {
                upper.nat.attach(*face);
            }
        }
    }

    /// What both sides of a router are like, each way.
    pub fn set_router_links(&mut self, network: NetworkId, inside: Link, outside: Link) {
        if let Some(router) = &mut self.networks[network.0].router {
            (router.inner, router.outer) = (inside, outside);
        }
    }

    /// A node's own way into a network (its Wi-Fi, its cell), each way, on top of all others.
    pub fn set_access(&mut self, node: NodeId, network: NetworkId, link: Link) {
        self.access.insert((node, network), link);
    }

    /// Gives a node an address of the internet. A node may have several; an address has one node.
    pub fn add_host(&mut self, node: NodeId, ip: IpAddr) {
        self.join(node, NetworkId::INTERNET, ip);
    }

    /// Gives a node an address in a network. It must not have the same in another. It prefers the one it joined first.
    pub fn join(&mut self, node: NodeId, network: NetworkId, ip: IpAddr) {
        self.preferred.entry(node).or_insert(network);
        self.networks[network.0].hosts.insert(ip, Place::Node(node));
        self.attached.insert((node, ip), network);
        if let Some(router) = &mut self.networks[network.0].router {
            router.nat.attach(ip);
        }
    }

    /// A node loses one address, without a word to anybody. Says which flows it lost.
    pub fn leave_at(&mut self, node: NodeId, ip: IpAddr) -> Vec<FlowId> {
        let network = self.network_of(node, ip);
        let lost = self.silence(node, ip);
        let left = self.addresses(node).any(|other| self.network_of(node, other) == network);
        if !left && self.preferred.get(&node).copied() == network {
            self.preferred.remove(&node);
            let next = self.attached.iter().find(|((n, _), _)| *n == node).map(|(_, network)| *network);
            self.preferred.extend(next.map(|network| (node, network)));
        }
        lost
    }

    /// A node loses a network and its address there, without a word to anybody. Says which flows it lost.
    pub fn leave(&mut self, node: NodeId, network: NetworkId) -> Vec<FlowId> {
        let gone: Vec<IpAddr> =
            self.addresses(node).filter(|ip| self.network_of(node, *ip) == Some(network)).collect();
        let lost = gone.into_iter().flat_map(|ip| self.silence(node, ip)).collect();
        if self.preferred.get(&node) == Some(&network) {
            self.preferred.remove(&node);
            let next = self.attached.iter().find(|((n, _), _)| *n == node).map(|(_, network)| *network);
            self.preferred.extend(next.map(|network| (node, network)));
        }
        lost
    }

    /// A node prefers a network for what it sends to anywhere.
    pub fn prefer(&mut self, node: NodeId, network: NetworkId) {
        self.preferred.insert(node, network);
    }

    /// All addresses of a node.
    pub fn addresses(&self, node: NodeId) -> impl Iterator<Item = IpAddr> {
        self.attached.keys().filter(move |(n, _)| *n == node).map(|(_, ip)| *ip)
    }

    /// In which network an address of a node is.
    pub fn network_of(&self, node: NodeId, ip: IpAddr) -> Option<NetworkId> {
        self.attached.get(&(node, ip)).copied()
    }

    /// Whether somebody has an address in a network.
    pub fn has(&self, network: NetworkId, ip: IpAddr) -> bool {
        self.networks[network.0].hosts.contains_key(&ip)
    }

    /// The network outside a network's router; the internet has itself.
    pub fn outside_of(&self, network: NetworkId) -> NetworkId {
        self.networks[network.0].router.as_ref().map_or(NetworkId::INTERNET, |r| r.outside)
    }

    /// The node that has an address of the internet.
    pub fn host(&self, ip: IpAddr) -> Option<NodeId> {
        match self.networks[NetworkId::INTERNET.0].hosts.get(&ip) {
            Some(Place::Node(node)) => Some(*node),
            Some(Place::Router(_)) | None => None,
        }
    }

    /// The address by which `node` reaches `toward`: one of the same family in the network that it prefers, else the first.
    pub fn source(&self, node: NodeId, toward: IpAddr) -> Option<IpAddr> {
        let preferred = self.preferred.get(&node);
        self.attached
            .iter()
            .filter(|((n, ip), _)| *n == node && ip.is_ipv4() == toward.is_ipv4())
            .min_by_key(|(_, network)| Some(*network) != preferred)
            .map(|((_, ip), _)| *ip)
    }

    /// Whom a node would reach at an address now, through whatever is in between, filters left out.
    pub fn whom(&self, node: NodeId, to: SocketAddr) -> Option<NodeId> {
        self.reach(node, to).map(|(node, _)| node)
    }

    /// The same, and at which of its endpoints.
    pub fn reach(&self, node: NodeId, to: SocketAddr) -> Option<(NodeId, SocketAddr)> {
        let mut network = self.network_of(node, self.source(node, to.ip())?)?;
        loop {
            let here = &self.networks[network.0];
            match here.hosts.get(&to.ip()) {
                Some(place) => return self.resident(*place, to),
                None => network = here.router.as_ref()?.outside,
            }
        }
    }

    /// The node at a place, or behind it.
    fn resident(&self, mut place: Place, mut to: SocketAddr) -> Option<(NodeId, SocketAddr)> {
        for _ in 0..HOPS {
            match place {
                Place::Node(node) => return Some((node, to)),
                Place::Router(inside) => {
                    to = self.nat(inside)?.behind(to)?;
                    place = *self.networks[inside.0].hosts.get(&to.ip())?;
                }
            }
        }
        None
    }

    /// An address of a node is no more: its sockets are gone, and its streams say nothing further.
    pub(super) fn silence(&mut self, node: NodeId, ip: IpAddr) -> Vec<FlowId> {
        let mine = |(n, addr): &(NodeId, SocketAddr)| *n == node && addr.ip() == ip;
        let mut lost: Vec<FlowId> = self
            .sockets
            .iter()
            .filter(|(at, _)| mine(at))
            .filter_map(|(_, socket)| match socket {
                Socket::Signalling(flow) => Some(*flow),
                Socket::Media(..) => None,
            })
            .collect();
        self.sockets.retain(|at, _| !mine(at));
        self.listeners.retain(|at, _| !mine(at));
        self.attempts.retain(|(n, local, _), _| !mine(&(*n, *local)));
        for (flow, end) in &mut self.ends {
            if end.node == node && end.local.ip() == ip && end.open {
                end.open = false;
                lost.push(*flow);
            }
        }
        if let Some(network) = self.attached.remove(&(node, ip)) {
            self.networks[network.0].hosts.remove(&ip);
            self.on_the_way.retain(|_, (place, packet)| {
                *place != Place::Node(node)
                    || !matches!(packet, Packet::Trip(trip) if trip.parcel.to.ip() == ip)
            });
        }
        lost
    }

    // The way

    /// Where a packet that leaves this place comes next, and the links that it takes to there.
    pub(super) fn hop(&self, place: Place, trip: &Trip) -> Option<(Place, Vec<Link>)> {
        let network = &self.networks[trip.network.0];
        let mut links = Vec::new();
        match place {
            Place::Node(node) => links.extend(self.access.get(&(node, trip.network))),
            Place::Router(inside) => {
                let router = self.networks[inside.0].router.as_ref()?;
                links.push(if trip.down { router.inner } else { router.outer });
            }
        }
        let Some(next) = network.hosts.get(&trip.parcel.to.ip()).copied() else {
            let up = network.router.as_ref().filter(|_| !trip.down)?;
            links.push(up.inner);
            return Some((Place::Router(trip.network), links));
        };
        if !trip.down {
            links.push(self.across(next, trip));
        }
        match next {
            Place::Node(node) => links.extend(self.access.get(&(node, trip.network))),
            Place::Router(inside) => links.push(self.networks[inside.0].router.as_ref()?.outer),
        }
        Some((next, links))
    }

    fn across(&self, next: Place, trip: &Trip) -> Link {
        let to = self.resident(next, trip.parcel.to);
        let set = to.and_then(|(to, _)| self.links.get(&(trip.origin.0, to)));
        match set {
            Some(link) => *link,
            None if trip.network == NetworkId::INTERNET => self.default,
            None => Link { delay: INSIDE, ..Link::default() },
        }
    }

    /// Sends a packet on from where it is. When it is at its next place; `None` when it never will be.
    pub(super) fn depart(&mut self, place: Place, trip: Trip, now: Instant) -> Option<Instant> {
        let (next, links) = self.hop(place, &trip)?;
        if trip.parcel.kind == Kind::Udp {
            let times = Link::datagrams(&links, now, &mut self.rng);
            for at in &times {
                self.put(*at, next, Packet::Trip(trip.arrived(next)));
            }
            return times.first().copied();
        }
        // From node to node it is too late for a cut: the SYN would not have left.
        let direct = matches!((place, next), (Place::Node(_), Place::Node(_)));
        if links.iter().any(|link| link.cut) && !direct {
            return None;
        }
        let at = Link::segments(&links, now, &mut self.rng);
        self.put(at, next, Packet::Trip(trip.arrived(next)));
        Some(at)
    }

    /// A packet is at a router.
    pub(super) fn at_router(&mut self, inside: NetworkId, trip: Trip, now: Instant) {
        let origin = trip.origin;
        let Some((trips, due)) = self.through(inside, trip, now) else { return };
        for trip in trips {
            self.depart(Place::Router(inside), Trip { origin, ..trip }, now);
        }
        if let Some(at) = due {
            self.put(at.max(now), Place::Router(inside), Packet::Due);
        }
    }

    /// What a router makes of a packet, and when it will speak by itself.
    fn through(
        &mut self,
        inside: NetworkId,
        trip: Trip,
        now: Instant,
    ) -> Option<(Vec<Trip>, Option<Instant>)> {
        let router = self.networks[inside.0].router.as_mut()?;
        let verdict = if trip.inward {
            router.nat.inbound(trip.parcel, now)
        } else {
            router.nat.outbound(trip.parcel, now)
        };
        let (network, down, parcels) = match verdict {
            Verdict::Outside(parcels) => (router.outside, false, parcels),
            Verdict::Inside(parcels) => (inside, true, parcels),
            Verdict::Dropped(_) => (inside, true, Vec::new()),
        };
        let origin = trip.origin;
        let trip = |parcel| Trip { network, down, inward: false, parcel, origin };
        Some((parcels.into_iter().map(trip).collect(), router.nat.next_due()))
    }

    /// A router says what it has waited to say.
    pub(super) fn router_speaks(&mut self, inside: NetworkId, now: Instant) {
        let Some(router) = &mut self.networks[inside.0].router else { return };
        let (network, parcels) = (router.outside, router.nat.due(now));
        for parcel in parcels {
            let origin = (NodeId(usize::MAX), parcel.from, parcel.to);
            let trip = Trip { network, down: false, inward: false, parcel, origin };
            self.depart(Place::Router(inside), trip, now);
        }
    }

    /// The whole way of an open stream's segment at once: where it arrives, as what, and when. `None` when a cut or a
    /// router stops it.
    pub(super) fn walk(&mut self, trip: Trip, now: Instant) -> Option<(NodeId, Parcel, Instant, bool)> {
        let (mut place, mut trip, mut at, mut even) = (Place::Node(trip.origin.0), trip, now, true);
        for _ in 0..HOPS {
            let (next, links) = self.hop(place, &trip)?;
            if links.iter().any(|link| link.cut) {
                return None;
            }
            even &= links.iter().all(|link| link.jitter.is_zero());
            at = Link::segments(&links, at, &mut self.rng);
            match next {
                Place::Node(node) => return Some((node, trip.parcel, at, even)),
                Place::Router(inside) => {
                    let arrived = trip.arrived(next);
                    trip = self.through(inside, arrived, now)?.0.into_iter().next()?;
                    place = next;
                }
            }
        }
        None
    }
}
