//! Calls that a push announced before their INVITE came.

#![allow(clippy::unwrap_used)] // helpers beside the tests

mod town;

use std::net::SocketAddr;
use std::time::Duration;

use base::Redacted;
use offhook_phone::{AccountState, CallId, CallState, Command, Input, NetworkNews, Why};
use town::{MAIN, Town, pair};

use CallState::*;

const SECOND: Duration = Duration::from_secs(1);
/// What the app drew when the push came.
const PUSHED: CallId = CallId(100);

fn announce(town: &mut Town, phone: SocketAddr, remote: &str, call_id: Option<&str>) {
    let command = Command::Announce {
        call: PUSHED,
        account: MAIN,
        remote: Redacted::new(remote.into()),
        name: Some(Redacted::new("Ann".into())),
        call_id: call_id.map(Into::into),
    };
    town.command(phone, command);
}

#[test]
fn an_announced_call_keeps_its_id_when_it_comes() {
    let (mut town, ann, bob) = pair();
    announce(&mut town, bob, "sip:ann@10.0.0.1", None);
    assert_eq!(town.state(bob, PUSHED), Announced);
    town.call(ann, "sip:bob@10.0.0.2");
    town.run(SECOND);
    let states = town.states(bob, PUSHED);
    town.expect(states, vec![Announced, Ringing]);
    town.command(bob, Command::Answer(PUSHED));
    town.run(SECOND);
    let states = (town.state(ann, CallId(1)), town.state(bob, PUSHED));
    town.expect(states, (Active, Active));
    assert_eq!(town.view(bob, PUSHED).name.unwrap().reveal(), "Ann", "the INVITE names nobody");
}

#[test]
fn answer_before_invite_is_spent_when_invite_arrives() {
    let (mut town, ann, bob) = pair();
    announce(&mut town, bob, "sip:ann@10.0.0.1", None);
    town.command(bob, Command::Answer(PUSHED));
    town.run(SECOND);
    assert_eq!(town.state(bob, PUSHED), Announced);
    town.call(ann, "sip:bob@10.0.0.2");
    town.run(SECOND);
    let states = (town.state(ann, CallId(1)), town.state(bob, PUSHED));
    town.expect(states, (Active, Active));
}

#[test]
fn a_call_declined_before_it_came_is_declined_when_it_comes_and_shown_once() {
    for command in [Command::Reject(PUSHED, 603), Command::HangUp(PUSHED)] {
        let status = if matches!(command, Command::HangUp(_)) { 486 } else { 603 };
        let (mut town, ann, bob) = pair();
        announce(&mut town, bob, "sip:ann@10.0.0.1", None);
        town.command(bob, command);
        assert_eq!(town.view(bob, PUSHED).explanation, Some(Why::YouDeclined));
        town.call(ann, "sip:bob@10.0.0.2");
        town.run(SECOND);
        assert_eq!(town.view(ann, CallId(1)).status, Some(status));
        assert_eq!(town.states(bob, PUSHED), [Announced, Ended]);
        assert_eq!(town.states(bob, CallId(1)), [], "nothing else is shown");
    }
}

#[test]
fn an_announced_call_that_never_comes_ends_with_its_reason() {
    let (mut town, _, bob) = pair();
    announce(&mut town, bob, "sip:ann@10.0.0.1", None);
    town.run(29 * SECOND);
    assert_eq!(town.state(bob, PUSHED), Announced);
    town.run(2 * SECOND);
    let view = town.view(bob, PUSHED);
    assert_eq!((view.state, view.explanation), (Ended, Some(Why::NeverCame)));
}

#[test]
fn another_caller_is_not_taken_for_the_announced_one() {
    let (mut town, ann, bob) = pair();
    announce(&mut town, bob, "sip:cem@10.0.0.3", None);
    town.command(bob, Command::Answer(PUSHED));
    town.call(ann, "sip:bob@10.0.0.2");
    town.run(SECOND);
    assert_eq!((town.state(bob, PUSHED), town.state(bob, CallId(1))), (Announced, Ringing));

    for (remote, call_id) in [("sip:ann@10.0.0.1", Some("not-this-one")), ("", None)] {
        let (mut town, ann, bob) = pair();
        announce(&mut town, bob, remote, call_id);
        town.command(bob, Command::Answer(PUSHED));
        town.call(ann, "sip:bob@10.0.0.2");
        town.run(SECOND);
        assert_eq!((town.state(bob, PUSHED), town.state(bob, CallId(1))), (Announced, Ringing));
    }
}

#[test]
fn do_not_disturb_holds_for_an_announced_call_too() {
    let (mut town, ann, bob) = pair();
    town.command(bob, Command::DoNotDisturb(true));
    announce(&mut town, bob, "sip:ann@10.0.0.1", None);
    assert_eq!(town.view(bob, PUSHED).explanation, Some(Why::DoNotDisturb));
    town.call(ann, "sip:bob@10.0.0.2");
    town.run(SECOND);
    assert_eq!(town.view(ann, CallId(1)).status, Some(480));
    assert_eq!(town.states(bob, CallId(1)), [], "nothing else is shown");
}

#[test]
fn a_phone_that_is_unregistered_by_wish_is_not_registered_by_a_push() {
    let (mut town, _, bob) = pair();
    town.tell(bob, Input::Network(NetworkNews::Up { addrs: vec![bob.ip()] }));
    announce(&mut town, bob, "", None);
    town.run(SECOND);
    assert_eq!(town.account(bob).state, AccountState::Unregistered);
}
