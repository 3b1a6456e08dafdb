//! What an agent tells its user, and the few values the user hands in.
//!
//! Session descriptions are opaque bytes here; what they mean is the phone's to say.

use std::time::Duration;

use base::{FlowId, Transport};
use bytes::Bytes;

use super::profile::{ProfileId, ReferId, RequestId, SessionId, SubscriptionId};
use crate::message::{Message, Name, Uri};
use crate::transaction::Source;

/// A call to be made.
#[derive(Clone, Debug)]
pub struct Invite {
    /// Whom to call. Header fields inside (`?Replaces=..`) become header fields of the request (RFC 3261 section 19.1.5).
    pub to: Uri,
    /// Our offer; `None` asks the other side for one.
    pub offer: Option<Bytes>,
    /// Further header fields. A `From` here stands instead of the profile's (its tag is added).
    pub headers: Vec<(Name, String)>,
    /// Take the place of this session's other party's dialog (RFC 3891).
    pub replaces: Option<SessionId>,
    /// Try the contacts of a 3xx ourselves, best first, instead of failing with them.
    pub follow_redirects: bool,
}

impl Invite {
    /// A plain call to `to`.
    pub fn new(to: Uri, offer: Option<Bytes>) -> Self {
        Self { to, offer, headers: Vec::new(), replaces: None, follow_redirects: false }
    }
}

/// Where a transferee is sent. RFC 3515, RFC 5589.
#[derive(Clone, Debug)]
pub struct ReferTo {
    /// The target.
    pub to: Uri,
    /// For an attended transfer: our session with the target, which the transferee shall replace.
    pub replaces: Option<SessionId>,
}

/// A subscription to be made. RFC 6665.
#[derive(Clone, Debug)]
pub struct Subscribe {
    /// The resource.
    pub to: Uri,
    /// Event package, with parameters if any: `message-summary`.
    pub event: String,
    /// Body types understood: `application/simple-message-summary`; empty: not written.
    pub accept: String,
    /// Wanted lifetime in seconds.
    pub expires: u32,
}

/// Which request carries a new offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// UPDATE (RFC 3311).
    Update,
    /// INVITE inside the dialog.
    Reinvite,
    /// UPDATE before the answer or where the peer allows it, else re-INVITE.
    Either,
}

/// An offer/answer exchange is under way, or the session is in no state for one: ask again after
/// [`News::Reanswered`], [`News::ReofferFailed`], [`News::Answered`] or [`News::Confirmed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an offer/answer exchange is under way")]
pub struct Busy;

/// A session description and its part in the exchange (RFC 3264).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sdp {
    /// Answers our offer.
    Answer(Bytes),
    /// An offer: answer with [`ack_sdp`](super::Agent::ack_sdp).
    Offer(Bytes),
}

/// Who ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// Our user.
    Us,
    /// The other side.
    Them,
    /// Nobody meant to: a timer, a dead flow, a dialog the peer has lost.
    Network,
}

/// Why a session ended, from the status or the Reason header field (RFC 3326).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// SIP status: 200 for a plain BYE, 487 for a call given up before the answer, 408 for a silent peer.
    pub status: u16,
    /// Text for people; may be empty.
    pub text: String,
    /// Q.850 cause, when told.
    pub q850: Option<u16>,
}

/// Why our INVITE came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The final status; 408 or 503 when nobody answered.
    pub status: u16,
    /// Its phrase.
    pub reason: String,
    /// Contacts of a 3xx, best first.
    pub contacts: Vec<Uri>,
    /// When to try again, if told.
    pub retry_after: Option<Duration>,
    /// Nobody sent it: made up here from silence.
    pub local: bool,
    /// Cause from the Reason header field, when there is one.
    pub cause: Option<Cause>,
}

/// How an out-of-dialog request ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A final response; 401 and 407 only when our credentials did not help.
    Final(Message),
    /// Sent, and silence.
    NoAnswer,
    /// No flow could be opened to any target.
    Unreachable,
    /// The name leads nowhere.
    NotFound,
    /// We are challenged and have no credentials, or none that fit.
    CannotAuthorize(Message),
}

/// State of a subscription. RFC 6665 section 4.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriptionState {
    /// The notifier has not decided.
    Pending,
    /// Accepted.
    Active,
    /// Over: last news of this subscription.
    Terminated {
        /// `deactivated`, `rejected`, `noresource`, `timeout`...; empty when not told.
        reason: String,
        /// When to subscribe again, if told.
        retry_after: Option<Duration>,
    },
}

/// What an agent tells. Drain with [`Agent::poll_news`](super::Agent::poll_news) after every call.
#[derive(Clone, Debug)]
pub enum News {
    /// An out-of-dialog request is settled.
    Done {
        /// Which.
        request: RequestId,
        /// How.
        outcome: Outcome,
        /// Whence the final response came.
        via: Option<Source>,
    },

    /// Our INVITE moves: a provisional response, 100 excepted.
    Proceeding {
        /// Our call.
        session: SessionId,
        /// 180, 183, 181, 182, 199 (this fork has failed: drop its media).
        status: u16,
        /// Its phrase.
        reason: String,
        /// Which fork speaks: 0 for the first, 1 for the second...
        early: u32,
        /// Early answer, or the offer of an offerless INVITE.
        sdp: Option<Sdp>,
        /// All of it.
        message: Message,
    },
    /// Our INVITE is answered. ACK is sent, or waits for [`ack_sdp`](super::Agent::ack_sdp) when this brings an offer.
    Answered {
        /// Our call.
        session: SessionId,
        /// Which fork has answered.
        early: u32,
        /// The description in force: also when it came earlier, in a reliable provisional response.
        sdp: Option<Sdp>,
        /// The 2xx.
        message: Message,
    },
    /// Our INVITE was refused or lost. Last news of the session.
    Failed {
        /// Our call.
        session: SessionId,
        /// Why.
        failure: Failure,
    },

    /// Somebody calls. Answer with `ring`, `progress`, `accept` or `reject`.
    Invited {
        /// The new session.
        session: SessionId,
        /// Whose Contact or address of record it was sent to.
        profile: Option<ProfileId>,
        /// Their offer; `None`: `accept` brings ours.
        offer: Option<Bytes>,
        /// Our session that this call shall replace; `accept` hangs it up. RFC 3891.
        replaces: Option<SessionId>,
        /// The INVITE.
        message: Message,
        /// Whence.
        source: Source,
    },
    /// The other side has our answer, to its INVITE or to a later one: ACK came.
    Confirmed {
        /// The session.
        session: SessionId,
        /// Their answer, when our 2xx (or a reliable 18x) carried the offer.
        sdp: Option<Bytes>,
    },

    /// The other side changes the session: `answer_reoffer` or `refuse_reoffer`.
    Reoffered {
        /// The session.
        session: SessionId,
        /// Their offer; `None`: `answer_reoffer` carries ours.
        offer: Option<Bytes>,
        /// Before the call is answered.
        early: bool,
    },
    /// Our offer is answered; or, after an offer of ours in a 2xx, theirs is here.
    Reanswered {
        /// The session.
        session: SessionId,
        /// Their description; `None` when a refresh carried none.
        sdp: Option<Bytes>,
    },
    /// Our new offer was refused: the old session stands.
    ReofferFailed {
        /// The session.
        session: SessionId,
        /// 488, 408...
        status: u16,
    },

    /// INFO came; 200 has been sent. RFC 6086.
    InfoReceived {
        /// The session.
        session: SessionId,
        /// Its Content-Type.
        content_type: String,
        /// Its body.
        body: Bytes,
    },
    /// Our INFO is answered.
    InfoDone {
        /// The session.
        session: SessionId,
        /// With this status; 408 or 503 when nobody answered.
        status: u16,
    },

    /// Addresses came that were found after the description, by the INFO package `trickle-ice`; 200 has been sent. RFC 8840.
    Trickled {
        /// The session.
        session: SessionId,
        /// What it holds: `application/trickle-ice-sdpfrag`.
        fragment: Bytes,
    },
    /// Ours were answered.
    TrickleDone {
        /// The session.
        session: SessionId,
        /// With this status: 469 or 415 when they do not take such, 408 or 503 when nobody answered.
        status: u16,
    },

    /// We are asked to call somebody: `accept_refer` or `refuse_refer`.
    Referred {
        /// To answer and report with.
        refer: ReferId,
        /// Inside this call, or outside any.
        session: Option<SessionId>,
        /// Whom to call, `?Replaces=` and all.
        to: Uri,
        /// Value of Referred-By (RFC 3892), to be copied into the INVITE.
        referred_by: Option<String>,
        /// The REFER.
        message: Message,
    },
    /// Our REFER advances.
    ReferProgress {
        /// Ours.
        refer: ReferId,
        /// The session it was sent in.
        session: SessionId,
        /// Status of the transferee's attempt, or of the REFER itself when that failed.
        status: u16,
        /// Its phrase.
        reason: String,
        /// Last news of this REFER.
        done: bool,
    },
    /// The session is over. Exactly once, and never beside [`News::Failed`].
    Ended {
        /// Which.
        session: SessionId,
        /// By whom.
        by: Party,
        /// Why.
        cause: Cause,
    },

    /// MESSAGE came; 200 has been sent. RFC 3428.
    MessageReceived {
        /// Whose.
        profile: Option<ProfileId>,
        /// The From value.
        from: String,
        /// Its Content-Type.
        content_type: String,
        /// Its body.
        body: Bytes,
        /// All of it.
        message: Message,
    },
    /// A subscription of ours has news, or ends.
    Notified {
        /// Which.
        subscription: SubscriptionId,
        /// Where it stands.
        state: SubscriptionState,
        /// It ended by this status, ours (408, 503) or the notifier's; `None`: a NOTIFY tells.
        status: Option<u16>,
        /// Content-Type of the body.
        content_type: String,
        /// The state told; empty when none.
        body: Bytes,
    },
    /// A NOTIFY nobody subscribed to, of a package worth hearing (message waiting, RFC 3842); 200 has been sent.
    Unsolicited {
        /// Whose.
        profile: Option<ProfileId>,
        /// Event package.
        event: String,
        /// Its Content-Type.
        content_type: String,
        /// Its body.
        body: Bytes,
        /// All of it.
        message: Message,
    },

    /// A flow is there.
    FlowUp {
        /// Which.
        flow: FlowId,
        /// Of what kind.
        transport: Transport,
    },
    /// A flow is gone.
    FlowDown {
        /// Which.
        flow: FlowId,
    },
}
