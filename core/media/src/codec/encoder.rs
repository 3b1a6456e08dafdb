//! Samples to payload, behind one seam; and what of it need not be sent.
//!
//! RFC 3551 section 4.5 for what a payload holds. Knows nothing of headers or of time.

use super::Codec;
use crate::{g711, g729};

/// What became of the samples of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coded {
    /// Samples at the front of which nothing is sent: the packet begins behind them. All of them: no packet at all.
    pub skipped: usize,
    /// Samples that are done, the skipped ones among them. The rest belongs to a packet of its own.
    pub consumed: usize,
    /// The payload holds nothing but what silence sounds like.
    pub silence: bool,
}

impl Coded {
    const fn all(samples: &[i16]) -> Self {
        Self { skipped: 0, consumed: samples.len(), silence: false }
    }
}

/// Samples to payload, with the codec's state.
#[derive(Clone, Debug)]
pub enum Encoder {
    /// Frames of 10 ms.
    G729(Box<G729>),
    /// Without state.
    Pcmu,
    /// Without state.
    Pcma,
}

impl Encoder {
    pub(super) fn new(codec: Codec, silence: bool) -> Self {
        match codec {
            Codec::G729 => Self::G729(Box::new(G729::new(silence))),
            Codec::Pcmu => Self::Pcmu,
            Codec::Pcma => Self::Pcma,
        }
    }

    /// Appends the payload of `samples`: a whole multiple of [`Codec::frame_samples`], all that one packet should hold.
    pub fn encode(&mut self, samples: &[i16], out: &mut Vec<u8>) -> Coded {
        match self {
            Self::G729(g729) => return g729.encode(samples, out),
            Self::Pcmu => out.extend(samples.iter().map(|s| g711::mu_law(*s))),
            Self::Pcma => out.extend(samples.iter().map(|s| g711::a_law(*s))),
        }
        Coded::all(samples)
    }
}

/// G.729 in packets: a description of silence ends one, and a packet has no hole. RFC 3551 section 4.5.6.
#[derive(Clone, Debug)]
pub struct G729 {
    encoder: g729::Encoder,
    /// A frame that is coded and belongs to the next packet.
    held: Option<g729::Coded>,
}

impl G729 {
    fn new(silence: bool) -> Self {
        Self { encoder: g729::Encoder::new(silence), held: None }
    }

    fn encode(&mut self, samples: &[i16], out: &mut Vec<u8>) -> Coded {
        let (frames, _) = samples.as_chunks::<{ g729::FRAME_SAMPLES }>();
        let mut coded = Coded { skipped: 0, consumed: 0, silence: true };
        let (mut begun, mut ended) = (false, false);
        for frame in frames {
            let next = self.held.take().unwrap_or_else(|| self.encoder.encode(frame));
            match next {
                g729::Coded::Nothing if begun => ended = true,
                g729::Coded::Nothing => coded.skipped += frame.len(),
                g729::Coded::Speech(_) | g729::Coded::Sid(_) if ended => {
                    self.held = Some(next);
                    return coded;
                }
                g729::Coded::Speech(bytes) => {
                    (begun, coded.silence) = (true, false);
                    out.extend_from_slice(&bytes);
                }
                g729::Coded::Sid(bytes) => {
                    (begun, ended) = (true, true);
                    out.extend_from_slice(&bytes);
                }
            }
            coded.consumed += frame.len();
        }
        coded
    }
}
