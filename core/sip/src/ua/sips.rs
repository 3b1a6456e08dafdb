//! `sips`: whoever is asked for so is reached under TLS on every hop, or not at all.
//!
//! RFC 3261 sections 8.1.1.8, 12.1.1 and 26.2.2, RFC 5630 section 5.1. A request to such a URI never leaves by a clear hop, its
//! route is secure, and so is our Contact in it and in what we answer. Nothing is ever made of it that is less.
//! That TLS is used for plain `sip` as well is an account's own choice, and none of this.

use base::Transport;

use crate::message::{Draft, Message, Method, Name, Scheme, Uri, UriRef};

/// Why a request is refused that asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It has come by a way that anybody can read.
    Clear,
    /// It asks us to answer by such a way.
    Mixed,
}

impl Refusal {
    /// The status, and the warning beside it.
    pub(super) const fn says(self) -> (u16, Option<&'static str>) {
        match self {
            Self::Clear => (480, Some("380 offhook \"SIPS Not Allowed\"")),
            Self::Mixed => (400, None),
        }
    }
}

/// Whether a request that came so is refused.
pub(super) fn refusal(request: &Message, by: Transport) -> Option<Refusal> {
    if !request.request_uri().is_ok_and(|uri| uri.scheme == Scheme::Sips) {
        return None;
    }
    let begins = matches!(request.method(), Method::Invite | Method::Refer);
    let mut contacts = request.contacts().filter_map(Result::ok);
    match by.is_secure() {
        false => Some(Refusal::Clear),
        true if begins && contacts.any(|contact| contact.uri().scheme == Scheme::Sip) => Some(Refusal::Mixed),
        true => None,
    }
}

/// Whether our Contact in the answer must be secure. RFC 3261 section 12.1.1.
pub(super) fn is_answered_so(request: &Message) -> bool {
    let is = |uri: UriRef<'_>| uri.scheme == Scheme::Sips;
    let by_target = request.request_uri().is_ok_and(is);
    let mut routes = request.routes(Name::RecordRoute);
    let by_way = match routes.next() {
        Some(top) => top.is_ok_and(|top| is(top.uri())),
        None => {
            let mut contacts = request.contacts().filter_map(Result::ok);
            contacts.next().is_some_and(|contact| is(contact.uri()))
        }
    };
    by_target || by_way
}

/// Whether a request of ours asks for it: by its target.
pub(super) fn is_asked_for(request: &Draft) -> bool {
    is_sips(request.request_uri())
}

/// Whether our Contact in a request of ours must be secure. RFC 3261 section 8.1.1.8.
pub(super) fn is_said_so(request: &Draft) -> bool {
    let top = request.first(Name::Route).and_then(|route| std::str::from_utf8(route).ok());
    is_asked_for(request) || top.is_some_and(|top| is_sips(top.trim_start().trim_start_matches('<')))
}

/// The same place, reached under TLS.
pub(super) fn secured(uri: &Uri) -> Uri {
    let text = uri.as_str();
    let rest = text.split_at_checked(4).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("sip:"));
    rest.and_then(|(_, rest)| format!("sips:{rest}").parse().ok()).unwrap_or_else(|| uri.clone())
}

fn is_sips(uri: &str) -> bool {
    uri.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("sips:"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Form;

    fn invite(target: &str, more: &[(Name, &str)]) -> Message {
        let mut draft = Draft::request(&Method::Invite, target);
        draft.push(Name::Via, "SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1");
        draft.push(Name::From, "<sip:ann@test>;tag=1").push(Name::To, "<sip:bob@test>");
        draft.push(Name::CallId, "1").push(Name::CSeq, "1 INVITE");
        for (name, value) in more {
            draft.push(*name, *value);
        }
        Message::read(draft.write(Form::Full)).unwrap()
    }

    /// RFC 5630 section 5.1.2.
    #[test]
    fn what_asks_for_it_and_comes_in_clear_or_wants_a_clear_answer_is_refused() {
        let (secure, clear) =
            ((Name::Contact, "<sips:ann@192.0.2.1>"), (Name::Contact, "<sip:ann@192.0.2.1>"));
        for (target, contact, by, refused) in [
            ("sips:bob@192.0.2.2", secure, Transport::Tls, None),
            ("sips:bob@192.0.2.2", secure, Transport::Wss, None),
            ("sips:bob@192.0.2.2", secure, Transport::Udp, Some(Refusal::Clear)),
            ("SIPS:bob@192.0.2.2", secure, Transport::Ws, Some(Refusal::Clear)),
            ("sips:bob@192.0.2.2", clear, Transport::Tls, Some(Refusal::Mixed)),
            ("sip:bob@192.0.2.2", clear, Transport::Udp, None),
        ] {
            assert_eq!(refusal(&invite(target, &[contact]), by), refused, "{target} {contact:?} by {by}");
        }
    }

    #[test]
    fn an_answer_is_as_secure_as_the_target_the_first_route_or_the_contact() {
        let clear = (Name::Contact, "<sip:ann@192.0.2.1>");
        let secure = (Name::Contact, "<sips:ann@192.0.2.1>");
        let [clear_way, secure_way] =
            ["<sip:192.0.2.9;lr>", "<sips:192.0.2.9;lr>"].map(|way| (Name::RecordRoute, way));
        assert!(is_answered_so(&invite("sips:bob@test", &[clear])));
        assert!(is_answered_so(&invite("sip:bob@test", &[secure])));
        assert!(is_answered_so(&invite("sip:bob@test", &[secure_way, clear_way, clear])));
        assert!(!is_answered_so(&invite("sip:bob@test", &[clear_way, secure_way, secure])));
        assert!(!is_answered_so(&invite("sip:bob@test", &[clear])));
    }

    #[test]
    fn a_clear_place_is_made_a_secure_one_and_nothing_else() {
        for (uri, made) in [
            ("sip:192.0.2.9:5061;lr", "sips:192.0.2.9:5061;lr"),
            ("SIP:h", "sips:h"),
            ("sips:h", "sips:h"),
            ("tel:+49", "tel:+49"),
        ] {
            assert_eq!(secured(&uri.parse().unwrap()).as_str(), made);
        }
    }
}
