//! Two machines against each other, and one alone.

mod world;

use base::{Instant, Rng};

use super::*;
use crate::framing::{self, Framing};
use crate::stun::{Algorithm, Message, Method, TransactionId, Writer, attribute};
use world::{Unasked, World};

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn secret(password: &str) -> Keep {
    Keep::One { name: "call 7".into(), key: Key::short_term(password) }
}

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

/// RFC 5128 section 3.4.
#[test]
fn crossing_syns_open_one_stream_in_four_round_trips() {
    for seed in 0..20 {
        for lag in [0, 10, 39] {
            let (ended, world) = World::new(Unasked::Drops, 40, lag, seed).run();
            assert!(world.is_one_stream(&ended), "seed {seed} lag {lag}: {:?}", ended.events);
            assert!(ended.took <= lag + 8 * 40, "seed {seed} lag {lag}: {} ms", ended.took);
            assert!(world.hosts.iter().all(|host| host.tries.len() == 1));
        }
    }
}

#[test]
fn one_who_comes_late_finds_the_hole_that_is_open() {
    for lag in [100, 700, 3000] {
        let (ended, world) = World::new(Unasked::Drops, 40, lag, 1).run();
        assert!(world.is_one_stream(&ended), "lag {lag}: {:?}", ended.events);
        assert!(ended.took <= lag + 8 * 40, "lag {lag}: {} ms", ended.took);
    }
}

#[test]
fn a_refusal_that_leaves_the_hole_open_costs_nothing() {
    for seed in 0..20 {
        let (ended, world) = World::new(Unasked::Resets, 40, 150, seed).run();
        assert!(world.is_one_stream(&ended), "seed {seed}: {:?}", ended.events);
        assert!(ended.took <= 150 + 8 * 40, "seed {seed}: {} ms", ended.took);
    }
}

/// The hardest routers that can be punched at all: each refusal closes the hole, and the hosts do not begin together.
#[test]
fn refused_tries_are_repeated_until_the_syns_cross() {
    let (mut runs, mut open, mut soon) = (0, 0, 0);
    for seed in 0..25 {
        for lag in [0, 60, 150, 300] {
            for delay in [15, 40, 80] {
                let (ended, world) = World::new(Unasked::ResetsAndCloses, delay, lag, seed).run();
                runs += 1;
                open += u32::from(world.is_one_stream(&ended));
                soon += u32::from(world.is_one_stream(&ended) && ended.took <= 1500);
                assert!(world.hosts.iter().all(|host| host.tries.len() <= MOST_TRIES as usize));
            }
        }
    }
    assert!(open * 100 >= runs * 99 && soon * 100 >= runs * 95, "{open} of {runs}, {soon} soon");
}

#[test]
fn a_router_that_maps_each_destination_anew_ends_in_silence() {
    let mut world = World::new(Unasked::Drops, 40, 0, 1);
    world.hosts.iter_mut().for_each(|host| host.symmetric = true);
    let (ended, world) = world.run();
    assert_eq!(ended.events, [Event::Failed(Failure::Silence), Event::Failed(Failure::Silence)]);
    assert_eq!(ended.took, 10_000);
    assert!(world.hosts.iter().all(|host| host.tries.len() == 1), "the system repeats by itself");
}

#[test]
fn neighbours_meet_by_their_inside_addresses_though_the_router_does_not_hairpin() {
    let ends = ["10.0.0.2:5000", "10.0.0.3:5000"].map(addr);
    let ends = [0, 1]
        .map(|n| Endpoints { outside: addr(&format!("198.51.100.1:{}", 40_000 + n)), inside: vec![ends[n]] });
    let mut most = [0, 0];
    for hairpins in [false, true] {
        for seed in 0..20 {
            let keeps = [secret("right"), secret("right")];
            let mut world = World::between(&ends, Unasked::Drops, 1, 5, seed, keeps);
            world.neighbours = Some(hairpins);
            let (ended, world) = world.run();
            assert!(world.is_one_stream(&ended), "{hairpins} {seed}: {:?}", ended.events);
            most[usize::from(hairpins)] = most[usize::from(hairpins)].max(world.streams());
        }
    }
    assert_eq!(most, [1, 2], "with hairpins two streams open, and both keep the same one");
}

#[test]
fn somebody_who_does_not_know_the_secret_is_never_taken() {
    let ends = ["198.51.100.1:5000", "203.0.113.9:6000"].map(addr);
    let ends = ends.map(|end| Endpoints { outside: end, inside: vec![end] });
    let keeps = [secret("right"), secret("wrong")];
    let (ended, world) = World::between(&ends, Unasked::Drops, 20, 0, 1, keeps).run();
    assert_eq!(ended.events, [Event::Failed(Failure::Stranger), Event::Failed(Failure::Stranger)]);
    assert!(ended.took <= 16_000, "{}", ended.took);
    assert!(world.hosts.iter().all(|host| host.tries.len() <= MOST_TRIES as usize));
}

/// One machine, and what it orders.
struct Alone(Punch);

impl Alone {
    fn new(remotes: &[&str], keep: Keep) -> Self {
        let remotes = remotes.iter().map(|remote| addr(remote)).collect();
        let config = PunchConfig { local: addr("10.0.0.2:5000"), remotes, keep, within: DEADLINE };
        Self(Punch::new(config, Rng::from_number(5128), at(0)))
    }

    fn orders(&mut self) -> Vec<Order> {
        std::iter::from_fn(|| self.0.poll_order()).collect()
    }

    fn attempts(&mut self) -> Vec<(SocketAddr, Attempt)> {
        let connects = self.orders().into_iter().filter_map(|order| match order {
            Order::ConnectTcp { remote, attempt, .. } => Some((remote, attempt)),
            _ => None,
        });
        connects.collect()
    }

    /// Says how each try ends, until it is over: when the tries were, and the end.
    fn all_end(&mut self, news: fn(Attempt) -> News<'static>) -> (Vec<u64>, Event, u64) {
        let (mut now, mut times) = (at(0), Vec::new());
        loop {
            for (_, attempt) in self.attempts() {
                times.push(now.as_nanos() / 1_000_000);
                self.0.handle(news(attempt), now);
            }
            if let Some(event) = self.0.poll_event() {
                assert!(self.0.is_over() && self.0.next_wake().is_none());
                return (times, event, now.as_nanos() / 1_000_000);
            }
            now = self.0.next_wake().unwrap().at;
            self.0.due(now);
        }
    }
}

#[test]
fn a_host_that_always_refuses_is_tried_in_three_bursts_and_given_up_at_the_deadline() {
    let mut alone = Alone::new(&["192.0.2.9:6000"], secret("right"));
    let (times, event, end) = alone.all_end(|attempt| News::Refused { attempt });
    assert_eq!((event, end), (Event::Failed(Failure::Refused), 10_000));
    assert_eq!(times.len(), MOST_TRIES as usize);
    let gaps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(gaps.iter().filter(|gap| **gap >= 350).count(), 2, "{gaps:?}");
    assert!(gaps.iter().all(|gap| (9..3001).contains(gap)), "{gaps:?}");
}

#[test]
fn each_way_of_failing_has_its_name() {
    let end =
        |news: fn(Attempt) -> News<'static>| Alone::new(&["192.0.2.9:6000"], secret("right")).all_end(news).1;
    assert_eq!(end(|attempt| News::TimedOut { attempt }), Event::Failed(Failure::Silence));
    assert_eq!(end(|attempt| News::Unreachable { attempt }), Event::Failed(Failure::Silence));
    let in_use = |attempt| News::AddressInUse { attempt: Some(attempt) };
    assert_eq!(end(in_use), Event::Failed(Failure::PortInUse));

    let hostile =
        ["127.0.0.1:1", "224.0.0.1:1", "0.0.0.0:1", "192.0.2.1:0", "[2001:db8::1]:1", "10.0.0.2:5000"];
    let mut nowhere = Alone::new(&hostile, secret("right"));
    assert_eq!(nowhere.0.poll_event(), Some(Event::Failed(Failure::NowhereToGo)));
    assert!(nowhere.orders().is_empty() && nowhere.0.next_wake().is_none());
}

#[test]
fn without_a_listener_it_is_over_when_all_tries_are() {
    let mut alone = Alone::new(&["192.0.2.9:6000"], secret("right"));
    alone.0.handle(News::AddressInUse { attempt: None }, at(0));
    let (_, event, end) = alone.all_end(|attempt| News::Refused { attempt });
    assert_eq!(event, Event::Failed(Failure::Refused));
    assert!(end < 10_000, "{end}");
}

#[test]
fn ten_thousand_remotes_and_any_number_of_streams_are_bounded() {
    let many: Vec<String> = (0..10_000).map(|n| format!("192.0.2.9:{}", n + 1)).collect();
    let mut alone = Alone::new(&many.iter().map(String::as_str).collect::<Vec<_>>(), secret("right"));
    assert_eq!(alone.attempts().len(), MOST_REMOTES);
    for stream in 0..100 {
        alone.0.handle(News::Accepted { stream, from: addr("192.0.2.66:1") }, at(0));
    }
    let closed = alone.orders().iter().filter(|order| matches!(order, Order::CloseTcp { .. })).count();
    assert_eq!(closed, 100 - MOST_STREAMS);
}

#[test]
fn a_stranger_who_says_nothing_or_nonsense_is_closed() {
    let mut alone = Alone::new(&["192.0.2.9:6000"], secret("right"));
    for stream in 1..=4 {
        alone.0.handle(News::Accepted { stream, from: addr("192.0.2.66:1") }, at(0));
    }
    let signed_by_nobody = Writer::request(Method::Binding, TransactionId([1; 12]))
        .text(attribute::USERNAME, "call 7")
        .long_number(attribute::ICE_CONTROLLING, 5);
    let mut unsigned = Vec::new();
    framing::write(Framing::Rfc4571, &signed_by_nobody.unsigned(), &mut unsigned).unwrap();
    let pieces: [&[u8]; 3] = [b"GET / HTTP/1.1\r\n\r\n", &[0xff; 9], &unsigned];
    for (stream, bytes) in (1..).zip(pieces) {
        alone.orders();
        alone.0.handle(News::Bytes { stream: StreamId::Accepted(stream), bytes }, at(10));
        // The first says that 18,245 bytes follow.
        assert_eq!(alone.orders(), [Order::CloseTcp { stream: StreamId::Accepted(stream) }], "{stream}");
    }
    alone.0.due(at(2999));
    assert!(alone.orders().is_empty());
    alone.0.due(at(3000));
    assert_eq!(alone.orders(), [Order::CloseTcp { stream: StreamId::Accepted(4) }]);
}

#[test]
fn a_host_that_reaches_itself_knows_its_own_number() {
    let mut alone = Alone::new(&["192.0.2.9:6000"], secret("right"));
    let (_, attempt) = alone.attempts()[0];
    alone.0.handle(News::Connected { attempt }, at(5));
    let stream = StreamId::Dialled(attempt);
    let Some(Order::WriteTcp { bytes, .. }) = alone.orders().pop() else { panic!("it asks") };
    alone.0.handle(News::Bytes { stream, bytes: &bytes }, at(6));
    assert_eq!(alone.orders(), [Order::CloseTcp { stream }]);
}

#[test]
fn what_the_other_side_says_at_once_behind_the_agreement_is_not_lost() {
    let mut alone = Alone::new(&["192.0.2.9:6000"], secret("right"));
    let (_, attempt) = alone.attempts()[0];
    alone.0.handle(News::Connected { attempt }, at(5));
    let stream = StreamId::Dialled(attempt);
    let Some(Order::WriteTcp { bytes, .. }) = alone.orders().pop() else { panic!("it asks") };
    let hello = Message::read(&bytes[2..]).unwrap();
    let key = Key::short_term("right");
    let question = |take: bool| {
        let request = Writer::request(Method::Binding, TransactionId([u8::from(take); 12]))
            .text(attribute::USERNAME, "call 7")
            .long_number(attribute::ICE_CONTROLLING, u64::MAX);
        if take { request.value(attribute::USE_CANDIDATE, b"") } else { request }
    };
    let mut said = Vec::new();
    for message in [question(false), Writer::success(&hello), question(true)] {
        framing::write(Framing::Rfc4571, &message.signed(&key, Algorithm::Sha256), &mut said).unwrap();
    }
    said.extend_from_slice(b"SIP/2.0 200 OK");
    alone.0.handle(News::Bytes { stream, bytes: &said }, at(9));
    let rest = Bytes::from_static(b"SIP/2.0 200 OK");
    assert_eq!(alone.0.poll_event(), Some(Event::Open { stream, remote: addr("192.0.2.9:6000"), rest }));
    let orders = alone.orders();
    let writes = orders.iter().filter(|order| matches!(order, Order::WriteTcp { .. })).count();
    assert_eq!((writes, orders.last()), (2, Some(&Order::StopListening)));
    // Who comes now comes too late.
    alone.0.handle(News::Accepted { stream: 9, from: addr("192.0.2.9:6000") }, at(20));
    assert_eq!(alone.orders(), [Order::CloseTcp { stream: StreamId::Accepted(9) }]);
}

#[test]
fn for_ice_every_stream_is_told_of_until_it_says_stop() {
    let mut alone = Alone::new(&["192.0.2.9:6000", "192.0.2.9:6001"], Keep::All);
    let tries = alone.attempts();
    let open = |alone: &mut Alone| match alone.0.poll_event() {
        Some(Event::Open { stream, remote, rest }) if rest.is_empty() => Some((stream, remote)),
        _ => None,
    };
    alone.0.handle(News::Connected { attempt: tries[0].1 }, at(5));
    assert_eq!(open(&mut alone), Some((StreamId::Dialled(tries[0].1), tries[0].0)));
    alone.0.handle(News::Accepted { stream: 3, from: addr("192.0.2.66:9") }, at(6));
    assert_eq!(open(&mut alone), Some((StreamId::Accepted(3), addr("192.0.2.66:9"))));
    alone.0.stop();
    let expected = [Order::StopListening, Order::CloseTcp { stream: StreamId::Dialled(tries[1].1) }];
    assert_eq!(alone.orders(), expected);
    assert!(alone.0.is_over() && alone.0.poll_event().is_none());
}
