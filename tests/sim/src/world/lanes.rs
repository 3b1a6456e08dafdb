//! Sockets of one account's own, exchanges that are spoken to by sealed datagrams, and who listens on the wire.

use std::net::SocketAddr;

use base::{FlowId, NetworkId, Transport};
use bytes::Bytes;

use super::World;
use crate::NodeId;
use crate::node::{Machine, News};
use crate::wire::Socket;

/// The first port of lanes.
const FIRST_PORT: u16 = 7000;

impl World {
    /// An exchange takes datagrams under VOS encryption at this port.
    pub fn listen_vos(&mut self, node: NodeId, port: u16) {
        for ip in self.nodes[node.0].ips.clone() {
            let local = SocketAddr::new(ip, port);
            if let Machine::Exchange(office) = &mut self.nodes[node.0].machine {
                office.machine.seal_at(local);
            }
            let flow = self.wire.flow();
            self.wire.bind_at(node, local, Socket::Signalling(flow));
            let (network, transport) = (NetworkId::SYSTEM, Transport::Udp);
            self.agenda.push_back((node, News::FlowUp { network, flow, transport, local, remote: None }));
        }
        self.work();
    }

    /// The socket of a lane toward there, opened where there is none.
    pub(super) fn lane(
        &mut self,
        node: NodeId,
        network: NetworkId,
        toward: SocketAddr,
    ) -> Option<(FlowId, SocketAddr)> {
        let ip = self.source(node, network.whole(), toward.ip())?;
        if let Some(known) = self.lanes.get(&(node, ip, network)) {
            return Some(*known);
        }
        let local = SocketAddr::new(ip, FIRST_PORT + self.lanes.len() as u16);
        let flow = self.wire.flow();
        self.wire.bind_at(node, local, Socket::Signalling(flow));
        self.lanes.insert((node, ip, network), (flow, local));
        Some((flow, local))
    }

    /// Keeps what signalling puts on the wire from now on.
    pub fn tap(&mut self) {
        self.tapped.get_or_insert_default();
    }

    /// Who sent what where, since [`World::tap`]; lost or not.
    pub fn tapped(&self) -> &[(NodeId, SocketAddr, Bytes)] {
        self.tapped.as_deref().unwrap_or_default()
    }
}
