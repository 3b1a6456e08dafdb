//! Registration against a scripted registrar, in virtual time.

#![allow(clippy::unwrap_used)] // helpers beside the tests

mod town;

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use base::{Redacted, Secret, Transport};
use bytes::Bytes;
use offhook_phone::{
    Account, AccountId, AccountState, Command, Event, Input, NetworkNews, Push, Refusal, Relay, RelayWay,
    Server, Step, Subject, Why,
};
use sip::locate::Question;
use sip::message::{Message, Method, Name};
use sip::ua::TransportPolicy;
use town::{MAIN, Town, at, bytes, response};

const SECOND: Duration = Duration::from_secs(1);

fn account() -> Account {
    let mut account = Account::new("sip:1001@offhook.test".parse().unwrap(), Secret::new("secret".into()));
    account.proxy = Some("sip:10.0.0.9:5060;lr".parse().unwrap());
    account.expires = 3600;
    account
}

/// 200 with the binding, for as long as was asked.
fn granted(request: &Message) -> Vec<Bytes> {
    let mut draft = response(request, 200);
    let contact = String::from_utf8_lossy(request.first(Name::Contact).unwrap()).into_owned();
    match request.expires() {
        Some(0) => {}
        seconds => drop(draft.push(Name::Contact, format!("{contact};expires={}", seconds.unwrap_or(3600)))),
    }
    vec![bytes(&draft)]
}

fn refused(request: &Message, status: u16) -> Vec<Bytes> {
    vec![bytes(&response(request, status))]
}

/// A phone at 10.0.0.1 and a registrar at 10.0.0.9 that does as `script` says.
fn town(script: impl FnMut(&Message, SocketAddr) -> Vec<Bytes> + 'static) -> (Town, SocketAddr, SocketAddr) {
    let mut town = Town::new();
    let registrar = town.peer(9, script);
    let phone = town.phone(1, account());
    (town, phone, registrar)
}

fn registers(town: &Town, registrar: SocketAddr) -> usize {
    town.heard(registrar).iter().filter(|message| message.method() == Method::Register).count()
}

/// RFC 8599 section 4.1.
#[test]
fn a_phone_that_may_be_woken_says_how_until_it_leaves() {
    let mut town = Town::new();
    let registrar = town.peer(9, |request, _| granted(request));
    let push = Push {
        provider: "fcm".into(),
        param: Some("example".into()),
        prid: Secret::new("cX:APA91;b".into()),
    };
    let phone = town.phone(1, Account { push: Some(push), ..account() });
    town.run(SECOND);
    town.command(phone, Command::Unregister(MAIN));
    town.run(SECOND);
    let contacts: Vec<&str> =
        town.heard(registrar).iter().filter_map(|request| request.text(Name::Contact)).collect();
    let said = "<sip:1001@10.0.0.1:5060;pn-provider=fcm;pn-param=example;pn-prid=cX:APA91%3Bb>";
    town.expect(contacts, vec![said, "<sip:1001@10.0.0.1:5060>"]);
}

#[test]
fn an_account_registers_when_it_is_added_and_says_for_how_long() {
    let (mut town, phone, registrar) = town(|request, _| granted(request));
    town.run(SECOND);
    let view = town.account(phone);
    town.expect((view.state, view.expires), (AccountState::Registered, Some(3600 * SECOND)));
    let states = town.account_states(phone);
    town.expect(
        states,
        vec![AccountState::Unregistered, AccountState::Registering, AccountState::Registered],
    );
    let request = &town.heard(registrar)[0];
    let uri = request.request_uri().unwrap();
    assert_eq!((uri.as_str(), request.expires()), ("sip:offhook.test", Some(3600)));
    assert!(request.supports("path"));
    assert_eq!(request.to().unwrap().uri_text(), "sip:1001@offhook.test");
}

#[test]
fn over_udp_the_refresh_is_the_keepalive_whatever_was_granted() {
    let (mut town, phone, registrar) = town(|request, _| granted(request));
    town.run(3600 * SECOND);
    let count = registers(&town, registrar);
    assert!((80..=90).contains(&count), "{count} in an hour");
    let states = town.account_states(phone);
    town.expect(states.last(), Some(&AccountState::Registered));
    assert_eq!(states.len(), 3, "a refresh is nobody's business: {states:?}");
}

#[test]
fn a_registrar_that_forgot_everything_knows_us_again_within_a_minute() {
    let known = Rc::new(Cell::new(false));
    let bindings = known.clone();
    let (mut town, phone, _) = town(move |request, _| {
        bindings.set(true);
        granted(request)
    });
    for second in [100, 333, 1000] {
        town.run(second * SECOND);
        known.set(false);
        town.run(60 * SECOND);
        assert!(known.get(), "{}", town.story());
    }
    assert_eq!(town.account_states(phone).len(), 3, "and nobody is bothered with it");
}

#[test]
fn a_registrar_that_was_away_has_us_back_within_a_minute_of_its_return() {
    for (seed, away) in [40, 90, 300, 1000, 7000].into_iter().enumerate() {
        let dead = Rc::new(Cell::new(false));
        let gone = dead.clone();
        let (mut town, phone, _) =
            town(move |request, _| if gone.get() { Vec::new() } else { granted(request) });
        town.run((20 + seed as u32) * SECOND);
        dead.set(true);
        town.run(away * SECOND);
        if away > 100 {
            let view = town.account(phone);
            assert!(matches!(view.state, AccountState::Failed | AccountState::Registering), "{view:?}");
        }
        dead.set(false);
        town.run(60 * SECOND);
        let view = town.account(phone);
        assert_eq!(view.state, AccountState::Registered, "away for {away} s:\n{}", town.story());
    }
}

/// A phone that registers over TCP.
fn connected() -> (Town, SocketAddr, SocketAddr) {
    let mut town = Town::new();
    let registrar = town.peer(9, |request, _| granted(request));
    let mut account = account();
    account.transport = TransportPolicy::Only(Transport::Tcp);
    let phone = town.phone(1, account);
    town.run(SECOND);
    assert_eq!(town.account(phone).state, AccountState::Registered, "{}", town.story());
    (town, phone, registrar)
}

#[test]
fn over_tcp_an_hour_is_refreshed_once_and_kept_open_by_empty_lines() {
    let (mut town, _, registrar) = connected();
    town.run(3600 * SECOND);
    assert_eq!(registers(&town, registrar), 2);
    assert!((78..=80).contains(&town.pings), "{} pings", town.pings);
}

#[test]
fn a_connection_that_breaks_is_news_at_once() {
    let (mut town, phone, registrar) = connected();
    town.cut(phone, registrar);
    assert_eq!(town.account(phone).state, AccountState::Registering, "calls do not reach us");
    town.run(2 * SECOND);
    assert_eq!((town.account(phone).state, registers(&town, registrar)), (AccountState::Registered, 2));
}

#[test]
fn a_server_that_takes_no_connections_is_tried_until_it_does() {
    let (mut town, phone, registrar) = connected();
    town.connectable = false;
    town.cut(phone, registrar);
    town.run(1000 * SECOND);
    let view = town.account(phone);
    assert_eq!((view.state, view.status), (AccountState::Failed, Some(503)));
    assert_eq!((view.step, view.reason.as_ref()), (Step::Reach, Some(&Why::ServerUnreachable)));
    town.connectable = true;
    town.run(31 * SECOND);
    assert_eq!(town.account(phone).state, AccountState::Registered);
}

#[test]
fn a_faulty_registrar_is_tried_again_from_two_seconds_to_half_a_minute() {
    let (mut town, phone, registrar) = town(|request, _| refused(request, 500));
    town.run(SECOND);
    let view = town.account(phone);
    assert_eq!((view.state, view.status), (AccountState::Failed, Some(500)));
    assert_eq!(view.reason.as_ref(), Some(&Why::ServerFault));
    assert!(view.retry_in.is_some_and(|wait| (SECOND..=2 * SECOND).contains(&wait)), "{view:?}");
    town.run(600 * SECOND);
    let count = registers(&town, registrar);
    assert!((20..=32).contains(&count), "{count} in ten minutes");
    assert!(town.account(phone).retry_in.is_some_and(|wait| wait <= 30 * SECOND));
}

#[test]
fn a_no_for_good_is_not_hammered() {
    for status in [403, 404] {
        let (mut town, phone, registrar) = town(move |request, _| refused(request, status));
        town.run(300 * SECOND);
        assert_eq!(registers(&town, registrar), 1);
        let view = town.account(phone);
        assert_eq!((view.state, view.status), (AccountState::Failed, Some(status)));
        assert!(view.retry_in.is_some_and(|wait| wait > 400 * SECOND));
        town.run(4 * 3600 * SECOND);
        assert!((4..=8).contains(&registers(&town, registrar)), "{}", registers(&town, registrar));
    }
}

#[test]
fn a_wrong_password_fails_at_once_and_is_not_hammered() {
    let (mut town, phone, registrar) = town(|request, _| {
        let mut draft = response(request, 401);
        draft.push(
            Name::WwwAuthenticate,
            r#"Digest realm="offhook.test", nonce="n", algorithm=MD5, qop="auth""#,
        );
        vec![bytes(&draft)]
    });
    town.run(300 * SECOND);
    let view = town.account(phone);
    assert_eq!((view.state, view.status), (AccountState::Failed, Some(401)), "{}", town.story());
    assert_eq!((view.step, view.reason.as_ref()), (Step::Register, Some(&Why::BadCredentials)));
    let count = registers(&town, registrar);
    assert!((2..=3).contains(&count), "{count}");
}

#[test]
fn a_registrar_that_wants_longer_registrations_gets_them() {
    let (mut town, phone, registrar) = town(|request, _| {
        if request.expires() >= Some(7200) {
            return granted(request);
        }
        let mut draft = response(request, 423);
        draft.push(Name::MinExpires, 7200);
        vec![bytes(&draft)]
    });
    town.run(SECOND);
    let view = town.account(phone);
    town.expect((view.state, view.expires), (AccountState::Registered, Some(7200 * SECOND)));
    assert_eq!(registers(&town, registrar), 2);
}

#[test]
fn a_registrar_that_wants_longer_for_ever_is_a_failure() {
    let (mut town, phone, registrar) = town(|request, _| {
        let mut draft = response(request, 423);
        draft.push(Name::MinExpires, 60);
        vec![bytes(&draft)]
    });
    town.run(60 * SECOND);
    assert_eq!((town.account(phone).state, registers(&town, registrar)), (AccountState::Failed, 1));
}

#[test]
fn a_registrar_that_wants_ever_a_little_more_is_soon_beyond_belief() {
    let (mut town, phone, registrar) = town(|request, _| {
        let mut draft = response(request, 423);
        draft.push(Name::MinExpires, request.expires().unwrap() + 1);
        vec![bytes(&draft)]
    });
    town.run(60 * SECOND);
    assert_eq!(town.account(phone).state, AccountState::Failed);
    assert!(registers(&town, registrar) < 8, "{}", town.story());
}

#[test]
fn a_registrar_that_grants_a_second_is_not_hammered() {
    let (mut town, _, registrar) = town(|request, _| {
        let mut draft = response(request, 200);
        let contact = String::from_utf8_lossy(request.first(Name::Contact).unwrap()).into_owned();
        draft.push(Name::Contact, format!("{contact};expires=1"));
        vec![bytes(&draft)]
    });
    town.run(60 * SECOND);
    assert!((10..=15).contains(&registers(&town, registrar)), "{}", town.story());
}

#[test]
fn unregistering_says_so_and_stays_so() {
    let (mut town, phone, registrar) = town(|request, _| granted(request));
    town.run(SECOND);
    town.command(phone, Command::Unregister(MAIN));
    town.run(300 * SECOND);
    assert_eq!(town.account(phone).state, AccountState::Unregistered);
    assert_eq!(registers(&town, registrar), 2);
    assert_eq!(town.heard(registrar)[1].expires(), Some(0));
    town.command(phone, Command::Register(MAIN));
    town.run(SECOND);
    assert_eq!(town.account(phone).state, AccountState::Registered);
}

#[test]
fn a_change_of_mind_while_the_registrar_is_asked_is_acted_on() {
    let (mut town, phone, registrar) = town(|request, _| granted(request));
    town.command(phone, Command::Unregister(MAIN));
    town.run(60 * SECOND);
    assert_eq!((town.account(phone).state, registers(&town, registrar)), (AccountState::Unregistered, 2));
}

#[test]
fn without_a_network_nothing_is_tried_and_with_one_at_once() {
    let (mut town, phone, registrar) = town(|request, _| granted(request));
    town.run(SECOND);
    town.tell(phone, Input::Network(NetworkNews::Down));
    town.run(600 * SECOND);
    let view = town.account(phone);
    assert_eq!((view.state, view.retry_in, registers(&town, registrar)), (AccountState::Failed, None, 1));
    town.tell(phone, Input::Network(NetworkNews::Up { addrs: vec![phone.ip()] }));
    town.run(SECOND);
    assert_eq!(town.account(phone).state, AccountState::Registered);
}

#[test]
fn a_service_route_is_taken_by_later_requests() {
    let (mut town, phone, registrar) = town(|request, _| {
        if request.method() != Method::Register {
            return refused(request, 404);
        }
        let mut draft = response(request, 200);
        let contact = String::from_utf8_lossy(request.first(Name::Contact).unwrap()).into_owned();
        draft.push(Name::Contact, format!("{contact};expires=600"));
        draft.push(Name::ServiceRoute, "<sip:edge.offhook.test;lr>");
        vec![bytes(&draft)]
    });
    town.run(SECOND);
    town.call(phone, "1002");
    town.run(SECOND);
    let invite = town.heard(registrar).iter().find(|message| message.method() == Method::Invite);
    let routes: Vec<_> = invite
        .expect("an INVITE")
        .routes(Name::Route)
        .map(|route| route.unwrap().uri_text().to_owned())
        .collect();
    assert_eq!(routes, ["sip:10.0.0.9:5060;lr", "sip:edge.offhook.test;lr"], "{}", town.story());
}

#[test]
fn a_goodbye_hangs_up_unregisters_and_says_when_it_is_done() {
    let (mut town, phone, registrar) = town(|request, _| match request.method() {
        Method::Register => granted(request),
        _ => refused(request, 180),
    });
    town.run(SECOND);
    town.call(phone, "1002");
    town.run(SECOND);
    town.command(phone, Command::Shutdown);
    town.run(3 * SECOND);
    let stopped = town.handset(phone).events.iter().filter(|event| matches!(event, Event::Stopped)).count();
    assert_eq!(stopped, 1, "{}", town.story());
    assert_eq!(town.account(phone).state, AccountState::Unregistered);
    assert_eq!(
        town.heard(registrar).iter().rfind(|m| m.method() == Method::Register).unwrap().expires(),
        Some(0)
    );
}

#[test]
fn a_goodbye_to_nobody_takes_two_seconds() {
    let mut town = Town::new();
    let phone = town.phone(1, account());
    town.run(SECOND);
    town.command(phone, Command::Shutdown);
    town.run(3 * SECOND);
    assert!(town.handset(phone).events.iter().any(|event| matches!(event, Event::Stopped)));
}

#[test]
fn behind_a_nat_the_learnt_contact_takes_the_place_of_the_private_one() {
    let seen = at(77);
    let (mut town, phone, registrar) = town(move |request, _| {
        let mut draft = response(request, 200);
        for contact in request.list(Name::Contact) {
            let contact = String::from_utf8_lossy(contact).into_owned();
            if !contact.contains("expires=0") {
                draft.push(Name::Contact, format!("{contact};expires=600"));
            }
        }
        let via = String::from_utf8_lossy(request.first(Name::Via).unwrap()).into_owned();
        let via = via.replace(";rport", &format!(";received={};rport={}", seen.ip(), seen.port()));
        draft.set(Name::Via, via);
        vec![bytes(&draft)]
    });
    town.run(5 * SECOND);
    assert_eq!(town.account(phone).state, AccountState::Registered, "{}", town.story());
    let last = town.heard(registrar).last().unwrap();
    let contacts: Vec<_> =
        last.list(Name::Contact).map(|c| String::from_utf8_lossy(c).into_owned()).collect();
    assert!(contacts[0].contains("10.0.0.77"), "{contacts:?}");
    assert!(contacts[1].contains("10.0.0.1") && contacts[1].ends_with("expires=0"), "{contacts:?}");
    assert_eq!(registers(&town, registrar), 2, "and that is the end of it");
}

#[test]
fn other_relays_are_looked_up_and_the_registrar_hears_nothing_of_them() {
    let (mut town, phone, registrar) = town(|request, _| granted(request));
    town.run(SECOND);
    let heard = town.heard(registrar).len();
    let relay = Relay {
        server: Server { host: "relay.offhook.test".into(), port: Server::STUN_PORT },
        ways: vec![RelayWay::Udp],
        user: Redacted::new("1700000000:ann".into()),
        password: Secret::new("c2VjcmV0".into()),
    };
    town.command(phone, Command::Relays(MAIN, vec![relay]));
    town.run(10 * SECOND);
    let name = || "relay.offhook.test".to_owned();
    assert_eq!(town.resolved, [Question::A(name()), Question::Aaaa(name())]);
    town.expect(town.heard(registrar).len(), heard);
    assert_eq!(town.account(phone).state, AccountState::Registered);

    town.command(phone, Command::Relays(AccountId(7), Vec::new()));
    assert_eq!(town.refusals(phone), [(Subject::Account(AccountId(7)), Refusal::NoAccount)]);
}

#[test]
fn what_names_no_account_goes_by_the_default_one_unless_that_should_be_registered_and_is_not() {
    let (mut town, phone, _) = town(|request, _| match request.method() {
        Method::Register if request.text(Name::To).unwrap().contains("unwanted") => refused(request, 403),
        Method::Register => granted(request),
        _ => Vec::new(),
    });
    let of = |user: &str, register| {
        let uri = format!("sip:{user}@offhook.test").parse().unwrap();
        Account { uri, register, ..account() }
    };
    let (other, unwanted, apart) = (AccountId(7), AccountId(8), AccountId(9));
    for (id, account) in
        [(other, of("1007", true)), (unwanted, of("unwanted", true)), (apart, of("1009", false))]
    {
        town.command(phone, Command::AddAccount(id, account));
    }
    town.run(SECOND);
    let mut by = |default| {
        town.command(phone, Command::DefaultAccount(default));
        let call = town.call(phone, "1002");
        town.run(SECOND);
        town.view(phone, call).account
    };
    assert_eq!(by(None), MAIN);
    assert_eq!(by(Some(other)), other);
    assert_eq!(by(Some(unwanted)), MAIN);
    assert_eq!(by(Some(apart)), apart);
    assert_eq!(by(Some(AccountId(77))), MAIN);
}
