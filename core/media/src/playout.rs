//! Packets in as they come, samples out on the beat: a plain playout buffer with a fixed delay.
//!
//! The first packet of a stream sets the beat: its first sample is played one delay after it arrived, and every
//! other sample at its own distance from that one, by RTP timestamps. What comes after its turn is late. A gap is
//! filled with what was played last, fading to silence. Knows only 8 kHz clocks, and nothing of sequence numbers
//! or sources; does not adapt its delay.

use std::ops::Range;
use std::time::Duration;

use base::Instant;

use crate::codec::Decoder;

/// How long after its arrival a stream's first packet is played.
pub const PLAYOUT_DELAY: Duration = Duration::from_millis(60);
/// The longest payload kept: 200 ms of G.711, the most that RFC 3551 section 4.2 asks a receiver to take.
pub const MAX_PAYLOAD: usize = 1600;
/// Samples in a packet, at most.
const MAX_SAMPLES: usize = MAX_PAYLOAD;
/// Packets waiting, at most.
const SLOTS: usize = 32;
/// A packet this far ahead of the beat, or behind it, is the sender's clock that jumped: the beat is set anew.
const FAR: u32 = 500 * PER_MS;
/// One that has this much longer to wait than the delay is off the beat, as a late one is.
const EARLY: u32 = 100 * PER_MS;
/// So many off the beat in a row, and it is set anew: the path changed, or the clocks drifted apart.
const PATIENCE: u32 = 5;
/// So many when nothing is playing, and so nothing is torn. Not at the first: it may be a straggler.
const PATIENCE_IN_SILENCE: u32 = 2;
/// Samples in a millisecond.
const PER_MS: u32 = 8;
/// Nanoseconds from one sample to the next.
const SAMPLE_NANOS: u64 = 125_000;
/// A gap is faded out over this many samples: 60 ms.
const FADE: usize = 480;
/// What is repeated in a gap: the last 20 ms.
const HISTORY: usize = 160;
/// A packet after a gap is faded in over this many samples, against the click.
const JOIN: usize = 32;

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It waits for its turn.
    Queued,
    /// Its turn has passed.
    Late,
    /// It set the beat anew; what waited is gone.
    Resynchronised,
    /// Longer than [`MAX_PAYLOAD`], or no room: dropped.
    Dropped,
}

#[derive(Clone, Debug)]
struct Slot {
    used: bool,
    timestamp: u32,
    samples: u32,
    decoder: usize,
    payload: Vec<u8>,
}

/// The buffer between the network and the ear.
#[derive(Clone, Debug)]
pub struct Playout {
    delay: Duration,
    beat: Beat,
    slots: Vec<Slot>,
    /// The packet being played, decoded.
    samples: Box<[i16; MAX_SAMPLES]>,
    /// Which of them are still to be played.
    open: Range<usize>,
    /// Whose packet was opened last: it conceals, when it can.
    opened_by: usize,
    /// Samples that the decoder itself has concealed since.
    concealed: usize,
    /// How many packets in a row were off the beat.
    off_beat: u32,
    concealer: Concealer,
}

/// ```text
/// Silent --first packet--> Set --first playout--> Running(timestamp of the next sample)
///                           ^                        |
///                           +-- jump, off-beat run --+
/// ```
#[derive(Clone, Copy, Debug)]
enum Beat {
    Silent,
    /// This timestamp is due then.
    Set(u32, Instant),
    Running(u32),
}

impl Playout {
    /// An empty buffer.
    pub fn new(delay: Duration) -> Self {
        let slot = || Slot {
            used: false,
            timestamp: 0,
            samples: 0,
            decoder: 0,
            payload: Vec::with_capacity(MAX_PAYLOAD),
        };
        Self {
            delay,
            beat: Beat::Silent,
            slots: std::iter::repeat_with(slot).take(SLOTS).collect(),
            samples: Box::new([0; MAX_SAMPLES]),
            open: 0..0,
            opened_by: 0,
            concealed: 0,
            off_beat: 0,
            concealer: Concealer::default(),
        }
    }

    /// The delay between a packet's arrival and its turn, when it arrives on the beat.
    pub fn delay(&self) -> Duration {
        self.delay
    }

    /// Stub.
    pub fn set_rates(&mut self, _clock_rate: u32, _sample_rate: u32) {}

    /// Stub.
    pub fn sample_rate(&self) -> u32 {
        8000
    }

    /// Forgets the stream: the next packet sets the beat. The tail of what was played fades.
    pub fn reset(&mut self) {
        self.beat = Beat::Silent;
        self.slots.iter_mut().for_each(|slot| slot.used = false);
        self.open = 0..0;
        self.off_beat = 0;
    }

    /// Takes a payload of `samples` samples for the decoder of that index. Not for duplicates.
    pub fn insert(
        &mut self,
        timestamp: u32,
        samples: usize,
        decoder: usize,
        payload: &[u8],
        now: Instant,
    ) -> Inserted {
        if payload.len() > MAX_PAYLOAD || samples > MAX_SAMPLES {
            return Inserted::Dropped;
        }
        let samples = samples as u32;
        let outcome = self.judge(timestamp, samples);
        match outcome {
            Inserted::Late | Inserted::Dropped => return outcome,
            Inserted::Resynchronised => self.reset(),
            Inserted::Queued => {}
        }
        match self.beat {
            Beat::Silent => self.beat = Beat::Set(timestamp, now + self.delay),
            // Overtaken by the one that set the beat: its turn is before that one's.
            Beat::Set(first, due) if (timestamp.wrapping_sub(first) as i32) < 0 => {
                let earlier = u64::from(first.wrapping_sub(timestamp)) * SAMPLE_NANOS;
                let due = due.as_nanos().saturating_sub(earlier);
                self.beat = Beat::Set(timestamp, Instant::from_nanos(due));
            }
            Beat::Set(..) | Beat::Running(_) => {}
        }
        let Some(slot) = self.slots.iter_mut().find(|slot| !slot.used) else {
            return Inserted::Dropped;
        };
        (slot.used, slot.timestamp, slot.samples, slot.decoder) = (true, timestamp, samples, decoder);
        slot.payload.clear();
        slot.payload.extend_from_slice(payload);
        outcome
    }

    /// Compares a packet with the beat.
    fn judge(&mut self, timestamp: u32, samples: u32) -> Inserted {
        let (next, running) = match self.beat {
            Beat::Silent => return Inserted::Queued,
            Beat::Set(first, _) => (first, false),
            Beat::Running(next) => (next, true),
        };
        let ahead = timestamp.wrapping_sub(next) as i32;
        let late = running && ahead + samples as i32 <= 0;
        let early = ahead > (self.delay.as_millis() as u32 * PER_MS + EARLY) as i32;
        self.off_beat = if late || early { self.off_beat + 1 } else { 0 };
        let patience = if self.concealer.is_silent() { PATIENCE_IN_SILENCE } else { PATIENCE };
        if ahead.unsigned_abs() >= FAR || self.off_beat >= patience {
            Inserted::Resynchronised
        } else if late {
            Inserted::Late
        } else {
            Inserted::Queued
        }
    }

    /// Fills `frame` with the next samples. Call it on the sound card's beat, or a clock's.
    pub fn pull(&mut self, frame: &mut [i16], decoders: &mut [(u8, Decoder)], now: Instant) {
        let mut next = match self.beat {
            Beat::Running(next) => next,
            Beat::Set(first, due) => {
                first.wrapping_sub((due.since(now).as_nanos() as u64 / SAMPLE_NANOS) as u32)
            }
            Beat::Silent => {
                self.concealer.fill(frame);
                return;
            }
        };
        let mut done = 0;
        while done < frame.len() {
            let rest = &mut frame[done..];
            let count = if self.open.is_empty() {
                match self.nearest(next) {
                    // Its turn has come; a part that is past is skipped.
                    Some((index, ahead)) if ahead <= 0 => {
                        self.open(index, decoders, ahead.unsigned_abs() as usize);
                        0
                    }
                    Some((_, ahead)) => self.conceal(rest, ahead as usize, decoders),
                    None => self.conceal(rest, usize::MAX, decoders),
                }
            } else {
                let count = self.open.len().min(rest.len());
                rest[..count].copy_from_slice(&self.samples[self.open.start..self.open.start + count]);
                self.open.start += count;
                self.concealer.played(&mut rest[..count]);
                count
            };
            done += count;
            next = next.wrapping_add(count as u32);
        }
        self.beat = Beat::Running(next);
    }

    /// The waiting packet that is nearest to its turn, and how many samples away that is.
    fn nearest(&mut self, next: u32) -> Option<(usize, i32)> {
        for slot in &mut self.slots {
            // Reordered across one that was played meanwhile.
            let end = slot.timestamp.wrapping_add(slot.samples);
            slot.used &= end.wrapping_sub(next) as i32 > 0;
        }
        let waiting = self.slots.iter().enumerate().filter(|(_, slot)| slot.used);
        waiting
            .map(|(index, slot)| (index, slot.timestamp.wrapping_sub(next) as i32))
            .min_by_key(|(_, ahead)| *ahead)
    }

    fn open(&mut self, index: usize, decoders: &mut [(u8, Decoder)], skip: usize) {
        let slot = &mut self.slots[index];
        slot.used = false;
        let Some((_, decoder)) = decoders.get_mut(slot.decoder) else { return };
        let count = decoder.decode(&slot.payload, &mut self.samples[..]);
        self.open = skip.min(count)..count;
        self.opened_by = slot.decoder;
        self.concealed = 0;
    }

    /// Fills the front of `rest`, at most `gap` samples: by the decoder for a while when it can, else by fading.
    fn conceal(&mut self, rest: &mut [i16], gap: usize, decoders: &mut [(u8, Decoder)]) -> usize {
        if self.concealed < FADE
            && !self.concealer.is_silent()
            && let Some((_, decoder)) = decoders.get_mut(self.opened_by)
        {
            let made = decoder.conceal(None, &mut self.samples[..gap.min(HISTORY)]);
            self.concealed += made;
            self.open = 0..made.min(gap);
            if made > 0 {
                return 0;
            }
        }
        let count = gap.min(rest.len());
        self.concealer.fill(&mut rest[..count]);
        count
    }
}

/// Repeats what was played last, fading; then is silent.
#[derive(Clone, Debug)]
struct Concealer {
    history: [i16; HISTORY],
    at: usize,
    /// Samples concealed since the last real one; [`FADE`] and more is silence.
    since: usize,
    /// Samples of the fade-in still to come, and how loud the repetition was when it began.
    joining: usize,
    gain: i32,
}

impl Default for Concealer {
    fn default() -> Self {
        Self { history: [0; HISTORY], at: 0, since: FADE, joining: 0, gain: 0 }
    }
}

impl Concealer {
    fn is_silent(&self) -> bool {
        self.since >= FADE
    }

    /// Of [`FADE`].
    fn gain_now(&self) -> i32 {
        FADE.saturating_sub(self.since) as i32
    }

    fn played(&mut self, samples: &mut [i16]) {
        if self.since > 0 {
            // After silence the packet's own beginning is the right one.
            self.joining = if self.is_silent() { 0 } else { JOIN };
            self.gain = self.gain_now();
            self.since = 0;
        }
        for sample in samples {
            if self.joining > 0 {
                // From the repetition, which would go on at `at`, over to the packet.
                let old = i32::from(self.history[self.at]) * self.gain / FADE as i32;
                let new = i32::from(*sample);
                let weight = self.joining as i32;
                *sample = ((old * weight + new * (JOIN as i32 - weight)) / JOIN as i32) as i16;
                self.joining -= 1;
            }
            self.history[self.at] = *sample;
            self.at = (self.at + 1) % HISTORY;
        }
    }

    fn fill(&mut self, samples: &mut [i16]) {
        for sample in samples {
            if self.is_silent() {
                *sample = 0;
                continue;
            }
            *sample = (i32::from(self.history[self.at]) * self.gain_now() / FADE as i32) as i16;
            self.at = (self.at + 1) % HISTORY;
            self.since += 1;
        }
    }
}

#[cfg(test)]
#[path = "playout_tests.rs"]
mod tests;
