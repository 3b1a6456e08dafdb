//! A call's part in a local conference: whether its voice is mixed with the others'.
//!
//! A participant, in RFC 4353's words. Who else is in it is `conference`'s to know.

use crate::Refusal;
use crate::desk::Desk;

use super::Call;
use super::transfer::Transferring;

impl Call {
    pub(crate) fn in_conference(&self) -> bool {
        self.conference
    }

    /// The other side is about to be somewhere else.
    pub(crate) fn is_leaving(&self) -> bool {
        self.handed_over || self.transferring.as_ref().is_some_and(Transferring::is_under_way)
    }

    /// Whether it may be merged with another.
    pub(crate) fn may_merge(&self) -> Result<(), Refusal> {
        self.require_up()?;
        if self.is_leaving() { Err(Refusal::Busy) } else { Ok(()) }
    }

    /// Takes part in the conference, or no longer.
    pub(crate) fn set_conference(&mut self, on: bool, desk: &mut Desk) {
        self.conference = on;
        if !self.is_over() {
            self.mix(desk);
            self.show(desk);
        }
    }

    pub(crate) fn is_muted(&self) -> bool {
        self.muted
    }

    /// Who is on hold, by whichever side, hears none of the others and is heard by none: what comes from one who holds
    /// is music as a rule.
    pub(super) fn mix(&mut self, desk: &mut Desk) {
        self.streams.mix(self.conference && self.is_talking() && !self.remote_hold, desk);
    }
}
