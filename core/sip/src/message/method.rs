//! Methods. RFC 3261 section 7.1 and the RFCs that added more. Case counts, and an unknown one is not an error.

use std::fmt;

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// RFC 3261 section 10.
    Register,
    /// RFC 3261 section 13.
    Invite,
    /// RFC 3261 section 13.2.2.4 and 17.1.1.3.
    Ack,
    /// RFC 3261 section 15.
    Bye,
    /// RFC 3261 section 9.
    Cancel,
    /// RFC 3261 section 11.
    Options,
    /// RFC 3262.
    Prack,
    /// RFC 3311.
    Update,
    /// RFC 6086.
    Info,
    /// RFC 3428.
    Message,
    /// RFC 3515.
    Refer,
    /// RFC 6665.
    Subscribe,
    /// RFC 6665.
    Notify,
    /// RFC 3903.
    Publish,
    /// Any other token, kept as written.
    Other(Box<str>),
}

impl Method {
    /// Every method with a name here.
    pub const KNOWN: [Self; 14] = [
        Self::Register,
        Self::Invite,
        Self::Ack,
        Self::Bye,
        Self::Cancel,
        Self::Options,
        Self::Prack,
        Self::Update,
        Self::Info,
        Self::Message,
        Self::Refer,
        Self::Subscribe,
        Self::Notify,
        Self::Publish,
    ];

    /// Reads a method token. Allocates only for one that has no name here.
    pub fn read(token: &[u8]) -> Self {
        match token {
            b"INVITE" => Self::Invite,
            b"ACK" => Self::Ack,
            b"BYE" => Self::Bye,
            b"CANCEL" => Self::Cancel,
            b"REGISTER" => Self::Register,
            b"OPTIONS" => Self::Options,
            b"PRACK" => Self::Prack,
            b"UPDATE" => Self::Update,
            b"INFO" => Self::Info,
            b"MESSAGE" => Self::Message,
            b"REFER" => Self::Refer,
            b"SUBSCRIBE" => Self::Subscribe,
            b"NOTIFY" => Self::Notify,
            b"PUBLISH" => Self::Publish,
            other => Self::Other(String::from_utf8_lossy(other).into()),
        }
    }

    /// The word on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Register => "REGISTER",
            Self::Invite => "INVITE",
            Self::Ack => "ACK",
            Self::Bye => "BYE",
            Self::Cancel => "CANCEL",
            Self::Options => "OPTIONS",
            Self::Prack => "PRACK",
            Self::Update => "UPDATE",
            Self::Info => "INFO",
            Self::Message => "MESSAGE",
            Self::Refer => "REFER",
            Self::Subscribe => "SUBSCRIBE",
            Self::Notify => "NOTIFY",
            Self::Publish => "PUBLISH",
            Self::Other(word) => word,
        }
    }

    /// Whether this method has a name here: what is not known is answered 501 by a user agent.
    pub const fn is_known(&self) -> bool {
        !matches!(self, Self::Other(_))
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_method_reads_back_and_case_counts() {
        for method in Method::KNOWN {
            assert_eq!(Method::read(method.as_str().as_bytes()), method);
        }
        assert_eq!(Method::read(b"invite"), Method::Other("invite".into()));
        assert!(!Method::read(b"IN%56ITE").is_known());
    }
}
