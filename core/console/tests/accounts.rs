//! The accounts that a phone keeps, from outside: added, changed, handed out, tried, and run.

mod common;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use common::{Running, file, offhook, run};
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

#[test]
fn a_stored_account_is_run_by_its_name_or_as_the_default() {
    let memory = tempfile::tempdir().expect("a folder");
    let folder = memory.path().to_str().expect("a path in words");
    let mut exchange = Running::start(&["exchange", "--listen", "127.0.0.1:0", "--json"]);
    let at = exchange.line()["udp"].as_str().expect("where it listens").to_owned();
    for number in ["1001", "1002"] {
        let added = offhook(&["accounts", "--data", folder, "add", &format!("sip:{number}@offhook.test")])
            .arg(format!("proxy=sip:{at};transport=udp"))
            .env("OFFHOOK_PASSWORD", format!("secret-{number}"))
            .output()
            .expect("it starts");
        assert!(added.status.success(), "{added:?}");
    }
    let config = file("stored.toml", format!("bind = \"127.0.0.1:0\"\ndata = \"{folder}\"\n"));
    for (which, number) in [(&["--account", "1002"][..], "1002"), (&[][..], "1001")] {
        let mut phone = Running::start(&[&["phone", "--json", "--config", &config], which].concat());
        let registered = phone.until(|line| line["state"] == "registered");
        assert_eq!(registered["account"], number);
        assert_eq!(phone.terminate(), Some(0));
    }
    let nobody = run(&["phone", "--json", "--config", &config, "--account", "1003"]);
    assert!(
        !nobody.status.success() && String::from_utf8_lossy(&nobody.stderr).contains("no account `1003`")
    );
    assert_eq!(exchange.terminate(), Some(0));
}
