//! All that is the person's as one file, and back: accounts, settings, contacts, the call log, messages.
//!
//! The file is the same that the console writes: JSON, in clear but for the passwords, which go with it only under a passphrase.
//! By paths, for a backup may have 128 MiB: an app that is given streams copies it through a file of its own. What becomes of
//! each record beside what is here is the store's; what is here stays, and a second time adds nothing.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use account::Secrets;
use base::Secret;
use offhook_io::store::{self, AccountKey, LONGEST_BACKUP, Lock, Restored, StoreError, Tally, Unlocked};

use crate::error::PhoneError;
use crate::{Phone, SecretError};

pub use offhook_io::store::Part as BackupPart;

/// A part of a backup.
#[uniffi::remote(Enum)]
pub enum BackupPart {
    Accounts,
    Settings,
    Contacts,
    Marks,
    SpeedDial,
    Blocked,
    Calls,
    Messages,
    Drafts,
}

/// How many records of a part a backup has.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct BackupCount {
    /// Which part. `Marks` is what was marked of contacts that are the device's.
    pub part: BackupPart,
    /// How many.
    pub records: u32,
}

/// What a backup holds that was written.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct BackupContents {
    /// Records of each part.
    pub parts: Vec<BackupCount>,
    /// Accounts whose passwords are locked in.
    pub passwords: u32,
}

/// What becomes, or would become, of the records of one part.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct BackupTally {
    /// Which part.
    pub part: BackupPart,
    /// Added to what is here.
    pub taken: u32,
    /// Here already, and the same.
    pub same: u32,
    /// Not taken: another one is here in its place, which stays.
    pub kept: u32,
    /// Not taken: what it belongs to (an account, a contact of the device) is not here.
    pub orphaned: u32,
    /// Not taken: it makes no sense.
    pub bad: u32,
    /// Not taken: there are more than is read, or than there is room for.
    pub beyond: u32,
}

/// What becomes of the passwords in a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum BackupPasswords {
    /// It has none: accounts that come with it ask for theirs.
    None,
    /// It has some, and no passphrase was given.
    Locked,
    /// They are here.
    Unlocked {
        /// Accounts whose passwords come.
        accounts: u32,
        /// Accounts whose passwords do not: they were not taken, or are set otherwise than when they were locked in, so that a
        /// password might go to somebody else.
        withheld: u32,
    },
}

/// What a backup adds, or would add.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct BackupReport {
    /// When it was made, as it says, in milliseconds since 1970.
    pub made_ms: i64,
    /// What becomes of each part that it has.
    pub parts: Vec<BackupTally>,
    /// What becomes of its passwords.
    pub passwords: BackupPasswords,
}

/// There is no backup, or nothing of it was taken. `Display` is a sentence for a person, in English.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum BackupError {
    /// Some other file.
    #[error("this is not a backup of a phone")]
    NotABackup,
    /// From a later version of this app: use that.
    #[error("this backup was made by a newer version of this program")]
    Newer,
    /// Longer than any that is read.
    #[error("this is longer than a backup that can be read")]
    TooLong,
    /// An empty passphrase keeps nothing secret: ask for another, or for none.
    #[error("the passphrase is empty")]
    NoPassphrase,
    /// Ask again, or go on without one: then the passwords are left out.
    #[error("the passphrase is wrong, or the passwords in the backup were changed")]
    WrongPassphrase,
    /// Its passwords are locked in a way that is not known here. Without a passphrase, the rest is taken.
    #[error("the passwords in this backup are locked in a way that is not known here")]
    UnknownLock,
    /// A passphrase takes 64 MiB to work out. Ask the person to close other apps.
    #[error("there is not enough memory for the passphrase")]
    NoMemory,
    /// The file cannot be read or written.
    #[error("the file cannot be used: {sentence}")]
    File {
        /// What the system said.
        sentence: String,
    },
    /// The phone's own memory cannot be read or written.
    #[error("{sentence}")]
    Store {
        /// What it said.
        sentence: String,
    },
    /// A password cannot be had from the platform's store, or not be kept there. Where it is of a backup that was taken, the rest of
    /// it was: restored again, it brings the passwords.
    #[error("a password cannot be read or kept: {sentence}")]
    Secrets {
        /// What the platform said.
        sentence: String,
    },
    /// The phone was shut down: start a new one.
    #[error("the phone was shut down")]
    ShutDown,
}

/// Backups. None of these is quick: not for a thread that draws.
#[uniffi::export]
impl Phone {
    /// Writes all that is the person's to a file, which is replaced whole. With a passphrase the passwords of all accounts go with it,
    /// locked: whoever has both has them.
    ///
    /// # Errors
    /// [`BackupError`]: say so; an old file of that name is as it was.
    pub fn back_up(&self, path: String, passphrase: Option<String>) -> Result<BackupContents, BackupError> {
        self.require_open()?;
        let passphrase = passphrase.map(Secret::new);
        let secrets = match &passphrase {
            Some(_) => self.all_secrets()?,
            None => BTreeMap::new(),
        };
        let (mut salt, mut nonce) = ([0; 16], [0; 12]);
        let mut rng = offhook_io::clock::seeded()?;
        rng.fill(&mut salt);
        rng.fill(&mut nonce);
        let lock = passphrase.as_ref().map(|passphrase| Lock { passphrase, salt, nonce, secrets: &secrets });
        let now = offhook_io::clock::wall_millis();
        let database = self.remembered()?;
        let path = PathBuf::from(path);
        let new = beside(&path);
        let written = whole(&new, |file| Ok(database.back_up(now, lock.as_ref(), file)?));
        let contents = written.and_then(|contents| Ok(fs::rename(&new, path).map(|()| contents)?));
        let contents = contents.inspect_err(|_| drop(fs::remove_file(&new)))?;
        self.log.note("backed up");
        let count = |(part, records): (BackupPart, usize)| BackupCount { part, records: number(records) };
        Ok(BackupContents {
            parts: contents.records.into_iter().map(count).collect(),
            passwords: number(contents.passwords),
        })
    }

    /// What a backup would add to what is here; nothing is added. Show it, and ask.
    ///
    /// # Errors
    /// [`BackupError`]: show it. `WrongPassphrase`: ask again.
    pub fn preview_backup(
        &self,
        path: String,
        passphrase: Option<String>,
    ) -> Result<BackupReport, BackupError> {
        self.require_open()?;
        let backup = read(Path::new(&path))?;
        Ok(report(&self.handle.preview_restore(backup, passphrase.map(Secret::new))?))
    }

    /// Adds a backup to what is here. Its accounts begin at once, those whose passwords did not come with it by
    /// [`crate::Event::PasswordLost`]. Events of all that is another follow.
    ///
    /// # Errors
    /// [`BackupError`]: show it; but for `Secrets` nothing was taken.
    pub fn restore(&self, path: String, passphrase: Option<String>) -> Result<BackupReport, BackupError> {
        self.require_open()?;
        let backup = read(Path::new(&path))?;
        let restored = self.handle.restore(backup, passphrase.map(Secret::new))?;
        let report = report(&restored);
        let secrets = match restored.passwords {
            Unlocked::Secrets { of, .. } => of,
            Unlocked::None | Unlocked::Locked => BTreeMap::new(),
        };
        let taken = self.take_restored(secrets);
        self.log.note("a backup was restored");
        taken?;
        Ok(report)
    }
}

impl Phone {
    fn all_secrets(&self) -> Result<BTreeMap<AccountKey, BTreeMap<String, Secret<String>>>, PhoneError> {
        let store = self.store();
        let usable = store.accounts().iter().filter(|kept| kept.document.is_ok());
        usable
            .filter_map(|kept| {
                let secrets = store.secrets(kept.id).transpose()?;
                Some(secrets.map(|it| (AccountKey(kept.id.into()), it.to_map())))
            })
            .collect()
    }

    /// Accounts may be others: those that are new, and those whose secrets came, begin.
    fn take_restored(
        &self,
        secrets: BTreeMap<AccountKey, BTreeMap<String, Secret<String>>>,
    ) -> Result<(), PhoneError> {
        let mut store = self.store();
        let before = store.reach.clone();
        let mut to_give = store.read_anew(&self.handle)?;
        let mut trouble = Ok(());
        for (key, new) in secrets {
            let Ok(id) = u32::try_from(key.0) else { continue };
            // What is here stays.
            let here = store.secrets(id).ok().flatten().unwrap_or_default().to_map();
            let mut all = new;
            all.extend(here.clone());
            if all == here {
                continue;
            }
            match store.keep_secrets(id, &Secrets::of_map(&all)) {
                Ok(()) => to_give.push(id),
                Err(error) => trouble = Err(error.into()),
            }
        }
        to_give.sort_unstable();
        to_give.dedup();
        for id in to_give {
            // What cannot be used says why in the list.
            let _ = self.give(&store, id);
        }
        self.tell_reach(&store, &before);
        self.prefer(&store);
        drop(store);
        self.open_tills();
        self.tell_accounts();
        trouble
    }
}

/// Beside it, so that it can take its place at once.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// A file that is nobody else's, all of it on the disk.
fn whole<T>(path: &Path, write: impl FnOnce(&mut File) -> Result<T, BackupError>) -> Result<T, BackupError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let written = write(&mut file)?;
    file.sync_all()?;
    Ok(written)
}

fn read(path: &Path) -> Result<Vec<u8>, BackupError> {
    if fs::metadata(path)?.len() > LONGEST_BACKUP as u64 {
        return Err(BackupError::TooLong);
    }
    Ok(fs::read(path)?)
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn report(restored: &Restored) -> BackupReport {
    let tally = |(part, it): (&BackupPart, &Tally)| BackupTally {
        part: *part,
        taken: number(it.taken),
        same: number(it.same),
        kept: number(it.kept),
        orphaned: number(it.orphaned),
        bad: number(it.bad),
        beyond: number(it.beyond),
    };
    BackupReport {
        made_ms: restored.made,
        parts: restored.parts.iter().map(tally).collect(),
        passwords: match &restored.passwords {
            Unlocked::None => BackupPasswords::None,
            Unlocked::Locked => BackupPasswords::Locked,
            Unlocked::Secrets { of, withheld } => {
                BackupPasswords::Unlocked { accounts: number(of.len()), withheld: number(*withheld) }
            }
        },
    }
}

impl From<store::BackupError> for BackupError {
    fn from(error: store::BackupError) -> Self {
        match error {
            store::BackupError::NotABackup => Self::NotABackup,
            store::BackupError::Newer => Self::Newer,
            store::BackupError::TooLong => Self::TooLong,
            store::BackupError::NoPassphrase => Self::NoPassphrase,
            store::BackupError::WrongPassphrase => Self::WrongPassphrase,
            store::BackupError::UnknownLock => Self::UnknownLock,
            store::BackupError::NoMemory => Self::NoMemory,
            store::BackupError::Unwritten(error) => error.into(),
            store::BackupError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for BackupError {
    fn from(error: StoreError) -> Self {
        Self::Store { sentence: error.to_string() }
    }
}

impl From<io::Error> for BackupError {
    fn from(error: io::Error) -> Self {
        Self::File { sentence: error.to_string() }
    }
}

impl From<SecretError> for BackupError {
    fn from(error: SecretError) -> Self {
        Self::Secrets { sentence: error.to_string() }
    }
}

impl From<PhoneError> for BackupError {
    fn from(error: PhoneError) -> Self {
        match error {
            PhoneError::ShutDown => Self::ShutDown,
            PhoneError::Secrets { sentence } => Self::Secrets { sentence },
            other => Self::Store { sentence: other.to_string() },
        }
    }
}
