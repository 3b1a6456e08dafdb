//! What the program itself costs: memory of an idle registered phone and of one in a call, and its processor time.
//!
//! Measured on the release build that `OFFHOOK_PROGRAM` names, as a person would run it: beside an exchange in another
//! process, on loopback. Linux only: reads `/proc`.
//!
//! Of what is resident only the anonymous part is the phone's own. The rest are pages of the program and of libraries as they
//! stand on the disk, which go whenever somebody needs the room; the system maps sixteen of them where one is touched, and how
//! many it had at hand varies, so that figure is good for a comparison on one machine alone.

use std::io;
use std::thread::sleep;
use std::time::Duration;

use offhook_bench::line;
use offhook_interop::{Authority, Exchange, Phone, free_port};
use serde_json::json;

/// How long processor time is counted.
const COUNTED: Duration = Duration::from_secs(10);

/// Resident and anonymous memory, and unchanged pages of files, MiB.
fn memory(pid: u32) -> [f64; 3] {
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
    [kib("Rss"), kib("Anonymous"), kib("Shared_Clean") + kib("Private_Clean")].map(|kib| kib / 1024.0)
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
    let folder = tempfile::tempdir()?;
    let file = |name: &str| folder.path().join(name);
    let (authority, tls) = (Authority::new(), free_port());
    authority.write(&file("ca.pem"));
    authority.certify(&file("own.pem"));
    let own = file("own.pem");
    let users = ["1001", "1002", "1003"]
        .map(|user| format!("[[user]]\nnumber = \"{user}\"\npassword = \"secret-{user}\"\n"))
        .concat();
    let exchange = Exchange::start(Some(&format!(
        "[listen]\nudp = \"127.0.0.1:{}\"\ntls = \"127.0.0.1:{tls}\"\n[tls]\ncertificate = \"{own}\"\nkey = \"{own}\"\n{users}",
        free_port(),
        own = own.display()
    )));
    let plain = format!("proxy = \"sip:{}\"", exchange.address);
    let phone = |user: &str, way: &str| {
        let config = format!(
            "bind = \"127.0.0.1:0\"\n[account]\nuri = \"sip:{user}@offhook.test\"\n{way}\npassword = \"secret-{user}\"\n"
        );
        let mut phone = Phone::start(user, &config);
        phone.expect(json!({"event": "registration", "state": "registered"}));
        phone
    };
    let (mut ann, mut bob) = (phone("1001", &plain), phone("1002", &plain));
    sleep(Duration::from_secs(2));
    let pid = ann.pid();
    let (share, woken) = busy(pid);
    let [rss, anonymous, clean] = memory(pid);
    line(format_args!(
        "idle registered phone: {rss:.1} MiB resident, goal 6; {anonymous:.1} MiB anonymous, goal 2, {clean:.1} of files as they are; {share:.2} % of a core, {woken:.1} wakes a second"
    ))?;
    let ca = file("ca.pem");
    let way = format!("proxy = \"sip:127.0.0.1:{tls}\"\ntransport = \"tls\"\ntls_ca = \"{}\"", ca.display());
    let cem = phone("1003", &way);
    sleep(Duration::from_secs(2));
    let (share, woken) = busy(cem.pid());
    let [rss, anonymous, clean] = memory(cem.pid());
    line(format_args!(
        "the same by TLS: {rss:.1} MiB resident, goal 8; {anonymous:.1} MiB anonymous, {clean:.1} of files as they are; {share:.2} % of a core, {woken:.1} wakes a second"
    ))?;

    ann.say(json!({"cmd": "call", "to": "1002"}));
    let ringing = bob.expect(json!({"event": "call", "state": "ringing"}));
    bob.say(json!({"cmd": "answer", "call": ringing["call"]}));
    ann.expect(json!({"event": "call", "state": "active"}));
    sleep(Duration::from_secs(2));
    let (share, _) = busy(pid);
    let [rss, anonymous, _] = memory(pid);
    line(format_args!(
        "phone in a G.711 call: {rss:.1} MiB resident, goal 9; {anonymous:.1} MiB anonymous; {share:.2} % of a core, goal 1.5"
    ))
}
