//! What the SIP machines want done, said to whoever owns the sockets.
//!
//! The owner answers `OpenFlow` with news: the flow is up (its name, its local and remote address) or has failed.
//! Knows nothing of how any of it is done.

use std::net::SocketAddr;
use std::sync::Arc;

use base::{FlowId, NetworkId, QueryId, Transport};
use bytes::Bytes;

use crate::locate::Question;

/// One thing to be done.
#[derive(Clone, PartialEq, Eq)]
pub enum Order {
    /// Send bytes: a datagram to `to`, or bytes on the stream `flow` (whose remote `to` is then).
    Send {
        /// The way out.
        flow: FlowId,
        /// Where to. One UDP socket is one flow for all remotes.
        to: SocketAddr,
        /// Clear bytes; a retransmission shares them with its original.
        bytes: Bytes,
    },
    /// Connect a stream; for UDP: tell which bound socket, with which local address, reaches this remote.
    OpenFlow {
        /// The network it must go by.
        network: NetworkId,
        /// What to connect by.
        transport: Transport,
        /// Whom to reach.
        remote: SocketAddr,
        /// Under TLS: whose certificate it must be; by WebSocket: who is asked for. The domain (or address) of the URI that led here, whatever names the
        /// way had: RFC 5922 section 7.3.
        name: Option<Arc<str>>,
    },
    /// For UDP: which of our ports `OpenFlow` names from now on, the usual one or a further one, drawn by the system and bound
    /// for this. Both stay open, and what comes to either is told.
    SwitchPort {
        /// The network whose datagrams it is about.
        network: NetworkId,
        /// The further one.
        further: bool,
    },
    /// Close a stream.
    CloseFlow {
        /// The stream.
        flow: FlowId,
    },
    /// Ask the name servers; the answer comes back under the same number.
    Resolve {
        /// The network whose name servers are asked.
        network: NetworkId,
        /// The number.
        query: QueryId,
        /// The question.
        question: Question,
    },
}

/// Orders in the order they are to be carried out. Owned by the caller and reused, so that nothing is allocated per message.
pub type Orders = Vec<Order>;

/// Bytes are shown by their length only: they carry numbers, names and credentials.
impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Send { flow, to, bytes } => write!(f, "Send({} bytes to {to} by {flow:?})", bytes.len()),
            Self::OpenFlow { network, transport, remote, .. } => {
                write!(f, "OpenFlow({transport} to {remote} by {network:?})")
            }
            Self::SwitchPort { network, further } => {
                write!(f, "SwitchPort({} by {network:?})", if *further { "further" } else { "usual" })
            }
            Self::CloseFlow { flow } => write!(f, "CloseFlow({flow:?})"),
            Self::Resolve { query, question, .. } => write!(f, "Resolve({query:?}: {question:?})"),
        }
    }
}
