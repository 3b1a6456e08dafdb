//! The exchange whole: news in, orders out.
//!
//! Reads what comes, asks at the door who sent it, and hands it to the registrar, the proxy or the redirect rules.
//! RFC 3261 sections 8.2, 10.3, 16.3 and 18. Knows no sockets: its owner tells what came and carries out the orders.

mod money;
mod presence;
mod registering;

use std::net::SocketAddr;
use std::time::Duration;

use base::{FlowId, Instant, QueryId, Rng, Secret, Transport, Wake};
use bytes::Bytes;
use sip::locate::{Answer as NameAnswer, Locator};
use sip::message::{Draft, Framed, Message, Method, Name, Side, UriRef};
use sip::order::{Order, Orders};
use sip::transaction::{self, Source, Transactions, TxId, TxNews};

use crate::answer::Answer;
use crate::auth::{Door, DoorCounters, Entry};
use crate::bindings::Bindings;
use crate::config::Config;
use crate::identity::{self, Asserted};
use crate::keepalive;
use crate::ledger::Ledger;
use crate::presence::{Package, Presence};
use crate::proxy::route::{Own, Routed};
use crate::proxy::target::{Whereto, targets};
use crate::proxy::{Asked, Desk, Proxy};
use crate::registrar;
use crate::said_back::say_back;
use crate::token::Mint;
use crate::vos::{Vos, VosCounters};
use crate::ways::Ways;

/// How long a message may take to come whole over a stream. As long as a transaction: whoever is slower is not waited for.
const SLOWEST_MESSAGE: Duration = Duration::from_secs(32);
/// Requests in hand at a time; the next is answered 503. Absorbing repetitions keeps each for 32 s after its answer.
const MOST_REQUESTS: usize = 131_072;
/// What the exchange itself understands. RFC 3261 section 11.2.
const ALLOW: &str = "REGISTER, INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, MESSAGE, REFER, SUBSCRIBE, NOTIFY, PUBLISH";

/// What the exchange has seen and not told anybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams and framed messages that are no SIP: dropped.
    pub malformed: u64,
    /// Datagrams that only keep a NAT open, and pings answered.
    pub keepalives: u64,
    /// Requests answered 400, 416 or 505 for what they are.
    pub refused: u64,
    /// Requests that came back to us unchanged: answered 482. RFC 5393.
    pub loops: u64,
    /// Responses that nobody waits for: dropped. RFC 6026 section 8.
    pub strays: u64,
    /// ACKs that led nowhere: dropped.
    pub acks_lost: u64,
    /// Streams closed for garbage, length or slowness.
    pub streams_closed: u64,
    /// Bindings made or refreshed.
    pub registered: u64,
    /// Bindings that ran out.
    pub expired: u64,
    /// Requests forwarded.
    pub forwarded: u64,
    /// Requests answered 302.
    pub redirected: u64,
}

/// A pocket exchange for one domain. Drive it as any machine here: tell it what happened, carry out `out`, call
/// [`Exchange::due`] when [`Exchange::next_wake`] says so.
pub struct Exchange<B> {
    config: Config,
    bindings: B,
    mint: Mint,
    ways: Ways,
    locator: Locator,
    transactions: Transactions,
    door: Door,
    proxy: Proxy,
    ledger: Ledger,
    presence: Presence,
    counters: Counters,
    news: Vec<TxNews>,
    /// A moment on both clocks: monotonic, and seconds since 1970.
    clocks: (Instant, u64),
}

impl<B: Bindings> Exchange<B> {
    /// An exchange without sockets. `wall`: seconds since 1970 at `now`; tell it again ([`Exchange::wall_is`]) now and then.
    pub fn new(config: Config, bindings: B, mut rng: Rng, now: Instant, wall: u64) -> Self {
        let key = config.key.clone().unwrap_or_else(|| {
            let mut key = [0; 16];
            rng.fill(&mut key);
            Secret::new(key)
        });
        let layer = transaction::Config {
            most_servers: MOST_REQUESTS,
            spot_merged: false,
            ..transaction::Config::default()
        };
        Self {
            mint: Mint::new(key),
            ways: Ways::new(Vos::new(&config.vos_keys)),
            locator: Locator::new(rng.split()),
            transactions: Transactions::with_config(layer, rng.split()),
            door: Door::new(&config, rng.split()),
            proxy: Proxy::default(),
            ledger: Ledger::default(),
            presence: Presence::new(rng.split()),
            counters: Counters::default(),
            news: Vec::new(),
            clocks: (now, wall),
            bindings,
            config,
        }
    }

    /// Sets the wall clock: it is `wall` seconds since 1970 at `now`.
    pub fn wall_is(&mut self, wall: u64, now: Instant) {
        self.clocks = (now, wall);
    }

    /// A stream listener stands at `local`: named in Via and Record-Route for connections of that transport. UDP sockets are
    /// told by [`Exchange::flow_up`] alone.
    pub fn listening(&mut self, transport: Transport, local: SocketAddr) {
        self.ways.listening(transport, local);
    }

    /// The UDP socket at `local` is sealed (VOS encryption), once [`Exchange::flow_up`] tells of it.
    pub fn seal_at(&mut self, local: SocketAddr) {
        self.ways.vos.seal_at(local);
    }

    /// A flow is up: a UDP socket (`remote` is `None`), a connection that was accepted, or one that was ordered.
    pub fn flow_up(
        &mut self,
        flow: FlowId,
        transport: Transport,
        local: SocketAddr,
        remote: Option<SocketAddr>,
        now: Instant,
        out: &mut Orders,
    ) {
        let before = out.len();
        let ordered = remote.is_some_and(|remote| self.proxy.is_connecting(transport, remote));
        let side = if ordered { Side::Opened } else { Side::Accepted };
        self.ways.up(flow, transport, local, remote, side);
        if let Some(remote) = remote {
            self.with_proxy(now, out, |proxy, desk| proxy.connected(transport, remote, true, desk));
        }
        self.ways.vos.seal(before, out);
    }

    /// A flow is gone.
    pub fn flow_down(&mut self, flow: FlowId, now: Instant, out: &mut Orders) {
        let before = out.len();
        self.ways.down(flow);
        self.transactions.flow_down(flow, &mut self.news);
        self.drain(now, out);
        self.ways.vos.seal(before, out);
    }

    /// A connection that was ordered could not be made; or (UDP) the network says that nobody is at `remote`.
    pub fn flow_failed(&mut self, transport: Transport, remote: SocketAddr, now: Instant, out: &mut Orders) {
        let before = out.len();
        for flow in self.ways.datagram_flows().filter(|_| transport == Transport::Udp) {
            self.transactions.undeliverable(flow, remote, &mut self.news);
        }
        self.with_proxy(now, out, |proxy, desk| proxy.connected(transport, remote, false, desk));
        self.drain(now, out);
        self.ways.vos.seal(before, out);
    }

    /// Bytes came: a datagram, or a piece of a stream.
    pub fn received(&mut self, flow: FlowId, from: SocketAddr, bytes: &[u8], now: Instant, out: &mut Orders) {
        let (before, mut room) = (out.len(), Vec::new());
        if let Some(bytes) = self.ways.vos.open(flow, from, bytes, &mut room) {
            self.heard(flow, from, bytes, now, out);
        }
        self.ways.vos.seal(before, out);
    }

    fn heard(&mut self, flow: FlowId, from: SocketAddr, bytes: &[u8], now: Instant, out: &mut Orders) {
        let Some(source) = self.ways.source(flow, from) else { return };
        if source.transport.is_stream() {
            return self.stream(source, bytes, now, out);
        }
        // CRLF and STUN keepalives, RFC 5626 section 3.5: a SIP message begins with a letter.
        if !bytes.first().is_some_and(u8::is_ascii_alphabetic) {
            self.counters.keepalives += 1;
            let answer = match (source.transport.is_reliable(), bytes) {
                (true, b"\r\n\r\n") => Some(Bytes::from_static(b"\r\n")),
                (true, _) => None,
                (false, _) => keepalive::answer(bytes, from),
            };
            out.extend(answer.map(|bytes| Order::Send { flow, to: from, bytes }));
            return;
        }
        self.message(Bytes::copy_from_slice(bytes), source, now, out);
    }

    /// The name servers answered.
    pub fn resolved(&mut self, query: QueryId, answer: NameAnswer, now: Instant, out: &mut Orders) {
        let before = out.len();
        if let Some(lookup) = self.locator.answered(query, answer) {
            self.with_proxy(now, out, |proxy, desk| proxy.located(lookup, desk));
        }
        self.drain(now, out);
        self.ways.vos.seal(before, out);
    }

    /// Takes the time.
    pub fn due(&mut self, now: Instant, out: &mut Orders) {
        let before = out.len();
        self.transactions.due(now, out, &mut self.news);
        self.drain(now, out);
        self.with_proxy(now, out, Proxy::due);
        let expired = self.bindings.expire(self.wall(now));
        self.counters.expired += expired as u64;
        self.presence_due(expired > 0, now, out);
        if now.as_nanos() > SLOWEST_MESSAGE.as_nanos() as u64 {
            let since = Instant::from_nanos(now.as_nanos() - SLOWEST_MESSAGE.as_nanos() as u64);
            for flow in self.ways.slow(since) {
                self.close(flow, out);
            }
        }
        self.ways.vos.seal(before, out);
    }

    /// When [`Exchange::due`] wants to be called.
    pub fn next_wake(&self) -> Option<Wake> {
        let (at, wall) = self.clocks;
        let expiry = self.bindings.next_expiry().map(|end| Wake {
            at: at + Duration::from_secs(end.saturating_sub(wall)),
            why: "binding expiry",
        });
        let slow = self
            .ways
            .first_unfinished()
            .map(|began| Wake { at: began + SLOWEST_MESSAGE + Duration::from_millis(1), why: "slow stream" });
        [self.transactions.next_wake(), self.proxy.next_wake(), self.presence.next_wake(), expiry, slow]
            .into_iter()
            .fold(None, Wake::earlier)
    }

    /// What was seen.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What was seen at the door.
    pub fn door_counters(&self) -> &DoorCounters {
        &self.door.counters
    }

    /// What was seen at sealed sockets.
    pub fn vos_counters(&self) -> &VosCounters {
        &self.ways.vos.counters
    }

    /// What the transaction layer has seen.
    pub fn transaction_counters(&self) -> &transaction::Counters {
        self.transactions.counters()
    }

    /// How many requests are being proxied just now.
    pub fn in_hand(&self) -> usize {
        self.proxy.len()
    }

    /// Whether nothing of any request is kept any more, in any machine; bindings may stand. One that never gets there
    /// though nobody asks for anything leaks.
    pub fn is_quiet(&self) -> bool {
        self.proxy.is_quiet()
            && self.presence.is_quiet()
            && self.transactions.is_empty()
            && self.locator.is_empty()
    }

    /// The bindings.
    pub fn bindings(&self) -> &B {
        &self.bindings
    }

    /// The bindings, for their owner's housekeeping.
    pub fn bindings_mut(&mut self) -> &mut B {
        &mut self.bindings
    }

    fn wall(&self, now: Instant) -> u64 {
        self.clocks.1 + now.since(self.clocks.0).as_secs()
    }

    fn stream(&mut self, source: Source, bytes: &[u8], now: Instant, out: &mut Orders) {
        let Some((stream, _)) = self.ways.stream(source.flow) else { return };
        stream.push(bytes);
        loop {
            // Looked up anew each time: a message may have closed its own flow.
            let Some((stream, began)) = self.ways.stream(source.flow) else { return };
            match stream.next() {
                Ok(Some(Framed::Message(bytes))) => {
                    *began = None;
                    self.message(bytes, source, now, out);
                }
                Ok(Some(Framed::Ping)) => {
                    self.counters.keepalives += 1;
                    out.push(Order::Send {
                        flow: source.flow,
                        to: source.remote,
                        bytes: Bytes::from_static(b"\r\n"),
                    });
                }
                Ok(Some(Framed::Pong)) => {}
                Ok(None) => {
                    *began = if stream.is_midway() { began.or(Some(now)) } else { None };
                    return;
                }
                Err(_) => return self.close(source.flow, out),
            }
        }
    }

    /// Closes a stream that misbehaves. Its owner reports it gone ([`Exchange::flow_down`]).
    fn close(&mut self, flow: FlowId, out: &mut Orders) {
        self.counters.streams_closed += 1;
        self.ways.down(flow);
        out.push(Order::CloseFlow { flow });
    }

    fn message(&mut self, bytes: Bytes, source: Source, now: Instant, out: &mut Orders) {
        match Message::read(bytes) {
            Ok(message) => {
                self.transactions.received(message, source, now, out, &mut self.news);
                self.drain(now, out);
            }
            Err(_) => self.counters.malformed += 1,
        }
    }

    /// Handles what the transaction layer says, and what comes of that, until it is quiet.
    fn drain(&mut self, now: Instant, out: &mut Orders) {
        while !self.news.is_empty() {
            let mut news = std::mem::take(&mut self.news);
            for one in news.drain(..) {
                self.handle(one, now, out);
            }
            // The emptied list is used again, unless there is already more.
            if self.news.is_empty() {
                self.news = news;
                break;
            }
        }
        self.tell_watchers(now, out);
    }

    fn handle(&mut self, news: TxNews, now: Instant, out: &mut Orders) {
        match news {
            TxNews::Request { tx, message, source } => {
                if let Some(response) = self.request(tx, message, source, now, out) {
                    self.transactions.respond(tx, response, now, out);
                }
            }
            TxNews::Cancel { tx, invite, message, .. } => {
                // Of no INVITE in hand: forwarding it (RFC 3261 section 16.10) would find as little downstream, since each of
                // our branches is our own.
                let status = if invite.is_some() { 200 } else { 481 };
                let response = self.answer().to(&message, status, "");
                self.transactions.respond(tx, response, now, out);
                if let Some(invite) = invite {
                    let reason = message.text(Name::Reason).map(String::from);
                    self.with_proxy(now, out, |proxy, desk| proxy.cancel(invite, reason.as_deref(), desk));
                }
            }
            TxNews::Ack { message, source } => self.ack(&message, source, now, out),
            TxNews::Response { tx, message, .. } => {
                if self.presence.answered(tx, message.status().unwrap_or(500)) {
                    return;
                }
                self.charge(&message, now);
                self.call_advances(&message);
                self.with_proxy(now, out, |proxy, desk| proxy.response(tx, message, desk));
            }
            TxNews::StrayResponse { .. } => self.counters.strays += 1,
            TxNews::TimedOut { tx } => {
                self.presence.answered(tx, 408);
                self.with_proxy(now, out, |proxy, desk| proxy.fell_through(tx, 408, desk));
            }
            TxNews::Unreachable { tx } => {
                self.presence.answered(tx, 503);
                self.with_proxy(now, out, |proxy, desk| proxy.fell_through(tx, 503, desk));
            }
            TxNews::Finished { tx } => {
                self.presence.finished(tx);
                self.with_proxy(now, out, |proxy, desk| proxy.finished(tx, desk));
            }
        }
    }

    /// Takes a new request; gives the response where that is already known.
    fn request(
        &mut self,
        tx: TxId,
        message: Message,
        source: Source,
        now: Instant,
        out: &mut Orders,
    ) -> Option<Draft> {
        if let Some(refusal) = message.refusal() {
            self.counters.refused += 1;
            let mut response = self.answer().to(&message, refusal.status, &refusal.reason);
            say_back(&message, &mut response);
            return Some(response);
        }
        let Some(routed) = self.own().preprocess(&message, &source) else {
            self.counters.refused += 1;
            return Some(self.answer().to(&message, 400, "Bad Request (Route)"));
        };
        let method = message.method();
        if method == Method::Bye
            && let Ok(call) = message.call_id()
        {
            self.ledger.ended(call, now);
            self.presence.call_ends(call);
        }
        if method == Method::Register && self.is_here(&routed) {
            return self.register(tx, &message, &source, now, out);
        }
        let mark = self.mark(&message);
        if let Some(refused) = self.validate(&message, &mark) {
            return Some(refused);
        }
        let to_exchange = method == Method::Options && self.is_here(&routed) && !has_user(&routed);
        let mut claimed = identity::claimed(&message, &self.own());
        let from_here = claimed.is_some();
        if self.config.challenge && from_here && !routed.leave && !to_exchange {
            let answer = Answer { config: &self.config, mint: &self.mint };
            match self.door.check(&message, true, &source, &self.config, &answer, now) {
                Entry::Refused(response) => return Some(response),
                Entry::Ignored => {
                    self.transactions.abandon(tx);
                    return None;
                }
                Entry::Welcome(user)
                    if Some(&*user) == claimed.as_deref() || identity::is_nobody(&message) =>
                {
                    claimed = Some(user);
                }
                Entry::Welcome(_) => return Some(answer.to(&message, 403, "From Is Not Yours")),
            }
        }
        if let Some(response) = self.presence_asked(&message, &routed, claimed.as_deref(), &source, now, out)
        {
            return Some(response);
        }
        let trusted = from_here || routed.leave;
        let shown = claimed.as_deref().filter(|_| !routed.leave);
        let mut asserted = Asserted::of(&message, shown, &self.own(), &self.config.domain);
        // Only who has shown who he is: without a challenge anybody can say that.
        if let (Some(seal), Some(user), true) = (&self.config.seal, shown, self.config.challenge) {
            asserted.sign(&message, user, seal, self.wall(now));
        }
        match targets(&routed, &method, trusted, &self.own(), &self.bindings, self.wall(now)) {
            Whereto::Forward(targets) => {
                self.counters.forwarded += 1;
                self.call_begins(tx, &message, &routed, claimed.as_deref(), now);
                self.with_proxy(now, out, |proxy, desk| {
                    proxy.forward(tx, Asked { message, source, routed, mark, asserted }, targets, desk);
                });
                None
            }
            Whereto::Here => Some(self.capabilities(&message)),
            Whereto::Moved(contact) => {
                self.counters.redirected += 1;
                let mut moved = self.answer().to(&message, 302, "");
                moved.push(Name::Contact, format_args!("<{contact}>"));
                Some(moved)
            }
            Whereto::Nowhere(status, reason) => Some(self.answer().to(&message, status, reason)),
        }
    }

    /// RFC 3261 section 16.3: hops, loops, and extensions that proxies must know. (We know none.)
    fn validate(&mut self, message: &Message, mark: &str) -> Option<Draft> {
        match (message.has(Name::MaxForwards), message.max_forwards()) {
            (true, None) => return Some(self.answer().to(message, 400, "Bad Request (Max-Forwards)")),
            (true, Some(0)) => return Some(self.answer().to(message, 483, "")),
            (true, Some(_)) | (false, _) => {}
        }
        // Whatever carries this very mark went out from here, with nothing changed that decides where it goes: the mark is
        // keyed, so the Via's sent-by needs no second look. RFC 5393 section 4.2.2.
        let is_ours = |branch: &str| branch.rsplit_once('-').is_some_and(|(_, second)| second == mark);
        if message.vias().flatten().any(|via| via.branch.is_some_and(is_ours)) {
            self.counters.loops += 1;
            return Some(self.answer().to(message, 482, ""));
        }
        let required: Vec<String> =
            message.list(Name::ProxyRequire).map(|tag| String::from_utf8_lossy(tag).into_owned()).collect();
        (!required.is_empty()).then(|| bad_extension(self.answer().to(message, 420, ""), &required))
    }

    /// The mark of all that decides where a request goes from here. RFC 5393 section 4.2.1: not the method, so that CANCEL
    /// and ACK share it; and not our credentials, which the copy does not carry on.
    fn mark(&self, message: &Message) -> String {
        let uri = message.request_uri().map(|uri| uri.as_str().as_bytes()).unwrap_or_default();
        let cseq = message.cseq().map(|c| c.number).unwrap_or_default().to_be_bytes();
        let ids = [uri, &cseq].into_iter();
        let fields = [Name::From, Name::To, Name::CallId, Name::Route, Name::ProxyRequire];
        self.mint.mark(ids.chain(fields.into_iter().flat_map(|name| message.all(name))))
    }

    /// The ACK of a 2xx: on along the route, or not at all.
    fn ack(&mut self, message: &Message, source: Source, now: Instant, out: &mut Orders) {
        let routed = self.own().preprocess(message, &source);
        let hops_left = message.max_forwards() != Some(0);
        let target = routed.filter(|_| hops_left && message.flaw().is_none()).and_then(|routed| {
            let trusted = routed.leave || self.is_from_here(message);
            match targets(&routed, &Method::Ack, trusted, &self.own(), &self.bindings, self.wall(now)) {
                Whereto::Forward(mut targets) => targets.pop_front().map(|target| (routed, target)),
                Whereto::Here | Whereto::Moved(_) | Whereto::Nowhere(..) => None,
            }
        });
        match target {
            Some((routed, target)) => {
                self.with_proxy(now, out, |proxy, desk| proxy.ack(message, &routed, &target, desk));
            }
            None => self.counters.acks_lost += 1,
        }
    }

    /// OPTIONS to the exchange itself. RFC 3261 section 11.2.
    fn capabilities(&self, message: &Message) -> Draft {
        let mut ok = self.answer().to(message, 200, "");
        ok.push(Name::Allow, ALLOW)
            .push(Name::AllowEvents, Package::ALL)
            .push(Name::Accept, "*/*")
            .push(Name::Supported, registrar::EXTENSIONS.join(", "));
        say_back(message, &mut ok);
        ok
    }

    /// Whether a request is for this exchange or its users, and for nobody on the way there.
    fn is_here(&self, routed: &Routed) -> bool {
        routed.routes.is_empty() && UriRef::read(routed.uri.as_bytes()).is_ok_and(|uri| self.own().is(&uri))
    }

    /// Whether the sender claims to be one of ours. A tel URI claims nothing.
    fn is_from_here(&self, message: &Message) -> bool {
        message.from().is_ok_and(|from| self.own().is(&from.uri()))
    }

    fn own(&self) -> Own<'_> {
        Own { ways: &self.ways, config: &self.config, mint: &self.mint }
    }

    fn answer(&self) -> Answer<'_> {
        Answer { config: &self.config, mint: &self.mint }
    }

    fn with_proxy(&mut self, now: Instant, out: &mut Orders, news: impl FnOnce(&mut Proxy, &mut Desk<'_>)) {
        let mut desk = Desk {
            config: &self.config,
            mint: &self.mint,
            ways: &self.ways,
            locator: &mut self.locator,
            transactions: &mut self.transactions,
            counters: &mut self.counters,
            now,
            out,
        };
        news(&mut self.proxy, &mut desk);
        for invite in self.proxy.take_answered() {
            self.presence.call_settled(invite);
        }
    }
}

fn has_user(routed: &Routed) -> bool {
    UriRef::read(routed.uri.as_bytes()).is_ok_and(|uri| uri.user.is_some_and(|u| !u.is_empty()))
}

fn from_user(message: &Message) -> Option<String> {
    message.from().ok().map(|from| from.uri().user_decoded().into_owned())
}

fn bad_extension(mut refused: Draft, tags: &[String]) -> Draft {
    refused.push(Name::Unsupported, tags.join(", "));
    refused
}
