//! One request until it is settled: digest, failover, size, what is filled in. RFC 3261 sections 8.1, 10.2, 18.1.1 and 22,
//! RFC 3263 section 4.3.

use std::net::Ipv4Addr;
use std::time::Duration;

use base::{Secret, Transport};

use crate::digest::Credentials;
use crate::message::{Draft, Message, Method, Name};
use crate::transaction::Source;
use crate::ua::*;

use super::net::*;

fn done(news: &News) -> Option<Outcome> {
    match news {
        News::Done { outcome, .. } => Some(outcome.clone()),
        _ => None,
    }
}

fn status(outcome: &Outcome) -> u16 {
    match outcome {
        Outcome::Final(message) => message.status().unwrap(),
        other => panic!("{other:?}"),
    }
}

fn ann_with(manners: impl FnOnce(&mut Profile)) -> (Net, NodeId) {
    let mut net = Net::new();
    net.add("ann", |_, profile| manners(profile));
    let server = net.add_scripted();
    (net, server)
}

fn password(profile: &mut Profile) {
    let (user, password) = ("ann".to_owned(), Secret::new("secret".to_owned()));
    profile.credentials = vec![Credentials { user, password, realm: None }];
}

fn register(net: &mut Net) -> RequestId {
    let mut draft = Draft::request(&Method::Register, "sip:10.0.0.2");
    draft.push(Name::Expires, 300);
    net.with(0, |a, now, out| a.request(ME, draft, now, out))
}

/// RFC 8599 sections 4.1.1 and 4.1.2: who is to be woken says how, inside the URI, and no longer where the binding ends.
#[test]
fn a_registration_says_how_the_phone_is_woken_and_one_that_ends_does_not() {
    let (mut net, server) = ann_with(|profile| {
        profile.contact_params = ";reg-id=1".into();
        profile.contact_uri_params = ";pn-provider=fcm;pn-prid=t".into();
    });
    for (expires, contact) in [
        ("300", "<sip:ann@10.0.0.1:5060;pn-provider=fcm;pn-prid=t>;reg-id=1"),
        ("0", "<sip:ann@10.0.0.1:5060>;reg-id=1"),
    ] {
        let mut draft = Draft::request(&Method::Register, "sip:10.0.0.2");
        draft.push(Name::Expires, expires);
        net.with(0, |a, now, out| a.request(ME, draft, now, out));
        net.soon();
        let heard = net.heard(server, &Method::Register);
        assert_eq!(heard.text(Name::Contact), Some(contact));
        net.reply(server, &heard, 200, "s", |_| ());
        net.soon();
    }
}

fn challenge(net: &mut Net, server: NodeId, request: &Message, status: u16, nonce: &str, more: &str) {
    net.reply(server, request, status, "s", |draft| {
        let name = if status == 401 { Name::WwwAuthenticate } else { Name::ProxyAuthenticate };
        draft.push(name, format_args!("Digest realm=\"test\", nonce=\"{nonce}\", qop=\"auth\"{more}"));
    });
    net.soon();
}

/// Sections 8.1.1 and 10.2: what every request carries, and the registration's own.
#[test]
fn a_registration_is_filled_in_and_counts_up_in_one_call_id() {
    let (mut net, server) = ann_with(|profile| {
        profile.display = Some("Ann \"A\"".into());
        profile.contact_params = ";reg-id=1".into();
    });
    register(&mut net);
    net.soon();
    let first = net.heard(server, &Method::Register);
    assert_eq!(first.request_uri().unwrap().as_str(), "sip:10.0.0.2");
    assert_eq!(first.text(Name::To), Some("<sip:ann@10.0.0.1>"));
    assert!(first.text(Name::From).unwrap().starts_with("\"Ann \\\"A\\\"\" <sip:ann@10.0.0.1>;tag="));
    assert_eq!(first.text(Name::Contact), Some("<sip:ann@10.0.0.1:5060>;reg-id=1"));
    assert_eq!((first.max_forwards(), first.cseq().unwrap().number), (Some(70), 1));
    assert!(first.refusal().is_none());
    net.reply(server, &first, 200, "s", |_| ());
    net.soon();
    assert_eq!(status(&net.expect(0, done)), 200);
    register(&mut net);
    net.soon();
    let second = net.heard(server, &Method::Register);
    assert_eq!((second.call_id(), second.cseq().unwrap().number), (first.call_id(), 2));
}

/// Section 22.2: challenged once, answered once, the next number; and ahead of the challenge next time (22.3).
#[test]
fn a_challenge_is_answered_once_and_known_from_then_on() {
    let (mut net, server) = ann_with(password);
    register(&mut net);
    net.soon();
    let first = net.heard(server, &Method::Register);
    assert!(!first.has(Name::Authorization));
    challenge(&mut net, server, &first, 401, "n1", "");
    let second = net.heard(server, &Method::Register);
    assert!(second.text(Name::Authorization).unwrap().contains("nonce=\"n1\""));
    assert_eq!(second.cseq().unwrap().number, 2);
    assert_ne!(second.top_via().unwrap().branch, first.top_via().unwrap().branch);
    net.reply(server, &second, 200, "s", |_| ());
    net.soon();
    register(&mut net);
    net.soon();
    let third = net.heard(server, &Method::Register);
    assert!(third.text(Name::Authorization).unwrap().contains("nc=00000002"));
    assert_eq!(third.cseq().unwrap().number, 3);
}

/// A stale nonce is one more try; a refused password is the end, with the challenge as the answer.
#[test]
fn a_stale_nonce_is_tried_again_and_a_wrong_password_is_not() {
    let (mut net, server) = ann_with(password);
    register(&mut net);
    net.soon();
    for (nonce, more) in [("n1", ""), ("n2", ", stale=true")] {
        let request = net.heard(server, &Method::Register);
        challenge(&mut net, server, &request, 401, nonce, more);
    }
    let request = net.heard(server, &Method::Register);
    assert!(request.text(Name::Authorization).unwrap().contains("nonce=\"n2\""));
    challenge(&mut net, server, &request, 401, "n3", "");
    assert!(!net.has_heard(server, &Method::Register));
    assert_eq!(status(&net.expect(0, done)), 401);
}

/// No credentials: the challenge goes to the user.
#[test]
fn a_challenge_without_credentials_is_the_users() {
    let (mut net, server) = ann_with(|_| ());
    register(&mut net);
    net.soon();
    let request = net.heard(server, &Method::Register);
    challenge(&mut net, server, &request, 401, "n1", "");
    assert!(matches!(net.expect(0, done), Outcome::CannotAuthorize(_)));
}

/// Section 22.3, and 13.2.2.4: an INVITE challenged by a proxy, its ACK and the requests after it carry on in number.
#[test]
fn a_challenged_call_counts_on_and_its_ack_has_the_credentials() {
    let (mut net, server) = ann_with(password);
    let call = net.call();
    net.soon();
    let first = net.heard(server, &Method::Invite);
    challenge(&mut net, server, &first, 407, "n1", "");
    net.heard(server, &Method::Ack);
    let second = net.heard(server, &Method::Invite);
    assert_eq!((second.call_id(), second.cseq().unwrap().number), (first.call_id(), 2));
    assert_eq!(second.from().unwrap().tag(), first.from().unwrap().tag());
    net.reply(server, &second, 200, "b", |draft| {
        draft.body("application/sdp", sdp("answer"));
    });
    net.soon();
    let ack = net.heard(server, &Method::Ack);
    assert_eq!(ack.cseq().unwrap().number, 2);
    assert_eq!(ack.text(Name::ProxyAuthorization), second.text(Name::ProxyAuthorization));
    net.with(0, |a, now, out| a.hang_up(call, &[], now, out));
    net.soon();
    let bye = net.heard(server, &Method::Bye);
    assert_eq!(bye.cseq().unwrap().number, 3);
    challenge(&mut net, server, &bye, 407, "n2", ", stale=true");
    assert_eq!(net.heard(server, &Method::Bye).cseq().unwrap().number, 4);
}

/// RFC 3263 section 4.3: 503, silence and a dead connection lead to the next target; the last failure is the answer.
#[test]
fn a_request_fails_over_to_the_next_target() {
    let mut net = Net::new();
    net.add("ann", |_, _| ());
    let (one, two) = (net.add_scripted(), net.add_scripted());
    net.dns.insert("pbx.test".into(), vec![Ipv4Addr::new(10, 0, 0, 2), Ipv4Addr::new(10, 0, 0, 3)]);
    let ask = |net: &mut Net| {
        let draft = Draft::request(&Method::Options, "sip:pbx.test");
        net.with(0, |a, now, out| a.request(ME, draft, now, out));
        net.soon();
    };
    ask(&mut net);
    let request = net.heard(one, &Method::Options);
    net.reply(one, &request, 503, "s", |_| ());
    net.soon();
    let again = net.heard(two, &Method::Options);
    assert_eq!(again.call_id(), request.call_id());
    assert_ne!(again.top_via().unwrap().branch, request.top_via().unwrap().branch);
    net.reply(two, &again, 200, "s", |_| ());
    net.soon();
    assert_eq!(status(&net.expect(0, done)), 200);
    // The one that failed is asked last for a while.
    ask(&mut net);
    let request = net.heard(two, &Method::Options);
    net.reply(two, &request, 503, "s", |_| ());
    net.soon();
    let request = net.heard(one, &Method::Options);
    net.reply(one, &request, 503, "s", |_| ());
    net.soon();
    assert_eq!(status(&net.expect(0, done)), 503);
    // Silence.
    net.run(Duration::from_secs(120));
    ask(&mut net);
    net.run(Duration::from_secs(70));
    assert!(matches!(net.expect(0, done), Outcome::NoAnswer));
    assert!(net.has_heard(one, &Method::Options) && net.has_heard(two, &Method::Options));
    net.assert_quiet();
}

#[test]
fn a_name_that_leads_nowhere_is_told_as_such() {
    let (mut net, _) = ann_with(|_| ());
    let draft = Draft::request(&Method::Options, "sip:nowhere.test");
    net.with(0, |a, now, out| a.request(ME, draft, now, out));
    assert!(matches!(net.expect(0, done), Outcome::NotFound));
}

/// Section 18.1.1: over 1,300 bytes by TCP, by UDP when there is no TCP, at once by UDP when told so.
#[test]
fn a_large_request_goes_by_tcp_and_falls_back_to_udp() {
    for (listens, allowed, tcp) in [(true, false, true), (false, false, false), (true, true, false)] {
        let mut net = Net::pair_with(|_, profile| profile.allow_large_udp = allowed);
        if !listens {
            net.refuse_tcp(1);
        }
        let mut draft = Draft::request(&Method::Message, "sip:bob@10.0.0.2");
        draft.body("text/plain", "x".repeat(1400));
        net.with(0, |a, now, out| a.request(ME, draft, now, out));
        net.soon();
        assert_eq!(status(&net.expect(0, done)), 200);
        assert_eq!(net.first_stream(0).is_some(), tcp, "listens {listens}, allowed {allowed}");
        net.expect(1, |news| match news {
            News::MessageReceived { body, .. } => (body.len() == 1400).then_some(()),
            _ => None,
        });
    }
}

/// The house's budget: an INVITE with an honest offer stays at or below 1,200 bytes, in compact form where needed.
#[test]
fn our_own_invite_stays_within_1200_bytes() {
    let mut net = Net::pair_with(|_, profile| {
        profile.aor = uri("sip:+4930123456789@sip.some-provider.example.com");
        profile.display = Some("Annegret Mustermann-Schmidt".into());
        profile.user_agent = "Offhook/0.1.0 (Android 16)".into();
        password(profile);
    });
    // A dozen lines of two codecs, telephone-event and three candidates.
    let offer = "v=0\r\no=- 3921843920 1 IN IP4 192.168.178.123\r\ns=-\r\nc=IN IP4 192.168.178.123\r\nt=0 0\r\n\
                 m=audio 50000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
                 a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=rtcp-mux\r\na=sendrecv\r\n\
                 a=candidate:1 1 UDP 2130706431 192.168.178.123 50000 typ host\r\n\
                 a=candidate:2 1 UDP 1694498815 203.0.113.200 50000 typ srflx raddr 192.168.178.123 rport 50000\r\n";
    net.call_with(|invite| invite.offer = Some(offer.into()));
    net.soon();
    let message = net.expect(1, |news| match news {
        News::Invited { message, .. } => Some(message.clone()),
        _ => None,
    });
    // Seen with what the called side's layer has added to the Via.
    let added = ";received=10.0.0.1".len() + "=5060".len();
    assert!(message.bytes().len() <= 1200 + added, "{} bytes", message.bytes().len());
    assert_eq!(message.body(), offer.as_bytes());
    assert!(message.supports("100rel") && message.supports("timer") && message.supports("replaces"));
}

/// Section 8.1.2 and RFC 3608: the proxy first, then the service route; REGISTER without the latter.
#[test]
fn the_first_hop_is_the_proxy_and_then_the_service_route() {
    let (mut net, proxy) = ann_with(|profile| {
        profile.proxy = Some(uri("sip:10.0.0.2;lr"));
        profile.route_set = vec![uri("sip:edge.test;lr")];
    });
    net.with(0, |a, now, out| a.invite(ME, Invite::new(uri("sip:bob@far.test"), None), now, out));
    register(&mut net);
    net.soon();
    let routes = |message: &Message| -> Vec<String> {
        message.routes(Name::Route).map(|route| route.unwrap().uri_text().to_owned()).collect()
    };
    let invite = net.heard(proxy, &Method::Invite);
    assert_eq!(routes(&invite), ["sip:10.0.0.2;lr", "sip:edge.test;lr"]);
    assert_eq!(invite.request_uri().unwrap().as_str(), "sip:bob@far.test");
    assert_eq!(routes(&net.heard(proxy, &Method::Register)), ["sip:10.0.0.2;lr"]);
}

/// RFC 3581: what the responses call us becomes our Contact.
#[test]
fn the_public_address_is_learnt_from_responses_and_offered() {
    let (mut net, server) = ann_with(|_| ());
    register(&mut net);
    net.soon();
    let request = net.heard(server, &Method::Register);
    net.reply(server, &request, 200, "s", |draft| {
        let via = request.text(Name::Via).unwrap().replace(";rport", ";rport=6789;received=203.0.113.5");
        draft.set(Name::Via, via);
    });
    net.soon();
    let at = net.addr(server);
    let local = net.addr(0);
    let source = Source { flow: base::FlowId(1), transport: Transport::Udp, remote: at, local };
    let contact = |net: &mut Net| net.agent(0).contact(ME, &source);
    assert_eq!(contact(&mut net).as_deref(), Some("<sip:ann@203.0.113.5:6789>"));
    register(&mut net);
    net.soon();
    assert_eq!(net.heard(server, &Method::Register).text(Name::Contact), Some("<sip:ann@203.0.113.5:6789>"));
    let mut local = Profile::new(uri("sip:ann@test"), "ann");
    local.contact_address = ContactAddress::Local;
    net.agent(0).set_profile(ME, local);
    assert_eq!(contact(&mut net).as_deref(), Some("<sip:ann@10.0.0.1:5060>"));
}

/// Section 18.4: a connection that breaks fails what is on it, and the next request opens another.
#[test]
fn a_broken_connection_fails_its_requests_and_is_opened_anew() {
    let mut net = Net::pair_with(|_, profile| profile.transport = TransportPolicy::Only(Transport::Tcp));
    let (ours, _) = net.established();
    let flow = net.first_stream(0).unwrap();
    net.cut(0, flow);
    net.with(0, |a, now, out| a.hang_up(ours, &[], now, out));
    net.soon();
    assert_eq!(net.expect(1, ended).0, Party::Them);
    net.assert_quiet();
}

/// A BYE that may be lost with its connection is said once more on another, or the other side would talk on; one that was
/// heard and is said again does no harm.
#[test]
fn a_hang_up_outlives_the_connection_it_was_said_on() {
    for heard in [false, true] {
        let mut net = Net::pair_with(|_, profile| profile.transport = TransportPolicy::Only(Transport::Tcp));
        let (ours, _) = net.established();
        net.with(0, |a, now, out| a.hang_up(ours, &[], now, out));
        if heard {
            net.run(Duration::from_millis(15));
        } else {
            net.lose_what_flies();
        }
        let flow = net.first_stream(0).unwrap();
        net.cut(0, flow);
        net.soon();
        assert_eq!(net.expect(1, ended).0, Party::Them);
        assert_eq!(net.said("BYE"), 2);
        net.assert_quiet();
    }
}

/// Section 18.4: a datagram that comes back as undeliverable fails its request at once.
#[test]
fn a_refused_datagram_fails_its_request_at_once() {
    let (mut net, server) = ann_with(|_| ());
    register(&mut net);
    net.soon();
    let at = net.addr(server);
    net.with(0, |a, now, out| a.flow_failed(base::NetworkId::SYSTEM, Transport::Udp, at, now, out));
    assert!(matches!(net.expect(0, done), Outcome::Unreachable));
    net.assert_quiet();
}
