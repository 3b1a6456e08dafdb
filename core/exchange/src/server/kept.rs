//! Bindings in memory with a database behind them.
//!
//! Read from memory, written by a thread of its own, a batch at a time. When the disk refuses, REGISTERs fail (RFC 3261
//! section 10.3 step 7) until it takes what waits. Knows no SQL.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::store::{Batch, Store};
use crate::bindings::{Binding, Bindings, InMemory, NotKept};

/// Batches that may wait for the disk. More is kept together here, as one batch.
const WAITING: usize = 2;
/// When the disk refused, it is asked again so often.
const RETRY: Duration = Duration::from_secs(1);

/// Bindings that are kept.
pub(super) struct Kept {
    memory: InMemory,
    changed: BTreeSet<Box<str>>,
    expired_by: Option<u64>,
    writer: Option<Writer>,
}

struct Writer {
    batches: SyncSender<Batch>,
    refusing: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Kept {
    /// Bindings in memory; also in `store` when there is one.
    pub(super) fn new(memory: InMemory, store: Option<Store>) -> std::io::Result<Self> {
        let writer = store.map(Writer::start).transpose()?;
        Ok(Self { memory, changed: BTreeSet::new(), expired_by: None, writer })
    }

    /// Whether something waits to be written.
    pub(super) fn is_changed(&self) -> bool {
        self.writer.is_some() && (!self.changed.is_empty() || self.expired_by.is_some())
    }

    /// Hands over what has changed, unless the writer is behind: then it stays for the next time.
    pub(super) fn flush(&mut self) {
        let Some(writer) = &self.writer else { return };
        let batch = Batch {
            users: self.changed.iter().map(|user| (user.clone(), self.memory.of(user).to_vec())).collect(),
            expired_by: self.expired_by,
        };
        if batch.is_empty() {
            return;
        }
        match writer.batches.try_send(batch) {
            Ok(()) => {
                self.changed.clear();
                self.expired_by = None;
            }
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
        }
    }

    /// Writes what waits and ends the writer.
    pub(super) fn close(&mut self) {
        let Some(writer) = self.writer.take() else { return };
        let rest = Batch {
            users: self.changed.iter().map(|user| (user.clone(), self.memory.of(user).to_vec())).collect(),
            expired_by: self.expired_by,
        };
        // An error means that the writer is gone, and what it could not write with it.
        let _ = writer.batches.send(rest);
        drop(writer.batches);
        let _ = writer.thread.join();
    }
}

impl Writer {
    fn start(mut store: Store) -> std::io::Result<Self> {
        let (batches, waiting) = sync_channel(WAITING);
        let refusing = Arc::new(AtomicBool::new(false));
        let told = refusing.clone();
        let thread = std::thread::Builder::new()
            .name("exchange-store".into())
            .spawn(move || write_all(&mut store, &waiting, &told))?;
        Ok(Self { batches, refusing, thread })
    }
}

fn write_all(store: &mut Store, waiting: &Receiver<Batch>, refusing: &AtomicBool) {
    let mut batch = Batch::default();
    loop {
        if batch.is_empty() {
            match waiting.recv() {
                Ok(first) => batch = first,
                Err(_) => return,
            }
        }
        let written = store.write(&batch);
        refusing.store(written.is_err(), Ordering::Relaxed);
        if written.is_ok() {
            batch = Batch::default();
            continue;
        }
        match waiting.recv_timeout(RETRY) {
            Ok(later) => batch.extend(later),
            Err(RecvTimeoutError::Timeout) => {}
            // The end, and the disk still refuses: the phones' next refresh must do.
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

impl Bindings for Kept {
    fn of(&self, user: &str) -> &[Binding] {
        self.memory.of(user)
    }

    fn put(&mut self, user: &str, bindings: Vec<Binding>) -> Result<(), NotKept> {
        if let Some(writer) = &self.writer {
            if writer.refusing.load(Ordering::Relaxed) {
                return Err(NotKept);
            }
            self.changed.insert(user.into());
        }
        self.memory.put(user, bindings)
    }

    fn next_expiry(&self) -> Option<u64> {
        self.memory.next_expiry()
    }

    fn expire(&mut self, wall: u64) -> usize {
        let gone = self.memory.expire(wall);
        if gone > 0 {
            self.expired_by = Some(wall);
        }
        gone
    }

    fn len(&self) -> usize {
        self.memory.len()
    }
}
