//! Samples between a device's callback and the media thread: one ring each way, without locks.
//!
//! The callback's end takes and gives samples at the device's rate, one by one; the media thread's end 20 ms at a time, at
//! ours. What a gap leaves unsaid fades out instead of breaking off. Nothing here allocates once it is made. Knows neither
//! which device it is nor what is said.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

use media::{Decimator, Interpolator};
use rtrb::{Consumer, Producer, RingBuffer};

use super::pace::{BIT, Pace, Step, stretch};
use super::{FRAME, PER_MS, RATE};

/// A second and a bit: more than any device gives or takes at once.
const CAPACITY: usize = 1024 * PER_MS;

/// How the sound devices did, since the phone began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AudioStats {
    /// Times that the microphone gave too little: silence was said.
    pub said_gaps: u64,
    /// Times that the loudspeaker was given too little: silence was heard.
    pub heard_gaps: u64,
    /// Samples at 16 kHz dropped after a stall.
    pub dropped: u64,
    /// Samples at 16 kHz put in or left out, two in a frame, to follow the devices' clocks.
    pub stretched: u64,
    /// Devices opened.
    pub opened: u64,
}

/// The same, written by the media thread and read by the app.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(super) said_gaps: AtomicU64,
    pub(super) heard_gaps: AtomicU64,
    pub(super) dropped: AtomicU64,
    pub(super) stretched: AtomicU64,
    pub(super) opened: AtomicU64,
}

impl Counters {
    pub(crate) fn read(&self) -> AudioStats {
        AudioStats {
            said_gaps: self.said_gaps.load(Relaxed),
            heard_gaps: self.heard_gaps.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            stretched: self.stretched.load(Relaxed),
            opened: self.opened.load(Relaxed),
        }
    }
}

/// What both ends know of the device.
#[derive(Debug, Default)]
struct State {
    lost: AtomicBool,
    running: AtomicBool,
    /// The most samples at our rate that the device gave or took at once since the last look.
    burst: AtomicUsize,
    /// Samples that a loudspeaker wanted and the ring did not have.
    starved: AtomicU64,
}

/// Says that a device is gone: for callbacks that have nothing else.
#[derive(Clone, Debug)]
pub(crate) struct Loss(Arc<State>);

impl Loss {
    pub(crate) fn tell(&self) {
        self.0.lost.store(true, Relaxed);
    }
}

/// The callback's end of a microphone's ring.
#[derive(Debug)]
pub(crate) struct MicrophoneEnd {
    ring: Producer<i16>,
    state: Arc<State>,
    to_ours: Decimator,
}

impl MicrophoneEnd {
    /// Set to a device's rate; `None` for one that is no whole multiple of ours.
    pub(crate) fn at(self, rate: u32) -> Option<Self> {
        Some(Self { to_ours: Decimator::new(rate, RATE)?, ..self })
    }

    pub(crate) fn loss(&self) -> Loss {
        Loss(Arc::clone(&self.state))
    }

    /// Takes what the device heard. What the ring cannot hold is lost.
    pub(crate) fn give(&mut self, samples: impl IntoIterator<Item = i16>) {
        let mut burst = 0;
        for sample in samples.into_iter().filter_map(|sample| self.to_ours.feed(sample)) {
            let _ = self.ring.push(sample);
            burst += 1;
        }
        self.state.burst.fetch_max(burst, Relaxed);
    }
}

/// The callback's end of a loudspeaker's ring.
#[derive(Debug)]
pub(crate) struct LoudspeakerEnd {
    source: Source,
    from_ours: Interpolator,
    rate: u32,
}

#[derive(Debug)]
struct Source {
    ring: Consumer<i16>,
    state: Arc<State>,
    last: i16,
}

impl LoudspeakerEnd {
    /// As for a microphone.
    pub(crate) fn at(self, rate: u32) -> Option<Self> {
        Some(Self { from_ours: Interpolator::new(RATE, rate)?, rate, ..self })
    }

    pub(crate) fn loss(&self) -> Loss {
        Loss(Arc::clone(&self.source.state))
    }

    /// The next so many samples for the device.
    pub(crate) fn take(&mut self, count: usize) -> impl Iterator<Item = i16> {
        let state = &self.source.state;
        state.running.store(true, Relaxed);
        state.burst.fetch_max(count.div_ceil((self.rate / RATE) as usize), Relaxed);
        (0..count).map(|_| self.from_ours.pull(|| self.source.next()))
    }
}

impl Source {
    fn next(&mut self) -> i16 {
        if let Ok(sample) = self.ring.pop() {
            self.last = sample;
        } else {
            self.state.starved.fetch_add(1, Relaxed);
            self.last = faded(self.last);
        }
        self.last
    }
}

/// The media thread's end of a microphone's ring.
#[derive(Debug)]
pub(super) struct Microphone {
    ring: Consumer<i16>,
    state: Arc<State>,
    pace: Pace,
    /// Gathering a cushion: at the beginning, and after a gap.
    dry: bool,
    last: i16,
}

pub(super) fn microphone() -> (Microphone, MicrophoneEnd) {
    let (producer, ring) = RingBuffer::new(CAPACITY);
    let state = Arc::<State>::default();
    let to_ours = Decimator::new(RATE, RATE).expect("our own rate is known");
    let end = MicrophoneEnd { ring: producer, state: Arc::clone(&state), to_ours };
    (Microphone { ring, state, pace: Pace::new(), dry: true, last: 0 }, end)
}

impl Microphone {
    pub(super) fn is_lost(&self) -> bool {
        self.state.lost.load(Relaxed)
    }

    /// The next 20 ms to say.
    pub(super) fn take(&mut self, frame: &mut [i16; FRAME], counters: &Counters) {
        self.pace.burst(self.state.burst.swap(0, Relaxed));
        let mut level = self.ring.slots();
        if self.dry {
            if let Some(beyond) = level.checked_sub(FRAME + self.pace.cushion()) {
                self.dry = false;
                self.skip(beyond);
                level -= beyond;
            }
        } else if level <= FRAME {
            self.dry = true;
            self.pace.gap();
            counters.said_gaps.fetch_add(1, Relaxed);
        }
        if self.dry {
            return frame.fill_with(|| {
                self.last = faded(self.last);
                self.last
            });
        }
        match self.pace.tick(level - FRAME) {
            Step::Keep => pop(&mut self.ring, frame),
            Step::Grow => self.pop_stretched::<{ FRAME - BIT }>(frame, counters),
            Step::Shrink => self.pop_stretched::<{ FRAME + BIT }>(frame, counters),
            Step::Drop(count) => {
                let count = count.min(level - FRAME);
                self.skip(count);
                counters.dropped.fetch_add(count as u64, Relaxed);
                pop(&mut self.ring, frame);
            }
        }
        self.last = frame[FRAME - 1];
    }

    fn skip(&mut self, count: usize) {
        if let Ok(chunk) = self.ring.read_chunk(count) {
            chunk.commit_all();
        }
    }

    fn pop_stretched<const N: usize>(&mut self, frame: &mut [i16; FRAME], counters: &Counters) {
        let mut taken = [0; N];
        pop(&mut self.ring, &mut taken);
        stretch(&taken, frame);
        counters.stretched.fetch_add(BIT as u64, Relaxed);
    }
}

/// The media thread's end of a loudspeaker's ring.
#[derive(Debug)]
pub(super) struct Loudspeaker {
    ring: Producer<i16>,
    state: Arc<State>,
    pace: Pace,
    begun: bool,
    /// Frames still to be dropped after a stall.
    too_many: usize,
}

pub(super) fn loudspeaker() -> (Loudspeaker, LoudspeakerEnd) {
    let (ring, consumer) = RingBuffer::new(CAPACITY);
    let state = Arc::<State>::default();
    let from_ours = Interpolator::new(RATE, RATE).expect("our own rate is known");
    let source = Source { ring: consumer, state: Arc::clone(&state), last: 0 };
    let speaker = Loudspeaker { ring, state, pace: Pace::new(), begun: false, too_many: 0 };
    (speaker, LoudspeakerEnd { source, from_ours, rate: RATE })
}

impl Loudspeaker {
    pub(super) fn is_lost(&self) -> bool {
        self.state.lost.load(Relaxed)
    }

    /// The next 20 ms to be heard.
    pub(super) fn put(&mut self, frame: &[i16; FRAME], counters: &Counters) {
        // Until the device asks for samples they would only make a queue.
        if !self.state.running.load(Relaxed) {
            return;
        }
        self.pace.burst(self.state.burst.swap(0, Relaxed));
        let level = CAPACITY - self.ring.slots();
        let starved = self.state.starved.swap(0, Relaxed) > 0;
        if level == 0 && starved {
            if self.begun {
                self.pace.gap();
                counters.heard_gaps.fetch_add(1, Relaxed);
            }
            self.begun = true;
            self.too_many = 0;
            (0..self.pace.cushion()).for_each(|_| _ = self.ring.push(0));
            return self.push(frame);
        }
        if self.too_many > 0 {
            self.too_many -= 1;
            counters.dropped.fetch_add(FRAME as u64, Relaxed);
            return;
        }
        match self.pace.tick(level) {
            Step::Keep => self.push(frame),
            Step::Grow => self.push_stretched::<{ FRAME + BIT }>(frame, counters),
            Step::Shrink => self.push_stretched::<{ FRAME - BIT }>(frame, counters),
            Step::Drop(count) => {
                self.too_many = count / FRAME;
                self.push(frame);
            }
        }
    }

    fn push(&mut self, samples: &[i16]) {
        // What finds no room is lost: a second waits already.
        let _ = self.ring.push_partial_slice(samples);
    }

    fn push_stretched<const N: usize>(&mut self, frame: &[i16; FRAME], counters: &Counters) {
        let mut put = [0; N];
        stretch(frame, &mut put);
        self.push(&put);
        counters.stretched.fetch_add(BIT as u64, Relaxed);
    }
}

fn pop(ring: &mut Consumer<i16>, samples: &mut [i16]) {
    // There are enough: who calls has looked, and nobody else takes them.
    let _ = ring.pop_partial_slice(samples);
}

/// Half as loud after half a millisecond, and silent within ten.
fn faded(last: i16) -> i16 {
    (i32::from(last) * 15 / 16) as i16
}

#[cfg(test)]
#[path = "ring_tests.rs"]
mod tests;
