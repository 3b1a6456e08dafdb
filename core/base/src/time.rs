//! Time as it is told to the pure crates.
//!
//! Knows no clock: `io` reads `CLOCK_BOOTTIME` (or its kin), tests count for themselves.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

/// A moment on a clock that also counts while the device sleeps. Nanoseconds since an origin of the clock's choosing.
///
/// Monotonic, and meaningless across processes or reboots.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

impl Instant {
    /// The clock's origin. Tests begin here.
    pub const ZERO: Self = Self(0);

    /// A moment `nanos` nanoseconds after the origin.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// A moment `millis` milliseconds after the origin.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1_000_000)
    }

    /// Nanoseconds since the origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Time passed since `earlier`; zero when `earlier` is in fact later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;
    fn add(self, d: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, d: Duration) {
        *self = *self + d;
    }
}

impl Sub<Instant> for Instant {
    type Output = Duration;
    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

/// Seconds with milliseconds, as ladders print it.
impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1_000_000_000, self.0 / 1_000_000 % 1000)
    }
}

/// When a machine wants to be told the time again, and why: diagnostics show it, battery tests count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wake {
    /// The moment; may lie in the past when something is overdue.
    pub at: Instant,
    /// The reason in a word or three: "register refresh", "timer B".
    pub why: &'static str,
}

impl Wake {
    /// The earlier of two wishes.
    pub fn earlier(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        match (a, b) {
            (Some(a), Some(b)) => Some(if b.at < a.at { b } else { a }),
            (a, b) => a.or(b),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_prints_as_seconds_with_milliseconds() {
        assert_eq!(format!("{:?}", Instant::from_millis(61_042)), "61.042");
    }

    #[test]
    fn time_passed_never_goes_below_zero() {
        assert_eq!(Instant::ZERO.since(Instant::from_millis(5)), Duration::ZERO);
    }

    #[test]
    fn the_earlier_wish_wins_and_none_is_no_wish() {
        let a = Wake { at: Instant::from_millis(2), why: "a" };
        let b = Wake { at: Instant::from_millis(1), why: "b" };
        assert_eq!(Wake::earlier(Some(a), Some(b)), Some(b));
        assert_eq!(Wake::earlier(None, Some(a)), Some(a));
        assert_eq!(Wake::earlier(None, None), None);
    }
}
