//! A path's streams to the other side, through both sides' routers. RFC 6544 over [`crate::punch`].
//!
//! One port serves all: it asks S from there which address that has outside, listens there and connects from there. So it is
//! described in three ways: as one that opens at the same time, that waits (passive) and that connects (active), for those who
//! know only one of these. A stream that opens is told to the path, which has it checked like any pair; which one is used is
//! ICE's choice. The stream to S stays while others are made, for many a router forgets the port with it (RFC 6544 section 5.2).

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use base::{Instant, Rng, Wake};

use super::{Leg, Order};
use crate::framing::Framing;
use crate::punch::{self, Attempt, Keep, News, Punch, PunchConfig, StreamId};
use crate::stun::transaction::{Due, Pace, Transactions};
use crate::stun::{Class, Message, Method, TransactionId, Writer};
use crate::{Candidate, Carrier, Kind, TcpType};

/// Both sides learn of each other when the call is answered, which takes one of them longer; routers that undo a first try get
/// further ones. ICE gives up a little later.
const WITHIN: Duration = Duration::from_secs(10);
/// Streams that are taken before the other side's description is there; it was sent ours, and may connect at once.
const MOST_EARLY: usize = 4;
/// What an active candidate has for a port. RFC 6544 section 4.5.
const DISCARD: u16 = 9;

/// What became of it.
#[derive(Debug)]
pub(super) enum Told {
    /// Peers may be told of this.
    Candidate(Candidate),
    /// A stream is open between these two.
    Open { local: SocketAddr, remote: SocketAddr },
    /// It is no more.
    Gone { local: SocketAddr, remote: SocketAddr },
}

/// ```text
///           up, asked              answered
///   Off ---------------> Asking ---------------> Known(local) --- their streams ---> punching
///    |                             or refused        |
///    +---- no S: at once --------------------------->+--> without an outside address, where S does not say
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Off,
    Asking(Leg),
    Known(SocketAddr),
}

#[derive(Debug, Default)]
pub(super) struct Punching {
    state: State,
    /// The stream to S.
    server: Option<(Leg, SocketAddr)>,
    questions: Transactions<Leg>,
    rank: u16,
    punch: Option<Punch>,
    attempts: BTreeMap<Attempt, Leg>,
    open: BTreeMap<Leg, (SocketAddr, SocketAddr)>,
    /// Taken before anything is known of the other side.
    early: Vec<(Leg, SocketAddr)>,
    /// A way was found, or given up: nobody who comes is taken.
    settled: bool,
    told: VecDeque<Told>,
}

impl Punching {
    /// Asks S for the outside address of a port of ours. Without S it is `local`'s own, which is a datagram's so far.
    pub(super) fn begin(
        &mut self,
        local: SocketAddr,
        servers: &[SocketAddr],
        rank: u16,
        legs: &mut u32,
        out: &mut VecDeque<Order>,
    ) {
        let fits = |server: &&SocketAddr| server.is_ipv4() == local.is_ipv4();
        if self.state != State::Off {
            return;
        }
        self.rank = rank;
        self.settled = false;
        let Some(server) = servers.iter().find(fits) else { return self.listen(local, out) };
        let leg = Leg::stream(legs);
        self.state = State::Asking(leg);
        self.server = Some((leg, *server));
        let from = Some(SocketAddr::new(local.ip(), 0));
        out.push_back(Order::Connect { leg, from, to: *server, framing: Framing::Turn, name: None });
    }

    /// Without a server's word: in a network of our own that is enough.
    fn listen(&mut self, local: SocketAddr, out: &mut VecDeque<Order>) {
        self.state = State::Known(local);
        self.tell(Kind::Host, local, local);
        out.push_back(Order::Listen { at: local });
    }

    /// An address of the port, in each way that a stream may come about there.
    fn tell(&mut self, kind: Kind, address: SocketAddr, local: SocketAddr) {
        let nowhere = SocketAddr::new(address.ip(), DISCARD);
        let ways: &[_] = match kind {
            Kind::Host => &[
                (TcpType::Active, nowhere),
                (TcpType::Passive, address),
                (TcpType::SimultaneousOpen, address),
            ],
            // Who connects is seen from there by itself.
            _ => &[(TcpType::SimultaneousOpen, address), (TcpType::Passive, address)],
        };
        for (how, address) in ways {
            let candidate = Candidate::ours(kind, Carrier::Tcp(*how), 1, *address, local, self.rank);
            self.told.push_back(Told::Candidate(candidate));
        }
    }

    /// Whether an answer is still awaited that a description should have.
    pub(super) fn is_waited_for(&self) -> bool {
        matches!(self.state, State::Asking(_))
    }

    /// Not needed after all: datagrams get through.
    pub(super) fn call_off(&mut self, out: &mut VecDeque<Order>) {
        if let State::Asking(leg) = self.state {
            self.state = State::Off;
            self.server = None;
            self.questions.forget(|_| true);
            out.push_back(Order::Close { leg });
        }
    }

    /// A stream is open; false: none of these.
    pub(super) fn stream_up(
        &mut self,
        leg: Leg,
        local: SocketAddr,
        remote: SocketAddr,
        rng: &mut Rng,
        now: Instant,
        out: &mut VecDeque<Order>,
    ) -> bool {
        if self.state == State::Asking(leg) {
            let id = TransactionId::draw(rng);
            let question = Writer::request(Method::Binding, id).fingerprinted();
            self.questions.begin(id, question, leg, Pace::STREAM, now);
            self.tell(Kind::Host, local, local);
            // Who is told of the port may come before we hear of them. RFC 6544 section 7.2.
            out.push_back(Order::Listen { at: local });
            self.open.insert(leg, (local, remote));
            return true;
        }
        if self.punch.is_none() && leg.0 >= Leg::TAKEN && !self.settled && self.early.len() < MOST_EARLY {
            self.early.push((leg, remote));
            self.open.insert(leg, (local, remote));
            return true;
        }
        let Some(punch) = &mut self.punch else { return false };
        let attempt = self.attempts.iter().find(|(_, known)| **known == leg).map(|(attempt, _)| *attempt);
        self.open.insert(leg, (local, remote));
        match attempt {
            Some(attempt) => punch.handle(News::Connected { attempt }, now),
            None => punch.handle(News::Accepted { stream: leg.0, from: remote }, now),
        }
        true
    }

    /// A stream is gone, or never came; false: none of these. `local`: of a socket beside it.
    pub(super) fn stream_down(
        &mut self,
        leg: Leg,
        refused: bool,
        local: Option<SocketAddr>,
        now: Instant,
        out: &mut VecDeque<Order>,
    ) -> bool {
        let was_open = self.open.remove(&leg);
        self.early.retain(|(early, _)| *early != leg);
        if self.server.is_some_and(|(known, _)| known == leg) {
            self.server = None;
            self.questions.forget(|_| true);
            if let State::Asking(_) = self.state {
                self.state = State::Off;
                match (was_open, local) {
                    (Some((local, _)), _) => self.state = State::Known(local),
                    (None, Some(local)) => self.listen(local, out),
                    (None, None) => {}
                }
            }
            return true;
        }
        let attempt = self.attempts.iter().find(|(_, known)| **known == leg).map(|(attempt, _)| *attempt);
        if let Some((local, remote)) = was_open {
            self.told.push_back(Told::Gone { local, remote });
        }
        let Some(punch) = &mut self.punch else { return was_open.is_some() };
        match (attempt, was_open) {
            (Some(attempt), None) if refused => punch.handle(News::Refused { attempt }, now),
            (Some(attempt), None) => punch.handle(News::TimedOut { attempt }, now),
            (Some(attempt), Some(_)) => {
                punch.handle(News::Closed { stream: StreamId::Dialled(attempt) }, now);
            }
            (None, Some(_)) => punch.handle(News::Closed { stream: StreamId::Accepted(leg.0) }, now),
            (None, None) => return false,
        }
        true
    }

    /// A message came on the stream to S; false: it did not.
    pub(super) fn heard(&mut self, leg: Leg, bytes: &[u8], now: Instant) -> bool {
        let (Some((known, _)), Some((local, _))) = (self.server, self.open.get(&leg).copied()) else {
            return false;
        };
        let Ok(message) = Message::read(bytes) else { return known == leg };
        if known != leg {
            return false;
        }
        if self.questions.asked(&message) == Some(&leg) {
            self.questions.answered(message.id(), now);
            self.state = State::Known(local);
            let outside = message.mapped().filter(|it| message.class() == Class::Success && *it != local);
            if let Some(outside) = outside.filter(|it| it.is_ipv4() == local.is_ipv4()) {
                self.tell(Kind::ServerReflexive, outside, local);
            }
        }
        true
    }

    /// The other side has these: both begin at once.
    pub(super) fn toward<'a>(
        &mut self,
        theirs: impl Iterator<Item = &'a Candidate>,
        rng: &mut Rng,
        now: Instant,
    ) {
        let local = match self.state {
            State::Known(local) => local,
            // S has not said it yet, and may never: the port is what counts.
            State::Asking(leg) => match self.open.get(&leg) {
                Some((local, _)) => *local,
                None => return,
            },
            State::Off => return,
        };
        if self.punch.is_some() {
            return;
        }
        let here = |c: &&Candidate| c.component == 1 && c.address.is_ipv4() == local.is_ipv4();
        let theirs: Vec<&Candidate> = theirs.filter(here).filter(|c| c.carrier != Carrier::Udp).collect();
        if theirs.is_empty() {
            return;
        }
        // Who only connects has no port that could be connected to: then we wait.
        let has_port = |c: &&&Candidate| c.carrier != Carrier::Tcp(TcpType::Active);
        let remotes = theirs.iter().filter(has_port).map(|c| c.address).collect();
        let config = PunchConfig { local, remotes, keep: Keep::All, within: WITHIN };
        let mut punch = Punch::new(config, rng.split(), now);
        for (leg, from) in self.early.drain(..) {
            punch.handle(News::Accepted { stream: leg.0, from }, now);
        }
        self.settled = false;
        self.punch = Some(punch);
    }

    /// The stream between two addresses.
    pub(super) fn leg(&self, local: SocketAddr, remote: SocketAddr) -> Option<Leg> {
        let to_server = self.server.map(|(leg, _)| leg);
        let found =
            self.open.iter().find(|(leg, ends)| **ends == (local, remote) && Some(**leg) != to_server);
        found.map(|(leg, _)| *leg)
    }

    /// The two ends of a stream.
    pub(super) fn ends(&self, leg: Leg) -> Option<(SocketAddr, SocketAddr)> {
        self.open.get(&leg).copied()
    }

    /// One stream is used, or none is needed: all others end.
    pub(super) fn settle_on(&mut self, keep: Option<Leg>, out: &mut VecDeque<Order>, legs: &mut u32) {
        if let Some(punch) = &mut self.punch {
            punch.stop();
        }
        self.collect(legs, out);
        self.punch = None;
        self.settled = true;
        self.early.clear();
        self.questions.forget(|_| true);
        self.server = None;
        if let State::Asking(_) = self.state {
            self.state = State::Off;
        }
        self.open.retain(|leg, _| {
            let stays = Some(*leg) == keep;
            if !stays {
                out.push_back(Order::Close { leg: *leg });
            }
            stays
        });
    }

    pub(super) fn due(&mut self, legs: &mut u32, now: Instant, out: &mut VecDeque<Order>) {
        while let Some(due) = self.questions.due(now) {
            match due {
                Due::Send(leg, bytes) => {
                    if let Some((_, to)) = self.server {
                        out.push_back(Order::Send { leg, to, bytes });
                    }
                }
                Due::GivenUp(leg) => {
                    if let Some((local, _)) = self.open.get(&leg) {
                        self.state = State::Known(*local);
                    }
                }
            }
        }
        if let Some(punch) = &mut self.punch {
            punch.due(now);
        }
        self.collect(legs, out);
    }

    /// Takes what the machine below has come to.
    pub(super) fn collect(&mut self, legs: &mut u32, out: &mut VecDeque<Order>) {
        let Some(punch) = &mut self.punch else { return };
        while let Some(order) = punch.poll_order() {
            match order {
                punch::Order::ListenTcp { local } => out.push_back(Order::Listen { at: local }),
                punch::Order::ConnectTcp { local, remote, attempt } => {
                    let leg = Leg::stream(legs);
                    self.attempts.insert(attempt, leg);
                    let (from, framing) = (Some(local), Framing::Rfc4571);
                    out.push_back(Order::Connect { leg, from, to: remote, framing, name: None });
                }
                punch::Order::CloseTcp { stream } => {
                    let leg = match stream {
                        StreamId::Dialled(attempt) => self.attempts.get(&attempt).copied(),
                        StreamId::Accepted(leg) => Some(Leg(leg)),
                    };
                    if let Some(leg) = leg {
                        self.open.remove(&leg);
                        out.push_back(Order::Close { leg });
                    }
                }
                // Asked for only where both sides have to agree by themselves.
                punch::Order::WriteTcp { .. } | punch::Order::StopListening => {}
            }
        }
        while let Some(event) = punch.poll_event() {
            match event {
                punch::Event::Open { stream, .. } => {
                    let leg = match stream {
                        StreamId::Dialled(attempt) => self.attempts.get(&attempt).copied(),
                        StreamId::Accepted(leg) => Some(Leg(leg)),
                    };
                    if let Some(leg) = leg
                        && let Some((local, remote)) = self.open.get(&leg).copied()
                    {
                        self.told.push_back(Told::Open { local, remote });
                    }
                }
                punch::Event::Failed(_) => {}
            }
        }
    }

    pub(super) fn next_wake(&self) -> Option<Wake> {
        let punch = self.punch.as_ref().and_then(Punch::next_wake);
        Wake::earlier(self.questions.next_wake(), punch)
    }

    pub(super) fn poll(&mut self) -> Option<Told> {
        self.told.pop_front()
    }
}
