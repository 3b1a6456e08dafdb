//! The accounts that a phone keeps, from outside: added, changed, handed out, tried, and run.

mod common;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use common::{PATIENCE, Running, file, offhook, run};
use serde_json::Value;

/// What `offhook accounts --json` says, a value a line, and how it ended.
fn accounts(folder: &str, job: &[&str]) -> (Option<i32>, Vec<Value>, String) {
    let output = run(&[&["accounts", "--data", folder, "--region", "DE", "--json"], job].concat());
    let words = String::from_utf8(output.stdout).expect("words");
    let lines = words.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    (output.status.code(), lines, String::from_utf8(output.stderr).expect("words"))
}

#[test]
fn accounts_are_added_ordered_changed_and_tried_and_their_secrets_stay_apart() {
    let memory = tempfile::tempdir().expect("a folder");
    let folder = memory.path().to_str().expect("a path in words");
    let done = |job: &[&str]| {
        let (status, lines, told) = accounts(folder, job);
        assert_eq!(status, Some(0), "{job:?}: {told}");
        lines
    };
    let password = file("accounts-password", "hush-1\n");
    let plan = r#"dial_plan=[{"fits":"0([1-9].*)","replace":"+49$1"}]"#;
    let added = done(&[
        "add",
        "sip:1001@h.test",
        "--name",
        "Work",
        "--password-file",
        &password,
        plan,
        "srtp=optional",
    ]);
    assert_eq!((&added[0]["default"], &added[0]["password"]), (&true.into(), &true.into()));
    done(&["add", "sip:1002@h.test", "auth_user=77"]);
    done(&["default", "1002"]);
    done(&["move", "1002@h.test", "1"]);
    let order: Vec<Value> = done(&["list"]).into_iter().map(|mut line| line["uri"].take()).collect();
    assert_eq!(order, ["sip:1002@h.test", "sip:1001@h.test"]);

    let tried = done(&["test", "030123456", "--account", "work"]);
    assert_eq!(tried[0]["plan"]["dialed"], "+4930123456");
    assert_eq!(tried[0]["plan"]["steps"][0], "rule 1: 030123456 becomes +4930123456");
    assert!(
        done(&["test", "110"])[0]["plan"]["steps"][0].as_str().is_some_and(|it| it.contains("call for help"))
    );

    done(&["change", "work", "srtp=", "codecs=[\"opus\"]"]);
    let settings = done(&["show", "work"])[0]["settings"].take();
    assert_eq!((&settings["codecs"][0], settings.get("srtp")), (&"opus".into(), None));
    for (job, status, why) in [
        (vec!["change", "work", "expires=long"], 2, "expires: invalid type"),
        (vec!["change", "work", "password=hush"], 2, "--from password=FILE"),
        (vec!["change", "work", "shoe=9"], 2, "shoe: there is no such field"),
        (vec!["show", "1003"], 1, "there is no account `1003`"),
    ] {
        let (ended, _, told) = accounts(folder, &job);
        assert!(ended == Some(status) && told.contains(why), "{job:?}: {ended:?} {told}");
    }

    let exported = run(&["accounts", "--data", folder, "export", "work"]).stdout;
    assert!(!String::from_utf8_lossy(&exported).contains("hush"));
    let database = fs::read(memory.path().join("phone.db")).expect("a database");
    assert!(!database.windows(6).any(|bytes| bytes == b"hush-1"));
    let secrets = memory.path().join("secrets.json");
    assert!(fs::read_to_string(&secrets).expect("secrets").contains("hush-1"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&secrets).expect("there").permissions().mode() & 0o777, 0o600);
    }
    done(&["remove", "work"]);
    assert!(!fs::read_to_string(&secrets).expect("secrets").contains("hush-1"));
}

#[test]
fn a_link_is_fetched_shown_and_taken_only_when_it_is_agreed_to() {
    let memory = tempfile::tempdir().expect("a folder");
    let folder = memory.path().to_str().expect("a path in words");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        let body = r#"{"offhook":1,"uri":"sip:1001@h.test","password":"hush-1","provider":"Example","default":true,
            "dial_plan":[{"prefix":"9"}],"shoe":9}"#;
        for stream in listener.incoming() {
            let (mut stream, mut head, mut byte) = (stream.expect("a stream"), Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                head.push(byte[0]);
            }
            let kind =
                if head.starts_with(b"GET /a?token=hush-2 ") { "application/json" } else { "text/html" };
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    let link = format!("offhook:provision?url=http%3A%2F%2F{at}%2Fa%3Ftoken%3Dhush-2");
    let (status, shown, _) = accounts(folder, &["import", &link]);
    assert_eq!(
        (status, &shown[0]["event"], &shown[0]["from"]),
        (Some(0), &"proposal".into(), &"127.0.0.1".into())
    );
    assert_eq!(shown[0]["notices"][0]["about"], "EmergencyChanged");
    assert!(shown.len() == 1 && !shown[0].to_string().contains("hush"), "{shown:?}");
    assert!(accounts(folder, &["list"]).1.is_empty());

    let (_, taken, _) = accounts(folder, &["import", "--yes", &link]);
    assert_eq!((&taken[1]["name"], &taken[1]["password"]), (&"Example".into(), &true.into()));
    let (status, _, told) = accounts(folder, &["import", "--yes", &format!("http://{at}/page")]);
    assert!(status == Some(1) && told.contains("web page"), "{told}");
    let (status, _, told) = accounts(folder, &["import", "http://h.test/a?token=hush-2"]);
    assert!(status == Some(1) && told.contains("anybody on the way") && !told.contains("hush"), "{told}");
}

/// A phone's folder and its settings, and accounts at that server, which asks for passwords of the usual kind.
struct House {
    exchange: Running,
    at: String,
    memory: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        let mut exchange = Running::start(&["exchange", "--listen", "127.0.0.1:0", "--json"]);
        let at = exchange.line()["udp"].as_str().expect("where it listens").to_owned();
        Self { exchange, at, memory: tempfile::tempdir().expect("a folder") }
    }

    fn folder(&self) -> &str {
        self.memory.path().to_str().expect("a path in words")
    }

    fn add(&self, number: &str, name: &str, password: &str) {
        let uri = format!("sip:{number}@offhook.test");
        let added = offhook(&["accounts", "--data", self.folder(), "add", &uri, "--name", name])
            .arg(format!("proxy=sip:{};transport=udp", self.at))
            .env("OFFHOOK_PASSWORD", password)
            .output()
            .expect("it starts");
        assert!(added.status.success(), "{added:?}");
    }

    fn settings(&self) -> String {
        let path = self.memory.path().join("phone.toml");
        fs::write(&path, format!("bind = \"127.0.0.1:0\"\ndata = \"{}\"\n", self.folder())).expect("room");
        path.to_str().expect("a path in words").to_owned()
    }

    fn phone(&self, more: &[&str]) -> Running {
        Running::start(&[&["phone", "--json", "--config", &self.settings()], more].concat())
    }
}

/// Somebody else at that server, who answers nobody by himself.
fn other(house: &House, number: &str) -> Running {
    let settings = format!(
        "bind = \"127.0.0.1:0\"\n[account]\nuri = \"sip:{number}@offhook.test\"\npassword = \"secret-{number}\"\n\
         proxy = \"sip:{};transport=udp\"\n",
        house.at
    );
    let path = house.memory.path().join(format!("{number}.toml"));
    fs::write(&path, settings).expect("room");
    let mut phone = Running::start(&["phone", "--json", "--config", path.to_str().expect("a path in words")]);
    phone.until(|line| line["state"] == "registered");
    phone
}

#[test]
fn a_stored_account_is_run_alone_when_it_is_named() {
    let house = House::new();
    house.add("1001", "Work", "secret-1001");
    house.add("1002", "Home", "secret-1002");
    let mut phone = house.phone(&["--account", "home"]);
    let registered = phone.until(|line| line["state"] == "registered");
    assert_eq!((&registered["account"], registered.get("account_id")), (&"1002".into(), None));
    phone.say(r#"{"cmd":"status"}"#);
    let status = phone.until(|line| line["event"] == "status");
    assert_eq!(status["accounts"].as_array().map(Vec::len), Some(1));
    assert_eq!(phone.terminate(), Some(0));

    let (status, _, _) = accounts(house.folder(), &["change", "home", "--off"]);
    assert_eq!(status, Some(0));
    let settings = house.settings();
    for (which, why) in [("1003", "no account `1003`"), ("home", "account 2 is not in use")] {
        let refused = run(&["phone", "--json", "--config", &settings, "--account", which]);
        let told = String::from_utf8_lossy(&refused.stderr);
        assert!(refused.status.code() == Some(1) && told.contains(why), "{which}: {told}");
    }
    let of_nobody = house.memory.path().join("nobody.toml");
    let both = fs::read_to_string(&settings).expect("written above") + "[nat]\nice = false\n";
    fs::write(&of_nobody, both).expect("room");
    let refused = run(&["phone", "--json", "--config", of_nobody.to_str().expect("a path in words")]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("`nat.ice` of an account"), "{refused:?}");
    let mut phone = house.phone(&[]);
    let registered = phone.until(|line| line["state"] == "registered");
    assert_eq!((&registered["account"], registered.get("account_id")), (&"1001".into(), None));
    let _ = accounts(house.folder(), &["change", "work", "--off"]);
    let nobody = run(&["phone", "--json", "--config", &settings]);
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("no account is in use"), "{nobody:?}");
}

#[test]
fn all_accounts_in_use_run_at_once_and_each_call_goes_by_its_own() {
    let house = House::new();
    house.add("1001", "Work", "secret-1001");
    house.add("1002", "Home", "secret-1002");
    house.add("1003", "Wrong", "hush");
    house.add("1004", "Off", "secret-1004");
    let done = |job: &[&str]| assert_eq!(accounts(house.folder(), job).0, Some(0), "{job:?}");
    done(&["change", "off", "--off"]);
    done(&["default", "home"]);
    let mut bob = other(&house, "1005");

    let mut phone = house.phone(&[]);
    let mut waiting = vec![("1001", 1, "registered"), ("1002", 2, "registered"), ("1003", 3, "failed")];
    while !waiting.is_empty() {
        let line = phone.until(|line| line["event"] == "registration");
        assert_ne!(line["account"], "1004", "it is not in use");
        waiting.retain(|(account, id, state)| {
            line["account"] != *account || line["account_id"] != *id || line["state"] != *state
        });
    }

    let mut call = |phone: &mut Running, command: &str, account: &str, id: u32| {
        phone.say(command);
        let ringing = phone.until(|line| line["state"] == "ringing");
        assert_eq!((&ringing["account"], &ringing["account_id"]), (&account.into(), &id.into()), "{command}");
        let heard = bob.until(|line| line["state"] == "ringing");
        assert!(heard["remote"].as_str().is_some_and(|it| it.contains(account)), "{heard}");
        assert_eq!(heard.get("account"), None, "he has but one");
        phone.say(&format!(r#"{{"cmd":"hangup","call":{}}}"#, ringing["call"]));
        phone.until(|line| line["event"] == "call" && line["state"] == "ended");
        bob.until(|line| line["event"] == "call" && line["state"] == "ended");
    };
    call(&mut phone, r#"{"cmd":"call","to":"1005"}"#, "1002", 2);
    call(&mut phone, r#"{"cmd":"call","to":"1005","account":"work"}"#, "1001", 1);
    phone.say(r#"{"cmd":"use","account":1}"#);
    call(&mut phone, r#"{"cmd":"call","to":"1005"}"#, "1001", 1);
    phone.say(r#"{"cmd":"call","to":"1005","account":"1004"}"#);
    assert_eq!(phone.until(|line| line["event"] == "error")["reason"], "there is no account `1004`");

    bob.say(r#"{"cmd":"message","to":"1002","text":"hi"}"#);
    let message = phone.until(|line| line["event"] == "message");
    assert_eq!((&message["text"], &message["account_id"]), (&"hi".into(), &2.into()));
    bob.say(r#"{"cmd":"call","to":"1001"}"#);
    let rings = phone.until(|line| line["state"] == "ringing");
    assert_eq!((&rings["direction"], &rings["account_id"]), (&"in".into(), &1.into()));
    phone.say(r#"{"cmd":"unregister","account":"home"}"#);
    let left = phone.until(|line| line["event"] == "registration");
    assert_eq!((&left["account_id"], &left["state"]), (&2.into(), &"unregistered".into()));
    assert_eq!(phone.terminate(), Some(0));

    let history = run(&["history", "--data", house.folder(), "--export", "json"]).stdout;
    let history: Value = serde_json::from_slice(&history).expect("JSON");
    let by: Vec<&str> =
        history.as_array().expect("calls").iter().filter_map(|it| it["account"].as_str()).collect();
    assert_eq!(
        by,
        ["sip:1001@offhook.test", "sip:1001@offhook.test", "sip:1001@offhook.test", "sip:1002@offhook.test"]
    );
    assert_eq!(house.exchange.terminate(), Some(0));
}

#[test]
fn at_a_prompt_each_account_is_told_by_its_name_and_one_is_picked_for_a_call() {
    let house = House::new();
    house.add("1001", "Work", "secret-1001");
    house.add("1002", "Home", "secret-1002");
    let mut bob = other(&house, "1005");
    let mut phone = Running::start(&["phone", "--config", &house.settings()]);
    let until = |phone: &Running, words: &str| {
        while !phone.lines.recv_timeout(PATIENCE).expect("another line").contains(words) {}
    };
    let mut registered = std::collections::BTreeSet::new();
    while registered.len() < 2 {
        let line = phone.lines.recv_timeout(PATIENCE).expect("another line");
        if line.contains("registered for") {
            registered.extend(line.split("  ").next().map(str::to_owned));
        }
    }
    phone.say("by home 1005");
    until(&phone, "it rings at 1005");
    let rings = bob.until(|line| line["state"] == "ringing");
    assert!(rings["remote"].as_str().is_some_and(|it| it.contains("1002")), "{rings}");
    phone.say("hangup");
    until(&phone, "1005: You");
    bob.say(r#"{"cmd":"call","to":"1002"}"#);
    until(&phone, "Home: 1005 calls");
    phone.say("by nobody 1005");
    until(&phone, "there is no account `nobody`");
    assert_eq!(phone.terminate(), Some(0));
}

#[cfg(feature = "tls")]
#[test]
fn a_certificate_that_the_person_trusts_is_kept_with_the_account() {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    let memory = tempfile::tempdir().expect("a folder");
    let folder = memory.path().to_str().expect("a path in words");
    let [certificate, key] =
        [("shown-to-many.pem", made.cert.pem()), ("shown-to-many.key", made.signing_key.serialize_pem())]
            .map(|(name, text)| file(name, text));
    let config = file(
        "exchange-of-many.toml",
        format!(
            "[listen]\ntls = \"127.0.0.1:0\"\n[tls]\ncertificate = \"{certificate}\"\nkey = \"{key}\"\n\
             [[user]]\nnumber = \"1001\"\npassword = \"secret-1001\"\n[[user]]\nnumber = \"1002\"\npassword = \"secret-1002\"\n"
        ),
    );
    let mut exchange = Running::start(&["exchange", "--json", "--config", &config]);
    let at = exchange.line()["tls"].as_str().expect("where it listens").to_owned();
    for number in ["1001", "1002"] {
        let password = file(&format!("trusting-{number}"), format!("secret-{number}\n"));
        let uri = format!("sip:{number}@offhook.test");
        let proxy = format!("proxy=sip:{at};transport=tls");
        let (status, _, told) = accounts(folder, &["add", &uri, "--password-file", &password, &proxy]);
        assert_eq!(status, Some(0), "{told}");
    }
    let config = file("trusting.toml", format!("bind = \"127.0.0.1:0\"\ndata = \"{folder}\"\n"));
    let phone = || Running::start(&["phone", "--json", "--config", &config]);
    let mut first = phone();
    let mut asked = Vec::new();
    while asked.len() < 2 {
        let shown = first.until(|line| line["event"] == "certificate");
        asked.push((shown["account_id"].clone(), shown["fingerprint"].clone()));
    }
    let fingerprint = asked[0].1.as_str().expect("a fingerprint").to_owned();
    first.say(&format!(r#"{{"cmd":"trust","fingerprint":"{fingerprint}"}}"#));
    for _ in 0..2 {
        first.until(|line| line["event"] == "registration" && line["state"] == "registered");
    }
    assert_eq!(first.terminate(), Some(0));
    for which in ["1001", "1002"] {
        let settings = accounts(folder, &["show", which]).1[0]["settings"].take();
        assert_eq!(settings["tls_pin"], fingerprint.as_str(), "{which}");
    }
    let mut again = phone();
    for _ in 0..2 {
        let told = again.until(|line| line["event"] == "certificate" || line["state"] == "registered");
        assert_eq!(told["state"], "registered", "it is not asked again: {told}");
    }
    assert_eq!(again.terminate(), Some(0));
}
