//! Digits in: each event of the other side once, whichever of its packets come.
//!
//! RFC 4733 sections 2.5.2.2 to 2.5.2.4. An event is told by its timestamp, at its first packet that comes. One that comes
//! after a younger one is dropped: digits out of order are worse than a digit less. Takes packets that are in their stream:
//! duplicates and strangers are the session's. Knows nothing of how long a digit was pressed.

use std::collections::VecDeque;

use super::{Digit, PER_MS, REPORT, Report};
use crate::BadPayload;

/// Digits that wait to be fetched; a person presses ten a second, and they are fetched fifty times a second.
const WAITING: usize = 16;
/// A timestamp further behind than this is a clock that was set anew, not a straggler.
const RECENT: u32 = 10_000 * PER_MS;
/// Where a sender has to split a long event. RFC 4733 section 2.5.1.3.
const SEGMENT: u32 = 0xffff;

/// The other side's keypad.
#[derive(Debug)]
pub struct Receiver {
    last: Option<Last>,
    waiting: VecDeque<Digit>,
    unknown: u64,
    overrun: u64,
}

/// The youngest event.
#[derive(Clone, Copy, Debug)]
struct Last {
    digit: Digit,
    timestamp: u32,
    ended: bool,
}

impl Default for Receiver {
    fn default() -> Self {
        Self { last: None, waiting: VecDeque::with_capacity(WAITING), unknown: 0, overrun: 0 }
    }
}

impl Receiver {
    /// Takes the payload of one packet.
    ///
    /// # Errors
    /// [`BadPayload`]: not whole reports.
    pub fn packet(&mut self, marker: bool, timestamp: u32, payload: &[u8]) -> Result<(), BadPayload> {
        let (reports, rest) = payload.as_chunks::<REPORT>();
        if reports.is_empty() || !rest.is_empty() {
            return Err(BadPayload);
        }
        // Of several in one packet each begins where the one before it ended.
        let mut began = timestamp;
        for report in reports.iter().copied().map(Report::read) {
            match Digit::from_event(report.event) {
                // Only a state lasts for ever; a digit of no length is one that has yet to begin.
                Some(_) if report.duration == 0 => {}
                Some(digit) => self.digit(digit, began, marker, report.end),
                None => self.unknown += 1,
            }
            began = began.wrapping_add(report.duration.into());
        }
        Ok(())
    }

    fn digit(&mut self, digit: Digit, timestamp: u32, marker: bool, end: bool) {
        if let Some(last) = &mut self.last {
            let behind = last.timestamp.wrapping_sub(timestamp);
            if behind < RECENT {
                last.ended |= end && behind == 0;
                return;
            }
            let goes_on = last.digit == digit && !last.ended && behind.wrapping_neg() == SEGMENT && !marker;
            if goes_on {
                (last.timestamp, last.ended) = (timestamp, end);
                return;
            }
        }
        self.last = Some(Last { digit, timestamp, ended: end });
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

    /// Their stream begins anew: timestamps of before mean nothing.
    pub fn forget(&mut self) {
        self.last = None;
    }

    /// Reports of events that are no digits, and digits that came faster than anybody presses.
    pub fn ignored(&self) -> u64 {
        self.unknown + self.overrun
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
        let mut sender = Sender::default();
        sender.press(&Keys::read(typed).unwrap());
        let slots =
            (0..typed.len() as u32 * 120).map(|n| 7_000_u32.wrapping_sub(20_000).wrapping_add(n * 160));
        slots
            .filter_map(|at| sender.next(at, 160))
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
        receiver.packet(true, 1_000_000 - RECENT, &payload(2, true, 800)).unwrap();
        receiver.forget();
        receiver.packet(true, 1_000_000 - RECENT - 1, &payload(3, true, 800)).unwrap();
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
}
