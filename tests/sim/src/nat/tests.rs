//! One router at a time: what comes of each packet. The world's tests stand in `tests/sim/nat.rs`.

use super::*;
use std::time::Duration;

const ANN: &str = "192.168.1.2:4000";
const BEN: &str = "192.168.1.3:4000";
const S: &str = "10.0.0.1:3478";

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn at(seconds: u64) -> Instant {
    Instant::from_millis(seconds * 1000)
}

fn router(nat: Nat) -> NatBox {
    let pool = (1..=nat.pool).map(|n| IpAddr::from([203, 0, 113, n])).collect();
    let mut router = NatBox::new(nat, pool, Rng::from_number(1));
    router.attach(addr(ANN).ip());
    router.attach(addr(BEN).ip());
    router
}

fn parcel(kind: Kind, from: &str, to: &str) -> Parcel {
    Parcel { kind, from: addr(from), to: addr(to), bytes: Bytes::from_static(b"x") }
}

/// As whom a packet leaves.
fn leaves(router: &mut NatBox, kind: Kind, from: &str, to: &str, now: Instant) -> Option<SocketAddr> {
    match router.outbound(parcel(kind, from, to), now) {
        Verdict::Outside(parcels) => Some(parcels[0].from),
        Verdict::Inside(_) | Verdict::Dropped(_) => None,
    }
}

/// Whom a packet from outside reaches.
fn enters(router: &mut NatBox, kind: Kind, from: &str, to: SocketAddr, now: Instant) -> Option<SocketAddr> {
    match router.inbound(parcel(kind, from, &to.to_string()), now) {
        Verdict::Inside(parcels) => Some(parcels[0].to),
        Verdict::Outside(_) | Verdict::Dropped(_) => None,
    }
}

#[test]
fn mapping_and_filtering_depend_on_what_they_are_said_to_in_all_nine_pairs() {
    use Dependence::*;
    // Two ports of one host, and another host.
    let (same, port, host) = ("10.0.0.1:1", "10.0.0.1:2", "10.0.0.2:1");
    for kind in [Kind::Udp, Kind::Syn] {
        for mapping in [Independent, Address, AddressAndPort] {
            for filtering in [Independent, Address, AddressAndPort] {
                let nat = Nat { mapping, filtering, ..Nat::symmetric() };
                let mut r = router(nat);
                let first = leaves(&mut r, kind, ANN, same, at(0)).unwrap();
                let let_in =
                    [same, port, host].map(|from| enters(&mut r, kind, from, first, at(1)).is_some());
                let want = match filtering {
                    Independent => [true, true, true],
                    Address => [true, true, false],
                    AddressAndPort => [true, false, false],
                };
                assert_eq!(let_in, want, "{kind:?} {mapping:?} {filtering:?}");
                let mut r = router(nat);
                let first = leaves(&mut r, kind, ANN, same, at(0));
                let kept = [same, port, host].map(|to| leaves(&mut r, kind, ANN, to, at(1)) == first);
                let want = match mapping {
                    Independent => [true, true, true],
                    Address => [true, true, false],
                    AddressAndPort => [true, false, false],
                };
                assert_eq!(kept, want, "{kind:?} {mapping:?} {filtering:?}");
            }
        }
    }
}

#[test]
fn a_preserved_port_goes_to_the_first_and_the_second_gets_another() {
    let mut r = router(Nat::port_restricted());
    assert_eq!(leaves(&mut r, Kind::Udp, ANN, S, at(0)), Some(addr("203.0.113.1:4000")));
    let other = leaves(&mut r, Kind::Udp, BEN, S, at(0)).unwrap();
    assert_ne!(other.port(), 4000);
    assert_eq!(enters(&mut r, Kind::Udp, S, other, at(1)), Some(addr(BEN)));
    assert_eq!(enters(&mut r, Kind::Udp, S, addr("203.0.113.1:4000"), at(1)), Some(addr(ANN)));
}

#[test]
fn netfilter_shares_a_port_between_destinations_and_draws_one_where_they_collide() {
    let mut r = router(Nat::linux_masquerade());
    let kept = Some(addr("203.0.113.1:4000"));
    assert_eq!(leaves(&mut r, Kind::Udp, ANN, S, at(0)), kept);
    assert_eq!(leaves(&mut r, Kind::Udp, ANN, "10.0.0.2:1", at(0)), kept, "as if independent");
    assert_eq!(leaves(&mut r, Kind::Udp, BEN, "10.0.0.3:1", at(0)), kept, "shared");
    assert_ne!(leaves(&mut r, Kind::Udp, BEN, S, at(0)), kept, "a collision");
    let face = addr("203.0.113.1:4000");
    let reached = [S, "10.0.0.2:1", "10.0.0.3:1"].map(|from| enters(&mut r, Kind::Udp, from, face, at(1)));
    assert_eq!(reached, [Some(addr(ANN)), Some(addr(ANN)), Some(addr(BEN))]);
}

#[test]
fn netfilter_without_a_firewall_gives_the_port_to_whoever_knocks_first() {
    for (nat, keeps) in [(Nat::linux_masquerade(), true), (Nat::linux_open(), false)] {
        let mut r = router(nat);
        let face = addr("203.0.113.1:4000");
        assert_eq!(enters(&mut r, Kind::Udp, S, face, at(0)), None);
        assert_eq!(leaves(&mut r, Kind::Udp, ANN, S, at(1)) == Some(face), keeps);
        assert_eq!(leaves(&mut r, Kind::Udp, BEN, S, at(200)), Some(face), "forgotten");
    }
}

#[test]
fn a_pool_pairs_hosts_with_addresses_or_draws_one_each_time() {
    let faces = |pooling| {
        let mut r = router(Nat { pooling, ..Nat::cgn() });
        let mut faces: Vec<IpAddr> = (1..=20)
            .filter_map(|port| leaves(&mut r, Kind::Udp, &format!("100.64.0.2:{port}"), S, at(0)))
            .map(|face| face.ip())
            .collect();
        faces.sort_unstable();
        faces.dedup();
        faces.len()
    };
    assert_eq!((faces(Pooling::Paired), faces(Pooling::Arbitrary)), (1, 4));
}

#[test]
fn one_to_one_lets_the_world_call_a_host_that_never_spoke_and_has_no_address_for_a_fifth() {
    let mut r = router(Nat::static_one_to_one());
    assert_eq!(enters(&mut r, Kind::Udp, S, addr("203.0.113.2:5060"), at(0)), Some(addr("192.168.1.3:5060")));
    assert_eq!(leaves(&mut r, Kind::Udp, ANN, S, at(0)), Some(addr("203.0.113.1:4000")));
    for n in 4..=6 {
        r.attach(IpAddr::from([192, 168, 1, n]));
    }
    assert_eq!(leaves(&mut r, Kind::Udp, "192.168.1.6:1", S, at(0)), None);
    assert_eq!(r.dropped(Why::Exhausted), 1);
}

#[test]
fn a_mapping_lasts_two_minutes_after_the_last_word_from_inside_and_from_outside_only_where_that_counts() {
    for inbound_refreshes in [false, true] {
        let mut r = router(Nat { inbound_refreshes, ..Nat::symmetric() });
        let face = leaves(&mut r, Kind::Udp, ANN, S, at(0)).unwrap();
        assert_eq!(leaves(&mut r, Kind::Udp, ANN, S, at(100)), Some(face));
        assert!(enters(&mut r, Kind::Udp, S, face, at(219)).is_some());
        assert_eq!(enters(&mut r, Kind::Udp, S, face, at(221)).is_some(), inbound_refreshes);
        assert_eq!(r.mappings(at(400)), 0);
    }
}

#[test]
fn a_permission_lasts_as_long_as_the_talk_with_that_endpoint_though_the_mapping_lives_on() {
    let mut r = router(Nat::port_restricted());
    let face = leaves(&mut r, Kind::Udp, ANN, "10.0.0.2:1", at(0)).unwrap();
    leaves(&mut r, Kind::Udp, ANN, S, at(100));
    assert!(enters(&mut r, Kind::Udp, "10.0.0.2:1", face, at(110)).is_some());
    assert!(enters(&mut r, Kind::Udp, "10.0.0.2:1", face, at(130)).is_none());
}

#[test]
fn an_open_connection_is_kept_two_hours_and_one_that_never_opened_four_minutes() {
    let mut r = router(Nat::port_restricted());
    let face = leaves(&mut r, Kind::Syn, ANN, S, at(0)).unwrap();
    assert!(enters(&mut r, Kind::SynAck, S, face, at(239)).is_some());
    assert!(leaves(&mut r, Kind::Data, ANN, S, at(240)).is_some());
    assert!(enters(&mut r, Kind::Data, S, face, at(7600)).is_some());
    assert!(leaves(&mut r, Kind::Data, ANN, S, at(16_000)).is_none(), "and does not come back by itself");
    leaves(&mut r, Kind::Syn, ANN, S, at(20_000)).unwrap();
    assert!(enters(&mut r, Kind::SynAck, S, face, at(20_240)).is_none());
}

#[test]
fn a_reset_ends_a_connection_at_once_and_an_icmp_error_does_not() {
    let mut r = router(Nat::port_restricted());
    let face = leaves(&mut r, Kind::Syn, ANN, S, at(0)).unwrap();
    assert!(enters(&mut r, Kind::Unreachable, S, face, at(1)).is_some());
    assert!(enters(&mut r, Kind::Reset, S, face, at(1)).is_some());
    assert!(enters(&mut r, Kind::Syn, S, face, at(1)).is_none());
}

#[test]
fn a_syn_may_cross_another_where_that_is_allowed() {
    for crossing_syns in [true, false] {
        let mut r = router(Nat { crossing_syns, ..Nat::port_restricted() });
        let face = leaves(&mut r, Kind::Syn, ANN, S, at(0)).unwrap();
        assert_eq!(enters(&mut r, Kind::Syn, S, face, at(1)).is_some(), crossing_syns);
    }
}

#[test]
fn an_unsolicited_syn_is_dropped_or_reset_or_told_after_six_seconds_unless_a_syn_went_out() {
    let knock = |nat: Nat| {
        let mut r = router(nat);
        let verdict = r.inbound(parcel(Kind::Syn, S, "203.0.113.1:4000"), at(0));
        (r, verdict)
    };
    let (_, verdict) = knock(Nat::port_restricted());
    assert_eq!(verdict, Verdict::Dropped(Why::Unsolicited));
    let (_, verdict) = knock(Nat::port_restricted().resetting());
    assert!(matches!(verdict, Verdict::Outside(p) if p[0].kind == Kind::Reset && p[0].to == addr(S)));
    let patient =
        Nat { unsolicited: Unsolicited::Unreachable(Duration::from_secs(6)), ..Nat::port_restricted() };
    let (mut r, _) = knock(patient);
    assert_eq!((r.next_due(), r.due(at(5))), (Some(at(6)), vec![]));
    assert_eq!(r.due(at(6))[0].kind, Kind::Unreachable);
    let (mut r, _) = knock(patient);
    leaves(&mut r, Kind::Syn, ANN, S, at(3));
    assert_eq!(r.next_due(), None);
}

#[test]
fn a_hairpin_arrives_from_the_inside_or_the_outside_or_not_at_all() {
    for (hairpin, from) in [
        (Hairpin::None, None),
        (Hairpin::InsideSource, Some(addr("192.168.1.2:4001"))),
        (Hairpin::OutsideSource, Some(addr("203.0.113.1:4001"))),
    ] {
        let mut r = router(Nat::full_cone().hairpinning(hairpin));
        let ben = leaves(&mut r, Kind::Udp, BEN, S, at(0)).unwrap();
        let got = match r.outbound(parcel(Kind::Udp, "192.168.1.2:4001", &ben.to_string()), at(1)) {
            Verdict::Inside(p) => Some((p[0].from, p[0].to)),
            Verdict::Outside(_) | Verdict::Dropped(_) => None,
        };
        assert_eq!(got, from.map(|from| (from, addr(BEN))));
    }
}

#[test]
fn a_firewall_lets_through_only_what_it_is_said_to() {
    let passes = |allows| {
        let mut r = router(Nat::port_restricted().allowing(allows));
        let tries = [(Kind::Udp, "10.0.0.1:443"), (Kind::Syn, "10.0.0.1:5060"), (Kind::Syn, "10.0.0.1:443")];
        tries.map(|(kind, to)| leaves(&mut r, kind, ANN, to, at(0)).is_some())
    };
    assert_eq!(passes(Allows::Everything), [true, true, true]);
    assert_eq!(passes(Allows::NoUdp), [false, true, true]);
    assert_eq!(passes(Allows::OnlyTcp443), [false, false, true]);
    let mut r = router(Nat::static_one_to_one().allowing(Allows::NoUdp));
    let [udp, syn] = [Kind::Udp, Kind::Syn].map(|kind| enters(&mut r, kind, S, addr("203.0.113.1:1"), at(0)));
    assert_eq!((udp, syn), (None, Some(addr("192.168.1.2:1"))));
}

#[test]
fn a_reboot_forgets_the_mappings_and_a_new_address_moves_them() {
    let mut r = router(Nat::symmetric());
    let face = leaves(&mut r, Kind::Udp, ANN, S, at(0)).unwrap();
    r.reboot();
    assert!(enters(&mut r, Kind::Udp, S, face, at(1)).is_none());
    r.rebind(vec![addr("203.0.113.77:0").ip()]);
    assert_eq!(leaves(&mut r, Kind::Udp, ANN, S, at(2)).unwrap().ip(), addr("203.0.113.77:0").ip());
}

#[test]
fn a_gateway_opens_the_way_for_the_media_that_it_has_written_into_the_sdp() {
    let mut r = router(Nat::symmetric().tampering(Tampering::Rewrites));
    let text = "INVITE sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.1.2:4000\r\nContent-Length: 0\r\n\r\n\
                c=IN IP4 192.168.1.2\r\nm=audio 7000 RTP/AVP 0\r\n";
    let mut invite = parcel(Kind::Udp, ANN, "10.0.0.1:5060");
    invite.bytes = Bytes::from(text);
    let Verdict::Outside(sent) = r.outbound(invite, at(0)) else { panic!("it leaves") };
    let sent = String::from_utf8(sent[0].bytes.to_vec()).unwrap();
    let port = sent.split("m=audio ").nth(1).unwrap().split(' ').next().unwrap();
    let face = addr(&format!("203.0.113.1:{port}"));
    assert_eq!(enters(&mut r, Kind::Udp, "10.9.9.9:1", face, at(1)), Some(addr("192.168.1.2:7000")));
    assert_eq!(leaves(&mut r, Kind::Udp, "192.168.1.2:7000", "10.9.9.9:1", at(1)), Some(face), "one way");
    let mut other = parcel(Kind::Udp, ANN, "10.0.0.1:5062");
    other.bytes = Bytes::from(text);
    assert!(matches!(r.outbound(other, at(0)), Verdict::Outside(p) if p[0].bytes == text), "another port");
}

#[test]
fn a_gateway_looks_into_streams_only_where_it_is_said_to() {
    let text = "OPTIONS sip:b@x SIP/2.0\r\nVia: SIP/2.0/TCP 192.168.1.2:4000\r\n\r\n";
    for tcp in [true, false] {
        let alg = Some(Alg { looks: Looks::AtServers, tampering: Tampering::Rewrites, tcp });
        let mut r = router(Nat { alg, ..Nat::port_restricted() });
        leaves(&mut r, Kind::Syn, ANN, "10.0.0.1:5060", at(0));
        let mut options = parcel(Kind::Data, ANN, "10.0.0.1:5060");
        options.bytes = Bytes::from(text);
        let Verdict::Outside(sent) = r.outbound(options, at(0)) else { panic!("it leaves") };
        assert_eq!(sent[0].bytes != text, tcp);
    }
}
