//! Addresses that are found when the description has been made: told at once to who takes them so, else by a new offer.
//!
//! RFC 8838 and RFC 8840: an INFO holds them, one at a time (section 10.9). While a call of ours rings they are told already,
//! where one alone has made an early dialog and said that it takes them (section 4.3): by the time it answers it knows all.
//! Knows nothing of an INFO's syntax.

use bytes::Bytes;

use crate::desk::{Desk, Timer};

use super::{Call, Phase};

/// How they are told.
#[derive(Debug, Default)]
pub(super) struct Late {
    /// There are such.
    found: bool,
    /// The other side takes them by INFO.
    taken: bool,
    /// It has refused one.
    refused: bool,
    /// Both sides know that the call is up: nothing overtakes the description.
    open: bool,
    /// An INFO waits for its answer.
    asked: bool,
    /// Who rings, and takes them.
    early: Option<u32>,
    /// Who was told while it rang.
    told: Option<u32>,
}

impl Late {
    /// Whether there is something to tell.
    pub(super) const fn found(&self) -> bool {
        self.found
    }

    /// All was told, or nobody needs to know.
    pub(super) fn settle(&mut self) {
        self.found = false;
    }

    /// Whoever rang and was told need not be who answers.
    pub(super) fn answered_by(&mut self, fork: u32) {
        self.early = None;
        if self.told.take().is_some_and(|told| told != fork) {
            (self.found, self.refused, self.asked) = (true, false, false);
        }
    }

    /// What the other side's description says of it.
    pub(super) fn agreed(&mut self, taken: bool) {
        self.taken = taken;
    }
}

impl Call {
    /// Addresses came too late for the description, a relay's by a stream, say.
    pub(super) fn found_late(&mut self, desk: &mut Desk) {
        self.late.found = true;
        self.tell_late(desk);
    }

    /// Both sides know that the call is up.
    pub(super) fn may_tell_late(&mut self, desk: &mut Desk) {
        self.late.open = true;
        self.tell_late(desk);
    }

    /// The other side is told of late addresses when it is not reached without.
    pub(super) fn tell_late(&mut self, desk: &mut Desk) {
        let early = self.late.early;
        if !self.late.found || !(self.is_up() || early.is_some()) || self.streams.reached().is_some() {
            return;
        }
        if (self.late.taken || early.is_some()) && !self.late.refused && self.streams.checks() {
            if self.late.asked || !(self.late.open || early.is_some()) {
                // What comes next tells of these, too.
                return;
            }
            let fragment = self.streams.locals().and_then(|locals| self.talk.tell_late(&locals));
            if let (Some(session), Some(fragment)) = (self.session, fragment) {
                (self.late.found, self.late.asked, self.late.told) = (false, true, early);
                desk.timers.cancel(&Timer::Renew(self.id));
                return desk.agent.trickle(session, fragment, desk.now, &mut desk.orders);
            }
        }
        if self.is_up() {
            desk.timers.set(Timer::Renew(self.id), desk.now + self.waits());
        }
    }

    /// A provisional response came. `confirms`: it has to hear from us in any case.
    pub(super) fn tell_early(&mut self, fork: u32, confirms: bool, desk: &mut Desk) {
        let takes = self.session.is_some_and(|session| desk.agent.takes_late(session));
        self.late.early = takes.then_some(fork);
        // Of several each would have to be told.
        self.late.found |= confirms && takes && self.late.told != Some(fork);
        self.tell_late(desk);
    }

    /// Our INFO is answered. Who refuses one is told by an offer.
    pub(crate) fn trickle_done(&mut self, status: u16, desk: &mut Desk) {
        self.late.asked = false;
        if !(200..300).contains(&status) {
            (self.late.refused, self.late.found) = (true, true);
        }
        self.tell_late(desk);
        self.settle(desk);
    }

    /// Theirs came.
    pub(crate) fn trickled(&mut self, fragment: &Bytes, desk: &mut Desk) {
        if let Phase::Incoming(alerting) = &mut self.phase
            && alerting.keep_late(fragment)
        {
            return;
        }
        if !self.is_over() {
            self.streams.told_late(&self.talk.told_late(fragment), desk);
            self.hear_paths(desk);
        }
    }
}
