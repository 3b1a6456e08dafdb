//! The call log as people read it: day by day, and in a day each number once.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{CallKey, CallRow, Filter, Millis, Store, StoreError};

const DAY: Millis = 24 * 60 * 60 * 1000;
/// Rows that one page is made of, at most: a day with more is cut.
const MOST_ROWS: usize = 5_000;

/// The calls with one number on one day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// Days since 1970 where the person is.
    pub day: i64,
    /// The newest of them.
    pub newest: CallRow,
    /// How many there are.
    pub calls: usize,
    /// How many of them were missed.
    pub missed: usize,
}

/// A page of groups.
#[derive(Clone, Debug, PartialEq)]
pub struct Groups {
    /// The newest first.
    pub groups: Vec<Group>,
    /// Where the next page begins; `None`: this was the last.
    pub next: Option<CallKey>,
}

impl Store {
    /// Whole days of groups, until there are `least` of them. `offset`: how far the person's clock is ahead of UTC.
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read.
    pub fn groups(
        &self,
        filter: &Filter,
        before: Option<CallKey>,
        least: usize,
        offset: Millis,
    ) -> Result<Groups, StoreError> {
        let mut groups: Vec<Group> = Vec::new();
        let mut of_day: BTreeMap<String, usize> = BTreeMap::new();
        let (mut today, mut last, mut rows, mut more) = (None, None, 0, false);
        self.while_calls(filter, before, usize::MAX, &mut |row| {
            let day = (row.started + offset).div_euclid(DAY);
            if today != Some(day) {
                if groups.len() >= least.max(1) {
                    more = true;
                    return false;
                }
                today = Some(day);
                of_day.clear();
            }
            if rows == MOST_ROWS {
                more = true;
                return false;
            }
            rows += 1;
            last = Some(row.id);
            let missed = usize::from(row.missed);
            match of_day.get(&row.number) {
                Some(at) => {
                    groups[*at].calls += 1;
                    groups[*at].missed += missed;
                }
                None => {
                    of_day.insert(row.number.clone(), groups.len());
                    groups.push(Group { day, newest: row, calls: 1, missed });
                }
            }
            true
        })?;
        Ok(Groups { groups, next: last.filter(|_| more) })
    }
}
