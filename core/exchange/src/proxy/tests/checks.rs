//! RFC 3261 section 16.3 and 16.5: what is not forwarded, and why.

use sip::locate::Question;
use sip::message::Method;
use sip::order::Order;
use stir::testing::Authority;
use stir::{Attest, Party, Token};

use super::*;
use crate::Config;
use crate::config::DomainRoute;
use crate::harness::WALL;
use crate::redirect::Redirect;

fn first(h: &mut House, text: &str) -> String {
    let sent = h.datagram(ANN, text);
    assert!(sent.len() <= 2, "{:?}", House::lines(&sent));
    sent.last().map_or(String::new(), Sent::line)
}

/// RFC 3261 section 16.3 item 3, and section 16.6 item 3.
#[test]
fn max_forwards_ends_at_zero_and_begins_at_seventy() {
    let mut h = with_bob(&[(BOB, "<sip:1002@192.0.2.12>")]);
    let zero = invite(&mut h).replace("Max-Forwards: 70", "Max-Forwards: 0");
    assert_eq!(first(&mut h, &zero), "483 -> 192.0.2.11:5060");
    let absent = invite(&mut h).replace("Max-Forwards: 70\r\n", "");
    assert_eq!(h.datagram(ANN, &absent)[1].value(Name::MaxForwards), "70");
    let nonsense = invite(&mut h).replace("Max-Forwards: 70", "Max-Forwards: many");
    assert_eq!(first(&mut h, &nonsense), "400 -> 192.0.2.11:5060");
}

/// RFC 3261 section 16.3 item 5.
#[test]
fn an_extension_that_proxies_must_know_is_unsupported() {
    let mut h = with_bob(&[(BOB, "<sip:1002@192.0.2.12>")]);
    let text = invite(&mut h).replace("Max-Forwards", "Proxy-Require: foo, bar\r\nMax-Forwards");
    let sent = h.datagram(ANN, &text);
    assert_eq!((sent[0].message.status(), sent[0].value(Name::Unsupported)), (Some(420), "foo, bar"));
}

/// RFC 5393 section 4.2.
#[test]
fn a_request_that_comes_back_unchanged_has_looped_and_a_changed_one_spirals() {
    let next_hop = addr(CEM);
    let domain_routes = vec![DomainRoute { domain: "other.test".into(), next_hop }];
    let mut h = house(crate::Config { domain_routes, ..config() });
    h.register("1002", BOB, "<sip:1002@192.0.2.12>", "");
    let text = h.request("INVITE sip:x@other.test", "1001", ANN, "");
    let out = h.datagram(ANN, &text).remove(1);
    assert_eq!(out.line(), format!("INVITE sip:x@other.test -> {CEM}"));
    let back = |out: &Sent, uri: &str| {
        let text = String::from_utf8(out.message.bytes().to_vec()).unwrap();
        let via = format!("Via: SIP/2.0/UDP {CEM};branch=z9hG4bKcem{uri}\r\nVia");
        text.replacen("Via", &via, 1).replacen("sip:x@other.test", uri, 1)
    };
    let sent = h.datagram(CEM, &back(&out, "sip:x@other.test"));
    assert_eq!(sent[0].message.status(), Some(482));
    let sent = h.datagram(CEM, &back(&out, "sip:1002@offhook.test"));
    assert_eq!(sent[1].line(), "INVITE sip:1002@192.0.2.12 -> 192.0.2.12:5060");
    assert_eq!(h.exchange.counters().loops, 1);
}

/// RFC 3261 section 16.3 items 1 and 2, and section 18.3: to be answered, unless it is a response or an ACK.
#[test]
fn what_is_wrong_is_answered_and_what_cannot_be_is_counted() {
    let mut h = house(config());
    let mail = h.request("INVITE mailto:bob@example.com", "1001", ANN, "");
    assert_eq!(first(&mut h, &mail), "416 -> 192.0.2.11:5060");
    let no_from = invite(&mut h).replace("From:", "X-From:");
    assert_eq!(first(&mut h, &no_from), "400 -> 192.0.2.11:5060");
    let version = invite(&mut h).replacen("SIP/2.0\r\n", "SIP/7.0\r\n", 1);
    assert_eq!(first(&mut h, &version), "505 -> 192.0.2.11:5060");
    let ack = invite(&mut h).replace("INVITE", "ACK").replace("From:", "X-From:");
    assert_eq!(first(&mut h, &ack), "");
    for garbage in ["GET / HTTP/1.1", "x", "SIP/2.0 200", "INVITE sip:a SIP/2.0\r\n\r\n"] {
        assert_eq!(first(&mut h, garbage), "");
    }
    assert_eq!(first(&mut h, "\r\n\r\n"), "");
    let seen = *h.exchange.counters();
    assert_eq!((seen.keepalives, seen.refused), (1, 3), "{seen:?}");
    assert!(seen.malformed + h.exchange.transaction_counters().malformed >= 4, "{seen:?}");
}

/// RFC 3261 section 16.5 and section 21.4.5, 21.4.18.
#[test]
fn who_is_unknown_is_not_found_and_who_is_away_is_unavailable() {
    let mut h = house(config());
    let text = h.request("INVITE sip:7777@offhook.test", "1001", ANN, "");
    assert_eq!(first(&mut h, &text), "404 -> 192.0.2.11:5060");
    let text = h.request("INVITE sip:1003@OFFHOOK.test:5060", "1001", ANN, "");
    assert_eq!(first(&mut h, &text), "480 -> 192.0.2.11:5060");
}

/// RFC 3261 section 8.3. An own user of that name goes first.
#[test]
fn a_number_that_moved_is_answered_with_where() {
    let rule = |prefix: &str, contact: &str| Redirect { prefix: prefix.into(), contact: contact.into() };
    let redirects = vec![rule("8", "sip:{number}@127.0.0.1:6060"), rule("1", "sip:elsewhere@x.test")];
    let mut h = house(crate::Config { redirects, ..config() });
    let text = h.request("INVITE sip:8123@offhook.test", "1001", ANN, "");
    let sent = h.datagram(ANN, &text);
    assert_eq!(sent[0].message.status(), Some(302));
    assert_eq!(sent[0].value(Name::Contact), "<sip:8123@127.0.0.1:6060>");
    let text = h.request("INVITE sip:1003@offhook.test", "1001", ANN, "");
    assert_eq!(first(&mut h, &text), "480 -> 192.0.2.11:5060");
}

/// RFC 3966 in RFC 3261 section 16.5: a telephone number is looked up like a user.
#[test]
fn a_tel_uri_reaches_the_user_of_that_number() {
    let mut h = with_bob(&[(BOB, "<sip:1002@192.0.2.12>")]);
    let text = h.request("INVITE tel:10-02", "1001", ANN, "");
    assert_eq!(first(&mut h, &text), "INVITE sip:1002@192.0.2.12 -> 192.0.2.12:5060");
}

/// RFC 3261 section 16.5: another domain. RFC 3263 finds it; strangers do not get there through us.
#[test]
fn other_domains_are_for_own_users_and_named_ones_need_no_dns() {
    let mut h = house(config());
    let text = h.request("INVITE sip:x@far.test", "1001", ANN, "");
    assert_eq!(first(&mut h, &text), "100 -> 192.0.2.11:5060");
    assert!(
        matches!(&h.out[..], [Order::Resolve { question: Question::Naptr(name), .. }] if name == "far.test")
    );
    h.out.clear();
    let text =
        h.request("INVITE sip:x@far.test", "eve", CEM, "").replace("eve@offhook.test", "eve@evil.test");
    assert_eq!(h.datagram(CEM, &text)[0].line(), format!("403 -> {CEM}"));
    let to_tag =
        text.replace("To: <sip:x@far.test>", "To: <sip:x@far.test>;tag=1").replace("bKeve", "bKeve2");
    assert_eq!(h.datagram(CEM, &to_tag)[0].line(), format!("403 -> {CEM}"), "a To tag is no leave");
    let route = format!("Route: <sip:aaaaaaaaaaaaa@{HERE};lr>\r\nMax-F");
    let forged = to_tag.replace("Max-F", &route).replace("bKeve", "bKeve3");
    assert_eq!(
        h.datagram(CEM, &forged)[0].line(),
        format!("403 -> {CEM}"),
        "nor is a Route that we did not write"
    );
}

/// RFC 3261 section 11.2.
/// RFC 3420; ours: whoever asks learns what became of his request on the way.
#[test]
fn options_to_the_exchange_are_said_back_to_who_asks_for_it_broken_or_not() {
    let mut h = house(config());
    let plain = h.request("OPTIONS sip:offhook.test", "1001", ANN, "");
    assert!(h.datagram(ANN, &plain)[0].message.body().is_empty());
    let asking = h.request("OPTIONS sip:offhook.test", "1001", ANN, "Accept: message/sipfrag\r\n");
    let sent = h.datagram(ANN, &asking);
    assert!(sent[0].message.is_body("message/sipfrag"));
    assert!(sent[0].message.body().starts_with(b"OPTIONS sip:offhook.test SIP/2.0\r\nVia: "));
    let cut = h.request("OPTIONS sip:offhook.test", "1001", ANN, "Accept: message/sipfrag\r\n");
    let sent = h.datagram(ANN, &cut.replace("Content-Length: 0", "Content-Length: 9"));
    assert_eq!((sent[0].message.status(), sent[0].message.is_body("message/sipfrag")), (Some(400), true));
}

#[test]
fn options_to_the_exchange_are_answered_and_to_a_user_forwarded() {
    let mut h = with_bob(&[(BOB, "<sip:1002@192.0.2.12>")]);
    let text = h.request("OPTIONS sip:offhook.test", "1001", ANN, "");
    let sent = h.datagram(ANN, &text);
    assert_eq!(sent[0].message.status(), Some(200));
    assert!(sent[0].value(Name::Allow).contains("MESSAGE") && !sent[0].value(Name::To).is_empty());
    let text = h.request("OPTIONS sip:1002@offhook.test", "1001", ANN, "");
    assert_eq!(first(&mut h, &text), "OPTIONS sip:1002@192.0.2.12 -> 192.0.2.12:5060");
}

/// RFC 3325 section 7, and the same for the field that was before it.
#[test]
fn of_who_wants_privacy_nothing_that_names_it_is_passed_on() {
    let mut h = with_bob(&[(BOB, "<sip:1002@192.0.2.12>")]);
    let named = "<sip:+4930@offhook.test>";
    let said = format!(
        "P-Preferred-Identity: {named}\r\nP-Asserted-Identity: {named}\r\nRemote-Party-ID: {named};privacy=full\r\n"
    );
    for (privacy, told) in [("Privacy: id\r\n", false), ("", true)] {
        let text = h.request("INVITE sip:1002@offhook.test", "1001", ANN, &format!("{said}{privacy}"));
        let sent = h.datagram(ANN, &text);
        let invite = &sent.last().expect("it is passed on").message;
        assert_eq!(invite.request_uri().unwrap().as_str(), "sip:1002@192.0.2.12");
        assert!(!invite.has(Name::PPreferredIdentity));
        assert_eq!((invite.has(Name::RemotePartyId), invite.has(Name::Privacy)), (told, !told));
        assert_eq!(invite.has(Name::PAssertedIdentity), told);
    }
}

/// RFC 3325 section 5.
#[test]
fn who_prefers_to_be_another_user_is_asserted_as_himself() {
    let mut h = with_bob(&[(BOB, "<sip:1002@192.0.2.12>")]);
    for (preferred, asserted) in [
        ("<sip:+4930@offhook.test>", "<sip:+4930@offhook.test>"),
        ("\"Ann\" <sip:1001@offhook.test>", "\"Ann\" <sip:1001@offhook.test>"),
        ("<sip:1003@offhook.test>", "<sip:1001@offhook.test>"),
        ("<sip:%31003@offhook.test>", "<sip:1001@offhook.test>"),
        ("<sip:1003;ext=1@192.0.2.1>", "<sip:1001@offhook.test>"),
        ("<sip:+4930@else.test>", "<sip:1001@offhook.test>"),
        ("what?", "<sip:1001@offhook.test>"),
    ] {
        let said = format!("P-Preferred-Identity: {preferred}\r\n");
        let text = h.request("INVITE sip:1002@offhook.test", "1001", ANN, &said);
        let sent = h.datagram(ANN, &text);
        let invite = &sent.last().expect("it is passed on");
        assert_eq!(invite.value(Name::PAssertedIdentity), asserted, "{preferred}");
    }
}

/// RFC 8588 sections 4 and 5.
#[test]
fn own_users_who_have_shown_who_they_are_are_signed_for_as_far_as_that_goes() {
    let seal = Authority::new("Root", 1).issue("Exchange", 9, None).seal("https://cr.offhook.test/c.pem");
    let signed = |user: &str, fields: &str, change: fn(&str) -> String| {
        let mut h = house(Config { challenge: true, seal: Some(seal.clone()), ..config() });
        h.register("1002", BOB, "<sip:1002@192.0.2.12>", "");
        let text = change(&h.request("INVITE sip:1002@offhook.test", user, ANN, fields));
        let again = h.answer_challenge(UDP, ANN, user, &format!("secret-{user}"), &text);
        let sent = h.datagram(ANN, &again);
        let invite = sent.into_iter().last().expect("it is passed on").message;
        assert_eq!(invite.method(), Method::Invite);
        let field = invite.first(Name::Identity)?.to_vec();
        let token = Token::read(&field, &invite, &invite.from().unwrap()).unwrap();
        assert!(token.is_signed_by_point(&seal.point()) && token.iat() == WALL);
        assert_eq!((token.info(), token.dest()), ("https://cr.offhook.test/c.pem", &[number("1002")][..]));
        Some((token.attest().unwrap(), token.orig().clone()))
    };
    let same = |text: &str| text.to_owned();
    assert_eq!(signed("1001", "", same), Some((Attest::Number, number("1001"))));
    let chosen = "P-Preferred-Identity: <sip:+4930@offhook.test>\r\n";
    assert_eq!(signed("1001", chosen, same), Some((Attest::Customer, number("4930"))));
    let anothers = "P-Preferred-Identity: <sip:1003@offhook.test>\r\n";
    assert_eq!(signed("1001", anothers, same), Some((Attest::Number, number("1001"))));
    // Who hides is signed for to nobody, and nobody signs beside somebody else.
    assert_eq!(signed("1001", "Privacy: id\r\n", same), None);
    let hidden =
        |text: &str| text.replace("<sip:1001@offhook.test>;tag", "<sip:anonymous@anonymous.invalid>;tag");
    let named = "Privacy: id\r\nP-Preferred-Identity: <sip:1001@offhook.test>\r\n";
    assert_eq!(signed("1001", named, hidden), None);
}

#[test]
fn nobody_is_signed_for_who_has_not_shown_who_he_is() {
    let seal = Authority::new("Root", 1).issue("Exchange", 9, None).seal("https://cr.offhook.test/c.pem");
    let mut h = house(Config { seal: Some(seal), ..config() });
    h.register("1002", BOB, "<sip:1002@192.0.2.12>", "");
    for user in ["1001", "+4930"] {
        let text = h.request("INVITE sip:1002@offhook.test", user, ANN, "");
        let sent = h.datagram(ANN, &text);
        let invite = &sent.last().expect("it is passed on").message;
        assert!(invite.method() == Method::Invite && !invite.has(Name::Identity));
    }
}

fn number(digits: &str) -> Party {
    Party::Number(digits.to_owned())
}
