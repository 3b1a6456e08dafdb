//! The proxy against scripted neighbours in virtual time.

use crate::harness::*;

/// RFC 3261 section 16.2 whole, for one callee: INVITE 100 180 200 ACK BYE 200.
#[test]
fn a_call_goes_through_and_stays_on_our_path() {
    let mut h = house(config());
    assert_eq!(h.register("1002", BOB, "<sip:1002@192.0.2.12>", "").message.status(), Some(200));
    let invite = h.request("INVITE sip:1002@offhook.test", "1001", ANN, "Contact: <sip:1001@192.0.2.11>\r\n");
    let sent = h.datagram(ANN, &invite);
    assert_eq!(
        House::lines(&sent),
        ["100 -> 192.0.2.11:5060", "INVITE sip:1002@192.0.2.12 -> 192.0.2.12:5060"]
    );
    let invited = &sent[1];
    let ringing = h.datagram(BOB, &reply(invited, 180, "b", ""));
    assert_eq!(House::lines(&ringing), ["180 -> 192.0.2.11:5060"]);
    assert_eq!(ringing[0].message.vias().count(), 1);
    let ok = h.datagram(BOB, &reply(invited, 200, "b", "Contact: <sip:1002@192.0.2.12>\r\n"));
    assert_eq!(House::lines(&ok), ["200 -> 192.0.2.11:5060"]);
    let route = format!("Route: {}\r\n", ok[0].value(sip::message::Name::RecordRoute));
    let call_id = ok[0].value(sip::message::Name::CallId).to_string();
    for (method, from) in [("ACK", ANN), ("BYE", ANN)] {
        let text = h.request(&format!("{method} sip:1002@192.0.2.12"), "1001", from, &route);
        let own = text.split("Call-ID: ").nth(1).unwrap().split("\r\n").next().unwrap().to_string();
        let sent = h.datagram(from, &text.replace(&own, &call_id));
        assert_eq!(House::lines(&sent), [format!("{method} sip:1002@192.0.2.12 -> {BOB}")]);
        assert!(!sent[0].message.has(sip::message::Name::Route));
    }
}
