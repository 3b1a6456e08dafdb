//! What can be wrong with a message, from a single word to the whole of it.

use super::Name;
use super::uri::UriError;

/// Bytes that are no SIP message. Count and drop; there is nobody to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Nothing but line breaks: a keepalive, not an error worth a word.
    #[error("nothing but line breaks")]
    Empty,
    /// More than 65,535 bytes.
    #[error("longer than 65,535 bytes")]
    TooLong,
    /// More than 256 header fields.
    #[error("more than 256 header fields")]
    TooManyFields,
    /// The first line is neither a request line nor a status line.
    #[error("no request line or status line")]
    StartLine,
    /// A status that is not 100 to 699.
    #[error("a status outside 100 to 699")]
    Status,
    /// The last header line is cut off.
    #[error("the header is cut off")]
    Unfinished,
}

/// What is wrong with one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// It is not there.
    #[error("missing")]
    Missing,
    /// It is there more than once.
    #[error("repeated")]
    Repeated,
    /// It does not follow its grammar.
    #[error("malformed")]
    Syntax,
    /// A quoted string that never closes.
    #[error("unterminated quote")]
    Quote,
    /// An empty or broken parameter.
    #[error("malformed parameters")]
    Params,
    /// Not a number, or beyond its range.
    #[error("bad number")]
    Number,
    /// Not UTF-8 where that matters.
    #[error("bad text")]
    Text,
    /// Not a usable URI.
    #[error("bad URI: {0}")]
    Uri(UriError),
}

impl From<UriError> for Flaw {
    fn from(error: UriError) -> Self {
        Self::Uri(error)
    }
}

/// What is wrong, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The Request-URI.
    #[error("Request-URI: {0}")]
    RequestUri(Flaw),
    /// A header field.
    #[error("{0}: {1}")]
    Field(Name, Flaw),
}

impl HeaderError {
    /// What is wrong.
    pub const fn flaw(&self) -> Flaw {
        match self {
            Self::RequestUri(flaw) | Self::Field(_, flaw) => *flaw,
        }
    }
}
