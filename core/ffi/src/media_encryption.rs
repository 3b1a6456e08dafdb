//! Whether an account's calls are encrypted, as the account screen has it.
//!
//! RFC 3711 for what encrypts, RFC 8643 for what "where the other side can" asks of it. Knows nothing of keys.

use serde::{Deserialize, Serialize};

/// That what is said is encrypted on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
pub enum MediaEncryption {
    /// Where the other side can, too; else the call goes in clear, and its view says so.
    Optional,
    /// Always: a call that cannot be encrypted does not come about, or ends, with a reason.
    Required,
}

/// How both sides come to the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
pub enum MediaKeys {
    /// The servers carry them, under TLS alone, and can read them: there at once.
    Sdes,
    /// Both phones agree on them between themselves; a call's sound begins a moment later.
    Dtls,
}
