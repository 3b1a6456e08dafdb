//! How late packets come, and so how long one must wait to have nearly all of them.
//!
//! A packet's transit is its arrival less its timestamp: known but for a constant. The fastest of the last seconds
//! is the baseline; what a packet takes beyond it is its lateness. A window's minimum follows clocks that drift
//! apart and paths that change. The target delay is a high quantile of a slowly forgetting histogram of lateness,
//! or what two events of the last seconds needed, if that is more. Packets that come in one bunch are one event,
//! and as late as the latest of them: so a spike now and then, and the queue behind it, costs no delay in between,
//! and two in a row do.
//!
//! Knows timestamps and arrivals; nothing of samples, payloads or loss. All times in microseconds.

use base::Instant;

/// Spans of the window over which the fastest packet is sought, and how long one is: 5 s in all.
const SPANS: usize = 10;
const SPAN: i64 = 500_000;
/// Width of a bin of the histogram, and how many: 500 ms.
const BIN: i64 = 5_000;
const BINS: usize = 100;
/// Share of events that the target covers: a tenth of a percent of loss costs as much as 15 ms (ITU-T G.107).
const COVERED: f32 = 0.99;
/// Events fade to 1/e of their weight in this time.
const MEMORY: f32 = 4_000_000.0;
/// What is believed at first: this lateness, with the weight of so many events.
const PRIOR: (i64, f32) = (40_000, 3.0);
/// Sub-windows over which the two latest events are kept, and how long one is: 2 s in all.
const PEAKS: usize = 8;
const PEAK_SPAN: i64 = 250_000;
/// Lateness that is always reckoned with, so that one packet's hiccup on a quiet path is not heard.
pub(super) const FLOOR: i64 = 20_000;
/// Highest target, one packet included: beyond it a conversation suffers more from delay than from loss.
pub(super) const CAP: i64 = 400_000;
/// A stream's first packets may all have come late: for so long a faster one says nothing about those before.
const SETTLING: i64 = 1_000_000;

/// Arrivals of one stream, and what was learnt on the streams before it.
#[derive(Clone, Debug)]
pub(super) struct Arrivals {
    clock_rate: u32,
    /// The newest timestamp, and the same as ticks that never wrap.
    newest: Option<(u32, i64)>,
    began: i64,
    baseline: i64,
    fastest: [i64; SPANS],
    span_began: i64,
    bins: [f32; BINS],
    /// What the baseline moved and the bins did not yet.
    unshifted: i64,
    last_arrival: i64,
    /// Lateness of the present bunch, which is not counted yet, and when it began.
    bunch: Option<(i64, i64)>,
    /// The two latest of each sub-window; the first is the present one.
    peaks: [[i64; 2]; PEAKS],
    peaks_began: i64,
}

pub(super) fn micros(now: Instant) -> i64 {
    (now.as_nanos() / 1000) as i64
}

impl Arrivals {
    pub(super) fn new(clock_rate: u32) -> Self {
        let mut bins = [0.0; BINS];
        bins[(PRIOR.0 / BIN) as usize - 1] = PRIOR.1;
        Self {
            clock_rate,
            newest: None,
            began: 0,
            baseline: 0,
            fastest: [i64::MAX; SPANS],
            span_began: 0,
            bins,
            unshifted: 0,
            last_arrival: 0,
            bunch: None,
            peaks: [[0; 2]; PEAKS],
            peaks_began: 0,
        }
    }

    /// Another stream begins: its timestamps say nothing beside the old ones. What the path is like stays known.
    pub(super) fn forget_stream(&mut self, clock_rate: u32) {
        self.clock_rate = clock_rate;
        self.newest = None;
        self.fastest = [i64::MAX; SPANS];
        self.peaks = [[0; 2]; PEAKS];
        self.bunch = None;
        self.unshifted = 0;
    }

    fn unwrapped(&self, timestamp: u32) -> Option<i64> {
        let (newest, ticks) = self.newest?;
        Some(ticks + i64::from(timestamp.wrapping_sub(newest) as i32))
    }

    fn time_of(&self, ticks: i64) -> i64 {
        ticks.saturating_mul(1_000_000) / i64::from(self.clock_rate)
    }

    /// What a packet takes beyond the fastest; negative for one that is faster. `None` for a stream's first.
    pub(super) fn lateness(&self, timestamp: u32, now: Instant) -> Option<i64> {
        self.fastest_arrival(timestamp).map(|fastest| micros(now) - fastest)
    }

    /// When a packet of this timestamp would have come, were it as fast as the fastest.
    pub(super) fn fastest_arrival(&self, timestamp: u32) -> Option<i64> {
        self.unwrapped(timestamp).map(|ticks| self.baseline + self.time_of(ticks))
    }

    /// Takes an arrival; `ticks` is how long the packet lasts.
    pub(super) fn arrived(&mut self, timestamp: u32, ticks: u32, now: Instant) {
        let (now, ticks_time) = (micros(now), self.time_of(i64::from(ticks)));
        let Some(position) = self.unwrapped(timestamp) else {
            self.newest = Some((timestamp, 0));
            (self.began, self.span_began, self.last_arrival) = (now, now, now);
            (self.baseline, self.fastest[0]) = (now, now);
            return;
        };
        if self.newest.is_none_or(|(_, newest)| position > newest) {
            self.newest = Some((timestamp, position));
        }
        let passed = now - self.last_arrival;
        self.last_arrival = now;
        self.follow_baseline(now - self.time_of(position), now);
        let lateness = now - self.time_of(position) - self.baseline;
        match &mut self.bunch {
            // Both waited for the same thing, somewhere on the way.
            Some((latest, _)) if passed * 10 < ticks_time * 6 => *latest = lateness.max(*latest),
            bunch => {
                let before = bunch.replace((lateness, now));
                if let Some((latest, began)) = before {
                    self.count(latest, (now - began).max(0), now);
                }
            }
        }
    }

    fn follow_baseline(&mut self, transit: i64, now: i64) {
        // One step at most for an arrival: a pause is no reason to forget what was known before it.
        if now - self.span_began >= SPAN {
            self.fastest.rotate_right(1);
            self.fastest[0] = transit;
            self.span_began = now;
        }
        self.fastest[0] = self.fastest[0].min(transit);
        let baseline = self.fastest.iter().copied().min().unwrap_or(transit);
        let risen = baseline - self.baseline;
        self.baseline = baseline;
        if risen < 0 && now - self.began < SETTLING {
            return;
        }
        // Past lateness is told from the new baseline: target and baseline together stand still.
        for peak in self.peaks.as_flattened_mut() {
            *peak = (*peak - risen).max(0);
        }
        if let Some((latest, _)) = &mut self.bunch {
            *latest -= risen;
        }
        self.unshifted -= risen;
        while self.unshifted >= BIN {
            self.unshifted -= BIN;
            let overflow = self.bins[BINS - 1];
            self.bins.rotate_right(1);
            self.bins[0] = 0.0;
            self.bins[BINS - 1] += overflow;
        }
        while self.unshifted <= -BIN {
            self.unshifted += BIN;
            let underflow = self.bins[0];
            self.bins.rotate_left(1);
            self.bins[BINS - 1] = 0.0;
            self.bins[0] += underflow;
        }
    }

    fn count(&mut self, lateness: i64, passed: i64, now: i64) {
        let kept = (-(passed as f32) / MEMORY).exp();
        // After a long pause the shape is still the best guess; only its weight is little.
        let kept = kept.max(0.1);
        self.bins.iter_mut().for_each(|bin| *bin *= kept);
        self.bins[((lateness / BIN).max(0) as usize).min(BINS - 1)] += 1.0;
        if now - self.peaks_began >= PEAK_SPAN {
            let spans = ((now - self.peaks_began) / PEAK_SPAN).min(PEAKS as i64) as usize;
            self.peaks.rotate_right(spans % PEAKS);
            self.peaks[..spans].fill([0; 2]);
            self.peaks_began = now;
        }
        let [latest, second] = &mut self.peaks[0];
        if lateness > *latest {
            (*latest, *second) = (lateness, *latest);
        } else {
            *second = lateness.max(*second);
        }
    }

    /// The delay to steer toward, from the fastest arrival of a packet to the turn of its first sample. `packet` is
    /// how long a packet or a playout frame lasts, whichever is more: so the packet after a lost one is usually there
    /// when the gap is to be filled.
    pub(super) fn target(&self, packet: i64) -> i64 {
        let second = self.second_latest();
        (self.quantile().max(second).max(FLOOR) + packet).min(CAP.max(packet))
    }

    fn quantile(&self) -> i64 {
        let mut left = self.bins.iter().sum::<f32>() * COVERED;
        for (n, bin) in self.bins.iter().enumerate() {
            if *bin >= left {
                let within = if *bin > 0.0 { left / *bin } else { 0.0 };
                return n as i64 * BIN + (within * BIN as f32) as i64 + self.unshifted.min(0);
            }
            left -= bin;
        }
        BINS as i64 * BIN
    }

    fn second_latest(&self) -> i64 {
        let mut top = [self.bunch.map_or(0, |(latest, _)| latest), 0];
        for lateness in self.peaks.as_flattened() {
            if *lateness > top[0] {
                top = [*lateness, top[0]];
            } else {
                top[1] = top[1].max(*lateness);
            }
        }
        top[1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: i64 = 20_000;

    /// Packet `n` of 20 ms, so many milliseconds after its beat.
    fn feed(arrivals: &mut Arrivals, n: u32, late_ms: u64) {
        arrivals.arrived(n * 160, 160, Instant::from_millis(1000 + u64::from(n) * 20 + late_ms));
    }

    fn fed(late: impl Fn(u32) -> u64, packets: u32) -> Arrivals {
        let mut arrivals = Arrivals::new(8000);
        (0..packets).for_each(|n| feed(&mut arrivals, n, late(n)));
        arrivals
    }

    #[test]
    fn a_quiet_path_is_steered_to_the_floor_and_one_packet() {
        assert_eq!(fed(|_| 7, 500).target(PACKET), FLOOR + PACKET);
    }

    #[test]
    fn regular_jitter_is_covered_and_two_late_packets_raise_the_target_at_once() {
        let jitter = |n: u32| u64::from(n * 7919 % 51);
        let target = fed(jitter, 1000).target(PACKET);
        assert!((65_000..=75_000).contains(&target), "{target}");
        let mut arrivals = fed(|_| 0, 1000);
        feed(&mut arrivals, 1000, 150);
        assert_eq!(arrivals.target(PACKET), FLOOR + PACKET, "once is an accident");
        feed(&mut arrivals, 1009, 130);
        assert!((145_000..=155_000).contains(&arrivals.target(PACKET)));
    }

    #[test]
    fn a_spike_every_ten_seconds_with_its_queue_costs_nothing_in_between() {
        let spike = |n: u32| 400u64.saturating_sub(u64::from(n % 500) * 20);
        let arrivals = fed(|n| if n > 400 { spike(n) } else { 0 }, 3100);
        assert_eq!(arrivals.target(PACKET), FLOOR + PACKET);
    }

    #[test]
    fn jitter_that_went_away_is_forgotten_within_twenty_seconds() {
        let arrivals = fed(|n| if n < 1000 { u64::from(n * 7919 % 101) } else { 0 }, 2000);
        assert!(arrivals.target(PACKET) <= 50_000, "{}", arrivals.target(PACKET));
    }

    #[test]
    fn a_path_that_became_longer_is_the_new_baseline_within_seconds() {
        let mut arrivals = fed(|n| if n < 1000 { 0 } else { 150 }, 1100);
        assert!(arrivals.target(PACKET) >= 150_000, "at first it looks late");
        (1100..1400).for_each(|n| feed(&mut arrivals, n, 150));
        assert_eq!(arrivals.target(PACKET), FLOOR + PACKET);
    }

    #[test]
    fn clocks_that_drift_apart_raise_no_target() {
        for drift in [-2i64, 2] {
            let mut arrivals = Arrivals::new(8000);
            for n in 0..30_000i64 {
                // 500 ppm, 10 us a packet.
                let at = 1_000_000_000 + n * 20_000_000 + n * 5_000 * drift;
                arrivals.arrived(n as u32 * 160, 160, Instant::from_nanos(at as u64));
            }
            assert_eq!(arrivals.target(PACKET), FLOOR + PACKET);
        }
    }
}
