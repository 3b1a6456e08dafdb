//! Calls with sound whose sound stops: who is told of it, and who is not.

use std::time::Duration;

use media::Silence;
use offhook_sim::{NodeId, World};
use phone::{Command, Event};

use crate::{connect, nothing_is_left, town};

const SECOND: Duration = Duration::from_secs(1);

/// What a phone was told of silence, and when.
fn told(w: &World, phone: NodeId) -> Vec<(base::Instant, Silence)> {
    let events = w.at(phone).events().iter();
    let told = events.filter_map(|(at, event)| match event {
        Event::Silence { silence, .. } => Some((*at, *silence)),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_link_that_is_cut_for_six_seconds_is_told_of_and_then_that_it_is_back() {
    let (mut w, exchange, phones) = town(1, "silence", &["ann", "bob"], World::with_sound);
    let (ann, bob) = (phones[0], phones[1]);
    connect(&mut w, ann, bob, "bob");
    assert!(w.hears_tone(ann, bob) && w.hears_tone(bob, ann));

    let cut = w.now();
    w.cut(ann, bob, true);
    w.cut(bob, ann, true);
    w.run_for(6 * SECOND);
    w.cut(ann, bob, false);
    w.cut(bob, ann, false);
    w.run_for(3 * SECOND);

    for phone in [ann, bob] {
        let told = told(&w, phone);
        let [(began, Silence::Began { heard_before, hears_us, .. }), (ended, Silence::Ended { lasted })] =
            told[..]
        else {
            panic!("{told:?}")
        };
        assert_eq!((heard_before, hears_us), (true, None));
        let after = began.since(cut);
        assert!((4 * SECOND..5 * SECOND).contains(&after), "told after {after:?}");
        assert!((6 * SECOND..7 * SECOND).contains(&ended.since(cut)));
        assert!((6 * SECOND..7 * SECOND).contains(&lasted), "{lasted:?}");
    }
    assert!(w.hears_tone(ann, bob) && w.hears_tone(bob, ann));
    w.hang_up(ann);
    nothing_is_left(&mut w, exchange, &phones);
}

#[test]
fn a_link_that_is_cut_one_way_is_told_of_where_nothing_comes() {
    let (mut w, _, phones) = town(2, "one way", &["ann", "bob"], World::with_sound);
    let (ann, bob) = (phones[0], phones[1]);
    connect(&mut w, ann, bob, "bob");
    w.cut(bob, ann, true);
    w.run_for(10 * SECOND);
    assert_eq!((told(&w, ann).len(), told(&w, bob).len()), (1, 0));
}

#[test]
fn nobody_is_told_of_silence_on_hold() {
    let (mut w, _, phones) = town(3, "hold", &["ann", "bob"], World::with_sound);
    let (ann, bob) = (phones[0], phones[1]);
    connect(&mut w, ann, bob, "bob");
    let call = w.live(ann);
    w.command(ann, Command::Hold(call));
    w.run_for(30 * SECOND);
    let call = w.live(bob);
    w.command(bob, Command::Hold(call));
    w.run_for(30 * SECOND);
    w.command(bob, Command::Resume(call));
    let call = w.live(ann);
    w.command(ann, Command::Resume(call));
    w.run_for(10 * SECOND);
    assert!(told(&w, ann).is_empty() && told(&w, bob).is_empty());
    assert!(w.hears_tone(ann, bob) && w.hears_tone(bob, ann));
}
