//! Keeps one account's balance fresh: asks when there is a reason, in a thread of its own.
//!
//! The thread sleeps until there is an occasion, so that it costs a phone in a pocket nothing. When to ask is
//! [`Pace`]'s to say, how [`Teller`]'s. Knows nothing of where the last balance is kept.

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::Builder;
use std::time::Duration;

use balance::{Balance, Known, Occasion, Pace};
use offhook_net::tls::Trusts;
use phone::Account;

use crate::clock;
use crate::teller::{NoBalance, Teller};

/// Longest sleep toward a time: a machine that was itself asleep must find out that it has come.
const STEP: Duration = Duration::from_secs(60);
/// TLS goes deeper than our other threads.
const STACK: usize = 1024 * 1024;

/// The thread, as its owner holds it. Dropped, it ends once what it asks is answered, and tells nothing more.
#[derive(Debug)]
pub struct Purse(Sender<Occasion>);

impl Purse {
    /// Asks from now on whenever an occasion comes. `told` gets each balance, and why there is none; a provider that stays
    /// away is told once. It is called by the purse's own thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn keep(
        teller: Teller,
        known: Known,
        trusts: Trusts,
        told: impl FnMut(Result<Balance, NoBalance>) + Send + 'static,
    ) -> io::Result<Self> {
        let (tell, occasions) = mpsc::channel();
        let thread = Builder::new().name("offhook-balance".into()).stack_size(STACK);
        thread.spawn(move || work(&occasions, told, || teller.ask(&known, &trusts)))?;
        Ok(Self(tell))
    }

    /// There is a reason to ask.
    pub fn occasion(&self, occasion: Occasion) {
        // It ends only when this is dropped.
        let _ = self.0.send(occasion);
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

fn work(
    occasions: &Receiver<Occasion>,
    mut told: impl FnMut(Result<Balance, NoBalance>),
    mut ask: impl FnMut() -> Result<Balance, NoBalance>,
) {
    let mut pace = Pace::default();
    let mut said: Option<NoBalance> = None;
    loop {
        let occasion = match pace.due() {
            Some(due) => occasions.recv_timeout(due.since(clock::now()).min(STEP)),
            None => occasions.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match occasion {
            Ok(occasion) => pace.occasion(occasion, clock::now()),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if !pace.begin(clock::now()) {
            continue;
        }
        match ask() {
            Ok(balance) => {
                pace.told();
                said = None;
                told(Ok(balance));
            }
            Err(why) => {
                pace.failed(why.wait(), why.mends(), clock::now());
                if said.as_ref() != Some(&why) {
                    said = Some(why.clone());
                    told(Err(why));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_balance_comes_when_there_is_a_reason_and_a_failure_is_said_once() {
        let (tell, occasions) = mpsc::channel();
        let (news, told) = mpsc::channel();
        let (asked, times) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let ask = || {
                let _ = asked.send(());
                Err(NoBalance::Status(404))
            };
            work(&occasions, move |outcome| drop(news.send(outcome)), ask);
        });
        tell.send(Occasion::Shown).unwrap();
        assert_eq!(told.recv().unwrap(), Err(NoBalance::Status(404)));
        // Within the minute: it waits for its time, and ends with its owner all the same.
        tell.send(Occasion::Asked).unwrap();
        drop(tell);
        thread.join().unwrap();
        assert_eq!((told.iter().count(), times.iter().count()), (0, 1));
    }
}
