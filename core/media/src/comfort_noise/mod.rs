//! Comfort noise: what is sent and played while nobody speaks.
//!
//! RFC 3389: a payload names the noise's level and, if it likes, its spectrum. [`Generator`] plays what a payload
//! names, [`Analyser`] names what it hears, [`Vad`] tells speech from background and [`Dtx`] makes of both what a codec
//! without its own silence compression sends. Knows no packets, and nothing of when one comes.

mod analyser;
mod dtx;
mod generator;
mod vad;

pub use analyser::Analyser;
pub use dtx::{Dtx, Due};
pub use generator::Generator;
pub use vad::Vad;

use crate::BadPayload;

/// Reflection coefficients that are looked at. A payload may hold more: the RFC lets the higher ones be zero.
pub const MAX_ORDER: usize = 12;

/// The quietest level that a payload can name, in -dBov.
const QUIETEST: u8 = 127;
/// The code of a coefficient of 0, and the reserved one. RFC 3389 section 3.2.
const ZERO: u8 = 127;
const RESERVED: u8 = 255;
/// What one code is of a coefficient. RFC 3389 section 3.2.
const STEP: f32 = 258.0 / 32_768.0;
/// Power of a square wave at the overload point: 0 dBov.
const FULL: f32 = 32_768.0 * 32_768.0;

/// A background noise as a payload names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noise {
    level: u8,
    order: usize,
    /// Codes of the reflection coefficients; those past `order` are [`ZERO`].
    model: [u8; MAX_ORDER],
}

impl Noise {
    /// White noise of a level in dBov, rounded to whole dB within -127..=0.
    pub fn white(level_dbov: f32) -> Self {
        let level = (-level_dbov).round().clamp(0.0, f32::from(QUIETEST)) as u8;
        Self { level, order: 0, model: [ZERO; MAX_ORDER] }
    }

    /// Noise of a level in dBov with a spectrum: reflection coefficients between -1 and 1, at most [`MAX_ORDER`].
    fn with_spectrum(level_dbov: f32, reflections: &[f32]) -> Self {
        let mut noise = Self::white(level_dbov);
        noise.order = reflections.len().min(MAX_ORDER);
        for (code, k) in noise.model.iter_mut().zip(reflections) {
            *code = (k / STEP + f32::from(ZERO)).round().clamp(0.0, f32::from(RESERVED - 1)) as u8;
        }
        noise
    }

    /// Reads a payload of any length. What follows a reserved code, or lies past [`MAX_ORDER`], is left out.
    ///
    /// # Errors
    /// [`BadPayload`]: it is empty.
    pub fn read(payload: &[u8]) -> Result<Self, BadPayload> {
        let (level, codes) = payload.split_first().ok_or(BadPayload)?;
        let mut noise = Self { level: level & QUIETEST, order: 0, model: [ZERO; MAX_ORDER] };
        for (place, code) in noise.model.iter_mut().zip(codes).take_while(|(_, code)| **code != RESERVED) {
            *place = *code;
            noise.order += 1;
        }
        Ok(noise)
    }

    /// Appends the payload.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(self.level);
        out.extend_from_slice(&self.model[..self.order]);
    }

    /// How loud it is, -127.0..=0.0.
    pub fn level_dbov(&self) -> f32 {
        -f32::from(self.level)
    }

    /// The reflection coefficients, 0 past those that were named.
    ///
    /// The RFC does not say their sign. As G.729 has it, and as others send it, the first one of noise whose low
    /// frequencies prevail is negative.
    fn reflections(&self) -> [f32; MAX_ORDER] {
        self.model.map(|code| (f32::from(code) - f32::from(ZERO)) * STEP)
    }
}

/// Mean power of samples around their mean, relative to the overload point; in dBov, not below -127.
fn level_dbov(power: f32) -> f32 {
    (10.0 * (power / FULL).log10()).max(-f32::from(QUIETEST))
}

#[cfg(test)]
mod tests;
