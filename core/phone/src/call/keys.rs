//! Keys of the call's two keypads: ours go by the way that [`Keypad`](super::keypad::Keypad) picks, theirs to the app.
//!
//! RFC 6086 for INFO. Knows nothing of how a way works.

use base::Redacted;
use media::dtmf::{Digit, Keys};

use crate::desk::{Desk, Timer};
use crate::{Event, MediaOrder, Refusal, Via, info};

use super::keypad::{Info, Step};
use super::{Call, Phase};

impl Call {
    /// The user presses keys. Before the answer too: an early voice may ask for them.
    pub(crate) fn press(&mut self, keys: &Keys, desk: &mut Desk) -> Result<(), Refusal> {
        let (_, plan) = self.streams.talking().ok_or(Refusal::WrongState)?;
        self.keypad.press(keys, plan)?;
        self.settle(desk);
        Ok(())
    }

    /// What was typed behind the number is pressed once they answer.
    pub(crate) fn press_when_answered(&mut self, keys: Option<String>) {
        self.keys_left = keys.unwrap_or_default();
    }

    /// Presses what was typed behind the number, up to where the person wants to be asked (`;`).
    pub(crate) fn press_on(&mut self, desk: &mut Desk) -> Result<(), Refusal> {
        let left = std::mem::take(&mut self.keys_left);
        let (now, later) = match left.trim_start_matches(';').split_once(';') {
            Some((now, later)) => (now.to_owned(), format!(";{later}")),
            None => (left.trim_start_matches(';').to_owned(), String::new()),
        };
        self.keys_left = later;
        self.show(desk);
        match Keys::read(&now) {
            Ok(keys) => self.press(&keys, desk),
            Err(_) => Ok(()), // pauses alone
        }
    }

    /// They have answered.
    pub(super) fn press_what_was_typed(&mut self, desk: &mut Desk) {
        if !self.keys_left.is_empty() && !self.keys_left.starts_with(';') && self.press_on(desk).is_err() {
            self.lost(1, desk);
        }
    }

    /// What waits for the person's word.
    pub(super) fn keys_left(&self) -> Option<Redacted<String>> {
        let left = self.keys_left.trim_start_matches(';');
        (self.is_up() && !left.is_empty()).then(|| Redacted::new(left.to_owned()))
    }

    /// Presses what waits, as far as can be now.
    pub(super) fn dial_on(&mut self, desk: &mut Desk) {
        while let Some((media, plan)) = self.streams.talking() {
            let info = self.info(desk);
            match self.keypad.step(plan, info, desk.now) {
                Step::Media(keys, Via::Tones) => desk.media(media, MediaOrder::Tones(keys)),
                Step::Media(keys, Via::Events | Via::Info) => desk.media(media, MediaOrder::Dtmf(keys)),
                Step::Lost(keys) => self.lost(keys, desk),
                // The rest of a settlement sees to it.
                Step::Rest | Step::Reoffer => return,
                Step::Wait(at) => return desk.timers.set(Timer::Keypad(self.id), at),
                Step::Inform(digit, form) => {
                    let Some(session) = self.session else { return };
                    let (content_type, body) = info::write(digit, form);
                    return desk.agent.info(session, content_type, body.into(), desk.now, &mut desk.orders);
                }
            }
        }
    }

    /// Our INFO is answered.
    pub(crate) fn info_done(&mut self, status: u16, desk: &mut Desk) {
        let (found, step) = self.keypad.informed(status, self.info(desk), desk.now);
        if let Some(found) = found {
            desk.info.insert(self.account, found);
        }
        match step {
            Step::Wait(at) => desk.timers.set(Timer::Keypad(self.id), at),
            Step::Lost(keys) => self.lost(keys, desk),
            Step::Rest | Step::Reoffer | Step::Media(..) | Step::Inform(..) => {}
        }
        self.settle(desk);
    }

    /// `Timer::Keypad` is due.
    pub(crate) fn keypad_due(&mut self, desk: &mut Desk) {
        self.keypad.due();
        self.settle(desk);
    }

    /// An offer of codecs that carry tones was answered, or refused.
    pub(super) fn tones_agreed(&mut self, desk: &mut Desk) {
        if !std::mem::take(&mut self.offered_tones) {
            return;
        }
        let carried = self.streams.talking().is_some_and(|(_, plan)| plan.codec_out.1.carries_tones());
        if !carried {
            self.talk.carry_tones(false);
        }
        self.keypad.agreed(carried);
        self.dial_on(desk);
    }

    /// INFO came.
    pub(crate) fn informed(&mut self, content_type: &str, body: &[u8], desk: &mut Desk) {
        if let Some(digit) = info::read(content_type, body) {
            self.heard(digit, Via::Info, desk);
        }
    }

    /// The other side pressed a key.
    pub(super) fn heard(&mut self, digit: Digit, via: Via, desk: &mut Desk) {
        if !matches!(self.phase, Phase::Over) && self.their_keypad.is_new(digit, via, desk.now) {
            desk.event(Event::Dtmf { call: self.id, digit, via });
        }
    }

    fn info(&self, desk: &Desk) -> Info {
        desk.info.get(&self.account).copied().unwrap_or_default()
    }

    fn lost(&self, keys: usize, desk: &mut Desk) {
        if keys > 0 {
            desk.event(Event::DtmfLost { call: self.id, keys });
        }
    }
}
