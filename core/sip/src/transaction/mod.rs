//! Transactions: one request and what comes back for it, made sure of over carriers that lose. RFC 3261 section 17, with
//! RFC 6026 (2xx to INVITE), RFC 4320 (non-INVITE), RFC 3581 (rport) and section 18.2.2 (where responses go).
//!
//! [`Transactions`] is the layer: it finds the transaction of each message and hands the user [`TxNews`]. The four machines
//! below it, one file each, know only their own request. None of it knows dialogs, routes or names: it sends where told.
//!
//! Every transaction ends by itself: by its timers, or by the user's final response for an INVITE that was received. The one
//! exception is an INVITE of ours that rings: the user cancels it (and then it ends by a timer).

mod branch;
mod carry;
mod client;
mod follow;
mod invite_client;
mod invite_server;
mod key;
mod layer;
mod outgoing;
mod reply;
mod server;
mod slots;
#[cfg(test)]
mod tests;
mod tx;
mod wire;

use std::net::SocketAddr;
use std::time::Duration;

use base::{FlowId, Instant, Transport};

pub use layer::Transactions;
pub use outgoing::size_on_wire;

use crate::message::Message;

/// The name of a transaction, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TxId(u64);

/// Where a message goes. `local` becomes the Via's sent-by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hop {
    /// The way out.
    pub flow: FlowId,
    /// What kind of way it is.
    pub transport: Transport,
    /// The next hop.
    pub remote: SocketAddr,
    /// Our address there, as the remote would see it without NAT.
    pub local: SocketAddr,
}

/// Where a message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// The way it came.
    pub flow: FlowId,
    /// What kind of way it is.
    pub transport: Transport,
    /// The sender.
    pub remote: SocketAddr,
    /// Our address there.
    pub local: SocketAddr,
}

impl Source {
    /// The way back: for an ACK or a request along the same flow.
    pub fn hop(self) -> Hop {
        Hop { flow: self.flow, transport: self.transport, remote: self.remote, local: self.local }
    }
}

/// The round-trip guess and its kin. RFC 3261 section 17.1.1.1 and table 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Round-trip guess: the first retransmission, and 64 of it the patience.
    pub t1: Duration,
    /// The longest pause between retransmissions of anything but INVITE.
    pub t2: Duration,
    /// How long the network keeps a message.
    pub t4: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { t1: Duration::from_millis(500), t2: Duration::from_secs(4), t4: Duration::from_secs(5) }
    }
}

impl Timing {
    /// Timers B, F, H, J, L and M.
    pub(crate) fn patience(&self) -> Duration {
        self.t1 * 64
    }

    /// Timer D: at least 32 s, for we do not know the T1 of others. RFC 6026 section 8.4.
    fn timer_d(&self) -> Duration {
        self.patience().max(Duration::from_secs(32))
    }

    /// The pause after a pause of `interval`, where the pauses stop growing at T2.
    fn next_interval(&self, interval: Duration) -> Duration {
        (interval * 2).min(self.t2)
    }

    /// When a client's timer E has come to be T2: 3.5 s. RFC 4320 section 4.1.
    fn until_t2(&self) -> Duration {
        let (mut interval, mut passed) = (self.t1, Duration::ZERO);
        while interval < self.t2 && !interval.is_zero() {
            passed += interval;
            interval *= 2;
        }
        passed
    }
}

/// How the layer is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Timers.
    pub timing: Timing,
    /// How many received requests may be kept at once; the next one is answered 503 and forgotten. Each costs about half a
    /// kilobyte and over datagrams lives for 64 T1 after its answer: 800 calls a second keep 51,200.
    pub most_servers: usize,
    /// Whether requests that came by two ways are told apart ([`Transactions::is_merged`]): for user agents, not proxies.
    pub spot_merged: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { timing: Timing::default(), most_servers: 262_144, spot_merged: true }
    }
}

/// What the layer tells its user.
#[derive(Debug)]
pub enum TxNews {
    /// A request that begins a server transaction: never an ACK, never a retransmission. Answer it with
    /// [`Transactions::respond`].
    Request {
        /// Its transaction.
        tx: TxId,
        /// The request; its top Via has gained `received` and `rport` where RFC 3261 section 18.2.1 and RFC 3581 say so.
        message: Message,
        /// Where it came from.
        source: Source,
    },
    /// A CANCEL. The user answers it (200, or 481 when `invite` is `None`), and the INVITE (487) if that is unanswered.
    Cancel {
        /// The CANCEL's own transaction.
        tx: TxId,
        /// The INVITE that it means, whatever its state.
        invite: Option<TxId>,
        /// The CANCEL.
        message: Message,
        /// Where it came from.
        source: Source,
    },
    /// The ACK of a 2xx. It has no transaction.
    Ack {
        /// The ACK.
        message: Message,
        /// Where it came from.
        source: Source,
    },
    /// A response to a request of ours: any number of provisionals, then one final; and further 2xx to a forked INVITE.
    Response {
        /// The request's transaction.
        tx: TxId,
        /// The response.
        message: Message,
        /// Where it came from.
        source: Source,
    },
    /// A 2xx to an INVITE whose transaction is gone: a user agent may still ACK and BYE it, a proxy drops it.
    StrayResponse {
        /// The response.
        message: Message,
        /// Where it came from.
        source: Source,
    },
    /// No final response came in time: counts as a 408.
    TimedOut {
        /// The client transaction.
        tx: TxId,
    },
    /// The request could not be sent, or its flow broke before the final response: counts as a 503.
    Unreachable {
        /// The client transaction.
        tx: TxId,
    },
    /// The transaction is gone. The last news of each.
    Finished {
        /// The transaction.
        tx: TxId,
    },
}

/// What was seen, for diagnostics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages without a usable top Via, From, To, Call-ID or CSeq: dropped.
    pub malformed: u64,
    /// Responses that belong to nothing: dropped.
    pub unmatched: u64,
    /// Times we sent something again.
    pub retransmitted: u64,
    /// Messages of theirs that we had had before.
    pub repeated: u64,
    /// Requests answered 503 because too many were under way.
    pub refused: u64,
    /// Client transactions that timed out.
    pub timed_out: u64,
    /// Client transactions whose flow broke.
    pub unreachable: u64,
    /// Responses of the user that came too late, or that RFC 4320 forbids: not sent.
    pub not_sent: u64,
}

/// The earlier of two moments, where `None` is never.
fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
