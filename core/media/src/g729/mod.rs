//! G.729 Annex A with Annex B: 8 kbit/s speech in frames of 10 ms, silence compressed when asked for.
//!
//! ITU-T G.729 with Annexes A and B, from a numeric specification of their fixed-point arithmetic: the same words as
//! the Recommendation's, always. One file a stage; both directions share `ops`, `math`, `lsf`, `gain` and `noise`, and
//! `kernels` holds the loops where the time goes, twice: plain and fast. Knows no packets.

// Field letters are the Recommendation's, and an index there is an index here.
#![allow(clippy::many_single_char_names, clippy::needless_range_loop)]

mod bits;
mod decoder;
mod dtx;
mod encoder;
mod fixed;
mod fixed_fast;
mod gain;
mod gain_search;
mod highpass;
mod kernels;
mod lanes;
mod lpc;
mod lsf;
mod lsf_search;
mod math;
mod noise;
mod ops;
mod pitch;
mod postfilter;
mod tables;
mod vad;

pub use bits::{SID_BYTES, SPEECH_BYTES};
pub use decoder::{Decoder, Frame};
pub use encoder::{Coded, Encoder};

/// Samples of a frame, 10 ms at 8 kHz.
pub const FRAME_SAMPLES: usize = math::FRAME;

#[cfg(test)]
mod tests;
