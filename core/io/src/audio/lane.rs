//! One device, microphone or loudspeaker: when to open it, when to try again, when to tell a person.
//!
//! ```text
//!  Closed --want--> Asked --opened--> Open --lost--> Asked, or when it never stood for long, Waiting
//!                     ^ \--failed--> Waiting --due--> Asked
//!                     |                  \--too often--> GivenUp --want--> Asked
//! ```
//! A pause before each try, and only so many tries: the app asks again when a permission or a device comes. When it is
//! wanted no more it is thrown away. Knows neither devices nor threads; time is told.

use std::time::Duration;

use base::Instant;

/// Pauses before the tries that follow a failed one.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];
/// Failures in a row after which a person is told: not the first, for a device is often back in a moment.
const TELL_AT: usize = 2;
/// A device that was open this long worked: what follows is another trouble.
const STEADY: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Asked,
    Open { since: Instant },
    Waiting { until: Instant },
    GivenUp,
}

#[derive(Debug)]
pub(super) struct Lane {
    state: State,
    /// Since it last worked.
    failures: usize,
    /// Another try was asked for while one was under way.
    again: bool,
}

impl Lane {
    pub(super) const fn new() -> Self {
        Self { state: State::Closed, failures: 0, again: false }
    }

    /// It is wanted, or wanted anew on another device. Says whether to ask for it now.
    pub(super) fn want(&mut self) -> bool {
        self.failures = 0;
        self.again = self.state == State::Asked;
        self.state = State::Asked;
        !self.again
    }

    /// It was opened. Says whether to ask for it once more all the same.
    pub(super) fn opened(&mut self, now: Instant) -> bool {
        if !std::mem::take(&mut self.again) {
            self.state = State::Open { since: now };
            return false;
        }
        true
    }

    /// It could not be opened. Says whether to tell a person.
    pub(super) fn failed(&mut self, now: Instant) -> bool {
        if std::mem::take(&mut self.again) {
            self.state = State::Waiting { until: now };
            return false;
        }
        self.failures += 1;
        self.state = match PAUSES.get(self.failures - 1) {
            Some(pause) => State::Waiting { until: now + *pause },
            None => State::GivenUp,
        };
        self.failures == TELL_AT
    }

    /// It is gone: pulled out, or taken by the system. Says whether to tell a person.
    pub(super) fn lost(&mut self, now: Instant) -> bool {
        match self.state {
            State::Open { since } if now.since(since) >= STEADY => {
                self.failures = 0;
                self.state = State::Waiting { until: now };
                false
            }
            State::Open { .. } => self.failed(now),
            State::Closed | State::Asked | State::Waiting { .. } | State::GivenUp => false,
        }
    }

    /// Whether it is time to ask for it again; then it counts as asked for.
    pub(super) fn due(&mut self, now: Instant) -> bool {
        let due = matches!(self.state, State::Waiting { until } if until <= now);
        if due {
            self.state = State::Asked;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(ms)
    }

    #[test]
    fn one_that_cannot_be_opened_is_told_once_and_given_up_after_so_many_tries() {
        let mut lane = Lane::new();
        assert!(lane.want());
        let (mut told, mut tries) = (0, 1);
        for ms in 0..60_000 {
            told += usize::from(lane.state == State::Asked && lane.failed(at(ms)));
            tries += usize::from(lane.due(at(ms)));
        }
        assert_eq!((told, tries, lane.state), (1, 1 + PAUSES.len(), State::GivenUp));
        assert!(lane.want(), "until somebody asks");
    }

    #[test]
    fn one_that_worked_is_asked_for_at_once_when_lost_and_nobody_is_told() {
        let mut lane = Lane::new();
        lane.want();
        assert!(!lane.opened(at(0)));
        assert!(!lane.lost(at(5000)) && lane.due(at(5000)));
        assert!(!lane.failed(at(5001)), "the system may need a moment");
        assert!(!lane.due(at(5200)) && lane.due(at(5201)));
    }

    #[test]
    fn one_that_comes_and_goes_counts_as_failing() {
        let mut lane = Lane::new();
        lane.want();
        let mut tries = 0;
        for ms in 0..60_000 {
            if lane.state == State::Asked {
                tries += 1;
                lane.opened(at(ms));
                lane.lost(at(ms + 1));
            }
            lane.due(at(ms));
        }
        assert_eq!((tries, lane.state), (1 + PAUSES.len(), State::GivenUp));
    }

    #[test]
    fn wishes_while_it_is_being_opened_become_one_more_try() {
        for opened in [true, false] {
            let mut lane = Lane::new();
            assert!(lane.want());
            assert!(!lane.want() && !lane.want());
            if opened {
                assert!(lane.opened(at(0)), "on the device wished for last");
            } else {
                assert!(!lane.failed(at(0)) && lane.due(at(0)));
            }
            assert!(!lane.opened(at(1)));
        }
    }
}
