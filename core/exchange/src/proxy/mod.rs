//! The stateful proxy: requests in, copies out, the best of what comes back returned.
//!
//! RFC 3261 section 16 whole, as RFC 4320, 5393, 5626 and 6026 mend it. [`route`] reads where a request wants to go,
//! [`target`] finds out where that is, [`search`] the next hop there, [`forward`] writes the copy, [`context`] waits for the
//! answers and [`best`] chooses. Knows nothing of registering and passwords.

pub(crate) mod best;
mod context;
mod forward;
pub(crate) mod moved;
pub(crate) mod route;
mod search;
pub(crate) mod target;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use base::{Instant, Timers, Transport, Wake};
use sip::locate::{self, Locator, LookupId};
use sip::message::{Message, Method, Name};
use sip::order::Orders;
use sip::transaction::{Transactions, TxId};

use crate::answer::Answer;
use crate::config::Config;
use crate::exchange::Counters;
use crate::identity::Asserted;
use crate::token::Mint;
use crate::ways::Ways;
pub(crate) use context::Asked;
use context::Context;
use forward::Copied;
use route::Routed;
use search::{Search, Step};
use target::Target;

/// ACKs that may wait for a name or a connection; one more is dropped, and the 2xx comes again.
const WAITING_ACKS: usize = 256;

/// What the proxy works with while it handles one piece of news.
pub(crate) struct Desk<'a> {
    pub(crate) config: &'a Config,
    pub(crate) mint: &'a Mint,
    pub(crate) ways: &'a Ways,
    pub(crate) locator: &'a mut Locator,
    pub(crate) transactions: &'a mut Transactions,
    pub(crate) counters: &'a mut Counters,
    pub(crate) now: Instant,
    pub(crate) out: &'a mut Orders,
}

impl Desk<'_> {
    pub(crate) fn answer(&self) -> Answer<'_> {
        Answer { config: self.config, mint: self.mint }
    }
}

/// Who is told when a name is resolved or a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Waiter {
    /// A branch of the context of a server transaction.
    Branch(TxId, usize),
    /// An ACK.
    Ack(u64),
}

/// An ACK for a 2xx on its way. It has no transaction and no context. RFC 3261 section 16.6, last paragraph of item 10.
struct Ack {
    copy: Copied,
    search: Search,
}

/// From what is waited for to who waits.
#[derive(Default)]
struct Links {
    clients: BTreeMap<TxId, (TxId, usize)>,
    lookups: BTreeMap<LookupId, Waiter>,
    connecting: BTreeMap<(Transport, SocketAddr), Vec<Waiter>>,
    timer_c: Timers<TxId>,
}

impl Links {
    fn wait_for_flow(&mut self, at: locate::Target, waiter: Waiter, out: &mut Orders) {
        let waiting = self.connecting.entry((at.transport, at.addr)).or_default();
        if waiting.is_empty() {
            Ways::open(at.transport, at.addr, out);
        }
        if !waiting.contains(&waiter) {
            waiting.push(waiter);
        }
    }
}

/// All requests being proxied.
#[derive(Default)]
pub(crate) struct Proxy {
    contexts: BTreeMap<TxId, Context>,
    acks: BTreeMap<u64, Ack>,
    last_ack: u64,
    links: Links,
    /// INVITEs that have got their final response since somebody asked.
    answered: Vec<TxId>,
}

impl Proxy {
    /// Forwards a request that passed every check to its targets. An INVITE is answered 100 at once, since names and phones
    /// take their time. RFC 3261 section 17.2.1.
    pub(crate) fn forward(&mut self, tx: TxId, asked: Asked, targets: VecDeque<Target>, desk: &mut Desk<'_>) {
        if asked.message.method() == Method::Invite {
            let trying = desk.answer().to(&asked.message, 100, "");
            desk.transactions.respond(tx, trying, desk.now, desk.out);
        }
        let mut context = Context::new(tx, asked, targets);
        context.go_on(&mut self.links, desk);
        self.keep(tx, context);
    }

    /// Forwards the ACK of a 2xx to the first target.
    pub(crate) fn ack(&mut self, message: &Message, routed: &Routed, target: &Target, desk: &mut Desk<'_>) {
        let mut copy = forward::copy(message, routed, target, 1, &desk.config.domain, &Asserted::default());
        self.last_ack += 1;
        // Forking is long over: what bounds it has no place in an ACK.
        copy.draft.remove(Name::MaxBreadth);
        self.send_ack(self.last_ack, Ack { copy, search: Search::new(target.next) }, desk);
    }

    /// Takes a response to a copy.
    pub(crate) fn response(&mut self, tx: TxId, response: Message, desk: &mut Desk<'_>) {
        self.with_client(tx, desk, |context, index, links, desk| {
            context.answered(index, response, links, desk);
        });
    }

    /// A copy was not answered (408) or could not be sent (503).
    pub(crate) fn fell_through(&mut self, tx: TxId, status: u16, desk: &mut Desk<'_>) {
        self.with_client(tx, desk, |context, index, links, desk| {
            context.fell_through(index, status, links, desk);
        });
    }

    /// The caller of `invite` gave up.
    pub(crate) fn cancel(&mut self, invite: TxId, reason: Option<&str>, desk: &mut Desk<'_>) {
        if let Some(context) = self.contexts.get_mut(&invite) {
            context.cancel(reason, &mut self.links, desk);
            self.drop_if_over(invite);
        }
    }

    /// A transaction, of either side, is gone.
    pub(crate) fn finished(&mut self, tx: TxId, desk: &mut Desk<'_>) {
        self.links.timer_c.cancel(&tx);
        if self.links.clients.contains_key(&tx) {
            self.with_client(tx, desk, |context, _, _, _| context.finished());
            self.links.clients.remove(&tx);
        } else if let Some(context) = self.contexts.get_mut(&tx) {
            context.deserted(&mut self.links, desk);
            self.drop_if_over(tx);
        }
    }

    /// A name is known now.
    pub(crate) fn located(&mut self, lookup: LookupId, desk: &mut Desk<'_>) {
        if let Some(waiter) = self.links.lookups.remove(&lookup) {
            self.resume(waiter, None, desk);
        }
    }

    /// Whether a connection to there has been ordered.
    pub(crate) fn is_connecting(&self, transport: Transport, remote: SocketAddr) -> bool {
        self.links.connecting.contains_key(&(transport, remote))
    }

    /// A connection stands (`true`) or could not be made.
    pub(crate) fn connected(
        &mut self,
        transport: Transport,
        remote: SocketAddr,
        up: bool,
        desk: &mut Desk<'_>,
    ) {
        for waiter in self.links.connecting.remove(&(transport, remote)).unwrap_or_default() {
            self.resume(waiter, (!up).then_some(503), desk);
        }
    }

    /// Timer C.
    pub(crate) fn due(&mut self, desk: &mut Desk<'_>) {
        while let Some(tx) = self.links.timer_c.pop_due(desk.now) {
            self.with_client(tx, desk, |context, index, _, desk| context.rang_too_long(index, desk));
        }
    }

    pub(crate) fn next_wake(&self) -> Option<Wake> {
        self.links.timer_c.next().map(|(at, _)| Wake { at, why: "timer C" })
    }

    /// How many requests are being proxied.
    pub(crate) fn len(&self) -> usize {
        self.contexts.len()
    }

    /// Whether nothing is kept of any request, in any index.
    pub(crate) fn is_quiet(&self) -> bool {
        let Links { clients, lookups, connecting, timer_c } = &self.links;
        self.contexts.is_empty()
            && self.acks.is_empty()
            && clients.is_empty()
            && lookups.is_empty()
            && connecting.is_empty()
            && timer_c.is_empty()
    }

    fn resume(&mut self, waiter: Waiter, failed: Option<u16>, desk: &mut Desk<'_>) {
        match waiter {
            Waiter::Branch(server, index) => {
                if let Some(context) = self.contexts.get_mut(&server) {
                    match failed {
                        Some(status) => context.fell_through(index, status, &mut self.links, desk),
                        None => context.resume(index, &mut self.links, desk),
                    }
                    self.drop_if_over(server);
                }
            }
            Waiter::Ack(id) => {
                if let Some(mut ack) = self.acks.remove(&id) {
                    if failed.is_some() {
                        ack.search.failed(None, desk);
                    }
                    self.send_ack(id, ack, desk);
                }
            }
        }
    }

    fn send_ack(&mut self, id: u64, mut ack: Ack, desk: &mut Desk<'_>) {
        match ack.search.next_hop(ack.copy.toward(), Waiter::Ack(id), &mut self.links, desk) {
            Step::Send(hop) => {
                ack.search.end(&mut self.links, desk);
                desk.transactions.send_ack(ack.copy.draft, hop, desk.out);
            }
            Step::Wait if self.acks.len() < WAITING_ACKS => {
                self.acks.insert(id, ack);
            }
            Step::Wait | Step::Fail(_) => {
                ack.search.end(&mut self.links, desk);
                desk.counters.acks_lost += 1;
            }
        }
    }

    fn with_client(
        &mut self,
        tx: TxId,
        desk: &mut Desk<'_>,
        news: impl FnOnce(&mut Context, usize, &mut Links, &mut Desk<'_>),
    ) {
        let Some((server, index)) = self.links.clients.get(&tx).copied() else { return };
        if let Some(context) = self.contexts.get_mut(&server) {
            news(context, index, &mut self.links, desk);
            self.drop_if_over(server);
        }
    }

    /// The INVITEs that have got their final response since the last time; some of them more than once.
    pub(crate) fn take_answered(&mut self) -> Vec<TxId> {
        std::mem::take(&mut self.answered)
    }

    fn keep(&mut self, tx: TxId, context: Context) {
        if context.is_answered_call() {
            self.answered.push(tx);
        }
        if !context.is_over() {
            self.contexts.insert(tx, context);
        }
    }

    fn drop_if_over(&mut self, tx: TxId) {
        let Some(context) = self.contexts.get(&tx) else { return };
        if context.is_answered_call() {
            self.answered.push(tx);
        }
        if context.is_over() {
            self.contexts.remove(&tx);
        }
    }
}

#[cfg(test)]
mod tests;
