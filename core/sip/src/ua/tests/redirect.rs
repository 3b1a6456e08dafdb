//! Where a 3xx points. RFC 3261 sections 8.1.3.4 and 21.3.

use std::time::Duration;

use crate::message::{Method, Name, Uri};
use crate::ua::*;

use super::net::*;

fn ann_and_two() -> (Net, NodeId, NodeId) {
    let mut net = Net::new();
    net.add("ann", |_, _| ());
    let (bob, other) = (net.add_scripted(), net.add_scripted());
    (net, bob, other)
}

/// The contacts are told best first when the user follows them himself.
#[test]
fn a_redirection_not_to_be_followed_is_told_best_contact_first() {
    let (mut net, bob, _) = ann_and_two();
    net.call();
    net.soon();
    let invite = net.heard(bob, &Method::Invite);
    net.reply(bob, &invite, 302, "b", |draft| {
        draft.set(Name::Contact, "<sip:low@x>;q=0.2, <sip:high@x>;q=0.9").push(Name::Contact, "sip:full@x");
    });
    net.soon();
    let failure = net.expect(0, failed);
    let contacts: Vec<_> = failure.contacts.iter().map(Uri::as_str).collect();
    assert_eq!((failure.status, &contacts[..]), (302, &["sip:full@x", "sip:high@x", "sip:low@x"][..]));
}

/// Section 8.1.3.4: in order of q, the next after each failure, same Call-ID, new number.
#[test]
fn redirections_are_followed_best_first_until_one_answers() {
    let (mut net, bob, other) = ann_and_two();
    net.call_with(|invite| invite.follow_redirects = true);
    net.soon();
    let first = net.heard(bob, &Method::Invite);
    let at = net.addr(other);
    net.reply(bob, &first, 302, "b", |draft| {
        draft.set(Name::Contact, format_args!("<sip:second@{at}>;q=0.5, <sip:first@{at}>;q=0.7"));
    });
    net.soon();
    let second = net.heard(other, &Method::Invite);
    assert_eq!(second.request_uri().unwrap().user, Some("first"));
    assert_eq!(second.call_id(), first.call_id());
    assert_eq!(second.cseq().unwrap().number, 2);
    net.reply(other, &second, 486, "o", |_| ());
    net.soon();
    let third = net.heard(other, &Method::Invite);
    assert_eq!(third.request_uri().unwrap().user, Some("second"));
    net.reply(other, &third, 200, "o", |draft| {
        draft.body("application/sdp", sdp("answer"));
    });
    net.soon();
    assert_eq!(net.expect(0, answered), Some(Sdp::Answer(sdp("answer"))));
    // One ACK for the 486, one for the 200.
    let acks = [2, 3].map(|_| net.heard(other, &Method::Ack).cseq().unwrap().number);
    assert_eq!(acks, [2, 3]);
}

/// An outbound proxy without `lr` stands in no Route, and is the first hop all the same.
#[test]
fn a_redirection_is_followed_through_the_outbound_proxy() {
    let mut net = Net::new();
    net.add("ann", |_, profile| profile.proxy = Some("sip:10.0.0.2:5060".parse().unwrap()));
    let proxy = net.add_scripted();
    net.call_with(|invite| invite.follow_redirects = true);
    net.soon();
    let invite = net.heard(proxy, &Method::Invite);
    net.reply(proxy, &invite, 302, "b", |draft| {
        draft.set(Name::Contact, "<sip:carol@offhook.test>");
    });
    net.soon();
    let again = net.heard(proxy, &Method::Invite);
    assert_eq!(again.request_uri().unwrap().user, Some("carol"));
}

/// The loop guard: nobody is asked twice, and not for ever.
#[test]
fn redirections_in_a_circle_end() {
    let (mut net, bob, other) = ann_and_two();
    net.call_with(|invite| invite.follow_redirects = true);
    let addr = [net.addr(bob), net.addr(other)];
    for turn in 0..8 {
        net.soon();
        let (here, there) = if turn % 2 == 0 { (bob, other) } else { (other, bob) };
        if !net.has_heard(here, &Method::Invite) {
            break;
        }
        let invite = net.heard(here, &Method::Invite);
        net.reply(here, &invite, 302, "x", |draft| {
            draft.set(Name::Contact, format_args!("<sip:bob@{}>", addr[there - 1]));
        });
    }
    net.soon();
    assert_eq!(net.expect(0, failed).status, 302);
    assert_eq!(net.said("INVITE"), 3, "{}", net.log);
    net.run(Duration::from_secs(60));
    net.assert_quiet();
}

/// A call given up while it is being redirected is not sent on.
#[test]
fn a_cancelled_call_is_not_redirected() {
    let (mut net, bob, other) = ann_and_two();
    let call = net.call_with(|invite| invite.follow_redirects = true);
    net.soon();
    let invite = net.heard(bob, &Method::Invite);
    net.with(0, |a, now, out| a.hang_up(call, &[], now, out));
    let at = net.addr(other);
    net.reply(bob, &invite, 302, "b", |draft| {
        draft.set(Name::Contact, format_args!("<sip:b@{at}>"));
    });
    net.soon();
    assert!(!net.has_heard(other, &Method::Invite));
    net.assert_quiet();
}
