//! How the demo's call is protected, and what that asks of the exchange and of the phones.
//!
//! RFC 5922 for the exchange's certificate, which is made for the moment and trusted by these two phones alone.

use std::net::SocketAddr;
use std::str::FromStr;

use exchange::server::{Addresses, ServerConfig};
use offhook_io::Trusts;
use phone::{Account, CallView, Encrypted, KeysBy, MediaEncryption, Vos, VosMedia};

use super::stage::LOOPBACK;
use crate::config::parts::NOT_IN_THIS_BUILD;
use crate::failure::Failure;

/// `--encryption`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// Everything in clear.
    #[default]
    None,
    /// Signalling sealed as VOS servers have it; `xor`: and sound disguised.
    Vos { xor: bool },
    /// Signalling under TLS.
    Tls,
    /// That, and media by keys in the signalling, or no call.
    Sdes,
    /// Media by keys that both sides agree on between themselves, or no call; signalling in clear.
    Dtls,
}

/// Its words.
const WORDS: [(&str, Encryption); 6] = [
    ("none", Encryption::None),
    ("vos", Encryption::Vos { xor: false }),
    ("vos-xor", Encryption::Vos { xor: true }),
    ("tls", Encryption::Tls),
    ("sdes", Encryption::Sdes),
    ("dtls", Encryption::Dtls),
];

impl FromStr for Encryption {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        let known = WORDS.iter().find(|(word, _)| *word == given).map(|(_, encryption)| *encryption);
        match known {
            Some(encryption) if encryption.is_under_tls() && !cfg!(feature = "tls") => {
                Err(format!("`{given}` is {NOT_IN_THIS_BUILD}"))
            }
            Some(encryption) => Ok(encryption),
            None => Err(format!("`{given}` is unknown; known are none, vos, vos-xor, tls, sdes, dtls")),
        }
    }
}

impl Encryption {
    /// Whether signalling goes by TLS.
    pub(crate) const fn is_under_tls(self) -> bool {
        match self {
            Self::None | Self::Vos { .. } | Self::Dtls => false,
            Self::Tls | Self::Sdes => true,
        }
    }

    /// What each side's view of the call is to say.
    pub(crate) const fn expected(self) -> Encrypted {
        match self {
            Self::None | Self::Vos { xor: false } | Self::Tls => Encrypted::None,
            Self::Vos { xor: true } => Encrypted::VosXor,
            Self::Sdes => Encrypted::Sdes,
            Self::Dtls => Encrypted::Dtls,
        }
    }

    /// Sets up an account.
    pub(crate) fn set(self, account: &mut Account) {
        match self {
            Self::None | Self::Tls => {}
            Self::Vos { xor } => {
                let media = if xor { VosMedia::Xor } else { VosMedia::Plain };
                account.encryption = phone::Encryption::Vos(Vos { media, ..Vos::default() });
            }
            Self::Sdes | Self::Dtls => {
                let by = if self == Self::Sdes { KeysBy::Sdes } else { KeysBy::Dtls };
                (account.media_encryption, account.media_encryption_by) = (MediaEncryption::Required, by);
            }
        }
    }

    /// Where of the exchange the phones go.
    pub(crate) const fn exchange_of(self, at: &Addresses) -> Option<SocketAddr> {
        match self {
            Self::None | Self::Dtls => at.udp,
            Self::Vos { .. } => at.vos,
            Self::Tls | Self::Sdes => at.tls,
        }
    }

    /// Whether a call is protected as it should be.
    pub(crate) fn is_met(self, call: &CallView) -> bool {
        call.encrypted == self.expected()
    }

    /// Looks at a call that is up.
    pub(crate) fn check(self, call: &CallView) -> Result<(), Failure> {
        if self.is_met(call) {
            return Ok(());
        }
        let (is, wanted) = (call.encrypted.word(), self.expected().word());
        Err(Failure::Failed(format!("the call is encrypted by {is}, and should be by {wanted}")))
    }

    /// Sets up the exchange, whose files go to `folder`; and whom the phones trust.
    #[cfg(feature = "tls")]
    pub(crate) fn set_exchange(
        self,
        config: &mut ServerConfig,
        folder: &std::path::Path,
    ) -> Result<Trusts, Failure> {
        let mut trusts = Trusts::default();
        self.listen(config);
        if !self.is_under_tls() {
            return Ok(trusts);
        }
        let failed =
            |what: &dyn std::fmt::Display| Failure::Failed(format!("the exchange's certificate: {what}"));
        let made =
            rcgen::generate_simple_self_signed(vec![LOOPBACK.to_string()]).map_err(|error| failed(&error))?;
        let files = exchange::server::TlsFiles {
            certificate: folder.join("exchange.pem"),
            key: folder.join("exchange.key"),
        };
        let pem = made.cert.pem();
        std::fs::write(&files.certificate, &pem)
            .and_then(|()| std::fs::write(&files.key, made.signing_key.serialize_pem()))
            .map_err(|error| failed(&error))?;
        config.tls = Some(files);
        config.listen.tls = Some((LOOPBACK, 0).into());
        let trust = offhook_io::Trust::authority(pem.as_bytes()).map_err(|error| failed(&error))?;
        trusts.set(&LOOPBACK.to_string(), trust);
        Ok(trusts)
    }

    /// Nothing to set up.
    #[cfg(not(feature = "tls"))]
    pub(crate) fn set_exchange(
        self,
        config: &mut ServerConfig,
        _: &std::path::Path,
    ) -> Result<Trusts, Failure> {
        self.listen(config);
        Ok(Trusts::default())
    }

    fn listen(self, config: &mut ServerConfig) {
        if let Self::Vos { .. } = self {
            config.listen.vos = Some((LOOPBACK, 0).into());
        }
    }
}
