//! A stream that is open: its bytes in order, its end, and what a cut does to it.

use std::net::SocketAddr;

use base::{FlowId, Instant};
use bytes::Bytes;

use super::{Arrival, NodeId, PATIENCE, Packet, RETRY, Wire};

/// One end of a stream.
#[derive(Debug)]
pub(super) struct End {
    pub(super) node: NodeId,
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) other: FlowId,
    /// When the last byte sent so far arrives at the other end: none overtakes another.
    pub(super) last: Instant,
    pub(super) open: bool,
}

impl Wire {
    /// Sends bytes on a stream; whether it was open.
    pub fn send_stream(&mut self, flow: FlowId, bytes: Bytes, now: Instant) -> bool {
        let open = self.ends.get(&flow).is_some_and(|e| e.open);
        if open {
            self.segment(flow, Some(bytes), now, now);
        }
        open
    }

    /// Closes a stream: the other end hears `Down` after all that was sent; this end hears nothing.
    pub fn close(&mut self, flow: FlowId, now: Instant) {
        if let Some(end) = self.ends.get_mut(&flow)
            && end.open
        {
            end.open = false;
            self.segment(flow, None, now, now);
        }
    }

    pub(super) fn segment(&mut self, flow: FlowId, bytes: Option<Bytes>, since: Instant, now: Instant) {
        let Some(end) = self.ends.get(&flow) else { return };
        let (node, other, from) = (end.node, end.other, end.local);
        let Some(to) = self.ends.get(&other).map(|e| e.node) else { return };
        let link = self.link(node, to);
        if link.cut {
            // Order among held segments is kept: they were put in order and are tried again in order.
            let at = (now + RETRY).max(self.ends.get(&flow).map_or(now, |e| e.last));
            self.put(at, node, Packet::Held { flow, bytes, since });
            return;
        }
        let at = link.segment(now, &mut self.rng);
        let Some(end) = self.ends.get_mut(&flow) else { return };
        end.last = end.last.max(at);
        let at = end.last;
        let Some(bytes) = bytes else {
            self.put(at, to, Packet::Arrival(Arrival::Down { flow: other }));
            return;
        };
        // A stream keeps no message whole; on a link with jitter it shows.
        let split = if link.jitter.is_zero() { 0 } else { self.rng.below(bytes.len() as u64) as usize };
        for part in [bytes.slice(..split), bytes.slice(split..)] {
            if !part.is_empty() {
                self.put(at, to, Packet::Arrival(Arrival::Chunk { flow: other, from, bytes: part }));
            }
        }
    }

    /// Breaks every stream of a node; both ends hear `Down` at once, and nothing more of what was on its way.
    pub fn reset(&mut self, node: NodeId, now: Instant) {
        let ends: Vec<(FlowId, FlowId)> =
            self.ends.iter().filter(|(_, e)| e.node == node && e.open).map(|(f, e)| (*f, e.other)).collect();
        for (ours, theirs) in ends {
            self.put(now, node, Packet::Arrival(Arrival::Down { flow: ours }));
            if let Some(to) = self.ends.get(&theirs).map(|e| e.node) {
                self.put(now, to, Packet::Arrival(Arrival::Down { flow: theirs }));
            }
        }
    }

    /// Gives a stream up at the end that could not send; the other end is not told: it must find out.
    pub(super) fn break_off(&mut self, flow: FlowId, now: Instant) -> bool {
        let Some(end) = self.ends.get_mut(&flow) else { return false };
        let was_open = std::mem::replace(&mut end.open, false);
        let (node, other) = (end.node, end.other);
        if was_open && let Some(to) = self.ends.get(&other).map(|e| e.node) {
            // Its kernel's keepalive will.
            self.put(now + PATIENCE, to, Packet::Arrival(Arrival::Down { flow: other }));
        }
        self.on_the_way
            .retain(|_, (n, p)| *n != node || !matches!(p, Packet::Held { flow: f, .. } if *f == flow));
        was_open
    }
}
