//! The copy of a request that goes to one target, and the response that comes back from it.
//!
//! RFC 3261 section 16.6 items 1 to 6, section 16.7 items 3 and 7, RFC 5393 section 5.3.3. The Via is the transaction
//! layer's.

use sip::message::{Draft, Form, Message, Name, NameAddr, Scheme, UriRef};

use super::route::Routed;
use super::search::Toward;
use super::target::Target;
use crate::identity::Asserted;

/// More than this is too much for a datagram on a path that nobody has measured. RFC 3261 section 18.1.1.
const LARGEST_DATAGRAM: usize = 1300;

/// What a copy still gets on its way out, about.
const VIA_AND_RECORD_ROUTE: usize = 200;

/// What a request may pass at most, when it does not say. RFC 3261 section 16.6 item 3.
const MAX_FORWARDS: u8 = 70;

/// A copy on its way.
pub(super) struct Copied {
    pub(super) draft: Draft,
    /// The URI that decides its next hop.
    next: String,
}

impl Copied {
    /// What the search for its next hop goes by.
    pub(super) fn toward(&self) -> Toward<'_> {
        let size = self.draft.len(Form::Full) + VIA_AND_RECORD_ROUTE;
        Toward { uri: &self.next, large: size > LARGEST_DATAGRAM }
    }

    /// Whether the next hop is to be reached securely.
    pub(super) fn is_secure(&self) -> bool {
        UriRef::read(self.next.as_bytes()).is_ok_and(|uri| uri.scheme == Scheme::Sips)
    }
}

/// The request for `target`, but for Via and Record-Route.
pub(super) fn copy(
    request: &Message,
    routed: &Routed,
    target: &Target,
    breadth: usize,
    realm: &str,
    asserted: &Asserted,
) -> Copied {
    let mut draft = Draft::from_message(request);
    draft.set(Name::MaxForwards, request.max_forwards().map_or(MAX_FORWARDS, |n| n.saturating_sub(1)));
    draft.set(Name::MaxBreadth, breadth);
    strip_credentials(&mut draft, request, realm);
    asserted.put(&mut draft);
    let mut routes: Vec<&str> =
        target.path.iter().map(|p| &**p).chain(routed.routes.iter().map(String::as_str)).collect();
    let first = routes.first().and_then(|route| NameAddr::read(route.as_bytes()).ok());
    let last;
    let (uri, next) = match first {
        None => (&*target.uri, &*target.uri),
        Some(first) if first.uri().is_loose() => (&*target.uri, first.uri_text()),
        // The next hop is a strict router: it finds itself in the Request-URI, and the target behind the routes.
        Some(first) => {
            last = format!("<{}>", target.uri);
            routes.remove(0);
            routes.push(&last);
            (first.uri_text(), first.uri_text())
        }
    };
    draft.set_request_uri(uri).remove(Name::Route);
    for route in routes {
        draft.push(Name::Route, route);
    }
    Copied { next: next.into(), draft }
}

/// Credentials for our realm have done their work here; nobody behind us shall work at guessing the password from them.
fn strip_credentials(draft: &mut Draft, request: &Message, realm: &str) {
    if !request.has(Name::ProxyAuthorization) {
        return;
    }
    let own = format!("realm=\"{realm}\"");
    let others: Vec<String> = request
        .all(Name::ProxyAuthorization)
        .map(|value| String::from_utf8_lossy(value).into_owned())
        .filter(|value| !value.contains(&own))
        .collect();
    draft.remove(Name::ProxyAuthorization);
    for value in others {
        draft.push(Name::ProxyAuthorization, value);
    }
}

/// A response on its way up: without our Via, and with the challenges that other branches got. RFC 3261 section 16.7 item 7.
pub(super) fn back(response: &Message, challenges: &[(Name, String)]) -> Draft {
    let mut draft = Draft::from_message(response);
    draft.remove_first(Name::Via);
    for (name, value) in challenges {
        draft.push(*name, value);
    }
    draft
}

/// The challenges in a response.
pub(super) fn challenges(response: &Message) -> Vec<(Name, String)> {
    let of =
        |name: Name| response.all(name).map(move |value| (name, String::from_utf8_lossy(value).into_owned()));
    of(Name::WwwAuthenticate).chain(of(Name::ProxyAuthenticate)).collect()
}
