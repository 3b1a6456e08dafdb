//! Packets in as they come, samples out on the beat: the adaptive buffer between the network and the ear.
//!
//! ```text
//!  insert --> packets --decode--> wave --> pull
//!    |  (by timestamp)             ^  ^
//!    +--> arrivals                 |  +-- stretch: faster or slower, toward the target delay
//!         (how late they come)     +----- conceal: what goes on where nothing came
//! ```
//! Sound is played a target delay after the fastest packets would have brought it. A packet that is not there at its
//! turn is concealed; does it come while that lasts, it is still played, and the delay that this adds is taken back by
//! playing faster, as soon as that is not heard. A pause is where the delay is set right for nothing.
//!
//! Knows timestamps and arrivals; nothing of sequence numbers, sources or payload formats. All is told: the time, the
//! stream's rates. Allocates nothing after [`Playout::new`].

mod arrivals;
mod beat;
mod conceal;
mod figures;
mod gaps;
mod packets;
mod similar;
mod stretch;
mod wave;

use std::time::Duration;

use base::Instant;

use self::arrivals::{Arrivals, CAP};
use self::beat::Beat;
use self::conceal::Concealer;
use self::figures::Counts;
pub use self::figures::Figures;
use self::gaps::{Gap, TOLD};
use self::packets::Packets;
use self::stretch::{NEEDED, Stretch, Way};
use self::wave::Wave;
use crate::codec::Decoder;

/// The longest payload kept: 200 ms of G.711, the most that RFC 3551 section 4.2 asks a receiver to take.
pub const MAX_PAYLOAD: usize = 1600;
/// The most delay that is steered toward, whatever the network does.
pub(crate) const LONGEST_DELAY: Duration = Duration::from_micros(CAP as u64);
/// Milliseconds in a packet, at most.
const MAX_PACKET_MS: u32 = 200;
/// A packet so much later than the fastest, or earlier, is of a clock that jumped. In microseconds.
const FAR_LATE: i64 = 1_000_000;
const FAR_EARLY: i64 = -200_000;
/// So many in a row that are far off, and they are believed. Not the first: it may be a straggler.
const PATIENCE: u32 = 2;
/// So many in a row behind what was played, and it is they who are right: the timestamps went back.
const PATIENCE_WITH_LATE: u32 = 5;
/// More delay than this, in microseconds, is not worth playing off: what is too old is thrown away.
const TOO_MUCH: i64 = CAP + 100_000;
/// The delay may be off the target by so much, in microseconds, before anything is done: a pitch period is 2.5..15 ms.
const SLACK_ABOVE: i64 = 15_000;
const SLACK_BELOW: i64 = 10_000;
/// In a pause less slack is needed: everything fits there.
const SLACK_IN_PAUSE: i64 = 8_000;
/// From this excess on it is played off as fast as periods fit; below, one period in this time. In microseconds.
const HURRY: i64 = 60_000;
const REST: i64 = 60_000;

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It waits for its turn.
    Queued,
    /// What came after it has been played, or it is there already.
    Late,
    /// Its timestamp is the first of a new count; what waited is gone.
    Resynchronised,
    /// Longer than [`MAX_PAYLOAD`] or 200 ms, without samples, far off the others, or no room.
    Dropped,
}

/// The buffer between the network and the ear.
#[derive(Clone, Debug)]
pub struct Playout {
    clock_rate: u32,
    sample_rate: u32,
    packets: Packets,
    arrivals: Arrivals,
    beat: Beat,
    wave: Wave,
    stretch: Stretch,
    concealer: Concealer,
    /// The timestamp after what was decoded last; `None` before a stream's first.
    next: Option<u32>,
    gap: Gap,
    /// Whose packet was decoded last: it conceals, when it can.
    opened_by: usize,
    /// Packets in a row that were far off, and that came behind what was played.
    far: u32,
    behind: u32,
    /// Longest of a packet and a playout frame, in microseconds.
    packet: i64,
    /// Samples since the last stretch.
    rested: usize,
    payload: Vec<u8>,
    /// The payload that was decoded last.
    last: Vec<u8>,
    /// What is told to a decoder that missed something.
    heard: Vec<i16>,
    counts: Counts,
}

impl Default for Playout {
    fn default() -> Self {
        Self::new()
    }
}

impl Playout {
    /// An empty buffer, for a stream of 8 kHz until [`Self::set_rates`] says otherwise.
    pub fn new() -> Self {
        Self {
            clock_rate: 8000,
            sample_rate: 8000,
            packets: Packets::new(),
            arrivals: Arrivals::new(8000),
            beat: Beat::default(),
            wave: Wave::new(),
            stretch: Stretch::new(),
            concealer: Concealer::new(),
            next: None,
            gap: Gap::Pause,
            opened_by: 0,
            far: 0,
            behind: 0,
            packet: 20_000,
            rested: 0,
            payload: Vec::with_capacity(MAX_PAYLOAD),
            last: Vec::with_capacity(MAX_PAYLOAD),
            heard: Vec::with_capacity(TOLD),
            counts: Counts::default(),
        }
    }

    /// Tells the ticks of a timestamp and the samples of a decoder in a second, for the packets inserted from now
    /// on and the frames pulled from now on. Packets that wait keep their rate and are made to fit. Another clock
    /// is another count of timestamps: what waits is gone then. Samples are 8,000 to 16,000 a second; other rates
    /// are passed over.
    pub fn set_rates(&mut self, clock_rate: u32, sample_rate: u32) {
        if clock_rate == 0 || !(8000..=16_000).contains(&sample_rate) {
            return;
        }
        if clock_rate != self.clock_rate {
            self.clock_rate = clock_rate;
            self.begin_anew();
        }
        if sample_rate != self.sample_rate {
            self.wave.set_rate(self.sample_rate, sample_rate);
            self.sample_rate = sample_rate;
            self.concealer.set_rate(sample_rate);
            if self.gap != Gap::None {
                self.gap = Gap::Pause;
            }
        }
    }

    /// Samples a second that [`Self::pull`] gives.
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Forgets the stream and its decoders: the next packet is another one's first. What is heard fades.
    pub fn reset(&mut self) {
        self.begin_anew();
    }

    fn begin_anew(&mut self) {
        self.packets.clear();
        self.arrivals.forget_stream(self.clock_rate);
        self.next = None;
        self.opened_by = usize::MAX;
        (self.far, self.behind) = (0, 0);
    }

    /// The delay from the fastest arrivals to their turn, as it is now; before anything was played the target.
    pub fn delay(&self) -> Duration {
        Duration::from_micros(self.counts.delay.unwrap_or_else(|| self.target()).max(0) as u64)
    }

    /// What was done so far.
    pub fn figures(&self) -> Figures {
        self.counts.figures(Duration::from_micros(self.target() as u64), self.delay())
    }

    fn target(&self) -> i64 {
        self.arrivals.target(self.packet)
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
        let longest = (self.sample_rate / 1000 * MAX_PACKET_MS) as usize;
        if payload.len() > MAX_PAYLOAD || samples == 0 || samples > longest {
            self.counts.discarded += 1;
            return Inserted::Dropped;
        }
        let ticks = (samples as u64 * u64::from(self.clock_rate) / u64::from(self.sample_rate)) as u32;
        let outcome = self.judge(timestamp, ticks, now);
        match outcome {
            Inserted::Late => self.counts.late += 1,
            Inserted::Dropped => self.counts.discarded += 1,
            Inserted::Resynchronised => self.begin_anew(),
            Inserted::Queued => {}
        }
        if outcome == Inserted::Dropped {
            return outcome;
        }
        self.arrivals.arrived(timestamp, ticks, now);
        if outcome == Inserted::Late {
            return outcome;
        }
        self.packet = micros_of(samples, self.sample_rate).max(self.beat.frame());
        match self.packets.insert(timestamp, ticks, (samples as u32, self.sample_rate), decoder, payload) {
            Ok(()) => outcome,
            Err(packets::Refused::Twin) => {
                self.counts.late += 1;
                Inserted::Late
            }
            Err(packets::Refused::Full) => {
                self.counts.discarded += 1;
                Inserted::Dropped
            }
        }
    }

    /// Compares a packet with those before.
    fn judge(&mut self, timestamp: u32, ticks: u32, now: Instant) -> Inserted {
        let Some(lateness) = self.arrivals.lateness(timestamp, now) else { return Inserted::Queued };
        let idle = self.gap == Gap::Pause && self.packets.first().is_none();
        if !(FAR_EARLY..=FAR_LATE).contains(&lateness) {
            self.far += 1;
            return if idle || self.far >= PATIENCE { Inserted::Resynchronised } else { Inserted::Dropped };
        }
        self.far = 0;
        let is_behind =
            self.next.is_some_and(|next| timestamp.wrapping_add(ticks).wrapping_sub(next) as i32 <= 0);
        if !is_behind {
            self.behind = 0;
            return Inserted::Queued;
        }
        self.behind += 1;
        let patience = if idle { PATIENCE } else { PATIENCE_WITH_LATE };
        if self.behind >= patience { Inserted::Resynchronised } else { Inserted::Late }
    }

    /// Fills `frame` with the next samples. Call it on the sound card's beat, or a clock's.
    pub fn pull(&mut self, frame: &mut [i16], decoders: &mut [(u8, Decoder)], now: Instant) {
        self.beat.pulled(now, micros_of(frame.len(), self.sample_rate));
        let mut done = 0;
        while done < frame.len() {
            let played = self.wave.play(&mut frame[done..]);
            done += played;
            if played == 0 {
                let at = self.beat.now() + micros_of(done, self.sample_rate);
                self.refill(frame.len() - done, at, decoders);
            }
        }
        if let Some(delay) = self.delay_at(self.beat.now() + micros_of(frame.len(), self.sample_rate)) {
            self.counts.delay = Some(delay);
        }
    }

    /// The delay that the next sample would have, were it played then.
    fn delay_at(&self, at: i64) -> Option<i64> {
        let fastest = self.arrivals.fastest_arrival(self.next?)?;
        let (Gap::Ours(made) | Gap::Decoders(made)) = self.gap else {
            return (self.gap == Gap::None)
                .then(|| at + micros_of(self.wave.waiting().len(), self.sample_rate) - fastest);
        };
        Some(at - micros_of(made, self.sample_rate) - fastest)
    }

    /// Puts at least one sample into the wave, which is empty; `rest` are wanted, the first of them to be played then.
    fn refill(&mut self, rest: usize, at: i64, decoders: &mut [(u8, Decoder)]) {
        self.drop_passed(at);
        let Some(first) = self.packets.first().copied() else {
            self.go_on(rest, None, decoders);
            return;
        };
        let wait = self.wait(first.timestamp, at);
        if wait > 0 {
            self.go_on(rest, Some(wait), decoders);
            return;
        }
        self.resume(at, decoders);
        self.steer(at, decoders);
    }

    /// Lets go what was overtaken, and what is too old to be worth the delay.
    fn drop_passed(&mut self, at: i64) {
        while let (Some(first), Some(next)) = (self.packets.first(), self.next) {
            let end = first.timestamp.wrapping_add(first.ticks);
            if end.wrapping_sub(next) as i32 > 0 {
                break;
            }
            self.packets.drop_first();
            self.counts.late += 1;
        }
        let target = self.target();
        let delay = |packets: &Packets, arrivals: &Arrivals| {
            packets
                .first()
                .and_then(|first| arrivals.fastest_arrival(first.timestamp))
                .map_or(0, |due| at - due)
        };
        if delay(&self.packets, &self.arrivals) > TOO_MUCH {
            while delay(&self.packets, &self.arrivals) > target {
                self.packets.drop_first();
                self.counts.discarded += 1;
            }
            // What is thrown away is a gap that is over.
            if let Some(first) = self.packets.first() {
                self.next = Some(first.timestamp);
            }
        }
    }

    /// Samples until the first packet's turn.
    fn wait(&self, timestamp: u32, at: i64) -> usize {
        let due = self.arrivals.fastest_arrival(timestamp).unwrap_or(at) + self.target();
        let until_due = samples_of((due - at).max(0), self.sample_rate);
        let Some(next) = self.next else { return until_due };
        let ahead = timestamp.wrapping_sub(next) as i32;
        let ahead = (i64::from(ahead) * i64::from(self.sample_rate) / i64::from(self.clock_rate)).max(0);
        match self.gap {
            Gap::Pause => until_due,
            Gap::None | Gap::Ours(_) | Gap::Decoders(_) => {
                let made = self.made() as i64;
                let excess = self.delay_at(at).map_or(0, |delay| delay - self.target());
                // A gap is the place to catch up: half of it is not missed.
                let saved = if excess > SLACK_ABOVE {
                    (samples_of(excess, self.sample_rate) as i64).min(ahead / 2)
                } else {
                    0
                };
                (ahead - saved - made).max(0) as usize
            }
        }
    }

    fn made(&self) -> usize {
        match self.gap {
            Gap::Ours(made) | Gap::Decoders(made) => made,
            Gap::None | Gap::Pause => 0,
        }
    }

    /// Whether the first packet goes on where the one decoded last ended.
    fn goes_on(&self) -> bool {
        self.packets.first().is_some_and(|first| Some(first.timestamp) == self.next)
    }

    /// Decodes the first packet behind what waits.
    fn open(&mut self, decoders: &mut [(u8, Decoder)]) {
        let Some(slot) = self.packets.first().copied() else { return };
        self.packets.read_first(&mut self.payload);
        self.packets.drop_first();
        let passed = self.next.map_or(0, |next| (next.wrapping_sub(slot.timestamp) as i32).max(0));
        self.next = Some(slot.timestamp.wrapping_add(slot.ticks));
        let Some((_, decoder)) = decoders.get_mut(slot.decoder) else { return };
        self.opened_by = slot.decoder;
        let before = self.wave.waiting().len();
        let room = self.wave.room(slot.samples as usize);
        let count = decoder.decode(&self.payload, room).min(room.len());
        self.wave.add(count);
        std::mem::swap(&mut self.last, &mut self.payload);
        let count = self.wave.refit(before, slot.rate, self.sample_rate);
        // The front of it was played already, from another packet.
        let passed = i64::from(passed) * i64::from(self.sample_rate) / i64::from(self.clock_rate);
        self.wave.cut(before, count.min(passed as usize));
        let fresh = &self.wave.waiting()[before..];
        self.concealer.heard(fresh);
        self.rested = self.rested.saturating_add(fresh.len());
        self.counts.played(fresh.len(), self.sample_rate);
    }

    /// Brings the delay toward the target, by a stretch of what waits.
    fn steer(&mut self, at: i64, decoders: &mut [(u8, Decoder)]) {
        let Some(delay) = self.delay_at(at) else { return };
        let excess = delay - self.target();
        let pause = self.concealer.is_pause(self.wave.waiting());
        let above = if pause { SLACK_IN_PAUSE } else { SLACK_ABOVE };
        if (-SLACK_BELOW..=above).contains(&excess) {
            return;
        }
        let rest = if excess.abs() > HURRY {
            0
        } else if pause {
            REST / 3
        } else {
            REST
        };
        if self.rested < samples_of(rest, self.sample_rate) {
            return;
        }
        let (way, most) = if excess > 0 { (Way::Faster, excess) } else { (Way::Slower, 5_000 - excess) };
        while way == Way::Faster
            && self.wave.waiting().len() < samples_of(NEEDED, self.sample_rate)
            && self.goes_on()
        {
            self.open(decoders);
        }
        let most = samples_of(most, self.sample_rate);
        let count = self.stretch.once(&mut self.wave, self.sample_rate, way, most, pause);
        if count == 0 {
            return;
        }
        self.rested = 0;
        match way {
            Way::Faster => self.counts.accelerated(count, self.sample_rate),
            Way::Slower => self.counts.expanded(count, self.sample_rate),
        }
    }
}

fn micros_of(samples: usize, rate: u32) -> i64 {
    samples as i64 * 1_000_000 / i64::from(rate)
}

fn samples_of(micros: i64, rate: u32) -> usize {
    (micros * i64::from(rate) / 1_000_000) as usize
}

#[cfg(test)]
mod tests;
