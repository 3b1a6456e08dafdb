//! A phone's settings file. Its account is read as every account's document is: by the crate `account`.

use std::net::SocketAddr;
use std::path::PathBuf;

use account::{Form, NatForm};
use serde::Deserialize;

use super::parts::{CountryName, Gain};

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
    /// Certificates and keys in it may be files' names.
    pub(crate) account: Option<Form>,
    #[serde(default)]
    pub(crate) audio: AudioTable,
    pub(crate) nat: Option<NatForm>,
    #[cfg(feature = "rest")]
    pub(crate) balance: Option<account::BalanceForm>,
    #[cfg(not(feature = "rest"))]
    #[serde(rename = "balance")]
    _balance: Option<super::parts::Later>,
}

impl PhoneFile {
    /// The account with what stands beside it in the file; the error is a sentence.
    pub(crate) fn take_account(&mut self) -> Result<Form, String> {
        let mut form = self.account.take().unwrap_or_default();
        if let Some(nat) = self.nat.take()
            && form.nat.replace(nat).is_some()
        {
            return Err("[nat] stands twice: beside [account] and in it".to_owned());
        }
        #[cfg(feature = "rest")]
        if let Some(balance) = self.balance.take()
            && form.balance.replace(balance).is_some()
        {
            return Err("[balance] stands twice: beside [account] and in it".to_owned());
        }
        Ok(form)
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
