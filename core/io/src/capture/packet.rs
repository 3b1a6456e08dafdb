//! One packet as a pcapng block: draft-ietf-opsawg-pcapng sections 4.1 to 4.3, link type RAW.
//!
//! The headers of IP, UDP and TCP (RFC 791, 8200, 768, 9293) are made up, with right lengths and checksums.
//! Knows no file.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Begins with an IP header, version in its first nibble.
const LINKTYPE_RAW: u16 = 101;
/// The longest payload whose packet still tells its length in 16 bits.
const LONGEST: usize = 65_535 - 20 - 20;

/// Seen from us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// To us.
    In = 0,
    /// From us.
    Out = 1,
}

/// Both ends of a packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
}

/// A place in a TCP stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    pub(crate) sequence: u32,
    pub(crate) acknowledged: u32,
}

/// Of the two interfaces: what crossed, and what that meant where it was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Wire = 0,
    Meant = 1,
}

/// Their names, and what they are.
const INTERFACES: [(&str, &str); 2] =
    [("wire", "what crossed the wire"), ("meant", "what sealed datagrams mean: this was never on the wire")];
/// Stands beside each packet of the second.
const COMMENT: &[u8] = b"in clear: the sealed datagram before it says this";

/// The section's header and the two interfaces, with time in nanoseconds.
pub(crate) fn head(out: &mut Vec<u8>) {
    framed(out, 0x0a0d_0d0a, |out| {
        put(out, &[0x1a2b_3c4d_u32.to_le_bytes().as_slice(), &[1, 0, 0, 0], &[0xff; 8]]);
        option(out, 4, concat!("Offhook ", env!("CARGO_PKG_VERSION")).as_bytes()); // shb_userappl
        option(out, 0, &[]);
    });
    for (name, what) in INTERFACES {
        framed(out, 1, |out| {
            put(out, &[&LINKTYPE_RAW.to_le_bytes(), &[0; 2], &[0; 4]]);
            option(out, 2, name.as_bytes()); // if_name
            option(out, 3, what.as_bytes()); // if_description
            option(out, 9, &[9]); // if_tsresol: 10^-9 s
            option(out, 0, &[]);
        });
    }
}

/// An enhanced packet block. `segment`: TCP, else UDP.
pub(crate) fn block(
    out: &mut Vec<u8>,
    side: Side,
    at: Duration,
    way: Way,
    ends: Ends,
    segment: Option<Segment>,
    payload: &[u8],
) {
    let kept = &payload[..payload.len().min(LONGEST)];
    framed(out, 6, |out| {
        let nanos = at.as_nanos() as u64;
        let interface = side as u32;
        put(out, &[&interface.to_le_bytes()]);
        put(out, &[&((nanos >> 32) as u32).to_le_bytes(), &(nanos as u32).to_le_bytes()]);
        let lengths = out.len();
        put(out, &[&[0; 8]]);
        let (from, to) = match way {
            Way::In => (ends.remote, ends.local),
            Way::Out => (ends.local, ends.remote),
        };
        let start = out.len();
        ip(out, from.ip(), to.ip(), segment, kept.len());
        let transport = out.len();
        match segment {
            None => udp(out, from, to, kept),
            Some(segment) => tcp(out, from, to, segment, kept),
        }
        checksum(out, transport, from.ip(), to.ip(), segment.is_some());
        let length = ((out.len() - start) as u32).to_le_bytes();
        out[lengths..lengths + 4].copy_from_slice(&length);
        out[lengths + 4..lengths + 8].copy_from_slice(&length);
        pad(out, start);
        let direction: u32 = match way {
            Way::In => 1,
            Way::Out => 2,
        };
        option(out, 2, &direction.to_le_bytes()); // epb_flags
        if side == Side::Meant {
            option(out, 1, COMMENT); // opt_comment
        }
        option(out, 0, &[]);
    });
}

fn ip(out: &mut Vec<u8>, from: IpAddr, to: IpAddr, segment: Option<Segment>, payload: usize) {
    let (protocol, header) = if segment.is_some() { (6, 20) } else { (17, 8) };
    let length = (header + payload) as u16;
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let start = out.len();
            put(out, &[&[0x45, 0], &(20 + length).to_be_bytes(), &[0, 0, 0x40, 0, 64, protocol, 0, 0]]);
            put(out, &[&from.octets(), &to.octets()]);
            let sum = fold(sum(0, &out[start..]));
            out[start + 10..start + 12].copy_from_slice(&sum.to_be_bytes());
        }
        (from, to) => {
            put(out, &[&[0x60, 0, 0, 0], &length.to_be_bytes(), &[protocol, 64]]);
            put(out, &[&v6(from), &v6(to)]);
        }
    }
}

fn udp(out: &mut Vec<u8>, from: SocketAddr, to: SocketAddr, payload: &[u8]) {
    let length = ((8 + payload.len()) as u16).to_be_bytes();
    put(out, &[&from.port().to_be_bytes(), &to.port().to_be_bytes(), &length, &[0; 2], payload]);
}

fn tcp(out: &mut Vec<u8>, from: SocketAddr, to: SocketAddr, segment: Segment, payload: &[u8]) {
    put(out, &[&from.port().to_be_bytes(), &to.port().to_be_bytes()]);
    put(out, &[&segment.sequence.to_be_bytes(), &segment.acknowledged.to_be_bytes()]);
    const PSH_ACK: u8 = 0x18;
    put(out, &[&[5 << 4, PSH_ACK, 0xff, 0xff], &[0; 4], payload]);
}

/// Puts the checksum of UDP or TCP in its place, over the pseudo header too.
fn checksum(out: &mut [u8], at: usize, from: IpAddr, to: IpAddr, is_tcp: bool) {
    let (protocol, place) = if is_tcp { (6, 16) } else { (17, 6) };
    let pseudo = match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => sum(sum(0, &from.octets()), &to.octets()),
        (from, to) => sum(sum(0, &v6(from)), &v6(to)),
    };
    let total = sum(pseudo + protocol + (out.len() - at) as u32, &out[at..]);
    // Zero would say "none": RFC 768.
    let told = if fold(total) == 0 && !is_tcp { 0xffff } else { fold(total) };
    out[at + place..at + place + 2].copy_from_slice(&told.to_be_bytes());
}

fn v6(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}

/// RFC 1071. 32 bits hold the sum of 128 KiB.
fn sum(start: u32, bytes: &[u8]) -> u32 {
    bytes.chunks(2).fold(start, |sum, pair| {
        sum + u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]))
    })
}

fn fold(mut sum: u32) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// A block: its type, its length before and after what `body` writes.
fn framed(out: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    put(out, &[&kind.to_le_bytes(), &[0; 4]]);
    body(out);
    let length = ((out.len() - start + 4) as u32).to_le_bytes();
    out[start + 4..start + 8].copy_from_slice(&length);
    out.extend_from_slice(&length);
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    let start = out.len();
    put(out, &[&code.to_le_bytes(), &(value.len() as u16).to_le_bytes(), value]);
    pad(out, start);
}

/// To a multiple of four bytes since `start`.
fn pad(out: &mut Vec<u8>, start: usize) {
    let length = (out.len() - start).next_multiple_of(4);
    out.resize(start + length, 0);
}

fn put(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        out.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(ends: (&str, &str), segment: Option<Segment>, payload: &[u8]) -> Vec<u8> {
        let ends = Ends { local: ends.0.parse().unwrap(), remote: ends.1.parse().unwrap() };
        let mut out = Vec::new();
        block(&mut out, Side::Wire, Duration::from_secs(1), Way::Out, ends, segment, payload);
        let length = u32::from_le_bytes(out[20..24].try_into().unwrap()) as usize;
        out[28..28 + length].to_vec()
    }

    #[test]
    fn checksums_over_what_is_written_come_out_as_nothing() {
        let v4 = packet(("127.0.0.1:5060", "127.0.0.2:5061"), None, b"odd");
        assert_eq!(v4.len(), 20 + 8 + 3);
        assert_eq!(fold(sum(0, &v4[..20])), 0);
        assert_eq!(
            fold(sum(17 + 11, &v4[12..])),
            0,
            "addresses, then UDP, its length and protocol once more"
        );
        let segment = Segment { sequence: 7, acknowledged: 9 };
        let v6 = packet(("[::1]:5060", "[2001:db8::2]:5061"), Some(segment), b"even");
        assert_eq!(v6.len(), 40 + 20 + 4);
        assert_eq!(fold(sum(6 + 24, &v6[8..])), 0);
        assert_eq!(v6[44..52], [0, 0, 0, 7, 0, 0, 0, 9]);
    }

    #[test]
    fn a_payload_too_long_for_its_header_is_cut_and_not_a_panic() {
        let longest = packet(("127.0.0.1:1", "127.0.0.1:2"), None, &vec![0; 65_535]);
        assert_eq!(u16::from_be_bytes([longest[2], longest[3]]) as usize, longest.len());
    }
}
