//! When to send speech, when to tell of the background, when nothing: silence compression for codecs that have none.
//!
//! RFC 3389 section 5 leaves it open. A background is told when it begins, when it changes, and now and then for those
//! who came late.

use super::{Analyser, Noise, Vad};

/// A change of level that is worth a packet, if the last is not too young.
const CHANGE_DB: f32 = 3.0;
const YOUNG_MS: usize = 100;
/// A background is told again after so long: a lost packet must not leave a wrong one for ever.
const REPEAT_MS: usize = 1000;

/// What is due for a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// The frame itself, coded.
    Speech,
    /// A payload of comfort noise.
    Noise(Noise),
    /// No packet.
    Nothing,
}

/// Silence compression of one direction.
#[derive(Clone, Debug)]
pub struct Dtx {
    vad: Vad,
    analyser: Analyser,
    samples_per_ms: usize,
    /// What was told of the background that goes on, and samples since; `None` during speech.
    told: Option<(Noise, usize)>,
}

impl Dtx {
    /// One that has heard nothing, and takes it for speech.
    pub fn new(sample_rate: u32) -> Self {
        Self {
            vad: Vad::new(sample_rate),
            analyser: Analyser::default(),
            samples_per_ms: (sample_rate as usize / 1000).max(1),
            told: None,
        }
    }

    /// What is due for the next frame, best of 10 to 30 ms.
    pub fn frame(&mut self, frame: &[i16]) -> Due {
        let speech = self.vad.is_speech(frame);
        // The hangover's frames are background already: with them the first payload knows what it tells of.
        if self.vad.stands_out() {
            self.analyser.forget();
        } else {
            self.analyser.feed(frame);
        }
        if speech {
            self.told = None;
            return Due::Speech;
        }
        let noise = self.analyser.noise();
        if let Some((told, since)) = &mut self.told {
            *since += frame.len();
            let changed = (noise.level_dbov() - told.level_dbov()).abs() >= CHANGE_DB;
            let after = if changed { YOUNG_MS } else { REPEAT_MS };
            if *since < after * self.samples_per_ms {
                return Due::Nothing;
            }
        }
        self.told = Some((noise, 0));
        Due::Noise(noise)
    }
}
