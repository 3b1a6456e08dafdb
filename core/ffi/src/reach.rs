//! How the user is reached, and how others see them, where that is not as usual: kept by the core, so that no restart makes a
//! phone ring that was told to be quiet.
//!
//! Decides nothing: what is refused or sent on, and what is published, is `phone`'s.

use base::Redacted;
use offhook_io::store::About;
use phone::{Command, OwnPresence};
use serde::{Deserialize, Serialize};

use crate::Phone;
use crate::account::LONGEST;
use crate::error::PhoneError;
use crate::store::Store;

/// How the user wants to be seen.
#[uniffi::remote(Enum)]
pub enum OwnPresence {
    Automatic,
    Busy,
    Away,
    Offline,
}

/// How the user is reached.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Reach {
    /// Every caller is refused.
    pub do_not_disturb: bool,
    /// Every caller is sent there.
    pub forward_to: Option<String>,
    /// A second call rings; else it is busy.
    pub call_waiting: bool,
    /// Callers who do not say who they are do not ring.
    pub refuse_anonymous: bool,
    /// How those who watch see the user.
    pub presence: OwnPresence,
    /// What they read beside it; empty: nothing.
    pub note: String,
}

impl Default for Reach {
    fn default() -> Self {
        Self {
            do_not_disturb: false,
            forward_to: None,
            call_waiting: true,
            refuse_anonymous: false,
            presence: OwnPresence::Automatic,
            note: String::new(),
        }
    }
}

/// The setting that all but anonymous callers stand in, and that for these.
const REACHED: &str = "reached";
const REFUSE_ANONYMOUS: &str = "refuse anonymous";

/// As it is kept: what is as usual is left out.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Line {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    quiet: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    forward: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    one_call: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    seen: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    note: String,
}

const SEEN: [(OwnPresence, &str); 4] = [
    (OwnPresence::Automatic, ""),
    (OwnPresence::Busy, "busy"),
    (OwnPresence::Away, "away"),
    (OwnPresence::Offline, "offline"),
];

impl Reach {
    /// The settings that it stands in.
    pub(crate) const SETTINGS: [&str; 2] = [REFUSE_ANONYMOUS, REACHED];

    /// What is damaged is as usual.
    pub(crate) fn of_settings([refuse_anonymous, reached]: [Option<String>; 2]) -> Self {
        let line: Line = reached.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let seen = SEEN.into_iter().find(|(_, word)| *word == line.seen);
        Self {
            do_not_disturb: line.quiet,
            forward_to: line.forward,
            call_waiting: !line.one_call,
            refuse_anonymous: refuse_anonymous.as_deref() == Some("true"),
            presence: seen.map_or(OwnPresence::Automatic, |(own, _)| own),
            note: line.note,
        }
    }

    fn settings(&self) -> [Option<String>; 2] {
        let seen = SEEN.into_iter().find(|(own, _)| *own == self.presence).map_or("", |(_, word)| word);
        let line = Line {
            quiet: self.do_not_disturb,
            forward: self.forward_to.clone(),
            one_call: !self.call_waiting,
            seen: seen.to_owned(),
            note: self.note.clone(),
        };
        let text = serde_json::to_string(&line).ok().filter(|text| text != "{}");
        [self.refuse_anonymous.then(|| "true".to_owned()), text]
    }

    /// What a phone is told for which it was so `before`.
    fn commands(&self, before: &Self) -> Vec<Command> {
        let mut commands = Vec::new();
        if self.refuse_anonymous != before.refuse_anonymous {
            commands.push(Command::RefuseAnonymous(self.refuse_anonymous));
        }
        if self.do_not_disturb != before.do_not_disturb {
            commands.push(Command::DoNotDisturb(self.do_not_disturb));
        }
        if self.call_waiting != before.call_waiting {
            commands.push(Command::CallWaiting(self.call_waiting));
        }
        if self.forward_to != before.forward_to {
            commands.push(Command::ForwardTo(self.forward_to.clone().map(Redacted::new)));
        }
        if (self.presence, &self.note) != (before.presence, &before.note) {
            let note = Some(self.note.clone()).filter(|note| !note.is_empty()).map(Redacted::new);
            commands.push(Command::SetPresence { own: self.presence, note });
        }
        commands
    }
}

/// Each is remembered, and waits for a disk.
#[uniffi::export]
impl Phone {
    /// How the user is reached.
    pub fn reach(&self) -> Reach {
        self.store().reach.clone()
    }

    /// Refuses every caller while on.
    ///
    /// # Errors
    /// `ShutDown`; `Store`: it cannot be kept, and everything is as it was: say so.
    pub fn do_not_disturb(&self, on: bool) -> Result<(), PhoneError> {
        self.set_reach(|it| it.do_not_disturb = on)
    }

    /// Sends every caller elsewhere while set.
    ///
    /// # Errors
    /// `BadTarget`, `NoAccount`: as for `call`; `ShutDown`, `Store`: as for `do_not_disturb`.
    pub fn forward_to(&self, to: Option<String>) -> Result<(), PhoneError> {
        if let Some(to) = &to {
            self.check_target(None, to)?;
        }
        self.set_reach(|it| it.forward_to = to)
    }

    /// Lets a second call ring (true) or makes it busy.
    ///
    /// # Errors
    /// As for `do_not_disturb`.
    pub fn call_waiting(&self, on: bool) -> Result<(), PhoneError> {
        self.set_reach(|it| it.call_waiting = on)
    }

    /// Lets callers who do not say who they are not ring (true), or again.
    ///
    /// # Errors
    /// As for `do_not_disturb`.
    pub fn refuse_anonymous(&self, on: bool) -> Result<(), PhoneError> {
        self.set_reach(|it| it.refuse_anonymous = on)
    }

    /// How the user is to be seen by those who watch, where an account publishes that; and in their own words, if not empty.
    ///
    /// # Errors
    /// `TooLong`: the note; `ShutDown`, `Store`: as for `do_not_disturb`.
    pub fn set_presence(&self, own: OwnPresence, note: String) -> Result<(), PhoneError> {
        if note.len() > LONGEST {
            return Err(PhoneError::TooLong);
        }
        self.set_reach(|it| (it.presence, it.note) = (own, note))
    }
}

impl Phone {
    fn set_reach(&self, change: impl FnOnce(&mut Reach)) -> Result<(), PhoneError> {
        self.require_open()?;
        let mut store = self.store();
        let mut reach = store.reach.clone();
        change(&mut reach);
        if reach == store.reach {
            return Ok(());
        }
        let settings = reach.settings();
        self.handle.on_store(About::Rest, move |database| {
            database.bulk(|| {
                for (name, value) in Reach::SETTINGS.into_iter().zip(&settings) {
                    database.set_setting(name, value.as_deref())?;
                }
                Ok(())
            })
        })?;
        let before = std::mem::replace(&mut store.reach, reach);
        self.tell_reach(&store, &before);
        Ok(())
    }

    /// Tells the phone how the user is reached, for which it was so `before`.
    pub(crate) fn tell_reach(&self, store: &Store, before: &Reach) {
        for command in store.reach.commands(before) {
            self.handle.command(command);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_as_usual_leaves_no_setting_and_the_rest_is_read_back() {
        assert_eq!(Reach::default().settings(), [None, None]);
        let all = SEEN.map(|(presence, _)| Reach {
            do_not_disturb: true,
            forward_to: Some("1009".into()),
            call_waiting: false,
            refuse_anonymous: true,
            presence,
            note: "back at four".into(),
        });
        for reached in all {
            assert_eq!(Reach::of_settings(reached.settings()), reached);
        }
        for damaged in ["", "{", "[]", r#"{"seen":7}"#, r#"{"seen":"abroad"}"#] {
            assert_eq!(Reach::of_settings([None, Some(damaged.into())]), Reach::default(), "{damaged}");
        }
    }
}
