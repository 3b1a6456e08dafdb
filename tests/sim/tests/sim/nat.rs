//! Routers in the world: what gets through them, and how two hosts behind two of them reach each other.
//!
//! RFC 5128 sections 3.2 to 3.4 by hand: S tells both sides how the other looks from outside, and both speak at once.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base::{FlowId, Instant, Rng};
use bytes::Bytes;
use offhook_sim::{
    Arrival, Dependence, Fate, Hairpin, Link, Nat, NetworkId, NodeId, Reason, Socket, Tag, Tampering,
    Unsolicited, Why, Wire, World, account, users,
};

const ANN: NodeId = NodeId(0);
const BEN: NodeId = NodeId(1);
const S: NodeId = NodeId(2);
const SERVER: &str = "10.0.0.1:3478";
/// Of both, each at home.
const INSIDE: &str = "192.168.1.2:4000";
const MS: Duration = Duration::from_millis(1);
const MEDIA: Tag = Tag::Media(1, 7);

fn addr(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// Ann and Ben, each at home behind a router, and S on the internet.
struct Bench {
    wire: Wire,
    now: Instant,
    homes: [NetworkId; 2],
}

impl Bench {
    fn new(ann: Nat, ben: Nat) -> Self {
        let mut wire = Wire::new(Rng::from_number(1));
        wire.join(S, NetworkId::INTERNET, addr(SERVER).ip());
        wire.bind(addr(SERVER), Socket::Media(0, false));
        wire.listen(addr(SERVER));
        let faces = |third, nat: Nat| (1..=nat.pool).map(|n| IpAddr::from([203, 0, third, n])).collect();
        let homes = [
            wire.add_network(ann, NetworkId::INTERNET, faces(1, ann)),
            wire.add_network(ben, NetworkId::INTERNET, faces(2, ben)),
        ];
        let mut bench = Self { wire, now: Instant::ZERO, homes };
        bench.settle(ANN, homes[0], INSIDE);
        bench.settle(BEN, homes[1], INSIDE);
        bench
    }

    fn settle(&mut self, node: NodeId, network: NetworkId, local: &str) {
        self.wire.join(node, network, addr(local).ip());
        self.wire.bind_at(node, addr(local), Socket::Media(1, false));
    }

    /// What arrives in this time.
    fn run(&mut self, time: Duration) -> Vec<(NodeId, Arrival)> {
        self.now += time;
        std::iter::from_fn(|| self.wire.pop_due(self.now)).collect()
    }

    fn send(&mut self, node: NodeId, from: &str, to: SocketAddr) -> Fate {
        self.wire.send_from(node, addr(from), to, Bytes::from_static(b"hello"), self.now)
    }

    /// Who hears a datagram, and from whom.
    fn heard(&mut self, node: NodeId, from: &str, to: SocketAddr) -> Option<(NodeId, SocketAddr)> {
        self.send(node, from, to);
        sender(&self.run(100 * MS))
    }

    /// How a node's port looks to S.
    fn face(&mut self, node: NodeId, local: &str) -> SocketAddr {
        self.heard(node, local, addr(SERVER)).expect("S hears everybody").1
    }

    /// Both speak at once, several times, then to whom they have heard: who heard somebody in the end.
    fn punch(&mut self) -> [bool; 2] {
        let faces = [self.face(ANN, INSIDE), self.face(BEN, INSIDE)];
        let (mut toward, mut heard) = ([faces[1], faces[0]], [false; 2]);
        for _ in 0..5 {
            for node in [ANN, BEN] {
                self.send(node, INSIDE, toward[node.0]);
            }
            for (node, arrival) in self.run(200 * MS) {
                if let Arrival::Datagram { from, .. } = arrival {
                    (toward[node.0], heard[node.0]) = (from, true);
                }
            }
        }
        heard
    }

    /// A stream to S from each one's port, so that S can tell the other; then both listen on that port.
    fn introduce(&mut self) -> [SocketAddr; 2] {
        for node in [ANN, BEN] {
            self.wire.connect_from(node, addr(INSIDE), addr(SERVER), Tag::Signalling, self.now);
            self.wire.listen_media(node, addr(INSIDE), 1, 7);
        }
        let ups = self.run(100 * MS);
        let routers = self.homes.map(|home| self.wire.nat(home).expect("a router").outside().to_vec());
        let face = |wanted: NodeId| {
            let find = |(node, arrival): &(NodeId, Arrival)| match arrival {
                Arrival::Up { remote, .. } if *node == S && routers[wanted.0].contains(&remote.ip()) => {
                    Some(*remote)
                }
                _ => None,
            };
            ups.iter().find_map(find).expect("S is reached")
        };
        [face(ANN), face(BEN)]
    }

    fn connect(&mut self, node: NodeId, remote: SocketAddr) {
        self.wire.connect_from(node, addr(INSIDE), remote, MEDIA, self.now);
    }

    /// Ann connects, and Ben so much later; what comes of it in the next seconds.
    fn connect_both(
        &mut self,
        faces: [SocketAddr; 2],
        later: Duration,
        time: Duration,
    ) -> Vec<(NodeId, Arrival)> {
        self.connect(ANN, faces[1]);
        let mut log = self.run(later);
        self.connect(BEN, faces[0]);
        log.extend(self.run(time));
        log
    }
}

/// The first outside address of a home's router.
fn faces(node: NodeId) -> IpAddr {
    IpAddr::from([203, 0, node.0 as u8 + 1, 1])
}

fn sender(log: &[(NodeId, Arrival)]) -> Option<(NodeId, SocketAddr)> {
    log.iter().find_map(|(node, arrival)| match arrival {
        Arrival::Datagram { from, .. } => Some((*node, *from)),
        _ => None,
    })
}

/// The media streams that came up at a node.
fn ups(log: &[(NodeId, Arrival)], node: NodeId) -> Vec<FlowId> {
    let up = |(n, arrival): &(NodeId, Arrival)| match arrival {
        Arrival::Up { flow, tag: MEDIA, .. } if *n == node => Some(*flow),
        _ => None,
    };
    log.iter().filter_map(up).collect()
}

fn failures(log: &[(NodeId, Arrival)], node: NodeId) -> Vec<Reason> {
    let failed = |(n, arrival): &(NodeId, Arrival)| match arrival {
        Arrival::Failed { reason, .. } if *n == node => Some(*reason),
        _ => None,
    };
    log.iter().filter_map(failed).collect()
}

// Datagrams

#[test]
fn two_homes_have_the_same_inside_address_and_each_gets_its_own_answer() {
    let mut b = Bench::new(Nat::port_restricted(), Nat::symmetric());
    for node in [ANN, BEN] {
        let face = b.face(node, INSIDE);
        assert_eq!(face.ip(), faces(node));
        b.send(S, SERVER, face);
        assert_eq!(sender(&b.run(100 * MS)), Some((node, addr(SERVER))));
    }
}

#[test]
fn a_datagram_takes_the_time_of_all_links_on_its_way() {
    let mut b = Bench::new(Nat::port_restricted(), Nat::port_restricted());
    b.send(ANN, INSIDE, addr(SERVER));
    assert_eq!(sender(&b.run(5 * MS)), None);
    assert!(sender(&b.run(MS)).is_some(), "half, half and five");
    b.wire.set_link(ANN, S, Link { delay: 50 * MS, ..Link::default() });
    b.send(ANN, INSIDE, addr(SERVER));
    assert_eq!(sender(&b.run(50 * MS)), None);
    assert!(sender(&b.run(MS)).is_some());
    b.wire.set_access(ANN, b.homes[0], Link { cut: true, ..Link::default() });
    assert_eq!(b.send(ANN, INSIDE, addr(SERVER)), Fate::Lost);
}

#[test]
fn two_speak_at_once_and_reach_each_other_unless_one_is_symmetric_and_the_other_strict() {
    let kinds = [
        ("full cone", Nat::full_cone()),
        ("restricted", Nat::restricted()),
        ("port restricted", Nat::port_restricted()),
        ("symmetric", Nat::symmetric()),
        ("masquerade", Nat::linux_masquerade()),
        ("fully random", Nat::linux_fully_random()),
        ("one to one", Nat::static_one_to_one()),
        ("cgn", Nat::cgn()),
    ];
    let draws = |name: &str| matches!(name, "symmetric" | "fully random");
    let strict = |name: &str| draws(name) || matches!(name, "port restricted" | "masquerade" | "cgn");
    for (a, ann) in kinds {
        for (b, ben) in kinds {
            let hopeless = (draws(a) && strict(b)) || (draws(b) && strict(a));
            assert_eq!(Bench::new(ann, ben).punch(), [!hopeless; 2], "{a} and {b}");
        }
    }
}

#[test]
fn an_unfiltered_inside_is_reached_by_whoever_knows_its_face_and_a_filtered_one_is_not() {
    for (nat, reached) in [(Nat::full_cone(), true), (Nat::restricted(), false)] {
        let mut b = Bench::new(nat, Nat::symmetric());
        let face = b.face(ANN, INSIDE);
        assert_eq!(b.heard(BEN, INSIDE, face).is_some(), reached);
        assert_eq!(
            b.wire.nat(b.homes[0]).expect("it is there").dropped(Why::Unsolicited),
            u64::from(!reached)
        );
    }
}

#[test]
fn a_host_behind_two_routers_looks_like_the_outer_one_and_is_punched_through_both() {
    let mut b = Bench::new(Nat::cgn(), Nat::port_restricted());
    let home = b.wire.add_network(Nat::port_restricted(), b.homes[0], vec![IpAddr::from([100, 64, 0, 2])]);
    b.wire.leave(ANN, b.homes[0]);
    b.settle(ANN, home, INSIDE);
    let face = b.face(ANN, INSIDE);
    assert!(face.to_string().starts_with("203.0.1.") && face.port() != 4000, "{face}");
    assert_eq!(b.punch(), [true, true]);
    assert_eq!(b.wire.whom(S, face), Some(ANN));
}

#[test]
fn neighbours_reach_each_other_inside_and_by_their_faces_as_the_router_turns_packets_round() {
    for (hairpin, from) in [
        (Hairpin::None, None),
        (Hairpin::InsideSource, Some("192.168.1.2:4000")),
        (Hairpin::OutsideSource, Some("203.0.1.1:4000")),
    ] {
        let mut b = Bench::new(Nat::full_cone().hairpinning(hairpin), Nat::full_cone());
        b.wire.leave(BEN, b.homes[1]);
        b.settle(BEN, b.homes[0], "192.168.1.3:5000");
        assert_eq!(b.heard(ANN, INSIDE, addr("192.168.1.3:5000")), Some((BEN, addr(INSIDE))));
        let face = b.face(BEN, "192.168.1.3:5000");
        assert_eq!(b.heard(ANN, INSIDE, face), from.map(|from| (BEN, addr(from))));
    }
}

#[test]
fn a_router_that_gets_another_address_or_forgets_is_found_by_speaking_again() {
    let mut b = Bench::new(Nat::symmetric(), Nat::symmetric());
    let face = b.face(ANN, INSIDE);
    b.wire.rebind(b.homes[0], vec![IpAddr::from([203, 0, 1, 99])]);
    assert_eq!(b.send(S, SERVER, face), Fate::NoOneThere);
    assert_eq!(b.face(ANN, INSIDE).ip(), IpAddr::from([203, 0, 1, 99]));
    let face = b.face(ANN, INSIDE);
    b.wire.nat_mut(b.homes[0]).expect("it is there").reboot();
    assert_eq!(b.heard(S, SERVER, face), None);
    assert_ne!(b.face(ANN, INSIDE), face);
}

#[test]
fn a_node_in_two_networks_sends_from_either_and_keeps_one_when_the_other_vanishes() {
    let mut b = Bench::new(Nat::port_restricted(), Nat::cgn());
    b.settle(ANN, b.homes[1], "100.64.0.9:4000");
    assert_eq!(b.face(ANN, INSIDE).ip(), faces(ANN));
    assert!(b.face(ANN, "100.64.0.9:4000").to_string().starts_with("203.0.2."));
    let source = |b: &Bench| b.wire.source(ANN, addr(SERVER).ip());
    assert_eq!(source(&b), Some(addr(INSIDE).ip()), "the first");
    b.wire.prefer(ANN, b.homes[1]);
    assert_eq!(source(&b), Some(addr("100.64.0.9:0").ip()));
    b.wire.prefer(ANN, b.homes[0]);
    b.wire.connect(ANN, addr(SERVER), b.now);
    b.wire.connect_from(ANN, addr("100.64.0.9:1"), addr(SERVER), MEDIA, b.now);
    assert_eq!(b.run(100 * MS).len(), 4);
    assert_eq!(b.wire.leave(ANN, b.homes[0]).len(), 1, "the stream there");
    assert_eq!(b.wire.held(ANN).0, 1);
    assert_eq!(source(&b), Some(addr("100.64.0.9:0").ip()));
    assert_eq!(b.send(ANN, INSIDE, addr(SERVER)), Fate::NoOneThere);
    assert!(b.heard(ANN, "100.64.0.9:4000", addr(SERVER)).is_some());
}

// Streams

#[test]
fn a_stream_through_a_router_carries_bytes_both_ways_in_order() {
    let mut b = Bench::new(Nat::symmetric(), Nat::symmetric());
    b.wire.set_default(Link { loss: 0.2, ..Link::wild() });
    b.wire.connect(ANN, addr(SERVER), b.now);
    let log = b.run(5000 * MS);
    let up = |node| {
        let one = |(n, arrival): &(NodeId, Arrival)| match arrival {
            Arrival::Up { flow, remote, .. } if *n == node => Some((*flow, *remote)),
            _ => None,
        };
        log.iter().find_map(one).expect("it is there")
    };
    let ((ours, _), (theirs, face)) = (up(ANN), up(S));
    assert_eq!(face.ip(), faces(ANN), "S sees the router");
    for n in 0..100_u8 {
        b.wire.send_stream(ours, Bytes::copy_from_slice(&[n, n]), b.now);
        b.wire.send_stream(theirs, Bytes::copy_from_slice(&[n]), b.now);
    }
    let mut got = [Vec::new(), Vec::new()];
    for (node, arrival) in b.run(60_000 * MS) {
        if let Arrival::Chunk { bytes, .. } = arrival {
            got[usize::from(node == S)].extend_from_slice(&bytes);
        }
    }
    assert_eq!(got[0], (0..100).collect::<Vec<u8>>());
    assert_eq!(got[1], (0..100).flat_map(|n| [n, n]).collect::<Vec<u8>>());
    b.wire.close(ours, b.now);
    assert!(matches!(b.run(5000 * MS)[..], [(S, Arrival::Down { .. })]));
    assert_eq!((b.wire.held(ANN).0, b.wire.held(S).0), (0, 0));
}

#[test]
fn a_port_without_a_listener_refuses_and_one_connection_twice_is_in_use() {
    let mut b = Bench::new(Nat::port_restricted(), Nat::port_restricted());
    b.connect(ANN, addr("10.0.0.1:9"));
    assert_eq!(b.run(11 * MS), []);
    assert_eq!(failures(&b.run(MS), ANN), [Reason::Refused]);
    b.connect(ANN, addr(SERVER));
    b.connect(ANN, addr(SERVER));
    assert_eq!(failures(&b.run(100 * MS), ANN), [Reason::InUse]);
    b.connect(ANN, addr(SERVER));
    assert_eq!(failures(&b.run(100 * MS), ANN), [Reason::InUse]);
}

#[test]
fn a_syn_that_a_router_drops_is_repeated_after_1_3_and_7_seconds_and_given_up_after_a_minute() {
    let mut b = Bench::new(Nat::port_restricted(), Nat::port_restricted());
    b.wire.connect_from(S, addr("10.0.0.1:80"), SocketAddr::new(faces(ANN), 4000), MEDIA, b.now);
    let mut log = Vec::new();
    let mut counts = Vec::new();
    for _ in 0..8 {
        log.extend(b.run(1000 * MS));
        counts.push(b.wire.nat(b.homes[0]).expect("it is there").dropped(Why::Unsolicited));
    }
    assert_eq!(counts, [1, 2, 2, 3, 3, 3, 3, 4]);
    log.extend(b.run(60_000 * MS));
    assert_eq!(failures(&log, S), [Reason::TimedOut]);
}

#[test]
fn an_unfiltered_router_lets_a_stream_in_to_a_listener() {
    let mut b = Bench::new(Nat::full_cone(), Nat::symmetric());
    let faces = b.introduce();
    b.connect(BEN, faces[0]);
    let log = b.run(100 * MS);
    assert_eq!((ups(&log, ANN).len(), ups(&log, BEN).len()), (1, 1));
}

#[test]
fn crossing_syns_become_one_stream_at_both_ends_beside_the_one_to_s() {
    for later in [0, 2, 20, 500] {
        let mut b = Bench::new(Nat::port_restricted(), Nat::linux_masquerade());
        let faces = b.introduce();
        let log = b.connect_both(faces, later * MS, 5000 * MS);
        let (ann, ben) = (ups(&log, ANN), ups(&log, BEN));
        assert_eq!((ann.len(), ben.len()), (1, 1), "{later} ms: {log:?}");
        assert_eq!((b.wire.held(ANN).0, b.wire.held(BEN).0), (2, 2), "and the one to S");
        b.wire.send_stream(ann[0], Bytes::from_static(b"ann"), b.now);
        b.wire.send_stream(ben[0], Bytes::from_static(b"ben"), b.now);
        let got: Vec<_> = b
            .run(100 * MS)
            .into_iter()
            .filter_map(|(node, arrival)| match arrival {
                Arrival::Chunk { flow, tag: MEDIA, bytes, .. } => Some((node, flow, bytes)),
                _ => None,
            })
            .collect();
        assert_eq!(
            got,
            [(BEN, ben[0], Bytes::from_static(b"ann")), (ANN, ann[0], Bytes::from_static(b"ben"))]
        );
    }
}

#[test]
fn crossing_syns_become_a_stream_whichever_packet_of_the_handshake_a_cut_swallows() {
    for (node, begin) in (0..20).flat_map(|begin| [(ANN, begin), (BEN, begin)]) {
        let mut b = Bench::new(Nat::port_restricted(), Nat::port_restricted());
        let faces = b.introduce();
        let home = b.homes[node.0];
        b.connect(ANN, faces[1]);
        b.connect(BEN, faces[0]);
        let mut log = b.run(begin * MS);
        b.wire.set_access(node, home, Link { cut: true, ..Link::default() });
        log.extend(b.run(5 * MS));
        b.wire.set_access(node, home, Link { delay: Duration::ZERO, ..Link::default() });
        log.extend(b.run(20_000 * MS));
        let (ann, ben) = (ups(&log, ANN), ups(&log, BEN));
        assert_eq!((ann.len(), ben.len()), (1, 1), "{node:?} {begin} ms: {log:?}");
        b.wire.close(ann[0], b.now);
        let down = b.run(1000 * MS);
        assert!(matches!(down[..], [(BEN, Arrival::Down { flow, tag: MEDIA })] if flow == ben[0]));
    }
}

#[test]
fn the_same_seed_is_the_same_history_through_routers_that_draw() {
    let history = || {
        let mut b = Bench::new(Nat::cgn(), Nat::symmetric());
        let faces = b.introduce();
        b.wire.set_default(Link::wild());
        let log = b.connect_both(faces, MS, 70_000 * MS);
        (faces, log)
    };
    assert_eq!(history(), history());
    assert!(!history().1.is_empty());
}

#[test]
fn routers_that_answer_rst_refuse_the_first_try_and_let_a_second_at_the_same_moment_through() {
    let mut b = Bench::new(Nat::port_restricted().resetting(), Nat::port_restricted().resetting());
    let faces = b.introduce();
    let log = b.connect_both(faces, 20 * MS, 5000 * MS);
    assert_eq!((failures(&log, ANN), failures(&log, BEN)), (vec![Reason::Refused], vec![Reason::Refused]));
    let log = b.connect_both(faces, Duration::ZERO, 5000 * MS);
    assert_eq!((ups(&log, ANN).len(), ups(&log, BEN).len()), (1, 1));
}

#[test]
fn a_router_without_a_firewall_refuses_and_gives_the_port_away_so_that_soon_again_is_too_soon() {
    let mut b = Bench::new(Nat::linux_open(), Nat::linux_open());
    let faces = b.introduce();
    let log = b.connect_both(faces, 20 * MS, 5000 * MS);
    assert_eq!((ups(&log, ANN).len(), failures(&log, ANN)), (0, vec![Reason::Refused]));
    let log = b.connect_both(faces, Duration::ZERO, 1000 * MS);
    assert!(ups(&log, ANN).is_empty());
    b.run(100_000 * MS);
    let log = b.connect_both(faces, Duration::ZERO, 5000 * MS);
    assert_eq!((ups(&log, ANN).len(), ups(&log, BEN).len()), (1, 1));
}

#[test]
fn a_patient_router_tells_of_nobody_only_after_six_seconds_and_a_stream_is_up_by_then() {
    let patient =
        Nat { unsolicited: Unsolicited::Unreachable(Duration::from_secs(6)), ..Nat::port_restricted() };
    let mut b = Bench::new(patient, patient);
    let faces = b.introduce();
    let log = b.connect_both(faces, 3000 * MS, 10_000 * MS);
    assert_eq!((ups(&log, ANN).len(), failures(&log, ANN)), (1, vec![]));
    b.wire.connect_from(S, addr("10.0.0.1:80"), faces[0], MEDIA, b.now);
    assert_eq!(b.run(6000 * MS), []);
    assert_eq!(failures(&b.run(100 * MS), S), [Reason::Refused]);
}

#[test]
fn where_syns_may_not_cross_or_ports_are_drawn_no_stream_is_punched() {
    let strict = Nat { crossing_syns: false, ..Nat::port_restricted() };
    for (ann, ben) in [
        (strict, strict),
        (Nat::symmetric(), Nat::symmetric()),
        (Nat::symmetric(), Nat::port_restricted()),
        (Nat { mapping: Dependence::Address, ..Nat::symmetric() }, Nat::port_restricted()),
    ] {
        let mut b = Bench::new(ann, ben);
        let faces = b.introduce();
        let log = b.connect_both(faces, Duration::ZERO, 130_000 * MS);
        assert_eq!((ups(&log, ANN), ups(&log, BEN)), (vec![], vec![]));
        assert_eq!(
            (failures(&log, ANN), failures(&log, BEN)),
            (vec![Reason::TimedOut], vec![Reason::TimedOut])
        );
    }
}

#[test]
fn a_router_that_has_forgotten_a_stream_breaks_it_without_a_word() {
    let mut b =
        Bench::new(Nat { tcp_timeout: Duration::from_secs(60), ..Nat::symmetric() }, Nat::symmetric());
    b.wire.connect(ANN, addr(SERVER), b.now);
    b.run(100 * MS);
    let (ours, _) = (b.wire.held(ANN), b.wire.held(S));
    assert_eq!(ours.0, 1);
    assert_eq!(b.run(61_000 * MS), [], "nobody says anything");
    let flow = FlowId(
        (1..10)
            .find(|f| b.wire.stream_addrs(FlowId(*f)).is_some_and(|(l, _)| l.ip() == addr(INSIDE).ip()))
            .expect("it is there"),
    );
    assert!(b.wire.send_stream(flow, Bytes::from_static(b"anybody?"), b.now));
    assert_eq!(b.run(60_000 * MS), []);
    assert!(matches!(b.run(2000 * MS)[..], [(ANN, Arrival::Down { .. })]));
    assert!(matches!(b.run(60_000 * MS)[..], [(S, Arrival::Down { .. })]), "its keepalive finds out");
}

#[test]
fn who_gives_an_attempt_up_hears_no_more_of_it() {
    let mut b = Bench::new(Nat::port_restricted(), Nat::port_restricted());
    b.connect(ANN, addr(SERVER));
    b.run(MS);
    b.wire.give_up(ANN, addr(INSIDE), addr(SERVER));
    assert_eq!(b.run(120_000 * MS), []);
    assert_eq!((b.wire.held(ANN).0, b.wire.held(S).0), (0, 0));
}

// The world

#[test]
fn phones_behind_routers_register_by_datagram_and_by_stream_and_their_calls_ring() {
    for transport in ["udp", "tcp"] {
        let mut w = World::new("behind", "RFC 5128");
        let exchange = w.exchange("exchange", users(&["ann", "ben"]));
        let homes = [w.behind(Nat::linux_masquerade()), w.behind(Nat::symmetric())];
        let proxy = format!("sip:{};transport={transport};lr", w.ip(exchange));
        let phones: Vec<NodeId> = ["ann", "ben"]
            .iter()
            .zip(homes)
            .map(|(name, home)| {
                w.settle_in(home);
                let settings = phone::Account {
                    proxy: Some(proxy.parse().expect("it is there")),
                    ..account(name, w.ip(exchange))
                };
                w.phone(name, Some(settings))
            })
            .collect();
        assert_eq!(w.ip(phones[0]), w.ip(phones[1]), "the same address twice");
        w.run_until_registered(&phones);
        w.call(phones[0], "ben");
        w.run_until_state(phones[1], phone::CallState::Ringing);
    }
}

#[test]
fn a_gateway_that_doubles_or_cuts_is_seen_at_the_other_side() {
    for (tampering, copies, length) in
        [(Tampering::Duplicates, 2, None), (Tampering::Truncates(60), 1, Some(60))]
    {
        let mut b = Bench::new(Nat::symmetric().tampering(tampering), Nat::symmetric());
        b.wire.bind(addr("10.0.0.1:5060"), Socket::Media(0, false));
        let text =
            "OPTIONS sip:x@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.1.2:4000;branch=z9hG4bK1\r\n\r\n";
        b.wire.send_from(ANN, addr(INSIDE), addr("10.0.0.1:5060"), Bytes::from(text), b.now);
        let log = b.run(100 * MS);
        assert_eq!(log.len(), copies);
        for (_, arrival) in log {
            let Arrival::Datagram { bytes, .. } = arrival else { panic!("{arrival:?}") };
            assert_eq!(bytes.len(), length.unwrap_or(text.len()));
        }
    }
}

#[test]
fn a_phone_behind_two_routers_moves_from_wi_fi_to_a_cell_and_is_registered_from_there() {
    let mut w = World::new("moves", "");
    let exchange = w.exchange("exchange", users(&["ann", "ben"]));
    let carrier = w.behind(Nat::cgn());
    let home = w.behind_in(carrier, Nat::linux_masquerade());
    let cell = w.behind(Nat::cgn());
    w.settle_in(home);
    let ann = w.phone("ann", Some(account("ann", w.ip(exchange))));
    w.settle_in(NetworkId::INTERNET);
    let ben = w.phone("ben", Some(account("ben", w.ip(exchange))));
    w.run_until_registered(&[ann, ben]);
    assert_eq!(
        (w.ip(ann), w.router(home).outside().len(), w.router(carrier).outside().len()),
        (addr(INSIDE).ip(), 1, 4)
    );
    let ip = w.free_ip(cell);
    w.join(ann, cell, ip);
    w.leave(ann, home);
    assert_eq!((w.ip(ann), ip.to_string().as_str()), (ip, "100.64.0.2"));
    w.run_for(Duration::from_secs(10));
    w.call(ben, "ann");
    w.run_until_state(ann, phone::CallState::Ringing);
    let before = w.router(cell).outside().to_vec();
    w.rebind_router(cell);
    assert!(before.iter().all(|ip| !w.router(cell).outside().contains(ip)));
}
