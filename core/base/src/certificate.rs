//! A certificate as people see it, and the fingerprint that a machine knows it by.
//!
//! Knows nothing of how one is read or judged.

use std::fmt;
use std::str::FromStr;

use crate::Secret;

/// The SHA-256 of a certificate. Reads with colons or spaces between its digits and without; shows as `AB:CD:...`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

/// What was read is no SHA-256: show the sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadFingerprint;

impl fmt::Display for BadFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fingerprint has 64 hexadecimal digits (SHA-256), with or without colons between")
    }
}

impl std::error::Error for BadFingerprint {}

impl FromStr for Fingerprint {
    type Err = BadFingerprint;

    fn from_str(text: &str) -> Result<Self, BadFingerprint> {
        let mut digits = text.chars().filter(|c| !matches!(c, ':' | ' '));
        let mut digit = || digits.next().and_then(|c| c.to_digit(16)).ok_or(BadFingerprint);
        let mut fingerprint = Self([0; 32]);
        for byte in &mut fingerprint.0 {
            *byte = (digit()? << 4 | digit()?) as u8;
        }
        if digits.next().is_some() { Err(BadFingerprint) } else { Ok(fingerprint) }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02X}", if at == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a server's certificate says of itself. Only the fingerprint is beyond doubt: the rest is what a stranger wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// What it is known by.
    pub fingerprint: Fingerprint,
    /// Whose it is: `CN=..., O=...`; empty where it does not say.
    pub subject: String,
    /// Who has signed it, or itself.
    pub issuer: String,
    /// The servers that it is for; the first few.
    pub names: Vec<String>,
    /// From when, as `2026-11-27 18:00:00 UTC`.
    pub not_before: String,
    /// Until when.
    pub not_after: String,
}

/// A certificate of ours, for servers that ask who connects. As DER, the own one first; the key as PKCS #8, PKCS #1 or SEC 1.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The own one, then those that lead to its authority.
    pub chain: Vec<Vec<u8>>,
    /// The private key of the first.
    pub key: Secret<Vec<u8>>,
}

/// Its length only.
impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientCertificate({} of them)", self.chain.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_reads_as_it_shows_and_as_tools_print_it() {
        let shown = Fingerprint(std::array::from_fn(|at| at as u8 * 7)).to_string();
        assert!(shown.starts_with("00:07:0E:") && shown.len() == 95);
        for text in [shown.clone(), shown.replace(':', ""), shown.to_lowercase(), shown.replace(':', " ")] {
            assert_eq!(text.parse::<Fingerprint>().unwrap().to_string(), shown);
        }
        for text in ["", "12:34", &"0g".repeat(32), &"0".repeat(65), &"é".repeat(32)] {
            assert_eq!(text.parse::<Fingerprint>(), Err(BadFingerprint), "{text}");
        }
    }
}
