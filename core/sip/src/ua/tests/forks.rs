//! One INVITE, several who hear it. RFC 3261 sections 12.1.2 and 13.2.2.4, RFC 6228.

use crate::message::{Method, Name};
use crate::ua::*;

use super::net::*;

/// Ann and a scripted peer that plays all forks.
fn ann_and_forks() -> (Net, NodeId) {
    let mut net = Net::new();
    net.add("ann", |_, _| ());
    let forks = net.add_scripted();
    (net, forks)
}

fn with_sdp(name: &'static str) -> impl FnOnce(&mut crate::message::Draft) {
    move |draft| {
        draft.body("application/sdp", sdp(name));
    }
}

/// Section 12.1: each To tag is an early dialog of its own, numbered for the user.
#[test]
fn two_forks_ring_as_two_early_dialogs_and_the_second_answers() {
    let (mut net, forks) = ann_and_forks();
    let call = net.call();
    net.soon();
    let invite = net.heard(forks, &Method::Invite);
    net.reply(forks, &invite, 180, "one", |_| ());
    net.reply(forks, &invite, 183, "two", with_sdp("early two"));
    net.reply(forks, &invite, 180, "one", |_| ());
    net.soon();
    assert_eq!(net.expect(0, proceeding), (180, 0, None));
    assert_eq!(net.expect(0, proceeding), (183, 1, Some(Sdp::Answer(sdp("early two")))));
    assert_eq!(net.expect(0, proceeding), (180, 0, None));
    net.reply(forks, &invite, 200, "two", with_sdp("two"));
    net.soon();
    let early = net.expect(0, |news| match news {
        News::Answered { early, sdp: Some(Sdp::Answer(answer)), .. } => {
            assert_eq!(*answer, sdp("two"));
            Some(*early)
        }
        _ => None,
    });
    assert_eq!(early, 1);
    let ack = net.heard(forks, &Method::Ack);
    assert_eq!(ack.to().unwrap().tag(), Some("two"));
    net.with(0, |a, now, out| a.hang_up(call, &[], now, out));
    net.soon();
    assert_eq!(net.heard(forks, &Method::Bye).to().unwrap().tag(), Some("two"));
}

/// Section 13.2.2.4: the second 2xx is acknowledged, and again when it is said again; its dialog gets a BYE.
#[test]
fn a_second_fork_that_answers_gets_ack_and_bye() {
    let (mut net, forks) = ann_and_forks();
    net.call();
    net.soon();
    let invite = net.heard(forks, &Method::Invite);
    net.reply(forks, &invite, 200, "one", with_sdp("one"));
    net.reply(forks, &invite, 200, "two", with_sdp("two"));
    net.soon();
    assert_eq!(net.heard(forks, &Method::Ack).to().unwrap().tag(), Some("one"));
    assert_eq!(net.heard(forks, &Method::Ack).to().unwrap().tag(), Some("two"));
    let bye = net.heard(forks, &Method::Bye);
    assert_eq!(bye.to().unwrap().tag(), Some("two"));
    net.reply(forks, &bye, 200, "", |_| ());
    net.reply(forks, &invite, 200, "two", with_sdp("two"));
    net.soon();
    assert_eq!(net.heard(forks, &Method::Ack).to().unwrap().tag(), Some("two"));
    assert!(!net.has_heard(forks, &Method::Bye));
    assert_eq!(net.expect(0, answered), Some(Sdp::Answer(sdp("one"))));
    assert!(net.news(0).is_empty());
}

/// RFC 6228: 199 ends one early dialog, not the INVITE.
#[test]
fn a_199_drops_one_fork_and_the_call_goes_on() {
    let (mut net, forks) = ann_and_forks();
    net.call();
    net.soon();
    let invite = net.heard(forks, &Method::Invite);
    assert!(invite.supports("199"));
    net.reply(forks, &invite, 180, "one", |_| ());
    net.reply(forks, &invite, 199, "one", |_| ());
    net.reply(forks, &invite, 180, "two", |_| ());
    net.soon();
    let told: Vec<_> =
        net.news(0).iter().filter_map(proceeding).map(|(status, early, _)| (status, early)).collect();
    assert_eq!(told, [(180, 0), (199, 0), (180, 1)]);
    // Nobody has ever rung under this tag: nothing to drop, nothing to tell.
    net.reply(forks, &invite, 199, "three", |_| ());
    net.soon();
    assert!(net.news(0).is_empty());
}

/// The memory that forks can claim is bounded, and an answer by one unheard of is still an answer.
#[test]
fn more_forks_than_allowed_are_not_heard_until_they_answer() {
    let (mut net, forks) = ann_and_forks();
    net.call();
    net.soon();
    let invite = net.heard(forks, &Method::Invite);
    for fork in 0..40 {
        net.reply(forks, &invite, 180, &format!("fork{fork}"), |_| ());
    }
    net.soon();
    assert_eq!(net.news(0).len(), AgentConfig::default().max_forks);
    net.reply(forks, &invite, 200, "fork39", with_sdp("late"));
    net.soon();
    assert_eq!(net.expect(0, answered), Some(Sdp::Answer(sdp("late"))));
}

/// Sections 12.1.2 and 12.2.1.1: the route set of the answer, nearest hop first, loose or strict.
#[test]
fn requests_follow_the_recorded_route_and_a_strict_router_takes_the_request_uri() {
    for (first, loose) in [("sip:10.0.0.2;lr", true), ("sip:10.0.0.2", false)] {
        let (mut net, forks) = ann_and_forks();
        let call = net.call();
        net.soon();
        let invite = net.heard(forks, &Method::Invite);
        net.reply(forks, &invite, 200, "one", |draft| {
            draft.push(Name::RecordRoute, format_args!("<sip:10.0.9.9;lr>, <{first}>"));
            draft.body("application/sdp", sdp("one"));
        });
        net.soon();
        net.with(0, |a, now, out| a.hang_up(call, &[], now, out));
        net.soon();
        let bye = net.heard(forks, &Method::Bye);
        let routes: Vec<_> = bye.routes(Name::Route).map(|r| r.unwrap().uri_text().to_owned()).collect();
        let target = bye.request_uri().unwrap().as_str().to_owned();
        if loose {
            assert_eq!(routes, [first, "sip:10.0.9.9;lr"]);
            assert_eq!(target, "sip:one@10.0.0.2:5060");
        } else {
            assert_eq!(routes, ["sip:10.0.9.9;lr", "sip:one@10.0.0.2:5060"]);
            assert_eq!(target, first);
        }
    }
}
