//! Rings between a simulated device and simulated ticks: minutes in a moment.

use super::*;
use crate::counting::allocations;

/// A device that takes or gives `burst` samples at a time, its clock off by so many parts in a million, against ticks that
/// come up to `late` microseconds late.
#[derive(Clone, Copy)]
struct World {
    burst: usize,
    off_ppm: i64,
    late: u64,
}

impl World {
    /// Runs for so long: `device` at each burst, `tick` every 20 ms.
    fn run(self, seconds: u64, mut event: impl FnMut(bool)) {
        let burst_ns =
            (self.burst as i64 * (1_000_000 / PER_MS as i64) * (1_000_000 - self.off_ppm) / 1_000_000) as u64;
        let (mut device, mut tick, mut due, mut random) = (0, 0, 0, 1_u64);
        while tick < seconds * 1_000_000_000 {
            if device <= tick {
                event(true);
                device += burst_ns;
            } else {
                event(false);
                due += 20_000_000;
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                tick = due + (random >> 33) * self.late * 1000 / (1 << 31);
            }
        }
    }
}

/// Among them bursts as long as a tick, which slip past it once in 20 s, and such as share no measure with it.
fn worlds() -> impl Iterator<Item = World> {
    let worlds = [(32, 1000), (170, -1000), (320, 1000), (320, -1000), (320, 0), (342, -1000), (640, 1000)];
    worlds.into_iter().map(|(burst, off_ppm)| World { burst, off_ppm, late: 2000 })
}

#[test]
fn what_the_microphone_hears_is_said_in_order_and_nothing_is_missing() {
    let ((mut ours, mut end), counters) = (microphone(), Counters::default());
    let (mut next, mut said, mut frame) = (1_i16, Vec::new(), [0; FRAME]);
    for n in 0..500 {
        end.give(next..next + 64);
        next += 64;
        if n % 5 == 4 {
            ours.take(&mut frame, &counters);
            said.extend_from_slice(&frame);
        }
        if n == 3 {
            ours.take(&mut frame, &counters);
            assert_eq!(frame, [0; FRAME], "a cushion first");
        }
    }
    let first = said.iter().position(|sample| *sample != 0).unwrap();
    assert!(first == FRAME && said[first..].windows(2).all(|w| w[1] == w[0] + 1), "from {first}");
    assert_eq!(counters.read(), AudioStats::default());
}

#[test]
fn what_calls_say_is_heard_in_order_and_nothing_is_missing() {
    let ((mut ours, mut end), counters) = (loudspeaker(), Counters::default());
    let mut heard: Vec<i16> = end.take(64).collect();
    for n in 0..100_i16 {
        let frame = std::array::from_fn(|at| n * 320 + at as i16 + 1);
        ours.put(&frame, &counters);
        (0..5).for_each(|_| heard.extend(end.take(64)));
    }
    let first = heard.iter().position(|sample| *sample != 0).unwrap();
    assert_eq!(first, 64 + 10 * PER_MS + 64, "what was asked for too early, and a cushion");
    assert!(heard[first..].iter().zip(1..).all(|(heard, said)| *heard == said));
    assert_eq!(counters.read(), AudioStats::default());
}

#[test]
fn ten_minutes_of_a_microphone_off_by_a_tenth_of_a_percent_have_no_gap_and_no_growing_delay() {
    for world in worlds() {
        let ((mut ours, mut end), counters) = (microphone(), Counters::default());
        let (mut frame, mut ticks, mut longest, mut gaps) = ([0; FRAME], 0, 0, 0);
        world.run(600, |device| {
            if device {
                end.give(std::iter::repeat_n(1, world.burst));
                return;
            }
            ours.take(&mut frame, &counters);
            ticks += 1;
            if ticks == 500 {
                gaps = counters.read().said_gaps; // ten seconds to learn what the device is like
            }
            if ticks > 500 {
                longest = longest.max(ours.ring.slots());
            }
        });
        let stats = counters.read();
        assert_eq!((stats.said_gaps - gaps, stats.dropped), (0, 0), "{} {}", world.burst, world.off_ppm);
        assert!(longest < 2 * world.burst + FRAME + 25 * PER_MS, "{longest} of {}", world.burst);
        let owed = 600 * PER_MS as u64 * u64::from(world.off_ppm != 0);
        assert!(stats.stretched.abs_diff(owed) < 1400, "{stats:?} {} {}", world.burst, world.off_ppm);
    }
}

#[test]
fn ten_minutes_of_a_loudspeaker_off_by_a_tenth_of_a_percent_have_no_gap_and_no_growing_delay() {
    for world in worlds() {
        let ((mut ours, mut end), counters) = (loudspeaker(), Counters::default());
        let (mut ticks, mut longest, mut gaps) = (0, 0, 0);
        world.run(600, |device| {
            if device {
                end.take(world.burst).for_each(drop);
                return;
            }
            ours.put(&[1; FRAME], &counters);
            ticks += 1;
            if ticks == 500 {
                gaps = counters.read().heard_gaps;
            }
            if ticks > 500 {
                longest = longest.max(CAPACITY - ours.ring.slots());
            }
        });
        let stats = counters.read();
        assert_eq!((stats.heard_gaps - gaps, stats.dropped), (0, 0), "{} {}", world.burst, world.off_ppm);
        assert!(longest < 2 * world.burst + FRAME + 25 * PER_MS, "{longest} of {}", world.burst);
        let owed = 600 * PER_MS as u64 * u64::from(world.off_ppm != 0);
        assert!(stats.stretched.abs_diff(owed) < 1400, "{stats:?} {} {}", world.burst, world.off_ppm);
    }
}

#[test]
fn a_microphone_that_stops_is_one_gap_that_fades_to_silence() {
    let ((mut ours, mut end), counters) = (microphone(), Counters::default());
    let mut frame = [0; FRAME];
    for _ in 0..10 {
        end.give([10_000; FRAME]);
        ours.take(&mut frame, &counters);
    }
    assert_eq!(frame, [10_000; FRAME]);
    for _ in 0..10 {
        ours.take(&mut frame, &counters);
    }
    assert_eq!((frame, counters.read().said_gaps), ([0; FRAME], 1));
    let (mut again, mut steps) = (ours, Vec::new());
    (0..3).for_each(|_| end.give([10_000; FRAME]));
    again.take(&mut frame, &counters);
    steps.extend_from_slice(&frame);
    end.give([]);
    again.take(&mut frame, &counters);
    assert_eq!((steps[0], counters.read().said_gaps), (10_000, 1), "it goes on where it is");
}

#[test]
fn a_loudspeaker_that_is_given_nothing_is_one_gap_that_fades_to_silence() {
    let ((mut ours, mut end), counters) = (loudspeaker(), Counters::default());
    end.take(1).for_each(drop);
    for _ in 0..10 {
        ours.put(&[10_000; FRAME], &counters);
        end.take(FRAME).for_each(drop);
    }
    let heard: Vec<i16> = end.take(3200).collect();
    assert!(heard.windows(2).all(|w| w[0] - w[1] <= 625) && heard[3199] == 0, "no click");
    ours.put(&[10_000; FRAME], &counters);
    ours.put(&[10_000; FRAME], &counters);
    assert_eq!(counters.read().heard_gaps, 1);
}

#[test]
fn after_a_stall_the_delay_is_back_in_a_second() {
    let ((mut mic, mut mic_end), counters) = (microphone(), Counters::default());
    let (mut speaker, mut speaker_end) = loudspeaker();
    speaker_end.take(1).for_each(drop);
    let mut frame = [0; FRAME];
    let mut tick = |mic_bursts: usize, speaker_bursts: usize| {
        (0..mic_bursts).for_each(|_| mic_end.give([1; FRAME]));
        mic.take(&mut frame, &counters);
        speaker.put(&frame, &counters);
        speaker_end.take(speaker_bursts * FRAME).for_each(drop);
        (mic.ring.slots(), CAPACITY - speaker.ring.slots())
    };
    (0..100).for_each(|_| _ = tick(1, 1));
    tick(20, 1); // the media thread slept
    (0..20).for_each(|_| _ = tick(1, 0)); // the loudspeaker slept
    let (mic, speaker) = (0..100).map(|_| tick(1, 1)).last().unwrap();
    assert!(mic < 1000 && speaker < 1000, "{mic} {speaker}");
    assert!(counters.read().dropped > 2 * 4000, "{:?}", counters.read());
}

#[test]
fn a_device_at_its_own_rate_is_heard_at_ours() {
    let counters = Counters::default();
    for rate in [16_000, 48_000] {
        let (mut mic, end) = microphone();
        let mut end = end.at(rate).unwrap();
        let (mut speaker, speaker_end) = loudspeaker();
        let mut speaker_end = speaker_end.at(rate).unwrap();
        speaker_end.take(1).for_each(drop);
        let (mut n, mut frame, mut heard) = (0_u32, [0; FRAME], Vec::new());
        for _ in 0..50 {
            end.give((0..rate / 50).map(|_| {
                n += 1;
                ((f64::from(n) * 1000.0 * std::f64::consts::TAU / f64::from(rate)).sin() * 9000.0) as i16
            }));
            mic.take(&mut frame, &counters);
            speaker.put(&frame, &counters);
            heard.extend(speaker_end.take(rate as usize / 50));
        }
        let last = &heard[heard.len() / 2..];
        let crossings = last.windows(2).filter(|w| w[0] < 0 && w[1] >= 0).count();
        assert!(crossings.abs_diff(500) <= 4 && last.iter().any(|s| *s > 8500), "{crossings} Hz at {rate}");
    }
    for rate in [8_000, 44_100] {
        assert!(microphone().1.at(rate).is_none() && loudspeaker().1.at(rate).is_none());
    }
}

#[test]
fn neither_ticks_nor_callbacks_allocate() {
    let ((mut mic, end), counters) = (microphone(), Counters::default());
    let (mut speaker, speaker_end) = loudspeaker();
    let (mut end, mut speaker_end) = (end.at(48_000).unwrap(), speaker_end.at(48_000).unwrap());
    let (mut frame, before) = ([0; FRAME], allocations());
    for n in 0..5000 {
        end.give([1; 961]);
        mic.take(&mut frame, &counters);
        speaker.put(&frame, &counters);
        let count = if n % 100 == 0 { 5000 } else { 959 };
        speaker_end.take(count).for_each(drop);
    }
    assert_eq!(allocations() - before, 0);
    let stats = counters.read();
    assert!(stats.stretched > 0 && stats.heard_gaps > 0, "{stats:?}");
}
