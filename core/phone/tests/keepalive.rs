//! What it costs to be reachable behind routers that forget, in virtual time; and that it is worth it.

#![allow(clippy::unwrap_used)] // helpers beside the tests
#![allow(clippy::print_stdout)] // the costs, shown when a test fails

mod town;

use std::net::SocketAddr;
use std::time::Duration;

use base::{NetworkId, Redacted, Secret, Transport};
use bytes::Bytes;
use offhook_phone::{
    Account, AccountId, AccountState, Command, Config, Event, Input, Keepalive, Learnt, Lifetime, Network,
    NetworkKey, NetworkKind, NetworkNews,
};
use sip::message::{Message, Method, Name};
use sip::ua::TransportPolicy;
use town::router::Router;
use town::{Town, bytes, response};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);

fn account(user: &str) -> Account {
    let uri = format!("sip:{user}@offhook.test");
    let mut account = Account::new(uri.parse().unwrap(), Secret::new("secret".into()));
    account.proxy = Some("sip:10.0.0.9:5060;lr".parse().unwrap());
    account.expires = 3600;
    account.keepalive = Keepalive::Thrifty;
    account
}

/// 200 with the bindings that were asked for, seen from where it came.
fn granted(request: &Message, from: SocketAddr) -> Vec<Bytes> {
    let mut draft = response(request, 200);
    for contact in request.list(Name::Contact) {
        let contact = String::from_utf8_lossy(contact).into_owned();
        if !contact.contains("expires=0") {
            draft.push(Name::Contact, format!("{contact};expires=3600"));
        }
    }
    let via = String::from_utf8_lossy(request.first(Name::Via).unwrap()).into_owned();
    let seen = format!(";received={};rport={}", from.ip(), from.port());
    draft.set(Name::Via, via.replace(";rport", &seen));
    vec![bytes(&draft)]
}

/// A phone at 10.0.0.1 behind a router that forgets after so long, and a registrar at 10.0.0.9.
fn behind(lifetime: Duration, account: Account) -> (Town, SocketAddr, SocketAddr) {
    let mut town = Town::new();
    town.router = Some(Router::new(lifetime));
    let registrar = town.peer(9, granted);
    let phone = town.phone(1, account);
    town.run(SECOND);
    expect_registered(&mut town, phone);
    (town, phone, registrar)
}

fn expect_registered(town: &mut Town, phone: SocketAddr) {
    let state = town.account(phone).state;
    town.expect(state, AccountState::Registered);
}

fn registers(town: &Town, registrar: SocketAddr) -> usize {
    town.heard(registrar).iter().filter(|message| message.method() == Method::Register).count()
}

/// Wakes that are about being reachable; the rest is what transactions wait for.
fn wakes(town: &mut Town, phone: SocketAddr) -> usize {
    let wakes = &town.handset(phone).wakes;
    ["register", "keepalive"].iter().filter_map(|why| wakes.get(why)).sum()
}

fn found_dead(town: &Town) -> usize {
    town.router.as_ref().unwrap().found_dead
}

#[test]
fn a_day_behind_a_router_that_forgets_costs_a_wake_for_each_lifetime_and_few_breaks() {
    for lifetime in [30, 60, 120, 180, 300, 900, 3000] {
        let (mut town, phone, registrar) = behind(lifetime * SECOND, account("1001"));
        town.run(DAY);
        let (searching, breaks) = (wakes(&mut town, phone), found_dead(&town));
        town.handset(phone).wakes.clear();
        town.run(DAY);
        let (remembering, broken) = (wakes(&mut town, phone), found_dead(&town) - breaks);
        let by_why = &town.handset(phone).wakes;
        let each = |wakes: usize| wakes as f64 * lifetime as f64 / DAY.as_secs_f64();
        println!(
            "{lifetime} s: the searching day {searching} wakes ({:.2} each lifetime), {breaks} breaks; \
             the day after {remembering} ({:.2}), {broken} breaks, {by_why:?}",
            each(searching),
            each(remembering)
        );
        // What is left of the search's last step and the margin: a thirty-second, or a second, each. The refresh comes at
        // least each hour.
        let lifetimes = DAY.as_secs_f64() / lifetime as f64;
        let most = lifetimes * if lifetime < 60 { 1.09 } else { 1.07 } + 4.0;
        assert!(remembering as f64 <= most.max(30.0), "{lifetime} s: {remembering} wakes of {most}");
        assert!(searching as f64 <= most + 40.0, "{lifetime} s: {searching} wakes");
        assert!(breaks <= 12 && broken <= 6, "{lifetime} s: {breaks} breaks, then {broken}");
        expect_registered(&mut town, phone);
        assert!(registers(&town, registrar) < 140, "{lifetime} s: {}", registers(&town, registrar));
    }
}

#[test]
fn once_it_is_known_how_long_a_router_remembers_nothing_breaks() {
    let (mut town, phone, _) = behind(100 * SECOND, account("1001"));
    town.run(Duration::from_hours(2));
    let breaks = found_dead(&town);
    assert!((1..=5).contains(&breaks), "{breaks}");
    town.run(Duration::from_hours(8));
    assert_eq!(found_dead(&town), breaks, "{:?}", town.handset(phone).wakes);
}

#[test]
fn a_router_that_keeps_new_mappings_for_less_is_not_taken_for_one_that_forgets_early() {
    for keeps_ports in [false, true] {
        let mut town = Town::new();
        let mut router = Router::new(120 * SECOND);
        (router.is_linux, router.keeps_ports) = (true, keeps_ports);
        town.router = Some(router);
        town.peer(9, granted);
        let phone = town.phone(1, account("1001"));
        town.run(Duration::from_hours(6));
        let breaks = found_dead(&town);
        assert!(breaks <= if keeps_ports { 0 } else { 6 }, "{keeps_ports}: {breaks}");
        town.handset(phone).wakes.clear();
        town.run(DAY);
        let wakes = wakes(&mut town, phone);
        println!("Linux, keeps ports {keeps_ports}: {wakes} wakes, {} breaks", found_dead(&town) - breaks);
        assert_eq!(found_dead(&town), breaks, "{keeps_ports}");
        assert!(wakes < 720 * 112 / 100, "{keeps_ports}: {wakes}");
    }
}

#[test]
fn a_network_that_is_met_again_is_not_searched_again() {
    let home = |id| {
        let network = Network::new(NetworkId::new(id), NetworkKind::Wifi, vec![[10, 0, 0, 1].into()]);
        NetworkNews::Appeared(Network { identity: Some(Redacted::new("home".into())), ..network })
    };
    let (mut town, phone, _) = behind(100 * SECOND, account("1001"));
    town.tell(phone, Input::Network(home(1)));
    town.run(Duration::from_hours(2));
    let learnt: Vec<Learnt> = (town.handset(phone).events.iter())
        .filter_map(|event| match event {
            Event::Learnt(learnt) => Some(learnt.clone()),
            _ => None,
        })
        .collect();
    let last = learnt.last().expect("it is told").clone();
    assert!(last.udp.held >= 80 * SECOND && last.udp.broke.is_some_and(|b| b <= 110 * SECOND), "{last:?}");

    let mut later = Town::new();
    later.router = Some(Router::new(100 * SECOND));
    later.peer(9, granted);
    let phone = later.phone(1, account("1001"));
    later.command(phone, Command::Remember(last));
    later.tell(phone, Input::Network(home(7)));
    later.run(Duration::from_hours(8));
    assert_eq!(found_dead(&later), 0);
}

#[test]
fn a_router_that_restarts_is_noticed_by_the_next_refresh_and_costs_no_new_search() {
    let (mut town, phone, registrar) = behind(300 * SECOND, account("1001"));
    town.run(Duration::from_hours(4));
    let before = registers(&town, registrar);
    town.router.as_mut().unwrap().reboot();
    town.run(Duration::from_hours(1));
    let last = town.heard(registrar).iter().rfind(|m| m.method() == Method::Register).unwrap();
    let contact = String::from_utf8_lossy(last.first(Name::Contact).unwrap()).into_owned();
    assert!(contact.contains("198.51.100.1:21"), "{contact}");
    assert!(registers(&town, registrar) - before < 12, "{}", registers(&town, registrar) - before);
    expect_registered(&mut town, phone);
}

#[test]
fn a_router_that_keeps_ports_hides_its_forgetting_and_is_trusted_with_no_more_than_two_minutes() {
    let (mut town, phone, _) = behind(120 * SECOND, account("1001"));
    town.router.as_mut().unwrap().keeps_ports = true;
    town.router.as_mut().unwrap().reboot();
    town.command(phone, Command::Register(town::MAIN));
    town.run(SECOND);
    let before = found_dead(&town);
    town.run(DAY);
    assert_eq!(found_dead(&town), before, "{:?}", town.handset(phone).wakes);
    assert!(wakes(&mut town, phone) < 960, "{:?}", town.handset(phone).wakes);
}

#[test]
fn on_the_registrars_own_network_nothing_is_sent_between_refreshes() {
    let mut town = Town::new();
    let registrar = town.peer(9, granted);
    let phone = town.phone(1, account("1001"));
    town.run(DAY);
    assert_eq!(town.pings, 0);
    assert!(registers(&town, registrar) <= 30, "{}", registers(&town, registrar));
    assert!(wakes(&mut town, phone) <= 30);
}

#[test]
fn on_a_connection_empty_lines_are_as_seldom_as_the_router_allows() {
    for lifetime in [100, 600, 7200] {
        let mut account = account("1001");
        account.transport = TransportPolicy::Only(Transport::Tcp);
        let (mut town, phone, _) = behind(lifetime * SECOND, account);
        town.run(DAY);
        let (wakes, breaks) = (wakes(&mut town, phone), found_dead(&town));
        println!("{lifetime} s: {wakes} wakes, {breaks} breaks, {:?}", town.handset(phone).wakes);
        assert!(breaks <= 6, "{lifetime} s: {breaks}");
        assert!(wakes <= 24 * 3600 * 3 / 2 / lifetime as usize + 60, "{lifetime} s: {wakes}");
    }
}

#[test]
fn three_accounts_on_one_network_wake_the_phone_hardly_oftener_than_one() {
    let cost = |users: &[&str]| {
        let (mut town, phone, _) = behind(90 * SECOND, account("1001"));
        for (n, user) in users.iter().enumerate() {
            town.run(17 * SECOND);
            town.command(phone, Command::AddAccount(AccountId(10 + n as u32), account(user)));
        }
        town.run(Duration::from_hours(3));
        town.handset(phone).wakes.clear();
        town.run(DAY);
        wakes(&mut town, phone)
    };
    let (one, three) = (cost(&[]), cost(&["1002", "1003"]));
    assert!(three <= one * 5 / 4, "{one} wakes for one account, {three} for three");
}

#[test]
fn a_registrar_that_wants_to_hear_from_us_sooner_does() {
    let mut town = Town::new();
    town.peer(9, |request, from| {
        let mut draft = response(request, 200);
        let contact = String::from_utf8_lossy(request.first(Name::Contact).unwrap()).into_owned();
        draft.push(Name::Contact, format!("{contact};expires=3600")).push(Name::FlowTimer, 40);
        let _ = from;
        vec![bytes(&draft)]
    });
    town.phone(1, account("1001"));
    town.run(400 * SECOND);
    assert!((10..=12).contains(&town.pings), "{}", town.pings);
}

#[test]
fn what_is_remembered_wrongly_is_found_out() {
    let mut town = Town::new();
    town.router = Some(Router::new(40 * SECOND));
    town.peer(9, granted);
    let phone = town.phone(1, account("1001"));
    let udp = Lifetime { held: 300 * SECOND, broke: Some(305 * SECOND) };
    town.command(phone, Command::Remember(Learnt { udp, ..Learnt::nothing(NetworkKey::of("home")) }));
    let network = Network::new(NetworkId::new(1), NetworkKind::Wifi, vec![[10, 0, 0, 1].into()]);
    let network = Network { identity: Some(Redacted::new("home".into())), ..network };
    town.tell(phone, Input::Network(NetworkNews::Appeared(network)));
    town.run(Duration::from_hours(6));
    let before = found_dead(&town);
    town.run(Duration::from_hours(6));
    assert!(found_dead(&town) - before <= 2, "{before} and then {}", found_dead(&town));
}

/// The same at a registrar that takes registrations of flows, and answers STUN if it keeps its word.
fn by_flow(lifetime: Duration, answers: bool) -> (Town, SocketAddr, SocketAddr) {
    let mut town = Town::new();
    town.router = Some(Router::new(lifetime));
    town.stun = answers;
    let registrar = town.peer(9, |request, from| {
        let mut draft = sip::message::Draft::response_to(request, 200);
        let contact = String::from_utf8_lossy(request.first(Name::Contact).unwrap()).into_owned();
        draft.push(Name::Contact, format!("{contact};expires=3600")).push(Name::Require, "outbound");
        let via = String::from_utf8_lossy(request.first(Name::Via).unwrap()).into_owned();
        let seen = format!(";received={};rport={}", from.ip(), from.port());
        draft.set(Name::Via, via.replace(";rport", &seen));
        vec![bytes(&draft)]
    });
    let instance = Some("urn:uuid:00000000-0000-1000-8000-000a95a0e128".into());
    let phone = town.phone_with(1, account("1001"), Config { instance, ..Config::default() });
    town.run(SECOND);
    expect_registered(&mut town, phone);
    (town, phone, registrar)
}

#[test]
fn a_registrar_that_speaks_stun_is_asked_and_only_a_changed_answer_registers_anew() {
    let (mut town, phone, registrar) = by_flow(100 * SECOND, true);
    town.run(DAY);
    let (breaks, asked) = (found_dead(&town), town.asked);
    println!("{breaks} breaks, {asked} questions, {:?}", town.handset(phone).wakes);
    assert!(breaks <= 6, "{breaks}");
    assert!((864..960).contains(&asked), "{asked}");
    // One behind each new mapping.
    assert!(town.pings <= breaks + 1, "{} empty lines", town.pings);
    assert!(registers(&town, registrar) <= 28 + breaks, "{}", registers(&town, registrar));
    // A router that restarts is noticed at the end of the silence.
    town.router.as_mut().unwrap().reboot();
    let before = registers(&town, registrar);
    town.run(100 * SECOND);
    assert_eq!(registers(&town, registrar) - before, 1);
}

#[test]
fn a_registrar_that_promises_stun_and_does_not_answer_is_sent_empty_lines() {
    let (mut town, phone, registrar) = by_flow(100 * SECOND, false);
    town.run(DAY);
    assert!(town.asked <= 8, "{} questions", town.asked);
    assert!(town.pings > 800, "{} empty lines", town.pings);
    assert!(registers(&town, registrar) <= 50, "{}", registers(&town, registrar));
    expect_registered(&mut town, phone);
}

#[test]
fn a_stun_answer_that_nobody_asked_for_changes_nothing() {
    let (mut town, phone, registrar) = by_flow(100 * SECOND, true);
    let asked = nat::stun::Writer::request(nat::stun::Method::Binding, nat::stun::TransactionId([1; 12]));
    let asked = nat::stun::Message::read(&asked.unsigned()).unwrap();
    let forged = nat::stun::Writer::success(&asked)
        .hidden_address(nat::stun::attribute::XOR_MAPPED_ADDRESS, "203.0.113.9:9".parse().unwrap())
        .unsigned();
    town.router = None;
    town.say(registrar, phone, forged);
    town.run(SECOND);
    assert_eq!(registers(&town, registrar), 1);
}
