//! Dialogs: who talks to whom, by which route, and what number comes next.
//!
//! RFC 3261 section 12. Knows nothing of sessions, subscriptions or flows: those are the uses of a dialog.

mod tag;
#[cfg(test)]
mod tests;

pub use tag::Tag;

use std::borrow::Cow;

use crate::message::{Draft, Message, Method, Name, Uri};

/// One dialog, early or confirmed. RFC 3261 section 12.
#[derive(Clone, Debug)]
pub struct Dialog {
    call_id: Box<str>,
    /// Our From value, tag included.
    local: Box<str>,
    local_tag: Tag,
    /// Their To value, tag included.
    remote: Box<str>,
    /// Empty for a peer of RFC 2543, which had none.
    remote_tag: Box<str>,
    /// Where requests are meant for: the peer's Contact.
    target: Uri,
    /// Through whom they pass, nearest first.
    routes: Vec<Uri>,
    /// Number of the last request sent.
    seq: u32,
    /// Number of the last request heard.
    remote_seq: Option<u32>,
}

/// What a caller knows of a dialog before anybody has answered.
#[derive(Clone, Debug)]
pub struct Seed {
    /// Call-ID.
    pub call_id: Box<str>,
    /// From value, tag included.
    pub local: Box<str>,
    /// The tag in it.
    pub local_tag: Tag,
    /// CSeq number of the request sent.
    pub seq: u32,
    /// Its Request-URI, for a peer that forgets its Contact.
    pub target: Uri,
}

/// Whether a request is in its turn. RFC 3261 section 12.2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Later than all before.
    InOrder,
    /// Earlier than one already heard: 500.
    Late,
}

impl Dialog {
    /// The caller's side: from a response with a To tag. RFC 3261 section 12.1.2.
    pub fn from_response(seed: &Seed, response: &Message) -> Option<Self> {
        let to = response.to().ok()?;
        Some(Self {
            call_id: seed.call_id.clone(),
            local: seed.local.clone(),
            local_tag: seed.local_tag,
            remote: text(response.first(Name::To)?).into(),
            remote_tag: to.tag().unwrap_or_default().into(),
            target: contact(response).unwrap_or_else(|| seed.target.clone()),
            routes: recorded(response).rev().collect(),
            seq: seed.seq,
            remote_seq: None,
        })
    }

    /// The called side: from a request that opens a dialog. `None` when it has no usable Contact or From: 400.
    /// RFC 3261 section 12.1.1.
    pub fn from_request(request: &Message, local_tag: Tag) -> Option<Self> {
        let from = request.from().ok()?;
        Some(Self {
            call_id: request.call_id().ok()?.into(),
            local: local_tag.append(&text(request.first(Name::To)?)).into(),
            local_tag,
            remote: text(request.first(Name::From)?).into(),
            remote_tag: from.tag().unwrap_or_default().into(),
            target: contact(request)?,
            routes: recorded(request).collect(),
            // The first request of ours is number 1 and counts up from there, whatever theirs are.
            seq: 0,
            remote_seq: request.cseq().ok().map(|c| c.number),
        })
    }

    /// The subscriber's side, from a NOTIFY that came before the 2xx. RFC 6665 section 4.4.1.
    pub fn from_notify(seed: &Seed, request: &Message) -> Option<Self> {
        let from = request.from().ok()?;
        Some(Self {
            call_id: seed.call_id.clone(),
            local: seed.local.clone(),
            local_tag: seed.local_tag,
            remote: text(request.first(Name::From)?).into(),
            remote_tag: from.tag().unwrap_or_default().into(),
            target: contact(request)?,
            routes: recorded(request).collect(),
            seq: seed.seq,
            remote_seq: None,
        })
    }

    /// A request inside the dialog with the next number, and the URI of the hop it goes to first. Via, Contact and what
    /// the method needs are still missing. RFC 3261 section 12.2.1.1.
    pub fn request(&mut self, method: &Method) -> (Draft, Uri) {
        let seq = self.next_seq();
        self.numbered(method, seq)
    }

    /// The ACK for a 2xx to the INVITE of that number. RFC 3261 section 13.2.2.4.
    pub fn ack(&self, seq: u32) -> (Draft, Uri) {
        self.numbered(&Method::Ack, seq)
    }

    fn numbered(&self, method: &Method, seq: u32) -> (Draft, Uri) {
        let strict = self.routes.first().filter(|first| !first.view().is_loose());
        let mut draft = Draft::request(method, strict.unwrap_or(&self.target).as_str());
        draft.push(Name::MaxForwards, 70);
        // A strict router takes the Request-URI for itself and expects the target at the end of the Route.
        let (routes, last) = match strict {
            Some(_) => (&self.routes[1..], Some(&self.target)),
            None => (&self.routes[..], None),
        };
        for uri in routes.iter().chain(last) {
            draft.push(Name::Route, format_args!("<{uri}>"));
        }
        draft.push(Name::From, &self.local);
        draft.push(Name::To, &self.remote);
        draft.push(Name::CallId, &self.call_id);
        draft.push(Name::CSeq, format_args!("{seq} {method}"));
        (draft, self.routes.first().unwrap_or(&self.target).clone())
    }

    /// The number for the next request.
    pub fn next_seq(&mut self) -> u32 {
        self.seq += 1;
        self.seq
    }

    /// A request of ours outside this object's sight took that number (an INVITE repeated with credentials).
    pub fn took_seq(&mut self, seq: u32) {
        self.seq = self.seq.max(seq);
    }

    /// Whether this message is of this dialog, tags seen from its sender. RFC 3261 section 12.2.2.
    pub fn owns_request(&self, request: &Message) -> bool {
        request.call_id() == Ok(&*self.call_id)
            && request.from().is_ok_and(|from| from.tag().unwrap_or_default() == &*self.remote_tag)
    }

    /// Takes note of a request's number. ACK and CANCEL have the number of their INVITE and are not asked about.
    pub fn hear(&mut self, seq: u32) -> Turn {
        match self.remote_seq {
            Some(last) if seq < last => Turn::Late,
            _ => {
                self.remote_seq = Some(seq);
                Turn::InOrder
            }
        }
    }

    /// A target refresh, request or response. RFC 3261 section 12.2.1.2 and 12.2.2.
    pub fn refresh_target(&mut self, message: &Message) {
        if let Some(target) = contact(message) {
            self.target = target;
        }
    }

    /// The 2xx that confirms an early dialog states the route anew. RFC 3261 section 13.2.2.4.
    pub fn confirm(&mut self, response: &Message) {
        self.refresh_target(response);
        self.routes = recorded(response).rev().collect();
    }

    /// Call-ID.
    pub fn call_id(&self) -> &str {
        &self.call_id
    }
    /// Our tag.
    pub fn local_tag(&self) -> Tag {
        self.local_tag
    }
    /// Their tag; empty when they have none.
    pub fn remote_tag(&self) -> &str {
        &self.remote_tag
    }
    /// Our From or To value with the tag.
    pub fn local(&self) -> &str {
        &self.local
    }
    /// Their contact.
    pub fn target(&self) -> &Uri {
        &self.target
    }
    /// The other party's name and address, as written in From or To.
    pub fn remote(&self) -> &str {
        &self.remote
    }

    /// What a Replaces header field in an INVITE to the other side must say. RFC 3891 section 3: the tags are seen from
    /// the one who receives it.
    pub fn replaces(&self) -> String {
        format!("{};to-tag={};from-tag={}", self.call_id, self.remote_tag, self.local_tag)
    }
}

/// The URI of the first Contact, if it is one that can be called.
fn contact(message: &Message) -> Option<Uri> {
    message.contact().ok().map(|contact| contact.uri().to_uri())
}

/// Record-Route URIs in the order written.
fn recorded(message: &Message) -> impl DoubleEndedIterator<Item = Uri> + use<> {
    let routes: Vec<Uri> =
        message.routes(Name::RecordRoute).filter_map(|route| Some(route.ok()?.uri().to_uri())).collect();
    routes.into_iter()
}

/// A display name in another alphabet's encoding is mended, since only the tag has to come back as it was.
fn text(value: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(value)
}
