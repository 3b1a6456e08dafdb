//! Speech or background, by level.
//!
//! No standard's: what stands out from the quietest moments of the last seconds is speech, and so is what follows it.
//! Looks at two levels, as it is and with high frequencies raised: the second finds an "s" above a hum. When in doubt
//! it says speech, for a lost syllable is worse than a packet of noise. Believes in no background that is loud.

use super::{FULL, level_dbov};

/// How far speech stands out from the quietest moment.
const STANDS_OUT_DB: f32 = 5.0;
/// What is louder is always speech, however steady: music, tones, a room one should hear.
const LOUDEST_BACKGROUND_DBOV: f32 = -40.0;
/// What is quieter than this is background in any room.
const QUIETEST_SPEECH_DBOV: f32 = -70.0;
/// How long what follows speech is speech: the ends of words fade.
const HANGOVER_MS: usize = 240;
/// The quietest moment is looked for among so many stretches, of so long: nobody speaks for four
/// seconds without a pause.
const STRETCHES: usize = 8;
const STRETCH_MS: usize = 500;
/// How long the quietest moment is.
const MOMENT_MS: usize = 80;

/// A voice activity detector.
#[derive(Clone, Debug)]
pub struct Vad {
    samples_per_ms: usize,
    plain: Background,
    raised: Background,
    /// The last sample of the frame before.
    last: f32,
    /// Samples of hangover to come.
    hangover: usize,
    stands_out: bool,
}

impl Vad {
    /// One that has heard nothing: everything is speech until it knows the background.
    pub fn new(sample_rate: u32) -> Self {
        let samples_per_ms = (sample_rate as usize / 1000).max(1);
        let background = Background::new(samples_per_ms);
        Self {
            samples_per_ms,
            plain: background.clone(),
            raised: background,
            last: 0.0,
            hangover: samples_per_ms * HANGOVER_MS,
            stands_out: true,
        }
    }

    /// Whether a frame, best of 10 to 30 ms, is to be sent as speech.
    pub fn is_speech(&mut self, frame: &[i16]) -> bool {
        let count = frame.len().max(1) as f32;
        let mean = frame.iter().map(|s| f32::from(*s)).sum::<f32>() / count;
        let (mut plain, mut raised) = (0.0, 0.0);
        for sample in frame.iter().map(|s| f32::from(*s)) {
            plain += (sample - mean).powi(2);
            raised += (sample - self.last).powi(2);
            self.last = sample;
        }
        let (plain, raised) = (plain / count, raised / count);
        // Both backgrounds have to be told, whatever the first says.
        let above = [self.plain.stands_out(plain, frame.len()), self.raised.stands_out(raised, frame.len())];
        self.stands_out = level_dbov(plain) > LOUDEST_BACKGROUND_DBOV || above.contains(&true);
        if self.stands_out {
            self.hangover = self.samples_per_ms * HANGOVER_MS;
            return true;
        }
        self.hangover = self.hangover.saturating_sub(frame.len());
        self.hangover > 0
    }

    /// Whether the last frame was speech for itself, and not only because it follows some.
    pub fn stands_out(&self) -> bool {
        self.stands_out
    }
}

/// The quietest moment of the last stretches.
#[derive(Clone, Debug)]
struct Background {
    samples_per_ms: usize,
    /// Samples of the stretch that goes on.
    heard: usize,
    /// Mean power of the last moment.
    moment: f32,
    /// The quietest moment of each stretch in dBov, the one that goes on first; `None`: not yet.
    quietest: [Option<f32>; STRETCHES],
}

impl Background {
    fn new(samples_per_ms: usize) -> Self {
        Self { samples_per_ms, heard: 0, moment: FULL, quietest: [None; STRETCHES] }
    }

    /// Whether a frame of this mean power stands out; takes it in.
    fn stands_out(&mut self, power: f32, samples: usize) -> bool {
        // One frame of a rumble may be much quieter than the next: a moment is longer.
        let share = samples as f32 / (self.samples_per_ms * MOMENT_MS) as f32;
        self.moment += (power - self.moment) * share.min(1.0);
        let level = level_dbov(self.moment);
        let first = self.quietest[0].map_or(level, |quietest| quietest.min(level));
        self.quietest[0] = Some(first);

        // A whole stretch must be over before there is a background to believe in.
        let past = self.quietest[1..].iter().flatten().copied().reduce(f32::min);
        let threshold = past.map_or(QUIETEST_SPEECH_DBOV, |past| past.min(first) + STANDS_OUT_DB);

        self.heard += samples;
        if self.heard >= self.samples_per_ms * STRETCH_MS {
            self.heard = 0;
            self.quietest.copy_within(..STRETCHES - 1, 1);
            self.quietest[0] = None;
        }
        level_dbov(power) > threshold.max(QUIETEST_SPEECH_DBOV)
    }
}
