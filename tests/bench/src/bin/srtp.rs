//! Time of a packet of G.711 under keys, beside libsrtp2 in turns: `srtp YARDSTICKS`.
//!
//! YARDSTICKS holds the program that `tests/bench/srtp` builds, which prints what it measured. Time is the processor's own;
//! the median of the rounds counts. The goals: at most libsrtp2's time for AES-CM with 80 bits, 500 ns for either GCM.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use base::Rng;
use media::rtp::Header;
use media::srtp::{Inbound, Keys, Outbound, Suite, TRAILER};
use nix::time::{ClockId, clock_gettime};
use offhook_bench::line;

/// Measurements of each side; the median counts.
const ROUNDS: usize = 5;
/// Packets of one pass.
const PACKETS: usize = 8000;
/// Passes of one measurement.
const PASSES: usize = 10;

const SUITES: [(&str, &str, Suite); 4] = [
    ("AES-CM-128, 80 bits", "cm128", Suite::AesCm128Sha1_80),
    ("AES-CM-256, 80 bits", "cm256", Suite::AesCm256Sha1_80),
    ("AES-GCM-128", "gcm128", Suite::AesGcm128),
    ("AES-GCM-256", "gcm256", Suite::AesGcm256),
];

type Measured = BTreeMap<String, Vec<f64>>;

fn cpu_ns() -> f64 {
    let spent = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("every Linux has it");
    spent.tv_sec() as f64 * 1e9 + spent.tv_nsec() as f64
}

fn measure(name: &str, measured: &mut Measured, mut pass: impl FnMut()) {
    let began = cpu_ns();
    for _ in 0..PASSES {
        pass();
    }
    let each = (cpu_ns() - began) / (PASSES * PACKETS) as f64;
    measured.entry(name.to_owned()).or_default().push(each);
}

fn ours(name: &str, suite: Suite, measured: &mut Measured) {
    let keys = Keys::random(suite, &mut Rng::from_number(1));
    let mut sealed = vec![Vec::with_capacity(12 + 160 + TRAILER); PACKETS];
    measure(&format!("{name}-protect"), measured, || {
        let mut out = Outbound::new(keys.clone());
        for (n, packet) in sealed.iter_mut().enumerate() {
            let sequence = n as u16;
            let header = Header { marker: false, payload_type: 0, sequence, timestamp: 0, ssrc: 0x0102_0304 };
            packet.clear();
            packet.extend_from_slice(&header.write());
            packet.resize(12 + 160, 0xd5);
            out.protect(packet).expect("a new key");
        }
    });
    let mut packet = Vec::with_capacity(12 + 160 + TRAILER);
    measure(&format!("{name}-unprotect"), measured, || {
        let mut within = Inbound::new(keys.clone());
        for sealed in &sealed {
            packet.clear();
            packet.extend_from_slice(sealed);
            within.open(black_box(&mut packet)).expect("we protected it");
        }
    });
}

fn median(times: Option<&mut Vec<f64>>) -> Option<f64> {
    let times = times?;
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied()
}

fn main() -> Result<()> {
    let Some(yardsticks) = std::env::args_os().nth(1).map(PathBuf::from) else {
        anyhow::bail!("srtp YARDSTICKS")
    };
    let (mut us, mut them) = (Measured::new(), Measured::new());
    for _ in 0..ROUNDS {
        for (_, name, suite) in SUITES {
            ours(name, suite, &mut us);
        }
        let program = yardsticks.join("srtp");
        if program.exists() {
            let output = Command::new(program).output()?;
            let text = String::from_utf8(output.stdout)?;
            for (step, each) in text.lines().filter_map(|line| line.split_once(' ')) {
                them.entry(step.to_owned()).or_default().push(each.parse()?);
            }
        }
    }
    let time = |each: Option<f64>| each.map_or_else(|| "-".to_owned(), |each| format!("{each:.0} ns"));
    line(format_args!(
        "{:<44} {:>12} {:>12} {:>9}",
        "SRTP, per packet of G.711", "offhook", "libsrtp2", "share"
    ))?;
    for (what, name, suite) in SUITES {
        for step in ["protect", "unprotect"] {
            let key = format!("{name}-{step}");
            let (us, them) = (median(us.get_mut(&key)), median(them.get_mut(&key)));
            let share =
                us.zip(them).map_or_else(|| "-".to_owned(), |(us, them)| format!("{:.2}x", us / them));
            let goal = match suite {
                Suite::AesGcm128 | Suite::AesGcm256 => ", goal 500 ns",
                _ => ", goal 1x",
            };
            let what = format!("{what}, {step}");
            line(format_args!("{what:<44} {:>12} {:>12} {share:>9}{goal}", time(us), time(them)))?;
        }
    }
    Ok(())
}
