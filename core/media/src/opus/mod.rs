//! Opus, one voice: 6 to 510 kbit/s in packets of 10 to 60 ms, the lost one described again in the next.
//!
//! RFC 6716 with RFC 8251 for the codec, RFC 7587 for its packets in RTP. The codec itself is the crate `opus-pure`;
//! here is what a call asks of it, and `packet`, which reads what a payload says about itself so that nothing
//! malformed goes any further. Knows no SDP and no packets' order.
//!
//! What RFC 7587 fixes, for whoever writes the SDP:
//! * The line is `opus/48000/2` always (section 7): the RTP clock is 48 kHz and the channels are 2 whatever is sent, and
//!   a 20 ms packet advances the timestamp by 960 at any sampling rate. The payload type is dynamic.
//! * `useinbandfec=1`: this decoder uses what the next packet holds of a lost one, so say it. Toward a peer that did
//!   not, leave [`Encoder::told_loss`] at 0.
//! * `usedtx=1` asks the peer for silence compression, 0 is the default and recommended (section 3.1.3). What is not
//!   sent takes a timestamp and no sequence number: that is how the receiver tells it from loss.
//! * `stereo` and `sprop-stereo` default to 0: one channel. A stereo packet must be accepted all the same; it comes
//!   out of the decoder as one channel.
//! * `maxplaybackrate` (default 48000): send nothing above it. A stream coded at 8, 16 or 48 kHz can be decoded at
//!   any of the five rates, so a sampling rate is each side's own affair.
//! * `maxaveragebitrate` bounds [`Encoder::set_bitrate`]; outside 6000 to 510000 it is ignored. `ptime` defaults to
//!   20, `maxptime` to 120: a packet of up to 120 ms must be accepted.

mod decoder;
mod encoder;
mod packet;

pub use decoder::Decoder;
pub use encoder::{BITRATE, Encoder};
pub use packet::{has_fec, is_dtx};

/// Ticks of the RTP timestamp a second, at any sampling rate. RFC 7587 section 4.1.
pub const CLOCK_RATE: u32 = 48_000;

/// The sampling rates in Hz that can be coded from and decoded to. RFC 6716 section 2.1.3.
pub const SAMPLE_RATES: [u32; 5] = [8_000, 12_000, 16_000, 24_000, 48_000];

/// The longest packet, in milliseconds. RFC 6716 section 3.2.5, requirement R5.
const MAX_PACKET_MS: u32 = 120;

#[cfg(test)]
mod tests;
