//! One call over each kind of bad link, with many seeds.

use std::time::Duration;

use base::Redacted;
use offhook_sim::{Link, NodeId, World};
use phone::{CallState, Command};

use crate::{connect, nothing_is_left, seeds, settle, stories_agree, town};

const SECOND: Duration = Duration::from_secs(1);

/// A call with all that people do in one: ring, answer, hold, resume, and in the end hang up or transfer to cem. Says
/// whether it went through to the end; a call that the links broke has ended at both ends.
fn one_call(seed: u64, title: &str, link: Link) -> bool {
    let (mut w, exchange, phones) = town(seed, title, &["ann", "bob", "cem"], |mut w| {
        w.set_links(link);
        w
    });
    connect(&mut w, phones[0], phones[1], "bob");
    assert!(w.leftovers().len() >= 4, "a call and its media on each side: {:?}", w.leftovers());
    let transfers = seed.is_multiple_of(2);
    let through = talk(&mut w, &phones, transfers).is_some();
    if through {
        w.hang_up(phones[0]);
    }
    w.run_until_quiet();
    nothing_is_left(&mut w, exchange, &phones);
    if through {
        let calls = if transfers { 2 } else { 1 };
        assert_eq!(stories_agree(&w), (calls, calls));
    }
    through
}

/// Hold, resume and perhaps a transfer; `None` when a phone was left without its call.
fn talk(w: &mut World, phones: &[NodeId], transfers: bool) -> Option<()> {
    let (ann, bob, cem) = (phones[0], phones[1], phones[2]);
    let call = w.live(bob);
    w.command(bob, Command::Hold(call));
    reaches(w, ann, CallState::RemoteHeld)?;
    reaches(w, bob, CallState::Held)?;
    w.run_for(2 * SECOND);
    w.state(bob)?;
    w.command(bob, Command::Resume(call));
    reaches(w, ann, CallState::Active)?;
    reaches(w, bob, CallState::Active)?;
    w.run_for(SECOND);
    w.state(bob)?;
    if transfers {
        w.command(bob, Command::Transfer { call, to: Redacted::new("cem".into()) });
        w.run_until("cem rings, or bob is alone", |w| {
            w.state(cem) == Some(CallState::Ringing) || w.state(bob).is_none()
        });
        w.state(cem)?;
        w.answer(cem);
        w.run_until("bob is out of it", |w| w.state(bob).is_none());
        reaches(w, cem, CallState::Active)?;
        reaches(w, ann, CallState::Active)?;
        w.run_for(SECOND);
    }
    w.state(ann)?;
    Some(())
}

fn reaches(w: &mut World, node: NodeId, state: CallState) -> Option<()> {
    w.run_until(&format!("{state:?} or over"), |w| w.state(node).is_none_or(|s| s == state));
    w.state(node).map(|_| ())
}

#[test]
fn a_call_succeeds_though_a_twentieth_is_lost() {
    seeds(6).for_each(|seed| assert!(one_call(seed, "loss_5", Link::lossy(0.05))));
}

#[test]
fn a_call_succeeds_though_a_tenth_is_lost() {
    seeds(6).for_each(|seed| assert!(one_call(seed, "loss_10", Link::lossy(0.1))));
}

/// An answer and its ACK cross two such links each: once in a hundred calls none of ten tries comes through, and the
/// callee gives up as RFC 3261 section 13.3.1.4 says. Then both ends know it.
#[test]
fn nearly_every_call_succeeds_though_a_fifth_is_lost() {
    let broken = seeds(6).filter(|seed| !one_call(*seed, "loss_20", Link::lossy(0.2))).count() as u64;
    assert!(broken <= seeds(6).end() / 6, "{broken} calls broke");
}

#[test]
fn a_call_succeeds_though_packets_overtake_each_other_and_come_twice() {
    let unruly = Link { duplicate: 0.5, reorder: 0.5, ..Link::lossy(0.0) };
    seeds(6).for_each(|seed| assert!(one_call(seed, "reordered_and_doubled", unruly)));
    seeds(6).for_each(|seed| assert!(one_call(seed, "all_of_it", Link::wild())));
}

/// Each hears the other while the call is up, and neither while it is on hold.
fn one_talk(seed: u64, transport: &str, link: Link, ipv6: bool) {
    let names = ["ann", "bob"];
    let (mut w, exchange, phones) =
        settle(seed, "sound", &names, transport, offhook_sim::users(&names), |w| {
            let mut w = if ipv6 { w.with_sound().with_ipv6() } else { w.with_sound() };
            w.set_links(link);
            w
        });
    let (ann, bob) = (phones[0], phones[1]);
    connect(&mut w, ann, bob, "bob");
    w.run_until("each hears the other", |w| w.hears_tone(ann, bob) && w.hears_tone(bob, ann));
    assert!(!w.hears_tone(ann, ann) && !w.hears_tone(bob, bob));
    let call = w.live(ann);
    w.command(ann, Command::Hold(call));
    w.run_until_state(bob, CallState::RemoteHeld);
    w.run_for(2 * SECOND);
    assert!(!w.hears_tone(ann, bob) && !w.hears_tone(bob, ann));
    w.command(ann, Command::Resume(call));
    w.run_until_state(bob, CallState::Active);
    w.run_for(2 * SECOND);
    w.run_until("each hears the other again", |w| w.hears_tone(ann, bob) && w.hears_tone(bob, ann));
    w.hang_up(bob);
    w.run_until_quiet();
    nothing_is_left(&mut w, exchange, &phones);
}

#[test]
pub(super) fn each_hears_the_other_over_bad_links_and_nobody_while_on_hold() {
    for seed in seeds(1) {
        one_talk(seed, "udp", Link::lossy(0.05), false);
        one_talk(seed, "udp", Link::lossy(0.2), false);
        one_talk(seed, "udp", Link::wild(), false);
    }
}

#[test]
fn ipv6_carries_calls_by_udp_and_tcp_like_ipv4() {
    for seed in seeds(1) {
        one_talk(seed, "udp", Link::wild(), true);
        one_talk(seed, "tcp", Link::wild(), true);
    }
}
