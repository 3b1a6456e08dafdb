//! The phone book: contacts in memory, found as one types.
//!
//! Contacts come in pages from the platform, the store or a file; a [`Book`] finds them by the beginnings of their words,
//! by the keys of a telephone's keypad, and by any part of their numbers, and says which letters matched. It knows neither
//! where contacts are kept nor what a number means: who knows that fills in [`Number::normal`].

mod book;
mod contact;
mod fold;
mod index;
mod keypad;
mod merge;
mod query;
mod spelling;
#[cfg(test)]
mod tests;
pub mod vcard;

pub use book::Book;
pub use contact::{Contact, ContactId, MOST_NUMBERS, Number};
pub use fold::fold;
pub use query::{Field, Hit};
