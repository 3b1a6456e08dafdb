//! The agent's door: commands and news in, orders and news out.
//!
//! RFC 3261 section 8. Decides nothing: each command is a turn of the machine it is about.

use std::net::SocketAddr;

use base::{FlowId, Instant, NetworkId, QueryId, Rng, Transport, Wake};
use bytes::Bytes;

use super::common::{self, Common, Cx};
use super::dispatch::Uses;
use super::flows::{Named, Toward};
use super::session::Session;
use super::subscription::Subscription;
use super::*;
use crate::locate::{Answer, Translator};
use crate::message::{Draft, Name, Uri, phrase};
use crate::order::{Order, Orders};
use crate::transaction::{Counters, Source};

/// A SIP user agent without sockets, clock or policy. RFC 3261 section 6: both client and server.
///
/// After every call drain [`poll_news`](Self::poll_news) and carry out what was put into `out`.
#[derive(Debug)]
pub struct Agent {
    common: Common,
    uses: Uses,
}

impl Agent {
    /// An agent with no profiles and no flows. Everything it draws comes from `rng`.
    pub fn new(config: AgentConfig, rng: Rng) -> Self {
        Self { common: Common::new(config, rng), uses: Uses::default() }
    }

    /// The next thing to tell, oldest first.
    pub fn poll_news(&mut self) -> Option<News> {
        self.common.news.pop_front()
    }

    /// When [`due`](Self::due) wants to be called if nothing happens.
    pub fn next_wake(&self) -> Option<Wake> {
        let ours = self.common.timers.next().map(|(at, timer)| Wake { at, why: timer.why() });
        Wake::earlier(ours, self.common.transactions.next_wake())
    }

    /// Whether nothing is under way any more: no session (its BYE answered), no request. What is only repeated to others
    /// does not count.
    pub fn is_idle(&self) -> bool {
        self.uses.sessions.values().all(|session| session.is_settled()) && self.common.requests.is_empty()
    }

    /// Whether nothing at all is kept of any session, request or subscription: what was answered counts too, as long as
    /// its repetitions are waited for. Something that stays is a leak.
    pub fn is_quiet(&self) -> bool {
        let Common { locator, transactions, requests, timers, dialogs, invites, refers, replies, .. } =
            &self.common;
        self.uses.sessions.is_empty()
            && self.uses.subscriptions.is_empty()
            && locator.is_empty()
            && transactions.is_empty()
            && requests.holds_nothing()
            && timers.is_empty()
            && dialogs.is_empty()
            && invites.is_empty()
            && refers.is_empty()
            && replies.is_empty()
    }

    // ---- news from below

    /// A flow by the system's network is there. `remote` is `None` for a listening UDP socket; `local` is an address
    /// others can use.
    pub fn flow_up(
        &mut self,
        flow: FlowId,
        transport: Transport,
        local: SocketAddr,
        remote: Option<SocketAddr>,
        now: Instant,
        out: &mut Orders,
    ) {
        let network = NetworkId::SYSTEM;
        self.flow_came(FlowUp { network, flow, transport, local, remote }, now, out);
    }

    /// A flow is there, by whichever network.
    pub fn flow_came(&mut self, up: FlowUp, now: Instant, out: &mut Orders) {
        let FlowUp { network, flow, transport, remote, .. } = up;
        if transport.is_web() {
            self.common.flows.hide(&mut self.common.rng);
        }
        self.common.flows.up(up);
        self.common.news.push_back(News::FlowUp { flow, transport });
        if let Some(remote) = remote {
            let toward = Toward { network, transport, remote, name: Named::NOBODY };
            self.turn(now, out, |_, cx| cx.on_flow(toward, true));
        }
    }

    /// Requests by datagrams leave from a further port of that network from now on, or from the usual one again.
    pub fn switch_port(&mut self, network: NetworkId, further: bool, out: &mut Orders) {
        self.common.flows.switch_port(network);
        out.push(Order::SwitchPort { network, further });
    }

    /// A flow is gone: requests on it go elsewhere or fail; sessions live on.
    pub fn flow_down(&mut self, flow: FlowId, now: Instant, out: &mut Orders) {
        self.common.flows.down(flow);
        self.common.news.push_back(News::FlowDown { flow });
        self.common.transactions.flow_down(flow, &mut self.common.tx_news);
        self.turn(now, out, |_, _| ());
    }

    /// No flow could be had to that address, by that network.
    pub fn flow_failed(
        &mut self,
        network: NetworkId,
        transport: Transport,
        remote: SocketAddr,
        now: Instant,
        out: &mut Orders,
    ) {
        let (toward, flow) =
            self.common.flows.failed(Toward { network, transport, remote, name: Named::NOBODY });
        // A socket says so of a datagram already sent (ICMP): what waits for an answer from there waits in vain.
        if let Some(flow) = flow {
            self.common.transactions.undeliverable(flow, remote, &mut self.common.tx_news);
        }
        self.turn(now, out, |_, cx| cx.on_flow(toward, false));
    }

    /// A datagram, or a chunk of a stream in whatever sizes it comes.
    pub fn received(&mut self, flow: FlowId, from: SocketAddr, bytes: &[u8], now: Instant, out: &mut Orders) {
        self.turn(now, out, |_, cx| cx.receive(flow, from, bytes));
    }

    /// The name servers have answered.
    pub fn resolved(&mut self, query: QueryId, answer: Answer, now: Instant, out: &mut Orders) {
        if let Some(lookup) = self.common.locator.answered(query, answer) {
            self.turn(now, out, |_, cx| cx.on_located(lookup));
        }
    }

    /// Time has come to the wake asked for (early calls are harmless).
    pub fn due(&mut self, now: Instant, out: &mut Orders) {
        let common = &mut self.common;
        common.transactions.due(now, out, &mut common.tx_news);
        self.turn(now, out, |uses, cx| {
            uses.settle(cx);
            while let Some(timer) = cx.common.timers.pop_due(now) {
                uses.on_alarm(timer, cx);
            }
        });
    }

    /// A network is another, or more is known of it: whether IPv4 is reached directly there, and how else. What was learnt of
    /// servers that failed is forgotten.
    pub fn set_reach(&mut self, network: NetworkId, ipv4: bool, nat64: Translator) {
        if ipv4 && nat64 == Translator::None {
            self.common.reach.remove(&network);
        } else {
            self.common.reach.insert(network, (ipv4, nat64));
        }
        self.common.locator.forgive_all();
        self.common.requests.forget_heard();
    }

    // ---- profiles

    /// Adds or changes a profile. Sessions under way keep the manners they began with, but use its new credentials.
    pub fn set_profile(&mut self, id: ProfileId, profile: Profile) {
        self.common.set_profile(id, profile);
    }

    /// Forgets a profile. Its sessions live on.
    pub fn remove_profile(&mut self, id: ProfileId) {
        self.common.remove_profile(id);
    }

    /// The Contact value that is written in a REGISTER to where `via` came from, if its flow is still there.
    pub fn contact(&self, profile: ProfileId, via: &Source) -> Option<String> {
        let profile = &self.common.accounts.get(&profile)?.profile;
        let hop = self.common.flows.way_back(via.flow, via.remote)?;
        let address = self.common.flows.contact_address(profile.contact_address, hop);
        let carrier = (via.transport, profile.is_secure());
        Some(common::contact_value(&profile.contact_user, carrier, &address, false))
    }

    /// The network that a flow goes by, while it is there.
    pub fn network_of(&self, flow: FlowId) -> Option<NetworkId> {
        self.common.flows.network(flow)
    }

    // ---- out of dialog

    /// Sends a request outside any dialog: method, Request-URI, own header fields and body are the draft's. From, To,
    /// Call-ID, CSeq, Max-Forwards, Route, User-Agent, and Contact where the method has one, are filled in when absent;
    /// REGISTERs of one profile share a Call-ID and count up. [`News::Done`] follows.
    pub fn request(&mut self, profile: ProfileId, draft: Draft, now: Instant, out: &mut Orders) -> RequestId {
        let request = RequestId(self.common.fresh_id());
        self.turn(now, out, |_, cx| cx.request(request, profile, draft, Way::default()));
        request
    }

    /// Whether anything has answered that request of [`request`](Self::request), finally or not; it need not be over.
    pub fn is_heard(&self, request: RequestId) -> bool {
        self.common.requests.is_heard(request)
    }

    /// The same by another network than the profile's, or in place of an older binding: see [`Way`].
    pub fn request_by(
        &mut self,
        profile: ProfileId,
        draft: Draft,
        way: Way,
        now: Instant,
        out: &mut Orders,
    ) -> RequestId {
        let request = RequestId(self.common.fresh_id());
        self.turn(now, out, |_, cx| cx.request(request, profile, draft, way));
        request
    }

    /// Subscribes, and refreshes until [`unsubscribe`](Self::unsubscribe) or the notifier's end.
    pub fn subscribe(
        &mut self,
        profile: ProfileId,
        subscribe: Subscribe,
        now: Instant,
        out: &mut Orders,
    ) -> SubscriptionId {
        let id = SubscriptionId(self.common.fresh_id());
        self.turn(now, out, |uses, cx| {
            let speaks = cx.common.speaker(profile);
            let subscription = Subscription::start(id, profile, speaks, subscribe, cx);
            uses.subscriptions.insert(id, subscription);
        });
        id
    }

    /// Ends a subscription; `Notified` with `Terminated` follows.
    pub fn unsubscribe(&mut self, subscription: SubscriptionId, now: Instant, out: &mut Orders) {
        self.turn(now, out, |uses, cx| uses.subscription(subscription, cx, Subscription::unsubscribe));
    }

    /// Says where we are now, or asks for the whole state again: a refresh before its time, in the same dialog.
    pub fn resubscribe(&mut self, subscription: SubscriptionId, now: Instant, out: &mut Orders) {
        self.turn(now, out, |uses, cx| uses.subscription(subscription, cx, Subscription::again));
    }

    /// Refreshes what would be refreshed until `until` anyway: the device is awake.
    pub fn resubscribe_along(&mut self, until: Instant, now: Instant, out: &mut Orders) {
        self.turn(now, out, |uses, cx| uses.refresh_along(until, cx));
    }

    /// Forgets a subscription without a word: no news of it follows, and a NOTIFY that still comes is answered 481, which ends
    /// it at the notifier. RFC 6665 section 4.1.3.
    pub fn forget_subscription(&mut self, subscription: SubscriptionId, now: Instant, out: &mut Orders) {
        self.turn(now, out, |uses, cx| uses.subscription(subscription, cx, Subscription::forget));
    }

    // ---- calls, out

    /// Calls somebody. `Proceeding`, `Answered`, `Failed`, `Ended` follow.
    pub fn invite(
        &mut self,
        profile: ProfileId,
        invite: Invite,
        now: Instant,
        out: &mut Orders,
    ) -> SessionId {
        let id = SessionId(self.common.fresh_id());
        let replaces = invite.replaces.and_then(|other| self.uses.sessions.get(&other)?.replaces_value());
        self.turn(now, out, |uses, cx| {
            let session = Session::calling(id, profile, invite, replaces, cx);
            uses.sessions.insert(id, Box::new(session));
        });
        id
    }

    /// The Call-ID of a session; `None` while it has neither dialog nor INVITE of ours.
    pub fn call_id(&self, session: SessionId) -> Option<&str> {
        let session = self.uses.sessions.get(&session)?;
        let ours = session.seed.as_ref().map(|seed| &*seed.call_id);
        ours.or_else(|| session.legs.first().map(|leg| leg.dialog.call_id()))
    }

    /// What a Replaces header field must say so that its receiver, the other side of this session, gives our place away; for
    /// a transfer by other means than [`refer`](Self::refer). `None` while there is no dialog.
    pub fn replaces_value(&self, session: SessionId) -> Option<String> {
        self.uses.sessions.get(&session)?.replaces_value()
    }

    // ---- calls, in

    /// 180, reliably where both sides can. To an offerless INVITE that insists on reliability nothing is sent, since our
    /// offer would have to be in it: use [`progress`](Self::progress).
    pub fn ring(&mut self, session: SessionId, now: Instant, out: &mut Orders) {
        self.act(session, now, out, Session::ring);
    }

    /// 183 with our early answer (or our offer, when the INVITE had none).
    pub fn progress(&mut self, session: SessionId, sdp: Bytes, now: Instant, out: &mut Orders) {
        self.act(session, now, out, |s, cx| s.progress(sdp, cx));
    }

    /// 200 with our answer, or with our offer when the INVITE had none; left out where it has been given reliably
    /// before. Hangs up the session the INVITE replaces.
    pub fn accept(&mut self, session: SessionId, sdp: Bytes, now: Instant, out: &mut Orders) {
        self.turn(now, out, |uses, cx| {
            uses.session(session, cx, |s, cx| s.accept(sdp, cx));
            uses.replace(session, cx);
        });
    }

    /// Refuses: 302 with `contacts`, 486, 603... `reason` "" is the standard phrase.
    #[allow(clippy::too_many_arguments)]
    pub fn reject(
        &mut self,
        session: SessionId,
        status: u16,
        reason: &str,
        contacts: &[Uri],
        headers: &[(Name, String)],
        now: Instant,
        out: &mut Orders,
    ) {
        self.act(session, now, out, |s, cx| s.reject(status, reason, contacts, headers, cx));
    }

    // ---- both

    /// Ends a session as its state asks: CANCEL, BYE, or 603 to a call not yet answered. `headers` (Reason) go along.
    /// `Ended` is told at once; what the races need is done behind it.
    pub fn hang_up(
        &mut self,
        session: SessionId,
        headers: &[(Name, String)],
        now: Instant,
        out: &mut Orders,
    ) {
        self.act(session, now, out, |s, cx| s.hang_up(headers, cx));
    }

    /// Whether it is that flow that an INVITE without an answer goes by.
    pub fn rides_on(&mut self, session: SessionId, flow: FlowId, now: Instant, out: &mut Orders) -> bool {
        self.act(session, now, out, |s, cx| s.rides_on(flow, cx)).unwrap_or(false)
    }

    /// The flow that its INVITE came or went by may go without ending an unanswered call: it will be [`carry`](Self::carry)d on.
    pub fn loosen(&mut self, session: SessionId, now: Instant, out: &mut Orders) {
        self.act(session, now, out, |s, cx| s.loosen(cx));
    }

    /// What is still to be said for an INVITE that is not answered, or whose answer is not acknowledged, goes by that network:
    /// to the same neighbour where a flow leads there, else the way that `known` came. Say [`ring`](Self::ring) or
    /// [`progress`](Self::progress) again behind it: the caller learns our new Contact. `false`: there is no such way yet.
    pub fn carry(
        &mut self,
        session: SessionId,
        network: NetworkId,
        known: Option<&Source>,
        now: Instant,
        out: &mut Orders,
    ) -> bool {
        self.act(session, now, out, |s, cx| s.carry(network, known, cx)).unwrap_or(false)
    }

    /// Whether [`reoffer`](Self::reoffer) can be tried before the call is answered. RFC 3311 section 5.1.
    pub fn can_update(&self, session: SessionId) -> bool {
        self.uses.sessions.get(&session).is_some_and(|session| session.can_update())
    }

    /// About how long the head of a re-INVITE with a new description is, in the form that a long one is written in, without Via,
    /// Contact, credentials and what tells of the body: who has that many bytes and no more leaves room for them. `None`: there is
    /// no dialog in which one could be sent.
    pub fn offer_head(&self, session: SessionId) -> Option<usize> {
        self.uses.sessions.get(&session)?.offer_head()
    }

    /// Offers a new description. Glare (491) and "later" (500 with Retry-After) are retried inside; `Reanswered` or
    /// `ReofferFailed` follows.
    ///
    /// # Errors
    /// `Busy`: an exchange is under way, or the session is over: try after the next news of it.
    pub fn reoffer(
        &mut self,
        session: SessionId,
        sdp: Bytes,
        by: By,
        now: Instant,
        out: &mut Orders,
    ) -> Result<(), Busy> {
        self.act(session, now, out, |s, cx| s.reoffer(sdp, by, cx)).unwrap_or(Err(Busy))
    }

    /// The offer or refresh just made may find the dialog lost (481, 408) without ending the session: `ReofferFailed` tells, and
    /// the user calls anew in its stead ([`Invite::replaces`]), or hangs up.
    pub fn spare(&mut self, session: SessionId, now: Instant, out: &mut Orders) {
        self.act(session, now, out, |s, _| s.spare());
    }

    /// Asks for the other side's offer by a re-INVITE without one; `Reoffered` brings it, `answer_reoffer` answers.
    ///
    /// # Errors
    /// `Busy` as [`reoffer`](Self::reoffer).
    pub fn solicit(&mut self, session: SessionId, now: Instant, out: &mut Orders) -> Result<(), Busy> {
        self.act(session, now, out, Session::solicit).unwrap_or(Err(Busy))
    }

    /// Refreshes the session with what stands: an UPDATE without a body, or a re-INVITE with our last description.
    ///
    /// # Errors
    /// `Busy` as [`reoffer`](Self::reoffer).
    pub fn refresh(
        &mut self,
        session: SessionId,
        by: By,
        now: Instant,
        out: &mut Orders,
    ) -> Result<(), Busy> {
        self.act(session, now, out, |s, cx| s.refresh(by, true, cx)).unwrap_or(Err(Busy))
    }

    /// Answers `Reoffered`; gives our offer when theirs was missing.
    pub fn answer_reoffer(&mut self, session: SessionId, sdp: Bytes, now: Instant, out: &mut Orders) {
        self.act(session, now, out, |s, cx| s.answer(sdp, cx));
    }

    /// Refuses `Reoffered` (488): the old session stands.
    pub fn refuse_reoffer(&mut self, session: SessionId, status: u16, now: Instant, out: &mut Orders) {
        self.act(session, now, out, |s, cx| s.refuse(status, cx));
    }

    /// Our answer to an offer that a response brought (`Sdp::Offer`): goes in PRACK or ACK.
    pub fn ack_sdp(&mut self, session: SessionId, sdp: Bytes, now: Instant, out: &mut Orders) {
        self.act(session, now, out, |s, cx| s.answer(sdp, cx));
    }

    /// Sends INFO; `InfoDone` follows.
    pub fn info(
        &mut self,
        session: SessionId,
        content_type: &str,
        body: Bytes,
        now: Instant,
        out: &mut Orders,
    ) {
        self.act(session, now, out, |s, cx| s.info(content_type, body, cx));
    }

    /// Whether the other side of a dialog, early or not, and the only one, has said that it takes addresses that are found after
    /// the description. RFC 6086 section 5.2.
    pub fn takes_late(&self, session: SessionId) -> bool {
        self.uses.sessions.get(&session).is_some_and(|session| session.takes_late())
    }

    /// Sends addresses that were found after the description, as an INFO of the package `trickle-ice` (RFC 8840);
    /// `TrickleDone` follows, at once with 469 where [`Self::takes_late`] is not so. One at a time.
    pub fn trickle(&mut self, session: SessionId, fragment: Bytes, now: Instant, out: &mut Orders) {
        self.act(session, now, out, |s, cx| s.trickle(fragment, cx));
    }

    /// Asks the other side to call somebody else; `ReferProgress` follows.
    pub fn refer(&mut self, session: SessionId, to: ReferTo, now: Instant, out: &mut Orders) -> ReferId {
        let refer = ReferId(self.common.fresh_id());
        let replaces = to.replaces.and_then(|other| self.uses.sessions.get(&other)?.replaces_value());
        let known = self.act(session, now, out, |s, cx| s.refer(refer, &to, replaces.as_deref(), cx));
        if known.is_none() {
            let reason = phrase(481).to_owned();
            self.common.news.push_back(News::ReferProgress {
                refer,
                session,
                status: 481,
                reason,
                done: true,
            });
        }
        refer
    }

    /// 202 to `Referred`, and the first NOTIFY (100).
    pub fn accept_refer(&mut self, refer: ReferId, now: Instant, out: &mut Orders) {
        self.turn(now, out, |uses, cx| {
            if cx.accept_refer(refer) {
                uses.report(refer, 100, "", cx);
            }
        });
    }

    /// Refuses `Referred`: 603, 400...
    pub fn refuse_refer(&mut self, refer: ReferId, status: u16, now: Instant, out: &mut Orders) {
        self.turn(now, out, |_, cx| cx.refuse_refer(refer, status));
    }

    /// Reports on an accepted refer; a final status is its last.
    pub fn notify_refer(
        &mut self,
        refer: ReferId,
        status: u16,
        reason: &str,
        now: Instant,
        out: &mut Orders,
    ) {
        self.turn(now, out, |uses, cx| uses.report(refer, status, reason, cx));
    }

    /// What the transaction layer has seen, for diagnostics.
    pub const fn counters(&self) -> &Counters {
        self.common.transactions.counters()
    }

    /// Datagrams and framed messages that were no SIP.
    pub const fn malformed(&self) -> u64 {
        self.common.malformed
    }

    /// Requests dropped because they came by another lane than that of whom they are for.
    pub const fn misplaced(&self) -> u64 {
        self.common.misplaced
    }

    /// Streams closed because what came on them could not be read on.
    pub const fn broken_streams(&self) -> u64 {
        self.common.flows.broken_streams
    }

    /// One turn, and everything that follows from it.
    fn turn<R>(
        &mut self,
        now: Instant,
        out: &mut Orders,
        act: impl FnOnce(&mut Uses, &mut Cx<'_>) -> R,
    ) -> R {
        let mut cx = Cx { common: &mut self.common, now, out };
        let result = act(&mut self.uses, &mut cx);
        self.uses.settle(&mut cx);
        result
    }

    /// One turn of one session. `None`: there is no such session (any more).
    fn act<R>(
        &mut self,
        session: SessionId,
        now: Instant,
        out: &mut Orders,
        act: impl FnOnce(&mut Session, &mut Cx<'_>) -> R,
    ) -> Option<R> {
        self.turn(now, out, |uses, cx| uses.session(session, cx, act))
    }
}
