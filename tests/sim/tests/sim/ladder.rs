//! Networks that let little through: by which carrier a phone finds its registrar there, in what time, and back again.
//!
//! Issue's figures: without UDP a registered, ringing phone within 3 s; with nothing but TCP 443 within 6 s. TLS is a plain
//! stream in this world: its handshake costs one or two round trips more.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use base::{NetworkId, Transport};
use offhook_sim::{ACCOUNT, Allows, Link, Nat, NodeId, World, account, users};
use phone::{CallState, Network, NetworkKind, NetworkNews};

use crate::networks::{MOBILE, WIFI};

const WAY: Duration = Duration::from_millis(50);
const SECOND: Duration = Duration::from_secs(1);

/// An exchange that hears everything, a phone on the internet, and one behind a router that lets only this through.
struct Town {
    world: World,
    /// The first is behind the router.
    phones: [NodeId; 2],
    home: offhook_sim::NetworkId,
    /// How long the first took to be registered.
    took: Duration,
}

fn town(title: &str, allows: Allows, seed: u64, set: impl FnOnce(&mut phone::Account)) -> Town {
    let mut world = World::seeded("ladder", title, seed);
    world.wire().set_default(Link { delay: WAY, ..Link::default() });
    let exchange = world.exchange("exchange", users(&["ann", "bob"]));
    world.listen_tls(exchange, 5061);
    world.listen_tls(exchange, 443);
    let ip = world.ip(exchange);
    let bob = world.phone("bob", Some(account("bob", ip)));
    world.run_until_registered(&[bob]);
    let home = world.behind(Nat { allows, ..Nat::port_restricted() });
    world.settle_in(home);
    let mut settings = account("ann", ip);
    set(&mut settings);
    let config = phone::Config { tls: true, ..phone::Config::default() };
    let began = world.now();
    let ann = world.phone_with("ann", Some(settings), config);
    world.run_until_registered(&[ann]);
    let took = world.now().since(began);
    Town { world, phones: [ann, bob], home, took }
}

impl Town {
    fn carrier(&self) -> Option<Transport> {
        self.world.at(self.phones[0]).phone().carrier_of(ACCOUNT)
    }

    /// One calls the other; how long until that one rings. They talk for a moment and hang up.
    fn rings(&mut self, caller: usize) -> Duration {
        let (caller, callee) = (self.phones[caller], self.phones[1 - caller]);
        let began = self.world.now();
        let whom = if caller == self.phones[0] { "bob" } else { "ann" };
        self.world.call(caller, whom);
        self.world.run_until_state(callee, CallState::Ringing);
        let took = self.world.now().since(began);
        self.world.answer(callee);
        self.world.run_until_state(caller, CallState::Active);
        self.world.run_for(SECOND);
        self.world.hang_up(callee);
        self.world.run_until_quiet();
        took
    }
}

#[test]
fn a_phone_finds_its_registrar_through_what_a_network_lets_pass_and_is_called_there() {
    for (allows, within, carrier) in [
        (Allows::Everything, SECOND, Transport::Udp),
        (Allows::NoUdp, 3 * SECOND, Transport::Tcp),
        (Allows::OnlyTcp443, 6 * SECOND, Transport::Tls),
    ] {
        let mut town = town(&format!("{allows:?}"), allows, 1, |_| ());
        assert_eq!(town.carrier(), Some(carrier), "{allows:?}");
        let called = town.rings(1);
        let both = town.took + called;
        let line = format!("{allows:?}: registered by {carrier} in {:?}, ringing in {both:?}\n", town.took);
        // Past the test runner, which shows only what fails.
        let _ = std::io::stderr().write_all(line.as_bytes());
        assert!(both <= within, "{allows:?}: {both:?}");
        town.rings(0);
        assert_eq!(town.carrier(), Some(carrier), "{allows:?}");
    }
}

#[test]
fn what_worked_on_a_network_is_tried_first_there_and_the_usual_way_again_after_a_while() {
    let mut town = town("and back", Allows::OnlyTcp443, 2, |_| ());
    let ann = town.phones[0];
    let ip = town.world.ip(ann);
    town.world.tell_of_network(ann, NetworkNews::Down);
    town.world.run_for(10 * SECOND);
    let began = town.world.now();
    town.world.tell_of_network(ann, NetworkNews::Up { addrs: vec![ip] });
    town.world.run_until_registered(&[ann]);
    let took = town.world.now().since(began);
    assert!(took < SECOND, "it knows the way: {took:?}");
    assert_eq!(town.carrier(), Some(Transport::Tls));
    town.world.set_router(town.home, Nat::port_restricted());
    town.world.run_for(30 * 60 * SECOND);
    assert_eq!(town.carrier(), Some(Transport::Udp), "it has tried again");
    town.rings(1);
    // And where that ends, it climbs again.
    town.world.set_router(town.home, Nat { allows: Allows::NoUdp, ..Nat::port_restricted() });
    town.world.run_for(120 * SECOND);
    assert_eq!(town.carrier(), Some(Transport::Tcp));
    town.rings(1);
}

#[test]
fn a_slow_way_is_not_left_and_a_lost_datagram_leaves_one_binding() {
    for seed in 1..=5 {
        let mut town = town("slow", Allows::Everything, seed, |_| ());
        // Ann comes back over a link on which an answer takes longer than the patience with it.
        let ann = town.phones[0];
        let ip = town.world.ip(ann);
        let slow = Link { delay: Duration::from_millis(700), loss: 0.2, ..Link::default() };
        town.world.set_router_links(town.home, slow, Link::default());
        town.world.tell_of_network(ann, NetworkNews::Down);
        town.world.run_for(10 * SECOND);
        town.world.tell_of_network(ann, NetworkNews::Up { addrs: vec![ip] });
        town.world.run_until_registered(&[ann]);
        town.world.run_for(120 * SECOND);
        town.rings(1);
        let rang = town.world.at(ann).calls().count();
        assert_eq!(rang, 1, "seed {seed}: a call by two ways is one call");
    }
}

#[test]
fn an_account_that_names_its_carrier_waits_for_it() {
    let mut world = World::seeded("ladder", "udp only", 3);
    let exchange = world.exchange("exchange", users(&["ann"]));
    let home = world.behind(Nat { allows: Allows::NoUdp, ..Nat::port_restricted() });
    world.settle_in(home);
    let mut settings = account("ann", world.ip(exchange));
    settings.transport = sip::ua::TransportPolicy::Only(Transport::Udp);
    let config = phone::Config { tls: true, ..phone::Config::default() };
    let ann = world.phone_with("ann", Some(settings), config);
    world.run_for(120 * SECOND);
    assert!(!world.at(ann).is_registered());
}

#[test]
fn a_network_that_lets_little_through_is_moved_to_by_what_it_lets_through_and_calls_come_all_the_while() {
    for (seed, allows, within, carrier) in [
        (11, Allows::NoUdp, 3 * SECOND, Transport::Tcp),
        (12, Allows::OnlyTcp443, 6 * SECOND, Transport::Tls),
    ] {
        let mut town = town(&format!("moves to {allows:?}"), Allows::Everything, seed, |_| ());
        let ann = town.phones[0];
        let w = &mut town.world;
        let cell = w.behind(Nat { inside: Ipv4Addr::new(100, 64, 0, 0), ..Nat::port_restricted() });
        let office =
            w.behind(Nat { inside: Ipv4Addr::new(10, 9, 0, 0), ..Nat::port_restricted().allowing(allows) });
        let network = |id, kind, ip: [u8; 4]| Network::new(id, kind, vec![IpAddr::from(ip)]);
        w.appear_in(ann, cell, network(MOBILE, NetworkKind::Cellular, [100, 64, 0, 77]));
        w.vanish(ann, NetworkId::SYSTEM);
        w.run_for(3 * SECOND);
        assert_eq!(w.at(ann).phone().network_of(ACCOUNT), Some(MOBILE));
        let began = w.now();
        w.appear_in(ann, office, network(WIFI, NetworkKind::Wifi, [10, 9, 0, 77]));
        // It must be steady first.
        w.run_for(2 * SECOND);
        let tries = w.now();
        town.rings(1);
        let w = &mut town.world;
        w.run_until("moved", |w| w.at(ann).phone().network_of(ACCOUNT) == Some(WIFI));
        let took = w.now().since(tries.max(began));
        assert!(w.at(ann).is_registered());
        assert!(took <= within, "{allows:?}: {took:?}");
        assert_eq!(town.carrier(), Some(carrier), "{allows:?}");
        town.rings(1);
        town.rings(0);
        town.world.vanish(ann, MOBILE);
        town.world.run_for(60 * SECOND);
        assert_eq!(town.carrier(), Some(carrier), "{allows:?}");
        town.rings(1);
        let rang = town.world.at(ann).calls().count();
        assert_eq!(rang, 4, "a call by two ways is one call");
    }
}

#[test]
fn a_network_that_lets_nothing_through_is_passed_over_and_the_old_one_stands_as_it_stood() {
    let mut town = town("stands by TCP", Allows::NoUdp, 13, |_| ());
    let ann = town.phones[0];
    let w = &mut town.world;
    let office = w.behind(Nat { inside: Ipv4Addr::new(10, 9, 0, 0), ..Nat::port_restricted() });
    w.appear_in(ann, office, Network::new(MOBILE, NetworkKind::Cellular, vec![[10, 9, 0, 77].into()]));
    w.vanish(ann, NetworkId::SYSTEM);
    w.run_for(3 * SECOND);
    w.set_router(office, Nat { allows: Allows::NoUdp, ..Nat::port_restricted() });
    w.run_for(120 * SECOND);
    assert_eq!(town.carrier(), Some(Transport::Tcp));
    let w = &mut town.world;
    // Told of, but nothing goes there.
    let dead = Network::new(WIFI, NetworkKind::Wifi, vec![[10, 0, 9, 9].into()]);
    w.tell_of_network(ann, NetworkNews::Appeared(dead));
    for _ in 0..6 {
        town.world.run_for(10 * SECOND);
        town.rings(1);
    }
    let phone = town.world.at(ann).phone();
    assert_eq!((phone.network_of(ACCOUNT), town.carrier()), (Some(MOBILE), Some(Transport::Tcp)));
}
