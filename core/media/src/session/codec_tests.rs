//! Two sessions that talk in whatever was agreed: each codec, others each way, changed in mid-call, with silence left out.

use super::*;
use crate::dtmf::Events;
use crate::plan::Direction;

const RATE: u32 = 16_000;
const FRAME: usize = 320;

fn address(port: u16) -> SocketAddr {
    ([192, 0, 2, 7], port).into()
}

/// Everything may come; this goes out.
fn plan(to: u16, codec_out: Codec) -> Plan {
    let numbers = (96..).zip(Codec::ALL);
    let codecs_in: Vec<_> = numbers.collect();
    let out = codecs_in.iter().find(|(_, codec)| *codec == codec_out).copied().unwrap();
    Plan {
        codecs_in,
        noise_in: Some(13),
        remote: Some(address(to)),
        direction: Direction::SendRecv,
        ..Plan::of(out.0, out.1)
    }
}

/// Ann and Bob; what they say goes over a wire of 40 ms.
struct Talk {
    ends: [Session; 2],
    wire: [Vec<(u64, Vec<u8>)>; 2],
    ticks: u64,
    /// What Bob heard.
    heard: Vec<i16>,
}

impl Talk {
    fn new(plans: [Plan; 2]) -> Self {
        let mut seed = 0;
        let ends = plans.map(|plan| {
            seed += 1;
            Session::new(plan, RATE, Rng::from_number(seed), Instant::ZERO)
        });
        Self { ends, wire: Default::default(), ticks: 0, heard: Vec::new() }
    }

    /// 20 ms in which Ann says this, and Bob hums.
    fn tick(&mut self, said: &[i16]) {
        let now = Instant::from_millis(self.ticks * 20);
        let hum = sound(self.ticks, 300.0, 3000.0);
        let mut frame = [0; FRAME];
        for (me, says) in [said, &hum].into_iter().enumerate() {
            let (due, later) =
                std::mem::take(&mut self.wire[1 - me]).into_iter().partition(|(at, _)| *at <= self.ticks);
            self.wire[1 - me] = later;
            for (_, bytes) in due {
                self.ends[me].packet(&bytes, address(2 - me as u16), false, now, 0);
            }
            self.ends[me].playout(&mut frame, now);
            let mut next = self.ends[me].captured(says, now);
            while let Some(out) = next {
                self.wire[me].push((self.ticks + 2, out.bytes.to_vec()));
                next = self.ends[me].next_packet();
            }
            if me == 1 {
                self.heard.extend_from_slice(&frame);
            }
        }
        self.ticks += 1;
    }

    fn hum_for(&mut self, ticks: u64) {
        for _ in 0..ticks {
            self.tick(&sound(self.ticks, 440.0, 6000.0));
        }
    }

    /// The level of what Bob heard in the last so many ticks, against full scale, in dB.
    fn level(&self, ticks: usize) -> f64 {
        let last = &self.heard[self.heard.len() - ticks * FRAME..];
        let power = last.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / last.len() as f64;
        10.0 * (power / 32_768.0_f64.powi(2)).max(1e-10).log10()
    }
}

/// 20 ms of a tone with a voice's harmonics.
fn sound(tick: u64, hz: f64, amplitude: f64) -> [i16; FRAME] {
    std::array::from_fn(|n| {
        let t = (tick as usize * FRAME + n) as f64 / f64::from(RATE) * std::f64::consts::TAU * hz;
        (amplitude * (t.sin() + 0.5 * (2.0 * t).sin())) as i16
    })
}

#[test]
fn every_codec_is_heard_as_loud_as_it_was_said_and_none_in_the_other_sides_stead() {
    for codec in Codec::ALL {
        for back in Codec::ALL {
            let mut talk = Talk::new([plan(2, codec), plan(1, back)]);
            talk.hum_for(50);
            let level = talk.level(20);
            assert!((level + 17.0).abs() < 2.0, "{codec:?} against {back:?}: {level} dB");
            let [ann, bob] = talk.ends.map(|end| end.stats());
            assert_eq!((ann.codec_in, bob.codec_in), (Some(back), Some(codec)));
            assert_eq!((bob.lost, bob.late, bob.malformed, bob.unknown_payload), (0, 0, 0, 0));
        }
    }
}

#[test]
fn a_codec_that_changes_in_mid_call_is_heard_at_once() {
    let mut talk = Talk::new([plan(2, Codec::G729), plan(1, Codec::G729)]);
    talk.hum_for(50);
    let others = [Codec::G722, Codec::Pcmu, Codec::Opus, Codec::Gsm, Codec::G729];
    for codec in others {
        talk.ends[0].replan(plan(2, codec), Instant::from_millis(talk.ticks * 20));
        // Another clock is another source, and that is believed at its second packet.
        talk.hum_for(25);
        assert_eq!(talk.ends[1].stats().codec_in, Some(codec));
        let level = talk.level(10);
        assert!((level + 17.0).abs() < 2.0, "{codec:?}: {level} dB");
    }
}

#[test]
fn digits_that_wait_while_the_codec_changes_are_pressed_on_its_clock() {
    let events = |plan: Plan, number| Plan {
        events_in: vec![(101, 8000), (102, 48_000)],
        events_out: Some((number, Events::TONES)),
        ..plan
    };
    let mut talk = Talk::new([events(plan(2, Codec::G729), 101), events(plan(1, Codec::G729), 101)]);
    talk.hum_for(10);
    talk.ends[0].press(&Keys::read("1234").unwrap());
    let mut digits = String::new();
    for tick in 0..100 {
        talk.hum_for(1);
        digits.extend(talk.ends[1].poll_digit().map(|(digit, _)| digit.as_char()));
        if tick == 15 {
            let now = Instant::from_millis(talk.ticks * 20);
            talk.ends[0].replan(events(plan(2, Codec::Opus), 102), now);
        }
    }
    assert_eq!(digits, "1234");
}

#[test]
fn silence_that_is_left_out_is_neither_lost_nor_heard_as_a_hole() {
    // Opus takes a room's noise for worth sending, and leaves out only what is silent.
    for (codec, loudness) in [(Codec::G729, 600), (Codec::Pcmu, 600), (Codec::Opus, i16::MAX)] {
        let quiet = Plan { silence: true, noise_out: Some(13), ..plan(2, codec) };
        let mut talk = Talk::new([quiet, plan(1, Codec::Pcmu)]);
        let mut rng = Rng::from_number(1);
        let mut room = || -> [i16; FRAME] { std::array::from_fn(|_| (rng.bits() as i16) / loudness) };
        for _ in 0..100 {
            let (hum, room) = (sound(talk.ticks, 200.0, 6000.0), room());
            talk.tick(&std::array::from_fn::<i16, FRAME, _>(|n| hum[n] + room[n]));
        }
        for _ in 0..500 {
            talk.tick(&room());
        }
        let [ann, bob] = [&talk.ends[0], &talk.ends[1]].map(Session::stats);
        assert!(ann.sent < 450, "{codec:?}: {} packets in 600 ticks", ann.sent);
        assert_eq!((bob.lost, bob.late), (0, 0), "{codec:?}");
        let level = talk.level(50);
        let as_it_is = if codec == Codec::Opus { level < -75.0 } else { (-75.0..-45.0).contains(&level) };
        assert!(as_it_is, "{codec:?}: a room of -60 dB, or of none, is heard at {level}");
        talk.hum_for(50);
        assert!((talk.level(20) + 17.0).abs() < 2.0, "{codec:?}: and the voice again");
    }
}
