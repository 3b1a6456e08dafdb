//! RFC 3261 section 17.1.1, RFC 6026 section 7.2.

use super::*;

/// Timers A and B, section 17.1.1.2.
#[test]
fn an_unanswered_invite_is_sent_seven_times_at_doubling_pauses_and_times_out() {
    let mut b = Bench::over(Transport::Udp);
    b.request(&Method::Invite);
    b.until(40_000);
    b.saw(&[
        "0 > INVITE",
        "500 > INVITE",
        "1500 > INVITE",
        "3500 > INVITE",
        "7500 > INVITE",
        "15500 > INVITE",
        "31500 > INVITE",
        "32000 < timed out",
        "32000 < finished",
    ]);
    assert!(b.layer.is_empty() && b.layer.next_wake().is_none());
}

#[test]
fn over_a_reliable_carrier_it_is_sent_once() {
    let mut b = Bench::over(Transport::Tcp);
    b.request(&Method::Invite);
    b.until(40_000);
    b.saw(&["0 > INVITE", "32000 < timed out", "32000 < finished"]);
}

#[test]
fn a_retransmission_shares_the_bytes_of_its_original() {
    let mut b = Bench::over(Transport::Udp);
    b.request(&Method::Invite);
    b.until(500);
    assert_eq!(b.sent[0].1.bytes().as_ptr(), b.sent[1].1.bytes().as_ptr());
}

#[test]
fn a_provisional_ends_retransmission_and_patience_is_then_the_users() {
    let mut b = Bench::over(Transport::Udp);
    b.request(&Method::Invite);
    b.answered(&Method::Invite, 100);
    b.until(20_000);
    b.answered(&Method::Invite, 180);
    b.until(300_000);
    b.saw(&["0 > INVITE", "0 < 100", "20000 < 180"]);
    assert!(b.layer.next_wake().is_none());
}

/// RFC 6026 section 7.2: `Accepted` hears every 2xx, of every fork, until timer M.
#[test]
fn each_2xx_is_told_until_timer_m_and_none_is_acknowledged_here() {
    let mut b = Bench::over(Transport::Udp);
    b.request(&Method::Invite);
    b.answered(&Method::Invite, 200);
    b.until(1000);
    let other_fork = b.answer_to(&Method::Invite, 200, "other");
    b.hear(other_fork);
    b.answered(&Method::Invite, 180);
    b.answered(&Method::Invite, 486);
    b.until(31_999);
    b.saw(&["0 > INVITE", "0 < 200", "1000 < 200"]);
    b.until(32_000);
    b.saw(&["32000 < finished"]);
    b.answered(&Method::Invite, 200);
    b.saw(&["32000 < stray 200"]);
}

/// Section 17.1.1.3.
#[test]
fn a_refusal_is_acknowledged_with_the_invites_head_and_the_responses_tag() {
    let mut b = Bench::over(Transport::Udp);
    b.request(&Method::Invite);
    b.answered(&Method::Invite, 486);
    b.saw(&["0 > INVITE", "0 > ACK", "0 < 486"]);
    let (invite, ack) = (&b.sent[0].1, b.last_sent());
    let raw =
        |m: &Message, name| m.all(name).map(|v| String::from_utf8(v.to_vec()).unwrap()).collect::<Vec<_>>();
    for name in [Name::Via, Name::Route, Name::From, Name::CallId] {
        assert_eq!(raw(ack, name), raw(invite, name));
    }
    assert_eq!(ack.to().unwrap().tag(), Some("peer"));
    assert_eq!(ack.text(Name::CSeq), Some("7 ACK"));
    assert_eq!(ack.request_uri().unwrap().as_str(), "sip:bob@example.com");
    assert_eq!(ack.max_forwards(), Some(70));
    assert_eq!(b.sent[1].0, THEM.parse().unwrap());
}

/// Timer D.
#[test]
fn a_repeated_refusal_is_acknowledged_again_and_not_told_again_for_32_seconds() {
    let mut b = Bench::over(Transport::Udp);
    b.request(&Method::Invite);
    b.answered(&Method::Invite, 486);
    b.until(4000);
    b.answered(&Method::Invite, 486);
    b.answered(&Method::Invite, 200);
    b.until(31_999);
    b.saw(&["0 > INVITE", "0 > ACK", "0 < 486", "4000 > ACK"]);
    b.until(32_000);
    b.saw(&["32000 < finished"]);
}

#[test]
fn over_a_reliable_carrier_a_refusal_ends_it_at_once() {
    let mut b = Bench::over(Transport::Tcp);
    b.request(&Method::Invite);
    b.answered(&Method::Invite, 486);
    b.saw(&["0 > INVITE", "0 > ACK", "0 < 486", "0 < finished"]);
    assert!(b.layer.is_empty());
}

/// Section 9.1.
#[test]
fn a_cancel_waits_for_a_provisional_and_repeats_the_invites_head() {
    let mut b = Bench::over(Transport::Udp);
    let tx = b.request(&Method::Invite);
    b.layer.cancel(tx, &[(Name::Reason, "SIP;cause=200".into())], b.now, &mut b.out);
    b.until(500);
    b.saw(&["0 > INVITE", "500 > INVITE"]);
    b.answered(&Method::Invite, 180);
    b.saw(&["500 > CANCEL", "500 < 180"]);
    let (invite, cancel) = (&b.sent[0].1, b.last_sent());
    assert_eq!(cancel.text(Name::Via), invite.text(Name::Via));
    assert_eq!(cancel.text(Name::To), invite.text(Name::To));
    assert_eq!(cancel.list(Name::Route).count(), 2);
    assert_eq!(cancel.text(Name::CSeq), Some("7 CANCEL"));
    assert_eq!(cancel.text(Name::Reason), Some("SIP;cause=200"));
}

#[test]
fn the_cancels_own_answers_are_not_the_users_business() {
    let mut b = Bench::over(Transport::Udp);
    let tx = b.request(&Method::Invite);
    b.answered(&Method::Invite, 180);
    b.cancel(tx);
    b.cancel(tx);
    b.answered(&Method::Cancel, 200);
    b.answered(&Method::Invite, 487);
    b.until(40_000);
    b.saw(&["0 > INVITE", "0 < 180", "0 > CANCEL", "0 > ACK", "0 < 487", "32000 < finished"]);
    assert!(b.layer.is_empty());
}

#[test]
fn a_cancel_is_repeated_until_answered_even_after_its_invite_is_gone() {
    let mut b = Bench::over(Transport::Udp);
    let tx = b.request(&Method::Invite);
    b.answered(&Method::Invite, 180);
    b.cancel(tx);
    b.until(500);
    b.answered(&Method::Cancel, 200);
    b.until(4000);
    b.saw(&["0 > INVITE", "0 < 180", "0 > CANCEL", "500 > CANCEL"]);
}

/// Section 9.1: no final within 64 T1 of the CANCEL means that there will be none.
#[test]
fn a_cancelled_invite_without_final_times_out() {
    let mut b = Bench::over(Transport::Tcp);
    let tx = b.request(&Method::Invite);
    b.answered(&Method::Invite, 180);
    b.until(1000);
    b.cancel(tx);
    b.answered(&Method::Cancel, 481);
    b.until(40_000);
    b.saw(&["0 > INVITE", "0 < 180", "1000 > CANCEL", "33000 < timed out", "33000 < finished"]);
}

#[test]
fn nothing_is_cancelled_once_a_final_came() {
    let mut b = Bench::over(Transport::Udp);
    let tx = b.request(&Method::Invite);
    b.answered(&Method::Invite, 200);
    b.cancel(tx);
    b.saw(&["0 > INVITE", "0 < 200"]);
}

/// The race: the CANCEL waited for a provisional, and the 2xx came instead.
#[test]
fn a_waiting_cancel_dies_with_the_final() {
    let mut b = Bench::over(Transport::Udp);
    let tx = b.request(&Method::Invite);
    b.cancel(tx);
    b.answered(&Method::Invite, 200);
    b.answered(&Method::Invite, 180);
    b.until(10_000);
    b.saw(&["0 > INVITE", "0 < 200"]);
}

#[test]
fn time_that_jumps_while_the_device_sleeps_brings_one_timeout_and_no_burst() {
    let mut b = Bench::over(Transport::Udp);
    b.request(&Method::Invite);
    b.now = Instant::from_millis(3_600_000);
    b.layer.due(b.now, &mut b.out, &mut b.news);
    b.note();
    b.saw(&["0 > INVITE", "3600000 < timed out", "3600000 < finished"]);
}
