//! Our phone at somebody else's registrar and proxy, calling its own kind and a stranger.

use offhook_interop::{Baresip, Kamailio, Phone, baresip_speaks, can_run, recorded_level_dbov, skipped};
use serde_json::json;

/// A phone of `user` at `kamailio`; everybody's password there is `secret`.
fn phone(kamailio: &Kamailio, user: &str, more: &str) -> Phone {
    let mut phone = start(kamailio, user, "secret", more);
    phone.expect(json!({"event": "registration", "state": "registered"}));
    phone
}

fn start(kamailio: &Kamailio, user: &str, password: &str, more: &str) -> Phone {
    let config = format!(
        "bind = \"127.0.0.1:0\"\n[account]\nuri = \"sip:{user}@example.test\"\nproxy = \"sip:127.0.0.1:{}\"\n\
         password = \"{password}\"\n{more}",
        kamailio.port
    );
    Phone::start(user, &config)
}

#[test]
fn a_wrong_password_is_said_and_not_tried_again_and_again() {
    if !can_run("wrong password at Kamailio", &["kamailio"]) {
        return;
    }
    let kamailio = Kamailio::start();
    let mut ann = start(&kamailio, "ann", "guess", "");
    let failed = ann.expect(json!({"event": "registration", "state": "failed"}));
    assert!(failed["reason"].as_str().is_some_and(|r| !r.is_empty()), "{failed}");
}

#[test]
fn two_phones_call_hold_and_hang_up_through_kamailio() {
    if !can_run("calls through Kamailio", &["kamailio"]) {
        return;
    }
    for transport in ["udp", "tcp"] {
        let kamailio = Kamailio::start();
        let more = format!("transport = \"{transport}\"");
        let (mut ann, mut bob) = (phone(&kamailio, "ann", &more), phone(&kamailio, "bob", &more));
        ann.say(json!({"cmd": "call", "to": "bob"}));
        ann.expect(json!({"event": "call", "state": "ringing", "direction": "out"}));
        let ringing = bob.expect(json!({"event": "call", "state": "ringing", "direction": "in"}));
        bob.say(json!({"cmd": "answer", "call": ringing["call"]}));
        let active = ann.expect(json!({"event": "call", "state": "active", "codec": "G729"}));
        bob.expect(json!({"event": "call", "state": "active"}));
        ann.expect(json!({"event": "quality"}));
        ann.say(json!({"cmd": "hold", "call": active["call"]}));
        ann.expect(json!({"event": "call", "state": "held"}));
        bob.expect(json!({"event": "call", "state": "remote_held"}));
        ann.say(json!({"cmd": "resume", "call": active["call"]}));
        ann.expect(json!({"event": "call", "state": "active"}));
        bob.expect(json!({"event": "call", "state": "active"}));
        bob.say(json!({"cmd": "hangup", "call": ringing["call"]}));
        ann.expect(json!({"event": "call", "state": "ended"}));
        bob.expect(json!({"event": "call", "state": "ended"}));
        assert!(recorded_level_dbov(&ann.heard()) > -45.0, "ann heard bob over {transport}");
        assert!(recorded_level_dbov(&bob.heard()) > -45.0, "bob heard ann over {transport}");
        assert!(ann.quit() && bob.quit());
    }
}

#[test]
fn busy_cancel_and_messages_pass_kamailio() {
    if !can_run("refusals through Kamailio", &["kamailio"]) {
        return;
    }
    let kamailio = Kamailio::start();
    let (mut ann, mut bob) = (phone(&kamailio, "ann", ""), phone(&kamailio, "bob", ""));
    ann.say(json!({"cmd": "call", "to": "bob"}));
    let ringing = bob.expect(json!({"event": "call", "state": "ringing"}));
    bob.say(json!({"cmd": "reject", "call": ringing["call"], "status": 486}));
    ann.expect(json!({"event": "call", "state": "ended", "status": 486}));

    ann.say(json!({"cmd": "call", "to": "bob"}));
    let ours = ann.expect(json!({"event": "call", "state": "ringing"}));
    bob.expect(json!({"event": "call", "state": "ringing"}));
    ann.say(json!({"cmd": "hangup", "call": ours["call"]}));
    bob.expect(json!({"event": "call", "state": "ended"}));
    ann.expect(json!({"event": "call", "state": "ended"}));

    ann.say(json!({"cmd": "message", "to": "bob", "text": "gr\u{fc}\u{df}e \u{1f44b}"}));
    let message = bob.expect(json!({"event": "message", "text": "gr\u{fc}\u{df}e \u{1f44b}"}));
    assert!(message["from"].as_str().is_some_and(|f| f.contains("ann@example.test")), "{message}");
}

#[test]
fn a_call_is_transferred_through_kamailio() {
    if !can_run("transfer through Kamailio", &["kamailio"]) {
        return;
    }
    let kamailio = Kamailio::start();
    let [mut ann, mut bob, mut cem] = ["ann", "bob", "cem"].map(|user| phone(&kamailio, user, ""));
    ann.say(json!({"cmd": "call", "to": "bob"}));
    let at_bob = bob.expect(json!({"event": "call", "state": "ringing"}));
    bob.say(json!({"cmd": "answer", "call": at_bob["call"]}));
    ann.expect(json!({"event": "call", "state": "active"}));
    bob.expect(json!({"event": "call", "state": "active"}));
    bob.say(json!({"cmd": "transfer", "call": at_bob["call"], "to": "cem"}));
    let at_cem = cem.expect(json!({"event": "call", "state": "ringing"}));
    cem.say(json!({"cmd": "answer", "call": at_cem["call"]}));
    bob.expect(json!({"event": "call", "call": at_bob["call"], "state": "ended"}));
    cem.expect(json!({"event": "call", "state": "active"}));
    cem.say(json!({"cmd": "hangup", "call": at_cem["call"]}));
    cem.expect(json!({"event": "call", "state": "ended"}));
}

#[test]
fn baresip_and_we_hear_each_other_whoever_calls() {
    if !can_run("calls with baresip", &["kamailio", "baresip"]) {
        return;
    }
    for (codec, theirs) in [
        ("PCMU", "PCMU/8000/1"),
        ("PCMA", "PCMA/8000/1"),
        ("GSM", "GSM/8000/1"),
        ("opus", "opus/48000/2"),
        ("G722", "G722/16000/1"),
    ] {
        if !baresip_speaks(codec) {
            skipped(&format!("calls with baresip in {codec}"), "its package has no such codec");
            continue;
        }
        let kamailio = Kamailio::start();
        let baresip = Baresip::start(&kamailio, theirs);
        let mut ann = phone(&kamailio, "ann", "");
        ann.say(json!({"cmd": "call", "to": "bs"}));
        let call = ann.expect(json!({"event": "call", "state": "active", "codec": codec}));
        for _ in 0..3 {
            ann.expect(json!({"event": "quality"}));
        }
        ann.say(json!({"cmd": "dtmf", "call": call["call"], "digits": "15#"}));
        baresip.expect_digits("15#");
        ann.say(json!({"cmd": "hangup", "call": call["call"]}));
        ann.expect(json!({"event": "call", "state": "ended"}));
        assert!(recorded_level_dbov(&ann.heard()) > -45.0, "ann heard baresip in {codec}");

        baresip.dial("sip:ann@example.test");
        let call = ann.expect(json!({"event": "call", "state": "ringing", "direction": "in"}));
        ann.say(json!({"cmd": "answer", "call": call["call"]}));
        ann.expect(json!({"event": "call", "state": "active", "codec": codec}));
        ann.expect(json!({"event": "quality"}));
        for digit in ["9", "*"] {
            baresip.press(digit);
            ann.expect(json!({"event": "dtmf", "digit": digit, "via": "rfc4733"}));
        }
        baresip.hang_up();
        ann.expect(json!({"event": "call", "state": "ended"}));
    }
}
