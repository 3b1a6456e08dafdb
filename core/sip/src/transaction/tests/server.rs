//! RFC 3261 section 17.2.2, RFC 4320.

use super::*;

fn asked(transport: Transport) -> Bench {
    let mut b = Bench::over(transport);
    b.hear(theirs("OPTIONS", VIA));
    b.saw(&["0 < OPTIONS"]);
    b
}

#[test]
fn a_repeated_request_is_absorbed_before_the_answer_and_answered_again_after_it() {
    let mut b = asked(Transport::Udp);
    b.hear(theirs("OPTIONS", VIA));
    b.respond(&Method::Options, 200);
    b.hear(theirs("OPTIONS", VIA));
    b.saw(&["0 > 200", "0 > 200"]);
    assert!(!b.respond(&Method::Options, 500), "one final only");
}

/// Timer J.
#[test]
fn the_answer_is_kept_for_64_t1_over_datagrams_and_not_at_all_over_a_stream() {
    let mut b = asked(Transport::Udp);
    b.respond(&Method::Options, 200);
    b.until(32_000);
    b.saw(&["0 > 200", "32000 < finished"]);
    let mut b = asked(Transport::Tcp);
    b.respond(&Method::Options, 200);
    // Finished is told with the next news or time.
    b.until(0);
    b.saw(&["0 > 200", "0 < finished"]);
    assert!(b.layer.is_empty());
}

/// RFC 4320 section 4.1.
#[test]
fn a_100_goes_out_when_the_clients_timer_e_is_at_t2_and_not_before() {
    let mut b = asked(Transport::Udp);
    assert!(!b.respond(&Method::Options, 100), "too early over datagrams");
    b.until(20_000);
    b.saw(&["3500 > 100"]);
    b.hear(theirs("OPTIONS", VIA));
    b.respond(&Method::Options, 200);
    b.saw(&["20000 > 100", "20000 > 200"]);
}

/// RFC 4320 section 4.1.
#[test]
fn over_a_stream_a_100_may_go_at_once_and_no_other_provisional_ever() {
    let mut b = asked(Transport::Tcp);
    assert!(!b.respond(&Method::Options, 183));
    assert!(b.respond(&Method::Options, 100));
    b.until(10_000);
    b.saw(&["0 > 100"]);
}

/// RFC 4320 section 4.2.
#[test]
fn a_408_is_never_sent_and_an_unanswered_request_ends_in_silence() {
    let mut b = asked(Transport::Udp);
    assert!(!b.respond(&Method::Options, 408));
    b.hear(theirs("OPTIONS", VIA));
    b.until(40_000);
    b.saw(&["32000 < finished"]);
}

#[test]
fn an_abandoned_request_absorbs_repetitions_and_says_nothing() {
    let mut b = asked(Transport::Udp);
    let tx = b.got[0].0;
    b.layer.abandon(tx);
    b.hear(theirs("OPTIONS", VIA));
    b.until(40_000);
    b.saw(&["32000 < finished"]);
}
