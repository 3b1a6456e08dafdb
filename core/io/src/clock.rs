//! What the machine itself is asked: the time and a seed. The pure crates are told both.
//!
//! The clock counts while the device sleeps (`CLOCK_BOOTTIME`; Apple's `CLOCK_MONOTONIC` does so too), for a registration
//! expires whether or not the processor slept. Knows nothing of who wants to know.

use std::time::Duration;

use base::{Instant, Rng};
use nix::sys::time::TimeValLike as _;
use nix::time::{ClockId, clock_gettime};

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) const CLOCK: ClockId = ClockId::CLOCK_BOOTTIME;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) const CLOCK: ClockId = ClockId::CLOCK_MONOTONIC;

/// Seconds from NTP's epoch (1900) to Unix's (1970). RFC 5905 section 6.
const NTP_TO_UNIX: u64 = 2_208_988_800;

/// The time since boot, sleep included.
pub fn now() -> Instant {
    Instant::from_nanos(nanos(CLOCK))
}

/// The monotonic clock that stops while the device sleeps: what a JVM's `nanoTime` reads.
#[cfg(feature = "testing")]
pub fn monotonic() -> Instant {
    Instant::from_nanos(nanos(ClockId::CLOCK_MONOTONIC))
}

/// The wall clock, since 1970.
pub fn wall() -> Duration {
    Duration::from_nanos(nanos(ClockId::CLOCK_REALTIME))
}

/// The same in whole milliseconds, as the store counts.
pub fn wall_millis() -> i64 {
    i64::try_from(wall().as_millis()).unwrap_or(i64::MAX)
}

/// A wall-clock time in NTP's 32.32 bits. RFC 3550 section 4.
pub fn ntp(wall: Duration) -> u64 {
    let fraction = (u64::from(wall.subsec_nanos()) << 32) / 1_000_000_000;
    ((wall.as_secs() + NTP_TO_UNIX) << 32) | fraction
}

/// A generator seeded by the system.
///
/// # Errors
/// The system has no randomness to give; nothing can be done but to say so.
pub fn seeded() -> std::io::Result<Rng> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    Ok(Rng::from_entropy(seed))
}

/// Sleeps until `at`; returns at once when that is past.
pub(crate) fn sleep_until(at: Instant) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use nix::errno::Errno;
        use nix::sys::time::TimeSpec;
        use nix::time::{ClockNanosleepFlags, clock_nanosleep};
        let at = TimeSpec::nanoseconds(at.as_nanos().cast_signed());
        while clock_nanosleep(CLOCK, ClockNanosleepFlags::TIMER_ABSTIME, &at) == Err(Errno::EINTR) {}
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    std::thread::sleep(at.since(now()));
}

fn nanos(clock: ClockId) -> u64 {
    // Fails only for a clock that does not exist.
    clock_gettime(clock).map_or(0, |t| t.num_nanoseconds().cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_goes_forward_and_the_wall_clock_is_of_this_century() {
        let before = now();
        assert!(before > Instant::ZERO && now() >= before);
        assert!(wall() > Duration::from_secs(1_700_000_000));
    }

    #[test]
    fn half_a_second_is_the_top_bit_of_ntps_fraction() {
        assert_eq!(ntp(Duration::from_millis(500)), (NTP_TO_UNIX << 32) | 1 << 31);
    }

    #[test]
    fn sleeping_ends_no_earlier_than_told_and_not_at_all_for_the_past() {
        let until = now() + Duration::from_millis(2);
        sleep_until(until);
        assert!(now() >= until);
        sleep_until(Instant::ZERO);
    }

    #[test]
    fn two_seeds_differ() {
        assert_ne!(seeded().unwrap().bits(), seeded().unwrap().bits());
    }
}
