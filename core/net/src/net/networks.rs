//! Several networks at once: sockets and name servers of each.
//!
//! On plain Linux a network is its addresses: what is bound to one leaves by its route. Elsewhere [`crate::Bind`] makes sure
//! of it. Knows nothing of which network is the better one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use base::{NetworkId, Transport};

use super::Net;
use crate::dns::Dns;
use crate::{NameServers, NetEvent};

impl Net {
    /// The machine is on a network, beside others, and has these addresses there: sockets of its own are bound to one of
    /// each family, and names looked up there with these servers. Without any, only a [`crate::Bind`] keeps its sockets
    /// there. Told again, what has an address no more is closed.
    /// A port that cannot be had is found by who would use it.
    pub fn join(&mut self, network: NetworkId, addrs: &[IpAddr], servers: NameServers) {
        let dns = Dns::by(network, servers, addrs.to_vec(), self.binder.clone());
        self.dns.insert(network, dns);
        self.routes.forget();
        let any = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
        let addrs = if addrs.is_empty() { &any[..] } else { addrs };
        let ours = |net: NetworkId, bound: SocketAddr| net.whole() == network && !addrs.contains(&bound.ip());
        let udp = self.udp.values().filter(|udp| ours(udp.network, udp.bound)).map(|udp| udp.bound);
        for gone in udp.collect::<Vec<_>>() {
            self.unlisten(gone);
        }
        for v4 in [true, false] {
            let has = self.udp.values().any(|udp| udp.network == network && udp.bound.is_ipv4() == v4);
            let usable = addrs.iter().filter(|ip| ip.is_ipv4() == v4 && !is_link_local(**ip));
            for ip in usable.take(usize::from(!has)) {
                // TCP on the same port, RFC 3261 section 18.2.1; without it connections that we make still work.
                if let Ok(addr) = self.listen_by(network, Transport::Udp, SocketAddr::new(*ip, 0)) {
                    let _ = self.listen_by(network, Transport::Tcp, addr);
                }
            }
        }
    }

    /// Datagrams by that network leave from a further port from now on, beside every socket that it has; or from the usual ones
    /// again. A port that cannot be had leaves all as it is.
    pub(super) fn switch_port(&mut self, network: NetworkId, further: bool) {
        let has = self.udp.values().any(|udp| udp.network == network && udp.further);
        if further && !has {
            let usual = self.udp.values().filter(|udp| udp.network == network);
            for bound in usual.map(|udp| udp.bound).collect::<Vec<_>>() {
                if self.bind_udp(network, SocketAddr::new(bound.ip(), 0)).is_ok()
                    && let Some(mut udp) = self.udp.last_entry()
                {
                    udp.get_mut().further = true;
                }
            }
        }
        for udp in self.udp.values_mut().filter(|udp| udp.network == network) {
            udp.in_use = udp.further == further;
        }
    }

    /// The machine is no longer on that network: all that went by it is closed.
    pub fn leave(&mut self, network: NetworkId) {
        self.dns.remove(&network);
        self.routes.forget();
        for listener in &mut self.listeners {
            if listener.as_ref().is_some_and(|l| l.network == network) {
                *listener = None;
            }
        }
        let udp = self.udp.iter().filter(|(_, udp)| udp.network.whole() == network).map(|(flow, _)| *flow);
        let streams = self.streams.iter().filter(|(_, s)| s.network == network).map(|(flow, _)| *flow);
        for flow in udp.chain(streams).collect::<Vec<_>>() {
            // What waits to be written would wait for ever.
            let told = self.streams.get(&flow).is_some_and(|s| s.closing);
            if (self.udp.remove(&flow).is_some() || self.forget_stream(flow)) && !told {
                self.news.push_back(NetEvent::FlowDown { flow });
            }
        }
        let over = self.dials.iter().filter(|(_, dial)| dial.whom.network == network).map(|(id, _)| *id);
        for id in over.collect::<Vec<_>>() {
            if let Some(dial) = self.dials.remove(&id) {
                self.give_up(&dial, None);
            }
        }
    }
}

/// An address that means nothing without its interface, and that no server sees.
fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}
