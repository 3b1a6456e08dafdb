//! Whole phones on this machine: real threads, loopback sockets.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use base::Secret;
use phone::{Account, AccountId, Command};

use crate::{Config, Event, Handle, StartError};

const ACCOUNT: AccountId = AccountId(1);
const PATIENCE: Duration = Duration::from_secs(10);

fn loopback() -> Config {
    Config { bind: vec![(Ipv4Addr::LOCALHOST, 0).into()], ..Config::default() }
}

/// A phone with an account that no registrar knows: callable by address.
fn phone(config: Config) -> Handle {
    let phone = Handle::start(config).unwrap();
    let uri = format!("sip:user@{}", phone.bound()[0]);
    let mut account = Account::new(uri.parse().unwrap(), Secret::new(String::new()));
    account.register = false;
    phone.command(Command::AddAccount(ACCOUNT, account));
    phone
}

/// Pulls events until `wanted` finds its own.
fn until<T>(phone: &Handle, wanted: impl Fn(&Event) -> Option<T>) -> T {
    let give_up = Instant::now() + PATIENCE;
    let mut seen = Vec::new();
    while Instant::now() < give_up {
        if let Some(event) = phone.wait_event(Duration::from_millis(100)) {
            if let Some(found) = wanted(&event) {
                return found;
            }
            seen.push(event);
        }
    }
    panic!("not among {seen:#?}");
}

#[test]
fn a_panic_becomes_an_event_and_the_phone_is_back_on_its_port_with_its_account() {
    let ann = phone(loopback());
    let account = |event: &Event| matches!(event, Event::Phone(phone::Event::Account(_))).then_some(());
    until(&ann, account);
    ann.panic();
    let story = until(&ann, |event| match event {
        Event::Restarted { thread: "signalling", story } => Some(story.clone()),
        _ => None,
    });
    assert!(story.contains("signalling.rs"), "{story}");
    until(&ann, account);
    assert!(UdpSocket::bind(ann.bound()[0]).is_err(), "the port is its own again");
}

#[test]
fn a_port_in_use_is_named_and_a_file_that_cannot_be_played_says_what_could() {
    let taken = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let addr: SocketAddr = taken.local_addr().unwrap();
    let error = Handle::start(Config { bind: vec![addr], ..Config::default() }).unwrap_err();
    assert!(error.to_string().contains(&format!("port {}", addr.port())), "{error}");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("speech.wav");
    std::fs::write(&path, "not music").unwrap();
    let error = Handle::start(Config { play: Some(path), ..loopback() }).unwrap_err();
    assert!(matches!(error, StartError::Play { .. }));
    assert!(error.to_string().contains("accepted are WAV files"), "{error}");
}

#[test]
fn shutdown_is_quick_and_a_command_after_it_is_harmless() {
    let ann = phone(loopback());
    let began = Instant::now();
    ann.shutdown();
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    until(&ann, |event| matches!(event, Event::Phone(phone::Event::Stopped)).then_some(()));
    ann.command(Command::DoNotDisturb(true));
}
