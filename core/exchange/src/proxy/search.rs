//! The search for one target's next hop: a known flow, a configured address, or names and connections to wait for.
//!
//! RFC 3261 section 16.6 item 7, RFC 3263. Knows addresses; what is to be sent there it does not.

use sip::locate::{self, Exhausted, LookupId, Next as Located, Policy};
use sip::message::UriRef;
use sip::transaction::Hop;

use super::target::Next;
use super::{Desk, Links, Waiter};
use crate::ways::Reach;

/// What a search has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Send there.
    Send(Hop),
    /// The waiter is told when to ask again.
    Wait,
    /// Nothing (more) to try; the status that says why.
    Fail(u16),
}

/// What decides the next hop where it is not known yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Toward<'a> {
    /// The topmost Route's or the Request-URI.
    pub(super) uri: &'a str,
    /// Whether the request had better go by TCP. RFC 3261 section 18.1.1. Along a known flow it stays on that: nothing
    /// else may lead there.
    pub(super) large: bool,
}

/// One search.
#[derive(Debug)]
pub(super) struct Search {
    next: Next,
    /// Whether a known flow or address has been given out: it is once.
    tried: bool,
    lookup: Option<LookupId>,
    /// The address being tried.
    at: Option<locate::Target>,
}

impl Search {
    pub(super) fn new(next: Next) -> Self {
        Self { next, tried: false, lookup: None, at: None }
    }

    /// The next hop, or what must be waited for. After a failure ([`Search::failed`]) the one after it.
    pub(super) fn next_hop(
        &mut self,
        toward: Toward<'_>,
        waiter: Waiter,
        links: &mut Links,
        desk: &mut Desk<'_>,
    ) -> Step {
        loop {
            let at = match (self.at, self.next) {
                (Some(at), _) => at,
                // A connection that broke may be made again, where the contact can be dialled.
                (None, Next::Flow(hop)) if self.tried && hop.transport.is_reliable() => {
                    self.next = Next::Locate;
                    continue;
                }
                (None, Next::Flow(_) | Next::Fixed(_)) if self.tried => return Step::Fail(503),
                (None, Next::Flow(hop)) => {
                    self.tried = true;
                    return Step::Send(hop);
                }
                (None, Next::Fixed(at)) => {
                    self.tried = true;
                    at
                }
                (None, Next::Locate) => match self.locate(toward, desk) {
                    Ok(Some(at)) => at,
                    Ok(None) => {
                        if let Some(id) = self.lookup {
                            links.lookups.insert(id, waiter);
                        }
                        return Step::Wait;
                    }
                    Err(status) => return Step::Fail(status),
                },
            };
            self.at = Some(at);
            match desk.ways.reach(at.transport, at.addr) {
                Reach::Now(hop) => return Step::Send(hop),
                Reach::Soon => {
                    links.wait_for_flow(at, waiter, desk.out);
                    return Step::Wait;
                }
                Reach::Never => self.at = None,
            }
        }
    }

    /// The address (or flow) last given out does not work, for as long as `retry_after` says.
    pub(super) fn failed(&mut self, retry_after: Option<std::time::Duration>, desk: &mut Desk<'_>) {
        if let Some(at) = self.at.take() {
            desk.locator.failed(at, retry_after, desk.now);
        }
    }

    /// The address last given out has answered.
    pub(super) fn worked(&mut self, desk: &mut Desk<'_>) {
        if let Some(at) = self.at {
            desk.locator.worked(at);
        }
    }

    /// No more is wanted.
    pub(super) fn end(&mut self, links: &mut Links, desk: &mut Desk<'_>) {
        if let Some(id) = self.lookup.take() {
            links.lookups.remove(&id);
            desk.locator.finish(id);
        }
    }

    fn locate(&mut self, toward: Toward<'_>, desk: &mut Desk<'_>) -> Result<Option<locate::Target>, u16> {
        let id = if let Some(id) = self.lookup {
            id
        } else {
            let uri = UriRef::read(toward.uri.as_bytes()).map_err(|_| 400_u16)?;
            let (ipv4, ipv6) = desk.ways.families();
            *self.lookup.insert(
                desk.locator.start(&uri, &Policy { ipv4, ipv6, large: toward.large, ..Policy::default() }),
            )
        };
        match desk.locator.next(id, desk.now, desk.out) {
            Located::Target(at) => Ok(Some(at)),
            Located::Wait => Ok(None),
            Located::Exhausted(Exhausted::NotFound) => Err(404),
            Located::Exhausted(Exhausted::Unusable) => Err(416),
            Located::Exhausted(Exhausted::NameServersFailed | Exhausted::AllTried) => Err(503),
        }
    }
}
