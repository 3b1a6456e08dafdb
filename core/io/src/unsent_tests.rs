//! Messages that a phone has left unsent, through whole phones: threads, sockets and the database.

use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use base::{Redacted, Secret};
use exchange::server::{Listen, Server, ServerConfig};
use offhook_store::{Delivery, Store};
use phone::{Account, AccountId, AccountState, Command, MessageId};

use crate::{Config, Event, Handle};

const ACCOUNT: AccountId = AccountId(1);
const PATIENCE: Duration = Duration::from_secs(10);

fn start(number: &str, proxy: &str, store: Option<&Path>) -> Handle {
    let bind = vec![(Ipv4Addr::LOCALHOST, 0).into()];
    let phone =
        Handle::start(Config { bind, store: store.map(Path::to_owned), ..Config::default() }).unwrap();
    let secret = Secret::new(format!("secret-{number}"));
    let mut account = Account::new(format!("sip:{number}@offhook.test").parse().unwrap(), secret);
    account.proxy = Some(format!("sip:{proxy};lr").parse().unwrap());
    phone.command(Command::AddAccount(ACCOUNT, account));
    phone
}

fn until<T>(phone: &Handle, wanted: impl Fn(&phone::Event) -> Option<T>) -> T {
    let give_up = Instant::now() + PATIENCE;
    while Instant::now() < give_up {
        if let Some(Event::Phone(event)) = phone.wait_event(Duration::from_millis(100))
            && let Some(found) = wanted(&event)
        {
            return found;
        }
    }
    panic!("it never came");
}

fn registered(event: &phone::Event) -> Option<()> {
    matches!(event, phone::Event::Account(view) if view.state == AccountState::Registered).then_some(())
}

fn text(event: &phone::Event) -> Option<String> {
    if let phone::Event::Message { text, .. } = event { Some(text.reveal().clone()) } else { None }
}

fn kept(path: &Path) -> Vec<(String, Delivery, Option<u16>)> {
    let kept = Store::reader(path).unwrap().messages(Some("1002"), None, 9).unwrap();
    kept.into_iter().rev().map(|it| (it.text, it.delivery, it.status)).collect()
}

#[test]
fn messages_that_a_phone_has_left_unsent_are_sent_by_the_next_one_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.db");
    // Nobody answers there.
    let dead = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let ann = start("1001", &dead.local_addr().unwrap().to_string(), Some(&path));
    for (number, said) in [(1, "one"), (2, "two")] {
        let (to, text) = (Redacted::new("1002".to_owned()), Redacted::new(said.to_owned()));
        ann.command(Command::Message { message: MessageId(number), account: None, to, text, written: None });
    }
    until(&ann, |event| {
        matches!(event, phone::Event::MessageWaits { message: MessageId(2), .. }).then_some(())
    });
    ann.panic(); // and again by a new phone in the same process
    until(&ann, |event| {
        matches!(event, phone::Event::MessageWaits { message: MessageId(2), .. }).then_some(())
    });
    drop(ann); // killed: it says no goodbye
    let queued = |it: &str| (it.to_owned(), Delivery::Queued, None);
    assert_eq!(kept(&path), [queued("one"), queued("two")]);

    let any = (Ipv4Addr::LOCALHOST, 0).into();
    let exchange =
        Server::start(ServerConfig { listen: Listen::at(any), ..ServerConfig::default() }).unwrap();
    let proxy = exchange.addresses().udp.unwrap().to_string();
    let bob = start("1002", &proxy, None);
    until(&bob, registered);
    let ann = start("1001", &proxy, Some(&path));
    assert_eq!([until(&bob, text), until(&bob, text)], ["one", "two"]);
    let end = |event: &phone::Event| match event {
        phone::Event::MessageSent { message, status, .. } => Some((message.0, *status)),
        _ => None,
    };
    assert_eq!([until(&ann, end), until(&ann, end)], [(u32::MAX, 200), (u32::MAX - 1, 200)]);
    drop(ann);
    let sent = |it: &str| (it.to_owned(), Delivery::Sent, Some(200));
    assert_eq!(kept(&path), [sent("one"), sent("two")]);

    let ann = start("1001", &proxy, Some(&path));
    until(&ann, registered);
    while let Some(event) = bob.wait_event(Duration::from_millis(300)) {
        assert!(!matches!(event, Event::Phone(phone::Event::Message { .. })), "twice");
    }
}
