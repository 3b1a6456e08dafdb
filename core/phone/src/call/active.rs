//! A call that is up: hold and resume from either side, mute, changes and refreshes of the session.
//!
//! RFC 3264 sections 8 and 8.4, RFC 6337 section 5.3: our hold is our own wish, said again in every description of ours
//! whatever the other side does. It is done to the microphone at once and told when the exchange is free.

use bytes::Bytes;
use sip::ua::By;

use crate::desk::{Desk, Timer};
use crate::negotiate::Disagreement;
use crate::view::Encrypted;
use crate::{Refusal, Why, With};

use super::{Call, Ending, Phase};

impl Call {
    /// The user puts the call on hold (true) or takes it off.
    pub(crate) fn set_hold(&mut self, on: bool, desk: &mut Desk) -> Result<(), Refusal> {
        self.require_up()?;
        if self.hold == on {
            return Err(Refusal::WrongState);
        }
        self.hold = on;
        self.silence(desk);
        self.settle(desk);
        Ok(())
    }

    /// The user closes the microphone (true) or opens it.
    pub(crate) fn set_mute(&mut self, on: bool, desk: &mut Desk) -> Result<(), Refusal> {
        if self.is_over() || self.muted == on {
            return Err(Refusal::WrongState);
        }
        self.muted = on;
        self.silence(desk);
        self.show(desk);
        Ok(())
    }

    /// Refreshes the session as it stands.
    pub(crate) fn refresh(&mut self, with: With, desk: &mut Desk) -> Result<(), Refusal> {
        let session = self.require_up()?;
        let by = match with {
            With::Update => By::Update,
            With::Reinvite => By::Reinvite,
        };
        desk.agent.refresh(session, by, desk.now, &mut desk.orders).map_err(|_| Refusal::Busy)
    }

    /// Brings what the other side was told to what the user wants, as soon as no other exchange is under way. Called
    /// after every news of the call.
    pub(super) fn settle(&mut self, desk: &mut Desk) {
        self.dial_on(desk);
        self.update_early(desk);
        if let (Ok(session), None, Some(locals)) = (self.require_up(), self.offered, self.streams.locals()) {
            let tones = self.keypad.wants_tones();
            if self.hold == self.held && !tones && !self.ways.wanted() {
                self.tell_contact(desk);
                self.ask_transfer(session, desk);
            } else {
                if tones {
                    self.talk.carry_tones(true);
                }
                let offer = self.offer_again(locals, desk);
                // RFC 3311 section 5.1 recommends re-INVITE once a call is up. Busy: the next news brings us back here.
                match desk.agent.reoffer(session, offer, By::Reinvite, desk.now, &mut desk.orders) {
                    Ok(()) => {
                        (self.offered, self.offered_tones) = (Some(self.hold), tones);
                        self.ways.asked();
                        self.late.settle();
                        if std::mem::take(&mut self.moved) {
                            self.tells_move(session, desk);
                        }
                    }
                    Err(_) => self.talk.withdraw(),
                }
            }
        }
        self.show(desk);
    }

    /// The other side changes the session.
    pub(crate) fn reoffered(&mut self, offer: Option<Bytes>, desk: &mut Desk) {
        let Some(session) = self.session else { return };
        if let Some(offer) = &offer
            && self.streams.offered(offer, desk)
        {
            // They have begun what we would have.
            desk.timers.cancel(&Timer::Renew(self.id));
        }
        let Some(locals) = self.streams.locals() else {
            if let (Some(offer), true) = (&offer, self.is_up()) {
                return self.ways.wait(offer.clone());
            }
            // No socket yet, and they may not wait: RFC 3311 section 5.2.
            desk.agent.refuse_reoffer(session, 500, desk.now, &mut desk.orders);
            return;
        };
        let Some(offer) = offer else {
            let offer = self.offer_again(locals, desk);
            self.offered = Some(self.hold);
            desk.agent.answer_reoffer(session, offer, desk.now, &mut desk.orders);
            return;
        };
        if let Ok((answer, agreed)) = self.talk.answer(&offer, &locals, self.hold) {
            self.held = self.hold && self.is_up();
            self.agree(&agreed, desk);
            desk.agent.answer_reoffer(session, answer, desk.now, &mut desk.orders);
        } else {
            desk.agent.refuse_reoffer(session, 488, desk.now, &mut desk.orders);
        }
        self.settle(desk);
    }

    /// The other side answered our offer, or a refresh went through (`None`).
    pub(crate) fn reanswered(&mut self, sdp: Option<Bytes>, desk: &mut Desk) {
        let told = self.offered.take();
        self.dialog_stands(desk);
        match sdp.map(|sdp| self.talk.take_answer(&sdp, told.unwrap_or(self.held))) {
            Some(Ok(agreed)) => {
                self.held = told.unwrap_or(self.held);
                self.agree(&agreed, desk);
            }
            // They no longer send what we could read, or we may no longer send what they could.
            Some(Err(why)) if why.is_of_keys() => return self.fail(self.unkeyed(why), desk),
            // An answer that answers nothing: what was agreed before stands.
            Some(Err(_)) => self.give_in(desk),
            None => {}
        }
        if told.is_some() {
            self.tones_agreed(desk);
        }
        self.settle(desk);
    }

    /// Our offer was refused: the old session stands.
    pub(crate) fn reoffer_failed(&mut self, status: u16, desk: &mut Desk) {
        if self.offered.take().is_some() {
            self.talk.refused();
            self.ways.refused();
            if !self.may_follow(status) {
                self.give_in(desk);
            }
            self.tones_agreed(desk);
        }
        self.move_failed(status, desk);
        self.settle(desk);
    }

    /// The end of a call that was up, by keys that were not agreed on again.
    fn unkeyed(&self, why: Disagreement) -> Ending {
        match (why, self.streams.encrypted()) {
            (Disagreement::NotEncrypted, was) if was != Encrypted::None => {
                Ending::new(488, Why::EncryptionEnded)
            }
            _ => Ending::disagreed(why),
        }
    }

    /// The user cannot have the change; the call goes on as it was.
    fn give_in(&mut self, desk: &mut Desk) {
        self.hold = self.held;
        self.silence(desk);
    }

    /// A call on hold hears silence: whoever puts it there does not want to be overheard. Packets go on, to keep the way
    /// through NATs open.
    fn silence(&mut self, desk: &mut Desk) {
        self.mix(desk);
        let on = self.muted || (self.hold && matches!(self.phase, Phase::Up));
        self.streams.silence(on, desk);
    }
}
