//! Transfers: asking the other side to call somebody else, and hearing how that goes.
//!
//! RFC 3515, RFC 5589 sections 6 and 7: the call is put on hold first, and comes back held if the transfer fails. As
//! transferee and as target the work is done by an ordinary call: see `switchboard`.

use sip::ua::{ReferId, ReferTo, SessionId};

use crate::desk::Desk;
use crate::view::Transfer;
use crate::{CallId, Refusal};

use super::Call;

/// A transfer of this call that we asked for.
pub(super) struct Transferring {
    pub(super) stage: Transfer,
    /// Whom to call; taken when the REFER goes out.
    ask: Option<ReferTo>,
    refer: Option<ReferId>,
    /// The call that the other side joins, in an attended transfer.
    other: Option<CallId>,
}

impl Call {
    /// Asks the other side to call `to`, in `other`'s stead if there is one.
    pub(crate) fn transfer(
        &mut self,
        to: ReferTo,
        other: Option<CallId>,
        desk: &mut Desk,
    ) -> Result<(), Refusal> {
        self.require_up()?;
        if self.transferring.as_ref().is_some_and(Transferring::is_under_way) {
            return Err(Refusal::Busy);
        }
        self.transferring = Some(Transferring { stage: Transfer::Asking, ask: Some(to), refer: None, other });
        if self.hold {
            self.settle(desk);
            Ok(())
        } else {
            self.set_hold(true, desk)
        }
    }

    /// The hold is settled, one way or the other: out with the REFER.
    pub(super) fn ask_transfer(&mut self, session: SessionId, desk: &mut Desk) {
        if let Some(it) = &mut self.transferring
            && let Some(to) = it.ask.take()
        {
            it.refer = Some(desk.agent.refer(session, to, desk.now, &mut desk.orders));
        }
    }

    /// The other side tells how it fares: the new stage, and the call that it joins.
    pub(crate) fn refer_progress(
        &mut self,
        refer: ReferId,
        status: u16,
        done: bool,
        desk: &mut Desk,
    ) -> Option<(Transfer, Option<CallId>)> {
        let it = self.transferring.as_mut().filter(|it| it.refer == Some(refer))?;
        it.stage = match (status, done) {
            (200..=299, true) => Transfer::Done,
            // 202 to the REFER itself.
            (200..=299, false) => Transfer::Trying,
            (180..=189, false) => Transfer::Ringing,
            (100..=199, false) if it.stage == Transfer::Ringing => Transfer::Ringing,
            (100..=199, false) => Transfer::Trying,
            // Told no more, and never told the end: the user decides with the call still in hand.
            (_, true | false) => Transfer::Failed(status),
        };
        let told = (it.stage, it.other);
        self.show(desk);
        Some(told)
    }

    /// The other side is about to end this call by joining another (true), or is not after all.
    pub(crate) fn hand_over(&mut self, on: bool) {
        self.handed_over = on;
    }

    pub(super) fn is_transferred(&self) -> bool {
        self.handed_over
            || self
                .transferring
                .as_ref()
                .is_some_and(|it| matches!(it.stage, Transfer::Trying | Transfer::Ringing | Transfer::Done))
    }
}

impl Transferring {
    pub(super) fn is_under_way(&self) -> bool {
        match self.stage {
            Transfer::Asking | Transfer::Trying | Transfer::Ringing | Transfer::Done => true,
            Transfer::Failed(_) => false,
        }
    }
}
