//! One account's own state, published: said, said again before it runs out, changed, taken back.
//!
//! RFC 3903 section 4 (PUBLISH, SIP-ETag, SIP-If-Match), RFC 3863 and RFC 4480 for what is said. Goes along with the
//! registration: a refresh that would be due before the next of its wakes is sent with this one. Knows nothing of calls, nor
//! what makes somebody busy.
//!
//! ```text
//!   Silent --something to say--> Asking --2xx--> Standing --another state, or time--> Asking
//!     ^                           | | ^
//!     |  408, 5xx: with the next  | | '-- 412: nobody knows of it there, anew; 423: for longer
//!     '--- registration ----------' '-- any other refusal --> Refused: told once, and not asked again
//!
//!   to be taken back: from Standing at once; from Asking when it is known what the server calls it (Leaving)
//! ```

use std::fmt::Write as _;
use std::time::Duration;

use base::Instant;
use sip::message::{Draft, Message, Method, Name, Uri};
use sip::ua::{Outcome, RequestId};

use super::{PACKAGE, PIDF, Place, PresenceState, Shown};
use crate::desk::{Desk, Timer};
use crate::registration::{may_pass, profile_id};
use crate::{AccountId, Event};

/// The longest `Min-Expires` that is believed.
const LONGEST_EXPIRES: u32 = 86_400;
/// A publication that is granted for less is refreshed as if it were for this, in seconds.
const SHORTEST_EXPIRES: u32 = 60;
/// No two are nearer to each other: who watches is told no more often anyway. RFC 3856 section 6.10.
const PACE: Duration = Duration::from_secs(5);
/// A refresh must be able to fail before the publication runs out: 64*T1 and a little.
const AHEAD: Duration = Duration::from_secs(35);
/// Longest entity tag that is kept; one that is longer is as good as none.
const LONGEST_TAG: usize = 256;

#[derive(Debug, Default)]
enum State {
    #[default]
    Silent,
    Asking {
        request: RequestId,
    },
    /// The same, and what it says is to be taken back.
    Leaving {
        request: RequestId,
    },
    /// Until then, and to be refreshed in time.
    Standing {
        until: Instant,
        refresh: Instant,
    },
    Refused,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Publication {
    state: State,
    /// What the server calls it. RFC 3903 section 4.1.
    tag: Option<String>,
    /// What stands there, or is being said.
    said: Option<Shown>,
    /// When it was said.
    at: Option<Instant>,
    /// Not before.
    wait: Instant,
    /// Seconds asked for at least: a `Min-Expires`.
    least: u32,
    /// Seconds asked for.
    asked: u32,
    /// The name of this phone among those of its user.
    id: Option<String>,
}

impl Default for Publication {
    fn default() -> Self {
        let (state, wait) = (State::Silent, Instant::ZERO);
        Self { state, tag: None, said: None, at: None, wait, least: 0, asked: 0, id: None }
    }
}

impl Publication {
    /// Says what there is to say, if it is time.
    pub(super) fn look(&mut self, place: &Place<'_>, wanted: &Shown, desk: &mut Desk) {
        if !place.serves {
            return;
        }
        let changed = self.said.as_ref() != Some(wanted);
        match self.state {
            State::Asking { .. } | State::Leaving { .. } | State::Refused => return,
            State::Silent => {}
            State::Standing { until, refresh } => {
                // The next time that the registration wakes us is too late.
                let due = refresh <= desk.now || place.granted_anew && until < place.refresh_at + AHEAD;
                if !changed && !due {
                    if refresh < place.refresh_at || !place.registers {
                        desk.timers.set(Timer::Publish(place.account), refresh);
                    }
                    return;
                }
            }
        }
        let paced = self.at.map_or(Instant::ZERO, |at| at + PACE);
        if desk.now < self.wait {
            return;
        }
        if desk.now < paced {
            return desk.timers.set(Timer::Publish(place.account), paced);
        }
        self.asked = place.lifetime(desk.now).max(self.least);
        self.say(place.account, place.uri, changed.then_some(wanted), desk);
    }

    /// PUBLISH: a state, or that the one that stands holds on.
    fn say(&mut self, account: AccountId, uri: &Uri, state: Option<&Shown>, desk: &mut Desk) {
        let said = state.or(self.said.as_ref()).cloned();
        let Some(said) = said else { return };
        let mut draft = draft(uri, self.asked, self.tag.as_deref());
        if state.is_some() || self.tag.is_none() {
            let rng = &mut desk.rng;
            let id = self.id.get_or_insert_with(|| format!("phone-{:08x}", rng.below(1 << 32)));
            draft.body(PIDF, document(uri, id, &said));
        }
        self.said = Some(said);
        self.at = Some(desk.now);
        desk.timers.cancel(&Timer::Publish(account));
        let request = desk.agent.request(profile_id(account), draft, desk.now, &mut desk.orders);
        self.state = State::Asking { request };
    }

    /// Whether the answer is ours; if so, what comes of it.
    pub(super) fn done(
        &mut self,
        account: AccountId,
        uri: &Uri,
        request: RequestId,
        outcome: &Outcome,
        desk: &mut Desk,
    ) -> bool {
        let leaves = matches!(self.state, State::Leaving { .. });
        match self.state {
            State::Asking { request: ours } | State::Leaving { request: ours } if ours == request => {}
            State::Asking { .. }
            | State::Leaving { .. }
            | State::Silent
            | State::Standing { .. }
            | State::Refused => return false,
        }
        if leaves {
            // What was not granted does not stand there.
            if let Outcome::Final(message) = outcome
                && message.status().is_some_and(|status| (200..300).contains(&status))
            {
                self.granted(message, desk.now);
            } else {
                self.state = State::Silent;
            }
            self.end(account, uri, desk);
            return true;
        }
        match outcome {
            Outcome::Final(message) => self.answered(account, uri, message, desk),
            Outcome::CannotAuthorize(message) => self.refused(account, message.status().unwrap_or(401), desk),
            Outcome::NoAnswer | Outcome::NotFound | Outcome::Unreachable => self.later(None, desk),
        }
        true
    }

    fn answered(&mut self, account: AccountId, uri: &Uri, message: &Message, desk: &mut Desk) {
        match message.status().unwrap_or(500) {
            200..=299 => self.granted(message, desk.now),
            // RFC 3903 section 4.3: it is gone there; what it said is said anew.
            412 if self.tag.take().is_some() => self.say(account, uri, None, desk),
            423 => match message.min_expires() {
                Some(least) if self.asked < least && least <= LONGEST_EXPIRES => {
                    (self.least, self.asked) = (least, least);
                    self.say(account, uri, None, desk);
                }
                Some(_) | None => self.refused(account, 423, desk),
            },
            status if may_pass(status) => self.later(message.retry_after(), desk),
            status => self.refused(account, status, desk),
        }
    }

    fn granted(&mut self, message: &Message, now: Instant) {
        let tag = message.text(Name::SipEtag).map(str::trim).filter(|tag| !tag.is_empty());
        self.tag = tag.filter(|tag| tag.len() <= LONGEST_TAG).map(str::to_owned);
        let granted = message.expires().unwrap_or(self.asked).clamp(SHORTEST_EXPIRES, LONGEST_EXPIRES);
        let granted = Duration::from_secs(granted.into());
        let (until, refresh) = (now + granted, now + granted.saturating_sub(AHEAD));
        self.state = State::Standing { until, refresh };
    }

    /// The server takes none, or not from us: it is not asked again.
    fn refused(&mut self, account: AccountId, status: u16, desk: &mut Desk) {
        self.state = State::Refused;
        desk.event(Event::PresenceRefused { account, status });
    }

    /// It did not get through: nobody knows what stands there.
    fn later(&mut self, retry_after: Option<u32>, desk: &Desk) {
        self.state = State::Silent;
        (self.tag, self.said) = (None, None);
        self.wait = desk.now + Duration::from_secs(retry_after.unwrap_or(0).clamp(30, 3600).into());
    }

    /// Takes it back. RFC 3903 section 4.5. What is on its way then is taken back when it has come to stand there.
    pub(super) fn end(&mut self, account: AccountId, uri: &Uri, desk: &mut Desk) {
        desk.timers.cancel(&Timer::Publish(account));
        if let State::Asking { request } | State::Leaving { request } = self.state {
            self.state = State::Leaving { request };
            return;
        }
        if let (State::Standing { .. }, Some(tag)) = (&self.state, &self.tag) {
            let draft = draft(uri, 0, Some(tag));
            desk.agent.request(profile_id(account), draft, desk.now, &mut desk.orders);
        }
        *self = Self { id: self.id.take(), ..Self::default() };
    }
}

fn draft(uri: &Uri, expires: u32, tag: Option<&str>) -> Draft {
    let mut draft = Draft::request(&Method::Publish, uri.as_str());
    draft.push(Name::Event, PACKAGE).push(Name::Expires, expires);
    if let Some(tag) = tag {
        draft.push(Name::SipIfMatch, tag);
    }
    draft
}

/// PIDF. RFC 3863 section 4, RFC 4479 (the person), RFC 4480 section 3.2.
fn document(uri: &Uri, id: &str, shown: &Shown) -> String {
    let (basic, activity) = match (shown.state, shown.talks) {
        (PresenceState::Offline | PresenceState::Unknown, _) => ("closed", None),
        (PresenceState::Busy, true) => ("open", Some("on-the-phone")),
        (PresenceState::Busy, false) => ("open", Some("busy")),
        (PresenceState::Away, _) => ("open", Some("away")),
        (PresenceState::Free | PresenceState::Ringing, _) => ("open", None),
    };
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\
         <presence xmlns=\"urn:ietf:params:xml:ns:pidf\" xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" \
         xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\" entity=\"{}\">\r\n\
         <tuple id=\"{id}\"><status><basic>{basic}</basic></status></tuple>\r\n",
        escaped(uri.as_str())
    );
    let note = shown.note.as_ref().map(|note| escaped(note.reveal()));
    if activity.is_some() || note.is_some() {
        let _ = write!(xml, "<dm:person id=\"{id}-person\">");
        if let Some(activity) = activity {
            let _ = write!(xml, "<rpid:activities><rpid:{activity}/></rpid:activities>");
        }
        if let Some(note) = note {
            let _ = write!(xml, "<dm:note>{note}</dm:note>");
        }
        xml += "</dm:person>\r\n";
    }
    xml + "</presence>\r\n"
}

/// As text or as an attribute's value; what XML cannot hold is left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use base::Redacted;

    use super::super::Document;
    use super::*;

    #[test]
    fn what_is_written_is_read_as_it_was_meant() {
        let uri: Uri = "sip:a&b%22@offhook.test".parse().unwrap();
        for (state, talks) in [
            (PresenceState::Free, false),
            (PresenceState::Busy, true),
            (PresenceState::Busy, false),
            (PresenceState::Away, false),
            (PresenceState::Offline, false),
        ] {
            let note = Some(Redacted::new("<back> \"at\" 2 & 3\u{7}\u{ffff}".to_owned()));
            let xml = document(&uri, "phone-1", &Shown { state, talks, note });
            let Some(Document::Presence(read)) = Document::read(xml.as_bytes()) else { panic!("{xml}") };
            assert_eq!(read.state, state, "{xml}");
            assert_eq!(read.note.unwrap().reveal(), "<back> \"at\" 2 & 3");
            assert_eq!(xml.contains("on-the-phone"), talks);
        }
    }
}
