//! How flows come up: sockets chosen, streams dialled and accepted, their handshakes.
//!
//! Knows no more of TLS and WebSocket than that they may come before a connection is told of.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use base::{NetworkId, Rng, Transport};

use super::{ALL, Found, Listener, Net, SHAKING, Token};
use crate::NetEvent;
use crate::dial::{Connected, Dial, Over, Whom};
use crate::tcp::{Stream, crowd};
use crate::tls::{Session, Unmade};
use crate::udp::toward;
use crate::web::Upgrade;

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
            _ if self.dials.values().any(|dial| dial.whom == whom) => {}
            // It would go by another network.
            _ if network != NetworkId::SYSTEM && toward(&self.udp, network, remote).is_none() => {
                self.news.push_back(failed);
            }
            Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => {
                let (id, waker) = self.new_dial();
                let (from, binder) = (self.source_toward(network, remote), self.binder.clone());
                let over = self.over(&whom);
                self.dials.insert(id, Dial::to(whom, from, binder, self.limits.connect, over, waker));
            }
        }
    }

    /// What lies over a connection to them.
    fn over(&self, whom: &Whom) -> Result<Over, Unmade> {
        let Whom { transport, remote, name, .. } = whom;
        let tls = match name {
            Some(name) if transport.is_secure() => Some(Session::toward(&self.trusts, name)?),
            // Nobody to be sure of.
            None if transport.is_secure() => return Err(Unmade::Broken),
            Some(_) | None => None,
        };
        let web = match transport {
            Transport::Ws | Transport::Wss => {
                let name = name.as_ref().map_or_else(|| remote.ip().to_string(), ToString::to_string);
                let path = self.paths.get(&name.to_ascii_lowercase()).map_or("", String::as_str);
                let is_v6 = name.contains(':') && !name.starts_with('[');
                let mut host = if is_v6 { format!("[{name}]") } else { name };
                if remote.port() != transport.default_port() {
                    host = format!("{host}:{}", remote.port());
                }
                Some(Upgrade::ask(&host, path, rng().ok_or(Unmade::Broken)?))
            }
            Transport::Udp | Transport::Tcp | Transport::Tls => None,
        };
        Ok(Over { tls, web, transport: *transport, within: self.limits.handshake })
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
                if dial.accepted {
                    self.one_less(dial.whom.remote, SHAKING);
                }
                if let Some(session) = &connected.tls {
                    self.counters.shaken += 1;
                    self.counters.resumed += u64::from(session.is_resumed());
                }
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
            self.one_less(*remote, SHAKING);
            return self.one_less(*remote, ALL);
        }
        if let (Some(Unmade::Untrusted(why, certificate)), Some(name)) = (why, name) {
            self.news.push_back(NetEvent::Untrusted { name: Arc::clone(name), why, certificate });
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
                let counts = self.crowds.get(&crowd(remote.ip())).copied().unwrap_or_default();
                let limits = &self.limits;
                let shakes = listener.transport != Transport::Tcp;
                let full = self.accepted[ALL] >= limits.connections || counts[ALL] >= limits.per_address;
                let busy = self.accepted[SHAKING] >= limits.handshakes
                    || counts[SHAKING] >= limits.handshakes_per_address;
                if full || (shakes && busy) {
                    self.counters.turned_away += 1;
                    return None;
                }
                let over = listener.over(limits.handshake);
                self.one_more(remote, ALL);
                self.arm_sweep();
                match over {
                    None => self.begin_stream(Connected::bare(tcp), whence, true),
                    Some(over) => {
                        self.one_more(remote, SHAKING);
                        let (id, waker) = self.new_dial();
                        self.dials.insert(id, Dial::by(whence, tcp, over, waker));
                        None
                    }
                }
            }
            // Out of descriptors, most likely: the next sweep tries again.
            Poll::Ready(Err(_)) => {
                self.arm_sweep();
                None
            }
        }
    }

    fn one_more(&mut self, remote: SocketAddr, of: usize) {
        self.crowds.entry(crowd(remote.ip())).or_default()[of] += 1;
        self.accepted[of] += 1;
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
        let (local, transport) = (stream.local(), stream.transport);
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

impl Listener {
    /// What lies over connections that are taken here; `None`: nothing.
    fn over(&self, within: std::time::Duration) -> Option<Over> {
        let web = match self.transport {
            Transport::Ws | Transport::Wss => Some(Upgrade::hear()),
            Transport::Udp | Transport::Tcp | Transport::Tls => None,
        };
        let tls = self.identity.as_ref().map(Session::accepted);
        let transport = self.transport;
        (web.is_some() || tls.is_some()).then_some(Over { tls, web, transport, within })
    }
}

/// Masks and keys of a WebSocket; `None`: the system has no randomness to give.
fn rng() -> Option<Rng> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).ok()?;
    Some(Rng::from_entropy(seed))
}
