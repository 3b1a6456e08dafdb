//! Who says what to whom: one test, and one ladder in `ladders/`, for each call flow.
//!
//! The flows of RFC 3665 (registration, session establishment) and RFC 5359 (services) as far as a phone and its proxy play
//! them, and our own for what those leave out. The ladders are the documentation; a difference in one is a difference in
//! behaviour, to be read before it is accepted.

#![cfg(test)]

mod codecs;
mod conference;
mod encryption;
mod forking;
mod forwarding;
mod hold;
mod insisting;
mod keypad;
mod messages;
mod moving;
mod presence;
mod races;
mod registration;
mod reliability;
mod session;
mod sessiontimers;
mod stage;
mod transfer;
