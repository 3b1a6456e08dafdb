//! The phone survives the world: bad links, long days, and people who press everything.
//!
//! Virtual time, one seed each; a failure prints it. `OFFHOOK_LONG=1` runs ten times as many seeds.

mod bad_links;
mod components;
mod conference;
mod day;
mod digits;
mod dtls;
mod encryption;
mod families;
mod gateways;
mod handover;
mod insisting;
mod kinds;
mod ladder;
mod nat;
mod networks;
mod people;
mod presence;
mod ringing;
mod silence;
mod streams;
mod texts;
mod vos;
mod ways;

use std::time::Duration;

use offhook_sim::{NodeId, World, account, users};
use phone::{Account, CallState, CallView, Why};

/// How many seeds: few by day, many when asked for.
fn seeds(few: u64) -> std::ops::RangeInclusive<u64> {
    1..=if std::env::var_os("OFFHOOK_LONG").is_some() { few * 10 } else { few }
}

/// An exchange that asks everybody who they are, and phones of these names, registered by UDP.
fn town(
    seed: u64,
    title: &str,
    names: &[&str],
    set: impl FnOnce(World) -> World,
) -> (World, NodeId, Vec<NodeId>) {
    settle(seed, title, names, "udp", users(names), set)
}

/// The same with a choice of transport and of the exchange's set-up.
fn settle(
    seed: u64,
    title: &str,
    names: &[&str],
    transport: &str,
    config: exchange::Config,
    set: impl FnOnce(World) -> World,
) -> (World, NodeId, Vec<NodeId>) {
    let mut w = set(World::seeded(title, &format!("seed {seed}"), seed));
    let exchange = w.exchange("exchange", config);
    let proxy = format!("sip:{};transport={transport};lr", host(&w, exchange));
    let settings = |name: &str, w: &World| Account {
        proxy: Some(proxy.parse().expect("a URI")),
        ..account(name, w.ip(exchange))
    };
    let phones: Vec<NodeId> = names
        .iter()
        .map(|name| {
            let settings = settings(name, &w);
            w.phone(name, Some(settings))
        })
        .collect();
    w.run_until_registered(&phones);
    (w, exchange, phones)
}

/// A node's address as a URI has it.
fn host(w: &World, node: NodeId) -> String {
    let ip = w.ip(node);
    if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() }
}

/// One calls another, who answers; then both talk.
fn connect(w: &mut World, caller: NodeId, callee: NodeId, whom: &str) {
    w.call(caller, whom);
    w.run_until_state(callee, CallState::Ringing);
    w.run_for(Duration::from_secs(1));
    w.answer(callee);
    w.run_until_state(caller, CallState::Active);
    w.run_until_state(callee, CallState::Active);
    w.run_for(Duration::from_secs(2));
}

/// After a while nothing of any call is left anywhere. Phones go on registering: a moment between two is waited for. And
/// when they have left too, nothing but bindings is left at the exchange.
fn nothing_is_left(w: &mut World, exchange: NodeId, phones: &[NodeId]) {
    w.run_for(Duration::from_secs(150));
    w.run_until("nothing left", |w| w.leftovers().is_empty());
    assert!(phones.iter().all(|p| w.at(*p).is_registered()));
    for phone in phones {
        w.offline(*phone);
    }
    w.run_for(Duration::from_secs(150));
    assert!(w.exchange_at(exchange).is_quiet(), "the exchange keeps something");
    assert!(phones.iter().all(|p| w.at(*p).phone().is_quiet()), "a phone without a network keeps something");
}

/// Whether a person ended the call that this is a view of.
fn is_wanted(end: &CallView) -> bool {
    matches!(end.explanation, Some(Why::YouEnded | Why::Transferred))
}

/// Both ends of every call ended, and tell the same of it; says how many there were, and how many were answered.
fn stories_agree(w: &World) -> (usize, usize) {
    /// BYE may have to be repeated.
    const APART: Duration = Duration::from_secs(33);
    let calls = w.both_ends();
    for (caller, callees) in &calls {
        let answered: Vec<&&CallView> = callees.iter().filter(|c| c.answered.is_some()).collect();
        let gave_up = caller.explanation.as_ref() == Some(&Why::YouGaveUp);
        let agree = match (caller.answered, answered.as_slice()) {
            (Some(_), [callee]) => {
                let (Some(a), Some(b)) = (caller.ended, callee.ended) else {
                    panic!("one end goes on: {caller:#?} {callee:#?}")
                };
                let apart = if a > b { a.since(b) } else { b.since(a) };
                apart < APART && (is_wanted(caller) || is_wanted(callee))
            }
            // The answer crossed the CANCEL: a BYE followed.
            (None, [callee]) => gave_up && callee.ended.is_some(),
            (None, []) => gave_up || callees.iter().any(|c| c.status == caller.status),
            (Some(_), []) | (_, [_, _, ..]) => false,
        };
        let all_over = callees.iter().chain([caller]).all(|c| c.state == CallState::Ended);
        assert!(agree && all_over, "two stories: {caller:#?} {callees:#?}");
    }
    (calls.len(), calls.iter().filter(|(caller, _)| caller.answered.is_some()).count())
}
