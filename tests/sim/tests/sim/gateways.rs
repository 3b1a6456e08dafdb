//! Phones behind routers that read SIP and spoil it: what they find, what they do about it, and whether calls go through.
//!
//! RFC 3261 section 18; the gateways are `Tampering`'s. The matrix is printed with `--nocapture`.

use std::time::Duration;

use base::Transport;
use exchange::bindings::Bindings as _;
use offhook_sim::{Alg, Allows, Looks, Nat, NodeId, Tampering, World, account, users};
use phone::{CallState, Event, Gateway, NetworkNews, Server, Tampering as Found};

const SECOND: Duration = Duration::from_secs(1);

/// What a phone behind such a router comes to.
struct Outcome {
    registered: Duration,
    gateway: Gateway,
    called: bool,
    was_called: bool,
    bindings: usize,
}

/// Ann lives behind the router, Ben on the internet; she registers, calls and is called.
fn behind(title: &str, nat: Nat) -> Outcome {
    live_behind(title, nat, true, false)
}

fn live_behind(title: &str, nat: Nat, stun: bool, datagrams: bool) -> Outcome {
    let mut w = World::seeded(title, "", 1).with_sound();
    let exchange = w.exchange("exchange", users(&["ann", "ben"]));
    let ip = w.ip(exchange);
    let ben = w.phone("ben", Some(account("ben", ip)));
    w.run_until_registered(&[ben]);
    let home = w.behind(nat);
    w.settle_in(home);
    let began = w.now();
    let mut settings = account("ann", ip);
    if stun {
        settings.nat.stun.push(Server { host: ip.to_string(), port: 3478 });
    }
    if datagrams {
        settings.transport = sip::ua::TransportPolicy::Only(Transport::Udp);
    }
    let ann = w.phone("ann", Some(settings));
    w.run_until("ann registered", |w| w.at(ann).is_registered());
    let registered = w.now().since(began);
    // What is found is found by now, and gone round; that a port is not answered shows when its request has failed.
    w.run_for(if datagrams { 40 * SECOND } else { 10 * SECOND });
    let bindings = w.exchange_at(exchange).bindings().of("ann").len();
    let called = talks(&mut w, ann, ben, "ben");
    let was_called = talks(&mut w, ben, ann, "ann");
    Outcome { registered, gateway: gateway(&w, ann), called, was_called, bindings }
}

/// One calls the other, and both hear each other.
fn talks(w: &mut World, caller: NodeId, callee: NodeId, whom: &str) -> bool {
    w.call(caller, whom);
    w.run_for(3 * SECOND);
    if w.state(callee) != Some(CallState::Ringing) {
        w.hang_up(caller);
        w.run_for(40 * SECOND);
        return false;
    }
    w.answer(callee);
    w.run_for(3 * SECOND);
    let up = [caller, callee].iter().all(|phone| w.state(*phone) == Some(CallState::Active));
    let heard = w.hears_tone(caller, callee) && w.hears_tone(callee, caller);
    if w.state(caller).is_some() {
        w.hang_up(caller);
    }
    w.run_for(5 * SECOND);
    up && heard && w.state(callee).is_none()
}

fn gateway(w: &World, phone: NodeId) -> Gateway {
    let told = w.at(phone).events().iter().rev().find_map(|(_, event)| match event {
        Event::Gateway(gateway) => Some(gateway.clone()),
        _ => None,
    });
    told.unwrap_or_default()
}

#[allow(clippy::print_stdout)] // the matrix
fn print(row: &str, outcome: &Outcome) {
    let yes = |so| if so { "yes" } else { "no" };
    let found: Vec<String> = outcome.gateway.found.iter().map(|it| format!("{it:?}")).collect();
    let around = outcome.gateway.around.map_or("-", Transport::via_word);
    println!(
        "{row:<26} registered {:>5} ms  found {:<24} around {around:<4} calls {:<3} is called {}",
        outcome.registered.as_millis(),
        found.join(" "),
        yes(outcome.called),
        yes(outcome.was_called)
    );
}

#[test]
fn each_kind_of_gateway_is_found_and_gone_round_and_calls_go_both_ways() {
    let plain = Nat::port_restricted();
    let spoilt = |tampering| plain.tampering(tampering);
    let rows: [(&str, Nat, &[Found]); 8] = [
        ("none", plain, &[]),
        ("none, symmetric", Nat::symmetric(), &[]),
        ("rewrites and undoes it", spoilt(Tampering::Rewrites), &[Found::Head, Found::Description]),
        ("SDP addresses only", spoilt(Tampering::SdpAddresses), &[Found::Description]),
        ("doubles", spoilt(Tampering::Duplicates), &[Found::Duplicates]),
        ("cuts after 1,000", spoilt(Tampering::Truncates(1000)), &[Found::Truncates]),
        ("cuts after 700", spoilt(Tampering::Truncates(700)), &[Found::Truncates]),
        ("cuts after 300", spoilt(Tampering::Truncates(300)), &[Found::Swallows]),
    ];
    for (row, nat, found) in rows {
        let outcome = behind(row, nat);
        print(row, &outcome);
        let told: Vec<Found> = outcome.gateway.found.iter().copied().collect();
        assert_eq!(told, found, "{row}");
        assert_eq!(outcome.gateway.around, (!found.is_empty()).then_some(Transport::Tcp), "{row}");
        assert!(outcome.called && outcome.was_called, "{row}");
        assert!(outcome.registered < 3 * SECOND, "{row}");
        assert_eq!(outcome.bindings, 1, "{row}: what was left is ended");
    }
}

#[test]
fn a_gateway_that_reads_connections_too_is_named_and_nothing_is_claimed() {
    let alg = Alg { looks: Looks::AtServers, tampering: Tampering::Rewrites, tcp: true };
    let outcome = behind("rewrites TCP too", Nat { alg: Some(alg), ..Nat::port_restricted() });
    print("rewrites, TCP too", &outcome);
    assert!(outcome.gateway.found.contains(&Found::Head));
    assert_eq!(outcome.gateway.around, None);
    assert!(outcome.gateway.to_string().ends_with("Turn off \"SIP ALG\" in its settings."));
    assert!(outcome.called && outcome.was_called, "as its maker meant it");
}

#[test]
fn a_gateway_that_an_account_needs_is_named_and_left_alone() {
    let nat = Nat::port_restricted().tampering(Tampering::Rewrites);
    let outcome = live_behind("rewrites, and nothing else helps", nat, false, false);
    print("rewrites, no STUN server", &outcome);
    assert_eq!((outcome.gateway.around, outcome.gateway.leant_on), (None, true));
    assert!(outcome.gateway.to_string().starts_with("The router rewrites SIP messages. Calls need that"));
    assert!(outcome.called && outcome.was_called && outcome.bindings == 1);
}

#[test]
fn where_no_datagram_passes_a_phone_is_registered_by_tcp_and_rings_within_three_seconds() {
    let mut w = World::seeded("no UDP", "", 1);
    let exchange = w.exchange("exchange", users(&["ann", "ben"]));
    let ip = w.ip(exchange);
    let ben = w.phone("ben", Some(account("ben", ip)));
    let home = w.behind(Nat::port_restricted().allowing(Allows::NoUdp));
    w.settle_in(home);
    let ann = w.phone("ann", Some(account("ann", ip)));
    w.run_for(3 * SECOND);
    assert!(w.at(ann).is_registered());
    w.call(ben, "ann");
    w.run_for(SECOND);
    assert_eq!(w.state(ann), Some(CallState::Ringing));
    let told = gateway(&w, ann).to_string();
    assert_eq!(told, "The router swallows SIP messages. Offhook goes around it by TCP.");
}

#[test]
fn a_network_that_was_found_out_is_entered_by_tcp_at_once() {
    let mut w = World::seeded("again", "", 1);
    let exchange = w.exchange("exchange", users(&["ann"]));
    let home = w.behind(Nat::port_restricted().tampering(Tampering::Truncates(300)));
    w.settle_in(home);
    let ann = w.phone("ann", Some(account("ann", w.ip(exchange))));
    w.run_until_registered(&[ann]);
    let mut comes_again = |identity| {
        w.tell_of_network(ann, NetworkNews::Down);
        w.run_for(40 * SECOND);
        assert!(!w.at(ann).is_registered());
        let began = w.now();
        w.identify(ann, identity);
        w.run_until_registered(&[ann]);
        w.now().since(began)
    };
    comes_again("a café");
    let again = comes_again("a café");
    assert!(again < SECOND, "{again:?}");
    let elsewhere = comes_again("another that looks alike");
    assert!(elsewhere >= SECOND, "it has to be found out: {elsewhere:?}");
}

#[test]
fn an_account_told_to_go_by_udp_stays_there_and_the_person_is_told_what_to_do() {
    let mut w = World::seeded("udp", "", 1);
    let exchange = w.exchange("exchange", users(&["ann"]));
    let home = w.behind(Nat::port_restricted().tampering(Tampering::Duplicates));
    w.settle_in(home);
    let mut settings = account("ann", w.ip(exchange));
    settings.transport = sip::ua::TransportPolicy::Only(Transport::Udp);
    let ann = w.phone("ann", Some(settings));
    w.run_until_registered(&[ann]);
    w.run_for(10 * SECOND);
    let gateway = gateway(&w, ann);
    assert_eq!(gateway.around, None);
    assert_eq!(gateway.to_string(), "The router doubles SIP messages. Turn off \"SIP ALG\" in its settings.");
    assert_eq!(w.held(ann).0, 0, "no connection");
}

#[test]
fn an_account_that_must_go_by_udp_goes_round_what_looks_at_its_port_by_another_and_calls_go_both_ways() {
    let rows: [(&str, Tampering, &[Found]); 5] = [
        ("5060, rewrites", Tampering::Rewrites, &[Found::Head, Found::Description]),
        ("5060, SDP addresses only", Tampering::SdpAddresses, &[Found::Description]),
        ("5060, doubles", Tampering::Duplicates, &[Found::Duplicates]),
        ("5060, cuts after 700", Tampering::Truncates(700), &[Found::Truncates]),
        ("5060, cuts after 300", Tampering::Truncates(300), &[Found::Swallows]),
    ];
    for (row, tampering, found) in rows {
        let outcome = live_behind(row, Nat::port_restricted().tampering_with_5060(tampering), true, true);
        print(row, &outcome);
        let told: Vec<Found> = outcome.gateway.found.iter().copied().collect();
        assert_eq!((&told[..], outcome.gateway.around), (found, Some(Transport::Udp)), "{row}");
        assert!(outcome.gateway.to_string().ends_with("Offhook goes around it by another port."), "{row}");
        assert!(outcome.called && outcome.was_called, "{row}");
        assert!(outcome.registered < 8 * SECOND, "{row}");
        assert_eq!(outcome.bindings, 1, "{row}: what was left is ended");
    }
}

#[test]
fn a_network_where_another_port_helped_is_entered_by_one_at_once() {
    let mut w = World::seeded("again, by UDP", "", 1);
    let exchange = w.exchange("exchange", users(&["ann"]));
    let home = w.behind(Nat::port_restricted().tampering_with_5060(Tampering::Truncates(300)));
    w.settle_in(home);
    let mut settings = account("ann", w.ip(exchange));
    settings.transport = sip::ua::TransportPolicy::Only(Transport::Udp);
    let ann = w.phone("ann", Some(settings));
    w.identify(ann, "home");
    w.run_until_registered(&[ann]);
    w.run_for(40 * SECOND);
    assert_eq!(gateway(&w, ann).around, Some(Transport::Udp));
    w.tell_of_network(ann, NetworkNews::Down);
    w.run_for(10 * SECOND);
    let began = w.now();
    w.identify(ann, "home");
    w.run_until_registered(&[ann]);
    assert!(w.now().since(began) < SECOND, "{:?}", w.now().since(began));
    // And where another port is not answered either, nothing is claimed.
    w.set_router(home, Nat::port_restricted().allowing(Allows::NoUdp));
    w.run_for(200 * SECOND);
    assert!(!w.at(ann).is_registered());
    w.set_router(home, Nat::port_restricted());
    w.run_for(60 * SECOND);
    assert!(w.at(ann).is_registered());
}

#[test]
fn a_registrar_that_takes_no_connections_is_asked_by_datagrams_again() {
    let mut w = World::seeded("down", "", 1);
    let exchange = w.exchange("exchange", users(&["ann"]));
    let ip = w.ip(exchange);
    w.kill(exchange);
    let ann = w.phone("ann", Some(account("ann", ip)));
    w.run_for(20 * SECOND);
    w.start(exchange);
    w.run_until_registered(&[ann]);
    assert_eq!((w.held(ann).0, gateway(&w, ann)), (0, Gateway::default()), "it was down, and nobody's doing");
}
