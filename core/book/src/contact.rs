//! A contact, as it is found and shown.

use std::fmt;

/// Names a contact; given out by whoever keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContactId(pub u64);

/// Numbers of one contact that are found; those behind them are kept and shown.
pub const MOST_NUMBERS: usize = 10_000;
/// Names of one contact that are found.
pub(crate) const MOST_NAMES: usize = 16;
/// Letters of a name that are found.
pub(crate) const LONGEST_NAME: usize = 256;
/// Digits of a number that are found.
pub(crate) const LONGEST_NUMBER: usize = 64;

/// A person or a place to be called.
#[derive(Clone, PartialEq, Eq)]
pub struct Contact {
    /// Its name for the program.
    pub id: ContactId,
    /// What it is called: the first is shown, the others (nickname, company) are found as well.
    pub names: Vec<String>,
    /// How it is reached.
    pub numbers: Vec<Number>,
    /// How dear it is: favourites and those often called come first.
    pub weight: u32,
}

/// A number, or an address.
#[derive(Clone, PartialEq, Eq)]
pub struct Number {
    /// As it was written: `+49 (30) 123-456`, `sip:ann@example.com`.
    pub text: String,
    /// What it is: `mobile`, `work`; shown beside it.
    pub kind: String,
    /// The same number however it is written (E.164), where that is known: contacts that share one are the same person.
    pub normal: Option<String>,
}

/// Without whom.
impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contact").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Without which.
impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Number").field("kind", &self.kind).finish_non_exhaustive()
    }
}
