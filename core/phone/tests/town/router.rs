//! A router that translates addresses between phones and peers, and forgets what is silent. RFC 4787, RFC 5382.
//!
//! One mapping for each remote, renewed from inside only.

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
    /// Mappings that a packet from inside found dead.
    pub found_dead: usize,
    /// Packets from outside that found none.
    pub dropped: usize,
    mappings: BTreeMap<(SocketAddr, SocketAddr), (u16, Instant)>,
    last_port: u16,
}

impl Router {
    pub fn new(lifetime: Duration) -> Self {
        Self {
            lifetime,
            keeps_ports: false,
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
        let old = self.mappings.get(&(from, to)).copied();
        let alive = old.filter(|(_, last)| now.since(*last) < self.lifetime);
        let port = match alive {
            Some((port, _)) => port,
            None if self.keeps_ports => from.port(),
            None => {
                self.last_port += 1;
                self.last_port
            }
        };
        self.mappings.insert((from, to), (port, now));
        let dead = old.is_some() && alive.is_none();
        self.found_dead += usize::from(dead);
        (SocketAddr::new(PUBLIC, port), dead)
    }

    /// A packet comes in: whom it is for.
    pub fn back(&mut self, to: SocketAddr, from: SocketAddr, now: Instant) -> Option<SocketAddr> {
        let inside = self.mappings.iter().find(|((_, remote), (port, last))| {
            *remote == from && *port == to.port() && now.since(*last) < self.lifetime
        });
        let inside = inside.map(|((inside, _), _)| *inside);
        self.dropped += usize::from(inside.is_none());
        inside
    }
}
