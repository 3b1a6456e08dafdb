//! Two agents across a network that the test makes up: who may reach whom, after how long.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use base::{Instant, Rng};
use bytes::Bytes;

use super::*;
use crate::stun::{Algorithm, Key, Message, Method, TransactionId, Writer, attribute};
use crate::{Candidate, Carrier, Kind, TcpType};

const WAY: Duration = Duration::from_millis(40);

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn host(address: &str) -> Candidate {
    Candidate::ours(Kind::Host, Carrier::Udp, 1, at(address), at(address), 8191)
}

fn relayed(address: &str) -> Candidate {
    Candidate::ours(Kind::Relayed, Carrier::Udp, 1, at(address), at("192.168.9.9:9"), 8191)
}

struct World {
    now: Instant,
    agents: [Agent; 2],
    /// At whose agent a packet to this address arrives, under which of its addresses, and what it comes from.
    ways: BTreeMap<(SocketAddr, SocketAddr), (SocketAddr, SocketAddr)>,
    flying: Vec<(Instant, usize, SocketAddr, SocketAddr, Bytes)>,
    events: [Vec<(Instant, Event)>; 2],
    sent: usize,
}

impl World {
    fn new(a: &[Candidate], b: &[Candidate], controlling: [bool; 2]) -> Self {
        let mut rng = Rng::from_number(7);
        let now = Instant::from_millis(1000);
        let mut agents = controlling.map(|on| Agent::new(on, rng.split(), now));
        for (agent, ours) in agents.iter_mut().zip([a, b]) {
            for c in ours {
                agent.add_ours(c, now);
            }
        }
        let (events, ways) = ([Vec::new(), Vec::new()], BTreeMap::new());
        Self { now, agents, ways, flying: Vec::new(), events, sent: 0 }
    }

    /// What A sends from `a` to `b_seen` reaches B at `b` as if from `a_seen`, and back.
    fn open(&mut self, a: &str, a_seen: &str, b: &str, b_seen: &str) {
        self.ways.insert((at(a), at(b_seen)), (at(b), at(a_seen)));
        self.ways.insert((at(b), at(a_seen)), (at(a), at(b_seen)));
    }

    fn start(&mut self, a_told: &[Candidate], b_told: &[Candidate]) {
        let [a, b] = &mut self.agents;
        let (of_a, of_b) = (a.credentials().clone(), b.credentials().clone());
        for c in b_told {
            a.add_theirs(c, self.now);
        }
        for c in a_told {
            b.add_theirs(c, self.now);
        }
        a.start(of_b, self.now);
        b.start(of_a, self.now);
    }

    fn run(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            for side in 0..2 {
                while let Some(check) = self.agents[side].poll_send() {
                    self.sent += 1;
                    if let Some((to, from)) = self.ways.get(&(check.local, check.to)) {
                        self.flying.push((self.now + WAY, 1 - side, *to, *from, check.bytes));
                    }
                }
                while let Some(event) = self.agents[side].poll_event() {
                    self.events[side].push((self.now, event));
                }
            }
            let wakes =
                self.agents.iter().filter_map(Agent::next_wake).chain(self.flying.iter().map(|f| f.0));
            let Some(next) = wakes.min().filter(|next| *next <= until) else { break };
            self.now = self.now.max(next);
            let (due, flying) = std::mem::take(&mut self.flying).into_iter().partition(|f| f.0 <= self.now);
            self.flying = flying;
            for (_, side, to, from, bytes) in Vec::from_iter::<Vec<_>>(due) {
                self.agents[side].heard(to, false, from, &bytes, self.now);
            }
            self.agents.iter_mut().for_each(|agent| agent.due(self.now));
        }
        self.now = until;
    }

    fn chosen(&self, side: usize) -> Option<(Duration, Pair)> {
        self.events[side].iter().find_map(|(at, event)| match event {
            Event::Chosen(pair) => Some((at.since(Instant::from_millis(1000)), *pair)),
            _ => None,
        })
    }
}

#[test]
fn two_on_one_network_choose_their_own_addresses_within_two_round_trips() {
    let (a, b) = ("192.168.1.2:4000", "192.168.1.3:5000");
    let mut world = World::new(&[host(a)], &[host(b)], [true, false]);
    world.open(a, a, b, b);
    world.start(&[host(a)], &[host(b)]);
    world.run(Duration::from_secs(2));
    let (took, pair) = world.chosen(0).unwrap();
    assert!(took <= WAY * 4 + Duration::from_millis(30), "{took:?}");
    assert_eq!((pair.local, pair.remote, pair.remote_kind), (at(a), at(b), Kind::Host));
    let (_, pair) = world.chosen(1).unwrap();
    assert_eq!((pair.local, pair.remote), (at(b), at(a)));
    assert_eq!(world.agents[0].counts(), Counts::default());
}

#[test]
fn an_address_that_only_the_checks_reveal_is_used() {
    // B's router gives it another port toward A than toward the server.
    let (a, b, told, real) = ("203.0.113.1:4000", "10.0.0.2:5000", "198.51.100.1:5000", "198.51.100.1:6000");
    let mut world = World::new(&[host(a)], &[host(b)], [true, false]);
    world.open(a, a, b, real);
    let reflexive = Candidate::ours(Kind::ServerReflexive, Carrier::Udp, 1, at(told), at(b), 8191);
    world.start(&[host(a)], &[host(b), reflexive]);
    world.run(Duration::from_secs(2));
    let (_, pair) = world.chosen(0).unwrap();
    assert_eq!((pair.remote, pair.remote_kind), (at(real), Kind::PeerReflexive));
    let (_, pair) = world.chosen(1).unwrap();
    assert_eq!(pair.mapped, at(real));
}

#[test]
fn an_answer_from_elsewhere_than_was_asked_shows_no_way() {
    // B's router gives it another port for each whom it answers, and lets in whoever comes.
    let (a, b, other) = ("203.0.113.1:4000", "198.51.100.1:5000", "198.51.100.1:6000");
    let mut world = World::new(&[host(a)], &[host(b)], [true, false]);
    world.ways.insert((at(a), at(b)), (at(b), at(a)));
    world.ways.insert((at(b), at(a)), (at(a), at(other)));
    world.start(&[host(a)], &[host(b)]);
    world.run(Duration::from_secs(3));
    assert!(world.events.iter().all(Vec::is_empty), "{:?}", world.events);
    assert!(world.agents[0].counts().unasked > 0);
}

#[test]
fn a_relay_carries_at_once_and_is_left_for_a_straight_way_that_opens_a_little_later() {
    let (a, b, relay) = ("10.0.0.1:4000", "10.1.0.1:5000", "203.0.113.9:50000");
    let mut world = World::new(&[host(a), relayed(relay)], &[host(b)], [true, false]);
    world.open(relay, relay, b, b);
    world.start(&[host(a), relayed(relay)], &[host(b)]);
    world.run(Duration::from_millis(400));
    assert!(matches!(world.events[0][0].1, Event::Usable(pair) if pair.is_relayed()));
    world.open(a, a, b, b);
    world.run(Duration::from_secs(3));
    let (_, pair) = world.chosen(0).unwrap();
    assert_eq!((pair.local, pair.remote), (at(a), at(b)));
}

#[test]
fn a_relay_is_chosen_when_nothing_else_carries() {
    let (a, b, relay) = ("10.0.0.1:4000", "10.1.0.1:5000", "203.0.113.9:50000");
    let mut world = World::new(&[host(a), relayed(relay)], &[host(b)], [true, false]);
    world.open(relay, relay, b, b);
    world.start(&[host(a), relayed(relay)], &[host(b)]);
    world.run(Duration::from_secs(4));
    let (took, pair) = world.chosen(0).unwrap();
    assert!(pair.is_relayed() && took < Duration::from_millis(2600), "{took:?}");
    assert!(world.chosen(1).is_some_and(|(_, pair)| pair.is_relayed()));
}

#[test]
fn where_nothing_carries_it_fails_after_few_checks() {
    let mut world = World::new(&[host("10.0.0.1:4000")], &[host("10.1.0.1:5000")], [true, false]);
    world.start(&[host("10.0.0.1:4000")], &[host("10.1.0.1:5000")]);
    world.run(Duration::from_secs(30));
    assert_eq!(world.events[0].last().map(|(_, e)| *e), Some(Event::Failed));
    assert!(world.sent < 60, "{}", world.sent);
    assert!(world.agents.iter().all(|agent| agent.next_wake().is_none()));
}

#[test]
fn two_that_both_want_to_choose_or_neither_does_agree() {
    for controlling in [[true, true], [false, false]] {
        let (a, b) = ("192.168.1.2:4000", "192.168.1.3:5000");
        let mut world = World::new(&[host(a)], &[host(b)], controlling);
        world.open(a, a, b, b);
        world.start(&[host(a)], &[host(b)]);
        world.run(Duration::from_secs(3));
        assert!(world.chosen(0).is_some() && world.chosen(1).is_some(), "{controlling:?}");
        assert_ne!(world.agents[0].is_controlling(), world.agents[1].is_controlling());
        assert!(world.agents.iter().map(|agent| agent.counts().conflicts).sum::<u64>() > 0);
    }
}

#[test]
fn checks_carry_the_tie_breaker_that_conflicts_are_settled_by() {
    let (a, b) = ("192.168.1.2:4000", "192.168.1.3:5000");
    let mut world = World::new(&[host(a)], &[host(b)], [true, false]);
    world.start(&[host(a)], &[host(b)]);
    let now = world.now;
    world.agents[0].due(now);
    let check = world.agents[0].poll_send().unwrap();
    let message = Message::read(&check.bytes).unwrap();
    let carried = message.value(attribute::ICE_CONTROLLING).unwrap();
    assert_eq!(carried, world.agents[0].tie_breaker().to_be_bytes());
}

#[test]
fn a_stranger_changes_neither_role_nor_pair() {
    let (a, b) = ("192.168.1.2:4000", "192.168.1.3:5000");
    let mut world = World::new(&[host(a)], &[host(b)], [true, false]);
    world.open(a, a, b, b);
    world.start(&[host(a)], &[host(b)]);
    let name =
        format!("{}:{}", world.agents[0].credentials().fragment, world.agents[1].credentials().fragment);
    let forged = |name: &str| {
        Writer::request(Method::Binding, TransactionId([5; 12]))
            .text(attribute::USERNAME, name)
            .long_number(attribute::ICE_CONTROLLING, u64::MAX)
            .number(attribute::PRIORITY, u32::MAX)
            .value(attribute::USE_CANDIDATE, b"")
            .signed(&Key::short_term("a guess, no more than that"), Algorithm::Sha1)
    };
    let now = world.now;
    world.agents[0].heard(at(a), false, at("192.0.2.66:6"), &forged(&name), now);
    world.agents[0].heard(at(a), false, at("192.0.2.66:6"), &forged("who:ever"), now);
    world.agents[0].heard(at(a), false, at("192.0.2.66:6"), b"GET / HTTP/1.1\r\n\r\n____", now);
    // A true check to which somebody on the way has added a choice.
    world.agents[1].due(now);
    let mut bent = world.agents[1].poll_send().unwrap().bytes.to_vec();
    bent.truncate(bent.len() - 8);
    bent.extend([0, 0x25, 0, 0]);
    let length = (bent.len() - 20) as u16;
    bent[2..4].copy_from_slice(&length.to_be_bytes());
    world.agents[0].heard(at(a), false, at(b), &bent, now);
    assert!(world.agents[0].is_controlling());
    let counts = world.agents[0].counts();
    assert_eq!((counts.forged, counts.malformed), (2, 2));
    world.run(Duration::from_secs(2));
    assert_eq!(world.chosen(0).unwrap().1.remote, at(b));
}

#[test]
fn hostile_candidates_and_too_many_are_passed_over() {
    let a = "192.168.1.2:4000";
    let mut world = World::new(&[host(a)], &[host("192.168.1.3:5000")], [true, false]);
    for address in ["127.0.0.1:4", "224.0.0.1:4", "0.0.0.0:4", "169.254.0.1:4"] {
        world.agents[0].add_theirs(&host(address), world.now);
    }
    assert_eq!(world.agents[0].counts().candidates, 4);
    for port in 1..=10_000 {
        world.agents[0].add_theirs(&host(&format!("203.0.113.1:{port}")), world.now);
    }
    assert_eq!(world.agents[0].counts().candidates, 4 + 10_000 - 24);
    let theirs = world.agents[1].credentials().clone();
    world.agents[0].start(theirs, world.now);
    world.run(Duration::from_secs(20));
    assert!(world.sent < 24 * 40, "{}", world.sent);
}

#[test]
fn checks_before_the_description_are_kept_and_used() {
    let (a, b) = ("192.168.1.2:4000", "192.168.1.3:5000");
    let mut world = World::new(&[host(a)], &[host(b)], [true, false]);
    world.open(a, a, b, b);
    let (of_a, of_b) = (world.agents[0].credentials().clone(), world.agents[1].credentials().clone());
    world.agents[1].add_theirs(&host(a), world.now);
    world.agents[1].start(of_a, world.now);
    world.run(Duration::from_millis(300));
    // Nothing is known of B but its secret: the checks tell where it is.
    world.agents[0].start(of_b, world.now);
    world.run(Duration::from_millis(400));
    assert_eq!(world.chosen(0).map(|(_, pair)| pair.remote), Some(at(b)));
}

#[test]
fn consent_lasts_while_answers_come_and_a_cut_is_noticed_in_a_second_when_suspected() {
    let (a, b) = ("192.168.1.2:4000", "192.168.1.3:5000");
    let mut world = World::new(&[host(a)], &[host(b)], [true, false]);
    world.open(a, a, b, b);
    world.start(&[host(a)], &[host(b)]);
    world.run(Duration::from_secs(120));
    assert!(!world.events.iter().flatten().any(|(_, e)| matches!(e, Event::Expired | Event::Dead)));
    assert!(world.agents[0].round_trip().is_some_and(|rtt| rtt == WAY * 2));
    world.ways.clear();
    let cut = world.now;
    world.agents[0].suspect(cut);
    world.run(Duration::from_secs(40));
    let over = |side: usize| world.events[side].last().map(|(at, e)| (at.since(cut), *e)).unwrap();
    assert_eq!(over(0).1, Event::Dead);
    assert!(over(0).0 <= Duration::from_millis(1200), "{:?}", over(0).0);
    assert_eq!(over(1).1, Event::Expired);
    assert!(over(1).0 <= Duration::from_secs(31) && over(1).0 >= Duration::from_secs(24));
}

#[test]
fn a_restart_finds_the_new_way() {
    let (a, a2, b) = ("192.168.1.2:4000", "10.9.9.9:4100", "192.168.1.3:5000");
    let mut world = World::new(&[host(a)], &[host(b)], [true, false]);
    world.open(a, a, b, b);
    world.start(&[host(a)], &[host(b)]);
    world.run(Duration::from_secs(2));
    let before = world.agents[0].credentials().clone();
    world.ways.clear();
    world.open(a2, a2, b, b);
    let now = world.now;
    world.agents[0].add_ours(&host(a2), now);
    world.agents.iter_mut().for_each(|agent| agent.restart(now));
    assert!(before != *world.agents[0].credentials());
    world.events = Default::default();
    world.start(&[host(a), host(a2)], &[host(b)]);
    world.run(Duration::from_secs(3));
    assert_eq!(world.chosen(0).map(|(_, pair)| pair.local), Some(at(a2)));
}

#[test]
fn a_stream_that_is_open_is_checked_like_any_other_pair() {
    let (a, b) = ("192.168.1.2:4000", "192.168.1.3:5000");
    let so = |address: &str| {
        Candidate::ours(
            Kind::Host,
            Carrier::Tcp(TcpType::SimultaneousOpen),
            1,
            at(address),
            at(address),
            8191,
        )
    };
    let mut rng = Rng::from_number(9);
    let now = Instant::ZERO;
    let (mut one, mut two) = (Agent::new(true, rng.split(), now), Agent::new(false, rng.split(), now));
    one.add_ours(&so(a), now);
    two.add_ours(&so(b), now);
    one.add_theirs(&so(b), now);
    two.add_theirs(&so(a), now);
    let (of_one, of_two) = (one.credentials().clone(), two.credentials().clone());
    one.start(of_two, now);
    two.start(of_one, now);
    for ms in 0..400 {
        let now = Instant::from_millis(ms);
        one.due(now);
        two.due(now);
        while let Some(check) = one.poll_send() {
            assert!(check.tcp);
            two.heard(at(b), true, at(a), &check.bytes, now);
        }
        while let Some(check) = two.poll_send() {
            one.heard(at(a), true, at(b), &check.bytes, now);
        }
    }
    assert!(one.is_settled() && two.is_settled());
    assert!(one.pair().is_some_and(|pair| pair.tcp && !pair.is_relayed()));
}
