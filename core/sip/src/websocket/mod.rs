//! SIP over WebSocket: the upgrade and the frames as bytes. RFC 7118, RFC 6455.
//!
//! One SIP message is one WebSocket message, so what comes out needs no Content-Length. Extensions are neither offered nor
//! taken: a connection is the handshake of [`upgrade`] and then the frames of [`frame`].
//! Knows no sockets, and neither who is at the other end nor how long an upgrade may take.

pub mod frame;
pub mod upgrade;

#[cfg(test)]
mod tests;

/// The longest message, as on the other ways. RFC 3261 section 18.1.1 allows no more for a datagram.
pub const MAX_MESSAGE: usize = 65_535;
