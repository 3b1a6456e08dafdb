//! RTP and RTCP made secret and tamper-proof, packet by packet.
//!
//! RFC 3711 (SRTP), RFC 6188 (AES-256 in counter mode), RFC 7714 (AES-GCM), RFC 4568 section 6.2.2 (80 bits of tag for
//! RTCP, whatever RTP has). One [`Outbound`] and one [`Inbound`] for each stream; nothing is allocated for a packet,
//! nothing kept for a source that has not shown that it has the key. Knows nothing of how keys were agreed, nor addresses.

mod cipher;
mod derive;
mod inbound;
mod outbound;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
mod window;

use base::{Rng, Secret};
use thiserror::Error;

pub use inbound::{Inbound, Refused};
pub use outbound::{Outbound, Spent};

/// The most that protection adds to a packet of ours, in bytes: index and tag.
pub const TRAILER: usize = 4 + 16;

/// Bytes of the longest master key and salt.
const LONGEST: usize = 32 + 14;

/// How packets are encrypted and authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suite {
    /// AES-128 in counter mode, 80 bits of HMAC-SHA1: everybody has it.
    AesCm128Sha1_80,
    /// The same with 32 bits for RTP. RTCP keeps 80.
    AesCm128Sha1_32,
    /// AES-256 in counter mode. RFC 6188.
    AesCm256Sha1_80,
    /// As well.
    AesCm256Sha1_32,
    /// RFC 7714.
    AesGcm128,
    /// As well.
    AesGcm256,
}

impl Suite {
    /// Bytes of the master key.
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::AesCm128Sha1_80 | Self::AesCm128Sha1_32 | Self::AesGcm128 => 16,
            Self::AesCm256Sha1_80 | Self::AesCm256Sha1_32 | Self::AesGcm256 => 32,
        }
    }

    /// Bytes of the master salt.
    pub const fn salt_bytes(self) -> usize {
        match self {
            Self::AesCm128Sha1_80 | Self::AesCm128Sha1_32 | Self::AesCm256Sha1_80 | Self::AesCm256Sha1_32 => {
                14
            }
            Self::AesGcm128 | Self::AesGcm256 => 12,
        }
    }

    /// Bytes of the tag on an RTP packet.
    const fn rtp_tag(self) -> usize {
        match self {
            Self::AesCm128Sha1_80 | Self::AesCm256Sha1_80 => 10,
            Self::AesCm128Sha1_32 | Self::AesCm256Sha1_32 => 4,
            Self::AesGcm128 | Self::AesGcm256 => 16,
        }
    }

    /// Bytes of the tag on an RTCP packet.
    const fn rtcp_tag(self) -> usize {
        match self {
            Self::AesCm128Sha1_80 | Self::AesCm256Sha1_80 | Self::AesCm128Sha1_32 | Self::AesCm256Sha1_32 => {
                10
            }
            Self::AesGcm128 | Self::AesGcm256 => 16,
        }
    }
}

/// Key and salt are not as long as the suite has them: whoever sent them meant another suite, or lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the key is not as long as its suite has it")]
pub struct WrongLength;

/// The master key and salt of one direction. Wiped when dropped, never printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    suite: Suite,
    /// Key, then salt, then nothing.
    material: Secret<[u8; LONGEST]>,
    mki: u8,
}

impl Keys {
    /// `material` is the key and behind it the salt.
    ///
    /// # Errors
    /// [`WrongLength`].
    pub fn new(suite: Suite, material: &[u8]) -> Result<Self, WrongLength> {
        if material.len() != suite.key_bytes() + suite.salt_bytes() {
            return Err(WrongLength);
        }
        let mut kept = Secret::new([0; LONGEST]);
        kept.expose_mut()[..material.len()].copy_from_slice(material);
        Ok(Self { suite, material: kept, mki: 0 })
    }

    /// Fresh ones.
    pub fn random(suite: Suite, rng: &mut Rng) -> Self {
        let mut material = Secret::new([0; LONGEST]);
        rng.fill(&mut material.expose_mut()[..suite.key_bytes() + suite.salt_bytes()]);
        Self { suite, material, mki: 0 }
    }

    /// Packets under this key carry a name of it, of so many bytes (RFC 3711 section 3.1, MKI). Of keys to receive by: there
    /// is one only, so its name says nothing and is taken off.
    #[must_use]
    pub fn named_by(self, bytes: u8) -> Self {
        Self { mki: bytes, ..self }
    }

    /// What they are for.
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// Key, and behind it the salt: for whoever tells the other side. Do not keep it.
    pub fn material(&self) -> &[u8] {
        &self.material.expose()[..self.suite.key_bytes() + self.suite.salt_bytes()]
    }

    fn key(&self) -> &[u8] {
        &self.material()[..self.suite.key_bytes()]
    }

    /// Padded to the length that keys are derived from; RFC 7714's is shorter by two zeros.
    fn salt(&self) -> [u8; 14] {
        let mut salt = [0; 14];
        salt[..self.suite.salt_bytes()].copy_from_slice(&self.material()[self.suite.key_bytes()..]);
        salt
    }
}

/// What a packet is numbered by, and so what kind it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    /// Rollover counter and sequence number: 48 bits.
    Rtp(u64),
    /// 31 bits.
    Rtcp(u32),
}

/// Whose packet it is, and what of it stays readable: source and bytes.
#[derive(Clone, Copy, Debug)]
struct Head {
    ssrc: u32,
    clear: usize,
}

/// Bytes of an RTCP packet that are not encrypted.
const RTCP_CLEAR: usize = 8;

impl Head {
    /// Of an RTP packet, and its sequence number. `None`: its lengths lie, or it is none.
    fn of_rtp(packet: &[u8]) -> Option<(Self, u16)> {
        let fixed = packet.first_chunk::<{ crate::rtp::HEADER }>()?;
        if fixed[0] >> 6 != 2 {
            return None;
        }
        let mut clear = fixed.len() + usize::from(fixed[0] & 0x0f) * 4;
        if fixed[0] & 0x10 != 0 {
            let extension = packet.get(clear..clear + 4)?;
            clear += 4 + usize::from(u16::from_be_bytes([extension[2], extension[3]])) * 4;
        }
        let ssrc = u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]);
        (clear <= packet.len()).then_some((Self { ssrc, clear }, u16::from_be_bytes([fixed[2], fixed[3]])))
    }

    /// Of an RTCP packet.
    fn of_rtcp(packet: &[u8]) -> Option<Self> {
        let fixed = packet.first_chunk::<RTCP_CLEAR>()?;
        let ssrc = u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]);
        (fixed[0] >> 6 == 2).then_some(Self { ssrc, clear: RTCP_CLEAR })
    }
}
