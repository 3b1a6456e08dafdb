//! Keyed marks that come back: flow tokens in Record-Route, loop marks in branches.
//!
//! RFC 5626 section 5.3 asks for a token that names a flow and that nobody else can make; RFC 5393 section 4.2.1 for a
//! second part of the branch that repeats when, and only when, a request has looped. Both are HMAC-SHA-256, cut to 64 bits, under
//! the exchange's own key. A token is tied to its Call-ID, so one that was seen in one call opens no other way.

use std::net::{IpAddr, SocketAddr};

use base::{FlowId, Secret, Transport};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const TRANSPORTS: [Transport; 5] =
    [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss];
const MAC_LEN: usize = 8;

/// The far end of a flow: what a token names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// The socket or connection.
    pub(crate) flow: FlowId,
    /// What it carries.
    pub(crate) transport: Transport,
    /// Whom to send to on it.
    pub(crate) remote: SocketAddr,
}

/// What a token of ours grants: to pass, and by a certain flow if it names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leave {
    /// The flow toward the neighbour on that side.
    pub(crate) end: Option<End>,
}

/// Makes and knows the exchange's marks.
#[derive(Debug)]
pub(crate) struct Mint {
    key: Secret<[u8; 16]>,
}

impl Mint {
    /// `key` decides which marks are ours: keep it over a restart and calls survive it.
    pub(crate) fn new(key: Secret<[u8; 16]>) -> Self {
        Self { key }
    }

    /// A token for one call: that a request with it has our leave to pass, and by which flow.
    pub(crate) fn token(&self, call_id: &[u8], end: Option<End>) -> String {
        let mut bytes = Vec::with_capacity(32);
        if let Some(end) = end {
            // The table lists every transport, so the position is always found.
            let transport = TRANSPORTS.iter().position(|t| *t == end.transport).unwrap_or_default();
            bytes.push(transport as u8);
            bytes.extend(end.flow.0.to_be_bytes());
            bytes.extend(end.remote.port().to_be_bytes());
            match end.remote.ip() {
                IpAddr::V4(ip) => bytes.extend(ip.octets()),
                IpAddr::V6(ip) => bytes.extend(ip.octets()),
            }
        }
        let mac = self.mac(b"flow", [call_id, &bytes]);
        bytes.extend(mac);
        encode(&bytes)
    }

    /// Reads a token of ours for this call; `None` for anything else.
    pub(crate) fn open(&self, call_id: &[u8], token: &str) -> Option<Leave> {
        let bytes = decode(token)?;
        let (told, mac) = bytes.split_at_checked(bytes.len().checked_sub(MAC_LEN)?)?;
        if self.mac(b"flow", [call_id, told]) != mac {
            return None;
        }
        let Some((transport, told)) = told.split_first() else { return Some(Leave { end: None }) };
        let (flow, told) = told.split_first_chunk::<4>()?;
        let (port, ip) = told.split_first_chunk::<2>()?;
        let ip = match ip.len() {
            4 => IpAddr::from(<[u8; 4]>::try_from(ip).ok()?),
            _ => IpAddr::from(<[u8; 16]>::try_from(ip).ok()?),
        };
        let end = End {
            flow: FlowId(u32::from_be_bytes(*flow)),
            transport: *TRANSPORTS.get(usize::from(*transport))?,
            remote: SocketAddr::new(ip, u16::from_be_bytes(*port)),
        };
        Some(Leave { end: Some(end) })
    }

    /// The mark of everything that decides where a request goes next. Equal parts, equal mark.
    pub(crate) fn mark<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> String {
        encode(&self.mac(b"loop", parts))
    }

    fn mac<'a>(&self, purpose: &[u8], parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; MAC_LEN] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.key.expose()).expect("HMAC takes keys of any length");
        mac.update(purpose);
        for part in parts {
            mac.update(&part.len().to_be_bytes());
            mac.update(part);
        }
        let whole = mac.finalize().into_bytes();
        std::array::from_fn(|i| whole[i])
    }
}

/// Base32 in lower case without padding: safe in a user part and in a branch, and indifferent to case.
fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let mut room = [0; 8];
        room[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(room);
        let digits = (chunk.len() * 8).div_ceil(5);
        out.extend((0..digits).map(|i| char::from(ALPHABET[(bits >> (35 - 5 * i)) as usize & 31])));
    }
    out
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 5 / 8);
    for chunk in text.as_bytes().chunks(8) {
        let mut bits = 0_u64;
        for (i, c) in chunk.iter().enumerate() {
            let digit = ALPHABET.iter().position(|a| *a == c.to_ascii_lowercase())?;
            bits |= (digit as u64) << (35 - 5 * i);
        }
        out.extend_from_slice(&bits.to_be_bytes()[3..3 + chunk.len() * 5 / 8]);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mint() -> Mint {
        Mint::new(Secret::new(*b"0123456789abcdef"))
    }

    fn end(remote: &str) -> End {
        End { flow: FlowId(7), transport: Transport::Tcp, remote: remote.parse().unwrap() }
    }

    #[test]
    fn a_token_brings_back_its_flow_and_only_in_its_own_call() {
        for end in [None, Some(end("192.0.2.1:5062")), Some(end("[2001:db8::1]:5060"))] {
            let token = mint().token(b"call", end);
            assert_eq!(mint().open(b"call", &token), Some(Leave { end }));
            assert_eq!(mint().open(b"call", &token.to_uppercase()), Some(Leave { end }));
            assert_eq!(mint().open(b"other", &token), None);
            assert!(token.bytes().all(|c| c.is_ascii_alphanumeric()));
        }
    }

    #[test]
    fn forged_short_and_foreign_tokens_do_not_open() {
        let token = mint().token(b"call", Some(end("192.0.2.1:5062")));
        for i in 0..token.len() {
            let mut bad = token.clone().into_bytes();
            bad[i] = if bad[i] == b'a' { b'q' } else { b'a' };
            assert_eq!(mint().open(b"call", std::str::from_utf8(&bad).unwrap()), None);
            assert_eq!(mint().open(b"call", &token[..i]), None);
        }
        assert_eq!(Mint::new(Secret::new([0; 16])).open(b"call", &token), None);
        assert_eq!(mint().open(b"call", "1001"), None);
    }

    #[test]
    fn marks_are_equal_only_for_equal_parts() {
        let mark = |parts: &[&str]| mint().mark(parts.iter().map(|p| p.as_bytes()));
        assert_eq!(mark(&["sip:a", "b"]), mark(&["sip:a", "b"]));
        assert_ne!(mark(&["sip:a", "b"]), mark(&["sip:ab", ""]));
    }
}
