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
    let (ours, _) = net.established();
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
fn who_takes_late_addresses_is_told_by_the_2xx_that_so_do_we() {
    for (asks, told) in [(Some("a, trickle-ice"), Some("trickle-ice")), (Some("a"), None), (None, None)] {
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
        net.with(1, |a, now, out| a.accept(theirs, sdp("answer"), now, out));
        net.soon();
        assert_eq!(net.heard_status(bob, 200).text(Name::RecvInfo), told);
    }
}
