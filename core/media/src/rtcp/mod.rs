//! RTCP packets: compound datagrams to pieces and back.
//!
//! RFC 3550 section 6 and the length checks of appendix A.2, but not its rule of what comes first: reduced-size
//! packets (RFC 5506) are read too. Borrows, never allocates. Does not know when to send, nor to whom.

mod extended;

use thiserror::Error;

use extended::EXTENDED;
pub use extended::{Block, Blocks, Concealment, Delay, Delays, VoipMetrics};

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const CNAME: u8 = 1;
const REPORT_BLOCK: usize = 24;

/// Why bytes are not RTCP. Count it and drop the whole datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// Empty, or a piece is cut off.
    #[error("shorter than its pieces claim")]
    Short,
    /// A piece is not version 2.
    #[error("not RTP version 2")]
    Version,
    /// A piece's padding is zero, longer than the piece, or not on the last one.
    #[error("impossible padding")]
    Padding,
    /// A piece is shorter than its count of blocks, chunks or sources needs.
    #[error("fewer blocks than counted")]
    Count,
}

/// What a sender tells of its own stream. RFC 3550 section 6.4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderInfo {
    /// When the report was sent: seconds since 1900 in 32.32 bits.
    pub ntp: u64,
    /// The same moment on the stream's own clock.
    pub rtp_timestamp: u32,
    /// Packets sent since the start.
    pub packets: u32,
    /// Payload octets sent since the start.
    pub octets: u32,
}

/// What a receiver tells of one stream. RFC 3550 section 6.4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportBlock {
    /// The stream.
    pub ssrc: u32,
    /// Lost since the report before, in 256ths.
    pub fraction_lost: u8,
    /// Lost since the start; negative when duplicates outnumber losses. 24 bits on the wire.
    pub lost: i32,
    /// Highest sequence number, extended by the count of its wraps.
    pub highest: u32,
    /// Interarrival jitter in ticks of the RTP clock.
    pub jitter: u32,
    /// Middle 32 bits of the last sender report's NTP time; 0: none came.
    pub last_sr: u32,
    /// Time since it came, in 65,536ths of a second.
    pub delay_since_last_sr: u32,
}

/// One piece of a compound datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// SR.
    SenderReport {
        /// Who sends it.
        ssrc: u32,
        /// Of its own stream.
        info: SenderInfo,
        /// Of those it hears.
        reports: Reports<'a>,
    },
    /// RR.
    ReceiverReport {
        /// Who sends it.
        ssrc: u32,
        /// Of those it hears.
        reports: Reports<'a>,
    },
    /// SDES, its chunks as they came: nothing in them is needed for a call.
    SourceDescription(&'a [u8]),
    /// BYE.
    Goodbye {
        /// Who leaves.
        sources: Sources<'a>,
        /// Why, in UTF-8 as it came; may be empty.
        reason: &'a [u8],
    },
    /// XR.
    Extended {
        /// Who sends it.
        ssrc: u32,
        /// What it reports.
        blocks: Blocks<'a>,
    },
    /// Anything else (APP, feedback): to be ignored.
    Other {
        /// The packet type.
        kind: u8,
    },
}

/// The report blocks of one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reports<'a>(&'a [u8]);

impl Iterator for Reports<'_> {
    type Item = ReportBlock;
    fn next(&mut self) -> Option<ReportBlock> {
        let (block, rest) = self.0.split_first_chunk::<REPORT_BLOCK>()?;
        self.0 = rest;
        Some(ReportBlock {
            ssrc: word(block, 0),
            fraction_lost: block[4],
            // 24 bits with a sign: shifted up and down again to spread it.
            lost: (word(block, 4) << 8) as i32 >> 8,
            highest: word(block, 8),
            jitter: word(block, 12),
            last_sr: word(block, 16),
            delay_since_last_sr: word(block, 20),
        })
    }
}

/// The sources that a BYE names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources<'a>(&'a [u8]);

impl Iterator for Sources<'_> {
    type Item = u32;
    fn next(&mut self) -> Option<u32> {
        let (ssrc, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*ssrc))
    }
}

/// A datagram whose every length has been checked; iterate for its pieces.
#[derive(Clone, Debug)]
pub struct Compound<'a>(&'a [u8]);

impl<'a> Compound<'a> {
    /// Checks a whole datagram.
    ///
    /// # Errors
    /// [`Malformed`]: some length or count inside it lies.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut rest = bytes;
        loop {
            let (_, after) = read_piece(rest)?;
            if after.is_empty() {
                return Ok(Self(bytes));
            }
            rest = after;
        }
    }
}

impl<'a> Iterator for Compound<'a> {
    type Item = Piece<'a>;
    fn next(&mut self) -> Option<Piece<'a>> {
        let (piece, rest) = read_piece(self.0).ok()?;
        self.0 = rest;
        Some(piece)
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// The first piece, and the bytes after it.
fn read_piece(bytes: &[u8]) -> Result<(Piece<'_>, &[u8]), Malformed> {
    let (head, _) = bytes.split_first_chunk::<4>().ok_or(Malformed::Short)?;
    if head[0] >> 6 != 2 {
        return Err(Malformed::Version);
    }
    let length = (usize::from(u16::from_be_bytes([head[2], head[3]])) + 1) * 4;
    let (piece, rest) = bytes.split_at_checked(length).ok_or(Malformed::Short)?;
    let mut body = &piece[4..];
    if head[0] & 0x20 != 0 {
        let padding = usize::from(*body.last().ok_or(Malformed::Padding)?);
        let kept = body.len().checked_sub(padding).ok_or(Malformed::Padding)?;
        if padding == 0 || !padding.is_multiple_of(4) || !rest.is_empty() {
            return Err(Malformed::Padding);
        }
        body = &body[..kept];
    }
    let count = usize::from(head[0] & 0x1f);
    let piece = match head[1] {
        SENDER_REPORT => {
            let (fixed, after) = body.split_first_chunk::<24>().ok_or(Malformed::Count)?;
            let info = SenderInfo {
                ntp: u64::from(word(fixed, 4)) << 32 | u64::from(word(fixed, 8)),
                rtp_timestamp: word(fixed, 12),
                packets: word(fixed, 16),
                octets: word(fixed, 20),
            };
            Piece::SenderReport { ssrc: word(fixed, 0), info, reports: reports(after, count)? }
        }
        RECEIVER_REPORT => {
            let (ssrc, after) = body.split_first_chunk::<4>().ok_or(Malformed::Count)?;
            Piece::ReceiverReport { ssrc: u32::from_be_bytes(*ssrc), reports: reports(after, count)? }
        }
        SOURCE_DESCRIPTION => Piece::SourceDescription(body),
        GOODBYE => {
            let (sources, after) = body.split_at_checked(count * 4).ok_or(Malformed::Count)?;
            let reason = match after.split_first() {
                Some((length, text)) => text.get(..usize::from(*length)).ok_or(Malformed::Count)?,
                None => &[],
            };
            Piece::Goodbye { sources: Sources(sources), reason }
        }
        EXTENDED => {
            let (ssrc, after) = body.split_first_chunk::<4>().ok_or(Malformed::Count)?;
            Piece::Extended { ssrc: u32::from_be_bytes(*ssrc), blocks: Blocks::read(after)? }
        }
        kind => Piece::Other { kind },
    };
    Ok((piece, rest))
}

fn reports(bytes: &[u8], count: usize) -> Result<Reports<'_>, Malformed> {
    // What follows the counted blocks is a profile's own extension.
    bytes.get(..count * REPORT_BLOCK).map(Reports).ok_or(Malformed::Count)
}

/// Writes a compound datagram into a buffer that is kept from one to the next.
#[derive(Debug)]
pub struct Writer<'a>(&'a mut Vec<u8>);

impl<'a> Writer<'a> {
    /// Empties the buffer, keeps its room. 200 bytes are enough for all reports on one stream with its name and BYE.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        out.clear();
        Self(out)
    }

    /// SR when `info` is given, else RR; with at most one report block.
    pub fn report(&mut self, ssrc: u32, info: Option<SenderInfo>, block: Option<ReportBlock>) {
        let kind = if info.is_some() { SENDER_REPORT } else { RECEIVER_REPORT };
        let start = self.begin(u8::from(block.is_some()), kind);
        self.word(ssrc);
        if let Some(info) = info {
            self.0.extend_from_slice(&info.ntp.to_be_bytes());
            self.word(info.rtp_timestamp);
            self.word(info.packets);
            self.word(info.octets);
        }
        if let Some(block) = block {
            self.word(block.ssrc);
            let lost = block.lost.clamp(-0x80_0000, 0x7f_ffff) as u32 & 0xff_ffff;
            self.word(u32::from(block.fraction_lost) << 24 | lost);
            self.word(block.highest);
            self.word(block.jitter);
            self.word(block.last_sr);
            self.word(block.delay_since_last_sr);
        }
        self.end(start);
    }

    /// SDES with the one item that is mandatory. `name` longer than 255 bytes is cut.
    pub fn cname(&mut self, ssrc: u32, name: &[u8]) {
        let start = self.begin(1, SOURCE_DESCRIPTION);
        self.word(ssrc);
        let name = &name[..name.len().min(255)];
        self.0.extend_from_slice(&[CNAME, name.len() as u8]);
        self.0.extend_from_slice(name);
        // The item list ends with at least one zero, then up to the next word.
        self.0.push(0);
        self.end(start);
    }

    /// BYE without a reason.
    pub fn goodbye(&mut self, ssrc: u32) {
        let start = self.begin(1, GOODBYE);
        self.word(ssrc);
        self.end(start);
    }

    fn begin(&mut self, count: u8, kind: u8) -> usize {
        let start = self.0.len();
        self.0.extend_from_slice(&[2 << 6 | count, kind, 0, 0]);
        start
    }

    fn word(&mut self, word: u32) {
        self.0.extend_from_slice(&word.to_be_bytes());
    }

    fn end(&mut self, start: usize) {
        while !(self.0.len() - start).is_multiple_of(4) {
            self.0.push(0);
        }
        let words = ((self.0.len() - start) / 4 - 1) as u16;
        self.0[start + 2..start + 4].copy_from_slice(&words.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: SenderInfo =
        SenderInfo { ntp: 0xb44d_b705_2000_0000, rtp_timestamp: 9, packets: 10, octets: 1600 };
    const BLOCK: ReportBlock = ReportBlock {
        ssrc: 0x0a0b_0c0d,
        fraction_lost: 64,
        lost: -2,
        highest: 0x0001_0005,
        jitter: 17,
        last_sr: 0xb705_2000,
        delay_since_last_sr: 0x0005_4000,
    };

    fn compound() -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        writer.report(1, Some(INFO), Some(BLOCK));
        writer.cname(1, b"someone");
        writer.goodbye(1);
        out
    }

    #[test]
    fn a_compound_packet_is_read_as_it_was_written() {
        let bytes = compound();
        let pieces: Vec<_> = Compound::read(&bytes).unwrap().collect();
        let Piece::SenderReport { ssrc: 1, info: INFO, reports } = pieces[0].clone() else {
            panic!("{:?}", pieces[0])
        };
        assert_eq!(reports.collect::<Vec<_>>(), [BLOCK]);
        assert_eq!(pieces[1], Piece::SourceDescription(b"\0\0\0\x01\x01\x07someone\0\0\0"));
        let Piece::Goodbye { sources, reason: b"" } = pieces[2].clone() else { panic!("{:?}", pieces[2]) };
        assert_eq!(sources.collect::<Vec<_>>(), [1]);
        assert_eq!(pieces.len(), 3);
    }

    #[test]
    fn a_report_on_nothing_from_one_who_sent_nothing_is_an_empty_rr() {
        let mut out = Vec::new();
        Writer::new(&mut out).report(7, None, None);
        assert_eq!(out, b"\x80\xc9\0\x01\0\0\0\x07");
    }

    #[test]
    fn reduced_size_unknown_pieces_and_reasons_are_read() {
        let read = |bytes| Compound::read(bytes).unwrap().next();
        assert_eq!(read(b"\x81\xcd\0\x02\0\0\0\x01\0\0\0\x02"), Some(Piece::Other { kind: 205 }));
        let Some(Piece::Goodbye { reason, .. }) = read(b"\x81\xcb\0\x02\0\0\0\x01\x03bye") else { panic!() };
        assert_eq!(reason, b"bye");
    }

    #[test]
    fn every_lying_length_is_named() {
        let bytes = compound();
        for cut in 1..bytes.len() {
            let at_piece_end = [52, 72].contains(&cut);
            assert_eq!(Compound::read(&bytes[..cut]).is_ok(), at_piece_end, "cut at {cut}");
        }
        assert_eq!(Compound::read(b"").err(), Some(Malformed::Short));
        assert_eq!(Compound::read(b"\x40\xc9\0\x01\0\0\0\x07").err(), Some(Malformed::Version));
        assert_eq!(Compound::read(b"\x81\xc9\0\x01\0\0\0\x07").err(), Some(Malformed::Count));
        assert_eq!(Compound::read(b"\x82\xcb\0\x01\0\0\0\x07").err(), Some(Malformed::Count));
        assert_eq!(Compound::read(b"\x81\xcb\0\x02\0\0\0\x07\x04abc").err(), Some(Malformed::Count));
        assert_eq!(Compound::read(b"\xa0\xc9\0\x01\0\0\0\x03").err(), Some(Malformed::Padding));
        assert_eq!(Compound::read(b"\xa0\xc9\0\x01\0\0\0\x08").err(), Some(Malformed::Padding));
    }
}
