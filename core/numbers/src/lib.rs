//! What was typed, as a number: read, sent through an account's dial plan, shown as people of the region write it; and
//! which numbers are for emergencies.
//!
//! Regions are ISO 3166's two letters (`DE`). The plans of the world's numbers are those of the `phonenumber` crate, read
//! when first needed: that takes some tens of milliseconds and two megabytes. Knows no SIP: what is no number passes as it is.

pub mod emergency;
mod format;
mod plan;
mod region;
mod told;
mod typed;

pub use format::{as_typed, normal, shown};
pub use plan::{Applied, BadRule, Plan, Rule, Step};
pub use region::Regions;
pub use told::Told;
pub use typed::{Showing, Typed};
