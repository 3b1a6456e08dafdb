//! WebSocket over loopback: real sockets, two of ours or a stranger at one end.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use base::{FlowId, NetworkId, Transport};
use bytes::Bytes;
use sip::order::Order;
use sip::websocket::frame::{Kind, write};
use sip::websocket::upgrade::Asked;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::{Limits, NameServers, Net, NetEvent};

/// Without Content-Length: here a message ends where it ends.
const OPTIONS: &[u8] = b"OPTIONS sip:a@b SIP/2.0\r\nMax-Forwards: 70\r\n\r\n";
const MASK: Option<[u8; 4]> = Some([1, 2, 3, 4]);

fn any() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

fn net(limits: Limits) -> Net {
    Net::new(limits, NameServers::These(Vec::new()))
}

fn server(limits: Limits) -> (Net, SocketAddr) {
    let mut bob = net(limits);
    let at = bob.listen(Transport::Ws, any()).unwrap();
    (bob, at)
}

fn open(ann: &mut Net, remote: SocketAddr) {
    let (network, transport, name) = (NetworkId::SYSTEM, Transport::Ws, Some("offhook.test".into()));
    ann.execute(Order::OpenFlow { network, transport, remote, name });
}

#[derive(Debug, PartialEq, Eq)]
enum Told {
    Up(FlowId, SocketAddr),
    Failed,
    Down,
    Bytes(Vec<u8>),
}

async fn next(net: &mut Net) -> Told {
    match tokio::time::timeout(Duration::from_secs(5), net.next()).await.expect("news in time") {
        NetEvent::FlowUp { flow, transport: Transport::Ws, remote: Some(remote), .. } => {
            Told::Up(flow, remote)
        }
        NetEvent::FlowFailed { .. } => Told::Failed,
        NetEvent::FlowDown { .. } => Told::Down,
        NetEvent::Bytes { bytes, .. } => Told::Bytes(bytes.to_vec()),
        other => panic!("{other:?}"),
    }
}

fn send(net: &mut Net, flow: FlowId, bytes: &[u8]) {
    let (to, bytes) = (any(), Bytes::copy_from_slice(bytes));
    net.execute(Order::Send { flow, to, bytes });
}

/// Two that are connected.
async fn pair() -> ((Net, FlowId), (Net, FlowId)) {
    let (mut bob, at) = server(Limits::default());
    let mut ann = net(Limits::default());
    open(&mut ann, at);
    match tokio::join!(next(&mut ann), next(&mut bob)) {
        (Told::Up(to_bob, _), Told::Up(to_ann, _)) => ((ann, to_bob), (bob, to_ann)),
        other => panic!("{other:?}"),
    }
}

/// A stranger who was let in, and what bob calls the connection.
async fn stranger(bob: &mut Net, at: SocketAddr) -> (TcpStream, FlowId) {
    let mut stranger = TcpStream::connect(at).await.unwrap();
    stranger.write_all(&Asked::write("offhook.test", "/", [7; 16]).1).await.unwrap();
    let Told::Up(flow, _) = next(bob).await else { panic!("not let in") };
    let mut answer = vec![0; 1024];
    let len = stranger.read(&mut answer).await.unwrap();
    assert!(answer[..len].starts_with(b"HTTP/1.1 101 "));
    (stranger, flow)
}

#[tokio::test]
async fn messages_go_both_ways_one_by_one_whatever_their_size() {
    let ((mut ann, to_bob), (mut bob, to_ann)) = pair().await;
    let largest = vec![0xff; 65_535];
    for message in [OPTIONS, &[b'a'; 125], &[b'a'; 126], &largest, b"\r\n"] {
        send(&mut ann, to_bob, message);
        let heard = tokio::select! {
            heard = next(&mut bob) => heard,
            told = ann.next() => panic!("{told:?}"),
        };
        assert_eq!(heard, Told::Bytes(message.to_vec()));
        send(&mut bob, to_ann, message);
        send(&mut bob, to_ann, OPTIONS);
        for expected in [message, OPTIONS] {
            let heard = tokio::select! {
                heard = next(&mut ann) => heard,
                told = bob.next() => panic!("{told:?}"),
            };
            assert_eq!(heard, Told::Bytes(expected.to_vec()));
        }
    }
    // A ping is answered below, and nobody is told of either.
    send(&mut ann, to_bob, b"\r\n\r\n");
    send(&mut ann, to_bob, OPTIONS);
    assert_eq!(next(&mut bob).await, Told::Bytes(OPTIONS.to_vec()));
    send(&mut bob, to_ann, OPTIONS);
    assert_eq!(next(&mut ann).await, Told::Bytes(OPTIONS.to_vec()));
    bob.execute(Order::CloseFlow { flow: to_ann });
    assert_eq!(next(&mut bob).await, Told::Down);
    assert_eq!(next(&mut ann).await, Told::Down);
}

#[tokio::test]
async fn the_server_is_asked_by_its_name_and_path_for_sip() {
    let listener = TcpListener::bind(any()).await.unwrap();
    let at = listener.local_addr().unwrap();
    let mut ann = net(Limits::default());
    ann.set_path("Offhook.test", "/sip/ws");
    open(&mut ann, at);
    let serve = async {
        let (mut tcp, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 1024];
        let len = tcp.read(&mut request).await.unwrap();
        let request = String::from_utf8_lossy(&request[..len]).into_owned();
        tcp.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        request
    };
    let (told, request) = tokio::join!(next(&mut ann), serve);
    assert_eq!(told, Told::Failed);
    let begins = format!("GET /sip/ws HTTP/1.1\r\nHost: offhook.test:{}\r\n", at.port());
    assert!(request.starts_with(&begins) && request.contains("Sec-WebSocket-Protocol: sip\r\n"), "{request}");
}

#[tokio::test]
async fn a_stranger_is_ponged_and_one_who_breaks_a_rule_is_told_which_and_dropped() {
    let (mut bob, at) = server(Limits::default());
    for (says, answer) in [
        (write(Kind::Text, b"unmasked", None), &[0x88, 2, 0x03, 0xea][..]),
        (vec![0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0], &[0x88, 2, 0x03, 0xf1]),
        (write(Kind::Close, &1001_u16.to_be_bytes(), MASK), &[0x88, 2, 0x03, 0xe9]),
    ] {
        let (mut stranger, _) = stranger(&mut bob, at).await;
        stranger.write_all(&write(Kind::Ping, b"there?", MASK)).await.unwrap();
        stranger.write_all(&says).await.unwrap();
        assert_eq!(next(&mut bob).await, Told::Down, "{says:02x?}");
        let mut heard = Vec::new();
        let _ = stranger.read_to_end(&mut heard).await;
        assert_eq!(heard, [&write(Kind::Pong, b"there?", None), answer].concat(), "{says:02x?}");
    }
}

#[tokio::test]
async fn who_pings_and_does_not_read_is_dropped() {
    let (mut bob, at) = server(Limits::default());
    let (stranger, _) = stranger(&mut bob, at).await;
    let (_unread, mut says) = stranger.into_split();
    let ping = write(Kind::Ping, &[0; 125], MASK);
    let flood = async {
        while says.write_all(&ping).await.is_ok() {}
        std::future::pending::<()>().await;
    };
    tokio::select! {
        told = next(&mut bob) => assert_eq!(told, Told::Down),
        () = flood => {}
    }
}

#[tokio::test]
async fn who_asks_for_no_websocket_or_takes_too_long_is_dropped_and_nobody_told() {
    let limits =
        Limits { handshake: Duration::from_millis(200), handshakes_per_address: 1, ..Limits::default() };
    let (mut bob, at) = server(limits);
    let endless = [b"GET / HTTP/1.1\r\nX: ".to_vec(), vec![b'x'; 9000]].concat();
    let chat = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n".to_vec();
    for (says, answer) in
        [(OPTIONS.to_vec(), "HTTP/1.1 400"), (chat, "HTTP/1.1 426"), (endless, ""), (vec![], "")]
    {
        let mut stranger = TcpStream::connect(at).await.unwrap();
        let talk = async {
            let _ = stranger.write_all(&says).await;
            let mut heard = Vec::new();
            let _ = stranger.read_to_end(&mut heard).await;
            heard
        };
        tokio::select! {
            heard = talk => assert!(heard.starts_with(answer.as_bytes()), "{heard:?}"),
            told = bob.next() => panic!("{told:?} of a stranger"),
        }
    }
    assert_eq!((bob.counters().unshaken, bob.counters().turned_away), (4, 0), "each made room for the next");
    // One who says nothing holds the only place; once in, a connection holds none.
    let _silent = TcpStream::connect(at).await.unwrap();
    let mut late = TcpStream::connect(at).await.unwrap();
    let mut room = [0];
    tokio::select! {
        end = late.read(&mut room) => assert!(matches!(end, Ok(0) | Err(_)), "closed unread"),
        told = bob.next() => panic!("{told:?}"),
    }
    assert_eq!(bob.counters().turned_away, 1);
    assert!(tokio::time::timeout(Duration::from_millis(300), bob.next()).await.is_err());
    let first = stranger(&mut bob, at).await;
    let second = stranger(&mut bob, at).await;
    drop((first, second));
}
