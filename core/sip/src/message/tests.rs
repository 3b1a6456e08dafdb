//! What a message says when asked. Torture is in tests/vectors.

use super::*;
use base::Transport;

fn read(text: &str) -> Message<Vec<u8>> {
    Message::read(text.replace('\n', "\r\n").into_bytes()).expect("reads")
}

const INVITE: &str = "INVITE sip:bob@example.com;transport=tcp SIP/2.0
Via: SIP/2.0/UDP [2001:db8::9:1]:5062;branch=z9hG4bKa;rport, SIP/2.0/TCP h:5063;received=[::1];rport=99;branch=b
v: SIP / 2.0 / SCTP  p ; branch = c
Max-Forwards: 70
f: \"A \\\"n\\\" <n, e>\" <sip:ann@h;lr>;tag=1;x=\"q;r\"
t: bob <tel:+49>
i: c@d
CSeq: 1 INVITE
m: <sip:ann@1.2.3.4:5;ob>;expires=60;q=0.5;+sip.instance=\"<urn:uuid:x>\", *
Route: <sip:r1;lr>,<sip:r2>
Route: \"x,y\" <sip:r3>
Require: 100rel
k: timer,  replaces ; x
Subject: a
 b
X-Odd: ,;
Content-Type: application/SDP;charset=\"utf-8\"
Content-Length: 3

v=0trailing";

#[test]
fn an_invite_gives_up_everything_it_says() {
    let m = read(INVITE);
    assert_eq!(m.refusal(), None);
    assert_eq!((m.method(), m.status(), m.body()), (Method::Invite, None, &b"v=0"[..]));
    assert_eq!(m.request_uri().expect("a URI").transport(), Some(Transport::Tcp));
    let via = m.top_via().expect("a Via");
    assert_eq!(
        (via.transport, via.sent_by.to_string()),
        (Some(Transport::Udp), "[2001:db8::9:1]:5062".into())
    );
    assert_eq!((via.branch, via.rport, via.received), (Some("z9hG4bKa"), Rport::Asked, None));
    let vias: Vec<_> = m.vias().map(|v| v.expect("sound")).collect();
    assert_eq!((vias.len(), vias[1].rport, vias[1].received), (3, Rport::Port(99), "::1".parse().ok()));
    assert_eq!((vias[2].transport, vias[2].transport_text, vias[2].branch), (None, "SCTP", Some("c")));
    let (from, to) = (m.from().expect("a From"), m.to().expect("a To"));
    assert_eq!((from.display().expect("a name").as_ref(), from.tag()), ("A \"n\" <n, e>", Some("1")));
    assert_eq!((m.from_tag(), m.to_tag()), (Some("1"), None));
    assert_eq!((from.uri().is_loose(), from.param("x")), (true, Some("\"q;r\"")));
    assert_eq!((to.display().expect("a name").as_ref(), to.uri_text(), to.tag()), ("bob", "tel:+49", None));
    assert_eq!((m.call_id(), m.cseq().map(|c| c.number)), (Ok("c@d"), Ok(1)));
    let contact = m.contact().expect("a contact");
    assert_eq!((contact.uri_text(), contact.expires(), contact.q()), ("sip:ann@1.2.3.4:5;ob", Some(60), 500));
    assert!(m.is_contact_star());
    let routes: Vec<_> = m.routes(Name::Route).map(|r| r.expect("sound").uri_text()).collect();
    assert_eq!(routes, ["sip:r1;lr", "sip:r2", "sip:r3"]);
    assert!(m.requires("100REL") && m.supports("replaces") && !m.supports("x"));
    assert_eq!((m.first(Name::Subject), m.other("x-odd")), (Some(&b"a\r\n b"[..]), Some(&b",;"[..])));
    assert_eq!(
        (m.max_forwards(), m.content_length(), m.is_body("application/sdp")),
        (Some(70), Some(3), true)
    );
    assert_eq!(m.other("call-id"), Some(&b"c@d"[..]));
}

#[test]
fn bare_line_feeds_and_leading_line_breaks_are_read() {
    let m =
        Message::read(&b"\r\n\nSIP/2.0 486\nv: SIP/2.0/UDP h\nf:sip:a\nt:sip:b\ni:x\ncseq:1 ACK\n\nbody"[..])
            .expect("reads");
    assert_eq!((m.status(), m.reason_phrase(), m.body()), (Some(486), "Busy Here", &b"body"[..]));
    assert_eq!((m.flaw(), m.method()), (None, Method::Ack));
}

#[test]
fn what_is_no_message_is_malformed() {
    let many = format!("A sip:a SIP/2.0\r\n{}\r\n", "a:b\r\n".repeat(257));
    let long = format!("A sip:a SIP/2.0\r\nl:0\r\n\r\n{}", "x".repeat(65_536));
    for (text, why) in [
        ("", Malformed::Empty),
        ("\r\n\r\n", Malformed::Empty),
        ("INVITE sip:a SIP/2.0", Malformed::Unfinished),
        ("INVITE sip:a SIP/2.0\r\nVia: x", Malformed::Unfinished),
        ("INVITE sip:a\r\n\r\n", Malformed::StartLine),
        ("INVITE SIP/2.0\r\n\r\n", Malformed::StartLine),
        ("INV\"TE sip:a SIP/2.0\r\n\r\n", Malformed::StartLine),
        ("INVITE sip:a HTTP/1.1\r\n\r\n", Malformed::StartLine),
        ("INVITE sip:a SIP/2\r\n\r\n", Malformed::StartLine),
        ("SIP/2.0 99 x\r\n\r\n", Malformed::Status),
        ("SIP/2.0 700 x\r\n\r\n", Malformed::Status),
        ("SIP/2.0 0200 x\r\n\r\n", Malformed::Status),
        ("SIP/2.0 200OK\r\n\r\n", Malformed::Status),
        ("SIP/2.0 \r\n\r\n", Malformed::StartLine),
        (&many, Malformed::TooManyFields),
        (&long, Malformed::TooLong),
    ] {
        assert_eq!(Message::read(text.as_bytes()).expect_err(why.to_string().as_str()), why, "{text:.60}");
    }
}

#[test]
fn text_that_is_no_utf8_is_kept_and_shown_as_well_as_can_be() {
    let m = Message::read(
        &b"SIP/2.0 200 \xff\r\nFrom: \"J\xfcrgen\" <sip:j@h>;tag=\"a\"\r\nSubject: \xe9\r\n\r\n"[..],
    )
    .expect("reads");
    assert_eq!(m.from().expect("a From").display().expect("a name"), "J\u{fffd}rgen");
    assert_eq!((m.first(Name::Subject), m.text(Name::Subject)), (Some(&b"\xe9"[..]), None));
    assert_eq!(m.reason_phrase(), "OK");
}

#[test]
fn an_unable_user_agent_says_which_way() {
    let can = Abilities { methods: &[Method::Invite], extensions: &["100rel"], bodies: &["application/sdp"] };
    let status = |text: &str| read(text).unable(&can).map(|r| (r.status, r.unsupported));
    assert_eq!(status(INVITE), None);
    assert_eq!(status("REFER sip:a SIP/2.0\n\n"), Some((405, vec![])));
    assert_eq!(status("DANCE sip:a SIP/2.0\n\n"), Some((501, vec![])));
    assert_eq!(
        status("INVITE sip:a SIP/2.0\nRequire: 100rel, a\nRequire: b\n\n"),
        Some((420, vec!["a".into(), "b".into()]))
    );
    assert_eq!(status("INVITE sip:a SIP/2.0\nc: text/x\n\nx"), Some((415, vec![])));
    assert_eq!(status("INVITE sip:a SIP/2.0\ne: gzip\nc: application/sdp\n\nx"), Some((415, vec![])));
    assert_eq!(
        status("INVITE sip:a SIP/2.0\nc: text/x\nContent-Disposition: icon;handling=optional\n\nx"),
        None
    );
}

#[test]
fn extension_fields_are_typed() {
    let m = read(
        "NOTIFY sip:a SIP/2.0
RAck: 776656 1 INVITE
x: 1800 ; refresher=UAS
Min-SE: 90;x
Replaces: a@b;to-tag=t;from-tag=f;early-only
o: refer;id=7
Subscription-State: terminated;reason=noresource;expires=5
Reason: SIP;cause=486;text=\"Busy, here\", Q.850;cause=17
Warning: 399 h:1 \"why, \\\"so\\\"\"
Retry-After: 120 (a meeting);duration=1
Allow: INVITE,ACK

",
    );
    assert_eq!(m.rack(), Ok(RAck { rseq: 776_656, cseq: 1, method: Method::Invite }));
    assert_eq!(m.session_expires(), Some(SessionExpires { seconds: 1800, refresher: Some(Refresher::Uas) }));
    assert_eq!((m.min_se(), m.retry_after()), (Some(90), Some(120)));
    let replaces = Replaces { call_id: "a@b", to_tag: "t", from_tag: "f", early_only: true };
    assert_eq!(m.replaces(), Ok(replaces));
    let event = m.event().expect("an Event");
    assert_eq!((event.package, event.id), ("refer", Some("7")));
    let state = m.subscription_state().expect("a state");
    assert_eq!((state.state, state.reason, state.expires), ("terminated", Some("noresource"), Some(5)));
    let reasons: Vec<_> = m.reasons().collect();
    assert_eq!(
        (reasons[0].text.as_deref(), reasons[1].protocol, reasons[1].cause),
        (Some("Busy, here"), "Q.850", Some(17))
    );
    assert_eq!(m.warnings().collect::<Vec<_>>(), [(399, "why, \"so\"".into())]);
    assert_eq!((m.allows(&Method::Ack), m.allows(&Method::Bye)), (Some(true), Some(false)));
}
