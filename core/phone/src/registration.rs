//! One account and its registration: asked for, granted, refreshed, lost, won back, given up.
//!
//! RFC 3261 section 10, RFC 3327 (Path), RFC 3608 (Service-Route), RFC 5626 sections 4.4.1 and 4.5 (keepalive, backoff).
//!
//! **How the loss of a registrar is noticed, whatever it granted.** On a stream, the connection breaks; an empty line
//! every [`STREAM_PING`] makes even a silent death break it. On UDP the refresh is the keepalive, at least every
//! [`UDP_REFRESH`]: an OPTIONS would cost the same wake of the radio and tell less, for a registrar that restarted
//! without its bindings answers it all the same. That is some 80 short exchanges an hour on UDP, which a NAT's mapping
//! needs anyway, and on TCP none that must be answered.
//!
//! Knows nothing of how a request is sent, located or authorized, nor of calls.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base::{FlowId, Instant, Redacted};
use bytes::Bytes;
use sip::digest::Credentials;
use sip::message::{Draft, Message, Method, Name, NameAddr, Rport, Scheme, Uri, UriRef};
use sip::order::Order;
use sip::transaction::Source;
use sip::ua::{Outcome, Profile, ProfileId, RequestId};

use crate::desk::{Desk, Timer};
use crate::dial;
use crate::view::{AccountState, AccountView, Step};
use crate::{Account, AccountId, Event, Why, reason};

/// Longest time between two refreshes over UDP: a lost binding is found within it and a request's own patience.
const UDP_REFRESH: Duration = Duration::from_secs(45);
/// Empty lines on a stream keep its NAT mapping and find a dead peer. RFC 5626 section 4.4.1 asks for at most 120 s.
const STREAM_PING: Duration = Duration::from_secs(45);
/// Empty lines on UDP, only behind a NAT: the shortest mappings in the wild live 30 s.
const NAT_PING: Duration = Duration::from_secs(25);
/// The first retry, doubled up to [`LAST_BACKOFF`]. RFC 5626 section 4.5 in shape; its 30 s base would keep a phone
/// deaf for too long.
const FIRST_BACKOFF: Duration = Duration::from_secs(2);
/// A registrar that comes back waits at most this long for us.
const LAST_BACKOFF: Duration = Duration::from_secs(30);
/// The first retry after the registrar said no for good (wrong password, unknown account), doubled up to an hour: it may
/// have erred, but locks accounts that are hammered.
const FIRST_SLOW: Duration = Duration::from_secs(600);
const LAST_SLOW: Duration = Duration::from_secs(3600);
/// A refresh must be able to fail (64*T1, RFC 3261 section 17.1.2.2) before the binding does.
const REQUEST_PATIENCE: Duration = Duration::from_secs(35);
/// The longest `Min-Expires` that is believed.
const LONGEST_EXPIRES: u32 = 86_400;
/// A registrar that grants less is refreshed as if it had granted this.
const SHORTEST_EXPIRES: u32 = 10;
/// RFC 5626 section 3.5.1.
const PING: &[u8] = b"\r\n\r\n";

/// ```text
///            start                      2xx
///   Off ---------------> Asking -----------------> Registered
///    ^                   ^  ^ |  |                     |
///    |                   |  +-+  | failure             | refresh due, flow lost, another network
///    |                   | 423   v                     v
///    |                   +--- Waiting <----------- (Asking)
///    |   any answer      2..30 s; 10..60 min after a no
///    +--------- Leaving <--- stop, from Asking (once answered) and Registered
/// ```
enum State {
    /// Not registered, and nothing on its way.
    Off,
    /// A REGISTER is on its way.
    Asking { request: RequestId },
    /// The binding holds until then.
    Registered { until: Instant },
    /// Failed; `Timer::Register` tries again, if it is set.
    Waiting,
    /// A REGISTER with `Expires: 0` is on its way.
    Leaving { request: RequestId },
}

/// One account and its registration.
pub(crate) struct Registration {
    id: AccountId,
    account: Account,
    profile: Profile,
    state: State,
    /// What the user wants; an answer that comes after a change of mind is acted on by it.
    wanted: bool,
    /// The settings changed while a request was on its way: ask again.
    stale: bool,
    /// The account is to be forgotten once it is off.
    leaving_for_good: bool,
    /// Failures in a row.
    failures: u32,
    /// Seconds asked for; `Min-Expires` raises it.
    ask: u32,
    /// Where the last good answer came from: requests outside dialogs and calls go there too.
    path: Option<Source>,
    /// Whether the registrar saw us under another address than our own.
    behind_nat: bool,
    /// The binding under our own address was replaced by the one we are seen under; once, whatever comes of it.
    moved: bool,
    view: AccountView,
}

impl Registration {
    /// Takes an account in, unregistered.
    pub(crate) fn new(id: AccountId, account: Account, user_agent: &str, desk: &mut Desk) -> Self {
        let profile = profile(&account, user_agent);
        desk.agent.set_profile(profile_id(id), profile.clone());
        let view = AccountView {
            account: id,
            revision: 0,
            uri: Redacted::new(account.uri.to_string()),
            state: AccountState::Unregistered,
            expires: None,
            status: None,
            step: Step::Find,
            reason: None,
            as_of: desk.now,
            retry_in: None,
        };
        let mut it = Self {
            id,
            ask: account.expires,
            account,
            profile,
            state: State::Off,
            wanted: false,
            stale: false,
            leaving_for_good: false,
            failures: 0,
            path: None,
            behind_nat: false,
            moved: false,
            view,
        };
        it.show(desk, it.view.clone());
        it
    }

    /// Replaces the settings, and registers anew by them if the account was or wants to be.
    pub(crate) fn change(&mut self, account: Account, user_agent: &str, desk: &mut Desk) {
        self.profile = profile(&account, user_agent);
        desk.agent.set_profile(profile_id(self.id), self.profile.clone());
        self.ask = account.expires;
        self.view.uri = Redacted::new(account.uri.to_string());
        self.wanted |= account.register;
        self.leaving_for_good = false;
        self.account = account;
        self.stale = matches!(self.state, State::Asking { .. } | State::Leaving { .. });
        if self.wanted && !self.stale {
            self.start(desk);
        }
    }

    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    pub(crate) fn is_registered(&self) -> bool {
        matches!(self.state, State::Registered { .. }) || self.view.state == AccountState::Registered
    }

    /// Nothing is registered and nothing on its way.
    pub(crate) fn is_off(&self) -> bool {
        matches!(self.state, State::Off)
    }

    /// The address that our requests go to, as far as it is known: media takes the same network.
    pub(crate) fn toward(&self) -> Option<IpAddr> {
        let first_hop = || self.account.proxy.as_ref().unwrap_or(&self.account.uri).view().host.ip();
        self.path.map(|path| path.remote.ip()).or_else(first_hop)
    }

    /// Wants to be registered, and will be when there is a network.
    pub(crate) fn wait_for_network(&mut self, desk: &mut Desk) {
        self.wanted = true;
        self.state = State::Waiting;
        self.network_down(desk);
    }

    /// Registers now, whatever was being waited for.
    pub(crate) fn start(&mut self, desk: &mut Desk) {
        self.wanted = true;
        match self.state {
            State::Off | State::Registered { .. } | State::Waiting => {
                self.failures = 0;
                self.send(desk);
            }
            // The answer on its way tells what is next.
            State::Asking { .. } | State::Leaving { .. } => {}
        }
    }

    /// Registers anew if it wants to be registered at all: a push says that we are not reached otherwise.
    pub(crate) fn renew(&mut self, desk: &mut Desk) {
        if self.wanted {
            self.start(desk);
        }
    }

    /// Unregisters and stays so.
    pub(crate) fn stop(&mut self, desk: &mut Desk) {
        self.wanted = false;
        match self.state {
            State::Registered { .. } => self.leave(desk),
            State::Waiting => self.off(desk),
            State::Off | State::Asking { .. } | State::Leaving { .. } => {}
        }
    }

    /// Unregisters and is to be forgotten: see [`Self::forget`].
    pub(crate) fn remove(&mut self, desk: &mut Desk) {
        self.leaving_for_good = true;
        self.stop(desk);
    }

    /// Whether it is done for; the agent forgets it then.
    pub(crate) fn forget(&mut self, desk: &mut Desk) -> bool {
        let forget = self.leaving_for_good && self.is_off();
        if forget {
            desk.agent.remove_profile(profile_id(self.id));
        }
        forget
    }

    /// The network is there, or another one: what was registered over the old one is worth nothing.
    pub(crate) fn network_up(&mut self, desk: &mut Desk) {
        self.path = None;
        self.behind_nat = false;
        self.moved = false;
        if self.wanted {
            self.failures = 0;
            self.send(desk);
        }
    }

    /// There is no network: nothing is tried until there is.
    pub(crate) fn network_down(&mut self, desk: &mut Desk) {
        self.path = None;
        self.cancel_timers(desk);
        match self.state {
            State::Off => {}
            State::Leaving { .. } => self.off(desk),
            State::Asking { .. } | State::Registered { .. } | State::Waiting if !self.wanted => {
                self.off(desk);
            }
            State::Asking { .. } | State::Registered { .. } | State::Waiting => {
                self.state = State::Waiting;
                self.view.step = Step::Find;
                self.show_failure(desk, None, Why::NoNetwork, None);
            }
        }
    }

    /// The connection that the registrar knows us by broke: it can no longer reach us.
    pub(crate) fn flow_down(&mut self, flow: FlowId, desk: &mut Desk) {
        if self.path.is_none_or(|path| path.flow != flow) {
            return;
        }
        self.path = None;
        desk.timers.cancel(&Timer::Ping(self.id));
        if let State::Registered { .. } = self.state {
            self.failures = 0;
            self.show_asking(desk);
            // Not all phones of a restarted server at one moment.
            let wait = Duration::from_millis(desk.rng.below(1000));
            desk.timers.set(Timer::Register(self.id), desk.now + wait);
        }
    }

    /// `Timer::Register` is due.
    pub(crate) fn due(&mut self, desk: &mut Desk) {
        if self.wanted {
            self.send(desk);
        }
    }

    /// `Timer::Ping` is due.
    pub(crate) fn ping(&mut self, desk: &mut Desk) {
        if let Some(path) = self.path {
            desk.orders.push(Order::Send {
                flow: path.flow,
                to: path.remote,
                bytes: Bytes::from_static(PING),
            });
            self.set_ping(desk);
        }
    }

    /// A request is settled, ours or another's: ids are never used twice.
    pub(crate) fn done(
        &mut self,
        request: RequestId,
        outcome: &Outcome,
        via: Option<Source>,
        desk: &mut Desk,
    ) {
        match self.state {
            State::Asking { request: ours } if ours == request => self.answered(outcome, via, desk),
            State::Leaving { request: ours } if ours == request => {
                self.off(desk);
                if self.wanted {
                    self.stale = false;
                    self.start(desk);
                }
            }
            State::Off
            | State::Asking { .. }
            | State::Registered { .. }
            | State::Waiting
            | State::Leaving { .. } => {}
        }
    }

    fn answered(&mut self, outcome: &Outcome, via: Option<Source>, desk: &mut Desk) {
        match outcome {
            Outcome::Final(message) => match message.status().unwrap_or(500) {
                200..=299 => self.granted(message, via, desk),
                423 if self.raise(message) && self.wanted => self.send(desk),
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
        self.path = via;
        if !self.wanted {
            self.leave(desk);
            return;
        }
        let routes: Vec<Uri> = message
            .routes(Name::ServiceRoute)
            .filter_map(|route| route.ok()?.uri_text().parse().ok())
            .collect();
        if routes != self.profile.route_set {
            self.profile.route_set = routes;
            desk.agent.set_profile(profile_id(self.id), self.profile.clone());
        }
        if let Some((ours, theirs)) = seen_as(message) {
            self.behind_nat = ours != theirs;
            let stream = via.is_some_and(|via| via.transport.is_reliable());
            let private = self.binding_at(message, ours, stream);
            if self.behind_nat && !self.moved && private.is_some() {
                self.moved = true;
                let request = self.register(self.ask, private, desk);
                self.state = State::Asking { request };
                return;
            }
        }
        let expires = Duration::from_secs(self.granted_seconds(message, via, desk).into());
        self.state = State::Registered { until: desk.now + expires };
        let reliable = via.is_some_and(|via| via.transport.is_reliable());
        let mut wait = refresh_after(expires, reliable);
        wait = wait.mul_f64(0.9 + 0.1 * desk.rng.fraction());
        if std::mem::take(&mut self.stale) {
            wait = Duration::ZERO;
        }
        desk.timers.set(Timer::Register(self.id), desk.now + wait);
        self.set_ping(desk);
        let registered = self.plain(AccountState::Registered);
        let view = AccountView { expires: Some(expires), step: Step::Done, ..registered };
        self.show(desk, view);
    }

    /// The Contact of ours that names this address, as the registrar has it. On a stream it names a port of its own.
    fn binding_at(&self, message: &Message, address: SocketAddr, any_port: bool) -> Option<String> {
        let named = |uri: UriRef<'_>| {
            uri.user == Some(self.profile.contact_user.as_str())
                && uri.host.ip() == Some(address.ip())
                && (any_port || uri.port.unwrap_or(5060) == address.port())
        };
        let mut contacts = message.contacts().filter_map(Result::ok);
        contacts.find(|contact| named(contact.uri())).map(|contact| contact.uri_text().to_owned())
    }

    /// What the registrar granted to our binding: by its Contact, else by Expires, else what was asked. RFC 3261 section 10.2.4.
    fn granted_seconds(&self, message: &Message, via: Option<Source>, desk: &Desk) -> u32 {
        let ours = via.and_then(|via| desk.agent.contact(profile_id(self.id), via.transport, via.remote));
        let ours = ours.as_deref().and_then(|ours| NameAddr::read(ours.as_bytes()).ok());
        let contacts: Vec<_> = message.contacts().filter_map(Result::ok).collect();
        let same = |contact: &&NameAddr<'_>| ours.is_some_and(|ours| ours.uri().equals(&contact.uri()));
        // A lone Contact is ours, however a gateway on the way has rewritten it.
        let granted =
            contacts.iter().find(same).or(if contacts.len() == 1 { contacts.first() } else { None });
        let seconds = granted.and_then(NameAddr::expires).or_else(|| message.expires()).unwrap_or(self.ask);
        seconds.clamp(SHORTEST_EXPIRES, LONGEST_EXPIRES)
    }

    fn failed(&mut self, desk: &mut Desk, status: u16, at: Step, retry_after: Option<Duration>) {
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
        let (first, last) =
            if may_pass(status) { (FIRST_BACKOFF, LAST_BACKOFF) } else { (FIRST_SLOW, LAST_SLOW) };
        let wait = first.saturating_mul(1 << self.failures.min(16)).min(last);
        self.failures += 1;
        let wait = wait.mul_f64(0.75 + 0.25 * desk.rng.fraction()).max(retry_after.unwrap_or_default());
        desk.timers.set(Timer::Register(self.id), desk.now + wait);
        self.view.step = at;
        self.show_failure(desk, Some(status), reason::of_registration(status, at), Some(wait));
    }

    fn send(&mut self, desk: &mut Desk) {
        self.cancel_timers(desk);
        self.show_asking(desk);
        let request = self.register(self.ask, None, desk);
        self.state = State::Asking { request };
        self.found(desk);
    }

    /// The server's name is settled once something is on its way there: at once, or after the name servers' answer.
    // Orders do not say whose they are: of two accounts that look up at once, the later may be shown a step ahead.
    pub(crate) fn found(&mut self, desk: &mut Desk) {
        let on_its_way = |order: &Order| matches!(order, Order::Send { .. } | Order::OpenFlow { .. });
        let finding = self.view.state == AccountState::Registering && self.view.step == Step::Find;
        if finding && desk.orders.iter().any(on_its_way) {
            self.show(desk, AccountView { step: Step::Reach, ..self.view.clone() });
        }
    }

    fn leave(&mut self, desk: &mut Desk) {
        self.cancel_timers(desk);
        let request = self.register(0, None, desk);
        self.state = State::Leaving { request };
    }

    fn off(&mut self, desk: &mut Desk) {
        self.cancel_timers(desk);
        self.state = State::Off;
        self.show(desk, self.plain(AccountState::Unregistered));
    }

    /// Asks for `seconds`, and for the end of the binding `instead_of` in the same breath.
    fn register(&self, seconds: u32, instead_of: Option<String>, desk: &mut Desk) -> RequestId {
        let scheme = match self.account.uri.view().scheme {
            Scheme::Sips => "sips",
            Scheme::Sip | Scheme::Tel | Scheme::Other => "sip",
        };
        let mut draft =
            Draft::request(&Method::Register, &format!("{scheme}:{}", dial::domain(&self.account.uri)));
        draft.push(Name::Expires, seconds).push(Name::Supported, "path");
        let contact =
            self.path.and_then(|path| desk.agent.contact(profile_id(self.id), path.transport, path.remote));
        if let (Some(old), Some(new)) = (instead_of, contact) {
            draft.push(Name::Contact, new).push(Name::Contact, format_args!("<{old}>;expires=0"));
        }
        desk.agent.request(profile_id(self.id), draft, desk.now, &mut desk.orders)
    }

    fn set_ping(&self, desk: &mut Desk) {
        let stream = self.path.is_some_and(|path| path.transport.is_reliable());
        let every = match (stream, self.behind_nat) {
            (true, _) => STREAM_PING,
            (false, true) => NAT_PING,
            (false, false) => return,
        };
        desk.timers.set(Timer::Ping(self.id), desk.now + every);
    }

    fn cancel_timers(&self, desk: &mut Desk) {
        desk.timers.cancel(&Timer::Register(self.id));
        desk.timers.cancel(&Timer::Ping(self.id));
    }

    /// A refresh that nobody needs to know of stays `Registered`.
    fn show_asking(&mut self, desk: &mut Desk) {
        let holds = match self.state {
            State::Registered { until } => desk.now < until && self.path.is_some(),
            State::Off | State::Asking { .. } | State::Waiting | State::Leaving { .. } => false,
        };
        if !holds {
            self.show(desk, AccountView { step: Step::Find, ..self.plain(AccountState::Registering) });
        }
    }

    fn show_failure(&mut self, desk: &mut Desk, status: Option<u16>, why: Why, retry_in: Option<Duration>) {
        let reason = Some(why);
        let view = AccountView { status, reason, retry_in, ..self.plain(AccountState::Failed) };
        self.show(desk, view);
    }

    /// A view of that state with nothing more to say.
    fn plain(&self, state: AccountState) -> AccountView {
        let nothing =
            AccountView { expires: None, status: None, reason: None, retry_in: None, ..self.view.clone() };
        AccountView { state, ..nothing }
    }

    fn show(&mut self, desk: &mut Desk, view: AccountView) {
        if self.view.revision == 0 || self.view != view {
            self.view = view;
            self.view.revision += 1;
            self.view.as_of = desk.now;
            desk.event(Event::Account(self.view.clone()));
        }
    }
}

/// The agent's name for an account.
pub(crate) const fn profile_id(account: AccountId) -> ProfileId {
    ProfileId(account.0)
}

fn profile(account: &Account, user_agent: &str) -> Profile {
    let user = account.uri.view().user.unwrap_or("phone").to_owned();
    let auth_user = account.auth_user.as_ref().map_or(user.as_str(), |user| user.reveal());
    let credentials = if account.password.expose().is_empty() {
        Vec::new()
    } else {
        vec![Credentials { user: auth_user.to_owned(), password: account.password.clone(), realm: None }]
    };
    let mut profile = Profile::new(account.uri.clone(), user);
    profile.display = account.display_name.as_ref().map(|name| name.reveal().clone());
    profile.proxy.clone_from(&account.proxy);
    profile.credentials = credentials;
    profile.transport = account.transport;
    profile.reliable = account.reliable_provisional;
    profile.session_expires = account.session_expires;
    user_agent.clone_into(&mut profile.user_agent);
    profile
}

/// Whether the same request may be welcome in a moment.
const fn may_pass(status: u16) -> bool {
    matches!(status, 408 | 429 | 480 | 491 | 500 | 502..=599)
}

/// When to refresh a binding granted for `expires`.
fn refresh_after(expires: Duration, reliable: bool) -> Duration {
    let latest = expires.saturating_sub(REQUEST_PATIENCE).min(expires * 9 / 10).max(expires / 2);
    if reliable { latest } else { latest.min(UDP_REFRESH) }
}

fn retry_after(message: &Message) -> Option<Duration> {
    message.retry_after().map(|seconds| Duration::from_secs(seconds.min(3600).into()))
}

/// Our address as we wrote it and as the registrar saw it. RFC 3581.
fn seen_as(message: &Message) -> Option<(SocketAddr, SocketAddr)> {
    let via = message.top_via().ok()?;
    let ours = SocketAddr::new(via.sent_by.host.ip()?, via.port());
    let port = match via.rport {
        Rport::Port(port) => port,
        Rport::Absent | Rport::Asked => ours.port(),
    };
    Some((ours, SocketAddr::new(via.received.unwrap_or(ours.ip()), port)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_leaves_room_to_fail_before_the_binding_does() {
        let secs = Duration::from_secs;
        assert_eq!(refresh_after(secs(300), true), secs(265));
        assert_eq!(refresh_after(secs(3600), true), secs(3240));
        assert_eq!(refresh_after(secs(60), true), secs(30));
        assert_eq!(refresh_after(secs(3600), false), UDP_REFRESH);
        assert_eq!(refresh_after(secs(20), false), secs(10));
    }
}
