//! The doorkeeper: who may register and call, asked by digest, with patience for typing and none for guessing.
//!
//! RFC 3261 section 22, RFC 8760. Knows users, realm and throttle; which requests need leave is the exchange's to say.

use std::time::Duration;

use base::{Instant, Rng};
use sip::digest::{Credentials, Verdict, Verifier};
use sip::message::{Draft, Message, Method, Name};
use sip::transaction::Source;

use crate::answer::Answer;
use crate::config::Config;
use crate::throttle::{Gate, Throttle};

/// How long an answer to one challenge is taken. A phone that answers later is told that its nonce is stale, once.
const NONCE_LIFETIME: Duration = Duration::from_mins(5);

/// What becomes of a request at the door.
pub(crate) enum Entry {
    /// It comes from this user.
    Welcome(String),
    /// Send this instead.
    Refused(Draft),
    /// No answer at all.
    Ignored,
}

/// What the door has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DoorCounters {
    /// Challenges sent.
    pub challenged: u64,
    /// Wrong passwords and unknown users.
    pub wrong: u64,
    /// Attempts refused unseen because of earlier wrong ones.
    pub held_off: u64,
    /// Attempts not even answered.
    pub ignored: u64,
}

/// Challenges and checks.
#[derive(Debug)]
pub(crate) struct Door {
    verifier: Verifier,
    throttle: Throttle,
    rng: Rng,
    pub(crate) counters: DoorCounters,
}

impl Door {
    pub(crate) fn new(config: &Config, mut rng: Rng) -> Self {
        Self {
            verifier: Verifier::new(&config.domain, &config.algorithms, NONCE_LIFETIME, &mut rng),
            throttle: Throttle::default(),
            rng,
            counters: DoorCounters::default(),
        }
    }

    /// Checks a request's credentials: a registrar asks by 401, a proxy by 407. RFC 3261 sections 22.2 and 22.3.
    pub(crate) fn check(
        &mut self,
        request: &Message,
        proxy: bool,
        source: &Source,
        config: &Config,
        answer: &Answer<'_>,
        now: Instant,
    ) -> Entry {
        let from = source.remote.ip();
        let known = |user: &str| config.users.get_key_value(user).map_or("", |(user, _)| user.as_str());
        // The gate stands before the password: while it is shut, even the right one is not found out.
        let mut gate = Gate::Open;
        let throttle = &mut self.throttle;
        let verdict = self.verifier.check(request, proxy, now, |user| {
            gate = throttle.gate(known(user), from, now);
            let password = config.users.get(user).filter(|_| gate == Gate::Open)?.clone();
            Some(Credentials { user: user.into(), password, realm: None })
        });
        match gate {
            Gate::Open => {}
            Gate::Held(wait) => {
                self.counters.held_off += 1;
                let mut later = answer.to(request, 503, "Too Many Wrong Passwords");
                later.push(Name::RetryAfter, wait.as_secs() + 1);
                return Entry::Refused(later);
            }
            Gate::Shut => {
                self.counters.ignored += 1;
                // An INVITE without an answer would never be done with.
                let invite = request.method() == Method::Invite;
                return if invite { Entry::Refused(answer.to(request, 503, "")) } else { Entry::Ignored };
            }
        }
        let stale = match verdict {
            Verdict::Ok { user } => {
                self.throttle.right(&user, from);
                return Entry::Welcome(user);
            }
            Verdict::Missing => false,
            Verdict::Stale { .. } => true,
            Verdict::Wrong { user } => {
                self.counters.wrong += 1;
                self.throttle.wrong(known(&user), from, now);
                false
            }
        };
        self.counters.challenged += 1;
        let (status, name) =
            if proxy { (407, Name::ProxyAuthenticate) } else { (401, Name::WwwAuthenticate) };
        let mut challenge = answer.to(request, status, "");
        for value in self.verifier.challenges(stale, now, &mut self.rng) {
            challenge.push(name, value);
        }
        Entry::Refused(challenge)
    }
}

#[cfg(test)]
mod tests;
