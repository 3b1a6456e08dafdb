//! A router's memory: which inside endpoint is which outside one, for whom, and who may come in.
//!
//! RFC 4787 sections 4 and 5; RFC 5382 sections 4 and 5. Things are forgotten when they are looked at too late.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use base::Instant;

use super::kind::{Dependence, Nat};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Protocol {
    Udp,
    Tcp,
}

/// For whom a mapping is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Toward {
    Anyone,
    Host(IpAddr),
    Endpoint(SocketAddr),
}

impl Toward {
    pub(super) fn new(mapping: Dependence, to: SocketAddr) -> Self {
        match mapping {
            Dependence::Independent => Self::Anyone,
            Dependence::Address => Self::Host(to.ip()),
            Dependence::AddressAndPort => Self::Endpoint(to),
        }
    }
}

/// Protocol, inside endpoint, and for whom.
pub(super) type Key = (Protocol, SocketAddr, Toward);

/// What is known of the talk with one endpoint.
///
/// ```text
///   datagram ------------> Datagrams
///   SYN from inside -----> Asked --+
///                                  +-- neither SYN nor SYN-ACK --> Open -- FIN --> Closing      RST, in any: forgotten
///   SYN from outside ----> Called -+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Datagrams,
    Asked,
    Called,
    Open,
    Closing,
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) last: Instant,
    pub(super) phase: Phase,
}

#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) outside: SocketAddr,
    /// Open to all: a gateway made it for media.
    pub(super) pinhole: bool,
    pub(super) last: Instant,
    pub(super) born: Instant,
    /// The outside has spoken, too.
    pub(super) replied: bool,
    /// And the inside again, later.
    pub(super) settled: bool,
    pub(super) sessions: BTreeMap<SocketAddr, Session>,
}

#[derive(Debug, Default)]
pub(super) struct Table(BTreeMap<Key, Mapping>);

impl Table {
    /// Forgets what has timed out.
    pub(super) fn purge(&mut self, nat: &Nat, now: Instant) {
        self.0.retain(|(protocol, ..), mapping| {
            let new = nat.udp_new_timeout.filter(|_| !mapping.settled && !mapping.pinhole);
            let udp_timeout = new.unwrap_or(nat.udp_timeout);
            mapping.sessions.retain(|_, session| {
                let limit = match session.phase {
                    Phase::Datagrams => udp_timeout,
                    Phase::Asked | Phase::Called | Phase::Closing => nat.tcp_transitory,
                    Phase::Open => nat.tcp_timeout,
                };
                now.since(session.last) < limit
            });
            match protocol {
                Protocol::Udp => now.since(mapping.last) < udp_timeout,
                Protocol::Tcp => !mapping.sessions.is_empty(),
            }
        });
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Mapping> {
        self.0.get(key)
    }

    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut Mapping> {
        self.0.get_mut(key)
    }

    pub(super) fn insert(&mut self, key: Key, outside: SocketAddr, pinhole: bool, now: Instant) {
        let mapping = Mapping {
            outside,
            pinhole,
            last: now,
            born: now,
            replied: false,
            settled: false,
            sessions: BTreeMap::new(),
        };
        self.0.insert(key, mapping);
    }

    /// Who has this outside endpoint.
    pub(super) fn holders(&self, protocol: Protocol, outside: SocketAddr) -> impl Iterator<Item = &Key> {
        self.0.iter().filter(move |((p, ..), m)| *p == protocol && m.outside == outside).map(|(key, _)| key)
    }

    /// The mapping that is bound to be used for a packet from inside, whatever the rule for new ones: a gateway's for media,
    /// and that of the same connection.
    pub(super) fn way_out(&self, protocol: Protocol, inside: SocketAddr, to: SocketAddr) -> Option<Key> {
        let begin = (protocol, inside, Toward::Anyone);
        let mine = self.0.range(begin..).take_while(|((p, i, _), _)| (*p, *i) == (protocol, inside));
        let bound = |m: &Mapping| m.pinhole || (protocol == Protocol::Tcp && m.sessions.contains_key(&to));
        mine.filter(|(_, m)| bound(m)).map(|(key, _)| *key).next()
    }

    /// The mapping by which a packet from `from` to an outside endpoint may come in.
    pub(super) fn admits(
        &self,
        nat: &Nat,
        protocol: Protocol,
        outside: SocketAddr,
        from: SocketAddr,
    ) -> Option<Key> {
        let may = |mapping: &Mapping| {
            mapping.pinhole
                || match nat.filtering {
                    Dependence::Independent => true,
                    Dependence::Address => mapping.sessions.keys().any(|peer| peer.ip() == from.ip()),
                    Dependence::AddressAndPort => mapping.sessions.contains_key(&from),
                }
        };
        let found = |((p, ..), mapping): &(&Key, &Mapping)| {
            *p == protocol && mapping.outside == outside && may(mapping)
        };
        self.0.iter().find(found).map(|(key, _)| *key)
    }
}
