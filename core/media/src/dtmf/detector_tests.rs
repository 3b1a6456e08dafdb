//! Digits in sound, at the edges of what ITU-T Q.24 asks and beyond them. All noise is seeded.

use base::Rng;

use super::super::tone::frequencies;
use super::*;
use crate::dtmf::{Keys, Tones};

const ALL: &str = "0123456789*#ABCD";

/// A digit as somebody sends it.
#[derive(Clone, Copy, Debug)]
struct Sent {
    /// Of each tone, in dBm0.
    levels: (f32, f32),
    /// Of each frequency, as a share of it.
    off: (f32, f32),
    ms: usize,
}

const FAIR: Sent = Sent { levels: (-9.0, -7.0), off: (0.0, 0.0), ms: 40 };

/// A line that is made piece by piece.
struct Line {
    rng: Rng,
    samples: Vec<f32>,
}

impl Line {
    fn new(seed: u64) -> Self {
        let mut line = Self { rng: Rng::from_number(seed), samples: Vec::new() };
        // So that nothing begins where the looks do.
        let before = 800 + line.rng.below(HOP as u64) as usize;
        line.samples.resize(before, 0.0);
        line
    }

    fn silence(&mut self, ms: usize) -> &mut Self {
        self.samples.resize(self.samples.len() + ms * 8, 0.0);
        self
    }

    fn sine(&mut self, from: usize, hz: f32, level: f32) {
        let phase = self.rng.fraction() as f32 * TAU;
        for (n, sample) in self.samples[from..].iter_mut().enumerate() {
            let turns = f64::from(hz) * n as f64 / 8000.0;
            *sample += amplitude(level) * (turns.fract() as f32 * TAU + phase).sin();
        }
    }

    fn digit(&mut self, name: char, sent: Sent) -> &mut Self {
        let (low, high) = frequencies(Digit::from_char(name).unwrap()).unwrap();
        let from = self.samples.len();
        self.silence(sent.ms);
        self.sine(from, f32::from(low) * (1.0 + sent.off.0), sent.levels.0);
        self.sine(from, f32::from(high) * (1.0 + sent.off.1), sent.levels.1);
        self
    }

    /// White noise over all of it, of this level in dBm0.
    fn noise(&mut self, level: f32) -> &mut Self {
        // Four even draws are nearly normal; a sine of amplitude a has the power of a deviation of a / sqrt(2).
        let deviation = amplitude(level) / 2.0_f32.sqrt() * 3.0_f32.sqrt();
        for sample in &mut self.samples {
            let bits = self.rng.bits();
            let drawn: u64 = (0..4).map(|n| bits >> (16 * n) & 0xffff).sum();
            *sample += (drawn as f32 / 65_536.0 - 2.0) * deviation;
        }
        self
    }

    fn heard(&mut self) -> String {
        self.silence(100);
        let samples: Vec<i16> = self.samples.iter().map(|s| s.round() as i16).collect();
        heard(&samples, 160)
    }
}

fn heard(samples: &[i16], frame: usize) -> String {
    let mut detector = Detector::default();
    let mut all = String::new();
    samples.chunks(frame).for_each(|frame| detector.feed(frame, |digit| all.push(digit.as_char())));
    all
}

/// The power of two tones together, in dBm0.
fn sum_dbm0((low, high): (f32, f32)) -> f32 {
    10.0 * (10_f32.powf(low / 10.0) + 10_f32.powf(high / 10.0)).log10()
}

#[test]
fn every_digit_of_40_ms_is_heard_once_at_every_level_twist_and_offset() {
    let mut wrong = Vec::new();
    let mut seed = 0;
    for name in ALL.chars() {
        for level in [0.0, -10.0, -20.0, -25.0, -30.0] {
            for levels in [(level, level), (level - 4.0, level), (level, level - 8.0)] {
                for low in [-0.015, 0.0, 0.015] {
                    for high in [-0.015, 0.0, 0.015] {
                        seed += 1;
                        let sent = Sent { levels, off: (low, high), ms: 40 };
                        let heard = Line::new(seed).digit(name, sent).heard();
                        if heard != name.to_string() {
                            wrong.push((seed, name, sent, heard));
                        }
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {seed}, as {:?}", wrong.len(), wrong[0]);
}

#[test]
fn noise_15_db_below_hides_no_digit_and_makes_none() {
    let mut wrong = Vec::new();
    let mut seed = 10_000;
    for name in ALL.chars() {
        for level in [-3.0, -15.0, -25.0] {
            for levels in [(level, level), (level - 4.0, level), (level, level - 8.0)] {
                for off in [-0.015, 0.0, 0.015] {
                    for ms in [40, 50, 100] {
                        seed += 1;
                        let sent = Sent { levels, off: (off, -off), ms };
                        let mut line = Line::new(seed);
                        let heard = line.digit(name, sent).silence(40).noise(sum_dbm0(levels) - 15.0).heard();
                        if heard != name.to_string() {
                            wrong.push((seed, name, sent, heard));
                        }
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}, as {:?}", wrong.len(), seed - 10_000, wrong[0]);
}

#[test]
fn a_frequency_that_is_3_5_percent_off_is_no_digit() {
    let mut seed = 20_000;
    for name in ALL.chars() {
        for off in [-0.06, -0.045, -0.035, 0.035, 0.045, 0.06] {
            for off in [(off, 0.0), (0.0, off), (off, off), (off, -off)] {
                for levels in [(-9.0, -7.0), (-20.0, -20.0), (-10.0, -18.0)] {
                    seed += 1;
                    let sent = Sent { levels, off, ms: 200 };
                    assert_eq!(Line::new(seed).digit(name, sent).heard(), "", "seed {seed}: {name} {sent:?}");
                }
            }
        }
    }
}

#[test]
fn a_burst_of_23_ms_is_no_digit_and_neither_is_one_tone_alone_or_one_too_faint_or_unbalanced() {
    let mut seed = 30_000;
    for name in ALL.chars() {
        for sent in [
            Sent { ms: 5, ..FAIR },
            Sent { ms: 20, ..FAIR },
            Sent { ms: 23, ..FAIR },
            Sent { ms: 23, levels: (-25.0, -25.0), ..FAIR },
            Sent { ms: 200, levels: (-9.0, -120.0), ..FAIR },
            Sent { ms: 200, levels: (-120.0, -9.0), ..FAIR },
            Sent { ms: 200, levels: (-55.0, -55.0), ..FAIR },
            Sent { ms: 200, levels: (-18.0, -10.0), ..FAIR },
            Sent { ms: 200, levels: (-10.0, -22.0), ..FAIR },
        ] {
            for _ in 0..20 {
                seed += 1;
                assert_eq!(Line::new(seed).digit(name, sent).heard(), "", "seed {seed}: {name} {sent:?}");
            }
        }
    }
}

#[test]
fn an_interruption_of_10_ms_is_bridged_and_a_pause_of_40_ms_parts() {
    let mut seed = 40_000;
    for name in ALL.chars() {
        for noise in [-120.0, -22.0] {
            for gap in [1, 5, 10, 40, 60] {
                for ms in [40, 60, 100] {
                    seed += 1;
                    let sent = Sent { ms, ..FAIR };
                    let mut line = Line::new(seed);
                    let heard = line.digit(name, sent).silence(gap).digit(name, sent).noise(noise).heard();
                    let expected = name.to_string().repeat(if gap < 40 { 1 } else { 2 });
                    assert_eq!(heard, expected, "seed {seed}: {gap} ms between {ms} ms");
                }
            }
        }
    }
}

#[test]
fn a_long_press_is_one_digit_and_one_digit_right_after_another_is_another() {
    let mut line = Line::new(1);
    line.digit('5', Sent { ms: 20_000, ..FAIR }).noise(-22.0);
    assert_eq!(line.heard(), "5");
    assert_eq!(Line::new(2).digit('5', FAIR).digit('6', FAIR).digit('5', FAIR).heard(), "565");
}

#[test]
fn what_we_play_is_what_we_hear_in_any_pieces_and_through_both_laws() {
    let mut tones = Tones::default();
    let typed = "1234567890*#ABCD0011";
    tones.press(&Keys::read(typed).unwrap());
    let mut samples = vec![0; 8 * 4200];
    tones.fill(&mut samples, 8000);
    for frame in [1, 39, 40, 41, 160, 1001, 40_000] {
        assert_eq!(heard(&samples, frame), typed, "{frame} at a time");
    }
    use crate::g711::{a_law, from_a_law, from_mu_law, mu_law};
    let mu: Vec<i16> = samples.iter().map(|s| from_mu_law(mu_law(*s))).collect();
    let a: Vec<i16> = samples.iter().map(|s| from_a_law(a_law(*s))).collect();
    assert_eq!((heard(&mu, 160).as_str(), heard(&a, 160).as_str()), (typed, typed));
}

#[test]
fn what_was_half_heard_before_the_stream_began_anew_does_not_count() {
    let mut line = Line::new(3);
    line.digit('7', Sent { ms: 100, ..FAIR });
    let samples: Vec<i16> = line.samples.iter().map(|s| *s as i16).collect();
    let (first, second) = samples.split_at(samples.len() - 600);
    let (mut detector, mut count) = (Detector::default(), 0);
    detector.feed(first, |_| count += 1);
    detector.forget();
    detector.feed(&second[..200], |_| count += 1);
    assert_eq!(count, 0, "25 ms of each are too few");
}

#[test]
fn noise_and_chords_are_no_digits() {
    let mut line = Line::new(50_000);
    assert_eq!(line.silence(60_000).noise(-15.0).heard(), "", "a minute of noise");
    // Triads of the middle octaves with their overtones, each note as a reed or a string makes it.
    let note = |n: i32| 440.0 * 2_f32.powf(n as f32 / 12.0);
    let mut seed = 50_000;
    for root in -24..24 {
        for chord in [[0, 4, 7], [0, 3, 7], [0, 5, 9], [0, 4, 10], [0, 12, 19]] {
            for fall in [3.0, 6.0, 12.0] {
                seed += 1;
                let mut line = Line::new(seed);
                let from = line.samples.len();
                line.silence(400);
                for step in chord {
                    for overtone in 1..=6 {
                        let hz = note(root + step) * overtone as f32;
                        if hz < 3600.0 {
                            line.sine(from, hz, -18.0 - fall * (overtone - 1) as f32);
                        }
                    }
                }
                assert_eq!(line.heard(), "", "seed {seed}: {root} {chord:?} {fall}");
            }
        }
    }
}
