//! What sounds beside the calls: on each side, from change to change.

#![allow(clippy::unwrap_used)] // helpers beside the tests

mod town;

use std::net::SocketAddr;
use std::time::Duration;

use offhook_phone::{CallId, Command, Tone};
use town::{Town, at_home, in_a_call, pair};

use Tone::*;

const SECOND: Duration = Duration::from_secs(1);
const ONE: CallId = CallId(1);
const TWO: CallId = CallId(2);

fn tones(town: &mut Town, phone: SocketAddr) -> Vec<Option<Tone>> {
    town.handset(phone).tones.iter().map(|(_, tone)| *tone).collect()
}

/// Ann calls Bob, and it rings there.
fn ringing() -> (Town, SocketAddr, SocketAddr) {
    let (mut town, ann, bob) = pair();
    town.call(ann, "sip:bob@10.0.0.2");
    town.run(SECOND);
    assert_eq!(tones(&mut town, ann), [Some(Ringback)]);
    (town, ann, bob)
}

#[test]
fn ringback_sounds_to_the_caller_until_the_answer_and_nothing_to_the_called() {
    let (mut town, ann, bob) = ringing();
    town.command(bob, Command::Answer(ONE));
    town.run(SECOND);
    assert_eq!(tones(&mut town, ann), [Some(Ringback), None]);
    town.command(bob, Command::HangUp(ONE));
    town.run(60 * SECOND);
    assert_eq!(tones(&mut town, ann), [Some(Ringback), None], "after a talk they know");
    assert_eq!(tones(&mut town, bob), []);
}

#[test]
fn what_the_network_plays_is_heard_instead_of_ringback() {
    let (mut town, ann, bob) = ringing();
    town.command(bob, Command::Progress(ONE));
    town.run(SECOND);
    assert_eq!(tones(&mut town, ann), [Some(Ringback), None]);
}

#[test]
fn a_call_that_comes_to_nothing_sounds_busy_or_congested_for_some_seconds() {
    for (status, tone) in [(486, Busy), (600, Busy), (603, Busy), (404, Congestion), (480, Congestion)] {
        let (mut town, ann, bob) = ringing();
        town.command(bob, Command::Reject(ONE, status));
        town.run(60 * SECOND);
        assert_eq!(tones(&mut town, ann), [Some(Ringback), Some(tone), None], "{status}");
        let told = &town.handset(ann).tones;
        assert_eq!(told[2].0.since(told[1].0), 4 * SECOND);
        assert_eq!(tones(&mut town, bob), []);
    }
}

#[test]
fn who_gives_up_a_call_or_switches_off_hears_nothing_more() {
    for command in [Command::HangUp(ONE), Command::Shutdown] {
        let (mut town, ann, _) = ringing();
        town.command(ann, command);
        town.run(SECOND);
        assert_eq!(tones(&mut town, ann), [Some(Ringback), None]);
    }
}

#[test]
fn the_next_call_ends_the_tone_of_the_last_for_good() {
    let (mut town, ann, bob) = ringing();
    town.command(bob, Command::Reject(ONE, 486));
    town.run(SECOND);
    town.call(ann, "sip:bob@10.0.0.2");
    town.run(SECOND);
    town.command(bob, Command::Answer(TWO));
    town.run(SECOND);
    town.command(ann, Command::Hold(TWO));
    town.run(SECOND);
    let expected = [Some(Ringback), Some(Busy), None, Some(Ringback), None];
    assert_eq!(tones(&mut town, ann), expected);
}

#[test]
fn a_call_that_rings_during_another_knocks_until_something_is_done_about_it() {
    let answers = [Command::Reject(TWO, 486), Command::Answer(TWO), Command::HangUp(ONE)];
    for answer in answers {
        let (mut town, _, bob) = in_a_call();
        let cem = town.phone(3, at_home("cem", 3));
        town.call(cem, "sip:bob@10.0.0.2");
        town.run(SECOND);
        assert_eq!(tones(&mut town, bob), [Some(CallWaiting)]);
        town.command(bob, answer);
        town.run(SECOND);
        assert_eq!(tones(&mut town, bob), [Some(CallWaiting), None], "alone it rings as any other");
    }
}

#[test]
fn a_second_call_of_ours_sounds_like_a_first_but_never_into_one_that_is_up() {
    let (mut town, ann, bob) = in_a_call();
    let cem = town.phone(3, at_home("cem", 3));
    town.handset(ann).tones.clear();
    town.call(ann, "sip:cem@10.0.0.3");
    town.run(SECOND);
    assert_eq!(tones(&mut town, ann), [Some(Ringback)], "the first is held");
    town.command(ann, Command::Resume(ONE));
    town.run(SECOND);
    assert_eq!(tones(&mut town, ann), [Some(Ringback), None], "they talk");
    town.command(cem, Command::Reject(ONE, 486));
    town.run(SECOND);
    assert_eq!(tones(&mut town, ann), [Some(Ringback), None], "and go on talking");
    assert_eq!(tones(&mut town, bob), []);
}
