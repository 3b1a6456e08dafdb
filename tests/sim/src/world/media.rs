//! What a phone orders for its media and what comes to it; and the servers beside SIP's, whose packets take the same ways.
//!
//! On the wire a media socket's name is the stream's number and its leg; a server's is its port.

use std::net::{IpAddr, SocketAddr};

use base::{FlowId, Instant, NetworkId};
use bytes::Bytes;
use nat::channel;
use nat::framing::{self, Framing};
use nat::path::{Leg, Target};
use phone::{MediaId, MediaNews, MediaOrder};

use crate::legs::Connection;
use crate::node::{Machine, News};
use crate::servers::{Out, RELAY_PORT, STUN_PORT, Servers};
use crate::sound::Stream;
use crate::wire::{NodeId, Reason, Socket, Tag};

use super::{FRAME, World};

/// The leg stands above the stream's number.
const LEG: u32 = 1 << 20;

fn name(media: MediaId, leg: Leg) -> u32 {
    media.0 + leg.0 * LEG
}

impl World {
    /// A host with S and a relay, on the ports of [`crate::servers`].
    pub fn servers(&mut self, called: &str) -> NodeId {
        let (ip, rng) = (self.next_ip(), self.rng.split());
        let node = self.add(called, Machine::Servers(Box::new(Servers::new(ip, rng))));
        for port in [STUN_PORT, RELAY_PORT] {
            self.wire.listen_at(node, SocketAddr::new(ip, port), Tag::Media(port.into(), 0));
        }
        self.bind_servers(node);
        node
    }

    /// The servers of a host.
    pub fn servers_at(&self, node: NodeId) -> &Servers {
        match &self.nodes[node.0].machine {
            Machine::Servers(servers) => servers,
            _ => panic!("{} has no servers", self.nodes[node.0].name),
        }
    }

    fn bind_servers(&mut self, node: NodeId) {
        for addr in self.servers_at(node).ports() {
            self.wire.bind_at(node, addr, Socket::Media(addr.port().into(), false));
        }
    }

    fn send_all(&mut self, node: NodeId, out: Vec<Out>) {
        self.bind_servers(node);
        for out in out {
            match out {
                Out::Datagram { from, to, bytes } => {
                    self.wire.send_from(node, from, to, bytes, self.now);
                }
                Out::Chunk { flow, bytes } => {
                    self.wire.send_stream(flow, bytes, self.now);
                }
            }
        }
    }

    fn stream_mut(&mut self, node: NodeId, media: MediaId) -> Option<&mut Stream> {
        match &mut self.nodes[node.0].machine {
            Machine::Phone(handset) => handset.streams.get_mut(&media),
            _ => None,
        }
    }

    fn tell_media(&mut self, node: NodeId, media: MediaId, news: MediaNews) {
        self.agenda.push_back((node, News::Media { media, news }));
    }

    pub(super) fn media_datagram(
        &mut self,
        node: NodeId,
        named: u32,
        control: bool,
        from: SocketAddr,
        bytes: &Bytes,
    ) {
        let now = self.now;
        if let Machine::Servers(servers) = &mut self.nodes[node.0].machine {
            let out = servers.datagram(named as u16, from, bytes, now);
            return self.send_all(node, out);
        }
        if let Machine::Stranger(stranger) = &mut self.nodes[node.0].machine {
            return stranger.take_datagram(named as u16, from, bytes.clone());
        }
        let (media, leg) = (MediaId(named % LEG), Leg(named / LEG));
        let leg = if control { leg.control() } else { leg };
        self.came(node, media, leg, from, bytes, control);
    }

    /// Sorts what came as `io` does: RFC 7983.
    fn came(
        &mut self,
        node: NodeId,
        media: MediaId,
        leg: Leg,
        from: SocketAddr,
        bytes: &Bytes,
        control: bool,
    ) {
        let now = self.now;
        if !self.nodes[node.0].awake {
            return;
        }
        let Some(stream) = self.stream_mut(node, media) else { return };
        let listens = stream.legs.listens;
        let mut heard = (from, bytes.clone());
        let told = match bytes.first() {
            Some(0..=3 | 20..=63) if listens => true,
            Some(64..=79) if listens => {
                let known = channel::read(bytes).and_then(|(number, inside)| {
                    let mut channels = stream.legs.channels.iter();
                    let (.., peer) = channels.find(|it| (it.0, it.1, it.2) == (leg, from, number))?;
                    Some((*peer, inside))
                });
                match known {
                    Some((peer, inside)) if matches!(inside.first(), Some(20..=63)) => {
                        heard = (peer, Bytes::copy_from_slice(inside));
                        true
                    }
                    Some((peer, inside)) if !nat::stun::is_stun(inside) => {
                        stream.packet(inside, peer, control, now);
                        false
                    }
                    Some(_) | None => true,
                }
            }
            _ => {
                stream.packet(bytes, from, control, now);
                false
            }
        };
        if told {
            let (from, bytes) = heard;
            self.tell_media(node, media, MediaNews::Told { leg, from, bytes });
        }
    }

    pub(super) fn media_up(
        &mut self,
        node: NodeId,
        named: u32,
        leg: u32,
        flow: FlowId,
        local: SocketAddr,
        remote: SocketAddr,
    ) {
        if let Machine::Servers(servers) = &mut self.nodes[node.0].machine {
            return servers.stream_up(flow, named as u16, remote);
        }
        let (media, mut leg) = (MediaId(named), Leg(leg));
        let Some(stream) = self.stream_mut(node, media) else { return };
        match stream.legs.connections.get_mut(&leg) {
            Some(connection) => (connection.flow, connection.local) = (Some(flow), local),
            None => {
                leg = Leg(stream.legs.taken);
                stream.legs.taken += 1;
                let connection = Connection::new(Some(flow), local, remote, Framing::Rfc4571);
                stream.legs.connections.insert(leg, connection);
            }
        }
        self.tell_media(node, media, MediaNews::StreamUp { leg, local, remote });
    }

    pub(super) fn media_chunk(
        &mut self,
        node: NodeId,
        named: u32,
        flow: FlowId,
        from: SocketAddr,
        bytes: &Bytes,
    ) {
        let now = self.now;
        if let Machine::Servers(servers) = &mut self.nodes[node.0].machine {
            let out = servers.chunk(flow, bytes, now);
            return self.send_all(node, out);
        }
        let media = MediaId(named);
        let Some(stream) = self.stream_mut(node, media) else { return };
        let Some(leg) = stream.legs.leg_of(flow) else { return };
        let Some(connection) = stream.legs.connections.get_mut(&leg) else { return };
        connection.splitter.feed(bytes);
        let mut messages = Vec::new();
        while let Ok(Some(message)) = connection.splitter.next_message() {
            messages.push(Bytes::copy_from_slice(message));
        }
        for message in messages {
            self.came(node, media, leg, from, &message, leg.is_control());
        }
    }

    pub(super) fn media_down(&mut self, node: NodeId, named: u32, flow: FlowId) {
        if let Machine::Servers(servers) = &mut self.nodes[node.0].machine {
            return servers.stream_down(flow);
        }
        let media = MediaId(named);
        let Some(stream) = self.stream_mut(node, media) else { return };
        let Some(leg) = stream.legs.leg_of(flow) else { return };
        stream.legs.connections.remove(&leg);
        self.tell_media(node, media, MediaNews::StreamDown { leg, refused: false });
    }

    pub(super) fn media_failed(&mut self, node: NodeId, named: u32, leg: u32, reason: Reason) {
        let (media, leg) = (MediaId(named), Leg(leg));
        let Some(stream) = self.stream_mut(node, media) else { return };
        stream.legs.connections.remove(&leg);
        let refused = reason == Reason::Refused;
        self.tell_media(node, media, MediaNews::StreamDown { leg, refused });
    }

    /// A packet of media goes by its route.
    pub(super) fn send_media(
        &mut self,
        node: NodeId,
        media: MediaId,
        control: bool,
        to: SocketAddr,
        bytes: Bytes,
    ) {
        let insists = self.insists(node);
        let Some(stream) = self.stream_mut(node, media) else { return };
        if insists {
            assert!(stream.is_secret(&bytes), "a packet in clear from a phone that insists: {bytes:02x?}");
            self.secret_packets += 1;
        }
        self.by_route(node, media, control, to, bytes);
    }

    /// What is no media, and media, by the route that media has.
    fn by_route(&mut self, node: NodeId, media: MediaId, control: bool, to: SocketAddr, bytes: Bytes) {
        let Some(stream) = self.stream_mut(node, media) else { return };
        match stream.legs.target(control) {
            Some(Target { leg, to, relay: None }) => self.put(node, media, leg, to, bytes),
            Some(Target { leg, relay: Some((server, number)), .. }) => {
                let mut wrapped = Vec::new();
                channel::write(number, &bytes, &mut wrapped).expect("a packet fits a channel");
                self.put(node, media, leg, server, wrapped.into());
            }
            None => {
                let leg = if control { stream.legs.plain.control() } else { stream.legs.plain };
                self.put(node, media, leg, to, bytes);
            }
        }
    }

    /// Whether a phone's account takes no call in clear: then no packet of its media leaves it so.
    fn insists(&self, node: NodeId) -> bool {
        match &self.nodes[node.0].machine {
            Machine::Phone(handset) => handset.insists(),
            _ => false,
        }
    }

    /// How many packets of media have left phones that insist on encryption: each was looked at.
    pub fn secret_packets(&self) -> u64 {
        self.secret_packets
    }

    fn put(&mut self, node: NodeId, media: MediaId, leg: Leg, to: SocketAddr, bytes: Bytes) {
        let now = self.now;
        let Some(stream) = self.stream_mut(node, media) else { return };
        if let Some(connection) = stream.legs.connections.get(&leg) {
            let mut framed = Vec::new();
            framing::write(connection.framing, &bytes, &mut framed).expect("a message fits a stream");
            if let Some(flow) = connection.flow {
                self.wire.send_stream(flow, framed.into(), now);
            }
        } else if let Some(from) = stream.legs.socket(leg) {
            self.wire.send_from(node, from, to, bytes, now);
        }
    }

    /// Carries out a media order.
    pub(super) fn media(&mut self, node: NodeId, media: MediaId, order: MediaOrder) {
        let now = self.now;
        match order {
            MediaOrder::Prepare { toward, network, .. } => {
                let ip = self.media_ip(node, network, toward);
                let local = SocketAddr::new(ip, self.wire.port());
                self.bind_pair(node, media, Leg::FIRST, local);
                if let Machine::Phone(handset) = &mut self.nodes[node.0].machine {
                    handset.streams.insert(media, Stream::new(local));
                }
                self.tell_media(node, media, MediaNews::Ready { local });
            }
            MediaOrder::AddSocket { leg, toward, network } => {
                let ip = self.media_ip(node, network, toward);
                let local = SocketAddr::new(ip, self.wire.port());
                let Some(stream) = self.stream_mut(node, media) else { return };
                stream.legs.sockets.push((leg, local));
                self.bind_pair(node, media, leg, local);
                self.tell_media(node, media, MediaNews::Socket { leg, local });
            }
            MediaOrder::Open(plan) | MediaOrder::Change(plan) => {
                let (with_sound, mut rng) = (self.with_sound, self.rng.split());
                if let Some(stream) = self.stream_mut(node, media) {
                    stream.set_plan(plan, with_sound, &mut rng, now);
                }
                if self.with_sound && self.next_frame.is_none() {
                    self.next_frame = Some(self.now + FRAME);
                }
            }
            MediaOrder::Tell { leg, to, bytes } => self.put(node, media, leg, to, bytes),
            MediaOrder::Ship { to, bytes } => {
                assert!(bytes.first().is_some_and(|first| *first < 128), "media goes another way");
                self.by_route(node, media, false, to, bytes);
            }
            MediaOrder::Connect { leg, from, to, framing, name: None } => {
                self.connect_media(node, media, (leg, from, to, framing), now);
            }
            MediaOrder::Connect { leg, name: Some(_), .. } => {
                self.tell_media(node, media, MediaNews::StreamDown { leg, refused: false });
            }
            MediaOrder::TakeStreams { at } => {
                self.wire.listen_media(node, at, media.0, u32::MAX);
                if let Some(stream) = self.stream_mut(node, media) {
                    stream.legs.listeners.push(at);
                }
            }
            MediaOrder::CloseLeg(leg) => self.close_leg(node, media, leg),
            MediaOrder::Close { .. } => self.close_media(node, media),
            MediaOrder::Dead => {
                if let Some(stream) = self.stream_mut(node, media) {
                    stream.dead(now);
                }
            }
            MediaOrder::Mute(_)
            | MediaOrder::Mix(_)
            | MediaOrder::Dtmf(_)
            | MediaOrder::Tones(_)
            | MediaOrder::Listen
            | MediaOrder::Disguise(_)
            | MediaOrder::Route(_)
            | MediaOrder::ControlRoute(_)
            | MediaOrder::Channel { .. }
            | MediaOrder::GoBy(_) => {
                if let Some(stream) = self.stream_mut(node, media) {
                    adjust(stream, order);
                }
            }
        }
    }

    /// The address that a node's media has on a network.
    fn media_ip(&self, node: NodeId, network: NetworkId, toward: Option<IpAddr>) -> IpAddr {
        let first = self.nodes[node.0].ips[0];
        self.source(node, network, toward.unwrap_or(first)).unwrap_or(first)
    }

    fn bind_pair(&mut self, node: NodeId, media: MediaId, leg: Leg, local: SocketAddr) {
        let control = SocketAddr::new(local.ip(), local.port() + 1);
        self.wire.bind_at(node, local, Socket::Media(name(media, leg), false));
        self.wire.bind_at(node, control, Socket::Media(name(media, leg), true));
    }

    fn connect_media(
        &mut self,
        node: NodeId,
        media: MediaId,
        (leg, from, to, framing): (Leg, Option<SocketAddr>, SocketAddr, Framing),
        now: Instant,
    ) {
        let ip = from.map(|from| from.ip()).or_else(|| self.wire.source(node, to.ip()));
        let Some(ip) = ip else {
            return self.tell_media(node, media, MediaNews::StreamDown { leg, refused: false });
        };
        let port = from.map(|from| from.port()).filter(|port| *port != 0);
        let local = SocketAddr::new(ip, port.unwrap_or_else(|| self.wire.port()));
        let Some(stream) = self.stream_mut(node, media) else { return };
        stream.legs.connections.insert(leg, Connection::new(None, local, to, framing));
        self.wire.connect_from(node, local, to, Tag::Media(media.0, leg.0), now);
    }

    fn close_leg(&mut self, node: NodeId, media: MediaId, leg: Leg) {
        let now = self.now;
        let Some(stream) = self.stream_mut(node, media) else { return };
        if let Some(connection) = stream.legs.connections.remove(&leg) {
            match connection.flow {
                Some(flow) => self.wire.close(flow, now),
                None => self.wire.give_up(node, connection.local, connection.remote),
            }
            return;
        }
        if let Some(local) =
            stream.legs.sockets.iter().find(|(known, _)| *known == leg).map(|(_, local)| *local)
        {
            stream.legs.sockets.retain(|(known, _)| *known != leg);
            self.unbind_pair(node, local);
        }
    }

    fn unbind_pair(&mut self, node: NodeId, local: SocketAddr) {
        self.wire.unbind_at(node, local);
        self.wire.unbind_at(node, SocketAddr::new(local.ip(), local.port() + 1));
    }

    fn close_media(&mut self, node: NodeId, media: MediaId) {
        let Machine::Phone(handset) = &mut self.nodes[node.0].machine else { return };
        let Some(stream) = handset.streams.get(&media) else { return };
        let legs: Vec<Leg> = stream.legs.connections.keys().copied().collect();
        let sockets = stream.legs.sockets.clone();
        let listeners = stream.legs.listeners.clone();
        for leg in legs {
            self.close_leg(node, media, leg);
        }
        for (_, local) in sockets {
            self.unbind_pair(node, local);
        }
        for at in listeners {
            self.wire.unlisten(node, at);
        }
        if let Machine::Phone(handset) = &mut self.nodes[node.0].machine {
            handset.streams.remove(&media);
        }
    }
}

/// An order that only changes the stream.
fn adjust(stream: &mut Stream, order: MediaOrder) {
    match order {
        MediaOrder::Mute(on) => stream.muted = on,
        MediaOrder::Mix(on) => stream.mixed = on,
        MediaOrder::Dtmf(keys) => stream.press(&keys),
        MediaOrder::Tones(keys) => stream.sound(&keys),
        MediaOrder::Listen => stream.legs.listens = true,
        MediaOrder::Route(route) => stream.lead_by(route),
        MediaOrder::ControlRoute(route) => stream.lead_control_by(route),
        MediaOrder::Channel { leg, server, number, peer } => {
            stream.legs.channels.retain(|it| (it.0, it.1, it.2) != (leg, server, number));
            stream.legs.channels.push((leg, server, number, peer));
        }
        MediaOrder::GoBy(leg) => {
            stream.legs.plain = leg;
            stream.local = stream.legs.socket(leg).unwrap_or(stream.local);
        }
        _ => {}
    }
}
