//! What is left on an account: asked by a template, read from any answer.
//!
//! A [`Template`] says how a provider is asked and a [`Reading`] where in its answer the money stands; [`Pace`] says when.
//! How long it lasts to a number is asked and read the same ([`TimeReading`], [`Enquiries`]), and so is what a provider is to
//! do: pay a card in, call back ([`About`], [`ReceiptReading`]). What one provider offers of all that is a [`Provider`].
//! Money is exact: a decimal is its digits, and never a float. Knows no sockets: who fetches gets a [`Request`] and gives an
//! answer's bytes. The forms of VOS switches are built in.

mod amount;
mod enquiries;
mod json;
mod kept;
mod pace;
mod place;
mod provider;
mod reading;
mod receipt;
mod template;
mod time_left;
mod vos;

pub use amount::Amount;
pub use enquiries::Enquiries;
pub use kept::{Age, Kept};
pub use pace::{Occasion, Pace};
pub use place::Place;
pub use provider::{Errand, MinutesTeller, Provider, Teller};
pub use reading::{Balance, Reading, Unread};
pub use receipt::{Receipt, ReceiptReading};
pub use template::{About, Auth, Body, Card, Known, Request, Template, TemplateError};
pub use time_left::{TimeLeft, TimeReading, Unit};
pub use vos::{Call, base_of, form};

/// Bytes of an answer that are read, at most: a balance is a line.
pub const MAX_ANSWER: usize = 256 * 1024;
