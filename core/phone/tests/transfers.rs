//! Transfers between three phones, in virtual time. RFC 5589.

#![allow(clippy::unwrap_used)] // helpers beside the tests

mod town;

use std::net::SocketAddr;
use std::time::Duration;

use base::Redacted;
use offhook_phone::{CallId, CallState, Command, Refusal, SeenAs, Transfer, Why};
use town::{Town, at_home};

use CallState::*;

const SECOND: Duration = Duration::from_secs(1);
const ONE: CallId = CallId(1);
const TWO: CallId = CallId(2);

/// Ann has called Bob; Cem is there too.
fn town() -> (Town, SocketAddr, SocketAddr, SocketAddr) {
    let mut town = Town::new();
    let ann = town.phone(1, at_home("ann", 1));
    let bob = town.phone(2, at_home("bob", 2));
    let cem = town.phone(3, at_home("cem", 3));
    town.call(ann, "sip:bob@10.0.0.2");
    town.run(SECOND);
    town.command(bob, Command::Answer(ONE));
    town.run(SECOND);
    (town, ann, bob, cem)
}

fn to_cem() -> Redacted<String> {
    Redacted::new("sip:cem@10.0.0.3".into())
}

#[test]
fn a_blind_transfer_reports_progress_and_ends_the_first_call() {
    let (mut town, ann, bob, cem) = town();
    town.command(ann, Command::Transfer { call: ONE, to: to_cem() });
    town.run(SECOND);
    let view = town.view(ann, ONE);
    town.expect((view.state, view.transfer), (Held, Some(Transfer::Ringing)));
    let states = (town.state(bob, ONE), town.state(bob, TWO), town.state(cem, ONE));
    town.expect(states, (RemoteHeld, Ringing, Ringing));
    assert_eq!(town.view(bob, TWO).on_behalf_of, Some(ONE));
    town.command(cem, Command::Answer(ONE));
    town.run(SECOND);
    let view = town.view(ann, ONE);
    town.expect((view.state, view.transfer), (Ended, Some(Transfer::Done)));
    assert_eq!(view.explanation.as_ref(), Some(&Why::Transferred));
    let states = (town.state(bob, ONE), town.state(bob, TWO), town.state(cem, ONE));
    town.expect(states, (Ended, Active, Active));
    let bob_to_ann = "10.0.0.2:5060 -> 10.0.0.1:5060: INVITE";
    assert!(!town.story().contains(bob_to_ann), "no hold for a call that is about to end: {}", town.story());
}

#[test]
fn a_failed_transfer_leaves_the_call_on_hold_and_it_can_be_resumed() {
    let (mut town, ann, bob, cem) = town();
    town.command(ann, Command::Transfer { call: ONE, to: to_cem() });
    town.run(SECOND);
    town.command(cem, Command::Reject(ONE, 486));
    town.run(SECOND);
    let view = town.view(ann, ONE);
    town.expect((view.state, view.transfer), (Held, Some(Transfer::Failed(486))));
    assert_eq!((town.state(bob, ONE), town.state(bob, TWO)), (RemoteHeld, Ended));
    town.command(ann, Command::Resume(ONE));
    town.run(SECOND);
    let states = (town.state(ann, ONE), town.state(bob, ONE));
    town.expect(states, (Active, Active));
}

#[test]
fn an_attended_transfer_joins_the_two_others() {
    let (mut town, ann, bob, cem) = town();
    town.call(ann, "sip:cem@10.0.0.3");
    town.run(SECOND);
    town.command(cem, Command::Answer(ONE));
    town.run(SECOND);
    town.command(ann, Command::TransferTo { call: ONE, other: TWO });
    town.run(3 * SECOND);
    let states = (town.state(ann, ONE), town.state(ann, TWO));
    town.expect(states, (Ended, Ended));
    let states = (town.state(bob, ONE), town.state(bob, TWO), town.state(cem, ONE), town.state(cem, TWO));
    town.expect(states, (Ended, Active, Ended, Active));
    let joined = town.view(cem, TWO);
    assert_eq!((joined.on_behalf_of, joined.remote.reveal().as_str()), (Some(ONE), "sip:bob@10.0.0.2"));
    assert_eq!(town.states(cem, TWO).last(), Some(&Active));
    for call in [ONE, TWO] {
        assert_eq!(town.view(ann, call).explanation.as_ref(), Some(&Why::Transferred));
    }
}

#[test]
fn an_attended_transfer_that_fails_leaves_both_calls() {
    let (mut town, ann, bob, cem) = town();
    town.call(ann, "sip:cem@10.0.0.3");
    town.run(SECOND);
    town.command(cem, Command::Answer(ONE));
    town.run(SECOND);
    // Bob may make no second call.
    town.command(
        bob,
        Command::Call { call: CallId(8), account: None, to: to_cem(), seen_as: SeenAs::default() },
    );
    for call in 9..15 {
        town.command(
            bob,
            Command::Call {
                call: CallId(call),
                account: None,
                to: Redacted::new("10.0.0.77".into()),
                seen_as: SeenAs::default(),
            },
        );
    }
    town.command(ann, Command::TransferTo { call: ONE, other: TWO });
    town.run(3 * SECOND);
    let view = town.view(ann, ONE);
    town.expect((view.state, view.transfer), (Held, Some(Transfer::Failed(486))));
    town.command(ann, Command::HangUp(TWO));
    town.run(SECOND);
    assert_eq!(town.view(ann, TWO).explanation.as_ref(), Some(&Why::YouEnded));
}

#[test]
fn a_transferee_who_hangs_up_while_it_rings_ends_that_call_only() {
    let (mut town, ann, bob, cem) = town();
    town.command(ann, Command::Transfer { call: ONE, to: to_cem() });
    town.run(SECOND);
    town.command(bob, Command::HangUp(TWO));
    town.run(SECOND);
    let view = town.view(ann, ONE);
    town.expect((view.state, view.transfer), (Held, Some(Transfer::Failed(487))));
    assert_eq!((town.state(bob, ONE), town.state(cem, ONE)), (RemoteHeld, Ended));
}

#[test]
fn a_second_transfer_waits_for_the_first() {
    let (mut town, ann, _, _) = town();
    town.command(ann, Command::Transfer { call: ONE, to: to_cem() });
    town.command(ann, Command::Transfer { call: ONE, to: to_cem() });
    assert_eq!(town.refusals(ann).iter().map(|(_, why)| *why).collect::<Vec<_>>(), [Refusal::Busy]);
}
