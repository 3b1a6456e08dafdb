//! The phone's diary, for a user who sends a report: what was asked and what came of it, and nobody's name or number.
//!
//! Bounded; the oldest lines go. Knows no file and no logcat: the app reads it when it is wanted.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use offhook_io::clock;

use crate::Event;
use crate::view::millis;

const LINES: usize = 500;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LogLine {
    /// Milliseconds since boot.
    pub at_ms: u64,
    /// What happened, in words; no names, numbers, addresses or passwords.
    pub text: String,
}

#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<VecDeque<LogLine>>);

impl Log {
    pub(crate) fn note(&self, text: impl Into<String>) {
        let line = LogLine { at_ms: millis(clock::now()), text: text.into() };
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// Notes what an event says, as far as it may be known to a stranger.
    pub(crate) fn event(&self, event: &Event) {
        let text = match event {
            Event::Account { view } => {
                let why = view.why.map(|why| format!(": {why}")).unwrap_or_default();
                format!("account {} {:?} ({:?}){why}", view.account, view.state, view.step)
            }
            Event::Call { view } => {
                let why = view.why.map(|why| format!(": {why}")).unwrap_or_default();
                let said = view.said.as_deref().and_then(|said| said.split(' ').next()).unwrap_or_default();
                format!("call {} {:?} {:?} {said}{why}", view.call, view.side, view.state)
            }
            Event::Refused { subject, why } => format!("{subject:?} refused: {why:?}"),
            Event::Message { account, .. } => format!("account {account}: a message came"),
            Event::MessageWaits { message, why } => format!("message {message} waits, {why:?}"),
            Event::MessageSent { message, why } => format!("message {message} sent, {why:?}"),
            Event::AudioFailed { .. } => "audio failed".into(),
            Event::PasswordLost { account } => format!("account {account}: its password is lost"),
            Event::Certificate { account, fingerprint, why, .. } => {
                format!("account {account}: {why} {fingerprint}")
            }
            Event::Gateway { sentence } => sentence.clone(),
            Event::Voicemail { account, new, old, .. } => {
                format!("account {account}: {new} new messages, {old} old")
            }
            Event::Balance { account, trouble, .. } => {
                let fared = if trouble.is_some() { "is not known" } else { "was told" };
                format!("account {account}: its balance {fared}")
            }
            Event::ToppedUp { account, came, .. } => format!("account {account}: a card, {came:?}"),
            Event::CallBack { account, came, .. } => format!("account {account}: a call back, {came:?}"),
            // Its sentence may name a file.
            Event::Memory { .. } => "something was not remembered".into(),
            Event::Presence { account, state, .. } => format!("account {account}: somebody is {state:?}"),
            Event::PresenceRefused { account, status } => {
                format!("account {account}: not published, {status}")
            }
            Event::FileEnded { .. } => "a file ended".into(),
            Event::Restarted { thread, story } => format!("{thread} restarted: {story}"),
            Event::DigitsLost { call, count } => format!("call {call}: {count} digits may be lost"),
            Event::Stopped => "stopped".into(),
            Event::EncryptionLost { call } => format!("call {call}: no longer encrypted"),
            Event::SilenceBegan { call, heard_before, hears_us, .. } => {
                format!("call {call}: silence, heard before {heard_before}, hears us {hears_us:?}")
            }
            Event::Way { call, reached: Some(reached), .. } => format!("call {call} is reached {reached}"),
            Event::Way { call, reached: None, .. } => format!("call {call}: no way is chosen"),
            Event::SilenceEnded { call, lasted_ms } => {
                format!("call {call}: heard again after {lasted_ms} ms")
            }
            // Told too often to be worth a line, or a secret.
            Event::Quality { .. }
            | Event::Timeline { .. }
            | Event::Wake { .. }
            | Event::Digit { .. }
            | Event::CallLog { .. }
            | Event::Messages { .. }
            | Event::Contacts
            | Event::Minutes { .. }
            | Event::Accounts => return,
        };
        self.note(text);
    }

    pub(crate) fn lines(&self) -> Vec<LogLine> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reached;

    #[test]
    fn the_diary_names_nobody_and_has_an_end() {
        let log = Log::default();
        log.event(&Event::Message {
            account: 1,
            from: "sip:alice@example.com".into(),
            number: "1002".into(),
            name: Some("Alice".into()),
            text: "my secret".into(),
        });
        let [line] = &log.lines()[..] else { panic!("one line") };
        assert_eq!(line.text, "account 1: a message came");
        let lines = vec!["ours    host  192.0.2.7:4000".into(), "because it is so".into()];
        log.event(&Event::Way { call: 3, reached: Some(Reached::Relayed), lines });
        assert_eq!(log.lines()[1].text, "call 3 is reached through a relay");
        (0..2 * LINES).for_each(|n| log.note(n.to_string()));
        assert_eq!(log.lines().len(), LINES);
        assert_eq!(log.lines().last().map(|line| line.text.clone()), Some("999".into()));
    }
}
