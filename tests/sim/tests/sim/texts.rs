//! Text messages are written in tunnels, to people in tunnels: each arrives once, in order.

use std::time::Duration;

use base::Redacted;
use offhook_sim::{Link, NodeId, World};
use phone::{Command, Event, MessageId};

use crate::{nothing_is_left, seeds, town};

fn write(w: &mut World, from: NodeId, to: &str, number: u32) {
    let (to, text) = (Redacted::new(to.to_owned()), Redacted::new(number.to_string()));
    w.command(from, Command::Message { message: MessageId(number), account: None, to, text, written: None });
}

fn came(w: &World, phone: NodeId) -> Vec<u32> {
    let events = w.at(phone).events().iter();
    let text = |(_, event): &(_, Event)| match event {
        Event::Message { text, .. } => text.reveal().parse().ok(),
        _ => None,
    };
    events.filter_map(text).collect()
}

fn delivered(w: &World, phone: NodeId) -> Vec<u32> {
    let events = w.at(phone).events().iter();
    let sent = |(_, event): &(_, Event)| match event {
        Event::MessageSent { message, status: 200 | 202, .. } => Some(message.0),
        _ => None,
    };
    events.filter_map(sent).collect()
}

#[test]
fn messages_written_without_a_network_arrive_once_and_in_order_when_it_is_back() {
    for seed in seeds(5) {
        let (mut w, exchange, phones) = town(seed, "texts", &["ann", "bob"], |mut w| {
            w.set_links(Link { loss: 0.2, ..Link::wild() });
            w.without_ladder()
        });
        let [ann, bob] = phones[..] else { panic!("two") };
        let home = w.ip(ann);
        w.offline(ann);
        write(&mut w, ann, "bob", 1);
        w.run_for(Duration::from_secs(20));
        write(&mut w, ann, "bob", 2);
        w.run_for(Duration::from_secs(600));
        assert!(came(&w, bob).is_empty());
        w.online(ann, home);
        w.run_until("both are delivered", |w| delivered(w, ann) == [1, 2]);
        assert_eq!(came(&w, bob), [1, 2], "seed {seed}");
        nothing_is_left(&mut w, exchange, &phones);
        assert_eq!(came(&w, bob), [1, 2], "seed {seed}");
    }
}

#[test]
fn messages_whose_answers_are_lost_are_repeated_and_shown_once() {
    for seed in seeds(5) {
        let (mut w, exchange, phones) = town(seed, "texts unheard", &["ann", "bob"], World::without_ladder);
        let [ann, bob] = phones[..] else { panic!("two") };
        // What ann hears nothing good of has arrived all the same, and everybody's transactions are over when she asks again.
        w.cut(bob, exchange, true);
        write(&mut w, ann, "bob", 1);
        write(&mut w, ann, "bob", 2);
        w.run_for(Duration::from_secs(100));
        assert_eq!((came(&w, bob), delivered(&w, ann).len()), (vec![1], 0), "seed {seed}");
        w.cut(bob, exchange, false);
        w.run_until("both are delivered", |w| delivered(w, ann) == [1, 2]);
        assert_eq!(came(&w, bob), [1, 2], "seed {seed}");
        nothing_is_left(&mut w, exchange, &phones);
    }
}
