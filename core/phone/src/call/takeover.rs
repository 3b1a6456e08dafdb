//! The last resort of a call that moves: where its dialog does not follow, another call takes its place.
//!
//! RFC 3891. When the exchange that tells of another network comes to nothing (481, silence, a 5xx twice), an INVITE
//! with Replaces goes to the other side; who answers it drops the old dialog. To the user it is the same call, with the
//! same media. Never twice in a row: an exchange must have gone well between.
//!
//! ```text
//!                 offer            481, silence, 5xx twice              200
//!   Staying ---------------> Asked ------------------------> Replacing -----> Staying, in the new dialog
//!      ^   2xx, a refusal     |                                  | refused, silence
//!      +----------------------+<------ the old one stands -------+------> over, if that was lost
//! ```

use std::time::Duration;

use sip::message::phrase;
use sip::ua::{Cause, Failure, Invite, Party, Sdp, SessionId};

use super::{Call, Ending};
use crate::desk::{Desk, Timer};
use crate::registration::profile_id;
use crate::{Side, reason};

/// Before an offer that failed at a server is made once more.
const ONCE_MORE: Duration = Duration::from_secs(2);

/// How long the exchange may be silent: phones answer it by themselves.
const SILENT: Duration = Duration::from_secs(6);
/// How long the side that was called waits for the other's INVITE, where both have lost the dialog and theirs goes first.
const THEIRS_FIRST: Duration = Duration::from_secs(4);

/// How a call's dialog follows its account.
#[derive(Debug, Default)]
pub(super) struct Takeover {
    /// The exchange under way tells where we are.
    asked: bool,
    /// Servers have failed it so often.
    failed: u8,
    /// The call that is to take its place.
    heir: Option<SessionId>,
    /// What the old dialog came to, when it is worth nothing any more.
    lost: Option<(Party, Cause)>,
    /// It was to be replaced, and nothing was agreed on since.
    tried: bool,
}

impl Call {
    /// Whether that session is to take the place of this call's.
    pub(crate) fn is_heir(&self, session: SessionId) -> bool {
        self.takeover.heir == Some(session)
    }

    /// Both sides would replace each other's dialog: the caller's INVITE is the one that counts.
    pub(crate) fn goes_first(&self) -> bool {
        self.takeover.heir.is_some() && self.side == Side::Out
    }

    /// An exchange has begun that tells where we are.
    pub(super) fn tells_move(&mut self, session: SessionId, desk: &mut Desk) {
        self.takeover.asked = true;
        desk.timers.set(Timer::Follow(self.id), desk.now + SILENT);
        desk.agent.spare(session, desk.now, &mut desk.orders);
    }

    /// The other side has agreed with us in the dialog that stands.
    pub(super) fn dialog_stands(&mut self, desk: &mut Desk) {
        self.disinherit(desk);
        self.takeover = Takeover::default();
    }

    /// Whether what was asked in vain is asked for once more, by another way.
    pub(super) const fn may_follow(&self, status: u16) -> bool {
        self.takeover.asked && matches!(status, 408 | 481 | 491 | 500..=599)
    }

    /// An exchange has failed: was it such a one?
    pub(super) fn move_failed(&mut self, status: u16, desk: &mut Desk) {
        if !std::mem::take(&mut self.takeover.asked) || !self.is_up() {
            return;
        }
        desk.timers.cancel(&Timer::Follow(self.id));
        match status {
            408 | 481 if self.takeover.heir.is_some() => {
                self.takeover.lost = Some((Party::Network, cause(status)));
            }
            _ if self.takeover.heir.is_some() => {}
            408 | 481 => {
                self.takeover.lost = Some((Party::Network, cause(status)));
                self.take_over(desk);
            }
            491 | 500..=599 => {
                self.takeover.failed += 1;
                if self.takeover.failed < 2 {
                    desk.timers.set(Timer::Follow(self.id), desk.now + ONCE_MORE);
                } else {
                    self.takeover.failed = 0;
                    self.take_over(desk);
                }
            }
            // They do not want what we offer: the old session stands, as far as it goes.
            _ => {}
        }
    }

    /// `Timer::Follow` is due.
    pub(crate) fn follow(&mut self, desk: &mut Desk) {
        if self.takeover.lost.is_some() && self.takeover.heir.is_none() {
            return self.not_taken_over(desk);
        }
        if !self.is_up() || self.takeover.heir.is_some() {
            return;
        }
        if self.takeover.asked {
            self.take_over(desk);
        } else {
            self.moved = true;
            if self.streams.can_move() {
                self.ways.want();
            }
            self.settle(desk);
        }
    }

    fn take_over(&mut self, desk: &mut Desk) {
        let again = std::mem::replace(&mut self.takeover.tried, true);
        let (Some(session), Some(to), Some(locals), false) =
            (self.session, self.remote_uri(), self.streams.locals(), again)
        else {
            return self.not_taken_over(desk);
        };
        let offer = self.offer_again(locals, desk);
        let invite = Invite { replaces: Some(session), ..Invite::new(to, Some(offer)) };
        self.takeover.heir =
            Some(desk.agent.invite(profile_id(self.account), invite, desk.now, &mut desk.orders));
        self.offered = Some(self.hold);
        if self.streams.can_move() {
            self.ways.want();
        }
        self.ways.asked();
        self.moved = false;
    }

    /// The other side has taken the new call in the place of the old one.
    pub(crate) fn taken_over(&mut self, sdp: Option<Sdp>, desk: &mut Desk) {
        let told = self.offered.take().unwrap_or(self.held);
        let agreed = match &sdp {
            Some(Sdp::Answer(answer)) => self.talk.take_answer(answer, told).ok(),
            // We have offered: there is nothing else that it could be.
            Some(Sdp::Offer(_)) | None => None,
        };
        let (Some(heir), Some(agreed)) = (self.takeover.heir, agreed) else {
            return self.not_taken_over(desk);
        };
        self.takeover = Takeover { tried: true, ..Takeover::default() };
        if let Some(old) = self.session.replace(heir) {
            // They end it, too; what is told of it from now on is told to nobody.
            desk.agent.hang_up(old, &[], desk.now, &mut desk.orders);
        }
        self.held = told;
        self.streams.other_session();
        self.agree(&agreed, desk);
        self.may_tell_late(desk);
        self.settle(desk);
    }

    /// The new call came to nothing.
    pub(crate) fn heir_failed(&mut self, failure: &Failure, desk: &mut Desk) {
        self.takeover.heir = None;
        if failure.status == 491 && self.session.is_some() {
            return desk.timers.set(Timer::Follow(self.id), desk.now + THEIRS_FIRST);
        }
        if self.session.is_none() && self.takeover.lost.is_none() {
            self.takeover.lost = Some((Party::Network, cause(failure.status)));
        }
        self.not_taken_over(desk);
    }

    /// Back to the old dialog, if there is one.
    fn not_taken_over(&mut self, desk: &mut Desk) {
        if let Some(heir) = self.takeover.heir.take() {
            desk.agent.hang_up(heir, &[], desk.now, &mut desk.orders);
        }
        if self.offered.take().is_some() {
            self.talk.refused();
            self.ways.refused();
        }
        let Some((by, cause)) = self.takeover.lost.take() else { return self.settle(desk) };
        let explanation = reason::of_end(by, &cause, self.is_transferred());
        self.fail(Ending { status: cause.status, reason: cause.text, explanation }, desk);
    }

    /// The old dialog has ended while the new one is awaited: who takes the call there hangs up here. True: that is waited for.
    pub(super) fn ends_for_heir(&mut self, by: Party, cause: &Cause) -> bool {
        let waits = self.takeover.heir.is_some() && by != Party::Us;
        if waits {
            self.session = None;
            self.takeover.lost = Some((by, cause.clone()));
        }
        waits
    }

    /// The call is over: so is the one that was to take its place.
    pub(super) fn disinherit(&mut self, desk: &mut Desk) {
        desk.timers.cancel(&Timer::Follow(self.id));
        if let Some(heir) = self.takeover.heir.take() {
            desk.agent.hang_up(heir, &[], desk.now, &mut desk.orders);
        }
    }
}

fn cause(status: u16) -> Cause {
    Cause { status, text: phrase(status).into(), q850: None }
}
