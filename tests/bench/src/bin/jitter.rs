//! The playout on bad networks, in told time, beside the two kinds of buffer that it replaces.
//!
//!     jitter [SECONDS]      default: 600
//!
//! Fixed: every sample in its turn, 200 ms after the first packet's own; what is late is gone. Restarting: the
//! same, and after five packets in a row off its beat it begins anew. Delay is the mean from when a packet would
//! have come, were it as fast as the fastest of the last 5 s, to its turn; concealed is the share of time in which
//! sound was made up or missing.

use std::env;
use std::io::{self, Write};

use base::Instant;
use media::{Codec, Decoder, Playout};

const FRAME: usize = 160;
/// Microseconds.
const PACKET: i64 = 20_000;
const FIXED: i64 = 200_000;

fn main() -> io::Result<()> {
    let seconds: i64 = env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(600);
    let packets = seconds * 50;
    let mut out = io::stdout();
    writeln!(out, "{:<44} {:>9} {:>9} {:>7} {:>7}", "", "delay", "concealed", "gaps", "unheard")?;
    for world in worlds() {
        // The same weather for all three.
        let mut dice = Dice(7);
        let arrivals: Vec<_> = (0..packets).map(|n| (world.arrival)(n, &mut dice)).collect();
        writeln!(out, "{}", world.name)?;
        for (name, result) in [
            ("  adaptive", adaptive(&arrivals)),
            ("  fixed 200 ms", fixed(&arrivals, i64::MAX)),
            ("  fixed 200 ms, restarting", fixed(&arrivals, 5)),
        ] {
            let Outcome { delay, concealed, gaps, unheard, note } = result;
            writeln!(
                out,
                "{name:<44} {delay:>6.0} ms {concealed:>7.2} % {gaps:>7} {unheard:>7.2} %  {note}"
            )?;
        }
    }
    Ok(())
}

struct World {
    name: &'static str,
    /// When packet `n` arrives, in microseconds; `None`: never.
    arrival: fn(i64, &mut Dice) -> Option<i64>,
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    /// 0.0..1.0.
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ z >> 31) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Mean 0, deviation 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.roll()).sum::<f64>() - 6.0
    }
}

fn worlds() -> [World; 7] {
    fn spike(n: i64, every: i64) -> i64 {
        // All that is sent while the way is blocked comes at its end.
        (400_000 - n % every * PACKET).max(0) * i64::from(n >= every)
    }
    [
        World { name: "quiet", arrival: |n, _| Some(n * PACKET) },
        World {
            name: "100 +- 25 ms even, 5 % loss",
            arrival: |n, dice| {
                let late = 75_000.0 + dice.roll() * 50_000.0;
                (dice.roll() >= 0.05).then_some(n * PACKET + late as i64)
            },
        },
        World {
            name: "100 +- 25 ms normal, 5 % loss",
            arrival: |n, dice| {
                let late = (100_000.0 + dice.normal() * 25_000.0).max(0.0);
                (dice.roll() >= 0.05).then_some(n * PACKET + late as i64)
            },
        },
        World {
            name: "a 400 ms spike every 10 s",
            arrival: |n, _| Some(n * PACKET + 50_000 + spike(n, 500)),
        },
        World {
            name: "the same, 5 ms jitter and 1 % loss",
            arrival: |n, dice| {
                let late = 50_000 + spike(n, 500) + (dice.roll() * 5_000.0) as i64;
                (dice.roll() >= 0.01).then_some(n * PACKET + late)
            },
        },
        World { name: "a clock 200 ppm slow", arrival: |n, _| Some(n * (PACKET + 4)) },
        World { name: "a clock 200 ppm fast", arrival: |n, _| Some(n * (PACKET - 4)) },
    ]
}

struct Outcome {
    delay: f64,
    concealed: f64,
    gaps: u64,
    /// Packets that came and were not played.
    unheard: f64,
    note: String,
}

/// A voice that never pauses, the hardest to stretch.
fn voice(n: usize) -> i16 {
    let t = n as f64 / 8000.0 * std::f64::consts::TAU * 130.0;
    (5000.0 * t.sin() + 3000.0 * (2.0 * t + 1.0).sin() + 1500.0 * (5.0 * t).sin()) as i16
}

/// Microseconds at which everything begins.
const BEGIN: i64 = 10_000_000;

fn adaptive(arrivals: &[Option<i64>]) -> Outcome {
    let mut playout = Playout::new();
    let mut decoders: Vec<(u8, Decoder)> = vec![(0, Codec::Pcmu.decoder())];
    let mut encoder = Codec::Pcmu.encoder(false);
    let mut order: Vec<_> = arrivals.iter().enumerate().filter_map(|(n, at)| Some(((*at)?, n))).collect();
    order.sort_unstable();
    let mut order = order.into_iter().peekable();
    let told = |at: i64| Instant::from_nanos(((BEGIN + at) * 1000) as u64);
    let (mut delays, mut count, mut payload) = (0.0, 0.0, Vec::new());
    let mut frame = [0; FRAME];
    // How long it takes from a spike's end until the delay is near its target again.
    let (mut above, mut slowest) = (None, 0);
    let last = arrivals.iter().flatten().max().copied().unwrap_or(0);
    for n in 0..last / PACKET {
        // Pulled on a beat of its own.
        let now = n * PACKET + 7_000;
        while let Some((at, packet)) = order.next_if(|(at, _)| *at <= now) {
            let samples: Vec<i16> = (packet * FRAME..(packet + 1) * FRAME).map(voice).collect();
            payload.clear();
            encoder.encode(&samples, &mut payload);
            playout.insert((packet * FRAME) as u32, FRAME, 0, &payload, told(at));
        }
        playout.pull(&mut frame, &mut decoders, told(now));
        let figures = playout.figures();
        if n > 50 {
            delays += figures.delay.as_secs_f64() * 1000.0;
            count += 1.0;
        }
        if figures.delay.as_micros() as i64 > figures.target.as_micros() as i64 + 60_000 {
            above.get_or_insert(n);
        } else if let Some(since) = above.take() {
            slowest = slowest.max(n - since);
        }
    }
    let figures = playout.figures();
    let all = (last / PACKET) as f64 * 0.02;
    let silent = figures.concealed + figures.comfort;
    // Before the first packet's turn nothing is missing.
    let first = arrivals.iter().flatten().min().copied().unwrap_or(0) as f64 / 1e6 + 0.06;
    let note = format!(
        "late {} discarded {}, faster {:.1} s, slower {:.1} s, slowest recovery {:.1} s",
        figures.late,
        figures.discarded,
        figures.accelerated.as_secs_f64(),
        figures.expanded.as_secs_f64(),
        slowest as f64 * 0.02,
    );
    let came = arrivals.iter().flatten().count() as f64;
    Outcome {
        delay: delays / count,
        concealed: ((silent.as_secs_f64() - first) / all * 100.0).max(0.0),
        gaps: figures.concealments,
        unheard: (figures.late + figures.discarded) as f64 / came * 100.0,
        note,
    }
}

/// Plays packet `n` at a time fixed by the first one. After `patience` packets in a row that are late, or more than
/// 100 ms early, the next sets the time anew and what waits is gone.
fn fixed(arrivals: &[Option<i64>], patience: i64) -> Outcome {
    let mut order: Vec<_> =
        arrivals.iter().enumerate().filter_map(|(n, at)| Some(((*at)?, n as i64))).collect();
    order.sort_unstable();
    // From the fastest of the last 5 s, as the adaptive one tells its delay.
    let transit: Vec<i64> = order.iter().map(|(at, n)| at - n * PACKET).collect();
    let fastest =
        |index: usize| transit[index.saturating_sub(250)..=index].iter().min().copied().unwrap_or(0);
    let mut played = vec![false; arrivals.len()];
    // Packet n is played at n * PACKET + shift.
    let (mut shift, mut off, mut restarts) = (None, 0, 0);
    let (mut delays, mut missing) = (0.0, 0);
    let mut shifts = Vec::new();
    for (at, n) in &order {
        let now = *shift.get_or_insert(at - n * PACKET + FIXED);
        let ahead = n * PACKET + now - at;
        let is_off = !(0..=FIXED + 100_000).contains(&ahead);
        off = if is_off { off + 1 } else { 0 };
        if off >= patience {
            let fresh = at - n * PACKET + FIXED;
            for (packet, waits) in played.iter_mut().enumerate() {
                *waits &= packet as i64 * PACKET + now <= *at;
            }
            missing += ((fresh - now) / PACKET).max(0);
            shift = Some(fresh);
            (off, restarts) = (0, restarts + 1);
            played[*n as usize] = true;
        } else if ahead >= 0 {
            played[*n as usize] = true;
        }
        shifts.push(shift.unwrap_or(0));
    }
    for (index, shift) in shifts.iter().enumerate() {
        delays += (shift - fastest(index)) as f64 / 1000.0;
    }
    let heard = played.iter().filter(|p| **p).count() as i64;
    let gaps = played.windows(2).filter(|pair| pair[0] && !pair[1]).count() as u64;
    let all = arrivals.len() as i64;
    let came = order.len() as i64;
    Outcome {
        delay: delays / shifts.len() as f64,
        concealed: (all - heard + missing) as f64 / all as f64 * 100.0,
        gaps,
        unheard: (came - heard) as f64 / came as f64 * 100.0,
        note: if restarts > 0 { format!("restarts {restarts}") } else { String::new() },
    }
}
