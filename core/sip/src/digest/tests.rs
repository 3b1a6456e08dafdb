use super::*;

/// RFC 7616 section 3.9.1: one user, two algorithms.
fn mufasa(algorithm: Algorithm) -> String {
    Input {
        user: "Mufasa",
        realm: "http-auth@example.org",
        password: "Circle of Life",
        method: "GET",
        uri: "/dir/index.html",
        body: b"",
        nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        protection: Some(("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", 1, Qop::Auth)),
    }
    .response(algorithm)
}

#[test]
fn digests_are_those_of_rfc_7616() {
    assert_eq!(mufasa(Algorithm::Md5), "8ca523f5e9506fed4657c9700eebdbec");
    assert_eq!(mufasa(Algorithm::Sha256), "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

#[test]
fn without_qop_it_is_the_digest_of_rfc_2617() {
    let input = Input {
        user: "bob",
        realm: "biloxi.com",
        password: "zanzibar",
        method: "INVITE",
        uri: "sip:bob@biloxi.com",
        body: b"",
        nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        protection: None,
    };
    // MD5(MD5(A1):nonce:MD5(A2)), worked out with another tool.
    let ha1 = Algorithm::Md5.hash(&[b"bob:biloxi.com:zanzibar"]);
    let ha2 = Algorithm::Md5.hash(&[b"INVITE:sip:bob@biloxi.com"]);
    assert_eq!(ha1, "12af60467a33e8518da5c68bbff12b11");
    let whole = format!("{ha1}:dcd98b7102dd2f0e8b11d0f600bfb0c093:{ha2}");
    assert_eq!(input.response(Algorithm::Md5), Algorithm::Md5.hash(&[whole.as_bytes()]));
}

#[test]
fn a_challenge_is_read_with_all_its_quirks() {
    let c = Challenge::read(
        b"digest  realm=\"a \\\"b\\\", c\" , nonce=\"x=y,z\",opaque=\"\", stale=TRUE , QOP=\"auth-int , auth\", algorithm=sha-256, new=thing",
    )
    .unwrap();
    assert_eq!((c.realm.as_str(), c.nonce.as_str(), c.opaque.as_deref()), ("a \"b\", c", "x=y,z", Some("")));
    assert_eq!((c.algorithm, c.qop, c.stale), (Algorithm::Sha256, Some(Qop::Auth), true));
    let plain = Challenge::read(b"Digest realm=\"r\",nonce=\"n\"").unwrap();
    assert_eq!((plain.algorithm, plain.qop, plain.stale), (Algorithm::Md5, None, false));
}

#[test]
fn challenges_that_we_cannot_answer_are_passed_over() {
    for value in [
        "Basic realm=\"r\"",
        "Digest",
        "Digest realm=\"r\"",
        "Digest realm=\"r\", nonce=\"n",
        "Digest realm=\"r\", nonce=\"n\", algorithm=AKAv1-MD5",
        "Digest realm=\"r\", nonce=\"n\", qop=\"token\"",
    ] {
        assert_eq!(Challenge::read(value.as_bytes()), None, "{value}");
    }
}

mod dance;
