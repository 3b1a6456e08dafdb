//! SIPp drives our phone: as the one it calls, and as the one who calls it.

use offhook_interop::{LossyRelay, Phone, Sipp, can_run, free_port};
use serde_json::json;

/// A phone that registers nowhere, and the port it listens on.
fn phone(more: &str) -> (Phone, u16) {
    let port = free_port();
    let config = format!(
        "bind = \"127.0.0.1:{port}\"\n[account]\nuri = \"sip:ann@127.0.0.1:{port}\"\nregister = false\n{more}"
    );
    (Phone::start("ann", &config), port)
}

/// The call that was begun is answered; then we end it.
fn talk_and_hang_up(ann: &mut Phone) {
    let call = ann.expect(json!({"event": "call", "state": "active"}));
    ann.say(json!({"cmd": "hangup", "call": call["call"]}));
    ann.expect(json!({"event": "call", "state": "ended"}));
}

fn sipp(test: &str) -> bool {
    can_run(test, &["sipp"])
}

#[test]
fn we_call_sipp_and_hang_up() {
    if !sipp("SIPp as the callee") {
        return;
    }
    let server = Sipp::new("[uas]").args(&["-m", "1"]);
    let port = server.port;
    let run = server.start();
    let (mut ann, _) = phone("");
    ann.say(json!({"cmd": "call", "to": format!("sip:service@127.0.0.1:{port}")}));
    talk_and_hang_up(&mut ann);
    run.succeeds();
}

#[test]
fn a_call_is_set_up_though_half_of_all_datagrams_are_lost() {
    if !sipp("SIPp behind a lossy link") {
        return;
    }
    let server = Sipp::new("[uas]").args(&["-m", "1"]);
    let relay = LossyRelay::start(server.port, 2);
    let run = server.start();
    let (mut ann, _) = phone("");
    ann.say(json!({"cmd": "call", "to": format!("sip:service@127.0.0.1:{}", relay.port)}));
    talk_and_hang_up(&mut ann);
    run.succeeds();
    assert!(relay.lost() > 0, "the link lost something");
}

#[test]
fn sipp_calls_us_and_hangs_up() {
    if !sipp("SIPp as the caller") {
        return;
    }
    let (mut ann, port) = phone("");
    ann.say(json!({"cmd": "status"}));
    ann.expect(json!({"event": "status"}));
    let run = Sipp::new("uac").args(&["-m", "1", "-s", "ann", &format!("127.0.0.1:{port}")]).start();
    let call = ann.expect(json!({"event": "call", "state": "ringing", "direction": "in"}));
    ann.say(json!({"cmd": "answer", "call": call["call"]}));
    ann.expect(json!({"event": "call", "state": "active"}));
    ann.expect(json!({"event": "call", "state": "ended"}));
    run.succeeds();
}

#[test]
fn sipp_cancels_a_call_that_rings() {
    if !sipp("SIPp cancelling") {
        return;
    }
    let (mut ann, port) = phone("");
    ann.say(json!({"cmd": "status"}));
    ann.expect(json!({"event": "status"}));
    let run = Sipp::new("uac-cancel").args(&["-m", "1", "-s", "ann", &format!("127.0.0.1:{port}")]).start();
    ann.expect(json!({"event": "call", "state": "ringing", "direction": "in"}));
    ann.expect(json!({"event": "call", "state": "ended"}));
    run.succeeds();
}

#[test]
fn we_cancel_a_call_that_rings_at_sipp() {
    if !sipp("cancelling at SIPp") {
        return;
    }
    let server = Sipp::new("uas-cancel").args(&["-m", "1"]);
    let port = server.port;
    let run = server.start();
    let (mut ann, _) = phone("");
    ann.say(json!({"cmd": "call", "to": format!("sip:service@127.0.0.1:{port}")}));
    let call = ann.expect(json!({"event": "call", "state": "ringing"}));
    ann.say(json!({"cmd": "hangup", "call": call["call"]}));
    ann.expect(json!({"event": "call", "state": "ended"}));
    run.succeeds();
}

#[test]
fn we_follow_a_redirection() {
    if !sipp("302 by SIPp") {
        return;
    }
    let target = Sipp::new("[uas]").args(&["-m", "1"]);
    let redirector = Sipp::new("uas-302").args(&["-m", "1", "-key", "target_port", &target.port.to_string()]);
    let port = redirector.port;
    let (redirecting, answering) = (redirector.start(), target.start());
    let (mut ann, _) = phone("");
    ann.say(json!({"cmd": "call", "to": format!("sip:service@127.0.0.1:{port}")}));
    talk_and_hang_up(&mut ann);
    redirecting.succeeds();
    answering.succeeds();
}

#[test]
fn we_answer_a_challenge_to_a_call() {
    if !sipp("401 by SIPp") {
        return;
    }
    let server = Sipp::new("uas-auth").args(&["-m", "1"]);
    let port = server.port;
    let run = server.start();
    let (mut ann, _) = phone("auth_user = \"sipp\"\npassword = \"sipp\"\n");
    ann.say(json!({"cmd": "call", "to": format!("sip:service@127.0.0.1:{port}")}));
    talk_and_hang_up(&mut ann);
    run.succeeds();
}

#[test]
fn sipp_puts_us_on_hold_and_back() {
    if !sipp("re-INVITE by SIPp") {
        return;
    }
    let (mut ann, port) = phone("");
    ann.say(json!({"cmd": "status"}));
    ann.expect(json!({"event": "status"}));
    let run = Sipp::new("uac-hold").args(&["-m", "1", "-s", "ann", &format!("127.0.0.1:{port}")]).start();
    let call = ann.expect(json!({"event": "call", "state": "ringing", "direction": "in"}));
    ann.say(json!({"cmd": "answer", "call": call["call"]}));
    ann.expect(json!({"event": "call", "state": "active"}));
    ann.expect(json!({"event": "call", "state": "remote_held"}));
    ann.expect(json!({"event": "call", "state": "active"}));
    ann.expect(json!({"event": "call", "state": "ended"}));
    run.succeeds();
}
