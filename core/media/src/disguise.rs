//! RTP that does not look like RTP: experimental, as one shipped dialer of the VOS family does it.
//!
//! ```text
//!   0    1    2             2 + n
//!   00   n    n bytes of    16..=64 bytes
//!             RTP, each ^k  of chance
//! ```
//! It keeps no secrets: k is one byte, and the sound beside it is as it was. Packets of more than 255 bytes go as they are, as
//! does RTCP; what comes without the mark is taken as it is. Whether a live server takes it was not tried. Knows no sockets, and
//! not where k is from.

use base::Rng;

/// Longest packet whose length can be told.
const LONGEST: usize = u8::MAX as usize;
/// Mark and length.
const HEAD: usize = 2;
/// Bytes of chance behind the packet.
const PADDING: std::ops::RangeInclusive<usize> = 16..=64;
/// A datagram of at most so many bytes is none of ours.
const SHORT: usize = 32;
/// Largest that is made.
const ROOM: usize = HEAD + LONGEST + *PADDING.end();
/// RTP's version, in its first byte. RFC 3550 section 5.1.
const VERSION: u8 = 0x80;

/// Disguises what goes and sees through what comes. Allocates nothing.
#[derive(Debug)]
pub struct Disguise {
    key: u8,
    rng: Rng,
    out: [u8; ROOM],
    seen: [u8; LONGEST],
}

impl Disguise {
    /// By this byte.
    pub fn new(key: u8, rng: Rng) -> Self {
        Self { key, rng, out: [0; ROOM], seen: [0; LONGEST] }
    }

    /// An RTP packet as it goes on the wire.
    pub fn hide<'a>(&'a mut self, packet: &'a [u8]) -> &'a [u8] {
        let n = packet.len();
        if n == 0 || n > LONGEST {
            return packet;
        }
        // Else it would pass for one that is not disguised.
        let least = (SHORT + 1).saturating_sub(HEAD + n).max(*PADDING.start());
        let padding = least + self.rng.below((PADDING.end() - least + 1) as u64) as usize;
        self.out[..HEAD].copy_from_slice(&[0, n as u8]);
        for (out, byte) in self.out[HEAD..].iter_mut().zip(packet) {
            *out = byte ^ self.key;
        }
        self.rng.fill(&mut self.out[HEAD + n..HEAD + n + padding]);
        &self.out[..HEAD + n + padding]
    }

    /// What a datagram means; one that is not disguised, itself.
    pub fn reveal<'a>(&'a mut self, datagram: &'a [u8]) -> &'a [u8] {
        let (0, Some(&n)) = (datagram.first().copied().unwrap_or(1), datagram.get(1)) else {
            return datagram;
        };
        let n = usize::from(n);
        let Some(hidden) = datagram.get(HEAD..HEAD + n).filter(|_| n > 0 && datagram.len() > SHORT) else {
            return datagram;
        };
        for (seen, byte) in self.seen.iter_mut().zip(hidden) {
            *seen = byte ^ self.key;
        }
        // Some send the first byte as 0.
        if self.seen[0] & 0xc0 != VERSION {
            self.seen[0] = VERSION;
        }
        &self.seen[..n]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disguise() -> Disguise {
        Disguise::new(b'k', Rng::from_number(7))
    }

    #[test]
    fn what_is_hidden_is_seen_again_and_looks_like_no_rtp() {
        let mut it = disguise();
        let mut lengths = std::collections::BTreeSet::new();
        for n in 1..=255_usize {
            let packet: Vec<u8> = (0..n).map(|at| if at == 0 { 0x80 } else { at as u8 }).collect();
            let wire = it.hide(&packet).to_vec();
            assert_eq!((wire[0], usize::from(wire[1])), (0, n));
            assert!(wire.len() > SHORT && (16..=64).contains(&(wire.len() - 2 - n)), "{n}: {}", wire.len());
            assert!(wire[2..2 + n].iter().zip(&packet).all(|(hidden, byte)| *hidden == byte ^ b'k'));
            assert_eq!(it.reveal(&wire), packet);
            lengths.insert(wire.len() - n);
        }
        assert!(lengths.len() > 20, "the length tells nothing: {lengths:?}");
    }

    #[test]
    fn what_is_too_long_or_too_short_or_not_marked_passes_as_it_is() {
        let mut it = disguise();
        let long = [0x80; 256];
        assert_eq!(it.hide(&long), long);
        assert_eq!(it.hide(b""), b"");
        let mut other = disguise();
        for as_it_is in [
            &b""[..],
            b"\0",
            &long,
            &[0; 32],
            &[0; 100],
            &[0x80; 172],
            b"\0\xffshort, and longer than what is there",
        ] {
            assert_eq!(other.reveal(as_it_is), as_it_is);
        }
    }

    #[test]
    fn a_first_byte_that_was_sent_as_0_is_the_usual_one() {
        let packet = [[0x80, 0x12].as_slice(), &[5; 30]].concat();
        for first in [0, b'k'] {
            let mut wire = disguise().hide(&packet).to_vec();
            wire[2] = first;
            assert_eq!(disguise().reveal(&wire), packet);
        }
    }
}
