//! A REGISTER at the door: who sends it, and for whom.

use base::Instant;
use sip::message::{Draft, Message, Name};
use sip::order::Orders;
use sip::transaction::{Source, TxId};

use super::{Exchange, bad_extension};
use crate::answer::Answer;
use crate::auth::Entry;
use crate::bindings::Bindings;
use crate::proxy::moved;
use crate::registrar;

impl<B: Bindings> Exchange<B> {
    /// RFC 3261 section 10.3, steps 2 to 5; the registrar does the rest.
    pub(super) fn register(
        &mut self,
        tx: TxId,
        message: &Message,
        source: &Source,
        now: Instant,
        out: &mut Orders,
    ) -> Option<Draft> {
        let answer = Answer { config: &self.config, mint: &self.mint };
        let unsupported: Vec<String> = message
            .list(Name::Require)
            .filter(|tag| !registrar::EXTENSIONS.iter().any(|e| tag.eq_ignore_ascii_case(e.as_bytes())))
            .map(|tag| String::from_utf8_lossy(tag).into_owned())
            .collect();
        if !unsupported.is_empty() {
            return Some(bad_extension(answer.to(message, 420, ""), &unsupported));
        }
        let user = match self.door.check(message, false, source, &self.config, &answer, now) {
            Entry::Welcome(user) => user,
            Entry::Refused(response) => return Some(response),
            Entry::Ignored => {
                self.transactions.abandon(tx);
                return None;
            }
        };
        let to = message.to().ok().filter(|to| self.own().is(&to.uri()));
        match to.map(|to| to.uri().user_decoded().into_owned()) {
            None => return Some(answer.to(message, 404, "")),
            Some(to) if !self.config.users.contains_key(&to) => return Some(answer.to(message, 404, "")),
            Some(to) if to != user => return Some(answer.to(message, 403, "")),
            Some(_) => {}
        }
        self.counters.registered += 1;
        let wall = self.wall(now);
        let before = self.bindings.of(&user).to_vec();
        let response =
            registrar::register(&mut self.bindings, message, &user, source, wall, &self.config, &answer);
        self.presence.moved(&user);
        let left = moved::left(&before, self.bindings.of(&user), source);
        self.with_proxy(now, out, |proxy, desk| proxy.follow(&left, source, desk));
        Some(response)
    }
}
