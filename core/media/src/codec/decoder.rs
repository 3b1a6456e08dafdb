//! Payload to samples, behind one seam; and what a codec makes of a payload that never came.
//!
//! RFC 3551 section 4.5 for what a payload holds. Knows nothing of headers or of time.

use std::ops::Range;

use base::Rng;

use super::{BadPayload, Codec};
use crate::comfort_noise::{Generator, Noise};
use crate::g729::{self, FRAME_SAMPLES, Frame, SID_BYTES, SPEECH_BYTES};
use crate::{g711, g722, gsm, opus};

/// What a payload of comfort noise is worth at once; the silence behind it is drawn on from it. 10 ms at 8 kHz.
const NOISE_SAMPLES: usize = 80;

/// What a decoder missed, and what was heard instead.
#[derive(Clone, Debug)]
pub struct Missed<'a> {
    /// The payload that was decoded last.
    pub last: &'a [u8],
    /// What was heard before, instead and, at least [`Self::BEYOND`] samples, would have been heard next.
    pub heard: &'a [i16],
    /// Where in it the missing samples are; at least [`Self::BEFORE`] samples come before.
    pub gap: Range<usize>,
}

impl Missed<'_> {
    /// Samples before the gap and behind it, at least: as long as the filters of G.722 remember.
    pub const BEFORE: usize = 32;
    /// See [`Self::BEFORE`].
    pub const BEYOND: usize = 32;
}

/// Payload to samples, with the codec's state.
#[derive(Debug)]
pub enum Decoder {
    /// Frames of 10 ms.
    G729(Box<G729>),
    /// Without state.
    Pcmu,
    /// Without state.
    Pcma,
    /// Frames of 20 ms.
    Gsm(Box<gsm::Decoder>),
    /// Packets that say themselves how long they are.
    Opus(Box<Opus>),
    /// Two samples an octet.
    G722(Box<g722::Decoder>),
    /// What silence sounds like, for codecs that cannot say it. RFC 3389.
    Noise(Box<Generator>),
}

impl Decoder {
    /// Comfort noise beside a codec of this sample rate.
    pub fn noise(sample_rate: u32, rng: Rng) -> Self {
        Self::Noise(Box::new(Generator::new(sample_rate, rng)))
    }

    pub(super) fn new(codec: Codec) -> Self {
        match codec {
            Codec::G729 => Self::G729(Box::default()),
            Codec::Pcmu => Self::Pcmu,
            Codec::Pcma => Self::Pcma,
            Codec::Gsm => Self::Gsm(Box::default()),
            Codec::Opus => Self::Opus(Box::new(Opus {
                decoder: opus::Decoder::new(codec.sample_rate()),
                pausing: false,
            })),
            Codec::G722 => Self::G722(Box::default()),
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
            Self::Gsm(_) if payload.len().is_multiple_of(gsm::BYTES) => {
                Ok(payload.len() / gsm::BYTES * gsm::SAMPLES)
            }
            Self::Gsm(_) => Err(BadPayload),
            Self::Opus(opus) => opus.decoder.samples(payload).map_err(|_| BadPayload),
            Self::G722(_) => Ok(payload.len() * 2),
            // It says how it sounds and not for how long.
            Self::Noise(_) => Ok(NOISE_SAMPLES),
        }
    }

    /// Decodes into the front of `out`, as much as fits; returns how many samples.
    pub fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> usize {
        let count = payload.len().min(out.len());
        match self {
            Self::G729(g729) => return g729.decode(payload, out),
            Self::Gsm(gsm) => return decode_gsm(gsm, payload, out),
            Self::Opus(opus) => {
                opus.pausing = opus::is_dtx(payload);
                return opus.decoder.decode(payload, out);
            }
            Self::G722(g722) => return g722.decode(payload, out),
            Self::Noise(noise) => {
                if let Ok(told) = Noise::read(payload) {
                    noise.set(&told);
                }
                let count = NOISE_SAMPLES.min(out.len());
                noise.fill(&mut out[..count]);
                return count;
            }
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
    pub fn conceal(&mut self, next: Option<&[u8]>, out: &mut [i16]) -> usize {
        match self {
            Self::G729(g729) => g729.conceal(out),
            Self::Opus(opus) => opus.decoder.conceal(next, out),
            Self::Noise(noise) => {
                noise.fill(out);
                out.len()
            }
            Self::Pcmu | Self::Pcma | Self::Gsm(_) | Self::G722(_) => 0,
        }
    }

    /// Tells what was made up in place of packets that never came, before the next one is decoded: a decoder that has a
    /// memory and does not conceal brings its memory up to that.
    pub fn missed(&mut self, missed: &Missed<'_>) {
        match self {
            Self::Gsm(gsm) => {
                for _ in 0..missed.gap.len() / gsm::SAMPLES {
                    decode_gsm(gsm, missed.last, &mut [0; gsm::SAMPLES]);
                }
            }
            Self::G722(g722) => g722.follow(missed.heard, missed.gap.clone()),
            // The others forget nothing, or conceal themselves.
            Self::G729(_) | Self::Opus(_) | Self::Noise(_) | Self::Pcmu | Self::Pcma => {}
        }
    }

    /// Whether the last payload said that silence follows: then a gap is no loss, and [`Self::conceal`] fills it with
    /// what the silence sounds like.
    pub fn is_pausing(&self) -> bool {
        match self {
            Self::G729(g729) => g729.pausing,
            Self::Opus(opus) => opus.pausing,
            Self::Noise(_) => true,
            Self::Pcmu | Self::Pcma | Self::Gsm(_) | Self::G722(_) => false,
        }
    }
}

/// A frame that is none of GSM's sounds like nothing.
fn decode_gsm(decoder: &mut gsm::Decoder, payload: &[u8], out: &mut [i16]) -> usize {
    let (frames, _) = payload.as_chunks::<{ gsm::BYTES }>();
    let (places, _) = out.as_chunks_mut::<{ gsm::SAMPLES }>();
    let mut count = 0;
    for (place, frame) in places.iter_mut().zip(frames) {
        if decoder.decode(frame, place).is_err() {
            place.fill(0);
        }
        count += gsm::SAMPLES;
    }
    count
}

/// Opus, and whether it pauses.
#[derive(Debug)]
pub struct Opus {
    decoder: opus::Decoder,
    pausing: bool,
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
