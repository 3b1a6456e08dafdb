//! RFC 3261 section 10.3 and its kin, step by step.

use std::time::Duration;

use sip::message::{Message, Name};

use crate::Limits;
use crate::bindings::Bindings as _;
use crate::harness::*;

const HOME: &str = "<sip:1002@192.0.2.12>";

fn contacts(h: &House) -> Vec<String> {
    h.exchange.bindings().of("1002").iter().map(|b| b.contact.to_string()).collect()
}

/// Registers 1002 with given Call-ID and CSeq; the status.
fn ordered(h: &mut House, call_id: &str, cseq: u32, contact: &str, extra: &str) -> u16 {
    let text = h.request("REGISTER sip:offhook.test", "1002", BOB, &format!("Contact: {contact}\r\n{extra}"));
    let message = Message::read(text.as_bytes()).unwrap();
    let text = text
        .replace("To: <sip:", "To: <sip:1002@")
        .replace(message.call_id().unwrap(), call_id)
        .replace(&format!("CSeq: {}", message.cseq().unwrap()), &format!("CSeq: {} REGISTER", cseq - 1));
    h.authorized(UDP, BOB, "1002", "secret-1002", &text).message.status().unwrap()
}

/// Steps 7 and 8.
#[test]
fn a_binding_is_made_told_refreshed_fetched_and_ends() {
    let mut h = house(config());
    let ok = h.register("1002", BOB, "<sip:1002@192.0.2.12>;expires=100;q=0.5", "");
    assert_eq!(ok.message.status(), Some(200));
    assert_eq!(ok.values(Name::Contact), ["<sip:1002@192.0.2.12>;expires=100;q=0.500"]);
    assert_eq!(ok.value(Name::Date), "Fri, 15 Jan 2027 08:00:00 GMT");
    assert!(ok.message.to().unwrap().tag().is_some());
    h.wait(Duration::from_secs(40));
    let fetched = h.register("1002", BOB, "", "").values(Name::Contact);
    assert_eq!(fetched, ["<sip:1002@192.0.2.12>;expires=60;q=0.500"]);
    h.register("1002", BOB, "<sip:1002@192.0.2.12>;expires=100", "");
    assert_eq!(contacts(&h).len(), 1);
    h.wait(Duration::from_secs(99));
    assert_eq!(contacts(&h).len(), 1);
    h.wait(Duration::from_secs(2));
    assert_eq!((contacts(&h).len(), h.exchange.counters().expired), (0, 1));
}

/// Step 7: parameter, then header field, then default; cut to the most.
#[test]
fn the_interval_is_the_contacts_then_the_requests_then_the_default() {
    let mut h = house(config());
    let granted = |ok: Sent| ok.message.contacts().last().unwrap().unwrap().expires();
    assert_eq!(granted(h.register("1002", BOB, "<sip:a@h>;expires=200", "Expires: 300\r\n")), Some(200));
    assert_eq!(granted(h.register("1002", BOB, "<sip:b@h>", "Expires: 300\r\n")), Some(300));
    assert_eq!(granted(h.register("1002", BOB, "<sip:c@h>", "")), Some(3600));
    assert_eq!(granted(h.register("1002", BOB, "<sip:d@h>;expires=999999", "")), Some(7200));
}

/// Step 7, and section 21.4.17.
#[test]
fn an_interval_too_brief_is_answered_with_the_least() {
    let mut h = house(config());
    let brief = h.register("1002", BOB, "<sip:1002@192.0.2.12>;expires=10", "");
    assert_eq!((brief.message.status(), brief.value(Name::MinExpires)), (Some(423), "60"));
    assert!(contacts(&h).is_empty());
}

/// Step 7, last paragraph: all or nothing.
#[test]
fn one_contact_refused_refuses_them_all() {
    let mut h = house(config());
    let two = h.register("1002", BOB, "<sip:a@192.0.2.12>, <sip:b@192.0.2.12>;expires=10", "");
    assert_eq!(two.message.status(), Some(423));
    assert!(contacts(&h).is_empty());
    let two = h.register("1002", BOB, "<sip:a@192.0.2.12>, <sip:b@192.0.2.12>, <sip:a@192.0.2.12>", "");
    assert_eq!((two.message.status(), contacts(&h).len()), (Some(200), 2));
}

/// Step 6.
#[test]
fn a_star_takes_all_and_only_with_expires_zero_and_alone() {
    let mut h = house(config());
    h.register("1002", BOB, "<sip:a@192.0.2.12>, <sip:b@192.0.2.12>", "");
    for (contact, extra) in [("*", ""), ("*", "Expires: 60\r\n"), ("*, <sip:c@h>", "Expires: 0\r\n")] {
        assert_eq!(h.register("1002", BOB, contact, extra).message.status(), Some(400), "{contact}");
    }
    assert_eq!(contacts(&h).len(), 2);
    let gone = h.register("1002", BOB, "*", "Expires: 0\r\n");
    assert_eq!((gone.message.status(), contacts(&h).len()), (Some(200), 0));
    assert!(!gone.message.has(Name::Contact));
}

/// Step 7: an older request of the same Call-ID is out of order; another Call-ID is another story.
#[test]
fn a_request_overtaken_by_a_newer_one_changes_nothing() {
    let mut h = house(config());
    assert_eq!(ordered(&mut h, "call", 20, HOME, ""), 200);
    assert_eq!(ordered(&mut h, "call", 10, "<sip:1002@192.0.2.12>;expires=0", ""), 500);
    assert_eq!(ordered(&mut h, "call", 10, "*", "Expires: 0\r\n"), 500);
    assert_eq!(contacts(&h).len(), 1);
    assert_eq!(ordered(&mut h, "other", 2, "<sip:1002@192.0.2.12>;expires=0", ""), 200);
    assert!(contacts(&h).is_empty());
}

/// Section 19.1.4 decides which binding is meant.
#[test]
fn equal_uris_are_one_binding_whatever_their_spelling() {
    let mut h = house(config());
    h.register("1002", BOB, "<sip:%31002@EXAMPLE.com;Transport=udp>", "");
    h.register("1002", BOB, "<sip:1002@example.com;transport=UDP>;expires=90", "");
    assert_eq!(contacts(&h), ["sip:1002@example.com;transport=UDP"]);
}

/// Bounds of our own.
#[test]
fn one_user_has_a_bounded_number_of_bindings_of_bounded_length() {
    let mut h =
        house(crate::Config { limits: Limits { bindings_per_user: 2, ..Limits::default() }, ..config() });
    h.register("1002", BOB, "<sip:a@h>, <sip:b@h>", "");
    assert_eq!(h.register("1002", BOB, "<sip:c@h>", "").message.status(), Some(403));
    let long = format!("<sip:{}@h>", "a".repeat(2000));
    assert_eq!(h.register("1002", BOB, &long, "").message.status(), Some(400));
    assert_eq!(h.register("1002", BOB, "<tel:+123456>", "").message.status(), Some(400));
    assert_eq!(contacts(&h).len(), 2);
}

/// Steps 2, 4 and 5.
#[test]
fn only_ones_own_existing_address_can_be_registered() {
    let mut h = house(config());
    let mut status = |to: &str, extra: &str| {
        let text = h.request("REGISTER sip:offhook.test", "1001", ANN, extra);
        let text = text.replace("To: <sip:offhook.test>", &format!("To: <{to}>"));
        h.authorized(UDP, ANN, "1001", "secret-1001", &text).message.status()
    };
    assert_eq!(status("sip:1001@offhook.test", ""), Some(200));
    assert_eq!(status("sip:1002@offhook.test", ""), Some(403));
    assert_eq!(status("sip:4444@offhook.test", ""), Some(404));
    assert_eq!(status("sip:1001@other.test", ""), Some(404));
    let text = h.request("REGISTER sip:offhook.test", "1001", ANN, "Require: path, gruu\r\n");
    let sent = h.datagram(ANN, &text);
    assert_eq!((sent[0].message.status(), sent[0].value(Name::Unsupported)), (Some(420), "gruu"));
}

/// RFC 3327 section 5.3: a Path that the phone knows nothing of was slipped in.
#[test]
fn a_path_unknown_to_the_phone_is_refused() {
    let mut h = house(config());
    let refused = h.register("1002", BOB, HOME, "Path: <sip:edge@192.0.2.13;lr>\r\n");
    assert_eq!((refused.message.status(), refused.value(Name::Unsupported)), (Some(420), "path"));
}

/// RFC 5626 section 6: instance and reg-id are the binding's name, whatever the contact says now.
#[test]
fn a_phone_that_moves_replaces_the_binding_of_its_flow() {
    let mut h = house(config());
    let flow = |at: &str, id: u8| format!("<sip:1002@{at}>;+sip.instance=\"<urn:uuid:1>\";reg-id={id}");
    let supported = "Supported: outbound\r\n";
    h.register("1002", BOB, &flow("192.0.2.12", 1), supported);
    let ok = h.register("1002", CEM, &flow("192.0.2.13", 1), supported);
    assert_eq!(contacts(&h), ["sip:1002@192.0.2.13"]);
    assert_eq!(ok.value(Name::Require), "outbound");
    assert!(
        ok.value(Name::Contact).contains("+sip.instance=\"<urn:uuid:1>\";reg-id=1"),
        "{}",
        ok.value(Name::Contact)
    );
    h.register("1002", BOB, &flow("192.0.2.12", 2), supported);
    assert_eq!(contacts(&h).len(), 2);
    let via_proxy = format!("Path: <sip:edge@192.0.2.13;lr>\r\nSupported: path\r\n{supported}");
    assert_eq!(h.register("1002", BOB, &flow("192.0.2.12", 3), &via_proxy).message.status(), Some(439));
}

/// RFC 3608 section 6.1, when configured.
#[test]
fn a_service_route_is_given_when_configured() {
    let mut h = house(crate::Config { service_route: true, ..config() });
    assert_eq!(h.register("1002", BOB, HOME, "").value(Name::ServiceRoute), "<sip:192.0.2.1:5060;lr>");
}

/// Section 10.3 step 1: registering elsewhere is a request like others.
#[test]
fn a_register_for_another_domain_is_forwarded_there() {
    let domain_routes = vec![crate::DomainRoute { domain: "other.test".into(), next_hop: addr(CEM) }];
    let mut h = house(crate::Config { domain_routes, ..config() });
    let text = h.request("REGISTER sip:other.test", "1002", BOB, "");
    let sent = h.datagram(BOB, &text);
    assert_eq!(sent[0].line(), format!("REGISTER sip:other.test -> {CEM}"));
    assert!(!sent[0].message.has(Name::RecordRoute));
}

/// Whether a phone registered itself shows in its contact; who registers another place is believed.
#[test]
fn a_contact_elsewhere_is_called_there_and_not_where_the_register_came_from() {
    let mut h = house(config());
    h.register("1002", BOB, "<sip:1002@192.0.2.12>, <sip:1002@192.0.2.13:5070>", "");
    let ways: Vec<bool> = h.exchange.bindings().of("1002").iter().map(|b| b.way.is_some()).collect();
    assert_eq!(ways, [true, false]);
}
