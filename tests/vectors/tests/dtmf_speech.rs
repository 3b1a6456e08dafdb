//! No digit in speech: the talk-off of ITU-T Q.24, whose half an hour without a hit is the yardstick.
//!
//! The repository keeps thirteen seconds of two readers. Played at other speeds they become other voices, whose
//! harmonics lie elsewhere: that makes hours of them. Knows no other language than English.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use media::dtmf::Detector;
use media::g711::{a_law, from_a_law, from_mu_law, mu_law};
use media::{Decimator, wav};
use offhook_vectors::{Mutator, elsewhere, exercise};

/// Speeds that speech is played at, in hundredths: from a large man to a child.
const SPEEDS: std::ops::RangeInclusive<usize> = 65..=150;

fn kept() -> Vec<Vec<i16>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("speech");
    let clips = ["lib0870.wav", "lib0920.wav"].map(|name| {
        let file = fs::File::open(folder.join(name)).expect("the repository keeps speech");
        let mut reader = wav::Reader::new(file).expect("a WAV file");
        assert_eq!(reader.rate(), 8000);
        let mut samples = vec![0; reader.samples() as usize];
        reader.read(&mut samples).expect("whole");
        samples
    });
    clips.into()
}

fn at_speed(samples: &[i16], hundredths: usize) -> Vec<i16> {
    let length = samples.len().saturating_sub(1) * 100 / hundredths;
    let between = |n: usize| {
        let (at, part) = (n * hundredths / 100, n * hundredths % 100);
        let (a, b) = (i32::from(samples[at]), i32::from(samples[at + 1]));
        (a + (b - a) * part as i32 / 100) as i16
    };
    (0..length).map(between).collect()
}

fn louder(samples: &[i16], db: i32) -> Vec<i16> {
    let gain = 10_f32.powf(db as f32 / 20.0);
    samples.iter().map(|s| (f32::from(*s) * gain) as i16).collect()
}

/// As a subscriber's line lets it through: little below 300 Hz. Without its fundamental a voice is more like a digit.
fn without_bass(samples: &[i16]) -> Vec<i16> {
    let keep = 1.0 / (1.0 + std::f32::consts::TAU * 300.0 / 8000.0);
    let mut samples: Vec<f32> = samples.iter().copied().map(f32::from).collect();
    for _ in 0..4 {
        let (mut before, mut out) = (0.0, 0.0);
        for sample in &mut samples {
            out = keep * (out + *sample - before);
            before = *sample;
            *sample = out;
        }
    }
    samples.into_iter().map(|s| s as i16).collect()
}

/// What was listened to.
#[derive(Default)]
struct Heard {
    samples: usize,
    digits: Vec<String>,
}

impl Heard {
    fn listen(&mut self, samples: &[i16], what: &str) {
        let mut detector = Detector::default();
        for frame in samples.chunks(160) {
            detector.feed(frame, |digit| self.digits.push(format!("{} in {what}", digit.as_char())));
        }
        self.samples += samples.len();
    }

    fn none(self, of: &str) {
        let minutes = self.samples as f64 / 8000.0 / 60.0;
        // Past the test harness's capture.
        let _ = writeln!(std::io::stdout(), "{minutes:.1} min of {of}: {} digits", self.digits.len());
        assert!(self.digits.is_empty(), "{:?}", self.digits);
    }
}

#[test]
fn hours_of_speech_at_many_speeds_and_levels_over_many_lines_hold_no_digit() {
    let mut heard = Heard::default();
    for (n, clip) in kept().iter().enumerate() {
        for speed in SPEEDS {
            let clip = at_speed(clip, speed);
            for db in [-12, 0, 12] {
                heard.listen(&louder(&clip, db), &format!("clip {n} at {speed} % and {db} dB"));
            }
            let mu: Vec<i16> = clip.iter().map(|s| from_mu_law(mu_law(*s))).collect();
            heard.listen(&mu, &format!("clip {n} at {speed} % through mu-law"));
            let thin = without_bass(&clip);
            for db in [0, 12] {
                heard.listen(&louder(&thin, db), &format!("clip {n} at {speed} % and {db} dB without bass"));
            }
            let a: Vec<i16> = clip.iter().map(|s| from_a_law(a_law(*s))).collect();
            heard.listen(&a, &format!("clip {n} at {speed} % through A-law"));
        }
    }
    heard.none("speech");
}

#[test]
fn two_voices_at_once_hold_no_digit() {
    let clips = kept();
    let mut heard = Heard::default();
    for first in SPEEDS.step_by(5) {
        for second in SPEEDS.step_by(5) {
            let (a, b) = (at_speed(&clips[0], first), at_speed(&clips[1], second));
            let both: Vec<i16> = a.iter().zip(&b).map(|(a, b)| a.saturating_add(*b)).collect();
            heard.listen(&both, &format!("two voices at {first} and {second} %"));
        }
    }
    heard.none("two voices");
}

#[test]
fn the_shared_speech_holds_no_digit() {
    let Some(folder) = elsewhere("speech") else { return };
    let mut heard = Heard::default();
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("a folder").filter_map(|f| Some(f.ok()?.path())).collect();
    files.sort();
    for file in files {
        let rate = match file.extension().and_then(|ending| ending.to_str()) {
            Some("8k") => 8000,
            Some("16k") => 16_000,
            _ => continue,
        };
        let bytes = fs::read(&file).expect("a vector is read");
        let samples = bytes.as_chunks::<2>().0.iter().map(|pair| i16::from_le_bytes(*pair));
        let mut decimator = Decimator::new(rate, 8000).expect("a rate it knows");
        let samples: Vec<i16> = samples.filter_map(|s| decimator.feed(s)).collect();
        for db in [-20, -10, 0, 10] {
            let looped = louder(&samples, db).repeat(3);
            heard.listen(&looped, &format!("{} at {db} dB", file.display()));
            let mu: Vec<i16> = looped.iter().map(|s| from_mu_law(mu_law(*s))).collect();
            heard.listen(&mu, &format!("{} at {db} dB through mu-law", file.display()));
        }
    }
    heard.none("shared speech");
}

#[test]
fn broken_copies_of_digits_never_panic_nor_make_many() {
    let seeds = [
        &include_bytes!("../../fuzz/seeds/dtmf_detector/five")[..],
        include_bytes!("../../fuzz/seeds/dtmf_detector/one-hash"),
    ];
    let seed = 4733;
    let (mut mutator, mut mutant) = (Mutator::new(seed), Vec::new());
    for n in 0..300 {
        mutator.mutate(seeds[n % 2], seeds[(n + 1) % 2], &mut mutant);
        let outcome = std::panic::catch_unwind(|| exercise::dtmf_detector(&mutant));
        assert!(outcome.is_ok(), "seed {seed}, mutant {n}");
    }
}
