//! The call log with 200,000 rows: first page, search, insert with durability, cold open; beside plain SQL `LIKE`.
//!
//! Each figure is of many single runs: the median, and the 99th percentile where a goal names it.

#![allow(clippy::print_stdout, reason = "a driver speaks there")]

use std::path::Path;
use std::time::{Duration, Instant};

use offhook_store::{CallFacts, Direction, Filter, NewCall, Opened, Page, Store};
use rusqlite::Connection;

const ROWS: i64 = 200_000;
/// Rows of a screen.
const SCREEN: usize = 20;
const RUNS: usize = 300;

const NAMES: [&str; 12] = [
    "Ann",
    "Bob",
    "José",
    "Иван",
    "Μαρία",
    "Straßer",
    "Chen Wei",
    "Ólafur",
    "Fatma",
    "Kowalski",
    "Nguyen",
    "Smith",
];

fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("phone.db");
    let Opened { store, .. } = Store::open(&path)?;
    fill(&path, &store)?;
    drop(store);

    println!("call log, {ROWS} rows                     median      p99     goal");
    let open = times(30, || Store::open(&path).map(drop).map_err(Into::into))?;
    show("cold open of the store", &open, "30 ms");
    let Opened { store, .. } = Store::open(&path)?;
    let page =
        times(RUNS, || store.calls(&Filter::default(), Page::first(SCREEN)).map(drop).map_err(Into::into))?;
    show("first page", &page, "5 ms");
    let mut n = 0;
    let words = words();
    let mut next = || {
        n += 1;
        words[n % words.len()].clone()
    };
    let search = times(RUNS, || {
        let filter = Filter { text: next(), ..Filter::default() };
        store.calls(&filter, Page::first(SCREEN)).map(drop).map_err(Into::into)
    })?;
    show("search", &search, "p99 30 ms");
    let plain = Connection::open(&path)?;
    let like = times(RUNS, || like(&plain, &next()))?;
    show("  the same by LIKE on all columns", &like, "");
    let insert = times(RUNS, || {
        let key = store.begin_call(&call(1))?;
        let facts = CallFacts { ended: Some(2), ..CallFacts::default() };
        store.note_call(key, &facts, 2).map_err(Into::into)
    })?;
    show("insert and close, each synchronised", &insert, "2 x 5 ms");
    Ok(())
}

fn times(runs: usize, mut run: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    for _ in 0..runs {
        let began = Instant::now();
        run()?;
        times.push(began.elapsed());
    }
    times.sort();
    Ok(times)
}

fn show(what: &str, times: &[Duration], goal: &str) {
    let ms = |at: usize| times[at.min(times.len() - 1)].as_secs_f64() * 1000.0;
    println!("{what:<40} {:>7.2} ms {:>6.2}   {goal}", ms(times.len() / 2), ms(times.len() * 99 / 100));
}

fn call(n: i64) -> NewCall {
    let number = format!("+49{:09}", n * 7_919 % 1_000_000_000);
    NewCall {
        account: "sip:1001@offhook.test".into(),
        direction: if n % 2 == 0 { Direction::In } else { Direction::Out },
        remote: format!("sip:{number}@offhook.test"),
        name: Some(format!("{} {}", NAMES[(n % 12) as usize], n % 5_000)),
        number,
        contact: None,
        started: n * 60_000,
    }
}

/// Through the store itself, so that its indexes are as they are.
fn fill(path: &Path, store: &Store) -> anyhow::Result<()> {
    store.bulk(|| {
        for n in 0..ROWS {
            let key = store.begin_call(&call(n))?;
            let facts = CallFacts { ended: Some(n * 60_000 + 30_000), ..CallFacts::default() };
            store.note_call(key, &facts, n * 60_000)?;
        }
        Ok(())
    })?;
    let size = std::fs::metadata(path)?.len()
        + std::fs::metadata(path.with_extension("db-wal")).map_or(0, |it| it.len());
    println!("{ROWS} calls are {:.0} MiB", size as f64 / 1_048_576.0);
    Ok(())
}

/// What people type: parts of numbers and names, some that are nowhere.
fn words() -> Vec<String> {
    let mut words: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    words.extend((0..50).map(|n| format!("{:05}", n * 7_919 % 100_000)));
    words.extend(["zz", "4", "an", "nobody of that name", "+49000007919"].map(str::to_owned));
    words
}

fn like(plain: &Connection, word: &str) -> anyhow::Result<()> {
    let mut ask = plain.prepare_cached(
        "SELECT * FROM call WHERE number LIKE ?1 OR name LIKE ?1 OR contact LIKE ?1 OR remote LIKE ?1
         ORDER BY id DESC LIMIT 20",
    )?;
    let mut rows = ask.query([format!("%{word}%")])?;
    while rows.next()?.is_some() {}
    Ok(())
}
