//! Why things ended: Reason header fields, failures, and where a redirection points.
//!
//! RFC 3326 (Reason), RFC 3261 sections 8.1.3.4 (order of contacts), 20.33 (Retry-After). Pure readings of one message.

use std::time::Duration;

use super::news::{Cause, Failure};
use super::request::Fault;
use crate::message::{Message, Uri, phrase};

impl Cause {
    /// A status with its usual phrase.
    pub(super) fn of(status: u16) -> Self {
        Self { status, text: phrase(status).into(), q850: None }
    }

    /// What the Reason header fields of `message` say; `None` when it has none that can be used.
    pub(super) fn read(message: &Message) -> Option<Self> {
        let (mut sip, mut q850) = (None, None);
        for reason in message.reasons() {
            if reason.protocol.eq_ignore_ascii_case("SIP") {
                sip = sip.or(Some(reason));
            } else if reason.protocol.eq_ignore_ascii_case("Q.850") {
                q850 = q850.or(Some(reason));
            }
        }
        let text = [&sip, &q850].into_iter().flatten().find_map(|reason| reason.text.as_deref());
        let status = sip.as_ref().and_then(|reason| reason.cause);
        if sip.is_none() && q850.is_none() {
            return None;
        }
        Some(Self {
            status: status.unwrap_or(0),
            text: text.unwrap_or_default().into(),
            q850: q850.as_ref().and_then(|reason| reason.cause),
        })
    }

    /// The same, where `status` stands for what no Reason says.
    pub(super) fn read_or(message: &Message, status: u16) -> Self {
        match Self::read(message) {
            Some(cause) if cause.status == 0 => Self { status, ..cause },
            Some(cause) => cause,
            None => Self::of(status),
        }
    }
}

impl Failure {
    /// From a final response.
    pub(super) fn read(message: &Message) -> Self {
        Self {
            status: message.status().unwrap_or_default(),
            reason: message.reason_phrase().into(),
            contacts: contacts_by_q(message),
            retry_after: message.retry_after().map(|s| Duration::from_secs(u64::from(s))),
            local: false,
            cause: Cause::read(message),
        }
    }

    /// From silence.
    pub(super) fn silent(fault: Fault) -> Self {
        let status = fault.status();
        Self {
            status,
            reason: phrase(status).into(),
            contacts: Vec::new(),
            retry_after: None,
            local: true,
            cause: None,
        }
    }
}

/// The contacts of a response, highest q first, equals in the order written.
pub(super) fn contacts_by_q(message: &Message) -> Vec<Uri> {
    let mut contacts: Vec<(u16, Uri)> =
        message.contacts().flatten().map(|contact| (contact.q(), contact.uri().to_uri())).collect();
    contacts.sort_by_key(|(q, _)| std::cmp::Reverse(*q));
    contacts.into_iter().map(|(_, uri)| uri).collect()
}
