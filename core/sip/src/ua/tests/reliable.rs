//! Reliable provisional responses. RFC 3262, and RFC 3311 before the answer.

use std::time::Duration;

use crate::message::{Method, Name};
use crate::ua::*;

use super::net::*;

fn ringing(net: &mut Net) -> (SessionId, SessionId) {
    let ours = net.call();
    net.soon();
    let theirs = net.expect(1, invited);
    (ours, theirs)
}

/// Section 3: 100rel on both sides makes 180 reliable, acknowledged once.
#[test]
fn ringing_is_reliable_when_both_can() {
    let mut net = Net::pair();
    let (_, theirs) = ringing(&mut net);
    net.with(1, |a, now, out| a.ring(theirs, now, out));
    net.run(Duration::from_secs(3));
    assert_eq!((net.said("SIP/2.0 180"), net.said("PRACK")), (1, 1), "{}", net.log);
    assert_eq!(net.news(0).iter().filter_map(proceeding).count(), 1);
}

#[test]
fn ringing_is_plain_when_one_side_will_not() {
    for unwilling in [0, 1] {
        let mut net = Net::pair_with(|node, profile| {
            if node == unwilling {
                profile.reliable = Reliable::Off;
            }
        });
        let (_, theirs) = ringing(&mut net);
        net.with(1, |a, now, out| a.ring(theirs, now, out));
        net.soon();
        assert_eq!((net.said("SIP/2.0 180"), net.said("PRACK")), (1, 0));
    }
}

/// Section 3: said again with doubling pauses until the PRACK; heard once by the user (section 4).
#[test]
fn a_lost_provisional_or_prack_is_said_again_and_told_once() {
    for lost in ["SIP/2.0 180", "PRACK"] {
        let mut net = Net::pair();
        let mut left = 3;
        net.lose = Box::new(move |_, text| {
            let hit = left > 0 && text.starts_with(lost);
            left -= i32::from(hit);
            hit
        });
        let (_, theirs) = ringing(&mut net);
        net.with(1, |a, now, out| a.ring(theirs, now, out));
        net.run(Duration::from_secs(10));
        assert_eq!(net.news(0).iter().filter_map(proceeding).count(), 1, "{}", net.log);
        net.with(1, |a, now, out| a.accept(theirs, sdp("answer"), now, out));
        net.soon();
        assert_eq!(net.expect(0, answered), Some(Sdp::Answer(sdp("answer"))));
    }
}

/// Section 3: a provisional that is never acknowledged refuses the INVITE after 64*T1.
#[test]
fn a_provisional_that_nobody_acknowledges_refuses_the_call() {
    let mut net = Net::pair();
    net.lose = Box::new(|_, text| text.starts_with("PRACK"));
    let (_, theirs) = ringing(&mut net);
    net.with(1, |a, now, out| a.ring(theirs, now, out));
    net.run(Duration::from_secs(33));
    assert_eq!(net.expect(0, failed).status, 504);
    let (by, cause) = net.expect(1, ended);
    assert_eq!((by, cause.status), (Party::Network, 408));
    net.assert_quiet();
}

/// Section 5: an answer sent reliably is not repeated in the 2xx, and still told with `Answered`.
#[test]
fn an_early_answer_is_in_force_when_the_call_is_answered() {
    let mut net = Net::pair();
    let (_, theirs) = ringing(&mut net);
    net.with(1, |a, now, out| a.progress(theirs, sdp("early"), now, out));
    net.soon();
    assert_eq!(net.expect(0, proceeding), (183, 0, Some(Sdp::Answer(sdp("early")))));
    net.with(1, |a, now, out| a.accept(theirs, sdp("not needed"), now, out));
    net.soon();
    assert_eq!(net.expect(0, answered), Some(Sdp::Answer(sdp("early"))));
}

/// Section 3: no 2xx while a description is unacknowledged; provisionals wait their turn.
#[test]
fn the_answer_waits_for_the_prack_of_early_media() {
    let mut net = Net::pair();
    net.lose = Box::new({
        let mut left = 1;
        move |_, text| {
            let hit = left > 0 && text.starts_with("PRACK");
            left -= i32::from(hit);
            hit
        }
    });
    let (_, theirs) = ringing(&mut net);
    net.with(1, |a, now, out| {
        a.ring(theirs, now, out);
        a.progress(theirs, sdp("early"), now, out);
        a.accept(theirs, sdp("answer"), now, out);
    });
    net.soon();
    // The 180 has no description: nothing keeps the answer back, and the queued 183 is history.
    assert_eq!(net.expect(0, answered), Some(Sdp::Answer(sdp("answer"))));

    let mut net = Net::pair();
    let (_, theirs) = ringing(&mut net);
    net.lose = Box::new(|_, text| text.starts_with("PRACK"));
    net.with(1, |a, now, out| {
        a.progress(theirs, sdp("early"), now, out);
        a.accept(theirs, sdp("answer"), now, out);
    });
    net.run(Duration::from_millis(400));
    assert_eq!(net.said("SIP/2.0 200"), 0);
    net.lose = Box::new(|_, _| false);
    net.run(Duration::from_secs(2));
    assert_eq!(net.expect(0, answered), Some(Sdp::Answer(sdp("early"))));
    net.expect(1, confirmed);
}

/// Section 5 and RFC 3261 section 13.2.1: an offerless INVITE has its offer in the reliable 183 and the answer in the PRACK.
#[test]
fn an_offer_in_a_provisional_is_answered_in_the_prack() {
    let mut net = Net::pair();
    let ours = net.call_with(|invite| invite.offer = None);
    net.soon();
    let theirs = net.expect(1, invited);
    net.with(1, |a, now, out| a.progress(theirs, sdp("their offer"), now, out));
    net.soon();
    assert_eq!(net.expect(0, proceeding), (183, 0, Some(Sdp::Offer(sdp("their offer")))));
    assert_eq!(net.said("PRACK"), 0);
    net.with(0, |a, now, out| a.ack_sdp(ours, sdp("our answer"), now, out));
    net.soon();
    assert_eq!(net.expect(1, reanswered), Some(sdp("our answer")));
    net.with(1, |a, now, out| a.accept(theirs, sdp("not needed"), now, out));
    net.soon();
    assert_eq!(net.expect(0, answered), Some(Sdp::Answer(sdp("their offer"))));
    assert_eq!(net.expect(1, confirmed), None);
}

/// Section 4: a reliable provisional from the future is not acknowledged.
#[test]
fn a_gap_in_rseq_is_not_acknowledged() {
    let mut net = Net::new();
    net.add("ann", |_, _| ());
    let bob = net.add_scripted();
    net.call();
    net.soon();
    let invite = net.heard(bob, &Method::Invite);
    for (rseq, fresh) in [(7, true), (9, false), (7, false), (8, true)] {
        net.reply(bob, &invite, 183, "b", |draft| {
            draft.push(Name::Require, "100rel").push(Name::RSeq, rseq);
        });
        net.soon();
        assert_eq!(net.has_heard(bob, &Method::Prack), fresh, "RSeq {rseq}");
        if fresh {
            let prack = net.heard(bob, &Method::Prack);
            assert_eq!(prack.text(Name::RAck), Some(&*format!("{rseq} 1 INVITE")));
            net.reply(bob, &prack, 200, "", |_| ());
        }
    }
    assert_eq!(net.news(0).len(), 2);
}

/// Section 3: a PRACK that matches nothing is 481.
#[test]
fn a_prack_for_nothing_is_refused() {
    let (mut net, script, theirs) = scripted_caller(|_| ());
    net.with(1, |a, now, out| a.ring(theirs, now, out));
    net.soon();
    let ringing = net.heard_status(script, 180);
    let rseq = ringing.rseq().unwrap();
    let mut prack = net.outside(script, 1, &Method::Prack, "call");
    prack.set(Name::To, ringing.text(Name::To).unwrap()).set(Name::CSeq, "2 PRACK");
    prack.push(Name::RAck, format_args!("{} 1 INVITE", rseq + 1));
    net.say(script, 1, &prack);
    net.soon();
    net.heard_status(script, 481);
    prack.set(Name::CSeq, "3 PRACK").set(Name::RAck, format_args!("{rseq} 1 INVITE"));
    prack.set(Name::Via, "SIP/2.0/UDP 10.0.0.3:5060;branch=z9hG4bKother");
    net.say(script, 1, &prack);
    net.soon();
    net.heard_status(script, 200);
}

/// Section 5: a PRACK may carry a new offer once the answer is there; the 200 to it carries the answer.
#[test]
fn an_offer_in_a_prack_is_answered_in_its_200() {
    let (mut net, script, theirs) = scripted_caller(|_| ());
    net.with(1, |a, now, out| a.progress(theirs, sdp("early"), now, out));
    net.soon();
    let early = net.heard_status(script, 183);
    let mut prack = net.outside(script, 1, &Method::Prack, "call");
    prack.set(Name::To, early.text(Name::To).unwrap()).set(Name::CSeq, "2 PRACK");
    prack.push(Name::RAck, format_args!("{} 1 INVITE", early.rseq().unwrap()));
    prack.body("application/sdp", sdp("second offer"));
    net.say(script, 1, &prack);
    net.soon();
    assert_eq!(net.expect(1, reoffered), Some(sdp("second offer")));
    // Accepting in between waits for this exchange.
    net.with(1, |a, now, out| a.accept(theirs, sdp("x"), now, out));
    net.with(1, |a, now, out| a.answer_reoffer(theirs, sdp("second answer"), now, out));
    net.soon();
    let ok = net.heard_status(script, 200);
    assert_eq!((ok.method(), ok.body()), (Method::Prack, &sdp("second answer")[..]));
    assert_eq!(net.heard_status(script, 200).method(), Method::Invite);
}

/// Section 3: who cannot do what the other requires is told so.
#[test]
fn required_reliability_that_one_side_lacks_is_refused() {
    let mut net = Net::pair_with(|node, profile| {
        profile.reliable = if node == 0 { Reliable::Required } else { Reliable::Off };
    });
    net.call();
    net.soon();
    assert_eq!(net.expect(0, failed).status, 420);
    let mut net = Net::pair_with(|node, profile| {
        profile.reliable = if node == 0 { Reliable::Off } else { Reliable::Required };
    });
    net.call();
    net.soon();
    assert_eq!(net.expect(0, failed).status, 421);
    assert!(net.news(1).is_empty());
}

/// RFC 3311 section 5.1: once the early answer is there, either side may offer anew by UPDATE.
#[test]
fn an_early_dialog_is_updated_by_either_side() {
    let mut net = Net::pair();
    let (ours, theirs) = ringing(&mut net);
    net.with(1, |a, now, out| a.progress(theirs, sdp("early"), now, out));
    net.soon();
    net.with(0, |a, now, out| a.reoffer(ours, sdp("offer 2"), By::Either, now, out)).unwrap();
    net.soon();
    assert_eq!(net.expect(1, reoffered), Some(sdp("offer 2")));
    net.with(1, |a, now, out| a.answer_reoffer(theirs, sdp("answer 2"), now, out));
    net.soon();
    assert_eq!(net.expect(0, reanswered), Some(sdp("answer 2")));
    net.with(1, |a, now, out| a.reoffer(theirs, sdp("offer 3"), By::Either, now, out)).unwrap();
    net.soon();
    assert_eq!(net.expect(0, reoffered), Some(sdp("offer 3")));
    net.with(0, |a, now, out| a.answer_reoffer(ours, sdp("answer 3"), now, out));
    net.soon();
    assert_eq!(net.expect(1, reanswered), Some(sdp("answer 3")));
    net.with(1, |a, now, out| a.accept(theirs, sdp("x"), now, out));
    net.soon();
    assert_eq!(net.expect(0, answered), Some(Sdp::Answer(sdp("offer 3"))));
    assert_eq!(net.said("UPDATE"), 2);
}

/// RFC 3311 section 5.2: before the first answer an offer is glare (491), or too early (500 with Retry-After).
#[test]
fn an_update_before_the_first_answer_is_refused() {
    let (mut net, script, theirs) = scripted_caller(|_| ());
    net.with(1, |a, now, out| a.ring(theirs, now, out));
    net.soon();
    let ringing = net.heard_status(script, 180);
    let mut update = net.outside(script, 1, &Method::Update, "call");
    update.set(Name::To, ringing.text(Name::To).unwrap()).set(Name::CSeq, "2 UPDATE");
    update.body("application/sdp", sdp("too early"));
    net.say(script, 1, &update);
    net.soon();
    let refusal = net.heard_status(script, 500);
    assert!(refusal.retry_after().unwrap() <= 10);
    assert!(net.news(1).is_empty());
}

/// A scripted peer at node 2 calls Bob at node 1.
fn scripted_caller(more: impl FnOnce(&mut crate::message::Draft)) -> (Net, NodeId, SessionId) {
    let mut net = Net::pair();
    let script = net.add_scripted();
    let mut invite = net.outside(script, 1, &Method::Invite, "call");
    invite.push(Name::Supported, "100rel,timer");
    invite.body("application/sdp", sdp("offer"));
    more(&mut invite);
    net.say(script, 1, &invite);
    net.soon();
    let theirs = net.expect(1, invited);
    (net, script, theirs)
}
