//! A message as it was read. RFC 8489 sections 5 and 14.

use std::net::{IpAddr, SocketAddr};

use rtc_stun::addr::MappedAddress;
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::message as wire;
use rtc_stun::message::Getter as _;
use rtc_stun::xoraddr::XorMappedAddress;

use super::integrity::{Algorithm, Key};
use super::{Attribute, MAX_ATTRIBUTES, MAX_MESSAGE, attribute};

/// What pairs a response with its request: 96 random bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TransactionId(pub [u8; 12]);

impl TransactionId {
    /// A fresh one. RFC 8489 section 5: unguessable.
    pub fn draw(rng: &mut base::Rng) -> Self {
        let mut id = [0; 12];
        rng.fill(&mut id);
        Self(id)
    }
}

/// What kind of message. RFC 8489 section 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Wants an answer.
    Request,
    /// Wants none.
    Indication,
    /// It was done.
    Success,
    /// It was not.
    Error,
}

/// What it is about. RFC 8489 section 18.2, RFC 8656 section 17, RFC 6062 section 6.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Which address do you see me under.
    Binding,
    /// Give me a relayed address.
    Allocate,
    /// Keep it, or give it up.
    Refresh,
    /// Data to a peer.
    Send,
    /// Data from a peer.
    Data,
    /// Let this peer reach me.
    CreatePermission,
    /// The same, and a short name for it.
    ChannelBind,
    /// Connect to a peer. RFC 6062.
    Connect,
    /// This connection belongs to that one. RFC 6062.
    ConnectionBind,
    /// A peer has connected. RFC 6062.
    ConnectionAttempt,
    /// Any other.
    Other(u16),
}

const METHODS: [(Method, u16); 10] = [
    (Method::Binding, 0x001),
    (Method::Allocate, 0x003),
    (Method::Refresh, 0x004),
    (Method::Send, 0x006),
    (Method::Data, 0x007),
    (Method::CreatePermission, 0x008),
    (Method::ChannelBind, 0x009),
    (Method::Connect, 0x00a),
    (Method::ConnectionBind, 0x00b),
    (Method::ConnectionAttempt, 0x00c),
];

impl Method {
    /// Its number.
    pub fn number(self) -> u16 {
        match self {
            Self::Other(number) => number,
            known => METHODS.iter().find(|(method, _)| *method == known).map_or(0, |(_, number)| *number),
        }
    }

    fn of(number: u16) -> Self {
        METHODS.iter().find(|(_, known)| *known == number).map_or(Self::Other(number), |(method, _)| *method)
    }
}

/// Why bytes are no STUN message: count and drop them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a STUN message")]
pub struct Malformed;

/// A message that was read, with the bytes it was read from: integrity covers those.
#[derive(Clone, Debug)]
pub struct Message(pub(super) wire::Message);

impl Message {
    /// Reads one message that fills `bytes`. A fingerprint that is there must be right (RFC 8489 section 14.7).
    ///
    /// # Errors
    /// It is none.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        if !super::is_stun(bytes) || bytes.len() > MAX_MESSAGE || !bytes.len().is_multiple_of(4) {
            return Err(Malformed);
        }
        let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
        if length + 20 != bytes.len() || count(&bytes[20..]).is_none_or(|n| n > MAX_ATTRIBUTES) {
            return Err(Malformed);
        }
        let mut message = wire::Message { raw: bytes.to_vec(), ..wire::Message::default() };
        message.decode().map_err(|_| Malformed)?;
        let mut read = Self(message);
        read.ignore_what_nobody_signed();
        if read.has(attribute::FINGERPRINT) && FINGERPRINT.check(&read.0).is_err() {
            return Err(Malformed);
        }
        Ok(read)
    }

    /// Behind an integrity only another one and the fingerprint count: anybody on the path can append the rest, a
    /// `USE-CANDIDATE` say, and leave the signature right. RFC 8489 sections 14.5 and 14.6.
    fn ignore_what_nobody_signed(&mut self) {
        let (mut sha1, mut sha256) = (false, false);
        self.0.attributes.0.retain(|a| match a.typ {
            attribute::FINGERPRINT => true,
            attribute::MESSAGE_INTEGRITY_SHA256 => !std::mem::replace(&mut sha256, true),
            attribute::MESSAGE_INTEGRITY => !sha256 && !std::mem::replace(&mut sha1, true),
            _ => !sha1 && !sha256,
        });
    }

    /// Whether something stands behind the integrity that nobody has signed: passed over here, but others who read the same
    /// bytes may believe it.
    pub fn has_unsigned_tail(&self) -> bool {
        count(&self.0.raw[20..]) != Some(self.0.attributes.0.len())
    }

    /// The bytes it was read from.
    pub fn bytes(&self) -> &[u8] {
        &self.0.raw
    }

    /// What kind.
    pub fn class(&self) -> Class {
        match self.0.typ.class {
            wire::CLASS_REQUEST => Class::Request,
            wire::CLASS_INDICATION => Class::Indication,
            wire::CLASS_SUCCESS_RESPONSE => Class::Success,
            _ => Class::Error,
        }
    }

    /// What about.
    pub fn method(&self) -> Method {
        // The number's bits lie around those of the class: RFC 8489 figure 3.
        let typ = u16::from_be_bytes([self.0.raw[0], self.0.raw[1]]);
        Method::of(typ & 0x000f | (typ & 0x00e0) >> 1 | (typ & 0x3e00) >> 2)
    }

    /// Whose answer it is.
    pub fn id(&self) -> TransactionId {
        TransactionId(self.0.transaction_id.0)
    }

    /// Whether such an attribute is there.
    pub fn has(&self, attribute: Attribute) -> bool {
        self.0.contains(attribute)
    }

    /// The first value of an attribute, as the wire had it.
    pub fn value(&self, attribute: Attribute) -> Option<&[u8]> {
        self.0.attributes.0.iter().find(|a| a.typ == attribute).map(|a| &a.value[..])
    }

    /// All values of an attribute, in order.
    pub fn values(&self, attribute: Attribute) -> impl Iterator<Item = &[u8]> {
        self.0.attributes.0.iter().filter(move |a| a.typ == attribute).map(|a| &a.value[..])
    }

    /// A value of 32 bits; `None` when it has another size.
    pub fn number(&self, attribute: Attribute) -> Option<u32> {
        Some(u32::from_be_bytes(self.value(attribute)?.try_into().ok()?))
    }

    /// A value as text.
    pub fn text(&self, attribute: Attribute) -> Option<&str> {
        std::str::from_utf8(self.value(attribute)?).ok()
    }

    /// An address, of those attributes that hide it (`XOR-`).
    pub fn hidden_address(&self, attribute: Attribute) -> Option<SocketAddr> {
        let mut address = XorMappedAddress::default();
        // The reader below trusts its length.
        matches!(self.value(attribute)?.len(), 8 | 20).then_some(())?;
        address.get_from_as(&self.0, attribute).ok()?;
        Some(SocketAddr::new(address.ip, address.port))
    }

    /// All addresses, of an attribute that hides them and may be there more than once.
    pub fn hidden_addresses(&self, attribute: Attribute) -> impl Iterator<Item = SocketAddr> {
        self.values(attribute).filter_map(|value| {
            // The cookie and the transaction hide it: RFC 8489 section 14.2.
            let mask = &self.0.raw[4..20];
            let unhidden = |from: usize, at: usize| value[from + at] ^ mask[at];
            let port = u16::from_be_bytes([value.get(2)? ^ mask[0], value.get(3)? ^ mask[1]]);
            let ip = match (value[1], value.len()) {
                (1, 8) => IpAddr::from(std::array::from_fn::<u8, 4, _>(|at| unhidden(4, at))),
                (2, 20) => IpAddr::from(std::array::from_fn::<u8, 16, _>(|at| unhidden(4, at))),
                _ => return None,
            };
            Some(SocketAddr::new(ip, port))
        })
    }

    /// An address, of those attributes that say it plainly.
    pub fn plain_address(&self, attribute: Attribute) -> Option<SocketAddr> {
        let value = self.value(attribute)?;
        let port = u16::from_be_bytes([*value.get(2)?, *value.get(3)?]);
        let ip = match (value.get(1)?, &value[4..]) {
            (1, ip) => IpAddr::from(<[u8; 4]>::try_from(ip).ok()?),
            (2, ip) => IpAddr::from(<[u8; 16]>::try_from(ip).ok()?),
            _ => return None,
        };
        Some(SocketAddr::new(ip, port))
    }

    /// The address that the other side saw a request come from; from old servers in the clear (RFC 3489).
    pub fn mapped(&self) -> Option<SocketAddr> {
        self.hidden_address(attribute::XOR_MAPPED_ADDRESS).or_else(|| {
            let mut address = MappedAddress::default();
            self.plain_address(attribute::MAPPED_ADDRESS)?;
            address.get_from(&self.0).ok()?;
            Some(SocketAddr::new(address.ip, address.port))
        })
    }

    /// The code of an error response, 300..=699. RFC 8489 section 14.8.
    pub fn error(&self) -> Option<u16> {
        let value = self.value(attribute::ERROR_CODE)?;
        let (class, number) = (*value.get(2)? & 7, *value.get(3)?);
        ((3..=6).contains(&class) && number < 100).then(|| u16::from(class) * 100 + u16::from(number))
    }

    /// Attributes that must be understood (0x0000..=0x7fff) and are none of `known`. RFC 8489 section 6.3.
    pub fn unknown_to(&self, known: &[Attribute]) -> Vec<u16> {
        let must = self.0.attributes.0.iter().filter(|a| a.typ.required());
        must.filter(|a| !known.contains(&a.typ)).map(|a| a.typ.value()).collect()
    }

    /// Whether one who has this key wrote it. Says by which algorithm; `None`: somebody else, or nobody says.
    pub fn written_by(&self, key: &Key) -> Option<Algorithm> {
        key.check(&self.0.raw)
    }
}

/// How many attributes follow each other; `None` when one is cut.
fn count(mut rest: &[u8]) -> Option<usize> {
    let mut count = 0;
    while !rest.is_empty() {
        let length = usize::from(u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?]));
        rest = rest.get(4 + length.next_multiple_of(4)..)?;
        count += 1;
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::super::Writer;
    use super::*;

    #[test]
    fn what_stands_behind_the_signature_is_not_there() {
        let key = Key::short_term("right");
        for algorithm in [Algorithm::Sha1, Algorithm::Sha256] {
            let request = Writer::request(Method::Binding, TransactionId([1; 12]));
            let mut bytes = request.text(attribute::USERNAME, "a:b").signed(&key, algorithm).to_vec();
            bytes.extend_from_slice(b"\0\x25\0\0"); // USE-CANDIDATE
            bytes[3] += 4;
            let read = Message::read(&bytes).unwrap();
            assert_eq!(read.written_by(&key), Some(algorithm));
            assert!(read.has(attribute::USERNAME) && !read.has(attribute::USE_CANDIDATE));
        }
    }
}
