//! The accounts of one phone, as they are kept: in the phone's database, as documents, in the person's order.
//!
//! What is read is read from here; what is changed is changed there first, by the thread that writes, and waited for. Their
//! secrets are in the [`Vault`]. Knows nothing of what an account is for.

use std::path::Path;
use std::sync::Arc;

use account::{Document, Secrets};
use offhook_io::Handle;
use offhook_io::store::{
    About, AccountChange, AccountKey, AccountRow, FILE, NewAccount, Store as Database, StoreError,
};
use serde::{Deserialize, Serialize};

use crate::carried::{self, Carried};
use crate::error::PhoneError;
use crate::learnt::Networks;
use crate::reach::Reach;
use crate::secrets::{SecretError, Vault};
use crate::{BalanceSettings, SecretStore};

/// An account.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) id: u32,
    /// What the person calls it.
    pub(crate) name: String,
    /// The one that calls go by unless said otherwise.
    pub(crate) default: bool,
    /// In use.
    pub(crate) enabled: bool,
    /// What it is set to; else why that cannot be read, in words.
    pub(crate) document: Result<Document, String>,
}

impl Kept {
    /// None: its number is beyond all that are given.
    fn of(row: AccountRow) -> Option<Self> {
        let AccountRow { id, name, default, enabled, settings, .. } = row;
        let document = Document::read(&settings).map(|(document, _)| document);
        let document = document.map_err(|why| why.to_string());
        Some(Self { id: u32::try_from(id.0).ok()?, name, default, enabled, document })
    }
}

/// The setting that has who is watched.
const WATCHED: &str = "watched";
/// People who are watched, at most: more than the phone watches.
const MOST_WATCHED: usize = 256;

/// Somebody who is watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Watched {
    /// By which account: its address, for its id is another in a backup.
    pub(crate) account: String,
    /// As it was typed.
    pub(crate) who: String,
    /// By the calls of their line.
    #[serde(default)]
    pub(crate) lamp: bool,
}

/// The accounts of one phone, what else it is set to, and what it has learnt.
pub(crate) struct Store {
    /// In the person's order.
    accounts: Vec<Kept>,
    pub(crate) reach: Reach,
    pub(crate) watched: Vec<Watched>,
    vault: Vault,
    pub(crate) networks: Networks,
}

impl Store {
    /// Reads what there is, and takes over what an earlier version has kept elsewhere. With that comes a sentence for the person
    /// where some of it could not be.
    ///
    /// # Errors
    /// It cannot be read, and nothing was lost.
    pub(crate) fn open(
        folder: &Path,
        secrets: Arc<dyn SecretStore>,
        disk: &Handle,
    ) -> Result<(Self, Option<String>), StoreError> {
        let mut store = Self {
            accounts: Vec::new(),
            reach: Reach::default(),
            watched: Vec::new(),
            vault: Vault::new(secrets),
            networks: Networks::open(folder),
        };
        let trouble = match Carried::read(folder)? {
            Some(carried) => carried.hand_over(folder, disk, &mut store.networks)?,
            None => None,
        };
        let database = folder.join(FILE);
        // Read beside the thread that writes: what cannot be written now can be called by all the same.
        if database.exists() {
            let database = Database::reader(&database)?;
            store.set(database.accounts()?);
            store.set_settings(settings_of(&database)?);
            let ids: Vec<u32> = store.accounts.iter().map(|kept| kept.id).collect();
            for id in ids {
                if let Some(kept) = database.setting(&carried::balance_name(id))? {
                    // Else at the next start.
                    let _ = store.take_balance(disk, id, &kept);
                }
            }
        }
        Ok((store, trouble))
    }

    /// How a balance was asked for stood in a setting once.
    fn take_balance(&mut self, disk: &Handle, id: u32, kept: &str) -> Result<(), PhoneError> {
        let Some(mut secrets) = self.secrets(id)? else { return Ok(()) };
        let document = self.document(id)?;
        let mut form = document.form().clone();
        if form.balance.is_none()
            && let Ok(settings) = serde_json::from_str::<BalanceSettings>(kept)
        {
            let (balance, own) = settings.form(None, self.vault.of_balance(id)?)?;
            (form.balance, secrets.balance) = (Some(balance), own);
            self.keep_secrets(id, &secrets)?;
        }
        let settings = Some(document.with(form).0.to_json());
        let change = AccountChange { settings, ..AccountChange::default() };
        self.found(disk, id, move |database, key| {
            database.bulk(|| {
                database.set_setting(&carried::balance_name(id), None)?;
                database.set_setting(&carried::balance_told_name(id), None)?;
                database.change_account(key, &change)
            })
        })?;
        self.vault.remove_of_balance(id);
        Ok(())
    }

    fn set_settings(&mut self, [watched, anonymous, reached]: [Option<String>; 3]) {
        self.reach = Reach::of_settings([anonymous, reached]);
        let read = |text: String| serde_json::from_str(&text).ok();
        self.watched = watched.and_then(read).unwrap_or_default();
        self.watched.truncate(MOST_WATCHED);
    }

    /// Keeps who is watched, in place of those before.
    ///
    /// # Errors
    /// It cannot be kept, and everything is as it was; `TooLong`: more than are kept.
    pub(crate) fn set_watched(&mut self, disk: &Handle, watched: Vec<Watched>) -> Result<(), PhoneError> {
        if watched.len() > MOST_WATCHED {
            return Err(PhoneError::TooLong);
        }
        let text = serde_json::to_string(&watched).map_err(std::io::Error::other)?;
        disk.on_store(About::Rest, move |store| store.set_setting(WATCHED, Some(&text)))?;
        self.watched = watched;
        Ok(())
    }

    fn set(&mut self, rows: Vec<AccountRow>) {
        self.accounts = rows.into_iter().filter_map(Kept::of).collect();
    }

    /// All, in the person's order.
    pub(crate) fn accounts(&self) -> &[Kept] {
        &self.accounts
    }

    pub(crate) fn get(&self, id: u32) -> Result<&Kept, PhoneError> {
        self.accounts.iter().find(|kept| kept.id == id).ok_or(PhoneError::NoAccount)
    }

    /// What an account is set to.
    ///
    /// # Errors
    /// `NoAccount`; `Store`: what is kept of it cannot be read.
    pub(crate) fn document(&self, id: u32) -> Result<&Document, PhoneError> {
        let unread = |why: &String| PhoneError::Store { sentence: why.clone() };
        self.get(id)?.document.as_ref().map_err(unread)
    }

    /// The account that calls go by unless said otherwise, while it is in use.
    pub(crate) fn default(&self) -> Option<&Kept> {
        self.accounts.iter().find(|kept| kept.default && kept.enabled)
    }

    /// What of it is secret; none: that is lost, or never came here.
    pub(crate) fn secrets(&self, id: u32) -> Result<Option<Secrets>, PhoneError> {
        Ok(self.vault.get(id, self.document(id)?)?)
    }

    /// Keeps these secrets of an account, in place of those that there were.
    ///
    /// # Errors
    /// They cannot be kept: say so.
    pub(crate) fn keep_secrets(&self, id: u32, secrets: &Secrets) -> Result<(), SecretError> {
        self.vault.put(id, secrets)
    }

    /// Adds an account behind the others, and makes it the default if asked to.
    ///
    /// # Errors
    /// `Secrets`, `Store`: it cannot be kept, and was not added.
    pub(crate) fn add(
        &mut self,
        disk: &Handle,
        name: String,
        document: &Document,
        secrets: &Secrets,
        default: bool,
    ) -> Result<u32, PhoneError> {
        let new = NewAccount { name, enabled: true, settings: document.to_json() };
        let id = self.change(disk, move |database| {
            database.bulk(|| {
                let id = database.add_account(&new)?;
                if default {
                    database.make_default(id)?;
                }
                Ok(id)
            })
        })?;
        // Without its secrets it is there, and asks for its password: so a phone that dies here has lost nothing else.
        let kept = u32::try_from(id.0).map_err(|_| PhoneError::TooLong);
        let kept = kept.and_then(|id| Ok(self.keep_secrets(id, secrets).map(|()| id)?));
        if kept.is_err() {
            let _ = self.change(disk, move |database| database.remove_account(id));
        }
        kept
    }

    /// Keeps what an account is set to.
    ///
    /// # Errors
    /// It cannot be kept, and everything is as it was.
    pub(crate) fn keep(&mut self, disk: &Handle, id: u32, document: Document) -> Result<(), PhoneError> {
        let change = AccountChange { settings: Some(document.to_json()), ..AccountChange::default() };
        self.alter(disk, id, change)
    }

    /// Changes an account.
    ///
    /// # Errors
    /// As for [`Self::keep`]; `NoAccount`.
    pub(crate) fn alter(&mut self, disk: &Handle, id: u32, change: AccountChange) -> Result<(), PhoneError> {
        self.found(disk, id, move |database, id| database.change_account(id, &change))
    }

    /// Puts an account at a place, the first being 0; one that is too far back, at the end.
    ///
    /// # Errors
    /// As for [`Self::alter`].
    pub(crate) fn put_at(&mut self, disk: &Handle, id: u32, place: usize) -> Result<(), PhoneError> {
        self.found(disk, id, move |database, id| database.move_account(id, place))
    }

    /// Calls go by this one unless said otherwise.
    ///
    /// # Errors
    /// As for [`Self::alter`].
    pub(crate) fn make_default(&mut self, disk: &Handle, id: u32) -> Result<(), PhoneError> {
        self.found(disk, id, Database::make_default)
    }

    /// Forgets an account and its secrets.
    ///
    /// # Errors
    /// As for [`Self::alter`].
    pub(crate) fn remove(&mut self, disk: &Handle, id: u32) -> Result<(), PhoneError> {
        self.found(disk, id, Database::remove_account)?;
        self.vault.remove(id);
        Ok(())
    }

    /// A backup may have brought others, and settings: the ids of those that are new.
    ///
    /// # Errors
    /// They cannot be read; nothing has changed here.
    pub(crate) fn read_anew(&mut self, disk: &Handle) -> Result<Vec<u32>, PhoneError> {
        let known: Vec<u32> = self.accounts.iter().map(|kept| kept.id).collect();
        let settings = self.change(disk, settings_of)?;
        self.set_settings(settings);
        let ids = self.accounts.iter().map(|kept| kept.id);
        Ok(ids.filter(|id| !known.contains(id)).collect())
    }

    /// `work` says whether there is such an account.
    fn found(
        &mut self,
        disk: &Handle,
        id: u32,
        mut work: impl FnMut(&Database, AccountKey) -> Result<bool, StoreError> + Send + 'static,
    ) -> Result<(), PhoneError> {
        let key = AccountKey(id.into());
        let there = self.change(disk, move |database| work(database, key))?;
        if there { Ok(()) } else { Err(PhoneError::NoAccount) }
    }

    fn change<T: Send + 'static>(
        &mut self,
        disk: &Handle,
        mut work: impl FnMut(&Database) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, PhoneError> {
        let (done, rows) = disk.on_store(About::Rest, move |database| {
            let done = work(database)?;
            Ok((done, database.accounts()?))
        })?;
        self.set(rows);
        Ok(done)
    }
}

fn settings_of(database: &Database) -> Result<[Option<String>; 3], StoreError> {
    let [anonymous, reached] = Reach::SETTINGS;
    Ok([database.setting(WATCHED)?, database.setting(anonymous)?, database.setting(reached)?])
}
