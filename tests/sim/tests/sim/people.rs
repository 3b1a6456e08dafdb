//! Five hundred calls by people who press everything, on links that lose, double and reorder.

use std::collections::BTreeMap;
use std::time::Duration;

use base::Redacted;
use offhook_sim::{Link, NodeId, World};
use phone::{CallId, CallState, Command, Event, MessageId, With};

use crate::{nothing_is_left, seeds, stories_agree, town};

const NAMES: [&str; 5] = ["ann", "bob", "cem", "dia", "eva"];

#[test]
fn five_hundred_random_calls_leave_nothing_behind_and_both_ends_tell_the_same() {
    for seed in seeds(1) {
        let (mut w, exchange, phones) = town(seed, "people", &NAMES, |mut w| {
            w.set_links(Link { loss: 0.03, ..Link::wild() });
            w.without_ladder()
        });
        let mut pressed = Pressed::default();
        while pressed.calls < 500 {
            press_something(&mut w, &phones, &mut pressed);
            let pause = Duration::from_millis(20 + w.below(1500));
            w.run_for(pause);
        }
        for phone in &phones {
            let live: Vec<CallId> = live(&w, *phone).map(|(call, _)| call).collect();
            for call in live {
                w.command(*phone, Command::HangUp(call));
            }
        }
        nothing_is_left(&mut w, exchange, &phones);
        let (arrived, answered) = stories_agree(&w);
        assert!(arrived > 350 && answered > 150, "{arrived}, {answered}: the test has lost its point");
        each_text_arrived_once(&w, &phones, pressed.texts);
    }
}

/// What was pressed so far.
#[derive(Default)]
struct Pressed {
    calls: u32,
    texts: u32,
}

/// A text that is told to have arrived has, once; and what becomes of each is told once.
fn each_text_arrived_once(w: &World, phones: &[NodeId], texts: u32) {
    let mut arrived: BTreeMap<&str, u32> = BTreeMap::new();
    let mut told: BTreeMap<String, u16> = BTreeMap::new();
    for (_, event) in phones.iter().flat_map(|p| w.at(*p).events()) {
        match event {
            Event::Message { text, .. } => *arrived.entry(text.reveal()).or_default() += 1,
            Event::MessageSent { message, status, .. } => {
                assert_eq!(told.insert(message.0.to_string(), *status), None, "told twice");
            }
            _ => {}
        }
    }
    assert!(texts > 10 && told.len() == texts as usize, "{texts} texts, {} fates", told.len());
    for (text, status) in told {
        assert_eq!((arrived.get(text.as_str()), status), (Some(&1), 200), "text {text}");
    }
}

fn live(w: &World, phone: NodeId) -> impl Iterator<Item = (CallId, CallState)> + '_ {
    w.at(phone).calls().filter(|c| c.state != CallState::Ended).map(|c| (c.call, c.state))
}

/// Somebody does something.
fn press_something(w: &mut World, phones: &[NodeId], pressed: &mut Pressed) {
    let phone = phones[w.below(5) as usize];
    let whom = NAMES[w.below(5) as usize];
    let live: Vec<(CallId, CallState)> = live(w, phone).collect();
    let Some((call, state)) = live.get(w.below(live.len() as u64) as usize).copied() else {
        w.command(phone, Command::DoNotDisturb(false));
        w.call(phone, whom);
        pressed.calls += 1;
        return;
    };
    let other = live.iter().map(|(c, _)| *c).find(|c| *c != call);
    let to = Redacted::new(whom.to_owned());
    let up = matches!(state, CallState::Active | CallState::Held | CallState::RemoteHeld);
    let command = match (state, w.below(16)) {
        (_, 0) => {
            w.call(phone, whom);
            pressed.calls += 1;
            return;
        }
        (_, 1 | 2) => Command::HangUp(call),
        (_, 3) => {
            pressed.texts += 1;
            let text = Redacted::new(pressed.texts.to_string());
            Command::Message { message: MessageId(pressed.texts), account: None, to, text, written: None }
        }
        (_, 4) => Command::DoNotDisturb(w.below(2) == 0),
        (CallState::Ringing, 5) => Command::Reject(call, 486),
        (CallState::Ringing, 6) => Command::Progress(call),
        (CallState::Ringing | CallState::Early, _) => Command::Answer(call),
        (CallState::Active, 5) => Command::Transfer { call, to },
        (_, 6) if up && other.is_some() => Command::TransferTo { call, other: other.unwrap_or(call) },
        (CallState::Active, 7 | 8) => Command::Hold(call),
        (CallState::Held, 7..=9) => Command::Resume(call),
        (_, 10) => Command::Mute(call, w.below(2) == 0),
        (_, 11) => Command::Swap,
        (_, 12) if up => Command::Refresh { call, with: With::Update },
        (_, 13) if up => Command::Refresh { call, with: With::Reinvite },
        (_, 14) => Command::Merge,
        (_, 15) if up => Command::Split(call),
        (_, _) => return,
    };
    w.command(phone, command);
}
