//! Which address a server sees a socket under. RFC 8445 section 5.1.1.2.
//!
//! Unsigned, as everywhere: a lie is found out when the address does not answer a check.

use std::net::SocketAddr;
use std::time::Duration;

use base::{Instant, Rng};
use bytes::Bytes;

use super::Leg;
use crate::stun::transaction::{Due, Pace, Transactions};
use crate::stun::{Class, Message, Method, TransactionId, Writer};

/// The first wait for an answer. RFC 8445 section 14.3 allows 500 ms for few questions; a description is made after 250 ms,
/// and what was lost should have had its second chance by then.
const RTO: Duration = Duration::from_millis(100);
/// Servers asked from one socket.
const SERVERS: usize = 2;

/// The questions of one path.
#[derive(Debug, Default)]
pub(super) struct Gather {
    questions: Transactions<(Leg, SocketAddr)>,
    mute: Vec<SocketAddr>,
}

/// An answer.
pub(super) enum Answer {
    /// Which address the server sees this socket under.
    Sees(Leg, SocketAddr),
    /// It does not say.
    Refuses,
}

impl Gather {
    pub(super) fn ask(
        &mut self,
        leg: Leg,
        local: SocketAddr,
        servers: &[SocketAddr],
        rng: &mut Rng,
        now: Instant,
    ) {
        let fits = |server: &&SocketAddr| server.is_ipv4() == local.is_ipv4();
        for server in servers.iter().filter(fits).take(SERVERS) {
            let id = TransactionId::draw(rng);
            let request = Writer::request(Method::Binding, id).fingerprinted();
            self.questions.begin(id, request, (leg, *server), Pace::with_rto(RTO), now);
        }
    }

    /// A message came; `None`: it answers none of our questions.
    pub(super) fn heard(&mut self, leg: Leg, from: SocketAddr, bytes: &[u8], now: Instant) -> Option<Answer> {
        let message = Message::read(bytes).ok()?;
        if *self.questions.asked(&message)? != (leg, from) {
            return None;
        }
        self.questions.answered(message.id(), now);
        let mapped = message.mapped().filter(|_| message.class() == Class::Success);
        Some(mapped.map_or(Answer::Refuses, |mapped| Answer::Sees(leg, mapped)))
    }

    pub(super) fn due(&mut self, now: Instant, mut send: impl FnMut(Leg, SocketAddr, Bytes)) {
        while let Some(due) = self.questions.due(now) {
            match due {
                Due::Send((leg, server), bytes) => send(leg, server, bytes),
                Due::GivenUp((_, server)) => {
                    if !self.mute.contains(&server) {
                        self.mute.push(server);
                    }
                }
            }
        }
    }

    pub(super) fn next_wake(&self) -> Option<Instant> {
        self.questions.next_wake().map(|wake| wake.at)
    }

    /// Whether all have answered or been given up.
    pub(super) fn is_done(&self) -> bool {
        self.questions.is_empty()
    }

    /// Nobody waits for the answers any more.
    pub(super) fn stop(&mut self) {
        self.questions.forget(|_| true);
    }

    pub(super) fn mute(&self) -> &[SocketAddr] {
        &self.mute
    }
}
