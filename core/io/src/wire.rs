//! What crosses the wire of signalling: for a capture, and for one who draws it.
//!
//! Costs nothing while nobody looks. Knows nothing of messages.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::mpsc::Sender;

use base::{FlowId, Instant, Transport};
use bytes::Bytes;
use offhook_net::NetEvent;
use sip::order::Order;

use crate::capture::{Tap, Way, ends};
use crate::clock;
use crate::events::{Event, Events};

/// A datagram of signalling, or a chunk of a stream, that crossed the wire: for ladders on the user's own screen.
#[derive(Clone, Debug)]
pub struct Crossed {
    /// When.
    pub at: Instant,
    /// By us, or to us.
    pub sent: bool,
    /// The other end.
    pub remote: SocketAddr,
    /// As the wire had it, credentials and all.
    pub bytes: Bytes,
}

#[derive(Debug)]
pub(crate) struct Wire {
    tap: Option<Tap>,
    crossed: Option<Sender<Crossed>>,
    flows: BTreeMap<FlowId, (Transport, SocketAddr)>,
}

impl Wire {
    pub(crate) fn new(tap: Option<Tap>, crossed: Option<Sender<Crossed>>) -> Self {
        Self { tap, crossed, flows: BTreeMap::new() }
    }

    /// What came.
    pub(crate) fn came(&mut self, event: &NetEvent<'_>) {
        match event {
            NetEvent::Bytes { flow, from, bytes } => {
                self.show(Way::In, *from, || Bytes::copy_from_slice(bytes));
                self.crossed(Way::In, *flow, *from, bytes);
            }
            _ if self.tap.is_none() => {}
            NetEvent::FlowUp { flow, transport, local, .. } => {
                self.flows.insert(*flow, (*transport, *local));
            }
            NetEvent::FlowDown { flow } => {
                self.flows.remove(flow);
                if let Some(tap) = &mut self.tap {
                    tap.forget(*flow);
                }
            }
            NetEvent::FlowFailed { .. } | NetEvent::Untrusted { .. } | NetEvent::Resolved { .. } => {}
        }
    }

    /// What goes.
    pub(crate) fn goes(&mut self, order: &Order) {
        if let Order::Send { flow, to, bytes } = order {
            self.show(Way::Out, *to, || bytes.clone());
            self.crossed(Way::Out, *flow, *to, bytes);
        }
    }

    /// Brings what was gathered to the file.
    pub(crate) fn flush(&mut self, events: &Events) {
        if let Some(tap) = &mut self.tap
            && let Err(e) = tap.flush()
        {
            events.push(Event::CaptureEnded { reason: format!("the capture cannot be written: {e}") });
            self.tap = None;
        }
    }

    fn show(&mut self, way: Way, remote: SocketAddr, bytes: impl FnOnce() -> Bytes) {
        let Some(crossed) = &self.crossed else { return };
        let message = Crossed { at: clock::now(), sent: way == Way::Out, remote, bytes: bytes() };
        if crossed.send(message).is_err() {
            self.crossed = None;
        }
    }

    // Of a WebSocket the messages are shown, not its frames.
    fn crossed(&mut self, way: Way, flow: FlowId, remote: SocketAddr, bytes: &[u8]) {
        let Some(tap) = &mut self.tap else { return };
        let Some((transport, local)) = self.flows.get(&flow) else { return };
        let ends = ends(*local, remote);
        if transport.is_reliable() {
            tap.stream(flow, way, ends, clock::wall(), bytes);
        } else {
            tap.datagram(way, ends, clock::wall(), bytes);
        }
    }
}
