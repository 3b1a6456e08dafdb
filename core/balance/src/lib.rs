//! What is left on an account: asked by a template, read from any answer.
//!
//! A [`Template`] says how a provider is asked and a [`Reading`] where in its answer the money stands; [`Pace`] says when.
//! Money is exact: a decimal is its digits, and never a float. Knows no sockets: who fetches gets a [`Request`] and gives an
//! answer's bytes. The forms of VOS switches are built in.

mod amount;
mod json;
mod pace;
mod reading;
mod template;
mod vos;

pub use amount::Amount;
pub use pace::{Occasion, Pace};
pub use reading::{Balance, Reading, Unread};
pub use template::{Auth, Body, Known, Request, Template, TemplateError};
pub use vos::{Call, call_back, form, minutes, pay_by_card};

/// Bytes of an answer that are read, at most: a balance is a line.
pub const MAX_ANSWER: usize = 256 * 1024;
