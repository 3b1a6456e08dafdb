//! Our instants in the words of the crate below, and back.
//!
//! It counts in the system's instants, which cannot be made from a number. Only their differences matter, so one reading,
//! taken once, serves as the origin of all; what it shows never reaches behaviour.

use std::sync::OnceLock;

use base::Instant;

static ORIGIN: OnceLock<std::time::Instant> = OnceLock::new();

#[allow(clippy::disallowed_methods)] // the origin: see above
fn origin() -> std::time::Instant {
    *ORIGIN.get_or_init(std::time::Instant::now)
}

/// The system's word for `now`.
pub(crate) fn std(now: Instant) -> std::time::Instant {
    origin() + now.since(Instant::ZERO)
}

/// Ours for the system's.
pub(crate) fn ours(at: std::time::Instant) -> Instant {
    Instant::ZERO + at.saturating_duration_since(origin())
}
