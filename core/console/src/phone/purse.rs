//! Keeps the account's balance fresh: asks when there is a reason, in a thread of its own that ends with the process.
//!
//! What was told last is kept while the provider is away. When to ask is `balance`'s to say.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use base::Instant;
use offhook_io::balance::{Balance, Known, Occasion, Pace};
use offhook_io::{NoBalance, Teller, Trusts, clock};

use super::desk::News;
use crate::failure::Failure;

/// Longest sleep: a computer that was itself asleep must find out that the time has come.
const STEP: Duration = Duration::from_secs(60);
/// TLS goes deeper than our other threads.
const STACK: usize = 1024 * 1024;

/// Who is asked, and with what.
pub(crate) struct Purse {
    pub(crate) teller: Teller,
    pub(crate) known: Known,
    pub(crate) trusts: Trusts,
}

/// Asks from now on whenever an occasion comes.
pub(crate) fn keep(purse: Purse, news: Sender<News>) -> Result<Sender<Occasion>, Failure> {
    let (tell, occasions) = mpsc::channel();
    let spawned = thread::Builder::new()
        .name("balance".into())
        .stack_size(STACK)
        .spawn(move || work(&occasions, &news, || purse.teller.ask(&purse.known, &purse.trusts)));
    spawned.map_err(|error| Failure::Failed(format!("no thread for the balance: {error}")))?;
    Ok(tell)
}

fn work(
    occasions: &Receiver<Occasion>,
    news: &Sender<News>,
    mut ask: impl FnMut() -> Result<Balance, NoBalance>,
) {
    let mut pace = Pace::default();
    let mut said: Option<NoBalance> = None;
    loop {
        let wait = pace.due().map_or(STEP, |due| due.since(clock::now()).min(STEP));
        match occasions.recv_timeout(wait) {
            Ok(occasion) => pace.occasion(occasion, clock::now()),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let now: Instant = clock::now();
        if !pace.begin(now) {
            continue;
        }
        let told = match ask() {
            Ok(balance) => {
                pace.told();
                said = None;
                News::Balance(Box::new(balance))
            }
            Err(why) => {
                pace.failed(why.wait(), why.mends(), clock::now());
                // A provider that stays away is said once.
                if said.as_ref() == Some(&why) {
                    continue;
                }
                let sentence = why.to_string();
                said = Some(why);
                News::Trouble(sentence)
            }
        };
        if news.send(told).is_err() {
            return;
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
        let asked = std::cell::Cell::new(0);
        tell.send(Occasion::Shown).unwrap();
        thread::scope(|scope| {
            scope.spawn(move || {
                work(&occasions, &news, || {
                    asked.set(asked.get() + 1);
                    Err(NoBalance::Status(404))
                });
            });
            let first = told.recv().unwrap();
            assert!(matches!(first, News::Trouble(sentence) if sentence.contains("404")));
            drop(tell);
            assert!(told.recv().is_err());
        });
    }
}
