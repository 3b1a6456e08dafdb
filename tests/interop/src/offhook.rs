//! `offhook phone --json` and `offhook exchange --json` as child processes: commands in, events out.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use media::wav::Looped;
use serde_json::Value;

use crate::netns::Namespace;
use crate::{Owned, SOON};

/// The program under test, built once.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| match std::env::var_os("OFFHOOK_PROGRAM") {
        Some(given) => given.into(),
        None => built(&["-p", "offhook-console"]),
    })
}

/// What cargo makes of this.
pub(crate) fn built(what: &[&str]) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "-q", "--message-format=json"])
        .args(what)
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo runs");
    String::from_utf8_lossy(&built.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|m| m["executable"].as_str().map(PathBuf::from))
        .expect("there is a program")
}

/// It, to be run here or in a namespace.
fn command(within: Option<&Namespace>) -> Command {
    within.map_or_else(|| Command::new(program()), |namespace| namespace.command(program()))
}

/// Speech of a few seconds to play, as the repository keeps it.
pub fn speech() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/speech");
    let mut clips: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the repository keeps speech")
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.extension().is_some_and(|e| e == "wav"))
        .collect();
    clips.sort();
    clips.into_iter().next().expect("at least one clip")
}

/// The same as a file of another rate, on so many channels: some strangers play a file only as it is.
pub(crate) fn speech_at(rate: u32, channels: u16, to: &Path) {
    let clip = std::fs::File::open(speech()).expect("the clip is there");
    let mut clip = Looped::new(BufReader::new(clip), rate).expect("a clip of ours");
    // Its end would be the end of the call.
    let mut samples = vec![0; rate as usize * 30];
    clip.fill(&mut samples).expect("it is read");
    let samples: Vec<i16> =
        samples.iter().flat_map(|s| std::iter::repeat_n(*s, usize::from(channels))).collect();
    write_wav(rate, channels, &samples, to);
}

/// Writes samples, of all channels in turn.
fn write_wav(rate: u32, channels: u16, samples: &[i16], to: &Path) {
    let data: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    let bytes_a_second = rate * 2 * u32::from(channels);
    let mut wav = Vec::with_capacity(44 + data.len());
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&(36 + data.len() as u32).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0");
    wav.extend_from_slice(&channels.to_le_bytes());
    wav.extend_from_slice(&rate.to_le_bytes());
    wav.extend_from_slice(&bytes_a_second.to_le_bytes());
    wav.extend_from_slice(&(2 * channels).to_le_bytes());
    wav.extend_from_slice(b"\x10\0data");
    wav.extend_from_slice(&(data.len() as u32).to_le_bytes());
    wav.extend_from_slice(&data);
    std::fs::write(to, wav).expect("the folder takes a file");
}

/// The loudest second of a recording, in dBov; silence is -96.
pub fn recorded_level_dbov(wav: &Path) -> f64 {
    let bytes = std::fs::read(wav).expect("the recording is there");
    let samples: Vec<f64> = bytes
        .get(44..)
        .unwrap_or_default()
        .chunks_exact(2)
        .map(|b| f64::from(i16::from_le_bytes([b[0], b[1]])) / 32768.0)
        .collect();
    samples
        .chunks(8000)
        .map(|second| second.iter().map(|s| s * s).sum::<f64>() / second.len() as f64)
        .fold(-96.0, |loudest, power| f64::max(loudest, 10.0 * power.max(1e-10).log10()))
}

/// Half a minute of one tone, so that a pause in what is heard is none of the speaker's.
pub fn tone(to: &Path) {
    const RATE: u32 = 8000;
    let at = |n: u32| f64::from(n) / f64::from(RATE) * 425.0 * std::f64::consts::TAU;
    let samples: Vec<i16> = (0..RATE * 30).map(|n| (at(n).sin() * 8000.0) as i16).collect();
    write_wav(RATE, 1, &samples, to);
}

/// The longest pause in a recording after the first sound in it; all of it where there is none.
pub fn longest_pause(wav: &Path) -> Duration {
    let bytes = std::fs::read(wav).expect("the recording is there");
    let rate = bytes.get(24..28).and_then(|rate| rate.try_into().ok()).map_or(16_000, u32::from_le_bytes);
    let samples: Vec<i16> = bytes
        .get(44..)
        .unwrap_or_default()
        .chunks_exact(2)
        .map(|b| i16::from_le_bytes([b[0], b[1]]))
        .collect();
    // 10 ms; a tone fills each.
    let frame = rate as usize / 100;
    let is_loud = |frame: &[i16]| frame.iter().any(|sample| sample.unsigned_abs() > 1000);
    let frames: Vec<bool> = samples.chunks(frame).map(is_loud).collect();
    let first = frames.iter().position(|loud| *loud).unwrap_or(0);
    let longest = frames[first..].split(|loud| *loud).map(<[bool]>::len).max().unwrap_or_default();
    Duration::from_millis(10 * longest as u64)
}

/// Whether every pair of `wanted` stands in `event`.
pub fn is(event: &Value, wanted: &Value) -> bool {
    wanted.as_object().is_some_and(|w| w.iter().all(|(k, v)| event.get(k) == Some(v)))
}

/// One of our programs that speaks JSON lines.
#[derive(Debug)]
struct Talker {
    process: Owned,
    stdin: Option<ChildStdin>,
    events: Receiver<Value>,
    seen: Vec<Value>,
    /// How many of `seen` an expectation has been met by or passed over.
    read: usize,
    name: String,
}

impl Talker {
    fn start(name: &str, command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the program starts");
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("it was piped");
        let (tell, events) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if tell.send(event).is_err() {
                    return;
                }
            }
        });
        Self { process: Owned(child), stdin, events, seen: Vec::new(), read: 0, name: name.to_owned() }
    }

    /// The next event that has all of `wanted`; those before it are passed over.
    fn expect(&mut self, wanted: &Value, within: Duration) -> Value {
        self.wait(wanted, within).unwrap_or_else(|e| {
            let story: Vec<String> = self.seen.iter().map(Value::to_string).collect();
            panic!("{} waited for {wanted}: {e}; it had said\n  {}", self.name, story.join("\n  "));
        })
    }

    fn wait(&mut self, wanted: &Value, within: Duration) -> Result<Value, RecvTimeoutError> {
        let end = Instant::now() + within;
        loop {
            while self.read < self.seen.len() {
                self.read += 1;
                if is(&self.seen[self.read - 1], wanted) {
                    return Ok(self.seen[self.read - 1].clone());
                }
            }
            let left = end.saturating_duration_since(Instant::now());
            self.seen.push(self.events.recv_timeout(left)?);
        }
    }

    fn say(&mut self, command: &Value) {
        let stdin = self.stdin.as_mut().expect("open until dropped");
        writeln!(stdin, "{command}").and_then(|()| stdin.flush()).expect("the program listens");
    }
}

/// `offhook diagnose --json` in a namespace: its object.
///
/// # Errors
/// What it said when it ended otherwise than with 0.
pub fn diagnose(namespace: &Namespace, options: &[&str]) -> Result<Value, String> {
    let mut command = command(Some(namespace));
    let output = command.args(["diagnose", "--json"]).args(options).output().expect("the program starts");
    if output.status.success() {
        Ok(serde_json::from_slice(&output.stdout).expect("one object"))
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

const CAPTURE: &str = "wire.pcapng";

/// `offhook phone --json`.
#[derive(Debug)]
pub struct Phone {
    talker: Talker,
    folder: tempfile::TempDir,
}

impl Phone {
    /// Starts a phone with a configuration. It hears into [`heard`](Self::heard) and says [`speech`] unless the
    /// configuration has an `[audio]` of its own.
    pub fn start(name: &str, config: &str) -> Self {
        Self::run(None, name, config)
    }

    /// The same in a namespace. What crosses its wire is kept in [`captured`](Self::captured).
    pub fn start_in(namespace: &Namespace, name: &str, config: &str) -> Self {
        Self::run(Some(namespace), name, config)
    }

    fn run(namespace: Option<&Namespace>, name: &str, config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("phone.toml");
        let audio = if config.contains("[audio]") {
            String::new()
        } else {
            let (play, record) = (speech(), folder.path().join("heard.wav"));
            format!("[audio]\nplay = \"{}\"\nrecord = \"{}\"\n", play.display(), record.display())
        };
        std::fs::write(&file, format!("{config}\n{audio}")).expect("the folder takes a file");
        let mut command = command(namespace);
        command.args(["phone", "--json", "--config"]).arg(&file);
        if namespace.is_some() {
            command.arg("--capture").arg(folder.path().join(CAPTURE));
        }
        Self { talker: Talker::start(name, &mut command), folder }
    }

    /// What it has heard so far.
    pub fn heard(&self) -> PathBuf {
        self.folder.path().join("heard.wav")
    }

    /// What crossed its wire so far.
    pub fn captured(&self) -> PathBuf {
        self.folder.path().join(CAPTURE)
    }

    /// Gives a command.
    pub fn say(&mut self, command: Value) {
        self.talker.say(&command);
    }

    /// Waits for the next event with these values.
    pub fn expect(&mut self, wanted: Value) -> Value {
        self.talker.expect(&wanted, SOON)
    }

    /// The same, with a bound of one's own.
    pub fn expect_within(&mut self, wanted: Value, within: Duration) -> Value {
        self.talker.expect(&wanted, within)
    }

    /// Whether an event with these values comes in time.
    pub fn says(&mut self, wanted: Value, within: Duration) -> bool {
        self.talker.wait(&wanted, within).is_ok()
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.talker.process.0.id()
    }

    /// Everything said so far.
    pub fn said(&mut self) -> &[Value] {
        self.talker.seen.extend(self.talker.events.try_iter());
        &self.talker.seen
    }

    /// Leaves as a person would, and says whether it left with 0.
    pub fn quit(mut self) -> bool {
        self.say(serde_json::json!({"cmd": "quit"}));
        self.talker.process.0.wait().is_ok_and(|s| s.success())
    }
}

/// `offhook exchange --json`.
#[derive(Debug)]
pub struct Exchange {
    talker: Talker,
    folder: tempfile::TempDir,
    /// Where it listens, UDP and TCP.
    pub address: String,
}

impl Exchange {
    /// Starts an exchange with a configuration, or with its defaults on a free port.
    pub fn start(config: Option<&str>) -> Self {
        Self::run(None, config)
    }

    /// The same in a namespace.
    pub fn start_in(namespace: &Namespace, config: &str) -> Self {
        Self::run(Some(namespace), Some(config))
    }

    fn run(namespace: Option<&Namespace>, config: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = command(namespace);
        command.args(["exchange", "--json"]);
        if let Some(config) = config {
            let file = folder.path().join("exchange.toml");
            std::fs::write(&file, config).expect("the folder takes a file");
            command.arg("--config").arg(&file).current_dir(folder.path());
        } else {
            command.args(["--listen", &format!("127.0.0.1:{}", crate::free_port())]);
        }
        let mut talker = Talker::start("exchange", &mut command);
        let listening = talker.expect(&serde_json::json!({"event": "listening"}), SOON);
        let address = listening["udp"].as_str().expect("it says where").to_owned();
        Self { talker, folder, address }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.talker.process.0.id()
    }

    /// The folder that relative paths of its configuration begin at.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Kills it as a crash would, and starts it again after `down` with the configuration that it was started with,
    /// which must name its ports.
    pub fn crash(&mut self, down: Duration) {
        let process = &mut self.talker.process.0;
        process.kill().and_then(|()| process.wait()).expect("it is ours to kill");
        std::thread::sleep(down);
        let mut command = Command::new(program());
        command.args(["exchange", "--json", "--config", "exchange.toml"]).current_dir(self.folder.path());
        self.talker = Talker::start("exchange", &mut command);
        self.talker.expect(&serde_json::json!({"event": "listening"}), SOON);
    }
}
