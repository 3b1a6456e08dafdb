//! What the people called are told of who calls: each setting as SIPp receives it behind Kamailio, and a hidden number as
//! it reaches a phone behind our exchange. RFC 3323, RFC 3325; `phone/identity` has the rules.

use exchange::server::{Listen, Server, ServerConfig};
use offhook_interop::{Kamailio, Phone, Sipp, can_run};
use serde_json::json;
use sip::digest::Algorithm;

const NUMBER: &str = "+4930123456";

/// A phone whose registrar listens at `at`, with `caller_id`. It speaks so little that its INVITEs are short: a SIPp does not
/// find the second Via where the first is written in full and that in compact form.
fn phone(user: &str, domain: &str, at: &str, password: &str, caller_id: &str) -> Phone {
    let config = format!(
        "bind = \"127.0.0.1:0\"\n[account]\nuri = \"sip:{user}@{domain}\"\nproxy = \"sip:{at}\"\n\
         password = \"{password}\"\ndisplay_name = \"Ann\"\ntransport = \"udp\"\ncodecs = [\"PCMU\"]\ncaller_id = {{ {caller_id} }}\n"
    );
    let mut phone = Phone::start(user, &config);
    phone.expect(json!({"event": "registration", "state": "registered"}));
    phone
}

/// Calls `to`, where a SIPp registered as 1002 at `at` answers: the INVITE that it received.
fn invite_of(ann: &mut Phone, to: &str, at: &str, password: &str) -> String {
    let callee = Sipp::new("exchange-uas").args(&["-m", "1", "-trace_msg", "-message_file", "messages"]);
    let port = callee.port.to_string();
    let args = ["-m", "1", "-key", "user", "1002", "-key", "port", &port, "-au", "1002", "-ap", password, at];
    Sipp::new("exchange-register").args(&args).start().succeeds();
    let callee = callee.start();
    ann.say(json!({"cmd": "call", "to": to}));
    let call = ann.expect(json!({"event": "call", "state": "active"}));
    // A BYE on the heels of the ACK may overtake it: Kamailio's processes take one each.
    ann.expect(json!({"event": "quality"}));
    ann.say(json!({"cmd": "hangup", "call": call["call"]}));
    ann.expect(json!({"event": "call", "state": "ended"}));
    let messages = callee.succeeds_with("messages");
    let start = messages.find("INVITE ").expect("it received one");
    let invite = &messages[start..];
    invite.split("\n-----").next().unwrap_or(invite).replace('\r', "")
}

/// The values of a header field.
fn values<'a>(message: &'a str, name: &str) -> Vec<&'a str> {
    let of = |line: &'a str| line.split_once(": ").filter(|(it, _)| it.eq_ignore_ascii_case(name));
    message.lines().filter_map(of).map(|(_, value)| value).collect()
}

/// From without its tag.
fn from(message: &str) -> &str {
    let all = values(message, "From");
    all.first().and_then(|from| from.split(";tag=").next()).unwrap_or_default()
}

const IDENTITIES: [&str; 4] = ["P-Preferred-Identity", "P-Asserted-Identity", "Remote-Party-ID", "Privacy"];

/// All that says who calls beside From.
fn identities(message: &str) -> Vec<String> {
    let of = |name: &'static str| values(message, name).into_iter().map(move |it| format!("{name}: {it}"));
    IDENTITIES.into_iter().flat_map(of).collect()
}

#[test]
fn each_setting_of_the_caller_id_puts_its_header_on_the_wire_and_no_other() {
    if !can_run("caller IDs at SIPp behind Kamailio", &["kamailio", "sipp"]) {
        return;
    }
    let kamailio = Kamailio::start();
    let at = format!("127.0.0.1:{}", kamailio.port);
    let named = format!("\"Ann\" <sip:{NUMBER}@example.test>");
    let usual = "\"Ann\" <sip:ann@example.test>".to_owned();
    let display = format!("\"{NUMBER}\" <sip:ann@example.test>");
    let both = format!("\"{NUMBER}\" <sip:{NUMBER}@example.test>");
    let [ppi, pai] = ["Preferred", "Asserted"].map(|kind| format!("P-{kind}-Identity: {named}"));
    let rpid = format!("Remote-Party-ID: {named};party=calling;privacy=off");
    for (carry, in_from, beside) in [
        ("", &display, vec![&ppi]),
        ("\"from-user\"", &named, vec![]),
        ("\"from-display\"", &display, vec![]),
        ("\"ppi\"", &usual, vec![&ppi]),
        ("\"pai\"", &usual, vec![&pai]),
        ("\"rpid\"", &usual, vec![&rpid]),
        ("\"from-user\", \"pai\", \"ppi\", \"rpid\"", &named, vec![&ppi, &pai, &rpid]),
        ("\"from-user\", \"from-display\", \"pai\", \"ppi\", \"rpid\"", &both, vec![&ppi, &pai, &rpid]),
    ] {
        let settings = format!("number = \"{NUMBER}\", carry = [{carry}]");
        let mut ann = phone("ann", "example.test", &at, "secret", &settings);

        let invite = invite_of(&mut ann, "1002", &at, "secret");

        assert_eq!(from(&invite), in_from, "carry = [{carry}]\n{invite}");
        assert_eq!(identities(&invite).iter().collect::<Vec<_>>(), beside, "carry = [{carry}]\n{invite}");
        assert!(ann.quit());
    }
}

#[test]
fn a_hidden_number_is_said_to_the_provider_alone_and_to_be_private() {
    if !can_run("hidden callers at SIPp behind Kamailio", &["kamailio", "sipp"]) {
        return;
    }
    let kamailio = Kamailio::start();
    let at = format!("127.0.0.1:{}", kamailio.port);
    for (hide, to, is_hidden) in
        [(true, "1002", true), (false, "#31#1002", true), (true, "*31#1002", false), (false, "1002", false)]
    {
        let settings = format!("number = \"{NUMBER}\", carry = [\"from-user\", \"rpid\"], hide = {hide}");
        let mut ann = phone("ann", "example.test", &at, "secret", &settings);

        let invite = invite_of(&mut ann, to, &at, "secret");

        let named = format!("\"Ann\" <sip:{NUMBER}@example.test>");
        let who = if is_hidden { "\"Anonymous\" <sip:anonymous@anonymous.invalid>" } else { &named };
        assert_eq!(from(&invite), who, "{to}, hide = {hide}\n{invite}");
        let kind = if is_hidden { "full" } else { "off" };
        let mut beside = vec![format!("Remote-Party-ID: {named};party=calling;privacy={kind}")];
        beside.extend(is_hidden.then(|| "Privacy: id".to_owned()));
        assert_eq!(identities(&invite), beside, "{to}, hide = {hide}\n{invite}");
        assert!(ann.quit());
    }
}

#[test]
fn nothing_of_a_hidden_number_reaches_the_called_through_the_exchange() {
    if !can_run("hidden callers at SIPp behind our exchange", &["sipp"]) {
        return;
    }
    let server = Server::start(ServerConfig {
        listen: Listen::at("127.0.0.1:0".parse().expect("an address")),
        // SIPp knows nothing else.
        digest: vec![Algorithm::Md5],
        ..ServerConfig::default()
    })
    .expect("free ports can be listened at");
    let at = server.addresses().udp.expect("it listens for datagrams").to_string();
    for (hide, to) in [(true, "1002"), (false, "#31#1002")] {
        let carry = "\"from-user\", \"from-display\", \"ppi\", \"pai\", \"rpid\"";
        let settings = format!("number = \"{NUMBER}\", carry = [{carry}], hide = {hide}");
        let mut ann = phone("1001", "offhook.test", &at, "secret-1001", &settings);

        let invite = invite_of(&mut ann, to, &at, "secret-1002");

        assert_eq!(from(&invite), "\"Anonymous\" <sip:anonymous@anonymous.invalid>", "{invite}");
        assert_eq!(identities(&invite), ["Privacy: id"], "{to}, hide = {hide}\n{invite}");
        for said in [NUMBER.trim_start_matches('+'), "Ann", "1001"] {
            assert!(!invite.contains(said), "{said} is told, {to}, hide = {hide}\n{invite}");
        }
        assert!(ann.quit());
    }
}
