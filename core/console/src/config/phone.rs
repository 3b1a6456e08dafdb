//! A phone's settings file.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

use super::nat::NatTable;
use super::parts::{
    Codecs, CountryName, Dtmf, Encryption, Gain, SessionExpires, SipUri, Srtp, SrtpKeys, TransportName,
    VosSound, VosVersion,
};

/// The file as it stands.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PhoneFile {
    pub(crate) data: Option<PathBuf>,
    pub(crate) bind: Option<SocketAddr>,
    /// Where it is: `DE`. Which numbers are for emergencies.
    pub(crate) region: Option<String>,
    /// Callers who do not say who they are do not ring.
    #[serde(default)]
    pub(crate) refuse_anonymous: bool,
    pub(crate) account: Option<AccountTable>,
    #[serde(default)]
    pub(crate) audio: AudioTable,
    pub(crate) nat: Option<NatTable>,
    #[cfg(feature = "rest")]
    pub(crate) balance: Option<super::balance::BalanceTable>,
    #[cfg(not(feature = "rest"))]
    #[serde(rename = "balance")]
    _balance: Option<super::parts::Later>,
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
    /// Shown to a server that asks who connects (PEM), and its key.
    pub(crate) tls_certificate: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
    /// Where on the server its WebSocket is.
    pub(crate) ws_path: Option<String>,
    pub(crate) codecs: Option<Codecs>,
    pub(crate) dtmf: Option<Dtmf>,
    pub(crate) silence_suppression: Option<bool>,
    pub(crate) encryption: Option<Encryption>,
    pub(crate) vos: Option<VosTable>,
    pub(crate) srtp: Option<Srtp>,
    pub(crate) srtp_keys: Option<SrtpKeys>,
    /// Keys may stand in the signalling though it is not under TLS.
    pub(crate) sdes_in_clear: Option<bool>,
    pub(crate) caller_id: Option<CallerIdTable>,
    /// Whose signatures on callers' numbers are believed.
    #[serde(default)]
    pub(crate) stir_certificates: Vec<SignerTable>,
    /// Whether the provider is asked for messages that wait.
    pub(crate) voicemail: Option<bool>,
    /// Whether the provider is told whether one is free, for those who may know.
    pub(crate) publish_presence: Option<bool>,
    /// Who is to be watched.
    #[serde(default)]
    pub(crate) watch: Vec<String>,
    /// How its provider wants numbers.
    #[serde(default)]
    pub(crate) dial_plan: Vec<RuleTable>,
    /// Emergency calls may go by it.
    pub(crate) emergency: Option<bool>,
}

/// One rule of `dial_plan`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleTable {
    #[serde(default)]
    pub(crate) begins: String,
    pub(crate) fits: Option<String>,
    pub(crate) length: Option<[usize; 2]>,
    #[serde(default)]
    pub(crate) strip: usize,
    #[serde(default)]
    pub(crate) prefix: String,
    pub(crate) replace: Option<String>,
    #[serde(default)]
    pub(crate) go_on: bool,
}

/// `caller_id`: what the people called are to see.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallerIdTable {
    pub(crate) number: Option<String>,
    #[serde(default)]
    pub(crate) carry: Vec<CarryName>,
    #[serde(default)]
    pub(crate) hide: bool,
}

/// `stir_certificates`: one who signs for callers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignerTable {
    /// The certificate, PEM.
    pub(crate) file: std::path::PathBuf,
    /// The address that his signatures name; absent: any.
    pub(crate) url: Option<String>,
}

/// Where a number is said.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CarryName {
    FromUser,
    FromDisplay,
    Ppi,
    Pai,
    Rpid,
}

/// `vos` under `[account]`: what is not as VOS servers have it as a rule.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VosTable {
    pub(crate) id: Option<String>,
    pub(crate) key: Option<String>,
    #[serde(default)]
    pub(crate) media: VosSound,
    #[serde(rename = "version")]
    _version: Option<VosVersion>,
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
