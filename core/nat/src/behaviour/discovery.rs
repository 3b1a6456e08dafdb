//! Asking a server about the router between us: which mapping, which filtering, does it hairpin.
//!
//! RFC 5780 sections 4.3 to 4.5, over two sockets of ours: what the first one sends to find out about mapping opens the very
//! filter that is asked about, so that filtering is asked from the second. What does not depend on each other is asked at
//! once; the longest course takes two rounds of [`PATIENCE`]. At most 32 datagrams. Knows no sockets, and believes its server:
//! nothing but what a person reads comes of it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use base::{Instant, Rng, Wake};
use bytes::Bytes;

use super::{Behaviour, Dependence};
use crate::stun::transaction::{Due, Pace, Transactions};
use crate::stun::{Class, Message, Method, TransactionId, Writer, attribute};

/// How long an answer is waited for before it counts as filtered: 5.5 s in four sendings. RFC 8489's 39.5 s would have a person
/// wait more than a minute for what four lost datagrams in a row make wrong.
const PATIENCE: Pace =
    Pace { rto: Duration::from_millis(500), sendings: 4, last_wait: Duration::from_millis(2000) };
/// A hairpin is as short as the way to the router and back.
const HAIRPIN: Pace =
    Pace { rto: Duration::from_millis(250), sendings: 4, last_wait: Duration::from_millis(500) };

/// RFC 5780 section 7.2.
const CHANGE_PORT: u32 = 2;
const CHANGE_BOTH: u32 = 6;

/// Which of our two sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// That mapping is asked from.
    First,
    /// That filtering is asked from.
    Second,
}

/// To be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// From which socket.
    pub from: Side,
    /// Where to.
    pub to: SocketAddr,
    /// What.
    pub bytes: Bytes,
}

/// ```text
///   First, Second ----> neither answered: blocked
///     |       |
///     |       +--> FilterBoth, FilterPort        who may send to the second socket
///     +----------> OtherHost, OtherBoth          what the first is mapped to for others
///     +- both ---> HairpinToFirst, -ToSecond     only behind a translating router
///                    |
///                    v   nothing is asked any more
///                  result
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    First,
    Second,
    OtherHost,
    OtherBoth,
    FilterBoth,
    FilterPort,
    HairpinToFirst,
    HairpinToSecond,
}

impl Asked {
    const fn side(self) -> Side {
        match self {
            Self::First | Self::OtherHost | Self::OtherBoth | Self::HairpinToSecond => Side::First,
            Self::Second | Self::FilterBoth | Self::FilterPort | Self::HairpinToFirst => Side::Second,
        }
    }
}

/// Whether a question has an answer yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard<T> {
    NotYet,
    Nothing,
    This(T),
}

impl<T: Copy> Heard<T> {
    const fn get(self) -> Option<T> {
        match self {
            Self::This(value) => Some(value),
            Self::NotYet | Self::Nothing => None,
        }
    }
}

/// One discovery. Over when [`Self::result`] is there.
#[derive(Debug)]
pub struct Discovery {
    server: SocketAddr,
    /// The server's second address, with another host and another port.
    other: Option<SocketAddr>,
    locals: [SocketAddr; 2],
    rng: Rng,
    asking: Transactions<Asked>,
    sends: VecDeque<Datagram>,
    first: Heard<SocketAddr>,
    second: Heard<SocketAddr>,
    other_host: Heard<SocketAddr>,
    other_both: Heard<SocketAddr>,
    /// Whether the answer got in.
    filter_both: Heard<bool>,
    filter_port: Heard<bool>,
    hairpinning: Option<bool>,
    result: Option<Behaviour>,
}

impl Discovery {
    /// Begins to ask `server` from two sockets of ours, freshly bound to `locals`: one that has sent before has opened filters.
    /// Whether addresses are translated is only found out when `locals` name the host's address.
    pub fn new(server: SocketAddr, locals: [SocketAddr; 2], rng: Rng, now: Instant) -> Self {
        let mut new = Self {
            server: canonical(server),
            other: None,
            locals: locals.map(canonical),
            rng,
            asking: Transactions::default(),
            sends: VecDeque::new(),
            first: Heard::NotYet,
            second: Heard::NotYet,
            other_host: Heard::NotYet,
            other_both: Heard::NotYet,
            filter_both: Heard::NotYet,
            filter_port: Heard::NotYet,
            hairpinning: None,
            result: None,
        };
        new.ask(Asked::First, now);
        new.ask(Asked::Second, now);
        new.due(now);
        new
    }

    /// A datagram came in at a socket of ours. Says whether it was for us.
    pub fn received(&mut self, at: Side, from: SocketAddr, bytes: &[u8], now: Instant) -> bool {
        let Ok(message) = Message::read(bytes) else { return false };
        if message.method() != Method::Binding {
            return false;
        }
        let ours = match message.class() {
            Class::Request => self.came_back(at, message.id(), now),
            Class::Success | Class::Error => self.answered(at, canonical(from), &message, now),
            Class::Indication => false,
        };
        if ours {
            self.due(now);
        }
        ours
    }

    /// The time has come that [`Self::next_wake`] named.
    pub fn due(&mut self, now: Instant) {
        while let Some(due) = self.asking.due(now) {
            match due {
                Due::Send(asked, bytes) => {
                    if let Some(to) = self.destination(asked) {
                        self.sends.push_back(Datagram { from: asked.side(), to, bytes });
                    }
                }
                Due::GivenUp(asked) => self.heard(asked, None, now),
            }
        }
        if self.result.is_none() && self.asking.is_empty() {
            self.result = Some(self.judge());
        }
    }

    /// When to call [`Self::due`].
    pub fn next_wake(&self) -> Option<Wake> {
        self.asking.next_wake().map(|wake| Wake { why: "NAT discovery", ..wake })
    }

    /// The next datagram to send.
    pub fn poll_send(&mut self) -> Option<Datagram> {
        self.sends.pop_front()
    }

    /// What was found out, once all of it was.
    pub const fn result(&self) -> Option<&Behaviour> {
        self.result.as_ref()
    }

    fn ask(&mut self, asked: Asked, now: Instant) {
        let id = TransactionId::draw(&mut self.rng);
        let request = Writer::request(Method::Binding, id);
        let request = match asked {
            Asked::FilterBoth => request.number(attribute::CHANGE_REQUEST, CHANGE_BOTH),
            Asked::FilterPort => request.number(attribute::CHANGE_REQUEST, CHANGE_PORT),
            _ => request,
        };
        let pace = match asked {
            Asked::HairpinToFirst | Asked::HairpinToSecond => HAIRPIN,
            _ => PATIENCE,
        };
        // The numbers are drawn of 96 bits, and there are eight questions: it is always taken.
        self.asking.begin(id, request.unsigned(), asked, pace, now);
    }

    fn destination(&self, asked: Asked) -> Option<SocketAddr> {
        Some(match asked {
            Asked::First | Asked::Second | Asked::FilterBoth | Asked::FilterPort => self.server,
            Asked::OtherHost => SocketAddr::new(self.other?.ip(), self.server.port()),
            Asked::OtherBoth => self.other?,
            Asked::HairpinToFirst => self.first.get()?,
            Asked::HairpinToSecond => self.second.get()?,
        })
    }

    /// Where an answer has to come from to be one.
    fn source(&self, asked: Asked) -> Option<SocketAddr> {
        match asked {
            Asked::FilterBoth => self.other,
            Asked::FilterPort => Some(SocketAddr::new(self.server.ip(), self.other?.port())),
            asked => self.destination(asked),
        }
    }

    /// A request arrived: one of ours, if the router sent it back in.
    fn came_back(&mut self, at: Side, id: TransactionId, now: Instant) -> bool {
        let expected = match at {
            Side::First => Asked::HairpinToFirst,
            Side::Second => Asked::HairpinToSecond,
        };
        if self.asking.get(id) != Some(&expected) {
            return false;
        }
        self.asking.answered(id, now);
        self.asking.forget(|asked| matches!(asked, Asked::HairpinToFirst | Asked::HairpinToSecond));
        self.hairpinning = Some(true);
        true
    }

    fn answered(&mut self, at: Side, from: SocketAddr, response: &Message, now: Instant) -> bool {
        let Some(&asked) = self.asking.asked(response) else { return false };
        // A server that does not change its address says so from where it was asked.
        let refused = response.class() == Class::Error && Some(from) == self.destination(asked);
        if asked.side() != at || !(refused || Some(from) == self.source(asked)) {
            return false;
        }
        self.asking.answered(response.id(), now);
        match response.mapped().map(canonical).filter(|_| !refused) {
            Some(mapped) => {
                if matches!(asked, Asked::First | Asked::Second) && self.other.is_none() {
                    self.other = self.other_of(response);
                }
                self.heard(asked, Some(mapped), now);
            }
            None if matches!(asked, Asked::FilterBoth | Asked::FilterPort) => {
                // It does not do as it is asked: silence would say nothing any more.
                self.asking.forget(|asked| matches!(asked, Asked::FilterBoth | Asked::FilterPort));
                (self.filter_both, self.filter_port) = (Heard::Nothing, Heard::Nothing);
            }
            None => self.heard(asked, None, now),
        }
        true
    }

    /// The second address that the server says it has, if there can be one: it is no way to have us send to anybody.
    fn other_of(&self, response: &Message) -> Option<SocketAddr> {
        let other = canonical(response.plain_address(attribute::OTHER_ADDRESS)?);
        let (ip, server) = (other.ip(), self.server);
        let usable = ip.is_ipv4() == server.is_ipv4()
            && ip != server.ip()
            && other.port() != server.port()
            && other.port() != 0
            && ip.is_loopback() == server.ip().is_loopback()
            && crate::address::is_unicast(ip);
        usable.then_some(other)
    }

    /// A question is over: with an address, or without an answer.
    fn heard(&mut self, asked: Asked, mapped: Option<SocketAddr>, now: Instant) {
        let heard = mapped.map_or(Heard::Nothing, Heard::This);
        match asked {
            Asked::First => {
                self.first = heard;
                if mapped.is_some() && self.other.is_some() {
                    self.ask(Asked::OtherHost, now);
                    self.ask(Asked::OtherBoth, now);
                }
                self.ask_hairpin(now);
            }
            Asked::Second => {
                self.second = heard;
                if mapped.is_some() && self.other.is_some() {
                    self.ask(Asked::FilterBoth, now);
                    self.ask(Asked::FilterPort, now);
                }
                self.ask_hairpin(now);
            }
            Asked::OtherHost => self.other_host = heard,
            Asked::OtherBoth => self.other_both = heard,
            Asked::FilterBoth => {
                self.filter_both = Heard::This(mapped.is_some());
                if mapped.is_some() {
                    self.asking.forget(|asked| *asked == Asked::FilterPort);
                }
            }
            Asked::FilterPort => self.filter_port = Heard::This(mapped.is_some()),
            Asked::HairpinToFirst | Asked::HairpinToSecond => self.hairpinning = Some(false),
        }
    }

    /// From both sides at once: each opens the filter for the other.
    fn ask_hairpin(&mut self, now: Instant) {
        let ([Some(first), Some(second)], Some(true)) =
            ([self.first.get(), self.second.get()], self.translated())
        else {
            return;
        };
        // A hostile server could name any host as us: it is sent eight small datagrams, and a group none.
        if crate::address::is_unicast(first.ip()) && crate::address::is_unicast(second.ip()) {
            self.ask(Asked::HairpinToFirst, now);
            self.ask(Asked::HairpinToSecond, now);
        }
    }

    fn translated(&self) -> Option<bool> {
        let pairs = [(self.first.get(), self.locals[0]), (self.second.get(), self.locals[1])];
        let mut known = pairs
            .iter()
            .filter_map(|(mapped, local)| (!local.ip().is_unspecified()).then_some(((*mapped)?, local)));
        let (mapped, local) = known.next()?;
        Some(mapped != *local || known.any(|(mapped, local)| mapped != *local))
    }

    fn judge(&self) -> Behaviour {
        let mapped = self.first.get().or(self.second.get());
        if mapped.is_none() {
            return Behaviour { blocked: true, ..Behaviour::default() };
        }
        let translated = self.translated();
        let ports_kept = self.first.get().zip(self.second.get()).map(|(first, second)| {
            first.port() == self.locals[0].port() && second.port() == self.locals[1].port()
        });
        Behaviour {
            blocked: false,
            mapped,
            translated,
            ports_kept,
            mapping: if translated == Some(false) { None } else { self.mapping() },
            filtering: self.filtering(),
            hairpinning: self.hairpinning,
        }
    }

    /// RFC 5780 section 4.3.
    fn mapping(&self) -> Option<Dependence> {
        let first = self.first.get()?;
        match (self.other_host.get(), self.other_both.get()) {
            (Some(host), Some(both)) if host == first && both == first => {
                Some(Dependence::EndpointIndependent)
            }
            (Some(host), Some(both)) if host != first && both == host => Some(Dependence::AddressDependent),
            (Some(_), Some(_)) => Some(Dependence::AddressAndPortDependent),
            (Some(one), None) | (None, Some(one)) if one == first => Some(Dependence::EndpointIndependent),
            (Some(_) | None, None) | (None, Some(_)) => None,
        }
    }

    /// RFC 5780 section 4.4.
    fn filtering(&self) -> Option<Dependence> {
        match (self.filter_both.get()?, self.filter_port.get()) {
            (true, _) => Some(Dependence::EndpointIndependent),
            (false, Some(true)) => Some(Dependence::AddressDependent),
            (false, Some(false)) => Some(Dependence::AddressAndPortDependent),
            (false, None) => None,
        }
    }
}

/// A dual-stack socket tells IPv4 addresses in IPv6's clothes.
fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}
