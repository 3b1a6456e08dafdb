//! An account as a document: read, written, previewed, and made into the phone's.
//!
//! A [`Document`] is JSON without secrets, which are its [`Secrets`]; together they make a [`phone::Account`]. A [`Proposal`]
//! is an account that somebody hands out, by a link or a QR code: shown first, taken only then. Knows no files, no sockets and
//! no stores.

mod asked;
mod document;
mod form;
mod made;
mod notice;
mod paths;
mod proposal;
mod purse;
mod secrets;
mod sip_uri;
mod web;
pub mod words;

pub use document::{BadField, Document, MAX_DOCUMENT, Unreadable, field};
pub use form::{
    CallerIdForm, Form, NatForm, PushForm, RelayForm, RuleForm, ServiceForm, SignerForm, StirForm, Stun,
    Turn, VosForm, server,
};
pub use made::{LONGEST_PRID, RelayService};
pub use notice::{About, Notice};
pub use proposal::{Answer, Link, Offered, Proposal, Surroundings, Unusable};
pub use purse::{
    AuthName, BalanceForm, BodyForm, CallBackForm, FormatName, MethodName, MinutesForm, TopUpForm, UnitName,
};
pub use secrets::{AskSecrets, Secrets};
