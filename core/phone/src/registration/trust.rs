//! Whose certificate an account takes for its server's: the person is asked about one that nobody vouches for.
//!
//! RFC 5922 section 7 says whose it must be, and whoever owns the sockets judges it; here is what comes of a refusal. Nothing is
//! trusted without a word of the person, and then that one certificate is, by its fingerprint, until the person says otherwise.
//!
//! ```text
//!   Nothing --refused--> Shown, and the account fails --Command::Trust--> Pinned, and it registers
//!                                                           Pinned --another comes--> Shown (changed), and it fails
//! ```
//! Knows nothing of how a certificate is read.

use base::{Certificate, Fingerprint, Untrusted};

use super::Registration;
use crate::desk::Desk;
use crate::view::Step;
use crate::{Account, Connection, Event, Output, Refusal, Why, reason};

/// What was wrong with the server's certificates.
#[derive(Default)]
pub(super) struct Trust {
    /// Since it was last asked.
    now: Option<(Untrusted, Option<Certificate>)>,
    /// The one that the person was asked about, and why.
    shown: Option<(Fingerprint, Untrusted)>,
}

impl Trust {
    /// The server is asked anew.
    pub(super) fn begin_anew(&mut self) {
        self.now = None;
    }

    /// It was accepted, or needs none.
    pub(super) fn accepted(&mut self) {
        *self = Self::default();
    }
}

impl Registration {
    /// The server of that name has shown a certificate that is not accepted.
    pub(crate) fn untrusted(&mut self, name: &str, why: Untrusted, certificate: Option<&Certificate>) {
        if server(&self.account).eq_ignore_ascii_case(name) {
            self.trust.now = Some((why, certificate.cloned()));
        }
    }

    /// Why the account failed at that step, if it is for a certificate; then the person is asked about it, once.
    pub(super) fn refused_certificate(&mut self, at: Step, desk: &mut Desk) -> Option<Why> {
        let (why, certificate) = self.trust.now.take().filter(|_| at == Step::Reach)?;
        let told = reason::of_certificate(why);
        if let Some(certificate) = certificate {
            let shown = Some((certificate.fingerprint, why));
            if self.trust.shown != shown {
                self.trust.shown = shown;
                let certificate = Box::new(certificate);
                desk.event(Event::Certificate { account: self.id, certificate, why: told });
            }
        }
        Some(told)
    }

    /// The person says that the certificate is the server's.
    pub(crate) fn trust(&mut self, fingerprint: Fingerprint, desk: &mut Desk) -> Result<(), Refusal> {
        if self.trust.shown.is_none_or(|(shown, _)| shown != fingerprint) {
            return Err(Refusal::NotShown);
        }
        self.trust = Trust::default();
        self.account.connection.pin = Some(fingerprint);
        self.say_connection(desk);
        desk.event(Event::Trusted { account: self.id, fingerprint });
        self.start(desk);
        Ok(())
    }

    /// Says how connections to the server are made, before any is.
    pub(super) fn say_connection(&self, desk: &mut Desk) {
        let connection = self.account.connection.clone();
        if connection != Connection::default() {
            desk.queue.push_back(Output::Server { name: server(&self.account), connection });
        }
    }

    /// The settings are others now.
    pub(super) fn connection_changed(&mut self, before: &Account, desk: &mut Desk) {
        let (old, new) = (server(before), server(&self.account));
        if old == new && before.connection == self.account.connection {
            return;
        }
        self.trust = Trust::default();
        if before.connection != Connection::default() {
            desk.queue.push_back(Output::Server { name: old, connection: Connection::default() });
        }
        self.say_connection(desk);
    }

    /// The account is no more.
    pub(super) fn forget_connection(&self, desk: &mut Desk) {
        if self.account.connection != Connection::default() {
            let (name, connection) = (server(&self.account), Connection::default());
            desk.queue.push_back(Output::Server { name, connection });
        }
    }
}

/// The name that the server must prove: of the first hop. RFC 5922 section 7.3.
fn server(account: &Account) -> String {
    account.proxy.as_ref().unwrap_or(&account.uri).view().host.to_string()
}
