//! One request of ours, from a draft to its final answer: located, carried, authorized, sent elsewhere when a server fails.
//!
//! RFC 3261 sections 8.1 (client), 18.1.1 (size) and 22 (digest), RFC 3263 section 4.3 (failover), RFC 3261 section 8.1.3.4
//! (redirection, when asked for). Knows nothing of dialogs: whose request it is asked for the next CSeq number when the request
//! has to be sent once more ([`Reply::Again`]).
//!
//! ```text
//!              .--------------------- next target <-------------------.
//!              v                                                       | 503, silence, no flow
//!   draft -> Locating -> Opening -> Sent --- final ---> settled        |
//!              ^         (a flow)    | `-------------------------------'
//!              `---- Asked <---------' 401, 407, 3xx
//!               (its owner's number)
//! ```
//! `race` takes the next target early where the other IP family may be the one that works.

mod carried;
mod fault;
mod race;
mod turned;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::{NetworkId, Transport};

use super::common::{self, Cx, Timer};
use super::flows::{Named, Reach, Toward};
use super::leg::{Ack, repeat_ack};
use super::profile::{Profile, ProfileId, RequestId, SessionId, SubscriptionId, TransportPolicy, Way};
use super::{session::Errand, sips};
use crate::digest::Attempt;
use crate::locate::{Exhausted, LookupId, Next, Policy, Target, Translator};
use crate::message::{CSeq, Draft, Message, Method, Name, Uri};
use crate::transaction::{Hop, Source, TxId};
pub(super) use fault::Fault;
use race::Races;

/// How often a 422 is obeyed before it is a failure.
const MAX_RAISES: u8 = 3;

/// One request under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OutId(u64);

impl OutId {
    /// No request that is known.
    pub(super) const NONE: Self = Self(0);
}

/// Whose request it is; comes back with each reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    User(RequestId, ProfileId),
    Session(SessionId, Errand),
    Subscription(SubscriptionId),
    /// Nobody waits for the answer.
    Nobody,
}

/// What became of a request.
#[derive(Debug)]
pub(super) enum Reply {
    /// 1xx, and further 2xx to an INVITE.
    Response(Message),
    /// Final, and the last word but for further 2xx to an INVITE.
    Final(Message, Source),
    /// Challenged, and credentials are at hand; or redirected: call [`Cx::resend`] with the next CSeq number, or
    /// [`Cx::forget`].
    Again,
    /// No final response came, or will. Last word.
    Fault(Fault),
}

/// A request to be made.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) owner: Owner,
    /// Whose credentials and transport; `None`: nobody's.
    pub(super) account: Option<ProfileId>,
    /// Without Via, and without Contact where `contact` says whose to write.
    pub(super) draft: Draft,
    pub(super) next_hop: Uri,
    /// Contact to be written once the flow is known: user part and address choice are the profile's.
    pub(super) contact: Option<Arc<Profile>>,
    /// Contacts of a 3xx to be tried, at most so many.
    pub(super) redirects: usize,
    pub(super) way: Way,
}

#[derive(Debug)]
struct Outgoing {
    task: Task,
    /// The network that it goes by.
    network: NetworkId,
    /// Whom its URI names.
    name: Named,
    lookup: Option<LookupId>,
    stage: Stage,
    /// Targets that are being connected to beside the one in `stage`.
    beside: Vec<Target>,
    /// A target that was left because nothing was heard of it.
    silent: Option<Target>,
    /// What the target before has said or not said, told when no target is left.
    last: Option<Reply>,
    /// Where 3xx have pointed, best first, and how many of these have been tried.
    pointed: Vec<Uri>,
    tried: usize,
    cancelled: bool,
    /// Whether anybody has answered anything.
    heard: bool,
    /// Whether the connection that carried it broke once before.
    broke: bool,
    /// How often a 422 has been obeyed.
    raises: u8,
    /// What has been answered to whom, so that a wrong password is not tried for ever.
    attempt: Attempt,
    /// What an INVITE's session has left to be said to repeated 2xx, by To tag.
    acks: Vec<(String, Ack)>,
}

impl Outgoing {
    fn toward(&self, target: Target) -> Toward {
        let name = if target.transport.is_named() { self.name } else { Named::NOBODY };
        Toward { network: self.network, transport: target.transport, remote: target.addr, name }
    }
}

#[derive(Debug)]
enum Stage {
    Locating,
    Opening(Target),
    Sent {
        tx: TxId,
        target: Target,
    },
    /// Its owner has been asked for a number.
    Asked,
    /// An INVITE that has its answer: kept for further 2xx until the transaction ends.
    Answered {
        tx: TxId,
    },
}

/// All requests under way.
#[derive(Debug, Default)]
pub(super) struct Requests {
    last: u64,
    by_id: BTreeMap<OutId, Outgoing>,
    by_tx: BTreeMap<TxId, OutId>,
    by_lookup: BTreeMap<LookupId, OutId>,
    races: Races,
}

impl Requests {
    /// The network is another: nobody was heard on it yet.
    pub(super) fn forget_heard(&mut self) {
        self.races.forget();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_id.values().all(|out| matches!(out.stage, Stage::Answered { .. }))
    }

    /// Whether none is kept, answered or not.
    pub(super) fn holds_nothing(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Whether anything has answered that request yet.
    pub(super) fn is_heard(&self, request: RequestId) -> bool {
        let mut those = self.by_id.values();
        those.any(|out| out.heard && matches!(out.task.owner, Owner::User(of, _) if of == request))
    }

    /// The request as it was last sent, but for Via and Contact: an ACK repeats its credentials.
    pub(super) fn draft(&self, id: OutId) -> Option<&Draft> {
        self.by_id.get(&id).map(|out| &out.task.draft)
    }

    /// Keeps an ACK of a session that is gone, for as long as its 2xx may come again.
    pub(super) fn inherit(&mut self, session: SessionId, tag: &str, ack: &Ack) {
        for out in self.by_id.values_mut() {
            let number = out.task.draft.first(Name::CSeq).and_then(|text| CSeq::read(text).ok());
            let theirs = matches!(out.task.owner, Owner::Session(id, _) if id == session)
                && matches!(out.stage, Stage::Answered { .. });
            if theirs && number.is_some_and(|cseq| cseq.number == ack.seq) {
                out.acks.push((tag.to_owned(), ack.clone()));
            }
        }
    }

    /// The same, and who sends it.
    pub(super) fn draft_of(&self, id: OutId) -> Option<(&Draft, Option<ProfileId>)> {
        self.by_id.get(&id).map(|out| (&out.task.draft, out.task.account))
    }
}

impl Cx<'_> {
    /// Begins a request; replies come to its owner.
    pub(super) fn send(&mut self, mut task: Task) -> OutId {
        let requests = &mut self.common.requests;
        requests.last += 1;
        let id = OutId(requests.last);
        if let Some(account) = task.account.and_then(|id| self.common.accounts.get_mut(&id))
            && !account.profile.credentials.is_empty()
            && task.draft.method() != Method::Ack
        {
            // A nonce that a realm has given us saves the round trip. An ACK has its INVITE's credentials already.
            account.authorizer.reuse(&mut task.draft, &account.profile.credentials);
        }
        let outgoing = Outgoing {
            task,
            network: NetworkId::SYSTEM,
            name: Named::NOBODY,
            lookup: None,
            stage: Stage::Locating,
            beside: Vec::new(),
            silent: None,
            last: None,
            pointed: Vec::new(),
            tried: 0,
            cancelled: false,
            heard: false,
            broke: false,
            raises: 0,
            attempt: Attempt::default(),
            acks: Vec::new(),
        };
        self.common.requests.by_id.insert(id, outgoing);
        self.locate(id);
        id
    }

    /// Sends a request once more, after [`Reply::Again`], under that CSeq number.
    pub(super) fn resend(&mut self, id: OutId, seq: u32) {
        let Some(out) = self.common.requests.by_id.get_mut(&id) else { return };
        let method = out.task.draft.method();
        out.task.draft.set(Name::CSeq, format_args!("{seq} {method}"));
        self.locate(id);
    }

    /// Gives up a request after [`Reply::Again`].
    pub(super) fn forget(&mut self, id: OutId) {
        self.common.timers.cancel(&Timer::Race(id));
        if let Some(out) = self.common.requests.by_id.remove(&id) {
            self.finish_lookup(out.lookup);
        }
    }

    /// A 2xx came again when its session was gone: so does its ACK. RFC 3261 section 13.2.2.4, RFC 6026 section 7.2.
    pub(super) fn acknowledge_again(&mut self, id: OutId, message: &Message) {
        let Some(out) = self.common.requests.by_id.get(&id) else { return };
        let account = out.task.account;
        let Ok(to) = message.to() else { return };
        let found = out.acks.iter().find(|(tag, _)| to.tag() == Some(tag));
        if let Some((_, ack)) = found.cloned() {
            repeat_ack(&ack, account, self);
        }
    }

    /// Cancels an INVITE; its last word comes within 64 T1 of the CANCEL at the latest. `false`: it never left, and nothing
    /// more will be heard of it.
    pub(super) fn cancel(&mut self, id: OutId, headers: &[(Name, String)]) -> bool {
        // Settled already: its last word is on its way to its owner.
        let Some(out) = self.common.requests.by_id.get_mut(&id) else { return true };
        match out.stage {
            Stage::Sent { tx, .. } => {
                out.cancelled = true;
                self.common.transactions.cancel(tx, headers, self.now, self.out);
                true
            }
            Stage::Locating | Stage::Opening(_) | Stage::Asked => {
                self.forget(id);
                false
            }
            Stage::Answered { .. } => true,
        }
    }

    fn locate(&mut self, id: OutId) {
        let Some(out) = self.common.requests.by_id.get_mut(&id) else { return };
        let (config, account) =
            (&self.common.config, out.task.account.and_then(|id| self.common.accounts.get(&id)));
        // One that speaks for nobody goes by the network that the first goes by.
        let network = account.or_else(|| self.common.accounts.values().next());
        let network = network.map_or(NetworkId::SYSTEM, |account| account.profile.network);
        let left = out.task.account.and_then(|id| self.common.left_lanes.get(&id));
        let network = left.copied().unwrap_or(network);
        let network = out.task.way.network.unwrap_or(network);
        let mut transports = Vec::with_capacity(2);
        let policy = account.map_or(TransportPolicy::Auto, |account| account.profile.transport);
        match out.task.way.transport.unwrap_or(policy) {
            // Nothing else is on a lane, and what belongs there goes by nothing else.
            _ if network.lane().is_some() => transports.push(Transport::Udp),
            TransportPolicy::Auto => {
                transports.extend(config.udp.then_some(Transport::Udp));
                transports.extend(config.tcp.then_some(Transport::Tcp));
                transports.extend(config.tls.then_some(Transport::Tls));
            }
            TransportPolicy::Only(transport) => transports.push(transport),
        }
        let secure = account.is_some_and(|account| account.profile.is_secure());
        let secure = secure || sips::is_asked_for(&out.task.draft);
        transports.retain(|transport| transport.is_secure() || !secure);
        let large_is_fine = account.is_some_and(|account| account.profile.allow_large_udp);
        let (ipv4, nat64) =
            self.common.reach.get(&network.whole()).copied().unwrap_or((true, Translator::None));
        let policy = Policy {
            large: transports.contains(&Transport::Tcp)
                && !large_is_fine
                && common::is_large(&out.task.draft),
            transports,
            ipv4: config.ipv4 && ipv4,
            ipv6: config.ipv6,
            network: network.whole(),
            nat64,
        };
        out.network = network;
        out.name = self.common.flows.named(&out.task.next_hop.view().host.to_string());
        let lookup = self.common.locator.start(&out.task.next_hop.view(), &policy);
        let old = out.lookup.replace(lookup);
        out.stage = Stage::Locating;
        out.beside.clear();
        out.last = None;
        self.common.requests.by_lookup.insert(lookup, id);
        self.finish_lookup(old);
        self.advance(id);
    }

    fn finish_lookup(&mut self, lookup: Option<LookupId>) {
        if let Some(lookup) = lookup {
            self.common.requests.by_lookup.remove(&lookup);
            self.common.locator.finish(lookup);
        }
    }

    /// On to the next target, if there is one. One that is still being connected to stays in the race.
    fn advance(&mut self, id: OutId) {
        let Some(out) = self.common.requests.by_id.get_mut(&id) else { return };
        let Some(lookup) = out.lookup else { return };
        if let Stage::Opening(target) = out.stage {
            out.beside.push(target);
        }
        out.stage = Stage::Locating;
        match self.common.locator.next(lookup, self.now, self.out) {
            Next::Wait => {}
            Next::Target(target) => match self.common.flows.reach(out.toward(target), self.out) {
                Reach::Ready(hop) => self.transmit(id, target, hop),
                Reach::Opening => {
                    out.stage = Stage::Opening(target);
                    self.await_opening(id, target);
                }
            },
            Next::Exhausted(_) if !out.beside.is_empty() => {
                out.stage = out.beside.pop().map_or(Stage::Locating, Stage::Opening);
            }
            Next::Exhausted(why) => {
                let fault = match why {
                    Exhausted::NotFound => Fault::NotFound,
                    Exhausted::AllTried | Exhausted::NameServersFailed | Exhausted::Unusable => {
                        Fault::Unreachable
                    }
                };
                let last = out.last.take().unwrap_or(Reply::Fault(fault));
                self.settle_request(id, last);
            }
        }
    }

    fn transmit(&mut self, id: OutId, target: Target, hop: Hop) {
        let common = &mut *self.common;
        let Some(out) = common.requests.by_id.get_mut(&id) else { return };
        let mut draft = out.task.draft.clone();
        if let Some(profile) = &out.task.contact {
            let address = common.flows.contact_address(profile.contact_address, hop);
            let register = draft.method() == Method::Register;
            let carrier = (hop.transport, profile.is_secure() || sips::is_said_so(&draft));
            let user = common::contact_user(profile, draft.first(Name::From));
            let by_flow = (profile.outbound || address.is_nowhere()) && !register;
            let contact = common::contact_value(user, carrier, &address, by_flow);
            let old = out.task.way.instead_of.as_ref().filter(|old| contact != format!("<{old}>"));
            let params = if register { profile.contact_params.as_str() } else { "" };
            let stays = register && draft.first(Name::Expires) != Some(b"0");
            let within = if stays { profile.contact_uri_params.as_str() } else { "" };
            let open = contact.strip_suffix('>').unwrap_or(&contact);
            draft.set(Name::Contact, format_args!("{open}{within}>{params}"));
            if let Some(old) = old {
                draft.push(Name::Contact, format_args!("<{old}>;expires=0"));
            }
        }
        if draft.method() == Method::Ack {
            common.transactions.send_ack(draft, hop, self.out);
            self.forget(id);
            return;
        }
        let beside = std::mem::take(&mut out.beside);
        if beside.iter().any(|loser| loser.family() != target.family()) {
            common.locator.prefer(target.family());
        }
        let won = out.toward(target);
        let beside: Vec<Toward> = beside.into_iter().map(|target| out.toward(target)).collect();
        let method = draft.method();
        let tx = common.transactions.request(draft, hop, self.now, self.out);
        out.stage = Stage::Sent { tx, target };
        common.requests.by_tx.insert(tx, id);
        common.requests.races.won(won, beside);
        self.await_answer(id, target, &method);
    }

    /// The end of a request, but that an INVITE may still hear further 2xx.
    fn settle_request(&mut self, id: OutId, reply: Reply) {
        self.common.timers.cancel(&Timer::Race(id));
        let Some(out) = self.common.requests.by_id.get_mut(&id) else { return };
        let lookup = out.lookup.take();
        let owner = out.task.owner;
        let answered = match (&reply, &out.stage) {
            (Reply::Final(message, _), Stage::Sent { tx, .. })
                if message.status().is_some_and(|s| s < 300) && out.task.draft.method() == Method::Invite =>
            {
                Some(*tx)
            }
            _ => None,
        };
        match answered {
            Some(tx) => out.stage = Stage::Answered { tx },
            None => {
                self.common.requests.by_id.remove(&id);
            }
        }
        self.finish_lookup(lookup);
        self.common.replies.push_back((id, owner, reply));
    }

    /// A response to one of our transactions.
    pub(super) fn on_response(&mut self, tx: TxId, message: Message, source: Source) {
        self.common.flows.learn(&message, &source);
        let Some(&id) = self.common.requests.by_tx.get(&tx) else { return };
        let Some(out) = self.common.requests.by_id.get_mut(&id) else { return };
        let owner = out.task.owner;
        out.heard = true;
        let target = match out.stage {
            Stage::Sent { tx: current, target } if current == tx => target,
            Stage::Answered { tx: current } if current == tx => {
                self.common.replies.push_back((id, owner, Reply::Response(message)));
                return;
            }
            // An attempt that has been left behind.
            Stage::Sent { .. }
            | Stage::Answered { .. }
            | Stage::Locating
            | Stage::Opening(_)
            | Stage::Asked => {
                return;
            }
        };
        let cancelled = out.cancelled;
        self.answered_by(id, target);
        let status = message.status().unwrap_or_default();
        if status < 200 {
            self.common.replies.push_back((id, owner, Reply::Response(message)));
            return;
        }
        let reply = Reply::Final(message, source);
        if cancelled {
            self.settle_request(id, reply);
            return;
        }
        let Reply::Final(message, _) = &reply else { return };
        match status {
            401 | 407 if self.authorize(id, message) => self.ask_again(id),
            422 if self.raise_interval(id, message) => self.ask_again(id),
            300..=399 if self.redirect(id, message) => self.ask_again(id),
            503 => {
                let wait = message.retry_after().map(|s| Duration::from_secs(u64::from(s)));
                self.next_target(id, target, wait, reply);
            }
            // A contact that a 3xx gave has failed: there may be another. RFC 3261 section 8.1.3.4.
            400..=599 if self.next_pointed(id) => self.ask_again(id),
            _ => {
                self.common.locator.worked(target);
                self.settle_request(id, reply);
            }
        }
    }

    fn ask_again(&mut self, id: OutId) {
        let Some(out) = self.common.requests.by_id.get_mut(&id) else { return };
        out.stage = Stage::Asked;
        self.common.replies.push_back((id, out.task.owner, Reply::Again));
    }

    fn next_target(&mut self, id: OutId, target: Target, wait: Option<Duration>, last: Reply) {
        self.common.locator.failed(target, wait, self.now);
        if let Some(out) = self.common.requests.by_id.get_mut(&id) {
            // What was sent and not refused weighs more than a second target that could not be reached.
            out.last = Some(last);
        }
        self.advance(id);
    }

    /// Puts credentials into the draft; `false` when there are none that fit, or they have been refused.
    fn authorize(&mut self, id: OutId, challenge: &Message) -> bool {
        let common = &mut *self.common;
        let Some(out) = common.requests.by_id.get_mut(&id) else { return false };
        let Some(account) = out.task.account.and_then(|id| common.accounts.get_mut(&id)) else {
            return false;
        };
        let credentials = &account.profile.credentials;
        let Outgoing { task, attempt, .. } = out;
        account
            .authorizer
            .authorize(&mut task.draft, challenge, credentials, attempt, &mut common.rng)
            .is_ok()
    }

    /// A transaction of ours found no answer, or no way.
    pub(super) fn on_fault(&mut self, tx: TxId, fault: Fault) {
        let Some(&id) = self.common.requests.by_tx.get(&tx) else { return };
        let Some(out) = self.common.requests.by_id.get_mut(&id) else { return };
        let Stage::Sent { tx: current, target } = out.stage else { return };
        if current != tx {
            return;
        }
        let broke = fault == Fault::Unreachable && target.transport.is_reliable();
        if broke && out.task.draft.method() == Method::Bye && !std::mem::replace(&mut out.broke, true) {
            // It may have been lost with its connection, and then the other side would go on talking. One too many does no
            // harm: it is answered 481.
            self.ask_again(id);
        } else if out.cancelled {
            self.settle_request(id, Reply::Fault(fault));
        } else {
            self.next_target(id, target, None, Reply::Fault(fault));
        }
    }

    /// A transaction of ours is gone.
    pub(super) fn on_finished(&mut self, tx: TxId) {
        let Some(id) = self.common.requests.by_tx.remove(&tx) else { return };
        let done = self
            .common
            .requests
            .by_id
            .get(&id)
            .is_some_and(|out| matches!(out.stage, Stage::Answered { tx: current } if current == tx));
        if done {
            self.common.requests.by_id.remove(&id);
        }
    }

    /// Name servers have answered what this lookup waits for.
    pub(super) fn on_located(&mut self, lookup: LookupId) {
        if let Some(&id) = self.common.requests.by_lookup.get(&lookup) {
            self.advance(id);
        }
    }

    /// A flow is there, or cannot be had: those who wait for it go on.
    pub(super) fn on_flow(&mut self, toward: Toward, up: bool) {
        let here = Target { transport: toward.transport, addr: toward.remote };
        let waiting: Vec<OutId> = (self.common.requests.by_id.iter())
            .filter(|(_, out)| {
                let opening =
                    matches!(out.stage, Stage::Opening(target) if out.toward(target).is_at(&toward));
                opening || (out.beside.contains(&here) && out.toward(here).is_at(&toward))
            })
            .map(|(id, _)| *id)
            .collect();
        if up && waiting.is_empty() {
            self.close_loser(toward);
        }
        for id in waiting {
            let Some(wanted) = self.common.requests.by_id.get(&id).map(|out| out.toward(here)) else {
                continue;
            };
            // What one name cannot have another may, and waits for its turn.
            let hopeful = up || wanted != toward;
            match hopeful.then(|| self.common.flows.reach(wanted, self.out)) {
                Some(Reach::Ready(hop)) => {
                    if let Some(out) = self.common.requests.by_id.get_mut(&id)
                        && let Stage::Opening(target) = out.stage
                    {
                        out.beside.push(target);
                    }
                    self.transmit(id, here, hop);
                }
                Some(Reach::Opening) => {}
                None => self.not_opened(id, here),
            }
        }
    }
}
