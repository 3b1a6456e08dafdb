//! The wire over loopback: real sockets, no waiting for protocol time.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use base::{FlowId, NetworkId, QueryId, Transport};
use bytes::Bytes;
use sip::locate::{Answer, Question, Record};
use sip::order::Order;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use crate::{Limits, NameServers, Net, NetEvent};

const OPTIONS: &[u8] = b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n";

fn net() -> Net {
    with(Limits::default())
}

fn with(limits: Limits) -> Net {
    Net::new(limits, NameServers::These(Vec::new()))
}

fn any_v4() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

fn send(flow: FlowId, to: SocketAddr, bytes: &'static [u8]) -> Order {
    Order::Send { flow, to, bytes: Bytes::from_static(bytes) }
}

/// The next news, with its bytes copied out; a test that waits five seconds has failed.
async fn next(net: &mut Net) -> (NetEvent<'static>, Vec<u8>) {
    let news = tokio::time::timeout(Duration::from_secs(5), net.next()).await.expect("news in time");
    match news {
        NetEvent::Bytes { flow, from, bytes } => (NetEvent::Bytes { flow, from, bytes: b"" }, bytes.to_vec()),
        NetEvent::FlowUp { network, flow, transport, local, remote } => {
            (NetEvent::FlowUp { network, flow, transport, local, remote }, Vec::new())
        }
        NetEvent::FlowDown { flow } => (NetEvent::FlowDown { flow }, Vec::new()),
        NetEvent::FlowFailed { network, transport, remote } => {
            (NetEvent::FlowFailed { network, transport, remote }, Vec::new())
        }
        NetEvent::Untrusted { name, why, certificate } => {
            (NetEvent::Untrusted { name, why, certificate }, Vec::new())
        }
        NetEvent::Resolved { query, answer } => (NetEvent::Resolved { query, answer }, Vec::new()),
    }
}

async fn up(net: &mut Net) -> (FlowId, SocketAddr, Option<SocketAddr>) {
    match next(net).await {
        (NetEvent::FlowUp { flow, local, remote, .. }, _) => (flow, local, remote),
        (other, _) => panic!("{other:?} where a flow should come up"),
    }
}

async fn bytes(net: &mut Net) -> (FlowId, SocketAddr, Vec<u8>) {
    match next(net).await {
        (NetEvent::Bytes { flow, from, .. }, bytes) => (flow, from, bytes),
        (other, _) => panic!("{other:?} where bytes should come"),
    }
}

#[tokio::test]
async fn a_datagram_goes_and_its_answer_comes_back_on_the_same_flow() {
    for ip in [Ipv4Addr::LOCALHOST.into(), std::net::IpAddr::from(Ipv6Addr::LOCALHOST)] {
        let (mut ann, mut bob) = (net(), net());
        let ann_at = ann.listen(Transport::Udp, (ip, 0).into()).unwrap();
        let bob_at = bob.listen(Transport::Udp, (ip, 0).into()).unwrap();
        let (ann_flow, ..) = up(&mut ann).await;
        ann.execute(send(ann_flow, bob_at, OPTIONS));
        assert_eq!(up(&mut bob).await, (FlowId(1), bob_at, None));
        let (flow, from, heard) = bytes(&mut bob).await;
        assert_eq!((from, heard.as_slice()), (ann_at, OPTIONS));
        bob.execute(send(flow, from, b"SIP/2.0 200 OK\r\n\r\n"));
        assert_eq!(bytes(&mut ann).await.1, bob_at);
    }
}

#[tokio::test]
async fn opening_a_udp_flow_tells_the_socket_and_the_address_that_the_remote_sees() {
    let mut ann = net();
    let port = ann.listen(Transport::Udp, (Ipv4Addr::UNSPECIFIED, 0).into()).unwrap().port();
    let (flow, local, remote) = up(&mut ann).await;
    assert!(!local.ip().is_unspecified() && remote.is_none());
    let there: SocketAddr = "127.0.0.9:5060".parse().unwrap();
    ann.execute(Order::OpenFlow {
        network: NetworkId::SYSTEM,
        transport: Transport::Udp,
        remote: there,
        name: None,
    });
    assert_eq!(up(&mut ann).await, (flow, (Ipv4Addr::LOCALHOST, port).into(), Some(there)));
    let v6 = "[::1]:5060".parse().unwrap();
    ann.execute(Order::OpenFlow {
        network: NetworkId::SYSTEM,
        transport: Transport::Udp,
        remote: v6,
        name: None,
    });
    let (failed, _) = next(&mut ann).await;
    assert!(
        matches!(failed, NetEvent::FlowFailed { remote, .. } if remote == v6),
        "no IPv6 socket: {failed:?}"
    );
}

#[tokio::test]
async fn datagrams_leave_from_one_further_port_where_that_is_ordered_and_both_are_heard() {
    let (mut ann, mut bob) = (net(), net());
    let usual_at = ann.listen(Transport::Udp, any_v4()).unwrap();
    let bob_at = bob.listen(Transport::Udp, any_v4()).unwrap();
    let ((usual, ..), (bob_flow, ..)) = (up(&mut ann).await, up(&mut bob).await);
    let network = NetworkId::SYSTEM;
    let asked = || Order::OpenFlow { network, transport: Transport::Udp, remote: bob_at, name: None };
    let mut seen = Vec::new();
    for further in [true, false, true] {
        ann.execute(Order::SwitchPort { network, further });
        if seen.is_empty() {
            assert!(up(&mut ann).await.2.is_none(), "the further one is told of");
        }
        ann.execute(asked());
        let (flow, local, _) = up(&mut ann).await;
        assert_eq!((flow == usual, local == usual_at), (!further, !further));
        seen.push((flow, local));
    }
    assert_eq!(seen[0], seen[2], "one is enough");
    for (flow, local) in seen {
        bob.execute(send(bob_flow, local, OPTIONS));
        assert_eq!(bytes(&mut ann).await.0, flow);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_datagram_to_a_closed_port_comes_back_as_a_failure_of_that_remote_only() {
    let mut ann = net();
    ann.listen(Transport::Udp, any_v4()).unwrap();
    let (flow, ..) = up(&mut ann).await;
    let bob = UdpSocket::bind(any_v4()).await.unwrap();
    let closed = UdpSocket::bind(any_v4()).await.unwrap().local_addr().unwrap();
    ann.execute(send(flow, closed, OPTIONS));
    ann.execute(send(flow, bob.local_addr().unwrap(), OPTIONS));
    let (failed, _) = next(&mut ann).await;
    assert!(matches!(failed, NetEvent::FlowFailed { remote, .. } if remote == closed), "{failed:?}");
    assert_eq!(bob.recv(&mut [0; 100]).await.unwrap(), OPTIONS.len(), "the other remote is still reached");
    assert_eq!((ann.counters().unreachable, ann.counters().unsent), (1, 0));
}

#[tokio::test]
async fn a_stream_is_opened_carries_both_ways_and_its_end_is_told() {
    let (mut ann, mut bob) = (net(), net());
    let bob_at = bob.listen(Transport::Tcp, any_v4()).unwrap();
    ann.execute(Order::OpenFlow {
        network: NetworkId::SYSTEM,
        transport: Transport::Tcp,
        remote: bob_at,
        name: None,
    });
    ann.execute(Order::OpenFlow {
        network: NetworkId::SYSTEM,
        transport: Transport::Tcp,
        remote: bob_at,
        name: None,
    });
    let (to_bob, ann_at, remote) = up(&mut ann).await;
    assert_eq!(remote, Some(bob_at));
    ann.execute(send(to_bob, bob_at, OPTIONS));
    let (to_ann, _, remote) = up(&mut bob).await;
    assert_eq!(remote, Some(ann_at));
    assert_eq!(bytes(&mut bob).await, (to_ann, ann_at, OPTIONS.to_vec()));
    bob.execute(send(to_ann, ann_at, b"SIP/2.0 200 OK\r\n\r\n"));
    bob.execute(Order::CloseFlow { flow: to_ann });
    assert_eq!(bytes(&mut ann).await.0, to_bob, "what was sent before closing still arrives");
    for (net, flow) in [(&mut ann, to_bob), (&mut bob, to_ann)] {
        let (down, _) = next(net).await;
        assert!(matches!(down, NetEvent::FlowDown { flow: f } if f == flow), "{down:?}");
    }
}

#[tokio::test]
async fn a_refused_connection_and_a_transport_not_built_are_failures() {
    let mut ann = net();
    let closed = TcpListener::bind(any_v4()).await.unwrap().local_addr().unwrap();
    for transport in [Transport::Tcp, Transport::Tls, Transport::Wss] {
        ann.execute(Order::OpenFlow { network: NetworkId::SYSTEM, transport, remote: closed, name: None });
        let (failed, _) = next(&mut ann).await;
        assert!(matches!(failed, NetEvent::FlowFailed { transport: t, .. } if t == transport), "{failed:?}");
    }
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let (mut ann, mut bob) = (net(), net());
    for transport in [Transport::Udp, Transport::Tcp] {
        let taken = ann.listen(transport, any_v4()).unwrap();
        let told = bob.listen(transport, taken).unwrap_err().to_string();
        let says = format!("port {} ({transport} on {taken}) is already in use", taken.port());
        assert_eq!(told, says);
    }
    let not_ours = bob.listen(Transport::Udp, "198.51.100.1:5060".parse().unwrap()).unwrap_err();
    assert_eq!(not_ours.to_string(), "198.51.100.1 is not an address of this machine (udp port 5060)");
}

#[tokio::test]
async fn what_no_longer_listens_gives_its_port_back_and_keeps_its_streams() {
    let mut bob = net();
    let bob_at = bob.listen(Transport::Tcp, any_v4()).unwrap();
    bob.listen(Transport::Udp, bob_at).unwrap();
    let (udp, ..) = up(&mut bob).await;
    let mut ann = TcpStream::connect(bob_at).await.unwrap();
    let (tcp, ..) = up(&mut bob).await;
    bob.unlisten(bob_at);
    assert!(matches!(next(&mut bob).await.0, NetEvent::FlowDown { flow } if flow == udp));
    UdpSocket::bind(bob_at).await.unwrap();
    ann.write_all(OPTIONS).await.unwrap();
    assert_eq!(bytes(&mut bob).await.0, tcp);
    assert!(TcpStream::connect(bob_at).await.is_err());
}

#[tokio::test]
async fn connections_beyond_the_limits_are_closed_unread_and_make_room_when_they_go() {
    let mut bob = with(Limits { per_address: 2, ..Limits::default() });
    let bob_at = bob.listen(Transport::Tcp, any_v4()).unwrap();
    let first = TcpStream::connect(bob_at).await.unwrap();
    let _second = TcpStream::connect(bob_at).await.unwrap();
    up(&mut bob).await;
    up(&mut bob).await;
    let mut third = TcpStream::connect(bob_at).await.unwrap();
    let mut room = [0];
    tokio::select! {
        end = third.read(&mut room) => assert!(matches!(end, Ok(0) | Err(_)), "closed unread"),
        news = bob.next() => panic!("{news:?} of a connection too many"),
    }
    assert_eq!(bob.counters().turned_away, 1);
    drop(first);
    assert!(matches!(next(&mut bob).await.0, NetEvent::FlowDown { .. }));
    let _fourth = TcpStream::connect(bob_at).await.unwrap();
    up(&mut bob).await;
}

#[tokio::test]
async fn a_connection_that_sends_nothing_worth_an_answer_is_closed_and_an_answered_one_stays() {
    let mut bob = net();
    let bob_at = bob.listen(Transport::Tcp, any_v4()).unwrap();
    let mut slow = TcpStream::connect(bob_at).await.unwrap();
    let (slow_flow, ..) = up(&mut bob).await;
    let good = TcpStream::connect(bob_at).await.unwrap();
    let (good_flow, ..) = up(&mut bob).await;
    slow.write_all(b"OPTIONS sip:").await.unwrap();
    bytes(&mut bob).await;
    bob.execute(send(good_flow, good.local_addr().unwrap(), b"\r\n"));
    // Nothing is on its way any more: the clock may run ahead.
    tokio::time::pause();
    let started = tokio::time::Instant::now();
    let down = bob.next().await;
    assert!(matches!(down, NetEvent::FlowDown { flow } if flow == slow_flow), "{down:?}");
    assert!(started.elapsed() < Duration::from_secs(36));
    assert_eq!(bob.counters().unanswered, 1);
    tokio::select! {
        news = bob.next() => panic!("{news:?} of a good connection"),
        () = tokio::time::sleep(Duration::from_mins(30)) => {}
    }
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_closed_when_too_much_waits_for_it() {
    let mut bob = net();
    let bob_at = bob.listen(Transport::Tcp, any_v4()).unwrap();
    let stuck = TcpStream::connect(bob_at).await.unwrap();
    let (flow, _, remote) = up(&mut bob).await;
    let big = Bytes::from(vec![b' '; 60_000]);
    for _ in 0..1000 {
        bob.execute(Order::Send { flow, to: remote.unwrap(), bytes: big.clone() });
        if bob.counters().clogged > 0 {
            break;
        }
    }
    assert!(matches!(next(&mut bob).await.0, NetEvent::FlowDown { flow: f } if f == flow));
    drop(stuck);
}

#[tokio::test]
async fn a_large_write_arrives_whole_through_the_queue() {
    let mut bob = with(Limits { write_queue: 64 << 20, ..Limits::default() });
    let bob_at = bob.listen(Transport::Tcp, any_v4()).unwrap();
    let mut ann = TcpStream::connect(bob_at).await.unwrap();
    let (flow, _, remote) = up(&mut bob).await;
    let message: Vec<u8> = (0..8 << 20).map(|n: u32| (n % 251) as u8).collect();
    let whole = Bytes::from(message.clone());
    for at in (0..whole.len()).step_by(60_000) {
        let bytes = whole.slice(at..whole.len().min(at + 60_000));
        bob.execute(Order::Send { flow, to: remote.unwrap(), bytes });
    }
    let mut heard = vec![0; message.len()];
    tokio::select! {
        read = ann.read_exact(&mut heard) => { read.unwrap(); }
        news = bob.next() => panic!("{news:?} while writing"),
    }
    assert!(heard == message, "in order and whole");
}

/// A name server of one zone: answers what it knows, refuses the rest with the code it is given.
async fn name_server(zone: Vec<(&'static str, u16, Vec<u8>)>, else_code: u8) -> SocketAddr {
    let socket = UdpSocket::bind(any_v4()).await.unwrap();
    let at = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut room = [0; 512];
        while let Ok((len, from)) = socket.recv_from(&mut room).await {
            let question = &room[12..len];
            let end = question.iter().position(|b| *b == 0).unwrap();
            let kind = u16::from_be_bytes([question[end + 1], question[end + 2]]);
            let name = question[..=end].to_ascii_lowercase();
            let found: Vec<_> = zone.iter().filter(|(n, k, _)| wire(n) == name && *k == kind).collect();
            let code = if found.is_empty() { else_code } else { 0 };
            let mut out = vec![room[0], room[1], 0x84, code, 0, 1, 0, found.len() as u8, 0, 0, 0, 0];
            out.extend_from_slice(&question[..end + 5]);
            for (_, kind, data) in found {
                out.extend_from_slice(&[0xc0, 12]);
                out.extend_from_slice(&kind.to_be_bytes());
                out.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
                out.extend_from_slice(&(data.len() as u16).to_be_bytes());
                out.extend_from_slice(data);
            }
            socket.send_to(&out, from).await.unwrap();
        }
    });
    at
}

/// A name as labels, RFC 1035 section 3.1.
fn wire(name: &str) -> Vec<u8> {
    let labels = name.split('.').flat_map(|l| std::iter::once(l.len() as u8).chain(l.bytes()));
    labels.chain([0]).collect()
}

async fn resolve(net: &mut Net, question: Question) -> Answer {
    net.execute(Order::Resolve { network: NetworkId::SYSTEM, query: QueryId(7), question });
    match next(net).await {
        (NetEvent::Resolved { query: QueryId(7), answer }, _) => answer,
        (other, _) => panic!("{other:?} where an answer should come"),
    }
}

#[tokio::test]
async fn names_are_looked_up_by_all_four_kinds_of_question() {
    let naptr = [&[0, 10, 0, 20, 1, b's', 7][..], b"SIP+D2U", &[0], &wire("_sip._udp.offhook.test")].concat();
    let srv = [&[0, 1, 0, 2, 0x13, 0xc4][..], &wire("sip1.offhook.test")].concat();
    let zone = vec![
        ("offhook.test", 35, naptr),
        ("_sip._udp.offhook.test", 33, srv),
        ("sip1.offhook.test", 1, vec![127, 0, 0, 5]),
        ("sip1.offhook.test", 28, Ipv6Addr::LOCALHOST.octets().to_vec()),
    ];
    let server = name_server(zone, 3).await;
    let mut net = Net::new(Limits::default(), NameServers::These(vec![server]));
    let naptr = Record::Naptr {
        order: 10,
        preference: 20,
        flags: "s".into(),
        service: "SIP+D2U".into(),
        regexp: String::new(),
        replacement: "_sip._udp.offhook.test".into(),
    };
    let srv = Record::Srv { priority: 1, weight: 2, port: 5060, target: "sip1.offhook.test".into() };
    for (question, record) in [
        (Question::Naptr("offhook.test".into()), naptr),
        (Question::Srv("_sip._udp.offhook.test".into()), srv),
        (Question::A("sip1.offhook.test".into()), Record::A(Ipv4Addr::new(127, 0, 0, 5))),
        (Question::Aaaa("sip1.offhook.test".into()), Record::Aaaa(Ipv6Addr::LOCALHOST)),
    ] {
        assert_eq!(resolve(&mut net, question).await, Answer::Records(vec![record]));
    }
    assert_eq!(resolve(&mut net, Question::A("nobody.offhook.test".into())).await, Answer::NotFound);
}

#[tokio::test]
async fn a_name_server_that_fails_is_not_a_name_that_is_missing() {
    let server = name_server(Vec::new(), 2).await;
    let mut net = Net::new(Limits::default(), NameServers::These(vec![server]));
    assert_eq!(resolve(&mut net, Question::A("offhook.test".into())).await, Answer::Failed);
    assert_eq!(resolve(&mut net, Question::A("..".into())).await, Answer::Failed, "not a name");
}

#[tokio::test]
async fn the_hosts_file_is_read_before_a_server_is_asked() {
    let mut net = net();
    let local = resolve(&mut net, Question::A("localhost".into())).await;
    assert_eq!(local, Answer::Records(vec![Record::A(Ipv4Addr::LOCALHOST)]));
}

#[tokio::test]
async fn each_network_has_sockets_of_its_own_and_takes_them_along_when_it_goes() {
    let (wifi, mobile) = (NetworkId::new(1), NetworkId::new(2));
    let server = TcpListener::bind(any_v4()).await.unwrap();
    let remote = server.local_addr().unwrap();
    let mut net = net();
    for (network, last) in [(wifi, 2), (mobile, 3)] {
        net.join(network, &[[127, 0, 0, last].into()], NameServers::System);
        let (_, local, _) = up(&mut net).await;
        assert_eq!(local.ip(), Ipv4Addr::new(127, 0, 0, last));
    }
    for (network, last) in [(wifi, 2), (mobile, 3)] {
        for transport in [Transport::Udp, Transport::Tcp] {
            net.execute(Order::OpenFlow { network, transport, remote, name: None });
            let (NetEvent::FlowUp { network: told, local, .. }, _) = next(&mut net).await else {
                panic!("no flow by {network:?}")
            };
            assert_eq!((told, local.ip()), (network, Ipv4Addr::new(127, 0, 0, last).into()));
        }
    }
    net.leave(wifi);
    for _ in 0..2 {
        let (gone, _) = next(&mut net).await;
        assert!(matches!(gone, NetEvent::FlowDown { .. }), "{gone:?}");
    }
    for (network, there) in [(wifi, false), (mobile, true), (NetworkId::SYSTEM, false)] {
        net.execute(Order::OpenFlow { network, transport: Transport::Udp, remote, name: None });
        let (news, _) = next(&mut net).await;
        assert_eq!(matches!(news, NetEvent::FlowUp { .. }), there, "{news:?}");
    }
}

#[tokio::test]
async fn a_network_that_has_another_address_has_another_socket() {
    let network = NetworkId::new(1);
    let mut net = net();
    net.join(network, &[[127, 0, 0, 2].into()], NameServers::System);
    let (first, ..) = up(&mut net).await;
    net.join(network, &[[127, 0, 0, 2].into(), [127, 0, 0, 4].into()], NameServers::System);
    assert!(net.try_next().is_none(), "it has the old one still");
    net.join(network, &[[127, 0, 0, 3].into()], NameServers::System);
    let (gone, _) = next(&mut net).await;
    assert!(matches!(gone, NetEvent::FlowDown { flow } if flow == first), "{gone:?}");
    assert_eq!(up(&mut net).await.1.ip(), Ipv4Addr::new(127, 0, 0, 3));
}

#[tokio::test]
async fn a_lane_has_a_socket_of_its_own_and_nothing_but_datagrams() {
    let network = NetworkId::new(1);
    let lane = network.apart(7);
    let remote = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
    let mut net = net();
    let order = |network, transport| Order::OpenFlow { network, transport, remote, name: None };
    net.execute(order(lane, Transport::Udp));
    let (news, _) = next(&mut net).await;
    assert!(
        matches!(news, NetEvent::FlowFailed { network, .. } if network == lane),
        "no network, no lane: {news:?}"
    );
    net.join(network, &[[127, 0, 0, 2].into()], NameServers::System);
    let (plain, local, _) = up(&mut net).await;
    net.execute(order(lane, Transport::Udp));
    let (own, at, _) = up(&mut net).await;
    assert!(own != plain && at.ip() == local.ip() && at.port() != local.port(), "{at}");
    for _ in 0..2 {
        // It is the same one each time, and others have the other.
        let (again, _, to) = up_or_asked(&mut net, order(lane, Transport::Udp)).await;
        assert_eq!((again, to), (own, Some(remote)));
    }
    let (others, ..) = up_or_asked(&mut net, order(network, Transport::Udp)).await;
    assert_eq!(others, plain);
    for transport in [Transport::Tcp, Transport::Tls] {
        net.execute(order(lane, transport));
        let (news, _) = next(&mut net).await;
        assert!(matches!(news, NetEvent::FlowFailed { .. }), "{news:?}");
    }
    net.leave(network);
    for _ in 0..2 {
        let (gone, _) = next(&mut net).await;
        assert!(matches!(gone, NetEvent::FlowDown { .. }), "{gone:?}");
    }
}

/// The flow that an order brings about: told again as the answer, where it is new.
async fn up_or_asked(net: &mut Net, order: Order) -> (FlowId, SocketAddr, Option<SocketAddr>) {
    while net.try_next().is_some() {}
    net.execute(order);
    up(net).await
}
