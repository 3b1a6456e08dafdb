//! The accounts as they are kept: in the person's order, one of them the default.
//!
//! What an account is set to is a document of whoever is above, kept as it came. It holds no secret (a document that does is
//! refused): those are the platform's to keep, under the account's [`AccountKey`]. As long as there is an account, one is
//! the default: the first that is added, and when that goes the first in order, those that are in use before the others.

use std::fmt;

use rusqlite::{OptionalExtension as _, Row, params};
use serde::Serialize;

use crate::{Store, StoreError, document};

/// Accounts, at most.
pub(crate) const MOST: usize = 100;

/// Names one account; never given twice, so that what is kept elsewhere under it is never another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct AccountKey(pub i64);

/// An account as it is added.
#[derive(Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// What the person calls it.
    pub name: String,
    /// In use.
    pub enabled: bool,
    /// What it is set to: JSON, without secrets.
    pub settings: String,
}

/// What of an account is to be another; `None` leaves it as it is.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// What the person calls it.
    pub name: Option<String>,
    /// In use.
    pub enabled: Option<bool>,
    /// What it is set to: JSON, without secrets.
    pub settings: Option<String>,
}

/// A kept account.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct AccountRow {
    /// Its name for programs.
    pub id: AccountKey,
    /// What the person calls it.
    pub name: String,
    /// How many stand before it.
    pub place: usize,
    /// The one that calls go by when the person names none.
    pub default: bool,
    /// In use.
    pub enabled: bool,
    /// What it is set to: JSON.
    pub settings: String,
}

/// Without what it is set to.
impl fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAccount").field("enabled", &self.enabled).finish_non_exhaustive()
    }
}

/// Without what it is set to.
impl fmt::Debug for AccountChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountChange").field("enabled", &self.enabled).finish_non_exhaustive()
    }
}

/// Without what it is set to.
impl fmt::Debug for AccountRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountRow").field("id", &self.id).finish_non_exhaustive()
    }
}

const IN_ORDER: &str = "SELECT id, name, chosen, enabled, settings FROM account ORDER BY place, id";

fn row(row: &Row<'_>, place: usize) -> rusqlite::Result<AccountRow> {
    Ok(AccountRow {
        id: AccountKey(row.get(0)?),
        name: row.get(1)?,
        place,
        default: row.get(2)?,
        enabled: row.get(3)?,
        settings: row.get(4)?,
    })
}

impl Store {
    /// All accounts, in order.
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read.
    pub fn accounts(&self) -> Result<Vec<AccountRow>, StoreError> {
        let mut ask = self.connection.prepare_cached(IN_ORDER)?;
        let mut rows = ask.query([])?;
        let mut accounts = Vec::new();
        while let Some(it) = rows.next()? {
            accounts.push(row(it, accounts.len())?);
        }
        Ok(accounts)
    }

    /// One account, if it is there.
    ///
    /// # Errors
    /// - [`StoreError`]: it could not be read.
    pub fn account(&self, id: AccountKey) -> Result<Option<AccountRow>, StoreError> {
        Ok(self.accounts()?.into_iter().find(|account| account.id == id))
    }

    /// Adds an account behind the others.
    ///
    /// # Errors
    /// - [`StoreError::NotJson`], [`StoreError::Secret`], [`StoreError::TooMuch`]: of its settings, or there are 100 accounts.
    /// - [`StoreError`]: nothing was stored.
    pub fn add_account(&self, account: &NewAccount) -> Result<AccountKey, StoreError> {
        document::check(&account.settings)?;
        self.bulk(|| {
            let mut count = self.connection.prepare_cached("SELECT count(*) FROM account")?;
            if count.query_row([], |row| row.get::<_, u32>(0))? as usize >= MOST {
                return Err(StoreError::TooMuch("there are at most 100 accounts"));
            }
            let mut put = self.connection.prepare_cached(
                "INSERT INTO account (name, place, enabled, settings)
                 VALUES (?1, (SELECT coalesce(max(place) + 1, 0) FROM account), ?2, ?3)",
            )?;
            put.execute(params![account.name, account.enabled, account.settings])?;
            let id = AccountKey(self.connection.last_insert_rowid());
            self.choose_default()?;
            Ok(id)
        })
    }

    /// Takes over the accounts that were kept elsewhere before, in order, each under the number that it had; `last` is the highest
    /// that was ever given there. Done once: `name` marks it as a setting, and a second time takes nothing. Whether it took them.
    ///
    /// # Errors
    /// - [`StoreError::NotJson`], [`StoreError::Secret`], [`StoreError::TooMuch`]: of one of them, or there are more than 100.
    /// - [`StoreError`]: nothing was stored.
    pub fn take_over_accounts(
        &self,
        name: &str,
        accounts: &[(AccountKey, NewAccount)],
        last: AccountKey,
    ) -> Result<bool, StoreError> {
        accounts.iter().try_for_each(|(_, account)| document::check(&account.settings))?;
        self.bulk(|| {
            if self.setting(name)?.is_some() {
                return Ok(false);
            }
            let mut put = self.connection.prepare_cached(
                "INSERT OR IGNORE INTO account (id, name, place, enabled, settings)
                 VALUES (?1, ?2, (SELECT coalesce(max(place) + 1, 0) FROM account), ?3, ?4)",
            )?;
            for (id, account) in accounts {
                put.execute(params![id.0, account.name, account.enabled, account.settings])?;
            }
            if self.accounts()?.len() > MOST {
                return Err(StoreError::TooMuch("there are at most 100 accounts"));
            }
            self.count_from(last)?;
            self.choose_default()?;
            self.set_setting(name, Some("true"))?;
            Ok(true)
        })
    }

    /// No account is given that number or a lower one any more.
    fn count_from(&self, last: AccountKey) -> Result<(), StoreError> {
        let count = "SELECT seq FROM sqlite_sequence WHERE name = 'account'";
        let known: Option<i64> = self.connection.query_row(count, [], |row| row.get(0)).optional()?;
        self.connection.execute("DELETE FROM sqlite_sequence WHERE name = 'account'", [])?;
        let last = last.0.max(known.unwrap_or(0));
        self.connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('account', ?1)", [last])?;
        Ok(())
    }

    /// Changes an account; false: there is none.
    ///
    /// # Errors
    /// - [`StoreError::NotJson`], [`StoreError::Secret`], [`StoreError::TooMuch`]: of its settings.
    /// - [`StoreError`]: nothing was stored.
    pub fn change_account(&self, id: AccountKey, change: &AccountChange) -> Result<bool, StoreError> {
        change.settings.as_deref().map_or(Ok(()), document::check)?;
        let mut put = self.connection.prepare_cached(
            "UPDATE account SET name = coalesce(?2, name), enabled = coalesce(?3, enabled),
                settings = coalesce(?4, settings) WHERE id = ?1",
        )?;
        Ok(put.execute(params![id.0, change.name, change.enabled, change.settings])? > 0)
    }

    /// Removes an account and its drafts; its calls and messages stay in the log. False: there was none.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was removed.
    pub fn remove_account(&self, id: AccountKey) -> Result<bool, StoreError> {
        let gone = self.bulk(|| {
            let gone =
                self.connection.prepare_cached("DELETE FROM account WHERE id = ?1")?.execute([id.0])?;
            self.choose_default()?;
            Ok(gone > 0)
        })?;
        self.wipe_log()?;
        Ok(gone)
    }

    /// Puts an account at a place, the first being 0, and one that is too far back at the end; false: there is none.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was stored.
    pub fn move_account(&self, id: AccountKey, place: usize) -> Result<bool, StoreError> {
        self.bulk(|| {
            let mut order: Vec<AccountKey> = self.accounts()?.into_iter().map(|account| account.id).collect();
            let Some(from) = order.iter().position(|it| *it == id) else { return Ok(false) };
            order.remove(from);
            order.insert(place.min(order.len()), id);
            let mut put = self.connection.prepare_cached("UPDATE account SET place = ?2 WHERE id = ?1")?;
            for (place, id) in order.into_iter().enumerate() {
                put.execute(params![id.0, place as i64])?;
            }
            Ok(true)
        })
    }

    /// Makes an account the default instead of the one that was; false: there is none.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was stored.
    pub fn make_default(&self, id: AccountKey) -> Result<bool, StoreError> {
        self.bulk(|| {
            let mut ask = self.connection.prepare_cached("SELECT 1 FROM account WHERE id = ?1")?;
            if ask.query_row([id.0], |_| Ok(())).optional()?.is_none() {
                return Ok(false);
            }
            // One after the other: never two at once.
            self.connection.prepare_cached("UPDATE account SET chosen = 0 WHERE chosen = 1")?.execute([])?;
            self.connection.prepare_cached("UPDATE account SET chosen = 1 WHERE id = ?1")?.execute([id.0])?;
            Ok(true)
        })
    }

    /// Makes one the default where none is.
    pub(crate) fn choose_default(&self) -> Result<(), StoreError> {
        let mut put = self.connection.prepare_cached(
            "UPDATE account SET chosen = 1
             WHERE NOT EXISTS (SELECT 1 FROM account WHERE chosen = 1)
               AND id = (SELECT id FROM account ORDER BY enabled DESC, place, id LIMIT 1)",
        )?;
        put.execute([])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Opened;

    fn fresh() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let Opened { store, .. } = Store::open(&folder.path().join("phone.db")).unwrap();
        (folder, store)
    }

    fn new(name: &str) -> NewAccount {
        NewAccount {
            name: name.into(),
            enabled: true,
            settings: format!("{{\"uri\":\"sip:{name}@h.test\"}}"),
        }
    }

    fn names(store: &Store) -> Vec<String> {
        let mark = |it: &AccountRow| format!("{}{}", it.name, if it.default { "*" } else { "" });
        let accounts = store.accounts().unwrap();
        assert!(accounts.iter().enumerate().all(|(place, it)| it.place == place));
        accounts.iter().map(mark).collect()
    }

    #[test]
    fn accounts_stay_in_the_persons_order_and_one_is_the_default() {
        let (_folder, store) = fresh();
        assert_eq!(names(&store), [""; 0]);
        let [a, b, c] = ["a", "b", "c"].map(|name| store.add_account(&new(name)).unwrap());
        assert_eq!(names(&store), ["a*", "b", "c"]);
        assert!(store.move_account(c, 0).unwrap() && store.make_default(b).unwrap());
        assert_eq!(names(&store), ["c", "a", "b*"]);
        assert!(store.move_account(c, 99).unwrap());
        assert_eq!(names(&store), ["a", "b*", "c"]);
        let off = AccountChange { enabled: Some(false), ..AccountChange::default() };
        assert!(store.change_account(a, &off).unwrap());
        assert!(store.remove_account(b).unwrap());
        assert_eq!(names(&store), ["a", "c*"]); // `a` is not in use
        assert!(!store.remove_account(b).unwrap() && !store.move_account(b, 0).unwrap());
        assert!(!store.make_default(b).unwrap() && !store.change_account(b, &off).unwrap());
        assert_eq!(names(&store), ["a", "c*"]);
    }

    #[test]
    fn the_name_of_an_account_that_is_gone_is_not_given_again() {
        let (_folder, store) = fresh();
        let first = store.add_account(&new("a")).unwrap();
        store.remove_account(first).unwrap();
        assert!(store.add_account(&new("b")).unwrap() > first);
    }

    #[test]
    fn accounts_of_elsewhere_keep_their_numbers_and_are_taken_over_once() {
        let (_folder, store) = fresh();
        let old = [(AccountKey(7), new("a")), (AccountKey(3), new("b"))];
        assert!(store.take_over_accounts("moved", &old, AccountKey(9)).unwrap());
        assert_eq!(names(&store), ["a*", "b"]);
        assert_eq!(store.accounts().unwrap().iter().map(|it| it.id.0).collect::<Vec<_>>(), [7, 3]);
        store.remove_account(AccountKey(3)).unwrap();
        assert!(!store.take_over_accounts("moved", &old, AccountKey(9)).unwrap());
        assert_eq!(names(&store), ["a*"]);
        assert_eq!(store.add_account(&new("c")).unwrap(), AccountKey(10));
        let slip = NewAccount { settings: "{\"password\":\"x\"}".into(), ..new("d") };
        let refused = store.take_over_accounts(
            "again",
            &[(AccountKey(20), new("e")), (AccountKey(21), slip)],
            AccountKey(21),
        );
        assert!(matches!(refused, Err(StoreError::Secret(_))));
        assert_eq!(names(&store), ["a*", "c"]);
    }

    #[test]
    fn what_an_account_is_set_to_is_kept_to_the_letter_and_changed_alone() {
        let (_folder, store) = fresh();
        let settings = "{ \"b\": 1.50, \"a\": [9007199254740993], \"b\": 2 }";
        let id = store.add_account(&NewAccount { settings: settings.into(), ..new("a") }).unwrap();
        assert_eq!(store.account(id).unwrap().unwrap().settings, settings);
        let name = AccountChange { name: Some("z".into()), ..AccountChange::default() };
        store.change_account(id, &name).unwrap();
        let row = store.account(id).unwrap().unwrap();
        assert_eq!((&*row.name, &*row.settings, row.enabled), ("z", settings, true));
    }

    #[test]
    fn a_secret_in_the_settings_of_an_account_is_refused_and_nothing_stored() {
        let (folder, store) = fresh();
        let slip = NewAccount { settings: "{\"auth\":{\"password\":\"sw0rdf1sh\"}}".into(), ..new("a") };
        assert!(matches!(store.add_account(&slip), Err(StoreError::Secret(key)) if key == "password"));
        let id = store.add_account(&new("a")).unwrap();
        let slip = AccountChange { settings: Some(slip.settings), ..AccountChange::default() };
        assert!(matches!(store.change_account(id, &slip), Err(StoreError::Secret(_))));
        let broken = AccountChange { settings: Some("{".into()), ..AccountChange::default() };
        assert!(matches!(store.change_account(id, &broken), Err(StoreError::NotJson(_))));
        assert_eq!(store.account(id).unwrap().unwrap().settings, new("a").settings);
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(9).any(|window| window == b"sw0rdf1sh"));
        }
    }

    #[test]
    fn there_is_an_end_to_accounts() {
        let (_folder, store) = fresh();
        store.bulk(|| (0..MOST).try_for_each(|_| store.add_account(&new("a")).map(drop))).unwrap();
        assert!(matches!(store.add_account(&new("a")), Err(StoreError::TooMuch(_))));
    }
}
