//! An exchange in the world: its beginning, its ending, and what it is told.

use base::{Instant, Rng};
use exchange::bindings::{Bindings as _, InMemory};
use exchange::{Config, Exchange};
use sip::order::Orders;

use crate::node::News;

/// The wall clock at the world's beginning, in seconds since 1970.
const WALL: u64 = 1_800_000_000;

/// An exchange and what it begins again with.
pub(crate) struct Office {
    pub(crate) machine: Exchange<InMemory>,
    config: Config,
}

impl Office {
    pub(crate) fn new(config: Config, bindings: InMemory, rng: Rng, now: Instant) -> Self {
        let machine =
            Exchange::new(config.clone(), bindings, rng, now, WALL + now.since(Instant::ZERO).as_secs());
        Self { machine, config }
    }

    /// The same exchange in a new process: users and bindings stay, connections and calls under way do not.
    pub(crate) fn restarted(mut self, rng: Rng, now: Instant) -> Self {
        let mut kept = std::mem::take(self.machine.bindings_mut());
        for user in self.config.users.keys() {
            let mut bindings = kept.of(user).to_vec();
            bindings.iter_mut().filter_map(|b| b.way.as_mut()).for_each(|way| way.flow = None);
            kept.put(user, bindings).expect("memory keeps what it is given");
        }
        Self::new(self.config, kept, rng, now)
    }

    /// Who is where is forgotten.
    pub(crate) fn forget(&mut self) {
        *self.machine.bindings_mut() = InMemory::default();
    }

    pub(crate) fn hear(&mut self, news: News, now: Instant, out: &mut Orders) {
        let exchange = &mut self.machine;
        match news {
            News::Bytes { flow, from, bytes } => exchange.received(flow, from, &bytes, now, out),
            News::FlowUp { flow, transport, local, remote, .. } => {
                exchange.flow_up(flow, transport, local, remote, now, out);
            }
            News::FlowDown { flow } => exchange.flow_down(flow, now, out),
            News::FlowFailed { transport, remote, .. } => exchange.flow_failed(transport, remote, now, out),
            News::Listening { transport, local } => exchange.listening(transport, local),
            News::Resolved { query, answer } => exchange.resolved(query, answer, now, out),
            News::Due => exchange.due(now, out),
            News::Network(_) | News::Media { .. } | News::Command(_) => {}
        }
    }
}

/// The pocket exchange's usual users: each name with the password `secret-NAME`.
pub fn users(names: &[&str]) -> Config {
    let users =
        names.iter().map(|name| ((*name).to_owned(), base::Secret::new(format!("secret-{name}")))).collect();
    Config { users, ..Config::default() }
}
