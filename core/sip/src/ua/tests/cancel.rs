//! Giving up, and the races it runs. RFC 3261 sections 9 and 15.1, RFC 3326.

use std::time::Duration;

use crate::message::{Method, Name};
use crate::ua::*;

use super::net::*;

/// Section 9.1: CANCEL, 487 to the INVITE, each side told once; the Reason travels (RFC 3326).
#[test]
fn a_caller_who_gives_up_cancels_and_the_reason_arrives() {
    let mut net = Net::pair();
    let ours = net.call();
    net.soon();
    let theirs = net.expect(1, invited);
    net.with(1, |a, now, out| a.ring(theirs, now, out));
    net.soon();
    let reason = "SIP;cause=200;text=\"Call completed elsewhere\", Q.850;cause=26".to_owned();
    net.with(0, |a, now, out| a.hang_up(ours, &[(Name::Reason, reason)], now, out));
    let (by, cause) = net.expect(0, ended);
    assert_eq!((by, cause.status), (Party::Us, 487));
    net.soon();
    let cause = Cause { status: 200, text: "Call completed elsewhere".into(), q850: Some(26) };
    assert_eq!(net.expect(1, ended), (Party::Them, cause));
    assert_eq!(net.said("SIP/2.0 487"), 1);
    net.with(1, |a, now, out| a.accept(theirs, sdp("late"), now, out));
    net.soon();
    assert!(net.news(0).is_empty() && net.news(1).is_empty());
    net.assert_quiet();
}

/// Section 9.1: no CANCEL before a provisional response has come.
#[test]
fn hanging_up_before_any_response_waits_for_one() {
    let mut net = Net::new();
    net.add("ann", |_, _| ());
    let bob = net.add_scripted();
    let call = net.call();
    net.soon();
    let invite = net.heard(bob, &Method::Invite);
    net.with(0, |a, now, out| a.hang_up(call, &[], now, out));
    net.run(Duration::from_millis(200));
    assert!(!net.has_heard(bob, &Method::Cancel));
    assert_eq!(net.expect(0, ended).0, Party::Us);
    net.reply(bob, &invite, 180, "b", |_| ());
    net.soon();
    let cancel = net.heard(bob, &Method::Cancel);
    net.reply(bob, &cancel, 200, "b", |_| ());
    net.reply(bob, &invite, 487, "b", |_| ());
    net.soon();
    assert!(net.has_heard(bob, &Method::Ack));
    assert!(net.news(0).is_empty());
    net.assert_quiet();
}

/// Section 15.1.1: the 200 that crosses the CANCEL is acknowledged and hung up.
#[test]
fn a_200_that_overtakes_the_cancel_gets_ack_and_bye() {
    let mut net = Net::pair();
    let ours = net.call();
    net.soon();
    let theirs = net.expect(1, invited);
    net.with(1, |a, now, out| a.ring(theirs, now, out));
    net.soon();
    net.with(1, |a, now, out| a.accept(theirs, sdp("answer"), now, out));
    net.with(0, |a, now, out| a.hang_up(ours, &[], now, out));
    net.soon();
    assert_eq!(net.expect(0, ended).0, Party::Us);
    assert_eq!((net.said("ACK"), net.said("BYE")), (1, 1), "{}", net.log);
    assert_eq!(net.expect(1, ended), (Party::Them, Cause { status: 200, text: "OK".into(), q850: None }));
    assert!(net.news(0).is_empty());
    net.assert_quiet();
}

/// A caller who gives up before the request has left says nothing to anybody.
#[test]
fn a_call_given_up_before_it_left_is_never_sent() {
    let mut net = Net::pair();
    net.dns.clear();
    let call = net.with(0, |a, now, out| {
        let invite = Invite::new(uri("sip:bob@slow.test"), Some(sdp("offer")));
        let call = a.invite(ME, invite, now, out);
        out.clear();
        a.hang_up(call, &[], now, out);
        call
    });
    assert_eq!(net.expect(0, ended).0, Party::Us);
    net.with(0, |a, now, out| a.hang_up(call, &[], now, out));
    net.soon();
    assert!(net.log.is_empty() && net.news(0).is_empty());
    assert!(net.agent(0).is_idle());
}

/// Section 9.2: a CANCEL that matches nothing is 481.
#[test]
fn a_cancel_for_nothing_is_refused_with_481() {
    let mut net = Net::pair();
    let script = net.add_scripted();
    let cancel = net.outside(script, 0, &Method::Cancel, "nothing");
    net.say(script, 0, &cancel);
    net.soon();
    net.heard_status(script, 481);
}

/// Section 15.1.2: BYE in the early dialog ends the call, and the INVITE is answered 487.
#[test]
fn a_caller_may_hang_up_the_early_dialog_by_bye() {
    let mut net = Net::pair();
    let script = net.add_scripted();
    let mut invite = net.outside(script, 1, &Method::Invite, "early-bye");
    invite.body("application/sdp", sdp("offer"));
    net.say(script, 1, &invite);
    net.soon();
    let theirs = net.expect(1, invited);
    net.with(1, |a, now, out| a.ring(theirs, now, out));
    net.soon();
    let ringing = net.heard_status(script, 180);
    let mut bye = net.outside(script, 1, &Method::Bye, "early-bye");
    bye.set(Name::To, ringing.text(Name::To).unwrap()).set(Name::CSeq, "2 BYE");
    net.say(script, 1, &bye);
    net.soon();
    net.heard_status(script, 200);
    net.heard_status(script, 487);
    assert_eq!(net.expect(1, ended).0, Party::Them);
}

/// Both hang up at once: two BYEs, two 200s, and each side is told once.
#[test]
fn two_byes_that_cross_end_the_call_once_at_each_side() {
    let mut net = Net::pair();
    let (ours, theirs) = net.established();
    net.with(0, |a, now, out| a.hang_up(ours, &[], now, out));
    net.with(1, |a, now, out| a.hang_up(theirs, &[], now, out));
    net.soon();
    for node in [0, 1] {
        let news = net.news(node);
        assert_eq!(news.len(), 1, "{news:?}");
        assert_eq!(ended(&news[0]).unwrap().0, Party::Us);
    }
    net.assert_quiet();
}

/// Declining by hanging up is a 603.
#[test]
fn a_callee_who_hangs_up_a_ringing_call_declines_it() {
    let mut net = Net::pair();
    net.call();
    net.soon();
    let theirs = net.expect(1, invited);
    net.with(1, |a, now, out| a.hang_up(theirs, &[], now, out));
    net.soon();
    assert_eq!(net.expect(0, failed).status, 603);
    assert_eq!(net.expect(1, ended).1.status, 603);
}

/// Every race of CANCEL and answer, on links that lose: each side ends exactly once and nothing stays.
#[test]
fn cancel_and_answer_race_over_lossy_links_without_a_trace() {
    for seed in 0..60_u64 {
        let mut net = Net::pair();
        let mut dice = base::Rng::from_number(seed);
        let (ring, answer, cancel) = (dice.below(900), dice.below(1500), dice.below(1500));
        net.lose = Box::new(move |_, _| dice.below(100) < 20);
        let ours = net.call();
        let mut theirs = None;
        let mut done = (false, false, false);
        for step in 0..160 {
            net.run(Duration::from_millis(10));
            let at = step * 10;
            theirs = theirs.or_else(|| net.news(1).iter().find_map(invited));
            if let Some(theirs) = theirs {
                if at >= ring && !std::mem::replace(&mut done.0, true) {
                    net.with(1, |a, now, out| a.ring(theirs, now, out));
                }
                if at >= answer && !std::mem::replace(&mut done.1, true) {
                    net.with(1, |a, now, out| a.accept(theirs, sdp("answer"), now, out));
                }
            }
            if at >= cancel && !std::mem::replace(&mut done.2, true) {
                net.with(0, |a, now, out| a.hang_up(ours, &[], now, out));
            }
        }
        net.run(Duration::from_secs(70));
        assert_eq!(
            net.news(0).iter().filter(|n| ended(n).or(None).is_some()).count(),
            1,
            "seed {seed}\n{}",
            net.log
        );
        net.assert_quiet();
    }
}

/// A 2xx that cannot even be acknowledged (no To) ends a call that was given up, as it ends one that was not.
#[test]
fn a_useless_2xx_to_a_cancelled_invite_leaves_nothing_behind() {
    let mut net = Net::new();
    net.add("ann", |_, _| ());
    let bob = net.add_scripted();
    let call = net.call();
    net.soon();
    let invite = net.heard(bob, &Method::Invite);
    net.reply(bob, &invite, 180, "b", |_| ());
    net.soon();
    net.with(0, |a, now, out| a.hang_up(call, &[], now, out));
    net.soon();
    let cancel = net.heard(bob, &Method::Cancel);
    net.reply(bob, &cancel, 200, "b", |_| ());
    net.reply(bob, &invite, 200, "b", |draft| {
        draft.remove(Name::To);
    });
    net.soon();
    assert!(net.agent(0).is_idle());
    net.assert_quiet();
}
