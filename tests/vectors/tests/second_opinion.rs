//! rsip beside us: it reads what we write, and where both claim to read a message they agree on what it says.
//!
//! rsip 0.4 knows less (no IPv6, compact names, folds, unknown methods), so its refusals prove nothing; its readings do.

use offhook_vectors::TORTURE;
use rsip::prelude::{HeadersExt, ToTypedHeader, UntypedHeader};
use sip::message::{Draft, Form, Message, Method, Name};

#[derive(Debug, PartialEq)]
struct Reading {
    method: String,
    target: String,
    call_id: String,
    cseq: u32,
}

fn ours(bytes: &[u8]) -> Option<Reading> {
    let message = Message::read(bytes).ok()?;
    let uri = message.request_uri().ok()?;
    Some(Reading {
        method: message.method().to_string(),
        target: uri.as_str().to_owned(),
        call_id: message.call_id().ok()?.to_owned(),
        cseq: message.cseq().ok()?.number,
    })
}

fn theirs(bytes: &[u8]) -> Option<Reading> {
    // It panics on some messages: that is no reading either.
    std::panic::catch_unwind(|| {
        let request = rsip::Request::try_from(bytes.to_vec()).ok()?;
        Some(Reading {
            method: request.method.to_string(),
            target: request.uri.to_string(),
            call_id: request.call_id_header().ok()?.value().to_owned(),
            cseq: request.cseq_header().ok()?.typed().ok()?.seq,
        })
    })
    .ok()?
}

#[test]
fn where_both_read_a_request_they_read_the_same() {
    let mut both = Vec::new();
    for (name, bytes) in TORTURE {
        if let (Some(ours), Some(theirs)) = (ours(bytes), theirs(bytes)) {
            assert_eq!(ours, theirs, "{name}");
            both.push(name);
        }
    }
    assert!(both.len() >= 10, "a second opinion on {} messages is none: {both:?}", both.len());
}

#[test]
fn rsip_reads_what_we_write() {
    for method in [Method::Invite, Method::Register, Method::Options, Method::Bye, Method::Prack] {
        let mut draft = Draft::request(&method, "sip:bob@192.0.2.1:5060");
        draft.push(Name::Via, "SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK74bf9").push(Name::MaxForwards, 70);
        draft
            .push(Name::From, "\"Ann, A.\" <sip:ann@offhook.test>;tag=9fxced76sl")
            .push(Name::To, "<sip:bob@offhook.test>");
        draft
            .push(Name::CallId, "3848276298220188511@192.0.2.2")
            .push(Name::CSeq, format_args!("7 {method}"));
        draft.push(Name::Contact, "<sip:ann@192.0.2.2:5060>").body("application/sdp", &b"v=0\r\n"[..]);
        let wire = draft.write(Form::Full);
        let reading = theirs(&wire).expect("rsip reads it");
        assert_eq!(Some(&reading), ours(&wire).as_ref());
        let request = rsip::Request::try_from(wire.to_vec()).expect("read before");
        assert_eq!(request.body, b"v=0\r\n");
        assert_eq!(request.max_forwards_header().expect("there").value(), "70");
        assert_eq!(request.contact_header().expect("there").value(), "<sip:ann@192.0.2.2:5060>");
        assert_eq!(
            request.from_header().expect("there").typed().expect("reads").uri.to_string(),
            "sip:ann@offhook.test"
        );
    }
}
