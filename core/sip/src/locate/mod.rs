//! From a URI to the addresses to try, in order. RFC 3263, with RFC 2782 (weights), RFC 7984 (both IP families), RFC 8305
//! section 4 (their order) and RFC 6052 (IPv4 through a translator).
//!
//! A machine that asks and is told: it writes [`Order::Resolve`] and hears [`Locator::answered`]. Names are looked up only
//! as far as they are needed: the second SRV target's address is asked for when the first has failed.
//! Keeps no cache of answers (the resolver below does); it remembers which targets failed a moment ago.

mod lookup;
mod records;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use base::nat64::Prefix64;
use base::{Instant, NetworkId, QueryId, Rng, Transport};

pub use records::{Answer, Question, Record};

use crate::message::UriRef;
use crate::order::{Order, Orders};
use lookup::{Lookup, Step};

/// How long a target that failed is put behind the others when its failure names no time. RFC 3263 section 4.3 leaves it open;
/// this is about as long as a transaction takes to find out.
const FAILED_FOR: Duration = Duration::from_secs(32);

/// How many failed targets are remembered; the one soonest forgiven gives way.
const FAILED_KEPT: usize = 64;

/// An address to try and what to reach it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// What to connect by.
    pub transport: Transport,
    /// Where.
    pub addr: SocketAddr,
}

impl Target {
    /// Which of both.
    pub const fn family(self) -> Family {
        if self.addr.is_ipv4() { Family::V4 } else { Family::V6 }
    }
}

/// The kind of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// How IPv4 is reached by IPv6 alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Translator {
    /// Not at all.
    #[default]
    None,
    /// Perhaps: the prefix is asked for when it is needed. RFC 7050.
    Unknown,
    /// By this prefix. RFC 6052.
    Prefix(Prefix64),
}

/// What we can and like to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Usable transports, the most liked first. The URI and the domain's NAPTR records speak before this order does.
    pub transports: Vec<Transport>,
    /// Whether there is an IPv4 address to send from.
    pub ipv4: bool,
    /// Whether there is an IPv6 address to send from; its targets come first (RFC 6724's default).
    pub ipv6: bool,
    /// The request is over 1300 bytes: each UDP target is preceded by TCP to the same place. RFC 3261 section 18.1.1.
    pub large: bool,
    /// The network whose name servers are asked, and by which the request will go.
    pub network: NetworkId,
    /// How IPv4 is reached without having any.
    pub nat64: Translator,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            transports: vec![Transport::Udp, Transport::Tcp],
            ipv4: true,
            ipv6: true,
            large: false,
            network: NetworkId::SYSTEM,
            nat64: Translator::None,
        }
    }
}

/// The name of one lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LookupId(u32);

/// What [`Locator::next`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Try this one. When it fails say so ([`Locator::failed`]) and ask again.
    Target(Target),
    /// A name server has been asked; ask again when [`Locator::answered`] names this lookup.
    Wait,
    /// There is nothing (more) to try.
    Exhausted(Exhausted),
}

/// Why there is nothing more to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    /// Every target was given out. The last failure is the request's outcome.
    AllTried,
    /// The name has no address that we can use: tell the user that the domain does not exist.
    NotFound,
    /// The name servers did not answer: worth trying again later.
    NameServersFailed,
    /// The URI wants a scheme, transport or IP family that we lack.
    Unusable,
}

/// All lookups of one agent.
#[derive(Debug)]
pub struct Locator {
    rng: Rng,
    lookups: BTreeMap<LookupId, Lookup>,
    queries: BTreeMap<QueryId, LookupId>,
    failed: BTreeMap<Target, Instant>,
    /// The family that answered where the other was silent: it comes first until the network is another.
    liked: Option<Family>,
    last_lookup: u32,
    last_query: u32,
}

impl Locator {
    /// One with nothing under way.
    pub fn new(rng: Rng) -> Self {
        Self {
            rng,
            lookups: BTreeMap::new(),
            queries: BTreeMap::new(),
            failed: BTreeMap::new(),
            liked: None,
            last_lookup: 0,
            last_query: 0,
        }
    }

    /// Begins to locate the server for `uri` (the topmost Route's, or the Request-URI). Ask [`Locator::next`] at once: a
    /// numeric host needs no name server. [`Locator::finish`] it when its targets are no longer wanted.
    pub fn start(&mut self, uri: &UriRef<'_>, policy: &Policy) -> LookupId {
        self.last_lookup = self.last_lookup.wrapping_add(1);
        let id = LookupId(self.last_lookup);
        self.lookups.insert(id, Lookup::of(uri, policy));
        id
    }

    /// The next target of a lookup, or what must be waited for.
    pub fn next(&mut self, id: LookupId, now: Instant, out: &mut Orders) -> Next {
        let Some(lookup) = self.lookups.get_mut(&id) else { return Next::Exhausted(Exhausted::AllTried) };
        loop {
            match lookup.step() {
                Step::Wait => return Next::Wait,
                Step::Try(target) => match self.failed.get(&target) {
                    // Later rather than never: it may be the only one there is.
                    Some(until) if *until > now && lookup.put_off(target) => {}
                    Some(_) | None => return Next::Target(target),
                },
                Step::Ask(questions) => {
                    for question in questions {
                        self.last_query = self.last_query.wrapping_add(1);
                        let query = QueryId(self.last_query);
                        self.queries.insert(query, id);
                        lookup.asked(query);
                        out.push(Order::Resolve { network: lookup.network(), query, question });
                    }
                }
                Step::End(why) => return Next::Exhausted(why),
            }
        }
    }

    /// Takes an answer. Says which lookup may now go on; `None` while it waits for another answer, or was finished.
    pub fn answered(&mut self, query: QueryId, answer: Answer) -> Option<LookupId> {
        let id = self.queries.remove(&query)?;
        let lookup = self.lookups.get_mut(&id)?;
        lookup.answered(query, answer, self.liked, &mut self.rng).then_some(id)
    }

    /// Whether a lookup still has a target of the other family than `than`'s, by the same transport.
    pub fn has_other_family(&self, id: LookupId, than: Target) -> bool {
        self.lookups.get(&id).is_some_and(|lookup| lookup.has_other_family(than))
    }

    /// A target answered where one of the other family was silent: its family is tried first from now on.
    pub fn prefer(&mut self, family: Family) {
        self.liked = Some(family);
    }

    /// Remembers that a target failed (timeout, refused connection, 503), for as long as its Retry-After said, so that other
    /// requests try it last.
    pub fn failed(&mut self, target: Target, retry_after: Option<Duration>, now: Instant) {
        self.failed.retain(|_, until| *until > now);
        if self.failed.len() >= FAILED_KEPT
            && let Some(soonest) = self.failed.iter().min_by_key(|(_, until)| **until).map(|(t, _)| *t)
        {
            self.failed.remove(&soonest);
        }
        self.failed.insert(target, now + retry_after.unwrap_or(FAILED_FOR));
    }

    /// Forgives a target: it answered.
    pub fn worked(&mut self, target: Target) {
        self.failed.remove(&target);
    }

    /// Forgives all: the network changed, and with it whom we can reach.
    pub fn forgive_all(&mut self) {
        self.failed.clear();
        self.liked = None;
    }

    /// Whether no lookup is under way.
    pub fn is_empty(&self) -> bool {
        self.lookups.is_empty() && self.queries.is_empty()
    }

    /// Forgets a lookup.
    pub fn finish(&mut self, id: LookupId) {
        if let Some(lookup) = self.lookups.remove(&id) {
            for query in lookup.open_queries() {
                self.queries.remove(&query);
            }
        }
    }
}
