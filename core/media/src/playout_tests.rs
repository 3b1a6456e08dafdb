//! Tests of the playout buffer: who is heard when.

use super::*;
use crate::codec::Codec;

const FRAME: u64 = 20;

/// A stream of packets of 20 ms whose samples all say the packet's number.
struct Ear {
    playout: Playout,
    decoders: Vec<(u8, Decoder)>,
}

impl Ear {
    fn new() -> Self {
        Self { playout: Playout::new(PLAYOUT_DELAY), decoders: vec![(8, Codec::Pcma.decoder())] }
    }

    fn packet(&mut self, n: u32, at_ms: u64) -> Inserted {
        self.sized(n.wrapping_mul(160), 160, n, at_ms)
    }

    fn sized(&mut self, timestamp: u32, samples: usize, n: u32, at_ms: u64) -> Inserted {
        let mut payload = Vec::new();
        Codec::Pcma.encoder(false).encode(&vec![value(n); samples], &mut payload);
        self.playout.insert(timestamp, samples, 0, &payload, Instant::from_millis(at_ms))
    }

    fn frame(&mut self, at_ms: u64) -> [i16; 160] {
        let mut frame = [99; 160];
        self.playout.pull(&mut frame, &mut self.decoders, Instant::from_millis(at_ms));
        frame
    }

    /// The packet that is heard throughout a frame, past the join; 0 for silence.
    fn heard(&mut self, at_ms: u64) -> Option<u32> {
        let frame = self.frame(at_ms);
        let last = frame[159];
        frame[JOIN..].iter().all(|s| *s == last).then(|| (0..100).find(|n| heard_as(*n) == last))?
    }
}

/// Told apart after G.711's rounding.
fn value(n: u32) -> i16 {
    (n % 100 * 300) as i16
}

fn heard_as(n: u32) -> i16 {
    if n == 0 { 0 } else { crate::g711::from_a_law(crate::g711::a_law(value(n))) }
}

#[test]
fn a_packet_is_played_one_delay_after_it_arrived_to_the_sample() {
    let mut ear = Ear::new();
    ear.packet(1, 1005);
    assert_eq!(ear.heard(1020), Some(0));
    assert_eq!(ear.heard(1040), Some(0));
    // Due at 1065: 40 samples into the frame of 1060.
    let frame = ear.frame(1060);
    assert!(frame[..40].iter().all(|s| *s == 0));
    assert!(frame[40..].iter().all(|s| *s == heard_as(1)));
}

#[test]
fn jitter_within_the_delay_and_reordering_are_not_heard() {
    let mut ear = Ear::new();
    let arrivals = [(1, 1000), (3, 1040), (2, 1055), (4, 1060), (6, 1100), (5, 1135), (7, 1140)];
    let mut due = arrivals.iter().peekable();
    let mut heard = Vec::new();
    for at in (1000..1200).step_by(FRAME as usize) {
        while let Some((n, _)) = due.next_if(|(_, when)| *when <= at) {
            assert_eq!(ear.packet(*n, at), Inserted::Queued);
        }
        heard.extend(ear.heard(at));
    }
    assert_eq!(heard, [0, 0, 0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn any_packet_size_is_played_in_one_piece() {
    let mut ear = Ear::new();
    ear.sized(0, 80, 1, 1000);
    ear.sized(80, 480, 2, 1000);
    ear.sized(560, 80, 3, 1000);
    for at in [1000, 1020, 1040] {
        assert_eq!(ear.heard(at), Some(0));
    }
    let frame = ear.frame(1060);
    assert!(frame[..80].iter().all(|s| *s == heard_as(1)) && frame[80..].iter().all(|s| *s == heard_as(2)));
    assert_eq!(ear.heard(1080), Some(2));
    assert_eq!(ear.heard(1100), Some(2));
    let frame = ear.frame(1120);
    assert!(frame[..80].iter().all(|s| *s == heard_as(2)) && frame[80..].iter().all(|s| *s == heard_as(3)));
}

#[test]
fn a_gap_repeats_and_fades_and_a_late_packet_is_counted_as_late() {
    let mut ear = Ear::new();
    ear.packet(50, 1000);
    for at in [1020, 1040] {
        ear.frame(at);
    }
    assert_eq!(ear.heard(1060), Some(50));
    let mut before = heard_as(50);
    for at in [1080, 1100, 1120] {
        let frame = ear.frame(at);
        assert!(frame.is_sorted_by(|a, b| a >= b) && frame[0] <= before && frame[159] < frame[0]);
        before = frame[159];
    }
    assert_eq!(ear.heard(1140), Some(0));

    let mut ear = Ear::new();
    ear.packet(50, 1000);
    for at in [1020, 1040, 1060, 1080] {
        ear.frame(at);
    }
    assert_eq!(ear.packet(51, 1090), Inserted::Late);
    assert_eq!(ear.packet(52, 1090), Inserted::Queued);
    assert_eq!(ear.heard(1100), Some(52));
}

#[test]
fn the_return_after_a_gap_has_no_step() {
    let mut ear = Ear::new();
    ear.packet(90, 1000);
    ear.packet(92, 1040);
    for at in [1020, 1040, 1060, 1080] {
        ear.frame(at);
    }
    let frame = ear.frame(1100);
    let steps = frame.windows(2).map(|w| (w[1] - w[0]).abs()).max();
    assert!(frame[0] < value(70) && steps < Some(600), "from {} in steps of {steps:?}", frame[0]);
}

#[test]
fn a_path_that_became_longer_sets_the_beat_anew() {
    let mut ear = Ear::new();
    ear.packet(1, 1000);
    let mut outcomes = Vec::new();
    for n in 2..20u32 {
        let at = 1000 + u64::from(n - 1) * FRAME;
        if n > 6 {
            // Everything now comes 140 ms later than it used to: 80 ms behind its turn.
            outcomes.push(ear.packet(n - 6, at));
        }
        ear.frame(at);
    }
    assert_eq!(outcomes.iter().filter(|o| **o == Inserted::Late).count(), 1);
    assert_eq!(outcomes.iter().filter(|o| **o == Inserted::Resynchronised).count(), 1);
    assert!(outcomes[2..].iter().all(|o| *o == Inserted::Queued), "{outcomes:?}");
}

#[test]
fn a_timestamp_that_jumps_sets_the_beat_anew() {
    let mut ear = Ear::new();
    ear.packet(1, 1000);
    ear.frame(1020);
    assert_eq!(ear.packet(0, 1030), Inserted::Queued, "a little before is reordering");
    assert_eq!(ear.sized(900_000, 160, 8, 1040), Inserted::Resynchronised);
    for at in [1040, 1060, 1080] {
        ear.frame(at);
    }
    assert_eq!(ear.heard(1100), Some(8));
}

#[test]
fn a_burst_after_a_stall_does_not_leave_its_delay_behind() {
    let mut ear = Ear::new();
    for n in 0..5 {
        ear.packet(n, 1000 + u64::from(n) * FRAME);
        ear.frame(1000 + u64::from(n) * FRAME);
    }
    for n in 5..30 {
        ear.frame(1000 + n * FRAME);
    }
    // What was sent during half a second comes at once; then the beat goes on.
    for n in 5..30 {
        ear.packet(n, 1600);
    }
    let mut heard = 0;
    for n in 30..60 {
        ear.packet(n, 1000 + u64::from(n) * FRAME);
        heard = ear.heard(1000 + u64::from(n) * FRAME).unwrap_or(heard);
    }
    // Within the delay and what counts as early.
    assert!((51..=57).contains(&heard), "when packet 59 came, {heard} is heard");
}

#[test]
fn timestamps_wrap_unheard() {
    let mut ear = Ear::new();
    let start = 0u32.wrapping_sub(160 * 2);
    for n in 0..5 {
        ear.sized(start.wrapping_add(n * 160), 160, n + 1, 1000 + u64::from(n) * FRAME);
        ear.frame(1000 + u64::from(n) * FRAME);
    }
    assert_eq!([1100, 1120, 1140].map(|at| ear.heard(at)), [Some(3), Some(4), Some(5)]);
}

#[test]
fn what_does_not_fit_is_dropped() {
    let mut ear = Ear::new();
    assert_eq!(ear.sized(0, MAX_PAYLOAD + 1, 1, 1000), Inserted::Dropped);
    for n in 0..SLOTS as u32 {
        assert_eq!(ear.sized(n, 1, 1, 1000), Inserted::Queued);
    }
    assert_eq!(ear.sized(SLOTS as u32, 1, 1, 1000), Inserted::Dropped);
}
