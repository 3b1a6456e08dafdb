//! The binary from outside: what it prints and how it exits.

mod common;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::UdpSocket;
use std::path::PathBuf;
use std::sync::mpsc::channel;

use common::{PATIENCE, Running, file, refusal, run};
use serde_json::{Value, json};

#[test]
fn a_bad_option_is_status_2_and_help_has_examples() {
    let (status, words) = refusal(&["phone", "--colour"]);
    assert_eq!(status, Some(2));
    assert!(words.contains("--colour"), "{words}");
    assert_eq!(refusal(&["demo", "--seconds", "0"]).0, Some(2));
    for job in [
        vec!["--help"],
        vec!["demo", "--help"],
        vec!["exchange", "--help"],
        vec!["phone", "--help"],
        vec!["diagnose", "--help"],
        vec!["history", "--help"],
        vec!["contacts", "--help"],
        vec!["backup", "--help"],
        vec!["restore", "--help"],
        vec!["numbers", "--help"],
        vec!["balance", "--help"],
        vec!["callback", "--help"],
    ] {
        let output = run(&job);
        assert_eq!(output.status.code(), Some(0));
        assert!(String::from_utf8_lossy(&output.stdout).contains("Examples:"), "{job:?}");
    }
}

#[test]
fn what_is_not_supported_is_status_2_by_name() {
    let (status, words) = refusal(&["demo", "--encryption", "vos2"]);
    assert_eq!(status, Some(2));
    assert!(words.contains("known are none, vos"), "{words}");
    let config = file("later.toml", "[account]\nuri = \"sip:1@h\"\nvos = { version = \"2.0\" }\n");
    let (status, words) = refusal(&["phone", "--config", &config]);
    assert_eq!(status, Some(2));
    assert!(words.contains("later.toml: line 3: vos: ") && words.contains("not supported"), "{words}");
}

#[test]
fn a_bad_config_names_file_line_and_key() {
    let config = file("typo.toml", "[account]\nuri = \"sip:1001@offhook.test\"\npasswrd = \"hush\"\n");
    let (status, words) = refusal(&["phone", "--config", &config]);
    assert_eq!(status, Some(2));
    assert!(
        words.contains("typo.toml: line 3: unknown field `passwrd`") && !words.contains("hush"),
        "{words}"
    );

    let config = file("exchange-typo.toml", "domain = \"a.test\"\n[listen]\nudp = \"everywhere\"\n");
    let (status, words) = refusal(&["exchange", "--config", &config]);
    assert_eq!(status, Some(2));
    assert!(words.contains("exchange-typo.toml: line 3: udp: "), "{words}");

    let (status, words) = refusal(&["phone", "--config", "/nowhere/phone.toml"]);
    assert_eq!(status, Some(2));
    assert!(words.contains("/nowhere/phone.toml: cannot be read"), "{words}");
}

#[test]
fn a_phone_without_an_account_says_how_to_name_one() {
    let (status, words) = refusal(&["phone"]);
    assert_eq!(status, Some(2));
    assert!(words.contains("--uri"), "{words}");
}

#[test]
fn a_port_in_use_is_named() {
    let taken = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let (status, words) = refusal(&["exchange", "--listen", &address]);
    assert_eq!(status, Some(1));
    assert!(words.contains(&address), "{words}");
}

#[test]
fn a_wrong_wav_file_says_what_is_accepted() {
    let wav = file("song.wav", "ID3 not at all");
    let (status, words) = refusal(&["phone", "--uri", "sip:1001@127.0.0.1", "--play", &wav]);
    assert_eq!(status, Some(2));
    let expected = "song.wav is not a WAV file; accepted are WAV files of 8000, 16000 or 48000 Hz";
    assert!(words.contains(expected), "{words}");
}

#[test]
fn the_demo_passes_its_own_checks() {
    let out = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("demo-out");
    let output = run(&["demo", "--seconds", "3", "--json", "--out", out.to_str().expect("words")]);
    let stdout = String::from_utf8(output.stdout).expect("words");
    let lines: Vec<Value> = stdout.lines().map(|l| serde_json::from_str(l).expect(l)).collect();
    let report = lines.last().expect("a report");
    assert_eq!((report["event"].as_str(), report["ok"].as_bool()), (Some("report"), Some(true)), "{report}");
    let call = &report["calls"][0];
    assert_eq!((call["codec"].as_str(), call["audio_ok"].as_bool()), (Some("G729"), Some(true)), "{report}");
    assert!(call["sent"].as_u64() > Some(200) && call["mos"].as_f64() > Some(3.9), "{report}");
    assert!(report["dtmf_ok"] == true && report["caller_id_ok"] == true, "{report}");
    assert_eq!(report["caller_id"]["number"], "+4930123456", "{report}");
    if cfg!(feature = "rest") {
        assert!(report["balance_ok"] == true && report["balance"][0] == "10.00 EUR", "{report}");
    }
    // After the demo is over, its phones' logs still say what it has said.
    for (number, told) in ["1001", "1002"].iter().zip(report["history"].as_array().expect("both logs")) {
        let output = run(&["history", "--json", "--data", out.join(number).to_str().expect("words")]);
        let history: Value = serde_json::from_slice(&output.stdout).expect("one object");
        assert_eq!(&history["calls"][0], told, "{number}");
    }
    assert_eq!(report["history"][1]["name"], "Ann Miller", "{report}");
    assert!(report["history"][0]["recording"].as_str().is_some_and(|it| it.ends_with("heard-by-1001.wav")));
    assert_eq!(output.status.code(), Some(0));
    for heard in ["heard-by-1001.wav", "heard-by-1002.wav"] {
        let length = fs::metadata(out.join(heard)).expect("it was kept").len();
        assert!(length > 2 * 16_000, "{heard} has {length} bytes");
    }
}

#[test]
fn the_demo_passes_in_every_codec() {
    let codecs = ["PCMU", "PCMA", "GSM", "opus", "G722"];
    // At once, for each takes its time in real seconds.
    let demos = codecs.map(|codec| {
        std::thread::spawn(move || (codec, run(&["demo", "--seconds", "3", "--json", "--codec", codec])))
    });
    for demo in demos {
        let (codec, output) = demo.join().expect("it ran");
        let stdout = String::from_utf8(output.stdout).expect("words");
        let report: Value = serde_json::from_str(stdout.lines().last().expect("a report")).expect("JSON");
        let heard = (report["calls"][0]["codec"].as_str(), report["ok"].as_bool());
        assert_eq!(heard, (Some(codec), Some(true)), "{report}");
    }
}

#[test]
fn the_exchange_says_where_its_stun_server_is() {
    let config = file("stun.toml", "[listen]\nstun = \"127.0.0.1:0\"\nstun_other = \"127.0.0.2:0\"\n");
    let mut exchange =
        Running::start(&["exchange", "--config", &config, "--listen", "127.0.0.1:0", "--json"]);
    let listening = exchange.line();
    for (key, host) in [("udp", "127.0.0.1:"), ("stun", "127.0.0.1:"), ("stun_other", "127.0.0.2:")] {
        let address = listening[key].as_str().expect("an address");
        assert!(address.starts_with(host) && !address.ends_with(":0"), "{listening}");
    }
    assert_eq!(exchange.terminate(), Some(0));
}

/// An exchange whose STUN server has two addresses, and the first of them.
fn stun_server(config: &str) -> (Running, String) {
    let listen = "[listen]\nudp = \"127.0.0.1:0\"\nstun = \"127.0.0.1:0\"\nstun_other = \"127.0.0.2:0\"\n";
    let mut exchange = Running::start(&["exchange", "--json", "--config", &file(config, listen)]);
    let at = exchange.line()["stun"].as_str().expect("it says where").to_owned();
    (exchange, at)
}

#[test]
fn diagnose_says_in_words_and_in_json_what_lies_between() {
    let (exchange, server) = stun_server("diagnose.toml");
    let output = run(&["diagnose", "--stun", &server]);
    let words = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(
        words.contains("the router: no address translation\n            lets in anybody\nCalls connect"),
        "{words}"
    );

    let phone = format!("bind = \"127.0.0.3:0\"\n[nat]\nstun = \"stun:{server}\"\n");
    let output = run(&["diagnose", "--json", "--config", &file("diagnose-phone.toml", phone)]);
    let line: Value = serde_json::from_slice(&output.stdout).expect("one object");
    assert_eq!((&line["event"], &line["filtering"]), (&"router".into(), &"endpoint-independent".into()));
    assert!(line["translated"] == false && line["mapped"] == line["local"], "{line}");
    assert!(line["local"].as_str().is_some_and(|local| local.starts_with("127.0.0.3:")), "{line}");
    assert_eq!(exchange.terminate(), Some(0));
}

#[test]
fn a_stun_server_that_is_not_there_is_status_1_and_none_at_all_status_2() {
    let (status, words) = refusal(&["diagnose", "--stun", "127.0.0.1:9"]);
    assert_eq!(status, Some(1));
    assert!(words.contains("the STUN server 127.0.0.1:9 is away"), "{words}");
    let output = run(&["diagnose", "--stun", "127.0.0.1:9", "--json"]);
    let line: Value = serde_json::from_slice(&output.stdout).expect("one object");
    assert_eq!((output.status.code(), line["blocked"].as_bool()), (Some(1), Some(true)));
    let (status, words) = refusal(&["diagnose"]);
    assert_eq!(status, Some(2));
    assert!(words.contains("--stun"), "{words}");
    assert_eq!(refusal(&["diagnose", "--stun", "turn:x:y"]).0, Some(2));
}

#[test]
fn a_running_phone_diagnoses_by_its_accounts_first_stun_server() {
    let (_exchange, server) = stun_server("diagnosing-exchange.toml");
    let account = "bind = \"127.0.0.1:0\"\n[account]\nuri = \"sip:1001@127.0.0.1:9\"\nregister = false\n";
    let nat = format!("{account}[nat]\nstun = [\"stun:{server}\", \"stun:127.0.0.1:9\"]\n");
    let mut phone = Running::start(&["phone", "--json", "--config", &file("diagnosing.toml", nat)]);
    phone.say(r#"{"cmd":"diagnose"}"#);
    let line = phone.until(|line| line["event"] == "router");
    assert_eq!((line["server"].as_str(), line["blocked"].as_bool()), (Some(&*server), Some(false)));
    assert!(
        line["sentence"].as_str().is_some_and(|sentence| sentence.starts_with("Calls connect")),
        "{line}"
    );
    phone.say(r#"{"cmd":"quit"}"#);

    let mut phone = Running::start(&["phone", "--json", "--config", &file("no-stun.toml", account)]);
    phone.say(r#"{"cmd":"diagnose"}"#);
    let line = phone.until(|line| line["event"] == "error");
    assert!(line["reason"].as_str().is_some_and(|reason| reason.contains("`stun` under [nat]")), "{line}");
}

#[test]
fn a_phone_that_is_diagnosing_says_so_when_asked_again_and_leaves_without_waiting() {
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let server = silent.local_addr().expect("bound");
    let config = format!(
        "[account]\nuri = \"sip:1001@127.0.0.1:9\"\nregister = false\n[nat]\nstun = \"stun:{server}\"\n"
    );
    let mut phone = Running::start(&["phone", "--json", "--config", &file("silent-stun.toml", config)]);
    for line in [r#"{"cmd":"diagnose"}"#, r#"{"cmd":"diagnose"}"#, r#"{"cmd":"quit"}"#] {
        phone.say(line);
    }
    let line = phone.until(|line| line["event"] == "error");
    assert!(line["reason"].as_str().is_some_and(|reason| reason.contains("already")), "{line}");
    assert!(phone.child.wait().expect("it ends").success());
}

#[test]
fn a_phone_is_seen_free_away_and_gone_by_one_that_watches_it() {
    let mut exchange = Running::start(&["exchange", "--listen", "127.0.0.1:0", "--json"]);
    let udp = exchange.line()["udp"].as_str().expect("an address").to_owned();
    let mut phones =
        [("1002", "publish_presence = true"), ("1001", "watch = [\"1002\"]")].map(|(number, more)| {
            let config = format!(
                "bind = \"127.0.0.1:0\"\n[account]\nuri = \"sip:{number}@offhook.test\"\n\
             proxy = \"sip:{udp};transport=udp\"\npassword = \"secret-{number}\"\n{more}\n"
            );
            let config = file(&format!("presence-{number}.toml"), config);
            let mut phone = Running::start(&["phone", "--config", &config, "--json"]);
            phone.until(|l| l["event"] == "registration" && l["state"] == "registered");
            phone
        });
    let [bob, ann] = &mut phones;
    let seen = |state: &'static str| move |l: &Value| l["event"] == "presence" && l["state"] == state;
    assert_eq!(ann.until(seen("free"))["who"], "1002");
    bob.say(r#"{"cmd":"presence","state":"away","note":"at lunch"}"#);
    assert_eq!(ann.until(seen("away"))["note"], "at lunch");
    bob.say(r#"{"cmd":"quit"}"#);
    ann.until(seen("offline"));
    ann.say(r#"{"cmd":"unwatch","who":"1002"}"#);
    let [bob, ann] = phones;
    drop(bob);
    assert_eq!(ann.terminate(), Some(0));
    assert_eq!(exchange.terminate(), Some(0));
}

#[test]
fn two_phones_call_each_other_by_json_and_a_signal_ends_them_politely() {
    let mut exchange = Running::start(&["exchange", "--listen", "127.0.0.1:0", "--json"]);
    let listening = exchange.line();
    assert_eq!(listening["event"], "listening");
    let udp = listening["udp"].as_str().expect("an address").to_owned();

    let memory = tempfile::tempdir().expect("a folder");
    let folder = |number| memory.path().join(number).to_str().expect("a path in words").to_owned();
    let mut phones = ["1001", "1002"].map(|number| {
        let config = file(
            &format!("{number}.toml"),
            format!(
                "data = \"{}\"\nbind = \"127.0.0.1:0\"\n[account]\nuri = \"sip:{number}@offhook.test\"\n\
                 proxy = \"sip:{udp};transport=udp\"\npassword = \"secret-{number}\"\n",
                folder(number)
            ),
        );
        let mut phone = Running::start(&["phone", "--config", &config, "--json"]);
        let registered = phone.until(|l| l["event"] == "registration" && l["state"] == "registered");
        assert_eq!(registered["account"], *number);
        phone
    });
    let [ann, bob] = &mut phones;

    ann.say("what?");
    assert!(
        ann.until(|l| l["event"] == "error")["reason"].as_str().expect("words").contains("not a command")
    );
    ann.say(r#"{"cmd":"answer","call":7}"#);
    assert_eq!(ann.until(|l| l["event"] == "error")["call"], 7);

    ann.say(r#"{"cmd":"call","to":"1002"}"#);
    let state = |call: u64, state: &'static str| {
        move |l: &Value| l["event"] == "call" && l["call"] == call && l["state"] == state
    };
    assert_eq!(ann.until(state(1, "calling"))["direction"], "out");
    assert_eq!(bob.until(state(1, "ringing"))["direction"], "in");
    bob.say(r#"{"cmd":"answer","call":1}"#);
    assert_eq!(ann.until(state(1, "active"))["codec"], "G729");
    bob.until(state(1, "active"));
    ann.say(r#"{"cmd":"dtmf","call":1,"digits":"1,#"}"#);
    for digit in ["1", "#"] {
        let told = bob.until(|l| l["event"] == "dtmf");
        assert_eq!(told, json!({"event":"dtmf","call":1,"digit":digit,"via":"rfc4733"}));
    }
    ann.say(r#"{"cmd":"dtmf","call":1,"digits":"one"}"#);
    assert!(ann.until(|l| l["event"] == "error")["reason"].as_str().expect("words").contains("0 to 9"));
    ann.say(r#"{"cmd":"hold","call":1}"#);
    bob.until(state(1, "remote_held"));
    ann.say(r#"{"cmd":"resume","call":1}"#);
    bob.until(state(1, "active"));
    bob.say(r#"{"cmd":"hangup","call":1}"#);
    ann.until(state(1, "ended"));

    ann.say(r#"{"cmd":"call","to":"1002"}"#);
    bob.until(state(2, "ringing"));
    bob.say(r#"{"cmd":"reject","call":2,"status":486}"#);
    assert_eq!(ann.until(state(2, "ended"))["status"], 486);
    let calls = |history: &Value| -> Vec<Value> {
        let calls = history["calls"].as_array().expect("calls");
        calls
            .iter()
            .map(|call| json!([call["direction"], call["number"], call["answered"], call["why"]]))
            .collect()
    };
    ann.say(r#"{"cmd":"history"}"#);
    let told = [json!(["out", "1002", false, "Busy"]), json!(["out", "1002", true, "TheyEnded"])];
    assert_eq!(calls(&ann.until(|l| l["event"] == "history")), told);

    ann.say(r#"{"cmd":"message","to":"1002","text":"hi"}"#);
    assert_eq!(bob.until(|l| l["event"] == "message")["text"], "hi");

    ann.until(|l| l["event"] == "sent");
    bob.say(r#"{"cmd":"block","number":"1001"}"#);
    bob.say(r#"{"cmd":"history"}"#);
    bob.until(|l| l["event"] == "history");
    bob.say(r#"{"cmd":"status"}"#); // the phone has been told by now
    bob.until(|l| l["event"] == "status");
    ann.say(r#"{"cmd":"call","to":"1002"}"#);
    assert_eq!(ann.until(state(3, "ended"))["status"], 603);

    let [ann, bob] = phones;
    assert_eq!(bob.terminate(), Some(0));
    assert_eq!(ann.terminate(), Some(0));
    let blocked = run(&["contacts", "--data", &folder("1002"), "blocked"]).stdout;
    assert_eq!(blocked, b"1001\n");
    for (number, delivery) in [("1001", "sent"), ("1002", "came")] {
        let output = run(&["messages", "--json", "--data", &folder(number)]);
        let threads: Value = serde_json::from_slice(&output.stdout).expect("one object");
        let newest = &threads["threads"][0]["newest"];
        assert_eq!((&newest["text"], &newest["delivery"]), (&json!("hi"), &json!(delivery)), "{threads}");
    }
    let output = run(&["history", "--json", "--data", &folder("1002")]);
    let history: Value = serde_json::from_slice(&output.stdout).expect("one object");
    let kept = [
        json!(["in", "1001", false, "YouBlocked"]),
        json!(["in", "1001", false, "YouDeclined"]),
        json!(["in", "1001", true, "YouEnded"]),
    ];
    assert_eq!((calls(&history), history["unseen"].as_u64()), (kept.to_vec(), Some(0)));
    let csv = String::from_utf8(run(&["history", "--export", "csv", "--data", &folder("1001")]).stdout);
    assert_eq!(csv.expect("words").lines().count(), 4);
    let output = run(&["history", "--forget", "all", "--data", &folder("1001")]);
    assert_eq!(output.stdout, b"3 forgotten\n");
    assert_eq!(exchange.terminate(), Some(0));
}

#[cfg(feature = "rest")]
#[test]
fn a_balance_is_shown_at_the_start_and_what_a_call_cost_is_gone_after_it() {
    let users = ["1001", "1002"].map(|number| {
        format!("[[user]]\nnumber = \"{number}\"\npassword = \"secret-{number}\"\nbalance = \"12.34\"\ncurrency = \"EUR\"\n")
    });
    let config = file(
        "charging.toml",
        format!("rate = \"60\"\n[listen]\nudp = \"127.0.0.1:0\"\nhttp = \"127.0.0.1:0\"\n{}", users.concat()),
    );
    let mut exchange = Running::start(&["exchange", "--json", "--config", &config]);
    let listening = exchange.line();
    let [udp, http] = ["udp", "http"].map(|name| listening[name].as_str().expect("an address").to_owned());
    let [mut ann, mut bob] = ["1001", "1002"].map(|number| {
        let config = file(
            &format!("charged-{number}.toml"),
            format!(
                "bind = \"127.0.0.1:0\"\n[account]\nuri = \"sip:{number}@offhook.test\"\n\
                 proxy = \"sip:{udp};transport=udp\"\npassword = \"secret-{number}\"\n\
                 [balance]\nurl = \"http://{http}/balance?user={{user}}\"\n"
            ),
        );
        let mut phone = Running::start(&["phone", "--config", &config, "--json"]);
        let (mut registered, mut balance) = (false, None);
        while !registered || balance.is_none() {
            let line = phone.line();
            registered |= line["event"] == "registration" && line["state"] == "registered";
            balance = balance.or_else(|| (line["event"] == "balance").then_some(line));
        }
        assert_eq!(balance, Some(json!({"event":"balance","amount":"12.34","currency":"EUR"})));
        phone
    });
    ann.say(r#"{"cmd":"call","to":"1002"}"#);
    bob.until(|l| l["event"] == "call" && l["state"] == "ringing");
    bob.say(r#"{"cmd":"answer","call":1}"#);
    ann.until(|l| l["event"] == "call" && l["state"] == "active");
    ann.say(r#"{"cmd":"hangup","call":1}"#);
    ann.until(|l| l["event"] == "call" && l["state"] == "ended");
    // The phone asks again a minute after it has asked; the exchange knows at once.
    let mut stream = std::net::TcpStream::connect(&http).expect("it listens");
    stream.write_all(b"POST /external/server/GetCustomer HTTP/1.1\r\nHost: x\r\nContent-Length: 21\r\n\r\n{\"accounts\":[\"1001\"]}").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.contains("\"money\":11.34"), "{answer}"); // a begun second
}

#[test]
fn the_called_see_what_the_caller_wants_them_to() {
    let mut exchange = Running::start(&["exchange", "--listen", "127.0.0.1:0", "--json"]);
    let udp = exchange.line()["udp"].as_str().expect("an address").to_owned();
    let phone = |number: &str, caller_id: &str| {
        let config = file(
            &format!("seen-{number}.toml"),
            format!(
                "bind = \"127.0.0.1:0\"\n[account]\nuri = \"sip:{number}@offhook.test\"\ndisplay_name = \"Ann\"\n\
                 proxy = \"sip:{udp};transport=udp\"\npassword = \"secret-{number}\"\n{caller_id}"
            ),
        );
        let mut phone = Running::start(&["phone", "--config", &config, "--json"]);
        phone.until(|l| l["event"] == "registration" && l["state"] == "registered");
        phone
    };
    let mut bob = phone("1002", "");
    let mut seen = |ann: &mut Running, to: &str| {
        ann.say(&json!({"cmd":"call","to":to}).to_string());
        let call = bob.until(|l| l["event"] == "call" && l["state"] == "ringing");
        bob.say(&json!({"cmd":"reject","call":call["call"]}).to_string());
        ann.until(|l| l["event"] == "call" && l["state"] == "ended");
        json!([call["remote"], call["name"], call["said_by"], call["hidden"]])
    };
    let number = "caller_id = { number = \"+4930123\" }\n";
    let mut ann = phone("1001", number);
    assert_eq!(seen(&mut ann, "1002"), json!(["sip:+4930123@offhook.test", "Ann", "pai", null]));
    let hidden = json!(["sip:anonymous@anonymous.invalid", "Anonymous", "from", true]);
    assert_eq!(seen(&mut ann, "#31#1002"), hidden);
    let mut ann = phone("1003", "caller_id = { number = \"+4930123\", carry = [\"rpid\"] }\n");
    assert_eq!(seen(&mut ann, "1002"), json!(["sip:+4930123@offhook.test", "Ann", "rpid", null]));
    let mut ann = phone("1004", "");
    assert_eq!(seen(&mut ann, "1002"), json!(["sip:1004@offhook.test", "Ann", "from", null]));
}

#[test]
fn a_wrong_password_is_told_and_never_shown() {
    let mut exchange = Running::start(&["exchange", "--listen", "127.0.0.1:0", "--json"]);
    let udp = exchange.line()["udp"].as_str().expect("an address").to_owned();
    let password = file("password", "hush-hush\n");
    let config = file(
        "wrong.toml",
        format!("[account]\nuri = \"sip:1001@offhook.test\"\nproxy = \"sip:{udp};transport=udp\"\n"),
    );
    let mut phone = Running::start(&["phone", "--config", &config, "--password-file", &password, "--json"]);
    let failed = phone.until(|l| l["event"] == "registration" && l["state"] == "failed");
    assert!(failed["reason"].is_string() && !failed.to_string().contains("hush"), "{failed}");
}

#[cfg(feature = "rest")]
#[test]
fn a_phone_asks_its_service_for_relays_and_says_what_is_wrong_with_the_answer() {
    use std::net::TcpListener;

    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let service = listener.local_addr().expect("bound");
    let (tell, requests) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.expect("a connection"));
            let request: Vec<_> =
                stream.by_ref().lines().map_while(Result::ok).take_while(|it| !it.is_empty()).collect();
            let answer = b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream.get_mut().write_all(answer).expect("it listens");
            if tell.send(request).is_err() {
                return;
            }
        }
    });
    let config = format!(
        "bind = \"127.0.0.1:0\"\n[account]\nuri = \"sip:1001@127.0.0.1:9\"\nregister = false\n\
         [nat]\nturn = {{ service = \"http://{service}/turn?key=key-8\", token = \"key-7\" }}\n"
    );
    let mut phone = Running::start(&["phone", "--json", "--config", &file("relays.toml", config)]);
    let line = phone.until(|line| line["event"] == "error");
    assert!(line["reason"].as_str().is_some_and(|reason| reason.ends_with("status 500")), "{line}");
    let request = requests.recv_timeout(PATIENCE).expect("it asks");
    assert_eq!(request[0], "GET /turn?key=key-8 HTTP/1.1");
    assert!(request.iter().any(|line| line.ends_with("Bearer key-7")), "{request:?}");
    phone.say(r#"{"cmd":"quit"}"#);
    assert!(phone.child.wait().expect("it ends").success());
}

/// Who is asked for by TLS and by WebSocket: an exchange that nobody vouches for.
#[cfg(feature = "tls")]
#[test]
fn a_server_that_nobody_vouches_for_is_shown_and_taken_by_a_word_and_then_by_its_fingerprint() {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    let certificate = file("shown.pem", made.cert.pem());
    let key = file("shown.key", made.signing_key.serialize_pem());
    let any = "127.0.0.1:0";
    let config = format!(
        "[listen]\nudp = \"{any}\"\ntls = \"{any}\"\nwss = \"{any}\"\nws = \"{any}\"\n[tls]\n\
         certificate = \"{certificate}\"\nkey = \"{key}\"\n\
         [[user]]\nnumber = \"1001\"\npassword = \"secret-1001\"\n"
    );
    let mut exchange = Running::start(&["exchange", "--json", "--config", &file("secure.toml", config)]);
    let listening = exchange.line();
    let account = |proxy: &str, more: &str| {
        format!(
            "[account]\nuri = \"sip:1001@offhook.test\"\npassword = \"secret-1001\"\nproxy = \"{proxy}\"\n{more}"
        )
    };
    let registered = |line: &Value| line["event"] == "registration" && line["state"] == "registered";

    let at = |name: &str| listening[name].as_str().expect(name).to_owned();
    let proxy = format!("sip:{};transport=tls;lr", at("tls"));
    let config = file("asked.toml", account(&proxy, ""));
    let mut phone = Running::start(&["phone", "--json", "--config", &config]);
    let shown = phone.until(|line| line["event"] == "certificate");
    assert_eq!(shown["reason"], "The server's certificate is not trusted.");
    let fingerprint = shown["fingerprint"].as_str().expect("a fingerprint").to_owned();
    let failed = phone.until(|line| line["event"] == "registration" && line["state"] == "failed");
    assert_eq!(failed["reason"], "The server's certificate is not trusted.");
    phone.say(&format!(r#"{{"cmd":"trust","fingerprint":"{}"}}"#, ["00"; 32].join(":")));
    let refused = phone.until(|line| line["event"] == "error");
    assert_eq!(refused["reason"], "the server has shown no such certificate");
    phone.say(&format!(r#"{{"cmd":"trust","fingerprint":"{fingerprint}"}}"#));
    assert_eq!(phone.until(|line| line["event"] == "trusted")["fingerprint"], fingerprint.as_str());
    phone.until(registered);
    assert_eq!(phone.terminate(), Some(0));

    for (name, transport, more) in [
        ("wss", "wss", format!("tls_pin = \"{fingerprint}\"\nws_path = \"/sip\"\n")),
        ("ws", "ws", String::new()),
    ] {
        let proxy = format!("sip:{};transport=ws;lr", at(name));
        let more = format!("transport = \"{transport}\"\n{more}");
        let config = file(&format!("{name}.toml"), account(&proxy, &more));
        let mut phone = Running::start(&["phone", "--json", "--config", &config]);
        phone.until(registered);
        assert_eq!(phone.terminate(), Some(0));
    }
    assert_eq!(exchange.terminate(), Some(0));
}

#[cfg(feature = "tls")]
#[test]
fn settings_of_tls_that_cannot_be_used_say_which_and_why() {
    for (more, why) in [
        ("tls_pin = \"12:34\"", "line 3: tls_pin: a fingerprint has 64 hexadecimal digits"),
        ("tls_certificate = \"x.pem\"", "[account] tls_certificate: it needs its tls_key"),
        ("tls_certificate = \"/nowhere/x\"\ntls_key = \"/nowhere/y\"", "/nowhere/x: cannot be read"),
    ] {
        let config = file("unusable.toml", format!("[account]\nuri = \"sip:1001@offhook.test\"\n{more}\n"));
        let (status, told) = refusal(&["phone", "--json", "--config", &config]);
        assert!(status == Some(2) && told.contains(why), "{more}: {status:?} {told}");
    }
}
