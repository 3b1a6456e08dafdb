//! STUN messages: read, checked, written.
//!
//! RFC 8489 over the encoding of `rtc-stun`, whose own integrity knows SHA-1 only and whose reader takes any size. Bounded
//! here: what is longer than [`MAX_MESSAGE`] or has more than [`MAX_ATTRIBUTES`] is malformed. A message knows no transaction:
//! who asked what, and when to ask again, is [`transaction`]'s.

mod integrity;
mod message;
pub mod transaction;
mod writer;

pub use integrity::{Algorithm, Key};
pub use message::{Class, Malformed, Message, Method, TransactionId};
pub use rtc_stun::attributes::AttrType as Attribute;
pub use writer::Writer;

/// The names of attributes. IANA's registry; RFC 8489, RFC 8656, RFC 8445, RFC 5780, RFC 6062, RFC 8016.
pub mod attribute {
    pub use rtc_stun::attributes::{
        ATTR_CHANGE_REQUEST as CHANGE_REQUEST, ATTR_CHANNEL_NUMBER as CHANNEL_NUMBER,
        ATTR_CONNECTION_ID as CONNECTION_ID, ATTR_DATA as DATA, ATTR_ERROR_CODE as ERROR_CODE,
        ATTR_FINGERPRINT as FINGERPRINT, ATTR_ICE_CONTROLLED as ICE_CONTROLLED,
        ATTR_ICE_CONTROLLING as ICE_CONTROLLING, ATTR_LIFETIME as LIFETIME,
        ATTR_MAPPED_ADDRESS as MAPPED_ADDRESS, ATTR_MESSAGE_INTEGRITY as MESSAGE_INTEGRITY,
        ATTR_MESSAGE_INTEGRITY_SHA256 as MESSAGE_INTEGRITY_SHA256, ATTR_NONCE as NONCE,
        ATTR_OTHER_ADDRESS as OTHER_ADDRESS, ATTR_PASSWORD_ALGORITHM as PASSWORD_ALGORITHM,
        ATTR_PASSWORD_ALGORITHMS as PASSWORD_ALGORITHMS, ATTR_PRIORITY as PRIORITY, ATTR_REALM as REALM,
        ATTR_REQUESTED_ADDRESS_FAMILY as REQUESTED_ADDRESS_FAMILY,
        ATTR_REQUESTED_TRANSPORT as REQUESTED_TRANSPORT, ATTR_RESPONSE_ORIGIN as RESPONSE_ORIGIN,
        ATTR_RESPONSE_PORT as RESPONSE_PORT, ATTR_SOFTWARE as SOFTWARE,
        ATTR_UNKNOWN_ATTRIBUTES as UNKNOWN_ATTRIBUTES, ATTR_USE_CANDIDATE as USE_CANDIDATE,
        ATTR_USERNAME as USERNAME, ATTR_XOR_PEER_ADDRESS as XOR_PEER_ADDRESS,
        ATTR_XOR_RELAYED_ADDRESS as XOR_RELAYED_ADDRESS, ATTR_XORMAPPED_ADDRESS as XOR_MAPPED_ADDRESS,
    };

    // What relays say beyond that.
    pub use rtc_stun::attributes::{ATTR_ALTERNATE_SERVER as ALTERNATE_SERVER, ATTR_USER_HASH as USERHASH};

    use rtc_stun::attributes::AttrType;

    /// A second relayed address, of the other family. RFC 8656 section 18.11.
    pub const ADDITIONAL_ADDRESS_FAMILY: AttrType = AttrType(0x8000);
    /// The same, as coturn knew it until 4.6 and nobody else: it was a draft.
    pub const DRAFT_ADDITIONAL_ADDRESS_FAMILY: AttrType = AttrType(0x8032);
    /// Why there is no second one. RFC 8656 section 18.12.
    pub const ADDRESS_ERROR_CODE: AttrType = AttrType(0x8001);
    /// What a router said of a packet to a peer. RFC 8656 section 18.13.
    pub const ICMP: AttrType = AttrType(0x8004);
    /// What lets an allocation be kept from another place. RFC 8016 section 3.3.
    pub const MOBILITY_TICKET: AttrType = AttrType(0x8030);
}

/// The longest message read. RFC 8489 section 6.1 keeps datagrams below the path's MTU; TURN data on a stream may be longer.
pub const MAX_MESSAGE: usize = 4096;
/// The most attributes read.
pub const MAX_ATTRIBUTES: usize = 48;

/// Whether a datagram is STUN by its first byte and its cookie. RFC 7983 section 7, RFC 8489 section 6.3.
pub fn is_stun(bytes: &[u8]) -> bool {
    bytes.len() >= 20 && bytes[0] < 4 && bytes[4..8] == [0x21, 0x12, 0xa4, 0x42]
}
