//! Two phones behind every pair of routers: how they reach each other, in what time, and why not.
//!
//! RFC 4787's mappings and filterings as people meet them, RFC 5128 for what can be punched. The printed matrix is the result; the
//! rule it is held to: everybody is heard, and nothing is relayed that could be punched.

use std::fmt::Write as _;
use std::time::Duration;

use base::{Redacted, Secret, Transport};
use nat::path::Reached;
use offhook_sim::servers::{RELAY_PORT, RELAY_USER, STUN_PORT};
use offhook_sim::{Allows, Dependence, Link, Nat, NodeId, Ports, World, account, insisted, users};
use phone::{CallState, KeysBy, Relay, RelayWay, Server, Tcp};
use sip::ua::TransportPolicy;

const MS: Duration = Duration::from_millis(1);
/// Each way between the houses and the internet.
const WAY: Duration = Duration::from_millis(20);

/// A kind of router, by the words of those who have one.
pub(super) struct House {
    pub(super) name: String,
    /// From the inside out; none: on the internet itself.
    pub(super) routers: Vec<Nat>,
}

fn houses() -> Vec<House> {
    let house = |name: &str, routers| House { name: name.to_owned(), routers };
    vec![
        house("none", vec![]),
        house("1:1", vec![Nat::static_one_to_one()]),
        house("full cone", vec![Nat::full_cone()]),
        house("restricted", vec![Nat::restricted()]),
        house("port-restricted", vec![Nat::port_restricted()]),
        house("symmetric", vec![Nat::symmetric()]),
        house("linux", vec![Nat::linux_masquerade()]),
        house("linux random", vec![Nat::linux_fully_random()]),
        house("home + cgn", vec![Nat::port_restricted(), Nat::cgn()]),
    ]
}

/// Whether a port looks the same to everybody: by rule, or since nobody else wants it.
fn maps_alike(house: &House) -> bool {
    let alike = |nat: &Nat| nat.mapping == Dependence::Independent || nat.ports == Ports::Shared;
    house.routers.iter().all(alike)
}

/// Whether any port of a host that was spoken to gets in.
fn lets_ports_in(house: &House) -> bool {
    house.routers.iter().all(|nat| nat.filtering != Dependence::AddressAndPort)
}

/// Whether datagrams can find a way without a relay: a port that is new for each destination is found only by who may answer
/// from another port than the one that was spoken to.
fn can_be_punched(a: &House, b: &House) -> bool {
    let one_way = |from: &House, to: &House| maps_alike(from) || lets_ports_in(to);
    (maps_alike(a) || maps_alike(b)) && one_way(a, b) && one_way(b, a)
}

/// Why two of whom one does not hear the other cannot meet, in the width of a cell.
pub(super) fn why_not(a: &House, b: &House) -> &'static str {
    match (maps_alike(a), maps_alike(b)) {
        (true, true) => "no: nobody knows why",
        (false, false) => "no: both map anew",
        (true, false) | (false, true) => "no: one anew, strict",
    }
}

/// Two phones in two houses.
pub(super) struct Town {
    pub(super) world: World,
    pub(super) servers: NodeId,
    pub(super) ann: NodeId,
    pub(super) bob: NodeId,
}

/// Two phones in two houses.
pub(super) fn town(a: &House, b: &House, seed: u64, set: impl Fn(&mut phone::Nat)) -> Town {
    town_of(a, b, seed, |account| set(&mut account.nat))
}

/// The same with other accounts.
pub(super) fn town_of(a: &House, b: &House, seed: u64, set: impl Fn(&mut phone::Account)) -> Town {
    town_under(&[], a, b, seed, set)
}

/// The same, both houses behind these routers, from the inside out: neighbours.
pub(super) fn town_under(
    shared: &[Nat],
    a: &House,
    b: &House,
    seed: u64,
    set: impl Fn(&mut phone::Account),
) -> Town {
    let mut world = World::seeded("ways", &format!("{} and {}", a.name, b.name), seed).with_sound();
    let far = Link { delay: WAY / 2, ..Link::default() };
    world.wire().set_default(far);
    let exchange = world.exchange("exchange", users(&["ann", "bob"]));
    let servers = world.servers("S");
    let server = |port, w: &World| Server { host: w.ip(servers).to_string(), port };
    let mut street = offhook_sim::NetworkId::INTERNET;
    for router in shared.iter().rev() {
        street = world.behind_in(street, *router);
    }
    let mut phones = Vec::new();
    for (name, house) in [("ann", a), ("bob", b)] {
        let mut place = street;
        for router in house.routers.iter().rev() {
            place = world.behind_in(place, *router);
        }
        world.settle_in(place);
        let mut settings = account(name, world.ip(exchange));
        settings.nat = phone::Nat {
            ice: true,
            stun: vec![server(STUN_PORT, &world)],
            turn: vec![Relay {
                server: server(RELAY_PORT, &world),
                ways: vec![RelayWay::Udp, RelayWay::Tcp],
                user: Redacted::new(RELAY_USER.0.into()),
                password: Secret::new(RELAY_USER.1.into()),
            }],
            ..phone::Nat::default()
        };
        set(&mut settings);
        phones.push(world.phone(name, Some(settings)));
        world.settle_in(offhook_sim::NetworkId::INTERNET);
    }
    world.run_until_registered(&phones);
    Town { world, servers, ann: phones[0], bob: phones[1] }
}

/// What became of a call.
pub(super) struct Outcome {
    /// Each hears the other.
    pub(super) heard: bool,
    pub(super) reached: [Option<Reached>; 2],
    /// From the call to its ringing, and from its answer to the later of both first packets of sound.
    rings: Duration,
    sounds: Option<Duration>,
}

impl Outcome {
    pub(super) fn word(&self) -> String {
        let way = match self.reached {
            [Some(a), Some(b)] if a == b => a.word().to_owned(),
            [Some(a), Some(b)] => format!("{}/{}", a.word(), b.word()),
            _ => "plain".to_owned(),
        };
        match (self.heard, self.sounds) {
            (true, Some(after)) => format!("{way} {} ms", after.as_millis()),
            _ => format!("{way}: not heard"),
        }
    }
}

pub(super) fn call(town: &mut Town) -> Outcome {
    call_answered_after(town, 1500 * MS)
}

fn call_answered_after(town: &mut Town, while_it_rings: Duration) -> Outcome {
    let Town { world: w, ann, bob, .. } = town;
    let (ann, bob) = (*ann, *bob);
    let called = w.now();
    w.call(ann, "bob");
    w.run_until_state(bob, CallState::Ringing);
    let rings = w.now().since(called);
    w.run_for(while_it_rings);
    let answered = w.now();
    w.answer(bob);
    w.run_for(Duration::from_secs(6));
    let reached = [ann, bob].map(|phone| w.at(phone).live().and_then(|view| view.path));
    let sounds = w.first_sound(ann).zip(w.first_sound(bob)).map(|(a, b)| a.max(b).since(answered));
    let heard = w.hears_tone(ann, bob) && w.hears_tone(bob, ann);
    w.hang_up(ann);
    w.run_for(Duration::from_secs(3));
    Outcome { heard, reached, rings, sounds }
}

/// Prints past the test runner, which swallows what it thinks is only for failures.
pub(super) fn print(matrix: &str) {
    use std::io::Write as _;
    let _ = std::io::stderr().write_all(matrix.as_bytes());
}

fn matrix(title: &str, cell: impl Fn(&House, &House, u64) -> String) -> String {
    let all = houses();
    table(title, &all, &all, |i, j| {
        if j < i { String::new() } else { cell(&all[i], &all[j], (i * 16 + j) as u64 + 1) }
    })
}

/// A cell for each pair, by their places.
pub(super) fn table(
    title: &str,
    lines: &[House],
    columns: &[House],
    cell: impl Fn(usize, usize) -> String,
) -> String {
    let mut text = format!("\n{title}\n{:>16}", "");
    for house in columns {
        let _ = write!(text, " | {:>20}", house.name);
    }
    for (i, a) in lines.iter().enumerate() {
        let _ = write!(text, "\n{:>16}", a.name);
        for j in 0..columns.len() {
            let _ = write!(text, " | {:>20}", cell(i, j));
        }
    }
    text.push('\n');
    text
}

#[test]
fn every_pair_of_routers_is_got_through_and_nothing_is_relayed_that_can_be_punched() {
    let text = matrix("by ICE over UDP, 40 ms round trip to everybody", |a, b, seed| {
        let mut town = town(a, b, seed, |_| ());
        let outcome = call(&mut town);
        assert!(outcome.heard, "{} and {}: {}", a.name, b.name, outcome.word());
        let relayed = outcome.reached.contains(&Some(Reached::Relayed));
        assert_eq!(relayed, !can_be_punched(a, b), "{} and {}: {}", a.name, b.name, outcome.word());
        // The ringing waits for two round trips of SIP and at most a quarter of a second of gathering.
        assert!(outcome.rings <= 250 * MS + 4 * WAY + 20 * MS, "rings after {:?}", outcome.rings);
        if !relayed {
            // 3 round trips and 100 ms.
            assert!(
                outcome.sounds.is_some_and(|after| after <= 3 * 4 * WAY / 2 + 100 * MS),
                "{}",
                outcome.word()
            );
            let before = town.world.servers_at(town.servers).relayed();
            town.world.run_for(Duration::from_secs(1));
            assert_eq!(town.world.servers_at(town.servers).relayed(), before);
        }
        outcome.word()
    });
    print(&text);
}

/// With every codec and a relay, asked who it is by SHA-256.
#[test]
pub(super) fn an_invite_fits_a_datagram_whatever_there_is_to_offer() {
    let all = houses();
    for (codecs, seed) in [(media::Codec::ALL.to_vec(), 1), (media::Codec::ALL[..4].to_vec(), 2)] {
        let (a, b) = (&all[4], &all[5]);
        let mut town = town_of(a, b, seed, |account| account.codecs.clone_from(&codecs));
        let outcome = call(&mut town);
        let longest = town.world.longest_invite();
        print(&format!("{} codecs: INVITE of {longest} bytes, {}\n", codecs.len(), outcome.word()));
        assert!(outcome.heard && longest <= 1200, "{longest}");
    }
}

#[test]
fn where_datagrams_do_not_pass_both_sides_open_a_stream_at_once() {
    let text = matrix("by ICE over TCP alone", |a, b, seed| {
        let mut town = town_of(a, b, seed, |account| {
            (account.nat.udp, account.nat.tcp_punch) = (false, Tcp::Always);
            // Beside a certificate a datagram has no room for all addresses of streams: the relay's are left.
            if insisted() == Some(KeysBy::Dtls) {
                account.transport = TransportPolicy::Only(Transport::Tcp);
            }
        });
        let outcome = call(&mut town);
        assert!(outcome.heard, "{} and {}: {}", a.name, b.name, outcome.word());
        let way = if can_be_punched(a, b) { Reached::TcpPunched } else { Reached::Relayed };
        assert_eq!(outcome.reached, [Some(way); 2], "{} and {}", a.name, b.name);
        outcome.word()
    });
    print(&text);
}

#[test]
fn what_is_found_too_late_for_the_description_is_told_when_nobody_is_reached_without() {
    let random = House {
        name: "linux random without UDP".to_owned(),
        routers: vec![Nat::linux_fully_random().allowing(Allows::NoUdp)],
    };
    // Nobody says in advance that datagrams do not pass, and the other side answers at once, or lets it ring.
    let mut sounds = Vec::new();
    for rings in [Duration::ZERO, 1500 * MS] {
        let mut town = town_of(&random, &random, 1, |account| {
            account.transport = TransportPolicy::Only(Transport::Tcp);
        });
        // No stream to any server is open, and answered, while the description waits.
        town.world.wire().set_default(Link { delay: 2 * WAY, ..Link::default() });
        let outcome = call_answered_after(&mut town, rings);
        assert!(outcome.heard, "{}", outcome.word());
        assert_eq!(outcome.reached, [Some(Reached::Relayed); 2]);
        // By INFO, since both take it so: nobody offers anew.
        let [ann, bob] =
            [town.ann, town.bob].map(|phone| ["INFO", "INVITE"].map(|it| town.world.said(phone, it)));
        assert!(ann[0] + bob[0] >= 1, "{ann:?} {bob:?}");
        assert_eq!((ann[1], bob[1]), (2, 0), "one that is asked who it is, and that one again");
        print(&format!(
            "found late, rings for {} ms: {}, INFO {} and {}\n",
            rings.as_millis(),
            outcome.word(),
            ann[0],
            bob[0]
        ));
        sounds.extend(outcome.sounds);
    }
    // While it rang the callee learnt all that there is.
    assert!(sounds[1] < sounds[0], "{sounds:?}");
}

#[test]
fn by_what_a_relay_was_reached_is_tried_at_once_in_the_next_call() {
    let random = House {
        name: "linux random without UDP".to_owned(),
        routers: vec![Nat::linux_fully_random().allowing(Allows::NoUdp)],
    };
    let mut town =
        town_of(&random, &random, 1, |account| account.transport = TransportPolicy::Only(Transport::Tcp));
    // A stream to a relay takes three round trips of 70 ms, and that it may be needed shows only after 90.
    town.world.wire().set_default(Link { delay: 35 * MS, ..Link::default() });
    let told_late = |town: &mut Town| {
        let outcome = call(town);
        assert!(outcome.heard && outcome.reached == [Some(Reached::Relayed); 2], "{}", outcome.word());
        [town.ann, town.bob].map(|phone| town.world.said(phone, "INFO")).iter().sum::<u64>()
    };
    let first = told_late(&mut town);
    assert!(first > 0, "its address came when the description was gone");
    assert_eq!(told_late(&mut town), first, "it came in time");
}

#[test]
fn without_ice_calls_reach_who_can_be_reached() {
    let text = matrix("without ICE", |a, b, seed| {
        let mut town = town(a, b, seed, |nat| nat.ice = false);
        let outcome = call(&mut town);
        assert!(outcome.heard || !can_be_punched(a, b), "{} and {}", a.name, b.name);
        if outcome.heard { outcome.word() } else { why_not(a, b).to_owned() }
    });
    print(&text);
}

/// How long a phone hears nothing of the other from now on: until it hears its hum again.
fn deaf_for(w: &mut World, listener: NodeId, talker: NodeId) -> Duration {
    // What was heard last lies in the ear for a fifth of a second.
    w.run_for(250 * MS);
    let from = w.now();
    while !w.hears_tone(listener, talker) {
        w.run_for(20 * MS);
        assert!(w.now().since(from) < Duration::from_secs(40), "never back");
    }
    w.now().since(from)
}

#[test]
fn a_router_with_a_new_address_in_mid_call_is_talked_through_again_soon() {
    let all = houses();
    for (seed, a, b) in [(1, 4, 4), (2, 4, 5), (3, 5, 5), (4, 6, 4)] {
        let mut town = town(&all[a], &all[b], seed, |_| ());
        let Town { world: w, ann, bob, .. } = &mut town;
        let (ann, bob) = (*ann, *bob);
        w.call(ann, "bob");
        w.run_until_state(bob, CallState::Ringing);
        w.answer(bob);
        w.run_for(Duration::from_secs(6));
        assert!(w.hears_tone(ann, bob) && w.hears_tone(bob, ann));
        let home = w.home_of(ann);
        w.rebind_router(home);
        let (ann_deaf, bob_deaf) = (deaf_for(w, ann, bob), deaf_for(w, bob, ann));
        w.run_for(Duration::from_secs(3));
        assert!(w.hears_tone(ann, bob) && w.hears_tone(bob, ann), "{} and {}", all[a].name, all[b].name);
        let (a, b) = (&all[a].name, &all[b].name);
        print(&format!(
            "rebound {a} to {b}: deaf for {} and {} ms\n",
            ann_deaf.as_millis(),
            bob_deaf.as_millis()
        ));
    }
}

#[test]
pub(super) fn a_relay_is_given_back_when_a_straighter_way_lasts_and_is_asked_for_again_when_ways_are_found_anew()
 {
    let all = houses();
    for (a, left) in [(4, 0..=0), (5, 1..=1)] {
        let mut town = town(&all[a], &all[a], 1, |_| ());
        let Town { world: w, servers, ann, bob } = &mut town;
        let (ann, bob, servers) = (*ann, *bob, *servers);
        w.call(ann, "bob");
        w.run_until_state(bob, CallState::Ringing);
        w.answer(bob);
        w.run_for(Duration::from_secs(3));
        assert_eq!(w.servers_at(servers).allocations(), 2, "each has asked");
        w.run_for(Duration::from_secs(8));
        let held = w.servers_at(servers).allocations();
        assert!(left.contains(&held), "{}: {held}", all[a].name);
        let home = w.home_of(ann);
        w.rebind_router(home);
        let mut most = 0;
        for _ in 0..40 {
            w.run_for(100 * MS);
            most = most.max(w.servers_at(servers).allocations());
        }
        assert!(most > held, "{}: {most}", all[a].name);
        w.run_for(Duration::from_secs(10));
        assert!(w.hears_tone(ann, bob) && w.hears_tone(bob, ann), "{}", all[a].name);
        w.hang_up(ann);
        w.run_for(Duration::from_secs(2));
        print(&format!("{}: {held} relays kept, {most} after a restart, \n", all[a].name));
    }
}

#[test]
fn a_call_behind_a_router_with_a_new_address_can_be_ended_by_either_side() {
    let all = houses();
    for ends in [0, 1] {
        let mut town = town(&all[4], &all[0], 1, |nat| nat.ice = false);
        let Town { world: w, ann, bob, .. } = &mut town;
        let ends = [*ann, *bob][ends];
        let (ann, bob) = (*ann, *bob);
        w.call(ann, "bob");
        w.run_until_state(bob, CallState::Ringing);
        w.answer(bob);
        w.run_for(Duration::from_secs(6));
        let home = w.home_of(ann);
        w.rebind_router(home);
        // The next refresh at the latest says under which address she is seen now.
        w.run_for(Duration::from_secs(60));
        assert_eq!(w.state(ann), Some(CallState::Active));
        w.hang_up(ends);
        w.run_for(Duration::from_secs(2));
        assert_eq!([ann, bob].map(|phone| w.state(phone)), [None, None]);
    }
}
