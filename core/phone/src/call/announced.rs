//! A call that a push has announced and that is not here yet.
//!
//! The platform rings from the push, so the user may answer or decline before the INVITE arrives: the wish is held, and
//! spent on the INVITE that was meant. RFC 8599 leaves the push's words open; ours may name the Call-ID. Knows nothing of
//! how a push comes.

use std::time::Duration;

use base::Instant;
use sip::message::{Message, Uri};

use crate::desk::{Desk, Timer};
use crate::{AccountId, Why};

use super::{Call, Ending, Parties, Phase, Streams};

/// How long the INVITE may take: registering anew over a network that has just woken up, and a retransmission or two.
const COMES_WITHIN: Duration = Duration::from_secs(30);

/// By what the INVITE is known.
#[derive(Clone, Debug)]
pub(crate) struct Announcement {
    pub(crate) account: AccountId,
    /// The Call-ID, where the push named it; else the caller's URI will do. Without either no INVITE is the one: an answer
    /// that is held must not be spent on whoever calls next.
    pub(crate) call_id: Option<String>,
    pub(crate) remote: String,
}

impl Announcement {
    /// Whether this INVITE is the one.
    pub(crate) fn is_of(&self, account: AccountId, message: &Message) -> bool {
        let is_named = match &self.call_id {
            Some(call_id) => message.call_id().is_ok_and(|it| it == call_id),
            // By its user part: proxies on the way may have written another host.
            None => self
                .remote
                .parse::<Uri>()
                .is_ok_and(|remote| message.from().is_ok_and(|from| remote.view().user == from.uri().user)),
        };
        self.account == account && is_named
    }
}

/// The announcement, and what the user has decided meanwhile.
pub(super) struct Announced {
    announcement: Announcement,
    answer: bool,
}

/// An announced call that was declined: so will its INVITE be.
#[derive(Debug)]
pub(crate) struct Declined {
    pub(crate) announcement: Announcement,
    pub(crate) status: u16,
    pub(crate) until: Instant,
}

impl Declined {
    pub(crate) fn new(announcement: Announcement, status: u16, now: Instant) -> Self {
        Self { announcement, status, until: now + COMES_WITHIN }
    }
}

impl Call {
    /// A call that is on its way to us.
    pub(crate) fn announced(parties: Parties<'_>, announcement: Announcement, desk: &mut Desk) -> Self {
        let phase = Phase::Announced(Announced { announcement, answer: false });
        let mut it = Self::new(parties, phase, Streams::none(), desk);
        desk.timers.set(Timer::Unanswered(it.id), desk.now + COMES_WITHIN);
        it.show(desk);
        it
    }

    /// What its INVITE is known by; none: it is here, or was never announced.
    pub(crate) fn announcement(&self) -> Option<&Announcement> {
        match &self.phase {
            Phase::Announced(announced) => Some(&announced.announcement),
            Phase::Dialling(_) | Phase::Outgoing(_) | Phase::Incoming(_) | Phase::Up | Phase::Over => None,
        }
    }

    /// Whether the user has answered before there was anything to answer.
    pub(crate) fn is_answered_early(&self) -> bool {
        matches!(&self.phase, Phase::Announced(Announced { answer: true, .. }))
    }

    /// Holds the user's answer; false: it is held already, or the call is here.
    pub(super) fn answer_on_invite(&mut self) -> bool {
        match &mut self.phase {
            Phase::Announced(announced) => !std::mem::replace(&mut announced.answer, true),
            Phase::Dialling(_) | Phase::Outgoing(_) | Phase::Incoming(_) | Phase::Up | Phase::Over => false,
        }
    }

    /// The call that was announced is here: it is the same to the app.
    pub(super) fn follows(&mut self, announced: Self) {
        self.started = announced.started;
        self.shown = announced.shown;
        if self.name.is_none() {
            self.name = announced.name;
        }
    }

    /// The INVITE did not come, or is not let in.
    pub(crate) fn never_came(&mut self, status: u16, why: Why, desk: &mut Desk) {
        self.end(Ending::new(status, why), desk);
    }
}
