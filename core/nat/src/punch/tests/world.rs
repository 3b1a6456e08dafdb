//! Two hosts, their routers and their systems' TCP, as far as opening a stream goes; in virtual time.

use std::collections::{BTreeMap, BTreeSet};

use base::{Instant, Rng};

use super::super::*;
use super::{addr, secret};

/// What a router does with a SYN that nobody inside has asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unasked {
    /// Passes over it in silence.
    Drops,
    /// Answers RST; and its own hole stays open when it sees one.
    Resets,
    /// Answers RST; and closes its own hole when it sees one.
    ResetsAndCloses,
}

/// One host behind its router.
pub(super) struct Host {
    pub(super) punch: Punch,
    pub(super) inside: SocketAddr,
    pub(super) outside: SocketAddr,
    pub(super) unasked: Unasked,
    /// Maps each destination to another port.
    pub(super) symmetric: bool,
    /// Who may send in.
    holes: BTreeSet<SocketAddr>,
    listening: bool,
    dialling: BTreeMap<Attempt, SocketAddr>,
    accepted: u32,
    begun: bool,
    pub(super) ends: Option<(Event, Instant)>,
    pub(super) closed: Vec<StreamId>,
    pub(super) tries: Vec<Instant>,
}

/// Between which streams of the two hosts bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pipe([StreamId; 2]);

#[derive(Clone, Debug)]
enum Thing {
    Begin(usize),
    /// A SYN of that host's try, at whoever has that address; with the address that it seems to come from.
    Syn {
        of: usize,
        attempt: Attempt,
        seen: SocketAddr,
        to: SocketAddr,
    },
    Resend {
        of: usize,
        attempt: Attempt,
        waited: u64,
    },
    Refused {
        of: usize,
        attempt: Attempt,
        by: SocketAddr,
    },
    Up {
        at: usize,
        stream: StreamId,
        from: SocketAddr,
    },
    Data {
        at: usize,
        stream: StreamId,
        bytes: Vec<u8>,
    },
    End {
        at: usize,
        stream: StreamId,
    },
}

pub(super) struct World {
    pub(super) hosts: [Host; 2],
    /// From one router to the other, in milliseconds.
    pub(super) delay: u64,
    /// Whether the hosts reach each other by their inside addresses, and whether their common router hairpins.
    pub(super) neighbours: Option<bool>,
    pub(super) now: Instant,
    queue: BTreeMap<(Instant, u64), Thing>,
    count: u64,
    pipes: Vec<Pipe>,
}

/// What is still open when it ends, and how long it took.
pub(super) struct Ended {
    pub(super) events: [Event; 2],
    pub(super) took: u64,
}

impl World {
    /// Two strangers' networks. The second host begins `lag` milliseconds after the first.
    pub(super) fn new(unasked: Unasked, delay: u64, lag: u64, seed: u64) -> Self {
        let ends = [("10.0.0.2:5000", "198.51.100.1:5000"), ("192.168.7.7:6000", "203.0.113.9:61000")]
            .map(|(inside, outside)| Endpoints { outside: addr(outside), inside: vec![addr(inside)] });
        Self::between(&ends, unasked, delay, lag, seed, [secret("right"), secret("right")])
    }

    pub(super) fn between(
        ends: &[Endpoints; 2],
        unasked: Unasked,
        delay: u64,
        lag: u64,
        seed: u64,
        keeps: [Keep; 2],
    ) -> Self {
        let mut rng = Rng::from_number(seed);
        let mut index = 0;
        let hosts = keeps.map(|keep| {
            let (ours, theirs) = (&ends[index], &ends[1 - index]);
            let begins = Instant::from_millis(lag * index as u64);
            index += 1;
            let config =
                PunchConfig { local: ours.inside[0], remotes: ours.toward(theirs), keep, within: DEADLINE };
            Host {
                punch: Punch::new(config, rng.split(), begins),
                inside: ours.inside[0],
                outside: ours.outside,
                unasked,
                symmetric: false,
                holes: BTreeSet::new(),
                listening: false,
                dialling: BTreeMap::new(),
                accepted: 0,
                begun: false,
                ends: None,
                closed: Vec::new(),
                tries: Vec::new(),
            }
        });
        let mut world = Self {
            hosts,
            delay,
            neighbours: None,
            now: Instant::ZERO,
            queue: BTreeMap::new(),
            count: 0,
            pipes: Vec::new(),
        };
        for host in 0..2 {
            world.after(lag * host as u64, Thing::Begin(host));
        }
        world
    }

    /// Runs until both have said how it ended.
    pub(super) fn run(mut self) -> (Ended, Self) {
        for _ in 0..10_000 {
            let wakes = self.hosts.iter().filter(|host| host.begun).filter_map(|host| host.punch.next_wake());
            let wake = wakes.map(|wake| wake.at).min();
            let thing = self.queue.first_key_value().map(|((at, _), _)| *at);
            let Some(at) = [wake, thing].into_iter().flatten().min() else { break };
            self.now = self.now.max(at);
            if thing == Some(at) {
                let (_, thing) = self.queue.pop_first().unwrap();
                self.happens(thing);
            } else {
                let now = self.now;
                self.hosts.iter_mut().filter(|host| host.begun).for_each(|host| host.punch.due(now));
            }
            (0..2).for_each(|host| self.carry_out(host));
        }
        let events = [0, 1].map(|host| self.hosts[host].ends.clone().expect("it ends"));
        let took = events.iter().map(|(_, at)| at.as_nanos() / 1_000_000).max().unwrap();
        (Ended { events: events.map(|(event, _)| event), took }, self)
    }

    /// Whether both ends are of one stream, both open, and nothing else is.
    pub(super) fn is_one_stream(&self, ended: &Ended) -> bool {
        let [Event::Open { stream: a, .. }, Event::Open { stream: b, .. }] = &ended.events else {
            return false;
        };
        let open = |host: usize, stream: StreamId| !self.hosts[host].closed.contains(&stream);
        let alive = |pipe: &&Pipe| open(0, pipe.0[0]) || open(1, pipe.0[1]);
        self.pipes.iter().filter(alive).copied().collect::<Vec<_>>() == [Pipe([*a, *b])]
            && open(0, *a)
            && open(1, *b)
            && self.hosts.iter().all(|host| !host.listening && host.dialling.is_empty())
    }

    /// How many streams there were in all.
    pub(super) fn streams(&self) -> usize {
        self.pipes.len()
    }

    fn after(&mut self, ms: u64, thing: Thing) {
        self.count += 1;
        let at = self.now + std::time::Duration::from_millis(ms);
        self.queue.insert((at, self.count), thing);
    }

    /// As which address a packet of `host` to `remote` is seen.
    fn seen(&self, host: usize, remote: SocketAddr) -> SocketAddr {
        let host = &self.hosts[host];
        if self.hosts.iter().any(|other| other.inside == remote) {
            return host.inside;
        }
        let shift = if host.symmetric { 1 + remote.port() % 100 } else { 0 };
        SocketAddr::new(host.outside.ip(), host.outside.port() + shift)
    }

    fn carry_out(&mut self, host: usize) {
        if !self.hosts[host].begun {
            return;
        }
        while let Some(order) = self.hosts[host].punch.poll_order() {
            match order {
                Order::ListenTcp { .. } => self.hosts[host].listening = true,
                Order::StopListening => self.hosts[host].listening = false,
                Order::ConnectTcp { remote, attempt, local } => {
                    assert_eq!(local, self.hosts[host].inside);
                    let now = self.now;
                    self.hosts[host].tries.push(now);
                    self.hosts[host].dialling.insert(attempt, remote);
                    self.syn(host, attempt, 1000);
                }
                Order::CloseTcp { stream } => {
                    if let StreamId::Dialled(attempt) = stream {
                        self.hosts[host].dialling.remove(&attempt);
                    }
                    self.hosts[host].closed.push(stream);
                    if let Some(peer) = self.peer(host, stream) {
                        self.after(self.delay, Thing::End { at: 1 - host, stream: peer });
                    }
                }
                Order::WriteTcp { stream, bytes } => {
                    if let Some(peer) = self.peer(host, stream) {
                        self.after(
                            self.delay,
                            Thing::Data { at: 1 - host, stream: peer, bytes: bytes.to_vec() },
                        );
                    }
                }
            }
        }
        while let Some(event) = self.hosts[host].punch.poll_event() {
            assert!(self.hosts[host].ends.is_none(), "two ends");
            self.hosts[host].ends = Some((event, self.now));
        }
    }

    fn peer(&self, host: usize, stream: StreamId) -> Option<StreamId> {
        self.pipes.iter().find(|pipe| pipe.0[host] == stream).map(|pipe| pipe.0[1 - host])
    }

    fn syn(&mut self, of: usize, attempt: Attempt, waited: u64) {
        let to = self.hosts[of].dialling[&attempt];
        self.hosts[of].holes.insert(to);
        let seen = self.seen(of, to);
        self.after(self.delay, Thing::Syn { of, attempt, seen, to });
        if waited <= 4000 {
            self.after(waited, Thing::Resend { of, attempt, waited: 2 * waited });
        }
    }

    fn happens(&mut self, thing: Thing) {
        let now = self.now;
        match thing {
            Thing::Begin(host) => self.hosts[host].begun = true,
            Thing::Resend { of, attempt, waited } => {
                if self.hosts[of].dialling.contains_key(&attempt) {
                    self.syn(of, attempt, waited);
                }
            }
            Thing::Syn { of, attempt, seen, to } => self.arrives(of, attempt, seen, to),
            Thing::Refused { of, attempt, by } => {
                let host = &mut self.hosts[of];
                if host.unasked == Unasked::ResetsAndCloses {
                    host.holes.remove(&by);
                }
                if host.dialling.remove(&attempt).is_some() {
                    host.punch.handle(News::Refused { attempt }, now);
                }
            }
            Thing::Up { at, stream, from } => match stream {
                StreamId::Dialled(attempt) => {
                    if self.hosts[at].dialling.remove(&attempt).is_some() {
                        self.hosts[at].punch.handle(News::Connected { attempt }, now);
                    } else if let Some(peer) = self.peer(at, stream) {
                        // It was given up meanwhile.
                        self.after(self.delay, Thing::End { at: 1 - at, stream: peer });
                    }
                }
                StreamId::Accepted(number) => {
                    self.hosts[at].punch.handle(News::Accepted { stream: number, from }, now);
                }
            },
            Thing::Data { at, stream, bytes } => {
                for piece in bytes.chunks(30) {
                    self.hosts[at].punch.handle(News::Bytes { stream, bytes: piece }, now);
                    self.carry_out(at);
                }
            }
            Thing::End { at, stream } => {
                if !self.hosts[at].closed.contains(&stream) {
                    self.hosts[at].punch.handle(News::Closed { stream }, now);
                    self.hosts[at].closed.push(stream);
                }
            }
        }
    }

    fn arrives(&mut self, of: usize, attempt: Attempt, seen: SocketAddr, to: SocketAddr) {
        let at = 1 - of;
        let inside = to == self.hosts[at].inside;
        let reached = match self.neighbours {
            None => to == self.hosts[at].outside || self.seen(at, seen) == to,
            Some(hairpins) => inside || hairpins && to == self.hosts[at].outside,
        };
        if !reached || !self.hosts[of].dialling.contains_key(&attempt) {
            return;
        }
        let known = |id: StreamId| self.pipes.iter().any(|pipe| pipe.0[of] == id);
        if known(StreamId::Dialled(attempt)) {
            return;
        }
        let refused = Thing::Refused { of, attempt, by: to };
        if !inside && !self.hosts[at].holes.contains(&seen) {
            if self.hosts[at].unasked != Unasked::Drops {
                self.after(self.delay, refused);
            }
            return;
        }
        let crossing = self.hosts[at].dialling.iter().find(|(_, remote)| **remote == seen);
        let here = match crossing {
            Some((attempt, _)) => StreamId::Dialled(*attempt),
            None if self.hosts[at].listening && self.hosts[at].begun => {
                self.hosts[at].accepted += 1;
                StreamId::Accepted(self.hosts[at].accepted)
            }
            None => return self.after(self.delay, refused),
        };
        if self.pipes.iter().any(|pipe| pipe.0[at] == here) {
            return;
        }
        let mut pipe = [StreamId::Dialled(attempt); 2];
        pipe[at] = here;
        self.pipes.push(Pipe(pipe));
        self.after(self.delay, Thing::Up { at: of, stream: StreamId::Dialled(attempt), from: to });
        self.after(self.delay, Thing::Up { at, stream: here, from: seen });
    }
}
