//! The usual cast: ann, bob and cem at `offhook.test`, and the snapshot of what they said.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use exchange::Config;
use offhook_sim::{NodeId, World, account, insisted, users};
use phone::{Account, CallState};

/// The test that runs, which is also the name of its ladder.
fn title() -> String {
    let thread = std::thread::current();
    let name = thread.name().expect("libtest names its threads");
    name.rsplit("::").next().unwrap_or(name).to_owned()
}

/// An empty world, headed by the test's name.
pub(crate) fn world(source: &str) -> World {
    let world = World::new(&title(), source);
    if insisted().is_some() { world.with_sound() } else { world }
}

/// The ladder is as it was when somebody last read and accepted it.
pub(crate) fn keep(world: &World) {
    if insisted().is_some() {
        // The ladder is that of the call in clear; this is about its packets, each of which was looked at.
        return assert!(world.secret_packets() > 0, "{}", world.ladder());
    }
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path("../ladders");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(title(), world.ladder()));
}

/// The address of the n-th node, from 1.
pub(crate) fn ip(n: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, n))
}

/// An exchange that knows ann, bob and cem, and lets them call without asking who they are.
pub(crate) fn trusting() -> Config {
    Config { challenge: false, ..users(&["ann", "bob", "cem"]) }
}

/// ann, the proxy and bob, registered.
pub(crate) fn pair(source: &str) -> (World, [NodeId; 3]) {
    pair_with(source, trusting(), |_| {}, |_| {})
}

/// The same with another exchange, and other settings for ann and for bob.
pub(crate) fn pair_with(
    source: &str,
    config: Config,
    set_ann: impl FnOnce(&mut Account),
    set_bob: impl FnOnce(&mut Account),
) -> (World, [NodeId; 3]) {
    let mut w = world(source);
    let (mut of_ann, mut of_bob) = (account("ann", ip(2)), account("bob", ip(2)));
    set_ann(&mut of_ann);
    set_bob(&mut of_bob);
    let ann = w.phone("ann", Some(of_ann));
    let proxy = w.exchange("proxy", config);
    let bob = w.phone("bob", Some(of_bob));
    w.run_until_registered(&[ann, bob]);
    (w, [ann, proxy, bob])
}

/// ann, the proxy, bob and cem, registered.
pub(crate) fn trio(source: &str) -> (World, [NodeId; 4]) {
    let mut w = world(source);
    let ann = w.phone("ann", Some(account("ann", ip(2))));
    let proxy = w.exchange("proxy", trusting());
    let bob = w.phone("bob", Some(account("bob", ip(2))));
    let cem = w.phone("cem", Some(account("cem", ip(2))));
    w.run_until_registered(&[ann, bob, cem]);
    (w, [ann, proxy, bob, cem])
}

/// `from` calls `to`, who lets it ring for a second and a half and answers.
pub(crate) fn talk(w: &mut World, from: NodeId, to: NodeId, name: &str) {
    w.call(from, name);
    ring(w, to);
    w.run_for(secs(1.5));
    w.answer(to);
    w.run_until_state(from, CallState::Active);
    w.run_until_state(to, CallState::Active);
    w.run_for(secs(2.0));
}

/// The same, and the ladder begins there: with two people who talk.
pub(crate) fn talking(w: &mut World, from: NodeId, to: NodeId, name: &str) {
    talk(w, from, to, name);
    w.begin();
}

/// Waits until a phone rings.
pub(crate) fn ring(w: &mut World, phone: NodeId) {
    w.run_until_state(phone, CallState::Ringing);
}

pub(crate) fn secs(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

pub(crate) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
