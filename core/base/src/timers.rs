//! Many deadlines by key, the nearest first.
//!
//! Knows no clock and fires nothing by itself: its owner pops what is due.

use std::collections::{BTreeMap, BTreeSet};

use crate::Instant;

/// A set of deadlines, at most one per key.
///
/// Equal deadlines come out in key order, so a run with the same news is the same run.
#[derive(Debug, Clone)]
pub struct Timers<K> {
    by_time: BTreeSet<(Instant, K)>,
    by_key: BTreeMap<K, Instant>,
}

impl<K> Default for Timers<K> {
    fn default() -> Self {
        Self { by_time: BTreeSet::new(), by_key: BTreeMap::new() }
    }
}

impl<K: Ord + Clone> Timers<K> {
    /// Sets or moves the deadline of `key`.
    pub fn set(&mut self, key: K, at: Instant) {
        if let Some(old) = self.by_key.insert(key.clone(), at) {
            self.by_time.remove(&(old, key.clone()));
        }
        self.by_time.insert((at, key));
    }

    /// Forgets `key`; says whether it had a deadline.
    pub fn cancel(&mut self, key: &K) -> bool {
        match self.by_key.remove(key) {
            Some(at) => self.by_time.remove(&(at, key.clone())),
            None => false,
        }
    }

    /// The deadline of `key`, if it has one.
    pub fn get(&self, key: &K) -> Option<Instant> {
        self.by_key.get(key).copied()
    }

    /// The nearest deadline and its key.
    pub fn next(&self) -> Option<(Instant, &K)> {
        self.by_time.first().map(|(at, key)| (*at, key))
    }

    /// Takes the nearest deadline that is not after `now`; call until `None`.
    pub fn pop_due(&mut self, now: Instant) -> Option<K> {
        if self.by_time.first().is_none_or(|(at, _)| *at > now) {
            return None;
        }
        let (_, key) = self.by_time.pop_first()?;
        self.by_key.remove(&key);
        Some(key)
    }

    /// How many deadlines are set.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    #[test]
    fn due_keys_come_in_time_order_and_only_once() {
        let mut t = Timers::default();
        t.set('b', at(20));
        t.set('a', at(10));
        t.set('c', at(99));
        assert_eq!(t.next(), Some((at(10), &'a')));
        assert_eq!(std::iter::from_fn(|| t.pop_due(at(20))).collect::<String>(), "ab");
        assert_eq!(t.len(), 1);
    }

    #[test]
    fn setting_again_moves_the_deadline() {
        let mut t = Timers::default();
        t.set('a', at(10));
        t.set('a', at(30));
        assert_eq!(t.pop_due(at(20)), None);
        assert_eq!(t.pop_due(at(30)), Some('a'));
        assert!(t.is_empty());
    }

    #[test]
    fn a_cancelled_key_never_fires() {
        let mut t = Timers::default();
        t.set('a', at(10));
        assert!(t.cancel(&'a'));
        assert!(!t.cancel(&'a'));
        assert_eq!(t.pop_due(at(99)), None);
    }
}
