//! What a URI reads as, and which two are one. RFC 3261 section 19.1, RFC 3966.

use super::*;

fn uri(text: &str) -> UriRef<'_> {
    UriRef::read(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[test]
fn every_part_of_a_sip_uri_is_found() {
    let u = uri("SIP:alice:se%20cret@[2001:db8::1]:5080;transport=TCP;lr;x=%41?subject=a%20b&to=sip:c%40d");
    assert_eq!((u.scheme, u.user, u.password), (Scheme::Sip, Some("alice"), Some("se%20cret")));
    assert_eq!(u.host, Host::V6("2001:db8::1".parse().expect("an address")));
    assert_eq!((u.port, u.transport(), u.is_loose()), (Some(5080), Some(Transport::Tcp), true));
    assert_eq!((u.param("X"), u.param("none")), (Some("%41"), None));
    let headers: Vec<_> = u.header_fields().collect();
    assert_eq!(headers, [("subject".into(), "a b".into()), ("to".into(), Cow::from("sip:c@d"))]);
}

#[test]
fn a_user_part_may_hold_semicolons_and_question_marks() {
    let u = uri("sip:user;par=u%40example.net@example.com");
    assert_eq!((u.user, u.host), (Some("user;par=u%40example.net"), Host::Name("example.com")));
    assert_eq!(u.user_decoded(), "user;par=u@example.net");
    assert!(u.params.is_empty());
    assert_eq!(uri("sip:a?b/c@h").user, Some("a?b/c"));
}

#[test]
fn escapes_are_undone_once_and_nulls_survive() {
    assert_eq!(unescape("v=v%61lue%25%34%31"), "v=value%41");
    assert_eq!(unescape("null-%00-null"), "null-\0-null");
    assert_eq!(unescape("%Z%4"), "%Z%4");
    assert_eq!(unescape("%ff"), "\u{fffd}");
    assert_eq!(escape_user("I have#s@p"), "I%20have%23s%40p");
    assert_eq!(unescape(&escape_value("a;b=\u{e9}?")), "a;b=\u{e9}?");
}

#[test]
fn tel_and_unknown_schemes_are_read() {
    let u = uri("tel:+49-30-123;phone-context=x.y");
    assert_eq!((u.scheme, u.user, u.param("phone-context")), (Scheme::Tel, Some("+49-30-123"), Some("x.y")));
    let u = uri("soap.beep://192.0.2.103:3002");
    assert_eq!((u.scheme, u.user, u.as_str()), (Scheme::Other, None, "soap.beep://192.0.2.103:3002"));
}

#[test]
fn addresses_are_read_as_the_library_reads_them() {
    for text in [
        "1.2.3.4",
        "255.255.255.255",
        "0.0.0.0",
        "256.1.1.1",
        "1.2.3",
        "1.2.3.4.5",
        "01.2.3.4",
        "1..2.3",
        "1.2.3.",
        "1000.2.3.4",
        "10",
    ] {
        let want = text.parse().map_or(Host::Name(text), Host::V4);
        assert_eq!(Host::read(text), Ok(want), "{text}");
    }
}

#[test]
fn what_is_no_uri_is_refused_with_its_reason() {
    for (text, why) in [
        ("", UriError::Scheme),
        ("alice", UriError::Scheme),
        ("1x:y", UriError::Scheme),
        (":x", UriError::Scheme),
        ("sip:", UriError::Host),
        ("sip:a@", UriError::Host),
        ("sip:a@b@c", UriError::Host),
        ("sip:[::1", UriError::Host),
        ("sip:[::g]", UriError::Host),
        ("sip:[::1]5060", UriError::Host),
        ("sip:h:", UriError::Port),
        ("sip:h:65536", UriError::Port),
        ("sip:h:-1", UriError::Port),
        ("sip:a b@h", UriError::Character),
        ("<sip:h>", UriError::Character),
        ("sip:h;x=\r\n", UriError::Character),
        ("tel:", UriError::Number),
        ("tel:+-", UriError::Number),
        ("tel:call me", UriError::Character),
        ("tel:\u{e9}", UriError::Number),
    ] {
        assert_eq!(UriRef::read(text.as_bytes()).expect_err(text), why, "{text}");
    }
}

#[test]
fn equal_uris_of_rfc_3261_19_1_4_are_equal() {
    for (a, b) in [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("sip:a@[2001:db8::9:1]", "sip:a@[2001:DB8:0::9:01]"),
        ("tel:+1-201-555-0123", "tel:+12015550123"),
        ("tel:7042;phone-context=Example.com;x=1", "tel:7042;x=1;phone-context=example.com"),
        ("URN:x", "urn:x"),
        ("sip:a@b;x=1;x=2", "sip:a@b;x=2;x=1"),
    ] {
        assert!(uri(a).equals(&uri(b)) && uri(b).equals(&uri(a)), "{a} {b}");
    }
}

#[test]
fn different_uris_of_rfc_3261_19_1_4_differ() {
    for (a, b) in [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;newparam=6"),
        ("sip:a@b", "sips:a@b"),
        ("sip:a@b", "sip:b"),
        ("sip:a@b;maddr=1.2.3.4", "sip:a@b"),
        ("sip:a:p@b", "sip:a@b"),
        ("sip:a%40c@b", "sip:a%2540c@b"),
        ("sip:a%3Bx@b", "sip:a;x@b"),
        ("sip:a@1.2.3.4", "sip:a@b"),
        ("tel:+1", "tel:1"),
        ("tel:1;phone-context=a", "tel:1"),
    ] {
        assert!(!uri(a).equals(&uri(b)) && !uri(b).equals(&uri(a)), "{a} {b}");
    }
}

#[test]
fn an_owned_uri_compares_by_text_and_hides_itself_in_logs() {
    let u: Uri = "sip:1001@h".parse().expect("a URI");
    assert_eq!((u.to_string(), format!("{u:?}")), ("sip:1001@h".into(), "Sip:[redacted]".into()));
    assert_eq!(u.view().user, Some("1001"));
    assert!("nonsense".parse::<Uri>().is_err());
}
