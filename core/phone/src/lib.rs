//! The phone itself: accounts, registration, calls and their policy. SIP meets media here and only here.

mod dial;
pub mod negotiate;

pub use dial::{BadTarget, dial};
