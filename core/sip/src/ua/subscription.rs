//! One subscription of ours: asked for, told, refreshed, ended.
//!
//! RFC 6665 section 4.1. The first NOTIFY may come before the 2xx, and makes the dialog just as well (section 4.4.1). Whether to
//! subscribe again after the end is the user's to say.
//!
//! ```text
//!   subscribe --> Asking --2xx or NOTIFY--> Standing --Expires: 0--> Ending
//!                    | refused, silence         | NOTIFY terminated     | NOTIFY terminated, or silence
//!                    '--------------------------'-----------------------'----> over
//! ```

use std::sync::Arc;
use std::time::Duration;

use super::common::{self, Cx, PATIENCE, Party as DialogParty, Timer};
use super::news::{News, Subscribe, SubscriptionState};
use super::profile::{Profile, ProfileId, SubscriptionId, Way};
use super::request::{OutId, Owner, Reply, Task};
use super::session::final_status;
use crate::dialog::{Dialog, Seed, Tag, Turn};
use crate::message::{Draft, Message, Method, Name};
use crate::transaction::TxId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Asking,
    Standing,
    Ending,
    Over,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Subscription {
    id: SubscriptionId,
    account: ProfileId,
    profile: Arc<Profile>,
    want: Subscribe,
    seed: Seed,
    dialog: Option<Dialog>,
    state: State,
    /// A 423 has been obeyed.
    raised: bool,
}

impl Subscription {
    pub(super) fn start(
        id: SubscriptionId,
        account: ProfileId,
        profile: Arc<Profile>,
        want: Subscribe,
        cx: &mut Cx<'_>,
    ) -> Self {
        let tag = Tag::draw(&mut cx.common.rng);
        let seed = Seed {
            call_id: cx.common.fresh_call_id(),
            local: tag.append(&common::from_value(&profile)).into(),
            local_tag: tag,
            seq: 0,
            target: want.to.clone(),
        };
        cx.common.dialogs.insert(tag, DialogParty::Subscription(id));
        let state = State::Asking;
        let mut this = Self { id, account, profile, want, seed, dialog: None, state, raised: false };
        this.ask(cx);
        this
    }

    pub(super) fn is_over(&self) -> bool {
        self.state == State::Over
    }

    pub(super) fn tag(&self) -> Tag {
        self.seed.local_tag
    }

    pub(super) fn unsubscribe(&mut self, cx: &mut Cx<'_>) {
        match self.state {
            State::Asking | State::Standing => {
                self.state = State::Ending;
                self.want.expires = 0;
                self.ask(cx);
                // The last NOTIFY may never come.
                cx.common.timers.set(Timer::Subscription(self.id), cx.now + PATIENCE);
            }
            State::Ending | State::Over => {}
        }
    }

    /// A refresh before its time, from where we are now.
    pub(super) fn again(&mut self, cx: &mut Cx<'_>) {
        if self.state == State::Standing {
            self.profile = cx.common.speaker(self.account);
            self.on_alarm(cx);
        }
    }

    /// Over without a word.
    pub(super) fn forget(&mut self, _: &mut Cx<'_>) {
        self.state = State::Over;
    }

    /// SUBSCRIBE, the first or a refresh.
    fn ask(&mut self, cx: &mut Cx<'_>) {
        let (mut draft, next_hop) = match &mut self.dialog {
            Some(dialog) => dialog.request(&Method::Subscribe),
            None => {
                self.seed.seq += 1;
                let mut draft = Draft::request(&Method::Subscribe, self.want.to.as_str());
                draft.push(Name::MaxForwards, 70);
                let next_hop = common::push_first_route(&mut draft, &self.profile, &self.want.to);
                draft.push(Name::From, &self.seed.local);
                draft.push(Name::To, format_args!("<{}>", self.want.to));
                draft.push(Name::CallId, &self.seed.call_id);
                draft.push(Name::CSeq, format_args!("{} SUBSCRIBE", self.seed.seq));
                (draft, next_hop)
            }
        };
        draft.push(Name::Event, &self.want.event);
        draft.push(Name::Expires, self.want.expires);
        if !self.want.accept.is_empty() {
            draft.push(Name::Accept, &self.want.accept);
        }
        if !self.profile.user_agent.is_empty() {
            draft.push(Name::UserAgent, &self.profile.user_agent);
        }
        let owner = Owner::Subscription(self.id);
        let contact = Some(self.profile.clone());
        cx.send(Task {
            owner,
            account: Some(self.account),
            draft,
            next_hop,
            contact,
            redirects: 0,
            way: Way::default(),
        });
    }

    pub(super) fn on_reply(&mut self, out: OutId, reply: &Reply, cx: &mut Cx<'_>) {
        if let Reply::Again = reply {
            let seq = match &mut self.dialog {
                Some(dialog) => dialog.next_seq(),
                None => {
                    self.seed.seq += 1;
                    self.seed.seq
                }
            };
            return cx.resend(out, seq);
        }
        let Some(status) = final_status(reply) else { return };
        let (reason, retry_after) = match reply {
            Reply::Final(message, _) if status < 300 => return self.accepted(message, cx),
            Reply::Final(message, _) if status == 423 && !self.raised => {
                self.raised = true;
                self.want.expires = message.min_expires().unwrap_or(self.want.expires);
                return self.ask(cx);
            }
            Reply::Final(message, _) => (message.reason_phrase().to_owned(), message.retry_after()),
            Reply::Fault(_) | Reply::Response(..) | Reply::Again => {
                (crate::message::phrase(status).to_owned(), None)
            }
        };
        // A refresh that fails for now leaves the subscription standing until it runs out. RFC 6665 section 4.1.2.2.
        let fatal =
            self.dialog.is_none() || matches!(status, 404 | 405 | 410 | 416 | 480..=485 | 489 | 501 | 604);
        if fatal {
            self.end(status, reason, retry_after, cx);
        }
    }

    fn accepted(&mut self, message: &Message, cx: &mut Cx<'_>) {
        match &mut self.dialog {
            Some(dialog) => dialog.refresh_target(message),
            None => self.dialog = Dialog::from_response(&self.seed, message),
        }
        match self.state {
            State::Asking | State::Standing => {
                self.state = State::Standing;
                self.refresh_in(message.expires().unwrap_or(self.want.expires), cx);
            }
            State::Ending | State::Over => {}
        }
    }

    /// Well before the end, for the way there may need a second try.
    fn refresh_in(&self, seconds: u32, cx: &mut Cx<'_>) {
        let left = Duration::from_secs(u64::from(seconds));
        let ahead = (left / 5).clamp(Duration::from_secs(1), PATIENCE);
        cx.common.timers.set(Timer::Subscription(self.id), cx.now + left.saturating_sub(ahead));
    }

    pub(super) fn on_alarm(&mut self, cx: &mut Cx<'_>) {
        match self.state {
            State::Standing => {
                self.ask(cx);
                // Set anew by the answer; without one the subscription has run out by then.
                cx.common.timers.set(Timer::Subscription(self.id), cx.now + PATIENCE + PATIENCE);
            }
            State::Ending => self.end(408, "timeout".into(), None, cx),
            State::Asking | State::Over => {}
        }
    }

    /// A request in its dialog.
    pub(super) fn on_request(&mut self, tx: TxId, message: &Message, cx: &mut Cx<'_>) {
        let event = message.event().map(|event| event.package.to_owned()).unwrap_or_default();
        let wanted = self.want.event.split(';').next().unwrap_or_default().trim();
        if message.method() != Method::Notify {
            return cx.answer(tx, message, 481);
        }
        if !event.eq_ignore_ascii_case(wanted) {
            return cx.answer(tx, message, 489);
        }
        let dialog = match &mut self.dialog {
            Some(dialog) => dialog,
            None => match Dialog::from_notify(&self.seed, message) {
                Some(dialog) => self.dialog.insert(dialog),
                None => return cx.answer(tx, message, 400),
            },
        };
        if !dialog.owns_request(message) {
            // A fork of our SUBSCRIBE: one subscription is enough. RFC 6665 section 4.1.4.
            return cx.answer(tx, message, 481);
        }
        if dialog.hear(message.cseq().map_or(0, |cseq| cseq.number)) == Turn::Late {
            return cx.answer(tx, message, 500);
        }
        dialog.refresh_target(message);
        let Some(told) = message.subscription_state() else { return cx.answer(tx, message, 400) };
        cx.answer(tx, message, 200);
        let over = told.state.eq_ignore_ascii_case("terminated");
        let state = if over {
            SubscriptionState::Terminated {
                reason: told.reason.unwrap_or_default().into(),
                retry_after: told.retry_after.map(|s| Duration::from_secs(u64::from(s))),
            }
        } else if told.state.eq_ignore_ascii_case("pending") {
            SubscriptionState::Pending
        } else {
            SubscriptionState::Active
        };
        match self.state {
            State::Asking | State::Standing if !over => {
                self.state = State::Standing;
                if let Some(seconds) = told.expires {
                    self.refresh_in(seconds, cx);
                }
            }
            State::Asking | State::Standing | State::Ending | State::Over => {}
        }
        let content_type = message.text(Name::ContentType).unwrap_or_default().to_owned();
        let body = message.body_bytes();
        if self.state != State::Over {
            cx.tell(News::Notified { subscription: self.id, state, status: None, content_type, body });
        }
        if over {
            self.state = State::Over;
        }
    }

    fn end(&mut self, status: u16, reason: String, retry_after: Option<u32>, cx: &mut Cx<'_>) {
        if std::mem::replace(&mut self.state, State::Over) == State::Over {
            return;
        }
        let retry_after = retry_after.map(|s| Duration::from_secs(u64::from(s)));
        let state = SubscriptionState::Terminated { reason, retry_after };
        let (content_type, body) = (String::new(), bytes::Bytes::new());
        cx.tell(News::Notified { subscription: self.id, state, status: Some(status), content_type, body });
    }
}
