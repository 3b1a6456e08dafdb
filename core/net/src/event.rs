//! What the wire tells: news for a SIP machine, and what was counted on the way.
//!
//! Knows nothing of messages: bytes are bytes.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use base::{Certificate, FlowId, NetworkId, QueryId, Transport, Untrusted};
use sip::locate::Answer;

/// One piece of news. `Bytes` borrows the read buffer: hand it on before asking for the next.
pub enum NetEvent<'a> {
    /// A datagram, or the next piece of a stream.
    Bytes {
        /// The way it came.
        flow: FlowId,
        /// Who sent it.
        from: SocketAddr,
        /// At most 65,535 bytes, never empty.
        bytes: &'a [u8],
    },
    /// A socket is bound, a stream connected or accepted; or, for UDP, the answer to `OpenFlow`.
    FlowUp {
        /// The network it goes by.
        network: NetworkId,
        /// Its name from now on.
        flow: FlowId,
        /// What it is.
        transport: Transport,
        /// Our address as the remote would see it without NAT.
        local: SocketAddr,
        /// The other end; `None` when a UDP socket has been bound.
        remote: Option<SocketAddr>,
    },
    /// A stream has ended, by either side or for a broken rule; or a UDP socket was closed. Its name is not used again.
    FlowDown {
        /// Which.
        flow: FlowId,
    },
    /// A stream cannot be opened, or (UDP) the remote or a router on the way answers that nobody is there.
    FlowFailed {
        /// By which network.
        network: NetworkId,
        /// What it would have been.
        transport: Transport,
        /// To where.
        remote: SocketAddr,
    },
    /// Why a stream under TLS cannot be opened, told before `FlowFailed` tells that it cannot.
    Untrusted {
        /// Whose certificate it should have been.
        name: Arc<str>,
        /// What is wrong with the one that came.
        why: Untrusted,
        /// What that one says of itself.
        certificate: Option<Box<Certificate>>,
    },
    /// What the name servers said.
    Resolved {
        /// The number of the question.
        query: QueryId,
        /// The answer.
        answer: Answer,
    },
}

/// Bytes are shown by their length only: they carry numbers, names and credentials.
impl fmt::Debug for NetEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes { flow, from, bytes } => write!(f, "Bytes({} from {from} by {flow:?})", bytes.len()),
            Self::FlowUp { network, flow, transport, local, remote } => {
                write!(f, "FlowUp({flow:?} {transport} {local} to {remote:?} by {network:?})")
            }
            Self::FlowDown { flow } => write!(f, "FlowDown({flow:?})"),
            Self::FlowFailed { network, transport, remote } => {
                write!(f, "FlowFailed({transport} to {remote} by {network:?})")
            }
            Self::Untrusted { name, why, .. } => write!(f, "Untrusted({name}: {why:?})"),
            Self::Resolved { query, answer } => write!(f, "Resolved({query:?} {answer:?})"),
        }
    }
}

/// What happened how often since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams and stream pieces read.
    pub received: u64,
    /// Datagrams and stream messages given to the system.
    pub sent: u64,
    /// Datagrams that the system would not take: its buffer was full or the network away.
    pub unsent: u64,
    /// Orders for a flow that is gone.
    pub stray: u64,
    /// Connections closed unread: there were too many in all or from one address, or too many within a handshake.
    pub turned_away: u64,
    /// Accepted connections closed: what they began with was no TLS or WebSocket, or none in time.
    pub unshaken: u64,
    /// Sessions under TLS that were begun, by either side.
    pub shaken: u64,
    /// Those among them that went on from an earlier one.
    pub resumed: u64,
    /// Accepted connections closed: nothing that they sent was worth an answer in time.
    pub unanswered: u64,
    /// Accepted connections closed: silent for very long.
    pub idle: u64,
    /// Connections closed: they did not read what was sent to them.
    pub clogged: u64,
    /// Datagrams that came back as "nobody there" (ICMP).
    pub unreachable: u64,
}
