//! Time of the codecs per frame, beside other people's in turns: `codecs YARDSTICKS SPEECH`.
//!
//! YARDSTICKS holds the programs that `tests/bench/codecs` builds, each printing what it measured; SPEECH the clips at
//! 8 kHz. Time is the processor's own, so that a busy machine counts less; the median of the rounds counts.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::hint::black_box;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use media::{Interpolator, g711, g729, gsm, opus, wav};
use nix::time::{ClockId, clock_gettime};
use offhook_bench::line;

/// Measurements of each side; the median counts.
const ROUNDS: usize = 5;
/// A pass over the speech is repeated until it has taken this long, in ns.
const ENOUGH: f64 = 100e6;

/// One line of the table: what, which yardstick measures it under which name, and how long ours may take.
struct Row {
    what: &'static str,
    codec: &'static str,
    step: &'static str,
    goal: Goal,
}

enum Goal {
    /// Of the yardstick's time.
    Share(f64),
    Nanoseconds(f64),
    /// Shown beside the others; no figure is asked for.
    None,
}

const fn row(what: &'static str, codec: &'static str, step: &'static str, goal: Goal) -> Row {
    Row { what, codec, step, goal }
}

const ROWS: [Row; 11] = [
    row("G.711 encode, 20 ms", "g711", "encode", Goal::Nanoseconds(300.0)),
    row("G.711 decode, 20 ms", "g711", "decode", Goal::Nanoseconds(300.0)),
    row("GSM encode, 20 ms", "gsm", "encode", Goal::Share(0.9)),
    row("GSM decode, 20 ms", "gsm", "decode", Goal::Share(0.9)),
    row("G.729A encode, 10 ms", "g729", "encode", Goal::Share(0.5)),
    row("G.729A decode, 10 ms", "g729", "decode", Goal::Share(0.45)),
    row("G.729AB encode, silence left out", "g729", "encode-dtx", Goal::None),
    row("G.729AB decode, silence left out", "g729", "decode-dtx", Goal::None),
    row("Opus 16 kHz 24 kbit/s encode, 20 ms", "opus", "encode", Goal::Share(0.8)),
    row("Opus 16 kHz 24 kbit/s decode, 20 ms", "opus", "decode", Goal::Share(0.8)),
    row("Opus the same, with FEC, encode", "opus", "encode-fec", Goal::None),
];

/// Nanoseconds per frame, by codec and step.
type Measured = BTreeMap<(&'static str, String), Vec<f64>>;

fn cpu_ns() -> f64 {
    let spent = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("every Linux has it");
    spent.tv_sec() as f64 * 1e9 + spent.tv_nsec() as f64
}

/// Notes how long `pass` takes for each of its `frames`.
fn measure(measured: &mut Measured, codec: &'static str, step: &str, frames: usize, mut pass: impl FnMut()) {
    let (began, mut passes) = (cpu_ns(), 0.0);
    while cpu_ns() - began < ENOUGH {
        pass();
        passes += 1.0;
    }
    let each = (cpu_ns() - began) / passes / frames as f64;
    measured.entry((codec, step.to_owned())).or_default().push(each);
}

fn measure_g711(speech: &[i16], measured: &mut Measured) {
    let mut codes = vec![0; speech.len()];
    let mut back = vec![0; speech.len()];
    let frames = speech.len() / 160;
    measure(measured, "g711", "encode", frames, || {
        for (frame, codes) in speech.chunks(160).zip(codes.chunks_mut(160)) {
            for (code, sample) in codes.iter_mut().zip(black_box(frame)) {
                *code = g711::mu_law(*sample);
            }
        }
    });
    measure(measured, "g711", "decode", frames, || {
        for (codes, frame) in codes.chunks(160).zip(back.chunks_mut(160)) {
            for (sample, code) in frame.iter_mut().zip(black_box(codes)) {
                *sample = g711::from_mu_law(*code);
            }
        }
    });
}

fn measure_gsm(speech: &[i16], measured: &mut Measured) {
    let frames = speech.as_chunks().0;
    let mut coded = Vec::with_capacity(frames.len());
    measure(measured, "gsm", "encode", frames.len(), || {
        let mut encoder = gsm::Encoder::default();
        coded.clear();
        coded.extend(frames.iter().map(|frame| encoder.encode(frame)));
    });
    let mut out = [0; gsm::SAMPLES];
    measure(measured, "gsm", "decode", frames.len(), || {
        let mut decoder = gsm::Decoder::default();
        for coded in &coded {
            black_box(decoder.decode(coded, &mut out)).expect("a frame of ours");
        }
    });
}

fn measure_g729(speech: &[i16], measured: &mut Measured) {
    let frames: Vec<&[i16; 80]> = speech.as_chunks().0.iter().collect();
    for (silence_compression, encode, decode) in
        [(false, "encode", "decode"), (true, "encode-dtx", "decode-dtx")]
    {
        let mut coded = Vec::with_capacity(frames.len());
        measure(measured, "g729", encode, frames.len(), || {
            let mut encoder = g729::Encoder::new(silence_compression);
            coded.clear();
            coded.extend(frames.iter().map(|frame| encoder.encode(frame)));
        });
        measure(measured, "g729", decode, frames.len(), || {
            let mut decoder = g729::Decoder::default();
            for coded in &coded {
                black_box(decoder.decode(match coded {
                    g729::Coded::Speech(bits) => g729::Frame::Speech(bits),
                    g729::Coded::Sid(bits) => g729::Frame::Sid(*bits),
                    g729::Coded::Nothing => g729::Frame::Untransmitted,
                }));
            }
        });
    }
}

/// Samples of a frame at the rate that Opus is measured at, 16 kHz.
const OPUS_FRAME: usize = 320;

fn measure_opus(speech: &[i16], measured: &mut Measured) {
    let frames = speech.len() / OPUS_FRAME;
    let mut packets = vec![Vec::with_capacity(1500); frames];
    for (loss, step) in [(10, "encode-fec"), (0, "encode")] {
        measure(measured, "opus", step, frames, || {
            let mut encoder = opus::Encoder::new(16_000);
            encoder.told_loss(loss);
            for (frame, packet) in speech.chunks_exact(OPUS_FRAME).zip(&mut packets) {
                packet.clear();
                encoder.encode(frame, packet);
            }
        });
    }
    let mut out = [0; OPUS_FRAME];
    measure(measured, "opus", "decode", frames, || {
        let mut decoder = opus::Decoder::new(16_000);
        for packet in &packets {
            black_box(decoder.decode(packet, &mut out));
        }
    });
}

/// What a yardstick prints: a step and its time, line by line. Nothing if it was not built.
fn measure_theirs(
    program: &Path,
    codec: &'static str,
    samples: &Path,
    measured: &mut Measured,
) -> Result<()> {
    if !program.exists() {
        return Ok(());
    }
    let output = Command::new(program).arg(samples).output()?;
    for (step, each) in String::from_utf8(output.stdout)?.lines().filter_map(|line| line.split_once(' ')) {
        measured.entry((codec, step.to_owned())).or_default().push(each.parse()?);
    }
    Ok(())
}

/// Every clip of the folder, one after another.
fn read_speech(folder: &Path) -> Result<Vec<i16>> {
    let listed: io::Result<Vec<PathBuf>> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect();
    let mut clips = listed?;
    clips.retain(|path| path.extension().is_some_and(|ending| ending == "wav"));
    clips.sort();
    let mut speech = Vec::new();
    for clip in clips {
        let mut reader = wav::Reader::new(io::BufReader::new(File::open(&clip)?))
            .with_context(|| clip.display().to_string())?;
        let began = speech.len();
        speech.resize(began + reader.samples() as usize, 0);
        let read = reader.read(&mut speech[began..])?;
        speech.truncate(began + read);
    }
    Ok(speech)
}

fn median(times: Option<&mut Vec<f64>>) -> Option<f64> {
    let times = times?;
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied()
}

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(yardsticks), Some(folder)) = (arguments.next(), arguments.next()) else {
        anyhow::bail!("codecs YARDSTICKS SPEECH")
    };
    let narrow = read_speech(&folder)?;
    let mut up = Interpolator::new(8000, 16_000).expect("twice 8 kHz");
    let mut source = narrow.iter();
    let wide: Vec<i16> = (0..narrow.len() * 2).map(|_| up.pull(|| *source.next().unwrap_or(&0))).collect();
    let files = [("narrow", &narrow), ("wide", &wide)].map(|(name, samples)| {
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let path = yardsticks.join(name);
        fs::write(&path, bytes).map(|()| path)
    });
    let [narrow_file, wide_file] = files;
    let (narrow_file, wide_file) = (narrow_file?, wide_file?);

    let (mut ours, mut theirs) = (Measured::new(), Measured::new());
    for _ in 0..ROUNDS {
        measure_g711(&narrow, &mut ours);
        measure_g729(&narrow, &mut ours);
        measure_theirs(&yardsticks.join("g729"), "g729", &narrow_file, &mut theirs)?;
        measure_gsm(&narrow, &mut ours);
        measure_theirs(&yardsticks.join("gsm"), "gsm", &narrow_file, &mut theirs)?;
        measure_opus(&wide, &mut ours);
        measure_theirs(&yardsticks.join("opus"), "opus", &wide_file, &mut theirs)?;
    }

    let time = |each: Option<f64>| each.map_or_else(|| "-".to_owned(), |each| format!("{each:.0} ns"));
    line(format_args!("{:<44} {:>12} {:>12} {:>9}", "codecs, per frame", "offhook", "yardstick", "share"))?;
    for Row { what, codec, step, goal } in &ROWS {
        let key = (*codec, (*step).to_owned());
        let (us, them) = (median(ours.get_mut(&key)), median(theirs.get_mut(&key)));
        let share = us.zip(them).map_or_else(|| "-".to_owned(), |(us, them)| format!("{:.2}x", us / them));
        let goal = match goal {
            Goal::Share(share) => format!(", goal {share}x"),
            Goal::Nanoseconds(each) => format!(", goal {each:.0} ns"),
            Goal::None => String::new(),
        };
        line(format_args!("{what:<44} {:>12} {:>12} {share:>9}{goal}", time(us), time(them)))?;
    }
    Ok(())
}
