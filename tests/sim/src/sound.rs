//! One media stream of a simulated phone: its sockets, and when asked for, real sound through the real session.
//!
//! Each phone hums a tone of its own, so that what is heard says who is heard. Knows nothing of SIP.

use std::f64::consts::TAU;
use std::net::SocketAddr;

use base::{Instant, Rng};
use media::dtmf::{Digit, Keys, Way};
use media::srtp::Inbound;
use media::{Overdue, Plan, Protection, Session, Silence};
use nat::path::Route;

use crate::legs::Legs;

/// Samples a second, and in 20 ms.
const SAMPLE_RATE: u32 = 8000;
const FRAME: usize = 160;

/// The lowest tone, of the first node; each further one is a step higher.
const TONE: f64 = 400.0;
const STEP: f64 = 150.0;

/// How much of what was heard is kept to listen to: a fifth of a second.
const KEPT: usize = SAMPLE_RATE as usize / 5;

/// The tone that the node of this number hums.
pub(crate) fn tone(node: usize) -> f64 {
    TONE + STEP * node as f64
}

/// A stream between `Prepare` and `Close`.
#[derive(Debug)]
pub(crate) struct Stream {
    /// Our RTP address; RTCP is one port above.
    pub(crate) local: SocketAddr,
    /// All sockets, connections and channels.
    pub(crate) legs: Legs,
    /// What was last agreed.
    pub(crate) plan: Option<Plan>,
    pub(crate) muted: bool,
    /// In the conference of its phone.
    pub(crate) mixed: bool,
    session: Option<Session>,
    /// Listens on our wire with our own key: what it opens was protected.
    wiretap: Option<Inbound>,
    /// When the first packet of theirs was taken.
    pub(crate) first: Option<Instant>,
    phase: f64,
    /// The last frame that was heard.
    last: [i16; FRAME],
    heard: Vec<i16>,
}

/// A packet that a stream wants sent.
pub(crate) struct Packet {
    /// From RTCP's own port.
    pub(crate) control: bool,
    pub(crate) to: SocketAddr,
    pub(crate) bytes: Vec<u8>,
}

impl Stream {
    pub(crate) fn new(local: SocketAddr) -> Self {
        Self {
            local,
            legs: Legs::new(local),
            plan: None,
            muted: false,
            mixed: false,
            session: None,
            wiretap: None,
            first: None,
            phase: 0.0,
            last: [0; FRAME],
            heard: Vec::new(),
        }
    }

    /// Takes a plan; with `sound` a session plays it.
    pub(crate) fn set_plan(&mut self, plan: Plan, sound: bool, rng: &mut Rng, now: Instant) {
        if let Protection::Keyed { send, .. } = &plan.protection {
            match &mut self.wiretap {
                Some(wiretap) if wiretap.keys() == send => {}
                Some(wiretap) => wiretap.rekey(send.clone()),
                none => *none = Some(Inbound::new(send.clone())),
            }
        }
        match &mut self.session {
            Some(session) => session.replan(plan.clone(), now),
            None if sound => {
                let mut session = Session::new(plan.clone(), SAMPLE_RATE, rng.split(), now);
                session.lead(self.legs.lead());
                self.session = Some(session);
            }
            None => {}
        }
        self.plan = Some(plan);
    }

    /// Whether a packet of ours is protected by the keys that were agreed.
    pub(crate) fn is_secret(&mut self, bytes: &[u8]) -> bool {
        let mut packet = bytes.to_vec();
        self.wiretap.as_mut().is_some_and(|wiretap| {
            let opened = if media::rtp::is_rtcp(bytes) {
                wiretap.open_rtcp(&mut packet)
            } else {
                wiretap.open(&mut packet)
            };
            opened.is_ok() && packet != bytes
        })
    }

    pub(crate) fn press(&mut self, keys: &Keys) {
        if let Some(session) = &mut self.session {
            session.press(keys);
        }
    }

    pub(crate) fn sound(&mut self, keys: &Keys) {
        if let Some(session) = &mut self.session {
            session.sound(keys);
        }
    }

    pub(crate) fn poll_digit(&mut self) -> Option<(Digit, Way)> {
        self.session.as_mut()?.poll_digit()
    }

    pub(crate) fn poll_overdue(&mut self) -> Option<Overdue> {
        self.session.as_mut()?.poll_overdue()
    }

    pub(crate) fn dead(&mut self, now: Instant) {
        if let Some(session) = &mut self.session {
            session.path_judged(false, now);
        }
    }

    pub(crate) fn poll_silence(&mut self) -> Option<Silence> {
        self.session.as_mut()?.poll_silence()
    }

    /// Whether it wants a frame every 20 ms.
    pub(crate) fn sounds(&self) -> bool {
        self.session.is_some()
    }

    /// Media goes so from now on.
    pub(crate) fn lead(&mut self, route: Route) {
        self.legs.route = route;
        if let Some(session) = &mut self.session {
            session.lead(self.legs.lead());
        }
    }

    pub(crate) fn packet(&mut self, bytes: &[u8], from: SocketAddr, control: bool, now: Instant) {
        if let Some(session) = &mut self.session {
            session.packet(bytes, from, control, now, wall(now));
            if self.first.is_none() && session.stats().received > 0 {
                self.first = Some(now);
            }
        }
    }

    /// 20 ms pass: hums a frame, over it the others of the conference, and listens to a frame.
    pub(crate) fn frame(&mut self, tone: f64, mix: &Mix, now: Instant, out: &mut Vec<Packet>) {
        let Some(session) = &mut self.session else { return };
        let mut frame = [0; FRAME];
        for sample in &mut frame {
            self.phase = (self.phase + TAU * tone / f64::from(SAMPLE_RATE)) % TAU;
            *sample = if self.muted { 0 } else { (self.phase.sin() * 8000.0) as i16 };
        }
        if self.mixed {
            mix.lay_over(&mut frame, &self.last);
        }
        let mut push = |o: media::Outgoing<'_>| {
            out.push(Packet { control: o.rtcp_port, to: o.to, bytes: o.bytes.to_vec() });
        };
        if let Some(o) = session.captured(&frame, now) {
            push(o);
        }
        while let Some(o) = session.next_packet() {
            push(o);
        }
        if let Some(o) = session.rtcp(now, wall(now)) {
            push(o);
        }
        session.playout(&mut self.last, now);
        self.heard.extend_from_slice(&self.last);
        let old = self.heard.len().saturating_sub(KEPT);
        self.heard.drain(..old);
    }

    /// Whether a tone is clearly in what was last heard.
    pub(crate) fn hears(&self, tone: f64) -> bool {
        self.heard.len() == KEPT && strength(&self.heard, tone) > 1000.0
    }

    pub(crate) fn stats(&self) -> Option<media::Stats> {
        self.session.as_ref().map(Session::stats)
    }
}

/// What was last heard by all in a phone's conference.
pub(crate) struct Mix([i32; FRAME]);

impl Default for Mix {
    fn default() -> Self {
        Self([0; FRAME])
    }
}

impl Mix {
    pub(crate) fn add(&mut self, stream: &Stream) {
        if stream.mixed {
            self.0.iter_mut().zip(&stream.last).for_each(|(sum, heard)| *sum += i32::from(*heard));
        }
    }

    /// All but `own`.
    fn lay_over(&self, said: &mut [i16; FRAME], own: &[i16; FRAME]) {
        for ((said, sum), own) in said.iter_mut().zip(&self.0).zip(own) {
            let all = i32::from(*said) + sum - i32::from(*own);
            *said = all.clamp(i16::MIN.into(), i16::MAX.into()) as i16;
        }
    }
}

/// The amplitude of one frequency, by correlation.
fn strength(samples: &[i16], tone: f64) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    for (n, sample) in samples.iter().enumerate() {
        let angle = TAU * tone * n as f64 / f64::from(SAMPLE_RATE);
        re += f64::from(*sample) * angle.cos();
        im += f64::from(*sample) * angle.sin();
    }
    2.0 * re.hypot(im) / samples.len() as f64
}

/// The told time as NTP's 32.32; the world's origin is an hour into 1900.
fn wall(now: Instant) -> u64 {
    let nanos = u128::from(now.as_nanos()) + 3600 * 1_000_000_000;
    ((nanos << 32) / 1_000_000_000) as u64
}
