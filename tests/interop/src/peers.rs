//! The strangers: how each is set up so that it runs on loopback, and its own traps.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::authority::Authority;
use crate::offhook::speech_at;
use crate::{Owned, SOON, free_port};

/// The realm of the scenarios that ask for a password; user `sipp`, password `sipp`.
pub const SIPP_REALM: &str = "sipp.test";

/// Kamailio: registrar and proxy for `example.test`, everybody's password is `secret`, digest on REGISTER and INVITE.
pub struct Kamailio {
    _process: Owned,
    _folder: tempfile::TempDir,
    /// Its port on 127.0.0.1, UDP and TCP.
    pub port: u16,
    /// Who vouches for it, and its port for TLS.
    pub tls: Option<(Authority, u16)>,
}

impl Kamailio {
    /// Starts it and waits until it answers.
    pub fn start() -> Self {
        Self::run(None, false)
    }

    /// The same, as a presence server beside.
    pub fn start_with_presence() -> Self {
        Self::run(None, true)
    }

    /// Whether the package of its presence server is installed.
    pub fn knows_presence() -> bool {
        modules("kamailio/modules/tm.so").join("presence_xml.so").exists()
    }

    /// The same, with a port for TLS beside the others.
    pub fn start_with_tls() -> Self {
        Self::run(Some((Authority::new(), free_port())), false)
    }

    /// Whether the package of its TLS is installed.
    pub fn speaks_tls() -> bool {
        modules("kamailio/modules/tm.so").join("tls.so").exists()
    }

    fn run(tls: Option<(Authority, u16)>, presence: bool) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let config = folder.path().join("kamailio.cfg");
        let modules = modules("kamailio/modules/tm.so");
        let text = include_str!("../kamailio.cfg")
            .replace("TLS_PORT", &tls.as_ref().map_or(0, |(_, port)| *port).to_string())
            .replace("PORT", &port.to_string())
            .replace("TABLES", &folder.path().display().to_string())
            .replace("CERTIFICATE", &folder.path().join("kamailio.pem").display().to_string())
            .replace("MODULES", &format!("{}/", modules.display()));
        std::fs::write(&config, text).expect("the folder takes a file");
        let mut command = Command::new("kamailio");
        if let Some((authority, _)) = &tls {
            authority.certify(&folder.path().join("kamailio.pem"));
            command.args(["-A", "WITH_TLS"]);
        }
        if presence {
            // Empty ones, as the package has them: they are written to.
            for table in ["version", "presentity", "active_watchers", "watchers"] {
                let from = Path::new("/usr/share/kamailio/dbtext/kamailio").join(table);
                std::fs::copy(from, folder.path().join(table)).expect("the package brings its tables");
            }
            command.args(["-A", "WITH_PRESENCE"]);
        }
        let child = command
            .arg("-f")
            .arg(&config)
            .args(["-DD", "-E", "-m", "64", "-M", "4", "-w"])
            .arg(folder.path())
            .args(["-Y"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.path().join("log")).expect("the folder takes a file"))
            .spawn()
            .expect("kamailio starts");
        let kamailio = Self { _process: Owned(child), _folder: folder, port, tls };
        answers_options(port);
        kamailio
    }
}

/// Asks OPTIONS until somebody says anything.
fn answers_options(port: u16) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback takes a socket");
    socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a timeout can be set");
    let me = socket.local_addr().expect("a bound socket has an address");
    let end = Instant::now() + SOON;
    let mut n = 0;
    while Instant::now() < end {
        n += 1;
        let ask = format!(
            "OPTIONS sip:127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch=z9hG4bKup{n}\r\nMax-Forwards: 0\r\n\
             From: <sip:up@{me}>;tag=up\r\nTo: <sip:127.0.0.1>\r\nCall-ID: up{n}@{me}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        );
        let _ = socket.send_to(ask.as_bytes(), ("127.0.0.1", port));
        if socket.recv(&mut [0; 2048]).is_ok() {
            return;
        }
    }
    panic!("nobody answers on port {port}");
}

/// Where a package keeps its modules, whatever the processor.
fn modules(file: &str) -> PathBuf {
    let roots = std::fs::read_dir("/usr/lib").into_iter().flatten().filter_map(|e| Some(e.ok()?.path()));
    roots
        .chain([PathBuf::from("/usr/lib")])
        .map(|root| root.join(file))
        .find(|path| path.exists())
        .and_then(|path| path.parent().map(Path::to_path_buf))
        .expect("the package brings its modules")
}

/// baresip, registered at a Kamailio as `bs`, answering every call and saying speech.
pub struct Baresip {
    process: Owned,
    folder: tempfile::TempDir,
    control: u16,
}

/// How a baresip is asked to protect its media: by a word of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaEncryption {
    /// `srtp`, `srtp-mand`, `dtls_srtp`.
    pub word: &'static str,
    /// Its DTLS certificate is elliptic whatever its version; see `strangers/ec_certificate.c`.
    pub elliptic: bool,
}

impl Baresip {
    /// Starts it with its codecs in an order, such as `PCMU/8000/1`.
    pub fn start(kamailio: &Kamailio, codecs: &str) -> Self {
        Self::run(kamailio, codecs, None)
    }

    /// The same with protected media, and by TLS where the Kamailio has it.
    pub fn start_encrypted(kamailio: &Kamailio, codecs: &str, media: MediaEncryption) -> Self {
        Self::run(kamailio, codecs, Some(media))
    }

    fn run(kamailio: &Kamailio, codecs: &str, media: Option<MediaEncryption>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (control, sip) = (free_port(), free_port_pair());
        let modules = modules("baresip/modules/g711.so");
        let (rate, channels) = rate_and_channels(codecs);
        let speech = folder.path().join("speech.wav");
        speech_at(rate, channels, &speech);
        let certificate = folder.path().join("baresip.pem");
        kamailio.tls.as_ref().map_or_else(Authority::new, |(it, _)| it.clone()).certify(&certificate);
        // The package may keep them beside the processor's other libraries or not.
        let config = include_str!("../baresip.config")
            .replace("SIP_PORT", &sip.to_string())
            .replace("CONTROL_PORT", &control.to_string())
            .replace("MODULES", &modules.display().to_string())
            .replace("SPEECH", &speech.display().to_string())
            .replace("CERTIFICATE", &certificate.display().to_string())
            // Under DTLS without it each port has a handshake of its own.
            .replace("MUX", if media.is_some() { "yes" } else { "no" });
        let (of_account, proxy) = match &kamailio.tls {
            None => ("", format!("sip:127.0.0.1:{}", kamailio.port)),
            Some((_, port)) => (";transport=tls", format!("sip:127.0.0.1:{port};transport=tls")),
        };
        let mediaenc = media.map_or(String::new(), |media| format!(";mediaenc={}", media.word));
        let account = format!(
            "<sip:bs@example.test{of_account}>;auth_user=bs;auth_pass=secret;outbound=\"{proxy}\";regint=60;answermode=auto;audio_codecs={codecs}{mediaenc}\n",
        );
        for (name, text) in
            [("config", config.as_str()), ("accounts", &account), ("contacts", ""), ("uuid", "")]
        {
            std::fs::write(folder.path().join(name), text).expect("the folder takes a file");
        }
        let mut command = Command::new("baresip");
        if media.is_some_and(|media| media.elliptic) {
            command.env("LD_PRELOAD", elliptic(folder.path())).env("OFFHOOK_CERTIFICATE", &certificate);
        }
        let child = command
            .arg("-f")
            .arg(folder.path())
            // It stops when its standard input ends: kept open by the owner.
            .stdin(Stdio::piped())
            .stdout(std::fs::File::create(folder.path().join("log")).expect("the folder takes a file"))
            .stderr(Stdio::null())
            .spawn()
            .expect("baresip starts");
        let baresip = Self { process: Owned(child), folder, control };
        baresip.wait_registered();
        baresip
    }

    fn wait_registered(&self) {
        let log = self.folder.path().join("log");
        let end = Instant::now() + SOON;
        loop {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            if text.contains("200 OK") {
                return;
            }
            assert!(Instant::now() < end, "baresip did not register:\n{text}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Gives it a command by its control port, a netstring of JSON, and waits for its answer. News come by the same way
    /// and may come first: to leave at those would reset the connection, and the command with it.
    fn command(&self, command: &str, params: &str) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.control)).expect("its control port is open");
        let json = serde_json::json!({"command": command, "params": params}).to_string();
        write!(stream, "{}:{json},", json.len()).expect("it listens");
        stream.set_read_timeout(Some(SOON)).expect("a timeout can be set");
        let mut told = Vec::new();
        while !String::from_utf8_lossy(&told).contains("\"response\":true") {
            let mut piece = [0; 4096];
            match stream.read(&mut piece) {
                Ok(length @ 1..) => told.extend_from_slice(&piece[..length]),
                end => {
                    panic!("baresip did not answer {command}: {end:?}, {}", String::from_utf8_lossy(&told))
                }
            }
        }
    }

    /// Calls somebody.
    pub fn dial(&self, uri: &str) {
        self.command("dial", uri);
    }

    /// Hangs up.
    pub fn hang_up(&self) {
        self.command("hangup", "");
    }

    /// Presses a key in its call.
    pub fn press(&self, digit: &str) {
        self.command("sndcode", digit);
    }

    /// Whether its version is before `major`.0, as it says when it starts.
    pub fn is_before(&self, major: u32) -> bool {
        let text = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let version =
            text.split("baresip v").nth(1).and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
        version.is_some_and(|it| it < major)
    }

    /// Waits until its log has all of `words` in one line.
    pub fn expect_said(&self, words: &[&str]) {
        let log = self.folder.path().join("log");
        let end = Instant::now() + SOON;
        loop {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            if text.lines().any(|line| words.iter().all(|word| line.contains(word))) {
                return;
            }
            assert!(Instant::now() < end, "baresip did not say {words:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until it has heard these digits, each once and in order, since it started: as telephone events, or as INFO
    /// where it takes none on the codec's clock.
    pub fn expect_digits(&self, digits: &str) {
        let log = self.folder.path().join("log");
        let end = Instant::now() + SOON;
        loop {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            // "received event: '5' (end=1)", "received DTMF: '5'"
            let told = |line: &&str| {
                line.contains("received event:") && line.contains("end=1") || line.contains("received DTMF:")
            };
            let ended = text.lines().filter(told);
            let heard: String = ended.filter_map(|line| line.split('\'').nth(1)).collect();
            if heard == digits {
                return;
            }
            assert!(Instant::now() < end, "baresip heard {heard} where {digits} was pressed:\n{text}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.process.0.id()
    }
}

/// The library that gives it an elliptic certificate, built into `folder`.
fn elliptic(folder: &Path) -> PathBuf {
    let library = folder.join("ec_certificate.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("strangers/ec_certificate.c");
    let built = Command::new("cc").args(["-O2", "-shared", "-fPIC", "-o"]).arg(&library).arg(source).status();
    assert!(built.is_ok_and(|status| status.success()), "cc builds it");
    library
}

/// A port that nobody has, and nobody has the next: baresip takes that for TLS.
fn free_port_pair() -> u16 {
    loop {
        let port = free_port();
        if port < u16::MAX && TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
            return port;
        }
    }
}

/// Of the first codec, as `opus/48000/2`.
fn rate_and_channels(codecs: &str) -> (u32, u16) {
    let mut parts = codecs.split(',').next().unwrap_or_default().split('/').skip(1);
    let rate = parts.next().and_then(|rate| rate.parse().ok()).expect("a codec with its rate");
    (rate, parts.next().and_then(|channels| channels.parse().ok()).unwrap_or(1))
}

/// What it said helps whoever reads of the failure.
impl Drop for Baresip {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            let _ = writeln!(std::io::stderr(), "baresip had said:\n{log}");
        }
    }
}

/// Whether the package brings this codec.
pub fn baresip_speaks(codec: &str) -> bool {
    let module = match codec {
        "PCMU" | "PCMA" => "g711",
        "G722" => "g722",
        "GSM" => "gsm",
        "opus" => "opus",
        _ => return false,
    };
    modules("baresip/modules/g711.so").join(format!("{module}.so")).exists()
}

/// One run of SIPp.
pub struct Sipp {
    command: Command,
    folder: tempfile::TempDir,
    /// Its port on 127.0.0.1.
    pub port: u16,
}

/// A SIPp that runs.
pub struct SippRun {
    process: Owned,
    folder: tempfile::TempDir,
}

impl Sipp {
    /// A scenario of this repository (`tests/interop/sipp/NAME.xml`) or, in brackets, one of SIPp's own (`[uas]`).
    pub fn new(scenario: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let mut command = Command::new("sipp");
        if let Some(own) = scenario.strip_prefix('[').and_then(|s| s.strip_suffix(']')) {
            command.args(["-sn", own]);
        } else {
            let file =
                Path::new(env!("CARGO_MANIFEST_DIR")).join("sipp").join(scenario).with_extension("xml");
            command.arg("-sf").arg(file);
        }
        command.args(["-i", "127.0.0.1", "-p", &port.to_string(), "-nostdin", "-trace_err", "-error_file"]);
        command.arg(folder.path().join("errors"));
        command.args(["-timeout", "30s", "-timeout_error"]);
        Self { command, folder, port }
    }

    /// Further arguments: `-m 1`, `-lost 10`, a target.
    #[must_use]
    pub fn args(mut self, args: &[&str]) -> Self {
        self.command.args(args);
        self
    }

    /// Starts it. A server is waited for until its port is taken.
    pub fn start(mut self) -> SippRun {
        let log = std::fs::File::create(self.folder.path().join("log")).expect("the folder takes a file");
        let child: Child = self
            .command
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(Stdio::null())
            .spawn()
            .expect("sipp starts");
        let end = Instant::now() + SOON;
        while UdpSocket::bind(("127.0.0.1", self.port)).is_ok() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
        }
        SippRun { process: Owned(child), folder: self.folder }
    }
}

impl SippRun {
    /// Waits for its end; its own errors are the test's.
    pub fn succeeds(mut self) {
        self.went_well();
    }

    /// The same, and what it has left in a file of its folder.
    pub fn succeeds_with(mut self, file: &str) -> String {
        self.went_well();
        std::fs::read_to_string(self.folder.path().join(file)).expect("it was asked to write that")
    }

    fn went_well(&mut self) {
        let status = self.process.0.wait().expect("it ends");
        let (errors, log) = self.words();
        let went_well = status.success() && errors.is_empty();
        assert!(went_well, "sipp ended with {status}\n{errors}\n{}", tail(&log));
    }

    /// Waits for its end, by which at least so many of its calls went through. With losses on purpose SIPp may grumble,
    /// for repetitions come when it has finished with a call, and a call may hang in it for good: a 200 that it has
    /// dropped is not always taken when it comes again.
    pub fn puts_through(mut self, calls: u32) {
        let status = self.process.0.wait().expect("it ends");
        let (errors, log) = self.words();
        // Each picture of its screen has the line; the last one counts: `Successful call | period | all`.
        let line = log.lines().rev().find(|line| line.trim_start().starts_with("Successful call"));
        let successful = line.and_then(|line| line.split('|').nth(2)?.trim().parse::<u32>().ok());
        assert!(
            successful.is_some_and(|it| it >= calls),
            "{successful:?} calls, sipp ended with {status}\n{errors}\n{}",
            tail(&log)
        );
    }

    fn words(&self) -> (String, String) {
        let read = |name| std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        (read("errors"), read("log"))
    }
}

/// The last picture of SIPp's screen.
fn tail(log: &str) -> String {
    log.chars().rev().take(3000).collect::<Vec<_>>().into_iter().rev().collect()
}
