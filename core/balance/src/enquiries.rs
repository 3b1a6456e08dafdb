//! When a provider is asked how long the money lasts to a number: once the person has stopped typing it, at once when it is
//! dialled; not again while the answer is fresh, and ever more seldom while nothing comes.
//!
//! Holds up no call: who dials asks here, and dials. Knows not how it is asked.

use std::collections::VecDeque;
use std::time::Duration;

use base::Instant;

use crate::time_left::TimeLeft;

/// A number is still being typed until nothing is for so long.
const TYPING: Duration = Duration::from_millis(800);
/// Between two questions, at least.
const SPACING: Duration = Duration::from_secs(3);
/// An answer is true for so long: what it was told from moves with each call.
const FRESH: Duration = Duration::from_secs(60);
/// After the first failure; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// The longest pause, also of those that a server asks for (RFC 9110 section 10.2.3).
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// A question that could not be put for so long is nobody's any more: the call is up or over.
const PATIENCE: Duration = Duration::from_secs(20);
/// Numbers whose answers are kept.
const MOST_KEPT: usize = 16;

/// The questions of one account about numbers.
///
/// ```text
///  Resting --typed, dialled--> Due(at) --begin--> Asking --told--> Resting, fresh for a minute
///     ^                          | too late         `----failed--> Resting, none before a pause is over
///     `--------------------------'
/// ```
#[derive(Clone, Debug, Default)]
pub struct Enquiries {
    /// The number, since when it is wanted, and not before when.
    wanted: Option<(String, Instant, Instant)>,
    asking: Option<String>,
    asked: Option<Instant>,
    failures: u32,
    /// Not before, as failures and servers have it.
    pause: Option<Instant>,
    /// The oldest first.
    kept: VecDeque<(String, TimeLeft, Instant)>,
}

impl Enquiries {
    /// That is what has been typed by now; the one before is not asked about any more.
    pub fn typed(&mut self, number: &str, now: Instant) {
        self.want(number, now + TYPING, now);
    }

    /// It is called, or the person wants to know.
    pub fn dialled(&mut self, number: &str, now: Instant) {
        self.want(number, now, now);
    }

    fn want(&mut self, number: &str, at: Instant, now: Instant) {
        let known = self.known(number, now).is_some() || self.asking.as_deref() == Some(number);
        self.wanted = (!known && !number.is_empty()).then(|| (number.to_owned(), now, at));
    }

    /// What was told of that number, if it is still fresh.
    pub fn known(&self, number: &str, now: Instant) -> Option<TimeLeft> {
        let (_, left, told) = self.kept.iter().rev().find(|(kept, ..)| kept == number)?;
        (now.since(*told) < FRESH).then_some(*left)
    }

    /// When to ask next, if at all.
    pub fn due(&self) -> Option<Instant> {
        let (_, _, at) = self.wanted.as_ref().filter(|_| self.asking.is_none())?;
        let spaced = self.asked.map_or(*at, |asked| asked + SPACING);
        Some((*at).max(spaced).max(self.pause.unwrap_or(*at)))
    }

    /// The number to ask about now; then it is being asked, until [`Self::told`] or [`Self::failed`].
    pub fn begin(&mut self, now: Instant) -> Option<String> {
        if self.due().is_none_or(|due| due > now) {
            return None;
        }
        let (number, since, _) = self.wanted.take()?;
        if now.since(since) > PATIENCE {
            return None;
        }
        self.asked = Some(now);
        self.asking = Some(number.clone());
        Some(number)
    }

    /// It is enough for so long.
    pub fn told(&mut self, left: TimeLeft, now: Instant) {
        let Some(number) = self.asking.take() else { return };
        (self.failures, self.pause) = (0, None);
        self.kept.retain(|(kept, ..)| *kept != number);
        if self.kept.len() == MOST_KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back((number, left, now));
    }

    /// Nothing was told. `wait`: what the server wants to be waited for, if it says so. It is not asked again by itself.
    pub fn failed(&mut self, wait: Option<Duration>, now: Instant) {
        self.asking = None;
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(10)).max(wait.unwrap_or_default());
        self.failures = self.failures.saturating_add(1);
        self.pause = Some(now + pause.min(LONGEST_PAUSE));
    }

    /// The provider said no to this number, which is an answer.
    pub fn refused(&mut self) {
        self.asking = None;
        (self.failures, self.pause) = (0, None);
    }

    /// The money has moved: nothing that was told is true any more.
    pub fn forget(&mut self) {
        self.kept.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(1000) + Duration::from_millis(millis)
    }

    const LEFT: TimeLeft = TimeLeft { seconds: 600 };

    #[test]
    fn a_number_is_asked_about_when_typing_has_stopped_and_at_once_when_it_is_dialled() {
        let mut them = Enquiries::default();
        for (n, typed) in ["0", "03", "030"].iter().enumerate() {
            them.typed(typed, at(n as u64 * 500));
        }
        assert_eq!((them.begin(at(1_700)), them.due()), (None, Some(at(1_800))));
        assert_eq!(them.begin(at(1_800)).as_deref(), Some("030"));
        them.told(LEFT, at(1_900));
        // It is dialled then: what was told is fresh, and nothing is asked.
        them.dialled("030", at(4_000));
        assert_eq!((them.due(), them.known("030", at(4_000))), (None, Some(LEFT)));
        assert_eq!(them.known("03", at(4_000)), None);
        them.dialled("040", at(4_000));
        assert_eq!((them.due(), them.begin(at(4_800)).as_deref()), (Some(at(4_800)), Some("040")));
    }

    #[test]
    fn an_answer_is_asked_for_again_when_it_is_a_minute_old_or_the_money_has_moved() {
        let mut them = Enquiries::default();
        let ask = |them: &mut Enquiries, now| {
            them.dialled("1", now);
            let asked = them.begin(now).is_some();
            if asked {
                them.told(LEFT, now);
            }
            asked
        };
        assert!(ask(&mut them, at(0)));
        assert!(!ask(&mut them, at(59_999)));
        assert!(ask(&mut them, at(60_000)));
        them.forget();
        assert!(ask(&mut them, at(70_000)));
    }

    #[test]
    fn failures_make_it_rarer_a_server_that_wants_time_gets_it_and_old_questions_are_dropped() {
        let mut them = Enquiries::default();
        let mut now = at(0);
        for pause in [10, 20, 40] {
            them.dialled("1", now);
            assert!(them.begin(now).is_some() && them.due().is_none());
            them.failed(None, now);
            them.dialled("1", now);
            now += Duration::from_secs(pause);
            assert_eq!(them.due(), Some(now));
        }
        them.dialled("1", now);
        assert!(them.begin(now).is_some());
        them.failed(Some(Duration::from_secs(u64::MAX)), now);
        them.dialled("1", now);
        let hour = now + LONGEST_PAUSE;
        assert_eq!((them.due(), them.begin(hour), them.due()), (Some(hour), None, None));
        them.dialled("1", hour);
        assert!(them.begin(hour).is_some());
        them.refused();
        them.dialled("2", hour);
        assert_eq!(them.due(), Some(hour + SPACING));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut them = Enquiries::default();
        for n in 0..100 {
            let now = at(n * 4_000);
            them.dialled(&n.to_string(), now);
            assert!(them.begin(now).is_some());
            them.told(LEFT, now);
        }
        assert_eq!(them.kept.len(), MOST_KEPT);
        assert_eq!(them.known("99", at(99 * 4_000)), Some(LEFT));
    }
}
