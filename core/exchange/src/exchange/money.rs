//! What users have left, and which calls they pay for: those that somebody has answered.

use base::Instant;
use sip::message::{Message, Method};

use super::{Exchange, from_user};
use crate::bindings::Bindings;
use crate::ledger::Ledger;

impl<B: Bindings> Exchange<B> {
    /// Sets what users have left, and what calls cost.
    pub fn set_ledger(&mut self, ledger: Ledger) {
        self.ledger = ledger;
    }

    /// Whether that is the password of that user.
    pub fn is_password(&self, user: &str, password: &str) -> bool {
        self.config.users.get(user).is_some_and(|known| known.expose() == password)
    }

    /// What users have left.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The same, for money that comes.
    pub fn ledger_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// A call that one of ours has made is answered.
    pub(super) fn charge(&mut self, response: &Message, now: Instant) {
        let answered = response.status().is_some_and(|status| (200..300).contains(&status));
        if answered
            && response.method() == Method::Invite
            && self.is_from_here(response)
            && let Some(user) = from_user(response)
            && let Ok(call) = response.call_id()
        {
            self.ledger.answered(call, &user, now);
        }
    }
}
