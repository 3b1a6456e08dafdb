//! Which flow reaches whom, and what address others can use to reach us by it.
//!
//! RFC 3261 section 18 (a connection to a remote is used again), RFC 5626 section 3.5.1 (CRLF keepalives answered), RFC 3581
//! (the address others see us come from). Knows the names of sockets, not the sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use base::{FlowId, NetworkId, Rng, Transport};
use bytes::Bytes;

use super::profile::ContactAddress;
use crate::message::{Framed, Message, Rport, Side, Stream};
use crate::order::{Order, Orders};
use crate::transaction::{Hop, Source};

/// Remotes remembered. A cache: what is forgotten is asked for again.
const MAX_ROUTES: usize = 4096;

/// Names of servers remembered. Those that people call by TLS are few.
const MAX_NAMES: usize = 256;

/// A flow that is usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowUp {
    /// The network it goes by.
    pub network: NetworkId,
    /// Its name.
    pub flow: FlowId,
    /// Its carrier.
    pub transport: Transport,
    /// Our address on it that others can use.
    pub local: SocketAddr,
    /// The other end; `None` for a listening UDP socket.
    pub remote: Option<SocketAddr>,
}

/// Whom to reach, by what, and by which network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Toward {
    pub(super) network: NetworkId,
    pub(super) transport: Transport,
    pub(super) remote: SocketAddr,
    /// Under TLS: whose certificate it has shown, or must show. By WebSocket: who was asked for.
    pub(super) name: Named,
}

impl Toward {
    /// The same, whatever its name: news of the wire tell none.
    pub(super) fn is_at(&self, other: &Self) -> bool {
        Self { name: Named::NOBODY, ..*self } == Self { name: Named::NOBODY, ..*other }
    }
}

/// The name of a server, as [`Flows::named`] knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Named(u16);

impl Named {
    /// Nobody in particular: what is neither under TLS nor by WebSocket.
    pub(super) const NOBODY: Self = Self(0);
}

/// All flows of an agent.
#[derive(Debug, Default)]
pub(super) struct Flows {
    by_id: BTreeMap<FlowId, Flow>,
    routes: BTreeMap<Toward, Route>,
    opening: BTreeSet<Toward>,
    names: Vec<Arc<str>>,
    /// What stands for our address where we have none; drawn when it is first needed.
    nowhere: Arc<str>,
    /// Streams closed because they could not be read on.
    pub(super) broken_streams: u64,
}

#[derive(Debug)]
struct Flow {
    network: NetworkId,
    transport: Transport,
    local: SocketAddr,
    name: Named,
    /// `Some` for a stream: what came and is not yet a whole message.
    stream: Option<Stream>,
}

#[derive(Debug, Clone, Copy)]
struct Route {
    flow: FlowId,
    local: SocketAddr,
    /// What that remote saw us come from.
    learned: Option<SocketAddr>,
}

/// Where our Contact says that we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// There.
    At(SocketAddr),
    /// Nowhere: whoever took the connection uses it. RFC 7118 section 5 and appendix B.1.
    Nowhere(Arc<str>),
}

impl Place {
    /// Whether a flow is meant, for there is no address.
    pub(super) const fn is_nowhere(&self) -> bool {
        matches!(self, Self::Nowhere(_))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(address) => address.fmt(f),
            Self::Nowhere(name) => write!(f, "{name}.invalid"),
        }
    }
}

/// How far away a remote is.
#[derive(Debug)]
pub(super) enum Reach {
    /// Ready to be written to.
    Ready(Hop),
    /// A flow has been ordered: `flow_up` or `flow_failed` will name the same remote.
    Opening,
}

impl Flows {
    /// The name of a server under TLS: of the URI that leads to it. RFC 5922 section 7.3.
    pub(super) fn named(&mut self, name: &str) -> Named {
        let at = self.names.iter().position(|known| known.eq_ignore_ascii_case(name));
        let at = at.unwrap_or_else(|| {
            if self.names.len() >= MAX_NAMES {
                // Flows under old numbers would be taken for others'.
                return MAX_NAMES;
            }
            self.names.push(Arc::from(name));
            self.names.len() - 1
        });
        Named(at as u16 + 1)
    }

    /// A way to that remote, ordering one when there is none.
    pub(super) fn reach(&mut self, toward: Toward, out: &mut Orders) -> Reach {
        let Toward { network, transport, remote, name } = toward;
        if let Some(hop) = self.known(toward) {
            return Reach::Ready(hop);
        }
        let name = name.0.checked_sub(1).and_then(|at| self.names.get(usize::from(at))).cloned();
        // One name at a time: whose flow comes up is told by its remote only.
        if !self.opening.iter().any(|other| other.is_at(&toward)) {
            self.opening.insert(toward);
            out.push(Order::OpenFlow { network, transport, remote, name });
        }
        Reach::Opening
    }

    /// Draws a name for nowhere: one for all connections, for a registration by the next is the same one then.
    pub(super) fn hide(&mut self, rng: &mut Rng) {
        if self.nowhere.is_empty() {
            let name: String = rng.token::<12>().into_iter().map(char::from).collect();
            self.nowhere = name.into();
        }
    }

    /// A flow is there, for `remote` or (a UDP socket) for nobody in particular yet.
    pub(super) fn up(&mut self, up: FlowUp) {
        let FlowUp { network, flow, transport, local, remote } = up;
        let toward = |remote| Toward { network, transport, remote, name: Named::NOBODY };
        let ordered = remote
            .and_then(|remote| self.opening.iter().find(|opening| opening.is_at(&toward(remote))).copied());
        // Connections that others opened to us are told with their remote as ours are; the side only matters for keepalives,
        // and a ping heard as two pongs by one who opened is harmless, so ours are those we have ordered.
        let side = if ordered.is_some() { Side::Opened } else { Side::Accepted };
        let name = ordered.map_or(Named::NOBODY, |ordered| ordered.name);
        let stream = transport.is_stream().then(|| Stream::new(side));
        self.by_id.entry(flow).or_insert(Flow { network, transport, local, name, stream });
        let Some(remote) = remote else { return };
        let toward = ordered.unwrap_or_else(|| toward(remote));
        self.opening.remove(&toward);
        if self.routes.len() >= MAX_ROUTES {
            self.routes.retain(|toward, _| toward.transport.is_reliable());
        }
        // What was seen of another socket is nothing that this one would be seen as.
        let same = self.routes.get(&toward).filter(|old| (old.flow, old.local) == (flow, local));
        let learned = same.and_then(|old| old.learned);
        self.routes.insert(toward, Route { flow, local, learned });
    }

    /// Datagrams by that network leave from another port from now on: for each remote it is asked anew which.
    pub(super) fn switch_port(&mut self, network: NetworkId) {
        self.routes.retain(|toward, _| toward.network != network || toward.transport != Transport::Udp);
    }

    /// A flow is gone, and with it every way that led over it.
    pub(super) fn down(&mut self, flow: FlowId) {
        self.by_id.remove(&flow);
        self.routes.retain(|_, route| route.flow != flow);
    }

    /// No flow could be had, which is told with the name that it was ordered for; or what was sent there was returned, and
    /// that way is closed: its flow.
    pub(super) fn failed(&mut self, mut toward: Toward) -> (Toward, Option<FlowId>) {
        if let Some(ordered) = self.opening.iter().find(|opening| opening.is_at(&toward)).copied() {
            self.opening.remove(&ordered);
            toward = ordered;
        }
        (toward, self.routes.remove(&toward).map(|route| route.flow))
    }

    /// What is known of bytes that came from there.
    pub(super) fn source(&self, flow: FlowId, remote: SocketAddr) -> Option<Source> {
        let Flow { network, transport, local, name, .. } = *self.by_id.get(&flow)?;
        let toward = Toward { network, transport, remote, name };
        let local = self.routes.get(&toward).map_or(local, |route| route.local);
        Some(Source { flow, transport, remote, local })
    }

    /// Takes note of the address a response says we came from. RFC 3581 section 4.
    pub(super) fn learn(&mut self, response: &Message, source: &Source) {
        let Some(toward) = self.toward(source.flow, source.remote) else { return };
        // What came late to a port that was left says nothing of the one in use.
        let route = self.routes.get_mut(&toward).filter(|route| route.flow == source.flow);
        let Some(route) = route else { return };
        let Ok(via) = response.top_via() else { return };
        if let Rport::Port(port) = via.rport {
            let ip = via.received.unwrap_or(route.local.ip());
            route.learned = Some(SocketAddr::new(ip, port));
        }
    }

    /// The address for a Contact that `remote` is to use.
    ///
    /// By WebSocket there is none. On another stream it is where we listen, unless a NAT stands between: a connection's own port is dialled in vain, and
    /// would make a new binding, and calls that nobody can reach, of each connection that replaces another.
    pub(super) fn contact_address(&self, which: ContactAddress, hop: Hop) -> Place {
        let Hop { flow, transport, remote, local } = hop;
        if transport.is_web() {
            return Place::Nowhere(self.nowhere.clone());
        }
        let route = || self.routes.get(&self.toward(flow, remote)?);
        let learned = match which {
            ContactAddress::Local => None,
            ContactAddress::Learned => route().and_then(|route| route.learned),
        };
        Place::At(match learned {
            Some(seen) if !transport.is_reliable() || seen.ip() != local.ip() => seen,
            Some(_) | None if transport == Transport::Tcp => self.listener(local.ip()).unwrap_or(local),
            Some(_) | None => local,
        })
    }

    /// Where we listen for TCP on this address: where we do for UDP. RFC 3261 section 18.2.1.
    fn listener(&self, ip: IpAddr) -> Option<SocketAddr> {
        let mut sockets = self.by_id.values().filter(|flow| flow.transport == Transport::Udp);
        sockets.find(|flow| flow.local.ip() == ip).map(|flow| flow.local)
    }

    /// The route that leads there now, without ordering one.
    ///
    /// An address for a name asks for nobody in particular: whoever has shown who he is there is the one. So the Route that
    /// a server puts in with its own address leads over the connection that it came by.
    pub(super) fn known(&self, toward: Toward) -> Option<Hop> {
        let Toward { transport, remote, name, .. } = toward;
        let any = || {
            let named = self.names.get(usize::from(name.0.checked_sub(1)?))?;
            let is_address = named.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
            let mut routes = self.routes.iter().filter(|(other, _)| is_address && other.is_at(&toward));
            routes.next().map(|(_, route)| route)
        };
        let route = self.routes.get(&toward).or_else(any)?;
        Some(Hop { flow: route.flow, transport, remote, local: route.local })
    }

    /// The way of a flow that came from there.
    pub(super) fn way_back(&self, flow: FlowId, remote: SocketAddr) -> Option<Hop> {
        self.known(self.toward(flow, remote)?)
    }

    /// Whom a flow leads to, and by which network.
    fn toward(&self, flow: FlowId, remote: SocketAddr) -> Option<Toward> {
        let Flow { network, transport, name, .. } = *self.by_id.get(&flow)?;
        Some(Toward { network, transport, remote, name })
    }

    /// The network that a flow goes by.
    pub(super) fn network(&self, flow: FlowId) -> Option<NetworkId> {
        self.by_id.get(&flow).map(|flow| flow.network)
    }

    /// Takes a chunk of a stream; [`next_framed`](Self::next_framed) hands out what it completes.
    pub(super) fn push_chunk(&mut self, flow: FlowId, chunk: &[u8]) {
        if let Some(stream) = self.stream(flow) {
            stream.push(chunk);
        }
    }

    /// The next whole message of a stream. Keepalives are answered here; a stream that cannot be read on is closed.
    pub(super) fn next_framed(
        &mut self,
        flow: FlowId,
        remote: SocketAddr,
        out: &mut Orders,
    ) -> Option<Bytes> {
        loop {
            match self.stream(flow)?.next() {
                Ok(Some(Framed::Message(bytes))) => return Some(bytes),
                Ok(Some(Framed::Ping)) => {
                    out.push(Order::Send { flow, to: remote, bytes: Bytes::from_static(b"\r\n") });
                }
                Ok(Some(Framed::Pong)) => {}
                Ok(None) => return None,
                Err(_) => {
                    self.broken_streams += 1;
                    out.push(Order::CloseFlow { flow });
                    return None;
                }
            }
        }
    }

    /// Whether bytes of this flow need framing; `None`: we know of no such flow.
    pub(super) fn is_stream(&self, flow: FlowId) -> Option<bool> {
        self.by_id.get(&flow).map(|flow| flow.stream.is_some())
    }

    fn stream(&mut self, flow: FlowId) -> Option<&mut Stream> {
        self.by_id.get_mut(&flow)?.stream.as_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_contact_on_a_stream_names_the_listener_unless_a_nat_stands_between() {
        let (registrar, ours) = (addr("192.0.2.1:5060"), addr("10.0.0.2:40000"));
        let (network, transport) = (NetworkId::SYSTEM, Transport::Tcp);
        let hop = Hop { flow: FlowId(1), transport, remote: registrar, local: ours };
        let contact = |flows: &Flows| flows.contact_address(ContactAddress::Learned, hop).to_string();
        let mut flows = Flows::default();
        flows.up(FlowUp { network, flow: FlowId(1), transport, local: ours, remote: Some(registrar) });
        assert_eq!(contact(&flows), "10.0.0.2:40000", "nothing listens");
        let local = addr("10.0.0.2:5062");
        flows.up(FlowUp { network, flow: FlowId(2), transport: Transport::Udp, local, remote: None });
        assert_eq!(contact(&flows), "10.0.0.2:5062");
        let learn = |flows: &mut Flows, seen: &str| {
            let toward = Toward { network, transport, remote: registrar, name: Named::NOBODY };
            flows.routes.get_mut(&toward).unwrap().learned = Some(addr(seen));
        };
        learn(&mut flows, "10.0.0.2:40000");
        assert_eq!(contact(&flows), "10.0.0.2:5062");
        learn(&mut flows, "198.51.100.7:40000");
        assert_eq!(contact(&flows), "198.51.100.7:40000");
    }

    /// RFC 7118 appendix B.1: what a connection is seen from is nothing that could be dialled.
    #[test]
    fn a_contact_by_web_socket_names_nobody_and_the_same_nobody_by_the_next_connection() {
        let (registrar, network) = (addr("192.0.2.1:443"), NetworkId::SYSTEM);
        let (mut flows, mut rng) = (Flows::default(), Rng::from_number(1));
        let mut contact = |flow, transport, local| {
            let hop = Hop { flow: FlowId(flow), transport, remote: registrar, local: addr(local) };
            flows.hide(&mut rng);
            flows.up(FlowUp {
                network,
                flow: hop.flow,
                transport,
                local: hop.local,
                remote: Some(registrar),
            });
            flows.contact_address(ContactAddress::Learned, hop).to_string()
        };
        let first = contact(1, Transport::Wss, "10.0.0.2:40000");
        assert_eq!((first.len(), first.strip_suffix(".invalid").is_some()), (20, true), "{first}");
        assert_eq!(contact(2, Transport::Ws, "10.0.0.3:40001"), first);
        assert_eq!(contact(3, Transport::Tls, "10.0.0.3:40002"), "10.0.0.3:40002");
    }
}
