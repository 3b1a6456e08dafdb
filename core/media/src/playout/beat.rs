//! When frames are pulled, smoothed: a media thread comes late now and then, and twice in a row after it.
//!
//! Times in microseconds.

use base::Instant;

use super::arrivals::micros;

/// The beat follows what it is told by a part of so many.
const INERTIA: i64 = 16;
/// A frame so far off the beat begins another one: the sound stood still.
const TORN: i64 = 100_000;

/// The beat of the frames.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Beat {
    at: i64,
    frame: i64,
}

impl Beat {
    pub(super) fn pulled(&mut self, now: Instant, frame: i64) {
        let (now, expected) = (micros(now), self.at + self.frame);
        let off = now - expected;
        let is_first = self.frame == 0;
        self.at = if is_first || off.abs() > TORN { now } else { expected + off / INERTIA };
        self.frame = frame;
    }

    /// When the present frame begins.
    pub(super) fn now(&self) -> i64 {
        self.at
    }

    /// How long the present frame is; 0 before the first.
    pub(super) fn frame(&self) -> i64 {
        self.frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_that_come_late_and_in_pairs_leave_the_beat_even() {
        let mut beat = Beat::default();
        let mut before = 0;
        for n in 0..200u64 {
            // Every second one comes with its successor.
            beat.pulled(Instant::from_millis(1000 + n / 2 * 40), 20_000);
            if n > 100 {
                let step = beat.now() - before;
                assert!((18_000..=22_000).contains(&step), "{step}");
            }
            before = beat.now();
        }
        beat.pulled(Instant::from_millis(9000), 20_000);
        assert_eq!(beat.now(), 9_000_000);
    }
}
