//! A machine's way out: where its one peer is, and the sending and re-sending of shared bytes.

use std::net::SocketAddr;

use base::{FlowId, Instant};
use bytes::Bytes;

use super::{Counters, Timing};
use crate::order::{Order, Orders};

/// Where one transaction sends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wire {
    pub(super) flow: FlowId,
    pub(super) to: SocketAddr,
    /// A reliable carrier needs no retransmission and leaves no late duplicates to absorb.
    pub(super) reliable: bool,
}

/// What a machine is lent while it handles one piece of news.
pub(super) struct Turn<'a> {
    pub(super) now: Instant,
    pub(super) timing: &'a Timing,
    pub(super) out: &'a mut Orders,
    pub(super) counters: &'a mut Counters,
}

impl Turn<'_> {
    pub(super) fn send(&mut self, wire: &Wire, bytes: &Bytes) {
        self.out.push(Order::Send { flow: wire.flow, to: wire.to, bytes: bytes.clone() });
    }

    pub(super) fn send_again(&mut self, wire: &Wire, bytes: &Bytes) {
        self.counters.retransmitted += 1;
        self.send(wire, bytes);
    }
}

impl Wire {
    pub(super) fn leads(&self, flow: FlowId, to: SocketAddr) -> bool {
        self.flow == flow && self.to == to
    }
}
