//! Our DTLS-SRTP handshake at OpenSSL's own client and server: both must come to the same keys.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use base::{Instant, Rng};
use dtls::{Certificate, Fingerprint, Fingerprints, Handshake, Hash, Keys, Output, Profile, Reason, Role};
use offhook_interop::skipped;

/// The longest that anything here takes.
const SOON: Duration = Duration::from_secs(20);

/// An OpenSSL that shakes hands, ended when dropped.
struct Openssl {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Openssl {
    fn run(arguments: &[&str]) -> Self {
        let mut child = Command::new("openssl")
            .args(arguments)
            .stdin(Stdio::piped()) // its end would be the end of the association
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl runs: it has made a certificate");
        let (tell, lines) = mpsc::channel();
        let out = BufReader::new(child.stdout.take().expect("it is piped"));
        thread::spawn(move || out.lines().map_while(Result::ok).all(|line| tell.send(line).is_ok()));
        Self { child, lines }
    }

    /// The material that it has exported, in hex.
    fn material(&self) -> String {
        loop {
            let line = self.lines.recv_timeout(SOON).expect("it exports keying material");
            if let Some(material) = line.trim().strip_prefix("Keying material: ") {
                return material.to_ascii_lowercase();
            }
        }
    }
}

impl Drop for Openssl {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Its key and certificate, and what we know it by. `None` where there is no OpenSSL.
fn theirs(folder: &Path) -> Option<Fingerprints> {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            "/CN=them",
        ])
        .args(["-keyout", "key.pem", "-out", "cert.pem", "-days", "2"])
        .current_dir(folder)
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let der = Command::new("openssl")
        .args(["x509", "-in", "cert.pem", "-outform", "der"])
        .current_dir(folder)
        .output()
        .ok()
        .filter(|_| made)?;
    Fingerprints::new([Fingerprint::of(Hash::Sha256, &der.stdout)])
}

/// Shakes hands over a socket until there are keys or a reason.
fn shake(
    socket: &UdpSocket,
    mut peer: Option<SocketAddr>,
    role: Role,
    known: Fingerprints,
) -> Result<Keys, Reason> {
    let began = std::time::Instant::now();
    let now = || Instant::ZERO + began.elapsed();
    let certificate = Certificate::generate(&mut Rng::from_number(7));
    let mut out = Vec::new();
    let mut handshake = Handshake::begin(role, &certificate, known, None, now(), &mut out);
    let mut buffer = [0; 4096];
    socket.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout can be set");
    let mut result = None;
    while began.elapsed() < SOON {
        for output in out.drain(..) {
            match output {
                Output::Send(bytes) => {
                    let _ = socket.send_to(&bytes, peer.expect("who is silent is not answered"));
                }
                Output::Keyed(keys) => result = Some(Ok(keys)),
                Output::Failed(reason) => result = Some(Err(reason)),
                Output::Closed => {}
            }
        }
        if let Some(result) = result {
            return result;
        }
        if let Ok((len, from)) = socket.recv_from(&mut buffer) {
            peer = Some(from);
            handshake.handle(&buffer[..len], now(), &mut out);
        } else if handshake.next_wake().is_some_and(|wake| wake.at <= now()) {
            handshake.tick(now(), &mut out);
        }
    }
    panic!("neither keys nor a reason")
}

fn hex(keys: &Keys, role: Role) -> String {
    let (client, server) = match role {
        Role::Active => (&keys.send, &keys.receive),
        Role::Passive => (&keys.receive, &keys.send),
    };
    [&client.key, &server.key, &client.salt, &server.salt]
        .iter()
        .flat_map(|part| part.expose().iter().map(|byte| format!("{byte:02x}")))
        .collect()
}

fn profiles() -> [(&'static str, &'static str, Profile); 2] {
    [
        ("SRTP_AES128_CM_SHA1_80", "60", Profile::Aes128CmSha1_80),
        ("SRTP_AEAD_AES_128_GCM", "56", Profile::AeadAes128Gcm),
    ]
}

const LABEL: &str = "EXTRACTOR-dtls_srtp"; // RFC 5764 section 4.2

#[test]
fn an_active_side_comes_to_the_keys_of_an_openssl_server() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let Some(known) = theirs(folder.path()) else { return skipped("DTLS with OpenSSL", "no openssl here") };
    let at = |file: &str| folder.path().join(file).display().to_string();
    for (name, len, profile) in profiles() {
        let free = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|s| s.local_addr());
        let address = free.expect("loopback takes a socket");
        let server = Openssl::run(&[
            "s_server",
            "-4",
            "-dtls1_2",
            "-Verify",
            "1",
            "-accept",
            &address.to_string(),
            "-cert",
            &at("cert.pem"),
            "-key",
            &at("key.pem"),
            "-use_srtp",
            name,
            "-keymatexport",
            LABEL,
            "-keymatexportlen",
            len,
        ]);
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback takes a socket");

        let keys = shake(&socket, Some(address), Role::Active, known.clone()).expect("they agree");

        assert_eq!(keys.profile, profile);
        assert_eq!(hex(&keys, Role::Active), server.material());
    }
}

#[test]
fn a_passive_side_comes_to_the_keys_of_an_openssl_client() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let Some(known) = theirs(folder.path()) else { return skipped("DTLS with OpenSSL", "no openssl here") };
    let at = |file: &str| folder.path().join(file).display().to_string();
    for (name, len, profile) in profiles() {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback takes a socket");
        let address = socket.local_addr().expect("it is bound");
        let client = Openssl::run(&[
            "s_client",
            "-4",
            "-dtls1_2",
            "-connect",
            &address.to_string(),
            "-cert",
            &at("cert.pem"),
            "-key",
            &at("key.pem"),
            "-use_srtp",
            name,
            "-keymatexport",
            LABEL,
            "-keymatexportlen",
            len,
        ]);

        let keys = shake(&socket, None, Role::Passive, known.clone()).expect("they agree");

        assert_eq!(keys.profile, profile);
        assert_eq!(hex(&keys, Role::Passive), client.material());
    }
}

#[test]
fn a_stranger_with_another_certificate_gets_no_keys() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    if theirs(folder.path()).is_none() {
        return skipped("DTLS with OpenSSL", "no openssl here");
    }
    let at = |file: &str| folder.path().join(file).display().to_string();
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback takes a socket");
    let address = socket.local_addr().expect("it is bound");
    let _client = Openssl::run(&[
        "s_client",
        "-4",
        "-dtls1_2",
        "-connect",
        &address.to_string(),
        "-cert",
        &at("cert.pem"),
        "-key",
        &at("key.pem"),
        "-use_srtp",
        "SRTP_AES128_CM_SHA1_80",
    ]);
    let known = Fingerprints::new([Fingerprint::of(Hash::Sha256, b"whom we expect")]).expect("one is enough");

    let refused = shake(&socket, None, Role::Passive, known);

    assert_eq!(refused, Err(Reason::WrongCertificate));
}
