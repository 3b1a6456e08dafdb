//! Changing the session: re-INVITE, UPDATE, glare, offerless ones, refusals. RFC 3261 section 14, RFC 3311, RFC 6337.

use std::time::Duration;

use crate::message::{Method, Name};
use crate::ua::*;

use super::net::*;

/// Section 14: an offer and its answer, by either method, from either side.
#[test]
fn either_side_changes_the_session_by_either_method() {
    for by in [By::Update, By::Reinvite, By::Either] {
        for from in [0, 1] {
            let mut net = Net::pair();
            let sessions = net.established();
            let (ours, theirs) = if from == 0 { sessions } else { (sessions.1, sessions.0) };
            net.with(from, |a, now, out| a.reoffer(ours, sdp("hold"), by, now, out)).unwrap();
            net.soon();
            assert_eq!(net.expect(1 - from, reoffered), Some(sdp("hold")));
            net.with(1 - from, |a, now, out| a.answer_reoffer(theirs, sdp("held"), now, out));
            net.soon();
            assert_eq!(net.expect(from, reanswered), Some(sdp("held")));
            assert_eq!(net.said("UPDATE"), usize::from(by != By::Reinvite));
            net.with(from, |a, now, out| a.hang_up(ours, &[], now, out));
            net.soon();
            let mut news = net.news(1 - from);
            // The ACK of a re-INVITE is told: what waited for it goes on.
            news.retain(|news| !matches!(news, News::Confirmed { .. }));
            assert_eq!(news.len(), 1);
            net.assert_quiet();
        }
    }
}

/// Section 14.1: what is refused leaves the session as it was.
#[test]
fn a_refused_offer_leaves_the_old_session_standing() {
    let mut net = Net::pair();
    let (ours, theirs) = net.established();
    for by in [By::Update, By::Reinvite] {
        net.with(0, |a, now, out| a.reoffer(ours, sdp("video"), by, now, out)).unwrap();
        net.soon();
        net.expect(1, reoffered);
        net.with(1, |a, now, out| a.refuse_reoffer(theirs, 488, now, out));
        net.soon();
        let status = net.expect(0, |news| match news {
            News::ReofferFailed { status, .. } => Some(*status),
            _ => None,
        });
        assert_eq!(status, 488);
    }
    assert_eq!(net.with(0, |a, now, out| a.reoffer(ours, sdp("x"), By::Update, now, out)), Ok(()));
}

/// RFC 3311 section 5.1, RFC 6337 section 3.4: an UPDATE that overtook the 2xx would find no dialog at the caller.
#[test]
fn who_has_accepted_offers_nothing_until_the_ack() {
    let mut net = Net::pair();
    net.call();
    net.soon();
    let theirs = net.expect(1, invited);
    net.with(1, |a, now, out| a.accept(theirs, sdp("answer"), now, out));
    for by in [By::Update, By::Reinvite, By::Either] {
        assert_eq!(net.with(1, |a, now, out| a.reoffer(theirs, sdp("hold"), by, now, out)), Err(Busy));
    }
    net.soon();
    assert_eq!(net.with(1, |a, now, out| a.reoffer(theirs, sdp("hold"), By::Update, now, out)), Ok(()));
}

/// RFC 3264 section 4: one exchange at a time.
#[test]
fn a_second_offer_while_one_is_open_is_busy() {
    let mut net = Net::pair();
    let (ours, theirs) = net.established();
    net.with(0, |a, now, out| a.reoffer(ours, sdp("a"), By::Reinvite, now, out)).unwrap();
    assert_eq!(net.with(0, |a, now, out| a.reoffer(ours, sdp("b"), By::Reinvite, now, out)), Err(Busy));
    net.soon();
    assert_eq!(net.with(1, |a, now, out| a.reoffer(theirs, sdp("c"), By::Update, now, out)), Err(Busy));
    let nobody = SessionId(999);
    assert_eq!(net.with(0, |a, now, out| a.reoffer(nobody, sdp("d"), By::Either, now, out)), Err(Busy));
}

/// Section 14.1: both offers meet, both get 491; the owner of the Call-ID waits 2.1 to 4 s, the other up to 2 s, and both
/// get through.
#[test]
fn glare_is_waited_out_and_both_offers_get_through() {
    for seed in 0..10 {
        let mut net = Net::pair();
        net.delay = Duration::from_millis(10 + seed);
        let (ours, theirs) = net.established();
        net.with(0, |a, now, out| a.reoffer(ours, sdp("from ann"), By::Reinvite, now, out)).unwrap();
        net.with(1, |a, now, out| a.reoffer(theirs, sdp("from bob"), By::Reinvite, now, out)).unwrap();
        net.soon();
        assert_eq!(net.said("SIP/2.0 491"), 2, "{}", net.log);
        let began = net.now;
        let mut seen = (None, None);
        while net.now.since(began) < Duration::from_secs(5) {
            net.run(Duration::from_millis(50));
            for (node, session) in [(0, ours), (1, theirs)] {
                for news in net.news(node) {
                    if let News::Reoffered { offer: Some(_), .. } = news {
                        net.with(node, |a, now, out| a.answer_reoffer(session, sdp("fine"), now, out));
                        let at = net.now.since(began);
                        if node == 0 { seen.0 = Some(at) } else { seen.1 = Some(at) }
                    }
                }
            }
        }
        let (from_bob, from_ann) = (seen.0.unwrap(), seen.1.unwrap());
        assert!(from_bob <= Duration::from_millis(2200), "{from_bob:?}");
        assert!(
            (Duration::from_millis(1900)..Duration::from_millis(4200)).contains(&from_ann),
            "{from_ann:?}"
        );
    }
}

/// RFC 3311 section 5.2: two UPDATEs that meet are glare as well.
#[test]
fn updates_that_meet_are_glare_too() {
    let mut net = Net::pair();
    let (ours, theirs) = net.established();
    net.with(0, |a, now, out| a.reoffer(ours, sdp("from ann"), By::Update, now, out)).unwrap();
    net.with(1, |a, now, out| a.reoffer(theirs, sdp("from bob"), By::Update, now, out)).unwrap();
    net.soon();
    assert_eq!(net.said("SIP/2.0 491"), 2);
    net.run(Duration::from_millis(2100));
    assert_eq!(net.expect(0, reoffered), Some(sdp("from bob")));
}

/// Section 14.1: an INVITE without an offer has it in the 2xx, and the answer in the ACK.
#[test]
fn an_offerless_invite_is_offered_in_the_2xx_and_answered_in_the_ack() {
    let mut net = Net::pair();
    let ours = net.call_with(|invite| invite.offer = None);
    net.soon();
    let theirs = net.expect(1, |news| match news {
        News::Invited { session, offer, .. } => {
            assert_eq!(*offer, None);
            Some(*session)
        }
        _ => None,
    });
    net.with(1, |a, now, out| a.accept(theirs, sdp("bob's offer"), now, out));
    net.run(Duration::from_secs(2));
    assert_eq!(net.expect(0, answered), Some(Sdp::Offer(sdp("bob's offer"))));
    // The 2xx is said again meanwhile, and there is nothing yet to acknowledge it with.
    assert_eq!(net.said("ACK"), 0);
    net.with(0, |a, now, out| a.ack_sdp(ours, sdp("ann's answer"), now, out));
    net.soon();
    assert_eq!(net.expect(1, confirmed), Some(sdp("ann's answer")));
    net.run(Duration::from_secs(5));
    assert_eq!(net.said("ACK"), 1, "{}", net.log);
}

/// Hanging up on an offer in a 2xx still acknowledges it.
#[test]
fn an_unanswered_offer_in_a_2xx_is_acknowledged_before_the_bye() {
    let mut net = Net::pair();
    let ours = net.call_with(|invite| invite.offer = None);
    net.soon();
    let theirs = net.expect(1, invited);
    net.with(1, |a, now, out| a.accept(theirs, sdp("bob's offer"), now, out));
    net.soon();
    net.with(0, |a, now, out| a.hang_up(ours, &[], now, out));
    net.soon();
    assert_eq!((net.said("ACK"), net.said("BYE")), (1, 1));
    net.assert_quiet();
}

/// Section 14.1: the same inside the dialog, asked by us and asked of us.
#[test]
fn an_offerless_reinvite_works_both_ways() {
    let mut net = Net::pair();
    let (ours, theirs) = net.established();
    for (from, asker, asked) in [(0, ours, theirs), (1, theirs, ours)] {
        net.with(from, |a, now, out| a.solicit(asker, now, out)).unwrap();
        net.soon();
        assert_eq!(net.expect(1 - from, reoffered), None);
        net.with(1 - from, |a, now, out| a.answer_reoffer(asked, sdp("offer"), now, out));
        net.soon();
        assert_eq!(net.expect(from, reoffered), Some(sdp("offer")));
        net.with(from, |a, now, out| a.answer_reoffer(asker, sdp("answer"), now, out));
        net.soon();
        assert_eq!(net.expect(1 - from, reanswered), Some(sdp("answer")));
    }
}

/// Section 12.2.1.2: 481 or silence means that the other side has lost the dialog.
#[test]
fn a_dialog_the_peer_has_lost_ends_the_call() {
    let mut net = Net::new();
    net.add("ann", |_, _| ());
    let bob = net.add_scripted();
    for status in [481, 408] {
        let call = net.call();
        net.soon();
        let invite = net.heard(bob, &Method::Invite);
        net.reply(bob, &invite, 200, "b", |draft| {
            draft.body("application/sdp", sdp("answer"));
        });
        net.soon();
        net.with(0, |a, now, out| a.info(call, "application/dtmf-relay", "Signal=1".into(), now, out));
        net.soon();
        let info = net.heard(bob, &Method::Info);
        assert_eq!(info.body(), b"Signal=1");
        if status == 481 {
            net.reply(bob, &info, 481, "", |_| ());
        }
        net.run(Duration::from_secs(33));
        let (by, cause) = net.expect(0, ended);
        assert_eq!((by, cause.status), (Party::Network, status));
        assert!(net.has_heard(bob, &Method::Bye));
        net.run(Duration::from_secs(40));
        while net.has_heard(bob, &Method::Bye) {
            net.heard(bob, &Method::Bye);
        }
    }
}

/// Sections 12.2.2 and 14.2: what comes out of turn.
#[test]
fn requests_out_of_turn_are_refused() {
    let mut net = Net::pair();
    let script = net.add_scripted();
    let call = net.with(0, |a, now, out| {
        a.invite(ME, Invite::new(uri("sip:script@10.0.0.3"), Some(sdp("offer"))), now, out)
    });
    net.soon();
    let invite = net.heard(script, &Method::Invite);
    net.reply(script, &invite, 200, "s", |draft| {
        draft.body("application/sdp", sdp("answer"));
    });
    net.soon();
    let say = |net: &mut Net, method: &Method, seq: u32, body: bool| {
        let mut draft = net.in_dialog(script, method, seq, &invite, "s");
        if body {
            draft.body("application/sdp", sdp("theirs"));
        }
        net.say(script, 0, &draft);
        net.soon();
    };
    say(&mut net, &Method::Invite, 10, true);
    assert_eq!(net.expect(0, reoffered), Some(sdp("theirs")));
    // A second one before the first is answered: later. A lower number: never.
    say(&mut net, &Method::Invite, 11, true);
    assert!(net.heard_status(script, 500).has(Name::RetryAfter));
    say(&mut net, &Method::Update, 12, true);
    assert!(net.heard_status(script, 500).has(Name::RetryAfter));
    say(&mut net, &Method::Options, 9, false);
    assert!(!net.heard_status(script, 500).has(Name::RetryAfter));
    net.with(0, |a, now, out| a.answer_reoffer(call, sdp("fine"), now, out));
    net.soon();
    assert_eq!(net.heard_status(script, 200).body(), &sdp("fine")[..]);
    // Our own INVITE out: theirs is glare, and so is an offer by UPDATE.
    let ack = net.in_dialog(script, &Method::Ack, 10, &invite, "s");
    net.say(script, 0, &ack);
    net.soon();
    net.with(0, |a, now, out| a.reoffer(call, sdp("ours"), By::Reinvite, now, out)).unwrap();
    net.soon();
    say(&mut net, &Method::Invite, 13, true);
    net.heard_status(script, 491);
    say(&mut net, &Method::Update, 14, true);
    net.heard_status(script, 491);
    // BYE while their re-INVITE is open: that one gets 487. Section 15.1.2.
    let reinvite = net.heard(script, &Method::Invite);
    net.reply(script, &reinvite, 488, "", |_| ());
    net.soon();
    say(&mut net, &Method::Invite, 15, true);
    say(&mut net, &Method::Bye, 16, false);
    net.heard_status(script, 487);
    assert_eq!(net.expect(0, ended).0, Party::Them);
}

/// Section 14.2: 500 with Retry-After is obeyed.
#[test]
fn an_offer_that_came_too_early_is_tried_again_when_told() {
    let mut net = Net::new();
    net.add("ann", |_, _| ());
    let bob = net.add_scripted();
    let call = net.call();
    net.soon();
    let invite = net.heard(bob, &Method::Invite);
    net.reply(bob, &invite, 200, "b", |draft| {
        draft.push(Name::Allow, "INVITE, UPDATE").body("application/sdp", sdp("answer"));
    });
    net.soon();
    net.with(0, |a, now, out| a.reoffer(call, sdp("hold"), By::Either, now, out)).unwrap();
    net.soon();
    let update = net.heard(bob, &Method::Update);
    net.reply(bob, &update, 500, "", |draft| {
        draft.push(Name::RetryAfter, 3);
    });
    net.run(Duration::from_millis(2900));
    assert!(!net.has_heard(bob, &Method::Update));
    net.run(Duration::from_millis(200));
    let update = net.heard(bob, &Method::Update);
    // And who does not know UPDATE after all gets a re-INVITE.
    net.reply(bob, &update, 405, "", |_| ());
    net.soon();
    assert_eq!(net.heard(bob, &Method::Invite).body(), &sdp("hold")[..]);
}

/// Section 12.2.1.2: the 2xx of a re-INVITE moves the remote target.
#[test]
fn a_reinvite_moves_the_remote_target() {
    let mut net = Net::new();
    net.add("ann", |_, _| ());
    let (bob, other) = (net.add_scripted(), net.add_scripted());
    let call = net.call();
    net.soon();
    let invite = net.heard(bob, &Method::Invite);
    net.reply(bob, &invite, 200, "b", |draft| {
        draft.body("application/sdp", sdp("answer"));
    });
    net.soon();
    let moved = format!("<sip:b@{}>", net.addr(other));
    let mut reinvite = net.in_dialog(bob, &Method::Invite, 1, &invite, "b");
    reinvite.set(Name::Contact, moved).body("application/sdp", sdp("moved"));
    net.say(bob, 0, &reinvite);
    net.soon();
    net.with(0, |a, now, out| a.answer_reoffer(call, sdp("fine"), now, out));
    net.soon();
    net.with(0, |a, now, out| a.hang_up(call, &[], now, out));
    net.run(Duration::from_secs(33));
    assert!(net.has_heard(other, &Method::Bye));
}

/// Everything at once on links that lose: offers from both sides, and in the end nothing is open.
#[test]
fn offers_from_both_sides_get_through_lossy_links() {
    for seed in 0..25_u64 {
        let mut net = Net::pair();
        let (ours, theirs) = net.established();
        let mut dice = base::Rng::from_number(seed);
        net.lose = Box::new(move |_, _| dice.below(100) < 15);
        let mut dice = base::Rng::from_number(seed + 1000);
        let mut count = [0, 0];
        for _ in 0..600 {
            net.run(Duration::from_millis(200));
            for (node, session) in [(0, ours), (1, theirs)] {
                for news in net.news(node) {
                    match news {
                        News::Reoffered { .. } => {
                            net.with(node, |a, now, out| a.answer_reoffer(session, sdp("fine"), now, out));
                        }
                        News::Reanswered { .. } => count[node] += 1,
                        News::ReofferFailed { status, .. } => {
                            assert!(matches!(status, 491 | 500), "{status}");
                        }
                        News::Confirmed { .. } => {}
                        other => panic!("seed {seed}: {other:?}\n{}", net.log),
                    }
                }
                if dice.below(20) == 0 {
                    let by = if dice.below(2) == 0 { By::Update } else { By::Reinvite };
                    let _ = net.with(node, |a, now, out| a.reoffer(session, sdp("change"), by, now, out));
                }
            }
        }
        assert!(count[0] > 5 && count[1] > 5, "seed {seed}: {count:?}\n{}", net.log);
        net.lose = Box::new(|_, _| false);
        net.run(Duration::from_secs(60));
        net.with(0, |a, now, out| a.hang_up(ours, &[], now, out));
        net.assert_quiet();
    }
}
