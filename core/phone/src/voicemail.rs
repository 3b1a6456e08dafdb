//! Messages that wait for the person at the provider: asked for with a registration, told as they change.
//!
//! RFC 3842 (`message-summary`), RFC 6665. Providers that tell without being asked are heard, too. A subscription that ends
//! is made anew when the registration is next granted: no wake of its own. Knows no way to listen to them.

use sip::ua::{Subscribe, SubscriptionId, SubscriptionState};

use crate::desk::Desk;
use crate::registration::{Registration, profile_id};
use crate::{AccountId, Event};

const PACKAGE: &str = "message-summary";
const BODY: &str = "application/simple-message-summary";
/// How long is asked for, in seconds; the agent refreshes.
const EXPIRES: u32 = 3600;
/// Lines of a summary that are looked at.
const LINES: usize = 64;

/// How many messages wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Voicemail {
    /// Whether any does; some providers say no more than that.
    pub waiting: bool,
    /// Voice messages that nobody has heard.
    pub new: u32,
    /// Those that somebody has.
    pub old: u32,
}

impl Voicemail {
    /// Reads a summary; `None`: it is none. RFC 3842 section 5.2.
    fn read(body: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(body);
        let mut found = None;
        let mut told = Self::default();
        for line in text.lines().take(LINES) {
            let Some((name, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            match name.trim().to_ascii_lowercase().as_str() {
                "messages-waiting" => found = Some(value.eq_ignore_ascii_case("yes")),
                // `2/8 (0/2)`: new, old, and of them urgent.
                "voice-message" => {
                    let counts = value.split([' ', '(']).next().unwrap_or_default();
                    let (new, old) = counts.split_once('/')?;
                    (told.new, told.old) = (new.trim().parse().ok()?, old.trim().parse().ok()?);
                }
                _ => {}
            }
        }
        Some(Self { waiting: found?, ..told })
    }
}

impl Registration {
    /// The registrar has granted: ask for what waits, if the account wants that and nobody does so already.
    pub(crate) fn ask_for_voicemail(&mut self, desk: &mut Desk) {
        if !self.account().voicemail || self.voicemail.is_some() {
            return;
        }
        let to = self.account().uri.clone();
        let want = Subscribe { to, event: PACKAGE.into(), accept: BODY.into(), expires: EXPIRES };
        let id = profile_id(self.id());
        self.voicemail = Some(desk.agent.subscribe(id, want, desk.now, &mut desk.orders));
    }

    /// News of a subscription: was it this one's?
    pub(crate) fn notified(
        &mut self,
        subscription: SubscriptionId,
        state: &SubscriptionState,
        body: &[u8],
        desk: &mut Desk,
    ) {
        if self.voicemail != Some(subscription) {
            return;
        }
        if matches!(state, SubscriptionState::Terminated { .. }) {
            self.voicemail = None;
        }
        tell(self.id(), body, desk);
    }
}

/// A summary that nobody has asked for.
pub(crate) fn unsolicited(account: AccountId, event: &str, body: &[u8], desk: &mut Desk) {
    if event.split(';').next().is_some_and(|package| package.trim().eq_ignore_ascii_case(PACKAGE)) {
        tell(account, body, desk);
    }
}

fn tell(account: AccountId, body: &[u8], desk: &mut Desk) {
    if let Some(voicemail) = Voicemail::read(body) {
        desk.event(Event::Voicemail { account, voicemail });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_read_with_its_counts_or_without() {
        let read = |text: &str| Voicemail::read(text.as_bytes());
        let full = "Messages-Waiting: yes\r\nMessage-Account: sip:ann@x\r\nVoice-Message: 2/8 (0/2)\r\n";
        assert_eq!(read(full), Some(Voicemail { waiting: true, new: 2, old: 8 }));
        assert_eq!(read("Messages-Waiting: no"), Some(Voicemail::default()));
        assert_eq!(
            read("messages-waiting:YES\r\nfax-message: 1/0"),
            Some(Voicemail { waiting: true, new: 0, old: 0 })
        );
        for broken in
            ["", "Voice-Message: 1/2", "Messages-Waiting: yes\r\nVoice-Message: lots", "\u{0}:\u{0}"]
        {
            assert_eq!(read(broken), None, "{broken}");
        }
        let huge = format!("Messages-Waiting: yes\nVoice-Message: {}/1\n", "9".repeat(100_000));
        assert_eq!(read(&huge), None);
    }
}
