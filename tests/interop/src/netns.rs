//! Network namespaces: machines of a town of one's own, each a name to run programs under.
//!
//! By `ip` and `nft`, as a person would. Names carry the test's process, so that tests run side by side; a namespace is
//! removed with its owner, also after a panic, and those of processes that were killed by the next one that builds.
//! Knows nothing of phones.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

const NAMESPACES: &str = "/run/netns";
/// Files here stand in for those of the same name in `/etc` in what runs in a namespace.
const OWN_FILES: &str = "/etc/netns";
const OURS: &str = "offhook";

/// One machine.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

/// Names that nobody else has: `offhook-PROCESS-NUMBER`.
pub(crate) fn prefix() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{OURS}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Whether namespaces and address translation can be had here; else why not.
pub(crate) fn possible() -> Result<(), String> {
    for program in ["ip", "nft", "setpriv"] {
        let there =
            Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if there.is_err() {
            return Err(format!("{program} not installed"));
        }
    }
    sweep();
    let probe = Namespace::new(&prefix(), "probe")?;
    let rules = "table ip probe {
        chain behind {
            type nat hook postrouting priority srcnat
            masquerade fully-random
        }
    }";
    probe.try_run("nft", &["-f", "-"], rules)
}

/// Removes what processes left behind that were killed.
fn sweep() {
    let left = std::fs::read_dir(NAMESPACES)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    for name in left {
        let mut parts = name.split('-');
        if parts.next() == Some(OURS)
            && let Some(process) = parts.next()
            && !Path::new("/proc").join(process).exists()
        {
            remove(&name);
        }
    }
}

fn remove(name: &str) {
    let _ = std::fs::remove_dir_all(Path::new(OWN_FILES).join(name));
    let _ = Command::new("ip").args(["netns", "del", name]).status();
}

impl Namespace {
    pub(crate) fn new(prefix: &str, name: &str) -> Result<Self, String> {
        let name = format!("{prefix}-{name}");
        let made = Command::new("ip").args(["netns", "add", &name]).output().map_err(|e| e.to_string())?;
        if !made.status.success() {
            return Err(one_line(&made.stderr));
        }
        let namespace = Self { name };
        namespace.try_run("ip", &["link", "set", "lo", "up"], "")?;
        Ok(namespace)
    }

    /// A program that runs there, and ends when whoever started it is killed.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("setpriv");
        // Each of these becomes the next: the child's process id is the program's.
        command.args(["--pdeathsig", "KILL", "--", "ip", "netns", "exec", &self.name]).arg(program);
        command
    }

    /// Runs a script there, which must go well, and tells what it said.
    pub fn sh(&self, script: &str) -> String {
        let out = self.command("sh").args(["-euc", script]).stdin(Stdio::null()).output().expect("sh runs");
        let why = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{} could not\n{script}\n{why}", self.name);
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    /// Adds rules.
    pub fn nft(&self, rules: &str) {
        self.try_run("nft", &["-f", "-"], rules)
            .unwrap_or_else(|why| panic!("{} could not\n{rules}\n{why}", self.name));
    }

    /// What starts there from now on knows these hosts, beside itself: `/etc/hosts`.
    pub(crate) fn knows_hosts(&self, lines: &str) {
        let folder = Path::new(OWN_FILES).join(&self.name);
        let hosts = format!("127.0.0.1 localhost\n::1 localhost\n{lines}\n");
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(folder.join("hosts"), hosts))
            .expect("root writes");
    }

    /// A cable from here to another machine, with its names at both ends.
    pub(crate) fn cable(&self, end: &str, other: &Self, other_end: &str) {
        self.sh(&format!(
            "ip link add {end} type veth peer name {other_end} netns {}
             ip link set {end} up
             ip -n {0} link set {other_end} up",
            other.name
        ));
    }

    fn try_run(&self, program: &str, args: &[&str], stdin: &str) -> Result<(), String> {
        let mut command = self.command(program);
        let mut child = command
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| e.to_string())?;
        let mut pipe = child.stdin.take().expect("it was piped");
        // Who does not read says why.
        let _ = pipe.write_all(stdin.as_bytes());
        drop(pipe);
        let out = child.wait_with_output().map_err(|e| e.to_string())?;
        if out.status.success() { Ok(()) } else { Err(one_line(&out.stderr)) }
    }
}

fn one_line(text: &[u8]) -> String {
    String::from_utf8_lossy(text).trim().replace('\n', "; ")
}

impl Drop for Namespace {
    fn drop(&mut self) {
        remove(&self.name);
    }
}
