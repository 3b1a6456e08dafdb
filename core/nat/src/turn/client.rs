//! One allocation: asked for, kept, moved, given up.
//!
//! RFC 8656 sections 7 to 12, RFC 8016, RFC 6062 section 4. What answers mean is in `answers`.
//!
//! ```text
//!          new                     success                  close
//!  --------------------> Asking ------------> Held ----------------------> Leaving --> Gone
//!                         |  ^                | |                            |
//!                         |  |  forgotten,    | | out of step                | out of step
//!                         |  |  moved w/o     | +--------------------------->+
//!                         |  |  a ticket      |                              |
//!                         |  +----------------+------------------------------+
//!                         v                   |
//!                        Gone <---------------+ never refreshed in time
//! ```

mod answers;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use base::{Instant, Rng, Wake};
use bytes::Bytes;

use super::ask::{self, Asker};
use super::auth::MAX_USER;
use super::peers::{Peers, Plan, is_nobody};
use super::{
    Challenge, Config, ConnectionId, DataConnection, Dropped, Event, Family, MAX_DATA, Misuse, Relaying, Why,
};
use crate::channel;
use crate::stun::{self, Class, Message, Method, TransactionId, Writer, attribute};

/// Refreshed this long before its end. RFC 8656 section 8.
const MARGIN: Duration = Duration::from_secs(60);
/// Not answered: asked again after this, for as long as the allocation lasts.
const AGAIN: Duration = Duration::from_secs(15);
/// Bounds of what a server may say of a lifetime.
const LIFETIMES: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(86_400));
/// How many datagrams and connections wait to be fetched; further ones are dropped.
const MAX_WAITING: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// An Allocate is on its way.
    Asking,
    /// There is an allocation.
    Held,
    /// A Refresh to nothing is on its way.
    Leaving {
        /// Only to begin anew.
        back: bool,
    },
    /// Nothing is sent or believed any more.
    Gone,
}

/// What an answer will be to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Allocate,
    Refresh { ticket: bool },
    GiveUp,
    Permit(Vec<SocketAddr>),
    Bind(SocketAddr, u16),
    Connect(SocketAddr),
}

impl ask::What for What {
    fn method(&self) -> Method {
        match self {
            Self::Allocate => Method::Allocate,
            Self::Refresh { .. } | Self::GiveUp => Method::Refresh,
            Self::Permit(_) => Method::CreatePermission,
            Self::Bind(..) => Method::ChannelBind,
            Self::Connect(_) => Method::Connect,
        }
    }
}

/// What is held.
#[derive(Clone, Debug)]
struct Held {
    relayed: SocketAddr,
    relayed6: Option<SocketAddr>,
    lifetime: Duration,
    /// When it was last known to be fresh.
    fresh: Instant,
    /// When it is to be refreshed next.
    due: Instant,
    ticket: Option<Vec<u8>>,
    /// A Refresh with the ticket is on its way from the new address.
    moving: bool,
    /// The last Refresh was in vain.
    failing: bool,
}

impl Held {
    fn expires(&self) -> Instant {
        self.fresh + self.lifetime
    }

    fn refreshed(&mut self, lifetime: Duration, now: Instant) {
        (self.lifetime, self.fresh, self.failing) = (lifetime, now, false);
        self.due = now + lifetime.saturating_sub(MARGIN).max(lifetime / 2);
    }

    fn has(&self, peer: SocketAddr) -> bool {
        [Some(self.relayed), self.relayed6].iter().flatten().any(|it| it.is_ipv4() == peer.is_ipv4())
    }
}

/// A relay's client. After every call fetch what [`Client::poll_send`] and [`Client::poll_event`] have.
#[derive(Debug)]
pub struct Client {
    config: Config,
    state: State,
    asker: Asker<What>,
    held: Option<Held>,
    peers: Peers,
    events: VecDeque<Event>,
    dropped: Dropped,
    /// `Allocated` was told: what follows is a loss and no failure.
    told: bool,
    /// It was forgotten, and asked for once more; a refresh that succeeds makes good for it.
    anew: bool,
    /// Closed while an Allocate was on its way: given up as soon as it is there.
    closing: bool,
}

impl Client {
    /// Asks for an allocation. `challenge` is what an earlier client of the same server knew.
    ///
    /// # Errors
    /// The account cannot be written, or streams are to be relayed over datagrams.
    pub fn new(config: Config, challenge: Option<Challenge>, rng: Rng, now: Instant) -> Result<Self, Misuse> {
        let user = config.account.as_ref().map(|account| account.user.reveal().len());
        if user.is_some_and(|length| !(1..=MAX_USER).contains(&length)) {
            return Err(Misuse::BadUser);
        }
        if config.relaying == Relaying::Tcp && !config.reliable {
            return Err(Misuse::NeedsStream);
        }
        let mut client = Self {
            state: State::Asking,
            asker: Asker::new(config.account.clone(), challenge, config.reliable, rng),
            held: None,
            peers: Peers::default(),
            events: VecDeque::new(),
            dropped: Dropped::default(),
            told: false,
            anew: false,
            closing: false,
            config,
        };
        client.ask(What::Allocate, now);
        client.settle(now);
        Ok(client)
    }

    /// A whole message that came from the server. `false`: none of this machine's business.
    pub fn heard(&mut self, bytes: &[u8], now: Instant) -> bool {
        if self.state == State::Gone {
            return false;
        }
        let ours = match bytes.first() {
            Some(64..=79) => {
                match channel::read(bytes) {
                    Some((number, data)) => match self.peers.by_channel(number) {
                        Some(peer) => self.came(peer, data),
                        None => self.dropped.strangers += 1,
                    },
                    None => self.dropped.malformed += 1,
                }
                true
            }
            _ if stun::is_stun(bytes) => {
                let Ok(message) = Message::read(bytes) else {
                    self.dropped.malformed += 1;
                    return true;
                };
                match message.class() {
                    Class::Request => false,
                    Class::Indication => self.indicated(&message),
                    Class::Success | Class::Error => self.answered(&message, now),
                }
            }
            _ => false,
        };
        self.settle(now);
        ours
    }

    /// The time has come that [`Client::next_wake`] named, or any other.
    pub fn due(&mut self, now: Instant) {
        self.settle(now);
        self.refresh(now);
        self.settle(now);
    }

    /// When to be told the time again.
    pub fn next_wake(&self) -> Option<Wake> {
        let mut wake = self.asker.next_wake();
        if let (State::Held, Some(held)) = (self.state, &self.held)
            && !held.moving
        {
            let refresh = if self.is_refreshing() {
                Wake { at: held.expires(), why: "relay allocation ends" }
            } else {
                Wake { at: held.due, why: "relay refresh" }
            };
            wake = Wake::earlier(wake, Some(refresh));
            wake = Wake::earlier(wake, self.peers.next_wake());
        }
        wake
    }

    /// What to send to the server.
    pub fn poll_send(&mut self) -> Option<Bytes> {
        self.asker.out.pop_front()
    }

    /// What happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Lets a peer in and binds a channel to it; `PeerReady` or `PeerRefused` follows. Before there is an allocation it
    /// waits for one. Where streams are relayed, and by [`Client::permit_only`], there is no channel.
    ///
    /// # Errors
    /// It cannot be a peer, or there are too many.
    pub fn permit(&mut self, peer: SocketAddr, now: Instant) -> Result<(), Misuse> {
        self.want(peer, self.config.relaying == Relaying::Udp, now)
    }

    /// Lets a peer in without a channel: for one that is only expected, or expected to be dropped soon.
    ///
    /// # Errors
    /// As [`Client::permit`].
    pub fn permit_only(&mut self, peer: SocketAddr, now: Instant) -> Result<(), Misuse> {
        self.want(peer, false, now)
    }

    /// No more refreshes for this peer: the server lets it in for at most five more minutes.
    pub fn forget(&mut self, peer: SocketAddr, now: Instant) {
        self.peers.forget(peer, now);
        self.asker.forget(|what| match what {
            What::Bind(it, _) => *it == peer,
            What::Permit(several) => several[..] == [peer],
            What::Allocate | What::Refresh { .. } | What::GiveUp | What::Connect(_) => false,
        });
    }

    /// Sends data to a peer that is ready: by its channel, else as an indication.
    ///
    /// # Errors
    /// It is not ready, or the data is too long.
    pub fn send(&mut self, peer: SocketAddr, data: &[u8]) -> Result<(), Misuse> {
        if self.config.relaying == Relaying::Tcp {
            return Err(Misuse::OtherTransport);
        }
        if data.len() > MAX_DATA {
            return Err(Misuse::TooLong);
        }
        // While moving the server would not know the sender: RFC 8016 section 3.2.2.
        let moving = self.held.as_ref().is_none_or(|held| held.moving);
        let ready = self.peers.get(peer).filter(|peer| peer.ready && !moving && self.state == State::Held);
        let bytes = match ready.ok_or(Misuse::NotReady)?.channel {
            Some(number) => {
                let mut bytes = Vec::with_capacity(channel::HEAD + data.len());
                channel::write(number, data, &mut bytes).expect("it is short, and a channel");
                bytes.into()
            }
            None => Writer::new(Class::Indication, Method::Send, TransactionId::draw(&mut self.asker.rng))
                .hidden_address(attribute::XOR_PEER_ADDRESS, peer)
                .value(attribute::DATA, data)
                .unsigned(),
        };
        self.asker.out.push_back(bytes);
        Ok(())
    }

    /// Asks the relay to open a stream to a peer. RFC 6062 section 4.3.
    ///
    /// # Errors
    /// It cannot be a peer, it is being connected to already, or there is no allocation for streams.
    pub fn connect(&mut self, peer: SocketAddr, now: Instant) -> Result<(), Misuse> {
        if self.config.relaying != Relaying::Tcp {
            return Err(Misuse::OtherTransport);
        }
        if is_nobody(peer, self.config.server, self.config.loopback) {
            return Err(Misuse::BadPeer);
        }
        if self.state != State::Held {
            return Err(Misuse::NotReady);
        }
        let connecting: Vec<_> = self.asker.asked().filter(|it| matches!(it, What::Connect(_))).collect();
        if connecting.len() >= super::MAX_PEERS || connecting.contains(&&What::Connect(peer)) {
            return Err(Misuse::TooManyPeers);
        }
        self.ask(What::Connect(peer), now);
        self.settle(now);
        Ok(())
    }

    /// The handshake for a second stream to the same server, which becomes the peer's. RFC 6062 section 4.3.
    pub fn bind(&mut self, connection: ConnectionId, now: Instant) -> DataConnection {
        let (account, challenge) = (self.config.account.clone(), self.challenge());
        DataConnection::new(connection, account, challenge, self.asker.rng.split(), now)
    }

    /// Our own address changed, or the stream broke and there is another: what is sent from now on comes from the new
    /// place. With a ticket the relayed address is kept (`Moved` follows), else another is asked for (`Allocated`). Who
    /// needs one soon begins a second client when neither has come after a second or two: some relays answer a move with
    /// what nobody can read, and that is given up only after 39.5 s.
    pub fn moved(&mut self, now: Instant) {
        match self.state {
            State::Asking if !self.closing => self.begin_anew(now),
            State::Held => {
                self.asker.clear();
                self.peers.not_asking();
                let held = self.held.as_mut().expect("what is held is there");
                held.moving = held.ticket.is_some();
                if held.moving {
                    self.ask(What::Refresh { ticket: true }, now);
                } else {
                    self.begin_anew(now);
                }
            }
            // From here nobody would know what is given up: it ends by itself.
            State::Asking | State::Leaving { back: false } => self.end(Event::Closed),
            State::Leaving { back: true } => self.begin_anew(now),
            State::Gone => {}
        }
        self.settle(now);
    }

    /// Gives the allocation up; `Closed` follows.
    pub fn close(&mut self, now: Instant) {
        match self.state {
            State::Asking => self.closing = true,
            State::Held => self.give_up(false, now),
            State::Leaving { .. } => self.state = State::Leaving { back: false },
            State::Gone => {}
        }
        self.settle(now);
    }

    /// Sends what keeps the binding of a NAT open and asks nothing of anybody. RFC 8489 section 5: a Binding indication.
    pub fn keep_alive(&mut self) {
        let id = TransactionId::draw(&mut self.asker.rng);
        self.asker.out.push_back(Writer::new(Class::Indication, Method::Binding, id).unsigned());
    }

    /// What the server asked for our credentials with: for the next client.
    pub fn challenge(&self) -> Option<Challenge> {
        self.asker.challenge().cloned()
    }

    /// The relayed addresses, while there is an allocation.
    pub fn relayed(&self) -> impl Iterator<Item = SocketAddr> {
        self.held.iter().flat_map(|held| [Some(held.relayed), held.relayed6]).flatten()
    }

    /// Whether nothing more will come of it.
    pub fn is_done(&self) -> bool {
        self.state == State::Gone
    }

    /// What was dropped so far.
    pub fn dropped(&self) -> Dropped {
        Dropped { forged: self.asker.dropped, ..self.dropped }
    }

    fn want(&mut self, peer: SocketAddr, channel: bool, now: Instant) -> Result<(), Misuse> {
        if self.state == State::Gone {
            return Err(Misuse::Done);
        }
        if is_nobody(peer, self.config.server, self.config.loopback) {
            return Err(Misuse::BadPeer);
        }
        self.peers.want(peer, channel)?;
        self.ask_for_peers(false, now);
        self.settle(now);
        Ok(())
    }

    /// Sends what was asked, and sees to what was given up.
    fn settle(&mut self, now: Instant) {
        while let Some((what, why)) = self.asker.due(now) {
            self.failed(what, why, now);
        }
    }

    /// Whatever is to be refreshed, and what may as well be when the device is awake for it.
    fn refresh(&mut self, now: Instant) {
        let refreshing = self.is_refreshing();
        let Some(held) = self.held.as_ref().filter(|held| self.state == State::Held && !held.moving) else {
            return;
        };
        if now >= held.expires() {
            // Slept through, or in vain?
            if refreshing || held.failing {
                self.end(Event::Lost(Why::Silent));
            } else {
                self.forgotten(now);
            }
            return;
        }
        let (due, half) = (held.due, held.fresh + held.lifetime / 2);
        let asked = self.ask_for_peers(now >= due, now);
        let held_due = now >= due || asked && now >= half && due >= half;
        if held_due && !refreshing {
            self.ask(What::Refresh { ticket: false }, now);
        }
    }

    fn is_refreshing(&self) -> bool {
        self.asker.asked().any(|what| matches!(what, What::Refresh { .. }))
    }

    /// Asks for what is due to peers; says whether anything was.
    fn ask_for_peers(&mut self, anyway: bool, now: Instant) -> bool {
        let Some(held) = self.held.as_ref().filter(|held| self.state == State::Held && !held.moving) else {
            return false;
        };
        for peer in self.peers.addresses() {
            if !held.has(peer) {
                self.peers.forget(peer, now);
                self.events.push_back(Event::PeerRefused { peer, why: Why::Family });
            }
        }
        let plan = self.peers.plan(anyway, now);
        let any = plan != Plan::default();
        self.carry_out(plan, now);
        any
    }

    fn carry_out(&mut self, plan: Plan, now: Instant) {
        if !plan.permit.is_empty() {
            self.ask(What::Permit(plan.permit), now);
        }
        for (peer, channel) in plan.bind {
            self.ask(What::Bind(peer, channel), now);
        }
    }

    fn give_up(&mut self, back: bool, now: Instant) {
        self.asker.clear();
        self.state = State::Leaving { back };
        self.ask(What::GiveUp, now);
    }

    /// From the start, with the same peers.
    fn begin_anew(&mut self, now: Instant) {
        self.asker.clear();
        self.held = None;
        self.peers.start_over();
        self.state = State::Asking;
        self.ask(What::Allocate, now);
    }

    /// The server knows nothing of our allocation: asked for once more, but not for ever.
    fn forgotten(&mut self, now: Instant) {
        if std::mem::replace(&mut self.anew, true) {
            self.end(Event::Lost(Why::Forgotten));
        } else {
            self.begin_anew(now);
        }
    }

    fn end(&mut self, event: Event) {
        self.asker.clear();
        self.held = None;
        self.peers = Peers::default();
        if self.state != State::Gone {
            self.state = State::Gone;
            self.events.push_back(event);
        }
    }

    fn ask(&mut self, what: What, now: Instant) {
        let (config, held) = (&self.config, self.held.as_ref());
        self.asker.ask(what, |what, id| write(config, held, what, id), now);
    }
}

fn write(config: &Config, held: Option<&Held>, what: &What, id: TransactionId) -> Writer {
    let seconds = u32::try_from(config.lifetime.as_secs()).unwrap_or(u32::MAX);
    let software = |writer: Writer| writer.text(attribute::SOFTWARE, "Offhook");
    match what {
        What::Allocate => {
            let transport = if config.relaying == Relaying::Tcp { 6 } else { 17 };
            let mut writer = software(Writer::request(Method::Allocate, id))
                .value(attribute::REQUESTED_TRANSPORT, &[transport, 0, 0, 0])
                .number(attribute::LIFETIME, seconds);
            writer = match config.family {
                Family::Default => writer,
                Family::V4 => writer.value(attribute::REQUESTED_ADDRESS_FAMILY, &[1, 0, 0, 0]),
                Family::V6 => writer.value(attribute::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]),
                // Who knows one of the numbers ignores the other.
                Family::Both => writer
                    .value(attribute::ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0])
                    .value(attribute::DRAFT_ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0]),
            };
            if config.mobility { writer.value(attribute::MOBILITY_TICKET, &[]) } else { writer }
        }
        What::Refresh { ticket } => {
            let writer = software(Writer::request(Method::Refresh, id)).number(attribute::LIFETIME, seconds);
            match held.and_then(|held| held.ticket.as_deref()).filter(|_| *ticket) {
                Some(ticket) => writer.value(attribute::MOBILITY_TICKET, ticket),
                None => writer,
            }
        }
        What::GiveUp => software(Writer::request(Method::Refresh, id)).number(attribute::LIFETIME, 0),
        What::Permit(peers) => {
            let writer = Writer::request(Method::CreatePermission, id);
            peers.iter().fold(writer, |it, peer| it.hidden_address(attribute::XOR_PEER_ADDRESS, *peer))
        }
        What::Bind(peer, channel) => Writer::request(Method::ChannelBind, id)
            .number(attribute::CHANNEL_NUMBER, u32::from(*channel) << 16)
            .hidden_address(attribute::XOR_PEER_ADDRESS, *peer),
        What::Connect(peer) => {
            Writer::request(Method::Connect, id).hidden_address(attribute::XOR_PEER_ADDRESS, *peer)
        }
    }
}
