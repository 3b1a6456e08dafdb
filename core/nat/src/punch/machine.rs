//! The tries: whom to connect to, when again, when to stop.
//!
//! RFC 5128 section 3.4. A try that nobody answers is left alone: the system repeats its SYN after one, three and seven seconds,
//! and each keeps the hole open. A refusal may have closed the hole (RFC 5382 section 7.1): the next try goes out within some
//! 20 ms, so that the hole is open most of the time for as long as a [`BURST`] takes, and the other's SYN finds it though the
//! two hosts did not begin together. Bursts begin again after a random while, longer each time, for two that missed each
//! other not to do so in step. Bounded: [`MOST_TRIES`] for each remote, [`MOST_STREAMS`] at once, [`DEADLINE`] for all. Knows
//! no sockets, and of streams only what [`Agreement`] says.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use base::{Instant, Rng, Wake};
use bytes::Bytes;

use super::agreement::{Agreement, Verdict};
use super::{Attempt, Event, Failure, Keep, News, Order, StreamId};
use crate::address;

/// How long it may take in all, unless told otherwise. Meanwhile a relay can be had.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// Tries for each remote: three bursts.
pub const MOST_TRIES: u32 = 24;
/// Tries that follow each other at once: over a way of 15 ms they take 400 ms, and two hosts that were told over S of each
/// other begin within that.
const BURST: u32 = 8;
/// Remotes tried; the first ones of those given.
pub const MOST_REMOTES: usize = 8;
/// Streams open at once. What comes in beyond them is closed.
pub const MOST_STREAMS: usize = 16;

/// The middle of the wait within a burst. Each wait is drawn between a half and one and a half of its middle.
const SOON: Duration = Duration::from_millis(20);
/// The middle of the wait after the first and the second burst.
const LATER: [Duration; 2] = [Duration::from_millis(700), Duration::from_millis(2000)];
/// How long a pair of addresses that a stream uses is left alone.
const IN_USE: Duration = Duration::from_millis(500);

/// What a [`Punch`] is told once.
#[derive(Clone, Debug)]
pub struct PunchConfig {
    /// Our port: the one that S was asked from.
    pub local: SocketAddr,
    /// Where the other host may be; see [`super::Endpoints::toward`]. With [`Keep::All`] there may be nowhere: whoever comes is
    /// taken.
    pub remotes: Vec<SocketAddr>,
    /// What becomes of the streams.
    pub keep: Keep,
    /// How long it may take; [`DEADLINE`] for most.
    pub within: Duration,
}

/// ```text
///            +------------- refused, timed out: wait ---------------+
///            v                                                      |
///   Waiting(until) --due--> Trying(attempt) ------------------------+
///                                |     \
///                      connected |      +--- the last one --> Spent
///                                v
///                              Open --closed, a stranger--> Waiting, or Spent
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting(Instant),
    Trying(Attempt),
    Open(Attempt),
    Spent,
}

#[derive(Debug)]
struct Remote {
    addr: SocketAddr,
    tries: u32,
    state: State,
}

/// How tries and streams ended, for the reason at the end.
#[derive(Debug, Default)]
struct Tally {
    refused: u32,
    silent: u32,
    in_use: u32,
    strangers: u32,
}

/// One pair of hosts, until a stream is open or none can be.
#[derive(Debug)]
pub struct Punch {
    local: SocketAddr,
    remotes: Vec<Remote>,
    /// `None`: all streams are somebody else's to judge.
    agreement: Option<Agreement>,
    rng: Rng,
    deadline: Instant,
    attempts: u32,
    listening: bool,
    streams: BTreeMap<StreamId, SocketAddr>,
    tally: Tally,
    /// The deadline is past: streams that are open may still be agreed on.
    late: bool,
    over: bool,
    /// With [`Keep::All`]: something was opened.
    opened: bool,
    orders: VecDeque<Order>,
    events: VecDeque<Event>,
}

impl Punch {
    /// Begins: orders are there at once. Addresses that may not be connected to are passed over.
    pub fn new(config: PunchConfig, mut rng: Rng, now: Instant) -> Self {
        let PunchConfig { local, remotes: given, keep, within } = config;
        let agreement = match keep {
            Keep::All => None,
            Keep::One { name, key } => Some(Agreement::new(name, key, rng.split())),
        };
        let mut remotes: Vec<Remote> = Vec::new();
        for addr in given {
            let usable = may_connect(local, addr) && addr != local;
            if usable && remotes.len() < MOST_REMOTES && remotes.iter().all(|remote| remote.addr != addr) {
                remotes.push(Remote { addr, tries: 0, state: State::Waiting(now) });
            }
        }
        let mut new = Self {
            local,
            remotes,
            agreement,
            rng,
            deadline: now + within,
            attempts: 0,
            listening: true,
            streams: BTreeMap::new(),
            tally: Tally::default(),
            late: false,
            over: false,
            opened: false,
            orders: VecDeque::from([Order::ListenTcp { local }]),
            events: VecDeque::new(),
        };
        // Who only waits for others may do so where others judge who comes.
        if new.remotes.is_empty() && new.agreement.is_some() {
            new.orders.clear();
            new.listening = false;
            new.end(Event::Failed(Failure::NowhereToGo));
        }
        new.due(now);
        new
    }

    /// Something happened.
    pub fn handle(&mut self, news: News<'_>, now: Instant) {
        match news {
            News::Connected { attempt } => {
                let Some(remote) = self.trying(attempt) else {
                    self.orders.push_back(Order::CloseTcp { stream: StreamId::Dialled(attempt) });
                    return;
                };
                self.remotes[remote].state = State::Open(attempt);
                self.opened(StreamId::Dialled(attempt), self.remotes[remote].addr, now);
            }
            News::Accepted { stream, from } => self.opened(StreamId::Accepted(stream), from, now),
            News::Refused { attempt } => {
                self.tally.refused += u32::from(self.trying(attempt).is_some());
                self.tried(attempt, now);
            }
            News::TimedOut { attempt } | News::Unreachable { attempt } => {
                self.tally.silent += u32::from(self.trying(attempt).is_some());
                self.tried(attempt, now);
            }
            News::AddressInUse { attempt: Some(attempt) } => {
                self.tally.in_use += u32::from(self.trying(attempt).is_some());
                self.tried(attempt, now);
            }
            News::AddressInUse { attempt: None } => {
                // Tries go on: where both systems can open a stream by crossing SYNs, nobody need accept.
                self.tally.in_use += 1;
                self.listening = false;
            }
            News::Bytes { stream, bytes } => {
                self.agree(|agreement, out| agreement.bytes(stream, bytes, now, out), now);
            }
            News::Closed { stream } => {
                if self.streams.contains_key(&stream) {
                    self.gone(stream, now);
                    self.agree(|agreement, out| agreement.closed(stream, now, out), now);
                }
            }
        }
        self.due(now);
    }

    /// The time has come that [`Self::next_wake`] named.
    pub fn due(&mut self, now: Instant) {
        if self.over {
            return;
        }
        self.agree(|agreement, out| agreement.due(now, out), now);
        if self.over {
            return;
        }
        if now >= self.deadline && !self.late {
            self.late = true;
            self.stop_trying();
        }
        let agreeing = self.agreement.is_some() && !self.streams.is_empty();
        if (self.late || self.nothing_left()) && !agreeing {
            return if self.opened { self.stop() } else { self.fail() };
        }
        if self.late {
            return;
        }
        for index in 0..self.remotes.len() {
            let Remote { addr, state: State::Waiting(until), .. } = self.remotes[index] else { continue };
            if until > now {
                continue;
            }
            // A stream from there is the pair of addresses in use: it can't be connected to a second time.
            if self.streams.values().any(|from| *from == addr) {
                self.remotes[index].state = State::Waiting(now + IN_USE);
                continue;
            }
            self.attempts += 1;
            let attempt = Attempt(self.attempts);
            let remote = &mut self.remotes[index];
            (remote.state, remote.tries) = (State::Trying(attempt), remote.tries + 1);
            self.orders.push_back(Order::ConnectTcp { local: self.local, remote: addr, attempt });
        }
    }

    /// Enough: no stream is wanted any more. Those that were told of stay, tries and the listener end.
    pub fn stop(&mut self) {
        if !self.over {
            self.over = true;
            self.close_all();
        }
    }

    /// When to call [`Self::due`].
    pub fn next_wake(&self) -> Option<Wake> {
        if self.over {
            return None;
        }
        let tries = self.remotes.iter().filter_map(|remote| match remote.state {
            State::Waiting(until) => Some(until),
            State::Trying(_) | State::Open(_) | State::Spent => None,
        });
        let agreement = self.agreement.as_ref().and_then(Agreement::next_wake);
        let deadline = (!self.late).then_some(self.deadline);
        let at = tries.chain(agreement).chain(deadline).min()?;
        Some(Wake { at, why: "TCP hole punching" })
    }

    /// The next thing to do.
    pub fn poll_order(&mut self) -> Option<Order> {
        self.orders.pop_front()
    }

    /// What came of it.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether nothing will be ordered or told any more, but for streams to be closed that come too late.
    pub const fn is_over(&self) -> bool {
        self.over
    }

    fn trying(&self, attempt: Attempt) -> Option<usize> {
        self.remotes.iter().position(|remote| remote.state == State::Trying(attempt))
    }

    fn opened(&mut self, stream: StreamId, remote: SocketAddr, now: Instant) {
        // The listener hears whom it will: what may not be connected to may not come in either.
        if self.over || self.late || self.streams.len() >= MOST_STREAMS || self.streams.contains_key(&stream)
        {
            self.orders.push_back(Order::CloseTcp { stream });
            return;
        }
        self.streams.insert(stream, remote);
        if self.agreement.is_some() {
            self.agree(|agreement, out| agreement.opened(stream, now, out), now);
        } else {
            self.opened = true;
            self.events.push_back(Event::Open { stream, remote, rest: Bytes::new() });
        }
    }

    /// A try has ended without a stream.
    fn tried(&mut self, attempt: Attempt, now: Instant) {
        if let Some(index) = self.trying(attempt) {
            self.again(index, now);
        }
    }

    fn again(&mut self, index: usize, now: Instant) {
        let tries = self.remotes[index].tries;
        self.remotes[index].state = if tries >= MOST_TRIES || self.late {
            State::Spent
        } else {
            let middle = if tries.is_multiple_of(BURST) { LATER[(tries / BURST) as usize - 1] } else { SOON };
            State::Waiting(now + middle.mul_f64(0.5 + self.rng.fraction()))
        };
    }

    /// A stream is no more: the one who had it is tried again, if there are tries left.
    fn gone(&mut self, stream: StreamId, now: Instant) {
        self.streams.remove(&stream);
        if let StreamId::Dialled(attempt) = stream {
            let had = self.remotes.iter().position(|remote| remote.state == State::Open(attempt));
            if let Some(index) = had.filter(|_| self.agreement.is_some()) {
                self.again(index, now);
            }
        }
    }

    /// Asks the agreement, if there is one, and does what it says.
    fn agree(&mut self, ask: impl FnOnce(&mut Agreement, &mut Vec<Verdict>), now: Instant) {
        let mut verdicts = Vec::new();
        let Some(agreement) = self.agreement.as_mut().filter(|_| !self.over) else { return };
        ask(agreement, &mut verdicts);
        for verdict in verdicts {
            match verdict {
                Verdict::Write(stream, bytes) => self.orders.push_back(Order::WriteTcp { stream, bytes }),
                Verdict::Stranger(stream) => {
                    self.tally.strangers += 1;
                    self.orders.push_back(Order::CloseTcp { stream });
                    self.gone(stream, now);
                }
                Verdict::Kept(stream, rest) => {
                    let remote = self.streams.remove(&stream).expect("it agrees on streams that are open");
                    self.close_all();
                    self.end(Event::Open { stream, remote, rest });
                    return;
                }
            }
        }
    }

    /// Whether waiting for the deadline is pointless: nobody can be connected to, and nobody comes.
    fn nothing_left(&self) -> bool {
        !self.listening
            && self.streams.is_empty()
            && self.remotes.iter().all(|remote| remote.state == State::Spent)
    }

    fn fail(&mut self) {
        self.stop_trying();
        let Tally { refused, silent, in_use, strangers } = self.tally;
        let failure = match (strangers, silent, refused, in_use) {
            (1.., ..) => Failure::Stranger,
            (0, 1.., ..) => Failure::Silence,
            (0, 0, 1.., _) => Failure::Refused,
            (0, 0, 0, 1..) => Failure::PortInUse,
            (0, 0, 0, 0) => Failure::Silence,
        };
        self.close_all();
        self.end(Event::Failed(failure));
    }

    /// Ends the listener and the tries.
    fn stop_trying(&mut self) {
        if std::mem::take(&mut self.listening) {
            self.orders.push_back(Order::StopListening);
        }
        for remote in &mut self.remotes {
            match remote.state {
                State::Trying(attempt) => {
                    self.tally.silent += 1;
                    self.orders.push_back(Order::CloseTcp { stream: StreamId::Dialled(attempt) });
                    remote.state = State::Spent;
                }
                State::Waiting(_) => remote.state = State::Spent,
                State::Open(_) | State::Spent => {}
            }
        }
    }

    /// The same, and ends the streams that nobody else owns.
    fn close_all(&mut self) {
        self.stop_trying();
        if self.agreement.is_some() {
            let streams = std::mem::take(&mut self.streams).into_keys();
            self.orders.extend(streams.map(|stream| Order::CloseTcp { stream }));
        }
    }

    fn end(&mut self, event: Event) {
        self.over = true;
        self.events.push_back(event);
    }
}

/// A port on all addresses does not say where we are: then what reaches only ourselves, or only one network, is out.
fn may_connect(local: SocketAddr, remote: SocketAddr) -> bool {
    local.is_ipv4() == remote.is_ipv4() && address::may_reach(local.ip(), remote)
}
