//! One file: opened, brought to the present schema, and told from what is not ours.
//!
//! A file of another program, or of a later version of this one, is refused and left as it is. A damaged one of ours is
//! put aside and what can be read of it brought over ([`crate::Salvaged`]). Knows no table.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::Salvaged;
use crate::migrations::STEPS;

/// "OFHP": marks a database as a phone's. <https://www.sqlite.org/fileformat.html#application_id>
const APPLICATION_ID: i32 = 0x4f46_4850;
/// What every SQLite database begins with. <https://www.sqlite.org/fileformat.html#the_database_header>
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Where the application's mark stands in it.
const MARK_AT: usize = 68;
/// Made by us beforehand, and never shared between threads.
const WRITING: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);
/// Statements that stay prepared.
const PREPARED: usize = 32;
/// For how long a connection waits for another one that writes.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

/// The file cannot be used, or not now. Each is a sentence for a person.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Some other file: name another one. It was not touched.
    #[error("{} is not a phone's database, and was left as it is", .0.display())]
    Foreign(PathBuf),
    /// From a later version of this program: use that. It was not touched.
    #[error("{} was written by a newer version of this program, and was left as it is", .0.display())]
    Newer(PathBuf),
    /// What was read makes no sense: open it anew, which saves what can be saved.
    #[error("the phone's database is damaged ({0})")]
    Damaged(String),
    /// No room: what was to be stored was not. Say so, and try again when there is.
    #[error("there is no room left to store anything")]
    Full,
    /// Called wrongly: what was to be kept as JSON is none.
    #[error("this is not JSON: {0}")]
    NotJson(String),
    /// Called wrongly: a document has a secret under that key. Keep it where the platform keeps secrets, and leave it out.
    #[error("`{0}` is a secret, and the phone's database keeps none")]
    Secret(String),
    /// More than is kept: tell the person what the bound is.
    #[error("that is too much: {0}")]
    TooMuch(&'static str),
    /// It cannot be opened, made or written.
    #[error("cannot use the phone's database: {0}")]
    Unusable(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error.to_string()),
            Some(ErrorCode::DiskFull) => Self::Full,
            _ => Self::Unusable(error.to_string()),
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::StorageFull {
            Self::Full
        } else {
            Self::Unusable(error.to_string())
        }
    }
}

/// One connection to the file.
#[derive(Debug)]
pub struct Store {
    pub(crate) connection: Connection,
}

/// A store, and what became of the old one where that was damaged.
#[derive(Debug)]
pub struct Opened {
    /// Ready for use.
    pub store: Store,
    /// Tell the person.
    pub salvaged: Option<Salvaged>,
}

impl Store {
    /// Opens the file at `path`, or makes it, for reading and writing; one that is damaged is replaced by what can be read
    /// of it. One process at a time opens a file so: salvaging moves it away.
    ///
    /// # Errors
    /// - [`StoreError`]: show its sentence; the phone goes on without a memory.
    pub fn open(path: &Path) -> Result<Opened, StoreError> {
        match Self::at(path) {
            Ok(store) => Ok(Opened { store, salvaged: None }),
            Err(StoreError::Damaged(_)) => crate::salvage::salvage(path),
            Err(other) => Err(other),
        }
    }

    /// Puts the file at `path` aside and begins a fresh one with what can be read of it: after [`StoreError::Damaged`] in use,
    /// when every connection to it is closed.
    ///
    /// # Errors
    /// - [`StoreError`]: show its sentence; the phone goes on without a memory.
    pub fn mend(path: &Path) -> Result<Opened, StoreError> {
        crate::salvage::salvage(path)
    }

    /// Opens an existing file for reading, beside whoever writes.
    ///
    /// # Errors
    /// - [`StoreError`]: show its sentence.
    pub fn reader(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        // Asked of SQLite and not of the file: to open and close that beside SQLite ends the locks of all that this process
        // has on it (<https://www.sqlite.org/howtocorrupt.html>, section 2.2), and another process then takes itself for the
        // last one and removes the log.
        let opened = Self::connect(path, flags).and_then(|store| {
            let mark = store.connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
            Ok((store, mark))
        });
        let store = match opened {
            Ok((store, APPLICATION_ID)) => store,
            Ok(_) => return Err(StoreError::Foreign(path.into())),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
                return Err(StoreError::Foreign(path.into()));
            }
            Err(error) => return Err(error.into()),
        };
        store.refuse_newer(path)?;
        Ok(store)
    }

    /// Without a try to mend what is damaged.
    pub(crate) fn at(path: &Path) -> Result<Self, StoreError> {
        match File::open(path) {
            Ok(_) => ours(path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::make(path)?,
            Err(error) => return Err(error.into()),
        }
        let mut store = Self::connect(path, WRITING)?;
        store.refuse_newer(path)?;
        store.prepare()?;
        Ok(store)
    }

    /// Whole at once, under another name first: a phone that dies in the middle leaves nothing that is not ours.
    fn make(path: &Path) -> Result<(), StoreError> {
        let mut fresh = path.as_os_str().to_owned();
        fresh.push(".new");
        let fresh = PathBuf::from(fresh);
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => make_private(&fresh)?,
        }
        let mut store = Self::connect(&fresh, WRITING)?;
        store.migrate(STEPS.len())?;
        drop(store);
        Ok(fs::rename(fresh, path)?)
    }

    /// Stores all that `work` stores at once, or nothing of it. Within another one it is a part of that.
    ///
    /// # Errors
    /// - [`StoreError`]: what `work` says, or nothing was stored.
    pub fn bulk<T>(&self, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        if !self.connection.is_autocommit() {
            return work();
        }
        let whole = self.connection.unchecked_transaction()?;
        let done = work()?;
        whole.commit()?;
        Ok(done)
    }

    /// Empties the write-ahead log, which still has the old pages of what was forgotten.
    pub(crate) fn wipe_log(&self) -> Result<(), StoreError> {
        if self.connection.is_autocommit() {
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        }
        Ok(())
    }

    fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Self> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(PATIENCE)?;
        connection.set_prepared_statement_cache_capacity(PREPARED);
        connection.pragma_update(None, "cache_size", -2048)?;
        Ok(Self { connection })
    }

    /// How many steps it has behind it.
    fn version(&self) -> rusqlite::Result<usize> {
        let version: u32 = self.connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        Ok(version as usize)
    }

    fn refuse_newer(&self, path: &Path) -> Result<(), StoreError> {
        if self.version()? > STEPS.len() { Err(StoreError::Newer(path.into())) } else { Ok(()) }
    }

    fn prepare(&mut self) -> Result<(), StoreError> {
        self.connection.pragma_update(None, "journal_mode", "WAL")?;
        // What was reported as stored outlives a battery that is taken out.
        self.connection.pragma_update(None, "synchronous", "FULL")?;
        self.connection.pragma_update(None, "foreign_keys", true)?;
        // A call that the person deletes is not to be found in the file's free pages.
        self.connection.pragma_update(None, "secure_delete", true)?;
        self.migrate(STEPS.len())
    }

    /// Up to step `to`, in one transaction.
    pub(crate) fn migrate(&mut self, to: usize) -> Result<(), StoreError> {
        let from = self.version()?;
        if from >= to {
            return Ok(());
        }
        let all = self.connection.transaction()?;
        all.pragma_update(None, "application_id", APPLICATION_ID)?;
        for step in &STEPS[from..to] {
            all.execute_batch(step)?;
        }
        all.pragma_update(None, "user_version", to as u32)?;
        Ok(all.commit()?)
    }
}

/// Refuses a file that is neither empty nor a phone's, before SQLite writes to it.
fn ours(path: &Path) -> Result<(), StoreError> {
    let mut head = Vec::new();
    File::open(path)?.take(100).read_to_end(&mut head)?;
    let mark = head.get(MARK_AT..MARK_AT + 4);
    if head.is_empty() || head.starts_with(MAGIC) && mark == Some(&APPLICATION_ID.to_be_bytes()) {
        Ok(())
    } else if mark == Some(&APPLICATION_ID.to_be_bytes()) || head.iter().all(|byte| *byte == 0) {
        // Ours once: the mark is left, or a crash of the system has left zeros.
        Err(StoreError::Damaged("its beginning is gone".into()))
    } else {
        Err(StoreError::Foreign(path.into()))
    }
}

/// An empty file that only its owner may read.
fn make_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
