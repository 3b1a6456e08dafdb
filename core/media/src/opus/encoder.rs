//! The encoder: a frame in, a packet out, or nothing where silence needs none.
//!
//! Knows no RTP, and of the network only how much of it is lost.

use opus_pure::{Application, OpusEncoder, Signal};

use super::SAMPLE_RATES;

/// Bit/s unless told otherwise: wideband speech, 16 to 20 kbit/s by RFC 7587 section 3.1.1, and room for redundancy.
pub const BITRATE: u32 = 24_000;

/// The bit/s that Opus can be asked for. RFC 6716 section 2.1.1.
const BITRATES: std::ops::RangeInclusive<u32> = 6_000..=510_000;

/// Of 0 to 10: above it the time doubles for little that is heard in speech.
const COMPLEXITY: i32 = 5;

/// The most bytes of a packet, so that it crosses an Ethernet with every header around it. At 60 ms it holds 170 kbit/s.
const MAX_PACKET: usize = 1275;

/// A packet of up to this many bytes says nothing but "silence as before". The encoder makes one of every 400 ms longer.
const SILENCE_BYTES: usize = 2;

/// One stream's encoder, tuned for speech. Variable bitrate within bounds that a thin link can stand.
///
/// For each frame the crate takes and gives back three scratch buffers of a frame's size; nothing grows.
#[derive(Debug)]
pub struct Encoder {
    codec: OpusEncoder,
    sample_rate: u32,
}

impl Encoder {
    /// A fresh encoder at [`BITRATE`], without redundancy and without silence compression.
    ///
    /// `sample_rate` is one of [`SAMPLE_RATES`].
    pub fn new(sample_rate: u32) -> Self {
        debug_assert!(SAMPLE_RATES.contains(&sample_rate), "{sample_rate} Hz");
        let mut codec = OpusEncoder::new(sample_rate as i32, 1, Application::Voip)
            .expect("a rate of the five, one channel");
        codec.bitrate_bps = BITRATE as i32;
        codec.complexity = COMPLEXITY;
        codec.signal_type = Some(Signal::Voice);
        Self { codec, sample_rate }
    }

    /// Codes the next frame, 10, 20, 40 or 60 ms, and appends its packet to `out`; nothing is appended when silence
    /// compression finds that nothing needs to be sent, or when the frame has another length.
    pub fn encode(&mut self, frame: &[i16], out: &mut Vec<u8>) {
        let mut packet = [0; MAX_PACKET];
        debug_assert!(
            [10, 20, 40, 60].contains(&(frame.len() * 1000 / self.sample_rate as usize)),
            "{} samples",
            frame.len()
        );
        let length = self.codec.encode_s16(frame, frame.len(), &mut packet).unwrap_or(0);
        if length > SILENCE_BYTES {
            out.extend_from_slice(&packet[..length]);
        }
    }

    /// The loss, in percent, that the far end reports of this stream. From 1 on each packet describes the one before
    /// again where the bitrate has room for it, at the cost of how it describes itself.
    pub fn told_loss(&mut self, percent: u8) {
        self.codec.use_inband_fec = percent > 0;
        self.codec.packet_loss_perc = i32::from(percent.min(100));
    }

    /// Bit/s on average from the next frame on, brought within 6,000 to 510,000.
    pub fn set_bitrate(&mut self, bits_a_second: u32) {
        self.codec.bitrate_bps = bits_a_second.clamp(*BITRATES.start(), *BITRATES.end()) as i32;
    }

    /// Whether silence is left out, from the next frame on.
    pub fn set_dtx(&mut self, on: bool) {
        self.codec.use_dtx = on;
    }
}
