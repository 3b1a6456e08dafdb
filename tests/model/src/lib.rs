//! Small models of what SIP allows, and the worlds to hold the real machines against them.
//!
//! A model here says only what may happen next; it has no timers, no messages and none of the code it judges. The random
//! histories are under `tests/`: a failure prints the shortest one that shows it.

pub mod dialog;
pub mod route;
pub mod transaction;
pub mod wire;
