//! The way out: numbers are counted on, and never twice under one key.
//!
//! RFC 3711 sections 3.3 and 3.4; RFC 4568 section 6.4: a source's rollover counter begins at 0.

use std::fmt;

use thiserror::Error;

use super::cipher::Cipher;
use super::window::nearest;
use super::{Head, Keys, Number, derive};

/// Under these keys nothing more may be sent: agree on others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the key has protected as many packets as it may, or this one already")]
pub struct Spent;

/// Protects what one side sends.
pub struct Outbound {
    keys: Keys,
    rtp: Cipher,
    rtcp: Cipher,
    /// Our source, and the number of its last packet.
    pub(super) source: Option<(u32, u64)>,
    /// Of the next report.
    report: u32,
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("keys", &self.keys).finish_non_exhaustive()
    }
}

impl Outbound {
    /// Nothing was sent under these keys yet. Two of the same keys would number packets alike and give both away: have one.
    pub fn new(keys: Keys) -> Self {
        let (rtp, rtcp) = derive::ciphers(&keys);
        Self { keys, rtp, rtcp, source: None, report: 0 }
    }

    /// Its keys.
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Whether the sequence numbers have begun anew: who is told of other keys now cannot know how often.
    pub fn has_wrapped(&self) -> bool {
        self.source.is_some_and(|(_, number)| number >> 16 != 0)
    }

    /// Encrypts an RTP packet of ours in place, and appends its tag.
    ///
    /// # Errors
    /// [`Spent`]; the packet is as it was, and is not to be sent.
    ///
    /// # Panics
    /// If it is no RTP packet.
    pub fn protect(&mut self, packet: &mut Vec<u8>) -> Result<(), Spent> {
        let (head, sequence) = Head::of_rtp(packet).expect("we wrote it");
        let number = match self.source {
            Some((ssrc, last)) if ssrc == head.ssrc => {
                nearest(last, sequence).filter(|number| *number > last).ok_or(Spent)?
            }
            Some(_) | None => u64::from(sequence),
        };
        self.source = Some((head.ssrc, number));
        self.rtp.seal(packet, head, Number::Rtp(number));
        Ok(())
    }

    /// The same for RTCP.
    ///
    /// # Errors
    /// [`Spent`].
    ///
    /// # Panics
    /// If it is no RTCP packet.
    pub fn protect_rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), Spent> {
        let head = Head::of_rtcp(packet).expect("we wrote it");
        let number = self.report;
        if number >> 31 != 0 {
            return Err(Spent);
        }
        self.report += 1;
        self.rtcp.seal(packet, head, Number::Rtcp(number));
        Ok(())
    }
}
