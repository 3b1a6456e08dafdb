//! The machine of one component of a path. See the module above for its diagram.

mod ours;
mod relaying;

use std::collections::VecDeque;
use std::net::SocketAddr;

use base::{Instant, Rng, Wake};

use super::gather::{Answer, Gather};
use super::punching::{self, Punching};
use super::relays::Relays;
use super::{
    Description, Event, GATHER_FOR, Leg, Order, RTCP, RTP, Reached, Report, Route, Rung, SUSPECT_AFTER,
    Settings, Target, Tcp, control_of,
};
use crate::ice::{self, Agent, Pair};
use crate::{Candidate, Carrier, Kind, TcpType};

/// Addresses that have shown that they know our secret, kept.
const MOST_ADMITTED: usize = 8;

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// There is no socket yet.
    Waiting,
    /// Servers are asked; until then at most.
    Gathering(Instant),
    /// The description can be made.
    Ready,
    /// Pairs are checked, or one carries.
    Checking,
    /// As without ICE.
    Plain,
}

/// A socket of ours.
#[derive(Clone, Copy, Debug)]
struct Socket {
    leg: Leg,
    local: SocketAddr,
    /// The younger, the more it is liked: the network that was moved to.
    rank: u16,
}

/// The way of one component of a stream: RTP's, which carries RTCP too where both sides can, or RTCP's own.
#[derive(Debug)]
pub(super) struct Component {
    number: u16,
    settings: Settings,
    rng: Rng,
    agent: Agent,
    stage: Stage,
    sockets: Vec<Socket>,
    ours: Vec<Candidate>,
    gather: Gather,
    relays: Relays,
    punching: Punching,
    /// When datagrams count as blocked, unless one was answered.
    suspect_at: Option<Instant>,
    /// Streams that were opened.
    legs: u32,
    theirs: Option<Description>,
    admitted: Vec<SocketAddr>,
    target: Option<Target>,
    route: Route,
    reached: Option<Reached>,
    /// Begun anew, and nobody reached since.
    renewed: bool,
    /// Until when servers are asked again, after a restart.
    asks_anew: Option<Instant>,
    /// Since when a pair is chosen for which relays are held in vain, perhaps.
    chosen_at: Option<Instant>,
    orders: VecDeque<Order>,
    events: VecDeque<Event>,
}

impl Component {
    /// RTP's, without sockets. `controlling`: we make the offer.
    pub(super) fn new(settings: Settings, controlling: bool, mut rng: Rng, now: Instant) -> Self {
        let agent = Agent::new(controlling, rng.split(), now);
        Self::of(RTP, settings, agent, 0, rng)
    }

    /// RTCP's beside it. Streams that it opens have names of their own; none are opened to the other side.
    pub(super) fn beside(&mut self, now: Instant) -> Self {
        let mut rng = self.rng.split();
        let settings = Settings { tcp: Tcp::Never, ..self.settings.clone() };
        let agent = self.agent.beside(rng.split(), now);
        let mut it = Self::of(RTCP, settings, agent, Leg::CONTROL, rng);
        for socket in &self.sockets {
            it.socket(socket.leg.control(), control_of(socket.local), now);
        }
        it
    }

    fn of(number: u16, settings: Settings, agent: Agent, legs: u32, rng: Rng) -> Self {
        Self {
            number,
            settings,
            agent,
            rng,
            stage: Stage::Waiting,
            sockets: Vec::new(),
            ours: Vec::new(),
            gather: Gather::default(),
            relays: Relays::default(),
            punching: Punching::default(),
            suspect_at: None,
            legs,
            theirs: None,
            admitted: Vec::new(),
            target: None,
            route: Route::Plain,
            reached: None,
            renewed: false,
            asks_anew: None,
            chosen_at: None,
            orders: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// There is a UDP socket; of several the latest is liked best. Servers are asked from it.
    pub(super) fn socket(&mut self, leg: Leg, local: SocketAddr, now: Instant) {
        let rank = 8000 + (self.sockets.len().min(90) as u16);
        self.sockets.push(Socket { leg, local, rank });
        if self.settings.udp {
            let host = Candidate::ours(Kind::Host, Carrier::Udp, self.number, local, local, rank);
            self.agent.add_ours(&host, now);
            self.add(host);
            self.gather.ask(leg, local, &self.settings.stun, &mut self.rng, now);
        }
        if self.settings.ice && self.stage != Stage::Plain {
            self.relays.begin(leg, local, &self.settings, now);
        }
        match self.settings.tcp {
            Tcp::Never => {}
            _ if !self.settings.ice => {}
            // Where only streams led to a relay the last time, datagrams are likely to be blocked.
            Tcp::IfBlocked if self.settings.udp && self.settings.rung == Rung::Datagrams => {}
            Tcp::IfBlocked | Tcp::Always => self.prepare_streams(),
        }
        if self.settings.ice && self.settings.udp && !self.gather.is_done() {
            self.suspect_at = Some(now + SUSPECT_AFTER);
        }
        if matches!(self.stage, Stage::Waiting | Stage::Ready) {
            self.stage = Stage::Gathering(now + GATHER_FOR);
        }
        self.due(now);
    }

    /// Works with these servers from the next socket on: those of another network.
    pub(super) fn work_with(&mut self, settings: &Settings) {
        let tcp = self.settings.tcp;
        self.settings = Settings { tcp, ..settings.clone() };
    }

    fn prepare_streams(&mut self) {
        if let Some(socket) = self.sockets.last() {
            let (servers, rank) = (&self.settings.stun, socket.rank);
            self.punching.begin(socket.local, servers, rank, &mut self.legs, &mut self.orders);
        }
    }

    /// A socket is left: nothing new goes by it. What goes by it already does so until another way carries; then, or when it
    /// is closed, tell [`Self::socket_gone`].
    pub(super) fn retire(&mut self, leg: Leg) {
        for socket in self.sockets.extract_if(.., |socket| socket.leg == leg) {
            self.ours.retain(|c| c.related.unwrap_or(c.address) != socket.local);
            self.agent.remove_ours(socket.local, false);
        }
    }

    /// A socket is no more: what was reached by it is not.
    pub(super) fn socket_gone(&mut self, leg: Leg) {
        self.retire(leg);
        self.relays.socket_gone(leg);
        if self.target.is_some_and(|target| target.leg == leg) {
            self.events.push_back(Event::Lost);
        }
    }

    /// Whether a description can be made.
    pub(super) fn is_gathered(&self) -> bool {
        match self.stage {
            Stage::Waiting | Stage::Gathering(_) => false,
            Stage::Ready | Stage::Checking => self.asks_anew.is_none(),
            Stage::Plain => true,
        }
    }

    /// The other side's part, from an offer or an answer. The same again changes nothing but adds what is new in it; other
    /// credentials are a restart of theirs (RFC 8445 section 9): [`Self::is_restarted_by`] says so before, and then ours
    /// are to be new as well.
    pub(super) fn connect(&mut self, theirs: &Description, controlling: bool, now: Instant) {
        if self.stage == Stage::Plain || !self.settings.ice {
            return;
        }
        if let Some(known) = &self.theirs
            && known.credentials == theirs.credentials
        {
            return self.add_more(theirs, now);
        }
        if self.theirs.is_some() {
            // Another leg of a fork, or a restart that nobody announced: what was known of the other is void. What it knows of
            // us is what we have described.
            self.agent.forget_theirs(now);
            self.renewed = true;
        }
        self.agent.set_controlling(controlling || theirs.lite);
        self.add_more(theirs, now);
        self.agent.start(theirs.credentials.clone(), now);
        self.theirs = Some(theirs.clone());
        self.stage = Stage::Checking;
        self.tell_route();
        self.settle(now);
    }

    /// What a message says of addresses of theirs that were found after their description. False: it says nothing of this
    /// stream, or of another generation than the present one, and is dropped. RFC 8840 section 4.4.
    pub(super) fn add_late(&mut self, theirs: Option<&Description>, now: Instant) -> bool {
        let known = self.theirs.as_ref().filter(|_| self.stage == Stage::Checking);
        let theirs = theirs.filter(|theirs| known.is_some_and(|it| it.credentials == theirs.credentials));
        match theirs {
            Some(theirs) => self.add_more(theirs, now),
            None => self.agent.drop_stale(),
        }
        theirs.is_some()
    }

    fn add_more(&mut self, theirs: &Description, now: Instant) {
        // Where datagrams are not ours to send, a relay still sends them.
        for candidate in
            theirs.candidates.iter().filter(|c| c.component == self.number && c.carrier == Carrier::Udp)
        {
            self.agent.add_theirs(candidate, now);
        }
        self.punching.toward(theirs.candidates.iter(), &mut self.rng, now);
        self.punching.due(&mut self.legs, now, &mut self.orders);
        self.relays.permit(reachable(theirs, self.number), now);
        self.settle(now);
    }

    /// Whether this offer of theirs begins anew.
    pub(super) fn is_restarted_by(&self, theirs: &Description) -> bool {
        self.theirs.as_ref().is_some_and(|known| known.credentials != theirs.credentials)
    }

    /// Whether both sides check: then the way can be asked.
    pub(super) fn is_checked(&self) -> bool {
        self.stage == Stage::Checking
    }

    /// The other side was found to know no ICE.
    pub(super) fn is_plain(&self) -> bool {
        self.stage == Stage::Plain
    }

    /// Begins anew: the next description has other credentials. What carries goes on until another way does.
    pub(super) fn restart(&mut self, now: Instant) {
        self.agent.restart(now);
        self.restarted(now);
    }

    /// The same under the credentials of another component.
    pub(super) fn restart_with(&mut self, other: &Self, now: Instant) {
        self.agent.restart_as(other.agent.credentials().clone(), now);
        self.restarted(now);
    }

    fn restarted(&mut self, now: Instant) {
        self.theirs = None;
        self.renewed = true;
        // A router may show us under another address by now: servers are asked once more.
        self.ours.retain(|c| c.kind != Kind::ServerReflexive || c.carrier != Carrier::Udp);
        self.gather.stop();
        if self.settings.udp {
            for socket in &self.sockets {
                self.gather.ask(socket.leg, socket.local, &self.settings.stun, &mut self.rng, now);
            }
        }
        self.ask_relays_anew(now);
        self.asks_anew = (!self.has_all_answers()).then_some(now + GATHER_FOR);
        if self.stage == Stage::Plain {
            self.stage = Stage::Ready;
        }
        self.due(now);
    }

    /// The other side knows no ICE, or has lost it on the way.
    pub(super) fn plain(&mut self, now: Instant) {
        self.stage = Stage::Plain;
        self.gather.stop();
        (self.suspect_at, self.asks_anew, self.chosen_at) = (None, None, None);
        self.relays.close(now, &mut self.orders);
        self.punching.settle_on(None, &mut self.orders, &mut self.legs);
        self.target = None;
        self.tell_route();
    }

    /// The stream ends: what was got is given back.
    pub(super) fn close(&mut self, now: Instant) {
        self.relays.close(now, &mut self.orders);
        self.punching.settle_on(None, &mut self.orders, &mut self.legs);
    }

    /// A stream that was ordered is open, or one was taken.
    pub(super) fn stream_up(&mut self, leg: Leg, local: SocketAddr, remote: SocketAddr, now: Instant) {
        let known = self.relays.stream_up(leg, local, &mut self.rng, now)
            || self.punching.stream_up(leg, local, remote, &mut self.rng, now, &mut self.orders);
        if !known {
            // Taken by a listener that nobody needs any more, or opened for what is over.
            self.orders.push_back(Order::Close { leg });
        }
        self.due(now);
    }

    /// A stream is gone, or could not be had.
    pub(super) fn stream_down(&mut self, leg: Leg, refused: bool, now: Instant) {
        if !self.relays.stream_down(leg) {
            let beside = self.sockets.last().map(|socket| socket.local);
            self.punching.stream_down(leg, refused, beside, now, &mut self.orders);
        }
        if self.target.is_some_and(|target| target.leg == leg) {
            self.events.push_back(Event::Lost);
        }
        self.due(now);
    }

    /// Media is silent, or could not be sent: is the way still there?
    pub(super) fn suspect(&mut self, now: Instant) {
        self.agent.suspect(now);
        self.settle(now);
    }

    /// A message that is no media came to a socket or a stream. False: it is nobody's.
    pub(super) fn heard(&mut self, leg: Leg, from: SocketAddr, bytes: &[u8], now: Instant) -> bool {
        if let Some(answer) = self.gather.heard(leg, from, bytes, now) {
            if let Answer::Sees(leg, mapped) = answer {
                self.seen(leg, mapped);
            }
            self.settle(now);
            return true;
        }
        if self.relays.heard(leg, from, bytes, now) {
            self.settle(now);
            return true;
        }
        if self.punching.heard(leg, bytes, now) {
            self.settle(now);
            return true;
        }
        let socket = self.sockets.iter().find(|socket| socket.leg == leg).map(|socket| (socket.local, false));
        let stream = || self.punching.ends(leg).map(|(local, _)| (local, true));
        let Some((local, tcp)) = socket.or_else(stream) else { return false };
        let known = self.agent.heard(local, tcp, from, bytes, now);
        self.settle(now);
        known
    }

    fn gathered(&mut self) {
        self.stage = Stage::Ready;
        self.events.push_back(Event::Gathered);
    }

    /// The time has come.
    pub(super) fn due(&mut self, now: Instant) {
        let orders = &mut self.orders;
        self.gather.due(now, |leg, to, bytes| orders.push_back(Order::Send { leg, to, bytes }));
        self.relays.due(&mut self.legs, &mut self.rng, now, &mut self.orders);
        if self.suspect_at.is_some_and(|at| at <= now) {
            self.suspect_at = None;
            self.relays.hurry();
            self.relays.due(&mut self.legs, &mut self.rng, now, &mut self.orders);
            if self.settings.tcp == Tcp::IfBlocked {
                self.prepare_streams();
            }
        }
        self.punching.due(&mut self.legs, now, &mut self.orders);
        self.agent.due(now);
        self.settle(now);
    }

    /// When it wants to be told the time, and why.
    pub(super) fn next_wake(&self) -> Option<Wake> {
        let gathering = match self.stage {
            Stage::Gathering(until) => Some(until),
            Stage::Waiting | Stage::Ready | Stage::Checking | Stage::Plain => None,
        };
        let asking =
            [gathering, self.asks_anew, self.suspect_at, self.gather.next_wake()].into_iter().flatten().min();
        let asking = asking.map(|at| Wake { at, why: "own addresses" });
        let checks = self.agent.next_wake().filter(|_| self.stage != Stage::Plain);
        let own = Wake::earlier(asking, checks.map(|at| Wake { at, why: "path" }));
        Wake::earlier(own, Wake::earlier(self.relays.next_wake(), self.punching.next_wake()))
    }

    /// Takes what the machines below have come to.
    fn settle(&mut self, now: Instant) {
        self.relays.collect(now, &mut self.orders);
        while let Some(told) = self.relays.poll() {
            self.relay_told(told, now);
        }
        self.punching.collect(&mut self.legs, &mut self.orders);
        while let Some(told) = self.punching.poll() {
            self.punching_told(told, now);
        }
        if let Stage::Gathering(until) = self.stage
            && (now >= until || self.has_all_answers() && !self.punching.is_waited_for())
        {
            self.gathered();
        }
        if self.asks_anew.is_some_and(|until| now >= until || self.has_all_answers()) {
            self.asks_anew = None;
            self.events.push_back(Event::Gathered);
        }
        self.drain(now);
        self.release_relays(now);
    }

    fn has_all_answers(&self) -> bool {
        self.gather.is_done() && !self.relays.is_waited_for()
    }

    fn drain(&mut self, now: Instant) {
        while let Some(check) = self.agent.poll_send() {
            if check.tcp {
                if let Some(leg) = self.punching.leg(check.local, check.to) {
                    self.orders.push_back(Order::Send { leg, to: check.to, bytes: check.bytes });
                }
            } else if let Some(socket) = self.sockets.iter().find(|socket| socket.local == check.local) {
                self.orders.push_back(Order::Send { leg: socket.leg, to: check.to, bytes: check.bytes });
            } else {
                self.relays.send(check.local, check.to, &check.bytes, now);
            }
        }
        self.relays.collect(now, &mut self.orders);
        self.admit();
        while let Some(event) = self.agent.poll_event() {
            match event {
                ice::Event::Usable(pair) => self.use_pair(&pair),
                ice::Event::Chosen(pair) => {
                    self.gather.stop();
                    (self.suspect_at, self.chosen_at) = (None, Some(now));
                    self.use_pair(&pair);
                    let used = self.target.map(|target| target.leg).filter(|_| pair.tcp);
                    self.punching.settle_on(used, &mut self.orders, &mut self.legs);
                }
                // In mid-call the last way may come back, and another try may do.
                ice::Event::Failed if self.target.is_some() => self.events.push_back(Event::Lost),
                ice::Event::Failed => {
                    self.plain(now);
                    self.events.push_back(Event::Unreachable);
                }
                ice::Event::Dead => self.events.push_back(Event::Lost),
                ice::Event::Expired => {
                    // Nobody wants our packets there: RFC 7675 section 5.1.
                    self.target = None;
                    self.tell_route();
                    self.events.push_back(Event::Lost);
                }
            }
        }
    }

    fn use_pair(&mut self, pair: &Pair) {
        let leg = if pair.tcp {
            self.punching.leg(pair.local, pair.remote)
        } else {
            self.sockets.iter().find(|socket| socket.local == pair.local).map(|socket| socket.leg)
        };
        let target = match (leg, self.relays.way(pair.local, pair.remote)) {
            (Some(leg), _) => Target { leg, to: pair.remote, relay: None },
            (None, Some((leg, server, channel))) => {
                Target { leg, to: pair.remote, relay: Some((server, channel)) }
            }
            // Its channel is not bound yet; we come back when it is.
            (None, None) => return,
        };
        self.target = Some(target);
        self.tell_route();
        let reached = Reached::of(pair);
        if self.reached.replace(reached) != Some(reached) || std::mem::take(&mut self.renewed) {
            self.events.push_back(Event::Reached(reached));
        }
    }

    fn punching_told(&mut self, told: punching::Told, now: Instant) {
        match told {
            punching::Told::Candidate(candidate) => self.add(candidate),
            punching::Told::Open { local, remote } => {
                let carrier = Carrier::Tcp(TcpType::SimultaneousOpen);
                let rank = self.sockets.last().map_or(0, |socket| socket.rank);
                let ours = Candidate::ours(Kind::Host, carrier, 1, local, local, rank);
                let described = self.theirs.iter().flat_map(|theirs| &theirs.candidates);
                let known = described.filter(|c| c.carrier != Carrier::Udp).find(|c| c.address == remote);
                let unknown = || Candidate::ours(Kind::PeerReflexive, carrier, 1, remote, remote, rank);
                let theirs = known.cloned().unwrap_or_else(unknown);
                self.agent.add_ours(&ours, now);
                self.agent.add_theirs(&theirs, now);
            }
            punching::Told::Gone { local, remote } => {
                if self
                    .agent
                    .pair()
                    .is_some_and(|pair| pair.tcp && (pair.local, pair.remote) == (local, remote))
                {
                    self.events.push_back(Event::Lost);
                }
            }
        }
    }

    /// Whoever has shown that they know our secret may send media.
    fn admit(&mut self) {
        let mut more = false;
        while let Some(from) = self.agent.poll_admitted() {
            if !self.admitted.contains(&from) {
                if self.admitted.len() == MOST_ADMITTED {
                    self.admitted.remove(0);
                }
                self.admitted.push(from);
                more = true;
            }
        }
        if more {
            self.tell_route();
        }
    }

    fn tell_route(&mut self) {
        let route = match self.stage {
            Stage::Checking => Route::Checked { target: self.target, admitted: self.admitted.clone() },
            Stage::Waiting | Stage::Gathering(_) | Stage::Ready | Stage::Plain => Route::Plain,
        };
        if self.route != route {
            self.route = route.clone();
            self.orders.push_back(Order::Route(route));
        }
    }

    /// Whether we choose.
    pub(super) fn is_controlling(&self) -> bool {
        self.agent.is_controlling()
    }

    pub(super) fn follow_role(&mut self, controlling: bool, now: Instant) {
        self.agent.follow_role(controlling, now);
    }

    /// The next thing to do.
    pub(super) fn poll_order(&mut self) -> Option<Order> {
        self.orders.pop_front()
    }

    /// What happened.
    pub(super) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// By which kind of way the other side is reached.
    pub(super) fn reached(&self) -> Option<Reached> {
        self.reached.filter(|_| self.stage == Stage::Checking)
    }

    /// How it stands, for diagnostics.
    pub(super) fn report(&self) -> Report {
        Report {
            ours: self.ours.clone(),
            theirs: self.theirs.as_ref().map_or_else(Vec::new, |theirs| theirs.candidates.clone()),
            pair: self.agent.pair(),
            settled: self.agent.is_settled(),
            route: self.route.clone(),
            round_trip: self.agent.round_trip(),
            counts: self.agent.counts(),
            mute: self.gather.mute().to_vec(),
        }
    }
}

/// Whom a relay is to let through.
fn reachable(theirs: &Description, component: u16) -> impl Iterator<Item = SocketAddr> {
    let datagrams = move |c: &&Candidate| c.carrier == Carrier::Udp && c.component == component;
    theirs.candidates.iter().filter(datagrams).map(|c| c.address)
}
