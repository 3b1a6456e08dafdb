//! What was received of one source: sequence, loss, duplicates, jitter.
//!
//! RFC 3550 section 6.4.1 and appendices A.1, A.3 and A.8, written from their text. Knows nothing of codecs, and
//! of time only what each arrival tells.

use std::time::Duration;

use base::Instant;

use crate::bursts::{Bursts, Clusters, Fate};
use crate::rtcp::ReportBlock;

/// A forward jump of this many packets or more is another stream under the same name. RFC 3550 appendix A.1.
const MAX_DROPOUT: u16 = 3000;
/// Packets behind the highest by less than this are reordered, not another stream. RFC 3550 appendix A.1
/// says 100; the history below holds 128.
const MAX_MISORDER: u16 = 100;

/// The coarsest clock that a delay is measured with and still believed: 10 ms, in 65,536ths of a second.
const CLOCK_GRAIN: u32 = 655;

/// What an arrival means for its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The next one, or later ones were skipped.
    Ahead,
    /// One that had been skipped.
    Reordered,
    /// One that was here already; not for the codec.
    Duplicate,
    /// Far off the sequence: believed when its successor comes too. Not for the codec yet.
    Suspect,
    /// The successor of a suspect: the stream counts anew from here.
    Restarted,
}

/// One source's reception.
#[derive(Clone, Debug)]
pub struct Reception {
    ssrc: u32,
    clock_rate: u32,
    /// Extended by wraps; begins one wrap up, so that a packet from before the first does not go below zero.
    first: u32,
    highest: u32,
    /// Which of the 128 numbers up to `highest` came; bit 0 is `highest` itself.
    history: u128,
    /// Which of them came and were not played.
    discarded: u128,
    /// The first number whose fate is not yet counted: it may still come.
    unsettled: u32,
    bursts: Bursts,
    received: u32,
    duplicates: u32,
    /// After a jump: the number that would confirm it.
    suspect: Option<u16>,
    /// Expected, received and duplicates of what was counted before a restart.
    before: Totals,
    /// Expected and received when the last report was written.
    reported: (u32, u32),
    /// In 16ths of a tick.
    jitter: u32,
    transit: Option<u32>,
    last_sr: Option<(u32, Instant)>,
}

/// Packet counts of one or several sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// By the sequence numbers.
    pub expected: u64,
    /// Each once.
    pub received: u64,
    /// Beyond the first.
    pub duplicates: u64,
}

impl std::ops::Add for Totals {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            expected: self.expected + other.expected,
            received: self.received + other.received,
            duplicates: self.duplicates + other.duplicates,
        }
    }
}

impl Reception {
    /// Begins with a source's first packet, which is still to be given to [`Self::arrived`].
    pub fn new(ssrc: u32, sequence: u16, clock_rate: u32) -> Self {
        let first = 1 << 16 | u32::from(sequence);
        Self {
            ssrc,
            clock_rate,
            first,
            highest: first.wrapping_sub(1),
            history: 0,
            discarded: 0,
            unsettled: first,
            bursts: Bursts::default(),
            received: 0,
            duplicates: 0,
            suspect: None,
            before: Totals::default(),
            reported: (0, 0),
            jitter: 0,
            transit: None,
            last_sr: None,
        }
    }

    /// The source.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Takes one packet.
    pub fn arrived(&mut self, sequence: u16, timestamp: u32, now: Instant) -> Arrival {
        let ahead = sequence.wrapping_sub(self.highest as u16);
        let arrival = match ahead {
            0 => Arrival::Duplicate,
            1..MAX_DROPOUT => {
                self.settle(ahead);
                self.discarded = self.discarded.checked_shl(u32::from(ahead)).unwrap_or(0);
                self.highest = self.highest.wrapping_add(u32::from(ahead));
                self.history = self.history.checked_shl(u32::from(ahead)).unwrap_or(0) | 1;
                Arrival::Ahead
            }
            _ => {
                let behind = ahead.wrapping_neg();
                if behind >= MAX_MISORDER {
                    return self.jumped(sequence, timestamp, now);
                }
                let seen = 1 << behind;
                if self.history & seen == 0 {
                    self.history |= seen;
                    // Overtaken by the one that we took for the first.
                    let number = self.highest.wrapping_sub(u32::from(behind));
                    if self.unsettled == self.first {
                        self.unsettled = self.first.min(number);
                    }
                    self.first = self.first.min(number);
                    Arrival::Reordered
                } else {
                    Arrival::Duplicate
                }
            }
        };
        self.suspect = None;
        if arrival == Arrival::Duplicate {
            self.duplicates += 1;
        } else {
            self.received += 1;
            self.measure_jitter(timestamp, now);
        }
        arrival
    }

    fn jumped(&mut self, sequence: u16, timestamp: u32, now: Instant) -> Arrival {
        if self.suspect != Some(sequence) {
            self.suspect = Some(sequence.wrapping_add(1));
            return Arrival::Suspect;
        }
        let fresh = Self::new(self.ssrc, sequence, self.clock_rate);
        let old = std::mem::replace(self, fresh);
        self.bursts = old.settled();
        (self.before, self.last_sr, self.jitter) = (old.totals(), old.last_sr, old.jitter);
        self.arrived(sequence, timestamp, now);
        Arrival::Restarted
    }

    /// One that arrived could not be played any more, or not yet.
    pub fn discard(&mut self, sequence: u16) {
        let behind = (self.highest as u16).wrapping_sub(sequence);
        self.discarded |= 1u128.checked_shl(behind.into()).unwrap_or(0);
    }

    /// How its losses cluster, up to now.
    pub fn clusters(&self) -> Clusters {
        self.settled().sum()
    }

    /// Counts those that are too old to come, once the highest is so far ahead.
    fn settle(&mut self, ahead: u16) {
        let open = self.highest.wrapping_add(ahead.into()).wrapping_sub(u32::from(MAX_MISORDER) - 1);
        while (self.unsettled.wrapping_sub(open) as i32) < 0 {
            self.bursts.next(self.fate(self.unsettled));
            self.unsettled = self.unsettled.wrapping_add(1);
        }
    }

    /// All counted, as if none came any more.
    fn settled(&self) -> Bursts {
        let mut bursts = self.bursts;
        for ahead in 0..self.highest.wrapping_sub(self.unsettled).wrapping_add(1) {
            bursts.next(self.fate(self.unsettled.wrapping_add(ahead)));
        }
        bursts
    }

    fn fate(&self, number: u32) -> Fate {
        // Ahead of the highest it wraps, and is far behind.
        let seen = 1u128.checked_shl(self.highest.wrapping_sub(number)).unwrap_or(0);
        match (self.history & seen != 0, self.discarded & seen != 0) {
            (false, _) => Fate::Lost,
            (true, true) => Fate::Discarded,
            (true, false) => Fate::Kept,
        }
    }

    fn measure_jitter(&mut self, timestamp: u32, now: Instant) {
        let ticks = u128::from(now.as_nanos()) * u128::from(self.clock_rate) / 1_000_000_000;
        let transit = (ticks as u32).wrapping_sub(timestamp);
        if let Some(before) = self.transit.replace(transit) {
            let change = (transit.wrapping_sub(before) as i32).unsigned_abs();
            // J += (|D| - J) / 16, with J kept in 16ths and rounded.
            self.jitter = (self.jitter - (self.jitter + 8) / 16).saturating_add(change);
        }
    }

    /// Takes the NTP time of the source's sender report.
    pub fn sender_report(&mut self, ntp: u64, now: Instant) {
        self.last_sr = Some(((ntp >> 16) as u32, now));
    }

    /// The timestamps run at another clock from now on.
    pub fn set_clock(&mut self, clock_rate: u32) {
        if self.clock_rate != clock_rate {
            self.jitter =
                (u64::from(self.jitter) * u64::from(clock_rate) / u64::from(self.clock_rate)) as u32;
            (self.clock_rate, self.transit) = (clock_rate, None);
        }
    }

    /// Interarrival jitter.
    pub fn jitter(&self) -> Duration {
        Duration::from_secs_f64(f64::from(self.jitter) / 16.0 / f64::from(self.clock_rate))
    }

    /// Counts since the source's first packet.
    pub fn totals(&self) -> Totals {
        let expected = self.highest.wrapping_sub(self.first).wrapping_add(1);
        self.before
            + Totals {
                expected: expected.into(),
                received: self.received.into(),
                duplicates: self.duplicates.into(),
            }
    }

    /// The block for the next report; `None` when nothing came since the last one. RFC 3550 section 6.4.
    pub fn report(&mut self, now: Instant) -> Option<ReportBlock> {
        let expected = self.highest.wrapping_sub(self.first).wrapping_add(1);
        // Duplicates count as received here, so that the sum can go negative: RFC 3550 section 6.4.1.
        let received = self.received + self.duplicates;
        let (expected_before, received_before) = self.reported;
        if received == received_before {
            return None;
        }
        self.reported = (expected, received);
        let expected_since = i64::from(expected) - i64::from(expected_before);
        let lost_since = expected_since - i64::from(received - received_before);
        let fraction_lost = if expected_since > 0 && lost_since > 0 {
            (lost_since * 256 / expected_since).min(255) as u8
        } else {
            0
        };
        let (last_sr, delay_since_last_sr) = match self.last_sr {
            Some((ntp, at)) => (ntp, ticks_since(at, now)),
            None => (0, 0),
        };
        Some(ReportBlock {
            ssrc: self.ssrc,
            fraction_lost,
            lost: (i64::from(expected) - i64::from(received)) as i32,
            // On the wire the count of wraps begins at 0.
            highest: self.highest.wrapping_sub(1 << 16),
            jitter: self.jitter / 16,
            last_sr,
            delay_since_last_sr,
        })
    }
}

/// In 65,536ths of a second.
pub(crate) fn ticks_since(at: Instant, now: Instant) -> u32 {
    u32::try_from(now.since(at).as_nanos() * 65_536 / 1_000_000_000).unwrap_or(u32::MAX)
}

/// The round trip that our own clock tells, said back as a report block's `LSR` and `DLSR` or as an XR block's `LRR` and
/// `DLRR`: RFC 3550 section 6.4.1 figure 2, RFC 3611 section 4.5. `None`: nothing of ours had come yet, or the sums make no
/// sense.
pub(crate) fn round_trip(said_back: u32, held: u32, wall: u64) -> Option<Duration> {
    if said_back == 0 {
        return None;
    }
    let ticks = ((wall >> 16) as u32).wrapping_sub(said_back).wrapping_sub(held);
    // Who measures its delay in whole milliseconds may claim a little more than there was.
    if ticks.wrapping_neg() <= CLOCK_GRAIN {
        return Some(Duration::ZERO);
    }
    // A minute or more, and so any greater negative sum too, is a lie.
    (ticks < 60 << 16).then(|| Duration::from_secs_f64(f64::from(ticks) / 65_536.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packet `n` of a stream that begins at `first`, arriving on its 20 ms beat plus `extra` ms.
    fn feed(r: &mut Reception, first: u16, n: u16, extra: u64) -> Arrival {
        let now = Instant::from_millis(1000 + u64::from(n) * 20 + extra);
        r.arrived(first.wrapping_add(n), u32::from(n) * 160, now)
    }

    #[test]
    fn a_wrapping_stream_without_loss_has_none() {
        let mut r = Reception::new(1, 65_500, 8000);
        for n in 0..100 {
            assert_eq!(feed(&mut r, 65_500, n, 0), Arrival::Ahead);
        }
        assert_eq!(r.totals(), Totals { expected: 100, received: 100, duplicates: 0 });
        let block = r.report(Instant::from_millis(9000)).unwrap();
        assert_eq!((block.lost, block.fraction_lost, block.jitter), (0, 0, 0));
        assert_eq!(block.highest, 65_500 + 99);
    }

    #[test]
    fn losses_duplicates_and_reordering_are_told_apart() {
        let mut r = Reception::new(1, 10, 8000);
        let arrivals: Vec<_> = [0, 1, 4, 3, 3, 4, 6].map(|n| feed(&mut r, 10, n, 0)).into();
        use Arrival::*;
        assert_eq!(arrivals, [Ahead, Ahead, Ahead, Reordered, Duplicate, Duplicate, Ahead]);
        assert_eq!(r.totals(), Totals { expected: 7, received: 5, duplicates: 2 });
        assert_eq!(r.report(Instant::ZERO).unwrap().lost, 0, "duplicates make up for losses on the wire");
    }

    #[test]
    fn one_that_the_first_overtook_belongs_to_the_stream() {
        let mut r = Reception::new(1, 0, 8000);
        feed(&mut r, 0, 0, 0);
        assert_eq!(r.arrived(65_535, 0u32.wrapping_sub(160), Instant::from_millis(1001)), Arrival::Reordered);
        assert_eq!(r.totals(), Totals { expected: 2, received: 2, duplicates: 0 });
    }

    #[test]
    fn the_fraction_lost_is_that_since_the_last_report() {
        let mut r = Reception::new(1, 0, 8000);
        for n in (0..10).step_by(2) {
            feed(&mut r, 0, n, 0);
        }
        feed(&mut r, 0, 9, 0);
        let block = r.report(Instant::ZERO).unwrap();
        assert_eq!((block.lost, block.fraction_lost), (4, (4 * 256 / 10) as u8));
        assert_eq!(r.report(Instant::ZERO), None, "nothing came since");
        for n in 10..20 {
            feed(&mut r, 0, n, 0);
        }
        let block = r.report(Instant::ZERO).unwrap();
        assert_eq!((block.lost, block.fraction_lost), (4, 0));
    }

    #[test]
    fn a_single_stray_number_is_dropped_and_two_in_a_row_restart_the_count() {
        let mut r = Reception::new(1, 0, 8000);
        feed(&mut r, 0, 0, 0);
        assert_eq!(r.arrived(30_000, 0, Instant::ZERO), Arrival::Suspect);
        assert_eq!(feed(&mut r, 0, 1, 0), Arrival::Ahead);
        assert_eq!(r.arrived(40_000, 0, Instant::ZERO), Arrival::Suspect);
        assert_eq!(r.arrived(40_001, 160, Instant::ZERO), Arrival::Restarted);
        assert_eq!(r.totals(), Totals { expected: 3, received: 3, duplicates: 0 });
    }

    #[test]
    fn jitter_follows_the_formula() {
        let mut r = Reception::new(1, 0, 8000);
        let mut expected = 0.0;
        for n in 0..200u16 {
            let extra = if n % 2 == 0 { 0 } else { 5 };
            feed(&mut r, 0, n, extra);
            if n > 0 {
                expected += (40.0 - expected) / 16.0;
            }
        }
        let ticks = r.jitter().as_secs_f64() * 8000.0;
        assert!((ticks - expected).abs() < 1.0, "{ticks} is not {expected}");
    }

    #[test]
    fn round_trip_is_that_of_the_figure_in_the_rfc() {
        let told = |last, held| round_trip(last, held, 0xb710_8000 << 16);
        assert_eq!(told(0xb705_2000, 0x0005_4000), Some(Duration::from_millis(6125)));
        assert_eq!(told(0, 0x0005_4000), None);
        assert_eq!(told(0xb705_2000, 0x00ff_0000), None, "a negative sum");
        assert_eq!(told(0xb705_2000, 0x000b_6040), Some(Duration::ZERO), "negative by a millisecond");
    }

    #[test]
    fn the_fate_of_a_packet_is_settled_when_it_can_come_no_more() {
        let mut r = Reception::new(1, 65_400, 8000);
        for n in (0..300).filter(|n| ![50, 51, 120].contains(n)) {
            feed(&mut r, 65_400, n, 0);
        }
        feed(&mut r, 65_400, 250, 0);
        r.discard(65_400u16.wrapping_add(280));
        let sum = r.clusters();
        assert_eq!((sum.expected, sum.lost, sum.discarded), (300, 3, 1));
        assert_eq!((sum.bursts, sum.in_bursts, sum.gaps), (1, 2, 2));
        assert_eq!(feed(&mut r, 65_400, 310, 0), Arrival::Ahead);
        assert_eq!(r.clusters().lost, 13);
        assert_eq!(feed(&mut r, 65_400, 305, 0), Arrival::Reordered);
        assert_eq!(r.clusters().lost, 12, "it came after all");
    }

    #[test]
    fn clusters_outlive_a_jump_of_the_numbers_and_begin_with_an_overtaken_first() {
        let mut r = Reception::new(1, 5, 8000);
        for n in [0, 2, 4] {
            feed(&mut r, 5, n, 0);
        }
        r.arrived(3, 0, Instant::ZERO);
        assert_eq!((r.clusters().expected, r.clusters().lost), (7, 3));
        r.arrived(40_000, 0, Instant::ZERO);
        assert_eq!(r.arrived(40_001, 160, Instant::ZERO), Arrival::Restarted);
        assert_eq!((r.clusters().expected, r.clusters().lost), (8, 3));
    }

    #[test]
    fn the_delay_since_the_last_sender_report_is_told() {
        let mut r = Reception::new(1, 0, 8000);
        feed(&mut r, 0, 0, 0);
        r.sender_report(0xb44d_b705_2000_0000, Instant::from_millis(1000));
        let block = r.report(Instant::from_millis(6250)).unwrap();
        assert_eq!((block.last_sr, block.delay_since_last_sr), (0xb705_2000, 0x0005_4000));
    }
}
