//! Speech through lost packets, by our playout and by its yardsticks, for a judge to listen to.
//!
//!     speech_quality SEEDS CLIP.. -- CODEC..
//!
//! A clip is a WAV file or headerless samples whose name ends in `.8k` or `.16k`. For every codec, clip of its
//! rate, kind of loss, rate of loss and seed each method's output goes to standard output: a line `CODEC METHOD
//! KIND PERCENT SEED CLIP SAMPLES`, then the samples, 16 bits, little endian. `tests/bench/speech-quality` reads
//! that.
//!
//! The patterns of loss come of their seeds alone and are the same for every method: so many packets of 20 ms, or
//! bursts of three, at places that the seed chooses.

use std::env;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;

use base::Instant;
use media::wav::Reader;
use media::{Codec, Decoder, Playout, opus};

/// Percent of packets lost.
const RATES: [usize; 3] = [3, 5, 10];
/// Packets of 20 ms.
const PACKET_MS: u64 = 20;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (seeds, rest) = arguments.split_first().ok_or("how many seeds?")?;
    let seeds = seeds.parse()?;
    let middle = rest.iter().position(|argument| argument == "--").ok_or("-- before the codecs")?;
    let mut out = BufWriter::new(io::stdout().lock());
    for name in &rest[middle + 1..] {
        // Not every build speaks every codec: the table tells which rows are missing.
        let Some(codec) = Codec::from_name(name) else { continue };
        for path in &rest[..middle] {
            let path = Path::new(path);
            let (samples, rate) = read(path)?;
            if rate == codec.sample_rate() {
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("clip");
                Trial::new(codec, &samples).all(name, seeds, &mut out)?;
            }
        }
    }
    out.flush()?;
    Ok(())
}

fn read(path: &Path) -> Result<(Vec<i16>, u32), Failure> {
    let raw = |rate| -> Result<(Vec<i16>, u32), Failure> {
        let bytes = fs::read(path)?;
        Ok((bytes.as_chunks::<2>().0.iter().map(|pair| i16::from_le_bytes(*pair)).collect(), rate))
    };
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("8k") => raw(8000),
        Some("16k") => raw(16_000),
        _ => {
            let mut reader = Reader::new(BufReader::new(File::open(path)?))?;
            let mut samples = vec![0; reader.samples() as usize];
            let count = reader.read(&mut samples)?;
            samples.truncate(count);
            Ok((samples, reader.rate()))
        }
    }
}

/// How a gap is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    /// The whole playout.
    Ours,
    /// The last frame again, fading over 60 ms, and a join of 4 ms.
    Fade,
    /// The codec's own concealment alone, of packets that do not describe the one before again.
    Own,
    /// The last payload decoded again, then muted over 320 ms: the example of GSM 06.11.
    Muting,
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Fade => "fade",
            Self::Own => "own",
            Self::Muting => "muting",
        }
    }

    /// Ours and the yardsticks of that codec.
    fn of(codec: Codec) -> &'static [Self] {
        match codec.name() {
            "GSM" => &[Self::Ours, Self::Muting],
            "G729" | "opus" => &[Self::Ours, Self::Own],
            _ => &[Self::Ours, Self::Fade],
        }
    }
}

/// One clip, coded.
struct Trial {
    codec: Codec,
    /// Told of loss, where the codec does something about it.
    packets: Vec<Vec<u8>>,
    /// Not told.
    plain: Vec<Vec<u8>>,
    /// Samples in a packet.
    frame: usize,
}

impl Trial {
    fn new(codec: Codec, samples: &[i16]) -> Self {
        let frame = codec.sample_rate() as usize / 50;
        let mut encoder = codec.encoder(false);
        let frames = samples.chunks_exact(frame);
        let plain: Vec<_> =
            frames.clone().map(|frame| payload(|out| _ = encoder.encode(frame, out))).collect();
        let mut told = opus::Encoder::new(codec.sample_rate());
        told.told_loss(10);
        let packets = match codec.name() {
            "opus" => frames.map(|frame| payload(|out| told.encode(frame, out))).collect(),
            _ => plain.clone(),
        };
        Self { codec, packets, plain, frame }
    }

    fn all(&self, clip: &str, seeds: u64, out: &mut impl Write) -> io::Result<()> {
        let count = self.packets.len();
        for method in Method::of(self.codec) {
            let mut run = |kind: &str, percent: usize, seed: u64, lost: &[bool]| {
                let heard = match method {
                    Method::Ours => self.through_the_playout(lost),
                    _ => self.by(*method, lost),
                };
                let (codec, method) = (self.codec.name(), method.name());
                writeln!(out, "{codec} {method} {kind} {percent} {seed} {clip} {}", heard.len())?;
                heard.iter().try_for_each(|sample| out.write_all(&sample.to_le_bytes()))
            };
            run("none", 0, 0, &vec![false; count])?;
            for percent in RATES {
                for seed in 1..=seeds {
                    run("random", percent, seed, &pattern(count, percent, 1, seed))?;
                    run("bursts", percent, seed, &pattern(count, percent, 3, seed))?;
                }
            }
        }
        Ok(())
    }

    /// The clip twice: once until the delay has settled, then with its losses.
    fn through_the_playout(&self, lost: &[bool]) -> Vec<i16> {
        let count = self.packets.len() as u64;
        let mut playout = Playout::new();
        playout.set_rates(self.codec.clock_rate(), self.codec.sample_rate());
        let mut decoders: Vec<(u8, Decoder)> = vec![(0, self.codec.decoder())];
        let ticks = self.codec.clock_rate() / 50;
        let (mut heard, mut frame, mut delay) = (Vec::new(), vec![0; self.frame], 0);
        for n in 0..2 * count + 10 {
            let now = Instant::from_millis(1000 + n * PACKET_MS);
            if n == count {
                delay = playout.delay().as_micros() as usize * self.frame / 20_000;
            }
            if n < 2 * count && !(n >= count && lost[(n - count) as usize]) {
                playout.insert(n as u32 * ticks, self.frame, 0, &self.packets[(n % count) as usize], now);
            }
            playout.pull(&mut frame, &mut decoders, now);
            heard.extend_from_slice(&frame);
        }
        let length = self.packets.len() * self.frame;
        heard[length + delay..length + delay + length].to_vec()
    }

    /// A yardstick: every packet in its place.
    fn by(&self, method: Method, lost: &[bool]) -> Vec<i16> {
        let frame = self.frame;
        let mut decoder = self.codec.decoder();
        let (mut out, mut last, mut payload) = (Vec::new(), vec![0; frame], &self.plain[0]);
        // Samples made up since the last good one.
        let mut since = 0;
        let gain = |since: usize, length: usize| length.saturating_sub(since) as f32 / length as f32;
        for (next, lost) in self.plain.iter().zip(lost) {
            let mut fresh = vec![0; frame];
            match (lost, method) {
                (false, _) => {
                    decoder.decode(next, &mut fresh);
                    let join = frame / 5;
                    for n in (0..join).take_while(|_| method == Method::Fade && since > 0) {
                        let (part, old) =
                            (n as f32 / join as f32, f32::from(last[n]) * gain(since, 3 * frame));
                        fresh[n] = (old * (1.0 - part) + f32::from(fresh[n]) * part) as i16;
                    }
                    (payload, since) = (next, 0);
                    last.clone_from(&fresh);
                }
                (true, Method::Own) => _ = decoder.conceal(None, &mut fresh),
                (true, Method::Muting) => {
                    decoder.decode(payload, &mut fresh);
                    let gain = gain(since, 16 * frame);
                    for sample in &mut fresh {
                        *sample = (f32::from(*sample) * gain) as i16;
                    }
                    since += frame;
                }
                (true, Method::Fade | Method::Ours) => {
                    for (to, from) in fresh.iter_mut().zip(&last) {
                        *to = (f32::from(*from) * gain(since, 3 * frame)) as i16;
                        since += 1;
                    }
                }
            }
            out.extend(fresh);
        }
        out
    }
}

fn payload(encode: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut payload = Vec::new();
    encode(&mut payload);
    payload
}

/// Packets lost at a rate, in bursts of a length, none beside another.
fn pattern(packets: usize, percent: usize, burst: usize, seed: u64) -> Vec<bool> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (percent << 8 | burst) as u64;
    let mut draw = |below: usize| {
        // SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31) as usize % below
    };
    let mut lost = vec![false; packets];
    // So many, whatever the dice say: the intervals are of places, not of counts.
    let mut left = (packets * percent + 50 * burst) / (100 * burst);
    while left > 0 {
        let at = 2 + draw(packets - burst - 4);
        if lost[at - 1..=at + burst].iter().all(|lost| !lost) {
            lost[at..at + burst].fill(true);
            left -= 1;
        }
    }
    lost
}
