//! Agents wired back to back over links as bad as the test asks for, in virtual time; and peers that say what the test says.
//!
//! Each file below is a theme; each test a rule with its section.

mod basic;
mod cancel;
mod endings;
mod families;
mod forks;
mod info;
mod net;
mod outside;
mod redirect;
mod reliable;
mod reoffers;
mod requests;
mod sips;
mod subscriptions;
mod timers;
mod transfers;
