//! One stream of a call: its sockets and its session.
//!
//! Prepared (it has ports), then open (packets flow). What comes is sorted by its first byte (RFC 7983): RTP and RTCP go to the
//! session, STUN to the phone where it wants to be told. Knows nothing of the others.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use base::{Instant, Rng};
use bytes::Bytes;
use media::dtmf::{self, Digit, Keys};
use media::{Lead, Outgoing, Plan, Session, Silence, Stats, Timeline};
use nat::path::{Leg, Route};
use offhook_net::Bind;
use phone::{CallId, MediaId};

use super::mix::Mix;
use super::socket::{Moment, Reader, Sockets};
use crate::audio::{FRAME, Frame, RATE, Sound};
use crate::capture::{Tap, Way, ends};
use crate::clock::ntp;
use crate::events::Events;
use crate::recording::Recording;

/// How often the phone hears how it sounds.
const QUALITY_EVERY: Duration = Duration::from_secs(1);
/// Older packets that waited for `Open` are not played: early media that nobody opened an ear for.
const STALE: Duration = Duration::from_millis(200);
/// Datagrams read from one socket in one tick; a flood waits, and the kernel drops what is too much.
const READS: usize = 64;

/// Messages for the phone that wait for the end of the tick, and packets that wait for `Open`; more of either is a flood.
const WAITING: usize = 32;

/// What all streams work with in a tick.
pub(super) struct Tick<'a> {
    pub(super) present: Moment,
    pub(super) reader: &'a mut Reader,
    pub(super) tap: Option<&'a mut Tap>,
    pub(super) sound: &'a mut dyn Sound,
    pub(super) mix: &'a mut Mix,
    pub(super) events: &'a Events,
}

#[derive(Debug)]
pub(super) struct Stream {
    call: CallId,
    sockets: Sockets,
    // On the heap: its buffers are large, and the map of streams moves what it holds.
    open: Option<Box<Open>>,
    muted: bool,
    /// In the conference: its voice and the others' are mixed.
    mixed: bool,
    recording: Option<Recording>,
    /// The phone wants to be told of what is no media.
    listens: bool,
    told: VecDeque<(Leg, SocketAddr, Bytes)>,
    route: Route,
    /// Came before `Open`, while it listened.
    early: VecDeque<(Vec<u8>, SocketAddr, bool, Moment)>,
}

#[derive(Debug)]
struct Open {
    session: Session,
    /// In this tick.
    heard: Frame,
    /// Not on hold by us.
    receives: bool,
    next_quality: Instant,
}

impl Stream {
    /// Binds sockets that reach `toward`, or else what the first of `bind` reaches.
    ///
    /// # Errors
    /// A sentence for the user.
    pub(super) fn prepare(
        call: CallId,
        bind: &[IpAddr],
        toward: Option<IpAddr>,
        binder: Option<&dyn Bind>,
    ) -> Result<Self, String> {
        let fits = |ip: &&IpAddr| toward.is_none_or(|toward| toward.is_ipv4() == ip.is_ipv4());
        let bind = *bind.iter().find(fits).ok_or_else(|| match toward {
            Some(IpAddr::V6(_)) => "there is no IPv6 network for the audio".to_owned(),
            Some(IpAddr::V4(_)) => "there is no IPv4 network for the audio".to_owned(),
            None => "there is no network for the audio".to_owned(),
        })?;
        let sockets = shown(bind, toward).and_then(|shown| Sockets::bind(bind, shown, binder));
        let sockets = sockets.map_err(|e| format!("no port can be had for the audio: {e}"))?;
        Ok(Self {
            call,
            sockets,
            open: None,
            muted: false,
            mixed: false,
            recording: None,
            listens: false,
            told: VecDeque::new(),
            route: Route::Plain,
            early: VecDeque::new(),
        })
    }

    pub(super) fn local(&self) -> SocketAddr {
        self.sockets.local
    }

    /// Waits until a packet has come: loopback is quick, and not always at once.
    #[cfg(test)]
    pub(super) fn await_packet(&self) {
        while self.sockets.rtp.peek(&mut [0]).is_err() {
            std::thread::yield_now();
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub(super) fn open(&mut self, plan: Plan, rng: Rng, reader: &mut Reader) {
        let present = Moment::read();
        let receives = plan.direction.receives();
        let mut session = Session::new(plan, RATE, rng, present.now);
        session.lead(lead(&self.route));
        for (bytes, from, control, at) in self.early.drain(..) {
            if present.now.since(at.now) < STALE {
                session.packet(&bytes, from, control, at.now, ntp(at.wall));
            }
        }
        while let Some(got) = reader.read(&self.sockets.rtp, present) {
            if self.listens && nat::stun::is_stun(got.bytes) {
                keep(&mut self.told, (Leg::FIRST, got.from, Bytes::copy_from_slice(got.bytes)));
            } else if present.now.since(got.at.now) < STALE {
                session.packet(got.bytes, got.from, false, got.at.now, ntp(got.at.wall));
            }
        }
        let next_quality = present.now + QUALITY_EVERY;
        self.open = Some(Box::new(Open { session, heard: [0; FRAME], receives, next_quality }));
    }

    pub(super) fn change(&mut self, plan: Plan) {
        if let Some(open) = &mut self.open {
            open.receives = plan.direction.receives();
            open.session.replan(plan, crate::clock::now());
        }
    }

    /// Tells of what is no media from now on.
    pub(super) fn listen(&mut self) {
        self.listens = true;
    }

    /// Whether it must be read though it is not open.
    pub(super) fn listens(&self) -> bool {
        self.listens
    }

    /// Media goes so from now on.
    pub(super) fn lead(&mut self, route: Route) {
        if let Some(open) = &mut self.open {
            open.session.lead(lead(&route));
        }
        self.route = route;
    }

    /// Sends what is no media.
    pub(super) fn tell(&self, leg: Leg, to: SocketAddr, bytes: &[u8], tap: Option<&mut Tap>) {
        let outgoing = Outgoing { to, rtcp_port: leg == Leg::FIRST.control(), bytes };
        send(&self.sockets, outgoing, Moment::read(), tap);
    }

    /// The next message that came and is no media.
    pub(super) fn poll_told(&mut self) -> Option<(Leg, SocketAddr, Bytes)> {
        self.told.pop_front()
    }

    pub(super) fn mute(&mut self, on: bool) {
        self.muted = on;
    }

    pub(super) fn mix(&mut self, on: bool) {
        self.mixed = on;
    }

    pub(super) fn call(&self) -> CallId {
        self.call
    }

    /// Keeps what is said and heard, from when it is open.
    pub(super) fn record(&mut self, recording: Recording) {
        self.recording = Some(recording);
    }

    pub(super) fn stop_recording(&mut self) {
        self.recording = None;
    }

    pub(super) fn is_recorded(&self) -> bool {
        self.recording.as_ref().is_some_and(|recording| !recording.is_over())
    }

    pub(super) fn records_to(&self, path: &Path) -> bool {
        self.recording.as_ref().is_some_and(|recording| recording.path() == path && !recording.is_over())
    }

    pub(super) fn press(&mut self, keys: &Keys) {
        if let Some(open) = &mut self.open {
            open.session.press(keys);
        }
    }

    pub(super) fn sound(&mut self, keys: &Keys) {
        if let Some(open) = &mut self.open {
            open.session.sound(keys);
        }
    }

    /// The next digit that the other side pressed.
    pub(super) fn poll_digit(&mut self) -> Option<(Digit, dtmf::Way)> {
        self.open.as_mut()?.session.poll_digit()
    }

    /// That the other side fell silent, or is back.
    pub(super) fn poll_silence(&mut self) -> Option<Silence> {
        self.open.as_mut()?.session.poll_silence()
    }

    /// Receives, and hears 20 ms.
    pub(super) fn hear(&mut self, media: MediaId, tick: &mut Tick<'_>) {
        self.receive(tick);
        let present = tick.present;
        let Some(Open { session, heard, receives, .. }) = self.open.as_deref_mut() else { return };
        session.playout(heard, present.now);
        // Nobody is recorded who waits on hold.
        if *receives && let Some(recording) = &mut self.recording {
            recording.beep_heard(heard);
        }
        tick.sound.hear(media, heard, tick.events);
        if self.mixed {
            tick.mix.add(heard);
        }
    }

    fn receive(&mut self, tick: &mut Tick<'_>) {
        if self.open.is_none() && !self.listens {
            return;
        }
        let rtcp = (&self.sockets.rtcp, self.sockets.local_rtcp(), Leg::FIRST.control());
        for (socket, local, leg) in [(&self.sockets.rtp, self.sockets.local, Leg::FIRST), rtcp] {
            for _ in 0..READS {
                let Some(got) = tick.reader.read(socket, tick.present) else { break };
                if let Some(tap) = &mut tick.tap {
                    tap.media(Way::In, ends(local, got.from), got.at.wall, got.bytes);
                }
                let control = leg == Leg::FIRST.control();
                if self.listens && nat::stun::is_stun(got.bytes) {
                    keep(&mut self.told, (leg, got.from, Bytes::copy_from_slice(got.bytes)));
                } else if let Some(open) = &mut self.open {
                    open.session.packet(got.bytes, got.from, control, got.at.now, ntp(got.at.wall));
                } else {
                    keep(&mut self.early, (got.bytes.to_vec(), got.from, control, got.at));
                }
            }
        }
    }

    /// Says 20 ms, and sends. All streams have heard theirs by now.
    pub(super) fn say(&mut self, media: MediaId, tick: &mut Tick<'_>) {
        let Some(Open { session, heard, .. }) = self.open.as_deref_mut() else { return };
        let present = tick.present;
        let mut frame = [0; FRAME];
        tick.sound.say(media, &mut frame, tick.events);
        // Only the microphone is closed: what is laid over it goes out.
        if self.muted {
            frame.fill(0);
        }
        if self.mixed {
            tick.mix.lay_over(&mut frame, heard);
        }
        if let Some(recording) = &mut self.recording {
            recording.beep_said(&mut frame);
            recording.keep(&frame, heard);
        }
        let mut packet = session.captured(&frame, present.now);
        while let Some(outgoing) = packet {
            send(&self.sockets, outgoing, present, tick.tap.as_deref_mut());
            packet = session.next_packet();
        }
        if let Some(report) = session.rtcp(present.now, ntp(present.wall)) {
            send(&self.sockets, report, present, tick.tap.as_deref_mut());
        }
    }

    /// How it sounds, when it is time to tell.
    pub(super) fn quality(&mut self, now: Instant) -> Option<Stats> {
        let open = self.open.as_mut().filter(|open| open.next_quality <= now)?;
        open.next_quality = now + QUALITY_EVERY;
        Some(open.session.stats())
    }

    /// Says goodbye. The last figures and all of before, if it was ever open.
    pub(super) fn close(self, tap: Option<&mut Tap>) -> Option<(Stats, Timeline)> {
        let mut open = self.open?;
        let present = Moment::read();
        if let Some(bye) = open.session.bye(present.now, ntp(present.wall)) {
            send(&self.sockets, bye, present, tap);
        }
        Some((open.session.stats(), open.session.into_timeline()))
    }
}

fn send(sockets: &Sockets, outgoing: Outgoing<'_>, present: Moment, tap: Option<&mut Tap>) {
    let (socket, local) = if outgoing.rtcp_port {
        (&sockets.rtcp, sockets.local_rtcp())
    } else {
        (&sockets.rtp, sockets.local)
    };
    // What the system does not take is lost, as on any link; the reports tell of it.
    if socket.send_to(outgoing.bytes, outgoing.to).is_ok()
        && let Some(tap) = tap
    {
        tap.media(Way::Out, ends(local, outgoing.to), present.wall, outgoing.bytes);
    }
}

/// Keeps the latest.
fn keep<T>(waiting: &mut VecDeque<T>, it: T) {
    if waiting.len() == WAITING {
        waiting.pop_front();
    }
    waiting.push_back(it);
}

/// A route in the session's words: which socket it leads to is not its business.
fn lead(route: &Route) -> Lead {
    match route {
        Route::Plain => Lead::Plain,
        Route::Checked { target, admitted } => {
            Lead::Checked { target: target.map(|target| target.to), admitted: admitted.clone() }
        }
    }
}

/// The address to tell the other side.
fn shown(bind: IpAddr, toward: Option<IpAddr>) -> io::Result<IpAddr> {
    if !bind.is_unspecified() {
        return Ok(bind);
    }
    match toward {
        Some(toward) => offhook_net::local_toward(toward),
        None => Ok(offhook_net::concrete(SocketAddr::new(bind, 0)).ip()),
    }
}
