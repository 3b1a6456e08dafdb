//! The phone's runtime: everything that `phone::Phone` is told and wants done, done on a real machine.
//!
//! ```text
//!  app  --command-->  signalling thread  --orders-->  media thread
//!       <--events---   phone, flows, DNS  <--news---   RTP sockets, sound, ticks
//! ```
//! [`Handle::start`] starts both threads. Knows no call policy: that is `phone`'s.

mod alarm;
mod audio;
mod capture;
#[cfg_attr(not(feature = "rest"), path = "certificates/without.rs")]
mod certificates;
pub mod clock;
#[cfg(feature = "store")]
pub mod contacts;
#[cfg(test)]
mod counting;
#[cfg(feature = "rest")]
mod dealings;
mod events;
mod fence;
mod handle;
mod instance;
#[cfg(feature = "store")]
mod journal;
mod media_thread;
mod memory;
#[cfg(feature = "rest")]
mod provider;
#[cfg(feature = "rest")]
mod provision;
mod recording;
#[cfg(feature = "rest")]
mod relays;
#[cfg(feature = "rest")]
mod rest;
mod router;
mod servers;
mod signalling;
#[cfg(feature = "rest")]
mod teller;
#[cfg(test)]
mod tests;
#[cfg(test)]
#[cfg(feature = "store")]
mod unsent_tests;
#[cfg(feature = "rest")]
mod web;
#[cfg(test)]
#[cfg(feature = "rest")]
mod web_service;
mod wire;

pub use audio::{Audio, AudioRoute, AudioStats, Effects, LocalTones};
#[cfg(feature = "rest")]
pub use balance;
#[cfg(feature = "store")]
pub use book;
#[cfg(feature = "rest")]
pub use dealings::{Ask, Customer, Dealings, NoMinutes, Offer, Told, known};
pub use events::Event;
pub use handle::{CaptureTo, Config, Handle};
pub use instance::instance;
pub use media::{Point, Silence, Stats};
#[cfg(feature = "store")]
pub use numbers;
pub use offhook_net::tls::{Authorities, Trust, Trusts, Unusable, client_certificate};
pub use offhook_net::{Between, addresses};
#[cfg(feature = "store")]
pub use offhook_store as store;
#[cfg(feature = "rest")]
pub use provider::{NotDone, provider_hosts};
#[cfg(feature = "rest")]
pub use provision::{Fetched, NotFetched, fetch};
pub use recording::RecordOptions;
#[cfg(feature = "rest")]
pub use relays::KeptRelays;
#[cfg(feature = "rest")]
pub use rest::{Handed, NoRelays, Service};
pub use router::router;
pub use servers::servers_of;
pub use signalling::StartError;
#[cfg(feature = "rest")]
pub use teller::NoBalance;
pub use wire::Crossed;
