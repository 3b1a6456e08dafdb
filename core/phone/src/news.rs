//! What the agent tells, brought to the call, account or message it is about. Who may ring here is decided here.

use base::Redacted;
use bytes::Bytes;
use sip::message::{Message, Scheme, Uri};
use sip::transaction::Source;
use sip::ua::{News, Outcome, ProfileId, ReferId, SessionId};

use crate::call::{self, Asked, Call, Incoming, Outgoing, Parties};
use crate::desk::Desk;
use crate::identity::Invite;
use crate::phone::{Goodbye, Phone};
use crate::registration::Registration;
use crate::{
    Account, AccountId, CallId, Event, SeenAs, Side, Transfer, dial, identity, negotiate, reason, voicemail,
};

/// The phrase for callers whom the user does not want to hear now.
const DO_NOT_DISTURB: &str = "Do Not Disturb";

impl Phone {
    /// Acts on one piece of the agent's news.
    pub(crate) fn hear(&mut self, news: News) {
        match news {
            News::Done { request, outcome, via } => {
                if !self.text_done(request, &outcome) && !self.published(request, &outcome) {
                    for account in self.accounts.values_mut() {
                        account.done(request, &outcome, via, &mut self.desk);
                    }
                }
            }
            News::Proceeding { session, .. } if self.is_heir(session) => {}
            News::Answered { session, sdp, .. } if self.is_heir(session) => {
                self.tell_heir(session, |call, desk| call.taken_over(sdp, desk));
            }
            News::Failed { session, failure } if self.is_heir(session) => {
                self.tell_heir(session, |call, desk| call.heir_failed(&failure, desk));
            }
            News::Proceeding { session, status, reason, early, sdp, message } => {
                let sdp = (sdp, message.requires("100rel"));
                self.tell(session, |call, desk| call.proceeding(early, status, reason, sdp, desk));
            }
            News::Answered { session, early, sdp, message: _ } => {
                self.tell(session, |call, desk| call.answered(early, sdp, desk));
                self.now_up(session);
            }
            News::Failed { session, failure } => self.tell(session, |call, desk| call.failed(failure, desk)),
            News::Invited { session, profile, offer, replaces, message, source } => {
                let Some(account) = self.account_of(profile) else {
                    self.reject(session, 404);
                    return;
                };
                self.invited(account, session, offer, replaces, &message, source);
            }
            News::Confirmed { session, sdp } => self.tell(session, |call, desk| call.confirmed(sdp, desk)),
            News::Reoffered { session, offer, early: _ } => {
                self.tell(session, |call, desk| call.reoffered(offer, desk));
            }
            News::Reanswered { session, sdp } => self.tell(session, |call, desk| call.reanswered(sdp, desk)),
            News::ReofferFailed { session, status } => {
                self.tell(session, |call, desk| call.reoffer_failed(status, desk));
            }
            News::Referred { refer, session, to, referred_by, message: _ } => {
                self.referred(refer, session, to, referred_by);
            }
            News::ReferProgress { refer, session, status, reason: _, done } => {
                let told = self.call_and_desk(session);
                if let Some((stage, other)) =
                    told.and_then(|(call, desk)| call.refer_progress(refer, status, done, desk))
                {
                    self.transferred(session, stage, other);
                }
            }
            News::Ended { session, by, cause } => {
                self.tell(session, |call, desk| call.session_ended(by, &cause, desk));
            }
            News::MessageReceived { profile, from: _, content_type, body, message } => {
                self.text(profile, &content_type, &body, &message);
            }
            News::FlowDown { flow } => {
                for account in self.accounts.values_mut() {
                    account.flow_down(flow, &mut self.desk);
                }
            }
            News::InfoReceived { session, content_type, body } => {
                self.tell(session, |call, desk| call.informed(&content_type, &body, desk));
            }
            News::InfoDone { session, status } => {
                self.tell(session, |call, desk| call.info_done(status, desk));
            }
            News::Trickled { session, fragment } => {
                self.tell(session, |call, desk| call.trickled(&fragment, desk));
            }
            News::TrickleDone { session, status } => {
                self.tell(session, |call, desk| call.trickle_done(status, desk));
            }
            News::Notified { subscription, state, status, body, .. } => {
                if self.presence.notified(subscription, (&state, status), &body, &mut self.desk) {
                    return;
                }
                for registration in self.accounts.values_mut() {
                    registration.notified(subscription, &state, &body, &mut self.desk);
                }
            }
            News::Unsolicited { profile: Some(profile), event, body, .. } => {
                let id = AccountId(profile.0);
                if let Some(account) = self.accounts.get(&id) {
                    voicemail::unsolicited(id, account.account(), &event, &body, &mut self.desk);
                }
            }
            News::Unsolicited { profile: None, .. } | News::FlowUp { .. } => {}
        }
    }

    /// Somebody calls.
    fn invited(
        &mut self,
        account: AccountId,
        session: SessionId,
        offer: Option<Bytes>,
        replaces: Option<SessionId>,
        message: &Message,
        source: Source,
    ) {
        if let Some(status) = self.take_declined(account, message) {
            self.reject(session, status);
            return;
        }
        let announced = self.take_announced(account, message);
        let Some(settings) = self.accounts.get(&account).map(Registration::account) else { return };
        let replaces = replaces.and_then(|old| {
            self.calls.iter().find(|(_, call)| call.session() == Some(old)).map(|(id, _)| *id)
        });
        if replaces.and_then(|old| self.calls.get(&old)).is_some_and(Call::goes_first) {
            return self.reject(session, 491);
        }
        let secure = source.transport.is_secure();
        let secrecy = call::secrecy(settings, secure);
        let look = match &offer {
            Some(offer) => negotiate::first_look(offer, &settings.codecs, secrecy),
            None if secrecy.is_possible() => Ok(None),
            None => Err(negotiate::Disagreement::KeysInClear),
        };
        let refusal = match (replaces, look) {
            (Some(_), Ok(_)) => self.no_room(1),
            (None, Ok(_)) => self.turn_away(settings),
            (_, Err(_)) => Some((488, None)),
        };
        let by_provider = self.accounts.get(&account).is_some_and(|it| it.is_way(&source));
        let invite = Invite { message, by_provider, wall: self.desk.wall() };
        let (caller, open) = identity::caller(&invite, &settings.stir, &mut self.desk.shelf, self.desk.now);
        let blocked = replaces.is_none().then_some(caller.as_ref()).flatten();
        let blocked = blocked.and_then(|it| self.blocked.refusal(&it.uri, Some(&it.identity)));
        let refusal = blocked.map(|(status, _)| (status, None)).or(refusal);
        let id = announced.as_ref().map_or_else(|| self.call_ids.draw(), Call::id);
        let parties = Parties {
            id,
            account,
            settings,
            side: Side::In,
            secure,
            identity: caller.as_ref().map(|caller| caller.identity.clone()),
            remote: caller.as_ref().map_or_else(String::new, |caller| caller.uri.clone()),
            name: caller.and_then(|caller| caller.name),
        };
        match refusal {
            None => {
                // Who checks ways finds one from where signalling comes, whatever address the offer names for others.
                let checks = settings.nat.ice && offer.as_deref().is_some_and(negotiate::has_candidates);
                let toward = look.ok().flatten().filter(|_| !checks).or(Some(source.remote.ip()));
                let network = self.network_of(account).unwrap_or_default();
                let answered = announced.as_ref().is_some_and(Call::is_answered_early);
                let incoming = Incoming { session, offer, toward, network, replaces, answered };
                let call = Call::incoming(parties, incoming, announced, &mut self.desk);
                self.calls.insert(id, call);
                if open.waits {
                    self.wish(id, &invite, open);
                }
            }
            Some((status, contact)) => {
                let phrase = if status == 480 { DO_NOT_DISTURB } else { "" };
                let Desk { agent, now, orders, .. } = &mut self.desk;
                agent.reject(session, status, phrase, contact.as_slice(), &[], *now, orders);
                let why = match (blocked, look) {
                    (Some((_, why)), _) => why,
                    (None, Err(why)) => reason::of_disagreement(why),
                    (None, Ok(_)) => reason::of_refusal(Side::In, status),
                };
                match announced {
                    Some(mut call) => call.never_came(status, why, &mut self.desk),
                    None => Call::turned_away(parties, (status, why), offer.as_ref(), &mut self.desk),
                }
            }
        }
    }

    /// The status that the user has declined this call with before it came.
    fn take_declined(&mut self, account: AccountId, message: &Message) -> Option<u16> {
        let now = self.desk.now;
        self.declined.retain(|declined| declined.until > now);
        let at = self.declined.iter().position(|declined| declined.announcement.is_of(account, message))?;
        Some(self.declined.remove(at).status)
    }

    /// The call that was announced and is this one.
    fn take_announced(&mut self, account: AccountId, message: &Message) -> Option<Call> {
        let is_it = |call: &Call| call.announcement().is_some_and(|it| it.is_of(account, message));
        let id = self.calls.iter().find(|(_, call)| is_it(call)).map(|(id, _)| *id)?;
        self.calls.remove(&id)
    }

    /// Why a caller does not get to ring, if so: the status, and where to go instead.
    ///
    /// Do not disturb is 480, which RFC 3261 section 21.4.18 names it for; 486 would say that we talk to somebody. A phone
    /// that is leaving is as little to be disturbed.
    pub(crate) fn turn_away(&self, settings: &Account) -> Option<(u16, Option<Uri>)> {
        if self.do_not_disturb || self.goodbye != Goodbye::NotSaid {
            return Some((480, None));
        }
        let elsewhere = self.forward_to.as_ref().and_then(|to| dial::dial(to.reveal(), &settings.uri).ok());
        if elsewhere.is_some() {
            return Some((302, elsewhere));
        }
        if !self.config.call_waiting && !self.calls.is_empty() {
            return Some((486, None));
        }
        self.no_room(0)
    }

    fn no_room(&self, more: usize) -> Option<(u16, Option<Uri>)> {
        (self.calls.len() >= self.config.max_calls + more).then_some((486, None))
    }

    /// We are asked to call somebody. Followed within a call that is up, as every desk phone does; outside of one a
    /// stranger could make us ring anybody at our cost.
    fn referred(&mut self, refer: ReferId, session: Option<SessionId>, to: Uri, by: Option<String>) {
        let in_call = session
            .and_then(|session| {
                self.calls.iter().find(|(_, call)| call.session() == Some(session) && call.is_up())
            })
            .and_then(|(id, call)| Some((*id, call.account(), self.accounts.get(&call.account())?)));
        let refusal = match to.view().scheme {
            Scheme::Other => Some(416),
            Scheme::Sip | Scheme::Sips | Scheme::Tel => self.no_room(0).map(|(status, _)| status),
        };
        let (Some((in_call, account, registration)), None) = (in_call, refusal) else {
            let status = refusal.unwrap_or(403);
            self.desk.agent.refuse_refer(refer, status, self.desk.now, &mut self.desk.orders);
            return;
        };
        let to = match to.view().scheme {
            Scheme::Tel => dial::dial(to.as_str(), &registration.account().uri).unwrap_or(to),
            Scheme::Sip | Scheme::Sips | Scheme::Other => to,
        };
        self.desk.agent.accept_refer(refer, self.desk.now, &mut self.desk.orders);
        let id = self.call_ids.draw();
        let asked = Some(Asked { refer, in_call, referred_by: by });
        let outgoing = Outgoing {
            toward: registration.toward(),
            network: registration.network().unwrap_or_default(),
            secure: registration.is_secure(&to),
            to,
            asked,
            seen_as: SeenAs::default(),
        };
        let account = (account, registration.account());
        self.calls.insert(id, Call::outgoing(id, account, outgoing, &mut self.desk));
    }

    /// A transfer that we asked for moves: done, both calls are no longer ours; failed, the other one is again.
    fn transferred(&mut self, session: SessionId, stage: Transfer, other: Option<CallId>) {
        let other = other.and_then(|other| self.calls.get_mut(&other));
        match stage {
            Transfer::Done => {
                if let Some(other) = other {
                    other.hang_up(&mut self.desk);
                }
                self.tell(session, Call::hang_up);
            }
            Transfer::Failed(_) => {
                if let Some(other) = other {
                    other.hand_over(false);
                }
            }
            Transfer::Asking | Transfer::Trying | Transfer::Ringing => {}
        }
    }

    /// A call of ours was answered: the others make room for it.
    fn now_up(&mut self, session: SessionId) {
        let up: Option<CallId> = self
            .calls
            .iter()
            .find(|(_, call)| call.session() == Some(session) && call.is_talking())
            .map(|(id, _)| *id);
        if let Some(up) = up {
            self.hold_others(up);
        }
    }

    fn text(&mut self, profile: Option<ProfileId>, content_type: &str, body: &[u8], message: &Message) {
        let Some(account) = self.account_of(profile) else { return };
        if !content_type.trim_start().get(..10).is_some_and(|kind| kind.eq_ignore_ascii_case("text/plain")) {
            return;
        }
        let from = message.from().ok();
        if self.texts.heard.is_repeated(message, body) {
            return;
        }
        if from.is_some_and(|from| self.blocked.has(from.uri_text())) {
            return;
        }
        self.desk.event(Event::Message {
            account,
            from: Redacted::new(from.map_or_else(String::new, |from| from.uri_text().to_owned())),
            name: from.and_then(|from| from.display()).map(|name| Redacted::new(name.into_owned())),
            text: Redacted::new(String::from_utf8_lossy(body).into_owned()),
        });
    }

    fn account_of(&self, profile: Option<ProfileId>) -> Option<AccountId> {
        profile.map(|profile| AccountId(profile.0)).filter(|id| self.accounts.contains_key(id))
    }

    fn reject(&mut self, session: SessionId, status: u16) {
        self.desk.agent.reject(session, status, "", &[], &[], self.desk.now, &mut self.desk.orders);
    }

    fn call_and_desk(&mut self, session: SessionId) -> Option<(&mut Call, &mut Desk)> {
        let call = self.calls.values_mut().find(|call| call.session() == Some(session))?;
        Some((call, &mut self.desk))
    }

    fn is_heir(&self, session: SessionId) -> bool {
        self.calls.values().any(|call| call.is_heir(session))
    }

    /// Tells the call whose place that session is to take.
    fn tell_heir(&mut self, session: SessionId, act: impl FnOnce(&mut Call, &mut Desk)) {
        if let Some(call) = self.calls.values_mut().find(|call| call.is_heir(session)) {
            act(call, &mut self.desk);
        }
    }

    fn tell(&mut self, session: SessionId, act: impl FnOnce(&mut Call, &mut Desk)) {
        if let Some((call, desk)) = self.call_and_desk(session) {
            act(call, desk);
        }
    }
}

/// The status of a request's end, and whether it was made up here.
pub(crate) fn status_of(outcome: &Outcome) -> (u16, bool) {
    match outcome {
        Outcome::Final(message) | Outcome::CannotAuthorize(message) => {
            (message.status().unwrap_or(500), false)
        }
        Outcome::NoAnswer => (408, true),
        Outcome::NotFound => (404, true),
        Outcome::Unreachable => (503, true),
    }
}
