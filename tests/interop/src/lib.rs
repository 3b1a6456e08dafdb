//! Strangers to call, and our own program driven as a person's script would drive it.
//!
//! Everything runs on loopback on free ports, is started by the test and ended with it. Real processes keep real time:
//! waiting is for an event, with a bound, never for a while.

mod authority;
mod coturn;
mod lossy;
mod netns;
mod offhook;
mod peers;
mod punch;
mod town;

use std::io::Write as _;
use std::net::{TcpListener, UdpSocket};
use std::process::Command;
use std::time::Duration;

pub use authority::Authority;
pub use coturn::{Coturn, RELAY_REALM};
pub use lossy::LossyRelay;
pub use netns::Namespace;
pub use offhook::{Exchange, Phone, diagnose, is, longest_pause, recorded_level_dbov, speech, tone};
pub use peers::{Baresip, Kamailio, MediaEncryption, SIPP_REALM, Sipp, SippRun, baresip_speaks};
pub use punch::Puncher;
pub use town::{EXCHANGE, Home, NAT64, OTHER, RELAY, Router, Town, Translation, Uplink, nat_lines};

/// How long a test waits for anything that should come at once.
pub const SOON: Duration = Duration::from_secs(15);

/// Whether all of `programs` are installed; says aloud which is not.
pub fn can_run(test: &str, programs: &[&str]) -> bool {
    let missing: Vec<&str> = programs.iter().copied().filter(|p| !installed(p)).collect();
    if missing.is_empty() {
        return true;
    }
    skipped(test, &format!("{} not installed", missing.join(" and ")));
    false
}

/// Says aloud that something cannot run here, past the test harness's capture, so that whoever counts can count it.
pub fn skipped(what: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {what}, {why}");
}

fn installed(program: &str) -> bool {
    Command::new("sh")
        .args(["-c", "command -v \"$0\" >/dev/null", program])
        .status()
        .is_ok_and(|s| s.success())
}

/// A port that nobody has, for UDP and TCP alike.
pub fn free_port() -> u16 {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").expect("loopback takes a socket");
        let port = udp.local_addr().expect("a bound socket has an address").port();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A process that ends with its owner.
#[derive(Debug)]
pub(crate) struct Owned(pub(crate) std::process::Child);

impl Drop for Owned {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
