//! Addresses that are found when the description has been made, and how the other side learns of them. RFC 8840.

#![allow(clippy::unwrap_used)] // helpers beside the tests

mod town;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use nat::path::Leg;
use nat::stun::{self, attribute};
use offhook_phone::{CallId, CallState, Command, Input, MediaNews, Nat, Server};
use sip::message::{Message, Method, Name};
use town::{Town, at, at_home, bytes, description, response};

const SECOND: Duration = Duration::from_secs(1);
const ONE: CallId = CallId(1);
const PACKAGE: &str = "trickle-ice";
const THEIRS: &str = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n";

fn server() -> SocketAddr {
    SocketAddr::new(at(77).ip(), 3478)
}

/// Ann, who asks a server where she is seen and has called somebody that checks ways, says this of late addresses, and answers
/// INFO with that status.
fn in_a_call(says: &'static str, on_info: u16) -> (Town, SocketAddr, SocketAddr) {
    let (mut town, ann, peer) = calling(says, true, on_info, &[200]);
    assert_eq!(town.state(ann, ONE), CallState::Active, "{}", town.story());
    (town, ann, peer)
}

/// The same, who rings, perhaps with an answer, and need not have answered yet; `packaged`: who names the package.
fn calling(
    says: &'static str,
    packaged: bool,
    on_info: u16,
    on_invite: &'static [u16],
) -> (Town, SocketAddr, SocketAddr) {
    let mut town = Town::new();
    let peer = town.peer(9, move |request, _| match request.method() {
        Method::Ack => Vec::new(),
        Method::Invite => on_invite.iter().map(|status| answer(request, *status, says, packaged)).collect(),
        Method::Info => vec![bytes(&response(request, on_info))],
        _ => vec![bytes(&response(request, 200))],
    });
    let mut account = at_home("ann", 1);
    let stun = vec![Server { host: server().ip().to_string(), port: server().port() }];
    account.nat = Nat { ice: true, stun, ..Nat::default() };
    let ann = town.phone(1, account);
    town.call(ann, "sip:peer@10.0.0.9");
    town.run(SECOND);
    (town, ann, peer)
}

fn answer(invite: &Message, status: u16, says: &str, packaged: bool) -> Bytes {
    let mut draft = response(invite, status);
    draft.push(Name::Contact, "<sip:peer@10.0.0.9>");
    if packaged {
        draft.push(Name::RecvInfo, PACKAGE);
    }
    if status != 180 {
        let nowhere = "a=candidate:1 1 UDP 2130706431 10.0.0.9 4000 typ host\r\n";
        draft.body("application/sdp", description(4000) + THEIRS + says + nowhere);
    }
    bytes(&draft)
}

/// The server answers what it was asked at first.
fn answer_late(town: &mut Town, phone: SocketAddr) {
    let (media, asked) = town
        .handset(phone)
        .streams
        .iter()
        .find_map(|(media, stream)| {
            Some((*media, stream.told.iter().find(|(to, _)| *to == server())?.1.clone()))
        })
        .unwrap();
    let asked = stun::Message::read(&asked).unwrap();
    let seen = "198.51.100.7:61000".parse().unwrap();
    let bytes = stun::Writer::success(&asked).hidden_address(attribute::XOR_MAPPED_ADDRESS, seen).unsigned();
    let news = MediaNews::Told { leg: Leg::FIRST, from: server(), bytes };
    town.tell(phone, Input::Media { media, news });
}

fn heard<'a>(town: &'a Town, peer: SocketAddr, method: &Method) -> Vec<&'a Message> {
    let of = |message: &&Message| message.is_request() && message.method() == *method;
    town.heard(peer).iter().filter(of).collect()
}

fn text(message: &Message) -> &str {
    std::str::from_utf8(message.body()).unwrap()
}

const TAKES: &str = "a=mid:0\r\na=ice-options:trickle\r\n";

#[test]
fn who_takes_late_addresses_is_told_of_them_at_once_and_of_all_known_before() {
    let (mut town, ann, peer) = in_a_call(TAKES, 200);
    let invite = heard(&town, peer, &Method::Invite)[0];
    assert_eq!(invite.text(Name::RecvInfo), Some(PACKAGE));
    assert!(text(invite).contains(TAKES), "{}", text(invite));
    answer_late(&mut town, ann);
    town.run(SECOND);
    let informed = heard(&town, peer, &Method::Info);
    assert_eq!(informed.len(), 1, "{}", town.story());
    assert_eq!(informed[0].text(Name::InfoPackage), Some(PACKAGE));
    assert_eq!(informed[0].text(Name::ContentType), Some("application/trickle-ice-sdpfrag"));
    let lines = |start| text(informed[0]).lines().filter(move |line| line.starts_with(start));
    let ports: Vec<_> = lines("a=candidate").map(|line| line.split(' ').nth(5).unwrap()).collect();
    assert_eq!((lines("a=mid:0").count(), ports.len(), ports.last()), (1, 2, Some(&"61000")), "{ports:?}");
    town.run(5 * SECOND);
    assert_eq!(heard(&town, peer, &Method::Invite).len(), 1);
}

#[test]
fn who_refuses_late_addresses_by_info_is_told_by_an_offer() {
    for (says, status, informed) in [(TAKES, 469, 1), ("", 200, 0), ("a=ice-options:trickle\r\n", 415, 1)] {
        let (mut town, ann, peer) = in_a_call(says, status);
        answer_late(&mut town, ann);
        town.run(2 * SECOND);
        assert_eq!(heard(&town, peer, &Method::Info).len(), informed, "{says} {}", town.story());
        let invites = heard(&town, peer, &Method::Invite);
        assert_eq!(invites.len(), 2, "{says} {}", town.story());
        assert!(text(invites[1]).contains("198.51.100.7 61000 typ srflx"), "{}", text(invites[1]));
    }
}

#[test]
fn who_says_so_in_a_description_and_names_no_package_is_told_by_an_offer() {
    let (mut town, ann, peer) = calling(TAKES, false, 200, &[200]);
    answer_late(&mut town, ann);
    town.run(2 * SECOND);
    assert_eq!(heard(&town, peer, &Method::Info).len(), 0, "{}", town.story());
    assert_eq!(heard(&town, peer, &Method::Invite).len(), 2, "{}", town.story());
}

#[test]
fn who_rings_and_takes_late_addresses_knows_all_of_them_before_it_answers() {
    let (mut town, ann, peer) = calling(TAKES, true, 200, &[180]);
    assert_eq!(town.state(ann, ONE), CallState::Ringing, "{}", town.story());
    answer_late(&mut town, ann);
    town.run(SECOND);
    let informed = heard(&town, peer, &Method::Info);
    assert_eq!(informed.len(), 1, "{}", town.story());
    assert!(text(informed[0]).contains(" 61000 typ srflx"), "{}", text(informed[0]));
    let invite = heard(&town, peer, &Method::Invite)[0].clone();
    assert!(invite.supports(PACKAGE), "{}", town.story());
    town.say(peer, ann, answer(&invite, 200, TAKES, true));
    town.run(5 * SECOND);
    assert_eq!(town.state(ann, ONE), CallState::Active, "{}", town.story());
    let told = [Method::Info, Method::Invite].map(|method| heard(&town, peer, &method).len());
    assert_eq!(told, [1, 1], "{}", town.story());
}

#[test]
fn who_answers_is_told_though_another_fork_was_told_while_it_rang() {
    let (mut town, ann, peer) = calling(TAKES, true, 200, &[180]);
    answer_late(&mut town, ann);
    town.run(SECOND);
    assert_eq!(heard(&town, peer, &Method::Info).len(), 1, "{}", town.story());
    let invite = heard(&town, peer, &Method::Invite)[0].clone();
    let ok = String::from_utf8(answer(&invite, 200, TAKES, true).to_vec()).unwrap();
    town.say(peer, ann, ok.replace("tag=peer", "tag=other").into());
    town.run(SECOND);
    let informed = heard(&town, peer, &Method::Info);
    assert_eq!(informed.len(), 2, "{}", town.story());
    assert!(informed[1].text(Name::To).unwrap().ends_with("tag=other"), "{}", town.story());
    assert_eq!(heard(&town, peer, &Method::Invite).len(), 1, "{}", town.story());
}

#[test]
fn who_rings_and_does_not_name_the_package_is_told_when_it_has_answered() {
    let (mut town, ann, peer) = calling(TAKES, false, 200, &[180]);
    answer_late(&mut town, ann);
    town.run(SECOND);
    assert_eq!(heard(&town, peer, &Method::Info).len(), 0, "{}", town.story());
    let invite = heard(&town, peer, &Method::Invite)[0].clone();
    town.say(peer, ann, answer(&invite, 200, TAKES, true));
    town.run(SECOND);
    assert_eq!(heard(&town, peer, &Method::Info).len(), 1, "{}", town.story());
}

/// RFC 8840 section 4.3.2: it repeats its answer until it hears from us.
#[test]
fn who_answers_early_and_unreliably_is_confirmed_by_an_info_though_nothing_is_new() {
    let (town, _, peer) = calling(TAKES, true, 200, &[183]);
    assert_eq!(heard(&town, peer, &Method::Info).len(), 1, "{}", town.story());
}

#[test]
fn a_call_that_rings_outlives_an_info_that_its_dialog_does_not_know() {
    let (mut town, ann, peer) = calling(TAKES, true, 481, &[180]);
    answer_late(&mut town, ann);
    town.run(SECOND);
    assert_eq!(heard(&town, peer, &Method::Info).len(), 1, "{}", town.story());
    assert_eq!(town.state(ann, ONE), CallState::Ringing, "{}", town.story());
}

#[test]
fn addresses_that_a_caller_tells_of_while_it_rings_are_tried_once_it_is_answered() {
    let mut town = Town::new();
    let peer = town.peer(9, |_, _| Vec::new());
    let mut account = at_home("ann", 1);
    account.nat = Nat { ice: true, ..Nat::default() };
    let ann = town.phone(1, account);
    let request = |method: Method, seq: u32, to: &str, tag: &str| {
        let mut draft = sip::message::Draft::request(&method, to);
        draft
            .push(Name::Via, format_args!("SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKearly{seq}"))
            .push(Name::MaxForwards, 70)
            .push(Name::From, "<sip:peer@10.0.0.9>;tag=peer")
            .push(Name::To, format_args!("<sip:ann@10.0.0.1>{tag}"))
            .push(Name::CallId, "early")
            .push(Name::CSeq, format_args!("{seq} {method}"))
            .push(Name::Contact, "<sip:peer@10.0.0.9>");
        draft
    };
    let mut invite = request(Method::Invite, 1, "sip:ann@10.0.0.1", "");
    let nowhere = "a=candidate:1 1 UDP 2130706431 10.0.0.9 4000 typ host\r\n";
    invite.push(Name::Supported, PACKAGE).push(Name::RecvInfo, PACKAGE);
    invite.body("application/sdp", description(4000) + THEIRS + TAKES + nowhere);
    town.say(peer, ann, bytes(&invite));
    town.run(SECOND);
    let ringing = town.heard(peer).iter().find(|it| it.status() == Some(180)).unwrap().clone();
    assert_eq!(ringing.text(Name::RecvInfo), Some(PACKAGE));
    let tag = format!(";tag={}", ringing.to().unwrap().tag().unwrap());
    for (seq, last) in [(2, 70), (3, 71)] {
        let mut info = request(Method::Info, seq, ringing.contact().unwrap().uri_text(), &tag);
        let late = format!(
            "{THEIRS}m=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:2 1 UDP 1 10.0.0.{last} 4002 typ host\r\n"
        );
        info.push(Name::InfoPackage, PACKAGE).body("application/trickle-ice-sdpfrag", late);
        town.say(peer, ann, bytes(&info));
        town.run(SECOND);
    }
    let asked = |town: &mut Town, last: u8| {
        let streams = town.handset(ann).streams.values();
        streams.flat_map(|stream| &stream.told).any(|(to, _)| to.ip() == at(last).ip())
    };
    assert!(!asked(&mut town, 71));
    town.command(ann, Command::Answer(ONE));
    town.run(SECOND);
    // Each message repeats what was told before, and the last is believed.
    assert_eq!([70, 71].map(|last| asked(&mut town, last)), [false, true], "{}", town.story());
}

#[test]
fn their_late_addresses_are_tried_if_they_are_of_the_present_generation() {
    let (mut town, ann, peer) = in_a_call(TAKES, 200);
    let dialog = |invite: &Message, seq: u32, credentials: &str, address: &str| {
        let to = invite.contact().unwrap().uri_text().to_owned();
        let mut info = sip::message::Draft::request(&Method::Info, &to);
        let ours = format!("{};tag=peer", invite.text(Name::To).unwrap());
        let body = format!(
            "{credentials}m=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:2 1 UDP 1 {address} 4002 typ relay raddr 0.0.0.0 rport 9\r\n\
             a=end-of-candidates\r\n"
        );
        info.push(Name::Via, format_args!("SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKlate{seq}"))
            .push(Name::MaxForwards, 70)
            .push(Name::From, ours)
            .push(Name::To, invite.text(Name::From).unwrap())
            .push(Name::CallId, invite.text(Name::CallId).unwrap())
            .push(Name::CSeq, format_args!("{seq} INFO"))
            .push(Name::InfoPackage, PACKAGE)
            .body("application/trickle-ice-sdpfrag", body);
        bytes(&info)
    };
    let invite = heard(&town, peer, &Method::Invite)[0].clone();
    let stale = THEIRS.replace("abcd", "efgh");
    for (seq, credentials, address) in
        [(1, THEIRS, "10.0.0.70"), (2, &stale, "10.0.0.71"), (3, "", "10.0.0.72")]
    {
        let info = dialog(&invite, seq, credentials, address);
        town.say(peer, ann, info);
        town.run(SECOND);
    }
    let answers = town.heard(peer).iter().filter(|message| message.status() == Some(200)).count();
    assert_eq!(answers, 3, "{}", town.story());
    let asked = |town: &mut Town, last: u8| {
        let streams = town.handset(ann).streams.values();
        streams.flat_map(|stream| &stream.told).any(|(to, _)| to.ip() == at(last).ip())
    };
    assert_eq!([70, 71, 72].map(|last| asked(&mut town, last)), [true, false, false]);
}
