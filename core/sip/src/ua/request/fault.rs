//! What a request comes to that nobody answers.

/// Why there is no final response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ua) enum Fault {
    NoAnswer,
    Unreachable,
    NotFound,
}

impl Fault {
    /// What RFC 3261 section 8.1.3.1 has the user believe.
    pub(in crate::ua) const fn status(self) -> u16 {
        match self {
            Self::NoAnswer => 408,
            Self::Unreachable => 503,
            Self::NotFound => 404,
        }
    }
}
