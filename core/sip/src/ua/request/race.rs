//! Two IP families, one of which may lead nowhere: the other is tried after a moment, not after 32 s.
//!
//! RFC 8305 (happy eyeballs) as far as SIP allows it. The locator gives targets, the families in turn; a request takes the
//! next one when the one before it fails. Here that step is made early:
//!
//! * **A stream that does not open** within [`ATTEMPT_DELAY`] gets a rival of the other family. Both go on; the request is
//!   written once, to whichever opens first, and what opens after that is closed (RFC 8305 section 5).
//! * **A datagram that nobody answers.** There is nothing to open, so the request itself would have to be sent twice. That is
//!   done for REGISTER and OPTIONS only, whose repetition does no harm, only to a server that was never heard on this network,
//!   and one after the other: after [`SILENCE`] the first attempt is left behind as if it had timed out (RFC 7984 section 4.2
//!   asks for less than Timer F). Calls come after a registration, and go where that went.
//!
//! The family that answered where the other did not is remembered until the network is another
//! ([`Locator::prefer`](crate::locate::Locator::prefer)): one who is registered pays for it once.
//!
//! ```text
//!   Opening(a) --250 ms--> Opening(b), beside: a --a or b up--> Sent (the other is closed when it comes up)
//!   Sent(a)    --1 s, nothing heard from a-----> Sent(b)
//! ```
//! Knows nothing of which family is the better one.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use base::Transport;

use super::{Cx, Fault, OutId, Reach, Reply, Stage, Timer, Toward};
use crate::locate::Target;
use crate::message::Method;
use crate::order::Order;

/// Head start of a connection. RFC 8305 section 5.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// How long a server that was never heard may be silent: the request has been repeated once by then (Timer E).
const SILENCE: Duration = Duration::from_secs(1);

/// Servers remembered to have been heard; what is forgotten may cost a second REGISTER.
const MOST_HEARD: usize = 64;

/// What all requests know of races.
#[derive(Debug, Default)]
pub(super) struct Races {
    heard: BTreeSet<SocketAddr>,
    /// Connections that were ordered and are no longer wanted.
    losers: BTreeSet<Toward>,
}

impl Races {
    /// The network is another.
    pub(super) fn forget(&mut self) {
        self.heard.clear();
    }

    fn hear(&mut self, remote: SocketAddr) {
        if self.heard.len() < MOST_HEARD || self.heard.contains(&remote) {
            self.heard.insert(remote);
        }
    }

    /// A request goes on with `winner`: whatever else was opened for it is closed once it is there.
    pub(super) fn won(&mut self, winner: Toward, all: impl IntoIterator<Item = Toward>) {
        self.losers.extend(all.into_iter().filter(|toward| *toward != winner));
        self.losers.remove(&winner);
    }
}

impl Cx<'_> {
    /// A connection for a request was ordered: its rival's time is set, if it has one.
    pub(super) fn await_opening(&mut self, id: OutId, target: Target) {
        if target.transport.is_reliable() && self.has_rival(id, target) {
            self.common.timers.set(Timer::Race(id), self.now + ATTEMPT_DELAY);
        }
    }

    /// A request was sent: the time of the other family is set, if it may have one.
    pub(super) fn await_answer(&mut self, id: OutId, target: Target, method: &Method) {
        self.common.timers.cancel(&Timer::Race(id));
        let harmless = matches!(method, Method::Register | Method::Options);
        let known = self.common.requests.races.heard.contains(&target.addr);
        if harmless && !known && target.transport == Transport::Udp && self.has_rival(id, target) {
            self.common.timers.set(Timer::Race(id), self.now + SILENCE);
        }
    }

    fn has_rival(&self, id: OutId, target: Target) -> bool {
        let lookup = self.common.requests.by_id.get(&id).and_then(|out| out.lookup);
        lookup.is_some_and(|lookup| self.common.locator.has_other_family(lookup, target))
    }

    /// A target answered: no race is on any more.
    pub(super) fn answered_by(&mut self, id: OutId, target: Target) {
        self.common.timers.cancel(&Timer::Race(id));
        self.common.requests.races.hear(target.addr);
        let silent = self.common.requests.by_id.get_mut(&id).and_then(|out| out.silent.take());
        if silent.is_some_and(|silent| silent.family() != target.family()) {
            self.common.locator.prefer(target.family());
        }
    }

    /// Nothing was heard in time.
    pub(in crate::ua) fn race(&mut self, id: OutId) {
        let Some(out) = self.common.requests.by_id.get_mut(&id) else { return };
        match out.stage {
            Stage::Opening(_) => self.advance(id),
            Stage::Sent { target, .. } => {
                out.silent = Some(target);
                out.last = Some(Reply::Fault(Fault::NoAnswer));
                self.common.locator.failed(target, None, self.now);
                self.advance(id);
            }
            Stage::Locating | Stage::Asked | Stage::Answered { .. } => {}
        }
    }

    /// No connection to that target: on to the next, unless it was a rival's.
    pub(super) fn not_opened(&mut self, id: OutId, here: Target) {
        let Some(out) = self.common.requests.by_id.get_mut(&id) else { return };
        out.beside.retain(|target| *target != here);
        if matches!(out.stage, Stage::Opening(target) if target == here) {
            out.stage = Stage::Locating;
            self.next_target(id, here, None, Reply::Fault(Fault::Unreachable));
        } else {
            self.common.locator.failed(here, None, self.now);
        }
    }

    /// A connection is there that nobody waits for.
    pub(super) fn close_loser(&mut self, toward: Toward) {
        if self.common.requests.races.losers.remove(&toward)
            && let Reach::Ready(hop) = self.common.flows.reach(toward, self.out)
        {
            self.out.push(Order::CloseFlow { flow: hop.flow });
        }
    }
}
