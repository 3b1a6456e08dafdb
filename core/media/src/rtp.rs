//! The RTP header: bytes to fields and back.
//!
//! RFC 3550 section 5.1 and 5.3.1, with the checks of appendix A.1 that need no history. Borrows, never
//! allocates. Does not know which payload types were agreed, nor sequence order.

use thiserror::Error;

/// Bytes of the header that we write: no CSRC, no extension.
pub const HEADER: usize = 12;

/// Why bytes are not an RTP packet. Count it and drop the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// Fewer bytes than the fixed header and its CSRC list claim.
    #[error("shorter than its header")]
    Short,
    /// Not version 2.
    #[error("not RTP version 2")]
    Version,
    /// The extension claims more words than the packet has.
    #[error("extension longer than the packet")]
    Extension,
    /// The last octet claims no padding at all, or more than there is payload.
    #[error("padding longer than the payload")]
    Padding,
}

/// The fields that we write, and that every packet has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Start of a talkspurt, for audio. RFC 3551 section 4.1.
    pub marker: bool,
    /// 0..=127.
    pub payload_type: u8,
    /// One more than that of the packet sent before.
    pub sequence: u16,
    /// Sampling instant of the first sample, in ticks of the codec's clock.
    pub timestamp: u32,
    /// Who sends.
    pub ssrc: u32,
}

impl Header {
    /// The wire form, without CSRC list, extension or padding.
    pub fn write(&self) -> [u8; HEADER] {
        let mut out = [0; HEADER];
        out[0] = 2 << 6;
        out[1] = u8::from(self.marker) << 7 | self.payload_type & 0x7f;
        out[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        out[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        out[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        out
    }
}

/// A received packet, its padding and extension taken off the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The fixed fields.
    pub header: Header,
    /// Contributing sources, four bytes each.
    pub csrcs: &'a [u8],
    /// The header extension: the profile's 16 bits, and its words.
    pub extension: Option<(u16, &'a [u8])>,
    /// What is left for the codec; may be empty.
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads one datagram.
    ///
    /// # Errors
    /// [`Malformed`]: the lengths inside contradict the datagram's.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let (fixed, rest) = bytes.split_first_chunk::<HEADER>().ok_or(Malformed::Short)?;
        if fixed[0] >> 6 != 2 {
            return Err(Malformed::Version);
        }
        let has_padding = fixed[0] & 0x20 != 0;
        let has_extension = fixed[0] & 0x10 != 0;
        let csrc_bytes = usize::from(fixed[0] & 0x0f) * 4;
        let (csrcs, mut rest) = rest.split_at_checked(csrc_bytes).ok_or(Malformed::Short)?;

        let mut extension = None;
        if has_extension {
            let (head, after) = rest.split_first_chunk::<4>().ok_or(Malformed::Extension)?;
            let words = usize::from(u16::from_be_bytes([head[2], head[3]]));
            let (data, after) = after.split_at_checked(words * 4).ok_or(Malformed::Extension)?;
            extension = Some((u16::from_be_bytes([head[0], head[1]]), data));
            rest = after;
        }
        if has_padding {
            let padding = usize::from(*rest.last().ok_or(Malformed::Padding)?);
            let kept = rest.len().checked_sub(padding).ok_or(Malformed::Padding)?;
            if padding == 0 {
                return Err(Malformed::Padding);
            }
            rest = &rest[..kept];
        }
        let header = Header {
            marker: fixed[1] & 0x80 != 0,
            payload_type: fixed[1] & 0x7f,
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
        };
        Ok(Self { header, csrcs, extension, payload: rest })
    }
}

/// Whether a datagram on a shared port is RTCP: its second byte is an RTCP packet type, which as an RTP payload
/// type would be one of the forbidden 64..=95. RFC 5761 section 4.
pub fn is_rtcp(bytes: &[u8]) -> bool {
    bytes.get(1).is_some_and(|kind| (192..=223).contains(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Header =
        Header { marker: true, payload_type: 8, sequence: 65_535, timestamp: 0xdead_beef, ssrc: 0x0102_0304 };

    fn packet(first: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = HEAD.write().to_vec();
        bytes[0] |= first;
        bytes.extend_from_slice(rest);
        bytes
    }

    #[test]
    fn what_is_written_is_read_back() {
        let bytes = packet(0, b"payload");
        let read = Packet::read(&bytes).unwrap();
        assert_eq!((read.header, read.payload), (HEAD, &b"payload"[..]));
        assert!(read.csrcs.is_empty() && read.extension.is_none());
    }

    #[test]
    fn sources_extension_and_padding_are_taken_off_the_payload() {
        let bytes = packet(0x31, b"\0\0\0\x09\xbe\xde\0\x01abcdHELLO\0\0\x03");
        let read = Packet::read(&bytes).unwrap();
        assert_eq!(read.csrcs, b"\0\0\0\x09");
        assert_eq!(read.extension, Some((0xbede, &b"abcd"[..])));
        assert_eq!(read.payload, b"HELLO");
    }

    #[test]
    fn an_empty_extension_is_valid() {
        let bytes = packet(0x10, b"\0\0\0\0x");
        assert_eq!(Packet::read(&bytes).unwrap().payload, b"x");
    }

    #[test]
    fn every_lying_length_is_named() {
        assert_eq!(Packet::read(&HEAD.write()[..11]), Err(Malformed::Short));
        assert_eq!(Packet::read(&packet(0x0f, &[0; 59])), Err(Malformed::Short));
        assert_eq!(Packet::read(&packet(0x10, b"\0\0\0")), Err(Malformed::Extension));
        assert_eq!(Packet::read(&packet(0x10, b"\0\0\xff\xffabcd")), Err(Malformed::Extension));
        assert_eq!(Packet::read(&packet(0x20, b"")), Err(Malformed::Padding));
        assert_eq!(Packet::read(&packet(0x20, b"abc\0")), Err(Malformed::Padding));
        assert_eq!(Packet::read(&packet(0x20, b"abc\x05")), Err(Malformed::Padding));
        let mut old = HEAD.write();
        old[0] = 1 << 6;
        assert_eq!(Packet::read(&old), Err(Malformed::Version));
    }

    #[test]
    fn padding_may_fill_the_whole_payload() {
        assert!(Packet::read(&packet(0x20, b"\0\0\0\x04")).unwrap().payload.is_empty());
    }

    #[test]
    fn rtcp_is_told_from_rtp_by_its_second_byte() {
        assert!(is_rtcp(&[0x80, 200]) && is_rtcp(&[0x81, 203]));
        assert!(!is_rtcp(&packet(0, b"")) && !is_rtcp(&[0x80]));
    }
}
