//! Our keypad in one call: by which way each digit goes, one after the other, each once.
//!
//! RFC 4733 where it was agreed on; else INFO (RFC 6086), one at a time; and where that is refused, tones in the voice, for
//! which a codec that garbles them is left first. A refused way is not tried again on the account. A digit whose fate is
//! unknown is never sent twice: the person is told. Knows neither packets nor SIP's messages.
//!
//! The same digit from the other side may come by two ways at once; [`Doubles`] takes it for one.

use std::collections::VecDeque;
use std::time::Duration;

use base::Instant;
use media::Plan;
use media::dtmf::{Digit, Key, Keys, PAUSE};

use crate::info::Form;
use crate::{DigitsBy, Refusal, Via};

/// Keys that may wait: two commands' worth.
const MOST: usize = 2 * Keys::MOST;
/// From one INFO to the next: the digit that it tells of, and the silence behind it.
const APART: Duration = Duration::from_millis(260);

/// What an account's exchange was found to make of INFO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Info {
    /// It takes them in this form, as far as is known.
    Takes(Form),
    /// It refuses them.
    Refuses,
}

impl Default for Info {
    fn default() -> Self {
        Self::Takes(Form::default())
    }
}

/// What is to be done for the keypad.
pub(crate) enum Step {
    /// Nothing, or not yet.
    Rest,
    /// Wake the keypad then.
    Wait(Instant),
    /// Send this INFO.
    Inform(Digit, Form),
    /// Order these from the media.
    Media(Keys, Via),
    /// Agree on a codec that carries tones.
    Reoffer,
    /// So many keys cannot be sent.
    Lost(usize),
}

/// ```text
///          digit, INFO            2xx             time
///   Ready -------------> Asked ----------> Apart ------> Ready
///    | ^                  |                  ^
///    | |                  | refused: another way
///    | +------------------+                  |
///    +-- comma between INFOs ----------------+
///    +-- tones, codec garbles them --> Agreeing --agreed--> Ready
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ready,
    Asked { at: Instant },
    Apart,
    Agreeing,
}

pub(crate) struct Keypad {
    by: DigitsBy,
    waiting: VecDeque<Key>,
    state: State,
    /// Another codec was asked for and not agreed to.
    no_tones: bool,
}

impl Keypad {
    pub(crate) const fn new(by: DigitsBy) -> Self {
        Self { by, waiting: VecDeque::new(), state: State::Ready, no_tones: false }
    }

    /// Presses these keys after those that wait; [`Self::step`] until it rests.
    ///
    /// # Errors
    /// There are too many, or the account's only way is none here.
    pub(crate) fn press(&mut self, keys: &Keys, plan: &Plan) -> Result<(), Refusal> {
        if self.by == DigitsBy::Events {
            let (_, taken) = plan.events_out.ok_or(Refusal::NoKeypad)?;
            if !taken.takes(keys) {
                return Err(Refusal::DigitsNotTaken);
            }
        }
        if self.waiting.len() + keys.len() > MOST {
            return Err(Refusal::Busy);
        }
        self.waiting.extend(keys.iter());
        Ok(())
    }

    /// Digits go as tones here whatever else is agreed, theirs too.
    pub(crate) fn is_heard(&self) -> bool {
        self.by == DigitsBy::Tones
    }

    /// What to do next. `plan` is of the open stream, `info` what is known of the account.
    pub(crate) fn step(&mut self, plan: &Plan, info: Info, now: Instant) -> Step {
        if self.waiting.is_empty() || self.state != State::Ready {
            return Step::Rest;
        }
        let taken = |known: media::dtmf::Events| {
            self.waiting
                .iter()
                .all(|key| matches!(key, Key::Pause) || matches!(key, Key::Digit(d) if known.has(*d)))
        };
        match (self.by, plan.events_out, info) {
            (DigitsBy::Auto | DigitsBy::Events, Some((_, known)), _) if taken(known) => {
                self.media(Via::Events)
            }
            (DigitsBy::Events, ..) => self.lose(),
            (DigitsBy::Auto | DigitsBy::Info, _, Info::Takes(form)) => match self.waiting.front() {
                Some(Key::Digit(digit)) => {
                    self.state = State::Asked { at: now };
                    Step::Inform(*digit, form)
                }
                Some(Key::Pause) | None => {
                    self.waiting.pop_front();
                    self.state = State::Apart;
                    Step::Wait(now + PAUSE)
                }
            },
            (DigitsBy::Info, _, Info::Refuses) => self.lose(),
            (DigitsBy::Auto | DigitsBy::Tones, ..) if plan.codec_out.1.carries_tones() => {
                self.media(Via::Tones)
            }
            (DigitsBy::Auto | DigitsBy::Tones, ..) if self.no_tones => self.lose(),
            (DigitsBy::Auto | DigitsBy::Tones, ..) => {
                self.state = State::Agreeing;
                Step::Reoffer
            }
        }
    }

    /// Our INFO is answered. What is now known of the account's exchange, if that is news; and how many keys are lost.
    pub(crate) fn informed(&mut self, status: u16, info: Info, now: Instant) -> (Option<Info>, Step) {
        let State::Asked { at } = self.state else { return (None, Step::Rest) };
        self.state = State::Ready;
        let refused = match (status, info) {
            (200..=299, _) => None,
            // Not this form: RFC 3261 section 21.4.13.
            (415, Info::Takes(Form::Relay)) => Some(Info::Takes(Form::Plain)),
            (405 | 415 | 501, _) => Some(Info::Refuses),
            // It may have arrived or not: never a second time.
            _ => {
                self.waiting.pop_front();
                return (None, Step::Lost(1));
            }
        };
        if refused.is_none() {
            self.waiting.pop_front();
            self.state = State::Apart;
            return (None, Step::Wait(now.max(at + APART)));
        }
        (refused, Step::Rest)
    }

    /// Time is up.
    pub(crate) fn due(&mut self) {
        if self.state == State::Apart {
            self.state = State::Ready;
        }
    }

    /// Whether another codec is wanted, that carries tones.
    pub(crate) fn wants_tones(&self) -> bool {
        self.state == State::Agreeing
    }

    /// What was wanted is agreed, or will not be.
    pub(crate) fn agreed(&mut self, carries_tones: bool) {
        if self.state == State::Agreeing {
            self.state = State::Ready;
            self.no_tones = !carries_tones;
        }
    }

    fn media(&mut self, via: Via) -> Step {
        let count = self.waiting.len().min(Keys::MOST);
        match Keys::of(self.waiting.drain(..count)) {
            Some(keys) => Step::Media(keys, via),
            None => Step::Rest,
        }
    }

    fn lose(&mut self) -> Step {
        let digits = self.waiting.drain(..).filter(|key| matches!(key, Key::Digit(_)));
        Step::Lost(digits.count())
    }
}

/// The same digit told of by two ways within this time is one.
const SAME: Duration = Duration::from_secs(1);
/// Digits remembered of which the other way may tell yet: faster than anybody presses.
const REMEMBERED: usize = 16;

/// Digits of the other side that one way has told of and another may tell of too.
#[derive(Debug, Default)]
pub(crate) struct Doubles(VecDeque<(Digit, Via, Instant)>);

impl Doubles {
    /// Whether this digit is news.
    pub(crate) fn is_new(&mut self, digit: Digit, via: Via, now: Instant) -> bool {
        self.0.retain(|(.., at)| now.since(*at) < SAME);
        if let Some(twin) = self.0.iter().position(|(d, v, _)| *d == digit && *v != via) {
            self.0.remove(twin);
            return false;
        }
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((digit, via, now));
        true
    }
}

#[cfg(test)]
#[path = "keypad_tests.rs"]
mod tests;
