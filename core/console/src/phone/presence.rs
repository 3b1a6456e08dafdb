//! Who is free: its words for scripts, and its sentences for people.

use base::Redacted;
use phone::{AccountId, Command, Event, OwnPresence, PresenceState, WatchBy};

use super::line::{Line, user};
use super::roster::Roster;

/// How somebody is, in a script's word.
const fn word(state: PresenceState) -> &'static str {
    match state {
        PresenceState::Free => "free",
        PresenceState::Ringing => "ringing",
        PresenceState::Busy => "busy",
        PresenceState::Away => "away",
        PresenceState::Offline => "offline",
        PresenceState::Unknown => "unknown",
    }
}

/// The event as a line; `None`: it is about something else.
pub(crate) fn line(event: &Event, roster: &Roster) -> Option<Line> {
    match event {
        Event::Presence { account, who, presence } => Some(Line::Presence {
            who: user(who.reveal()).to_owned(),
            state: word(presence.state),
            note: presence.note.as_ref().map(|note| note.reveal().clone()),
            whose: roster.whose(*account),
        }),
        Event::PresenceRefused { account, .. } => {
            sentence(event).map(|sentence| Line::error_of(roster.whose(*account), sentence))
        }
        _ => None,
    }
}

/// The event as a sentence; `None`: it is about something else.
pub(crate) fn sentence(event: &Event) -> Option<String> {
    match event {
        Event::Presence { who, presence, .. } => {
            let who = user(who.reveal());
            let how = match presence.state {
                PresenceState::Free => "is free",
                PresenceState::Ringing => "is being called",
                PresenceState::Busy => "is in a call, or busy",
                PresenceState::Away => "is away",
                PresenceState::Offline => "is not there",
                PresenceState::Unknown => "is not told of",
            };
            let note = presence.note.as_ref().map(|note| format!(": {}", note.reveal()));
            Some(format!("{who} {how}{}", note.unwrap_or_default()))
        }
        Event::PresenceRefused { status, .. } => {
            Some(format!("the server does not tell others how you are ({status})"))
        }
        _ => None,
    }
}

/// Reads how one wants to be seen; the error is a sentence.
pub(crate) fn own(word: &str) -> Result<OwnPresence, String> {
    match word {
        "auto" | "free" => Ok(OwnPresence::Automatic),
        "busy" => Ok(OwnPresence::Busy),
        "away" => Ok(OwnPresence::Away),
        "offline" => Ok(OwnPresence::Offline),
        _ => Err("presence is auto, busy, away or offline".into()),
    }
}

/// What is asked of the phone.
pub(crate) fn watch(account: Option<AccountId>, who: String, on: bool, lamp: bool) -> Command {
    let who = Redacted::new(who);
    let by = if lamp { WatchBy::Lamp } else { WatchBy::Presence };
    if on { Command::Watch { account, who, by } } else { Command::Unwatch { account, who } }
}

#[cfg(test)]
mod tests {
    use phone::Presence;

    use super::*;

    #[test]
    fn somebody_who_is_watched_is_a_sentence_and_a_line() {
        let note = Some(Redacted::new("back at 2".to_owned()));
        let presence = Presence { state: PresenceState::Away, note };
        let who = Redacted::new("sip:bob@offhook.test".to_owned());
        let event = Event::Presence { account: AccountId(1), who, presence };
        assert_eq!(sentence(&event).unwrap(), "bob is away: back at 2");
        let json = serde_json::to_string(&line(&event, &Roster::default()).unwrap()).unwrap();
        assert_eq!(json, r#"{"event":"presence","who":"bob","state":"away","note":"back at 2"}"#);
    }
}
