//! What a phone remembers between two starts: its accounts, in one small file, and their passwords in the platform's store.
//!
//! The file is replaced whole, so that a phone that dies in the middle of it has the old one. Knows nothing of what an
//! account is for.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base::{Redacted, Secret};
use phone::{Learnt, Lifetime};
use serde::{Deserialize, Serialize};

use crate::AccountSettings;

/// Where the platform keeps secrets: Keystore, Keychain. Called from any thread, now and then; it may take its time.
#[uniffi::export(with_foreign)]
pub trait SecretStore: Send + Sync {
    /// The secret of that name; none if it was never put.
    ///
    /// # Errors
    /// `Lost`: there was one; `Unavailable`: perhaps later.
    fn get(&self, name: String) -> Result<Option<String>, SecretError>;
    /// Keeps a secret, in place of an older one.
    ///
    /// # Errors
    /// `Unavailable`: the user is asked again.
    fn put(&self, name: String, value: String) -> Result<(), SecretError>;
    /// Forgets a secret; one that never was is no error.
    ///
    /// # Errors
    /// `Unavailable`: it stays; no account refers to it.
    fn remove(&self, name: String) -> Result<(), SecretError>;
}

/// Why a secret cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum SecretError {
    /// What was kept is gone for good: the key was invalidated, the device restored.
    #[error("{sentence}")]
    Lost {
        /// For a person.
        sentence: String,
    },
    /// Not now: the device is locked, the store is busy.
    #[error("{sentence}")]
    Unavailable {
        /// For a person.
        sentence: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for SecretError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unavailable { sentence: error.reason }
    }
}

const FILE: &str = "accounts.json";

/// The file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Kept {
    /// The last id given out: an id is never used for a second account.
    last: u32,
    accounts: Vec<KeptAccount>,
    /// What was found out about networks.
    #[serde(default)]
    networks: Vec<KeptNetwork>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct KeptAccount {
    id: u32,
    settings: AccountSettings,
}

/// In seconds; a silence that never broke has none.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct KeptNetwork {
    identity: String,
    udp: (f64, Option<f64>),
    tcp: (f64, Option<f64>),
}

/// Networks remembered.
const MOST_NETWORKS: usize = 64;

/// The accounts of one phone.
pub(crate) struct Store {
    folder: PathBuf,
    secrets: Arc<dyn SecretStore>,
    kept: Kept,
}

impl Store {
    /// Reads what there is. A file that makes no sense is put aside, and the phone begins without accounts.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn open(folder: &Path, secrets: Arc<dyn SecretStore>) -> io::Result<Self> {
        let path = folder.join(FILE);
        let kept = match fs::read(&path) {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(kept) => kept,
                Err(_) => {
                    fs::rename(&path, path.with_extension("bad"))?;
                    Kept::default()
                }
            },
            Err(e) if e.kind() == io::ErrorKind::NotFound => Kept::default(),
            Err(e) => return Err(e),
        };
        Ok(Self { folder: folder.to_owned(), secrets, kept })
    }

    pub(crate) fn accounts(&self) -> impl Iterator<Item = (u32, &AccountSettings)> {
        self.kept.accounts.iter().map(|kept| (kept.id, &kept.settings))
    }

    pub(crate) fn get(&self, id: u32) -> Option<&AccountSettings> {
        self.accounts().find(|(it, _)| *it == id).map(|(_, settings)| settings)
    }

    /// The id that [`Self::put`] is to be given for a new account.
    pub(crate) fn next_id(&self) -> u32 {
        self.kept.last + 1
    }

    /// Keeps an account, in place of the older one of that id.
    ///
    /// # Errors
    /// It cannot be written, and everything is as it was.
    pub(crate) fn put(&mut self, id: u32, settings: AccountSettings) -> io::Result<()> {
        let mut kept = self.kept.clone();
        match kept.accounts.iter_mut().find(|kept| kept.id == id) {
            Some(kept) => kept.settings = settings,
            None => kept.accounts.push(KeptAccount { id, settings }),
        }
        kept.last = kept.last.max(id);
        self.write(kept)
    }

    /// Forgets an account and its password.
    ///
    /// # Errors
    /// It cannot be written, and everything is as it was.
    pub(crate) fn remove(&mut self, id: u32) -> io::Result<()> {
        let mut kept = self.kept.clone();
        kept.accounts.retain(|kept| kept.id != id);
        self.write(kept)?;
        self.forget_password(id);
        Ok(())
    }

    pub(crate) fn forget_password(&self, id: u32) {
        // One that cannot be forgotten now is of no account any more.
        let _ = self.secrets.remove(name(id));
    }

    /// The password of an account; none: it has none.
    pub(crate) fn password(&self, id: u32) -> Result<Option<Secret<String>>, SecretError> {
        Ok(self.secrets.get(name(id))?.map(Secret::new))
    }

    pub(crate) fn set_password(&self, id: u32, password: String) -> Result<(), SecretError> {
        self.secrets.put(name(id), password)
    }

    /// What was found out about networks, the one longest not heard of first.
    pub(crate) fn learnt(&self) -> impl Iterator<Item = Learnt> {
        let lifetime =
            |(held, broke): (f64, Option<f64>)| Lifetime { held: seconds(held), broke: broke.map(seconds) };
        self.kept.networks.iter().map(move |it| Learnt {
            identity: Redacted::new(it.identity.clone()),
            udp: lifetime(it.udp),
            tcp: lifetime(it.tcp),
        })
    }

    /// Keeps what was found out about a network.
    ///
    /// # Errors
    /// It cannot be written, and everything is as it was.
    pub(crate) fn learn(&mut self, learnt: &Learnt) -> io::Result<()> {
        let figures = |it: Lifetime| (it.held.as_secs_f64(), it.broke.map(|broke| broke.as_secs_f64()));
        let identity = learnt.identity.reveal().clone();
        let mut kept = self.kept.clone();
        kept.networks.retain(|it| it.identity != identity);
        if kept.networks.len() >= MOST_NETWORKS {
            kept.networks.remove(0);
        }
        kept.networks.push(KeptNetwork { identity, udp: figures(learnt.udp), tcp: figures(learnt.tcp) });
        self.write(kept)
    }

    fn write(&mut self, kept: Kept) -> io::Result<()> {
        let new = self.folder.join("accounts.new");
        let mut file = fs::File::create(&new)?;
        file.write_all(&serde_json::to_vec_pretty(&kept).map_err(io::Error::other)?)?;
        file.sync_all()?;
        fs::rename(new, self.folder.join(FILE))?;
        self.kept = kept;
        Ok(())
    }
}

/// Of a file that somebody may have written in.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default().min(Duration::from_hours(24))
}

fn name(id: u32) -> String {
    format!("account/{id}/password")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Transport;
    use crate::tests::Secrets;

    fn settings(number: &str) -> AccountSettings {
        AccountSettings {
            number: number.into(),
            server: "offhook.test".into(),
            proxy: String::new(),
            auth_user: String::new(),
            display_name: String::new(),
            transport: Transport::Tcp,
            register: true,
            ice: true,
            stun: String::new(),
            encryption: None,
        }
    }

    #[test]
    fn accounts_outlive_the_process_and_ids_are_not_used_twice() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = Arc::new(Secrets::default());
        let mut store = Store::open(folder.path(), secrets.clone()).unwrap();
        for number in ["1001", "1002"] {
            store.put(store.next_id(), settings(number)).unwrap();
        }
        store.set_password(2, "secret".into()).unwrap();
        store.remove(2).unwrap();
        let store = Store::open(folder.path(), secrets.clone()).unwrap();
        assert_eq!(store.accounts().collect::<Vec<_>>(), [(1, &settings("1001"))]);
        assert_eq!((store.next_id(), store.password(2).unwrap().is_none()), (3, true));
        let file = fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert!(!file.contains("secret"), "{file}");
    }

    #[test]
    fn what_was_found_out_about_networks_outlives_the_process_and_does_not_pile_up() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), Arc::new(Secrets::default())).unwrap();
        let udp = Lifetime { held: Duration::from_secs(95), broke: Some(Duration::from_millis(104_500)) };
        let of =
            |identity: String| Learnt { identity: Redacted::new(identity), udp, tcp: Lifetime::default() };
        for number in 0..100 {
            store.learn(&of(format!("network {number}"))).unwrap();
        }
        store.learn(&of("network 50".into())).unwrap();
        let store = Store::open(folder.path(), Arc::new(Secrets::default())).unwrap();
        assert_eq!(store.learnt().count(), MOST_NETWORKS);
        assert_eq!(store.learnt().last(), Some(of("network 50".into())));
    }

    #[test]
    fn what_cannot_be_written_is_not_half_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), Arc::new(Secrets::default())).unwrap();
        store.put(1, settings("1001")).unwrap();
        // A folder where the new file would go: root may write anywhere else.
        fs::create_dir(folder.path().join("accounts.new")).unwrap();
        assert!(store.put(2, settings("1002")).is_err() && store.remove(1).is_err());
        assert_eq!(store.accounts().collect::<Vec<_>>(), [(1, &settings("1001"))]);
        assert_eq!(store.next_id(), 2);
    }

    #[test]
    fn a_file_that_makes_no_sense_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "{\"last\":").unwrap();
        let store = Store::open(folder.path(), Arc::new(Secrets::default())).unwrap();
        assert_eq!(store.accounts().count(), 0);
        assert!(folder.path().join("accounts.bad").exists());
    }
}
