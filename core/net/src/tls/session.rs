//! One session: clear bytes on one side, records on the other, over a stream that its owner keeps.
//!
//! Never waits: what cannot go on says `WouldBlock`, or what it waits for.

use std::fmt;
use std::io::{self, Read, Write};

use base::Untrusted;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, Connection, Error, HandshakeKind, ProtocolVersion, ServerConnection};

use super::judge::Refused;
use super::{Identity, Shake, Trusts, Unmade};

/// What a handshake may be long: the largest chains are a quarter of it.
const MOST_SHAKEN: usize = 64 * 1024;

/// Records that may wait for the network.
const MOST_WAITING: usize = 64 * 1024;

/// See the module.
pub struct Session {
    connection: Box<Connection>,
    /// Bytes of the handshake that came.
    came: usize,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({:?})", self.connection.protocol_version())
    }
}

impl Session {
    /// One with the server of that name, a domain or an address, begun by us.
    ///
    /// # Errors
    /// - [`Unmade`]: the name is none, or there is nobody to trust.
    pub fn toward(trusts: &Trusts, name: &str) -> Result<Self, Unmade> {
        let bare = name.trim_matches(['[', ']']).trim_end_matches('.');
        let server = ServerName::try_from(bare.to_owned());
        let server = server.map_err(|_| Unmade::Untrusted(Untrusted::Name, None))?;
        let config = trusts.of(bare).ok_or(Unmade::Untrusted(Untrusted::Issuer, None))?;
        let client = ClientConnection::new(config, server).map_err(|_| Unmade::Broken)?;
        Ok(Self::over(client.into()))
    }

    /// One that was begun by whoever connected to us.
    ///
    /// # Panics
    /// Never with an identity that was made.
    pub fn accepted(identity: &Identity) -> Self {
        let server = ServerConnection::new(identity.0.clone());
        Self::over(server.expect("the configuration was accepted when it was made").into())
    }

    fn over(mut connection: Connection) -> Self {
        connection.set_buffer_limit(Some(MOST_WAITING));
        Self { connection: Box::new(connection), came: 0 }
    }

    /// Goes on with the handshake as far as it goes now.
    ///
    /// # Errors
    /// - [`Unmade`]: close the stream; the other side has been told why, if it could be.
    pub fn shake(&mut self, io: &mut (impl Read + Write)) -> Result<Shake, Unmade> {
        loop {
            while self.connection.wants_write() {
                match self.connection.write_tls(io) {
                    Ok(0) => return Err(Unmade::Broken),
                    Ok(_) => {}
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(Shake::Write),
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return Err(Unmade::Broken),
                }
            }
            if !self.connection.is_handshaking() {
                return Ok(Shake::Done);
            }
            match self.connection.read_tls(io) {
                Ok(0) => return Err(Unmade::Broken),
                Ok(n) => self.came += n,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(Shake::Read),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Unmade::Broken),
            }
            let processed = self.connection.process_new_packets();
            if let Err(error) = processed {
                let _ = self.connection.write_tls(io); // the alert
                return Err(unmade(&error));
            }
            if self.came > MOST_SHAKEN {
                return Err(Unmade::Broken);
            }
        }
    }

    /// Reads clear bytes; 0 is the end.
    ///
    /// # Errors
    /// `WouldBlock` until more has come; anything else ends the session.
    pub fn read(&mut self, io: &mut impl Read, room: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.connection.reader().read(room) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
            self.connection.read_tls(io)?;
            self.connection.process_new_packets().map_err(io::Error::other)?;
        }
    }

    /// Takes clear bytes and writes of them what goes; says how many it took.
    ///
    /// # Errors
    /// `WouldBlock` when too much waits already; anything else ends the session.
    pub fn write(&mut self, io: &mut impl Write, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.connection.writer().write(bytes)?;
        match self.flush(io) {
            Err(e) if e.kind() != io::ErrorKind::WouldBlock => return Err(e),
            Ok(()) | Err(_) => {}
        }
        if taken == 0 && !bytes.is_empty() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(taken) }
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// `WouldBlock` while something still waits; anything else ends the session.
    pub fn flush(&mut self, io: &mut impl Write) -> io::Result<()> {
        while self.connection.wants_write() {
            if self.connection.write_tls(io)? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }

    /// Whether the handshake went on from an earlier session of the same server, and was a short one. RFC 8446 section 2.2.
    pub fn is_resumed(&self) -> bool {
        self.connection.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// Whether it is of the newer version, 1.3.
    pub fn is_tls13(&self) -> bool {
        self.connection.protocol_version() == Some(ProtocolVersion::TLSv1_3)
    }

    /// Whether nothing waits.
    pub fn is_flushed(&self) -> bool {
        !self.connection.wants_write()
    }

    /// Puts the goodbye behind what waits. RFC 8446 section 6.1.
    pub fn close(&mut self) {
        self.connection.send_close_notify();
    }
}

fn unmade(error: &Error) -> Unmade {
    match (Refused::of(error), error) {
        (Some(refused), _) => Unmade::Untrusted(refused.why, refused.certificate.clone().map(Box::new)),
        // It has not signed what it should have: it may be anybody's, and is not shown to be trusted.
        (None, Error::InvalidCertificate(_)) => Unmade::Untrusted(Untrusted::Issuer, None),
        (None, _) => Unmade::Broken,
    }
}
