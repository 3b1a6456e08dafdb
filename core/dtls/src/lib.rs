//! Keys for SRTP, agreed where the media itself goes: DTLS-SRTP, RFC 5764.
//!
//! One [`Handshake`] is one association of one media stream. It is told the datagrams, the time and a seed, and says what
//! to send, which keys came of it ([`Keys`]), or why none did ([`Reason`]). Who the other side is, is known from its
//! certificate's [`Fingerprints`] in the session description, and from nothing else (RFC 5763 section 6.2): no chain and
//! no name is looked at.
//!
//! The protocol itself is `dimpl`'s (DTLS 1.2 and 1.3), behind this seam. It takes its keys' randomness from the
//! operating system by itself. Knows no SDP, no SIP and no SRTP packet.

mod certificate;
mod fingerprint;
mod handshake;
mod keys;

pub use certificate::Certificate;
pub use fingerprint::{Fingerprint, Fingerprints, Hash};
pub use handshake::{Handshake, LONGEST, Output, Reason, Role, is_dtls, is_hello};
pub use keys::{Keys, Master, Profile};
