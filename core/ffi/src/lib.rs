//! The one door to the phone for Kotlin and Swift.
//!
//! ```text
//!  app   --commands-->  Phone  ---->  io's threads
//!        <--events----  wait_event (one thread of the app pulls)
//! ```
//! * **Commands** are synchronous and quick. They queue and return; an `Err` means that the app called wrongly, and what
//!   the world says comes as an event.
//! * **Events** are of two kinds. *State* ([`CallView`], [`AccountView`], [`WakeAt`]) is a whole picture with a revision: show
//!   the newest, those between may be missing. *Moments* (a text message, a digit) come once each and are never dropped.
//! * **Foreign traits** stand only where the platform owns the thing: [`SecretStore`], [`SocketBinder`].
//! * A panic ends at its thread's edge: it becomes [`Event::Restarted`], and the phone begins anew from its store.
//!
//! Times are milliseconds since boot, sleep included: Android's `SystemClock.elapsedRealtime()`, Apple's
//! `mach_continuous_time`. What is remembered has times of the wall clock, milliseconds since 1970, and says so. What is read
//! from there or written to it (the call log, contacts, messages) waits for a disk: not on a thread that draws. Decides nothing: what a call may do is `phone`'s, what an app shows is the app's.

mod account;
mod accounts;
#[cfg(target_os = "android")]
mod android;
mod backup;
mod balance;
mod caller;
mod carried;
mod certificate;
mod commands;
mod contacts;
mod document;
mod error;
mod event;
mod history;
mod identity;
mod learnt;
mod log;
mod media_encryption;
mod messages;
mod money;
mod network;
mod numbers;
mod phone;
mod presence;
mod provision;
mod push;
mod qr;
mod reach;
mod relay;
mod secrets;
mod standing;
mod store;
#[cfg(feature = "testing")]
mod testing;
#[cfg(test)]
mod tests;
mod view;
mod way;
mod why;

pub use ::phone::{Carry, OwnPresence, PresenceState};
pub use account::{
    AccountSettings, CallerIdSettings, DialRule, Encryption, KeypadBy, NetworkLimit, Transport,
};
pub use accounts::{AccountInfo, codecs};
pub use backup::{
    BackupContents, BackupCount, BackupError, BackupPart, BackupPasswords, BackupReport, BackupTally,
};
pub use balance::{Balance, BalanceField, BalanceFormat, BalanceSettings, BalanceSign};
pub use caller::{Attest, CallerIdentity, CallerSignature, Said, Verdict, caller_verdict};
pub use commands::{Decline, why_sentence};
pub use contacts::{
    Contact, ContactGroup, ContactHit, ContactNumber, DeviceContact, FoundIn, ImportedContacts, SpeedDial,
    TextRange,
};
pub use error::{BadSetting, BadTarget, Field, PhoneError, Refused, StartError};
pub use event::{Event, Subject, WakeAt};
pub use history::{CallFilter, CallGroup, CallGroups, CallRecord, ExportFormat, ForgetCalls, WhichCalls};
pub use log::LogLine;
pub use media_encryption::{MediaEncryption, MediaKeys};
pub use messages::{Delivered, MessageDraft, MessageRecord, MessageThread};
pub use money::{Came, MoneyOffers};
pub use network::{Network, NetworkKind, SocketBinder};
pub use numbers::{CardNumber, NumberFrom, OwnNumber, PlanStep, TypedNumber};
pub use phone::{Audio, Phone, PhoneConfig};
pub use presence::WatchedFavourite;
pub use provision::{About, Proposal, ProposalError, ProposalLine, Proposed};
pub use push::Announced;
pub use qr::read_qr;
pub use reach::Reach;
pub use relay::RelaySettings;
pub use secrets::{SecretError, SecretStore};
pub use view::{
    AccountState, AccountView, CallState, CallView, Encrypted, Quality, QualityPoint, Side, Step,
    TransferState,
};
pub use way::Reached;
pub use why::Why;

uniffi::setup_scaffolding!("offhook");
