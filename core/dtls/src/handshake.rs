//! One association: from the first hello to keys, and what is still said after them. RFC 5764 section 3, RFC 6347, RFC 9147.
//!
//! Both sides show a certificate, and keys come out only when the other's is the one that its description names: what a
//! man in the middle agrees on is never told. A lost flight is sent again after 150 ms, 300 ms, ... for 30 s in all.
//!
//! Anybody can send to a media socket. Until there are keys, datagrams are counted up to a bound, a plain alert (which
//! nobody has signed) only shortens the wait, and who waits for a hello looks at nothing else; a passive side that a
//! stranger's hello has spoilt begins anew, a few times. Afterwards only what is authentic is looked at; a new handshake
//! under the old keys (renegotiation) is refused. Fragments are put together by the engine: at most 50 of a message, out
//! of at most 64 datagrams.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base::{Instant, Wake, system};
use bytes::Bytes;
use dimpl::{Config, Dtls, Error, UnexpectedMessageError};
use zeroize::Zeroizing;

use crate::{Certificate, Fingerprints, Keys, Profile};

/// The longest datagram that is looked at, bytes.
pub const LONGEST: usize = 4096;

/// How long a handshake may take from its beginning, whoever has not been heard. The engine's own limit is the same.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a first flight waits for its answer before it is sent again; doubled each time. RFC 6347 section 4.2.4.1 lets
/// real-time use begin below a second.
const FIRST_WAIT: Duration = Duration::from_millis(150);

/// How often a flight is sent again: never the bound, the time is.
const RETRIES: usize = 20;

/// A plain alert may be forged: the handshake has this long to come to its end all the same.
const ALERT_GRACE: Duration = Duration::from_secs(3);

/// Datagrams taken until there are keys. A handshake at 30 % loss needs some thirty.
const MOST_BEFORE_KEYS: u32 = 1000;

/// Datagrams out of which messages are put together. Past it a handshake fails.
const MOST_QUEUED: usize = 64;

/// How often a passive side begins anew.
const RESTARTS: u32 = 8;

/// An engine that wants to be called again at once, again and again, waits this long, then twice, up to 64 times that:
/// `dimpl` 0.9 acknowledges the same gap in a flight without an end (its DTLS 1.3 client, its ACK timer).
const HOLD: Duration = Duration::from_millis(10);

/// Whether a datagram on a media socket is DTLS, by its first byte. RFC 7983 section 7.
pub fn is_dtls(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| (20..=63).contains(first))
}

/// Who says hello first. RFC 4145's words, RFC 5763 section 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// We do: DTLS's client.
    Active,
    /// The other side does.
    Passive,
}

/// What a handshake says.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// A datagram to the other side, by the way that its media goes.
    Send(Bytes),
    /// It is done: both ways' keys. Once at most. Keep handing datagrams in: the other side may have missed the last flight.
    Keyed(Keys),
    /// It will not be done. Once at most, and never behind keys: no media may pass.
    Failed(Reason),
    /// The other side, known by its keys, has ended the association: it will send nothing more under them.
    Closed,
}

/// Why there are no keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Somebody else answered: a man in the middle, or a server that changed the description.
    #[error("the other side's certificate is not the one that its description names")]
    WrongCertificate,
    /// Nobody answered for 30 s: the way does not carry datagrams of this kind, or the other side is gone.
    #[error("the other side did not finish agreeing on keys in time")]
    TooLate,
    /// It speaks DTLS but not for SRTP, or protects by none of our profiles.
    #[error("the other side agreed to no protection of media")]
    NoProfile,
    /// It refused, with a TLS alert: 40 for no common ciphers, 42 for our certificate, ...
    #[error("the other side refused to agree on keys (alert {0})")]
    Refused(u8),
    /// It broke the protocol, or somebody on the way did.
    #[error("agreeing on keys went wrong: {0}")]
    Broken(String),
}

/// One association.
///
/// ```text
///             keys, and the certificate is the one
///  Shaking ---------------------------------------> Keyed ------> Over
///     |                                                  closed, or an error under the keys: they stay good
///     | another certificate, an error, an alert, 30 s
///     +----------------------------------------------------------> Over
/// ```
#[derive(Debug)]
pub struct Handshake {
    state: State,
    role: Role,
    peer: Fingerprints,
    /// The last time told: the engine's never goes back.
    now: Instant,
    dropped: u64,
}

#[derive(Debug)]
enum State {
    Shaking(Box<Shaking>),
    Keyed(Box<Engine>),
    Over,
}

#[derive(Debug)]
struct Shaking {
    engine: Engine,
    config: Arc<Config>,
    certificate: Certificate,
    restarts: u32,
    /// The passive side has heard a hello.
    heard: bool,
    until: Instant,
    taken: u32,
    alert: Option<(Instant, u8)>,
    /// The certificate was looked at, and is the one.
    known: bool,
    connected: bool,
    material: Option<(Profile, Material)>,
}

#[derive(Debug)]
struct Engine {
    dtls: Dtls,
    wake: Option<Instant>,
    /// Wakes in a row that were due before they were asked for.
    pressed: u32,
}

/// The exporter's output.
struct Material(Zeroizing<Vec<u8>>);

impl std::fmt::Debug for Material {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// What the engine said that is not a datagram.
enum Said {
    Certificate(bool),
    Material(Profile, Material),
    Connected,
    Closed,
}

impl Handshake {
    /// Begins: the active side's hello is in `out`.
    ///
    /// `seed` makes hellos and the spread of repetitions the same on each run, for tests; keys and signatures never are.
    pub fn begin(
        role: Role,
        certificate: &Certificate,
        peer: Fingerprints,
        seed: Option<u64>,
        now: Instant,
        out: &mut Vec<Output>,
    ) -> Self {
        let config = config(seed);
        let shaking = Shaking {
            engine: Engine::new(role, &config, certificate, now),
            config,
            certificate: certificate.clone(),
            restarts: 0,
            heard: role == Role::Active,
            until: now + PATIENCE,
            taken: 0,
            alert: None,
            known: false,
            connected: false,
            material: None,
        };
        let mut this = Self { state: State::Shaking(Box::new(shaking)), role, peer, now, dropped: 0 };
        this.tick(now, out);
        this
    }

    /// Takes a datagram from the other side.
    pub fn handle(&mut self, datagram: &[u8], now: Instant, out: &mut Vec<Output>) {
        if !is_dtls(datagram) || datagram.len() > LONGEST {
            self.dropped += 1;
            return;
        }
        self.tick(now, out);
        let now = self.now;
        let whole = datagram.len();
        let (datagram, alert) = without_plain_alert(datagram);
        self.dropped += u64::from(datagram.len() < whole);
        let result = match &mut self.state {
            State::Shaking(shaking) if shaking.takes(datagram, alert) => {
                shaking.taken += 1;
                shaking.heard |= is_hello(datagram);
                if let Some(alert) = alert {
                    shaking.alert.get_or_insert((now, alert));
                }
                if datagram.is_empty() { Ok(()) } else { shaking.engine.dtls.handle_packet(datagram) }
            }
            State::Keyed(engine) if !datagram.is_empty() => engine.dtls.handle_packet(datagram),
            State::Shaking(_) | State::Keyed(_) | State::Over => {
                self.dropped += 1;
                return;
            }
        };
        self.settle(result, out);
    }

    /// Takes the time: flights are sent again, and patience ends.
    pub fn tick(&mut self, now: Instant, out: &mut Vec<Output>) {
        self.now = self.now.max(now);
        let now = self.now;
        let result = match &mut self.state {
            State::Shaking(shaking) => {
                if let Some((_, alert)) = shaking.alert.filter(|(at, _)| now >= *at + ALERT_GRACE) {
                    return self.fail(Reason::Refused(alert), out);
                }
                if now >= shaking.until {
                    return self.fail(Reason::TooLate, out);
                }
                shaking.engine.dtls.handle_timeout(system::to_std(now))
            }
            State::Keyed(engine) => engine.dtls.handle_timeout(system::to_std(now)),
            State::Over => return,
        };
        self.settle(result, out);
    }

    /// When it wants to be told the time.
    pub fn next_wake(&self) -> Option<Wake> {
        let at = match &self.state {
            State::Shaking(s) => {
                let alert = s.alert.map(|(at, _)| at + ALERT_GRACE);
                [Some(s.until), alert, s.engine.wake].into_iter().flatten().min()
            }
            State::Keyed(engine) => engine.wake,
            State::Over => None,
        };
        at.map(|at| Wake { at, why: "DTLS" })
    }

    /// Who said hello.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Whom it is with.
    pub const fn peer(&self) -> &Fingerprints {
        &self.peer
    }

    /// Datagrams that were not looked at, and alerts that were not believed.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Takes what the engine has to say after it was told something.
    fn settle(&mut self, result: Result<(), Error>, out: &mut Vec<Output>) {
        match result {
            Ok(()) => {}
            // A stranger's bytes before any hello was answered; the engine goes on as it was.
            Err(Error::UnexpectedMessage(UnexpectedMessageError::UnrecognizedAutoServerResponse)) => {
                self.dropped += 1;
            }
            Err(error) => return self.give_up(&error, out),
        }
        let (peer, now) = (&self.peer, self.now);
        match &mut self.state {
            State::Shaking(shaking) => {
                let mut closed = false;
                let mut wrong = false;
                shaking.engine.drain(peer, now, out, |said| {
                    match said {
                        Said::Certificate(fits) => (shaking.known, wrong) = (fits, !fits),
                        Said::Material(profile, material) => shaking.material = Some((profile, material)),
                        Said::Connected => shaking.connected = true,
                        Said::Closed => closed = true,
                    }
                    !wrong
                });
                if wrong {
                    return self.fail(Reason::WrongCertificate, out);
                }
                if shaking.connected {
                    self.finish(out);
                }
                if closed {
                    self.close(out);
                }
            }
            State::Keyed(engine) => {
                let mut closed = false;
                engine.drain(peer, now, out, |said| {
                    closed |= matches!(said, Said::Closed);
                    true
                });
                if closed {
                    self.close(out);
                }
            }
            State::Over => {}
        }
    }

    /// The engine is done. Are we?
    fn finish(&mut self, out: &mut Vec<Output>) {
        let State::Shaking(shaking) = std::mem::replace(&mut self.state, State::Over) else { return };
        let keys = shaking
            .material
            .and_then(|(profile, material)| Keys::cut(profile, &material.0, self.role == Role::Active));
        match keys {
            Some(keys) if shaking.known => {
                out.push(Output::Keyed(keys));
                self.state = State::Keyed(Box::new(shaking.engine));
            }
            Some(_) => out.push(Output::Failed(Reason::WrongCertificate)),
            None => out.push(Output::Failed(Reason::NoProfile)),
        }
    }

    fn close(&mut self, out: &mut Vec<Output>) {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Shaking(_) => out.push(Output::Failed(Reason::Refused(0))),
            State::Keyed(_) => out.push(Output::Closed),
            State::Over => {}
        }
    }

    /// Every error of the engine's is its end. Keys that were agreed on stay good.
    fn give_up(&mut self, error: &Error, out: &mut Vec<Output>) {
        match error {
            Error::Timeout(_) => self.fail(Reason::TooLate, out),
            _ if self.begin_anew() => {}
            error => self.fail(Reason::Broken(error.to_string()), out),
        }
    }

    /// The passive side again, as if nothing had been heard: whoever spoilt it was not known.
    fn begin_anew(&mut self) -> bool {
        let State::Shaking(shaking) = &mut self.state else { return false };
        if self.role == Role::Active || shaking.known || shaking.restarts == RESTARTS {
            return false;
        }
        shaking.restarts += 1;
        shaking.heard = false;
        shaking.engine = Engine::new(self.role, &shaking.config, &shaking.certificate, self.now);
        true
    }

    fn fail(&mut self, reason: Reason, out: &mut Vec<Output>) {
        if let State::Shaking(_) = std::mem::replace(&mut self.state, State::Over) {
            out.push(Output::Failed(reason));
        }
    }
}

impl Shaking {
    /// Whether a datagram is worth the engine's time.
    fn takes(&self, datagram: &[u8], alert: Option<u8>) -> bool {
        self.taken < MOST_BEFORE_KEYS && (self.heard || alert.is_some() || is_hello(datagram))
    }
}

impl Engine {
    fn new(role: Role, config: &Arc<Config>, certificate: &Certificate, now: Instant) -> Self {
        let mut dtls = Dtls::new_auto(config.clone(), certificate.engine(), system::to_std(now));
        dtls.set_active(role == Role::Active);
        Self { dtls, wake: None, pressed: 0 }
    }

    /// Takes all that it has to say, until `hear` has heard enough.
    fn drain(
        &mut self,
        peer: &Fingerprints,
        now: Instant,
        out: &mut Vec<Output>,
        mut hear: impl FnMut(Said) -> bool,
    ) {
        let mut buffer = vec![0; LONGEST];
        loop {
            let said = match self.dtls.poll_output(&mut buffer) {
                dimpl::Output::Packet(packet) => {
                    out.push(Output::Send(Bytes::copy_from_slice(packet)));
                    continue;
                }
                dimpl::Output::BufferTooSmall { needed } => {
                    buffer.resize(needed, 0);
                    continue;
                }
                dimpl::Output::Timeout(at) => {
                    let at = system::from_std(at);
                    self.pressed = if at > now { 0 } else { self.pressed + 1 };
                    self.wake = Some(if at > now { at } else { now + HOLD * (1 << self.pressed.min(7)) / 2 });
                    return;
                }
                dimpl::Output::PeerCert(der) => Said::Certificate(peer.match_certificate(der)),
                dimpl::Output::KeyingMaterial(material, profile) => {
                    let Some(profile) = ours(profile) else { continue };
                    Said::Material(profile, Material(Zeroizing::new(material.to_vec())))
                }
                dimpl::Output::Connected => Said::Connected,
                dimpl::Output::CloseNotify => Said::Closed,
                _ => continue, // nobody sends data here
            };
            if !hear(said) {
                return;
            }
        }
    }
}

fn ours(profile: dimpl::SrtpProfile) -> Option<Profile> {
    match profile {
        dimpl::SrtpProfile::AEAD_AES_256_GCM => Some(Profile::AeadAes256Gcm),
        dimpl::SrtpProfile::AEAD_AES_128_GCM => Some(Profile::AeadAes128Gcm),
        dimpl::SrtpProfile::AES128_CM_SHA1_80 => Some(Profile::Aes128CmSha1_80),
        _ => None,
    }
}

/// The engine's settings. It tries all its primitives whenever they are made: those without a seed are made once.
fn config(seed: Option<u64>) -> Arc<Config> {
    static SEEDLESS: OnceLock<Arc<Config>> = OnceLock::new();
    let make = |seed: Option<u64>| {
        let builder = Config::builder()
            .with_crypto_provider(dimpl::crypto::rust_crypto::default_provider())
            .flight_start_rto(FIRST_WAIT)
            .flight_retries(RETRIES)
            .handshake_timeout(PATIENCE)
            .max_queue_rx(MOST_QUEUED)
            .require_client_certificate(true);
        let builder = seed.into_iter().fold(builder, dimpl::ConfigBuilder::dangerously_set_rng_seed);
        Arc::new(builder.build().expect("settings within the engine's bounds, and its own primitives"))
    };
    match seed {
        None => SEEDLESS.get_or_init(|| make(None)).clone(),
        seed => make(seed),
    }
}

/// Whether a datagram begins with a part of a `ClientHello` that can be one. RFC 6347 section 4.2.2.
pub fn is_hello(datagram: &[u8]) -> bool {
    const HANDSHAKE: u8 = 22;
    const CLIENT_HELLO: u8 = 1;
    let Some((head, message)) = datagram.split_at_checked(13) else { return false };
    let &[HANDSHAKE, 0xfe, _, 0, 0, _, _, _, _, _, _, l1, l2] = head else { return false };
    let &[CLIENT_HELLO, t1, t2, t3, _, _, a1, a2, a3, f1, f2, f3, ..] = message else { return false };
    let record = usize::from(u16::from_be_bytes([l1, l2]));
    let [total, at, part] =
        [[t1, t2, t3], [a1, a2, a3], [f1, f2, f3]].map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]) as usize);
    record <= message.len() && part + 12 <= record && at + part <= total && total <= 2 * LONGEST
}

/// What stands before a plain alert record, and the alert if it ends things. RFC 6347 section 4.1: a record's header is 13
/// bytes, the epoch is 0 until keys are used, an alert is its level and its description.
fn without_plain_alert(datagram: &[u8]) -> (&[u8], Option<u8>) {
    const ALERT: u8 = 21;
    let mut at = 0;
    while let Some(&[kind, _, _, e1, e2, _, _, _, _, _, _, l1, l2]) = datagram.get(at..at + 13) {
        let len = usize::from(u16::from_be_bytes([l1, l2]));
        if kind == ALERT && (e1, e2) == (0, 0) {
            const FATAL: u8 = 2;
            let ends = match datagram.get(at + 13..) {
                Some(&[FATAL, description, ..] | &[_, description @ 0, ..]) => Some(description),
                _ => None,
            };
            return (&datagram[..at], ends);
        }
        if kind & 0b1110_0000 == 0b0010_0000 {
            break; // a protected record of DTLS 1.3 has another header, and no plain one behind it
        }
        at += 13 + len;
    }
    (datagram, None)
}

#[cfg(test)]
mod tests;
