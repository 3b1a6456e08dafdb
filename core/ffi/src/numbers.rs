//! Numbers as they are typed and read, for an app that shows them. What a number means is the core's to say.
//!
//! The plans of all the world's numbers are read when first needed: some 20 to 80 ms, once in a process.

use std::collections::BTreeMap;

use offhook_io::numbers::{Showing, Step, Told, as_typed, normal, shown};
use phone::{Command, Regions};

use crate::document::plan;
use crate::error::PhoneError;
use crate::{DialRule, Phone};

/// Longer than any number or address: it stays as it is.
const LONGEST: usize = 256;

/// Cards and their numbers that are looked at.
const MOST_CARDS: usize = 16;
/// Digits of the shortest number that is a person's. A card without one says `0`, or a service's.
const SHORTEST: usize = 4;

/// How the platform knows a card's number; the first is trusted most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, uniffi::Enum)]
pub enum NumberFrom {
    /// The network told it when the phone registered there.
    Network,
    /// The carrier's app wrote it down.
    Carrier,
    /// It stands on the card, where its owner may have changed it.
    Card,
}

/// A number as the platform has it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CardNumber {
    /// As it was read.
    pub number: String,
    /// How it is known.
    pub from: NumberFrom,
    /// What the person calls the card.
    pub card: String,
}

/// A number that is the person's own, as far as the platform knows.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct OwnNumber {
    /// From anywhere in the world where that is known, else its digits: what to say to people called.
    pub number: String,
    /// As people at home write it.
    pub shown: String,
    /// How it is known, what is trusted most first.
    pub from: Vec<NumberFrom>,
    /// What the person calls the card.
    pub card: String,
}

/// What becomes of what was typed.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct TypedNumber {
    /// Who is meant: digits, or an address or name as it was typed.
    pub whom: String,
    /// It calls for help: hand it to the platform's own dialer, before anything else.
    pub emergency: bool,
    /// As people at home write it.
    pub shown: String,
    /// The same number from anywhere in the world, if it is one.
    pub normal: Option<String>,
    /// Whether the called person sees who calls, where that was typed for this call (`*31#`, `#31#`).
    pub caller_shown: Option<bool>,
    /// What is pressed once they answer: keys, `,` for a pause, `;` until the person says so.
    pub keys: Option<String>,
    /// What is dialed: what the account's dial plan makes of it.
    pub dialed: String,
    /// What the rules that fitted did, in turn; empty: none did.
    pub steps: Vec<PlanStep>,
}

/// What a rule of a dial plan did to a number.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PlanStep {
    /// Its place, from 1.
    pub rule: u32,
    /// What came to it.
    pub before: String,
    /// What left it; the same: it fitted, and changed nothing.
    pub after: String,
}

/// Numbers.
#[uniffi::export]
impl Phone {
    /// Tells where the phone is, as often as that changes; countries by two letters (`DE`), empty where one is not known. What
    /// the person has set (`setting`), the SIM `card`'s country and that of the `network` around. Numbers without a country are read as
    /// at home (what is set, else the card's, else the network's); an emergency number of any of them is one.
    ///
    /// # Errors
    /// `ShutDown`.
    pub fn set_region(&self, setting: String, card: String, network: String) -> Result<(), PhoneError> {
        self.require_open()?;
        let regions = Regions::told(&setting, &card, &network);
        if let Some(contacts) = self.handle.contacts() {
            contacts.set_region(regions.home());
        }
        *self.regions() = regions.clone();
        self.handle.command(Command::Regions(regions));
        Ok(())
    }

    /// Tells which numbers the platform knows to be the person's own, as often as that changes: all of them, in place of
    /// those before. Nothing is done with them until the person picks one. They are not kept.
    ///
    /// # Errors
    /// `ShutDown`.
    pub fn set_own_numbers(&self, numbers: Vec<CardNumber>) -> Result<(), PhoneError> {
        self.require_open()?;
        let usable = |it: &CardNumber| it.number.len() <= LONGEST && it.card.len() <= LONGEST;
        *self.cards() = numbers.into_iter().filter(usable).take(MOST_CARDS).collect();
        Ok(())
    }

    /// The person's own numbers, as far as the platform knows: each once, those that it is surest of first. What is no number
    /// is none of them.
    pub fn own_numbers(&self) -> Vec<OwnNumber> {
        let home = self.regions().home().map(str::to_owned);
        let mut all = BTreeMap::<String, OwnNumber>::new();
        for CardNumber { number, from, card } in self.cards().clone() {
            let Some(number) = whole(&number, home.as_deref()) else { continue };
            let own = all.entry(number.clone()).or_insert_with(|| {
                let shown = shown(&number, home.as_deref());
                OwnNumber { number, shown, from: Vec::new(), card }
            });
            own.from.push(from);
            own.from.sort();
            own.from.dedup();
        }
        let mut all: Vec<_> = all.into_values().collect();
        all.sort_by(|one, other| one.from.cmp(&other.from));
        all
    }

    /// A number as it stands while it is typed, moved apart: `030123` is `030 123`. Only digits and `+` are, and none is lost
    /// or added: the caret stands behind as many digits as before.
    pub fn as_typed(&self, typed: String) -> String {
        if typed.len() > LONGEST { typed } else { as_typed(&typed, self.regions().home()) }
    }

    /// A number of a call or a contact as people at home write it; what is no whole number stays as it is.
    pub fn shown_number(&self, number: String) -> String {
        if number.len() > LONGEST { number } else { shown(&number, self.regions().home()) }
    }

    /// What becomes of what was typed when it is called by that account, or the default one: to be shown before the call.
    /// `call` does the same.
    ///
    /// # Errors
    /// - `NoAccount`: send the user to account set-up.
    /// - `TooLong`.
    pub fn explain(&self, account: Option<u32>, typed: String) -> Result<TypedNumber, PhoneError> {
        if typed.len() > LONGEST {
            return Err(PhoneError::TooLong);
        }
        Ok(Told::of(&typed, &self.account_of(account)?.dial_plan, &self.regions()).into())
    }

    /// What these rules make of what was typed: for a box beside them, before they are kept.
    ///
    /// # Errors
    /// - `BadSetting`: which rule cannot be used, and why; show its sentence.
    /// - `TooLong`.
    pub fn try_plan(&self, rules: Vec<DialRule>, typed: String) -> Result<TypedNumber, PhoneError> {
        if typed.len() > LONGEST {
            return Err(PhoneError::TooLong);
        }
        Ok(Told::of(&typed, &plan(&rules)?, &self.regions()).into())
    }
}

impl From<Told> for TypedNumber {
    fn from(told: Told) -> Self {
        Self {
            whom: told.whom,
            emergency: told.emergency,
            shown: told.shown,
            normal: told.normal,
            caller_shown: told.showing.map(|showing| showing == Showing::Show),
            keys: told.keys,
            dialed: told.dialed,
            steps: told.steps.into_iter().map(PlanStep::of).collect(),
        }
    }
}

impl PlanStep {
    fn of(step: Step) -> Self {
        Self { rule: step.rule as u32, before: step.before, after: step.after }
    }
}

/// A card's number as it can be said; `None`: it is none.
fn whole(read: &str, home: Option<&str>) -> Option<String> {
    let digits: String = read.chars().filter(|it| !" -().\u{a0}".contains(*it)).collect();
    let number = normal(&digits, home).unwrap_or(digits);
    let says = number.bytes().filter(|it| (b'1'..=b'9').contains(it)).count();
    let plain = number.bytes().all(|it| it.is_ascii_digit() || it == b'+');
    (plain && phone::is_number(&number) && number.len() >= SHORTEST && says > 0).then_some(number)
}
