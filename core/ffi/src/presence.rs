//! Who is free, and how one is seen oneself.
//!
//! RFC 3856. Knows nothing of who may know: that is the server's to say.

use base::Redacted;
use phone::{AccountId, Command, OwnPresence, PresenceState, WatchBy};

use crate::Phone;
use crate::account::LONGEST;
use crate::document::address;
use crate::error::PhoneError;
use crate::store::{Store, Watched};

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
    /// show them, else by what they say of themselves. None: the default account. It is remembered, by the account and what was
    /// typed, and waits for a disk.
    ///
    /// # Errors
    /// `NoAccount`; `TooLong`: that is nobody's number, or there are too many; `Store`: it cannot be kept: say so.
    pub fn watch(&self, account: Option<u32>, who: String, lamp: bool) -> Result<(), PhoneError> {
        let id = account.map_or_else(|| self.picked(), |account| self.account(account))?;
        let whom = short(who.clone())?;
        let mut store = self.store();
        let account = address(store.document(id.0)?);
        let mut all = store.watched.clone();
        all.retain(|it| it.account != account || it.who != who);
        all.push(Watched { account, who, lamp });
        store.set_watched(&self.handle, all)?;
        let by = if lamp { WatchBy::Lamp } else { WatchBy::Presence };
        self.handle.command(Command::Watch { account: Some(id), who: whom, by });
        Ok(())
    }

    /// Tells no more of somebody. None: whichever account watches.
    ///
    /// # Errors
    /// As [`Self::watch`].
    pub fn unwatch(&self, account: Option<u32>, who: String) -> Result<(), PhoneError> {
        let of = account.map(|account| self.account(account)).transpose()?;
        let whom = short(who.clone())?;
        let mut store = self.store();
        let address_of = |id: AccountId| store.document(id.0).map(address);
        let only = of.map(address_of).transpose()?;
        let mut all = store.watched.clone();
        let known = all.len();
        all.retain(|it| it.who != who || only.as_ref().is_some_and(|only| *only != it.account));
        if all.len() < known {
            store.set_watched(&self.handle, all)?;
        }
        let watching = match of {
            Some(id) => vec![id],
            None => store.accounts().iter().filter(|it| it.enabled).map(|it| AccountId(it.id)).collect(),
        };
        for id in watching {
            self.handle.command(Command::Unwatch { account: Some(id), who: whom.clone() });
        }
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

impl Phone {
    /// Those whom an account watches are watched: it has come to the phone.
    pub(crate) fn watch_again(&self, store: &Store, id: AccountId) {
        let Ok(document) = store.document(id.0) else { return };
        let account = address(document);
        let kept = store.watched.iter().filter(|it| it.account == account);
        let kept = kept.map(|it| (&*it.who, if it.lamp { WatchBy::Lamp } else { WatchBy::Presence }));
        let named = document.form().watch.iter().map(|who| (who.as_str(), WatchBy::Presence));
        for (who, by) in named.chain(kept) {
            let who = Redacted::new(who.to_owned());
            self.handle.command(Command::Watch { account: Some(id), who, by });
        }
    }
}

fn short(text: String) -> Result<Redacted<String>, PhoneError> {
    if text.len() > LONGEST { Err(PhoneError::TooLong) } else { Ok(Redacted::new(text)) }
}
