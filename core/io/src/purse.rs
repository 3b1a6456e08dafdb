//! Keeps one account's balance fresh, for who wants no more of a provider than that.
//!
//! The thread, and when it asks, is [`Dealings`]'. Knows nothing of where the last balance is kept.

use std::io;

use balance::{Balance, Known, Occasion, Provider, Teller};
use offhook_net::tls::Trusts;
use phone::Account;

use crate::dealings::{Ask, Customer, Dealings, Told};
use crate::teller::NoBalance;

/// The thread, as its owner holds it. Dropped, it ends once what it asks is answered, and tells nothing more.
#[derive(Debug)]
pub struct Purse(Dealings);

impl Purse {
    /// Asks from now on whenever an occasion comes. `told` gets each balance, and why there is none; a provider that stays
    /// away is told once, unless the person asks. It is called by the purse's own thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn keep(
        teller: Teller,
        known: Known,
        trusts: Trusts,
        mut told: impl FnMut(Result<Balance, NoBalance>) + Send + 'static,
    ) -> io::Result<Self> {
        let provider = Provider { balance: Some(teller), ..Provider::default() };
        let listen = move |what| {
            match what {
                Told::Balance(kept) => told(Ok(kept.balance)),
                Told::NoBalance(why) => told(Err(why)),
                // The last one is with who was told.
                Told::Stale(_)
                | Told::Minutes { .. }
                | Told::TopUp(_)
                | Told::CallBack { .. }
                | Told::NotOffered(_) => {}
            }
            true
        };
        Dealings::begin(Customer { provider, known, trusts }, None, listen).map(Self)
    }

    /// There is a reason to ask.
    pub fn occasion(&self, occasion: Occasion) {
        // It ends only when this is dropped.
        let _ = self.0.ask(Ask::Balance(occasion));
    }
}

/// What is known of an account where its balance is asked for.
pub fn known(account: &Account) -> Known {
    let number = account.uri.view().user_decoded().into_owned();
    Known {
        user: account.auth_user.as_ref().map_or_else(|| number.clone(), |user| user.reveal().clone()),
        password: account.password.clone(),
        account: number.clone(),
        number,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use balance::{Reading, Template};
    use base::Secret;

    use super::*;
    use crate::web_service::{service, status};

    #[test]
    fn a_balance_comes_when_there_is_a_reason_and_a_failure_is_said_once() {
        let (address, requests) = service(|_| Some(status("404 No", "")));
        let template = Template::get(format!("http://{address}/"));
        let account = Account::new("sip:1001@offhook.test".parse().unwrap(), Secret::default());
        let (news, told) = mpsc::channel();
        let purse = Purse::keep(
            Teller { template, reading: Reading::Bare },
            known(&account),
            Trusts::default(),
            move |outcome| drop(news.send(outcome)),
        );
        let purse = purse.unwrap();
        purse.occasion(Occasion::Shown);
        assert_eq!(told.recv().unwrap(), Err(NoBalance::Status(404)));
        // Within the minute: it waits for its time, and ends with its owner all the same.
        purse.occasion(Occasion::Asked);
        drop(purse);
        assert_eq!((told.iter().count(), requests.try_iter().count()), (0, 1));
    }
}
