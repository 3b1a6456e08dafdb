//! What users ask about each other, and say of themselves, brought to the presence server; and the calls that pass.

use base::Instant;
use sip::message::{Draft, Message, Method, UriRef};
use sip::order::Orders;
use sip::transaction::{Source, TxId};

use super::{Exchange, Presence};
use crate::bindings::Bindings;
use crate::presence::{Package, PresenceCounters};
use crate::proxy::Desk;
use crate::proxy::route::Routed;

impl<B: Bindings> Exchange<B> {
    /// What was seen of presence.
    pub fn presence_counters(&self) -> &PresenceCounters {
        &self.presence.counters
    }

    /// The answer to a PUBLISH or SUBSCRIBE that is the exchange's to answer: about one of its users, and of a package that it
    /// serves. `watcher`: the user who asks.
    pub(super) fn presence_asked(
        &mut self,
        message: &Message,
        routed: &Routed,
        watcher: Option<&str>,
        source: &Source,
        now: Instant,
        out: &mut Orders,
    ) -> Option<Draft> {
        let method = message.method();
        let package = Package::of(message);
        let is_ours = method == Method::Publish || method == Method::Subscribe && package.is_some();
        if !is_ours || !self.is_here(routed) {
            return None;
        }
        let user = UriRef::read(routed.uri.as_bytes()).ok()?.user_decoded().into_owned();
        if !self.config.users.contains_key(&user) {
            return None;
        }
        let Some(watcher) = watcher.filter(|it| self.config.users.contains_key(*it)) else {
            return Some(self.answer().to(message, 403, "For Users Only"));
        };
        if method == Method::Publish && watcher != user {
            return Some(self.answer().to(message, 403, ""));
        }
        Some(self.with_presence(now, out, |presence, _, desk| match (method, package) {
            (Method::Subscribe, Some(package)) => {
                presence.subscribe(package, (watcher, &user), message, source, desk)
            }
            _ => presence.publish(&user, message, desk),
        }))
    }

    /// A call is let through, by one of ours or to one.
    pub(super) fn call_begins(
        &mut self,
        tx: TxId,
        message: &Message,
        routed: &Routed,
        caller: Option<&str>,
        now: Instant,
    ) {
        if message.method() != Method::Invite || message.to_tag().is_some() {
            return;
        }
        let Ok(call) = message.call_id() else { return };
        let known = |user: &str| self.config.users.contains_key(user);
        let caller = caller.filter(|user| known(user)).map(str::to_owned);
        let callee = UriRef::read(routed.uri.as_bytes()).ok().filter(|uri| self.own().is(uri));
        let callee = callee.map(|uri| uri.user_decoded().into_owned()).filter(|user| known(user));
        self.presence.calls((call, tx), caller, callee, now);
    }

    /// A response passes that may be a call's.
    pub(super) fn call_advances(&mut self, response: &Message) {
        if response.method() == Method::Invite
            && let (Ok(call), Some(status)) = (response.call_id(), response.status())
        {
            self.presence.call_advances(call, status);
        }
    }

    /// Takes the time; `gone`: bindings have run out.
    pub(super) fn presence_due(&mut self, gone: bool, now: Instant, out: &mut Orders) {
        if gone {
            for user in self.presence.watched() {
                self.presence.moved(&user);
            }
        }
        self.presence.due(now);
        self.tell_watchers(now, out);
    }

    /// Sends what those who watch are to be told.
    pub(super) fn tell_watchers(&mut self, now: Instant, out: &mut Orders) {
        if self.presence.is_due() {
            self.with_presence(now, out, |presence, is_open, desk| presence.tell(is_open, desk));
        }
    }

    fn with_presence<R>(
        &mut self,
        now: Instant,
        out: &mut Orders,
        act: impl FnOnce(&mut Presence, &dyn Fn(&str) -> bool, &mut Desk<'_>) -> R,
    ) -> R {
        let wall = self.wall(now);
        let Self { config, mint, ways, locator, transactions, counters, presence, bindings, .. } = self;
        let is_open = |user: &str| bindings.of(user).iter().any(|binding| binding.expires_at > wall);
        let mut desk = Desk { config, mint, ways, locator, transactions, counters, now, out };
        act(presence, &is_open, &mut desk)
    }
}
