//! `offhook backup` and `offhook restore` from outside.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use offhook_io::store::{Draft, NewAccount, NewMessage, Store};
use serde_json::{Value, json};

fn offhook(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offhook"));
    command.args(args).stdin(Stdio::null()).output().expect("it starts")
}

/// The one JSON object that it says.
fn told(args: &[&str]) -> Value {
    let output = offhook(args);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("one object")
}

/// Exit status and stderr.
fn refusal(args: &[&str]) -> (Option<i32>, String) {
    let output = offhook(args);
    assert!(output.stdout.is_empty(), "a refusal is told on stderr: {output:?}");
    (output.status.code(), String::from_utf8(output.stderr).expect("words"))
}

/// A phone's folder with an account, its password, and something of what a phone remembers.
fn lived_in(folder: &Path) {
    let store = Store::open(&folder.join("phone.db")).expect("a store").store;
    let settings = r#"{"uri":"sip:1001@offhook.test"}"#.to_owned();
    let new = NewAccount { name: "Work".into(), enabled: true, settings };
    let key = store.add_account(&new).expect("stored");
    let draft = Draft { account: key, number: "1002".into(), text: "well".into(), at: 1 };
    assert!(store.put_draft(&draft).expect("stored"));
    let message = NewMessage {
        account: "sip:1001@offhook.test".into(),
        direction: offhook_io::store::Direction::In,
        remote: "sip:1002@offhook.test".into(),
        number: "1002".into(),
        name: None,
        text: "hello".into(),
        at: 1,
    };
    store.put_message(&message).expect("stored");
    fs::write(folder.join("secrets.json"), format!(r#"{{"{}":{{"password":"hush-1"}}}}"#, key.0))
        .expect("written");
}

#[test]
fn a_phone_is_backed_up_and_restored_with_its_passwords_and_a_second_time_adds_nothing() {
    let place = tempfile::tempdir().expect("a folder");
    let at = |name: &str| place.path().join(name).to_str().expect("a path in words").to_owned();
    let (old, new, file, phrase) = (at("old"), at("new"), at("phone.json"), at("phrase.txt"));
    fs::create_dir(&old).expect("a folder");
    lived_in(Path::new(&old));
    fs::write(&phrase, "correct horse\nnot this\n").expect("written");
    assert!(offhook(&["contacts", "--data", &old, "add", "Ann", "1002"]).status.success());
    assert!(offhook(&["contacts", "--data", &old, "block", "0900123"]).status.success());

    let backup = told(&["backup", "--data", &old, "--passphrase-file", &phrase, "--json", &file]);
    let expected = json!({ "event": "backup", "accounts": 1, "settings": 0, "contacts": 1, "marks": 0, "speed_dial": 0,
        "blocked": 1, "calls": 0, "messages": 1, "drafts": 1, "passwords": 1 });
    assert_eq!(backup, expected);
    assert!(!fs::read_to_string(&file).expect("words").contains("hush"));

    let restored = told(&["restore", "--data", &new, "--passphrase-file", &phrase, "--json", &file]);
    for part in ["accounts", "contacts", "blocked", "messages", "drafts"] {
        let counts = json!({ "taken": 1, "same": 0, "kept": 0, "orphaned": 0, "bad": 0, "beyond": 0 });
        assert_eq!(restored["parts"][part], counts, "{part}");
    }
    assert_eq!(restored["passwords"], json!({ "here": { "taken": 1, "withheld": 0 } }));
    let secrets: Value =
        serde_json::from_slice(&fs::read(Path::new(&new).join("secrets.json")).expect("kept")).expect("JSON");
    assert_eq!(secrets, json!({ "1": { "password": "hush-1" } }));

    let words = offhook(&["restore", "--data", &new, "--passphrase-file", &phrase, &file]).stdout;
    let words = String::from_utf8(words).expect("words");
    assert!(words.contains("messages: 0 taken, 1 here already\n"), "{words}");
    assert!(words.ends_with("passwords: of 0 accounts taken\n"), "{words}");
    let store = Store::reader(&Path::new(&new).join("phone.db")).expect("a store");
    assert_eq!(store.drafts().expect("read")[0].account, store.accounts().expect("read")[0].id);
    assert_eq!(offhook(&["contacts", "--data", &new, "blocked"]).stdout, b"0900123\n");
    let bytes = fs::read(Path::new(&new).join("phone.db")).expect("there");
    assert!(!bytes.windows(4).any(|window| window == b"hush"));
}

#[test]
fn a_backup_without_a_passphrase_has_no_passwords_and_one_with_another_takes_nothing() {
    let place = tempfile::tempdir().expect("a folder");
    let at = |name: &str| place.path().join(name).to_str().expect("a path in words").to_owned();
    let (old, new, file, phrase, wrong) =
        (at("old"), at("new"), at("phone.json"), at("phrase.txt"), at("wrong.txt"));
    fs::create_dir(&old).expect("a folder");
    lived_in(Path::new(&old));
    fs::write(&phrase, "correct horse").expect("written");
    fs::write(&wrong, "battery staple").expect("written");

    let words = String::from_utf8(offhook(&["backup", "--data", &old, &file]).stdout).expect("words");
    assert!(words.ends_with("passwords are not in it\n"), "{words}");
    let plain = fs::read_to_string(&file).expect("words");
    assert!(!plain.contains("hush") && !plain.contains("argon2id"));

    assert!(offhook(&["backup", "--data", &old, "--passphrase-file", &phrase, &file]).status.success());
    let (code, words) = refusal(&["restore", "--data", &new, "--passphrase-file", &wrong, &file]);
    assert!(code == Some(1) && words.contains("the passphrase is wrong"), "{words}");
    let store = Store::reader(&Path::new(&new).join("phone.db")).expect("a store");
    assert!(store.accounts().expect("read").is_empty());
    assert_eq!(told(&["restore", "--data", &new, "--json", &file])["passwords"], "locked");
    assert!(!Path::new(&new).join("secrets.json").exists());
}

#[test]
fn what_cannot_be_backed_up_or_restored_is_told_in_words() {
    let place = tempfile::tempdir().expect("a folder");
    let at = |name: &str| place.path().join(name).to_str().expect("a path in words").to_owned();
    let (data, file, other, empty) = (at("data"), at("phone.json"), at("other.json"), at("empty.txt"));
    fs::write(&other, "{\"dear\":\"diary\"}").expect("written");
    fs::write(&empty, "\nsecond line").expect("written");
    for (args, code, why) in [
        (vec!["backup", "--data", &data, &file], 1, "there is nothing to back up"),
        (vec!["backup", &file], 2, "--data <DIR>"),
        (vec!["restore", "--data", &data, &file], 2, "cannot be read"),
        (vec!["restore", "--data", &data, &other], 1, "this is not a backup of a phone"),
        (vec!["restore", "--data", &data, "--passphrase-file", &empty, &other], 2, "its first line is empty"),
        (
            vec!["restore", "--data", &data, "--passphrase-file", &file, &other],
            2,
            "the passphrase cannot be read",
        ),
    ] {
        let (status, words) = refusal(&args);
        assert!(status == Some(code) && words.contains(why), "{args:?}: {status:?} {words}");
    }
    fs::create_dir_all(&data).expect("a folder");
    lived_in(Path::new(&data));
    let nowhere = at("no/such/folder.json");
    let (status, words) = refusal(&["backup", "--data", &data, &nowhere]);
    assert!(status == Some(1) && words.contains("the backup cannot be written"), "{words}");
}
