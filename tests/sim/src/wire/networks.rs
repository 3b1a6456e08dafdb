//! A node on several networks: one address each, and sockets of its own.

use std::net::{IpAddr, SocketAddr};

use base::FlowId;

use super::{NodeId, Socket, Wire};

impl Wire {
    /// The signalling socket of a node at that address: the usual one, on SIP's port, or a further one.
    pub fn signalling_at(&self, node: NodeId, ip: IpAddr, further: bool) -> Option<(FlowId, SocketAddr)> {
        self.sockets.iter().find_map(|((whose, addr), socket)| match socket {
            Socket::Signalling(flow)
                if *whose == node && addr.ip() == ip && (addr.port() != 5060) == further =>
            {
                Some((*flow, *addr))
            }
            Socket::Signalling(_) | Socket::Media(..) => None,
        })
    }
}
