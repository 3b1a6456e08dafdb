//! INFO in a call: of no package, of the one that is taken, of others. RFC 6086, RFC 8840 section 10.

use crate::message::{Method, Name};
use crate::ua::*;

use super::net::*;

/// INFO both ways: RFC 6086's legacy use.
#[test]
fn info_is_answered_and_told_to_both() {
    let mut net = Net::pair();
    let (ours, _) = net.established();
    net.with(0, |a, now, out| a.info(ours, "application/dtmf-relay", "Signal=5".into(), now, out));
    net.soon();
    let heard = net.expect(1, |news| match news {
        News::InfoReceived { content_type, body, .. } => Some((content_type.clone(), body.clone())),
        _ => None,
    });
    assert_eq!(heard, ("application/dtmf-relay".into(), "Signal=5".into()));
    let status = net.expect(0, |news| match news {
        News::InfoDone { status, .. } => Some(*status),
        _ => None,
    });
    assert_eq!(status, 200);
    net.with(0, |a, now, out| a.info(ours, "text/plain", "5".into(), now, out));
    net.soon();
    let status = net.expect(0, |news| match news {
        News::InfoDone { status, .. } if *status != 200 => Some(*status),
        _ => None,
    });
    assert_eq!(status, 415);
}

/// RFC 6086 section 4.2.2, RFC 8840 section 10.
#[test]
fn late_addresses_are_taken_as_their_package_and_no_other_package_is() {
    const FRAGMENT: &str = "application/trickle-ice-sdpfrag";
    let mut net = Net::pair();
    let ours = trickling(&mut net);
    net.soon();
    let theirs = net.expect(1, invited);
    net.with(1, |a, now, out| a.accept(theirs, sdp("answer"), now, out));
    net.soon();
    net.with(0, |a, now, out| a.trickle(ours, "a=ice-ufrag:abcd".into(), now, out));
    net.soon();
    let heard = net.expect(1, |news| match news {
        News::Trickled { fragment, .. } => Some(fragment.clone()),
        _ => None,
    });
    assert_eq!(heard, "a=ice-ufrag:abcd");
    let status = net.expect(0, |news| match news {
        News::TrickleDone { status, .. } => Some(*status),
        _ => None,
    });
    assert_eq!(status, 200);
    // The same body as no package, or in one that we do not take.
    net.with(0, |a, now, out| a.info(ours, FRAGMENT, "a=ice-ufrag:abcd".into(), now, out));
    net.soon();
    let status = net.expect(0, |news| match news {
        News::InfoDone { status, .. } => Some(*status),
        _ => None,
    });
    assert_eq!(status, 415);
}

/// A call whose description says that late addresses are taken.
fn trickling(net: &mut Net) -> SessionId {
    net.call_with(|invite| invite.headers.push((Name::RecvInfo, "trickle-ice".into())))
}

#[test]
fn late_addresses_are_sent_to_nobody_who_did_not_say_that_they_take_them() {
    for (says, informed) in [(None, 0), (Some("a"), 0), (Some(""), 0), (Some("a, Trickle-ICE"), 1)] {
        let mut net = Net::new();
        net.add("ann", |_, _| ());
        let bob = net.add_scripted();
        let ours = trickling(&mut net);
        net.soon();
        let invite = net.heard(bob, &Method::Invite);
        assert_eq!(invite.text(Name::RecvInfo), Some("trickle-ice"));
        assert!(invite.supports("trickle-ice") && invite.supports("timer"), "in one line with the others");
        // An early dialog will do.
        net.reply(bob, &invite, 180, "b", |draft| {
            if let Some(says) = says {
                draft.push(Name::RecvInfo, says);
            }
        });
        net.soon();
        net.with(0, |a, now, out| a.trickle(ours, "a=ice-ufrag:abcd".into(), now, out));
        net.soon();
        if informed == 1 {
            let info = net.heard(bob, &Method::Info);
            assert_eq!(info.text(Name::InfoPackage), Some("trickle-ice"));
            continue;
        }
        let status = net.expect(0, |news| match news {
            News::TrickleDone { status, .. } => Some(*status),
            _ => None,
        });
        assert_eq!(status, 469, "{says:?}");
    }
}

#[test]
fn another_info_package_is_refused_with_the_one_that_is_taken() {
    let mut net = Net::new();
    net.add("ann", |_, _| ());
    let bob = net.add_scripted();
    net.call();
    net.soon();
    let invite = net.heard(bob, &Method::Invite);
    net.reply(bob, &invite, 200, "b", |draft| {
        draft.body("application/sdp", sdp("answer"));
    });
    net.soon();
    let packages = [("Trickle-ICE;a=b", 200), ("conference", 469), ("trickle-icy", 469), ("", 469)];
    for (seq, (package, status)) in (7..).zip(packages) {
        let mut info = net.in_dialog(bob, &Method::Info, seq, &invite, "b");
        info.push(Name::InfoPackage, package);
        net.say(bob, 0, &info);
        net.soon();
        let answer = net.heard_status(bob, status);
        assert_eq!(answer.text(Name::RecvInfo), (status == 469).then_some("trickle-ice"), "{package}");
    }
}

#[test]
fn who_knows_of_packages_is_told_by_ringing_and_the_2xx_which_one_is_taken_and_nobody_else_is() {
    // RFC 6086 section 5.2.3, RFC 8840 section 10.6.
    for (asks, told, trickles) in [
        (Some("a, trickle-ice"), Some("trickle-ice"), true),
        (Some("a"), Some("trickle-ice"), false),
        (None, None, false),
    ] {
        let mut net = Net::new();
        let bob = net.add_scripted();
        net.add("ann", |_, _| ());
        let mut invite = net.outside(bob, 1, &Method::Invite, "one");
        invite.body("application/sdp", sdp("offer"));
        if let Some(asks) = asks {
            invite.push(Name::RecvInfo, asks);
        }
        net.say(bob, 1, &invite);
        net.soon();
        let theirs = net.expect(1, invited);
        net.with(1, |a, now, out| a.ring(theirs, now, out));
        net.soon();
        net.with(1, |a, now, out| a.accept(theirs, sdp("answer"), now, out));
        net.soon();
        for status in [180, 200] {
            let response = net.heard_status(bob, status);
            assert_eq!(response.text(Name::RecvInfo), told, "{status}");
            assert_eq!(response.supports("trickle-ice"), trickles, "{status}");
        }
    }
}
