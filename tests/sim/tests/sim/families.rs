//! Networks with both IP families, one of them broken, and with IPv6 alone behind a translator.
//!
//! RFC 8305, RFC 7984, RFC 7050, RFC 6052.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use base::nat64::Prefix64;
use offhook_sim::{Nat, NetworkId, NodeId, World, account, users};
use phone::{Account, CallState};
use sip::locate::{Question, Record};

use crate::connect;

const SECOND: Duration = Duration::from_secs(1);
/// Nobody is there, and nobody says so.
const BLACK_HOLE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x99);

fn v6(last: u16) -> IpAddr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last).into()
}

/// An account whose exchange is known by its name.
fn by_name(user: &str, transport: &str) -> Account {
    let proxy = format!("sip:offhook.test:5060;transport={transport};lr");
    Account { proxy: Some(proxy.parse().expect("a URI")), ..account(user, BLACK_HOLE.into()) }
}

/// An exchange with an IPv4 address, and in the name servers an IPv6 one.
fn exchange(w: &mut World, aaaa: Ipv6Addr) -> NodeId {
    let exchange = w.exchange("exchange", users(&["ann", "ben"]));
    let IpAddr::V4(ip) = w.ip(exchange) else { panic!("it has IPv4") };
    w.name(Question::A("offhook.test".into()), vec![Record::A(ip)]);
    w.name(Question::Aaaa("offhook.test".into()), vec![Record::Aaaa(aaaa)]);
    exchange
}

#[test]
#[allow(clippy::print_stdout)] // the figure is worth seeing
fn where_ipv6_is_a_black_hole_a_phone_is_registered_within_two_seconds_and_remembers_it() {
    for (transport, within) in [("udp", 2 * SECOND), ("tcp", SECOND)] {
        let mut w = World::seeded(transport, "", 1);
        exchange(&mut w, BLACK_HOLE);
        let hole = w.stranger("hole");
        w.join(hole, NetworkId::INTERNET, BLACK_HOLE.into());
        let ann = w.phone("ann", None);
        w.join(ann, NetworkId::INTERNET, v6(2));
        w.cut(ann, hole, true);
        let began = w.now();
        w.command(ann, phone::Command::AddAccount(offhook_sim::ACCOUNT, by_name("ann", transport)));
        w.run_until("registered", |w| w.at(ann).is_registered());
        let first = w.now().since(began);
        println!("IPv6 a black hole: registered by {transport} within {} ms", first.as_millis());
        assert!(first < within, "{transport}: {first:?}");
        // What was left behind is repeated until it times out.
        w.run_for(35 * SECOND);
        let (began, said) = (w.now(), w.said(ann, "REGISTER"));
        w.command(ann, phone::Command::Register(offhook_sim::ACCOUNT));
        w.run_for(SECOND / 5);
        assert_eq!(w.said(ann, "REGISTER") - said, 1, "{transport}: the family that works is asked at once");
        assert!(w.now().since(began) < SECOND && w.at(ann).is_registered());
        assert_eq!(w.held(ann).0, usize::from(transport == "tcp"), "{transport}");
    }
}

#[test]
fn where_both_families_work_ipv6_is_taken_and_nothing_is_sent_twice() {
    for transport in ["udp", "tcp"] {
        let mut w = World::seeded(transport, "", 1);
        let there = exchange(&mut w, Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));
        w.join(there, NetworkId::INTERNET, v6(1));
        let ann = w.phone("ann", None);
        w.join(ann, NetworkId::INTERNET, v6(2));
        w.command(ann, phone::Command::AddAccount(offhook_sim::ACCOUNT, by_name("ann", transport)));
        w.run_for(5 * SECOND);
        assert!(w.at(ann).is_registered());
        assert_eq!(w.said(ann, "REGISTER"), 2, "{transport}: asked who it is, and answered");
        let bound = exchange::bindings::Bindings::of(w.exchange_at(there).bindings(), "ann");
        assert!(bound[0].contact.to_string().contains("[2001:db8::2]"), "{transport}");
    }
}

/// How Ann is set up, told the exchange's address.
type Settings = fn(IpAddr) -> Account;

/// Ann has IPv6 alone, behind a translator that the name servers know of or do not; Ben has IPv4.
fn translated(known: bool, proxy: Settings) -> (World, NodeId, NodeId) {
    let prefix = Prefix64::new("2001:db8:64::".parse().expect("an address"), 96).expect("a prefix");
    let mut w = World::seeded("NAT64", "", 1).with_sound();
    let exchange = w.exchange("exchange", users(&["ann", "ben"]));
    let ip = w.ip(exchange);
    let IpAddr::V4(v4) = ip else { panic!("it has IPv4") };
    w.name(Question::A("offhook.test".into()), vec![Record::A(v4)]);
    if known {
        let records = ["2001:db8:64::c000:aa", "2001:db8:64::c000:ab"];
        let records = records.map(|text| Record::Aaaa(text.parse().expect("an address")));
        w.name(Question::Aaaa("ipv4only.arpa".into()), records.to_vec());
    }
    let ben = w.phone("ben", Some(account("ben", ip)));
    let home = w.behind(Nat::port_restricted().translating(prefix));
    w.settle_in(home);
    let ann = w.phone("ann", Some(proxy(ip)));
    (w, ann, ben)
}

#[test]
pub(super) fn with_ipv6_alone_an_ipv4_exchange_is_reached_by_name_and_by_number_and_calls_are_heard() {
    let proxies: [(&str, Settings); 2] =
        [("by number", |ip| account("ann", ip)), ("by name", |_| by_name("ann", "udp"))];
    for (how, proxy) in proxies {
        let (mut w, ann, ben) = translated(true, proxy);
        w.run_for(SECOND);
        assert!(w.at(ann).is_registered(), "{how}");
        assert!(w.ip(ann).is_ipv6() && w.ip(ben).is_ipv4());
        for (caller, callee, whom) in [(ann, ben, "ben"), (ben, ann, "ann")] {
            connect(&mut w, caller, callee, whom);
            assert!(w.hears_tone(ann, ben), "{how}, to {whom}: ann hears");
            assert!(w.hears_tone(ben, ann), "{how}, to {whom}: ben hears");
            w.hang_up(caller);
            w.run_until_quiet();
        }
    }
}

#[test]
fn without_a_translator_that_is_known_nothing_is_invented() {
    let (mut w, ann, _) = translated(false, |ip| account("ann", ip));
    w.run_for(60 * SECOND);
    assert!(!w.at(ann).is_registered());
    assert_eq!(w.said(ann, "REGISTER"), 0);
    assert_eq!(w.state(ann), None::<CallState>);
}
