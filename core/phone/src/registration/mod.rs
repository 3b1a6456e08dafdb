//! One account and its registration: asked for, granted, refreshed, lost, won back, given up.
//!
//! RFC 3261 section 10, RFC 3327 (Path), RFC 3608 (Service-Route), RFC 5626 sections 4.4.1 and 4.5 (keepalive, backoff).
//!
//! **How the loss of a registrar is noticed, whatever it granted.** On a stream, the connection breaks; an empty line now and
//! then makes even a silent death break it. On UDP the refresh is the keepalive of an account that wants to be prompt, at
//! least every [`UDP_REFRESH`]: an OPTIONS would cost the same wake of the radio and tell less, for a registrar that
//! restarted without its bindings answers it all the same. That is some 80 short exchanges an hour; what a thrifty account
//! does instead stands in [`crate::keepalive`].
//!
//! The answers are read in `answers`, what networks mean to it stands in `moving`, how its way is kept open in `silence`, how
//! it goes round a router that spoils datagrams in `dodge`, whose certificate it takes in `trust`, what it shows in `show`.
//! Knows nothing of how a request is sent, located or authorized, nor of calls.

mod answers;
mod asking;
mod dodge;
mod ladder;
mod moving;
mod profile;
mod sealed;
mod show;
mod silence;
mod trust;

use std::net::IpAddr;
use std::time::Duration;

use base::{FlowId, Instant, NetworkId};
use sip::message::Uri;
use sip::order::Order;
use sip::transaction::Source;
use sip::ua::{Outcome, Profile, RequestId, SubscriptionId, Way};

use crate::desk::{Desk, Timer};
use crate::view::{AccountState, AccountView, Step};
use crate::{Account, AccountId, Config, Dropped, Relay, Why};

use asking::Asking;
use dodge::Dodge;
use ladder::Ladder;
pub use ladder::Rung;
pub(crate) use profile::{may_pass, profile_id, retry_after};
use silence::Silence;
use trust::Trust;

/// Longest time between two refreshes over UDP: a lost binding is found within it and a request's own patience.
const UDP_REFRESH: Duration = Duration::from_secs(45);
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
/// The mark of a Contact that names a flow. RFC 5626 section 4.2.1.
const FLOW: &str = ";reg-id=";

/// ```text
///            start                      2xx
///   Off ---------------> Asking -----------------> Registered
///    ^                   ^  ^ |  |                     |
///    |                   |  +-+  | failure             | refresh due, flow lost, another network
///    |                   | 423   v                     v
///    |                   +--- Waiting <----------- (Asking)
///    |   any answer      2..30 s; 10..60 min after a no
///    +--------- Leaving <--- stop, from Asking (once answered) and Registered
///
///   Registered -- a better network --> Moving -- 2xx --> Registered there
///                                        +--- failure --> Registered here, and that network is passed over
/// ```
enum State {
    /// Not registered, and nothing on its way.
    Off,
    /// A REGISTER is on its way.
    Asking { request: RequestId },
    /// The binding holds until then.
    Registered { until: Instant },
    /// A REGISTER is on its way by another network, while the binding holds by this one until then.
    Moving { request: RequestId, to: NetworkId, until: Instant },
    /// Failed; `Timer::Register` tries again, if it is set.
    Waiting,
    /// A REGISTER with `Expires: 0` is on its way.
    Leaving { request: RequestId },
}

/// One account and its registration.
pub(crate) struct Registration {
    id: AccountId,
    /// Told of messages that wait.
    pub(crate) voicemail: Option<SubscriptionId>,
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
    /// The network that it goes by; without one, why it has none.
    network: Result<NetworkId, Why>,
    /// Where the last good answer came from: requests outside dialogs and calls go there too.
    path: Option<Source>,
    /// Our Contact URI as the registrar has it.
    contact: Option<String>,
    /// When the binding is refreshed.
    refresh_at: Instant,
    /// How often the registrar wants to hear from us. RFC 5626 section 4.4.
    flow_timer: Option<Duration>,
    silence: Silence,
    asking: Asking,
    ladder: Ladder,
    trust: Trust,
    /// A connection by the network before, which calls may still use.
    left: Option<FlowId>,
    /// Whether the registrar saw us under another address than our own.
    behind_nat: bool,
    /// The binding under another address is being replaced by the one we are seen under; once, whatever comes of it.
    moved: bool,
    /// How it goes round a router that spoils datagrams.
    dodge: Dodge,
    view: AccountView,
    /// How often it was granted or refreshed.
    grants: u32,
}

impl Registration {
    /// Takes an account in, unregistered.
    pub(crate) fn new(id: AccountId, account: Account, config: &Config, desk: &mut Desk) -> Self {
        let mut profile = profile::profile(&account, config);
        profile.network = account.lane_on(id, profile.network);
        desk.agent.set_profile(profile_id(id), profile.clone());
        let view = AccountView {
            account: id,
            revision: 0,
            uri: base::Redacted::new(account.uri.to_string()),
            state: AccountState::Unregistered,
            expires: None,
            status: None,
            step: Step::Find,
            reason: None,
            as_of: desk.now,
            retry_in: None,
            dropped: Dropped::default(),
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
            network: Err(Why::NoNetwork),
            path: None,
            contact: None,
            refresh_at: Instant::ZERO,
            flow_timer: None,
            silence: Silence::default(),
            asking: Asking::default(),
            ladder: Ladder::default(),
            trust: Trust::default(),
            left: None,
            behind_nat: false,
            moved: false,
            voicemail: None,
            dodge: Dodge::default(),
            view,
            grants: 0,
        };
        it.show(desk, it.view.clone());
        it.say_connection(desk);
        it
    }

    /// Replaces the settings, and registers anew by them if the account was or wants to be.
    pub(crate) fn change(&mut self, account: Account, config: &Config, desk: &mut Desk) {
        let network = self.other_seal(&account, desk);
        self.profile = Profile { network, ..profile::profile(&account, config) };
        desk.agent.set_profile(profile_id(self.id), self.profile.clone());
        self.ask = account.expires;
        self.view.uri = base::Redacted::new(account.uri.to_string());
        self.wanted |= account.register;
        self.leaving_for_good = false;
        let before = std::mem::replace(&mut self.account, account);
        self.connection_changed(&before, desk);
        self.dodge_still(desk);
        self.other_rung(desk);
        self.stale =
            matches!(self.state, State::Asking { .. } | State::Moving { .. } | State::Leaving { .. });
        if self.wanted && !self.stale {
            self.start(desk);
        }
    }

    /// Replaces the relays, of which the registrar knows nothing.
    pub(crate) fn change_relays(&mut self, relays: Vec<Relay>) {
        self.account.nat.turn = relays;
    }

    pub(crate) const fn id(&self) -> AccountId {
        self.id
    }

    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    pub(crate) fn is_registered(&self) -> bool {
        matches!(self.state, State::Registered { .. }) || self.view.state == AccountState::Registered
    }

    /// Whether it is to be registered, now or when it can be.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted || self.account.register
    }

    /// Why it is not registered, as far as that is known.
    pub(crate) fn reason(&self) -> Option<Why> {
        self.view.reason
    }

    /// Nothing is registered and nothing on its way.
    pub(crate) fn is_off(&self) -> bool {
        matches!(self.state, State::Off)
    }

    /// It is to be forgotten soon.
    pub(crate) const fn is_leaving(&self) -> bool {
        self.leaving_for_good
    }

    /// It has not been told to unregister.
    pub(crate) const fn is_still_wanted(&self) -> bool {
        self.wanted
    }

    /// How often it was granted or refreshed.
    pub(crate) const fn grants(&self) -> u32 {
        self.grants
    }

    /// When its binding is refreshed, which wakes the device.
    pub(crate) const fn refresh_at(&self) -> Instant {
        self.refresh_at
    }

    /// The address that our requests go to, as far as it is known: media takes the same network.
    pub(crate) fn toward(&self) -> Option<IpAddr> {
        let first_hop = || self.account.proxy.as_ref().unwrap_or(&self.account.uri).view().host.ip();
        self.path.map(|path| path.remote.ip()).or_else(first_hop)
    }

    /// Whether a request of its to this URI leaves under TLS, as far as we can see.
    pub(crate) fn is_secure(&self, to: &Uri) -> bool {
        profile::is_secure(&self.profile, to)
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
            State::Asking { .. } | State::Moving { .. } | State::Leaving { .. } => {}
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
            State::Off | State::Asking { .. } | State::Moving { .. } | State::Leaving { .. } => {}
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
            self.forget_connection(desk);
            desk.agent.remove_profile(profile_id(self.id));
            desk.lane_left(self.id);
        }
        forget
    }

    /// The connection that the registrar knows us by broke: it can no longer reach us.
    pub(crate) fn flow_down(&mut self, flow: FlowId, desk: &mut Desk) {
        let Some(path) = self.path.take_if(|path| path.flow == flow) else { return };
        self.broke_off(&path, desk);
        self.asking.begin_anew();
        desk.timers.cancel(&Timer::Ping(self.id));
        if let State::Moving { request, to, .. } = self.state {
            self.went_on(to, desk);
            self.state = State::Asking { request };
            self.show_asking(desk);
        }
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

    /// A request is settled, ours or another's: ids are never used twice.
    pub(crate) fn done(
        &mut self,
        request: RequestId,
        outcome: &Outcome,
        via: Option<Source>,
        desk: &mut Desk,
    ) {
        if self.dodge_probed(request, outcome, desk) {
            return;
        }
        if self.is_first(request, outcome, desk) {
            self.is_settled(outcome, desk);
            if let State::Moving { to, until, .. } = self.state {
                return self.tried(to, until, outcome, via, desk);
            }
            return self.answered(outcome, via, desk);
        }
        match self.state {
            State::Asking { request: ours } if ours == request => {
                if self.is_settled(outcome, desk) {
                    self.answered(outcome, via, desk);
                }
            }
            State::Moving { request: ours, to, until } if ours == request => {
                if self.is_settled(outcome, desk) {
                    self.tried(to, until, outcome, via, desk);
                }
            }
            State::Leaving { request: ours } if ours == request => {
                self.off(desk);
                if self.wanted {
                    self.stale = false;
                    self.start(desk);
                }
            }
            State::Off
            | State::Asking { .. }
            | State::Moving { .. }
            | State::Registered { .. }
            | State::Waiting
            | State::Leaving { .. } => {}
        }
    }

    fn send(&mut self, desk: &mut Desk) {
        self.cancel_timers(desk);
        if let Err(why) = self.network {
            self.state = State::Waiting;
            self.view.step = Step::Find;
            self.show_failure(desk, None, why, None);
            return;
        }
        self.show_asking(desk);
        self.end_silence(desk);
        self.trust.begin_anew();
        self.first_rung(desk);
        let request = self.register(self.ask, Way::default(), desk);
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
        let request = self.register(0, Way::default(), desk);
        self.state = State::Leaving { request };
    }

    fn off(&mut self, desk: &mut Desk) {
        self.cancel_timers(desk);
        self.state = State::Off;
        self.contact = None;
        self.show(desk, self.plain(AccountState::Unregistered));
    }

    /// Asks for `seconds`, and for the end of the binding that the registrar has in the same breath, if it is another.
    fn register(&self, seconds: u32, way: Way, desk: &mut Desk) -> RequestId {
        if way.network.is_none() {
            self.take_port(desk);
        }
        let draft = self.draft(seconds);
        // A flow's binding is replaced by its number, wherever we are.
        let instead_of = if self.profile.outbound { None } else { self.contact.clone() };
        let way = self.by_rung(Way { instead_of, ..way });
        desk.agent.request_by(profile_id(self.id), draft, way, desk.now, &mut desk.orders)
    }

    fn cancel_timers(&self, desk: &mut Desk) {
        for timer in [Timer::Register(self.id), Timer::Ladder(self.id), Timer::Ping(self.id)] {
            desk.timers.cancel(&timer);
        }
    }
}
