//! What networks mean to a registration: lost, found, and moved to while the present one still works.
//!
//! RFC 5626 section 4.2.1 (the flow is another, the binding the same); make before break: the REGISTER goes by the new
//! network, and until its answer is here calls come and go by the old one. Where the registrar knows of no flows, the same
//! request ends the old Contact: one REGISTER either way. The other network may let less through: see `ladder`.

use base::{FlowId, Instant, NetworkId, Transport};
use sip::transaction::Source;
use sip::ua::{Outcome, Way};

use super::{Registration, State, profile_id};
use crate::Why;
use crate::desk::{Desk, Timer};
use crate::view::Step;

impl Registration {
    /// The network that it goes by.
    pub(crate) fn network(&self) -> Option<NetworkId> {
        self.network.ok()
    }

    /// What carries it to the registrar.
    pub(crate) fn carrier(&self) -> Option<Transport> {
        self.path.map(|path| path.transport)
    }

    /// The flow that it is registered over.
    pub(crate) fn flow(&self) -> Option<FlowId> {
        self.path.map(|path| path.flow)
    }

    /// Whether that comes from where it is registered. Where it is nowhere, who is the provider is not known, and anybody is.
    pub(crate) fn is_way(&self, source: &Source) -> bool {
        self.way().is_none_or(|way| way.remote.ip() == source.remote.ip())
    }

    /// The way to the registrar, once that has answered.
    pub(crate) const fn way(&self) -> Option<&Source> {
        self.path.as_ref()
    }

    /// A connection that it has moved away from.
    pub(crate) fn left(&self) -> Option<FlowId> {
        self.left
    }

    /// That connection is closed.
    pub(crate) fn forget_left(&mut self, flow: FlowId) {
        if self.left == Some(flow) {
            self.left = None;
        }
    }

    /// Goes by that network from now on; what was registered over another one is worth nothing.
    pub(crate) fn network_up(&mut self, network: NetworkId, desk: &mut Desk) {
        let on_its_way = match self.state {
            // It is asked already.
            State::Moving { request, to, .. } if to == network => Some(request),
            State::Off
            | State::Asking { .. }
            | State::Registered { .. }
            | State::Moving { .. }
            | State::Waiting
            | State::Leaving { .. } => None,
        };
        // A connection by a network that is suspected is there still, and no longer of use.
        let old = self.path.take().filter(|path| path.transport.is_reliable());
        self.left = old.map(|path| path.flow).filter(|flow| desk.agent.network_of(*flow).is_some());
        if let Some(request) = on_its_way {
            self.went_on(network, desk);
            self.state = State::Asking { request };
            self.show_asking(desk);
            return;
        }
        self.went(network, desk);
        if self.wanted {
            self.failures = 0;
            self.send(desk);
        }
    }

    /// There is no network for it: nothing is tried until there is.
    pub(crate) fn network_down(&mut self, why: Why, desk: &mut Desk) {
        if self.network == Err(why) {
            return;
        }
        self.network = Err(why);
        self.path = None;
        self.left = None;
        if why != Why::NoNetwork {
            // There are others, and nothing of this account may go by them.
            self.profile.network = NetworkId::NOWHERE;
            desk.agent.set_profile(profile_id(self.id), self.profile.clone());
        }
        self.cancel_timers(desk);
        match self.state {
            State::Off => {}
            State::Leaving { .. } => self.off(desk),
            State::Asking { .. } | State::Moving { .. } | State::Registered { .. } | State::Waiting => {
                if self.wanted {
                    self.state = State::Waiting;
                    self.view.step = Step::Find;
                    self.show_failure(desk, None, why, None);
                } else {
                    self.off(desk);
                }
            }
        }
    }

    /// A better network is there, and the present one still works.
    pub(crate) fn move_to(&mut self, network: NetworkId, desk: &mut Desk) {
        match self.state {
            State::Registered { until } if self.wanted && self.path.is_some() => {
                self.cancel_timers(desk);
                self.first_rung_there(network, desk);
                let way = Way { network: Some(self.account.lane_on(self.id, network)), ..Way::default() };
                let request = self.register(self.ask, way, desk);
                self.state = State::Moving { request, to: network, until };
            }
            State::Moving { to, .. } if to == network => {}
            State::Off
            | State::Asking { .. }
            | State::Registered { .. }
            | State::Moving { .. }
            | State::Waiting
            | State::Leaving { .. } => self.network_up(network, desk),
        }
    }

    /// The present network is the best again.
    pub(crate) fn stay(&mut self, desk: &mut Desk) {
        if let State::Moving { until, .. } = self.state {
            self.state = State::Registered { until };
            // It may have been heard after all, and then we are bound elsewhere.
            self.send(desk);
        }
    }

    /// It is asked whether the registrar is still reached.
    pub(crate) fn probe(&mut self, desk: &mut Desk) {
        if let State::Registered { .. } = self.state {
            self.send(desk);
        }
    }

    /// What became of the REGISTER by the better network.
    pub(super) fn tried(
        &mut self,
        to: NetworkId,
        until: Instant,
        outcome: &Outcome,
        via: Option<Source>,
        desk: &mut Desk,
    ) {
        match outcome {
            Outcome::Final(message) if message.status().is_some_and(|status| status >= 500) => {
                self.keep(to, until, desk);
            }
            Outcome::Final(_) | Outcome::CannotAuthorize(_) => {
                let old = self.path.filter(|path| path.transport.is_reliable());
                self.left = old.map(|path| path.flow);
                self.went_on(to, desk);
                self.answered(outcome, via, desk);
            }
            Outcome::NoAnswer | Outcome::Unreachable | Outcome::NotFound => self.keep(to, until, desk),
        }
    }

    /// The registrar is not reached by the better network: what stands, stands.
    fn keep(&mut self, passed_over: NetworkId, until: Instant, desk: &mut Desk) {
        desk.tried.push((self.id, passed_over, false));
        self.climb_down(desk);
        if !self.wanted {
            return self.leave(desk);
        }
        self.state = State::Registered { until };
        let at = if std::mem::take(&mut self.stale) { desk.now } else { self.refresh_at.max(desk.now) };
        desk.timers.set(Timer::Register(self.id), at);
        self.set_ping(desk);
    }

    /// Whatever is sent goes by that network from now on; calls follow.
    pub(super) fn went(&mut self, network: NetworkId, desk: &mut Desk) {
        self.network = Ok(network);
        self.asking.begin_anew();
        self.behind_nat = false;
        self.moved = false;
        self.voicemail = None; // asked for anew, from there
        self.profile.network = self.account.lane_on(self.id, network);
        desk.agent.set_profile(profile_id(self.id), self.profile.clone());
        let found = desk.known.router(network);
        desk.alg.goes_by(network, found);
        self.dodge_anew(desk);
        self.other_rung(desk);
        desk.moved.push(self.id);
    }
}
