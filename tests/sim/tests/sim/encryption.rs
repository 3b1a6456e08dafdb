//! Phones that insist on encryption: whatever happens to their calls, no packet of media leaves them in clear.
//!
//! Every packet of such a phone is opened by the world with the keys that were agreed, as it leaves; one that does not
//! open ends the test. Keys stand in clear signalling here, which nobody simulates TLS for.

use std::time::Duration;

use base::NetworkId;
use offhook_sim::{Link, NodeId, World, account, users};
use phone::{Account, CallState, Command, Encrypted, KeysBy, MediaEncryption, Why};

use super::handover;

const SECOND: Duration = Duration::from_secs(1);

fn insist(account: &mut Account) {
    (account.media_encryption, account.sdes_in_clear) = (MediaEncryption::Required, true);
    account.media_encryption_by = KeysBy::Sdes;
}

/// An exchange, and phones that insist: of these people, each with a phone of this name.
fn town(seed: u64, phones: &[(&str, &str)], link: Link) -> (World, Vec<NodeId>) {
    let mut w = World::seeded("encryption", &format!("seed {seed}"), seed).with_sound();
    w.wire().set_default(link);
    let people: Vec<&str> = phones.iter().map(|(_, user)| *user).collect();
    let exchange = w.exchange("exchange", users(&people));
    let nodes: Vec<NodeId> = phones
        .iter()
        .map(|(name, user)| {
            let mut settings = account(user, w.ip(exchange));
            insist(&mut settings);
            w.phone(name, Some(settings))
        })
        .collect();
    w.run_until_registered(&nodes);
    (w, nodes)
}

fn encrypted(w: &World, phone: NodeId) -> Option<Encrypted> {
    w.at(phone).live().map(|call| call.encrypted)
}

#[track_caller]
fn assert_talk(w: &World, ann: NodeId, bob: NodeId) {
    assert!(w.hears_tone(ann, bob) && w.hears_tone(bob, ann), "{}", w.ladder());
    assert_eq!([ann, bob].map(|phone| encrypted(w, phone)), [Some(Encrypted::Sdes); 2]);
}

#[test]
fn hold_resume_and_transfer_leave_nothing_in_clear() {
    let rough = Link { loss: 0.05, jitter: Duration::from_millis(20), ..Link::default() };
    for (seed, link) in [(1, Link::default()), (2, rough)] {
        let (mut w, phones) = town(seed, &[("ann", "ann"), ("bob", "bob"), ("cem", "cem")], link);
        let [ann, bob, cem] = phones[..] else { panic!("three phones") };
        w.call(ann, "bob");
        w.run_until_state(bob, CallState::Ringing);
        w.answer(bob);
        w.run_until_state(ann, CallState::Active);
        w.run_for(3 * SECOND);
        assert_talk(&w, ann, bob);
        for holder in [ann, bob] {
            let call = w.live(holder);
            w.command(holder, Command::Hold(call));
            w.run_until_state(holder, CallState::Held);
            w.run_for(2 * SECOND);
            w.command(holder, Command::Resume(call));
            w.run_until_state(holder, CallState::Active);
            w.run_for(3 * SECOND);
            assert_talk(&w, ann, bob);
        }
        let call = w.live(ann);
        w.command(ann, Command::Transfer { call, to: base::Redacted::new("cem".into()) });
        w.run_until_state(cem, CallState::Ringing);
        w.answer(cem);
        w.run_for(5 * SECOND);
        assert_talk(&w, bob, cem);
        assert!(w.secret_packets() > 1000, "{}", w.secret_packets());
        let call = w.live(cem);
        w.command(cem, Command::HangUp(call));
        w.run_for(SECOND);
        // Over, and still told how it was kept.
        let over = w.at(cem).call(call).unwrap();
        assert_eq!((over.state, over.encrypted), (CallState::Ended, Encrypted::Sdes));
    }
}

#[test]
fn forks_with_keys_of_their_own_leave_nothing_in_clear() {
    let (mut w, phones) = town(3, &[("ann", "ann"), ("desk", "bob"), ("pocket", "bob")], Link::default());
    let [ann, desk, pocket] = phones[..] else { panic!("three phones") };
    w.call(ann, "bob");
    for fork in [desk, pocket] {
        w.run_until_state(fork, CallState::Ringing);
        let call = w.live(fork);
        w.command(fork, Command::Progress(call));
        w.run_for(2 * SECOND);
        assert!(w.hears_tone(ann, fork), "{}", w.ladder());
    }
    w.answer(desk);
    w.run_for(3 * SECOND);
    assert_talk(&w, ann, desk);
    assert!(w.secret_packets() > 500);
}

#[test]
fn a_handover_leaves_nothing_in_clear_and_keeps_the_call() {
    for ice in [true, false] {
        let mut town = handover::town_of(4, ice, insist);
        town.call();
        let home = town.home;
        town.w.appear_in(town.ann, home, handover::wifi());
        town.w.run_for(8 * SECOND);
        town.w.vanish(town.ann, handover::MOBILE);
        town.w.run_for(3 * SECOND);
        assert_talk(&town.w, town.ann, town.bob);
        // And without a word: the network is gone, and another is there.
        town.w.vanish(town.ann, handover::WIFI);
        town.w.run_for(SECOND);
        town.w.appear_in(town.ann, home, handover::wifi());
        town.w.run_for(15 * SECOND);
        assert_talk(&town.w, town.ann, town.bob);
        assert!(town.w.secret_packets() > 1000 && NetworkId::SYSTEM != handover::WIFI);
    }
}

#[test]
fn a_call_in_clear_is_none_for_who_insists_whoever_calls() {
    for who_calls in [0, 1] {
        let mut w = World::seeded("encryption", "seed 5", 5).with_sound();
        let exchange = w.exchange("exchange", users(&["ann", "bob"]));
        let mut settings = ["ann", "bob"].map(|name| account(name, w.ip(exchange)));
        (settings[0].media_encryption, settings[1].media_encryption) =
            (MediaEncryption::Required, MediaEncryption::Off);
        settings[0].sdes_in_clear = true;
        let phones = settings.map(|settings| {
            let name = settings.uri.view().user.unwrap_or_default().to_owned();
            w.phone(&name, Some(settings))
        });
        w.run_until_registered(&phones);
        w.call(phones[who_calls], ["bob", "ann"][who_calls]);
        w.run_for(5 * SECOND);
        let why = w.at(phones[0]).calls().next().expect("a call").explanation;
        assert_eq!(why, Some([Why::EncryptionRefused, Why::NotEncrypted][who_calls]));
        assert!(w.at(phones[0]).live().is_none() && w.secret_packets() == 0);
    }
}
