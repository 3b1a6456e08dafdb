//! What the app shows: whole pictures of a call and of an account, never differences.
//!
//! Only the newest revision of each matters; those between may be skipped.

use std::time::Duration;

use base::{Instant, Redacted};
use media::Codec;

use crate::{AccountId, CallId, Identity, Why};

/// One call, whole.
#[derive(Clone, Debug, PartialEq)]
pub struct CallView {
    /// Which call.
    pub call: CallId,
    /// Counts up with every change.
    pub revision: u32,
    /// The account it goes over.
    pub account: AccountId,
    /// Who called whom.
    pub side: Side,
    /// Where it stands.
    pub state: CallState,
    /// The other side's URI.
    pub remote: Redacted<String>,
    /// The other side's display name.
    pub name: Option<Redacted<String>>,
    /// How far both are to be believed, where the other side called.
    pub identity: Option<Identity>,
    /// What we send, while media flows, or sent when it ended.
    pub codec: Option<Codec>,
    /// How its media is kept from others, while it flows, or was when it ended.
    pub encrypted: Encrypted,
    /// Lines of keys in their descriptions that were dropped: that cannot be read, lie, or are for suites that we do not have.
    pub bad_keys: u32,
    /// No reports (RTCP) go with its media, so that neither side hears how it fares at the other: they want them on a port of
    /// their own, for which other keys would have to be agreed on (RFC 5764 section 3).
    pub no_reports: bool,
    /// By which kind of way the other side is reached, once checks have shown it.
    pub path: Option<nat::path::Reached>,
    /// Whether the user closed the microphone.
    pub muted: bool,
    /// What was typed behind the number and waits for the person's word: [`crate::Command::PressOn`].
    pub keys_left: Option<Redacted<String>>,
    /// Whether the user has merged it with others: all that say so hear each other, unless they are on hold.
    pub conference: bool,
    /// How the transfer of this call fares, once one was asked for.
    pub transfer: Option<Transfer>,
    /// The call that this one replaces or was started for, in a transfer.
    pub on_behalf_of: Option<CallId>,
    /// The SIP status that ended it (or would have been one), or the latest provisional one.
    pub status: Option<u16>,
    /// The reason phrase to `status`, as it was sent or as RFC 3261 has it.
    pub reason: Option<String>,
    /// Once ended: why.
    pub explanation: Option<Why>,
    /// When it began.
    pub started: Instant,
    /// When it was answered.
    pub answered: Option<Instant>,
    /// When it ended.
    pub ended: Option<Instant>,
}

/// How a call's media is kept from others, the weakest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Encrypted {
    /// It is not: whoever carries it can hear it.
    #[default]
    None,
    /// It is made hard to recognise, which keeps nobody out who knows how.
    VosXor,
    /// SRTP, by keys that stood in the signalling (RFC 4568): from all but the servers that carried it.
    Sdes,
    /// SRTP, by keys that both sides agreed on between themselves (RFC 5764).
    Dtls,
}

impl Encrypted {
    /// One word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::VosXor => "vos-xor",
            Self::Sdes => "sdes",
            Self::Dtls => "dtls",
        }
    }
}

/// Who called whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// We are called.
    In,
    /// We call.
    Out,
}

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallState {
    /// In: a push has told of it, and it is not here yet. It rings, and may be answered or declined.
    Announced,
    /// Out: on its way, nothing heard yet.
    Calling,
    /// Out: it rings there, play a ringback tone. In: it rings here.
    Ringing,
    /// Media flows before the answer: the caller hears what the network plays, so no local ringback.
    Early,
    /// Answered, both may talk.
    Active,
    /// We put it on hold (whether or not they did too).
    Held,
    /// They put it on hold.
    RemoteHeld,
    /// Over. The last view of a call, sent once.
    Ended,
}

/// How the transfer of a call fares. RFC 5589.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// The other side is being asked.
    Asking,
    /// It agreed and calls.
    Trying,
    /// It rings there.
    Ringing,
    /// Done: this call ends.
    Done,
    /// It did not work out, with this status; the call is still here, on hold.
    Failed(u16),
}

/// One account, whole.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountView {
    /// Which account.
    pub account: AccountId,
    /// Counts up with every change.
    pub revision: u32,
    /// The address of record.
    pub uri: Redacted<String>,
    /// Where its registration stands.
    pub state: AccountState,
    /// For how long the registrar took us, while registered.
    pub expires: Option<Duration>,
    /// The SIP status of a failure; 408 and 503 may be our own for no answer and no way there.
    pub status: Option<u16>,
    /// How far it has got: under way, or failed at.
    pub step: Step,
    /// Why it failed.
    pub reason: Option<Why>,
    /// When this view was made.
    pub as_of: Instant,
    /// When it is tried again, counted from [`Self::as_of`]; `None` while failed means never by itself.
    pub retry_in: Option<Duration>,
    /// What came to an account with VOS encryption and could not be opened; told at the first of a kind, and then ever more
    /// seldom.
    pub dropped: crate::Dropped,
}

/// Where a registration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountState {
    /// The registrar is being asked, and we are not known to be registered.
    Registering,
    /// Calls reach us.
    Registered,
    /// Calls do not reach us; `retry_in` says whether that may mend itself.
    Failed,
    /// By the user's wish.
    Unregistered,
}

/// What a registration has to get done, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Finding the server's addresses by its name.
    Find,
    /// Hearing anything from one of them.
    Reach,
    /// Being taken.
    Register,
    /// Nothing more.
    Done,
}
