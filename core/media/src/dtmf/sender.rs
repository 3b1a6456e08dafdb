//! Digits out: which report takes the place of the next audio packet.
//!
//! RFC 4733 sections 2.5.1.2 and 2.5.1.4. Asked once for each packet's worth of time, so that updates keep the packets' own
//! pace. All digits are of one length: no long presses, no RFC 2198.

use std::collections::VecDeque;

use super::{Digit, Key, Keys, PER_MS, REPORT, Report};

/// A digit's length: twice what the slowest of Q.24 wants, and more than one lost packet takes away.
const LENGTH: u32 = 160 * PER_MS;
/// From one digit's end to the next one's beginning. Q.24 wants 40 ms.
const GAP: u32 = 80 * PER_MS;
/// What a comma is worth, as in every modem's dial string.
const PAUSE: u32 = 2000 * PER_MS;
/// How often an end is told again.
const REPEATS: u8 = 2;
/// What gateways play digits at when they follow us, in -dBm0.
const VOLUME: u8 = 10;

/// A report to send in place of audio.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    /// The first packet of its event.
    pub(crate) marker: bool,
    /// Of the event's beginning.
    pub(crate) timestamp: u32,
    pub(crate) payload: [u8; REPORT],
}

/// What is still to be pressed, and what is being pressed.
#[derive(Debug)]
pub struct Sender {
    queue: VecDeque<Key>,
    phase: Phase,
}

/// ```text
///          digit               long enough           told again
///   Idle ---------> Sounding --------------> Ending ------------> Waiting --over--> Idle
///    |                                                               ^
///    +------------------------------ comma --------------------------+
/// ```
#[derive(Clone, Copy, Debug)]
enum Phase {
    Idle,
    Sounding {
        digit: Digit,
        began: u32,
        lasted: u32,
    },
    Ending {
        digit: Digit,
        began: u32,
        lasted: u32,
        /// Repetitions still to come, and the time since the end.
        left: u8,
        since: u32,
    },
    /// Audio, for so many ticks.
    Waiting(u32),
}

impl Default for Sender {
    fn default() -> Self {
        Self { queue: VecDeque::with_capacity(Keys::MOST), phase: Phase::Idle }
    }
}

impl Sender {
    /// Presses these when all before them has been pressed.
    pub fn press(&mut self, keys: &Keys) {
        self.queue.extend(keys.iter());
    }

    /// Forgets what was not begun.
    pub fn clear(&mut self) {
        self.queue.clear();
        self.interrupt();
    }

    /// Nothing can be sent for a while: the digit that is being pressed has been told of and is not taken up again.
    pub fn interrupt(&mut self) {
        if let Phase::Sounding { .. } | Phase::Ending { .. } = self.phase {
            self.phase = Phase::Waiting(GAP);
        }
    }

    /// What the packet of the `ticks` from `timestamp` on is to hold instead of audio, if anything.
    pub(crate) fn next(&mut self, timestamp: u32, ticks: u32) -> Option<Due> {
        loop {
            match &mut self.phase {
                Phase::Idle => match self.queue.pop_front()? {
                    Key::Digit(digit) => self.phase = Phase::Sounding { digit, began: timestamp, lasted: 0 },
                    Key::Pause => self.phase = Phase::Waiting(PAUSE),
                },
                Phase::Sounding { digit, began, lasted } => {
                    *lasted += ticks;
                    let (digit, began, lasted) = (*digit, *began, *lasted);
                    let end = lasted >= LENGTH;
                    if end {
                        self.phase = Phase::Ending { digit, began, lasted, left: REPEATS, since: 0 };
                    }
                    return Some(Due::new(digit, began, lasted, lasted == ticks, end));
                }
                Phase::Ending { digit, began, lasted, left, since } => {
                    *left -= 1;
                    *since += ticks;
                    let due = Due::new(*digit, *began, *lasted, false, true);
                    if *left == 0 {
                        self.phase = Phase::Waiting(GAP.saturating_sub(*since));
                    }
                    return Some(due);
                }
                Phase::Waiting(0) => self.phase = Phase::Idle,
                Phase::Waiting(left) => {
                    *left = left.saturating_sub(ticks);
                    return None;
                }
            }
        }
    }
}

impl Due {
    fn new(digit: Digit, timestamp: u32, lasted: u32, marker: bool, end: bool) -> Self {
        let volume = if digit.is_tone() { VOLUME } else { 0 };
        // One packet longer than a digit at most, and packets are short.
        let report = Report { event: digit.0, end, volume, duration: lasted as u16 };
        Self { marker, timestamp, payload: report.write() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every packet of so many milliseconds: its timestamp, and the report in it.
    fn packets(typed: &str, ms: u32, count: u32) -> Vec<(u32, Option<Due>)> {
        let mut sender = Sender::default();
        sender.press(&Keys::read(typed).unwrap());
        let first = u32::MAX - 500; // wraps within the first digit
        (0..count)
            .map(|n| {
                let timestamp = first.wrapping_add(n * ms * PER_MS);
                (timestamp, sender.next(timestamp, ms * PER_MS))
            })
            .collect()
    }

    fn report(due: &Due) -> Report {
        Report::read(due.payload)
    }

    #[test]
    fn a_digit_is_one_event_that_grows_and_whose_end_is_told_three_times() {
        let packets = packets("5", 20, 20);
        let reports: Vec<Due> = packets.iter().map_while(|(_, due)| *due).collect();
        let durations: Vec<u16> = reports.iter().map(|due| report(due).duration).collect();
        assert_eq!(durations, [160, 320, 480, 640, 800, 960, 1120, 1280, 1280, 1280]);
        for (n, due) in reports.iter().enumerate() {
            assert_eq!(due.timestamp, packets[0].0, "all of one event");
            assert_eq!((due.marker, report(due).end), (n == 0, n >= 7), "packet {n}");
            assert_eq!((report(due).event, report(due).volume), (5, 10));
        }
        assert!(packets[10..].iter().all(|(_, due)| due.is_none()));
    }

    #[test]
    fn digits_keep_their_distance_and_a_comma_is_two_seconds() {
        let began = |typed: &str, ms: u32| -> Vec<u32> {
            let packets = packets(typed, ms, 10_000 / ms);
            let since = |due: &Due| due.timestamp.wrapping_sub(packets[0].0) / PER_MS;
            packets.iter().filter_map(|(_, due)| due.as_ref()).filter(|due| due.marker).map(since).collect()
        };
        assert_eq!(began("123", 20), [0, 240, 480]);
        assert_eq!(began("1,2", 20), [0, 2240]);
        assert_eq!(began(",,1", 20), [4000]);
        assert_eq!(began("11", 10), [0, 240]);
        // Long packets tell late of the end, so the gap grows with them.
        assert_eq!(began("11", 60), [0, 300]);
    }

    #[test]
    fn what_was_interrupted_is_not_taken_up_again_and_the_rest_is() {
        let mut sender = Sender::default();
        sender.press(&Keys::read("12").unwrap());
        sender.next(0, 160).unwrap();
        sender.interrupt();
        (0..4).for_each(|n| assert!(sender.next(7360 + n * 160, 160).is_none(), "the gap"));
        let due = sender.next(8000, 160).unwrap();
        assert_eq!(
            (due.timestamp, due.marker, report(&due).event, report(&due).duration),
            (8000, true, 2, 160)
        );
        sender.press(&Keys::read("3").unwrap());
        sender.clear();
        assert!((0..50).all(|n| sender.next(16_000 + n * 160, 160).is_none()));
    }

    #[test]
    fn a_flash_has_no_volume() {
        let (_, due) = packets("!", 20, 1)[0];
        assert_eq!(due.map(|due| due.payload), Some([16, 0, 0, 160]));
    }
}
