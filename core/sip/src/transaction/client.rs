//! Client transaction of everything but INVITE (and ACK, which has none).
//!
//! RFC 3261 section 17.1.2. Retransmits only over unreliable carriers.

use std::time::Duration;

use base::Instant;
use bytes::Bytes;

use super::earlier;
use super::invite_client::Heard;
use super::wire::{Turn, Wire};

/// ```text
///              | request
///              V
///         +---------+  E: send again
///         | Trying  |--- F, flow broken: tell ---+
///         +---------+                            |
///     1xx   |     | 200-699                      |
///           V     +---------+                    |
///    +------------+         |                    V
///    | Proceeding | 200-699 V                +------------+
///    +------------+---> +-----------+   K    | Terminated |
///  E: send again  |     | Completed |------> +------------+
///                 |     +-----------+             ^
///                 +---- F, flow broken: tell -----+
/// ```
#[derive(Debug)]
enum State {
    /// Nothing has come back.
    Trying(Patience),
    /// Someone is at it: send again only every T2.
    Proceeding(Patience),
    /// Answered; absorbs what comes again.
    Completed { until: Instant },
    /// To be forgotten.
    Terminated,
}

#[derive(Clone, Copy, Debug)]
struct Patience {
    again: Option<Instant>,
    interval: Duration,
    give_up: Instant,
}

#[derive(Debug)]
pub(super) struct Client {
    state: State,
    wire: Wire,
    /// Empty once it need not be sent again.
    request: Bytes,
}

impl Client {
    pub(super) fn start(request: Bytes, wire: Wire, turn: &mut Turn<'_>) -> Self {
        turn.send(&wire, &request);
        let interval = turn.timing.t1;
        let again = (!wire.reliable).then(|| turn.now + interval);
        let patience = Patience { again, interval, give_up: turn.now + turn.timing.patience() };
        Self { state: State::Trying(patience), wire, request }
    }

    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }

    pub(super) fn response(&mut self, status: u16, turn: &mut Turn<'_>) -> Heard {
        match (&self.state, status) {
            (State::Trying(patience), 100..=199) => {
                self.state = State::Proceeding(*patience);
                Heard::Pass
            }
            (State::Proceeding(_), 100..=199) => Heard::Pass,
            (State::Trying(_) | State::Proceeding(_), _) => {
                self.request = Bytes::new();
                self.state = if self.wire.reliable {
                    State::Terminated
                } else {
                    State::Completed { until: turn.now + turn.timing.t4 }
                };
                Heard::Pass
            }
            (State::Completed { .. } | State::Terminated, _) => {
                turn.counters.repeated += 1;
                Heard::Absorbed
            }
        }
    }

    /// Takes the time. `true`: it has run out, and the user is to be told.
    pub(super) fn due(&mut self, turn: &mut Turn<'_>) -> bool {
        let proceeding = matches!(self.state, State::Proceeding(_));
        match &mut self.state {
            State::Trying(p) | State::Proceeding(p) => {
                if p.give_up <= turn.now {
                    self.state = State::Terminated;
                    return true;
                }
                if p.again.is_some_and(|again| again <= turn.now) {
                    p.interval =
                        if proceeding { turn.timing.t2 } else { turn.timing.next_interval(p.interval) };
                    p.again = Some(turn.now + p.interval);
                    turn.send_again(&self.wire, &self.request);
                }
            }
            State::Completed { until } => {
                if *until <= turn.now {
                    self.state = State::Terminated;
                }
            }
            State::Terminated => {}
        }
        false
    }

    /// The flow broke. `true`: before the final response.
    pub(super) fn broken(&mut self) -> bool {
        match self.state {
            State::Trying(_) | State::Proceeding(_) => {
                self.state = State::Terminated;
                true
            }
            State::Completed { .. } | State::Terminated => false,
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Trying(p) | State::Proceeding(p) => earlier(p.again, Some(p.give_up)),
            State::Completed { until } => Some(*until),
            // At once: `due` is what makes it be forgotten.
            State::Terminated => Some(Instant::ZERO),
        }
    }

    /// What the deadline is for.
    pub(super) fn why(&self) -> &'static str {
        match &self.state {
            State::Trying(p) | State::Proceeding(p) => {
                if p.again.is_some_and(|a| a < p.give_up) {
                    "timer E"
                } else {
                    "timer F"
                }
            }
            State::Completed { .. } => "timer K",
            State::Terminated => "finished transaction",
        }
    }

    pub(super) fn is_over(&self) -> bool {
        match self.state {
            State::Terminated => true,
            State::Trying(_) | State::Proceeding(_) | State::Completed { .. } => false,
        }
    }
}
