//! INVITEs that are carried on by another flow. RFC 3261 sections 9.1, 17.1.3 and 17.2.3.

use super::*;

const ELSEWHERE: &str = "203.0.113.7:5060";

fn other() -> Hop {
    Hop {
        flow: FlowId(2),
        transport: Transport::Udp,
        remote: ELSEWHERE.parse().unwrap(),
        local: "192.0.2.77:5060".parse().unwrap(),
    }
}

/// The CANCEL is that of the INVITE as it was sent, by the other way.
#[test]
fn an_invite_of_ours_outlives_its_flow_and_is_cancelled_by_another() {
    let mut b = Bench::over(Transport::Tcp);
    let tx = b.request(&Method::Invite);
    b.answered(&Method::Invite, 180);
    b.layer.loosen(tx);
    b.layer.flow_down(FlowId(1), &mut b.news);
    b.note();
    b.saw(&["0 > INVITE", "0 < 180"]);
    assert!(b.layer.carry(tx, other()));
    assert_eq!(b.layer.flow_of(tx), Some(FlowId(2)));
    b.cancel(tx);
    b.saw(&["0 > CANCEL"]);
    let (invite, (to, cancel)) = (&b.sent[0].1, &b.sent[1]);
    assert_eq!(to.to_string(), ELSEWHERE);
    assert_eq!(invite.first(Name::Via), cancel.first(Name::Via));
    // From now on it is the other flow that it ends with.
    b.layer.flow_down(FlowId(2), &mut b.news);
    b.note();
    b.saw(&["0 < unreachable", "0 < finished"]);
    assert!(!b.layer.carry(tx, other()), "it is gone");
}

#[test]
fn an_invite_of_theirs_is_answered_by_the_flow_that_carries_it_on() {
    let mut b = Bench::over(Transport::Udp);
    b.hear(theirs("INVITE", "SIP/2.0/UDP 198.51.100.2:5060;branch=z9hG4bKpeer"));
    b.respond(&Method::Invite, 180);
    let tx = b.got[0].0;
    assert!(b.layer.carry(tx, other()));
    b.respond(&Method::Invite, 200);
    b.saw(&["0 < INVITE", "0 > 180", "0 > 200"]);
    assert_eq!(b.sent.last().unwrap().0.to_string(), ELSEWHERE);
}
