//! Samples to payload, behind one seam; and what of it need not be sent.
//!
//! RFC 3551 section 4.5 for what a payload holds. Knows nothing of headers or of time.

use super::Codec;
use crate::comfort_noise::{Dtx, Due};
use crate::{g711, g722, g729, gsm, opus};

/// What became of the samples of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coded {
    /// Samples at the front of which nothing is sent: the packet begins behind them. All of them: no packet at all.
    pub skipped: usize,
    /// Samples that are done, the skipped ones among them. The rest belongs to a packet of its own.
    pub consumed: usize,
    /// What the payload is.
    pub content: Content,
}

/// What a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// The codec's, and somebody speaks in it, or may.
    Speech,
    /// The codec's, and says no more than what silence sounds like.
    Silence,
    /// Comfort noise under a payload type of its own. RFC 3389.
    Noise,
}

impl Coded {
    const fn all(samples: &[i16]) -> Self {
        Self { skipped: 0, consumed: samples.len(), content: Content::Speech }
    }

    const fn nothing(samples: &[i16]) -> Self {
        Self { skipped: samples.len(), consumed: samples.len(), content: Content::Silence }
    }
}

/// Samples to payload, with the codec's state.
#[derive(Debug)]
pub enum Encoder {
    /// Frames of 10 ms.
    G729(Box<G729>),
    /// Without state; with who looks for silence.
    Pcmu(Option<Box<Dtx>>),
    /// As well.
    Pcma(Option<Box<Dtx>>),
    /// Frames of 20 ms.
    Gsm(Box<gsm::Encoder>),
    /// Packets of 20, 40 or 60 ms.
    Opus(Box<opus::Encoder>),
    /// Pairs of samples.
    G722(Box<g722::Encoder>),
}

impl Encoder {
    pub(super) fn new(codec: Codec, silence: bool) -> Self {
        match codec {
            Codec::G729 => Self::G729(Box::new(G729::new(silence))),
            Codec::Pcmu => Self::Pcmu(silence.then(|| Box::new(Dtx::new(codec.sample_rate())))),
            Codec::Pcma => Self::Pcma(silence.then(|| Box::new(Dtx::new(codec.sample_rate())))),
            Codec::Gsm => Self::Gsm(Box::default()),
            Codec::Opus => {
                let mut encoder = Box::new(opus::Encoder::new(codec.sample_rate()));
                encoder.set_dtx(silence);
                Self::Opus(encoder)
            }
            Codec::G722 => Self::G722(Box::default()),
        }
    }

    /// The share of our packets that the other side lost lately, 0.0..=1.0: some codecs repeat more then.
    pub fn told_loss(&mut self, share: f32) {
        match self {
            Self::Opus(opus) => opus.told_loss((share * 100.0).ceil() as u8),
            Self::G729(_) | Self::Pcmu(_) | Self::Pcma(_) | Self::Gsm(_) | Self::G722(_) => {}
        }
    }

    /// Appends the payload of `samples`: a whole multiple of [`Codec::frame_samples`], all that one packet should hold.
    pub fn encode(&mut self, samples: &[i16], out: &mut Vec<u8>) -> Coded {
        match self {
            Self::G729(g729) => return g729.encode(samples, out),
            Self::Pcmu(silence) => return g711(samples, silence.as_deref_mut(), g711::mu_law, out),
            Self::Pcma(silence) => return g711(samples, silence.as_deref_mut(), g711::a_law, out),
            Self::Gsm(gsm) => {
                let (frames, _) = samples.as_chunks();
                for frame in frames {
                    out.extend_from_slice(&gsm.encode(frame));
                }
            }
            Self::Opus(opus) => {
                let before = out.len();
                opus.encode(samples, out);
                if out.len() == before {
                    return Coded::nothing(samples);
                }
            }
            Self::G722(g722) => g722.encode(samples, out),
        }
        Coded::all(samples)
    }
}

/// Sample by sample, unless nobody speaks.
fn g711(samples: &[i16], silence: Option<&mut Dtx>, law: fn(i16) -> u8, out: &mut Vec<u8>) -> Coded {
    match silence.map_or(Due::Speech, |silence| silence.frame(samples)) {
        Due::Speech => {
            out.extend(samples.iter().map(|sample| law(*sample)));
            Coded::all(samples)
        }
        Due::Noise(noise) => {
            noise.write(out);
            Coded { content: Content::Noise, ..Coded::all(samples) }
        }
        Due::Nothing => Coded::nothing(samples),
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
        let mut coded = Coded { skipped: 0, consumed: 0, content: Content::Silence };
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
                    (begun, coded.content) = (true, Content::Speech);
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
