//! Reading and writing SIP messages beside rsip 0.4, and writing beside reading.
//!
//! Reading means: from the datagram's bytes to the ten headers that a user agent needs, each as the type it needs.

use std::io;

use base::Secret;
use bytes::Bytes;
use offhook_bench::{beside, line, row};
use rsip::message::HasHeaders;
use rsip::prelude::{HeadersExt, ToTypedHeader, UntypedHeader};
use sip::codec::FlowCodec as _;
use sip::codec::vos::Seal;
use sip::message::{Draft, Form, Message, Method, Name};

const SDP: &str = "v=0\r\no=- 3747 3747 IN IP4 192.0.2.17\r\ns=-\r\nc=IN IP4 192.0.2.17\r\nt=0 0\r\n\
    m=audio 40376 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n";

const COMMON: &str = "Via: SIP/2.0/UDP 192.0.2.17:5060;branch=z9hG4bKnashds8;rport\r\nMax-Forwards: 70\r\n\
    Record-Route: <sip:192.0.2.1:5060;lr>\r\n\
    From: \"Ann\" <sip:1001@offhook.test>;tag=9fxced76sl\r\nTo: <sip:1002@offhook.test>;tag=314159\r\n\
    Call-ID: 3848276298220188511@192.0.2.17\r\nContact: <sip:1001@192.0.2.17:5060>\r\n\
    Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, MESSAGE, REFER, NOTIFY\r\n\
    Supported: 100rel, timer, replaces\r\nUser-Agent: Offhook/0.1\r\n";

fn invite() -> String {
    let length = SDP.len();
    format!(
        "INVITE sip:1002@offhook.test SIP/2.0\r\n{COMMON}CSeq: 314159 INVITE\r\nContent-Type: application/sdp\r\n\
         Content-Length: {length}\r\n\r\n{SDP}"
    )
}

fn ok() -> String {
    let length = SDP.len();
    format!(
        "SIP/2.0 200 OK\r\n{COMMON}CSeq: 314159 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{SDP}"
    )
}

fn register() -> String {
    format!(
        "REGISTER sip:offhook.test SIP/2.0\r\n{COMMON}CSeq: 2 REGISTER\r\nExpires: 300\r\nContent-Type: text/plain\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

/// The ten headers, ours.
fn ours(bytes: &[u8]) -> Option<usize> {
    let m = Message::read(bytes).ok()?;
    let via = m.top_via().ok()?;
    let sum = via.branch?.len() + m.from_tag()?.len() + m.to_tag()?.len() + m.call_id().ok()?.len();
    let contact = m.contact().ok()?.uri();
    let route = m.routes(Name::RecordRoute).next()?.ok()?.uri();
    let sum = sum + m.cseq().ok()?.number as usize + contact.user?.len() + usize::from(m.max_forwards()?);
    Some(sum + usize::from(route.is_loose()) + m.content_type()?.essence.len() + m.content_length()? as usize)
}

/// The ten headers, theirs: as their types where rsip has one.
fn theirs(bytes: &[u8]) -> Option<usize> {
    let m = rsip::SipMessage::try_from(bytes).ok()?;
    let via = m.via_header().ok()?.typed().ok()?;
    let branch = via.branch()?.value().len();
    let from = m.from_header().ok()?.typed().ok()?.tag()?.value().len();
    let to = m.to_header().ok()?.typed().ok()?.tag()?.value().len();
    let id = m.call_id_header().ok()?.value().len();
    let cseq = m.cseq_header().ok()?.typed().ok()?.seq as usize;
    let contact = m.contact_header().ok()?.typed().ok()?.uri.auth?.user.len();
    let hops = m.max_forwards_header().ok()?.num().ok()? as usize;
    let route = m.record_route_header()?.typed().ok()?;
    let loose = route.uris().first()?.uri.params.iter().any(|p| matches!(p, rsip::Param::Lr));
    let (kind, length) = content(&m);
    Some(branch + from + to + id + cseq + contact + hops + usize::from(loose) + kind? + length?)
}

/// Content-Type and Content-Length, for which rsip has no accessor.
fn content(m: &rsip::SipMessage) -> (Option<usize>, Option<usize>) {
    let (mut kind, mut length) = (None, None);
    for header in m.headers().iter() {
        match header {
            rsip::Header::ContentType(value) => {
                kind = value.typed().ok().map(|kind| match kind.0 {
                    rsip::headers::typed::MediaType::Sdp(_) => "application/sdp".len(),
                    rsip::headers::typed::MediaType::Other(kind, _) => kind.len(),
                });
            }
            rsip::Header::ContentLength(value) => length = value.value().parse().ok(),
            _ => {}
        }
    }
    (kind, length)
}

/// The INVITE again, from its values: what a user agent does for each one it sends.
fn build() -> Draft {
    let mut d = Draft::request(&Method::Invite, "sip:1002@offhook.test");
    d.push(Name::Via, "SIP/2.0/UDP 192.0.2.17:5060;branch=z9hG4bKnashds8;rport")
        .push(Name::MaxForwards, 70_u8);
    d.push(Name::RecordRoute, "<sip:192.0.2.1:5060;lr>")
        .push(Name::From, "\"Ann\" <sip:1001@offhook.test>;tag=9fxced76sl");
    d.push(Name::To, "<sip:1002@offhook.test>;tag=314159")
        .push(Name::CallId, "3848276298220188511@192.0.2.17");
    d.push(Name::Contact, "<sip:1001@192.0.2.17:5060>");
    d.push(Name::Allow, "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, MESSAGE, REFER, NOTIFY");
    d.push(Name::Supported, "100rel, timer, replaces").push(Name::UserAgent, "Offhook/0.1");
    d.push(Name::CSeq, format_args!("{} INVITE", 314_159))
        .body("application/sdp", Bytes::from_static(SDP.as_bytes()));
    d
}

fn main() -> io::Result<()> {
    line(format_args!("{:<44} {:>12} {:>12} {:>9}", "", "offhook", "rsip 0.4", "ratio"))?;
    for (what, text) in [("INVITE", invite()), ("200 OK", ok()), ("REGISTER", register())] {
        let bytes = text.as_bytes();
        assert_eq!(
            ours(bytes).expect("we read it"),
            theirs(bytes).expect("they read it"),
            "both found the same"
        );
        row(
            &format!("read {what}, {} bytes, ten headers", bytes.len()),
            beside(|| ours(bytes), || theirs(bytes)),
        )?;
    }
    let text = invite();
    let draft = build();
    assert_eq!(ours(&draft.write(Form::Full)), ours(text.as_bytes()));
    let parsed = rsip::SipMessage::try_from(text.as_bytes()).expect("they read it");
    row(
        "write INVITE, built before",
        beside(|| draft.write(Form::Full), || Vec::<u8>::from(parsed.clone())),
    )?;
    row("build and write INVITE", beside(|| build().write(Form::Full), || Vec::<u8>::from(parsed.clone())))?;
    let copied = Message::read(text.as_bytes()).expect("sound");
    row(
        "proxy: copy a read INVITE and write",
        beside(|| Draft::from_message(&copied).write(Form::Full), || Vec::<u8>::from(parsed.clone())),
    )?;
    let seal = Seal::new("1001", Secret::new("secret-1001".into())).expect("an id and a key");
    let (mut sealing, mut both) = (seal.clone(), seal);
    let (mut wire, mut room) = (Vec::new(), Vec::new());
    let (sealed, opened) = beside(
        || {
            wire.clear();
            sealing.seal(text.as_bytes(), &mut wire);
            wire.len()
        },
        || {
            let mut wire = Vec::new();
            both.seal(text.as_bytes(), &mut wire);
            both.open(&wire, &mut room).map(<[u8]>::len)
        },
    );
    line(format_args!(
        "VOS: seal {sealed:.0} ns, seal and open {:.1} us an INVITE of {} bytes, goal 10 us",
        opened / 1000.0,
        text.len()
    ))?;
    let (read, index) = beside(|| ours(text.as_bytes()), || Message::read(text.as_bytes()).is_ok());
    let (built, written) = beside(|| build().write(Form::Full), || draft.write(Form::Full));
    line(format_args!(
        "INVITE: index {index:.0} ns, read {read:.0} ns, write {written:.0} ns, build and write {built:.0} ns; \
         write is {:.1}x as fast as read",
        read / written
    ))
}
