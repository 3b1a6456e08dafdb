//! Which stream stays when several opened, and whether the right host is at its end.
//!
//! Ours, in the words of RFC 8489 on the framing of RFC 4571. On each stream either side asks first thing "is it you?": a
//! Binding request with a random number, signed with the secret that both know. The side with the greater number takes the
//! first stream on which both have answered and asks "this one?" (USE-CANDIDATE); the other's yes settles it for both.
//! Streams keep their order, so that behind the yes, or the question that was answered with it, the stream is plain. Its own
//! number coming back means that a host has reached itself. Knows no sockets.

use std::collections::BTreeMap;
use std::time::Duration;

use base::{Instant, Rng};
use bytes::Bytes;

use super::StreamId;
use crate::framing::{self, Framing, Splitter};
use crate::stun::{Algorithm, Class, Key, Message, Method, TransactionId, Writer, attribute};

/// Letters of a name that count: four bytes each at the most.
const MOST_LETTERS: usize = 120;

/// How long either question may stay unanswered: three round trips over a bad mobile network.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is to be done about a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Write this.
    Write(StreamId, Bytes),
    /// It is not them.
    Stranger(StreamId),
    /// Both keep this one. Behind it may already be bytes.
    Kept(StreamId, Bytes),
}

/// ```text
///   opened: we ask --> asked --(their answer, and their question)--> ready
///                                                                      |
///        greater number: we ask "this one?"        smaller: they do    |
///              taking --(yes)--> kept                     kept <-------+
///
///   silence, a foreign byte, a wrong signature, our own number: stranger
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Asked { answered: bool },
    Taking(TransactionId),
}

#[derive(Debug)]
struct Stream {
    splitter: Splitter,
    hello: TransactionId,
    /// Their number.
    theirs: Option<u64>,
    state: State,
    until: Instant,
}

#[derive(Debug)]
pub(super) struct Agreement {
    name: String,
    key: Key,
    ours: u64,
    rng: Rng,
    streams: BTreeMap<StreamId, Stream>,
}

impl Agreement {
    pub(super) fn new(name: String, key: Key, mut rng: Rng) -> Self {
        // RFC 8489 section 14.3: a user name has less than 509 bytes.
        let name = name.chars().take(MOST_LETTERS).collect();
        Self { name, key, ours: rng.bits(), rng, streams: BTreeMap::new() }
    }

    pub(super) fn opened(&mut self, id: StreamId, now: Instant, out: &mut Vec<Verdict>) {
        let hello = TransactionId::draw(&mut self.rng);
        let until = now + PATIENCE;
        let state = State::Asked { answered: false };
        let stream = Stream { splitter: Splitter::new(Framing::Rfc4571), hello, theirs: None, state, until };
        self.streams.insert(id, stream);
        out.push(Verdict::Write(id, framed(&self.question(hello, false))));
    }

    /// Bytes came. After [`Verdict::Kept`] nothing more may be told.
    pub(super) fn bytes(&mut self, id: StreamId, bytes: &[u8], now: Instant, out: &mut Vec<Verdict>) {
        // Out of the map, so that the rest can be asked while its splitter lends a message.
        let Some(mut stream) = self.streams.remove(&id) else { return };
        stream.splitter.feed(bytes);
        loop {
            let message = match stream.splitter.next_message() {
                Ok(None) => break,
                Ok(Some(bytes)) => Message::read(bytes).ok(),
                Err(_) => None,
            };
            match message.and_then(|message| self.heard(id, &mut stream, &message, out)) {
                Some(false) => {}
                Some(true) => {
                    out.push(Verdict::Kept(id, Bytes::copy_from_slice(stream.splitter.rest())));
                    return;
                }
                None => {
                    out.push(Verdict::Stranger(id));
                    return self.take_next(now, out);
                }
            }
        }
        self.streams.insert(id, stream);
        self.take_next(now, out);
    }

    pub(super) fn closed(&mut self, id: StreamId, now: Instant, out: &mut Vec<Verdict>) {
        self.streams.remove(&id);
        self.take_next(now, out);
    }

    pub(super) fn due(&mut self, now: Instant, out: &mut Vec<Verdict>) {
        let late: Vec<StreamId> =
            self.streams.iter().filter(|(_, stream)| stream.until <= now).map(|(id, _)| *id).collect();
        for id in late {
            out.push(Verdict::Stranger(id));
            self.closed(id, now, out);
        }
    }

    pub(super) fn next_wake(&self) -> Option<Instant> {
        self.streams.values().map(|stream| stream.until).min()
    }

    /// A message of one who knows the secret: says whether the stream is settled. `None`: of anybody else.
    fn heard(
        &mut self,
        id: StreamId,
        stream: &mut Stream,
        message: &Message,
        out: &mut Vec<Verdict>,
    ) -> Option<bool> {
        let signed = message.written_by(&self.key) == Some(Algorithm::Sha256);
        if !signed || message.method() != Method::Binding {
            return None;
        }
        match message.class() {
            Class::Request => {
                let number = message.value(attribute::ICE_CONTROLLING)?;
                let theirs = u64::from_be_bytes(number.try_into().ok()?);
                let same = stream.theirs.is_none_or(|before| before == theirs);
                if message.text(attribute::USERNAME) != Some(&self.name) || theirs == self.ours || !same {
                    return None;
                }
                let take = message.has(attribute::USE_CANDIDATE);
                if take && self.ours > theirs {
                    return None;
                }
                stream.theirs = Some(theirs);
                let yes = Writer::success(message).signed(&self.key, Algorithm::Sha256);
                out.push(Verdict::Write(id, framed(&yes)));
                Some(take)
            }
            Class::Success => match &mut stream.state {
                State::Taking(take) if *take == message.id() => Some(true),
                State::Asked { answered } if stream.hello == message.id() => {
                    *answered = true;
                    Some(false)
                }
                State::Taking(_) | State::Asked { .. } => None,
            },
            Class::Error | Class::Indication => None,
        }
    }

    /// Takes the first stream on which both have answered, if that is ours to do and none is being taken.
    fn take_next(&mut self, now: Instant, out: &mut Vec<Verdict>) {
        let taking = self.streams.values().any(|stream| matches!(stream.state, State::Taking(_)));
        let ready = self.streams.iter().find(|(_, stream)| {
            stream.state == State::Asked { answered: true }
                && stream.theirs.is_some_and(|theirs| self.ours > theirs)
        });
        let Some((&id, _)) = ready.filter(|_| !taking) else { return };
        let take = TransactionId::draw(&mut self.rng);
        let question = framed(&self.question(take, true));
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.state = State::Taking(take);
            stream.until = now + PATIENCE;
        }
        out.push(Verdict::Write(id, question));
    }

    fn question(&self, id: TransactionId, take: bool) -> Bytes {
        let request = Writer::request(Method::Binding, id)
            .text(attribute::USERNAME, &self.name)
            .long_number(attribute::ICE_CONTROLLING, self.ours);
        let request = if take { request.value(attribute::USE_CANDIDATE, b"") } else { request };
        request.signed(&self.key, Algorithm::Sha256)
    }
}

fn framed(message: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(message.len() + 2);
    framing::write(Framing::Rfc4571, message, &mut out).expect("our messages are short");
    out.into()
}
