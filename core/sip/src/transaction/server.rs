//! Server transaction of everything but INVITE.
//!
//! RFC 3261 section 17.2.2, with RFC 4320: no provisional but 100, that not before the client's timer E is at T2 (unless the
//! carrier is reliable), and never a 408. What the user has not answered after 64 T1 nobody waits for: it ends unanswered.

use base::Instant;
use bytes::Bytes;

use super::earlier;
use super::wire::{Turn, Wire};

/// ```text
///               | request: to the user
///               V
///          +--------+  request: absorbed
///          | Trying |------------- 64 T1 ---------+
///          +--------+                             |
///   100      |    | 200-699 from the user         |
///   by RFC   |    +------+                        |
///   4320     V           |                        V
///    +------------+      V                  +------------+
///    | Proceeding |  +-----------+    J     | Terminated |
///    +------------+->| Completed |--------->+------------+
///    request: 100    +-----------+                ^
///    again |         request: final again         |
///          +----------------- 64 T1 --------------+
/// ```
#[derive(Debug)]
enum State {
    /// Nothing has been said. `trying`: when the 100 is due; `None` when nothing ever will be.
    Trying { trying: Option<Instant>, give_up: Instant },
    /// A 100 was said.
    Proceeding { last: Bytes, give_up: Instant },
    /// Answered; says it again when asked again.
    Completed { last: Bytes, until: Instant },
    /// To be forgotten.
    Terminated,
}

#[derive(Debug)]
pub(super) struct Server {
    state: State,
    pub(super) wire: Wire,
}

impl Server {
    pub(super) fn start(wire: Wire, turn: &Turn<'_>) -> Self {
        let trying = Some(turn.now + turn.timing.until_t2());
        Self { state: State::Trying { trying, give_up: turn.now + turn.timing.patience() }, wire }
    }

    /// The user's response. `false`: not sent, for it comes too late or RFC 4320 forbids it.
    pub(super) fn respond(&mut self, status: u16, response: Bytes, turn: &mut Turn<'_>) -> bool {
        match (&mut self.state, status) {
            (State::Trying { give_up, .. } | State::Proceeding { give_up, .. }, 100) => {
                let give_up = *give_up;
                if self.wire.reliable {
                    turn.send(&self.wire, &response);
                    self.state = State::Proceeding { last: response, give_up };
                }
                // Over an unreliable carrier the 100 goes out by itself when its time has come.
                self.wire.reliable
            }
            (State::Trying { trying, .. }, 408) => {
                *trying = None;
                false
            }
            (State::Trying { .. } | State::Proceeding { .. }, 101..=199 | 408) => false,
            (State::Trying { .. } | State::Proceeding { .. }, _) => {
                turn.send(&self.wire, &response);
                self.state = if self.wire.reliable {
                    State::Terminated
                } else {
                    State::Completed { last: response, until: turn.now + turn.timing.patience() }
                };
                true
            }
            (State::Completed { .. } | State::Terminated, _) => false,
        }
    }

    /// The user will not answer: it ends in silence.
    pub(super) fn abandon(&mut self) {
        if let State::Trying { trying, .. } = &mut self.state {
            *trying = None;
        }
    }

    /// The request came again.
    pub(super) fn repeated(&mut self, turn: &mut Turn<'_>) {
        turn.counters.repeated += 1;
        match &self.state {
            State::Proceeding { last, .. } | State::Completed { last, .. } => {
                turn.send_again(&self.wire, last);
            }
            State::Trying { .. } | State::Terminated => {}
        }
    }

    /// Takes the time; `trying` writes the 100.
    pub(super) fn due(&mut self, trying: impl FnOnce() -> Bytes, turn: &mut Turn<'_>) {
        match &self.state {
            State::Trying { give_up, .. } | State::Proceeding { give_up, .. } if *give_up <= turn.now => {
                self.state = State::Terminated;
            }
            State::Trying { trying: Some(at), give_up } if *at <= turn.now => {
                let last = trying();
                turn.send(&self.wire, &last);
                self.state = State::Proceeding { last, give_up: *give_up };
            }
            State::Completed { until, .. } if *until <= turn.now => self.state = State::Terminated,
            State::Trying { .. } | State::Proceeding { .. } | State::Completed { .. } | State::Terminated => {
            }
        }
    }

    /// Whether a 100 may still have to be written from the request.
    pub(super) fn needs_request(&self) -> bool {
        matches!(self.state, State::Trying { trying: Some(_), .. })
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Trying { trying, give_up } => earlier(*trying, Some(*give_up)),
            State::Proceeding { give_up, .. } => Some(*give_up),
            State::Completed { until, .. } => Some(*until),
            // At once: `due` is what makes it be forgotten.
            State::Terminated => Some(Instant::ZERO),
        }
    }

    /// What the deadline is for.
    pub(super) fn why(&self) -> &'static str {
        match &self.state {
            State::Trying { trying: Some(_), .. } => "100 to non-INVITE",
            State::Trying { trying: None, .. } | State::Proceeding { .. } => "unanswered request",
            State::Completed { .. } => "timer J",
            State::Terminated => "finished transaction",
        }
    }

    pub(super) fn is_over(&self) -> bool {
        match self.state {
            State::Terminated => true,
            State::Trying { .. } | State::Proceeding { .. } | State::Completed { .. } => false,
        }
    }
}
