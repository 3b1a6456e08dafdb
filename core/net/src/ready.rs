//! Which of many sources may have something, without a task or a channel for each.
//!
//! Every socket, connect and lookup has a waker of its own that puts its token on one list and wakes the one task that polls
//! them all. Knows nothing of what the tokens stand for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};

/// The tokens that may have something.
#[derive(Debug)]
pub(crate) struct Ready<T> {
    shared: Arc<Shared<T>>,
    /// The round being polled, last first. A token woken meanwhile waits for the next round: tokio's budget makes a source
    /// wake itself at once and expects us to return before polling it again.
    round: Vec<Arc<Source<T>>>,
}

#[derive(Debug)]
struct Shared<T>(Mutex<List<T>>);

#[derive(Debug)]
struct List<T> {
    woken: Vec<Arc<Source<T>>>,
    task: Option<Waker>,
}

#[derive(Debug)]
struct Source<T> {
    token: T,
    on_list: AtomicBool,
    shared: Arc<Shared<T>>,
}

impl<T: Copy + Send + Sync + 'static> Ready<T> {
    pub(crate) fn new() -> Self {
        let list = List { woken: Vec::new(), task: None };
        Self { shared: Arc::new(Shared(Mutex::new(list))), round: Vec::new() }
    }

    /// A waker that marks `token` as ready; it starts out so, to be polled a first time.
    pub(crate) fn source(&self, token: T) -> Waker {
        let source = Source { token, on_list: AtomicBool::new(false), shared: Arc::clone(&self.shared) };
        let waker = Waker::from(Arc::new(source));
        waker.wake_by_ref();
        waker
    }

    /// Begins a round with what has been woken since the last; false when there is nothing.
    pub(crate) fn begin_round(&mut self) -> bool {
        if self.round.is_empty() {
            std::mem::swap(&mut self.round, &mut self.shared.lock().woken);
            self.round.reverse();
        }
        !self.round.is_empty()
    }

    /// The next token of the round.
    pub(crate) fn next(&mut self) -> Option<T> {
        let source = self.round.pop()?;
        source.on_list.store(false, Ordering::Release);
        Some(source.token)
    }

    /// Has the task woken when a token is; at once when one already was.
    pub(crate) fn park(&self, cx: &Context<'_>) {
        let mut list = self.shared.lock();
        if list.woken.is_empty() {
            list.task = Some(cx.waker().clone());
        } else {
            cx.waker().wake_by_ref();
        }
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, List<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + Sync + 'static> Wake for Source<T> {
    fn wake(self: Arc<Self>) {
        if self.on_list.swap(true, Ordering::AcqRel) {
            return;
        }
        let shared = Arc::clone(&self.shared);
        let task = {
            let mut list = shared.lock();
            list.woken.push(self);
            list.task.take()
        };
        if let Some(task) = task {
            task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(ready: &mut Ready<char>) -> String {
        ready.begin_round();
        std::iter::from_fn(|| ready.next()).collect()
    }

    #[test]
    fn a_token_woken_twice_is_polled_once_and_in_order() {
        let mut ready = Ready::new();
        let (a, b) = (ready.source('a'), ready.source('b'));
        assert_eq!(round(&mut ready), "ab", "new sources are polled a first time");
        b.wake_by_ref();
        a.wake_by_ref();
        b.wake_by_ref();
        assert_eq!(round(&mut ready), "ba");
        assert_eq!(round(&mut ready), "");
    }

    #[test]
    fn a_token_that_wakes_itself_waits_for_the_next_round() {
        let mut ready = Ready::new();
        let a = ready.source('a');
        assert!(ready.begin_round());
        assert_eq!(ready.next(), Some('a'));
        a.wake_by_ref();
        assert_eq!(ready.next(), None);
        assert!(ready.begin_round());
    }
}
