//! Who is free.
//!
//! RFC 3856. Knows nothing of who may know: that is the server's to say.

use std::collections::BTreeSet;

use base::Redacted;
use phone::{AccountId, Command, PresenceState, WatchBy, dial};

use crate::Phone;
use crate::account::LONGEST;
use crate::document::{self, address};
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

/// Favourites that are watched at most: as many as the core watches, and each is a subscription.
const MOST_FAVOURITES: usize = 64;

/// A favourite that is watched.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct WatchedFavourite {
    /// Who in the phone book.
    pub contact: u64,
    /// Whom: as [`crate::Event::Presence`] names them.
    pub who: String,
}

/// The favourites that are watched, and the account that does so.
#[derive(Debug, Default)]
pub(crate) struct WatchList {
    account: u32,
    those: BTreeSet<String>,
}

#[uniffi::export]
impl Phone {
    /// Watches the favourites that have an address, by the default account, and no longer those that are none any more; those
    /// who are watched now. Ask for it at the start, when an account comes or goes, and at [`crate::Event::Contacts`]. It
    /// waits for a disk. Numbers are not watched: nobody tells how a telephone is.
    ///
    /// # Errors
    /// `Store`: the favourites cannot be read, and everything is as it was.
    pub fn watch_favourites(&self) -> Result<Vec<WatchedFavourite>, PhoneError> {
        let by = self.picked().ok().map(|id| id.0);
        let caller = by.and_then(|id| Some((id, document::caller(self.store().document(id).ok()?).ok()?)));
        let mut list = self.watch_list();
        let Some((account, caller)) = caller else {
            *list = WatchList::default();
            return Ok(Vec::new());
        };
        let mut watched = Vec::new();
        for contact in self.favourites()? {
            let addresses = contact.numbers.iter().filter(|number| is_address(&number.text));
            let uris = addresses.filter_map(|number| dial(&number.text, &caller.uri).ok());
            watched.extend(uris.map(|uri| WatchedFavourite { contact: contact.id, who: uri.to_string() }));
        }
        watched.truncate(MOST_FAVOURITES);
        if list.account != account {
            let before = std::mem::replace(&mut *list, WatchList { account, those: BTreeSet::new() });
            if let Ok(of) = self.account(before.account) {
                for gone in before.those {
                    self.handle.command(Command::Unwatch { account: Some(of), who: Redacted::new(gone) });
                }
            }
        }
        let those: BTreeSet<String> = watched.iter().map(|it| it.who.clone()).collect();
        let account = Some(AccountId(account));
        // First those who leave: there is room for so many only.
        for gone in list.those.difference(&those) {
            self.handle.command(Command::Unwatch { account, who: Redacted::new(gone.clone()) });
        }
        for new in those.difference(&list.those) {
            let by = WatchBy::Presence;
            self.handle.command(Command::Watch { account, who: Redacted::new(new.clone()), by });
        }
        list.those = those;
        Ok(watched)
    }

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

/// Whether it is somebody's, and no telephone's.
fn is_address(text: &str) -> bool {
    text.trim().strip_prefix("tel:").is_none() && text.contains('@')
}
