//! What a path makes of its relays: an address of ours while it may be needed, given back when it is not.
//!
//! RFC 8445 section 8.3. How a relay is had is in [`crate::path::relays`].

use std::time::Duration;

use base::Instant;

use super::Component;
use crate::path::relays::Told;
use crate::path::{Event, Rung};
use crate::{Candidate, Carrier, Kind};

/// Other candidates are still answered for so long after the choice, which the other side may learn late. RFC 8445 section 8.3.1.
const KEPT_FOR: Duration = Duration::from_secs(3);

impl Component {
    pub(in crate::path) fn relay_told(&mut self, told: Told, now: Instant) {
        match told {
            Told::Allocated { relayed, local, mapped, leg, by } => {
                let rank = self.sockets.iter().find(|socket| socket.local == local).map_or(0, |s| s.rank);
                if by == Rung::Datagrams {
                    self.seen(leg, mapped);
                }
                self.events.push_back(Event::Relay(by));
                let candidate =
                    Candidate::ours(Kind::Relayed, Carrier::Udp, self.number, relayed, local, rank);
                self.agent.add_ours(&candidate, now);
                self.add(candidate);
            }
            Told::Ready { relayed, peer } => {
                if let Some(pair) = self.agent.pair().filter(|p| (p.local, p.remote) == (relayed, peer)) {
                    self.use_pair(&pair);
                }
            }
            Told::Came { relayed, peer, bytes } => {
                self.agent.heard(relayed, false, peer, &bytes, now);
            }
            Told::Gone { relayed } => {
                self.ours.retain(|c| c.address != relayed);
                self.agent.remove_ours(relayed, false);
                if self.agent.pair().is_some_and(|pair| pair.local == relayed) {
                    self.events.push_back(Event::Lost);
                }
            }
        }
    }

    /// What is held for nothing keeps a radio awake: a refresh every few minutes, and a permission's and a channel's beside it.
    /// It goes back as soon as the pair in use has shown that it lasts; a restart asks for another.
    pub(in crate::path) fn release_relays(&mut self, now: Instant) {
        let Some(pair) = self.agent.pair().filter(|_| self.agent.is_settled()) else { return };
        // The round trip is consent's: it was asked for since the choice, and was given.
        if self.chosen_at.is_some_and(|at| now.since(at) >= KEPT_FOR) && self.agent.round_trip().is_some() {
            self.chosen_at = None;
            self.relays.release(pair.local, now, &mut self.orders);
        }
    }

    /// The ways begin anew: so do relays that are held no more.
    pub(in crate::path) fn ask_relays_anew(&mut self, now: Instant) {
        self.chosen_at = None;
        if let (Some(socket), true) = (self.sockets.last(), self.settings.ice) {
            let (leg, local) = (socket.leg, socket.local);
            self.relays.renew(leg, local, &self.settings, now);
        }
    }
}
