//! Calls that end while a re-INVITE is under way or a 2xx unacknowledged. RFC 3261 sections 9.1, 13.2.2.4, 13.3.1.4, 15.1.2.

use std::time::Duration;

use crate::message::{Message, Method, Name};
use crate::ua::*;

use super::net::*;

/// Ann in a call with a scripted Bob: her INVITE.
fn called() -> (Net, NodeId, SessionId, Message) {
    let mut net = Net::new();
    net.add("ann", |_, _| ());
    let bob = net.add_scripted();
    let call = net.call();
    net.soon();
    let invite = net.heard(bob, &Method::Invite);
    say_200(&mut net, bob, &invite);
    net.soon();
    net.heard(bob, &Method::Ack);
    net.news(0);
    (net, bob, call, invite)
}

fn say_200(net: &mut Net, bob: NodeId, invite: &Message) {
    net.reply(bob, invite, 200, "b", |draft| {
        draft.body("application/sdp", sdp("answer"));
    });
    net.soon();
}

/// Offers anew, and Bob says that he is at it.
fn reinvited(net: &mut Net, bob: NodeId, call: SessionId) -> Message {
    net.with(0, |a, now, out| a.reoffer(call, sdp("hold"), By::Reinvite, now, out)).unwrap();
    net.soon();
    let reinvite = net.heard(bob, &Method::Invite);
    net.reply(bob, &reinvite, 100, "", |_| ());
    net.soon();
    reinvite
}

/// Its final response may be lost for good: an INVITE that proceeds has no timer of its own but CANCEL's.
#[test]
fn a_reinvite_that_proceeds_for_ever_is_cancelled_by_hanging_up() {
    let (mut net, bob, call, _) = called();
    reinvited(&mut net, bob, call);
    net.with(0, |a, now, out| a.hang_up(call, &[], now, out));
    net.soon();
    let (cancel, bye) = (net.heard(bob, &Method::Cancel), net.heard(bob, &Method::Bye));
    net.reply(bob, &cancel, 200, "b", |_| ());
    net.reply(bob, &bye, 200, "b", |_| ());
    net.run(Duration::from_secs(33));
    assert!(net.agent(0).is_idle(), "{}", net.log);
    assert_eq!(net.news(0).len(), 1);
    net.assert_quiet();
}

/// The same when it is the other side that hangs up, and never answers what was asked.
#[test]
fn a_reinvite_that_proceeds_for_ever_is_cancelled_by_the_others_bye() {
    let (mut net, bob, call, invite) = called();
    reinvited(&mut net, bob, call);
    let bye = net.in_dialog(bob, &Method::Bye, 1, &invite, "b");
    net.say(bob, 0, &bye);
    net.soon();
    assert_eq!(net.expect(0, ended).0, Party::Them);
    assert!(net.has_heard(bob, &Method::Cancel));
    net.assert_quiet();
}

/// A re-INVITE that nobody has heard of is not cancelled (section 9.1), and lasts no longer than Timer B.
#[test]
fn a_reinvite_without_any_response_ends_with_its_call() {
    let (mut net, bob, call, _) = called();
    net.with(0, |a, now, out| a.reoffer(call, sdp("hold"), By::Reinvite, now, out)).unwrap();
    net.soon();
    net.with(0, |a, now, out| a.hang_up(call, &[], now, out));
    net.run(Duration::from_secs(33));
    assert!(!net.has_heard(bob, &Method::Cancel));
    net.assert_quiet();
}

/// The answer that crosses the BYE is acknowledged; a refusal that asks for patience is not obeyed any more.
#[test]
fn what_a_reinvite_is_answered_after_the_bye_changes_nothing() {
    for status in [200, 491, 500, 407, 487] {
        let (mut net, bob, call, _) = called();
        let reinvite = reinvited(&mut net, bob, call);
        net.with(0, |a, now, out| a.hang_up(call, &[], now, out));
        net.soon();
        net.reply(bob, &reinvite, status, "b", |draft| {
            draft.push(Name::RetryAfter, 1);
        });
        net.soon();
        assert!(net.has_heard(bob, &Method::Ack), "{status}");
        net.run(Duration::from_secs(10));
        assert!(!net.has_heard(bob, &Method::Invite), "{status}\n{}", net.log);
        assert_eq!(net.news(0).len(), 1, "{status}");
        net.assert_quiet();
    }
}

/// A BYE does not say that a 2xx has arrived: it is said again until its ACK, or else the caller may wait for ever.
#[test]
fn a_2xx_is_repeated_after_a_bye_until_it_is_acknowledged() {
    for acknowledged in [true, false] {
        let mut net = Net::new();
        net.add("ann", |_, _| ());
        let bob = net.add_scripted();
        let mut invite = net.outside(bob, 0, &Method::Invite, "bye-first");
        invite.body("application/sdp", sdp("offer"));
        net.say(bob, 0, &invite);
        net.soon();
        let call = net.expect(0, invited);
        net.with(0, |a, now, out| a.accept(call, sdp("answer"), now, out));
        net.soon();
        let first = net.heard_status(bob, 200);
        let request = |net: &Net, method: &Method, seq: u32| {
            let mut draft = net.outside(bob, 0, method, "bye-first");
            draft.set(Name::To, first.text(Name::To).unwrap());
            draft.set(Name::CSeq, format_args!("{seq} {method}"));
            draft
        };
        let bye = request(&net, &Method::Bye, 2);
        net.say(bob, 0, &bye);
        net.soon();
        assert_eq!(net.heard_status(bob, 200).method(), Method::Bye);
        assert_eq!(net.expect(0, ended).0, Party::Them);
        assert!(net.agent(0).is_idle() && !net.agent(0).is_quiet());
        net.run(Duration::from_millis(500));
        assert_eq!(net.heard_status(bob, 200).method(), Method::Invite);
        if acknowledged {
            let ack = request(&net, &Method::Ack, 1);
            net.say(bob, 0, &ack);
        }
        net.run(Duration::from_secs(10));
        let again = net.said("SIP/2.0 200");
        assert_eq!(again == 3, acknowledged, "{}", net.log);
        assert!(net.news(0).is_empty());
        net.assert_quiet();
    }
}

/// Section 13.2.2.4: each 2xx gets its ACK, of the call and of a change, also when the call is over and forgotten.
#[test]
fn a_2xx_that_comes_again_after_the_call_is_acknowledged_again() {
    let (mut net, bob, call, _) = called();
    let reinvite = reinvited(&mut net, bob, call);
    say_200(&mut net, bob, &reinvite);
    net.heard(bob, &Method::Ack);
    net.with(0, |a, now, out| a.hang_up(call, &[], now, out));
    net.soon();
    let bye = net.heard(bob, &Method::Bye);
    net.reply(bob, &bye, 200, "b", |_| ());
    net.soon();
    assert!(net.agent(0).is_idle());
    for _ in 0..2 {
        say_200(&mut net, bob, &reinvite);
        assert_eq!(net.heard(bob, &Method::Ack).cseq().unwrap().number, 2);
    }
    net.assert_quiet();
}

/// Offers and endings from both sides at any moment, on links that lose: nothing stays.
#[test]
fn hanging_up_amid_offers_over_lossy_links_leaves_nothing_behind() {
    for seed in 0..80_u64 {
        let mut net = Net::pair();
        let (ours, theirs) = net.established();
        let mut dice = base::Rng::from_number(seed);
        let who = dice.below(3);
        let (offer, bye) = (dice.below(300), 200 + dice.below(500));
        net.lose = Box::new(move |_, _| dice.below(100) < 25);
        for at in (0..1000).step_by(10) {
            net.run(Duration::from_millis(10));
            if at == offer / 10 * 10 {
                let _ = net.with(0, |a, now, out| a.reoffer(ours, sdp("hold"), By::Reinvite, now, out));
            }
            if net.news(1).iter().any(|news| reoffered(news).is_some()) && seed % 4 != 0 {
                net.with(1, |a, now, out| a.answer_reoffer(theirs, sdp("held"), now, out));
            }
            if at == bye / 10 * 10 {
                if who != 1 {
                    net.with(0, |a, now, out| a.hang_up(ours, &[], now, out));
                }
                if who != 0 {
                    net.with(1, |a, now, out| a.hang_up(theirs, &[], now, out));
                }
            }
        }
        net.assert_quiet();
    }
}
