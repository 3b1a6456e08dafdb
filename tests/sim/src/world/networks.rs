//! Phones on several networks at once, told of each by name.

use std::net::{IpAddr, SocketAddr};

use base::{NetworkId, Redacted, Transport};
use phone::{Network, NetworkKind, NetworkNews};

use crate::node::{Machine, News};
use crate::wire::{NetworkId as Place, NodeId, Socket};

use super::World;

impl World {
    /// A phone is on one more network, with the first of its addresses: on the internet itself.
    pub fn appear(&mut self, node: NodeId, network: Network) {
        self.appear_in(node, Place::INTERNET, network);
    }

    /// The same, behind a router.
    pub fn appear_in(&mut self, node: NodeId, place: Place, network: Network) {
        let ip = network.addrs[0];
        self.wire.join(node, place, ip);
        let n = &mut self.nodes[node.0];
        n.ips.push(ip);
        n.networks.insert(ip, network.id);
        self.open_sockets(node, ip);
        self.agenda.push_back((node, News::Network(NetworkNews::Appeared(network))));
        self.work();
    }

    /// A phone loses one of its networks, and knows it.
    pub fn vanish(&mut self, node: NodeId, network: NetworkId) {
        self.agenda.push_back((node, News::Network(NetworkNews::Vanished(network))));
        let gone: Vec<IpAddr> = self.nodes[node.0]
            .ips
            .iter()
            .copied()
            .filter(|ip| self.network_at(node, *ip) == network)
            .collect();
        let n = &mut self.nodes[node.0];
        n.networks.retain(|_, id| *id != network);
        n.ips.retain(|ip| !gone.contains(ip));
        for flow in gone.into_iter().flat_map(|ip| self.wire.leave_at(node, ip)).collect::<Vec<_>>() {
            self.agenda.push_back((node, News::FlowDown { flow }));
        }
        self.work();
    }

    /// Tells a phone of its networks, whatever they are in truth.
    pub fn tell_of_network(&mut self, node: NodeId, news: NetworkNews) {
        self.agenda.push_back((node, News::Network(news)));
        self.work();
    }

    /// A phone that knows of one network hears what that is known by.
    pub fn identify(&mut self, node: NodeId, identity: &str) {
        let addrs = self.nodes[node.0].ips.clone();
        let network = Network {
            identity: Some(Redacted::new(identity.to_owned())),
            ..Network::new(NetworkId::SYSTEM, NetworkKind::Wifi, addrs)
        };
        self.tell_of_network(node, NetworkNews::Appeared(network));
    }

    /// A phone's media have reason to believe that the way is dead.
    pub fn path_suspect(&mut self, node: NodeId) {
        if let Machine::Phone(handset) = &self.nodes[node.0].machine
            && let Some(network) = handset.phone().network_of(crate::phone::ACCOUNT)
        {
            self.tell_of_network(node, NetworkNews::Suspect(network));
        }
    }

    /// Datagrams of a node by that network leave from another port than 5060 from now on, or from that again.
    pub(super) fn switch_port(&mut self, node: NodeId, network: NetworkId, further: bool) {
        if !further {
            self.further.remove(&(node, network));
            return;
        }
        self.further.insert((node, network));
        for ip in self.nodes[node.0].ips.clone() {
            if self.network_at(node, ip) == network && self.wire.signalling_at(node, ip, true).is_none() {
                let (flow, local) = (self.wire.flow(), SocketAddr::new(ip, self.wire.port()));
                self.wire.bind_at(node, local, Socket::Signalling(flow));
                let transport = Transport::Udp;
                self.agenda.push_back((node, News::FlowUp { network, flow, transport, local, remote: None }));
            }
        }
    }

    /// The network that an address of a node is on.
    pub(super) fn network_at(&self, node: NodeId, ip: IpAddr) -> NetworkId {
        self.nodes[node.0].networks.get(&ip).copied().unwrap_or(NetworkId::SYSTEM)
    }

    /// The address that a node has on a network, of the family of `toward`.
    pub(super) fn source(&self, node: NodeId, network: NetworkId, toward: IpAddr) -> Option<IpAddr> {
        let mut ips = self.nodes[node.0].ips.iter();
        ips.find(|ip| ip.is_ipv4() == toward.is_ipv4() && self.network_at(node, **ip) == network).copied()
    }
}
