//! Goes round a router that spoils SIP in datagrams: by a connection, and where that is read as well by one under TLS.
//!
//! RFC 3261 section 18.1.1 allows either transport where the URI names none; gateways that read SIP look at UDP first, and few at
//! TCP. Something found ([`crate::alg`]) raises the lowest rung of the account's ladder at once, while the binding over
//! datagrams still holds; that is ended once there is one over the connection. Not so where the gateway only rewrites, and the
//! account finds no outside addresses of its own: then its media is let in by what is rewritten.
//!
//! ```text
//!   Usual --found--> Tcp, untried --granted--> Tcp until the network is another
//!     ^               |     '--found, too--> Tls --granted--> Tls
//!     '---in vain-----+----------------------'  no connection, no answer by it, or still spoilt
//! ```
//! An account that must go by datagrams (its settings or its URI say so; a VOS account's do) goes by another port of ours: many a
//! gateway looks at what comes from port 5060, or holds against a port what it once saw there. One that looks at the server's
//! port is not gone round, and the person is told what to do. The same rung, the same ways back, and one port for the network:
//! all such accounts follow the first.
//!
//! That datagrams are not answered is the ladder's to find; here it is told which of the two it was: silence, or a router that
//! lets only short ones through. Knows nothing of what a gateway does.

use base::Transport;
use sip::message::{Draft, Method, Name, Scheme};
use sip::transaction::Source;
use sip::ua::{Outcome, RequestId, TransportPolicy, Way};

use super::ladder::{Rung, rungs};
use super::{FLOW, Registration, State, profile_id};
use crate::alg::{Tampering, Watch};
use crate::desk::Desk;
use crate::dial;
use crate::view::Step;

/// How far an account has gone.
#[derive(Debug, Default)]
pub(super) struct Dodge {
    /// The lowest way that may be taken.
    floor: Rung,
    /// The registrar answered by one that is not lower.
    holds: bool,
    /// It was tried on this network, and does not help.
    in_vain: bool,
    /// The last datagrams were not answered in time.
    silent: bool,
    /// Of what left from the usual port a short request was answered, and a longer one not.
    cut: bool,
    /// A further port was not answered either.
    shut: bool,
    /// The registrar has granted something by datagrams on this network.
    heard: bool,
    /// The binding over datagrams, to be ended.
    left: Option<String>,
    /// The question what arrives there, and by what it was put last.
    probe: Option<RequestId>,
    probed: Option<(Transport, Rung)>,
}

impl Dodge {
    pub(super) const fn floor(&self) -> Rung {
        self.floor
    }

    /// The usual port is not answered, or (`heard`) only short requests are.
    pub(super) const fn usual_is_silent(&mut self, heard: bool) {
        self.cut = heard;
    }

    /// What makes it so, where another port is answered.
    pub(super) const fn why_silent(&self) -> Tampering {
        if self.cut { Tampering::Truncates } else { Tampering::Swallows }
    }

    pub(super) const fn is_shut(&self) -> bool {
        self.shut
    }

    /// Datagrams were not answered, and another way is tried.
    pub(super) const fn datagrams_are_silent(&mut self) {
        self.silent = !self.heard;
    }
}

impl Registration {
    /// By what the account goes round a gateway, where that works.
    pub(crate) fn goes_round_by(&self) -> Option<Transport> {
        let round = |it: &Transport| it.is_reliable() || self.rung() == Rung::Port;
        let by = self.path.map(|path| path.transport).filter(round);
        by.filter(|_| self.dodge.holds && !self.dodge.in_vain)
    }

    /// Whether what a gateway rewrites is all that lets this account's media in.
    pub(crate) fn leans_on_gateway(&self, desk: &Desk) -> bool {
        let nat = &self.account.nat;
        !self.account.is_sealed() && desk.alg.only_rewrites() && nat.stun.is_empty() && nat.turn.is_empty()
    }

    /// The network is another.
    pub(super) fn dodge_anew(&mut self, desk: &Desk) {
        let round = desk.alg.is_spoilt() && self.may_dodge(desk);
        self.dodge =
            Dodge { floor: if round { self.lowest_round() } else { Rung::Usual }, ..Dodge::default() };
    }

    /// The settings are others: what goes round stays, if it may.
    pub(super) fn dodge_still(&mut self, desk: &Desk) {
        if !self.may_dodge(desk) {
            self.dodge.floor = Rung::Usual;
        } else if self.dodge.floor != Rung::Usual {
            self.dodge.floor = self.lowest_round();
        }
    }

    /// Something was found that spoils datagrams.
    pub(crate) fn go_round(&mut self, desk: &mut Desk) {
        let may = self.may_dodge(desk) && desk.alg.is_spoilt();
        if self.rung() == Rung::Port {
            // It was not the port.
            self.dodge.in_vain |= self.path.is_some_and(|path| desk.alg.is_marked(path.flow));
            return;
        }
        if self.dodge.floor != Rung::Usual || self.dodge.in_vain || !may {
            return;
        }
        self.leave_datagrams();
        self.dodge.floor = self.lowest_round();
        if self.dodge.floor == Rung::Port {
            // From where it was made: what a gateway has made of its Contact it makes of it again.
            self.end_left(desk);
        }
        if !self.path.is_some_and(|path| path.transport.is_reliable()) {
            self.ask_by_floor(desk);
        }
    }

    fn ask_by_floor(&mut self, desk: &mut Desk) {
        self.dodge.holds = false;
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

    /// The registrar said yes.
    pub(super) fn dodge_granted(&mut self, via: Option<Source>, desk: &mut Desk) {
        // Nobody rewrites what he cannot read.
        let Some(via) = via.filter(|_| !self.account.is_sealed()) else { return };
        if self.rung() == Rung::Port {
            (self.dodge.holds, self.dodge.silent) = (true, false);
        } else if via.transport.is_reliable() {
            self.dodge.holds = true;
            if std::mem::take(&mut self.dodge.silent) {
                // A short request was answered, a longer one not.
                let small = desk.alg.was_heard(via.remote);
                desk.alg.note(if small { Tampering::Truncates } else { Tampering::Swallows });
            }
            self.end_left(desk);
        } else {
            (self.dodge.heard, self.dodge.silent, self.dodge.holds) = (true, false, false);
            desk.alg.hears();
            if self.dodge.floor != Rung::Usual {
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
        let mut draft = self.draft(0);
        draft.push(Name::Contact, format_args!("<{left}>;expires=0"));
        let transport = Some(TransportPolicy::Only(Transport::Udp));
        let way = Way { transport, first_hop: Some(self.first_hop().clone()), ..Way::default() };
        desk.agent.request_by(profile_id(self.id), draft, way, desk.now, &mut desk.orders);
    }

    /// Asks the registrar what arrives there: once by datagrams, and once by each way that goes round them.
    fn ask_what_arrives(&mut self, via: Source, desk: &mut Desk) {
        let worth_it = !via.transport.is_reliable() || self.dodge.floor != Rung::Usual;
        let by = (via.transport, self.rung());
        if !worth_it || self.dodge.probed.replace(by) == Some(by) {
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
        if let Outcome::Final(message) = outcome
            && desk.alg.probed(message)
        {
            match (self.dodge.floor, self.dodge.probed) {
                (Rung::Tcp, Some((Transport::Tcp, _)))
                    if rungs(&self.account, desk.tls).contains(&Rung::Tls) =>
                {
                    self.dodge.floor = Rung::Tls;
                    self.ask_by_floor(desk);
                }
                (_, Some((_, Rung::Port))) => self.dodge.in_vain = true,
                (Rung::Usual, _) => {}
                _ => self.dodge.in_vain = true,
            }
        }
        true
    }

    /// The registrar is not reached. `true`: it is asked by datagrams again, at once.
    pub(super) fn dodge_failed(&mut self, at: Step, desk: &mut Desk) -> bool {
        let further = self.network().is_some_and(|network| desk.is_on_further_port(network));
        if at == Step::Reach && self.has_port() && further && !self.dodge.holds {
            self.dodge.shut = true;
            self.usual_port_again(desk);
        }
        let tried = self.dodge.floor != Rung::Usual && !self.dodge.holds && at == Step::Reach;
        if !tried {
            return false;
        }
        (self.dodge.in_vain, self.dodge.left, self.dodge.floor) = (true, None, Rung::Usual);
        let again = self.dodge.heard && self.wanted;
        if again {
            self.send(desk);
        }
        again
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

    /// Whether the account leaves its transport to us, and nothing hangs on the gateway.
    fn may_dodge(&self, desk: &Desk) -> bool {
        rungs(&self.account, desk.tls).len() > 1 && !self.leans_on_gateway(desk)
    }

    /// What comes first after the usual way.
    fn lowest_round(&self) -> Rung {
        if self.has_port() { Rung::Port } else { Rung::Tcp }
    }
}
