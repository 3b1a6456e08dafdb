//! Session timers. RFC 4028.

use std::time::Duration;

use crate::message::{Method, Name};
use crate::ua::*;

use super::net::*;

/// Section 7.2: the caller refreshes at half the interval when nobody says otherwise, by UPDATE where it is allowed.
#[test]
fn the_session_is_refreshed_for_as_long_as_it_lasts() {
    let mut net = Net::pair_with(|_, profile| profile.session_expires = 100);
    net.established();
    net.run(Duration::from_secs(49));
    assert_eq!(net.said("UPDATE"), 0);
    net.run(Duration::from_secs(2));
    assert_eq!(net.said("UPDATE"), 1);
    net.run(Duration::from_secs(1000));
    assert_eq!(net.said("UPDATE"), 21, "{}", net.log);
    assert!(net.news(0).is_empty() && net.news(1).is_empty());
}

/// Section 9: the called side refreshes when the caller has no timers.
#[test]
fn the_called_side_refreshes_for_a_caller_without_timers() {
    let (mut net, script, invite, _) = scripted_call(|_| ());
    let ok = net.heard_status(script, 200);
    assert_eq!(ok.text(Name::SessionExpires), Some("1800;refresher=uas"));
    assert!(!ok.requires("timer"));
    let _ = invite;
    net.run(Duration::from_secs(901));
    // No Allow: a re-INVITE with our description as it stands.
    let refresh = net.heard(script, &Method::Invite);
    assert_eq!(refresh.body(), &sdp("answer")[..]);
    assert_eq!(refresh.text(Name::SessionExpires), Some("1800;refresher=uac"));
}

/// Section 9: what the caller asks for is granted, and who refreshes must be told to be able to.
#[test]
fn a_callers_wish_is_granted_and_required() {
    let (mut net, script, _, _) = scripted_call(|draft| {
        draft.push(Name::Supported, "timer").push(Name::SessionExpires, "600;refresher=uac");
    });
    let ok = net.heard_status(script, 200);
    assert_eq!(ok.text(Name::SessionExpires), Some("600;refresher=uac"));
    assert!(ok.requires("timer"));
    // Section 10: without a refresh, BYE 32 s before the end.
    net.run(Duration::from_secs(567));
    assert!(!net.has_heard(script, &Method::Bye));
    net.run(Duration::from_secs(2));
    let bye = net.heard(script, &Method::Bye);
    assert_eq!(bye.reasons().next().unwrap().cause, Some(408));
    let (by, cause) = net.expect(1, ended);
    assert_eq!((by, cause.status), (Party::Network, 408));
}

/// Sections 7.3 and 9: 422 names the least interval, and the next INVITE asks for it.
#[test]
fn an_interval_too_small_is_raised_and_tried_again() {
    let mut net = Net::pair_with(|node, profile| {
        profile.session_expires = 100;
        if node == 1 {
            profile.min_se = 300;
        }
    });
    net.call();
    net.soon();
    assert_eq!((net.said("SIP/2.0 422"), net.said("INVITE")), (1, 2), "{}", net.log);
    let message = net.expect(1, |news| match news {
        News::Invited { message, .. } => Some(message.clone()),
        _ => None,
    });
    assert_eq!((message.text(Name::SessionExpires), message.min_se()), (Some("300"), Some(300)));
    assert_eq!(message.cseq().unwrap().number, 2);
}

/// Section 10: the refresher hangs up as well when its refresh is not answered.
#[test]
fn a_session_that_cannot_be_refreshed_expires() {
    let mut net = Net::pair_with(|_, profile| profile.session_expires = 100);
    net.established();
    net.lose = Box::new(|_, _| true);
    net.run(Duration::from_secs(105));
    for node in [0, 1] {
        let (by, cause) = net.expect(node, ended);
        assert_eq!((by, cause.status), (Party::Network, 408));
    }
    net.assert_quiet();
}

/// A refresh the user asks for is told when it has worked.
#[test]
fn a_refresh_on_demand_is_told_and_changes_nothing() {
    for by in [By::Update, By::Reinvite] {
        let mut net = Net::pair();
        let (ours, theirs) = net.established();
        net.with(0, |a, now, out| a.refresh(ours, by, now, out)).unwrap();
        net.soon();
        if by == By::Reinvite {
            assert_eq!(net.expect(1, reoffered), Some(sdp("offer")));
            net.with(1, |a, now, out| a.answer_reoffer(theirs, sdp("answer"), now, out));
            net.soon();
        }
        assert_eq!(net.expect(0, reanswered), None);
    }
}

/// Timers off at both ends: nothing is asked for, nothing granted.
#[test]
fn no_timer_is_set_when_nobody_wants_one() {
    let mut net = Net::pair_with(|_, profile| profile.session_expires = 0);
    net.established();
    assert!(net.agent(0).next_wake().is_none_or(|wake| wake.why != "session refresh"));
    net.run(Duration::from_secs(10_000));
    assert_eq!(net.said("UPDATE") + net.said("BYE"), 0);
}

/// A scripted peer at node 2 has called Bob at node 1, who has answered.
fn scripted_call(
    more: impl FnOnce(&mut crate::message::Draft),
) -> (Net, NodeId, crate::message::Message, SessionId) {
    let mut net = Net::pair();
    let script = net.add_scripted();
    let mut invite = net.outside(script, 1, &Method::Invite, "call");
    invite.body("application/sdp", sdp("offer"));
    more(&mut invite);
    net.say(script, 1, &invite);
    net.soon();
    let theirs = net.expect(1, invited);
    net.with(1, |a, now, out| a.accept(theirs, sdp("answer"), now, out));
    net.soon();
    let message = crate::message::Message::read(invite.write(crate::message::Form::Full)).unwrap();
    let ok = net.heard_status(script, 200);
    let mut ack = net.outside(script, 1, &Method::Ack, "call");
    ack.set(Name::To, ok.text(Name::To).unwrap());
    net.say(script, 1, &ack);
    net.soon();
    net.expect(1, confirmed);
    net.give_back(script, ok);
    (net, script, message, theirs)
}

/// An answer that is overtaken by the end of the call sets no timer that nobody would take back.
#[test]
fn an_answer_that_comes_after_the_end_begins_no_interval() {
    let mut net = Net::pair_with(|_, profile| profile.session_expires = 1800);
    let (ours, theirs) = net.established();
    net.with(0, |a, now, out| a.reoffer(ours, sdp("hold"), By::Reinvite, now, out)).unwrap();
    net.soon();
    net.delay = Duration::from_millis(100);
    net.with(1, |a, now, out| a.answer_reoffer(theirs, sdp("held"), now, out));
    net.delay = Duration::from_millis(10);
    net.with(0, |a, now, out| a.hang_up(ours, &[], now, out));
    net.assert_quiet();
}
