//! One subscription to a user: who is told, by which way, until when, and what was told last.
//!
//! RFC 6665 section 4.2. Knows neither who may subscribe nor what a document says.
//!
//! ```text
//!   SUBSCRIBE --> Standing --Expires: 0, or time--> Ending --NOTIFY terminated--> over
//!                   |  ^ |
//!                   |  '-' a change, no sooner than `pace` after the last, one NOTIFY at a time
//!                   '-- a NOTIFY that is refused or not answered --> over
//! ```

use std::time::Duration;

use base::Instant;
use sip::dialog::Dialog;
use sip::message::{Draft, Method, Name, escape_user};
use sip::transaction::{Source, TxId};

use super::Package;
use super::document;

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Standing,
    /// Its last NOTIFY is due.
    Ending,
    /// Its last NOTIFY was sent.
    Over,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) package: Package,
    /// Who asked, and of whom.
    pub(super) watcher: String,
    pub(super) user: String,
    pub(super) dialog: Dialog,
    /// The way that the last SUBSCRIBE came.
    pub(super) source: Source,
    pub(super) until: Instant,
    pub(super) stage: Stage,
    /// It is to be told, whether or not something has changed.
    pub(super) owed: bool,
    /// A NOTIFY without an answer.
    pub(super) asked: Option<TxId>,
    /// Documents told so far.
    version: u32,
    told: Option<Vec<u8>>,
    at: Option<Instant>,
}

impl Subscription {
    pub(super) fn new(
        package: Package,
        watcher: &str,
        user: &str,
        dialog: Dialog,
        source: Source,
        until: Instant,
    ) -> Self {
        let (watcher, user) = (watcher.to_owned(), user.to_owned());
        let (stage, owed, asked, version, told, at) = (Stage::Standing, true, None, 0, None, None);
        Self { package, watcher, user, dialog, source, until, stage, owed, asked, version, told, at }
    }

    /// Whether that document is news.
    pub(super) fn differs(&self, document: &[u8]) -> bool {
        self.told.as_deref() != Some(document)
    }

    /// When a change may be told. What was asked for is told at once.
    pub(super) fn not_before(&self) -> Option<Instant> {
        let pace = match self.package {
            Package::Presence => Duration::from_secs(5), // RFC 3856 section 6.10
            Package::Dialog => Duration::from_secs(1),   // RFC 4235 section 3.11
        };
        self.at.filter(|_| !self.owed && self.stage == Stage::Standing).map(|at| at + pace)
    }

    /// The NOTIFY that tells `document`.
    pub(super) fn notify(&mut self, document: &[u8], now: Instant) -> Draft {
        let (mut draft, _) = self.dialog.request(&Method::Notify);
        draft.push(Name::Contact, self.contact());
        draft.push(Name::Event, self.package.name());
        let left = self.until.since(now).as_secs();
        if self.stage > Stage::Standing {
            self.stage = Stage::Over;
            draft.push(Name::SubscriptionState, "terminated;reason=timeout");
        } else {
            draft.push(Name::SubscriptionState, format_args!("active;expires={left}"));
        }
        let text = document::numbered(&String::from_utf8_lossy(document), self.version);
        draft.body(self.package.body(), text);
        self.version += 1;
        self.told = Some(document.to_vec());
        self.at = Some(now);
        self.owed = false;
        draft
    }

    /// Where the watcher refreshes it: the exchange itself.
    pub(super) fn contact(&self) -> String {
        let (user, local) = (escape_user(&self.user), self.source.local);
        match self.source.transport {
            base::Transport::Udp => format!("<sip:{user}@{local}>"),
            other => format!("<sip:{user}@{local};transport={}>", other.uri_param()),
        }
    }
}
