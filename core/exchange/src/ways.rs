//! The ways in and out: sockets that listen, connections that stand, and which of them reaches whom.
//!
//! RFC 3261 section 18, RFC 5626 section 5.3. Knows addresses and framing, and no messages.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use base::{FlowId, Instant, NetworkId, Transport};
use sip::message::{Host, Side, Stream, UriRef};
use sip::order::{Order, Orders};
use sip::transaction::{Hop, Source};

use crate::bindings::Way;
use crate::token::End;
use crate::vos::Vos;

/// One flow that is up.
struct Flow {
    transport: Transport,
    local: SocketAddr,
    /// `None` for a UDP socket.
    remote: Option<SocketAddr>,
    /// A stream's framing, and since when its unfinished message has been coming.
    stream: Option<(Stream, Option<Instant>)>,
}

/// Where to send for a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// By this hop, at once.
    Now(Hop),
    /// A connection is being made.
    Soon,
    /// Not at all: no socket of that kind or family.
    Never,
}

/// All flows and listeners.
#[derive(Default)]
pub(crate) struct Ways {
    flows: BTreeMap<FlowId, Flow>,
    listeners: Vec<(Transport, SocketAddr)>,
    streams: BTreeMap<(Transport, SocketAddr), FlowId>,
    /// Which sockets are sealed, and how.
    pub(crate) vos: Vos,
}

impl Ways {
    pub(crate) fn new(vos: Vos) -> Self {
        Self { vos, ..Self::default() }
    }

    pub(crate) fn listening(&mut self, transport: Transport, local: SocketAddr) {
        if !self.listeners.contains(&(transport, local)) {
            self.listeners.push((transport, local));
        }
    }

    pub(crate) fn up(
        &mut self,
        flow: FlowId,
        transport: Transport,
        local: SocketAddr,
        remote: Option<SocketAddr>,
        side: Side,
    ) {
        match remote {
            None => self.listening(transport, local),
            // How one socket reaches one remote: nothing we ask, and nothing that stands.
            Some(_) if transport == Transport::Udp => return,
            Some(remote) => {
                self.streams.insert((transport, remote), flow);
            }
        }
        let stream = transport.is_stream().then(|| (Stream::new(side), None));
        if transport == Transport::Udp {
            self.vos.flow_up(flow, local);
        }
        self.flows.insert(flow, Flow { transport, local, remote, stream });
    }

    pub(crate) fn down(&mut self, flow: FlowId) {
        self.vos.flow_down(flow);
        if let Some(gone) = self.flows.remove(&flow)
            && let Some(remote) = gone.remote
            && self.streams.get(&(gone.transport, remote)) == Some(&flow)
        {
            self.streams.remove(&(gone.transport, remote));
        }
    }

    /// Framing of a stream; `None` for datagrams and unknown flows.
    pub(crate) fn stream(&mut self, flow: FlowId) -> Option<&mut (Stream, Option<Instant>)> {
        self.flows.get_mut(&flow)?.stream.as_mut()
    }

    /// The streams whose unfinished message began before `since`.
    pub(crate) fn slow(&self, since: Instant) -> Vec<FlowId> {
        let slow = |f: &Flow| matches!(f.stream, Some((_, Some(began))) if began < since);
        self.flows.iter().filter(|(_, f)| slow(f)).map(|(id, _)| *id).collect()
    }

    /// When the first unfinished message began.
    pub(crate) fn first_unfinished(&self) -> Option<Instant> {
        self.flows.values().filter_map(|f| f.stream.as_ref()?.1).min()
    }

    /// Where something came from, in the terms of the transaction layer.
    pub(crate) fn source(&self, flow: FlowId, from: SocketAddr) -> Option<Source> {
        let known = self.flows.get(&flow)?;
        let local = self.sent_by(known);
        Some(Source { flow, transport: known.transport, remote: from, local })
    }

    /// The address to be named for a flow: where it listens, so that a broken connection can be made again from the other
    /// side (RFC 3261 section 18.1.1), and the flow's own end when nothing listens.
    fn sent_by(&self, flow: &Flow) -> SocketAddr {
        if flow.remote.is_none() {
            return flow.local;
        }
        // The very one that took it comes first: where one is let through, another need not be.
        let itself = |(t, a): &&(Transport, SocketAddr)| {
            *t == flow.transport && a.port() == flow.local.port() && a.is_ipv4() == flow.local.is_ipv4()
        };
        let same = |(t, a): &&(Transport, SocketAddr)| *t == flow.transport && a.ip() == flow.local.ip();
        let kin =
            |(t, a): &&(Transport, SocketAddr)| *t == flow.transport && a.is_ipv4() == flow.local.is_ipv4();
        let mut those = [
            self.listeners.iter().find(itself),
            self.listeners.iter().find(same),
            self.listeners.iter().find(kin),
        ]
        .into_iter();
        let listener = those.find_map(|it| it);
        listener.map_or(flow.local, |(_, addr)| SocketAddr::new(flow.local.ip(), addr.port()))
    }

    fn hop(&self, id: FlowId, remote: SocketAddr) -> Option<Hop> {
        let flow = self.flows.get(&id)?;
        Some(Hop { flow: id, transport: flow.transport, remote, local: self.sent_by(flow) })
    }

    /// How to reach an address. Connections that stand are used again; a new one is ordered only by [`Ways::open`].
    pub(crate) fn reach(&self, transport: Transport, remote: SocketAddr) -> Reach {
        if transport == Transport::Udp {
            let sealed = self.vos.way_to(remote);
            return sealed
                .or_else(|| self.udp_toward(remote))
                .and_then(|id| self.hop(id, remote))
                .map_or(Reach::Never, Reach::Now);
        }
        match self.streams.get(&(transport, remote)) {
            Some(id) => self.hop(*id, remote).map_or(Reach::Never, Reach::Now),
            // Only TCP can be dialled in this build; a secure way that is asked for must not become an insecure one.
            None if transport == Transport::Tcp => Reach::Soon,
            None => Reach::Never,
        }
    }

    /// Orders a connection that [`Ways::reach`] promised.
    pub(crate) fn open(transport: Transport, remote: SocketAddr, out: &mut Orders) {
        out.push(Order::OpenFlow { network: NetworkId::SYSTEM, transport, remote, name: None });
    }

    pub(crate) fn datagram_flows(&self) -> impl Iterator<Item = FlowId> {
        self.flows.iter().filter(|(_, f)| f.transport == Transport::Udp).map(|(id, _)| *id)
    }

    /// The UDP socket for a remote: of its family, and of its side of the loopback border when there is a choice.
    fn udp_toward(&self, remote: SocketAddr) -> Option<FlowId> {
        let plain = |id: FlowId| !self.vos.is_sealed(id);
        let udp = (self.flows.iter())
            .filter(|(id, f)| f.transport == Transport::Udp && f.remote.is_none() && plain(**id));
        let near = |f: &Flow| f.local.ip().is_loopback() == remote.ip().is_loopback();
        udp.filter(|(_, f)| f.local.is_ipv4() == remote.is_ipv4())
            .min_by_key(|(_, f)| !near(f))
            .map(|(id, _)| *id)
    }

    /// The way of a token, if it still stands.
    pub(crate) fn toward(&self, end: &End) -> Option<Hop> {
        let flow = self.flows.get(&end.flow)?;
        let stands = flow.transport == end.transport && flow.remote.is_none_or(|r| r == end.remote);
        stands.then(|| self.hop(end.flow, end.remote)).flatten()
    }

    /// The way of a binding, if it still stands: its own flow, or for UDP (which has none to lose) any socket that fits.
    pub(crate) fn back(&self, way: &Way) -> Option<Hop> {
        let own = way
            .flow
            .and_then(|flow| self.toward(&End { flow, transport: way.transport, remote: way.remote }));
        // After a restart nobody knows by which key; whoever registered so is heard again before long.
        let sealed = |f: &Flow| f.transport == way.transport && f.local == way.local && f.remote.is_none();
        let was_sealed = self.flows.iter().any(|(id, f)| self.vos.is_sealed(*id) && sealed(f));
        let other = || match self.reach(way.transport, way.remote) {
            Reach::Now(hop) if was_sealed && !self.vos.is_sealed(hop.flow) => None,
            Reach::Now(hop) => Some(hop),
            Reach::Soon | Reach::Never => None,
        };
        own.or_else(other)
    }

    /// Whether an address and port are ours. `port` 0 stands for "not written" and is 5060 then, or 5061 for TLS.
    pub(crate) fn is_own(&self, ip: IpAddr, port: Option<u16>, transport: Option<Transport>) -> bool {
        let port = port.unwrap_or_else(|| transport.unwrap_or(Transport::Udp).default_port());
        self.listeners.iter().any(|(_, a)| a.port() == port && (a.ip() == ip || a.ip().is_unspecified()))
            || self.flows.values().any(|f| f.local == SocketAddr::new(ip, port) && f.remote.is_none())
    }

    /// Whether a URI's host and port are an address of ours.
    pub(crate) fn is_own_uri(&self, uri: &UriRef<'_>) -> bool {
        match uri.host {
            Host::Name(_) => false,
            Host::V4(ip) => self.is_own(ip.into(), uri.port, uri.transport()),
            Host::V6(ip) => self.is_own(ip.into(), uri.port, uri.transport()),
        }
    }

    /// What can be sent by, for the locator.
    pub(crate) fn families(&self) -> (bool, bool) {
        let has = |v4: bool| self.listeners.iter().any(|(_, a)| a.is_ipv4() == v4);
        (has(true), has(false))
    }
}
