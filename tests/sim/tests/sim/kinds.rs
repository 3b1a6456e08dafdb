//! Two phones behind routers of every kind that RFC 4787 tells apart, and behind the same router.
//!
//! Each of the nine pairs of mapping and filtering, with ports that are kept and with ports that are drawn. What can be punched
//! is worked out here from the rules alone ([`can_meet`]), without any phone; the phones are held to it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use nat::path::Reached;
use offhook_sim::{Dependence, Hairpin, Nat, Ports, Unsolicited};
use phone::Tcp;

use super::ways::{House, Outcome, Town, call, print, table, town_of, town_under, why_not};

const ALL: [Dependence; 3] = [Dependence::Independent, Dependence::Address, Dependence::AddressAndPort];

/// `mapping/filtering`, each on nothing, on the address, or on address and port.
fn houses(ports: Ports) -> Vec<House> {
    let word = |it| match it {
        Dependence::Independent => "any",
        Dependence::Address => "address",
        Dependence::AddressAndPort => "port",
    };
    let house = |mapping, filtering| House {
        name: format!("{}/{}", word(mapping), word(filtering)),
        routers: vec![Nat { mapping, filtering, ports, ..Nat::full_cone() }],
    };
    ALL.iter().flat_map(|mapping| ALL.iter().map(|filtering| house(*mapping, *filtering))).collect()
}

/// For whom an outside port is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum For {
    Anyone,
    Host(Host),
    Port(Host, u64),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Host {
    Server,
    Peer,
}

/// One side: what its router does, where it has sent to by each outside port, and which ports of the other it knows of.
struct Side {
    nat: Nat,
    ports: BTreeMap<For, (u64, BTreeSet<(Host, u64)>)>,
    knows: BTreeSet<u64>,
}

impl Side {
    fn port(&mut self, to: (Host, u64)) -> u64 {
        let key = match self.nat.mapping {
            Dependence::Independent => For::Anyone,
            Dependence::Address => For::Host(to.0),
            Dependence::AddressAndPort => For::Port(to.0, to.1),
        };
        let fresh = self.ports.len() as u64 + 100;
        let (port, sent) = self.ports.entry(key).or_insert_with(|| (fresh, BTreeSet::new()));
        sent.insert(to);
        *port
    }

    fn lets_in(&self, port: u64, from: (Host, u64)) -> bool {
        let mut mine = self.ports.values().filter(|(known, _)| *known == port);
        mine.any(|(_, sent)| match self.nat.filtering {
            Dependence::Independent => true,
            Dependence::Address => sent.iter().any(|(host, _)| *host == from.0),
            Dependence::AddressAndPort => sent.contains(&from),
        })
    }
}

/// Whether two who send to all of each other's ports that they know of come to a pair that carries both ways: an answer comes from
/// the port that was asked.
fn can_meet(a: Nat, b: Nat) -> bool {
    let side = |nat| Side { nat, ports: BTreeMap::new(), knows: BTreeSet::new() };
    let mut sides = [side(a), side(b)];
    // S, and the relay beside it, tell how they are seen.
    for (me, other) in [(0, 1), (1, 0)] {
        let told = [1, 2].map(|port| sides[me].port((Host::Server, port)));
        sides[other].knows.extend(told);
    }
    // A pair that has not met by the third answer meets ever new ports.
    for _ in 0..6 {
        for (me, other) in [(0, 1), (1, 0)] {
            for to in sides[me].knows.clone() {
                let from = (Host::Peer, sides[me].port((Host::Peer, to)));
                if sides[other].lets_in(to, from) {
                    sides[other].knows.insert(from.1);
                    if sides[other].port(from) == to {
                        return true;
                    }
                }
            }
        }
    }
    false
}

fn nat(house: &House) -> Nat {
    house.routers[0]
}

/// One call of each pair: lines keep ports, columns draw them.
fn every_pair(title: &str, set: fn(&mut phone::Nat), judge: impl Fn(&mut Town, &Outcome, bool, &str)) {
    let (lines, columns) = (houses(Ports::Preserved), houses(Ports::Random));
    print(&table(title, &lines, &columns, |i, j| {
        let (a, b) = (&lines[i], &columns[j]);
        let mut town = town_of(a, b, (i * 16 + j) as u64 + 1, |account| set(&mut account.nat));
        let outcome = call(&mut town);
        let can = can_meet(nat(a), nat(b));
        judge(&mut town, &outcome, can, &format!("{} and {}: {}", a.name, b.name, outcome.word()));
        if outcome.heard { outcome.word() } else { why_not(a, b).to_owned() }
    }));
}

#[test]
fn what_the_rules_let_through_is_punched_and_all_else_is_relayed() {
    every_pair(
        "mapping/filtering, by ICE over UDP",
        |_| (),
        |_, outcome, can, what| {
            assert!(outcome.heard, "{what}");
            assert_eq!(outcome.reached.contains(&Some(Reached::Relayed)), !can, "{what}");
        },
    );
}

#[test]
fn without_ice_who_can_meet_is_heard() {
    every_pair(
        "mapping/filtering, without ICE",
        |nat| nat.ice = false,
        |_, outcome, can, what| {
            assert!(outcome.heard || !can, "{what}");
        },
    );
}

#[test]
fn neighbours_meet_inside_and_those_behind_one_carrier_as_it_turns_packets_round() {
    let here = |name: &str, routers| House { name: name.to_owned(), routers };
    for hairpin in [Hairpin::None, Hairpin::InsideSource, Hairpin::OutsideSource] {
        // In one flat.
        let home = Nat { hairpin, ..Nat::port_restricted() };
        let mut town = town_under(&[home], &here("flat", vec![]), &here("flat", vec![]), 1, |_| ());
        let outcome = call(&mut town);
        print(&format!("one home, {hairpin:?}: {}\n", outcome.word()));
        assert!(outcome.heard);
        assert_eq!(outcome.reached, [Some(Reached::Host); 2], "{hairpin:?}");
        // In two, of one carrier: two routers each, the outer one shared.
        let carrier = Nat { hairpin, ..Nat::cgn() };
        let flats = ["ann's", "bob's"].map(|name| here(name, vec![Nat::port_restricted()]));
        let mut town = town_under(&[carrier], &flats[0], &flats[1], 2, |_| ());
        let outcome = call(&mut town);
        print(&format!("two homes behind one carrier, {hairpin:?}: {}\n", outcome.word()));
        assert!(outcome.heard);
        let relayed = outcome.reached.contains(&Some(Reached::Relayed));
        // With its inside source a packet comes from where the other home has not sent to.
        assert_eq!(relayed, hairpin != Hairpin::OutsideSource, "{hairpin:?}");
    }
}

#[test]
fn routers_that_answer_a_first_try_are_punched_by_a_further_one_unless_they_give_the_port_away() {
    let patient =
        Nat { unsolicited: Unsolicited::Unreachable(Duration::from_secs(6)), ..Nat::port_restricted() };
    let kinds = [
        ("drops", Nat::port_restricted(), Reached::TcpPunched),
        ("answers RST", Nat::port_restricted().resetting(), Reached::TcpPunched),
        ("answers after 6 s", patient, Reached::TcpPunched),
        ("forbids crossing", Nat { crossing_syns: false, ..Nat::port_restricted() }, Reached::Relayed),
        ("Linux, open", Nat::linux_open(), Reached::Relayed),
    ];
    for (name, router, way) in kinds {
        let house = House { name: name.to_owned(), routers: vec![router] };
        let mut town = town_of(&house, &house, 1, |account| {
            (account.nat.udp, account.nat.tcp_punch) = (false, Tcp::Always);
        });
        let outcome = call(&mut town);
        print(&format!("by streams, a SYN that nobody asked for: {name}: {}\n", outcome.word()));
        assert!(outcome.heard, "{name}");
        assert_eq!(outcome.reached, [Some(way); 2], "{name}");
    }
}
