//! REFER both ways: asking the other side to call somebody, being asked, and the reports that follow.
//!
//! RFC 3515 (REFER and its implicit subscription), RFC 3892 (Referred-By), RFC 5589 (transfer), RFC 4488 (`Refer-Sub: false`).
//! A report may outlive its call: then the refer keeps the dialog, as RFC 5057 has several uses share one.

use std::sync::Arc;
use std::time::Duration;

use super::common::{self, Cx, Party as DialogParty, Timer};
use super::news::{News, ReferTo};
use super::profile::{Profile, ProfileId, ReferId, SessionId, Way};
use super::request::{Owner, Reply, Task};
use super::session::{Errand, Session, final_status};
use crate::dialog::{Dialog, Tag, Turn};
use crate::message::{Draft, Message, Method, Name, NameAddr, escape_value, fragment_status, phrase};
use crate::transaction::{Source, TxId};

/// Refers under way at once in an agent; one more of theirs is refused.
const MAX_REFERS: usize = 32;

/// How long a report may stay away. RFC 3515 section 2.4.4 leaves it to the one who reports; a phone rings for three minutes.
const LIFE: Duration = Duration::from_secs(300);

/// One REFER until its last report.
#[derive(Debug)]
pub(super) struct Refer {
    session: Option<SessionId>,
    account: Option<ProfileId>,
    profile: Arc<Profile>,
    /// Of its own, when there is no session (any more).
    pub(super) dialog: Option<Dialog>,
    side: Side,
}

#[derive(Debug)]
enum Side {
    /// We have asked: `seq` is the REFER's CSeq number, which reports name.
    Ours { seq: u32, status: u16 },
    /// They have asked, and the user has not decided.
    Asked { tx: TxId, message: Message, source: Source },
    /// Accepted: we report. `silent`: they want no reports.
    Reporting { seq: u32, silent: bool },
}

impl Session {
    pub(super) fn refer(&mut self, refer: ReferId, to: &ReferTo, replaces: Option<&str>, cx: &mut Cx<'_>) {
        let session = self.id;
        let Some(mut task) =
            self.in_dialog(&Method::Refer, Errand::Refer(refer)).filter(|_| self.is_active())
        else {
            let reason = phrase(481).to_owned();
            return cx.tell(News::ReferProgress { refer, session, status: 481, reason, done: true });
        };
        match replaces {
            Some(replaces) => {
                let joint = if to.to.view().headers.is_some() { '&' } else { '?' };
                let replaces = escape_value(replaces);
                task.draft.push(Name::ReferTo, format_args!("<{}{joint}Replaces={replaces}>", to.to));
            }
            None => {
                task.draft.push(Name::ReferTo, format_args!("<{}>", to.to));
            }
        }
        task.draft.push(Name::ReferredBy, format_args!("<{}>", self.profile.aor));
        let seq = task.draft.first(Name::CSeq).and_then(|text| crate::message::CSeq::read(text).ok());
        let side = Side::Ours { seq: seq.map_or(0, |cseq| cseq.number), status: 100 };
        let (account, profile) = (self.account, self.profile.clone());
        let ours = Refer { session: Some(session), account, profile, dialog: None, side };
        cx.common.refers.insert(refer, ours);
        cx.common.timers.set(Timer::Refer(refer), cx.now + LIFE);
        self.send(task, cx);
    }

    /// The answer to the REFER itself; gives its status when it failed.
    pub(super) fn on_refer_reply(&mut self, refer: ReferId, reply: &Reply, cx: &mut Cx<'_>) -> Option<u16> {
        let status = final_status(reply)?;
        if let Reply::Final(message, _) = reply
            && status < 300
        {
            // An authorized repetition has another number than the first attempt.
            if let Some(Refer { side: Side::Ours { seq, .. }, .. }) = cx.common.refers.get_mut(&refer) {
                *seq = message.cseq().map_or(*seq, |cseq| cseq.number);
            }
            return None;
        }
        if cx.drop_refer(refer) {
            let reason = match reply {
                Reply::Final(message, _) => message.reason_phrase().to_owned(),
                Reply::Fault(_) | Reply::Response(..) | Reply::Again => phrase(status).to_owned(),
            };
            cx.tell(News::ReferProgress { refer, session: self.id, status, reason, done: true });
        }
        Some(status)
    }

    /// REFER inside the call.
    pub(super) fn on_refer(&mut self, tx: TxId, message: Message, source: Source, cx: &mut Cx<'_>) {
        if !self.is_active() {
            return cx.answer(tx, &message, 603);
        }
        let (account, profile) = (self.account, self.profile.clone());
        cx.referred(Some(self.id), account, profile, None, tx, message, source);
    }

    pub(super) fn on_notify_reply(refer: ReferId, reply: &Reply, cx: &mut Cx<'_>) {
        // Nobody listens to this report any more; that says nothing of the call. RFC 5057 section 5.2.
        if final_status(reply) == Some(481) {
            cx.drop_refer(refer);
        }
    }

    /// Hands the dialog to reports that outlive the call.
    pub(super) fn bequeath(&self, cx: &mut Cx<'_>) {
        for leg in self.legs.iter().chain(&self.strays) {
            if let Some(ack) = &leg.ack {
                cx.common.requests.inherit(self.id, leg.dialog.remote_tag(), ack);
            }
        }
        let Some(leg) = self.legs.first() else { return };
        for refer in cx.common.refers.values_mut().filter(|refer| refer.session == Some(self.id)) {
            refer.dialog = Some(leg.dialog.clone());
            cx.common.dialogs.insert(self.tag, DialogParty::Refers);
        }
    }
}

impl Cx<'_> {
    /// NOTIFY on a REFER of ours, in a call or after it.
    pub(super) fn on_report(&mut self, session: Option<SessionId>, tx: TxId, message: &Message) {
        let Some(event) = message.event() else { return self.answer(tx, message, 489) };
        if !event.package.eq_ignore_ascii_case("refer") {
            return self.answer(tx, message, 489);
        }
        let id: Option<u32> = event.id.and_then(|id| id.parse().ok());
        let call_id = message.call_id().unwrap_or_default();
        let found = self.common.refers.iter_mut().rev().find_map(|(refer, candidate)| {
            let Side::Ours { seq, status } = &mut candidate.side else { return None };
            let here = match &candidate.dialog {
                Some(dialog) => dialog.call_id() == call_id,
                None => session.is_some() && candidate.session == session,
            };
            (here && id.is_none_or(|id| id == *seq)).then_some((*refer, candidate.session?, status))
        });
        let Some((refer, session, status)) = found else { return self.answer(tx, message, 481) };
        let fragment = fragment_status(message.body());
        if let Some((told, _)) = fragment {
            *status = told;
        }
        let status = *status;
        let reason = fragment.map_or(phrase(status), |(_, reason)| reason).to_owned();
        let done =
            message.subscription_state().is_some_and(|state| state.state.eq_ignore_ascii_case("terminated"));
        self.answer(tx, message, 200);
        if done {
            self.drop_refer(refer);
        }
        self.tell(News::ReferProgress { refer, session, status, reason, done });
    }

    /// A REFER to us. `dialog`: of its own, outside any call.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn referred(
        &mut self,
        session: Option<SessionId>,
        account: Option<ProfileId>,
        profile: Arc<Profile>,
        dialog: Option<Dialog>,
        tx: TxId,
        message: Message,
        source: Source,
    ) {
        // RFC 3515 section 2.4.2: exactly one Refer-To, and one that can be called.
        let to = match message.all(Name::ReferTo).collect::<Vec<_>>()[..] {
            [value] => NameAddr::read(value).ok().map(|to| to.uri().to_uri()),
            _ => None,
        };
        let Some(to) = to else { return self.answer(tx, &message, 400) };
        if self.common.refers.len() >= MAX_REFERS {
            return self.answer(tx, &message, 503);
        }
        let refer = ReferId(self.common.fresh_id());
        let referred_by = message.text(Name::ReferredBy).map(str::to_owned);
        if let Some(dialog) = &dialog {
            self.common.dialogs.insert(dialog.local_tag(), DialogParty::Refers);
        }
        let side = Side::Asked { tx, message: message.clone(), source };
        self.common.refers.insert(refer, Refer { session, account, profile, dialog, side });
        self.common.timers.set(Timer::Refer(refer), self.now + LIFE);
        self.tell(News::Referred { refer, session, to, referred_by, message });
    }

    /// The user calls: 202, and the first report. Gives the session whose dialog carries it.
    pub(super) fn accept_refer(&mut self, id: ReferId) -> bool {
        let Some(refer) = self.common.refers.get_mut(&id) else { return false };
        if !matches!(refer.side, Side::Asked { .. }) {
            return false;
        }
        let seq_placeholder = Side::Reporting { seq: 0, silent: false };
        let Side::Asked { tx, message, source } = std::mem::replace(&mut refer.side, seq_placeholder) else {
            return false;
        };
        let seq = message.cseq().map_or(0, |cseq| cseq.number);
        let silent = message.text(Name::ReferSub).is_some_and(|value| value.eq_ignore_ascii_case("false"));
        refer.side = Side::Reporting { seq, silent };
        let (profile, tag) = (refer.profile.clone(), refer.dialog.as_ref().map(Dialog::local_tag));
        let mut response = refer_response(&message, 202, tag);
        response.push(Name::Contact, self.contact_for(&profile, &message, &source));
        if silent {
            response.push(Name::ReferSub, "false");
        }
        self.respond(tx, response);
        !silent
    }

    pub(super) fn refuse_refer(&mut self, id: ReferId, status: u16) {
        let Some(refer) = self.common.refers.get(&id) else { return };
        let Side::Asked { tx, message, .. } = &refer.side else { return };
        let (tx, message) = (*tx, message.clone());
        let tag = refer.dialog.as_ref().map(Dialog::local_tag);
        let response = refer_response(&message, status, tag);
        self.respond(tx, response);
        self.drop_refer(id);
    }

    /// Puts a report into a NOTIFY of whichever dialog carries it. `None`: there is nothing to report to.
    pub(super) fn report(
        &mut self,
        id: ReferId,
        session: Option<&mut Session>,
        status: u16,
        reason: &str,
    ) -> Option<()> {
        let refer = self.common.refers.get_mut(&id)?;
        let Side::Reporting { seq, silent } = refer.side else { return None };
        let last = status >= 200;
        let reason = if reason.is_empty() { phrase(status) } else { reason };
        if !silent {
            let mut task = match (&mut refer.dialog, &session) {
                (Some(dialog), _) => {
                    let (draft, next_hop) = dialog.request(&Method::Notify);
                    let (owner, account) = (Owner::Nobody, refer.account);
                    let contact = Some(refer.profile.clone());
                    Some(Task { owner, account, draft, next_hop, contact, redirects: 0, way: Way::default() })
                }
                (None, _) => None,
            };
            let mut session = session;
            if task.is_none() {
                task = session.as_mut()?.in_dialog(&Method::Notify, Errand::Notify(id));
            }
            let mut task = task?;
            task.draft.push(Name::Event, format_args!("refer;id={seq}"));
            if last {
                task.draft.push(Name::SubscriptionState, "terminated;reason=noresource");
            } else {
                task.draft.push(Name::SubscriptionState, format_args!("active;expires={}", LIFE.as_secs()));
            }
            let fragment = format!("SIP/2.0 {status} {reason}\r\n");
            task.draft.body("message/sipfrag;version=2.0", fragment);
            match session.filter(|_| task.owner != Owner::Nobody) {
                Some(session) => session.send(task, self),
                None => self.send(task),
            };
        }
        if last {
            self.drop_refer(id);
        }
        Some(())
    }

    /// Whose dialog a report goes through.
    pub(super) fn session_of_refer(&self, id: ReferId) -> Option<SessionId> {
        self.common.refers.get(&id)?.session
    }

    /// No report came in time.
    pub(super) fn refer_is_late(&mut self, refer: ReferId) {
        let Some(found) = self.common.refers.get(&refer) else { return };
        match (&found.side, found.session) {
            (Side::Ours { .. }, Some(session)) => {
                let reason = phrase(408).to_owned();
                self.tell(News::ReferProgress { refer, session, status: 408, reason, done: true });
            }
            (Side::Asked { .. }, _) => return self.refuse_refer(refer, 603),
            (Side::Ours { .. } | Side::Reporting { .. }, _) => {}
        }
        self.drop_refer(refer);
    }

    fn drop_refer(&mut self, refer: ReferId) -> bool {
        self.common.timers.cancel(&Timer::Refer(refer));
        let Some(gone) = self.common.refers.remove(&refer) else { return false };
        if let Some(dialog) = gone.dialog {
            let tag = dialog.local_tag();
            let shared = self
                .common
                .refers
                .values()
                .any(|other| other.dialog.as_ref().is_some_and(|dialog| dialog.local_tag() == tag));
            if !shared {
                self.common.dialogs.remove(&tag);
            }
        }
        true
    }

    /// A request in a dialog that only refers are left of, or ever were in.
    pub(super) fn on_refer_dialog(&mut self, tag: Tag, tx: TxId, message: &Message) {
        let found = self
            .common
            .refers
            .values_mut()
            .filter_map(|refer| refer.dialog.as_mut())
            .find(|dialog| dialog.local_tag() == tag && dialog.owns_request(message));
        let Some(dialog) = found else { return self.answer(tx, message, 481) };
        let seq = message.cseq().map_or(0, |cseq| cseq.number);
        match (message.method(), dialog.hear(seq)) {
            (_, Turn::Late) => self.answer(tx, message, 500),
            (Method::Notify, Turn::InOrder) => self.on_report(None, tx, message),
            // They end or prolong their subscription; our reports come as they come. RFC 3515 section 2.4.4.
            (Method::Subscribe, Turn::InOrder) => self.answer(tx, message, 200),
            (_, Turn::InOrder) => self.answer(tx, message, 481),
        }
    }
}

fn refer_response(request: &Message, status: u16, tag: Option<Tag>) -> Draft {
    let mut response = Draft::response_to(request, status);
    if let Some(tag) = tag {
        common::add_to_tag(&mut response, request, tag);
        response.copy(request, Name::RecordRoute);
    }
    response
}
