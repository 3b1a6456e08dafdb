//! What every room of the house shares: told time, seeded randomness, flows, timers, secrets, what a number is compared by.
//!
//! Knows nothing of SIP, RTP or sockets. Nothing here asks the machine for anything, but for the one reading of its clock
//! that `system` counts from and never shows.

mod certificate;
mod flow;
pub mod nat64;
pub mod number;
mod redact;
mod rng;
pub mod system;
pub mod text;
mod time;
mod timers;

pub use certificate::{BadFingerprint, Certificate, ClientCertificate, Fingerprint};
pub use flow::{FlowId, NetworkId, QueryId, Transport, Untrusted};
pub use redact::{Redacted, Secret};
pub use rng::Rng;
pub use time::{Instant, Wake};
pub use timers::Timers;
