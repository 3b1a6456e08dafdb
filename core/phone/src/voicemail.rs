//! Messages that wait for the person at the provider: asked for with a registration, told as they change.
//!
//! RFC 3842 (`message-summary`), RFC 6665. Providers that tell without being asked are heard, too. A subscription that ends
//! is made anew when the registration is next granted: no wake of its own. What to call to hear them, the account says, else
//! the provider, where it was asked: what nobody has asked for may be a stranger's, who would have his own number called.

use base::Redacted;
use sip::message::Uri;
use sip::ua::{Subscribe, SubscriptionId, SubscriptionState};

use crate::desk::Desk;
use crate::dial::{self, number_of};
use crate::registration::{Registration, profile_id};
use crate::{Account, AccountId, Event};

const PACKAGE: &str = "message-summary";
const BODY: &str = "application/simple-message-summary";
/// How long is asked for, in seconds; the agent refreshes.
const EXPIRES: u32 = 3600;
/// Lines of a summary that are looked at.
const LINES: usize = 64;
/// Longest address of a mailbox.
const LONGEST: usize = 255;

/// How many messages wait.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Voicemail {
    /// Whether any does; some providers say no more than that.
    pub waiting: bool,
    /// Voice messages that nobody has heard.
    pub new: u32,
    /// Those that somebody has.
    pub old: u32,
    /// What to call to hear them: a number or an address. `None`: nobody has said it.
    pub mailbox: Option<Redacted<String>>,
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
                "message-account" if value.len() <= LONGEST => {
                    told.mailbox = Some(Redacted::new(value.to_owned()));
                }
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
        tell(self.id(), self.account(), body, true, desk);
    }
}

/// A summary that nobody has asked for.
pub(crate) fn unsolicited(id: AccountId, account: &Account, event: &str, body: &[u8], desk: &mut Desk) {
    if event.split(';').next().is_some_and(|package| package.trim().eq_ignore_ascii_case(PACKAGE)) {
        tell(id, account, body, false, desk);
    }
}

fn tell(id: AccountId, account: &Account, body: &[u8], asked: bool, desk: &mut Desk) {
    let Some(told) = Voicemail::read(body) else { return };
    let by_provider = told.mailbox.filter(|_| asked).and_then(|it| dialable(it.reveal(), &account.uri));
    let mailbox = account.mailbox.clone().or(by_provider.map(Redacted::new));
    desk.event(Event::Voicemail { account: id, voicemail: Voicemail { mailbox, ..told } });
}

/// What to call for the mailbox that the provider names: its address within the account's domain; of one elsewhere the number
/// alone, which the provider then calls itself. Nothing where it is the account, which is the person's own phone.
fn dialable(mailbox: &str, account: &Uri) -> Option<String> {
    let uri: Uri = mailbox.trim_matches(['<', '>']).parse().ok()?;
    if uri.view().equals(&account.view()) {
        return None;
    }
    let (domain, host) = (dial::domain(account), dial::domain(&uri));
    let within = host.strip_suffix(&*domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let number = number_of(uri.as_str());
    let is_number =
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || b"*#+".contains(&byte));
    if within { Some(uri.as_str().to_owned()) } else { Some(number).filter(|_| is_number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_read_with_its_counts_or_without() {
        let read = |text: &str| Voicemail::read(text.as_bytes());
        let full = "Messages-Waiting: yes\r\nMessage-Account: sip:ann@x\r\nVoice-Message: 2/8 (0/2)\r\n";
        let ann = Some(Redacted::new("sip:ann@x".to_owned()));
        assert_eq!(read(full), Some(Voicemail { waiting: true, new: 2, old: 8, mailbox: ann }));
        assert_eq!(read("Messages-Waiting: no"), Some(Voicemail::default()));
        assert_eq!(
            read("messages-waiting:YES\r\nfax-message: 1/0"),
            Some(Voicemail { waiting: true, ..Voicemail::default() })
        );
        for broken in
            ["", "Voice-Message: 1/2", "Messages-Waiting: yes\r\nVoice-Message: lots", "\u{0}:\u{0}"]
        {
            assert_eq!(read(broken), None, "{broken}");
        }
        let huge = format!("Messages-Waiting: yes\nVoice-Message: {}/1\n", "9".repeat(100_000));
        assert_eq!(read(&huge), None);
    }

    #[test]
    fn a_mailbox_is_called_at_the_provider_and_nowhere_else() {
        let account: Uri = "sip:1001@pbx.example.com".parse().unwrap();
        for (told, called) in [
            ("sip:*97@pbx.example.com", Some("sip:*97@pbx.example.com")),
            ("<sip:ann@vmail.pbx.example.com>", Some("sip:ann@vmail.pbx.example.com")),
            ("sip:*97@10.0.0.1", Some("*97")),
            ("sip:1001@pbx.example.com", None),
            ("sip:ann@elsewhere.example.net", None),
            ("sip:1001@evilpbx.example.com", Some("1001")),
            ("nonsense", None),
            ("", None),
        ] {
            assert_eq!(dialable(told, &account).as_deref(), called, "{told}");
        }
    }
}
