//! GSM full rate: 13 kbit/s speech in frames of 20 ms.
//!
//! ETSI GSM 06.10 (ETS 300 961), in its fixed-point arithmetic: the same words as the standard's, always. Packed for
//! RTP as RFC 3551 section 4.5.8 says. One file a stage; `lpc` and `lattice` are the short-term part, `ltp` the
//! long-term one, `rpe` the pulses. Knows no homing frames (they are a base station's) and no packets.

mod bits;
mod decoder;
mod encoder;
mod lattice;
mod lpc;
mod ltp;
mod math;
mod rpe;

pub use bits::{BYTES, BadFrame};
pub use decoder::Decoder;
pub use encoder::Encoder;

/// Samples of a frame, 20 ms at 8 kHz.
pub const SAMPLES: usize = 160;

/// Samples of a sub-segment, which has its own lag and pulses.
const SUBFRAME: usize = 40;
/// Sub-segments of a frame.
const SUBFRAMES: usize = 4;
/// Poles of the short-term filter.
const ORDER: usize = 8;
/// Pulses of a sub-segment.
const PULSES: usize = 13;

#[cfg(test)]
mod tests;
