//! A stream of ours becomes a peer's: the handshake on a second stream to the relay.
//!
//! RFC 6062 sections 4.3 and 4.4. Once bound, everything on the stream is the peer's, unframed: what its splitter has not
//! used yet is data already ([`crate::framing::Splitter::rest`]). The allocation must be kept refreshed meanwhile.

use base::{Instant, Rng, Wake};
use bytes::Bytes;

use super::ask::{Answer, Asker, What};
use super::{Account, Challenge, ConnectionId, Why};
use crate::stun::{Message, Method, TransactionId, Writer, attribute};

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// An answer is waited for.
    NotYet,
    /// From the next byte on the stream is the peer's.
    Yes,
    /// It will not be: close the stream.
    No(Why),
}

/// One handshake.
#[derive(Debug)]
pub struct DataConnection {
    asker: Asker<ConnectionId>,
    bound: Bound,
}

impl What for ConnectionId {
    fn method(&self) -> Method {
        Method::ConnectionBind
    }
}

impl DataConnection {
    pub(super) fn new(
        connection: ConnectionId,
        account: Option<Account>,
        challenge: Option<Challenge>,
        rng: Rng,
        now: Instant,
    ) -> Self {
        let mut asker = Asker::new(account, challenge, true, rng);
        asker.ask(connection, |it, id| write(*it, id), now);
        let mut this = Self { asker, bound: Bound::NotYet };
        this.due(now);
        this
    }

    /// A whole message that came on the stream. Bytes of another kind end it.
    pub fn heard(&mut self, bytes: &[u8], now: Instant) -> Bound {
        if self.bound == Bound::NotYet {
            let answer =
                Message::read(bytes).map(|message| self.asker.heard(&message, |it, id| write(*it, id), now));
            self.bound = match answer {
                Ok(Answer::Success(_)) => Bound::Yes,
                Ok(Answer::Refused(_, code)) => Bound::No(Why::of(code)),
                Ok(Answer::Failed(_, why)) => Bound::No(why),
                Ok(Answer::Nothing | Answer::NotOurs) => Bound::NotYet,
                Err(_) => Bound::No(Why::NotUnderstood),
            };
            self.due(now);
        }
        self.bound
    }

    /// The time has come.
    pub fn due(&mut self, now: Instant) {
        if let Some((_, why)) = self.asker.due(now)
            && self.bound == Bound::NotYet
        {
            self.bound = Bound::No(why);
        }
    }

    /// When it is given up.
    pub fn next_wake(&self) -> Option<Wake> {
        if self.bound == Bound::NotYet { self.asker.next_wake() } else { None }
    }

    /// What to send on the stream.
    pub fn poll_send(&mut self) -> Option<Bytes> {
        self.asker.out.pop_front()
    }

    /// How it stands.
    pub fn bound(&self) -> Bound {
        self.bound
    }
}

fn write(connection: ConnectionId, id: TransactionId) -> Writer {
    Writer::request(Method::ConnectionBind, id).number(attribute::CONNECTION_ID, connection.0)
}
