//! A phone book of 50,000: from pages to an index, then found as one types; beside SQL `LIKE` on the same people.

#![allow(clippy::print_stdout, reason = "a driver speaks there")]

use std::time::{Duration, Instant};

use book::{Book, Contact, ContactId, Number};
use rusqlite::{Connection, params};

const PEOPLE: u64 = 50_000;
const PAGE: u64 = 500;
const SCREEN: usize = 20;
const RUNS: usize = 400;

const FIRST: [&str; 14] = [
    "Ann",
    "Bob",
    "José",
    "Иван",
    "Μαρία",
    "Jürgen",
    "Wei",
    "Ólafur",
    "Fatma",
    "Piotr",
    "Linh",
    "John",
    "دوד",
    "Sara",
];
const LAST: [&str; 12] = [
    "Smith",
    "Müller",
    "Петров",
    "Παππάς",
    "Straßer",
    "王小明",
    "Kowalski",
    "Nguyen",
    "Jansen",
    "Öztürk",
    "Rossi",
    "Lee",
];

fn main() -> anyhow::Result<()> {
    let before = resident()?;
    let began = Instant::now();
    let mut book = Book::default();
    for page in 0..PEOPLE / PAGE {
        book.put((page * PAGE..(page + 1) * PAGE).map(person));
    }
    book.settle();
    let took = began.elapsed();
    println!(
        "{PEOPLE} contacts indexed from pages of {PAGE} in {:.2} s (goal 2), {} MiB (goal 60)",
        took.as_secs_f64(),
        (resident()? - before) / 1024
    );
    let plain = Connection::open_in_memory()?;
    plain.execute_batch("CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, number TEXT); BEGIN")?;
    for contact in book.iter() {
        plain.execute(
            "INSERT INTO person VALUES (?1, ?2, ?3)",
            params![contact.id.0 as i64, contact.names[0], contact.numbers[0].text],
        )?;
    }
    plain.execute_batch("COMMIT")?;

    println!("first {SCREEN} hits                     median      p99     goal p99 5 ms");
    for (what, words) in [
        (
            "a name",
            &["a", "an", "ann", "muller", "петр", "straß", "wang", "wxm", "ann smi", "zzz", "сара"][..],
        ),
        ("keys of a keypad", &["2", "26", "266", "76484", "1234", "0301", "999999", "5366", "1"][..]),
    ] {
        let mut times = Vec::new();
        for run in 0..RUNS {
            let began = Instant::now();
            std::hint::black_box(book.search(words[run % words.len()], SCREEN));
            times.push(began.elapsed());
        }
        show(what, times);
        let mut times = Vec::new();
        for run in 0..RUNS / 4 {
            let began = Instant::now();
            let mut ask = plain.prepare_cached(
                "SELECT * FROM person WHERE name LIKE ?1 OR number LIKE ?1 ORDER BY name LIMIT 20",
            )?;
            let mut rows = ask.query([format!("%{}%", words[run % words.len()])])?;
            while rows.next()?.is_some() {}
            times.push(began.elapsed());
        }
        show("  by LIKE, which knows no keypad", times);
    }
    let began = Instant::now();
    book.put([person(7)]);
    std::hint::black_box(book.search("ann", SCREEN));
    println!("one contact changed, and found: {:.1} ms", began.elapsed().as_secs_f64() * 1000.0);
    Ok(())
}

fn person(n: u64) -> Contact {
    let name = format!("{} {} {}", FIRST[(n % 14) as usize], LAST[(n / 14 % 12) as usize], n % 997);
    let number = |text: String| Number {
        normal: Some(text.chars().filter(|it| it.is_ascii_digit() || *it == '+').collect()),
        text,
        kind: "mobile".into(),
    };
    let mut numbers = vec![number(format!("+49 170 {:07}", n * 7_919 % 10_000_000))];
    if n.is_multiple_of(2) {
        numbers.push(number(format!("030 {:06}", n * 104_729 % 1_000_000)));
    }
    Contact { id: ContactId(n), names: vec![name], numbers, weight: u32::from(n.is_multiple_of(100)) }
}

fn show(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let ms = |at: usize| times[at].as_secs_f64() * 1000.0;
    println!("{what:<34} {:>7.2} ms {:>6.2}", ms(times.len() / 2), ms(times.len() * 99 / 100));
}

/// KiB of this process in memory.
fn resident() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    Ok(line.split_whitespace().nth(1).unwrap_or("0").parse()?)
}
