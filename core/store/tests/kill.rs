//! A phone that dies at any moment loses nothing that was reported as stored.
//!
//! This binary starts itself as a phone that stores calls, accounts, settings and drafts and says so, kills it (SIGKILL), and reads the file. What a
//! process writes outlives it in the system's cache, so this shows the order of writing and not what a disk does without
//! power: for that the log is synchronised at each transaction (`synchronous = FULL`).

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "its helpers are a test's too, and it prints how often it killed"
)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use offhook_store::{
    AccountKey, CallFacts, CallKey, Direction, Draft, Filter, Forget, NewAccount, NewCall, Opened, Page,
    Store,
};

const PHONE: &str = "OFFHOOK_STORE_PHONE";

fn rounds() -> u32 {
    200
}

/// The phone: calls without end, each said when it is stored.
fn phone(path: &Path) {
    let Opened { store, salvaged } = Store::open(path).unwrap();
    assert!(salvaged.is_none());
    store.close_cut_off().unwrap();
    let mut out = std::io::stdout().lock();
    for n in 0_i64.. {
        let call = NewCall {
            account: "sip:1001@offhook.test".into(),
            direction: Direction::Out,
            remote: "sip:1002@offhook.test".into(),
            number: "1002".into(),
            name: Some("Ann".repeat(usize::try_from(n % 300).unwrap_or(0))),
            contact: None,
            started: n,
        };
        let CallKey(key) = store.begin_call(&call).unwrap();
        writeln!(out, "begun {key}").unwrap();
        let facts = CallFacts { ended: Some(n + 1), ..CallFacts::default() };
        store.note_call(CallKey(key), &facts, n + 1).unwrap();
        writeln!(out, "ended {key}").unwrap();
        if n % 97 == 96 {
            store.forget_calls(Forget::One(CallKey(key))).unwrap();
            writeln!(out, "forgotten {key}").unwrap();
        }
        if n % 5 == 4 {
            let new = NewAccount { name: "Work".into(), enabled: true, settings: format!("{{\"n\":{n}}}") };
            let account = store.add_account(&new).unwrap();
            writeln!(out, "added {}", account.0).unwrap();
            let draft = Draft { account, number: "1002".into(), text: "hi".into(), at: n };
            assert!(store.put_draft(&draft).unwrap());
            writeln!(out, "drafted {}", account.0).unwrap();
            let last = store.setting("last").unwrap().map_or(0, |last| last.parse::<i64>().unwrap());
            store.set_setting("last", Some(&(last + 1).to_string())).unwrap();
            writeln!(out, "set {}", last + 1).unwrap();
            let all = store.accounts().unwrap();
            for old in &all[..all.len().saturating_sub(9)] {
                assert!(store.remove_account(old.id).unwrap());
                writeln!(out, "removed {}", old.id.0).unwrap();
            }
        }
        out.flush().unwrap();
    }
}

#[test]
fn what_was_reported_as_stored_survives_a_kill_at_any_moment() {
    if let Some(path) = std::env::var_os(PHONE) {
        return phone(&PathBuf::from(path));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.db");
    let (mut stored, mut forgotten) = (Vec::new(), Vec::new());
    let (mut accounts, mut drafts, mut gone, mut setting) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for round in 0..rounds() {
        let mut phone = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "what_was_reported_as_stored_survives_a_kill_at_any_moment"])
            .env(PHONE, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Killed after so many words of it, while it works on the next.
        let words = 1 + round * 7 % 40;
        let mut said = BufReader::new(phone.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut heard: Vec<String> = said
            .by_ref()
            .filter(|line| line.contains(' ') && key(line).is_some())
            .take(words as usize)
            .collect();
        phone.kill().unwrap();
        heard.extend(said.filter(|line| key(line).is_some())); // what it still said
        phone.wait().unwrap();
        for line in heard {
            let key = key(&line).unwrap();
            match line.split(' ').next() {
                Some("ended") => stored.push(key),
                Some("forgotten") => {
                    stored.retain(|it| *it != key);
                    forgotten.push(key);
                }
                Some("added") => accounts.push(key),
                Some("drafted") => drafts.push(key),
                Some("set") => setting = key,
                Some("removed") => gone.push(key),
                _ => {}
            }
        }
    }

    let Opened { store, salvaged } = Store::open(&path).unwrap();
    assert!(salvaged.is_none());
    for key in &stored {
        let row = store.call(CallKey(*key)).unwrap();
        assert!(row.is_some_and(|row| row.ended.is_some()), "{key} of {}", stored.len());
    }
    for key in &forgotten {
        assert!(store.call(CallKey(*key)).unwrap().is_none(), "{key}");
    }
    // One may be gone of which it could no longer say so: the first that it would have removed next.
    let oldest = store.accounts().unwrap()[0].id;
    let kept = |key: &i64| !gone.contains(key) && AccountKey(*key) >= oldest;
    for key in accounts.iter().filter(|key| kept(key)) {
        assert!(store.account(AccountKey(*key)).unwrap().is_some(), "account {key}");
    }
    let held = store.drafts().unwrap();
    for key in drafts.iter().filter(|key| kept(key)) {
        assert!(held.iter().any(|draft| draft.account == AccountKey(*key)), "draft {key}");
    }
    for key in &gone {
        assert!(store.account(AccountKey(*key)).unwrap().is_none(), "account {key}");
    }
    let last: i64 = store.setting("last").unwrap().unwrap().parse().unwrap();
    assert!((setting..=setting + 1).contains(&last), "{last} of {setting}");
    assert_eq!(store.accounts().unwrap().iter().filter(|account| account.default).count(), 1);
    assert!(accounts.len() > rounds() as usize / 10 && !gone.is_empty(), "{} {}", accounts.len(), gone.len());
    assert!(stored.len() > rounds() as usize, "{}", stored.len());
    store.close_cut_off().unwrap();
    let rows = store.calls(&Filter { text: "1002".into(), ..Filter::default() }, Page::first(500)).unwrap();
    assert!(rows.iter().all(|row| row.ended.is_some()));
    println!("killed {} times, {} calls stored, none lost", rounds(), stored.len());
}

/// Of `begun 7` and the like; a line that was cut off has none that matters, for its end is missing.
fn key(line: &str) -> Option<i64> {
    const SAID: [&str; 7] = ["begun", "ended", "forgotten", "added", "drafted", "set", "removed"];
    let (word, key) = line.split_once(' ')?;
    SAID.contains(&word).then(|| key.parse().ok())?
}
