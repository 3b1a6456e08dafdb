//! A day of being reachable: what it costs in messages and wakes, and what it survives.

use std::time::Duration;

use base::Instant;
use offhook_sim::{Link, NodeId, World, account, users};
use phone::Account;

use crate::town;

const HOUR: u64 = 3600;

fn run_until(w: &mut World, second: u64) {
    let at = Instant::ZERO + Duration::from_secs(second);
    w.run_for(at.since(w.now()));
}

fn wakes(w: &World, phone: NodeId) -> u32 {
    w.wakes(phone).values().sum()
}

/// Whenever all is well again, the phone is registered within a minute.
fn is_back(w: &mut World, phone: NodeId, after: &str) {
    w.run_for(Duration::from_secs(60));
    assert!(w.at(phone).is_registered(), "not back a minute after {after}");
}

#[test]
fn a_quiet_day_costs_few_messages_and_few_wakes() {
    let (mut w, exchange, phones) = town(1, "quiet_day", &["ann"], |_| {});
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
    let mut w = World::seeded("quiet_tcp_day", "", 1);
    let exchange = w.exchange("exchange", users(&["ann"]));
    let proxy = Some("sip:10.0.0.1;transport=tcp;lr".parse().expect("a URI"));
    let ann = w.phone("ann", Some(Account { proxy, ..account("ann", w.ip(exchange)) }));
    w.run_until_registered(&[ann]);
    run_until(&mut w, 24 * HOUR);
    let (registers, challenges) = (w.said(ann, "REGISTER"), w.said(exchange, "401"));
    assert!(w.at(ann).is_registered());
    assert!((288..=400).contains(&(registers - challenges)), "{registers} {challenges} {:?}", w.wakes(ann));
    assert!(wakes(&w, ann) < 24 * 3600 / 8, "{:?}", w.wakes(ann));
}

#[test]
fn a_bad_day_with_restarts_and_dead_networks_ends_registered() {
    let (mut w, exchange, phones) = town(2, "bad_day", &["ann", "bob"], |w| w.set_links(Link::lossy(0.02)));
    let ann = phones[0];
    for hour in 1..24 {
        run_until(&mut w, hour * HOUR);
        match hour % 4 {
            0 => {
                w.kill(exchange);
                w.run_for(Duration::from_secs(20));
                w.start(exchange);
                is_back(&mut w, ann, "a short restart");
            }
            1 => {
                let ip = w.ip(ann);
                w.offline(ann);
                w.run_for(Duration::from_secs(400));
                assert!(!w.at(ann).is_registered());
                w.online(ann, ip);
                is_back(&mut w, ann, "a dead network");
            }
            2 => {
                w.offline(ann);
                w.run_for(Duration::from_secs(3));
                let ip = std::net::IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 1, hour as u8));
                w.online(ann, ip);
                is_back(&mut w, ann, "another network");
            }
            _ => {
                w.kill(exchange);
                w.run_for(Duration::from_secs(900));
                w.start(exchange);
                is_back(&mut w, ann, "a long restart");
            }
        }
        let call = w.call(phones[1], "ann");
        w.run_until("rings", |w| w.state(ann).is_some());
        w.command(phones[1], phone::Command::HangUp(call));
        w.run_until_quiet();
    }
    run_until(&mut w, 24 * HOUR);
    assert!(phones.iter().all(|p| w.at(*p).is_registered()));
    let registers = w.said(ann, "REGISTER");
    assert!(registers < 3600, "{registers} REGISTERs");
    assert_eq!(w.leftovers(), Vec::<String>::new());
}

#[test]
fn a_phone_that_slept_for_hours_registers_first_when_it_wakes() {
    let (mut w, _, phones) = town(3, "sleeper", &["ann"], |_| {});
    w.sleep(phones[0]);
    run_until(&mut w, 5 * HOUR);
    w.wake(phones[0]);
    let before = w.said(phones[0], "REGISTER");
    w.run_for(Duration::from_secs(5));
    assert!(w.said(phones[0], "REGISTER") > before && w.at(phones[0]).is_registered());
}
