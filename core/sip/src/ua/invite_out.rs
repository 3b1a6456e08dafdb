//! The caller's side until the call is answered: forks, redirection, refusal, and the races with CANCEL.
//!
//! RFC 3261 sections 13.2, 9.1 and 8.1.3.4, RFC 6228 (199). Reliable provisionals are `reliable`'s matter.

use super::common::{self, Cx};
use super::info;
use super::leg::{Exchange, Leg, make_ack, repeat_ack};
use super::news::{Failure, Invite, News, Sdp};
use super::offer_answer::TheirOffer;
use super::profile::{ProfileId, SessionId};
use super::request::{OutId, Reply};
use super::session::{Errand, SDP, Session, State, sdp_of};
use crate::dialog::{Dialog, Seed, Tag};
use crate::message::{Draft, Message, Method, Name, Uri};

/// Answers by forks after the first that are hung up on; beyond, their own timers end them.
const MAX_STRAYS: usize = 16;

/// What only an unanswered INVITE of ours needs.
#[derive(Debug)]
pub(super) struct Calling {
    pub(super) out: OutId,
    offered: bool,
    forks: u32,
}

impl Session {
    /// A session whose INVITE is on its way.
    pub(super) fn calling(
        id: SessionId,
        account: ProfileId,
        invite: Invite,
        replaces: Option<String>,
        cx: &mut Cx<'_>,
    ) -> Self {
        let profile = cx.common.speaker(account);
        let tag = Tag::draw(&mut cx.common.rng);
        let mut session = Self::new(id, Some(account), profile, tag, State::Over);
        session.call(invite, replaces, cx);
        session.register(cx);
        session
    }

    fn call(&mut self, invite: Invite, replaces: Option<String>, cx: &mut Cx<'_>) {
        let profile = self.profile.clone();
        let (target, fields) = without_headers(&invite.to);
        let mut draft = Draft::request(&Method::Invite, target.as_str());
        draft.push(Name::MaxForwards, 70);
        let next_hop = common::push_first_route(&mut draft, &profile, &target);
        let from = invite.headers.iter().find(|(name, _)| *name == Name::From);
        let from = from.map_or_else(|| common::from_value(&profile), |(_, value)| value.clone());
        let local: Box<str> = self.tag.append(&from).into();
        let call_id = cx.common.fresh_call_id();
        draft.push(Name::From, &local);
        draft.push(Name::To, format_args!("<{target}>"));
        draft.push(Name::CallId, &call_id);
        draft.push(Name::CSeq, "1 INVITE");
        let is_package = |(name, value): &(Name, String)| *name == Name::RecvInfo && value == info::PACKAGE;
        self.trickles = invite.headers.iter().any(is_package);
        self.push_abilities(&mut draft);
        if profile.reliable == super::profile::Reliable::Required {
            draft.push(Name::Require, "100rel");
        }
        self.refreshing.push_wish(&mut draft);
        if let Some(replaces) = replaces {
            draft.push(Name::Replaces, replaces);
            draft.push(Name::Require, "replaces");
        }
        for (name, value) in fields.iter().chain(&invite.headers) {
            if *name != Name::From {
                draft.push(*name, value);
            }
        }
        if let Some(offer) = &invite.offer {
            draft.body(SDP, offer.clone());
        }
        self.seed = Some(Seed { call_id, local, local_tag: self.tag, seq: 1, target });
        let offered = invite.offer.is_some();
        self.our_sdp = invite.offer;
        let mut task = self.task(draft, next_hop, Errand::Invite);
        task.redirects = if invite.follow_redirects { cx.common.config.max_redirects } else { 0 };
        let out = self.send(task, cx);
        self.state = State::Calling(Box::new(Calling { out, offered, forks: 0 }));
    }

    pub(super) fn on_invite_reply(&mut self, out: OutId, reply: Reply, cx: &mut Cx<'_>) {
        match reply {
            Reply::Response(message) if message.status().is_some_and(|s| s < 200) => {
                self.on_provisional(message, cx);
            }
            Reply::Response(message) => self.on_answer(out, message, cx),
            Reply::Final(message, _) if message.status().is_some_and(|s| s < 300) => {
                self.on_answer(out, message, cx);
            }
            Reply::Final(message, _) => self.on_no_answer(Failure::read(&message), cx),
            Reply::Fault(fault) => self.on_no_answer(Failure::silent(fault), cx),
            Reply::Again => {}
        }
    }

    fn on_provisional(&mut self, message: Message, cx: &mut Cx<'_>) {
        let status = message.status().unwrap_or_default();
        let State::Calling(calling) = &mut self.state else { return };
        if status == 100 {
            return;
        }
        let offered = calling.offered;
        let max_forks = cx.common.config.max_forks;
        let leg = match self.legs.iter().position(|leg| leg.is_from(&message)) {
            Some(leg) => leg,
            None => {
                let dialog = self.seed.as_ref().and_then(|seed| Dialog::from_response(seed, &message));
                // Without a tag there is no dialog, only news (a proxy's 181, an RFC 2543 callee's 180).
                let tagged = dialog.as_ref().is_some_and(|dialog| !dialog.remote_tag().is_empty());
                let Some(dialog) = dialog.filter(|_| tagged && self.legs.len() < max_forks && status != 199)
                else {
                    let (session, reason) = (self.id, message.reason_phrase().to_owned());
                    if !tagged {
                        self.tell(
                            News::Proceeding { session, status, reason, early: 0, sdp: None, message },
                            cx,
                        );
                    }
                    return;
                };
                let State::Calling(calling) = &mut self.state else { return };
                let number = calling.forks;
                calling.forks += 1;
                self.legs.push(Leg::new(number, dialog, offered));
                self.legs.len() - 1
            }
        };
        self.legs[leg].hear_abilities(&message);
        let reliable = message.requires("100rel") && message.rseq().is_some();
        if reliable && !self.hear_reliable(leg, &message) {
            return;
        }
        let sdp = self.early_sdp(leg, reliable, &message);
        let early = self.legs[leg].number;
        if status == 199 {
            // RFC 6228: this fork is over, the INVITE is not.
            self.legs.remove(leg);
        } else {
            self.legs[leg].dialog.refresh_target(&message);
            if reliable {
                self.acknowledge_provisional(leg, &message, sdp.as_ref(), cx);
            }
        }
        let reason = message.reason_phrase().to_owned();
        self.tell(News::Proceeding { session: self.id, status, reason, early, sdp, message }, cx);
    }

    /// What the description in a provisional response is. RFC 3261 section 13.2.1, RFC 6337 section 3.1.1: an answer counts
    /// when it comes reliably and is a preview else; an offer comes reliably only.
    fn early_sdp(&mut self, leg: usize, reliable: bool, message: &Message) -> Option<Sdp> {
        let leg = &mut self.legs[leg];
        let sdp = sdp_of(message)?;
        match leg.exchange {
            Exchange::Ours => {
                leg.their_sdp = Some(sdp.clone());
                if reliable {
                    leg.exchange = Exchange::Agreed;
                }
                Some(Sdp::Answer(sdp))
            }
            Exchange::Open if reliable => {
                leg.their_sdp = Some(sdp.clone());
                leg.exchange = Exchange::Theirs;
                Some(Sdp::Offer(sdp))
            }
            Exchange::Open | Exchange::Theirs | Exchange::Agreed => None,
        }
    }

    /// A 2xx: the first answers the call, another fork's is hung up on, a repeated one gets its ACK again.
    pub(super) fn on_answer(&mut self, out: OutId, message: Message, cx: &mut Cx<'_>) {
        if let Some(leg) = self.legs.iter().chain(&self.strays).find(|leg| leg.is_from(&message))
            && let Some(ack) = &leg.ack
        {
            if ack.seq == seq_of(&message) && !self.owes_answer() {
                repeat_ack(ack, self.account, cx);
            }
            return;
        }
        match std::mem::replace(&mut self.state, State::Over) {
            State::Calling(calling) => self.answered(*calling, message, cx),
            State::Cancelling(calling) => {
                // The answer has overtaken the CANCEL. RFC 3261 section 15.1.1: ACK, then BYE.
                self.state = State::Cancelling(calling);
                if self.take_leg(&message, false) {
                    self.confirm_leg(out, &message, cx);
                    self.send_ack(0, None, cx);
                    self.leave(&[], cx);
                } else {
                    // Nothing to acknowledge or hang up by, and nothing more to wait for.
                    self.over(cx);
                }
            }
            other @ (State::Active | State::Leaving) => {
                self.state = other;
                self.hang_up_stray(out, &message, cx);
            }
            State::Ringing(ringing) => self.state = State::Ringing(ringing),
            State::Over => {}
        }
    }

    fn answered(&mut self, calling: Calling, message: Message, cx: &mut Cx<'_>) {
        self.state = State::Active;
        let out = calling.out;
        let fork = calling.forks;
        let offered = calling.offered;
        if !self.take_leg(&message, offered) {
            // Not even a To tag, Contact or Call-ID to acknowledge by.
            self.state = State::Over;
            return self.tell_failure(Failure::read(&message), cx);
        }
        if self.legs[0].number == u32::MAX {
            self.legs[0].number = fork;
        }
        self.confirm_leg(out, &message, cx);
        let leg = &mut self.legs[0];
        let early = leg.number;
        let body = sdp_of(&message);
        let sdp = match leg.exchange {
            // Agreed reliably before: what the 2xx repeats is not an answer any more. RFC 6337 section 3.1.1.
            Exchange::Agreed => leg.their_sdp.clone().map(Sdp::Answer),
            Exchange::Ours => {
                leg.exchange = Exchange::Agreed;
                // Some callees send their answer once, early and unreliably, and never again.
                leg.their_sdp = body.or(leg.their_sdp.take());
                leg.their_sdp.clone().map(Sdp::Answer)
            }
            Exchange::Open => {
                leg.their_sdp.clone_from(&body);
                leg.exchange = if body.is_some() { Exchange::Theirs } else { Exchange::Agreed };
                body.map(Sdp::Offer)
            }
            // The offer of a reliable provisional is still without the user's answer.
            Exchange::Theirs => leg.their_sdp.clone().map(Sdp::Offer),
        };
        match (&sdp, leg.exchange) {
            (Some(Sdp::Offer(_)), Exchange::Theirs) if self.theirs.is_none() => {
                self.theirs = Some(TheirOffer::in_2xx());
            }
            _ if self.theirs.is_some() => {}
            _ => self.send_ack(0, None, cx),
        }
        self.refreshing.settle_as_caller(&message);
        self.set_refresh(cx);
        self.tell(News::Answered { session: self.id, early, sdp, message }, cx);
    }

    /// Makes the leg that answered the only one; made anew when it was silent until now.
    fn take_leg(&mut self, message: &Message, offered: bool) -> bool {
        let found = self.legs.iter().position(|leg| leg.is_from(message));
        let leg = match found {
            Some(at) => self.legs.swap_remove(at),
            None => {
                let dialog = self.seed.as_ref().and_then(|seed| Dialog::from_response(seed, message));
                let Some(dialog) = dialog else { return false };
                Leg::new(u32::MAX, dialog, offered)
            }
        };
        self.legs.clear();
        self.legs.push(leg);
        true
    }

    /// Early to confirmed, and the ACK made ready.
    fn confirm_leg(&mut self, out: OutId, message: &Message, cx: &Cx<'_>) {
        self.legs[0].dialog.confirm(message);
        self.legs[0].hear_abilities(message);
        let ack = make_ack(&self.legs[0], seq_of(message), out, cx);
        self.legs[0].ack = Some(ack);
    }

    /// RFC 3261 section 13.2.2.4: each further dialog is acknowledged; we want only one, so the others end.
    fn hang_up_stray(&mut self, out: OutId, message: &Message, cx: &mut Cx<'_>) {
        if self.strays.len() >= MAX_STRAYS {
            return;
        }
        let Some(seed) = &self.seed else { return };
        let Some(dialog) = Dialog::from_response(seed, message) else { return };
        let mut leg = Leg::new(u32::MAX, dialog, true);
        let ack = make_ack(&leg, seq_of(message), out, cx);
        repeat_ack(&ack, self.account, cx);
        leg.ack = Some(ack);
        let (draft, next_hop) = leg.dialog.request(&Method::Bye);
        let mut task = self.task(draft, next_hop, Errand::Bye);
        task.owner = super::request::Owner::Nobody;
        cx.send(task);
        self.strays.push(leg);
    }

    fn on_no_answer(&mut self, failure: Failure, cx: &mut Cx<'_>) {
        match self.state {
            State::Calling(_) => {
                self.over(cx);
                self.tell_failure(failure, cx);
            }
            State::Cancelling(_) => self.over(cx),
            State::Ringing(_) | State::Active | State::Leaving | State::Over => {}
        }
    }

    /// A 2xx that no transaction of ours knows any more.
    pub(super) fn on_stray_response(&mut self, message: Message, cx: &mut Cx<'_>) {
        self.on_answer(OutId::NONE, message, cx);
    }
}

fn seq_of(message: &Message) -> u32 {
    message.cseq().map_or(0, |cseq| cseq.number)
}

/// A URI's own text and the header fields that an INVITE made of it may take over. Others are ignored: a link must not get
/// to choose our From or Route. RFC 3261 section 19.1.5.
fn without_headers(uri: &Uri) -> (Uri, Vec<(Name, String)>) {
    const TAKEN: [Name; 5] =
        [Name::Replaces, Name::Subject, Name::Priority, Name::ReferredBy, Name::AcceptContact];
    let view = uri.view();
    let Some(headers) = view.headers else { return (uri.clone(), Vec::new()) };
    let text = view.as_str();
    let bare = &text[..text.len() - headers.len() - 1];
    let fields = view
        .header_fields()
        .filter_map(|(name, value)| {
            let name = Name::read(name.as_bytes());
            TAKEN.contains(&name).then(|| (name, value.into_owned()))
        })
        .collect();
    (bare.parse().unwrap_or_else(|_| uri.clone()), fields)
}
