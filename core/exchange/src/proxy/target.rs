//! Where a request shall go: the location service's answer.
//!
//! RFC 3261 section 16.5, RFC 3327 section 5.4 (Path), RFC 5626 section 7 (one flow of a phone at a time). Knows no
//! transactions.

use std::borrow::Cow;
use std::collections::VecDeque;

use base::Transport;
use sip::locate;
use sip::message::{Host, Method, Scheme, UriRef};
use sip::transaction::Hop;

use super::route::{Own, Routed};
use crate::bindings::{Binding, Bindings, Way};
use crate::redirect;

/// How a target's next hop is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Along a flow that is known.
    Flow(Hop),
    /// At a configured address.
    Fixed(locate::Target),
    /// From the topmost Route or the Request-URI. RFC 3263.
    Locate,
}

/// One place to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The Request-URI there.
    pub(crate) uri: String,
    /// Preference in thousandths; equals are tried together.
    pub(crate) q: u16,
    /// Next hop.
    pub(crate) next: Next,
    /// The proxies on the way, before those that the request itself names.
    pub(crate) path: Box<[Box<str>]>,
    /// Other flows of the same phone, for when this one has failed.
    pub(crate) spares: Vec<Target>,
}

impl Target {
    fn to(uri: &str, next: Next) -> Self {
        Self { uri: uri.into(), q: 1000, next, path: Box::default(), spares: Vec::new() }
    }
}

/// The answer to "where to".
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Whereto {
    /// To these, the most preferred first.
    Forward(VecDeque<Target>),
    /// To the exchange itself.
    Here,
    /// Elsewhere: 302 to this URI.
    Moved(String),
    /// Nowhere.
    Nowhere(u16, &'static str),
}

/// Finds the targets of a request. `trusted`: its sender may use the exchange to reach other domains.
pub(crate) fn targets<B: Bindings>(
    routed: &Routed,
    method: &Method,
    trusted: bool,
    own: &Own<'_>,
    bindings: &B,
    wall: u64,
) -> Whereto {
    let Ok(uri) = UriRef::read(routed.uri.as_bytes()) else { return Whereto::Nowhere(400, "") };
    let one = |next| Whereto::Forward(VecDeque::from([Target::to(&routed.uri, next)]));
    // A phone may have come to another address within the call: how it is registered there is newer than the call's mark.
    let bound = || bound_as(&uri, bindings, wall).and_then(|way| own.ways.back(way));
    let flow = routed.toward.and_then(|end| bound().or_else(|| own.ways.toward(&end)));
    if let Some(hop) = flow {
        return one(Next::Flow(hop));
    }
    let number = match uri.scheme {
        Scheme::Other => return Whereto::Nowhere(416, ""),
        Scheme::Tel => Cow::Owned(uri.user.unwrap_or("").replace(['-', '.', '(', ')'], "")),
        Scheme::Sip | Scheme::Sips if uri.params.has("maddr") || !own.is(&uri) => {
            return if !trusted {
                Whereto::Nowhere(403, "Relaying Denied")
            } else if let Some(fixed) = configured(&uri, own) {
                one(Next::Fixed(fixed))
            } else {
                one(Next::Locate)
            };
        }
        Scheme::Sip | Scheme::Sips => uri.user_decoded(),
    };
    if number.is_empty() {
        return match method {
            Method::Options => Whereto::Here,
            _ => Whereto::Nowhere(404, ""),
        };
    }
    if own.config.users.contains_key(number.as_ref()) {
        let live = bindings.of(&number).iter().filter(|b| b.expires_at > wall);
        let targets = from_bindings(live, own);
        return if targets.is_empty() { Whereto::Nowhere(480, "") } else { Whereto::Forward(targets) };
    }
    match redirect::moved(&own.config.redirects, &number) {
        Some(contact) => Whereto::Moved(contact),
        None => Whereto::Nowhere(404, ""),
    }
}

/// The way of the binding that has this very URI as its contact.
fn bound_as<'a, B: Bindings>(uri: &UriRef<'_>, bindings: &'a B, wall: u64) -> Option<&'a Way> {
    let live = bindings.of(&uri.user_decoded()).iter().filter(|b| b.expires_at > wall && b.path.is_empty());
    let same = |b: &&Binding| UriRef::read(b.contact.as_bytes()).is_ok_and(|contact| contact.equals(uri));
    live.filter(same).max_by_key(|b| b.expires_at)?.way.as_ref()
}

fn configured(uri: &UriRef<'_>, own: &Own<'_>) -> Option<locate::Target> {
    let Host::Name(domain) = uri.host else { return None };
    let addr = own.config.route_to(domain)?;
    Some(locate::Target { transport: uri.transport().unwrap_or(Transport::Udp), addr })
}

/// Targets by preference; the flows of one phone (one instance) are one target, its newest flow first.
fn from_bindings<'a>(live: impl Iterator<Item = &'a Binding>, own: &Own<'_>) -> VecDeque<Target> {
    let mut live: Vec<&Binding> = live.collect();
    live.sort_by_key(|b| std::cmp::Reverse((b.q, b.expires_at)));
    let mut targets: Vec<(&Binding, Target)> = Vec::new();
    for b in live {
        let next = match b.way.as_ref().and_then(|way| own.ways.back(way)) {
            Some(hop) if b.path.is_empty() => Next::Flow(hop),
            Some(_) | None => Next::Locate,
        };
        let target = Target { q: b.q, path: b.path.clone(), ..Target::to(&b.contact, next) };
        let same = |(other, _): &&mut (&Binding, Target)| b.reg_id.is_some() && other.instance == b.instance;
        match targets.iter_mut().find(same) {
            Some((_, first)) => first.spares.push(target),
            None => targets.push((b, target)),
        }
    }
    targets.into_iter().map(|(_, target)| target).collect()
}
