//! What the person has begun to write and not sent: one text for each account and number.

use std::fmt;

use rusqlite::{OptionalExtension as _, Row, params};
use serde::Serialize;

use crate::{AccountKey, Millis, Store, StoreError};

/// A text that was not sent.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Draft {
    /// By whom it would be sent.
    pub account: AccountKey,
    /// To whom, as messages name it.
    pub number: String,
    /// What it says.
    pub text: String,
    /// When it was written.
    pub at: Millis,
}

/// Without whom it is to, and what it says.
impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft").field("account", &self.account).finish_non_exhaustive()
    }
}

fn row(row: &Row<'_>) -> rusqlite::Result<Draft> {
    Ok(Draft { account: AccountKey(row.get(0)?), number: row.get(1)?, text: row.get(2)?, at: row.get(3)? })
}

impl Store {
    /// Keeps a draft in place of the one to the same number; an empty text forgets it. False: there is no such account.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was stored.
    pub fn put_draft(&self, draft: &Draft) -> Result<bool, StoreError> {
        if draft.text.is_empty() {
            self.take_draft(draft.account, &draft.number)?;
            return Ok(true);
        }
        let mut put = self.connection.prepare_cached(
            "INSERT INTO draft (account, number, text, at) SELECT id, ?2, ?3, ?4 FROM account WHERE id = ?1
             ON CONFLICT (account, number) DO UPDATE SET text = ?3, at = ?4",
        )?;
        Ok(put.execute(params![draft.account.0, draft.number, draft.text, draft.at])? > 0)
    }

    /// The draft to a number, which is forgotten: it is sent, or thrown away.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was forgotten.
    pub fn take_draft(&self, account: AccountKey, number: &str) -> Result<Option<Draft>, StoreError> {
        let mut take = self.connection.prepare_cached(
            "DELETE FROM draft WHERE account = ?1 AND number = ?2 RETURNING account, number, text, at",
        )?;
        Ok(take.query_row(params![account.0, number], row).optional()?)
    }

    /// Forgets the drafts to one number by whichever account, or all.
    ///
    /// # Errors
    /// - [`StoreError`]: nothing was forgotten.
    pub fn forget_drafts(&self, number: Option<&str>) -> Result<(), StoreError> {
        let mut gone = self.connection.prepare_cached("DELETE FROM draft WHERE ?1 IS NULL OR number = ?1")?;
        gone.execute([number])?;
        Ok(())
    }

    /// All drafts, the one that was written last first.
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read.
    pub fn drafts(&self) -> Result<Vec<Draft>, StoreError> {
        let mut ask = self.connection.prepare_cached(
            "SELECT account, number, text, at FROM draft ORDER BY at DESC, account, number",
        )?;
        Ok(ask.query_map([], row)?.collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NewAccount, Opened};

    fn draft(account: AccountKey, number: &str, text: &str, at: Millis) -> Draft {
        Draft { account, number: number.into(), text: text.into(), at }
    }

    #[test]
    fn a_draft_is_one_for_each_account_and_number_and_goes_when_it_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let Opened { store, .. } = Store::open(&folder.path().join("phone.db")).unwrap();
        let new = NewAccount { name: "a".into(), enabled: true, settings: "{}".into() };
        let [a, b] = [0; 2].map(|_| store.add_account(&new).unwrap());
        for it in [draft(a, "1002", "hi", 1), draft(b, "1002", "ho", 2), draft(a, "1002", "hi!", 3)] {
            assert!(store.put_draft(&it).unwrap());
        }
        assert_eq!(store.drafts().unwrap(), [draft(a, "1002", "hi!", 3), draft(b, "1002", "ho", 2)]);
        assert_eq!(store.take_draft(a, "1002").unwrap(), Some(draft(a, "1002", "hi!", 3)));
        assert_eq!(store.take_draft(a, "1002").unwrap(), None);
        assert!(store.put_draft(&draft(b, "1002", "", 4)).unwrap() && store.drafts().unwrap().is_empty());
        assert!(!store.put_draft(&draft(AccountKey(99), "1002", "hi", 5)).unwrap());
        let all = [
            draft(a, "1002", "x", 1),
            draft(b, "1002", "y", 2),
            draft(a, "1003", "z", 3),
            draft(b, "1004", "w", 4),
        ];
        for it in &all {
            assert!(store.put_draft(it).unwrap());
        }
        store.forget_drafts(Some("1002")).unwrap();
        assert_eq!(store.drafts().unwrap(), [draft(b, "1004", "w", 4), draft(a, "1003", "z", 3)]);
        store.forget_drafts(None).unwrap();
        assert!(store.drafts().unwrap().is_empty());
    }

    #[test]
    fn drafts_go_with_their_account_and_leave_nothing_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let Opened { store, .. } = Store::open(&folder.path().join("phone.db")).unwrap();
        let new = NewAccount { name: "a".into(), enabled: true, settings: "{}".into() };
        let [a, b] = [0; 2].map(|_| store.add_account(&new).unwrap());
        store.put_draft(&draft(a, "1002", "unsaid thing", 1)).unwrap();
        store.put_draft(&draft(b, "1002", "ho", 2)).unwrap();
        store.remove_account(a).unwrap();
        assert_eq!(store.drafts().unwrap(), [draft(b, "1002", "ho", 2)]);
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(12).any(|window| window == b"unsaid thing"));
        }
    }
}
