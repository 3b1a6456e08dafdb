//! A pocket exchange: registrar, stateful proxy and redirect server for one domain, and a STUN server, for trial and test.
//!
//! RFC 3261 sections 10, 16 and 21.3 with RFC 3327, 4320, 5393, 5626 and 6026; RFC 8489 with RFC 5780. The machines are pure: told the time,
//! the bytes and the randomness. Knows nothing of media, and of its own sockets and database only in `server`.

mod answer;
mod auth;
pub mod bindings;
mod config;
mod exchange;
#[cfg(test)]
mod harness;
mod identity;
mod keepalive;
mod ledger;
mod presence;
mod proxy;
pub mod redirect;
mod registrar;
mod said_back;
#[cfg(feature = "server")]
#[allow(clippy::disallowed_methods)] // here, and only here, are clock and threads
pub mod server;
pub mod stun;
mod throttle;
mod token;
mod vos;
mod ways;

pub use auth::DoorCounters;
pub use config::{Config, DomainRoute, Limits};
pub use exchange::{Counters, Exchange};
pub use ledger::{Funds, Ledger};
pub use presence::PresenceCounters;
pub use vos::VosCounters;
