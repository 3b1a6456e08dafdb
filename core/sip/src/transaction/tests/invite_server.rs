//! RFC 3261 section 17.2.1, RFC 6026 section 7.1.

use super::*;

fn ringing(transport: Transport) -> Bench {
    let mut b = Bench::over(transport);
    b.hear(theirs("INVITE", VIA));
    b.respond(&Method::Invite, 180);
    b.saw(&["0 < INVITE", "0 > 180"]);
    b
}

#[test]
fn a_silent_user_is_covered_by_a_100_without_tag_after_200_ms() {
    let mut b = Bench::over(Transport::Udp);
    b.hear(theirs("INVITE", VIA));
    b.until(199);
    b.saw(&["0 < INVITE"]);
    b.until(10_000);
    b.saw(&["200 > 100"]);
    assert_eq!(b.last_sent().to().unwrap().tag(), None);
}

#[test]
fn an_impatient_client_gets_its_100_at_once_and_a_quick_user_spares_it() {
    let mut b = Bench::over(Transport::Udp);
    b.hear(theirs("INVITE", VIA));
    b.hear(theirs("INVITE", VIA));
    b.saw(&["0 < INVITE", "0 > 100"]);
    let mut b = ringing(Transport::Udp);
    b.until(10_000);
    b.saw(&[]);
}

#[test]
fn a_repeated_invite_gets_the_last_provisional_again() {
    let mut b = ringing(Transport::Udp);
    b.respond(&Method::Invite, 183);
    b.hear(theirs("INVITE", VIA));
    b.saw(&["0 > 183", "0 > 183"]);
}

/// Timers G and H.
#[test]
fn a_refusal_is_repeated_up_to_every_t2_until_64_t1() {
    let mut b = ringing(Transport::Udp);
    b.respond(&Method::Invite, 486);
    b.until(40_000);
    let times = [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
    let mut expected: Vec<String> = times.iter().map(|t| format!("{t} > 486")).collect();
    expected.push("32000 < finished".into());
    assert_eq!(b.log, expected);
}

/// Timer I.
#[test]
fn an_ack_ends_the_repeating_and_late_copies_are_absorbed_for_t4() {
    let mut b = ringing(Transport::Udp);
    b.respond(&Method::Invite, 486);
    b.hear(theirs("INVITE", VIA));
    b.hear(theirs("ACK", VIA));
    b.hear(theirs("ACK", VIA));
    b.hear(theirs("INVITE", VIA));
    b.until(5000);
    b.saw(&["0 > 486", "0 > 486", "5000 < finished"]);
    assert!(b.layer.is_empty());
}

#[test]
fn over_a_reliable_carrier_a_refusal_is_sent_once_and_its_ack_ends_all() {
    let mut b = ringing(Transport::Tcp);
    b.respond(&Method::Invite, 486);
    b.until(20_000);
    b.hear(theirs("ACK", VIA));
    b.saw(&["0 > 486", "20000 < finished"]);
}

/// RFC 6026 section 7.1.
#[test]
fn a_2xx_is_left_to_the_user_while_repeated_invites_are_absorbed_until_timer_l() {
    let mut b = ringing(Transport::Udp);
    b.respond(&Method::Invite, 200);
    b.hear(theirs("INVITE", VIA));
    b.until(500);
    assert!(b.respond(&Method::Invite, 200), "the user's own repetition");
    assert!(!b.respond(&Method::Invite, 486), "a refusal comes too late");
    b.hear(theirs("ACK", VIA));
    b.until(40_000);
    b.saw(&["0 > 200", "500 > 200", "500 < ACK", "32000 < finished"]);
}

#[test]
fn a_second_final_is_not_sent() {
    let mut b = ringing(Transport::Udp);
    b.respond(&Method::Invite, 486);
    assert!(!b.respond(&Method::Invite, 200) && !b.respond(&Method::Invite, 180));
    b.saw(&["0 > 486"]);
    assert_eq!(b.layer.counters().not_sent, 2);
}

/// RFC 6026 section 7.1: else a repeated INVITE would ring again.
#[test]
fn a_broken_flow_does_not_end_it() {
    let mut b = ringing(Transport::Udp);
    b.layer.flow_down(FlowId(1), &mut b.news);
    b.hear(theirs("INVITE", VIA));
    b.saw(&["0 > 180"]);
}

#[test]
fn the_ack_of_a_2xx_with_its_own_branch_is_told() {
    let mut b = ringing(Transport::Udp);
    b.respond(&Method::Invite, 200);
    b.hear(theirs("ACK", "SIP/2.0/UDP 198.51.100.2:5060;branch=z9hG4bKpeer2"));
    b.saw(&["0 > 200", "0 < ACK"]);
}
