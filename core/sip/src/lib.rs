//! SIP: bytes to messages, transactions, dialogs and a user agent. RFC 3261 and those that mend it.
//!
//! Read upward, each folder knows only the ones before it:
//!
//! * [`message`]: bytes to a message and back. [`message::Message`] is an index over the bytes it was read from;
//!   what a header says is read when asked. [`message::Draft`] is a message being written.
//! * [`order`], [`codec`]: what the machines want done, and what may lie between them and the wire.
//! * [`locate`]: from a URI to addresses to try, RFC 3263.
//! * [`transaction`]: one request and what comes back for it, made sure of, RFC 3261 section 17.
//! * [`sdp`]: session descriptions as text, RFC 8866. What a codec is, is not known here.
//! * [`digest`]: who is there, RFC 7616 and 8760; the client's side and the server's.
//! * [`ua`]: a user agent over all of it, and [`dialog`] below it.
//! * [`websocket`]: messages as the frames of a WebSocket, RFC 7118.
//! * [`ladder`]: messages as one line each, for tests, the demo and diagnostics.
//!
//! Pure: bytes, values and `now` go in, orders come out. No socket, clock, thread or randomness of its own.

pub mod codec;
pub mod dialog;
pub mod digest;
pub mod ladder;
pub mod locate;
pub mod message;
pub mod order;
pub mod sdp;
pub mod transaction;
pub mod ua;
pub mod websocket;
