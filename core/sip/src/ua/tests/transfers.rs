//! Transfer: REFER, its reports, Replaces. RFC 3515, RFC 3892, RFC 5589.

use std::time::Duration;

use crate::message::{Method, Name, Uri};
use crate::ua::*;

use super::net::*;

fn referred(news: &News) -> Option<(ReferId, Uri, Option<String>)> {
    match news {
        News::Referred { refer, to, referred_by, .. } => Some((*refer, to.clone(), referred_by.clone())),
        _ => None,
    }
}

fn progress(news: &News) -> Option<(u16, bool)> {
    match news {
        News::ReferProgress { status, done, .. } => Some((*status, *done)),
        _ => None,
    }
}

/// Ann and Bob talk; Ann sends Bob to Carol.
fn three() -> (Net, SessionId, SessionId) {
    let mut net = Net::pair();
    net.add("carol", |_, _| ());
    let (ours, theirs) = net.established();
    (net, ours, theirs)
}

fn refer_to_carol(net: &mut Net, session: SessionId, replaces: Option<SessionId>) {
    let to = ReferTo { to: uri("sip:carol@10.0.0.3"), replaces };
    net.with(0, |a, now, out| a.refer(session, to, now, out));
    net.soon();
}

/// RFC 5589 section 6.1: blind transfer with progress; Ann hangs up when it has worked.
#[test]
fn a_blind_transfer_is_reported_to_its_end() {
    let (mut net, ours, _) = three();
    refer_to_carol(&mut net, ours, None);
    let (refer, to, by) = net.expect(1, referred);
    assert_eq!((to.as_str(), by.as_deref()), ("sip:carol@10.0.0.3", Some("<sip:ann@10.0.0.1>")));
    net.with(1, |a, now, out| a.accept_refer(refer, now, out));
    net.soon();
    assert_eq!(net.expect(0, progress), (100, false));
    let invite =
        Invite { headers: vec![(Name::ReferredBy, by.unwrap())], ..Invite::new(to, Some(sdp("bob"))) };
    net.with(1, |a, now, out| a.invite(ME, invite, now, out));
    net.soon();
    let (carol, message) = net.expect(2, |news| match news {
        News::Invited { session, message, .. } => Some((*session, message.clone())),
        _ => None,
    });
    assert_eq!(message.text(Name::ReferredBy), Some("<sip:ann@10.0.0.1>"));
    net.with(1, |a, now, out| a.notify_refer(refer, 180, "", now, out));
    net.soon();
    assert_eq!(net.expect(0, progress), (180, false));
    net.with(2, |a, now, out| a.accept(carol, sdp("carol"), now, out));
    net.soon();
    net.expect(1, answered);
    net.with(1, |a, now, out| a.notify_refer(refer, 200, "", now, out));
    net.soon();
    assert_eq!(net.expect(0, progress), (200, true));
    net.with(0, |a, now, out| a.hang_up(ours, &[], now, out));
    net.soon();
    assert_eq!(net.expect(1, ended).0, Party::Them);
    assert!(net.agent(0).is_idle());
}

/// RFC 5589 section 6: a transferor who hangs up at once still gets the reports (RFC 5057: the dialog lives on for them).
#[test]
fn reports_outlive_the_call_they_began_in() {
    let (mut net, ours, _) = three();
    refer_to_carol(&mut net, ours, None);
    let (refer, ..) = net.expect(1, referred);
    net.with(1, |a, now, out| a.accept_refer(refer, now, out));
    net.soon();
    net.with(0, |a, now, out| a.hang_up(ours, &[], now, out));
    net.soon();
    assert_eq!(net.expect(1, ended).0, Party::Them);
    net.with(1, |a, now, out| a.notify_refer(refer, 486, "", now, out));
    net.soon();
    assert_eq!(net.expect(0, progress), (100, false));
    assert_eq!(net.expect(0, progress), (486, true));
    net.assert_quiet();
}

/// RFC 5589 section 7.3: attended transfer; the third party gives Ann's place to Bob.
#[test]
fn an_attended_transfer_replaces_the_consultation() {
    let (mut net, ours, _) = three();
    let invite = Invite::new(uri("sip:carol@10.0.0.3"), Some(sdp("consult")));
    let consultation = net.with(0, |a, now, out| a.invite(ME, invite, now, out));
    net.soon();
    let carol = net.expect(2, invited);
    net.with(2, |a, now, out| a.accept(carol, sdp("carol"), now, out));
    net.soon();
    refer_to_carol(&mut net, ours, Some(consultation));
    let (refer, to, _) = net.expect(1, referred);
    assert!(to.as_str().starts_with("sip:carol@10.0.0.3?Replaces="));
    net.with(1, |a, now, out| a.accept_refer(refer, now, out));
    net.with(1, |a, now, out| a.invite(ME, Invite::new(to, Some(sdp("bob"))), now, out));
    net.soon();
    let (taken, replaces) = net.expect(2, |news| match news {
        News::Invited { session, replaces, message, .. } => {
            assert_eq!(message.request_uri().unwrap().as_str(), "sip:carol@10.0.0.3");
            Some((*session, *replaces))
        }
        _ => None,
    });
    assert_eq!(replaces, Some(carol));
    net.with(2, |a, now, out| a.accept(taken, sdp("carol too"), now, out));
    net.soon();
    assert_eq!(net.expect(2, ended).1.text, "Replaced");
    let over = net.expect(0, |news| match news {
        News::Ended { session, .. } => Some(*session),
        _ => None,
    });
    assert_eq!(over, consultation);
    assert_eq!(net.expect(1, answered), Some(Sdp::Answer(sdp("carol too"))));
}

/// The refusal of a REFER is its last report.
#[test]
fn a_refused_refer_is_told_once() {
    let (mut net, ours, _) = three();
    refer_to_carol(&mut net, ours, None);
    let (refer, ..) = net.expect(1, referred);
    net.with(1, |a, now, out| a.refuse_refer(refer, 603, now, out));
    net.soon();
    assert_eq!(net.expect(0, progress), (603, true));
    net.with(1, |a, now, out| a.notify_refer(refer, 200, "", now, out));
    net.soon();
    assert!(net.news(0).is_empty());
}

/// RFC 3515 section 2.4.2: one Refer-To, and one that can be read.
#[test]
fn a_refer_without_a_target_is_400() {
    let mut net = Net::pair();
    let script = net.add_scripted();
    for bad in [&[][..], &["<sip:a@b>", "<sip:c@d>"][..], &["not a uri"][..]] {
        let mut refer = net.outside(script, 1, &Method::Refer, &format!("r{}", bad.len()));
        refer.set(Name::Via, format_args!("SIP/2.0/UDP 10.0.0.3:5060;branch=z9hG4bKr{}", bad.join("").len()));
        for value in bad {
            refer.push(Name::ReferTo, value);
        }
        net.say(script, 1, &refer);
        net.soon();
        net.heard_status(script, 400);
    }
    assert!(net.news(1).is_empty());
}

/// RFC 3515: a REFER outside any call has a dialog of its own for its reports.
#[test]
fn a_refer_outside_a_call_is_reported_in_its_own_dialog() {
    let mut net = Net::pair();
    let script = net.add_scripted();
    let mut refer = net.outside(script, 1, &Method::Refer, "click");
    refer.push(Name::ReferTo, "<sip:carol@test>");
    net.say(script, 1, &refer);
    net.soon();
    let (id, ..) = net.expect(1, referred);
    net.with(1, |a, now, out| a.accept_refer(id, now, out));
    net.soon();
    let tag = net.heard_status(script, 202).to().unwrap().tag().unwrap().to_owned();
    let notify = net.heard(script, &Method::Notify);
    assert_eq!((notify.from().unwrap().tag(), notify.body()), (Some(&*tag), &b"SIP/2.0 100 Trying\r\n"[..]));
    assert_eq!(notify.text(Name::Event), Some("refer;id=1"));
    net.reply(script, &notify, 200, "", |_| ());
    net.with(1, |a, now, out| a.notify_refer(id, 603, "", now, out));
    net.soon();
    let last = net.heard(script, &Method::Notify);
    assert_eq!(last.subscription_state().unwrap().state, "terminated");
    net.reply(script, &last, 200, "", |_| ());
    net.assert_quiet();
}

/// Nobody waits for ever for a report.
#[test]
fn a_report_that_never_comes_is_told_as_408() {
    let (mut net, ours, _) = three();
    refer_to_carol(&mut net, ours, None);
    let (refer, ..) = net.expect(1, referred);
    net.lose = Box::new(|_, text| text.starts_with("NOTIFY"));
    net.with(1, |a, now, out| a.accept_refer(refer, now, out));
    net.run(Duration::from_secs(310));
    assert_eq!(net.expect(0, progress), (408, true));
}
