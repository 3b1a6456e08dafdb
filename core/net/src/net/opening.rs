//! How flows come up: sockets chosen, streams dialled and accepted, their handshakes.
//!
//! Knows no more of TLS than that it may come before a stream is told of.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use base::{NetworkId, Transport};

use super::{Found, Net, Token};
use crate::NetEvent;
use crate::tcp::{Connected, Dial, Stream, Whom, crowd};
use crate::tls::{Session, Unmade};
use crate::udp::toward;

impl Net {
    pub(super) fn open(&mut self, whom: Whom) {
        let Whom { network, transport, remote, .. } = whom;
        let failed = NetEvent::FlowFailed { network, transport, remote };
        if network.lane().is_some() && !self.has_lane(&whom) {
            return self.news.push_back(failed);
        }
        match transport {
            Transport::Udp => {
                let answer = match toward(&self.udp, network, remote) {
                    Some((flow, udp)) if udp.bound.ip().is_unspecified() => {
                        let port = udp.bound.port();
                        self.routes.local_toward(remote).ok().map(|ip| (flow, SocketAddr::new(ip, port)))
                    }
                    Some((flow, udp)) => Some((flow, udp.bound)),
                    None => None,
                };
                self.news.push_back(answer.map_or(failed, |(flow, local)| NetEvent::FlowUp {
                    network,
                    flow,
                    transport,
                    local,
                    remote: Some(remote),
                }));
            }
            // Two orders for one remote while it connects are one connection.
            Transport::Tcp | Transport::Tls if self.dials.values().any(|dial| dial.whom == whom) => {}
            // It would go by another network.
            Transport::Tcp | Transport::Tls
                if network != NetworkId::SYSTEM && toward(&self.udp, network, remote).is_none() =>
            {
                self.news.push_back(failed);
            }
            Transport::Tcp | Transport::Tls => {
                let (id, waker) = self.new_dial();
                let (from, binder) = (self.source_toward(network, remote), self.binder.clone());
                let dial = Dial::to(whom, from, binder, (&self.limits, &self.trusts), waker);
                self.dials.insert(id, dial);
            }
            Transport::Ws | Transport::Wss => self.news.push_back(failed),
        }
    }

    /// Whether there are sockets of that lane that reach there: opened where its network has others. By datagrams only.
    fn has_lane(&mut self, whom: &Whom) -> bool {
        let Whom { network, transport, remote, .. } = *whom;
        if transport != Transport::Udp {
            return false;
        }
        let beside = toward(&self.udp, network.whole(), remote).map(|(_, udp)| udp.bound.ip());
        let own = toward(&self.udp, network, remote).map(|(_, udp)| udp.bound.ip());
        // One to loopback does not reach beyond it, nor one of another family.
        beside.is_some()
            && (own == beside
                || beside.is_some_and(|ip| self.bind_udp(network, SocketAddr::new(ip, 0)).is_ok()))
    }

    fn new_dial(&mut self) -> (u32, std::task::Waker) {
        self.last_dial = self.last_dial.wrapping_add(1);
        (self.last_dial, self.ready.source(Token::Dial(self.last_dial)))
    }

    /// The address to connect from: the one our datagrams toward there come from, if it was chosen.
    fn source_toward(&self, network: NetworkId, remote: SocketAddr) -> Option<IpAddr> {
        let (_, udp) = toward(&self.udp, network, remote)?;
        (!udp.bound.ip().is_unspecified()).then_some(udp.bound.ip())
    }

    pub(super) fn poll_dial(&mut self, id: u32) -> Option<Found> {
        let Poll::Ready(connected) = self.dials.get_mut(&id)?.poll() else { return None };
        let dial = self.dials.remove(&id)?;
        match connected {
            Ok(connected) => {
                self.begin_stream(connected, (dial.whom.network, dial.whom.remote), dial.accepted)
            }
            Err(why) => {
                self.give_up(&dial, Some(why));
                None
            }
        }
    }

    /// A connection will not be. Of one that was accepted nobody knows yet.
    pub(super) fn give_up(&mut self, dial: &Dial, why: Option<Unmade>) {
        let Whom { network, transport, remote, name } = &dial.whom;
        if dial.accepted {
            self.counters.unshaken += 1;
            return self.one_less(*remote);
        }
        if let (Some(Unmade::Untrusted(why)), Some(name)) = (why, name) {
            self.news.push_back(NetEvent::Untrusted { name: Arc::clone(name), why });
        }
        let (network, transport, remote) = (*network, *transport, *remote);
        self.news.push_back(NetEvent::FlowFailed { network, transport, remote });
    }

    pub(super) fn poll_listener(&mut self, index: usize) -> Option<Found> {
        let listener = self.listeners.get(index)?.as_ref()?;
        let mut cx = Context::from_waker(&listener.waker);
        match listener.tcp.poll_accept(&mut cx) {
            Poll::Pending => None,
            Poll::Ready(Ok((tcp, remote))) => {
                listener.waker.wake_by_ref();
                let whence = (listener.network, remote);
                let full = self.accepted >= self.limits.connections;
                let of_one = self.crowds.get(&crowd(remote.ip())).copied().unwrap_or(0);
                if full || of_one >= self.limits.per_address {
                    self.counters.turned_away += 1;
                    return None;
                }
                let session = listener.identity.as_ref().map(Session::accepted);
                *self.crowds.entry(crowd(remote.ip())).or_default() += 1;
                self.accepted += 1;
                self.arm_sweep();
                let Some(session) = session else {
                    return self.begin_stream(Connected { tcp, tls: None }, whence, true);
                };
                let (id, waker) = self.new_dial();
                let dial = Dial::by(whence, tcp, session, self.limits.handshake, waker);
                self.dials.insert(id, dial);
                None
            }
            // Out of descriptors, most likely: the next sweep tries again.
            Poll::Ready(Err(_)) => {
                self.arm_sweep();
                None
            }
        }
    }

    fn begin_stream(
        &mut self,
        connected: Connected,
        (network, remote): (NetworkId, SocketAddr),
        accepted: bool,
    ) -> Option<Found> {
        let flow = self.new_flow();
        let waker = self.ready.source(Token::Stream(flow));
        let stream = Stream::new(connected, (network, remote), accepted, &self.limits, waker);
        let (local, transport) = (stream.local(), stream.transport());
        self.streams.insert(flow, stream);
        if let Ok(local) = local {
            let remote = Some(remote);
            return Some(Found::News(NetEvent::FlowUp { network, flow, transport, local, remote }));
        }
        // Gone before it began.
        self.forget_stream(flow);
        (!accepted).then_some(Found::News(NetEvent::FlowFailed { network, transport, remote }))
    }
}
