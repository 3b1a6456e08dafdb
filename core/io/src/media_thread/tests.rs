//! The media thread over loopback, at the pace of real audio: a few ticks each.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;

use media::{Codec, Direction, Plan};
use phone::CallId;

use super::*;
use crate::audio::{Attendant, FRAME, FakeDevices, Files, Gains, attended};
use crate::capture::Capture;
use crate::counting::allocations;

const MEDIA: MediaId = MediaId(1);
const CALL: CallId = CallId(7);

struct Rig {
    orders: Option<Sender>,
    thread: Option<JoinHandle<()>>,
    news: mpsc::Receiver<News>,
    events: Arc<Events>,
    peer: UdpSocket,
}

impl Rig {
    fn new(play: Option<PathBuf>, record: Option<PathBuf>) -> Self {
        let sound = Box::new(Files::new(play, record, Gains::default()));
        let events = Arc::new(Events::default());
        let (sender, news) = mpsc::channel(64);
        let bind = vec![Ipv4Addr::LOCALHOST.into()];
        let config = Config {
            bind,
            sound,
            tap: None,
            binder: None,
            trusts: Trusts::default(),
            rng: Rng::from_number(1),
        };
        let (orders, thread) = spawn(config, Arc::clone(&events), sender).unwrap();
        let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        Self { orders: Some(orders), thread: Some(thread), news, events, peer }
    }

    fn order(&self, order: MediaOrder) {
        self.tell(ToMedia::Order { media: MEDIA, order });
    }

    fn tell(&self, told: ToMedia) {
        self.orders.as_ref().unwrap().send(told);
    }

    fn prepare(&mut self) -> SocketAddr {
        self.order(MediaOrder::Prepare {
            call: CALL,
            toward: Some(Ipv4Addr::LOCALHOST.into()),
            network: NetworkId::SYSTEM,
        });
        match self.news.blocking_recv() {
            Some((MEDIA, MediaNews::Ready { local })) => local,
            other => panic!("{other:?} where a stream should be ready"),
        }
    }

    fn plan(&self) -> Plan {
        plan(self.peer.local_addr().unwrap())
    }

    /// The next RTP packet that the peer gets.
    fn hear(&self) -> (Vec<u8>, SocketAddr) {
        let mut room = [0; 1500];
        loop {
            let (length, from) = self.peer.recv_from(&mut room).expect("a packet in time");
            if !media::rtp::is_rtcp(&room[..length]) {
                return (room[..length].to_vec(), from);
            }
        }
    }

    fn stop(&mut self) {
        self.orders = None;
        self.thread.take().unwrap().join().unwrap();
    }
}

fn plan(remote: SocketAddr) -> Plan {
    Plan { remote: Some(remote), ..Plan::of(0, Codec::Pcmu) }
}

#[test]
fn an_open_stream_sends_a_packet_each_tick_and_records_what_comes() {
    let dir = tempfile::tempdir().unwrap();
    let heard = dir.path().join("heard.wav");
    let mut rig = Rig::new(None, Some(heard.clone()));
    let local = rig.prepare();
    rig.order(MediaOrder::Open(rig.plan()));
    for _ in 0..25 {
        let (mut packet, from) = rig.hear();
        assert_eq!((packet.len(), from), (12 + 160, local));
        packet[8] ^= 1; // another source
        packet[12..].fill(0x10); // loud
        rig.peer.send_to(&packet, local).unwrap();
    }
    rig.order(MediaOrder::Close { call: CallId(7) });
    rig.stop();
    let last = std::iter::from_fn(|| rig.events.wait(Duration::ZERO)).last();
    let Some(Event::Phone(phone::Event::Quality { call: CallId(7), stats })) = last else {
        panic!("the last figures, not {last:?}")
    };
    assert!(stats.sent >= 25, "{stats:?}");
    let samples = std::fs::read(heard).unwrap();
    let loud = samples[44..].chunks(2).filter(|s| i16::from_le_bytes([s[0], s[1]]).abs() > 10_000).count();
    assert!(loud > 10 * FRAME, "{loud} samples of what the peer said");
}

/// Somebody who says back what they hear.
fn echo() -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let at = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut room = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut room) {
            if length == 0 || socket.send_to(&room[..length], from).is_err() {
                break;
            }
        }
    });
    at
}

#[test]
fn what_is_asked_before_a_call_is_up_waits_for_no_tick() {
    let mut rig = Rig::new(None, None);
    rig.prepare();
    rig.order(MediaOrder::Listen);
    let server = echo();
    let mut took: Vec<Duration> = (0..21)
        .map(|n| {
            let asked = clock::now();
            // STUN by its first byte.
            let bytes = vec![0, 1, n].into();
            rig.order(MediaOrder::Tell { leg: nat::path::Leg::FIRST, to: server, bytes });
            let news = rig.news.blocking_recv();
            assert!(matches!(&news, Some((MEDIA, MediaNews::Told { from, bytes, .. })) if *from == server && bytes[2] == n));
            clock::now().since(asked)
        })
        .collect();
    took.sort();
    assert!(took[10] < TICK / 2, "{took:?}");
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().send_to(&[], server).unwrap();
    rig.stop();
}

#[test]
fn reports_with_a_port_of_their_own_go_by_their_own_route_whatever_the_sounds_is() {
    use nat::path::{Leg, Route, Target};
    for checked in [false, true] {
        let mut rig = Rig::new(None, None);
        let local = rig.prepare();
        let control = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        control.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let to = control.local_addr().unwrap();
        rig.order(MediaOrder::Listen);
        let route =
            |leg, to| Route::Checked { target: Some(Target { leg, to, relay: None }), admitted: Vec::new() };
        rig.order(MediaOrder::Route(route(Leg::FIRST, rig.peer.local_addr().unwrap())));
        let mut plan = Plan { rtcp_mux: false, ..rig.plan() };
        if checked {
            rig.order(MediaOrder::ControlRoute(route(Leg::FIRST.control(), to)));
        } else {
            plan.remote_rtcp = Some(to);
        }
        rig.order(MediaOrder::Open(plan));
        assert_eq!(rig.hear().1, local);
        // The last report goes at once.
        rig.order(MediaOrder::Close { call: CALL });
        let mut room = [0; 1500];
        let (length, from) = control.recv_from(&mut room).expect("a goodbye");
        assert!(media::rtp::is_rtcp(&room[..length]));
        assert_eq!((from.ip(), from.port()), (local.ip(), local.port() + 1));
        rig.stop();
    }
}

#[test]
fn a_muted_or_held_stream_goes_on_as_it_is_told() {
    let mut rig = Rig::new(None, None);
    rig.prepare();
    rig.order(MediaOrder::Mute(true));
    rig.order(MediaOrder::Open(Plan { direction: Direction::Inactive, ..rig.plan() }));
    rig.order(MediaOrder::Change(rig.plan()));
    assert_eq!(rig.hear().0[12..], [0xff; 160], "silence, in mu-law");
    rig.stop();
}

#[test]
fn a_panic_fails_its_streams_and_the_next_call_works() {
    let mut rig = Rig::new(None, None);
    rig.prepare();
    rig.tell(ToMedia::Panic);
    assert!(matches!(rig.news.blocking_recv(), Some((MEDIA, MediaNews::Failed { .. }))));
    let Some(Event::Restarted { thread: "media", story }) = rig.events.wait(Duration::from_secs(5)) else {
        panic!("told");
    };
    assert!(story.contains("media_thread/mod.rs"), "{story}");
    rig.prepare();
    rig.order(MediaOrder::Open(rig.plan()));
    rig.hear();
    rig.stop();
}

#[test]
fn a_family_without_a_network_is_a_sentence() {
    let mut rig = Rig::new(None, None);
    rig.order(MediaOrder::Prepare {
        call: CALL,
        toward: Some("2001:db8::1".parse().unwrap()),
        network: NetworkId::SYSTEM,
    });
    let Some((_, MediaNews::Failed { reason })) = rig.news.blocking_recv() else { panic!("failed") };
    assert_eq!(reason, "there is no IPv6 network for the audio");
    rig.stop();
}

/// One side of a call by devices, without a thread: its time is told.
struct Side {
    desk: Desk,
    attendant: Attendant,
    devices: FakeDevices,
    events: Arc<Events>,
    news: mpsc::Receiver<News>,
}

impl Side {
    fn new() -> Self {
        let (sound, attendant, devices) = attended();
        let (sender, news) = mpsc::channel(64);
        let bind = vec![Ipv4Addr::LOCALHOST.into()];
        let rng = Rng::from_number(1);
        let config =
            Config { bind, sound: Box::new(sound), tap: None, binder: None, trusts: Trusts::default(), rng };
        let events = Arc::new(Events::default());
        Self { desk: Desk::new(config, Arc::clone(&events), sender), attendant, devices, events, news }
    }

    fn prepare(&mut self) -> SocketAddr {
        self.desk.follow(MEDIA, MediaOrder::Prepare { call: CALL, toward: None, network: NetworkId::SYSTEM });
        match self.news.try_recv() {
            Ok((MEDIA, MediaNews::Ready { local })) => local,
            other => panic!("{other:?} where a stream should be ready"),
        }
    }

    /// What the other side has sent is there when it is looked for.
    fn tick(&mut self, present: Moment, sent: bool) {
        if sent {
            self.desk.streams[&MEDIA].await_packet();
        }
        self.attendant.work();
        self.desk.tick(present);
    }
}

/// A call in which Ann speaks and Bob listens, 10 ms at a time.
struct Talk {
    ann: Side,
    bob: Side,
    present: Moment,
    pieces: usize,
}

impl Talk {
    fn begin() -> Self {
        let (mut ann, mut bob) = (Side::new(), Side::new());
        let (at_ann, at_bob) = (ann.prepare(), bob.prepare());
        ann.desk.follow(MEDIA, MediaOrder::Open(plan(at_bob)));
        bob.desk.follow(MEDIA, MediaOrder::Open(plan(at_ann)));
        // So far from the kernel's clock that its stamps are not believed: a packet came when it was read.
        let wall = clock::wall() + Duration::from_secs(3600);
        Self { ann, bob, present: Moment { now: clock::now(), wall }, pieces: 0 }
    }

    /// Ann says these samples; what Bob hears meanwhile.
    fn say(&mut self, samples: &[i16]) -> Vec<i16> {
        let mut heard = Vec::new();
        for piece in samples.chunks(FRAME / 2) {
            self.ann.devices.speak(piece.iter().copied());
            heard.extend(self.bob.devices.listen(FRAME / 2));
            self.pieces += 1;
            if self.pieces.is_multiple_of(2) {
                self.present.now += TICK;
                self.present.wall += TICK;
                self.ann.tick(self.present, self.pieces > 2);
                self.bob.tick(self.present, true);
            }
        }
        heard
    }
}

#[test]
fn what_is_said_into_one_phones_microphone_is_heard_in_order_from_the_others_loudspeaker() {
    let mut talk = Talk::begin();
    let levels: Vec<i16> = (1..=100).map(|n| media::g711::from_mu_law(0xff - n)).collect();
    talk.say(&[0; 10 * FRAME]);
    let steps: Vec<i16> =
        levels.iter().flat_map(|level| [*level; FRAME / 2]).chain([0; 20 * FRAME]).collect();
    let heard = talk.say(&steps);
    // The way to the codec's rate and back rounds.
    let near = |sample: i16, level: i16| sample.abs_diff(level) <= 2 + level.unsigned_abs() / 200;
    let first = |level: &i16| heard.iter().position(|sample| near(*sample, *level));
    let firsts: Vec<usize> = levels.iter().filter_map(first).collect();
    assert!(firsts.len() == levels.len() && firsts.is_sorted(), "{} {firsts:?}", heard.len());
}

#[test]
fn a_headset_pulled_out_in_a_call_ends_neither_the_call_nor_the_sound() {
    let mut talk = Talk::begin();
    let loud = |heard: &[i16]| heard.iter().filter(|sample| **sample > 8000).count();
    assert!(loud(&talk.say(&vec![10_000; 30 * FRAME])) > 1600);
    talk.ann.devices.pull_out();
    talk.bob.devices.pull_out();
    assert!(loud(&talk.say(&vec![10_000; 50 * FRAME])) > 1600);
    assert!(talk.ann.devices.lock().microphones >= 2 && talk.bob.devices.lock().loudspeakers >= 2);
    assert!(talk.ann.events.wait(Duration::ZERO).is_none(), "nothing to tell");
}

#[test]
fn a_tone_needs_ticks_of_its_own_and_no_more_when_it_is_over() {
    let mut side = Side::new();
    side.desk.told(ToMedia::Tone(Some(Tone::Congestion)));
    assert!(side.desk.next.is_some());
    let mut present = Moment::read();
    let mut heard = 0;
    for _ in 0..10 {
        present.now += TICK;
        side.attendant.work();
        side.desk.tick(present);
        heard += side.devices.listen(FRAME).iter().filter(|sample| **sample > 1000).count();
    }
    assert!(heard > FRAME, "{heard}");
    side.desk.told(ToMedia::Tone(None));
    side.desk.tick(present);
    side.desk.ticks();
    assert!(side.desk.next.is_none(), "and it sleeps");
}

#[test]
fn a_tick_receives_plays_records_captures_and_sends_without_allocating() {
    let dir = tempfile::tempdir().unwrap();
    let speech = dir.path().join("speech.wav");
    let mut writer = media::wav::Writer::new(std::fs::File::create(&speech).unwrap(), 8000).unwrap();
    writer.write(&[1000; 8000]).unwrap();
    drop(writer);
    let capture = Capture::create(&dir.path().join("wire.pcapng"), false).unwrap();
    let (news, _kept) = mpsc::channel(64);
    let config = Config {
        bind: vec![Ipv4Addr::LOCALHOST.into()],
        sound: Box::new(Files::new(Some(speech), Some(dir.path().join("heard.wav")), Gains::default())),
        tap: Some(capture.tap()),
        binder: None,
        trusts: Trusts::default(),
        rng: Rng::from_number(1),
    };
    let mut desk = Desk::new(config, Arc::default(), news);
    let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    desk.follow(MEDIA, MediaOrder::Prepare { call: CALL, toward: None, network: NetworkId::SYSTEM });
    desk.follow(MEDIA, MediaOrder::Open(plan(peer.local_addr().unwrap())));
    let (mut room, mut before) = ([0; 1500], 0);
    for tick in 0..90 {
        if tick == 10 {
            before = allocations(); // everything has been done once
        }
        let present = Moment::read(); // as the packets are stamped
        desk.tick(present);
        desk.flush();
        let (length, from) = peer.recv_from(&mut room).unwrap();
        room[8] ^= 1;
        peer.send_to(&room[..length], from).unwrap();
    }
    assert_eq!(allocations() - before, 0);
}

/// Somebody who says one level all the time, in RTP.
struct Hummer {
    socket: UdpSocket,
    /// In mu-law.
    code: u8,
    sent: u16,
}

impl Hummer {
    fn new(level: i16) -> Self {
        let off = |code: &u8| (i32::from(media::g711::from_mu_law(*code)) - i32::from(level)).abs();
        let code = (0..=u8::MAX).min_by_key(off).unwrap();
        Self { socket: UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(), code, sent: 0 }
    }

    fn hum(&mut self, to: SocketAddr) {
        let timestamp = u32::from(self.sent) * 160;
        let ssrc = self.code.into();
        let header =
            media::rtp::Header { marker: false, payload_type: 0, sequence: self.sent, timestamp, ssrc };
        let mut packet = header.write().to_vec();
        packet.resize(packet.len() + 160, self.code);
        self.socket.send_to(&packet, to).unwrap();
        self.sent += 1;
    }

    /// The loudest sample of the next packet that it gets.
    fn hears(&self) -> i16 {
        let mut room = [0; 1500];
        loop {
            let (length, _) = self.socket.recv_from(&mut room).unwrap();
            if !media::rtp::is_rtcp(&room[..length]) {
                let samples = room[12..length].iter().map(|code| media::g711::from_mu_law(*code));
                return samples.max_by_key(|sample| sample.unsigned_abs()).unwrap();
            }
        }
    }
}

/// Ann's calls with those who hum these levels, in a conference; her microphone is at 1000.
struct Conference {
    desk: Desk,
    present: Moment,
    hummers: [Hummer; 3],
    locals: [SocketAddr; 3],
    _news: mpsc::Receiver<News>,
    _dir: tempfile::TempDir,
}

impl Conference {
    fn of(levels: [i16; 3]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let speech = dir.path().join("speech.wav");
        let mut writer = media::wav::Writer::new(std::fs::File::create(&speech).unwrap(), 8000).unwrap();
        writer.write(&[1000; 8000]).unwrap();
        drop(writer);
        let (sender, mut news) = mpsc::channel(64);
        let sound = Box::new(Files::new(Some(speech), None, Gains::default()));
        let (bind, rng) = (vec![Ipv4Addr::LOCALHOST.into()], Rng::from_number(1));
        let config = Config { bind, sound, tap: None, binder: None, trusts: Trusts::default(), rng };
        let mut desk = Desk::new(config, Arc::default(), sender);
        let hummers = levels.map(Hummer::new);
        let locals = [1, 2, 3].map(|n| {
            desk.follow(
                MediaId(n),
                MediaOrder::Prepare { call: CallId(n), toward: None, network: NetworkId::SYSTEM },
            );
            let hummer = &hummers[n as usize - 1];
            desk.follow(MediaId(n), MediaOrder::Open(plan(hummer.socket.local_addr().unwrap())));
            desk.follow(MediaId(n), MediaOrder::Mix(true));
            match news.try_recv() {
                Ok((_, MediaNews::Ready { local })) => local,
                other => panic!("{other:?} where a stream should be ready"),
            }
        });
        let wall = clock::wall() + Duration::from_secs(3600);
        let present = Moment { now: clock::now(), wall };
        Self { desk, present, hummers, locals, _news: news, _dir: dir }
    }

    /// What each is told, after a second of humming.
    fn heard(&mut self) -> [i16; 3] {
        self.heard_in(50)
    }

    fn heard_in(&mut self, ticks: usize) -> [i16; 3] {
        let mut heard = [0; 3];
        for _ in 0..ticks {
            for (hummer, local) in self.hummers.iter_mut().zip(self.locals) {
                hummer.hum(local);
            }
            self.desk.streams.values().for_each(Stream::await_packet);
            self.present.now += TICK;
            self.present.wall += TICK;
            self.desk.tick(self.present);
            heard = [0, 1, 2].map(|n| self.hummers[n].hears());
        }
        heard
    }
}

fn close_to(found: [i16; 3], wanted: [i32; 3]) {
    let off = |(found, wanted): (&i16, &i32)| (i32::from(*found) - wanted).abs() * 20 > wanted.abs() + 200;
    assert!(!found.iter().zip(&wanted).any(off), "{found:?} where {wanted:?} should be heard");
}

#[test]
fn in_a_conference_each_hears_the_microphone_and_all_others_and_not_itself() {
    let mut conference = Conference::of([2000, 4000, 8000]);
    close_to(conference.heard(), [13_000, 11_000, 7000]);
    let before = allocations();
    conference.desk.tick(conference.present);
    assert_eq!(allocations() - before, 0);
    conference.hummers.iter().for_each(|hummer| assert_ne!(hummer.hears(), 0));

    conference.desk.follow(MediaId(1), MediaOrder::Mute(true));
    close_to(conference.heard(), [12_000, 11_000, 7000]);
    conference.desk.follow(MediaId(1), MediaOrder::Mix(false));
    close_to(conference.heard(), [0, 9000, 5000]);
}

#[test]
fn a_call_is_recorded_from_when_it_is_asked_for_until_it_ends() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("call.wav");
    let mut conference = Conference::of([2000, 4000, 8000]);
    let desk = &mut conference.desk;
    let record =
        |call| ToMedia::Record { call: CallId(call), path: path.clone(), options: RecordOptions::default() };
    desk.told(record(1));
    // Neither a second of the same call nor a second to the same file, and none of a call that is not there.
    desk.told(record(2));
    let elsewhere = dir.path().join("other.wav");
    for call in [1, 9] {
        let (call, path) = (CallId(call), elsewhere.clone());
        desk.told(ToMedia::Record { call, path, options: RecordOptions { beep: true } });
    }
    let reasons: Vec<String> = std::iter::from_fn(|| desk.events.wait(Duration::ZERO))
        .filter_map(|event| match event {
            Event::RecordingEnded { reason, .. } => Some(reason),
            _ => None,
        })
        .collect();
    let whys = ["another recording is", "the call is being recorded already", "the call has no sound"];
    assert!(reasons.len() == 3 && reasons.iter().zip(whys).all(|(r, why)| r.contains(why)), "{reasons:?}");
    assert!(!elsewhere.exists());

    conference.heard();
    let before = allocations();
    conference.desk.tick(conference.present);
    assert_eq!(allocations() - before, 0, "while it is recorded");
    conference.desk.follow(MediaId(1), MediaOrder::Close { call: CallId(1) });
    conference.desk.recorder.wait();
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(bytes.len(), 44 + 51 * FRAME * 4, "51 ticks of two samples each");
    // Its microphone and the two others on the left, itself on the right.
    let at = 44 + 40 * FRAME * 4;
    let sample = |at: usize| i16::from_le_bytes([bytes[at], bytes[at + 1]]);
    close_to([sample(at), sample(at + 2), 0], [13_000, 2000, 0]);
}

#[test]
fn all_in_a_conference_hear_that_one_of_them_is_recorded_and_nobody_beeps_on_hold() {
    let dir = tempfile::tempdir().unwrap();
    let mut conference = Conference::of([0, 0, 0]);
    let path = dir.path().join("call.wav");
    let options = RecordOptions { beep: true };
    conference.desk.follow(MediaId(1), MediaOrder::Mute(true));
    conference.desk.told(ToMedia::Record { call: CallId(1), path, options });
    let loudest = |conference: &mut Conference, ticks: usize| {
        let mut most = [0_u16; 3];
        for _ in 0..ticks {
            conference
                .heard_in(1)
                .iter()
                .zip(&mut most)
                .for_each(|(s, most)| *most = s.unsigned_abs().max(*most));
        }
        most
    };
    let heard = loudest(&mut conference, 10);
    assert!(heard.iter().all(|level| *level > 2000), "{heard:?}");
    loudest(&mut conference, 2); // its last samples are on their way
    let heard = loudest(&mut conference, 10);
    assert!(heard[0] < 500, "{heard:?}");
    let to = conference.hummers[0].socket.local_addr().unwrap();
    let held = Plan { direction: Direction::SendOnly, ..plan(to) };
    conference.desk.follow(MediaId(1), MediaOrder::Mix(false));
    conference.desk.follow(MediaId(1), MediaOrder::Change(held));
    let heard = loudest(&mut conference, 760);
    assert!(heard[0] < 500, "{heard:?}");
}
