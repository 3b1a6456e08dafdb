//! A router that translates addresses between phones and peers, and forgets what is silent. RFC 4787, RFC 5382.
//!
//! One mapping for each remote, renewed from inside only; where it is Linux's, kept for 30 s until a packet leaves more than two
//! seconds after the first.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use base::Instant;

pub const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));

pub struct Router {
    /// How long a silent mapping lives.
    pub lifetime: Duration,
    /// Whether a port outside is the one inside.
    pub keeps_ports: bool,
    /// Whether a new mapping is kept for 30 s.
    pub is_linux: bool,
    /// Mappings that a packet from inside found dead.
    pub found_dead: usize,
    /// Packets from outside that found none.
    pub dropped: usize,
    mappings: BTreeMap<(SocketAddr, SocketAddr), Mapping>,
    last_port: u16,
}

struct Mapping {
    port: u16,
    born: Instant,
    last: Instant,
}

impl Router {
    pub fn new(lifetime: Duration) -> Self {
        Self {
            lifetime,
            keeps_ports: false,
            is_linux: false,
            found_dead: 0,
            dropped: 0,
            mappings: BTreeMap::new(),
            last_port: 20_000,
        }
    }

    /// It begins anew.
    pub fn reboot(&mut self) {
        self.mappings.clear();
        self.last_port += 1000;
    }

    /// A packet goes out. Says where it seems to come from, and whether its mapping is a new one in the place of a dead one.
    pub fn out(&mut self, from: SocketAddr, to: SocketAddr, now: Instant) -> (SocketAddr, bool) {
        let old = self.mappings.get(&(from, to));
        let alive = old.filter(|it| self.is_alive(it, now)).map(|it| (it.port, it.born));
        let (port, born) = alive.unwrap_or_else(|| {
            self.last_port += 1;
            (if self.keeps_ports { from.port() } else { self.last_port }, now)
        });
        let old = self.mappings.insert((from, to), Mapping { port, born, last: now });
        let dead = old.is_some() && alive.is_none();
        self.found_dead += usize::from(dead);
        (SocketAddr::new(PUBLIC, port), dead)
    }

    /// A packet comes in: whom it is for.
    pub fn back(&mut self, to: SocketAddr, from: SocketAddr, now: Instant) -> Option<SocketAddr> {
        let inside = self.mappings.iter().find(|((_, remote), mapping)| {
            *remote == from && mapping.port == to.port() && self.is_alive(mapping, now)
        });
        let inside = inside.map(|((inside, _), _)| *inside);
        self.dropped += usize::from(inside.is_none());
        inside
    }

    fn is_alive(&self, mapping: &Mapping, now: Instant) -> bool {
        let settled = !self.is_linux || mapping.last.since(mapping.born) > Duration::from_secs(2);
        let lifetime = if settled { self.lifetime } else { self.lifetime.min(Duration::from_secs(30)) };
        now.since(mapping.last) < lifetime
    }
}
