//! One call leg: its dialogs, its state, and how it ends. What happens before the answer is in `invite_out` and `invite_in`.
//!
//! RFC 3261 sections 12.2, 13, 15. Each kind of change has a file of its own: `offer_answer`, `reliable`, `timer`, `transfer`.

use std::sync::Arc;
use std::time::Duration;

use base::Instant;
use bytes::Bytes;

use super::common::{ALLOW, Cx, PATIENCE, Party as DialogParty, T1, T2, Timer};
use super::info::About;
use super::invite_in::Ringing;
use super::invite_out::Calling;
use super::leg::{Exchange, Leg, repeat_ack};
use super::news::{Cause, News, Party};
use super::offer_answer::{OurOffer, TheirOffer};
use super::profile::{Profile, ProfileId, ReferId, Reliable, SessionId, Way};
use super::request::{OutId, Owner, Reply, Task};
use super::timer::Refreshing;
use crate::dialog::{Tag, Turn};
use crate::message::{Draft, Message, Method, Name, Replaces, Uri};
use crate::transaction::{Source, TxId};

/// What a request of a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    /// The first INVITE.
    Invite,
    /// INVITE or UPDATE in the dialog of that leg.
    Reoffer(u32),
    /// For the leg of that number.
    Prack(u32),
    Bye,
    Info(About),
    Refer(ReferId),
    Notify(ReferId),
}

/// What a session waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Alarm {
    /// To say a 2xx again, or to stop waiting for its ACK.
    Ack,
    /// To say a reliable provisional again, or to stop waiting for its PRACK.
    Prack,
    /// To try an offer again after glare.
    Glare,
    /// To refresh the session, or to find it expired.
    Refresh,
}

const ALARMS: [Alarm; 4] = [Alarm::Ack, Alarm::Prack, Alarm::Glare, Alarm::Refresh];

/// ```text
///     invite()                           INVITE
///        |                                 |
///        v                                 v
///   .---------.   2xx    .--------.     .---------.
///   | Calling |--------->| Active |<----| Ringing |   (accepted: Active, its 2xx `unacked` until ACK)
///   '---------'   ACK    '--------'     '---------'
///     |     | hang_up       |                |
///     |     v               | hang_up,       | reject, CANCEL, BYE
///     |  .------------. 2xx | expiry         |
///     |  | Cancelling |---. |                |
///     |  '------------'   v v                |
///     |     | 487     .---------.            |
///     |     |         | Leaving | BYE once the ACK is here
///     |     |         '---------'            |
///     |     |              | BYE answered    |
///     | 3xx-6xx            v                 |
///     '-----'--------> Over <----------------'    BYE from them: Active -> Over
/// ```
#[derive(Debug)]
pub(super) enum State {
    Calling(Box<Calling>),
    /// Given up by the user, but the INVITE is still out.
    Cancelling(Box<Calling>),
    Ringing(Box<Ringing>),
    Active,
    /// The user has been told of the end; the other side has not, or has not said so yet.
    Leaving,
    Over,
}

/// A 2xx of ours without its ACK yet. RFC 3261 section 13.3.1.4.
#[derive(Debug)]
pub(super) struct Unacked {
    pub(super) tx: TxId,
    pub(super) seq: u32,
    pub(super) response: Draft,
    pub(super) since: Instant,
    pub(super) interval: Duration,
    /// Of the first INVITE, not of a later one.
    pub(super) first: bool,
    /// It carried our offer: the ACK must bring the answer.
    pub(super) offers: bool,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: SessionId,
    /// `None`: a call to a name that none of our profiles has.
    pub(super) account: Option<ProfileId>,
    pub(super) profile: Arc<Profile>,
    pub(super) tag: Tag,
    pub(super) state: State,
    /// The dialog is the first; more only while calling.
    pub(super) legs: Vec<Leg>,
    /// Forks that answered after another had: each gets its ACK and BYE.
    pub(super) strays: Vec<Leg>,
    /// What late answers to our INVITE are made dialogs of.
    pub(super) seed: Option<crate::dialog::Seed>,
    /// Our description in force or last sent: what a refresh by re-INVITE repeats.
    pub(super) our_sdp: Option<Bytes>,
    pub(super) ours: Option<OurOffer>,
    pub(super) theirs: Option<TheirOffer>,
    pub(super) unacked: Option<Unacked>,
    pub(super) refreshing: Refreshing,
    /// Requests of ours without their last reply.
    pub(super) under_way: u32,
    /// Header fields for the BYE that waits for an ACK.
    pub(super) bye_headers: Vec<(Name, String)>,
    bye_sent: bool,
    /// RSeq of a reliable provisional that our 2xx has overtaken.
    pub(super) late_rseq: Option<u32>,
    /// Our side says that it takes late addresses.
    pub(super) trickles: bool,
    /// What this call takes the place of once it is accepted.
    pub(super) replaces: Option<SessionId>,
    /// The user knows that it is over: never told twice.
    told: bool,
}

impl Session {
    pub(super) fn new(
        id: SessionId,
        account: Option<ProfileId>,
        profile: Arc<Profile>,
        tag: Tag,
        state: State,
    ) -> Self {
        let refreshing = Refreshing::new(&profile);
        Self {
            id,
            account,
            profile,
            tag,
            state,
            legs: Vec::new(),
            strays: Vec::new(),
            seed: None,
            our_sdp: None,
            ours: None,
            theirs: None,
            unacked: None,
            refreshing,
            under_way: 0,
            bye_headers: Vec::new(),
            bye_sent: false,
            late_rseq: None,
            trickles: false,
            replaces: None,
            told: false,
        }
    }

    /// Whether the other side knows of the end, and has answered all that we asked.
    pub(super) fn is_settled(&self) -> bool {
        matches!(self.state, State::Over) && self.under_way == 0
    }

    /// Whether it can be forgotten: a 2xx of ours is still said again until its ACK.
    pub(super) fn is_over(&self) -> bool {
        self.is_settled() && self.unacked.is_none()
    }

    /// What Replaces must say to take this session's place; `None` while it has no dialog.
    pub(super) fn replaces_value(&self) -> Option<String> {
        self.legs.first().map(|leg| leg.dialog.replaces())
    }

    /// Whether an INVITE that names this session's dialog may take its place, or the status that says why not.
    /// RFC 3891 section 3.
    pub(super) fn may_be_replaced(&self, replaces: &Replaces<'_>) -> Result<(), u16> {
        let named = |leg: &Leg| {
            leg.dialog.call_id() == replaces.call_id && leg.dialog.remote_tag() == replaces.from_tag
        };
        if !self.legs.iter().any(named) {
            return Err(481);
        }
        match self.state {
            State::Active if replaces.early_only => Err(486),
            State::Active | State::Calling(_) => Ok(()),
            // An early dialog that the other side began is not ours to give away.
            State::Ringing(_) => Err(481),
            State::Cancelling(_) | State::Leaving | State::Over => Err(603),
        }
    }

    /// Another call has taken this one's place.
    pub(super) fn make_way(&mut self, cx: &mut Cx<'_>) {
        self.tell_end(Party::Us, Cause { status: 200, text: "Replaced".into(), q850: None }, cx);
        self.hang_up(&[], cx);
    }

    /// Whether both sides are in the call, as far as the user knows.
    pub(super) fn is_active(&self) -> bool {
        matches!(self.state, State::Active)
    }

    // ---- commands

    pub(super) fn hang_up(&mut self, headers: &[(Name, String)], cx: &mut Cx<'_>) {
        let cause = Cause::of(487);
        match std::mem::replace(&mut self.state, State::Over) {
            State::Calling(calling) => {
                self.tell_end(Party::Us, cause, cx);
                self.drop_our_offer(cx);
                if cx.cancel(calling.out, headers) {
                    self.state = State::Cancelling(calling);
                } else {
                    self.under_way -= 1;
                }
            }
            State::Ringing(ringing) => {
                self.state = State::Ringing(ringing);
                self.reject(603, "", &[], headers, cx);
            }
            State::Active => {
                self.tell_end(Party::Us, Cause::of(200), cx);
                self.leave(headers, cx);
            }
            State::Cancelling(calling) => self.state = State::Cancelling(calling),
            State::Leaving => self.state = State::Leaving,
            State::Over => {}
        }
    }

    // ---- ending

    /// Ends an active session: BYE now, or as soon as the ACK of our 2xx is here. RFC 3261 section 15.
    pub(super) fn leave(&mut self, headers: &[(Name, String)], cx: &mut Cx<'_>) {
        self.state = State::Leaving;
        self.drop_our_offer(cx);
        self.drop_their_offer(487, cx);
        for alarm in [Alarm::Glare, Alarm::Refresh] {
            cx.common.timers.cancel(&Timer::Session(self.id, alarm));
        }
        if self.unacked.is_some() {
            self.bye_headers = headers.to_vec();
        } else {
            self.bye(headers, cx);
        }
    }

    fn bye(&mut self, headers: &[(Name, String)], cx: &mut Cx<'_>) {
        self.bye_sent = true;
        if let Some(mut task) = self.in_dialog(&Method::Bye, Errand::Bye) {
            for (name, value) in headers {
                task.draft.push(*name, value);
            }
            self.send(task, cx);
        } else {
            self.over(cx);
        }
    }

    /// Nothing more is to be said, but a 2xx whose ACK is not here: a BYE does not say that it has arrived, and who waits
    /// for it may wait for ever. RFC 3261 sections 13.3.1.4 and 15.1.2.
    pub(super) fn over(&mut self, cx: &mut Cx<'_>) {
        self.drop_our_offer(cx);
        self.drop_their_offer(487, cx);
        self.state = State::Over;
        for alarm in ALARMS.into_iter().filter(|alarm| *alarm != Alarm::Ack || self.unacked.is_none()) {
            cx.common.timers.cancel(&Timer::Session(self.id, alarm));
        }
    }

    pub(super) fn tell_end(&mut self, by: Party, cause: Cause, cx: &mut Cx<'_>) {
        if !std::mem::replace(&mut self.told, true) {
            cx.tell(News::Ended { session: self.id, by, cause });
        }
    }

    pub(super) fn tell_failure(&mut self, failure: super::news::Failure, cx: &mut Cx<'_>) {
        if !std::mem::replace(&mut self.told, true) {
            cx.tell(News::Failed { session: self.id, failure });
        }
    }

    pub(super) fn tell(&self, news: News, cx: &mut Cx<'_>) {
        if !self.told {
            cx.tell(news);
        }
    }

    /// The dialog is lost (481, 408, silence): ended without anybody's wish. RFC 3261 section 12.2.1.2.
    pub(super) fn lost(&mut self, status: u16, cx: &mut Cx<'_>) {
        if !self.is_active() {
            return;
        }
        self.tell_end(Party::Network, Cause::of(status), cx);
        let reason = format!("SIP;cause={status};text=\"{}\"", crate::message::phrase(status));
        self.leave(&[(Name::Reason, reason)], cx);
    }

    // ---- requests from the other side

    /// A request in one of our dialogs, whose method we know.
    pub(super) fn on_request(&mut self, tx: TxId, message: Message, source: Source, cx: &mut Cx<'_>) {
        let Some(leg) = self.legs.iter().position(|leg| leg.dialog.owns_request(&message)) else {
            // A stray fork of which we are hanging up hangs up itself.
            let known = self.strays.iter().any(|leg| leg.dialog.owns_request(&message));
            let status = if known && message.method() == Method::Bye { 200 } else { 481 };
            return cx.answer(tx, &message, status);
        };
        let seq = message.cseq().map_or(0, |cseq| cseq.number);
        if self.legs[leg].dialog.hear(seq) == Turn::Late {
            return cx.answer(tx, &message, 500);
        }
        match message.method() {
            Method::Bye => self.on_bye(leg, tx, &message, cx),
            Method::Invite => self.on_reinvite(tx, message, source, cx),
            Method::Update => self.on_update(leg, tx, message, source, cx),
            Method::Prack => self.on_prack(tx, message, cx),
            Method::Info => self.on_info(tx, &message, cx),
            Method::Refer => self.on_refer(tx, message, source, cx),
            Method::Notify => cx.on_report(Some(self.id), tx, &message),
            Method::Options => {
                let response = super::outside::abilities(cx.response(&message, 200));
                cx.respond(tx, response);
            }
            Method::Message => super::outside::take_message(self.account, tx, message, cx),
            Method::Register
            | Method::Ack
            | Method::Cancel
            | Method::Subscribe
            | Method::Publish
            | Method::Other(_) => cx.answer(tx, &message, 405),
        }
    }

    fn on_bye(&mut self, leg: usize, tx: TxId, message: &Message, cx: &mut Cx<'_>) {
        cx.answer(tx, message, 200);
        match std::mem::replace(&mut self.state, State::Over) {
            // Only a fork gives up; the INVITE goes on. RFC 3261 section 15.1.2 leaves odd callees to us.
            State::Calling(calling) => {
                self.state = State::Calling(calling);
                self.legs.remove(leg);
            }
            State::Cancelling(calling) => self.state = State::Cancelling(calling),
            State::Ringing(ringing) => {
                self.state = State::Ringing(ringing);
                self.tell_end(Party::Them, Cause::read_or(message, 487), cx);
                self.refuse_invite(487, cx);
            }
            State::Active => {
                self.tell_end(Party::Them, Cause::read_or(message, 200), cx);
                self.over(cx);
            }
            // Both hang up at once: nothing is left to wait for but the answer to ours.
            State::Leaving | State::Over => self.over(cx),
        }
    }

    /// The ACK of a 2xx of ours.
    pub(super) fn on_ack(&mut self, message: &Message, cx: &mut Cx<'_>) {
        let seq = message.cseq().map_or(0, |cseq| cseq.number);
        let ours = self.legs.first().is_some_and(|leg| leg.dialog.owns_request(message));
        if !ours || self.unacked.as_ref().is_none_or(|unacked| unacked.seq != seq) {
            return;
        }
        let Some(unacked) = self.unacked.take() else { return };
        cx.common.timers.cancel(&Timer::Session(self.id, Alarm::Ack));
        let sdp = sdp_of(message).filter(|_| unacked.offers);
        if let (Some(sdp), Some(leg)) = (&sdp, self.legs.first_mut()) {
            leg.their_sdp = Some(sdp.clone());
        }
        if let Some(leg) = self.legs.first_mut() {
            leg.exchange = Exchange::Agreed;
        }
        if unacked.offers && !unacked.first {
            self.tell(News::Reanswered { session: self.id, sdp }, cx);
        } else {
            self.tell(News::Confirmed { session: self.id, sdp }, cx);
        }
        self.leave_if_wished(cx);
    }

    fn leave_if_wished(&mut self, cx: &mut Cx<'_>) {
        if matches!(self.state, State::Leaving) && !self.bye_sent {
            let headers = std::mem::take(&mut self.bye_headers);
            self.bye(&headers, cx);
        }
    }

    // ---- replies to our requests

    pub(super) fn on_reply(&mut self, out: OutId, errand: Errand, reply: Reply, cx: &mut Cx<'_>) {
        match &reply {
            Reply::Response(..) => {}
            Reply::Final(..) | Reply::Fault(_) => self.under_way -= 1,
            Reply::Again => return self.again(out, errand, cx),
        }
        match errand {
            Errand::Invite => self.on_invite_reply(out, reply, cx),
            Errand::Reoffer(leg) => self.on_reoffer_reply(out, leg, reply, cx),
            Errand::Bye => match reply {
                Reply::Final(..) | Reply::Fault(_) => self.over(cx),
                Reply::Response(..) | Reply::Again => {}
            },
            Errand::Info(about) => {
                if let Some(status) = final_status(&reply) {
                    self.info_done(about, status, cx);
                }
            }
            Errand::Prack(leg) => self.on_prack_reply(leg, &reply),
            Errand::Refer(refer) => {
                if let Some(status) = self.on_refer_reply(refer, &reply, cx) {
                    self.check_lost(status, cx);
                }
            }
            Errand::Notify(refer) => Self::on_notify_reply(refer, &reply, cx),
        }
    }

    /// 481 or silence to a request in the dialog: the other side has lost it. RFC 3261 section 12.2.1.2.
    pub(super) fn check_lost(&mut self, status: u16, cx: &mut Cx<'_>) {
        if matches!(status, 408 | 481) {
            self.lost(status, cx);
        }
    }

    /// A request is to be sent once more: with the dialog's next number, or the INVITE's own.
    fn again(&mut self, out: OutId, errand: Errand, cx: &mut Cx<'_>) {
        let seq = match (errand, &mut self.seed) {
            (Errand::Invite, Some(seed)) => {
                seed.seq += 1;
                let seq = seed.seq;
                // Forks of the attempt before are history.
                self.legs.clear();
                seq
            }
            (Errand::Prack(number) | Errand::Reoffer(number), _) => {
                match self.legs.iter_mut().find(|leg| leg.number == number) {
                    Some(leg) => leg.dialog.next_seq(),
                    None => return self.give_up(out, cx),
                }
            }
            _ => match self.legs.first_mut() {
                Some(leg) => leg.dialog.next_seq(),
                None => return self.give_up(out, cx),
            },
        };
        cx.resend(out, seq);
    }

    fn give_up(&mut self, out: OutId, cx: &mut Cx<'_>) {
        self.under_way -= 1;
        cx.forget(out);
    }

    // ---- time

    pub(super) fn on_alarm(&mut self, alarm: Alarm, cx: &mut Cx<'_>) {
        match alarm {
            Alarm::Ack => self.ack_is_late(cx),
            Alarm::Prack => self.prack_is_late(cx),
            Alarm::Glare => self.try_offer_again(cx),
            Alarm::Refresh => self.refresh_is_due(cx),
        }
    }

    fn ack_is_late(&mut self, cx: &mut Cx<'_>) {
        let Some(unacked) = &mut self.unacked else { return };
        if cx.now.since(unacked.since) >= PATIENCE {
            // RFC 3261 section 13.3.1.4: the dialog is confirmed, but the session is to be ended.
            self.unacked = None;
            if self.is_active() {
                self.lost(408, cx);
            } else {
                self.leave_if_wished(cx);
            }
            return;
        }
        cx.common.transactions.respond(unacked.tx, unacked.response.clone(), cx.now, cx.out);
        unacked.interval = (unacked.interval * 2).min(T2);
        let at = cx.now + unacked.interval;
        cx.common.timers.set(Timer::Session(self.id, Alarm::Ack), at.min(unacked.since + PATIENCE));
    }

    /// Sends a 2xx to an INVITE and watches for its ACK.
    pub(super) fn accept_with(&mut self, unacked: Unacked, cx: &mut Cx<'_>) {
        cx.respond(unacked.tx, unacked.response.clone());
        cx.common.timers.set(Timer::Session(self.id, Alarm::Ack), cx.now + T1);
        self.unacked = Some(unacked);
    }

    // ---- making requests

    /// A request in the session's dialog. `None` when there is no dialog.
    pub(super) fn in_dialog(&mut self, method: &Method, errand: Errand) -> Option<Task> {
        let (draft, next_hop) = self.legs.first_mut()?.dialog.request(method);
        Some(self.task(draft, next_hop, errand))
    }

    pub(super) fn task(&self, mut draft: Draft, next_hop: Uri, errand: Errand) -> Task {
        let contact = match draft.method() {
            Method::Invite | Method::Update | Method::Refer | Method::Subscribe | Method::Notify => {
                Some(self.profile.clone())
            }
            Method::Register
            | Method::Ack
            | Method::Bye
            | Method::Cancel
            | Method::Options
            | Method::Prack
            | Method::Info
            | Method::Message
            | Method::Publish
            | Method::Other(_) => None,
        };
        if !self.profile.user_agent.is_empty() && draft.method() != Method::Ack {
            draft.push(Name::UserAgent, &self.profile.user_agent);
        }
        let owner = Owner::Session(self.id, errand);
        Task { owner, account: self.account, draft, next_hop, contact, redirects: 0, way: Way::default() }
    }

    pub(super) fn send(&mut self, task: Task, cx: &mut Cx<'_>) -> OutId {
        self.under_way += 1;
        cx.send(task)
    }

    /// Says the ACK of the last 2xx, made if need be, with `sdp` as its body.
    pub(super) fn send_ack(&mut self, leg: usize, sdp: Option<Bytes>, cx: &mut Cx<'_>) {
        let Some(ack) = self.legs.get_mut(leg).and_then(|leg| leg.ack.as_mut()) else { return };
        if let Some(sdp) = sdp {
            ack.draft.body(SDP, sdp);
        }
        repeat_ack(ack, self.account, cx);
    }

    /// Supported, Allow and what else every INVITE and its 2xx say.
    pub(super) fn push_abilities(&self, draft: &mut Draft) {
        draft.push(Name::Allow, ALLOW);
        let supported = match self.profile.reliable {
            Reliable::Off => "199,replaces,timer",
            Reliable::Supported | Reliable::Required => "100rel,199,replaces,timer",
        };
        // RFC 8840 section 10.6.
        let late = if self.trickles { ",trickle-ice" } else { "" };
        draft.push(Name::Supported, format_args!("{supported}{late}"));
    }

    /// Whom our tag leads to.
    pub(super) fn register(&self, cx: &mut Cx<'_>) {
        cx.common.dialogs.insert(self.tag, DialogParty::Session(self.id));
    }
}

/// The only body an INVITE dialog negotiates with.
pub(super) const SDP: &str = "application/sdp";

/// The session description in a message.
pub(super) fn sdp_of(message: &Message) -> Option<Bytes> {
    (message.is_body(SDP) && !message.body().is_empty()).then(|| message.body_bytes())
}

/// Status of a last reply.
pub(super) fn final_status(reply: &Reply) -> Option<u16> {
    match reply {
        Reply::Final(message, _) => message.status(),
        Reply::Fault(fault) => Some(fault.status()),
        Reply::Response(..) | Reply::Again => None,
    }
}
