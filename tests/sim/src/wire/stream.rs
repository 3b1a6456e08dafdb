//! A stream that is open: its bytes in order, its end, and what a cut does to it.
//!
//! A segment that cannot get through (a cut, a router that has forgotten) is held and tried again; when it is too old the
//! stream is given up at the end that sent it.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use base::{FlowId, Instant};
use bytes::Bytes;

use super::route::{Place, Trip};
use super::{Arrival, Key, NodeId, PATIENCE, Packet, RETRY, Tag, Wire};
use crate::Link;
use crate::nat::{Kind, Parcel};

/// One end of a stream.
#[derive(Debug)]
pub(super) struct End {
    pub(super) node: NodeId,
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) other: FlowId,
    pub(super) tag: Tag,
    /// When the last byte sent so far arrives at the other end: none overtakes another.
    last: Instant,
    pub(super) open: bool,
    /// Its owner was told of it.
    pub(super) up: bool,
    /// No router is between its ends.
    direct: bool,
    /// How many segments were sent, and the numbers of those that are held.
    sent: u64,
    held: BTreeSet<u64>,
}

impl End {
    /// One on a way without routers, whose first byte does not arrive before `last`.
    pub(super) fn direct(key: Key, other: FlowId, tag: Tag, last: Instant, up: bool) -> Self {
        Self { up, direct: true, ..Self::new(key, other, tag, last) }
    }

    /// One that is about to be up, with a router somewhere on its way.
    pub(super) fn new((node, local, remote): Key, other: FlowId, tag: Tag, now: Instant) -> Self {
        Self {
            node,
            local,
            remote,
            other,
            tag,
            last: now,
            open: true,
            up: false,
            direct: false,
            sent: 0,
            held: BTreeSet::new(),
        }
    }
}

/// What a segment is.
#[derive(Clone, Debug)]
pub(super) enum Load {
    /// The ACK of a handshake.
    Up,
    Bytes(Bytes),
    Fin,
}

/// A segment that waits.
#[derive(Debug)]
pub(super) struct Held {
    flow: FlowId,
    number: u64,
    load: Load,
    since: Instant,
}

impl Wire {
    /// Sends bytes on a stream; whether it was open.
    pub fn send_stream(&mut self, flow: FlowId, bytes: Bytes, now: Instant) -> bool {
        let open = self.ends.get(&flow).is_some_and(|e| e.open);
        if open {
            self.segment(flow, Load::Bytes(bytes), now);
        }
        open
    }

    /// Closes a stream: the other end hears `Down` after all that was sent; this end hears nothing.
    pub fn close(&mut self, flow: FlowId, now: Instant) {
        if let Some(end) = self.ends.get_mut(&flow)
            && end.open
        {
            end.open = false;
            self.segment(flow, Load::Fin, now);
        }
    }

    /// The same, and what is held is lost.
    pub(super) fn close_now(&mut self, flow: FlowId, now: Instant) {
        self.drop_held(flow);
        self.close(flow, now);
    }

    pub(super) fn acknowledge(&mut self, flow: FlowId, now: Instant) {
        self.segment(flow, Load::Up, now);
    }

    fn segment(&mut self, flow: FlowId, load: Load, now: Instant) {
        let Some(end) = self.ends.get_mut(&flow) else { return };
        end.sent += 1;
        let number = end.sent;
        self.transmit(Held { flow, number, load, since: now }, now);
    }

    /// Time to try a held segment again, or to give the stream up.
    pub(super) fn try_again(&mut self, held: Held, now: Instant) -> Option<(NodeId, Arrival)> {
        let end = self.ends.get_mut(&held.flow)?;
        end.held.remove(&held.number);
        if now.since(held.since) <= PATIENCE {
            self.transmit(held, now);
            return None;
        }
        let (node, tag, flow) = (end.node, end.tag, held.flow);
        self.break_off(flow, now).then_some((node, Arrival::Down { flow, tag }))
    }

    fn transmit(&mut self, segment: Held, now: Instant) {
        let flow = segment.flow;
        let Some(end) = self.ends.get(&flow) else { return };
        let other = end.other;
        let Some(peer) = self.ends.get(&other) else { return };
        let (node, to, tag, from) = (end.node, peer.node, peer.tag, peer.remote);
        // None overtakes one that waits.
        let waits = end.held.first().is_some_and(|first| *first < segment.number);
        let way = if waits { None } else { self.way(flow, &segment.load, now) };
        let Some((at, even, load)) = way else {
            let Some(end) = self.ends.get_mut(&flow) else { return };
            end.held.insert(segment.number);
            // Order among held segments is kept: they were put in order and are tried again in order.
            let at = (now + RETRY).max(end.last);
            self.put(at, Place::Node(node), Packet::Held(segment));
            return;
        };
        let Some(end) = self.ends.get_mut(&flow) else { return };
        end.last = end.last.max(at);
        let (at, to) = (end.last, Place::Node(to));
        let bytes = match load {
            Load::Up => return self.put(at, to, Packet::Up(other)),
            Load::Fin => return self.put(at, to, Packet::Arrival(Arrival::Down { flow: other, tag })),
            Load::Bytes(bytes) => bytes,
        };
        // A stream keeps no message whole; on a link with jitter it shows.
        let split = if even { 0 } else { self.rng.below(bytes.len() as u64) as usize };
        for part in [bytes.slice(..split), bytes.slice(split..)] {
            if !part.is_empty() {
                self.put(at, to, Packet::Arrival(Arrival::Chunk { flow: other, tag, from, bytes: part }));
            }
        }
    }

    /// When a segment sent now arrives, whether the way is without jitter, and what is left of it; `None` when nothing gets
    /// through.
    fn way(&mut self, flow: FlowId, load: &Load, now: Instant) -> Option<(Instant, bool, Load)> {
        let end = self.ends.get(&flow)?;
        let peer = self.ends.get(&end.other)?;
        let origin = (end.node, end.local, end.remote);
        let (kind, bytes) = match load {
            Load::Up => (Kind::Data, Bytes::new()),
            Load::Bytes(bytes) => (Kind::Data, bytes.clone()),
            Load::Fin => (Kind::Fin, Bytes::new()),
        };
        let parcel = Parcel { kind, from: end.local, to: end.remote, bytes };
        let network = self.network_of(end.node, end.local.ip());
        let trip = network.map(|network| Trip { network, down: false, inward: false, parcel, origin });
        if end.direct {
            // Whoever has left is not looked for: what is sent is lost, and nobody says so.
            let way = trip.and_then(|trip| self.hop(Place::Node(end.node), &trip));
            let links = match way {
                Some((Place::Node(node), links)) if node == peer.node => links,
                _ => vec![self.link(end.node, peer.node)],
            };
            if links.iter().any(|link| link.cut) {
                return None;
            }
            let even = links.iter().all(|link| link.jitter.is_zero());
            return Some((Link::segments(&links, now, &mut self.rng), even, load.clone()));
        }
        let there = (peer.node, peer.local, peer.remote);
        let (node, parcel, at, even) = self.walk(trip?, now)?;
        if (node, parcel.to, parcel.from) != there {
            return None;
        }
        let load = if matches!(load, Load::Bytes(_)) { Load::Bytes(parcel.bytes) } else { load.clone() };
        Some((at, even, load))
    }

    /// Breaks every stream of a node; both ends hear `Down` at once, and nothing more of what was on its way.
    pub fn reset(&mut self, node: NodeId, now: Instant) {
        let ends: Vec<(FlowId, FlowId)> =
            self.ends.iter().filter(|(_, e)| e.node == node && e.open).map(|(f, e)| (*f, e.other)).collect();
        for flow in ends.into_iter().flat_map(|(ours, theirs)| [ours, theirs]) {
            if let Some((node, tag)) = self.ends.get(&flow).map(|e| (e.node, e.tag)) {
                self.put(now, Place::Node(node), Packet::Arrival(Arrival::Down { flow, tag }));
            }
        }
    }

    /// A stream has come to its end at one end; whether its owner is to hear so.
    pub(super) fn is_over(&mut self, flow: FlowId) -> bool {
        let Some(end) = self.ends.remove(&flow) else { return false };
        // The last one out turns off the light.
        if self.ends.get(&end.other).is_some_and(|o| !o.open) {
            self.ends.remove(&end.other);
        }
        end.open && end.up
    }

    /// Gives a stream up at the end that could not send; the other end is not told: it must find out.
    fn break_off(&mut self, flow: FlowId, now: Instant) -> bool {
        self.drop_held(flow);
        let Some(end) = self.ends.get_mut(&flow) else { return false };
        let was_open = std::mem::replace(&mut end.open, false);
        let other = end.other;
        if was_open && let Some((to, tag)) = self.ends.get(&other).map(|e| (e.node, e.tag)) {
            // Its kernel's keepalive will.
            let down = Arrival::Down { flow: other, tag };
            self.put(now + PATIENCE, Place::Node(to), Packet::Arrival(down));
        }
        was_open
    }

    fn drop_held(&mut self, flow: FlowId) {
        if let Some(end) = self.ends.get_mut(&flow) {
            end.held.clear();
        }
        self.on_the_way.retain(|_, (_, p)| !matches!(p, Packet::Held(held) if held.flow == flow));
    }
}
