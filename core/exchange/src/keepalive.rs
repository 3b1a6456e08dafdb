//! The STUN server beside SIP on a UDP port: it tells who asks what it is seen as, and no more.
//!
//! RFC 5626 section 8: the limited server that whoever takes registrations of flows must have. RFC 8489 section 6.3.1.
//! Keeps nothing.

use std::net::SocketAddr;

use bytes::Bytes;
use nat::stun::{Class, Message, Method, Writer, attribute};

/// Comprehension may be required of these: they change nothing here.
const KNOWN: &[nat::stun::Attribute] = &[attribute::USERNAME, attribute::MESSAGE_INTEGRITY];

/// What is said to that datagram; `None`: it is no request that is answered.
pub(crate) fn answer(datagram: &[u8], from: SocketAddr) -> Option<Bytes> {
    let request = Message::read(datagram).ok()?;
    if (request.class(), request.method()) != (Class::Request, Method::Binding) {
        return None;
    }
    let unknown = request.unknown_to(KNOWN);
    if !unknown.is_empty() {
        let numbers: Vec<u8> = unknown.iter().flat_map(|number| number.to_be_bytes()).collect();
        let refusal = Writer::error(&request, 420, "Unknown Attribute");
        return Some(refusal.value(attribute::UNKNOWN_ATTRIBUTES, &numbers).unsigned());
    }
    Some(Writer::success(&request).hidden_address(attribute::XOR_MAPPED_ADDRESS, from).unsigned())
}

#[cfg(test)]
mod tests {
    use nat::stun::TransactionId;

    use super::*;

    fn request() -> Writer {
        Writer::request(Method::Binding, TransactionId([7; 12]))
    }

    #[test]
    fn a_binding_request_is_told_where_it_came_from() {
        let from: SocketAddr = "198.51.100.7:4711".parse().unwrap();
        let answer = Message::read(&answer(&request().unsigned(), from).unwrap()).unwrap();
        assert_eq!((answer.class(), answer.id()), (Class::Success, TransactionId([7; 12])));
        assert_eq!(answer.mapped(), Some(from));
    }

    #[test]
    fn what_is_no_request_is_not_answered_and_what_asks_for_more_is_refused() {
        let from: SocketAddr = "198.51.100.7:4711".parse().unwrap();
        let asked = Message::read(&request().unsigned()).unwrap();
        assert_eq!(answer(&Writer::success(&asked).unsigned(), from), None);
        assert_eq!(answer(b"\r\n\r\n", from), None);
        let more = request().number(attribute::CHANGE_REQUEST, 6).unsigned();
        assert_eq!(Message::read(&answer(&more, from).unwrap()).unwrap().error(), Some(420));
    }
}
