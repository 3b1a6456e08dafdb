//! The calls of users, as far as they pass here: for busy lamps.
//!
//! RFC 4235 section 3.7.1, in three steps. A call is known by its Call-ID from its INVITE until the answer says no or a BYE ends
//! it. Knows nothing of who looks at lamps.

use std::collections::BTreeMap;
use std::time::Duration;

use base::Instant;
use sip::transaction::TxId;

/// Calls that are followed at once; more light no lamp.
const MOST: usize = 10_000;
/// After so long a call is over: its goodbye was lost.
const LONGEST: Duration = Duration::from_hours(12);

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Trying,
    Ringing,
    Up,
}

/// Whose call it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Out,
    In,
}

#[derive(Debug)]
struct Call {
    id: u64,
    caller: Option<String>,
    callee: Option<String>,
    stage: Stage,
    began: Instant,
}

/// All calls.
#[derive(Debug, Default)]
pub(super) struct Lines {
    calls: BTreeMap<String, Call>,
    /// Those that are not answered, by the transaction of their INVITE.
    asked: BTreeMap<TxId, String>,
    last: u64,
    /// Whose lines have changed.
    pub(super) changed: Vec<String>,
}

impl Lines {
    /// One of ours calls, or is called.
    pub(super) fn began(
        &mut self,
        (call_id, tx): (&str, TxId),
        caller: Option<String>,
        callee: Option<String>,
        now: Instant,
    ) {
        if caller.is_none() && callee.is_none() || self.calls.contains_key(call_id) {
            return;
        }
        if self.calls.len() >= MOST {
            let over = |call: &Call| now.since(call.began) > LONGEST;
            self.calls.retain(|_, call| !over(call));
            self.asked.retain(|_, call| self.calls.contains_key(call));
        }
        if self.calls.len() < MOST {
            self.last += 1;
            let call = Call { id: self.last, caller, callee, stage: Stage::Trying, began: now };
            self.note(&call);
            self.calls.insert(call_id.to_owned(), call);
            self.asked.insert(tx, call_id.to_owned());
        }
    }

    /// It rings, or somebody has answered.
    pub(super) fn advanced(&mut self, call_id: &str, stage: Stage) {
        let Some(call) = self.calls.get_mut(call_id).filter(|call| call.stage < stage) else { return };
        call.stage = stage;
        let those = [call.caller.clone(), call.callee.clone()];
        self.changed.extend(those.into_iter().flatten());
    }

    /// Its INVITE has its final answer: a call that is not up by then never was one.
    pub(super) fn settled(&mut self, tx: TxId) {
        let Some(call_id) = self.asked.remove(&tx) else { return };
        if self.calls.get(&call_id).is_some_and(|call| call.stage < Stage::Up) {
            self.ended(&call_id);
        }
    }

    /// One of the two said goodbye.
    pub(super) fn ended(&mut self, call_id: &str) {
        if let Some(call) = self.calls.remove(call_id) {
            self.note(&call);
        }
    }

    fn note(&mut self, call: &Call) {
        self.changed.extend([&call.caller, &call.callee].into_iter().flatten().cloned());
    }

    /// The calls of a user.
    pub(super) fn of(&self, user: &str) -> impl Iterator<Item = (u64, Direction, Stage)> {
        let is = |party: &Option<String>| party.as_deref() == Some(user);
        self.calls.values().filter_map(move |call| {
            let direction = if is(&call.caller) {
                Direction::Out
            } else if is(&call.callee) {
                Direction::In
            } else {
                return None;
            };
            Some((call.id, direction, call.stage))
        })
    }
}
