//! The response context: one request, where it was sent, and what came back.
//!
//! RFC 3261 sections 16.6 to 16.10, RFC 4320 (no 408 to anything but INVITE), RFC 5393 section 5.3.3 (Max-Breadth),
//! RFC 3263 section 4.3 (the next server when one fails). Lives as long as its client transactions.

use std::collections::VecDeque;
use std::time::Duration;

use base::Transport;
use sip::message::{Draft, Host, Message, Method, Name, UriRef};
use sip::transaction::{Hop, Source, TxId};

use super::best::{best, upstream};
use super::route::{self, Routed, Side};
use super::search::{Search, Step};
use super::target::{Next, Target};
use super::{Desk, Links, Waiter, forward};
use crate::identity::Asserted;

/// The most that one request may be forked at a time, here and behind us. RFC 5393 section 5.3.3.
const MAX_BREADTH: usize = 60;

/// Why a branch is called off. RFC 3326 section 2: phones that were only called on the side show no missed call then.
const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

/// What was asked, kept while there is a use for it: to fork again, or to answer ourselves.
pub(crate) struct Asked {
    pub(crate) message: Message,
    pub(crate) source: Source,
    pub(crate) routed: Routed,
    /// For the branch of each copy. RFC 5393 section 4.2.1.
    pub(crate) mark: String,
    /// What the called are told of who calls.
    pub(crate) asserted: Asserted,
}

/// Where the search stands.
///
/// ```text
/// Searching --6xx, CANCEL--> Winding --all branches settled--> Answered
///     |--2xx--------------------------------------------------> Answered
///     `--no target left, all branches settled-----------------> Answered
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Branches may be begun.
    Searching,
    /// No more branches; those that are out are being called off.
    Winding,
    /// The final response is out. Only further 2xx pass.
    Answered,
}

pub(super) struct Branch {
    pub(super) target: Target,
    breadth: usize,
    search: Search,
    pub(super) tx: Option<TxId>,
    settled: bool,
    called_off: Option<Why>,
    /// What the addresses tried so far came to.
    last: Option<Final>,
}

/// Why a branch was called off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// Its answer is not wanted any more.
    Settled,
    /// Timer C.
    RangTooLong,
}

enum Final {
    Theirs(Message),
    Ours(u16),
}

impl Final {
    fn status(&self) -> u16 {
        match self {
            Self::Theirs(message) => message.status().unwrap_or(500),
            Self::Ours(status) => *status,
        }
    }
}

/// One request being proxied.
pub(super) struct Context {
    server: TxId,
    method: Method,
    asked: Option<Box<Asked>>,
    state: State,
    /// Targets not tried yet, the most preferred first.
    pending: VecDeque<Target>,
    branches: Vec<Branch>,
    finals: Vec<Final>,
    /// Incoming Max-Breadth.
    breadth: usize,
    /// Client transactions that have not finished.
    live: usize,
}

impl Context {
    pub(super) fn new(server: TxId, asked: Asked, targets: VecDeque<Target>) -> Self {
        let wish = asked.message.number(Name::MaxBreadth).map_or(MAX_BREADTH, |n| n as usize);
        Self {
            server,
            method: asked.message.method(),
            asked: Some(Box::new(asked)),
            state: State::Searching,
            pending: targets,
            branches: Vec::new(),
            finals: Vec::new(),
            breadth: wish.min(MAX_BREADTH),
            live: 0,
        }
    }

    /// Whether nothing can come of it any more.
    pub(super) fn is_over(&self) -> bool {
        self.state == State::Answered && self.live == 0
    }

    /// An INVITE whose caller has its final response.
    pub(super) fn is_answered_call(&self) -> bool {
        self.state == State::Answered && self.is_invite()
    }

    /// Those that are not settled.
    pub(super) fn branches_mut(&mut self) -> impl Iterator<Item = &mut Branch> {
        self.branches.iter_mut().filter(|branch| !branch.settled)
    }

    fn is_invite(&self) -> bool {
        self.method == Method::Invite
    }

    /// Begins as many branches as may be begun, and answers when none is left.
    pub(super) fn go_on(&mut self, links: &mut Links, desk: &mut Desk<'_>) {
        while self.state == State::Searching {
            let Some(first) = self.pending.front() else { break };
            let open = self.branches.iter().filter(|b| !b.settled);
            let (used, q) = (open.clone().map(|b| b.breadth).sum::<usize>(), first.q);
            // A less preferred target waits until the more preferred ones have refused.
            if open.map(|b| b.target.q).any(|open| open > q) {
                break;
            }
            let free = self.breadth.saturating_sub(used);
            let group = self.pending.iter().take_while(|t| t.q == q).count();
            let now = group.min(free);
            if now == 0 {
                if self.breadth == 0 {
                    self.finals.push(Final::Ours(440));
                    self.pending.clear();
                }
                break;
            }
            for target in self.pending.drain(..now).collect::<Vec<_>>() {
                self.branches.push(Branch {
                    search: Search::new(target.next),
                    target,
                    breadth: free / now,
                    tx: None,
                    settled: false,
                    called_off: None,
                    last: None,
                });
                self.launch(self.branches.len() - 1, links, desk);
            }
        }
        self.conclude(desk);
    }

    /// A branch that waited for a name or a connection goes on.
    pub(super) fn resume(&mut self, index: usize, links: &mut Links, desk: &mut Desk<'_>) {
        if self.branches.get(index).is_some_and(|b| !b.settled && b.tx.is_none()) {
            self.launch(index, links, desk);
            self.go_on(links, desk);
        }
    }

    /// A branch came to nothing without an answer (408 or 503): on to the next address, or the phone's next flow.
    pub(super) fn fell_through(&mut self, index: usize, status: u16, links: &mut Links, desk: &mut Desk<'_>) {
        if self.branches.get(index).is_some_and(|b| !b.settled) {
            self.failed(index, Final::Ours(status), None, links, desk);
        }
    }

    /// Takes a response from the client transaction of a branch.
    pub(super) fn answered(
        &mut self,
        index: usize,
        response: Message,
        links: &mut Links,
        desk: &mut Desk<'_>,
    ) {
        let Some(branch) = self.branches.get_mut(index) else { return };
        let status = response.status().unwrap_or(500);
        if status != 503 {
            branch.search.worked(desk);
        }
        match status {
            // RFC 3261 section 16.7 item 5, and RFC 4320 section 4.2 for all but INVITE.
            ..=100 => {}
            101..=199 => {
                if let Some(tx) = branch.tx.filter(|_| self.method == Method::Invite) {
                    links.timer_c.set(tx, desk.now + desk.config.timer_c);
                    if self.state != State::Answered {
                        desk.transactions.respond(
                            self.server,
                            forward::back(&response, &[]),
                            desk.now,
                            desk.out,
                        );
                    }
                }
            }
            200..=299 => {
                self.settle(index, links, desk);
                // Each 2xx to an INVITE is another dialog, and its caller must know of it. RFC 3261 section 16.7 item 5.
                if self.is_invite() || self.state != State::Answered {
                    desk.transactions.respond(self.server, forward::back(&response, &[]), desk.now, desk.out);
                }
                self.end();
                self.call_off(Some(ELSEWHERE), links, desk);
            }
            300.. if branch.settled => {}
            430 | 503 => {
                let retry_after = response.retry_after().map(|s| Duration::from_secs(s.into()));
                self.failed(index, Final::Theirs(response), retry_after, links, desk);
            }
            300.. => {
                branch.last = Some(Final::Theirs(response));
                self.settle(index, links, desk);
                if status >= 600 && self.state == State::Searching {
                    self.wind(None, links, desk);
                }
                self.go_on(links, desk);
            }
        }
    }

    /// The caller gave up. RFC 3261 section 16.10.
    pub(super) fn cancel(&mut self, reason: Option<&str>, links: &mut Links, desk: &mut Desk<'_>) {
        match self.state {
            State::Searching => self.wind(reason, links, desk),
            State::Winding => {}
            // Too late: the caller has its answer. RFC 3261 section 9.2.
            State::Answered => return,
        }
        // Nobody was asked yet: the 487 is ours to give.
        if self.finals.is_empty() && self.branches.iter().all(|b| b.settled) {
            self.finals.push(Final::Ours(487));
        }
        self.go_on(links, desk);
    }

    /// Timer C: an INVITE has rung too long. RFC 3261 section 16.8.
    pub(super) fn rang_too_long(&mut self, index: usize, desk: &mut Desk<'_>) {
        if let Some(branch) = self.branches.get_mut(index).filter(|b| !b.settled && b.called_off.is_none())
            && let Some(tx) = branch.tx
        {
            branch.called_off = Some(Why::RangTooLong);
            desk.transactions.cancel(tx, &[], desk.now, desk.out);
        }
    }

    /// A client transaction is gone.
    pub(super) fn finished(&mut self) {
        self.live = self.live.saturating_sub(1);
    }

    /// The server transaction is gone: whatever still waits is called off.
    pub(super) fn deserted(&mut self, links: &mut Links, desk: &mut Desk<'_>) {
        self.end();
        self.call_off(None, links, desk);
    }

    /// Sends the branch to its next hop, has it wait for a name or a connection, or settles it when neither is left.
    fn launch(&mut self, index: usize, links: &mut Links, desk: &mut Desk<'_>) {
        let Some(asked) = &self.asked else { return };
        let waiter = Waiter::Branch(self.server, index);
        loop {
            let branch = &mut self.branches[index];
            let realm = &desk.config.domain;
            let mut copy = forward::copy(
                &asked.message,
                &asked.routed,
                &branch.target,
                branch.breadth,
                realm,
                &asked.asserted,
            );
            match branch.search.next_hop(copy.toward(), waiter, links, desk) {
                Step::Wait => return,
                Step::Send(hop) => {
                    if route::is_recorded(&self.method) {
                        let call_id = asked.message.call_id().unwrap_or("").as_bytes();
                        let up = Side::upstream(&asked.message, &asked.source);
                        let down = Side::downstream(&hop, branch.is_bound(&hop));
                        let secure = copy.is_secure();
                        route::record(&mut copy.draft, desk.mint, call_id, secure, up, down);
                    }
                    let tx =
                        desk.transactions.request_marked(copy.draft, hop, &asked.mark, desk.now, desk.out);
                    branch.tx = Some(tx);
                    self.live += 1;
                    links.clients.insert(tx, (self.server, index));
                    if self.method == Method::Invite {
                        links.timer_c.set(tx, desk.now + desk.config.timer_c);
                    }
                    return;
                }
                Step::Fail(status) => {
                    branch.last.get_or_insert(Final::Ours(status));
                }
            }
            if branch.target.spares.is_empty() {
                return self.settle(index, links, desk);
            }
            branch.search.end(links, desk);
            let mut spares = std::mem::take(&mut branch.target.spares);
            branch.target = Target { spares: spares.split_off(1), ..spares.remove(0) };
            branch.search = Search::new(branch.target.next);
        }
    }

    /// The address a branch was sent to does not work: the next one, if there is still a use for it.
    fn failed(
        &mut self,
        index: usize,
        how: Final,
        retry_after: Option<Duration>,
        links: &mut Links,
        desk: &mut Desk<'_>,
    ) {
        let branch = &mut self.branches[index];
        branch.tx = None;
        branch.last = Some(how);
        branch.search.failed(retry_after, desk);
        if self.state == State::Searching && branch.called_off.is_none() {
            self.launch(index, links, desk);
        } else {
            self.settle(index, links, desk);
        }
        self.go_on(links, desk);
    }

    /// No more is expected of a branch; what it came to is a candidate.
    fn settle(&mut self, index: usize, links: &mut Links, desk: &mut Desk<'_>) {
        let branch = &mut self.branches[index];
        branch.settled = true;
        branch.search.end(links, desk);
        let last = branch.last.take();
        self.finals.extend(match branch.called_off {
            Some(Why::RangTooLong) => Some(Final::Ours(408)),
            Some(Why::Settled) | None => last,
        });
    }

    fn wind(&mut self, reason: Option<&str>, links: &mut Links, desk: &mut Desk<'_>) {
        self.state = State::Winding;
        self.pending.clear();
        self.call_off(reason, links, desk);
    }

    /// Cancels every branch that is out. RFC 3261 section 16.7 item 10. Only INVITEs can be (section 9.1).
    fn call_off(&mut self, reason: Option<&str>, links: &mut Links, desk: &mut Desk<'_>) {
        let extra: Vec<(Name, String)> = reason.iter().map(|r| (Name::Reason, String::from(*r))).collect();
        for index in 0..self.branches.len() {
            let branch = &mut self.branches[index];
            match branch.tx {
                _ if branch.settled || branch.called_off.is_some() => {}
                Some(tx) if self.method == Method::Invite => {
                    branch.called_off = Some(Why::Settled);
                    desk.transactions.cancel(tx, &extra, desk.now, desk.out);
                }
                Some(_) => {}
                None => self.settle(index, links, desk),
            }
        }
    }

    /// Answers when all is said. RFC 3261 section 16.7 item 6.
    fn conclude(&mut self, desk: &mut Desk<'_>) {
        if self.state == State::Answered
            || !self.pending.is_empty()
            || self.branches.iter().any(|b| !b.settled)
        {
            return;
        }
        let Some(asked) = &self.asked else { return };
        let chosen = best(self.finals.iter().map(Final::status)).map(|i| &self.finals[i]);
        let status = upstream(chosen.map_or(408, Final::status));
        if status == 408 && !self.is_invite() {
            // RFC 4320 section 4.1: the caller has given up by now, and a 408 would be blamed on us.
            desk.transactions.abandon(self.server);
            return self.end();
        }
        let draft: Draft = match chosen {
            Some(Final::Theirs(message)) if message.status() == Some(status) => {
                let others = self.finals.iter().filter_map(|f| match f {
                    Final::Theirs(other) if !std::ptr::eq(other, message) => Some(other),
                    Final::Theirs(_) | Final::Ours(_) => None,
                });
                let challenges = match status {
                    401 | 407 => others
                        .filter(|m| matches!(m.status(), Some(401 | 407)))
                        .flat_map(forward::challenges)
                        .collect(),
                    _ => Vec::new(),
                };
                forward::back(message, &challenges)
            }
            Some(Final::Theirs(_) | Final::Ours(_)) | None => desk.answer().to(&asked.message, status, ""),
        };
        desk.transactions.respond(self.server, draft, desk.now, desk.out);
        self.end();
    }

    /// Nothing is kept any more but the branches, whose late 2xx still pass.
    fn end(&mut self) {
        self.state = State::Answered;
        self.asked = None;
        self.pending = VecDeque::new();
        self.finals = Vec::new();
    }
}

impl Branch {
    /// Whether only this flow leads there: a stream, or a datagram's way that the contact itself does not tell.
    fn is_bound(&self, hop: &Hop) -> bool {
        let Next::Flow(_) = self.target.next else { return false };
        let told = UriRef::read(self.target.uri.as_bytes()).is_ok_and(|uri| {
            let port = uri.port.unwrap_or(hop.transport.default_port());
            match uri.host {
                Host::V4(ip) => hop.remote == (ip, port).into(),
                Host::V6(ip) => hop.remote == (ip, port).into(),
                Host::Name(_) => false,
            }
        });
        hop.transport != Transport::Udp || !told
    }
}
