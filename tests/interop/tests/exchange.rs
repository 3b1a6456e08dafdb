//! SIPp on both sides of our exchange: registered, challenged, redirected, relayed, and through losses.

use exchange::server::{Listen, RedirectRule, Server, ServerConfig};
use offhook_interop::{Sipp, can_run};
use sip::digest::Algorithm;

fn sipp(test: &str) -> bool {
    can_run(test, &["sipp"])
}

fn exchange(challenge: bool) -> (Server, String) {
    let config = ServerConfig {
        listen: Listen::at("127.0.0.1:0".parse().expect("an address")),
        challenge,
        // It reads the first challenge only, and knows nothing else.
        digest: vec![Algorithm::Md5],
        redirect: vec![RedirectRule { prefix: "8".into(), contact: "sip:{number}@127.0.0.1:6060".into() }],
        ..ServerConfig::default()
    };
    let server = Server::start(config).expect("free ports can be listened at");
    let at = server.addresses().udp.expect("it listens for datagrams").to_string();
    (server, at)
}

/// A caller as 1001, who knows its password.
fn caller(scenario: &str) -> Sipp {
    Sipp::new(scenario).args(&["-au", "1001", "-ap", "secret-1001"])
}

/// Registers `user` for a SIPp that waits at `port`.
fn register(at: &str, user: &str, port: u16) {
    let (port, password) = (port.to_string(), format!("secret-{user}"));
    let args = ["-m", "1", "-key", "user", user, "-key", "port", &port, "-au", user, "-ap", &password, at];
    Sipp::new("exchange-register").args(&args).start().succeeds();
}

#[test]
fn a_call_goes_through_the_exchange() {
    if !sipp("SIPp through the exchange") {
        return;
    }
    let (server, at) = exchange(false);
    let callee = Sipp::new("exchange-uas").args(&["-m", "20"]);
    register(&at, "1002", callee.port);
    let callee = callee.start();
    caller("exchange-uac").args(&["-m", "20", "-r", "20", "-s", "1002", &at]).start().succeeds();
    callee.succeeds();
    let seen = server.status().expect("it runs");
    assert_eq!((seen.bindings, seen.counters.malformed, seen.counters.acks_lost), (1, 0, 0), "{seen:?}");
}

#[test]
fn a_call_is_challenged_and_goes_through_the_exchange() {
    if !sipp("SIPp answering 407") {
        return;
    }
    let (server, at) = exchange(true);
    let callee = Sipp::new("exchange-uas").args(&["-m", "5"]);
    register(&at, "1002", callee.port);
    let callee = callee.start();
    caller("exchange-uac-407").args(&["-m", "5", "-r", "20", "-s", "1002", &at]).start().succeeds();
    callee.succeeds();
    let seen = server.status().expect("it runs");
    assert_eq!((seen.door.challenged, seen.door.wrong), (6, 0), "{seen:?}");
}

#[test]
fn a_call_goes_through_although_a_tenth_of_all_messages_is_lost_on_each_side() {
    if !sipp("SIPp with losses through the exchange") {
        return;
    }
    let (_server, at) = exchange(false);
    let callee = Sipp::new("exchange-uas").args(&["-lost", "10"]);
    register(&at, "1002", callee.port);
    let _callee = callee.start();
    // What is repeated to a caller that has hung up must not count as a failure of its call.
    let losses = ["-lost", "10", "-pause_msg_ign"];
    let caller = caller("exchange-uac").args(&losses).args(&["-m", "20", "-r", "20", "-s", "1002", &at]);
    caller.start().puts_through(17);
}

#[test]
fn a_message_is_relayed() {
    if !sipp("SIPp sending MESSAGE through the exchange") {
        return;
    }
    let (_server, at) = exchange(true);
    let callee = Sipp::new("exchange-uas-message").args(&["-m", "1"]);
    register(&at, "1002", callee.port);
    let callee = callee.start();
    caller("exchange-message").args(&["-m", "1", "-s", "1002", &at]).start().succeeds();
    callee.succeeds();
}

#[test]
fn a_number_that_moved_is_redirected() {
    if !sipp("SIPp being redirected by the exchange") {
        return;
    }
    let (server, at) = exchange(true);
    caller("exchange-302").args(&["-m", "1", "-s", "8123", &at]).start().succeeds();
    assert_eq!(server.status().expect("it runs").counters.redirected, 1);
}
