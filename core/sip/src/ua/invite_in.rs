//! The called side until the call is answered: ringing, early media, acceptance, refusal, CANCEL.
//!
//! RFC 3261 sections 13.3 and 9.2, RFC 3891 (Replaces). Whether provisionals are reliable is decided here, how in `reliable`.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::common::{self, Cx, T1, Timer};
use super::info;
use super::leg::{Exchange, Leg};
use super::news::{Cause, News, Party};
use super::profile::{Profile, ProfileId, Reliable, SessionId};
use super::reliable::Unpracked;
use super::session::{Alarm, SDP, Session, State, Unacked, sdp_of};
use super::timer::Grant;
use crate::dialog::{Dialog, Tag};
use crate::message::{Draft, Message, Name, Uri};
use crate::transaction::{Source, TxId};

/// Provisionals that wait for the PRACK of the one before; a user who says more than this repeats himself.
const MAX_QUEUE: usize = 4;

/// What only an unanswered INVITE of theirs needs.
#[derive(Debug)]
pub(super) struct Ringing {
    pub(super) tx: TxId,
    /// The INVITE's CSeq number.
    pub(super) seq: u32,
    request: Message,
    pub(super) source: Source,
    manners: Manners,
    /// RSeq of the last reliable provisional; 0: none yet.
    pub(super) rseq: u32,
    pub(super) unpracked: Option<Unpracked>,
    pub(super) queue: VecDeque<(u16, Option<Bytes>)>,
    /// The user has accepted; the 2xx waits for a PRACK.
    pub(super) accepted: Option<Bytes>,
}

/// How provisionals are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manners {
    Plain,
    /// Both sides can.
    Reliable,
    /// The caller insists.
    ReliableOnly,
}

/// An INVITE that opens a session.
pub(super) struct Incoming {
    pub(super) tx: TxId,
    pub(super) message: Message,
    pub(super) source: Source,
    pub(super) account: Option<ProfileId>,
    pub(super) profile: Arc<Profile>,
    pub(super) replaces: Option<SessionId>,
}

impl Session {
    /// Judges an INVITE and rings the user. `None`: it has been answered.
    pub(super) fn invited(incoming: Incoming, cx: &mut Cx<'_>) -> Option<Self> {
        let Incoming { tx, message, source, account, profile, replaces } = incoming;
        let manners = match (profile.reliable, message.requires("100rel"), message.supports("100rel")) {
            (Reliable::Off, true, _) => return refuse(tx, &message, 420, Name::Unsupported, "100rel", cx),
            (Reliable::Required, false, false) => {
                return refuse(tx, &message, 421, Name::Require, "100rel", cx);
            }
            (Reliable::Supported | Reliable::Required, true, _) => Manners::ReliableOnly,
            (Reliable::Supported | Reliable::Required, false, true) => Manners::Reliable,
            (Reliable::Off | Reliable::Supported, false, _) => Manners::Plain,
        };
        let tag = Tag::draw(&mut cx.common.rng);
        let Some(dialog) = Dialog::from_request(&message, tag) else {
            cx.answer(tx, &message, 400);
            return None;
        };
        let id = SessionId(cx.common.fresh_id());
        let offer = sdp_of(&message);
        let seq = message.cseq().map_or(0, |cseq| cseq.number);
        let ringing = Ringing {
            tx,
            seq,
            request: message.clone(),
            source,
            manners,
            rseq: 0,
            unpracked: None,
            queue: VecDeque::new(),
            accepted: None,
        };
        let state = State::Ringing(Box::new(ringing));
        let mut session = Self::new(id, account, profile, tag, state);
        if let Grant::TooSmall(min_se) = session.refreshing.grant(&message) {
            return refuse(tx, &message, 422, Name::MinSe, min_se, cx);
        }
        let mut leg = Leg::new(0, dialog, false);
        leg.hear_abilities(&message);
        session.trickles = leg.takes_late || message.supports(info::PACKAGE);
        leg.their_sdp.clone_from(&offer);
        leg.exchange = if offer.is_some() { Exchange::Theirs } else { Exchange::Open };
        session.legs.push(leg);
        session.replaces = replaces;
        session.register(cx);
        cx.common.invites.insert(tx, id);
        cx.tell(News::Invited { session: id, profile: account, offer, replaces, message, source });
        Some(session)
    }

    pub(super) fn ring(&mut self, cx: &mut Cx<'_>) {
        self.say_provisional(180, None, cx);
    }

    pub(super) fn progress(&mut self, sdp: Bytes, cx: &mut Cx<'_>) {
        self.say_provisional(183, Some(sdp), cx);
    }

    pub(super) fn say_provisional(&mut self, status: u16, sdp: Option<Bytes>, cx: &mut Cx<'_>) {
        let State::Ringing(ringing) = &mut self.state else { return };
        if ringing.accepted.is_some() {
            return;
        }
        // An INVITE without an offer has ours in the first reliable response, or there is none. RFC 3261 section 13.2.1.
        let may = sdp.is_some() || self.legs[0].exchange != Exchange::Open;
        let reliably = match ringing.manners {
            Manners::Plain => false,
            Manners::Reliable => may,
            Manners::ReliableOnly if may => true,
            Manners::ReliableOnly => return,
        };
        if reliably && ringing.unpracked.is_some() {
            if ringing.queue.len() < MAX_QUEUE {
                ringing.queue.push_back((status, sdp));
            }
            return;
        }
        let tx = ringing.tx;
        // Unreliably there is no offer, and where all is agreed a description would be a new one.
        let sdp = match self.legs[0].exchange {
            Exchange::Theirs => sdp,
            Exchange::Open => sdp.filter(|_| reliably),
            Exchange::Ours | Exchange::Agreed => None,
        };
        let Some(mut response) = self.response(status, cx) else { return };
        let has_sdp = sdp.is_some();
        if let Some(sdp) = sdp {
            self.our_sdp = Some(sdp.clone());
            response.body(SDP, sdp);
        }
        if reliably {
            self.say_reliably(response, has_sdp, cx);
        } else {
            cx.respond(tx, response);
        }
    }

    pub(super) fn accept(&mut self, sdp: Bytes, cx: &mut Cx<'_>) {
        let State::Ringing(ringing) = &mut self.state else { return };
        let held = ringing.unpracked.as_ref().is_some_and(|waiting| waiting.has_sdp);
        if held || self.theirs.is_some() {
            ringing.accepted = Some(sdp);
            ringing.queue.clear();
            return;
        }
        let (tx, seq) = (ringing.tx, ringing.seq);
        self.late_rseq = ringing.unpracked.as_ref().map(|_| ringing.rseq);
        let Some(mut response) = self.response(200, cx) else { return };
        self.refreshing.push_grant(&mut response);
        let leg = &mut self.legs[0];
        let offers = leg.exchange == Exchange::Open;
        match leg.exchange {
            Exchange::Theirs | Exchange::Open => {
                leg.exchange = if offers { Exchange::Ours } else { Exchange::Agreed };
                self.our_sdp = Some(sdp.clone());
                response.body(SDP, sdp);
            }
            // Said and acknowledged before.
            Exchange::Agreed | Exchange::Ours => {}
        }
        self.state = State::Active;
        cx.common.timers.cancel(&Timer::Session(self.id, Alarm::Prack));
        let (since, interval) = (cx.now, T1);
        self.accept_with(Unacked { tx, seq, response, since, interval, first: true, offers }, cx);
        self.set_refresh(cx);
    }

    pub(super) fn reject(
        &mut self,
        status: u16,
        reason: &str,
        contacts: &[Uri],
        headers: &[(Name, String)],
        cx: &mut Cx<'_>,
    ) {
        let State::Ringing(ringing) = &self.state else { return };
        let tx = ringing.tx;
        let mut response = Draft::response_to(&ringing.request, status);
        if !reason.is_empty() {
            response.set_reason(reason);
        }
        common::add_to_tag(&mut response, &ringing.request, self.tag);
        common::push_server(&mut response, &self.profile);
        for contact in contacts {
            response.push(Name::Contact, format_args!("<{contact}>"));
        }
        for (name, value) in headers {
            response.push(*name, value);
        }
        let mut cause = Cause::of(status);
        if !reason.is_empty() {
            cause.text = reason.into();
        }
        cx.respond(tx, response);
        self.tell_end(Party::Us, cause, cx);
        self.over(cx);
    }

    /// A final response without ceremony; the user has been told why.
    pub(super) fn refuse_invite(&mut self, status: u16, cx: &mut Cx<'_>) {
        let State::Ringing(ringing) = &self.state else { return };
        let tx = ringing.tx;
        let mut response = Draft::response_to(&ringing.request, status);
        common::add_to_tag(&mut response, &ringing.request, self.tag);
        cx.respond(tx, response);
        self.over(cx);
    }

    /// CANCEL of their INVITE, or of a re-INVITE. RFC 3261 section 9.2.
    pub(super) fn on_cancel(&mut self, tx: TxId, invite: TxId, message: &Message, cx: &mut Cx<'_>) {
        let mut response = Draft::response_to(message, 200);
        common::add_to_tag(&mut response, message, self.tag);
        cx.respond(tx, response);
        match &self.state {
            State::Ringing(ringing) if ringing.tx == invite => {
                self.tell_end(Party::Them, Cause::read_or(message, 487), cx);
                self.refuse_invite(487, cx);
            }
            // Too late: the call is answered, and the caller will hang up.
            State::Active => self.reinvite_cancelled(invite, cx),
            State::Ringing(_) | State::Calling(_) | State::Cancelling(_) | State::Leaving | State::Over => {}
        }
    }

    /// A response that makes or confirms the dialog. RFC 3261 section 12.1.1: Record-Route goes back, Contact is ours.
    fn response(&self, status: u16, cx: &mut Cx<'_>) -> Option<Draft> {
        let State::Ringing(ringing) = &self.state else { return None };
        let mut response = Draft::response_to(&ringing.request, status);
        common::add_to_tag(&mut response, &ringing.request, self.tag);
        response.copy(&ringing.request, Name::RecordRoute);
        response.push(Name::Contact, cx.contact_for(&self.profile, &ringing.source));
        self.push_abilities(&mut response);
        info::push_packages(&mut response, &ringing.request);
        common::push_server(&mut response, &self.profile);
        Some(response)
    }
}

fn refuse<T>(
    tx: TxId,
    message: &Message,
    status: u16,
    name: Name,
    value: impl std::fmt::Display,
    cx: &mut Cx<'_>,
) -> Option<T> {
    let mut response = cx.response(message, status);
    response.push(name, value);
    cx.respond(tx, response);
    None
}
