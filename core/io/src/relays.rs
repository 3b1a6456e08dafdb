//! Keeps an account in relays that a web service hands out for a while: asks at the start, and again before they lapse.
//!
//! What was handed out last is kept while the service is away. Knows no HTTP.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::Builder;
use std::time::Duration;

use offhook_net::tls::Trusts;
use phone::Relay;

use crate::clock;
use crate::rest::{NoRelays, Service};

/// After the first failure in a row; doubled with each up to the longest.
const FIRST_RETRY: Duration = Duration::from_secs(60);
const LAST_RETRY: Duration = Duration::from_secs(3600);
/// Whatever a service says: passwords for less time are not worth having, and one a day is no burden.
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(86_400);
/// Longest sleep: a machine that was itself asleep must find out that the time has come.
const STEP: Duration = Duration::from_secs(60);
/// TLS goes deeper than our other threads.
const STACK: usize = 1024 * 1024;

/// A thread that asks, as its owner holds it: dropped, it ends once it has its answer, which is told to nobody.
#[derive(Debug)]
pub struct KeptRelays(#[expect(dead_code, reason = "its end is what the thread waits for")] Sender<()>);

impl KeptRelays {
    /// Asks `service` from now on. `told` gets relays each time that there are others, to be given to the phone
    /// ([`phone::Command::Relays`]), and the first of several equal failures: a sentence for the person. It ends when `told`
    /// returns false.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn begin(
        service: Service,
        trusts: Trusts,
        mut told: impl FnMut(Result<Vec<Relay>, NoRelays>) -> bool + Send + 'static,
    ) -> io::Result<Self> {
        let (keep, ended) = mpsc::channel::<()>();
        let gone = move |wait| ended.recv_timeout(wait) == Err(RecvTimeoutError::Disconnected);
        let work = move || {
            let mut rhythm = Rhythm::default();
            loop {
                let answer = service.ask(&trusts);
                if gone(Duration::ZERO) {
                    return;
                }
                let mut goes_on = true;
                let outcome = answer.map(|handed| {
                    goes_on = told(Ok(handed.relays));
                    handed.lasts
                });
                let (wait, trouble) = rhythm.next(outcome);
                if !goes_on || trouble.is_some_and(|why| !told(Err(why))) {
                    return;
                }
                let due = clock::now() + wait;
                while let left = due.since(clock::now())
                    && !left.is_zero()
                {
                    if gone(left.min(STEP)) {
                        return;
                    }
                }
            }
        };
        Builder::new().name("relays".into()).stack_size(STACK).spawn(work)?;
        Ok(Self(keep))
    }
}

/// When to ask again, and whether to complain.
#[derive(Debug, Default)]
struct Rhythm {
    failures: u32,
    said: Option<NoRelays>,
}

impl Rhythm {
    /// For how long to wait after this, and why, if that is news.
    fn next(&mut self, outcome: Result<Duration, NoRelays>) -> (Duration, Option<NoRelays>) {
        match outcome {
            Ok(lasts) => {
                *self = Self::default();
                ((lasts / 4 * 3).clamp(SHORTEST, LONGEST), None)
            }
            Err(why) => {
                let wait = FIRST_RETRY.saturating_mul(1 << self.failures.min(6)).min(LAST_RETRY);
                self.failures += 1;
                (wait, (self.said.replace(why) != Some(why)).then_some(why))
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
        let (wait, said) = failed(NoRelays::Silent);
        assert_eq!((wait.as_secs(), said), (60, Some(NoRelays::Silent)));
        let waits: Vec<_> = (0..7).map(|_| failed(NoRelays::Silent)).collect();
        assert!(waits.iter().all(|(_, said)| said.is_none()), "{waits:?}");
        let seconds: Vec<_> = waits.iter().map(|(wait, _)| wait.as_secs()).collect();
        assert_eq!(seconds, [120, 240, 480, 960, 1920, 3600, 3600]);
        assert!(failed(NoRelays::Status(403)).1.is_some());

        rhythm.next(Ok(Duration::from_secs(7200)));
        assert_eq!(rhythm.next(Err(NoRelays::Status(403))).0, FIRST_RETRY);
        assert!(Rhythm::default().next(Err(NoRelays::Silent)).1.is_some());
    }
}
