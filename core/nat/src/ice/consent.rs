//! Whether the other side still wants our packets, and whether the way to it still carries.
//!
//! RFC 7675: a check on the pair in use every 5 s or so, and 30 s without an authenticated answer end the sending. The crate
//! below takes any packet as a sign of life, so this is ours: only an answer to a check that was asked renews it. A way that is
//! suspected (silence, a failed send) is asked at once and often, and is dead after a second without an answer.

use std::time::Duration;

use base::{Instant, Rng};

use crate::stun::TransactionId;

/// Between two checks, before it is drawn from 0.8..=1.2 of it. RFC 7675 section 5.1.
const EVERY: Duration = Duration::from_secs(5);
/// Without an answer for so long, consent is gone. RFC 7675 section 5.1.
const EXPIRES: Duration = Duration::from_secs(30);
/// Between two checks of a way that is suspected.
const PROBE_EVERY: Duration = Duration::from_millis(200);
/// A suspected way that has not answered for so long is dead.
const PROBE_FOR: Duration = Duration::from_millis(1000);
/// Checks whose answers are waited for: as many as a suspected way is asked in a long round trip.
const KEPT: usize = 8;

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing yet.
    Nothing,
    /// Send a check under this id.
    Check(TransactionId),
    /// The way does not answer though it was asked in earnest.
    Dead,
    /// Stop sending: RFC 7675.
    Expired,
}

#[derive(Debug)]
pub(super) struct Consent {
    asked: Vec<(TransactionId, Instant)>,
    given: Instant,
    next: Instant,
    /// The way is suspected since then.
    suspected: Option<Instant>,
    round_trip: Option<Duration>,
    over: bool,
}

impl Consent {
    /// Begins when a pair was chosen: its check was answered just now.
    pub(super) fn new(now: Instant, rng: &mut Rng) -> Self {
        let next = now + every(rng);
        Self { asked: Vec::new(), given: now, next, suspected: None, round_trip: None, over: false }
    }

    pub(super) fn next(&self) -> Option<Instant> {
        (!self.over).then_some(self.next)
    }

    /// Whether this answers a check of ours; it was authenticated.
    pub(super) fn answered(&mut self, id: TransactionId, now: Instant) -> bool {
        let Some(at) = self.asked.iter().position(|(asked, _)| *asked == id) else { return false };
        let (_, asked) = self.asked.remove(at);
        self.round_trip = Some(now.since(asked));
        self.given = now;
        // An answer to what was asked before the suspicion proves nothing about now.
        if self.suspected.is_some_and(|since| asked >= since) {
            self.suspected = None;
        }
        true
    }

    /// Asks in earnest.
    pub(super) fn suspect(&mut self, now: Instant) {
        if !self.over && self.suspected.is_none() {
            self.suspected = Some(now);
            self.next = now;
        }
    }

    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    pub(super) fn due(&mut self, now: Instant, rng: &mut Rng) -> Due {
        if self.over || now < self.next {
            return Due::Nothing;
        }
        if now.since(self.given) >= EXPIRES {
            self.over = true;
            return Due::Expired;
        }
        if self.suspected.is_some_and(|since| now.since(since) >= PROBE_FOR) {
            self.over = true;
            return Due::Dead;
        }
        let wait = if self.suspected.is_some() { PROBE_EVERY } else { every(rng) };
        self.next = (now + wait).min(self.given + EXPIRES).max(now + Duration::from_millis(1));
        let id = TransactionId::draw(rng);
        if self.asked.len() == KEPT {
            self.asked.remove(0);
        }
        self.asked.push((id, now));
        Due::Check(id)
    }
}

fn every(rng: &mut Rng) -> Duration {
    EVERY.mul_f64(0.8 + 0.4 * rng.fraction())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(
        consent: &mut Consent,
        rng: &mut Rng,
        until: Instant,
        mut answers: impl FnMut(Instant) -> bool,
    ) -> (u32, Due) {
        let mut checks = 0;
        while let Some(now) = consent.next().filter(|at| *at <= until) {
            match consent.due(now, rng) {
                Due::Check(id) => {
                    checks += 1;
                    if answers(now) {
                        assert!(consent.answered(id, now));
                    }
                }
                Due::Nothing => {}
                over @ (Due::Dead | Due::Expired) => return (checks, over),
            }
        }
        (checks, Due::Nothing)
    }

    #[test]
    fn an_answered_way_is_asked_every_five_seconds_or_so() {
        let mut rng = Rng::from_number(1);
        let mut consent = Consent::new(Instant::ZERO, &mut rng);
        let (checks, over) = run(&mut consent, &mut rng, Instant::from_millis(600_000), |_| true);
        assert!(over == Due::Nothing && (105..=135).contains(&checks), "{checks}");
    }

    #[test]
    fn thirty_seconds_without_an_answer_end_it() {
        let mut rng = Rng::from_number(2);
        let mut consent = Consent::new(Instant::ZERO, &mut rng);
        let (_, over) = run(&mut consent, &mut rng, Instant::from_millis(29_999), |_| false);
        assert_eq!(over, Due::Nothing);
        let (_, over) = run(&mut consent, &mut rng, Instant::from_millis(30_001), |_| false);
        assert_eq!((over, consent.next()), (Due::Expired, None));
    }

    #[test]
    fn a_suspected_way_is_dead_after_a_second_and_one_answer_clears_it() {
        let mut rng = Rng::from_number(3);
        let mut consent = Consent::new(Instant::ZERO, &mut rng);
        consent.suspect(Instant::from_millis(1000));
        let mut first = true;
        let (_, over) =
            run(&mut consent, &mut rng, Instant::from_millis(4000), |_| std::mem::take(&mut first));
        assert_eq!(over, Due::Nothing);
        consent.suspect(Instant::from_millis(5000));
        let (checks, over) = run(&mut consent, &mut rng, Instant::from_millis(6001), |_| false);
        assert!(over == Due::Dead && checks == 5, "{checks}");
    }

    #[test]
    fn nobody_renews_it_by_an_answer_that_was_not_asked_for() {
        let mut rng = Rng::from_number(4);
        let mut consent = Consent::new(Instant::ZERO, &mut rng);
        assert!(!consent.answered(TransactionId([9; 12]), Instant::from_millis(10)));
    }
}
