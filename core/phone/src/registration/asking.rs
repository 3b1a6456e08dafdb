//! A registrar that speaks STUN beside SIP is asked what it sees us as, at the end of each silence on UDP.
//!
//! RFC 5626 sections 4.4.2 and 8: only where it has said so, by taking our registration by flow itself or through a first hop
//! with `ob` in its Path. An answer with another address is the flow's failure, and registers anew at once; so is silence,
//! after [`TRIES`]: when a REGISTER is then answered over the same flow, it is STUN that is not spoken there, and empty
//! lines do from then on.

use std::net::SocketAddr;
use std::time::Duration;

use base::FlowId;
use nat::stun::{Class, Message as Stun, Method, TransactionId, Writer};
use sip::message::{Message, Name, NameAddr};
use sip::order::Order;
use sip::transaction::Source;

use super::{Registration, State};
use crate::desk::{Desk, Timer};

/// How often a question is asked.
const TRIES: u32 = 4;
/// How long the first answer is waited for, doubled each time. RFC 8489 section 6.2.1 in shape: a radio that wakes is slow.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Where asking stands.
#[derive(Debug, Default)]
pub(super) struct Asking {
    /// The registrar says that it answers.
    pub(super) offered: bool,
    /// It does not, whatever it says.
    deaf: bool,
    /// A question without an answer yet, and how often it was asked.
    open: Option<(TransactionId, u32)>,
}

impl Asking {
    /// The registrar answered a REGISTER, and that is what it says of itself.
    pub(super) fn told(&mut self, answer: &Message, via: &Source, outbound: bool) {
        let path = answer.all(Name::Path).last();
        let by_first_hop = |path: &[u8]| NameAddr::read(path).is_ok_and(|path| path.uri().params.has("ob"));
        self.offered = outbound && !via.transport.is_reliable() && path.is_none_or(by_first_hop);
        // The flow works: so it is not the flow that did not answer.
        self.deaf |= self.open.take().is_some_and(|(_, times)| times >= TRIES);
    }

    /// Another flow: what was open is no question any more, and its registrar may be another.
    pub(super) fn begin_anew(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_spoken(&self) -> bool {
        self.offered && !self.deaf
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }
}

impl Registration {
    /// Asks, or asks again, or gives up asking.
    pub(super) fn ask(&mut self, path: &Source, desk: &mut Desk) {
        let (id, times) = self.asking.open.unwrap_or_else(|| (TransactionId::draw(&mut desk.rng), 0));
        self.asking.open = Some((id, times + 1));
        if times >= TRIES {
            return self.send(desk);
        }
        let bytes = Writer::request(Method::Binding, id).unsigned();
        desk.orders.push(Order::Send { flow: path.flow, to: path.remote, bytes });
        desk.timers.set(Timer::Ping(self.id), desk.now + FIRST_WAIT * (1 << times));
    }

    /// STUN came on a signalling flow. Says whether it answers us.
    pub(crate) fn answered_stun(
        &mut self,
        flow: FlowId,
        from: SocketAddr,
        message: &Stun,
        desk: &mut Desk,
    ) -> bool {
        let ours = self.asking.open.is_some_and(|(id, _)| id == message.id());
        let (true, Some(path)) = (ours, self.path) else { return false };
        if (path.flow, path.remote) != (flow, from) || message.method() != Method::Binding {
            return false;
        }
        match (message.class(), message.mapped()) {
            (Class::Success, Some(mapped)) => {
                self.asking.open = None;
                let same = self.is_seen_as(&path, mapped, desk);
                match self.state {
                    State::Registered { .. } if same => self.set_ping(desk),
                    // Calls do not reach us: that cannot wait.
                    State::Registered { .. } => self.send(desk),
                    State::Off
                    | State::Asking { .. }
                    | State::Moving { .. }
                    | State::Waiting
                    | State::Leaving { .. } => {}
                }
            }
            (Class::Success | Class::Error, _) => {
                self.asking.open = Some((message.id(), TRIES));
                self.send(desk);
            }
            (Class::Request | Class::Indication, _) => return false,
        }
        true
    }
}
