//! The queue that the app pulls from.
//!
//! *State* events (an account, a call, how it sounds) may be coalesced: when the app is slow, a newer one takes the place
//! of the older of the same thing. *Moments* are never dropped. Knows nothing of what either means.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base::Wake;
use phone::{AccountId, AccountView, CallId, CallState, CallView, Subject};

/// Events that may wait before state is coalesced: a person's terminal sees each step, a frozen app the last.
const BEHIND: usize = 64;
/// Events that may wait at all. Only a stranger's text messages and digits come that often, and only they are then dropped.
const FULL: usize = 10_000;

/// What the app is told.
#[derive(Debug)]
pub enum Event {
    /// By the phone.
    Phone(phone::Event),
    /// *State*: when the phone must be awake next, if nothing happens, and why. The machine's own alarm is set already; a
    /// platform that suspends its processor sets its alarm too.
    Wake {
        /// None: not at all.
        at: Option<base::Instant>,
        /// Shown in diagnostics.
        why: &'static str,
    },
    /// *Moment*: a recording ended before its call did (a full disk, a path that cannot be written). The call goes on.
    RecordingEnded {
        /// The file; what was written before can be played.
        path: PathBuf,
        /// A sentence for a person.
        reason: String,
    },
    /// *Moment*: a recording is whole, but its disk was too slow: some of it is silence where there were voices.
    RecordingGaps {
        /// The file.
        path: PathBuf,
        /// How much.
        silent: Duration,
    },
    /// *Moment*: the file being played could not be read on; silence is sent instead. The call goes on.
    PlayingEnded {
        /// The file.
        path: PathBuf,
        /// A sentence for a person.
        reason: String,
    },
    /// *Moment*: a sound device cannot be had; silence is sent, or nothing heard. The call goes on. It is tried again for
    /// some seconds, and whenever the app says so: [`crate::Handle::audio_restart`].
    AudioFailed {
        /// A sentence or two for a person.
        reason: String,
    },
    /// *Moment*: the capture ended. Calls go on.
    CaptureEnded {
        /// A sentence for a person.
        reason: String,
    },
    /// *State*: the call log is another than before.
    History {
        /// Missed calls that the person has not seen.
        unseen: usize,
    },
    /// *State*: text messages are others than before.
    Messages {
        /// Those that the person has not seen.
        unseen: usize,
    },
    /// *State*: the phone book is another than before, or is in memory now.
    Contacts,
    /// *Moment*: something of the phone's memory is lost, or was not stored. Calls go on.
    Memory {
        /// A sentence for a person.
        reason: String,
    },
    /// *Moment*: a bug. Calls were lost; accounts are registered again by themselves. Worth a report to the makers.
    Restarted {
        /// `signalling` or `media`.
        thread: &'static str,
        /// Where in the source; nothing personal.
        story: String,
    },
}

#[derive(Debug, Default)]
pub(crate) struct Events {
    queue: Mutex<Queue>,
    came: Condvar,
    #[cfg(feature = "store")]
    journal: Mutex<Option<crate::journal::Journal>>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Event>,
    dropped: u64,
    /// The newest pictures, whether they were pulled or not.
    calls: BTreeMap<CallId, CallView>,
    accounts: BTreeMap<AccountId, AccountView>,
    /// Calls that were begun and not shown yet.
    begun: BTreeSet<CallId>,
    wake: Option<Wake>,
    /// Whoever waits is to look elsewhere.
    nudged: bool,
    ended: bool,
}

/// What a state event is about.
#[derive(PartialEq, Eq)]
enum About {
    Account(AccountId),
    Call(CallId),
    Quality(CallId),
    Way(CallId),
    Gateway,
    Voicemail(AccountId),
    Presence(AccountId, base::Redacted<String>),
    History,
    Messages,
    Contacts,
    Wake,
}

impl Events {
    pub(crate) fn push(&self, event: Event) {
        #[cfg(feature = "store")]
        self.with_journal(|journal| journal.note(&event));
        let mut queue = self.lock();
        queue.note(&event);
        if queue.waiting.len() >= BEHIND
            && let Some(about) = about(&event)
        {
            let older = queue.waiting.iter().position(|e| self::about(e).as_ref() == Some(&about));
            older.map(|at| queue.waiting.remove(at));
        }
        let by_stranger =
            matches!(event, Event::Phone(phone::Event::Message { .. } | phone::Event::Dtmf { .. }));
        if queue.waiting.len() >= FULL && by_stranger {
            queue.dropped += 1;
            return;
        }
        queue.waiting.push_back(event);
        drop(queue);
        self.came.notify_one();
    }

    /// Notes in this log from now on, or in none: then what was noted is stored when this returns.
    #[cfg(feature = "store")]
    pub(crate) fn set_journal(&self, journal: Option<crate::journal::Journal>) {
        // Not dropped under the lock: its thread tells of what it stores as long as it lives.
        let former = {
            let mut place = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *place, journal)
        };
        drop(former);
    }

    #[cfg(feature = "store")]
    pub(crate) fn with_journal(&self, work: impl FnOnce(&crate::journal::Journal)) {
        if let Some(journal) = &*self.journal.lock().unwrap_or_else(PoisonError::into_inner) {
            work(journal);
        }
    }

    /// Does `work` on the thread that stores, and waits for what comes of it.
    #[cfg(feature = "store")]
    pub(crate) fn on_store<T: Send + 'static>(
        &self,
        about: offhook_store::About,
        work: impl FnMut(&offhook_store::Store) -> Result<T, offhook_store::StoreError> + Send + 'static,
    ) -> Result<T, offhook_store::StoreError> {
        use offhook_store::StoreError;
        let mut outcome = None;
        self.with_journal(|journal| outcome = Some(journal.work(about, work)));
        // Not under the lock: that thread tells of what it stores by it.
        let outcome = outcome.ok_or_else(|| StoreError::Unusable("it is not open".into()))?;
        outcome.recv().unwrap_or_else(|_| Err(StoreError::Damaged("it could not be mended".into())))
    }

    /// The phone wants to be woken then.
    pub(crate) fn wake(&self, wake: Option<Wake>) {
        let mut queue = self.lock();
        if queue.wake == wake {
            return;
        }
        queue.wake = wake;
        // Only the newest matters, and it changes with every message: one waits at most.
        if let Some(waiting) = queue.waiting.iter().position(|e| matches!(e, Event::Wake { .. })) {
            queue.waiting.remove(waiting);
        }
        let (at, why) = wake.map_or((None, ""), |wake| (Some(wake.at), wake.why));
        queue.waiting.push_back(Event::Wake { at, why });
        drop(queue);
        self.came.notify_one();
    }

    /// A call is about to be begun.
    pub(crate) fn begun(&self, call: CallId) {
        self.lock().begun.insert(call);
    }

    pub(crate) fn is_call(&self, call: CallId) -> bool {
        let queue = self.lock();
        queue.calls.contains_key(&call) || queue.begun.contains(&call)
    }

    pub(crate) fn calls(&self) -> Vec<CallView> {
        self.lock().calls.values().cloned().collect()
    }

    pub(crate) fn accounts(&self) -> Vec<AccountView> {
        self.lock().accounts.values().cloned().collect()
    }

    /// Nothing more will come.
    pub(crate) fn end(&self) {
        self.lock().ended = true;
        self.came.notify_all();
    }

    /// Nothing more will come, and nothing waits.
    pub(crate) fn is_over(&self) -> bool {
        let queue = self.lock();
        queue.ended && queue.waiting.is_empty()
    }

    /// Lets whoever waits go, now or the next time that nothing is there.
    pub(crate) fn nudge(&self) {
        self.lock().nudged = true;
        self.came.notify_one();
    }

    /// The next event; `None` when none came in time, or none will.
    pub(crate) fn wait(&self, timeout: Duration) -> Option<Event> {
        let until = Instant::now() + timeout;
        let mut queue = self.lock();
        loop {
            if let Some(event) = queue.waiting.pop_front() {
                return Some(event);
            }
            if queue.ended || std::mem::take(&mut queue.nudged) {
                return None;
            }
            let left = until.checked_duration_since(Instant::now()).filter(|d| !d.is_zero())?;
            queue = self.came.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Text messages and digits dropped because nobody pulled.
    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// Keeps the picture of what is.
    fn note(&mut self, event: &Event) {
        match event {
            Event::Phone(phone::Event::Call(view)) => {
                self.begun.remove(&view.call);
                if view.state == CallState::Ended {
                    self.calls.remove(&view.call);
                } else {
                    self.calls.insert(view.call, view.clone());
                }
            }
            Event::Phone(phone::Event::Account(view)) => {
                self.accounts.insert(view.account, view.clone());
            }
            Event::Phone(phone::Event::Refused { subject: Subject::Call(call), .. }) => {
                self.begun.remove(call);
            }
            // What the phone was asked for before it fell is lost with it.
            Event::Restarted { thread: "signalling", .. } => self.begun.clear(),
            _ => {}
        }
    }
}

fn about(event: &Event) -> Option<About> {
    match event {
        Event::Phone(phone::Event::Account(view)) => Some(About::Account(view.account)),
        Event::Phone(phone::Event::Call(view)) => Some(About::Call(view.call)),
        Event::Phone(phone::Event::Quality { call, .. }) => Some(About::Quality(*call)),
        Event::Phone(phone::Event::Way { call, .. }) => Some(About::Way(*call)),
        Event::Wake { .. } => Some(About::Wake),
        Event::History { .. } => Some(About::History),
        Event::Messages { .. } => Some(About::Messages),
        Event::Contacts => Some(About::Contacts),
        Event::Phone(phone::Event::Gateway(_)) => Some(About::Gateway),
        Event::Phone(phone::Event::Voicemail { account, .. }) => Some(About::Voicemail(*account)),
        Event::Phone(phone::Event::Presence { account, who, .. }) => {
            Some(About::Presence(*account, who.clone()))
        }
        Event::Phone(
            phone::Event::Message { .. }
            | phone::Event::MessageSent { .. }
            | phone::Event::MessageWaits { .. }
            | phone::Event::Dtmf { .. }
            | phone::Event::DtmfLost { .. }
            | phone::Event::EncryptionLost { .. }
            | phone::Event::Timeline { .. }
            | phone::Event::Silence { .. }
            | phone::Event::Learnt(_)
            | phone::Event::Certificate { .. }
            | phone::Event::Trusted { .. }
            | phone::Event::PresenceRefused { .. }
            | phone::Event::Refused { .. }
            | phone::Event::Stopped,
        )
        | Event::RecordingEnded { .. }
        | Event::RecordingGaps { .. }
        | Event::PlayingEnded { .. }
        | Event::AudioFailed { .. }
        | Event::CaptureEnded { .. }
        | Event::Memory { .. }
        | Event::Restarted { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use base::Redacted;
    use phone::{AccountState, AccountView, Step};

    use super::*;

    fn account(account: u32, revision: u32) -> Event {
        Event::Phone(phone::Event::Account(AccountView {
            account: AccountId(account),
            revision,
            uri: Redacted::new(String::new()),
            state: AccountState::Registering,
            expires: None,
            status: None,
            step: Step::Find,
            reason: None,
            as_of: base::Instant::ZERO,
            retry_in: None,
            dropped: phone::Dropped::default(),
        }))
    }

    fn moment(n: usize) -> Event {
        Event::CaptureEnded { reason: n.to_string() }
    }

    fn text() -> Event {
        Event::Phone(phone::Event::Message {
            account: AccountId(1),
            from: Redacted::new(String::new()),
            name: None,
            text: Redacted::new(String::new()),
        })
    }

    fn drain(events: &Events) -> Vec<Event> {
        std::iter::from_fn(|| events.wait(Duration::ZERO)).collect()
    }

    #[test]
    fn an_app_that_keeps_up_sees_every_step() {
        let events = Events::default();
        (0..5).for_each(|revision| events.push(account(1, revision)));
        assert_eq!(drain(&events).len(), 5);
        assert!(events.wait(Duration::from_millis(1)).is_none());
    }

    #[test]
    fn a_slow_app_sees_the_newest_state_of_each_thing_and_every_moment() {
        let events = Events::default();
        (0..500).for_each(|n| events.push(moment(n)));
        for revision in 0..100 {
            events.push(account(1, revision));
            events.push(account(2, revision));
        }
        let got = drain(&events);
        let moments = got.iter().filter(|e| matches!(e, Event::CaptureEnded { .. })).count();
        let revisions: Vec<_> = got
            .iter()
            .filter_map(|e| match e {
                Event::Phone(phone::Event::Account(view)) => Some((view.account.0, view.revision)),
                _ => None,
            })
            .collect();
        assert_eq!((moments, revisions), (500, vec![(1, 99), (2, 99)]));
    }

    #[test]
    fn a_flood_of_texts_that_nobody_pulls_is_bounded_and_counted() {
        let events = Events::default();
        (0..FULL + 7).for_each(|_| events.push(text()));
        events.push(moment(0));
        assert_eq!((events.dropped(), drain(&events).len()), (7, FULL + 1));
    }

    #[test]
    fn one_who_waits_is_let_go_by_a_nudge_once() {
        let events = Events::default();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| events.wait(Duration::from_secs(3600)));
            events.nudge();
            assert!(waiter.join().unwrap().is_none());
        });
        let begun = Instant::now();
        assert!(events.wait(Duration::from_millis(5)).is_none() && begun.elapsed().as_millis() >= 5);
    }

    #[test]
    fn one_who_waits_is_woken_by_what_comes() {
        let events = Events::default();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| events.wait(Duration::from_secs(5)));
            events.push(moment(1));
            assert!(waiter.join().unwrap().is_some());
        });
    }
}
