//! RFC 3261 section 17.1.2.

use super::*;

/// Timers E and F.
#[test]
fn an_unanswered_request_is_sent_at_pauses_up_to_t2_and_times_out() {
    let mut b = Bench::over(Transport::Udp);
    b.request(&Method::Register);
    b.until(40_000);
    let times = [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
    let mut expected: Vec<String> = times.iter().map(|t| format!("{t} > REGISTER")).collect();
    expected.extend(["32000 < timed out".into(), "32000 < finished".into()]);
    assert_eq!(b.log, expected);
    assert!(b.layer.is_empty());
}

/// Section 17.1.2.2: in `Proceeding` the pause is T2.
#[test]
fn after_a_provisional_it_is_still_sent_every_t2() {
    let mut b = Bench::over(Transport::Udp);
    b.request(&Method::Options);
    b.answered(&Method::Options, 100);
    b.until(10_000);
    b.saw(&["0 > OPTIONS", "0 < 100", "500 > OPTIONS", "4500 > OPTIONS", "8500 > OPTIONS"]);
    b.until(32_000);
    assert_eq!(b.log.last().unwrap(), "32000 < finished");
}

/// Timer K.
#[test]
fn a_final_is_told_once_and_repetitions_are_absorbed_for_t4() {
    let mut b = Bench::over(Transport::Udp);
    b.request(&Method::Options);
    b.answered(&Method::Options, 200);
    b.answered(&Method::Options, 200);
    b.until(5000);
    b.answered(&Method::Options, 200);
    b.saw(&["0 > OPTIONS", "0 < 200", "5000 < finished"]);
    assert_eq!((b.layer.counters().repeated, b.layer.counters().unmatched), (1, 1));
}

#[test]
fn over_a_reliable_carrier_it_is_sent_once_and_a_final_ends_it() {
    let mut b = Bench::over(Transport::Tcp);
    b.request(&Method::Bye);
    b.until(10_000);
    b.answered(&Method::Bye, 200);
    b.saw(&["0 > BYE", "10000 < 200", "10000 < finished"]);
}

/// Section 17.1.4 and 8.1.3.1.
#[test]
fn a_broken_flow_makes_its_requests_unreachable_at_once_and_others_not() {
    let mut b = Bench::over(Transport::Tcp);
    b.request(&Method::Options);
    let other = Hop { flow: FlowId(2), ..b.hop() };
    b.layer.request(draft(&Method::Options), other, b.now, &mut b.out);
    b.layer.flow_down(FlowId(1), &mut b.news);
    b.note();
    b.saw(&["0 > OPTIONS", "0 > OPTIONS", "0 < unreachable", "0 < finished"]);
    assert_eq!(b.layer.len(), 1);
}

/// Section 18.4.
#[test]
fn an_undeliverable_datagram_ends_what_was_sent_there() {
    let mut b = Bench::over(Transport::Udp);
    b.request(&Method::Options);
    b.layer.undeliverable(FlowId(1), "203.0.113.9:5060".parse().unwrap(), &mut b.news);
    b.layer.undeliverable(FlowId(1), THEM.parse().unwrap(), &mut b.news);
    b.note();
    b.saw(&["0 > OPTIONS", "0 < unreachable", "0 < finished"]);
}

#[test]
fn a_final_that_came_before_the_flow_broke_stands() {
    let mut b = Bench::over(Transport::Udp);
    b.request(&Method::Options);
    b.answered(&Method::Options, 200);
    b.layer.flow_down(FlowId(1), &mut b.news);
    b.note();
    b.saw(&["0 > OPTIONS", "0 < 200"]);
}

/// Section 17.1.3: the CSeq's method is part of the name.
#[test]
fn a_response_of_another_method_or_branch_is_nobodys() {
    let mut b = Bench::over(Transport::Udp);
    b.request(&Method::Options);
    let answer = String::from_utf8(b.answer_to(&Method::Options, 200, "x").to_vec()).unwrap();
    b.hear(answer.replace("7 OPTIONS", "7 BYE"));
    b.hear(answer.replace("z9hG4bK", "z9hG4bKz"));
    b.saw(&["0 > OPTIONS"]);
    assert_eq!(b.layer.counters().unmatched, 2);
}
