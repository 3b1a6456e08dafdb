//! A session that is up allocates nothing per packet: counted by the allocator itself.

// An allocator cannot be written without it; it only counts and hands on to the system's.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use base::{Instant, Rng};
use offhook_media::dtmf::{self, Detector, Events, Keys};
use offhook_media::srtp::{Keys as Secrets, Suite};
use offhook_media::tones::{self, Country, Kind};
use offhook_media::{Codec, Extended, Plan, Playout, Protection, Session, opus};

struct Counting;

thread_local! {
    // By thread: the test harness allocates on its own while a test runs.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes unchanged to `System`, which upholds the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as above.
        unsafe { System.realloc(ptr, layout, size) }
    }
}

/// 20 ms at 8 kHz.
const FRAME: usize = 160;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn plan(remote: u16, codec: Codec, ptime_ms: u64) -> Plan {
    Plan {
        codecs_in: vec![(0, codec), (8, Codec::Pcma)],
        events_in: vec![(101, 8000)],
        events_out: Some((101, Events::TONES)),
        ptime: Duration::from_millis(ptime_ms),
        remote: Some(([127, 0, 0, 1], remote).into()),
        ..Plan::of(0, codec)
    }
}

/// The same under keys; both sides have one, which is good enough to count.
fn protected(plan: Plan, suite: Suite) -> Plan {
    let keys = Secrets::random(suite, &mut Rng::from_number(3));
    Plan { protection: Protection::Keyed { send: keys.clone(), receive: keys }, ..plan }
}

/// Packets that lie: cut off, of another source, with odd padding or extension, far ahead, again, late, of any length.
fn lies(listener: &mut Session, n: u64) {
    let from = ([127, 0, 0, 1], 9).into();
    let mut bytes = [0x55; 300];
    let number = [n as u16, 7 * n as u16, 30_000, n as u16 / 2][n as usize % 4].to_be_bytes();
    bytes[..12].copy_from_slice(&[0x80, 0, number[0], number[1], 0, n as u8, 1, 64, 0, 0, 0, 9]);
    bytes[0] |= [0, 0, 0x20, 0x1f][n as usize / 4 % 4];
    bytes[11] += u8::from(n.is_multiple_of(9));
    let length = [12, 13, 172, 300, 7][n as usize % 5];
    listener.packet(&bytes[..length], from, n.is_multiple_of(13), Instant::from_millis(n * 20), n << 27);
}

/// One frame one way, with the report that is due, and now and then a digit; every eleventh packet is lost, every seventh
/// comes twice. How many digits were heard.
fn beat(speaker: &mut Session, listener: &mut Session, port: u16, n: u64, keys: &Keys) -> u64 {
    let (now, wall) = (Instant::from_millis(n * 20), n << 27);
    let from = ([127, 0, 0, 1], port).into();
    let mut next = speaker.captured(&[n as i16; FRAME], now);
    while let Some(out) = next {
        for _ in 0..usize::from(!n.is_multiple_of(11)) + usize::from(n.is_multiple_of(7)) {
            listener.packet(out.bytes, from, false, now, wall);
        }
        next = speaker.next_packet();
    }
    if let Some(out) = speaker.rtcp(now, wall) {
        listener.packet(out.bytes, from, false, now, wall);
    }
    listener.packet(&[0x80; 7], from, false, now, wall);
    if n % 100 == 40 {
        speaker.press(keys);
    }
    speaker.playout(&mut [0; FRAME], now);
    speaker.stats();
    u64::from(listener.poll_digit().is_some())
}

#[test]
fn a_session_under_keys_allocates_nothing_per_packet() {
    for suite in [Suite::AesCm128Sha1_80, Suite::AesCm256Sha1_32, Suite::AesGcm128, Suite::AesGcm256] {
        let plan = |port| protected(plan(port, Codec::Pcmu, 20), suite);
        let mut a = Session::new(plan(2), 8000, Rng::from_number(1), Instant::ZERO);
        let mut b = Session::new(plan(1), 8000, Rng::from_number(2), Instant::ZERO);
        let seven = Keys::read("7").unwrap();
        let mut both = |n| {
            beat(&mut a, &mut b, 1, n, &seven);
            beat(&mut b, &mut a, 2, n, &seven);
            lies(&mut a, n);
        };
        (0..5).for_each(&mut both);
        let before = ALLOCATIONS.get();
        (5..5000).for_each(&mut both);
        assert_eq!(ALLOCATIONS.get() - before, 0, "{suite:?}");
        let stats = a.stats();
        assert!(stats.received > 1000 && stats.refused > 1000 && stats.round_trip.is_some(), "{stats:?}");
    }
}

#[test]
fn a_session_that_is_up_allocates_nothing_per_packet() {
    let codecs = Codec::ALL.into_iter().filter(|codec| *codec != Codec::Opus);
    for (codec, ptime) in codecs.flat_map(|codec| [10, 20, 60].map(|ptime| (codec, ptime))) {
        let mut a = Session::new(plan(2, codec, ptime), 8000, Rng::from_number(1), Instant::ZERO);
        let mut b = Session::new(plan(1, codec, ptime), 8000, Rng::from_number(2), Instant::ZERO);
        let (seven, mut digits) = (Keys::read("7").unwrap(), 0);
        let mut both = |n| {
            digits += beat(&mut a, &mut b, 1, n, &seven);
            digits += beat(&mut b, &mut a, 2, n, &seven);
        };
        (0..5).for_each(&mut both);
        let before = ALLOCATIONS.get();
        (5..5000).for_each(&mut both);
        assert_eq!(ALLOCATIONS.get() - before, 0, "{codec:?}, {ptime} ms a packet");
        assert_eq!(digits, 100, "one in a hundred frames, each way");
        assert!(a.stats().received > 1000 && a.stats().lost > 100 && a.stats().round_trip.is_some());
    }
}

/// Loss, bursts of it, jitter, a stall and a change of codec in the middle.
#[test]
fn the_playout_allocates_nothing_whatever_the_network_does() {
    let codecs = [Codec::Pcma, Codec::Gsm, Codec::G722, Codec::G729];
    let mut decoders: Vec<_> = (0..).zip(codecs.map(Codec::decoder)).collect();
    let payloads = codecs.map(|codec| {
        let samples = codec.sample_rate() as usize / 50;
        let frame: Vec<i16> = (0..samples).map(|n| (n * 37 % 90 * 100) as i16).collect();
        let mut payload = Vec::new();
        codec.encoder(false).encode(&frame, &mut payload);
        payload
    });
    let mut playout = Playout::new();
    let mut frame = [0; 320];
    let before = ALLOCATIONS.get();
    let mut dice = Rng::from_number(3);
    for n in 0..10_000u32 {
        let which = n as usize / 500 % codecs.len();
        let rate = codecs[which].sample_rate();
        let stall = if n % 700 > 680 { 700 - n % 700 } else { 0 };
        let at = u64::from(1000 + n * 20 + stall * 20) + dice.bits() % 40;
        if !n.is_multiple_of(9) && n % 100 < 95 {
            playout.set_rates(8000, rate);
            let samples = rate as usize / 50;
            playout.insert(n * 160, samples, which, &payloads[which], Instant::from_millis(at));
        }
        let frame = &mut frame[..playout.sample_rate() as usize / 50];
        playout.pull(frame, &mut decoders, Instant::from_millis(u64::from(1000 + n * 20)));
    }
    assert_eq!(ALLOCATIONS.get() - before, 0);
    let figures = playout.figures();
    assert!(figures.concealments > 800 && figures.accelerated > Duration::from_secs(1), "{figures:?}");
}

#[test]
fn a_session_that_is_lied_to_allocates_nothing_either() {
    let extended = Extended { metrics: true, round_trip: true };
    let mut session =
        Session::new(Plan { extended, ..plan(9, Codec::Pcmu, 20) }, 8000, Rng::from_number(1), Instant::ZERO);
    let mut beat = |n: u64| {
        lies(&mut session, n);
        let now = Instant::from_millis(n * 20);
        session.captured(&[5; FRAME], now);
        session.rtcp(now, n << 27);
        session.playout(&mut [0; FRAME], now);
    };
    (0..5).for_each(&mut beat);
    let before = ALLOCATIONS.get();
    (5..5000).for_each(&mut beat);
    assert_eq!(ALLOCATIONS.get() - before, 0);
    let stats = session.stats();
    assert!(stats.received > 100 && stats.malformed > 100 && stats.strangers > 100, "{stats:?}");
}

#[test]
fn tones_and_the_listener_for_them_allocate_nothing_per_frame() {
    let keys = Keys::read("1234567890*#ABCD").unwrap();
    let (mut pressed, mut detector) = (dtmf::Tones::default(), Detector::default());
    let mut ringback = tones::Tones::new(Country::of("GB"), Kind::Ringback);
    let (mut frame, mut heard) = ([0; FRAME], 0);
    pressed.press(&keys);
    let before = ALLOCATIONS.get();
    for _ in 0..16 * 10 {
        ringback.fill(&mut frame, 8000);
        pressed.fill(&mut frame, 8000);
        detector.feed(&frame, |_| heard += 1);
    }
    assert_eq!((ALLOCATIONS.get() - before, heard), (0, 16));
}

/// Not ours to mend: the crate behind it takes and gives back a little memory. This holds it to as little.
#[test]
fn opus_that_is_up_decodes_without_allocating_and_does_the_rest_with_a_handful() {
    let mut encoder = opus::Encoder::new(16_000);
    encoder.told_loss(10);
    let mut decoder = opus::Decoder::new(16_000);
    let (mut payload, mut out) = (Vec::with_capacity(1500), [0; 320]);
    let [mut encoding, mut decoding, mut concealing] = [0; 3];
    for n in 0..1000 {
        let frame = std::array::from_fn::<i16, 320, _>(|i| (((n * 320 + i) * (i % 80)) % 9000) as i16);
        payload.clear();
        let began = ALLOCATIONS.get();
        encoder.encode(&frame, &mut payload);
        let encoded = ALLOCATIONS.get();
        let made = match n % 10 {
            3 => decoder.conceal(None, &mut out),
            7 => decoder.conceal(Some(&payload), &mut out),
            _ => decoder.decode(&payload, &mut out),
        };
        assert_eq!(made, 320);
        if n >= 50 {
            let step = if matches!(n % 10, 3 | 7) { &mut concealing } else { &mut decoding };
            *step = ALLOCATIONS.get().max(encoded + *step) - encoded;
            encoding = encoding.max(encoded - began);
        }
    }
    assert!(
        encoding <= 3 && decoding == 0 && concealing <= 4,
        "{encoding} {decoding} {concealing} in one frame"
    );
}
