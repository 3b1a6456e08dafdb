//! What crosses the wire of signalling: for a capture, and for one who draws it.
//!
//! Costs nothing while nobody looks. Knows nothing of messages.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::mpsc::Sender;

use base::{FlowId, Instant, Transport};
use bytes::Bytes;
use offhook_net::NetEvent;
use phone::{AccountId, Command};
use sip::codec::FlowCodec as _;
use sip::codec::vos::Seal;
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
    /// What that means, where it was sealed.
    pub meant: Option<Bytes>,
}

#[derive(Debug)]
pub(crate) struct Wire {
    tap: Option<Tap>,
    crossed: Option<Sender<Crossed>>,
    flows: BTreeMap<FlowId, (Transport, SocketAddr)>,
    seals: Seals,
}

/// What is needed to read along where datagrams are sealed.
#[derive(Debug, Default)]
struct Seals {
    of: BTreeMap<AccountId, Seal>,
    flows: BTreeMap<FlowId, AccountId>,
}

impl Seals {
    fn open(&mut self, flow: FlowId, wire: &[u8]) -> Option<Bytes> {
        let seal = self.of.get_mut(self.flows.get(&flow)?)?;
        let mut room = Vec::new();
        seal.open(wire, &mut room).ok().map(Bytes::copy_from_slice)
    }
}

impl Wire {
    pub(crate) fn new(tap: Option<Tap>, crossed: Option<Sender<Crossed>>) -> Self {
        Self { tap, crossed, flows: BTreeMap::new(), seals: Seals::default() }
    }

    /// The app is about to command that.
    pub(crate) fn commanded(&mut self, command: &Command) {
        match command {
            _ if self.tap.is_none() && self.crossed.is_none() => {}
            Command::AddAccount(id, account) => match account.seal() {
                Ok(Some(seal)) => drop(self.seals.of.insert(*id, seal)),
                Ok(None) | Err(_) => drop(self.seals.of.remove(id)),
            },
            _ => {}
        }
    }

    /// What came.
    pub(crate) fn came(&mut self, event: &NetEvent<'_>) {
        match event {
            NetEvent::Bytes { flow, from, bytes } => {
                let meant = self.seals.open(*flow, bytes);
                self.crossed(Way::In, *flow, *from, (bytes, meant.as_deref()));
                self.show(Way::In, *from, || Bytes::copy_from_slice(bytes), meant);
            }
            _ if self.tap.is_none() && self.crossed.is_none() => {}
            NetEvent::FlowUp { network, flow, transport, local, .. } => {
                self.flows.insert(*flow, (*transport, *local));
                if let Some(lane) = network.lane() {
                    self.seals.flows.insert(*flow, AccountId(lane));
                }
            }
            NetEvent::FlowDown { flow } => {
                self.flows.remove(flow);
                self.seals.flows.remove(flow);
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
            let meant = self.seals.open(*flow, bytes);
            self.crossed(Way::Out, *flow, *to, (bytes, meant.as_deref()));
            self.show(Way::Out, *to, || bytes.clone(), meant);
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

    fn show(&mut self, way: Way, remote: SocketAddr, bytes: impl FnOnce() -> Bytes, meant: Option<Bytes>) {
        let Some(crossed) = &self.crossed else { return };
        let message = Crossed { at: clock::now(), sent: way == Way::Out, remote, bytes: bytes(), meant };
        if crossed.send(message).is_err() {
            self.crossed = None;
        }
    }

    // Of a WebSocket the messages are shown, not its frames.
    fn crossed(
        &mut self,
        way: Way,
        flow: FlowId,
        remote: SocketAddr,
        (bytes, meant): (&[u8], Option<&[u8]>),
    ) {
        let Some(tap) = &mut self.tap else { return };
        let Some((transport, local)) = self.flows.get(&flow) else { return };
        let ends = ends(*local, remote);
        if transport.is_reliable() {
            tap.stream(flow, way, ends, clock::wall(), bytes);
        } else {
            let at = clock::wall();
            tap.datagram(way, ends, at, bytes);
            if let Some(meant) = meant {
                tap.meant(way, ends, at, meant);
            }
        }
    }
}
