//! Louder or softer than it came: the microphone's gain and the loudspeaker's.
//!
//! A change is spread over a frame, against the click. What is too loud is cut, never wrapped. Knows no devices.

use super::{FRAME, Frame};

/// In dB: beyond it there is silence, or nothing but noise.
const LEAST_DB: f32 = -40.0;
const MOST_DB: f32 = 20.0;

/// Whose gain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Microphone,
    Loudspeaker,
}

/// Both ways.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Gains {
    pub(super) microphone: Gain,
    pub(super) loudspeaker: Gain,
}

impl Gains {
    /// In dB, brought within -40.0..=20.0.
    pub(crate) fn of(microphone_db: f32, loudspeaker_db: f32) -> Self {
        Self { microphone: Gain::of(microphone_db), loudspeaker: Gain::of(loudspeaker_db) }
    }

    /// From the next frame on.
    pub(super) fn set(&mut self, side: Side, db: f32) {
        match side {
            Side::Microphone => self.microphone.to = ratio(db),
            Side::Loudspeaker => self.loudspeaker.to = ratio(db),
        }
    }
}

/// One way, as a factor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gain {
    now: f32,
    to: f32,
}

impl Default for Gain {
    fn default() -> Self {
        Self { now: 1.0, to: 1.0 }
    }
}

impl Gain {
    fn of(db: f32) -> Self {
        Self { now: ratio(db), to: ratio(db) }
    }

    /// The next 20 ms.
    pub(super) fn apply(&mut self, frame: &mut Frame) {
        let sums = frame.map(i32::from);
        *frame = self.cut(&sums);
    }

    /// The next 20 ms of several together, cut to what the ear can take.
    pub(super) fn cut(&mut self, sums: &[i32; FRAME]) -> Frame {
        let (from, step) = (self.now, (self.to - self.now) / FRAME as f32);
        self.now = self.to;
        // The cast saturates.
        std::array::from_fn(|n| (sums[n] as f32 * (from + step * (n + 1) as f32)).round() as i16)
    }
}

fn ratio(db: f32) -> f32 {
    // No number at all is no wish.
    let db = if db.is_nan() { 0.0 } else { db.clamp(LEAST_DB, MOST_DB) };
    10_f32.powf(db / 20.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(db: f32, sample: i16) -> i16 {
        let mut frame = [sample; FRAME];
        Gain::of(db).apply(&mut frame);
        assert!(frame.iter().all(|it| *it == frame[0]));
        frame[0]
    }

    #[test]
    fn no_gain_leaves_every_sample_as_it_is() {
        let mut frame: Frame = std::array::from_fn(|n| (n as i16).wrapping_mul(205));
        frame[..2].copy_from_slice(&[i16::MIN, i16::MAX]);
        let before = frame;
        Gain::default().apply(&mut frame);
        assert_eq!(frame, before);
    }

    #[test]
    fn decibels_are_kept_within_their_bounds_and_what_is_too_loud_is_cut() {
        assert_eq!((after(6.0206, 1000), after(-20.0, -1000)), (2000, -100));
        assert_eq!((after(60.0, 100), after(-300.0, 10_000)), (1000, 100), "20 dB, -40 dB");
        assert_eq!((after(20.0, i16::MAX), after(20.0, i16::MIN)), (i16::MAX, i16::MIN));
        assert_eq!((after(f32::NAN, 5), after(f32::INFINITY, 5), after(f32::NEG_INFINITY, 500)), (5, 50, 5));
    }

    #[test]
    fn a_change_is_spread_over_a_frame() {
        let mut gains = Gains::default();
        gains.set(Side::Loudspeaker, -40.0);
        let mut frame = [10_000; FRAME];
        gains.loudspeaker.apply(&mut frame);
        assert!(frame.windows(2).all(|w| w[0] > w[1] && w[0] - w[1] < 40) && frame[FRAME - 1] == 100);
        gains.microphone.apply(&mut frame);
        assert_eq!(frame[FRAME - 1], 100, "the other way is as it was");
    }
}
