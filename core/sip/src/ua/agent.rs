//! The agent's door: commands and news in, orders and news out. Dispatch only; each matter has its own file.
//!
//! RFC 3261 section 8. Knows what owns each dialog and each transaction, and nothing of what they do with them.

use std::net::SocketAddr;

use base::{FlowId, Instant, QueryId, Rng, Transport, Wake};
use bytes::Bytes;

use super::*;
use crate::locate::Answer;
use crate::message::{Draft, Name, Uri};
use crate::order::Orders;

/// A SIP user agent without sockets, clock or policy. RFC 3261 section 6: both client and server.
///
/// After every call drain [`poll_news`](Self::poll_news) and carry out what was put into `out`.
#[derive(Debug)]
pub struct Agent {}

impl Agent {
    /// An agent with no profiles and no flows. Everything it draws comes from `rng`.
    pub fn new(config: AgentConfig, rng: Rng) -> Self {
        let _ = (config, rng);
        Self {}
    }

    /// The next thing to tell, oldest first.
    pub fn poll_news(&mut self) -> Option<News> {
        None
    }

    /// When [`due`](Self::due) wants to be called if nothing happens.
    pub fn next_wake(&self) -> Option<Wake> {
        None
    }

    /// Whether nothing is under way any more: no session (its BYE answered), no request.
    pub fn is_idle(&self) -> bool {
        true
    }

    // ---- news from below

    /// A flow is there. `remote` is `None` for a listening UDP socket; `local` is an address others can use.
    pub fn flow_up(
        &mut self,
        flow: FlowId,
        transport: Transport,
        local: SocketAddr,
        remote: Option<SocketAddr>,
        now: Instant,
        out: &mut Orders,
    ) {
        let _ = (flow, transport, local, remote, now, out);
    }

    /// A flow is gone: requests on it go elsewhere or fail; sessions live on.
    pub fn flow_down(&mut self, flow: FlowId, now: Instant, out: &mut Orders) {
        let _ = (flow, now, out);
    }

    /// No flow could be had to that address.
    pub fn flow_failed(&mut self, transport: Transport, remote: SocketAddr, now: Instant, out: &mut Orders) {
        let _ = (transport, remote, now, out);
    }

    /// A datagram, or a chunk of a stream in whatever sizes it comes.
    pub fn received(&mut self, flow: FlowId, from: SocketAddr, bytes: &[u8], now: Instant, out: &mut Orders) {
        let _ = (flow, from, bytes, now, out);
    }

    /// The name servers have answered.
    pub fn resolved(&mut self, query: QueryId, answer: Answer, now: Instant, out: &mut Orders) {
        let _ = (query, answer, now, out);
    }

    /// Time has come to the wake asked for (early calls are harmless).
    pub fn due(&mut self, now: Instant, out: &mut Orders) {
        let _ = (now, out);
    }

    // ---- profiles

    /// Adds or changes a profile. Sessions under way keep the manners they began with, but use its new credentials.
    pub fn set_profile(&mut self, id: ProfileId, profile: Profile) {
        let _ = (id, profile);
    }

    /// Forgets a profile. Its sessions live on.
    pub fn remove_profile(&mut self, id: ProfileId) {
        let _ = id;
    }

    /// The Contact value that would be written toward `remote` by that transport, if a flow reaches it.
    pub fn contact(&self, profile: ProfileId, transport: Transport, remote: SocketAddr) -> Option<String> {
        let _ = (profile, transport, remote);
        None
    }

    // ---- out of dialog

    /// Sends a request outside any dialog: method, Request-URI, own header fields and body are the draft's. From, To,
    /// Call-ID, CSeq, Max-Forwards, Route, User-Agent, and Contact where the method has one, are filled in when absent;
    /// REGISTERs of one profile share a Call-ID and count up. [`News::Done`] follows.
    pub fn request(&mut self, profile: ProfileId, draft: Draft, now: Instant, out: &mut Orders) -> RequestId {
        let _ = (profile, draft, now, out);
        RequestId(0)
    }

    /// Subscribes, and refreshes until [`unsubscribe`](Self::unsubscribe) or the notifier's end.
    pub fn subscribe(
        &mut self,
        profile: ProfileId,
        subscribe: Subscribe,
        now: Instant,
        out: &mut Orders,
    ) -> SubscriptionId {
        let _ = (profile, subscribe, now, out);
        SubscriptionId(0)
    }

    /// Ends a subscription; `Notified` with `Terminated` follows.
    pub fn unsubscribe(&mut self, subscription: SubscriptionId, now: Instant, out: &mut Orders) {
        let _ = (subscription, now, out);
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
        let _ = (profile, invite, now, out);
        SessionId(0)
    }

    // ---- calls, in

    /// 180, reliably where both sides can. To an offerless INVITE that insists on reliability nothing is sent, since our
    /// offer would have to be in it: use [`progress`](Self::progress).
    pub fn ring(&mut self, session: SessionId, now: Instant, out: &mut Orders) {
        let _ = (session, now, out);
    }

    /// 183 with our early answer (or our offer, when the INVITE had none).
    pub fn progress(&mut self, session: SessionId, sdp: Bytes, now: Instant, out: &mut Orders) {
        let _ = (session, sdp, now, out);
    }

    /// 200 with our answer, or with our offer when the INVITE had none; left out where it has been given reliably
    /// before. Hangs up the session the INVITE replaces.
    pub fn accept(&mut self, session: SessionId, sdp: Bytes, now: Instant, out: &mut Orders) {
        let _ = (session, sdp, now, out);
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
        let _ = (session, status, reason, contacts, headers, now, out);
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
        let _ = (session, headers, now, out);
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
        let _ = (session, sdp, by, now, out);
        Err(Busy)
    }

    /// Asks for the other side's offer by a re-INVITE without one; `Reoffered` brings it, `answer_reoffer` answers.
    ///
    /// # Errors
    /// `Busy` as [`reoffer`](Self::reoffer).
    pub fn solicit(&mut self, session: SessionId, now: Instant, out: &mut Orders) -> Result<(), Busy> {
        let _ = (session, now, out);
        Err(Busy)
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
        let _ = (session, by, now, out);
        Err(Busy)
    }

    /// Answers `Reoffered`; gives our offer when theirs was missing.
    pub fn answer_reoffer(&mut self, session: SessionId, sdp: Bytes, now: Instant, out: &mut Orders) {
        let _ = (session, sdp, now, out);
    }

    /// Refuses `Reoffered` (488): the old session stands.
    pub fn refuse_reoffer(&mut self, session: SessionId, status: u16, now: Instant, out: &mut Orders) {
        let _ = (session, status, now, out);
    }

    /// Our answer to an offer that a response brought (`Sdp::Offer`): goes in PRACK or ACK.
    pub fn ack_sdp(&mut self, session: SessionId, sdp: Bytes, now: Instant, out: &mut Orders) {
        let _ = (session, sdp, now, out);
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
        let _ = (session, content_type, body, now, out);
    }

    /// Asks the other side to call somebody else; `ReferProgress` follows.
    pub fn refer(&mut self, session: SessionId, to: ReferTo, now: Instant, out: &mut Orders) -> ReferId {
        let _ = (session, to, now, out);
        ReferId(0)
    }

    /// 202 to `Referred`, and the first NOTIFY (100).
    pub fn accept_refer(&mut self, refer: ReferId, now: Instant, out: &mut Orders) {
        let _ = (refer, now, out);
    }

    /// Refuses `Referred`: 603, 400...
    pub fn refuse_refer(&mut self, refer: ReferId, status: u16, now: Instant, out: &mut Orders) {
        let _ = (refer, status, now, out);
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
        let _ = (refer, status, reason, now, out);
    }
}
