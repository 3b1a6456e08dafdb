//! Where each user can be reached just now.
//!
//! RFC 3261 section 10: a binding ties an address-of-record to a contact address until it expires. Expiry is told in
//! wall-clock seconds, so that bindings survive a restart. Knows nothing of REGISTER: the registrar decides what
//! stands, this only keeps it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use base::{FlowId, Transport};

/// The way by which a binding's REGISTER came, and by which requests go back through NATs and along connections.
/// RFC 5626 section 5.3, RFC 3581 section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// What carried it.
    pub transport: Transport,
    /// The exchange's end.
    pub local: SocketAddr,
    /// The user's end as the exchange saw it.
    pub remote: SocketAddr,
    /// The flow, while this process has it; never kept over a restart.
    pub flow: Option<FlowId>,
}

/// One contact address of one user. RFC 3261 section 10.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The contact URI, as it was registered.
    pub contact: Box<str>,
    /// Preference in thousandths, 0..=1000. RFC 3261 section 20.10.
    pub q: u16,
    /// When it ends, in seconds since 1970.
    pub expires_at: u64,
    /// Call-ID of the REGISTER that made it.
    pub call_id: Box<str>,
    /// CSeq number of the REGISTER that made it.
    pub cseq: u32,
    /// The proxies between, in the order in which a request visits them. RFC 3327 section 5.3.
    pub path: Box<[Box<str>]>,
    /// The way back, when the phone registered itself rather than another place.
    pub way: Option<Way>,
    /// `+sip.instance` without its quotes. RFC 5626 section 4.1.
    pub instance: Option<Box<str>>,
    /// `reg-id`. RFC 5626 section 4.2.
    pub reg_id: Option<u32>,
}

/// The bindings could not be kept (a full or broken disk); the REGISTER is answered 500 and nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bindings could not be kept")]
pub struct NotKept;

/// The location service: bindings by user (the user part of an address-of-record of the exchange's one domain).
pub trait Bindings {
    /// All that are kept for `user`, also such as have expired since the last [`Bindings::expire`].
    fn of(&self, user: &str) -> &[Binding];

    /// Replaces all bindings of `user` at once; an empty list forgets the user.
    ///
    /// # Errors
    /// [`NotKept`]: the old bindings still stand.
    fn put(&mut self, user: &str, bindings: Vec<Binding>) -> Result<(), NotKept>;

    /// When the first binding ends, in seconds since 1970.
    fn next_expiry(&self) -> Option<u64>;

    /// Forgets what has ended by `wall` (seconds since 1970); says how many bindings that were.
    fn expire(&mut self, wall: u64) -> usize;

    /// How many bindings there are.
    fn len(&self) -> usize;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Bindings in memory only.
#[derive(Debug, Default)]
pub struct InMemory {
    by_user: BTreeMap<Arc<str>, Vec<Binding>>,
    /// Each user once, by the end of their shortest-lived binding.
    by_end: BTreeSet<(u64, Arc<str>)>,
    len: usize,
}

fn first_end(bindings: &[Binding]) -> Option<u64> {
    bindings.iter().map(|b| b.expires_at).min()
}

impl Bindings for InMemory {
    fn of(&self, user: &str) -> &[Binding] {
        self.by_user.get(user).map_or(&[], Vec::as_slice)
    }

    fn put(&mut self, user: &str, mut bindings: Vec<Binding>) -> Result<(), NotKept> {
        bindings.shrink_to_fit();
        let key = match self.by_user.remove_entry(user) {
            Some((key, old)) => {
                self.len -= old.len();
                if let Some(end) = first_end(&old) {
                    self.by_end.remove(&(end, key.clone()));
                }
                key
            }
            None => Arc::from(user),
        };
        if let Some(end) = first_end(&bindings) {
            self.len += bindings.len();
            self.by_end.insert((end, key.clone()));
            self.by_user.insert(key, bindings);
        }
        Ok(())
    }

    fn next_expiry(&self) -> Option<u64> {
        self.by_end.first().map(|(end, _)| *end)
    }

    fn expire(&mut self, wall: u64) -> usize {
        let before = self.len;
        while let Some((_, user)) = self.by_end.first().filter(|(end, _)| *end <= wall) {
            let user = user.clone();
            let left = self.of(&user).iter().filter(|b| b.expires_at > wall).cloned().collect();
            let Ok(()) = self.put(&user, left) else { break };
        }
        before - self.len
    }

    fn len(&self) -> usize {
        self.len
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn binding(contact: &str, expires_at: u64) -> Binding {
        Binding {
            contact: contact.into(),
            q: 1000,
            expires_at,
            call_id: "c".into(),
            cseq: 1,
            path: Box::default(),
            way: None,
            instance: None,
            reg_id: None,
        }
    }

    #[test]
    fn bindings_end_one_by_one_and_the_count_follows() {
        let mut kept = InMemory::default();
        kept.put("1001", vec![binding("sip:a", 10), binding("sip:b", 20)]).unwrap();
        kept.put("1002", vec![binding("sip:c", 15)]).unwrap();
        assert_eq!((kept.len(), kept.next_expiry()), (3, Some(10)));
        assert_eq!(kept.expire(10), 1);
        assert_eq!((kept.of("1001").len(), kept.next_expiry()), (1, Some(15)));
        assert_eq!(kept.expire(99), 2);
        assert!(kept.is_empty() && kept.next_expiry().is_none());
    }

    #[test]
    fn putting_again_replaces_and_putting_nothing_forgets() {
        let mut kept = InMemory::default();
        kept.put("1001", vec![binding("sip:a", 10), binding("sip:b", 20)]).unwrap();
        kept.put("1001", vec![binding("sip:b", 30)]).unwrap();
        assert_eq!((kept.len(), kept.next_expiry()), (1, Some(30)));
        kept.put("1001", Vec::new()).unwrap();
        assert_eq!((kept.len(), kept.next_expiry()), (0, None));
    }
}
