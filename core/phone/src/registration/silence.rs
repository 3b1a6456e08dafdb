//! How long a registration's way is left silent, and what became of each silence.
//!
//! See [`crate::keepalive`] for the search and its reasons. Knows of one account; what several have in common is the
//! network's ([`crate::network::Known`]), and that who is awake for one of them looks after the others
//! ([`Registration::along`]).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base::{FlowId, Instant, NetworkId};
use bytes::Bytes;
use sip::order::Order;
use sip::transaction::Source;

use super::{Registration, State};
use crate::Keepalive;
use crate::desk::{Desk, Timer};
use crate::keepalive::{BLIND, Carrier, FRESH};

/// Empty lines on a stream keep its NAT mapping and find a dead peer. RFC 5626 section 4.4.1 asks for at most 120 s.
const STREAM_PING: Duration = Duration::from_secs(45);
/// Empty lines on UDP, only behind a NAT: the shortest mappings in the wild live 30 s.
const NAT_PING: Duration = Duration::from_secs(25);
/// A shorter silence proves nothing.
const WORTH_NOTING: Duration = Duration::from_secs(5);
/// A connection that is still there so long after an empty line has outlived the silence before it: the kernel gives a
/// peer that does not acknowledge 15 s.
const OUTLIVED: Duration = Duration::from_secs(20);
/// A refresh that is due so soon goes along with another wake.
const ALONG: Duration = Duration::from_secs(20);
/// So much later than it was meant to be a silence may end.
const LATE: Duration = Duration::from_secs(5);
/// RFC 5626 section 3.5.1.
const PING: &[u8] = b"\r\n\r\n";

/// What a registration knows of its silences.
#[derive(Debug, Default)]
pub(super) struct Silence {
    /// The one under way.
    every: Option<Duration>,
    /// The longest since the registrar last answered.
    longest: Duration,
    /// What the registrar saw us come from by which flow.
    seen: Option<(FlowId, SocketAddr)>,
    /// Whether that would change if the mapping died.
    shows: bool,
    /// The mapping is a new one, and has not been used again.
    fresh: bool,
    /// On a stream: when the last silence ended, and how long it was.
    ended: Option<(Instant, Duration)>,
}

impl Registration {
    /// When the way is used next, if nothing else is sent.
    pub(super) fn set_ping(&mut self, desk: &mut Desk) {
        self.silence.every = self.next_silence(desk);
        match self.silence.every {
            Some(every) => desk.timers.set(Timer::Ping(self.id), desk.now + every),
            None => drop(desk.timers.cancel(&Timer::Ping(self.id))),
        }
    }

    fn next_silence(&self, desk: &mut Desk) -> Option<Duration> {
        let path = self.path?;
        let carrier = carrier(&path);
        match (self.account.keepalive, carrier) {
            (Keepalive::Prompt, Carrier::Stream) => return Some(STREAM_PING),
            (Keepalive::Prompt, Carrier::Udp) => return self.behind_nat.then_some(NAT_PING),
            (Keepalive::Thrifty, _) => {}
        }
        let refresh = self.refresh_at.since(desk.now);
        let asked = self.flow_timer.map(|asked| asked * 9 / 10);
        let silence = if carrier == Carrier::Udp && !self.silence.shows {
            if !self.behind_nat && is_near(path.remote.ip()) {
                return asked.filter(|asked| *asked < refresh);
            }
            if self.silence.fresh { FRESH } else { BLIND }
        } else if carrier == Carrier::Udp && self.silence.fresh {
            FRESH
        } else {
            desk.known.search(self.network()?, carrier).silence(refresh)
        };
        // The refresh is at hand by then.
        asked.map_or(Some(silence), |asked| Some(silence.min(asked))).filter(|silence| *silence < refresh)
    }

    /// `Timer::Ping` is due.
    pub(crate) fn ping(&mut self, desk: &mut Desk) {
        let (Some(path), Some(network)) = (self.path, self.network()) else { return };
        if self.account.is_sealed() {
            return self.refresh_sealed(desk);
        }
        if self.account.keepalive == Keepalive::Prompt {
            say_nothing(&path, desk);
            return self.set_ping(desk);
        }
        let State::Registered { .. } = self.state else { return };
        let every = self.silence.every.unwrap_or(BLIND);
        let silence = desk.silent_for(&path);
        if silence < every * 7 / 10 && !self.asking.is_open() {
            // Others have used the way meanwhile.
            return desk.timers.set(Timer::Ping(self.id), desk.now + every.saturating_sub(silence));
        }
        if carrier(&path) == Carrier::Udp && std::mem::take(&mut self.silence.fresh) {
            say_nothing(&path, desk);
            return self.set_ping(desk);
        }
        let refresh = self.refresh_at.since(desk.now);
        if self.asking.is_spoken() {
            if refresh < every && !self.asking.is_open() {
                return self.send(desk);
            }
            self.end_silence(desk);
            return self.ask(&path, desk);
        }
        let search = desk.known.search(network, Carrier::Udp);
        // One who was woken late has been silent for longer than is known to hold.
        let doubtful = if self.silence.shows {
            !search.is_reliable(refresh + silence) || silence > search.known().held
        } else {
            self.silence.fresh = silence > every + LATE;
            self.silence.fresh
        };
        if carrier(&path) == Carrier::Udp && doubtful || refresh < every {
            return self.send(desk);
        }
        self.end_silence(desk);
        say_nothing(&path, desk);
        self.set_ping(desk);
    }

    /// Another account has woken the device: what is due soon is done now.
    pub(crate) fn along(&mut self, desk: &mut Desk) {
        let (State::Registered { .. }, Keepalive::Thrifty) = (&self.state, self.account.keepalive) else {
            return;
        };
        if self.asking.is_open() {
            return;
        }
        let soon = |at: Instant, within: Duration| at > desk.now && at.since(desk.now) <= within;
        if desk.timers.get(&Timer::Register(self.id)).is_some_and(|at| soon(at, ALONG)) {
            return self.send(desk);
        }
        let window = self.silence.every.unwrap_or_default() / 4;
        if desk.timers.get(&Timer::Ping(self.id)).is_some_and(|at| soon(at, window)) {
            self.ping(desk);
        }
    }

    /// Something is about to be sent: the silence before it was as long as it was.
    pub(super) fn end_silence(&mut self, desk: &mut Desk) {
        let Some(path) = self.path else { return };
        let silence = desk.silent_for(&path);
        if silence < WORTH_NOTING {
            return;
        }
        self.silence.longest = self.silence.longest.max(silence);
        if carrier(&path) == Carrier::Stream {
            self.outlived(desk);
            self.silence.ended = Some((desk.now, silence));
        }
    }

    /// The connection is still there.
    fn outlived(&mut self, desk: &mut Desk) {
        if let (Some((at, silence)), Some(network)) = (self.silence.ended, self.network())
            && desk.now.since(at) >= OUTLIVED
        {
            self.silence.ended = None;
            self.learnt(network, Carrier::Stream, silence, true, desk);
        }
    }

    /// The registrar answered: it saw us as `theirs`, which we know as `ours`.
    pub(super) fn answered_by(
        &mut self,
        via: &Source,
        seen: Option<(SocketAddr, SocketAddr)>,
        desk: &mut Desk,
    ) {
        desk.watch(via);
        if let Some((ours, theirs)) = seen {
            self.is_seen_as(via, theirs, desk);
            self.silence.shows = theirs.port() != ours.port();
        }
    }

    /// What the silences since the last answer came to, now that we know what we are seen as; whether it is what we were.
    pub(super) fn is_seen_as(&mut self, via: &Source, theirs: SocketAddr, desk: &mut Desk) -> bool {
        let longest = std::mem::take(&mut self.silence.longest);
        let before = self.silence.seen.replace((via.flow, theirs)).filter(|(flow, _)| *flow == via.flow);
        let same = before.is_none_or(|(_, before)| before == theirs);
        self.silence.fresh |= before.is_none() || !same;
        if let (Some(_), Some(network), true) = (before, self.network(), longest >= WORTH_NOTING) {
            self.silence.ended = None;
            match carrier(via) {
                Carrier::Stream => self.learnt(network, Carrier::Stream, longest, true, desk),
                Carrier::Udp if !same || self.silence.shows => {
                    self.learnt(network, Carrier::Udp, longest, same, desk);
                }
                Carrier::Udp => {}
            }
        }
        same
    }

    /// The connection broke: by the silence, where it broke when that ended.
    pub(super) fn broke_off(&mut self, path: &Source, desk: &mut Desk) {
        if let (Some((at, silence)), Some(network)) = (self.silence.ended.take(), self.network())
            && carrier(path) == Carrier::Stream
            && desk.now.since(at) < OUTLIVED
        {
            self.learnt(network, Carrier::Stream, silence, false, desk);
        }
    }

    fn learnt(&self, network: NetworkId, carrier: Carrier, silence: Duration, held: bool, desk: &mut Desk) {
        if self.account.keepalive == Keepalive::Thrifty {
            desk.known.outcome(network, carrier, silence, held);
        }
    }
}

/// Whoever gets it need not answer.
fn say_nothing(path: &Source, desk: &mut Desk) {
    let bytes = Bytes::from_static(PING);
    desk.orders.push(Order::Send { flow: path.flow, to: path.remote, bytes });
}

fn carrier(path: &Source) -> Carrier {
    if path.transport.is_reliable() { Carrier::Stream } else { Carrier::Udp }
}

/// On the same private network: nothing that forgets stands between.
fn is_near(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unicast_link_local() || ip.is_unique_local(),
    }
}
