//! What the playout did, counted in time: so it means the same at every sampling rate.

use std::time::Duration;

/// What was heard, and what of it was made up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Decoded from packets, before any stretching.
    pub played: Duration,
    /// Made up while somebody spoke, or might have: packets were lost or late.
    pub concealed: Duration,
    /// Gaps that were concealed.
    pub concealments: u64,
    /// Noise of pauses: nobody spoke, or nothing came for long.
    pub comfort: Duration,
    /// Left out, to have less delay.
    pub accelerated: Duration,
    /// Heard twice, to have more delay.
    pub expanded: Duration,
    /// Packets that came after what follows them had been played, or twice.
    pub late: u64,
    /// Packets that were thrown away unheard, for they would have kept too much delay, or were far off or too many.
    pub discarded: u64,
    /// The delay that is steered toward, from the fastest packets' arrival to their turn.
    pub target: Duration,
    /// The delay as it is.
    pub delay: Duration,
}

impl Figures {
    /// Mean length of a concealed gap.
    pub fn mean_burst(&self) -> Duration {
        u32::try_from(self.concealments)
            .ok()
            .and_then(|gaps| self.concealed.checked_div(gaps))
            .unwrap_or_default()
    }
}

/// The same as it is counted. Nanoseconds, for a sample is 62.5 us.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    played: u64,
    concealed: u64,
    concealments: u64,
    comfort: u64,
    accelerated: u64,
    expanded: u64,
    pub(super) late: u64,
    pub(super) discarded: u64,
    /// The present gap began in a pause.
    in_pause: bool,
    /// In microseconds.
    pub(super) delay: Option<i64>,
}

fn nanos(samples: usize, rate: u32) -> u64 {
    samples as u64 * 1_000_000_000 / u64::from(rate.max(1))
}

impl Counts {
    pub(super) fn played(&mut self, samples: usize, rate: u32) {
        self.played += nanos(samples, rate);
    }

    pub(super) fn gap_begins(&mut self, in_pause: bool) {
        self.in_pause = in_pause;
        self.concealments += u64::from(!in_pause);
    }

    pub(super) fn filled(&mut self, samples: usize, rate: u32, with_comfort: bool) {
        if with_comfort || self.in_pause {
            self.comfort += nanos(samples, rate);
        } else {
            self.concealed += nanos(samples, rate);
        }
    }

    pub(super) fn accelerated(&mut self, samples: usize, rate: u32) {
        self.accelerated += nanos(samples, rate);
    }

    pub(super) fn expanded(&mut self, samples: usize, rate: u32) {
        self.expanded += nanos(samples, rate);
    }

    pub(super) fn figures(&self, target: Duration, delay: Duration) -> Figures {
        Figures {
            played: Duration::from_nanos(self.played),
            concealed: Duration::from_nanos(self.concealed),
            concealments: self.concealments,
            comfort: Duration::from_nanos(self.comfort),
            accelerated: Duration::from_nanos(self.accelerated),
            expanded: Duration::from_nanos(self.expanded),
            late: self.late,
            discarded: self.discarded,
            target,
            delay,
        }
    }
}
