//! A server with two addresses, asked by the book and against it. RFC 8489, RFC 5780.

use nat::stun::TransactionId;

use super::*;

const FIRST: &str = "192.0.2.1:3478";
const OTHER: &str = "192.0.2.2:3479";

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn asker() -> SocketAddr {
    addr("198.51.100.7:40000")
}

fn request() -> Writer {
    Writer::request(Method::Binding, TransactionId([5; 12]))
}

fn one() -> StunServer {
    StunServer::new(addr(FIRST), None)
}

fn two() -> StunServer {
    StunServer::new(addr(FIRST), Some(addr(OTHER)))
}

fn ask(server: &mut StunServer, at: Origin, request: &[u8]) -> (Reply, Message) {
    let reply = server.datagram(at, asker(), request, Instant::ZERO).unwrap();
    let message = Message::read(&reply.bytes).unwrap();
    (reply, message)
}

#[test]
fn who_asks_is_told_the_address_they_are_seen_under() {
    let (reply, answer) = ask(&mut one(), Origin::default(), &request().unsigned());
    assert_eq!((reply.to, reply.from), (asker(), Origin::default()));
    assert_eq!((answer.class(), answer.id()), (Class::Success, TransactionId([5; 12])));
    assert_eq!(answer.hidden_address(attribute::XOR_MAPPED_ADDRESS), Some(asker()));
    assert_eq!(answer.plain_address(attribute::RESPONSE_ORIGIN), Some(addr(FIRST)));
    assert!(!answer.has(attribute::OTHER_ADDRESS) && !answer.has(attribute::FINGERPRINT));
}

/// RFC 5780 section 6.1, table 1, for each of the four addresses.
#[test]
fn the_answer_comes_from_where_it_was_asked_to_come_from() {
    let mut server = two();
    let hosts = ["192.0.2.1", "192.0.2.2"];
    let ports = [3478, 3479];
    for at in Origin::ALL {
        for flags in [0, 2, 4, 6] {
            let bytes = request().number(attribute::CHANGE_REQUEST, flags).unsigned();
            let (reply, answer) = ask(&mut server, at, &bytes);
            let host = usize::from(at.other_host) ^ usize::from(flags & 4 != 0);
            let port = usize::from(at.other_port) ^ usize::from(flags & 2 != 0);
            let source = addr(&format!("{}:{}", hosts[host], ports[port]));
            assert_eq!(server.address(reply.from), Some(source), "{at:?} {flags}");
            assert_eq!(answer.plain_address(attribute::RESPONSE_ORIGIN), Some(source));
            let other = format!(
                "{}:{}",
                hosts[1 - usize::from(at.other_host)],
                ports[1 - usize::from(at.other_port)]
            );
            assert_eq!(answer.plain_address(attribute::OTHER_ADDRESS), Some(addr(&other)));
            assert_eq!(answer.plain_address(attribute::MAPPED_ADDRESS), Some(asker()));
            assert_eq!(reply.to, asker());
        }
    }
}

fn refusal(server: &mut StunServer, request: &[u8]) -> (Option<u16>, Vec<u8>) {
    let (reply, answer) = ask(server, Origin::default(), request);
    assert_eq!((answer.class(), reply.from, reply.to), (Class::Error, Origin::default(), asker()));
    (answer.error(), answer.value(attribute::UNKNOWN_ATTRIBUTES).unwrap_or_default().to_vec())
}

#[test]
fn what_must_be_understood_and_is_not_is_answered_420_with_its_name() {
    let unknown = request().value(Attribute(0x7abc), b"?").value(Attribute(0xfabc), b"!").unsigned();
    assert_eq!(refusal(&mut one(), &unknown), (Some(420), vec![0x7a, 0xbc]));
    let padding = request().value(Attribute(0x0026), &[0; 600]).unsigned();
    assert_eq!(refusal(&mut two(), &padding), (Some(420), vec![0, 0x26]));
}

#[test]
fn a_change_of_address_is_420_without_a_second_address_and_on_a_stream() {
    let bytes = request().number(attribute::CHANGE_REQUEST, 6).unsigned();
    assert_eq!(refusal(&mut one(), &bytes), (Some(420), vec![0, 3]));
    let answer = two().stream_message(Origin::default(), asker(), &bytes, Instant::ZERO).unwrap();
    assert_eq!(Message::read(&answer).unwrap().error(), Some(420));
}

/// RFC 5780 section 7.5.
#[test]
fn the_answer_goes_to_another_port_of_the_same_host_when_asked() {
    let to_port = |value: &[u8]| request().value(attribute::RESPONSE_PORT, value).unsigned();
    for value in [&[0x12, 0x34][..], &[0x12, 0x34, 0, 0]] {
        let (reply, answer) = ask(&mut one(), Origin::default(), &to_port(value));
        assert_eq!(reply.to, SocketAddr::new(asker().ip(), 0x1234));
        assert_eq!(answer.mapped(), Some(asker()));
    }
    for value in [&[0, 0][..], &[1], &[1, 2, 3], &[0, 0, 1, 1]] {
        assert_eq!(refusal(&mut one(), &to_port(value)).0, Some(400), "{value:?}");
    }
}

#[test]
fn responses_indications_other_methods_and_noise_are_never_answered() {
    let mut server = two();
    let id = TransactionId([5; 12]);
    let messages = [
        Writer::new(Class::Success, Method::Binding, id).unsigned(),
        Writer::new(Class::Error, Method::Binding, id).unsigned(),
        Writer::new(Class::Indication, Method::Binding, id).unsigned(),
        Writer::request(Method::Allocate, id).unsigned(),
        Bytes::from_static(b"OPTIONS sip:x SIP/2.0\r\n\r\n"),
        Bytes::new(),
    ];
    for message in &messages {
        assert_eq!(server.datagram(Origin::default(), asker(), message, Instant::ZERO), None);
        assert_eq!(server.stream_message(Origin::default(), asker(), message, Instant::ZERO), None);
    }
    assert_eq!(server.counters().dropped, 2 * messages.len() as u64);
    // Its own answer, sent back to it.
    let (reply, _) = ask(&mut server, Origin::default(), &request().unsigned());
    assert_eq!(server.datagram(Origin::default(), addr(OTHER), &reply.bytes, Instant::ZERO), None);
}

#[test]
fn an_answer_is_at_most_four_times_as_long_as_its_request_over_ipv4() {
    for server in [&mut one(), &mut two()] {
        let bytes = request().unsigned();
        let (reply, _) = ask(server, Origin::default(), &bytes);
        assert!(reply.bytes.len() <= 4 * bytes.len(), "{}", reply.bytes.len());
    }
    let unknown = (0..40).fold(request(), |request, n| request.value(Attribute(0x7000 + n), b"")).unsigned();
    let (reply, _) = ask(&mut one(), Origin::default(), &unknown);
    assert!(reply.bytes.len() <= unknown.len());
}

#[test]
fn a_source_that_asks_too_often_waits_for_the_next_second_and_others_do_not() {
    let mut server = one();
    let bytes = request().unsigned();
    let mut answers = |from: &str, ms: u64, times: u32| {
        let now = Instant::from_millis(ms);
        (0..times).filter(|_| server.datagram(Origin::default(), addr(from), &bytes, now).is_some()).count()
    };
    assert_eq!(answers("198.51.100.7:1", 0, 2 * PER_SECOND), PER_SECOND as usize);
    assert_eq!(answers("198.51.100.7:2", 999, 1), 0);
    assert_eq!(answers("198.51.100.8:1", 999, 1), 1);
    assert_eq!(answers("198.51.100.7:1", 1000, 1), 1);
}

#[test]
fn any_number_of_sources_fills_no_memory() {
    let mut server = one();
    let bytes = request().unsigned();
    for n in 0..3 * MOST_SOURCES as u32 {
        let from = SocketAddr::new(IpAddr::V4(n.into()), 1);
        assert!(server.datagram(Origin::default(), from, &bytes, Instant::ZERO).is_some());
    }
    assert_eq!(server.sources.len(), MOST_SOURCES);
}

#[test]
fn who_sends_a_fingerprint_gets_one() {
    let (_, answer) = ask(&mut one(), Origin::default(), &request().fingerprinted());
    assert!(answer.has(attribute::FINGERPRINT));
}
