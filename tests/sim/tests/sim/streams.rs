//! Calls whose signalling goes by TCP, and whose connections and exchange do not last.

use std::time::Duration;

use base::Secret;
use exchange::Config;
use offhook_sim::{Link, NodeId, World, users};
use phone::{CallState, Command, Why};

use crate::{connect, nothing_is_left, seeds, settle};

const SECOND: Duration = Duration::from_secs(1);
const NAMES: [&str; 2] = ["ann", "bob"];

/// An exchange whose calls may outlive it.
fn lasting() -> Config {
    Config { key: Some(Secret::new(*b"sixteen bytes of")), ..users(&NAMES) }
}

fn pair(seed: u64, title: &str, transport: &str) -> (World, NodeId, Vec<NodeId>) {
    settle(seed, title, &NAMES, transport, lasting(), |mut w| {
        w.set_links(Link::wild());
        w
    })
}

/// A minute after whatever befell them both are registered; the call is held, resumed and hung up as if nothing had been.
fn the_call_goes_on(mut w: World, exchange: NodeId, phones: &[NodeId]) {
    let (ann, bob) = (phones[0], phones[1]);
    w.run_for(60 * SECOND);
    assert!(phones.iter().all(|p| w.at(*p).is_registered()));
    let call = w.live(bob);
    w.command(bob, Command::Hold(call));
    w.run_until_state(ann, CallState::RemoteHeld);
    w.command(bob, Command::Resume(call));
    w.run_until_state(ann, CallState::Active);
    w.hang_up(ann);
    w.run_for(10 * SECOND);
    both_ended_it(&w, phones);
    nothing_is_left(&mut w, exchange, phones);
}

fn both_ended_it(w: &World, phones: &[NodeId]) {
    let ends: Vec<_> = phones.iter().map(|p| w.at(*p).calls().last().expect("a call")).collect();
    let told: Vec<_> = ends.iter().map(|c| c.explanation).collect();
    assert_eq!(told, [Some(Why::YouEnded), Some(Why::TheyEnded)]);
}

#[test]
fn a_call_over_tcp_succeeds_though_the_link_is_wild() {
    for seed in seeds(6) {
        let (mut w, exchange, phones) = pair(seed, "tcp", "tcp");
        connect(&mut w, phones[0], phones[1], "bob");
        w.hang_up(phones[0]);
        w.run_until_quiet();
        both_ended_it(&w, &phones);
        nothing_is_left(&mut w, exchange, &phones);
    }
}

#[test]
fn a_call_outlives_the_connections_that_made_it() {
    for seed in seeds(4) {
        let (mut w, exchange, phones) = pair(seed, "cut", "tcp");
        connect(&mut w, phones[0], phones[1], "bob");
        w.break_streams(exchange);
        the_call_goes_on(w, exchange, &phones);
    }
}

#[test]
fn a_hang_up_reaches_the_other_side_though_the_connection_breaks_in_that_moment() {
    for seed in seeds(30) {
        let (mut w, exchange, phones) = pair(seed, "cut_in_bye", "tcp");
        connect(&mut w, phones[0], phones[1], "bob");
        w.hang_up(phones[0]);
        w.run_for(Duration::from_millis(5 * seed));
        w.break_streams([exchange, phones[0], phones[1]][seed as usize % 3]);
        w.run_for(40 * SECOND);
        both_ended_it(&w, &phones);
        nothing_is_left(&mut w, exchange, &phones);
    }
}

#[test]
pub(super) fn a_call_outlives_a_restart_of_the_exchange() {
    for (seed, transport) in seeds(3).flat_map(|seed| [(seed, "tcp"), (seed, "udp")]) {
        let (mut w, exchange, phones) = pair(seed, "restart", transport);
        connect(&mut w, phones[0], phones[1], "bob");
        w.kill(exchange);
        w.run_for(20 * SECOND);
        w.start(exchange);
        the_call_goes_on(w, exchange, &phones);
    }
}
