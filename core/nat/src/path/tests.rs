//! One path against servers and another side that the test plays.

use std::net::SocketAddr;
use std::time::Duration;

use base::{Instant, Rng};

use super::*;
use crate::stun::{Message, Writer, attribute};
use crate::{Candidate, Carrier, Kind, TcpType};

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn ms(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

fn path(stun: &[&str], controlling: bool, seed: u64) -> Path {
    let settings = Settings { stun: stun.iter().map(|s| at(s)).collect(), ..Settings::default() };
    Path::new(settings, controlling, Rng::from_number(seed), ms(0))
}

fn events(path: &mut Path) -> Vec<Event> {
    std::iter::from_fn(|| path.poll_event()).collect()
}

/// The server's answer to the first question that waits.
fn answered(path: &mut Path, mapped: &str, now: Instant) {
    let Some(Order::Send { leg, to, bytes }) = path.poll_order() else { panic!("a question") };
    let question = Message::read(&bytes).unwrap();
    let answer = Writer::success(&question).hidden_address(attribute::XOR_MAPPED_ADDRESS, at(mapped));
    assert!(path.heard(leg, to, &answer.fingerprinted(), now));
}

#[test]
fn without_servers_the_own_address_is_all_and_nothing_is_waited_for() {
    let mut path = path(&[], true, 1);
    path.socket(Leg::FIRST, at("192.168.1.2:4000"), ms(0));
    assert!(path.is_gathered());
    let description = path.description().unwrap();
    assert_eq!(description.candidates.iter().map(|c| c.kind).collect::<Vec<_>>(), [Kind::Host]);
    assert_eq!(path.default_address(), Some(at("192.168.1.2:4000")));
}

#[test]
fn what_a_server_sees_is_described_and_is_the_default() {
    let mut path = path(&["203.0.113.1:3478"], true, 1);
    path.socket(Leg::FIRST, at("192.168.1.2:4000"), ms(0));
    assert!(!path.is_gathered());
    answered(&mut path, "198.51.100.7:61000", ms(40));
    assert_eq!(events(&mut path), [Event::Gathered]);
    let description = path.description().unwrap();
    assert_eq!(
        description.candidates.iter().map(|c| (c.kind, c.address)).collect::<Vec<_>>(),
        [(Kind::Host, at("192.168.1.2:4000")), (Kind::ServerReflexive, at("198.51.100.7:61000"))]
    );
    assert_eq!(path.default_address(), Some(at("198.51.100.7:61000")));
}

#[test]
fn a_mute_server_is_waited_for_a_quarter_of_a_second_and_what_it_says_later_is_more() {
    let mut path = path(&["203.0.113.1:3478"], true, 1);
    path.socket(Leg::FIRST, at("192.168.1.2:4000"), ms(0));
    path.due(ms(249));
    assert!(!path.is_gathered());
    path.due(ms(250));
    assert_eq!(events(&mut path), [Event::Gathered]);
    answered(&mut path, "198.51.100.7:61000", ms(400));
    assert_eq!(events(&mut path), [Event::More]);
}

/// One with a relay at each of these addresses, by datagrams, a stream and TLS.
fn relayed(servers: &[&str], rung: Rung) -> Path {
    let ways = || [Way::Udp, Way::Tcp, Way::Tls("relay.test".into())];
    let turn = servers.iter().flat_map(|server| ways().map(|way| Turn::new(at(server), way, None))).collect();
    Path::new(Settings { turn, rung, ..Settings::default() }, true, Rng::from_number(1), ms(0))
}

/// What is tried, and since when, while nothing answers.
fn tried(path: &mut Path, until: u64) -> Vec<(u64, Rung, SocketAddr)> {
    let (mut tried, mut known) = (Vec::new(), std::collections::BTreeSet::new());
    for now in (0..=until).step_by(10) {
        path.due(ms(now));
        while let Some(order) = path.poll_order() {
            let new = match order {
                Order::Send { to, .. } => (Rung::Datagrams, to),
                Order::Connect { to, name: None, .. } => (Rung::Stream, to),
                Order::Connect { to, .. } => (Rung::Tls, to),
                _ => continue,
            };
            if known.insert(new) {
                tried.push((now, new.0, new.1));
            }
        }
    }
    tried.sort();
    tried
}

#[test]
fn a_relay_is_tried_way_by_way_and_what_worked_the_last_time_does_not_wait() {
    let server = "203.0.113.1:3478";
    for (rung, waits) in
        [(Rung::Datagrams, [0, 250, 500]), (Rung::Stream, [0, 0, 250]), (Rung::Tls, [0, 0, 0])]
    {
        let mut path = relayed(&[server], rung);
        path.socket(Leg::FIRST, at("192.168.1.2:4000"), ms(0));
        let ways = [Rung::Datagrams, Rung::Stream, Rung::Tls];
        let wanted: Vec<_> =
            waits.into_iter().zip(ways).map(|(at_ms, way)| (at_ms, way, at(server))).collect();
        assert_eq!(tried(&mut path, 1000), wanted, "{rung:?}");
    }
}

#[test]
fn a_relay_of_both_families_is_tried_by_a_stream_of_the_other_one_too() {
    let (v6, v4) = ("[2001:db8::1]:3478", "203.0.113.1:3478");
    let mut path = relayed(&[v4, v6], Rung::Datagrams);
    path.socket(Leg::FIRST, at("[2001:db8::2]:4000"), ms(0));
    let wanted = [
        (0, Rung::Datagrams, at(v6)),
        (250, Rung::Stream, at(v6)),
        (500, Rung::Stream, at(v4)),
        (500, Rung::Tls, at(v6)),
        (750, Rung::Tls, at(v4)),
    ];
    assert_eq!(tried(&mut path, 2000), wanted);
}

#[test]
fn a_server_is_believed_from_its_own_address_only_and_garbage_is_nobodys() {
    let mut path = path(&["203.0.113.1:3478"], true, 1);
    path.socket(Leg::FIRST, at("192.168.1.2:4000"), ms(0));
    let Some(Order::Send { leg, bytes, .. }) = path.poll_order() else { panic!("a question") };
    let lie = Writer::success(&Message::read(&bytes).unwrap())
        .hidden_address(attribute::XOR_MAPPED_ADDRESS, at("192.0.2.66:6"))
        .fingerprinted();
    path.heard(leg, at("192.0.2.66:3478"), &lie, ms(10));
    assert!(!path.heard(leg, at("203.0.113.1:3478"), b"\0\x01garbage", ms(10)));
    path.due(ms(300));
    assert_eq!(path.description().unwrap().candidates.len(), 1);
}

/// Runs two paths whose sockets reach each other with this delay each way, until nothing happens for a second.
fn run(
    a: &mut Path,
    b: &mut Path,
    here: SocketAddr,
    there: SocketAddr,
    from: Instant,
    time: Duration,
) -> Vec<Route> {
    run_both(a, b, here, there, from, time).0
}

/// The same with the routes of RTCP's own component.
fn run_both(
    a: &mut Path,
    b: &mut Path,
    here: SocketAddr,
    there: SocketAddr,
    from: Instant,
    time: Duration,
) -> (Vec<Route>, Vec<Route>) {
    let mut flying: Vec<(Instant, bool, Leg, bytes::Bytes)> = Vec::new();
    let (mut routes, mut controls) = (Vec::new(), Vec::new());
    let until = from + time;
    let mut now = from;
    while now <= until {
        let (due, rest): (Vec<_>, Vec<_>) = flying.drain(..).partition(|(at, ..)| *at <= now);
        flying = rest;
        for (_, to_b, leg, bytes) in due {
            let from = if to_b { here } else { there };
            let from = if leg.is_control() { control_of(from) } else { from };
            if to_b {
                b.heard(leg, from, &bytes, now)
            } else {
                a.heard(leg, from, &bytes, now)
            };
        }
        a.due(now);
        b.due(now);
        for (path, to_b, other) in [(&mut *a, true, there), (&mut *b, false, here)] {
            while let Some(order) = path.poll_order() {
                match order {
                    Order::Send { leg, to, bytes }
                        if to == if leg.is_control() { control_of(other) } else { other } =>
                    {
                        flying.push((now + Duration::from_millis(25), to_b, leg, bytes));
                    }
                    Order::Route(route) if to_b => routes.push(route),
                    Order::ControlRoute(route) if to_b => controls.push(route),
                    _ => {}
                }
            }
        }
        now += Duration::from_millis(5);
    }
    (routes, controls)
}

fn two() -> (Path, Path, SocketAddr, SocketAddr) {
    let (here, there) = (at("192.168.1.2:4000"), at("192.168.1.3:5000"));
    let (mut a, mut b) = (path(&[], true, 1), path(&[], false, 2));
    a.socket(Leg::FIRST, here, ms(0));
    b.socket(Leg::FIRST, there, ms(0));
    (a, b, here, there)
}

#[test]
fn media_goes_nowhere_until_a_pair_carries_and_then_to_it_alone() {
    let (mut a, mut b, here, there) = two();
    let (of_a, of_b) = (a.description().unwrap(), b.description().unwrap());
    b.connect(&of_a, false, ms(0));
    a.connect(&of_b, true, ms(0));
    let routes = run(&mut a, &mut b, here, there, ms(0), Duration::from_secs(1));
    assert_eq!(routes[0], Route::Checked { target: None, admitted: Vec::new() });
    let target = Some(Target { leg: Leg::FIRST, to: there, relay: None });
    assert_eq!(routes.last(), Some(&Route::Checked { target, admitted: vec![there] }));
    assert_eq!((a.reached(), b.reached()), (Some(Reached::Host), Some(Reached::Host)));
    assert_eq!(
        a.report().to_string(),
        "ours    host  192.168.1.2:4000\n\
         theirs  host  192.168.1.3:5000\n\
         way     host  192.168.1.2:4000 -> 192.168.1.3:5000, chosen\n\
         because the addresses of both sides reach each other as they are"
    );
}

#[test]
fn a_side_without_ice_is_reached_plainly() {
    let (mut a, ..) = two();
    a.plain(ms(0));
    assert_eq!((a.description(), a.reached()), (None, None));
    assert!(a.next_wake().is_none());
}

#[test]
fn where_nothing_carries_media_goes_plainly_after_a_while() {
    let (mut a, mut b, here, there) = two();
    let of_b = b.description().unwrap();
    a.connect(&of_b, true, ms(0));
    let routes = run(&mut a, &mut b, here, there, ms(0), Duration::from_secs(15));
    assert_eq!(routes.last(), Some(&Route::Plain));
    assert!(events(&mut a).contains(&Event::Unreachable));
}

#[test]
fn a_restart_keeps_the_old_way_until_the_new_one_carries() {
    let (mut a, mut b, here, there) = two();
    let (of_a, of_b) = (a.description().unwrap(), b.description().unwrap());
    b.connect(&of_a, false, ms(0));
    a.connect(&of_b, true, ms(0));
    run(&mut a, &mut b, here, there, ms(0), Duration::from_secs(1));
    a.restart(ms(2000));
    let of_a = a.description().unwrap();
    assert!(b.is_restarted_by(&of_a));
    b.restart(ms(2000));
    let of_b = b.description().unwrap();
    b.connect(&of_a, false, ms(2000));
    a.connect(&of_b, true, ms(2000));
    let routes = run(&mut a, &mut b, here, there, ms(2000), Duration::from_secs(1));
    assert!(routes.iter().all(|route| matches!(route, Route::Checked { target: Some(_), .. })), "{routes:?}");
}

#[test]
fn the_description_of_a_lite_side_leaves_the_choice_to_us() {
    let (mut a, b, ..) = two();
    let theirs = Description { lite: true, ..b.description().unwrap() };
    a.connect(&theirs, false, ms(0));
    a.due(ms(1));
    let check = std::iter::from_fn(|| a.poll_order()).find_map(|order| match order {
        Order::Send { bytes, .. } => Message::read(&bytes).ok(),
        _ => None,
    });
    assert!(check.unwrap().has(attribute::ICE_CONTROLLING));
}

/// Their description with RTCP's component in it, as from sockets side by side.
fn with_control(mut theirs: Description) -> Description {
    let control: Vec<_> = (theirs.candidates.iter())
        .map(|c| Candidate { component: 2, address: control_of(c.address), ..c.clone() })
        .collect();
    theirs.candidates.extend(control);
    theirs
}

#[test]
fn who_answers_with_a_component_for_rtcp_is_checked_from_rtcps_socket_and_a_third_is_left_alone() {
    let (mut a, b, ..) = two();
    let mut theirs = with_control(b.description().unwrap());
    let third = Candidate { component: 3, address: at("192.168.1.3:5002"), ..theirs.candidates[0].clone() };
    theirs.candidates.push(third);
    a.connect(&theirs, true, ms(0));
    a.due(ms(1));
    let sent: Vec<_> = std::iter::from_fn(|| a.poll_order())
        .filter_map(|order| match order {
            Order::Send { leg, to, .. } => Some((leg, to)),
            _ => None,
        })
        .collect();
    assert_eq!(sent, [(Leg::FIRST, at("192.168.1.3:5000")), (Leg::FIRST.control(), at("192.168.1.3:5001"))]);
}

#[test]
fn an_offer_of_two_components_is_answered_with_two_and_each_has_its_pair() {
    let (mut a, mut b, here, there) = two();
    // Ours has one, theirs would have two: here both sides are made of the same machine.
    let of_a = with_control(a.description().unwrap());
    b.meet(&of_a, ms(0));
    assert!(b.is_gathered());
    let of_b = b.description().unwrap();
    let told = of_b.candidates.iter().map(|c| (c.component, c.address)).collect::<Vec<_>>();
    assert_eq!(told, [(1, there), (2, control_of(there))]);
    assert_eq!(b.default_control_address(), Some(control_of(there)));
    b.connect(&of_a, false, ms(0));
    a.connect(&of_b, true, ms(0));
    let (routes, controls) = run_both(&mut a, &mut b, here, there, ms(0), Duration::from_secs(1));
    for (routes, leg, to) in
        [(routes, Leg::FIRST, there), (controls, Leg::FIRST.control(), control_of(there))]
    {
        let target = Some(Target { leg, to, relay: None });
        assert_eq!(routes.last(), Some(&Route::Checked { target, admitted: vec![to] }));
    }
    // Both begin anew together, and RTCP comes home when it is multiplexed.
    a.restart(ms(1000));
    let of_a = with_control(a.description().unwrap());
    assert!(b.is_restarted_by(&of_a));
    b.restart(ms(1000));
    let of_b = b.description().unwrap();
    b.connect(&of_a, false, ms(1000));
    a.connect(&of_b, true, ms(1000));
    run_both(&mut a, &mut b, here, there, ms(1000), Duration::from_secs(1));
    let one = Description { candidates: of_b.candidates[..1].to_vec(), ..of_b };
    a.connect(&one, true, ms(2000));
    let orders: Vec<_> = std::iter::from_fn(|| a.poll_order()).collect();
    assert_eq!(orders, [Order::ControlRoute(Route::Plain)]);
    assert_eq!(a.description().unwrap().candidates.len(), 1);
}

#[test]
fn both_components_settle_a_conflict_of_roles_alike() {
    for seed in 1..9 {
        let (here, there) = (at("192.168.1.2:4000"), at("192.168.1.3:5000"));
        let (mut a, mut b) = (path(&[], true, seed), path(&[], true, seed + 100));
        a.socket(Leg::FIRST, here, ms(0));
        b.socket(Leg::FIRST, there, ms(0));
        let of_a = with_control(a.description().unwrap());
        b.meet(&of_a, ms(0));
        let of_b = b.description().unwrap();
        b.connect(&of_a, true, ms(0));
        a.connect(&of_b, true, ms(0));
        let (routes, controls) = run_both(&mut a, &mut b, here, there, ms(0), Duration::from_secs(2));
        for (routes, to) in [(routes, there), (controls, control_of(there))] {
            assert!(
                matches!(routes.last(), Some(Route::Checked { target: Some(target), .. }) if target.to == to),
                "{seed}"
            );
        }
        assert!(a.report().settled && b.report().settled, "{seed}");
    }
}

#[test]
fn a_way_is_found_by_what_is_told_late_if_it_is_told_of_the_present_generation() {
    let (mut a, mut b, here, there) = two();
    let (of_a, of_b) = (a.description().unwrap(), b.description().unwrap());
    let bare = |of: &Description| Description { candidates: Vec::new(), ..of.clone() };
    assert!(!a.add_late(Some(&of_b), ms(0)), "nothing is known of them yet");
    b.connect(&bare(&of_a), false, ms(0));
    a.connect(&bare(&of_b), true, ms(0));
    let stale = Description { credentials: of_a.credentials.clone(), ..of_b.clone() };
    assert!(!a.add_late(Some(&stale), ms(0)) && !a.add_late(None, ms(0)));
    run(&mut a, &mut b, here, there, ms(0), Duration::from_secs(2));
    assert_eq!((a.reached(), a.report().counts.stale), (None, 3));
    assert!(a.add_late(Some(&of_b), ms(2000)));
    run(&mut a, &mut b, here, there, ms(2000), Duration::from_secs(1));
    assert_eq!((a.reached(), a.report().counts.stale), (Some(Reached::Host), 3));
    assert!(b.reached().is_some());
}

#[test]
fn a_second_leg_of_a_fork_knows_us_by_the_same_description_and_is_reached() {
    let (mut a, mut b, here, there) = two();
    let mut c = path(&[], false, 3);
    c.socket(Leg::FIRST, there, ms(0));
    let of_a = a.description().unwrap();
    for (leg, begins) in [(&mut b, 0), (&mut c, 2000)] {
        let theirs = leg.description().unwrap();
        leg.connect(&of_a, false, ms(begins));
        a.connect(&theirs, true, ms(begins));
        run(&mut a, leg, here, there, ms(begins), Duration::from_secs(1));
        assert_eq!((a.reached(), leg.reached()), (Some(Reached::Host), Some(Reached::Host)));
    }
    let told = events(&mut a);
    assert_eq!(told, [Event::Gathered, Event::Reached(Reached::Host), Event::Reached(Reached::Host)]);
}

/// The lines about streams of a description: which kind, how it opens, and where.
fn streams(path: &Path) -> Vec<(Kind, TcpType, SocketAddr)> {
    let candidates = path.description().unwrap().candidates.into_iter();
    let streams = candidates.filter_map(|c| match c.carrier {
        Carrier::Tcp(how) => Some((c.kind, how, c.address)),
        Carrier::Udp => None,
    });
    streams.collect()
}

/// One whose datagrams are not wanted, and the stream to S that it has ordered, from an address of its own.
fn by_streams(stun: &[&str]) -> Path {
    let stun = stun.iter().map(|s| at(s)).collect();
    let settings = Settings { stun, udp: false, tcp: Tcp::Always, ..Settings::default() };
    let mut path = Path::new(settings, true, Rng::from_number(1), ms(0));
    path.socket(Leg::FIRST, at("192.168.1.2:4000"), ms(0));
    path
}

#[test]
fn a_port_for_streams_is_described_to_who_connects_waits_or_does_both() {
    use TcpType::{Active, Passive, SimultaneousOpen};
    let mut path = by_streams(&["203.0.113.1:3478"]);
    let Some(Order::Connect { leg, to, .. }) = path.poll_order() else { panic!("S is asked") };
    let (host, outside) = (at("192.168.1.2:7000"), at("198.51.100.7:61000"));
    path.stream_up(leg, host, to, ms(20));
    assert_eq!(path.poll_order(), Some(Order::Listen { at: host }), "before anybody can know of it");
    answered(&mut path, "198.51.100.7:61000", ms(40));
    assert_eq!(
        streams(&path),
        [
            (Kind::Host, Active, at("192.168.1.2:9")),
            (Kind::Host, Passive, host),
            (Kind::Host, SimultaneousOpen, host),
            (Kind::ServerReflexive, SimultaneousOpen, outside),
            (Kind::ServerReflexive, Passive, outside),
        ]
    );
}

#[test]
fn without_a_server_that_tells_the_port_is_described_as_it_is() {
    let mut alone = by_streams(&[]);
    assert_eq!(alone.poll_order(), Some(Order::Listen { at: at("192.168.1.2:4000") }));
    let mut refused = by_streams(&["203.0.113.1:3478"]);
    let Some(Order::Connect { leg, .. }) = refused.poll_order() else { panic!("S is asked") };
    refused.stream_down(leg, true, ms(20));
    for path in [&alone, &refused] {
        assert!(path.is_gathered());
        assert_eq!(streams(path).iter().filter(|it| it.2 == at("192.168.1.2:4000")).count(), 2);
    }
}

#[test]
fn who_only_connects_is_taken_and_checked_even_before_their_description_is_here() {
    let (_, b, ..) = two();
    let theirs = b.description().unwrap();
    let base = at("192.168.1.3:9");
    let active = Candidate::ours(Kind::Host, Carrier::Tcp(TcpType::Active), 1, base, base, 1);
    let theirs = Description { candidates: vec![active], ..theirs };
    for comes in [0, 100] {
        let mut path = by_streams(&[]);
        let (leg, from) = (Leg(Leg::TAKEN), at("192.168.1.3:55000"));
        if comes == 0 {
            path.stream_up(leg, at("192.168.1.2:4000"), from, ms(0));
        }
        path.connect(&theirs, true, ms(50));
        if comes > 0 {
            path.stream_up(leg, at("192.168.1.2:4000"), from, ms(comes));
        }
        path.due(ms(150));
        let orders: Vec<Order> = std::iter::from_fn(|| path.poll_order()).collect();
        let check = |it: &Order| matches!(it, Order::Send { leg: by, to, .. } if (*by, *to) == (leg, from));
        assert!(orders.iter().any(check), "{comes}: {orders:?}");
        assert!(!orders.iter().any(|it| matches!(it, Order::Connect { .. })), "nobody is there: {orders:?}");
    }
}

#[test]
fn of_strangers_that_come_early_only_so_many_are_kept() {
    let mut path = by_streams(&[]);
    let _ = path.poll_order();
    for n in 0..20 {
        let from = SocketAddr::new([192, 168, 1, 66].into(), 1000 + n);
        path.stream_up(Leg(Leg::TAKEN + u32::from(n)), at("192.168.1.2:4000"), from, ms(0));
    }
    let closed = std::iter::from_fn(|| path.poll_order()).filter(|it| matches!(it, Order::Close { .. }));
    assert_eq!(closed.count(), 16);
}
