//! INVITE server transaction: one request in, the user's responses out, until it is acknowledged.
//!
//! RFC 3261 section 17.2.1, with the `Accepted` state of RFC 6026 section 7.1. A 2xx is repeated by the user, not here: only
//! the user sees its ACK. A broken flow does not end it (RFC 6026 section 7.1), else a repeated INVITE would ring again.

use std::time::Duration;

use base::Instant;
use bytes::Bytes;

use super::earlier;
use super::wire::{Turn, Wire};

/// How long the user may be silent before a 100 says that someone is at it. RFC 3261 section 17.2.1.
const TRYING_AFTER: Duration = Duration::from_millis(200);

/// ```text
///                | INVITE: to the user
///                V
///        +------------+  INVITE: last response again
///        | Proceeding |  100 after 200 ms
///        +------------+  1xx from the user
///    300-699 |   | 2xx
///      +-----+   +----------------+
///      V                          V
/// +-----------+              +----------+  INVITE: absorbed
/// | Completed | G: again     | Accepted |  ACK: to the user
/// +-----------+ INVITE:again +----------+  2xx from the user
///   ACK |   | H                   | L
///       V   +--------+            |
/// +-----------+      V            |
/// | Confirmed | I +------------+  |
/// +-----------+-->| Terminated |<-+
///                 +------------+
/// ```
#[derive(Debug)]
enum State {
    /// The user has not decided. `trying`: when a 100 is due, if nothing was said.
    Proceeding { trying: Option<Instant>, last: Option<Bytes> },
    /// Refused; said again until the ACK.
    Completed { last: Bytes, again: Option<Instant>, interval: Duration, give_up: Instant },
    /// The refusal is acknowledged; absorbs what comes again.
    Confirmed { until: Instant },
    /// The user took it.
    Accepted { until: Instant },
    /// To be forgotten.
    Terminated,
}

/// What became of an ACK.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Acked {
    /// It belongs to a 2xx: for the user.
    Pass,
    /// It was for us, or repeated.
    Absorbed,
}

#[derive(Debug)]
pub(super) struct InviteServer {
    state: State,
    pub(super) wire: Wire,
}

impl InviteServer {
    pub(super) fn start(wire: Wire, now: Instant) -> Self {
        Self { state: State::Proceeding { trying: Some(now + TRYING_AFTER), last: None }, wire }
    }

    /// The user's response. `false`: not sent, for it comes too late.
    pub(super) fn respond(&mut self, status: u16, response: Bytes, turn: &mut Turn<'_>) -> bool {
        match &mut self.state {
            State::Proceeding { trying, last } => {
                turn.send(&self.wire, &response);
                match status {
                    ..=199 => {
                        *trying = None;
                        *last = Some(response);
                    }
                    200..=299 => self.state = State::Accepted { until: turn.now + turn.timing.patience() },
                    300.. => {
                        let interval = turn.timing.t1;
                        let again = (!self.wire.reliable).then(|| turn.now + interval);
                        let give_up = turn.now + turn.timing.patience();
                        self.state = State::Completed { last: response, again, interval, give_up };
                    }
                }
                true
            }
            State::Accepted { .. } if (200..300).contains(&status) => {
                turn.send(&self.wire, &response);
                true
            }
            State::Accepted { .. }
            | State::Completed { .. }
            | State::Confirmed { .. }
            | State::Terminated => false,
        }
    }

    /// The INVITE came again.
    pub(super) fn repeated(&mut self, trying: impl FnOnce() -> Bytes, turn: &mut Turn<'_>) {
        turn.counters.repeated += 1;
        match &mut self.state {
            State::Proceeding { last: Some(last), .. } | State::Completed { last, .. } => {
                turn.send_again(&self.wire, last);
            }
            // It is impatient already: no use in waiting for the 200 ms.
            State::Proceeding { last: None, .. } => self.say_trying(trying, turn),
            State::Accepted { .. } | State::Confirmed { .. } | State::Terminated => {}
        }
    }

    pub(super) fn ack(&mut self, turn: &mut Turn<'_>) -> Acked {
        match self.state {
            State::Completed { .. } => {
                self.state = if self.wire.reliable {
                    State::Terminated
                } else {
                    State::Confirmed { until: turn.now + turn.timing.t4 }
                };
                Acked::Absorbed
            }
            State::Accepted { .. } => Acked::Pass,
            State::Proceeding { .. } | State::Confirmed { .. } | State::Terminated => {
                turn.counters.repeated += 1;
                Acked::Absorbed
            }
        }
    }

    /// Takes the time; `trying` writes the 100.
    pub(super) fn due(&mut self, trying: impl FnOnce() -> Bytes, turn: &mut Turn<'_>) {
        match &mut self.state {
            State::Proceeding { trying: Some(at), .. } => {
                if *at <= turn.now {
                    self.say_trying(trying, turn);
                }
            }
            State::Completed { last, again, interval, give_up } => {
                if *give_up <= turn.now {
                    self.state = State::Terminated;
                } else if again.is_some_and(|again| again <= turn.now) {
                    *interval = turn.timing.next_interval(*interval);
                    *again = Some(turn.now + *interval);
                    turn.send_again(&self.wire, last);
                }
            }
            State::Confirmed { until } | State::Accepted { until } => {
                if *until <= turn.now {
                    self.state = State::Terminated;
                }
            }
            State::Proceeding { trying: None, .. } | State::Terminated => {}
        }
    }

    fn say_trying(&mut self, trying: impl FnOnce() -> Bytes, turn: &mut Turn<'_>) {
        let trying = trying();
        turn.send(&self.wire, &trying);
        self.state = State::Proceeding { trying: None, last: Some(trying) };
    }

    /// Whether a 100 may still have to be written from the request.
    pub(super) fn needs_request(&self) -> bool {
        matches!(self.state, State::Proceeding { last: None, .. })
    }

    /// The refusal that waits for its ACK.
    pub(super) fn refusal(&self) -> Option<&Bytes> {
        match &self.state {
            State::Completed { last, .. } => Some(last),
            State::Proceeding { .. }
            | State::Confirmed { .. }
            | State::Accepted { .. }
            | State::Terminated => None,
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Proceeding { trying, .. } => *trying,
            State::Completed { again, give_up, .. } => earlier(*again, Some(*give_up)),
            State::Confirmed { until } | State::Accepted { until } => Some(*until),
            // At once: `due` is what makes it be forgotten.
            State::Terminated => Some(Instant::ZERO),
        }
    }

    /// What the deadline is for.
    pub(super) fn why(&self) -> &'static str {
        match &self.state {
            State::Proceeding { .. } => "100 Trying",
            State::Completed { again, give_up, .. } => {
                if again.is_some_and(|a| a < *give_up) {
                    "timer G"
                } else {
                    "timer H"
                }
            }
            State::Confirmed { .. } => "timer I",
            State::Accepted { .. } => "timer L",
            State::Terminated => "finished transaction",
        }
    }

    pub(super) fn is_over(&self) -> bool {
        match self.state {
            State::Terminated => true,
            State::Proceeding { .. }
            | State::Completed { .. }
            | State::Confirmed { .. }
            | State::Accepted { .. } => false,
        }
    }
}
