//! The server S and a relay on one host: which address does the world see me under, and pass this on.
//!
//! S is the pocket exchange's own STUN machine, the relay this crate's. Both by UDP and TCP. Knows no socket: the world binds
//! what they need, under the port as its name.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use base::{FlowId, Instant, Rng};
use bytes::Bytes;
use exchange::stun::{Origin, StunServer};
use nat::framing::{self, Framing, Splitter};

use crate::relay::{Relay, Via};

/// S listens here.
pub const STUN_PORT: u16 = 3478;
/// The relay listens here.
pub const RELAY_PORT: u16 = 3479;
/// The relay's only user, and the password.
pub const RELAY_USER: (&str, &str) = ("offhook", "swordfish");

/// Something that goes out.
pub(crate) enum Out {
    Datagram { from: SocketAddr, to: SocketAddr, bytes: Bytes },
    Chunk { flow: FlowId, bytes: Bytes },
}

/// Both servers.
#[derive(Debug)]
pub struct Servers {
    stun: StunServer,
    relay: Relay,
    ip: IpAddr,
    streams: BTreeMap<FlowId, (u16, SocketAddr, Splitter)>,
    /// What went through the relay, in packets.
    relayed: u64,
}

impl Servers {
    pub(crate) fn new(ip: IpAddr, rng: Rng) -> Self {
        let at = |port| SocketAddr::new(ip, port);
        Self {
            stun: StunServer::new(at(STUN_PORT), None),
            relay: Relay::new(at(RELAY_PORT), &[RELAY_USER], rng),
            ip,
            streams: BTreeMap::new(),
            relayed: 0,
        }
    }

    /// How many packets went through the relay.
    pub fn relayed(&self) -> u64 {
        self.relayed
    }

    /// How many addresses the relay holds for others.
    pub fn allocations(&self) -> usize {
        self.relay.relayed().count()
    }

    /// The ports that datagrams are taken at.
    pub(crate) fn ports(&self) -> Vec<SocketAddr> {
        let own = [STUN_PORT, RELAY_PORT].map(|port| SocketAddr::new(self.ip, port));
        own.into_iter().chain(self.relay.relayed()).collect()
    }

    pub(crate) fn datagram(&mut self, port: u16, from: SocketAddr, bytes: &[u8], now: Instant) -> Vec<Out> {
        match port {
            STUN_PORT => {
                let reply = self.stun.datagram(Origin::default(), from, bytes, now);
                let at = SocketAddr::new(self.ip, STUN_PORT);
                reply
                    .map(|reply| Out::Datagram { from: at, to: reply.to, bytes: reply.bytes })
                    .into_iter()
                    .collect()
            }
            RELAY_PORT => {
                let out = self.relay.received(from, bytes, Via::Udp, now);
                self.relay_out(out)
            }
            port => {
                self.relayed += 1;
                let out = self.relay.arrived(SocketAddr::new(self.ip, port), from, bytes, now);
                self.relay_out(out)
            }
        }
    }

    pub(crate) fn stream_up(&mut self, flow: FlowId, port: u16, remote: SocketAddr) {
        self.streams.insert(flow, (port, remote, Splitter::new(Framing::Turn)));
    }

    pub(crate) fn stream_down(&mut self, flow: FlowId) {
        self.streams.remove(&flow);
    }

    pub(crate) fn chunk(&mut self, flow: FlowId, bytes: &[u8], now: Instant) -> Vec<Out> {
        let Some((port, remote, splitter)) = self.streams.get_mut(&flow) else { return Vec::new() };
        let (port, remote) = (*port, *remote);
        splitter.feed(bytes);
        let mut messages = Vec::new();
        while let Ok(Some(message)) = splitter.next_message() {
            messages.push(message.to_vec());
        }
        let mut out = Vec::new();
        for message in messages {
            if port == STUN_PORT {
                let answer = self.stun.stream_message(Origin::default(), remote, &message, now);
                out.extend(answer.map(|bytes| Out::Chunk { flow, bytes }));
            } else {
                let sent = self.relay.received(remote, &message, Via::Tcp, now);
                out.extend(self.relay_out(sent));
            }
        }
        out
    }

    fn relay_out(&self, out: Vec<crate::relay::Out>) -> Vec<Out> {
        let one = |out: crate::relay::Out| match out.via {
            Via::Udp => Some(Out::Datagram { from: out.from, to: out.to, bytes: out.bytes.into() }),
            Via::Tcp => {
                let flow = self
                    .streams
                    .iter()
                    .find(|(_, (_, remote, _))| *remote == out.to)
                    .map(|(flow, _)| *flow)?;
                let mut framed = Vec::new();
                framing::write(Framing::Turn, &out.bytes, &mut framed).expect("a message fits a stream");
                Some(Out::Chunk { flow, bytes: framed.into() })
            }
        };
        out.into_iter().filter_map(one).collect()
    }
}
