//! The devices of calls: opened, refused, pulled out and opened again, in told time.

use std::time::Duration;

use super::super::LocalTones;
use super::super::fake::{Attendant, FakeDevices, attended_with};
use super::*;
use crate::counting::allocations;

const ANN: MediaId = MediaId(1);
const BOB: MediaId = MediaId(2);
const TICK: Duration = Duration::from_millis(20);

/// A device whose keeper works when the test says so.
struct Rig {
    sound: Device,
    keeper: Attendant,
    devices: FakeDevices,
    events: Events,
    now: Instant,
}

impl Rig {
    fn new() -> Self {
        Self::with(Effects::NONE)
    }

    fn with(effects: Effects) -> Self {
        let settings = Settings { tones: LocalTones::default(), effects, gains: Gains::default() };
        let (sound, keeper, devices) = attended_with(settings);
        Self { sound, keeper, devices, events: Events::default(), now: Instant::ZERO }
    }

    /// 20 ms in which the keeper does what it was asked, one stream says and hears, and the devices run.
    fn tick(&mut self) -> Frame {
        self.keeper.work();
        self.now += TICK;
        self.devices.speak([1000; FRAME]);
        let mut frame = [0; FRAME];
        self.sound.tick_begins(self.now, &self.events);
        self.sound.hear(ANN, &[500; FRAME], &self.events);
        self.sound.say(ANN, &mut frame, &self.events);
        self.sound.tick_ends();
        frame
    }

    /// As well, while no stream is there.
    fn tick_without_stream(&mut self) {
        self.keeper.work();
        self.now += TICK;
        self.sound.tick_begins(self.now, &self.events);
        self.sound.tick_ends();
    }

    fn ticks(&mut self, count: usize) -> Frame {
        (0..count).map(|_| self.tick()).last().unwrap()
    }

    fn told(&self) -> Vec<String> {
        std::iter::from_fn(|| self.events.wait(Duration::ZERO))
            .map(|event| match event {
                Event::AudioFailed { reason } => reason,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    fn asked(&self) -> (usize, usize) {
        let inner = self.devices.lock();
        (inner.microphones, inner.loudspeakers)
    }

    fn is_open(&self) -> (bool, bool) {
        let inner = self.devices.lock();
        (inner.microphone.is_some(), inner.loudspeaker.is_some())
    }
}

#[test]
fn devices_are_open_from_the_first_streams_beginning_to_the_last_ones_end() {
    let mut rig = Rig::new();
    rig.keeper.work();
    assert_eq!(rig.is_open(), (false, false));
    rig.sound.begin(ANN, &rig.events);
    rig.sound.begin(BOB, &rig.events);
    assert_eq!(rig.ticks(5), [1000; FRAME]);
    assert_eq!((rig.is_open(), rig.asked()), ((true, true), (1, 1)));
    rig.sound.end(ANN, &rig.events);
    rig.keeper.work();
    assert_eq!(rig.is_open(), (true, true));
    rig.sound.end(BOB, &rig.events);
    rig.keeper.work();
    assert_eq!(rig.is_open(), (false, false));
    rig.sound.begin(ANN, &rig.events);
    assert_eq!(rig.ticks(5), [1000; FRAME]);
    assert_eq!((rig.asked(), rig.told().len()), ((2, 2), 0));
}

#[test]
fn a_call_that_ends_while_its_devices_are_being_opened_leaves_none_open() {
    let mut rig = Rig::new();
    rig.sound.begin(ANN, &rig.events);
    rig.sound.end(ANN, &rig.events);
    rig.sound.begin(BOB, &rig.events);
    rig.ticks(5);
    assert_eq!((rig.is_open(), rig.asked()), ((true, true), (2, 2)), "the second call's");
    rig.sound.end(BOB, &rig.events);
    rig.keeper.work();
    assert_eq!(rig.is_open(), (false, false));
}

#[test]
fn two_streams_at_once_are_mixed_and_cut_to_what_the_ear_can_take() {
    let mut rig = Rig::new();
    rig.sound.begin(ANN, &rig.events);
    rig.sound.begin(BOB, &rig.events);
    rig.ticks(2);
    rig.devices.listen(32);
    for (ann, bob, both) in [(1000, -200, 800), (30_000, 30_000, i16::MAX), (-30_000, -30_000, i16::MIN)] {
        rig.sound.tick_begins(rig.now, &rig.events);
        rig.sound.hear(ANN, &[ann; FRAME], &rig.events);
        rig.sound.hear(BOB, &[bob; FRAME], &rig.events);
        rig.sound.tick_ends();
        let heard = rig.devices.listen(2000);
        assert!(heard.iter().filter(|sample| **sample == both).count() >= FRAME, "{both}");
    }
}

#[test]
fn a_microphone_that_is_refused_is_told_once_and_the_call_is_heard_in_silence() {
    let mut rig = Rig::new();
    rig.devices.lock().refuse_microphone = Some("the permission is missing".into());
    rig.sound.begin(ANN, &rig.events);
    assert_eq!(rig.ticks(3000), [0; FRAME]);
    let told = ["The microphone cannot be used: the permission is missing. Silence is sent."];
    assert_eq!((rig.told(), rig.asked()), (told.map(Into::into).to_vec(), (6, 1)));
    rig.devices.listen(32);
    rig.tick();
    assert!(rig.devices.listen(600).contains(&500), "what they say is heard");
    rig.devices.lock().refuse_microphone = None;
    rig.sound.restart();
    assert_eq!(rig.ticks(5), [1000; FRAME], "when the app says that it may be there");
}

#[test]
fn a_loudspeaker_that_is_refused_for_a_moment_is_not_worth_a_word() {
    let mut rig = Rig::new();
    rig.devices.lock().refuse_loudspeaker = Some("it is busy".into());
    rig.sound.begin(ANN, &rig.events);
    rig.ticks(3);
    rig.devices.lock().refuse_loudspeaker = None;
    rig.ticks(20);
    assert_eq!((rig.told().len(), rig.is_open(), rig.asked()), (0, (true, true), (1, 2)));
}

#[test]
fn devices_pulled_out_in_a_call_are_opened_again_at_once() {
    let mut rig = Rig::new();
    rig.sound.begin(ANN, &rig.events);
    rig.ticks(500);
    rig.devices.pull_out();
    rig.ticks(2);
    assert_eq!((rig.is_open(), rig.asked()), ((true, true), (2, 2)));
    assert_eq!((rig.ticks(5), rig.told().len()), ([1000; FRAME], 0));
}

#[test]
fn devices_that_come_and_go_are_told_and_not_chased_for_ever() {
    let mut rig = Rig::new();
    rig.sound.begin(ANN, &rig.events);
    for _ in 0..3000 {
        rig.tick();
        rig.devices.pull_out();
    }
    assert_eq!((rig.asked(), rig.told().len()), ((6, 6), 2), "one of each");
}

#[test]
fn another_route_opens_its_devices_and_the_last_wish_of_a_hasty_user_wins() {
    let mut rig = Rig::new();
    rig.sound.route(AudioRoute { input: Some(1), output: Some(2) });
    rig.keeper.work();
    assert_eq!(rig.asked(), (0, 0), "nothing is opened without a call");
    rig.sound.begin(ANN, &rig.events);
    for n in 3..20 {
        rig.sound.route(AudioRoute { input: Some(n), output: None });
    }
    rig.ticks(10);
    let number = |rig: &Rig| {
        let inner = rig.devices.lock();
        (inner.microphone.as_ref().unwrap().0, inner.loudspeaker.as_ref().unwrap().0)
    };
    assert_eq!((number(&rig), rig.asked()), ((Some(19), None), (2, 2)));
    rig.sound.route(AudioRoute { input: None, output: Some(7) });
    assert_eq!((rig.ticks(10), number(&rig)), ([1000; FRAME], (None, Some(7))));
}

#[test]
fn a_panic_in_a_platforms_library_is_a_device_that_cannot_be_opened() {
    let mut rig = Rig::new();
    rig.devices.lock().refuse_microphone = Some("panic".into());
    rig.sound.begin(ANN, &rig.events);
    rig.ticks(20);
    let told = rig.told();
    let [told] = &told[..] else { panic!("{told:?}") };
    assert!(told.starts_with("The microphone cannot be used: of an internal error at "), "{told}");
    assert!(told.contains("fake.rs"), "{told}");
}

#[test]
fn a_tone_opens_the_loudspeaker_alone_and_only_for_as_long_as_it_sounds() {
    let mut rig = Rig::new();
    rig.sound.tone(Some(Tone::Busy));
    rig.tick_without_stream();
    assert_eq!((rig.is_open(), rig.sound.sounds()), ((false, true), true));
    rig.devices.listen(32);
    (0..3).for_each(|_| rig.tick_without_stream());
    assert!(rig.devices.listen(3 * FRAME).iter().any(|sample| *sample > 3000));
    rig.sound.tone(None);
    rig.tick_without_stream();
    rig.keeper.work();
    assert_eq!((rig.is_open(), rig.sound.sounds(), rig.asked()), ((false, false), false, (0, 1)));
}

#[test]
fn a_call_that_is_answered_takes_over_the_loudspeaker_of_its_ringback() {
    let mut rig = Rig::new();
    rig.sound.tone(Some(Tone::Ringback));
    rig.tick_without_stream();
    rig.sound.begin(ANN, &rig.events);
    rig.sound.tone(None);
    assert_eq!(rig.ticks(5), [1000; FRAME]);
    assert_eq!((rig.is_open(), rig.asked()), ((true, true), (1, 1)));
    rig.sound.tone(Some(Tone::CallWaiting));
    rig.sound.end(ANN, &rig.events);
    rig.tick_without_stream();
    assert_eq!(rig.is_open(), (false, true), "and a tone that outlives its call keeps it");
}

#[test]
fn a_tone_is_mixed_with_what_calls_say() {
    let mut rig = Rig::new();
    rig.sound.begin(ANN, &rig.events);
    rig.ticks(2);
    rig.devices.listen(32);
    rig.sound.tone(Some(Tone::CallWaiting));
    rig.ticks(3);
    let heard = rig.devices.listen(3 * FRAME);
    let [least, most] = [heard.iter().min(), heard.iter().max()].map(|sample| i32::from(*sample.unwrap()));
    assert!(least < 0 && most > 1000 && (least + most - 1000).abs() < 100, "about 500: {least} {most}");
}

#[test]
fn gains_are_of_what_is_said_and_of_all_that_is_heard_together() {
    let mut rig = Rig::new();
    rig.sound.begin(ANN, &rig.events);
    rig.ticks(2);
    rig.devices.listen(32);
    rig.sound.gain(Side::Microphone, 20.0);
    rig.sound.gain(Side::Loudspeaker, -20.0);
    assert_eq!(rig.ticks(3), [10_000; FRAME]);
    for (ann, both) in [(30_000, 6000), (3000, 3300)] {
        rig.sound.tick_begins(rig.now, &rig.events);
        rig.sound.hear(ANN, &[ann; FRAME], &rig.events);
        rig.sound.hear(BOB, &[30_000; FRAME], &rig.events);
        rig.sound.tick_ends();
        assert!(rig.devices.listen(2000).contains(&both), "{both}: too loud together, and then softer");
    }
}

#[test]
fn what_the_loudspeaker_sends_into_the_microphone_is_not_said_again() {
    let said = |effects| {
        let mut rig = Rig::with(effects);
        rig.sound.begin(ANN, &rig.events);
        let (mut rng, mut frame, mut power) = (base::Rng::from_number(1), [0; FRAME], 0.0);
        for n in 0..400 {
            rig.keeper.work();
            rig.now += TICK;
            let echo: Vec<i16> = rig.devices.listen(FRAME).iter().map(|sample| sample / 2).collect();
            rig.devices.speak(echo);
            rig.sound.tick_begins(rig.now, &rig.events);
            // Loud and soft in turn, as speech is.
            let loud = if n / 10 % 2 == 0 { 8000.0 } else { 800.0 };
            let heard = std::array::from_fn(|_| ((rng.fraction() - 0.5) * loud) as i16);
            rig.sound.hear(ANN, &heard, &rig.events);
            rig.sound.say(ANN, &mut frame, &rig.events);
            rig.sound.tick_ends();
            if n >= 200 {
                power += frame.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>();
            }
        }
        power
    };
    let cancelled = said(Effects { echo_cancellation: true, ..Effects::NONE });
    let lost_db = 10.0 * (said(Effects::NONE) / cancelled.max(1.0)).log10();
    assert!(lost_db > 20.0, "{lost_db} dB");
}

#[test]
fn neither_a_tick_with_devices_nor_one_without_allocates() {
    let mut rig = Rig::new();
    rig.devices.lock().refuse_loudspeaker = Some("it is taken".into());
    rig.sound.begin(ANN, &rig.events);
    rig.ticks(2000);
    let before = allocations();
    let mut frame = [0; FRAME];
    for _ in 0..1000 {
        rig.devices.speak([1000; FRAME]);
        rig.now += TICK;
        rig.sound.tick_begins(rig.now, &rig.events);
        rig.sound.hear(ANN, &[500; FRAME], &rig.events);
        rig.sound.say(ANN, &mut frame, &rig.events);
        rig.sound.tick_ends();
    }
    assert_eq!((allocations() - before, frame), (0, [1000; FRAME]));
}
