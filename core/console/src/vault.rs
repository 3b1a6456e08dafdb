//! The passwords of stored accounts: a console has no keystore, so they stand in a file beside the database, which never has
//! them, and which only its owner may read.
//!
//! `secrets.json`: `{ "ACCOUNT": { "NAME": "SECRET" } }`, by the accounts' keys in the database. What the names mean is for
//! whoever puts them there.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use base::Secret;
use offhook_io::store::{AccountKey, AccountSecrets};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Its name in the phone's folder.
const FILE: &str = "secrets.json";
/// Bytes of it, at most.
const LONGEST: u64 = 4 * 1024 * 1024;

/// The secrets of all accounts.
pub(crate) type Secrets = BTreeMap<AccountKey, AccountSecrets>;

/// Those of the phone with this folder; none is no error. The error is a sentence.
pub(crate) fn read(folder: &Path) -> Result<Secrets, String> {
    let path = folder.join(FILE);
    let failed = |why: &dyn std::fmt::Display| format!("{}: cannot be read: {why}", path.display());
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Secrets::new()),
        file => file.map_err(|error| failed(&error))?,
    };
    let length = file.metadata().map_err(|error| failed(&error))?.len();
    if length > LONGEST {
        return Err(failed(&"it is too long"));
    }
    // Of its whole size from the start: what grows leaves copies behind.
    let mut text = Secret::new(Vec::with_capacity(length as usize + 1));
    file.take(LONGEST).read_to_end(text.expose_mut()).map_err(|error| failed(&error))?;
    // Not why: a reader's errors quote what they read.
    let all: BTreeMap<i64, BTreeMap<String, Open>> =
        serde_json::from_slice(text.expose()).map_err(|_| failed(&"it is not as this program writes it"))?;
    let of = |secrets: BTreeMap<String, Open>| secrets.into_iter().map(|(name, it)| (name, it.0)).collect();
    Ok(all.into_iter().map(|(key, secrets)| (AccountKey(key), of(secrets))).collect())
}

/// Keeps these instead of those that were. Whole at once: a machine that dies in the middle has the old ones. The error is a
/// sentence.
pub(crate) fn write(folder: &Path, secrets: &Secrets) -> Result<(), String> {
    let path = folder.join(FILE);
    let of = |secrets: &AccountSecrets| -> BTreeMap<String, Open> {
        secrets.iter().map(|(name, it)| (name.clone(), Open(it.clone()))).collect()
    };
    let all: BTreeMap<i64, BTreeMap<String, Open>> =
        secrets.iter().map(|(key, secrets)| (key.0, of(secrets))).collect();
    write_private(&path, |file| {
        serde_json::to_writer(&mut *file, &all)?;
        file.write_all(b"\n")
    })
    .map_err(|error| format!("{}: cannot be written: {error}", path.display()))
}

/// Writes a file that only its owner may read, and puts it in the place of the old one when it is whole.
pub(crate) fn write_private<T, E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut File) -> Result<T, E>,
) -> Result<T, E> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&fresh)?;
    let written = write(&mut file).and_then(|written| {
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        Ok(written)
    });
    if written.is_err() {
        let _ = fs::remove_file(&fresh); // it is in nobody's way, but half a file
    }
    written
}

/// A secret as it stands in the file.
struct Open(Secret<String>);

impl Serialize for Open {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.expose().serialize(to)
    }
}

impl<'de> Deserialize<'de> for Open {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self(Secret::new(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_kept_where_only_their_owner_reads_and_come_back() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap(), Secrets::new());
        let one = AccountSecrets::from([("password".to_owned(), Secret::new("h\u{fc}sh \"1\"".to_owned()))]);
        let all = Secrets::from([(AccountKey(7), one)]);
        write(folder.path(), &Secrets::new()).unwrap();
        write(folder.path(), &all).unwrap();
        assert_eq!(read(folder.path()).unwrap(), all);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_makes_no_sense_is_told_without_its_words() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "{\"7\":{\"password\":{\"hush\":1}}}").unwrap();
        let error = read(folder.path()).unwrap_err();
        assert!(error.contains("secrets.json: cannot be read") && !error.contains("hush"), "{error}");
    }

    #[test]
    fn what_cannot_be_written_whole_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it");
        fs::write(&path, "old").unwrap();
        let failed: io::Result<()> = write_private(&path, |file| {
            file.write_all(b"ne")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
