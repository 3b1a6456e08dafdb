//! A message being written. RFC 8489 sections 5, 6.1 and 14.

use std::net::SocketAddr;

use bytes::Bytes;
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::message as wire;
use rtc_stun::message::Setter as _;
use rtc_stun::xoraddr::XorMappedAddress;

use super::integrity::{Algorithm, Key};
use super::{Attribute, Class, Message, Method, TransactionId, attribute};

/// A message being written: attributes in the order they are asked for, then signed or not.
#[derive(Debug)]
pub struct Writer(wire::Message);

impl Writer {
    /// Begins one.
    pub fn new(class: Class, method: Method, id: TransactionId) -> Self {
        let class = match class {
            Class::Request => wire::CLASS_REQUEST,
            Class::Indication => wire::CLASS_INDICATION,
            Class::Success => wire::CLASS_SUCCESS_RESPONSE,
            Class::Error => wire::CLASS_ERROR_RESPONSE,
        };
        let mut message = wire::Message::new();
        message.typ = wire::MessageType::new(method_of(method), class);
        message.transaction_id = wire::TransactionId(id.0);
        message.write_header();
        Self(message)
    }

    /// A request.
    pub fn request(method: Method, id: TransactionId) -> Self {
        Self::new(Class::Request, method, id)
    }

    /// A success response to `request`.
    pub fn success(request: &Message) -> Self {
        Self::new(Class::Success, request.method(), request.id())
    }

    /// An error response to `request`. `code` is 300..=699.
    pub fn error(request: &Message, code: u16, phrase: &str) -> Self {
        let mut value = vec![0, 0, (code / 100) as u8, (code % 100) as u8];
        value.extend_from_slice(phrase.as_bytes());
        Self::new(Class::Error, request.method(), request.id()).value(attribute::ERROR_CODE, &value)
    }

    /// Any attribute.
    #[must_use]
    pub fn value(mut self, attribute: Attribute, value: &[u8]) -> Self {
        self.0.add(attribute, value);
        self
    }

    /// One of 32 bits.
    #[must_use]
    pub fn number(self, attribute: Attribute, value: u32) -> Self {
        self.value(attribute, &value.to_be_bytes())
    }

    /// One of 64 bits.
    #[must_use]
    pub fn long_number(self, attribute: Attribute, value: u64) -> Self {
        self.value(attribute, &value.to_be_bytes())
    }

    /// One of text.
    #[must_use]
    pub fn text(self, attribute: Attribute, value: &str) -> Self {
        self.value(attribute, value.as_bytes())
    }

    /// An address, hidden from routers that rewrite what looks like one (`XOR-`).
    #[must_use]
    pub fn hidden_address(mut self, attribute: Attribute, address: SocketAddr) -> Self {
        let address = XorMappedAddress { ip: address.ip(), port: address.port() };
        address.add_to_as(&mut self.0, attribute).expect("an address of either family has a form");
        self
    }

    /// An address in the clear.
    #[must_use]
    pub fn plain_address(self, attribute: Attribute, address: SocketAddr) -> Self {
        let mut value = vec![0, if address.is_ipv4() { 1 } else { 2 }];
        value.extend_from_slice(&address.port().to_be_bytes());
        match address.ip() {
            std::net::IpAddr::V4(ip) => value.extend_from_slice(&ip.octets()),
            std::net::IpAddr::V6(ip) => value.extend_from_slice(&ip.octets()),
        }
        self.value(attribute, &value)
    }

    /// Signed, with a fingerprint behind it (ICE). RFC 8445 section 7.1.
    pub fn signed_with_fingerprint(mut self, key: &Key) -> Bytes {
        self.sign(key, Algorithm::Sha1);
        FINGERPRINT.add_to(&mut self.0).expect("a fingerprint is last");
        self.0.raw.into()
    }

    /// Signed.
    pub fn signed(mut self, key: &Key, algorithm: Algorithm) -> Bytes {
        self.sign(key, algorithm);
        self.0.raw.into()
    }

    /// By nobody.
    pub fn unsigned(self) -> Bytes {
        self.0.raw.into()
    }

    /// By nobody, with a fingerprint.
    pub fn fingerprinted(mut self) -> Bytes {
        FINGERPRINT.add_to(&mut self.0).expect("a fingerprint is last");
        self.0.raw.into()
    }

    fn sign(&mut self, key: &Key, algorithm: Algorithm) {
        let (attribute, size) = match algorithm {
            Algorithm::Sha1 => (attribute::MESSAGE_INTEGRITY, 20),
            Algorithm::Sha256 => (attribute::MESSAGE_INTEGRITY_SHA256, 32),
        };
        let length = self.0.length;
        self.0.length = length + 4 + size;
        self.0.write_length();
        let value = key.sign(algorithm, &self.0.raw);
        self.0.length = length;
        self.0.write_length();
        self.0.add(attribute, &value);
    }
}

fn method_of(method: Method) -> wire::Method {
    // Its own constructor is private; reading a type is not.
    let number = method.number();
    let mut typ = wire::MessageType::default();
    typ.read_value(number & 0x000f | (number & 0x0070) << 1 | (number & 0x0f80) << 2);
    typ.method
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_message_is_read_as_it_was_written() {
        let methods = [Method::Binding, Method::Allocate, Method::ConnectionAttempt, Method::Other(0x0ab)];
        for method in methods {
            for class in [Class::Request, Class::Indication, Class::Success, Class::Error] {
                let bytes = Writer::new(class, method, TransactionId([7; 12])).fingerprinted();
                let read = Message::read(&bytes).unwrap();
                assert_eq!((read.class(), read.method(), read.id()), (class, method, TransactionId([7; 12])));
            }
        }
    }

    #[test]
    fn what_was_signed_is_believed_by_who_has_the_key_and_by_nobody_else() {
        let (key, other) = (Key::short_term("right"), Key::short_term("wrong"));
        for algorithm in [Algorithm::Sha1, Algorithm::Sha256] {
            let writer =
                Writer::request(Method::Binding, TransactionId([1; 12])).text(attribute::USERNAME, "a:b");
            let bytes = writer.signed(&key, algorithm);
            let read = Message::read(&bytes).unwrap();
            assert_eq!((read.written_by(&key), read.written_by(&other)), (Some(algorithm), None));
            for bit in 0..bytes.len() * 8 {
                let mut bent = bytes.to_vec();
                bent[bit / 8] ^= 1 << (bit % 8);
                let believed = Message::read(&bent).is_ok_and(|read| read.written_by(&key).is_some());
                assert!(!believed, "{algorithm:?} bit {bit}");
            }
        }
    }

    #[test]
    fn hidden_addresses_of_both_families_are_read_in_order() {
        let (four, six) = ("192.0.2.1:7", "[2001:db8::1]:8");
        let writer = Writer::request(Method::Allocate, TransactionId([9; 12]))
            .hidden_address(attribute::XOR_RELAYED_ADDRESS, four.parse().unwrap())
            .hidden_address(attribute::XOR_RELAYED_ADDRESS, six.parse().unwrap());
        let read = Message::read(&writer.unsigned()).unwrap();
        let all: Vec<String> =
            read.hidden_addresses(attribute::XOR_RELAYED_ADDRESS).map(|a| a.to_string()).collect();
        assert_eq!(all, [four, six]);
    }
}
