//! RFC 4475, every message: what any element must do with it, what a phone does with it, and the facts it was written for.

use offhook_vectors::{TORTURE, torture};
use sip::message::{
    Abilities, HeaderError, Malformed, Message, Method, Name, Rport, Scheme, UriRef, unescape,
};
use sip::sdp::Sdp;

/// What any element does.
#[derive(Debug, PartialEq)]
enum Any {
    /// Well formed; or malformed where the RFC lets a liberal receiver pass it over.
    Takes,
    /// A request to be answered so.
    Refuses(u16),
    /// A response to be thrown away.
    Drops,
    /// No SIP message at all.
    NoMessage(Malformed),
}

use Any::{Drops, NoMessage, Refuses, Takes};

/// Section, name, what any element does, what a phone answers before it looks at dialogs (0: goes on).
const VERDICTS: [(&str, &str, Any, u16); 50] = [
    ("3.1.1.1", "wsinv", Takes, 0),
    ("3.1.1.2", "intmeth", Takes, 501),
    ("3.1.1.3", "esc01", Takes, 0),
    ("3.1.1.4", "escnull", Takes, 405),
    ("3.1.1.5", "esc02", Takes, 501),
    ("3.1.1.6", "lwsdisp", Takes, 0),
    ("3.1.1.7", "longreq", Takes, 0),
    ("3.1.1.8", "dblreq", Takes, 405),
    ("3.1.1.9", "semiuri", Takes, 0),
    ("3.1.1.10", "transports", Takes, 0),
    ("3.1.1.11", "mpart01", Takes, 415),
    ("3.1.1.12", "unreason", Takes, 0),
    ("3.1.1.13", "noreason", Takes, 0),
    ("3.1.2.1", "badinv01", Refuses(400), 0),
    ("3.1.2.2", "clerr", Refuses(400), 0),
    ("3.1.2.3", "ncl", Refuses(400), 0),
    ("3.1.2.4", "scalar02", Refuses(400), 405),
    ("3.1.2.5", "scalarlg", Drops, 0),
    ("3.1.2.6", "quotbal", Refuses(400), 0),
    ("3.1.2.7", "ltgtruri", Refuses(400), 0),
    ("3.1.2.8", "lwsruri", Refuses(400), 0),
    // Liberal: "may ignore these extra SP characters", and must not forward them.
    ("3.1.2.9", "lwsstart", Takes, 0),
    ("3.1.2.10", "trws", Takes, 0),
    ("3.1.2.11", "escruri", Refuses(400), 0),
    // "An element shouldn't do that unless the contents of the Date header field were actually important".
    ("3.1.2.12", "baddate", Takes, 0),
    ("3.1.2.13", "regbadct", Refuses(400), 405),
    ("3.1.2.14", "badaspec", Refuses(400), 0),
    ("3.1.2.15", "baddn", Refuses(400), 0),
    ("3.1.2.16", "badvers", Refuses(505), 0),
    ("3.1.2.17", "mismatch01", Refuses(400), 0),
    ("3.1.2.18", "mismatch02", Refuses(501), 501),
    ("3.1.2.19", "bigcode", NoMessage(Malformed::Status), 0),
    ("3.2.1", "badbranch", Refuses(400), 0),
    ("3.3.1", "insuf", Refuses(400), 0),
    ("3.3.2", "unkscm", Refuses(416), 0),
    ("3.3.3", "novelsc", Refuses(416), 0),
    // The registrar's 400 for such a To is the registrar's.
    ("3.3.4", "unksm2", Takes, 405),
    ("3.3.5", "bext01", Takes, 420),
    ("3.3.6", "invut", Takes, 415),
    ("3.3.7", "regaut01", Takes, 405),
    ("3.3.8", "multi01", Refuses(400), 0),
    ("3.3.9", "mcl01", Refuses(400), 0),
    // Well formed; a response with a second Via is not for a user agent, and no proxy sends to a broadcast address.
    ("3.3.10", "bcast", Takes, 0),
    ("3.3.11", "zeromf", Takes, 0),
    ("3.3.12", "cparam01", Takes, 405),
    ("3.3.13", "cparam02", Takes, 405),
    ("3.3.14", "regescrt", Takes, 405),
    // The 406 is the call's to give: it alone knows whether its answer has a body.
    ("3.3.15", "sdp01", Takes, 0),
    ("3.4.1", "inv2543", Takes, 0),
    // In the archive, in no section: a request line without a version.
    ("-", "test", NoMessage(Malformed::StartLine), 0),
];

fn phone(message: &Message<&[u8]>) -> Option<(u16, Vec<String>)> {
    let methods: Vec<Method> =
        Method::KNOWN.into_iter().filter(|m| !matches!(m, Method::Register | Method::Publish)).collect();
    let can = Abilities {
        methods: &methods,
        extensions: &["100rel", "timer"],
        bodies: &["application/sdp", "text/plain"],
    };
    message.unable(&can).map(|r| (r.status, r.unsupported))
}

fn read(name: &str) -> Message<&'static [u8]> {
    Message::read(torture(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn uris(message: &Message<&'static [u8]>, name: Name) -> Vec<String> {
    message.name_addrs(name).map(|a| a.expect("sound").uri_text().to_owned()).collect()
}

#[test]
fn every_message_gets_its_verdict() {
    let mut seen: Vec<&str> = VERDICTS.iter().map(|v| v.1).collect();
    seen.sort_unstable();
    assert_eq!(seen, TORTURE.map(|t| t.0), "a verdict for every message, one each");
    for (section, name, any, answer) in &VERDICTS {
        let told = match Message::read(torture(name)) {
            Err(error) => NoMessage(error),
            Ok(message) => {
                let status = phone(&message).map_or(0, |r| r.0);
                assert_eq!(status, *answer, "{section} {name}: a phone's answer");
                match (message.is_request(), message.refusal(), message.flaw()) {
                    (true, Some(refusal), _) => Refuses(refusal.status),
                    (false, _, Some(_)) => Drops,
                    _ => Takes,
                }
            }
        };
        assert_eq!(told, *any, "{section} {name}");
    }
}

#[test]
fn s3_1_1_1_a_tortuous_invite_is_read_through_its_folds() {
    let m = read("wsinv");
    let to = m.to().expect("a To");
    assert_eq!((to.uri_text(), to.tag()), ("sip:vivekg@chair-dnrc.example.com", Some("1918181833n")));
    let from = m.from().expect("a From");
    assert_eq!((from.display().expect("a name").as_ref(), from.tag()), ("J Rosenberg \\\"", Some("98asjd8")));
    assert_eq!((m.max_forwards(), m.cseq().expect("a CSeq").number), (Some(68), 9));
    assert_eq!(
        (m.first(Name::Subject), m.other("newfangledheader")),
        (Some(&b""[..]), Some(&b"newfangled value\r\n continued newfangled value"[..]))
    );
    assert_eq!(m.other("UnknownHeaderWithUnusualValue"), Some(&b";;,,;;,;"[..]));
    let vias: Vec<_> = m.vias().map(|v| v.expect("sound")).collect();
    assert_eq!(
        vias.iter().map(|v| v.branch).collect::<Vec<_>>(),
        [Some("390skdjuw"), Some("z9hG4bK9ikj8"), Some("z9hG4bK30239")]
    );
    assert_eq!(
        vias.iter().map(|v| v.sent_by.to_string()).collect::<Vec<_>>(),
        ["192.0.2.2", "spindle.example.com", "192.168.255.111"]
    );
    let contact = m.contact().expect("a contact");
    assert_eq!(contact.display().expect("a name"), "Quoted string \"\"");
    assert_eq!(
        (contact.param("newparam"), contact.params().has("secondparam"), contact.q()),
        (Some("newvalue"), true, 330)
    );
    let route = m.routes(Name::Route).next().expect("one").expect("sound");
    assert!(route.uri().is_loose() && route.uri().params.has("unknown-no-value"));
    assert_eq!(m.request_uri().expect("a URI").params.as_str(), ";unknownparam");
    assert_eq!((m.body().len(), Sdp::read(m.body()).expect("SDP").media().len()), (150, 2));
}

#[test]
fn s3_1_1_2_every_character_that_may_stand_does() {
    let m = read("intmeth");
    let method = Method::Other("!interesting-Method0123456789_*+`.%indeed'~".into());
    assert_eq!((m.method(), m.cseq().expect("a CSeq").method), (method.clone(), method));
    let uri = m.request_uri().expect("a URI");
    assert_eq!(uri.user, Some("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"));
    assert_eq!(uri.password, Some("&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"));
    assert_eq!((uri.host.to_string(), uri.headers), ("example.com".into(), None));
    assert_eq!(m.top_via().expect("a Via").branch, Some("z9hG4bK-.!%66*_+`'~"));
    assert_eq!(m.to().expect("a To").display().expect("a name"), "BEL:\u{7} NUL:\0 DEL:\u{7f}");
    let from = m.from().expect("a From");
    assert_eq!(from.display().expect("a name"), "token1~` token2'+_ token3*%!.-");
    assert_eq!(
        (from.tag(), from.param("fromParam''~+*_!.-%")),
        (
            Some("_token~1'+`*%!-."),
            Some("\"\u{440}\u{430}\u{431}\u{43e}\u{442}\u{430}\u{44e}\u{449}\u{438}\u{439}\"")
        )
    );
    assert_eq!(m.call_id(), Ok("intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"));
    assert_eq!((m.max_forwards(), m.cseq().expect("a CSeq").number), (Some(255), 139_122_385));
    assert_eq!(m.other("extensionHeader-!.%*+_`'~"), Some("\u{feff}\u{5927}\u{505c}\u{96fb}".as_bytes()));
}

#[test]
fn s3_1_1_3_escapes_are_undone_once_where_they_are_escapes() {
    let m = read("esc01");
    assert_eq!(m.request_uri().expect("a URI").user_decoded(), "sips:user@example.com");
    assert_eq!(m.to().expect("a To").uri().user_decoded(), "user");
    assert_eq!(m.from().expect("a From").uri().user_decoded(), "I have spaces");
    let contact = m.contact().expect("a contact").uri();
    assert_eq!(contact.user_decoded(), "caller");
    let params: Vec<_> = contact.params.iter().map(|p| (unescape(p.name), p.value.map(unescape))).collect();
    assert_eq!(params, [("lr".into(), None), ("name".into(), Some("value%41".into()))]);
}

#[test]
fn s3_1_1_4_escaped_nulls_do_not_shorten_a_user() {
    let m = read("escnull");
    assert_eq!(m.to().expect("a To").uri().user_decoded(), "null-\0-null");
    let contacts: Vec<_> = m.contacts().map(|c| c.expect("sound").uri()).collect();
    assert_eq!(contacts.iter().map(UriRef::user_decoded).collect::<Vec<_>>(), ["\0", "\0\0"]);
    assert!(!contacts[0].equals(&contacts[1]), "two bindings");
}

#[test]
fn s3_1_1_5_a_percent_sign_is_no_escape_in_methods_names_and_field_names() {
    let m = read("esc02");
    assert_eq!(m.method(), Method::Other("RE%47IST%45R".into()));
    assert_eq!(m.to().expect("a To").display().expect("a name"), "%Z%45");
    assert_eq!(uris(&m, Name::Contact), ["sip:alias1@host1.example.com", "sip:alias3@host3.example.com"]);
    assert!(m.other("C%6Fntact").is_some());
}

#[test]
fn s3_1_1_6_a_name_may_touch_its_bracket() {
    assert_eq!(read("lwsdisp").from().expect("a From").display().expect("a name"), "caller");
}

#[test]
fn s3_1_1_7_long_values_are_whole() {
    let m = read("longreq");
    let to = m.to().expect("a To");
    assert_eq!(
        to.display().expect("a name").len(),
        "I have a user name of ".len() + 70 + " proportion".len()
    );
    assert_eq!((to.uri().port, to.uri().params.iter().count()), (Some(6000), 3));
    let from = m.from().expect("a From");
    assert_eq!((from.tag().expect("a tag").len(), from.params().iter().count()), (2 + 150 + 3, 3));
    assert_eq!(m.vias().flatten().count(), 34);
    let last = m.vias().last().expect("one").expect("sound");
    assert_eq!(
        (last.received, last.branch.expect("a branch").len()),
        ("192.0.2.5".parse().ok(), 4 + 200 + 11)
    );
    assert_eq!(m.call_id().expect("a Call-ID").len(), "longreq.one".len() + 120 + "longcallid".len());
}

#[test]
fn s3_1_1_8_octets_behind_the_body_are_noise() {
    let m = read("dblreq");
    assert_eq!((m.method(), m.body(), m.fields().count()), (Method::Register, &b""[..], 8));
    assert_eq!(m.call_id(), Ok("dblreq.0ha0isndaksdj99sdfafnl3lk233412"));
}

#[test]
fn s3_1_1_9_semicolons_belong_to_the_user_part() {
    let m = read("semiuri");
    let uri = m.request_uri().expect("a URI");
    assert_eq!(
        (uri.user_decoded().as_ref(), uri.host.to_string()),
        ("user;par=u@example.net", "example.com".into())
    );
    assert_eq!(m.list(Name::Accept).count(), 6);
}

#[test]
fn s3_1_1_10_unknown_transports_are_kept_as_written() {
    let m = read("transports");
    let words: Vec<_> = m.vias().map(|v| v.expect("sound").transport_text).collect();
    assert_eq!(words, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
}

#[test]
fn s3_1_1_11_a_binary_body_is_whole() {
    let m = read("mpart01");
    assert_eq!((m.body().len(), m.top_via().expect("a Via").rport), (553, Rport::Asked));
    let kind = m.content_type().expect("a type");
    assert_eq!((kind.essence, kind.params.value("boundary")), ("multipart/mixed", Some("7a9cbec02ceef655")));
    assert!(m.body().contains(&0) && m.body().ends_with(b"--7a9cbec02ceef655--\r\n"));
}

#[test]
fn s3_1_1_12_and_13_a_reason_phrase_may_be_anything_or_nothing() {
    assert!(read("unreason").reason_phrase().starts_with("= 2**3 * 5**2 \u{43d}\u{43e} "));
    assert_eq!((read("noreason").status(), read("noreason").reason_phrase()), (Some(100), "Trying"));
}

#[test]
fn s3_1_2_each_refusal_names_the_field_that_is_wrong() {
    for (name, field) in [
        ("badinv01", Name::Via),
        ("clerr", Name::ContentLength),
        ("ncl", Name::ContentLength),
        ("scalar02", Name::CSeq),
        ("scalarlg", Name::CSeq),
        ("quotbal", Name::To),
        ("regbadct", Name::Contact),
        ("badaspec", Name::To),
        ("baddn", Name::From),
        ("badbranch", Name::Via),
        ("insuf", Name::CallId),
        ("mcl01", Name::ContentLength),
    ] {
        assert!(
            matches!(read(name).flaw(), Some(HeaderError::Field(at, _)) if at == field),
            "{name}: {:?}",
            read(name).flaw()
        );
    }
    for name in ["ltgtruri", "lwsruri"] {
        assert!(read(name).request_uri().is_err(), "{name}");
    }
}

#[test]
fn s3_1_2_4_overlarge_numbers_count_as_absent_where_they_may() {
    let m = read("scalar02");
    assert_eq!((m.max_forwards(), m.expires(), m.contact().expect("one").expires()), (None, None, None));
}

#[test]
fn s3_1_2_9_and_10_spaces_of_the_start_line_are_not_the_uris() {
    assert_eq!(read("lwsstart").request_uri().expect("a URI").as_str(), "sip:user@example.com");
    assert_eq!(read("trws").request_uri().expect("a URI").as_str(), "sip:remote-target@example.com");
}

#[test]
fn s3_3_facts_for_those_above_the_reader() {
    assert_eq!(read("novelsc").request_uri().expect("a URI").scheme, Scheme::Other);
    let m = read("unksm2");
    assert_eq!(
        (m.to().expect("a To").uri_text(), m.from().expect("a From").uri_text()),
        ("isbn:2983792873", "http://www.example.com")
    );
    assert_eq!(uris(&m, Name::Contact), ["name:John_Smith"]);
    let told = phone(&read("bext01")).expect("refused");
    assert_eq!(told, (420, vec!["nothingSupportsThis".into(), "nothingSupportsThisEither".into()]));
    assert_eq!(read("bext01").list(Name::ProxyRequire).count(), 2);
    assert_eq!(
        read("bcast").vias().nth(1).expect("two").expect("sound").sent_by.to_string(),
        "255.255.255.255"
    );
    assert_eq!(read("zeromf").max_forwards(), Some(0));
    assert_eq!(
        read("regaut01").first(Name::Authorization),
        Some(&b"NoOneKnowsThisScheme opaque-data=here"[..])
    );
    assert!(!read("sdp01").lists(Name::Accept, "application/sdp"));
}

#[test]
fn s3_3_12_to_14_contact_and_uri_parameters_are_told_apart() {
    let m = read("cparam01");
    let contact = m.contact().expect("one");
    assert!(contact.params().has("unknownparam") && !contact.uri().params.has("unknownparam"));
    let m = read("cparam02");
    let contact = m.contact().expect("one");
    assert!(!contact.params().has("unknownparam") && contact.uri().params.has("unknownparam"));
    let m = read("regescrt");
    let headers: Vec<_> = m.contact().expect("one").uri().header_fields().collect();
    assert_eq!(headers, [("Route".into(), "<sip:sip.example.com>".into())]);
}

#[test]
fn s3_4_1_an_invite_of_rfc_2543_is_taken() {
    let m = read("inv2543");
    assert_eq!((m.from().expect("a From").tag(), m.top_via().expect("a Via").branch), (None, None));
    assert_eq!(
        Sdp::read(m.body()).expect("SDP").media().next().expect("one").payloads().collect::<Vec<_>>(),
        [0]
    );
}
