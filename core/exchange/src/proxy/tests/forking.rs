//! RFC 3261 sections 16.6 to 16.10: several targets, their answers, and giving up.

use std::time::Duration;

use sip::message::Method;

use super::*;

const DAN: &str = "192.0.2.14:5060";

/// Bob at two places that ring together.
fn two_phones() -> House {
    with_bob(&[(BOB, "<sip:1002@192.0.2.12>"), (CEM, "<sip:1002@192.0.2.13>")])
}

/// Sends Ann's INVITE; what went out to the phones.
fn fork(h: &mut House, text: &str) -> Vec<Sent> {
    h.datagram(ANN, text).into_iter().filter(|s| s.message.is_request()).collect()
}

fn cancel_of(invite: &str) -> String {
    invite.replace("INVITE", "CANCEL").replace("Contact: <sip:1001@192.0.2.11>\r\n", "")
}

/// RFC 3261 section 16.7 items 5 and 10, RFC 3326 section 2.
#[test]
fn the_first_answer_calls_the_other_phone_off() {
    let mut h = two_phones();
    let text = invite(&mut h);
    let out = fork(&mut h, &text);
    assert_eq!(
        House::lines(&out),
        [format!("INVITE sip:1002@192.0.2.12 -> {BOB}"), format!("INVITE sip:1002@192.0.2.13 -> {CEM}")]
    );
    assert_ne!(out[0].value(Name::Via), out[1].value(Name::Via));
    h.datagram(BOB, &reply(&out[0], 180, "b", ""));
    h.datagram(CEM, &reply(&out[1], 180, "c", ""));
    let sent = h.datagram(BOB, &reply(&out[0], 200, "b", ""));
    assert_eq!(
        House::lines(&sent),
        [format!("200 -> {ANN}"), format!("CANCEL sip:1002@192.0.2.13 -> {CEM}")]
    );
    assert_eq!(sent[1].value(Name::Reason), "SIP;cause=200;text=\"Call completed elsewhere\"");
    let sent = h.datagram(CEM, &reply(&out[1], 487, "c", ""));
    assert_eq!(House::lines(&sent), [format!("ACK sip:1002@192.0.2.13 -> {CEM}")], "the 487 goes no further");
}

/// RFC 3261 section 16.7 item 5: after the first 2xx too.
#[test]
fn an_answer_that_crosses_the_cancel_reaches_the_caller_as_well() {
    let mut h = two_phones();
    let text = invite(&mut h);
    let out = fork(&mut h, &text);
    h.datagram(BOB, &reply(&out[0], 200, "b", ""));
    let sent = h.datagram(CEM, &reply(&out[1], 200, "c", ""));
    assert_eq!(House::lines(&sent), [format!("200 -> {ANN}")]);
    assert!(sent[0].value(Name::To).ends_with("tag=c"));
    // Repetitions too, for the ACK may have been lost. RFC 6026 section 8.
    assert_eq!(House::lines(&h.datagram(CEM, &reply(&out[1], 200, "c", ""))), [format!("200 -> {ANN}")]);
}

/// RFC 3261 section 17.2.3: the phone knows the transaction by its branch, wherever it is by now.
#[test]
fn a_phone_that_moves_while_it_rings_is_called_off_where_it_is_now_and_may_answer_there() {
    for answers in [false, true] {
        let mut h = with_bob(&[(BOB, "<sip:1002@192.0.2.12>")]);
        let text = invite(&mut h);
        let out = fork(&mut h, &text);
        h.datagram(BOB, &reply(&out[0], 180, "b", ""));
        let moves = "<sip:1002@192.0.2.14>, <sip:1002@192.0.2.12>;expires=0";
        assert_eq!(h.register("1002", DAN, moves, "").message.status(), Some(200));
        if answers {
            let sent = h.datagram(DAN, &reply(&out[0], 200, "b", "Contact: <sip:1002@192.0.2.14>\r\n"));
            assert_eq!(House::lines(&sent), [format!("200 -> {ANN}")]);
        } else {
            let sent = h.datagram(ANN, &cancel_of(&text));
            assert_eq!(
                House::lines(&sent),
                [format!("200 -> {ANN}"), format!("CANCEL sip:1002@192.0.2.12 -> {DAN}")]
            );
            assert_eq!(sent[1].value(Name::Via), out[0].value(Name::Via));
            h.datagram(DAN, &reply(&out[0], 487, "b", ""));
        }
    }
}

/// RFC 3261 section 16.6: targets from highest qvalue to lowest.
#[test]
fn less_preferred_phones_ring_when_the_more_preferred_have_refused() {
    let mut h = with_bob(&[
        (CEM, "<sip:1002@192.0.2.13>;q=0.2"),
        (BOB, "<sip:1002@192.0.2.12>;q=0.9"),
        (DAN, "<sip:1002@192.0.2.14>;q=0.2"),
    ]);
    let text = invite(&mut h);
    let out = fork(&mut h, &text);
    assert_eq!(House::lines(&out), [format!("INVITE sip:1002@192.0.2.12 -> {BOB}")]);
    let sent = h.datagram(BOB, &reply(&out[0], 486, "b", ""));
    let mut lines = House::lines(&sent);
    lines.sort();
    assert_eq!(
        lines,
        [
            format!("ACK sip:1002@192.0.2.12 -> {BOB}"),
            format!("INVITE sip:1002@192.0.2.13 -> {CEM}"),
            format!("INVITE sip:1002@192.0.2.14 -> {DAN}")
        ]
    );
}

/// RFC 3261 section 16.7 items 5 and 6.
#[test]
fn a_six_hundred_ends_the_search_but_waits_for_the_others() {
    let mut h = with_bob(&[
        (BOB, "<sip:1002@192.0.2.12>"),
        (CEM, "<sip:1002@192.0.2.13>"),
        (DAN, "<sip:1002@192.0.2.14>;q=0.1"),
    ]);
    let text = invite(&mut h);
    let out = fork(&mut h, &text);
    h.datagram(BOB, &reply(&out[0], 180, "b", ""));
    let sent = h.datagram(CEM, &reply(&out[1], 603, "c", ""));
    assert_eq!(
        House::lines(&sent),
        [format!("ACK sip:1002@192.0.2.13 -> {CEM}"), format!("CANCEL sip:1002@192.0.2.12 -> {BOB}")]
    );
    let sent = h.datagram(BOB, &reply(&out[0], 487, "b", ""));
    assert_eq!(House::lines(&sent), [format!("ACK sip:1002@192.0.2.12 -> {BOB}"), format!("603 -> {ANN}")]);
}

/// RFC 3261 section 16.7 item 7.
#[test]
fn all_challenges_go_back_together() {
    let mut h = two_phones();
    let text = invite(&mut h);
    let out = fork(&mut h, &text);
    h.datagram(BOB, &reply(&out[0], 401, "b", "WWW-Authenticate: Digest realm=\"b\", nonce=\"1\"\r\n"));
    let sent =
        h.datagram(CEM, &reply(&out[1], 407, "c", "Proxy-Authenticate: Digest realm=\"c\", nonce=\"2\"\r\n"));
    let final_response = sent.iter().find(|s| s.to == ANN).unwrap();
    assert_eq!(final_response.message.status(), Some(401));
    assert!(final_response.value(Name::WwwAuthenticate).contains("\"b\""));
    assert!(final_response.value(Name::ProxyAuthenticate).contains("\"c\""));
}

/// RFC 3261 section 16.7 item 6.
#[test]
fn a_phone_out_of_service_does_not_put_the_exchange_out_of_service() {
    let mut h = with_bob(&[(BOB, "<sip:1002@192.0.2.12>")]);
    let text = invite(&mut h);
    let out = fork(&mut h, &text);
    let sent = h.datagram(BOB, &reply(&out[0], 503, "b", ""));
    assert_eq!(sent.last().unwrap().line(), format!("500 -> {ANN}"));
}

/// RFC 3261 section 16.7 item 6 for INVITE; RFC 4320 section 4.1 for the rest: no 408, and no provisional but 100.
#[test]
fn silence_is_a_408_for_an_invite_and_silence_for_anything_else() {
    let mut h = with_bob(&[(BOB, "<sip:1002@192.0.2.12>")]);
    let text = invite(&mut h);
    h.datagram(ANN, &text);
    let sent = h.wait(Duration::from_secs(33));
    let to_ann: Vec<_> = sent.iter().filter(|s| s.to == ANN).map(Sent::line).collect();
    assert!(to_ann.iter().all(|l| *l == format!("408 -> {ANN}")) && !to_ann.is_empty(), "{to_ann:?}");

    let text = h.request("MESSAGE sip:1002@offhook.test", "1001", ANN, "");
    let out = fork(&mut h, &text);
    let sent = h.datagram(BOB, &reply(&out[0], 183, "b", ""));
    assert_eq!(House::lines(&sent), Vec::<String>::new());
    let sent = h.wait(Duration::from_secs(70));
    let of_message = |s: &&Sent| s.to == ANN && s.message.method() == Method::Message;
    let to_ann: Vec<_> = sent.iter().filter(of_message).map(Sent::line).collect();
    assert!(to_ann.iter().all(|l| *l == format!("100 -> {ANN}")), "{to_ann:?}");
    assert_eq!(h.exchange.in_hand(), 0);
}

/// RFC 3261 sections 16.7 item 2 and 16.8.
#[test]
fn timer_c_ends_an_endless_ringing_and_each_provisional_renews_it() {
    let mut h = with_bob(&[(BOB, "<sip:1002@192.0.2.12>")]);
    let text = invite(&mut h);
    let out = fork(&mut h, &text);
    h.datagram(BOB, &reply(&out[0], 180, "b", ""));
    h.wait(Duration::from_secs(180));
    h.datagram(BOB, &reply(&out[0], 180, "b", ""));
    let sent = h.wait(Duration::from_secs(180));
    assert!(!sent.iter().any(|s| s.line().starts_with("CANCEL")));
    let sent = h.wait(Duration::from_secs(6));
    assert!(sent.iter().any(|s| s.line().starts_with("CANCEL")), "{:?}", House::lines(&sent));
    let sent = h.datagram(BOB, &reply(&out[0], 487, "b", ""));
    assert_eq!(sent.last().unwrap().line(), format!("408 -> {ANN}"));
}

/// RFC 3261 section 16.10: hop by hop, and downstream only what has answered (section 9.1).
#[test]
fn a_cancel_is_answered_here_and_follows_each_branch() {
    let mut h = two_phones();
    let text = invite(&mut h);
    let out = fork(&mut h, &text);
    h.datagram(BOB, &reply(&out[0], 180, "b", ""));
    let cancel = cancel_of(&text).replace("Max-F", "Reason: SIP;cause=600\r\nMax-F");
    let sent = h.datagram(ANN, &cancel);
    assert_eq!(
        House::lines(&sent),
        [format!("200 -> {ANN}"), format!("CANCEL sip:1002@192.0.2.12 -> {BOB}")]
    );
    assert_eq!(sent[1].value(Name::Reason), "SIP;cause=600");
    let sent = h.datagram(CEM, &reply(&out[1], 180, "c", ""));
    assert!(sent.iter().any(|s| s.line() == format!("CANCEL sip:1002@192.0.2.13 -> {CEM}")));
    h.datagram(BOB, &reply(&out[0], 487, "b", ""));
    let sent = h.datagram(CEM, &reply(&out[1], 487, "c", ""));
    assert_eq!(sent.last().unwrap().line(), format!("487 -> {ANN}"));
    let unknown = cancel.replace("branch=z9hG4bK", "branch=z9hG4bKother");
    assert_eq!(House::lines(&h.datagram(ANN, &unknown)), [format!("481 -> {ANN}")]);
}

/// RFC 3261 section 9.2: nothing is out yet, so the 487 is ours.
#[test]
fn a_cancel_while_a_name_is_looked_up_ends_the_call_at_once() {
    let mut h = house(config());
    let text = h.request("INVITE sip:x@far.test", "1001", ANN, "");
    h.datagram(ANN, &text);
    let sent = h.datagram(ANN, &cancel_of(&text));
    assert_eq!(House::lines(&sent), [format!("200 -> {ANN}"), format!("487 -> {ANN}")]);
    let ack = text.replace("INVITE", "ACK");
    h.datagram(ANN, &ack);
    h.wait(Duration::from_secs(60));
    assert_eq!(h.exchange.in_hand(), 0);
}

/// RFC 5393 section 5.3.3.
#[test]
fn breadth_is_shared_among_branches_and_given_back_when_they_end() {
    let mut h = two_phones();
    let text = invite(&mut h);
    let out = fork(&mut h, &text);
    assert_eq!(out.iter().map(|s| s.value(Name::MaxBreadth)).collect::<Vec<_>>(), ["30", "30"]);
    let text = invite(&mut h).replace("Max-F", "Max-Breadth: 1\r\nMax-F");
    let out = fork(&mut h, &text);
    assert_eq!(House::lines(&out), [format!("INVITE sip:1002@192.0.2.12 -> {BOB}")]);
    let sent = h.datagram(BOB, &reply(&out[0], 486, "b", ""));
    assert!(sent.iter().any(|s| s.line() == format!("INVITE sip:1002@192.0.2.13 -> {CEM}")));
    let text = invite(&mut h).replace("Max-F", "Max-Breadth: 0\r\nMax-F");
    assert_eq!(h.datagram(ANN, &text).last().unwrap().line(), format!("440 -> {ANN}"));
}

/// RFC 5626 section 7: one flow of a phone at a time, the next when it has failed.
#[test]
fn a_phone_with_two_flows_rings_once_and_by_the_second_when_the_first_has_failed() {
    let mut h = house(config());
    let contact = |ip: &str, id: u8| format!("<sip:1002@{ip}>;+sip.instance=\"<urn:uuid:1>\";reg-id={id}");
    for (from, contact) in [(BOB, contact("192.0.2.12", 1)), (CEM, contact("192.0.2.13", 2))] {
        h.now += Duration::from_secs(1);
        let ok = h.register("1002", from, &contact, "Supported: path, outbound\r\n");
        assert_eq!((ok.message.status(), ok.value(Name::Require)), (Some(200), "outbound"));
    }
    let text = invite(&mut h);
    let out = fork(&mut h, &text);
    assert_eq!(House::lines(&out), [format!("INVITE sip:1002@192.0.2.13 -> {CEM}")], "the newest");
    let sent = h.datagram(CEM, &reply(&out[0], 430, "c", ""));
    assert_eq!(sent.last().unwrap().line(), format!("INVITE sip:1002@192.0.2.12 -> {BOB}"));
    let sent = h.datagram(BOB, &reply(sent.last().unwrap(), 486, "b", ""));
    assert_eq!(sent.last().unwrap().line(), format!("486 -> {ANN}"));
}

/// RFC 6026 section 8: what belongs to no transaction goes nowhere.
#[test]
fn stray_responses_are_dropped() {
    let mut h = two_phones();
    let text = invite(&mut h);
    let out = fork(&mut h, &text);
    let stray = reply(&out[0], 200, "b", "").replace("branch=z9hG4bK", "branch=z9hG4bKx");
    assert_eq!(House::lines(&h.datagram(BOB, &stray)), Vec::<String>::new());
}

/// An ICMP error for the only phone. RFC 3261 section 16.9.
#[test]
fn nobody_at_the_address_is_known_at_once() {
    let mut h = with_bob(&[(BOB, "<sip:1002@192.0.2.12>")]);
    let text = invite(&mut h);
    h.datagram(ANN, &text);
    let (now, mut out) = (h.now, std::mem::take(&mut h.out));
    h.exchange.flow_failed(base::Transport::Udp, addr(BOB), now, &mut out);
    h.out = out;
    assert_eq!(House::lines(&h.sent()), [format!("500 -> {ANN}")]);
}
