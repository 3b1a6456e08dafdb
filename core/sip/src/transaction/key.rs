//! Under which name a received request's transaction is found. RFC 3261 section 17.2.3, and 8.2.2.2 for merged requests.
//!
//! A name is a hash under keys that strangers do not know: they cannot make two requests meet, and 128 bits do not meet by
//! chance. So no text is kept or compared.

use std::hash::{DefaultHasher, Hasher};

use base::Rng;
use bytes::Bytes;

use crate::message::{Host, Message, Method, Name, Start, Via};

/// The name of a server transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u64, u64);

impl Key {
    /// A To tag for the one who answers without keeping anything: the same each time. RFC 3261 section 8.2.7.
    pub(super) fn tag(self) -> String {
        format!("{:016x}", self.0)
    }
}

#[derive(Debug)]
pub(super) struct Keys([u64; 4]);

impl Keys {
    pub(super) fn new(rng: &mut Rng) -> Self {
        Self(std::array::from_fn(|_| rng.bits()))
    }

    /// The name of the transaction that `message` belongs to, was it a `method` request: an ACK belongs to its INVITE.
    pub(super) fn server(&self, message: &Message<Bytes>, via: &Via<'_>, method: &Method) -> Key {
        match via.branch.filter(|b| b.starts_with(Via::COOKIE)) {
            Some(branch) => self.hash(|h| {
                h.text(branch);
                h.host(via.sent_by.host);
                h.number(via.sent_by.port.map_or(0, |p| u64::from(p) + 1));
                h.text(method.as_str());
            }),
            None => self.rfc_2543(message, method),
        }
    }

    /// No magic cookie: an older client. The To tag of an INVITE is left out, for its ACK's differs; the layer compares that
    /// one with the response's.
    fn rfc_2543(&self, message: &Message<Bytes>, method: &Method) -> Key {
        self.hash(|h| {
            if let Start::Request { uri, .. } = message.start() {
                h.bytes(uri);
            }
            h.bytes(message.list(Name::Via).next().unwrap_or(b""));
            h.bytes(message.first(Name::CallId).unwrap_or(b""));
            h.text(message.from().ok().and_then(|a| a.tag()).unwrap_or(""));
            if *method != Method::Invite {
                h.text(message.to().ok().and_then(|a| a.tag()).unwrap_or(""));
            }
            h.number(message.cseq().map_or(0, |c| u64::from(c.number)));
            h.text(method.as_str());
        })
    }

    /// The name that two copies of one request share though their paths differ. `None` within a dialog.
    pub(super) fn merged(&self, message: &Message<Bytes>) -> Option<Key> {
        if message.to().ok()?.tag().is_some() {
            return None;
        }
        let tag = message.from().ok()?.tag()?;
        let cseq = message.cseq().ok()?;
        Some(self.hash(|h| {
            h.bytes(tag.as_bytes());
            h.bytes(message.first(Name::CallId).unwrap_or(b""));
            h.number(u64::from(cseq.number));
            h.text(cseq.method.as_str());
        }))
    }

    fn hash(&self, feed: impl Fn(&mut Feed)) -> Key {
        let one = |a: u64, b: u64| {
            let mut feeder = Feed(DefaultHasher::new());
            feeder.number(a);
            feeder.number(b);
            feed(&mut feeder);
            feeder.0.finish()
        };
        Key(one(self.0[0], self.0[1]), one(self.0[2], self.0[3]))
    }
}

/// A hash being fed: each part ends, so that parts cannot flow into each other.
struct Feed(DefaultHasher);

impl Feed {
    /// Bytes as they are.
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
        self.0.write_usize(bytes.len());
    }

    /// Text in which case does not count.
    fn text(&mut self, text: &str) {
        let mut room = [0; 64];
        for chunk in text.as_bytes().chunks(room.len()) {
            let lower = &mut room[..chunk.len()];
            lower.copy_from_slice(chunk);
            lower.make_ascii_lowercase();
            self.0.write(lower);
        }
        self.0.write_usize(text.len());
    }

    fn host(&mut self, host: Host<'_>) {
        match host {
            Host::Name(name) => self.text(name),
            Host::V4(ip) => self.bytes(&ip.octets()),
            Host::V6(ip) => self.bytes(&ip.octets()),
        }
    }

    fn number(&mut self, number: u64) {
        self.0.write_u64(number);
    }
}
