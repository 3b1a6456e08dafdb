//! The proxy against scripted neighbours in virtual time.

mod checks;
mod forking;
mod routing;

use std::time::Duration;

use sip::message::Name;

use crate::harness::*;

/// A house where 1002 has registered `contacts`, each `(address, Contact value)`.
fn with_bob(contacts: &[(&str, &str)]) -> House {
    let mut h = house(config());
    for (from, contact) in contacts {
        assert_eq!(h.register("1002", from, contact, "").message.status(), Some(200));
    }
    h
}

/// Ann's INVITE to 1002.
fn invite(h: &mut House) -> String {
    h.request("INVITE sip:1002@offhook.test", "1001", ANN, "Contact: <sip:1001@192.0.2.11>\r\n")
}

/// A request within the dialog that `first` (a request of the same sender) began.
fn within(h: &mut House, first: &str, line: &str, from: &str, extra: &str) -> String {
    let field = |text: &str, name: &str| {
        let at = text.find(&format!("\r\n{name}: ")).unwrap() + name.len() + 4;
        text[at..].split("\r\n").next().unwrap().to_string()
    };
    let text = h.request(line, "1001", from, extra);
    let mut changed = text.clone();
    for name in ["From", "To", "Call-ID"] {
        changed = changed.replace(&field(&text, name), &field(first, name));
    }
    changed
}

/// RFC 3261 section 16.2 whole, for one callee: INVITE 100 180 200 ACK BYE 200.
#[test]
fn a_call_goes_through_and_stays_on_our_path() {
    let mut h = with_bob(&[(BOB, "<sip:1002@192.0.2.12>")]);
    let invite = invite(&mut h);
    let sent = h.datagram(ANN, &invite);
    assert_eq!(
        House::lines(&sent),
        ["100 -> 192.0.2.11:5060", "INVITE sip:1002@192.0.2.12 -> 192.0.2.12:5060"]
    );
    let invited = &sent[1];
    assert_eq!(invited.value(Name::MaxForwards), "69");
    let ringing = h.datagram(BOB, &reply(invited, 180, "b", ""));
    assert_eq!(House::lines(&ringing), ["180 -> 192.0.2.11:5060"]);
    assert_eq!(ringing[0].message.vias().count(), 1);
    let ok = h.datagram(BOB, &reply(invited, 200, "b", "Contact: <sip:1002@192.0.2.12>\r\n"));
    assert_eq!(House::lines(&ok), ["200 -> 192.0.2.11:5060"]);
    assert_eq!(ok[0].values(Name::RecordRoute).len(), 1);
    let route = format!("Route: {}\r\n", ok[0].value(Name::RecordRoute));
    for method in ["ACK", "BYE"] {
        let text = within(&mut h, &invite, &format!("{method} sip:1002@192.0.2.12"), ANN, &route);
        let sent = h.datagram(ANN, &text);
        assert_eq!(House::lines(&sent), [format!("{method} sip:1002@192.0.2.12 -> {BOB}")]);
        assert!(!sent[0].message.has(Name::Route));
        if method == "BYE" {
            assert_eq!(
                House::lines(&h.datagram(BOB, &reply(&sent[0], 200, "b", ""))),
                ["200 -> 192.0.2.11:5060"]
            );
        }
    }
    h.wait(Duration::from_secs(60));
    assert_eq!(h.exchange.in_hand(), 0, "contexts end with their transactions");
}
