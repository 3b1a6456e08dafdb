//! How a stream comes to be: somebody asks, a listener takes it or not.

use std::net::SocketAddr;

use base::Instant;

use super::stream::End;
use super::{Arrival, NodeId, Packet, RETRY, Wire};

impl Wire {
    /// Connects a stream; `Up` or `Failed` follows.
    pub fn connect(&mut self, node: NodeId, remote: SocketAddr, now: Instant) {
        if !self.connecting.insert((node, remote)) {
            return;
        }
        match self.source(node, remote.ip()) {
            Some(ip) if self.host(remote.ip()).is_some() => {
                let local = SocketAddr::new(ip, self.port());
                self.syn(node, local, remote, now, now);
            }
            Some(_) | None => self.put(now, node, Packet::Arrival(Arrival::Failed { remote })),
        }
    }

    pub(super) fn syn(
        &mut self,
        asker: NodeId,
        local: SocketAddr,
        remote: SocketAddr,
        since: Instant,
        now: Instant,
    ) {
        let Some(to) = self.host(remote.ip()) else { return };
        let there = self.link(asker, to);
        if there.cut || self.link(to, asker).cut {
            self.put(now + RETRY, asker, Packet::SynHeld { asker, local, remote, since });
        } else {
            let at = there.segment(now, &mut self.rng);
            self.put(at, to, Packet::Syn { asker, local, remote });
        }
    }

    /// A listener takes a stream or refuses it; what the listener hears is returned, what the asker hears is sent.
    pub(super) fn take(
        &mut self,
        node: NodeId,
        asker: NodeId,
        local: SocketAddr,
        remote: SocketAddr,
        now: Instant,
    ) -> Option<(NodeId, Arrival)> {
        let back = self.link(node, asker).segment(now, &mut self.rng);
        if !self.listeners.contains(&remote) {
            self.put(back, asker, Packet::Arrival(Arrival::Failed { remote }));
            return None;
        }
        let (ours, theirs) = (self.flow(), self.flow());
        self.ends
            .insert(ours, End { node, local: remote, remote: local, other: theirs, last: back, open: true });
        self.ends.insert(theirs, End { node: asker, local, remote, other: ours, last: now, open: true });
        self.put(back, asker, Packet::Arrival(Arrival::Up { flow: theirs, local, remote }));
        Some((node, Arrival::Up { flow: ours, local: remote, remote: local }))
    }
}
