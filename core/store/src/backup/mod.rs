//! All that is the person's as one JSON document (RFC 8259), and what such a document adds to what is here.
//!
//! ```text
//! { "format": "offhook backup", "version": 1, "made": 1700000000000,
//!   "accounts":   [{ "id": 1, "name": "Work", "enabled": true, "default": true, "settings": {...} }],
//!   "settings":   [{ "name": "region", "value": "DE" }],
//!   "contacts":   [{ "key": "...", "names": ["Ann"], "numbers": [{ "text": "...", "kind": "work", "normal": "+49..." }],
//!                    "favourite": true, "groups": ["Family"] }],
//!   "marks":      [{ "source": "device", "key": "...", "favourite": true, "groups": [] }],
//!   "speed_dial": [{ "digit": 2, "number": "..." }],
//!   "blocked":    [{ "number": "...", "since": 1700000000000 }],
//!   "calls":      [{ ... }],                                            the oldest first
//!   "messages":   [{ ... }],                                            the oldest first
//!   "drafts":     [{ "account": 1, "number": "...", "text": "...", "at": 1700000000000 }],
//!   "passwords":  { "kdf": "argon2id", ... } }                          only if asked for: `seal` has the words
//! ```
//!
//! `marks` is what the person has marked of contacts that are not theirs. Left out: contacts of other sources, pictures and
//! recordings, which are files of this device, and calls that are not over. A reader passes over names that it does not know;
//! `version` goes up when that is not enough. The passwords come from the caller and go to the caller.

mod merge;
mod read;
mod records;
mod seal;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::io;

use base::Secret;

use crate::{AccountKey, Millis, StoreError};

/// What the document says that it is.
const FORMAT: &str = "offhook backup";
/// Of this form.
const VERSION: u64 = 1;
/// Bytes of a document that is read, at most.
pub const LONGEST_BACKUP: usize = 128 * 1024 * 1024;

/// The secrets of one account, by names that the caller gives them.
pub type AccountSecrets = BTreeMap<String, Secret<String>>;

/// How secrets go into a backup.
pub struct Lock<'a> {
    /// What opens it again: whoever has both has the secrets.
    pub passphrase: &'a Secret<String>,
    /// Random, and another for each backup.
    pub salt: [u8; 16],
    /// Random, and another for each backup.
    pub nonce: [u8; 12],
    /// What is locked in; of accounts that are here.
    pub secrets: &'a BTreeMap<AccountKey, AccountSecrets>,
}

impl fmt::Debug for Lock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").finish_non_exhaustive()
    }
}

/// A part of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "as in the document")]
pub enum Part {
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

impl Part {
    /// All of them, in the order of the document.
    pub const ALL: [Self; 9] = [
        Self::Accounts,
        Self::Settings,
        Self::Contacts,
        Self::Marks,
        Self::SpeedDial,
        Self::Blocked,
        Self::Calls,
        Self::Messages,
        Self::Drafts,
    ];

    /// Its name in the document.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Settings => "settings",
            Self::Contacts => "contacts",
            Self::Marks => "marks",
            Self::SpeedDial => "speed_dial",
            Self::Blocked => "blocked",
            Self::Calls => "calls",
            Self::Messages => "messages",
            Self::Drafts => "drafts",
        }
    }

    /// Records that are read, at most.
    const fn most(self) -> usize {
        match self {
            Self::Accounts => crate::accounts::MOST,
            Self::Settings | Self::SpeedDial => 1_000,
            Self::Contacts | Self::Marks => 200_000,
            Self::Blocked | Self::Drafts => 20_000,
            Self::Calls | Self::Messages => 1_000_000,
        }
    }
}

/// What a backup holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackedUp {
    /// Records of each part.
    pub records: BTreeMap<Part, usize>,
    /// Accounts whose secrets are locked in.
    pub passwords: usize,
}

/// What became of the records of one part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Added to what is here.
    pub taken: usize,
    /// Here already, and the same.
    pub same: usize,
    /// Not taken: another one is here in its place, which stays.
    pub kept: usize,
    /// Not taken: what it belongs to (an account, a contact of the device) is not here.
    pub orphaned: usize,
    /// Not taken: it makes no sense, or holds a secret in clear.
    pub bad: usize,
    /// Not taken: there are more than is read, or than there is room for.
    pub beyond: usize,
}

impl Tally {
    /// Whether anything is not here now that the document has.
    pub const fn is_whole(&self) -> bool {
        self.kept == 0 && self.orphaned == 0 && self.bad == 0 && self.beyond == 0
    }
}

/// `3 taken, 1 here already`.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} taken", self.taken)?;
        for (count, why) in [
            (self.same, "here already"),
            (self.kept, "not, as there is another one here"),
            (self.orphaned, "not, as what they belong to is not here"),
            (self.bad, "not understood"),
            (self.beyond, "too many"),
        ] {
            if count > 0 {
                write!(f, ", {count} {why}")?;
            }
        }
        Ok(())
    }
}

/// What became of the secrets in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unlocked {
    /// It has none.
    None,
    /// It has some, and there was no passphrase.
    Locked,
    /// They are the caller's to keep now, each under its account's key here.
    Secrets {
        /// By account.
        of: BTreeMap<AccountKey, AccountSecrets>,
        /// Accounts whose secrets are not given: they were not taken, or are set otherwise than when they were locked in,
        /// so that a password might go to somebody else.
        withheld: usize,
    },
}

/// What a document has added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// When the backup was made, as it says.
    pub made: Millis,
    /// What became of each part.
    pub parts: BTreeMap<Part, Tally>,
    /// What became of its secrets.
    pub passwords: Unlocked,
}

/// There is no backup, or nothing of it was taken. Each is a sentence for a person.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Some other file.
    #[error("this is not a backup of a phone")]
    NotABackup,
    /// From a later version of this program: use that.
    #[error("this backup was made by a newer version of this program")]
    Newer,
    /// Longer than any that is read.
    #[error("this is longer than a backup that can be read")]
    TooLong,
    /// Called wrongly: an empty passphrase keeps nothing secret.
    #[error("the passphrase is empty")]
    NoPassphrase,
    /// Ask the person again, or restore without one: then the passwords are left out.
    #[error("the passphrase is wrong, or the passwords in the backup were changed")]
    WrongPassphrase,
    /// Its passwords are locked in a way that is not known here. Restored without a passphrase, the rest is taken.
    #[error("the passwords in this backup are locked in a way that is not known here")]
    UnknownLock,
    /// A passphrase takes 64 MiB to work out. Close other things and try again.
    #[error("there is not enough memory for the passphrase")]
    NoMemory,
    /// Where it goes takes no more.
    #[error("the backup cannot be written: {0}")]
    Unwritten(#[from] io::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for BackupError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}
