//! The account's provider, as a console phone has it: what is typed becomes a number, what is told becomes news, and the last
//! balance lies in the phone's folder.
//!
//! When the provider is asked, and in which thread, is [`Dealings`]' own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;

use offhook_io::balance::{Card, Kept, Occasion, Receipt, TimeLeft};
use offhook_io::store::AccountKey;
use offhook_io::{Ask, Customer, Dealings, NoBalance, NotDone, Offer, Told, clock};
use phone::{Account, AccountId, Regions};

use super::desk::News;
use super::money::{Came, Money};
use crate::failure::Failure;

/// Where an account's last balance lies in the phone's folder; `stored`: whose key in the database that is.
pub(crate) fn file_in(folder: &Path, stored: Option<AccountKey>) -> PathBuf {
    folder.join(stored.map_or_else(|| "balance.json".to_owned(), |key| format!("balance-{}.json", key.0)))
}

/// Who is asked, and with what.
pub(crate) struct Purse {
    pub(crate) customer: Customer,
    /// Whose numbers are called: what is typed becomes a number by its plan.
    pub(crate) account: Account,
    pub(crate) regions: Regions,
    /// Where the provider rings the person.
    pub(crate) caller: String,
    /// Where the last balance is kept.
    pub(crate) file: Option<PathBuf>,
}

impl Purse {
    /// What a typed number is, as it would be called. The error is a sentence.
    fn number(&self, typed: &str) -> Result<String, String> {
        let target = phone::target(typed, &self.account, &self.regions);
        target.map(|target| phone::number_of(target.uri.as_str())).map_err(|error| error.to_string())
    }

    /// What is left; `None`: the provider is not asked.
    pub(crate) fn ask(&self) -> Option<Result<Kept, NoBalance>> {
        let told = self.customer.balance()?;
        if let (Ok(kept), Some(file)) = (&told, &self.file) {
            keep_in(file, kept);
        }
        Some(told)
    }

    /// How long a call to a typed number may last. The error is a sentence.
    pub(crate) fn minutes(&self, typed: &str) -> Result<(String, TimeLeft), String> {
        let number = self.number(typed)?;
        let left = self.customer.minutes(&number).ok_or_else(|| not_offered(Offer::Minutes))?;
        left.map(|left| (number, left)).map_err(|why| why.to_string())
    }

    /// The outer error is a sentence.
    pub(crate) fn pay(&self, card: Card) -> Result<Result<Receipt, NotDone>, String> {
        self.customer.pay(card).ok_or_else(|| not_offered(Offer::TopUp))
    }

    /// Whom it calls, as it was asked for. The outer error is a sentence.
    pub(crate) fn call_back(
        &self,
        to: &str,
        from: Option<&str>,
    ) -> Result<(String, Result<Receipt, NotDone>), String> {
        let to = self.number(to)?;
        let came = self.customer.call_back(from.unwrap_or(&self.caller), &to);
        came.map(|came| (to, came)).ok_or_else(|| not_offered(Offer::CallBack))
    }

    /// What was told last.
    pub(crate) fn kept(&self) -> Option<Kept> {
        Kept::of_line(&fs::read_to_string(self.file.as_ref()?).ok()?)
    }
}

/// Whole or not at all. Where there is no room, there is none: it is but a convenience.
fn keep_in(file: &Path, kept: &Kept) {
    let new = file.with_extension("new");
    if fs::write(&new, kept.to_line()).is_ok() {
        let _ = fs::rename(new, file);
    }
}

/// What is said where a provider is not asked for that.
pub(crate) fn not_offered(what: Offer) -> String {
    let (what, table) = match what {
        Offer::Balance => {
            return "the provider is not asked what is left: no `url` or `vos` under [balance]".to_owned();
        }
        Offer::Minutes => ("minutes left to a number", "minutes"),
        Offer::TopUp => ("a card", "top_up"),
        Offer::CallBack => ("a call back", "callback"),
    };
    format!("the provider is not asked for {what}: no `[balance.{table}]`, nor `vos` under [balance]")
}

/// A provider that is dealt with while a phone runs.
pub(crate) struct Open {
    dealings: Dealings,
    purse: Purse,
}

impl Open {
    /// What is told of it is news from now on.
    pub(crate) fn new(account: AccountId, purse: Purse, news: Sender<News>) -> Result<Self, Failure> {
        let file = purse.file.clone();
        let told = move |told: Told| {
            if let (Told::Balance(kept), Some(file)) = (&told, &file) {
                keep_in(file, kept);
            }
            news.send(as_news(account, told)).is_ok()
        };
        let dealings = Dealings::begin(purse.customer.clone(), purse.kept(), told);
        let dealings =
            dealings.map_err(|error| Failure::Failed(format!("no thread for the balance: {error}")))?;
        Ok(Self { dealings, purse })
    }

    pub(crate) fn occasion(&self, occasion: Occasion) {
        self.dealings.ask(Ask::Balance(occasion));
    }

    /// That much stands at the prompt. While it is no number yet, it is none.
    pub(crate) fn typed(&self, typed: &str) {
        self.dealings.ask(Ask::Typed(self.purse.number(typed).unwrap_or_default()));
    }

    /// That number is being called.
    pub(crate) fn dialled(&self, number: String) {
        self.dealings.ask(Ask::Dialled(number));
    }

    /// The error is a sentence.
    pub(crate) fn minutes(&self, typed: &str) -> Result<(), String> {
        self.dealings.ask(Ask::Minutes(self.purse.number(typed)?));
        Ok(())
    }

    pub(crate) fn top_up(&self, card: Card) {
        self.dealings.ask(Ask::TopUp(card));
    }

    /// The error is a sentence.
    pub(crate) fn call_back(&self, to: &str, from: Option<String>) -> Result<(), String> {
        let caller = from.unwrap_or_else(|| self.purse.caller.clone());
        self.dealings.ask(Ask::CallBack { caller, callee: self.purse.number(to)? });
        Ok(())
    }
}

fn as_news(account: AccountId, told: Told) -> News {
    let money = match told {
        Told::Balance(kept) => Money::balance(&kept.balance, None),
        Told::Stale(kept) => Money::balance(&kept.balance, Some(kept.age(clock::wall_millis()))),
        Told::Minutes { number, left } => Money::minutes(number, left.map_err(|why| why.to_string())),
        Told::TopUp(came) => Money::TopUp(Came::from(came)),
        Told::CallBack { callee, came } => Money::Callback { to: callee, came: Came::from(came) },
        Told::NoBalance(why) => return News::Trouble(Some(account), why.to_string()),
        Told::NotOffered(what) => return News::Trouble(Some(account), not_offered(what)),
    };
    News::Money(account, Box::new(money))
}

#[cfg(test)]
mod tests {
    use base::Secret;
    use offhook_io::Trusts;
    use offhook_io::balance::{Amount, Balance, Provider};

    use super::*;

    fn purse(file: Option<PathBuf>) -> Purse {
        let account = Account::new("sip:1001@offhook.test".parse().unwrap(), Secret::new("hush".into()));
        let known = offhook_io::known(&account);
        let customer = Customer { provider: Provider::default(), known, trusts: Trusts::default() };
        Purse { customer, account, regions: Regions::default(), caller: "1001".into(), file }
    }

    #[test]
    fn what_is_not_offered_is_named_and_no_number_is_no_question() {
        let purse = purse(None);
        assert!(purse.ask().is_none());
        assert!(purse.minutes("112").unwrap_err().contains("emergency"));
        assert!(purse.minutes("0301").unwrap_err().contains("[balance.minutes]"));
        assert!(purse.call_back("0301", None).unwrap_err().contains("[balance.callback]"));
        let card = Card { number: Secret::new("1".into()), pin: Secret::default() };
        assert!(purse.pay(card).unwrap_err().contains("[balance.top_up]"));
        assert!(not_offered(Offer::Balance).contains("`url`"));
    }

    #[test]
    fn what_was_told_is_kept_in_the_phones_folder() {
        let folder = tempfile::tempdir().unwrap();
        let purse = purse(Some(file_in(folder.path(), None)));
        assert_eq!(purse.kept(), None);
        let balance =
            Balance { amount: Amount::whole(3), currency: None, overdraft: None, valid_until: None };
        let kept = Kept { balance, told: 7 };
        keep_in(purse.file.as_ref().unwrap(), &kept);
        assert_eq!(purse.kept(), Some(kept));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
