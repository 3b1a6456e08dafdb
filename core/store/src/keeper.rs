//! A thread that writes, so that nobody waits for a disk.
//!
//! Changes are carried out in the order in which they are told. What could not be stored is told as a notice and not tried
//! again, but for a damaged file, which is mended and the change repeated. Whoever shows the log reads it anew when a
//! notice says that it changed. Who wants to know what came of it gives work of their own ([`Keeper::work`]) and waits.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

use base::{Redacted, Secret};

use crate::{
    AccountChange, AccountKey, BackupError, CallFacts, CallKey, Delivery, Draft, Forget, MessageKey,
    MessageRow, Millis, NewAccount, NewCall, NewMessage, Opened, Remote, Restored, Salvaged, Store,
    StoreError,
};

/// Jobs that may wait before messages that come are no longer kept: strangers write them, and each costs a disk's time.
const FULL: usize = 1024;
/// Calls, and messages, whose rows are known by name.
const MOST: usize = 256;
const MOST_MESSAGES: usize = 1024;
/// Messages that an earlier phone has left are named from here on downwards; who sends others counts up from 1.
const LEFT: u64 = u32::MAX as u64;

/// What is to be stored.
#[derive(Clone, Debug)]
pub enum Change {
    /// A call begins; it is named so by later changes. Where it has no contact, the phone book is asked for one.
    Begin(u64, NewCall),
    /// This has come to be known of a call, at that time. One that never began, or was forgotten, is passed over.
    Note(u64, CallFacts, Millis),
    /// A message came, or is sent; one that is sent is named so by later changes.
    Message(u64, NewMessage),
    /// That has become of a message of ours, by that status, and why; one that is still queued may be changed again.
    Delivered(u64, Delivery, Option<u16>, Option<String>),
    /// Callers of that number do not ring from now on (true), or do again.
    Block(Redacted<String>, bool, Millis),
    /// The person has seen the missed calls.
    Seen,
    /// The person wants these forgotten.
    Forget(Forget),
    /// An account is added, which is named so in the notice that tells its key.
    AddAccount(u64, NewAccount),
    /// An account is another. One that is gone is passed over, here and below.
    ChangeAccount(AccountKey, AccountChange),
    /// An account goes, and its drafts.
    RemoveAccount(AccountKey),
    /// An account stands at that place, the first being 0.
    MoveAccount(AccountKey, usize),
    /// An account is the default.
    DefaultAccount(AccountKey),
    /// JSON that is kept under a name, or nothing any more.
    Setting(String, Option<Redacted<String>>),
    /// The person has begun to write; an empty text: or no longer.
    Draft(Draft),
    /// A backup is added to what is here: by this thread, for another one that writes so long makes it miss what it is told.
    Restore {
        /// The document.
        backup: Redacted<Vec<u8>>,
        /// What opens its passwords.
        passphrase: Option<Secret<String>>,
    },
}

/// What is another than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The log of calls.
    Calls,
    /// Text messages.
    Messages,
    /// Who does not ring.
    Blocked,
    /// All of these: a backup was added.
    All,
    /// Something of which nobody need be told.
    Rest,
}

impl Change {
    const fn about(&self) -> About {
        match self {
            Self::Begin(..) | Self::Note(..) | Self::Seen | Self::Forget(_) => About::Calls,
            Self::Message(..) | Self::Delivered(..) => About::Messages,
            Self::Block(..) => About::Blocked,
            // Told as they are done.
            Self::AddAccount(..)
            | Self::ChangeAccount(..)
            | Self::RemoveAccount(..)
            | Self::MoveAccount(..)
            | Self::DefaultAccount(_)
            | Self::Setting(..)
            | Self::Draft(_)
            | Self::Restore { .. } => About::Rest,
        }
    }
}

/// Work of somebody's own, who is told its outcome by itself.
type Work = Box<dyn FnMut(&Store) -> Result<(), StoreError> + Send>;

/// What the thread does, in order.
enum Job {
    Change(Change),
    Work(About, Work),
    Tell(Sender<()>),
}

/// What the thread tells.
#[derive(Debug)]
pub enum Notice {
    /// The log is another than before.
    Calls {
        /// Missed calls that the person has not seen.
        unseen: usize,
    },
    /// Text messages are others than before.
    Messages {
        /// Those that the person has not seen.
        unseen: usize,
    },
    /// Who does not ring, as [`base::number`] compares them: at the start, and when that changes.
    Blocked(Vec<Redacted<String>>),
    /// An account was added: by which name, and its key. [`Notice::Accounts`] follows.
    Added(u64, AccountKey),
    /// Accounts are others than before: read them anew.
    Accounts,
    /// Settings are others than before: read them anew.
    Settings,
    /// Drafts are others than before: read them anew.
    Drafts,
    /// A backup was added, or nothing of it; notices of all that may be another follow. Contacts are to be read anew too.
    Restored(Result<Restored, BackupError>),
    /// The file was damaged and is mended; what could not be read of it is lost. Tell the person, and read all anew.
    Salvaged(Salvaged),
    /// Something was not stored. Show the sentence.
    Trouble(StoreError),
}

/// The thread, as its owner holds it. Dropped, it ends when all that was told is stored.
#[derive(Debug)]
pub struct Keeper {
    changes: Option<Sender<Job>>,
    /// Jobs that wait.
    waiting: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
    left: Vec<(u64, MessageRow)>,
}

impl Keeper {
    /// Opens the file at `path`, closes what a crash left open in it, and starts. Messages of ours that are still queued and
    /// older than `since` are given up.
    ///
    /// # Errors
    /// - [`StoreError`]: show its sentence; the phone goes on without a memory.
    pub fn start(
        path: &Path,
        since: Millis,
        told: impl FnMut(Notice) + Send + 'static,
    ) -> Result<Self, StoreError> {
        let Opened { store, salvaged } = Store::open(path)?;
        store.close_cut_off()?;
        store.give_up_messages(since)?;
        let queued = store.queued_messages()?.into_iter().enumerate();
        let left: Vec<(u64, MessageRow)> = queued.map(|(at, row)| (LEFT - at as u64, row)).collect();
        let (changes, jobs) = channel();
        let waiting = Arc::<AtomicUsize>::default();
        let worker = Worker {
            path: path.into(),
            waiting: Arc::clone(&waiting),
            store: Some(store),
            told: Box::new(told),
            calls: BTreeMap::new(),
            messages: left.iter().map(|(name, row)| (*name, row.id)).collect(),
        };
        let thread = Builder::new().name("offhook-store".into()).spawn(move || worker.run(salvaged, &jobs));
        Ok(Self {
            changes: Some(changes),
            waiting,
            thread: Some(thread.map_err(|error: io::Error| StoreError::from(error))?),
            left,
        })
    }

    /// The messages that an earlier phone has left queued, the oldest first, with the names that changes have for them: once.
    pub fn take_left(&mut self) -> Vec<(u64, MessageRow)> {
        std::mem::take(&mut self.left)
    }

    /// Gets a message when all is stored that was told before.
    pub fn settled(&self) -> Receiver<()> {
        let (tell, settled) = channel();
        self.send(Job::Tell(tell));
        settled
    }

    /// Stores a change; what comes of it is told. Of a flood of messages that come, those are dropped for which the disk is
    /// too slow.
    pub fn store(&self, change: Change) {
        let by_stranger = matches!(&change, Change::Message(_, it) if it.direction == crate::Direction::In);
        if by_stranger && self.waiting.load(Ordering::Relaxed) >= FULL {
            return;
        }
        self.send(Job::Change(change));
    }

    /// Does `work` behind all that was told before, and tells what is another by it. Its outcome comes to the receiver;
    /// nothing comes where the file is damaged and could not be mended. It is done again after mending.
    pub fn work<T: Send + 'static>(
        &self,
        about: About,
        mut work: impl FnMut(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Receiver<Result<T, StoreError>> {
        let (tell, outcome) = channel();
        let work = move |store: &Store| match work(store) {
            Err(damaged @ StoreError::Damaged(_)) => Err(damaged),
            outcome => {
                let _ = tell.send(outcome); // who waits no longer need not know
                Ok(())
            }
        };
        self.send(Job::Work(about, Box::new(work)));
        outcome
    }

    fn send(&self, job: Job) {
        if let Some(changes) = &self.changes {
            self.waiting.fetch_add(1, Ordering::Relaxed);
            // It ends only when this is dropped.
            let _ = changes.send(job);
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.changes.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

struct Worker {
    path: PathBuf,
    /// Jobs that wait.
    waiting: Arc<AtomicUsize>,
    /// None: it could not be mended.
    store: Option<Store>,
    told: Box<dyn FnMut(Notice) + Send>,
    /// Rows of the latest calls: more may come to be known of one that is over.
    calls: BTreeMap<u64, CallKey>,
    /// Rows of the messages of ours that are not settled.
    messages: BTreeMap<u64, MessageKey>,
}

impl Worker {
    fn run(mut self, salvaged: Option<Salvaged>, jobs: &Receiver<Job>) {
        if let Some(salvaged) = salvaged {
            (self.told)(Notice::Salvaged(salvaged));
        }
        self.tell_of(About::All);
        for mut job in jobs {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            let about = match &job {
                Job::Change(change) => change.about(),
                Job::Work(about, _) => *about,
                Job::Tell(_) => About::Rest,
            };
            match self.carry_out(&mut job) {
                Err(StoreError::Damaged(_)) => {
                    self.mend();
                    if let Err(error) = self.carry_out(&mut job) {
                        (self.told)(Notice::Trouble(error));
                    }
                }
                Err(error) => (self.told)(Notice::Trouble(error)),
                Ok(()) => {}
            }
            drop(job); // who waits for an outcome that will not come need not wait for the news
            self.tell_of(about);
        }
    }

    fn carry_out(&mut self, job: &mut Job) -> Result<(), StoreError> {
        match job {
            Job::Change(change) => self.change(change),
            Job::Work(_, work) => self.store.as_ref().map_or(Ok(()), work),
            Job::Tell(who) => {
                let _ = who.send(()); // who waits no longer need not know
                Ok(())
            }
        }
    }

    fn change(&mut self, change: &Change) -> Result<(), StoreError> {
        let Some(store) = &self.store else { return Ok(()) };
        match change {
            Change::Begin(name, call) => {
                let contact = match &call.contact {
                    None => store.contact_of(&call.number, &call.remote)?,
                    known => known.clone(),
                };
                self.calls.insert(*name, store.begin_call(&NewCall { contact, ..call.clone() })?);
                if self.calls.len() > MOST {
                    self.calls.pop_first();
                }
            }
            Change::Note(name, facts, now) => {
                let Some(key) = self.calls.get(name) else { return Ok(()) };
                match &facts.remote {
                    Some(remote) if remote.contact.is_none() => {
                        let contact = store.contact_of(remote.number.reveal(), remote.uri.reveal())?;
                        let remote = Remote { contact: contact.map(Redacted::new), ..remote.clone() };
                        store.note_call(*key, &CallFacts { remote: Some(remote), ..facts.clone() }, *now)?;
                    }
                    _ => store.note_call(*key, facts, *now)?,
                }
            }
            Change::Message(name, message) => {
                let key = store.put_message(message)?;
                if message.direction == crate::Direction::Out {
                    self.messages.insert(*name, key);
                }
                if self.messages.len() > MOST_MESSAGES {
                    self.messages.pop_first();
                }
            }
            Change::Delivered(name, delivery, status, reason) => {
                let Some(key) = self.messages.get(name) else { return Ok(()) };
                store.note_message(*key, *delivery, *status, reason.as_deref())?;
                if *delivery != Delivery::Queued {
                    self.messages.remove(name);
                }
            }
            Change::Block(number, on, now) => {
                store.set_blocked(number.reveal(), *on, *now)?;
            }
            Change::Seen => drop(store.mark_seen()?),
            Change::Forget(which) => drop(store.forget_calls(*which)?),
            Change::AddAccount(name, account) => {
                let key = store.add_account(account)?;
                (self.told)(Notice::Added(*name, key));
                (self.told)(Notice::Accounts);
            }
            Change::ChangeAccount(key, change) => {
                store.change_account(*key, change)?;
                (self.told)(Notice::Accounts);
            }
            Change::RemoveAccount(key) => {
                store.remove_account(*key)?;
                (self.told)(Notice::Accounts);
                (self.told)(Notice::Drafts);
            }
            Change::MoveAccount(key, place) => {
                store.move_account(*key, *place)?;
                (self.told)(Notice::Accounts);
            }
            Change::DefaultAccount(key) => {
                store.make_default(*key)?;
                (self.told)(Notice::Accounts);
            }
            Change::Setting(name, value) => {
                store.set_setting(name, value.as_ref().map(|value| value.reveal().as_str()))?;
                (self.told)(Notice::Settings);
            }
            Change::Draft(draft) => {
                store.put_draft(draft)?;
                (self.told)(Notice::Drafts);
            }
            Change::Restore { backup, passphrase } => {
                let restored = store.restore(backup.reveal(), passphrase.as_ref());
                if let Err(BackupError::Store(StoreError::Damaged(why))) = restored {
                    return Err(StoreError::Damaged(why));
                }
                let changed = restored.is_ok();
                (self.told)(Notice::Restored(restored));
                if !changed {
                    return Ok(());
                }
                for notice in [Notice::Accounts, Notice::Settings, Notice::Drafts] {
                    (self.told)(notice);
                }
                self.tell_of(About::All);
            }
        }
        Ok(())
    }

    fn mend(&mut self) {
        self.store = None; // closed, before its file is moved
        match Store::mend(&self.path) {
            Ok(Opened { store, salvaged }) => {
                self.store = Some(store);
                if let Some(salvaged) = salvaged {
                    (self.told)(Notice::Salvaged(salvaged));
                }
            }
            Err(error) => (self.told)(Notice::Trouble(error)),
        }
    }

    fn tell_of(&mut self, about: About) {
        let Some(store) = &self.store else { return };
        let notice = match about {
            About::Calls => store.unseen().map(|unseen| Notice::Calls { unseen }),
            About::Messages => store.unseen_messages().map(|unseen| Notice::Messages { unseen }),
            About::Blocked => store
                .blocked()
                .map(|blocked| Notice::Blocked(blocked.into_iter().map(Redacted::new).collect())),
            About::All => {
                return [About::Blocked, About::Calls, About::Messages]
                    .into_iter()
                    .for_each(|it| self.tell_of(it));
            }
            About::Rest => return,
        };
        if let Ok(notice) = notice {
            (self.told)(notice);
        }
    }
}
