//! Where the response to a request goes, and what its top Via must gain for that.
//!
//! RFC 3261 sections 18.2.1 and 18.2.2, RFC 3581 section 4.

use std::net::SocketAddr;

use bytes::Bytes;

use super::Source;
use super::wire::Wire;
use crate::message::{Host, Message, Name, Rport, Via};

/// The way back for what came from `source` under `via`.
pub(super) fn way_back(via: &Via<'_>, source: &Source) -> Wire {
    let reliable = source.transport.is_reliable();
    let to = if reliable || via.rport != Rport::Absent {
        source.remote
    } else {
        let ip = match via.params.value("maddr").and_then(|text| Host::read(text).ok()) {
            Some(Host::V4(ip)) => ip.into(),
            Some(Host::V6(ip)) => ip.into(),
            // A maddr by name is multicast's business of old: nobody resolves it.
            Some(Host::Name(_)) | None => source.remote.ip(),
        };
        SocketAddr::new(ip, via.port())
    };
    Wire { flow: source.flow, to, reliable }
}

/// The request with `received` and `rport` in its top Via, when they are due. `None`: it may stay as it is.
pub(super) fn amended(message: &Message<Bytes>, via: &Via<'_>, source: &Source) -> Option<Bytes> {
    let said = match via.sent_by.host {
        Host::V4(ip) => Some(ip.into()),
        Host::V6(ip) => Some(ip.into()),
        Host::Name(_) => None,
    };
    let asked = via.rport != Rport::Absent;
    if !asked && said == Some(source.remote.ip()) && via.received.is_none() {
        return None;
    }
    let value = message.list(Name::Via).next()?;
    let bytes = message.bytes();
    // The value is a part of the bytes: this is where it stands in them.
    let start = value.as_ptr() as usize - bytes.as_ptr() as usize;
    let mut out = Vec::with_capacity(bytes.len() + 64);
    out.extend_from_slice(&bytes[..start]);
    out.extend_from_slice(&value[..value.iter().position(|b| *b == b';').unwrap_or(value.len())]);
    for param in via.params.iter() {
        // What the sender claims to have been seen as is not what we saw.
        if !param.name.eq_ignore_ascii_case("received") && !param.name.eq_ignore_ascii_case("rport") {
            out.push(b';');
            out.extend_from_slice(param.name.as_bytes());
            if let Some(value) = param.value {
                out.push(b'=');
                out.extend_from_slice(value.as_bytes());
            }
        }
    }
    out.extend_from_slice(format!(";received={}", source.remote.ip()).as_bytes());
    if asked {
        out.extend_from_slice(format!(";rport={}", source.remote.port()).as_bytes());
    }
    out.extend_from_slice(&bytes[start + value.len()..]);
    Some(Bytes::from(out))
}
