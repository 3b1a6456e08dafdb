//! Goes round a router that spoils SIP in datagrams, or lets none through: by a connection.
//!
//! RFC 3261 section 18.1.1 allows either transport where the URI names none; gateways that read SIP look at UDP first, and few at
//! TCP. What makes an account go round:
//!
//! * something was found ([`crate::alg`]): at once, while the binding over datagrams still holds. It is ended once there is one
//!   over the connection. Not so where it only rewrites, and the account finds no outside addresses of its own: then its
//!   media is let in by what is rewritten;
//! * a registrar that never answered a datagram on this network: after [`SILENCE`]. If it answers by the connection, datagrams
//!   are swallowed on the way; if it does not, it is down, and datagrams are gone back to.
//!
//! ```text
//!   by datagrams --found, silent--> by TCP, untried --granted--> by TCP until the network is another
//!        ^                                 |
//!        `------- in vain: stays here <----'  no connection, or no answer by it
//! ```
//! TLS comes behind TCP where there is TLS. An account that is told its transport (by its settings or its URI) keeps it. Knows
//! nothing of what a gateway does.

use std::time::Duration;

use sip::message::{Draft, Method, Name, Scheme};
use sip::transaction::Source;
use sip::ua::{Outcome, RequestId, TransportPolicy};

use base::Transport;

use super::{FLOW, Registration, State, profile_id};
use crate::alg::{Tampering, Watch};
use crate::desk::{Desk, Timer};
use crate::dial;
use crate::view::Step;

/// How long a registrar that was never heard by datagrams may be silent. Three datagrams have gone by then, and the other IP
/// family has had its second.
const SILENCE: Duration = Duration::from_secs(2);

/// How far an account has gone.
#[derive(Debug, Default)]
pub(super) struct Dodge {
    by: Option<Transport>,
    /// The registrar answered by it.
    holds: bool,
    /// It was tried on this network, and does not help.
    in_vain: bool,
    /// It is tried because datagrams were not answered.
    silent: bool,
    /// The registrar has granted something by datagrams on this network.
    heard: bool,
    /// The binding over datagrams, to be ended.
    left: Option<String>,
    /// The question what arrives there, and by what it was put last.
    probe: Option<RequestId>,
    probed: Option<Transport>,
}

impl Registration {
    /// By what the account goes round a gateway, where that works.
    pub(crate) fn goes_round_by(&self) -> Option<Transport> {
        self.dodge.by.filter(|_| self.dodge.holds && !self.dodge.in_vain)
    }

    /// Whether what a gateway rewrites is all that lets this account's media in.
    pub(crate) fn leans_on_gateway(&self, desk: &Desk) -> bool {
        let nat = &self.account.nat;
        desk.alg.only_rewrites() && nat.stun.is_empty() && nat.turn.is_empty()
    }

    /// The network is another; `spoilt`: datagrams are known to be of no use there.
    pub(super) fn dodge_anew(&mut self, spoilt: bool, desk: &mut Desk) {
        self.dodge = Dodge::default();
        self.go_by(
            (spoilt && self.may_dodge() && !self.leans_on_gateway(desk)).then_some(Transport::Tcp),
            desk,
        );
    }

    /// The settings are others: what goes round stays, if it may.
    pub(super) fn dodge_still(&mut self, desk: &mut Desk) {
        let by = self.dodge.by.filter(|_| self.may_dodge());
        self.go_by(by, desk);
    }

    /// Something was found that spoils datagrams.
    pub(crate) fn go_round(&mut self, desk: &mut Desk) {
        let may = self.may_dodge() && !self.leans_on_gateway(desk);
        if self.dodge.by.is_some() || self.dodge.in_vain || !may {
            return;
        }
        self.leave_datagrams();
        self.go_by(Some(Transport::Tcp), desk);
        match self.state {
            State::Registered { .. } | State::Waiting if self.wanted => self.send(desk),
            State::Asking { .. } | State::Moving { .. } => self.stale = true,
            State::Off | State::Registered { .. } | State::Waiting | State::Leaving { .. } => {}
        }
    }

    /// The binding over datagrams is to be ended by datagrams, not by what takes its place.
    fn leave_datagrams(&mut self) {
        if self.path.is_some_and(|path| !path.transport.is_reliable()) && !self.profile.outbound {
            self.dodge.left = self.contact.take();
        }
    }

    /// A REGISTER is on its way: its silence is not waited out if there is another way.
    pub(super) fn await_sound(&mut self, desk: &mut Desk) {
        let Dodge { by, in_vain, heard, .. } = self.dodge;
        if by.is_none() && !in_vain && !heard && self.may_dodge() {
            desk.timers.set(Timer::Dodge(self.id), desk.now + SILENCE);
        }
    }

    /// `Timer::Dodge` is due.
    pub(crate) fn too_silent(&mut self, desk: &mut Desk) {
        let State::Asking { .. } = self.state else { return };
        if self.view.step == Step::Find {
            // The name servers take their time: nothing has been sent.
            return self.await_sound(desk);
        }
        if self.wanted && self.may_dodge() {
            self.dodge.silent = true;
            self.go_by(Some(Transport::Tcp), desk);
            self.send(desk);
        }
    }

    /// The registrar said yes.
    pub(super) fn dodge_granted(&mut self, via: Option<Source>, desk: &mut Desk) {
        desk.timers.cancel(&Timer::Dodge(self.id));
        let Some(via) = via else { return };
        if via.transport.is_reliable() {
            self.dodge.holds = true;
            if std::mem::take(&mut self.dodge.silent) {
                // A short request was answered, a longer one not.
                let small = desk.alg.was_heard(via.remote);
                desk.alg.note(if small { Tampering::Truncates } else { Tampering::Swallows });
            }
            self.end_left(desk);
        } else {
            self.dodge.heard = true;
            if self.dodge.by.is_some() {
                // Asked before it was known how this network is.
                self.leave_datagrams();
                self.stale = true;
            }
        }
        self.ask_what_arrives(via, desk);
    }

    /// Ends the binding over datagrams, by datagrams: a gateway that has put another address in its Contact's place does so
    /// again. Nobody waits for the answer; at worst it lapses, and calls come twice until then (482, RFC 3261 section 8.2.2.2).
    fn end_left(&mut self, desk: &mut Desk) {
        let Some(left) = self.dodge.left.take() else { return };
        let mut by_datagrams = self.profile.clone();
        by_datagrams.transport = TransportPolicy::Only(Transport::Udp);
        let mut draft = self.draft(0);
        draft.push(Name::Contact, format_args!("<{left}>;expires=0"));
        // A request is located when it is made.
        desk.agent.set_profile(profile_id(self.id), by_datagrams);
        desk.agent.request(profile_id(self.id), draft, desk.now, &mut desk.orders);
        desk.agent.set_profile(profile_id(self.id), self.profile.clone());
    }

    /// Asks the registrar what arrives there: once by datagrams, and once by what goes round them.
    fn ask_what_arrives(&mut self, via: Source, desk: &mut Desk) {
        let worth_it = !via.transport.is_reliable() || self.dodge.by.is_some();
        if !worth_it || self.dodge.probed.replace(via.transport) == Some(via.transport) {
            return;
        }
        if let Some(draft) = Watch::probe(&dial::domain(&self.account.uri), via.local, via.remote) {
            let request = desk.agent.request(profile_id(self.id), draft, desk.now, &mut desk.orders);
            self.dodge.probe = Some(request);
        }
    }

    /// What became of the question; `false`: it was none.
    pub(super) fn dodge_probed(&mut self, request: RequestId, outcome: &Outcome, desk: &mut Desk) -> bool {
        if self.dodge.probe != Some(request) {
            return false;
        }
        self.dodge.probe = None;
        if let Outcome::Final(message) = outcome {
            let spoilt = desk.alg.probed(message);
            self.dodge.in_vain |= spoilt && self.dodge.by.is_some();
        }
        true
    }

    /// The registrar is not reached. `true`: it is asked by datagrams again, at once.
    pub(super) fn dodge_failed(&mut self, at: Step, desk: &mut Desk) -> bool {
        let tried = self.dodge.by.is_some() && !self.dodge.holds && at == Step::Reach;
        if !tried {
            return false;
        }
        (self.dodge.in_vain, self.dodge.silent, self.dodge.left) = (true, false, None);
        self.go_by(None, desk);
        if self.dodge.heard && self.wanted {
            self.send(desk);
        }
        self.dodge.heard && self.wanted
    }

    /// A REGISTER for so many seconds, without Contact.
    pub(super) fn draft(&self, seconds: u32) -> Draft {
        let scheme = match self.account.uri.view().scheme {
            Scheme::Sips => "sips",
            Scheme::Sip | Scheme::Tel | Scheme::Other => "sip",
        };
        let mut draft =
            Draft::request(&Method::Register, &format!("{scheme}:{}", dial::domain(&self.account.uri)));
        let by_flow = self.profile.contact_params.contains(FLOW);
        let supported = if by_flow { "path, outbound" } else { "path" };
        draft.push(Name::Expires, seconds).push(Name::Supported, supported);
        draft
    }

    /// Whether the account leaves its transport to us, and its first hop does.
    fn may_dodge(&self) -> bool {
        let first_hop = self.account.proxy.as_ref().unwrap_or(&self.account.uri).view();
        self.account.transport == TransportPolicy::Auto
            && first_hop.scheme == Scheme::Sip
            && first_hop.param("transport").is_none()
    }

    fn go_by(&mut self, by: Option<Transport>, desk: &mut Desk) {
        (self.dodge.by, self.dodge.holds) = (by, false);
        let policy = by.map_or(self.account.transport, TransportPolicy::Only);
        if self.profile.transport != policy {
            self.profile.transport = policy;
            desk.agent.set_profile(profile_id(self.id), self.profile.clone());
        }
    }
}
