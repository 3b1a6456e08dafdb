//! A phone's settings file.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

use super::nat::NatTable;
use super::parts::{
    Codecs, CountryName, Dtmf, Encryption, Gain, Later, SessionExpires, SipUri, Srtp, SrtpKeys, TransportName,
};

/// The file as it stands.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PhoneFile {
    pub(crate) data: Option<PathBuf>,
    pub(crate) bind: Option<SocketAddr>,
    pub(crate) account: Option<AccountTable>,
    #[serde(default)]
    pub(crate) audio: AudioTable,
    pub(crate) nat: Option<NatTable>,
    #[serde(rename = "balance")]
    _balance: Option<Later>,
}

/// `[account]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountTable {
    pub(crate) uri: Option<SipUri>,
    pub(crate) proxy: Option<SipUri>,
    pub(crate) auth_user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) register: Option<bool>,
    pub(crate) expires: Option<u32>,
    pub(crate) reliable_provisional: Option<ReliableName>,
    pub(crate) session_expires: Option<SessionExpires>,
    pub(crate) keepalive: Option<KeepaliveName>,
    pub(crate) networks: Option<NetworksName>,
    pub(crate) transport: Option<TransportName>,
    /// Certificates (PEM): the server's is one of these, or signed by one of these.
    pub(crate) tls_ca: Option<PathBuf>,
    /// The SHA-256 of the server's certificate.
    pub(crate) tls_pin: Option<String>,
    pub(crate) codecs: Option<Codecs>,
    pub(crate) dtmf: Option<Dtmf>,
    pub(crate) silence_suppression: Option<bool>,
    #[serde(rename = "encryption")]
    _encryption: Option<Encryption>,
    #[serde(rename = "vos")]
    _vos: Option<Later>,
    pub(crate) srtp: Option<Srtp>,
    pub(crate) srtp_keys: Option<SrtpKeys>,
    /// Keys may stand in the signalling though it is not under TLS.
    pub(crate) sdes_in_clear: Option<bool>,
    #[serde(rename = "caller_id")]
    _caller_id: Option<Later>,
}

/// Without the password, and so by hand.
impl std::fmt::Debug for AccountTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountTable").finish_non_exhaustive()
    }
}

/// `[audio]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AudioTable {
    pub(crate) play: Option<PathBuf>,
    pub(crate) record: Option<PathBuf>,
    pub(crate) device: Option<bool>,
    pub(crate) country: Option<CountryName>,
    pub(crate) echo_cancellation: Option<bool>,
    pub(crate) noise_suppression: Option<bool>,
    pub(crate) gain_control: Option<bool>,
    pub(crate) microphone_gain_db: Option<Gain>,
    pub(crate) loudspeaker_gain_db: Option<Gain>,
}

/// How the way to the registrar is kept open.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KeepaliveName {
    /// Found again within a minute, whatever happens to the registrar.
    Prompt,
    /// As few wakes as the network allows.
    Thrifty,
}

/// Which networks may be used.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NetworksName {
    Any,
    WifiOnly,
}

/// Reliable provisional responses. RFC 3262.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ReliableName {
    Off,
    Supported,
    Required,
}
