//! The phone itself: accounts, registration, calls and their policy. SIP meets media here and only here.
//!
//! News in, orders out: [`Phone::handle`] takes one [`Input`] and hands out [`Output`]s; [`Phone::next_wake`] says when
//! it wants to be called again. Knows no clock, socket, thread, file or sound: whoever owns those (`io`, a test) tells
//! the news and carries out the orders.

mod account;
mod addresses;
mod alg;
mod blocked;
mod call;
mod commands;
mod conference;
mod desk;
mod dial;
mod identity;
mod ids;
mod info;
mod input;
mod keepalive;
pub mod negotiate;
mod network;
mod news;
mod output;
mod phone;
pub mod presence;
mod reason;
mod registration;
mod servers;
mod texts;
mod tones;
mod view;
mod voicemail;
mod vos;

pub use account::{
    Account, Config, Connection, DigitsBy, KeysBy, MediaEncryption, Nat, Push, Relay, RelayWay, Server,
};
pub use alg::{Gateway, Tampering};
pub use commands::MAX_TEXT;
pub use dial::{BadTarget, Target, dial, number_of, target};
pub use identity::{
    Anchors, Attest, BadAddress, CallerId, Carry, False, FetchId, Fetched, Identity, MAX_CERTIFICATES,
    NotHad, Passport, Place, Said, SeenAs, Signed, SignedBy, Signer, Stir, Unproven, Untrusted, Unusable,
    Verdict, Who, is_number,
};
pub use ids::{AccountId, CallId, CallIds, MediaId, MessageId};
pub use input::{Command, Input, MediaNews, With};
pub use keepalive::{Keepalive, Lifetime};
pub use media::dtmf::Keys;
pub use nat::path::Tcp;
pub use network::{Learnt, Network, NetworkKey, NetworkKind, NetworkNews, NetworkPolicy};
pub use numbers::Regions;
pub use output::{Event, Fetch, MediaOrder, Output, Outputs, Refusal, Subject, Via};
pub use phone::Phone;
pub use presence::{OwnPresence, Presence, PresenceState, WatchBy};
pub use reason::Why;
pub use registration::Rung;
pub use tones::Tone;
pub use view::{AccountState, AccountView, CallState, CallView, Encrypted, Side, Step, Transfer};
pub use voicemail::Voicemail;
pub use vos::{Dropped, Encryption, Vos, VosMedia};
