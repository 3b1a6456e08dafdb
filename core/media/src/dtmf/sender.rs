//! Digits out: which report takes the place of the next audio packet.
//!
//! RFC 4733 sections 2.5.1.2 to 2.5.1.4. Asked once for each packet's worth of time, so that updates keep the packets'
//! own pace. What is typed is of one length; what is held lasts until it is let go, in segments. No RFC 2198.

use std::collections::VecDeque;

use super::{CLOCK, Digit, Key, Keys, PAUSE, REPORT, Report, SEGMENT, ticks_per_ms};

/// A digit's length in ms: twice what the slowest of Q.24 wants, and more than one lost packet takes away.
const LENGTH: u32 = 160;
/// From one digit's end to the next one's beginning, in ms. Q.24 wants 40.
const GAP: u32 = 80;
/// A key that is held longer than this, in ms, is one whose letting go was missed.
const LONGEST: u32 = 30_000;
/// How often an end is told again, a segment's too. RFC 4733 section 2.5.1.4.
const REPEATS: u8 = 2;
/// What gateways play digits at when they follow us, in -dBm0.
const VOLUME: u8 = 10;

/// A report to send in place of audio.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    /// The first packet of its event.
    pub(crate) marker: bool,
    /// Of the event's or the segment's beginning.
    pub(crate) timestamp: u32,
    pub(crate) payload: [u8; REPORT],
}

/// What is still to be pressed, and what is being pressed.
#[derive(Debug)]
pub struct Sender {
    per_ms: u32,
    queue: VecDeque<Press>,
    phase: Phase,
}

/// One that waits.
#[derive(Clone, Copy, Debug)]
enum Press {
    Key(Key),
    /// Until it is let go.
    Held(Digit),
}

/// ```text
///          digit               long enough           told again
///   Idle ---------> Sounding --------------> Ending ------------> Waiting --over--> Idle
///    |               | ^ full: the next segment                      ^
///    |               +-+                                             |
///    +------------------------------ comma --------------------------+
/// ```
/// All in ticks.
#[derive(Clone, Copy, Debug)]
enum Phase {
    Idle,
    Sounding(Sounding),
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

#[derive(Clone, Copy, Debug)]
struct Sounding {
    digit: Digit,
    held: bool,
    /// Of the segment: its beginning, and how long it has lasted.
    began: u32,
    lasted: u32,
    /// Of all segments together.
    total: u32,
    /// How often the end of the segment before is still to be told again.
    repeats: u8,
}

impl Default for Sender {
    fn default() -> Self {
        Self::new(CLOCK)
    }
}

impl Sender {
    /// For a clock of so many Hz: that of `telephone-event` in the SDP, which is the audio codec's.
    pub fn new(clock: u32) -> Self {
        let queue = VecDeque::with_capacity(Keys::MOST);
        Self { per_ms: ticks_per_ms(clock), queue, phase: Phase::Idle }
    }

    /// Timestamps run at so many Hz from now on. What waits is pressed then; the digit that is being pressed has been told of.
    pub fn set_clock(&mut self, clock: u32) {
        let per_ms = ticks_per_ms(clock);
        if self.per_ms != per_ms {
            self.interrupt();
            if let Phase::Waiting(left) = &mut self.phase {
                *left = *left / self.per_ms * per_ms;
            }
            self.per_ms = per_ms;
        }
    }

    /// Presses these when all before them has been pressed.
    pub fn press(&mut self, keys: &Keys) {
        self.queue.extend(keys.iter().map(Press::Key));
    }

    /// Presses this one when all before it has been pressed, and holds it until [`Self::release`] or for half a minute.
    pub fn hold(&mut self, digit: Digit) {
        self.queue.push_back(Press::Held(digit));
    }

    /// Lets go of what is held. A digit that has not begun, or just so, is as long as others are.
    pub fn release(&mut self) {
        if let Phase::Sounding(sounding) = &mut self.phase {
            sounding.held = false;
        }
        for press in &mut self.queue {
            if let Press::Held(digit) = *press {
                *press = Press::Key(Key::Digit(digit));
            }
        }
    }

    /// Forgets what was not begun.
    pub fn clear(&mut self) {
        self.queue.clear();
        self.interrupt();
    }

    /// Nothing can be sent for a while: the digit that is being pressed has been told of and is not taken up again.
    pub fn interrupt(&mut self) {
        if let Phase::Sounding(_) | Phase::Ending { .. } = self.phase {
            self.phase = Phase::Waiting(GAP * self.per_ms);
        }
    }

    /// What the packet of the `ticks` from `timestamp` on is to hold instead of audio, if anything.
    pub(crate) fn next(&mut self, timestamp: u32, ticks: u32) -> Option<Due> {
        loop {
            match &mut self.phase {
                Phase::Idle => match self.queue.pop_front()? {
                    Press::Key(Key::Digit(digit)) => self.begin(digit, false, timestamp),
                    Press::Held(digit) => self.begin(digit, true, timestamp),
                    Press::Key(Key::Pause) => {
                        self.phase = Phase::Waiting(PAUSE.as_millis() as u32 * self.per_ms);
                    }
                },
                Phase::Sounding(sounding) => {
                    let (due, is_over) = sounding.next(ticks, self.per_ms);
                    if is_over {
                        let Sounding { digit, began, lasted, .. } = *sounding;
                        self.phase = Phase::Ending { digit, began, lasted, left: REPEATS, since: 0 };
                    }
                    return Some(due);
                }
                Phase::Ending { digit, began, lasted, left, since } => {
                    *left -= 1;
                    *since += ticks;
                    let due = Due::new(*digit, *began, *lasted, false, true);
                    if *left == 0 {
                        self.phase = Phase::Waiting((GAP * self.per_ms).saturating_sub(*since));
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

    fn begin(&mut self, digit: Digit, held: bool, began: u32) {
        self.phase = Phase::Sounding(Sounding { digit, held, began, lasted: 0, total: 0, repeats: 0 });
    }
}

impl Sounding {
    /// The report of the next `ticks`, and whether it is the last.
    fn next(&mut self, ticks: u32, per_ms: u32) -> (Due, bool) {
        let is_first = self.total == 0;
        self.lasted += ticks;
        self.total += ticks;
        // The segment before: its end is told three times, while this one already lasts.
        if self.repeats > 0 {
            self.repeats -= 1;
            return (Due::new(self.digit, self.began.wrapping_sub(SEGMENT), SEGMENT, false, false), false);
        }
        if self.lasted > SEGMENT {
            let due = Due::new(self.digit, self.began, SEGMENT, is_first, false);
            self.began = self.began.wrapping_add(SEGMENT);
            self.lasted -= SEGMENT;
            self.repeats = REPEATS;
            return (due, false);
        }
        let enough = if self.held { LONGEST } else { LENGTH };
        let is_over = self.total >= enough * per_ms;
        (Due::new(self.digit, self.began, self.lasted, is_first, is_over), is_over)
    }
}

impl Due {
    fn new(digit: Digit, timestamp: u32, lasted: u32, marker: bool, end: bool) -> Self {
        let volume = if digit.is_tone() { VOLUME } else { 0 };
        // A segment is no longer than the field.
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
                let timestamp = first.wrapping_add(n * ms * 8);
                (timestamp, sender.next(timestamp, ms * 8))
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
            let since = |due: &Due| due.timestamp.wrapping_sub(packets[0].0) / 8;
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

    /// The reports from when a key is held on until nothing is sent: let go after so many packets, if ever.
    fn held(clock: u32, release: Option<usize>) -> Vec<(bool, u32, Report)> {
        let mut sender = Sender::new(clock);
        sender.hold(Digit::from_char('5').unwrap());
        let ticks = clock / 50;
        let mut all = Vec::new();
        for n in 0.. {
            if release == Some(n) {
                sender.release();
            }
            let Some(due) = sender.next(n as u32 * ticks, ticks) else { return all };
            all.push((due.marker, due.timestamp, report(&due)));
        }
        all
    }

    #[test]
    fn a_digit_is_as_long_on_every_clock() {
        for clock in [8000, 16_000, 48_000] {
            let mut sender = Sender::new(clock);
            sender.press(&Keys::read("5,6").unwrap());
            let ticks = clock / 50;
            let dues: Vec<Option<Due>> = (0..130).map(|n| sender.next(n * ticks, ticks)).collect();
            let durations: Vec<u32> = dues
                .iter()
                .map_while(|due| Some(u32::from(report(due.as_ref()?).duration) * 1000 / clock))
                .collect();
            assert_eq!(durations, [20, 40, 60, 80, 100, 120, 140, 160, 160, 160], "{clock} Hz");
            let next = dues.iter().skip(10).position(Option::is_some).unwrap() + 10;
            assert_eq!(next * 20, 160 + 80 + 2000, "{clock} Hz");
        }
    }

    #[test]
    fn a_key_that_is_held_grows_by_a_packet_at_a_time_until_it_is_let_go_and_its_end_is_told_three_times() {
        let reports = held(8000, Some(100));
        assert_eq!(reports.len(), 100 + 1 + 2);
        for (n, (marker, timestamp, report)) in reports.iter().enumerate() {
            assert_eq!((*marker, *timestamp, report.end), (n == 0, 0, n >= 100), "packet {n}");
            assert_eq!(usize::from(report.duration), (n + 1).min(101) * 160);
        }
        let brief = held(8000, Some(1));
        assert_eq!(brief.last().map(|(_, _, report)| (report.end, report.duration)), Some((true, 1280)));
    }

    #[test]
    fn a_long_press_is_contiguous_segments_of_which_only_the_first_is_marked_and_the_last_ended() {
        for (clock, packets) in [(8000, 1000), (48_000, 400)] {
            let reports = held(clock, Some(packets));
            let begins: Vec<u32> = {
                let mut all: Vec<u32> = reports.iter().map(|(_, timestamp, _)| *timestamp).collect();
                all.dedup();
                all
            };
            let whole = (packets as u32 + 1) * (clock / 50) / SEGMENT;
            assert!(whole >= 2 && begins.iter().enumerate().all(|(n, at)| *at == n as u32 * SEGMENT));
            assert_eq!(begins.len() as u32, whole + 1, "{clock} Hz");
            for at in &begins[..begins.len() - 1] {
                let last = |(_, timestamp, report): &&(bool, u32, Report)| {
                    timestamp == at && report.duration == u16::MAX && !report.end
                };
                assert_eq!(
                    reports.iter().filter(last).count(),
                    3,
                    "the end of a segment is told three times"
                );
            }
            assert!(reports.iter().enumerate().all(|(n, (marker, ..))| *marker == (n == 0)));
            let ends: Vec<_> = reports.iter().filter(|(_, _, report)| report.end).collect();
            assert_eq!(ends.len(), 3);
            let total = whole * SEGMENT + u32::from(ends[0].2.duration);
            assert_eq!(total, (packets as u32 + 1) * (clock / 50), "nothing is lost between segments");
        }
    }

    #[test]
    fn a_key_that_is_never_let_go_ends_after_half_a_minute() {
        for clock in [8000, 48_000] {
            let reports = held(clock, None);
            assert_eq!(reports.len(), 30 * 50 + 2);
            assert!(reports[1499..].iter().all(|(_, _, report)| report.end));
        }
    }

    #[test]
    fn what_is_let_go_before_its_turn_is_as_long_as_others() {
        let mut sender = Sender::default();
        sender.press(&Keys::read("1").unwrap());
        sender.hold(Digit::from_char('2').unwrap());
        sender.release();
        let ends = (0..100).filter(|n| {
            let due = sender.next(n * 160, 160);
            due.is_some_and(|due| report(&due).end && report(&due).duration == 1280)
        });
        assert_eq!(ends.count(), 6);
    }
}
