//! Who is free, at somebody else's presence server.

use offhook_interop::{Kamailio, Phone, can_run, skipped};
use serde_json::json;

fn phone(kamailio: &Kamailio, user: &str, more: &str) -> Phone {
    let config = format!(
        "bind = \"127.0.0.1:0\"\n[account]\nuri = \"sip:{user}@example.test\"\nproxy = \"sip:127.0.0.1:{}\"\n\
         password = \"secret\"\n{more}",
        kamailio.port
    );
    let mut phone = Phone::start(user, &config);
    phone.expect(json!({"event": "registration", "state": "registered"}));
    phone
}

/// RFC 3856, RFC 3903: published, watched and taken back, with Kamailio as the compositor and notifier.
#[test]
fn ann_sees_through_kamailio_whether_bob_is_free_away_in_a_call_and_gone() {
    let test = "presence at Kamailio";
    if !can_run(test, &["kamailio"]) {
        return;
    }
    if !Kamailio::knows_presence() {
        skipped(test, "kamailio-presence-modules not installed");
        return;
    }
    let kamailio = Kamailio::start_with_presence();
    let mut bob = phone(&kamailio, "bob", "publish_presence = true");
    let mut ann = phone(&kamailio, "ann", "watch = [\"bob\"]");
    let seen = |state: &str| json!({"event": "presence", "who": "bob", "state": state});
    ann.expect(seen("free"));
    bob.say(json!({"cmd": "presence", "state": "away", "note": "at lunch"}));
    ann.expect(json!({"event": "presence", "who": "bob", "state": "away", "note": "at lunch"}));
    bob.say(json!({"cmd": "presence", "state": "auto"}));
    ann.expect(seen("free"));
    ann.say(json!({"cmd": "call", "to": "bob"}));
    let ringing = bob.expect(json!({"event": "call", "state": "ringing"}));
    bob.say(json!({"cmd": "answer", "call": ringing["call"]}));
    ann.expect(seen("busy"));
    bob.say(json!({"cmd": "hangup", "call": ringing["call"]}));
    ann.expect(seen("free"));
    assert!(bob.quit());
    ann.expect(seen("offline"));
    ann.say(json!({"cmd": "unwatch", "who": "bob"}));
    assert!(ann.quit());
}
