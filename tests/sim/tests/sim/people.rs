//! Five hundred calls by people who press everything, on links that lose, double and reorder.

use std::time::Duration;

use base::Redacted;
use offhook_sim::{Link, NodeId, World};
use phone::{CallId, CallState, Command};

use crate::{nothing_is_left, seeds, town};

const NAMES: [&str; 4] = ["ann", "bob", "cem", "dia"];

#[test]
fn five_hundred_random_calls_leave_nothing_behind() {
    for seed in seeds(1) {
        let (w, _, phones) = town(seed, "people", &NAMES, |w| w.set_links(Link::wild()));
        let mut w = w.without_ladder();
        let mut calls = 0;
        while calls < 500 {
            calls += press_something(&mut w, &phones);
            let pause = Duration::from_millis(20 + w.below(1500));
            w.run_for(pause);
        }
        for phone in &phones {
            let live: Vec<CallId> = live(&w, *phone).map(|(call, _)| call).collect();
            for call in live {
                w.command(*phone, Command::HangUp(call));
            }
        }
        nothing_is_left(&mut w);
        assert!(phones.iter().all(|p| w.at(*p).is_registered()));
        let answered = phones.iter().flat_map(|p| w.at(*p).calls()).filter(|c| c.answered.is_some()).count();
        assert!(answered > 200, "only {answered} calls were answered: the test has lost its point");
    }
}

fn live(w: &World, phone: NodeId) -> impl Iterator<Item = (CallId, CallState)> + '_ {
    w.at(phone).calls().filter(|c| c.state != CallState::Ended).map(|c| (c.call, c.state))
}

/// Somebody does something; says how many calls that began.
fn press_something(w: &mut World, phones: &[NodeId]) -> u32 {
    let phone = phones[w.below(4) as usize];
    let whom = NAMES[w.below(4) as usize];
    let live: Vec<(CallId, CallState)> = live(w, phone).collect();
    let Some((call, state)) = live.get(w.below(live.len() as u64) as usize).copied() else {
        w.call(phone, whom);
        return 1;
    };
    let other = live.iter().map(|(c, _)| *c).find(|c| *c != call);
    let command = match (state, w.below(10)) {
        (_, 0) => {
            w.call(phone, whom);
            return 1;
        }
        (_, 1 | 2) => Command::HangUp(call),
        (CallState::Ringing, 3) => Command::Reject(call, 486),
        (CallState::Ringing, 4) => Command::Progress(call),
        (CallState::Ringing, _) => Command::Answer(call),
        (CallState::Active, 3) => Command::Transfer { call, to: Redacted::new(whom.to_owned()) },
        (CallState::Active | CallState::Held, 4) if other.is_some() => match other {
            Some(other) => Command::TransferTo { call, other },
            None => Command::Swap,
        },
        (CallState::Active, 5 | 6) => Command::Hold(call),
        (CallState::Held, _) => Command::Resume(call),
        (_, 7) => Command::Mute(call, true),
        (_, 8) => Command::Swap,
        (_, _) => return 0,
    };
    w.command(phone, command);
    0
}
