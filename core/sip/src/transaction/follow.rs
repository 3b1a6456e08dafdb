//! What the layer writes by itself from a request: ACK of a refusal and CANCEL of an INVITE, and 100 Trying.
//!
//! RFC 3261 sections 17.1.1.3 and 9.1: same Request-URI, top Via (so same branch), From, Call-ID, CSeq number, Route.

use bytes::Bytes;

use crate::message::{Draft, Form, Message, Method, Name, Start};

/// The ACK of a final response that is not a 2xx. `None` when our own request cannot be read back, which never was seen.
pub(super) fn ack(invite: &Bytes, response: &Message<Bytes>) -> Option<Bytes> {
    let invite = Message::read(&invite[..]).ok()?;
    let mut ack = head(&invite, &Method::Ack)?;
    // With the tag of whoever refused.
    ack.push_bytes(Name::To, response.first(Name::To)?);
    Some(ack.write(Form::Full))
}

/// The CANCEL; `extra` for a Reason, say.
pub(super) fn cancel(invite: &Bytes, extra: &[(Name, String)]) -> Option<Bytes> {
    let invite = Message::read(&invite[..]).ok()?;
    let mut cancel = head(&invite, &Method::Cancel)?;
    cancel.push_bytes(Name::To, invite.first(Name::To)?);
    for (name, value) in extra {
        cancel.push(*name, value);
    }
    Some(cancel.write(Form::Full))
}

fn head(invite: &Message<&[u8]>, method: &Method) -> Option<Draft> {
    let Start::Request { uri, .. } = invite.start() else { return None };
    let mut draft = Draft::request(method, str::from_utf8(uri).ok()?);
    draft.push_bytes(Name::Via, invite.list(Name::Via).next()?);
    draft.push(Name::MaxForwards, 70);
    draft.copy(invite, Name::Route);
    draft.push_bytes(Name::From, invite.first(Name::From)?);
    draft.push_bytes(Name::CallId, invite.first(Name::CallId)?);
    draft.push(Name::CSeq, format_args!("{} {}", invite.cseq().ok()?.number, method.as_str()));
    Some(draft)
}

/// The 100 for a request. No To tag: RFC 3261 section 17.2.1.
pub(super) fn trying(request: &Bytes) -> Bytes {
    Message::read(&request[..])
        .map_or_else(|_| Bytes::new(), |r| Draft::response_to(&r, 100).write(Form::Full))
}
