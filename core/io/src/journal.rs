//! What the call log is told of what the phone tells: a row at a call's first view, facts as they come; and text messages.
//! Those that an earlier phone has left unsent are handed to this one as soon as it has their account.
//!
//! While a call is up, its row is touched every ten seconds at most, so that a crash loses no more than that of it. Times
//! become the wall clock's here. Knows no SQL.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base::{Instant, Redacted};
use offhook_store::{
    About, CallFacts, Change, Delivery, Direction, Keeper, MessageRow, Millis, Missed, NewCall, NewMessage,
    Notice, Remote, Store, StoreError,
};
use phone::{
    AccountId, AccountState, CallId, CallState, CallView, Command, MessageId, NetworkKind, Passport, Side,
    Subject, Why,
};

use crate::clock;
use crate::events::Event;

/// How often the row of a call that is up is written, at most.
const TOUCH: Duration = Duration::from_secs(10);
/// How long messages are sent again: as long as [`phone`] keeps them.
const PATIENCE: Duration = Duration::from_secs(3 * 24 * 3600);
/// Moves between networks that are kept of one call.
const MOST_NETWORKS: usize = 16;

/// The call log's scribe.
pub(crate) struct Journal {
    keeper: Keeper,
    /// Where all is kept that calls hear, if it is.
    heard: Option<PathBuf>,
    known: Mutex<Known>,
    hand: Box<dyn Fn(Command) + Send>,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("keeper", &self.keeper).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Known {
    /// By address, and whether they are registered.
    accounts: BTreeMap<AccountId, (String, bool)>,
    /// Those that never register.
    apart: BTreeSet<AccountId>,
    /// What names no account goes by this one.
    default: Option<AccountId>,
    /// Messages that an earlier phone has left, while their account is not there.
    left: Vec<(u64, MessageRow)>,
    /// Calls that are not over.
    calls: BTreeMap<CallId, Open>,
}

impl Known {
    fn address(&self, account: AccountId) -> String {
        self.accounts.get(&account).map(|(address, _)| address.clone()).unwrap_or_default()
    }

    /// Which one the phone picks where none is named.
    fn picked(&self) -> Option<AccountId> {
        let registered = |id: &AccountId| self.accounts.get(id).is_some_and(|(_, registered)| *registered);
        let default = self.default.filter(|id| self.accounts.contains_key(id));
        let ready = default.filter(|id| registered(id) || self.apart.contains(id));
        let others = || self.accounts.keys().copied();
        ready.or_else(|| others().find(registered)).or(default).or_else(|| others().next())
    }
}

/// A call that is not over.
#[derive(Debug)]
struct Open {
    account: AccountId,
    /// The other side, as its row has it.
    remote: Redacted<String>,
    /// When its row was written last.
    written: Instant,
    /// What carried it, in order.
    networks: Vec<&'static str>,
}

impl Journal {
    /// Opens the log at `path`. `heard`: where all is kept that calls hear. `hand` gets what an earlier phone has left to do;
    /// `told` is called by the log's own thread.
    pub(crate) fn open(
        path: &Path,
        heard: Option<PathBuf>,
        hand: impl Fn(Command) + Send + 'static,
        told: impl FnMut(Notice) + Send + 'static,
    ) -> Result<Self, StoreError> {
        let since = Now::read().wall - Millis::try_from(PATIENCE.as_millis()).unwrap_or(0);
        let mut keeper = Keeper::start(path, since, told)?;
        let known = Known { left: keeper.take_left(), ..Known::default() };
        Ok(Self { keeper, heard, known: Mutex::new(known), hand: Box::new(hand) })
    }

    /// A change that the person wants.
    pub(crate) fn change(&self, change: Change) {
        self.keeper.store(change);
    }

    /// Work of somebody's own, in its turn.
    pub(crate) fn work<T: Send + 'static>(
        &self,
        about: About,
        work: impl FnMut(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Receiver<Result<T, StoreError>> {
        self.keeper.work(about, work)
    }

    /// Gets a message when all is stored that was taken down before.
    pub(crate) fn settled(&self) -> Receiver<()> {
        self.keeper.settled()
    }

    /// Takes down what the phone tells.
    pub(crate) fn note(&self, event: &Event) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Now::read();
        match event {
            Event::Phone(phone::Event::Account(view)) => {
                let registered = view.state == AccountState::Registered;
                known.accounts.insert(view.account, (view.uri.reveal().clone(), registered));
                self.hand_over(&mut known, view.account, view.uri.reveal());
            }
            Event::Phone(phone::Event::Call(view)) => self.call(&mut known, view, now),
            Event::Phone(phone::Event::Quality { call, stats }) => {
                let Some(open) = known.calls.get_mut(call) else { return };
                if now.boot.since(open.written) < TOUCH {
                    return;
                }
                open.written = now.boot;
                let facts = CallFacts { mos: Some(stats.mos), ..CallFacts::default() };
                self.facts(*call, facts, now);
            }
            Event::Phone(phone::Event::Timeline { call, timeline }) => {
                self.facts(*call, heard(timeline), now);
            }
            Event::Phone(phone::Event::Message { account, from, name, text }) => {
                self.keeper.store(Change::Message(
                    0,
                    NewMessage {
                        account: known.address(*account),
                        direction: Direction::In,
                        remote: from.reveal().clone(),
                        number: phone::number_of(from.reveal()),
                        name: name.as_ref().map(|name| name.reveal().clone()),
                        text: text.reveal().clone(),
                        at: now.wall,
                    },
                ));
            }
            Event::Phone(phone::Event::MessageWaits { message, status, why, .. }) => {
                let reason = why.map(|why| why.to_string());
                self.keeper.store(Change::Delivered(u64::from(message.0), Delivery::Queued, *status, reason));
            }
            Event::Phone(phone::Event::MessageSent { message, status, reason }) => {
                let delivery = if *status < 300 { Delivery::Sent } else { Delivery::Failed };
                let reason = reason.map(|why| why.to_string());
                self.keeper.store(Change::Delivered(u64::from(message.0), delivery, Some(*status), reason));
            }
            Event::Phone(phone::Event::Refused { subject: Subject::Message(message), reason }) => {
                let (name, reason) = (u64::from(message.0), Some(reason.to_string()));
                self.keeper.store(Change::Delivered(name, Delivery::Failed, None, reason));
            }
            _ => {}
        }
    }

    /// Takes down what the app wants, where it is to be remembered.
    pub(crate) fn wanted(&self, command: &Command) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (message, account, to, text, written) = match command {
            Command::Message { message, account, to, text, written } => (message, account, to, text, written),
            Command::AddAccount(id, account) => {
                if account.register {
                    known.apart.remove(id);
                } else {
                    known.apart.insert(*id);
                }
                return;
            }
            Command::DefaultAccount(id) => {
                known.default = *id;
                return;
            }
            _ => return,
        };
        let account = account.or_else(|| known.picked());
        let written = written.and_then(|it| Millis::try_from(it.as_millis()).ok());
        self.keeper.store(Change::Message(
            u64::from(message.0),
            NewMessage {
                account: account.map(|id| known.address(id)).unwrap_or_default(),
                direction: Direction::Out,
                remote: to.reveal().clone(),
                number: phone::number_of(to.reveal()),
                name: None,
                text: text.reveal().clone(),
                at: written.unwrap_or_else(|| Now::read().wall),
            },
        ));
    }

    /// An account is there: what was left to it goes on.
    fn hand_over(&self, known: &mut Known, account: AccountId, address: &str) {
        let is_its = |row: &MessageRow| row.account == address || row.account.is_empty();
        for (name, row) in known.left.extract_if(.., |(_, row)| is_its(row)) {
            let Ok(name) = u32::try_from(name) else { continue };
            (self.hand)(Command::Message {
                message: MessageId(name),
                account: Some(account),
                to: Redacted::new(row.remote),
                text: Redacted::new(row.text),
                written: u64::try_from(row.at).ok().map(Duration::from_millis),
            });
        }
    }

    /// Takes down by which kind of network accounts, and so their calls, go now.
    pub(crate) fn networks(&self, of: impl Fn(AccountId) -> Option<NetworkKind>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for (call, open) in &mut known.calls {
            let Some(word) = of(open.account).map(network) else { continue };
            if open.networks.last() == Some(&word) || open.networks.len() >= MOST_NETWORKS {
                continue;
            }
            open.networks.push(word);
            let networks = Some(open.networks.join(" "));
            self.facts(*call, CallFacts { networks, ..CallFacts::default() }, Now::read());
        }
    }

    /// Callers of that number do not ring from now on (true), or do again.
    pub(crate) fn block(&self, number: &str, on: bool) {
        self.keeper.store(Change::Block(Redacted::new(number.to_owned()), on, Now::read().wall));
    }

    /// A call is being recorded to `path`.
    pub(crate) fn recording(&self, call: CallId, path: &Path) {
        let recording = Some(path.to_string_lossy().into_owned());
        self.facts(call, CallFacts { recording, ..CallFacts::default() }, Now::read());
    }

    fn call(&self, known: &mut Known, view: &CallView, now: Now) {
        if !known.calls.contains_key(&view.call) {
            let remote = view.remote.reveal();
            self.keeper.store(Change::Begin(
                u64::from(view.call.0),
                NewCall {
                    account: known.address(view.account),
                    direction: if view.side == Side::In { Direction::In } else { Direction::Out },
                    remote: remote.clone(),
                    number: phone::number_of(remote),
                    name: view.name.as_ref().map(|name| name.reveal().clone()),
                    contact: None,
                    started: now.wall_of(view.started),
                },
            ));
            if let Some(heard) = &self.heard {
                self.recording(view.call, heard);
            }
        }
        let was = known.calls.get(&view.call).filter(|open| open.remote != view.remote);
        let remote = was.map(|_| Remote {
            number: Redacted::new(phone::number_of(view.remote.reveal())),
            uri: view.remote.clone(),
            contact: None,
        });
        self.facts(view.call, CallFacts { remote, ..facts(view, now) }, now);
        if view.state == CallState::Ended {
            known.calls.remove(&view.call);
        } else {
            let remote = view.remote.clone();
            let open = Open { account: view.account, remote, written: now.boot, networks: Vec::new() };
            let it = known.calls.entry(view.call).or_insert(open);
            it.written = now.boot;
            it.remote.clone_from(&view.remote);
        }
    }

    fn facts(&self, call: CallId, facts: CallFacts, now: Now) {
        self.keeper.store(Change::Note(u64::from(call.0), facts, now.wall));
    }
}

/// Both clocks at one moment.
#[derive(Clone, Copy)]
struct Now {
    boot: Instant,
    wall: Millis,
}

impl Now {
    fn read() -> Self {
        Self { boot: clock::now(), wall: clock::wall_millis() }
    }

    fn wall_of(self, at: Instant) -> Millis {
        self.wall - Millis::try_from(self.boot.since(at).as_millis()).unwrap_or(0)
    }
}

fn facts(view: &CallView, now: Now) -> CallFacts {
    let over = view.state == CallState::Ended;
    let identity = view.identity.as_ref();
    let passport = identity.and_then(|it| it.passport.as_ref()).filter(|it| **it != Passport::Asking);
    CallFacts {
        said_by: identity.map(|it| it.by.word().to_owned()),
        verified: identity.and_then(|it| it.verified),
        attest: passport.map(|it| it.word().to_owned()),
        signature: passport.map(ToString::to_string),
        name: view.name.as_ref().map(|name| name.reveal().clone()),
        answered: view.answered.map(|at| now.wall_of(at)),
        ended: over.then(|| view.ended.map_or(now.wall, |at| now.wall_of(at))),
        why: view.explanation.filter(|_| over).map(|why| format!("{why:?}")),
        status: view.status.filter(|_| over),
        reason: view.explanation.filter(|_| over).map(|why| why.to_string()),
        codec: view.codec.map(|codec| codec.name().to_owned()),
        path: view.path.map(|path| path.word().to_owned()),
        // Without media there is nothing to keep from anybody.
        encryption: view.codec.filter(|_| !over).map(|_| view.encrypted.word().to_owned()),
        missed: over.then(|| Missed(missed(view))),
        ..CallFacts::default()
    }
}

/// Whether the person is to hear of a call that they did not take.
fn missed(view: &CallView) -> bool {
    let taken = matches!(
        view.explanation,
        Some(
            Why::YouDeclined
                | Why::AnsweredElsewhere
                | Why::DeclinedElsewhere
                | Why::YouEnded
                | Why::YouBlocked
                | Why::YouRefuseAnonymous
        )
    );
    view.side == Side::In && view.answered.is_none() && !taken
}

/// The log's word for a kind of network.
const fn network(kind: NetworkKind) -> &'static str {
    match kind {
        NetworkKind::Wifi => "wifi",
        NetworkKind::Cellular => "cellular",
        NetworkKind::Ethernet => "ethernet",
        NetworkKind::Other => "other",
    }
}

/// How it was heard from beginning to end.
fn heard(timeline: &media::Timeline) -> CallFacts {
    let points = timeline.points();
    let (expected, gone) = points.iter().fold((0_u64, 0_u64), |(expected, gone), point| {
        (expected + u64::from(point.expected), gone + u64::from(point.lost) + u64::from(point.late))
    });
    let mos = points.iter().map(|point| point.mos).sum::<f32>() / points.len().max(1) as f32;
    CallFacts {
        mos: (!points.is_empty()).then_some(mos),
        loss: (expected > 0).then(|| (gone as f32 / expected as f32).min(1.0)),
        ..CallFacts::default()
    }
}

#[cfg(test)]
mod tests;
