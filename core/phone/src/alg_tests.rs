//! Gateways of every kind, as their datagrams look; what they are taken for, and how the person is told.

use bytes::Bytes;
use sip::message::Form;

use super::*;

const OURS: &str = "192.168.1.2:5060";
const SERVER: &str = "203.0.113.1:5060";
const FLOW: FlowId = FlowId(1);

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn ms(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

fn register() -> String {
    format!(
        "REGISTER sip:pbx.test SIP/2.0\r\nVia: SIP/2.0/UDP {OURS};rport;branch=z9hG4bK1\r\n\
         From: <sip:ann@pbx.test>;tag=a\r\nTo: <sip:ann@pbx.test>\r\nCall-ID: c@{OURS}\r\nCSeq: 1 REGISTER\r\n\
         Contact: <sip:ann@{OURS}>\r\nExpires: 300\r\nContent-Length: 0\r\n\r\n"
    )
}

/// The answer of a registrar to which we look like `seen`.
fn granted(seen: &str) -> String {
    let (ip, port) = seen.split_once(':').unwrap();
    format!(
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP {OURS};received={ip};rport={port};branch=z9hG4bK1\r\n\
         From: <sip:ann@pbx.test>;tag=a\r\nTo: <sip:ann@pbx.test>;tag=b\r\nCall-ID: c@{OURS}\r\nCSeq: 1 REGISTER\r\n\
         Contact: <sip:ann@{OURS}>;expires=300\r\nContent-Length: 0\r\n\r\n"
    )
}

/// One who has sent its REGISTER.
fn watch() -> Watch {
    let mut watch = Watch::default();
    watch.flow_up(NetworkId::SYSTEM, FLOW, Transport::Udp);
    watch.sends(at(SERVER), register().as_bytes());
    watch
}

fn found_in(answers: &[&str]) -> Vec<Tampering> {
    let mut watch = watch();
    for (n, answer) in answers.iter().enumerate() {
        watch.receives(FLOW, at(SERVER), answer.as_bytes(), ms(n as u64));
    }
    assert_eq!(watch.has_news(), !watch.found().is_empty());
    watch.found().iter().copied().collect()
}

#[test]
fn an_honest_way_is_not_suspected_with_a_router_in_it_or_without() {
    for seen in [OURS, "198.51.100.9:61000"] {
        assert_eq!(found_in(&[&granted(seen)]), []);
    }
    // A server that puts what it sees into the Contact's place is none on the way.
    let mended =
        granted("198.51.100.9:61000").replace("<sip:ann@192.168.1.2:5060>", "<sip:ann@198.51.100.9:61000>");
    assert_eq!(found_in(&[&mended]), []);
    let unregistered = granted(OURS).replace("Contact: <sip:ann@192.168.1.2:5060>;expires=300\r\n", "");
    assert_eq!(found_in(&[&unregistered]), []);
}

#[test]
fn what_a_response_repeats_otherwise_than_we_said_it_was_changed() {
    for (ours, theirs) in [
        ("UDP 192.168.1.2:5060", "UDP 198.51.100.9:61000"),
        ("Call-ID: c@192.168.1.2", "Call-ID: c@198.51.100.9"),
        ("From: <sip:ann@pbx.test>;tag=a", "From: <sip:ann@pbx.test>;tag=x"),
        ("CSeq: 1", "CSeq: 2"),
        ("Contact: <sip:ann@192.168.1.2:5060>", "Contact: <sip:ann@198.51.100.9:61000>"),
    ] {
        let answer = granted(OURS).replace(ours, theirs);
        assert_ne!(answer, granted(OURS));
        assert_eq!(found_in(&[&answer]), [Tampering::Head], "{theirs}");
    }
}

#[test]
fn a_datagram_that_ends_before_its_message_was_cut_off() {
    let longer = granted(OURS).replace("Content-Length: 0", "Content-Length: 9");
    assert_eq!(found_in(&[&longer]), [Tampering::Truncates]);
    let head = granted(OURS);
    assert_eq!(found_in(&[head.split("Contact").next().unwrap()]), [Tampering::Truncates]);
}

#[test]
fn all_datagrams_doubled_are_somebodys_doing_and_one_in_a_few_is_a_bad_link() {
    let answers: Vec<String> =
        (0..12).map(|n| granted(OURS).replace("tag=b", &format!("tag=b{n}"))).collect();
    let twice = |n: &usize| [&answers[*n][..], &answers[*n][..]];
    let all: Vec<&str> = (0..3).flat_map(|n| twice(&n)).collect();
    assert_eq!(found_in(&all), [Tampering::Duplicates]);
    let some: Vec<&str> =
        (0..12).flat_map(|n| if n % 2 == 0 { twice(&n).to_vec() } else { vec![&answers[n][..]] }).collect();
    assert_eq!(found_in(&some), []);
}

#[test]
fn what_comes_again_after_a_while_is_a_repetition() {
    let mut watch = watch();
    for n in 0..6 {
        let answer = granted(OURS).replace("tag=b", &format!("tag=b{n}"));
        watch.receives(FLOW, at(SERVER), answer.as_bytes(), ms(n * 1000));
        watch.receives(FLOW, at(SERVER), answer.as_bytes(), ms(n * 1000 + 400));
    }
    assert!(watch.found().is_empty());
}

#[test]
fn strangers_and_connections_are_not_listened_to() {
    let mut watch = watch();
    let cut = granted(OURS).replace("Content-Length: 0", "Content-Length: 9");
    watch.receives(FLOW, at("198.51.100.66:5060"), cut.as_bytes(), ms(0));
    watch.receives(FlowId(2), at(SERVER), cut.as_bytes(), ms(0));
    watch.receives(FLOW, at(SERVER), b"\r\n", ms(0));
    watch.receives(FLOW, at(SERVER), b"\0\x01", ms(0));
    assert!(watch.found().is_empty());
}

/// The probe as it is sent, and an answer that says that `change` of it arrived.
fn probed(change: impl Fn(String) -> String) -> (bool, Vec<Tampering>) {
    let mut watch = watch();
    let mut draft = Watch::probe("pbx.test", at(OURS), at(SERVER)).expect("a router is in between");
    draft
        .prepend(Name::Via, format_args!("SIP/2.0/UDP {OURS};rport;branch=z9hG4bK7"))
        .push(Name::From, "<sip:ann@pbx.test>;tag=p")
        .push(Name::To, "<sip:pbx.test>")
        .push(Name::CallId, "p")
        .push(Name::CSeq, "1 OPTIONS")
        .push(Name::Contact, format_args!("<sip:ann@{OURS}>"));
    let bytes = draft.write(Form::Full);
    assert!(bytes.len() < 1000, "{}", bytes.len());
    watch.sends(at(SERVER), &bytes);
    let request = Message::read(bytes.clone()).unwrap();
    let mut answer = Draft::response_to(&request, 200);
    answer.body("message/sipfrag", change(String::from_utf8(bytes.to_vec()).unwrap()));
    let answer: Message<Bytes> = Message::read(answer.write(Form::Full)).unwrap();
    (watch.probed(&answer), watch.found().iter().copied().collect())
}

#[test]
fn a_gateway_that_undoes_its_changes_on_the_way_back_is_seen_by_the_server() {
    // A server notes where a request came from.
    let noted = "rport=61000;received=198.51.100.9;branch";
    assert_eq!(probed(|seen| seen.replace("rport;branch", noted)), (false, vec![]));
    let rewritten = probed(|seen| seen.replace("UDP 192.168.1.2:5060", "UDP 198.51.100.9:61000"));
    assert_eq!(rewritten, (true, vec![Tampering::Head]));
    let contact = probed(|seen| seen.replace("<sip:ann@192.168.1.2:5060>", "<sip:ann@198.51.100.9>"));
    assert_eq!(contact, (true, vec![Tampering::Head]));
    let description = probed(|seen| seen.replace("IN IP4 192.168.1.2", "IN IP4 192.0.2.200"));
    assert_eq!(description, (true, vec![Tampering::Description]));
    let cut = probed(|seen| seen[..seen.len() - 100].to_owned());
    assert_eq!(cut, (true, vec![Tampering::Truncates]));
}

#[test]
fn nothing_is_asked_where_no_router_is_or_nobody_can_tell() {
    let asks = |ours: &str, theirs: &str| Watch::probe("pbx.test", at(ours), at(theirs)).is_some();
    assert!(asks("192.168.1.2:5060", "203.0.113.1:5060") && asks("100.64.3.4:5060", "203.0.113.1:5060"));
    assert!(!asks("192.168.1.2:5060", "192.168.1.9:5060"), "neighbours");
    assert!(!asks("198.51.100.2:5060", "203.0.113.1:5060"), "no private address");
    assert!(!asks("[2001:db8::1]:5060", "[2001:db8::2]:5060"));
}

#[test]
fn what_is_found_on_one_network_is_not_held_against_another() {
    let mut watch = Watch::default();
    watch.note(Tampering::Duplicates);
    watch.goes_by(NetworkId::new(2), BTreeSet::new());
    assert!(!watch.is_spoilt());
    watch.goes_by(NetworkId::new(1), BTreeSet::from([Tampering::Head]));
    assert!(watch.is_spoilt() && watch.found().len() == 1 && !watch.has_news());
    watch.gone(NetworkId::new(1));
    assert!(!watch.is_spoilt());
}

#[test]
fn the_person_is_told_in_one_sentence_or_two() {
    let gateway = |found: &[Tampering], around| Gateway {
        found: found.iter().copied().collect(),
        around,
        leant_on: false,
    };
    let told = gateway(&[Tampering::Head, Tampering::Description], Some(Transport::Tcp)).to_string();
    assert_eq!(told, "The router rewrites SIP messages. Offhook goes around it by TCP.");
    let told = gateway(&[Tampering::Swallows], Some(Transport::Udp)).to_string();
    assert_eq!(told, "The router swallows SIP messages. Offhook goes around it by another port.");
    let told = gateway(&[Tampering::Truncates, Tampering::Duplicates], None).to_string();
    assert_eq!(told, "The router cuts off and doubles SIP messages. Turn off \"SIP ALG\" in its settings.");
}
