//! Tests of the playout as a whole: who is heard when, and how what is missing sounds.

use std::f64::consts::TAU;

use super::*;
use crate::codec::Codec;

/// A sender with a clock and an ear with another, both told in microseconds.
struct Ear {
    playout: Playout,
    decoders: Vec<(u8, Decoder)>,
    heard: Vec<i16>,
    now: u64,
}

impl Ear {
    fn new() -> Self {
        let decoders = vec![(8, Codec::Pcma.decoder()), (0, Codec::Pcmu.decoder())];
        Self { playout: Playout::new(), decoders, heard: Vec::new(), now: 1_000_000 }
    }

    fn packet(&mut self, timestamp: u32, samples: &[i16], at: u64) -> Inserted {
        let mut payload = Vec::new();
        Codec::Pcma.encoder(false).encode(samples, &mut payload);
        self.playout.insert(timestamp, samples.len(), 0, &payload, Instant::from_nanos(at * 1000))
    }

    fn pull(&mut self) -> &[i16] {
        let mut frame = vec![0; self.playout.sample_rate as usize / 50];
        self.playout.pull(&mut frame, &mut self.decoders, Instant::from_nanos(self.now * 1000));
        self.now += 20_000;
        let from = self.heard.len();
        self.heard.extend(frame);
        &self.heard[from..]
    }

    /// Gives packets of so many samples of `sound`, each at its time, and pulls until `until`.
    fn listen(&mut self, arrivals: &[(u64, u32)], size: usize, sound: impl Fn(usize) -> i16, until: u64) {
        let mut due = arrivals.to_vec();
        due.sort_by_key(|(at, _)| *at);
        let mut due = due.into_iter().peekable();
        while self.now < until {
            while let Some((at, n)) = due.next_if(|(at, _)| *at <= self.now) {
                let first = n as usize * size;
                let samples: Vec<i16> = (first..first + size).map(&sound).collect();
                self.packet(first as u32, &samples, at);
            }
            self.pull();
        }
    }

    fn delay_ms(&self) -> u128 {
        self.playout.delay().as_millis()
    }

    fn figures(&self) -> Figures {
        self.playout.figures()
    }
}

/// Packets of 20 ms on their beat, from 1 s on, each so many microseconds late; `None` is lost.
fn beat(packets: u32, late: impl Fn(u32) -> Option<u64>) -> Vec<(u64, u32)> {
    (0..packets).filter_map(|n| Some((1_000_000 + u64::from(n) * 20_000 + late(n)?, n))).collect()
}

fn at(packets: u64) -> u64 {
    1_000_000 + packets * 20_000
}

/// The power of the loudest noise that is put into a gap for good: -55 dBov, and what chance adds in a frame.
const HISS: f64 = 58.0 * 58.0 * 1.6;

/// Nothing is like it but itself.
fn noise(n: usize) -> i16 {
    let mut state = n as u32;
    for _ in 0..3 {
        state = (state ^ state >> 15).wrapping_mul(0x2c1b_3c6d).wrapping_add(0x297a_2d39);
    }
    (state >> 17) as i16 - 16_384
}

fn voice(n: usize) -> i16 {
    let t = n as f64 / 8000.0 * TAU * 130.0;
    (5000.0 * t.sin() + 3000.0 * (2.0 * t + 1.0).sin() + 1500.0 * (5.0 * t).sin()) as i16
}

fn sine(n: usize) -> i16 {
    ((n as f64 / 8000.0 * TAU * 440.0).sin() * 8000.0) as i16
}

fn heard_as(sample: i16) -> i16 {
    crate::g711::from_a_law(crate::g711::a_law(sample))
}

/// Where in what was heard these samples are, whole.
fn find(heard: &[i16], sound: impl Fn(usize) -> i16, samples: std::ops::Range<usize>) -> Option<usize> {
    let sought: Vec<i16> = samples.map(|n| heard_as(sound(n))).collect();
    heard.windows(sought.len()).position(|window| window == sought)
}

fn power(samples: &[i16]) -> f64 {
    samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len() as f64
}

#[test]
fn without_loss_and_jitter_every_sample_is_heard_as_it_was_one_delay_later_to_the_sample() {
    let mut ear = Ear::new();
    let arrivals: Vec<_> = (0..500).map(|n| (1_005_000 + u64::from(n) * 20_000, n)).collect();
    let delay = ear.playout.delay().as_micros() as usize;
    ear.listen(&arrivals, 160, noise, at(500));
    let place = find(&ear.heard, noise, 0..79_000).expect("all, in one piece");
    assert_eq!(place, (5_000 + delay) * 8 / 1000);
    assert_eq!((ear.figures().concealed, ear.figures().late), (Duration::ZERO, 0));
}

#[test]
fn on_a_quiet_path_a_voice_is_brought_to_the_least_delay_and_then_left_alone() {
    let mut ear = Ear::new();
    ear.listen(&beat(1500, |_| Some(0)), 160, voice, at(1000));
    assert!((35..=55).contains(&ear.delay_ms()), "{} ms", ear.delay_ms());
    let before = ear.figures();
    let from = ear.heard.len();
    let arrivals: Vec<_> = beat(1500, |_| Some(0)).split_off(1000);
    ear.listen(&arrivals, 160, voice, at(1500));
    assert_eq!((ear.figures().accelerated, ear.figures().expanded), (before.accelerated, before.expanded));
    // The voice repeats every 800 samples.
    assert!(find(&ear.heard[from..], voice, 0..20_000).is_some());
}

#[test]
fn jitter_and_reordering_within_the_delay_are_not_heard() {
    let mut ear = Ear::new();
    let late = |n: u32| Some([0, 25_000, 3_000, 11_000][n as usize % 4]);
    ear.listen(&beat(1000, late), 160, noise, at(1010));
    assert!(find(&ear.heard, noise, 0..160_000).is_some());
    assert_eq!(ear.figures().late, 0);
}

#[test]
fn a_packet_that_is_late_while_its_gap_is_concealed_is_still_heard_whole() {
    let mut ear = Ear::new();
    let late = |n: u32| Some(if n < 300 { 0 } else { 75_000u64.saturating_sub(u64::from(n - 300) * 20_000) });
    ear.listen(&beat(400, late), 160, noise, at(400));
    let figures = ear.figures();
    assert!(find(&ear.heard, noise, 300 * 160 + 40..330 * 160).is_some());
    assert_eq!((figures.late, figures.discarded, figures.concealments), (0, 0, 1));
    assert!(figures.concealed < Duration::from_millis(40), "{figures:?}");
}

#[test]
fn a_spike_is_played_off_within_ten_seconds_and_loses_no_word() {
    let mut ear = Ear::new();
    let spike =
        |n: u32| Some(if n < 500 { 0 } else { 400_000u64.saturating_sub(u64::from(n - 500) * 20_000) });
    let arrivals = beat(1000, spike);
    let between = |from: u64, to: u64| -> Vec<_> {
        arrivals.iter().copied().filter(|(at, _)| (from + 1..=to).contains(at)).collect()
    };
    ear.listen(&between(0, 11_400_000), 160, voice, 11_420_000);
    assert!((330..=420).contains(&ear.delay_ms()), "{} ms", ear.delay_ms());
    ear.listen(&between(11_400_000, 14_480_000), 160, voice, 14_500_000);
    assert!(ear.delay_ms() <= 60, "3 s later {} ms", ear.delay_ms());
    ear.listen(&between(14_480_000, u64::MAX - 1), 160, voice, at(1000));
    let figures = ear.figures();
    assert_eq!((figures.late, figures.discarded, figures.concealments), (0, 0, 1));
}

#[test]
fn a_stall_of_nearly_a_second_is_not_played_off_but_skipped() {
    let mut ear = Ear::new();
    let spike =
        |n: u32| Some(if n < 500 { 0 } else { 900_000u64.saturating_sub(u64::from(n - 500) * 20_000) });
    ear.listen(&beat(600, spike), 160, voice, at(560));
    assert!(ear.delay_ms() <= 80, "{} ms", ear.delay_ms());
    assert!((30..=45).contains(&ear.figures().discarded));
}

#[test]
fn a_path_that_became_longer_costs_its_delay_once_and_no_more() {
    let mut ear = Ear::new();
    ear.listen(&beat(2000, |n| Some(if n < 500 { 0 } else { 150_000 })), 160, voice, at(2000));
    let figures = ear.figures();
    assert!((28..=60).contains(&ear.delay_ms()), "{figures:?}");
    assert!(figures.concealments <= 2 && figures.late == 0, "{figures:?}");
}

#[test]
fn clocks_that_drift_for_ten_minutes_leave_no_gap() {
    for ppm in [-500i64, -200, 200, 500] {
        let mut ear = Ear::new();
        let packets = 30_000;
        let drift = |n: u32| (1_000_000 + i64::from(n) * 20_000 * (1_000_000 + ppm) / 1_000_000) as u64;
        let arrivals: Vec<_> = (0..packets).map(|n| (drift(n), n)).collect();
        ear.listen(&arrivals, 160, voice, drift(packets) - 20_000);
        let figures = ear.figures();
        assert_eq!((figures.concealed, figures.late, figures.discarded), (Duration::ZERO, 0, 0), "{ppm} ppm");
        assert!((25..=65).contains(&ear.delay_ms()), "{ppm} ppm: {} ms", ear.delay_ms());
        let mended = if ppm < 0 { figures.accelerated } else { figures.expanded };
        assert!(mended.as_millis() >= 600 * ppm.unsigned_abs() as u128 / 1000 - 60, "{figures:?}");
    }
}

#[test]
fn packets_of_any_length_are_played_in_one_piece() {
    for ms in [1usize, 5, 10, 30, 60, 120, 200] {
        let mut ear = Ear::new();
        let arrivals: Vec<_> =
            (0..8000 / ms).map(|n| (1_000_000 + (n * ms) as u64 * 1000, n as u32)).collect();
        ear.listen(&arrivals, ms * 8, noise, at(400) + ms as u64 * 1000);
        // The last are not played yet.
        let all = 8000 / ms * ms * 8 - 1600;
        // The first is played before it is known how long they are: it may have to wait for the second.
        let from = if ms > 60 { 2 * ms * 8 } else { 0 };
        assert!(find(&ear.heard, noise, from..all).is_some(), "{ms} ms {:?}", ear.figures());
        assert_eq!(ear.figures().late, 0, "{ms} ms");
    }
}

#[test]
fn what_comes_twice_is_heard_once() {
    let mut ear = Ear::new();
    let mut arrivals = beat(200, |_| Some(0));
    arrivals.extend(beat(200, |n| (n % 3 == 0).then_some(1_000)));
    ear.listen(&arrivals, 160, noise, at(210));
    assert!(find(&ear.heard, noise, 0..32_000).is_some());
    assert_eq!(ear.figures().late, 67);
}

#[test]
fn a_pause_in_which_nothing_is_sent_is_no_loss_and_its_end_is_heard_at_the_target() {
    let mut ear = Ear::new();
    // Speech, then half a second of the room, then nothing for two seconds.
    let sound = |n: usize| if n % 48_000 < 24_000 { voice(n) } else { noise(n) / 400 };
    let sent = |n: u32| (n % 300 < 175).then_some(0);
    ear.listen(&beat(1500, sent), 160, sound, at(1500));
    let figures = ear.figures();
    assert_eq!((figures.concealed, figures.concealments, figures.late), (Duration::ZERO, 0, 0));
    assert!(figures.comfort > Duration::from_secs(10));
    assert!(ear.delay_ms().abs_diff(figures.target.as_millis()) <= 1, "{figures:?}");
}

#[test]
fn a_pause_is_filled_with_noise_no_louder_than_the_room() {
    let mut ear = Ear::new();
    let sound = |n: usize| if n < 40_000 { voice(n) } else { noise(n) / 400 };
    ear.listen(&beat(300, |_| Some(0)), 160, sound, at(400));
    let room: Vec<i16> = (40_000..48_000).map(sound).collect();
    let fill = &ear.heard[ear.heard.len() - 8000..];
    assert!(
        power(fill) > power(&room) / 8.0 && power(fill) < power(&room) * 1.5,
        "{}",
        power(fill) / power(&room)
    );
}

/// Packets of 20 ms of G.729; the last of every hundred's first half ends in a description of silence, and nothing
/// comes for the second half but another one.
fn listen_to_g729(ear: &mut Ear, packets: u32, lost: impl Fn(u32) -> bool) {
    const SILENCE: [u8; 2] = [0x40, 0x20];
    ear.decoders = vec![(18, Codec::G729.decoder())];
    let mut encoder = Codec::G729.encoder(false);
    for n in 0..packets {
        let first = n as usize * 160;
        let mut payload = Vec::new();
        encoder.encode(&(first..first + 160).map(voice).collect::<Vec<_>>(), &mut payload);
        match n % 100 {
            0..49 => {}
            49 => {
                payload.truncate(10);
                payload.extend(SILENCE);
            }
            75 => payload = SILENCE.to_vec(),
            _ => payload.clear(),
        }
        if let Ok(samples) = ear.decoders[0].1.samples(&payload)
            && !lost(n)
        {
            ear.playout.insert(n * 160, samples, 0, &payload, Instant::from_nanos(at(n.into()) * 1000));
        }
        ear.pull();
    }
}

#[test]
fn a_pause_that_the_codec_announces_is_no_loss() {
    let mut ear = Ear::new();
    listen_to_g729(&mut ear, 500, |_| false);
    let figures = ear.figures();
    assert_eq!((figures.concealed, figures.concealments, figures.late), (Duration::ZERO, 0, 0));
    assert!(figures.comfort > Duration::from_millis(4700), "{figures:?}");
}

#[test]
fn a_codec_that_conceals_is_let_conceal_to_the_end_of_the_gap() {
    let mut ear = Ear::new();
    listen_to_g729(&mut ear, 45, |n| n == 20 || (30..33).contains(&n));
    let figures = ear.figures();
    assert_eq!((figures.concealed, figures.concealments), (Duration::from_millis(80), 2));
    assert_eq!(ear.figures().late, 0);
}

#[test]
fn a_sine_across_a_lost_packet_stays_a_sine() {
    let mut ear = Ear::new();
    ear.listen(&beat(400, |n| (n % 50 != 49).then_some(0)), 160, sine, at(400));
    let heard = &ear.heard[300 * 160..];
    // What a sine is can be told from two samples before: all else is error.
    let turn = 2.0 * (TAU * 440.0 / 8000.0).cos();
    let off: Vec<f64> =
        heard.windows(3).map(|w| f64::from(w[0]) + f64::from(w[2]) - turn * f64::from(w[1])).collect();
    let off = off.iter().map(|e| e * e).sum::<f64>() / off.len() as f64;
    assert!(power(heard) / off > 300.0, "{:.1} dB", 10.0 * (power(heard) / off).log10());
    assert!((power(heard) / 3.2e7 - 1.0).abs() < 0.05);
}

/// A voice whose pitch rises and falls by a third, once in two seconds, and never twice the same.
fn melody(n: usize) -> i16 {
    let t = n as f64 / 8000.0;
    let turns = 141.37 * t - 25.0 / (TAU / 2.0) * (t * TAU / 2.0).cos();
    (5000.0 * (turns * TAU).sin() + 3000.0 * (2.0 * turns * TAU + 1.0).sin()) as i16
}

#[test]
fn what_fills_the_place_of_one_lost_packet_is_in_phase_with_both_sides() {
    let mut ear = Ear::new();
    ear.listen(&beat(600, |n| (n < 400 || n % 7 != 0).then_some(0)), 160, melody, at(600));
    // The delay does not change any more.
    let place = find(&ear.heard, melody, 390 * 160..400 * 160).expect("played whole") as i64 - 390 * 160;
    let (mut wanted, mut off) = (0.0, 0.0);
    for n in (406..590usize).step_by(7).flat_map(|packet| packet * 160..(packet + 1) * 160) {
        let right = f64::from(melody(n));
        wanted += right * right;
        off += (f64::from(ear.heard[(n as i64 + place) as usize]) - right).powi(2);
    }
    assert!(wanted > off * 200.0, "{:.1} dB", 10.0 * (wanted / off).log10());
}

#[test]
fn what_is_made_up_is_never_louder_than_what_was_and_ends() {
    for sound in [noise, voice, sine] {
        let mut ear = Ear::new();
        ear.listen(&beat(50, |_| Some(0)), 160, sound, at(53));
        let mut before = power(&ear.heard[ear.heard.len() - 800..]) * 1.3;
        let peak = ear.heard.iter().map(|s| s.unsigned_abs()).max();
        for n in 0..10 {
            let frame = ear.pull().to_vec();
            assert!(frame.iter().map(|s| s.unsigned_abs()).max() <= peak.map(|p| p / 2 * 3));
            assert!(power(&frame) <= before, "frame {n}");
            before = power(&frame).max(HISS);
        }
        assert!(before <= HISS);
    }
}

#[test]
fn neither_end_of_a_gap_has_a_step() {
    let steepest = |samples: &[i16]| {
        samples.windows(2).map(|w| (i32::from(w[1]) - i32::from(w[0])).abs()).max().unwrap_or(0)
    };
    for length in [1, 2, 4, 20] {
        for late in [0, 13_000] {
            let mut ear = Ear::new();
            let gap = |n: u32| {
                (!(200..200 + length).contains(&n)).then_some(if n == 200 + length { late } else { 0 })
            };
            ear.listen(&beat(400, gap), 160, voice, at(400));
            let own = steepest(&(0..800).map(voice).collect::<Vec<_>>());
            let most = steepest(&ear.heard[8000..]);
            assert!(most <= own * 3 / 2, "{length} packets: {most} beside {own}");
        }
    }
}

#[test]
fn a_timestamp_that_jumps_begins_a_new_count_and_a_stray_one_does_not() {
    let mut ear = Ear::new();
    ear.listen(&beat(100, |_| Some(0)), 160, voice, at(100));
    let sound: Vec<i16> = (0..160).map(noise).collect();
    assert_eq!(ear.packet(900_000, &sound, at(100)), Inserted::Dropped);
    assert_eq!(ear.packet(100 * 160, &sound, at(100)), Inserted::Queued);
    assert_eq!(ear.packet(900_000, &sound, at(101)), Inserted::Dropped);
    assert_eq!(ear.packet(900_160, &sound, at(102)), Inserted::Resynchronised);
    (0..10).for_each(|_| _ = ear.pull());
    assert!(find(&ear.heard, noise, 40..160).is_some());
}

#[test]
fn timestamps_that_go_back_a_little_are_believed_after_some_packets() {
    let mut ear = Ear::new();
    ear.listen(&beat(100, |_| Some(0)), 160, voice, at(100));
    let sound: Vec<i16> = (0..160).map(voice).collect();
    let outcomes: Vec<_> = (0..8u32)
        .map(|n| {
            ear.pull();
            ear.packet((80 + n) * 160, &sound, at(100 + u64::from(n)))
        })
        .collect();
    assert_eq!(outcomes.iter().filter(|o| **o == Inserted::Resynchronised).count(), 1);
    assert_eq!(outcomes[7], Inserted::Queued);
}

#[test]
fn timestamps_wrap_unheard() {
    let mut ear = Ear::new();
    let start = u32::MAX - 160 * 20;
    for n in 0..100u32 {
        let first = n as usize * 160;
        let samples: Vec<i16> = (first..first + 160).map(noise).collect();
        ear.packet(start.wrapping_add(n * 160), &samples, at(u64::from(n)));
        ear.pull();
    }
    assert!(find(&ear.heard, noise, 0..90 * 160).is_some());
}

#[test]
fn another_codec_in_the_middle_is_heard_without_a_gap_and_so_is_another_rate() {
    let mut ear = Ear::new();
    for n in 0..100u32 {
        let first = n as usize * 160;
        let samples: Vec<i16> = (first..first + 160).map(noise).collect();
        let mut payload = Vec::new();
        let (index, codec) = if n < 50 { (0, Codec::Pcma) } else { (1, Codec::Pcmu) };
        codec.encoder(false).encode(&samples, &mut payload);
        ear.playout.insert(n * 160, 160, index, &payload, Instant::from_nanos(at(u64::from(n)) * 1000));
        ear.pull();
    }
    assert_eq!(ear.figures().concealed, Duration::ZERO);
    // The clock of 8 kHz and the samples of 16 kHz, as G.722 has them; here it is A-law all the same.
    ear.playout.set_rates(8000, 16_000);
    for n in 100..200u32 {
        let first = n as usize * 320;
        let samples: Vec<i16> = (first..first + 320).map(noise).collect();
        ear.packet(n * 160, &samples, at(u64::from(n)));
        assert_eq!(ear.pull().len(), 320);
    }
    let figures = ear.figures();
    assert_eq!((figures.concealed, figures.late, figures.discarded), (Duration::ZERO, 0, 0));
    assert!(find(&ear.heard, noise, 100 * 320..190 * 320).is_some());
    assert!(figures.played >= Duration::from_millis(3_900));
}

#[test]
fn after_a_reset_the_next_stream_is_played_from_its_first_sample() {
    let mut ear = Ear::new();
    ear.listen(&beat(100, |_| Some(0)), 160, voice, at(100));
    ear.playout.reset();
    (0..20).for_each(|_| _ = ear.pull());
    assert!(power(&ear.heard[ear.heard.len() - 160..]) < HISS);
    for n in 0..100u32 {
        let samples: Vec<i16> = (0..160).map(|k| noise(n as usize * 160 + k)).collect();
        ear.packet(77_000 + n * 160, &samples, at(120 + u64::from(n)));
        ear.pull();
    }
    assert!(find(&ear.heard, noise, 0..90 * 160).is_some());
}

#[test]
fn frames_that_are_pulled_late_and_in_pairs_change_nothing() {
    let mut ear = Ear::new();
    for n in 0..1000u32 {
        let first = n as usize * 160;
        let samples: Vec<i16> = (first..first + 160).map(voice).collect();
        ear.packet(first as u32, &samples, at(u64::from(n)));
        if n % 2 == 1 {
            for _ in 0..2 {
                let mut frame = [0; 160];
                let now = Instant::from_nanos(at(u64::from(n)) * 1000);
                ear.playout.pull(&mut frame, &mut ear.decoders, now);
            }
        }
    }
    let figures = ear.figures();
    assert_eq!((figures.concealed, figures.expanded), (Duration::ZERO, Duration::ZERO));
    assert!(figures.accelerated < Duration::from_millis(40));
}

#[test]
fn wild_packets_at_wild_times_are_survived_and_sense_is_heard_again() {
    for seed in 1..40u32 {
        let mut ear = Ear::new();
        let mut state = seed;
        let mut draw = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % below
        };
        for _ in 0..3000 {
            let timestamp = match draw(3) {
                0 => draw(1 << 24) << 8,
                1 => u32::MAX - draw(4000),
                _ => draw(16_000),
            };
            let samples = vec![draw(65_536) as i16; draw(1700) as usize];
            ear.packet(timestamp, &samples, ear.now + u64::from(draw(60_000)));
            match draw(12) {
                0 => {
                    let (clock, rate) = (draw(2) as usize, draw(2) as usize);
                    ear.playout.set_rates([8000, 48_000][clock], [8000, 16_000][rate]);
                }
                1 => ear.now += u64::from(draw(3_000_000)),
                2 => ear.playout.reset(),
                _ => {}
            }
            ear.pull();
        }
        ear.playout.set_rates(8000, 8000);
        let begin = ear.now;
        ear.heard.clear();
        for n in 0..300u32 {
            let samples: Vec<i16> = (0..160).map(|k| noise(n as usize * 160 + k)).collect();
            ear.packet(n * 160, &samples, begin + u64::from(n) * 20_000);
            ear.pull();
        }
        assert!(find(&ear.heard, noise, 200 * 160..260 * 160).is_some(), "seed {seed}: {:?}", ear.figures());
    }
}

#[test]
fn what_is_too_long_or_empty_is_dropped() {
    let mut playout = Playout::new();
    let now = Instant::from_millis(1);
    assert_eq!(playout.insert(0, 160, 0, &[0; MAX_PAYLOAD + 1], now), Inserted::Dropped);
    assert_eq!(playout.insert(0, 1601, 0, &[0; 10], now), Inserted::Dropped);
    assert_eq!(playout.insert(0, 0, 0, &[], now), Inserted::Dropped);
    assert_eq!(playout.insert(0, 160, 7, &[0; 160], now), Inserted::Queued, "of a decoder that is no more");
    playout.set_rates(0, 8000);
    playout.set_rates(8000, 48_000);
    assert_eq!(playout.sample_rate(), 8000);
    playout.pull(&mut vec![0; 40_000], &mut [], Instant::from_millis(2));
}
