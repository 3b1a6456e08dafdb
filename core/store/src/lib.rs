//! What a phone remembers: its accounts and settings, the log of its calls, its messages and its phone book, in one
//! SQLite file.
//!
//! A [`Store`] is one connection to the file; a [`Keeper`] is a thread that writes by one of its own, so that nobody waits
//! for a disk. Whoever reads opens another: readers and the writer do not hold each other up (SQLite's write-ahead log).
//! Times are milliseconds of the wall clock since 1970, told by the caller. Knows no SIP, and no secrets: those are the
//! platform's to keep.

mod accounts;
mod backup;
mod caller;
mod calls;
mod document;
mod drafts;
mod export;
mod file;
mod groups;
mod keeper;
mod messages;
mod migrations;
mod people;
mod salvage;
mod search;
mod settings;
#[cfg(test)]
mod tests;

pub use accounts::{AccountChange, AccountKey, AccountRow, NewAccount};
pub use backup::{
    AccountSecrets, BackedUp, BackupError, LONGEST_BACKUP, Lock, Part, Restored, Tally, Unlocked,
};
pub use calls::{CUT_OFF, CallFacts, CallKey, CallRow, Direction, Forget, Missed, NewCall, Remote};
pub use drafts::Draft;
pub use export::Format;
pub use file::{Opened, Store, StoreError};
pub use groups::{Group, Groups};
pub use keeper::{About, Change, Keeper, Notice};
pub use messages::{Delivery, MessageKey, MessageRow, NewMessage, Thread};
pub use people::{Kept, OWN};
pub use salvage::Salvaged;
pub use search::{Filter, Kind, Page};

/// The file's name in a phone's folder.
pub const FILE: &str = "phone.db";

/// Milliseconds of the wall clock since 1970.
pub type Millis = i64;
