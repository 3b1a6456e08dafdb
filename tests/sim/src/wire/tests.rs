//! Streams and datagrams on the simulated wire, good and bad.

use super::*;

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Two nodes; B takes streams and datagrams at 10.0.0.2:5060.
fn two() -> Wire {
    let mut wire = Wire::new(Rng::from_number(1));
    wire.add_host(A, addr("10.0.0.1:0").ip());
    wire.add_host(B, addr("10.0.0.2:0").ip());
    wire.listen(addr("10.0.0.2:5060"));
    let flow = wire.flow();
    wire.bind(addr("10.0.0.2:5060"), Socket::Signalling(flow));
    wire
}

fn down(flow: FlowId) -> Arrival {
    Arrival::Down { flow, tag: Tag::Signalling }
}

fn all(wire: &mut Wire, until: Instant) -> Vec<(NodeId, Arrival)> {
    std::iter::from_fn(|| wire.pop_due(until)).collect()
}

fn connected(wire: &mut Wire) -> (FlowId, FlowId) {
    wire.connect(A, addr("10.0.0.2:5060"), Instant::ZERO);
    match &all(wire, Instant::from_millis(5000))[..] {
        [(B, Arrival::Up { flow: theirs, .. }), (A, Arrival::Up { flow: ours, .. })] => (*ours, *theirs),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_stream_brings_all_bytes_in_order_over_a_wild_link() {
    let mut wire = two();
    wire.set_default(Link { loss: 0.3, ..Link::wild() });
    let (ours, _) = connected(&mut wire);
    let sent: Vec<u8> = (0..200).collect();
    for (i, part) in sent.chunks(10).enumerate() {
        assert!(wire.send_stream(ours, Bytes::copy_from_slice(part), Instant::from_millis(5000 + i as u64)));
    }
    let mut got = Vec::new();
    for (_, arrival) in all(&mut wire, Instant::from_millis(900_000)) {
        if let Arrival::Chunk { bytes, .. } = arrival {
            got.extend_from_slice(&bytes);
        }
    }
    assert_eq!(got, sent);
}

#[test]
fn a_refused_connection_fails_after_a_round_trip() {
    let mut wire = two();
    wire.connect(A, addr("10.0.0.2:9"), Instant::ZERO);
    assert_eq!(wire.pop_due(Instant::from_millis(9)), None);
    assert!(matches!(
        all(&mut wire, Instant::from_millis(10))[..],
        [(A, Arrival::Failed { remote, reason: Reason::Refused, .. })] if remote == addr("10.0.0.2:9")
    ));
}

#[test]
fn a_cut_holds_a_stream_and_one_held_too_long_goes_down() {
    let mut wire = two();
    let (ours, theirs) = connected(&mut wire);
    wire.set_link(A, B, Link { cut: true, ..Link::default() });
    wire.send_stream(ours, Bytes::from_static(b"late"), Instant::from_millis(5000));
    assert_eq!(all(&mut wire, Instant::from_millis(20_000)), []);
    wire.set_link(A, B, Link::default());
    assert!(matches!(&all(&mut wire, Instant::from_millis(30_000))[..], [(B, Arrival::Chunk { .. })]));
    wire.set_link(A, B, Link { cut: true, ..Link::default() });
    wire.send_stream(ours, Bytes::from_static(b"never"), Instant::from_millis(30_000));
    assert_eq!(all(&mut wire, Instant::from_millis(300_000)), [(A, down(ours)), (B, down(theirs))]);
}

#[test]
fn what_a_cut_holds_is_not_overtaken_by_what_is_sent_after_it() {
    let mut wire = two();
    let (ours, _) = connected(&mut wire);
    for (at, cut) in [(5000, true), (5100, true), (5500, false), (7000, false)] {
        wire.set_link(A, B, Link { cut, ..Link::default() });
        wire.send_stream(ours, Bytes::from(format!("{at} ")), Instant::from_millis(at));
    }
    let heard: String = all(&mut wire, Instant::from_millis(9000))
        .into_iter()
        .map(|(_, arrival)| match arrival {
            Arrival::Chunk { bytes, .. } => String::from_utf8(bytes.to_vec()).unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(heard, "5000 5100 5500 7000 ");
}

#[test]
fn a_reset_stream_is_down_at_both_ends_and_what_was_on_its_way_is_lost() {
    let mut wire = two();
    let (ours, theirs) = connected(&mut wire);
    wire.send_stream(ours, Bytes::from_static(b"lost"), Instant::from_millis(5000));
    wire.reset(B, Instant::from_millis(5001));
    assert_eq!(all(&mut wire, Instant::from_millis(9000)), [(B, down(theirs)), (A, down(ours))]);
    assert_eq!((wire.held(A), wire.held(B)), ((0, 0), (0, 0)));
}

#[test]
fn a_killed_node_takes_its_streams_and_sockets_with_it() {
    let mut wire = two();
    let (ours, _) = connected(&mut wire);
    let to = addr("10.0.0.2:5060");
    assert_eq!(wire.send(addr("10.0.0.1:1"), to, Bytes::new(), Instant::from_millis(5000)), Fate::OnTheWay);
    wire.kill(B, Instant::from_millis(5001));
    assert_eq!(all(&mut wire, Instant::from_millis(9000)), [(A, down(ours))]);
    assert_eq!(wire.send(addr("10.0.0.1:1"), to, Bytes::new(), Instant::from_millis(9000)), Fate::NoOneThere);
    assert_eq!(wire.held(A), (0, 0));
}
