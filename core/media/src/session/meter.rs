//! How it sounds, second by second: what the E-model makes of the last few, and the call's timeline.
//!
//! ITU-T G.107 by [`crate::quality`]; RFC 3611 section 4.7.2's clusters tell loss and how it bunches.

use std::time::Duration;

use base::Instant;

use super::Session;
use crate::bursts::Clusters;
use crate::codec::Codec;
use crate::quality::{self, Path};
use crate::statistics::Reception;
use crate::timeline::{Point, Timeline};

const SECOND: Duration = Duration::from_secs(1);
/// Seconds whose loss is judged together: in one, a single packet would be 2 %.
const WINDOW: usize = 3;

#[derive(Debug)]
pub(super) struct Meter {
    began: Instant,
    next: Instant,
    /// The source's counts and the sound made up, when the last second ended.
    counted: Clusters,
    concealed: Duration,
    window: [Clusters; WINDOW],
    at: usize,
    /// Of all of them, when the last one ended: percent that was not played, and how it bunched.
    loss: (f32, f32),
    pub(super) timeline: Timeline,
}

impl Meter {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            began: now,
            next: now + SECOND,
            counted: Clusters::default(),
            concealed: Duration::ZERO,
            window: [Clusters::default(); WINDOW],
            at: 0,
            loss: (0.0, 1.0),
            timeline: Timeline::default(),
        }
    }

    /// Another source counts from nothing. `sum`: what the old one came to.
    pub(super) fn source_ended(&mut self, sum: Clusters) {
        self.take(sum);
        self.counted = Clusters::default();
    }

    /// Adds what happened since the last time to the present second.
    fn take(&mut self, sum: Clusters) {
        let since = sum.since(&self.counted);
        let now = &mut self.window[self.at];
        now.expected += since.expected;
        now.lost += since.lost;
        now.discarded += since.discarded;
        now.runs += since.runs;
        self.counted = sum;
    }

    /// Percent, and the mean run of misses over that of random loss.
    fn judge(&self) -> (f32, f32) {
        let total = |part: fn(&Clusters) -> u64| self.window.iter().map(part).sum::<u64>() as f32;
        let missed = total(|second| second.lost + second.discarded);
        let share = (missed / total(|second| second.expected).max(1.0)).min(1.0);
        let runs = total(|second| second.runs).max(1.0);
        (share * 100.0, missed / runs * (1.0 - share))
    }
}

/// What the E-model says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rating {
    pub(super) r: f32,
    /// As a listener hears it, who does not answer.
    pub(super) r_without_delay: f32,
    /// Mouth to ear.
    pub(super) delay: Duration,
}

impl Session {
    /// Of the last seconds.
    pub(super) fn rating(&self) -> Rating {
        let codec = self.their_codec();
        let wire = self.reports.round_trip.unwrap_or_default() / 2;
        let delay = self.packet_time() + codec.look_ahead() + wire + self.playout.delay();
        // What does not come has no numbers yet that would count it as lost.
        let (loss_percent, burst_ratio) = if self.watch.misses() { (100.0, 1.0) } else { self.meter.loss };
        let rate = |delay| quality::r_factor(codec.impairment(), Path { delay, loss_percent, burst_ratio });
        Rating { r: rate(delay), r_without_delay: rate(Duration::ZERO), delay }
    }

    /// Ends the present second, if it is over.
    pub(super) fn measure(&mut self, now: Instant) {
        if now < self.meter.next {
            return;
        }
        self.meter.next = now + SECOND;
        if let Some(reception) = &self.reception {
            self.meter.take(reception.clusters());
        }
        self.meter.loss = self.meter.judge();
        let figures = self.playout.figures();
        let rating = self.rating();
        let meter = &mut self.meter;
        let second = meter.window[meter.at];
        meter.timeline.push(Point {
            at: now.since(meter.began),
            mos: quality::mos(rating.r),
            expected: second.expected as u32,
            lost: second.lost as u32,
            late: second.discarded as u32,
            concealed: figures.concealed.saturating_sub(meter.concealed),
            jitter: self.reception.as_ref().map_or(Duration::ZERO, Reception::jitter),
            round_trip: self.reports.round_trip,
            delay: rating.delay,
            codec: self.codec_in,
        });
        meter.concealed = figures.concealed;
        meter.at = (meter.at + 1) % WINDOW;
        meter.window[meter.at] = Clusters::default();
    }

    /// How it went, to the last whole second.
    pub fn timeline(&self) -> &Timeline {
        &self.meter.timeline
    }

    /// The same, when nothing more will come.
    pub fn into_timeline(self) -> Timeline {
        self.meter.timeline
    }

    /// The codec that is spoken to us, or would be.
    pub(super) fn their_codec(&self) -> Codec {
        self.codec_in.unwrap_or(self.plan.codec_out.1)
    }
}
