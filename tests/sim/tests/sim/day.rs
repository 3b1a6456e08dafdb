//! A day of being reachable: what it costs in messages and wakes, and what it survives.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use base::Instant;
use exchange::bindings::Bindings as _;
use offhook_sim::{Link, Nat, NodeId, World, account, users};
use phone::{Account, CallState, Command, Config, Keepalive};

use crate::{settle, town};

const HOUR: u64 = 3600;

fn run_until(w: &mut World, second: u64) {
    let at = Instant::ZERO + Duration::from_secs(second);
    w.run_for(at.since(w.now()));
}

fn wakes(w: &World, phone: NodeId) -> u32 {
    w.wakes(phone).values().sum()
}

#[test]
fn a_quiet_day_costs_few_messages_and_few_wakes() {
    let (mut w, exchange, phones) = town(1, "quiet_day", &["ann"], |w| w);
    run_until(&mut w, 24 * HOUR);
    let (registers, challenges) = (w.said(phones[0], "REGISTER"), w.said(exchange, "401"));
    assert!(w.at(phones[0]).is_registered());
    // Over UDP the REGISTER is also the ping by which a dead exchange is noticed in time: one each 40 to 45 s.
    assert!((1920..=2160).contains(&(registers - challenges)), "{registers} {challenges}");
    assert!(challenges < 300, "{challenges}: a nonce lives for five minutes");
    assert!(wakes(&w, phones[0]) < 24 * 3600 / 8, "{:?}", w.wakes(phones[0]));
}

#[test]
fn a_quiet_day_over_tcp_costs_a_registration_every_few_minutes() {
    let (mut w, exchange, phones) = settle(1, "quiet_tcp_day", &["ann"], "tcp", users(&["ann"]), |w| w);
    let ann = phones[0];
    run_until(&mut w, 24 * HOUR);
    let (registers, challenges) = (w.said(ann, "REGISTER"), w.said(exchange, "401"));
    assert!(w.at(ann).is_registered());
    assert!((288..=400).contains(&(registers - challenges)), "{registers} {challenges} {:?}", w.wakes(ann));
    assert!(wakes(&w, ann) < 24 * 3600 / 8, "{:?}", w.wakes(ann));
}

/// Every hour something else breaks, for ann alone or for all.
fn something_breaks(w: &mut World, hour: u64, exchange: NodeId, ann: NodeId) -> &'static str {
    match hour % 6 {
        0 => {
            w.kill(exchange);
            w.run_for(Duration::from_secs(20));
            w.start(exchange);
            "a short restart"
        }
        1 => {
            let ip = w.ip(ann);
            w.offline(ann);
            w.run_for(Duration::from_secs(400));
            assert!(!w.at(ann).is_registered());
            w.online(ann, ip);
            "a dead network"
        }
        2 => {
            w.offline(ann);
            w.run_for(Duration::from_secs(3));
            w.online(ann, IpAddr::V4(Ipv4Addr::new(10, 0, 1, hour as u8)));
            "another network"
        }
        3 => {
            w.kill(exchange);
            w.run_for(Duration::from_secs(900));
            w.start(exchange);
            "a long restart"
        }
        4 => {
            w.kill(exchange);
            w.run_for(Duration::from_secs(2));
            w.start_anew(exchange);
            "a restart that forgot the bindings"
        }
        _ => {
            w.sleep(ann);
            w.run_for(Duration::from_secs(1800));
            w.wake(ann);
            "a sleep"
        }
    }
}

/// Each day its own transport. RFC 3261 section 10, and the promise that a phone is back within a minute.
#[test]
#[allow(clippy::print_stdout)] // the day's costs, shown when it fails
fn a_bad_day_with_restarts_dead_networks_and_sleep_ends_registered() {
    for (transport, most_registers) in [("udp", 4000), ("tcp", 900)] {
        let names = ["ann", "bob", "cem"];
        let (mut w, exchange, phones) = settle(2, "bad_day", &names, transport, users(&names), |mut w| {
            w.set_links(Link::lossy(0.02));
            w.without_ladder()
        });
        let (ann, bob) = (phones[0], phones[1]);
        for hour in 1..24 {
            run_until(&mut w, hour * HOUR);
            let what = something_breaks(&mut w, hour, exchange, ann);
            w.run_for(Duration::from_secs(60));
            let back = |p: &NodeId| w.at(*p).is_registered();
            assert!(phones.iter().all(back), "{transport}: not all back a minute after {what}");
            // And not only by their own account.
            let call = w.call(bob, "ann");
            w.run_until("rings", |w| w.state(ann).is_some());
            w.command(bob, phone::Command::HangUp(call));
            w.run_until_quiet();
        }
        run_until(&mut w, 24 * HOUR);
        w.run_until("nothing left", |w| w.leftovers().is_empty());
        for phone in &phones {
            assert!(w.at(*phone).is_registered());
            let (registers, wakes) = (w.said(*phone, "REGISTER"), wakes(&w, *phone));
            println!("{transport}: {registers} REGISTERs, {wakes} wakes: {:?}", w.wakes(*phone));
            assert!(registers < most_registers, "{registers} REGISTERs by {transport}");
            assert!(wakes < 24 * 3600 / 8, "{:?}", w.wakes(*phone));
        }
        assert!(w.exchange_at(exchange).bindings().len() <= phones.len() + 1, "bindings pile up");
    }
}

/// A flaky network must not fill the registrar with dead bindings, nor the caller's wait with their silence.
#[test]
fn connections_that_break_time_and_again_leave_one_binding() {
    let (mut w, exchange, phones) = settle(4, "flaky", &["ann"], "tcp", users(&["ann"]), |w| w);
    for _ in 0..40 {
        w.break_streams(phones[0]);
        w.run_for(Duration::from_secs(5));
        assert!(w.at(phones[0]).is_registered());
    }
    assert_eq!(w.exchange_at(exchange).bindings().len(), 1);
}

#[test]
fn a_phone_that_slept_for_hours_registers_first_when_it_wakes() {
    let (mut w, _, phones) = town(3, "sleeper", &["ann"], |w| w);
    w.sleep(phones[0]);
    run_until(&mut w, 5 * HOUR);
    w.wake(phones[0]);
    let before = w.said(phones[0], "REGISTER");
    w.run_for(Duration::from_secs(5));
    assert!(w.said(phones[0], "REGISTER") > before && w.at(phones[0]).is_registered());
}

/// A thrifty phone at home behind a router that forgets idle mappings, and one that calls it every half hour.
fn forgotten(title: &str, nat: Nat, instance: bool) -> (World, NodeId, NodeId, NodeId) {
    let mut w = World::seeded(title, "seed 5", 5).without_ladder();
    let exchange = w.exchange("exchange", users(&["ann", "bob"]));
    let ip = w.ip(exchange);
    let bob = w.phone("bob", Some(account("bob", ip)));
    let home = w.behind(nat);
    w.settle_in(home);
    let thrifty = Account { keepalive: Keepalive::Thrifty, ..account("ann", ip) };
    let instance = instance.then(|| "urn:uuid:00000000-0000-1000-8000-000a95a0e128".into());
    let ann = w.phone_with("ann", Some(thrifty), Config { instance, ..Config::default() });
    w.run_until_registered(&[ann, bob]);
    (w, exchange, ann, bob)
}

#[test]
#[allow(clippy::print_stdout)] // the day's costs, shown when it fails
fn a_day_behind_a_router_that_forgets_costs_about_a_wake_for_each_lifetime_and_calls_come_through() {
    for (name, nat, timeout, flow, hours, each) in [
        ("symmetric", Nat::symmetric(), 60, true, 24, 1.08),
        ("symmetric", Nat::symmetric(), 30, false, 4, 1.08),
        ("symmetric", Nat::symmetric(), 180, true, 4, 1.1),
        // What is not seen to break is not searched for, and 110 s are silent.
        ("keeps ports", Nat::linux_masquerade(), 120, false, 4, 1.15),
    ] {
        let nat = Nat { udp_timeout: Duration::from_secs(timeout), ..nat };
        let (mut w, exchange, ann, bob) = forgotten("forgotten", nat, flow);
        let mut before = 0;
        // The exchange grants 300 s, so there is a refresh at least so often.
        let lifetimes = hours as f64 * HOUR as f64 / timeout.min(240) as f64;
        for (day, most) in [("searching", lifetimes * each + 30.0), ("remembering", lifetimes * each + 4.0)] {
            let began = w.now().since(Instant::ZERO).as_secs();
            let mut missed = Vec::new();
            for half_hour in 1..hours * 2 {
                run_until(&mut w, began + half_hour * HOUR / 2 + half_hour * 7 % 60);
                let call = w.call(bob, "ann");
                w.run_for(Duration::from_secs(5));
                if w.state(ann) != Some(CallState::Ringing) {
                    missed.push(half_hour);
                }
                w.command(bob, Command::HangUp(call));
                w.run_until_quiet();
            }
            run_until(&mut w, began + hours * HOUR);
            let about = |why| w.wakes(ann).get(why).copied().unwrap_or_default();
            let awake = about("register") + about("keepalive") - before;
            before += awake;
            println!(
                "{name}, {timeout} s, flow {flow}, {hours} h {day}: {awake} wakes, {:.2} each lifetime, missed {missed:?}",
                f64::from(awake) / lifetimes
            );
            assert!(f64::from(awake) <= most, "{name}, {timeout} s: {awake} wakes of {most} {day}");
            assert!(missed.is_empty(), "{name}, {timeout} s: calls {missed:?} did not ring");
        }
        assert!(w.at(ann).is_registered());
        assert!(w.exchange_at(exchange).bindings().of("ann").len() <= 2);
    }
}
