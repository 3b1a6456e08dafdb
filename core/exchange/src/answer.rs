//! The exchange's own responses: what RFC 3261 section 8.2.6 wants in each of them.
//!
//! Knows the exchange's name and key, and nothing of why it answers.

use std::net::SocketAddr;

use base::Transport;
use sip::message::{Draft, Message, Name};

use crate::config::Config;
use crate::token::Mint;

/// Writes responses in the exchange's name.
pub(crate) struct Answer<'a> {
    pub(crate) config: &'a Config,
    pub(crate) mint: &'a Mint,
}

impl Answer<'_> {
    /// A response of our own; an empty `reason` is the usual phrase. Its To tag comes from the request, so that the same
    /// request and its CANCEL get the same tag without anything being kept. RFC 3261 sections 8.2.7 and 9.2.
    pub(crate) fn to(&self, request: &Message, status: u16, reason: &str) -> Draft {
        let mut draft = if reason.is_empty() {
            Draft::response_to(request, status)
        } else {
            Draft::response(status, reason)
        };
        if !reason.is_empty() {
            for name in [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq] {
                draft.copy(request, name);
            }
        }
        if status > 100 {
            if request.to().is_ok_and(|to| to.tag().is_none()) {
                let tag = self.mint.mark([Name::CallId, Name::From].map(|n| request.first(n).unwrap_or(b"")));
                let to = String::from_utf8_lossy(request.first(Name::To).unwrap_or(b""));
                draft.set(Name::To, format_args!("{to};tag={tag}"));
            }
            draft.push(Name::Server, &self.config.server);
        }
        draft
    }
}

/// A URI that leads back here. RFC 3261 section 16.6 item 4: `lr` always, `transport` where it is known to work.
pub(crate) fn own_route(token: &str, transport: Transport, local: SocketAddr, secure: bool) -> String {
    let scheme = if secure { "sips" } else { "sip" };
    let at = if token.is_empty() { "" } else { "@" };
    match transport {
        Transport::Udp => format!("<{scheme}:{token}{at}{local};lr>"),
        other => format!("<{scheme}:{token}{at}{local};transport={};lr>", other.uri_param()),
    }
}
