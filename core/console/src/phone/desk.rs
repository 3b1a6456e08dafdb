//! Between whoever asks and the phone: carries requests over, and keeps the newest view of everything.

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use base::{Fingerprint, NetworkId, Redacted};
use offhook_io::store::About;
use offhook_io::{Event, Handle, RecordOptions};
use phone::{AccountId, CallId, CallState, CallView, Command, MessageId, Network, NetworkNews, Server, With};

use super::line::{Call, Line, Registration};
use super::request::{Asked, Request, Wish};
use super::roster::Roster;
use crate::accounts::keep_pin;
use crate::diagnose::Router;
use crate::failure::Failure;
use crate::history::History;

/// How long hanging up and unregistering may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// Calls that `history` shows.
const HISTORY: usize = 50;

/// What comes in: from the phone, the person, and the system.
#[derive(Debug)]
pub(crate) enum News {
    /// The phone tells something.
    Event(Event),
    /// A line on stdin.
    Typed(String),
    /// Stdin is at its end.
    InputEnded,
    /// What was found out about the router, or why nothing was.
    Diagnosed(Result<Box<Router>, String>),
    /// What is left on an account, and what came of what its provider was to do.
    #[cfg(feature = "rest")]
    Money(AccountId, Box<super::money::Money>),
    /// What went wrong beside the phone, for one account or all of it, as a sentence.
    Trouble(Option<AccountId>, String),
    /// A key on the terminal, or its size changed.
    Terminal(crossterm::event::Event),
    /// SIGINT or SIGTERM.
    Signal,
}

/// A running phone and what is known of it.
pub(crate) struct Desk {
    handle: Arc<Handle>,
    inbox: Receiver<News>,
    news: Sender<News>,
    /// Whom to ask about the router, and from which address.
    pub(crate) diagnostics: (Option<Server>, Option<IpAddr>),
    diagnosing: bool,
    /// The accounts' providers.
    #[cfg(feature = "rest")]
    pub(crate) purses: BTreeMap<AccountId, super::purse::Open>,
    /// Who asks for accounts' relays.
    #[cfg(feature = "rest")]
    pub(crate) relays: Vec<offhook_io::KeptRelays>,
    /// The call log, if one is kept.
    pub(crate) log: Option<PathBuf>,
    pub(crate) roster: Roster,
    pub(crate) calls: BTreeMap<u32, CallView>,
    pub(crate) quality: BTreeMap<u32, media::Stats>,
    /// By which way each call's media goes, and why.
    ways: BTreeMap<u32, String>,
    messages: u32,
    /// The certificates that were asked about, each account's last, the newest last.
    shown: Vec<(AccountId, Fingerprint)>,
    stopped: bool,
}

impl Desk {
    /// Takes over a phone that was started, and will run these accounts. The sender is for further sources of news.
    ///
    /// # Errors
    /// No signal handlers, or no thread: the system is out of something.
    pub(crate) fn new(handle: Arc<Handle>, roster: Roster) -> Result<(Self, Sender<News>), Failure> {
        let (news, inbox) = mpsc::channel();
        let signalled = news.clone();
        watch_signals(move || signalled.send(News::Signal).is_ok())?;
        let told = news.clone();
        pull_events(&handle, move |event| told.send(News::Event(event)).is_ok())?;
        let desk = Self {
            handle,
            inbox,
            news: news.clone(),
            diagnostics: (None, None),
            diagnosing: false,
            #[cfg(feature = "rest")]
            purses: BTreeMap::new(),
            #[cfg(feature = "rest")]
            relays: Vec::new(),
            log: None,
            roster,
            calls: BTreeMap::new(),
            quality: BTreeMap::new(),
            ways: BTreeMap::new(),
            messages: 0,
            shown: Vec::new(),
            stopped: false,
        };
        Ok((desk, news))
    }

    /// The next piece of news, already noted; `None` when nothing came for so long.
    pub(crate) fn next(&mut self, patience: Option<Duration>) -> Option<News> {
        let news = match patience {
            Some(patience) => match self.inbox.recv_timeout(patience) {
                Ok(news) => news,
                Err(RecvTimeoutError::Timeout) => return None,
                Err(RecvTimeoutError::Disconnected) => News::Event(STOPPED),
            },
            None => self.inbox.recv().unwrap_or(News::Event(STOPPED)),
        };
        match &news {
            News::Event(event) => self.note(event),
            News::Diagnosed(_) => self.diagnosing = false,
            _ => {}
        }
        Some(news)
    }

    fn note(&mut self, event: &Event) {
        use phone::Event::{
            Account, Call, Certificate, Dtmf, DtmfLost, EncryptionLost, Gateway, Learnt, Message,
            MessageSent, MessageWaits, Presence, PresenceRefused, Quality, Refused, Silence, Stopped,
            Timeline, Trusted, Voicemail, Way,
        };
        let Event::Phone(event) = event else { return };
        match event {
            Account(view) => self.roster.note(view),
            Call(view) if view.state == CallState::Ended => {
                #[cfg(feature = "rest")]
                if view.answered.is_some()
                    && let Some(purse) = self.purses.get(&view.account)
                {
                    purse.occasion(offhook_io::balance::Occasion::CallEnded);
                }
                self.calls.remove(&view.call.0);
                self.quality.remove(&view.call.0);
                self.ways.remove(&view.call.0);
            }
            Call(view) => {
                #[cfg(feature = "rest")]
                if let Some(purse) = self.purses.get(&view.account)
                    && view.side == phone::Side::Out
                    && !self.calls.contains_key(&view.call.0)
                {
                    purse.dialled(phone::number_of(view.remote.reveal()));
                }
                self.calls.insert(view.call.0, view.clone());
            }
            Quality { call, stats } if self.calls.contains_key(&call.0) => {
                self.quality.insert(call.0, *stats);
            }
            Way { call, report } if self.calls.contains_key(&call.0) => {
                self.ways.insert(call.0, report.to_string());
            }
            Certificate { account, certificate, .. } => {
                self.shown.retain(|(of, _)| of != account);
                self.shown.push((*account, certificate.fingerprint));
            }
            Trusted { account, fingerprint } => self.keep_pin(*account, *fingerprint),
            Stopped => self.stopped = true,
            Quality { .. }
            | Message { .. }
            | MessageSent { .. }
            | MessageWaits { .. }
            | Dtmf { .. }
            | DtmfLost { .. }
            | EncryptionLost { .. }
            | Timeline { .. }
            | Way { .. }
            | Silence { .. }
            | Learnt(_)
            | Gateway(_)
            | Voicemail { .. }
            | Presence { .. }
            | PresenceRefused { .. }
            | Refused { .. } => {}
        }
    }

    /// A stored account keeps what the person has trusted.
    fn keep_pin(&self, account: AccountId, pin: Fingerprint) {
        let Some(key) = self.roster.member(account).and_then(|member| member.stored) else { return };
        let kept = self.handle.on_store(About::Rest, move |store| keep_pin(store, key, pin));
        let why = match kept {
            Ok(true) => return,
            Ok(false) => "the certificate is not kept: the account is there no more".to_owned(),
            Err(error) => format!("the certificate is not kept: {error}"),
        };
        // It is read by whoever called for this.
        let _ = self.news.send(News::Trouble(Some(account), why));
    }

    /// The call that is meant when none is named: one that waits for an answer, else the one that is up, else the
    /// newest.
    pub(crate) fn current(&self) -> Option<u32> {
        let first = |wanted: fn(&CallView) -> bool| self.calls.values().find(|call| wanted(call));
        first(|call| call.side == phone::Side::In && call.state == CallState::Ringing)
            .or_else(|| first(|call| matches!(call.state, CallState::Active | CallState::RemoteHeld)))
            .or_else(|| self.calls.values().next_back())
            .map(|call| call.call.0)
    }

    /// What is asked for, and of which account where one is named. The error is a sentence.
    pub(crate) fn meant(&self, asked: Asked) -> Result<(Request, Option<AccountId>), String> {
        let account = asked.account.map(|which| self.roster.find(&which)).transpose()?;
        Ok((asked.request, account))
    }

    /// All that is known.
    pub(crate) fn status(&self) -> Line {
        Line::Status {
            accounts: self.roster.views().map(|view| Registration::of(view, &self.roster)).collect(),
            calls: self
                .calls
                .values()
                .map(|call| Call::with_way(call, &self.roster, self.ways.get(&call.call.0).cloned()))
                .collect(),
        }
    }

    /// Hands a request to the phone, for that account or, where none is named, the one that calls go by. What becomes of it
    /// comes as events. `Provider`, `TopUp`, `Diagnose`, `History`, `Status` and `Quit` are the caller's.
    pub(crate) fn perform(&mut self, request: Request, account: Option<AccountId>) {
        let by = account.or(self.roster.by());
        let command = match request {
            Request::Call { to } => {
                self.handle.call(by, to);
                return;
            }
            Request::Use => return by.into_iter().for_each(|by| self.roster.go_by(by)),
            Request::Answer { call } => Command::Answer(CallId(call)),
            Request::Reject { call, status } => Command::Reject(CallId(call), status),
            Request::HangUp { call } => Command::HangUp(CallId(call)),
            Request::Hold { call } => Command::Hold(CallId(call)),
            Request::Resume { call } => Command::Resume(CallId(call)),
            Request::Mute { call, on } => Command::Mute(CallId(call), on),
            Request::Progress { call } => Command::Progress(CallId(call)),
            Request::Refresh { call, update } => Command::Refresh {
                call: CallId(call),
                with: if update { With::Update } else { With::Reinvite },
            },
            Request::PressOn { call } => Command::PressOn(CallId(call)),
            Request::Dtmf { call, digits } => {
                Command::Dtmf { call: CallId(call), digits: Redacted::new(digits) }
            }
            Request::Transfer { call, to } => Command::Transfer { call: CallId(call), to: Redacted::new(to) },
            Request::TransferTo { call, other } => {
                Command::TransferTo { call: CallId(call), other: CallId(other) }
            }
            Request::Swap => Command::Swap,
            Request::Merge { calls } => {
                let Some((first, others)) = calls.split_first() else {
                    return self.handle.command(Command::Merge);
                };
                for other in others {
                    self.handle.command(Command::MergeWith { call: CallId(*first), other: CallId(*other) });
                }
                return;
            }
            Request::Record { call, path, beep } => {
                return self.handle.record(CallId(call), path, RecordOptions { beep });
            }
            Request::Block { number, on } => return self.handle.block(&number, on),
            Request::StopRecording { call } => return self.handle.stop_recording(CallId(call)),
            Request::Split { call } => Command::Split(CallId(call)),
            Request::Message { to, text } => {
                self.messages += 1;
                Command::Message {
                    message: MessageId(self.messages),
                    account: by,
                    to: Redacted::new(to),
                    text: Redacted::new(text),
                    written: None,
                }
            }
            Request::TakeBack { message } => Command::TakeBack(MessageId(message)),
            Request::DoNotDisturb { on } => Command::DoNotDisturb(on),
            Request::Watch { who, on, lamp } => super::presence::watch(by, who, on, lamp),
            Request::Presence { own, note } => Command::SetPresence { own, note: note.map(Redacted::new) },
            Request::Forward { to } => Command::ForwardTo(to.map(Redacted::new)),
            Request::Trust { fingerprint } => return self.trust(account, fingerprint),
            Request::Register => return self.each(account, Command::Register),
            Request::Unregister => return self.each(account, Command::Unregister),
            Request::NetworkUp(address) => {
                self.handle.network(NetworkNews::Up { addrs: vec![address] });
                return;
            }
            Request::NetworkDown => {
                self.handle.network(NetworkNews::Down);
                return;
            }
            Request::NetworkAppeared { id, kind, address, metered } => {
                let network = Network::new(NetworkId::new(id), kind, vec![address]);
                self.handle.network(NetworkNews::Appeared(Network { metered, ..network }));
                return;
            }
            Request::NetworkVanished(id) => {
                self.handle.network(NetworkNews::Vanished(NetworkId::new(id)));
                return;
            }
            Request::NetworkSuspect(id) => {
                self.handle.network(NetworkNews::Suspect(NetworkId::new(id)));
                return;
            }
            Request::Provider(_)
            | Request::TopUp
            | Request::Diagnose
            | Request::History
            | Request::Status
            | Request::Quit => {
                return;
            }
        };
        self.handle.command(command);
    }

    /// That account, or all of them.
    fn each(&self, account: Option<AccountId>, command: fn(AccountId) -> Command) {
        let meant = self.roster.members().iter().map(|member| member.id);
        for id in meant.filter(|id| account.is_none_or(|account| account == *id)) {
            self.handle.command(command(id));
        }
    }

    /// The accounts that were asked about this certificate, or the one that was asked last, take it.
    fn trust(&self, account: Option<AccountId>, fingerprint: Option<Fingerprint>) {
        let of_account = |(of, _): &&(AccountId, Fingerprint)| account.is_none_or(|account| account == *of);
        let newest = self.shown.iter().rev().find(of_account).map(|(_, shown)| *shown);
        // One that was never shown is refused by the phone.
        let taken = fingerprint.or(newest).unwrap_or(Fingerprint([0; 32]));
        let mut meant: Vec<AccountId> =
            self.shown.iter().filter(of_account).filter(|(_, it)| *it == taken).map(|(of, _)| *of).collect();
        if meant.is_empty() {
            meant.extend(account.or(self.roster.by()));
        }
        for id in meant {
            self.handle.command(Command::Trust(id, taken));
        }
    }

    /// The provider of that account, or of the one that calls go by.
    #[cfg(feature = "rest")]
    pub(crate) fn purse(&self, account: Option<AccountId>) -> Option<&super::purse::Open> {
        self.purses.get(&account.or(self.roster.by())?)
    }

    /// What the person wants of a provider. What comes of it is news. The error is a sentence.
    #[cfg_attr(
        not(feature = "rest"),
        expect(clippy::unused_self, unused_variables, reason = "nobody is asked")
    )]
    pub(crate) fn provider(&self, wish: Wish, account: Option<AccountId>) -> Result<(), String> {
        #[cfg(feature = "rest")]
        if let Some(purse) = self.purse(account) {
            match wish {
                Wish::Balance => purse.occasion(offhook_io::balance::Occasion::Asked),
                Wish::Minutes { to } => purse.minutes(&to)?,
                Wish::TopUp { number, pin } => purse.top_up(offhook_io::balance::Card { number, pin }),
                Wish::CallBack { to, from } => purse.call_back(&to, from)?,
            }
            return Ok(());
        }
        drop(wish);
        Err("whom to ask? no provider is named: `url` or `vos` under [balance]".to_owned())
    }

    /// The newest calls of the log. The error is a sentence.
    pub(crate) fn history(&self) -> Result<History, String> {
        match &self.log {
            Some(log) if !self.handle.history_settled() => {
                Err(format!("{}: the disk is too slow", log.display()))
            }
            Some(log) => History::newest(log, HISTORY),
            None => Err("no log of calls is kept: `data` names no folder for it".to_owned()),
        }
    }

    /// Begins to ask about the router; what comes of it is news. The error is a sentence.
    pub(crate) fn diagnose(&mut self) -> Result<(), String> {
        if self.diagnosing {
            return Err("the router is being asked about already".to_owned());
        }
        let (Some(server), from) = self.diagnostics.clone() else {
            return Err("which STUN server? none is named: `stun` under [nat]".to_owned());
        };
        let news = self.news.clone();
        start("diagnosis", move || {
            // Whoever asked may have left meanwhile.
            let _ = news.send(News::Diagnosed(Router::ask(&server, from).map(Box::new)));
        })
        .map_err(|failure| failure.to_string())?;
        self.diagnosing = true;
        Ok(())
    }

    /// Hangs up and unregisters, for two seconds at most; each event on the way is shown.
    pub(crate) fn stop(&mut self, mut show: impl FnMut(&Event, &Roster)) {
        self.handle.command(Command::Shutdown);
        let end = Instant::now() + GOODBYE;
        while !self.stopped {
            match self.next(Some(end.saturating_duration_since(Instant::now()))) {
                Some(News::Event(event)) => show(&event, &self.roster),
                Some(_) => {}
                None => break,
            }
        }
        // It is over or out of time: what is left is to close the files.
        self.handle.shutdown();
    }
}

/// What is told when nothing more can come.
const STOPPED: Event = Event::Phone(phone::Event::Stopped);
/// How long one wait for an event is. Nothing happens when it ends.
const LONG: Duration = Duration::from_secs(3600);

/// Calls `told` for each event until the phone has stopped, or it says that nobody listens any more.
pub(crate) fn pull_events(
    handle: &Arc<Handle>,
    mut told: impl FnMut(Event) -> bool + Send + 'static,
) -> Result<(), Failure> {
    let handle = Arc::clone(handle);
    start("events", move || {
        loop {
            let Some(event) = handle.wait_event(LONG) else { continue };
            let last = matches!(event, Event::Phone(phone::Event::Stopped));
            if !told(event) || last {
                return;
            }
        }
    })
}

/// Calls `told` for each SIGINT and SIGTERM until it says that nobody listens any more.
pub(crate) fn watch_signals(told: impl Fn() -> bool + Send + 'static) -> Result<(), Failure> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])
        .map_err(|error| Failure::Failed(format!("no signal handler: {error}")))?;
    start("signals", move || {
        for _ in signals.forever() {
            if !told() {
                return;
            }
        }
    })
}

/// Lines of stdin, as news.
pub(crate) fn read_lines(news: Sender<News>) -> Result<(), Failure> {
    start("stdin", move || {
        // By bytes: `lines` would end at the first that is not UTF-8, and the phone with it.
        for line in std::io::stdin().lock().split(b'\n') {
            let Ok(line) = line else { break };
            let line = String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned();
            if news.send(News::Typed(line)).is_err() {
                return;
            }
        }
        let _ = news.send(News::InputEnded);
    })
}

/// A thread with a small stack: none of ours goes deep.
pub(crate) fn start(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    thread::Builder::new()
        .name(name.into())
        .stack_size(256 * 1024)
        .spawn(work)
        .map(drop)
        .map_err(|error| Failure::Failed(format!("no thread for {name}: {error}")))
}
