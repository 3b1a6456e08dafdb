//! What can still be read of a damaged file, brought over to a fresh one.
//!
//! The old file is put aside, never written again and never deleted: `NAME.damaged-1`, `-2`... Each table is read by the
//! numbers of its rows, past what cannot be read. Knows the schema only as SQLite tells it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, Row, params_from_iter};

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
const TABLES: [&str; 11] = [
    "account", // before its drafts
    "setting",
    "draft",
    "call",
    "contact",
    "contact_name",
    "contact_number",
    "contact_group",
    "speed_dial",
    "blocked",
    "message",
];
/// Numbers of rows that are passed at once, at most: then nothing more can be read.
const LONGEST_STEP: i64 = 1 << 24;
/// How far the numbers of accounts are counted on where the old count is lost.
const LEAP: i64 = 1000;
/// Files put aside, at most: then the oldest name is used again.
const MOST_ASIDE: usize = 5;

/// Puts the file at `path` aside and begins a fresh one with what can be read of it.
pub(crate) fn salvage(path: &Path) -> Result<Opened, StoreError> {
    let aside = put_aside(path)?;
    let store = Store::at(path)?;
    let mut rows = 0;
    // A file without a readable beginning gives nothing; the fresh one is there all the same.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let old = Connection::open_with_flags(&aside, flags).ok();
    if let Some(old) = &old {
        for table in TABLES {
            rows += bring_over(old, &store.connection, table)?;
        }
        // An old file's words may lack what later ones end with.
        store.connection.execute_batch(
            "UPDATE call SET words = words || char(10, 10) WHERE substr(words, -2) <> char(10, 10)",
        )?;
    }
    count_on(old.as_ref(), &store.connection)?;
    store.choose_default()?;
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

/// Lets no account have the number of one that was, whether or not it was brought over.
fn count_on(old: Option<&Connection>, fresh: &Connection) -> Result<(), StoreError> {
    let count = "SELECT seq FROM sqlite_sequence WHERE name = 'account'";
    let known = old.and_then(|old| old.query_row(count, [], |row| row.get::<_, i64>(0)).ok());
    let highest: i64 = fresh.query_row("SELECT coalesce(max(id), 0) FROM account", [], |row| row.get(0))?;
    let last = known.map_or(highest.saturating_add(LEAP), |known| known.max(highest));
    let whole = fresh.unchecked_transaction()?;
    whole.execute("DELETE FROM sqlite_sequence WHERE name = 'account'", [])?;
    whole.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('account', ?1)", [last])?;
    Ok(whole.commit()?)
}

/// Copies the rows of one table that can be read; how many those are.
fn bring_over(old: &Connection, fresh: &Connection, table: &str) -> Result<usize, StoreError> {
    let known = columns_of(fresh, table)?;
    let mut columns = columns(old, table).unwrap_or_default();
    columns.retain(|name| known.contains(name));
    if columns.is_empty() {
        return Ok(0);
    }
    let whole = fresh.unchecked_transaction()?;
    let brought = if old.prepare(&format!("SELECT rowid FROM {table}")).is_ok() {
        by_number(old, fresh, table, &columns)?
    } else {
        from_both_ends(old, fresh, table, &columns)?
    };
    whole.commit()?;
    Ok(brought)
}

/// Past each damaged page in steps that grow.
fn by_number(
    old: &Connection,
    fresh: &Connection,
    table: &str,
    columns: &[String],
) -> Result<usize, StoreError> {
    let read = format!(
        "SELECT rowid, {} FROM {table} NOT INDEXED WHERE rowid > ?1 ORDER BY rowid",
        columns.join(", ")
    );
    let (mut brought, mut last, mut step) = (0, i64::MIN, 1_i64);
    while step < LONGEST_STEP {
        let Ok(mut read) = old.prepare(&read) else { break };
        let Ok(mut rows) = read.query([last]) else { break };
        loop {
            match rows.next() {
                Ok(Some(row)) => {
                    let Ok(number) = row.get(0) else { break };
                    (last, step) = (number, 1);
                    brought += put(fresh, table, columns, row, 1)?;
                }
                Ok(None) => return Ok(brought),
                Err(_) => break,
            }
        }
        last = last.max(0).saturating_add(step);
        step *= 2;
    }
    Ok(brought)
}

/// From the first row up, and where that stops, from the last one down: these tables are short.
fn from_both_ends(
    old: &Connection,
    fresh: &Connection,
    table: &str,
    columns: &[String],
) -> Result<usize, StoreError> {
    let (names, key) = (columns.join(", "), primary_key(old, table).unwrap_or_default());
    let mut brought = 0;
    for order in ["ASC", "DESC"] {
        let by: Vec<String> = key.iter().map(|name| format!("{name} {order}")).collect();
        let Ok(mut read) = old.prepare(&format!("SELECT {names} FROM {table} ORDER BY {}", by.join(", ")))
        else {
            break;
        };
        let Ok(mut rows) = read.query([]) else { continue };
        loop {
            match rows.next() {
                Ok(Some(row)) => brought += put(fresh, table, columns, row, 0)?,
                Ok(None) => return Ok(brought),
                Err(_) => break,
            }
        }
    }
    Ok(brought)
}

/// 1 if the row is there now and was not before. A row that the schema does not take is damage too.
fn put(
    fresh: &Connection,
    table: &str,
    columns: &[String],
    row: &Row<'_>,
    from: usize,
) -> Result<usize, StoreError> {
    let values: Result<Vec<Value>, _> = (from..from + columns.len()).map(|column| row.get(column)).collect();
    let Ok(values) = values else { return Ok(0) };
    let (names, marks) = (columns.join(", "), vec!["?"; columns.len()].join(", "));
    let put = format!("INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})");
    Ok(fresh.prepare_cached(&put)?.execute(params_from_iter(values)).unwrap_or(0))
}

fn primary_key(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut ask = connection.prepare("SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk")?;
    ask.query_map([table], |row| row.get(0))?.collect()
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut ask = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
    ask.query_map([table], |row| row.get(0))?.collect()
}

fn columns_of(connection: &Connection, table: &str) -> rusqlite::Result<BTreeSet<String>> {
    Ok(columns(connection, table)?.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountKey, Draft, NewAccount};

    fn new(name: &str) -> NewAccount {
        NewAccount { name: name.into(), enabled: true, settings: format!("{{\"name\":\"{name}\"}}") }
    }

    fn draft(account: AccountKey) -> Draft {
        Draft { account, number: "1002".into(), text: "hi".into(), at: 1 }
    }

    #[test]
    fn accounts_settings_and_drafts_are_brought_over_and_no_number_is_given_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("phone.db");
        let store = Store::open(&path).unwrap().store;
        let [work, home, gone] = ["Work", "Home", "Gone"].map(|it| store.add_account(&new(it)).unwrap());
        assert!(store.make_default(home).unwrap() && store.move_account(home, 0).unwrap());
        assert!(store.remove_account(gone).unwrap());
        store.set_setting("region", Some("\"DE\"")).unwrap();
        assert!(store.put_draft(&draft(work)).unwrap());
        let before = (store.accounts().unwrap(), store.settings().unwrap(), store.drafts().unwrap());
        drop(store);

        let Opened { store, salvaged } = Store::mend(&path).unwrap();
        assert_eq!(salvaged.unwrap().rows, 4);
        let after = (store.accounts().unwrap(), store.settings().unwrap(), store.drafts().unwrap());
        assert_eq!(after, before);
        assert!(store.add_account(&new("New")).unwrap() > gone);
    }

    #[test]
    fn what_damage_makes_of_accounts_is_left_out_and_one_of_the_rest_is_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("phone.db");
        let store = Store::open(&path).unwrap().store;
        let [work, home] = ["Work", "Home"].map(|name| store.add_account(&new(name)).unwrap());
        assert!(store.put_draft(&draft(work)).unwrap() && store.put_draft(&draft(home)).unwrap());
        let harm = "PRAGMA ignore_check_constraints = 1; UPDATE account SET settings = '{\"na' WHERE id = 1";
        store.connection.execute_batch(harm).unwrap();
        drop(store);

        let store = Store::mend(&path).unwrap().store;
        let left = store.accounts().unwrap();
        assert_eq!(left.iter().map(|it| (it.id, it.default)).collect::<Vec<_>>(), [(home, true)]);
        assert_eq!(store.drafts().unwrap(), [draft(home)]);
    }

    #[test]
    fn a_file_that_gives_nothing_leaves_its_accounts_numbers_unused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("phone.db");
        let store = Store::open(&path).unwrap().store;
        let lost = store.add_account(&new("Lost")).unwrap();
        drop(store);
        let mut bytes = fs::read(&path).unwrap();
        bytes[..16].fill(0);
        fs::write(&path, bytes).unwrap();
        let store = Store::open(&path).unwrap().store;
        assert!(store.add_account(&new("New")).unwrap() > lost);
    }
}
