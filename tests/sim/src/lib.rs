//! A world in virtual time: phones, exchanges and strangers, and between them links as bad as asked for.
//!
//! Everything is drawn from one seed, so a run that fails can be run again: `OFFHOOK_SEED=N`. Knows no clock or socket.

mod link;
mod wire;

pub use link::Link;
pub use wire::{Arrival, Fate, NodeId, Socket, Wire};
