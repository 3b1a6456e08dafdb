//! What can still be read of a damaged file, brought over to a fresh one.
//!
//! The old file is put aside, never written again and never deleted: `NAME.damaged-1`, `-2`... Each table is read from
//! its first row up, and where that stops, from its last row down: damage is mostly one page in the middle. Knows the
//! schema only as SQLite tells it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params_from_iter};

use crate::file::{Opened, Store, StoreError};

/// What became of a damaged file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Salvaged {
    /// Where the old one is now; it may be deleted.
    pub aside: PathBuf,
    /// Rows that were brought over.
    pub rows: usize,
}

/// Tables that are of use by themselves; the indexes of words make themselves anew.
const TABLES: [&str; 1] = ["call"];
/// Files put aside, at most: then the oldest name is used again.
const MOST_ASIDE: usize = 5;

/// Puts the file at `path` aside and begins a fresh one with what can be read of it.
pub(crate) fn salvage(path: &Path) -> Result<Opened, StoreError> {
    let aside = put_aside(path)?;
    let store = Store::at(path)?;
    let mut rows = 0;
    // A file without a readable beginning gives nothing; the fresh one is there all the same.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if let Ok(old) = Connection::open_with_flags(&aside, flags) {
        for table in TABLES {
            rows += bring_over(&old, &store.connection, table)?;
        }
    }
    Ok(Opened { store, salvaged: Some(Salvaged { aside, rows }) })
}

/// With its log, which may hold what was written last.
fn put_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let beside = |path: &Path, end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let name = |n: usize| beside(path, &format!(".damaged-{n}"));
    let aside = (1..=MOST_ASIDE).map(name).find(|aside| !aside.exists()).unwrap_or_else(|| name(1));
    fs::rename(path, &aside)?;
    if fs::rename(beside(path, "-wal"), beside(&aside, "-wal")).is_err() {
        let _ = fs::remove_file(beside(&aside, "-wal")); // of an older one of that name
    }
    let _ = fs::remove_file(beside(path, "-shm"));
    Ok(aside)
}

/// Copies the rows of one table that can be read; how many those are.
fn bring_over(old: &Connection, fresh: &Connection, table: &str) -> Result<usize, StoreError> {
    let columns = columns(old, table).unwrap_or_default();
    let known = columns_of(fresh, table)?;
    let columns: Vec<String> = columns.into_iter().filter(|name| known.contains(name)).collect();
    if columns.is_empty() {
        return Ok(0);
    }
    let (names, marks) = (columns.join(", "), vec!["?"; columns.len()].join(", "));
    let put = format!("INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})");
    let whole = fresh.unchecked_transaction()?;
    let mut brought = 0;
    for order in ["ASC", "DESC"] {
        let Ok(mut read) =
            old.prepare(&format!("SELECT {names} FROM {table} NOT INDEXED ORDER BY rowid {order}"))
        else {
            break;
        };
        let Ok(mut rows) = read.query([]) else { continue };
        let whole_table = loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => break true,
                Err(_) => break false,
            };
            let values: Result<Vec<Value>, _> = (0..columns.len()).map(|column| row.get(column)).collect();
            let Ok(values) = values else { continue };
            // A row that the schema does not take is damage too.
            brought += fresh.prepare_cached(&put)?.execute(params_from_iter(values)).unwrap_or(0);
        };
        if whole_table {
            break;
        }
    }
    whole.commit()?;
    Ok(brought)
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut ask = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
    ask.query_map([table], |row| row.get(0))?.collect()
}

fn columns_of(connection: &Connection, table: &str) -> rusqlite::Result<BTreeSet<String>> {
    Ok(columns(connection, table)?.into_iter().collect())
}
