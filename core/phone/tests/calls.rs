//! Two phones call each other, in virtual time.

#![allow(clippy::unwrap_used)] // helpers beside the tests

mod town;

use std::time::Duration;

use base::Redacted;
use media::{Codec, Direction};
use offhook_phone::{
    CallId, CallState, Command, Config, Event, MessageId, Refusal, SeenAs, Side, Subject, Why, With,
};
use sip::message::{Method, Name};
use town::{MAIN, Town, at_home, bytes, description, directions, in_a_call, pair, response};

use CallState::*;

const SECOND: Duration = Duration::from_secs(1);
const ONE: CallId = CallId(1);

#[test]
fn a_call_rings_is_answered_and_ends() {
    let (mut town, ann, bob) = in_a_call();
    let view = town.view(ann, ONE);
    assert_eq!(
        (view.side, view.codec, view.remote.reveal().as_str()),
        (Side::Out, Some(Codec::Pcmu), "sip:bob@10.0.0.2")
    );
    let view = town.view(bob, ONE);
    assert_eq!((view.side, view.remote.reveal().as_str()), (Side::In, "sip:ann@10.0.0.1"));
    let plan = town.handset(ann).open_streams()[0].plan.clone().unwrap();
    assert_eq!(plan.remote, Some("10.0.0.2:4002".parse().unwrap()));
    town.command(bob, Command::HangUp(ONE));
    town.run(SECOND);
    let states = town.states(ann, ONE);
    town.expect(states, vec![Calling, Ringing, Active, Ended]);
    let states = town.states(bob, ONE);
    town.expect(states, vec![Ringing, Active, Ended]);
    let view = town.view(ann, ONE);
    assert_eq!(view.explanation.as_ref(), Some(&Why::TheyEnded));
    assert!(town.handset(ann).open_streams().is_empty() && town.handset(bob).open_streams().is_empty());
    assert!(town.handset(ann).streams.values().all(|stream| stream.closed));
}

#[test]
fn a_declined_call_tells_both_sides_why() {
    let (mut town, ann, bob) = pair();
    town.call(ann, "sip:bob@10.0.0.2");
    town.run(SECOND);
    town.command(bob, Command::Reject(ONE, 486));
    town.run(SECOND);
    let view = town.view(ann, ONE);
    assert_eq!((view.state, view.status, view.reason.as_deref()), (Ended, Some(486), Some("Busy Here")));
    assert_eq!(view.explanation.as_ref(), Some(&Why::Busy));
    assert_eq!(town.view(bob, ONE).explanation.as_ref(), Some(&Why::YouDeclined));
}

#[test]
fn a_caller_who_gives_up_stops_the_ringing() {
    let (mut town, ann, bob) = pair();
    town.call(ann, "sip:bob@10.0.0.2");
    town.run(SECOND);
    town.command(ann, Command::HangUp(ONE));
    town.run(SECOND);
    let view = town.view(bob, ONE);
    assert_eq!(
        (view.state, view.status, view.explanation.as_ref()),
        (Ended, Some(487), Some(&Why::CallerGaveUp))
    );
    assert_eq!(town.view(ann, ONE).explanation.as_ref(), Some(&Why::YouGaveUp));
}

#[test]
fn a_call_given_up_before_it_has_a_socket_sends_nothing() {
    let (mut town, ann, bob) = pair();
    town.handset(ann).slow_media = true;
    town.call(ann, "sip:bob@10.0.0.2");
    town.command(ann, Command::HangUp(ONE));
    town.run(SECOND);
    assert_eq!(town.states(ann, ONE), [Calling, Ended]);
    assert!(town.states(bob, ONE).is_empty());
}

#[test]
fn an_answer_before_the_socket_is_there_is_spent_when_it_comes() {
    let (mut town, ann, bob) = pair();
    town.handset(bob).slow_media = true;
    town.call(ann, "sip:bob@10.0.0.2");
    town.run(SECOND);
    town.command(bob, Command::Answer(ONE));
    town.run(SECOND);
    assert_eq!((town.state(ann, ONE), town.state(bob, ONE)), (Ringing, Ringing));
    town.give_media(bob);
    town.run(SECOND);
    let states = (town.state(ann, ONE), town.state(bob, ONE));
    town.expect(states, (Active, Active));
}

#[test]
fn early_media_is_heard_before_the_answer_and_goes_on_after_it() {
    let (mut town, ann, bob) = pair();
    town.call(ann, "sip:bob@10.0.0.2");
    town.run(SECOND);
    town.command(bob, Command::Progress(ONE));
    town.run(SECOND);
    let states = (town.state(ann, ONE), town.state(bob, ONE));
    town.expect(states, (Early, Early));
    assert_eq!(town.handset(ann).open_streams().len(), 1);
    town.command(bob, Command::Answer(ONE));
    town.run(SECOND);
    let states = town.states(ann, ONE);
    town.expect(states, vec![Calling, Ringing, Early, Active]);
}

#[test]
fn a_second_call_puts_the_first_on_hold_and_swap_changes_places() {
    let (mut town, ann, bob) = in_a_call();
    let cem = town.phone(3, at_home("cem", 3));
    let two = town.call(ann, "sip:cem@10.0.0.3");
    town.run(SECOND);
    assert_eq!(town.state(ann, ONE), Held, "before anybody answers: {}", town.story());
    town.command(cem, Command::Answer(ONE));
    town.run(SECOND);
    let states = (town.state(ann, ONE), town.state(ann, two), town.state(bob, ONE), town.state(cem, ONE));
    town.expect(states, (Held, Active, RemoteHeld, Active));
    town.command(ann, Command::Swap);
    town.run(SECOND);
    let states = (town.state(ann, ONE), town.state(ann, two), town.state(bob, ONE), town.state(cem, ONE));
    town.expect(states, (Active, Held, Active, RemoteHeld));
}

#[test]
fn a_waiting_call_is_answered_over_the_first() {
    let (mut town, ann, bob) = in_a_call();
    let cem = town.phone(3, at_home("cem", 3));
    town.call(cem, "sip:ann@10.0.0.1");
    town.run(SECOND);
    town.command(ann, Command::Answer(CallId(2)));
    town.run(SECOND);
    let states =
        (town.state(ann, ONE), town.state(ann, CallId(2)), town.state(bob, ONE), town.state(cem, ONE));
    town.expect(states, (Held, Active, RemoteHeld, Active));
}

#[test]
fn without_call_waiting_a_second_caller_is_busy_and_remembered_as_missed() {
    let (mut town, ann, _) = in_a_call();
    town.command(ann, Command::CallWaiting(false));
    let cem = town.phone(3, at_home("cem", 3));
    town.call(cem, "sip:ann@10.0.0.1");
    town.run(SECOND);
    assert_eq!((town.state(cem, ONE), town.view(cem, ONE).status), (Ended, Some(486)));
    assert_eq!(town.states(ann, CallId(2)), [Ended]);
    assert_eq!(town.state(ann, ONE), Active);
}

#[test]
fn do_not_disturb_refuses_with_480_and_is_seen() {
    let (mut town, ann, bob) = pair();
    town.command(bob, Command::DoNotDisturb(true));
    town.call(ann, "sip:bob@10.0.0.2");
    town.run(SECOND);
    let view = town.view(ann, ONE);
    assert_eq!((view.state, view.status, view.reason.as_deref()), (Ended, Some(480), Some("Do Not Disturb")));
    assert_eq!(town.states(bob, ONE), [Ended]);
    assert_eq!(town.view(bob, ONE).explanation.as_ref(), Some(&Why::DoNotDisturb));
}

#[test]
fn who_is_blocked_does_not_ring_and_is_not_read_until_he_is_blocked_no_more() {
    let (mut town, ann, bob) = pair();
    town.command(bob, Command::Block(vec![Redacted::new("ann@10.0.0.1".into())]));
    town.call(ann, "sip:bob@10.0.0.2");
    town.run(SECOND);
    let view = town.view(ann, ONE);
    assert_eq!((view.state, view.status), (Ended, Some(603)));
    assert_eq!(town.states(bob, ONE), [Ended]);
    assert_eq!(town.view(bob, ONE).explanation.as_ref(), Some(&Why::YouBlocked));
    town.command(bob, Command::Block(Vec::new()));
    town.call(ann, "sip:bob@10.0.0.2");
    town.run(SECOND);
    assert_eq!(town.state(bob, CallId(2)), Ringing);
}

#[test]
fn a_forwarded_caller_is_sent_elsewhere_and_follows() {
    let (mut town, ann, bob) = pair();
    let cem = town.phone(3, at_home("cem", 3));
    town.command(bob, Command::ForwardTo(Some(Redacted::new("sip:cem@10.0.0.3".into()))));
    town.call(ann, "sip:bob@10.0.0.2");
    town.run(SECOND);
    town.command(cem, Command::Answer(ONE));
    town.run(SECOND);
    let states = (town.state(ann, ONE), town.state(cem, ONE));
    town.expect(states, (Active, Active));
    assert_eq!((town.states(bob, ONE), town.view(bob, ONE).status), (vec![Ended], Some(302)));
}

#[test]
fn callers_without_a_common_codec_are_refused_with_488() {
    let (mut town, ann, bob) = pair();
    let mut settings = at_home("bob", 2);
    settings.codecs = vec![Codec::Pcma];
    town.command(bob, Command::AddAccount(MAIN, settings));
    let mut settings = at_home("ann", 1);
    settings.codecs = vec![Codec::Pcmu];
    town.command(ann, Command::AddAccount(MAIN, settings));
    town.call(ann, "sip:bob@10.0.0.2");
    town.run(SECOND);
    let view = town.view(ann, ONE);
    assert_eq!((view.state, view.status), (Ended, Some(488)), "{}", town.story());
    assert_eq!(town.states(bob, ONE), [Ended]);
}

#[test]
fn a_call_without_an_offer_is_offered_to_in_the_answer() {
    let (mut town, ann, bob) = pair();
    let mut settings = at_home("ann", 1);
    settings.late_offer = true;
    town.command(ann, Command::AddAccount(MAIN, settings));
    town.call(ann, "sip:bob@10.0.0.2");
    town.run(SECOND);
    town.command(bob, Command::Answer(ONE));
    town.run(SECOND);
    let states = (town.state(ann, ONE), town.state(bob, ONE));
    town.expect(states, (Active, Active));
    assert_eq!(
        (directions(&mut town, ann), directions(&mut town, bob)),
        (vec![Direction::SendRecv], vec![Direction::SendRecv])
    );
}

#[test]
fn nobody_there_is_told_after_the_patience_of_a_request() {
    let (mut town, ann, bob) = pair();
    town.kill(bob);
    town.call(ann, "sip:bob@10.0.0.2");
    town.run(40 * SECOND);
    let view = town.view(ann, ONE);
    assert_eq!((view.state, view.status), (Ended, Some(408)), "{}", town.story());
    assert_eq!(view.explanation.as_ref(), Some(&Why::ServerSilent));
}

#[test]
fn a_phone_that_nobody_picks_up_stops_ringing_by_itself() {
    let (mut town, ann, bob) = pair();
    town.call(ann, "sip:bob@10.0.0.2");
    town.run(200 * SECOND);
    assert_eq!((town.state(ann, ONE), town.state(bob, ONE)), (Ended, Ended));
    assert_eq!(town.view(bob, ONE).explanation.as_ref(), Some(&Why::NobodyHere));
}

#[test]
fn a_call_to_a_name_that_is_not_ours_is_not_found() {
    let (mut town, ann, _) = pair();
    town.call(ann, "sip:100@10.0.0.2");
    town.run(SECOND);
    assert_eq!((town.state(ann, ONE), town.view(ann, ONE).status), (Ended, Some(404)));
}

#[test]
fn the_ninth_call_is_too_many_either_way() {
    let mut town = Town::new();
    let ann = town.phone_with(1, at_home("ann", 1), Config { max_calls: 2, ..Config::default() });
    let bob = town.phone(2, at_home("bob", 2));
    for _ in 0..2 {
        town.call(bob, "sip:ann@10.0.0.1");
        town.run(SECOND);
    }
    let third = town.call(bob, "sip:ann@10.0.0.1");
    town.run(SECOND);
    assert_eq!(town.view(bob, third).status, Some(486));
    let fourth = town.call(ann, "sip:bob@10.0.0.2");
    assert_eq!(town.refusals(ann), [(Subject::Call(fourth), Refusal::TooManyCalls)]);
}

#[test]
fn commands_that_the_state_cannot_follow_are_refused_and_change_nothing() {
    let (mut town, ann, bob) = pair();
    let ids = town.call(ann, "sip:bob@10.0.0.2");
    town.run(SECOND);
    let before = (town.view(ann, ONE), town.view(bob, ONE));
    for command in [
        Command::Answer(ids),
        Command::Progress(ids),
        Command::Reject(ids, 486),
        Command::Hold(ids),
        Command::Resume(ids),
        Command::Mute(ids, false),
        Command::Transfer { call: ids, to: Redacted::new("1003".into()) },
        Command::TransferTo { call: ids, other: ids },
        Command::Refresh { call: ids, with: With::Update },
        Command::Swap,
    ] {
        town.command(ann, command);
    }
    town.command(bob, Command::Reject(ONE, 200));
    town.command(ann, Command::HangUp(CallId(99)));
    town.command(
        ann,
        Command::Call { call: ids, account: None, to: Redacted::new("1".into()), seen_as: SeenAs::default() },
    );
    town.command(ann, Command::Dtmf { call: ids, digits: Redacted::new("1".into()) });
    town.run(SECOND);
    let after = (town.view(ann, ONE), town.view(bob, ONE));
    town.expect(after, before);
    let refusals: Vec<_> = town.refusals(ann).into_iter().map(|(_, why)| why).collect();
    let mut wanted = vec![Refusal::WrongState; 10];
    wanted.extend([Refusal::NoSuchCall, Refusal::CallExists, Refusal::WrongState]);
    assert_eq!(refusals, wanted);
    assert_eq!(town.refusals(bob), [(Subject::Call(ONE), Refusal::BadStatus)]);
}

#[test]
fn a_text_message_arrives_and_is_reported() {
    let (mut town, ann, bob) = pair();
    let to = Redacted::new("sip:bob@10.0.0.2".to_owned());
    let text = Redacted::new("Grüße".to_owned());
    town.command(ann, Command::Message { message: MessageId(5), account: None, to, text, written: None });
    town.run(SECOND);
    let story = town.story();
    let heard = town.handset(bob).events.iter().find_map(|event| match event {
        Event::Message { from, text, .. } => Some((from.reveal().clone(), text.reveal().clone())),
        _ => None,
    });
    assert_eq!(heard, Some(("sip:ann@10.0.0.1".into(), "Grüße".into())), "{story}");
    let told = town.handset(ann).events.iter().any(|event| {
        matches!(event, Event::MessageSent { message: MessageId(5), status: 200, reason: None })
    });
    assert!(told, "{story}");
}

#[test]
fn every_call_ends_once_and_counts_its_revisions_up() {
    let (mut town, ann, bob) = in_a_call();
    town.command(ann, Command::Hold(ONE));
    town.command(ann, Command::HangUp(ONE));
    town.command(bob, Command::HangUp(ONE));
    town.run(60 * SECOND);
    for phone in [ann, bob] {
        let views: Vec<_> = (town.handset(phone).events.iter())
            .filter_map(|event| match event {
                Event::Call(view) => Some((view.revision, view.state)),
                _ => None,
            })
            .collect();
        assert!(views.iter().zip(1..).all(|((revision, _), wanted)| *revision == wanted), "{views:?}");
        assert_eq!(views.iter().filter(|(_, state)| *state == Ended).count(), 1, "{views:?}");
    }
}

#[test]
fn nothing_personal_is_printed_by_debug() {
    let (mut town, ann, bob) = in_a_call();
    let to = Redacted::new("sip:bob@10.0.0.2".to_owned());
    town.command(bob, Command::ForwardTo(Some(to)));
    for phone in [ann, bob] {
        let printed = format!("{:?}", town.handset(phone).events);
        let printed = printed + &town.debug(phone);
        assert!(
            !printed.contains("sip:") && !printed.contains("ann") && !printed.contains("bob"),
            "{printed}"
        );
    }
}

/// A peer that rings with early media from two forks, then answers from the first.
#[test]
fn of_two_forks_with_early_media_the_later_is_heard_until_the_answer() {
    let mut town = Town::new();
    let peer = town.peer(9, move |request, _| {
        if request.method() != Method::Invite {
            return if request.method() == Method::Ack {
                Vec::new()
            } else {
                vec![bytes(&response(request, 200))]
            };
        }
        let to = String::from_utf8_lossy(request.first(Name::To).unwrap()).into_owned();
        let mut answers = Vec::new();
        for (status, tag, port) in [(183, "one", 5000), (183, "two", 6000), (180, "one", 0)] {
            let mut draft = response(request, status);
            draft.set(Name::To, format!("{to};tag={tag}")).push(Name::Contact, "<sip:peer@10.0.0.9>");
            if port != 0 {
                draft.body("application/sdp", description(port));
            }
            answers.push(bytes(&draft));
        }
        answers
    });
    let ann = town.phone(1, at_home("ann", 1));
    let call = town.call(ann, "sip:peer@10.0.0.9");
    town.run(SECOND);
    let states = town.states(ann, call);
    town.expect(states, vec![Calling, Early]);
    let remote = town.handset(ann).open_streams()[0].plan.as_ref().unwrap().remote;
    assert_eq!(remote, Some("10.0.0.9:6000".parse().unwrap()));
    let invite = town.heard(peer).iter().find(|message| message.method() == Method::Invite).unwrap().clone();
    let to = String::from_utf8_lossy(invite.first(Name::To).unwrap()).into_owned();
    let mut answer = response(&invite, 200);
    answer.set(Name::To, format!("{to};tag=one")).push(Name::Contact, "<sip:peer@10.0.0.9>");
    answer.body("application/sdp", description(5000));
    town.say(peer, ann, bytes(&answer));
    town.run(SECOND);
    assert_eq!(town.state(ann, call), Active, "{}", town.story());
    let remote = town.handset(ann).open_streams()[0].plan.as_ref().unwrap().remote;
    assert_eq!(remote, Some("10.0.0.9:5000".parse().unwrap()));
}
