//! Echo cancellation, noise suppression and automatic gain, between the devices and the calls.
//!
//! By `sonora`, WebRTC's audio processing in Rust, for the feature `effects`. The platform's own go first: Android's come
//! with oboe's preset, so there ours are off unless asked for; cpal's devices have none. Finds the echo's delay itself, up
//! to half a second. Knows what is heard and said, 20 ms at a time; neither rings nor devices.

#[cfg(any(test, feature = "effects"))]
use sonora::config::{AdaptiveDigital, EchoCanceller, GainController2, NoiseSuppression};
#[cfg(any(test, feature = "effects"))]
use sonora::{AudioProcessing, Config, StreamConfig};

use super::Frame;
#[cfg(any(test, feature = "effects"))]
use super::{PER_MS, RATE};

/// What is done to the microphone's sound before calls say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effects {
    /// Takes out what the loudspeaker sent into the microphone.
    pub echo_cancellation: bool,
    /// Takes out what is steady and no speech.
    pub noise_suppression: bool,
    /// Brings speech to a usual level.
    pub gain_control: bool,
}

impl Effects {
    /// Whether there are any in this build; else whatever is asked for is left out.
    pub const BUILT: bool = cfg!(feature = "effects");
    /// None of them.
    pub const NONE: Self = Self::all(false);

    const fn all(on: bool) -> Self {
        Self { echo_cancellation: on, noise_suppression: on, gain_control: on }
    }
}

/// All, where they are built and the platform has none of its own.
impl Default for Effects {
    fn default() -> Self {
        Self::all(Self::BUILT && !cfg!(target_os = "android"))
    }
}

/// The effects of one stretch of calls: what it has learnt of the room is its own.
#[cfg(any(test, feature = "effects"))]
pub(super) struct Processor(AudioProcessing);

#[cfg(any(test, feature = "effects"))]
impl Processor {
    /// `None` where there is nothing to do.
    pub(super) fn new(effects: Effects) -> Option<Self> {
        if effects == Effects::NONE {
            return None;
        }
        let adaptive = || GainController2 {
            adaptive_digital: Some(AdaptiveDigital::default()),
            ..GainController2::default()
        };
        let config = Config {
            echo_canceller: effects.echo_cancellation.then(EchoCanceller::default),
            noise_suppression: effects.noise_suppression.then(NoiseSuppression::default),
            gain_controller2: effects.gain_control.then(adaptive),
            ..Config::default()
        };
        let mono = StreamConfig::new(RATE, 1);
        Some(Self(AudioProcessing::builder().config(config).capture_config(mono).render_config(mono).build()))
    }

    /// The next 20 ms from the loudspeaker.
    pub(super) fn heard(&mut self, frame: &Frame) {
        let mut out = [0; PIECE];
        for piece in frame.chunks_exact(PIECE) {
            // Rates and channels can be refused, and ours are not.
            let _ = self.0.process_render_i16(piece, &mut out);
        }
    }

    /// The next 20 ms from the microphone: what should be said instead.
    pub(super) fn said(&mut self, frame: &mut Frame) {
        for piece in frame.chunks_exact_mut(PIECE) {
            let mut out = [0; PIECE];
            if self.0.process_capture_i16(piece, &mut out).is_ok() {
                piece.copy_from_slice(&out);
            }
        }
    }
}

/// What the library takes at a time: 10 ms.
#[cfg(any(test, feature = "effects"))]
const PIECE: usize = 10 * PER_MS;

#[cfg(any(test, feature = "effects"))]
impl std::fmt::Debug for Processor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Processor").finish_non_exhaustive()
    }
}

/// In a build without them.
#[cfg(not(any(test, feature = "effects")))]
#[derive(Debug)]
pub(super) enum Processor {}

#[cfg(not(any(test, feature = "effects")))]
impl Processor {
    pub(super) const fn new(_: Effects) -> Option<Self> {
        None
    }

    pub(super) const fn heard(&mut self, _: &Frame) {
        match *self {}
    }

    pub(super) const fn said(&mut self, _: &mut Frame) {
        match *self {}
    }
}

#[cfg(test)]
#[path = "effects_tests.rs"]
mod tests;
