//! What keys cost that are agreed on the media path: processor time of a whole DTLS handshake, both sides together.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use base::{Instant, Rng};
use dtls::{Certificate, Fingerprints, Handshake, Output, Role};
use nix::time::{ClockId, clock_gettime};
use offhook_bench::line;

/// Handshakes measured; the median counts.
const ROUNDS: u64 = 101;

fn spent() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

/// One handshake, certificates made before it. Keys in hand: how many sides.
fn shake(certificates: &[Certificate; 2]) -> usize {
    let [a, b] = certificates;
    let known = |c: &Certificate| Fingerprints::new([c.fingerprint()]).expect("one is enough");
    let mut said = [Vec::new(), Vec::new()];
    let now = Instant::ZERO;
    let mut ends = [
        Handshake::begin(Role::Active, a, known(b), None, now, &mut said[0]),
        Handshake::begin(Role::Passive, b, known(a), None, now, &mut said[1]),
    ];
    let (mut wire, mut keyed) = (VecDeque::new(), 0);
    loop {
        for (from, said) in said.iter_mut().enumerate() {
            for output in said.drain(..) {
                match output {
                    Output::Send(datagram) => wire.push_back((1 - from, datagram)),
                    Output::Keyed(_) => keyed += 1,
                    Output::Failed(_) | Output::Closed => {}
                }
            }
        }
        let Some((to, datagram)) = wire.pop_front() else { return keyed };
        ends[to].handle(&datagram, now, &mut said[to]);
    }
}

fn main() -> io::Result<()> {
    let mut rng = Rng::from_number(1);
    let certificates = [Certificate::generate(&mut rng), Certificate::generate(&mut rng)];
    let before = spent();
    assert_eq!(shake(&certificates), 2, "both sides have keys");
    let first = spent().saturating_sub(before);
    let mut took: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let before = spent();
            assert_eq!(shake(&certificates), 2, "both sides have keys");
            spent().saturating_sub(before)
        })
        .collect();
    took.sort();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    line(format_args!(
        "DTLS handshake, processor time of both sides: {:.2} ms, a program's first {:.2} ms; goal 60 ms",
        milliseconds(took[took.len() / 2]),
        milliseconds(first)
    ))
}
