//! The wire: UDP sockets, TCP streams, WebSockets and name lookups for SIP, on tokio.
//!
//! [`Net`] executes `sip`'s orders and tells what came of them. The phone's runtime and the exchange's server drive it from
//! one task each:
//! ```no_run
//! # use offhook_net::{Net, NetEvent, Limits, NameServers};
//! # async fn drive(mut orders: Vec<sip::order::Order>) -> Result<(), offhook_net::ListenError> {
//! let mut net = Net::new(Limits::default(), NameServers::System);
//! net.listen(base::Transport::Udp, "127.0.0.1:0".parse().expect("an address"))?;
//! loop {
//!     match net.next().await {
//!         NetEvent::Bytes { flow, from, bytes } => { /* to the machine, which fills `orders` */ }
//!         other => { /* likewise */ }
//!     }
//!     orders.drain(..).for_each(|order| net.execute(order));
//! }
//! # }
//! ```
//! Knows nothing of messages, registrations or calls.

mod behaviour;
mod bind;
mod dial;
mod dns;
mod event;
mod icmp;
mod listen;
mod net;
pub mod punch;
mod ready;
mod route;
mod tcp;
#[cfg(test)]
mod tests;
pub mod tls;
mod udp;
mod web;
#[cfg(test)]
mod web_tests;

pub use behaviour::{Between, discover};
pub use bind::Bind;
pub use dns::NameServers;
pub use event::{Counters, NetEvent};
pub use listen::ListenError;
pub use net::{Limits, Net};
pub use route::{addresses, concrete, local_toward};
