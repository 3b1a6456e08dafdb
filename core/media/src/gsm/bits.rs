//! What a frame says, and its 33 octets.
//!
//! RFC 3551 section 4.5.8.1, tables 2 and 3: fields in order, each with its highest bit first, behind a signature. Five
//! octets of filter, then seven for each sub-segment.

use thiserror::Error;

use super::{ORDER, PULSES, SUBFRAMES};

/// Octets of a frame in RTP.
pub const BYTES: usize = 33;

/// The four bits in front of every frame.
const SIGNATURE: u8 = 0xd;
const FILTER_BYTES: usize = 5;
const SUBFRAME_BYTES: usize = 7;

/// Not a GSM full-rate frame: it lacks the signature. Count it; the gap is concealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a frame without the signature of GSM full rate")]
pub struct BadFrame;

/// Codes of a frame, as GSM 06.10 names them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Frame {
    /// Log area ratios, LARc.
    pub(super) ratios: [u8; ORDER],
    pub(super) subframes: [Subframe; SUBFRAMES],
}

/// Codes of a sub-segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Subframe {
    /// Nc, in samples: 40..=120 is valid.
    pub(super) lag: u8,
    /// bc, 2 bits.
    pub(super) gain: u8,
    /// Mc, 2 bits.
    pub(super) grid: u8,
    /// xmaxc, 6 bits.
    pub(super) peak: u8,
    /// xMc, 3 bits each.
    pub(super) pulses: [u8; PULSES],
}

/// Bits of each ratio.
const RATIO_BITS: [u32; ORDER] = [6, 6, 5, 5, 4, 4, 3, 3];

impl Frame {
    pub(super) fn pack(&self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        let (filter, subframes) = bytes.split_at_mut(FILTER_BYTES);
        let signed = u64::from(SIGNATURE);
        let bits = self.ratios.iter().zip(RATIO_BITS).fold(signed, |bits, (r, n)| bits << n | u64::from(*r));
        filter.copy_from_slice(&bits.to_be_bytes()[8 - FILTER_BYTES..]);
        for (bytes, s) in subframes.chunks_exact_mut(SUBFRAME_BYTES).zip(&self.subframes) {
            let head = ((u64::from(s.lag) << 2 | u64::from(s.gain)) << 2 | u64::from(s.grid)) << 6;
            let bits = s.pulses.iter().fold(head | u64::from(s.peak), |bits, p| bits << 3 | u64::from(*p));
            bytes.copy_from_slice(&bits.to_be_bytes()[8 - SUBFRAME_BYTES..]);
        }
        bytes
    }

    pub(super) fn unpack(bytes: &[u8; BYTES]) -> Result<Self, BadFrame> {
        if bytes[0] >> 4 != SIGNATURE {
            return Err(BadFrame);
        }
        let (filter, subframes) = bytes.split_at(FILTER_BYTES);
        let mut frame = Self::default();
        let mut bits = whole(filter);
        for (ratio, n) in frame.ratios.iter_mut().zip(RATIO_BITS).rev() {
            *ratio = (bits & ((1 << n) - 1)) as u8;
            bits >>= n;
        }
        for (s, bytes) in frame.subframes.iter_mut().zip(subframes.chunks_exact(SUBFRAME_BYTES)) {
            let mut bits = whole(bytes);
            for pulse in s.pulses.iter_mut().rev() {
                *pulse = (bits & 7) as u8;
                bits >>= 3;
            }
            s.peak = (bits & 0x3f) as u8;
            s.grid = (bits >> 6 & 3) as u8;
            s.gain = (bits >> 8 & 3) as u8;
            s.lag = (bits >> 10) as u8;
        }
        Ok(frame)
    }
}

/// At most eight octets as a number.
fn whole(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte))
}
