//! What a phone remembers between two starts: its accounts, in one small file, and their passwords in the platform's store.
//!
//! The file is replaced whole, so that a phone that dies in the middle of it has the old one. Knows nothing of what an
//! account is for.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base::{ClientCertificate, Fingerprint, Secret};
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use phone::{AccountId, Connection, Learnt, Lifetime, NetworkKey, Rung, Tampering};
use serde::{Deserialize, Serialize};

use crate::AccountSettings;
use crate::error::PhoneError;
use crate::relay::RelayPassword;

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
    /// The certificate that the person has taken for the server's, by its SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pin: Option<String>,
    /// What its server is shown: certificates in hexadecimal; their key is among the secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    shown: Vec<String>,
}

/// Lifetimes in seconds; a silence that never broke has none. Words of other versions are passed over.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct KeptNetwork {
    /// The network's key.
    #[serde(default)]
    network: String,
    /// What stood in the key's place once; never written.
    #[serde(default, skip_serializing)]
    identity: String,
    udp: (f64, Option<f64>),
    tcp: (f64, Option<f64>),
    #[serde(default)]
    carriers: Vec<(u32, String)>,
    #[serde(default)]
    router: Vec<String>,
    #[serde(default)]
    met: u32,
}

impl KeptNetwork {
    fn of(learnt: &Learnt) -> Self {
        let figures = |it: Lifetime| (it.held.as_secs_f64(), it.broke.map(|broke| broke.as_secs_f64()));
        let carriers = learnt.carriers.iter().map(|(account, rung)| (account.0, rung.word().into()));
        Self {
            network: learnt.network.to_string(),
            identity: String::new(),
            udp: figures(learnt.udp),
            tcp: figures(learnt.tcp),
            carriers: carriers.collect(),
            router: learnt.router.iter().map(|it| it.word().into()).collect(),
            met: learnt.met,
        }
    }

    fn learnt(&self) -> Option<Learnt> {
        let lifetime =
            |(held, broke): (f64, Option<f64>)| Lifetime { held: seconds(held), broke: broke.map(seconds) };
        let carriers = self.carriers.iter().filter_map(|(account, word)| {
            let rung = Rung::ALL.into_iter().find(|rung| rung.word() == word)?;
            Some((AccountId(*account), rung))
        });
        let does = |it: &Tampering| self.router.iter().any(|word| word == it.word());
        Some(Learnt {
            network: NetworkKey::read(&self.network)?,
            udp: lifetime(self.udp),
            tcp: lifetime(self.tcp),
            carriers: carriers.collect(),
            router: Tampering::ALL.into_iter().filter(does).collect(),
            met: self.met,
        })
    }
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
        let kept: Kept = match fs::read(&path) {
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
        let mut store = Self { folder: folder.to_owned(), secrets, kept };
        store.hide_identities();
        Ok(store)
    }

    /// A file of an earlier version names networks as the platform did.
    fn hide_identities(&mut self) {
        let mut kept = self.kept.clone();
        let mut named = kept.networks.iter_mut().filter(|it| !it.identity.is_empty()).peekable();
        if named.peek().is_none() {
            return;
        }
        for network in named {
            network.network = NetworkKey::of(&std::mem::take(&mut network.identity)).to_string();
        }
        self.kept = kept.clone();
        // If not now, then with the next change.
        let _ = self.write(kept);
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
            Some(kept) => {
                // Another server has another certificate.
                kept.pin = kept.pin.take().filter(|_| is_same(&kept.settings, &settings));
                kept.settings = settings;
            }
            None => kept.accounts.push(KeptAccount { id, settings, pin: None, shown: Vec::new() }),
        }
        kept.last = kept.last.max(id);
        self.write(kept)
    }

    /// How connections to the account's server are made.
    pub(crate) fn connection(&self, id: u32) -> Connection {
        let Some(kept) = self.kept.accounts.iter().find(|kept| kept.id == id) else {
            return Connection::default();
        };
        let pin = kept.pin.as_ref().and_then(|pin| pin.parse().ok());
        // A key that cannot be read is shown no more than one that never was: the server will say so.
        let key = || self.secrets.get(key_name(id)).ok().flatten().map(Secret::new);
        let key = if kept.shown.is_empty() { None } else { key() };
        let certificate = key.and_then(|key| {
            let chain = kept.shown.iter().map(|text| unhex(text)).collect::<Option<Vec<_>>>()?;
            Some(ClientCertificate { chain, key: Secret::new(unhex(key.expose())?) })
        });
        Connection { pin, certificate, ..Connection::default() }
    }

    /// Keeps what the account's server is shown, or forgets it.
    ///
    /// # Errors
    /// It cannot be kept; the account is as it was.
    pub(crate) fn set_certificate(
        &mut self,
        id: u32,
        shown: Option<&ClientCertificate>,
    ) -> Result<(), PhoneError> {
        if let Some(shown) = shown {
            self.secrets.put(key_name(id), HEXLOWER.encode(shown.key.expose()))?;
        }
        let mut kept = self.kept.clone();
        if let Some(account) = kept.accounts.iter_mut().find(|kept| kept.id == id) {
            account.shown =
                shown.map_or(Vec::new(), |it| it.chain.iter().map(|der| HEXLOWER.encode(der)).collect());
        }
        self.write(kept)?;
        if shown.is_none() {
            let _ = self.secrets.remove(key_name(id));
        }
        Ok(())
    }

    /// Whether the account is at the server that these settings name.
    pub(crate) fn is_at(&self, id: u32, settings: &AccountSettings) -> bool {
        self.get(id).is_some_and(|kept| is_same(kept, settings))
    }

    /// Keeps the certificate that the person has taken for that of the account's server.
    ///
    /// # Errors
    /// It cannot be written, and everything is as it was.
    pub(crate) fn trust(&mut self, id: u32, fingerprint: Fingerprint) -> io::Result<()> {
        let mut kept = self.kept.clone();
        if let Some(account) = kept.accounts.iter_mut().find(|kept| kept.id == id) {
            account.pin = Some(fingerprint.to_string());
        }
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
        let _ = self.secrets.remove(key_name(id));
        Ok(())
    }

    pub(crate) fn forget_password(&self, id: u32) {
        // One that cannot be forgotten now is of no account any more.
        let _ = self.secrets.remove(name(id));
        let _ = self.secrets.remove(name_of_relays(id));
    }

    /// The password of an account; none: it has none.
    pub(crate) fn password(&self, id: u32) -> Result<Option<Secret<String>>, SecretError> {
        Ok(self.secrets.get(name(id))?.map(Secret::new))
    }

    pub(crate) fn set_password(&self, id: u32, password: String) -> Result<(), SecretError> {
        self.secrets.put(name(id), password)
    }

    /// The passwords of an account's relays, as far as there are any and they can be had.
    pub(crate) fn relay_passwords(&self, id: u32) -> Result<Vec<RelayPassword>, SecretError> {
        let Some(kept) = self.secrets.get(name_of_relays(id))?.map(Secret::new) else {
            return Ok(Vec::new());
        };
        let kept: Vec<(String, String, String)> = serde_json::from_str(kept.expose()).unwrap_or_default();
        let of = |(server, user, password)| RelayPassword { server, user, password: Secret::new(password) };
        Ok(kept.into_iter().map(of).collect())
    }

    /// Keeps these, in place of all that there were.
    pub(crate) fn set_relay_passwords(&self, id: u32, all: &[RelayPassword]) -> Result<(), SecretError> {
        if all.is_empty() {
            return self.secrets.remove(name_of_relays(id));
        }
        let all: Vec<_> = all.iter().map(|it| (&it.server, &it.user, it.password.expose())).collect();
        let written = serde_json::to_string(&all)
            .map_err(|error| SecretError::Unavailable { sentence: error.to_string() })?;
        self.secrets.put(name_of_relays(id), written)
    }

    /// What was found out about networks, the one longest not heard of first.
    pub(crate) fn learnt(&self) -> impl Iterator<Item = Learnt> {
        self.kept.networks.iter().filter_map(KeptNetwork::learnt)
    }

    /// Keeps what was found out about a network.
    ///
    /// # Errors
    /// It cannot be written, and everything is as it was.
    pub(crate) fn learn(&mut self, learnt: &Learnt) -> io::Result<()> {
        let new = KeptNetwork::of(learnt);
        let mut kept = self.kept.clone();
        kept.networks.retain(|it| it.network != new.network);
        if kept.networks.len() >= MOST_NETWORKS {
            kept.networks.remove(0);
        }
        kept.networks.push(new);
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

/// Whether both name one server.
fn is_same(one: &AccountSettings, other: &AccountSettings) -> bool {
    let place = |it: &AccountSettings| {
        let host = it.number.rsplit_once('@').map(|(_, host)| host.to_owned());
        (host, it.server.clone(), it.proxy.clone())
    };
    place(one) == place(other)
}

/// Of a file that somebody may have written in.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default().min(Duration::from_hours(24))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()
}

fn key_name(id: u32) -> String {
    format!("account/{id}/client-key")
}

fn name(id: u32) -> String {
    format!("account/{id}/password")
}

/// All of them as one: a relay has no number that it keeps.
fn name_of_relays(id: u32) -> String {
    format!("account/{id}/relays")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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
            publish_presence: false,
            encryption: None,
            media_encryption: None,
            media_keys: None,
            relays: Vec::new(),
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
        let carriers = vec![(AccountId(1), Rung::Tls443), (AccountId(2), Rung::Tcp)];
        let router = [Tampering::Head, Tampering::Swallows].into();
        let of = |identity: String| Learnt {
            udp,
            carriers: carriers.clone(),
            router: BTreeSet::clone(&router),
            met: 3,
            ..Learnt::nothing(NetworkKey::of(&identity))
        };
        for number in 0..100 {
            store.learn(&of(format!("network {number}"))).unwrap();
        }
        store.learn(&of("network 50".into())).unwrap();
        let store = Store::open(folder.path(), Arc::new(Secrets::default())).unwrap();
        assert_eq!(store.learnt().count(), MOST_NETWORKS);
        assert_eq!(store.learnt().last(), Some(of("network 50".into())));
    }

    #[test]
    fn a_file_that_names_networks_is_read_and_names_them_no_longer() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        let old = r#"{"last":0,"accounts":[],"networks":[
            {"identity":"Ann's Wi-Fi","udp":[95.0,104.5],"tcp":[60.0,null]},
            {"network":"no key","udp":[1.0,null],"tcp":[1.0,null],"router":["whatever"]}]}"#;
        fs::write(&file, old).unwrap();
        let store = Store::open(folder.path(), Arc::new(Secrets::default())).unwrap();
        let seconds = Duration::from_secs_f64;
        let udp = Lifetime { held: seconds(95.0), broke: Some(seconds(104.5)) };
        let tcp = Lifetime { held: seconds(60.0), broke: None };
        let known = Learnt { udp, tcp, ..Learnt::nothing(NetworkKey::of("Ann's Wi-Fi")) };
        assert_eq!(store.learnt().collect::<Vec<_>>(), [known]);
        assert!(!fs::read_to_string(&file).unwrap().contains("Ann"));
    }

    #[test]
    fn the_certificate_of_a_server_is_kept_until_the_account_is_at_another() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Store::open(folder.path(), Arc::new(Secrets::default())).unwrap();
        let (mut store, fingerprint) = (open(), Fingerprint([7; 32]));
        store.put(1, settings("1001")).unwrap();
        assert_eq!(store.connection(1), Connection::default());
        store.trust(1, fingerprint).unwrap();
        store.put(1, AccountSettings { display_name: "Ann".into(), ..settings("1002") }).unwrap();
        assert_eq!(open().connection(1).pin, Some(fingerprint));
        store.put(1, AccountSettings { server: "other.test".into(), ..settings("1002") }).unwrap();
        assert_eq!(open().connection(1).pin, None);
    }

    #[test]
    fn a_certificate_of_ours_is_kept_with_its_key_among_the_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = Arc::new(Secrets::default());
        let open = || Store::open(folder.path(), secrets.clone()).unwrap();
        let mut store = open();
        store.put(1, settings("1001")).unwrap();
        let key = Secret::new(vec![0xbe, 0xef, 0, 1]);
        let shown = ClientCertificate { chain: vec![vec![0x30, 0xff], vec![7]], key };
        store.set_certificate(1, Some(&shown)).unwrap();
        assert_eq!(open().connection(1).certificate, Some(shown));
        let file = fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert!(file.contains("30ff") && !file.contains("beef"), "{file}");
        store.set_certificate(1, None).unwrap();
        assert_eq!((open().connection(1), secrets.get(key_name(1)).unwrap()), (Connection::default(), None));
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
