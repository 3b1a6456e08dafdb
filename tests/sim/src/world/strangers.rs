//! A stranger's media: ports that the test reads and writes in raw datagrams.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::node::Machine;
use crate::stranger::Datagram;
use crate::wire::{NodeId, Socket};

use super::World;

impl World {
    /// A stranger listens at this port of its own.
    pub fn stranger_takes(&mut self, node: NodeId, port: u16) {
        let at = SocketAddr::new(self.ip(node), port);
        self.wire.bind_at(node, at, Socket::Media(port.into(), false));
    }

    /// A stranger sends a datagram from one of its ports.
    pub fn stranger_sends(&mut self, node: NodeId, port: u16, to: SocketAddr, bytes: Bytes) {
        let from = SocketAddr::new(self.ip(node), port);
        self.wire.send_from(node, from, to, bytes, self.now);
    }

    /// What came to a stranger's ports since this was last asked.
    pub fn stranger_took(&mut self, node: NodeId) -> Vec<Datagram> {
        match &mut self.nodes[node.0].machine {
            Machine::Stranger(stranger) => stranger.take_datagrams(),
            _ => Vec::new(),
        }
    }

    /// How a phone's call sounds and what its packets are like, while it has sound.
    pub fn stats(&self, node: NodeId) -> Option<media::Stats> {
        self.at(node).streams.values().find_map(crate::sound::Stream::stats)
    }
}
