//! A STUN server: tells who asks under which address it is seen. The rendezvous server of hole punching.
//!
//! RFC 8489 (Binding) and RFC 5780 sections 6 and 7 (which kind of NAT). Answers requests and nothing else, so that two servers
//! never talk to each other; an answer goes to the address that the request came from, is at most four times as long, and a
//! source gets [`PER_SECOND`] of them a second. Asks nobody who they are. Knows no sockets: it is told on which of its up to
//! four addresses a request came, and says from which one the answer goes.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use base::Instant;
use bytes::Bytes;
use nat::stun::{Attribute, Class, Message, Method, Writer, attribute};

/// Answers that one source gets in a second: a whole household behind one router that gathers candidates at once.
pub const PER_SECOND: u32 = 100;

/// Sources counted in a second. Beyond them answers are not counted: so many sources are either guests or invented, and to
/// each of the latter goes hardly anything.
const MOST_SOURCES: usize = 4096;

/// RFC 5780 section 7.2.
const CHANGE_ADDRESS: u32 = 4;
const CHANGE_PORT: u32 = 2;

/// Attributes of a request that are understood, if only to be passed over: who asks need not say who they are.
const UNDERSTOOD: [Attribute; 8] = [
    attribute::USERNAME,
    attribute::MESSAGE_INTEGRITY,
    attribute::MESSAGE_INTEGRITY_SHA256,
    attribute::REALM,
    attribute::NONCE,
    attribute::PASSWORD_ALGORITHM,
    attribute::CHANGE_REQUEST,
    attribute::RESPONSE_PORT,
];

/// One of the addresses that the server has: two hosts, two ports on each. RFC 5780 section 6.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// On the second host address.
    pub other_host: bool,
    /// On the second port.
    pub other_port: bool,
}

impl Origin {
    /// All four, the first one first.
    pub const ALL: [Self; 4] = [
        Self { other_host: false, other_port: false },
        Self { other_host: false, other_port: true },
        Self { other_host: true, other_port: false },
        Self { other_host: true, other_port: true },
    ];

    const fn changed(self, host: bool, port: bool) -> Self {
        Self { other_host: self.other_host != host, other_port: self.other_port != port }
    }
}

/// An answer to a datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Which of our addresses it goes out from.
    pub from: Origin,
    /// Where to.
    pub to: SocketAddr,
    /// The message.
    pub bytes: Bytes,
}

/// What was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StunCounters {
    /// Requests answered with an address.
    pub answered: u64,
    /// Requests answered with an error.
    pub refused: u64,
    /// Neither read nor answered: no STUN, no request, not Binding.
    pub dropped: u64,
    /// Requests of a source that asks too often.
    pub too_many: u64,
}

/// The server. It keeps nothing of who asked, but for how often in the running second.
#[derive(Clone, Debug)]
pub struct StunServer {
    first: SocketAddr,
    other: Option<SocketAddr>,
    counters: StunCounters,
    second: Instant,
    sources: BTreeMap<IpAddr, u32>,
}

/// What comes of a request.
enum Verdict {
    Nothing,
    Answer { from: Origin, port: Option<u16>, bytes: Bytes },
}

impl StunServer {
    /// A server at one address; with `other`, of which both host and port differ, it also tells kinds of NAT, and has to be
    /// reached at all four combinations.
    pub fn new(first: SocketAddr, other: Option<SocketAddr>) -> Self {
        let counters = StunCounters::default();
        Self { first, other, counters, second: Instant::ZERO, sources: BTreeMap::new() }
    }

    /// The address of that name; `None` when there is no second one.
    pub fn address(&self, origin: Origin) -> Option<SocketAddr> {
        let pick = |other| if other { self.other } else { Some(self.first) };
        Some(SocketAddr::new(pick(origin.other_host)?.ip(), pick(origin.other_port)?.port()))
    }

    /// A datagram came in at `at`.
    pub fn datagram(&mut self, at: Origin, from: SocketAddr, bytes: &[u8], now: Instant) -> Option<Reply> {
        match self.judge(at, from, bytes, true, now) {
            Verdict::Nothing => None,
            Verdict::Answer { from: origin, port, bytes } => {
                let to = SocketAddr::new(from.ip(), port.unwrap_or(from.port()));
                Some(Reply { from: origin, to, bytes })
            }
        }
    }

    /// A message came on a stream that was accepted at `at`; the answer goes back on it.
    pub fn stream_message(
        &mut self,
        at: Origin,
        from: SocketAddr,
        bytes: &[u8],
        now: Instant,
    ) -> Option<Bytes> {
        match self.judge(at, from, bytes, false, now) {
            Verdict::Nothing => None,
            Verdict::Answer { bytes, .. } => Some(bytes),
        }
    }

    /// What was seen so far.
    pub const fn counters(&self) -> &StunCounters {
        &self.counters
    }

    fn judge(&mut self, at: Origin, from: SocketAddr, bytes: &[u8], datagram: bool, now: Instant) -> Verdict {
        let request = match Message::read(bytes) {
            Ok(message) if message.class() == Class::Request && message.method() == Method::Binding => {
                message
            }
            Ok(_) | Err(_) => {
                self.counters.dropped += 1;
                return Verdict::Nothing;
            }
        };
        if from.port() == 0 || !self.may_ask(from.ip(), now) {
            self.counters.too_many += 1;
            return Verdict::Nothing;
        }
        let understood = UNDERSTOOD.iter().filter(|known| match **known {
            // Section 6.1. On a stream neither can be done.
            attribute::CHANGE_REQUEST => datagram && self.other.is_some(),
            attribute::RESPONSE_PORT => datagram,
            _ => true,
        });
        let unknown = request.unknown_to(&understood.copied().collect::<Vec<_>>());
        if !unknown.is_empty() {
            let list: Vec<u8> = unknown.iter().flat_map(|typ| typ.to_be_bytes()).collect();
            let error = Writer::error(&request, 420, "Unknown Attribute");
            return self.refuse(at, &request, error.value(attribute::UNKNOWN_ATTRIBUTES, &list));
        }
        let port = match request.value(attribute::RESPONSE_PORT) {
            None => None,
            Some([0, 0, ..]) => return self.bad(at, &request),
            // Its two bytes, and what some take for padding inside the value.
            Some([high, low] | [high, low, _, _]) => Some(u16::from_be_bytes([*high, *low])),
            Some(_) => return self.bad(at, &request),
        };
        let change = match (request.has(attribute::CHANGE_REQUEST), request.number(attribute::CHANGE_REQUEST))
        {
            (false, _) => 0,
            (true, Some(flags)) => flags,
            (true, None) => return self.bad(at, &request),
        };
        let origin = at.changed(change & CHANGE_ADDRESS != 0, change & CHANGE_PORT != 0);
        let mut answer = Writer::success(&request).hidden_address(attribute::XOR_MAPPED_ADDRESS, from);
        if let Some(source) = self.address(origin).filter(|source| !source.ip().is_unspecified()) {
            answer = answer.plain_address(attribute::RESPONSE_ORIGIN, source);
        }
        if self.other.is_some() {
            let other = self.address(at.changed(true, true)).expect("there is a second address");
            answer = answer
                .plain_address(attribute::MAPPED_ADDRESS, from)
                .plain_address(attribute::OTHER_ADDRESS, other);
        }
        self.counters.answered += 1;
        Verdict::Answer { from: origin, port, bytes: finish(&request, answer) }
    }

    fn bad(&mut self, at: Origin, request: &Message) -> Verdict {
        self.refuse(at, request, Writer::error(request, 400, "Bad Request"))
    }

    fn refuse(&mut self, at: Origin, request: &Message, error: Writer) -> Verdict {
        self.counters.refused += 1;
        Verdict::Answer { from: at, port: None, bytes: finish(request, error) }
    }

    /// Whether this source may have another answer in this second. An IPv6 source counts as its /64.
    fn may_ask(&mut self, source: IpAddr, now: Instant) -> bool {
        if now.since(self.second) >= Duration::from_secs(1) {
            self.second = now;
            self.sources.clear();
        }
        let source = match source.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
            v4 @ IpAddr::V4(_) => v4,
        };
        if self.sources.len() >= MOST_SOURCES && !self.sources.contains_key(&source) {
            return true;
        }
        let asked = self.sources.entry(source).or_default();
        *asked = asked.saturating_add(1);
        *asked <= PER_SECOND
    }
}

/// A fingerprint for who sent one: they share the port with something else.
fn finish(request: &Message, answer: Writer) -> Bytes {
    if request.has(attribute::FINGERPRINT) { answer.fingerprinted() } else { answer.unsigned() }
}
