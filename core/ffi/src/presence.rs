//! Who is free, and how one is seen oneself.
//!
//! RFC 3856. Knows nothing of who may know: that is the server's to say.

use base::Redacted;
use phone::{Command, OwnPresence, PresenceState, WatchBy};

use crate::Phone;
use crate::account::LONGEST;
use crate::error::PhoneError;

/// How a watched person is.
#[uniffi::remote(Enum)]
pub enum PresenceState {
    Free,
    Ringing,
    Busy,
    Away,
    Offline,
    Unknown,
}

/// How the user wants to be seen.
#[uniffi::remote(Enum)]
pub enum OwnPresence {
    Automatic,
    Busy,
    Away,
    Offline,
}

#[uniffi::export]
impl Phone {
    /// Tells how somebody is from now on, as [`crate::Event::Presence`]; with `lamp` by the calls of their line, as busy lamps
    /// show them, else by what they say of themselves. None: the first account. It is not kept over a start of the app.
    ///
    /// # Errors
    /// `NoAccount`; `TooLong`: that is nobody's number.
    pub fn watch(&self, account: Option<u32>, who: String, lamp: bool) -> Result<(), PhoneError> {
        let account = account.map(|account| self.account(account)).transpose()?;
        let by = if lamp { WatchBy::Lamp } else { WatchBy::Presence };
        self.handle.command(Command::Watch { account, who: short(who)?, by });
        Ok(())
    }

    /// Tells no more of somebody.
    ///
    /// # Errors
    /// As [`Self::watch`].
    pub fn unwatch(&self, account: Option<u32>, who: String) -> Result<(), PhoneError> {
        let account = account.map(|account| self.account(account)).transpose()?;
        self.handle.command(Command::Unwatch { account, who: short(who)? });
        Ok(())
    }

    /// How the user is to be seen by those who watch, where an account publishes that; and in their own words, if not empty.
    ///
    /// # Errors
    /// `TooLong`: the note.
    pub fn set_presence(&self, own: OwnPresence, note: String) -> Result<(), PhoneError> {
        let note = Some(short(note)?).filter(|note| !note.reveal().is_empty());
        self.handle.command(Command::SetPresence { own, note });
        Ok(())
    }
}

fn short(text: String) -> Result<Redacted<String>, PhoneError> {
    if text.len() > LONGEST { Err(PhoneError::TooLong) } else { Ok(Redacted::new(text)) }
}
