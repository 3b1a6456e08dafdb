//! A call from end to end, and the same over lossy links. RFC 3261 sections 13, 15 and 17, RFC 3665.

use std::time::Duration;

use super::net::*;
use crate::message::{Method, Name};
use crate::ua::*;

/// RFC 3665 section 3.1.
#[test]
fn a_call_rings_is_answered_and_hung_up() {
    let mut net = Net::pair();
    let ours = net.call();
    net.soon();
    let theirs = net.expect(1, |news| match news {
        News::Invited { session, profile, offer, .. } => {
            assert_eq!((*profile, offer.clone()), (Some(ME), Some(sdp("offer"))));
            Some(*session)
        }
        _ => None,
    });
    net.with(1, |a, now, out| a.ring(theirs, now, out));
    net.soon();
    assert_eq!(net.expect(0, proceeding), (180, 0, None));
    net.with(1, |a, now, out| a.accept(theirs, sdp("answer"), now, out));
    net.soon();
    assert_eq!(net.expect(0, answered), Some(Sdp::Answer(sdp("answer"))));
    assert_eq!(net.expect(1, confirmed), None);
    net.with(0, |a, now, out| a.hang_up(ours, &[], now, out));
    net.soon();
    assert_eq!(net.expect(0, ended).0, Party::Us);
    assert_eq!(net.expect(1, ended), (Party::Them, Cause { status: 200, text: "OK".into(), q850: None }));
    assert_eq!((net.news(0).len(), net.news(1).len()), (0, 0));
    net.assert_quiet();
}

/// Section 17: whatever is lost is said again, and each side ends exactly once.
#[test]
fn a_call_survives_the_loss_of_any_packet_once_or_often() {
    for seed in 0..40_u64 {
        let mut net = Net::pair();
        let mut dice = base::Rng::from_number(seed);
        net.lose = Box::new(move |_, _| dice.below(100) < 25);
        let ours = net.call();
        net.run(Duration::from_secs(20));
        let theirs = net.expect(1, invited);
        net.with(1, |a, now, out| a.ring(theirs, now, out));
        net.run(Duration::from_secs(3));
        net.with(1, |a, now, out| a.accept(theirs, sdp("answer"), now, out));
        net.run(Duration::from_secs(25));
        assert_eq!(net.expect(0, answered), Some(Sdp::Answer(sdp("answer"))), "seed {seed}");
        net.expect(1, confirmed);
        net.with(0, |a, now, out| a.hang_up(ours, &[], now, out));
        net.run(Duration::from_secs(32));
        for node in [0, 1] {
            let news = net.news(node);
            assert_eq!(
                news.iter().filter(|n| ended(n).is_some()).count(),
                1,
                "seed {seed}: {news:?}\n{}",
                net.log
            );
        }
        net.assert_quiet();
    }
}

/// Section 13.3.1.4: the 2xx is said again until the ACK, and each one is acknowledged (13.2.2.4).
#[test]
fn a_lost_ack_is_said_again_for_each_repeated_2xx() {
    let mut net = Net::pair();
    let mut acks = 0;
    net.lose = Box::new(move |_, text| {
        acks += u32::from(text.starts_with("ACK"));
        text.starts_with("ACK") && acks <= 2
    });
    net.call();
    net.soon();
    let theirs = net.expect(1, invited);
    net.with(1, |a, now, out| a.accept(theirs, sdp("answer"), now, out));
    net.run(Duration::from_secs(5));
    net.expect(1, confirmed);
    assert_eq!(net.said("ACK"), 3, "{}", net.log);
    assert_eq!(net.said("SIP/2.0 200"), 3, "{}", net.log);
}

/// Section 13.3.1.4: no ACK for 64*T1 ends the session with a BYE.
#[test]
fn a_2xx_that_is_never_acknowledged_ends_in_bye() {
    let mut net = Net::pair();
    net.lose = Box::new(|_, text| text.starts_with("ACK"));
    net.call();
    net.soon();
    let theirs = net.expect(1, invited);
    net.with(1, |a, now, out| a.accept(theirs, sdp("answer"), now, out));
    net.run(Duration::from_secs(31));
    assert_eq!(net.said("BYE"), 0);
    net.run(Duration::from_secs(2));
    let (by, cause) = net.expect(1, ended);
    assert_eq!((by, cause.status), (Party::Network, 408));
    assert_eq!(net.expect(0, ended).0, Party::Them);
    net.assert_quiet();
}

/// Section 15: the called side may not send BYE before the ACK.
#[test]
fn a_callee_who_hangs_up_at_once_waits_for_the_ack() {
    let mut net = Net::pair();
    net.call();
    net.soon();
    let theirs = net.expect(1, invited);
    net.with(1, |a, now, out| {
        a.accept(theirs, sdp("answer"), now, out);
        a.hang_up(theirs, &[], now, out);
    });
    assert_eq!(net.said("BYE"), 0);
    assert_eq!(net.expect(1, ended).0, Party::Us);
    net.soon();
    net.expect(0, answered);
    assert_eq!(net.expect(0, ended).0, Party::Them);
    net.assert_quiet();
}

/// Section 8.1.1.7 and 18.2.1 over TCP: one connection each way of a call, the Contact says so.
#[test]
fn a_call_over_tcp_uses_one_connection_for_all_of_it() {
    let mut net = Net::pair_with(|_, profile| {
        profile.transport = TransportPolicy::Only(base::Transport::Tcp);
    });
    let (ours, _) = net.established();
    net.with(0, |a, now, out| a.hang_up(ours, &[], now, out));
    net.soon();
    assert_eq!(net.expect(1, ended).0, Party::Them);
    net.assert_quiet();
    assert_eq!(net.said("BYE"), 1);
}

/// A refused call ends once, with the status and phrase of the refusal, and its ACK is the transaction's.
#[test]
fn a_rejected_call_fails_with_what_the_callee_said() {
    let mut net = Net::pair();
    net.call();
    net.soon();
    let theirs = net.expect(1, invited);
    net.with(1, |a, now, out| a.reject(theirs, 486, "In a meeting", &[], &[], now, out));
    net.soon();
    let failure = net.expect(0, failed);
    assert_eq!((failure.status, &*failure.reason, failure.local), (486, "In a meeting", false));
    assert_eq!(
        net.expect(1, ended),
        (Party::Us, Cause { status: 486, text: "In a meeting".into(), q850: None })
    );
    net.assert_quiet();
}

/// Section 8.1.3.1: silence counts as 408.
#[test]
fn a_call_that_nobody_hears_fails_as_408_made_here() {
    let mut net = Net::pair();
    net.lose = Box::new(|_, _| true);
    net.call();
    net.run(Duration::from_secs(33));
    let failure = net.expect(0, failed);
    assert_eq!((failure.status, failure.local), (408, true));
    net.assert_quiet();
}

/// RFC 3323 section 4.1.1.2: From says nobody, and Contact not more.
#[test]
fn who_calls_as_nobody_is_not_named_by_the_contact_of_anything_in_the_call() {
    let mut net = Net::new();
    net.add("ann", |_, _| ());
    let server = net.add_scripted();
    let nobody = "\"Anonymous\" <sip:anonymous@anonymous.invalid>".to_owned();
    let call = net.call_with(|invite| invite.headers.push((Name::From, nobody)));
    net.soon();
    let invite = net.heard(server, &Method::Invite);
    net.reply(server, &invite, 200, "s", |draft| {
        draft.body("application/sdp", sdp("answer"));
    });
    net.soon();
    net.expect(0, answered);
    net.heard(server, &Method::Ack);
    net.with(0, |a, now, out| a.reoffer(call, sdp("hold"), By::Reinvite, now, out)).unwrap();
    net.soon();
    for request in [invite, net.heard(server, &Method::Invite)] {
        let contact = request.text(Name::Contact).unwrap();
        assert!(contact.starts_with("<sip:anonymous@10.0.0.1"), "{contact}");
    }
}
