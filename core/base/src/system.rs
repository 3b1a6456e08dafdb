//! Our instants in the words of crates that count in the system's, and back.
//!
//! The system's instants cannot be made from a number. Only their differences matter, so one reading, taken once, serves
//! as the origin of all; what it shows never reaches behaviour. Knows nothing of what time it is.

use std::sync::OnceLock;

use crate::Instant;

static ORIGIN: OnceLock<std::time::Instant> = OnceLock::new();

#[allow(clippy::disallowed_methods)] // the origin: see above
fn origin() -> std::time::Instant {
    *ORIGIN.get_or_init(std::time::Instant::now)
}

/// The system's word for `now`: for a crate below us that is told time in its own kind of instants.
pub fn to_std(now: Instant) -> std::time::Instant {
    origin() + now.since(Instant::ZERO)
}

/// Ours for what `to_std` gave, or for a moment that was counted on from it. What lies before our origin is our origin.
pub fn from_std(at: std::time::Instant) -> Instant {
    Instant::ZERO + at.saturating_duration_since(origin())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_moment_comes_back_as_it_went_and_so_does_one_counted_on_from_it() {
        let now = Instant::from_millis(61_042);
        assert_eq!(from_std(to_std(now)), now);
        assert_eq!(from_std(to_std(now) + Duration::from_millis(8)), Instant::from_millis(61_050));
    }

    #[test]
    fn what_lies_before_our_origin_is_our_origin() {
        let origin = to_std(Instant::ZERO);
        let before = origin.checked_sub(Duration::from_nanos(1)).unwrap_or(origin);
        assert_eq!(from_std(before), Instant::ZERO);
    }
}
