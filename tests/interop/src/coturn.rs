//! A stranger's relay: coturn on loopback, with users in its command line.

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Owned, SOON, free_port};

/// The realm of a [`Coturn`]; user `ann`, password `secret`, unless its arguments say otherwise.
pub const RELAY_REALM: &str = "offhook.test";

/// coturn, relaying between places on this machine: without its flag for that it refuses loopback peers.
pub struct Coturn {
    _process: Owned,
    folder: tempfile::TempDir,
    /// Its port, UDP and TCP.
    pub port: u16,
}

impl Coturn {
    /// Starts it with further arguments (`--mobility`), and waits until it answers. It listens on 127.0.0.1 and, where
    /// that is there, on `::1`.
    pub fn start(args: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let log = std::fs::File::create(folder.path().join("log")).expect("the folder takes a file");
        let mut command = Command::new("turnserver");
        command.args(["-n", "-v", "--allow-loopback-peers", "--no-cli", "--no-tls", "--no-dtls", "-m", "1"]);
        command.args(["-r", RELAY_REALM, "-L", "127.0.0.1", "-p", &port.to_string(), "--log-file", "stdout"]);
        if Self::has_ipv6() {
            command.args(["-L", "::1"]);
        }
        command.arg("--pidfile").arg(folder.path().join("pid"));
        // Its database is a file that it makes where it can write: never the system's.
        command.arg("--userdb").arg(folder.path().join("db")).args(args);
        let child = command
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stderr(log.try_clone().expect("a file has two handles"))
            .stdout(log)
            .spawn()
            .expect("turnserver starts");
        let coturn = Self { _process: Owned(child), folder, port };
        coturn.wait_answers();
        coturn
    }

    /// With its one user.
    pub fn with_user(args: &[&str]) -> Self {
        Self::start(&[&["-a", "-u", "ann:secret"], args].concat())
    }

    /// Whether this machine has an IPv6 loopback.
    pub fn has_ipv6() -> bool {
        UdpSocket::bind("[::1]:0").is_ok()
    }

    /// Where it listens, by either family.
    pub fn at(&self, ip: IpAddr) -> SocketAddr {
        SocketAddr::new(ip, self.port)
    }

    /// A Binding request, until somebody says anything. RFC 8489 section 6.
    fn wait_answers(&self) {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback takes a socket");
        socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout can be set");
        let end = Instant::now() + SOON;
        let mut ask = *b"\x00\x01\x00\x00\x21\x12\xa4\x42wait for it!";
        while Instant::now() < end {
            ask[19] = ask[19].wrapping_add(1);
            let _ = socket.send_to(&ask, ("127.0.0.1", self.port));
            if socket.recv(&mut [0; 2048]).is_ok() {
                return;
            }
        }
        panic!("coturn does not answer on port {}", self.port);
    }
}

/// What it said helps whoever reads of the failure.
impl Drop for Coturn {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            let _ = writeln!(std::io::stderr(), "coturn had said:\n{log}");
        }
    }
}
