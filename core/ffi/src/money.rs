//! What is left on accounts, for how long that is enough, cards, and calls that the provider makes.
//!
//! The provider is asked when a call has ended, when the app comes to the front and when the person asks, never twice a minute; what
//! was told last is kept with its time. Each account that has a provider to ask has a thread for it (`io`'s [`Dealings`]), which
//! sleeps. How it is asked stands in the account's document. Decides nothing: when to ask, and how, is `balance`'s.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use base::Secret;
use offhook_io::balance::{Card, Kept, Occasion, Receipt};
use offhook_io::store::About;
use offhook_io::{Ask, Customer, Dealings, NotDone, Told, known};

use crate::document::{self, address};
use crate::error::PhoneError;
use crate::{Balance, BalanceSettings, Event, Phone};

/// Bytes of what stands on a card, or is typed as a number, at most.
const LONGEST: usize = 255;

/// What an account's provider can be asked: show no buttons for the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct MoneyOffers {
    /// What is left.
    pub balance: bool,
    /// For how long that is enough, to a number.
    pub minutes: bool,
    /// To take a card.
    pub top_up: bool,
    /// To call the person, and then whom they want.
    pub call_back: bool,
}

/// What came of something that the provider was asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Came {
    /// It is done: the provider says so.
    Done,
    /// The provider has answered, and its words are for the person to judge.
    Answered,
    /// It was not done.
    Refused,
    /// It was asked for, and nobody knows whether it was done. Say so, and never ask again by itself: the person looks at the balance
    /// first.
    InDoubt,
}

/// An account's dealings with its provider, and what was told last.
#[derive(Debug, Default)]
pub(crate) struct Till {
    open: Option<Open>,
    last: Option<Kept>,
}

#[derive(Debug)]
struct Open {
    dealings: Dealings,
    offers: MoneyOffers,
    /// Whose numbers are called: what is typed becomes a number by its plan.
    account: phone::Account,
    /// Where the provider rings the person.
    caller: String,
    /// What was typed last, and the number that it is.
    typed: (String, String),
}

/// Balances, minutes, cards and calls back.
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
        self.require_open()?;
        let mut store = self.store();
        let before = store.document(account)?;
        let mut form = before.form().clone();
        let mut secrets = store.secrets(account)?.unwrap_or_default();
        let was = secrets.clone();
        let asks = settings.is_some();
        match settings {
            Some(settings) => {
                let known = form.balance.as_ref().map(|it| (it, &secrets.balance));
                let (balance, own) = settings.form(known, secret)?;
                (form.balance, secrets.balance) = (Some(balance), own);
            }
            None => {
                form.balance = None;
                secrets.balance = account::AskSecrets::default();
                secrets.balance_minutes = account::AskSecrets::default();
                secrets.balance_top_up = account::AskSecrets::default();
                secrets.balance_callback = account::AskSecrets::default();
            }
        }
        let changed = document::readable(before.with(form).0)?;
        changed.provider(&secrets).map_err(document::of_field)?;
        if secrets != was {
            store.keep_secrets(account, &secrets)?;
        }
        store.keep(&self.handle, account, changed)?;
        drop(store);
        self.log.note(format!("account {account} has another balance to ask for"));
        if asks {
            self.open_till(account);
            self.ask(account, Ask::Balance(Occasion::Asked));
        } else {
            self.close_till(account);
        }
        Ok(())
    }

    /// How an account's balance is asked for, to be changed; none: it is not.
    ///
    /// # Errors
    /// `NoAccount`; `Store`, `Secrets`: it cannot be read: say so.
    pub fn balance_settings(&self, account: u32) -> Result<Option<BalanceSettings>, PhoneError> {
        let store = self.store();
        let Some(form) = &store.document(account)?.form().balance else { return Ok(None) };
        Ok(Some(BalanceSettings::of(form, &store.secrets(account)?.unwrap_or_default().balance)))
    }

    /// What was told last of an account; none: nothing yet.
    pub fn balance(&self, account: u32) -> Option<Balance> {
        self.tills().get(&account).and_then(|till| till.last.as_ref().map(Balance::of))
    }

    /// Asks for an account's balance, within a minute of the last time a little later. [`Event::Balance`] follows.
    ///
    /// # Errors
    /// `NoAccount`: there is none, or its balance is not asked for.
    pub fn refresh_balance(&self, account: u32) -> Result<(), PhoneError> {
        self.kept_account(account)?;
        let offered = self.money_offers(account).balance;
        if offered && self.ask(account, Ask::Balance(Occasion::Asked)) {
            Ok(())
        } else {
            Err(PhoneError::NoAccount)
        }
    }

    /// The app has come to the front: balances are asked for, where it is time to.
    pub fn came_to_front(&self) {
        for till in self.tills().values() {
            till.ask(Ask::Balance(Occasion::Shown));
        }
    }

    /// What an account's provider can be asked; nothing, where none is known, and of an account that is not in use.
    pub fn money_offers(&self, account: u32) -> MoneyOffers {
        self.tills().get(&account).and_then(|till| till.open.as_ref()).map(|it| it.offers).unwrap_or_default()
    }

    /// A number is being typed, to be called by that account or the default one; empty: none any more. Say each change: the provider
    /// is asked once they have stopped, and not too often. [`Event::Minutes`] follows, or nothing.
    ///
    /// # Errors
    /// `TooLong`; `NoAccount`: there is none.
    pub fn number_typed(&self, account: Option<u32>, typed: String) -> Result<(), PhoneError> {
        let account = self.payer(account, &typed)?;
        self.about(account, typed, Ask::Typed);
        Ok(())
    }

    /// The person wants to know for how long a call to that number could be. [`Event::Minutes`] follows.
    ///
    /// # Errors
    /// - `BadTarget`: not dialable; show it beside the text field.
    /// - `NoAccount`; `TooLong`; `BadArgument`: the provider does not offer that.
    pub fn minutes_to(&self, account: Option<u32>, typed: String) -> Result<(), PhoneError> {
        self.check(account, typed.clone())?;
        let account = self.payer(account, &typed)?;
        self.require_offer(account, |it| it.minutes)?;
        self.about(account, typed, Ask::Minutes);
        Ok(())
    }

    /// Pays a card in, once; `pin` is empty where a card has none. [`Event::ToppedUp`] follows, then a balance. Ask the person first,
    /// and let them press once.
    ///
    /// # Errors
    /// `NoAccount`; `TooLong`; `BadArgument`: no number, or the provider takes no cards.
    pub fn top_up(&self, account: u32, card: String, pin: String) -> Result<(), PhoneError> {
        self.account(account)?;
        let (number, pin) = (Secret::new(card), Secret::new(pin));
        if [&number, &pin].into_iter().any(|it| it.expose().len() > LONGEST) {
            return Err(PhoneError::TooLong);
        }
        if number.expose().trim().is_empty() {
            return Err(PhoneError::BadArgument { sentence: "a card has a number".into() });
        }
        self.require_offer(account, |it| it.top_up)?;
        self.log.note(format!("account {account}: a card is paid in"));
        self.ask(account, Ask::TopUp(Card { number, pin }));
        Ok(())
    }

    /// Asks the provider to ring the person, and once they answer, whom they want. [`Event::CallBack`] follows.
    ///
    /// # Errors
    /// - `BadTarget`: not dialable; show it beside the text field.
    /// - `NoAccount`; `TooLong`; `BadArgument`: the provider does not call back.
    pub fn call_back(&self, account: Option<u32>, to: String) -> Result<(), PhoneError> {
        self.check(account, to.clone())?;
        let account = self.payer(account, &to)?;
        self.require_offer(account, |it| it.call_back)?;
        let caller = self.tills().get(&account).and_then(|it| it.open.as_ref()).map(|it| it.caller.clone());
        let caller = caller.unwrap_or_default();
        self.about(account, to, |callee| Ask::CallBack { caller, callee });
        Ok(())
    }
}

impl Phone {
    /// Begins to deal with the providers of all accounts that have one: at the start, and when all may be others.
    pub(crate) fn open_tills(&self) {
        let accounts: Vec<u32> = self.store().accounts().iter().map(|kept| kept.id).collect();
        for account in accounts {
            self.open_till(account);
        }
    }

    /// Begins to deal with an account's provider as its document has it now, if it does and is in use.
    pub(crate) fn open_till(&self, account: u32) {
        let customer = self.customer(account);
        let name = self.store().document(account).ok().map(told_name);
        let asked = customer.is_some();
        let open = customer.and_then(|(customer, of)| self.open(account, customer, of));
        let line = || self.remembered().ok()?.setting(&name?).ok()?;
        let mut tills = self.tills();
        if !asked {
            tills.remove(&account);
            return;
        }
        let last = tills.remove(&account).and_then(|till| till.last);
        let last = last.or_else(|| Kept::of_line(&line()?));
        tills.insert(account, Till { open, last });
    }

    fn open(&self, account: u32, customer: Customer, of: phone::Account) -> Option<Open> {
        let provider = &customer.provider;
        let offers = MoneyOffers {
            balance: provider.balance.is_some(),
            minutes: provider.minutes.is_some(),
            top_up: provider.top_up.is_some(),
            call_back: provider.call_back.is_some(),
        };
        let caller = provider.caller.clone().unwrap_or_else(|| own_number(&of));
        let this = self.this.clone();
        let told = move |told: Told| {
            let Some(phone) = this.upgrade() else { return false };
            phone.provider_told(account, told);
            true
        };
        let dealings = Dealings::begin(customer, None, told).ok()?;
        Some(Open { dealings, offers, account: of, caller, typed: (String::new(), String::new()) })
    }

    /// None: there is nobody to ask.
    fn customer(&self, account: u32) -> Option<(Customer, phone::Account)> {
        let store = self.store();
        let kept = store.get(account).ok().filter(|kept| kept.enabled)?;
        let document = kept.document.as_ref().ok()?;
        // Without a password the provider says so.
        let secrets = store.secrets(account).ok().flatten().unwrap_or_default();
        let provider = document.provider(&secrets).ok()??;
        let mut of = document::caller(document).ok()?;
        of.password = secrets.password.map(|it| it.0).unwrap_or_default();
        Some((Customer { provider, known: known(&of), trusts: self.trusts.clone() }, of))
    }

    /// Deals no more with an account's provider, and forgets what it has told.
    pub(crate) fn close_till(&self, account: u32) {
        self.tills().remove(&account);
        if let Ok(name) = self.store().document(account).map(told_name) {
            self.forget_told(name);
        }
    }

    /// What stays is not shown before it is told anew.
    pub(crate) fn forget_told(&self, name: String) {
        let _ = self.handle.on_store(About::Rest, move |store| store.set_setting(&name, None));
    }

    fn provider_told(&self, account: u32, told: Told) {
        match told {
            Told::Balance(kept) => {
                let name = self.store().document(account).ok().map(told_name);
                let line = kept.to_line();
                if !self.put_last(account, kept) {
                    return;
                }
                // If not, it is asked for anew at the next start.
                let _ = name.map(|name| {
                    self.handle.on_store(About::Rest, move |store| store.set_setting(&name, Some(&line)))
                });
                self.tell(Event::Balance { account, balance: self.balance(account), trouble: None });
            }
            // What was told is here already.
            Told::Stale(_) => {}
            Told::NoBalance(why) => {
                let balance = self.balance(account);
                self.tell(Event::Balance { account, balance, trouble: Some(why.to_string()) });
            }
            Told::Minutes { number, left } => {
                let typed = self.tills().get(&account).and_then(|till| till.as_typed(&number));
                let seconds = left.as_ref().ok().map(|left| left.seconds);
                let trouble = left.err().map(|why| why.to_string());
                self.tell(Event::Minutes { account, number: typed.unwrap_or(number), seconds, trouble });
            }
            Told::TopUp(came) => {
                let (came, says) = judge(came);
                self.tell(Event::ToppedUp { account, came, says });
            }
            Told::CallBack { callee, came } => {
                let (came, says) = judge(came);
                self.tell(Event::CallBack { account, number: callee, came, says });
            }
            // It was looked at before.
            Told::NotOffered(_) => {}
        }
    }

    /// False: it was told no longer to ask.
    fn put_last(&self, account: u32, kept: Kept) -> bool {
        let mut tills = self.tills();
        let Some(till) = tills.get_mut(&account) else { return false };
        till.last = Some(kept);
        true
    }

    /// Wants something of an account's provider; false: it has none.
    pub(crate) fn ask(&self, account: u32, what: Ask) -> bool {
        self.tills().get(&account).is_some_and(|till| till.ask(what))
    }

    /// That is being called, by that account or the default one.
    pub(crate) fn dialled(&self, account: Option<u32>, to: &str) {
        if let Ok(account) = self.payer(account, to) {
            self.about(account, to.to_owned(), Ask::Dialled);
        }
    }

    /// The same of what was typed, as the number that would be called; what is none is as if nothing were typed.
    fn about(&self, account: u32, typed: String, what: impl FnOnce(String) -> Ask) {
        let regions = self.regions().clone();
        let mut tills = self.tills();
        let Some(open) = tills.get_mut(&account).and_then(|till| till.open.as_mut()) else { return };
        let target = phone::target(&typed, &open.account, &regions);
        let number = target.map(|it| phone::number_of(it.uri.as_str())).unwrap_or_default();
        open.typed = (typed, number.clone());
        open.dealings.ask(what(number));
    }

    /// Who would pay for that.
    fn payer(&self, account: Option<u32>, typed: &str) -> Result<u32, PhoneError> {
        if typed.len() > LONGEST {
            return Err(PhoneError::TooLong);
        }
        match account {
            Some(account) => self.account(account).map(|id| id.0),
            None => self.picked().map(|id| id.0),
        }
    }

    fn require_offer(
        &self,
        account: u32,
        offered: impl FnOnce(MoneyOffers) -> bool,
    ) -> Result<(), PhoneError> {
        if offered(self.money_offers(account)) {
            return Ok(());
        }
        Err(PhoneError::BadArgument { sentence: "the provider does not offer that".into() })
    }

    fn tills(&self) -> MutexGuard<'_, BTreeMap<u32, Till>> {
        self.tills.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Till {
    fn ask(&self, what: Ask) -> bool {
        self.open.as_ref().is_some_and(|open| open.dealings.ask(what))
    }

    /// How that number was typed.
    fn as_typed(&self, number: &str) -> Option<String> {
        let (typed, known) = &self.open.as_ref()?.typed;
        Some(typed.clone()).filter(|_| known == number)
    }
}

/// By the account's address and not its id, which is another in a backup.
pub(crate) fn told_name(document: &account::Document) -> String {
    format!("balance of {}", address(document))
}

/// The number that is shown to others, else the account.
fn own_number(account: &phone::Account) -> String {
    let shown = account.caller_id.number.as_ref().map(|number| number.reveal().clone());
    shown.unwrap_or_else(|| account.uri.view().user_decoded().into_owned())
}

fn judge(came: Result<Receipt, NotDone>) -> (Came, Option<String>) {
    match came {
        Ok(Receipt { certain, words }) => (if certain { Came::Done } else { Came::Answered }, words),
        Err(why @ NotDone::No(_)) => (Came::Refused, Some(why.to_string())),
        Err(why @ NotDone::InDoubt(_)) => (Came::InDoubt, Some(why.to_string())),
    }
}
