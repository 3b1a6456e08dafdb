//! Who gets what: the uses of dialogs, and the way of each message, reply and alarm to one of them.
//!
//! RFC 3261 sections 8.2 and 12.2.2. A dialog is found by our own tag, which nobody else draws.

use std::collections::BTreeMap;

use base::Instant;

use super::common::{Cx, Party as DialogParty, Timer};
use super::news::{News, Outcome};
use super::profile::{ReferId, SessionId, SubscriptionId};
use super::request::{Fault, OutId, Owner, Reply};
use super::session::Session;
use super::subscription::Subscription;
use crate::dialog::Tag;
use crate::message::Message;
use crate::transaction::{Source, TxId, TxNews};

/// Everything that uses a dialog, or will.
#[derive(Debug, Default)]
pub(super) struct Uses {
    pub(super) sessions: BTreeMap<SessionId, Box<Session>>,
    pub(super) subscriptions: BTreeMap<SubscriptionId, Subscription>,
}

impl Uses {
    /// Does something to a session, and forgets it when that was its end. `None`: there is no such session.
    pub(super) fn session<R>(
        &mut self,
        id: SessionId,
        cx: &mut Cx<'_>,
        act: impl FnOnce(&mut Session, &mut Cx<'_>) -> R,
    ) -> Option<R> {
        let session = self.sessions.get_mut(&id)?;
        let result = act(session, cx);
        if session.is_over() {
            cx.common.dialogs.remove(&session.tag);
            session.bequeath(cx);
            self.sessions.remove(&id);
        }
        Some(result)
    }

    pub(super) fn subscription(
        &mut self,
        id: SubscriptionId,
        cx: &mut Cx<'_>,
        act: impl FnOnce(&mut Subscription, &mut Cx<'_>),
    ) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        act(subscription, cx);
        if subscription.is_over() {
            cx.common.timers.cancel(&Timer::Subscription(id));
            cx.common.dialogs.remove(&subscription.tag());
            self.subscriptions.remove(&id);
        }
    }

    /// Refreshes the subscriptions whose time comes until then.
    pub(super) fn refresh_along(&mut self, until: Instant, cx: &mut Cx<'_>) {
        let near = |id: &SubscriptionId| {
            cx.common.timers.get(&Timer::Subscription(*id)).is_some_and(|at| at <= until)
        };
        let due: Vec<SubscriptionId> = self.subscriptions.keys().copied().filter(near).collect();
        for id in due {
            self.subscription(id, cx, Subscription::again);
        }
    }

    /// Delivers until nothing is left to deliver: a reply may make a request, whose failure is a reply.
    pub(super) fn settle(&mut self, cx: &mut Cx<'_>) {
        loop {
            if !cx.common.tx_news.is_empty() {
                let mut batch = std::mem::take(&mut cx.common.tx_news);
                for news in batch.drain(..) {
                    self.on_tx_news(news, cx);
                }
                if cx.common.tx_news.is_empty() {
                    // Its memory is used again.
                    cx.common.tx_news = batch;
                }
            } else if let Some((out, owner, reply)) = cx.common.replies.pop_front() {
                self.on_reply(out, owner, reply, cx);
            } else {
                return;
            }
        }
    }

    fn on_tx_news(&mut self, news: TxNews, cx: &mut Cx<'_>) {
        match news {
            TxNews::Request { tx, message, source } => self.on_request(tx, message, source, cx),
            TxNews::Cancel { tx, invite, message, .. } => self.on_cancel(tx, invite, &message, cx),
            TxNews::Ack { message, .. } => {
                if let Some(DialogParty::Session(id)) = to_tag(&message).and_then(|tag| party(tag, cx)) {
                    self.session(id, cx, |session, cx| session.on_ack(&message, cx));
                }
            }
            TxNews::Response { tx, message, source } => cx.on_response(tx, message, source),
            TxNews::StrayResponse { message, .. } => {
                let tag = message.from().ok().and_then(|from| from.tag()).and_then(Tag::read);
                if let Some(DialogParty::Session(id)) = tag.and_then(|tag| party(tag, cx)) {
                    self.session(id, cx, |session, cx| session.on_stray_response(message, cx));
                }
            }
            TxNews::TimedOut { tx } => cx.on_fault(tx, Fault::NoAnswer),
            TxNews::Unreachable { tx } => cx.on_fault(tx, Fault::Unreachable),
            TxNews::Finished { tx } => {
                cx.common.invites.remove(&tx);
                cx.on_finished(tx);
            }
        }
    }

    fn on_request(&mut self, tx: TxId, message: Message, source: Source, cx: &mut Cx<'_>) {
        if !cx.admits(tx, &message, &source) {
            return;
        }
        if message.to().is_ok_and(|to| to.tag().is_none()) {
            return self.on_outside(tx, message, source, cx);
        }
        let Some(tag) = to_tag(&message) else { return cx.answer(tx, &message, 481) };
        match party(tag, cx) {
            // Who answers outside of the lane tells what is said in it.
            Some(DialogParty::Session(id)) if !self.is_of(id, &source, cx) => cx.answer(tx, &message, 481),
            Some(DialogParty::Session(id)) => {
                self.session(id, cx, |session, cx| session.on_request(tx, message, source, cx));
            }
            Some(DialogParty::Subscription(id)) => {
                self.subscription(id, cx, |subscription, cx| subscription.on_request(tx, &message, cx));
            }
            Some(DialogParty::Refers) => cx.on_refer_dialog(tag, tx, &message),
            None => cx.answer(tx, &message, 481),
        }
    }

    /// Whether a session is one of the lane that something came by.
    fn is_of(&self, session: SessionId, source: &Source, cx: &Cx<'_>) -> bool {
        let Some(session) = self.sessions.get(&session) else { return true };
        let profile = session.account.and_then(|account| cx.profile(account));
        profile.is_none_or(|profile| profile.network.lane() == cx.lane_of(source.flow))
    }

    fn on_cancel(&mut self, tx: TxId, invite: Option<TxId>, message: &Message, cx: &mut Cx<'_>) {
        let session = invite.and_then(|invite| Some((invite, *cx.common.invites.get(&invite)?)));
        let known = session.and_then(|(invite, id)| {
            self.session(id, cx, |session, cx| session.on_cancel(tx, invite, message, cx))
        });
        if known.is_none() {
            // The INVITE is known but settled: 200 says that the CANCEL was understood. RFC 3261 section 9.2.
            cx.answer(tx, message, if invite.is_some() { 200 } else { 481 });
        }
    }

    fn on_reply(&mut self, out: OutId, owner: Owner, reply: Reply, cx: &mut Cx<'_>) {
        match owner {
            Owner::Session(id, errand) if self.sessions.contains_key(&id) => {
                self.session(id, cx, |session, cx| session.on_reply(out, errand, reply, cx));
            }
            Owner::Session(..) => match reply {
                Reply::Response(message) => cx.acknowledge_again(out, &message),
                Reply::Final(..) | Reply::Again | Reply::Fault(_) => cx.forget(out),
            },
            // Challenged when it was over already.
            Owner::Subscription(id) if !self.subscriptions.contains_key(&id) => cx.forget(out),
            Owner::Subscription(id) => {
                self.subscription(id, cx, |subscription, cx| subscription.on_reply(out, &reply, cx));
            }
            Owner::User(request, profile) => {
                let (outcome, via) = match reply {
                    Reply::Again => return cx.resend_counted(out),
                    Reply::Response(..) => return,
                    Reply::Final(message, source) => (cx.outcome(profile, message), Some(source)),
                    Reply::Fault(Fault::NoAnswer) => (Outcome::NoAnswer, None),
                    Reply::Fault(Fault::Unreachable) => (Outcome::Unreachable, None),
                    Reply::Fault(Fault::NotFound) => (Outcome::NotFound, None),
                };
                cx.tell(News::Done { request, outcome, via });
            }
            Owner::Nobody => match reply {
                // Nobody's requests are BYEs to strays and last reports: they are authorized like others.
                Reply::Again => cx.resend_counted(out),
                Reply::Response(..) | Reply::Final(..) | Reply::Fault(_) => {}
            },
        }
    }

    pub(super) fn on_alarm(&mut self, timer: Timer, cx: &mut Cx<'_>) {
        match timer {
            Timer::Session(id, alarm) => {
                self.session(id, cx, |session, cx| session.on_alarm(alarm, cx));
            }
            Timer::Refer(refer) => cx.refer_is_late(refer),
            Timer::Subscription(id) => self.subscription(id, cx, Subscription::on_alarm),
            Timer::Race(id) => cx.race(id),
        }
    }

    /// Reports on a refer through whatever dialog it has.
    pub(super) fn report(&mut self, refer: ReferId, status: u16, reason: &str, cx: &mut Cx<'_>) {
        let alive = cx.session_of_refer(refer).filter(|id| self.sessions.contains_key(id));
        match alive {
            Some(id) => {
                self.session(id, cx, |session, cx| cx.report(refer, Some(session), status, reason));
            }
            None => {
                cx.report(refer, None, status, reason);
            }
        }
    }

    /// Hangs up the session that an accepted call has taken the place of. RFC 3891 section 3.
    pub(super) fn replace(&mut self, by: SessionId, cx: &mut Cx<'_>) {
        let replaced = self.sessions.get_mut(&by).and_then(|session| session.replaces.take());
        if let Some(id) = replaced {
            self.session(id, cx, Session::make_way);
        }
    }
}

fn to_tag(message: &Message) -> Option<Tag> {
    Tag::read(message.to().ok()?.tag()?)
}

fn party(tag: Tag, cx: &Cx<'_>) -> Option<DialogParty> {
    cx.common.dialogs.get(&tag).copied()
}
