//! One dialog of a session, with what was negotiated in it and the ACK that may have to be said again.
//!
//! RFC 3261 sections 12 and 13.2.2.4, RFC 3264. A session has several of these only while its INVITE is forked and unanswered.

use bytes::Bytes;

use super::common::Cx;
use super::info;
use super::profile::{ProfileId, Way};
use super::request::{OutId, Owner, Task};
use crate::dialog::Dialog;
use crate::message::{Draft, Message, Method, Name, Uri};

/// The first offer and answer of a dialog. RFC 3264, RFC 6337 section 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exchange {
    /// No offer yet.
    Open,
    /// We have offered.
    Ours,
    /// They have offered.
    Theirs,
    /// Offer and answer are there; from now on `ours` and `theirs` of the session keep later ones apart.
    Agreed,
}

/// One dialog of a session. There are several only while a forked INVITE of ours is unanswered.
#[derive(Debug)]
pub(super) struct Leg {
    /// Fork number, as the user knows it.
    pub(super) number: u32,
    pub(super) dialog: Dialog,
    pub(super) exchange: Exchange,
    /// RSeq of the last reliable provisional heard. RFC 3262 section 4.
    pub(super) rseq: Option<u32>,
    /// Their description: a preview until `exchange` says agreed.
    pub(super) their_sdp: Option<Bytes>,
    /// The ACK of the last 2xx, to be said again whenever that is.
    pub(super) ack: Option<Ack>,
    /// Whether they listed UPDATE in Allow.
    pub(super) updates: bool,
    /// Whether they listed "timer" in Supported. RFC 4028.
    pub(super) timer: bool,
    /// Whether they last listed `trickle-ice` in Recv-Info.
    pub(super) takes_late: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Ack {
    pub(super) seq: u32,
    pub(super) draft: Draft,
    pub(super) next_hop: Uri,
}

impl Leg {
    /// A fork whose first offer is ours (in the INVITE), or not there yet.
    pub(super) fn new(number: u32, dialog: Dialog, offered: bool) -> Self {
        Self {
            number,
            dialog,
            exchange: if offered { Exchange::Ours } else { Exchange::Open },
            rseq: None,
            their_sdp: None,
            ack: None,
            updates: false,
            timer: false,
            takes_late: false,
        }
    }

    /// Whether a response comes from this fork.
    pub(super) fn is_from(&self, response: &Message) -> bool {
        response.to().is_ok_and(|to| to.tag().unwrap_or_default() == self.dialog.remote_tag())
    }

    /// What the other side says it can do; what it once said stands.
    pub(super) fn hear_abilities(&mut self, message: &Message) {
        if let Some(updates) = message.allows(&Method::Update) {
            self.updates = updates;
        }
        if message.has(Name::RecvInfo) {
            self.takes_late = message.lists(Name::RecvInfo, info::PACKAGE);
        }
        self.timer |= message.supports("timer") || message.requires("timer");
    }
}

/// Makes the ACK for a 2xx; the INVITE's credentials go along (RFC 3261 section 13.2.2.4).
pub(super) fn make_ack(leg: &Leg, seq: u32, out: OutId, cx: &Cx<'_>) -> Ack {
    let (mut draft, next_hop) = leg.dialog.ack(seq);
    if let Some(invite) = cx.common.requests.draft(out) {
        for name in [Name::Authorization, Name::ProxyAuthorization] {
            for value in invite.all(name) {
                draft.push_bytes(name, value);
            }
        }
    }
    Ack { seq, draft, next_hop }
}

/// Sends an ACK as it is.
pub(super) fn repeat_ack(ack: &Ack, account: Option<ProfileId>, cx: &mut Cx<'_>) {
    cx.send(Task {
        owner: Owner::Nobody,
        account,
        draft: ack.draft.clone(),
        next_hop: ack.next_hop.clone(),
        contact: None,
        redirects: 0,
        way: Way::default(),
    });
}
