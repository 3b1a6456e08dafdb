//! Why a port cannot be had, as a sentence that names it.
//!
//! Knows nothing of what would have listened there.

use std::io;
use std::net::SocketAddr;

use base::Transport;

/// A socket cannot be bound.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Somebody else has the port: choose another, or end the other program.
    #[error("port {} ({transport} on {addr}) is already in use", addr.port())]
    InUse {
        /// For what.
        transport: Transport,
        /// Where.
        addr: SocketAddr,
    },
    /// The port needs a privilege that we lack: choose one above 1023.
    #[error("not allowed to use port {} ({transport} on {addr})", addr.port())]
    NotAllowed {
        /// For what.
        transport: Transport,
        /// Where.
        addr: SocketAddr,
    },
    /// The address is not one of this machine's.
    #[error("{} is not an address of this machine ({transport} port {})", addr.ip(), addr.port())]
    NotOurs {
        /// For what.
        transport: Transport,
        /// Where.
        addr: SocketAddr,
    },
    /// TLS shows a certificate, and there is none: set it.
    #[error("there is no certificate to listen with for {transport} on {addr}")]
    NoCertificate {
        /// For what.
        transport: Transport,
        /// Where.
        addr: SocketAddr,
    },
    /// This build does not carry SIP by that transport.
    #[error("{transport} is not in this build (asked for {addr})")]
    NotInThisBuild {
        /// For what.
        transport: Transport,
        /// Where.
        addr: SocketAddr,
    },
    /// Anything else that the system says.
    #[error("cannot listen for {transport} on {addr}: {error}")]
    Other {
        /// For what.
        transport: Transport,
        /// Where.
        addr: SocketAddr,
        /// The system's words.
        error: io::Error,
    },
}

impl ListenError {
    /// What the system said, in our words.
    pub fn of(transport: Transport, addr: SocketAddr, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AddrInUse => Self::InUse { transport, addr },
            io::ErrorKind::PermissionDenied => Self::NotAllowed { transport, addr },
            io::ErrorKind::AddrNotAvailable => Self::NotOurs { transport, addr },
            _ => Self::Other { transport, addr, error },
        }
    }
}
