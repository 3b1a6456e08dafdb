//! Requests that come outside any dialog: who may ask what, and the plain answers.
//!
//! RFC 3261 sections 8.2 (server behaviour), 11 (OPTIONS), RFC 3428 (MESSAGE), RFC 3842 (message waiting), RFC 3891 (whom an
//! INVITE may replace). Calls themselves are `invite_in`'s.

use std::sync::Arc;

use base::{FlowId, NetworkId};

use super::common::{ALLOW, Cx, EXTENSIONS, METHODS, Party as DialogParty};
use super::dispatch::Uses;
use super::invite_in::Incoming;
use super::news::News;
use super::profile::{Profile, ProfileId, SessionId};
use super::session::{SDP, Session};
use super::sips;
use crate::dialog::{Dialog, Tag};
use crate::message::{Abilities, Draft, Message, Method, Name, Refusal};
use crate::transaction::{Source, TxId};

/// When to try again after 503 for want of room.
const BUSY_FOR: u32 = 5;

impl Cx<'_> {
    /// What every request must pass, in a dialog or not; `false`: it has been answered. RFC 3261 section 8.2.
    pub(super) fn admits(&mut self, tx: TxId, message: &Message, source: &Source) -> bool {
        if let Some(refusal) = sips::refusal(message, source.transport) {
            let (status, warning) = refusal.says();
            let mut response = self.response(message, status);
            if let Some(warning) = warning {
                response.push(Name::Warning, warning);
            }
            self.respond(tx, response);
            return false;
        }
        let negotiates = matches!(message.method(), Method::Invite | Method::Update | Method::Prack);
        // Other methods carry what they like: who takes the message judges it.
        let theirs = message.content_type().map_or("", |kind| kind.essence);
        let body = if negotiates { SDP } else { theirs };
        let can = Abilities { methods: METHODS, extensions: EXTENSIONS, bodies: &[body] };
        let refusal: Option<Refusal> = message.refusal().or_else(|| message.unable(&can));
        if let Some(refusal) = &refusal {
            self.refuse(tx, message, refusal);
        }
        refusal.is_none()
    }

    /// The profile that a request is addressed to, among those of the lane that it came by.
    fn addressed(&self, message: &Message, source: &Source) -> Option<ProfileId> {
        let lane = self.lane_of(source.flow);
        self.addressed_among(message, &|profile| profile.network.lane() == lane)
    }

    /// The lane of the network that a flow goes by.
    pub(super) fn lane_of(&self, flow: FlowId) -> Option<u32> {
        self.common.flows.network(flow).and_then(NetworkId::lane)
    }

    /// The profile that a request is addressed to: by its Contact's user part, else by its address of record.
    pub(super) fn addressed_among(
        &self,
        message: &Message,
        those: &dyn Fn(&Profile) -> bool,
    ) -> Option<ProfileId> {
        let uri = message.request_uri().ok()?;
        let user = uri.user_decoded();
        let find = |fits: &dyn Fn(&Profile) -> bool| {
            let mut accounts = self.common.accounts.iter();
            let found = accounts.find(|(_, account)| those(&account.profile) && fits(&account.profile));
            found.map(|(id, _)| *id)
        };
        find(&|profile| profile.contact_user == user && !user.is_empty()).or_else(|| {
            find(&|profile| {
                let aor = profile.aor.view();
                aor.user_decoded() == user && (uri.host.ip().is_some() || aor.host.equals(uri.host))
            })
        })
    }

    /// How to speak to someone who asked for none of our profiles: as the first of them, under the name asked for.
    fn manners_for(&self, profile: Option<ProfileId>, message: &Message) -> Arc<Profile> {
        if let Some(profile) = profile.and_then(|id| self.profile(id)) {
            return profile.clone();
        }
        let user = message.request_uri().ok().and_then(|uri| uri.user.map(str::to_owned)).unwrap_or_default();
        let mut profile = match self.common.accounts.values().next() {
            Some(account) => Profile::clone(&account.profile),
            None => super::common::anonymous(),
        };
        profile.contact_user = user;
        Arc::new(profile)
    }
}

/// What OPTIONS and some refusals tell about us. RFC 3261 section 11.2.
pub(super) fn abilities(mut response: Draft) -> Draft {
    response.push(Name::Allow, ALLOW);
    response.push(Name::Accept, SDP);
    response.push(Name::Supported, EXTENSIONS.join(","));
    response
}

/// MESSAGE: 200, and to the user. RFC 3428 section 7.
pub(super) fn take_message(profile: Option<ProfileId>, tx: TxId, message: Message, cx: &mut Cx<'_>) {
    cx.answer(tx, &message, 200);
    let text = |name| String::from_utf8_lossy(message.first(name).unwrap_or_default()).into_owned();
    let (from, content_type, body) = (text(Name::From), text(Name::ContentType), message.body_bytes());
    cx.tell(News::MessageReceived { profile, from, content_type, body, message });
}

impl Uses {
    /// A request without a To tag.
    pub(super) fn on_outside(&mut self, tx: TxId, message: Message, source: Source, cx: &mut Cx<'_>) {
        // RFC 3261 section 8.2.2.2: the same request by another way.
        if cx.common.transactions.is_merged(tx) {
            return cx.answer(tx, &message, 482);
        }
        match message.method() {
            Method::Invite => self.on_invite(tx, message, source, cx),
            Method::Options => {
                let response = abilities(cx.response(&message, 200));
                cx.respond(tx, response);
            }
            Method::Message => take_message(cx.addressed(&message, &source), tx, message, cx),
            Method::Notify => unsolicited(tx, message, &source, cx),
            Method::Refer => {
                let tag = Tag::draw(&mut cx.common.rng);
                let Some(dialog) = Dialog::from_request(&message, tag) else {
                    return cx.answer(tx, &message, 400);
                };
                let account = cx.addressed(&message, &source);
                if account.is_none() && cx.lane_of(source.flow).is_some() {
                    // Reports would be nobody's, and go by no lane.
                    return cx.answer(tx, &message, 404);
                }
                let profile = cx.manners_for(account, &message);
                cx.referred(None, account, profile, Some(dialog), tx, message, source);
            }
            // These live in dialogs only.
            Method::Bye | Method::Prack | Method::Update | Method::Info => cx.answer(tx, &message, 481),
            Method::Register
            | Method::Ack
            | Method::Cancel
            | Method::Subscribe
            | Method::Publish
            | Method::Other(_) => cx.answer(tx, &message, 405),
        }
    }

    fn on_invite(&mut self, tx: TxId, message: Message, source: Source, cx: &mut Cx<'_>) {
        if self.sessions.len() >= cx.common.config.max_sessions {
            let mut response = cx.response(&message, 503);
            response.push(Name::RetryAfter, BUSY_FOR);
            cx.respond(tx, response);
            return;
        }
        let replaces = match self.replaced(&message, cx) {
            Ok(replaces) => replaces,
            Err(status) => return cx.answer(tx, &message, status),
        };
        let account = cx.addressed(&message, &source);
        let profile = cx.manners_for(account, &message);
        let incoming = Incoming { tx, message, source, account, profile, replaces };
        if let Some(session) = Session::invited(incoming, cx) {
            self.sessions.insert(session.id, Box::new(session));
        }
    }

    /// Which of our sessions an INVITE wants to take over, or why it may not. RFC 3891 section 3.
    fn replaced(&self, message: &Message, cx: &Cx<'_>) -> Result<Option<SessionId>, u16> {
        if !message.has(Name::Replaces) {
            return Ok(None);
        }
        let replaces = message.replaces().map_err(|_| 400_u16)?;
        let party = Tag::read(replaces.to_tag).and_then(|tag| cx.common.dialogs.get(&tag));
        let Some(DialogParty::Session(id)) = party else { return Err(481) };
        let session = self.sessions.get(id).ok_or(481_u16)?;
        session.may_be_replaced(&replaces).map(|()| Some(*id))
    }
}

/// A NOTIFY nobody asked for: message waiting is worth hearing (RFC 3842 section 3 allows it by configuration).
fn unsolicited(tx: TxId, message: Message, source: &Source, cx: &mut Cx<'_>) {
    let Some(event) = message.event() else { return cx.answer(tx, &message, 489) };
    if event.package.eq_ignore_ascii_case("refer") {
        return cx.answer(tx, &message, 481);
    }
    if !event.package.eq_ignore_ascii_case("message-summary") {
        let mut response = cx.response(&message, 489);
        response.push(Name::AllowEvents, "refer,message-summary");
        cx.respond(tx, response);
        return;
    }
    let event = event.package.to_owned();
    cx.answer(tx, &message, 200);
    let profile = cx.addressed(&message, source);
    let content_type = message.text(Name::ContentType).unwrap_or_default().to_owned();
    let body = message.body_bytes();
    cx.tell(News::Unsolicited { profile, event, content_type, body, message });
}
