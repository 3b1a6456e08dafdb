//! Which transaction a message belongs to, and where responses go. RFC 3261 sections 17.1.3, 17.2.3, 8.2.2.2, 9.2, 18.2;
//! RFC 3581.

use super::*;

fn udp(remote: &str) -> Source {
    Source {
        flow: FlowId(1),
        transport: Transport::Udp,
        remote: remote.parse().unwrap(),
        local: US.parse().unwrap(),
    }
}

/// Where the response to a request with this Via from this address goes, and the Via that the user sees.
fn answered(via: &str, source: &str) -> (String, String) {
    let mut b = Bench::over(Transport::Udp);
    b.hear_from(theirs("OPTIONS", via), udp(source));
    b.respond(&Method::Options, 200);
    let (to, response) = b.sent.last().unwrap();
    (to.to_string(), response.text(Name::Via).unwrap().to_owned())
}

#[test]
fn without_rport_a_response_goes_to_the_address_seen_and_the_port_said() {
    let (to, via) = answered("SIP/2.0/UDP 10.0.0.2:5070;branch=z9hG4bK1", "198.51.100.2:40000");
    assert_eq!(to, "198.51.100.2:5070");
    assert_eq!(via, "SIP/2.0/UDP 10.0.0.2:5070;branch=z9hG4bK1;received=198.51.100.2");
    let (to, via) = answered("SIP/2.0/UDP pc.example.com;branch=z9hG4bK1", "198.51.100.2:40000");
    assert_eq!((to.as_str(), via.contains(";received=198.51.100.2")), ("198.51.100.2:5060", true));
}

#[test]
fn a_via_that_tells_the_truth_is_left_as_it_is() {
    let via = "SIP/2.0/UDP 198.51.100.2:5060;branch=z9hG4bK1;odd=\"a;b\"";
    assert_eq!(answered(via, THEM), (THEM.into(), via.into()));
}

/// RFC 3581 section 4: `received` even when it is what sent-by says.
#[test]
fn rport_is_filled_in_and_obeyed() {
    let (to, via) = answered("SIP/2.0/UDP 198.51.100.2:5060;rport;branch=z9hG4bK1", "198.51.100.2:40000");
    assert_eq!(to, "198.51.100.2:40000");
    assert_eq!(via, "SIP/2.0/UDP 198.51.100.2:5060;branch=z9hG4bK1;received=198.51.100.2;rport=40000");
}

#[test]
fn what_the_sender_claims_to_be_seen_as_is_replaced() {
    let claim = "SIP/2.0/UDP 198.51.100.2;received=203.0.113.66;rport=1;branch=z9hG4bK1";
    let (to, via) = answered(claim, "198.51.100.2:40000");
    assert_eq!(to, "198.51.100.2:40000");
    assert_eq!(via, "SIP/2.0/UDP 198.51.100.2;branch=z9hG4bK1;received=198.51.100.2;rport=40000");
}

#[test]
fn only_the_top_via_of_several_in_one_field_is_amended() {
    let (_, via) = answered(
        "SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK1 , SIP/2.0/TCP 10.0.0.3;branch=z9hG4bK0",
        "198.51.100.2:5060",
    );
    assert!(via.starts_with("SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK1;received=198.51.100.2"), "{via}");
    assert!(via.ends_with(", SIP/2.0/TCP 10.0.0.3;branch=z9hG4bK0"), "{via}");
}

#[test]
fn maddr_and_ipv6_are_obeyed() {
    let (to, _) = answered("SIP/2.0/UDP 10.0.0.2;maddr=203.0.113.5;branch=z9hG4bK1", "198.51.100.2:40000");
    assert_eq!(to, "203.0.113.5:5060");
    let (to, via) = answered("SIP/2.0/UDP [2001:db8::9];rport;branch=z9hG4bK1", "[2001:db8::9]:6000");
    assert_eq!(to, "[2001:db8::9]:6000");
    assert!(via.contains(";received=2001:db8::9;rport=6000"), "{via}");
}

/// Section 17.2.3: branch, sent-by and method.
#[test]
fn requests_that_differ_in_branch_sent_by_or_method_are_not_the_same() {
    let mut b = Bench::with(Transport::Udp, Config { spot_merged: false, ..Config::default() });
    b.hear(theirs("OPTIONS", "SIP/2.0/UDP 198.51.100.2;branch=z9hG4bKa"));
    b.hear(theirs("OPTIONS", "SIP/2.0/UDP 198.51.100.2;branch=z9hG4bKb"));
    b.hear(theirs("OPTIONS", "SIP/2.0/UDP 198.51.100.3;branch=z9hG4bKa"));
    b.hear(theirs("OPTIONS", "SIP/2.0/UDP 198.51.100.2:5061;branch=z9hG4bKa"));
    b.hear(theirs("MESSAGE", "SIP/2.0/UDP 198.51.100.2;branch=z9hG4bKa"));
    b.hear(theirs(
        "OPTIONS",
        "SIP/2.0/UDP 198.51.100.2;branch=Z9HG4BKA".replace("Z9HG4BK", "z9hG4bK").as_str(),
    ));
    b.saw(&["0 < OPTIONS", "0 < OPTIONS", "0 < OPTIONS", "0 < OPTIONS", "0 < MESSAGE"]);
}

/// Section 17.2.3, without the magic cookie.
#[test]
fn an_older_clients_request_is_known_by_its_whole_head_and_its_ack_by_our_tag() {
    let old = "SIP/2.0/UDP 198.51.100.2:5060;branch=1";
    let mut b = Bench::over(Transport::Udp);
    b.hear(theirs("INVITE", old));
    b.respond(&Method::Invite, 486);
    b.hear(theirs("INVITE", old));
    b.saw(&["0 < INVITE", "0 > 486", "0 > 486"]);
    b.hear(theirs("ACK", old).replace("To: <sip:ann@example.com>", "To: <sip:ann@example.com>;tag=other"));
    b.saw(&["0 < ACK"]);
    b.hear(theirs("ACK", old).replace("To: <sip:ann@example.com>", "To: <sip:ann@example.com>;tag=us"));
    b.until(5000);
    b.saw(&["5000 < finished"]);
    b.hear(theirs("INVITE", old));
    b.hear(theirs("INVITE", old).replace("CSeq: 3", "CSeq: 4"));
    b.saw(&["5000 < INVITE", "5000 < INVITE"]);
}

/// Section 9.2.
#[test]
fn a_cancel_names_the_invite_it_means_or_none() {
    let mut b = Bench::over(Transport::Udp);
    b.hear(theirs("INVITE", VIA));
    let invite = b.got[0].0;
    b.hear(theirs("CANCEL", VIA));
    assert_eq!(b.cancelled, Some(invite));
    b.hear(theirs("CANCEL", VIA));
    b.respond(&Method::Cancel, 200);
    b.respond(&Method::Invite, 487);
    b.hear(theirs("CANCEL", VIA));
    b.saw(&["0 < INVITE", "0 < CANCEL", "0 > 200", "0 > 487", "0 > 200"]);
    b.hear(theirs("CANCEL", "SIP/2.0/UDP 198.51.100.2;branch=z9hG4bKelse"));
    assert_eq!(b.cancelled, None);
}

/// Section 8.2.2.2.
#[test]
fn a_request_that_came_by_two_ways_is_seen_to_be_merged() {
    let mut b = Bench::over(Transport::Udp);
    b.hear(theirs("INVITE", VIA));
    b.hear(theirs("INVITE", "SIP/2.0/UDP 198.51.100.2:5060;branch=z9hG4bKother"));
    b.hear(theirs("INVITE", VIA).replace("CSeq: 3", "CSeq: 4").replace("peer1", "peer2"));
    let merged: Vec<bool> = b.got.iter().map(|(tx, _)| b.layer.is_merged(*tx)).collect();
    assert_eq!(merged, [false, true, false]);
}

#[test]
fn a_request_within_a_dialog_is_never_merged() {
    let mut b = Bench::over(Transport::Udp);
    for branch in ["z9hG4bKx", "z9hG4bKy"] {
        let via = format!("SIP/2.0/UDP 198.51.100.2:5060;branch={branch}");
        b.hear(theirs("INFO", &via).replace("To: <sip:ann@example.com>", "To: <sip:ann@example.com>;tag=t"));
    }
    assert!(b.got.iter().all(|(tx, _)| !b.layer.is_merged(*tx)));
}

/// Section 8.2.7.
#[test]
fn beyond_the_limit_requests_are_answered_503_the_same_each_time_and_not_kept() {
    let mut b = Bench::with(Transport::Udp, Config { most_servers: 1, ..Config::default() });
    b.hear(theirs("OPTIONS", VIA));
    let other = "SIP/2.0/UDP 198.51.100.2:5060;branch=z9hG4bKother";
    b.hear(theirs("OPTIONS", other));
    b.hear(theirs("OPTIONS", other));
    b.saw(&["0 < OPTIONS", "0 > 503", "0 > 503"]);
    assert_eq!(b.sent[0].1.bytes(), b.sent[1].1.bytes());
    assert!(b.sent[0].1.to().unwrap().tag().is_some());
    assert_eq!((b.layer.len(), b.layer.counters().refused), (1, 2));
}

#[test]
fn requests_bear_our_via_with_rport_and_the_mark() {
    let mut b = Bench::over(Transport::Tcp);
    b.layer.request_marked(draft(&Method::Options), b.hop(), "cafe", b.now, &mut b.out);
    b.note();
    let via = b.last_sent().top_via().unwrap();
    assert_eq!((via.transport_text, via.sent_by.to_string().as_str()), ("TCP", US));
    assert_eq!(via.rport, crate::message::Rport::Asked);
    assert!(via.branch.unwrap().ends_with("-cafe"));
    b.answered(&Method::Options, 200);
    b.saw(&["0 > OPTIONS", "0 < 200", "0 < finished"]);
}

#[test]
fn a_link_local_sent_by_keeps_its_scope_to_itself() {
    let mut b = Bench::over(Transport::Udp);
    let local = SocketAddr::V6(std::net::SocketAddrV6::new("fe80::1".parse().unwrap(), 5060, 0, 2));
    b.layer.request(draft(&Method::Options), Hop { local, ..b.hop() }, b.now, &mut b.out);
    b.note();
    assert_eq!(b.last_sent().top_via().unwrap().sent_by.to_string(), "[fe80::1]:5060");
}

/// Section 18.1.1: the caller decides by this size.
#[test]
fn the_size_on_the_wire_is_known_before_and_large_requests_are_written_compact() {
    for filler in [10, 700, 1100, 1500] {
        let mut b = Bench::over(Transport::Udp);
        let mut large = draft(&Method::Message);
        large.body("text/plain", "x".repeat(filler));
        let expected = size_on_wire(&large, &b.hop());
        b.layer.request(large, b.hop(), b.now, &mut b.out);
        b.note();
        let len = b.last_sent().bytes().len();
        assert!((len..len + 8).contains(&expected), "{len} {expected}");
        assert_eq!(b.last_sent().bytes().windows(3).any(|w| w == b"\nv:"), filler > 700);
    }
}

#[test]
fn the_ack_of_a_2xx_has_a_branch_of_its_own_and_no_transaction() {
    let mut b = Bench::over(Transport::Udp);
    b.request(&Method::Invite);
    b.answered(&Method::Invite, 200);
    let hop = b.hop();
    let sent = b.layer.send_ack(draft(&Method::Ack), hop, &mut b.out);
    b.note();
    assert_ne!(b.sent[0].1.top_via().unwrap().branch, b.last_sent().top_via().unwrap().branch);
    assert_eq!(sent, b.last_sent().share());
    assert_eq!(b.layer.len(), 1);
}

#[test]
fn what_has_no_readable_via_is_counted_and_dropped() {
    let mut b = Bench::over(Transport::Udp);
    b.hear(theirs("OPTIONS", "nonsense"));
    b.saw(&[]);
    assert_eq!((b.layer.counters().malformed, b.layer.len()), (1, 0));
}

#[test]
fn a_thousand_transactions_leave_nothing_behind() {
    let mut b = Bench::over(Transport::Udp);
    for n in 0..1000 {
        b.hear(theirs("OPTIONS", &format!("SIP/2.0/UDP 198.51.100.2:5060;branch=z9hG4bK{n}")));
        b.respond(&Method::Options, 200);
        let tx = b.request(&Method::Invite);
        b.answered(&Method::Invite, 180);
        b.cancel(tx);
        b.answered(&Method::Invite, 487);
    }
    assert_eq!(b.layer.len(), 3000);
    b.until(40_000);
    assert!(b.layer.is_clean() && b.layer.next_wake().is_none());
}
