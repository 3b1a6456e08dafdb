//! Settings that belong to no account: a JSON document under each name, which only its owner understands.
//!
//! The same rule as for accounts: no secrets.

use rusqlite::{OptionalExtension as _, params};

use crate::{Store, StoreError, document};

/// Bytes of a name, at most.
const LONGEST_NAME: usize = 200;

impl Store {
    /// What is kept under a name.
    ///
    /// # Errors
    /// - [`StoreError`]: it could not be read.
    pub fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        let mut ask = self.connection.prepare_cached("SELECT value FROM setting WHERE name = ?1")?;
        Ok(ask.query_row([name], |row| row.get(0)).optional()?)
    }

    /// All names with what is kept under them, by name.
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read.
    pub fn settings(&self) -> Result<Vec<(String, String)>, StoreError> {
        let mut ask = self.connection.prepare_cached("SELECT name, value FROM setting ORDER BY name")?;
        Ok(ask.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
    }

    /// Keeps a JSON document under a name; `None`: nothing from now on.
    ///
    /// # Errors
    /// - [`StoreError::NotJson`], [`StoreError::Secret`], [`StoreError::TooMuch`]: of the document or its name.
    /// - [`StoreError`]: nothing was stored.
    pub fn set_setting(&self, name: &str, value: Option<&str>) -> Result<(), StoreError> {
        let Some(value) = value else {
            self.connection.prepare_cached("DELETE FROM setting WHERE name = ?1")?.execute([name])?;
            return Ok(());
        };
        if name.len() > LONGEST_NAME {
            return Err(StoreError::TooMuch("the name of a setting has at most 200 bytes"));
        }
        document::check_named(name, value)?;
        let mut put = self.connection.prepare_cached(
            "INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
        )?;
        put.execute(params![name, value])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Opened;

    #[test]
    fn a_setting_is_json_under_a_name_and_never_a_secret() {
        let folder = tempfile::tempdir().unwrap();
        let Opened { store, .. } = Store::open(&folder.path().join("phone.db")).unwrap();
        store.set_setting("region", Some("\"DE\"")).unwrap();
        store.set_setting("audio", Some("{\"gain\": -2.50}")).unwrap();
        store.set_setting("region", Some("\"AT\"")).unwrap();
        assert_eq!(store.setting("region").unwrap().as_deref(), Some("\"AT\""));
        let all = [("audio", "{\"gain\": -2.50}"), ("region", "\"AT\"")];
        assert_eq!(store.settings().unwrap(), all.map(|(name, value)| (name.to_owned(), value.to_owned())));
        store.set_setting("audio", None).unwrap();
        assert_eq!(store.setting("audio").unwrap(), None);
        for (name, value) in [("relay", "{\"password\":\"x\"}"), ("relay_password", "\"x\"")] {
            assert!(matches!(store.set_setting(name, Some(value)), Err(StoreError::Secret(_))), "{name}");
        }
        assert!(matches!(store.set_setting("x", Some("AT")), Err(StoreError::NotJson(_))));
        assert!(matches!(store.set_setting(&"x".repeat(201), Some("1")), Err(StoreError::TooMuch(_))));
        assert_eq!(store.settings().unwrap().len(), 1);
    }
}
