//! What is left on an account, as the account screen sets it and a screen shows it.
//!
//! Most people's provider has a VOS switch, or something before it: [`BalanceSettings::vos`] is then all. It is asked when a
//! call has ended, when the app comes to the front and when the person asks, never twice a minute; what was told last is kept
//! with its time. Settings lie with what the phone remembers, a password or token of their own in the platform's store.
//! Decides nothing: how answers are read, and when to ask, is `balance`'s.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use base::Secret;
use offhook_io::balance::{Auth, Body, Kept, Occasion, Provider, Reading, Teller, Template, base_of};
use offhook_io::store::About;
use offhook_io::{NoBalance, Purse, Trusts, known};
use serde::{Deserialize, Serialize};

use crate::document;
use crate::error::{BadSetting, Field, PhoneError};
use crate::{Event, Phone, SecretError};

/// Longer than any that works, in bytes.
const LONGEST: usize = 4_096;
/// Fields of a form, and headers.
const MOST_FIELDS: usize = 64;

/// How an account's provider is asked what is left. In `url`, `json`, the values of `form` and `headers`, and `user` these
/// places are filled: `{user}`, `{password}`, `{account}`, `{number}`, each written as its place wants it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct BalanceSettings {
    /// A VOS switch's web interface: the server's name or address, with a port if it needs one; or all of it
    /// (`https://billing.example/external/server`). Then `url`, `json` and `form` mean nothing.
    #[uniffi(default = "")]
    #[serde(default)]
    pub vos: String,
    /// What is asked: `https://billing.example/balance?user={user}`.
    #[uniffi(default = "")]
    #[serde(default)]
    pub url: String,
    /// Sent with it as JSON; empty: nothing.
    #[uniffi(default = "")]
    #[serde(default)]
    pub json: String,
    /// Sent with it as a form; empty: nothing.
    #[uniffi(default = [])]
    #[serde(default)]
    pub form: Vec<BalanceField>,
    /// Sent with it. No secrets: those are for `set_balance`.
    #[uniffi(default = [])]
    #[serde(default)]
    pub headers: Vec<BalanceField>,
    /// How the web server is told who asks; none: not.
    #[uniffi(default = None)]
    #[serde(default)]
    pub sign: Option<BalanceSign>,
    /// As whom; empty: as the account's own user.
    #[uniffi(default = "")]
    #[serde(default)]
    pub user: String,
    /// How the answer is read; none: whichever it is.
    #[uniffi(default = None)]
    #[serde(default)]
    pub format: Option<BalanceFormat>,
    /// Where the amount is in it: a JSON pointer (`/account/balance`), a path of XML elements (`response/@money`), or an
    /// expression whose first group it is. Empty, in a text: all of it.
    #[uniffi(default = "")]
    #[serde(default)]
    pub amount: String,
    /// Where the currency is; empty: it does not say.
    #[uniffi(default = "")]
    #[serde(default)]
    pub currency: String,
    /// Go without TLS where the address says `http:`; anybody on the way reads the password then.
    #[uniffi(default = false)]
    #[serde(default)]
    pub allow_clear: bool,
}

/// A field of a form, or a header.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct BalanceField {
    /// What it is called.
    pub name: String,
    /// What it says.
    pub value: String,
}

/// How a web server is told who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
pub enum BalanceSign {
    /// User and password, as they are.
    Basic,
    /// User, and that the password is known.
    Digest,
    /// A token.
    Bearer,
}

/// How an answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
pub enum BalanceFormat {
    /// A VOS switch's JSON.
    VosJson,
    /// A VOS switch's older form.
    VosForm,
    /// JSON.
    Json,
    /// XML.
    Xml,
    /// Text.
    Text,
}

/// What is left, as it was told last.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Balance {
    /// How much: an exact decimal (`-0.0125`), to be shown as it is or rounded, and never to be computed with as a float.
    pub amount: String,
    /// In what, where the provider says so: `EUR`.
    pub currency: Option<String>,
    /// How far below zero it may go.
    pub overdraft: Option<String>,
    /// Until when it can be used, in milliseconds since 1970.
    pub valid_until_ms: Option<i64>,
    /// When it was told, in milliseconds since 1970: show its age.
    pub told_ms: i64,
}

/// An account's purse, and what it told.
#[derive(Debug, Default)]
pub(crate) struct Kitty {
    purse: Option<Purse>,
    last: Option<Kept>,
}

/// Balances.
#[uniffi::export]
impl Phone {
    /// Sets how an account's balance is asked for, or no longer, and asks at once. `secret`: the password of its own, or the
    /// token; none: as it was; empty: none, and a password is the account's. [`Event::Balance`] follows. It waits for a disk.
    ///
    /// # Errors
    /// - `NoAccount`.
    /// - `BadSetting`: show its sentence.
    /// - `Secrets`, `Store`: it cannot be kept: say so.
    pub fn set_balance(
        &self,
        account: u32,
        settings: Option<BalanceSettings>,
        secret: Option<String>,
    ) -> Result<(), PhoneError> {
        self.kept_account(account)?;
        let Some(settings) = settings else {
            self.forget_balance(account);
            return Ok(());
        };
        let own = match &secret {
            Some(secret) => Some(Secret::new(secret.clone())).filter(|it| !it.expose().is_empty()),
            None => self.own_secret(account)?,
        };
        settings.teller(own)?;
        match secret {
            Some(secret) if secret.is_empty() => self.secrets.remove(secret_name(account))?,
            Some(secret) => self.secrets.put(secret_name(account), secret)?,
            None => {}
        }
        let text = serde_json::to_string(&settings).map_err(std::io::Error::other)?;
        let name = setting_name(account);
        self.handle.on_store(About::Rest, move |store| store.set_setting(&name, Some(&text)))?;
        self.log.note(format!("account {account} has another balance to ask for"));
        self.open_purse(account);
        self.ask_purse(account, Occasion::Asked);
        Ok(())
    }

    /// How an account's balance is asked for, to be changed; none: it is not.
    ///
    /// # Errors
    /// `NoAccount`; `Store`: it cannot be read: say so.
    pub fn balance_settings(&self, account: u32) -> Result<Option<BalanceSettings>, PhoneError> {
        self.store().get(account)?;
        let text = self.remembered()?.setting(&setting_name(account))?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// What was told last of an account; none: nothing yet.
    pub fn balance(&self, account: u32) -> Option<Balance> {
        self.kitties().get(&account).and_then(|kitty| kitty.last.as_ref().map(shown))
    }

    /// Asks for an account's balance, within a minute of the last time a little later. [`Event::Balance`] follows.
    ///
    /// # Errors
    /// `NoAccount`: there is none, or its balance is not asked for.
    pub fn refresh_balance(&self, account: u32) -> Result<(), PhoneError> {
        self.kept_account(account)?;
        if self.ask_purse(account, Occasion::Asked) { Ok(()) } else { Err(PhoneError::NoAccount) }
    }

    /// The app has come to the front: balances are asked for, where it is time to.
    pub fn came_to_front(&self) {
        for kitty in self.kitties().values() {
            kitty.purse.iter().for_each(|purse| purse.occasion(Occasion::Shown));
        }
    }
}

impl Phone {
    /// Begins to keep the balances that are asked for: at the start.
    pub(crate) fn open_purses(&self) {
        let accounts: Vec<u32> = self.store().accounts().iter().map(|kept| kept.id).collect();
        for account in accounts {
            self.open_purse(account);
        }
    }

    /// Begins to keep an account's balance as its settings have it now, if they do.
    pub(crate) fn open_purse(&self, account: u32) {
        let purse = self.purse(account);
        let last = self.remembered().ok().and_then(|store| store.setting(&told_name(account)).ok().flatten());
        let last = last.and_then(|line| Kept::of_line(&line));
        if purse.is_some() || last.is_some() {
            self.kitties().insert(account, Kitty { purse, last });
        }
    }

    /// An account's settings may be others: its purse asks by them from now on.
    pub(crate) fn reopen_purse(&self, account: u32) {
        if self.kitties().contains_key(&account) {
            self.open_purse(account);
        }
    }

    fn purse(&self, account: u32) -> Option<Purse> {
        let settings = self.balance_settings(account).ok()??;
        let teller = settings.teller(self.own_secret(account).ok().flatten()).ok()?;
        let store = self.store();
        // Without a password the provider says so.
        let secrets = store.secrets(account).ok().flatten().unwrap_or_default();
        let mut caller = document::caller(store.document(account).ok()?).ok()?;
        drop(store);
        caller.password = secrets.password.map(|it| it.0).unwrap_or_default();
        let this = self.this.clone();
        let told = move |outcome: Result<_, NoBalance>| {
            let Some(phone) = this.upgrade() else { return };
            let outcome = outcome.map(|balance| Kept { balance, told: offhook_io::clock::wall_millis() });
            phone.balance_told(account, outcome);
        };
        Purse::keep(teller, known(&caller), Trusts::default(), told).ok()
    }

    fn balance_told(&self, account: u32, outcome: Result<Kept, NoBalance>) {
        let trouble = outcome.as_ref().err().map(ToString::to_string);
        let balance = {
            let mut kitties = self.kitties();
            // It was told no longer to ask.
            let Some(kitty) = kitties.get_mut(&account) else { return };
            if let Ok(kept) = &outcome {
                kitty.last = Some(kept.clone());
            }
            kitty.last.as_ref().map(shown)
        };
        if let Ok(kept) = outcome {
            let (name, line) = (told_name(account), kept.to_line());
            // If not, it is asked for anew at the next start.
            let _ = self.handle.on_store(About::Rest, move |store| store.set_setting(&name, Some(&line)));
        }
        self.tell(Event::Balance { account, balance, trouble });
    }

    /// False: its balance is not asked for.
    pub(crate) fn ask_purse(&self, account: u32, occasion: Occasion) -> bool {
        let kitties = self.kitties();
        let purse = kitties.get(&account).and_then(|kitty| kitty.purse.as_ref());
        purse.map(|purse| purse.occasion(occasion)).is_some()
    }

    /// Asks no more for an account's balance, and forgets all of it.
    pub(crate) fn forget_balance(&self, account: u32) {
        self.kitties().remove(&account);
        let names = [setting_name(account), told_name(account)];
        // What stays is of no account any more, for no id is used twice; or it is set anew.
        let _ = self.handle.on_store(About::Rest, move |store| {
            names.iter().try_for_each(|name| store.set_setting(name, None))
        });
        let _ = self.secrets.remove(secret_name(account));
    }

    fn own_secret(&self, account: u32) -> Result<Option<Secret<String>>, SecretError> {
        Ok(self.secrets.get(secret_name(account))?.map(Secret::new))
    }

    fn kitties(&self) -> MutexGuard<'_, BTreeMap<u32, Kitty>> {
        self.kitties.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BalanceSettings {
    fn teller(&self, secret: Option<Secret<String>>) -> Result<Teller, PhoneError> {
        let fields = || self.form.iter().chain(&self.headers);
        let texts = [&self.vos, &self.url, &self.json, &self.user, &self.amount, &self.currency];
        let parts = fields().flat_map(|it| [&it.name, &it.value]);
        if texts.into_iter().chain(parts).any(|text| text.len() > LONGEST) || fields().count() > MOST_FIELDS {
            return Err(bad(BadSetting::TooLong, &BadSetting::TooLong));
        }
        if [&self.vos, &self.url].into_iter().all(|it| it.trim().is_empty()) {
            return Err(bad(BadSetting::Missing, &BadSetting::Missing));
        }
        let preset = match self.vos.trim() {
            "" => None,
            server => Provider::vos(&base_of(server)).balance,
        };
        let mut teller = match preset {
            Some(teller) => teller,
            None => Teller {
                template: Template { body: self.body(), ..Template::get(self.url.trim()) },
                reading: self.reading()?,
            },
        };
        teller.template.headers = pairs(&self.headers);
        teller.template.auth = self.auth(secret)?;
        teller.template.allow_clear = self.allow_clear;
        teller.template.check().map_err(|why| bad(BadSetting::Unusable, &why))?;
        Ok(teller)
    }

    fn body(&self) -> Option<Body> {
        match (self.json.trim(), &self.form[..]) {
            ("", []) => None,
            ("", form) => Some(Body::Form(pairs(form))),
            (json, _) => Some(Body::Json(json.to_owned())),
        }
    }

    fn auth(&self, secret: Option<Secret<String>>) -> Result<Auth, PhoneError> {
        let user = if self.user.is_empty() { "{user}".to_owned() } else { self.user.clone() };
        let password =
            |secret: Option<Secret<String>>| secret.unwrap_or_else(|| Secret::new("{password}".into()));
        Ok(match self.sign {
            None => Auth::None,
            Some(BalanceSign::Basic) => Auth::Basic(user, password(secret)),
            Some(BalanceSign::Digest) => Auth::Digest(user, password(secret)),
            Some(BalanceSign::Bearer) => {
                Auth::Bearer(secret.ok_or_else(|| bad(BadSetting::Missing, &BadSetting::Missing))?)
            }
        })
    }

    fn reading(&self) -> Result<Reading, PhoneError> {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let (amount, currency) = (given(&self.amount), given(&self.currency));
        let needed =
            |amount: Option<String>| amount.ok_or_else(|| bad(BadSetting::Missing, &BadSetting::Missing));
        Ok(match self.format {
            None => Reading::Auto,
            Some(BalanceFormat::VosJson) => Reading::VosJson,
            Some(BalanceFormat::VosForm) => Reading::VosForm,
            Some(BalanceFormat::Json) => Reading::Json { amount: needed(amount)?, currency },
            Some(BalanceFormat::Xml) => Reading::Xml { amount: needed(amount)?, currency },
            Some(BalanceFormat::Text) => match amount {
                Some(amount) => Reading::text(&amount).map_err(|why| bad(BadSetting::Unusable, &why))?,
                None => Reading::Bare,
            },
        })
    }
}

fn bad(why: BadSetting, sentence: &dyn std::fmt::Display) -> PhoneError {
    PhoneError::BadSetting { field: Field::Balance, why, sentence: sentence.to_string() }
}

fn pairs(fields: &[BalanceField]) -> Vec<(String, String)> {
    fields.iter().map(|field| (field.name.clone(), field.value.clone())).collect()
}

fn shown(kept: &Kept) -> Balance {
    Balance {
        amount: kept.balance.amount.to_string(),
        currency: kept.balance.currency.clone(),
        overdraft: kept.balance.overdraft.map(|it| it.to_string()),
        valid_until_ms: kept.balance.valid_until,
        told_ms: kept.told,
    }
}

fn setting_name(account: u32) -> String {
    format!("balance/{account}")
}

fn told_name(account: u32) -> String {
    format!("balance-told/{account}")
}

fn secret_name(account: u32) -> String {
    format!("account/{account}/balance")
}
