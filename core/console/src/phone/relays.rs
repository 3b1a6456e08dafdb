//! Keeps an account in relays that a web service hands out for a while: asks at the start, and again before they lapse.
//!
//! What was handed out last is kept while the service is away. Knows no HTTP.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use offhook_io::{Handle, NoRelays, Service, Trusts};
use phone::{AccountId, Command};

use super::desk::News;
use crate::failure::Failure;

/// After the first failure in a row; doubled with each up to the longest.
const FIRST_RETRY: Duration = Duration::from_secs(60);
const LAST_RETRY: Duration = Duration::from_secs(3600);
/// Whatever a service says: passwords for less time are not worth having, and one a day is no burden.
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(86_400);
/// Longest sleep: a computer that was itself asleep must find out that the time has come.
const STEP: Duration = Duration::from_secs(60);
/// TLS goes deeper than our other threads.
const STACK: usize = 1024 * 1024;

/// Asks from now on, in a thread of its own that ends with the process.
pub(crate) fn keep(
    account: AccountId,
    service: Service,
    trusts: Trusts,
    handle: Arc<Handle>,
    news: Sender<News>,
) -> Result<(), Failure> {
    let work = move || {
        let mut rhythm = Rhythm::default();
        loop {
            let outcome = service.ask(&trusts).map(|handed| {
                handle.command(Command::Relays(account, handed.relays));
                handed.lasts
            });
            let (wait, sentence) = rhythm.next(outcome);
            if sentence.is_some_and(|sentence| news.send(News::Trouble(Some(account), sentence)).is_err()) {
                return;
            }
            let due = offhook_io::clock::now() + wait;
            while let left = due.since(offhook_io::clock::now())
                && !left.is_zero()
            {
                thread::sleep(left.min(STEP));
            }
        }
    };
    let spawned = thread::Builder::new().name("relays".into()).stack_size(STACK).spawn(work);
    spawned.map(drop).map_err(|error| Failure::Failed(format!("no thread for relays: {error}")))
}

/// When to ask again, and whether to complain.
#[derive(Debug, Default)]
struct Rhythm {
    failures: u32,
    said: Option<NoRelays>,
}

impl Rhythm {
    /// For how long to wait after this, and a sentence if it is a new one.
    fn next(&mut self, outcome: Result<Duration, NoRelays>) -> (Duration, Option<String>) {
        match outcome {
            Ok(lasts) => {
                *self = Self::default();
                ((lasts / 4 * 3).clamp(SHORTEST, LONGEST), None)
            }
            Err(why) => {
                let wait = FIRST_RETRY.saturating_mul(1 << self.failures.min(6)).min(LAST_RETRY);
                self.failures += 1;
                (wait, (self.said.replace(why) != Some(why)).then(|| why.to_string()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relays_are_asked_for_anew_at_three_quarters_of_their_time() {
        let after = |lasts| Rhythm::default().next(Ok(Duration::from_secs(lasts))).0.as_secs();
        assert_eq!([7200, 0, u64::MAX].map(after), [5400, 60, 86_400]);
    }

    #[test]
    fn failures_are_said_once_in_a_row_and_asked_about_less_and_less() {
        let mut rhythm = Rhythm::default();
        let mut failed = |why| rhythm.next(Err(why));
        let (wait, sentence) = failed(NoRelays::Silent);
        assert_eq!((wait.as_secs(), sentence), (60, Some(NoRelays::Silent.to_string())));
        let waits: Vec<_> = (0..7).map(|_| failed(NoRelays::Silent)).collect();
        assert!(waits.iter().all(|(_, sentence)| sentence.is_none()), "{waits:?}");
        let seconds: Vec<_> = waits.iter().map(|(wait, _)| wait.as_secs()).collect();
        assert_eq!(seconds, [120, 240, 480, 960, 1920, 3600, 3600]);
        assert!(failed(NoRelays::Status(403)).1.is_some());

        rhythm.next(Ok(Duration::from_secs(7200)));
        assert_eq!(rhythm.next(Err(NoRelays::Status(403))).0, FIRST_RETRY);
        assert!(Rhythm::default().next(Err(NoRelays::Silent)).1.is_some());
    }
}
