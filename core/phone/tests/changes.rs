//! A call that is up is held, resumed, muted and changed, from either side, in virtual time.

#![allow(clippy::unwrap_used)] // helpers beside the tests

mod town;

use std::net::SocketAddr;
use std::time::Duration;

use media::{Direction, Silence};
use offhook_phone::{CallId, CallState, Command, Event, Input, MediaNews, With};
use sip::message::{Draft, Method, Name};
use town::{Town, at_home, bytes, description, directions, in_a_call, pair, response};

use CallState::*;

const SECOND: Duration = Duration::from_secs(1);
const ONE: CallId = CallId(1);

#[test]
fn a_silence_is_told_in_a_call_and_not_on_hold_whoever_holds() {
    let silence = Silence::Began { since: SECOND * 4, heard_before: true, hears_us: None };
    let told = |town: &mut Town, phone: SocketAddr| {
        let media = *town.handset(phone).streams.keys().next().unwrap();
        let before = town.handset(phone).events.len();
        town.tell(phone, Input::Media { media, news: MediaNews::Silence(silence) });
        let events = &town.handset(phone).events[before..];
        events
            .iter()
            .any(|event| matches!(event, Event::Silence { call: ONE, silence: told } if *told == silence))
    };
    let (mut town, ann, bob) = in_a_call();
    assert!(town.handset(ann).open_streams()[0].plan.as_ref().is_some_and(|plan| !plan.early));
    assert!(told(&mut town, ann));
    town.command(ann, Command::Hold(ONE));
    town.run(SECOND);
    assert!(!told(&mut town, ann) && !told(&mut town, bob));
    town.command(ann, Command::Resume(ONE));
    town.run(SECOND);
    assert!(told(&mut town, bob));
}

#[test]
fn hold_is_silent_at_once_and_told_to_the_other_side() {
    let (mut town, ann, bob) = in_a_call();
    town.command(ann, Command::Hold(ONE));
    assert!(town.handset(ann).open_streams()[0].muted, "before anything is agreed");
    town.run(SECOND);
    let states = (town.state(ann, ONE), town.state(bob, ONE));
    town.expect(states, (Held, RemoteHeld));
    assert_eq!(
        (directions(&mut town, ann), directions(&mut town, bob)),
        (vec![Direction::SendOnly], vec![Direction::RecvOnly])
    );
    town.command(ann, Command::Resume(ONE));
    town.run(SECOND);
    let states = (town.state(ann, ONE), town.state(bob, ONE));
    town.expect(states, (Active, Active));
    assert!(!town.handset(ann).open_streams()[0].muted);
    assert_eq!(directions(&mut town, bob), [Direction::SendRecv]);
}

#[test]
fn both_sides_may_hold_and_each_lets_go_for_itself() {
    let (mut town, ann, bob) = in_a_call();
    town.command(ann, Command::Hold(ONE));
    town.run(SECOND);
    town.command(bob, Command::Hold(ONE));
    town.run(SECOND);
    let states = (town.state(ann, ONE), town.state(bob, ONE));
    town.expect(states, (Held, Held));
    town.command(ann, Command::Resume(ONE));
    town.run(SECOND);
    let states = (town.state(ann, ONE), town.state(bob, ONE));
    town.expect(states, (RemoteHeld, Held));
    town.command(bob, Command::Resume(ONE));
    town.run(SECOND);
    let states = (town.state(ann, ONE), town.state(bob, ONE));
    town.expect(states, (Active, Active));
}

#[test]
fn both_sides_holding_at_the_same_moment_come_to_the_same_view() {
    let (mut town, ann, bob) = in_a_call();
    town.command(ann, Command::Hold(ONE));
    town.command(bob, Command::Hold(ONE));
    town.run(20 * SECOND);
    let states = (town.state(ann, ONE), town.state(bob, ONE));
    town.expect(states, (Held, Held));
    assert_eq!(
        (directions(&mut town, ann), directions(&mut town, bob)),
        (vec![Direction::Inactive], vec![Direction::Inactive])
    );
}

#[test]
fn a_mind_changed_during_the_exchange_is_settled_after_it() {
    let (mut town, ann, bob) = in_a_call();
    town.command(ann, Command::Hold(ONE));
    town.command(ann, Command::Resume(ONE));
    town.run(5 * SECOND);
    let states = (town.state(ann, ONE), town.state(bob, ONE));
    town.expect(states, (Active, Active));
    assert_eq!(directions(&mut town, bob), [Direction::SendRecv]);
}

#[test]
fn a_muted_call_stays_muted_through_hold_and_resume() {
    let (mut town, ann, _) = in_a_call();
    town.command(ann, Command::Mute(ONE, true));
    town.command(ann, Command::Hold(ONE));
    town.run(SECOND);
    town.command(ann, Command::Resume(ONE));
    town.run(SECOND);
    assert!(town.handset(ann).open_streams()[0].muted && town.view(ann, ONE).muted);
    town.command(ann, Command::Mute(ONE, false));
    assert!(!town.handset(ann).open_streams()[0].muted);
}

#[test]
fn a_microphone_closed_while_it_rings_is_closed_when_it_is_answered() {
    let (mut town, ann, bob) = pair();
    town.call(ann, "sip:bob@10.0.0.2");
    town.command(ann, Command::Mute(ONE, true));
    town.run(SECOND);
    town.command(bob, Command::Answer(ONE));
    town.run(SECOND);
    assert!(town.handset(ann).open_streams()[0].muted && !town.handset(bob).open_streams()[0].muted);
}

/// Ann in a call with a scripted peer at 10.0.0.9 that refuses every change.
fn with_a_peer() -> (Town, SocketAddr, SocketAddr) {
    let mut town = Town::new();
    let peer = town.peer(9, move |message, _| match (message.method(), message.to().unwrap().tag()) {
        _ if !message.is_request() => Vec::new(),
        (Method::Invite, None) => {
            let mut draft = response(message, 200);
            draft.push(Name::Contact, "<sip:peer@10.0.0.9>").body("application/sdp", description(5000));
            vec![bytes(&draft)]
        }
        (Method::Invite, Some(_)) => vec![bytes(&response(message, 488))],
        (Method::Ack, _) => Vec::new(),
        _ => vec![bytes(&response(message, 200))],
    });
    let ann = town.phone(1, at_home("ann", 1));
    town.call(ann, "sip:peer@10.0.0.9");
    town.run(SECOND);
    assert_eq!(town.state(ann, ONE), Active, "{}", town.story());
    (town, ann, peer)
}

/// The peer's next request within the call.
fn within(town: &Town, peer: SocketAddr, method: &Method, seq: u32) -> Draft {
    let invite = &town.heard(peer)[0];
    let field = |name| String::from_utf8_lossy(invite.first(name).unwrap()).into_owned();
    let mut draft = Draft::request(method, "sip:ann@10.0.0.1");
    draft
        .push(Name::Via, format_args!("SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK{method}{seq}"))
        .push(Name::From, format_args!("{};tag=peer", field(Name::To)))
        .push(Name::To, field(Name::From))
        .push(Name::CallId, field(Name::CallId))
        .push(Name::CSeq, format_args!("{seq} {method}"))
        .push(Name::MaxForwards, 70)
        .push(Name::Contact, "<sip:peer@10.0.0.9>");
    draft
}

fn last_answer(town: &Town, peer: SocketAddr) -> (u16, String) {
    let answer = town
        .heard(peer)
        .iter()
        .rfind(|message| message.status().is_some_and(|status| status >= 200))
        .unwrap();
    (answer.status().unwrap(), String::from_utf8_lossy(answer.body()).into_owned())
}

#[test]
fn a_change_of_theirs_is_answered_line_by_line_or_refused() {
    let (mut town, ann, peer) = with_a_peer();
    for (seq, change, answer, state) in [
        (1, description(5000).replace("10.0.0.9\r\nt", "0.0.0.0\r\nt"), (200, "m=audio"), RemoteHeld),
        (2, description(5000) + "m=video 6000 RTP/AVP 96\r\n", (200, "m=video 0 RTP/AVP 96"), Active),
        (3, description(5000) + "m=video 0 RTP/AVP 96\r\na=sendonly\r\n", (200, "m=video 0"), Active),
        (4, description(5000).replace("AVP 0", "AVP 18"), (488, ""), Active),
        (5, description(7000) + "a=sendonly\r\nm=video 0 RTP/AVP 96\r\n", (200, "a=recvonly"), RemoteHeld),
    ] {
        let mut draft = within(&town, peer, &Method::Invite, seq);
        draft.body("application/sdp", change);
        town.say(peer, ann, bytes(&draft));
        town.run(SECOND);
        let (status, body) = last_answer(&town, peer);
        assert!(status == answer.0 && body.contains(answer.1), "{seq}: {status} {body}\n{}", town.story());
        let mut ack = within(&town, peer, &Method::Ack, seq);
        if status == 488 {
            ack.set(Name::Via, format_args!("SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKINVITE{seq}"));
        }
        town.say(peer, ann, bytes(&ack));
        town.run(SECOND);
        assert_eq!(town.state(ann, ONE), state, "{seq}: {}", town.story());
    }
    let remote = town.handset(ann).open_streams()[0].plan.as_ref().unwrap().remote;
    assert_eq!(remote, Some("10.0.0.9:7000".parse().unwrap()));
}

#[test]
fn a_change_without_an_offer_is_offered_to_and_its_ack_answers() {
    let (mut town, ann, peer) = with_a_peer();
    town.say(peer, ann, bytes(&within(&town, peer, &Method::Invite, 1)));
    town.run(SECOND);
    let (status, body) = last_answer(&town, peer);
    assert!(
        status == 200 && body.contains("m=audio 4002 RTP/AVP 0 8") && body.contains("a=sendrecv"),
        "{body}"
    );
    let mut ack = within(&town, peer, &Method::Ack, 1);
    ack.body("application/sdp", description(5000) + "a=inactive\r\n");
    town.say(peer, ann, bytes(&ack));
    town.run(SECOND);
    assert_eq!(town.state(ann, ONE), RemoteHeld, "{}", town.story());
    assert_eq!(directions(&mut town, ann), [Direction::Inactive]);
}

#[test]
fn a_hold_that_is_refused_leaves_the_call_as_it_was() {
    let (mut town, ann, peer) = with_a_peer();
    town.command(ann, Command::Hold(ONE));
    town.run(SECOND);
    assert_eq!(town.state(ann, ONE), Active, "{}", town.story());
    assert!(!town.handset(ann).open_streams()[0].muted);
    let offers = town.heard(peer).iter().filter(|message| message.method() == Method::Invite).count();
    assert_eq!(offers, 2, "and is not asked for again");
}

#[test]
fn a_session_is_refreshed_by_either_request_without_a_change() {
    for with in [With::Update, With::Reinvite] {
        let (mut town, ann, bob) = in_a_call();
        let before = (town.view(ann, ONE), town.view(bob, ONE));
        town.command(ann, Command::Refresh { call: ONE, with });
        town.run(SECOND);
        let after = (town.view(ann, ONE), town.view(bob, ONE));
        town.expect(after, before);
        assert!(town.refusals(ann).is_empty());
        let word = if with == With::Update { "UPDATE" } else { "INVITE" };
        assert!(town.story().lines().rev().take(4).any(|line| line.contains(word)), "{}", town.story());
    }
}
