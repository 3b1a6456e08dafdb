//! The account's provider from outside: what is left, for how long, a card, a call back. The pocket exchange is the provider.

#![cfg(feature = "rest")]

mod common;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use common::{PATIENCE, Running, offhook};
use serde_json::{Value, json};

/// With `typed` on stdin.
fn run(args: &[&str], typed: &str) -> Output {
    let mut command = offhook(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    // Who is called wrongly does not read it.
    let _ = child.stdin.take().expect("piped").write_all(typed.as_bytes());
    child.wait_with_output().expect("it ends")
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).expect("words");
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("words")
}

fn event(phone: &mut Running, name: &str) -> Value {
    phone.until(|line| line["event"] == name)
}

/// An exchange where a minute costs one, and Ann has 12.34 of them; and a file of hers with that `[balance]`.
struct House {
    exchange: Running,
    folder: tempfile::TempDir,
    udp: String,
    http: String,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let users = ["1001", "1002"].map(|number| {
            format!("[[user]]\nnumber = \"{number}\"\npassword = \"secret-{number}\"\nbalance = \"12.34\"\ncurrency = \"EUR\"\n")
        });
        let config = format!(
            "rate = \"1\"\n[listen]\nudp = \"127.0.0.1:0\"\nhttp = \"127.0.0.1:0\"\n{}",
            users.concat()
        );
        let path = folder.path().join("exchange.toml");
        fs::write(&path, config).expect("there is room");
        let mut exchange = Running::start(&["exchange", "--json", "--config", words(&path)]);
        let listening = exchange.line();
        let [udp, http] =
            ["udp", "http"].map(|name| listening[name].as_str().expect("an address").to_owned());
        Self { exchange, folder, udp, http }
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("there is room");
        words(&path).to_owned()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn settings(&self, name: &str, balance: &str) -> String {
        let text = format!(
            "data = \"{}\"\nbind = \"127.0.0.1:0\"\n[account]\nuri = \"sip:1001@offhook.test\"\n\
             proxy = \"sip:{};transport=udp\"\npassword = \"secret-1001\"\n{balance}",
            self.data().display(),
            self.udp
        );
        fs::create_dir_all(self.data()).expect("a folder");
        self.file(name, &text)
    }

    fn switch(&self) -> String {
        self.settings("switch.toml", &format!("[balance]\nvos = \"http://{}/external/server\"\n", self.http))
    }
}

fn words(path: &Path) -> &str {
    path.to_str().expect("a path in words")
}

#[test]
fn what_is_left_is_told_once_and_with_its_age_when_the_provider_is_away() {
    let house = House::new();
    let config = house.switch();
    let output = run(&["balance", "--config", &config, "--to", "0301234", "--json"], "");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(
        lines(&output),
        [
            json!({"event":"balance","amount":"12.34","age_s":0}),
            json!({"event":"minutes","to":"0301234","seconds":740,"minutes":12}),
        ]
    );
    let output = run(&["balance", "--config", &config, "--to", "0301234"], "");
    assert_eq!(output.stdout, b"12.34 left, as told just now\n12 minutes left to 0301234\n");
    let output = run(&["balance", "--config", &config, "--to", "112"], "");
    assert!(output.status.code() == Some(1) && stderr(&output).contains("emergency"), "{output:?}");

    let House { exchange, folder, .. } = house;
    drop(exchange);
    let output = run(&["balance", "--config", &config, "--json"], "");
    assert!(output.status.code() == Some(1) && stderr(&output).contains("cannot be reached"), "{output:?}");
    let told = lines(&output);
    assert!(told.len() == 1 && told[0]["amount"] == "12.34" && told[0]["age_s"].is_u64(), "{told:?}");
    drop(folder);
}

#[test]
fn a_card_comes_from_a_file_or_stdin_and_is_shown_nowhere() {
    let house = House::new();
    let config = house.switch();
    let top_up = ["balance", "--config", &config, "--top-up", "--json"];
    let paid = run(&top_up, "5.00 - 0042 7777\n00427777\n");
    assert_eq!(paid.status.code(), Some(0), "{}", stderr(&paid));
    let left = |amount: &str| json!({"event":"balance","amount":amount,"age_s":0});
    assert_eq!(lines(&paid), [json!({"event":"top_up","done":true}), left("17.34")]);

    let card = house.file("card.txt", "1.00-00427777\nwrong9999\n");
    let refused = run(&[&top_up[..], &["--card-file", &card]].concat(), "");
    assert_eq!(refused.status.code(), Some(1));
    let told = lines(&refused);
    assert!(told[0]["done"] == false && told[1] == left("17.34"), "{told:?}");
    assert!(
        stderr(&refused).contains("the card was not paid in: the provider refuses (-10007)"),
        "{refused:?}"
    );

    let none = run(&top_up, "\n");
    assert!(none.status.code() == Some(2) && stderr(&none).contains("there is no card"), "{none:?}");
    let argument = run(&[&top_up[..], &["1.00-00427777"]].concat(), "");
    assert_eq!(argument.status.code(), Some(2));
    for output in [&paid, &refused] {
        let all = [&*output.stdout, &*output.stderr].concat();
        let all = String::from_utf8_lossy(&all);
        assert!(!all.contains("0042") && !all.contains("9999"), "{all}");
    }
}

#[test]
fn what_is_not_offered_is_status_2_and_what_is_refused_status_1() {
    let house = House::new();
    let switch = house.switch();
    let called = |args: &[&str]| {
        let output = run(args, "");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), stderr(&output))
    };
    let (status, told, _) = called(&["callback", "--config", &switch, "--json", "1002"]);
    assert_eq!((status, &*told), (Some(0), "{\"event\":\"callback\",\"to\":\"1002\",\"done\":true}\n"));
    let (status, told, why) = called(&["callback", "--config", &switch, "--from", "1009", "1002"]);
    assert_eq!((status, &*told), (Some(1), ""));
    assert!(why.contains("the provider does not call back: the provider refuses (-10007)"), "{why}");

    let bare = house.settings(
        "bare.toml",
        &format!("[balance]\nurl = \"http://{}/balance?user={{user}}\"\n", house.http),
    );
    let (status, told, _) = called(&["balance", "--config", &bare]);
    assert_eq!((status, &*told), (Some(0), "12.34 EUR left, as told just now\n"));
    let none = house.settings("none.toml", "");
    for (args, word) in [
        (&["balance", "--config", &bare, "--to", "1"][..], "[balance.minutes]"),
        (&["balance", "--config", &bare, "--top-up"], "[balance.top_up]"),
        (&["callback", "--config", &bare, "1"], "[balance.callback]"),
        (&["balance", "--config", &none], "[balance]"),
        (&["balance", "--config", &none, "--card-file", "x"], "--top-up"),
        (&["balance"], "--config"),
    ] {
        let (status, told, why) = called(args);
        assert!(status == Some(2) && told.is_empty() && why.contains(word), "{args:?}: {why}");
    }
}

#[test]
fn a_stored_accounts_provider_is_asked_by_its_document_and_its_secrets_stay_apart() {
    let house = House::new();
    let data = house.data();
    fs::create_dir_all(&data).expect("a folder");
    let folder = words(&data);
    let key = house.file("key.txt", "hush-7\n");
    let headers = house.file("headers.json", "{\"X-Key\": \"hush-8\"}\n");
    let accounts = |job: &[&str]| {
        let output = run(&[&["accounts", "--data", folder, "--json"], job].concat(), "");
        assert_eq!(output.status.code(), Some(0), "{job:?}: {}", stderr(&output));
        let told = String::from_utf8(output.stdout).expect("words");
        // What was done is said in words.
        told.lines().filter_map(|line| serde_json::from_str(line).ok()).collect::<Vec<Value>>()
    };
    let switch = format!("balance.vos=http://{}/external/server", house.http);
    let proxy = format!("proxy=sip:{};transport=udp", house.udp);
    accounts(&[
        "add",
        "sip:1001@offhook.test",
        "--name",
        "Work",
        &proxy,
        &switch,
        "balance.callback.caller=1001",
    ]);
    let minutes = format!("balance.minutes.url=http://{}/minutes?to={{number}}", house.http);
    accounts(&["add", "sip:1002@offhook.test", &minutes]);
    let [key, headers] =
        [format!("balance.minutes.password={key}"), format!("balance.minutes.headers={headers}")];
    accounts(&["change", "1002", "balance.minutes.auth=basic", "--from", &key, "--from", &headers]);

    let shown = accounts(&["show", "1002"])[0].to_string();
    assert!(shown.contains("/minutes?to=") && !shown.contains("hush"), "{shown}");
    let database = fs::read(data.join("phone.db")).expect("a database");
    assert!(!database.windows(5).any(|bytes| bytes == b"hush-"));
    let secrets = fs::read_to_string(data.join("secrets.json")).expect("secrets");
    assert!(secrets.contains("\"balance.minutes.headers/X-Key\":\"hush-8\""), "{secrets}");

    let told = |args: &[&str], typed: &str| {
        let output = run(&[args, &["--data", folder, "--json"]].concat(), typed);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
        lines(&output)
    };
    let left = |amount: &str| json!({"event":"balance","amount":amount,"age_s":0});
    let asked = told(&["balance", "--to", "0301234"], "");
    assert_eq!((&asked[0], &asked[1]["seconds"]), (&left("12.34"), &json!(740)));
    let paid = told(&["balance", "--account", "work", "--top-up"], "5.00-7777\n7777\n");
    assert_eq!(paid, [json!({"event":"top_up","done":true}), left("17.34")]);
    assert_eq!(told(&["callback", "1002"], ""), [json!({"event":"callback","to":"1002","done":true})]);
    let other = run(&["balance", "--data", folder, "--account", "1002"], "");
    assert!(other.status.code() == Some(2) && stderr(&other).contains("not asked what is left"), "{other:?}");
    for (field, why) in [
        ("balance.minutes.vos=x", "no such field"),
        ("balance.top_up.url=http://b.test/{card}", "balance.top_up.url: "),
    ] {
        let refused = run(&["accounts", "--data", folder, "change", "1002", field], "");
        assert!(refused.status.code() == Some(2) && stderr(&refused).contains(why), "{refused:?}");
    }
    accounts(&["remove", "work"]);
    assert!(!data.join("balance-1.json").exists());
}

#[test]
fn a_phone_tells_the_minutes_of_what_it_dials_and_takes_cards() {
    let house = House::new();
    let mut phone = Running::start(&["phone", "--json", "--config", &house.switch()]);
    event(&mut phone, "balance");
    phone.say(r#"{"cmd":"minutes","to":"0301234"}"#);
    let minutes = event(&mut phone, "minutes");
    assert_eq!(minutes, json!({"event":"minutes","to":"0301234","seconds":740,"minutes":12}));
    phone.say(r#"{"cmd":"call","to":"1002"}"#);
    assert_eq!(event(&mut phone, "minutes")["to"], "1002");
    // What was told a moment ago is still true, and the provider is not asked again.
    phone.say(r#"{"cmd":"minutes","to":"030 1234"}"#);
    assert_eq!(event(&mut phone, "minutes"), minutes);

    phone.say(r#"{"cmd":"top_up","card":"5.00-0042","pin":"0042"}"#);
    assert_eq!(event(&mut phone, "top_up"), json!({"event":"top_up","done":true}));
    assert_eq!(event(&mut phone, "balance"), json!({"event":"balance","amount":"17.34"}));
    phone.say(r#"{"cmd":"minutes","to":"0301234"}"#);
    assert_eq!(event(&mut phone, "minutes")["seconds"], 1040);
    phone.say(r#"{"cmd":"balance"}"#);
    let kept = event(&mut phone, "balance");
    assert!(kept["amount"] == "17.34" && kept["age_s"].is_u64(), "it is not asked twice a minute: {kept}");
    phone.say(r#"{"cmd":"callback","to":"1002"}"#);
    assert_eq!(event(&mut phone, "callback"), json!({"event":"callback","to":"1002","done":true}));
    phone.say(r#"{"cmd":"top_up","card":500,"pin":"0042"}"#);
    assert!(event(&mut phone, "error")["reason"].as_str().expect("words").contains("in quotes"));
}

#[test]
fn at_a_prompt_a_card_is_asked_for_in_lines_of_its_own() {
    let house = House::new();
    let mut phone = Running::start(&["phone", "--config", &house.switch()]);
    let until = |phone: &Running, words: &str| {
        while !phone.lines.recv_timeout(PATIENCE).expect("another line").contains(words) {}
    };
    until(&phone, "12.34 left");
    phone.say("topup");
    until(&phone, "the card's number?");
    phone.say("5.00 - 0042");
    until(&phone, "its PIN?");
    phone.say("0042");
    until(&phone, "the card is paid in");
    until(&phone, "17.34 left");
    phone.say("callback 1002");
    until(&phone, "the provider calls back, and then calls 1002");
    phone.say("topup");
    until(&phone, "the card's number?");
    phone.say("");
    phone.say("minutes 1002");
    until(&phone, "17 minutes left to 1002");
}
