//! How a stream comes to be: SYNs, what hosts answer them, and two that cross.
//!
//! RFC 9293 section 3.5 with its figure 8 (simultaneous open), RFC 6298's doubling wait between SYNs. All sockets are as if
//! SO_REUSEADDR and SO_REUSEPORT were set: a port may listen and connect to several at the same time.
//!
//! ```text
//!   connect -> [SYN-SENT] -- SYN-ACK ------------------------------> up
//!                  |  +-- SYN --> [SYN-RECEIVED] -- SYN-ACK, ACK --> up
//!                  +-- RST, ICMP, a minute --> failed
//!   listener -- SYN --> [SYN-RECEIVED, passive] -- ACK ------------> up        RST, a minute: forgotten
//! ```
//!
//! On a way without routers nothing can happen to the third packet: there the listener is up when the SYN comes, a SYN is
//! not repeated, for loss is delay, and a cut holds it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use base::{FlowId, Instant};
use bytes::Bytes;

use super::route::{Place, Trip};
use super::stream::End;
use super::{Arrival, Key, NodeId, PATIENCE, Packet, RETRY, Reason, Tag, Wire};
use crate::nat::{Kind, Parcel};

/// How long until the first SYN is repeated; then twice as long, and so on: at 1 s, 3 s, 7 s.
const SYN_WAIT: Duration = Duration::from_secs(1);

/// A stream that is being opened, at one end.
#[derive(Debug)]
pub(super) struct Attempt {
    tag: Tag,
    since: Instant,
    serial: u64,
    /// How many SYNs were sent.
    tries: u32,
    /// A listener's: it sent none.
    passive: bool,
    /// A SYN came.
    heard: bool,
    /// Its name, from when the other end has heard of it.
    flow: Option<FlowId>,
}

impl Wire {
    /// Connects a stream of signalling from a fresh port; `Up` or `Failed` follows. Asking twice is asking once.
    pub fn connect(&mut self, node: NodeId, remote: SocketAddr, now: Instant) {
        let asked = |((n, _, r), a): (&Key, &Attempt)| {
            (*n, *r, a.tag) == (node, remote, Tag::Signalling) && !a.passive
        };
        if self.attempts.iter().any(asked) {
            return;
        }
        match self.source(node, remote.ip()) {
            Some(ip) => {
                let local = SocketAddr::new(ip, self.port());
                self.connect_from(node, local, remote, Tag::Signalling, now);
            }
            None => {
                let nowhere: IpAddr = match remote {
                    SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
                    SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
                };
                let key = (node, SocketAddr::new(nowhere, 0), remote);
                self.attempt(key, Tag::Signalling, false, now);
                self.fail_later(key, Tag::Signalling, Reason::Unreachable, now);
            }
        }
    }

    /// Connects a stream from a port that may listen, and have other streams, at the same time. `Up` or `Failed` follows.
    pub fn connect_from(
        &mut self,
        node: NodeId,
        local: SocketAddr,
        remote: SocketAddr,
        tag: Tag,
        now: Instant,
    ) {
        let key = (node, local, remote);
        if self.attempts.contains_key(&key) || self.open_flow(&key).is_some() {
            self.fail_later(key, tag, Reason::InUse, now);
            return;
        }
        self.attempt(key, tag, false, now);
        let way = self.trip(key, Kind::Syn).and_then(|trip| self.hop(Place::Node(node), &trip));
        if way.is_some() {
            self.syn(key, now);
        } else {
            self.fail_later(key, tag, Reason::Unreachable, now);
        }
    }

    /// Connects no longer, if it still does. Nobody hears of it.
    pub fn give_up(&mut self, node: NodeId, local: SocketAddr, remote: SocketAddr) {
        let key = (node, local, remote);
        if self.attempts.get(&key).is_some_and(|a| !a.passive) {
            self.attempts.remove(&key);
        }
    }

    fn attempt(&mut self, key: Key, tag: Tag, passive: bool, now: Instant) {
        self.serial += 1;
        let serial = self.serial;
        let attempt = Attempt { tag, since: now, serial, tries: 0, passive, heard: passive, flow: None };
        self.attempts.insert(key, attempt);
    }

    fn fail_later(&mut self, (node, local, remote): Key, tag: Tag, reason: Reason, now: Instant) {
        let failed = Arrival::Failed { tag, local, remote, reason };
        self.put(now, Place::Node(node), Packet::Arrival(failed));
    }

    fn trip(&self, origin: Key, kind: Kind) -> Option<Trip> {
        let (node, from, to) = origin;
        let network = self.network_of(node, from.ip())?;
        let parcel = Parcel { kind, from, to, bytes: Bytes::new() };
        Some(Trip { network, down: false, inward: false, parcel, origin })
    }

    fn say(&mut self, origin: Key, kind: Kind, now: Instant) -> Option<Instant> {
        let trip = self.trip(origin, kind)?;
        self.depart(Place::Node(origin.0), trip, now)
    }

    /// The node at the other end of a way without routers.
    fn neighbour(&self, key: Key) -> Option<NodeId> {
        match self.hop(Place::Node(key.0), &self.trip(key, Kind::Syn)?)?.0 {
            Place::Node(node) => Some(node),
            Place::Router(_) => None,
        }
    }

    /// Sends the SYN, or what stands in its place, and sees to the next.
    fn syn(&mut self, key: Key, now: Instant) {
        let neighbour = self.neighbour(key);
        let Some(attempt) = self.attempts.get_mut(&key) else { return };
        let again = Packet::Again(key, attempt.serial);
        let kind = if attempt.heard { Kind::SynAck } else { Kind::Syn };
        let wait = SYN_WAIT * 2_u32.pow(attempt.tries.min(6));
        attempt.tries += 1;
        match neighbour {
            Some(to) if self.is_cut(key, to) => self.put(now + RETRY, Place::Node(key.0), again),
            Some(_) => {
                self.say(key, kind, now);
            }
            None => {
                self.say(key, kind, now);
                self.put(now + wait, Place::Node(key.0), again);
            }
        }
    }

    fn is_cut(&self, key: Key, to: NodeId) -> bool {
        let there = self.trip(key, Kind::Syn).and_then(|trip| self.hop(Place::Node(key.0), &trip));
        there.is_some_and(|(_, links)| links.iter().any(|link| link.cut)) || self.link(to, key.0).cut
    }

    /// Time to send a SYN again, or to give up.
    pub(super) fn again(&mut self, key: Key, serial: u64, now: Instant) -> Option<(NodeId, Arrival)> {
        let attempt = self.attempts.get(&key).filter(|a| a.serial == serial)?;
        if now.since(attempt.since) > PATIENCE || attempt.passive {
            return self.fail(key, Reason::TimedOut, now);
        }
        self.syn(key, now);
        None
    }

    /// An attempt is over; who asked for it hears so.
    fn fail(&mut self, key: Key, reason: Reason, now: Instant) -> Option<(NodeId, Arrival)> {
        let attempt = self.attempts.remove(&key)?;
        // The other end may be up already: it hears that this one is not.
        if let Some(flow) = attempt.flow {
            self.close(flow, now);
        }
        let (node, local, remote) = key;
        (!attempt.passive).then_some((node, Arrival::Failed { tag: attempt.tag, local, remote, reason }))
    }

    /// The flow of an open stream between two endpoints.
    fn open_flow(&self, key: &Key) -> Option<FlowId> {
        self.ends.iter().find(|(_, e)| e.open && (e.node, e.local, e.remote) == *key).map(|(flow, _)| *flow)
    }

    /// A packet of TCP is at a host, and belongs to no stream that is open at both ends.
    pub(super) fn tcp(&mut self, node: NodeId, trip: Trip, now: Instant) -> Option<(NodeId, Arrival)> {
        let (key, asker) = ((node, trip.parcel.to, trip.parcel.from), trip.origin);
        let passive = self.attempts.get(&key).map(|a| a.passive);
        match (trip.parcel.kind, passive) {
            (Kind::Syn, Some(_)) => {
                self.heard(key, asker, now);
                None
            }
            (Kind::Syn, None) => {
                if self.open_flow(&key).is_some() {
                    return None;
                }
                let Some(tag) = self.listeners.get(&(node, trip.parcel.to)).copied() else {
                    self.say(key, Kind::Reset, now);
                    return None;
                };
                let untranslated = asker == (asker.0, key.2, key.1);
                if untranslated && self.neighbour(key) == Some(asker.0) {
                    return self.take(key, asker, tag, now);
                }
                self.attempt(key, tag, true, now);
                let again = Packet::Again(key, self.serial);
                self.put(now + PATIENCE, Place::Node(node), again);
                self.heard(key, asker, now);
                None
            }
            (Kind::SynAck, Some(false)) => self.established(key, asker, now),
            (Kind::SynAck, None) => {
                if self.open_flow(&key).is_none() {
                    self.say(key, Kind::Reset, now);
                }
                None
            }
            (Kind::Reset | Kind::Unreachable, Some(_)) => self.fail(key, Reason::Refused, now),
            (Kind::Reset, None) => {
                let flow = self.open_flow(&key)?;
                let tag = self.ends.get(&flow)?.tag;
                self.is_over(flow).then_some((node, Arrival::Down { flow, tag }))
            }
            (Kind::SynAck, Some(true)) | (Kind::Unreachable, None) => None,
            // Open streams walk their whole way at once.
            (Kind::Udp | Kind::Data | Kind::Fin, _) => None,
        }
    }

    /// A SYN came for an attempt.
    fn heard(&mut self, key: Key, asker: Key, now: Instant) {
        for key in [key, asker] {
            if self.attempts.get(&key).is_some_and(|a| a.flow.is_none()) {
                let flow = self.flow();
                if let Some(attempt) = self.attempts.get_mut(&key) {
                    attempt.flow = Some(flow);
                }
            }
        }
        if let Some(attempt) = self.attempts.get_mut(&key) {
            attempt.heard = true;
        }
        self.say(key, Kind::SynAck, now);
    }

    /// A listener takes a stream over a way without routers; the asker hears of it by the SYN-ACK.
    fn take(&mut self, key: Key, asker: Key, tag: Tag, now: Instant) -> Option<(NodeId, Arrival)> {
        let theirs_tag = self.attempts.get(&asker)?.tag;
        let back = self.say(key, Kind::SynAck, now)?;
        let (ours, theirs) = (self.flow(), self.flow());
        self.attempts.get_mut(&asker)?.flow = Some(theirs);
        self.ends.insert(ours, End::direct(key, theirs, tag, back, true));
        self.ends.insert(theirs, End::direct(asker, ours, theirs_tag, now, false));
        Some((key.0, Arrival::Up { flow: ours, tag, local: key.1, remote: key.2 }))
    }

    /// The other end has answered the SYN.
    fn established(&mut self, key: Key, peer: Key, now: Instant) -> Option<(NodeId, Arrival)> {
        let attempt = self.attempts.get(&key)?;
        // The other end came first, and made this one too.
        if let Some(ours) = attempt.flow.filter(|flow| self.ends.contains_key(flow)) {
            return self.is_up(ours);
        }
        let theirs = self.attempts.get(&peer).and_then(|a| a.flow).or_else(|| self.open_flow(&peer));
        let (Some(theirs), Some(ours)) = (theirs, attempt.flow) else {
            return self.fail(key, Reason::Refused, now);
        };
        let tag = attempt.tag;
        let theirs_tag = self.attempts.get(&peer).map_or(tag, |a| a.tag);
        self.ends.insert(ours, End::new(key, theirs, tag, now));
        self.ends.entry(theirs).or_insert_with(|| End::new(peer, ours, theirs_tag, now));
        let up = self.is_up(ours);
        if self.ends.get(&theirs).is_some_and(|e| !e.up) {
            self.acknowledge(ours, now);
        }
        up
    }

    /// An end is up, if it is not yet.
    pub(super) fn is_up(&mut self, flow: FlowId) -> Option<(NodeId, Arrival)> {
        let end = self.ends.get_mut(&flow).filter(|e| e.open && !e.up)?;
        end.up = true;
        let (node, tag, local, remote) = (end.node, end.tag, end.local, end.remote);
        self.attempts.remove(&(node, local, remote));
        Some((node, Arrival::Up { flow, tag, local, remote }))
    }
}
