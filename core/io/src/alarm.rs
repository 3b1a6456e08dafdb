//! One deadline on the boot-time clock, awaited inside tokio.
//!
//! tokio's own timers stand still while the device sleeps: a refresh due in five minutes would come five waking minutes
//! later. A timerfd on `CLOCK_BOOTTIME` is due the moment the device is awake again. It does not wake the device: that is
//! the platform's alarm, set from the phone's events. Knows nothing of why.

use std::io;

use base::Instant;

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use linux::Alarm;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) use portable::Alarm;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux {
    use std::os::fd::{AsFd as _, AsRawFd, RawFd};

    use nix::sys::time::{TimeSpec, TimeValLike as _};
    use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    use super::{Instant, io};

    pub(crate) struct Alarm {
        fd: AsyncFd<Fd>,
        set: Option<Instant>,
    }

    struct Fd(TimerFd);

    impl AsRawFd for Fd {
        fn as_raw_fd(&self) -> RawFd {
            self.0.as_fd().as_raw_fd()
        }
    }

    impl Alarm {
        pub(crate) fn new() -> io::Result<Self> {
            let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
            let fd = Fd(TimerFd::new(ClockId::CLOCK_BOOTTIME, flags)?);
            #[expect(
                deprecated,
                reason = "the new one is `unsafe`; this descriptor is the timer's own while it lives"
            )]
            let fd = AsyncFd::with_interest(fd, Interest::READABLE)?;
            Ok(Self { fd, set: None })
        }

        /// Sets or takes back the deadline; one in the past is due at once.
        pub(crate) fn set(&mut self, at: Option<Instant>) {
            if at == self.set {
                return;
            }
            self.set = at;
            let timer = &self.fd.get_ref().0;
            // Neither fails for a timer that exists and a time that is not negative.
            let _ = match at {
                // Zero would disarm it.
                Some(at) => timer.set(
                    Expiration::OneShot(TimeSpec::nanoseconds(at.as_nanos().max(1).cast_signed())),
                    TimerSetTimeFlags::TFD_TIMER_ABSTIME,
                ),
                None => timer.unset(),
            };
        }

        /// Until the deadline. May be dropped while it waits.
        pub(crate) async fn rung(&mut self) {
            loop {
                let Ok(mut guard) = self.fd.readable().await else { return std::future::pending().await };
                // Reads the expirations; `WouldBlock` when it was set anew meanwhile.
                let rung = guard.try_io(|fd| fd.get_ref().0.wait().map_err(io::Error::from));
                if let Ok(Ok(())) = rung {
                    self.set = None;
                    return;
                }
            }
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod portable {
    use std::time::Duration;

    use super::{Instant, io};
    use crate::clock;

    /// How long at most the device's sleep is overlooked.
    const LOOK_AGAIN: Duration = Duration::from_secs(15);

    pub(crate) struct Alarm(Option<Instant>);

    impl Alarm {
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Self(None))
        }

        pub(crate) fn set(&mut self, at: Option<Instant>) {
            self.0 = at;
        }

        pub(crate) async fn rung(&mut self) {
            let Some(at) = self.0 else { return std::future::pending().await };
            while clock::now() < at {
                tokio::time::sleep(at.since(clock::now()).min(LOOK_AGAIN)).await;
            }
            self.0 = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock;

    #[tokio::test]
    async fn a_deadline_is_met_once_and_one_in_the_past_at_once() {
        let mut alarm = Alarm::new().unwrap();
        let at = clock::now() + Duration::from_millis(3);
        alarm.set(Some(at));
        alarm.rung().await;
        assert!(clock::now() >= at);
        alarm.set(Some(Instant::ZERO));
        alarm.rung().await;
        alarm.set(Some(clock::now() + Duration::from_millis(1)));
        alarm.set(None);
        let quiet = tokio::time::timeout(Duration::from_millis(20), alarm.rung()).await;
        assert!(quiet.is_err(), "a deadline taken back does not ring");
    }
}
