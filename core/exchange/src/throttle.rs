//! Makes guessing passwords slow, without locking a user out everywhere.
//!
//! RFC 3261 section 26.1.5 asks for it in spirit only; the rule is ours: wrong answers are counted per user and source
//! address, and from the fourth on each one holds that pair off for twice as long as the one before. Knows nothing of
//! digests.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use base::{Instant, Timers};

/// Wrong answers that cost nothing: people mistype.
const FREE: u32 = 3;
/// The longest that one wrong answer holds off.
const LONGEST: Duration = Duration::from_mins(5);
/// After so long without a wrong answer a pair begins anew.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(15);
/// Pairs remembered. When full, the one that would be forgotten first makes room.
const MOST: usize = 4096;
/// Attempts answered during one hold; what comes beyond them is not worth an answer.
const ANSWERED_PER_HOLD: u32 = 8;

/// Whose attempts from where. Users that do not exist share the name "", so that invented names fill no table; an IPv6
/// source counts as its /64, which one customer has to themselves.
type Pair = (Box<str>, IpAddr);

#[derive(Debug)]
struct Tally {
    wrong: u32,
    held_until: Instant,
    answered: u32,
}

/// What to do with an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// Look at it.
    Open,
    /// Refuse it unseen, and say when to come back.
    Held(Duration),
    /// Do not even answer.
    Shut,
}

/// The memory of wrong answers.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    tallies: BTreeMap<Pair, Tally>,
    forget: Timers<Pair>,
}

fn pair(user: &str, source: IpAddr) -> Pair {
    let source = match source.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    };
    (user.into(), source)
}

impl Throttle {
    /// Whether an attempt of `user` (empty when unknown) from `source` may be looked at.
    pub(crate) fn gate(&mut self, user: &str, source: IpAddr, now: Instant) -> Gate {
        while let Some(old) = self.forget.pop_due(now) {
            self.tallies.remove(&old);
        }
        match self.tallies.get_mut(&pair(user, source)) {
            Some(tally) if tally.held_until > now => {
                tally.answered += 1;
                if tally.answered > ANSWERED_PER_HOLD {
                    Gate::Shut
                } else {
                    Gate::Held(tally.held_until - now)
                }
            }
            _ => Gate::Open,
        }
    }

    /// A wrong answer was given.
    pub(crate) fn wrong(&mut self, user: &str, source: IpAddr, now: Instant) {
        let pair = pair(user, source);
        if !self.tallies.contains_key(&pair)
            && self.tallies.len() >= MOST
            && let Some((_, oldest)) = self.forget.next()
        {
            let oldest = oldest.clone();
            self.forget.cancel(&oldest);
            self.tallies.remove(&oldest);
        }
        let tally =
            self.tallies.entry(pair.clone()).or_insert(Tally { wrong: 0, held_until: now, answered: 0 });
        tally.wrong = tally.wrong.saturating_add(1);
        tally.answered = 0;
        if tally.wrong > FREE {
            let doublings = (tally.wrong - FREE - 1).min(16);
            tally.held_until = now + LONGEST.min(Duration::from_secs(1 << doublings));
        }
        self.forget.set(pair, now + FORGOTTEN_AFTER);
    }

    /// A right answer was given: the pair begins anew.
    pub(crate) fn right(&mut self, user: &str, source: IpAddr) {
        if self.tallies.is_empty() {
            return;
        }
        let pair = pair(user, source);
        if self.tallies.remove(&pair).is_some() {
            self.forget.cancel(&pair);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn s(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn the_fourth_wrong_answer_holds_off_and_each_further_one_twice_as_long() {
        let mut t = Throttle::default();
        (0..3).for_each(|_| t.wrong("1001", HERE, s(0)));
        assert_eq!(t.gate("1001", HERE, s(0)), Gate::Open);
        t.wrong("1001", HERE, s(0));
        assert_eq!(t.gate("1001", HERE, s(0)), Gate::Held(Duration::from_secs(1)));
        assert_eq!(t.gate("1001", HERE, s(1)), Gate::Open);
        t.wrong("1001", HERE, s(1));
        assert_eq!(t.gate("1001", HERE, s(1)), Gate::Held(Duration::from_secs(2)));
        (0..40).for_each(|_| t.wrong("1001", HERE, s(5)));
        assert_eq!(t.gate("1001", HERE, s(5)), Gate::Held(LONGEST));
    }

    #[test]
    fn another_source_and_another_user_stay_open() {
        let mut t = Throttle::default();
        (0..9).for_each(|_| t.wrong("1001", HERE, s(0)));
        assert_eq!(t.gate("1001", THERE, s(0)), Gate::Open);
        assert_eq!(t.gate("1002", HERE, s(0)), Gate::Open);
    }

    #[test]
    fn hammering_during_a_hold_is_not_even_answered() {
        let mut t = Throttle::default();
        (0..9).for_each(|_| t.wrong("1001", HERE, s(0)));
        let gates: Vec<_> = (0..9).map(|_| t.gate("1001", HERE, s(0))).collect();
        assert!(gates[..8].iter().all(|g| matches!(g, Gate::Held(_))));
        assert_eq!(gates[8], Gate::Shut);
    }

    #[test]
    fn a_right_answer_and_a_quiet_quarter_of_an_hour_begin_anew() {
        let mut t = Throttle::default();
        (0..3).for_each(|_| t.wrong("1001", HERE, s(0)));
        t.right("1001", HERE);
        t.wrong("1001", HERE, s(0));
        assert_eq!(t.gate("1001", HERE, s(0)), Gate::Open);
        (0..9).for_each(|_| t.wrong("1002", HERE, s(0)));
        assert_eq!(t.gate("1002", HERE, s(900)), Gate::Open);
        assert!(t.tallies.is_empty(), "{:?}", t.tallies);
    }

    #[test]
    fn a_whole_ipv6_subnet_is_one_source_and_the_table_is_bounded() {
        let mut t = Throttle::default();
        let v6 = |n: u128| IpAddr::V6(Ipv6Addr::from_bits((0x2001_0db8 << 96) + n));
        (0..9).for_each(|n| t.wrong("1001", v6(n), s(0)));
        assert!(matches!(t.gate("1001", v6(99), s(0)), Gate::Held(_)));
        (0..2 * MOST as u128).for_each(|n| t.wrong("1001", v6(n << 64), s(1)));
        assert_eq!((t.tallies.len(), t.forget.len()), (MOST, MOST));
    }
}
