//! Calls merged into a conference on this phone, in virtual time. RFC 5359 section 2.10, RFC 4353.

#![allow(clippy::unwrap_used)] // helpers beside the tests

mod town;

use std::net::SocketAddr;
use std::time::Duration;

use base::Redacted;
use offhook_phone::{CallId, CallState, Command, Refusal};
use town::{Town, at_home};

use CallState::*;

const SECOND: Duration = Duration::from_secs(1);
const ONE: CallId = CallId(1);
const TWO: CallId = CallId(2);
const THREE: CallId = CallId(3);
const FOUR: CallId = CallId(4);

const PEOPLE: [(&str, u8); 5] = [("ann", 1), ("bob", 2), ("cem", 3), ("dan", 4), ("eve", 5)];

fn town() -> (Town, [SocketAddr; 5]) {
    let mut town = Town::new();
    let phones = PEOPLE.map(|(name, last)| town.phone(last, at_home(name, last)));
    (town, phones)
}

/// Ann calls them one after the other, and each answers; her calls are numbered as they are.
fn ann_calls(town: &mut Town, ann: SocketAddr, others: &[SocketAddr]) {
    for other in others {
        let (name, _) = PEOPLE.into_iter().find(|(_, last)| town::at(*last) == *other).unwrap();
        town.call(ann, &format!("sip:{name}@{}", other.ip()));
        town.run(SECOND);
        town.command(*other, Command::Answer(ONE));
        town.run(SECOND);
    }
}

/// Ann has merged bob (call 1) and cem (call 2).
fn merged() -> (Town, [SocketAddr; 5]) {
    let (mut town, phones) = town();
    ann_calls(&mut town, phones[0], &phones[1..3]);
    town.command(phones[0], Command::Merge);
    town.run(SECOND);
    (town, phones)
}

/// State, membership and mixing of one of ann's calls. Streams are numbered as the calls are.
fn stands(town: &mut Town, ann: SocketAddr, call: CallId) -> (CallState, bool, bool) {
    let view = town.view(ann, call);
    let stream = &town.handset(ann).streams[&offhook_phone::MediaId(call.0)];
    (view.state, view.conference, stream.mixed && !stream.closed)
}

fn whys(town: &mut Town, phone: SocketAddr) -> Vec<Refusal> {
    town.refusals(phone).iter().map(|(_, why)| *why).collect()
}

#[test]
fn two_merged_calls_are_both_up_and_mixed() {
    let (mut town, [ann, bob, cem, ..]) = merged();
    for call in [ONE, TWO] {
        let stands = stands(&mut town, ann, call);
        town.expect(stands, (Active, true, true));
    }
    let states = (town.state(bob, ONE), town.state(cem, ONE));
    town.expect(states, (Active, Active));
    assert!(!town.view(bob, ONE).conference, "nobody is told");
    assert!(town.handset(ann).open_streams().iter().all(|stream| !stream.muted));
}

#[test]
fn one_who_hangs_up_leaves_the_others_and_the_last_is_an_ordinary_call() {
    let (mut town, [ann, bob, cem, dan, _]) = merged();
    ann_calls(&mut town, ann, &[dan]);
    town.command(ann, Command::Merge);
    town.run(SECOND);
    town.command(bob, Command::HangUp(ONE));
    town.run(SECOND);
    for call in [TWO, THREE] {
        let stands = stands(&mut town, ann, call);
        town.expect(stands, (Active, true, true));
    }
    town.command(ann, Command::HangUp(THREE));
    town.run(SECOND);
    let stands = stands(&mut town, ann, TWO);
    town.expect(stands, (Active, false, false));
    let states = (town.state(bob, ONE), town.state(cem, ONE), town.state(dan, ONE));
    town.expect(states, (Ended, Active, Ended));
}

#[test]
fn hold_and_resume_of_one_are_of_all() {
    let (mut town, [ann, bob, cem, ..]) = merged();
    town.command(ann, Command::Hold(TWO));
    let streams: Vec<_> = town.handset(ann).open_streams().iter().map(|s| (s.muted, s.mixed)).collect();
    assert_eq!(streams, [(true, false); 2], "at once, not when it is agreed");
    town.run(SECOND);
    for call in [ONE, TWO] {
        let stands = stands(&mut town, ann, call);
        town.expect(stands, (Held, true, false));
    }
    let states = (town.state(bob, ONE), town.state(cem, ONE));
    town.expect(states, (RemoteHeld, RemoteHeld));
    town.command(ann, Command::Resume(ONE));
    town.run(SECOND);
    for call in [ONE, TWO] {
        let stands = stands(&mut town, ann, call);
        town.expect(stands, (Active, true, true));
    }
}

#[test]
fn a_third_caller_who_is_answered_holds_the_conference_and_swap_brings_it_back() {
    let (mut town, [ann, _, _, dan, _]) = merged();
    town.call(dan, "sip:ann@10.0.0.1");
    town.run(SECOND);
    town.command(ann, Command::Answer(THREE));
    town.run(SECOND);
    for (call, wanted) in [(ONE, Held), (TWO, Held), (THREE, Active)] {
        let state = town.state(ann, call);
        town.expect(state, wanted);
    }
    town.command(ann, Command::Swap);
    town.run(SECOND);
    for (call, wanted) in
        [(ONE, (Active, true, true)), (TWO, (Active, true, true)), (THREE, (Held, false, false))]
    {
        let stands = stands(&mut town, ann, call);
        town.expect(stands, wanted);
    }
    town.command(ann, Command::Swap);
    town.run(SECOND);
    let states = (town.state(ann, ONE), town.state(ann, TWO), town.state(ann, THREE));
    town.expect(states, (Held, Held, Active));
}

#[test]
fn a_fourth_party_is_refused() {
    let (mut town, [ann, bob, cem, dan, eve]) = town();
    ann_calls(&mut town, ann, &[bob, cem, dan, eve]);
    town.command(ann, Command::MergeWith { call: ONE, other: TWO });
    town.command(ann, Command::MergeWith { call: THREE, other: ONE });
    town.run(SECOND);
    town.command(ann, Command::MergeWith { call: FOUR, other: ONE });
    town.command(ann, Command::MergeWith { call: ONE, other: ONE });
    town.command(ann, Command::MergeWith { call: ONE, other: CallId(9) });
    town.command(ann, Command::Split(FOUR));
    assert_eq!(
        whys(&mut town, ann),
        [Refusal::TooManyCalls, Refusal::WrongState, Refusal::NoSuchCall, Refusal::WrongState]
    );
    for (call, wanted) in [(ONE, Active), (TWO, Active), (THREE, Active), (FOUR, Held)] {
        let state = town.state(ann, call);
        town.expect(state, wanted);
    }
}

#[test]
fn one_split_off_is_talked_to_alone_and_merged_again() {
    let (mut town, [ann, _, _, dan, _]) = merged();
    ann_calls(&mut town, ann, &[dan]);
    town.command(ann, Command::Merge);
    town.run(SECOND);
    town.command(ann, Command::Split(TWO));
    town.run(SECOND);
    for (call, wanted) in
        [(ONE, (Held, true, false)), (TWO, (Active, false, false)), (THREE, (Held, true, false))]
    {
        let stands = stands(&mut town, ann, call);
        town.expect(stands, wanted);
    }
    town.command(ann, Command::Merge);
    town.run(SECOND);
    for call in [ONE, TWO, THREE] {
        let stands = stands(&mut town, ann, call);
        town.expect(stands, (Active, true, true));
    }
}

#[test]
fn the_microphone_is_closed_to_all_and_their_voices_go_on() {
    let (mut town, [ann, bob, cem, ..]) = town();
    ann_calls(&mut town, ann, &[bob, cem]);
    town.command(ann, Command::Mute(TWO, true));
    town.command(ann, Command::Merge);
    town.run(SECOND);
    let all = |town: &mut Town| -> Vec<_> {
        let streams = town.handset(ann).open_streams();
        streams.iter().map(|s| (s.muted, s.mixed)).collect()
    };
    assert_eq!(all(&mut town), [(true, true); 2], "as it was for the one that was up");
    assert!(town.view(ann, ONE).muted && town.view(ann, TWO).muted);
    town.command(ann, Command::Mute(ONE, false));
    assert_eq!(all(&mut town), [(false, true); 2]);
}

#[test]
fn one_who_holds_is_not_mixed_so_that_nobody_hears_its_music() {
    let (mut town, [ann, bob, ..]) = merged();
    town.command(bob, Command::Hold(ONE));
    town.run(SECOND);
    let found = (stands(&mut town, ann, ONE), stands(&mut town, ann, TWO));
    town.expect(found, ((RemoteHeld, true, false), (Active, true, true)));
    town.command(bob, Command::Resume(ONE));
    town.run(SECOND);
    let found = stands(&mut town, ann, ONE);
    town.expect(found, (Active, true, true));
}

#[test]
fn a_party_that_is_transferred_leaves_and_the_others_stay() {
    let (mut town, [ann, bob, cem, dan, _]) = merged();
    ann_calls(&mut town, ann, &[dan]);
    town.command(ann, Command::Merge);
    town.run(SECOND);
    town.command(ann, Command::Transfer { call: ONE, to: Redacted::new("sip:eve@10.0.0.5".into()) });
    town.command(ann, Command::MergeWith { call: ONE, other: TWO });
    assert_eq!(whys(&mut town, ann), [Refusal::Busy], "it is on its way elsewhere");
    town.run(SECOND);
    let found = (stands(&mut town, ann, ONE).1, stands(&mut town, ann, TWO), stands(&mut town, ann, THREE));
    town.expect(found, (false, (Active, true, true), (Active, true, true)));
    town.command(ann, Command::TransferTo { call: TWO, other: THREE });
    town.run(3 * SECOND);
    let states = (town.state(ann, TWO), town.state(ann, THREE), town.state(cem, TWO), town.state(dan, TWO));
    town.expect(states, (Ended, Ended, Active, Active));
    assert_eq!(town.state(bob, ONE), RemoteHeld);
}

#[test]
fn whoever_takes_the_place_of_a_party_is_one() {
    let (mut town, [ann, bob, _, dan, _]) = merged();
    // Bob has consulted dan, and puts ann through to him.
    town.call(bob, "sip:dan@10.0.0.4");
    town.run(SECOND);
    town.command(dan, Command::Answer(ONE));
    town.run(SECOND);
    town.command(bob, Command::TransferTo { call: ONE, other: TWO });
    town.run(3 * SECOND);
    let found = (town.state(ann, ONE), stands(&mut town, ann, TWO), stands(&mut town, ann, THREE));
    town.expect(found, (Ended, (Active, true, true), (Active, true, true)));
    assert_eq!(town.view(ann, THREE).remote.reveal().as_str(), "sip:dan@10.0.0.4");
}
