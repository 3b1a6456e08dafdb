//! Side-by-side timing: both sides in one process, in turns, medians of several rounds.
//!
//! Run a driver by `cargo run --release -p offhook-bench --bin message`. Absolute times are this machine's; ratios travel.

use std::fmt;
use std::hint::black_box;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

/// How often each side is measured; the median counts.
const ROUNDS: usize = 9;

/// How long one measurement runs.
const ROUND: Duration = Duration::from_millis(60);

/// Time per call of `work`, once: as many calls as fill a round.
fn once<T>(work: &mut impl FnMut() -> T) -> f64 {
    let mut calls = 0_u32;
    let start = Instant::now();
    loop {
        for _ in 0..64 {
            black_box(work());
        }
        calls += 64;
        let passed = start.elapsed();
        if passed >= ROUND {
            return passed.as_nanos() as f64 / f64::from(calls);
        }
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Median nanoseconds per call of each side, measured in turns so that both see the same machine.
pub fn beside<A, B>(mut ours: impl FnMut() -> A, mut theirs: impl FnMut() -> B) -> (f64, f64) {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        a.push(once(&mut ours));
        b.push(once(&mut theirs));
    }
    (median(a), median(b))
}

/// One row of the table.
///
/// # Errors
/// Standard output is closed.
pub fn row(what: &str, (ours, theirs): (f64, f64)) -> io::Result<()> {
    line(format_args!("{what:<44} {ours:>9.0} ns {theirs:>9.0} ns {:>8.1}x", theirs / ours))
}

/// One line of output.
///
/// # Errors
/// Standard output is closed.
pub fn line(text: fmt::Arguments<'_>) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}
