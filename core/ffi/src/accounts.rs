//! The accounts: added, changed, put in order, and given to the phone.
//!
//! Each command waits for a disk, as it must know that it is kept; [`Event::Accounts`] follows where the list is another.

use account::words::Hidden;
use account::{Document, Secrets};
use base::Secret;
use offhook_io::store::AccountChange;
use phone::{AccountId, Command};

use crate::document::{self, address};
use crate::error::PhoneError;
use crate::money::told_name;
use crate::secrets::SecretError;
use crate::store::{Kept, Store};
use crate::{AccountSettings, AccountView, Event, Phone};

/// Bytes of what the person calls an account.
const LONGEST_NAME: usize = 255;

/// An account, as a list of them shows it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AccountInfo {
    /// Which account.
    pub account: u32,
    /// What the person calls it.
    pub name: String,
    /// Its address: `sip:1001@sip.example.com`.
    pub uri: String,
    /// The number or user name in it.
    pub number: String,
    /// The one that calls go by unless said otherwise.
    pub default: bool,
    /// In use. What is not neither registers nor calls, and has no [`AccountView`].
    pub enabled: bool,
    /// Why it cannot be used, in English: what is kept of it is damaged, or of a newer version. It can be removed.
    pub trouble: Option<String>,
}

impl AccountInfo {
    fn of(kept: &Kept) -> Self {
        let uri = kept.document.as_ref().ok().and_then(|document| document.uri().ok());
        let uri = uri.map(ToString::to_string).unwrap_or_default();
        Self {
            account: kept.id,
            name: kept.name.clone(),
            number: phone::number_of(&uri),
            uri,
            default: kept.default,
            enabled: kept.enabled,
            trouble: kept.document.as_ref().err().cloned(),
        }
    }
}

/// Accounts.
#[uniffi::export]
impl Phone {
    /// Adds an account behind the others and returns its id; it registers at once if its settings say so. It is called by its
    /// address until [`Self::rename_account`]. The first one is the default.
    ///
    /// # Errors
    /// - `BadSetting`: mark the field and say why.
    /// - `Secrets`, `Store`: it cannot be kept, and was not added: say so.
    pub fn add_account(&self, settings: AccountSettings, password: String) -> Result<u32, PhoneError> {
        self.require_open()?;
        let document = settings.document(None)?;
        let secrets = Secrets { password: hidden(password), ..Secrets::default() };
        let name = address(&document);
        self.add(name, &document, &secrets, false)
    }

    /// Changes an account's settings, and its password if one is given. A relay that stays, with its user, keeps its own.
    ///
    /// # Errors
    /// As for `add_account`; and `NoAccount`. After `Store` the settings are as they were, and a new password is kept.
    pub fn change_account(
        &self,
        account: u32,
        settings: AccountSettings,
        password: Option<String>,
    ) -> Result<(), PhoneError> {
        self.require_open()?;
        let mut store = self.store();
        let before = store.document(account)?;
        let mut changed = settings.document(Some(before))?;
        if !document::is_at_the_same(before, &changed) {
            // Another server has another certificate.
            let form = account::Form { tls_pin: None, ..changed.form().clone() };
            changed = changed.with(form).0;
        }
        let known = match (store.secrets(account), &password) {
            (Ok(known), None) => known,
            // What was lost is typed again, one after the other.
            (known, Some(_)) => Some(known.ok().flatten().unwrap_or_default()),
            (Err(error), None) => return Err(error),
        };
        let mut secrets = known.clone().unwrap_or_default();
        if let Some(password) = password {
            secrets.password = hidden(password);
        }
        // Without secrets at all it asks for its password, and is not judged by it.
        if known.is_some() {
            document::account(&changed, &secrets)?;
        }
        if known.is_some() && known.as_ref() != Some(&secrets) {
            store.keep_secrets(account, &secrets)?;
        }
        store.keep(&self.handle, account, changed)?;
        if known.is_some() && forget_relays(store.document(account)?, &mut secrets) {
            // One that cannot be forgotten now goes to nobody: its relay is not in the settings.
            let _ = store.keep_secrets(account, &secrets);
        }
        self.give(&store, account)?;
        drop(store);
        self.open_till(account);
        self.log.note(format!("account {account} changed"));
        self.tell_accounts();
        Ok(())
    }

    /// Unregisters and forgets an account, its password too. Its calls end. Views of it may still come while it
    /// unregisters: it is to be shown no more.
    ///
    /// # Errors
    /// `NoAccount`; `Store`: it is still there: say so.
    pub fn remove_account(&self, account: u32) -> Result<(), PhoneError> {
        self.require_open()?;
        let mut store = self.store();
        store.get(account)?;
        let told = store.document(account).ok().map(told_name);
        store.remove(&self.handle, account)?;
        self.handle.command(Command::RemoveAccount(AccountId(account)));
        self.stand_no_more(account);
        self.prefer(&store);
        drop(store);
        self.open_till(account);
        if let Some(name) = told {
            self.forget_told(name);
        }
        self.log.note(format!("account {account} removed"));
        self.tell_accounts();
        Ok(())
    }

    /// An account's settings, to be changed.
    ///
    /// # Errors
    /// `NoAccount`; `Store`: what is kept of them cannot be read: say so, and offer to remove it.
    pub fn account_settings(&self, account: u32) -> Result<AccountSettings, PhoneError> {
        self.store().document(account).map(AccountSettings::of)
    }

    /// All accounts, in the person's order: those that are not in use, and those that cannot be, as well.
    pub fn account_list(&self) -> Vec<AccountInfo> {
        self.store().accounts().iter().map(AccountInfo::of).collect()
    }

    /// Calls an account by another name.
    ///
    /// # Errors
    /// - `NoAccount`.
    /// - `BadArgument`: no name; `TooLong`: of more than 255 bytes.
    /// - `Store`: it cannot be kept: say so.
    pub fn rename_account(&self, account: u32, name: String) -> Result<(), PhoneError> {
        let name = name.trim().to_owned();
        if name.len() > LONGEST_NAME {
            return Err(PhoneError::TooLong);
        }
        if name.is_empty() {
            return Err(PhoneError::BadArgument { sentence: "an account needs a name".into() });
        }
        let change = AccountChange { name: Some(name), ..AccountChange::default() };
        self.in_store(|store| store.alter(&self.handle, account, change))
    }

    /// Puts an account at a place of the list, the first being 0; one that is too far back, at the end.
    ///
    /// # Errors
    /// `NoAccount`; `Store`: it cannot be kept: say so.
    pub fn move_account(&self, account: u32, place: u32) -> Result<(), PhoneError> {
        self.in_store(|store| store.put_at(&self.handle, account, place as usize))
    }

    /// Calls and messages go by this account unless another is named.
    ///
    /// # Errors
    /// `NoAccount`; `Store`: it cannot be kept: say so.
    pub fn set_default_account(&self, account: u32) -> Result<(), PhoneError> {
        self.in_store(|store| store.make_default(&self.handle, account))
    }

    /// Takes an account into use, or (false) out of it: it unregisters, its calls end, and it is kept.
    ///
    /// # Errors
    /// - `NoAccount`; `Store`: it cannot be kept: say so.
    /// - `BadSetting`: it cannot be used as it is; show its settings.
    pub fn enable_account(&self, account: u32, on: bool) -> Result<(), PhoneError> {
        let change = AccountChange { enabled: Some(on), ..AccountChange::default() };
        let mut done = Ok(());
        self.in_store(|store| {
            store.alter(&self.handle, account, change)?;
            if on {
                // It is in use all the same, and says why it cannot be.
                done = self.give(store, account);
            } else {
                self.handle.command(Command::RemoveAccount(AccountId(account)));
                self.stand_no_more(account);
            }
            Ok(())
        })?;
        self.open_till(account);
        done
    }

    /// All accounts that are in use as they stand, by id. For an app that was not there when it was told.
    pub fn accounts(&self) -> Vec<AccountView> {
        let store = self.store();
        // One that is being unregistered for good is told of and not the user's any more.
        let ours = |view: &phone::AccountView| store.get(view.account.0).is_ok_and(|kept| kept.enabled);
        self.handle.accounts().into_iter().filter(ours).map(Into::into).collect()
    }

    /// Registers now, whatever was being waited for.
    ///
    /// # Errors
    /// `NoAccount`: there is none, or it is not in use.
    pub fn register(&self, account: u32) -> Result<(), PhoneError> {
        let id = self.account(account)?;
        self.handle.command(Command::Register(id));
        Ok(())
    }

    /// Unregisters, and stays so until `register` or the next start.
    ///
    /// # Errors
    /// `NoAccount`: there is none, or it is not in use.
    pub fn unregister(&self, account: u32) -> Result<(), PhoneError> {
        let id = self.account(account)?;
        self.handle.command(Command::Unregister(id));
        Ok(())
    }

    /// Lets accounts that ask first use a foreign operator's network (true), or no longer.
    ///
    /// # Errors
    /// `ShutDown`.
    pub fn allow_roaming(&self, on: bool) -> Result<(), PhoneError> {
        self.require_open()?;
        self.handle.command(Command::AllowRoaming(on));
        Ok(())
    }
}

/// The codecs that can be had, in the usual order, by the names that `codecs` of `AccountSettings` takes.
#[uniffi::export]
pub fn codecs() -> Vec<String> {
    let uri = "sip:1001@offhook.invalid".parse().expect("it is an address");
    let all = phone::Account::new(uri, Secret::default()).codecs;
    all.into_iter().map(|codec| codec.name().to_owned()).collect()
}

impl Phone {
    /// Keeps an account and gives it to the phone.
    pub(crate) fn add(
        &self,
        name: String,
        document: &Document,
        secrets: &Secrets,
        default: bool,
    ) -> Result<u32, PhoneError> {
        let secrets = self.with_token(document, secrets.clone());
        document::account(document, &secrets)?;
        let mut store = self.store();
        let id = store.add(&self.handle, name, document, &secrets, default)?;
        self.give(&store, id)?;
        self.prefer(&store);
        drop(store);
        self.open_till(id);
        self.log.note(format!("account {id} added"));
        self.tell_accounts();
        Ok(id)
    }

    /// Gives the phone the accounts that are kept and in use: at the start, and when all may be others.
    pub(crate) fn give_all(&self, store: &Store) {
        for kept in store.accounts().iter().filter(|kept| kept.enabled) {
            // What cannot be used says why in the list.
            let _ = self.give(store, kept.id);
        }
        self.prefer(store);
    }

    /// Gives the phone an account as it is kept, if it is in use.
    ///
    /// # Errors
    /// As for `add_account`: it is not given.
    pub(crate) fn give(&self, store: &Store, id: u32) -> Result<(), PhoneError> {
        if !store.get(id)?.enabled {
            return Ok(());
        }
        let secrets = store.secrets(id).ok().flatten();
        let lost = secrets.is_none();
        let document = store.document(id)?;
        if lost {
            self.tell(Event::PasswordLost { account: id });
        }
        let mut account = match &secrets {
            Some(secrets) => document::account(document, secrets)?,
            None => document::caller(document)?,
        };
        // Without its password it would only be refused, and too many refusals lock an account. Nor is it sealed by nothing.
        if lost && account.is_sealed() {
            return Ok(());
        }
        account.register &= !lost;
        let secrets = secrets.unwrap_or_default();
        self.believe(id, document, &secrets, &account);
        self.handle.command(Command::AddAccount(AccountId(id), account));
        self.ask_for_relays(id, document, &secrets);
        self.watch_again(store, AccountId(id));
        Ok(())
    }

    /// Tells the phone which account is the default.
    pub(crate) fn prefer(&self, store: &Store) {
        let default = store.default().map(|kept| AccountId(kept.id));
        self.handle.command(Command::DefaultAccount(default));
    }

    fn in_store(&self, work: impl FnOnce(&mut Store) -> Result<(), PhoneError>) -> Result<(), PhoneError> {
        self.require_open()?;
        let mut store = self.store();
        work(&mut store)?;
        self.prefer(&store);
        drop(store);
        self.tell_accounts();
        Ok(())
    }

    pub(crate) fn tell_accounts(&self) {
        self.tell(Event::Accounts);
    }

    /// An account that is in use.
    pub(crate) fn account(&self, account: u32) -> Result<AccountId, PhoneError> {
        self.require_open()?;
        let store = self.store();
        store
            .get(account)
            .ok()
            .filter(|kept| kept.enabled)
            .map(|_| AccountId(account))
            .ok_or(PhoneError::NoAccount)
    }

    /// One that is kept, whether or not it is in use.
    pub(crate) fn kept_account(&self, account: u32) -> Result<(), PhoneError> {
        self.require_open()?;
        self.store().get(account).map(drop)
    }

    /// The account that what names none goes by: the default, as a rule. That another one is registered and this is not, the phone
    /// knows.
    pub(crate) fn picked(&self) -> Result<AccountId, PhoneError> {
        self.require_open()?;
        let store = self.store();
        let in_use = || store.accounts().iter().find(|kept| kept.enabled && kept.document.is_ok());
        let kept = store.default().or_else(in_use).ok_or(PhoneError::NoAccount)?;
        Ok(AccountId(kept.id))
    }

    /// Which account it would go by, as far as whom it calls goes.
    pub(crate) fn account_of(&self, account: Option<u32>) -> Result<phone::Account, PhoneError> {
        let id = account.map_or_else(|| self.picked(), |account| self.account(account))?;
        document::caller(self.store().document(id.0)?)
    }
}

/// Forgets the passwords of relays that are not the account's any more; whether there were any.
fn forget_relays(document: &Document, secrets: &mut Secrets) -> bool {
    let known = secrets.relays.len();
    let named = document.form().nat.iter().flat_map(|nat| &nat.turn.relays);
    let keys: Vec<String> = named.map(account::RelayForm::key).collect();
    secrets.relays.retain(|key, _| keys.contains(key));
    secrets.relays.len() < known
}

fn hidden(password: String) -> Option<Hidden> {
    Some(password).filter(|it| !it.is_empty()).map(|it| Hidden(Secret::new(it)))
}

impl From<SecretError> for PhoneError {
    fn from(error: SecretError) -> Self {
        Self::Secrets { sentence: error.to_string() }
    }
}
