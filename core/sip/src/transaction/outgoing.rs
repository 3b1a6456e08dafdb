//! How our requests are written: the Via, and full or compact names, and what is left out of a long one.
//!
//! RFC 3261 sections 8.1.1.7, 18.1.1 and 7.3.3; RFC 3581 section 3.

use std::fmt;
use std::net::IpAddr;

use bytes::Bytes;

use super::Hop;
use super::branch::Branch;
use crate::message::{Draft, Form, Host, Name};

/// A request that would be longer is written with compact names, and without what can be spared if that is not enough: room
/// for what proxies add below the usual MTU.
const COMPACT_OVER: usize = 1200;

/// How many bytes [`super::Transactions::request`] will send for a draft: above 1300, send it by TCP first (RFC 3261 section 18.1.1).
pub fn size_on_wire(draft: &Draft, hop: &Hop) -> usize {
    let branch = Branch::read("z9hG4bKabcdefghijkl12345").expect("a well-formed branch");
    let via = |name: &str| format!("{name}: {}\r\n", OurVia { hop, branch: &branch }).len();
    let form = form(draft, via("Via"), via("v"));
    draft.len(form) + if form == Form::Full { via("Via") } else { via("v") }
}

pub(super) fn write_request(draft: &mut Draft, hop: &Hop, branch: &Branch<'_>) -> Bytes {
    draft.prepend(Name::Via, OurVia { hop, branch });
    draft.write(form(draft, 0, 0))
}

/// The fullest form that fits, with so much still to come.
fn form(draft: &Draft, full: usize, compact: usize) -> Form {
    if draft.len(Form::Full) + full <= COMPACT_OVER {
        Form::Full
    } else if draft.len(Form::Compact) + compact <= COMPACT_OVER {
        Form::Compact
    } else {
        Form::Slim
    }
}

struct OurVia<'a> {
    hop: &'a Hop,
    branch: &'a Branch<'a>,
}

impl fmt::Display for OurVia<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Hop { transport, local, .. } = self.hop;
        // A SocketAddr would show its scope (`%eth0`) too, which means nothing to others.
        let host = match local.ip() {
            IpAddr::V4(ip) => Host::V4(ip),
            IpAddr::V6(ip) => Host::V6(ip),
        };
        write!(f, "SIP/2.0/{} {host}:{};rport;branch={}", transport.via_word(), local.port(), self.branch)
    }
}
