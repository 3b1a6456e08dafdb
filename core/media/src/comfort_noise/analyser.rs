//! What a background sounds like, as a payload.
//!
//! The mean of its frames' autocorrelations, and Levinson's recursion for the reflection coefficients of their
//! spectrum. Believes whoever says that a frame is background.

use super::{Noise, level_dbov};

/// Reflection coefficients that are told.
const ORDER: usize = 8;
/// Frames over which the background is averaged.
const MEMORY: f32 = 16.0;
/// Samples of a frame that are looked at together.
const LONGEST: usize = 960;
/// Noise that is thought to lie below every background, so that no spectrum is too steep to be told.
const FLOOR: f32 = 1.001;

/// A listener to the background.
#[derive(Clone, Debug, Default)]
pub struct Analyser {
    /// Frames that the mean holds, at most [`MEMORY`].
    frames: f32,
    /// Of samples without their mean, by sample.
    autocorrelation: [f32; ORDER + 1],
}

impl Analyser {
    /// Takes a frame of background, of any length at any rate; of more than 960 samples the first.
    pub fn feed(&mut self, frame: &[i16]) {
        let frame = &frame[..frame.len().min(LONGEST)];
        if frame.len() <= ORDER {
            return;
        }
        let count = frame.len() as f32;
        let mean = frame.iter().map(|s| f32::from(*s)).sum::<f32>() / count;
        let mut centred = [0.0; LONGEST];
        for (out, sample) in centred.iter_mut().zip(frame) {
            *out = f32::from(*sample) - mean;
        }
        let centred = &centred[..frame.len()];
        self.frames = (self.frames + 1.0).min(MEMORY);
        for (lag, sum) in self.autocorrelation.iter_mut().enumerate() {
            let products = centred[lag..].iter().zip(centred).map(|(a, b)| a * b);
            *sum += (products.sum::<f32>() / count - *sum) / self.frames;
        }
    }

    /// Another background begins.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// What it heard; silence before it heard anything.
    pub fn noise(&self) -> Noise {
        let level = level_dbov(self.autocorrelation[0]);
        if self.autocorrelation[0] < 1.0 {
            return Noise::white(level);
        }
        Noise::with_spectrum(level, &self.reflections())
    }

    fn reflections(&self) -> [f32; ORDER] {
        let r = &self.autocorrelation;
        let (mut all, mut a) = ([0.0; ORDER], [0.0_f32; ORDER + 1]);
        let mut error = r[0] * FLOOR;
        for (n, out) in all.iter_mut().enumerate() {
            let inner: f32 = (1..=n).map(|j| a[j] * r[n + 1 - j]).sum();
            let k = (-(r[n + 1] + inner) / error).clamp(-1.0, 1.0);
            let before = a;
            for j in 1..=n {
                a[j] = before[j] + k * before[n + 1 - j];
            }
            a[n + 1] = k;
            error = (error * (1.0 - k * k)).max(f32::MIN_POSITIVE);
            *out = k;
        }
        all
    }
}
