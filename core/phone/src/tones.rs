//! What the person should hear that no call says: ringback, busy, congestion, call waiting.
//!
//! RFC 3960 section 3.2 for ringback: the callee's ringing sounds here unless early media does. The rest is custom, not
//! standard. Knows calls by their views; neither how a tone sounds nor who plays it.

use std::time::Duration;

pub use media::tones::Kind as Tone;

use crate::call::Call;
use crate::desk::{Desk, Timer};
use crate::{CallState, CallView, Output, Side, Why};

/// How long it sounds that a call came to nothing: some cadences of any country, and then they know.
const FAREWELL: Duration = Duration::from_secs(4);

/// What sounds now.
#[derive(Debug, Default)]
pub(crate) struct Tones {
    sounds: Option<Tone>,
    /// Until its timer is due, or something else is to be heard.
    farewell: Option<Tone>,
}

impl Tones {
    /// Looks at all calls, those that have just ended among them, and tells what has changed.
    pub(crate) fn look<'a>(&mut self, calls: impl Iterator<Item = &'a Call> + Clone, desk: &mut Desk) {
        let views = calls.filter_map(Call::shown);
        if let Some(farewell) = views.clone().find_map(farewell) {
            self.farewell = Some(farewell);
            desk.timers.set(Timer::Tone, desk.now + FAREWELL);
        }
        if self.farewell.is_some() && views.clone().any(|view| !leaves_quiet(view.state)) {
            self.farewell = None;
            desk.timers.cancel(&Timer::Tone);
        }
        self.tell(during(views).or(self.farewell), desk);
    }

    /// A farewell has sounded long enough.
    pub(crate) fn over(&mut self) {
        self.farewell = None;
    }

    fn tell(&mut self, due: Option<Tone>, desk: &mut Desk) {
        if self.sounds != due {
            self.sounds = due;
            desk.queue.push_back(Output::Tone(due));
        }
    }
}

/// What calls that are not over ask for.
fn during<'a>(views: impl Iterator<Item = &'a CallView> + Clone) -> Option<Tone> {
    let any = |wanted: fn(&CallView) -> bool| views.clone().any(wanted);
    if any(|view| view.answered.is_some() && view.state != CallState::Ended) && any(waits) {
        return Some(Tone::CallWaiting);
    }
    // Who hears somebody, or what the network plays, is not to hear us too.
    let talks = any(|view| {
        view.state == CallState::Active || view.side == Side::Out && view.state == CallState::Early
    });
    let rings = any(|view| view.side == Side::Out && view.state == CallState::Ringing);
    (rings && !talks).then_some(Tone::Ringback)
}

/// It rings here, and the person has not done anything about it.
fn waits(view: &CallView) -> bool {
    view.side == Side::In && matches!(view.state, CallState::Announced | CallState::Ringing)
}

/// Whether a call in this state has nothing for the ear that a farewell would talk into.
const fn leaves_quiet(state: CallState) -> bool {
    match state {
        CallState::Held | CallState::RemoteHeld | CallState::Ended => true,
        CallState::Announced
        | CallState::Calling
        | CallState::Ringing
        | CallState::Early
        | CallState::Active => false,
    }
}

/// What a call of ours that has ended without an answer leaves behind; nothing when the person did it.
fn farewell(view: &CallView) -> Option<Tone> {
    if view.state != CallState::Ended || view.side == Side::In || view.answered.is_some() {
        return None;
    }
    match view.explanation? {
        Why::YouGaveUp | Why::YouEnded | Why::SwitchedOff | Why::PhoneRestarted => None,
        // There is nothing to play it on.
        Why::Audio => None,
        Why::Busy | Why::InAnotherCall | Why::Declined => Some(Tone::Busy),
        _ => Some(Tone::Congestion),
    }
}
