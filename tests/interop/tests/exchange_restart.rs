//! Our exchange is killed under phones that are registered and talk, and comes back.
//!
//! The only sleep is the exchange's absence; everything else waits for events, with a bound.

use std::path::Path;
use std::time::{Duration, Instant};

use offhook_interop::{Exchange, Phone, SOON, free_port};
use serde_json::{Value, json};

/// By themselves, whatever `expires` says.
const REGISTERED_AGAIN: Duration = Duration::from_secs(60);

fn exchange(database: bool) -> Exchange {
    let port = free_port();
    let database = if database { "database = \"exchange.sqlite\"" } else { "" };
    let users = ["1001", "1002", "1003"]
        .map(|user| format!("[[user]]\nnumber = \"{user}\"\npassword = \"secret\"\n"))
        .concat();
    let config =
        format!("{database}\n[listen]\nudp = \"127.0.0.1:{port}\"\ntcp = \"127.0.0.1:{port}\"\n{users}");
    Exchange::start(Some(&config))
}

fn phone(exchange: &Exchange, user: &str, transport: &str) -> Phone {
    let mut phone = Phone::start(
        user,
        &format!(
            "bind = \"127.0.0.1:0\"\n[account]\nuri = \"sip:{user}@offhook.test\"\npassword = \"secret\"\n\
             proxy = \"sip:{};transport={transport}\"\ntransport = \"{transport}\"\nexpires = 3600",
            exchange.address
        ),
    );
    phone.expect(json!({"event": "registration", "state": "registered"}));
    phone
}

fn talk(from: &mut Phone, to: &mut Phone, number: &str) {
    from.say(json!({"cmd": "call", "to": number}));
    let ringing = to.expect(json!({"event": "call", "state": "ringing", "direction": "in"}));
    to.say(json!({"cmd": "answer", "call": ringing["call"]}));
    from.expect(json!({"event": "call", "state": "active"}));
    to.expect(json!({"event": "call", "state": "active"}));
    // The ACK has gone through: what follows hits a call that stands.
    to.expect(json!({"event": "quality"}));
}

/// Calls once, and says whether it rang there.
fn try_call(from: &mut Phone, number: &str) -> bool {
    from.say(json!({"cmd": "call", "to": number}));
    let call = from.expect(json!({"event": "call", "state": "calling"}))["call"].clone();
    let of = |event: &Value| event["call"] == call;
    loop {
        let event = from.expect_within(json!({"event": "call"}), SOON);
        match event["state"].as_str() {
            Some("ringing") if of(&event) => {
                from.say(json!({"cmd": "hangup", "call": call}));
                from.expect(json!({"event": "call", "call": call, "state": "ended"}));
                return true;
            }
            Some("ended") if of(&event) => return false,
            _ => {}
        }
    }
}

fn rings_within(from: &mut Phone, number: &str, bound: Duration) {
    let start = Instant::now();
    while !try_call(from, number) {
        assert!(start.elapsed() < bound, "{number} could not be called {bound:?} after the restart");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Waits until the exchange has written what it has been told: it does so behind its answers.
fn kept(folder: &Path, contact: &str) {
    let wanted = contact.as_bytes();
    let end = Instant::now() + SOON;
    loop {
        let files = ["exchange.sqlite", "exchange.sqlite-wal"].map(|file| std::fs::read(folder.join(file)));
        if files.iter().flatten().any(|bytes| bytes.windows(wanted.len()).any(|at| at == wanted)) {
            return;
        }
        assert!(Instant::now() < end, "{contact} was never written");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn phones_come_back(database: bool, down: Duration) {
    let mut exchange = exchange(database);
    let mut ann = phone(&exchange, "1001", "udp");
    let mut bob = phone(&exchange, "1002", "tcp");
    talk(&mut ann, &mut bob, "1002");
    if database {
        kept(exchange.folder(), "sip:1001@127.0.0.1");
    }
    exchange.crash(down);
    let mut cleo = phone(&exchange, "1003", "udp");
    if database {
        assert!(try_call(&mut cleo, "1001"), "the binding was not kept");
    }
    // A broken connection is told; over UDP only the keepalive knows, and the phone stays registered for its user.
    bob.expect_within(json!({"event": "registration", "state": "registered"}), REGISTERED_AGAIN);
    rings_within(&mut cleo, "1001", REGISTERED_AGAIN);
    rings_within(&mut cleo, "1002", SOON);
    assert!(ann.quit() && bob.quit() && cleo.quit());
}

#[test]
fn phones_are_reachable_again_after_a_short_crash_without_a_database() {
    phones_come_back(false, Duration::from_secs(5));
}

#[test]
fn bindings_are_kept_over_a_crash_and_phones_come_back() {
    phones_come_back(true, Duration::from_secs(5));
}

#[test]
fn phones_are_reachable_again_after_a_long_crash() {
    phones_come_back(false, Duration::from_secs(40));
}
