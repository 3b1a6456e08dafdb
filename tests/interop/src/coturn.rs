//! A stranger's relay: coturn on loopback, with users in its command line.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::netns::Namespace;
use crate::{Owned, SOON, free_port};

/// The realm of a [`Coturn`]; user `ann`, password `secret`, unless its arguments say otherwise.
pub const RELAY_REALM: &str = "offhook.test";

/// coturn, relaying between places on this machine: without its flag for that it refuses loopback peers.
#[derive(Debug)]
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
        let mut listen = vec!["-L", "127.0.0.1", "--allow-loopback-peers"];
        if Self::has_ipv6() {
            listen.extend(["-L", "::1"]);
        }
        let coturn = Self::run(Command::new("turnserver"), free_port(), &[&listen, args].concat());
        coturn.wait_answers();
        coturn
    }

    /// Starts it in a namespace on the port that is its own there, and waits until it listens.
    pub fn start_in(namespace: &Namespace, at: Ipv4Addr, args: &[&str]) -> Self {
        let address = at.to_string();
        let listen = ["-L", &address, "-E", &address, "-a", "-u", "ann:secret"];
        let coturn = Self::run(namespace.command("turnserver"), 3478, &[&listen, args].concat());
        let end = Instant::now() + SOON;
        while ["-u", "-t"].iter().any(|kind| {
            namespace.sh(&format!("ss -Hnla {kind} sport = :{} src {at}", coturn.port)).is_empty()
        }) {
            assert!(Instant::now() < end, "coturn does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        coturn
    }

    fn run(mut command: Command, port: u16, args: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = std::fs::File::create(folder.path().join("log")).expect("the folder takes a file");
        command.args(["-n", "-v", "--no-cli", "--no-tls", "--no-dtls", "-m", "1"]);
        command.args(["-r", RELAY_REALM, "-p", &port.to_string(), "--log-file", "stdout"]);
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
        Self { _process: Owned(child), folder, port }
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
