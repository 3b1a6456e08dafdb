//! Where a request says it wants to go, before anyone looks up where that is.
//!
//! RFC 3261 section 16.4 (with strict routers, section 16.12.1.2, and maddr), RFC 5626 section 5.3 for what our own
//! Route values carry, and the Record-Route values that make them come back (section 16.6 item 4).

use std::net::SocketAddr;

use base::Transport;
use sip::message::{Draft, Message, Method, Name, NameAddr, Scheme, UriRef};
use sip::transaction::{Hop, Source};

use crate::answer::own_route;
use crate::config::Config;
use crate::token::{End, Mint};
use crate::ways::Ways;

/// A request's route after our own part of it is taken away.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Routed {
    /// The Request-URI as the sender meant it.
    pub(crate) uri: String,
    /// The Route values that remain, in order.
    pub(crate) routes: Vec<String>,
    /// Whether a Route of ours came with it, made for this very call: the request belongs to a dialog that we let begin.
    pub(crate) leave: bool,
    /// The flow that our Route names for the next hop.
    pub(crate) toward: Option<End>,
}

/// What tells own from foreign.
pub(crate) struct Own<'a> {
    pub(crate) ways: &'a Ways,
    pub(crate) config: &'a Config,
    pub(crate) mint: &'a Mint,
}

impl Own<'_> {
    /// Whether a URI means this exchange: its domain, or an address that it listens at.
    pub(crate) fn is(&self, uri: &UriRef<'_>) -> bool {
        match uri.host {
            sip::message::Host::Name(name) => self.config.is_domain(name),
            sip::message::Host::V4(_) | sip::message::Host::V6(_) => self.ways.is_own_uri(uri),
        }
    }

    /// Takes our part of the route away. `None` when the Request-URI or a Route cannot be read.
    pub(crate) fn preprocess(&self, request: &Message, source: &Source) -> Option<Routed> {
        let received = request.request_uri().ok()?;
        let mut routes = Vec::new();
        for route in request.list(Name::Route) {
            NameAddr::read(route).ok()?;
            routes.push(String::from_utf8(route.to_vec()).ok()?);
        }
        let mut routed = Routed { uri: String::from(received.as_str()), routes, leave: false, toward: None };
        let call_id = request.call_id().ok()?.as_bytes();
        // A strict router put our Record-Route into the Request-URI and the real one behind the routes.
        if received.is_loose()
            && self.is(&received)
            && let Some(last) = routed.routes.pop()
        {
            self.pass(&received, call_id, source, &mut routed);
            routed.uri = String::from(NameAddr::read(last.as_bytes()).ok()?.uri_text());
        }
        self.strip_maddr(&mut routed, source);
        // Both values of a double Record-Route are ours. RFC 5658 section 5.
        let mut own = 0;
        for route in &routed.routes.clone() {
            let route = NameAddr::read(route.as_bytes()).ok()?;
            if !self.is(&route.uri()) {
                break;
            }
            self.pass(&route.uri(), call_id, source, &mut routed);
            own += 1;
        }
        routed.routes.drain(..own);
        Some(routed)
    }

    /// Takes note of one Route of ours.
    fn pass(&self, uri: &UriRef<'_>, call_id: &[u8], source: &Source, routed: &mut Routed) {
        let Some(leave) = uri.user.and_then(|token| self.mint.open(call_id, token)) else { return };
        routed.leave = true;
        // The last of ours is that of the side it goes to; a lone one may be the sender's own.
        routed.toward = leave.end.filter(|end| (end.flow, end.remote) != (source.flow, source.remote));
    }

    /// An maddr that means us, on the port and transport the request came by, has done its work.
    fn strip_maddr(&self, routed: &mut Routed, source: &Source) {
        let Ok(uri) = UriRef::read(routed.uri.as_bytes()) else { return };
        let Some(maddr) = uri.param("maddr") else { return };
        let transport = uri.transport().unwrap_or(Transport::Udp);
        let port = uri.port.unwrap_or(transport.default_port());
        let own = match maddr.trim_matches(['[', ']']).parse() {
            Ok(ip) => self.ways.is_own(ip, Some(port), Some(transport)),
            Err(_) => self.config.is_domain(maddr),
        };
        if own && transport == source.transport && port == source.local.port() {
            routed.uri = without_maddr(&uri);
        }
    }
}

/// The URI without maddr, port and transport.
fn without_maddr(uri: &UriRef<'_>) -> String {
    let scheme = if uri.scheme == Scheme::Sips { "sips" } else { "sip" };
    let mut text = format!("{scheme}:");
    if let Some(user) = uri.user {
        text += user;
        if let Some(password) = uri.password {
            text = text + ":" + password;
        }
        text.push('@');
    }
    text += &uri.host.to_string();
    for param in uri.params.iter() {
        let gone = ["maddr", "transport"].iter().any(|n| param.name.eq_ignore_ascii_case(n));
        if !gone {
            text = text + ";" + param.name;
            if let Some(value) = param.value {
                text = text + "=" + value;
            }
        }
    }
    text
}

/// Whether the exchange stays on the path of what this method may begin. RFC 3261 section 16.6 item 4: dialogs, and
/// whatever it does not know.
pub(crate) fn is_recorded(method: &Method) -> bool {
    match method {
        Method::Invite | Method::Subscribe | Method::Refer | Method::Notify | Method::Other(_) => true,
        Method::Register
        | Method::Ack
        | Method::Bye
        | Method::Cancel
        | Method::Options
        | Method::Prack
        | Method::Update
        | Method::Info
        | Method::Message
        | Method::Publish => false,
    }
}

/// One side of the exchange in one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Side {
    transport: Transport,
    local: SocketAddr,
    /// Set when only this flow reaches the neighbour.
    end: Option<End>,
}

impl Side {
    /// The side that a request came from. A stream is the surest way back; a datagram's sender that is not where its Via
    /// says sits behind a NAT, where nothing else leads.
    pub(crate) fn upstream(request: &Message, source: &Source) -> Self {
        let (transport, remote) = (source.transport, source.remote);
        let natted = request.top_via().is_ok_and(|via| {
            let host = match via.sent_by.host {
                sip::message::Host::Name(_) => None,
                sip::message::Host::V4(ip) => Some(ip.into()),
                sip::message::Host::V6(ip) => Some(ip.into()),
            };
            via.port() != remote.port() || host.is_some_and(|ip: std::net::IpAddr| ip != remote.ip())
        });
        let end = (transport.is_reliable() || natted).then_some(End { flow: source.flow, transport, remote });
        Self { transport, local: source.local, end }
    }

    /// The side that a request leaves by; `bound` when it goes back along a registration's way.
    pub(crate) fn downstream(hop: &Hop, bound: bool) -> Self {
        let end = End { flow: hop.flow, transport: hop.transport, remote: hop.remote };
        Self { transport: hop.transport, local: hop.local, end: bound.then_some(end) }
    }
}

/// Puts the exchange into the path of what comes later in this call: once where both sides can share a value, else once
/// for each side, theirs last (RFC 5658 section 5.1). A value that names a flow is never shared: which side it belongs to
/// must show from its place, because phones change their address within a call.
pub(crate) fn record(draft: &mut Draft, mint: &Mint, call_id: &[u8], secure: bool, up: Side, down: Side) {
    let value = |side: Side| own_route(&mint.token(call_id, side.end), side.transport, side.local, secure);
    if up != down || up.end.is_some() {
        draft.prepend(Name::RecordRoute, value(up));
    }
    draft.prepend(Name::RecordRoute, value(down));
}
