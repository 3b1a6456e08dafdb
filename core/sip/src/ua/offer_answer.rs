//! Changing a session that stands: offers by UPDATE and re-INVITE, ours and theirs, and what happens when they meet.
//!
//! RFC 3264 and 6337 (one exchange at a time), RFC 3261 section 14 (re-INVITE), RFC 3311 (UPDATE). The first exchange of a
//! dialog is `invite_out`'s and `invite_in`'s; the answer to an offer of theirs leaves from here whatever carried it.
//!
//! ```text
//!   ours:    none --reoffer--> sent --2xx--> none        491, 500+Retry-After: waiting --Alarm::Glare--> sent
//!   theirs:  none --INVITE, UPDATE, PRACK, 2xx, 1xx--> open --answer, refuse--> none
//! ```

use std::time::Duration;

use bytes::Bytes;

use super::common::{self, Cx, Timer};
use super::info;
use super::leg::{Exchange, make_ack, repeat_ack};
use super::news::{Busy, By, Cause, News, Party};
use super::request::{OutId, Reply};
use super::session::{Alarm, Errand, SDP, Session, State, Unacked, final_status, sdp_of};
use super::timer::Grant;
use crate::message::{Draft, Message, Method, Name};
use crate::transaction::{Source, TxId};

/// How often an offer is tried that the other side is too busy for.
const MAX_TRIES: u8 = 6;

/// An offer of ours under way.
#[derive(Debug)]
pub(super) struct OurOffer {
    want: Want,
    by: By,
    leg: u32,
    tries: u8,
    stage: Stage,
    /// What carries it, once sent.
    out: OutId,
    /// The answer, when a reliable provisional brought it before the 2xx.
    early_answer: Option<Bytes>,
    /// Its failure does not end the session: the user has another means.
    spares: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Want {
    /// Their answer to this.
    Answer(Bytes),
    /// Their offer.
    Offer,
    /// Nothing new; `asked`: the user wants to hear that it went well.
    Refresh { asked: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Sent(Kind),
    Waiting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Update,
    Reinvite,
}

/// An offer of theirs that the user has not answered.
#[derive(Debug)]
pub(super) struct TheirOffer {
    carrier: Carrier,
    /// `false`: an INVITE without one, where our "answer" is the offer.
    offered: bool,
}

#[derive(Debug)]
enum Carrier {
    Reinvite {
        tx: TxId,
        request: Message,
        source: Source,
    },
    Update {
        tx: TxId,
        request: Message,
        source: Source,
    },
    Prack {
        tx: TxId,
        request: Message,
    },
    /// The 2xx of our INVITE: the answer goes into the ACK.
    Accepted,
    /// A reliable provisional of that leg: the answer goes into the PRACK.
    Provisional {
        leg: u32,
        rack: String,
    },
}

impl TheirOffer {
    pub(super) fn in_2xx() -> Self {
        Self { carrier: Carrier::Accepted, offered: true }
    }
    pub(super) fn in_provisional(leg: u32, rack: String) -> Self {
        Self { carrier: Carrier::Provisional { leg, rack }, offered: true }
    }
    pub(super) fn in_prack(tx: TxId, request: Message) -> Self {
        Self { carrier: Carrier::Prack { tx, request }, offered: true }
    }
}

impl Session {
    // ---- ours

    pub(super) fn reoffer(&mut self, sdp: Bytes, by: By, cx: &mut Cx<'_>) -> Result<(), Busy> {
        self.offer(Want::Answer(sdp), by, cx)
    }

    pub(super) fn solicit(&mut self, cx: &mut Cx<'_>) -> Result<(), Busy> {
        self.offer(Want::Offer, By::Reinvite, cx)
    }

    pub(super) fn refresh(&mut self, by: By, asked: bool, cx: &mut Cx<'_>) -> Result<(), Busy> {
        self.offer(Want::Refresh { asked }, by, cx)
    }

    fn offer(&mut self, want: Want, by: By, cx: &mut Cx<'_>) -> Result<(), Busy> {
        let early = match self.state {
            State::Calling(_) | State::Ringing(_) => true,
            State::Active => false,
            State::Cancelling(_) | State::Leaving | State::Over => return Err(Busy),
        };
        // Early, the newest dialog that has its first exchange behind it; later there is only one.
        let leg = self.legs.iter().rev().find(|leg| leg.exchange == Exchange::Agreed).ok_or(Busy)?;
        let by = if early { By::Update } else { by };
        let reinvite = by == By::Reinvite || (by == By::Either && !leg.updates);
        // An UPDATE that overtakes the 2xx which begins the dialog finds no dialog, and ends it by the 481 that it gets.
        let unheard = self.unacked.as_ref().is_some_and(|unacked| reinvite || unacked.first);
        if self.ours.is_some() || self.theirs.is_some() || unheard {
            return Err(Busy);
        }
        let leg = leg.number;
        let (stage, out) = (Stage::Waiting, OutId::NONE);
        let (tries, early_answer, spares) = (0, None, false);
        self.ours = Some(OurOffer { want, by, leg, tries, stage, out, early_answer, spares });
        self.send_offer(cx);
        Ok(())
    }

    /// The dialog is not given up for lost when this offer finds it so.
    pub(super) fn spare(&mut self) {
        if let Some(ours) = &mut self.ours {
            ours.spares = true;
        }
    }

    fn send_offer(&mut self, cx: &mut Cx<'_>) {
        let Some(ours) = &mut self.ours else { return };
        let Some(leg) = self.legs.iter_mut().find(|leg| leg.number == ours.leg) else {
            self.ours = None;
            return;
        };
        let kind = match ours.by {
            By::Update => Kind::Update,
            By::Reinvite => Kind::Reinvite,
            By::Either if leg.updates && ours.want != Want::Offer => Kind::Update,
            By::Either => Kind::Reinvite,
        };
        ours.tries += 1;
        ours.stage = Stage::Sent(kind);
        let method = match kind {
            Kind::Update => Method::Update,
            Kind::Reinvite => Method::Invite,
        };
        let sdp = match (&ours.want, kind) {
            (Want::Answer(sdp), _) => Some(sdp.clone()),
            (Want::Offer, _) | (Want::Refresh { .. }, Kind::Update) => None,
            (Want::Refresh { .. }, Kind::Reinvite) => self.our_sdp.clone(),
        };
        let errand = Errand::Reoffer(leg.number);
        let (mut draft, next_hop) = leg.dialog.request(&method);
        self.push_abilities(&mut draft);
        self.refreshing.push_wish(&mut draft);
        if let Some(sdp) = sdp {
            draft.body(SDP, sdp);
        }
        let task = self.task(draft, next_hop, errand);
        let out = self.send(task, cx);
        if let Some(ours) = &mut self.ours {
            ours.out = out;
        }
    }

    /// Nobody wants an offer of ours any more. A re-INVITE is cancelled: once a 1xx has come, nothing else bounds how long
    /// its final response is waited for, and that may be lost for good. RFC 3261 section 9.1.
    pub(super) fn drop_our_offer(&mut self, cx: &mut Cx<'_>) {
        let Some(ours) = self.ours.take() else { return };
        if ours.stage == Stage::Sent(Kind::Reinvite) && !cx.cancel(ours.out, &[]) {
            self.under_way -= 1;
        }
    }

    /// Whether an offer of ours is out, so that one of theirs is glare.
    fn is_offering(&self) -> bool {
        let out = self.ours.as_ref().is_some_and(|ours| match (ours.stage, &ours.want) {
            (Stage::Waiting, _) | (Stage::Sent(Kind::Update), Want::Refresh { .. }) => false,
            (Stage::Sent(_), _) => true,
        });
        out || self.legs.first().is_some_and(|leg| leg.exchange == Exchange::Ours)
    }

    pub(super) fn on_reoffer_reply(&mut self, out: OutId, leg: u32, reply: Reply, cx: &mut Cx<'_>) {
        let leg = self.legs.iter().position(|candidate| candidate.number == leg);
        let (Some(leg), Some(ours)) = (leg, &mut self.ours) else {
            return self.on_late_reoffer_reply(out, leg, &reply, cx);
        };
        let Stage::Sent(kind) = ours.stage else {
            return self.on_late_reoffer_reply(out, Some(leg), &reply, cx);
        };
        let status = match &reply {
            Reply::Response(message) if message.status().is_some_and(|s| s < 200) => {
                if kind == Kind::Reinvite && message.requires("100rel") && self.hear_reliable(leg, message) {
                    let answer = sdp_of(message);
                    if let Some(ours) = self.ours.as_mut().filter(|_| answer.is_some()) {
                        ours.early_answer = answer;
                    }
                    self.acknowledge_provisional(leg, message, None, cx);
                }
                return;
            }
            other => final_status(other).unwrap_or_default(),
        };
        match reply {
            Reply::Final(message, _) if status < 300 => self.offer_accepted(out, leg, kind, &message, cx),
            Reply::Final(message, _) if status == 491 || (status == 500 && message.has(Name::RetryAfter)) => {
                self.offer_later(status, &message, cx);
            }
            Reply::Final(..) if matches!(status, 405 | 501) && kind == Kind::Update => {
                // They do not know UPDATE after all.
                self.legs[leg].updates = false;
                let any = ours.by == By::Either;
                if any && self.is_active() {
                    self.send_offer(cx);
                } else {
                    self.offer_failed(status, cx);
                }
            }
            Reply::Final(..) | Reply::Fault(_) => {
                // Unreachable (503) is our network's trouble, and may pass before the session expires.
                let spares = ours.spares;
                self.offer_failed(status, cx);
                if !spares {
                    self.check_lost(status, cx);
                }
            }
            Reply::Response(..) | Reply::Again => {}
        }
    }

    /// A 2xx to a re-INVITE must be acknowledged even when nobody wants its answer any more.
    fn on_late_reoffer_reply(&mut self, out: OutId, leg: Option<usize>, reply: &Reply, cx: &mut Cx<'_>) {
        let (Reply::Final(message, _) | Reply::Response(message)) = reply else { return };
        let accepted = message.status().is_some_and(|s| (200..300).contains(&s));
        let Some(leg) = leg.filter(|_| accepted && message.method() == Method::Invite) else { return };
        let seq = message.cseq().map_or(0, |cseq| cseq.number);
        match &self.legs[leg].ack {
            Some(ack) if ack.seq == seq => {
                if !self.owes_answer() {
                    repeat_ack(ack, self.account, cx);
                }
            }
            Some(_) | None => {
                let ack = make_ack(&self.legs[leg], seq, out, cx);
                self.legs[leg].ack = Some(ack);
                self.send_ack(leg, None, cx);
            }
        }
    }

    fn offer_accepted(&mut self, out: OutId, leg: usize, kind: Kind, message: &Message, cx: &mut Cx<'_>) {
        let Some(ours) = self.ours.take() else { return };
        self.legs[leg].dialog.refresh_target(message);
        self.legs[leg].hear_abilities(message);
        self.refreshing.settle_as_caller(message);
        self.set_refresh(cx);
        let sdp = sdp_of(message).or(ours.early_answer);
        if kind == Kind::Reinvite {
            let seq = message.cseq().map_or(0, |cseq| cseq.number);
            let ack = make_ack(&self.legs[leg], seq, out, cx);
            self.legs[leg].ack = Some(ack);
            if ours.want == Want::Offer && sdp.is_some() {
                self.theirs = Some(TheirOffer::in_2xx());
            } else {
                self.send_ack(leg, None, cx);
            }
        }
        let before = std::mem::replace(&mut self.legs[leg].their_sdp, sdp.clone().or(None));
        if sdp.is_none() {
            self.legs[leg].their_sdp.clone_from(&before);
        }
        let session = self.id;
        match ours.want {
            Want::Answer(sdp_sent) => {
                self.our_sdp = Some(sdp_sent);
                self.tell(News::Reanswered { session, sdp }, cx);
            }
            Want::Offer => match sdp {
                Some(_) => self.tell(News::Reoffered { session, offer: sdp, early: false }, cx),
                None => self.tell(News::ReofferFailed { session, status: 488 }, cx),
            },
            Want::Refresh { asked } => {
                let changed = sdp.is_some() && sdp != before;
                if asked || changed {
                    self.tell(News::Reanswered { session, sdp: sdp.filter(|_| changed) }, cx);
                }
            }
        }
    }

    fn offer_failed(&mut self, status: u16, cx: &mut Cx<'_>) {
        let silent = self.ours.take().is_some_and(|ours| ours.want == Want::Refresh { asked: false });
        if !silent {
            self.tell(News::ReofferFailed { session: self.id, status }, cx);
        }
    }

    /// Glare, or the other side is not ready. RFC 3261 section 14.1, RFC 3311 section 5.3.
    fn offer_later(&mut self, status: u16, message: &Message, cx: &mut Cx<'_>) {
        let Some(ours) = self.ours.as_mut().filter(|ours| ours.tries < MAX_TRIES) else {
            return self.offer_failed(status, cx);
        };
        ours.stage = Stage::Waiting;
        let wait = match message.retry_after() {
            Some(seconds) if status == 500 => Duration::from_secs(u64::from(seconds.min(10))),
            // The owner of the Call-ID waits 2.1 to 4 s, the other 0 to 2 s, in steps of 10 ms.
            _ if self.seed.is_some() => Duration::from_millis(2100 + 10 * cx.common.rng.below(191)),
            _ => Duration::from_millis(10 * cx.common.rng.below(201)),
        };
        cx.common.timers.set(Timer::Session(self.id, Alarm::Glare), cx.now + wait);
    }

    pub(super) fn try_offer_again(&mut self, cx: &mut Cx<'_>) {
        if self.ours.as_ref().is_none_or(|ours| ours.stage != Stage::Waiting) {
            return;
        }
        if self.theirs.is_some() || self.unacked.is_some() {
            // Theirs goes first; ours follows when it is settled.
            let at = cx.now + Duration::from_millis(500);
            return cx.common.timers.set(Timer::Session(self.id, Alarm::Glare), at);
        }
        self.send_offer(cx);
    }

    // ---- theirs

    /// An INVITE inside the dialog. RFC 3261 section 14.2.
    pub(super) fn on_reinvite(&mut self, tx: TxId, request: Message, source: Source, cx: &mut Cx<'_>) {
        match self.state {
            State::Active => {}
            // Their first INVITE has no final response yet.
            State::Ringing(_) => return not_now(tx, &request, cx),
            State::Calling(_) | State::Cancelling(_) => return cx.answer(tx, &request, 491),
            State::Leaving | State::Over => return cx.answer(tx, &request, 481),
        }
        if self.theirs.is_some() {
            return not_now(tx, &request, cx);
        }
        let inviting = self.ours.as_ref().is_some_and(|ours| ours.stage == Stage::Sent(Kind::Reinvite));
        if inviting || self.is_offering() {
            return cx.answer(tx, &request, 491);
        }
        if !self.grant_refresh(tx, &request, cx) {
            return;
        }
        if let Some(unacked) = self.unacked.take() {
            // They go on from our 2xx, so it has arrived, and its ACK was lost.
            cx.common.timers.cancel(&Timer::Session(self.id, Alarm::Ack));
            if unacked.first {
                self.tell(News::Confirmed { session: self.id, sdp: None }, cx);
            }
        }
        cx.common.invites.insert(tx, self.id);
        self.legs[0].dialog.refresh_target(&request);
        self.legs[0].hear_abilities(&request);
        let offer = sdp_of(&request);
        if offer.is_some() {
            self.legs[0].their_sdp.clone_from(&offer);
        }
        self.theirs =
            Some(TheirOffer { carrier: Carrier::Reinvite { tx, request, source }, offered: offer.is_some() });
        self.tell(News::Reoffered { session: self.id, offer, early: false }, cx);
    }

    /// UPDATE. RFC 3311 section 5.2.
    pub(super) fn on_update(
        &mut self,
        leg: usize,
        tx: TxId,
        request: Message,
        source: Source,
        cx: &mut Cx<'_>,
    ) {
        let early = match self.state {
            State::Calling(_) | State::Ringing(_) => true,
            State::Active => false,
            State::Cancelling(_) | State::Leaving | State::Over => return cx.answer(tx, &request, 481),
        };
        let offer = sdp_of(&request);
        if offer.is_some() {
            if self.is_offering() || self.legs[leg].exchange == Exchange::Ours {
                return cx.answer(tx, &request, 491);
            }
            if self.theirs.is_some() || self.legs[leg].exchange != Exchange::Agreed {
                return not_now(tx, &request, cx);
            }
        }
        if !self.grant_refresh(tx, &request, cx) {
            return;
        }
        self.legs[leg].dialog.refresh_target(&request);
        self.legs[leg].hear_abilities(&request);
        match offer {
            Some(sdp) => {
                self.legs[leg].their_sdp = Some(sdp.clone());
                let carrier = Carrier::Update { tx, request, source };
                self.theirs = Some(TheirOffer { carrier, offered: true });
                self.tell(News::Reoffered { session: self.id, offer: Some(sdp), early }, cx);
            }
            None => {
                let response = self.acceptance(&request, &source, None, cx);
                cx.respond(tx, response);
            }
        }
    }

    /// Sets the session timer as the request wishes; `false`: it has been answered 422.
    fn grant_refresh(&mut self, tx: TxId, request: &Message, cx: &mut Cx<'_>) -> bool {
        match self.refreshing.grant(request) {
            Grant::TooSmall(min_se) => {
                let mut response = cx.response(request, 422);
                response.push(Name::MinSe, min_se);
                cx.respond(tx, response);
                false
            }
            Grant::Off | Grant::On => {
                self.set_refresh(cx);
                true
            }
        }
    }

    /// A 200 in the dialog.
    fn acceptance(&self, request: &Message, source: &Source, sdp: Option<Bytes>, cx: &mut Cx<'_>) -> Draft {
        let mut response = cx.response(request, 200);
        response.push(Name::Contact, cx.contact_for(&self.profile, source));
        self.push_abilities(&mut response);
        info::push_packages(&mut response, request);
        self.refreshing.push_grant(&mut response);
        common::push_server(&mut response, &self.profile);
        if let Some(sdp) = sdp {
            response.body(SDP, sdp);
        }
        response
    }

    /// The user's answer to whatever offer of theirs is open.
    pub(super) fn answer(&mut self, sdp: Bytes, cx: &mut Cx<'_>) {
        let Some(TheirOffer { carrier, offered }) = self.theirs.take() else { return };
        self.our_sdp = Some(sdp.clone());
        match carrier {
            Carrier::Reinvite { tx, request, source } => {
                let response = self.acceptance(&request, &source, Some(sdp), cx);
                let seq = request.cseq().map_or(0, |cseq| cseq.number);
                let (since, interval) = (cx.now, common::T1);
                let unacked = Unacked { tx, seq, response, since, interval, first: false, offers: !offered };
                if !offered {
                    self.legs[0].exchange = Exchange::Ours;
                }
                self.accept_with(unacked, cx);
            }
            Carrier::Update { tx, request, source } => {
                let response = self.acceptance(&request, &source, Some(sdp), cx);
                cx.respond(tx, response);
            }
            Carrier::Prack { tx, request } => {
                let mut response = cx.response(&request, 200);
                response.body(SDP, sdp);
                cx.respond(tx, response);
                self.prack_settled(cx);
            }
            Carrier::Accepted => {
                self.legs[0].exchange = Exchange::Agreed;
                self.send_ack(0, Some(sdp), cx);
            }
            Carrier::Provisional { leg, rack } => {
                if let Some(leg) = self.legs.iter_mut().find(|candidate| candidate.number == leg) {
                    leg.exchange = Exchange::Agreed;
                }
                self.send_prack(leg, &rack, Some(sdp), cx);
                // The 2xx came while the user was thinking: its ACK waited for this.
                if self.is_active() && self.legs.first().is_some_and(|first| first.number == leg) {
                    self.send_ack(0, None, cx);
                }
            }
        }
    }

    /// The user's refusal of it.
    pub(super) fn refuse(&mut self, status: u16, cx: &mut Cx<'_>) {
        let Some(theirs) = &self.theirs else { return };
        match theirs.carrier {
            Carrier::Reinvite { .. } | Carrier::Update { .. } | Carrier::Prack { .. } => {
                self.drop_their_offer(status, cx);
            }
            // Nothing can refuse an offer in a response but the end of the call. RFC 3261 section 14.1.
            Carrier::Accepted | Carrier::Provisional { .. } => {
                self.tell_end(Party::Us, Cause::of(status), cx);
                let reason = format!("SIP;cause={status}");
                self.hang_up(&[(Name::Reason, reason)], cx);
            }
        }
    }

    /// Settles an offer of theirs without an answer.
    pub(super) fn drop_their_offer(&mut self, status: u16, cx: &mut Cx<'_>) {
        let Some(TheirOffer { carrier, .. }) = self.theirs.take() else { return };
        match carrier {
            Carrier::Reinvite { tx, request, .. } | Carrier::Update { tx, request, .. } => {
                cx.answer(tx, &request, status);
            }
            Carrier::Prack { tx, request } => {
                cx.answer(tx, &request, status);
                self.prack_settled(cx);
            }
            Carrier::Accepted => self.send_ack(0, None, cx),
            Carrier::Provisional { leg, rack } => self.send_prack(leg, &rack, None, cx),
        }
    }

    /// A CANCEL of their re-INVITE.
    pub(super) fn reinvite_cancelled(&mut self, invite: TxId, cx: &mut Cx<'_>) {
        let open = self
            .theirs
            .as_ref()
            .is_some_and(|theirs| matches!(&theirs.carrier, Carrier::Reinvite { tx, .. } if *tx == invite));
        if open {
            self.drop_their_offer(487, cx);
        }
    }

    /// Whether a 2xx of theirs waits for our answer before it can be acknowledged.
    pub(super) fn owes_answer(&self) -> bool {
        self.theirs
            .as_ref()
            .is_some_and(|theirs| matches!(theirs.carrier, Carrier::Accepted | Carrier::Provisional { .. }))
    }
}

/// 500 and "try again in a while". RFC 3261 section 14.2.
fn not_now(tx: TxId, request: &Message, cx: &mut Cx<'_>) {
    let mut response = cx.response(request, 500);
    response.push(Name::RetryAfter, cx.common.rng.below(11));
    cx.respond(tx, response);
}
