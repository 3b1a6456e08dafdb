//! How long our offers may be, so that an INVITE stays one datagram on every way.
//!
//! RFC 3261 section 18.1.1 allows 1,300 bytes; proxies add to them, and a datagram that is cut in pieces does not get through
//! every router. What is around a description is estimated: before a dialog by what is known of both ends, within one by its
//! head, which has the proxies' routes. Knows nothing of what a description leaves out.

use base::Transport;
use sip::message::Uri;
use sip::ua::TransportPolicy;

use crate::Account;

/// The longest INVITE.
const INVITE: usize = 1200;

/// The request line, Via, From, To, Call-ID, CSeq, Max-Forwards, Supported, Session-Expires, Contact and the body's fields, but
/// for what the account and the callee are called; in the form that a long one is written in.
const FIXED: usize = 292;

/// What stands around the head within a dialog: Via, Contact, and the body's fields.
const AROUND: usize = 150;

/// Digest by SHA-256 with a nonce of 56 letters (RFC 7616), but for what both are called.
const DIGEST: usize = 262;

/// Room for the descriptions of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// Its requests go by a stream, on which no length matters.
    Any,
    /// By datagrams: bytes of the first description, and of the credentials that stand before each.
    Datagram {
        /// Of the first description.
        first: usize,
        /// Of credentials.
        digest: usize,
    },
}

impl Room {
    /// In a call to them.
    pub(super) fn of(account: &Account, to: &Uri) -> Self {
        if by_stream(account, to) {
            return Self::Any;
        }
        let user = account.uri.view().user.map_or(0, str::len);
        let known = !account.password.expose().is_empty();
        let digest = if known { DIGEST + to.as_str().len() + user } else { 0 };
        let route = account.proxy.as_ref().filter(|proxy| proxy.view().is_loose());
        let name = account.display_name.as_ref().map_or(0, |name| name.reveal().len() + 3);
        let head = FIXED
            + 2 * to.as_str().len()
            + account.uri.as_str().len()
            + user
            + name
            + route.map_or(0, |route| route.as_str().len() + 11);
        Self::Datagram { first: INVITE.saturating_sub(head + digest), digest }
    }

    /// The same with so many bytes more in the first head.
    pub(super) fn less(self, more: usize) -> Self {
        match self {
            Self::Any => Self::Any,
            Self::Datagram { first, digest } => Self::Datagram { first: first.saturating_sub(more), digest },
        }
    }

    /// Bytes of the first description.
    pub(super) const fn first(self) -> usize {
        match self {
            Self::Any => usize::MAX,
            Self::Datagram { first, .. } => first,
        }
    }

    /// Bytes of a later one, in a dialog with such a head.
    pub(super) fn again(self, head: Option<usize>) -> usize {
        match (self, head) {
            (Self::Any, _) | (_, None) => self.first(),
            (Self::Datagram { digest, .. }, Some(head)) => INVITE.saturating_sub(head + AROUND + digest),
        }
    }
}

/// Whether it is known to go by a stream.
fn by_stream(account: &Account, to: &Uri) -> bool {
    let asked = match account.transport {
        TransportPolicy::Only(transport) => Some(transport),
        TransportPolicy::Auto => account.proxy.as_ref().unwrap_or(to).view().transport(),
    };
    asked.is_some_and(|transport| transport != Transport::Udp)
}

#[cfg(test)]
mod tests {
    use base::Secret;

    use super::*;

    fn account(password: &str) -> Account {
        Account::new("sip:ann@example.test".parse().unwrap(), Secret::new(password.into()))
    }

    #[test]
    fn a_dialogs_own_head_counts_once_there_is_one_and_a_stream_has_room_for_all() {
        let to: Uri = "sip:bob@example.test".parse().unwrap();
        let open = Room::of(&account(""), &to);
        assert_eq!(open.again(None), open.first());
        assert_eq!(open.again(Some(500)), 1200 - 500 - AROUND);
        assert_eq!(open.less(40).first(), open.first() - 40);
        let asked = Room::of(&account("secret"), &to);
        assert_eq!(open.again(Some(500)) - asked.again(Some(500)), DIGEST + 20 + 3);
        assert_eq!(asked.again(Some(5000)), 0);
        let stream: Uri = "sip:bob@example.test;transport=tcp".parse().unwrap();
        assert_eq!(Room::of(&account("secret"), &stream).again(Some(5000)), usize::MAX);
    }
}
