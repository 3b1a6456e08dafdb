//! A phone in the world: the machine itself, and what its owner sees of it.
//!
//! Carries out media orders; signalling orders are the world's to carry out.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use base::{Instant, Redacted, Rng, Secret};
use phone::{
    Account, AccountId, AccountState, AccountView, CallId, CallIds, CallState, CallView, Command, Config,
    Event, Input, KeysBy, MediaEncryption, MediaId, MediaOrder, Output, Phone, Side,
};
use sip::message::Message;
use sip::order::Order;

use crate::node::News;
use crate::sound::Stream;

/// The one account of each simulated phone.
pub const ACCOUNT: AccountId = AccountId(1);
/// What the wall clock shows when the world begins.
const WALL: Duration = Duration::from_secs(1_800_000_000);

/// What a phone asks of the world beside signalling.
pub(crate) enum Wish {
    Sip(Order),
    Media(MediaId, MediaOrder),
    /// The state of a call changed; what to note.
    Note(String),
}

/// A phone and its owner's view of it.
#[derive(Debug)]
pub struct Handset {
    phone: Phone,
    ids: CallIds,
    account: Option<Account>,
    config: Config,
    calls: BTreeMap<CallId, CallView>,
    view: Option<AccountView>,
    /// The Call-ID of each call: what its two ends have in common.
    sip_ids: BTreeMap<CallId, String>,
    events: Vec<(Instant, Event)>,
    pub(crate) streams: BTreeMap<MediaId, Stream>,
}

impl Handset {
    pub(crate) fn new(account: Option<Account>, config: Config, rng: Rng) -> Self {
        let ids = CallIds::new();
        let mut phone = Phone::new(config.clone(), ids.clone(), rng);
        phone.set_wall_clock(WALL, Instant::ZERO);
        Self {
            phone,
            config,
            ids,
            account,
            calls: BTreeMap::new(),
            view: None,
            sip_ids: BTreeMap::new(),
            events: Vec::new(),
            streams: BTreeMap::new(),
        }
    }

    /// Whether its account takes no call in clear.
    pub(crate) fn insists(&self) -> bool {
        self.account.as_ref().is_some_and(|account| account.media_encryption == MediaEncryption::Required)
    }

    /// What its owner does when it is switched on.
    pub(crate) fn first_commands(&self) -> Vec<Command> {
        self.account.clone().map(|a| Command::AddAccount(ACCOUNT, a)).into_iter().collect()
    }

    /// The same phone after its process ended and began again: settings stay, all else is gone.
    pub(crate) fn restarted(&self, rng: Rng) -> Self {
        Self::new(self.account.clone(), self.config.clone(), rng)
    }

    /// Tells the phone, and says what it wants and what is to be noted.
    pub(crate) fn hear(&mut self, name: &str, news: News, now: Instant) -> Vec<Wish> {
        let bytes;
        let invited = if let News::Bytes { bytes, .. } = &news { invite_id(bytes) } else { None };
        let input = match news {
            News::Bytes { flow, from, bytes: b } => {
                bytes = b;
                Input::Bytes { flow, from, bytes: &bytes }
            }
            News::FlowUp { network, flow, transport, local, remote } => {
                Input::FlowUp { network, flow, transport, local, remote }
            }
            News::FlowDown { flow } => Input::FlowDown { flow },
            News::FlowFailed { network, transport, remote } => {
                Input::FlowFailed { network, transport, remote }
            }
            News::Resolved { query, answer } => Input::Resolved { query, answer },
            News::Network(news) => Input::Network(news),
            News::Media { media, news } => Input::Media { media, news },
            News::Command(command) => Input::Command(command),
            News::Due => Input::Due,
            // A phone takes connections without being told that it listens.
            News::Listening { .. } => return Vec::new(),
        };
        let mut wishes = Vec::new();
        for output in self.phone.handle(input, now) {
            match output {
                Output::Sip(order) => {
                    if let Order::Send { bytes, .. } = &order
                        && let Some(id) = invite_id(bytes)
                    {
                        name_call(&mut self.sip_ids, &self.calls, id);
                    }
                    wishes.push(Wish::Sip(order));
                }
                // Ears are not simulated.
                Output::Tone(_) | Output::Server { .. } | Output::Fetch(_) => {}
                Output::Media { media, order } => wishes.push(Wish::Media(media, order)),
                Output::Event(event) => {
                    match &event {
                        Event::Call(view) => {
                            let before = self.calls.insert(view.call, view.clone());
                            if before.is_none()
                                && view.side == Side::In
                                && let Some(id) = &invited
                            {
                                self.sip_ids.insert(view.call, id.clone());
                            }
                            if before.is_none_or(|b| b.state != view.state) {
                                wishes.push(Wish::Note(note(name, view, &self.calls)));
                            }
                        }
                        Event::Account(view) => self.view = Some(view.clone()),
                        Event::Dtmf { digit, .. } => {
                            wishes.push(Wish::Note(format!("{name} is sent {}", digit.as_char())));
                        }
                        _ => {}
                    }
                    self.events.push((now, event));
                }
            }
        }
        wishes
    }

    pub(crate) fn next_wake(&self) -> Option<base::Wake> {
        self.phone.next_wake()
    }

    /// Draws the id of a call that is about to be made.
    pub(crate) fn draw(&self) -> CallId {
        self.ids.draw()
    }

    /// The machine.
    pub fn phone(&self) -> &Phone {
        &self.phone
    }

    /// The newest view of each call that ever was.
    pub fn calls(&self) -> impl Iterator<Item = &CallView> {
        self.calls.values()
    }

    /// The newest view of one call.
    pub fn call(&self, call: CallId) -> Option<&CallView> {
        self.calls.get(&call)
    }

    /// The Call-ID of a call, where it was seen: not on a stream that splits its messages.
    pub fn sip_id(&self, call: CallId) -> Option<&str> {
        self.sip_ids.get(&call).map(String::as_str)
    }

    /// The latest call that has not ended.
    pub fn live(&self) -> Option<&CallView> {
        self.calls.values().rev().find(|c| c.state != CallState::Ended)
    }

    /// All events, with their times.
    pub fn events(&self) -> &[(Instant, Event)] {
        &self.events
    }

    /// Whether the registrar has us.
    pub fn is_registered(&self) -> bool {
        self.view.as_ref().is_some_and(|v| v.state == AccountState::Registered)
    }

    /// The newest view of the account.
    pub fn account(&self) -> Option<&AccountView> {
        self.view.as_ref()
    }
}

/// The account of a phone at `offhook.test`, whose first hop is `proxy`.
pub fn account(user: &str, proxy: IpAddr) -> Account {
    let uri = format!("sip:{user}@offhook.test").parse().expect("a plain SIP URI");
    let host = match proxy {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    let mut account = Account::new(uri, Secret::new(format!("secret-{user}")));
    // Few, so that ladders stay readable.
    account.codecs = vec![media::Codec::Pcmu, media::Codec::Pcma];
    account.proxy = Some(format!("sip:{host};lr").parse().expect("a plain SIP URI"));
    account.auth_user = Some(Redacted::new(user.to_owned()));
    if let Some(by) = insisted() {
        // Told keys stand in clear here, for nobody simulates TLS.
        (account.media_encryption, account.sdes_in_clear) = (MediaEncryption::Required, true);
        account.media_encryption_by = by;
    }
    account
}

thread_local! {
    static INSISTED: std::cell::Cell<Option<KeysBy>> = const { std::cell::Cell::new(None) };
}

/// Everything that this simulates, once more: its phones take no call in clear, and come to their keys so.
pub fn insisting(by: KeysBy, act: impl FnOnce()) {
    let before = INSISTED.replace(Some(by));
    act();
    INSISTED.set(before);
}

/// How the phones of these worlds come to keys without which they do not call: by [`insisting`], or `OFFHOOK_ENCRYPT=sdes` or
/// `dtls` for a whole run.
pub fn insisted() -> Option<KeysBy> {
    INSISTED.get().or_else(|| {
        std::env::var_os("OFFHOOK_ENCRYPT").map(|by| if by == "dtls" { KeysBy::Dtls } else { KeysBy::Sdes })
    })
}

/// The Call-ID of an INVITE.
fn invite_id(bytes: &[u8]) -> Option<String> {
    let message = bytes.starts_with(b"INVITE ").then(|| Message::read(bytes).ok())??;
    message.call_id().ok().map(str::to_owned)
}

/// An INVITE that is new is the oldest call's that has sent none.
fn name_call(ids: &mut BTreeMap<CallId, String>, calls: &BTreeMap<CallId, CallView>, id: String) {
    if !ids.values().any(|known| *known == id)
        && let Some(call) = calls
            .values()
            .find(|c| c.side == Side::Out && c.state != CallState::Ended && !ids.contains_key(&c.call))
    {
        ids.insert(call.call, id);
    }
}

/// `ann active`, or `ann active with cem` when there are several.
fn note(name: &str, view: &CallView, calls: &BTreeMap<CallId, CallView>) -> String {
    let state = match view.state {
        CallState::Calling => "calls",
        CallState::Ringing => match view.side {
            Side::In => "rings",
            Side::Out => "hears ringback",
        },
        CallState::Early => match view.side {
            Side::In => "sends early media",
            Side::Out => "hears early media",
        },
        CallState::Announced => "is told of a call",
        CallState::Active => "active",
        CallState::Held => "holds",
        CallState::RemoteHeld => "is held",
        CallState::Ended => "ended",
    };
    let others = calls.values().any(|c| c.call != view.call && c.state != CallState::Ended);
    if others { format!("{name} {state} ({})", short(view)) } else { format!("{name} {state}") }
}

/// The user part of the other side.
pub(crate) fn short(view: &CallView) -> &str {
    let uri = view.remote.reveal();
    let uri = uri.split_once(':').map_or(uri.as_str(), |(_, rest)| rest);
    uri.split(['@', ';']).next().unwrap_or(uri)
}
