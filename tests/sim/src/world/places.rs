//! Where nodes are: networks behind routers, which one has a node in it, and what befalls routers.
//!
//! The internet is 10.0.0.0/24 (2001:db8::/64); a router's outside addresses there are of 203.0.113.0/24. Networks behind
//! routers are 192.168.1.0/24 each, unless the router says otherwise, and the first host has 2.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use phone::NetworkNews;

use crate::Link;
use crate::nat::{Nat, NatBox};
use crate::node::News;
use crate::wire::{NetworkId, NodeId, Wire};

use super::World;

impl World {
    /// A new network behind a router of this kind on the internet.
    pub fn behind(&mut self, nat: Nat) -> NetworkId {
        self.behind_in(NetworkId::INTERNET, nat)
    }

    /// A new network behind a router of this kind that is itself in a network behind another.
    pub fn behind_in(&mut self, outside: NetworkId, nat: Nat) -> NetworkId {
        let faces = self.faces(outside, nat.pool);
        self.wire.add_network(nat, outside, faces)
    }

    /// The next nodes are here.
    pub fn settle_in(&mut self, network: NetworkId) {
        self.place = network;
    }

    /// The address that the next node gets.
    pub fn next_ip(&self) -> IpAddr {
        if self.place != NetworkId::INTERNET {
            return self.free_ip(self.place);
        }
        let number = self.nodes.len() as u8 + 1;
        if self.ipv6 {
            IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number.into()))
        } else {
            IpAddr::V4(Ipv4Addr::new(10, 0, 0, number))
        }
    }

    /// An address that nobody has in a network behind a router; on the internet, one for a router.
    pub fn free_ip(&self, network: NetworkId) -> IpAddr {
        if self.wire.nat(network).is_some_and(|router| router.nat().nat64.is_some()) {
            let all = (2..=254).map(|d| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, d)));
            return all
                .into_iter()
                .find(|ip| !self.wire.has(network, *ip))
                .expect("a simulated network is small");
        }
        let (base, first) = match self.wire.nat(network) {
            Some(router) => (router.nat().inside, 2),
            None => (Ipv4Addr::new(203, 0, 113, 0), 1),
        };
        let [a, b, c, _] = base.octets();
        let all = (first..=254).map(|d| IpAddr::V4(Ipv4Addr::new(a, b, c, d)));
        all.into_iter().find(|ip| !self.wire.has(network, *ip)).expect("a simulated network is small")
    }

    /// Addresses for a router, one after the other.
    fn faces(&self, network: NetworkId, count: u8) -> Vec<IpAddr> {
        let IpAddr::V4(first) = self.free_ip(network) else { return Vec::new() };
        let all = (0..).map(|n| IpAddr::V4(Ipv4Addr::from_bits(first.to_bits() + n)));
        all.filter(|ip| !self.wire.has(network, *ip)).take(count.max(1).into()).collect()
    }

    /// A node also has an address in this network. Its sockets there open, and it is told all its addresses.
    pub fn join(&mut self, node: NodeId, network: NetworkId, ip: IpAddr) {
        self.wire.join(node, network, ip);
        let ips = &mut self.nodes[node.0].ips;
        ips.retain(|known| *known != ip);
        ips.push(ip);
        self.open_sockets(node, ip);
        self.tell_addresses(node);
    }

    /// A network vanishes for a node, and with it its sockets and streams there; only itself is told.
    pub fn leave(&mut self, node: NodeId, network: NetworkId) {
        for flow in self.wire.leave(node, network) {
            self.agenda.push_back((node, News::FlowDown { flow }));
        }
        self.tell_addresses(node);
    }

    fn tell_addresses(&mut self, node: NodeId) {
        let (wire, n) = (&self.wire, &mut self.nodes[node.0]);
        let is_there = |ip: &IpAddr| wire.network_of(node, *ip).is_some();
        let news = if n.ips.iter().any(is_there) {
            n.ips.retain(is_there);
            News::Network(NetworkNews::Up { addrs: n.ips.clone() })
        } else {
            // The last one stays what it is known by.
            News::Network(NetworkNews::Down)
        };
        self.agenda.push_back((node, news));
        self.work();
    }

    /// A node prefers this network for whatever it sends.
    pub fn prefer(&mut self, node: NodeId, network: NetworkId) {
        self.wire.prefer(node, network);
    }

    /// A node's own way into a network is like this, both ways: cut, it has vanished without notice.
    pub fn set_access(&mut self, node: NodeId, network: NetworkId, link: Link) {
        self.wire.set_access(node, network, link);
    }

    /// What both sides of a network's router are like.
    pub fn set_router_links(&mut self, network: NetworkId, inside: Link, outside: Link) {
        self.wire.set_router_links(network, inside, outside);
    }

    /// The network that a node is in, its first.
    pub fn home_of(&self, node: NodeId) -> NetworkId {
        self.wire.network_of(node, self.nodes[node.0].ips[0]).expect("a node is somewhere")
    }

    /// The router of a network.
    pub fn router(&self, network: NetworkId) -> &NatBox {
        self.wire.nat(network).expect("a network behind a router")
    }

    /// It becomes another kind of router, and remembers what it did.
    pub fn set_router(&mut self, network: NetworkId, nat: Nat) {
        if let Some(router) = self.wire.nat_mut(network) {
            router.set_nat(nat);
        }
    }

    /// It is switched off and on: nobody has a mapping.
    pub fn reboot_router(&mut self, network: NetworkId) {
        if let Some(router) = self.wire.nat_mut(network) {
            router.reboot();
        }
    }

    /// Its provider gives it other outside addresses.
    pub fn rebind_router(&mut self, network: NetworkId) {
        let (outside, count) = (self.wire.outside_of(network), self.router(network).outside().len());
        let faces = self.faces(outside, count as u8);
        self.wire.rebind(network, faces);
    }

    /// The wire itself, for a test that is a node's kernel.
    pub fn wire(&mut self) -> &mut Wire {
        &mut self.wire
    }
}
