//! Requests to a relay: signed, sent again when its nonce is stale, and whose answers they are.
//!
//! RFC 8489 section 9.2 over [`crate::stun::transaction`]. Knows of what is asked only how it is written.

use std::collections::VecDeque;

use base::{Instant, Rng, Wake};
use bytes::Bytes;

use super::Why;
use super::auth::{Account, Challenge, Flaw, Seal, is_weakened};
use crate::stun::transaction::{Due, Pace, Transactions};
use crate::stun::{Attribute, Class, Message, Method, TransactionId, Writer, attribute};

/// How many stale nonces one request outlives: a server that hands out nothing else is broken.
const MAX_STALE: u8 = 3;
/// What is known of those attributes that must be.
const KNOWN: [Attribute; 17] = [
    attribute::MAPPED_ADDRESS,
    attribute::USERNAME,
    attribute::USERHASH,
    attribute::MESSAGE_INTEGRITY,
    attribute::MESSAGE_INTEGRITY_SHA256,
    attribute::ERROR_CODE,
    attribute::UNKNOWN_ATTRIBUTES,
    attribute::CHANNEL_NUMBER,
    attribute::LIFETIME,
    attribute::XOR_PEER_ADDRESS,
    attribute::DATA,
    attribute::REALM,
    attribute::NONCE,
    attribute::XOR_RELAYED_ADDRESS,
    attribute::REQUESTED_ADDRESS_FAMILY,
    attribute::XOR_MAPPED_ADDRESS,
    attribute::CONNECTION_ID,
];

/// Whether all is known of a message that must be. RFC 8489 section 6.3.
pub(super) fn is_understood(message: &Message) -> bool {
    message.unknown_to(&KNOWN).is_empty()
}

/// Something that is asked.
pub(super) trait What: Clone {
    fn method(&self) -> Method;
}

/// One request.
#[derive(Clone, Debug)]
struct Ask<W> {
    what: W,
    id: TransactionId,
    /// The nonce it was signed with.
    nonce: Option<Vec<u8>>,
    /// It was sent again for a 401.
    challenged: bool,
    /// How many nonces were stale for it.
    stale: u8,
}

/// What came of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer<W> {
    /// No answer to a request of ours.
    NotOurs,
    /// Dropped, or asked again: all is still open.
    Nothing,
    /// It was done.
    Success(W),
    /// The server says no by this number.
    Refused(W, u16),
    /// It is not to be had, for what the server said or for who said it.
    Failed(W, Why),
}

/// Who asks.
#[derive(Debug)]
pub(super) struct Asker<W> {
    account: Option<Account>,
    seal: Option<Seal>,
    reliable: bool,
    pub(super) rng: Rng,
    asks: Transactions<Ask<W>>,
    /// Those that somebody else has answered: told when nobody right does.
    forged: Vec<TransactionId>,
    pub(super) out: VecDeque<Bytes>,
    /// Answers that the server has not written.
    pub(super) dropped: u64,
}

impl<W: What> Asker<W> {
    pub(super) fn new(
        account: Option<Account>,
        challenge: Option<Challenge>,
        reliable: bool,
        rng: Rng,
    ) -> Self {
        Self {
            seal: account.clone().zip(challenge).map(|(account, it)| Seal::new(account, it)),
            account,
            reliable,
            rng,
            asks: Transactions::default(),
            forged: Vec::new(),
            out: VecDeque::new(),
            dropped: 0,
        }
    }

    pub(super) fn challenge(&self) -> Option<&Challenge> {
        self.seal.as_ref().map(Seal::challenge)
    }

    /// Asks at the next [`Self::due`].
    pub(super) fn ask(&mut self, what: W, write: impl Fn(&W, TransactionId) -> Writer, now: Instant) {
        self.send(what, false, 0, write, now);
    }

    fn send(
        &mut self,
        what: W,
        challenged: bool,
        stale: u8,
        write: impl Fn(&W, TransactionId) -> Writer,
        now: Instant,
    ) {
        let id = TransactionId::draw(&mut self.rng);
        let writer = write(&what, id);
        let (bytes, nonce) = match &self.seal {
            Some(seal) => (seal.sign(writer), Some(seal.challenge().nonce().to_vec())),
            None => (writer.unsigned(), None),
        };
        let ask = Ask { what, id, nonce, challenged, stale };
        let pace = if self.reliable { Pace::STREAM } else { Pace::DATAGRAMS };
        // Each machine asks for a few dozen things at most.
        let begun = self.asks.begin(id, bytes, ask, pace, now);
        debug_assert!(begun, "requests are bounded");
    }

    /// Sends what is due. One that was given up comes back; call until `None`.
    pub(super) fn due(&mut self, now: Instant) -> Option<(W, Why)> {
        loop {
            match self.asks.due(now)? {
                Due::Send(_, bytes) => self.out.push_back(bytes),
                Due::GivenUp(ask) => {
                    let why = if self.forged.contains(&ask.id) { Why::Forged } else { Why::Silent };
                    self.forged.retain(|id| *id != ask.id);
                    return Some((ask.what, why));
                }
            }
        }
    }

    pub(super) fn next_wake(&self) -> Option<Wake> {
        self.asks.next_wake().map(|wake| Wake { why: "relay asked again", ..wake })
    }

    /// What waits for its answer.
    pub(super) fn asked(&self) -> impl Iterator<Item = &W> {
        self.asks.all().map(|ask| &ask.what)
    }

    /// Wants no answer to these.
    pub(super) fn forget(&mut self, mut which: impl FnMut(&W) -> bool) {
        self.asks.forget(|ask| which(&ask.what));
    }

    /// Wants no answers any more.
    pub(super) fn clear(&mut self) {
        self.asks.forget(|_| true);
        self.forged.clear();
    }

    /// A response, ours or not. `write` writes again what is to be asked again.
    pub(super) fn heard(
        &mut self,
        message: &Message,
        write: impl Fn(&W, TransactionId) -> Writer,
        now: Instant,
    ) -> Answer<W> {
        let Some(ask) = self.asks.asked(message) else { return Answer::NotOurs };
        if message.method() != ask.what.method() || !self.is_believed(message, ask.nonce.is_some()) {
            self.dropped += 1;
            // On a stream nothing is lost: no better answer will come. RFC 8489 section 9.2.5.
            if self.reliable {
                let taken = self.take(message, now);
                return taken.map_or(Answer::NotOurs, |it| Answer::Failed(it.what, Why::Forged));
            }
            self.forged.retain(|id| *id != message.id());
            self.forged.push(message.id());
            return Answer::Nothing;
        }
        let Some(ask) = self.take(message, now) else { return Answer::NotOurs };
        if message.class() == Class::Success {
            let understood = is_understood(message);
            return if understood {
                Answer::Success(ask.what)
            } else {
                Answer::Failed(ask.what, Why::NotUnderstood)
            };
        }
        let again = match message.error() {
            Some(401) => self.challenged(&ask, message),
            Some(438) => self.stale(&ask, message),
            Some(code) => return Answer::Refused(ask.what, code),
            None => Err(Why::NotUnderstood),
        };
        match again {
            Ok((challenged, stale)) => {
                self.send(ask.what, challenged, stale, write, now);
                Answer::Nothing
            }
            Err(why) => Answer::Failed(ask.what, why),
        }
    }

    fn take(&mut self, message: &Message, now: Instant) -> Option<Ask<W>> {
        self.forged.retain(|id| *id != message.id());
        self.asks.answered(message.id(), now).map(|answered| answered.asked)
    }

    /// Whose answer it is. What cannot be signed, for the server does not know by whom it is asked, is believed as it is;
    /// a success that nobody signed is not, where there is a password.
    fn is_believed(&self, message: &Message, signed: bool) -> bool {
        let has =
            message.has(attribute::MESSAGE_INTEGRITY) || message.has(attribute::MESSAGE_INTEGRITY_SHA256);
        let code = message.error();
        match self.seal.as_ref().filter(|_| signed) {
            // The password may be the very thing that is wrong.
            Some(_) if code == Some(401) => true,
            Some(_) if matches!(code, Some(438 | 441 | 300)) && !has => true,
            Some(seal) => seal.wrote(message) && !is_weakened(message),
            None => self.account.is_none() || message.class() == Class::Error,
        }
    }

    /// 401: once with credentials, then never more.
    fn challenged(&mut self, ask: &Ask<W>, message: &Message) -> Result<(bool, u8), Why> {
        let account = self.account.clone().ok_or(Why::NoAccount)?;
        let challenge = Challenge::read(message, None).map_err(why_of)?;
        if ask.challenged || ask.nonce.as_deref() == Some(challenge.nonce()) {
            return Err(Why::WrongPassword);
        }
        self.seal = Some(Seal::new(account, challenge));
        Ok((true, ask.stale))
    }

    /// 438: the same with the new nonce.
    fn stale(&mut self, ask: &Ask<W>, message: &Message) -> Result<(bool, u8), Why> {
        let both = self.account.clone().zip(self.seal.as_ref());
        let (account, seal) = both.ok_or(Why::NotUnderstood)?;
        let challenge = Challenge::read(message, Some(seal.challenge())).map_err(why_of)?;
        if ask.stale >= MAX_STALE || ask.nonce.as_deref() == Some(challenge.nonce()) {
            return Err(Why::Broken(438));
        }
        // Another realm would be another password: that is for a 401 to ask. RFC 8489 section 9.2.5.
        if challenge.realm() != seal.challenge().realm() {
            return Err(Why::NotUnderstood);
        }
        self.seal = Some(Seal::new(account, challenge));
        Ok((ask.challenged, ask.stale + 1))
    }
}

fn why_of(flaw: Flaw) -> Why {
    match flaw {
        Flaw::Missing | Flaw::Unknown => Why::NotUnderstood,
        Flaw::Weakened => Why::Weakened,
    }
}
