//! The codecs, and the one seam behind which they all stand.
//!
//! An enum rather than a trait object: the set is closed, `match` is exhaustive, and a session holds its coders
//! in place. A codec with state (G.729, GSM, Opus, G.722) keeps it in its variant. RFC 3551 section 6 for names
//! and static payload types. Knows nothing of packets' order or of SDP.

use thiserror::Error;

use crate::g711;
use crate::quality::Impairment;

/// An audio codec that this build speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// G.711 mu-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
}

impl Codec {
    /// All of them, in the order that is offered when the user has none.
    pub const ALL: [Self; 2] = [Self::Pcmu, Self::Pcma];

    /// The name in `a=rtpmap` and in the settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }

    /// Reads a name in any case; encoding names compare so (RFC 4855 section 3).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name))
    }

    /// Ticks of the RTP timestamp a second, as `a=rtpmap` says it. Not always the sampling rate (G.722).
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma => 8000,
        }
    }

    /// The payload type that needs no `a=rtpmap`. RFC 3551 table 4.
    pub const fn static_payload_type(self) -> Option<u8> {
        match self {
            Self::Pcmu => Some(0),
            Self::Pcma => Some(8),
        }
    }

    /// The codec that a static payload type names.
    pub fn from_static_payload_type(payload_type: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.static_payload_type() == Some(payload_type))
    }

    /// The samples that must go together into one encoding step; packets hold whole multiples of it.
    pub const fn frame_samples(self) -> usize {
        match self {
            Self::Pcmu | Self::Pcma => 1,
        }
    }

    /// How much the codec itself, and loss under it, cost in the E-model.
    pub const fn impairment(self) -> Impairment {
        match self {
            // Repeat-and-fade is not concealment of the G.711 Appendix I class: claim none.
            Self::Pcmu | Self::Pcma => Impairment::G711_BARE,
        }
    }

    /// A fresh encoder.
    pub const fn encoder(self) -> Encoder {
        match self {
            Self::Pcmu => Encoder::Pcmu,
            Self::Pcma => Encoder::Pcma,
        }
    }

    /// A fresh decoder.
    pub const fn decoder(self) -> Decoder {
        match self {
            Self::Pcmu => Decoder::Pcmu,
            Self::Pcma => Decoder::Pcma,
        }
    }
}

/// A payload that its codec cannot have written. Count it; the gap is concealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("payload of a length that its codec never writes")]
pub struct BadPayload;

/// Samples to payload, with the codec's state.
#[derive(Clone, Debug)]
pub enum Encoder {
    /// Without state.
    Pcmu,
    /// Without state.
    Pcma,
}

impl Encoder {
    /// Appends the payload of `samples`: a whole multiple of [`Codec::frame_samples`].
    pub fn encode(&mut self, samples: &[i16], out: &mut Vec<u8>) {
        match self {
            Self::Pcmu => out.extend(samples.iter().map(|s| g711::mu_law(*s))),
            Self::Pcma => out.extend(samples.iter().map(|s| g711::a_law(*s))),
        }
    }
}

/// Payload to samples, with the codec's state.
#[derive(Clone, Debug)]
pub enum Decoder {
    /// Without state.
    Pcmu,
    /// Without state.
    Pcma,
}

impl Decoder {
    /// How many 8 kHz samples a payload holds, without decoding it.
    ///
    /// # Errors
    /// [`BadPayload`]: not a length that the codec writes.
    pub fn samples(&self, payload: &[u8]) -> Result<usize, BadPayload> {
        match self {
            Self::Pcmu | Self::Pcma if payload.is_empty() => Err(BadPayload),
            Self::Pcmu | Self::Pcma => Ok(payload.len()),
        }
    }

    /// Decodes into the front of `out`, as much as fits; returns how many samples.
    pub fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> usize {
        let count = payload.len().min(out.len());
        match self {
            Self::Pcmu => {
                for (sample, code) in out.iter_mut().zip(payload) {
                    *sample = g711::from_mu_law(*code);
                }
            }
            Self::Pcma => {
                for (sample, code) in out.iter_mut().zip(payload) {
                    *sample = g711::from_a_law(*code);
                }
            }
        }
        count
    }

    /// Writes into the front of `out` what the codec's own concealment makes of one missing frame; returns how
    /// many samples. 0: it has none, and the playout repeats and fades.
    pub fn conceal(&mut self, _out: &mut [i16]) -> usize {
        match self {
            Self::Pcmu | Self::Pcma => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_static_payload_types_lead_back_to_their_codec() {
        for codec in Codec::ALL {
            assert_eq!(Codec::from_name(&codec.name().to_lowercase()), Some(codec));
            let payload_type = codec.static_payload_type().unwrap();
            assert_eq!(Codec::from_static_payload_type(payload_type), Some(codec));
        }
        assert_eq!(Codec::from_name("G7"), None);
    }

    #[test]
    fn a_payload_goes_through_its_codec_and_back() {
        for codec in Codec::ALL {
            let samples = [0, 1000, -1000, 20_000];
            let (mut payload, mut back) = (Vec::new(), [0; 4]);
            codec.encoder().encode(&samples, &mut payload);
            assert_eq!(codec.decoder().samples(&payload), Ok(4));
            assert_eq!(codec.decoder().decode(&payload, &mut back), 4);
            assert!(samples.iter().zip(back).all(|(a, b)| (a - b).abs() <= a.abs() / 16 + 8), "{back:?}");
        }
    }

    #[test]
    fn an_empty_payload_is_bad_and_a_long_one_is_cut_to_the_room() {
        assert_eq!(Codec::Pcmu.decoder().samples(&[]), Err(BadPayload));
        assert_eq!(Codec::Pcma.decoder().decode(&[0xd5; 9], &mut [0; 4]), 4);
    }
}
