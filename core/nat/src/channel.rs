//! TURN's short form for data: a channel number, a length, the payload.
//!
//! RFC 8656 sections 12.4 to 12.6. Knows no peers: which channel is bound to whom is the allocation's to know.

use std::ops::RangeInclusive;

/// The numbers there are. RFC 8656 section 12.
pub const NUMBERS: RangeInclusive<u16> = 0x4000..=0x4fff;

/// Bytes before the payload.
pub const HEAD: usize = 4;

/// The longest payload. RFC 8656 section 12.4: the length has 16 bits.
pub const MAX_PAYLOAD: usize = u16::MAX as usize;

/// Whether a datagram is channel data by its first byte. RFC 7983 section 7.
pub fn is_channel_data(bytes: &[u8]) -> bool {
    bytes.len() >= HEAD && matches!(bytes[0], 0x40..=0x4f)
}

/// Reads channel data: the number and the payload. What stands behind the payload is padding, which a datagram may have
/// (RFC 8656 section 12.5). `None`: it is none, or is cut; count and drop it.
pub fn read(bytes: &[u8]) -> Option<(u16, &[u8])> {
    if !is_channel_data(bytes) {
        return None;
    }
    let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
    Some((u16::from_be_bytes([bytes[0], bytes[1]]), bytes.get(HEAD..HEAD + length)?))
}

/// Why channel data is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// No channel has that number: a bug of the caller's.
    #[error("no channel has the number {0:#x}")]
    BadNumber(u16),
    /// The payload fits no message: drop it.
    #[error("too long for a channel: {0} bytes")]
    TooLong(usize),
}

/// Appends channel data to `out`, without padding: a datagram needs none, and a stream's is written by its framing
/// ([`crate::framing::write`]).
///
/// # Errors
/// See [`WriteError`]; nothing was appended.
pub fn write(number: u16, payload: &[u8], out: &mut Vec<u8>) -> Result<(), WriteError> {
    if !NUMBERS.contains(&number) {
        return Err(WriteError::BadNumber(number));
    }
    let length = u16::try_from(payload.len()).map_err(|_| WriteError::TooLong(payload.len()))?;
    out.extend_from_slice(&number.to_be_bytes());
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(payload);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channel_data_reads_as_it_was_written_with_or_without_padding() {
        let mut bytes = Vec::new();
        write(0x4001, b"voice", &mut bytes).unwrap();
        assert_eq!(bytes, b"\x40\x01\0\x05voice");
        assert_eq!(read(&bytes), Some((0x4001, &b"voice"[..])));
        bytes.extend_from_slice(&[0; 3]);
        assert_eq!(read(&bytes), Some((0x4001, &b"voice"[..])));
        assert_eq!(read(b"\x4f\xff\0\0"), Some((0x4fff, &b""[..])));
    }

    #[test]
    fn what_is_cut_or_is_no_channel_is_not_read() {
        for bytes in [&b""[..], b"\x40\0\0", b"\x40\0\0\x01", b"\x50\0\0\0", b"\x3f\xff\0\0", b"\x80\0\0\0"] {
            assert_eq!(read(bytes), None, "{bytes:x?}");
        }
    }

    #[test]
    fn a_wrong_number_and_a_payload_beyond_16_bits_are_refused_and_leave_nothing() {
        let mut out = Vec::new();
        for number in [0, 0x3fff, 0x5000, 0xffff] {
            assert_eq!(write(number, b"", &mut out), Err(WriteError::BadNumber(number)));
        }
        let long = vec![0; MAX_PAYLOAD + 1];
        assert_eq!(write(0x4000, &long, &mut out), Err(WriteError::TooLong(MAX_PAYLOAD + 1)));
        assert!(out.is_empty());
        write(0x4000, &long[1..], &mut out).unwrap();
        assert_eq!(read(&out).unwrap().1.len(), MAX_PAYLOAD);
    }
}
