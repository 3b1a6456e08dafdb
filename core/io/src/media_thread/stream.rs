//! One stream of a call: its legs and its session.
//!
//! Prepared (it has ports), then open (packets flow). What comes and goes by its legs is theirs to sort. Knows nothing of the
//! other streams.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use base::{Instant, Rng};
use media::dtmf::{self, Digit, Keys};
use media::{Lead, Overdue, Plan, Session, Silence, Stats, Timeline};
use nat::path::Route;
use nix::poll::PollFd;
use phone::{CallId, MediaId};
use tokio::sync::mpsc;

use super::News;
use super::legs::{Legs, Place, bind_pair};
use super::mix::Mix;
use super::socket::{Moment, Reader};
use crate::audio::{FRAME, Frame, RATE, Sound};
use crate::capture::Tap;
use crate::clock::ntp;
use crate::events::Events;
use crate::recording::Recording;

/// How often the phone hears how it sounds.
const QUALITY_EVERY: Duration = Duration::from_secs(1);
/// Older packets that waited for `Open` are not played: early media that nobody opened an ear for.
const STALE: Duration = Duration::from_millis(200);

/// Packets that wait for `Open`, where the legs are read before; more are a flood.
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
    legs: Legs,
    // On the heap: its buffers are large, and the map of streams moves what it holds.
    open: Option<Box<Open>>,
    muted: bool,
    /// In the conference: its voice and the others' are mixed.
    mixed: bool,
    recording: Option<Recording>,
    route: Route,
    control_route: Route,
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
    pub(super) fn prepare(call: CallId, place: Place<'_>, toward: Option<IpAddr>) -> Result<Self, String> {
        let legs = Legs::new(bind_pair(place, toward)?, place.network);
        Ok(Self {
            call,
            legs,
            open: None,
            muted: false,
            mixed: false,
            recording: None,
            route: Route::Plain,
            control_route: Route::Plain,
            early: VecDeque::new(),
        })
    }

    pub(super) fn local(&self) -> SocketAddr {
        self.legs.local()
    }

    /// Waits until a packet has come: loopback is quick, and not always at once.
    #[cfg(test)]
    pub(super) fn await_packet(&self) {
        while !self.legs.has_packet() {
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
        session.lead_control(lead(&self.control_route));
        for (bytes, from, control, at) in self.early.drain(..) {
            if present.now.since(at.now) < STALE {
                session.packet(&bytes, from, control, at.now, ntp(at.wall));
            }
        }
        self.legs.receive(reader, present, None, |came| {
            if present.now.since(came.at.now) < STALE {
                session.packet(came.bytes, came.from, came.control, came.at.now, ntp(came.at.wall));
            }
        });
        let next_quality = present.now + QUALITY_EVERY;
        self.open = Some(Box::new(Open { session, heard: [0; FRAME], receives, next_quality }));
    }

    pub(super) fn change(&mut self, plan: Plan) {
        if let Some(open) = &mut self.open {
            open.receives = plan.direction.receives();
            open.session.replan(plan, crate::clock::now());
        }
    }

    /// Its sockets and connections.
    pub(super) fn legs(&mut self) -> &mut Legs {
        &mut self.legs
    }

    /// Whether it must be read though it is not open.
    pub(super) fn listens(&self) -> bool {
        self.legs.listens()
    }

    /// Media goes so from now on.
    pub(super) fn lead(&mut self, route: Route) {
        if let Some(open) = &mut self.open {
            open.session.lead(lead(&route));
        }
        self.legs.lead(&route);
        self.route = route;
    }

    /// RTCP that has a port of its own goes so from now on.
    pub(super) fn lead_control(&mut self, route: Route) {
        if let Some(open) = &mut self.open {
            open.session.lead_control(lead(&route));
        }
        self.legs.lead_control(&route);
        self.control_route = route;
    }

    /// Tells the phone what its legs have to tell; half the room is for answers to its orders.
    pub(super) fn tell_news(&mut self, media: MediaId, phone: &mpsc::Sender<News>) {
        while phone.capacity() > phone.max_capacity() / 2
            && let Some(news) = self.legs.poll_news()
        {
            let _ = phone.try_send((media, news));
        }
    }

    /// Whether its way is being found, so that what comes is not to wait for the tick.
    pub(super) fn is_hurried(&self) -> bool {
        let nowhere = matches!(self.route, Route::Checked { target: None, .. });
        self.legs.listens() && (self.open.is_none() || nowhere)
    }

    /// All that may come.
    pub(super) fn waits_for<'a>(&'a self, fds: &mut Vec<PollFd<'a>>) {
        self.legs.waits_for(fds);
    }

    /// Takes what came, between ticks.
    pub(super) fn hear_in_haste(&mut self, reader: &mut Reader, tap: Option<&mut Tap>, present: Moment) {
        self.receive(reader, tap, present);
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

    /// That something is overdue.
    pub(super) fn poll_overdue(&mut self) -> Option<Overdue> {
        self.open.as_mut()?.session.poll_overdue()
    }

    /// The way is dead.
    pub(super) fn dead(&mut self) {
        if let Some(open) = &mut self.open {
            open.session.path_judged(false, crate::clock::now());
        }
    }

    /// That the other side fell silent, or is back.
    pub(super) fn poll_silence(&mut self) -> Option<Silence> {
        self.open.as_mut()?.session.poll_silence()
    }

    /// Receives, and hears 20 ms.
    pub(super) fn hear(&mut self, media: MediaId, tick: &mut Tick<'_>) {
        self.receive(tick.reader, tick.tap.as_deref_mut(), tick.present);
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

    fn receive(&mut self, reader: &mut Reader, tap: Option<&mut Tap>, present: Moment) {
        let Self { open, early, legs, .. } = self;
        if open.is_none() && !legs.listens() {
            return;
        }
        legs.receive(reader, present, tap, |came| match open {
            Some(open) => {
                open.session.packet(came.bytes, came.from, came.control, came.at.now, ntp(came.at.wall));
            }
            None => {
                if early.len() == WAITING {
                    early.pop_front();
                }
                early.push_back((came.bytes.to_vec(), came.from, came.control, came.at));
            }
        });
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
            self.legs.send(outgoing, present, tick.tap.as_deref_mut());
            packet = session.next_packet();
        }
        if let Some(report) = session.rtcp(present.now, ntp(present.wall)) {
            self.legs.send(report, present, tick.tap.as_deref_mut());
        }
    }

    /// How it sounds, when it is time to tell.
    pub(super) fn quality(&mut self, now: Instant) -> Option<Stats> {
        let open = self.open.as_mut().filter(|open| open.next_quality <= now)?;
        open.next_quality = now + QUALITY_EVERY;
        Some(open.session.stats())
    }

    /// Says goodbye. The last figures and all of before, if it was ever open.
    pub(super) fn close(mut self, tap: Option<&mut Tap>) -> Option<(Stats, Timeline)> {
        let mut open = self.open?;
        let present = Moment::read();
        if let Some(bye) = open.session.bye(present.now, ntp(present.wall)) {
            self.legs.send(bye, present, tap);
        }
        Some((open.session.stats(), open.session.into_timeline()))
    }
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
