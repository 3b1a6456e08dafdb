//! The phone book and the call log from outside: found, grouped, and found as one types.

mod common;

use std::io::{self, Read as _, Write as _};
use std::process::{Command, Stdio};

use common::{file, refusal, run};
use serde_json::{Value, json};

#[test]
fn a_contact_is_found_by_the_keys_of_a_telephone_and_survives_a_file() {
    let memory = tempfile::tempdir().expect("a folder");
    let folder = memory.path().to_str().expect("a path in words");
    let contacts = |job: &[&str]| {
        let output = run(&[&["contacts", "--data", folder, "--region", "DE", "--json"], job].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("words")
    };
    contacts(&["add", "Zoë Straßer", "030 123456"]);
    let found: Value = serde_json::from_str(&contacts(&["find", "9637"])).expect("one object");
    assert_eq!(
        (&found["name"], &found["numbers"][0]["normal"]),
        (&"Zoë Straßer".into(), &"+4930123456".into())
    );
    assert_eq!(found["matched"], json!({"text":"Zoë Straßer","ranges":[[0,4],[5,6]]}));
    let cards = file("book.vcf", contacts(&["export"]));
    assert_eq!(contacts(&["remove", "1"]), "removed\n");
    assert_eq!(contacts(&["list"]), "");
    assert_eq!(contacts(&["import", &cards]), "1 contacts imported, 0 cards passed over\n");
    assert!(contacts(&["find", "3456"]).contains("Straßer"));
}

#[test]
fn groups_and_favourites_are_shown_by_themselves() {
    let memory = tempfile::tempdir().expect("a folder");
    let folder = memory.path().to_str().expect("a path in words");
    let contacts = |job: &[&str]| {
        let output = run(&[&["contacts", "--data", folder], job].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("words")
    };
    contacts(&["add", "Ann", "1002"]);
    contacts(&["add", "Bob", "1003"]);
    contacts(&["group", "Office", "2"]);
    contacts(&["favourite", "1"]);
    assert_eq!(contacts(&["groups"]), "     1  Office\n");
    assert_eq!(contacts(&["list", "--group", "Office"]), "     2  Bob  1003\n");
    assert_eq!(contacts(&["list", "--favourites"]), "     1  Ann  1002\n");
    contacts(&["group", "Office", "2", "--off"]);
    assert_eq!(contacts(&["groups"]) + &contacts(&["list", "--group", "Office"]), "");
}

/// Runs it on a terminal, presses `keys`, and says what stood there; `None`, aloud: there is no terminal to be had.
fn typed(command: &str, keys: &str) -> Option<String> {
    let program = env!("CARGO_BIN_EXE_offhook");
    let mut command = Command::new("script")
        .args(["-qfec", &format!("stty rows 20 cols 80; exec {program} {command}"), "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .inspect_err(|error| {
            let _ = writeln!(io::stderr(), "skipped: finding as one types, script cannot be run: {error}");
        })
        .ok()?;
    let (mut stdin, mut stdout) = (command.stdin.take()?, command.stdout.take()?);
    let mut said = Vec::new();
    // Its keys are read once it has drawn.
    while !said.ends_with(b"> ") {
        let mut piece = [0; 1];
        assert_eq!(stdout.read(&mut piece).expect("it is read"), 1, "{}", String::from_utf8_lossy(&said));
        said.extend(piece);
    }
    stdin.write_all(keys.as_bytes()).expect("it listens");
    stdout.read_to_end(&mut said).expect("it is read");
    assert!(command.wait().expect("it ends").success(), "{}", String::from_utf8_lossy(&said));
    Some(String::from_utf8(said).expect("words"))
}

#[test]
fn a_contact_is_found_as_one_types_and_the_first_is_taken_by_enter() {
    let memory = tempfile::tempdir().expect("a folder");
    let folder = memory.path().to_str().expect("a path in words");
    for (name, number) in [("Ann Smith", "1002"), ("Zoë", "1003")] {
        assert!(run(&["contacts", "--data", folder, "add", name, number]).status.success());
    }
    let Some(said) = typed(&format!("contacts --data {folder} find"), "zo\r") else { return };
    // Behind what brings the ordinary screen back.
    let (_, taken) = said.rsplit_once('\u{1b}').expect("it drew");
    assert!(taken.contains("[Zo]ë  1003"), "{said:?}");
    let (code, said) = refusal(&["contacts", "--data", folder, "find"]);
    assert_eq!(code, Some(2), "{said}");
}

#[test]
fn calls_are_shown_once_a_number_and_day_and_forgotten_by_day() {
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("a path in words");
    for _ in 0..2 {
        assert!(run(&["demo", "--seconds", "1", "--codec", "PCMU", "--out", folder]).status.success());
    }
    let folder = format!("{folder}/1001");
    let history = |job: &[&str]| {
        let output = run(&[&["history", "--data", &folder], job].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("words")
    };
    let group: Value = serde_json::from_str(&history(&["--grouped", "--json"])).expect("one group");
    assert_eq!((&group["calls"], &group["newest"]["number"]), (&json!(2), &json!("1002")));
    assert!(history(&["--grouped"]).contains("(2 calls, 0 missed)"));
    assert_eq!(history(&["--forget", "2020-01-31"]), "0 forgotten\n");
    assert_eq!(history(&["--forget", "2199-01-31"]), "2 forgotten\n");
    let (code, said) = refusal(&["history", "--data", &folder, "--forget", "2020-02-31"]);
    assert_eq!((code, said.contains("a day such as")), (Some(2), true), "{said}");
}
