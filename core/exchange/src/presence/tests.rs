//! RFC 3856, 3903, 4235 and 6665 at the exchange: who asks what, and what is said to whom.

use std::time::Duration;

use sip::message::Name;

use crate::harness::{ANN, BOB, CEM, House, Sent, config, house, reply};

const SECOND: Duration = Duration::from_secs(1);
const OPEN: &str =
    "<presence><tuple id=\"a\"><status><basic>open</basic></status></tuple><note>mine</note></presence>";

/// 1001 at ANN, registered; 1002 at BOB, not.
fn pair() -> House {
    let mut h = house(config());
    h.register("1001", ANN, "<sip:1001@192.0.2.11:5060>", "");
    h
}

fn bob_comes(h: &mut House) -> Vec<Sent> {
    let text = h.request("REGISTER sip:offhook.test", "1002", BOB, "Contact: <sip:1002@192.0.2.12:5060>\r\n");
    let text = text.replace("To: <sip:", "To: <sip:1002@");
    let again = h.answer_challenge(crate::harness::UDP, BOB, "1002", "secret-1002", &text);
    h.datagram(BOB, &again)
}

fn subscribe(h: &mut House, whom: &str, package: &str, expires: u32) -> Vec<Sent> {
    let extra = format!("Event: {package}\r\nExpires: {expires}\r\nContact: <sip:1001@192.0.2.11:5060>\r\n");
    let text = h.request(&format!("SUBSCRIBE sip:{whom}@offhook.test"), "1001", ANN, &extra);
    h.datagram(ANN, &text)
}

fn publish(h: &mut House, extra: &str, body: &str) -> Vec<Sent> {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/pidf+xml\r\n" };
    let text =
        h.request("PUBLISH sip:1002@offhook.test", "1002", BOB, &format!("Event: presence\r\n{kind}{extra}"));
    let text = text.replace("Content-Length: 0", &format!("Content-Length: {}", body.len()));
    h.datagram(BOB, &(text + body))
}

/// A refresh, or an end, of the subscription that this NOTIFY is of.
fn refresh(h: &mut House, notify: &Sent, cseq: u32, expires: u32) -> Vec<Sent> {
    let (from, to) = (notify.value(Name::To).to_owned(), notify.value(Name::From).to_owned());
    let contact = notify.value(Name::Contact).trim_matches(['<', '>']).to_owned();
    let (n, call_id) = (h.serial(), notify.value(Name::CallId).to_owned());
    let text = format!(
        "SUBSCRIBE {contact} SIP/2.0\r\nVia: SIP/2.0/UDP {ANN};branch=z9hG4bKr{n};rport\r\nMax-Forwards: 70\r\n\
         From: {from}\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} SUBSCRIBE\r\nEvent: presence\r\n\
         Expires: {expires}\r\nContact: <sip:1001@192.0.2.11:5060>\r\nContent-Length: 0\r\n\r\n"
    );
    h.datagram(ANN, &text)
}

/// The NOTIFY among what was sent, which is answered.
fn told(h: &mut House, sent: Vec<Sent>) -> Option<Sent> {
    let notify = sent.into_iter().find(|it| it.message.method() == sip::message::Method::Notify)?;
    if notify.message.is_request() {
        let ok = reply(&notify, 200, "", "");
        h.datagram(ANN, &ok);
    }
    Some(notify)
}

fn body(sent: &Sent) -> String {
    String::from_utf8_lossy(sent.message.body()).into_owned()
}

fn status(sent: &[Sent]) -> Option<u16> {
    sent.first()?.message.status()
}

/// RFC 3856 section 8: told at once, and when the phone comes and goes; never twice the same.
#[test]
fn a_user_who_publishes_nothing_is_open_while_a_phone_of_his_is_there() {
    let mut h = pair();
    let sent = subscribe(&mut h, "1002", "presence", 600);
    assert_eq!((status(&sent), sent[0].value(Name::Expires)), (Some(200), "600"));
    let first = told(&mut h, sent).unwrap();
    assert_eq!(first.value(Name::SubscriptionState), "active;expires=600");
    assert!(body(&first).contains("<basic>closed</basic>"), "{}", body(&first));
    h.wait(6 * SECOND);
    let sent = bob_comes(&mut h);
    let second = told(&mut h, sent).unwrap();
    assert!(body(&second).contains("<basic>open</basic>"));
    h.wait(6 * SECOND);
    let sent = bob_comes(&mut h);
    assert!(told(&mut h, sent).is_none(), "he is as he was");
    let sent = h.wait(Duration::from_secs(590));
    let last = told(&mut h, sent).unwrap();
    assert_eq!(last.value(Name::SubscriptionState), "terminated;reason=timeout");
    h.wait(60 * SECOND);
    assert!(h.exchange.is_quiet());
}

/// RFC 3903 section 6: initial, refresh, modify, remove; an entity tag that is no more; RFC 3856 section 6.10: every 5 s.
#[test]
fn what_a_user_publishes_is_told_until_he_takes_it_back() {
    let mut h = pair();
    bob_comes(&mut h);
    let sent = subscribe(&mut h, "1002", "presence", 600);
    told(&mut h, sent).unwrap();
    h.wait(6 * SECOND);
    let sent = publish(&mut h, "Expires: 120\r\n", OPEN);
    let (granted, first) = (status(&sent), sent[0].value(Name::SipEtag).to_owned());
    assert_eq!((granted, sent[0].value(Name::Expires)), (Some(200), "120"));
    assert_eq!(body(&told(&mut h, sent).unwrap()), OPEN);
    let busy = OPEN.replace("mine", "busy");
    let sent = publish(&mut h, &format!("SIP-If-Match: {first}\r\n"), &busy);
    let second = sent[0].value(Name::SipEtag).to_owned();
    assert!(status(&sent) == Some(200) && second != first && sent.len() == 1, "not so soon");
    let sent = h.wait(5 * SECOND);
    assert_eq!(body(&told(&mut h, sent).unwrap()), busy);
    assert_eq!(status(&publish(&mut h, &format!("SIP-If-Match: {first}\r\n"), "")), Some(412));
    let sent = publish(&mut h, &format!("Expires: 60\r\nSIP-If-Match: {second}\r\n"), "");
    let third = sent[0].value(Name::SipEtag).to_owned();
    assert_eq!((status(&sent), sent.len()), (Some(200), 1), "a refresh is no news");
    h.wait(30 * SECOND);
    let sent = publish(&mut h, &format!("Expires: 0\r\nSIP-If-Match: {third}\r\n"), "");
    assert!(body(&told(&mut h, sent).unwrap()).contains("exchange"), "and is as without");
    let sent = publish(&mut h, "Expires: 60\r\n", OPEN);
    assert_eq!(status(&sent), Some(200));
    let sent = h.wait(6 * SECOND);
    assert_eq!(body(&told(&mut h, sent).unwrap()), OPEN);
    let sent = h.wait(60 * SECOND);
    assert!(body(&told(&mut h, sent).unwrap()).contains("exchange"), "it has run out");
}

#[test]
fn what_is_wrong_with_a_publication_is_said_and_nothing_is_kept() {
    let mut h = pair();
    let long = format!("<presence>{}</presence>", "x".repeat(9000));
    assert_eq!(status(&publish(&mut h, "Expires: 5\r\n", OPEN)), Some(423));
    assert_eq!(status(&publish(&mut h, "", "")), Some(400));
    assert_eq!(status(&publish(&mut h, "", &long)), Some(413));
    assert_eq!(status(&publish(&mut h, "SIP-If-Match: none\r\n", OPEN)), Some(412));
    let other = h.request("PUBLISH sip:1002@offhook.test", "1002", BOB, "Event: dialog\r\n");
    let sent = h.datagram(BOB, &other);
    assert_eq!((status(&sent), sent[0].value(Name::AllowEvents)), (Some(489), "presence"));
    let of_another = h.request("PUBLISH sip:1002@offhook.test", "1001", ANN, "Event: presence\r\n");
    assert_eq!(status(&h.datagram(ANN, &of_another)), Some(403));
    let stranger = h.request("PUBLISH sip:1002@offhook.test", "mallory", CEM, "Event: presence\r\n");
    let stranger = stranger.replace("<sip:mallory@offhook.test>", "<sip:mallory@elsewhere.test>");
    assert_eq!(status(&h.datagram(CEM, &stranger)), Some(403));
    assert_eq!(h.exchange.presence_counters().published, 0);
}

/// RFC 6665 section 4.2.1.2: refreshed in its dialog; ended; a fetch; a dialog that is no more.
#[test]
fn a_subscription_is_refreshed_and_ended_in_its_dialog() {
    let mut h = pair();
    let sent = subscribe(&mut h, "1002", "presence", 100);
    let notify = told(&mut h, sent).unwrap();
    h.wait(80 * SECOND);
    let sent = refresh(&mut h, &notify, 1000, 100);
    assert_eq!(status(&sent), Some(200));
    let again = told(&mut h, sent).unwrap();
    assert_eq!(
        again.value(Name::SubscriptionState),
        "active;expires=100",
        "the whole state, with each refresh"
    );
    assert_eq!(status(&refresh(&mut h, &notify, 999, 100)), Some(500), "an older one");
    let sent = refresh(&mut h, &notify, 1001, 0);
    let last = told(&mut h, sent).unwrap();
    assert_eq!(last.value(Name::SubscriptionState), "terminated;reason=timeout");
    assert_eq!(status(&refresh(&mut h, &notify, 1002, 100)), Some(481));
    let fetched = subscribe(&mut h, "1002", "presence", 0);
    let only = told(&mut h, fetched).unwrap();
    assert!(only.value(Name::SubscriptionState).starts_with("terminated") && body(&only).contains("closed"));
    assert_eq!(status(&subscribe(&mut h, "1002", "presence", 10)), Some(423));
    assert_eq!(status(&subscribe(&mut h, "nobody", "presence", 100)), Some(404));
}

/// RFC 6665 section 4.2.2: a watcher that has forgotten, or is gone, is told no more.
#[test]
fn a_watcher_that_refuses_a_notify_or_does_not_answer_is_forgotten() {
    let mut h = pair();
    for answered in [true, false] {
        let sent = subscribe(&mut h, "1002", "presence", 600);
        let notify = sent.into_iter().nth(1).unwrap();
        if answered {
            let gone = reply(&notify, 481, "", "");
            h.datagram(ANN, &gone);
        } else {
            h.wait(40 * SECOND);
        }
        let sent = refresh(&mut h, &notify, 1000, 100);
        assert_eq!(status(&sent), Some(481), "{answered}");
    }
}

#[test]
fn no_user_makes_more_subscriptions_than_he_may() {
    let mut h = pair();
    let made = (0..super::MOST_OF_ONE).filter(|_| {
        let sent = subscribe(&mut h, "1002", "presence", 600);
        let notify = sent.into_iter().nth(1);
        notify.is_some_and(|it| {
            let ok = reply(&it, 200, "", "");
            h.datagram(ANN, &ok);
            true
        })
    });
    assert_eq!(made.count(), super::MOST_OF_ONE);
    assert_eq!(status(&subscribe(&mut h, "1002", "presence", 600)), Some(403));
}

/// RFC 4235: a lamp, lit by the calls that pass.
#[test]
fn a_busy_lamp_follows_a_call_from_its_invite_to_its_end() {
    let mut h = pair();
    bob_comes(&mut h);
    let sent = subscribe(&mut h, "1002", "dialog", 600);
    let dark = told(&mut h, sent).unwrap();
    assert!(body(&dark).contains("version=\"0\" state=\"full\"") && !body(&dark).contains("<dialog id"));
    h.wait(2 * SECOND);
    for answer in ["486 Busy Here", "200 OK"] {
        let text =
            h.request("INVITE sip:1002@offhook.test", "1003", CEM, "Contact: <sip:1003@192.0.2.13:5060>\r\n");
        let mut sent = h.datagram(CEM, &text);
        let at = sent.iter().position(|it| it.to == BOB).unwrap();
        let invite = sent.remove(at);
        assert!(body(&told(&mut h, sent).unwrap()).contains("direction=\"recipient\"><state>trying<"));
        let ringing = reply(&invite, 180, "b", "");
        let mut sent = h.datagram(BOB, &ringing);
        sent.extend(h.wait(2 * SECOND));
        assert!(body(&told(&mut h, sent).unwrap()).contains("<state>early<"));
        let status: u16 = answer[..3].parse().unwrap();
        let answered = reply(&invite, status, "b", "Contact: <sip:1002@192.0.2.12:5060>\r\n");
        let mut sent = h.datagram(BOB, &answered);
        sent.extend(h.wait(2 * SECOND));
        let lamp = body(&told(&mut h, sent).unwrap());
        assert_eq!(lamp.contains("<state>confirmed<"), status == 200, "{lamp}");
        assert_eq!(lamp.contains("<dialog id"), status == 200, "{lamp}");
        if status == 200 {
            let call_id = invite.value(Name::CallId).to_owned();
            let bye = h.request("BYE sip:1002@192.0.2.12:5060", "1003", CEM, "");
            let own = bye.split("Call-ID: ").nth(1).unwrap().split("\r\n").next().unwrap().to_owned();
            let mut sent = h.datagram(CEM, &bye.replace(&own, &call_id));
            sent.extend(h.wait(2 * SECOND));
            assert!(!body(&told(&mut h, sent).unwrap()).contains("<dialog id"));
        }
    }
}
