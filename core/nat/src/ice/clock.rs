//! Our instants in the words of the crate below.
//!
//! It counts in the system's instants, which cannot be made from a number. Only their differences matter, so one reading,
//! taken once, serves as the origin of all; what it shows never reaches behaviour.

use std::sync::OnceLock;

use base::Instant;

static ORIGIN: OnceLock<std::time::Instant> = OnceLock::new();

/// The system's word for `now`.
#[allow(clippy::disallowed_methods)] // the origin: see above
pub(super) fn std(now: Instant) -> std::time::Instant {
    *ORIGIN.get_or_init(std::time::Instant::now) + now.since(Instant::ZERO)
}
