//! The certificate that a server shows, and what the person makes of it, in virtual time.

#![allow(clippy::unwrap_used)] // helpers beside the tests

mod town;

use std::net::SocketAddr;
use std::time::Duration;

use base::{Certificate, Fingerprint, Secret, Transport, Untrusted};
use offhook_phone::{Account, AccountState, Command, Config, Connection, Event, Refusal, Subject, Why};
use sip::ua::TransportPolicy;
use town::{MAIN, Town};

const SECOND: Duration = Duration::from_secs(1);

fn certificate(number: u8) -> Certificate {
    Certificate {
        fingerprint: Fingerprint([number; 32]),
        subject: "CN=bell.test".into(),
        issuer: "CN=bell.test".into(),
        names: vec!["bell.test".into()],
        not_before: "2026-01-01 00:00:00 UTC".into(),
        not_after: "2027-01-01 00:00:00 UTC".into(),
    }
}

/// A phone whose server shows that certificate, and how it fares for a minute.
fn town(why: Untrusted, shown: Certificate, connection: Connection) -> (Town, SocketAddr) {
    let mut town = Town::new();
    town.untrusted = Some((why, shown));
    let mut account = Account::new("sip:1001@bell.test".parse().unwrap(), Secret::new("secret".into()));
    account.proxy = Some("sip:10.0.0.9:5061;transport=tls;lr".parse().unwrap());
    account.transport = TransportPolicy::Only(Transport::Tls);
    account.connection = connection;
    let phone = town.phone_with(1, account, Config { tls: true, ..Config::default() });
    town.run(60 * SECOND);
    (town, phone)
}

/// The certificates that the person was asked about, and those that are taken.
fn told(town: &mut Town, phone: SocketAddr) -> (Vec<(Fingerprint, Why)>, Vec<Fingerprint>) {
    let (mut asked, mut taken) = (Vec::new(), Vec::new());
    for event in &town.handset(phone).events {
        match event {
            Event::Certificate { certificate, why, .. } => asked.push((certificate.fingerprint, *why)),
            Event::Trusted { fingerprint, .. } => taken.push(*fingerprint),
            _ => {}
        }
    }
    (asked, taken)
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_asked_about_once_and_taken_by_a_word_of_the_person_alone() {
    let first = certificate(1);
    let (mut town, phone) = town(Untrusted::Issuer, first.clone(), Connection::default());
    let view = town.account(phone);
    town.expect((view.state, view.reason), (AccountState::Failed, Some(Why::NotTrusted)));
    assert_eq!(
        told(&mut town, phone),
        (vec![(first.fingerprint, Why::NotTrusted)], vec![]),
        "{}",
        town.story()
    );
    assert!(town.handset(phone).servers.is_empty());

    let refused = |town: &mut Town| {
        let events = &town.handset(phone).events;
        matches!(
            events.last(),
            Some(Event::Refused { subject: Subject::Account(MAIN), reason: Refusal::NotShown })
        )
    };
    town.command(phone, Command::Trust(MAIN, Fingerprint([9; 32])));
    assert!(refused(&mut town), "it was never shown");

    town.command(phone, Command::Trust(MAIN, first.fingerprint));
    assert_eq!(told(&mut town, phone).1, [first.fingerprint]);
    let pinned = Connection { pin: Some(first.fingerprint), ..Connection::default() };
    assert_eq!(town.handset(phone).servers, [("10.0.0.9".to_owned(), pinned)]);
    let states = town.account_states(phone);
    town.expect(states.last(), Some(&AccountState::Failed)); // this town has no TLS; but it has asked again at once
    let tries = states.iter().filter(|state| **state == AccountState::Registering).count();
    assert!(tries >= 2, "{states:?}");
    town.command(phone, Command::Trust(MAIN, first.fingerprint));
    assert_eq!(told(&mut town, phone).1.len() + usize::from(refused(&mut town)), 2, "{}", town.story());
}

#[test]
fn another_certificate_than_the_known_one_is_refused_and_said_to_have_changed() {
    let known = Connection { pin: Some(Fingerprint([1; 32])), ..Connection::default() };
    let second = certificate(2);
    let (mut town, phone) = town(Untrusted::Changed, second.clone(), known.clone());
    assert_eq!(town.handset(phone).servers, [("10.0.0.9".to_owned(), known)], "before it connects");
    let view = town.account(phone);
    town.expect((view.state, view.reason), (AccountState::Failed, Some(Why::CertificateChanged)));
    assert_eq!(told(&mut town, phone), (vec![(second.fingerprint, Why::CertificateChanged)], vec![]));
    // And yet another one is another question.
    town.untrusted = Some((Untrusted::Changed, certificate(3)));
    town.run(60 * SECOND);
    assert_eq!(told(&mut town, phone).0.len(), 2);
    town.command(phone, Command::Trust(MAIN, second.fingerprint));
    assert_eq!(told(&mut town, phone).1, [], "only the newest can be taken");
}

#[test]
fn what_is_said_of_a_server_is_unsaid_when_its_account_goes() {
    let known = Connection { pin: Some(Fingerprint([1; 32])), path: "/ws".into(), certificate: None };
    let (mut town, phone) = town(Untrusted::Changed, certificate(2), known);
    town.command(phone, Command::RemoveAccount(MAIN));
    town.run(60 * SECOND);
    let last = town.handset(phone).servers.last().cloned();
    assert_eq!(last, Some(("10.0.0.9".to_owned(), Connection::default())));
}
