//! What every machine of an agent works with: transactions, flows, requests under way, profiles, timers, the tray of news.
//!
//! Knows no call. [`Cx`] is what a machine is handed for one turn: all of this, the time, and where to put orders.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use base::{Instant, NetworkId, Rng, Timers, Transport};

use super::news::News;
use super::profile::{AgentConfig, Profile, ProfileId, ReferId, SessionId, SubscriptionId};
use super::request::{OutId, Owner, Reply, Requests};
use super::sips;
use super::transfer::Refer;
use super::{flows::Flows, flows::Place, session::Alarm};
use crate::dialog::Tag;
use crate::digest::Authorizer;
use crate::locate::{Locator, Translator};
use crate::message::{Draft, Form, Message, Method, Name, NameAddr, Refusal, Uri};
use crate::order::Orders;
use crate::transaction::{Config, Source, Transactions, TxId, TxNews};

/// What we can be asked for.
pub(super) const METHODS: &[Method] = &[
    Method::Invite,
    Method::Ack,
    Method::Cancel,
    Method::Bye,
    Method::Options,
    Method::Prack,
    Method::Update,
    Method::Info,
    Method::Message,
    Method::Refer,
    Method::Notify,
];

/// [`METHODS`] as an Allow value.
pub(super) const ALLOW: &str = "INVITE,ACK,CANCEL,BYE,OPTIONS,PRACK,UPDATE,INFO,MESSAGE,REFER,NOTIFY";

/// Extensions a Require may name.
pub(super) const EXTENSIONS: &[&str] = &["100rel", "timer", "replaces", "199"];

/// Without an answer in this time a 2xx or a reliable provisional is given up: 64 * T1. RFC 3261 section 13.3.1.4.
pub(super) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(32);

/// The first pause before saying it again. RFC 3261 section 17.1.1.1.
pub(super) const T1: std::time::Duration = std::time::Duration::from_millis(500);

/// The longest such pause for a 2xx. RFC 3261 section 17.1.2.1.
pub(super) const T2: std::time::Duration = std::time::Duration::from_secs(4);

/// What waits for time to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    Session(SessionId, Alarm),
    Refer(ReferId),
    Subscription(SubscriptionId),
    Race(OutId),
}

impl Timer {
    /// For diagnostics.
    pub(super) const fn why(&self) -> &'static str {
        match self {
            Self::Session(_, Alarm::Ack) => "ACK of our 2xx",
            Self::Session(_, Alarm::Prack) => "PRACK of our 1xx",
            Self::Session(_, Alarm::Glare) => "offer again",
            Self::Session(_, Alarm::Refresh) => "session refresh",
            Self::Refer(_) => "transfer report",
            Self::Subscription(_) => "subscription refresh",
            Self::Race(_) => "other IP family",
        }
    }
}

/// To whom a dialog, found by our tag in it, belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Party {
    Session(SessionId),
    /// Refers outside any session, or left over from one; they know their dialogs.
    Refers,
    Subscription(SubscriptionId),
}

/// A profile and what speaking for it has taught.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) profile: Arc<Profile>,
    pub(super) authorizer: Authorizer,
    /// Call-ID of this account's registrations and the number of the last. RFC 3261 section 10.2.
    pub(super) registration: (Box<str>, u32),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) config: AgentConfig,
    pub(super) rng: Rng,
    pub(super) flows: Flows,
    pub(super) locator: Locator,
    pub(super) transactions: Transactions,
    pub(super) requests: Requests,
    /// How IPv4 is reached by networks that do not give it.
    pub(super) reach: BTreeMap<NetworkId, (bool, Translator)>,
    pub(super) accounts: BTreeMap<ProfileId, Account>,
    /// Lanes of profiles that were removed: their last requests go nowhere else.
    pub(super) left_lanes: BTreeMap<ProfileId, NetworkId>,
    pub(super) timers: Timers<Timer>,
    /// Dialogs by our tag.
    pub(super) dialogs: BTreeMap<Tag, Party>,
    /// Unanswered INVITEs from outside, by transaction: what a CANCEL or their end is about.
    pub(super) invites: BTreeMap<TxId, SessionId>,
    pub(super) refers: BTreeMap<ReferId, Refer>,
    pub(super) news: VecDeque<News>,
    pub(super) tx_news: Vec<TxNews>,
    /// Answers of the request machinery that wait for their owner.
    pub(super) replies: VecDeque<(OutId, Owner, Reply)>,
    /// The last number given to a session, request, refer or subscription.
    pub(super) last_id: u64,
    /// Datagrams and messages that are none: dropped.
    pub(super) malformed: u64,
    /// Requests that came by another lane than that of whom they are for: dropped.
    pub(super) misplaced: u64,
}

impl Common {
    pub(super) fn new(config: AgentConfig, mut rng: Rng) -> Self {
        Self {
            locator: Locator::new(rng.split()),
            transactions: Transactions::with_config(
                Config { most_servers: config.max_requests, ..Config::default() },
                rng.split(),
            ),
            config,
            flows: Flows::default(),
            requests: Requests::default(),
            reach: BTreeMap::new(),
            accounts: BTreeMap::new(),
            left_lanes: BTreeMap::new(),
            timers: Timers::default(),
            dialogs: BTreeMap::new(),
            invites: BTreeMap::new(),
            refers: BTreeMap::new(),
            news: VecDeque::new(),
            tx_news: Vec::new(),
            replies: VecDeque::new(),
            last_id: 0,
            malformed: 0,
            misplaced: 0,
            rng,
        }
    }

    pub(super) fn remove_profile(&mut self, id: ProfileId) {
        let removed = self.accounts.remove(&id).map(|account| account.profile.network);
        if let Some(network) = removed.filter(|network| network.lane().is_some()) {
            self.left_lanes.insert(id, network);
        }
    }

    pub(super) fn set_profile(&mut self, id: ProfileId, profile: Profile) {
        self.left_lanes.remove(&id);
        let profile = Arc::new(profile);
        match self.accounts.get_mut(&id) {
            Some(account) => {
                if account.profile.credentials != profile.credentials {
                    account.authorizer.forget();
                }
                if account.profile.network != profile.network {
                    // What one network does not reach, another may.
                    self.locator.forgive_all();
                }
                account.profile = profile;
            }
            None => {
                let registration = (self.fresh_call_id(), 0);
                let authorizer = Authorizer::default();
                self.accounts.insert(id, Account { profile, authorizer, registration });
            }
        }
    }

    /// The profile of that name; a nameless one for a name that nobody has.
    pub(super) fn speaker(&self, id: ProfileId) -> Arc<Profile> {
        self.accounts.get(&id).map_or_else(|| Arc::new(anonymous()), |account| account.profile.clone())
    }

    pub(super) fn fresh_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// A Call-ID: 80 bits of chance need no host behind them. RFC 3261 section 8.1.1.4.
    pub(super) fn fresh_call_id(&mut self) -> Box<str> {
        let token = self.rng.token::<16>();
        str::from_utf8(&token).expect("tokens are ASCII").into()
    }
}

/// One machine's turn.
pub(super) struct Cx<'a> {
    pub(super) common: &'a mut Common,
    pub(super) now: Instant,
    pub(super) out: &'a mut Orders,
}

impl Cx<'_> {
    pub(super) fn tell(&mut self, news: News) {
        self.common.news.push_back(news);
    }

    /// Sends a response; `false` when its transaction is gone.
    pub(super) fn respond(&mut self, tx: TxId, response: Draft) -> bool {
        self.common.transactions.respond(tx, response, self.now, self.out)
    }

    /// A bare response.
    pub(super) fn answer(&mut self, tx: TxId, request: &Message, status: u16) {
        let response = self.response(request, status);
        self.respond(tx, response);
    }

    /// A response outside any dialog, or to a request that bears our tag already. RFC 3261 section 8.2.6.2.
    pub(super) fn response(&mut self, request: &Message, status: u16) -> Draft {
        let mut response = Draft::response_to(request, status);
        if request.to().is_ok_and(|to| to.tag().is_none()) {
            let tag = Tag::draw(&mut self.common.rng);
            add_to_tag(&mut response, request, tag);
        }
        response
    }

    /// Says no as `refusal` wants it said.
    pub(super) fn refuse(&mut self, tx: TxId, request: &Message, refusal: &Refusal) {
        let mut response = self.response(request, refusal.status);
        response.set_reason(&refusal.reason);
        match refusal.status {
            405 | 501 => {
                response.push(Name::Allow, ALLOW);
            }
            415 => {
                response.push(Name::Accept, ACCEPT);
            }
            420 => {
                response.push(Name::Unsupported, refusal.unsupported.join(", "));
            }
            _ => {}
        }
        self.respond(tx, response);
    }

    pub(super) fn profile(&self, id: ProfileId) -> Option<&Arc<Profile>> {
        self.common.accounts.get(&id).map(|account| &account.profile)
    }

    /// Our Contact in the answer to a request that came from `source`.
    pub(super) fn contact_for(&self, profile: &Profile, request: &Message, source: &Source) -> String {
        let address = self.common.flows.contact_address(profile.contact_address, source.hop());
        let secure = profile.is_secure() || sips::is_answered_so(request);
        let user = contact_user(profile, request.first(Name::To));
        contact_value(user, (source.transport, secure), &address, profile.outbound || address.is_nowhere())
    }
}

/// Bodies we read in a request outside INVITE's description.
pub(super) const ACCEPT: &str = "application/sdp";

/// Gives the To of `response` our tag.
pub(super) fn add_to_tag(response: &mut Draft, request: &Message, tag: Tag) {
    if let Some(to) = request.first(Name::To) {
        response.set(Name::To, tag.append(&String::from_utf8_lossy(to)));
    }
}

/// The user part of our Contact where `us` (From of what we ask, To of what we answer) is who we say we are: who wants to be
/// nobody is not named there either. RFC 3323 section 4.1.1.2.
pub(super) fn contact_user<'a>(profile: &'a Profile, us: Option<&[u8]>) -> &'a str {
    let is_nobody = us.and_then(|us| NameAddr::read(us).ok()).is_some_and(|us| {
        us.uri().user == Some("anonymous")
            && us.uri().host.to_string().eq_ignore_ascii_case("anonymous.invalid")
    });
    if is_nobody && !profile.contact_user.is_empty() { "anonymous" } else { &profile.contact_user }
}

/// `<sip:ann@192.0.2.1:5060;transport=tcp>`, or `<sips:...>` where all of the way must be secure; with `;ob` where the flow is
/// meant and not the address (RFC 5626 section 4.3).
pub(super) fn contact_value(
    user: &str,
    (transport, secure): (Transport, bool),
    place: &Place,
    by_flow: bool,
) -> String {
    let mut out = String::with_capacity(user.len() + 64);
    out.push_str(if secure { "<sips:" } else { "<sip:" });
    if !user.is_empty() {
        out.push_str(user);
        out.push('@');
    }
    // Writing to a String does not fail.
    let _ = write!(out, "{place}");
    // A stream under TLS is what `sips` means, and has no word of its own there. RFC 5630 section 3.1.4.
    if transport != Transport::Udp && !(secure && transport == Transport::Tls) {
        let _ = write!(out, ";transport={}", transport.uri_param());
    }
    if by_flow {
        out.push_str(";ob");
    }
    out.push('>');
    out
}

/// Someone without a name. RFC 3261 section 8.1.1.3.
pub(super) fn anonymous() -> Profile {
    let nobody = "sip:anonymous@anonymous.invalid".parse().expect("a well-formed URI");
    Profile::new(nobody, "")
}

/// Writes the route that a request outside a dialog begins with, and names its first hop. RFC 3261 section 8.1.2.
pub(super) fn push_first_route(draft: &mut Draft, profile: &Profile, target: &Uri) -> Uri {
    let proxy = profile.proxy.as_ref();
    let routed = proxy.filter(|proxy| proxy.view().is_loose());
    // Registrations go where the registrar is, not along what it has told for calls.
    let service = if draft.method() == Method::Register { &[][..] } else { &profile.route_set[..] };
    let secure = sips::is_asked_for(draft);
    let on_the_way = |uri: &Uri| if secure { sips::secured(uri) } else { uri.clone() };
    for uri in routed.into_iter().chain(service) {
        draft.push(Name::Route, format_args!("<{}>", on_the_way(uri)));
    }
    proxy.or(service.first()).map_or_else(|| target.clone(), on_the_way)
}

/// Who speaks, in a response.
pub(super) fn push_server(response: &mut Draft, profile: &Profile) {
    if !profile.user_agent.is_empty() {
        response.push(Name::Server, &profile.user_agent);
    }
}

/// `"Ann" <sip:ann@example.com>`, without a tag.
pub(super) fn from_value(profile: &Profile) -> String {
    let aor = profile.aor.as_str();
    match profile.display.as_deref() {
        Some(name) if !name.is_empty() => format!("{} <{aor}>", crate::message::quote(name)),
        _ => format!("<{aor}>"),
    }
}

/// Whether a request is too big for UDP; the Via is still to come. RFC 3261 section 18.1.1.
pub(super) fn is_large(draft: &Draft) -> bool {
    /// A Via with an IPv6 address, branch and rport, and a Contact.
    const STILL_TO_COME: usize = 190;
    let form_limit = |form| draft.len(form) + STILL_TO_COME;
    // What goes over 1,200 bytes is written in compact form, and without what can be spared.
    form_limit(Form::Full) > 1200 && form_limit(Form::Slim) > 1300
}
