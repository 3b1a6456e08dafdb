//! INVITE client transaction: one request out, responses in, until settled.
//!
//! RFC 3261 section 17.1.1, with the `Accepted` state of RFC 6026 section 7.2 and CANCEL's timing of RFC 3261 section 9.1.
//! Retransmits only over unreliable carriers. Knows nothing of dialogs; the ACK of a 2xx is the user's.

use std::time::Duration;

use base::Instant;
use bytes::Bytes;

use super::earlier;
use super::wire::{Turn, Wire};

/// ```text
///              | INVITE
///              V
///         +---------+  A: send again
///         | Calling |--- B, flow broken: tell ----------------+
///         +---------+                                         |
///    1xx    |  |  |                                           |
///     +-----+  |  +--------- 300-699: ACK ----+               |
///     V        | 2xx                          |               |
/// +------------+------+                       V               V
/// | Proceeding |------|---- 300-699: ACK -> +-----------+ D  +------------+
/// +------------+      |                     | Completed |--->| Terminated |
///   | 1xx   |   2xx   V                     +-----------+    +------------+
///   +-------+----> +----------+ M              300-699: ACK         ^
///                  | Accepted |-------------------------------------+
///                  +----------+ 2xx: to the user
/// ```
#[derive(Debug)]
enum State {
    /// Nothing has come back.
    Calling { again: Option<Instant>, interval: Duration, give_up: Instant },
    /// It rings or travels. `give_up` only once a CANCEL is out: till then the user decides how long.
    Proceeding { give_up: Option<Instant> },
    /// A 2xx came; more may, from other forks or again.
    Accepted { until: Instant },
    /// Another final came; whenever it comes again, so does its ACK.
    Completed { until: Instant, ack: Bytes },
    /// To be forgotten.
    Terminated,
}

/// What became of a response.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// For the user.
    Pass,
    /// Known already.
    Absorbed,
}

#[derive(Debug)]
pub(super) struct InviteClient {
    state: State,
    pub(super) wire: Wire,
    /// What ACK and CANCEL are made from; empty once neither can be needed.
    request: Bytes,
    /// Written, and waiting for a provisional. RFC 3261 section 9.1.
    cancel: Option<Bytes>,
}

impl InviteClient {
    pub(super) fn start(request: Bytes, wire: Wire, turn: &mut Turn<'_>) -> Self {
        turn.send(&wire, &request);
        let interval = turn.timing.t1;
        let again = (!wire.reliable).then(|| turn.now + interval);
        let state = State::Calling { again, interval, give_up: turn.now + turn.timing.patience() };
        Self { state, wire, request, cancel: None }
    }

    /// The request as sent.
    pub(super) fn request(&self) -> &Bytes {
        &self.request
    }

    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Takes a response. `ack` writes the ACK for a final that is not a 2xx.
    pub(super) fn response(
        &mut self,
        status: u16,
        ack: impl FnOnce(&Bytes) -> Option<Bytes>,
        turn: &mut Turn<'_>,
    ) -> Heard {
        match (&mut self.state, status) {
            (State::Calling { .. }, 100..=199) => {
                self.state = State::Proceeding { give_up: None };
                Heard::Pass
            }
            (State::Proceeding { .. }, 100..=199) => Heard::Pass,
            (State::Calling { .. } | State::Proceeding { .. }, 200..=299) => {
                self.state = State::Accepted { until: turn.now + turn.timing.patience() };
                self.request = Bytes::new();
                self.cancel = None;
                Heard::Pass
            }
            (State::Calling { .. } | State::Proceeding { .. }, _) => {
                let ack = ack(&self.request).unwrap_or_default();
                turn.send(&self.wire, &ack);
                self.request = Bytes::new();
                self.cancel = None;
                self.state = if self.wire.reliable {
                    State::Terminated
                } else {
                    State::Completed { until: turn.now + turn.timing.timer_d(), ack }
                };
                Heard::Pass
            }
            (State::Accepted { .. }, 200..=299) => Heard::Pass,
            (State::Completed { ack, .. }, 300..) => {
                turn.counters.repeated += 1;
                turn.send_again(&self.wire, ack);
                Heard::Absorbed
            }
            (State::Accepted { .. } | State::Completed { .. } | State::Terminated, _) => {
                turn.counters.repeated += 1;
                Heard::Absorbed
            }
        }
    }

    /// Wants the request cancelled; `cancel` is sent by [`InviteClient::take_cancel`]. `false`: it is settled already.
    pub(super) fn cancel(&mut self, cancel: Bytes) -> bool {
        match self.state {
            State::Calling { .. } | State::Proceeding { give_up: None } => {
                self.cancel = Some(cancel);
                true
            }
            State::Proceeding { give_up: Some(_) }
            | State::Accepted { .. }
            | State::Completed { .. }
            | State::Terminated => false,
        }
    }

    /// The CANCEL, once, when its time has come. From then on the final response is awaited no longer than 64 T1.
    pub(super) fn take_cancel(&mut self, turn: &Turn<'_>) -> Option<Bytes> {
        match &mut self.state {
            State::Proceeding { give_up } => {
                let cancel = self.cancel.take()?;
                *give_up = Some(turn.now + turn.timing.patience());
                Some(cancel)
            }
            State::Calling { .. } | State::Accepted { .. } | State::Completed { .. } | State::Terminated => {
                None
            }
        }
    }

    /// Takes the time. `true`: it has run out, and the user is to be told.
    pub(super) fn due(&mut self, turn: &mut Turn<'_>) -> bool {
        match &mut self.state {
            State::Calling { give_up, .. } | State::Proceeding { give_up: Some(give_up) }
                if *give_up <= turn.now =>
            {
                self.state = State::Terminated;
                true
            }
            State::Calling { again: Some(again), interval, .. } if *again <= turn.now => {
                // Not bounded by T2, unlike everything else. RFC 3261 section 17.1.1.2.
                *interval *= 2;
                *again = turn.now + *interval;
                turn.send_again(&self.wire, &self.request);
                false
            }
            State::Accepted { until } | State::Completed { until, .. } if *until <= turn.now => {
                self.state = State::Terminated;
                false
            }
            State::Calling { .. }
            | State::Proceeding { .. }
            | State::Accepted { .. }
            | State::Completed { .. }
            | State::Terminated => false,
        }
    }

    /// The flow broke. `true`: before the final response.
    pub(super) fn broken(&mut self) -> bool {
        match self.state {
            State::Calling { .. } | State::Proceeding { .. } => {
                self.state = State::Terminated;
                true
            }
            State::Accepted { .. } | State::Completed { .. } | State::Terminated => false,
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Calling { again, give_up, .. } => earlier(*again, Some(*give_up)),
            State::Proceeding { give_up } => *give_up,
            State::Accepted { until } | State::Completed { until, .. } => Some(*until),
            // At once: `due` is what makes it be forgotten.
            State::Terminated => Some(Instant::ZERO),
        }
    }

    /// What the deadline is for.
    pub(super) fn why(&self) -> &'static str {
        match &self.state {
            State::Calling { again, give_up, .. } => {
                if again.is_some_and(|a| a < *give_up) {
                    "timer A"
                } else {
                    "timer B"
                }
            }
            State::Proceeding { .. } => "cancelled INVITE",
            State::Accepted { .. } => "timer M",
            State::Completed { .. } => "timer D",
            State::Terminated => "finished transaction",
        }
    }

    pub(super) fn is_over(&self) -> bool {
        match self.state {
            State::Terminated => true,
            State::Calling { .. }
            | State::Proceeding { .. }
            | State::Accepted { .. }
            | State::Completed { .. } => false,
        }
    }
}
