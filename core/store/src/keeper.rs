//! A thread that writes, so that nobody waits for a disk.
//!
//! Changes are carried out in the order in which they are told. What could not be stored is told as a notice and not tried
//! again, but for a damaged file, which is mended and the change repeated. Whoever shows the log reads it anew when a
//! notice says that it changed.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

use base::Redacted;

use crate::{
    CallFacts, CallKey, Delivery, Forget, MessageKey, MessageRow, Millis, NewCall, NewMessage, Opened,
    Salvaged, Store, StoreError,
};

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
}

/// What the thread does, in order.
enum Job {
    Change(Change),
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
    /// Who does not ring, as [`base::number`] compares them: at the start, and when that changes.
    Blocked(Vec<Redacted<String>>),
    /// The file was damaged and is mended; what could not be read of it is lost. Tell the person.
    Salvaged(Salvaged),
    /// Something was not stored. Show the sentence.
    Trouble(StoreError),
}

/// The thread, as its owner holds it. Dropped, it ends when all that was told is stored.
#[derive(Debug)]
pub struct Keeper {
    changes: Option<Sender<Job>>,
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
        let (changes, waiting) = channel();
        let worker = Worker {
            path: path.into(),
            store: Some(store),
            told: Box::new(told),
            calls: BTreeMap::new(),
            messages: left.iter().map(|(name, row)| (*name, row.id)).collect(),
        };
        let thread =
            Builder::new().name("offhook-store".into()).spawn(move || worker.run(salvaged, &waiting));
        Ok(Self {
            changes: Some(changes),
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

    /// Stores a change; what comes of it is told.
    pub fn store(&self, change: Change) {
        self.send(Job::Change(change));
    }

    fn send(&self, job: Job) {
        if let Some(changes) = &self.changes {
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
        self.tell_of_blocked();
        self.tell_of_calls();
        for job in jobs {
            let change = match job {
                Job::Change(change) => change,
                Job::Tell(who) => {
                    let _ = who.send(()); // who waits no longer need not know
                    continue;
                }
            };
            match self.carry_out(&change) {
                Err(StoreError::Damaged(_)) => {
                    self.mend();
                    if let Err(error) = self.carry_out(&change) {
                        (self.told)(Notice::Trouble(error));
                    }
                }
                Err(error) => (self.told)(Notice::Trouble(error)),
                Ok(()) => {}
            }
            self.tell_of_calls();
        }
    }

    fn carry_out(&mut self, change: &Change) -> Result<(), StoreError> {
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
                store.note_call(*key, facts, *now)?;
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
                self.tell_of_blocked();
            }
            Change::Seen => drop(store.mark_seen()?),
            Change::Forget(which) => drop(store.forget_calls(*which)?),
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

    fn tell_of_blocked(&mut self) {
        if let Some(Ok(blocked)) = self.store.as_ref().map(Store::blocked) {
            (self.told)(Notice::Blocked(blocked.into_iter().map(Redacted::new).collect()));
        }
    }

    fn tell_of_calls(&mut self) {
        if let Some(Ok(unseen)) = self.store.as_ref().map(Store::unseen) {
            (self.told)(Notice::Calls { unseen });
        }
    }
}
