//! Requests outside dialogs, and those that only claim to be inside one. RFC 3261 sections 8.2 and 11, RFC 3428, RFC 3891.

use crate::message::{Method, Name};
use crate::ua::*;

use super::net::*;

fn with_script() -> (Net, NodeId) {
    let mut net = Net::pair();
    let script = net.add_scripted();
    (net, script)
}

/// Section 11.2.
#[test]
fn options_is_answered_with_what_we_can() {
    let (mut net, script) = with_script();
    let options = net.outside(script, 1, &Method::Options, "o");
    net.say(script, 1, &options);
    net.soon();
    let ok = net.heard_status(script, 200);
    assert_eq!(ok.allows(&Method::Invite), Some(true));
    assert_eq!(ok.allows(&Method::Publish), Some(false));
    assert!(ok.supports("timer") && ok.has(Name::Accept));
    assert!(ok.to().unwrap().tag().is_some());
    assert!(net.news(1).is_empty());
}

/// RFC 3428.
#[test]
fn a_message_is_answered_and_told_with_whom_it_is_for() {
    let (mut net, script) = with_script();
    let mut message = net.outside(script, 1, &Method::Message, "m");
    message.body("text/plain;charset=utf-8", "Gr\u{fc}\u{df}e");
    net.say(script, 1, &message);
    net.soon();
    net.heard_status(script, 200);
    let told = net.expect(1, |news| match news {
        News::MessageReceived { profile, from, content_type, body, .. } => {
            Some((*profile, from.clone(), content_type.clone(), body.clone()))
        }
        _ => None,
    });
    let body = "Gr\u{fc}\u{df}e".into();
    let want = (Some(ME), "<sip:script@test>;tag=script".into(), "text/plain;charset=utf-8".into(), body);
    assert_eq!(told, want);
}

/// Sections 8.2.1, 8.2.2.3, 8.2.3, 12.2.2: the refusals and what they must say.
#[test]
fn what_cannot_be_served_is_refused_with_what_could() {
    type Case = (Method, fn(&mut crate::message::Draft), u16, Option<Name>);
    let cases: [Case; 9] = [
        (Method::Publish, |_| (), 405, Some(Name::Allow)),
        (Method::Subscribe, |_| (), 405, Some(Name::Allow)),
        (Method::Other("DANCE".into()), |_| (), 501, Some(Name::Allow)),
        (
            Method::Options,
            |d| {
                d.push(Name::Require, "teleport");
            },
            420,
            Some(Name::Unsupported),
        ),
        (
            Method::Invite,
            |d| {
                d.body("application/cpl", "x");
            },
            415,
            Some(Name::Accept),
        ),
        (Method::Bye, |_| (), 481, None),
        (
            Method::Info,
            |d| {
                d.set(Name::To, "<sip:bob@x>;tag=abcdefghijkm");
            },
            481,
            None,
        ),
        (
            Method::Notify,
            |d| {
                d.push(Name::Event, "weather");
            },
            489,
            Some(Name::AllowEvents),
        ),
        (
            Method::Invite,
            |d| {
                d.remove(Name::Contact);
            },
            400,
            None,
        ),
    ];
    for (method, change, status, name) in cases {
        let (mut net, script) = with_script();
        let mut draft = net.outside(script, 1, &method, "c");
        change(&mut draft);
        net.say(script, 1, &draft);
        net.soon();
        let refusal = net.heard_status(script, status);
        assert!(name.is_none_or(|name| refusal.has(name)), "{method}: {status}");
        assert!(net.news(1).is_empty());
    }
}

/// Section 8.2.2.2: the same INVITE by another way.
#[test]
fn a_merged_request_is_refused_with_482() {
    let (mut net, script) = with_script();
    let mut invite = net.outside(script, 1, &Method::Invite, "fork");
    invite.body("application/sdp", sdp("offer"));
    net.say(script, 1, &invite);
    invite.set(Name::Via, format_args!("SIP/2.0/UDP {};branch=z9hG4bKelse", net.addr(script)));
    net.say(script, 1, &invite);
    net.soon();
    net.heard_status(script, 482);
    assert_eq!(net.news(1).iter().filter_map(invited).count(), 1);
}

/// Memory that strangers can claim is bounded.
#[test]
fn more_calls_than_allowed_are_turned_away_for_now() {
    let (mut net, script) = with_script();
    for call in 0..70 {
        let mut invite = net.outside(script, 1, &Method::Invite, &format!("call{call}"));
        invite.body("application/sdp", sdp("offer"));
        net.say(script, 1, &invite);
    }
    net.soon();
    assert_eq!(net.news(1).iter().filter_map(invited).count(), AgentConfig::default().max_sessions);
    assert!(net.heard_status(script, 503).has(Name::RetryAfter));
}

/// Nobody's number is nobody's profile, and the user decides about it.
#[test]
fn a_call_for_a_stranger_is_told_without_a_profile() {
    let (mut net, script) = with_script();
    let mut invite = net.outside(script, 1, &Method::Invite, "c");
    invite.set_request_uri("sip:carol@10.0.0.2").body("application/sdp", sdp("offer"));
    net.say(script, 1, &invite);
    net.soon();
    let (session, profile) = net.expect(1, |news| match news {
        News::Invited { session, profile, .. } => Some((*session, *profile)),
        _ => None,
    });
    assert_eq!(profile, None);
    net.with(1, |a, now, out| a.reject(session, 404, "", &[], &[], now, out));
    net.soon();
    net.heard_status(script, 404);
}

/// Redirecting a caller: section 21.3.
#[test]
fn a_rejection_may_name_other_contacts() {
    let mut net = Net::pair();
    net.call();
    net.soon();
    let theirs = net.expect(1, invited);
    let contacts = [uri("sip:bob@mobile.test"), uri("sip:carol@test")];
    net.with(1, |a, now, out| {
        a.reject(theirs, 302, "", &contacts, &[(Name::RetryAfter, "60".into())], now, out);
    });
    net.soon();
    let failure = net.expect(0, failed);
    assert_eq!((failure.status, &failure.contacts[..]), (302, &contacts[..]));
    assert_eq!(failure.retry_after, Some(std::time::Duration::from_secs(60)));
}

/// Garbage on every door: nothing said, nothing told, nothing kept.
#[test]
fn garbage_is_counted_and_dropped() {
    let mut net = Net::pair();
    let from = net.addr(1);
    for bytes in [
        &b""[..],
        b"\r\n\r\n",
        b"\x00\x01garbage",
        b"INVITE",
        b"SIP/2.0 200 OK\r\n\r\n",
        b"BYE x SIP/2.0\r\n\r\n",
    ] {
        net.with(0, |a, now, out| a.received(base::FlowId(1), from, bytes, now, out));
    }
    assert!(net.log.is_empty() && net.news(0).is_empty());
}

/// RFC 3891 section 3: every rule of who may take whose place.
#[test]
fn replaces_takes_over_a_call_or_says_why_not() {
    // Ann and Bob talk; Carol (scripted) wants Ann's place.
    let (mut net, script) = with_script();
    let (ours, theirs) = net.established();
    let dialog = net.agent(0).replaces_value(ours).unwrap();
    let mut attempt = 0;
    let mut knock = |net: &mut Net, replaces: String| {
        attempt += 1;
        let mut invite = net.outside(script, 1, &Method::Invite, &format!("knock{attempt}"));
        invite.push(Name::Replaces, replaces).push(Name::Require, "replaces");
        invite.body("application/sdp", sdp("carol"));
        net.say(script, 1, &invite);
        net.soon();
    };
    knock(&mut net, "other@call;to-tag=abcdefghijkm;from-tag=x".into());
    net.heard_status(script, 481);
    knock(&mut net, "no tags at all".into());
    net.heard_status(script, 400);
    knock(&mut net, format!("{dialog};early-only"));
    net.heard_status(script, 486);
    knock(&mut net, dialog.clone());
    let (session, replaces) = net.expect(1, |news| match news {
        News::Invited { session, replaces, .. } => Some((*session, *replaces)),
        _ => None,
    });
    assert_eq!(replaces, Some(theirs));
    assert!(net.news(0).is_empty());
    net.with(1, |a, now, out| a.accept(session, sdp("bob"), now, out));
    net.soon();
    net.heard_status(script, 200);
    let (by, cause) = net.expect(1, ended);
    assert_eq!((by, &*cause.text), (Party::Us, "Replaced"));
    assert_eq!(net.expect(0, ended).0, Party::Them);
    // Its place is taken.
    knock(&mut net, dialog);
    net.heard_status(script, 481);
}

/// RFC 3891 section 3: an early dialog may be replaced only where it was begun.
#[test]
fn only_the_caller_gives_an_early_dialog_away() {
    let (mut net, script) = with_script();
    let ours = net.call();
    net.soon();
    let theirs = net.expect(1, invited);
    net.with(1, |a, now, out| a.ring(theirs, now, out));
    net.soon();
    for (node, other, taken) in [(1, ours, false), (0, theirs, true)] {
        let dialog = net.agent(1 - node).replaces_value(other).unwrap();
        let mut invite = net.outside(script, node, &Method::Invite, &format!("pick{node}"));
        invite.push(Name::Replaces, format!("{dialog};early-only")).body("application/sdp", sdp("carol"));
        net.say(script, node, &invite);
        net.soon();
        if taken {
            let session = net.expect(node, invited);
            net.with(node, |a, now, out| a.accept(session, sdp("ann"), now, out));
            net.soon();
            assert_eq!(net.expect(node, ended).1.text, "Replaced");
            assert_eq!(net.expect(1, ended).0, Party::Them);
        } else {
            net.heard_status(script, 481);
        }
    }
}

/// A call to a name we do not have is a call all the same: our requests in it name a Contact that reaches us.
#[test]
fn a_call_taken_without_a_profile_is_complete() {
    let (mut net, script) = with_script();
    let mut invite = net.outside(script, 1, &Method::Invite, "c");
    invite.set_request_uri("sip:carol@10.0.0.2").body("application/sdp", sdp("offer"));
    net.say(script, 1, &invite);
    net.soon();
    let session = net.expect(1, invited);
    net.with(1, |a, now, out| a.accept(session, sdp("answer"), now, out));
    net.soon();
    let ok = net.heard_status(script, 200);
    let mut ack = net.outside(script, 1, &Method::Ack, "c");
    ack.set(Name::To, ok.text(Name::To).unwrap());
    net.say(script, 1, &ack);
    net.soon();
    net.with(1, |a, now, out| a.reoffer(session, sdp("hold"), By::Reinvite, now, out)).unwrap();
    net.soon();
    let reinvite = net.heard(script, &Method::Invite);
    assert_eq!(reinvite.contact().unwrap().uri_text(), "sip:carol@10.0.0.2:5060");
    assert_eq!(reinvite.text(Name::From), ok.text(Name::To));
}
