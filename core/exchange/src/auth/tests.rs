//! RFC 3261 section 22 at our door.

use std::time::Duration;

use sip::message::Name;

use crate::Config;
use crate::harness::*;

fn guarded() -> House {
    let mut h = house(Config { challenge: true, ..config() });
    h.register("1002", BOB, "<sip:1002@192.0.2.12>", "");
    h
}

/// Sections 22.2 and 22.3: a registrar asks by 401, a proxy by 407; RFC 8760 section 2.3: the strongest first.
#[test]
fn registrations_and_calls_are_challenged_each_in_its_way() {
    let mut h = guarded();
    let text = h.request("REGISTER sip:offhook.test", "1001", ANN, "");
    let sent = h.datagram(ANN, &text);
    assert_eq!(sent[0].message.status(), Some(401));
    let offered: Vec<_> = sent[0].message.all(Name::WwwAuthenticate).collect();
    assert!(offered.len() == 2 && offered[0].windows(7).any(|w| w == b"SHA-256"));
    let text = h.request("MESSAGE sip:1002@offhook.test", "1001", ANN, "");
    let again = h.answer_challenge(UDP, ANN, "1001", "secret-1001", &text);
    let sent = h.datagram(ANN, &again);
    assert_eq!(sent[0].line(), format!("MESSAGE sip:1002@192.0.2.12 -> {BOB}"));
    assert!(!sent[0].message.has(Name::ProxyAuthorization), "our credentials go no further");
}

/// A caller from elsewhere has no password here. Section 22.3 lets each proxy decide.
#[test]
fn strangers_may_call_own_users_without_a_password() {
    let mut h = guarded();
    let text =
        h.request("INVITE sip:1002@offhook.test", "eve", ANN, "").replace("eve@offhook.test", "eve@far.test");
    assert_eq!(h.datagram(ANN, &text)[1].line(), format!("INVITE sip:1002@192.0.2.12 -> {BOB}"));
}

#[test]
fn nobody_calls_in_anothers_name() {
    let mut h = guarded();
    let text = h.request("INVITE sip:1002@offhook.test", "1003", ANN, "");
    let refused = h.authorized(UDP, ANN, "1001", "secret-1001", &text);
    assert_eq!(refused.message.status(), Some(403));
}

/// Within a call that was let begin, no request is challenged: the Record-Route is the proof.
#[test]
fn requests_within_a_call_pass_by_their_route() {
    let mut h = guarded();
    let text = h.request("INVITE sip:1002@offhook.test", "1001", ANN, "Contact: <sip:1001@192.0.2.11>\r\n");
    let again = h.answer_challenge(UDP, ANN, "1001", "secret-1001", &text);
    let out = h.datagram(ANN, &again).remove(1);
    let ok = h.datagram(BOB, &reply(&out, 200, "b", "")).remove(0);
    let route = ok.value(Name::RecordRoute);
    let bye = again.replace("INVITE", "BYE").replace("bKauth", "bKbye").replace("Proxy-Auth", "X-");
    let bye = bye
        .replace("Max-F", &format!("Route: {route}\r\nMax-F"))
        .replace("sip:1002@offhook.test S", "sip:1002@192.0.2.12 S");
    let sent = h.datagram(ANN, &bye);
    assert_eq!(sent[0].line(), format!("BYE sip:1002@192.0.2.12 -> {BOB}"));
    let other_call = bye.replace("Call-ID: ", "Call-ID: x").replace("bKbye", "bKbye2");
    assert_eq!(h.datagram(ANN, &other_call)[0].message.status(), Some(407));
}

/// Section 22.4, RFC 7616 section 3.3: an old nonce is no wrong password.
#[test]
fn a_nonce_too_old_is_stale_and_costs_nothing() {
    let mut h = guarded();
    let text = h.request("MESSAGE sip:1002@offhook.test", "1001", ANN, "");
    let again = h.answer_challenge(UDP, ANN, "1001", "secret-1001", &text);
    h.wait(Duration::from_secs(301));
    let sent = h.datagram(ANN, &again);
    assert_eq!(sent[0].message.status(), Some(407));
    assert!(sent[0].value(Name::ProxyAuthenticate).contains("stale=true"));
    assert_eq!(h.exchange.door_counters().wrong, 0);
}

/// Guessing gets slow, then silent; the right password is not tried meanwhile, and works again afterwards.
#[test]
fn guessing_is_held_off_and_then_not_even_answered() {
    let mut h = guarded();
    let mut attempt = |password: &str, wait: u64| {
        h.wait(Duration::from_secs(wait));
        let text = h.request("MESSAGE sip:1002@offhook.test", "1001", ANN, "");
        let again = h.answer_challenge(UDP, ANN, "1001", password, &text);
        let sent = h.datagram(ANN, &again);
        sent.first().map(|s| (s.message.status(), s.value(Name::RetryAfter).to_string()))
    };
    for _ in 0..4 {
        assert_eq!(attempt("guess", 0).unwrap().0, Some(407));
    }
    let (status, retry_after) = attempt("secret-1001", 0).unwrap();
    assert_eq!((status, &*retry_after), (Some(503), "2"));
    for _ in 0..7 {
        assert_eq!(attempt("guess", 0).unwrap().0, Some(503));
    }
    assert_eq!(attempt("guess", 0), None);
    assert_eq!(attempt("secret-1001", 2).unwrap().0, None, "forwarded");
    let seen = *h.exchange.door_counters();
    assert_eq!((seen.wrong, seen.held_off, seen.ignored), (4, 8, 1));
}
