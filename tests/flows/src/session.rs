//! Session establishment: RFC 3665 section 3.

use exchange::DomainRoute;
use exchange::redirect::Redirect;
use offhook_sim::{account, sdp, users};
use phone::{Account, CallState, Command, Network, NetworkKind};
use sip::locate::{Question, Record};
use sip::message::{Method, Name};

use crate::stage::*;

#[test]
fn two_phones_talk_without_any_proxy() {
    let mut w = world("RFC 3665 section 3.1");
    let alone = |user: &str| Account { proxy: None, register: false, ..account(user, ip(1)) };
    let ann = w.phone("ann", Some(alone("ann")));
    let bob = w.phone("bob", Some(alone("bob")));
    talk(&mut w, ann, bob, "sip:bob@10.0.0.2");
    w.hang_up(bob);
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn a_call_goes_through_two_proxies() {
    let mut w = world("RFC 3665 section 3.2");
    let at = |uri: &str, user: &str, proxy| Account {
        uri: uri.parse().expect("a URI"),
        ..account(user, ip(proxy))
    };
    let town = |domain: &str, user: &str, other: &str, next: u8| exchange::Config {
        domain: domain.into(),
        challenge: false,
        domain_routes: vec![DomainRoute { domain: other.into(), next_hop: (ip(next), 5060).into() }],
        ..users(&[user])
    };
    let ann = w.phone("ann", Some(at("sip:ann@atlanta.test", "ann", 2)));
    w.exchange("atlanta", town("atlanta.test", "ann", "biloxi.test", 3));
    w.exchange("biloxi", town("biloxi.test", "bob", "atlanta.test", 2));
    let bob = w.phone("bob", Some(at("sip:bob@biloxi.test", "bob", 3)));
    w.run_until_registered(&[ann, bob]);
    talk(&mut w, ann, bob, "sip:bob@biloxi.test");
    w.hang_up(bob);
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn a_caller_is_asked_who_it_is_by_the_proxy_and_by_the_callee() {
    let mut w = world("RFC 3665 section 3.3");
    let ann = w.phone("ann", Some(account("ann", ip(2))));
    w.exchange(
        "proxy",
        exchange::Config {
            domain_routes: vec![DomainRoute {
                domain: "gateway.test".into(),
                next_hop: (ip(3), 5060).into(),
            }],
            ..users(&["ann"])
        },
    );
    let gateway = w.stranger("gateway");
    w.run_until_registered(&[ann]);
    w.call(ann, "sip:112@gateway.test");
    let first = w.hears(gateway, "INVITE");
    let ask = "WWW-Authenticate: Digest realm=\"gateway\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"";
    w.says(gateway, &first, first.reply("401 Unauthorized", "g1", ask, ""));
    let second = w.hears(gateway, "INVITE");
    assert!(second.headers("Authorization").any(|a| a.contains("realm=\"gateway\"")), "{}", second.text);
    let body = sdp((ip(3), 9000).into(), &["PCMU"], "sendrecv");
    w.says(gateway, &second, second.reply("200 OK", "g2", "Contact: <sip:10.0.0.3>", &body));
    w.hears(gateway, "ACK");
    w.run_for(secs(2.0));
    w.hang_up(ann);
    let bye = w.hears(gateway, "BYE");
    w.says(gateway, &bye, bye.reply("200 OK", "", "", ""));
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn a_proxy_that_is_dead_is_passed_over_for_the_next() {
    let mut w = world("RFC 3665 section 3.4; RFC 3263 section 4.3");
    let srv = |priority, target: &str| Record::Srv { priority, weight: 0, port: 5060, target: target.into() };
    let host = |n: u8| vec![Record::A(std::net::Ipv4Addr::new(10, 0, 0, n))];
    w.name(Question::Srv("_sip._udp.offhook.test".into()), vec![srv(1, "one.test"), srv(2, "two.test")]);
    w.name(Question::A("one.test".into()), host(2));
    w.name(Question::A("two.test".into()), host(3));
    let ann = w.phone("ann", Some(Account { proxy: None, register: false, ..account("ann", ip(2)) }));
    let one = w.exchange("one", trusting());
    w.exchange("two", trusting());
    let bob = w.phone("bob", Some(account("bob", ip(3))));
    w.run_until_registered(&[bob]);
    w.kill(one);
    talk(&mut w, ann, bob, "bob");
    w.hang_up(ann);
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn a_proxy_that_says_nothing_is_passed_over_when_its_time_is_up() {
    let mut w = world("RFC 3665 section 3.4; RFC 3261 section 17.1.1.2");
    let srv = |priority, target: &str| Record::Srv { priority, weight: 0, port: 5060, target: target.into() };
    let host = |n: u8| vec![Record::A(std::net::Ipv4Addr::new(10, 0, 0, n))];
    w.name(Question::Srv("_sip._udp.offhook.test".into()), vec![srv(1, "one.test"), srv(2, "two.test")]);
    w.name(Question::A("one.test".into()), host(2));
    w.name(Question::A("two.test".into()), host(3));
    let ann = w.phone("ann", Some(Account { proxy: None, register: false, ..account("ann", ip(2)) }));
    let one = w.exchange("one", trusting());
    w.exchange("two", trusting());
    let bob = w.phone("bob", Some(account("bob", ip(3))));
    w.run_until_registered(&[bob]);
    w.sleep(one);
    let mut w = w.hiding(Method::Register);
    w.call(ann, "bob");
    ring(&mut w, bob);
    w.run_for(secs(1.0));
    w.hang_up(ann);
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn an_offer_without_a_codec_of_ours_is_not_acceptable() {
    let mut w = world("RFC 3261 section 13.3.1.3").about(&[Name::Warning]);
    let stranger = w.stranger("stranger");
    let bob = w.phone("bob", Some(Account { proxy: None, register: false, ..account("bob", ip(1)) }));
    let body = sdp(w.addr(stranger), &["PCMU"], "sendrecv").replace("RTP/AVP 0", "RTP/AVP 4");
    w.opens(
        stranger,
        bob,
        "INVITE sip:bob@10.0.0.2 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\nMax-Forwards: 70\n\
         From: <sip:a@10.0.0.1>;tag=a\nTo: <sip:bob@10.0.0.2>\nCall-ID: c\nCSeq: 1 INVITE\n\
         Contact: <sip:10.0.0.1>",
        &body,
    );
    w.hears(stranger, "488");
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn a_redirected_call_without_an_offer_is_answered_in_the_ack() {
    let mut w = world("RFC 3665 section 3.6").about(&[Name::Contact]);
    let late = Account { late_offer: true, ..account("ann", ip(2)) };
    let ann = w.phone("ann", Some(late));
    let moved = Redirect { prefix: "9".into(), contact: "sip:bob@offhook.test".into() };
    w.exchange("proxy", exchange::Config { redirects: vec![moved], ..trusting() });
    let bob = w.phone("bob", Some(account("bob", ip(2))));
    w.run_until_registered(&[ann, bob]);
    talk(&mut w, ann, bob, "9000");
    w.hang_up(ann);
    w.run_until_quiet();
    keep(&w);
}

#[test]
pub(crate) fn a_phone_that_moves_in_a_call_registers_there_and_tells_the_other_side_by_re_invite() {
    let (w, [ann, _, bob]) = pair("RFC 3665 section 3.7");
    let mut w = w.about(&[Name::Contact]);
    talking(&mut w, bob, ann, "ann");
    let (wifi, addr) = (base::NetworkId::new(1), "10.0.1.1".parse().expect("an address"));
    w.appear(ann, Network::new(wifi, NetworkKind::Wifi, vec![addr]));
    w.run_for(secs(4.0));
    w.note("the old network goes");
    w.vanish(ann, base::NetworkId::SYSTEM);
    w.hang_up(bob);
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn a_phone_that_is_known_by_its_flow_moves_without_a_word_of_the_old_one() {
    let mut w = world("RFC 5626 section 9").about(&[Name::Contact]);
    let instance = Some("urn:uuid:00000000-0000-1000-8000-000a95a0e128".into());
    let config = phone::Config { instance, ..phone::Config::default() };
    let ann = w.phone_with("ann", Some(account("ann", ip(2))), config);
    w.exchange("proxy", trusting());
    let bob = w.phone("bob", Some(account("bob", ip(2))));
    w.run_until_registered(&[ann, bob]);
    let mut w = w.about(&[Name::Contact]);
    talking(&mut w, bob, ann, "ann");
    let (wifi, addr) = (base::NetworkId::new(1), "10.0.1.1".parse().expect("an address"));
    w.appear(ann, Network::new(wifi, NetworkKind::Wifi, vec![addr]));
    w.run_for(secs(4.0));
    w.vanish(ann, base::NetworkId::SYSTEM);
    w.hang_up(bob);
    w.run_until_quiet();
    talk(&mut w, bob, ann, "ann");
    w.hang_up(ann);
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn a_caller_who_gives_up_cancels() {
    let (mut w, [ann, _, bob]) = pair("RFC 3665 section 3.8");
    w.call(ann, "bob");
    ring(&mut w, bob);
    w.run_for(secs(15.0));
    w.hang_up(ann);
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn a_call_that_is_declined_as_busy_ends_with_the_reason() {
    let (mut w, [ann, _, bob]) = pair("RFC 3665 section 3.9");
    w.call(ann, "bob");
    ring(&mut w, bob);
    w.run_for(secs(2.0));
    let call = w.live(bob);
    w.command(bob, Command::Reject(call, 486));
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn a_phone_that_does_not_respond_is_given_up_after_32_seconds() {
    let (mut w, [ann, _, bob]) = pair("RFC 3665 section 3.10");
    w.sleep(bob);
    w.call(ann, "bob");
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn a_phone_whose_owner_does_not_want_to_be_disturbed_is_temporarily_unavailable() {
    let (mut w, [ann, _, bob]) = pair("RFC 3665 section 3.11");
    w.command(bob, Command::DoNotDisturb(true));
    w.call(ann, "bob");
    w.run_until_quiet();
    assert_eq!(w.at(bob).calls().filter(|c| c.state != CallState::Ended).count(), 0);
    keep(&w);
}

#[test]
fn a_number_that_nobody_has_is_not_found() {
    let (mut w, [ann, ..]) = pair("RFC 3261 section 21.4.5");
    w.call(ann, "4711");
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn a_call_over_tcp_is_the_same_call() {
    let tcp = |a: &mut Account| a.proxy = Some("sip:10.0.0.2;transport=tcp;lr".parse().expect("a URI"));
    let (mut w, [ann, _, bob]) = pair_with("RFC 3665 section 3.1, over TCP", trusting(), tcp, tcp);
    talk(&mut w, ann, bob, "bob");
    w.hang_up(ann);
    w.run_until_quiet();
    keep(&w);
}

#[test]
fn early_media_is_heard_before_the_answer() {
    let (mut w, [ann, _, bob]) = pair("RFC 3960 section 3");
    w.call(ann, "bob");
    ring(&mut w, bob);
    let call = w.live(bob);
    w.command(bob, Command::Progress(call));
    w.run_until_state(ann, CallState::Early);
    w.run_for(secs(3.0));
    w.answer(bob);
    w.run_until_state(ann, CallState::Active);
    w.run_for(secs(2.0));
    w.hang_up(ann);
    w.run_until_quiet();
    keep(&w);
}
