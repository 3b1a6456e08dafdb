//! RFC 3261 sections 16.4, 16.6 and 16.12, RFC 3327, RFC 5626 section 5.3: routes, flows and the ways back.

use base::{FlowId, Transport};
use sip::order::Order;

use super::*;

const TCP: FlowId = FlowId(20);
const ANN_TCP: &str = "192.0.2.11:40000";

fn connect(h: &mut House, flow: FlowId, remote: &str) {
    let (now, mut out) = (h.now, std::mem::take(&mut h.out));
    h.exchange.flow_up(flow, Transport::Tcp, addr(HERE), Some(addr(remote)), now, &mut out);
    h.out = out;
}

fn routes(sent: &Sent, reversed: bool) -> String {
    let mut values = sent.values(Name::RecordRoute);
    if reversed {
        values.reverse();
    }
    format!("Route: {}\r\n", values.join(", "))
}

/// RFC 5658 section 5.1: each side learns the transport that works on it, and the flow that leads to the other.
#[test]
fn a_call_between_tcp_and_udp_comes_back_by_the_right_carrier_on_both_sides() {
    let mut h = with_bob(&[(BOB, "<sip:1002@192.0.2.12>")]);
    connect(&mut h, TCP, ANN_TCP);
    let text = invite(&mut h).replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    let sent = h.bytes(TCP, ANN_TCP, &text);
    assert_eq!((sent[0].flow, sent[1].line()), (TCP, format!("INVITE sip:1002@192.0.2.12 -> {BOB}")));
    let recorded = sent[1].values(Name::RecordRoute);
    assert_eq!(recorded.len(), 2);
    assert!(!recorded[0].contains("transport=") && recorded[1].contains("transport=tcp"), "{recorded:?}");
    let ok = h.datagram(BOB, &reply(&sent[1], 200, "b", ""));
    assert_eq!(ok[0].flow, TCP);

    // Bob's BYE: his routes are in order, and Ann's contact cannot be dialled.
    let bye = within(&mut h, &text, "BYE sip:1001@192.0.2.11", BOB, &routes(&sent[1], false));
    let sent_bye = h.datagram(BOB, &bye);
    assert_eq!(
        (sent_bye[0].flow, sent_bye[0].line()),
        (TCP, format!("BYE sip:1001@192.0.2.11 -> {ANN_TCP}"))
    );
    // Ann's: reversed.
    let bye = within(&mut h, &text, "BYE sip:1002@192.0.2.12", ANN, &routes(&ok[0], true));
    let sent_bye = h.bytes(TCP, ANN_TCP, &bye.replace("SIP/2.0/UDP", "SIP/2.0/TCP"));
    assert_eq!((sent_bye[0].flow, sent_bye[0].line()), (UDP, format!("BYE sip:1002@192.0.2.12 -> {BOB}")));
}

/// RFC 3581 section 4, RFC 5626 section 5.3: both behind NATs, reached by where they send from.
#[test]
fn phones_behind_nats_are_reached_by_the_address_they_send_from() {
    let (ann, bob) = ("198.51.100.1:31000", "198.51.100.2:32000");
    let mut h = house(config());
    // As the phone writes it, with its inner address.
    let text = h.request(
        "REGISTER sip:offhook.test",
        "1002",
        "10.0.0.2:5060",
        "Contact: <sip:1002@10.0.0.2:5060>\r\n",
    );
    let text = text.replace("To: <sip:", "To: <sip:1002@");
    let again = h.answer_challenge(UDP, bob, "1002", "secret-1002", &text).replace(bob, "10.0.0.2:5060");
    assert_eq!(h.datagram(bob, &again)[0].message.status(), Some(200));

    let text = h.request(
        "INVITE sip:1002@offhook.test",
        "1001",
        "10.0.0.1:5060",
        "Contact: <sip:1001@10.0.0.1>\r\n",
    );
    let sent = h.datagram(ann, &text);
    assert_eq!(
        House::lines(&sent),
        [format!("100 -> {ann}"), format!("INVITE sip:1002@10.0.0.2:5060 -> {bob}")]
    );
    h.datagram(bob, &reply(&sent[1], 200, "b", ""));
    let bye = within(&mut h, &text, "BYE sip:1001@10.0.0.1", "10.0.0.2:5060", &routes(&sent[1], false));
    assert_eq!(h.datagram(bob, &bye)[0].line(), format!("BYE sip:1001@10.0.0.1 -> {ann}"));
    // Ann's NAT has given her another port meanwhile: her own token, now outdated, misleads nobody.
    let bye = within(&mut h, &text, "BYE sip:1002@10.0.0.2:5060", "10.0.0.1:5060", &routes(&sent[1], true));
    assert_eq!(
        h.datagram("198.51.100.1:31999", &bye)[0].line(),
        format!("BYE sip:1002@10.0.0.2:5060 -> {bob}")
    );
}

/// RFC 3261 sections 16.4 and 16.12.1.2: a strict router before us.
#[test]
fn a_strict_router_before_us_is_understood() {
    let mut h = with_bob(&[(BOB, "<sip:1002@192.0.2.12>")]);
    let text = invite(&mut h);
    let out = h.datagram(ANN, &text).remove(1);
    h.datagram(BOB, &reply(&out, 200, "b", ""));
    let own = out.value(Name::RecordRoute).trim_matches(['<', '>']).to_string();
    let bye = within(&mut h, &text, &format!("BYE {own}"), ANN, "Route: <sip:1002@192.0.2.12>\r\n");
    let sent = h.datagram(ANN, &bye);
    assert_eq!(sent[0].line(), format!("BYE sip:1002@192.0.2.12 -> {BOB}"));
    assert!(!sent[0].message.has(Name::Route));
}

/// RFC 3261 section 16.6 item 6: a strict router behind us.
#[test]
fn a_strict_router_behind_us_finds_itself_in_the_request_uri() {
    let mut h = house(config());
    let routes = "Route: <sip:192.0.2.1;lr>, <sip:192.0.2.13>, <sip:192.0.2.99;lr>\r\n";
    let text = h.request("MESSAGE sip:x@192.0.2.50", "1001", ANN, routes);
    let sent = h.datagram(ANN, &text);
    assert_eq!(sent[0].line(), format!("MESSAGE sip:192.0.2.13 -> {CEM}"));
    assert_eq!(sent[0].values(Name::Route), ["<sip:192.0.2.99;lr>", "<sip:x@192.0.2.50>"]);
}

/// RFC 3261 section 16.4: an maddr that means us is taken off.
#[test]
fn an_maddr_of_ours_has_done_its_work() {
    let mut h = with_bob(&[(BOB, "<sip:1002@192.0.2.12>")]);
    let text = h.request("MESSAGE sip:1002@offhook.test;maddr=192.0.2.1", "1001", ANN, "");
    assert_eq!(h.datagram(ANN, &text)[0].line(), format!("MESSAGE sip:1002@192.0.2.12 -> {BOB}"));
}

/// RFC 3327 section 5.4: the path first, then the request's own routes.
#[test]
fn a_registration_through_a_proxy_is_reached_through_it() {
    let mut h = house(config());
    let path = "Path: <sip:edge@192.0.2.13;lr>\r\nSupported: path\r\n";
    let ok = h.register("1002", CEM, "<sip:1002@10.0.0.2>", path);
    assert_eq!((ok.message.status(), ok.value(Name::Path)), (Some(200), "<sip:edge@192.0.2.13;lr>"));
    let text = invite(&mut h);
    let sent = h.datagram(ANN, &text);
    assert_eq!(sent[1].line(), format!("INVITE sip:1002@10.0.0.2 -> {CEM}"));
    assert_eq!(sent[1].values(Name::Route), ["<sip:edge@192.0.2.13;lr>"]);
}

/// RFC 5626 section 5.3 and RFC 3261 section 18.1.1: by the registration's connection, and by a new one to its contact when
/// that is gone or goes before there is an answer.
#[test]
fn a_tcp_registration_is_called_on_its_connection_and_dialled_when_that_is_gone() {
    let mut h = house(config());
    connect(&mut h, TCP, ANN_TCP);
    let contact = "Contact: <sip:1003@192.0.2.11:5060;transport=tcp>\r\n";
    let text = h.request("REGISTER sip:offhook.test", "1003", "192.0.2.11:5060", contact);
    let text = text.replace("To: <sip:", "To: <sip:1003@").replace("/UDP", "/TCP");
    let again = h.answer_challenge(TCP, ANN_TCP, "1003", "secret-1003", &text);
    let again = again.replace("/UDP 192.0.2.11:40000", "/TCP 192.0.2.11:5060");
    assert_eq!(h.bytes(TCP, ANN_TCP, &again)[0].message.status(), Some(200));

    let message = h.request("MESSAGE sip:1003@offhook.test", "1002", BOB, "");
    let sent = h.datagram(BOB, &message);
    assert_eq!((sent[0].flow, sent[0].to.as_str()), (TCP, ANN_TCP));
    assert!(sent[0].value(Name::Via).starts_with("SIP/2.0/TCP 192.0.2.1:5060"));

    let (now, mut out) = (h.now, std::mem::take(&mut h.out));
    h.exchange.flow_down(TCP, now, &mut out);
    h.out = out;
    let dialled = addr("192.0.2.11:5060");
    assert!(
        matches!(h.out[..], [Order::OpenFlow { transport: Transport::Tcp, remote, .. }] if remote == dialled)
    );
    let message = h.request("MESSAGE sip:1003@offhook.test", "1002", BOB, "");
    assert_eq!(h.datagram(BOB, &message).len(), 0);
    connect(&mut h, FlowId(21), "192.0.2.11:5060");
    let line = "MESSAGE sip:1003@192.0.2.11:5060;transport=tcp -> 192.0.2.11:5060";
    let sent = h.sent();
    assert_eq!(House::lines(&sent), [line, line], "the one that was lost and the one that waited");
    assert!(sent.iter().all(|s| s.flow == FlowId(21)));
}

/// RFC 3261 section 18.1.1: a request too large for a datagram, and what becomes of it where nobody takes connections.
#[test]
fn a_large_request_goes_by_tcp_and_falls_back_to_udp() {
    let mut h = with_bob(&[(BOB, "<sip:1002@192.0.2.77>")]);
    let text = invite(&mut h).replace("Max-F", &format!("Subject: {}\r\nMax-F", "x".repeat(1200)));
    assert_eq!(House::lines(&h.datagram(ANN, &text)), [format!("100 -> {ANN}")]);
    let there = addr("192.0.2.77:5060");
    assert!(
        matches!(h.out[..], [Order::OpenFlow { transport: Transport::Tcp, remote, .. }] if remote == there)
    );
    let mut out = Vec::new();
    h.exchange.flow_failed(Transport::Tcp, there, h.now, &mut out);
    h.out = out;
    assert_eq!(House::lines(&h.sent()), ["INVITE sip:1002@192.0.2.77 -> 192.0.2.77:5060"]);
}

/// RFC 3261 section 18.1.1: each family by a socket of its own.
#[test]
fn a_phone_on_ipv6_is_called_by_the_ipv6_socket() {
    let mut h = house(config());
    let (six, here, bob) = (FlowId(2), "[2001:db8::1]:5060", "[2001:db8::2]:5060");
    let (now, mut out) = (h.now, Vec::new());
    h.exchange.flow_up(six, Transport::Udp, addr(here), None, now, &mut out);
    let text = h.request("REGISTER sip:offhook.test", "1002", bob, "Contact: <sip:1002@[2001:db8::2]>\r\n");
    let text = text.replace("To: <sip:", "To: <sip:1002@");
    assert_eq!(h.authorized(six, bob, "1002", "secret-1002", &text).message.status(), Some(200));
    let text = invite(&mut h);
    let sent = h.datagram(ANN, &text);
    assert_eq!((sent[1].flow, sent[1].line()), (six, format!("INVITE sip:1002@[2001:db8::2] -> {bob}")));
    assert_eq!(sent[1].values(Name::RecordRoute).len(), 2, "one for each family");
    h.bytes(six, bob, &reply(&sent[1], 200, "b", ""));
    let bye = within(&mut h, &text, "BYE sip:1001@192.0.2.11", bob, &routes(&sent[1], false));
    let sent = h.bytes(six, bob, &bye);
    assert_eq!((sent[0].flow, sent[0].line()), (UDP, format!("BYE sip:1001@192.0.2.11 -> {ANN}")));
}

/// RFC 3261 section 16.9: and when it cannot be dialled either.
#[test]
fn a_connection_refused_counts_as_a_503_below_and_a_500_above() {
    let mut h = with_bob(&[(BOB, "<sip:1002@192.0.2.77;transport=tcp>")]);
    let text = invite(&mut h);
    h.datagram(ANN, &text);
    let mut out = Vec::new();
    h.exchange.flow_failed(Transport::Tcp, addr("192.0.2.77:5060"), h.now, &mut out);
    h.out = out;
    assert_eq!(House::lines(&h.sent()), [format!("500 -> {ANN}")]);
}

/// RFC 3261 section 18.3, RFC 5626 section 3.5.1: pings are answered, garbage and dawdling end a stream.
#[test]
fn streams_are_framed_pinged_and_closed_when_they_misbehave() {
    let mut h = house(config());
    connect(&mut h, TCP, ANN_TCP);
    let options = h.request("OPTIONS sip:offhook.test", "1001", ANN, "").replace("/UDP", "/TCP");
    let (a, b) = options.split_at(40);
    assert_eq!(h.bytes(TCP, ANN_TCP, a).len(), 0);
    assert_eq!(h.bytes(TCP, ANN_TCP, b)[0].message.status(), Some(200));
    let mut out = Vec::new();
    h.exchange.received(TCP, addr(ANN_TCP), b"\r\n\r\n", h.now, &mut out);
    assert!(matches!(&out[..], [Order::Send { bytes, .. }] if &bytes[..] == b"\r\n"));

    h.bytes(TCP, ANN_TCP, a);
    h.wait(std::time::Duration::from_secs(31));
    assert!(h.out.is_empty());
    h.wait(std::time::Duration::from_secs(2));
    assert!(matches!(h.out[..], [Order::CloseFlow { flow: TCP }]));
    h.out.clear();
    connect(&mut h, FlowId(21), "192.0.2.11:40001");
    h.bytes(FlowId(21), "192.0.2.11:40001", "\u{1}\u{2}\u{3} nonsense\r\n\r\n\r\n");
    assert!(matches!(h.out[..], [Order::CloseFlow { flow: FlowId(21) }]));
    assert_eq!(h.exchange.counters().streams_closed, 2);
}
