//! What the program itself costs: memory of an idle registered phone and of one in a call, and its processor time.
//!
//! Measured on the release build that `OFFHOOK_PROGRAM` names, as a person would run it: beside an exchange in another
//! process, on loopback. Linux only: reads `/proc`.

use std::io;
use std::thread::sleep;
use std::time::Duration;

use offhook_bench::line;
use offhook_interop::{Exchange, Phone};
use serde_json::json;

/// How long processor time is counted.
const COUNTED: Duration = Duration::from_secs(10);

/// Resident and anonymous memory, MiB.
fn memory(pid: u32) -> (f64, f64) {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let kib = |name: &str| {
        text.lines()
            .find_map(|l| {
                l.strip_prefix(name)?
                    .strip_prefix(':')?
                    .trim()
                    .strip_suffix(" kB")?
                    .trim()
                    .parse::<f64>()
                    .ok()
            })
            .unwrap_or(f64::NAN)
    };
    (kib("Rss") / 1024.0, kib("Anonymous") / 1024.0)
}

/// Processor time so far, user and system, in seconds.
fn processor(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: f64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<f64>().ok()).sum();
    // Linux counts in hundredths for user space, whatever its own clock.
    ticks / 100.0
}

/// Times the process was woken, all threads together.
fn wakes(pid: u32) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten();
    tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("status")).ok())
        .filter_map(|s| {
            s.lines().find_map(|l| l.strip_prefix("voluntary_ctxt_switches:")?.trim().parse::<u64>().ok())
        })
        .sum()
}

/// Share of a core and wakes a second over a while.
fn busy(pid: u32) -> (f64, f64) {
    let (cpu, woken) = (processor(pid), wakes(pid));
    sleep(COUNTED);
    let seconds = COUNTED.as_secs_f64();
    ((processor(pid) - cpu) / seconds * 100.0, (wakes(pid) - woken) as f64 / seconds)
}

fn main() -> io::Result<()> {
    let exchange = Exchange::start(None);
    let phone = |user: &str| {
        let config = format!(
            "bind = \"127.0.0.1:0\"\n[account]\nuri = \"sip:{user}@offhook.test\"\nproxy = \"sip:{}\"\npassword = \"secret-{user}\"\n",
            exchange.address
        );
        let mut phone = Phone::start(user, &config);
        phone.expect(json!({"event": "registration", "state": "registered"}));
        phone
    };
    let (mut ann, mut bob) = (phone("1001"), phone("1002"));
    sleep(Duration::from_secs(2));
    let pid = ann.pid();
    let (share, woken) = busy(pid);
    let (rss, anonymous) = memory(pid);
    line(format_args!(
        "idle registered phone: {rss:.1} MiB resident, goal 6; {anonymous:.1} MiB anonymous, goal 2; {share:.2} % of a core, {woken:.1} wakes a second"
    ))?;

    ann.say(json!({"cmd": "call", "to": "1002"}));
    let ringing = bob.expect(json!({"event": "call", "state": "ringing"}));
    bob.say(json!({"cmd": "answer", "call": ringing["call"]}));
    ann.expect(json!({"event": "call", "state": "active"}));
    sleep(Duration::from_secs(2));
    let (share, _) = busy(pid);
    let (rss, anonymous) = memory(pid);
    line(format_args!(
        "phone in a G.711 call: {rss:.1} MiB resident, goal 9; {anonymous:.1} MiB anonymous; {share:.2} % of a core, goal 1.5"
    ))
}
