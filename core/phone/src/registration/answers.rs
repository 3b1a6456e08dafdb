//! What the registrar answers, and what comes of it.
//!
//! RFC 3261 section 10.2, RFC 3581 (the address that it saw), RFC 3608 (the route to it).

use std::net::SocketAddr;
use std::time::Duration;

use sip::message::{Message, Name, NameAddr, Uri, UriRef};
use sip::transaction::Source;
use sip::ua::{Outcome, Way};

use super::profile::{is_our_flow, may_pass, refresh_after, retry_after, seen_as};
use super::{
    FIRST_BACKOFF, FIRST_SLOW, FLOW, LAST_BACKOFF, LAST_SLOW, LONGEST_EXPIRES, Registration,
    SHORTEST_EXPIRES, State, profile_id,
};
use crate::Keepalive;
use crate::desk::{Desk, Timer};
use crate::reason;
use crate::view::{AccountState, AccountView, Step};

impl Registration {
    pub(super) fn answered(&mut self, outcome: &Outcome, via: Option<Source>, desk: &mut Desk) {
        match outcome {
            Outcome::Final(message) => match message.status().unwrap_or(500) {
                200..=299 => self.granted(message, via, desk),
                423 if self.raise(message) && self.wanted => self.send(desk),
                // A proxy on the way keeps no flows. RFC 5626 section 4.2.1.
                439 if self.profile.contact_params.contains(FLOW) && self.wanted => {
                    let whole = &self.profile.contact_params;
                    self.profile.contact_params = whole.replace(";reg-id=1", "");
                    self.profile.outbound = false;
                    desk.agent.set_profile(profile_id(self.id), self.profile.clone());
                    self.send(desk);
                }
                status => self.failed(desk, status, Step::Register, retry_after(message)),
            },
            Outcome::NoAnswer => self.failed(desk, 408, Step::Reach, None),
            Outcome::Unreachable => self.failed(desk, 503, Step::Reach, None),
            Outcome::NotFound => self.failed(desk, 503, Step::Find, None),
            Outcome::CannotAuthorize(message) => {
                self.failed(desk, message.status().unwrap_or(401), Step::Register, None);
            }
        }
    }

    /// Asks for as long as the registrar insists on; false: it insists on nothing sensible. RFC 3261 section 10.2.8.
    /// At least doubled: a registrar that wants ever a little more is soon beyond belief.
    fn raise(&mut self, message: &Message) -> bool {
        let least = message.min_expires().unwrap_or(0);
        let sensible = self.ask < least && least <= LONGEST_EXPIRES;
        if sensible {
            self.ask = least.max(self.ask.saturating_mul(2));
        }
        sensible
    }

    fn granted(&mut self, message: &Message, via: Option<Source>, desk: &mut Desk) {
        self.failures = 0;
        if via.map(|via| (via.flow, via.remote)) != self.path.map(|path| (path.flow, path.remote)) {
            desk.landed.push(self.id);
        }
        self.path = via;
        self.trust.accepted();
        self.reached(desk);
        if let Some(via) = &via {
            self.answered_by(via, seen_as(message), desk);
        }
        let flow_timer = message.text(Name::FlowTimer).and_then(|text| text.trim().parse().ok());
        self.flow_timer = flow_timer.filter(|it| *it > 0).map(Duration::from_secs);
        if !self.wanted {
            self.leave(desk);
            return;
        }
        let routes: Vec<Uri> = message
            .routes(Name::ServiceRoute)
            .filter_map(|route| route.ok()?.uri_text().parse().ok())
            .collect();
        let outbound = message.requires("outbound") && self.profile.contact_params.contains(FLOW);
        if let Some(via) = &via {
            self.asking.told(message, via, outbound);
        }
        if routes != self.profile.route_set || outbound != self.profile.outbound {
            self.profile.route_set = routes;
            self.profile.outbound = outbound;
            desk.agent.set_profile(profile_id(self.id), self.profile.clone());
        }
        let before = self.contact.clone();
        if self.is_bound_elsewhere(message, via, desk) && !std::mem::replace(&mut self.moved, true) {
            let request = self.register(self.ask, Way::default(), desk);
            self.state = State::Asking { request };
            return;
        }
        if self.behind_nat && before.is_some() && self.contact != before {
            desk.seen_elsewhere.push(self.id);
        }
        self.dodge_granted(via, desk);
        desk.tried.extend(self.network().map(|network| (self.id, network, true)));
        let expires = Duration::from_secs(self.granted_seconds(message, via, desk).into());
        self.state = State::Registered { until: desk.now + expires };
        self.ask_for_voicemail(desk);
        self.grants = self.grants.wrapping_add(1);
        let reliable = via.is_some_and(|via| via.transport.is_reliable());
        let prompt = !reliable && self.account.keepalive == Keepalive::Prompt;
        let mut wait = refresh_after(expires, prompt);
        wait = wait.mul_f64(0.9 + 0.1 * desk.rng.fraction());
        if std::mem::take(&mut self.stale) {
            wait = Duration::ZERO;
        }
        self.refresh_at = desk.now + wait;
        desk.timers.set(Timer::Register(self.id), self.refresh_at);
        self.set_ping(desk);
        let registered = self.plain(AccountState::Registered);
        let view = AccountView { expires: Some(expires), step: Step::Done, ..registered };
        self.show(desk, view);
    }

    /// Whether the registrar has us under another address than the one it sees us under; and takes note of both.
    fn is_bound_elsewhere(&mut self, message: &Message, via: Option<Source>, desk: &Desk) -> bool {
        let contact = via.and_then(|via| desk.agent.contact(profile_id(self.id), &via));
        let contact = contact.map(|it| it.trim_matches(['<', '>']).to_owned());
        let Some((ours, theirs)) = seen_as(message) else {
            self.contact = contact;
            return false;
        };
        self.behind_nat = ours != theirs;
        let is = |wanted: &str| {
            let wanted = UriRef::read(wanted.as_bytes());
            let mut contacts = message.contacts().filter_map(Result::ok);
            wanted.is_ok_and(|wanted| contacts.any(|contact| contact.uri().equals(&wanted)))
        };
        // Whom the registrar reaches by the flow it need not know by an address.
        if !self.behind_nat || self.profile.outbound || contact.as_deref().is_some_and(is) {
            self.contact = contact;
            self.moved = false;
            return false;
        }
        let stream = via.is_some_and(|via| via.transport.is_reliable());
        let before = || self.contact.clone().filter(|old| is(old));
        let bound = self.binding_at(message, ours, stream).or_else(before);
        let elsewhere = bound.is_some();
        self.contact = bound.or(contact);
        elsewhere
    }

    /// The Contact of ours that names this address, as the registrar has it. On a stream it names a port of its own.
    fn binding_at(&self, message: &Message, address: SocketAddr, any_port: bool) -> Option<String> {
        let named = |uri: UriRef<'_>| {
            uri.user == Some(self.profile.contact_user.as_str())
                && uri.host.ip() == Some(address.ip())
                && (any_port || uri.port.unwrap_or(5060) == address.port())
        };
        let mut contacts = message.contacts().filter_map(Result::ok);
        // Without what wakes us: a binding that ends must not say it. RFC 8599 section 4.1.2.
        let plain =
            |uri: &str| uri.split(';').filter(|it| !it.starts_with("pn-")).collect::<Vec<_>>().join(";");
        contacts.find(|contact| named(contact.uri())).map(|contact| plain(contact.uri_text()))
    }

    /// What the registrar granted to our binding: by its Contact, else by Expires, else what was asked. RFC 3261 section 10.2.4.
    fn granted_seconds(&self, message: &Message, via: Option<Source>, desk: &Desk) -> u32 {
        let ours = via.and_then(|via| desk.agent.contact(profile_id(self.id), &via));
        let ours = ours.as_deref().and_then(|ours| NameAddr::read(ours.as_bytes()).ok());
        let contacts: Vec<_> = message.contacts().filter_map(Result::ok).collect();
        let by_flow = self.profile.outbound;
        let same = |contact: &&NameAddr<'_>| {
            if by_flow {
                is_our_flow(contact, &self.profile)
            } else {
                ours.is_some_and(|ours| ours.uri().equals(&contact.uri()))
            }
        };
        // A lone Contact is ours, however a gateway on the way has rewritten it.
        let granted =
            contacts.iter().find(same).or(if contacts.len() == 1 { contacts.first() } else { None });
        let seconds = granted.and_then(NameAddr::expires).or_else(|| message.expires()).unwrap_or(self.ask);
        seconds.clamp(SHORTEST_EXPIRES, LONGEST_EXPIRES)
    }

    pub(super) fn failed(&mut self, desk: &mut Desk, status: u16, at: Step, retry_after: Option<Duration>) {
        if !self.wanted {
            self.off(desk);
            return;
        }
        if std::mem::take(&mut self.stale) {
            self.send(desk);
            return;
        }
        self.cancel_timers(desk);
        self.state = State::Waiting;
        if self.dodge_failed(at, desk) {
            return;
        }
        let (first, last) =
            if may_pass(status) { (FIRST_BACKOFF, LAST_BACKOFF) } else { (FIRST_SLOW, LAST_SLOW) };
        let wait = first.saturating_mul(1 << self.failures.min(16)).min(last);
        self.failures += 1;
        let wait = wait.mul_f64(0.75 + 0.25 * desk.rng.fraction()).max(retry_after.unwrap_or_default());
        desk.timers.set(Timer::Register(self.id), desk.now + wait);
        self.view.step = at;
        let untrusted = self.refused_certificate(at, desk);
        let sealed =
            (self.account.is_sealed() && at == Step::Reach).then(|| reason::of_seal(&self.view.dropped));
        let why = untrusted.or(sealed).unwrap_or_else(|| reason::of_registration(status, at));
        self.show_failure(desk, Some(status), why, Some(wait));
    }
}
