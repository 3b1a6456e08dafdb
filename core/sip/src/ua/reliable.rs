//! Reliable provisional responses and PRACK, as caller and as called.
//!
//! RFC 3262. The caller acknowledges what comes in order; the called one says it again until then, one at a time, and keeps a
//! 2xx back while a description is unacknowledged (section 3).

use std::time::Duration;

use base::Instant;
use bytes::Bytes;

use super::common::{Cx, PATIENCE, T1, Timer};
use super::leg::Exchange;
use super::news::{Cause, News, Party, Sdp};
use super::offer_answer::TheirOffer;
use super::request::Reply;
use super::session::{Alarm, Errand, SDP, Session, State, sdp_of};
use crate::message::{Draft, Message, Method, Name};
use crate::transaction::TxId;

/// A reliable provisional of ours without its PRACK yet.
#[derive(Debug)]
pub(super) struct Unpracked {
    rseq: u32,
    response: Draft,
    since: Instant,
    interval: Duration,
    /// It carried a description: a 2xx must wait.
    pub(super) has_sdp: bool,
    /// That description was an answer to the INVITE's offer.
    answers: bool,
}

impl Session {
    // ---- the caller

    /// Whether this reliable provisional is the next in order; one heard before is acknowledged already, one from the future
    /// must wait to be said again. RFC 3262 section 4.
    pub(super) fn hear_reliable(&mut self, leg: usize, message: &Message) -> bool {
        let Some(rseq) = message.rseq() else { return false };
        let leg = &mut self.legs[leg];
        if leg.rseq.is_some_and(|last| rseq != last.wrapping_add(1)) {
            return false;
        }
        leg.rseq = Some(rseq);
        true
    }

    /// PRACK, at once; or, for an offer, when the user has answered it.
    pub(super) fn acknowledge_provisional(
        &mut self,
        leg: usize,
        message: &Message,
        sdp: Option<&Sdp>,
        cx: &mut Cx<'_>,
    ) {
        let (Some(rseq), Ok(cseq)) = (message.rseq(), message.cseq()) else { return };
        let number = self.legs[leg].number;
        let rack = format!("{rseq} {} {}", cseq.number, cseq.method);
        match sdp {
            Some(Sdp::Offer(_)) => self.theirs = Some(TheirOffer::in_provisional(number, rack)),
            Some(Sdp::Answer(_)) | None => self.send_prack(number, &rack, None, cx),
        }
    }

    pub(super) fn send_prack(&mut self, leg: u32, rack: &str, sdp: Option<Bytes>, cx: &mut Cx<'_>) {
        let Some(at) = self.legs.iter_mut().find(|candidate| candidate.number == leg) else { return };
        let (mut draft, next_hop) = at.dialog.request(&Method::Prack);
        draft.push(Name::RAck, rack);
        if let Some(sdp) = sdp {
            draft.body(SDP, sdp);
        }
        let task = self.task(draft, next_hop, Errand::Prack(leg));
        self.send(task, cx);
    }

    /// The early dialog, or the call, shows soon enough what a refused PRACK means.
    pub(super) fn on_prack_reply(&mut self, leg: u32, reply: &Reply) {
        let Reply::Final(message, _) = reply else { return };
        if let Some(leg) = self.legs.iter_mut().find(|candidate| candidate.number == leg) {
            leg.hear_abilities(message);
        }
    }

    // ---- the called one

    /// Says a provisional reliably. The one before must have its PRACK already.
    pub(super) fn say_reliably(&mut self, mut response: Draft, has_sdp: bool, cx: &mut Cx<'_>) {
        let State::Ringing(ringing) = &mut self.state else { return };
        ringing.rseq = match ringing.rseq {
            // RFC 3262 section 3 wants 1 to 2^31 - 1 at random; with room above nothing wraps.
            0 => 1 + cx.common.rng.below((1 << 31) - 1) as u32,
            last => last + 1,
        };
        response.push(Name::Require, "100rel").push(Name::RSeq, ringing.rseq);
        cx.common.transactions.respond(ringing.tx, response.clone(), cx.now, cx.out);
        let exchange = &mut self.legs[0].exchange;
        let answers = has_sdp && *exchange == Exchange::Theirs;
        if has_sdp && *exchange == Exchange::Open {
            *exchange = Exchange::Ours;
        }
        ringing.unpracked =
            Some(Unpracked { rseq: ringing.rseq, response, since: cx.now, interval: T1, has_sdp, answers });
        cx.common.timers.set(Timer::Session(self.id, Alarm::Prack), cx.now + T1);
    }

    pub(super) fn prack_is_late(&mut self, cx: &mut Cx<'_>) {
        let State::Ringing(ringing) = &mut self.state else { return };
        let Some(unpracked) = &mut ringing.unpracked else { return };
        if cx.now.since(unpracked.since) >= PATIENCE {
            // RFC 3262 section 3: a 5xx, since the caller cannot hear us.
            self.tell_end(Party::Network, Cause::of(408), cx);
            return self.refuse_invite(504, cx);
        }
        cx.common.transactions.respond(ringing.tx, unpracked.response.clone(), cx.now, cx.out);
        // Doubles without end, unlike a 2xx: RFC 3262 section 3.
        unpracked.interval *= 2;
        let at = (cx.now + unpracked.interval).min(unpracked.since + PATIENCE);
        cx.common.timers.set(Timer::Session(self.id, Alarm::Prack), at);
    }

    pub(super) fn on_prack(&mut self, tx: TxId, request: Message, cx: &mut Cx<'_>) {
        let Ok(rack) = request.rack() else { return cx.answer(tx, &request, 400) };
        let unpracked = match &mut self.state {
            State::Ringing(ringing)
                if rack.method == Method::Invite
                    && rack.cseq == ringing.seq
                    && ringing.unpracked.as_ref().is_some_and(|waiting| waiting.rseq == rack.rseq) =>
            {
                ringing.unpracked.take()
            }
            // RFC 3262 section 3: one that was overtaken by our final response is still to be answered.
            State::Active if self.late_rseq.take_if(|rseq| *rseq == rack.rseq).is_some() => {
                return cx.answer(tx, &request, 200);
            }
            State::Ringing(_)
            | State::Active
            | State::Calling(_)
            | State::Cancelling(_)
            | State::Leaving
            | State::Over => None,
        };
        let Some(unpracked) = unpracked else { return cx.answer(tx, &request, 481) };
        cx.common.timers.cancel(&Timer::Session(self.id, Alarm::Prack));
        let sdp = sdp_of(&request);
        let leg = &mut self.legs[0];
        if let Some(sdp) = &sdp {
            leg.their_sdp = Some(sdp.clone());
        }
        match (leg.exchange, sdp) {
            // Our offer went in the provisional: this is the answer.
            (Exchange::Ours, sdp) if unpracked.has_sdp => {
                leg.exchange = Exchange::Agreed;
                cx.answer(tx, &request, 200);
                self.tell(News::Reanswered { session: self.id, sdp }, cx);
            }
            // Our answer has arrived, or an earlier one had: a description in a PRACK is a new offer. RFC 3262 section 5.
            (Exchange::Theirs, sdp) if unpracked.answers => {
                leg.exchange = Exchange::Agreed;
                match sdp {
                    Some(sdp) => return self.offered_in_prack(tx, request, sdp, cx),
                    None => cx.answer(tx, &request, 200),
                }
            }
            (Exchange::Agreed, Some(sdp)) => return self.offered_in_prack(tx, request, sdp, cx),
            (Exchange::Open | Exchange::Ours | Exchange::Theirs | Exchange::Agreed, _) => {
                cx.answer(tx, &request, 200);
            }
        }
        self.prack_settled(cx);
    }

    fn offered_in_prack(&mut self, tx: TxId, request: Message, sdp: Bytes, cx: &mut Cx<'_>) {
        self.theirs = Some(TheirOffer::in_prack(tx, request));
        self.tell(News::Reoffered { session: self.id, offer: Some(sdp), early: true }, cx);
    }

    /// What waited for the PRACK goes on: the next provisional, then the answer.
    pub(super) fn prack_settled(&mut self, cx: &mut Cx<'_>) {
        let State::Ringing(ringing) = &mut self.state else { return };
        if let Some((status, sdp)) = ringing.queue.pop_front() {
            self.say_provisional(status, sdp, cx);
        } else if let Some(sdp) = ringing.accepted.take() {
            self.accept(sdp, cx);
        }
    }
}
