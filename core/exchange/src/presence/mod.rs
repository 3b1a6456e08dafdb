//! The presence server: takes what users publish, and tells those who subscribe.
//!
//! RFC 3856 and RFC 3903 (`presence`), RFC 4235 (`dialog`, for busy lamps), RFC 6665 section 4.2. A user who publishes nothing is
//! open while a phone of his is registered; one without a phone is closed, whatever was published. Any user may see any other:
//! it is a house exchange. Knows neither passwords nor bindings: it is told who asks, and whether somebody is there.

mod document;
mod lines;
mod publications;
mod subscription;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base::{Instant, Rng, Timers, Wake};
use sip::dialog::{Dialog, Tag, Turn};
use sip::message::{Draft, Message, Name};
use sip::transaction::{Source, TxId};

use crate::bindings::Way;
use crate::proxy::Desk;
use lines::{Lines, Stage as Call};
use publications::{LONGEST, MIN_EXPIRES, Publications, USUAL_EXPIRES, Unpublished};
use subscription::{Stage, Subscription};

/// Subscriptions in all; the next is answered 503.
const MOST: usize = 10_000;
/// Subscriptions of one user; the next is answered 403.
const MOST_OF_ONE: usize = 200;

/// What can be subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Package {
    Presence,
    Dialog,
}

impl Package {
    /// All of them, as an Allow-Events value.
    pub(crate) const ALL: &str = "presence, dialog";

    /// The package that a request names, if it is one of these.
    pub(crate) fn of(message: &Message) -> Option<Self> {
        let named = message.event()?.package;
        [Self::Presence, Self::Dialog].into_iter().find(|it| named.eq_ignore_ascii_case(it.name()))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Presence => "presence",
            Self::Dialog => "dialog",
        }
    }

    fn body(self) -> &'static str {
        match self {
            Self::Presence => document::PIDF,
            Self::Dialog => document::DIALOG_INFO,
        }
    }
}

/// What was seen of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PresenceCounters {
    /// PUBLISHes granted.
    pub published: u64,
    /// Subscriptions made.
    pub subscribed: u64,
    /// NOTIFYs sent.
    pub notified: u64,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Presence {
    subscriptions: BTreeMap<Tag, Subscription>,
    /// By whom they are about.
    about: BTreeMap<(String, Package), BTreeSet<Tag>>,
    notifies: BTreeMap<TxId, Tag>,
    publications: Publications,
    lines: Lines,
    /// When a subscription ends, or may be told of a change.
    timers: Timers<Tag>,
    /// To be looked at once the response is out.
    due: BTreeSet<Tag>,
    rng: Rng,
    pub(crate) counters: PresenceCounters,
}

impl Presence {
    pub(crate) fn new(rng: Rng) -> Self {
        Self {
            subscriptions: BTreeMap::new(),
            about: BTreeMap::new(),
            notifies: BTreeMap::new(),
            publications: Publications::default(),
            lines: Lines::default(),
            timers: Timers::default(),
            due: BTreeSet::new(),
            rng,
            counters: PresenceCounters::default(),
        }
    }

    /// Takes a PUBLISH of `user` about himself.
    pub(crate) fn publish(&mut self, user: &str, message: &Message, desk: &Desk<'_>) -> Draft {
        let answer = |status| desk.answer().to(message, status, "");
        if Package::of(message) != Some(Package::Presence) {
            let mut bad = answer(489);
            bad.push(Name::AllowEvents, Package::Presence.name());
            return bad;
        }
        if !message.body().is_empty() && !message.is_body(document::PIDF) {
            let mut bad = answer(415);
            bad.push(Name::Accept, document::PIDF);
            return bad;
        }
        match self.publications.publish(user, message, &mut self.rng, desk.now) {
            Ok(granted) => {
                self.counters.published += 1;
                self.changed(user, Package::Presence);
                let mut ok = answer(200);
                ok.push(Name::SipEtag, granted.tag).push(Name::Expires, granted.expires);
                ok
            }
            Err(Unpublished::Empty) => answer(400),
            Err(Unpublished::NoSuch) => answer(412),
            Err(Unpublished::TooLong) => {
                desk.answer().to(message, 413, &format!("Longer Than {LONGEST} Bytes"))
            }
            Err(Unpublished::TooBrief) => too_brief(answer(423)),
        }
    }

    /// Takes a SUBSCRIBE of `watcher`, who is one of ours, to `user`, who is too: a new one, or a refresh.
    pub(crate) fn subscribe(
        &mut self,
        package: Package,
        (watcher, user): (&str, &str),
        message: &Message,
        source: &Source,
        desk: &Desk<'_>,
    ) -> Draft {
        let answer = |status| desk.answer().to(message, status, "");
        let asked = message.expires().unwrap_or(USUAL_EXPIRES);
        if asked > 0 && asked < MIN_EXPIRES {
            return too_brief(answer(423));
        }
        let accepts = |body: &str| {
            let mut those = message.list(Name::Accept).peekable();
            let fits = |it: &[u8]| {
                let essence = it.split(|b| *b == b';').next().unwrap_or_default().trim_ascii();
                essence.eq_ignore_ascii_case(body.as_bytes())
                    || essence == b"*/*"
                    || essence == b"application/*"
            };
            those.peek().is_none() || those.any(fits)
        };
        if !accepts(package.body()) {
            return answer(406);
        }
        let expires = asked.min(USUAL_EXPIRES);
        let until = desk.now + Duration::from_secs(expires.into());
        let tag = match message.to_tag() {
            Some(tag) => {
                let tag = Tag::read(tag);
                let known = tag.and_then(|tag| Some((tag, self.subscriptions.get_mut(&tag)?)));
                let Some((tag, it)) = known.filter(|(_, it)| {
                    it.dialog.owns_request(message)
                        && it.package == package
                        && it.watcher == watcher
                        && it.stage == Stage::Standing
                }) else {
                    return answer(481);
                };
                if it.dialog.hear(message.cseq().map_or(0, |cseq| cseq.number)) == Turn::Late {
                    return answer(500);
                }
                it.dialog.refresh_target(message);
                (it.source, it.until, it.owed) = (*source, until, true);
                tag
            }
            None => {
                if self.subscriptions.len() >= MOST {
                    return answer(503);
                }
                if self.subscriptions.values().filter(|it| it.watcher == watcher).count() >= MOST_OF_ONE {
                    return desk.answer().to(message, 403, "Too Many Subscriptions");
                }
                let tag = Tag::draw(&mut self.rng);
                let Some(dialog) = Dialog::from_request(message, tag) else { return answer(400) };
                let it = Subscription::new(package, watcher, user, dialog, *source, until);
                self.about.entry((it.user.clone(), package)).or_default().insert(tag);
                self.subscriptions.insert(tag, it);
                self.counters.subscribed += 1;
                tag
            }
        };
        self.due.insert(tag);
        let Some(it) = self.subscriptions.get_mut(&tag) else { return answer(481) };
        if expires == 0 {
            it.stage = Stage::Ending;
        }
        let mut ok = answer(200);
        if message.to_tag().is_none() {
            ok.set(Name::To, it.dialog.local());
        }
        ok.copy(message, Name::RecordRoute);
        ok.push(Name::Contact, it.contact()).push(Name::Expires, expires);
        ok
    }

    /// Somebody's phone has come or gone.
    pub(crate) fn moved(&mut self, user: &str) {
        self.changed(user, Package::Presence);
    }

    /// An INVITE of one of ours, or to one, goes on its way.
    pub(crate) fn calls(
        &mut self,
        call: (&str, TxId),
        caller: Option<String>,
        callee: Option<String>,
        now: Instant,
    ) {
        self.lines.began(call, caller, callee, now);
        self.look_at_lines();
    }

    /// A response to an INVITE passes.
    pub(crate) fn call_advances(&mut self, call_id: &str, status: u16) {
        let stage = match status {
            101..=199 => Call::Ringing,
            200..=299 => Call::Up,
            _ => return,
        };
        self.lines.advanced(call_id, stage);
        self.look_at_lines();
    }

    /// The INVITE of that transaction has been answered finally.
    pub(crate) fn call_settled(&mut self, tx: TxId) {
        self.lines.settled(tx);
        self.look_at_lines();
    }

    /// A BYE passes.
    pub(crate) fn call_ends(&mut self, call_id: &str) {
        self.lines.ended(call_id);
        self.look_at_lines();
    }

    fn look_at_lines(&mut self) {
        for user in std::mem::take(&mut self.lines.changed) {
            self.changed(&user, Package::Dialog);
        }
    }

    /// Those who watch are looked at.
    fn changed(&mut self, user: &str, package: Package) {
        let those = self.about.get(&(user.to_owned(), package));
        self.due.extend(those.into_iter().flatten());
    }

    /// Whether anybody's state is to be told.
    pub(crate) fn is_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Tells what is to be told. `is_open`: whether a user has a phone that is registered.
    pub(crate) fn tell(&mut self, is_open: &dyn Fn(&str) -> bool, desk: &mut Desk<'_>) {
        for tag in std::mem::take(&mut self.due) {
            let Self { subscriptions, publications, lines, timers, notifies, counters, .. } = self;
            let Some(it) = subscriptions.get_mut(&tag) else { continue };
            if it.asked.is_some() {
                continue; // Looked at again when it is answered.
            }
            let entity = format!("sip:{}@{}", it.user, desk.config.domain);
            let document = match it.package {
                Package::Dialog => document::dialogs(&entity, lines.of(&it.user)).into(),
                Package::Presence => match (is_open(&it.user), publications.of(&it.user)) {
                    (true, Some(published)) => published.clone(),
                    (open, _) => document::presence(&entity, open).into(),
                },
            };
            timers.set(tag, it.until);
            if !it.owed && it.stage == Stage::Standing && !it.differs(&document) {
                continue;
            }
            if let Some(later) = it.not_before().filter(|at| *at > desk.now) {
                timers.set(tag, later.min(it.until));
                continue;
            }
            let Source { transport, local, remote, flow } = it.source;
            let way = Way { transport, local, remote, flow: Some(flow) };
            // Without one the next refresh says where the watcher is now.
            let Some(hop) = desk.ways.back(&way) else {
                if it.stage == Stage::Ending {
                    self.forget(tag);
                }
                continue;
            };
            let draft = it.notify(&document, desk.now);
            let tx = desk.transactions.request(draft, hop, desk.now, desk.out);
            it.asked = Some(tx);
            notifies.insert(tx, tag);
            counters.notified += 1;
        }
    }

    /// A NOTIFY was answered with this status: not at all is 408. `false`: it was none of ours.
    pub(crate) fn answered(&mut self, tx: TxId, status: u16) -> bool {
        let Some(tag) = self.notifies.get(&tx).copied() else { return false };
        if status < 200 {
            return true;
        }
        let Some(it) = self.subscriptions.get_mut(&tag) else { return true };
        it.asked = None;
        // RFC 6665 section 4.2.2: whoever does not want to hear it has forgotten.
        if status >= 300 || it.stage == Stage::Over {
            self.forget(tag);
        } else {
            self.due.insert(tag);
        }
        true
    }

    /// A transaction is gone.
    pub(crate) fn finished(&mut self, tx: TxId) {
        self.notifies.remove(&tx);
    }

    /// Takes the time.
    pub(crate) fn due(&mut self, now: Instant) {
        while let Some(tag) = self.timers.pop_due(now) {
            if let Some(it) = self.subscriptions.get_mut(&tag) {
                if it.until <= now {
                    it.stage = it.stage.max(Stage::Ending);
                }
                self.due.insert(tag);
            }
        }
        if self.publications.next_end().is_some_and(|end| end <= now) {
            for user in self.publications.expire(now) {
                self.changed(&user, Package::Presence);
            }
        }
    }

    pub(crate) fn next_wake(&self) -> Option<Wake> {
        let timer = self.timers.next().map(|(at, _)| at);
        let at = [timer, self.publications.next_end()].into_iter().flatten().min()?;
        Some(Wake { at, why: "presence" })
    }

    /// Whether nothing of any NOTIFY is kept; subscriptions and publications may stand.
    pub(crate) fn is_quiet(&self) -> bool {
        self.notifies.is_empty() && self.due.is_empty()
    }

    /// Who is watched by anybody.
    pub(crate) fn watched(&self) -> BTreeSet<String> {
        self.about.keys().map(|(user, _)| user.clone()).collect()
    }

    fn forget(&mut self, tag: Tag) {
        self.timers.cancel(&tag);
        if let Some(it) = self.subscriptions.remove(&tag) {
            let about = (it.user, it.package);
            if let Some(those) = self.about.get_mut(&about) {
                those.remove(&tag);
                if those.is_empty() {
                    self.about.remove(&about);
                }
            }
        }
    }
}

fn too_brief(mut refused: Draft) -> Draft {
    refused.push(Name::MinExpires, MIN_EXPIRES);
    refused
}
