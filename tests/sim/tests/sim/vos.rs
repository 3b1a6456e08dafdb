//! Accounts under VOS encryption: registered and called through an exchange of their kind, over links that lose; and nothing that
//! reads as SIP on the way, but for those who never asked for it.

use std::time::Duration;

use base::{Redacted, Secret};
use offhook_sim::{Link, NodeId, World, account, users};
use phone::{Account, AccountState, CallState, Command, Encryption, Vos, VosMedia, Why};

use crate::{connect, nothing_is_left, seeds};

const SECOND: Duration = Duration::from_secs(1);

/// Keys as accounts of these names have them.
fn config(names: &[&str]) -> exchange::Config {
    let config = users(names);
    exchange::Config { vos_keys: config.users.clone(), ..config }
}

/// An account whose messages are sealed, at the port that is usual.
fn sealed(w: &World, exchange: NodeId, name: &str) -> Account {
    Account { encryption: Encryption::Vos(Vos::default()), ..account(name, w.ip(exchange)) }
}

/// Whether anybody reads that on the way.
fn reads(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Whatever one of these said is sealed; and of what it said, some again as it was.
fn all_sealed(w: &World, whose: &[NodeId], port: u16) -> usize {
    let theirs = |at: &std::net::SocketAddr| whose.iter().any(|node| w.ip(*node) == at.ip());
    let mut said = std::collections::BTreeMap::<&[u8], usize>::new();
    for (node, to, bytes) in w.tapped() {
        if whose.contains(node) || theirs(to) {
            assert!(bytes.starts_with(b"KS\0\0\0\x01"), "{bytes:?} to {to}");
            assert!(!reads(bytes, "SIP/2.0") && !reads(bytes, "INVITE"));
            assert!(!whose.contains(node) || to.port() == port, "to {to}");
            *said.entry(bytes).or_default() += 1;
        }
    }
    said.values().filter(|times| **times > 1).count()
}

#[test]
fn sealed_phones_register_and_call_over_links_that_lose_and_nobody_reads_a_word() {
    let mut again = 0;
    for seed in seeds(8) {
        let mut w = World::seeded("sealed_phones", &format!("seed {seed}"), seed);
        w.set_links(Link { loss: 0.25, ..Link::default() });
        w.tap();
        let exchange = w.exchange("exchange", config(&["ann", "bob"]));
        w.listen_vos(exchange, 5070);
        let phones = ["ann", "bob"].map(|name| {
            let settings = sealed(&w, exchange, name);
            w.phone(name, Some(settings))
        });
        w.run_until_registered(&phones);
        connect(&mut w, phones[0], phones[1], "bob");
        w.hang_up(phones[0]);
        w.run_until_quiet();
        again += all_sealed(&w, &phones, 5070);
        nothing_is_left(&mut w, exchange, &phones);
    }
    assert!(again > 10, "repetitions are the same bytes: {again}");
}

#[test]
fn a_sealed_phone_and_a_plain_one_call_each_other_and_only_the_plain_one_is_read() {
    for (caller, whom) in [(0, "bob"), (1, "ann")] {
        let mut w = World::new("sealed_and_plain", "");
        w.tap();
        let exchange = w.exchange("exchange", config(&["ann", "bob"]));
        w.listen_vos(exchange, 6543);
        let mut settings = sealed(&w, exchange, "ann");
        settings.proxy = Some(format!("sip:{}:6543;lr", w.ip(exchange)).parse().unwrap());
        let ann = w.phone("ann", Some(settings));
        let plain = account("bob", w.ip(exchange));
        let bob = w.phone("bob", Some(plain));
        w.run_until_registered(&[ann, bob]);
        let (caller, callee) = if caller == 0 { (ann, bob) } else { (bob, ann) };
        connect(&mut w, caller, callee, whom);
        // In-dialog requests find their way, too.
        let call = w.live(caller);
        w.command(caller, Command::Hold(call));
        w.run_until_state(callee, CallState::RemoteHeld);
        w.command(caller, Command::Resume(call));
        w.run_until_state(callee, CallState::Active);
        w.hang_up(callee);
        w.run_until_quiet();
        all_sealed(&w, &[ann], 6543);
        assert!(w.tapped().iter().any(|(node, _, bytes)| *node == bob && reads(bytes, "SIP/2.0")));
        nothing_is_left(&mut w, exchange, &[ann, bob]);
    }
}

#[test]
fn an_invite_of_any_size_goes_by_sealed_datagrams_alone() {
    let mut w = World::new("sealed_and_large", "");
    w.tap();
    let exchange = w.exchange("exchange", config(&["ann", "bob"]));
    w.listen_vos(exchange, 5070);
    let long = "a name that is longer than any screen is wide, and wants to be seen by everybody ".repeat(30);
    let phones = ["ann", "bob"].map(|name| {
        let display_name = Some(Redacted::new(long.clone()));
        let settings = Account { display_name, ..sealed(&w, exchange, name) };
        w.phone(name, Some(settings))
    });
    w.run_until_registered(&phones);
    connect(&mut w, phones[0], phones[1], "bob");
    w.hang_up(phones[0]);
    w.run_until_quiet();
    all_sealed(&w, &phones, 5070);
    assert!(w.tapped().iter().any(|(node, _, bytes)| *node == phones[0] && bytes.len() > 2400));
}

#[test]
fn a_wrong_key_is_told_as_such_and_nothing_is_said_in_clear_for_it() {
    let mut w = World::new("wrong_key", "");
    w.tap();
    let exchange = w.exchange("exchange", config(&["ann"]));
    w.listen_vos(exchange, 5070);
    let key = Some(Secret::new("another".to_owned()));
    let vos = Vos { key, media: VosMedia::Plain, id: None };
    let settings = Account { encryption: Encryption::Vos(vos), ..account("ann", w.ip(exchange)) };
    let ann = w.phone("ann", Some(settings));
    w.run_for(33 * SECOND);
    let view = w.at(ann).account().expect("it was shown").clone();
    assert_eq!((view.state, view.reason), (AccountState::Failed, Some(Why::SealedSilence)));
    all_sealed(&w, &[ann], 5070);
    assert!(w.exchange_at(exchange).vos_counters().noise > 3);
}

#[test]
fn an_account_that_is_sealed_later_says_nothing_more_in_clear() {
    let mut w = World::new("sealed_later", "");
    let exchange = w.exchange("exchange", config(&["ann", "bob"]));
    w.listen_vos(exchange, 5070);
    let plain = account("ann", w.ip(exchange));
    let ann = w.phone("ann", Some(plain));
    w.run_until_registered(&[ann]);
    w.tap();
    let settings = sealed(&w, exchange, "ann");
    w.command(ann, Command::AddAccount(offhook_sim::ACCOUNT, settings));
    w.run_for(300 * SECOND);
    assert!(w.at(ann).is_registered());
    all_sealed(&w, &[ann], 5070);
    assert!(w.tapped().len() > 8);
}
