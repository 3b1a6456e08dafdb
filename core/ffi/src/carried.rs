//! Accounts as earlier versions kept them, in a file of their own: read once, taken over by the database, and then gone.
//!
//! The database takes all of them at once and notes that it did, before the file goes: a phone that dies in between takes
//! nothing twice. What makes no sense is put aside, and the person told. Secrets stay where they are: [`crate::secrets`].

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use account::Document;
use account::words::{Pin, Text};
use offhook_io::Handle;
use offhook_io::store::{About, AccountKey, NewAccount, StoreError};
use serde::Deserialize;

use crate::account::{AccountSettings, Encryption, Transport};
use crate::certificate::chain_of_hex;
use crate::document::address;
use crate::learnt::{KeptNetwork, Networks};
use crate::media_encryption::{MediaEncryption, MediaKeys};
use crate::relay::RelaySettings;

const FILE: &str = "accounts.json";
/// The setting by which the database knows that it has them.
const TAKEN: &str = "accounts.json is taken over";

/// The file.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Carried {
    /// The last id that was given out.
    last: u32,
    accounts: Vec<Account>,
    /// What was found out about networks.
    #[serde(default)]
    networks: Vec<KeptNetwork>,
    /// It made no sense, and is here now.
    #[serde(skip)]
    aside: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Account {
    id: u32,
    settings: Settings,
    /// The certificate that the person has taken for the server's, by its SHA-256.
    #[serde(default)]
    pin: Option<String>,
    /// What its server is shown: certificates in hexadecimal.
    #[serde(default)]
    shown: Vec<String>,
}

/// What an account was set to.
#[derive(Debug, Deserialize)]
struct Settings {
    number: String,
    server: String,
    proxy: String,
    auth_user: String,
    display_name: String,
    transport: Transport,
    register: bool,
    #[serde(default = "yes")]
    ice: bool,
    #[serde(default)]
    stun: String,
    #[serde(default)]
    publish_presence: bool,
    #[serde(default)]
    encryption: Option<Encryption>,
    #[serde(default)]
    media_encryption: Option<MediaEncryption>,
    #[serde(default)]
    media_keys: Option<MediaKeys>,
    #[serde(default)]
    relays: Vec<RelaySettings>,
}

/// What an account that was kept before there was a choice does.
const fn yes() -> bool {
    true
}

/// The setting that said how an account's balance is asked for.
pub(crate) fn balance_name(id: u32) -> String {
    format!("balance/{id}")
}

/// The one that had what was told last.
pub(crate) fn balance_told_name(id: u32) -> String {
    format!("balance-told/{id}")
}

impl Carried {
    /// None: there is no such file.
    ///
    /// # Errors
    /// It cannot be read, or put aside.
    pub(crate) fn read(folder: &Path) -> io::Result<Option<Self>> {
        let path = folder.join(FILE);
        match fs::read(&path) {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(carried) => Ok(Some(carried)),
                Err(_) => Ok(Some(Self { aside: Some(put_aside(&path)?), ..Self::default() })),
            },
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Gives all of it to who keeps it now. A sentence for the person, where not all could be taken.
    ///
    /// # Errors
    /// It cannot be kept: the file is as it was.
    pub(crate) fn hand_over(
        self,
        folder: &Path,
        disk: &Handle,
        networks: &mut Networks,
    ) -> Result<Option<String>, StoreError> {
        if let Some(aside) = &self.aside {
            return Ok(Some(lost(aside)));
        }
        let known: Vec<_> = self.accounts.iter().filter_map(|it| Some((it.id, it.document()?))).collect();
        let all = known.len() == self.accounts.len();
        let of = |(id, document): (u32, Document)| {
            let (name, settings) = (address(&document), document.to_json());
            (AccountKey(id.into()), NewAccount { name, enabled: true, settings })
        };
        let accounts: Vec<_> = known.into_iter().map(of).collect();
        let last = AccountKey(self.last.into());
        networks.take_over(self.networks)?;
        disk.on_store(About::Rest, move |database| database.take_over_accounts(TAKEN, &accounts, last))?;
        let path = folder.join(FILE);
        if all {
            fs::remove_file(path)?;
            return Ok(None);
        }
        Ok(Some(lost(&put_aside(&path)?)))
    }
}

fn put_aside(path: &Path) -> io::Result<PathBuf> {
    let aside = path.with_extension("bad");
    fs::rename(path, &aside)?;
    Ok(aside)
}

fn lost(aside: &Path) -> String {
    format!("not all accounts could be read; what was kept of them is in {}", aside.display())
}

impl Account {
    fn document(&self) -> Option<Document> {
        let it = &self.settings;
        // Marks that nobody sees were taken then, and are not now.
        let seen = |text: &str| {
            let is_seen = |it: &char| it.to_string().parse::<Text>().is_ok();
            text.chars().filter(is_seen).collect::<String>()
        };
        let settings = AccountSettings {
            number: it.number.clone(),
            server: it.server.clone(),
            proxy: it.proxy.clone(),
            auth_user: seen(&it.auth_user),
            display_name: seen(&it.display_name),
            transport: it.transport,
            register: it.register,
            ice: it.ice,
            stun: it.stun.clone(),
            publish_presence: it.publish_presence,
            encryption: it.encryption,
            media_encryption: it.media_encryption,
            media_keys: it.media_keys,
            relays: it.relays.clone(),
            ..AccountSettings::default()
        };
        let document = settings.document(None).ok()?;
        let mut form = document.form().clone();
        form.tls_pin = self.pin.as_ref().and_then(|pin| pin.parse().ok()).map(Pin);
        form.tls_certificate = chain_of_hex(&self.shown).and_then(|chain| chain.parse().ok());
        Some(document.with(form).0)
    }
}
