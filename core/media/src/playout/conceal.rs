//! What is heard where nothing came: the voice goes on by its own last periods, fades, and leaves the room's noise.
//!
//! Of the class of G.711 Appendix I, and of our own design. Voiced sound repeats its last pitch period, then the last
//! two, then the last three, so that it does not buzz; unvoiced sound jumps about in what was heard last. After a hold
//! both fade into noise of the level that the pauses had. Knows samples; not packets or time.

use super::similar::{alike, fade, period, rounded, widen};
use super::wave::HISTORY;

/// Milliseconds that go on at full level, and that the fade takes then.
const HOLD_MS: usize = 15;
const FADE_MS: usize = 80;
/// One more period is taken into the repetition after so many milliseconds, three at most. Sooner there is less
/// buzz, and less likeness: judged by ITU-T P.862 over gaps of 20 and 60 ms, as all the figures here.
const PERIOD_EVERY_MS: usize = 45;
/// Below this correlation across a period it is noise that goes on, not a voice.
const VOICED: f32 = 0.35;
/// At least so much alike must be what is to be brought into phase.
const IN_PHASE: f32 = 0.7;
/// Length of what is measured at once for the level of the pauses.
const BLOCK_MS: usize = 10;
/// How much the level of the pauses may rise in a block: 6 dB a second.
const FLOOR_RISE: f32 = 1.006_93;
/// The noise that is put into a gap is never louder: -55 dBov. More is no noise of a room.
const LOUDEST_NOISE: f32 = 58.0;

/// A sound that goes on from what it was given. Cheap to clone: the clone looks ahead.
#[derive(Clone, Debug)]
pub(super) struct Going {
    /// What it goes on from.
    source: [f32; HISTORY],
    /// How many of its last samples are known.
    known: usize,
    rate: u32,
    /// In samples; of a voice its pitch period.
    pub(super) period: usize,
    /// Correlation across a period.
    pub(super) sure: f32,
    /// Samples made.
    made: usize,
    /// The next sample of the source.
    read: usize,
    /// The other one, when it jumped: how many samples the fade between takes, and how many are left.
    left_at: usize,
    fade: (usize, usize),
    /// The step from what was last heard to what the repetition begins with, taken back over the first samples.
    step: f32,
    dice: u32,
}

impl Going {
    pub(super) fn new() -> Self {
        Self {
            source: [0.0; HISTORY],
            known: 0,
            rate: 8000,
            period: 40,
            sure: 0.0,
            made: 0,
            read: 0,
            left_at: 0,
            fade: (1, 0),
            step: 0.0,
            dice: 1,
        }
    }

    /// Goes on from the end of `source`, which is HISTORY samples, or fewer when more are not known.
    pub(super) fn begin(&mut self, source: &[f32], rate: u32) {
        let count = source.len().min(HISTORY);
        self.source[..HISTORY - count].fill(0.0);
        self.source[HISTORY - count..].copy_from_slice(&source[source.len() - count..]);
        (self.rate, self.known) = (rate, count);
        let known = &self.source[HISTORY - count.min(rate as usize * 60 / 1000)..];
        (self.period, self.sure) = period(known, rate);
        (self.made, self.fade) = (0, (1, 0));
        self.read = HISTORY;
        self.jump();
        let (before, now) = (self.source[self.read - 1], self.source[HISTORY - 1]);
        // It would have gone on from `before` as it does now from the last one.
        self.step = now - before;
        self.fade = (1, 0);
    }

    fn is_voiced(&self) -> bool {
        self.sure >= VOICED
    }

    /// Back into the source, to a place that goes on alike.
    fn jump(&mut self) {
        let ms = self.rate as usize / 1000;
        let periods = 1 + (self.made / (PERIOD_EVERY_MS * ms)).min(2);
        let back = if self.is_voiced() {
            self.period * periods
        } else {
            // Anywhere 10 to 25 ms back: no period is heard twice in a row.
            self.dice = self.dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            10 * ms + (self.dice >> 16) as usize % (15 * ms)
        };
        let back = back.min(self.known.saturating_sub(1)).max(1);
        self.left_at = self.read;
        self.read = self.read.min(HISTORY) - back;
        let length = (self.period / 4).clamp(1, 5 * ms).min(back);
        self.fade = (length, length);
    }

    pub(super) fn next(&mut self) -> f32 {
        let (length, left) = self.fade;
        // The fade ends where the source does: it begins before.
        if left == 0 && self.read + (self.period / 4).max(1) >= HISTORY {
            self.jump();
            return self.next();
        }
        let mut sample = self.source[self.read.min(HISTORY - 1)];
        if left > 0 {
            let old = self.source[self.left_at.min(HISTORY - 1)];
            let alike = if self.is_voiced() { 1.0 } else { 0.0 };
            let (old_gain, new_gain) = fade((length - left) as f32 / length as f32, alike);
            sample = sample * new_gain + old * old_gain;
            self.left_at += 1;
            self.fade.1 -= 1;
        }
        self.read += 1;
        let soft = (self.period / 4).max(8);
        if self.made < soft {
            sample += self.step * (1.0 - self.made as f32 / soft as f32);
        }
        self.made += 1;
        sample
    }
}

/// The noise of the pauses.
#[derive(Clone, Debug)]
struct Pauses {
    /// Root mean square; infinite until something was heard.
    level: f32,
    sum: f32,
    count: usize,
    dice: u32,
    last: f32,
}

impl Pauses {
    fn heard(&mut self, samples: &[i16], rate: u32) {
        let block = rate as usize / 1000 * BLOCK_MS;
        for sample in samples {
            self.sum += f32::from(*sample) * f32::from(*sample);
            self.count += 1;
            if self.count >= block {
                let level = (self.sum / self.count as f32).sqrt();
                self.level = level.min((self.level * FLOOR_RISE).max(0.5));
                (self.sum, self.count) = (0.0, 0);
            }
        }
    }

    fn next(&mut self) -> f32 {
        self.dice = self.dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // Even in -1..1 has a power of a third; the low-pass leaves (1 - 0.6) / (1 + 0.6) of it.
        let white = (self.dice >> 8) as f32 / 8_388_608.0 - 1.0;
        self.last = 0.6 * self.last + 0.4 * white;
        let level = if self.level.is_finite() { self.level.min(LOUDEST_NOISE) } else { 0.0 };
        self.last * 3.464 * level
    }
}

/// Fills gaps.
#[derive(Clone, Debug)]
pub(super) struct Concealer {
    rate: u32,
    going: Going,
    coming: Going,
    pauses: Pauses,
    /// Samples made in this gap. As many as hold and fade together, or more: only the pauses' noise is left.
    made: usize,
    ahead: Box<[f32; LONGEST]>,
    behind: Box<[f32; LONGEST]>,
}

/// The longest gap that is filled from both sides, at 16 kHz: 100 ms.
pub(super) const LONGEST_BRIDGE: usize = 1600;
/// Samples of a look ahead at most: such a gap and 25 ms beyond.
const LONGEST: usize = LONGEST_BRIDGE + 400;

impl Concealer {
    pub(super) fn new() -> Self {
        Self {
            rate: 8000,
            going: Going::new(),
            coming: Going::new(),
            pauses: Pauses { level: f32::INFINITY, sum: 0.0, count: 0, dice: 7, last: 0.0 },
            made: usize::MAX,
            ahead: Box::new([0.0; LONGEST]),
            behind: Box::new([0.0; LONGEST]),
        }
    }

    pub(super) fn set_rate(&mut self, rate: u32) {
        self.rate = rate;
        self.made = usize::MAX;
    }

    /// Nothing goes on: the next gap has no voice to repeat.
    pub(super) fn hush(&mut self) {
        self.made = usize::MAX;
    }

    fn ms(&self) -> usize {
        self.rate as usize / 1000
    }

    /// Only the noise of pauses is left.
    pub(super) fn is_quiet(&self) -> bool {
        self.made >= (HOLD_MS + FADE_MS) * self.ms()
    }

    /// Longest gap that [`Self::bridge`] fills.
    pub(super) fn longest_bridge(&self) -> usize {
        LONGEST_BRIDGE * self.rate as usize / 16_000
    }

    /// What [`Self::fill`] would go on with, at full level.
    pub(super) fn look_ahead(&self, out: &mut [i16]) {
        let mut going = self.going.clone();
        out.fill_with(|| rounded(going.next()));
    }

    /// Takes note of good samples.
    pub(super) fn heard(&mut self, samples: &[i16]) {
        self.pauses.heard(samples, self.rate);
    }

    /// Whether these samples are as quiet as the pauses are.
    pub(super) fn is_pause(&self, samples: &[i16]) -> bool {
        let sum: f32 = samples.iter().map(|s| f32::from(*s) * f32::from(*s)).sum();
        let level = (sum / samples.len().max(1) as f32).sqrt();
        let known = if self.pauses.level.is_finite() { self.pauses.level } else { 0.0 };
        level <= (known * 2.0).clamp(8.0, 2.0 * LOUDEST_NOISE)
    }

    /// A gap begins after these samples.
    pub(super) fn begin(&mut self, tail: &[i16]) {
        let mut source = [0.0; HISTORY];
        widen(tail, &mut source);
        self.going.begin(&source, self.rate);
        self.made = 0;
    }

    /// Level of what goes on, so many samples from the last good one.
    fn gain(&self, distance: usize) -> f32 {
        let (hold, length) = (HOLD_MS * self.ms(), FADE_MS * self.ms());
        1.0 - (distance.saturating_sub(hold) as f32 / length as f32).min(1.0)
    }

    fn with_pauses(pauses: &mut Pauses, sample: f32, gain: f32) -> f32 {
        if gain >= 1.0 { sample } else { sample * gain + pauses.next() * (1.0 - gain * gain).sqrt() }
    }

    /// Goes on with what was heard.
    pub(super) fn fill(&mut self, out: &mut [i16]) {
        for sample in out {
            if self.is_quiet() {
                *sample = rounded(self.pauses.next());
                continue;
            }
            let (gain, going) = (self.gain(self.made), self.going.next());
            *sample = rounded(Self::with_pauses(&mut self.pauses, going, gain));
            self.made += 1;
        }
    }

    /// Joins what was made so far to `next`, which comes now whether or not that suits: so many more samples should be
    /// made before it, at most a period, and the front of `next` fades in under what goes on.
    pub(super) fn join(&mut self, next: &mut [i16], extra: &mut [i16]) -> usize {
        let ms = self.ms();
        let overlap = (4 * ms).min(next.len());
        if self.is_quiet() || overlap == 0 {
            return 0;
        }
        let mut fresh = [0.0; 64];
        widen(&next[..overlap], &mut fresh);
        let mut look = self.going.clone();
        let reach = extra.len().min(self.going.period);
        let ahead = &mut self.ahead[..reach + overlap];
        ahead.fill_with(|| look.next());
        let (mut at, mut best) = (0, alike(&ahead[..overlap], &fresh[..overlap]));
        for from in 1..=reach {
            let score = alike(&ahead[from..from + overlap], &fresh[..overlap]);
            if score > best + 0.02 {
                (at, best) = (from, score);
            }
        }
        if best < IN_PHASE {
            at = 0;
        }
        self.fill(&mut extra[..at]);
        for (n, sample) in next[..overlap].iter_mut().enumerate() {
            let (old_gain, new_gain) = fade((n + 1) as f32 / (overlap + 1) as f32, best);
            let gain = self.gain(self.made);
            let old = Self::with_pauses(&mut self.pauses, self.going.next(), gain);
            *sample = rounded(old * old_gain + f32::from(*sample) * new_gain);
            self.made += 1;
        }
        at
    }

    /// Fills a gap whose other side is known: from both sides, in phase with both. `gap` is at most
    /// [`Self::longest_bridge`] long, `next` what comes after it.
    pub(super) fn bridge(&mut self, gap: &mut [i16], next: &[i16]) {
        let ms = self.ms();
        let length = gap.len();
        let known = next.len().min(HISTORY);
        let mut fresh = [0.0; HISTORY];
        widen(&next[..known], &mut fresh);
        // Backwards, the other side goes on into the gap as this one does forwards.
        let fresh = &mut fresh[..known];
        let window = (8 * ms).min(known);
        let mut reversed = [0.0; HISTORY];
        for (to, from) in reversed.iter_mut().zip(fresh.iter().rev()) {
            *to = *from;
        }
        self.coming.begin(&reversed[..known], self.rate);
        let mut tail = [0.0; HISTORY];
        tail.copy_from_slice(&self.going.source);
        let slack = (length / 5).min(self.going.period.max(self.coming.period) * 2 / 3);

        let mut look = self.going.clone();
        self.ahead[..length + slack + window].fill_with(|| look.next());
        let forwards = land(&self.ahead[..], length, slack, &fresh[..window]);
        let mut look = self.coming.clone();
        self.behind[..length + slack + window].fill_with(|| look.next());
        let backwards = if self.made == 0 {
            let mut before = [0.0; 256];
            for (to, from) in before.iter_mut().zip(tail.iter().rev()) {
                *to = *from;
            }
            land(&self.behind[..], length, slack, &before[..window])
        } else {
            land_on_going(&self.behind[..], length, slack, &self.ahead[..window.min(length)])
        };
        let mut both = [0.0; 2];
        let mut likeness = [0.0; 3];
        for n in 0..length {
            both[0] = read(&self.ahead[..], n as f32 * forwards);
            both[1] = read(&self.behind[..], (length - 1 - n) as f32 * backwards);
            likeness[0] += both[0] * both[1];
            likeness[1] += both[0] * both[0];
            likeness[2] += both[1] * both[1];
        }
        let alike = likeness[0] / (likeness[1] * likeness[2]).sqrt().max(1.0);
        for (n, sample) in gap.iter_mut().enumerate() {
            let (old_gain, new_gain) = fade((n + 1) as f32 / (length + 1) as f32, alike);
            let (from_last, to_next) = (self.made + n, length - 1 - n);
            let old = read(&self.ahead[..], n as f32 * forwards) * self.gain(from_last);
            let new = read(&self.behind[..], to_next as f32 * backwards) * self.gain(to_next);
            let sound = old * old_gain + new * new_gain;
            let gain = self.gain(from_last).max(self.gain(to_next));
            *sample = rounded(if gain >= 1.0 { sound } else { sound + self.pauses.next() * (1.0 - gain) });
        }
        self.made = usize::MAX;
    }
}

/// How much faster a continuation must run to be in phase with `goal` after `length` samples.
fn land(going: &[f32], length: usize, slack: usize, goal: &[f32]) -> f32 {
    let score = |at: usize| alike(&going[at..at + goal.len()], goal);
    let (mut at, mut best) = (length, score(length));
    for candidate in length - slack..=length + slack {
        let far = candidate.abs_diff(length) as f32 / slack.max(1) as f32;
        let score = score(candidate) - 0.05 * far;
        if score > best {
            (at, best) = (candidate, score);
        }
    }
    if best < IN_PHASE || length == 0 { 1.0 } else { at as f32 / length as f32 }
}

/// The same where the other end is itself a continuation, told in the order of time.
fn land_on_going(going: &[f32], length: usize, slack: usize, goal: &[f32]) -> f32 {
    let mut reversed = [0.0; 256];
    let count = goal.len().min(256);
    for (to, from) in reversed.iter_mut().zip(goal[..count].iter().rev()) {
        *to = *from;
    }
    // `goal` lies inside the gap: it ends where going backwards has `count` samples to go.
    let inner = length - count;
    let score = |at: usize| alike(&going[at..at + count], &reversed[..count]);
    let (mut at, mut best) = (inner, score(inner));
    for candidate in inner.saturating_sub(slack)..=inner + slack {
        let far = candidate.abs_diff(inner) as f32 / slack.max(1) as f32;
        let score = score(candidate) - 0.05 * far;
        if score > best {
            (at, best) = (candidate, score);
        }
    }
    if best < IN_PHASE || inner == 0 { 1.0 } else { at as f32 / inner as f32 }
}

/// Between samples, by the cubic through the four around.
fn read(samples: &[f32], at: f32) -> f32 {
    let whole = at as usize;
    let part = at - whole as f32;
    let point = |n: usize| samples[n.min(samples.len() - 1)];
    let (before, here, next, after) =
        (point(whole.saturating_sub(1)), point(whole), point(whole + 1), point(whole + 2));
    if part == 0.0 {
        return here;
    }
    let (a, b) = (0.5 * (next - before), 0.5 * (after - here));
    let (c, d) = (a + b - 2.0 * (next - here), 3.0 * (next - here) - 2.0 * a - b);
    ((c * part + d) * part + a) * part + here
}
