//! Signatures on who calls (STIR): read, made, and judged as far as the certificate goes that they are made by.
//!
//! RFC 8224 (the header field), RFC 8225 (the token), RFC 8588 (SHAKEN's levels), RFC 8946 (forwarded calls), RFC 8226
//! (certificates, and which numbers they are for). Certificates are given as bytes and the time as a number: nothing here
//! fetches one, or asks a clock. What a signature means for a call is `phone`'s to say.

pub mod address;
mod certificate;
mod chain;
mod claims;
mod numbers;
mod seal;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod token;

pub use address::{Address, BadAddress, Place};
pub use certificate::{Signer, Unusable};
pub use chain::{Anchors, Chain, Covers, Credential, Untrusted, Who};
pub use seal::Seal;
pub use token::{Attest, Party, Token, Unread};
