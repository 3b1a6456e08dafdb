//! The decoder: a packet in, samples out, and something likely where a packet is missing.
//!
//! Knows no packets' order: who lost what is told.

use opus_pure::OpusDecoder;

use super::packet::Packet;
use super::{MAX_PACKET_MS, SAMPLE_RATES};
use crate::BadPayload;

/// Concealment is asked for in pieces of 20, 10, 5 and 2.5 ms, as parts of a second: between those the codec
/// makes nothing.
const PIECES: [u32; 4] = [50, 100, 200, 400];

/// One stream's decoder, to one channel. Allocates in its first packets of a kind, then no more to decode; for each
/// piece that it conceals the crate takes and gives back up to four scratch buffers of a frame's size.
#[derive(Debug)]
pub struct Decoder {
    codec: OpusDecoder,
    sample_rate: u32,
    /// The longest packet's samples, for a packet that is longer than the room for it.
    whole: Vec<i16>,
}

impl Decoder {
    /// A fresh decoder; `sample_rate` is one of [`SAMPLE_RATES`], and needs not be the encoder's.
    pub fn new(sample_rate: u32) -> Self {
        debug_assert!(SAMPLE_RATES.contains(&sample_rate), "{sample_rate} Hz");
        let codec = OpusDecoder::new(sample_rate as i32, 1).expect("a rate of the five, one channel");
        Self { codec, sample_rate, whole: vec![0; (MAX_PACKET_MS * sample_rate / 1000) as usize] }
    }

    /// How many samples `payload` decodes to, at this decoder's rate.
    ///
    /// # Errors
    /// [`BadPayload`]: not a packet of RFC 6716 section 3.
    pub fn samples(&self, payload: &[u8]) -> Result<usize, BadPayload> {
        let packet = Packet::read(payload).ok_or(BadPayload)?;
        Ok(packet.samples(self.sample_rate))
    }

    /// Decodes into the front of `out`, as much as fits; returns how many samples. 0: not a packet.
    pub fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> usize {
        let Ok(samples) = self.samples(payload) else { return 0 };
        let Some(room) = out.get_mut(..samples) else {
            let decoded = self.codec.decode_s16(payload, samples, &mut self.whole).unwrap_or(0);
            let fit = decoded.min(out.len());
            out[..fit].copy_from_slice(&self.whole[..fit]);
            return fit;
        };
        self.codec.decode_s16(payload, samples, room).unwrap_or(0)
    }

    /// Fills `out`, which is exactly what is missing before the packet `next`, and returns how many samples were made:
    /// all, save a rest of less than 2.5 ms.
    ///
    /// What `next` describes again of the missing packet is taken from it; the rest, and all of it where `next` is not
    /// there yet or has none, is drawn on from what was heard before. `next` itself is decoded afterwards as always.
    pub fn conceal(&mut self, next: Option<&[u8]>, out: &mut [i16]) -> usize {
        let units = out.len() / (self.sample_rate / PIECES[3]) as usize;
        let out = &mut out[..units * (self.sample_rate / PIECES[3]) as usize];
        let again = next.and_then(|payload| {
            let packet = Packet::read(payload).filter(Packet::has_fec)?;
            Some((payload, packet.frame_samples(self.sample_rate)))
        });
        match again {
            Some((payload, samples)) if samples <= out.len() => {
                let (lead, last) = out.split_at_mut(out.len() - samples);
                let made = self.extrapolate(lead);
                made + self.codec.decode_fec_s16(payload, samples, last).unwrap_or(0)
            }
            _ => self.extrapolate(out),
        }
    }

    fn extrapolate(&mut self, mut out: &mut [i16]) -> usize {
        let mut made = 0;
        for piece in PIECES.map(|part| (self.sample_rate / part) as usize) {
            while out.len() >= piece {
                let (now, later) = out.split_at_mut(piece);
                made += self.codec.decode_s16(&[], piece, now).unwrap_or(0);
                out = later;
            }
        }
        made
    }
}
