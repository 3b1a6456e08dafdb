//! The media of all calls, on one thread: every 20 ms one wake receives and hears all, then says, captures and sends
//! all.
//!
//! Between calls it sleeps on its orders; in a call, on the boot-time clock; before it is up, on its sockets besides. Nothing is allocated, locked or logged per
//! packet. Knows sockets and time, and nothing of SIP or sound devices; what a packet means is `media`'s.

mod connection;
mod legs;
mod mix;
mod socket;
mod stream;
#[cfg(test)]
mod tests;
mod wait;

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::TryRecvError;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use base::{Instant, NetworkId, Rng};
use media::{Stats, Timeline};
use offhook_net::Bind;
use offhook_net::tls::{Session, Trusts};
use phone::{CallId, MediaId, MediaNews, MediaOrder, Tone};
use tokio::sync::mpsc;

use crate::audio::{AudioRoute, Side, Sound};
use crate::capture::Tap;
use crate::clock;
use crate::events::{Event, Events};
use crate::fence::fenced;
use crate::recording::{self, RecordOptions, Recorder};

use legs::{Legs, Place};
use mix::Mix;
use socket::{Moment, Reader};
use stream::{Stream, Tick};
use wait::Orders;
pub(crate) use wait::Sender;

/// What one wake handles.
const TICK: Duration = Duration::from_millis(20);
/// Later than this, what was missed is not made up for: the device slept.
const TOO_LATE: Duration = Duration::from_millis(100);
/// Orders that may wait: more than all calls together have at one time.
const ORDERS: usize = 256;
/// Debug builds of the codecs are the deepest that it goes: Opus makes its coders there before they are boxed. What is not
/// used of it is never there.
pub(crate) const STACK: usize = 2 * 1024 * 1024;

/// What the thread is told.
#[derive(Debug)]
pub(crate) enum ToMedia {
    /// By the phone, about one stream.
    Order { media: MediaId, order: MediaOrder },
    /// This is to sound beside the streams from now on.
    Tone(Option<Tone>),
    /// Sockets of this network are bound to these addresses from now on.
    BindTo(NetworkId, Vec<IpAddr>),
    /// So much louder from now on.
    Gain(Side, f32),
    /// Other sound devices are to be used.
    Route(AudioRoute),
    /// A sound device that could not be had may be there now.
    RestartAudio,
    /// Keep a call in a file.
    Record { call: CallId, path: PathBuf, options: RecordOptions },
    /// No longer.
    StopRecording(CallId),
    /// The phone that ordered them is gone.
    CloseAll,
    #[cfg(test)]
    Panic,
}

/// What it works with.
pub(crate) struct Config {
    /// Addresses to bind to, at most one of each family; the unspecified one leaves it to the system.
    pub(crate) bind: Vec<IpAddr>,
    /// What calls say and hear.
    pub(crate) sound: Box<dyn Sound>,
    pub(crate) tap: Option<Tap>,
    /// Shown every socket before it is used.
    pub(crate) binder: Option<Arc<dyn Bind>>,
    /// Which relays' certificates are accepted.
    pub(crate) trusts: Trusts,
    pub(crate) rng: Rng,
}

/// What it tells the phone.
pub(crate) type News = (MediaId, MediaNews);

/// Starts the thread. It ends when the orders' sender is dropped.
pub(crate) fn spawn(
    config: Config,
    events: Arc<Events>,
    news: mpsc::Sender<News>,
) -> io::Result<(Sender, JoinHandle<()>)> {
    let (sender, orders) = wait::channel(ORDERS)?;
    let thread = Builder::new().name("offhook-media".into()).stack_size(STACK).spawn(move || {
        let mut desk = Desk::new(config, events, news);
        while let Err(story) = fenced(|| desk.run(&orders)) {
            desk.recover(story);
        }
        desk.recorder.finish();
    })?;
    Ok((sender, thread))
}

struct Desk {
    bind: Vec<IpAddr>,
    /// The addresses of networks that we were told of by name.
    networks: BTreeMap<NetworkId, Vec<IpAddr>>,
    sound: Box<dyn Sound>,
    tap: Option<Tap>,
    binder: Option<Arc<dyn Bind>>,
    trusts: Trusts,
    rng: Rng,
    streams: BTreeMap<MediaId, Stream>,
    reader: Reader,
    mix: Mix,
    recorder: Recorder,
    events: Arc<Events>,
    news: mpsc::Sender<News>,
    /// When the next tick is due; `None` while nothing is open.
    next: Option<Instant>,
}

impl Desk {
    fn new(config: Config, events: Arc<Events>, news: mpsc::Sender<News>) -> Self {
        let Config { bind, sound, tap, binder, trusts, rng } = config;
        Self {
            bind,
            networks: BTreeMap::new(),
            sound,
            tap,
            binder,
            trusts,
            rng,
            streams: BTreeMap::new(),
            reader: Reader::new(),
            mix: Mix::new(),
            recorder: Recorder::new(),
            events,
            news,
            next: None,
        }
    }

    /// Until nobody is left to give orders.
    fn run(&mut self, orders: &Orders) {
        loop {
            match self.next {
                None => match orders.recv() {
                    Ok(order) => self.told(order),
                    Err(_) => break,
                },
                Some(at) => self.wait_until(at, orders),
            }
            loop {
                match orders.try_recv() {
                    Ok(order) => self.told(order),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return self.close_all(),
                }
            }
            self.ticks();
        }
        self.close_all();
    }

    /// After a panic: what was being changed is thrown away.
    fn recover(&mut self, story: String) {
        for (media, stream) in std::mem::take(&mut self.streams) {
            if stream.is_open() {
                self.sound.end(media, &self.events);
            }
            let reason = "the audio stopped by an internal error".into();
            self.tell(media, MediaNews::Failed { reason });
        }
        self.sound.tone(None);
        self.next = self.sound.sounds().then(|| clock::now() + TICK);
        self.events.push(Event::Restarted { thread: "media", story });
    }

    fn told(&mut self, order: ToMedia) {
        match order {
            ToMedia::Order { media, order } => self.follow(media, order),
            ToMedia::Tone(tone) => {
                self.sound.tone(tone);
                if self.sound.sounds() {
                    self.begin_ticks();
                }
            }
            ToMedia::BindTo(NetworkId::SYSTEM, bind) => self.bind = bind,
            ToMedia::BindTo(network, addrs) => {
                self.networks.insert(network, addrs);
            }
            ToMedia::Gain(side, db) => self.sound.gain(side, db),
            ToMedia::Route(route) => self.sound.route(route),
            ToMedia::RestartAudio => self.sound.restart(),
            ToMedia::Record { call, path, options } => {
                if let Err(why) = self.record(call, path.clone(), options) {
                    recording::ended(&self.events, &path, &why);
                }
            }
            ToMedia::StopRecording(call) => {
                for stream in self.streams.values_mut().filter(|stream| stream.call() == call) {
                    stream.stop_recording();
                }
            }
            ToMedia::CloseAll => self.close_all(),
            #[cfg(test)]
            ToMedia::Panic => panic!("as ordered"),
        }
    }

    fn begin_ticks(&mut self) {
        if self.next.is_none() {
            self.next = Some(clock::now() + TICK);
        }
    }

    fn follow(&mut self, media: MediaId, order: MediaOrder) {
        match order {
            MediaOrder::Prepare { call, toward, network } => {
                match Stream::prepare(call, self.place(network), toward) {
                    Ok(stream) => {
                        let local = stream.local();
                        self.streams.insert(media, stream);
                        self.tell(media, MediaNews::Ready { local });
                    }
                    Err(reason) => self.tell(media, MediaNews::Failed { reason }),
                }
            }
            MediaOrder::Open(plan) | MediaOrder::Change(plan) => {
                let Some(stream) = self.streams.get_mut(&media) else { return };
                if stream.is_open() {
                    stream.change(plan);
                } else {
                    let rng = self.rng.split();
                    self.sound.begin(media, &self.events);
                    stream.open(plan, rng, &mut self.reader);
                }
                self.begin_ticks();
            }
            MediaOrder::Mute(on) => {
                if let Some(stream) = self.streams.get_mut(&media) {
                    stream.mute(on);
                }
            }
            MediaOrder::Mix(on) => {
                if let Some(stream) = self.streams.get_mut(&media) {
                    stream.mix(on);
                }
            }
            MediaOrder::Disguise(key) => {
                let rng = self.rng.split();
                if let Some(stream) = self.streams.get_mut(&media) {
                    stream.disguise(key, rng);
                }
            }
            MediaOrder::Dtmf(keys) => {
                if let Some(stream) = self.streams.get_mut(&media) {
                    stream.press(&keys);
                }
            }
            MediaOrder::Tones(keys) => {
                if let Some(stream) = self.streams.get_mut(&media) {
                    stream.sound(&keys);
                }
            }
            MediaOrder::Route(route) => {
                if let Some(stream) = self.streams.get_mut(&media) {
                    stream.lead(route);
                }
            }
            MediaOrder::ControlRoute(route) => {
                if let Some(stream) = self.streams.get_mut(&media) {
                    stream.lead_control(route);
                }
            }
            MediaOrder::Dead => {
                if let Some(stream) = self.streams.get_mut(&media) {
                    stream.dead();
                }
            }
            MediaOrder::Listen => {
                if let Some(stream) = self.streams.get_mut(&media) {
                    stream.legs().listen_for_all();
                    self.begin_ticks();
                }
            }
            MediaOrder::AddSocket { leg, toward, network } => {
                let bound = legs::bind_pair(self.place(network), toward);
                let Some(stream) = self.streams.get_mut(&media) else { return };
                match bound {
                    Ok(pair) => {
                        let local = pair.local;
                        stream.legs().add(leg, pair, network);
                        self.tell(media, MediaNews::Socket { leg, local });
                    }
                    Err(_) => self.tell(media, MediaNews::StreamDown { leg, refused: false }),
                }
            }
            MediaOrder::Tell { leg, to, bytes } => {
                if let Some(stream) = self.streams.get_mut(&media) {
                    stream.legs().tell(leg, to, &bytes, self.tap.as_mut());
                }
            }
            MediaOrder::Ship { to, bytes } => {
                if let Some(stream) = self.streams.get_mut(&media) {
                    let whole = media::Outgoing { to, rtcp_port: false, bytes: &bytes };
                    stream.legs().send(whole, Moment::read(), self.tap.as_mut());
                }
            }
            MediaOrder::Connect { .. }
            | MediaOrder::TakeStreams { .. }
            | MediaOrder::Channel { .. }
            | MediaOrder::GoBy(_)
            | MediaOrder::CloseLeg(_) => {
                if let Some(stream) = self.streams.get_mut(&media) {
                    follow_leg(stream.legs(), order, (self.binder.as_deref(), &self.trusts));
                }
            }
            MediaOrder::Close { call } => {
                if let Some(stream) = self.streams.remove(&media)
                    && let Some((stats, timeline)) = self.close(media, stream)
                {
                    if !timeline.points().is_empty() {
                        self.events.push(Event::Phone(phone::Event::Timeline { call, timeline }));
                    }
                    self.events.push(Event::Phone(phone::Event::Quality { call, stats }));
                }
            }
        }
    }

    /// Where sockets of a network are bound.
    fn place(&self, network: NetworkId) -> Place<'_> {
        let bind = self.networks.get(&network).filter(|addrs| !addrs.is_empty()).unwrap_or(&self.bind);
        Place { bind, network, binder: self.binder.as_deref() }
    }

    fn record(&mut self, call: CallId, path: PathBuf, options: RecordOptions) -> Result<(), String> {
        // Two writers of one file would leave none that can be played.
        if self.streams.values().any(|stream| stream.records_to(&path)) {
            return Err("another recording is".into());
        }
        let stream = self.streams.values_mut().find(|stream| stream.call() == call);
        let stream = stream.ok_or("the call has no sound")?;
        if stream.is_recorded() {
            return Err("the call is being recorded already".into());
        }
        let recording = self.recorder.begin(path, options, Arc::clone(&self.events));
        stream.record(recording.map_err(|error| error.to_string())?);
        Ok(())
    }

    fn close_all(&mut self) {
        for (media, stream) in std::mem::take(&mut self.streams) {
            self.close(media, stream);
        }
        self.sound.tone(None);
        self.flush();
    }

    /// Its last figures and all of before, if it was ever open.
    fn close(&mut self, media: MediaId, stream: Stream) -> Option<(Stats, Timeline)> {
        let figures = stream.close(self.tap.as_mut())?;
        self.sound.end(media, &self.events);
        Some(figures)
    }

    /// All ticks that are due: one, unless the system was late.
    fn ticks(&mut self) {
        let Some(mut at) = self.next else { return };
        let reads = |stream: &Stream| stream.is_open() || stream.listens();
        if !self.sound.sounds() && !self.streams.values().any(reads) {
            self.next = None;
            return;
        }
        let present = Moment::read();
        if present.now.since(at) > TOO_LATE {
            at = present.now;
        }
        while at <= present.now {
            self.tick(present);
            at += TICK;
        }
        self.next = Some(at);
        self.flush();
    }

    fn tick(&mut self, present: Moment) {
        let mut tick = Tick {
            present,
            reader: &mut self.reader,
            tap: self.tap.as_mut(),
            sound: &mut *self.sound,
            mix: &mut self.mix,
            events: &self.events,
        };
        tick.sound.tick_begins(present.now, tick.events);
        tick.mix.clear();
        for (media, stream) in &mut self.streams {
            stream.hear(*media, &mut tick);
        }
        for (media, stream) in &mut self.streams {
            stream.say(*media, &mut tick);
            if let Some(stats) = stream.quality(present.now) {
                // The next will do when the phone has no time for this one.
                let _ = self.news.try_send((*media, MediaNews::Quality(stats)));
            }
            if let Some(overdue) = stream.poll_overdue() {
                let _ = self.news.try_send((*media, MediaNews::Overdue(overdue)));
            }
            // Moments wait in the stream while the phone is behind: half the room is for answers to its orders.
            if self.news.capacity() > self.news.max_capacity() / 2
                && let Some(silence) = stream.poll_silence()
            {
                let _ = self.news.try_send((*media, MediaNews::Silence(silence)));
            }
            stream.tell_news(*media, &self.news);
            while self.news.capacity() > self.news.max_capacity() / 2
                && let Some(digit) = stream.poll_digit()
            {
                let (digit, way) = digit;
                let _ = self.news.try_send((*media, MediaNews::Dtmf { digit, way }));
            }
        }
        self.sound.tick_ends();
    }

    fn flush(&mut self) {
        if let Some(tap) = &mut self.tap
            && let Err(e) = tap.flush()
        {
            self.events.push(Event::CaptureEnded { reason: format!("the capture cannot be written: {e}") });
        }
    }

    fn tell(&self, media: MediaId, news: MediaNews) {
        // One for each order, and of those there are fewer than the channel holds. When the phone is gone nobody asks.
        let _ = self.news.try_send((media, news));
    }
}

/// An order about one leg.
fn follow_leg(legs: &mut Legs, order: MediaOrder, (binder, trusts): (Option<&dyn Bind>, &Trusts)) {
    match order {
        MediaOrder::Connect { leg, from, to, framing, name } => {
            let tls = name.map(|name| Session::toward(trusts, &name));
            legs.connect(leg, (from, to), framing, tls, binder, clock::now());
        }
        MediaOrder::TakeStreams { at } => legs.listen(at, binder),
        MediaOrder::Channel { leg, server, number, peer } => legs.channel(leg, server, number, peer),
        MediaOrder::GoBy(leg) => legs.go_by(leg),
        MediaOrder::CloseLeg(leg) => legs.close(leg),
        _ => {}
    }
}
