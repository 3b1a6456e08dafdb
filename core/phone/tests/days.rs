//! Random days: three phones, whatever their users do, over a wire that loses datagrams. Seeds are printed.

#![allow(clippy::unwrap_used)] // helpers beside the tests

mod town;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use base::{Redacted, Rng};
use media::Direction;
use offhook_phone::{CallId, CallState, Command, Event, With};
use town::{Town, at_home};

const NAMES: [&str; 3] = ["ann", "bob", "cem"];

fn anything(rng: &mut Rng, calls: &[CallId], me: usize) -> Command {
    let call = calls.get(rng.below(calls.len() as u64) as usize).copied().unwrap_or(CallId(1));
    let other = calls.get(rng.below(calls.len() as u64) as usize).copied().unwrap_or(CallId(2));
    let whom = (me + 1 + rng.below(2) as usize) % 3;
    let to = || Redacted::new(format!("sip:{}@10.0.0.{}", NAMES[whom], whom + 1));
    match rng.below(16) {
        0..4 => Command::Answer(call),
        4 => Command::Progress(call),
        5 => Command::Reject(call, 486),
        6 | 7 => Command::HangUp(call),
        8 => Command::Hold(call),
        9 => Command::Resume(call),
        10 => Command::Mute(call, rng.below(2) == 0),
        11 => Command::Swap,
        12 => Command::Transfer { call, to: to() },
        13 => Command::TransferTo { call, other },
        14 => Command::Refresh { call, with: if rng.below(2) == 0 { With::Update } else { With::Reinvite } },
        _ => Command::ForwardTo((rng.below(4) == 0).then(to)),
    }
}

/// Every view of each call, in order.
fn calls(town: &mut Town, phone: SocketAddr) -> BTreeMap<CallId, Vec<(u32, CallState)>> {
    let mut calls: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for event in &town.handset(phone).events {
        if let Event::Call(view) = event {
            calls.entry(view.call).or_default().push((view.revision, view.state));
        }
    }
    calls
}

/// Streams that point at each other: one sends where the other listens. Gives how many there are.
fn agree(town: &mut Town, phones: &[SocketAddr], seed: u64) -> usize {
    let mut ways = BTreeMap::new();
    for phone in phones {
        for (media, stream) in &town.handset(*phone).streams {
            if let (Some(plan), false) = (&stream.plan, stream.closed) {
                let local = SocketAddr::new(phone.ip(), town::port(*media));
                ways.extend(plan.remote.map(|remote| ((local, remote), plan.direction)));
            }
        }
    }
    let mut met = 0;
    for ((local, remote), direction) in &ways {
        let Some(theirs) = ways.get(&(*remote, *local)) else { continue };
        met += 1;
        let mirrored = match theirs {
            Direction::SendOnly => Direction::RecvOnly,
            Direction::RecvOnly => Direction::SendOnly,
            Direction::SendRecv | Direction::Inactive => *theirs,
        };
        assert_eq!(*direction, mirrored, "seed {seed}: {local} and {remote}\n{}", town.story());
    }
    met
}

/// Gives how many streams were met at its end.
fn day(seed: u64, loss: f64) -> usize {
    let mut rng = Rng::from_number(seed);
    let mut town = Town::new();
    town.loss = loss;
    let phones: Vec<_> = (0..3).map(|i| town.phone(i as u8 + 1, at_home(NAMES[i], i as u8 + 1))).collect();
    for _ in 0..120 {
        let me = rng.below(3) as usize;
        let living: Vec<_> = (calls(&mut town, phones[me]).into_iter())
            .filter(|(_, views)| views.last().is_some_and(|(_, state)| *state != CallState::Ended))
            .map(|(call, _)| call)
            .collect();
        if living.is_empty() || rng.below(8) == 0 {
            let whom = (me + 1 + rng.below(2) as usize) % 3;
            town.call(phones[me], &format!("sip:{}@10.0.0.{}", NAMES[whom], whom + 1));
        } else {
            let command = anything(&mut rng, &living, me);
            town.command(phones[me], command);
        }
        town.run(Duration::from_millis([0, 5, 40, 300, 2000][rng.below(5) as usize]));
    }
    town.run(Duration::from_secs(60));
    let met = if loss == 0.0 { agree(&mut town, &phones, seed) } else { 0 };
    for phone in &phones {
        for call in calls(&mut town, *phone).into_keys() {
            town.command(*phone, Command::HangUp(call));
        }
    }
    town.run(Duration::from_secs(200));
    for phone in phones {
        for (call, views) in calls(&mut town, phone) {
            let story =
                || format!("seed {seed}, loss {loss}, {call:?} at {phone}: {views:?}\n{}", town.story());
            let ends = views.iter().filter(|(_, state)| *state == CallState::Ended).count();
            assert_eq!((ends, views.last().unwrap().1), (1, CallState::Ended), "{}", story());
            assert!(views.iter().zip(1..).all(|((revision, _), wanted)| *revision == wanted), "{}", story());
        }
        let open = town.handset(phone).streams.values().filter(|stream| !stream.closed).count();
        assert_eq!(open, 0, "seed {seed}: sockets left");
    }
    met
}

#[test]
fn whatever_the_users_do_every_call_ends_once_and_every_socket_is_given_back() {
    let met: usize = (0..40).map(|seed| day(seed, 0.0)).sum();
    assert!(met > 20, "too few calls are up at the end to tell: {met}");
}

#[test]
fn a_wire_that_loses_a_fifth_changes_nothing_about_that() {
    for seed in 100..140 {
        day(seed, 0.2);
    }
}
