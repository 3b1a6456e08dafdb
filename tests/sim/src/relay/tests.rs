//! Our client at our relay, over a link that loses and delays, in virtual time.

use std::collections::VecDeque;

use base::Redacted;
use nat::turn::{Account, Client, Config, Event, Family, Misuse, Why};

use super::*;

const SERVER: &str = "192.0.2.9:3478";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn peer(n: u16) -> SocketAddr {
    SocketAddr::from(([203, 0, 113, 5], n))
}

fn config(user: &str) -> Config {
    let account = Account { user: Redacted::new(user.into()), password: Secret::new("secret".into()) };
    Config::new(address(SERVER), Some(account))
}

/// One client, one relay, and a link between them.
struct Rig {
    relay: Relay,
    client: Client,
    me: SocketAddr,
    via: Via,
    now: Instant,
    rng: Rng,
    /// How many of a hundred messages are lost.
    loss: u64,
    /// One way.
    delay: Duration,
    /// On their way: when, whether to the relay, and what.
    link: VecDeque<(Instant, Option<SocketAddr>, Vec<u8>)>,
    /// What the relay sent to peers.
    to_peers: Vec<Out>,
    events: Vec<Event>,
    sent: usize,
    wakes: usize,
}

impl Rig {
    fn new(config: Config, policy: Policy) -> Self {
        let mut relay =
            Relay::new(address(SERVER), &[("ann", "secret"), ("ben", "secret")], Rng::from_number(5));
        relay.policy = policy;
        let via = if config.reliable { Via::Tcp } else { Via::Udp };
        let client = Client::new(config, None, Rng::from_number(6), Instant::ZERO).unwrap();
        Self {
            relay,
            client,
            me: address("198.51.100.7:4242"),
            via,
            now: Instant::ZERO,
            rng: Rng::from_number(7),
            loss: 0,
            delay: Duration::from_millis(50),
            link: VecDeque::new(),
            to_peers: Vec::new(),
            events: Vec::new(),
            sent: 0,
            wakes: 0,
        }
    }

    fn lost(&mut self) -> bool {
        self.rng.below(100) < self.loss
    }

    /// Whatever the client has to say goes out.
    fn flush(&mut self) {
        while let Some(bytes) = self.client.poll_send() {
            self.sent += 1;
            if !self.lost() {
                self.link.push_back((self.now + self.delay, Some(self.me), bytes.to_vec()));
            }
        }
        self.events.extend(std::iter::from_fn(|| self.client.poll_event()));
    }

    fn back(&mut self, outs: Vec<Out>) {
        for out in outs {
            if out.to != self.me {
                self.to_peers.push(out);
            } else if !self.lost() {
                self.link.push_back((self.now + self.delay, None, out.bytes));
            }
        }
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.flush();
            let arrives = self.link.front().map(|it| it.0);
            let wake = self.client.next_wake().map(|wake| wake.at.max(self.now));
            let Some(next) = [arrives, wake].into_iter().flatten().min().filter(|at| *at <= end) else {
                break;
            };
            self.now = next;
            if arrives == Some(next) {
                match self.link.pop_front().expect("it arrives") {
                    (_, Some(from), bytes) => {
                        let outs = self.relay.received(from, &bytes, self.via, self.now);
                        self.back(outs);
                    }
                    (_, None, bytes) => assert!(self.client.heard(&bytes, self.now)),
                }
            } else {
                self.wakes += 1;
                self.client.due(self.now);
            }
        }
        self.now = end;
    }

    fn allocated(config: Config, policy: Policy) -> (Self, SocketAddr) {
        let mut rig = Self::new(config, policy);
        rig.run(Duration::from_secs(1));
        match rig.events[..] {
            [Event::Allocated { relayed, .. }] => {
                rig.events.clear();
                (rig, relayed)
            }
            ref events => panic!("{events:?}"),
        }
    }

    fn ready(&mut self, who: SocketAddr) {
        self.client.permit(who, self.now).unwrap();
        self.run(Duration::from_secs(60));
        let ready = |it: &Event| matches!(it, Event::PeerReady { peer, .. } if *peer == who);
        assert!(self.events.iter().any(ready), "{:?}", self.events);
        self.events.clear();
    }

    /// A word each way; says whether both arrived.
    fn talk(&mut self, relayed: SocketAddr, who: SocketAddr) -> bool {
        self.to_peers.clear();
        if self.client.send(who, b"there").is_err() {
            return false;
        }
        let outs = self.relay.arrived(relayed, who, b"back", self.now);
        self.back(outs);
        self.run(Duration::from_secs(1));
        let there = Out { from: relayed, to: who, via: Via::Udp, bytes: b"there".to_vec() };
        let back = Event::Data { peer: who, bytes: b"back"[..].into() };
        self.to_peers == [there] && std::mem::take(&mut self.events) == [back]
    }
}

#[test]
fn a_client_is_reached_over_a_relay_by_datagrams_and_by_a_stream_by_either_hash() {
    for reliable in [false, true] {
        for sha256 in [false, true] {
            let policy = Policy { sha256, ..Policy::default() };
            let (mut rig, relayed) = Rig::allocated(Config { reliable, ..config("ann") }, policy);
            rig.ready(peer(1));
            assert!(rig.talk(relayed, peer(1)), "reliable {reliable}, SHA-256 {sha256}");
            assert!(rig.relay.arrived(relayed, address("203.0.113.6:1"), b"hm", rig.now).is_empty());
        }
    }
}

#[test]
fn an_allocation_takes_two_round_trips_and_a_known_challenge_one() {
    let (rig, _) = Rig::allocated(config("ann"), Policy::default());
    assert_eq!(rig.sent, 2);
    let mut again = Rig::new(config("ann"), Policy::default());
    again.client =
        Client::new(config("ann"), rig.client.challenge(), Rng::from_number(8), Instant::ZERO).unwrap();
    again.relay = rig.relay;
    again.relay.allocations.clear();
    again.run(Duration::from_secs(1));
    assert!(matches!(again.events[..], [Event::Allocated { .. }]));
    assert_eq!(again.sent, 1);
}

#[test]
fn an_hour_idle_costs_one_wake_and_an_hour_with_a_peer_fifteen() {
    let (mut rig, _) = Rig::allocated(config("ann"), Policy::default());
    rig.wakes = 0;
    rig.run(Duration::from_secs(3600));
    assert_eq!(rig.wakes, 1);
    rig.ready(peer(1));
    rig.wakes = 0;
    rig.run(Duration::from_secs(3600));
    assert_eq!(rig.wakes, 15);
}

#[test]
fn a_call_of_an_hour_lives_through_nonces_of_five_minutes_and_a_third_of_all_messages_lost() {
    for seed in 1..=10 {
        let policy = Policy { nonce: Some(Duration::from_secs(300)), ..Policy::default() };
        let (mut rig, relayed) = Rig::allocated(config("ann"), policy);
        rig.ready(peer(1));
        (rig.rng, rig.loss) = (Rng::from_number(seed), 33);
        rig.run(Duration::from_secs(3600));
        assert_eq!(rig.events, [], "seed {seed}");
        rig.loss = 0;
        rig.run(Duration::from_secs(60));
        assert!(rig.talk(relayed, peer(1)), "seed {seed}");
    }
}

#[test]
fn moving_with_a_ticket_keeps_the_relayed_address_even_where_answers_are_lost() {
    for seed in 1..=10 {
        let (mut rig, relayed) = Rig::allocated(config("ann"), Policy::default());
        rig.ready(peer(1));
        (rig.rng, rig.loss) = (Rng::from_number(seed), 25);
        rig.me = address("100.64.0.3:5555");
        rig.client.moved(rig.now);
        rig.run(Duration::from_secs(60));
        rig.loss = 0;
        assert_eq!(std::mem::take(&mut rig.events), [Event::Moved], "seed {seed}");
        assert!(rig.talk(relayed, peer(1)), "seed {seed}");
    }
}

#[test]
fn moving_where_tickets_are_forbidden_brings_a_new_address_and_the_peer_back() {
    let policy = Policy { mobility: false, ..Policy::default() };
    let (mut rig, relayed) = Rig::allocated(config("ann"), policy);
    rig.ready(peer(1));
    rig.me = address("100.64.0.3:5555");
    rig.client.moved(rig.now);
    rig.run(Duration::from_secs(5));
    let [Event::Allocated { relayed: other, .. }, Event::PeerReady { .. }] = rig.events[..] else {
        panic!("{:?}", rig.events)
    };
    rig.events.clear();
    assert!(other != relayed && rig.talk(other, peer(1)));
}

#[test]
fn a_relay_that_was_started_again_is_noticed_at_the_next_refresh() {
    let (mut rig, _) = Rig::allocated(config("ann"), Policy::default());
    rig.ready(peer(1));
    rig.relay.restart();
    rig.run(Duration::from_secs(300));
    let [Event::Allocated { relayed, .. }, Event::PeerReady { .. }] = rig.events[..] else {
        panic!("{:?}", rig.events)
    };
    rig.events.clear();
    assert!(rig.talk(relayed, peer(1)));
}

#[test]
fn each_of_a_strict_relays_refusals_is_a_sentence() {
    let refused = |config: Config, policy: Policy| {
        let mut rig = Rig::new(config, policy);
        rig.run(Duration::from_secs(1));
        match rig.events[..] {
            [Event::Failed(why)] => why,
            ref events => panic!("{events:?}"),
        }
    };
    let stranger = Config { account: config("nobody").account, ..config("ann") };
    assert_eq!(refused(stranger, Policy::default()), Why::WrongPassword);
    assert_eq!(refused(config("ann"), Policy { quota: 0, ..Policy::default() }), Why::Quota);
    assert_eq!(refused(config("ann"), Policy { capacity: 0, ..Policy::default() }), Why::Full);
    let six = Config { family: Family::V6, ..config("ann") };
    assert_eq!(refused(six, Policy::default()), Why::Family);
}

#[test]
fn both_families_are_relayed_at_once() {
    let policy = Policy { six: Some("2001:db8::9".parse().unwrap()), ..Policy::default() };
    let mut rig = Rig::new(Config { family: Family::Both, ..config("ann") }, policy);
    rig.run(Duration::from_secs(1));
    let [Event::Allocated { relayed, relayed6: Some(relayed6), .. }] = rig.events[..] else {
        panic!("{:?}", rig.events)
    };
    rig.events.clear();
    let six = address("[2001:db8::5]:1");
    rig.ready(peer(1));
    rig.ready(six);
    assert!(rig.talk(relayed, peer(1)) && rig.talk(relayed6, six));
}

#[test]
fn closing_leaves_nothing_at_the_relay() {
    let (mut rig, _) = Rig::allocated(config("ann"), Policy::default());
    rig.client.close(rig.now);
    rig.run(Duration::from_secs(1));
    assert_eq!(rig.events, [Event::Closed]);
    assert_eq!(rig.relay.relayed().count(), 0);
}

#[test]
fn a_forbidden_peer_is_refused_alone() {
    let policy = Policy { forbidden: vec!["203.0.113.66".parse().unwrap()], ..Policy::default() };
    let (mut rig, relayed) = Rig::allocated(config("ann"), policy);
    rig.ready(peer(1));
    let bad = address("203.0.113.66:1");
    rig.client.permit(bad, rig.now).unwrap();
    rig.run(Duration::from_secs(1));
    let refused = Event::PeerRefused { peer: bad, why: Why::Forbidden };
    assert_eq!(std::mem::take(&mut rig.events), [refused]);
    assert_eq!(rig.client.send(bad, b"x"), Err(Misuse::NotReady));
    assert!(rig.talk(relayed, peer(1)));
}
