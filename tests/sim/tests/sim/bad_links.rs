//! One call over each kind of bad link, with many seeds.

use std::time::Duration;

use offhook_sim::{Link, World};
use phone::{Account, CallState, Command};

use crate::{nothing_is_left, seeds, town};

/// A call with all that two people do in one: ring, answer, hold, resume, hang up.
fn one_call(seed: u64, title: &str, link: Link) {
    let (mut w, _, phones) = town(seed, title, &["ann", "bob"], |w| w.set_links(link));
    let (ann, bob) = (phones[0], phones[1]);
    w.call(ann, "bob");
    w.run_until_state(bob, CallState::Ringing);
    w.run_for(Duration::from_secs(1));
    w.answer(bob);
    w.run_until_state(ann, CallState::Active);
    w.run_until_state(bob, CallState::Active);
    w.run_for(Duration::from_secs(1));
    assert!(w.leftovers().len() >= 4, "a call and its media on each side: {:?}", w.leftovers());
    let call = w.live(bob);
    w.command(bob, Command::Hold(call));
    w.run_until_state(ann, CallState::RemoteHeld);
    w.run_until_state(bob, CallState::Held);
    w.run_for(Duration::from_secs(2));
    w.command(bob, Command::Resume(call));
    w.run_until_state(ann, CallState::Active);
    w.run_until_state(bob, CallState::Active);
    w.run_for(Duration::from_secs(1));
    w.hang_up(ann);
    w.run_until_quiet();
    nothing_is_left(&mut w);
}

#[test]
fn a_call_succeeds_though_a_twentieth_is_lost() {
    seeds(10).for_each(|seed| one_call(seed, "loss_5", Link::lossy(0.05)));
}

#[test]
fn a_call_succeeds_though_a_tenth_is_lost() {
    seeds(10).for_each(|seed| one_call(seed, "loss_10", Link::lossy(0.1)));
}

#[test]
fn a_call_succeeds_though_a_fifth_is_lost() {
    seeds(10).for_each(|seed| one_call(seed, "loss_20", Link::lossy(0.2)));
}

#[test]
fn a_call_succeeds_though_packets_overtake_each_other_and_come_twice() {
    let unruly = Link { duplicate: 0.5, reorder: 0.5, ..Link::lossy(0.0) };
    seeds(10).for_each(|seed| one_call(seed, "reordered_and_doubled", unruly));
    seeds(10).for_each(|seed| one_call(seed, "all_of_it", Link::wild()));
}

#[test]
fn a_call_over_tcp_succeeds_though_the_link_is_wild() {
    for seed in seeds(10) {
        let mut w = World::seeded("tcp", "", seed);
        w.set_links(Link::wild());
        let exchange = w.exchange("exchange", offhook_sim::users(&["ann", "bob"]));
        let proxy = format!("sip:{};transport=tcp;lr", w.ip(exchange));
        let tcp = |name: &str, w: &mut World| {
            let proxy = Some(proxy.parse().expect("a URI"));
            let account = Account { proxy, ..offhook_sim::account(name, w.ip(exchange)) };
            w.phone(name, Some(account))
        };
        let (ann, bob) = (tcp("ann", &mut w), tcp("bob", &mut w));
        w.run_until_registered(&[ann, bob]);
        w.call(ann, "bob");
        w.run_until_state(bob, CallState::Ringing);
        w.answer(bob);
        w.run_until_state(ann, CallState::Active);
        w.run_for(Duration::from_secs(2));
        w.hang_up(bob);
        w.run_until_quiet();
        nothing_is_left(&mut w);
    }
}

#[test]
fn each_hears_the_other_over_a_bad_link_and_nobody_while_on_hold() {
    for seed in seeds(2) {
        let mut w = World::seeded("sound", "", seed).with_sound();
        w.set_links(Link::lossy(0.05));
        let exchange = w.exchange("exchange", offhook_sim::users(&["ann", "bob"]));
        let at = w.ip(exchange);
        let ann = w.phone("ann", Some(offhook_sim::account("ann", at)));
        let bob = w.phone("bob", Some(offhook_sim::account("bob", at)));
        w.run_until_registered(&[ann, bob]);
        w.call(ann, "bob");
        w.run_until_state(bob, CallState::Ringing);
        w.answer(bob);
        w.run_until_state(ann, CallState::Active);
        w.run_for(Duration::from_secs(2));
        assert!(w.hears_tone(ann, bob) && w.hears_tone(bob, ann));
        assert!(!w.hears_tone(ann, ann) && !w.hears_tone(bob, bob));
        let call = w.live(ann);
        w.command(ann, Command::Hold(call));
        w.run_until_state(bob, CallState::RemoteHeld);
        w.run_for(Duration::from_secs(2));
        assert!(!w.hears_tone(ann, bob) && !w.hears_tone(bob, ann));
        w.hang_up(bob);
        w.run_until_quiet();
        nothing_is_left(&mut w);
    }
}
