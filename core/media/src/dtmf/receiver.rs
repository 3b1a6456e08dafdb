//! Digits in: each event of the other side once, whichever of its packets come.
//!
//! RFC 4733 sections 2.5.2.2 to 2.5.2.4. An event is told by its timestamp, at its first packet that comes. One that
//! comes after a younger one is dropped: digits out of order are worse than a digit less. A digit is over with its end,
//! with the next one, or when nothing is heard of it for a while. Takes packets that are in their stream: duplicates
//! and strangers are the session's.

use std::collections::VecDeque;
use std::time::Duration;

use super::{CLOCK, Digit, REPORT, Report, SEGMENT, ticks_per_ms};
use crate::BadPayload;

/// Digits that wait to be fetched; a person presses ten a second, and they are fetched fifty times a second.
const WAITING: usize = 16;
/// A timestamp further behind than this, in ms, is a clock that was set anew, not a straggler.
const RECENT: u32 = 10_000;
/// Segments that may be lost in a row within one event: half a minute at 8 kHz.
const SEGMENTS_LOST: u32 = 4;
/// A digit of which nothing was heard for this long is over: three updates of the 50 ms that section 2.5.1.2
/// recommends, and a packet's jitter.
const SILENCE: Duration = Duration::from_millis(200);
/// A digit that is told of for longer than this is held by nobody.
const LONGEST: Duration = Duration::from_secs(60);

/// The other side's keypad.
#[derive(Debug)]
pub struct Receiver {
    per_ms: u32,
    last: Option<Last>,
    waiting: VecDeque<Digit>,
    unknown: u64,
    overrun: u64,
}

/// The youngest event.
#[derive(Clone, Copy, Debug)]
struct Last {
    digit: Digit,
    /// Of the segment that was told of last: its beginning and its length so far, in ticks.
    timestamp: u32,
    duration: u32,
    /// They said that it is over.
    ended: bool,
    /// We say so: too long silent, or too long altogether.
    lapsed: bool,
    /// Since its first packet that came, and since its last.
    age: Duration,
    silent: Duration,
}

impl Default for Receiver {
    fn default() -> Self {
        Self::new(CLOCK)
    }
}

impl Receiver {
    /// Timestamps run at so many Hz from now on. Another clock than before is another count of time: what went on is over.
    pub fn set_clock(&mut self, clock: u32) {
        if self.per_ms != ticks_per_ms(clock) {
            self.per_ms = ticks_per_ms(clock);
            self.forget();
        }
    }

    /// For a clock of so many Hz: that of `telephone-event` in the SDP.
    pub fn new(clock: u32) -> Self {
        let waiting = VecDeque::with_capacity(WAITING);
        Self { per_ms: ticks_per_ms(clock), last: None, waiting, unknown: 0, overrun: 0 }
    }

    /// Takes the payload of one packet.
    ///
    /// # Errors
    /// [`BadPayload`]: not whole reports.
    pub fn packet(&mut self, marker: bool, timestamp: u32, payload: &[u8]) -> Result<(), BadPayload> {
        let (reports, rest) = payload.as_chunks::<REPORT>();
        if reports.is_empty() || !rest.is_empty() {
            return Err(BadPayload);
        }
        // Of several, the marker says that one of them begins, not which.
        let begins = marker && reports.len() == 1;
        // Of several in one packet each begins where the one before it ended.
        let mut began = timestamp;
        for report in reports.iter().copied().map(Report::read) {
            match Digit::from_event(report.event) {
                // Only a state lasts for ever; a digit of no length is one that has yet to begin.
                Some(_) if report.duration == 0 => {}
                Some(digit) => self.digit(digit, began, begins, report),
                None => self.unknown += 1,
            }
            began = began.wrapping_add(report.duration.into());
        }
        Ok(())
    }

    fn digit(&mut self, digit: Digit, timestamp: u32, begins: bool, report: Report) {
        let duration = u32::from(report.duration);
        if let Some(last) = &mut self.last {
            let behind = last.timestamp.wrapping_sub(timestamp);
            if behind == 0 {
                last.told(timestamp, duration.max(last.duration), report.end);
                return;
            }
            if behind < RECENT * self.per_ms {
                return;
            }
            if last.digit == digit && !begins && last.goes_on(behind.wrapping_neg()) {
                last.told(timestamp, duration, report.end);
                return;
            }
        }
        let (age, silent) = (Duration::ZERO, Duration::ZERO);
        self.last = Some(Last { digit, timestamp, duration, ended: report.end, lapsed: false, age, silent });
        if self.waiting.len() < WAITING {
            self.waiting.push_back(digit);
        } else {
            self.overrun += 1;
        }
    }

    /// The next digit that was pressed.
    pub fn poll(&mut self) -> Option<Digit> {
        self.waiting.pop_front()
    }

    /// So much time has passed. Without being told, a digit whose end was lost lasts until the next one.
    pub fn passed(&mut self, time: Duration) {
        if let Some(last) = &mut self.last {
            last.age = last.age.saturating_add(time);
            last.silent = last.silent.saturating_add(time);
            last.lapsed |= last.silent >= SILENCE || last.age >= LONGEST;
        }
    }

    /// What they hold down now. Whoever lets us hear their digits hears no voice meanwhile.
    pub fn pressing(&self) -> Option<Digit> {
        self.last.filter(|last| !last.ended && !last.lapsed).map(|last| last.digit)
    }

    /// Their stream begins anew: timestamps of before mean nothing.
    pub fn forget(&mut self) {
        self.last = None;
    }

    /// Reports of events that are no digits, and digits that came faster than anybody presses.
    pub fn ignored(&self) -> u64 {
        self.unknown + self.overrun
    }
}

impl Last {
    /// Another report of it. One that has lapsed is not taken up again: section 2.5.2.2.
    fn told(&mut self, timestamp: u32, duration: u32, end: bool) {
        (self.timestamp, self.duration) = (timestamp, duration);
        self.ended |= end;
        self.silent = Duration::ZERO;
    }

    /// Whether a report of the same digit, so many ticks younger and not marked, is of this event.
    fn goes_on(&self, ahead: u32) -> bool {
        // Who stamps each update with its own time says of one press that it begins before it is over.
        let overlaps = ahead < self.duration;
        // Where this segment ends the next begins, or one after it when all of that were lost. Who carries RFC 2198
        // cuts shorter ones: section 2.5.2.3.1.
        let segments = ahead.is_multiple_of(SEGMENT) && ahead / SEGMENT <= SEGMENTS_LOST;
        overlaps || !self.ended && (segments || ahead == self.duration)
    }
}

#[cfg(test)]
mod tests {
    use base::Rng;

    use super::super::{Keys, Sender};
    use super::*;

    fn payload(event: u8, end: bool, duration: u16) -> [u8; REPORT] {
        Report { event, end, volume: 10, duration }.write()
    }

    fn drain(receiver: &mut Receiver) -> String {
        std::iter::from_fn(|| receiver.poll()).map(Digit::as_char).collect()
    }

    /// The packets of what is typed, as a [`Sender`] makes them.
    fn packets(typed: &str) -> Vec<(bool, u32, [u8; REPORT])> {
        packets_at(typed, 8000)
    }

    /// As [`packets`], on another clock.
    fn packets_at(typed: &str, clock: u32) -> Vec<(bool, u32, [u8; REPORT])> {
        let mut sender = Sender::new(clock);
        sender.press(&Keys::read(typed).unwrap());
        let ticks = clock / 50;
        let slots =
            (0..typed.len() as u32 * 120).map(|n| 7_000_u32.wrapping_sub(20_000).wrapping_add(n * ticks));
        slots
            .filter_map(|at| sender.next(at, ticks))
            .map(|due| (due.marker, due.timestamp, due.payload))
            .collect()
    }

    /// What is heard of those packets that `keep` lets through.
    fn heard(typed: &str, keep: impl Fn(usize) -> bool) -> String {
        let mut receiver = Receiver::default();
        let mut heard = String::new();
        for (n, (marker, timestamp, payload)) in packets(typed).into_iter().enumerate() {
            if keep(n) {
                receiver.packet(marker, timestamp, &payload).unwrap();
            }
            heard += &drain(&mut receiver);
        }
        heard
    }

    #[test]
    fn each_digit_is_delivered_once_whichever_of_its_packets_are_lost() {
        assert_eq!(heard("1123,4*#D!", |_| true), "11234*#D!");
        assert_eq!(heard("112", |n| n % 10 > 3), "112", "the beginnings are lost");
        assert_eq!(heard("112", |n| n % 10 < 3), "112", "the ends are lost");
        for only in 0..10 {
            assert_eq!(heard("112", |n| n % 10 == only), "112", "only packet {only} of each comes");
        }
    }

    #[test]
    fn a_thousand_digits_over_a_link_that_loses_a_tenth_come_once_and_in_order() {
        let seed = 4733;
        let mut rng = Rng::from_number(seed);
        let mut receiver = Receiver::default();
        let (mut sent, mut heard) = (String::new(), String::new());
        let mut sender = Sender::default();
        let mut at = rng.bits() as u32;
        for _ in 0..1000 {
            let digit = char::from(Digit::NAMES[rng.below(17) as usize]);
            sent.push(digit);
            sender.press(&Keys::read(digit.encode_utf8(&mut [0; 4])).unwrap());
            for _ in 0..12 {
                if let Some(due) = sender.next(at, 160) {
                    for _ in 0..[0, 1, 1, 1, 1, 1, 1, 1, 1, 2][rng.below(10) as usize] {
                        receiver.packet(due.marker, due.timestamp, &due.payload).unwrap();
                    }
                }
                at = at.wrapping_add(160);
            }
            heard += &drain(&mut receiver);
        }
        assert_eq!(heard, sent, "seed {seed}");
    }

    #[test]
    fn a_straggler_of_the_digit_before_is_not_another_digit() {
        let mut receiver = Receiver::default();
        for (timestamp, event) in [(1000, 1), (3000, 2), (1000, 1), (3000, 2), (900, 7)] {
            receiver.packet(false, timestamp, &payload(event, true, 800)).unwrap();
        }
        assert_eq!(drain(&mut receiver), "12");
    }

    #[test]
    fn a_clock_that_was_set_anew_is_believed_and_so_is_a_new_stream() {
        let mut receiver = Receiver::default();
        receiver.packet(true, 1_000_000, &payload(1, true, 800)).unwrap();
        receiver.packet(true, 1_000_000 - RECENT * 8, &payload(2, true, 800)).unwrap();
        receiver.forget();
        receiver.packet(true, 1_000_000 - RECENT * 8 - 1, &payload(3, true, 800)).unwrap();
        assert_eq!(drain(&mut receiver), "123");
    }

    #[test]
    fn a_long_press_in_segments_is_one_digit_and_two_presses_are_two() {
        let mut receiver = Receiver::default();
        let begun = 100_u32;
        receiver.packet(true, begun, &payload(5, false, 160)).unwrap();
        receiver.packet(false, begun, &payload(5, false, 0xffff)).unwrap();
        receiver.packet(false, begun + SEGMENT, &payload(5, false, 160)).unwrap();
        receiver.packet(false, begun + 2 * SEGMENT, &payload(5, true, 160)).unwrap();
        assert_eq!(drain(&mut receiver), "5");
        receiver.packet(false, begun + 3 * SEGMENT, &payload(5, true, 160)).unwrap();
        assert_eq!(drain(&mut receiver), "5", "the one before had ended");
        receiver.packet(false, begun + 4 * SEGMENT, &payload(6, false, 160)).unwrap();
        receiver.packet(true, begun + 5 * SEGMENT, &payload(6, false, 160)).unwrap();
        assert_eq!(drain(&mut receiver), "66", "the marker says that it begins");
    }

    #[test]
    fn several_events_in_one_packet_are_as_many_digits_once() {
        let mut receiver = Receiver::default();
        let both = [payload(1, true, 800), payload(2, true, 800)].concat();
        receiver.packet(true, 500, &both).unwrap();
        receiver.packet(false, 500, &both).unwrap();
        assert_eq!(drain(&mut receiver), "12");
    }

    #[test]
    fn what_is_no_digit_or_no_report_is_counted_and_not_delivered() {
        let mut receiver = Receiver::default();
        for bytes in [&b""[..], b"\x01", b"\x01\x0a\x01", b"\x01\x0a\x01\x40\x01"] {
            assert_eq!(receiver.packet(true, 0, bytes), Err(BadPayload));
        }
        receiver.packet(true, 100, &payload(17, false, 160)).unwrap();
        receiver.packet(true, 300, &payload(255, true, 0)).unwrap();
        receiver.packet(true, 500, &payload(1, false, 0)).unwrap();
        assert_eq!((drain(&mut receiver), receiver.ignored()), (String::new(), 2));
        receiver.packet(false, 500, &payload(1, false, 160)).unwrap();
        assert_eq!(drain(&mut receiver), "1", "it has begun by now");
    }

    #[test]
    fn digits_that_nobody_fetches_are_bounded_and_counted() {
        let mut receiver = Receiver::default();
        (0..100).for_each(|n| receiver.packet(true, n * 2000, &payload(1, true, 800)).unwrap());
        assert_eq!((drain(&mut receiver).len(), receiver.ignored()), (WAITING, 100 - WAITING as u64));
    }

    #[test]
    fn any_bytes_are_taken_and_what_is_repeated_at_once_says_nothing_new() {
        let seed = 2833;
        let mut rng = Rng::from_number(seed);
        let mut receiver = Receiver::default();
        for round in 0..50_000 {
            let mut bytes = vec![0; rng.below(14) as usize];
            rng.fill(&mut bytes);
            let (marker, timestamp) = (rng.below(2) == 0, rng.bits() as u32 >> rng.below(32));
            let taken = receiver.packet(marker, timestamp, &bytes);
            assert_eq!(
                taken.is_ok(),
                !bytes.is_empty() && bytes.len().is_multiple_of(REPORT),
                "seed {seed}, {round}"
            );
            let heard = drain(&mut receiver).len();
            assert!(heard <= bytes.len() / REPORT, "seed {seed}, {round}");
            // One event: told again it is known. Several may lie further apart than what is remembered.
            if bytes.len() == REPORT {
                receiver.packet(marker, timestamp, &bytes).unwrap();
                assert_eq!(drain(&mut receiver), "", "seed {seed}, {round}");
            }
        }
        assert!(receiver.ignored() > 1000);
    }

    const MS_20: Duration = Duration::from_millis(20);

    fn pressing(receiver: &Receiver) -> Option<char> {
        receiver.pressing().map(Digit::as_char)
    }

    #[test]
    fn each_digit_is_delivered_once_on_every_clock_whichever_of_its_packets_come() {
        for clock in [8000, 16_000, 48_000] {
            for only in 0..10 {
                let mut receiver = Receiver::new(clock);
                let all = packets_at("55,#", clock);
                let mut heard = String::new();
                for (marker, timestamp, payload) in all.iter().skip(only).step_by(10) {
                    receiver.packet(*marker, *timestamp, payload).unwrap();
                    heard += &drain(&mut receiver);
                }
                assert_eq!(heard, "55#", "{clock} Hz, only packet {only} of each");
            }
        }
    }

    #[test]
    fn a_straggler_is_one_for_ten_seconds_on_every_clock() {
        for clock in [8000, 16_000, 48_000] {
            let mut receiver = Receiver::new(clock);
            receiver.packet(true, 0, &payload(1, true, 800)).unwrap();
            receiver.packet(true, 0_u32.wrapping_sub(10 * clock - 1), &payload(2, true, 800)).unwrap();
            assert_eq!(drain(&mut receiver), "1", "{clock} Hz");
            receiver.packet(true, 0_u32.wrapping_sub(10 * clock), &payload(3, true, 800)).unwrap();
            assert_eq!(drain(&mut receiver), "3", "{clock} Hz");
        }
    }

    #[test]
    fn a_key_that_is_held_is_one_digit_over_a_link_that_loses_a_fifth() {
        for (clock, seed) in [(8000, 1), (16_000, 2), (48_000, 3), (48_000, 4)] {
            let mut rng = Rng::from_number(seed);
            let (mut sender, mut receiver) = (Sender::new(clock), Receiver::new(clock));
            sender.hold(Digit::from_char('8').unwrap());
            let ticks = clock / 50;
            let mut over_at = None;
            for n in 0..1400 {
                if n == 1000 {
                    sender.release();
                }
                receiver.passed(MS_20);
                if let Some(due) = sender.next(n * ticks, ticks)
                    && rng.below(5) > 0
                {
                    receiver.packet(due.marker, due.timestamp, &due.payload).unwrap();
                }
                if n > 5 && pressing(&receiver).is_none() {
                    over_at.get_or_insert(n);
                }
            }
            assert_eq!(drain(&mut receiver), "8", "{clock} Hz, seed {seed}");
            assert!(
                over_at.is_some_and(|n| (1000..1015).contains(&n)),
                "{over_at:?} at {clock} Hz, seed {seed}"
            );
        }
    }

    #[test]
    fn a_long_press_of_which_a_whole_segment_is_lost_or_cut_short_is_one_digit() {
        let mut receiver = Receiver::default();
        receiver.packet(true, 0, &payload(5, false, 160)).unwrap();
        receiver.packet(false, 2 * SEGMENT, &payload(5, false, 160)).unwrap();
        receiver.packet(false, 2 * SEGMENT, &payload(5, false, 0x3e00)).unwrap();
        receiver.packet(false, 2 * SEGMENT + 0x3e00, &payload(5, true, 160)).unwrap();
        assert_eq!(drain(&mut receiver), "5");
        // The end of a segment and the beginning of the next, or of another press, in one packet.
        let mut receiver = Receiver::default();
        let both = |end| [payload(6, end, 0xffff), payload(6, false, 160)].concat();
        receiver.packet(true, 0, &payload(6, false, 160)).unwrap();
        receiver.packet(false, 0, &both(false)).unwrap();
        assert_eq!(drain(&mut receiver), "6");
        receiver.packet(true, 40 * SEGMENT, &both(true)).unwrap();
        assert_eq!(drain(&mut receiver), "66");
    }

    #[test]
    fn a_press_whose_every_update_has_a_timestamp_of_its_own_is_one_digit() {
        let mut receiver = Receiver::default();
        for n in 0..10_u16 {
            let lasted = (n + 1).min(8) * 160;
            receiver.packet(n == 0, u32::from(n) * 160, &payload(4, n >= 7, lasted)).unwrap();
        }
        receiver.packet(false, 20 * 160, &payload(4, false, 320)).unwrap();
        assert_eq!(
            drain(&mut receiver),
            "44",
            "the second, whose beginning was lost, came after the end of the first"
        );
    }

    #[test]
    fn a_digit_is_held_until_its_end_or_the_next_one() {
        let mut receiver = Receiver::default();
        receiver.packet(true, 0, &payload(1, false, 160)).unwrap();
        assert_eq!(pressing(&receiver), Some('1'));
        receiver.packet(false, 0, &payload(1, true, 800)).unwrap();
        assert_eq!(pressing(&receiver), None);
        receiver.packet(false, 0, &payload(1, false, 640)).unwrap();
        assert_eq!(pressing(&receiver), None, "what was overtaken does not take it back");
        receiver.packet(true, 2000, &payload(2, false, 160)).unwrap();
        receiver.packet(true, 4000, &payload(3, false, 160)).unwrap();
        assert_eq!(pressing(&receiver), Some('3'), "the end of the second was lost");
    }

    #[test]
    fn a_digit_whose_end_never_comes_is_over_after_200_ms_and_is_not_taken_up_again() {
        let mut receiver = Receiver::default();
        receiver.packet(true, 0, &payload(1, false, 160)).unwrap();
        (0..9).for_each(|_| receiver.passed(MS_20));
        assert_eq!(pressing(&receiver), Some('1'));
        receiver.passed(MS_20);
        assert_eq!(pressing(&receiver), None);
        receiver.packet(false, 0, &payload(1, false, 3200)).unwrap();
        receiver.packet(false, SEGMENT, &payload(1, false, 3200)).unwrap();
        assert_eq!((pressing(&receiver), drain(&mut receiver)), (None, "1".into()));
    }

    #[test]
    fn a_digit_that_never_ends_is_over_after_a_minute() {
        let mut receiver = Receiver::default();
        for n in 0..3100_u32 {
            receiver.passed(MS_20);
            let (segment, lasted) = (n * 160 / SEGMENT, n * 160 % SEGMENT + 1);
            receiver.packet(n == 0, segment * SEGMENT, &payload(9, false, lasted as u16)).unwrap();
            assert_eq!(pressing(&receiver).is_some(), n < 3000, "{n}");
        }
        assert_eq!(drain(&mut receiver), "9");
    }
}
