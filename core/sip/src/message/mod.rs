//! Bytes to a message and back. RFC 3261 sections 7, 18.3 and 25.1; RFC 4475 as its conscience.
//!
//! [`Message::read`] finds the lines and names the fields, nothing more; what a field says is read when asked for.
//! Tolerant of what the world sends (bare LF, folds, compact names, any bytes in text); what must be refused is still
//! read, and [`Message::refusal`] says how to answer it. Knows nothing of transports, transactions or dialogs.

mod draft;
mod flaw;
mod headers;
mod index;
mod lex;
mod method;
mod name;
mod refusal;
mod status;
mod stream;
mod typed;
mod uri;

pub use draft::{Draft, Form};
pub use flaw::{Flaw, HeaderError, Malformed};
pub use headers::{CSeq, HostPort, NameAddr, Rport, Via};
pub use index::{MAX_FIELDS, MAX_MESSAGE};
pub use lex::{Param, Params, is_token, quote, unquote};
pub use method::Method;
pub use name::Name;
pub use refusal::{Abilities, Refusal};
pub use status::{fragment_status, phrase};
pub use stream::{Framed, Side, Stream, StreamError};
pub use typed::{Event, MediaType, RAck, Reason, Refresher, Replaces, SessionExpires, SubscriptionState};
pub use uri::{Host, Scheme, Uri, UriError, UriRef, escape_user, escape_value, unescape};

use bytes::Bytes;

use index::{Index, StartIndex};
use lex::{List, is_list, utf8};

/// A SIP message: the bytes it was read from and where its fields lie in them.
///
/// Over `&[u8]` nothing is copied; over [`Bytes`] it can be kept. Cloning the latter copies the index only.
#[derive(Clone)]
pub struct Message<B = Bytes> {
    bytes: B,
    index: Index,
}

/// The first line, apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start<'a> {
    /// A request line.
    Request {
        /// What is asked.
        method: Method,
        /// Of whom, as written and not checked: see [`Message::request_uri`].
        uri: &'a [u8],
    },
    /// A status line.
    Response {
        /// 100 to 699.
        status: u16,
        /// For people; may be empty, may be no UTF-8.
        reason: &'a [u8],
    },
}

/// One header field, in place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// Which one, or [`Name::Other`].
    pub name: Name,
    /// Its name as written.
    pub text: &'a [u8],
    /// What it says, without LWS at its ends; folds inside are kept.
    pub value: &'a [u8],
}

impl<B: AsRef<[u8]>> Message<B> {
    /// Reads one message: a datagram, or what [`Stream`] framed. Octets behind the body are overlooked (RFC 3261 section
    /// 18.3).
    ///
    /// # Errors
    /// What is no SIP message at all, or beyond the limits. Count it and drop it.
    pub fn read(bytes: B) -> Result<Self, Malformed> {
        let index = Index::read(bytes.as_ref())?;
        Ok(Self { bytes, index })
    }

    /// The first line.
    pub fn start(&self) -> Start<'_> {
        let bytes = self.bytes();
        match self.index.start {
            StartIndex::Request { method, uri } => {
                Start::Request { method: Method::read(method.of(bytes)), uri: uri.of(bytes) }
            }
            StartIndex::Response { status, reason } => Start::Response { status, reason: reason.of(bytes) },
        }
    }

    /// Whether it is a request.
    pub fn is_request(&self) -> bool {
        matches!(self.index.start, StartIndex::Request { .. })
    }

    /// A response's status, 100 to 699.
    pub fn status(&self) -> Option<u16> {
        match self.index.start {
            StartIndex::Request { .. } => None,
            StartIndex::Response { status, .. } => Some(status),
        }
    }

    /// A response's reason phrase, or the usual one for its status when it has none that can be shown.
    pub fn reason_phrase(&self) -> &str {
        match self.index.start {
            StartIndex::Request { .. } => "",
            StartIndex::Response { status, reason } => match utf8(reason.of(self.bytes())) {
                Ok("") | Err(_) => phrase(status),
                Ok(reason) => reason,
            },
        }
    }

    /// A request's method; a response's is its CSeq's. An unreadable CSeq gives an empty `Other`.
    pub fn method(&self) -> Method {
        match self.index.start {
            StartIndex::Request { method, .. } => Method::read(method.of(self.bytes())),
            StartIndex::Response { .. } => {
                self.cseq().map_or_else(|_| Method::Other("".into()), |cseq| cseq.method)
            }
        }
    }

    /// A request's target.
    ///
    /// # Errors
    /// It is no URI, or this is a response.
    pub fn request_uri(&self) -> Result<UriRef<'_>, HeaderError> {
        match self.index.start {
            StartIndex::Request { uri, .. } => {
                UriRef::read(uri.of(self.bytes())).map_err(|e| HeaderError::RequestUri(Flaw::Uri(e)))
            }
            StartIndex::Response { .. } => Err(HeaderError::RequestUri(Flaw::Missing)),
        }
    }

    /// The first field of that name, without LWS at its ends.
    pub fn first(&self, name: Name) -> Option<&[u8]> {
        Some(self.index.all(name).next()?.value.of(self.bytes()))
    }

    /// The first field of that name when it is UTF-8.
    pub fn text(&self, name: Name) -> Option<&str> {
        utf8(self.first(name)?).ok()
    }

    /// Whether there is a field of that name.
    pub fn has(&self, name: Name) -> bool {
        self.index.all(name).next().is_some()
    }

    /// All fields of that name, field by field.
    pub fn all(&self, name: Name) -> impl Iterator<Item = &[u8]> {
        let bytes = self.bytes();
        self.index.all(name).map(|f| f.value.of(bytes))
    }

    /// All values of that name: its fields in order, split at their top-level commas. Fields that are not lists by their
    /// grammar (challenges, dates, subjects) are given whole.
    pub fn list(&self, name: Name) -> impl Iterator<Item = &[u8]> {
        List::new(self.all(name), !is_list(name))
    }

    /// The first field of a name that [`Name`] may not know, case aside.
    pub fn other(&self, name: &str) -> Option<&[u8]> {
        match Name::read(name.as_bytes()) {
            Name::Other => {
                self.fields().find(|f| f.text.eq_ignore_ascii_case(name.as_bytes())).map(|f| f.value)
            }
            known => self.first(known),
        }
    }

    /// All fields in order.
    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        let bytes = self.bytes();
        self.index.fields.iter().map(move |f| Field {
            name: f.name,
            text: f.text(bytes),
            value: f.value.of(bytes),
        })
    }

    /// What follows the empty line, as long as Content-Length says; all of it where that is absent.
    pub fn body(&self) -> &[u8] {
        self.index.body.of(self.bytes())
    }

    /// What it was read from.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// A copy that can be kept.
    pub fn to_bytes(&self) -> Message<Bytes> {
        Message { bytes: Bytes::copy_from_slice(self.bytes()), index: self.index.clone() }
    }

    /// The index, for the rules in `refusal`.
    fn index(&self) -> &Index {
        &self.index
    }
}

impl Message<Bytes> {
    /// What it was read from, sharing its memory.
    pub fn share(&self) -> Bytes {
        self.bytes.clone()
    }

    /// The body, sharing the message's memory.
    pub fn body_bytes(&self) -> Bytes {
        self.bytes.slice(self.index.body.range())
    }
}

/// Only what a log may know: start and size, no addresses.
impl<B: AsRef<[u8]>> std::fmt::Debug for Message<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.status() {
            Some(status) => write!(f, "{status}")?,
            None => write!(f, "{}", self.method())?,
        }
        write!(f, " ({} fields, {} bytes)", self.index.fields.len(), self.bytes().len())
    }
}

#[cfg(test)]
mod tests;
