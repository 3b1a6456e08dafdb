//! Phones that change networks: what it costs when nothing else happens, and what calls notice of it.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use base::{Instant, NetworkId};
use exchange::bindings::Bindings as _;
use offhook_sim::{ACCOUNT, NodeId, World, account, users};
use phone::{
    Account, AccountState, CallState, Command, Network, NetworkKind, NetworkNews, NetworkPolicy, Why,
};

use crate::{connect, nothing_is_left, settle, town};

pub(super) const WIFI: NetworkId = NetworkId(1);
pub(super) const MOBILE: NetworkId = NetworkId(2);
const SECOND: Duration = Duration::from_secs(1);

pub(super) fn wifi(last: u8) -> Network {
    Network::new(WIFI, NetworkKind::Wifi, vec![IpAddr::V4(Ipv4Addr::new(10, 0, 1, last))])
}

pub(super) fn mobile() -> Network {
    let addr = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 1));
    Network { metered: true, ..Network::new(MOBILE, NetworkKind::Cellular, vec![addr]) }
}

/// ann and bob, registered; ann is on a mobile operator's network.
pub(super) fn on_mobile(seed: u64, title: &str, transport: &str) -> (World, NodeId, NodeId, NodeId) {
    let names = ["ann", "bob"];
    let (mut w, exchange, phones) = settle(seed, title, &names, transport, users(&names), |w| w);
    w.appear(phones[0], mobile());
    w.vanish(phones[0], NetworkId::SYSTEM);
    w.run_for(3 * SECOND);
    assert!(w.at(phones[0]).is_registered());
    assert_eq!(network(&w, phones[0]), Some(MOBILE));
    (w, exchange, phones[0], phones[1])
}

pub(super) fn network(w: &World, phone: NodeId) -> Option<NetworkId> {
    w.at(phone).phone().network_of(ACCOUNT)
}

/// REGISTERs that were not answered with a challenge.
fn registrations(w: &World, phone: NodeId, exchange: NodeId) -> u64 {
    w.said(phone, "REGISTER") - w.said(exchange, "401")
}

/// Whether the other one's call rings; it is given up then.
fn rings(w: &mut World, from: NodeId, to: NodeId, whom: &str) {
    let call = w.call(from, whom);
    w.run_until_state(to, CallState::Ringing);
    w.command(from, Command::HangUp(call));
    w.run_until_quiet();
}

#[test]
fn an_idle_phone_that_finds_wifi_moves_there_with_one_register_and_is_reachable_all_the_while() {
    for transport in ["udp", "tcp"] {
        let (mut w, exchange, ann, bob) = on_mobile(1, "finds_wifi", transport);
        let before = registrations(&w, ann, exchange);
        w.appear(ann, wifi(1));
        rings(&mut w, bob, ann, "ann");
        assert_eq!(network(&w, ann), Some(MOBILE), "it must be steady first");
        w.run_for(3 * SECOND);
        assert_eq!(network(&w, ann), Some(WIFI));
        assert_eq!(registrations(&w, ann, exchange) - before, 1, "{transport}:\n{}", w.ladder());
        let bindings = w.exchange_at(exchange).bindings().of("ann").to_vec();
        assert_eq!(bindings.len(), 1, "{bindings:?}");
        rings(&mut w, bob, ann, "ann");
        // The old network goes, and nobody minds.
        w.vanish(ann, MOBILE);
        w.run_for(10 * SECOND);
        assert_eq!(registrations(&w, ann, exchange) - before, 1, "{transport}:\n{}", w.ladder());
        let states = w.at(ann).events().iter().filter_map(|(at, event)| match event {
            phone::Event::Account(view) if *at > Instant::from_millis(3500) => Some(view.state),
            _ => None,
        });
        assert_eq!(states.collect::<Vec<_>>(), [], "nobody is bothered with it");
        rings(&mut w, bob, ann, "ann");
    }
}

#[test]
fn an_idle_phone_whose_wifi_goes_is_on_the_mobile_network_at_once_with_one_register() {
    for transport in ["udp", "tcp"] {
        let (mut w, exchange, ann, bob) = on_mobile(2, "loses_wifi", transport);
        w.appear(ann, wifi(1));
        w.run_for(10 * SECOND);
        let before = registrations(&w, ann, exchange);
        w.vanish(ann, WIFI);
        w.run_for(SECOND / 2);
        assert!(w.at(ann).is_registered() && network(&w, ann) == Some(MOBILE));
        w.run_for(10 * SECOND);
        assert_eq!(registrations(&w, ann, exchange) - before, 1, "{transport}:\n{}", w.ladder());
        assert_eq!(w.exchange_at(exchange).bindings().of("ann").len(), 1);
        rings(&mut w, bob, ann, "ann");
    }
}

#[test]
fn twenty_flaps_in_ten_seconds_cost_few_registers() {
    let (mut w, exchange, ann, bob) = on_mobile(3, "flaps", "udp");
    w.appear(ann, wifi(1));
    w.run_for(10 * SECOND);
    let before = registrations(&w, ann, exchange);
    for _ in 0..20 {
        w.vanish(ann, WIFI);
        w.run_for(SECOND / 4);
        w.appear(ann, wifi(1));
        w.run_for(SECOND / 4);
    }
    assert!(w.at(ann).is_registered());
    w.run_for(40 * SECOND);
    assert_eq!(network(&w, ann), Some(WIFI));
    let cost = registrations(&w, ann, exchange) - before;
    assert!(cost <= 4, "{cost} REGISTERs:\n{}", w.ladder());
    rings(&mut w, bob, ann, "ann");
}

#[test]
fn the_only_network_may_flap_and_costs_few_registers() {
    let (mut w, exchange, phones) = town(4, "flaps_alone", &["ann"], |w| w);
    let ann = phones[0];
    let (ip, before) = (w.ip(ann), registrations(&w, ann, exchange));
    for _ in 0..20 {
        w.offline(ann);
        w.run_for(SECOND / 4);
        w.online(ann, ip);
        w.run_for(SECOND / 4);
    }
    w.run_for(40 * SECOND);
    let cost = registrations(&w, ann, exchange) - before;
    assert!(w.at(ann).is_registered() && cost <= 4, "{cost} REGISTERs:\n{}", w.ladder());
}

#[test]
fn a_wifi_that_does_not_lead_to_the_registrar_is_passed_over_and_calls_come_by_the_other() {
    let (mut w, _, ann, bob) = on_mobile(5, "captive", "udp");
    // Told of, but nothing goes there.
    w.tell_of_network(ann, NetworkNews::Appeared(wifi(9)));
    for _ in 0..10 {
        w.run_for(5 * SECOND);
        assert!(w.at(ann).is_registered() && network(&w, ann) == Some(MOBILE));
        rings(&mut w, bob, ann, "ann");
    }
}

#[test]
fn an_account_that_is_for_wifi_waits_for_it_and_says_so() {
    let (mut w, exchange, phones) = town(6, "wifi_only", &["ann"], |w| w);
    let ann = phones[0];
    let settings = Account { networks: NetworkPolicy::WifiOnly, ..account("ann", w.ip(exchange)) };
    w.command(ann, Command::AddAccount(ACCOUNT, settings));
    w.appear(ann, mobile());
    w.vanish(ann, NetworkId::SYSTEM);
    w.run_for(10 * SECOND);
    let view = w.at(ann).account().expect("an account").clone();
    assert_eq!((view.state, view.reason), (AccountState::Failed, Some(Why::WifiOnly)));
    let asked = w.said(ann, "REGISTER");
    w.command(ann, Command::Register(ACCOUNT));
    w.run_for(10 * SECOND);
    assert_eq!(w.said(ann, "REGISTER"), asked, "{}", w.ladder());
    w.appear(ann, wifi(1));
    w.run_for(SECOND);
    assert!(w.at(ann).is_registered());
}

#[test]
fn roaming_is_asked_for_and_used_once_it_is_allowed() {
    let (mut w, exchange, phones) = town(7, "roaming", &["ann"], |w| w);
    let ann = phones[0];
    let settings = Account { networks: NetworkPolicy::AskRoaming, ..account("ann", w.ip(exchange)) };
    w.command(ann, Command::AddAccount(ACCOUNT, settings));
    w.appear(ann, Network { roaming: true, ..mobile() });
    w.vanish(ann, NetworkId::SYSTEM);
    w.run_for(SECOND);
    assert_eq!(w.at(ann).account().and_then(|view| view.reason), Some(Why::RoamingNotAllowed));
    w.command(ann, Command::AllowRoaming(true));
    w.run_for(SECOND);
    assert!(w.at(ann).is_registered());
}

#[test]
fn a_call_follows_to_another_network_and_either_side_may_end_it() {
    for (seed, transport) in [(8, "udp"), (9, "tcp")] {
        for to_mobile in [false, true] {
            let (mut w, exchange, ann, bob) = on_mobile(seed, "call_moves", transport);
            if to_mobile {
                w.appear(ann, wifi(1));
                w.run_for(5 * SECOND);
            }
            connect(&mut w, bob, ann, "ann");
            let before = w.said(ann, "INVITE");
            if to_mobile {
                w.vanish(ann, WIFI);
            } else {
                w.appear(ann, wifi(1));
            }
            w.run_for(5 * SECOND);
            // Its challenge is answered.
            assert!(w.said(ann, "INVITE") - before <= 2, "{}", w.ladder());
            if !to_mobile {
                w.vanish(ann, MOBILE);
            }
            // Requests of the other side find it where it is now.
            let call = w.live(bob);
            w.command(bob, Command::Hold(call));
            w.run_until_state(ann, CallState::RemoteHeld);
            w.hang_up(bob);
            w.run_until_quiet();
            nothing_is_left(&mut w, exchange, &[ann, bob]);
        }
    }
}

#[test]
fn a_call_outlives_a_time_without_any_network() {
    let (mut w, _, ann, bob) = on_mobile(10, "gap", "udp");
    connect(&mut w, ann, bob, "bob");
    w.vanish(ann, MOBILE);
    w.run_for(20 * SECOND);
    assert_eq!(w.state(ann), Some(CallState::Active));
    w.appear(ann, wifi(1));
    w.run_for(3 * SECOND);
    assert!(w.at(ann).is_registered());
    let call = w.live(bob);
    w.command(bob, Command::Hold(call));
    w.run_until_state(ann, CallState::RemoteHeld);
    w.hang_up(ann);
    w.run_until_quiet();
}

#[test]
fn a_path_that_is_suspected_is_left_for_another_network_and_tried_again_later() {
    let (mut w, _, ann, bob) = on_mobile(11, "suspect", "udp");
    w.appear(ann, wifi(1));
    w.run_for(5 * SECOND);
    assert_eq!(network(&w, ann), Some(WIFI));
    connect(&mut w, ann, bob, "bob");
    w.path_suspect(ann);
    w.run_for(SECOND);
    assert_eq!(network(&w, ann), Some(MOBILE));
    assert!(w.at(ann).is_registered());
    w.run_for(40 * SECOND);
    assert_eq!(network(&w, ann), Some(WIFI), "it was given another chance");
    assert_eq!(w.state(ann), Some(CallState::Active));
    w.hang_up(ann);
    w.run_until_quiet();
}
