//! Extended reports: the blocks of an XR piece, to values and back.
//!
//! RFC 3611 sections 3, 4.4 (receiver reference time), 4.5 (DLRR) and 4.7 (VoIP metrics). Other blocks are passed over by
//! their length. Borrows, never allocates. Does not know how the figures come about.

use super::{Malformed, Writer, word};

pub(super) const EXTENDED: u8 = 207;

const REFERENCE_TIME: u8 = 4;
const DELAYS: u8 = 5;
const VOIP_METRICS: u8 = 7;
/// Octets of a delay, and of metrics without the block's head.
const DELAY: usize = 12;
const METRICS: usize = 32;
/// "Unavailable", in levels, R factors and scores. RFC 3611 sections 4.7.4 and 4.7.5.
const UNKNOWN: u8 = 127;

/// One block of an XR piece.
#[derive(Clone, Debug, PartialEq)]
pub enum Block<'a> {
    /// A receiver's clock, to be said back. Section 4.4.
    ReferenceTime {
        /// When it was sent: seconds since 1900 in 32.32 bits.
        ntp: u64,
    },
    /// The clocks of receivers, said back. Section 4.5.
    Delays(Delays<'a>),
    /// How a call sounds at the other side. Section 4.7.
    VoipMetrics(VoipMetrics),
    /// Another, or one of a length that its kind never has: to be passed over.
    Other {
        /// The block type.
        kind: u8,
    },
}

/// One receiver's clock, said back: what a report block's `LSR` and `DLSR` are to a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay {
    /// The receiver.
    pub ssrc: u32,
    /// Middle 32 bits of its last reference time; 0: none came.
    pub last_rr: u32,
    /// Time since that came, in 65,536ths of a second.
    pub delay_since_last_rr: u32,
}

/// How lost packets are made up for, as the wire has it: two bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concealment {
    /// Not said.
    Unspecified,
    /// Silence is played.
    Disabled,
    /// By a method that masks heavy loss.
    Enhanced,
    /// By repetition or interpolation.
    Standard,
}

/// How a call sounds to who receives it. RFC 3611 section 4.7; rates and densities in 256ths, times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoipMetrics {
    /// The stream.
    pub ssrc: u32,
    /// Lost on the way, since the beginning.
    pub loss_rate: u8,
    /// Came too late or too early for its turn, since the beginning.
    pub discard_rate: u8,
    /// Lost or discarded within bursts.
    pub burst_density: u8,
    /// Lost or discarded within gaps.
    pub gap_density: u8,
    /// Mean length of a burst.
    pub burst_duration: u16,
    /// Mean length of a gap.
    pub gap_duration: u16,
    /// Between both RTP ends; 0: not known.
    pub round_trip: u16,
    /// In our end: collecting and coding one way, waiting and decoding the other.
    pub end_system_delay: u16,
    /// Of speech that was received, in dBm0.
    pub signal_dbm0: Option<i8>,
    /// Of the pauses between it.
    pub noise_dbm0: Option<i8>,
    /// Residual echo return loss, in dB.
    pub echo_loss_db: Option<u8>,
    /// Packets in a row that end a burst.
    pub gmin: u8,
    /// With delay: 0..=100.
    pub r_factor: Option<u8>,
    /// Of what lies beyond the other end: 0..=100.
    pub external_r_factor: Option<u8>,
    /// For listening, in tenths: 10..=50.
    pub mos_lq: Option<u8>,
    /// For conversation, in tenths: 10..=50.
    pub mos_cq: Option<u8>,
    /// What is done about losses.
    pub concealment: Concealment,
    /// Whether the jitter buffer adapts; `None`: not said.
    pub adaptive: Option<bool>,
    /// Twice this many frames are needed to adapt: 0..=15, 0 is unknown.
    pub adjustment: u8,
    /// Wait of packets that are in time.
    pub buffer_nominal: u16,
    /// Wait of the earliest that is kept.
    pub buffer_maximum: u16,
    /// What the maximum may come to.
    pub buffer_limit: u16,
}

/// The receivers' clocks of one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delays<'a>(&'a [u8]);

impl Iterator for Delays<'_> {
    type Item = Delay;
    fn next(&mut self) -> Option<Delay> {
        let (delay, rest) = self.0.split_first_chunk::<DELAY>()?;
        self.0 = rest;
        Some(Delay { ssrc: word(delay, 0), last_rr: word(delay, 4), delay_since_last_rr: word(delay, 8) })
    }
}

/// The blocks of one XR piece, every length checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocks<'a>(&'a [u8]);

impl<'a> Blocks<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut rest = bytes;
        while !rest.is_empty() {
            (_, _, rest) = split(rest).ok_or(Malformed::Count)?;
        }
        Ok(Self(bytes))
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Block<'a>;
    fn next(&mut self) -> Option<Block<'a>> {
        let (kind, body, rest) = split(self.0)?;
        self.0 = rest;
        Some(match (kind, body.len()) {
            (REFERENCE_TIME, 8) => {
                Block::ReferenceTime { ntp: u64::from(word(body, 0)) << 32 | u64::from(word(body, 4)) }
            }
            (DELAYS, length) if length.is_multiple_of(DELAY) => Block::Delays(Delays(body)),
            (VOIP_METRICS, METRICS) => Block::VoipMetrics(VoipMetrics::read(body)),
            _ => Block::Other { kind },
        })
    }
}

/// The first block's kind and body, and the bytes after it.
fn split(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    let length = usize::from(u16::from_be_bytes([head[2], head[3]])) * 4;
    let (body, rest) = rest.split_at_checked(length)?;
    Some((head[0], body, rest))
}

impl VoipMetrics {
    fn read(body: &[u8]) -> Self {
        let short = |at: usize| u16::from_be_bytes([body[at], body[at + 1]]);
        let level = |at: usize| (body[at] != UNKNOWN).then_some(body[at] as i8);
        // What is outside the range must be ignored: sections 4.7.4 and 4.7.5.
        let within = |at: usize, least: u8, most: u8| Some(body[at]).filter(|v| (least..=most).contains(v));
        Self {
            ssrc: word(body, 0),
            loss_rate: body[4],
            discard_rate: body[5],
            burst_density: body[6],
            gap_density: body[7],
            burst_duration: short(8),
            gap_duration: short(10),
            round_trip: short(12),
            end_system_delay: short(14),
            signal_dbm0: level(16),
            noise_dbm0: level(17),
            echo_loss_db: within(18, 0, UNKNOWN - 1),
            gmin: body[19],
            r_factor: within(20, 0, 100),
            external_r_factor: within(21, 0, 100),
            mos_lq: within(22, 10, 50),
            mos_cq: within(23, 10, 50),
            concealment: match body[24] >> 6 {
                0 => Concealment::Unspecified,
                1 => Concealment::Disabled,
                2 => Concealment::Enhanced,
                _ => Concealment::Standard,
            },
            adaptive: match body[24] >> 4 & 3 {
                2 => Some(false),
                3 => Some(true),
                _ => None,
            },
            adjustment: body[24] & 15,
            buffer_nominal: short(26),
            buffer_maximum: short(28),
            buffer_limit: short(30),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let level = |level: Option<i8>| level.map_or(UNKNOWN, |level| level as u8);
        let known = |value: Option<u8>| value.unwrap_or(UNKNOWN);
        out.extend_from_slice(&self.ssrc.to_be_bytes());
        out.extend_from_slice(&[self.loss_rate, self.discard_rate, self.burst_density, self.gap_density]);
        for time in [self.burst_duration, self.gap_duration, self.round_trip, self.end_system_delay] {
            out.extend_from_slice(&time.to_be_bytes());
        }
        out.extend_from_slice(&[level(self.signal_dbm0), level(self.noise_dbm0)]);
        out.extend_from_slice(&[known(self.echo_loss_db), self.gmin]);
        out.extend_from_slice(&[known(self.r_factor), known(self.external_r_factor)]);
        out.extend_from_slice(&[known(self.mos_lq), known(self.mos_cq)]);
        let concealment = match self.concealment {
            Concealment::Unspecified => 0,
            Concealment::Disabled => 1,
            Concealment::Enhanced => 2,
            Concealment::Standard => 3,
        };
        let adaptive = match self.adaptive {
            None => 0,
            Some(false) => 2,
            Some(true) => 3,
        };
        out.extend_from_slice(&[concealment << 6 | adaptive << 4 | self.adjustment & 15, 0]);
        for time in [self.buffer_nominal, self.buffer_maximum, self.buffer_limit] {
            out.extend_from_slice(&time.to_be_bytes());
        }
    }
}

impl Writer<'_> {
    /// XR with those of the three blocks that are given; nothing when none is.
    pub fn extended(
        &mut self,
        ssrc: u32,
        reference_time: Option<u64>,
        delay: Option<Delay>,
        metrics: Option<&VoipMetrics>,
    ) {
        if reference_time.is_none() && delay.is_none() && metrics.is_none() {
            return;
        }
        let start = self.begin(0, EXTENDED);
        self.word(ssrc);
        if let Some(ntp) = reference_time {
            self.0.extend_from_slice(&[REFERENCE_TIME, 0, 0, 2]);
            self.0.extend_from_slice(&ntp.to_be_bytes());
        }
        if let Some(delay) = delay {
            self.0.extend_from_slice(&[DELAYS, 0, 0, 3]);
            self.word(delay.ssrc);
            self.word(delay.last_rr);
            self.word(delay.delay_since_last_rr);
        }
        if let Some(metrics) = metrics {
            self.0.extend_from_slice(&[VOIP_METRICS, 0, 0, 8]);
            metrics.write(self.0);
        }
        self.end(start);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Compound, Piece};
    use super::*;

    const METRICS: VoipMetrics = VoipMetrics {
        ssrc: 0x0a0b_0c0d,
        loss_rate: 12,
        discard_rate: 13,
        burst_density: 84,
        gap_density: 10,
        burst_duration: 120,
        gap_duration: 520,
        round_trip: 81,
        end_system_delay: 105,
        signal_dbm0: Some(-19),
        noise_dbm0: None,
        echo_loss_db: None,
        gmin: 16,
        r_factor: Some(91),
        external_r_factor: None,
        mos_lq: Some(44),
        mos_cq: Some(43),
        concealment: Concealment::Enhanced,
        adaptive: Some(true),
        adjustment: 5,
        buffer_nominal: 60,
        buffer_maximum: 160,
        buffer_limit: 400,
    };
    const DELAY: Delay = Delay { ssrc: 7, last_rr: 0xb705_2000, delay_since_last_rr: 0x0005_4000 };

    fn blocks(bytes: &[u8]) -> Vec<Block<'_>> {
        let Some(Piece::Extended { ssrc: 1, blocks }) = Compound::read(bytes).unwrap().last() else {
            panic!("no extended report of source 1")
        };
        blocks.collect()
    }

    #[test]
    fn all_three_blocks_are_read_as_they_were_written() {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        writer.report(1, None, None);
        writer.extended(1, Some(0xb44d_b705_2000_0000), Some(DELAY), Some(&METRICS));
        let [Block::ReferenceTime { ntp }, Block::Delays(delays), Block::VoipMetrics(metrics)] =
            &blocks(&out)[..]
        else {
            panic!("{:?}", blocks(&out))
        };
        assert_eq!((*ntp, *metrics), (0xb44d_b705_2000_0000, METRICS));
        assert_eq!(delays.clone().collect::<Vec<_>>(), [DELAY]);
    }

    #[test]
    fn metrics_lie_as_the_figure_in_the_rfc_has_them() {
        let mut out = Vec::new();
        Writer::new(&mut out).extended(1, None, None, Some(&METRICS));
        let expected = b"\x80\xcf\0\x0a\0\0\0\x01\x07\0\0\x08\x0a\x0b\x0c\x0d\x0c\x0d\x54\x0a\0\x78\x02\x08\
            \0\x51\0\x69\xed\x7f\x7f\x10\x5b\x7f\x2c\x2b\xb5\0\0\x3c\0\xa0\x01\x90";
        assert_eq!(out, expected);
    }

    #[test]
    fn unknown_and_odd_blocks_are_passed_over() {
        let bytes =
            b"\x80\xcf\0\x08\0\0\0\x01\x63\0\0\0\x04\0\0\x01\0\0\0\0\x05\0\0\x01\0\0\0\0\x04\0\0\x02\0\0\0\0";
        assert_eq!(Compound::read(bytes).err(), Some(Malformed::Count), "the last one is cut off");
        let bytes = b"\x80\xcf\0\x06\0\0\0\x01\x63\0\0\0\x04\0\0\x01\0\0\0\0\x05\0\0\x01\0\0\0\0";
        assert_eq!(blocks(bytes), [99, 4, 5].map(|kind| Block::Other { kind }));
    }

    #[test]
    fn figures_outside_their_range_are_ignored() {
        let mut out = Vec::new();
        Writer::new(&mut out).extended(1, None, None, Some(&METRICS));
        out[32..36].copy_from_slice(&[101, 200, 9, 51]);
        let [Block::VoipMetrics(metrics)] = blocks(&out)[..] else { panic!() };
        assert_eq!((metrics.r_factor, metrics.external_r_factor), (None, None));
        assert_eq!((metrics.mos_lq, metrics.mos_cq), (None, None));
    }

    #[test]
    fn nothing_to_say_is_not_said() {
        let mut out = Vec::new();
        Writer::new(&mut out).extended(1, None, None, None);
        assert!(out.is_empty());
    }
}
