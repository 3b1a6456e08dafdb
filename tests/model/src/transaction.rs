//! What one transaction may tell its user and do on the wire. RFC 3261 section 17, RFC 6026, RFC 4320.

use bytes::Bytes;

/// Milliseconds since the history began.
pub type Ms = u64;

/// 64 T1, with the usual T1.
pub const PATIENCE: Ms = 32_000;

/// T4.
pub const T4: Ms = 5000;

/// What a client transaction told its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// A response.
    Response(u16),
    /// Nobody answered.
    TimedOut,
    /// The flow broke.
    Unreachable,
    /// It is gone.
    Finished,
}

/// The user's view of a client transaction.
#[derive(Clone, Debug)]
pub struct ClientModel {
    invite: bool,
    reliable: bool,
    began: Ms,
    view: View,
    sent: Vec<Ms>,
    provisional_heard: bool,
    cancel_wanted: bool,
    cancels: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    Open,
    /// An INVITE with a 2xx: more may follow.
    Taken(Ms),
    /// Another final.
    Settled(Ms),
    /// No final will come.
    Lost,
    Gone,
}

impl ClientModel {
    /// A request that is about to be sent.
    pub fn new(invite: bool, reliable: bool, began: Ms) -> Self {
        Self {
            invite,
            reliable,
            began,
            view: View::Open,
            sent: Vec::new(),
            provisional_heard: false,
            cancel_wanted: false,
            cancels: 0,
        }
    }

    /// Whether the transaction is gone.
    pub fn is_gone(&self) -> bool {
        self.view == View::Gone
    }

    /// Whether only the user can end it: an INVITE that rings and is not cancelled.
    pub fn waits_for_user(&self) -> bool {
        self.invite && self.view == View::Open && self.provisional_heard && self.cancels == 0
    }

    /// The user cancels.
    pub fn want_cancel(&mut self) {
        self.cancel_wanted |= self.view == View::Open;
    }

    /// Takes what the user was told.
    ///
    /// # Errors
    /// It is against the rules; which, in a sentence.
    pub fn told(&mut self, told: Told, now: Ms) -> Result<(), String> {
        let next = match (self.view, told) {
            (View::Open, Told::Response(100..=199)) => {
                self.provisional_heard = true;
                View::Open
            }
            (View::Open, Told::Response(200..=299)) if self.invite => View::Taken(now),
            (View::Open, Told::Response(_)) => View::Settled(now),
            (View::Open, Told::TimedOut) if now >= self.began + PATIENCE => View::Lost,
            (View::Open, Told::Unreachable) => View::Lost,
            (View::Taken(since), Told::Response(200..=299)) => View::Taken(since),
            (View::Taken(since), Told::Finished) if now >= since + PATIENCE => View::Gone,
            (View::Settled(since), Told::Finished) if now >= since + self.lingers() => View::Gone,
            (View::Lost, Told::Finished) => View::Gone,
            (view, told) => return Err(format!("{told:?} told at {now} while {view:?}")),
        };
        self.view = next;
        Ok(())
    }

    fn lingers(&self) -> Ms {
        match (self.reliable, self.invite) {
            (true, _) => 0,
            (false, true) => PATIENCE,
            (false, false) => T4,
        }
    }

    /// Takes one sending of the request itself.
    ///
    /// # Errors
    /// It was sent when it must not be.
    pub fn sent(&mut self, now: Ms) -> Result<(), String> {
        let after = now - self.began;
        if self.view != View::Open {
            return Err(format!("sent again at {now} though settled"));
        }
        if self.reliable && !self.sent.is_empty() {
            return Err(format!("sent again over a reliable carrier at {now}"));
        }
        if self.invite && self.provisional_heard {
            return Err(format!("INVITE sent again at {now} though a provisional came"));
        }
        // 500 ms times 2^n - 1: each pause is double the one before.
        if self.invite && !(0..7).any(|n| after == 500 * ((1 << n) - 1)) {
            return Err(format!("INVITE sent {after} ms after the first"));
        }
        if self.sent.last().is_some_and(|last| now < last + 500) || after >= PATIENCE {
            return Err(format!("sent at {after} ms, before that at {:?}", self.sent));
        }
        self.sent.push(now);
        Ok(())
    }

    /// Takes one first sending of its CANCEL. RFC 3261 section 9.1.
    ///
    /// # Errors
    /// It was not wanted, not yet allowed, or too late.
    pub fn cancel_sent(&mut self, provisional_delivered: bool) -> Result<(), String> {
        self.cancels += 1;
        match (self.cancel_wanted, provisional_delivered, self.view, self.cancels) {
            (true, true, View::Open, 1) => Ok(()),
            why => Err(format!("CANCEL (wanted, provisional, view, number): {why:?}")),
        }
    }

    /// How many ACKs the arrival of this response must bring forth: one for each refusal of an INVITE that can still hear.
    pub fn acks_for(&self, status: u16) -> usize {
        let hears = matches!(self.view, View::Open | View::Settled(_));
        usize::from(self.invite && status >= 300 && hears)
    }
}

/// What a server transaction has said so far.
#[derive(Clone, Debug)]
pub struct ServerModel {
    invite: bool,
    reliable: bool,
    began: Ms,
    said: Option<(u16, Bytes)>,
    /// When the final was said, or its ACK came: what the lingering is counted from.
    since: Ms,
    acked: bool,
}

/// What the arrival of a request or ACK must bring forth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing.
    Nothing,
    /// These bytes, once.
    Again(Bytes),
    /// A fresh 100.
    Trying,
    /// The user hears of the ACK.
    AckTold,
}

impl ServerModel {
    /// A request that has just come.
    pub fn new(invite: bool, reliable: bool, now: Ms) -> Self {
        Self { invite, reliable, began: now, said: None, since: now, acked: false }
    }

    /// The last status said.
    pub fn status(&self) -> Option<u16> {
        self.said.as_ref().map(|(status, _)| *status)
    }

    /// Whether only the user can end it.
    pub fn waits_for_user(&self) -> bool {
        self.invite && self.status().is_none_or(|s| s < 200)
    }

    /// Whether the user may say this now, and it must be sent.
    pub fn may_say(&self, status: u16, now: Ms) -> bool {
        let said = self.status();
        let open = said.is_none_or(|s| s < 200);
        match (self.invite, status) {
            (true, 200..=299) => open || said.is_some_and(|s| s < 300),
            (true, _) => open,
            (false, 100) => open && self.reliable && now < self.began + PATIENCE,
            (false, 101..=199 | 408) => false,
            (false, _) => open,
        }
    }

    /// Takes a response that went out: the user's, or one that the machine said by itself.
    ///
    /// # Errors
    /// It must not.
    pub fn said(&mut self, status: u16, bytes: Bytes, by_user: bool, now: Ms) -> Result<(), String> {
        let allowed = match &self.said {
            _ if by_user => self.may_say(status, now),
            None => status == 100,
            // Its own repetitions: never over a stream, never of a 2xx to INVITE, never after the ACK.
            Some((old, was)) => {
                let taken = self.invite && (200..300).contains(old);
                *was == bytes && !self.reliable && !taken && !self.acked
            }
        };
        if !allowed {
            return Err(format!("{status} at {now} after {:?}, by user: {by_user}", self.status()));
        }
        if !self.invite && status == 100 && !self.reliable && now < self.began + 3500 {
            return Err(format!("100 to non-INVITE at {now}, RFC 4320"));
        }
        if self.status().is_none_or(|s| s < 200) && status >= 200 {
            self.since = now;
        }
        self.said = Some((status, bytes));
        Ok(())
    }

    /// The request came again.
    pub fn repeated(&self) -> Due {
        match (&self.said, self.invite) {
            (None, true) => Due::Trying,
            (None, false) => Due::Nothing,
            (Some((200..=299, _)), true) => Due::Nothing,
            (Some(_), true) if self.acked => Due::Nothing,
            (Some((_, bytes)), _) => Due::Again(bytes.clone()),
        }
    }

    /// Its ACK came, with the INVITE's branch.
    pub fn ack(&mut self, now: Ms) -> Due {
        match self.status() {
            Some(200..=299) => Due::AckTold,
            Some(300..) => {
                if !self.acked {
                    self.acked = true;
                    self.since = now;
                }
                Due::Nothing
            }
            Some(_) | None => Due::Nothing,
        }
    }

    /// Whether it may be gone now.
    pub fn may_finish(&self, now: Ms) -> bool {
        let lingers = match (self.invite, self.status()) {
            (true, None | Some(..200)) => return false,
            (true, Some(200..=299)) => PATIENCE,
            (true, Some(_)) if self.acked && self.reliable => 0,
            (true, Some(_)) if self.acked => T4,
            (true, Some(_)) => PATIENCE,
            (false, None | Some(..200)) => PATIENCE,
            (false, Some(_)) if self.reliable => 0,
            (false, Some(_)) => PATIENCE,
        };
        now >= self.since + lingers
    }
}
