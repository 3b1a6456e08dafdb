//! TLS as it is in a build without it: it cannot be had.

use std::io::{self, Read, Write};

use base::{ClientCertificate, Fingerprint};

use super::{Shake, Unmade, Unusable};

/// Who is trusted for what: nobody.
#[derive(Clone, Debug, Default)]
pub struct Trusts(Authorities);

/// Whom accounts trust: nobody.
#[derive(Clone, Debug, Default)]
pub struct Authorities(());

impl Authorities {
    /// By that account the servers of those names are trusted by this.
    pub fn set(&self, _: u32, _: &[String], trust: Option<Trust>) {
        if let Some(trust) = trust {
            match trust {}
        }
    }
}

impl Trusts {
    /// Says whom to trust for the server of that name.
    pub fn set(&mut self, _: &str, trust: Trust) {
        match trust {}
    }

    /// Where accounts say whom they trust.
    pub fn authorities(&self) -> &Authorities {
        &self.0
    }

    /// Says what an account knows of the server of that name.
    ///
    /// # Errors
    /// - [`Unusable::NotInThisBuild`]
    pub fn know(
        &mut self,
        _: &str,
        pin: Option<Fingerprint>,
        shown: Option<&ClientCertificate>,
    ) -> Result<(), Unusable> {
        if pin.is_none() && shown.is_none() { Ok(()) } else { Err(Unusable::NotInThisBuild) }
    }
}

/// Whom to trust.
#[derive(Clone, Debug)]
pub enum Trust {}

impl Trust {
    /// Whoever one of these certificates has signed.
    ///
    /// # Errors
    /// - [`Unusable::NotInThisBuild`]
    pub fn authority(_: &[u8]) -> Result<Self, Unusable> {
        Err(Unusable::NotInThisBuild)
    }
}

/// Reads certificates of ours and their key.
///
/// # Errors
/// - [`Unusable::NotInThisBuild`]
pub fn client_certificate(_: &[u8], _: &[u8]) -> Result<ClientCertificate, Unusable> {
    Err(Unusable::NotInThisBuild)
}

/// Who a server is.
#[derive(Clone, Debug)]
pub enum Identity {}

impl Identity {
    /// Reads certificates and a key.
    ///
    /// # Errors
    /// - [`Unusable::NotInThisBuild`]
    pub fn from_pem(_: &[u8], _: &[u8]) -> Result<Self, Unusable> {
        Err(Unusable::NotInThisBuild)
    }
}

/// One session.
#[derive(Debug)]
pub enum Session {}

#[expect(missing_docs, clippy::missing_errors_doc, reason = "none of these can be called")]
impl Session {
    pub fn toward(_: &Trusts, _: &str) -> Result<Self, Unmade> {
        Err(Unmade::Broken)
    }

    pub fn accepted(identity: &Identity) -> Self {
        match *identity {}
    }

    pub fn shake(&mut self, _: &mut (impl Read + Write)) -> Result<Shake, Unmade> {
        match *self {}
    }

    pub fn read(&mut self, _: &mut impl Read, _: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }

    pub fn write(&mut self, _: &mut impl Write, _: &[u8]) -> io::Result<usize> {
        match *self {}
    }

    pub fn flush(&mut self, _: &mut impl Write) -> io::Result<()> {
        match *self {}
    }

    pub fn is_resumed(&self) -> bool {
        match *self {}
    }

    pub fn is_tls13(&self) -> bool {
        match *self {}
    }

    pub fn is_flushed(&self) -> bool {
        match *self {}
    }

    pub fn close(&mut self) {
        match *self {}
    }
}
