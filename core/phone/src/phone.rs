//! The phone's door: news in, orders out. Dispatch only; commands are followed in `commands`, the agent's news heard in
//! `news`, and both act on calls and accounts, which know nothing of each other.

use std::collections::BTreeMap;
use std::fmt;

use base::{Instant, Redacted, Rng, Wake};
use sip::ua::{Agent, AgentConfig, RequestId};

use crate::call::Call;
use crate::desk::{Desk, Timer};
use crate::registration::Registration;
use crate::{AccountId, CallId, CallIds, Config, Event, Input, MessageId, NetworkNews, Outputs};

/// A whole phone without sockets, clock or sound.
pub struct Phone {
    pub(crate) config: Config,
    pub(crate) call_ids: CallIds,
    pub(crate) desk: Desk,
    pub(crate) accounts: BTreeMap<AccountId, Registration>,
    pub(crate) calls: BTreeMap<CallId, Call>,
    /// Text messages on their way.
    pub(crate) messages: BTreeMap<RequestId, MessageId>,
    pub(crate) do_not_disturb: bool,
    pub(crate) forward_to: Option<Redacted<String>>,
    pub(crate) online: bool,
    pub(crate) goodbye: Goodbye,
}

/// How far the phone is with leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goodbye {
    /// It is not.
    NotSaid,
    /// Calls end and accounts unregister.
    Saying,
    /// Told.
    Said,
}

impl Phone {
    /// A phone without accounts. `call_ids` is shared with whoever starts calls; everything random comes from `rng`.
    pub fn new(config: Config, call_ids: CallIds, mut rng: Rng) -> Self {
        // A call that replaces another lives beside it for a moment.
        let limits = AgentConfig { max_sessions: config.max_calls * 2, ..AgentConfig::default() };
        let agent = Agent::new(limits, rng.split());
        Self {
            config,
            call_ids,
            desk: Desk::new(agent, rng),
            accounts: BTreeMap::new(),
            calls: BTreeMap::new(),
            messages: BTreeMap::new(),
            do_not_disturb: false,
            forward_to: None,
            online: true,
            goodbye: Goodbye::NotSaid,
        }
    }

    /// Takes one piece of news. What is to be done about it is drained from the returned value, which borrows the phone:
    /// nothing else can be handled until it is dropped.
    pub fn handle(&mut self, input: Input<'_>, now: Instant) -> Outputs<'_> {
        self.desk.now = now;
        let Desk { agent, orders, .. } = &mut self.desk;
        match input {
            Input::Bytes { flow, from, bytes } => agent.received(flow, from, bytes, now, orders),
            Input::FlowUp { flow, transport, local, remote } => {
                agent.flow_up(flow, transport, local, remote, now, orders);
            }
            Input::FlowDown { flow } => agent.flow_down(flow, now, orders),
            Input::FlowFailed { transport, remote } => agent.flow_failed(transport, remote, now, orders),
            Input::Resolved { query, answer } => agent.resolved(query, answer, now, orders),
            Input::Network(news) => self.network(&news),
            Input::Media { media, news } => {
                if let Some(call) = self.calls.values_mut().find(|call| call.owns(media)) {
                    call.media(media, news, &mut self.desk);
                }
            }
            Input::Command(command) => self.command(command),
            Input::Due => self.due(),
        }
        while let Some(news) = self.desk.agent.poll_news() {
            self.hear(news);
        }
        self.sweep();
        self.desk.flush();
        Outputs(&mut self.desk.queue)
    }

    /// When the phone wants to hear [`Input::Due`] if nothing happens, and why.
    pub fn next_wake(&self) -> Option<Wake> {
        let own = self.desk.timers.next().map(|(at, timer)| Wake { at, why: timer.why() });
        Wake::earlier(own, self.desk.agent.next_wake())
    }

    /// Whether nothing of any call, message or request is kept any more, in any machine; registrations may stand. A phone
    /// that never gets there leaks.
    pub fn is_quiet(&self) -> bool {
        self.calls.is_empty() && self.messages.is_empty() && self.desk.agent.is_quiet()
    }

    fn due(&mut self) {
        let Self { desk, accounts, calls, .. } = self;
        // After a sleep everything is overdue at once, and being reachable goes first.
        while let Some(timer) = desk.timers.pop_due(desk.now) {
            match timer {
                Timer::Register(id) => with(accounts, id, |account| account.due(desk)),
                Timer::Ping(id) => with(accounts, id, |account| account.ping(desk)),
                Timer::Unanswered(id) => with(calls, id, |call| call.unanswered(desk)),
                Timer::Stop => stopped(&mut self.goodbye, desk),
            }
        }
        desk.agent.due(desk.now, &mut desk.orders);
    }

    fn network(&mut self, news: &NetworkNews) {
        self.online = matches!(news, NetworkNews::Up { .. });
        for account in self.accounts.values_mut() {
            match news {
                NetworkNews::Up { .. } => account.network_up(&mut self.desk),
                NetworkNews::Down => account.network_down(&mut self.desk),
            }
        }
    }

    /// Forgets what is over, and says goodbye when nothing is left.
    fn sweep(&mut self) {
        let Self { desk, accounts, calls, .. } = self;
        calls.retain(|_, call| !call.is_over());
        accounts.retain(|_, account| !account.forget(desk));
        let quiet = calls.is_empty() && accounts.values().all(Registration::is_off) && desk.agent.is_idle();
        if self.goodbye == Goodbye::Saying && quiet {
            stopped(&mut self.goodbye, desk);
        }
    }
}

/// Only counts: what is inside is personal.
impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (accounts, calls) = (self.accounts.len(), self.calls.len());
        f.debug_struct("Phone").field("accounts", &accounts).field("calls", &calls).finish_non_exhaustive()
    }
}

fn with<K: Ord, V>(those: &mut BTreeMap<K, V>, id: K, act: impl FnOnce(&mut V)) {
    if let Some(it) = those.get_mut(&id) {
        act(it);
    }
}

fn stopped(goodbye: &mut Goodbye, desk: &mut Desk) {
    *goodbye = Goodbye::Said;
    desk.timers.cancel(&Timer::Stop);
    desk.event(Event::Stopped);
}
