//! A thousand digits over bad links, by each way that they can go.

use std::time::Duration;

use base::Redacted;
use media::Codec;
use offhook_sim::{Link, NodeId, World, account};
use phone::{Account, Command, DigitsBy, Event, Via};

use crate::{connect, seeds};

const SECOND: Duration = Duration::from_secs(1);

/// Ann and Bob in a call without an exchange, their digits going by one way.
fn call(seed: u64, link: Link, by: DigitsBy) -> (World, NodeId, NodeId) {
    let mut w = World::seeded("digits", &format!("seed {seed}"), seed).with_sound();
    let [ann, bob] = ["ann", "bob"].map(|user| {
        let ip = w.next_ip();
        let codecs = vec![Codec::Pcmu];
        let alone = Account { proxy: None, register: false, digits: by, codecs, ..account(user, ip) };
        w.phone(user, Some(alone))
    });
    let whom = format!("sip:bob@{}", w.ip(bob));
    connect(&mut w, ann, bob, &whom);
    // Only now, so that the call comes about; the digits are what is tried here.
    w.set_links(link);
    (w, ann, bob)
}

/// What Bob heard, and by which ways.
fn heard(w: &World, bob: NodeId) -> (String, Vec<Via>) {
    let told = w.at(bob).events().iter().filter_map(|(_, event)| match event {
        Event::Dtmf { digit, via, .. } => Some((digit.as_char(), *via)),
        _ => None,
    });
    told.unzip()
}

/// Presses so many, some at a time, as people and scripts do; what was pressed.
fn press(w: &mut World, ann: NodeId, bob: NodeId, count: usize) -> String {
    let call = w.live(ann);
    let mut typed = String::new();
    while typed.len() < count {
        let digits: String = (0..50).map(|_| char::from(b"0123456789*#ABCD"[w.below(16) as usize])).collect();
        w.command(ann, Command::Dtmf { call, digits: Redacted::new(digits.clone()) });
        typed += &digits;
        // A minute is enough for fifty; who has not heard them by then never will.
        for _ in 0..60 {
            w.run_for(SECOND);
            if heard(w, bob).0.len() >= typed.len() {
                break;
            }
        }
    }
    w.run_for(2 * SECOND);
    typed
}

#[test]
fn a_thousand_digits_over_a_link_that_loses_a_tenth_come_once_and_in_order() {
    for (by, way) in [(DigitsBy::Events, Via::Events), (DigitsBy::Info, Via::Info)] {
        for link in [Link::lossy(0.1), Link::wild()] {
            for seed in seeds(1) {
                let (mut w, ann, bob) = call(seed, link, by);
                let typed = press(&mut w, ann, bob, 1000);
                let (digits, ways) = heard(&w, bob);
                assert!(digits == typed, "{by:?}, seed {seed}, {link:?}: {digits} for {typed}");
                assert!(ways.iter().all(|found| *found == way), "{by:?}");
            }
        }
    }
}

#[test]
fn tones_come_once_and_in_order_while_what_is_lost_can_be_filled() {
    // Where a tenth is lost six in a thousand are missed: a tone cannot be said again.
    for loss in [0.0, 0.03] {
        let (mut w, ann, bob) = call(1, Link::lossy(loss), DigitsBy::Tones);
        let typed = press(&mut w, ann, bob, 1000);
        let (digits, ways) = heard(&w, bob);
        assert!(digits == typed && ways.iter().all(|way| *way == Via::Tones), "{loss}: {digits} for {typed}");
    }
}
