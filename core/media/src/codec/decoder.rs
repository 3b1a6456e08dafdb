//! Payload to samples, behind one seam; and what a codec makes of a payload that never came.
//!
//! RFC 3551 section 4.5 for what a payload holds. Knows nothing of headers or of time.

use super::{BadPayload, Codec};
use crate::g711;
use crate::g729::{self, FRAME_SAMPLES, Frame, SID_BYTES, SPEECH_BYTES};

/// Payload to samples, with the codec's state.
#[derive(Clone, Debug)]
pub enum Decoder {
    /// Frames of 10 ms.
    G729(Box<G729>),
    /// Without state.
    Pcmu,
    /// Without state.
    Pcma,
}

impl Decoder {
    pub(super) fn new(codec: Codec) -> Self {
        match codec {
            Codec::G729 => Self::G729(Box::default()),
            Codec::Pcmu => Self::Pcmu,
            Codec::Pcma => Self::Pcma,
        }
    }

    /// How many samples a payload holds, without decoding it.
    ///
    /// # Errors
    /// [`BadPayload`]: not a length that the codec writes.
    pub fn samples(&self, payload: &[u8]) -> Result<usize, BadPayload> {
        if payload.is_empty() {
            return Err(BadPayload);
        }
        match self {
            Self::G729(_) => match (payload.len() / SPEECH_BYTES, payload.len() % SPEECH_BYTES) {
                (frames, 0) => Ok(frames * FRAME_SAMPLES),
                (frames, SID_BYTES) => Ok((frames + 1) * FRAME_SAMPLES),
                _ => Err(BadPayload),
            },
            Self::Pcmu | Self::Pcma => Ok(payload.len()),
        }
    }

    /// Decodes into the front of `out`, as much as fits; returns how many samples.
    pub fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> usize {
        let count = payload.len().min(out.len());
        match self {
            Self::G729(g729) => return g729.decode(payload, out),
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

    /// Writes into the front of `out` what the codec itself makes of samples that are missing there; returns how many.
    /// `next` is the payload behind the gap, if it is there already: some codecs repeat in it what was lost. Less than all
    /// when the gap is no whole number of frames; 0 when the codec knows no concealment.
    pub fn conceal(&mut self, _next: Option<&[u8]>, out: &mut [i16]) -> usize {
        match self {
            Self::G729(g729) => g729.conceal(out),
            Self::Pcmu | Self::Pcma => 0,
        }
    }

    /// Whether the last payload said that silence follows: then a gap is no loss, and [`Self::conceal`] fills it with
    /// what the silence sounds like.
    pub fn is_pausing(&self) -> bool {
        match self {
            Self::G729(g729) => g729.pausing,
            Self::Pcmu | Self::Pcma => false,
        }
    }
}

/// G.729 out of packets.
#[derive(Clone, Debug, Default)]
pub struct G729 {
    decoder: g729::Decoder,
    pausing: bool,
}

impl G729 {
    fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> usize {
        let (speech, rest) = payload.as_chunks::<SPEECH_BYTES>();
        let silence = rest.first_chunk::<SID_BYTES>().map(|bytes| Frame::Sid(*bytes));
        let mut frames = speech.iter().map(Frame::Speech).chain(silence);
        let (places, _) = out.as_chunks_mut::<FRAME_SAMPLES>();
        let mut count = 0;
        for (place, frame) in places.iter_mut().zip(&mut frames) {
            self.pausing = matches!(frame, Frame::Sid(_));
            *place = self.decoder.decode(frame);
            count += FRAME_SAMPLES;
        }
        count
    }

    fn conceal(&mut self, out: &mut [i16]) -> usize {
        let missing = if self.pausing { Frame::Untransmitted } else { Frame::Erased };
        let (places, _) = out.as_chunks_mut::<FRAME_SAMPLES>();
        for place in places.iter_mut() {
            *place = self.decoder.decode(missing);
        }
        places.len() * FRAME_SAMPLES
    }
}
