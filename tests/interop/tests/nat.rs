//! Two phones behind real routers: how they reach each other.
//!
//! The kernel's own address translation, in network namespaces; the same pairs as in tests/sim's matrix where both have them.

use std::io::Write as _;
use std::time::{Duration, Instant};

use offhook_interop::{EXCHANGE, Phone, Puncher, Router, Town, Translation, can_run, diagnose, nat_lines};
use serde_json::{Value, json};

/// Prints past the test runner.
fn print(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

const SIP_BY_TCP: &str = "transport = \"tcp\"";

/// How each reaches the other, once both hear each other.
struct Talk {
    paths: [String; 2],
    /// Datagrams by the relay while they talk.
    relayed: u64,
    /// From the answer until both heard the other.
    heard: Duration,
}

impl Talk {
    fn line(&self) -> String {
        let Self { paths: [ann, bob], relayed, heard } = self;
        format!("{ann} and {bob}, heard within {} ms, {relayed} packets relayed", heard.as_millis())
    }
}

/// Ann calls Bob, who answers at once: nobody has more time to find a way. Both hear each other, or the test fails. Then they hang up.
fn talk(town: &Town, ann: &mut Phone, bob: &mut Phone) -> Talk {
    ann.say(json!({"cmd": "call", "to": "1002"}));
    let ringing = bob.expect(json!({"event": "call", "state": "ringing", "direction": "in"}));
    bob.say(json!({"cmd": "answer", "call": ringing["call"]}));
    let active = ann.expect(json!({"event": "call", "state": "active"}));
    bob.expect(json!({"event": "call", "state": "active"}));
    let answered = Instant::now();
    hears(ann);
    hears(bob);
    let heard = answered.elapsed();
    let before = town.relayed();
    hears(ann);
    hears(bob);
    let relayed = town.relayed() - before;
    let paths = [path(ann), path(bob)];
    ann.say(json!({"cmd": "hangup", "call": active["call"]}));
    ann.expect(json!({"event": "call", "state": "ended"}));
    bob.expect(json!({"event": "call", "state": "ended"}));
    Talk { paths, relayed, heard }
}

/// Waits until a second of the other's speech has come.
fn hears(phone: &mut Phone) {
    let end = Instant::now() + Duration::from_secs(15);
    loop {
        let quality = phone.expect(json!({"event": "quality"}));
        let level = quality["level_in_dbov"].as_f64().unwrap_or(-96.0);
        if quality["received"].as_u64() > Some(0) && level > -50.0 {
            return;
        }
        if Instant::now() > end {
            let story: Vec<String> = phone.said().iter().map(Value::to_string).collect();
            panic!("nothing is heard:\n  {}", story.join("\n  "));
        }
    }
}

/// By which way its call goes, as it said last.
fn path(phone: &mut Phone) -> String {
    let mut calls = phone.said().iter().rev().filter(|event| event["event"] == "call");
    let path = calls.find_map(|call| call["path"].as_str());
    path.unwrap_or("plain").to_owned()
}

#[test]
fn phones_behind_every_kind_of_router_hear_each_other_and_only_random_ports_need_the_relay() {
    use Translation::{FullyRandom, Masquerade, OneToOne, Pool};
    let Some(town) = Town::build("calls behind routers") else { return };
    let pairs = [
        (OneToOne, OneToOne),
        (Pool, Pool),
        (Masquerade, Masquerade),
        (Masquerade, FullyRandom),
        (FullyRandom, FullyRandom),
    ];
    let mut failed = Vec::new();
    for (a, b) in pairs {
        let (first, second) = (town.home(Router::new(a)), town.home(Router::new(b)));
        let mut ann = town.phone(&first, "1001", "", &nat_lines());
        let mut bob = town.phone(&second, "1002", "", &nat_lines());
        let talk = talk(&town, &mut ann, &mut bob);
        print(&format!("{a:?} and {b:?}: {}", talk.line()));
        let by_relay = talk.paths.iter().any(|path| path == "relay");
        if by_relay != [a, b].contains(&FullyRandom) || by_relay != (talk.relayed > 0) {
            failed.push((a, b));
        }
        assert!(ann.quit() && bob.quit());
    }
    assert!(failed.is_empty(), "another way than expected: {failed:?}");
}

#[test]
fn where_datagrams_are_dropped_phones_punch_through_by_tcp_and_the_relay_is_not_used() {
    let Some(town) = Town::build("calls by TCP through routers that drop") else { return };
    let blocking = Router { udp: false, ..Router::new(Translation::Masquerade) };
    let mut failed = Vec::new();
    for how in ["tcp_punch = true", "udp = false\ntcp_punch = true", ""] {
        let (first, second) = (town.home(blocking), town.home(blocking));
        let nat = format!("{}{how}\n", nat_lines());
        let mut ann = town.phone(&first, "1001", SIP_BY_TCP, &nat);
        let mut bob = town.phone(&second, "1002", SIP_BY_TCP, &nat);
        let talk = talk(&town, &mut ann, &mut bob);
        print(&format!("UDP dropped, `{}`: {}", how.replace('\n', ", "), talk.line()));
        if talk.paths != ["tcp-punched"; 2] || talk.relayed > 0 {
            failed.push(how);
        }
        assert!(ann.quit() && bob.quit());
    }
    assert!(failed.is_empty(), "another way than expected: {failed:?}");
}

#[test]
fn where_no_stream_can_be_punched_the_relay_is_taken_by_tcp() {
    let Some(town) = Town::build("calls by TCP to the relay") else { return };
    let mut failed = Vec::new();
    for (translation, refuses) in [(Translation::Masquerade, true), (Translation::FullyRandom, false)] {
        let blocking = Router { udp: false, refuses, ..Router::new(translation) };
        let (first, second) = (town.home(blocking), town.home(blocking));
        let mut ann = town.phone(&first, "1001", SIP_BY_TCP, &nat_lines());
        let mut bob = town.phone(&second, "1002", SIP_BY_TCP, &nat_lines());
        let talk = talk(&town, &mut ann, &mut bob);
        let manner = if refuses { "answers RST" } else { "drops" };
        print(&format!("UDP dropped, {translation:?}, {manner}: {}", talk.line()));
        // Segments that cross on their way meet no refusal: with a port of one's own that is luck, and a punched stream.
        let lucky = translation == Translation::Masquerade && talk.paths == ["tcp-punched"; 2];
        if !lucky && (talk.paths != ["relay"; 2] || talk.relayed == 0) {
            failed.push((translation, refuses));
        }
        assert!(ann.quit() && bob.quit());
    }
    assert!(failed.is_empty(), "another way than expected: {failed:?}");
}

#[test]
fn diagnose_tells_a_router_with_one_port_for_all_from_one_with_a_port_for_each() {
    let Some(town) = Town::build("diagnosis behind routers") else { return };
    let server = format!("{EXCHANGE}:3478");
    for (translation, mapping, does, means) in [
        (
            Translation::Masquerade,
            "endpoint-independent",
            "mapping is the same for all destinations",
            "Calls are punched through; ",
        ),
        (
            Translation::FullyRandom,
            "address-and-port-dependent",
            "mapping depends on destination and port",
            "nearly all others need a relay.",
        ),
    ] {
        let home = town.home(Router::new(translation));
        let found = diagnose(&home.host, &["--stun", &server]).expect("the server answers");
        print(&format!("{translation:?}: {found}"));
        assert_eq!(found["mapping"], mapping, "{found}");
        assert_eq!(found["filtering"], "address-and-port-dependent", "{found}");
        let outside = home.ways[0].outside.to_string();
        for (key, part) in [("local", "10."), ("mapped", &*outside), ("does", does), ("sentence", means)] {
            assert!(found[key].as_str().is_some_and(|text| text.contains(part)), "{part}: {found}");
        }
    }
    let blocking = Router { udp: false, ..Router::new(Translation::Masquerade) };
    let home = town.home(blocking);
    let words = diagnose(&home.host, &["--stun", &server]).expect_err("no datagrams pass");
    print(&format!("UDP dropped: {}", words.trim_end()));
    assert!(words.starts_with("offhook: UDP is blocked"), "{words}");
}

#[test]
fn the_kernels_sip_helper_rewrites_what_it_likes_and_phones_hear_each_other_all_the_same() {
    let Some(town) = Town::build("calls through a SIP helper") else { return };
    for nat in [String::new(), nat_lines()] {
        let meddling = Router { sip_helper: true, ..Router::new(Translation::Masquerade) };
        let (first, second) = (town.home(meddling), town.home(meddling));
        let mut ann = town.phone(&first, "1001", "", &nat);
        let mut bob = town.phone(&second, "1002", "", &nat);
        let talk = talk(&town, &mut ann, &mut bob);
        let ice = if nat.is_empty() { "without ICE" } else { "with ICE" };
        print(&format!("SIP helper, {ice}: {}", talk.line()));
        let (said, came) = (invite(&ann), invite(&bob));
        for line in came.iter().filter(|line| !said.contains(line)) {
            print(&format!("  came so: {line}"));
        }
        for line in said.iter().filter(|line| !came.contains(line)) {
            print(&format!("  said so: {line}"));
        }
        // The helper has seen it, or this test shows nothing: the inside address is not what arrives.
        assert!(!came.iter().any(|line| line.starts_with("o=") && line.contains("10.")), "{came:?}");
        assert!(ann.quit() && bob.quit());
    }
}

/// The lines of the INVITE that crossed a phone's wire that a helper likes to rewrite.
fn invite(phone: &Phone) -> Vec<String> {
    let bytes = std::fs::read(phone.captured()).expect("it captures");
    let text = String::from_utf8_lossy(&bytes);
    // The last one: the first was challenged.
    let start = text.rfind("INVITE sip:").expect("there was one");
    let message =
        text[start..].split_inclusive('\n').take_while(|line| line.ends_with("\r\n")).map(str::trim_end);
    let starts = ["Via:", "Contact:", "o=", "c=", "m=", "a=rtcp:", "a=candidate:", "Content-Length:"];
    let like = |line: &&str| starts.iter().any(|start| line.starts_with(start));
    message.filter(like).map(str::to_owned).collect()
}

#[test]
fn a_phone_without_ipv4_finds_its_networks_prefix_and_hears_one_that_has_nothing_else() {
    let test = "calls from a home without IPv4";
    if !can_run(test, &["tayga"]) {
        return;
    }
    let Some(town) = Town::build(test) else { return };
    let first = town.home_without_ipv4(Router::new(Translation::Masquerade));
    let second = town.home(Router::new(Translation::Masquerade));
    let mut ann = town.phone_at(&EXCHANGE.to_string(), &first, "1001", "", &nat_lines());
    ann.expect(json!({"event": "registration", "state": "registered"}));
    let mut bob = town.phone(&second, "1002", "", &nat_lines());
    let talk = talk(&town, &mut ann, &mut bob);
    print(&format!("without IPv4: {}", talk.line()));
    assert!(ann.quit() && bob.quit());
}

#[test]
fn two_people_behind_routers_open_a_plain_stream_to_each_other() {
    let Some(town) = Town::build("hole punching without a phone") else { return };
    let blocking = Router { udp: false, ..Router::new(Translation::Masquerade) };
    let (first, second) = (town.home(blocking), town.home(blocking));
    let [mut ann, mut bob] = Puncher::pair([&first.host, &second.host]);
    let tell = "tell the other: ";
    let (anns, bobs) = (ann.reads(tell).expect("S answers"), bob.reads(tell).expect("S answers"));
    let outside = format!("{}:", first.ways[0].outside);
    assert!(anns.starts_with(&outside), "{anns}");
    ann.types(&bobs);
    bob.types(&anns);
    let begun = Instant::now();
    for punch in [&mut ann, &mut bob] {
        assert!(punch.reads("open: ").is_some(), "a stream is open");
    }
    print(&format!("a plain stream: open within {} ms", begun.elapsed().as_millis()));
    ann.types("good morning");
    assert_eq!(bob.reads("good ").as_deref(), Some("morning"));
}
