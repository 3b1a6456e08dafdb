//! The network between the nodes: addresses, datagrams, streams, and the packets on their way.
//!
//! A stream is a pair of flows with bytes in order; loss delays it, a cut holds it, and one held for too long goes down.
//! Knows nothing of SIP or RTP. IPv4 and IPv6 are addresses like any other; there are no routers and no NAT.

mod stream;
mod tcp;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base::{FlowId, Instant, Rng};
use bytes::Bytes;

use crate::Link;
use stream::End;

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
        /// Its other end.
        from: SocketAddr,
        /// Some of the bytes sent.
        bytes: Bytes,
    },
    /// A stream is up.
    Up {
        /// Its name.
        flow: FlowId,
        /// This end.
        local: SocketAddr,
        /// The other end.
        remote: SocketAddr,
    },
    /// A stream is gone.
    Down {
        /// Its name.
        flow: FlowId,
    },
    /// A stream could not be had.
    Failed {
        /// Whom it was to reach.
        remote: SocketAddr,
    },
}

/// What becomes of a datagram, for the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is on its way (perhaps twice).
    OnTheWay,
    /// The link lost it.
    Lost,
    /// Nobody has that address.
    NoOneThere,
}

/// Something on its way.
#[derive(Debug)]
enum Packet {
    Arrival(Arrival),
    /// Asks for a stream.
    Syn {
        asker: NodeId,
        local: SocketAddr,
        remote: SocketAddr,
    },
    /// The same, held by a cut, and tried again likewise.
    SynHeld {
        asker: NodeId,
        local: SocketAddr,
        remote: SocketAddr,
        since: Instant,
    },
    /// A stream's segment or end that a cut held; tried again until `since` is too long ago.
    Held {
        flow: FlowId,
        bytes: Option<Bytes>,
        since: Instant,
    },
}

/// The network.
#[derive(Debug)]
pub struct Wire {
    rng: Rng,
    default: Link,
    links: BTreeMap<(NodeId, NodeId), Link>,
    hosts: BTreeMap<IpAddr, NodeId>,
    sockets: BTreeMap<SocketAddr, Socket>,
    listeners: BTreeSet<SocketAddr>,
    /// Streams asked for and not yet had: asking twice is asking once.
    connecting: BTreeSet<(NodeId, SocketAddr)>,
    ends: BTreeMap<FlowId, End>,
    on_the_way: BTreeMap<(Instant, u64), (NodeId, Packet)>,
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
            hosts: BTreeMap::new(),
            sockets: BTreeMap::new(),
            listeners: BTreeSet::new(),
            connecting: BTreeSet::new(),
            ends: BTreeMap::new(),
            on_the_way: BTreeMap::new(),
            serial: 0,
            last_flow: 0,
            last_port: 39_999,
        }
    }

    /// What every link without one of its own is like.
    pub fn set_default(&mut self, link: Link) {
        self.default = link;
    }

    /// What the way from one node to another is like; the way back has its own.
    pub fn set_link(&mut self, from: NodeId, to: NodeId, link: Link) {
        self.links.insert((from, to), link);
    }

    /// The way from one node to another.
    pub fn link(&self, from: NodeId, to: NodeId) -> Link {
        self.links.get(&(from, to)).copied().unwrap_or(self.default)
    }

    /// Gives a node an address. A node may have several; an address has one node.
    pub fn add_host(&mut self, node: NodeId, ip: IpAddr) {
        self.hosts.insert(ip, node);
    }

    /// The node that has an address.
    pub fn host(&self, ip: IpAddr) -> Option<NodeId> {
        self.hosts.get(&ip).copied()
    }

    /// The address by which `node` reaches `toward`: the first of the same family.
    pub fn source(&self, node: NodeId, toward: IpAddr) -> Option<IpAddr> {
        self.hosts.iter().find(|(ip, n)| **n == node && ip.is_ipv4() == toward.is_ipv4()).map(|(ip, _)| *ip)
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

    /// Listens for datagrams.
    pub fn bind(&mut self, addr: SocketAddr, socket: Socket) {
        self.sockets.insert(addr, socket);
    }

    /// Listens no more.
    pub fn unbind(&mut self, addr: SocketAddr) {
        self.sockets.remove(&addr);
    }

    /// Takes streams at this address.
    pub fn listen(&mut self, addr: SocketAddr) {
        self.listeners.insert(addr);
    }

    /// The signalling socket of a node that reaches `toward`, and its address.
    pub fn signalling(&self, node: NodeId, toward: IpAddr) -> Option<(FlowId, SocketAddr)> {
        self.sockets.iter().find_map(|(addr, socket)| match socket {
            Socket::Signalling(flow)
                if self.host(addr.ip()) == Some(node) && addr.is_ipv4() == toward.is_ipv4() =>
            {
                Some((*flow, *addr))
            }
            Socket::Signalling(_) | Socket::Media(..) => None,
        })
    }

    /// The address of a signalling socket.
    pub fn signalling_addr(&self, flow: FlowId) -> Option<SocketAddr> {
        self.sockets.iter().find(|(_, s)| **s == Socket::Signalling(flow)).map(|(addr, _)| *addr)
    }

    /// Both ends of an open stream.
    pub fn stream_addrs(&self, flow: FlowId) -> Option<(SocketAddr, SocketAddr)> {
        self.ends.get(&flow).filter(|e| e.open).map(|e| (e.local, e.remote))
    }

    /// How many streams a node holds open, and how many media sockets.
    pub fn held(&self, node: NodeId) -> (usize, usize) {
        let media = self
            .sockets
            .iter()
            .filter(|(a, s)| matches!(s, Socket::Media(..)) && self.host(a.ip()) == Some(node));
        (self.ends.values().filter(|e| e.node == node && e.open).count(), media.count())
    }

    /// Sends a datagram. The sender's address must be its own.
    pub fn send(&mut self, from: SocketAddr, to: SocketAddr, bytes: Bytes, now: Instant) -> Fate {
        let (Some(sender), Some(node)) = (self.host(from.ip()), self.host(to.ip())) else {
            return Fate::NoOneThere;
        };
        let times = self.link(sender, node).datagram(now, &mut self.rng);
        if times.is_empty() {
            return Fate::Lost;
        }
        let Some(socket) = self.sockets.get(&to).copied() else { return Fate::NoOneThere };
        for at in times {
            self.put(at, node, Packet::Arrival(Arrival::Datagram { socket, from, bytes: bytes.clone() }));
        }
        Fate::OnTheWay
    }

    /// A node's process ends: its sockets close, its streams end, what was on its way to it finds nobody.
    pub fn kill(&mut self, node: NodeId, now: Instant) {
        let hosts = &self.hosts;
        let others = |addr: &SocketAddr| hosts.get(&addr.ip()) != Some(&node);
        self.sockets.retain(|addr, _| others(addr));
        self.listeners.retain(others);
        self.on_the_way.retain(|_, (to, packet)| {
            *to != node || matches!(packet, Packet::Syn { asker, .. } if *asker != node)
        });
        self.connecting.retain(|(n, _)| *n != node);
        let flows: Vec<FlowId> = self.ends.iter().filter(|(_, e)| e.node == node).map(|(f, _)| *f).collect();
        for flow in flows {
            self.close(flow, now);
        }
    }

    /// A node loses its network: as `kill`, but no word of it reaches anybody, and its address is free. Says which flows
    /// it lost; their other ends find out for themselves.
    pub fn unplug(&mut self, node: NodeId) -> Vec<FlowId> {
        let mine: Vec<SocketAddr> = self
            .sockets
            .keys()
            .chain(&self.listeners)
            .copied()
            .filter(|a| self.host(a.ip()) == Some(node))
            .collect();
        let mut lost = Vec::new();
        for addr in mine {
            if let Some(Socket::Signalling(flow)) = self.sockets.remove(&addr) {
                lost.push(flow);
            }
            self.listeners.remove(&addr);
        }
        lost.extend(self.ends.iter().filter(|(_, e)| e.node == node && e.open).map(|(flow, _)| *flow));
        for flow in &lost {
            if let Some(end) = self.ends.get_mut(flow) {
                end.open = false;
            }
        }
        self.on_the_way.retain(|_, (to, _)| *to != node);
        self.connecting.retain(|(n, _)| *n != node);
        self.hosts.retain(|_, n| *n != node);
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
            let ((at, _), (node, packet)) = self.on_the_way.pop_first()?;
            match packet {
                Packet::Arrival(arrival) => {
                    if let Arrival::Up { remote, .. } | Arrival::Failed { remote } = &arrival {
                        self.connecting.remove(&(node, *remote));
                    }
                    if self.is_wanted(&arrival) {
                        return Some((node, arrival));
                    }
                }
                Packet::SynHeld { asker, local, remote, since } => {
                    if at.since(since) > PATIENCE {
                        self.connecting.remove(&(asker, remote));
                        return Some((asker, Arrival::Failed { remote }));
                    }
                    self.syn(asker, local, remote, since, at);
                }
                Packet::Syn { asker, local, remote } => {
                    if let Some(taken) = self.take(node, asker, local, remote, at) {
                        return Some(taken);
                    }
                }
                Packet::Held { flow, bytes, since } => {
                    if at.since(since) > PATIENCE {
                        if self.break_off(flow, at) {
                            return Some((node, Arrival::Down { flow }));
                        }
                    } else {
                        self.segment(flow, bytes, since, at);
                    }
                }
            }
        }
    }

    /// Whether there is still somebody for it; sees to the ends of streams.
    fn is_wanted(&mut self, arrival: &Arrival) -> bool {
        match arrival {
            Arrival::Datagram { socket, .. } => self.sockets.values().any(|s| s == socket),
            Arrival::Chunk { flow, .. } | Arrival::Up { flow, .. } => {
                self.ends.get(flow).is_some_and(|e| e.open)
            }
            Arrival::Down { flow } => match self.ends.remove(flow) {
                Some(end) => {
                    // The last one out turns off the light.
                    if self.ends.get(&end.other).is_some_and(|o| !o.open) {
                        self.ends.remove(&end.other);
                    }
                    end.open
                }
                None => false,
            },
            Arrival::Failed { .. } => true,
        }
    }

    fn put(&mut self, at: Instant, node: NodeId, packet: Packet) {
        self.serial += 1;
        self.on_the_way.insert((at, self.serial), (node, packet));
    }
}

#[cfg(test)]
mod tests;
