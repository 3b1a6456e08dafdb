//! When a balance is asked for: after each call and when the person looks, never twice a minute, and ever more seldom while
//! nothing comes.

use std::time::Duration;

use base::Instant;

/// Between two questions, at least.
const SPACING: Duration = Duration::from_mins(1);
/// After the first failure; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_mins(1);
/// The longest pause, also of those that a server asks for (RFC 9110 section 10.2.3).
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// A switch charges a call some moments after its end.
const CHARGED: Duration = Duration::from_secs(2);

/// Why it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// A call has ended.
    CallEnded,
    /// The app has come to the front, or has started.
    Shown,
    /// The person wants to know: not before the spacing is over, but in spite of failures.
    Asked,
    /// A card was paid in, or perhaps was: at once, for now the person looks at it.
    ToppedUp,
}

/// When one account's balance is asked for.
///
/// ```text
///  Resting --occasion--> Due(at) --asked--> Asking --told--> Resting
///                                              `--failed--> Resting, Due(later) if it may mend itself
/// ```
#[derive(Clone, Debug, Default)]
pub struct Pace {
    due: Option<Instant>,
    asking: bool,
    asked: Option<Instant>,
    failures: u32,
    /// Not before, as failures have it.
    pause: Option<Instant>,
    /// Not before, as the server has it.
    held: Option<Instant>,
}

impl Pace {
    /// There is a reason to ask.
    pub fn occasion(&mut self, occasion: Occasion, now: Instant) {
        let spaced = self.asked.filter(|_| occasion != Occasion::ToppedUp).map_or(now, |it| it + SPACING);
        let (wished, in_spite) = match occasion {
            Occasion::CallEnded => (now + CHARGED, false),
            Occasion::Shown => (now, false),
            Occasion::Asked | Occasion::ToppedUp => (now, true),
        };
        let paused = self.pause.filter(|_| !in_spite).unwrap_or(now);
        let at = wished.max(spaced).max(paused).max(self.held.unwrap_or(now));
        // What was asked while a call ended may be from before it was charged: so the later one wins then.
        self.due = Some(match self.due {
            Some(due) if occasion != Occasion::CallEnded => due.min(at),
            _ => at,
        });
    }

    /// When to ask next, if at all.
    pub fn due(&self) -> Option<Instant> {
        self.due.filter(|_| !self.asking)
    }

    /// Whether it is time; then it is being asked, until [`Self::told`] or [`Self::failed`].
    pub fn begin(&mut self, now: Instant) -> bool {
        if self.due().is_none_or(|due| due > now) {
            return false;
        }
        (self.due, self.asking, self.asked) = (None, true, Some(now));
        true
    }

    /// A balance came.
    pub fn told(&mut self) {
        (self.asking, self.failures, self.pause, self.held) = (false, 0, None, None);
    }

    /// None came. `wait`: what the server wants to be waited for, if it says so; `mends`: whether it may come by itself.
    pub fn failed(&mut self, wait: Option<Duration>, mends: bool, now: Instant) {
        self.asking = false;
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(10)).max(wait.unwrap_or_default());
        let pause = pause.min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        self.pause = Some(now + pause);
        self.held = wait.map(|wait| now + wait.min(LONGEST_PAUSE));
        if mends && self.due.is_none() {
            self.due = self.pause;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(1000 + seconds)
    }

    #[test]
    fn it_is_asked_a_moment_after_a_call_and_never_twice_a_minute() {
        let mut pace = Pace::default();
        pace.occasion(Occasion::Shown, at(0));
        assert!(pace.begin(at(0)) && pace.due().is_none());
        pace.told();
        pace.occasion(Occasion::CallEnded, at(10));
        pace.occasion(Occasion::Asked, at(11));
        assert_eq!(pace.due(), Some(at(60)));
        assert!(!pace.begin(at(59)) && pace.begin(at(60)));
        pace.told();
        pace.occasion(Occasion::CallEnded, at(300));
        assert_eq!(pace.due(), Some(at(302)));
    }

    #[test]
    fn failures_make_it_rarer_and_a_server_that_wants_time_gets_it() {
        let mut pace = Pace::default();
        pace.occasion(Occasion::Shown, at(0));
        let mut now = at(0);
        let mut pauses = Vec::new();
        for _ in 0..8 {
            assert!(pace.begin(now));
            pace.failed(None, true, now);
            let next = pace.due().unwrap();
            pauses.push(next.since(now).as_secs() / 60);
            now = next;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        pace.told();
        pace.occasion(Occasion::Asked, now + MINUTE);
        assert!(pace.begin(now + MINUTE));
        pace.failed(Some(MINUTE * 7), true, now + MINUTE);
        assert_eq!(pace.due(), Some(now + MINUTE * 8));
        // Not for a person either: it was said by the one who is asked.
        pace.occasion(Occasion::Asked, now + MINUTE * 3);
        pace.occasion(Occasion::ToppedUp, now + MINUTE * 3);
        assert_eq!(pace.due(), Some(now + MINUTE * 8));
    }

    #[test]
    fn after_a_card_it_is_asked_at_once() {
        let mut pace = Pace::default();
        pace.occasion(Occasion::Shown, at(0));
        assert!(pace.begin(at(0)));
        pace.failed(None, true, at(0));
        pace.occasion(Occasion::ToppedUp, at(5));
        assert_eq!((pace.due(), pace.begin(at(5))), (Some(at(5)), true));
    }

    #[test]
    fn what_will_not_mend_itself_waits_for_the_person() {
        let mut pace = Pace::default();
        pace.occasion(Occasion::Shown, at(0));
        assert!(pace.begin(at(0)));
        pace.failed(None, false, at(0));
        assert_eq!(pace.due(), None);
        pace.occasion(Occasion::Shown, at(5));
        assert_eq!(pace.due(), Some(at(60)));
        pace.occasion(Occasion::Asked, at(70));
        assert_eq!(pace.due(), Some(at(60)));
    }
}
