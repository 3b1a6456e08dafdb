//! Single requests outside dialogs, and bytes on their way in.
//!
//! RFC 3261 sections 8.1.1 (what every request carries) and 10.2 (one Call-ID for the registrations of an account).

use std::net::SocketAddr;
use std::sync::Arc;

use base::FlowId;
use bytes::Bytes;

use super::common::{self, ALLOW, Cx};
use super::news::Outcome;
use super::profile::{Profile, ProfileId, RequestId, Way};
use super::request::{OutId, Owner, Task};
use crate::dialog::Tag;
use crate::message::{CSeq, Draft, Malformed, Message, Method, Name, Uri};

impl Cx<'_> {
    /// Fills in what is absent and sends.
    pub(super) fn request(&mut self, request: RequestId, profile: ProfileId, mut draft: Draft, way: Way) {
        let mut speaker = self.common.speaker(profile);
        if let Some(first_hop) = &way.first_hop {
            Arc::make_mut(&mut speaker).proxy = Some(first_hop.clone());
        }
        let method = draft.method();
        let target: Uri = draft.request_uri().parse().unwrap_or_else(|_| speaker.aor.clone());
        let next_hop = match draft
            .first(Name::Route)
            .and_then(|route| crate::message::NameAddr::read(route).ok().map(|route| route.uri().to_uri()))
        {
            Some(first) => first,
            None => common::push_first_route(&mut draft, &speaker, &target),
        };
        fill(&mut draft, Name::MaxForwards, || "70".into());
        if !draft.has(Name::From) {
            let tag = Tag::draw(&mut self.common.rng);
            draft.push(Name::From, tag.append(&common::from_value(&speaker)));
        }
        let to = if method == Method::Register { &speaker.aor } else { &target };
        fill(&mut draft, Name::To, || format!("<{to}>"));
        if !draft.has(Name::CallId) {
            let (call_id, seq) = match self.common.accounts.get_mut(&profile) {
                Some(account) if method == Method::Register => {
                    account.registration.1 += 1;
                    (account.registration.0.clone(), account.registration.1)
                }
                Some(_) | None => (self.common.fresh_call_id(), 1),
            };
            draft.push(Name::CallId, call_id);
            fill(&mut draft, Name::CSeq, || format!("{seq} {method}"));
        }
        fill(&mut draft, Name::CSeq, || format!("1 {method}"));
        if method == Method::Options || method == Method::Register {
            fill(&mut draft, Name::Allow, || ALLOW.into());
        }
        if !speaker.user_agent.is_empty() {
            fill(&mut draft, Name::UserAgent, || speaker.user_agent.clone());
        }
        let has_one =
            matches!(method, Method::Register | Method::Options | Method::Refer | Method::Subscribe);
        let contact = (has_one && !draft.has(Name::Contact)).then(|| speaker.clone());
        let redirects = self.common.config.max_redirects;
        self.send(Task {
            owner: Owner::User(request, profile),
            account: Some(profile),
            draft,
            next_hop,
            contact,
            redirects,
            way,
        });
    }

    /// Sends once more under the number after its last; registrations of an account count together.
    pub(super) fn resend_counted(&mut self, out: OutId) {
        let Some((draft, account)) = self.common.requests.draft_of(out) else { return };
        let last = draft.first(Name::CSeq).and_then(|text| CSeq::read(text).ok()).map_or(0, |c| c.number);
        let call_id = draft.first(Name::CallId).unwrap_or_default();
        let account = account.and_then(|id| self.common.accounts.get_mut(&id));
        let seq = match account.filter(|account| account.registration.0.as_bytes() == call_id) {
            Some(account) => {
                account.registration.1 = account.registration.1.max(last) + 1;
                account.registration.1
            }
            None => last + 1,
        };
        self.resend(out, seq);
    }

    /// What a final response means to the user.
    pub(super) fn outcome(&self, profile: ProfileId, message: Message) -> Outcome {
        let challenged = matches!(message.status(), Some(401 | 407));
        let account = self.common.accounts.get(&profile);
        let penniless = account.is_none_or(|account| account.profile.credentials.is_empty());
        if challenged && penniless { Outcome::CannotAuthorize(message) } else { Outcome::Final(message) }
    }

    /// A datagram, or a chunk of a stream.
    pub(super) fn receive(&mut self, flow: FlowId, from: SocketAddr, bytes: &[u8]) {
        match self.common.flows.is_stream(flow) {
            Some(false) => self.read(flow, from, Bytes::copy_from_slice(bytes)),
            Some(true) => {
                self.common.flows.push_chunk(flow, bytes);
                while let Some(message) = self.common.flows.next_framed(flow, from, self.out) {
                    self.read(flow, from, message);
                }
            }
            None => {}
        }
    }

    fn read(&mut self, flow: FlowId, from: SocketAddr, bytes: Bytes) {
        let Some(source) = self.common.flows.source(flow, from) else { return };
        match Message::read(bytes) {
            Ok(message) if !self.is_in_its_lane(&message, flow) => self.common.misplaced += 1,
            Ok(message) => {
                let common = &mut *self.common;
                common.transactions.received(message, source, self.now, self.out, &mut common.tx_news);
            }
            // A keepalive in a datagram.
            Err(Malformed::Empty) => {}
            Err(_) => self.common.malformed += 1,
        }
    }

    /// Whether a request came by the lane of whom it is for, or by none where he has none: elsewhere it is not even answered.
    /// Where all are in lanes, strangers are not spoken to outside of them. Responses find what they answer by flow.
    fn is_in_its_lane(&self, message: &Message, flow: FlowId) -> bool {
        let came_by = self.lane_of(flow);
        let mut lanes = self.common.accounts.values().map(|account| account.profile.network.lane());
        if message.status().is_some() || (came_by.is_none() && !lanes.clone().any(|lane| lane.is_some())) {
            return true;
        }
        let here = |profile: &Profile| profile.network.lane() == came_by;
        self.addressed_among(message, &here).is_some()
            || (self.addressed_among(message, &|profile| !here(profile)).is_none()
                && (came_by.is_some() || lanes.any(|lane| lane.is_none())))
    }
}

fn fill(draft: &mut Draft, name: Name, value: impl FnOnce() -> String) {
    if !draft.has(name) {
        draft.push(name, value());
    }
}
