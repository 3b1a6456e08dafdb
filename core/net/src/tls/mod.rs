//! TLS: whom we trust, who we are, and records over any stream that does not block.
//!
//! RFC 8446 and RFC 5246 by `rustls`; RFC 5922 says whose certificate it must be. Used by [`crate::Net`] for signalling and
//! by the media thread for relays. Without the feature `tls` all of it is here and none of it can be made.
//! Knows nothing of SIP messages, nor of how long a handshake may take.

#[cfg(feature = "tls")]
mod identity;
#[cfg(feature = "tls")]
mod judge;
#[cfg(feature = "tls")]
mod reading;
#[cfg(feature = "tls")]
mod session;
#[cfg(feature = "tls")]
#[cfg(feature = "tls")]
#[cfg(test)]
mod tests;
#[cfg(feature = "tls")]
mod trust;
#[cfg(not(feature = "tls"))]
mod without;

use base::{Certificate, Untrusted};

#[cfg(feature = "tls")]
pub use self::{
    identity::Identity, identity::client_certificate, session::Session, trust::Authorities, trust::Trust,
    trust::Trusts,
};
#[cfg(not(feature = "tls"))]
pub use without::{Authorities, Identity, Session, Trust, Trusts, client_certificate};

/// A certificate, a key or a fingerprint that cannot be used: show the sentence beside its setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// There is no certificate in it, or one that cannot be read.
    #[error("it has no certificate in PEM that can be read")]
    Certificate,
    /// There is no private key in it, or one that cannot be read.
    #[error("it has no private key in PEM that can be read")]
    Key,
    /// Key and certificate are not one another's.
    #[error("the key does not belong to the certificate")]
    Pair,
    /// This build has no TLS.
    #[error("TLS is not in this build")]
    NotInThisBuild,
}

/// What a handshake waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shake {
    /// Nothing: it is done.
    Done,
    /// Bytes from the other side.
    Read,
    /// Room to write.
    Write,
}

/// Why there is no session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unmade {
    /// The other side is not who it should be; what the certificate that it has shown says.
    /// Whether it has the key as well is not known yet: who trusts it will see.
    Untrusted(Untrusted, Option<Box<Certificate>>),
    /// The connection ended, or what came is not TLS, or not one that we can agree on, or too much of it.
    Broken,
}
