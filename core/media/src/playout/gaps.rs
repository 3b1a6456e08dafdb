//! Where nothing came: who fills the gap, and how sound resumes behind it.
//!
//! The decoder, when it can; else the concealer, from both sides as soon as the packet behind the gap is there.

use super::conceal::LONGEST_BRIDGE;
use super::wave::HISTORY;
use super::{Playout, SLACK_ABOVE, samples_of};
use crate::codec::{Decoder, Missed};

/// A decoder's own concealment is listened to for so long, in microseconds.
const DECODER_CONCEALS: i64 = 120_000;
/// What goes on is heard at most for so much longer, to be in phase with a packet that came late. In microseconds.
const LONGEST_EXTRA: i64 = 15_000;
/// After so long a loss, in microseconds, a decoder's memory says nothing any more.
const LONGEST_MEMORY: i64 = 80_000;
/// Sound that comes after a pause rises in this time, in microseconds: a lost packet may have held its beginning.
const RISE: i64 = 2_000;
/// Room for what is told to a decoder that missed something.
pub(super) const TOLD: usize = HISTORY + LONGEST_BRIDGE + Missed::BEYOND;

/// Where the stream stands.
///
/// ```text
///   None --not there at its turn--> Ours | Decoders --it or a later one comes--> None
///                                     |      |
///                                     +--faded, or the decoder says that they pause--> Pause --> None
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// Sound is decoded.
    None,
    /// Our concealer goes on, for so many samples by now.
    Ours(usize),
    /// The decoder conceals.
    Decoders(usize),
    /// Nothing but the noise of a pause; the next packet may come when it suits.
    Pause,
}

impl Playout {
    /// Fills the gap by some samples: at most `wait`, when it is known how long it is.
    pub(super) fn go_on(&mut self, rest: usize, wait: Option<usize>, decoders: &mut [(u8, Decoder)]) {
        if self.gap == Gap::None {
            let tail = self.wave.tail();
            let lately = &tail[tail.len() - samples_of(20_000, self.sample_rate)..];
            let is_pause = self.is_pausing(decoders) || self.concealer.is_pause(lately);
            self.counts.gap_begins(is_pause);
        }
        if self.ask_decoder(wait, decoders) {
            return;
        }
        let made = self.made();
        if let Gap::None | Gap::Decoders(_) = self.gap {
            self.concealer.begin(self.wave.tail());
            self.gap = Gap::Ours(made);
        }
        if let (Gap::Ours(_), Some(wait)) = (self.gap, wait)
            && wait <= self.concealer.longest_bridge()
        {
            self.bridge(wait, decoders);
            return;
        }
        let out = self.wave.room(rest.min(wait.unwrap_or(rest)));
        let count = out.len();
        self.concealer.fill(out);
        self.wave.add(count);
        self.counts.filled(count, self.sample_rate, self.next.is_none() || self.concealer.is_quiet());
        self.gap = if self.concealer.is_quiet() { Gap::Pause } else { Gap::Ours(made + count) };
    }

    fn is_pausing(&self, decoders: &[(u8, Decoder)]) -> bool {
        decoders.get(self.opened_by).is_some_and(|(_, decoder)| decoder.is_pausing())
    }

    /// Whether the decoder filled a part of the gap.
    fn ask_decoder(&mut self, wait: Option<usize>, decoders: &mut [(u8, Decoder)]) -> bool {
        let Some((_, decoder)) = decoders.get_mut(self.opened_by) else { return false };
        let (made, pausing) = (self.made(), decoder.is_pausing());
        let concealing = matches!(self.gap, Gap::None | Gap::Decoders(_))
            && made < samples_of(DECODER_CONCEALS, self.sample_rate);
        if !concealing && !pausing {
            return false;
        }
        let step = samples_of(20_000, self.sample_rate);
        let mut wanted = wait.unwrap_or(step).min(step);
        let mut next = None;
        if let (Some(wait), Some(first)) = (wait, self.packets.first())
            && first.decoder == self.opened_by
            && self.gap != Gap::Pause
        {
            // What a packet says about the time before it covers about as much time as it lasts.
            let last = first.samples as usize;
            if wait <= last {
                self.packets.read_first(&mut self.payload);
                (wanted, next) = (wait, Some(&self.payload[..]));
            } else {
                wanted = wanted.min(wait - last);
            }
        }
        let filled = decoder.conceal(next, self.wave.room(wanted)).min(wanted);
        if filled == 0 {
            return false;
        }
        self.wave.add(filled);
        self.counts.filled(filled, self.sample_rate, pausing);
        self.gap = if pausing { Gap::Pause } else { Gap::Decoders(made + filled) };
        if pausing {
            self.concealer.hush();
        }
        true
    }

    /// Fills all of the gap, from both sides: what follows is decoded already, in its place behind the gap.
    fn bridge(&mut self, wait: usize, decoders: &mut [(u8, Decoder)]) {
        self.tell_missed(wait, decoders);
        self.wave.room(wait);
        self.wave.add(wait);
        self.gap = Gap::None;
        self.open(decoders);
        let enough = wait + samples_of(20_000, self.sample_rate);
        while self.wave.waiting().len() < enough && self.goes_on() {
            self.open(decoders);
        }
        let (gap, next) = self.wave.waiting_mut().split_at_mut(wait);
        if next.len() < samples_of(10_000, self.sample_rate) {
            self.concealer.fill(gap);
            self.concealer.join(next, &mut []);
        } else {
            self.concealer.bridge(gap, next);
        }
        self.counts.filled(wait, self.sample_rate, false);
    }

    /// Ends the gap: the first packet is played now.
    pub(super) fn resume(&mut self, at: i64, decoders: &mut [(u8, Decoder)]) {
        let gap = std::mem::replace(&mut self.gap, Gap::None);
        let excess = self.delay_at(at).map_or(0, |delay| delay - self.target());
        // Waiting for the phase adds delay.
        let extra = if excess > SLACK_ABOVE { 0 } else { samples_of(LONGEST_EXTRA, self.sample_rate) };
        match gap {
            Gap::Ours(_) => {
                self.tell_missed(0, decoders);
                self.wave.room(extra);
                self.wave.add(extra);
                self.open(decoders);
                let (before, next) = self.wave.waiting_mut().split_at_mut(extra);
                let used = self.concealer.join(next, before);
                self.wave.cut(used, extra - used);
                self.counts.filled(used, self.sample_rate, false);
            }
            Gap::Pause => {
                // The noise that a decoder makes of a pause goes over into its speech by itself.
                let is_whole = self.next.is_none() || self.is_pausing(decoders);
                self.open(decoders);
                if !is_whole {
                    let rise = samples_of(RISE, self.sample_rate);
                    for (n, sample) in self.wave.waiting_mut().iter_mut().take(rise).enumerate() {
                        *sample = (i32::from(*sample) * n as i32 / rise as i32) as i16;
                    }
                }
            }
            Gap::None | Gap::Decoders(_) => self.open(decoders),
        }
    }

    /// Tells the decoder what was made up, and will be for `wait` more samples, in place of what it missed before the
    /// first packet that waits.
    fn tell_missed(&mut self, wait: usize, decoders: &mut [(u8, Decoder)]) {
        let (Some(first), Some(next)) = (self.packets.first(), self.next) else { return };
        let Some((_, decoder)) = decoders.get_mut(self.opened_by) else { return };
        let ticks = u64::from(first.timestamp.wrapping_sub(next));
        let missing = (ticks * u64::from(self.sample_rate) / u64::from(self.clock_rate)) as usize;
        let end = HISTORY + wait;
        if first.decoder != self.opened_by
            || missing == 0
            || missing > samples_of(LONGEST_MEMORY, self.sample_rate)
        {
            return;
        }
        self.heard.clear();
        self.heard.extend_from_slice(self.wave.tail());
        self.heard.resize(end + Missed::BEYOND, 0);
        self.concealer.look_ahead(&mut self.heard[HISTORY..]);
        let missed = Missed {
            last: &self.last,
            heard: &self.heard,
            gap: end - missing.min(end - Missed::BEFORE)..end,
        };
        decoder.missed(&missed);
    }
}
