//! Session descriptions as text: RFC 8866, with the attributes of RFC 3264, 3605, 4566, 4568 and 5761 that calls read.
//!
//! [`Sdp`] is a view over the bytes: every line is kept, known or not, in its order. [`Writer`] writes one. What a codec
//! is, and which answer fits which offer, is not known here.

mod crypto;
mod keying;
mod read;
mod write;

pub use crypto::{BadCrypto, Crypto};
pub use keying::{Fingerprint, Setup};
pub use read::{Attribute, Connection, Line, Media, Origin, Rtcp, Rtpmap, Sdp, SdpError, Section};
pub use write::Writer;

use std::fmt;

/// Which way media flows, from the side that wrote it. RFC 8866 section 6.7.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Both ways: what holds when nothing is said.
    #[default]
    SendRecv,
    /// The writer sends only.
    SendOnly,
    /// The writer receives only.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// The attribute's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// Reads an attribute's name.
    pub fn read(name: &str) -> Option<Self> {
        [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive]
            .into_iter()
            .find(|d| d.as_str() == name)
    }

    /// Whether the writer sends.
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether the writer receives.
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The direction with these halves.
    pub const fn of(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// The same flow seen from the other side.
    pub const fn reversed(self) -> Self {
        Self::of(self.receives(), self.sends())
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests;
