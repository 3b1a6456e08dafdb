//! How much a ring between a device and the calls holds: enough for what is late on either side, and no more.
//!
//! The device's clock and ours drift apart, and both come in bursts. So the least that the ring held lately, its margin, is
//! steered to a target: by an eighth of a millisecond in a frame, which nobody hears, and only what is far too much is given up at once.
//! The target is a burst of the device's, for when its bursts slip past our ticks the ring is suddenly that much emptier, and
//! a reserve that grows with each gap and shrinks while there are none. Knows samples at our rate and ticks of 20 ms; neither
//! rings nor devices nor time.

use super::PER_MS;

/// Samples in a millisecond.
const MS: i32 = PER_MS as i32;
/// Samples that a frame is made longer or shorter by.
pub(super) const BIT: usize = PER_MS / 8;

/// The reserve at first: 10 ms.
const RESERVE: i32 = 10 * MS;
/// It never grows beyond 60 ms: what is later than that is a gap.
const LARGEST: i32 = 60 * MS;
/// Of bursts larger than 50 ms the rest counts as late.
const LARGEST_BURST: i32 = 50 * MS;
/// What a gap adds to the reserve, and a calm time takes from it: 5 ms.
const STEP: i32 = 5 * MS;
/// Ticks between two looks: half a second.
const PERIOD: i32 = 25;
/// Looks without a gap before the reserve shrinks by a step: half a minute.
const CALM: u32 = 60;
/// A margin this close to the target is right: 2 ms.
const SLACK: i32 = 2 * MS;
/// A margin this much above the target came from a stall, and is given up at once: 50 ms.
const FAR: i32 = 50 * MS;

/// What this tick should do to the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing beside its frame.
    Keep,
    /// Leave a [`BIT`] more in it.
    Grow,
    /// Leave a [`BIT`] less in it.
    Shrink,
    /// Drop so many of what waits.
    Drop(usize),
}

#[derive(Debug)]
pub(super) struct Pace {
    reserve: i32,
    /// The largest burst of the last period, and of this one.
    bursts: [i32; 2],
    /// The smallest margin of this period.
    least: i32,
    ticks: i32,
    /// Bits still to be given up (positive) or put in (negative) in this period.
    owed: i32,
    calm: u32,
}

impl Pace {
    pub(super) const fn new() -> Self {
        Self { reserve: RESERVE, bursts: [0; 2], least: i32::MAX, ticks: 0, owed: 0, calm: 0 }
    }

    /// What should be in the ring beside the frame that is due, when it begins or begins again.
    pub(super) fn cushion(&self) -> usize {
        self.target() as usize
    }

    /// The device gave or took so many at once.
    pub(super) fn burst(&mut self, samples: usize) {
        self.bursts[1] = self.bursts[1].max((samples as i32).min(LARGEST_BURST));
    }

    /// One tick, in which the ring held `margin` samples at its least.
    pub(super) fn tick(&mut self, margin: usize) -> Step {
        self.least = self.least.min(margin as i32);
        self.ticks += 1;
        if self.ticks == PERIOD {
            let error = self.least - self.target();
            self.bursts = [self.bursts[1], 0];
            self.begin_period();
            self.calm += 1;
            if self.calm >= CALM {
                self.calm = 0;
                self.reserve = (self.reserve - STEP).max(RESERVE);
            }
            if error > FAR {
                return Step::Drop(error as usize);
            }
            if error.abs() > SLACK {
                // Half, because the least may have been measured before the last period's corrections.
                self.owed = (error / (2 * BIT as i32)).clamp(-PERIOD, PERIOD);
            }
        }
        match self.owed.signum() {
            0 => Step::Keep,
            1 => {
                self.owed -= 1;
                Step::Shrink
            }
            _ => {
                self.owed += 1;
                Step::Grow
            }
        }
    }

    /// The ring ran empty.
    pub(super) fn gap(&mut self) {
        self.reserve = (self.reserve + STEP).min(LARGEST);
        self.calm = 0;
        self.begin_period();
    }

    fn target(&self) -> i32 {
        self.reserve + self.bursts[0].max(self.bursts[1])
    }

    fn begin_period(&mut self) {
        self.least = i32::MAX;
        self.ticks = 0;
        self.owed = 0;
    }
}

/// Makes `from` as long as `to`, a few samples more or fewer, so that no seam is heard.
pub(super) fn stretch(from: &[i16], to: &mut [i16]) {
    let (last, steps) = (from.len() - 1, to.len() - 1);
    for (n, out) in to.iter_mut().enumerate() {
        let (at, part) = (n * last / steps, (n * last % steps) as i32);
        let (here, next) = (i32::from(from[at]), i32::from(from[(at + 1).min(last)]));
        *out = (here + (next - here) * part / steps as i32) as i16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(pace: &mut Pace, margin: usize, count: i32) -> Vec<Step> {
        (0..count).map(|_| pace.tick(margin)).filter(|step| *step != Step::Keep).collect()
    }

    #[test]
    fn a_margin_near_its_target_is_left_alone() {
        let mut pace = Pace::new();
        assert_eq!(ticks(&mut pace, (RESERVE + SLACK) as usize, 1000), []);
        assert_eq!(ticks(&mut pace, (RESERVE - SLACK) as usize, 1000), []);
    }

    #[test]
    fn a_large_margin_shrinks_and_a_small_one_grows_by_at_most_a_bit_a_frame() {
        let mut pace = Pace::new();
        assert_eq!(
            ticks(&mut pace, (RESERVE + 30 * BIT as i32) as usize, 2 * PERIOD - 1),
            [Step::Shrink; 15]
        );
        let mut pace = Pace::new();
        assert_eq!(ticks(&mut pace, (RESERVE - 30 * BIT as i32) as usize, 2 * PERIOD - 1), [Step::Grow; 15]);
        let mut pace = Pace::new();
        let steps = ticks(&mut pace, (RESERVE + FAR) as usize, 3 * PERIOD - 1);
        assert_eq!(steps, [Step::Shrink; 2 * PERIOD as usize]);
    }

    #[test]
    fn the_least_of_a_period_counts_not_what_the_bursts_add() {
        let mut pace = Pace::new();
        for n in 0..1000 {
            let burst = if n % 3 == 0 { RESERVE } else { RESERVE + 40 * MS };
            assert_eq!(pace.tick(burst as usize), Step::Keep);
        }
    }

    #[test]
    fn a_device_in_large_bursts_has_a_larger_target_while_it_is_so() {
        let mut pace = Pace::new();
        pace.burst(20 * PER_MS);
        pace.burst(2 * PER_MS);
        assert_eq!(pace.cushion(), RESERVE as usize + 20 * PER_MS);
        ticks(&mut pace, 37 * PER_MS, PERIOD);
        assert_eq!(pace.cushion(), RESERVE as usize + 20 * PER_MS);
        ticks(&mut pace, 37 * PER_MS, PERIOD);
        assert_eq!(pace.cushion(), RESERVE as usize);
        pace.burst(1000 * PER_MS);
        assert_eq!(pace.cushion(), (RESERVE + LARGEST_BURST) as usize);
    }

    #[test]
    fn what_a_stall_left_is_dropped_at_once() {
        let mut pace = Pace::new();
        assert_eq!(ticks(&mut pace, (RESERVE + FAR + 1) as usize, PERIOD), [Step::Drop(FAR as usize + 1)]);
    }

    #[test]
    fn the_cushion_grows_with_gaps_within_bounds_and_shrinks_when_all_is_calm() {
        let mut pace = Pace::new();
        pace.gap();
        assert_eq!(pace.cushion(), (RESERVE + STEP) as usize);
        (0..100).for_each(|_| pace.gap());
        assert_eq!(pace.cushion(), LARGEST as usize);
        ticks(&mut pace, LARGEST as usize, PERIOD * CALM as i32);
        assert_eq!(pace.cushion(), (LARGEST - STEP) as usize);
        (0..100).for_each(|_| drop(ticks(&mut pace, RESERVE as usize, PERIOD * CALM as i32)));
        assert_eq!(pace.cushion(), RESERVE as usize);
    }

    #[test]
    fn stretching_keeps_the_ends_and_never_leaves_the_line() {
        let line: Vec<i16> = (0..322).map(|n| n * 100 - 16_000).collect();
        for (from, to) in [(318, 320), (320, 320), (322, 320), (320, 318), (320, 322)] {
            let mut out = vec![0; to];
            stretch(&line[..from], &mut out);
            assert_eq!((out[0], out[to - 1]), (line[0], line[from - 1]));
            assert!(out.windows(2).all(|w| (98..=101).contains(&(w[1] - w[0]))), "{from} to {to}: {out:?}");
        }
        let mut loud = [0; 318];
        stretch(&[i16::MIN, i16::MAX].repeat(160), &mut loud);
        assert!(loud.iter().any(|s| *s < -30_000) && loud.iter().any(|s| *s > 30_000), "no overflow");
    }
}
