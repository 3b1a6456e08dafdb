//! The codecs, and the one seam behind which they all stand.
//!
//! Enums rather than trait objects: the set is closed, `match` is exhaustive, and a session makes its coders once.
//! RFC 3551 section 6 for names and static payload types. Knows nothing of packets' order or of SDP.
//!
//! Four figures differ between them: samples a second, ticks of the RTP clock a second (not the same for G.722 and Opus),
//! samples in a step of the encoder, and whether silence need be sent.

mod decoder;
mod encoder;
#[cfg(test)]
mod tests;

use std::time::Duration;

use thiserror::Error;

use crate::quality::Impairment;
use crate::{gsm, opus};

pub use decoder::{Decoder, Missed};
pub use encoder::{Coded, Content, Encoder};

/// An audio codec that this build speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// G.729 with Annexes A and B.
    G729,
    /// G.711 mu-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// GSM full rate.
    Gsm,
    /// Opus, one voice.
    Opus,
    /// G.722 at 64 kbit/s.
    G722,
}

impl Codec {
    /// All of them, in the order that is offered when the user has none.
    pub const ALL: [Self; 6] = [Self::G729, Self::Pcmu, Self::Pcma, Self::Gsm, Self::Opus, Self::G722];

    /// The name in `a=rtpmap` and in the settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::G729 => "G729",
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::Gsm => "GSM",
            Self::Opus => "opus",
            Self::G722 => "G722",
        }
    }

    /// Reads a name in any case; encoding names compare so (RFC 4855 section 3).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name))
    }

    /// Samples a second that go into the encoder and come out of the decoder. Opus could do more; a voice needs no more.
    pub const fn sample_rate(self) -> u32 {
        match self {
            Self::G729 | Self::Pcmu | Self::Pcma | Self::Gsm => 8000,
            Self::Opus | Self::G722 => 16_000,
        }
    }

    /// Ticks of the RTP timestamp a second, as `a=rtpmap` says it. Not always the sample rate.
    ///
    /// G.722's is 8000 by an old mistake (RFC 3551 section 4.5.2), that of Opus 48000 whatever it is coded at.
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::G729 | Self::Pcmu | Self::Pcma | Self::Gsm | Self::G722 => 8000,
            Self::Opus => opus::CLOCK_RATE,
        }
    }

    /// Channels as `a=rtpmap` says them.
    pub const fn channels(self) -> u8 {
        match self {
            Self::G729 | Self::Pcmu | Self::Pcma | Self::Gsm | Self::G722 => 1,
            // RFC 7587 section 7, whatever is sent.
            Self::Opus => 2,
        }
    }

    /// The payload type that needs no `a=rtpmap`. RFC 3551 table 4.
    pub const fn static_payload_type(self) -> Option<u8> {
        match self {
            Self::G729 => Some(18),
            Self::Pcmu => Some(0),
            Self::Pcma => Some(8),
            Self::Gsm => Some(3),
            Self::G722 => Some(9),
            Self::Opus => None,
        }
    }

    /// The codec that a static payload type names.
    pub fn from_static_payload_type(payload_type: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.static_payload_type() == Some(payload_type))
    }

    /// The samples that must go together into one encoding step; packets hold whole multiples of it.
    pub const fn frame_samples(self) -> usize {
        match self {
            Self::G729 => 80,
            Self::Pcmu | Self::Pcma => 1,
            Self::Gsm => gsm::SAMPLES,
            // 20, 40 or 60 ms.
            Self::Opus => 320,
            Self::G722 => 2,
        }
    }

    /// Whether a keypad's tones come out as they went in: not of a model of the human voice.
    pub const fn carries_tones(self) -> bool {
        match self {
            Self::Pcmu | Self::Pcma | Self::Opus | Self::G722 => true,
            Self::G729 | Self::Gsm => false,
        }
    }

    /// How much the codec itself, and loss under it, cost in the E-model.
    pub const fn impairment(self) -> Impairment {
        match self {
            Self::G729 => Impairment::G729A,
            Self::Pcmu | Self::Pcma => Impairment::G711_CONCEALED,
            Self::Gsm => Impairment::GSM,
            Self::Opus => Impairment::OPUS,
            Self::G722 => Impairment::G722,
        }
    }

    /// What the codec waits for beyond the samples of its frame.
    pub const fn look_ahead(self) -> Duration {
        match self {
            Self::Pcmu | Self::Pcma | Self::Gsm => Duration::ZERO,
            // G.729 section 2.1.
            Self::G729 => Duration::from_millis(5),
            // RFC 6716 section 2: 5 ms, and 1.5 ms for changing the sampling rate.
            Self::Opus => Duration::from_micros(6500),
            // Two filters of 24 taps, 23 samples at 16 kHz together: G.722 sections 3.1 and 4.4.
            Self::G722 => Duration::from_micros(1437),
        }
    }

    /// Whether a payload says that silence follows it: then no packet is missed for a while.
    pub fn pauses(self, payload: &[u8]) -> bool {
        match self {
            // A frame of two octets, which comes last: RFC 3551 section 4.5.6.
            Self::G729 => payload.len() % 10 == 2,
            Self::Opus => opus::is_dtx(payload),
            Self::Pcmu | Self::Pcma | Self::Gsm | Self::G722 => false,
        }
    }

    /// A fresh encoder. `silence`: it may leave silence out, for the other side knows what to make of that.
    pub fn encoder(self, silence: bool) -> Encoder {
        Encoder::new(self, silence)
    }

    /// A fresh decoder.
    pub fn decoder(self) -> Decoder {
        Decoder::new(self)
    }
}

/// A payload that its codec cannot have written. Count it; the gap is concealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("payload of a length that its codec never writes")]
pub struct BadPayload;
