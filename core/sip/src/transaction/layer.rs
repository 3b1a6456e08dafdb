//! The layer: which transaction a message belongs to, and the life of them all.
//!
//! RFC 3261 sections 17.1.3, 17.2.3, 8.2.2.2, 9 and 18.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use base::{FlowId, Instant, Rng, Timers, Wake};
use bytes::Bytes;

use super::branch::{Branch, Token};
use super::client::Client;
use super::invite_client::{Heard, InviteClient};
use super::invite_server::{Acked, InviteServer};
use super::key::{Key, Keys};
use super::outgoing::write_request;
use super::server::Server;
use super::slots::{Slots, place};
use super::tx::{Known, Tx};
use super::wire::{Turn, Wire};
use super::{Config, Counters, Hop, Source, TxId, TxNews, follow, reply};
use crate::message::{Draft, Form, Message, Method, Name, Via};
use crate::order::{Order, Orders};

/// All transactions of one agent or proxy.
#[derive(Debug)]
pub struct Transactions {
    config: Config,
    rng: Rng,
    keys: Keys,
    counters: Counters,
    pub(super) slots: Slots<Tx>,
    /// At or before each transaction's deadline, and exact for the nearest one: most deadlines only move away.
    timers: Timers<TxId>,
    servers: BTreeMap<Key, TxId>,
    /// The first transaction of each request that may come by several ways.
    merged: BTreeMap<Key, TxId>,
    /// A CANCEL shares its INVITE's branch: found by the branch's random part.
    cancels: BTreeMap<Token, TxId>,
    pub(super) by_flow: BTreeSet<(FlowId, TxId)>,
}

impl Transactions {
    /// A layer with the usual timers and limits.
    pub fn new(rng: Rng) -> Self {
        Self::with_config(Config::default(), rng)
    }

    /// A layer.
    pub fn with_config(config: Config, mut rng: Rng) -> Self {
        Self {
            config,
            keys: Keys::new(&mut rng),
            rng,
            counters: Counters::default(),
            slots: Slots::new(),
            timers: Timers::default(),
            servers: BTreeMap::new(),
            merged: BTreeMap::new(),
            cancels: BTreeMap::new(),
            by_flow: BTreeSet::new(),
        }
    }

    /// Sends a request and begins its client transaction. The draft is complete but for the Via, which is written here: fresh
    /// branch, `rport`, `hop.local` as sent-by. Not for ACK ([`Transactions::send_ack`]) or CANCEL ([`Transactions::cancel`]).
    pub fn request(&mut self, draft: Draft, hop: Hop, now: Instant, out: &mut Orders) -> TxId {
        self.begin(draft, hop, None, now, out)
    }

    /// As [`Transactions::request`], with `mark` (token characters) as the second part of the branch: a proxy's loop detection,
    /// RFC 5393 section 4.2.1.
    pub fn request_marked(
        &mut self,
        draft: Draft,
        hop: Hop,
        mark: &str,
        now: Instant,
        out: &mut Orders,
    ) -> TxId {
        self.begin(draft, hop, Some(mark), now, out)
    }

    fn begin(
        &mut self,
        mut draft: Draft,
        hop: Hop,
        mark: Option<&str>,
        now: Instant,
        out: &mut Orders,
    ) -> TxId {
        let method = draft.method();
        let branch = Branch::fresh(&mut self.rng, place(self.slots.upcoming()), mark);
        let bytes = write_request(&mut draft, &hop, &branch);
        let token = branch.token;
        let wire = Wire { flow: hop.flow, to: hop.remote, reliable: hop.transport.is_reliable() };
        let mut turn = turn(&self.config, &mut self.counters, now, out);
        let tx = if method == Method::Invite {
            Tx::InviteClient { machine: InviteClient::start(bytes, wire, &mut turn), token }
        } else {
            Tx::Client { machine: Client::start(bytes, wire, &mut turn), token, method }
        };
        self.settle_in(tx)
    }

    /// Cancels an INVITE of ours. The CANCEL waits for a provisional response (RFC 3261 section 9.1) and is looked after here;
    /// the INVITE still ends with its final response, a 487 as a rule, or times out 64 T1 after the CANCEL. Does nothing when
    /// the INVITE is settled or gone.
    pub fn cancel(&mut self, invite: TxId, extra: &[(Name, String)], now: Instant, out: &mut Orders) {
        if let Some(Tx::InviteClient { machine, .. }) = self.slots.get_mut(invite)
            && let Some(cancel) = follow::cancel(machine.request(), extra)
            && machine.cancel(cancel)
        {
            self.cancel_if_time(invite, now, out);
            self.keep_time(invite);
            self.settle_timers();
        }
    }

    fn cancel_if_time(&mut self, invite: TxId, now: Instant, out: &mut Orders) {
        let mut turn = turn(&self.config, &mut self.counters, now, out);
        if let Some(Tx::InviteClient { machine, token }) = self.slots.get_mut(invite)
            && let Some(cancel) = machine.take_cancel(&turn)
        {
            let token = *token;
            let machine = Client::start(cancel, *machine.wire(), &mut turn);
            let tx = self.settle_in(Tx::Client { machine, token, method: Method::Cancel });
            self.cancels.insert(token, tx);
        }
    }

    /// Sends a response. `false`: it was not sent, for the transaction is gone or answered, or because RFC 4320 forbids it (a
    /// 408 or an early provisional to anything but INVITE).
    pub fn respond(&mut self, tx: TxId, response: Draft, now: Instant, out: &mut Orders) -> bool {
        let status = response.status().unwrap_or(500);
        let mut turn = turn(&self.config, &mut self.counters, now, out);
        let sent = match self.slots.get_mut(tx) {
            Some(Tx::InviteServer { machine, known }) => {
                let sent = machine.respond(status, response.write(Form::Full), &mut turn);
                known.forget_unless(machine.needs_request());
                sent
            }
            Some(Tx::Server { machine, known }) => {
                let sent = machine.respond(status, response.write(Form::Full), &mut turn);
                known.forget_unless(machine.needs_request());
                sent
            }
            Some(Tx::InviteClient { .. } | Tx::Client { .. }) | None => false,
        };
        if !sent {
            self.counters.not_sent += 1;
        }
        self.keep_time(tx);
        self.settle_timers();
        sent
    }

    /// Lets a received request that is no INVITE lapse without an answer, as a proxy must whose own attempt timed out (RFC 4320
    /// section 4.2). It still absorbs repetitions until nobody can wait for it any more.
    pub fn abandon(&mut self, tx: TxId) {
        if let Some(Tx::Server { machine, known }) = self.slots.get_mut(tx) {
            machine.abandon();
            known.forget_unless(machine.needs_request());
        }
        self.settle_timers();
    }

    /// Whether this request had already come by another way: answer 482. RFC 3261 section 8.2.2.2.
    pub fn is_merged(&self, tx: TxId) -> bool {
        match self.slots.get(tx) {
            Some(Tx::InviteServer { known, .. } | Tx::Server { known, .. }) => known.is_merged,
            Some(Tx::InviteClient { .. } | Tx::Client { .. }) | None => false,
        }
    }

    /// Sends the ACK of a 2xx: a branch of its own, no transaction. Gives back what was sent, to be sent again with each
    /// repetition of the 2xx.
    pub fn send_ack(&mut self, mut draft: Draft, hop: Hop, out: &mut Orders) -> Bytes {
        let branch = Branch::fresh(&mut self.rng, u32::MAX, None);
        let bytes = write_request(&mut draft, &hop, &branch);
        out.push(Order::Send { flow: hop.flow, to: hop.remote, bytes: bytes.clone() });
        bytes
    }

    /// Takes a message that was read.
    pub fn received(
        &mut self,
        message: Message<Bytes>,
        source: Source,
        now: Instant,
        out: &mut Orders,
        news: &mut Vec<TxNews>,
    ) {
        match message.status() {
            Some(status) => self.response(status, message, source, now, out, news),
            None => self.incoming(message, source, now, out, news),
        }
        self.settle_timers();
    }

    fn response(
        &mut self,
        status: u16,
        message: Message<Bytes>,
        source: Source,
        now: Instant,
        out: &mut Orders,
        news: &mut Vec<TxNews>,
    ) {
        let (Ok(via), Ok(cseq)) = (message.top_via(), message.cseq()) else {
            self.counters.malformed += 1;
            return;
        };
        let found = via.branch.and_then(Branch::read).and_then(|branch| self.client(&branch, &cseq.method));
        let Some(tx) = found else {
            if cseq.method == Method::Invite && (200..300).contains(&status) {
                news.push(TxNews::StrayResponse { message, source });
            } else {
                self.counters.unmatched += 1;
            }
            return;
        };
        let mut turn = turn(&self.config, &mut self.counters, now, out);
        let (heard, quiet) = match self.slots.get_mut(tx) {
            Some(Tx::InviteClient { machine, .. }) => {
                (machine.response(status, |invite| follow::ack(invite, &message), &mut turn), false)
            }
            Some(Tx::Client { machine, method, .. }) => {
                (machine.response(status, &mut turn), *method == Method::Cancel)
            }
            Some(Tx::InviteServer { .. } | Tx::Server { .. }) | None => return,
        };
        self.cancel_if_time(tx, now, out);
        match heard {
            Heard::Pass if !quiet => news.push(TxNews::Response { tx, message, source }),
            Heard::Pass | Heard::Absorbed => {}
        }
        self.tidy(tx, news);
    }

    /// The client transaction of a branch and method. RFC 3261 section 17.1.3. The sent-by is not compared (section 18.1.2): the
    /// branch cannot be guessed, and there are middleboxes that forget to restore the address they changed.
    fn client(&self, branch: &Branch<'_>, method: &Method) -> Option<TxId> {
        if *method == Method::Cancel {
            return self.cancels.get(&branch.token).copied();
        }
        let tx = self.slots.at(branch.place)?;
        match self.slots.get(tx)? {
            Tx::InviteClient { token, .. } => *token == branch.token && *method == Method::Invite,
            Tx::Client { token, method: ours, .. } => *token == branch.token && ours == method,
            Tx::InviteServer { .. } | Tx::Server { .. } => false,
        }
        .then_some(tx)
    }

    fn incoming(
        &mut self,
        message: Message<Bytes>,
        source: Source,
        now: Instant,
        out: &mut Orders,
        news: &mut Vec<TxNews>,
    ) {
        let Ok(via) = message.top_via() else {
            self.counters.malformed += 1;
            return;
        };
        let method = message.method();
        if method == Method::Ack {
            let key = self.keys.server(&message, &via, &Method::Invite);
            return self.ack(key, message, source, now, out, news);
        }
        let key = self.keys.server(&message, &via, &method);
        if let Some(tx) = self.servers.get(&key) {
            let tx = *tx;
            let mut turn = turn(&self.config, &mut self.counters, now, out);
            match self.slots.get_mut(tx) {
                Some(Tx::InviteServer { machine, known }) => {
                    machine.repeated(|| follow::trying(&known.request), &mut turn);
                    known.forget_unless(machine.needs_request());
                }
                Some(Tx::Server { machine, .. }) => machine.repeated(&mut turn),
                Some(Tx::InviteClient { .. } | Tx::Client { .. }) | None => {}
            }
            return self.tidy(tx, news);
        }
        let wire = reply::way_back(&via, &source);
        if self.servers.len() >= self.config.most_servers {
            self.refuse(&message, key, &wire, out);
            return;
        }
        let invite = (method == Method::Cancel)
            .then(|| self.servers.get(&self.keys.server(&message, &via, &Method::Invite)).copied())
            .flatten();
        let amended = reply::amended(&message, &via, &source).and_then(|bytes| Message::read(bytes).ok());
        let message = amended.unwrap_or(message);
        let tx = self.admit(&message, &method, key, wire, now, out);
        news.push(if method == Method::Cancel {
            TxNews::Cancel { tx, invite, message, source }
        } else {
            TxNews::Request { tx, message, source }
        });
    }

    fn admit(
        &mut self,
        message: &Message<Bytes>,
        method: &Method,
        key: Key,
        wire: Wire,
        now: Instant,
        out: &mut Orders,
    ) -> TxId {
        let merged = if self.config.spot_merged && *method != Method::Cancel {
            self.keys.merged(message)
        } else {
            None
        };
        let is_merged = merged.is_some_and(|m| self.merged.contains_key(&m));
        let merged = merged.filter(|_| !is_merged);
        let known = Known { key, merged, is_merged, request: message.share() };
        let tx = if *method == Method::Invite {
            Tx::InviteServer { machine: InviteServer::start(wire, now), known }
        } else {
            let machine = Server::start(wire, &turn(&self.config, &mut self.counters, now, out));
            Tx::Server { machine, known }
        };
        let tx = self.settle_in(tx);
        self.servers.insert(key, tx);
        if let Some(merged) = merged {
            self.merged.insert(merged, tx);
        }
        tx
    }

    fn ack(
        &mut self,
        key: Key,
        message: Message<Bytes>,
        source: Source,
        now: Instant,
        out: &mut Orders,
        news: &mut Vec<TxNews>,
    ) {
        let found = self.servers.get(&key).copied();
        let mut turn = turn(&self.config, &mut self.counters, now, out);
        let acked = match found.and_then(|tx| self.slots.get_mut(tx)) {
            Some(Tx::InviteServer { machine, .. }) if is_ack_of(&message, machine.refusal()) => {
                machine.ack(&mut turn)
            }
            Some(_) | None => Acked::Pass,
        };
        match acked {
            Acked::Pass => news.push(TxNews::Ack { message, source }),
            Acked::Absorbed => {}
        }
        if let Some(tx) = found {
            self.tidy(tx, news);
        }
    }

    /// Answers without keeping anything. RFC 3261 section 8.2.7.
    fn refuse(&mut self, message: &Message<Bytes>, key: Key, wire: &Wire, out: &mut Orders) {
        self.counters.refused += 1;
        let mut draft = Draft::response_to(message, 503);
        if let (Some(to), Ok(address)) = (message.text(Name::To), message.to())
            && address.tag().is_none()
        {
            draft.set(Name::To, format_args!("{to};tag={}", key.tag()));
        }
        draft.push(Name::RetryAfter, 5);
        out.push(Order::Send { flow: wire.flow, to: wire.to, bytes: draft.write(Form::Full) });
    }

    /// A flow is gone. Requests of ours on it that have no final response are [`TxNews::Unreachable`] at once; received ones
    /// stay, to absorb what comes again (RFC 6026 section 7.1).
    pub fn flow_down(&mut self, flow: FlowId, news: &mut Vec<TxNews>) {
        let first = (flow, TxId(0));
        let last = (flow, TxId(u64::MAX));
        let on_it: Vec<TxId> = self.by_flow.range(first..=last).map(|(_, tx)| *tx).collect();
        for tx in on_it {
            self.broken(tx, news);
        }
        self.settle_timers();
    }

    /// A datagram to `remote` came back as undeliverable (ICMP): as if its flow were gone. RFC 3261 section 18.4.
    pub fn undeliverable(&mut self, flow: FlowId, remote: SocketAddr, news: &mut Vec<TxNews>) {
        let sent_there: Vec<TxId> = self
            .slots
            .names()
            .filter(|tx| match self.slots.get(*tx) {
                Some(Tx::InviteClient { machine, .. }) => machine.wire().leads(flow, remote),
                Some(Tx::Client { machine, .. }) => machine.wire().leads(flow, remote),
                Some(Tx::InviteServer { .. } | Tx::Server { .. }) | None => false,
            })
            .collect();
        for tx in sent_there {
            self.broken(tx, news);
        }
        self.settle_timers();
    }

    fn broken(&mut self, tx: TxId, news: &mut Vec<TxNews>) {
        let (lost, quiet) = match self.slots.get_mut(tx) {
            Some(Tx::InviteClient { machine, .. }) => (machine.broken(), false),
            Some(Tx::Client { machine, method, .. }) => (machine.broken(), *method == Method::Cancel),
            Some(Tx::InviteServer { .. } | Tx::Server { .. }) | None => return,
        };
        if lost && !quiet {
            self.counters.unreachable += 1;
            news.push(TxNews::Unreachable { tx });
        }
        self.tidy(tx, news);
    }

    /// Takes the time.
    pub fn due(&mut self, now: Instant, out: &mut Orders, news: &mut Vec<TxNews>) {
        while let Some(tx) = self.timers.pop_due(now) {
            let mut turn = turn(&self.config, &mut self.counters, now, out);
            let (timed_out, quiet) = match self.slots.get_mut(tx) {
                Some(Tx::InviteClient { machine, .. }) => (machine.due(&mut turn), false),
                Some(Tx::Client { machine, method, .. }) => {
                    (machine.due(&mut turn), *method == Method::Cancel)
                }
                Some(Tx::InviteServer { machine, known }) => {
                    machine.due(|| follow::trying(&known.request), &mut turn);
                    known.forget_unless(machine.needs_request());
                    (false, false)
                }
                Some(Tx::Server { machine, known }) => {
                    machine.due(|| follow::trying(&known.request), &mut turn);
                    known.forget_unless(machine.needs_request());
                    (false, false)
                }
                None => continue,
            };
            if timed_out && !quiet {
                self.counters.timed_out += 1;
                news.push(TxNews::TimedOut { tx });
            }
            self.tidy(tx, news);
        }
        self.settle_timers();
    }

    /// When [`Transactions::due`] wants to be called.
    pub fn next_wake(&self) -> Option<Wake> {
        let (at, tx) = self.timers.next()?;
        Some(Wake { at, why: self.slots.get(*tx)?.why() })
    }

    /// What was seen.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How many transactions there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether nothing is kept at all, in any index.
    #[cfg(test)]
    pub(super) fn is_clean(&self) -> bool {
        let maps = [
            self.servers.len(),
            self.merged.len(),
            self.cancels.len(),
            self.by_flow.len(),
            self.timers.len(),
        ];
        self.is_empty() && maps == [0; 5]
    }

    fn settle_in(&mut self, tx: Tx) -> TxId {
        let flow = tx.flow();
        let id = self.slots.insert(tx);
        self.by_flow.insert((flow, id));
        self.keep_time(id);
        self.settle_timers();
        id
    }

    /// Forgets the transaction when it is over, keeps its time when not.
    fn tidy(&mut self, id: TxId, news: &mut Vec<TxNews>) {
        if !self.slots.get(id).is_some_and(Tx::is_over) {
            return self.keep_time(id);
        }
        let Some(tx) = self.slots.remove(id) else { return };
        self.timers.cancel(&id);
        self.by_flow.remove(&(tx.flow(), id));
        match tx {
            Tx::Client { token, method: Method::Cancel, .. } => {
                self.cancels.remove(&token);
                return;
            }
            Tx::InviteServer { known, .. } | Tx::Server { known, .. } => {
                self.servers.remove(&known.key);
                if let Some(merged) = known.merged {
                    self.merged.remove(&merged);
                }
            }
            Tx::InviteClient { .. } | Tx::Client { .. } => {}
        }
        news.push(TxNews::Finished { tx: id });
    }

    /// A deadline that came nearer is set; one that moved away is left until it is the nearest of all.
    fn keep_time(&mut self, id: TxId) {
        if let Some(at) = self.slots.get(id).and_then(Tx::deadline)
            && self.timers.get(&id).is_none_or(|set| at < set)
        {
            self.timers.set(id, at);
        }
    }

    /// Makes the nearest deadline a true one, so that nobody is woken for nothing.
    fn settle_timers(&mut self) {
        while let Some((set, id)) = self.timers.next() {
            let id = *id;
            match self.slots.get(id).and_then(Tx::deadline) {
                Some(at) if at <= set => return,
                Some(at) => self.timers.set(id, at),
                None => {
                    self.timers.cancel(&id);
                }
            }
        }
    }
}

fn turn<'a>(config: &'a Config, counters: &'a mut Counters, now: Instant, out: &'a mut Orders) -> Turn<'a> {
    Turn { now, timing: &config.timing, out, counters }
}

/// An older client's ACK bears the To tag of the refusal it means (RFC 3261 section 17.2.3); with the magic cookie the branch has
/// said it all.
fn is_ack_of(ack: &Message<Bytes>, refusal: Option<&Bytes>) -> bool {
    let new = ack.top_via().is_ok_and(|via| via.branch.is_some_and(|b| b.starts_with(Via::COOKIE)));
    let Some(refusal) = refusal.filter(|_| !new) else { return true };
    let Ok(refusal) = Message::read(&refusal[..]) else { return true };
    match (ack.to(), refusal.to()) {
        (Ok(ack), Ok(refusal)) => ack.tag() == refusal.tag(),
        _ => false,
    }
}
