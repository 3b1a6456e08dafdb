//! Our own addresses on a path: found, ordered, and told to the other side.
//!
//! RFC 8445 section 5.1. Knows nothing of whether the other side reaches one.

use std::net::SocketAddr;

use super::{Component, Stage};
use crate::path::{Description, Event, Leg, Tcp};
use crate::{Candidate, Carrier, Kind};

impl Component {
    /// Our part of the next description: `None` where the other side was found to know no ICE.
    pub(in crate::path) fn description(&self) -> Option<Description> {
        (self.settings.ice && self.stage != Stage::Plain).then(|| Description {
            credentials: self.agent.credentials().clone(),
            candidates: self.ours.clone(),
            lite: false,
            trickle: true,
        })
    }

    /// Where those send to who do not check: what a server saw, else our own. RFC 8445 section 5.1.1: the likeliest to be reached.
    pub(in crate::path) fn default_address(&self) -> Option<SocketAddr> {
        let youngest = self.sockets.last()?;
        if !self.settings.udp {
            // Only a relay still takes their datagrams for us.
            let relayed = self.ours.iter().find(|c| c.kind == Kind::Relayed).map(|c| c.address);
            return Some(relayed.unwrap_or(youngest.local));
        }
        let of = |kind| {
            let is_it = |c: &&Candidate| {
                c.kind == kind && c.carrier == Carrier::Udp && c.related == Some(youngest.local)
            };
            self.ours.iter().find(is_it).map(|c| c.address)
        };
        Some(of(Kind::ServerReflexive).unwrap_or(youngest.local))
    }

    /// A server told which address it sees.
    pub(in crate::path) fn seen(&mut self, leg: Leg, mapped: SocketAddr) {
        self.suspect_at = None;
        if self.settings.tcp == Tcp::IfBlocked {
            self.punching.call_off(&mut self.orders);
        }
        let Some(socket) = self.sockets.iter().find(|socket| socket.leg == leg).copied() else { return };
        // IPv4 outside of IPv6 is what a translator has made of it.
        if mapped != socket.local && (mapped.is_ipv4() || socket.local.is_ipv6()) {
            let kind = Kind::ServerReflexive;
            self.add(Candidate::ours(kind, Carrier::Udp, self.number, mapped, socket.local, socket.rank));
        }
    }

    pub(in crate::path) fn add(&mut self, candidate: Candidate) {
        if self
            .ours
            .iter()
            .any(|known| (known.address, known.carrier) == (candidate.address, candidate.carrier))
        {
            return;
        }
        let at = self.ours.partition_point(|known| known.priority > candidate.priority);
        self.ours.insert(at, candidate);
        if self.is_gathered() {
            self.events.push_back(Event::More);
        }
    }
}
