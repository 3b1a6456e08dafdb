//! Encrypted calls with a stranger: signalling by TLS at Kamailio, media under keys of SDES and of DTLS-SRTP with baresip.
//!
//! Debian 12's baresip 1.0 has an RSA certificate for DTLS, and ours takes elliptic ones only (as WebRTC's are by now, RFC
//! 8827 section 6.5): it is given one here, and without it the call is refused. Later ones have one by themselves.

use std::time::Duration;

use offhook_interop::{
    Authority, Baresip, Kamailio, MediaEncryption, Phone, can_run, is, recorded_level_dbov, skipped,
};
use serde_json::json;

/// What it asks of us, and we of it.
const MANDATORY: MediaEncryption = MediaEncryption { word: "srtp-mand", elliptic: false };
const OPTIONAL: MediaEncryption = MediaEncryption { word: "srtp", elliptic: false };
const DTLS: MediaEncryption = MediaEncryption { word: "dtls_srtp", elliptic: true };
const DTLS_RSA: MediaEncryption = MediaEncryption { word: "dtls_srtp", elliptic: false };

const CODEC: &str = "PCMU/8000/1";

/// A phone of `user` at `kamailio`, by TLS where that has it, with `more` under `[account]`.
fn phone(kamailio: &Kamailio, user: &str, more: &str) -> Phone {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ca = folder.path().join("ca.pem");
    let way = match &kamailio.tls {
        None => format!("proxy = \"sip:127.0.0.1:{}\"\n", kamailio.port),
        Some((authority, port)) => {
            authority.write(&ca);
            let ca = ca.display();
            format!("proxy = \"sip:127.0.0.1:{port}\"\ntransport = \"tls\"\ntls_ca = \"{ca}\"\n")
        }
    };
    let config = format!(
        "bind = \"127.0.0.1:0\"\n[account]\nuri = \"sip:{user}@example.test\"\n{way}password = \"secret\"\n{more}"
    );
    let mut phone = Phone::start(user, &config);
    phone.expect(json!({"event": "registration", "state": "registered"}));
    phone
}

/// Whether all that is needed is here; says aloud what is not.
fn ready(test: &str, programs: &[&str]) -> bool {
    if !can_run(test, programs) {
        return false;
    }
    if !Kamailio::speaks_tls() {
        skipped(test, "kamailio-tls-modules not installed");
    }
    Kamailio::speaks_tls()
}

/// We call, and both hear the other: keypad digits and voice. Our view of the call says how it is encrypted.
fn we_call(ann: &mut Phone, baresip: &Baresip, encrypted: &str) {
    ann.say(json!({"cmd": "call", "to": "bs"}));
    let call = ann.expect(json!({"event": "call", "state": "active", "codec": "PCMU"}));
    keyed(ann, &call, encrypted);
    for _ in 0..3 {
        ann.expect(json!({"event": "quality"}));
    }
    ann.say(json!({"cmd": "dtmf", "call": call["call"], "digits": "15#"}));
    baresip.expect_digits("15#");
    ann.say(json!({"cmd": "hangup", "call": call["call"]}));
    ann.expect(json!({"event": "call", "state": "ended"}));
    let level = recorded_level_dbov(&ann.heard());
    assert!(level > -45.0, "ann heard baresip with {level} dBov under {encrypted}");
}

/// The same, and they call.
fn they_call(ann: &mut Phone, baresip: &Baresip, encrypted: &str) {
    baresip.dial("sip:ann@example.test");
    let call = ann.expect(json!({"event": "call", "state": "ringing", "direction": "in"}));
    ann.say(json!({"cmd": "answer", "call": call["call"]}));
    let call = ann.expect(json!({"event": "call", "state": "active", "codec": "PCMU"}));
    keyed(ann, &call, encrypted);
    for _ in 0..2 {
        ann.expect(json!({"event": "quality"}));
    }
    for digit in ["9", "*"] {
        baresip.press(digit);
        ann.expect(json!({"event": "dtmf", "digit": digit, "via": "rfc4733"}));
    }
    baresip.hang_up();
    ann.expect(json!({"event": "call", "state": "ended"}));
}

/// The call is encrypted so, at once or as soon as keys have been agreed on.
fn keyed(ann: &mut Phone, call: &serde_json::Value, encrypted: &str) {
    if call["encrypted"] != encrypted {
        ann.expect(json!({"event": "call", "call": call["call"], "state": "active", "encrypted": encrypted}));
    }
}

#[test]
fn two_phones_of_ours_talk_through_kamailio_by_tls() {
    if !ready("a call through Kamailio by TLS", &["kamailio"]) {
        return;
    }
    let kamailio = Kamailio::start_with_tls();
    for (srtp, encrypted) in [("off", "none"), ("required", "sdes")] {
        let more = format!("srtp = \"{srtp}\"\nsrtp_keys = \"sdes\"\n");
        let (mut ann, mut bob) = (phone(&kamailio, "ann", &more), phone(&kamailio, "bob", &more));
        ann.say(json!({"cmd": "call", "to": "bob"}));
        let ringing = bob.expect(json!({"event": "call", "state": "ringing"}));
        bob.say(json!({"cmd": "answer", "call": ringing["call"]}));
        let call = ann.expect(json!({"event": "call", "state": "active"}));
        keyed(&mut ann, &call, encrypted);
        ann.expect(json!({"event": "quality"}));
        ann.say(json!({"cmd": "hold", "call": call["call"]}));
        bob.expect(json!({"event": "call", "state": "remote_held"}));
        ann.say(json!({"cmd": "resume", "call": call["call"]}));
        bob.expect(json!({"event": "call", "state": "active"}));
        ann.expect(json!({"event": "quality"}));
        bob.say(json!({"cmd": "hangup", "call": ringing["call"]}));
        ann.expect(json!({"event": "call", "state": "ended"}));
        assert!(recorded_level_dbov(&ann.heard()) > -45.0, "ann heard bob, srtp {srtp}");
        assert!(recorded_level_dbov(&bob.heard()) > -45.0, "bob heard ann, srtp {srtp}");
        assert!(ann.quit() && bob.quit());
    }
}

#[test]
fn a_server_that_nobody_vouches_for_is_not_registered_at() {
    if !ready("a foreign certificate at Kamailio", &["kamailio"]) {
        return;
    }
    let (kamailio, other) = (Kamailio::start_with_tls(), Authority::new());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ca = folder.path().join("ca.pem");
    other.write(&ca);
    let port = kamailio.tls.as_ref().expect("it was asked for").1;
    let mut ann = Phone::start(
        "ann",
        &format!(
            "bind = \"127.0.0.1:0\"\n[account]\nuri = \"sip:ann@example.test\"\nproxy = \"sip:127.0.0.1:{port}\"\n\
             transport = \"tls\"\ntls_ca = \"{}\"\npassword = \"secret\"\n",
            ca.display()
        ),
    );
    ann.expect(json!({"event": "registration", "state": "failed"}));
    assert!(!ann.said().iter().any(|event| is(event, &json!({"state": "registered"}))));
}

#[test]
fn baresip_and_we_hear_each_other_under_keys_in_the_signalling() {
    if !ready("SDES calls with baresip", &["kamailio", "baresip"]) {
        return;
    }
    for (ours, theirs) in [("required", MANDATORY), ("required", OPTIONAL), ("optional", OPTIONAL)] {
        let kamailio = Kamailio::start_with_tls();
        let baresip = Baresip::start_encrypted(&kamailio, CODEC, theirs);
        let mut ann = phone(&kamailio, "ann", &format!("srtp = \"{ours}\"\nsrtp_keys = \"sdes\"\n"));
        we_call(&mut ann, &baresip, "sdes");
        they_call(&mut ann, &baresip, "sdes");
        baresip.expect_said(&["SRTP is Enabled"]);
    }
}

#[test]
fn baresip_and_we_hear_each_other_under_keys_agreed_on_the_media_path() {
    if !ready("DTLS-SRTP calls with baresip", &["kamailio", "baresip", "cc"]) {
        return;
    }
    // Whether the signalling is under TLS is none of their concern.
    for (keys, kamailio) in
        [("dtls", Kamailio::start_with_tls()), ("dtls", Kamailio::start()), ("auto", Kamailio::start())]
    {
        let baresip = Baresip::start_encrypted(&kamailio, CODEC, DTLS);
        let mut ann = phone(&kamailio, "ann", &format!("srtp = \"required\"\nsrtp_keys = \"{keys}\"\n"));
        we_call(&mut ann, &baresip, "dtls");
        they_call(&mut ann, &baresip, "dtls");
        baresip.expect_said(&["DTLS-SRTP complete"]);
    }
}

/// RFC 8643 section 3.1 has such offers say `RTP/AVP`; baresip 1.0 takes no keys there where it insists on them, and fingerprints
/// under the profile of RFC 5764 alone.
#[test]
fn who_takes_one_profile_alone_refuses_the_others_and_is_asked_by_it_in_the_end() {
    if !ready("opportunistic offers to baresip", &["kamailio", "baresip", "cc"]) {
        return;
    }
    for (ours, theirs, encrypted) in
        [("optional", MANDATORY, "sdes"), ("optional", DTLS, "dtls"), ("required", DTLS, "dtls")]
    {
        let kamailio = Kamailio::start_with_tls();
        let baresip = Baresip::start_encrypted(&kamailio, CODEC, theirs);
        let mut ann = phone(&kamailio, "ann", &format!("srtp = \"{ours}\"\nsrtp_keys = \"auto\"\n"));
        we_call(&mut ann, &baresip, encrypted);
        they_call(&mut ann, &baresip, encrypted);
    }
}

#[test]
fn with_who_cannot_encrypt_there_is_a_clear_call_or_none_as_the_account_says() {
    if !ready("encrypted calls to a baresip without encryption", &["kamailio", "baresip"]) {
        return;
    }
    let kamailio = Kamailio::start_with_tls();
    let baresip = Baresip::start(&kamailio, CODEC);

    let mut ann = phone(&kamailio, "ann", "srtp = \"required\"\n");
    ann.say(json!({"cmd": "call", "to": "bs"}));
    let ended = ann.expect(json!({"event": "call", "state": "ended"}));
    assert!(says_why(&ended, "encrypt"), "{ended}");
    assert!(!ann.said().iter().any(|event| is(event, &json!({"event": "call", "state": "active"}))));
    assert!(ann.quit());

    let mut ann = phone(&kamailio, "ann", "srtp = \"optional\"\n");
    we_call(&mut ann, &baresip, "none");
    they_call(&mut ann, &baresip, "none");
}

#[test]
fn a_stranger_with_an_rsa_certificate_is_not_talked_to_in_clear() {
    if !ready("DTLS-SRTP with a baresip of an RSA certificate", &["kamailio", "baresip"]) {
        return;
    }
    let kamailio = Kamailio::start_with_tls();
    let baresip = Baresip::start_encrypted(&kamailio, CODEC, DTLS_RSA);
    if !baresip.is_before(2) {
        return skipped("a baresip with an RSA certificate", "this one has an elliptic one");
    }
    let mut ann = phone(&kamailio, "ann", "srtp = \"required\"\nsrtp_keys = \"dtls\"\n");
    ann.say(json!({"cmd": "call", "to": "bs"}));
    let ended = ann.expect_within(json!({"event": "call", "state": "ended"}), THE_HANDSHAKES);
    assert!(says_why(&ended, "keys"), "{ended}");
    let level = recorded_level_dbov(&ann.heard());
    assert!(level < -90.0, "{level} dBov were heard");
}

/// How long a handshake may take (30 s), and a bit.
const THE_HANDSHAKES: Duration = Duration::from_secs(45);

/// Whether a call's end is explained with this word.
fn says_why(ended: &serde_json::Value, word: &str) -> bool {
    ended["explanation"].as_str().is_some_and(|why| why.contains(word))
}
