//! What the exchange remembers: users, bindings and its key, in one SQLite file.
//!
//! A file that is not ours, or is damaged, is refused before anything is written to it. Bindings are written behind the
//! answers: a burst of registrations becomes one transaction a moment later, and what a crash takes with it the phones'
//! next refresh brings back. Knows no SIP.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use base::{Secret, Transport};
use rusqlite::{Connection, OpenFlags, Row, Transaction, params};

use super::config::User;
use crate::bindings::{Binding, Way};

/// "OFHX": marks a database as the exchange's. <https://www.sqlite.org/fileformat.html#application_id>
const APPLICATION_ID: i32 = 0x4f46_4858;

/// Each step takes the schema one number up; a released step is never changed.
const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE key (value BLOB NOT NULL) STRICT;
    CREATE TABLE user (number TEXT PRIMARY KEY, password TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE binding (
        user TEXT NOT NULL, contact TEXT NOT NULL, q INTEGER NOT NULL, expires_at INTEGER NOT NULL,
        call_id TEXT NOT NULL, cseq INTEGER NOT NULL, path TEXT NOT NULL,
        transport TEXT, local TEXT, remote TEXT, instance TEXT, reg_id INTEGER
    ) STRICT;
    CREATE INDEX binding_by_user ON binding (user);
    CREATE INDEX binding_by_end ON binding (expires_at);
"];

/// The database cannot be used. Each is a sentence for the person who started the exchange.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Some other file: name another one. It was not touched.
    #[error("{} is not a database of this exchange, and was left as it is", .0.display())]
    Foreign(PathBuf),
    /// Ours, but broken: restore it or move it away. It was not touched.
    #[error("{} is damaged ({why}), and was left as it is", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// SQLite's words.
        why: String,
    },
    /// From a later version of this program: use that. It was not touched.
    #[error("{} was written by a newer version of this program, and was left as it is", .0.display())]
    Newer(PathBuf),
    /// It cannot be opened or made.
    #[error("cannot use {}: {why}", path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// The system's or SQLite's words.
        why: String,
    },
}

/// An open database.
pub(super) struct Store {
    connection: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens the database at `path`, or makes it.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let unusable = |error: &dyn std::fmt::Display| StoreError::Unusable {
            path: path.into(),
            why: error.to_string(),
        };
        let new = match File::open(path) {
            Ok(file) => is_empty_or_ours(file, path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(path).map_err(|error| unusable(&error))?;
                true
            }
            Err(error) => return Err(unusable(&error)),
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(|error| unusable(&error))?;
        let mut store = Self { connection, path: path.into() };
        if !new {
            store.examine()?;
        }
        store.prepare().map_err(|error| unusable(&error))?;
        Ok(store)
    }

    /// Looks for damage without writing.
    fn examine(&self) -> Result<(), StoreError> {
        let damaged = |why: String| StoreError::Damaged { path: self.path.clone(), why };
        let check = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        match check {
            Ok(verdict) if verdict == "ok" => Ok(()),
            Ok(verdict) => Err(damaged(verdict)),
            Err(error) => Err(damaged(error.to_string())),
        }
    }

    fn prepare(&mut self) -> rusqlite::Result<()> {
        // A rollback journal: no side files while nothing is written, so a stopped exchange is one file.
        self.connection.pragma_update(None, "journal_mode", "DELETE")?;
        self.connection.pragma_update(None, "synchronous", "NORMAL")?;
        self.connection.pragma_update(None, "cache_size", -512)?;
        let version: u32 = self.connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let step = self.connection.transaction()?;
        step.pragma_update(None, "application_id", APPLICATION_ID)?;
        for migration in &MIGRATIONS[(version as usize).min(MIGRATIONS.len())..] {
            step.execute_batch(migration)?;
        }
        step.pragma_update(None, "user_version", MIGRATIONS.len() as u32)?;
        step.commit()
    }

    fn sentence(&self, error: &rusqlite::Error) -> StoreError {
        StoreError::Unusable { path: self.path.clone(), why: error.to_string() }
    }

    /// The key of tokens and marks; `fresh` is kept when there is none yet.
    pub(super) fn key(&self, fresh: [u8; 16]) -> Result<Secret<[u8; 16]>, StoreError> {
        let find = || -> rusqlite::Result<[u8; 16]> {
            let kept = self.connection.query_row("SELECT value FROM key", [], |row| row.get(0));
            if let Err(rusqlite::Error::QueryReturnedNoRows) = kept {
                self.connection.execute("INSERT INTO key VALUES (?1)", [fresh])?;
                return Ok(fresh);
            }
            kept
        };
        find().map(Secret::new).map_err(|error| self.sentence(&error))
    }

    /// Makes the users those of the configuration. Users are forgotten with their bindings.
    pub(super) fn set_users(&mut self, users: &[User]) -> Result<(), StoreError> {
        let mut set = || -> rusqlite::Result<()> {
            let step = self.connection.transaction()?;
            step.execute("DELETE FROM user", [])?;
            {
                let mut insert = step.prepare("INSERT OR REPLACE INTO user VALUES (?1, ?2)")?;
                for user in users {
                    insert.execute([&user.number, user.password.expose()])?;
                }
            }
            step.execute("DELETE FROM binding WHERE user NOT IN (SELECT number FROM user)", [])?;
            step.commit()
        };
        set().map_err(|error| self.sentence(&error))
    }

    /// All bindings that last beyond `wall`, by user.
    pub(super) fn bindings(&self, wall: u64) -> Result<BTreeMap<String, Vec<Binding>>, StoreError> {
        let read = || -> rusqlite::Result<BTreeMap<String, Vec<Binding>>> {
            let mut select =
                self.connection.prepare("SELECT * FROM binding WHERE expires_at > ?1 ORDER BY rowid")?;
            let mut all: BTreeMap<String, Vec<Binding>> = BTreeMap::new();
            let rows = select.query_map([wall as i64], |row| Ok((row.get("user")?, binding(row)?)))?;
            for row in rows {
                let (user, binding) = row?;
                all.entry(user).or_default().push(binding);
            }
            Ok(all)
        };
        read().map_err(|error| self.sentence(&error))
    }

    /// Writes all of one batch, or nothing.
    pub(super) fn write(&mut self, batch: &Batch) -> rusqlite::Result<()> {
        let step = self.connection.transaction()?;
        if let Some(wall) = batch.expired_by {
            step.prepare_cached("DELETE FROM binding WHERE expires_at <= ?1")?.execute([wall as i64])?;
        }
        for (user, bindings) in &batch.users {
            write_user(&step, user, bindings)?;
        }
        step.commit()
    }
}

/// What changed since the last one.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// All bindings of each changed user.
    pub(super) users: BTreeMap<Box<str>, Vec<Binding>>,
    /// Bindings that ended by then are to go.
    pub(super) expired_by: Option<u64>,
}

impl Batch {
    /// Adds a later batch.
    pub(super) fn extend(&mut self, later: Self) {
        self.users.extend(later.users);
        self.expired_by = self.expired_by.max(later.expired_by);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.users.is_empty() && self.expired_by.is_none()
    }
}

fn write_user(step: &Transaction<'_>, user: &str, bindings: &[Binding]) -> rusqlite::Result<()> {
    step.prepare_cached("DELETE FROM binding WHERE user = ?1")?.execute([user])?;
    let mut insert =
        step.prepare_cached("INSERT INTO binding VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)")?;
    for b in bindings {
        let way = b.way.as_ref();
        insert.execute(params![
            user,
            b.contact,
            b.q,
            b.expires_at as i64,
            b.call_id,
            b.cseq,
            b.path.join("\n"),
            way.map(|w| w.transport.uri_word()),
            way.map(|w| w.local.to_string()),
            way.map(|w| w.remote.to_string()),
            b.instance,
            b.reg_id,
        ])?;
    }
    Ok(())
}

fn binding(row: &Row<'_>) -> rusqlite::Result<Binding> {
    let path: String = row.get("path")?;
    let address = |name: &str| -> rusqlite::Result<Option<SocketAddr>> {
        Ok(row.get::<_, Option<String>>(name)?.and_then(|text| text.parse().ok()))
    };
    let transport: Option<String> = row.get("transport")?;
    let transport = transport.and_then(|word| Transport::from_word(word.as_bytes()));
    let way = match (transport, address("local")?, address("remote")?) {
        (Some(transport), Some(local), Some(remote)) => Some(Way { transport, local, remote, flow: None }),
        _ => None,
    };
    Ok(Binding {
        contact: row.get("contact")?,
        q: row.get("q")?,
        expires_at: row.get::<_, i64>("expires_at")? as u64,
        call_id: row.get("call_id")?,
        cseq: row.get("cseq")?,
        path: path.lines().map(Box::from).collect(),
        way,
        instance: row.get("instance")?,
        reg_id: row.get("reg_id")?,
    })
}

/// Looks at a file's first hundred bytes, by which SQLite files tell themselves: magic, version and owner. `true` for an empty
/// one, which nobody will miss.
fn is_empty_or_ours(file: File, path: &Path) -> Result<bool, StoreError> {
    let mut head = Vec::new();
    file.take(100)
        .read_to_end(&mut head)
        .map_err(|e| StoreError::Unusable { path: path.into(), why: e.to_string() })?;
    if head.is_empty() {
        return Ok(true);
    }
    let number = |at: usize| head.get(at..at + 4).and_then(|b| b.try_into().ok()).map(i32::from_be_bytes);
    let known = head.starts_with(b"SQLite format 3\0") && number(68) == Some(APPLICATION_ID);
    match number(60) {
        Some(version) if known && version as usize > MIGRATIONS.len() => Err(StoreError::Newer(path.into())),
        Some(_) if known => Ok(false),
        Some(_) | None => Err(StoreError::Foreign(path.into())),
    }
}

/// Passwords lie in it: for its owner alone.
fn make(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
