//! What was played lately and what is to be played next, in one piece: every joint is made across the two.
//!
//! Knows samples only.

/// Played samples that are kept: 60 ms at 16 kHz, 120 ms at 8 kHz.
pub(super) const HISTORY: usize = 960;
/// Samples that may wait to be played: a packet of 200 ms at 16 kHz behind one and a filled gap.
pub(super) const ROOM: usize = 8192;

/// One line of samples; those before `at` were played.
#[derive(Clone, Debug)]
pub(super) struct Wave {
    samples: Box<[i16]>,
    at: usize,
    end: usize,
}

impl Wave {
    pub(super) fn new() -> Self {
        // Twice the room: it slides once in a while rather than for every frame.
        Self { samples: vec![0; HISTORY + 2 * ROOM].into_boxed_slice(), at: HISTORY, end: HISTORY }
    }

    /// What was played last, [`HISTORY`] samples.
    pub(super) fn played(&self) -> &[i16] {
        &self.samples[self.at - HISTORY..self.at]
    }

    pub(super) fn waiting(&self) -> &[i16] {
        &self.samples[self.at..self.end]
    }

    pub(super) fn waiting_mut(&mut self) -> &mut [i16] {
        &mut self.samples[self.at..self.end]
    }

    /// The last [`HISTORY`] samples before what comes next, played or not.
    pub(super) fn tail(&self) -> &[i16] {
        &self.samples[self.end - HISTORY..self.end]
    }

    /// Room for `count` more samples, fewer when so many do not fit; [`Self::add`] says how many were written.
    pub(super) fn room(&mut self, count: usize) -> &mut [i16] {
        if self.end + count > self.samples.len() {
            let from = self.at - HISTORY;
            self.samples.copy_within(from..self.end, 0);
            (self.at, self.end) = (HISTORY, self.end - from);
        }
        let end = (self.end + count).min(self.samples.len());
        &mut self.samples[self.end..end]
    }

    pub(super) fn add(&mut self, count: usize) {
        self.end += count;
    }

    /// Plays into the front of `out`; how many.
    pub(super) fn play(&mut self, out: &mut [i16]) -> usize {
        let count = out.len().min(self.end - self.at);
        out[..count].copy_from_slice(&self.samples[self.at..self.at + count]);
        self.at += count;
        count
    }

    /// Takes away the `count` waiting samples after the first `from`.
    pub(super) fn cut(&mut self, from: usize, count: usize) {
        let from = self.at + from;
        self.samples.copy_within(from + count..self.end, from);
        self.end -= count;
    }

    /// Puts `count` samples before the waiting ones from `from` on: copies of those that stand `count` earlier.
    pub(super) fn repeat(&mut self, from: usize, count: usize) {
        self.room(count);
        let from = self.at + from;
        self.samples.copy_within(from - count..self.end, from);
        self.end += count;
    }

    /// The rate changed: all is made to fit, roughly. What was played is only heard under a joint.
    pub(super) fn set_rate(&mut self, from: u32, to: u32) {
        let mut played = [0; HISTORY];
        for (back, sample) in played.iter_mut().rev().enumerate() {
            let back = back * from as usize / to as usize;
            *sample = if back < HISTORY { self.samples[self.at - 1 - back] } else { 0 };
        }
        self.samples[self.at - HISTORY..self.at].copy_from_slice(&played);
        self.refit(0, from, to);
    }

    /// The waiting samples from `start` on are of another rate: makes them fit by straight lines, for the packets
    /// around a change of codec. How many they are then.
    pub(super) fn refit(&mut self, start: usize, from: u32, to: u32) -> usize {
        let count = self.end - self.at - start;
        if from == to || count == 0 {
            return count;
        }
        let scaled = (count as u64 * u64::from(to) / u64::from(from)) as usize;
        let scaled = scaled.min(self.room(scaled).len() + count);
        let line = &mut self.samples[self.at + start..];
        let mut write = |n: usize| {
            let place = n as u64 * u64::from(from);
            let (whole, part) = ((place / u64::from(to)) as usize, (place % u64::from(to)) as i64);
            let (here, next) = (i64::from(line[whole]), i64::from(line[(whole + 1).min(count - 1)]));
            line[n] = (here + (next - here) * part / i64::from(to)) as i16;
        };
        // Each is written after all that need what stood there.
        if to > from {
            (0..scaled).rev().for_each(&mut write);
        } else {
            (0..scaled).for_each(&mut write);
        }
        self.end = self.at + start + scaled;
        scaled
    }
}
