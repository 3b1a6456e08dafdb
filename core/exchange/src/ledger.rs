//! What users have left, and what their calls cost: so much a minute, by the second, from the answer to the goodbye.
//!
//! The caller pays. A call is known by its Call-ID from the first 2xx to its INVITE until a BYE asks to end it; what is
//! spent while it goes on is already gone for who asks. Knows no SIP but that, and no web.

use std::collections::BTreeMap;
use std::time::Duration;

use balance::Amount;
use base::Instant;

/// Calls that are charged at once; more are free.
const MOST_CALLS: usize = 10_000;
/// After so long a call is over: its goodbye was lost.
const LONGEST_CALL: Duration = Duration::from_hours(12);

/// What a user has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Funds {
    /// What is left.
    pub balance: Amount,
    /// In what: `EUR`.
    pub currency: Option<String>,
}

/// A call that is being charged.
#[derive(Clone, Debug)]
struct Running {
    user: String,
    answered: Instant,
}

/// All accounts.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    funds: BTreeMap<String, Funds>,
    rate: Option<Amount>,
    calls: BTreeMap<String, Running>,
}

impl Ledger {
    /// Of these users, whose calls cost `rate` a minute; `None`: nothing.
    pub fn new(funds: BTreeMap<String, Funds>, rate: Option<Amount>) -> Self {
        Self { funds, rate, calls: BTreeMap::new() }
    }

    /// Somebody answered a call of `user`; again for one that is known changes nothing (forks, retransmissions, re-INVITEs).
    pub(crate) fn answered(&mut self, call: &str, user: &str, now: Instant) {
        if self.rate.is_none() || !self.funds.contains_key(user) || self.calls.contains_key(call) {
            return;
        }
        let over: Vec<String> = self
            .calls
            .iter()
            .filter(|(_, call)| now.since(call.answered) > LONGEST_CALL)
            .map(|(name, _)| name.clone())
            .collect();
        for call in over {
            self.ended(&call, now);
        }
        if self.calls.len() < MOST_CALLS {
            self.calls.insert(call.to_owned(), Running { user: user.to_owned(), answered: now });
        }
    }

    /// One of the two said goodbye.
    pub(crate) fn ended(&mut self, call: &str, now: Instant) {
        let Some(running) = self.calls.remove(call) else { return };
        let cost = self.cost(&running, now);
        if let Some(funds) = self.funds.get_mut(&running.user) {
            funds.balance = funds.balance.minus(cost);
        }
    }

    fn cost(&self, call: &Running, now: Instant) -> Amount {
        let lasted = now.since(call.answered).min(LONGEST_CALL);
        // A begun second is a second.
        let seconds = lasted.as_secs() + u64::from(lasted.subsec_nanos() > 0);
        self.rate.unwrap_or(Amount::whole(0)).for_seconds(u32::try_from(seconds).unwrap_or(u32::MAX))
    }

    /// What is left of a user's money at this moment; `None`: there is no such account.
    pub fn funds(&self, user: &str, now: Instant) -> Option<Funds> {
        let mut funds = self.funds.get(user)?.clone();
        for call in self.calls.values().filter(|call| call.user == user) {
            funds.balance = funds.balance.minus(self.cost(call, now));
        }
        Some(funds)
    }

    /// For how many seconds that is enough; `None`: for ever, or there is no such account.
    pub fn seconds_left(&self, user: &str, now: Instant) -> Option<u64> {
        let balance = self.funds(user, now)?.balance;
        let rate = self.rate.filter(|rate| *rate > Amount::whole(0))?;
        Some(if balance.is_negative() { 0 } else { balance.seconds_at(rate) })
    }

    /// Adds to a user's money; false: there is no such account.
    pub fn top_up(&mut self, user: &str, amount: Amount) -> bool {
        let funds = self.funds.get_mut(user);
        let known = funds.is_some();
        if let Some(funds) = funds {
            funds.balance = funds.balance.plus(amount);
        }
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    fn ledger() -> Ledger {
        let funds = Funds { balance: amount("1.00"), currency: Some("EUR".into()) };
        Ledger::new([("1001".to_owned(), funds)].into(), Some(amount("0.06")))
    }

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    #[test]
    fn the_caller_pays_by_the_second_from_the_answer_to_the_goodbye() {
        let mut ledger = ledger();
        ledger.answered("a", "1001", at(5_000));
        ledger.answered("a", "1001", at(6_000)); // a re-INVITE
        assert_eq!(ledger.funds("1001", at(14_500)).unwrap().balance, amount("0.99"));
        ledger.ended("a", at(35_000));
        ledger.ended("a", at(36_000));
        assert_eq!(ledger.funds("1001", at(99_000)).unwrap().balance, amount("0.97"));
        assert_eq!(ledger.seconds_left("1001", at(99_000)), Some(970));
        assert!(ledger.top_up("1001", amount("0.5")) && !ledger.top_up("1002", amount("0.5")));
        assert_eq!(ledger.funds("1001", at(99_000)).unwrap().balance, amount("1.47"));
    }

    #[test]
    fn strangers_and_calls_that_never_end_cost_no_more_than_they_may() {
        let mut ledger = ledger();
        ledger.answered("x", "nobody", at(0));
        assert!(ledger.calls.is_empty());
        ledger.answered("lost", "1001", at(0));
        let day = at(24 * 3_600_000);
        ledger.answered("next", "1001", day);
        assert_eq!(ledger.calls.len(), 1);
        assert_eq!(ledger.funds("1001", day).unwrap().balance, amount("-42.2")); // twelve hours
        assert_eq!(ledger.seconds_left("1001", day), Some(0));
    }
}
