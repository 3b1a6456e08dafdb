//! The signalling side of a capture: which addresses each flow has, and what crossed it.
//!
//! Costs nothing while nothing is captured. Knows nothing of messages.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use base::{FlowId, Transport};
use offhook_net::NetEvent;
use sip::order::Order;

use crate::capture::{Tap, Way, ends};
use crate::clock;
use crate::events::{Event, Events};

#[derive(Debug)]
pub(crate) struct Wire {
    tap: Option<Tap>,
    flows: BTreeMap<FlowId, (Transport, SocketAddr)>,
}

impl Wire {
    pub(crate) fn new(tap: Option<Tap>) -> Self {
        Self { tap, flows: BTreeMap::new() }
    }

    /// What came.
    pub(crate) fn came(&mut self, event: &NetEvent<'_>) {
        if self.tap.is_none() {
            return;
        }
        match event {
            NetEvent::Bytes { flow, from, bytes } => self.crossed(Way::In, *flow, *from, bytes),
            NetEvent::FlowUp { flow, transport, local, .. } => {
                self.flows.insert(*flow, (*transport, *local));
            }
            NetEvent::FlowDown { flow } => {
                self.flows.remove(flow);
                if let Some(tap) = &mut self.tap {
                    tap.forget(*flow);
                }
            }
            NetEvent::FlowFailed { .. } | NetEvent::Resolved { .. } => {}
        }
    }

    /// What goes.
    pub(crate) fn goes(&mut self, order: &Order) {
        if let Order::Send { flow, to, bytes } = order {
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
