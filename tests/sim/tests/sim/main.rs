//! The phone survives the world: bad links, long days, and people who press everything.
//!
//! Virtual time, one seed each; a failure prints it. `OFFHOOK_LONG=1` runs more seeds.

mod bad_links;
mod day;
mod people;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use offhook_sim::{NodeId, World, account, users};

/// How many seeds: few by day, many when asked for.
fn seeds(few: u64) -> std::ops::RangeInclusive<u64> {
    1..=if std::env::var_os("OFFHOOK_LONG").is_some() { few * 20 } else { few }
}

/// An exchange that asks everybody who they are, and phones of these names, registered.
fn town(
    seed: u64,
    title: &str,
    names: &[&str],
    set: impl FnOnce(&mut World),
) -> (World, NodeId, Vec<NodeId>) {
    let mut w = World::seeded(title, &format!("seed {seed}"), seed);
    set(&mut w);
    let exchange = w.exchange("exchange", users(names));
    let at = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    let phones: Vec<NodeId> = names.iter().map(|name| w.phone(name, Some(account(name, at)))).collect();
    w.run_until_registered(&phones);
    (w, exchange, phones)
}

/// After a while nothing of any call is left anywhere. Phones go on registering: a moment between two is waited for.
fn nothing_is_left(w: &mut World) {
    w.run_for(Duration::from_secs(150));
    w.run_until("nothing left", |w| w.leftovers().is_empty());
}
